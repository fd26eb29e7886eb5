//! What is not wanted any more goes, and its space comes back on each destination for itself.
//!
//! ```text
//! plan ──▶ histories ──▶ marks ──▶ on each destination that is there:  needs ──▶ packs ──▶ reclaim ──▶ repack
//! ```
//!
//! 1. [`choose`], pure thought: which snapshots stay and why. Only those of this writer's line are chosen from.
//! 2. `histories`: what the per-file rule still protects in those that go is committed as a history first, like a
//!    snapshot, on every destination that has them.
//! 3. A mark says everywhere that they are not wanted any more (repo/marks.rs). Nothing else is ever told to another
//!    destination: a stick that was away cleans itself when it is back, by its own snapshots.
//! 4. `reclaim`: what do the snapshots need that stay *there*? With the answer, which is sorted on disk (crate::live),
//!    packs without any of it are condemned and deleted, and mostly dead or small ones are written anew (`repack`).
//!
//! Deletion runs in the reverse order of writing (I4, I14, I15): history, mark, snapshot, pack. Where another writer uses
//! the destination no pack is deleted at once: condemned ones wait for the grace period (docs/format.md §16, I16). Where
//! anything is not as it should be, a listing that lacks a known snapshot, a tree that cannot be read, a clock that
//! jumped, nothing is deleted there, and the report says why.
//!
//! ```
//! use cryptbackup::clean::choose::Rules;
//! use cryptbackup::clean::{self, CleanRequest};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! println!("by the settings {} snapshots would go", clean::outlook(&repo)?.snapshots_going);
//! // The settings, but for one rule.
//! let rules = Rules { keep_last: Some(7), ..Rules::of(&repo.settings().retention) };
//! let report = clean::run(&mut repo, CleanRequest::new(rules), &Silent)?;
//! for choice in &report.choices {
//!     println!("{} {}", choice.id.short(), if choice.stays() { "stays" } else { "went" });
//! }
//! if let Some(primary) = repo.destination_id("primary")? {
//!     println!("{} bytes wait for the grace period", clean::waiting(&repo, &primary)?.bytes_waiting);
//! }
//! assert!(report.choices.len() == 1 && report.choices[0].stays());
//! # Ok(())
//! # }
//! ```

pub mod choose;
pub mod hand;
pub mod purge;

mod beside;
mod delete;
mod histories;
mod material;
mod observed;
mod packs;
mod plan;
mod reclaim;
mod repack;
mod replaced;
mod scratch;
mod survey;
mod unreadable;

use std::time::Instant;

use crate::destination::{Put, RESERVE_LEN, Settle, reserve_bytes};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::layout::ObjectName;
use crate::format::mark::{Action, ForgetReason};
use crate::format::record::Time;
use crate::live::LiveSet;
use crate::replicate::OpenDestination;
use crate::repo::{DestinationState, KnownSnapshot, PlaceKind, Repo, Suspect};
use crate::report::{Monitor, Stage};
use crate::snapshot::place_of;

use choose::{Choice, Rules};
use histories::Target;
use plan::Plan;

pub use observed::{Waiting, waiting};

/// Free space below which the reserve is given up before anything is written.
const LOW_BYTES: u64 = 32 << 20;

/// What to clean, and how.
#[derive(Debug, Clone, Copy)]
pub struct CleanRequest {
    /// What decides.
    pub rules: Rules,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Do it also where that looks like a mistake: most of a source would go, or the clock may have jumped.
    pub is_forced: bool,
    /// Nobody is watching: what looks like a mistake is left for a person, and what costs much is left for later.
    pub is_unattended: bool,
}

impl CleanRequest {
    /// A request with these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules, dry_run: false, is_forced: false, is_unattended: false }
    }
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct CleanReport {
    /// Every snapshot of this writer's line, newest first, and why it stays.
    pub choices: Vec<Choice>,
    /// Snapshots later than the clock; they stay, and count for nothing else.
    pub future: Vec<SnapshotId>,
    /// Versions of files that histories hold.
    pub versions_kept: u64,
    /// Versions of files that nothing holds any more.
    pub versions_dropped: u64,
    /// Snapshots that looked suspect and were not accepted, newest first: of their sources nothing goes.
    pub suspects: Vec<Suspect>,
    /// Why nothing was done, as a sentence without a full stop; none where it was.
    pub held: Option<String>,
    /// What happened on each configured destination.
    pub destinations: Vec<DestinationCleaned>,
    /// How long it took.
    pub duration_seconds: f64,
    /// Whether nothing was written on purpose.
    pub dry_run: bool,
}

/// What happened on one destination, or would.
#[derive(Debug, Clone, Default)]
pub struct DestinationCleaned {
    /// Its name.
    pub name: String,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// How it is now; none while it is as it should be.
    pub state: Option<DestinationState>,
    /// Snapshots and histories that were deleted.
    pub snapshots_deleted: u64,
    /// Packs that were deleted.
    pub packs_deleted: u64,
    /// Of those, packs of which something was written anew.
    pub packs_rewritten: u64,
    /// Bytes that came back, less what was written anew.
    pub bytes_freed: u64,
    /// Bytes of packs that wait until other writers had time to notice.
    pub bytes_waiting: u64,
    /// When those come back, at the earliest.
    pub returns: Option<Time>,
    /// Why nothing was deleted, or not all; one sentence without a full stop.
    pub detail: Option<String>,
}

/// What the rules in the settings would let go now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Snapshots that would stay.
    pub snapshots_staying: u64,
    /// Snapshots that would go.
    pub snapshots_going: u64,
}

/// What the rules in the settings would let go now, of the snapshots this writer decides about. No destination is looked
/// at.
///
/// # Errors
/// [`Error::Index`].
pub fn outlook(repo: &Repo) -> Result<Outlook, Error> {
    let plan = Plan::make(repo, &CleanRequest::new(Rules::of(&repo.settings.retention)))?;
    let (staying, going): (Vec<&Choice>, Vec<&Choice>) = plan.chosen.choices.iter().partition(|choice| choice.stays());
    Ok(Outlook { snapshots_staying: staying.len() as u64, snapshots_going: going.len() as u64 })
}

/// Cleans.
///
/// # Errors
/// [`Error::Unsure`] where it looks like a mistake and was not forced; [`Error::NoDestination`], [`Error::Interrupted`].
/// What goes wrong on one destination is in its part of the report.
pub fn run(repo: &mut Repo, request: CleanRequest, monitor: &dyn Monitor) -> Result<CleanReport, Error> {
    let began = Instant::now();
    if repo.destinations.is_empty() {
        return Err(repo.no_destination());
    }
    let released = if request.dry_run { Vec::new() } else { release_reserves(repo) };
    let result = run_released(repo, request, monitor);
    for destination in &released {
        restore_reserve(destination);
    }
    let mut report = result?;
    repo.look_for_what_is_gone(None, monitor)?;
    report.duration_seconds = began.elapsed().as_secs_f64();
    report.dry_run = request.dry_run;
    Ok(report)
}

fn run_released(repo: &mut Repo, request: CleanRequest, monitor: &dyn Monitor) -> Result<CleanReport, Error> {
    if !request.dry_run {
        repo.prepare_to_write()?;
        if repo.destinations.is_empty() {
            return Err(repo.no_destination());
        }
    }
    monitor.begin(Stage::Cleaning, None, None);
    let mut report = CleanReport::default();
    let mut plan = decide(repo, &request, &mut report)?;
    if request.is_unattended && (report.held.is_some() || !plan.has_work(repo)?) {
        return Ok(report);
    }
    if !request.dry_run {
        repo.prepare_to_clean()?;
        replaced::bring(repo, &plan, monitor)?;
        // Others may have put something since: what is done follows from what is there now, and so does what is said.
        plan = decide(repo, &request, &mut report)?;
        if request.is_unattended && report.held.is_some() {
            return Ok(report);
        }
    }
    let groups = histories::write(repo, &plan, &request, monitor, &mut report)?;
    if !request.dry_run {
        forget(repo, &plan, &groups)?;
    }
    let mut live = Vec::new();
    for (target, detail) in groups {
        let (cleaned, needed) = reclaim::clean(repo, &plan, target, detail, &request, monitor)?;
        report.destinations.push(cleaned);
        live.push(needed);
        if monitor.should_stop() {
            return Err(Error::Interrupted);
        }
    }
    if !request.dry_run {
        forget_trees(repo, live)?;
    }
    complete(repo, &mut report);
    Ok(report)
}

/// What there is to do, and in the report why; an error where a person has to look first.
fn decide(repo: &Repo, request: &CleanRequest, report: &mut CleanReport) -> Result<Plan, Error> {
    let plan = Plan::make(repo, request)?;
    report.choices = plan.chosen.choices.clone();
    report.future = plan.chosen.future.clone();
    report.suspects = plan.suspects.clone();
    report.held = plan.looks_like_a_mistake(request.is_unattended).filter(|_| !request.is_forced);
    match &report.held {
        Some(why) if !request.is_unattended && !request.dry_run => Err(Error::Unsure(why.clone())),
        _ => Ok(plan),
    }
}

/// The index keeps copies of trees, so that folders are listed fast. Those that nothing needs any more go too, unless it
/// is not known of some destination what it needs.
fn forget_trees(repo: &Repo, live: Vec<Option<LiveSet>>) -> Result<(), Error> {
    let Some(live) = live.into_iter().collect::<Option<Vec<LiveSet>>>() else { return Ok(()) };
    let mut writer = repo.index.writer()?;
    // A file of ours that cannot be read now says nothing: the copy stays.
    writer.retain_trees(|id| live.iter().any(|live| live.contains(id).unwrap_or(true)))?;
    Ok(writer.commit()?)
}

/// Says everywhere that what was chosen to go is not wanted any more. What is only where no history could be committed
/// stays in force: nothing tells of its versions (invariant I15).
fn forget(repo: &mut Repo, plan: &Plan, groups: &[(Target, Option<String>)]) -> Result<(), Error> {
    let may_be_forgotten = |known: &&KnownSnapshot| {
        let mut there = groups.iter().filter(|(target, _)| known.committed & target.destination.bit != 0).peekable();
        there.peek().is_none() || there.any(|(_, detail)| detail.is_none())
    };
    let going = plan.newly_going().filter(may_be_forgotten);
    let snapshots: Vec<_> = going.map(|known| place_of(known.id, &known.snapshot)).collect();
    if snapshots.is_empty() {
        return Ok(());
    }
    repo.decide(Action::Forget { reason: ForgetReason::Rule, snapshots })
}

/// Also the destinations that are configured and could not be cleaned, and what kind of place each one is.
fn complete(repo: &Repo, report: &mut CleanReport) {
    for lost in &repo.unreachable {
        if report.destinations.iter().any(|cleaned| cleaned.name == lost.name) {
            continue;
        }
        report.destinations.push(DestinationCleaned {
            name: lost.name.clone(),
            state: Some(lost.state),
            detail: (!lost.is_missing).then(|| lost.detail.clone()),
            ..DestinationCleaned::default()
        });
    }
    for cleaned in &mut report.destinations {
        let path = repo.settings.destinations.get(&cleaned.name);
        cleaned.kind = path.map_or_else(PlaceKind::default, |path| repo.kind_of(path));
    }
}

/// Makes room for the few small objects that cleaning needs, on disks that are full.
fn release_reserves(repo: &Repo) -> Vec<OpenDestination> {
    let is_low = |destination: &&OpenDestination| {
        destination.place.free_bytes().ok().flatten().is_some_and(|free| free < LOW_BYTES)
    };
    let low = repo.destinations.iter().filter(is_low);
    low.filter(|destination| {
        // Where that fails the rest is tried all the same: it says what is wrong.
        destination.place.delete(&ObjectName::Reserve).is_ok()
    })
    .cloned()
    .collect()
}

/// Keeps the room free again, where there is some.
fn restore_reserve(destination: &OpenDestination) {
    let free = destination.place.free_bytes().ok().flatten();
    if free.is_some_and(|free| free < 2 * RESERVE_LEN as u64) {
        return;
    }
    // Without a reserve everything works but cleaning a full disk; `check` tells when it is missing.
    if let Ok(Put::Written | Put::Present) = destination.place.put(&ObjectName::Reserve, &reserve_bytes()) {
        let _ = destination.place.settle(Settle::Touched);
    }
}

#[cfg(test)]
mod tests;
