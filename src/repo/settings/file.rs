//! Files that hold secrets: read, locked and replaced.
//!
//! A file is replaced by writing beside it, syncing, renaming and syncing the folder, so that neither a crash nor a full
//! disk ever leaves half of it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use self::private as system;
use crate::error::Error;

#[cfg(unix)]
#[path = "file_unix.rs"]
mod private;
#[cfg(not(unix))]
#[path = "file_other.rs"]
mod private;

/// No configuration is longer; what is longer is not one.
const LEN_MAX: u64 = 4 << 20;

/// Reads a file as text; with `strict`, refuses one that others can read.
pub fn read(path: &Path, strict: bool) -> Result<Zeroizing<String>, Error> {
    let failed = |source| io_error("read", path, source);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
    }
    if strict && system::open_to_others(&metadata) {
        return Err(Error::OpenToOthers { path: path.to_owned() });
    }
    // One allocation, so that no copy of the key stays behind where a buffer grew.
    let mut text = Zeroizing::new(String::with_capacity(metadata.len().min(LEN_MAX) as usize + 1));
    file.take(LEN_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LEN_MAX {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is too long to be a configuration")));
    }
    Ok(text)
}

/// Excludes other processes that change the same file, until dropped. Waits for them: they are quick.
pub fn lock(path: &Path) -> Result<File, Error> {
    let beside = path.with_extension("lock");
    let file = system::open_options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&beside)
        .map_err(|source| io_error("open", &beside, source))?;
    file.lock().map_err(|source| io_error("lock", &beside, source))?;
    Ok(file)
}

/// Replaces the content of a file, for the owner's eyes only. A symbolic link is followed, so that it stays one.
///
/// # Errors
/// [`Error::Io`]; the old content is still there then, unless only the sync of the folder failed.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let target = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(io_error("write", path, error)),
    };
    let temporary = beside(&target);
    let written = create_new(&temporary, content)
        .and_then(|()| fs::rename(&temporary, &target).map_err(|source| io_error("replace", &target, source)));
    if written.is_err() {
        // Best effort: what is left is a file for the owner's eyes only, and the error that counts is the first.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    sync_folder(&target)
}

/// Writes a file that must not exist yet, for the owner's eyes only, and syncs it.
///
/// # Errors
/// [`Error::Io`]; nothing is left then.
pub fn create_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    create_new(path, content)?;
    sync_folder(path)
}

fn create_new(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |source| io_error("write", path, source);
    let mut file = system::open_options().write(true).create_new(true).open(path).map_err(failed)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    drop(file);
    written.map_err(|source| {
        let _ = fs::remove_file(path);
        io_error("write", path, source)
    })
}

fn sync_folder(path: &Path) -> Result<(), Error> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    system::sync_folder(parent).map_err(|source| io_error("sync", parent, source))
}

/// A name beside `path` that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn io_error(what: &str, path: &Path, source: io::Error) -> Error {
    Error::Io { what: what.to_owned(), path: path.to_owned(), source }
}
