//! What is told of a run: while it goes on to whoever asked ([`Monitor`]), and at its end as problems with single entries
//! that did not stop the rest. What else happened is in the report of each verb.
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use cryptbackup::backup::{self, BackupRequest};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::{Monitor, Problem, Stage};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! /// Counts bytes, and repeats what a person should know.
//! #[derive(Default)]
//! struct Progress {
//!     bytes: AtomicU64,
//! }
//!
//! impl Monitor for Progress {
//!     fn begin(&self, stage: Stage, _items: Option<u64>, bytes: Option<u64>) {
//!         println!("{stage:?}, of {bytes:?} bytes");
//!     }
//!     fn advance(&self, _items: u64, bytes: u64) {
//!         self.bytes.fetch_add(bytes, Ordering::Relaxed);
//!     }
//!     fn problem(&self, problem: &Problem) {
//!         eprintln!("{}: {}", problem.path.display(), problem.detail);
//!     }
//!     fn note(&self, sentence: &str) {
//!         eprintln!("{sentence}");
//!     }
//!     fn should_stop(&self) -> bool {
//!         false
//!     }
//! }
//!
//! let home = Home::at(folder.path().join("state"));
//! let progress = Progress::default();
//! let mut repo = Repo::open(&home, Access::Write, None, &progress)?;
//! let report = backup::run(&mut repo, BackupRequest::default(), &progress)?;
//! assert!(report.problems.is_empty() && progress.bytes.into_inner() > 0);
//! # Ok(())
//! # }
//! ```

mod monitor;

use std::path::PathBuf;

use serde::Serialize;

pub use monitor::{Monitor, Silent, Stage};

/// What was wrong with one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// It could not be read; the previous version stands for it, where there is one.
    Unreadable,
    /// It changed while it was read; what was read is stored and it is read again next time.
    ChangedWhileRead,
    /// It was there when its folder was listed and gone when it was to be read.
    Vanished,
    /// A whole source is missing, suddenly empty, or no folder any more.
    SourceMissing,
    /// Its content changed though its size and times did not: its disk or its memory fails.
    Rotten,
    /// It could not be read when it was backed up, and no earlier version of it is there to restore.
    NeverBackedUp,
    /// It could not be restored.
    NotRestored,
    /// Its content was restored, but not everything else about it.
    MetadataNotRestored,
    /// Its content is damaged or missing on every destination that could be reached.
    Damaged,
}

/// Something that went wrong with one entry while the rest went on. Any problem means exit code 3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which entry.
    #[serde(serialize_with = "crate::report::path_as_text")]
    pub path: PathBuf,
    /// What kind of trouble.
    pub kind: ProblemKind,
    /// The reason, as one sentence without a full stop.
    pub detail: String,
}

/// Serializes a path as text, with what is not UTF-8 replaced.
pub fn path_as_text<S: serde::Serializer>(path: &std::path::Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
