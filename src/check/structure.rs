//! Snapshots, trees and the presence of packs, on one destination for itself.

use super::{DestinationChecked, Findings, Severity};
use crate::destination::DestinationErrorKind;
use crate::error::Error;
use crate::format::id::ChunkId;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::tree::Node;
use crate::monitor::Monitor;
use crate::replicate::{Fetcher, OpenDestination};
use crate::repo::Repo;
use crate::snapshot::{ReadError, each_need};

/// Ends a walk at the first thing that makes going on pointless.
enum Stop {
    Interrupted,
    Read(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

pub(super) fn check(
    repo: &Repo,
    destination: &OpenDestination,
    findings: &mut Findings<'_>,
    checked: &mut DestinationChecked,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    small_objects(destination, findings)?;
    let view = repo.index.reader()?;
    view.each_pack(|_, _, presence| -> Result<(), Error> {
        checked.packs += u64::from(presence & destination.bit != 0);
        Ok(())
    })?;
    let only = [destination.clone()];
    let fetcher = Fetcher::new(&repo.keys, &view, &only).without_cache();
    let mut known = repo.known_snapshots(&view)?;
    known.retain(|known| known.committed & destination.bit != 0);
    known.reverse();
    // What an older snapshot shares with a newer one was looked at there, if it was whole.
    let mut bases: Vec<(Vec<u8>, Node)> = Vec::new();
    for known in known {
        checked.snapshots += 1;
        let name = known.id.to_string();
        for root in &known.snapshot.roots {
            let base = bases.iter().find(|(path, _)| *path == root.path).map(|(_, node)| node);
            let mut missing = 0u64;
            let mut need = |id: &ChunkId| -> Result<(), Stop> {
                if monitor.should_stop() {
                    return Err(Stop::Interrupted);
                }
                let presence = view.chunk_presence(id).map_err(ReadError::Index)?;
                missing += u64::from(presence & destination.bit == 0);
                Ok(())
            };
            let result = each_need(&fetcher, base, &root.node, &mut |_, id, _| need(id));
            let path = String::from_utf8_lossy(&root.path).into_owned();
            match result {
                Ok(()) if missing == 0 => {
                    bases.retain(|(path, _)| *path != root.path);
                    bases.push((root.path.clone(), root.node.clone()));
                }
                Ok(()) => findings.add(
                    format!("snapshot {name}"),
                    format!("{missing} chunks of {path} are in no pack here"),
                    Severity::Damage,
                    Some(name.clone()),
                ),
                Err(Stop::Interrupted) => return Err(Error::Interrupted),
                Err(Stop::Read(ReadError::Index(error))) => return Err(error.into()),
                Err(Stop::Read(error)) => findings.add(
                    format!("snapshot {name}"),
                    format!("the tree of {path} cannot be read: {error}"),
                    Severity::Damage,
                    Some(name.clone()),
                ),
            }
        }
        monitor.advance(1, 0);
    }
    Ok(())
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

/// Reads everything but packs and compares it with its name.
fn small_objects(destination: &OpenDestination, findings: &mut Findings<'_>) -> Result<(), Error> {
    for kind in ObjectKind::ALL.into_iter().filter(|kind| *kind != ObjectKind::Packs) {
        let mut names = Vec::new();
        destination.place.list(kind, None, &mut |name, _| names.push(name))?;
        if names.is_empty() && matches!(kind, ObjectKind::Keys | ObjectKind::Config) {
            let folder = kind.folder();
            findings.add(folder.to_owned(), "there is nothing in it".to_owned(), Severity::Damage, None);
        }
        for name in names {
            match destination.place.get(&name, None) {
                Ok(bytes) if name.matches(&bytes) => {}
                Ok(_) => {
                    findings.add(name.to_string(), "its bytes do not match its name".to_owned(), Severity::Damage, None)
                }
                Err(error) if error.kind == DestinationErrorKind::Absent && is_gone(destination, kind, &name)? => {}
                Err(error) => findings.add(name.to_string(), error.reason.clone(), Severity::Damage, None),
            }
        }
    }
    match destination.place.get(&ObjectName::Reserve, Some(0..1)) {
        Err(error) if error.kind == DestinationErrorKind::Absent => {
            let what = "the space kept free for cleaning a full disk is gone".to_owned();
            findings.add(ObjectName::Reserve.to_string(), what, Severity::Notice, None);
        }
        _ => {}
    }
    Ok(())
}
