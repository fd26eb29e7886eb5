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

mod replace;
mod rivals;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use self::replace::{put_in_place, replace_all};
use self::rivals::give_way;
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::mark::ForgetReason;
use crate::format::snapshot::Snapshot;
use crate::index::{DestinationBits, IndexReader};
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::{KnownSnapshot, Repo};
use crate::report::{Monitor, Stage};
use crate::snapshot::{Marks, ReadError, find_node, history};

/// How often it is done where other machines clean or purge meanwhile.
const RUNS: u32 = 3;

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
/// [`Error::Read`] for a snapshot that cannot be read; [`Error::NoDestination`]; [`Error::Overtaken`] where other machines
/// clean or purge again and again.
pub fn run(repo: &mut Repo, request: &PurgeRequest, monitor: &dyn Monitor) -> Result<PurgeReport, Error> {
    let mut report = PurgeReport::default();
    for run in 1..=RUNS {
        if !request.dry_run {
            repo.prepare_to_write()?;
        }
        // Another machine may have cleaned away or moved meanwhile what cannot be read.
        let may_look_again = run < RUNS && !request.dry_run && repo.is_beside_others();
        let (part, is_overtaken) = match once(repo, request, may_look_again, monitor) {
            Err(Error::NotFound { .. }) if !report.is_empty() => return Ok(report),
            Err(Error::Read(_)) if may_look_again => (PurgeReport::default(), true),
            result => result?,
        };
        report.add(part);
        if !is_overtaken {
            return Ok(report);
        }
        monitor.note(&format!("{}; the run is repeated.", Error::Overtaken));
    }
    Err(Error::Overtaken)
}

impl PurgeReport {
    fn is_empty(&self) -> bool {
        self.snapshots.is_empty() && self.histories == 0
    }

    /// Adds what a later run did; what failed then is what has failed.
    fn add(&mut self, later: Self) {
        let (snapshots, replaced_by) = (std::mem::take(&mut self.snapshots), std::mem::take(&mut self.replaced_by));
        let histories = self.histories + later.histories;
        *self = Self {
            snapshots: snapshots.into_iter().chain(later.snapshots).collect(),
            replaced_by: replaced_by.into_iter().chain(later.replaced_by).collect(),
            histories,
            ..later
        };
    }
}

/// Does it once. Says whether other machines did something meanwhile for which it is to be done again.
fn once(
    repo: &mut Repo,
    request: &PurgeRequest,
    may_look_again: bool,
    monitor: &dyn Monitor,
) -> Result<(PurgeReport, bool), Error> {
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
    let marks = repo.marks(&view)?;
    let (concerned, failed) = replaceable(repo, &view, &marks, all)?;
    if concerned.is_empty() && !request.dry_run {
        return Err(Error::TooFewCopies { committed: 0, wanted: 1, reasons: failed });
    }
    let shown = concerned.iter().filter(|known| marks.forgotten(&known.id).is_none());
    let (histories, snapshots): (Vec<_>, Vec<_>) = shown.partition(|known| known.snapshot.is_history());
    let (histories, snapshots): (Vec<_>, Vec<_>) =
        (histories.iter().map(|known| known.id).collect(), snapshots.iter().map(|known| known.id).collect());
    let mut report = PurgeReport {
        histories: histories.len() as u64,
        snapshots,
        is_in_source: is_in_source(repo, &request.path),
        failed,
        dry_run: request.dry_run,
        ..PurgeReport::default()
    };
    if request.dry_run {
        return Ok((report, false));
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
    let mut placed = put_in_place(repo, &members, replaced, may_look_again, monitor)?;
    report.failed.append(&mut placed.failed);
    if placed.replaced.is_empty() && !placed.is_overtaken {
        return Err(Error::TooFewCopies { committed: 0, wanted: 1, reasons: report.failed });
    }
    placed.is_overtaken |= give_way(repo, &mut placed.replaced)?;
    let by_old: HashMap<SnapshotId, SnapshotId> = placed.replaced.into_iter().collect();
    report.histories = histories.iter().filter(|id| by_old.contains_key(id)).count() as u64;
    report.snapshots.retain(|id| by_old.contains_key(id));
    report.replaced_by = report.snapshots.iter().filter_map(|id| by_old.get(id).copied()).collect();
    Ok((report, placed.is_overtaken))
}

fn within_reach(repo: &Repo) -> DestinationBits {
    repo.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b)
}

/// Names of destinations, each with the reason.
type Failed = Vec<(String, String)>;

/// Those that can be replaced now, and the destinations where some cannot be, with the reason.
fn replaceable(
    repo: &Repo,
    view: &IndexReader,
    marks: &Marks,
    all: Vec<KnownSnapshot>,
) -> Result<(Vec<KnownSnapshot>, Failed), Error> {
    let (mut failed, mut concerned) = (away(repo, view, &all)?, Vec::new());
    let within_reach = within_reach(repo);
    for known in all.into_iter().filter(|known| known.committed & within_reach != 0) {
        match is_stood_in_for(view, marks, &known.id)? {
            true => waits(repo, &known, &mut failed),
            false => concerned.push(known),
        }
    }
    Ok((concerned, failed))
}

/// Whether a snapshot is only in force because what an earlier purge put in its place is not known here: when that comes,
/// two would stand in one place, each with what the other purge took out.
fn is_stood_in_for(view: &IndexReader, marks: &Marks, id: &SnapshotId) -> Result<bool, Error> {
    let was_replaced = marks.get(id).is_some_and(|decision| !decision.successors.is_empty());
    if !was_replaced || marks.forgotten(id).is_some() {
        return Ok(false);
    }
    let Some(next) = marks.in_place_of(view, id)? else { return Ok(false) };
    Ok(marks.forgotten(&next).is_none() && view.snapshot(&next)?.is_none_or(|row| row.committed == 0))
}

/// Takes note that a snapshot stays as it is on the destinations that have it.
fn waits(repo: &Repo, known: &KnownSnapshot, failed: &mut Failed) {
    for destination in repo.destinations.iter().filter(|destination| known.committed & destination.bit != 0) {
        if !failed.iter().any(|(name, _)| *name == destination.name) {
            let why = "what an earlier purge put in place of a snapshot is out of reach: purge again when it is back";
            failed.push((destination.name.clone(), why.to_owned()));
        }
    }
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

fn is_in_source(repo: &Repo, path: &Path) -> bool {
    repo.settings.sources.iter().any(|source| path.starts_with(&source.path))
}
