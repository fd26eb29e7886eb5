//! The few file system operations below a folder that a local destination is made of.
//!
//! They are a trait so that a simulated disk, which loses what was not synced and fails on command, can stand in for
//! the real one. So it is kept small, and nothing that must survive a power cut goes around it.

#[cfg(unix)]
mod unix;

use std::io;
use std::ops::Range;
use std::path::Path;

#[cfg(unix)]
pub use unix::{RealDisk, RealRoots};

/// Where folders of a machine are opened and made by their paths: the one way to a [`Disk`].
pub trait Roots: Send + Sync {
    /// Opens a folder that exists. A link to a folder is followed.
    fn open_root(&self, path: &Path) -> io::Result<Box<dyn Disk>>;

    /// Makes a folder whose parent exists, durably. A folder that exists already is a success, and as durable. After an
    /// error a folder that was made is gone again, as far as the disk lets it be removed.
    fn make_root(&self, path: &Path) -> io::Result<()>;
}

/// What a name in a folder is. Links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// Anything else: a link, a socket, a device.
    Other,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskEntry {
    /// The last part of the path. Where it is not UTF-8 it holds replacement characters, which no name of ours does.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// For a file, its length in bytes.
    pub len: u64,
}

/// A folder that was opened once, and the files below it.
///
/// Paths are relative to the folder, parts joined by `/`; the empty path is the folder itself. All operations go to
/// the folder that was opened, even if its path leads elsewhere since. Interrupted and partial system calls are
/// continued below this line.
pub trait Disk: Send + Sync {
    /// Creates a file that must not exist, writes all bytes and syncs them. After an error a part may be left at
    /// `path`, and it must be taken for lost: a sync that failed once is never tried again.
    fn write_new(&self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Reads a regular file, or a range of it, on one descriptor. What is no regular file or is longer than
    /// `len_max` is [`InvalidData`](io::ErrorKind::InvalidData), a range beyond the end
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof). Never waits on a pipe.
    fn read(&self, path: &str, range: Option<Range<u64>>, len_max: u64) -> io::Result<Vec<u8>>;

    /// Reads a whole regular file from the medium instead of memory, where that is possible.
    fn read_medium(&self, path: &str, len_max: u64) -> io::Result<Vec<u8>>;

    /// What is at `path`.
    fn look(&self, path: &str) -> io::Result<DiskEntry>;

    /// Everything in a folder, in no order.
    fn list(&self, folder: &str) -> io::Result<Vec<DiskEntry>>;

    /// Renames a file, and fails with [`AlreadyExists`](io::ErrorKind::AlreadyExists) where `to` exists, in one step.
    /// [`Unsupported`](io::ErrorKind::Unsupported) where the file system has no such step.
    ///
    /// After this and a [`sync_folder`](Disk::sync_folder) of the folder of `to`, both the name and the bytes behind
    /// it survive a power cut. The same holds for `rename` and `link`.
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()>;

    /// Renames a file over whatever file is at `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Gives a file a second name, which must not exist.
    fn link(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes a folder whose parent exists.
    fn make_folder(&self, path: &str) -> io::Result<()>;

    /// Removes a folder with nothing in it.
    fn remove_folder(&self, path: &str) -> io::Result<()>;

    /// Syncs the names in a folder. [`Unsupported`](io::ErrorKind::Unsupported) where the file system cannot.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;

    /// Syncs all there is on its file system, whoever wrote it, where the system can.
    fn sync_everything(&self) -> io::Result<()>;

    /// Whether the path that was opened still leads to the folder that was opened.
    fn is_in_place(&self) -> io::Result<bool>;

    /// Bytes this user may still write.
    fn free_bytes(&self) -> io::Result<u64>;

    /// An error where the system would let nothing be written here, told without writing anything.
    fn may_write(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts `bytes` in the place of whatever is at `path`, durably: whoever reads it after a crash finds the old or the new,
/// whole. `temporary` is a path in the same folder that nobody else uses.
pub fn replace_file(disk: &dyn Disk, temporary: &str, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut written = disk.write_new(temporary, bytes);
    if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
        // Left by a process with the same number that did not end.
        disk.remove(temporary)?;
        written = disk.write_new(temporary, bytes);
    }
    written.and_then(|()| disk.rename(temporary, path)).inspect_err(|_| {
        // Best effort: the error that counts is the first.
        let _ = disk.remove(temporary);
    })?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match disk.sync_folder(folder) {
        // There is nothing better to do there.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        done => done,
    }
}
