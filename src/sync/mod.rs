//! Destinations get what they missed, or do not have any more, from the others; no source is read.
//!
//! ```
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//! use cryptbackup::sync::{self, SyncRequest};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! repo.add_destination("secondary", &folder.path().join("disk"), &Silent)?;
//! let report = sync::run(&mut repo, SyncRequest::default(), &Silent)?;
//! for synced in &report.destinations {
//!     println!("[{}] got {} snapshots, lacks {}", synced.name, synced.snapshots_copied, synced.snapshots_behind);
//! }
//! assert_eq!(report.destinations[1].snapshots_copied, 1);
//! # Ok(())
//! # }
//! ```

use std::path::PathBuf;
use std::time::Instant;

use crate::error::Error;
use crate::replicate::{OpenDestination, ReplicateError};
use crate::repo::{DestinationState, PlaceKind, Repo, state_after};
use crate::report::{Monitor, Stage};
use crate::snapshot::ReadError;

/// What to bring up to date.
#[derive(Debug, Clone, Default)]
pub struct SyncRequest {
    /// Only this destination; all where there is none.
    pub destination: Option<String>,
}

/// What happened.
#[derive(Debug, Clone)]
pub struct SyncReport {
    /// What happened on each destination.
    pub destinations: Vec<DestinationSynced>,
    /// How long it took.
    pub duration_seconds: f64,
}

/// What happened on one destination.
#[derive(Debug, Clone)]
pub struct DestinationSynced {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// How it is now.
    pub state: DestinationState,
    /// Snapshots it got.
    pub snapshots_copied: u64,
    /// Packs it got.
    pub packs_copied: u64,
    /// Bytes of those packs.
    pub bytes_copied: u64,
    /// Snapshots that are elsewhere and still not there.
    pub snapshots_behind: u64,
    /// What is to be known, as one sentence without a full stop.
    pub detail: Option<String>,
}

/// Brings destinations up to date, newest snapshot first.
///
/// # Errors
/// [`Error::NoDestination`], [`Error::Usage`] for a name that is none, [`Error::Interrupted`].
pub fn run(repo: &mut Repo, request: SyncRequest, monitor: &dyn Monitor) -> Result<SyncReport, Error> {
    let began = Instant::now();
    if let Some(name) = &request.destination
        && !repo.settings.destinations.contains_key(name)
    {
        return Err(Error::Usage(format!("there is no destination called `{name}`")));
    }
    repo.prepare_to_write()?;
    if repo.destinations.is_empty() {
        return Err(repo.no_destination());
    }
    monitor.begin(Stage::CatchingUp, None, None);
    let mut outcomes: Vec<(DestinationSynced, Option<DestinationState>)> = Vec::new();
    for (name, path) in repo.settings.destinations.iter() {
        if request.destination.as_ref().is_some_and(|wanted| wanted != name) {
            continue;
        }
        let mut outcome = DestinationSynced {
            name: name.clone(),
            path: path.clone(),
            kind: repo.kind_of(path),
            state: DestinationState::Online,
            snapshots_copied: 0,
            packs_copied: 0,
            bytes_copied: 0,
            snapshots_behind: 0,
            detail: None,
        };
        let mut failed = None;
        if let Some(target) = repo.destinations.iter().find(|destination| destination.name == *name) {
            monitor.current(name);
            failed = bring_up_to_date(repo, target, &mut outcome, monitor)?;
        }
        outcomes.push((outcome, failed));
    }
    repo.look_for_what_is_gone(None, monitor)?;
    let view = repo.index.reader()?;
    let mut destinations = Vec::new();
    for (mut outcome, failed) in outcomes {
        let status = repo.destination_status(&view, outcome.name.clone(), outcome.path.clone())?;
        (outcome.path, outcome.kind) = (status.path, status.kind);
        outcome.state = failed.unwrap_or(status.state);
        outcome.snapshots_behind = status.snapshots_behind;
        outcome.detail = outcome.detail.or(status.detail);
        destinations.push(outcome);
    }
    Ok(SyncReport { destinations, duration_seconds: began.elapsed().as_secs_f64() })
}

/// Gives the state the destination is in where it failed.
fn bring_up_to_date(
    repo: &Repo,
    target: &OpenDestination,
    outcome: &mut DestinationSynced,
    monitor: &dyn Monitor,
) -> Result<Option<DestinationState>, Error> {
    let catch_up = repo.catch_up(monitor)?;
    let fail = |outcome: &mut DestinationSynced, error: &crate::destination::DestinationError| {
        outcome.detail = Some(error.to_string());
        Ok(Some(state_after(error)))
    };
    match catch_up.heads(target) {
        Err(ReplicateError::Destination(error)) => return fail(outcome, &error),
        result => result?,
    }
    // What was deleted or damaged there since comes back too, also for snapshots that no newer one stands on.
    let (behind, not_whole) = (catch_up.behind(target.bit)?, catch_up.not_whole(target.bit)?);
    for id in behind.into_iter().chain(not_whole) {
        match catch_up.snapshot(target, &id) {
            Ok(copied) => {
                outcome.snapshots_copied += copied.snapshots;
                outcome.packs_copied += copied.packs;
                outcome.bytes_copied += copied.bytes;
            }
            Err(ReplicateError::Destination(error)) => return fail(outcome, &error),
            // Some of it is on a destination that is away, or damaged: the others may still be whole.
            Err(ReplicateError::Read(error @ (ReadError::Missing { .. } | ReadError::Damaged { .. }))) => {
                outcome.detail = Some(format!("snapshot {} is not whole within reach: {error}", id.short()));
            }
            Err(error @ ReplicateError::Overtaken) => outcome.detail = Some(format!("{error}; try again")),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(None)
}
