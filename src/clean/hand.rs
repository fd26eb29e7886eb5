//! What a person decides about single snapshots: forget, unforget, pin, tags, notes.
//!
//! A decision is a mark: it hides a snapshot at once and can be taken back until cleaning has deleted what it needs.
//!
//! ```
//! use cryptbackup::clean::hand;
//! use cryptbackup::error::Error;
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//! let latest = ["latest".to_owned()];
//! hand::tag(&mut repo, "latest", vec!["move".to_owned()], Vec::new())?;
//! hand::note(&mut repo, "latest", "the last one before we moved".to_owned())?;
//! hand::pin(&mut repo, &latest, true)?;
//! // It is the only one of its source: that has to be meant.
//! let refused = hand::forget(&mut repo, &latest, false);
//! assert!(matches!(refused, Err(Error::Unsure(_))));
//! let forgotten = hand::forget(&mut repo, &latest, true)?;
//! assert!(repo.snapshots()?.is_empty());
//! hand::unforget(&mut repo, &[forgotten[0].to_string()])?;
//! let snapshots = repo.snapshots()?;
//! assert!(snapshots[0].is_pinned && snapshots[0].tags == ["move"]);
//! # Ok(())
//! # }
//! ```

use super::choose::{Candidate, leaves_nothing};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::layout::ObjectName;
use crate::format::mark::{Action, ForgetReason, Forgotten, MARK_TEXT_MAX};
use crate::index::IndexReader;
use crate::replicate::ReplicateError;
use crate::repo::{KnownSnapshot, Repo, require_tags};
use crate::report::Silent;
use crate::snapshot::place_of;

/// Says that snapshots are not wanted any more. Their space comes back with the next [`clean`](super::run).
///
/// # Errors
/// [`Error::NotFound`], [`Error::Usage`] for a name that is none; [`Error::Unsure`] where nothing of a source would be
/// left and that was not forced; [`Error::NoDestination`].
pub fn forget(repo: &mut Repo, names: &[String], is_forced: bool) -> Result<Vec<SnapshotId>, Error> {
    let view = repo.index.reader()?;
    let mut snapshots: Vec<Forgotten> = Vec::new();
    for name in names {
        let place = match repo.resolve(&view, name) {
            Ok(known) => place_of(known.id, &known.snapshot),
            Err(error @ Error::NotFound { .. }) => nowhere(repo, &view, name)?.ok_or(error)?,
            Err(other) => return Err(other),
        };
        if !snapshots.iter().any(|known| known.id == place.id) {
            snapshots.push(place);
        }
    }
    let ids: Vec<SnapshotId> = snapshots.iter().map(|place| place.id).collect();
    let known = repo.known_snapshots(&view)?;
    let candidates: Vec<_> = known.iter().filter_map(|known| Candidate::of(known.id, &known.snapshot, false)).collect();
    drop(view);
    if let Some(path) = leaves_nothing(&candidates, &ids).first().filter(|_| !is_forced) {
        let path = String::from_utf8_lossy(path).into_owned();
        return Err(Error::Unsure(format!("no snapshot of {path} would be left")));
    }
    repo.prepare_to_write()?;
    repo.decide(Action::Forget { reason: ForgetReason::Hand, snapshots })?;
    Ok(ids)
}

/// A snapshot that cannot be opened, that is missing where it was, or that another one replaced.
fn nowhere(repo: &Repo, view: &IndexReader, name: &str) -> Result<Option<Forgotten>, Error> {
    let prefix = name.to_ascii_lowercase();
    let is_meant = |id: &SnapshotId| prefix.len() >= 4 && id.to_string().starts_with(&prefix);
    let damaged = repo.findings.iter().find_map(|(_, object, _)| match ObjectName::parse(object)? {
        ObjectName::Snapshot(id) if is_meant(&id) => Some(id),
        _ => None,
    });
    if let Some(id) = damaged {
        return Ok(Some(Forgotten { id, writer: None, sequence: 0, previous: None }));
    }
    let marks = repo.marks(view)?;
    let mut missing = None;
    view.each_snapshot(|id, row| -> Result<(), Error> {
        // What a purge replaced stays where what stands in its place is not: it keeps that place.
        let is_replaced = marks.forgotten(&id) == Some(ForgetReason::Replaced);
        if is_meant(&id) && (row.committed == 0 || is_replaced) {
            let snapshot = crate::format::snapshot::Snapshot::decode(&row.record).ok();
            let place = marks.place(&id).copied().filter(|_| is_replaced);
            missing = place.or_else(|| snapshot.map(|snapshot| place_of(id, &snapshot)));
        }
        Ok(())
    })?;
    Ok(missing)
}

/// Takes [`forget`] back, as long as the snapshots are still somewhere. Also what a rule forgot can be had back so, where
/// it waits for the grace period.
///
/// # Errors
/// [`Error::NotFound`] where nothing forgotten has the name, its space was given back, or nothing within reach has it;
/// [`Error::NoDestination`].
pub fn unforget(repo: &mut Repo, names: &[String]) -> Result<Vec<SnapshotId>, Error> {
    let view = repo.index.reader()?;
    let marks = repo.marks(&view)?;
    // What a purge replaced does not come back: that is what it is for.
    let is_forgotten = |id: &SnapshotId| matches!(marks.forgotten(id), Some(ForgetReason::Hand | ForgetReason::Rule));
    let forgotten = repo.committed(&view, |id, _| is_forgotten(id))?;
    let within_reach = repo.destinations.iter().fold(0, |bits, destination| bits | destination.bit);
    let own = repo.writer.as_ref().map(|writer| writer.id);
    let has_others = !repo.committed(&view, |_, snapshot| Some(snapshot.writer) != own)?.is_empty();
    let mut ids = Vec::new();
    for name in names {
        let prefix = name.to_ascii_lowercase();
        let mut found =
            forgotten.iter().filter(|known| !prefix.is_empty() && known.id.to_string().starts_with(&prefix));
        match (found.next(), found.next()) {
            // Others may have cleaned where it was seen last.
            (Some(known), None) if known.committed & within_reach == 0 && has_others => {
                let what = format!("forgotten snapshot `{name}`: the destination that has it is out of reach");
                return Err(Error::NotFound { what });
            }
            (Some(known), None) => ids.push(known.id),
            (Some(_), Some(_)) => {
                return Err(Error::Usage(format!("several forgotten snapshots begin with `{name}`; give more digits")));
            }
            (None, _) => {
                let reason = marks.each_forgotten().find(|(id, _)| id.to_string().starts_with(&prefix));
                let why = match reason {
                    Some((_, ForgetReason::Replaced)) => ": another one stands in its place",
                    Some(_) => ": its space was given back",
                    None => "",
                };
                return Err(Error::NotFound { what: format!("forgotten snapshot `{name}`{why}") });
            }
        }
    }
    let before: Vec<(Forgotten, ForgetReason)> =
        ids.iter().filter_map(|id| Some((*marks.place(id)?, marks.forgotten(id)?))).collect();
    drop(view);
    repo.prepare_to_write()?;
    repo.decide(Action::Unforget { snapshots: ids.clone() })?;
    let gone = gone(repo, &ids)?;
    let Some(first) = gone.first() else {
        bring(repo, &ids)?;
        return Ok(ids);
    };
    for (place, reason) in before.into_iter().filter(|(place, _)| gone.contains(&place.id)) {
        repo.decide(Action::Forget { reason, snapshots: vec![place] })?;
    }
    Err(Error::NotFound { what: format!("forgotten snapshot `{first}`: its space was given back") })
}

/// Those that are nowhere any more, after a decision about them shows: another machine that cleans may have been past its
/// last look at what was decided.
fn gone(repo: &mut Repo, ids: &[SnapshotId]) -> Result<Vec<SnapshotId>, Error> {
    repo.look_beside_others()?;
    let view = repo.index.reader()?;
    let mut gone = Vec::new();
    for id in ids {
        if view.snapshot(id)?.is_none_or(|row| row.committed == 0) {
            gone.push(*id);
        }
    }
    Ok(gone)
}

/// Puts them back where they are not any more.
fn bring(repo: &mut Repo, ids: &[SnapshotId]) -> Result<(), Error> {
    let view = repo.index.reader()?;
    let mut lost = Vec::new();
    for destination in &repo.destinations {
        for id in ids {
            if view.snapshot(id)?.is_none_or(|row| row.committed & destination.bit != 0) {
                continue;
            }
            match repo.catch_up(&Silent)?.snapshot(destination, id) {
                Err(ReplicateError::Index(error)) => return Err(error.into()),
                Err(ReplicateError::Destination(error)) => lost.push((destination.clone(), error)),
                // Where it cannot be had today, the next backup or `sync` brings it.
                Ok(_) | Err(_) => {}
            }
        }
    }
    drop(view);
    for (destination, error) in lost {
        repo.lose(&destination, &error);
    }
    Ok(())
}

/// Pins snapshots, so that no rule forgets them, or lets them go again.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Usage`], [`Error::NoDestination`].
pub fn pin(repo: &mut Repo, names: &[String], is_pinned: bool) -> Result<Vec<SnapshotId>, Error> {
    let known = resolve_all(repo, names)?;
    repo.prepare_to_write()?;
    for known in &known {
        repo.decide(Action::Pin { snapshot: known.id, is_pinned })?;
    }
    let ids: Vec<SnapshotId> = known.into_iter().map(|known| known.id).collect();
    match gone(repo, &ids)?.first() {
        Some(first) if is_pinned => Err(Error::NotFound { what: format!("snapshot `{first}`") }),
        _ => Ok(ids),
    }
}

/// Gives a snapshot tags, and takes others from it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Usage`], [`Error::NoDestination`].
pub fn tag(repo: &mut Repo, name: &str, add: Vec<String>, remove: Vec<String>) -> Result<SnapshotId, Error> {
    if add.is_empty() && remove.is_empty() {
        return Err(Error::Usage("give a tag to add or to remove".to_owned()));
    }
    require_tags(add.iter().chain(&remove))?;
    let id = resolve_one(repo, name)?;
    repo.prepare_to_write()?;
    repo.decide(Action::Tag { snapshot: id, add, remove })?;
    Ok(id)
}

/// Puts a note on a snapshot in place of an earlier one; an empty one takes it off.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Usage`], [`Error::NoDestination`].
pub fn note(repo: &mut Repo, name: &str, text: String) -> Result<SnapshotId, Error> {
    if text.len() > MARK_TEXT_MAX {
        return Err(Error::Usage(format!("a note has at most {MARK_TEXT_MAX} bytes")));
    }
    let id = resolve_one(repo, name)?;
    repo.prepare_to_write()?;
    repo.decide(Action::Note { snapshot: id, text })?;
    Ok(id)
}

fn resolve_one(repo: &Repo, name: &str) -> Result<SnapshotId, Error> {
    let view = repo.index.reader()?;
    Ok(repo.resolve(&view, name)?.id)
}

fn resolve_all(repo: &Repo, names: &[String]) -> Result<Vec<KnownSnapshot>, Error> {
    let view = repo.index.reader()?;
    names.iter().map(|name| repo.resolve(&view, name)).collect()
}
