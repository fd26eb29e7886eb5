//! Opening by path, also where the path is longer than the system takes.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{Errno, retry_on_intr};

use super::NO_ATIME;

/// The longest path one call takes, with the zero byte at its end.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PATH_LEN_MAX: usize = 4096;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PATH_LEN_MAX: usize = 1024;

/// A folder only to go on from: it needs no permission to list.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STEP: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEP: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// A folder, and the rest of `path` as seen from there, short enough for one call. `None`: from where paths begin.
pub(super) fn reach(path: &Path) -> io::Result<(Option<OwnedFd>, &Path)> {
    let mut rest = path.as_os_str().as_bytes();
    let mut folder: Option<OwnedFd> = None;
    while rest.len() >= PATH_LEN_MAX {
        // A single name that is too long stays in `rest`, and the system says so.
        let Some(cut) = rest[..PATH_LEN_MAX].iter().rposition(|&byte| byte == b'/').filter(|&cut| cut > 0) else {
            break;
        };
        let step = OsStr::from_bytes(&rest[..cut]);
        let next = retry_on_intr(|| openat(at(folder.as_ref()), step, STEP, Mode::empty()))?;
        folder = Some(next);
        rest = &rest[cut..];
        while let Some(shorter) = rest.strip_prefix(b"/") {
            rest = shorter;
        }
    }
    Ok((folder, Path::new(OsStr::from_bytes(rest))))
}

/// The folder [`reach`] found, as calls take it.
pub(super) fn at(folder: Option<&OwnedFd>) -> BorrowedFd<'_> {
    folder.map_or(CWD, |folder| folder.as_fd())
}

/// Opens for reading what `name` is in `folder`, not following a link there, and without touching access times where
/// the system lets us: it refuses that to all but the owner.
pub(super) fn open_at(folder: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = flags | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match retry_on_intr(|| openat(folder, name, flags | NO_ATIME, Mode::empty())) {
        Err(Errno::PERM) => retry_on_intr(|| openat(folder, name, flags, Mode::empty())),
        result => result,
    }
}

/// Opens the file at `path` for reading. A pipe does not make it wait.
pub(in crate::source) fn open_file(path: &Path) -> io::Result<File> {
    let (folder, rest) = reach(path)?;
    Ok(open_at(at(folder.as_ref()), rest.as_os_str(), OFlags::NONBLOCK).map(File::from)?)
}
