//! Bytes of a simulated file, in pages that copies share: an image of every moment costs little more than the changes.

use std::ops::Range;
use std::sync::Arc;

const PAGE: usize = 4096;

/// Bytes of a file. A page that was never written is zeros.
#[derive(Clone, Default, Debug)]
pub struct Content {
    len: u64,
    pages: Vec<Option<Arc<[u8; PAGE]>>>,
}

impl Content {
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn read(&self, range: Range<u64>) -> Vec<u8> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let mut at = range.start;
        while at < range.end {
            let (page, start) = (at as usize / PAGE, at as usize % PAGE);
            let count = (PAGE - start).min((range.end - at) as usize);
            if let Some(Some(page)) = self.pages.get(page) {
                let to = (at - range.start) as usize;
                bytes[to..to + count].copy_from_slice(&page[start..start + count]);
            }
            at += count as u64;
        }
        bytes
    }

    /// Writes, and makes the file longer where that is needed.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        self.set_len(self.len.max(end));
        let mut done = 0;
        while done < bytes.len() {
            let at = offset as usize + done;
            let (page, start) = (at / PAGE, at % PAGE);
            let count = (PAGE - start).min(bytes.len() - done);
            let page = self.pages[page].get_or_insert_with(|| Arc::new([0; PAGE]));
            Arc::make_mut(page)[start..start + count].copy_from_slice(&bytes[done..done + count]);
            done += count;
        }
    }

    /// Cuts the file, or makes it longer with zeros.
    pub fn set_len(&mut self, len: u64) {
        self.pages.resize((len as usize).div_ceil(PAGE), None);
        if len < self.len && !(len as usize).is_multiple_of(PAGE) {
            // What is cut off must not come back when the file gets longer again.
            if let Some(Some(page)) = self.pages.last_mut() {
                Arc::make_mut(page)[len as usize % PAGE..].fill(0);
            }
        }
        self.len = len;
    }

    pub fn all(&self) -> Vec<u8> {
        self.read(0..self.len)
    }
}
