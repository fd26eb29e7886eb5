//! Names that were given since the last sync of their folders, and what becomes of them when that sync fails.
//!
//! The system says once that a folder could not be synced. A later sync of it may succeed though names were lost with the
//! first, and whoever lists the folder meanwhile finds them: the next run, or another machine, would rely on them. So
//! what was put there since the last sync is written anew, under the same names: a new file, with a new entry in the
//! folder, which no failed sync is about. Nothing acknowledged can depend on these objects yet, and at any moment the old
//! or the new file has the name.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::{LocalDestination, folders, lock};
use crate::destination::{DestinationError, OBJECT_LEN_MAX};
use crate::format::layout::ObjectName;

/// Folders with names that are not durable yet, and in each the paths of what was put there.
#[derive(Debug, Default)]
pub(super) struct Touched(BTreeMap<String, BTreeSet<String>>);

impl Touched {
    /// Something in a folder changed that nothing has to be written for again: a name was taken away, or found.
    pub(super) fn folder(&mut self, folder: &str) {
        self.0.entry(folder.to_owned()).or_default();
    }

    /// An object was put at a path.
    pub(super) fn name(&mut self, path: &str) {
        self.0.entry(folders::parent(path).to_owned()).or_default().insert(path.to_owned());
    }

    pub(super) fn folders(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn paths(&self, folder: &str) -> impl Iterator<Item = &String> {
        self.0.get(folder).into_iter().flatten()
    }
}

impl LocalDestination {
    /// After a failed sync of a folder: writes anew what was put there since the last one. Gives the error back, and adds
    /// to it where that cannot be done.
    pub(super) fn write_anew(&self, folder: &str, touched: &Touched, failed: DestinationError) -> DestinationError {
        // Also what another thread put there while this one was busy.
        let mut paths: BTreeSet<String> = lock(&self.touched).paths(folder).cloned().collect();
        paths.extend(touched.paths(folder).cloned());
        if paths.is_empty() {
            return failed;
        }
        let written = paths.iter().try_for_each(|path| self.write_again(path));
        match written.and_then(|()| self.disk.sync_folder(folder)) {
            Ok(()) => failed,
            Err(error) => {
                let reason = format!("{}; what was put there last may be lost with the power: {error}", failed.reason);
                DestinationError { reason, ..failed }
            }
        }
    }

    fn write_again(&self, path: &str) -> io::Result<()> {
        let bytes = match self.disk.read(path, None, OBJECT_LEN_MAX) {
            Ok(bytes) => bytes,
            // Its name was not given in the end, or it was deleted since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // Damage is not copied: it counts for nobody, and is healed by what has the same name elsewhere.
        match ObjectName::parse(path) {
            Some(name) if name.matches(&bytes) => {
                self.write_untouched(path, &bytes, |disk, temp| disk.rename(temp, path))
            }
            _ => Ok(()),
        }
    }
}
