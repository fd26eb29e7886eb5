//! What is told of a run: while it goes on to whoever asked ([`Monitor`]), and at its end as problems with single entries
//! that did not stop the rest. What else happened is in the report of each verb.

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
    /// A whole source is missing, or suddenly empty.
    SourceMissing,
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
