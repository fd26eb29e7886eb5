//! After a crash: everything that was promised is there, nothing is damaged, and work goes on without repair.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use cryptbackup::backup::{self, BackupRequest};
use cryptbackup::check::{self, CheckRequest, Severity};
use cryptbackup::clean;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::repo::Repo;
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest, What};

use crate::disk::crash::Policy;
use crate::disk::{Image, Step};
use crate::rig::{PLACES, Rig};
use crate::source::{Tree, below};
use crate::trees::{assert_same, tree};
use crate::workload::{Workload, clean_request};

/// A snapshot that must be on destinations.
#[derive(Clone)]
pub struct Kept<'w> {
    pub id: SnapshotId,
    pub on: BTreeSet<&'static str>,
    pub tree: &'w Tree,
    /// What may be in its place.
    pub or: Option<(SnapshotId, &'w Tree)>,
}

/// A machine right after a crash, and what must be true of it.
pub struct Scene<'w> {
    pub image: Image,
    pub source: &'w Path,
    /// The source as it is now.
    pub tree: &'w Tree,
    pub kept: Vec<Kept<'w>>,
    /// Whether `init` had said that it was done.
    pub is_set_up: bool,
    pub day: i64,
    /// The destination whose disk lied: nothing can be asked of it.
    pub liar: Option<&'static str>,
    /// The process died and the machine ran on; the power fails after the next backup.
    pub is_kill: bool,
    pub seed: u64,
}

/// Why something that must be true is not.
pub type Violation = String;

impl<'w> Scene<'w> {
    /// What a crash leaves after a step of the workload.
    pub fn after(work: &'w Workload, tree: &'w Tree, at: usize, policy: Policy, seed: u64) -> Self {
        let step = &work.steps[at];
        let image = match work.liar {
            Some(_) => step.image.crash(Policy::Hostile, seed),
            None => step.image.crash(policy, seed),
        };
        Self {
            image,
            source: Path::new(""),
            tree,
            kept: work.kept_at(step.number),
            is_set_up: work.is_past("init", step.number),
            day: work.day + 9,
            liar: work.liar,
            is_kill: policy == Policy::Kill && work.liar.is_none(),
            seed,
        }
    }

    /// Recovers, and looks at everything. Whatever is wrong, a panic among it, is the error.
    pub fn check(self) -> Result<(), Violation> {
        caught(|| self.recover().map(drop))
    }

    /// The places that can be asked.
    fn honest(&self) -> impl Iterator<Item = &'static str> {
        PLACES.into_iter().filter(|place| Some(*place) != self.liar)
    }

    fn recover(mut self) -> Result<(), Violation> {
        let rig = Rig::new(self.source, Some(self.image.clone()));
        rig.set_day(self.day);
        self.set_up(&rig)?;
        let mut repo = rig.open().map_err(|error| format!("the repository does not open: {error}"))?;
        self.look(&rig, &repo, true)?;
        let new = self.back_up(&mut repo)?;
        self.kept.push(new);
        if self.is_kill {
            self.clean(&mut repo)?;
        }
        drop(repo);
        if self.is_kill {
            // What the killed process left half-done must not have been taken for durable.
            self.image =
                rig.machine.image().crash([Policy::Nothing, Policy::Hostile][self.seed as usize % 2], self.seed);
        } else {
            self.image = rig.machine.image();
        }
        self.image.delete(0, "home/backups.db");
        let rig = Rig::new(self.source, Some(self.image.clone()));
        rig.set_day(self.day + 1);
        // What a killed command wrote into the settings and did not come to say may be lost with the power.
        self.set_up(&rig)?;
        let repo = rig.open().map_err(|error| format!("it does not open without the index: {error}"))?;
        self.look(&rig, &repo, false).map_err(|why| format!("after the next backup, and without the index: {why}"))
    }

    /// Finishes a cleaning that was under way.
    fn clean(&mut self, repo: &mut Repo) -> Result<(), Violation> {
        let request = clean_request(repo, 365, 9);
        let report = clean::run(repo, request, &Silent).map_err(|error| format!("cleaning fails: {error}"))?;
        let gone = |id| report.choices.iter().any(|choice| choice.id == id && !choice.stays());
        self.kept.retain(|kept| !gone(kept.id));
        Ok(())
    }

    /// Finishes setting up, if that was under way.
    pub fn set_up(&self, rig: &Rig) -> Result<(), Violation> {
        if self.is_set_up && !rig.home.exists() {
            return Err("the state folder is gone".to_owned());
        }
        rig.set_up().map_err(|error| format!("setting up cannot be finished: {error}"))
    }

    /// The next backup: on every destination.
    pub fn back_up(&self, repo: &mut Repo) -> Result<Kept<'w>, Violation> {
        let report = backup::run(repo, BackupRequest::default(), &Silent)
            .map_err(|error| format!("the next backup fails: {error}"))?;
        if let Some(problem) = report.problems.first() {
            return Err(format!("the next backup has a problem: {problem:?}"));
        }
        let committed = report.destinations.iter().filter(|outcome| outcome.committed);
        let committed: BTreeSet<&str> = committed.map(|outcome| outcome.name.as_str()).collect();
        if let Some(missing) = self.honest().find(|place| !committed.contains(place)) {
            return Err(format!("the next backup is not on {missing}: {:?}", report.destinations));
        }
        let id = report.snapshot_id.ok_or("the next backup made no snapshot")?;
        Ok(Kept { id, on: self.honest().collect(), tree: self.tree, or: None })
    }

    /// Every snapshot restores from every destination it was promised on, and nothing is damaged there.
    fn look(&self, rig: &Rig, repo: &Repo, reads_data: bool) -> Result<(), Violation> {
        for kept in &self.kept {
            for place in self.honest().filter(|place| kept.on.contains(place)) {
                restore_and_compare(&rig.scratch(), repo, kept, place, self.source)
                    .map_err(|why| format!("{} is not whole on {place}: {why}", kept.id.short()))?;
            }
        }
        let request = CheckRequest { read_data: reads_data, ..CheckRequest::default() };
        let report = check::run(repo, request, &Silent).map_err(|error| format!("check fails: {error}"))?;
        let bad = report.findings.iter().filter(|finding| finding.severity == Severity::Damage);
        match bad.filter(|finding| Some(finding.destination.as_str()) != self.liar).collect::<Vec<_>>().as_slice() {
            [] => Ok(()),
            bad => Err(format!("check found damage: {bad:?}")),
        }
    }
}

/// Turns a panic into a violation.
pub fn caught(act: impl FnOnce() -> Result<(), Violation>) -> Result<(), Violation> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(format!(
            "a panic: {}",
            text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        ))
    })
}

/// Restores a snapshot from one destination to a folder that does not exist, and compares.
pub fn restore_and_compare(
    target: &Path,
    repo: &Repo,
    kept: &Kept<'_>,
    place: &str,
    source: &Path,
) -> Result<(), Violation> {
    let (found, tree) = match (restored(target, repo, &kept.id, place, source), kept.or) {
        (Err(_), Some((id, tree))) => (restored(target, repo, &id, place, source)?, tree),
        (found, _) => (found?, kept.tree),
    };
    if found != *tree {
        assert_same(tree, &found);
    }
    Ok(())
}

/// A snapshot as it comes back from one destination. The folder `target` is made and removed again.
pub fn restored(target: &Path, repo: &Repo, id: &SnapshotId, place: &str, source: &Path) -> Result<Tree, Violation> {
    let request = RestoreRequest {
        destination: Some(target.to_owned()),
        from: Some(place.to_owned()),
        ..RestoreRequest::new(What::Snapshot(id.to_string()))
    };
    let plan = restore::plan(repo, request, &Silent).map_err(|error| error.to_string())?;
    let report = restore::execute(repo, plan, &Silent).map_err(|error| error.to_string())?;
    if let Some(problem) = report.problems.first() {
        return Err(format!("{problem:?}"));
    }
    let restored = tree(&below(target, source));
    fs::remove_dir_all(target).map_err(|error| error.to_string())?;
    Ok(restored)
}

impl Workload {
    /// What must be restorable after an operation.
    pub fn kept_at(&self, number: u64) -> Vec<Kept<'_>> {
        let valid = self.promises.iter().filter(|promise| number < promise.until || promise.or_until(number).is_some());
        let kept = valid.map(|promise| {
            let on = promise.on.iter().filter(|(_, from)| **from <= number).map(|(place, _)| *place).collect();
            Kept { id: promise.id, on, tree: &promise.tree, or: promise.or_until(number) }
        });
        kept.filter(|kept| !kept.on.is_empty()).collect()
    }

    /// A step, for people.
    pub fn describe(&self, at: usize) -> String {
        let Step { number, volume, verb, path, .. } = &self.steps[at];
        format!("{}, operation {number}: {verb} {path} on disk {volume}", self.phase_of(*number))
    }
}
