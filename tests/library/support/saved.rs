//! What was saved when: the sources as they were at each snapshot, to compare restores with.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cryptbackup::backup::BackupReport;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::repo::Repo;
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreReport, RestoreRequest, What};

use super::World;
use super::trees::{Seen, assert_same, tree};

/// One snapshot and what its sources were then.
pub struct Saved {
    pub id: SnapshotId,
    pub sources: Vec<(PathBuf, BTreeMap<Vec<u8>, Seen>)>,
}

impl Saved {
    /// The sources as they are now, which is what the backup just made must hold.
    pub fn now(world: &World, report: &BackupReport) -> Self {
        let sources = world.settings_now().sources;
        Self {
            id: report.snapshot_id.expect("a snapshot"),
            sources: sources.iter().map(|source| (source.path.clone(), tree(&source.path))).collect(),
        }
    }
}

/// Restores a snapshot below `target`, from one destination alone where a name is given.
pub fn restore_snapshot(repo: &Repo, text: &str, from: Option<&str>, target: &Path) -> RestoreReport {
    let request = RestoreRequest {
        destination: Some(target.to_owned()),
        from: from.map(str::to_owned),
        ..RestoreRequest::new(What::Snapshot(text.to_owned()))
    };
    let plan = restore::plan(repo, request, &Silent).expect("a plan");
    restore::execute(repo, plan, &Silent).expect("restored")
}

/// Where a source appears below the target of a restored snapshot.
pub fn below(target: &Path, source: &Path) -> PathBuf {
    target.join(source.strip_prefix("/").expect("an absolute path"))
}

/// Restores every snapshot, and fails where one is not what was saved.
pub fn assert_restores(repo: &Repo, from: Option<&str>, saved: &[Saved], scratch: &Path) {
    for one in saved {
        let report = restore_snapshot(repo, &one.id.to_string(), from, scratch);
        assert_eq!(report.problems, []);
        for (source, tree_then) in &one.sources {
            assert_same(tree_then, &tree(&below(scratch, source)));
        }
        fs::remove_dir_all(scratch).expect("removed");
    }
}
