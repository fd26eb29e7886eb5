//! The commit point of one destination, alone there or beside other writers (docs/format.md §16).

use super::catch_up::CatchUp;
use super::reconcile::{self, lose_packs};
use super::{OpenDestination, ReplicateError, neighbours};
use crate::destination::{DestinationError, DestinationErrorKind, Settle};
use crate::format::id::SnapshotId;
use crate::format::layout::ObjectName;
use crate::format::snapshot::Snapshot;
use crate::index::{Index, SnapshotRow};
use crate::snapshot::ReadError;

/// How often it is looked again whether other writers condemned what a snapshot needs. Each time takes a cleaner that
/// wrote a list meanwhile, so one is rare and several are a clock or a listing that lies.
const LOOKS: u32 = 5;

impl CatchUp<'_> {
    /// Writes a snapshot whose packs are all on the destination. Where others write too, what they condemned meanwhile
    /// is stored again first, and looked at once more afterwards (invariant I19).
    ///
    /// # Errors
    /// [`ReplicateError`]; the snapshot then counts as not committed, even if its file is there.
    /// [`ReplicateError::Overtaken`] where another writer deleted something it needs, be it there already or not.
    pub fn commit(&self, target: &OpenDestination, id: &SnapshotId) -> Result<(), ReplicateError> {
        let row = self.index.reader()?.snapshot(id)?.ok_or_else(|| unknown(target, id))?;
        if !target.neighbours.are_there() {
            self.put_snapshot(target, id, &row)?;
            return remember(self.index, target, id);
        }
        let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
        if self.has_lost(target)? {
            self.store_again(target, &snapshot)?;
        }
        self.put_snapshot(target, id, &row)?;
        for _ in 0..LOOKS {
            if !self.has_lost(target)? {
                return remember(self.index, target, id);
            }
            self.store_again(target, &snapshot)?;
        }
        Err(ReplicateError::Overtaken)
    }

    /// What the snapshot needs of packs that are not to be relied on any more, into others, as far as it can be read.
    fn store_again(&self, target: &OpenDestination, snapshot: &Snapshot) -> Result<(), ReplicateError> {
        match self.needs(&self.index.reader()?, target, snapshot) {
            Err(ReplicateError::Read(ReadError::Missing { .. } | ReadError::Damaged { .. })) => {
                Err(ReplicateError::Overtaken)
            }
            result => result.map(drop),
        }
    }

    /// Makes everything durable that the snapshot may need, then the snapshot.
    fn put_snapshot(&self, target: &OpenDestination, id: &SnapshotId, row: &SnapshotRow) -> Result<(), ReplicateError> {
        // Another run may have died between naming a pack and making the name durable.
        if self.index.reader()?.has_unsettled(target.bit)? {
            target.place.settle(Settle::Everything)?;
            let mut writer = self.index.writer()?;
            writer.settle_all(target.bit)?;
            writer.commit()?;
        } else {
            target.place.settle(Settle::Touched)?;
        }
        target.place.check_place()?;
        self.put(target, &ObjectName::Snapshot(*id), &row.stored)?;
        target.place.settle(Settle::Touched)?;
        target.place.check_place()?;
        Ok(())
    }

    /// Looks what other writers condemned or deleted since the last time; true where that is something. First what they
    /// say, then what is there: a list is taken back after its packs were deleted, so the other order could miss both.
    fn has_lost(&self, target: &OpenDestination) -> Result<bool, ReplicateError> {
        let is_condemned = self.look(target)?;
        let found = reconcile::reconcile(self.index, self.keys, target)?;
        Ok(is_condemned || !found.packs_lost.is_empty())
    }

    fn look(&self, target: &OpenDestination) -> Result<bool, ReplicateError> {
        let condemned = neighbours::look(self.keys, target, &self.writer)?;
        let view = self.index.reader()?;
        let mut lost = Vec::new();
        for id in &condemned {
            if let Some(number) = view.pack_number(id)?
                && view.presence(number)? & target.bit != 0
            {
                lost.push(number);
            }
        }
        let is_concerned = !lost.is_empty();
        lose_packs(self.index, target.bit, lost)?;
        Ok(is_concerned)
    }
}

fn remember(index: &Index, target: &OpenDestination, id: &SnapshotId) -> Result<(), ReplicateError> {
    let mut writer = index.writer()?;
    let is_known = writer.update_snapshot(id, |row| {
        row.committed |= target.bit;
        row.whole |= target.bit;
        row.seen |= target.bit;
    })?;
    if !is_known {
        return Err(unknown(target, id));
    }
    writer.commit()?;
    Ok(())
}

fn unknown(target: &OpenDestination, id: &SnapshotId) -> ReplicateError {
    ReplicateError::Destination(DestinationError::new(
        DestinationErrorKind::Other,
        format!("remember snapshot {id}"),
        target.place.describe(),
        "it is not in the index",
    ))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::destination::{Destination, MemoryDestination};
    use crate::format::id::{DestinationId, RepoId, WriterId};
    use crate::monitor::Silent;
    use crate::replicate::Neighbours;
    use crate::seal::Keys;

    /// Whatever call is the last that the destination answers: a snapshot that is reported survives a power cut, and one
    /// that is not reported is not remembered as committed either.
    #[test]
    fn a_snapshot_is_reported_and_remembered_when_it_is_durable() {
        let folder = tempfile::tempdir().expect("a folder");
        let repo = RepoId::from_bytes([1; 16]);
        let keys = Keys::generate(repo).expect("random keys");
        let mut calls = 0;
        loop {
            let index = Index::open(&folder.path().join(calls.to_string()), repo, 1 << 20).expect("a new index");
            let stored = b"a sealed snapshot".to_vec();
            let id = SnapshotId::of(&stored);
            let row = SnapshotRow { committed: 0, whole: 0, seen: 0, is_counted: true, record: Vec::new(), stored };
            let mut writer = index.writer().expect("a writer");
            let number = DestinationId::from_bytes([1; 16]);
            let bit = writer.destination_bit(&number).expect("a bit");
            writer.put_snapshot(&id, &row).expect("noted");
            writer.commit().expect("committed");
            let place = MemoryDestination::new("a");
            place.go_offline_after(calls);
            let target = OpenDestination {
                name: "a".to_owned(),
                path: PathBuf::new(),
                id: number,
                bit,
                place: Arc::new(place.clone()),
                upload_limit: None,
                neighbours: Neighbours::default(),
            };
            let writer = WriterId::from_bytes([1; 16]);
            let destinations = [target.clone()];
            let catch_up =
                CatchUp { keys: &keys, index: &index, destinations: &destinations, writer, monitor: &Silent };
            let committed = catch_up.commit(&target, &id);
            place.cut_power();
            place.come_back();
            let known = index.reader().expect("a view").snapshot(&id).expect("readable").expect("known");
            assert_eq!(known.committed & bit != 0, committed.is_ok(), "after {calls} calls");
            assert_eq!(known.whole & bit != 0, committed.is_ok(), "after {calls} calls");
            if committed.is_ok() {
                place.get(&ObjectName::Snapshot(id), None).expect("it is there after a power cut");
                break;
            }
            calls += 1;
        }
        assert!(calls >= 2, "it is put, and its name synced");
    }
}
