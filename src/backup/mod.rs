//! Request to snapshot: the way of a byte from its source to every destination.
//!
//! 1. `scan` walks each source beside the previous snapshot's tree and says, entry by entry, what stands and what
//!    must be read.
//! 2. `read` reads and cuts files, many small ones at a time.
//! 3. `repo::store` names nothing twice: claims, blocks, packs, lanes.
//! 4. `trees` puts nodes into folders as they come.
//! 5. `commit` writes the snapshot where everything it needs is durable, and lets the others catch up.
//!
//! `selection` and `recheck` say which files are read where that is not all that changed, or more than that.
//! `smart` makes several runs of one, the important files first; `stream` stores what comes through a pipe as a file.
//! Threads are in `pipeline`, what passes between two of them in `ahead`, and one thread is in `stream`. An entry that fails
//! is a [`Problem`]; the rest goes on.
//!
//! ```
//! use cryptbackup::backup::{self, BackupRequest};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! let request = BackupRequest { tags: vec!["friday".to_owned()], ..BackupRequest::default() };
//! let report = backup::run(&mut repo, request, &Silent)?;
//! println!("{} new, {} changed, on {} destinations", report.files_new, report.files_changed, report.copies);
//! for problem in &report.problems {
//!     eprintln!("{}: {}", problem.path.display(), problem.detail);
//! }
//! assert_eq!((report.files_new, report.files_changed, report.copies), (0, 1, 1));
//! # Ok(())
//! # }
//! ```

mod ahead;
mod begun;
mod carried;
mod changes;
mod commit;
mod context;
mod coverage;
mod guard;
mod linked;
mod outcome;
mod pipeline;
mod preview;
mod read;
mod recheck;
mod same;
mod scan;
mod selection;
pub mod smart;
mod step;
pub mod stream;
mod trees;

pub use changes::Changed;
pub use selection::FileList;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::mark::Action;
use crate::format::record::Time;
use crate::format::snapshot::{Root, SuspectSource};
use crate::paths;
use crate::replicate::DestinationState;
use crate::repo::settings::SourceSettings;
use crate::repo::{Repo, require_tags};
use crate::report::{Monitor, Problem, Stage};
use recheck::Recheck;
use selection::{Listed, Selection};

/// How often a run is made where others clean the same destinations meanwhile, or damage is met.
const RUNS: u32 = 3;

/// What to back up, and how.
#[derive(Debug, Clone, Default)]
pub struct BackupRequest {
    /// Only these of the configured sources; all of them where it is empty.
    pub sources: Vec<PathBuf>,
    /// Words to find the snapshot by.
    pub tags: Vec<String>,
    /// Only say what would be read.
    pub dry_run: bool,
    /// Read everything, whether it looks changed or not; also accept a source that is suddenly empty or no folder.
    pub force: bool,
    /// Leave destinations that are behind as they are.
    pub no_sync: bool,
    /// What changed is meant, however much it is; so is what looked suspect in earlier runs.
    pub accept_changes: bool,
    /// Make no snapshot where the last one has all of it.
    pub skip_unchanged: bool,
    /// What is known to have changed: nothing else is looked at then. Everything is, where that is not known.
    pub changed: Option<Changed>,
    /// Also read so many percent of the files that look unchanged, others in each run, and tell where one has rotted.
    pub recheck: Option<f64>,
    /// Read only these files, which must lie in sources; what else changed stays as the last snapshot has it.
    pub files: Option<FileList>,
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct BackupReport {
    /// The snapshot; none in a dry run, and where none was needed.
    pub snapshot_id: Option<SnapshotId>,
    /// Files that no previous snapshot had.
    pub files_new: u64,
    /// Files whose content is another one.
    pub files_changed: u64,
    /// Files whose content is the same.
    pub files_unmodified: u64,
    /// Folders.
    pub folders: u64,
    /// Entries left out by excludes.
    pub excluded: u64,
    /// Files that looked unchanged and were read all the same.
    pub files_rechecked: u64,
    /// Bytes read from sources.
    pub bytes_read: u64,
    /// Bytes of those that were new to the repository, before compression.
    pub bytes_added: u64,
    /// Bytes of the packs written, on one destination.
    pub bytes_stored: u64,
    /// What went wrong with single entries.
    pub problems: Vec<Problem>,
    /// The sources that look suspect, and why.
    pub suspect: Vec<SuspectSource>,
    /// Snapshots that looked suspect and are accepted now.
    pub accepted: Vec<SnapshotId>,
    /// Snapshots that were pinned, since they hold what rotted in a source.
    pub pinned: Vec<SnapshotId>,
    /// What happened on each configured destination.
    pub destinations: Vec<DestinationOutcome>,
    /// On how many destinations the snapshot is.
    pub copies: usize,
    /// How long it took.
    pub duration_seconds: f64,
    /// When it began.
    pub started: Time,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
}

/// What happened on one destination.
#[derive(Debug, Clone)]
pub struct DestinationOutcome {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What kind of place it is.
    pub kind: crate::destination::place::PlaceKind,
    /// How it is now.
    pub state: DestinationState,
    /// Whether the snapshot is on it.
    pub committed: bool,
    /// Packs written to it while the sources were read.
    pub packs_written: u64,
    /// Packs copied to it from others, because it lacked them.
    pub packs_copied: u64,
    /// Snapshots that are elsewhere and not there.
    pub snapshots_behind: u64,
    /// What is to be known, as one sentence without a full stop.
    pub detail: Option<String>,
}

/// One of the runs that a backup is made of: usually the only one.
#[derive(Debug, Default)]
struct Phase {
    /// Which files it reads; all where there is none.
    selection: Option<Selection>,
    /// Which of those that look unchanged it reads too.
    recheck: Recheck,
    /// What the runs before it have changed.
    changes: Vec<outcome::SourceChanges>,
    /// Whether the line it goes on from has partial snapshots.
    has_partials: bool,
}

impl Phase {
    /// The one run that a request asks for.
    fn of(repo: &Repo, sources: &[SourceSettings], request: &BackupRequest) -> Result<Self, Error> {
        let recheck = request.recheck.map(|percent| Recheck::begin(repo, sources, percent)).transpose()?;
        let selection = request.files.clone().map(|files| Selection::Listed(Listed::new(files)));
        Ok(Self { selection, recheck: recheck.unwrap_or_default(), ..Self::default() })
    }
}

/// Backs up.
///
/// # Errors
/// [`Error::Usage`] for a source, a file or a tag that is none; [`Error::NothingToBackUp`], [`Error::NoDestination`], [`Error::TooFewCopies`], [`Error::Interrupted`]. Whatever was
/// written before stays and is found by the next run.
pub fn run(repo: &mut Repo, request: BackupRequest, monitor: &dyn Monitor) -> Result<BackupReport, Error> {
    let mut phase = Phase::of(repo, &chosen_sources(repo, &request)?, &request)?;
    run_phase(repo, request, &mut phase, monitor)
}

/// Makes one run.
fn run_phase(
    repo: &mut Repo,
    request: BackupRequest,
    phase: &mut Phase,
    monitor: &dyn Monitor,
) -> Result<BackupReport, Error> {
    let began = Instant::now();
    let started = repo.now();
    let sources = chosen_sources(repo, &request)?;
    if !request.dry_run && !repo.destinations().is_empty() {
        repo.prepare_to_write()?;
    }
    if !request.dry_run && repo.destinations().is_empty() {
        return Err(repo.no_destination());
    }
    monitor.begin(Stage::Reading, None, None);
    let mut report = if request.dry_run {
        preview::run(repo, &sources, &request, phase, started, monitor)?
    } else {
        store_and_commit(repo, &sources, &request, phase, started, monitor)?
    };
    if let Some(selection) = &phase.selection {
        let missing = selection.missing(&sources, &report.problems);
        missing.iter().for_each(|problem| monitor.problem(problem));
        report.problems.extend(missing);
    }
    if phase.has_partials {
        smart::retire_partials(repo)?;
    }
    if request.accept_changes && !request.dry_run {
        report.accepted = accept(repo, &sources)?;
    }
    if report.snapshot_id.is_some()
        && let Err(error) = repo.note_sizes()
    {
        // The backup is done; that a sentence of `status` is missing a day does not make it fail.
        monitor.note(&format!("How fast destinations fill could not be noted: {error}."));
    }
    report.started = started;
    report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Says of the snapshots that looked suspect because of these sources that they are right.
fn accept(repo: &mut Repo, sources: &[SourceSettings]) -> Result<Vec<SnapshotId>, Error> {
    let is_chosen = |path: &[u8]| sources.iter().any(|source| paths::to_bytes(&source.path) == path);
    let mut accepted = Vec::new();
    for suspect in repo.suspects(&repo.index.reader()?)? {
        if suspect.sources.iter().all(|source| is_chosen(&source.path)) {
            accepted.push(suspect.id);
        }
    }
    for snapshot in &accepted {
        repo.decide(Action::Accept { snapshot: *snapshot })?;
    }
    Ok(accepted)
}

/// Keeps snapshots that hold what rotted in a source since, and says so in a note where there is none.
fn pin(repo: &mut Repo, good: &[SnapshotId]) -> Result<Vec<SnapshotId>, Error> {
    let mut pinned = Vec::new();
    for snapshot in good {
        let decision = repo.marks(&repo.index.reader()?)?.get(snapshot).cloned().unwrap_or_default();
        if !decision.is_pinned {
            repo.decide(Action::Pin { snapshot: *snapshot, is_pinned: true })?;
            pinned.push(*snapshot);
        }
        if decision.note.is_empty() {
            let text = "it holds what rotted in a source since".to_owned();
            repo.decide(Action::Note { snapshot: *snapshot, text })?;
        }
    }
    Ok(pinned)
}

/// Where other machines write to a destination, one of them may have cleaned it while this one stood still: then what was
/// stored is looked at anew, and what is gone is read again. So is what only a destination has that fails meanwhile, where
/// nobody could take the snapshot for want of it.
fn store_and_commit(
    repo: &mut Repo,
    sources: &[SourceSettings],
    request: &BackupRequest,
    phase: &mut Phase,
    started: Time,
    monitor: &dyn Monitor,
) -> Result<BackupReport, Error> {
    let flag = phase.selection.as_ref().map_or(0, Selection::flag);
    let mut pinned = Vec::new();
    for run in 1..=RUNS {
        let before = repo.destinations.len();
        let mut written = pipeline::run(repo, sources, request, phase, started, monitor)?;
        // What is in them counts as stored no longer: so it is copied from elsewhere, or read again.
        repo.note_damaged(&written.damaged)?;
        if !written.damaged.is_empty() && run < RUNS {
            monitor.note("damaged packs were met, which nothing must rely on; the run is repeated.");
            continue;
        }
        let (changes, has_partials) = (std::mem::take(&mut written.changes), written.has_partials);
        let is_read = |root: &Root| root.carried_from.is_none();
        let read: Vec<_> = written.roots.iter().filter(|root| is_read(root)).map(|root| root.path.clone()).collect();
        // First: what a crash leaves must be looked at again, or safe already.
        pinned.extend(pin(repo, &written.tally.good)?);
        match commit::commit(repo, written, request, flag, monitor) {
            Err(Error::Overtaken) if run < RUNS => {
                monitor.note(&format!("{}; the run is repeated.", Error::Overtaken));
                repo.prepare_to_write()?;
            }
            // What the others lack was on one that failed meanwhile, and counted as stored: now it does not.
            Err(Error::TooFewCopies { committed: 0, .. })
                if run < RUNS && (1..before).contains(&repo.destinations.len()) =>
            {
                monitor.note("a destination failed that has what others lack; the run is repeated.");
            }
            result => {
                (phase.changes, phase.has_partials) = (changes, has_partials);
                let report = result?;
                phase.recheck.end(repo, &read, monitor);
                return Ok(BackupReport { pinned, ..report });
            }
        }
    }
    Err(Error::Overtaken)
}

/// The configured sources that are asked for, by a request that can be met.
fn chosen_sources(repo: &Repo, request: &BackupRequest) -> Result<Vec<SourceSettings>, Error> {
    require_tags(&request.tags)?;
    let configured: Vec<&SourceSettings> = repo.settings().folders().collect();
    if configured.is_empty() {
        let what = "no source is configured; add one with `cryptbackup add DIR`";
        return Err(Error::NothingToBackUp(what.to_owned()));
    }
    for path in &request.sources {
        if repo.settings().source(path).is_some_and(|source| source.stdin) {
            return Err(Error::Usage(format!(
                "{} is no folder; `cryptbackup backup --stdin {}` stores it",
                path.display(),
                path.display()
            )));
        }
        if repo.settings().source(path).is_none() {
            let known: Vec<String> = configured.iter().map(|source| source.path.display().to_string()).collect();
            return Err(Error::Usage(format!(
                "{} is not a configured source; these are: {}",
                path.display(),
                known.join(", ")
            )));
        }
    }
    let is_asked_for = |source: &SourceSettings| request.sources.is_empty() || request.sources.contains(&source.path);
    if let Some(files) = &request.files {
        let is_in = |path: &Path, source: &SourceSettings| is_one_in_the_other(path, &source.path);
        let is_read = |path: &Path| configured.iter().any(|source| is_asked_for(source) && is_in(path, source));
        if let Some(stray) = files.paths().filter(|path| !is_read(path)).min() {
            let path = stray.display();
            return Err(Error::Usage(if configured.iter().any(|source| is_in(stray, source)) {
                format!("{path} is in the list of files and in none of the sources that are asked for")
            } else {
                format!("{path} is in the list of files and in no source; add its folder with `cryptbackup add DIR`")
            }));
        }
    }
    let is_chosen = |source: &SourceSettings| {
        is_asked_for(source) && request.files.as_ref().is_none_or(|files| files.concerns(&source.path))
    };
    let mut chosen: Vec<SourceSettings> = configured.into_iter().filter(|source| is_chosen(source)).cloned().collect();
    chosen.sort_by(|left, right| left.path.cmp(&right.path));
    if chosen.is_empty() {
        return Err(Error::NothingToBackUp("the list of files has nothing of these sources in it".to_owned()));
    }
    Ok(chosen)
}

fn is_one_in_the_other(left: &Path, right: &Path) -> bool {
    left.starts_with(right) || right.starts_with(left)
}
