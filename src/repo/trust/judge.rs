//! What one destination has beside the others, and beside what it had.

use std::collections::{BTreeMap, BTreeSet};

use super::seen::Objects;
use crate::error::Error;
use crate::format::history::Merged;
use crate::format::id::SnapshotId;
use crate::format::mark::ForgetReason;
use crate::format::snapshot::Snapshot;
use crate::index::{DestinationBits, IndexReader};
use crate::snapshot::{Marks, ReadError};

/// Snapshots in force that other destinations have and this one lacks, though it has a later one of the same writer.
pub(super) fn gaps(view: &IndexReader, bit: DestinationBits, marks: &Marks) -> Result<BTreeSet<SnapshotId>, Error> {
    let mut newest: BTreeMap<_, u64> = BTreeMap::new();
    let mut elsewhere = Vec::new();
    view.each_snapshot(|id, row| -> Result<(), Error> {
        let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
        if row.committed & bit != 0 {
            let highest = newest.entry(snapshot.writer).or_default();
            *highest = snapshot.sequence.max(*highest);
        } else if row.committed != 0 && !snapshot.is_history() && marks.place(&id).is_none() {
            elsewhere.push((id, snapshot.writer, snapshot.sequence));
        }
        Ok(())
    })?;
    let is_between =
        |(_, writer, sequence): &(SnapshotId, _, u64)| newest.get(writer).is_some_and(|last| sequence < last);
    Ok(elsewhere.into_iter().filter(is_between).map(|(id, ..)| id).collect())
}

/// The histories for which others on a destination stand.
pub(super) fn replaced(view: &IndexReader, bit: DestinationBits) -> Result<BTreeSet<SnapshotId>, Error> {
    let mut replaced = BTreeSet::new();
    view.each_snapshot(|_, row| -> Result<(), Error> {
        if row.committed & bit != 0 {
            let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
            replaced.extend(Merged::find(&snapshot.extra).map_err(ReadError::Format)?.histories);
        }
        Ok(())
    })?;
    Ok(replaced)
}

/// Snapshots that were not seen before and have the number of one that was. A purge makes such, with the same times.
pub(super) fn forks(expected: &Objects, shown: &Objects, marks: &Marks) -> BTreeSet<SnapshotId> {
    let numbers: BTreeMap<_, _> =
        expected.snapshots.iter().map(|(id, known)| ((known.writer, known.sequence), (id, known.started))).collect();
    let is_replaced = |id: &SnapshotId| marks.forgotten(id) == Some(ForgetReason::Replaced);
    let new = shown.snapshots.iter().filter(|(id, _)| !expected.snapshots.contains_key(id));
    new.filter(|(id, known)| {
        let before = numbers.get(&(known.writer, known.sequence));
        before.is_some_and(|(other, started)| *started != known.started && !is_replaced(other) && !is_replaced(id))
    })
    .map(|(id, _)| *id)
    .collect()
}
