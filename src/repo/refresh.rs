//! Which destinations are there, and what is on them: looked at when a repository is opened, and again when one was
//! added, healed or lost.

use std::sync::Arc;

use super::destinations::{Unreachable, is_read_though_damaged};
use super::{Access, DestinationState, Repo, destinations, lineage, numbers};
use crate::destination::{DestinationError, DestinationErrorKind, Salvaged};
use crate::error::Error;
use crate::index::DestinationBits;
use crate::replicate::{self, OpenDestination, Reconciled};
use crate::report::{Monitor, Stage};

impl Repo {
    /// Looks again at which destinations are there and, when writing, at what is on them.
    pub(super) fn refresh(&mut self, access: Access, monitor: &dyn Monitor) -> Result<(), Error> {
        let is_writing = self.index.is_writable();
        let salvage = (access == Access::Salvage).then_some(monitor);
        let (open, unreachable) =
            destinations::open_all(&self.home, &self.settings, &self.header, &self.index, is_writing, salvage)?;
        self.unreachable = unreachable;
        self.destinations = open;
        self.only_read.clear();
        self.findings.clear();
        if !is_writing {
            return self.recall_what_was_seen();
        }
        self.count_configured_only()?;
        let known_before = self.known_bits()?;
        monitor.begin(Stage::Opening, Some(self.destinations.len() as u64), None);
        let (mut lost, mut damaged) = (Vec::new(), Vec::new());
        // What is on a destination may be sealed in an epoch that another machine began.
        let destinations = self.destinations.clone();
        self.take_in_keys(&destinations)?;
        for destination in &destinations {
            monitor.current(&destination.name);
            match self.reconcile(destination) {
                Ok(found) => self.note(destination, found),
                Err(Error::Destination(error)) if access == Access::Salvage && error.is_of_object() => {
                    damaged.push((destination.clone(), error));
                }
                Err(Error::Destination(error)) => lost.push((destination.clone(), error)),
                Err(other) => return Err(other),
            }
            monitor.advance(1, 0);
        }
        for (destination, error) in lost {
            self.lose(&destination, &error);
        }
        for (destination, error) in &damaged {
            self.salvage(destination, error, known_before, monitor)?;
        }
        match damaged.is_empty() {
            true => self.look_for_what_is_gone(Some(known_before), monitor)?,
            // What is not listed is no sign of what is not there.
            false => self.recall_what_was_seen()?,
        }
        self.is_counted = numbers::count(self, monitor)?;
        Ok(())
    }

    /// Goes on with a destination of which not everything can be listed: with what the index knows of it, or where that is
    /// nothing, with what is left.
    fn salvage(
        &mut self,
        damaged: &OpenDestination,
        error: &DestinationError,
        known_before: DestinationBits,
        monitor: &dyn Monitor,
    ) -> Result<(), Error> {
        monitor.note(&is_read_though_damaged(&damaged.name, error));
        let left = OpenDestination { place: Arc::new(Salvaged::of(Arc::clone(&damaged.place))), ..damaged.clone() };
        if known_before & damaged.bit == 0 {
            match self.reconcile(&left) {
                Ok(found) => self.note(&left, found),
                Err(Error::Destination(error)) => {
                    self.lose(damaged, &error);
                    return Ok(());
                }
                Err(other) => return Err(other),
            }
        }
        self.destinations.iter_mut().filter(|open| open.bit == left.bit).for_each(|open| *open = left.clone());
        Ok(())
    }

    /// Keeps what was found on a destination.
    fn note(&mut self, destination: &OpenDestination, found: Reconciled) {
        let known = found.packs + found.packs_lost.len() as u64 - found.packs_learned;
        self.lost_packs.insert(destination.name.clone(), (found.packs_lost, known));
        let findings = found.findings.into_iter();
        self.findings.extend(findings.map(|(name, finding)| (destination.name.clone(), name.to_string(), finding)));
    }

    /// Brings what the index says of a destination up to date, also where another machine began an epoch meanwhile.
    pub(super) fn reconcile(&mut self, destination: &OpenDestination) -> Result<Reconciled, Error> {
        let found = replicate::reconcile(&self.index, &self.keys, destination)?;
        // Begun since its keys were read: those come before everything that needs them (I9).
        if found.has_unknown_epoch && self.take_in_keys(std::slice::from_ref(destination))? {
            return Ok(replicate::reconcile(&self.index, &self.keys, destination)?);
        }
        Ok(found)
    }

    /// The destinations on which the index knows of something.
    pub(super) fn known_bits(&self) -> Result<DestinationBits, Error> {
        let mut bits = 0;
        self.index.reader()?.each_snapshot(|id, row| -> Result<(), Error> {
            // Damage shows now, while the index can be made anew, and not when somebody asks for the snapshot.
            lineage::decode(&id, &row.record)?;
            bits |= row.seen;
            Ok(())
        })?;
        Ok(bits)
    }

    /// Takes a destination that failed out of this run.
    pub(crate) fn lose(&mut self, destination: &OpenDestination, error: &DestinationError) {
        self.give_up(destination, state_after(error), error.to_string());
    }

    /// Takes a destination out of this run. One that only takes nothing more is still read from: it may be the only one
    /// that has what another one needs.
    pub(crate) fn give_up(&mut self, destination: &OpenDestination, state: DestinationState, detail: String) {
        self.destinations.retain(|other| other.bit != destination.bit);
        if matches!(state, DestinationState::Full | DestinationState::ReadOnly | DestinationState::Damaged) {
            self.only_read.push(destination.clone());
        }
        let (name, path) = (destination.name.clone(), destination.path.clone());
        self.unreachable.push(Unreachable { name, path, state, detail, is_missing: false });
    }

    /// Every destination that can be read, also where it takes nothing more.
    pub(crate) fn readable(&self) -> Vec<OpenDestination> {
        self.destinations.iter().chain(&self.only_read).cloned().collect()
    }
}

/// What an error makes of a destination.
pub(crate) fn state_after(error: &DestinationError) -> DestinationState {
    use DestinationErrorKind as Kind;
    match error.kind {
        Kind::Full => DestinationState::Full,
        Kind::ReadOnly | Kind::Denied => DestinationState::ReadOnly,
        Kind::Damaged => DestinationState::Damaged,
        _ => DestinationState::Absent,
    }
}
