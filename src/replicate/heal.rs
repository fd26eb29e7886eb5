//! A damaged pack on one destination, whole again: from another destination, or put together from damaged copies.
//!
//! The old bytes stay until the new ones are durable, and what could be read before can be read after, whenever this is
//! cut off. Nothing is written that does not have its name as its hash, but for what is saved from a pack that no copies
//! make whole again.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::{OpenDestination, ReplicateError, reconcile, salvage};
use crate::destination::{DestinationError, DestinationErrorKind, Settle};
use crate::format::id::PackId;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::index::{DestinationBits, Index, PackNumber};
use crate::pack::{Copies, Merged, merge};
use crate::seal::Keys;

/// What became of a damaged object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healing {
    /// It is what it was; how that was done, in a few words.
    Healed(String),
    /// It could not be made whole, but everything that can still be read of it is in another pack, and it is gone.
    Saved(String),
    /// It is as it was found, and why.
    Left(String),
}

/// Heals packs.
pub struct PackHealer<'a> {
    /// Opens them.
    pub keys: &'a Keys,
    /// Says what is known of them, and learns what changed.
    pub index: &'a Index,
    /// Where good bytes may be, the target among them.
    pub destinations: Vec<OpenDestination>,
    /// Whether what no copies make whole may be given up once everything readable in it was saved. Not while a
    /// destination is away that may have what is missing.
    pub may_give_up: bool,
}

impl PackHealer<'_> {
    /// Heals one pack on `target`. What fails there is told as the reason why it was left.
    ///
    /// # Errors
    /// [`ReplicateError::Index`], [`ReplicateError::Seal`].
    pub fn heal(&self, target: &OpenDestination, id: &PackId) -> Result<Healing, ReplicateError> {
        match self.try_to(target, id) {
            Err(ReplicateError::Destination(error)) => Ok(Healing::Left(error.to_string())),
            result => result,
        }
    }

    fn try_to(&self, target: &OpenDestination, id: &PackId) -> Result<Healing, ReplicateError> {
        let name = ObjectName::Pack(*id);
        let number = self.index.reader()?.pack_number(id)?;
        let mut held = Held::new(name);
        let others = self.destinations.iter().filter(|source| source.bit != target.bit);
        for source in std::iter::once(target).chain(others) {
            match held.look(source) {
                // Somebody healed it already, or the medium changed its mind.
                Some(_) if source.bit == target.bit => {
                    target.place.settle(Settle::Touched)?;
                    self.remember(number, target.bit)?;
                    return Ok(Healing::Healed("it is whole".to_owned()));
                }
                Some(bytes) => {
                    self.replace(target, id, number, &bytes)?;
                    return Ok(Healing::Healed(format!("taken from [{}]", source.name)));
                }
                None => {}
            }
        }
        self.put_together(target, id, number, &held)
    }

    /// What no destination has whole.
    fn put_together(
        &self,
        target: &OpenDestination,
        id: &PackId,
        number: Option<PackNumber>,
        held: &Held<'_>,
    ) -> Result<Healing, ReplicateError> {
        if held.places.iter().any(|place| place.bit == target.bit) {
            self.note_damaged(number, target.bit)?;
        }
        let lens = match number {
            Some(number) => BTreeSet::from([self.index.reader()?.pack(number)?.len]),
            // Nobody knows how long it was: as long as one of the copies, perhaps.
            None => held.lens.clone(),
        };
        let merged = self.merged(id, &lens, held)?;
        let refusal = match &merged {
            Merged::Whole(bytes) => {
                self.replace(target, id, number, bytes)?;
                return Ok(Healing::Healed(match held.count() {
                    1 => "made again from what is whole in it".to_owned(),
                    count => format!("put together from {count} damaged copies"),
                }));
            }
            Merged::Blocks { .. } => None,
            Merged::Nothing => lens.iter().find_map(|len| merge::refusal(self.keys, *len, held)),
        };
        // It may be whole for who can read it, or has its key: neither is damage.
        if let Some(why) = held.trouble().map(|error| error.to_string()).or(refusal.map(|error| error.to_string())) {
            return Ok(Healing::Left(why));
        }
        match merged {
            Merged::Blocks { kind, blocks } if self.may_give_up => {
                let chunks = salvage::store(self.keys, self.index, target, kind, blocks)?;
                self.give_up(target, &held.name, number)?;
                Ok(Healing::Saved(format!("{chunks} chunks that could be read were stored anew, the others are lost")))
            }
            Merged::Nothing if self.may_give_up => {
                self.give_up(target, &held.name, number)?;
                Ok(Healing::Saved("nothing in it can be read".to_owned()))
            }
            _ => Ok(Healing::Left("no destination within reach has it whole".into())),
        }
    }

    fn merged(&self, id: &PackId, lens: &BTreeSet<u64>, held: &Held<'_>) -> Result<Merged, ReplicateError> {
        let mut best = Merged::Nothing;
        for len in lens {
            match merge::merge(self.keys, id, *len, held)? {
                whole @ Merged::Whole(_) => return Ok(whole),
                blocks @ Merged::Blocks { .. } => best = blocks,
                Merged::Nothing => {}
            }
        }
        Ok(best)
    }

    /// It does not count as stored there any more: neither for who saves what is whole in it, nor for the next backup where
    /// it is left (invariant I1).
    fn note_damaged(&self, number: Option<PackNumber>, bit: DestinationBits) -> Result<(), ReplicateError> {
        match number {
            Some(number) if self.index.reader()?.damaged(number)? & bit == 0 => {
                reconcile::damage_packs(self.index, bit, vec![number])
            }
            _ => Ok(()),
        }
    }

    fn replace(
        &self,
        target: &OpenDestination,
        id: &PackId,
        number: Option<PackNumber>,
        bytes: &[u8],
    ) -> Result<(), ReplicateError> {
        put_whole(target, &ObjectName::Pack(*id), bytes)?;
        self.remember(number, target.bit)
    }

    fn remember(&self, number: Option<PackNumber>, bit: DestinationBits) -> Result<(), ReplicateError> {
        // One that the index does not know is learned by the next listing.
        let Some(number) = number else { return Ok(()) };
        let mut writer = self.index.writer()?;
        writer.set_present([number], bit, true)?;
        writer.commit()?;
        Ok(())
    }

    /// Deletes a damaged pack of which everything that can be read is in other packs on the same destination.
    fn give_up(
        &self,
        target: &OpenDestination,
        name: &ObjectName,
        number: Option<PackNumber>,
    ) -> Result<(), ReplicateError> {
        target.place.check_place()?;
        reconcile::lose_packs(self.index, target.bit, number.into_iter().collect())?;
        target.place.delete(name)?;
        target.place.settle(Settle::Touched)?;
        Ok(())
    }
}

/// The damaged copies of one pack. Each may take as much memory as a pack has bytes, so none stays there.
struct Held<'a> {
    name: ObjectName,
    places: Vec<&'a OpenDestination>,
    /// How long those are.
    lens: BTreeSet<u64>,
    /// The first error that says nothing about the copies: what was asked for may be whole.
    trouble: RefCell<Option<DestinationError>>,
}

impl<'a> Held<'a> {
    fn new(name: ObjectName) -> Self {
        Self { name, places: Vec::new(), lens: BTreeSet::new(), trouble: RefCell::default() }
    }

    /// What a destination has under the name, if that is whole; otherwise it is held, also where not all of it can be read.
    fn look(&mut self, place: &'a OpenDestination) -> Option<Vec<u8>> {
        match place.place.get(&self.name, None) {
            Ok(bytes) if self.name.matches(&bytes) => return Some(bytes),
            Ok(bytes) => drop(self.lens.insert(bytes.len() as u64)),
            // Bytes of it may be had all the same.
            Err(error) if error.kind == DestinationErrorKind::Damaged => self.look_how_long(place),
            Err(error) => {
                self.meet(error);
                return None;
            }
        }
        self.places.push(place);
        None
    }

    /// The length of a copy that cannot be read as a whole.
    fn look_how_long(&mut self, place: &OpenDestination) {
        let prefix = self.name.hash().map(|hash| hash.as_bytes()[0]);
        let (name, lens) = (self.name, &mut self.lens);
        let listed = place.place.list(ObjectKind::Packs, prefix, &mut |listed, len| {
            lens.extend((listed == name).then_some(len));
        });
        listed.unwrap_or_else(|error| self.meet(error));
    }

    fn meet(&self, error: DestinationError) {
        if !error.is_of_object() {
            self.trouble.borrow_mut().get_or_insert(error);
        }
    }

    fn trouble(&self) -> Option<DestinationError> {
        self.trouble.borrow().clone()
    }
}

impl Copies for Held<'_> {
    fn count(&self) -> usize {
        self.places.len()
    }

    fn read(&self, copy: usize, range: Range<u64>) -> Vec<u8> {
        let read = self.places.get(copy).map(|held| held.place.get(&self.name, Some(range)));
        read.and_then(|read| read.map_err(|error| self.meet(error)).ok()).unwrap_or_default()
    }
}

/// Writes bytes in the place of what is damaged, durably, and reads them back.
///
/// # Errors
/// Those of the destination; [`Damaged`](crate::destination::DestinationErrorKind::Damaged) where it gives back other
/// bytes than were written.
pub fn put_whole(target: &OpenDestination, name: &ObjectName, bytes: &[u8]) -> Result<(), DestinationError> {
    target.place.check_place()?;
    target.place.replace(name, bytes)?;
    target.place.settle(Settle::Touched)?;
    if target.place.get(name, None)? == bytes {
        return Ok(());
    }
    Err(DestinationError::new(
        DestinationErrorKind::Damaged,
        format!("replace {name}"),
        target.place.describe(),
        "what was written cannot be read back unchanged",
    ))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::destination::{Destination, MemoryDestination};
    use crate::format::id::{ChunkId, ChunkKind, DestinationId, RepoId};
    use crate::index::PackInfo;
    use crate::pack::{PackReader, SealedPack};
    use crate::replicate::Neighbours;

    struct Site {
        _folder: tempfile::TempDir,
        keys: Keys,
        index: Index,
        places: Vec<MemoryDestination>,
        destinations: Vec<OpenDestination>,
        pack: SealedPack,
    }

    /// Two destinations with one pack, which the index knows.
    fn site() -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let repo = RepoId::from_bytes([1; 16]);
        let keys = Keys::generate(repo).expect("random keys");
        let index = Index::open(&folder.path().join("index"), repo, 96 << 20).expect("a new index");
        let pack = merge::tests::pack(&keys);
        let places: Vec<MemoryDestination> = ["a", "b"].map(MemoryDestination::new).into();
        let mut destinations = Vec::new();
        let mut writer = index.writer().expect("a writer");
        let len = pack.bytes().len() as u64;
        let info = PackInfo { id: pack.id(), len, kind: ChunkKind::Data, epoch: pack.epoch(), salt: pack.salt() };
        writer.add_packs([(1, info, pack.blocks_offset(), pack.directory())]).expect("added");
        for (number, place) in (0u8..).zip(&places) {
            place.put(&ObjectName::Pack(pack.id()), pack.bytes()).expect("put");
            place.settle(Settle::Touched).expect("settled");
            let id = DestinationId::from_bytes([number; 16]);
            let bit = writer.destination_bit(&id).expect("a bit");
            writer.set_present([1], bit, true).expect("present");
            destinations.push(OpenDestination {
                name: place.describe(),
                path: PathBuf::new(),
                id,
                bit,
                place: Arc::new(place.clone()),
                upload_limit: None,
                neighbours: Neighbours::default(),
            });
        }
        writer.commit().expect("committed");
        Site { _folder: folder, keys, index, places, destinations, pack }
    }

    impl Site {
        fn damage(&self, number: usize, blocks: &[usize]) {
            self.damage_unseen(number, blocks);
            let bit = self.destinations[number].bit;
            reconcile::damage_packs(&self.index, bit, vec![1]).expect("noted");
        }

        /// The same where nobody has met it yet.
        fn damage_unseen(&self, number: usize, blocks: &[usize]) {
            let opened = PackReader::new(&self.keys).open_bytes(self.pack.bytes()).expect("whole");
            let mut bytes = self.pack.bytes().to_vec();
            for place in opened.blocks().filter(|place| blocks.contains(&(place.number as usize))) {
                bytes[place.offset as usize + 20] ^= 1;
            }
            self.places[number].replace(&ObjectName::Pack(self.pack.id()), &bytes).expect("replaced");
            self.places[number].settle(Settle::Touched).expect("settled");
        }

        fn heal(&self, may_give_up: bool) -> Healing {
            self.heal_pack(&self.pack.id(), may_give_up)
        }

        fn heal_pack(&self, id: &PackId, may_give_up: bool) -> Healing {
            let destinations = self.destinations.clone();
            let healer = PackHealer { keys: &self.keys, index: &self.index, destinations, may_give_up };
            healer.heal(&self.destinations[0], id).expect("the index works")
        }

        /// The chunks that can be read on the first destination, whatever pack they are in.
        fn readable(&self) -> BTreeSet<ChunkId> {
            let reader = PackReader::new(&self.keys);
            let mut names = Vec::new();
            self.places[0].list(ObjectKind::Packs, None, &mut |name, _| names.push(name)).expect("listed");
            let mut chunks = BTreeSet::new();
            for name in names {
                let bytes = self.places[0].get(&name, None).expect("there");
                let Ok(opened) = reader.open_bytes(&bytes) else { continue };
                for place in opened.blocks() {
                    let range = place.offset as usize..(place.offset + u64::from(place.entry.sealed_len)) as usize;
                    let sealed = bytes[range].to_vec();
                    if reader.open_block(&opened.seal, ChunkKind::Data, &place, sealed).is_ok() {
                        chunks.extend(place.entry.chunks.iter().map(|chunk| chunk.id));
                    }
                }
            }
            chunks
        }

        /// Whether it is listed, readable or not.
        fn has(&self, name: ObjectName) -> bool {
            let mut is_there = false;
            let each = &mut |listed, _| is_there |= listed == name;
            self.places[0].list(ObjectKind::Packs, None, each).expect("listed");
            is_there
        }

        fn stored(&self) -> Option<Vec<u8>> {
            self.places[0].get(&ObjectName::Pack(self.pack.id()), None).ok()
        }
    }

    #[test]
    fn what_copies_are_damaged_decides_how_a_pack_is_healed() {
        for (first, second, expected) in [
            (&[1][..], &[][..], Healing::Healed("taken from [b]".to_owned())),
            (&[0, 1], &[2, 3], Healing::Healed("put together from 2 damaged copies".to_owned())),
            (&[1], &[1], Healing::Left("no destination within reach has it whole".to_owned())),
        ] {
            let site = site();
            site.damage(0, first);
            if !second.is_empty() {
                site.damage(1, second);
            }
            let is_whole = matches!(expected, Healing::Healed(_));
            assert_eq!(site.heal(false), expected);
            assert_eq!(site.stored().is_some_and(|bytes| bytes == site.pack.bytes()), is_whole);
            let view = site.index.reader().expect("a view");
            let bit = site.destinations[0].bit;
            assert_eq!(view.presence(1).expect("known") & bit != 0, is_whole);
            assert_eq!(view.damaged(1).expect("known") & bit != 0, !is_whole);
        }
    }

    /// The whole cannot be read, and all of it but one block can.
    #[test]
    fn what_a_bad_medium_still_gives_is_used() {
        for (second, expected) in [
            (2, Healing::Healed("put together from 2 damaged copies".to_owned())),
            (1, Healing::Left("no destination within reach has it whole".to_owned())),
        ] {
            let site = site();
            let opened = PackReader::new(&site.keys).open_bytes(site.pack.bytes()).expect("whole");
            let block = opened.blocks().nth(1).expect("a second block").offset;
            site.damage(0, &[]);
            site.places[0].go_bad(ObjectName::Pack(site.pack.id()), block + 7..block + 8);
            site.damage(1, &[second]);
            assert_eq!(site.heal(false), expected);
            let is_whole = matches!(expected, Healing::Healed(_));
            assert_eq!(site.stored().is_some_and(|bytes| bytes == site.pack.bytes()), is_whole);
        }
    }

    #[test]
    fn what_no_copy_has_is_given_up_when_everything_else_was_saved() {
        for damage in [Site::damage, Site::damage_unseen] {
            let site = site();
            damage(&site, 0, &[1]);
            damage(&site, 1, &[1]);
            let before = site.readable();
            assert!(matches!(site.heal(true), Healing::Saved(_)));
            assert_eq!((site.stored(), before.len()), (None, 9));
            assert_eq!(site.readable(), before);
            let view = site.index.reader().expect("a view");
            for block in &site.pack.directory().blocks {
                for chunk in &block.chunks {
                    let is_here = view.chunk_presence(&chunk.id).expect("readable") & site.destinations[0].bit != 0;
                    assert_eq!(is_here, before.contains(&chunk.id));
                }
            }
        }
    }

    /// Somebody else found it whole a moment ago, or nobody looked: what is left damaged counts for absent from now on.
    #[test]
    fn what_is_left_damaged_does_not_count_as_stored() {
        let site = site();
        site.damage_unseen(0, &[1]);
        site.damage_unseen(1, &[1]);
        assert!(matches!(site.heal(false), Healing::Left(_)));
        let view = site.index.reader().expect("a view");
        let bit = site.destinations[0].bit;
        assert_eq!((view.presence(1).expect("known") & bit, view.damaged(1).expect("known") & bit), (0, bit));
    }

    /// Another user may read it, and a disk that reset itself is back in a moment.
    #[test]
    fn what_could_not_be_read_just_now_is_not_given_up() {
        let name = |site: &Site| ObjectName::Pack(site.pack.id());
        for kind in [DestinationErrorKind::Denied, DestinationErrorKind::Transient, DestinationErrorKind::Other] {
            let site = site();
            site.places[1].delete(&name(&site)).expect("deleted");
            site.places[0].fail_reads(name(&site), 0..u64::MAX, kind);
            assert!(matches!(site.heal(true), Healing::Left(_)), "{kind:?}");
            assert!(site.has(name(&site)), "{kind:?}");
        }
        // Head and foot; the blocks; one of them.
        for calls in [2..4, 4..8, 6..7] {
            let site = site();
            site.places[1].delete(&name(&site)).expect("deleted");
            site.damage(0, &[1]);
            let before = site.stored();
            site.places[0].be_away_for(calls.clone());
            assert!(matches!(site.heal(true), Healing::Left(_)), "{calls:?}");
            assert_eq!(site.stored(), before, "{calls:?}");
        }
        // What is somewhere else may be whole there.
        let site = site();
        site.damage(0, &[1]);
        site.places[1].fail_reads(name(&site), 0..u64::MAX, DestinationErrorKind::Denied);
        assert!(matches!(site.heal(true), Healing::Left(_)));
        assert!(site.stored().is_some());
    }

    /// Another machine has its key, and what is damaged of it is told from what is not with that key only.
    #[test]
    fn what_another_key_may_open_is_not_given_up() {
        for is_same_epoch in [false, true] {
            let mut site = site();
            let theirs = merge::tests::pack(&site.keys.rotated().expect("a new epoch"));
            if is_same_epoch {
                site.keys = site.keys.rotated().expect("another with the same number");
            }
            let (name, len) = (ObjectName::Pack(theirs.id()), theirs.bytes().len());
            for at in [0, len / 2, len - 1] {
                let mut bytes = theirs.bytes().to_vec();
                bytes[at] ^= 1;
                site.places[0].replace(&name, &bytes).expect("replaced");
                assert!(matches!(site.heal_pack(&theirs.id(), true), Healing::Left(_)), "{is_same_epoch} {at}");
                // A medium that has gone bad there.
                site.places[0].go_bad(name, at as u64..at as u64 + 1);
                assert!(matches!(site.heal_pack(&theirs.id(), true), Healing::Left(_)), "{is_same_epoch} {at}");
                assert!(site.has(name), "{is_same_epoch} {at}");
            }
        }
    }

    #[test]
    fn cut_off_at_any_step_nothing_that_could_be_read_is_lost() {
        for damage_elsewhere in [&[][..], &[2], &[1]] {
            let mut cut = 0;
            loop {
                let site = site();
                site.damage(0, &[1]);
                if !damage_elsewhere.is_empty() {
                    site.damage(1, damage_elsewhere);
                }
                let before = site.readable();
                site.places[0].go_offline_after(cut);
                let ended = site.heal(true);
                site.places[0].cut_power();
                site.places[0].come_back();
                assert!(site.readable().is_superset(&before), "cut at {cut}: {ended:?}");
                // And going on brings it to an end.
                assert!(!matches!(site.heal(true), Healing::Left(_)), "cut at {cut}");
                assert!(site.readable().is_superset(&before));
                if !matches!(ended, Healing::Left(_)) {
                    break;
                }
                cut += 1;
            }
            assert!(cut > 3, "{cut} steps");
        }
    }
}
