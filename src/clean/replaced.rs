//! Snapshots and histories that nobody wants any more, and those among them that stay: what stands in their place is not
//! there yet.
//!
//! A mark forgets what a purge replaced on every destination, also on one that was away, or had no room, when the new ones
//! were committed. There the old one is all there is of what was not purged: it stays until the new one is there (invariant
//! I15). Cleaning brings the new one where it can: all it needs besides its trees is there already.

use std::collections::HashSet;

use super::plan::Plan;
use crate::error::Error;
use crate::format::history::Merged;
use crate::format::id::{ChunkKind, SnapshotId};
use crate::format::mark::ForgetReason;
use crate::format::snapshot::Snapshot;
use crate::index::{DestinationBits, IndexReader};
use crate::replicate::OpenDestination;
use crate::repo::{KnownSnapshot, Repo};
use crate::report::Monitor;
use crate::snapshot::{ChunkSink, ChunkSource, ReadError, each_need};

/// What of a destination nobody wants any more.
#[derive(Default)]
pub(super) struct Unwanted {
    /// What goes.
    pub going: HashSet<SnapshotId>,
    /// What was purged and stays, each with what has to be there first.
    waiting: Vec<(SnapshotId, SnapshotId)>,
}

impl Unwanted {
    /// Why something stays, as a sentence without a full stop; none where nothing does.
    pub(super) fn why_not_all(&self) -> Option<String> {
        let first = self.waiting.first()?.0.short();
        Some(format!(
            "snapshot {first}, which a purge replaced, stays until the one in its place is here too: run `cryptbackup sync` \
             when another destination is there, or give it up with `cryptbackup forget {first}`"
        ))
    }
}

impl Plan {
    /// What a person, or what stands for it now, said is not wanted, of what is on a destination, whoever wrote it.
    pub(super) fn unwanted(&self, repo: &Repo, destination: &OpenDestination) -> Result<Unwanted, Error> {
        let view = repo.index.reader()?;
        let mut there = repo.committed(&view, |_, _| true)?;
        there.retain(|known| known.committed & destination.bit != 0);
        let mut unwanted = Unwanted::default();
        for known in there.iter().filter(|known| self.is_forgotten_by_hand(&known.id)) {
            match self.waits_for(repo, &view, destination.bit, &known.id)? {
                Some(other) => unwanted.waiting.push((known.id, other)),
                None if self.is_alone_of_its_run(&view, known, &there)? => {}
                None => {
                    unwanted.going.insert(known.id);
                }
            }
        }
        Ok(unwanted)
    }

    /// The same of one that may be damaged.
    pub(super) fn is_unwanted_on(
        &self,
        repo: &Repo,
        view: &IndexReader,
        destination: &OpenDestination,
        id: &SnapshotId,
    ) -> Result<bool, Error> {
        Ok(self.is_forgotten_by_hand(id) && self.waits_for(repo, view, destination.bit, id)?.is_none())
    }

    /// Whether something is among these that a purge replaced.
    pub(super) fn has_purged(&self, view: &IndexReader, going: &HashSet<SnapshotId>) -> Result<bool, Error> {
        for id in going {
            if self.marks.forgotten(id) == Some(ForgetReason::Replaced) && self.marks.in_place_of(view, id)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What has to be on a destination before something that was purged may be deleted there; none where it may be.
    fn waits_for(
        &self,
        repo: &Repo,
        view: &IndexReader,
        bit: DestinationBits,
        id: &SnapshotId,
    ) -> Result<Option<SnapshotId>, Error> {
        let (mut last, mut passed) = (*id, HashSet::from([*id]));
        while self.marks.forgotten(&last) == Some(ForgetReason::Replaced) {
            // Nothing proves that the links form no ring.
            let Some(next) = self.marks.in_place_of(view, &last)?.filter(|next| passed.insert(*next)) else { break };
            if view.snapshot(&next)?.is_some_and(|row| row.committed & row.whole & bit != 0) {
                return Ok(None);
            }
            last = next;
        }
        if last == *id {
            return Ok(None);
        }
        let is_kept_otherwise = match self.marks.forgotten(&last) {
            None => false,
            Some(ForgetReason::Hand) => true,
            // It is not brought any more. What is kept of it is in what other destinations have instead.
            Some(ForgetReason::Rule | ForgetReason::Replaced) => self.lacks_nothing(repo, view, bit)?,
        };
        Ok((!is_kept_otherwise).then_some(last))
    }

    /// Whether a destination has everything in force that is anywhere.
    fn lacks_nothing(&self, repo: &Repo, view: &IndexReader, bit: DestinationBits) -> Result<bool, Error> {
        let (mut lacking, mut merged) = (Vec::new(), HashSet::new());
        view.each_snapshot(|id, row| -> Result<(), Error> {
            if row.committed & bit != 0 {
                let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
                merged.extend(Merged::find(&snapshot.extra).map_err(ReadError::Format)?.histories);
            } else if row.committed != 0 && self.marks.forgotten(&id).is_none() {
                lacking.push(id);
            }
            Ok(())
        })?;
        Ok(repo.unreachable.is_empty() && lacking.iter().all(|id| merged.contains(id)))
    }

    /// Whether a partial snapshot is on a destination without the later one that stands for it.
    fn is_alone_of_its_run(
        &self,
        view: &IndexReader,
        partial: &KnownSnapshot,
        there: &[KnownSnapshot],
    ) -> Result<bool, Error> {
        let is_retired = self.marks.forgotten(&partial.id) == Some(ForgetReason::Replaced)
            && partial.snapshot.is_partial()
            && self.marks.in_place_of(view, &partial.id)?.is_none();
        let is_later = |later: &&KnownSnapshot| {
            let (own, other) = (&partial.snapshot, &later.snapshot);
            let of_same_writer = other.writer == own.writer && other.sequence > own.sequence;
            let of_same_line = self.line.has_passed(&partial.id) && self.line.has_passed(&later.id);
            !other.is_history() && (of_same_writer || (of_same_line && other.finished > own.finished))
        };
        let in_force = || there.iter().filter(|known| self.marks.forgotten(&known.id).is_none());
        Ok(is_retired && !in_force().any(|later| is_later(&later)))
    }
}

/// Brings what purged snapshots and histories wait for, where its trees can be had. Where they cannot, cleaning says so.
///
/// # Errors
/// What ends the whole run.
pub(super) fn bring(repo: &Repo, plan: &Plan, monitor: &dyn Monitor) -> Result<(), Error> {
    for destination in &repo.destinations {
        for (old, new) in plan.unwanted(repo, destination)?.waiting {
            // What is out of reach today may be there tomorrow.
            let brought = bring_one(repo, destination, (&old, &new), monitor);
            if let Err(error @ (Error::Interrupted | Error::Index { .. })) = brought {
                return Err(error);
            }
        }
    }
    Ok(())
}

fn bring_one(
    repo: &Repo,
    destination: &OpenDestination,
    (old, new): (&SnapshotId, &SnapshotId),
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let view = repo.index.reader()?;
    let record = |id| -> Result<Option<Snapshot>, Error> {
        let row = view.snapshot(id)?.filter(|row| row.committed != 0);
        Ok(row.map(|row| Snapshot::decode(&row.record)).transpose().map_err(ReadError::Format)?)
    };
    let (Some(old), Some(snapshot)) = (record(old)?, record(new)?) else { return Ok(()) };
    let fetcher = repo.fetcher(&view);
    let mut store = repo.store_moved(&view, std::slice::from_ref(destination), monitor)?;
    let put = snapshot.roots.iter().try_for_each(|root| {
        let base = old.root(&root.path).map(|root| &root.node);
        each_need(&fetcher, base, &root.node, &mut |kind, id, len| match kind {
            ChunkKind::Tree => store.put_tree_chunk(&fetcher.chunk(kind, id, len)?).map(drop),
            ChunkKind::Data => Ok(()),
        })
    });
    if let Err(error) = put {
        store.abandon();
        return Err(error);
    }
    store.finish()?;
    drop(view);
    repo.catch_up(monitor)?.snapshot(destination, new)?;
    Ok(())
}
