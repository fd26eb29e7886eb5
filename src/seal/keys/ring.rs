//! Rings that come after rings, and several that count together (docs/format.md §7).

use zeroize::Zeroize;

use super::{Keys, random};
use crate::format::FormatError;
use crate::format::id::ObjectHash;
use crate::format::record::{REMOVED_TAG, RemovedSlots};
use crate::seal::SealError;

impl Keys {
    /// The keys in another stored ring of the same repository.
    ///
    /// # Errors
    /// Those of [`Self::open_ring`].
    pub fn open_another(&self, stored: &[u8]) -> Result<Self, SealError> {
        Self::open_ring(self.repo, self.root.clone(), stored)
    }

    /// These keys with those of a ring that lost to theirs: the epochs only that one has are still good, and what any
    /// ring says was removed stays removed (docs/format.md §7).
    #[must_use]
    pub fn over(mut self, other: &Self) -> Self {
        let own = &mut self.ring.epochs;
        // Made in one allocation: where a buffer grows, a copy of its keys stays behind.
        let mut epochs = Vec::with_capacity(own.len() + other.ring.epochs.len());
        epochs.extend_from_slice(own);
        for epoch in other.ring.epochs.iter().rev().filter(|epoch| !own.contains(epoch)) {
            let at = epochs.partition_point(|(number, _)| *number < epoch.0);
            epochs.insert(at, *epoch);
        }
        std::mem::swap(own, &mut epochs);
        epochs.zeroize();
        self.removed.extend_from_slice(&other.removed);
        self.removed.sort_unstable();
        self.removed.dedup();
        self
    }

    /// The keys of a new ring: everything that was in the others, and a new epoch.
    ///
    /// # Errors
    /// [`SealError::System`]; [`SealError::Format`] where there are no more numbers.
    pub fn rotated(&self) -> Result<Self, SealError> {
        let epoch = self.epoch().checked_add(1).ok_or(SealError::Format(FormatError::Limit("number of epochs")))?;
        let mut new = self.renumbered()?;
        let mut epochs = Vec::with_capacity(new.ring.epochs.len() + 1);
        epochs.extend_from_slice(&new.ring.epochs);
        epochs.push((epoch, random()?));
        std::mem::swap(&mut new.ring.epochs, &mut epochs);
        epochs.zeroize();
        Ok(new)
    }

    /// The keys of a new ring that says that a slot was removed.
    ///
    /// # Errors
    /// [`SealError::Format`].
    pub fn without_slot(&self, slot: ObjectHash) -> Result<Self, SealError> {
        let mut new = self.renumbered()?;
        new.removed.push(slot);
        new.removed.sort_unstable();
        new.removed.dedup();
        new.note_removed()?;
        Ok(new)
    }

    fn renumbered(&self) -> Result<Self, SealError> {
        let number = self.ring.number.checked_add(1).ok_or(SealError::Format(FormatError::Limit("number of rings")))?;
        let mut new = self.clone();
        new.ring.number = number;
        new.note_removed()?;
        Ok(new)
    }

    /// Lets the ring say itself what the others say together.
    fn note_removed(&mut self) -> Result<(), SealError> {
        self.ring.extra.retain(|(tag, _)| *tag != REMOVED_TAG);
        if !self.removed.is_empty() {
            self.ring.extra.push(RemovedSlots { slots: self.removed.clone() }.encode()?);
        }
        Ok(())
    }

    /// Whether any ring says that a slot was removed.
    pub fn is_removed(&self, slot: &ObjectHash) -> bool {
        self.removed.binary_search(slot).is_ok()
    }

    /// Whether any slot was removed.
    pub fn has_removed(&self) -> bool {
        !self.removed.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::id::RepoId;
    use crate::format::sealed::ObjectType;
    use crate::seal::ObjectSeal;

    fn keys() -> Keys {
        Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
    }

    /// Two machines that cannot know of each other rotate, and one of them removes a slot: nothing of either is lost.
    #[test]
    fn rings_that_were_made_at_once_are_good_together() {
        let first = keys();
        let slot = ObjectHash::of(b"a slot");
        let (left, right) = (first.rotated().expect("an epoch"), first.rotated().expect("an epoch"));
        assert_eq!((left.epoch(), right.epoch(), left.ring_number()), (2, 2, 2));
        let left = left.without_slot(slot).expect("a ring");
        let seal = |keys: &Keys, text: &[u8]| keys.seal_record(ObjectType::Mark, text).expect("sealed");
        let stored = [seal(&first, b"0"), seal(&left, b"1"), seal(&right, b"2")];
        assert_eq!(first.open_record(ObjectType::Mark, &stored[1]), Err(SealError::UnknownEpoch(2)));
        assert_eq!(right.open_record(ObjectType::Mark, &stored[1]), Err(SealError::WrongKey));
        // The ring of the left has the higher number.
        let both = left.clone().over(&right.over(&first));
        let reopened = first.open_another(&both.rotated().and_then(|keys| keys.seal_ring()).expect("sealed"));
        for keys in [&both, &reopened.expect("a ring")] {
            for (number, stored) in stored.iter().enumerate() {
                assert_eq!(keys.open_record(ObjectType::Mark, stored).expect("opened"), number.to_string().as_bytes());
            }
            assert!(keys.is_removed(&slot) && !keys.is_removed(&ObjectHash::of(b"another")));
        }
        assert_eq!((both.ring_number(), both.epoch(), both.ring.epochs.len()), (3, 2, 3));
        assert_eq!(left.open_record(ObjectType::Mark, &seal(&both, b"new")).as_deref(), Ok(&b"new"[..]));
        let seals = both.possible_seals(ObjectType::Pack, 2, [1; 32]).expect("two of them");
        let commitments: Vec<_> = seals.iter().map(ObjectSeal::commitment).collect();
        assert_eq!(commitments.len(), 2);
        for commitment in &commitments {
            let seal = both.stored_seal(ObjectType::Pack, 2, [1; 32], commitment).expect("the one that has it");
            assert_eq!(seal.commitment(), *commitment);
        }
        let other = both.stored_seal(ObjectType::Pack, 2, [1; 32], &[0; 32]);
        assert_eq!(other.err(), Some(SealError::WrongKey));
    }
}
