//! What was counted on the way, source by source.

use super::guard::Changes;
use crate::format::id::{PackId, SnapshotId};
use crate::format::snapshot::{Root, RootCounts, SuspectSource};
use crate::index::DestinationBits;
use crate::repo::store::Stored;
use crate::report::Problem;

/// What a run has changed of a source so far.
#[derive(Debug, Clone)]
pub(super) struct SourceChanges {
    /// Its path.
    pub path: Vec<u8>,
    /// What was counted of it before the run.
    pub before: RootCounts,
    /// What has changed.
    pub changes: Changes,
}

/// What was counted in one source.
#[derive(Debug, Default)]
pub(super) struct RootTally {
    /// What is stored with the root.
    pub counts: RootCounts,
    /// Files that no previous snapshot had.
    pub files_new: u64,
    /// Files whose content is another one.
    pub files_changed: u64,
    /// Of those, files whose content looks random.
    pub files_opaque: u64,
    /// Files that are gone, and were not moved.
    pub files_gone: u64,
    /// Files whose content is the same.
    pub files_unmodified: u64,
    /// Files that looked unchanged and were read all the same.
    pub files_rechecked: u64,
    /// Of those, files that nobody wrote and that have another content.
    pub files_rotten: u64,
    /// Snapshots that hold what they were.
    pub good: Vec<SnapshotId>,
    /// Bytes read.
    pub bytes_read: u64,
    /// The highest number given.
    pub version_ceiling: u32,
    /// What went wrong.
    pub problems: Vec<Problem>,
    /// The sources that look suspect.
    pub suspect: Vec<SuspectSource>,
}

impl RootTally {
    /// Adds another source's.
    pub fn add(&mut self, other: RootTally) {
        self.counts.files += other.counts.files;
        self.counts.folders += other.counts.folders;
        self.counts.others += other.counts.others;
        self.counts.bytes += other.counts.bytes;
        self.counts.excluded += other.counts.excluded;
        self.counts.problems += other.counts.problems;
        self.files_new += other.files_new;
        self.files_changed += other.files_changed;
        self.files_opaque += other.files_opaque;
        self.files_gone += other.files_gone;
        self.files_unmodified += other.files_unmodified;
        self.files_rechecked += other.files_rechecked;
        self.files_rotten += other.files_rotten;
        self.good.extend(other.good);
        self.bytes_read += other.bytes_read;
        self.version_ceiling = self.version_ceiling.max(other.version_ceiling);
        self.problems.extend(other.problems);
        self.suspect.extend(other.suspect);
    }
}

/// What the pipeline leaves to be committed.
pub(super) struct Written {
    /// Whether every source was read to its end. Not so where the last destination was lost on the way: then there is
    /// nowhere to commit to.
    pub is_complete: bool,
    /// Whether the line it goes on from has partial snapshots that are somewhere.
    pub has_partials: bool,
    /// Whether the last snapshot has all of it.
    pub is_same: bool,
    /// The sources of the new snapshot.
    pub roots: Vec<Root>,
    /// What was counted in those that were read.
    pub tally: RootTally,
    /// What was stored, and where.
    pub stored: Stored,
    /// Packs that were found damaged on the way, and on which destination. What is in them may have been skipped.
    pub damaged: Vec<(DestinationBits, PackId)>,
    /// Of each source that was there before: what the snapshot before the run counted, and what the run has changed.
    pub changes: Vec<SourceChanges>,
    /// When the run began.
    pub started: crate::format::record::Time,
    /// The highest version number any snapshot tells of.
    pub version_ceiling: u32,
    /// The snapshot this one goes on from.
    pub previous: Option<SnapshotId>,
}
