//! The file of the index, of which every page is looked at before redb believes it.
//!
//! The number of a page says how large it is, up to 4 GiB, and redb takes that much memory before it finds that the file
//! is shorter (it compares checksums only when it repairs). Where there is not so much memory the program ends: that is no
//! panic, and nothing catches it. So a page that points to one larger than a row of ours can need is not handed to redb.
//!
//! The file has its room before it grows. Otherwise it has holes where there is none, and a disk that becomes full fails it
//! anywhere, also when it is opened again to be read.
//!
//! What is looked at is redb's file format 3: the children of a branch, and the roots in the definitions of tables. The
//! roots in the head of the file have a checksum that redb compares.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{BackendError, Builder, Database, DatabaseError, ReadOnlyDatabase, StorageBackend};

use crate::format::{BLOCK_RAW_MAX, RECORD_LEN_MAX};

const PAGE: usize = 4096;
/// A page is as large as the smallest, times a power of two, and this is the largest: 128 MiB.
const ORDER_MAX: u8 = 15;
// The row of a snapshot has its record twice, that of a tree has a chunk, and two such rows may meet in a page.
const _: () = assert!(PAGE << ORDER_MAX > 4 * RECORD_LEN_MAX && PAGE << ORDER_MAX > 2 * BLOCK_RAW_MAX);

/// Opens the index at `path` for writing, making an empty file where there is none.
///
/// # Errors
/// Those of redb.
pub fn create(builder: &Builder, path: &Path) -> Result<Database, DatabaseError> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let grows = file.try_clone()?;
    builder.create_with_backend(IndexFile { pages: FileBackend::new(file)?, grows: Some(grows) })
}

/// Opens the index at `path` for reading.
///
/// # Errors
/// Those of redb.
pub fn open_read_only(builder: &Builder, path: &Path) -> Result<ReadOnlyDatabase, DatabaseError> {
    builder.open_read_only_with_backend(IndexFile { pages: FileBackend::new(File::open(path)?)?, grows: None })
}

#[derive(Debug)]
struct IndexFile {
    pages: FileBackend,
    /// The same file, where it may be written.
    grows: Option<File>,
}

impl StorageBackend for IndexFile {
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.pages.read(offset, out)?;
        let mut numbers = children(out).chain(roots(out));
        if numbers.any(|number| order(number) > ORDER_MAX) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, super::DAMAGED));
        }
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        self.pages.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if let Some(file) = &self.grows {
            take_room(file, self.pages.len()?, len)?;
        }
        self.pages.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.pages.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.pages.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.pages.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.pages.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.pages.query_lock_range(start, end)
    }
}

/// Takes the room for a file that grows, where the file system has a way to.
#[cfg(target_os = "linux")]
fn take_room(file: &File, len: u64, new_len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;

    let Some(more) = new_len.checked_sub(len).filter(|more| *more > 0) else { return Ok(()) };
    match fallocate(file, FallocateFlags::empty(), len, more) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => {
            // A part of it may have been taken.
            file.set_len(len)?;
            Err(error.into())
        }
        // Writing tells whether there is room.
        _ => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn take_room(_: &File, _: u64, _: u64) -> io::Result<()> {
    Ok(())
}

/// A page by its number, as it is stored: little-endian, with the order in the highest five bits.
type Number = [u8; 8];

fn order(number: Number) -> u8 {
    number[7] >> 3
}

/// The pages below a branch: after a head of 8 bytes come checksums of 16 bytes each, then the numbers.
fn children(page: &[u8]) -> impl Iterator<Item = Number> {
    let count = entries(page, 2).map_or(0, |keys| keys + 1);
    (0..count).map_while(move |child| array(page, 8 + 16 * count + 8 * child))
}

/// The roots of tables, where the page is a leaf with definitions. Whether it is, only its place in the file would say; but
/// redb follows the root of no definition that does not have the type and the two alignments of one.
fn roots(page: &[u8]) -> impl Iterator<Item = Number> {
    // After a head of 4 bytes it says where each key ends, then where each value does. The first begins after the last key.
    // In a leaf whose rows have fixed widths something else is there, which is hardly ever the two ends of a definition.
    let count = entries(page, 1).unwrap_or(0);
    let end = |page, entry| usize::try_from(u32::from_le_bytes(array(page, 4 * entry)?)).ok();
    let rows = (count..2 * count).filter_map(move |entry| page.get(end(page, entry)?..end(page, entry + 1)?));
    rows.filter_map(root)
}

/// Type, length, whether there is a root, the root with its checksum and length, two widths, two alignments.
fn root(definition: &[u8]) -> Option<Number> {
    let has_root = matches!(definition.first(), Some(3 | 4)) && *definition.get(9)? != 0;
    let is_aligned = array(definition, 52) == Some([1, 0, 0, 0, 1, 0, 0, 0]);
    array(definition, 10).filter(|_| has_root && is_aligned)
}

/// How many entries a page of this kind has; none where it is of another.
fn entries(page: &[u8], kind: u8) -> Option<usize> {
    (page.first() == Some(&kind)).then_some(())?;
    array(page, 2).map(|count| u16::from_le_bytes(count).into())
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
