//! Keys on their way: from destinations to here, since another machine may have begun an epoch or made or removed a slot,
//! and from here to every destination, before anything that needs them.

use std::sync::Arc;

use crate::destination::{Destination, DestinationErrorKind, Settle};
use crate::error::Error;
use crate::format::RECORD_LEN_MAX;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::slot::Slot;
use crate::replicate::OpenDestination;
use crate::repo::Repo;
use crate::repo::destinations::write_anew;
use crate::repo::heads::{self, HeadStore, Objects, SLOTS_MAX, hashed};

impl Repo {
    /// Takes in rings and slots that destinations have and this machine has not, and gives whether there was a new ring.
    /// What cannot be had of a destination is left: whoever reconciles it next meets the trouble too.
    ///
    /// # Errors
    /// [`Error::WrongKey`] where the slot that opened the repository turns out to be removed.
    pub(in crate::repo) fn take_in_keys(&mut self, places: &[OpenDestination]) -> Result<bool, Error> {
        let store = HeadStore::new(&self.home);
        let mut objects = store.all()?;
        let mut has_new_ring = false;
        let unknown: Vec<(&OpenDestination, Vec<ObjectName>)> =
            places.iter().map(|place| (place, unknown_keys(place.place.as_ref(), &objects))).collect();
        let each = |kind: fn(&ObjectName) -> bool| {
            let names = unknown.iter().flat_map(|(place, names)| names.iter().map(move |name| (*place, *name)));
            names.filter(move |(_, name)| kind(name))
        };
        for (destination, name) in each(|name| matches!(name, ObjectName::Ring(..))) {
            let Some(bytes) = whole(destination, &name) else { continue };
            // Damage, or what a stranger put there, is not copied.
            if let Ok(keys) = self.keys.open_another(&bytes)
                && name == ObjectName::Ring(keys.ring_number(), hashed(&bytes))
            {
                store.put(&name, &bytes)?;
                objects.push((name, bytes));
                has_new_ring = true;
            }
        }
        // Also where nothing is new: another command may have written since this one read them.
        let place = self.home.path().display().to_string();
        self.keys = Arc::new(heads::rings(&objects, &place, &mut |stored| self.keys.open_another(stored))?);
        for (destination, name) in each(|name| matches!(name, ObjectName::Slot(_))) {
            let known = objects.iter().filter(|(name, _)| matches!(name, ObjectName::Slot(_))).count();
            let is_wanted = self.is_in_force(&name) && known < SLOTS_MAX;
            let Some(bytes) = whole(destination, &name).filter(|_| is_wanted) else { continue };
            if Slot::decode(&bytes).is_ok_and(|slot| slot.repo == self.header.repo) {
                store.put(&name, &bytes)?;
                objects.push((name, bytes));
            }
        }
        self.require_own_slot(&objects)?;
        Ok(has_new_ring)
    }

    /// Fails where the slot that opened the repository was removed and another one is left.
    fn require_own_slot(&self, objects: &Objects) -> Result<(), Error> {
        let is_left = |name: &ObjectName| matches!(name, ObjectName::Slot(_)) && self.is_in_force(name);
        if !self.keys.is_removed(&self.slot) || !objects.iter().any(|(name, _)| is_left(name)) {
            return Ok(());
        }
        let place = self.home.path().display();
        let what = format!("this key was removed from the repository in {place}, and opens it no more");
        Err(Error::WrongKey { what })
    }

    /// Whether an object is not a slot that was removed.
    pub(crate) fn is_in_force(&self, name: &ObjectName) -> bool {
        !matches!(name, ObjectName::Slot(slot) if self.keys.is_removed(slot))
    }

    /// Makes the heads of the repository durable where they are missing: before the first pack, keys and config must be.
    /// Slots that were removed go, as soon as the one that opened the repository is safe there.
    pub(in crate::repo) fn put_heads(&self, place: &dyn Destination) -> Result<(), Error> {
        self.put_heads_by(place, false)
    }

    /// The same for a destination that is added. What is there is written anew: an earlier try may have failed to sync the
    /// names, and the system says so only once.
    pub(in crate::repo) fn put_heads_anew(&self, place: &dyn Destination) -> Result<(), Error> {
        self.put_heads_by(place, true)
    }

    fn put_heads_by(&self, place: &dyn Destination, is_anew: bool) -> Result<(), Error> {
        let put = |name: &ObjectName, bytes: &[u8]| match place.put(name, bytes) {
            // The local copy matches its name, so it is what belongs there.
            Err(error) if error.kind == DestinationErrorKind::Damaged => place.replace(name, bytes),
            result => result.map(drop),
        };
        for (name, bytes) in HeadStore::new(&self.home).all()? {
            // Where all slots were removed, each at once by who used another, each machine goes on with its own.
            let is_wanted = self.is_in_force(&name) || name == ObjectName::Slot(self.slot);
            if name != ObjectName::Header && is_wanted {
                if is_anew { write_anew(place, &name, &bytes) } else { put(&name, &bytes).map_err(Error::from) }?;
            }
        }
        place.settle(Settle::Touched)?;
        if !self.keys.has_removed() || self.keys.is_removed(&self.slot) {
            return Ok(());
        }
        let mut removed = Vec::new();
        place.list(ObjectKind::Keys, None, &mut |name, _| {
            removed.extend((!self.is_in_force(&name)).then_some(name));
        })?;
        for name in &removed {
            place.delete(name)?;
        }
        if !removed.is_empty() {
            place.settle(Settle::Touched)?;
        }
        Ok(())
    }

    /// Takes slots that were removed out of the state folder.
    pub(in crate::repo) fn drop_removed_slots(&self) -> Result<(), Error> {
        if !self.keys.has_removed() || self.keys.is_removed(&self.slot) {
            return Ok(());
        }
        let store = HeadStore::new(&self.home);
        for (name, _) in store.all()?.iter().filter(|(name, _)| !self.is_in_force(name)) {
            store.remove(name)?;
        }
        Ok(())
    }
}

/// The names of the rings and slots of a destination that are not known here. Nothing that is too long to be one is
/// looked at.
fn unknown_keys(place: &dyn Destination, known: &Objects) -> Vec<ObjectName> {
    let mut names = Vec::new();
    let listed = place.list(ObjectKind::Keys, None, &mut |name, len| {
        let is_known = known.iter().any(|(other, _)| *other == name);
        names.extend((!is_known && len <= RECORD_LEN_MAX as u64).then_some(name));
    });
    if listed.is_ok() { names } else { Vec::new() }
}

fn whole(destination: &OpenDestination, name: &ObjectName) -> Option<Vec<u8>> {
    destination.place.get(name, None).ok().filter(|bytes| name.matches(bytes))
}
