//! §13 Marks: decisions about snapshots that reach every destination, the only things that are remembered of what was
//! removed.
//!
//! Nothing ever orders a destination to delete a pack: a mark says that a snapshot is not wanted any more, and each
//! destination is cleaned for itself. Marks take effect in the order of (sequence, writer). A new mark's sequence is one
//! more than the highest its writer knows of, so what was decided knowing another decision comes after it.

use serde::{Deserialize, Serialize};

use super::FormatError;
use super::id::{DestinationId, ObjectHash, SnapshotId, WriterId};
use super::record::{Extra, Time, versioned};

/// The longest text of a tag or a note, in bytes.
pub const MARK_TEXT_MAX: usize = 4096;

/// Tag of the addition of a mark that accepts a destination.
pub const ACCEPTED_TAG: u32 = 4;

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
    /// A person looked at a snapshot that looked suspect and found it to be right. With an [`Accepted`] among the
    /// additions it was a destination.
    Accept {
        /// Which snapshot; [`Accepted::NO_SNAPSHOT`] for a destination.
        snapshot: SnapshotId,
    },
}

/// A destination that a person accepted as it was: what was missing there then is not missed any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Which destination.
    pub destination: DestinationId,
    /// Snapshots and histories that were missing.
    pub snapshots: Vec<SnapshotId>,
    /// Marks that were.
    pub marks: Vec<ObjectHash>,
    /// The first bytes of the names of the packs that were.
    pub packs: Vec<[u8; 8]>,
    /// Snapshots there that had the number of another one.
    pub forks: Vec<SnapshotId>,
}

impl Accepted {
    /// What stands in the place of a snapshot in a mark that is about none.
    pub const NO_SNAPSHOT: SnapshotId = SnapshotId::from_bytes([0; 32]);

    /// As an addition of a mark.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn encode(&self) -> Result<(u32, Vec<u8>), FormatError> {
        Ok((ACCEPTED_TAG, super::record::encode("accepted", self)?))
    }

    /// From the additions of a mark; none where there is none of this tag.
    ///
    /// # Errors
    /// [`FormatError::Record`], [`FormatError::Trailing`].
    pub fn find(extra: &Extra) -> Result<Option<Self>, FormatError> {
        match extra.iter().find(|(tag, _)| *tag == ACCEPTED_TAG) {
            Some((_, bytes)) => super::record::decode("accepted", bytes).map(Some),
            None => Ok(None),
        }
    }
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
        // Whoever reads all marks reads this addition too, and would fail at it for ever.
        Accepted::find(&self.extra)?;
        if is_valid { Ok(()) } else { bad("a text is too long") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: SnapshotId = SnapshotId::from_bytes([7; 32]);

    fn mark(action: Action) -> MarkRecord {
        let writer = WriterId::from_bytes([0xAB; 16]);
        MarkRecord { writer, sequence: 300, made: Time { seconds: -1, nanos: 5 }, action, extra: vec![(9, vec![1])] }
    }

    /// Each action with the bytes that its index and its fields have.
    fn actions() -> Vec<(Action, Vec<u8>)> {
        let id = [7; 32];
        let place = |writer, sequence, previous| Forgotten { id: SNAPSHOT, writer, sequence, previous };
        let known = place(Some(WriterId::from_bytes([2; 16])), 3, Some(SnapshotId::from_bytes([4; 32])));
        let unknown = place(None, 0, None);
        let mut forget = [&[0, 1, 2][..], &id, &[1], &[2; 16], &[3, 1], &[4; 32]].concat();
        forget.extend([&id[..], &[0, 0, 0]].concat());
        let reason = |reason| Action::Forget { reason, snapshots: Vec::new() };
        let tag = Action::Tag { snapshot: SNAPSHOT, add: vec!["a".into()], remove: vec!["bc".into(), String::new()] };
        vec![
            (Action::Forget { reason: ForgetReason::Rule, snapshots: vec![known, unknown] }, forget),
            (reason(ForgetReason::Hand), vec![0, 0, 0]),
            (reason(ForgetReason::Replaced), vec![0, 2, 0]),
            (Action::Unforget { snapshots: vec![SNAPSHOT] }, [&[1, 1][..], &id].concat()),
            (tag, [&[2][..], &id, b"\x01\x01a\x02\x02bc\x00"].concat()),
            (Action::Note { snapshot: SNAPSHOT, text: "n".into() }, [&[3][..], &id, b"\x01n"].concat()),
            (Action::Pin { snapshot: SNAPSHOT, is_pinned: true }, [&[4][..], &id, &[1]].concat()),
            (Action::Accept { snapshot: SNAPSHOT }, [&[5][..], &id].concat()),
        ]
    }

    #[test]
    fn exact_bytes_of_marks() {
        for (action, bytes) in actions() {
            let record = mark(action);
            assert_eq!(record.validate(), Ok(()));
            let mut expected = vec![0]; // V1
            expected.extend([0xAB; 16]);
            expected.extend([0xAC, 0x02, 1, 5]); // sequence, made
            expected.extend(bytes);
            expected.extend([1, 9, 1, 1]); // one addition
            assert_eq!(record.encode(), Ok(expected.clone()));
            assert_eq!(MarkRecord::decode(&expected), Ok(record));
            for end in 0..expected.len() {
                assert!(MarkRecord::decode(&expected[..end]).is_err(), "cut at {end}");
            }
            expected.push(0);
            assert_eq!(MarkRecord::decode(&expected), Err(FormatError::Trailing));
        }
    }

    #[test]
    fn marks_that_break_a_rule_are_refused() {
        let accept = || mark(Action::Accept { snapshot: SNAPSHOT });
        assert!(MarkRecord { sequence: 0, ..accept() }.validate().is_err());
        assert!(MarkRecord { made: Time { seconds: 0, nanos: 1_000_000_000 }, ..accept() }.validate().is_err());
        let text = |len: usize| "a".repeat(len);
        let tag = |add: usize, remove: usize| {
            mark(Action::Tag { snapshot: SNAPSHOT, add: vec![text(add)], remove: vec![text(remove)] }).validate()
        };
        let note = |len| mark(Action::Note { snapshot: SNAPSHOT, text: text(len) }).validate();
        assert_eq!(tag(MARK_TEXT_MAX, MARK_TEXT_MAX), Ok(()));
        assert_eq!(note(MARK_TEXT_MAX), Ok(()));
        assert!(tag(MARK_TEXT_MAX + 1, 0).is_err());
        assert!(tag(0, MARK_TEXT_MAX + 1).is_err());
        assert!(note(MARK_TEXT_MAX + 1).is_err());
        assert!(MarkRecord { extra: vec![(ACCEPTED_TAG, vec![1, 2, 3])], ..accept() }.validate().is_err());
    }
}
