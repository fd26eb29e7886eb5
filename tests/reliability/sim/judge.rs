//! What a machine said, held against what is true.

use std::collections::BTreeSet;

use cryptbackup::backup::{BackupReport, DestinationOutcome};
use cryptbackup::check::{CheckReport, Finding, Severity};
use cryptbackup::clean::CleanReport;
use cryptbackup::clean::purge::PurgeReport;
use cryptbackup::error::Error;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::format::record::Time;
use cryptbackup::sync::SyncReport;

use super::PLACE_COUNT;
use super::model::{Fate, Promise};
use super::purge::Purge;
use super::world::{World, disk_of};
use crate::rig::PLACES;
use crate::source::Tree;

/// What a command gave.
pub enum Outcome {
    Backup(BackupReport, Tree, Time),
    Forget(SnapshotId),
    /// Where it is then; none where it is not shown.
    Unforget(SnapshotId, Option<BTreeSet<usize>>),
    Pin(SnapshotId, bool),
    Clean(CleanReport, u32),
    Sync(SyncReport),
    Check(CheckReport),
    Heal(CheckReport),
    Purge(PurgeReport, Purge),
    Nothing,
}

/// What was so around a command.
pub struct Around {
    pub who: usize,
    /// The number of the command.
    pub began: usize,
    /// Destinations that were there when it began.
    pub there: BTreeSet<usize>,
    /// Those of them that took nothing, at least for a while.
    pub closed: BTreeSet<usize>,
    /// Promises there were.
    pub promises: usize,
    /// Disks that had trouble meanwhile.
    pub troubled: BTreeSet<usize>,
    /// Destinations that were damaged when it began: another machine may have healed them meanwhile.
    pub was_rotten: [bool; PLACE_COUNT],
    /// Whether other machines did something meanwhile.
    pub is_nested: bool,
    /// Whether another machine was in the midst of a command all the while.
    pub is_within: bool,
    /// Whether listings were not true.
    pub is_lied_to: bool,
}

impl Around {
    /// Destinations without any trouble.
    pub fn sound(&self, rotten: &[bool; PLACE_COUNT]) -> Vec<usize> {
        let mut sound = self.readable(rotten);
        sound.retain(|place| !self.closed.contains(place));
        sound
    }

    /// Those and the ones that only took nothing.
    fn readable(&self, rotten: &[bool; PLACE_COUNT]) -> Vec<usize> {
        let is_rotten = |place: usize| rotten[place] || self.was_rotten[place];
        let is_sound = |place: &usize| !is_rotten(*place) && !self.troubled.contains(&disk_of(*place));
        self.there.iter().copied().filter(is_sound).collect()
    }

    /// Whether the machine itself had trouble.
    pub fn is_troubled(&self) -> bool {
        self.troubled.contains(&self.who) || self.is_lied_to
    }
}

/// Whether a destination did not get what no sound copy is within reach of: what an earlier run left on one destination
/// alone was relied on, and that one rotted or was lost on the way.
fn lacks_a_source(readable: &[usize], outcome: &DestinationOutcome) -> bool {
    let why = outcome.detail.as_deref().unwrap_or_default();
    readable.len() < PLACE_COUNT
        && (why.contains("on no destination that can be reached")
            || why.contains("does not match its name")
            || is_of_another(readable, why))
}

/// Whether what went wrong is a read from a destination that had trouble.
fn is_of_another(readable: &[usize], why: &str) -> bool {
    let others = (0..PLACE_COUNT).filter(|place| !readable.contains(place));
    why.starts_with("cannot read ")
        && others.map(|at| format!("/simulated/{}/", PLACES[at])).any(|at| why.contains(&at))
}

pub fn place_of(name: &str) -> usize {
    PLACES.iter().position(|place| *place == name).expect("a destination")
}

impl World {
    pub fn judge(&self, around: &Around, outcome: Outcome) {
        match outcome {
            Outcome::Backup(report, tree, finished) => self.judge_backup(around, &report, tree, finished),
            Outcome::Forget(id) => self.model().with(id, |promise| {
                promise.fate = Fate::Gone;
                promise.is_forgotten = true;
            }),
            Outcome::Unforget(id, Some(on)) => self.model().with(id, |promise| {
                promise.fate = Fate::Kept;
                promise.on.clone_from(&on);
                promise.is_forgotten = false;
            }),
            Outcome::Unforget(id, None) => {
                let mut model = self.model();
                // The rules of another machine may have let it go after that.
                let is_let_go = |promise: &Promise| promise.id == id && promise.let_go > around.began;
                if !model.promises.iter().any(is_let_go) {
                    let id = id.short();
                    model.violation(format!("machine {}: {id} was had back and is not shown", around.who));
                }
            }
            Outcome::Pin(id, is_pinned) => {
                let mut model = self.model();
                let now = model.commands;
                model.with(id, |promise| promise.pinned = is_pinned.then_some(now));
            }
            Outcome::Clean(report, keep_days) => {
                let going = report.choices.iter().filter(|choice| !choice.stays());
                let going: Vec<_> = going.map(|choice| (choice.id, choice.time)).collect();
                self.model().let_go(&going, around.who, keep_days, around.began);
            }
            Outcome::Sync(report) => self.judge_sync(around, &report),
            Outcome::Check(report) => self.judge_findings(around, &report.findings),
            Outcome::Heal(report) => self.judge_heal(around, &report),
            Outcome::Purge(report, purge) => self.judge_purge(around, &report, &purge),
            Outcome::Nothing => {}
        }
    }

    fn judge_backup(&self, around: &Around, report: &BackupReport, tree: Tree, finished: Time) {
        let mut model = self.model();
        let who = around.who;
        let (sound, readable) = (around.sound(&model.is_rotten), around.readable(&model.is_rotten));
        let mut on = BTreeSet::new();
        for outcome in &report.destinations {
            let place = place_of(&outcome.name);
            if outcome.committed {
                // Where it lost the destination after the commit it did not look.
                model.lacks_packs[who][place] &= !sound.contains(&place);
                on.insert(place);
            } else if sound.contains(&place) && !around.is_troubled() && !lacks_a_source(&readable, outcome) {
                model.violation(format!("machine {who}: not on {}, which had no trouble: {outcome:?}", outcome.name));
            }
        }
        if let Some(problem) = report.problems.first() {
            model.violation(format!("machine {who}: a problem with the source: {problem:?}"));
        }
        if on.len() != report.copies || on.is_empty() {
            model.violation(format!("machine {who}: {} copies are reported, and it is on {on:?}", report.copies));
        }
        for outcome in report.destinations.iter().filter(|outcome| outcome.committed && outcome.snapshots_behind == 0) {
            model.caught_up(place_of(&outcome.name), &on, around.promises);
        }
        on.retain(|place| !model.is_rotten[*place]);
        let Some(id) = report.snapshot_id else {
            return model.violation(format!("machine {who}: a backup without a snapshot"));
        };
        let before = model.promises.len();
        model.joined[who].get_or_insert(before);
        if !on.is_empty() {
            let run = model.runs[who].len() - 1;
            let mut promise = Promise::new(id, (who, run), tree, on, finished);
            // Somebody may have purged something before it was reported.
            while let Some(replaced) = model.purged.get(&promise.id).cloned() {
                promise.replace(&replaced);
            }
            model.promises.push(promise);
        }
    }

    fn judge_sync(&self, around: &Around, report: &SyncReport) {
        let mut model = self.model();
        let sound = around.sound(&model.is_rotten);
        let is_readable = around.readable(&model.is_rotten).len() == PLACE_COUNT;
        let everything = is_readable && !around.is_troubled() && !around.is_nested;
        let online: BTreeSet<usize> = sound.iter().copied().collect();
        for synced in &report.destinations {
            let place = place_of(&synced.name);
            if synced.snapshots_behind == 0 && sound.contains(&place) {
                model.caught_up(place, &online, around.promises);
            } else if everything && sound.contains(&place) {
                model.violation(format!("machine {}: {} is still behind: {synced:?}", around.who, synced.name));
            }
        }
    }

    /// Nothing is damaged that we did not damage ourselves.
    pub fn judge_findings(&self, around: &Around, findings: &[Finding]) {
        let mut model = self.model();
        let sound = around.sound(&model.is_rotten);
        let is_bad = |finding: &&Finding| {
            let place = place_of(&finding.destination);
            let is_lacking = model.was_set_back[place] && finding.what == "it was here and is gone";
            finding.severity == Severity::Damage && sound.contains(&place) && !is_lacking
        };
        let bad: Vec<&Finding> = findings.iter().filter(is_bad).collect();
        // Who looks while others put and delete may miss what came or went meanwhile.
        if !bad.is_empty() && !around.is_lied_to && !around.is_nested {
            model.violation(format!("machine {} finds damage: {bad:?}", around.who));
        }
    }

    fn judge_heal(&self, around: &Around, report: &CheckReport) {
        self.judge_findings(around, &report.findings);
        let mut model = self.model();
        let is_everything_there =
            around.there.len() == PLACE_COUNT && around.troubled.is_empty() && around.closed.is_empty();
        if !is_everything_there || around.is_nested || around.is_lied_to {
            return;
        }
        // Another machine may know what this one does not.
        if report.remaining.iter().all(|finding| finding.severity != Severity::Damage) {
            model.is_rotten = [false; PLACE_COUNT];
        } else {
            let left = format!("  left: {:?}", report.remaining);
            model.tell(0, &left);
        }
    }

    /// What it may fail with.
    pub fn judge_error(&self, around: &Around, error: &Error, what: &str) {
        let mut model = self.model();
        let sound = around.sound(&model.is_rotten);
        let is_excused = match error {
            Error::Overtaken => around.is_nested,
            // What is to go is only where there was trouble.
            Error::TooFewCopies { .. } if what == "purge" => sound.len() < PLACE_COUNT,
            _ if what == "accept" => sound.len() < PLACE_COUNT,
            // Another machine may have it forgotten already, and not be done.
            Error::NotFound { .. } => sound.len() < PLACE_COUNT || around.is_nested || around.is_within,
            _ => model.is_rotten.contains(&true) && !what.ends_with("backup"),
        };
        if !is_excused && !sound.is_empty() && !around.is_troubled() {
            model.violation(format!("machine {}: {what} fails, though {sound:?} had no trouble: {error}", around.who));
        }
    }

    /// Nothing is said to be older than it was, unless something was taken away.
    pub fn judge_alarms(&self, around: &Around, alarms: &[(String, String)]) {
        let mut model = self.model();
        for (name, alarm) in alarms {
            let place = place_of(name);
            if !model.is_rotten[place]
                && !model.lacks_packs[around.who][place]
                && !around.is_lied_to
                && !model.was_set_back[place]
            {
                model.violation(format!("machine {}: a false alarm about {name}: {alarm}", around.who));
            }
        }
    }
}
