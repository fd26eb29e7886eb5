//! Important files first, and a snapshot of what is done every few minutes.
//!
//! 1. [`plan`] scans the sources, scores what would be read (`score`), and counts bytes by score.
//! 2. [`execute`] makes partial snapshots, from the highest scores down: each is a run of its own in which `select` leaves
//!    the other files for later. What is left is in it as the last snapshot has it (`carried`), or not yet. So a partial
//!    snapshot is never worse than the last one, and whatever was stored for it is found by the runs after it.
//! 3. The last run reads what is left and is an ordinary one. When it is committed where the partial ones are, it stands in
//!    their place (`Replaced`, docs/format.md section 13): they are listed no more, and cleaning removes them.
//!
//! ```
//! use cryptbackup::backup::{BackupRequest, smart};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! let request = BackupRequest::default();
//! let plan = smart::plan(&repo, &request, &Silent)?;
//! for ranked in &plan.first {
//!     println!("{:6.1} {}", ranked.score.total(), String::from_utf8_lossy(&ranked.path));
//! }
//! let report = smart::execute(&mut repo, request, &plan, &Silent)?;
//! assert_eq!((plan.files, report.files_changed), (1, 1));
//! # Ok(())
//! # }
//! ```

mod score;
mod select;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::selection::Selection;
use super::step::{FileJob, Step};
use super::{BackupReport, BackupRequest, Phase, chosen_sources, preview, run_phase};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::mark::{Action, ForgetReason};
use crate::repo::Repo;
use crate::report::Monitor;
use crate::snapshot::place_of;

pub use score::{Score, Scorer};
pub(super) use select::Ranking;

/// Files that a plan names.
const NAMED: usize = 10;
/// Bytes a second that are expected of the first part, before anything was measured.
const RATE: u64 = 50_000_000;
/// A part may take so many times what it was meant to.
const OVERTIME: u32 = 2;

/// A file that would be read, and what it counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Absolute path as bytes.
    pub path: Vec<u8>,
    /// Bytes.
    pub size: u64,
    /// What it counts, and for what.
    pub score: Score,
}

/// In which order files will be read.
#[derive(Debug, Clone)]
pub struct SmartPlan {
    /// Files that are new or changed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that come first, the highest score first.
    pub first: Vec<Ranked>,
    /// Bytes by score, in steps.
    by_step: BTreeMap<u32, u64>,
    scorer: Arc<Scorer>,
}

/// Scores everything that a backup would read. Nothing is read or written.
///
/// # Errors
/// Those of a dry run: see [`run`](super::run). [`Error::Usage`] where the request says which files are read.
pub fn plan(repo: &Repo, request: &BackupRequest, monitor: &dyn Monitor) -> Result<SmartPlan, Error> {
    if request.files.is_some() || request.recheck.is_some() {
        return Err(Error::Usage("a smart backup reads everything that changed, and nothing else".to_owned()));
    }
    let scorer = Arc::new(Scorer::new(&repo.settings().priority, repo.now())?);
    let mut plan = SmartPlan { files: 0, bytes: 0, first: Vec::new(), by_step: BTreeMap::new(), scorer };
    let sources = chosen_sources(repo, request)?;
    preview::each_step(repo, &sources, request, &Phase::default(), repo.now(), monitor, &mut |step| {
        if let Ok(Step::Read(job)) = step {
            plan.add(&job);
        }
    })?;
    Ok(plan)
}

impl SmartPlan {
    fn add(&mut self, job: &FileJob) {
        let score = self.scorer.score(&job.entry, job.previous.as_ref());
        let size = job.entry.stat.size;
        self.files += 1;
        self.bytes += size;
        *self.by_step.entry(score.step()).or_default() += size;
        let is_worth_naming =
            self.first.len() < NAMED || self.first.last().is_some_and(|last| score.total() > last.score.total());
        if is_worth_naming {
            let at = self.first.partition_point(|ranked| ranked.score.total() >= score.total());
            let path = crate::paths::to_bytes(&job.entry.path).to_vec();
            self.first.insert(at, Ranked { path, size, score });
            self.first.truncate(NAMED);
        }
    }

    /// The lowest step of the next part, of about so many bytes, below those that come before it; none where nothing is
    /// left for a part after it.
    fn next_part(&self, above: Option<u32>, bytes: u64) -> Option<u32> {
        let mut sum = 0;
        let left = self.by_step.iter().rev().filter(|(step, _)| above.is_none_or(|above| **step < above));
        let lowest = *self.by_step.keys().next()?;
        for (step, step_bytes) in left {
            sum += step_bytes;
            if sum >= bytes && *step > lowest {
                return Some(*step);
            }
        }
        None
    }
}

/// Backs up in the order of the plan; in one part where everything is read by force.
///
/// # Errors
/// Those of [`run`](super::run). What partial snapshots hold stays.
pub fn execute(
    repo: &mut Repo,
    request: BackupRequest,
    plan: &SmartPlan,
    monitor: &dyn Monitor,
) -> Result<BackupReport, Error> {
    let began = Instant::now();
    let started = repo.now();
    let interval = Duration::from_secs(repo.settings().priority.partial_interval);
    let mut phase = Phase::default();
    let mut sum = BackupReport::default();
    let (mut rate, mut reached) = (RATE, None);
    // What is read whether it changed or not would be read again with every part.
    let is_in_parts = !request.force;
    while let Some(step) = plan.next_part(reached, rate.saturating_mul(interval.as_secs())).filter(|_| is_in_parts) {
        let part_began = Instant::now();
        let ranking = Ranking::new(Arc::clone(&plan.scorer), step, part_began + interval * OVERTIME);
        phase.selection = Some(Selection::Ranked(ranking));
        let part = BackupRequest { no_sync: true, ..request.clone() };
        let report = run_phase(repo, part, &mut phase, monitor)?;
        if let Some(id) = report.snapshot_id {
            let megabytes = |bytes: u64| bytes / 1_000_000;
            let (done, all) = (megabytes(sum.bytes_read + report.bytes_read), megabytes(plan.bytes));
            monitor.note(&format!("partial snapshot {}: {done} of {all} MB are in it", id.short()));
        }
        let seconds = part_began.elapsed().as_secs_f64().max(0.001);
        rate = ((report.bytes_read as f64 / seconds) as u64).max(1);
        let is_cut_short = phase.selection.as_ref().is_some_and(Selection::is_cut_short);
        // What takes longer than a part may goes on in the next one, as long as there is any progress.
        if !is_cut_short || report.files_new + report.files_changed == 0 {
            reached = Some(step);
        }
        add(&mut sum, &report);
    }
    phase.selection = None;
    let mut report = run_phase(repo, request, &mut phase, monitor)?;
    report.files_unmodified = report.files_unmodified.saturating_sub(sum.files_new + sum.files_changed);
    add(&mut report, &sum);
    report.started = started;
    report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Adds what another part did. What could not be read was tried again by the last one, which tells of it.
fn add(sum: &mut BackupReport, part: &BackupReport) {
    sum.files_new += part.files_new;
    sum.files_changed += part.files_changed;
    sum.bytes_read += part.bytes_read;
    sum.bytes_added += part.bytes_added;
    sum.bytes_stored += part.bytes_stored;
    for outcome in &part.destinations {
        if let Some(same) = sum.destinations.iter_mut().find(|same| same.name == outcome.name) {
            same.packs_written += outcome.packs_written;
            same.packs_copied += outcome.packs_copied;
        }
    }
}

/// Lets the newest snapshot of this line stand for the partial ones before it, wherever they are and it is too: on a
/// destination that lacks it, a partial one may be all there is.
pub(super) fn retire_partials(repo: &mut Repo) -> Result<(), Error> {
    let view = repo.index.reader()?;
    let marks = repo.marks(&view)?;
    let line = repo.lineage(&view)?;
    let Some((newest, before)) = line.chain.split_first() else { return Ok(()) };
    let is_pinned = |id: &SnapshotId| marks.get(id).is_some_and(|decision| decision.is_pinned);
    let partials = before.iter().filter(|known| known.snapshot.is_partial() && known.committed != 0);
    let places: Vec<_> = partials
        .filter(|known| known.committed & !newest.committed == 0 && !is_pinned(&known.id))
        .map(|known| place_of(known.id, &known.snapshot))
        .collect();
    drop(view);
    if places.is_empty() {
        return Ok(());
    }
    repo.decide(Action::Forget { reason: ForgetReason::Replaced, snapshots: places })
}
