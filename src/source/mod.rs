//! A file system as an ordered stream of entries: walk, excludes, metadata, file contents, change detection.
//!
//! ```text
//! WalkOptions ─▶ Walk ─▶ Event(Entry) ─┬─▶ is_unchanged ─▶ (the previous node stands)
//!                                      ├─▶ SourceFile ─▶ segments: data and holes
//!                                      └─▶ metadata ─▶ format::tree::Metadata
//! ```
//!
//! Nothing here writes, and no symbolic link of a source is ever followed. What cannot be read becomes a
//! [`Problem`]; the rest goes on. Everything that differs per system is in one folder
//! (`unix`) with few, small functions.

use std::io;
use std::path::{Path, PathBuf};

mod entry;
mod names;
mod class;
mod rules;
mod excludes;
mod changes;
mod walk;
mod left_out;
mod file;
mod piped;
mod metadata;
mod change;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(all(test, unix))]
mod tests;

pub use change::{ChangePolicy, has_same_metadata, is_unchanged};
pub use changes::Changes;
pub(crate) use changes::leaves_out;
pub use entry::{Entry, EntryKind, Event, FolderIdentity, Stat};
pub use excludes::{Excludes, split_list};
pub use file::{HOLE_MIN_BYTES, OpenError, Segment, SourceFile};
pub use left_out::LeftOut;
pub use metadata::{DeviceOrdinals, Owners, metadata};
pub use piped::piped;
pub use walk::{Walk, WalkOptions};

use crate::report::{Problem, ProblemKind};

/// Why a whole source cannot be walked.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is nothing at the path of the source.
    #[error("the source {} does not exist", path.display())]
    Missing {
        /// The source.
        path: PathBuf,
    },
    /// The source is there, but cannot be looked at or listed.
    #[error("the source {} cannot be read", path.display())]
    NotReadable {
        /// The source.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The source is itself a destination or the state folder.
    #[error("the source {} is a folder in which this program keeps backups or its own state", path.display())]
    OwnFolder {
        /// The source.
        path: PathBuf,
    },
    /// An exclude that is not a pattern.
    #[error("the exclude `{pattern}` is not a valid pattern: {detail}")]
    BadPattern {
        /// The pattern as it was given.
        pattern: String,
        /// What is wrong with it.
        detail: String,
    },
}

/// The problem an I/O error makes of one entry: vanished when it says that nothing is there, else unreadable.
fn problem_of(path: &Path, what: &str, error: &io::Error) -> Problem {
    let kind = match error.kind() {
        // The second: one of the folders above is none any more.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ProblemKind::Vanished,
        _ => ProblemKind::Unreadable,
    };
    Problem { path: path.to_path_buf(), kind, detail: format!("{what}: {error}") }
}
