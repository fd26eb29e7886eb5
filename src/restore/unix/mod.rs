//! The target on Unix: every step relative to an open folder, no symbolic link followed.

mod folder;
mod metadata;

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Resource, Rlimit};

pub(super) use folder::{Entered, Folder, Mount, Temporary};
pub(super) use metadata::{Applied, apply_to_file, apply_to_folder, apply_to_link, is_root, make_special};

/// Lets this process hold as many files open as the system allows: folders of deep trees, files of many parts.
pub(super) fn raise_open_files() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Where it is refused, deep trees meet the old limit and say so.
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
}

/// Opens a restored file for reading, component by component.
pub(super) fn open_file_below(root: &Path, below: &[u8]) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    if below.is_empty() {
        return Ok(File::from(rustix::fs::open(root, flags, Mode::empty())?));
    }
    let mut folder = rustix::fs::open(root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut names = below.split(|&byte| byte == b'/').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            return Ok(File::from(rustix::fs::openat(&folder, name, flags, Mode::empty())?));
        }
        folder = rustix::fs::openat(&folder, name, flags | OFlags::DIRECTORY, Mode::empty())?;
    }
    Err(io::ErrorKind::NotFound.into())
}
