//! Extended attributes; POSIX ACLs are among them.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{lgetxattr, lgetxattr_query, llistxattr, llistxattr_query};
use rustix::io::Errno;

use super::open::reach;
use crate::format::tree::Attribute;
use crate::source::metadata::Attributes;

/// How often a list or value that keeps growing is asked for again.
const ATTEMPTS: usize = 5;

/// The attributes of what is at `path`, a link not followed, unsorted. Those beyond `bytes_max` in all count as failed.
///
/// # Errors
/// When they cannot even be listed. A file system without attributes has none; that is not an error.
pub(in crate::source) fn attributes(path: &Path, bytes_max: usize) -> io::Result<Attributes> {
    let (folder, rest) = reach(path)?;
    // There are no calls for attributes relative to a folder; the kernel's own name of the open folder is short.
    let long = folder.as_ref().map(|folder| PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(rest));
    let path = long.as_deref().unwrap_or(path);
    let mut list = Vec::new();
    let query = || llistxattr_query(path);
    match grown(&mut list, 256, query, |buffer| llistxattr(path, buffer)) {
        Err(Errno::NOTSUP | Errno::NOSYS) => return Ok(Attributes::default()),
        result => result?,
    }
    let mut attributes = Attributes::default();
    let mut room = bytes_max;
    for name in list.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = Vec::new();
        let text = OsStr::from_bytes(name);
        match grown(&mut value, 256, || lgetxattr_query(path, text), |buffer| lgetxattr(path, text, buffer)) {
            // It was removed since they were listed.
            Err(NO_ATTRIBUTE) => {}
            Err(error) => attributes.failed.push((name.to_vec(), error.into())),
            Ok(()) if name.len() + value.len() > room => {
                let why = io::Error::other("all attributes together are too large");
                attributes.failed.push((name.to_vec(), why));
            }
            Ok(()) => {
                room -= name.len() + value.len();
                attributes.read.push(Attribute { name: name.to_vec(), value });
            }
        }
    }
    Ok(attributes)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const NO_ATTRIBUTE: Errno = Errno::NODATA;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const NO_ATTRIBUTE: Errno = Errno::NOATTR;

/// Fills `out` by `read`; first with room for `guess` bytes, then for as many as `query` says.
fn grown(
    out: &mut Vec<u8>,
    guess: usize,
    query: impl Fn() -> rustix::io::Result<usize>,
    read: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
) -> rustix::io::Result<()> {
    out.resize(guess, 0);
    for _ in 0..ATTEMPTS {
        match read(out) {
            Ok(len) => {
                out.truncate(len);
                return Ok(());
            }
            Err(Errno::RANGE) => out.resize(query()?.max(1), 0),
            Err(error) => return Err(error),
        }
    }
    Err(Errno::RANGE)
}
