//! From a finished file in `tmp/` to an object: give it its name, unless something has that name already.
//!
//! `rename` alone would silently replace what is there. One system call that refuses exists, but not on every file
//! system; a second name does the same where links exist; FAT on old systems has neither. There it is looked first,
//! and between the look and the rename another writer may put the same name. Names are hashes, so it is then the same
//! object that replaces itself.

use std::io;

use data_encoding::HEXLOWER;

use super::folders;
use crate::destination::disk::Disk;

/// Random bytes in the name of a file in `tmp/`.
const TEMP_NAME_LEN: usize = 16;

/// A new path in `tmp/` that nobody else uses.
pub(super) fn temp_path() -> io::Result<String> {
    let mut random = [0; TEMP_NAME_LEN];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{}/{}", folders::TEMP, HEXLOWER.encode(&random)))
}

/// Whether a name in `tmp/` is one of ours.
pub(super) fn is_temp_name(name: &str) -> bool {
    HEXLOWER.decode(name.as_bytes()).is_ok_and(|random| random.len() == TEMP_NAME_LEN)
}

/// Moves `temp` to `path`, or fails with [`AlreadyExists`](io::ErrorKind::AlreadyExists) and changes nothing.
pub(super) fn publish(disk: &dyn Disk, temp: &str, path: &str) -> io::Result<()> {
    match disk.rename_new(temp, path) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        done => return done,
    }
    match disk.link(temp, path) {
        Ok(()) => return disk.remove(temp),
        // What file systems without links answer, FAT with the first of these.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::TooManyLinks
            ) => {}
        Err(error) => return Err(error),
    }
    match disk.look(path) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => disk.rename(temp, path),
        Err(error) => Err(error),
    }
}
