//! Does a destination show less than it did? What was seen there against what is there now (docs/format.md §19).
//!
//! | gone | and that is no alarm, because |
//! |---|---|
//! | a snapshot | a mark forgets it or did once; for a history, another one there stands for it |
//! | a mark | never: marks are not deleted |
//! | a pack | a list in `gc/` names it, or this machine deleted it; where others clean too, also when nothing needs it |
//! | anything | a person accepted it, on this machine or on another |
//!
//! Besides, two snapshots with one number are an alarm, unless one stands in the place of the other. What is damaged is a
//! finding and no alarm, and where a look fails nothing is said. What is there is remembered when it was committed
//! durably, or seen in a listing that ended well.

mod gone;
mod judge;
mod seen;

use std::collections::{BTreeSet, HashSet};

use self::gone::named;
use self::judge::{forks, gaps, replaced};
use self::seen::{Objects, PackStart, Seen, start_of};
use super::Repo;
use crate::destination::Settle;
use crate::error::Error;
use crate::format::id::{ObjectHash, PackId, SnapshotId};
use crate::format::layout::ObjectName;
use crate::format::mark::{Accepted, Action};
use crate::index::{DestinationBits, IndexReader};
use crate::live::{Keepers, LiveError, Needs};
use crate::replicate::OpenDestination;
use crate::replicate::neighbours::{self, Announced};
use crate::report::Monitor;
use crate::snapshot::{Marks, ReadError};

pub use self::gone::RolledBack;

/// What one look at a destination gave.
struct Look {
    seen: Seen,
    shown: Objects,
}

impl Repo {
    /// What a configured destination does not show any more; none where it is as it was.
    pub fn rolled_back(&self, name: &str) -> Option<&RolledBack> {
        self.rolled_back.get(name)
    }

    /// The destinations of which that is said.
    pub(crate) fn rolled_back_bits(&self) -> DestinationBits {
        let is_so = |destination: &&OpenDestination| self.rolled_back.contains_key(&destination.name);
        self.destinations.iter().filter(is_so).map(|destination| destination.bit).fold(0, |a, b| a | b)
    }

    /// What is to be known of a destination that was seen for the first time: one sentence without a full stop.
    pub(super) fn first_look(&self, name: &str) -> Option<&String> {
        self.first_looks.get(name)
    }

    /// What was found at the last look, for who only reads.
    pub(super) fn recall_what_was_seen(&mut self) -> Result<(), Error> {
        self.rolled_back.clear();
        self.first_looks.clear();
        let view = self.index.reader()?;
        let mut found = Vec::new();
        for destination in &self.destinations {
            if let Some(seen) = Seen::load(self, &destination.id)? {
                found.push((destination.name.clone(), RolledBack::of(&seen), self.gap(&view, destination, &seen)?));
            }
        }
        for (name, alarm, gap) in found {
            self.rolled_back.extend(alarm.map(|alarm| (name.clone(), alarm)));
            self.first_looks.extend(gap.map(|gap| (name, gap)));
        }
        Ok(())
    }

    /// Compares what was just listed, or committed, with what was seen before, and remembers it. `before` are the
    /// destinations on which the index knew something before it was brought up to date.
    pub(crate) fn look_for_what_is_gone(
        &mut self,
        before: Option<DestinationBits>,
        monitor: &dyn Monitor,
    ) -> Result<(), Error> {
        let was = std::mem::take(&mut self.rolled_back);
        self.first_looks.clear();
        let mut lost = Vec::new();
        for destination in self.destinations.clone() {
            let name = destination.name.clone();
            match self.look_at(&destination, before, monitor) {
                Ok(seen) => {
                    let view = self.index.reader()?;
                    let gap = self.gap(&view, &destination, &seen)?;
                    self.first_looks.extend(gap.map(|gap| (name.clone(), gap)));
                    let alarm = RolledBack::of(&seen);
                    match (&alarm, was.get(&name)) {
                        (Some(now), None) => monitor.note(&format!("[{name}]: {}.", now.sentence(&name))),
                        (None, Some(_)) => monitor.note(&format!("[{name}] shows everything again.")),
                        _ => {}
                    }
                    self.rolled_back.extend(alarm.map(|alarm| (name, alarm)));
                }
                Err(Error::Destination(error)) => lost.push((destination, error)),
                Err(other) => return Err(other),
            }
        }
        for (destination, error) in lost {
            self.lose(&destination, &error);
        }
        Ok(())
    }

    fn look_at(
        &mut self,
        destination: &OpenDestination,
        before: Option<DestinationBits>,
        monitor: &dyn Monitor,
    ) -> Result<Seen, Error> {
        let Some(seen) = Seen::load(self, &destination.id)? else {
            return self.learn(destination, before, monitor);
        };
        let mut look = self.compare(destination, seen.clone(), before.is_none(), monitor)?;
        if look.seen.missing != seen.missing && look.seen.is_alarm() {
            // A listing may be a little stale, and something may have come between two of them: also the key of an epoch,
            // in which somebody said why.
            self.reconcile(destination)?;
            look = self.compare(destination, seen.clone(), before.is_none(), monitor)?;
        }
        let Look { seen: mut now, shown } = look;
        let new = shown.without(&now.expected);
        if before.is_some()
            && self.writer.as_ref().is_some_and(|own| new.snapshots.values().any(|it| it.writer == own.id))
        {
            // A run that was cut off put it: its name may not be durable yet.
            destination.place.settle(Settle::Everything)?;
        }
        new.settle_marks(&self.index.reader()?, destination)?;
        now.expected.add(new);
        now.expected.snapshots.retain(|id, _| !now.forks.contains(id));
        if !now.is_alarm() {
            now.complete = self.now();
        }
        // The time alone is worth writing once an hour, not with every look.
        let is_same = Seen { complete: seen.complete, ..now.clone() } == seen;
        if !is_same || now.complete.seconds - seen.complete.seconds >= 3600 {
            now.save(self, &destination.id)?;
        }
        Ok(now)
    }

    /// A destination of which nothing was known: all that is there is taken for all there is.
    fn learn(
        &self,
        destination: &OpenDestination,
        before: Option<DestinationBits>,
        monitor: &dyn Monitor,
    ) -> Result<Seen, Error> {
        let view = self.index.reader()?;
        let shown = Objects::shown(&view, destination.bit)?;
        if before.is_some_and(|before| before & destination.bit != 0) {
            monitor.note(&format!(
                "What was seen on [{}] before is not known here any more; it is learned anew.",
                destination.name
            ));
        }
        let marks = self.marks(&view)?;
        let followed = marks.accepted().iter().filter(|(_, accepted)| accepted.destination == destination.id);
        let seen = Seen {
            complete: self.now(),
            gaps: gaps(&view, destination.bit, &marks)?,
            followed: followed.map(|(by, _)| *by).collect(),
            expected: shown,
            ..Seen::default()
        };
        seen.save(self, &destination.id)?;
        Ok(seen)
    }

    /// What is gone and nobody is known to have deleted. `may_clear` also forgives packs that nothing needs.
    fn compare(
        &self,
        destination: &OpenDestination,
        mut seen: Seen,
        may_clear: bool,
        monitor: &dyn Monitor,
    ) -> Result<Look, Error> {
        let view = self.index.reader()?;
        let marks = self.marks(&view)?;
        let shown = Objects::shown(&view, destination.bit)?;
        let mut missing = seen.expected.without(&shown);
        for (by, accepted) in marks.accepted().iter().filter(|(_, accepted)| accepted.destination == destination.id) {
            if seen.followed.insert(*by) {
                missing.snapshots.retain(|id, _| !accepted.snapshots.contains(id));
                missing.marks.retain(|hash| !accepted.marks.contains(hash));
                missing.packs.retain(|start| !accepted.packs.contains(start));
                seen.expected
                    .snapshots
                    .extend(accepted.forks.iter().filter_map(|id| shown.snapshots.get(id).map(|known| (*id, *known))));
                seen.gaps.clear();
                self.unsee(destination.bit, &accepted.snapshots)?;
            }
        }
        if !missing.snapshots.is_empty() {
            let replaced = replaced(&view, destination.bit)?;
            missing.snapshots.retain(|id, _| marks.place(id).is_none() && !replaced.contains(id));
        }
        let mut damaged = BTreeSet::new();
        if !missing.packs.is_empty() {
            damaged = self.damaged_packs(destination, &view)?;
            missing.packs.retain(|start| !damaged.contains(start));
            self.forgive_packs(destination, &view, &marks, &mut missing.packs, may_clear, monitor)?;
        }
        // What was explained is not expected any more.
        seen.expected.snapshots.retain(|id, _| shown.snapshots.contains_key(id) || missing.snapshots.contains_key(id));
        seen.expected.marks.retain(|hash| shown.marks.contains(hash) || missing.marks.contains(hash));
        let is_expected = |start: &PackStart| shown.packs.contains(start) || missing.packs.contains(start);
        seen.expected.packs.retain(|start| is_expected(start) || damaged.contains(start));
        seen.gaps.retain(|id| !shown.snapshots.contains_key(id) && marks.place(id).is_none());
        seen.forks = forks(&seen.expected, &shown, &marks);
        seen.missing = missing;
        Ok(Look { seen, shown })
    }

    /// Lets the index forget that snapshots were on a destination: cleaning does not wait for them any more.
    fn unsee(&self, bit: DestinationBits, snapshots: &[SnapshotId]) -> Result<(), Error> {
        let mut writer = self.index.writer()?;
        for id in snapshots {
            writer.update_snapshot(id, |row| row.seen &= row.committed | !bit)?;
        }
        Ok(writer.commit()?)
    }

    /// Packs that are there and not whole: found now, or by an earlier run.
    fn damaged_packs(&self, destination: &OpenDestination, view: &IndexReader) -> Result<BTreeSet<PackStart>, Error> {
        let found = self.findings.iter().filter(|(name, ..)| *name == destination.name);
        let found = found.filter_map(|(_, object, _)| match ObjectName::parse(object)? {
            ObjectName::Pack(id) => Some(start_of(&id)),
            _ => None,
        });
        let mut damaged: BTreeSet<PackStart> = found.collect();
        for number in view.damaged_on(destination.bit)? {
            damaged.insert(start_of(&view.pack(number)?.id));
        }
        Ok(damaged)
    }

    /// Takes out the packs that somebody is known to have deleted.
    fn forgive_packs(
        &self,
        destination: &OpenDestination,
        view: &IndexReader,
        marks: &Marks,
        missing: &mut BTreeSet<PackStart>,
        may_clear: bool,
        monitor: &dyn Monitor,
    ) -> Result<(), Error> {
        if missing.is_empty() {
            return Ok(());
        }
        let announced = Announced::read(&self.keys, destination)?;
        let condemned: HashSet<PackStart> = announced.condemned_by_all().map(start_of).collect();
        missing.retain(|start| !condemned.contains(start));
        if missing.is_empty() {
            return Ok(());
        }
        let own = self.writer.as_ref().map(|writer| writer.id);
        let is_alone = match own {
            Some(own) => !neighbours::has_other_writers(&self.keys, destination, &own)?,
            None => false,
        };
        // Others take their lists back when they are done. What they may delete is what nothing needs.
        if (!is_alone || may_clear) && self.is_whole(destination, view, marks, monitor)? == Some(true) {
            missing.clear();
        }
        Ok(())
    }

    /// Whether the packs of a destination have everything that its snapshots in force need; none where that cannot be
    /// told now.
    fn is_whole(
        &self,
        destination: &OpenDestination,
        view: &IndexReader,
        marks: &Marks,
        monitor: &dyn Monitor,
    ) -> Result<Option<bool>, Error> {
        let mut needs = Needs::new(&self.scratch_folder()?, self.budget);
        for known in self.committed(view, |id, _| marks.forgotten(id).is_none())? {
            if known.committed & destination.bit != 0 {
                known.snapshot.roots.into_iter().try_for_each(|root| needs.add_root(root.node))?;
            }
        }
        let live = match needs.finish(&self.fetcher(view), monitor) {
            Ok(live) => live,
            Err(LiveError::Read(ReadError::Missing { .. })) => return Ok(Some(false)),
            Err(LiveError::Read(_)) => return Ok(None),
            Err(other) => return Err(other.into()),
        };
        let keepers = Keepers { index: view, live: &live, bit: destination.bit, rank: &|_| 0 };
        if keepers.tally(monitor)?.missing == 0 {
            return Ok(Some(true));
        }
        // What another writer is about to delete is nothing to rely on; but while it is there, nothing of it is gone.
        let is_there = |pack: &PackId| {
            destination.neighbours.has_condemned(pack)
                && destination.place.get(&ObjectName::Pack(*pack), Some(0..1)).is_ok()
        };
        Ok(Some(keepers.tally_also(&is_there, monitor)?.missing == 0))
    }

    /// Remembers a mark that was just put.
    pub(super) fn expect_mark(&self, hash: &ObjectHash, present: DestinationBits) -> Result<(), Error> {
        for destination in self.destinations.iter().filter(|destination| destination.bit & present != 0) {
            if let Some(mut seen) = Seen::load(self, &destination.id)? {
                seen.expected.marks.insert(*hash);
                seen.save(self, &destination.id)?;
            }
        }
        Ok(())
    }

    /// Says that this machine is going to delete packs and snapshots from a destination. Said before they are, so that
    /// nothing is missed afterwards, whatever cuts the run off.
    pub(crate) fn expect_gone(
        &self,
        destination: &OpenDestination,
        snapshots: &HashSet<SnapshotId>,
        packs: &[PackId],
    ) -> Result<(), Error> {
        let Some(mut seen) = Seen::load(self, &destination.id)? else { return Ok(()) };
        for id in snapshots {
            seen.expected.snapshots.remove(id);
        }
        for pack in packs {
            seen.expected.packs.remove(&start_of(pack));
        }
        seen.save(self, &destination.id)
    }

    /// Takes a destination as it is now, here and by a mark on every other machine.
    pub(super) fn accept_what_is_there(&mut self, name: &str, monitor: &dyn Monitor) -> Result<(), Error> {
        let Some(destination) = self.destinations.iter().find(|known| known.name == name).cloned() else {
            return Ok(());
        };
        let Some(seen) = Seen::load(self, &destination.id)? else { return Ok(()) };
        if !seen.is_alarm() && seen.gaps.is_empty() {
            return Ok(());
        }
        self.prepare_to_write()?;
        // What is left of it may need what other destinations have: that comes back, and nothing of it is given up.
        self.complete(&destination, monitor)?;
        self.look_for_what_is_gone(None, monitor)?;
        let Some(seen) = Seen::load(self, &destination.id)? else { return Ok(()) };
        if !seen.is_alarm() && seen.gaps.is_empty() {
            return Ok(());
        }
        let accepted = Accepted {
            destination: destination.id,
            snapshots: seen.missing.snapshots.keys().copied().collect(),
            marks: seen.missing.marks.iter().copied().collect(),
            packs: seen.missing.packs.iter().copied().collect(),
            forks: seen.forks.iter().copied().collect(),
        };
        let addition = accepted.encode().map_err(|source| Error::Format { object: "mark".to_owned(), source })?;
        self.decide_with(Action::Accept { snapshot: Accepted::NO_SNAPSHOT }, vec![addition])?;
        // It shows nothing again, it is only taken as it is.
        self.rolled_back.remove(name);
        self.look_for_what_is_gone(None, monitor)?;
        let view = self.index.reader()?;
        if self.is_whole(&destination, &view, &self.marks(&view)?, monitor)? == Some(false) {
            monitor.note(&format!(
                "Snapshots on [{name}] need what is not there, nor on another destination within reach; `cryptbackup \
                 check` names the files."
            ));
        }
        Ok(())
    }

    /// What lay on other destinations only when this one was seen for the first time, and still does.
    fn gap(&self, view: &IndexReader, destination: &OpenDestination, seen: &Seen) -> Result<Option<String>, Error> {
        if seen.gaps.is_empty() {
            return Ok(None);
        }
        let open = gaps(view, destination.bit, &self.marks(view)?)?;
        let open: Vec<SnapshotId> = seen.gaps.intersection(&open).copied().collect();
        Ok((!open.is_empty()).then(|| {
            format!(
                "it has later snapshots and lacks {} that other destinations have ({}): it was being brought up to date, \
                 or somebody removed them",
                open.len(),
                named(&open)
            )
        }))
    }
}
