//! What whoever watched the sources knows of them: where a run may look only at that, and what the counts are then.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::context::ScanContext;
use super::outcome::RootTally;
use super::pipeline::SourceRun;
use crate::format::id::SnapshotId;
use crate::format::snapshot::{Root, RootCounts};
use crate::format::tree::Flags;
use crate::source::Changes;

/// What changed since a snapshot, as somebody saw who watched from before its sources were read.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The snapshot.
    pub since: SnapshotId,
    /// By the path of the source. Sources that are not there are read whole.
    pub sources: BTreeMap<PathBuf, Changes>,
    /// Whether what had a problem in the snapshot is among them: then nothing else of a source has one.
    pub has_problems: bool,
}

/// The changes of a source, where the run may look only at them: the previous tree is no older than what the changes begin
/// with, and all of it lies on one destination within reach.
pub(super) fn usable(run: &SourceRun<'_>, context: &ScanContext<'_>) -> Option<Changes> {
    let changed = run.request.changed.as_ref().filter(|_| !run.request.force && run.recheck().is_none())?;
    let changes = changed.sources.get(&run.source.path).filter(|changes| !changes.is_everything())?;
    let previous = context.previous.as_ref()?;
    if previous.node.folder().is_none() || !previous.coverage.is_whole() || context.selection.is_some() {
        return None;
    }
    let (known, _) = run.line.root(&context.root)?;
    let place = |id: &SnapshotId| run.line.chain.iter().position(|known| known.id == *id);
    // The newest come first.
    (place(&known.id)? <= place(&changed.since)?).then(|| changes.clone())
}

/// Counts what was not looked at too: `before` is what the last snapshot has, `looked_at` the part of it that was looked at
/// again. What was left out is known from the last time everything was looked at.
pub(super) fn complete(tally: &mut RootTally, before: &RootCounts, looked_at: &RootCounts) {
    let sum = |now: u64, before: u64, looked_at: u64| now.saturating_add(before).saturating_sub(looked_at);
    let RootCounts { files, folders, others, bytes, excluded, problems } = &mut tally.counts;
    *files = sum(*files, before.files, looked_at.files);
    // The root is in neither of the two others.
    *folders = sum(*folders, before.folders.saturating_sub(1), looked_at.folders);
    *others = sum(*others, before.others, looked_at.others);
    *bytes = sum(*bytes, before.bytes, looked_at.bytes);
    *excluded = before.excluded;
    *problems = problems.saturating_add(before.problems.saturating_sub(looked_at.problems));
    tally.files_unmodified = files.saturating_sub(tally.files_new + tally.files_changed);
}

/// What the last snapshot has of a source that is looked at again, with what else of it is known to be.
pub(super) fn looked_at(run: &SourceRun<'_>, known: &SnapshotId, before: &Root, counted: &RootCounts) -> RootCounts {
    let is_all = run.request.changed.as_ref().is_some_and(|changed| changed.has_problems && changed.since == *known);
    // The root is looked at in every run.
    let some = counted.problems + u64::from(before.node.flags != Flags::NONE);
    RootCounts { problems: if is_all { before.counts.problems } else { some }, ..*counted }
}

/// Whether two snapshots have the same in them.
pub(super) fn are_same(left: &[Root], right: &[Root]) -> bool {
    // That a source cannot be read is told by a snapshot, and so is that it was read again.
    let is_read = |root: &Root| root.carried_from.is_none();
    let are_as_well =
        |left: &Root, right: &Root| left.counts.problems == right.counts.problems || is_read(left) && is_read(right);
    let is_same =
        |(left, right): (&Root, &Root)| left.path == right.path && left.node == right.node && are_as_well(left, right);
    left.len() == right.len() && left.iter().zip(right).all(is_same)
}
