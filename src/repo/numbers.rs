//! Version numbers that must not be given again.
//!
//! A path keeps its number in every snapshot that has it. What is deleted leaves the newest snapshot, so its number is
//! kept in the index: a run writes it when it sees the deletion. Here the same is done for snapshots this index did not
//! see being made: after a rebuild, after `connect`, and when a destination comes back with snapshots of another line
//! (a stick that was away while its machine was lost); of those, every number they gave counts.

use super::lineage::decode;
use super::{Marks, Repo};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::snapshot::Snapshot;
use crate::format::tree::{Node, NodeKind};
use crate::index::{IndexReader, SnapshotRow};
use crate::paths;
use crate::report::Monitor;
use crate::snapshot::history::each_number;
use crate::snapshot::versions::{each_version_below, each_version_gone};
use crate::snapshot::{ReadError, find_node, path_hash};

/// Numbers in memory before they are written.
const BATCH: usize = 50_000;
/// What marks say of snapshots that are gone could form a ring.
const STEPS_MAX: usize = 1 << 20;

/// Accounts for every snapshot that was not yet. False where one could not be read; it is tried again next time, and
/// until then no number at or below the ceiling is given to a new path.
pub(super) fn count(repo: &Repo, monitor: &dyn Monitor) -> Result<bool, Error> {
    let view = repo.index.reader()?;
    let mut open = Vec::new();
    view.each_snapshot(|id, row| -> Result<(), Error> {
        if !row.is_counted {
            open.push(id);
        }
        Ok(())
    })?;
    if open.is_empty() {
        return Ok(true);
    }
    let line = repo.lineage(&view)?;
    let marks = repo.marks(&view)?;
    let mut is_complete = true;
    for id in open {
        let Some(row) = view.snapshot(&id)? else { continue };
        let is_ours = line.chain.iter().any(|known| known.id == id);
        match count_one(repo, &view, &id, &row, &marks, is_ours) {
            Ok(()) => {
                let mut writer = repo.index.writer()?;
                writer.update_snapshot(&id, |row| row.is_counted = true)?;
                writer.commit()?;
            }
            Err(Error::Read(error)) => {
                monitor.note(&format!("Snapshot {} could not be read whole: {error}.", id.short()));
                is_complete = false;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(is_complete)
}

fn count_one(
    repo: &Repo,
    view: &IndexReader,
    id: &SnapshotId,
    row: &SnapshotRow,
    marks: &Marks,
    is_ours: bool,
) -> Result<(), Error> {
    let snapshot = decode(id, &row.record)?;
    if snapshot.is_history() {
        return count_history(repo, view, &snapshot);
    }
    let previous = previous(view, &snapshot, marks)?;
    let fetcher = repo.fetcher(view);
    let mut batch = Vec::new();
    let mut result: Result<(), Error> = Ok(());
    for (path, before, after) in pairs(previous.as_ref(), &snapshot) {
        let mut each = |relative: &[u8], number: u32| {
            batch.push((path_hash(path, relative), number));
            if batch.len() >= BATCH && result.is_ok() {
                result = write(repo, view, &mut batch);
            }
        };
        if let Some(before) = before {
            each_version_gone(&fetcher, b"", before, after, &mut each)?;
        }
        if !is_ours {
            each_version_below(&fetcher, b"", after, &mut each)?;
        }
    }
    result?;
    write(repo, view, &mut batch)
}

/// The nearest snapshot before this one that is still there.
fn previous(view: &IndexReader, snapshot: &Snapshot, marks: &Marks) -> Result<Option<Snapshot>, Error> {
    let (mut next, mut steps) = (snapshot.previous, 0);
    while let Some(id) = next {
        if let Some(row) = view.snapshot(&id)? {
            return decode(&id, &row.record).map(Some);
        }
        steps += 1;
        next = marks.place(&id).and_then(|place| place.previous).filter(|_| steps < STEPS_MAX);
    }
    Ok(None)
}

/// A history knows the highest number of every path it tells of.
fn count_history(repo: &Repo, view: &IndexReader, history: &Snapshot) -> Result<(), Error> {
    let fetcher = repo.fetcher(view);
    let mut batch = Vec::new();
    for root in &history.roots {
        let mut result: Result<(), Error> = Ok(());
        each_number(&fetcher, &root.node, &mut |below, number| {
            batch.push((path_hash(&root.path, below), number));
            if batch.len() >= BATCH && result.is_ok() {
                result = write(repo, view, &mut batch);
            }
        })?;
        result?;
    }
    write(repo, view, &mut batch)
}

/// The sources both have, and those only the newer one has.
fn pairs<'a>(
    previous: Option<&'a Snapshot>,
    snapshot: &'a Snapshot,
) -> impl Iterator<Item = (&'a [u8], Option<&'a Node>, &'a Node)> {
    snapshot.roots.iter().map(move |root| {
        let before = previous.and_then(|previous| previous.root(&root.path)).map(|root| &root.node);
        (root.path.as_slice(), before, &root.node)
    })
}

/// Nothing that was counted before is asked for, so the view may go on with the index, and does not keep old pages in it.
fn write(repo: &Repo, view: &IndexReader, batch: &mut Vec<([u8; 32], u32)>) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut writer = repo.index.writer()?;
    writer.retire(batch.drain(..))?;
    writer.commit()?;
    Ok(view.renew(&repo.index)?)
}

/// The node a snapshot has at an absolute path, with the root it is below.
pub(super) fn node_at(
    source: &dyn crate::snapshot::ChunkSource,
    snapshot: &Snapshot,
    path: &[u8],
) -> Result<Option<(Vec<u8>, Node)>, ReadError> {
    // The deepest source that contains the path: one source may lie inside another.
    let mut roots: Vec<_> =
        snapshot.roots.iter().filter_map(|root| Some((root, paths::below(&root.path, path)?))).collect();
    roots.sort_by_key(|(root, _)| std::cmp::Reverse(root.path.len()));
    for (root, components) in roots {
        if !components.is_empty() && !matches!(root.node.kind, NodeKind::Folder(_)) {
            continue;
        }
        if let Some(node) = find_node(source, &root.node, &components)? {
            return Ok(Some((root.path.clone(), node)));
        }
    }
    Ok(None)
}
