//! The ids of everything that is needed: sorted, in memory while they are few, else in a file.

use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use super::LiveError;
use crate::format::id::ChunkId;
use crate::spill::{FromStart, Record, Sorter, SpillError, TemporaryFile, WRITE_BUFFER, prefix};

/// Ids that one lookup reads: 4 KiB of them.
const PAGE_IDS: usize = 128;
const PAGE_LEN: usize = PAGE_IDS * ChunkId::LEN;
/// Read ahead when all are read in order.
const READ_BUFFER: usize = 256 << 10;

/// Every chunk that is needed, once.
pub struct LiveSet {
    ids: Ids,
}

enum Ids {
    Memory(Vec<ChunkId>),
    Disk(Pages),
}

/// A file of sorted ids, and in memory where each page of it begins: 8 bytes for 128 ids.
struct Pages {
    file: TemporaryFile,
    len: u64,
    fences: Vec<u64>,
}

impl LiveSet {
    pub(super) fn new(sorter: Sorter<ChunkId>, folder: &Path) -> Result<Self, LiveError> {
        let ids = match sorter.into_memory() {
            Ok(ids) => Ids::Memory(ids),
            Err(sorter) => Ids::Disk(Pages::write(folder, sorter.finish()?)?),
        };
        Ok(Self { ids })
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        match &self.ids {
            Ids::Memory(ids) => ids.len() as u64,
            Ids::Disk(pages) => pages.len,
        }
    }

    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the chunk is needed.
    ///
    /// # Errors
    /// [`LiveError::Spill`].
    pub fn contains(&self, id: &ChunkId) -> Result<bool, LiveError> {
        match &self.ids {
            Ids::Memory(ids) => Ok(ids.binary_search(id).is_ok()),
            Ids::Disk(pages) => pages.contains(id),
        }
    }

    /// All of them in ascending order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Result<ChunkId, LiveError>> + '_> {
        match &self.ids {
            Ids::Memory(ids) => Box::new(ids.iter().copied().map(Ok)),
            Ids::Disk(pages) => Box::new(pages.iter()),
        }
    }
}

impl Pages {
    fn write(folder: &Path, sorted: impl Iterator<Item = Result<ChunkId, SpillError>>) -> Result<Self, LiveError> {
        let mut file = TemporaryFile::new(folder)?;
        let (mut len, mut fences) = (0u64, Vec::new());
        let mut out = BufWriter::with_capacity(WRITE_BUFFER, &mut file);
        let mut written = Ok(());
        for id in sorted {
            let id = id?;
            if len.is_multiple_of(PAGE_IDS as u64) {
                fences.push(prefix(&id));
            }
            written = id.write(&mut out);
            if written.is_err() {
                break;
            }
            len += 1;
        }
        let written = written.and_then(|()| out.flush());
        drop(out.into_parts());
        written.map_err(|error| file.failed("write", error))?;
        Ok(Self { file, len, fences })
    }

    fn contains(&self, id: &ChunkId) -> Result<bool, LiveError> {
        let wanted = prefix(id);
        // The page before the first that begins with this prefix can end with it; of random ids it is one page.
        let first = self.fences.partition_point(|fence| *fence < wanted).saturating_sub(1);
        let end = self.fences.partition_point(|fence| *fence <= wanted);
        for page in first..end {
            if self.page_contains(page as u64, id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn page_contains(&self, page: u64, id: &ChunkId) -> Result<bool, LiveError> {
        let ids = (self.len - page * PAGE_IDS as u64).min(PAGE_IDS as u64) as usize;
        let mut buffer = [0; PAGE_LEN];
        let bytes = &mut buffer[..ids * ChunkId::LEN];
        self.file.read_exact_at(bytes, page * PAGE_LEN as u64)?;
        let (ids, _) = bytes.as_chunks();
        Ok(ids.binary_search(id.as_bytes()).is_ok())
    }

    fn iter(&self) -> impl Iterator<Item = Result<ChunkId, LiveError>> + '_ {
        let mut reader = BufReader::with_capacity(READ_BUFFER, FromStart::new(&self.file));
        (0..self.len).map(move |_| ChunkId::read(&mut reader).map_err(|error| self.file.failed("read", error).into()))
    }
}
