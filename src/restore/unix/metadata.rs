//! Mode, owner, attributes and times on Unix, in the order in which one does not undo another: owner, mode,
//! attributes (with ACLs), times.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::Folder;
use crate::format::tree::{Attribute, Metadata, NodeKind};

/// What could not be set, as phrases; empty where all was.
pub(in crate::restore) type Applied = Vec<String>;

/// No more of them than this: who has none of a thousand attributes need not read all their names.
const PHRASES_MAX: usize = 16;

/// Sets everything about an open file.
pub(in crate::restore) fn apply_to_file(file: &File, metadata: &Metadata) -> Applied {
    apply(file.as_fd(), metadata)
}

/// Sets everything about an open folder.
pub(in crate::restore) fn apply_to_folder(folder: &Folder, metadata: &Metadata) -> Applied {
    apply(folder.fd().as_fd(), metadata)
}

fn apply(fd: BorrowedFd<'_>, metadata: &Metadata) -> Applied {
    let mut failed = Vec::new();
    let mut mode = metadata.mode;
    if is_root() {
        let chowned = owner(metadata).and_then(|(uid, gid)| rustix::fs::fchown(fd, Some(uid), Some(gid)));
        if let Err(error) = chowned {
            failed.push(format!("its owner ({error})"));
            mode &= 0o1777;
        }
    } else {
        // Someone else's set-user bit must not become one of ours. The group can be set where we belong to it.
        let group = owner(metadata).and_then(|(_, gid)| rustix::fs::fchown(fd, None, Some(gid)));
        let is_ours = rustix::process::geteuid().as_raw() == metadata.uid;
        if group.is_err() || !is_ours {
            mode &= 0o1777;
        }
    }
    if let Err(error) = rustix::fs::fchmod(fd, Mode::from_raw_mode(mode)) {
        failed.push(format!("its permissions ({error})"));
    }
    for attribute in &metadata.attributes {
        let result = rustix::fs::fsetxattr(fd, attribute.name.as_slice(), &attribute.value, XattrFlags::empty());
        note_attribute(&mut failed, attribute, result);
    }
    if let Err(error) = rustix::fs::futimens(fd, &times(metadata)) {
        failed.push(format!("its time ({error})"));
    }
    failed
}

/// Sets what a symbolic link itself can have.
pub(in crate::restore) fn apply_to_link(folder: &Folder, name: &[u8], metadata: &Metadata) -> Applied {
    let mut failed = Vec::new();
    let fd = folder.fd();
    if is_root() {
        let chowned = owner(metadata)
            .and_then(|(uid, gid)| rustix::fs::chownat(fd, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW));
        if let Err(error) = chowned {
            failed.push(format!("its owner ({error})"));
        }
    }
    // There is no call for attributes of a link relative to a folder; the folder's own entry under /proc is as good.
    let path = [format!("/proc/self/fd/{}/", fd.as_raw_fd()).as_bytes(), name].concat();
    for attribute in &metadata.attributes {
        let result =
            rustix::fs::lsetxattr(path.as_slice(), attribute.name.as_slice(), &attribute.value, XattrFlags::empty());
        note_attribute(&mut failed, attribute, result);
    }
    if let Err(error) = rustix::fs::utimensat(fd, name, &times(metadata), AtFlags::SYMLINK_NOFOLLOW) {
        failed.push(format!("its time ({error})"));
    }
    failed
}

/// Makes a pipe or a device and sets everything about it.
pub(in crate::restore) fn make_special(
    folder: &Folder,
    name: &[u8],
    kind: &NodeKind,
    metadata: &Metadata,
) -> io::Result<Applied> {
    let (file_type, device) = match kind {
        NodeKind::CharDevice(major, minor) => (FileType::CharacterDevice, rustix::fs::makedev(*major, *minor)),
        NodeKind::BlockDevice(major, minor) => (FileType::BlockDevice, rustix::fs::makedev(*major, *minor)),
        _ => (FileType::Fifo, 0),
    };
    rustix::fs::mknodat(folder.fd(), name, file_type, Mode::RUSR | Mode::WUSR, device)?;
    let mut failed = apply_to_link(folder, name, metadata);
    if let Err(error) = set_mode(folder, name, metadata) {
        failed.push(format!("its permissions ({error})"));
    }
    if let Err(error) = rustix::fs::utimensat(folder.fd(), name, &times(metadata), AtFlags::SYMLINK_NOFOLLOW) {
        failed.push(format!("its time ({error})"));
    }
    Ok(failed)
}

/// Sets the mode of what is at a name, and of nothing it may link to by now.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn set_mode(folder: &Folder, name: &[u8], metadata: &Metadata) -> Result<(), Errno> {
    // The call with flags is not in every kernel; the descriptor's own entry under /proc is as good.
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = rustix::fs::openat(folder.fd(), name, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode) == FileType::Symlink {
        return Err(Errno::LOOP);
    }
    let path = format!("/proc/self/fd/{}", found.as_raw_fd());
    rustix::fs::chmod(path, Mode::from_raw_mode(metadata.mode))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn set_mode(folder: &Folder, name: &[u8], metadata: &Metadata) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(metadata.mode);
    rustix::fs::chmodat(folder.fd(), name, mode, AtFlags::SYMLINK_NOFOLLOW)
}

fn note_attribute(failed: &mut Vec<String>, attribute: &Attribute, result: Result<(), Errno>) {
    if let Err(error) = result
        && failed.len() < PHRASES_MAX
    {
        failed.push(format!("the attribute {} ({error})", String::from_utf8_lossy(&attribute.name)));
    }
}

/// The owner and group, unless they have the number that means no one in all calls.
fn owner(metadata: &Metadata) -> Result<(Uid, Gid), Errno> {
    if metadata.uid == u32::MAX || metadata.gid == u32::MAX {
        return Err(Errno::INVAL);
    }
    Ok((Uid::from_raw(metadata.uid), Gid::from_raw(metadata.gid)))
}

fn times(metadata: &Metadata) -> Timestamps {
    let time = Timespec { tv_sec: metadata.mtime.seconds, tv_nsec: metadata.mtime.nanos.into() };
    Timestamps { last_access: time, last_modification: time }
}

/// Whether owners can be set.
pub(in crate::restore) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
