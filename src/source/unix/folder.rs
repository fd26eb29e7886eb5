//! An open folder: listing it, looking at what is in it, going down and up from it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, OFlags, fstat, readlinkat, statat};
use rustix::io::Errno;

use super::open::{at, open_at, reach};
use super::stat;
use super::{component, file_kind};
use crate::source::names::{Hint, Names};
use crate::source::{EntryKind, Stat};

/// A folder held open.
#[derive(Debug)]
pub(in crate::source) struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder at `path`, unless that is a link.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (folder, rest) = reach(path)?;
        Ok(Self(open_at(at(folder.as_ref()), rest.as_os_str(), OFlags::DIRECTORY)?))
    }

    /// Opens the folder `name` in this one, unless it is a link.
    pub fn child(&self, name: &[u8]) -> io::Result<Self> {
        Ok(Self(open_at(self.0.as_fd(), component(name), OFlags::DIRECTORY)?))
    }

    /// Opens the folder this one is in now.
    pub fn parent(&self) -> io::Result<Self> {
        self.child(b"..")
    }

    /// What the folder itself is.
    pub fn stat(&self) -> io::Result<Stat> {
        Ok(stat::convert(&fstat(&self.0)?))
    }

    /// What `name` in this folder is.
    pub fn look(&self, name: &[u8]) -> io::Result<(EntryKind, Stat)> {
        look(self.0.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Every name in the folder, sorted. An error anywhere in the listing is an error of all of it.
    pub fn names(&self) -> io::Result<Names> {
        let mut names = Names::default();
        list(self.0.as_fd(), |name, kind| {
            if name != b"." && name != b".." {
                let hint = match kind {
                    FileType::Directory => Hint::Folder,
                    FileType::Unknown => Hint::Unknown,
                    _ => Hint::Other,
                };
                names.push(name, hint);
            }
        })?;
        names.sort();
        Ok(names)
    }

    /// The first `len_max` bytes of the regular file `name`; `None` when it is anything else.
    pub fn read_file(&self, name: &[u8], len_max: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match open_at(self.0.as_fd(), component(name), OFlags::NONBLOCK) {
            Err(Errno::LOOP | Errno::NXIO) => return Ok(None),
            opened => File::from(opened?),
        };
        if !file_kind(&file)?.0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(len_max).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// How often a link that turns into something else between two calls is looked at again.
const ATTEMPTS: usize = 3;

pub(super) fn look(folder: BorrowedFd<'_>, name: &[u8], flags: AtFlags) -> io::Result<(EntryKind, Stat)> {
    let mut attempts = ATTEMPTS;
    loop {
        let stat = statat(folder, component(name), flags)?;
        if let Some(kind) = stat::kind(&stat)? {
            return Ok((kind, stat::convert(&stat)));
        }
        let target_len = usize::try_from(stat.st_size).unwrap_or(0).min(4096);
        attempts -= 1;
        match readlinkat(folder, component(name), Vec::with_capacity(target_len + 1)) {
            Err(Errno::INVAL) if attempts > 0 => {}
            target => return Ok((EntryKind::Symlink(target?.into_bytes()), stat::convert(&stat))),
        }
    }
}

/// Gives every name with its kind, where the listing has one. Linux: straight from the kernel, in large pieces.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn list(folder: BorrowedFd<'_>, mut each: impl FnMut(&[u8], FileType)) -> io::Result<()> {
    let mut buffer: Vec<u8> = Vec::with_capacity(LIST_BYTES);
    let mut entries = rustix::fs::RawDir::new(folder, buffer.spare_capacity_mut());
    loop {
        match entries.next() {
            None => return Ok(()),
            Some(Ok(entry)) => each(entry.file_name().to_bytes(), entry.file_type()),
            Some(Err(Errno::INTR)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

/// A name takes at most 280 bytes of it; a call costs more than filling it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LIST_BYTES: usize = 32 << 10;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn list(folder: BorrowedFd<'_>, mut each: impl FnMut(&[u8], FileType)) -> io::Result<()> {
    for entry in rustix::fs::Dir::read_from(folder)? {
        let entry = entry?;
        each(entry.file_name().to_bytes(), entry.file_type());
    }
    Ok(())
}
