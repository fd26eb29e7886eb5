//! What this machine saw on one destination, in a small file outside the index: `state/seen-<destination>`.
//!
//! The index follows what is there, so it forgets what is gone. This file does not: only what somebody is known to have
//! deleted leaves it. Packs are known by the first bytes of their names, since there are many.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::destination::{DestinationErrorKind, Settle};
use crate::error::Error;
use crate::format::FormatError;
use crate::format::id::{DestinationId, ObjectHash, PackId, SnapshotId, WriterId};
use crate::format::layout::ObjectName;
use crate::format::record::{self, Time};
use crate::format::snapshot::Snapshot;
use crate::index::{DestinationBits, IndexReader};
use crate::replicate::OpenDestination;
use crate::repo::Repo;

/// The first bytes of a pack's name.
pub(super) type PackStart = [u8; 8];

/// The first bytes of a pack's name.
pub(super) fn start_of(pack: &PackId) -> PackStart {
    let mut start = [0; 8];
    start.copy_from_slice(&pack.as_bytes()[..8]);
    start
}

/// What is remembered of a snapshot or history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Who wrote it.
    pub writer: WriterId,
    /// Its number among that writer's.
    pub sequence: u64,
    /// When its run began.
    pub started: Time,
}

/// Objects of one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Objects {
    /// Snapshots and histories.
    pub snapshots: BTreeMap<SnapshotId, Known>,
    /// Marks.
    pub marks: BTreeSet<ObjectHash>,
    /// Packs.
    pub packs: BTreeSet<PackStart>,
}

impl Objects {
    /// What the index knows to be on a destination.
    pub(super) fn shown(view: &IndexReader, bit: DestinationBits) -> Result<Self, Error> {
        let mut shown = Self::default();
        view.each_snapshot(|id, row| -> Result<(), Error> {
            if row.committed & bit != 0 {
                let snapshot = Snapshot::decode(&row.record)
                    .map_err(|source| Error::Format { object: format!("snapshot {}", id.short()), source })?;
                let Snapshot { writer, sequence, started, .. } = snapshot;
                shown.snapshots.insert(id, Known { writer, sequence, started });
            }
            Ok(())
        })?;
        view.each_mark(|hash, row| -> Result<(), Error> {
            shown.marks.extend((row.present & bit != 0).then_some(hash));
            Ok(())
        })?;
        view.each_pack(|_, info, presence| -> Result<(), Error> {
            shown.packs.extend((presence & bit != 0).then(|| start_of(&info.id)));
            Ok(())
        })?;
        Ok(shown)
    }

    /// Makes the names of marks durable that somebody put: who died before that acknowledged nothing, and what a power cut
    /// took then would be missed. They are never deleted, so putting them is finding them.
    pub(super) fn settle_marks(&self, view: &IndexReader, destination: &OpenDestination) -> Result<(), Error> {
        if self.marks.is_empty() {
            return Ok(());
        }
        view.each_mark(|hash, row| -> Result<(), Error> {
            if !self.marks.contains(&hash) {
                return Ok(());
            }
            match destination.place.put(&ObjectName::Mark(hash), &row.stored) {
                // A finding, and nothing to wait for.
                Err(error) if error.kind == DestinationErrorKind::Damaged => Ok(()),
                put => put.map(drop).map_err(Error::from),
            }
        })?;
        Ok(destination.place.settle(Settle::Touched)?)
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.snapshots.is_empty() && self.marks.is_empty() && self.packs.is_empty()
    }

    /// Those that `other` does not have.
    pub(super) fn without(&self, other: &Self) -> Self {
        let snapshots = self.snapshots.iter().filter(|(id, _)| !other.snapshots.contains_key(id));
        Self {
            snapshots: snapshots.map(|(id, known)| (*id, *known)).collect(),
            marks: self.marks.difference(&other.marks).copied().collect(),
            packs: self.packs.difference(&other.packs).copied().collect(),
        }
    }

    /// Adds those of another.
    pub(super) fn add(&mut self, other: Self) {
        self.snapshots.extend(other.snapshots);
        self.marks.extend(other.marks);
        self.packs.extend(other.packs);
    }
}

/// What was seen on one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// When it showed everything for the last time.
    pub complete: Time,
    /// What is expected to be there.
    pub expected: Objects,
    /// What of it was not there at the last look.
    pub missing: Objects,
    /// Snapshots that another one with the same number stands beside, or in whose place it stands.
    pub forks: BTreeSet<SnapshotId>,
    /// Snapshots that lay between others when this destination was seen for the first time, on other destinations only.
    pub gaps: BTreeSet<SnapshotId>,
    /// Marks that accept a destination and were followed: writer and sequence.
    pub followed: BTreeSet<(WriterId, u64)>,
}

impl Seen {
    /// Whether the destination shows less than it did, or something else.
    pub(super) fn is_alarm(&self) -> bool {
        !self.missing.is_empty() || !self.forks.is_empty()
    }

    fn file(id: &DestinationId) -> String {
        format!("seen-{id}")
    }

    /// What was seen; none where that is not known, or not any more.
    pub(super) fn load(repo: &Repo, id: &DestinationId) -> Result<Option<Self>, Error> {
        let Some(bytes) = repo.read_state(&Self::file(id))? else { return Ok(None) };
        // A file that is not what was written says nothing.
        let Some((hash, body)) = bytes.split_at_checked(blake3::OUT_LEN) else { return Ok(None) };
        if blake3::hash(body).as_bytes() != hash {
            return Ok(None);
        }
        Ok(record::decode("seen", body).ok())
    }

    /// Remembers it, durably.
    pub(super) fn save(&self, repo: &Repo, id: &DestinationId) -> Result<(), Error> {
        let format = |source: FormatError| Error::Format { object: "what was seen".to_owned(), source };
        let body = record::encode("seen", self).map_err(format)?;
        let mut bytes = blake3::hash(&body).as_bytes().to_vec();
        bytes.extend(body);
        repo.write_state(&Self::file(id), &bytes)
    }
}
