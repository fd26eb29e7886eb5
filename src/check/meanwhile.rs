//! What another machine's cleaning took away or moved while a check looked: no damage.
//!
//! Cleaning deletes a snapshot before what only it needs (invariant I4), and puts what it moves before it deletes where that
//! was. So where packs that were there are gone, snapshots that are gone too are not missed, and of the others nothing can be
//! said before the next look. A pack that is gone and that something needs is missed by that one.

use std::collections::HashSet;

use super::{Finding, Severity};
use crate::error::Error;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::replicate::OpenDestination;
use crate::repo::Repo;

/// Judges again what concerns snapshots and packs, where others may have deleted packs since they were listed.
pub(super) fn judge(repo: &Repo, destination: &OpenDestination, findings: &mut Vec<Finding>) -> Result<(), Error> {
    if findings.iter().all(|finding| finding.severity != Severity::Damage) || !repo.has_others(destination)? {
        return Ok(());
    }
    let (mut snapshots, mut packs) = (HashSet::new(), HashSet::new());
    for kind in [ObjectKind::Snapshots, ObjectKind::Packs] {
        destination.place.list(kind, None, &mut |name, _| match name {
            ObjectName::Snapshot(id) => _ = snapshots.insert(id.to_string()),
            ObjectName::Pack(id) => _ = packs.insert(id),
            _ => {}
        })?;
    }
    let mut is_cleaned = false;
    repo.index.reader()?.each_pack(|_, info, presence| -> Result<(), Error> {
        is_cleaned |= presence & destination.bit != 0 && !packs.contains(&info.id);
        Ok(())
    })?;
    if !is_cleaned {
        return Ok(());
    }
    findings.retain(|finding| match finding.name {
        Some(ObjectName::Pack(id)) => packs.contains(&id),
        _ => finding.affects.is_empty() || finding.affects.iter().any(|id| snapshots.contains(id)),
    });
    for finding in findings.iter_mut().filter(|finding| !finding.affects.is_empty() && finding.name.is_none()) {
        finding.severity = Severity::Notice;
        finding.what = "another machine cleaned here while it was looked at; run `cryptbackup check` again".to_owned();
    }
    Ok(())
}
