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
        let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
        let was_alone = self.is_alone(target)?;
        if !was_alone && self.has_lost(target)? {
            self.store_again(target, &snapshot)?;
        }
        self.put_snapshot(target, id, &row)?;
        if was_alone && self.is_alone(target)? {
            return remember(self.index, target, id);
        }
        for _ in 0..LOOKS {
            if !self.has_lost(target)? {
                return remember(self.index, target, id);
            }
            self.store_again(target, &snapshot)?;
        }
        Err(ReplicateError::Overtaken)
    }

    /// Whether nobody else was there when this run began, and nobody came since. Who came may have cleaned, and deleted
    /// what no snapshot needed yet, if this machine stood still for all the grace.
    fn is_alone(&self, target: &OpenDestination) -> Result<bool, ReplicateError> {
        Ok(!target.neighbours.are_there() && neighbours::is_alone(self.keys, target)?)
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
        let condemned = neighbours::look(self.keys, target)?;
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::destination::{Destination, MemoryDestination};
    use crate::format::cleaning::{Announcement, CleaningRecord};
    use crate::format::id::{ChunkId, ChunkKind, DestinationId, ObjectHash, PackId, RepoId, WriterId};
    use crate::format::layout::ObjectKind;
    use crate::format::recipe::{Part, Recipe};
    use crate::format::record::{Extra, Time};
    use crate::format::sealed::ObjectType;
    use crate::format::snapshot::{Root, RootCounts};
    use crate::format::tree::{Flags, Metadata, Node, NodeKind};
    use crate::index::PackInfo;
    use crate::memory::Budget;
    use crate::pack::{Closing, PackDraft, SealedPack};
    use crate::replicate::Neighbours;
    use crate::report::Silent;
    use crate::seal::{BlockBuilder, Keys};

    const OWN: WriterId = WriterId::from_bytes([1; 16]);
    const OTHER: WriterId = WriterId::from_bytes([2; 16]);
    const NOW: Time = Time { seconds: 0, nanos: 0 };

    /// A destination with a pack, and a snapshot that needs its chunk and is to be committed there.
    struct Site {
        _folder: tempfile::TempDir,
        keys: Keys,
        index: Index,
        place: MemoryDestination,
        target: OpenDestination,
        pack: PackId,
        chunk: ChunkId,
        id: SnapshotId,
    }

    fn pack(keys: &Keys, kind: ChunkKind, chunk: &[u8]) -> SealedPack {
        let mut builder = BlockBuilder::new(1 << 20);
        builder.push(keys.chunk_id(kind, chunk), chunk);
        let mut draft = PackDraft::new(kind, 1 << 20);
        draft.push(builder.take().expect("a block").store());
        draft.finish(keys, [5; 32], Closing::Last { extra: 0 }).expect("sealed")
    }

    /// Of a file, or of a folder.
    fn snapshot(kind: ChunkKind, chunk: ChunkId, len: u32) -> Snapshot {
        let recipe = Recipe { depth: 0, size: len.into(), parts: vec![Part::Chunk { id: chunk, len }] };
        let node = Node {
            name: Vec::new(),
            kind: if kind == ChunkKind::Data { NodeKind::File(recipe) } else { NodeKind::Folder(recipe) },
            metadata: Metadata::default(),
            version: 1,
            flags: Flags::NONE,
            extra: Extra::new(),
        };
        let path = b"/file".to_vec();
        Snapshot {
            writer: OWN,
            sequence: 1,
            previous: None,
            started: NOW,
            finished: NOW,
            zone_offset: 0,
            machine: String::new(),
            user: String::new(),
            roots: vec![Root { path, node, carried_from: None, scanned: NOW, counts: RootCounts::default() }],
            flags: 0,
            tags: Vec::new(),
            packs_written: 0,
            packs_digest: [0; 32],
            version_ceiling: 1,
            extra: Extra::new(),
        }
    }

    fn site() -> Site {
        site_of(ChunkKind::Data)
    }

    fn site_of(kind: ChunkKind) -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let repo = RepoId::from_bytes([1; 16]);
        let keys = Keys::generate(repo).expect("random keys");
        let index = Index::open(&folder.path().join("index"), repo, 1 << 20).expect("a new index");
        let bytes = [7; 3000];
        let (pack, chunk) = (pack(&keys, kind, &bytes), keys.chunk_id(kind, &bytes));
        let record = snapshot(kind, chunk, bytes.len() as u32).encode().expect("a small record");
        let stored = keys.seal_record(ObjectType::Snapshot, &record).expect("sealed");
        let id = SnapshotId::of(&stored);
        let place = MemoryDestination::new("a");
        place.put(&ObjectName::Pack(pack.id()), pack.bytes()).expect("put");
        place.settle(Settle::Touched).expect("settled");
        let mut writer = index.writer().expect("a writer");
        let number = DestinationId::from_bytes([1; 16]);
        let bit = writer.destination_bit(&number).expect("a bit");
        let len = pack.bytes().len() as u64;
        let info = PackInfo { id: pack.id(), len, kind, epoch: pack.epoch(), salt: pack.salt() };
        writer.add_packs([(1, info, pack.blocks_offset(), pack.directory())]).expect("added");
        writer.set_present([1], bit, true).expect("present");
        let row = SnapshotRow { committed: 0, whole: 0, seen: 0, is_counted: true, record, stored };
        writer.put_snapshot(&id, &row).expect("noted");
        writer.commit().expect("committed");
        let target = OpenDestination {
            name: "a".to_owned(),
            path: PathBuf::new(),
            id: number,
            bit,
            place: Arc::new(place.clone()),
            upload_limit: None,
            neighbours: Neighbours::default(),
        };
        Site { _folder: folder, keys, index, place, target, pack: pack.id(), chunk, id }
    }

    impl Site {
        fn catch_up(&self) -> CatchUp<'_> {
            let destinations = vec![self.target.clone()];
            let (keys, index) = (&self.keys, &self.index);
            let budget = Budget::new(96 << 20, None);
            CatchUp { keys, index, destinations, writer: OWN, budget, monitor: &Silent }
        }

        fn commit(&self) -> Result<(), ReplicateError> {
            self.catch_up().commit(&self.target, &self.id)
        }

        /// Another writer says that it is going to delete the pack.
        fn list_of_another(&self) -> (ObjectName, Vec<u8>) {
            let announcement = Announcement::Condemned { packs: vec![self.pack], sessions: Vec::new() };
            let list = CleaningRecord { writer: OTHER, number: 1, made: NOW, announcement, extra: Extra::new() };
            let list = list.encode().expect("a small record");
            let list = self.keys.seal_record(ObjectType::Cleaning, &list).expect("sealed");
            (ObjectName::Cleaning(ObjectHash::of(&list)), list)
        }
    }

    /// What counts as stored may turn out to be damaged only when it is read.
    #[test]
    fn a_snapshot_is_not_whole_where_a_folder_of_it_cannot_be_read() {
        let site = site_of(ChunkKind::Tree);
        let mut writer = site.index.writer().expect("a writer");
        writer.update_snapshot(&site.id, |row| row.committed = site.target.bit).expect("noted");
        writer.commit().expect("committed");
        let name = ObjectName::Pack(site.pack);
        let mut bytes = site.place.get(&name, None).expect("there");
        let (_, end) = bytes.split_at_mut(1000);
        end.iter_mut().take(2000).for_each(|byte| *byte ^= 1);
        site.place.replace(&name, &bytes).expect("replaced");
        let (_, lost) = site.catch_up().complete(&site.target, &site.id).expect("the index works");
        let row = site.index.reader().expect("a view").snapshot(&site.id).expect("readable").expect("known");
        assert_eq!((lost, row.whole), (1, 0));
    }

    /// Whatever call is the last that the destination answers: a snapshot that is reported survives a power cut, and one
    /// that is not reported is not remembered as committed either.
    #[test]
    fn a_snapshot_is_reported_and_remembered_when_it_is_durable() {
        let mut calls = 0;
        loop {
            let site = site();
            site.place.go_offline_after(calls);
            let committed = site.commit();
            site.place.cut_power();
            site.place.come_back();
            let known = site.index.reader().expect("a view").snapshot(&site.id).expect("readable").expect("known");
            assert_eq!(known.committed & site.target.bit != 0, committed.is_ok(), "after {calls} calls");
            assert_eq!(known.whole & site.target.bit != 0, committed.is_ok(), "after {calls} calls");
            if committed.is_ok() {
                site.place.get(&ObjectName::Snapshot(site.id), None).expect("it is there after a power cut");
                break;
            }
            calls += 1;
        }
        assert!(calls >= 2, "it is put, and its name synced");
    }

    /// Another writer's list appears after the run looked for lists: a snapshot that is there is whole, reported or not.
    #[test]
    fn what_was_condemned_meanwhile_is_rescued_before_the_snapshot_is_written() {
        let site = site();
        neighbours::look(&site.keys, &site.target).expect("nobody says anything yet");
        let (name, list) = site.list_of_another();
        site.place.put(&name, &list).expect("put");
        let packs = Arc::new(AtomicUsize::new(0));
        let (counted, place) = (Arc::clone(&packs), site.place.clone());
        site.place.when_put(ObjectKind::Snapshots, move || {
            let mut count = |_, _| {
                counted.fetch_add(1, Ordering::Relaxed);
            };
            place.list(ObjectKind::Packs, None, &mut count).expect("listed");
        });
        site.commit().expect("committed");
        assert_eq!(packs.load(Ordering::Relaxed), 2, "the condemned one, and one with what is needed of it");
    }

    /// Another writer's list appears when the snapshot is just there, after it was looked for lists (invariant I19).
    #[test]
    fn what_is_condemned_while_the_snapshot_is_written_is_rescued() {
        let site = site();
        neighbours::look(&site.keys, &site.target).expect("nobody says anything yet");
        let (name, list) = site.list_of_another();
        let other = site.place.clone();
        site.place.when_put(ObjectKind::Snapshots, move || {
            other.put(&name, &list).expect("put");
        });
        site.commit().expect("committed");
        let view = site.index.reader().expect("a view");
        let places = view.places(&site.chunk).expect("readable");
        let holds = |pack| pack != 1 && view.presence(pack).expect("readable") & site.target.bit != 0;
        assert!(places.iter().any(|place| holds(place.pack)), "the chunk is in a pack that nobody deletes");
    }

    /// Where the only copy is in a pack that is going to be deleted elsewhere, it is had from there.
    #[test]
    fn what_is_condemned_on_another_destination_is_taken_from_there() {
        let site = site();
        let (name, list) = site.list_of_another();
        site.place.put(&name, &list).expect("put");
        assert!(!neighbours::look(&site.keys, &site.target).expect("read").is_empty());
        // As it is after the destination was listed: what is condemned does not count as present.
        lose_packs(&site.index, site.target.bit, vec![1]).expect("noted");
        let place = MemoryDestination::new("b");
        let mut writer = site.index.writer().expect("a writer");
        let number = DestinationId::from_bytes([2; 16]);
        let bit = writer.destination_bit(&number).expect("a bit");
        writer.commit().expect("committed");
        let other = OpenDestination {
            name: "b".to_owned(),
            id: number,
            bit,
            place: Arc::new(place.clone()),
            neighbours: Neighbours::default(),
            ..site.target.clone()
        };
        let (keys, index, destinations) = (&site.keys, &site.index, vec![site.target.clone(), other]);
        let budget = Budget::new(96 << 20, None);
        let catch_up =
            CatchUp { keys, index, destinations: destinations.clone(), writer: OWN, budget, monitor: &Silent };
        catch_up.snapshot(&destinations[1], &site.id).expect("copied");
        place.get(&ObjectName::Snapshot(site.id), None).expect("it is there");
        let view = index.reader().expect("a view");
        let places = view.places(&site.chunk).expect("readable");
        let holds = |pack| pack != 1 && view.presence(pack).expect("readable") & bit != 0;
        assert!(places.iter().any(|place| holds(place.pack)), "and what it needs");
    }

    /// Another writer comes while this one, which was alone, stands still, waits for the grace, and deletes the pack.
    #[test]
    fn who_was_alone_notices_who_came_while_the_snapshot_was_written() {
        let site = site();
        let session = Announcement::Session;
        let session =
            CleaningRecord { writer: OTHER, number: 1, made: NOW, announcement: session, extra: Extra::new() };
        let session = session.encode().expect("a small record");
        let session = site.keys.seal_record(ObjectType::Cleaning, &session).expect("sealed");
        let (other, pack) = (site.place.clone(), ObjectName::Pack(site.pack));
        site.place.when_put(ObjectKind::Snapshots, move || {
            other.put(&ObjectName::Cleaning(ObjectHash::of(&session)), &session).expect("put");
            other.delete(&pack).expect("deleted");
        });
        assert!(matches!(site.commit(), Err(ReplicateError::Overtaken)));
    }
}
