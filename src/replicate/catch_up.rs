//! Everything one snapshot needs onto a destination that lacks some of it, then the snapshot.
//!
//! By need, not by union: for each chunk the snapshot needs that no pack on the destination holds, a pack that does is
//! copied, checked against its name. So what a destination never needed, or what was cleaned from it, does not come
//! back. No source is read again, and it can stop anywhere: what was copied stays and counts next time.

use std::collections::HashSet;

use super::{Fetcher, OpenDestination, ReplicateError};
use crate::destination::{DestinationError, DestinationErrorKind, Put, Settle};
use crate::format::id::{ChunkId, SnapshotId};
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::snapshot::Snapshot;
use crate::format::tree::Node;
use crate::index::{DestinationBits, Index, IndexReader, PackNumber};
use crate::monitor::Monitor;
use crate::seal::Keys;
use crate::snapshot::{ReadError, each_need};

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
    pub destinations: &'a [OpenDestination],
    /// Told how it goes.
    pub monitor: &'a dyn Monitor,
}

impl CatchUp<'_> {
    /// The snapshots that are committed on some destination within reach and not on `target`, newest first.
    ///
    /// # Errors
    /// [`ReplicateError::Index`].
    pub fn behind(&self, target: DestinationBits) -> Result<Vec<SnapshotId>, ReplicateError> {
        let reachable = self.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b);
        let mut missing = Vec::new();
        self.index.reader()?.each_snapshot(|id, row| -> Result<(), ReplicateError> {
            if row.committed & target == 0 && row.committed & reachable != 0 {
                let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
                missing.push((snapshot.finished, snapshot.sequence, id));
            }
            Ok(())
        })?;
        missing.sort_unstable();
        Ok(missing.into_iter().rev().map(|(_, _, id)| id).collect())
    }

    /// Copies key slots, rings, configs and writers that `target` lacks.
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
                    if present.contains(&name) {
                        continue;
                    }
                    // Damage is never copied.
                    if let Ok(bytes) = source.place.get(&name, None)
                        && name.matches(&bytes)
                    {
                        target.place.put(&name, &bytes)?;
                        present.insert(name);
                    }
                }
            }
        }
        target.place.settle(Settle::Touched)?;
        Ok(())
    }

    /// Brings one snapshot, with everything it needs, onto `target`.
    ///
    /// # Errors
    /// [`ReplicateError`]; [`ReadError::Missing`] when a chunk is on no destination within reach. The snapshot is
    /// then not on the target.
    pub fn snapshot(&self, target: &OpenDestination, id: &SnapshotId) -> Result<Copied, ReplicateError> {
        let view = self.index.reader()?;
        let Some(row) = view.snapshot(id)? else { return Ok(Copied::default()) };
        if row.committed & target.bit != 0 {
            return Ok(Copied::default());
        }
        let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
        let mut copied = self.needs(&view, target, &snapshot)?;
        commit(self.index, target, id, &row.stored)?;
        copied.snapshots = 1;
        Ok(copied)
    }

    /// Copies what `snapshot` needs and `target` lacks, and makes it durable there.
    fn needs(
        &self,
        view: &IndexReader,
        target: &OpenDestination,
        snapshot: &Snapshot,
    ) -> Result<Copied, ReplicateError> {
        let fetcher = Fetcher::new(self.keys, view, self.destinations);
        let bases = whole_roots(view, target.bit)?;
        let mut copy = PackCopy {
            catch_up: self,
            view,
            target,
            copied: HashSet::new(),
            unsettled: Vec::new(),
            report: Copied::default(),
        };
        for root in &snapshot.roots {
            let base = bases.iter().rev().find(|(path, _)| *path == root.path).map(|(_, node)| node);
            each_need(&fetcher, base, &root.node, &mut |_, id, _| copy.need(id))?;
        }
        copy.settle()?;
        Ok(copy.report)
    }
}

/// The roots of the snapshots that are whole on the destination, oldest first.
fn whole_roots(view: &IndexReader, bit: DestinationBits) -> Result<Vec<(Vec<u8>, Node)>, ReplicateError> {
    let mut newest: Option<Snapshot> = None;
    view.each_snapshot(|_, row| -> Result<(), ReplicateError> {
        if row.whole & bit != 0 {
            let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
            if newest.as_ref().is_none_or(|newest| newest.finished < snapshot.finished) {
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
    unsettled: Vec<PackNumber>,
    report: Copied,
}

impl PackCopy<'_> {
    fn need(&mut self, id: &ChunkId) -> Result<(), ReplicateError> {
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
        if reasons.is_empty() {
            return Err(ReadError::Missing { id: *id }.into());
        }
        Err(ReadError::Damaged { id: *id, reasons }.into())
    }

    /// Copies one pack from the first destination that has it whole; false where none does.
    fn copy(&mut self, pack: PackNumber, reasons: &mut Vec<String>) -> Result<bool, ReplicateError> {
        let info = self.view.pack(pack)?;
        let presence = self.view.presence(pack)?;
        let name = ObjectName::Pack(info.id);
        for source in self.catch_up.destinations {
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
            if self.target.place.put(&name, &bytes)? == Put::Written {
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

/// Writes a snapshot whose packs are all on the destination: the commit point (docs/format.md §16).
///
/// # Errors
/// [`ReplicateError`]; the snapshot then counts as not committed, even if its file is there.
pub fn commit(index: &Index, target: &OpenDestination, id: &SnapshotId, stored: &[u8]) -> Result<(), ReplicateError> {
    // Another run may have died between naming a pack and making the name durable.
    if index.reader()?.has_unsettled(target.bit)? {
        target.place.settle(Settle::Everything)?;
        let mut writer = index.writer()?;
        writer.settle_all(target.bit)?;
        writer.commit()?;
    } else {
        target.place.settle(Settle::Touched)?;
    }
    target.place.check_place()?;
    target.place.put(&ObjectName::Snapshot(*id), stored)?;
    target.place.settle(Settle::Touched)?;
    target.place.check_place()?;
    let mut writer = index.writer()?;
    let is_known = writer.update_snapshot(id, |row| {
        row.committed |= target.bit;
        row.whole |= target.bit;
    })?;
    if !is_known {
        return Err(ReplicateError::Destination(DestinationError::new(
            DestinationErrorKind::Other,
            format!("remember snapshot {id}"),
            target.place.describe(),
            "it is not in the index",
        )));
    }
    writer.commit()?;
    Ok(())
}
