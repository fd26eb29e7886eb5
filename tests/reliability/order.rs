//! The order of what is written and deleted (docs/format.md §16), on every disk and in every command of the workload.

use std::collections::BTreeSet;

use crate::disk::Step;
use crate::rig::PLACES;
use crate::workload::{self, Workload};

/// Names of one disk that were made or taken away since their folders were synced last.
#[derive(Default)]
struct Unsynced(BTreeSet<String>);

impl Unsynced {
    fn follow(&mut self, step: &Step) {
        match step.verb {
            "rename" | "link" | "remove" => drop(self.0.insert(step.path.clone())),
            "sync_folder" => self.0.retain(|path| folder(path) != step.path),
            _ => {}
        }
    }

    /// The first of them that lies in one of the folders.
    fn first_in(&self, folders: &[&str]) -> Option<&String> {
        self.0.iter().find(|path| folders.iter().any(|folder| path.starts_with(folder)))
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What was done on the disks of destinations, disk by disk.
fn disks(work: &Workload) -> impl Iterator<Item = Vec<&Step>> {
    (1..=PLACES.len()).map(|volume| work.steps.iter().filter(|step| step.volume == volume).collect())
}

fn is(step: &Step, verb: &str, folder: &str) -> bool {
    step.verb == verb && step.path.starts_with(folder)
}

/// I3, I6, I9: when a pack gets its name, the names of keys, config and writer are durable; when a snapshot does, those of
/// all packs are, too.
#[test]
fn what_a_name_depends_on_is_durable_before_it() {
    let work = workload::run(None);
    for steps in disks(&work) {
        let mut unsynced = Unsynced::default();
        let (mut packs, mut snapshots) = (0, 0);
        for (at, step) in steps.iter().enumerate() {
            let needed: &[&str] = match () {
                () if is(step, "rename", "packs/") => &["cryptbackup.repo", "dest.id", "keys/", "config/", "writers/"],
                () if is(step, "rename", "snaps/") => {
                    &["cryptbackup.repo", "dest.id", "keys/", "config/", "writers/", "packs/", "gc/"]
                }
                () => &[],
            };
            if let Some(path) = unsynced.first_in(needed) {
                panic!("{} on disk {} while {path} may be lost", step.path, step.volume);
            }
            if !needed.is_empty() {
                for head in ["cryptbackup.repo", "dest.id", "keys/ring-", "config/", "writers/"] {
                    let is_there = steps[..at].iter().any(|step| is(step, "rename", head));
                    assert!(is_there, "{} on disk {} before there is {head}", step.path, step.volume);
                }
            }
            packs += usize::from(is(step, "rename", "packs/"));
            snapshots += usize::from(is(step, "rename", "snaps/"));
            unsynced.follow(step);
        }
        assert!(packs > 5 && snapshots > 5, "{packs} packs, {snapshots} snapshots");
        // Whatever is stored or copied is there for a snapshot that comes after it.
        for (phase, range) in work.phases.iter().filter(|(phase, _)| !phase.contains("clean")) {
            let last =
                |folder| steps.iter().rfind(|step| range.contains(&(step.number - 1)) && is(step, "rename", folder));
            if let Some(pack) = last("packs/") {
                let is_before = last("snaps/").is_some_and(|snapshot| snapshot.number > pack.number);
                assert!(is_before, "{phase}: no snapshot comes after {} on disk {}", pack.path, pack.volume);
            }
        }
    }
}

/// I4, I14, I16: a snapshot is deleted when a mark that forgets it is durable, a pack when that is and a list that names
/// it, and the list when the packs are gone.
#[test]
fn deletion_runs_in_the_reverse_order() {
    let work = workload::run(None);
    let (mut forgotten, mut deleted) = (0, 0);
    for (phase, range) in work.phases.iter().filter(|(phase, _)| phase.contains("clean")) {
        for steps in disks(&work) {
            let steps: Vec<&Step> = steps.into_iter().filter(|step| range.contains(&(step.number - 1))).collect();
            let mut unsynced = Unsynced::default();
            let last_snapshot = steps.iter().rposition(|step| is(step, "remove", "snaps/"));
            let last_pack = steps.iter().rposition(|step| is(step, "remove", "packs/"));
            for (at, step) in steps.iter().enumerate() {
                let place = format!("{phase}: {} of {} on disk {}", step.verb, step.path, step.volume);
                if is(step, "remove", "snaps/") {
                    assert_eq!(unsynced.first_in(&["marks/"]), None, "{place}");
                    let is_said = steps[..at].iter().any(|step| is(step, "rename", "marks/"));
                    assert!(is_said || *phase == "clean what was forgotten", "{place}: no mark says so");
                    forgotten += 1;
                }
                if is(step, "remove", "packs/") {
                    assert_eq!(unsynced.first_in(&["snaps/", "marks/", "gc/"]), None, "{place}");
                    assert!(last_snapshot.is_none_or(|last| last < at), "{place}: a snapshot goes after it");
                    let is_said = steps[..at].iter().rev().find(|step| step.path.starts_with("gc/"));
                    let is_said = is_said.is_some_and(|step| step.verb != "remove");
                    assert!(is_said, "{place}: no list says so");
                    deleted += 1;
                }
                if is(step, "remove", "gc/") {
                    assert_eq!(unsynced.first_in(&["packs/"]), None, "{place}");
                }
                unsynced.follow(step);
            }
            if let Some(last) = last_pack {
                assert!(steps[last..].iter().any(|step| is(step, "remove", "gc/")), "{phase}: a list is left");
            }
        }
    }
    assert!(forgotten > 5 && deleted > 5, "{forgotten} snapshots, {deleted} packs");
}
