//! Purges in a run: what they take out, what may be called otherwise afterwards, and where the old ones still are.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use cryptbackup::clean::purge::{self, PurgeReport, PurgeRequest};
use cryptbackup::error::Error;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::repo::{Repo, SnapshotInfo};
use cryptbackup::report::Silent;

use super::MACHINES;
use super::judge::{Around, Outcome, place_of};
use super::model::{Before, Fate, Model, Promise};
use super::source::NAMES;
use super::world::World;
use crate::disk::chance::Chance;
use crate::recover::{Violation, restored};
use crate::rig::PLACES;
use crate::source::{Tree, without};

/// A file of a source.
#[derive(Clone, Copy)]
pub struct Purge {
    owner: usize,
    name: &'static str,
}

impl Purge {
    /// Something that is stored of a machine: of itself mostly.
    fn choose(who: usize, chance: &mut Chance, model: &Model) -> Option<Self> {
        let owner = if chance.percent(75) { who } else { chance.below(MACHINES as u64) as usize };
        let is_stored = |name: &&&str| model.kept().any(|it| it.who == owner && it.tree.contains_key(name.as_bytes()));
        let names: Vec<&'static str> = NAMES.iter().filter(is_stored).copied().collect();
        let name = names.get(chance.below(names.len().max(1) as u64) as usize)?;
        Some(Self { owner, name })
    }

    fn has(self, promise: &Promise) -> bool {
        promise.who == self.owner && promise.tree.contains_key(self.name.as_bytes())
    }

    fn left_of(self, promise: &Promise) -> Arc<Tree> {
        match self.has(promise) {
            true => Arc::new(without(&promise.tree, self.name)),
            false => Arc::clone(&promise.tree),
        }
    }
}

/// What a purge did with a snapshot.
#[derive(Clone)]
pub struct Replaced {
    pub new: SnapshotId,
    purge: Purge,
    /// Where it could not.
    failed: BTreeSet<usize>,
}

impl Promise {
    /// Another one stands for it.
    pub fn replace(&mut self, replaced: &Replaced) {
        let left = replaced.purge.left_of(self);
        let still: BTreeSet<usize> = self.on.intersection(&replaced.failed).copied().collect();
        self.on.retain(|place| !replaced.failed.contains(place));
        let id = std::mem::replace(&mut self.id, replaced.new);
        let tree = std::mem::replace(&mut self.tree, left);
        if !still.is_empty() {
            self.before.push(Before { id, tree, on: still });
        }
    }

    /// Whether a snapshot that is shown is it, or stands in its place.
    fn is_meant(&self, info: &SnapshotInfo) -> bool {
        info.time == self.finished && info.machine == format!("machine {}", self.who)
    }

    /// Everything that may be in what is called so.
    fn may_be(&self, info: &SnapshotInfo) -> Vec<Tree> {
        if let Some(before) = self.before.iter().find(|before| before.id == info.id) {
            return vec![(*before.tree).clone()];
        }
        let mut trees = vec![(*self.tree).clone()];
        if info.id != self.id {
            for name in &self.may_lack {
                let fewer: Vec<Tree> = trees.iter().map(|tree| without(tree, name)).collect();
                trees.extend(fewer);
            }
        }
        trees
    }

    /// Restores it from a destination, or what stands in its place there.
    pub fn restore(&self, target: &Path, repo: &Repo, place: &str, source: &Path) -> Result<(), Violation> {
        let shown = repo.snapshots().map_err(|error| error.to_string())?;
        let mut why = "it is not shown, and nothing in its place".to_owned();
        for info in shown.iter().filter(|info| self.is_meant(info)) {
            match restored(target, repo, &info.id, place, source) {
                Ok(tree) if self.may_be(info).contains(&tree) => return Ok(()),
                Ok(_) => why = format!("{} is something else", info.id.short()),
                Err(error) => {
                    drop(std::fs::remove_dir_all(target));
                    why = format!("{}: {error}", info.id.short());
                }
            }
        }
        Err(why)
    }
}

impl World {
    pub fn purge(&self, repo: &mut Repo, who: usize, chance: &mut Chance) -> Result<Outcome, Error> {
        let mut model = self.model();
        model.purging[who] = Purge::choose(who, chance, &model);
        let Some(purge) = model.purging[who] else { return Ok(Outcome::Nothing) };
        drop(model);
        let path = self.source(purge.owner).path().join(purge.name);
        let request = PurgeRequest { path, dry_run: false, is_forced: true };
        match purge::run(repo, &request, &Silent) {
            Ok(report) => Ok(Outcome::Purge(report, purge)),
            Err(Error::NotFound { .. }) => Ok(Outcome::Purge(PurgeReport::default(), purge)),
            Err(error) => Err(error),
        }
    }

    pub fn judge_purge(&self, around: &Around, report: &PurgeReport, purge: &Purge) {
        let mut model = self.model();
        let failed: BTreeSet<usize> = report.failed.iter().map(|(name, _)| place_of(name)).collect();
        for (old, new) in report.snapshots.iter().zip(&report.replaced_by) {
            model.count("snapshots purged");
            let (old_name, new_name) = (old.short(), new.short());
            model.tell(
                1,
                &format!(
                    "{} of machine {}: {new_name} stands for {old_name}, not on {failed:?}",
                    purge.name, purge.owner
                ),
            );
            let new = model.now_called(*new);
            let replaced = Replaced { new, purge: *purge, failed: failed.clone() };
            // Of what two put in its place at once, the one that was said first may be withdrawn.
            let said = model.purged.get(old).map(|said| said.new).filter(|said| *said != new);
            if let Some(said) = said {
                model.with(said, |promise| promise.replace(&replaced));
                model.purged.insert(said, replaced.clone());
            }
            model
                .promises
                .iter_mut()
                .filter(|promise| promise.id == *old)
                .for_each(|promise| promise.replace(&replaced));
            model.purged.insert(*old, replaced);
        }
        // Of what is not known what it is called, not all was named.
        for promise in model.promises.iter_mut().filter(|promise| promise.is_unsure && purge.has(promise)) {
            promise.may_lack.insert(purge.name);
        }
        // Nothing of it is left where the machine saw everything.
        let sound = around.sound(&model.is_rotten);
        let is_all =
            sound.len() == super::PLACE_COUNT && !around.is_troubled() && !around.is_nested && !around.is_within;
        let left = model.kept().find(|promise| is_all && !promise.is_unsure && purge.has(promise));
        if let Some(left) = left.map(|promise| promise.id.short()) {
            model.violation(format!("machine {}: {} is still in {left}", around.who, purge.name));
        }
    }

    /// It did not come to its end: what had it may be another one now.
    pub fn may_be_purged(&self, who: usize) {
        let mut model = self.model();
        let Some(purge) = model.purging[who] else { return };
        model.has_cut_off_purges = true;
        for promise in model.promises.iter_mut().filter(|promise| promise.fate == Fate::Kept) {
            promise.is_unsure = true;
            if purge.has(promise) {
                promise.may_lack.insert(purge.name);
            }
        }
    }

    /// Looks what became of what a purge that was cut off may have replaced, where everything can be seen.
    pub fn settle_purges(&self, who: usize) {
        let is_unsure = self.model().kept().any(|promise| promise.is_unsure);
        if !is_unsure || self.there().len() < PLACES.len() || self.model().is_rotten.contains(&true) {
            return;
        }
        let Ok(repo) = self.open(who) else { return };
        let Ok(shown) = repo.snapshots() else { return };
        let source = |who: usize| self.source(who).path().to_owned();
        let target = self.folder.path().join("settled");
        let mut model = self.model();
        for promise in model.promises.iter_mut().filter(|promise| promise.is_unsure && promise.fate == Fate::Kept) {
            let mut meant = shown.iter().filter(|info| promise.is_meant(info));
            let (Some(info), None) = (meant.next(), meant.next()) else { continue };
            let on: BTreeSet<usize> = info.destinations.iter().map(|name| place_of(name)).collect();
            let from = |place: &usize| restored(&target, &repo, &info.id, PLACES[*place], &source(promise.who));
            let Some(Ok(tree)) = on.first().map(from) else { continue };
            if !promise.may_be(info).contains(&tree) {
                continue;
            }
            (promise.id, promise.tree, promise.on) = (info.id, Arc::new(tree), on);
            promise.is_unsure = false;
            promise.may_lack.clear();
        }
    }

    /// In the end: what was replaced is not shown, and what may have been is there, as it was or without what was purged.
    pub fn look_for_purged(&self, repo: &Repo, target: &Path) {
        let Ok(shown) = repo.snapshots() else { return };
        let mut model = self.model();
        if let Some(info) = shown.iter().find(|info| model.purged.contains_key(&info.id)) {
            model.violation(format!("{}, which was purged, is shown again", info.id.short()));
        }
        let meant = |promise: &Promise| -> Vec<String> {
            let meant = shown.iter().filter(|info| promise.is_meant(info));
            meant.map(|info| format!("{} {:?} {}", info.id.short(), info.time, info.is_partial)).collect()
        };
        let twice = model.kept().map(meant).find(|meant| meant.len() > 1);
        if let Some(twice) = twice.filter(|_| !model.has_cut_off_purges) {
            model.violation(format!("one snapshot is there as {twice:?}"));
        }
        let mut lost = Vec::new();
        for promise in model.kept().filter(|promise| promise.is_unsure) {
            let source = self.source(promise.who).path().to_owned();
            let mut tries = promise.on.iter().map(|at| promise.restore(target, repo, PLACES[*at], &source));
            if !promise.on.is_empty() && !tries.any(|result| result.is_ok()) {
                lost.push(format!("{} of machine {} may be purged and is nowhere", promise.id.short(), promise.who));
            }
        }
        lost.into_iter().for_each(|why| model.violation(why));
    }
}
