//! From the system's `stat` to ours.

use std::fs::File;
use std::io;

use rustix::fs::FileType;

use crate::format::record::Time;
use crate::source::{EntryKind, Stat};

// The fields' types differ from system to system; to some of them these conversions do nothing.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the types differ from system to system")]
pub(super) fn convert(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        dev: stat.st_dev as u64,
        inode: stat.st_ino as u64,
        mode: stat.st_mode as u32 & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: stat.st_nlink as u64,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        blocks_bytes: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
        mtime: time(stat.st_mtime as i64, u32::try_from(stat.st_mtime_nsec).unwrap_or(0)),
        ctime: time(stat.st_ctime as i64, u32::try_from(stat.st_ctime_nsec).unwrap_or(0)),
    }
}

/// User-space file systems can report any number of nanoseconds; ours is always below a second.
fn time(seconds: i64, nanos: u32) -> Time {
    Time { seconds, nanos: nanos.min(999_999_999) }
}

/// Kinds but that of a link, whose target takes another call: `None`.
///
/// # Errors
/// For kinds no Unix this program knows has.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the types differ from system to system")]
pub(super) fn kind(stat: &rustix::fs::Stat) -> io::Result<Option<EntryKind>> {
    let device = || (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => return Ok(None),
        FileType::Fifo => EntryKind::Fifo,
        FileType::Socket => EntryKind::Socket,
        FileType::CharacterDevice => EntryKind::CharDevice(device().0, device().1),
        FileType::BlockDevice => EntryKind::BlockDevice(device().0, device().1),
        FileType::Unknown => return Err(io::Error::new(io::ErrorKind::Unsupported, "unknown kind of entry")),
    }))
}

/// What an open file is now.
pub(in crate::source) fn stat_of_file(file: &File) -> io::Result<Stat> {
    Ok(convert(&rustix::fs::fstat(file)?))
}

/// Whether an open file is a regular one, and what else is known about it.
pub(in crate::source) fn file_kind(file: &File) -> io::Result<(bool, Stat)> {
    let stat = rustix::fs::fstat(file)?;
    Ok((FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile, convert(&stat)))
}
