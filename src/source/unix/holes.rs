//! Where a file has data and where holes.

use std::fs::File;
use std::io;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Where data begins at or after a place, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum Extent {
    /// Data from `start` to `end`; what lies before `start` is a hole.
    Data { start: u64, end: u64 },
    /// Nothing but a hole up to the end of the file.
    HoleToEnd,
    /// The file system cannot tell.
    Unknown,
}

/// The next data of `file` at or after `from`. Moves the file's position.
pub(in crate::source) fn next_extent(file: &File, from: u64) -> io::Result<Extent> {
    let start = match seek(file, SeekFrom::Data(from)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(Extent::HoleToEnd),
        Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => return Ok(Extent::Unknown),
        Err(error) => return Err(error.into()),
    };
    match seek(file, SeekFrom::Hole(start)) {
        Ok(end) if end > start => Ok(Extent::Data { start, end }),
        // The file became shorter between the two calls.
        Ok(_) | Err(Errno::NXIO) => Ok(Extent::HoleToEnd),
        Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => Ok(Extent::Unknown),
        Err(error) => Err(error.into()),
    }
}
