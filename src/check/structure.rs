//! Snapshots, trees and the presence of packs, on one destination for itself.

use std::collections::HashSet;

use super::{DestinationChecked, Findings, Severity, small};
use crate::error::Error;
use crate::format::history::Merged;
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::layout::ObjectName;
use crate::format::snapshot::{Root, Snapshot};
use crate::format::tree::{Node, NodeKind};
use crate::index::{DestinationBits, IndexReader};
use crate::replicate::{Fetcher, OpenDestination};
use crate::repo::Repo;
use crate::report::Monitor;
use crate::snapshot::{ReadError, TreeWalk, each_chunk, each_need};

/// Paths named where something is lost.
const PATHS_SHOWN: usize = 10;

/// Ends a walk at the first thing that makes going on pointless.
enum Stop {
    Interrupted,
    Read(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

pub(super) fn check(
    repo: &Repo,
    destination: &OpenDestination,
    findings: &mut Findings<'_>,
    checked: &mut DestinationChecked,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let view = repo.index.reader()?;
    small::check(repo, &view, destination, findings)?;
    missing_snapshots(repo, &view, destination, findings)?;
    for pack in view.damaged_on(destination.bit)? {
        let what = "it is known to be damaged".to_owned();
        findings.add_object(ObjectName::Pack(view.pack(pack)?.id), what, Severity::Damage);
    }
    view.each_pack(|_, _, presence| -> Result<(), Error> {
        checked.packs += u64::from(presence & destination.bit != 0);
        Ok(())
    })?;
    let only = [destination.clone()];
    let fetcher = Fetcher::new(&repo.keys, &view, &only, repo.budget).without_cache();
    let mut known = repo.known_snapshots(&view)?;
    known.reverse();
    known.extend(repo.known_histories(&view)?);
    known.retain(|known| known.committed & destination.bit != 0);
    // What a later one shares with one before it was looked at there, if that was whole.
    let mut bases: Vec<(Vec<u8>, Node)> = Vec::new();
    for known in known {
        let is_history = known.snapshot.is_history();
        checked.snapshots += u64::from(!is_history);
        let name = known.id.to_string();
        for root in &known.snapshot.roots {
            let base = bases.iter().find(|(path, _)| *path == root.path).map(|(_, node)| node);
            match fault_of(&fetcher, base, root, destination.bit, monitor)? {
                None => {
                    bases.retain(|(path, _)| *path != root.path);
                    bases.push((root.path.clone(), root.node.clone()));
                }
                Some(what) => {
                    let object = format!("{} {name}", if is_history { "history" } else { "snapshot" });
                    findings.add(object, what, Severity::Damage, Some(name.clone()));
                }
            }
        }
        monitor.advance(1, 0);
    }
    for (_, pack) in fetcher.take_damaged() {
        let what = "blocks of it cannot be read".to_owned();
        findings.add_object(ObjectName::Pack(pack), what, Severity::Damage);
    }
    Ok(())
}

/// What is wrong with one source of a snapshot on this destination.
fn fault_of(
    fetcher: &Fetcher<'_>,
    base: Option<&Node>,
    root: &Root,
    bit: DestinationBits,
    monitor: &dyn Monitor,
) -> Result<Option<String>, Error> {
    let view = fetcher.index();
    let mut missing = 0u64;
    let mut need = |id: &ChunkId| -> Result<(), Stop> {
        if monitor.should_stop() {
            return Err(Stop::Interrupted);
        }
        let presence = view.chunk_presence(id).map_err(ReadError::Index)?;
        missing += u64::from(presence & bit == 0);
        Ok(())
    };
    let result = each_need(fetcher, base, &root.node, &mut |_, id, _| need(id));
    let path = String::from_utf8_lossy(&root.path);
    let what = match result {
        Ok(()) if missing == 0 => return Ok(None),
        Ok(()) => format!("{missing} chunks of {path} are in no whole pack here"),
        Err(Stop::Interrupted) => return Err(Error::Interrupted),
        Err(Stop::Read(ReadError::Index(error))) => return Err(error.into()),
        Err(Stop::Read(error)) => format!("the tree of {path} cannot be read: {error}"),
    };
    let mut is_missing = |id: &ChunkId| Ok(view.chunk_presence(id)? & bit == 0);
    Ok(Some(what + &lost_paths(fetcher, root, monitor, &mut is_missing)?))
}

/// Snapshots that were on the destination, were not deleted by this program, and are wanted.
fn missing_snapshots(
    repo: &Repo,
    view: &IndexReader,
    destination: &OpenDestination,
    findings: &mut Findings<'_>,
) -> Result<(), Error> {
    let marks = repo.marks(view)?;
    let (mut missing, mut replaced) = (Vec::new(), HashSet::new());
    view.each_snapshot(|id, row| -> Result<(), Error> {
        let format = |source| Error::Format { object: format!("snapshot {}", id.short()), source };
        let snapshot = Snapshot::decode(&row.record).map_err(format)?;
        if snapshot.is_history() {
            replaced.extend(Merged::find(&snapshot.extra).map_err(format)?.histories);
        }
        if row.seen & destination.bit != 0 && row.committed & destination.bit == 0 && marks.forgotten(&id).is_none() {
            missing.push(id);
        }
        Ok(())
    })?;
    for id in missing.into_iter().filter(|id| !replaced.contains(id)) {
        findings.add_object(ObjectName::Snapshot(id), "it was here and is gone".to_owned(), Severity::Damage);
    }
    Ok(())
}

/// The first files and folders below a root that cannot be restored from this destination, as words.
fn lost_paths(
    fetcher: &Fetcher<'_>,
    root: &Root,
    monitor: &dyn Monitor,
    is_missing: &mut dyn FnMut(&ChunkId) -> Result<bool, Error>,
) -> Result<String, Error> {
    let (mut names, mut count) = (Vec::new(), 0u64);
    let mut add = |below: &[u8]| {
        count += 1;
        if names.len() < PATHS_SHOWN {
            let separator: &[u8] = if below.is_empty() || root.path.ends_with(b"/") { b"" } else { b"/" };
            names.push(String::from_utf8_lossy(&[root.path.as_slice(), separator, below].concat()).into_owned());
        }
    };
    let mut look = |below: &[u8], node: &Node| -> Result<(), Error> {
        let NodeKind::File(recipe) = &node.kind else { return Ok(()) };
        let mut is_lost = false;
        let result = each_chunk(fetcher, ChunkKind::Data, recipe, &mut |_, id, _| {
            is_lost |= is_missing(id)?;
            Ok::<(), Error>(())
        });
        match result {
            Ok(()) => {}
            Err(Error::Read(_)) => is_lost = true,
            Err(other) => return Err(other),
        }
        if is_lost {
            add(below);
        }
        Ok(())
    };
    let mut folders = Vec::new();
    look(b"", &root.node)?;
    if let Some(recipe) = root.node.folder() {
        for (below, node) in TreeWalk::new(fetcher, recipe) {
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            match node {
                Ok(node) => look(&below, &node)?,
                Err(ReadError::Index(error)) => return Err(error.into()),
                // The folder itself, with everything in it.
                Err(_) => folders.push(below),
            }
        }
    }
    folders.iter().for_each(|below| add(below));
    let more = count - names.len() as u64;
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(if names.is_empty() { String::new() } else { format!(": {}{more}", names.join(", ")) })
}
