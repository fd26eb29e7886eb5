//! What was found is put right, as far as good bytes are anywhere; then it is looked again.
//!
//! In this order on each destination: the folder itself, damaged and missing objects, packs that are needed and not
//! there, and last the snapshots that are missing, since a snapshot is written only where everything it needs is.

use std::collections::BTreeSet;
use std::time::Instant;

use super::{CheckReport, CheckRequest, FOLDER, Finding, Healed, Severity};
use crate::error::Error;
use crate::format::id::PackId;
use crate::format::layout::ObjectName;
use crate::index::DestinationBits;
use crate::replicate::{Healing, OpenDestination};
use crate::repo::Repo;
use crate::report::Monitor;

/// How often it is healed and looked again: what a damaged snapshot needs is only looked at when it is whole again.
const PASSES: usize = 3;

/// Looks at every destination within reach and heals what it finds. The repository has to be opened for writing.
///
/// # Errors
/// Those of [`run`](super::run), and of preparing to write. What cannot be healed is no error but remains.
pub fn heal(repo: &mut Repo, request: CheckRequest, monitor: &dyn Monitor) -> Result<CheckReport, Error> {
    let began = Instant::now();
    let mended = repo.mend_places(request.destination.as_deref(), monitor)?;
    let mut report = super::run(repo, request, monitor)?;
    for place in mended {
        let finding = of_folder(&place.name, place.what);
        match place.failure {
            None => {
                let (destination, object) = (finding.destination.clone(), finding.object.clone());
                report.healed.push(Healed { destination, object, how: "written again".to_owned() });
            }
            Some(failure) => report.remaining.push(of_folder(&place.name, failure)),
        }
        if !report.findings.contains(&finding) {
            report.findings.insert(0, finding);
        }
    }
    if report.findings.is_empty() {
        // A pack that nothing needs may be gone: that is no damage, and no loss either.
        repo.look_for_what_is_gone(None, monitor)?;
        report.duration_seconds = began.elapsed().as_secs_f64();
        return Ok(report);
    }
    repo.note_damaged(&damaged_packs(repo, &report.findings))?;
    repo.prepare_to_write()?;
    let concerned: BTreeSet<String> = report.findings.iter().map(|finding| finding.destination.clone()).collect();
    let mut found = report.findings.clone();
    for _ in 0..PASSES {
        // What was left is found again, or it is not left any more.
        report.remaining.retain(|left| left.object == FOLDER);
        for target in repo.destinations().to_vec().iter().filter(|target| concerned.contains(&target.name)) {
            monitor.current(&target.name);
            match one(repo, target, &found, &mut report, monitor) {
                // One that fails is out of the run; the others are healed all the same.
                Err(Error::Destination(error)) => {
                    report.remaining.push(of_folder(&target.name, error.to_string()));
                    repo.lose(target, &error);
                }
                result => result?,
            }
        }
        repo.look_again(monitor)?;
        found = look_again(repo, &concerned, monitor)?;
        // What turns up only now counts as damaged before anything is saved of it, and after the last pass too.
        repo.note_damaged(&damaged_packs(repo, &found))?;
        if !found.iter().any(|finding| finding.severity == Severity::Damage) {
            break;
        }
        let new: Vec<Finding> =
            found.iter().filter(|new| !report.findings.iter().any(|known| is_same(known, new))).cloned().collect();
        let is_any_new = !new.is_empty();
        report.findings.extend(new);
        if !is_any_new {
            break;
        }
    }
    for finding in found {
        if !report.remaining.iter().any(|left| is_same(left, &finding)) {
            report.remaining.push(finding);
        }
    }
    repo.look_for_what_is_gone(None, monitor)?;
    report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

fn is_same(left: &Finding, right: &Finding) -> bool {
    left.destination == right.destination && left.object == right.object
}

fn of_folder(destination: &str, what: String) -> Finding {
    Finding {
        destination: destination.to_owned(),
        object: FOLDER.to_owned(),
        what,
        severity: Severity::Damage,
        affects: Vec::new(),
        name: None,
    }
}

/// Heals everything found on one destination.
fn one(
    repo: &mut Repo,
    target: &OpenDestination,
    found: &[Finding],
    report: &mut CheckReport,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let found = found.iter().filter(|finding| finding.destination == target.name);
    // What is not about one object is about a snapshot: it was read, and something that it needs is not there.
    let is_of_packs = |finding: &Finding| matches!(finding.name, None | Some(ObjectName::Pack(_)));
    let may_lack_packs = found.clone().any(|finding| is_of_packs(finding) && finding.object != FOLDER);
    let names: BTreeSet<ObjectName> = found.filter_map(|finding| finding.name).collect();
    let (snapshots, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| matches!(name, ObjectName::Snapshot(_)));
    for name in others {
        object(repo, target, &name, report, monitor)?;
        // Rings come before what they open.
        if matches!(name, ObjectName::Ring(..)) {
            repo.take_in_healed_keys(target)?;
        }
    }
    let packs = if may_lack_packs { repo.complete(target, monitor)? } else { None };
    if let Some(packs) = packs.filter(|packs| *packs > 0) {
        let how = format!("{packs} that were missing were taken from other destinations");
        report.healed.push(Healed { destination: target.name.clone(), object: "packs".to_owned(), how });
    }
    for name in snapshots {
        object(repo, target, &name, report, monitor)?;
    }
    Ok(())
}

fn object(
    repo: &Repo,
    target: &OpenDestination,
    name: &ObjectName,
    report: &mut CheckReport,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    if monitor.should_stop() {
        return Err(Error::Interrupted);
    }
    let (destination, object) = (target.name.clone(), name.to_string());
    match repo.heal(target, name, monitor)? {
        Healing::Healed(how) | Healing::Saved(how) => report.healed.push(Healed { destination, object, how }),
        Healing::Left(what) => {
            let found = report.findings.iter().find(|finding| finding.name == Some(*name));
            let severity = found.map_or(Severity::Damage, |finding| finding.severity);
            let name = Some(*name);
            report.remaining.push(Finding { destination, object, what, severity, affects: Vec::new(), name });
        }
    }
    Ok(())
}

/// What is still wrong with the structure of the destinations that were healed.
fn look_again(repo: &Repo, concerned: &BTreeSet<String>, monitor: &dyn Monitor) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    for name in concerned {
        if repo.destinations().iter().any(|destination| destination.name == *name) {
            let request = CheckRequest { destination: Some(name.clone()), ..CheckRequest::default() };
            findings.extend(super::run(repo, request, monitor)?.findings);
        }
    }
    Ok(findings)
}

/// The packs that were found damaged, and where.
fn damaged_packs(repo: &Repo, findings: &[Finding]) -> Vec<(DestinationBits, PackId)> {
    let mut packs = BTreeSet::new();
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Damage) {
        let Some(ObjectName::Pack(id)) = finding.name else { continue };
        let target = repo.destinations().iter().find(|known| known.name == finding.destination);
        packs.extend(target.map(|target| (target.bit, id)));
    }
    packs.into_iter().collect()
}

/// Remembers which packs were found damaged, so that the next backup stores again what it needs of them. Nothing is
/// remembered while another command writes; the next check finds it again.
///
/// # Errors
/// [`Error::Index`].
pub fn remember(repo: Repo, report: &CheckReport) -> Result<(), Error> {
    let damaged = damaged_packs(&repo, &report.findings);
    if damaged.is_empty() {
        return Ok(());
    }
    match repo.into_writer()? {
        Some(repo) => repo.note_damaged(&damaged),
        None => Ok(()),
    }
}
