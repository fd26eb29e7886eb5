//! Destinations that are set back to a copy of them, and are taken as they are.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cryptbackup::error::Error;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::repo::Repo;
use cryptbackup::report::Silent;

use super::PLACE_COUNT;
use super::plan::Step;
use super::world::{World, disk_of};
use crate::disk::chance::Chance;
use crate::disk::crash::Policy;
use crate::disk::volume::Volume;
use crate::rig::PLACES;

/// What was on a destination once.
pub struct DiskCopy {
    volume: Volume,
    /// The snapshots that were promised to be there.
    has: BTreeSet<SnapshotId>,
}

fn place_of(step: &Step) -> usize {
    step.seed as usize % PLACE_COUNT
}

impl World {
    /// Makes a copy of a destination, if it is there and whole.
    pub fn copy(&self, step: &Step) {
        let place = place_of(step);
        let mut model = self.model();
        if model.is_rotten[place] || !self.there().contains(&place) {
            return;
        }
        let on = |promise: &&super::model::Promise| promise.on.contains(&place);
        let has = model.kept().filter(on).map(|promise| promise.id).collect();
        let volume = self.machine.0.state().image.0[disk_of(place)].crash(Policy::All, 0);
        *self.copies[place].lock().expect("a copy") = Some(DiskCopy { volume, has });
        model.tell(0, &format!("{} is copied", PLACES[place]));
    }

    /// Sets a destination back to its copy, if everything that it loses is elsewhere too.
    pub fn set_back(&self, step: &Step) {
        let has_copy = |place: &usize| self.copies[*place].lock().expect("a copy").is_some();
        let first = place_of(step);
        let mut places = (first..PLACE_COUNT).chain(0..first).filter(has_copy);
        let Some(place) = places.next() else { return };
        let copy = self.copies[place].lock().expect("a copy");
        let Some(copy) = copy.as_ref() else { return };
        let mut model = self.model();
        if !self.there().contains(&place) || !model.may_rot(place) {
            return;
        }
        let disk = disk_of(place);
        let mut state = self.machine.0.state();
        state.image.0[disk] = Arc::new(Volume { is_there: true, ..copy.volume.clone() });
        state.locks.release(disk);
        drop(state);
        self.outages[disk].fetch_add(1, Ordering::Relaxed);
        for promise in model.promises.iter_mut().filter(|promise| !copy.has.contains(&promise.id)) {
            promise.on.remove(&place);
        }
        model.was_set_back[place] = true;
        model.count("set back");
        model.tell(0, &format!("{} is set back", PLACES[place]));
    }

    /// A machine takes a destination as it is: one that was set back, where there is one.
    pub fn accept(&self, repo: &mut Repo, chance: &mut Chance) -> Result<(), Error> {
        let there = self.there();
        let was_set_back = self.model().was_set_back;
        let places: Vec<usize> = there.iter().copied().filter(|place| was_set_back[*place]).collect();
        let places = if places.is_empty() { there.into_iter().collect() } else { places };
        let Some(place) = places.get(chance.below(places.len().max(1) as u64) as usize) else { return Ok(()) };
        repo.accept_destination(PLACES[*place], &Silent)
    }
}
