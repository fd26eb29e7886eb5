//! What is not there any more because somebody who cleaned deleted it. It is not missed, also where it is had back later from
//! elsewhere: that brings it. The rest of what is not there any more is missing (invariant I18).

use crate::format::id::SnapshotId;
use crate::index::Index;
use crate::replicate::{OpenDestination, ReplicateError};
use crate::snapshot::Marks;

/// Takes note of those of the missing snapshots that are forgotten.
pub(super) fn let_go(
    index: &Index,
    destination: &OpenDestination,
    missing: &[SnapshotId],
) -> Result<(), ReplicateError> {
    if missing.is_empty() {
        return Ok(());
    }
    let marks = Marks::load(&index.reader()?)?;
    let deleted = missing.iter().filter(|id| marks.forgotten(id).is_some()).copied().collect::<Vec<_>>();
    note_deleted(index, destination, &deleted)
}

/// Takes note of deletions that were meant. Later what said so may be gone too.
///
/// # Errors
/// [`ReplicateError::Index`].
pub fn note_deleted(
    index: &Index,
    destination: &OpenDestination,
    deleted: &[SnapshotId],
) -> Result<(), ReplicateError> {
    if deleted.is_empty() {
        return Ok(());
    }
    let mut writer = index.writer()?;
    for id in deleted {
        let mut is_gone = false;
        writer.update_snapshot(id, |row| {
            row.seen &= !destination.bit;
            is_gone = row.seen == 0 && row.committed == 0;
        })?;
        if is_gone {
            writer.remove_snapshot(id)?;
        }
    }
    Ok(writer.commit()?)
}
