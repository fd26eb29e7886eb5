//! What was proven to be readable on each destination, and when: `state/proofs-<destination>`.
//!
//! A block is proven when all of it was read from that destination and authenticated: by a drill, or by a check that reads
//! data. The index follows the destinations and is rebuilt from them; this it could not be told by them, so it lies beside.
//! Losing it loses nothing but the knowledge.
//!
//! Packs are known by the first bytes of their names. One whose blocks are all alike takes 14 bytes, in memory and on
//! disk, any other two more for each block: 2 MB for a TB. Packs that are gone leave it whenever it is written.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Repo;
use crate::error::Error;
use crate::format::FormatError;
use crate::format::id::{DestinationId, PackId};
use crate::format::record::{self, Time};
use crate::index::{IndexReader, PackNumber, PackSize};
use crate::replicate::OpenDestination;

/// A proof counts for so many days.
pub const PROVEN_DAYS: u16 = 90;

/// The first bytes of a pack's name.
type PackStart = [u8; 8];
/// What is known of a block: the day of its last proof, counted from [`DAY_0`] and 0 for none, and whether it is spare.
type Mark = u16;

/// 2019-12-31, in days since 1970.
const DAY_0: i64 = 18_261;
const DAY_SECONDS: i64 = 86_400;
/// Nothing was known to need it when everything was last looked at.
const SPARE: Mark = 1 << 15;
const DAY: Mark = SPARE - 1;

/// How long ago a block was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    /// So many days.
    Days(u16),
    /// It never was, or that was forgotten.
    Never,
}

/// The day of a moment, as marks have it. None is the day of no proof.
fn day_of(time: Time) -> Mark {
    let day = (time.seconds.div_euclid(DAY_SECONDS) - DAY_0).clamp(1, i64::from(DAY));
    Mark::try_from(day).unwrap_or(DAY)
}

fn age(mark: Mark, today: Mark) -> Age {
    match mark & DAY {
        0 => Age::Never,
        // A clock that was wrong proves nothing for ever.
        day if day > today.saturating_add(1) => Age::Never,
        day => Age::Days(today.saturating_sub(day)),
    }
}

fn start_of(id: &PackId) -> PackStart {
    let mut start = [0; 8];
    start.copy_from_slice(&id.as_bytes()[..8]);
    start
}

/// What the file holds, sorted by the starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    last: Option<Time>,
    starts: Vec<PackStart>,
    /// Of each pack the end of its marks.
    ends: Vec<u32>,
    marks: Vec<Mark>,
}

impl Stored {
    fn file(id: &DestinationId) -> String {
        format!("proofs-{id}")
    }

    /// What is known; nothing where the file is not what was written.
    pub(super) fn load(repo: &Repo, id: &DestinationId) -> Result<Self, Error> {
        let known = repo.read_state(&Self::file(id))?.and_then(|bytes| {
            let (hash, body) = bytes.split_at_checked(blake3::OUT_LEN)?;
            let stored: Self = record::decode("proofs", body).ok()?;
            (blake3::hash(body).as_bytes() == hash && stored.ends.len() == stored.starts.len()).then_some(stored)
        });
        Ok(known.unwrap_or_default())
    }

    fn save(&self, repo: &Repo, id: &DestinationId) -> Result<(), Error> {
        let format = |source: FormatError| Error::Format { object: "what was proven".to_owned(), source };
        let body = record::encode("proofs", self).map_err(format)?;
        let mut bytes = blake3::hash(&body).as_bytes().to_vec();
        bytes.extend(body);
        repo.write_state(&Self::file(id), &bytes)
    }

    /// When something was last proven.
    pub(super) fn last(&self) -> Option<Time> {
        self.last
    }

    /// The marks of a pack: one for each block, or one for all; none where nothing is known.
    fn of(&self, id: &PackId) -> &[Mark] {
        let Ok(at) = self.starts.binary_search(&start_of(id)) else { return &[] };
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        self.marks.get(from..self.ends[at] as usize).unwrap_or_default()
    }

    /// Adds a pack; in the order of the starts.
    fn push(&mut self, start: PackStart, marks: &[Mark]) {
        let are_alike = marks.iter().all(|mark| Some(mark) == marks.first());
        self.marks.extend(if are_alike { marks.get(..1).unwrap_or_default() } else { marks });
        self.starts.push(start);
        self.ends.push(u32::try_from(self.marks.len()).unwrap_or(u32::MAX));
    }

    /// How many stored bytes of a pack are needed, and how many of those are proven. A pack counts with its whole length,
    /// of which each of its blocks has its share.
    pub(super) fn shares(&self, view: &IndexReader, pack: &PackSize, now: Time) -> Result<(u64, u64), Error> {
        let today = day_of(now);
        let is_proven = |mark: Mark| matches!(age(mark, today), Age::Days(..=PROVEN_DAYS));
        let marks = self.of(&pack.info.id);
        let (mut all, mut needed, mut proven) = (0u64, 0u64, 0u64);
        match marks {
            [] => (all, needed) = (1, 1),
            [mark] => (all, needed, proven) = (1, u64::from(mark & SPARE == 0), u64::from(is_proven(*mark))),
            marks => {
                for (block, mark) in view.blocks(pack.number)?.iter().zip(marks) {
                    let len = u64::from(block.sealed_len);
                    all += len;
                    needed += if mark & SPARE == 0 { len } else { 0 };
                    proven += if mark & SPARE == 0 && is_proven(*mark) { len } else { 0 };
                }
            }
        }
        let share = |part: u64| {
            let share = u128::from(pack.info.len) * u128::from(part) / u128::from(all.max(1));
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        Ok((share(needed), share(proven.min(needed))))
    }
}

/// What is proven of every pack that is on one destination, block by block.
pub(crate) struct Proofs {
    id: DestinationId,
    last: Option<Time>,
    numbers: Vec<PackNumber>,
    /// Of each pack the end of its marks.
    ends: Vec<u32>,
    marks: Vec<Mark>,
    disproved: BTreeSet<PackNumber>,
}

impl Proofs {
    /// What is known of a destination.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Io`].
    pub(crate) fn load(repo: &Repo, view: &IndexReader, destination: &OpenDestination) -> Result<Self, Error> {
        let stored = Stored::load(repo, &destination.id)?;
        let mut proofs = Self {
            id: destination.id,
            last: stored.last,
            numbers: Vec::new(),
            ends: Vec::new(),
            marks: Vec::new(),
            disproved: BTreeSet::new(),
        };
        view.each_size(|pack| -> Result<(), Error> {
            if pack.presence & destination.bit == 0 {
                return Ok(());
            }
            let count = view.block_count(pack.number)? as usize;
            let known = stored.of(&pack.info.id);
            proofs.numbers.push(pack.number);
            match known {
                [one] => proofs.marks.extend(std::iter::repeat_n(*one, count)),
                known if known.len() == count => proofs.marks.extend(known),
                _ => proofs.marks.extend(std::iter::repeat_n(0, count)),
            }
            proofs.ends.push(u32::try_from(proofs.marks.len()).unwrap_or(u32::MAX));
            Ok(())
        })?;
        Ok(proofs)
    }

    fn marks_of(&mut self, pack: PackNumber) -> &mut [Mark] {
        let Ok(at) = self.numbers.binary_search(&pack) else { return &mut [] };
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]) as usize;
        self.marks.get_mut(from..self.ends[at] as usize).unwrap_or_default()
    }

    /// Whether the pack is on the destination.
    pub(crate) fn has(&self, pack: PackNumber) -> bool {
        self.numbers.binary_search(&pack).is_ok()
    }

    /// Nothing is known to be needed: what is must be told anew.
    pub(crate) fn forget_needs(&mut self) {
        self.marks.iter_mut().for_each(|mark| *mark |= SPARE);
    }

    /// Everything may be needed.
    pub(crate) fn need_all(&mut self) {
        self.marks.iter_mut().for_each(|mark| *mark &= DAY);
    }

    /// A block is needed; gives how long ago it was proven.
    pub(crate) fn need(&mut self, pack: PackNumber, block: u32, now: Time) -> Age {
        match self.marks_of(pack).get_mut(block as usize) {
            Some(mark) => {
                *mark &= DAY;
                age(*mark, day_of(now))
            }
            None => Age::Never,
        }
    }

    /// A block was read and authenticated.
    pub(crate) fn prove(&mut self, pack: PackNumber, block: u32, now: Time) {
        if let Some(mark) = self.marks_of(pack).get_mut(block as usize) {
            *mark = *mark & SPARE | day_of(now);
            self.last = self.last.max(Some(now));
        }
    }

    /// All of a pack was.
    pub(crate) fn prove_pack(&mut self, pack: PackNumber, now: Time) {
        if self.has(pack) {
            self.marks_of(pack).iter_mut().for_each(|mark| *mark = *mark & SPARE | day_of(now));
            self.last = self.last.max(Some(now));
        }
    }

    /// A pack was found damaged.
    pub(crate) fn disprove(&mut self, pack: PackNumber) {
        self.marks_of(pack).iter_mut().for_each(|mark| *mark &= SPARE);
        self.disproved.insert(pack);
    }

    /// Remembers it, with what other commands have proven meanwhile.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Io`].
    pub(crate) fn save(&self, repo: &Repo, view: &IndexReader) -> Result<(), Error> {
        let meanwhile = Stored::load(repo, &self.id)?;
        let mut order = Vec::with_capacity(self.numbers.len());
        let mut from = 0;
        for (number, end) in self.numbers.iter().zip(&self.ends) {
            order.push((view.pack(*number)?.id, *number, from..*end as usize));
            from = *end as usize;
        }
        order.sort_unstable_by_key(|(id, ..)| *id);
        let mut stored = Stored { last: self.last.max(meanwhile.last), ..Stored::default() };
        for (id, number, range) in order {
            let mut marks = self.marks.get(range).unwrap_or_default().to_vec();
            let others = if self.disproved.contains(&number) { &[] } else { meanwhile.of(&id) };
            for (block, mark) in marks.iter_mut().enumerate() {
                let other = if let [one] = others { Some(one) } else { others.get(block) };
                let day = other.map_or(0, |other| other & DAY);
                *mark = *mark & SPARE | (*mark & DAY).max(day);
            }
            stored.push(start_of(&id), &marks);
        }
        stored.save(repo, &self.id)
    }
}

impl Repo {
    /// Remembers that packs of a destination were read as a whole, and which of them were found damaged.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Io`].
    pub(crate) fn note_read(
        &self,
        destination: &OpenDestination,
        whole: impl IntoIterator<Item = PackNumber>,
        damaged: impl IntoIterator<Item = PackNumber>,
    ) -> Result<(), Error> {
        let view = self.index.reader()?;
        let mut proofs = Proofs::load(self, &view, destination)?;
        whole.into_iter().for_each(|pack| proofs.prove_pack(pack, self.now()));
        damaged.into_iter().for_each(|pack| proofs.disprove(pack));
        proofs.save(self, &view)
    }
}

/// How much of a destination is needed, and how much of that is proven, in stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum {
    pub needed: u64,
    pub proven: u64,
}

impl Sum {
    /// Adds a pack that is on the destination; one that is damaged there is proven by nothing.
    pub(super) fn add(&mut self, (needed, proven): (u64, u64), is_damaged: bool) {
        self.needed = self.needed.saturating_add(needed);
        self.proven = self.proven.saturating_add(if is_damaged { 0 } else { proven });
    }

    /// In percent, rounded down; none where nothing is there.
    pub(super) fn percent(&self) -> Option<u64> {
        let percent = u128::from(self.proven) * 100 / u128::from(self.needed).max(1);
        (self.needed > 0).then(|| u64::try_from(percent).unwrap_or(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Time {
        Time { seconds: (DAY_0 + day) * DAY_SECONDS + 5, nanos: 0 }
    }

    #[test]
    fn days_are_counted_and_a_wrong_clock_proves_nothing() {
        assert_eq!(day_of(at(2_400)), 2_400);
        assert_eq!((day_of(at(-9)), day_of(at(1 << 40))), (1, DAY));
        assert_eq!(age(2_400, 2_410), Age::Days(10));
        assert_eq!(age(2_400 | SPARE, 2_400), Age::Days(0));
        assert_eq!((age(0, 2_400), age(2_402, 2_400), age(2_401, 2_400)), (Age::Never, Age::Never, Age::Days(0)));
    }

    #[test]
    fn packs_that_are_alike_in_all_blocks_take_one_mark() {
        let ids: Vec<PackId> = (0..3u8).map(|byte| PackId::from_bytes([byte; 32])).collect();
        let mut stored = Stored::default();
        for (id, marks) in ids.iter().zip([&[7, 7, 7][..], &[1, 2, 3], &[]]) {
            stored.push(start_of(id), marks);
        }
        assert_eq!((stored.of(&ids[0]), stored.of(&ids[1])), (&[7][..], &[1, 2, 3][..]));
        assert!(stored.of(&ids[2]).is_empty() && stored.of(&PackId::from_bytes([9; 32])).is_empty());
        assert_eq!(stored.marks.len(), 4);
    }

    #[test]
    fn each_block_has_its_share_of_its_pack() {
        use crate::format::id::{ChunkId, ChunkKind, RepoId};
        use crate::format::pack::{BlockEntry, ChunkEntry, Compression, Directory};
        use crate::index::{Index, PackInfo};
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::open(&folder.path().join("index"), RepoId::from_bytes([1; 16]), 64 << 20).expect("an index");
        let block = |sealed_len: u32| BlockEntry {
            sealed_len,
            raw_len: 2 * sealed_len,
            compression: Compression::Zstd,
            chunks: vec![ChunkEntry { id: ChunkId::from_bytes([sealed_len as u8; 32]), len: 2 * sealed_len }],
        };
        let blocks = [100, 200, 300, 400].map(block).to_vec();
        let directory = Directory { kind: ChunkKind::Data, blocks, extra: Vec::new() };
        let id = PackId::of(b"pack");
        let info = PackInfo { id, len: 2_000, kind: ChunkKind::Data, epoch: 1, salt: [1; 32] };
        let mut writer = index.writer().expect("a writer");
        writer.add_packs([(1, info, 100, &directory)]).expect("added");
        writer.set_present([1], 1, true).expect("there");
        writer.commit().expect("committed");
        let view = index.reader().expect("a view");
        let mut pack = None;
        view.each_size(|size| {
            pack = Some(size);
            Ok::<_, crate::index::IndexError>(())
        })
        .expect("read");
        let pack = pack.expect("a pack");
        assert_eq!((pack.number, pack.raw_len, pack.presence), (1, 2_000, 1));
        assert_eq!((view.block_count(1).expect("read"), view.block_count(2).expect("read")), (4, 0));
        let today = 2_400;
        let shares = |marks: &[Mark]| {
            let mut stored = Stored::default();
            stored.push(start_of(&id), marks);
            stored.shares(&view, &pack, at(i64::from(today))).expect("read")
        };
        assert_eq!(Stored::default().shares(&view, &pack, at(1)).expect("read"), (2_000, 0), "nothing is known of it");
        assert_eq!(shares(&[today; 4]), (2_000, 2_000));
        assert_eq!(shares(&[today - 90, today - 91, 0, today]), (2_000, 1_000));
        assert_eq!(shares(&[today | SPARE, today - 91, SPARE, today]), (1_200, 800), "what is spare does not count");
        assert_eq!(shares(&[today | SPARE; 4]), (0, 0));
    }

    #[test]
    fn sums_in_percent() {
        let mut sum = Sum::default();
        assert_eq!(sum.percent(), None);
        sum.add((100, 100), false);
        sum.add((100, 70), false);
        sum.add((100, 100), true);
        assert_eq!(sum.percent(), Some(56));
    }
}
