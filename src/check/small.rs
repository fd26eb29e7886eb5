//! Everything on a destination but packs: read, compared with its name, and with what else belongs there.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, Severity, object};
use crate::destination::DestinationErrorKind;
use crate::error::Error;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::record::ConfigRecord;
use crate::format::sealed::ObjectType;
use crate::format::snapshot::Snapshot;
use crate::index::IndexReader;
use crate::replicate::OpenDestination;
use crate::repo::Repo;
use crate::seal::SealError;

/// What every destination should have of these kinds is on the others, or in the state folder.
const SHARED: [ObjectKind; 4] = [ObjectKind::Keys, ObjectKind::Config, ObjectKind::Writers, ObjectKind::Marks];

pub(super) fn check(
    repo: &Repo,
    view: &IndexReader,
    destination: &OpenDestination,
    findings: &mut Findings<'_>,
) -> Result<(), Error> {
    for kind in ObjectKind::ALL.into_iter().filter(|kind| *kind != ObjectKind::Packs) {
        let mut names = BTreeSet::new();
        destination.place.list(kind, None, &mut |name, _| {
            names.insert(name);
        })?;
        if names.is_empty() && matches!(kind, ObjectKind::Keys | ObjectKind::Config) {
            let folder = kind.folder();
            findings.add(folder.to_owned(), "there is nothing in it".to_owned(), Severity::Damage, None);
        }
        for name in &names {
            read(repo, destination, kind, name, findings)?;
        }
        if SHARED.contains(&kind) {
            missing(repo, view, destination, kind, &names, findings)?;
        }
    }
    fixed(destination, findings)
}

fn read(
    repo: &Repo,
    destination: &OpenDestination,
    kind: ObjectKind,
    name: &ObjectName,
    findings: &mut Findings<'_>,
) -> Result<(), Error> {
    match destination.place.get(name, None) {
        Ok(bytes) => {
            let mut faults = object::faults(name, &bytes);
            if faults.is_empty() && !has_its_number(repo, name, &bytes) {
                faults.push("it does not have the number of its name".to_owned());
            }
            for what in faults {
                findings.add_object(*name, what, Severity::Damage);
            }
        }
        Err(error) if error.kind == DestinationErrorKind::Absent && is_gone(destination, kind, name)? => {}
        Err(error) => findings.add_object(*name, error.reason.clone(), Severity::Damage),
    }
    Ok(())
}

/// Configs repeat the number of their name; what cannot be opened here is not judged.
fn has_its_number(repo: &Repo, name: &ObjectName, bytes: &[u8]) -> bool {
    let ObjectName::Config(number, _) = name else { return true };
    let opened = repo.keys.open_record(ObjectType::Config, bytes);
    opened.ok().and_then(|record| ConfigRecord::decode(&record).ok()).is_none_or(|record| record.number == *number)
}

/// Whether an object that was listed is not listed any more: another writer's cleaning may have removed it meanwhile.
fn is_gone(destination: &OpenDestination, kind: ObjectKind, name: &ObjectName) -> Result<bool, Error> {
    if !matches!(kind, ObjectKind::Snapshots | ObjectKind::Cleaning) {
        return Ok(false);
    }
    let mut is_listed = false;
    destination.place.list(kind, None, &mut |listed, _| is_listed |= listed == *name)?;
    Ok(!is_listed)
}

/// What others have and this one does not. A config that is not here keeps the destination from being opened by itself, and
/// so does the record of a writer that has a snapshot here, and a key that something here needs. Other keys, and marks, may
/// just not have arrived yet.
fn missing(
    repo: &Repo,
    view: &IndexReader,
    destination: &OpenDestination,
    kind: ObjectKind,
    here: &BTreeSet<ObjectName>,
    findings: &mut Findings<'_>,
) -> Result<(), Error> {
    let mut elsewhere: BTreeMap<ObjectName, String> = BTreeMap::new();
    for name in repo.kept_heads()?.into_iter().filter(|name| name.kind() == Some(kind)) {
        elsewhere.insert(name, "on this computer".to_owned());
    }
    for other in repo.destinations.iter().filter(|other| other.bit != destination.bit) {
        let mut names = Vec::new();
        // What cannot be listed is told of the other one.
        if other.place.list(kind, None, &mut |name, _| names.push(name)).is_ok() {
            for name in names.into_iter().filter(|name| !here.contains(name) && repo.is_in_force(name)) {
                if other.place.get(&name, None).is_ok_and(|bytes| object::faults(&name, &bytes).is_empty()) {
                    elsewhere.insert(name, format!("on [{}]", other.name));
                }
            }
        }
    }
    for (name, place) in elsewhere.into_iter().filter(|(name, _)| !here.contains(name)) {
        let is_damage = match kind {
            ObjectKind::Writers => {
                let writers = writers_of_snapshots(view, destination)?;
                repo.introduces(&name, |writer| writers.contains(writer))
            }
            ObjectKind::Keys => is_needed(repo, view, destination, &name, here)?,
            kind => kind != ObjectKind::Marks,
        };
        let severity = if is_damage { Severity::Damage } else { Severity::Notice };
        findings.add_object(name, format!("it is {place} and not here"), severity);
    }
    Ok(())
}

/// Whether what is on a destination cannot be opened without a slot or ring that is missing there. One that was made while
/// it was away is late: the next run that writes puts it there first (invariant I9).
fn is_needed(
    repo: &Repo,
    view: &IndexReader,
    destination: &OpenDestination,
    name: &ObjectName,
    here: &BTreeSet<ObjectName>,
) -> Result<bool, Error> {
    let whole = |name: &ObjectName| destination.place.get(name, None).ok().filter(|bytes| name.matches(bytes));
    if matches!(name, ObjectName::Slot(_)) {
        let others = here.iter().filter(|other| matches!(other, ObjectName::Slot(_)) && repo.is_in_force(other));
        return Ok(others.filter_map(whole).next().is_none());
    }
    let rings = here.iter().filter(|other| matches!(other, ObjectName::Ring(..)));
    let mut rings = rings.filter_map(whole).filter_map(|stored| repo.keys.open_another(&stored).ok());
    let Some(first) = rings.next() else { return Ok(true) };
    let keys = rings.fold(first, |keys, other| keys.over(&other));
    let mut is_needed = false;
    view.each_snapshot(|_, row| -> Result<(), Error> {
        if row.committed & destination.bit != 0 {
            let opened = keys.open_record(ObjectType::Snapshot, &row.stored);
            is_needed |= matches!(opened, Err(SealError::UnknownEpoch(_) | SealError::WrongKey));
        }
        Ok(())
    })?;
    Ok(is_needed)
}

fn writers_of_snapshots(view: &IndexReader, destination: &OpenDestination) -> Result<BTreeSet<[u8; 16]>, Error> {
    let mut writers = BTreeSet::new();
    view.each_snapshot(|_, row| -> Result<(), Error> {
        if row.committed & destination.bit != 0
            && let Ok(snapshot) = Snapshot::decode(&row.record)
        {
            writers.insert(*snapshot.writer.as_bytes());
        }
        Ok(())
    })?;
    Ok(writers)
}

/// The three objects that are not named by their content.
fn fixed(destination: &OpenDestination, findings: &mut Findings<'_>) -> Result<(), Error> {
    for name in [ObjectName::Header, ObjectName::DestinationMark, ObjectName::Reserve] {
        match destination.place.get(&name, None) {
            Ok(bytes) => {
                for what in object::faults(&name, &bytes) {
                    findings.add_object(name, what, Severity::Damage);
                }
            }
            Err(error) if error.kind == DestinationErrorKind::Absent && name == ObjectName::Reserve => {
                let what = "the space kept free for cleaning a full disk is gone".to_owned();
                findings.add_object(name, what, Severity::Notice);
            }
            Err(error) => findings.add_object(name, error.reason.clone(), Severity::Damage),
        }
    }
    Ok(())
}
