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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(announcement: Announcement) -> CleaningRecord {
        let writer = WriterId::from_bytes([0xAB; 16]);
        let made = Time { seconds: 1, nanos: 0 };
        CleaningRecord { writer, number: 300, made, announcement, extra: vec![(9, vec![1])] }
    }

    fn condemned(packs: &[u8]) -> CleaningRecord {
        let packs = packs.iter().map(|byte| PackId::from_bytes([*byte; 32])).collect();
        said(Announcement::Condemned { packs, sessions: vec![ObjectHash::from_bytes([9; 32])] })
    }

    #[test]
    fn exact_bytes_of_sessions_and_lists() {
        let mut list = vec![1, 2];
        list.extend([[3; 32], [4; 32]].concat());
        list.push(1);
        list.extend([9; 32]);
        for (record, bytes) in [(said(Announcement::Session), vec![0]), (condemned(&[3, 4]), list)] {
            assert_eq!(record.validate(), Ok(()));
            let mut expected = vec![0]; // V1
            expected.extend([0xAB; 16]);
            expected.extend([0xAC, 0x02, 2, 0]); // number, made
            expected.extend(bytes);
            expected.extend([1, 9, 1, 1]); // one addition
            assert_eq!(record.encode(), Ok(expected.clone()));
            assert_eq!(CleaningRecord::decode(&expected), Ok(record));
            for end in 0..expected.len() {
                assert!(CleaningRecord::decode(&expected[..end]).is_err(), "cut at {end}");
            }
            expected.push(0);
            assert_eq!(CleaningRecord::decode(&expected), Err(FormatError::Trailing));
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused() {
        let session = || said(Announcement::Session);
        assert!(CleaningRecord { number: 0, ..session() }.validate().is_err());
        assert!(CleaningRecord { made: Time { seconds: 0, nanos: 1_000_000_000 }, ..session() }.validate().is_err());
        assert!(condemned(&[4, 3]).validate().is_err(), "not ascending");
        assert!(condemned(&[3, 3]).validate().is_err(), "a pack twice");
        assert_eq!(condemned(&[]).validate(), Ok(()));
    }

    #[test]
    fn the_longest_list_fits_a_record_and_a_longer_one_is_refused() {
        let list = |count: usize| {
            let id = |number: usize| {
                let mut bytes = [0; 32];
                bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
                PackId::from_bytes(bytes)
            };
            said(Announcement::Condemned { packs: (0..count).map(id).collect(), sessions: Vec::new() })
        };
        let longest = list(CONDEMNED_MAX);
        assert_eq!(longest.validate(), Ok(()));
        // Padding adds at most an eighth.
        assert!(longest.encode().expect("encoded").len() * 9 / 8 < super::super::RECORD_LEN_MAX);
        assert_eq!(list(CONDEMNED_MAX + 1).validate(), Err(FormatError::Limit("number of condemned packs")));
    }
}
