//! Making a destination out of a folder, with other people's files in it or empty.
//!
//! `dest.id` comes last, so that a creation that was cut short left no destination, and creating again finishes it.
//! For the same reason a folder that holds anything under one of our names is refused before anything is made: what
//! is in there may be somebody's.

use std::io;
use std::path::Path;

use super::{LocalDestination, folders, publish};
use crate::destination::disk::{Disk, DiskEntry, EntryKind, Roots};
use crate::destination::{Destination, DestinationError, DestinationErrorKind, Settle};
use crate::format::FormatError;
use crate::format::header::{DestinationMark, HEADER_LEN, RepoHeader};
use crate::format::layout::ObjectName;

#[cfg(unix)]
use crate::destination::disk::RealRoots;

/// Length of the reserve in bytes.
pub const RESERVE_LEN: usize = 4 << 20;

/// What the reserve holds: bytes that mean nothing and that no file system can store in less room.
pub fn reserve_bytes() -> Vec<u8> {
    let mut bytes = vec![0; RESERVE_LEN];
    blake3::Hasher::new_derive_key("cryptbackup v1 reserve").finalize_xof().fill(&mut bytes);
    bytes
}

/// Why a folder could not be made a destination.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The folder would have to be made, and its parent does not exist: most often a disk that is not plugged in.
    #[error("the folder above {place} does not exist: is the disk plugged in, the share mounted?")]
    ParentMissing {
        /// The path.
        place: String,
    },
    /// The path leads to something that is not a folder.
    #[error("{place} is not a folder")]
    NotAFolder {
        /// The path.
        place: String,
    },
    /// It is one already. Nothing was changed.
    #[error("{place} is a destination already")]
    AlreadyDestination {
        /// The path.
        place: String,
        /// What its `dest.id` says, if it can be read.
        found: Option<DestinationMark>,
    },
    /// Something has a name that a destination needs for itself. Nothing was changed.
    #[error("{place} cannot become a destination: {name} is in the way")]
    InTheWay {
        /// The path.
        place: String,
        /// What is in the way, relative to the path.
        name: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Io(#[from] DestinationError),
}

#[cfg(unix)]
impl LocalDestination {
    /// [`create_at`](Self::create_at), on this machine.
    pub fn create(path: &Path, mark: DestinationMark, header: &RepoHeader) -> Result<Self, CreateError> {
        Self::create_at(&RealRoots, path, mark, header)
    }
}

impl LocalDestination {
    /// Makes `path` a destination and opens it. The folder is made if its parent exists. Everything is durable
    /// afterwards. What a creation that was cut short left is taken over.
    pub fn create_at(
        roots: &dyn Roots,
        path: &Path,
        mark: DestinationMark,
        header: &RepoHeader,
    ) -> Result<Self, CreateError> {
        let place = path.display().to_string();
        let disk = roots.make_root(path).and_then(|()| roots.open_root(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CreateError::ParentMissing { place: place.clone() },
            io::ErrorKind::NotADirectory => CreateError::NotAFolder { place: place.clone() },
            _ => DestinationError::from_io("create the destination", &place, &error).into(),
        })?;
        Self::create_on(disk, &place, mark, header)
    }

    /// [`create`](Self::create), on any disk; `place` is what the root is called.
    pub fn create_on(
        disk: Box<dyn Disk>,
        place: &str,
        mark: DestinationMark,
        header: &RepoHeader,
    ) -> Result<Self, CreateError> {
        let site = Site { disk: disk.as_ref(), place };
        site.refuse_destination()?;
        site.refuse_strangers_in_folders()?;
        let objects = [(ObjectName::Reserve, reserve_bytes()), (ObjectName::Header, header.encode())];
        for (name, bytes) in &objects {
            site.refuse_stranger(*name, bytes)?;
        }

        let made = Self::new(disk, place, mark, *header);
        let mut folders = Vec::new();
        match made.fill(&objects, &mut folders) {
            Ok(()) => Ok(made),
            Err(error) => {
                made.take_back(&folders);
                Err(error.into())
            }
        }
    }

    /// Makes everything that a destination has from the start, durably. The folders that it made are in `folders`,
    /// whatever happens.
    fn fill(&self, objects: &[(ObjectName, Vec<u8>)], folders: &mut Vec<String>) -> Result<(), DestinationError> {
        self.make_folders(folders)?;
        for (name, bytes) in objects {
            self.put_over_nothing(*name, bytes)?;
        }
        self.settle(Settle::Everything)?;
        self.put_over_nothing(ObjectName::DestinationMark, &self.mark.encode())?;
        self.settle(Settle::Touched)
    }

    /// Removes what a creation that failed has made, as far as the disk lets it be removed. Where the names in a folder
    /// could not be synced they may be lost, and the system says so once: whoever creates again must make new ones.
    fn take_back(&self, folders: &[String]) {
        match self.disk.read(&ObjectName::DestinationMark.path(), None, HEADER_LEN as u64) {
            Ok(stored) if stored == self.mark.encode() => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Somebody else made it a destination meanwhile.
            _ => return,
        }
        // First the mark, durably: a power cut must not leave a marked destination that lacks something.
        let unmarked = match self.disk.remove(&ObjectName::DestinationMark.path()) {
            Ok(()) => self.disk.sync_folder(""),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            failed => failed,
        };
        if unmarked.is_err_and(|error| error.kind() != io::ErrorKind::Unsupported) {
            // Before the mark was put everything else was durable: what is there is a destination, or will be one.
            return;
        }
        for name in [ObjectName::Header, ObjectName::Reserve] {
            let _ = self.disk.remove(&name.path());
        }
        self.take_back_folders(folders);
    }

    /// Removes folders, those that have something in them excepted, as far as the disk lets them be removed.
    pub(super) fn take_back_folders(&self, folders: &[String]) {
        for folder in folders.iter().rev() {
            let _ = self.disk.remove_folder(folder);
        }
    }

    /// Makes the folders that are missing, and names them in `made`, whatever happens.
    pub(super) fn make_folders(&self, made: &mut Vec<String>) -> Result<(), DestinationError> {
        for folder in folders::all().skip(1).chain([folders::TEMP.to_owned()]) {
            match self.disk.make_folder(&folder) {
                Ok(()) => made.push(folder),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(self.failed(format!("make the folder {folder}"), &error)),
            }
        }
        Ok(())
    }

    /// `put`, but an empty file counts as nothing: on FAT that is what a power cut leaves of a new name.
    fn put_over_nothing(&self, name: ObjectName, bytes: &[u8]) -> Result<(), DestinationError> {
        match self.disk.look(&name.path()) {
            Ok(entry) if entry.kind == EntryKind::File && entry.len == 0 => self.replace(&name, bytes),
            _ => self.put(&name, bytes).map(|_| ()),
        }
    }
}

/// A folder that may become a destination.
struct Site<'a> {
    disk: &'a dyn Disk,
    place: &'a str,
}

impl Site<'_> {
    fn refuse_destination(&self) -> Result<(), CreateError> {
        let name = ObjectName::DestinationMark;
        if self.is_free(name)? {
            return Ok(());
        }
        let found = match self.disk.read(&name.path(), None, HEADER_LEN as u64) {
            Ok(stored) => match DestinationMark::decode(&stored) {
                Ok(mark) => Some(mark),
                Err(FormatError::Unsupported { .. }) | Err(_) => None,
            },
            Err(error) if DestinationErrorKind::of(&error) == DestinationErrorKind::Damaged => None,
            Err(error) => return Err(self.failed("read", &name.path(), &error)),
        };
        Err(CreateError::AlreadyDestination { place: self.place.to_owned(), found })
    }

    /// Refuses an object that is there and is not what will be put.
    fn refuse_stranger(&self, name: ObjectName, bytes: &[u8]) -> Result<(), CreateError> {
        if self.is_free(name)? {
            return Ok(());
        }
        match self.disk.read(&name.path(), None, bytes.len() as u64) {
            Ok(stored) if stored == bytes => Ok(()),
            Err(error) if DestinationErrorKind::of(&error) != DestinationErrorKind::Damaged => {
                Err(self.failed("read", &name.path(), &error))
            }
            _ => Err(self.in_the_way(name.path())),
        }
    }

    /// Whether nothing has this name, or only the empty file that a power cut leaves on FAT.
    fn is_free(&self, name: ObjectName) -> Result<bool, CreateError> {
        match self.disk.look(&name.path()) {
            Ok(entry) => Ok(entry.kind == EntryKind::File && entry.len == 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(self.failed("look at", &name.path(), &error)),
        }
    }

    /// Our folders may exist, but with nothing in them except our other folders and what we left in `tmp`.
    fn refuse_strangers_in_folders(&self) -> Result<(), CreateError> {
        let ours: Vec<String> = folders::all().skip(1).collect();
        let is_ours = |folder: &str, entry: &DiskEntry| {
            let path = format!("{folder}/{}", entry.name);
            match entry.kind {
                EntryKind::Folder => ours.contains(&path),
                EntryKind::File => folder == folders::TEMP && publish::is_temp_name(&entry.name),
                EntryKind::Other => false,
            }
        };
        for folder in ours.iter().map(String::as_str).chain([folders::TEMP]) {
            let entries = match self.disk.list(folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                    return Err(self.in_the_way(folder.to_owned()));
                }
                Err(error) => return Err(self.failed("list", folder, &error)),
            };
            if let Some(stranger) = entries.iter().find(|entry| !is_ours(folder, entry)) {
                return Err(self.in_the_way(format!("{folder}/{}", stranger.name)));
            }
        }
        Ok(())
    }

    fn in_the_way(&self, name: String) -> CreateError {
        CreateError::InTheWay { place: self.place.to_owned(), name }
    }

    fn failed(&self, verb: &str, path: &str, error: &io::Error) -> CreateError {
        DestinationError::from_io(format!("{verb} {path}"), self.place, error).into()
    }
}
