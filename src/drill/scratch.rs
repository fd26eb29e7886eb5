//! The private place to which a drill restores. It is gone when the drill ends, and with the next one where a drill was
//! killed: a lock beside it tells whose it is, and the system lets go of the locks of the dead.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

const PREFIX: &str = "drill-";
const LOCK: &str = ".lock";
/// Names that are tried.
const ATTEMPTS: u32 = 1_000;

/// A folder that nobody else uses.
pub(super) struct Scratch {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
    number: u64,
}

impl Scratch {
    /// A new one in `folder`, which must be there. What others left that are no more is removed.
    pub(super) fn new(folder: &Path) -> Result<Self, Error> {
        sweep(folder).map_err(|source| failed("clean up", folder, source))?;
        for number in 0..ATTEMPTS {
            let name = format!("{PREFIX}{}-{number}", std::process::id());
            let (path, lock_path) = (folder.join(&name), folder.join(format!("{name}{LOCK}")));
            // The lock first: a folder without one is nobody's.
            let lock = match File::options().write(true).create_new(true).open(&lock_path) {
                Ok(lock) => lock,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(source) => return Err(failed("create", &lock_path, source)),
            };
            // Another one may have taken it for a dead one's in between.
            if lock.try_lock().is_err() || !lock_path.exists() {
                continue;
            }
            let scratch = Self { path, lock_path, _lock: lock, number: 0 };
            make_private(&scratch.path).map_err(|source| failed("create", &scratch.path, source))?;
            return Ok(scratch);
        }
        Err(failed("create a folder in", folder, io::ErrorKind::AlreadyExists.into()))
    }

    /// An empty folder in it.
    pub(super) fn portion(&mut self) -> Result<PathBuf, Error> {
        self.number += 1;
        let path = self.path.join(self.number.to_string());
        make_private(&path).map_err(|source| failed("create", &path, source))?;
        Ok(path)
    }

    /// Removes such a folder with everything in it.
    pub(super) fn remove(&self, portion: &Path) -> Result<(), Error> {
        fs::remove_dir_all(portion).map_err(|source| failed("remove", portion, source))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next one. The lock goes last.
        if fs::remove_dir_all(&self.path).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Removes what drills left that are no more.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let lock_path = entry?.path();
        let name = lock_path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(LOCK));
        let Some(name) = name.filter(|name| name.starts_with(PREFIX)) else { continue };
        let lock = match File::options().write(true).open(&lock_path) {
            Ok(lock) => lock,
            // It ended just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => continue,
            Err(TryLockError::Error(error)) => return Err(error),
        }
        match fs::remove_dir_all(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::remove_file(&lock_path)?,
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().create(path)
}

fn failed(what: &str, path: &Path, source: io::Error) -> Error {
    Error::Io { what: what.to_owned(), path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("listed");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_dead_one_left_is_removed_and_what_a_living_one_uses_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        fs::write(folder.join("drill-1-0.lock"), b"").expect("written");
        fs::create_dir_all(folder.join("drill-1-0/1")).expect("made");
        fs::write(folder.join("drill-1-0/1/0"), b"secret").expect("written");
        fs::write(folder.join("other.lock"), b"").expect("written");
        let mut first = Scratch::new(folder).expect("a place");
        let portion = first.portion().expect("a portion");
        fs::write(portion.join("0"), b"secret").expect("written");
        let second = Scratch::new(folder).expect("another place");
        assert_eq!(names(folder).len(), 5, "{:?}", names(folder));
        assert!(portion.join("0").exists() && !folder.join("drill-1-0").exists());
        drop(second);
        assert!(portion.join("0").exists());
        first.remove(&portion).expect("removed");
        drop(first);
        assert_eq!(names(folder), ["other.lock"]);
    }
}
