//! A file of a simulated disk, as the index sees it.

use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::Arc;

use redb::{BackendError, StorageBackend};

use super::Shared;
use super::volume::{Change, Inode};

/// Locks of all open files. They die with the machine.
#[derive(Default)]
pub struct Locks {
    handles: u64,
    held: Vec<Lock>,
}

struct Lock {
    file: (usize, Inode),
    handle: u64,
    first: u64,
    last: u64,
    is_shared: bool,
}

impl Locks {
    pub fn handle(&mut self) -> u64 {
        self.handles += 1;
        self.handles
    }

    /// The machine of a disk lost its power.
    pub fn release(&mut self, disk: usize) {
        self.held.retain(|held| held.file.0 != disk);
    }
}

/// A file that was opened.
pub struct Storage {
    pub shared: Arc<Shared>,
    pub volume: usize,
    pub file: Inode,
    pub handle: u64,
}

/// What a step on the index has for a path.
pub const NAME: &str = "index";

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage")
    }
}

/// First and last byte of a range.
fn bounds(start: Bound<u64>, end: Bound<u64>) -> (u64, u64) {
    let first = match start {
        Bound::Unbounded => 0,
        Bound::Included(first) => first,
        Bound::Excluded(before) => before + 1,
    };
    let last = match end {
        Bound::Unbounded => u64::MAX,
        Bound::Included(last) => last,
        Bound::Excluded(after) => after - 1,
    };
    (first, last)
}

impl Storage {
    fn lock(&self, start: Bound<u64>, end: Bound<u64>, is_shared: bool, is_kept: bool) -> bool {
        let (first, last) = bounds(start, end);
        let file = (self.volume, self.file);
        let locks = &mut self.shared.state().locks;
        let is_free = !locks.held.iter().any(|held| {
            let overlaps = held.file == file && held.first <= last && first <= held.last;
            overlaps && held.handle != self.handle && !(is_shared && held.is_shared)
        });
        if is_free && is_kept {
            locks.held.push(Lock { file, handle: self.handle, first, last, is_shared });
        }
        is_free
    }

    fn change(&self, verb: &'static str, change: Change) -> io::Result<()> {
        let mut state = self.shared.state();
        state.write(self.volume, verb, NAME, |volume, now| volume.change(now, self.file, change))
    }
}

impl StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        self.shared.state().read(self.volume, "look", NAME, |volume| Ok(volume.file(self.file)?.current.len()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.shared.state().read(self.volume, "read", NAME, |volume| {
            let content = &volume.file(self.file)?.current;
            let end = offset + out.len() as u64;
            if end > content.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            out.copy_from_slice(&content.read(offset..end));
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change("set_len", Change::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.shared.state().sync(self.volume, "sync", NAME, self.file)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change("write", Change::Write { offset, bytes: data.into() })
    }

    fn close(&self) -> io::Result<()> {
        self.shared.state().locks.held.retain(|held| held.handle != self.handle);
        Ok(())
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.lock(start, end, false, true))
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.lock(start, end, true, true))
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        while !self.lock(start, end, false, true) {
            std::thread::yield_now();
        }
        Ok(())
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        while !self.lock(start, end, true, true) {
            std::thread::yield_now();
        }
        Ok(())
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        let (first, last) = bounds(start, end);
        let held = &mut self.shared.state().locks.held;
        held.retain(|held| held.handle != self.handle || (held.first, held.last) != (first, last));
        Ok(())
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        Ok(!self.lock(start, end, false, false))
    }
}
