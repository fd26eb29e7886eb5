//! New snapshots for old ones: written, committed, and put in their place by one mark.
//!
//! Beside other machines what was written may not count: one of them cleaned away what it needs (invariant I19), or replaced
//! the same snapshots. Then it is withdrawn by a mark, and all is to be done again from what is there now.

use std::collections::{HashMap, HashSet};

use crate::error::Error;
use crate::format::history::Merged;
use crate::format::id::SnapshotId;
use crate::format::mark::{Action, ForgetReason, Forgotten};
use crate::format::sealed::ObjectType;
use crate::format::snapshot::{Root, Snapshot};
use crate::index::{IndexReader, SnapshotRow};
use crate::paths;
use crate::replicate::{Fetcher, OpenDestination, ReplicateError};
use crate::repo::store::Store;
use crate::repo::{KnownSnapshot, Repo};
use crate::report::Monitor;
use crate::snapshot::{self, ReadError, history, place_of};

/// A snapshot that stands for another.
pub(super) struct New {
    id: SnapshotId,
    row: SnapshotRow,
}

/// New snapshots for old ones, oldest first, so that each can name the one it goes on from.
pub(super) fn replace_all(
    repo: &Repo,
    view: &IndexReader,
    fetcher: &Fetcher<'_>,
    concerned: Vec<KnownSnapshot>,
    path: &[u8],
    store: &mut Store<'_>,
) -> Result<Vec<(New, Forgotten)>, Error> {
    let mut replaced: Vec<(New, Forgotten)> = Vec::new();
    let mut by_old: HashMap<SnapshotId, SnapshotId> = HashMap::new();
    for known in concerned {
        let mut roots = Vec::with_capacity(known.snapshot.roots.len());
        for root in &known.snapshot.roots {
            roots.extend(without(repo, fetcher, &known.snapshot, root, path, store)?);
        }
        let mut snapshot = Snapshot { roots, ..known.snapshot.clone() };
        if let Some(previous) = snapshot.previous {
            snapshot.previous = Some(by_old.get(&previous).copied().unwrap_or(previous));
        }
        if snapshot.is_history() {
            let mut merged = Merged::find(&snapshot.extra).map_err(ReadError::Format)?;
            merged.histories.insert(0, known.id);
            let (tag, bytes) = merged.encode().map_err(ReadError::Format)?;
            snapshot.extra.retain(|(known, _)| *known != tag);
            snapshot.extra.push((tag, bytes));
        }
        let new = seal(repo, view, &snapshot)?;
        by_old.insert(known.id, new.id);
        // Whoever follows the chain finds the new one in the place of the old one.
        let place = Forgotten { previous: Some(new.id), ..place_of(known.id, &known.snapshot) };
        replaced.push((new, place));
    }
    Ok(replaced)
}

/// A root without the path; none where it is the root itself.
fn without(
    repo: &Repo,
    fetcher: &Fetcher<'_>,
    snapshot: &Snapshot,
    root: &Root,
    path: &[u8],
    store: &mut Store<'_>,
) -> Result<Option<Root>, Error> {
    let Some(components) = paths::below(&root.path, path) else { return Ok(Some(root.clone())) };
    if components.is_empty() {
        return Ok(None);
    }
    let node = if snapshot.is_history() {
        history::without(fetcher, &root.node, &components, &repo.chunker, store)?
    } else {
        snapshot::without(fetcher, &root.node, &components, &repo.chunker, store)?
    };
    Ok(Some(Root { node: node.unwrap_or_else(|| root.node.clone()), ..root.clone() }))
}

/// The sealed record. A run that was cut off before its mark left the same record under a name of its own: that is taken.
fn seal(repo: &Repo, view: &IndexReader, snapshot: &Snapshot) -> Result<New, Error> {
    let format = |source| Error::Format { object: "snapshot".to_owned(), source };
    snapshot.validate().map_err(format)?;
    let record = snapshot.encode().map_err(format)?;
    let (mut same, marks) = (None, repo.marks(view)?);
    view.each_snapshot(|id, row| -> Result<(), Error> {
        // Not one that was withdrawn.
        if row.record == record && marks.forgotten(&id).is_none() {
            same = Some(New { id, row });
        }
        Ok(())
    })?;
    if let Some(same) = same {
        return Ok(same);
    }
    let stored = repo.keys.seal_record(ObjectType::Snapshot, &record)?;
    let row = SnapshotRow { committed: 0, whole: 0, seen: 0, is_counted: true, record, stored };
    Ok(New { id: SnapshotId::of(&row.stored), row })
}

/// Commits on a destination what replaces something that is there.
fn commit(
    repo: &Repo,
    destination: &OpenDestination,
    replaced: &[(New, Forgotten)],
    committed: &mut HashSet<SnapshotId>,
    monitor: &dyn Monitor,
) -> Result<(), ReplicateError> {
    let catch_up = repo.catch_up(monitor).map_err(|_| ReplicateError::Interrupted)?;
    for (new, old) in replaced {
        let is_there = repo.index.reader()?.snapshot(&old.id)?.is_some_and(|row| row.committed & destination.bit != 0);
        if is_there {
            catch_up.snapshot(destination, &new.id)?;
            committed.insert(new.id);
        }
    }
    Ok(())
}

/// What was decided about old snapshots holds for the new ones. Before the old ones are forgotten: what is pinned is so at
/// every moment.
fn carry_decisions(repo: &mut Repo, replaced: &[(New, Forgotten)]) -> Result<(), Error> {
    let marks = repo.marks(&repo.index.reader()?)?;
    for (new, old) in replaced {
        let Some(decision) = marks.get(&old.id) else { continue };
        let snapshot = new.id;
        if decision.is_pinned {
            repo.decide(Action::Pin { snapshot, is_pinned: true })?;
        }
        if !decision.note.is_empty() {
            repo.decide(Action::Note { snapshot, text: decision.note.clone() })?;
        }
        if decision.is_accepted {
            repo.decide(Action::Accept { snapshot })?;
        }
        // Of a tag, the last word counts.
        let is_last = |at: usize, tag: &String| !decision.tags[at + 1..].iter().any(|(later, _)| later == tag);
        let tags = |is_added| -> Vec<String> {
            let tags =
                decision.tags.iter().enumerate().filter(|(at, (tag, known))| *known == is_added && is_last(*at, tag));
            tags.map(|(_, (tag, _))| tag.clone()).collect()
        };
        let (add, remove) = (tags(true), tags(false));
        if !add.is_empty() || !remove.is_empty() {
            repo.decide(Action::Tag { snapshot, add, remove })?;
        }
    }
    Ok(())
}

/// What came of new snapshots.
#[derive(Default)]
pub(super) struct InPlace {
    /// Old ones that are replaced, with the new ones.
    pub replaced: Vec<(SnapshotId, SnapshotId)>,
    /// Destinations where it could not be done, with the reason.
    pub failed: Vec<(String, String)>,
    /// Whether another machine cleaned away what some of them need, or replaced the same ones, meanwhile.
    pub is_overtaken: bool,
}

/// Commits the new ones, and then forgets the old ones of which that is done somewhere. The others are withdrawn: in their
/// place are still the old ones, or what another machine put there. Where it may be looked again, another machine may have
/// moved what cannot be read.
pub(super) fn put_in_place(
    repo: &mut Repo,
    members: &[OpenDestination],
    replaced: Vec<(New, Forgotten)>,
    may_look_again: bool,
    monitor: &dyn Monitor,
) -> Result<InPlace, Error> {
    for (new, ..) in &replaced {
        let mut writer = repo.index.writer()?;
        if repo.index.reader()?.snapshot(&new.id)?.is_none() {
            writer.put_snapshot(&new.id, &new.row)?;
        }
        writer.commit()?;
    }
    let mut outcome = InPlace::default();
    let mut committed = HashSet::new();
    for destination in members {
        match commit(repo, destination, &replaced, &mut committed, monitor) {
            Ok(()) => {}
            Err(ReplicateError::Index(error)) => return Err(error.into()),
            Err(ReplicateError::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                outcome.is_overtaken |= matches!(error, ReplicateError::Overtaken);
                outcome.is_overtaken |= may_look_again && matches!(error, ReplicateError::Read(_));
                outcome.failed.push((destination.name.clone(), error.to_string()));
            }
        }
    }
    // One that is there and not whole would stand for what is.
    if outcome.is_overtaken {
        committed.clear();
    }
    let marks = repo.marks(&repo.index.reader()?)?;
    let is_replaced = |id: &SnapshotId| marks.forgotten(id) == Some(ForgetReason::Replaced);
    // Another machine that purges the same may have found this one.
    let is_in_place = |new: &New, old: &Forgotten| {
        is_replaced(&old.id) && marks.place(&old.id).is_some_and(|place| place.previous == Some(new.id))
    };
    // Or another one is in the place of the old one, or somebody who saw both forgot the new one.
    let is_taken = |new: &New, old: &Forgotten| {
        !is_in_place(new, old) && (is_replaced(&old.id) || marks.forgotten(&new.id).is_some())
    };
    outcome.is_overtaken |= replaced.iter().any(|(new, old)| is_taken(new, old));
    let is_done =
        |(new, old): &(New, Forgotten)| !is_taken(new, old) && (committed.contains(&new.id) || is_in_place(new, old));
    let (done, undone): (Vec<_>, Vec<_>) = replaced.into_iter().partition(is_done);
    carry_decisions(repo, &done)?;
    forget(repo, &done, &undone)?;
    outcome.replaced = done.iter().map(|(new, old)| (old.id, new.id)).collect();
    Ok(outcome)
}

/// Forgets the old ones; the new ones too where the old one was forgotten already, or meanwhile.
fn forget(repo: &mut Repo, done: &[(New, Forgotten)], undone: &[(New, Forgotten)]) -> Result<(), Error> {
    let marks = repo.marks(&repo.index.reader()?)?;
    for reason in [ForgetReason::Rule, ForgetReason::Hand] {
        let mut snapshots = Vec::new();
        for (new, _) in done.iter().filter(|(_, old)| marks.forgotten(&old.id) == Some(reason)) {
            snapshots.push(place_of(new.id, &Snapshot::decode(&new.row.record).map_err(ReadError::Format)?));
        }
        if !snapshots.is_empty() {
            repo.decide(Action::Forget { reason, snapshots })?;
        }
    }
    let old = done.iter().map(|(_, old)| *old);
    // Others may go on from a new one that does not count, and it may be there all the same.
    let withdrawn = undone.iter().map(|(new, old)| Forgotten { id: new.id, previous: Some(old.id), ..*old });
    let snapshots: Vec<Forgotten> = old.chain(withdrawn).collect();
    if !snapshots.is_empty() {
        repo.decide(Action::Forget { reason: ForgetReason::Replaced, snapshots })?;
    }
    let view = repo.index.reader()?;
    let mut writer = repo.index.writer()?;
    for (new, _) in undone {
        if view.snapshot(&new.id)?.is_some_and(|row| row.committed == 0) {
            writer.remove_snapshot(&new.id)?;
        }
    }
    Ok(writer.commit()?)
}
