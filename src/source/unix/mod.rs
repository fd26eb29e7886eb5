//! The Unix side of reading sources. Calls are relative to an open folder wherever the walk makes them, so that no
//! path is resolved twice and none can be too long.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, OFlags};
use rustix::io::{Errno, retry_on_intr};

mod attributes;
mod folder;
mod holes;
mod open;
mod owners;
mod stat;

pub(super) use attributes::attributes;
pub(super) use folder::Folder;
pub(super) use holes::{Extent, next_extent};
pub(super) use open::open_file;
pub(super) use owners::{group_name, owner_of_process, user_name};
pub(super) use stat::{file_kind, stat_of_file};

use super::{EntryKind, Stat};

/// Reading must not change access times where it can be avoided.
#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_ATIME: OFlags = OFlags::NOATIME;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NO_ATIME: OFlags = OFlags::empty();

/// One path component as the system's own string.
pub(super) fn component(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

/// What follows the first `len` bytes of `path` and the separator there.
pub(super) fn below(path: &Path, len: usize) -> &Path {
    let rest = path.as_os_str().as_bytes().get(len..).unwrap_or_default();
    Path::new(OsStr::from_bytes(rest.strip_prefix(b"/").unwrap_or(rest)))
}

/// Reads at a place in the file; the whole of `buffer`, unless the file ends.
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    Ok(retry_on_intr(|| rustix::io::pread(file, &mut *buffer, offset))?)
}

/// Whether opening failed because there is a link, or something that cannot be opened like a file.
pub(super) fn is_not_a_file(error: &io::Error) -> bool {
    let found = Errno::from_io_error(error);
    found.is_some_and(|found| [Errno::LOOP, Errno::NXIO, Errno::NODEV].contains(&found))
}

/// Whether opening a folder failed because there is something else by now.
pub(super) fn is_not_a_folder(error: &io::Error) -> bool {
    let found = Errno::from_io_error(error);
    found.is_some_and(|found| [Errno::NOTDIR, Errno::LOOP].contains(&found))
}

/// What `path` leads to, with symbolic links followed.
pub(super) fn stat_followed(path: &Path) -> io::Result<Stat> {
    Ok(stat::convert(&rustix::fs::stat(path)?))
}

/// What is at `path` itself.
pub(super) fn look_at(path: &Path) -> io::Result<(EntryKind, Stat)> {
    let (folder, rest) = open::reach(path)?;
    folder::look(open::at(folder.as_ref()), rest.as_os_str().as_bytes(), AtFlags::SYMLINK_NOFOLLOW)
}
