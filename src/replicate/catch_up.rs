//! Everything one snapshot needs onto a destination that lacks some of it, then the snapshot.
//!
//! By need, not by union: for each chunk the snapshot needs that no pack on the destination holds, a pack that does is
//! copied, checked against its name. So what a destination never needed, or what was cleaned from it, does not come
//! back. No source is read again, and it can stop anywhere: what was copied stays and counts next time.

use std::collections::{BTreeSet, HashSet};

use super::rescue::Rescue;
use super::{Fetcher, OpenDestination, ReplicateError};
use crate::destination::{DestinationErrorKind, Put, Settle};
use crate::format::history::Merged;
use crate::format::id::{ChunkId, ChunkKind, SnapshotId, WriterId};
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::snapshot::Snapshot;
use crate::format::tree::{Node, NodeKind};
use crate::index::{DestinationBits, Index, IndexReader, PackNumber, SnapshotRow};
use crate::memory::Budget;
use crate::report::Monitor;
use crate::seal::Keys;
use crate::snapshot::{Marks, ReadError, TreeWalk, each_chunk, each_need};

/// Packs between two rounds of making them durable and remembering them.
const SETTLE_PACKS: usize = 32;

/// What was copied.
#[derive(Debug, Clone, Copy, Default)]
pub struct Copied {
    /// Snapshots.
    pub snapshots: u64,
    /// Packs.
    pub packs: u64,
    /// Bytes of packs.
    pub bytes: u64,
}

/// Copies to one destination from the others.
pub struct CatchUp<'a> {
    /// Opens trees.
    pub keys: &'a Keys,
    /// Says where things are, and learns what was copied.
    pub index: &'a Index,
    /// Where to copy from, the target among them or not.
    pub destinations: Vec<OpenDestination>,
    /// Who copies.
    pub writer: WriterId,
    /// What it may take.
    pub budget: Budget,
    /// Told how it goes.
    pub monitor: &'a dyn Monitor,
}

impl CatchUp<'_> {
    /// The snapshots and histories that are wanted, committed on some destination within reach, and not on `target`;
    /// newest first.
    ///
    /// # Errors
    /// [`ReplicateError::Index`].
    pub fn behind(&self, target: DestinationBits) -> Result<Vec<SnapshotId>, ReplicateError> {
        self.wanted(|row| row.committed & target == 0)
    }

    /// Those that are on `target`, and of which it is not known that everything they need is there too; newest first.
    ///
    /// # Errors
    /// [`ReplicateError::Index`].
    pub fn not_whole(&self, target: DestinationBits) -> Result<Vec<SnapshotId>, ReplicateError> {
        self.wanted(|row| row.committed & target != 0 && row.whole & target == 0)
    }

    fn wanted(&self, is_wanted: impl Fn(&SnapshotRow) -> bool) -> Result<Vec<SnapshotId>, ReplicateError> {
        let reachable = self.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b);
        let view = self.index.reader()?;
        let marks = Marks::load(&view)?;
        let (mut wanted, mut replaced) = (Vec::new(), BTreeSet::new());
        view.each_snapshot(|id, row| -> Result<(), ReplicateError> {
            let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
            if row.committed & reachable != 0 && snapshot.is_history() {
                replaced.extend(Merged::find(&snapshot.extra).map_err(ReadError::Format)?.histories);
            }
            if row.committed & reachable != 0 && is_wanted(&row) && marks.forgotten(&id).is_none() {
                wanted.push((snapshot.finished, snapshot.sequence, id));
            }
            Ok(())
        })?;
        // What a newer history within reach holds too is not copied on its own.
        wanted.retain(|(_, _, id)| !replaced.contains(id));
        wanted.sort_unstable();
        Ok(wanted.into_iter().rev().map(|(_, _, id)| id).collect())
    }

    /// Copies key slots, rings, configs and writers that `target` lacks, but for slots that were removed.
    ///
    /// # Errors
    /// [`ReplicateError::Destination`] when the target fails; a source that fails is passed over.
    pub fn heads(&self, target: &OpenDestination) -> Result<(), ReplicateError> {
        for kind in [ObjectKind::Keys, ObjectKind::Config, ObjectKind::Writers] {
            let mut present = HashSet::new();
            target.place.list(kind, None, &mut |name, _| {
                present.insert(name);
            })?;
            for source in self.destinations.iter().filter(|source| source.bit != target.bit) {
                let mut names = Vec::new();
                if source.place.list(kind, None, &mut |name, _| names.push(name)).is_err() {
                    continue;
                }
                for name in names {
                    let is_removed = matches!(&name, ObjectName::Slot(slot) if self.keys.is_removed(slot));
                    if is_removed || present.contains(&name) {
                        continue;
                    }
                    // Damage is never copied.
                    if let Ok(bytes) = source.place.get(&name, None)
                        && name.matches(&bytes)
                    {
                        self.put(target, &name, &bytes)?;
                        present.insert(name);
                    }
                }
            }
        }
        target.place.settle(Settle::Touched)?;
        Ok(())
    }

    /// Puts bytes that match their name. What is under that name and does not match it is damaged, and mended so; the old
    /// bytes stay until the new ones are durable.
    pub(super) fn put(&self, target: &OpenDestination, name: &ObjectName, bytes: &[u8]) -> Result<Put, ReplicateError> {
        match target.place.put(name, bytes) {
            Err(error) if error.kind == DestinationErrorKind::Damaged => {
                target.place.replace(name, bytes)?;
                self.monitor.note(&format!("{name} on {} was damaged and has been mended.", target.name));
                Ok(Put::Written)
            }
            result => Ok(result?),
        }
    }

    /// Brings one snapshot, with everything it needs, onto `target`. Where it is there, what it lacks there.
    ///
    /// # Errors
    /// [`ReplicateError`]; [`ReadError::Missing`] when a chunk is on no destination within reach. The snapshot is
    /// then not put onto the target.
    pub fn snapshot(&self, target: &OpenDestination, id: &SnapshotId) -> Result<Copied, ReplicateError> {
        let view = self.index.reader()?;
        let Some(row) = view.snapshot(id)? else { return Ok(Copied::default()) };
        if row.whole & target.bit != 0 {
            return Ok(Copied::default());
        }
        let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
        let mut copied = self.needs(&view, target, &snapshot)?;
        if row.committed & target.bit != 0 {
            self.note_whole(target, id)?;
            return Ok(copied);
        }
        self.commit(target, id)?;
        copied.snapshots = 1;
        Ok(copied)
    }

    /// Copies what a snapshot that is on `target` needs and `target` does not have any more, as far as it is anywhere;
    /// gives how many chunks are nowhere.
    ///
    /// # Errors
    /// [`ReplicateError`].
    pub fn complete(&self, target: &OpenDestination, id: &SnapshotId) -> Result<(Copied, u64), ReplicateError> {
        let view = self.index.reader()?;
        let Some(row) = view.snapshot(id)? else { return Ok((Copied::default(), 0)) };
        let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
        let fetcher = Fetcher::new(self.keys, &view, &self.destinations, self.budget);
        let mut copy = PackCopy::new(self, &view, target);
        let mut lost = 0;
        for root in &snapshot.roots {
            each_need_left(&fetcher, &root.node, &mut lost, &mut |kind, id, len| copy.need(kind, id, len))?;
        }
        copy.finish()?;
        let report = copy.report;
        if lost == 0 {
            self.note_whole(target, id)?;
        }
        Ok((report, lost))
    }

    /// Remembers that everything a snapshot on `target` needs is there.
    fn note_whole(&self, target: &OpenDestination, id: &SnapshotId) -> Result<(), ReplicateError> {
        let mut writer = self.index.writer()?;
        writer.update_snapshot(id, |row| row.whole |= target.bit & row.committed)?;
        Ok(writer.commit()?)
    }

    /// Copies what `snapshot` needs and `target` lacks, and makes it durable there.
    pub(super) fn needs(
        &self,
        view: &IndexReader,
        target: &OpenDestination,
        snapshot: &Snapshot,
    ) -> Result<Copied, ReplicateError> {
        let fetcher = Fetcher::new(self.keys, view, &self.destinations, self.budget);
        let bases = whole_roots(view, target.bit, snapshot.is_history())?;
        let mut copy = PackCopy::new(self, view, target);
        for root in &snapshot.roots {
            let base = bases.iter().rev().find(|(path, _)| *path == root.path).map(|(_, node)| node);
            each_need(&fetcher, base, &root.node, &mut |kind, id, len| copy.need(kind, id, len))?;
        }
        copy.finish()?;
        Ok(copy.report)
    }
}

/// The roots of the snapshots that are whole on the destination, oldest first.
fn whole_roots(
    view: &IndexReader,
    bit: DestinationBits,
    is_history: bool,
) -> Result<Vec<(Vec<u8>, Node)>, ReplicateError> {
    let mut newest: Option<Snapshot> = None;
    view.each_snapshot(|_, row| -> Result<(), ReplicateError> {
        if row.whole & bit != 0 {
            let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
            let is_newer = newest.as_ref().is_none_or(|newest| newest.finished < snapshot.finished);
            if is_newer && snapshot.is_history() == is_history {
                newest = Some(snapshot);
            }
        }
        Ok(())
    })?;
    Ok(newest.map_or_else(Vec::new, |snapshot| snapshot.roots.into_iter().map(|root| (root.path, root.node)).collect()))
}

struct PackCopy<'a> {
    catch_up: &'a CatchUp<'a>,
    view: &'a IndexReader,
    target: &'a OpenDestination,
    copied: HashSet<PackNumber>,
    rescue: Rescue<'a>,
    unsettled: Vec<PackNumber>,
    report: Copied,
}

/// Gives every chunk that `node` needs, and goes on where one is lost or a folder cannot be read; both are counted.
fn each_need_left(
    fetcher: &Fetcher<'_>,
    node: &Node,
    lost: &mut u64,
    each: &mut dyn FnMut(ChunkKind, &ChunkId, u32) -> Result<(), ReplicateError>,
) -> Result<(), ReplicateError> {
    let mut need = |kind: ChunkKind, id: &ChunkId, len: u32| match each(kind, id, len) {
        Err(ReplicateError::Read(ReadError::Missing { .. } | ReadError::Damaged { .. })) => {
            *lost += 1;
            Ok(())
        }
        result => result,
    };
    let mut walk = |node: &Node| {
        let result = match &node.kind {
            NodeKind::File(recipe) => each_chunk(fetcher, ChunkKind::Data, recipe, &mut need),
            NodeKind::Folder(recipe) => each_chunk(fetcher, ChunkKind::Tree, recipe, &mut need),
            _ => Ok(()),
        };
        match result {
            // A list of chunks that cannot be read was counted when it was asked for.
            Err(ReplicateError::Read(ReadError::Missing { .. } | ReadError::Damaged { .. })) => Ok(()),
            result => result,
        }
    };
    walk(node)?;
    let Some(recipe) = node.folder() else { return Ok(()) };
    let mut unread = 0;
    for (_, below) in TreeWalk::new(fetcher, recipe) {
        match below {
            Ok(node) => walk(&node)?,
            // What counts as stored may turn out damaged only now.
            Err(ReadError::Missing { .. } | ReadError::Damaged { .. }) => unread += 1,
            Err(error) => return Err(error.into()),
        }
    }
    *lost += unread;
    Ok(())
}

impl<'a> PackCopy<'a> {
    fn new(catch_up: &'a CatchUp<'a>, view: &'a IndexReader, target: &'a OpenDestination) -> Self {
        Self {
            catch_up,
            view,
            target,
            copied: HashSet::new(),
            rescue: Rescue::new(catch_up, view, target),
            unsettled: Vec::new(),
            report: Copied::default(),
        }
    }

    fn need(&mut self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<(), ReplicateError> {
        let places = self.view.places(id)?;
        for place in &places {
            let is_there = self.copied.contains(&place.pack) || self.view.presence(place.pack)? & self.target.bit != 0;
            if is_there {
                return Ok(());
            }
        }
        if self.catch_up.monitor.should_stop() {
            return Err(ReplicateError::Interrupted);
        }
        let mut reasons = Vec::new();
        for place in &places {
            if self.copy(place.pack, &mut reasons)? {
                return Ok(());
            }
        }
        if self.rescue.chunk(kind, id, len, &places)? {
            return Ok(());
        }
        if reasons.is_empty() {
            return Err(ReadError::Missing { id: *id }.into());
        }
        Err(ReadError::Damaged { id: *id, reasons }.into())
    }

    fn finish(&mut self) -> Result<(), ReplicateError> {
        self.rescue.finish()?;
        self.settle()
    }

    /// Copies one pack from the first destination that has it whole; false where none does.
    fn copy(&mut self, pack: PackNumber, reasons: &mut Vec<String>) -> Result<bool, ReplicateError> {
        let info = self.view.pack(pack)?;
        let presence = self.view.presence(pack)?;
        let name = ObjectName::Pack(info.id);
        // It is on the target, and another writer is going to delete it there.
        if self.target.neighbours.has_condemned(&info.id) {
            return Ok(false);
        }
        for source in &self.catch_up.destinations {
            if source.bit & presence == 0 || source.bit == self.target.bit {
                continue;
            }
            let bytes = match source.place.get(&name, None) {
                Ok(bytes) if name.matches(&bytes) => bytes,
                Ok(_) => {
                    reasons.push(format!("{name} on {} does not match its name", source.name));
                    continue;
                }
                Err(error) => {
                    reasons.push(error.to_string());
                    continue;
                }
            };
            if self.catch_up.put(self.target, &name, &bytes)? == Put::Written {
                self.report.packs += 1;
                self.report.bytes += bytes.len() as u64;
            }
            self.catch_up.monitor.advance(1, bytes.len() as u64);
            self.copied.insert(pack);
            self.unsettled.push(pack);
            if self.unsettled.len() >= SETTLE_PACKS {
                self.settle()?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn settle(&mut self) -> Result<(), ReplicateError> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        self.target.place.settle(Settle::Touched)?;
        let mut writer = self.catch_up.index.writer()?;
        writer.set_present(self.unsettled.drain(..), self.target.bit, true)?;
        writer.commit()?;
        Ok(())
    }
}
