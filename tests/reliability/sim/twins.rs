//! A machine is set up as a clone of another: what it knows is what that one knew, and only its source is its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::MACHINES;
use super::plan::Step;
use super::world::World;
use crate::disk::crash::Policy;

impl World {
    pub fn become_a_clone(&self, step: &Step, depth: usize) {
        let who = step.who;
        let of = (who + 1 + step.seed as usize % (MACHINES - 1)) % MACHINES;
        let mut state = self.machine.0.state();
        state.image.0[who] = Arc::new(state.image.0[of].crash(Policy::All, 0));
        state.locks.release(who);
        drop(state);
        self.outages[who].fetch_add(1, Ordering::Relaxed);
        let settings = self.settings(who);
        let mut model = self.model();
        model.count("clone");
        model.tell(depth, &format!("machine {who} is a clone of machine {of}"));
        let promises = model.promises.len();
        model.inherited[who] = model.inherited[of].clone();
        model.inherited[who].push((of, promises));
        model.joined[who] = model.joined[of];
        model.lacks_packs[who] = model.lacks_packs[of];
        model.purging[who] = None;
        drop(model);
        if let Err(error) = self.homes[who].save_settings(&settings) {
            self.model().violation(format!("the settings of machine {who} cannot be saved: {error}"));
        }
    }
}
