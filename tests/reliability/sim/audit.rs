//! Everything else is lost: a new machine with one destination and a copy of the settings.

use std::sync::Arc;

use cryptbackup::repo;
use cryptbackup::report::Silent;

use super::model::Fate;
use super::world::{World, disk_of};
use super::{MACHINES, PLACE_COUNT};
use crate::disk::chance::Chance;
use crate::disk::volume::Volume;
use crate::recover::caught;
use crate::rig::{PLACES, place};

impl World {
    /// A world in which everything but one destination is gone.
    fn with_only(&self, left: usize) -> Self {
        let mut image = self.machine.image();
        (0..MACHINES).for_each(|who| image.0[who] = Arc::default());
        for other in (0..PLACE_COUNT).filter(|other| *other != left) {
            image.0[disk_of(other)] = Arc::new(Volume { is_there: false, ..Volume::default() });
        }
        Self::with(Some(image))
    }

    /// Where a purge put something else on some destinations only, the others have that or what it stands for.
    pub fn audit_purged(&self) {
        let there = self.there();
        for left in 0..PLACE_COUNT {
            let model = self.model();
            let is_waited_for =
                model.kept().any(|promise| promise.before.iter().any(|before| before.on.contains(&left)));
            let is_rotten = model.is_rotten[left];
            drop(model);
            if is_waited_for && !is_rotten && there.contains(&left) {
                self.model().count("looks at what a purge waits for");
                self.audit(left, 100, 0);
            }
        }
    }

    /// So many percent of what a destination has comes back from it alone.
    pub fn audit(&self, left: usize, percent: u64, seed: u64) {
        let new = self.with_only(left);
        let name = PLACES[left];
        let opened = repo::connect(&new.homes[0], &place(name), None, Some(new.settings(0)), &Silent);
        let repo = match opened.and_then(|_| new.open(0)) {
            Ok(repo) => repo,
            Err(error) => return self.model().violation(format!("{name} alone does not open: {error}")),
        };
        let mut chance = Chance::of(seed, percent);
        let target = self.folder.path().join("audited");
        let mut model = self.model();
        let mut bad = Vec::new();
        let mut count = 0;
        let is_there = |on: &std::collections::BTreeSet<usize>| on.contains(&left);
        for promise in model.promises.iter().filter(|promise| promise.fate == Fate::Kept && !promise.is_unsure) {
            let is_here = is_there(&promise.on) || promise.before.iter().any(|before| is_there(&before.on));
            if !is_here || !chance.percent(percent) {
                continue;
            }
            count += 1;
            let source = self.source(promise.who).path().to_owned();
            if let Err(why) = caught(|| promise.restore(&target, &repo, name, &source)) {
                bad.push((promise.id, promise.who, why));
            }
        }
        *model.counts.entry("restores from one destination alone".to_owned()).or_default() += count;
        for (id, who, why) in bad {
            model.violation(format!("{} of machine {who} does not come back from {name} alone: {why}", id.short()));
        }
    }
}
