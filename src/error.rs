//! What ends a run: every reason the library can give, with the thing and the place in it.
//!
//! The one-line text here is for logs and developers. The sentence, the hint and the exit code a person gets are
//! decided in one place, `cli/hints.rs`.
//!
//! ```
//! use cryptbackup::backup::{self, BackupRequest};
//! use cryptbackup::error::{DestinationErrorKind, Error};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! // The stick is pulled out.
//! drop(repo);
//! std::fs::rename(folder.path().join("stick"), folder.path().join("elsewhere"))?;
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! match backup::run(&mut repo, BackupRequest::default(), &Silent) {
//!     Ok(report) => panic!("it is on {} destinations", report.copies),
//!     Err(Error::NoDestination { tried }) => {
//!         for (name, why) in &tried {
//!             println!("[{name}] {why}");
//!         }
//!         assert_eq!(tried.len(), 1);
//!     }
//!     Err(Error::Destination(error)) if error.kind == DestinationErrorKind::Full => println!("make room: {error}"),
//!     Err(other) => return Err(other.into()),
//! }
//! # Ok(())
//! # }
//! ```

use std::io;
use std::path::PathBuf;

use crate::index::IndexError;
use crate::live::LiveError;
use crate::replicate::ReplicateError;
use crate::spill::SpillError;

// What an error is made of, for who looks into it.
pub use crate::destination::{DestinationError, DestinationErrorKind};
pub use crate::format::FormatError;
pub use crate::seal::SealError;
pub use crate::snapshot::ReadError;
pub use crate::source::SourceError;

/// Why a run could not go on. Trouble with a single entry is a [`Problem`](crate::report::Problem) instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no configuration in the state folder.
    #[error("nothing is set up in {}", home.display())]
    NotInitialised {
        /// The state folder.
        home: PathBuf,
        /// Whether it holds the state of a repository all the same: then `config.yaml` was lost.
        holds_state: bool,
    },
    /// The state folder holds what another program left there; it is never touched.
    #[error("{} belongs to another program: {what}", path.display())]
    ForeignState {
        /// The file that shows it.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// There is a configuration already, or the state of a repository without one, and it was not asked to set it aside.
    #[error("{} is set up already", home.display())]
    AlreadyInitialised {
        /// The state folder.
        home: PathBuf,
        /// Whether `config.yaml` was lost and only the state is there.
        lacks_settings: bool,
    },
    /// `config.yaml`, or a copy of it, cannot be read as one.
    #[error("{}{}: {key}: {detail}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    BrokenSettings {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, where that is known.
        line: Option<usize>,
        /// The dotted name of the key; empty where that is not known.
        key: String,
        /// What is wrong with it, as a sentence without a full stop.
        detail: String,
    },
    /// No key slot opens with the secret that was given.
    #[error("wrong key: {what}")]
    WrongKey {
        /// Which secret, and what it was tried on.
        what: String,
    },
    /// What was named is not among what a command lists.
    #[error("not found: {what}")]
    Unlisted {
        /// What.
        what: String,
        /// The command that lists what there is.
        by: &'static str,
    },
    /// None of the destinations could be used; none are configured when `tried` is empty.
    #[error("no destination can be reached{}", listed(tried))]
    NoDestination {
        /// Name and reason of each.
        tried: Vec<(String, String)>,
    },
    /// A folder that was to be connected to is no destination that can be used.
    #[error("cannot connect to {}: {why}", path.display())]
    NotADestination {
        /// The folder.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Fewer destinations hold the snapshot than `min_copies` asks for.
    #[error("{committed} of at least {wanted} copies were made{}", listed(reasons))]
    TooFewCopies {
        /// How many destinations hold the snapshot.
        committed: usize,
        /// How many should.
        wanted: usize,
        /// Name and reason of each destination that does not.
        reasons: Vec<(String, String)>,
    },
    /// Stored bytes are not what was written.
    #[error("{object} on {place} is damaged: {detail}")]
    Damaged {
        /// Which object.
        object: String,
        /// Where it lies.
        place: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A snapshot, file or version that is not there.
    #[error("not found: {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// A configuration key that does not exist, or a value it cannot have.
    #[error("configuration: {key}: {detail}")]
    Config {
        /// The key, or the file when it cannot be read at all.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// Asked for in a way that cannot be done.
    #[error("{0}")]
    Usage(String),
    /// Another command of the same state folder is writing.
    #[error("another command is writing in {}", home.display())]
    Locked {
        /// The state folder.
        home: PathBuf,
        /// The process that holds the lock, where it could be told.
        holder: Option<u32>,
    },
    /// What was asked for looks like a mistake, and a person has to say that it is none.
    #[error("{0}")]
    Unsure(String),
    /// Another writer of a destination deleted what was to be relied on: the run has to be repeated.
    #[error("another machine cleaned a destination meanwhile, and what this run relied on is gone")]
    Overtaken,
    /// Stopped at the user's wish, at a safe point.
    #[error("interrupted")]
    Interrupted,
    /// A file that holds a key can be read by others.
    #[error("{} can be read by others", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to do.
    #[error("nothing to back up: {0}")]
    NothingToBackUp(String),
    /// Nothing came out of what was to be stored as a stream.
    #[error("nothing came for {}", name.display())]
    NothingCame {
        /// The name it was to get.
        name: PathBuf,
    },
    /// The system refused something.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `write`.
        what: String,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system lets the program have no more threads.
    #[error("no thread can be started: {0}")]
    NoThread(io::Error),
    /// Stored bytes that cannot be understood.
    #[error("{object}: {source}")]
    Format {
        /// Which object.
        object: String,
        /// What is wrong with it.
        source: FormatError,
    },
    /// A destination failed in a way that concerns the whole run.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// A source as a whole cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Something stored cannot be read from any destination within reach.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Something could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The local index cannot be used.
    #[error("the index: {detail}")]
    Index {
        /// What is wrong with it.
        detail: String,
        /// Whether nothing is, but that its disk is full.
        has_no_room: bool,
    },
}

impl Error {
    /// Whether nothing is wrong but that the disk with the index is full.
    pub(crate) fn is_for_want_of_room(&self) -> bool {
        matches!(self, Self::Index { has_no_room: true, .. } | Self::Read(ReadError::Index(IndexError::NoRoom)))
    }
}

fn listed(list: &[(String, String)]) -> String {
    let mut text = String::new();
    for (number, (name, why)) in list.iter().enumerate() {
        text.push_str(if number == 0 { ": " } else { "; " });
        text.push_str(name);
        text.push_str(": ");
        text.push_str(why);
    }
    text
}

impl From<IndexError> for Error {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Spill(error) => error.into(),
            other => Self::Index { detail: other.to_string(), has_no_room: matches!(other, IndexError::NoRoom) },
        }
    }
}

impl From<SpillError> for Error {
    fn from(error: SpillError) -> Self {
        let SpillError { what, path, source } = error;
        Self::Io { what: what.to_owned(), path, source }
    }
}

impl From<LiveError> for Error {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Spill(error) => error.into(),
            LiveError::Read(error) => Self::Read(error),
            LiveError::Index(error) => error.into(),
            LiveError::Interrupted => Self::Interrupted,
        }
    }
}

impl From<ReplicateError> for Error {
    fn from(error: ReplicateError) -> Self {
        match error {
            ReplicateError::Destination(error) => Self::Destination(error),
            ReplicateError::Index(error) => error.into(),
            ReplicateError::Read(error) => Self::Read(error),
            ReplicateError::Seal(error) => Self::Seal(error),
            ReplicateError::Overtaken => Self::Overtaken,
            ReplicateError::NoThread(error) => Self::NoThread(error),
            ReplicateError::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_every_destination() {
        let tried = vec![("primary".to_owned(), "absent".to_owned()), ("usb".to_owned(), "full".to_owned())];
        let text = Error::NoDestination { tried }.to_string();
        assert_eq!(text, "no destination can be reached: primary: absent; usb: full");
        assert_eq!(Error::NoDestination { tried: Vec::new() }.to_string(), "no destination can be reached");
    }
}
