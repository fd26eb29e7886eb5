//! Decisions about snapshots as they take effect.
//!
//! Marks are the only things that are remembered of what was removed, so they go to every destination, and every
//! destination's come here. They take effect in the order of (sequence, writer), which is the same everywhere.

use std::collections::{HashMap, HashSet};

use super::ReadError;
use crate::format::id::{SnapshotId, WriterId};
use crate::format::mark::{Accepted, Action, ForgetReason, Forgotten, MarkRecord};
use crate::format::snapshot::Snapshot;
use crate::index::{IndexError, IndexReader};

/// What was decided about one snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// Why it is not wanted any more; none while it is.
    pub forgotten: Option<ForgetReason>,
    /// Its place in the chain of its writer, where it ever was forgotten.
    pub place: Option<Forgotten>,
    /// What was put in its place. Machines that purge at once may each have put something.
    pub successors: Vec<SnapshotId>,
    /// Tags it got, and tags it lost.
    pub tags: Vec<(String, bool)>,
    /// The note on it; empty for none.
    pub note: String,
    /// Whether no rule forgets it.
    pub is_pinned: bool,
    /// Whether a person accepted it although it looked suspect.
    pub is_accepted: bool,
}

/// All decisions.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    decisions: HashMap<SnapshotId, Decision>,
    accepted: Vec<((WriterId, u64), Accepted)>,
    highest_sequence: u64,
}

impl Marks {
    /// The decisions that the index knows of, as they take effect with the snapshots that it knows of.
    ///
    /// # Errors
    /// [`ReadError::Index`], [`ReadError::Format`].
    pub fn load(view: &IndexReader) -> Result<Self, ReadError> {
        let mut records: Vec<MarkRecord> = Vec::new();
        view.each_mark(|_, row| -> Result<(), ReadError> {
            // It was decoded once before it came into the index.
            let damaged = |_| IndexError::Broken("its copy of a mark cannot be decoded".into());
            records.push(MarkRecord::decode(&row.record).map_err(damaged)?);
            Ok(())
        })?;
        let mut marks = Self::of(records)?;
        marks.keep_in_force_what_nothing_stands_for(view)?;
        Ok(marks)
    }

    fn of(mut records: Vec<MarkRecord>) -> Result<Self, ReadError> {
        records.sort_by_key(|record| (record.sequence, record.writer));
        let mut marks = Self::default();
        for record in records {
            marks.highest_sequence = record.sequence;
            if let Some(accepted) = Accepted::find(&record.extra)? {
                // It is about a destination and no snapshot.
                marks.accepted.push(((record.writer, record.sequence), accepted));
                continue;
            }
            marks.apply(record.action);
        }
        // A rule was asked by somebody who did not know of the pin.
        for decision in marks.decisions.values_mut() {
            if decision.is_pinned && decision.forgotten == Some(ForgetReason::Rule) {
                decision.forgotten = None;
            }
        }
        Ok(marks)
    }

    /// A mark of a purge can be on a destination before the snapshots that stand for the old ones. Who knows of that
    /// destination alone still has the old ones, and nothing else of what was not purged (invariant I15).
    fn keep_in_force_what_nothing_stands_for(&mut self, view: &IndexReader) -> Result<(), ReadError> {
        let replaced = self.each_forgotten().filter(|(_, reason)| *reason == ForgetReason::Replaced);
        let replaced: Vec<SnapshotId> = replaced.map(|(id, _)| *id).collect();
        let mut in_force = Vec::new();
        for id in replaced {
            if is_committed(view, &id)? && !self.is_stood_for(view, &id)? {
                in_force.push(id);
            }
        }
        for id in in_force {
            if let Some(decision) = self.decisions.get_mut(&id) {
                decision.forgotten = None;
            }
        }
        Ok(())
    }

    /// Whether what a purge put in the place of a snapshot is known to be somewhere and in force, or was forgotten since.
    fn is_stood_for(&self, view: &IndexReader, id: &SnapshotId) -> Result<bool, ReadError> {
        let (mut last, mut passed) = (*id, HashSet::from([*id]));
        while self.forgotten(&last) == Some(ForgetReason::Replaced) {
            let Some(next) = self.in_place_of(view, &last)? else { return self.is_passed(view, &last) };
            // Two machines that purge at once may each put theirs in the place of the other's.
            if !passed.insert(next) {
                return Ok(false);
            }
            last = next;
        }
        Ok(self.forgotten(&last).is_some() || is_committed(view, &last)?)
    }

    /// Whether what never counted can be done without: a partial snapshot only where a later one is known to be somewhere.
    fn is_passed(&self, view: &IndexReader, id: &SnapshotId) -> Result<bool, ReadError> {
        let Some(row) = view.snapshot(id)? else { return Ok(true) };
        let own = Snapshot::decode(&row.record)?;
        let mut is_passed = !own.is_partial();
        view.each_snapshot(|id, row| -> Result<(), ReadError> {
            if !is_passed && row.committed != 0 && self.forgotten(&id).is_none() {
                let other = Snapshot::decode(&row.record)?;
                let is_later = other.writer == own.writer && other.sequence > own.sequence;
                let is_of_machine = other.machine == own.machine && other.finished > own.finished;
                is_passed = !other.is_history() && (is_later || is_of_machine);
            }
            Ok(())
        })?;
        Ok(is_passed)
    }

    /// What a purge put in the place of a snapshot or history: it has the same number. What merely never counted went on
    /// from another one.
    ///
    /// # Errors
    /// [`ReadError::Index`], [`ReadError::Format`].
    pub fn in_place_of(&self, view: &IndexReader, id: &SnapshotId) -> Result<Option<SnapshotId>, ReadError> {
        let Some(place) = self.place(id) else { return Ok(None) };
        let Some(next) = place.previous else { return Ok(None) };
        let record = |id| -> Result<Option<Snapshot>, ReadError> {
            Ok(view.snapshot(id)?.map(|row| Snapshot::decode(&row.record)).transpose()?)
        };
        let number = match record(&next)? {
            Some(known) => Some((Some(known.writer), known.sequence)),
            None => self.place(&next).map(|place| (place.writer, place.sequence)),
        };
        let is_purged = match number {
            Some(number) => number == (place.writer, place.sequence),
            // Nothing is known of it here.
            None => record(id)?.is_none_or(|own| own.previous != Some(next)),
        };
        Ok(is_purged.then_some(next))
    }

    fn apply(&mut self, action: Action) {
        let mut about = |id: SnapshotId, change: &mut dyn FnMut(&mut Decision)| {
            change(self.decisions.entry(id).or_default());
        };
        match action {
            Action::Forget { reason, snapshots } => {
                for snapshot in snapshots {
                    about(snapshot.id, &mut |decision| {
                        decision.forgotten = Some(reason);
                        decision.place = Some(snapshot);
                        if reason == ForgetReason::Replaced {
                            decision.successors.extend(snapshot.previous);
                        }
                    });
                }
            }
            Action::Unforget { snapshots } => {
                for id in snapshots {
                    about(id, &mut |decision| decision.forgotten = None);
                }
            }
            Action::Tag { snapshot, add, remove } => {
                let changes = remove.into_iter().map(|tag| (tag, false)).chain(add.into_iter().map(|tag| (tag, true)));
                let changes: Vec<_> = changes.collect();
                about(snapshot, &mut |decision| decision.tags.extend(changes.iter().cloned()));
            }
            Action::Note { snapshot, text } => about(snapshot, &mut |decision| decision.note.clone_from(&text)),
            Action::Pin { snapshot, is_pinned } => about(snapshot, &mut |decision| decision.is_pinned = is_pinned),
            Action::Accept { snapshot } => about(snapshot, &mut |decision| decision.is_accepted = true),
        }
    }

    /// The highest sequence number any mark has.
    pub fn highest_sequence(&self) -> u64 {
        self.highest_sequence
    }

    /// The destinations that were accepted as they were, each with the writer and sequence of its mark.
    pub fn accepted(&self) -> &[((WriterId, u64), Accepted)] {
        &self.accepted
    }

    /// What was decided about a snapshot.
    pub fn get(&self, id: &SnapshotId) -> Option<&Decision> {
        self.decisions.get(id)
    }

    /// Why the snapshot is not wanted any more; none while it is.
    pub fn forgotten(&self, id: &SnapshotId) -> Option<ForgetReason> {
        self.get(id)?.forgotten
    }

    /// Where a snapshot that was forgotten once stands in the chain of its writer.
    pub fn place(&self, id: &SnapshotId) -> Option<&Forgotten> {
        self.get(id)?.place.as_ref()
    }

    /// The tags of a snapshot now.
    pub fn tags(&self, id: &SnapshotId, snapshot: &Snapshot) -> Vec<String> {
        let mut tags = snapshot.tags.clone();
        for (tag, is_added) in self.get(id).into_iter().flat_map(|decision| &decision.tags) {
            tags.retain(|known| known != tag);
            if *is_added {
                tags.push(tag.clone());
            }
        }
        tags
    }

    /// Those forgotten, with the reason.
    pub fn each_forgotten(&self) -> impl Iterator<Item = (&SnapshotId, ForgetReason)> {
        self.decisions.iter().filter_map(|(id, decision)| Some((id, decision.forgotten?)))
    }
}

fn is_committed(view: &IndexReader, id: &SnapshotId) -> Result<bool, IndexError> {
    Ok(view.snapshot(id)?.is_some_and(|row| row.committed != 0))
}

/// What a mark remembers of a snapshot.
pub fn place_of(id: SnapshotId, snapshot: &Snapshot) -> Forgotten {
    Forgotten { id, writer: Some(snapshot.writer), sequence: snapshot.sequence, previous: snapshot.previous }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::record::{Extra, Time};

    const SNAPSHOT: SnapshotId = SnapshotId::from_bytes([7; 32]);

    fn mark(writer: u8, sequence: u64, action: Action) -> MarkRecord {
        let writer = WriterId::from_bytes([writer; 16]);
        MarkRecord { writer, sequence, made: Time::default(), action, extra: Extra::new() }
    }

    fn forget(reason: ForgetReason) -> Action {
        let place = Forgotten { id: SNAPSHOT, writer: None, sequence: 3, previous: None };
        Action::Forget { reason, snapshots: vec![place] }
    }

    #[test]
    fn marks_take_effect_in_their_order_and_not_in_that_of_their_arrival() {
        let unforget = Action::Unforget { snapshots: vec![SNAPSHOT] };
        let in_order = [mark(2, 1, forget(ForgetReason::Rule)), mark(1, 2, unforget.clone())];
        let reversed = [in_order[1].clone(), in_order[0].clone()];
        for records in [in_order.to_vec(), reversed.to_vec()] {
            let marks = Marks::of(records).expect("readable");
            assert_eq!(marks.forgotten(&SNAPSHOT), None);
            assert_eq!(marks.place(&SNAPSHOT).map(|place| place.sequence), Some(3), "its place stays known");
            assert_eq!(marks.highest_sequence, 2);
        }
        let at_once = Marks::of(vec![mark(2, 1, forget(ForgetReason::Hand)), mark(1, 1, unforget)]).expect("readable");
        assert_eq!(
            at_once.forgotten(&SNAPSHOT),
            Some(ForgetReason::Hand),
            "of one sequence, the greater writer's counts"
        );
    }

    #[test]
    fn what_is_pinned_is_forgotten_by_no_rule_in_whatever_order_the_two_were_said() {
        let pin = |is_pinned| Action::Pin { snapshot: SNAPSHOT, is_pinned };
        for (first, second) in [(pin(true), forget(ForgetReason::Rule)), (forget(ForgetReason::Rule), pin(true))] {
            let records = vec![mark(1, 1, first), mark(2, 2, second)];
            assert_eq!(Marks::of(records.clone()).expect("readable").forgotten(&SNAPSHOT), None);
            let unpinned = [records, vec![mark(1, 3, pin(false))]].concat();
            assert_eq!(Marks::of(unpinned).expect("readable").forgotten(&SNAPSHOT), Some(ForgetReason::Rule));
        }
        let by_hand = vec![mark(1, 1, pin(true)), mark(2, 2, forget(ForgetReason::Hand))];
        assert_eq!(Marks::of(by_hand).expect("readable").forgotten(&SNAPSHOT), Some(ForgetReason::Hand));
    }

    #[test]
    fn tags_come_and_go() {
        let tag = |add: &[&str], remove: &[&str]| Action::Tag {
            snapshot: SNAPSHOT,
            add: add.iter().map(|tag| (*tag).to_owned()).collect(),
            remove: remove.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        let marks = Marks::of(vec![mark(1, 1, tag(&["a", "b"], &[])), mark(1, 2, tag(&["c"], &["a", "made"]))])
            .expect("readable");
        let snapshot = Snapshot {
            writer: WriterId::from_bytes([1; 16]),
            sequence: 1,
            previous: None,
            started: Time::default(),
            finished: Time::default(),
            zone_offset: 0,
            machine: String::new(),
            user: String::new(),
            roots: Vec::new(),
            flags: 0,
            tags: vec!["made".to_owned(), "stays".to_owned()],
            packs_written: 0,
            packs_digest: [0; 32],
            version_ceiling: 0,
            extra: Extra::new(),
        };
        assert_eq!(marks.tags(&SNAPSHOT, &snapshot), ["stays", "b", "c"]);
    }
}
