//! What happens to a machine while it works, and to destinations while nobody does.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::plan::{Command, Step, Trouble};
use super::station::{Lie, Trap};
use super::world::{World, disk_of};
use super::{MACHINES, PLACE_COUNT};
use crate::disk::chance::Chance;
use crate::disk::contents;
use crate::disk::crash::Policy;
use crate::disk::trouble::{Failure, Fault, Listing, Quirks};
use crate::rig::PLACES;

impl World {
    /// A destination goes away, or comes back.
    pub fn plug_one(&self, step: &Step) {
        let there = self.there();
        let mut chance = Chance::new(step.seed);
        let away: Vec<usize> = (0..PLACE_COUNT).filter(|place| !there.contains(place)).collect();
        let is_back = !away.is_empty() && (there.len() < 2 || chance.percent(70));
        let from = if is_back { away } else { there.into_iter().collect() };
        let place = from[chance.below(from.len() as u64) as usize];
        let mut model = self.model();
        model.count(if is_back { "plugged in" } else { "pulled out" });
        model.tell(0, &format!("{} {}", PLACES[place], if is_back { "is back" } else { "goes away" }));
        drop(model);
        self.plug(place, is_back);
    }

    /// A destination takes nothing more for a while, or something again. One always does.
    pub fn close_one(&self, step: &Step, depth: usize) {
        let mut chance = Chance::new(step.seed);
        let place = chance.below(PLACE_COUNT as u64) as usize;
        let others = self.closed().into_iter().filter(|closed| *closed != place).count();
        let mut state = self.machine.0.state();
        let closed = &mut state.closed[disk_of(place)];
        let failure = [Failure::Full, Failure::ReadOnly][chance.below(2) as usize];
        *closed = if closed.is_some() || others + 1 == PLACE_COUNT { None } else { Some(failure) };
        let how = closed.map_or("takes something again".to_owned(), |failure| format!("is {failure:?} from now on"));
        drop(state);
        let mut model = self.model();
        model.count("closed or opened");
        model.tell(depth, &format!("{} {how}", PLACES[place]));
        model.closings.push(place);
    }

    /// Destinations that can be read and take nothing.
    pub fn closed(&self) -> BTreeSet<usize> {
        let state = self.machine.0.state();
        (0..PLACE_COUNT).filter(|place| state.closed[disk_of(*place)].is_some()).collect()
    }

    /// Everything is there, and takes something.
    pub fn bring_all(&self) {
        (0..PLACE_COUNT).for_each(|place| self.plug(place, true));
        self.machine.0.state().closed.fill(None);
    }

    /// Bytes of a few objects of a destination change, or packs are gone.
    pub fn rot(&self, step: &Step, deletes: bool) {
        let mut chance = Chance::new(step.seed);
        let place = chance.below(PLACE_COUNT as u64) as usize;
        if self.there().len() < PLACE_COUNT || !self.model().may_rot(place) {
            return;
        }
        let disk = disk_of(place);
        let mut state = self.machine.0.state();
        let mut objects = contents(&state.image.0[disk]);
        // What a run that died put on one destination alone is nobody's promise, and nobody could mend it.
        let others = (0..PLACE_COUNT).filter(|other| *other != place);
        let others: Vec<_> = others.map(|other| contents(&state.image.0[disk_of(other)])).collect();
        let is_elsewhere = |path: &String| others.iter().any(|other| other.contains_key(path));
        if !objects.keys().filter(|path| path.starts_with("backup/snaps/")).all(is_elsewhere) {
            return;
        }
        objects.retain(|path, bytes| !bytes.is_empty() && (!deletes || path.starts_with("backup/packs/")));
        // Where neither `dest.id` nor the header can be read, a person has to say which destination it is.
        let spared = ["backup/dest.id", "backup/cryptbackup.repo"][chance.below(2) as usize];
        objects.retain(|path, _| !path.starts_with("backup/tmp/") && path != spared);
        let mut hit = Vec::new();
        for _ in 0..=chance.below(3) {
            let Some((path, bytes)) = objects.iter().nth(chance.below(objects.len().max(1) as u64) as usize) else {
                break;
            };
            if deletes {
                state.image.delete(disk, path);
            } else {
                state.image.rot(disk, path, chance.below(bytes.len() as u64), 1 << chance.below(8));
            }
            hit.push(path.clone());
        }
        drop(state);
        let mut model = self.model();
        model.is_rotten[place] = !hit.is_empty();
        if deletes {
            model.lacks_packs.iter_mut().for_each(|machine| machine[place] |= !hit.is_empty());
        }
        model.count(if deletes { "packs deleted" } else { "rot" });
        model.tell(0, &format!("{} rots (deletes: {deletes}): {hit:?}", PLACES[place]));
    }

    /// From now on its listings lack something.
    pub fn lie(&self, step: &Step) {
        if let Some(Trouble::Lie(lie)) = &step.trouble {
            let lie = Lie { disk: disk_of(lie.disk), ..*lie };
            self.stations[step.who].lie(Some(lie));
        }
    }

    /// Sees to it that something happens during the command.
    pub fn prepare(self: &Arc<Self>, step: &Step, depth: usize) {
        let Some(trouble) = step.trouble.clone() else { return };
        let who = step.who;
        match &trouble {
            Trouble::Lie(_) => {
                if !matches!(step.command, Command::Clean { .. }) {
                    self.lie(step);
                }
                return;
            }
            Trouble::Late(place) => {
                self.machine.0.state().quirks[disk_of(*place)].listing = Listing::Late;
                return;
            }
            _ => {}
        }
        let disk = if step.at.0 == 0 { who } else { disk_of(step.at.0 - 1) };
        let is_half = matches!(trouble, Trouble::PowerCut { is_half: true, .. });
        let is_sync = matches!(trouble, Trouble::Fail(Failure::Sync));
        let world = Arc::clone(self);
        let seed = step.seed;
        let event = Box::new(move || world.happen(trouble, who, disk, depth, seed));
        let trap = Trap {
            disk,
            after: step.at.1,
            counts_changes: step.at.2,
            is_half,
            is_for_new_files: is_half || is_sync,
            event,
        };
        self.stations[who].set(trap);
    }

    /// It happens.
    fn happen(self: &Arc<Self>, trouble: Trouble, who: usize, disk: usize, depth: usize, seed: u64) {
        let name = match &trouble {
            Trouble::Fail(failure) => format!("error: {failure:?}"),
            Trouble::Kill => "killed".to_owned(),
            Trouble::PowerCut { policy, .. } => format!("power cut: {policy:?}"),
            Trouble::Outage(policy) => format!("destination cut: {policy:?}"),
            Trouble::Unplug => "yanked".to_owned(),
            Trouble::Nest(_) => format!("suspended, depth {depth}"),
            Trouble::Lie(_) | Trouble::Late(_) => "lie".to_owned(),
        };
        {
            let mut model = self.model();
            model.count(&name);
            model.tell(depth, &format!("  {name} on disk {disk}"));
        }
        match trouble {
            Trouble::Fail(failure) => {
                let mut state = self.machine.0.state();
                state.fault = Some(Fault::new(0, failure));
            }
            Trouble::Kill => {
                self.model().troubles.push(who);
                self.stations[who].die();
            }
            Trouble::PowerCut { policy, places, .. } => {
                self.stations[who].die();
                self.cut(who, policy, seed);
                for place in (0..PLACE_COUNT).filter(|place| places >> place & 1 == 1) {
                    self.cut(disk_of(place), policy, seed);
                }
            }
            Trouble::Outage(policy) if disk >= MACHINES => self.cut(disk, policy, seed),
            Trouble::Unplug if disk >= MACHINES => {
                self.cut(disk, Policy::Hostile, seed);
                self.plug(disk - MACHINES, false);
            }
            Trouble::Nest(steps) => {
                for step in &steps {
                    self.step(step, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// What failed works again.
    pub fn clear(&self, step: &Step, is_missed: bool) {
        self.stations[step.who].lie(None);
        let mut state = self.machine.0.state();
        let hit = state.fault.take().and_then(|fault| fault.volume);
        if matches!(step.trouble, Some(Trouble::Late(_))) {
            state.quirks.iter_mut().for_each(|quirks| *quirks = Quirks::default());
        }
        drop(state);
        let mut model = self.model();
        model.troubles.extend(hit);
        if is_missed {
            model.count("troubles that did not come to pass");
        }
    }
}
