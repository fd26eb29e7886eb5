//! A destination as a folder of files, whatever is damaged in it: for whoever looks at it without a key.

use std::path::Path;

use super::{LocalDestination, folders, open};
use crate::destination::disk::{Disk, DiskEntry, EntryKind, RealRoots};
use crate::destination::{DestinationError, DestinationErrorKind, OBJECT_LEN_MAX, OpenError};
use crate::format::layout::{ObjectKind, ObjectName};

/// One thing found in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawEntry {
    /// A file with the name of an object, and its size in bytes.
    Object(ObjectName, u64),
    /// Something that has no place in a destination; its path.
    Stranger(String),
    /// A folder that belongs to every destination and is not there.
    MissingFolder(String),
}

/// The folder of a destination, for reading only.
pub struct RawFolder {
    disk: Box<dyn Disk>,
    place: String,
}

impl LocalDestination {
    /// Opens a folder without asking which destination it is, or whether it is one.
    ///
    /// # Errors
    /// [`OpenError::NotFound`] and others that concern the folder itself.
    #[cfg(unix)]
    pub fn open_raw(path: &Path) -> Result<RawFolder, OpenError> {
        let place = path.display().to_string();
        Ok(RawFolder { disk: open::open_root(&RealRoots, path, &place)?, place })
    }
}

impl RawFolder {
    /// Gives everything in it, folder by folder; what cut-off writes left in `tmp/` is passed over.
    ///
    /// # Errors
    /// The first folder that cannot be listed, though it is there.
    pub fn each(&self, each: &mut dyn FnMut(RawEntry)) -> Result<(), DestinationError> {
        let ours: Vec<String> = folders::all().chain([folders::TEMP.to_owned()]).collect();
        for folder in folders::all() {
            let entries = match self.list(&folder)? {
                Some(entries) => entries,
                None => {
                    each(RawEntry::MissingFolder(folder));
                    continue;
                }
            };
            for entry in entries {
                let path = if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
                match (entry.kind, ObjectName::parse(&path)) {
                    (EntryKind::Folder, _) if ours.contains(&path) => {}
                    (EntryKind::File, Some(name)) => each(RawEntry::Object(name, entry.len)),
                    _ => each(RawEntry::Stranger(path)),
                }
            }
        }
        Ok(())
    }

    /// None where there is no such folder.
    fn list(&self, folder: &str) -> Result<Option<Vec<DiskEntry>>, DestinationError> {
        match self.disk.list(folder) {
            Ok(mut entries) => {
                entries.sort_by(|left, right| left.name.cmp(&right.name));
                Ok(Some(entries))
            }
            Err(error) => match DestinationErrorKind::of(&error) {
                DestinationErrorKind::Absent | DestinationErrorKind::Damaged if !folder.is_empty() => Ok(None),
                _ => Err(DestinationError::from_io(format!("list ./{folder}"), &self.place, &error)),
            },
        }
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// [`DestinationErrorKind::Damaged`] and `Absent` concern the object, others the disk.
    pub fn read(&self, name: &ObjectName) -> Result<Vec<u8>, DestinationError> {
        let path = name.path();
        self.disk.read_medium(&path, OBJECT_LEN_MAX).map_err(|error| {
            let failed = DestinationError::from_io(format!("read {path}"), &self.place, &error);
            // A bad sector is not a disk that is gone, as long as the folder can be listed.
            if failed.kind == DestinationErrorKind::Offline && self.disk.list(ObjectKind::Keys.folder()).is_ok() {
                return DestinationError { kind: DestinationErrorKind::Damaged, ..failed };
            }
            failed
        })
    }
}
