//! What a history is made from: what a destination has of this writer's line.

use std::collections::{BTreeSet, HashSet};

use super::plan::Plan;
use crate::error::Error;
use crate::format::FormatError;
use crate::format::history::Merged;
use crate::format::id::SnapshotId;
use crate::index::IndexReader;
use crate::replicate::OpenDestination;
use crate::repo::{KnownSnapshot, Repo};

/// Histories that a new one says it stands for: of one a day, those of eleven years. With 32 bytes for each its record
/// stays below 128 KiB; who last looked before all of them asks a person.
const MERGED_MOST: usize = 4096;

/// What histories are made from on some destinations.
pub(super) struct Material {
    /// Snapshots of the line, oldest first, with whether they stay.
    pub states: Vec<(KnownSnapshot, bool)>,
    /// Histories of the line, newest first.
    pub histories: Vec<KnownSnapshot>,
}

impl Material {
    /// What a destination has.
    pub(super) fn of(
        repo: &Repo,
        plan: &Plan,
        view: &IndexReader,
        destination: &OpenDestination,
    ) -> Result<Self, Error> {
        let going = plan.going_from(destination);
        let is_there = |known: &&KnownSnapshot| known.committed & destination.bit != 0;
        let by_hand = |known: &&KnownSnapshot| plan.is_forgotten_by_hand(&known.id);
        let there = plan.line.chain.iter().filter(is_there).filter(|known| !by_hand(known));
        let mut states: Vec<_> = there.map(|known| (known.clone(), !going.contains(&known.id))).collect();
        states.sort_by_key(|(known, _)| (known.snapshot.finished, known.snapshot.sequence, known.id));
        let mut histories = repo.known_histories(view)?;
        histories.retain(|known| known.committed & destination.bit != 0 && plan.is_our_history(&known.snapshot));
        Ok(Self { states, histories })
    }

    /// Snapshots that go.
    pub(super) fn going(&self) -> impl Iterator<Item = SnapshotId> + '_ {
        self.states.iter().filter(|(_, stays)| !stays).map(|(known, _)| known.id)
    }

    /// Histories that another one here stands for.
    pub(super) fn replaced(&self) -> Result<BTreeSet<SnapshotId>, FormatError> {
        let mut replaced = BTreeSet::new();
        for known in &self.histories {
            replaced.extend(Merged::find(&known.snapshot.extra)?.histories);
        }
        replaced.retain(|id| self.histories.iter().any(|known| known.id == *id));
        Ok(replaced)
    }

    /// Whether one history does for both.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let states =
            |material: &Self| -> Vec<_> { material.states.iter().map(|(known, stays)| (known.id, *stays)).collect() };
        let histories = |material: &Self| -> Vec<_> { material.histories.iter().map(|known| known.id).collect() };
        states(self) == states(other) && histories(self) == histories(other)
    }

    /// Every source that any of them has.
    pub(super) fn paths(&self) -> BTreeSet<&[u8]> {
        let states = self.states.iter().map(|(known, _)| &known.snapshot);
        let all = states.chain(self.histories.iter().map(|known| &known.snapshot));
        all.flat_map(|snapshot| snapshot.roots.iter().map(|root| root.path.as_slice())).collect()
    }

    /// The histories for which a new one stands: those that are here, and those for which they stood, the newest first.
    /// Also those that are long gone: whoever did not look meanwhile has to be told why they are.
    pub(super) fn stands_for(&self) -> Result<Merged, FormatError> {
        let mut histories: Vec<SnapshotId> = self.histories.iter().map(|known| known.id).collect();
        for known in &self.histories {
            histories.extend(Merged::find(&known.snapshot.extra)?.histories);
        }
        let mut seen = HashSet::new();
        histories.retain(|id| seen.insert(*id));
        histories.truncate(MERGED_MOST);
        Ok(Merged { histories })
    }
}
