//! A destination that is a folder: on this disk, on a stick, on an external disk, on a mounted share.
//!
//! An object is written to `tmp/` under a random name, synced, and renamed to where it belongs; the folder's names
//! are synced by [`Destination::settle`]. What is left in `tmp/` after a crash is nobody's, and only cleaning removes
//! it. Reading, writing and renaming go through [`Disk`]; this file decides what its answers mean.

mod create;
mod folders;
mod mend;
mod open;
mod publish;
mod raw;
#[cfg(test)]
mod tests;
mod touched;

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, EntryKind};
use super::{Destination, DestinationError, DestinationErrorKind, OBJECT_LEN_MAX, Put, Settle, errno};
use crate::format::header::{DestinationMark, HEADER_LEN, RepoHeader};
use crate::format::layout::{ObjectKind, ObjectName};

pub use create::{CreateError, RESERVE_LEN, reserve_bytes};
pub use mend::Proof;
pub use open::{Damage, OpenError};
pub use raw::{RawEntry, RawFolder};

use touched::Touched;

/// A folder that keeps objects.
pub struct LocalDestination {
    disk: Box<dyn Disk>,
    place: String,
    mark: DestinationMark,
    header: RepoHeader,
    /// Folders with names that `settle` has to make durable.
    touched: Mutex<Touched>,
    /// Held while settling, so that no `settle` returns before another one has done its part of the work. Holds the
    /// error of the first one that failed.
    settling: Mutex<Option<DestinationError>>,
    weak: AtomicBool,
}

impl LocalDestination {
    fn new(disk: Box<dyn Disk>, place: &str, mark: DestinationMark, header: RepoHeader) -> Self {
        Self {
            disk,
            place: place.to_owned(),
            mark,
            header,
            touched: Mutex::default(),
            settling: Mutex::default(),
            weak: AtomicBool::new(false),
        }
    }

    /// Which destination of which repository this is, as `dest.id` said when it was opened.
    pub fn mark(&self) -> DestinationMark {
        self.mark
    }

    /// The repository header, as it was when this was opened.
    pub fn header(&self) -> RepoHeader {
        self.header
    }

    /// What an error means, for anything but reading one object.
    fn failed(&self, what: impl Into<String>, error: &io::Error) -> DestinationError {
        if error.kind() != io::ErrorKind::NotFound {
            return DestinationError::from_io(what, &self.place, error);
        }
        // All folders were there when this was opened: one of them is missing, or all of them with the root.
        match self.disk.is_in_place() {
            Ok(true) => self.damaged(what, "a folder that belongs to the destination is missing"),
            Ok(false) => self.offline(what, "the folder is no longer where it was"),
            Err(error) => DestinationError::from_io(what, &self.place, &error),
        }
    }

    /// What an error in listing a folder means.
    fn failed_list(&self, folder: &str, error: &io::Error) -> DestinationError {
        let what = format!("list {folder}");
        self.bad_sector(&what, error).unwrap_or_else(|| self.failed(what, error))
    }

    /// What an error in reading one object means.
    fn failed_read(&self, path: &str, error: &io::Error) -> DestinationError {
        let what = format!("read {path}");
        if let Some(damage) = self.bad_sector(&what, error) {
            return damage;
        }
        if error.kind() == io::ErrorKind::NotFound && !matches!(self.disk.is_in_place(), Ok(true)) {
            return self.offline(what, "the folder is no longer where it was");
        }
        DestinationError::from_io(what, &self.place, error)
    }

    /// A bad sector must not pass for a destination that is gone: nobody would heal it. So where the medium failed,
    /// `dest.id` is asked for too.
    fn bad_sector(&self, what: &str, error: &io::Error) -> Option<DestinationError> {
        let is_one = errno::is_medium_error(error) && self.mark_on_medium().is_ok();
        is_one.then(|| self.damaged(what, &error.to_string()))
    }

    fn damaged(&self, what: impl Into<String>, reason: &str) -> DestinationError {
        DestinationError::new(DestinationErrorKind::Damaged, what, &self.place, reason)
    }

    fn offline(&self, what: impl Into<String>, reason: &str) -> DestinationError {
        DestinationError::new(DestinationErrorKind::Offline, what, &self.place, reason)
    }

    fn mark_on_medium(&self) -> io::Result<Vec<u8>> {
        let path = ObjectName::DestinationMark.path();
        self.disk.read_medium(&path, HEADER_LEN as u64)
    }

    fn touch(&self, path: &str) {
        lock(&self.touched).folder(folders::parent(path));
    }

    /// Writes an object with `publish`, which gives it its name, and notes that name for `settle`.
    fn write(
        &self,
        path: &str,
        bytes: &[u8],
        publish: impl FnOnce(&dyn Disk, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        // Before, so that a sync that fails in another thread right after the name was given knows of it; and after,
        // because that thread may have synced the folder right before.
        lock(&self.touched).name(path);
        self.write_untouched(path, bytes, publish)?;
        lock(&self.touched).name(path);
        Ok(())
    }

    /// Writes `bytes` to a file in `tmp/`, durably, and gives `publish` its path to move it from there. Whatever
    /// fails, the file is gone afterwards, as far as the disk lets it be removed.
    fn write_untouched(
        &self,
        path: &str,
        bytes: &[u8],
        publish: impl FnOnce(&dyn Disk, &str) -> io::Result<()>,
    ) -> io::Result<()> {
        if bytes.len() as u64 > OBJECT_LEN_MAX {
            return Err(io::Error::other(format!("{path} would be larger than any object may be")));
        }
        let temp = publish::temp_path()?;
        let mut written = self.disk.write_new(&temp, bytes);
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            // Somebody tidied `tmp` away. Nothing of value is ever in there, so it is simply made again.
            match self.disk.make_folder(folders::TEMP) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            written = self.disk.write_new(&temp, bytes);
        }
        written.and_then(|()| publish(self.disk.as_ref(), &temp)).inspect_err(|_| {
            // The first error is the one to report; what stays is removed by cleaning.
            let _ = self.disk.remove(&temp);
        })
    }

    /// Whether the object that is there is the one that was to be put.
    fn compare(&self, path: &str, bytes: &[u8]) -> Result<Put, DestinationError> {
        let what = || format!("write {path}");
        let failed = |error: io::Error| match self.failed_read(path, &error) {
            error if error.kind == DestinationErrorKind::Absent => DestinationError {
                kind: DestinationErrorKind::Transient,
                reason: "it was deleted while it was compared".to_owned(),
                ..error
            },
            error => error,
        };
        let found = self.disk.look(path).map_err(failed)?;
        if found.kind != EntryKind::File {
            return Err(self.damaged(what(), "something that is not a file has its name"));
        }
        if found.len != bytes.len() as u64 {
            let reason = format!("it is there with {} bytes instead of {}", found.len, bytes.len());
            return Err(self.damaged(what(), &reason));
        }
        let there = self.disk.read(path, None, OBJECT_LEN_MAX).map_err(failed)?;
        if there != bytes {
            return Err(self.damaged(what(), "it is there with other bytes"));
        }
        // Whoever put it may not have settled it.
        self.touch(path);
        Ok(Put::Present)
    }

    /// Takes up what came here by other means than `put`: who copied the folder may not have waited for the disk, nor
    /// copied folders with nothing in them. Gives how many folders were missing and are made.
    ///
    /// # Errors
    /// [`DestinationErrorKind`] as for `put` and `settle`. What cannot be made durable is not made.
    pub fn settle_what_was_copied(&self) -> Result<usize, DestinationError> {
        let mut made = Vec::new();
        let settled = self.make_folders(&mut made).and_then(|()| {
            self.disk.sync_everything().map_err(|error| self.failed("sync the file system", &error))?;
            self.settle(Settle::Everything)
        });
        settled.inspect_err(|_| self.take_back_folders(&made))?;
        Ok(made.len())
    }

    /// Syncs folders, up to the first one where that fails: what was put there since is then written anew.
    fn sync_folders(
        &self,
        folders: impl IntoIterator<Item = String>,
        touched: &Touched,
    ) -> Result<(), DestinationError> {
        for folder in folders {
            match self.disk.sync_folder(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Unsupported => self.weak.store(true, Ordering::Relaxed),
                Err(error) => {
                    let failed = self.failed(format!("sync the folder ./{folder}"), &error);
                    return Err(self.write_anew(&folder, touched, failed));
                }
            }
        }
        Ok(())
    }
}

impl Destination for LocalDestination {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn put(&self, name: &ObjectName, bytes: &[u8]) -> Result<Put, DestinationError> {
        let path = name.path();
        match self.disk.look(&path) {
            Ok(_) => return self.compare(&path, bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.failed(format!("write {path}"), &error)),
        }
        match self.write(&path, bytes, |disk, temp| publish::publish(disk, temp, &path)) {
            Ok(()) => Ok(Put::Written),
            // Someone else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.compare(&path, bytes),
            Err(error) => Err(self.failed(format!("write {path}"), &error)),
        }
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), DestinationError> {
        let path = name.path();
        self.write(&path, bytes, |disk, temp| disk.rename(temp, &path))
            .map_err(|error| self.failed(format!("replace {path}"), &error))
    }

    fn get(&self, name: &ObjectName, range: Option<Range<u64>>) -> Result<Vec<u8>, DestinationError> {
        let path = name.path();
        self.disk.read(&path, range, OBJECT_LEN_MAX).map_err(|error| self.failed_read(&path, &error))
    }

    fn list(
        &self,
        kind: ObjectKind,
        prefix: Option<u8>,
        each: &mut dyn FnMut(ObjectName, u64),
    ) -> Result<(), DestinationError> {
        let wanted =
            |name: &ObjectName| prefix.is_none_or(|first| name.hash().is_some_and(|hash| hash.as_bytes()[0] == first));
        for folder in folders::of_kind(kind, prefix) {
            let entries = self.disk.list(&folder).map_err(|error| self.failed_list(&folder, &error))?;
            let mut objects: Vec<(ObjectName, u64)> = entries
                .iter()
                .filter(|entry| entry.kind == EntryKind::File)
                .filter_map(|entry| Some((ObjectName::parse(&format!("{folder}/{}", entry.name))?, entry.len)))
                .filter(|(name, _)| wanted(name))
                .collect();
            objects.sort_unstable();
            objects.into_iter().for_each(|(name, len)| each(name, len));
        }
        Ok(())
    }

    fn delete(&self, name: &ObjectName) -> Result<(), DestinationError> {
        let path = name.path();
        match self.disk.remove(&path) {
            Ok(()) => {
                self.touch(&path);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.failed(format!("delete {path}"), &error)),
        }
    }

    fn discard_unfinished(&self) -> Result<u64, DestinationError> {
        let left = match self.disk.list(folders::TEMP) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            left => left.map_err(|error| self.failed("list tmp", &error))?,
        };
        let mut bytes = 0;
        for entry in left.iter().filter(|entry| publish::is_temp_name(&entry.name)) {
            let path = format!("{}/{}", folders::TEMP, entry.name);
            match self.disk.remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(self.failed(format!("delete {path}"), &error));
                }
                _ => bytes += entry.len,
            }
        }
        Ok(bytes)
    }

    fn settle(&self, scope: Settle) -> Result<(), DestinationError> {
        let mut lost = lock(&self.settling);
        if let Some(error) = lost.as_ref() {
            return Err(error.clone());
        }
        let touched = std::mem::take(&mut *lock(&self.touched));
        match scope {
            Settle::Touched => self.sync_folders(touched.folders(), &touched),
            Settle::Everything => self.sync_folders(folders::all(), &touched),
        }
        .inspect_err(|error| *lost = Some(error.clone()))
    }

    fn check_place(&self) -> Result<(), DestinationError> {
        let what = "find the destination";
        match self.disk.is_in_place() {
            Ok(true) => {}
            Ok(false) => return Err(self.offline(what, "its path no longer leads to the folder that was opened")),
            Err(error) => return Err(self.offline(what, &error.to_string())),
        }
        match self.mark_on_medium() {
            Ok(stored) if stored == self.mark.encode() => Ok(()),
            Ok(_) => Err(self.offline(what, "dest.id is no longer what it was when it was opened")),
            Err(error) => Err(self.offline(what, &format!("dest.id cannot be read: {error}"))),
        }
    }

    fn free_bytes(&self) -> Result<Option<u64>, DestinationError> {
        self.disk.free_bytes().map(Some).map_err(|error| self.failed("measure the free space", &error))
    }

    fn check_writable(&self) -> Result<(), DestinationError> {
        self.disk.may_write().map_err(|error| self.failed("write to the destination", &error))
    }

    fn is_weak(&self) -> bool {
        self.weak.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for LocalDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalDestination").field("place", &self.place).field("mark", &self.mark).finish_non_exhaustive()
    }
}

/// A thread that panicked while it held one of our locks left nothing half-done: the locks guard single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
