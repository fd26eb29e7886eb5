//! Opening a destination: telling the right folder from a wrong one, an empty one, and a damaged one.
//!
//! Nothing is ever created here. A mount point without its disk is an empty folder, and a backup written into it would
//! look like a success.

use std::io;
use std::path::Path;

use super::{LocalDestination, folders};
use crate::destination::disk::{Disk, EntryKind, Roots};
use crate::destination::{DestinationError, DestinationErrorKind, errno};
use crate::format::FormatError;
use crate::format::header::{DestinationMark, HEADER_LEN, RepoHeader};
use crate::format::layout::{ObjectKind, ObjectName};

#[cfg(unix)]
use crate::destination::disk::RealRoots;

/// Why a path could not be opened as the destination that was expected.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing is at the path: most often a disk that is not plugged in.
    #[error("{place} does not exist: is the disk plugged in, the share mounted?")]
    NotFound {
        /// The path.
        place: String,
    },
    /// Something is there, but no destination: most often the empty mount point of a disk that is not plugged in.
    #[error("{place} is not a destination: is the disk plugged in, the share mounted?")]
    NotADestination {
        /// The path.
        place: String,
    },
    /// A destination of the repository, but another one.
    #[error("{place} is another destination of this repository")]
    WrongDevice {
        /// The path.
        place: String,
        /// What its `dest.id` says.
        found: DestinationMark,
    },
    /// A destination of another repository.
    #[error("{place} belongs to another repository, {}", found.repo)]
    WrongRepo {
        /// The path.
        place: String,
        /// What its `dest.id` says.
        found: DestinationMark,
    },
    /// `dest.id` or `cryptbackup.repo` is damaged. [`LocalDestination::mend`] writes it again.
    #[error(transparent)]
    Damaged(Box<Damage>),
    /// Written by a newer program: not damage.
    #[error("{object} on {place} cannot be used: {reason}")]
    Unsupported {
        /// The path.
        place: String,
        /// Which object says so.
        object: ObjectName,
        /// What is not known here.
        reason: FormatError,
    },
    /// This user may not read it.
    #[error("{place} cannot be opened: {reason}")]
    Denied {
        /// The path.
        place: String,
        /// What was denied.
        reason: String,
    },
    /// It did not answer as a disk should.
    #[error(transparent)]
    Io(#[from] DestinationError),
}

/// One of the two objects that say what a folder is is missing or unreadable, while the other one or other objects
/// are there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object} is damaged on {place}: {reason}")]
pub struct Damage {
    /// The path.
    pub place: String,
    /// Which of the two.
    pub object: ObjectName,
    /// What is wrong with it.
    pub reason: String,
    /// What `dest.id` says, if it can be read.
    pub mark: Option<DestinationMark>,
    /// What `cryptbackup.repo` says, if it can be read.
    pub header: Option<RepoHeader>,
}

pub(super) const OTHER_REPO: &str = "it names another repository than dest.id";

#[cfg(unix)]
impl LocalDestination {
    /// [`open_at`](Self::open_at), on this machine.
    pub fn open(path: &Path, expected: Option<&DestinationMark>) -> Result<Self, OpenError> {
        Self::open_at(&RealRoots, path, expected)
    }
}

/// Opens a root for opening or mending.
pub(super) fn open_root(roots: &dyn Roots, path: &Path, place: &str) -> Result<Box<dyn Disk>, OpenError> {
    roots.open_root(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::NotFound { place: place.to_owned() },
        io::ErrorKind::NotADirectory => OpenError::NotADestination { place: place.to_owned() },
        io::ErrorKind::PermissionDenied => OpenError::Denied { place: place.to_owned(), reason: error.to_string() },
        _ => DestinationError::from_io("open the destination", place, &error).into(),
    })
}

impl LocalDestination {
    /// Opens the destination at `path`, and checks that it is the expected one. Changes nothing.
    pub fn open_at(roots: &dyn Roots, path: &Path, expected: Option<&DestinationMark>) -> Result<Self, OpenError> {
        let place = path.display().to_string();
        let disk = open_root(roots, path, &place)?;
        Self::open_on(disk, &place, expected)
    }

    /// [`open_at`](Self::open_at), on any disk; `place` is what the root is called.
    pub fn open_on(disk: Box<dyn Disk>, place: &str, expected: Option<&DestinationMark>) -> Result<Self, OpenError> {
        let found = Identity::read(disk.as_ref(), place)?;
        let mark = found.expect_mark(disk.as_ref(), place, expected)?;
        let header = match &found.header {
            Ok(header) if header.repo == mark.repo => *header,
            Ok(_) => return Err(found.damaged(place, ObjectName::Header, OTHER_REPO)),
            Err(reason) => return Err(found.damaged(place, ObjectName::Header, reason)),
        };
        Ok(Self::new(disk, place, mark, header))
    }
}

/// What a folder says it is: for each of the two objects what it holds, or why that cannot be known.
pub(super) struct Identity {
    pub(super) mark: Result<DestinationMark, String>,
    pub(super) header: Result<RepoHeader, String>,
    /// Neither damaged nor there.
    pub(super) mark_is_absent: bool,
}

impl Identity {
    /// Reads both. Fails only where the disk fails, or where a newer program was here.
    pub(super) fn read(disk: &dyn Disk, place: &str) -> Result<Self, OpenError> {
        let names = [ObjectName::DestinationMark, ObjectName::Header];
        let reads = names.map(|name| disk.read(&name.path(), None, HEADER_LEN as u64));
        // A medium that fails for one of the two only is damaged; one that fails for both is gone.
        let answers = reads.iter().any(|read| !read.as_ref().is_err_and(errno::is_medium_error));
        let [mark, header] = reads;
        let mark_is_absent = mark.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        Ok(Self {
            mark: decoded(place, names[0], readable(place, names[0], mark, answers)?, DestinationMark::decode)?,
            header: decoded(place, names[1], readable(place, names[1], header, answers)?, RepoHeader::decode)?,
            mark_is_absent,
        })
    }

    /// The mark, if it can be read and is the expected one.
    pub(super) fn expect_mark(
        &self,
        disk: &dyn Disk,
        place: &str,
        expected: Option<&DestinationMark>,
    ) -> Result<DestinationMark, OpenError> {
        let place_of = || place.to_owned();
        match (&self.mark, expected) {
            (Ok(found), Some(expected)) if found.repo != expected.repo => {
                Err(OpenError::WrongRepo { place: place_of(), found: *found })
            }
            (Ok(found), Some(expected)) if found != expected => {
                Err(OpenError::WrongDevice { place: place_of(), found: *found })
            }
            (Ok(found), _) => Ok(*found),
            // Without a mark and without objects it is nothing, or a destination whose creation was cut short.
            (Err(_), _) if self.mark_is_absent && first_object(disk, place)?.is_none() => {
                Err(OpenError::NotADestination { place: place_of() })
            }
            (Err(reason), _) => Err(self.damaged(place, ObjectName::DestinationMark, reason)),
        }
    }

    pub(super) fn damaged(&self, place: &str, object: ObjectName, reason: &str) -> OpenError {
        OpenError::Damaged(Box::new(Damage {
            place: place.to_owned(),
            object,
            reason: reason.to_owned(),
            mark: self.mark.as_ref().ok().copied(),
            header: self.header.as_ref().ok().copied(),
        }))
    }
}

/// Sorts what reading one of the two gave: bytes or a kind of damage; or an error, where it says nothing about them.
fn readable(
    place: &str,
    object: ObjectName,
    read: io::Result<Vec<u8>>,
    medium_answers: bool,
) -> Result<Result<Vec<u8>, String>, OpenError> {
    let error = match read {
        Ok(stored) => return Ok(Ok(stored)),
        Err(error) => error,
    };
    match DestinationErrorKind::of(&error) {
        DestinationErrorKind::Absent => Ok(Err("it is missing".to_owned())),
        DestinationErrorKind::Damaged => Ok(Err(error.to_string())),
        _ if errno::is_medium_error(&error) && medium_answers => Ok(Err(error.to_string())),
        DestinationErrorKind::Denied => {
            Err(OpenError::Denied { place: place.to_owned(), reason: format!("{object}: {error}") })
        }
        _ => Err(DestinationError::from_io(format!("read {object}"), place, &error).into()),
    }
}

fn decoded<T>(
    place: &str,
    object: ObjectName,
    stored: Result<Vec<u8>, String>,
    decode: fn(&[u8]) -> Result<T, FormatError>,
) -> Result<Result<T, String>, OpenError> {
    match stored.map(|stored| decode(&stored)) {
        Ok(Err(reason @ FormatError::Unsupported { .. })) => {
            Err(OpenError::Unsupported { place: place.to_owned(), object, reason })
        }
        Ok(read) => Ok(read.map_err(|error| error.to_string())),
        Err(reason) => Ok(Err(reason)),
    }
}

/// Any object of the kinds that come in numbers. Missing folders hold none.
fn first_object(disk: &dyn Disk, place: &str) -> Result<Option<String>, DestinationError> {
    for folder in ObjectKind::ALL.into_iter().flat_map(|kind| folders::of_kind(kind, None)) {
        let entries = match disk.list(&folder) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(DestinationError::from_io(format!("list {folder}"), place, &error)),
        };
        let paths = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let mut paths = paths.map(|entry| format!("{folder}/{}", entry.name));
        if let Some(path) = paths.find(|path| ObjectName::parse(path).is_some()) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
