//! §14 What writers and cleaners tell each other on one destination, so that space is given back without locks.
//!
//! A *session* says that a writer is at work; a list of *condemned* packs, which packs a cleaner is going to delete. Both
//! are put before their writer looks at what the others put, and both lie in one folder: whoever waits until a listing
//! shows its own object sees everything that was put before it. So of a writer and a cleaner at least one sees the other.

use serde::{Deserialize, Serialize};

use super::FormatError;
use super::id::{ObjectHash, PackId, WriterId};
use super::record::{Extra, Time, versioned};

/// The most packs in one list, so that its record stays within its limit.
pub const CONDEMNED_MAX: usize = 400_000;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Announcement {
    /// The writer is at work here. A later one of the same writer says that this one is over.
    Session,
    /// These packs are needed by no snapshot on this destination and will be deleted. No other writer relies on them
    /// from now on.
    Condemned {
        /// The packs, ascending, without duplicates.
        packs: Vec<PackId>,
        /// The sessions that were there when the list was made.
        sessions: Vec<ObjectHash>,
    },
}

versioned!(CleaningRoot, CleaningRecord, "cleaning");

/// One object of `gc/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleaningRecord {
    /// Who put it there.
    pub writer: WriterId,
    /// Its number among what this writer told this destination, ascending.
    pub number: u64,
    /// When it was made, by that writer's clock.
    pub made: Time,
    /// What it tells.
    pub announcement: Announcement,
    /// Additions.
    pub extra: Extra,
}

impl CleaningRecord {
    /// Checks what can be seen in the record alone.
    ///
    /// # Errors
    /// [`FormatError::Record`], [`FormatError::Limit`].
    pub fn validate(&self) -> Result<(), FormatError> {
        let bad = |why| Err(FormatError::Record("cleaning", why));
        if self.number == 0 {
            return bad("a number is out of range");
        }
        if self.made.nanos >= 1_000_000_000 {
            return bad("a time has too many nanoseconds");
        }
        if let Announcement::Condemned { packs, .. } = &self.announcement {
            if packs.len() > CONDEMNED_MAX {
                return Err(FormatError::Limit("number of condemned packs"));
            }
            if !packs.is_sorted_by(|left, right| left < right) {
                return bad("its packs are not in ascending order");
            }
        }
        Ok(())
    }
}
