//! The snapshot: written where everything it needs is durable; the others catch up.
//!
//! 1. Destinations that took every pack and lack nothing that was skipped commit at once.
//! 2. This writer remembers how far it got.
//! 3. Destinations within reach that lack something get it from the first ones, the new snapshot first, then the
//!    older ones they missed.

use std::collections::BTreeMap;

use super::outcome::Written;
use super::{BackupReport, BackupRequest, DestinationOutcome};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::mark::{Action, ForgetReason};
use crate::format::record::Extra;
use crate::format::sealed::ObjectType;
use crate::format::snapshot::{Snapshot, Suspicion, packs_digest};
use crate::index::SnapshotRow;
use crate::replicate::lanes::LaneTrouble;
use crate::replicate::{OpenDestination, ReplicateError};
use crate::repo::{DestinationState, Repo, Writer, state_after, user_name};
use crate::report::{Monitor, Stage};
use crate::snapshot::{ReadError, place_of};

/// What is known of a destination's part in this run, by its name.
#[derive(Default)]
struct Part {
    is_committed: bool,
    packs_written: u64,
    packs_copied: u64,
    state: Option<DestinationState>,
    detail: Option<String>,
}

/// Writes the snapshot of what the pipeline stored.
///
/// # Errors
/// [`Error::TooFewCopies`] where fewer than `min_copies` destinations have it in the end.
pub(super) fn commit(
    repo: &mut Repo,
    written: Written,
    request: &BackupRequest,
    flag: u32,
    monitor: &dyn Monitor,
) -> Result<BackupReport, Error> {
    if monitor.should_stop() {
        return Err(Error::Interrupted);
    }
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    let (mut direct, mut later) = (Vec::new(), Vec::new());
    let lacking = written.damaged.iter().fold(written.stored.lacking, |bits, (damaged, _)| bits | damaged);
    for lane in &written.stored.lanes {
        let part = parts.entry(lane.destination.name.clone()).or_default();
        part.packs_written = lane.written;
        match &lane.trouble {
            None if lacking & lane.destination.bit == 0 => direct.push(lane.destination.clone()),
            None | Some(LaneTrouble::Slow) => later.push(lane.destination.clone()),
            Some(trouble) => {
                part.detail = Some(trouble.to_string());
                part.state = Some(match trouble {
                    LaneTrouble::Failed(error) => state_after(error),
                    _ => DestinationState::Absent,
                });
            }
        }
    }
    if !written.is_complete {
        lose(repo, &parts);
        return Err(too_few_copies(repo, &outcomes(repo, parts)?));
    }
    if request.skip_unchanged && written.is_same {
        return Ok(BackupReport { destinations: outcomes(repo, parts)?, ..report_of(written) });
    }
    let (id, snapshot, stored) = seal_snapshot(repo, &written, request, flag)?;
    let row = SnapshotRow {
        committed: 0,
        whole: 0,
        seen: 0,
        // This run retired the numbers of what it saw deleted.
        is_counted: true,
        record: snapshot.encode().map_err(|source| Error::Format { object: "snapshot".to_owned(), source })?,
        stored,
    };
    let mut writer = repo.index.writer()?;
    writer.put_snapshot(&id, &row)?;
    writer.commit()?;

    let committed = everywhere(repo, &id, &snapshot, (&direct, &later), request, &mut parts, monitor);
    if matches!(committed, Err(Error::Overtaken)) {
        // What was written does not count, here or elsewhere: the run is repeated and gives another snapshot.
        let snapshots = vec![place_of(id, &snapshot)];
        repo.decide(Action::Forget { reason: ForgetReason::Replaced, snapshots })?;
    }
    committed?;
    repo.look_for_what_is_gone(None, monitor)?;
    report(repo, written, id, parts)
}

/// Commits where everything is, then lets the others catch up.
fn everywhere(
    repo: &mut Repo,
    id: &SnapshotId,
    snapshot: &Snapshot,
    (direct, later): (&[OpenDestination], &[OpenDestination]),
    request: &BackupRequest,
    parts: &mut BTreeMap<String, Part>,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    // One that this writer made and does not know the number of would be that of a copy of it.
    repo.remember_sequence(snapshot.sequence)?;
    for destination in direct {
        let result = repo.catch_up(monitor)?.commit(destination, id);
        note(parts.entry(destination.name.clone()).or_default(), result)?;
    }
    if parts.values().any(|part| part.is_committed) {
        remember(repo, id, snapshot)?;
    }
    lose(repo, parts);
    catch_up_now(repo, id, later, request, parts, monitor)?;
    if parts.values().any(|part| part.is_committed) {
        return remember(repo, id, snapshot);
    }
    // It may be on one of them all the same; its number is not given again.
    let mut writer = repo.index.writer()?;
    writer.remove_snapshot(id)?;
    Ok(writer.commit()?)
}

/// Takes the destinations that failed out of this run, and out of those that go on with what it knew.
fn lose(repo: &mut Repo, parts: &BTreeMap<String, Part>) {
    for destination in repo.destinations.clone() {
        if let Some(part) = parts.get(&destination.name)
            && let Some(state) = part.state
        {
            repo.give_up(&destination, state, part.detail.clone().unwrap_or_default());
        }
    }
}

fn seal_snapshot(
    repo: &Repo,
    written: &Written,
    request: &BackupRequest,
    flag: u32,
) -> Result<(SnapshotId, Snapshot, Vec<u8>), Error> {
    let mut pack_ids = written.stored.pack_ids.clone();
    let finished = repo.now();
    let packs_digest = packs_digest(&mut pack_ids);
    let mut extra = Extra::new();
    if !written.tally.suspect.is_empty() {
        let suspicion = Suspicion { sources: written.tally.suspect.clone() };
        extra.push(suspicion.encode().map_err(|source| Error::Format { object: "snapshot".to_owned(), source })?);
    }
    let snapshot = Snapshot {
        writer: repo.writer_id()?,
        sequence: repo.next_sequence()?,
        previous: written.previous,
        started: written.started,
        finished,
        zone_offset: repo.zone_offset(),
        machine: repo.machine_name(),
        user: user_name(),
        roots: written.roots.clone(),
        flags: if extra.is_empty() { 0 } else { Snapshot::SUSPECT } | flag,
        tags: request.tags.clone(),
        packs_written: pack_ids.len() as u32,
        packs_digest,
        version_ceiling: written.version_ceiling.max(written.tally.version_ceiling),
        extra,
    };
    let format = |source| Error::Format { object: "snapshot".to_owned(), source };
    snapshot.validate().map_err(format)?;
    let stored = repo.keys.seal_record(ObjectType::Snapshot, &snapshot.encode().map_err(format)?)?;
    Ok((SnapshotId::of(&stored), snapshot, stored))
}

/// After the first commit, before anything is reported.
fn remember(repo: &mut Repo, id: &SnapshotId, snapshot: &Snapshot) -> Result<(), Error> {
    let mut writer = writer(repo)?.clone();
    if writer.sequence == snapshot.sequence && writer.last_snapshot == Some(*id) {
        return Ok(());
    }
    writer.sequence = snapshot.sequence;
    writer.last_snapshot = Some(*id);
    writer.version_ceiling = writer.version_ceiling.max(snapshot.version_ceiling);
    writer.save(&repo.home)?;
    repo.writer = Some(writer);
    Ok(())
}

fn writer(repo: &Repo) -> Result<&Writer, Error> {
    // A run that writes begins with `prepare_to_write`.
    repo.writer.as_ref().ok_or_else(|| Error::Usage("this state folder has no writer".to_owned()))
}

/// What a commit's result means for its destination. Only what concerns the whole run is returned.
fn note(part: &mut Part, result: Result<(), ReplicateError>) -> Result<(), Error> {
    match result {
        Ok(()) => {
            part.is_committed = true;
            part.detail = None;
            Ok(())
        }
        Err(ReplicateError::Destination(error)) => {
            part.detail = Some(error.to_string());
            part.state = Some(state_after(&error));
            Ok(())
        }
        Err(ReplicateError::Read(ReadError::Index(error)) | ReplicateError::Index(error)) => Err(error.into()),
        Err(ReplicateError::Overtaken) => Err(Error::Overtaken),
        Err(ReplicateError::Interrupted) => {
            part.detail = Some("interrupted while it caught up".to_owned());
            Ok(())
        }
        Err(error) => {
            part.detail = Some(error.to_string());
            Ok(())
        }
    }
}

/// Brings destinations within reach up to date: the new snapshot first, then the older ones.
fn catch_up_now(
    repo: &Repo,
    id: &SnapshotId,
    later: &[OpenDestination],
    request: &BackupRequest,
    parts: &mut BTreeMap<String, Part>,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let catch_up = repo.catch_up(monitor)?;
    let mut is_announced = false;
    for destination in &repo.destinations {
        let part = parts.entry(destination.name.clone()).or_default();
        let mut missing = Vec::new();
        if later.iter().any(|late| late.bit == destination.bit) {
            missing.push(*id);
        }
        if !request.no_sync {
            let older = catch_up.behind(destination.bit)?;
            missing.extend(older.into_iter().filter(|other| other != id));
        }
        // What others put comes with the record of who put it (I9).
        if missing.iter().any(|other| other != id)
            && let Err(ReplicateError::Destination(error)) = catch_up.heads(destination)
        {
            part.detail = Some(error.to_string());
            part.state = Some(state_after(&error));
            missing.retain(|other| other == id);
        }
        for other in missing {
            if !is_announced {
                monitor.begin(Stage::CatchingUp, None, None);
                is_announced = true;
            }
            monitor.current(&destination.name);
            let result = catch_up.snapshot(destination, &other).map(|copied| part.packs_copied += copied.packs);
            if other == *id {
                note(part, result)?;
            } else if let Err(error) = result {
                match error {
                    ReplicateError::Index(error) => return Err(error.into()),
                    // What is out of reach today may be there tomorrow; the report says how many are missing.
                    ReplicateError::Read(_) => {}
                    ReplicateError::Destination(error) => {
                        part.detail = Some(error.to_string());
                        part.state = Some(state_after(&error));
                    }
                    error => part.detail = Some(error.to_string()),
                }
            }
            if part.state.is_some() || monitor.should_stop() {
                break;
            }
        }
    }
    Ok(())
}

fn report(repo: &Repo, written: Written, id: SnapshotId, parts: BTreeMap<String, Part>) -> Result<BackupReport, Error> {
    let destinations = outcomes(repo, parts)?;
    let copies = destinations.iter().filter(|destination| destination.committed).count();
    if copies < repo.settings.min_copies.max(1) {
        return Err(too_few_copies(repo, &destinations));
    }
    Ok(BackupReport { snapshot_id: Some(id), destinations, copies, ..report_of(written) })
}

/// What was read and stored, wherever it is now.
fn report_of(written: Written) -> BackupReport {
    let tally = written.tally;
    BackupReport {
        files_new: tally.files_new,
        files_changed: tally.files_changed,
        files_unmodified: tally.files_unmodified,
        files_rechecked: tally.files_rechecked,
        folders: tally.counts.folders,
        excluded: tally.counts.excluded,
        bytes_read: tally.bytes_read,
        bytes_added: written.stored.counts.bytes_added,
        bytes_stored: written.stored.counts.bytes_stored,
        problems: tally.problems,
        suspect: tally.suspect,
        ..BackupReport::default()
    }
}

/// What happened on each configured destination.
fn outcomes(repo: &Repo, mut parts: BTreeMap<String, Part>) -> Result<Vec<DestinationOutcome>, Error> {
    let view = repo.index.reader()?;
    let mut destinations = Vec::new();
    for (name, path) in repo.settings.destinations.iter() {
        let part = parts.remove(name).unwrap_or_default();
        let status = repo.destination_status(&view, name.clone(), path.clone())?;
        destinations.push(DestinationOutcome {
            name: name.clone(),
            kind: repo.kind_of(&status.path),
            path: status.path,
            state: part.state.unwrap_or(status.state),
            committed: part.is_committed,
            packs_written: part.packs_written,
            packs_copied: part.packs_copied,
            snapshots_behind: status.snapshots_behind,
            detail: part.detail.or(status.detail),
        });
    }
    Ok(destinations)
}

fn too_few_copies(repo: &Repo, destinations: &[DestinationOutcome]) -> Error {
    let missing = destinations.iter().filter(|destination| !destination.committed);
    let reasons: Vec<(String, String)> = missing
        .map(|destination| {
            let why = destination.detail.clone();
            let why = why.unwrap_or_else(|| "it lacks some of what the snapshot needs".to_owned());
            (destination.name.clone(), why)
        })
        .collect();
    Error::TooFewCopies {
        committed: destinations.len() - reasons.len(),
        wanted: repo.settings.min_copies.max(1),
        reasons,
    }
}
