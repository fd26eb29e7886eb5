//! What was promised, and what may have gone wrong meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cryptbackup::format::id::SnapshotId;
use cryptbackup::format::record::Time;

use super::purge::{Purge, Replaced};
use super::{MACHINES, PLACE_COUNT};
use crate::source::Tree;

/// What became of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It must be there.
    Kept,
    /// A command that may take it away did not come to its end.
    Unsure,
    /// It was forgotten, or went by a rule.
    Gone,
}

/// A snapshot that was reported to be on destinations.
pub struct Promise {
    pub id: SnapshotId,
    /// Which machine made it.
    pub who: usize,
    /// Which of that machine's runs it was.
    pub run: usize,
    pub tree: Arc<Tree>,
    pub on: BTreeSet<usize>,
    pub fate: Fate,
    /// The last command that let it go by its rules.
    pub let_go: usize,
    /// When it was finished. What a purge puts in its place has that too.
    pub finished: Time,
    /// What a purge replaced it for on some destinations, and not yet on these.
    pub before: Vec<Before>,
    /// A purge that may have replaced it did not come to its end; then what it is called is not known, and these names may
    /// be in it or not.
    pub is_unsure: bool,
    /// Since which command it is pinned.
    pub pinned: Option<usize>,
    /// Whether a person forgot it.
    pub is_forgotten: bool,
    pub may_lack: BTreeSet<&'static str>,
}

/// What is there, on destinations that lack what stands in its place.
pub struct Before {
    pub id: SnapshotId,
    pub tree: Arc<Tree>,
    pub on: BTreeSet<usize>,
}

impl Promise {
    pub fn new(id: SnapshotId, (who, run): (usize, usize), tree: Tree, on: BTreeSet<usize>, finished: Time) -> Self {
        let (before, may_lack) = (Vec::new(), BTreeSet::new());
        let (tree, fate) = (Arc::new(tree), Fate::Kept);
        Self {
            id,
            who,
            run,
            tree,
            on,
            fate,
            let_go: 0,
            finished,
            before,
            is_unsure: false,
            pinned: None,
            is_forgotten: false,
            may_lack,
        }
    }
}

impl Promise {
    /// Whether it was pinned before a command began.
    fn is_pinned_before(&self, began: usize) -> bool {
        self.pinned.is_some_and(|pinned| pinned < began)
    }
}

/// Everything that is remembered of one run of a seed.
#[derive(Default)]
pub struct Model {
    pub promises: Vec<Promise>,
    /// Of each machine, when its runs began and ended, by its clock: those that failed too, since what they put may be
    /// there. A run that stood still for days may be dated by either.
    pub runs: [Vec<(i64, i64)>; MACHINES],
    /// Of each machine, how many promises there were when it first had one of its own. What others made before that may
    /// be of its line; what they made later is theirs alone.
    pub joined: [Option<usize>; MACHINES],
    /// Of each machine, whose promises are of its line as they are of that machine's own, and how many promises there were
    /// then: what it was cloned from.
    pub inherited: [Vec<(usize, usize)>; MACHINES],
    /// Destinations of which we changed bytes, and that were not healed since.
    pub is_rotten: [bool; PLACE_COUNT],
    /// Of each machine, destinations from which we deleted packs since it backed up there. What nothing needs nobody puts
    /// back, and a machine says that it is gone until it has looked, at the end of a backup, whether anything needs it.
    pub lacks_packs: [[bool; PLACE_COUNT]; MACHINES],
    /// Destinations that were what they had been before, once.
    pub was_set_back: [bool; PLACE_COUNT],
    /// Whether a purge did not come to its end: then what it made may be there beside what it was to stand for.
    pub has_cut_off_purges: bool,
    /// What each machine took out last.
    pub purging: [Option<Purge>; MACHINES],
    /// What purges replaced: nobody sees it any more when everything is there.
    pub purged: BTreeMap<SnapshotId, Replaced>,
    /// Disks that had any trouble, one after the other.
    pub troubles: Vec<usize>,
    /// Destinations that were closed or opened, one after the other.
    pub closings: Vec<usize>,
    /// How many commands began.
    pub commands: usize,
    /// What was done, for people.
    pub story: Vec<String>,
    pub violations: Vec<String>,
    pub counts: BTreeMap<String, u64>,
}

impl Model {
    pub fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    pub fn tell(&mut self, depth: usize, what: &str) {
        self.story.push(format!("{:indent$}{what}", "", indent = 2 * depth));
    }

    pub fn violation(&mut self, what: String) {
        self.story.push(format!("VIOLATION {what}"));
        self.violations.push(what);
    }

    /// Whether rules may let a snapshot go: it is this machine's, or one that it went on from of a machine that made none
    /// for three months; it is not the last of who made it, and another is younger by so many days.
    fn may_go(&self, at: usize, who: usize, keep_days: u32) -> bool {
        let promise = &self.promises[at];
        let runs = &self.runs[promise.who];
        let time = runs[promise.run].0 + i64::from(keep_days) * 86_400;
        let is_younger = |(run, other): (usize, &(i64, i64))| run != promise.run && other.1 > time - 3600;
        let newest = |who: usize| self.runs[who].last().map_or(i64::MIN / 2, |run| run.1);
        let is_silent = newest(who) - newest(promise.who) > 90 * 86_400;
        let is_inherited = self.inherited[who].iter().any(|(owner, count)| promise.who == *owner && at < *count);
        let is_of_line =
            promise.who == who || is_inherited || (is_silent && self.joined[who].is_none_or(|joined| at < joined));
        is_of_line && runs.len() > promise.run + 1 && runs.iter().enumerate().any(is_younger)
    }

    /// What a cleaning said that goes.
    pub fn let_go(&mut self, going: &[(SnapshotId, Time)], who: usize, keep_days: u32, began: usize) {
        for at in 0..self.promises.len() {
            let promise = &self.promises[at];
            if promise.is_unsure && going.iter().any(|(_, finished)| *finished == promise.finished) {
                self.promises[at].fate = Fate::Gone;
                continue;
            }
            if !going.iter().any(|(id, _)| *id == promise.id) {
                continue;
            }
            self.story.push(format!("    {} of machine {} goes", promise.id.short(), promise.who));
            if promise.fate == Fate::Kept && promise.is_pinned_before(began) {
                let id = promise.id.short();
                self.violation(format!("machine {who} lets {id} go, which is pinned"));
            } else if promise.fate == Fate::Kept && !self.may_go(at, who, keep_days) {
                let (id, run, owner) = (promise.id.short(), promise.run, promise.who);
                let runs = &self.runs[owner];
                self.violation(format!(
                    "machine {who} with {keep_days} days lets {id} go, run {run} of machine {owner}, which stays: {runs:?}"
                ));
            }
            self.promises[at].fate = Fate::Gone;
            self.promises[at].let_go = self.commands;
        }
    }

    /// A cleaning that did not come to its end.
    pub fn may_have_let_go(&mut self, who: usize, keep_days: u32, began: usize) {
        for at in 0..self.promises.len() {
            let promise = &self.promises[at];
            if promise.fate == Fate::Kept && !promise.is_pinned_before(began) && self.may_go(at, who, keep_days) {
                self.promises[at].fate = Fate::Unsure;
            }
        }
    }

    /// What stands for a snapshot now.
    pub fn now_called(&self, id: SnapshotId) -> SnapshotId {
        let (mut now, mut passed) = (id, BTreeSet::from([id]));
        while let Some(replaced) = self.purged.get(&now).filter(|replaced| passed.insert(replaced.new)) {
            now = replaced.new;
        }
        now
    }

    pub fn set_fate(&mut self, id: SnapshotId, fate: Fate) {
        self.with(id, |promise| promise.fate = fate);
    }

    /// Changes what is known of a snapshot.
    pub fn with(&mut self, id: SnapshotId, change: impl FnMut(&mut Promise)) {
        self.promises.iter_mut().filter(|promise| promise.id == id).for_each(change);
    }

    /// The destinations of those promises that must be whole.
    pub fn kept(&self) -> impl Iterator<Item = &Promise> {
        self.promises.iter().filter(|promise| promise.fate == Fate::Kept)
    }

    /// Whoever is not behind has everything that is on a place this machine saw.
    pub fn caught_up(&mut self, place: usize, seen: &BTreeSet<usize>, known_before: usize) {
        if self.is_rotten[place] {
            return;
        }
        for promise in self.promises.iter_mut().take(known_before).filter(|promise| promise.fate == Fate::Kept) {
            if !promise.on.is_disjoint(seen) {
                promise.on.insert(place);
                promise.before.iter_mut().for_each(|before| {
                    before.on.remove(&place);
                });
                promise.before.retain(|before| !before.on.is_empty());
            }
        }
    }

    /// Whether a destination may be damaged: everything it has is elsewhere too.
    pub fn may_rot(&self, place: usize) -> bool {
        let is_alone = |promise: &Promise| promise.on.len() < 2 && promise.on.contains(&place);
        let is_settled = |promise: &Promise| promise.before.is_empty() && !promise.is_unsure;
        !self.is_rotten.contains(&true) && !self.kept().any(|promise| is_alone(promise) || !is_settled(promise))
    }
}
