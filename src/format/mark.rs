//! §13 Marks: decisions about snapshots that reach every destination, the only things that are remembered of what was
//! removed.
//!
//! Nothing ever orders a destination to delete a pack: a mark says that a snapshot is not wanted any more, and each
//! destination is cleaned for itself. Marks take effect in the order of (sequence, writer). A new mark's sequence is one
//! more than the highest its writer knows of, so what was decided knowing another decision comes after it.

use serde::{Deserialize, Serialize};

use super::FormatError;
use super::id::{SnapshotId, WriterId};
use super::record::{Extra, Time, versioned};

/// The longest text of a tag or a note, in bytes.
pub const MARK_TEXT_MAX: usize = 4096;

/// Why a snapshot is not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForgetReason {
    /// A person said so: nothing of it is kept.
    Hand,
    /// A rule did: versions that the per-file rule protects go into the history first.
    Rule,
    /// Another snapshot or history stands for it.
    Replaced,
}

/// What has to be known of a snapshot when it is gone: its place in the chain of its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// The snapshot.
    pub id: SnapshotId,
    /// Who wrote it; none where its record cannot be read.
    pub writer: Option<WriterId>,
    /// Its number among that writer's snapshots; 0 where its record cannot be read.
    pub sequence: u64,
    /// The snapshot it went on from.
    pub previous: Option<SnapshotId>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Snapshots or histories are not wanted any more.
    Forget {
        /// Why.
        reason: ForgetReason,
        /// Which.
        snapshots: Vec<Forgotten>,
    },
    /// They are wanted again, as far as they are still there.
    Unforget {
        /// Which.
        snapshots: Vec<SnapshotId>,
    },
    /// Tags of a snapshot, besides those it was made with.
    Tag {
        /// Which snapshot.
        snapshot: SnapshotId,
        /// Tags it gets.
        add: Vec<String>,
        /// Tags it loses.
        remove: Vec<String>,
    },
    /// A note on a snapshot, in place of an earlier one; empty for none.
    Note {
        /// Which snapshot.
        snapshot: SnapshotId,
        /// The note.
        text: String,
    },
    /// No rule forgets the snapshot while it is pinned.
    Pin {
        /// Which snapshot.
        snapshot: SnapshotId,
        /// Whether it is.
        is_pinned: bool,
    },
    /// A person looked at a snapshot that looked suspect and found it to be right.
    Accept {
        /// Which snapshot.
        snapshot: SnapshotId,
    },
}

versioned!(MarkRoot, MarkRecord, "mark");

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkRecord {
    /// Who decided.
    pub writer: WriterId,
    /// Its place in the order of marks.
    pub sequence: u64,
    /// When it was made; for display.
    pub made: Time,
    /// What was decided.
    pub action: Action,
    /// Additions.
    pub extra: Extra,
}

impl MarkRecord {
    /// Checks what can be seen in the record alone.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn validate(&self) -> Result<(), FormatError> {
        let bad = |why| Err(FormatError::Record("mark", why));
        if self.sequence == 0 {
            return bad("a number is out of range");
        }
        if self.made.nanos >= 1_000_000_000 {
            return bad("a time has too many nanoseconds");
        }
        let is_short = |text: &String| text.len() <= MARK_TEXT_MAX;
        let is_valid = match &self.action {
            Action::Tag { add, remove, .. } => add.iter().chain(remove).all(is_short),
            Action::Note { text, .. } => is_short(text),
            _ => true,
        };
        if is_valid { Ok(()) } else { bad("a text is too long") }
    }
}
