//! A path out of every snapshot and history: each that has it is replaced by one without it.
//!
//! A replaced snapshot keeps its place: writer, number, times, tags, and the snapshot it goes on from. All new ones are
//! committed before one mark says that the old ones are not wanted any more, so until then nothing changed. On a
//! destination that was away meanwhile an old one stays until the new one is there too (`replaced`).
//!
//! ```
//! use cryptbackup::clean::purge::{self, PurgeRequest};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! let path = folder.path().join("documents/report.txt");
//! let request = PurgeRequest { path: path.clone(), dry_run: false, is_forced: false };
//! let report = purge::run(&mut repo, &request, &Silent)?;
//! println!("taken out of {} snapshots", report.snapshots.len());
//! if report.is_in_source {
//!     println!("the next backup stores it again: {}", path.display());
//! }
//! assert!(repo.versions(&path).is_err());
//! # Ok(())
//! # }
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::format::history::Merged;
use crate::format::id::SnapshotId;
use crate::format::mark::{Action, ForgetReason, Forgotten};
use crate::format::sealed::ObjectType;
use crate::format::snapshot::{Root, Snapshot};
use crate::index::{DestinationBits, IndexReader, SnapshotRow};
use crate::paths;
use crate::replicate::{Fetcher, OpenDestination, ReplicateError};
use crate::repo::store::Store;
use crate::repo::{KnownSnapshot, Repo};
use crate::report::{Monitor, Stage};
use crate::snapshot::{self, ReadError, find_node, history, place_of};

/// What to purge.
#[derive(Debug, Clone)]
pub struct PurgeRequest {
    /// The file or folder.
    pub path: PathBuf,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Also where nothing of a source would be left.
    pub is_forced: bool,
}

/// What happened, or would.
#[derive(Debug, Clone, Default)]
pub struct PurgeReport {
    /// Snapshots that had the path.
    pub snapshots: Vec<SnapshotId>,
    /// Histories that had it.
    pub histories: u64,
    /// The snapshots that stand for them now, in the same order.
    pub replaced_by: Vec<SnapshotId>,
    /// Whether the path still lies in a source: the next backup stores it again, if it is there and not excluded.
    pub is_in_source: bool,
    /// Destinations that are away, or where it could not be done, with the reason; they still have it.
    pub failed: Vec<(String, String)>,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
}

/// Takes a path out of everything that is stored. Its space comes back with the next [`clean`](super::run).
///
/// # Errors
/// [`Error::NotFound`] where nothing has the path; [`Error::Unsure`] where it is a whole source and was not forced;
/// [`Error::Read`] for a snapshot that cannot be read; [`Error::NoDestination`].
pub fn run(repo: &mut Repo, request: &PurgeRequest, monitor: &dyn Monitor) -> Result<PurgeReport, Error> {
    if !request.dry_run {
        repo.prepare_to_write()?;
    }
    if repo.destinations.is_empty() {
        return Err(repo.no_destination());
    }
    monitor.begin(Stage::Cleaning, None, None);
    let view = repo.index.reader()?;
    let path = paths::to_bytes(&request.path);
    let all = concerned(repo, &view, path)?;
    if all.is_empty() {
        return Err(Error::NotFound { what: format!("{} in any snapshot", request.path.display()) });
    }
    if !request.is_forced && all.iter().any(|known| known.snapshot.roots.iter().any(|root| root.path == path)) {
        let path = request.path.display();
        return Err(Error::Unsure(format!("{path} is a whole source, and nothing of it would be left")));
    }
    let failed = away(repo, &view, &all)?;
    let within_reach = within_reach(repo);
    let concerned: Vec<KnownSnapshot> = all.into_iter().filter(|known| known.committed & within_reach != 0).collect();
    let marks = repo.marks(&view)?;
    let shown = concerned.iter().filter(|known| marks.forgotten(&known.id).is_none());
    let (histories, snapshots): (Vec<_>, Vec<_>) = shown.partition(|known| known.snapshot.is_history());
    let mut report = PurgeReport {
        histories: histories.len() as u64,
        snapshots: snapshots.into_iter().map(|known| known.id).collect(),
        is_in_source: is_in_source(repo, &request.path),
        failed,
        dry_run: request.dry_run,
        ..PurgeReport::default()
    };
    if request.dry_run {
        return Ok(report);
    }
    let members = repo.destinations.clone();
    let mut store = repo.store_moved(&view, &members, monitor)?;
    let fetcher = repo.fetcher(&view);
    let replaced = match replace_all(repo, &view, &fetcher, concerned, path, &mut store) {
        Ok(replaced) => replaced,
        Err(error) => {
            store.abandon();
            return Err(error);
        }
    };
    store.finish()?;
    drop(view);
    let replaced = put_in_place(repo, &members, replaced, &mut report, monitor)?;
    let by_old: HashMap<SnapshotId, SnapshotId> = replaced.iter().map(|(new, old)| (old.id, new.id)).collect();
    report.snapshots.retain(|id| by_old.contains_key(id));
    report.replaced_by = report.snapshots.iter().filter_map(|id| by_old.get(id).copied()).collect();
    Ok(report)
}

/// Commits the new ones, and then forgets the old ones of which that is done somewhere; gives those.
fn put_in_place(
    repo: &mut Repo,
    members: &[OpenDestination],
    replaced: Vec<(New, Forgotten)>,
    report: &mut PurgeReport,
    monitor: &dyn Monitor,
) -> Result<Vec<(New, Forgotten)>, Error> {
    for (new, ..) in &replaced {
        let mut writer = repo.index.writer()?;
        if repo.index.reader()?.snapshot(&new.id)?.is_none() {
            writer.put_snapshot(&new.id, &new.row)?;
        }
        writer.commit()?;
    }
    for destination in members {
        match commit(repo, destination, &replaced, monitor) {
            Ok(()) => {}
            Err(ReplicateError::Index(error)) => return Err(error.into()),
            Err(ReplicateError::Interrupted) => return Err(Error::Interrupted),
            Err(error) => report.failed.push((destination.name.clone(), error.to_string())),
        }
    }
    let view = repo.index.reader()?;
    let (mut done, mut undone) = (Vec::new(), Vec::new());
    for (new, old) in replaced {
        let is_done = view.snapshot(&new.id)?.is_some_and(|row| row.committed != 0);
        if is_done { done.push((new, old)) } else { undone.push((new, old)) }
    }
    drop(view);
    if done.is_empty() {
        return Err(Error::TooFewCopies { committed: 0, wanted: 1, reasons: std::mem::take(&mut report.failed) });
    }
    carry_decisions(repo, &done)?;
    forget(repo, &done, &undone)?;
    Ok(done)
}

/// Forgets the old ones; the new ones too where a rule had forgotten the old one.
fn forget(repo: &mut Repo, done: &[(New, Forgotten)], undone: &[(New, Forgotten)]) -> Result<(), Error> {
    let marks = repo.marks(&repo.index.reader()?)?;
    let mut by_rule = Vec::new();
    for (new, _) in done.iter().filter(|(_, old)| marks.forgotten(&old.id) == Some(ForgetReason::Rule)) {
        by_rule.push(place_of(new.id, &Snapshot::decode(&new.row.record).map_err(ReadError::Format)?));
    }
    if !by_rule.is_empty() {
        repo.decide(Action::Forget { reason: ForgetReason::Rule, snapshots: by_rule })?;
    }
    let old = done.iter().map(|(_, old)| *old);
    // Others may go on from a new one that is nowhere: in its place is still the old one.
    let nowhere = undone.iter().map(|(new, old)| Forgotten { id: new.id, previous: Some(old.id), ..*old });
    let snapshots = old.chain(nowhere).collect();
    repo.decide(Action::Forget { reason: ForgetReason::Replaced, snapshots })?;
    let mut writer = repo.index.writer()?;
    for (new, _) in undone {
        writer.remove_snapshot(&new.id)?;
    }
    Ok(writer.commit()?)
}

fn within_reach(repo: &Repo) -> DestinationBits {
    repo.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b)
}

/// The destinations out of reach that have the path, with what that means for it.
fn away(repo: &Repo, view: &IndexReader, concerned: &[KnownSnapshot]) -> Result<Vec<(String, String)>, Error> {
    let within_reach = within_reach(repo);
    let mut away = Vec::new();
    for lost in &repo.unreachable {
        let Some(id) = repo.destination_id(&lost.name)? else { continue };
        let Some(bit) = view.destination_bit(&id)? else { continue };
        let mut there = concerned.iter().filter(|known| known.committed & bit != 0).peekable();
        if there.peek().is_some() {
            let is_only_there = there.any(|known| known.committed & within_reach == 0);
            let why = match is_only_there {
                true => "it is out of reach, and has snapshots that are nowhere else: purge again when it is back",
                false => "it is out of reach",
            };
            away.push((lost.name.clone(), why.to_owned()));
        }
    }
    Ok(away)
}

/// A snapshot that stands for another.
struct New {
    id: SnapshotId,
    row: SnapshotRow,
}

/// The snapshots and histories that have the path, oldest first. Also snapshots that a rule forgot and that are still there:
/// the next history is made from them too.
fn concerned(repo: &Repo, view: &IndexReader, path: &[u8]) -> Result<Vec<KnownSnapshot>, Error> {
    let fetcher = repo.fetcher(view);
    let (marks, within_reach) = (repo.marks(view)?, within_reach(repo));
    let mut found = Vec::new();
    for known in repo.committed(view, |id, _| matches!(marks.forgotten(id), None | Some(ForgetReason::Rule)))? {
        let has_it = match known.snapshot.is_history() {
            true => has_in_history(&fetcher, &known.snapshot, path),
            false => has_below(&fetcher, &known.snapshot, path),
        };
        let has_it = match has_it {
            // What cannot be read here may have it.
            Err(ReadError::Missing { .. } | ReadError::Damaged { .. }) if known.committed & within_reach == 0 => true,
            has_it => has_it?,
        };
        if has_it || known.snapshot.roots.iter().any(|root| root.path == path) {
            found.push(known);
        }
    }
    found.sort_by_key(|known| (known.snapshot.finished, known.snapshot.sequence, known.id));
    Ok(found)
}

fn has_below(fetcher: &Fetcher<'_>, snapshot: &Snapshot, path: &[u8]) -> Result<bool, ReadError> {
    for root in &snapshot.roots {
        if let Some(components) = paths::below(&root.path, path)
            && find_node(fetcher, &root.node, &components)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_in_history(fetcher: &Fetcher<'_>, history: &Snapshot, path: &[u8]) -> Result<bool, ReadError> {
    for root in &history.roots {
        if let Some(components) = paths::below(&root.path, path)
            && history::tells_of(fetcher, &root.node, &components)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// New snapshots for old ones, oldest first, so that each can name the one it goes on from.
fn replace_all(
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
    let mut same = None;
    view.each_snapshot(|id, row| -> Result<(), Error> {
        if row.record == record {
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
    monitor: &dyn Monitor,
) -> Result<(), ReplicateError> {
    let catch_up = repo.catch_up(monitor).map_err(|_| ReplicateError::Interrupted)?;
    for (new, old) in replaced {
        let is_there = repo.index.reader()?.snapshot(&old.id)?.is_some_and(|row| row.committed & destination.bit != 0);
        if is_there {
            catch_up.snapshot(destination, &new.id)?;
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

fn is_in_source(repo: &Repo, path: &Path) -> bool {
    repo.settings.sources.iter().any(|source| path.starts_with(&source.path))
}
