//! What is done while crashes are looked for: different work at each point, and what was promised from which moment on.
//!
//! It runs once. Everything that was done to the disks is kept, so that a crash can be looked at after each step.

use std::collections::BTreeMap;
use std::ops::Range;

use cryptbackup::clean::choose::Rules;
use cryptbackup::clean::purge::{self, PurgeRequest};
use cryptbackup::clean::{self, CleanRequest, hand};
use cryptbackup::format::id::SnapshotId;
use cryptbackup::repo::{self, NewKey, Repo, Secret, new_recovery_words};
use cryptbackup::report::Silent;
use cryptbackup::sync::{self, SyncRequest};

use crate::disk::Step;
use crate::disk::storage::NAME as INDEX;
use crate::rig::{PLACES, Rig};
use crate::source::{CANARY, Source, Tree, without};

/// A snapshot that was reported to be on destinations.
pub struct Promise {
    pub id: SnapshotId,
    /// From which operation on it holds, for each destination.
    pub on: BTreeMap<&'static str, u64>,
    /// Until which operation: then a command began that may take it away.
    pub until: u64,
    pub tree: Tree,
    /// From then on until which operation another snapshot may be in its place.
    or: Option<(u64, SnapshotId, Tree)>,
}

impl Promise {
    fn new(id: SnapshotId, on: BTreeMap<&'static str, u64>, tree: Tree) -> Self {
        Self { id, on, until: u64::MAX, tree, or: None }
    }

    /// What may be in its place after an operation; none where nothing may be, or it must not be there any more.
    pub fn or_until(&self, number: u64) -> Option<(SnapshotId, &Tree)> {
        let (end, id, tree) = self.or.as_ref()?;
        (self.until..*end).contains(&number).then_some((*id, tree))
    }
}

/// What was done, and what was promised.
pub struct Workload {
    pub source: Source,
    pub steps: Vec<Step>,
    pub promises: Vec<Promise>,
    /// The commands, with the numbers of their operations.
    pub phases: Vec<(&'static str, Range<u64>)>,
    /// The last day of the clock.
    pub day: i64,
    /// Disks of which one lies about syncs.
    pub liar: Option<&'static str>,
    /// Where plaintext was seen.
    pub leaks: Vec<String>,
}

/// Cleaning that asks nobody.
pub fn clean_request(repo: &Repo, keep_days: u32, keep_versions: u32) -> CleanRequest {
    let rules = Rules { keep_days, keep_versions, ..Rules::of(&repo.settings().retention) };
    CleanRequest { is_forced: true, ..CleanRequest::new(rules) }
}

struct Run {
    rig: Rig,
    work: Workload,
}

/// Does the work. With `liar`, the disk of that destination does not sync.
pub fn run(liar: Option<&'static str>) -> Workload {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    let phases = Vec::new();
    let (steps, promises, leaks) = (Vec::new(), Vec::new(), Vec::new());
    let mut run = Run { rig, work: Workload { source, steps, promises, phases, day: 0, liar, leaks } };
    {
        let mut state = run.rig.machine.0.state();
        state.canary = CANARY.as_bytes().to_vec();
        for (at, name) in PLACES.iter().enumerate() {
            std::sync::Arc::make_mut(&mut state.image.0[at + 1]).is_lying = liar == Some(*name);
        }
    }
    run.rig.machine.record();
    run.everything();
    let mut state = run.rig.machine.0.state();
    run.work.steps = state.steps.take().expect("recorded");
    run.work.leaks = std::mem::take(&mut state.leaks);
    drop(state);
    run.work
}

impl Run {
    /// One command.
    fn phase<T>(&mut self, name: &'static str, act: impl FnOnce(&mut Self) -> T) -> T {
        self.work.day += 9;
        self.rig.set_day(self.work.day);
        let start = self.rig.machine.now();
        let done = act(self);
        self.work.phases.push((name, start..self.rig.machine.now()));
        done
    }

    fn everything(&mut self) {
        self.phase("init", |run| run.rig.init().expect("set up"));
        self.phase("add", |run| run.rig.set_up().expect("destinations"));
        let first = self.backup("first backup");
        self.work.source.change(0);
        self.rig.plug("three", false);
        self.backup("backup without the third");
        self.work.source.change(1);
        self.rig.plug("three", true);
        self.backup("backup that brings the third up to date");
        self.decide();
        self.keys("begin an epoch", |repo| drop(repo.rotate_keys().expect("begun")));
        self.forget(first);
        self.clean("clean what was forgotten", 365, 9);
        // Here a heal belongs, as soon as there is one: damage an object of one disk, and `check --heal`.
        self.work.source.change(2);
        self.rig.plug("two", false);
        self.backup("backup without the second");
        self.work.source.change(3);
        self.backup("another without the second");
        let words = new_recovery_words().expect("random");
        let added = NewKey::Given(Secret::Words(words));
        let key = self.keys("add a key", |repo| repo.add_key(&added).expect("added").slot.expect("a slot").0);
        self.rig.plug("two", true);
        self.sync();
        self.rig.plug("three", false);
        self.keys("remove a key without the third", |repo| drop(repo.remove_key(&key.to_string()).expect("removed")));
        self.rig.plug("three", true);
        self.purge("secret");
        self.work.source.change(4);
        self.backup("backup after a purge");
        self.clean("clean by rules", 20, 1);
        self.rebuild();
        self.work.source.change(5);
        self.backup("backup with a new index");
        self.rig.plug("one", false);
        self.work.source.change(6);
        self.keys("begin another epoch without the first", |repo| drop(repo.rotate_keys().expect("begun")));
        self.backup("backup without the first");
        self.rig.plug("one", true);
        self.work.source.change(7);
        self.backup("last backup");
        self.clean("last clean", 0, 1);
    }

    fn backup(&mut self, name: &'static str) -> SnapshotId {
        self.phase(name, |run| {
            let report = run.rig.backup().expect(name);
            let now = run.rig.machine.now();
            let on = PLACES
                .into_iter()
                .filter(|place| report.destinations.iter().any(|outcome| outcome.name == *place && outcome.committed));
            let on = on.map(|place| (place, now)).collect();
            let id = report.snapshot_id.expect("a snapshot");
            let tree = run.work.source.tree();
            run.work.promises.push(Promise::new(id, on, tree));
            // Whoever was behind and is not any more has the earlier ones, too.
            for outcome in report.destinations.iter().filter(|outcome| outcome.committed) {
                run.caught_up(&outcome.name, outcome.snapshots_behind);
            }
            id
        })
    }

    fn caught_up(&mut self, name: &str, behind: u64) {
        let place = PLACES.into_iter().find(|place| *place == name).expect("a destination");
        let now = self.rig.machine.now();
        if behind == 0 {
            for promise in self.work.promises.iter_mut().filter(|promise| promise.until == u64::MAX) {
                promise.on.entry(place).or_insert(now);
            }
        }
    }

    fn decide(&mut self) {
        self.phase("pin, tag, note", |run| {
            let newest = run.work.promises.last().expect("a snapshot").id.to_string();
            let mut repo = run.rig.open().expect("opens");
            hand::pin(&mut repo, std::slice::from_ref(&newest), true).expect("pinned");
            hand::tag(&mut repo, &newest, vec!["kept".to_owned()], Vec::new()).expect("tagged");
        });
    }

    fn keys<T>(&mut self, name: &'static str, change: impl FnOnce(&mut Repo) -> T) -> T {
        self.phase(name, |run| change(&mut run.rig.open().expect("opens")))
    }

    fn forget(&mut self, id: SnapshotId) {
        self.phase("forget", |run| {
            run.release(&[id]);
            hand::forget(&mut run.rig.open().expect("opens"), &[id.to_string()], false).expect("forgotten");
        });
    }

    /// What is about to be taken away is not promised any more.
    fn release(&mut self, ids: &[SnapshotId]) {
        let now = self.rig.machine.now();
        for promise in self.work.promises.iter_mut().filter(|promise| ids.contains(&promise.id)) {
            promise.until = promise.until.min(now);
        }
    }

    fn clean(&mut self, name: &'static str, keep_days: u32, keep_versions: u32) {
        self.phase(name, |run| {
            let began = run.rig.machine.now();
            let mut repo = run.rig.open().expect("opens");
            let request = clean_request(&repo, keep_days, keep_versions);
            let report = clean::run(&mut repo, request, &Silent).expect(name);
            for choice in report.choices.iter().filter(|choice| !choice.stays()) {
                let gone = run.work.promises.iter_mut().filter(|promise| promise.id == choice.id);
                gone.for_each(|promise| promise.until = promise.until.min(began));
            }
        });
    }

    fn sync(&mut self) {
        self.phase("sync", |run| {
            let report = sync::run(&mut run.rig.open().expect("opens"), SyncRequest::default(), &Silent);
            for synced in report.expect("synchronised").destinations {
                run.caught_up(&synced.name, synced.snapshots_behind);
            }
        });
    }

    fn purge(&mut self, path: &str) {
        self.phase("purge", |run| {
            let began = run.rig.machine.now();
            let request = PurgeRequest { path: run.work.source.path().join(path), dry_run: false, is_forced: false };
            let report = purge::run(&mut run.rig.open().expect("opens"), &request, &Silent).expect("purged");
            assert!(report.failed.is_empty(), "{:?}", report.failed);
            let now = run.rig.machine.now();
            for (old, new) in report.snapshots.iter().zip(&report.replaced_by) {
                let Some(promise) = run.work.promises.iter_mut().find(|promise| promise.id == *old) else { continue };
                promise.until = promise.until.min(began);
                let on = promise.on.keys().map(|place| (*place, now)).collect();
                let tree = without(&promise.tree, path);
                if promise.until == began {
                    promise.or = Some((now, *new, tree.clone()));
                }
                run.work.promises.push(Promise::new(*new, on, tree));
            }
        });
    }

    fn rebuild(&mut self) {
        self.phase("rebuild the index", |run| {
            repo::rebuild_index(&run.rig.home, None, &Silent).expect("rebuilt");
        });
    }
}

impl Workload {
    /// The command a step belongs to.
    pub fn phase_of(&self, number: u64) -> &'static str {
        self.phases.iter().find(|(_, range)| range.contains(&(number - 1))).map_or("?", |(name, _)| name)
    }

    /// Whether the command of that name was over.
    pub fn is_past(&self, phase: &str, number: u64) -> bool {
        self.phases.iter().any(|(name, range)| *name == phase && range.end <= number)
    }

    /// The steps after which a crash is looked at. Of runs of the same verb on one disk, which making a thousand folders
    /// is, or writing the pages of the index, only the first, the last, and a few between: the others are no different
    /// work.
    pub fn points(&self) -> Vec<usize> {
        let is_page = |step: &Step| step.volume == 0 && step.verb == "write" && step.path == INDEX;
        let is_dull = |step: &Step| matches!(step.verb, "make_folder" | "sync_folder") || is_page(step);
        let same = |one: &Step, other: Option<&Step>| {
            other.is_some_and(|other| {
                let alike = (one.verb, one.volume, is_page(one)) == (other.verb, other.volume, is_page(other));
                alike && is_dull(one)
            })
        };
        let mut points = Vec::new();
        let mut run = 0usize;
        for (at, step) in self.steps.iter().enumerate() {
            let previous = at.checked_sub(1).and_then(|before| self.steps.get(before));
            run = if same(step, previous) { run + 1 } else { 0 };
            let is_last = !same(step, self.steps.get(at + 1));
            if run == 0 || is_last || run.is_multiple_of(if is_page(step) { 6 } else { 97 }) {
                points.push(at);
            }
        }
        points
    }
}
