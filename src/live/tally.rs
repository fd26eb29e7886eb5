//! What a destination's packs hold that is needed, and which pack keeps a chunk that lies in several.

use super::{LiveError, LiveSet};
use crate::format::id::{ChunkId, PackId};
use crate::format::pack::Directory;
use crate::index::{DestinationBits, IndexReader, PackNumber, Place};
use crate::report::Monitor;

/// Missing chunks that are named; the others are counted.
const NAMED_MAX: usize = 10;
/// Rows between two questions whether to stop.
const ROWS_BETWEEN: u64 = 1 << 12;

/// What one pack holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackTally {
    /// Which pack.
    pub number: PackNumber,
    /// Bytes of the needed chunks that this pack keeps, before compression.
    pub raw_live: u64,
    /// Bytes of all its chunks, before compression.
    pub raw_total: u64,
    /// The needed chunks that this pack keeps.
    pub chunks_live: u32,
    /// All its chunks.
    pub chunks_total: u32,
}

/// What the packs of one destination hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Every pack on the destination, by number.
    pub packs: Vec<PackTally>,
    /// How many needed chunks no pack on the destination holds. Unless it is 0, nothing may be deleted there.
    pub missing: u64,
    /// The first of them.
    pub missing_first: Vec<ChunkId>,
}

/// The rule by which one of the packs with a needed chunk keeps it, on one destination: the pack of the lowest rank,
/// among these that of the lowest number. In one view of the index every question is answered by the same rule, however
/// many packs were replaced since.
pub struct Keepers<'a> {
    /// The view.
    pub index: &'a IndexReader,
    /// What is needed.
    pub live: &'a LiveSet,
    /// The destination.
    pub bit: DestinationBits,
    /// The rank of a pack.
    pub rank: &'a dyn Fn(PackNumber) -> u32,
}

impl Keepers<'_> {
    /// Counts every pack on the destination, in one pass over the index.
    ///
    /// # Errors
    /// [`LiveError::Spill`], [`LiveError::Index`], [`LiveError::Interrupted`].
    pub fn tally(&self, monitor: &dyn Monitor) -> Result<Tally, LiveError> {
        self.tally_also(&|_| false, monitor)
    }

    /// The same, where packs that do not count as present are counted too if they are `also` there.
    ///
    /// # Errors
    /// Those of [`tally`](Self::tally).
    pub fn tally_also(&self, also: &dyn Fn(&PackId) -> bool, monitor: &dyn Monitor) -> Result<Tally, LiveError> {
        let mut count = Count::new(self, also)?;
        let mut rows = 0u64;
        self.index.each_place(|id, place| {
            rows += 1;
            if rows.is_multiple_of(ROWS_BETWEEN) && monitor.should_stop() {
                return Err(LiveError::Interrupted);
            }
            count.row(id, &place)
        })?;
        count.finish()
    }

    /// Whether the pack keeps the chunk: it is needed, and of the packs on the destination that hold it the rule chooses
    /// this one.
    ///
    /// # Errors
    /// [`LiveError::Spill`], [`LiveError::Index`].
    pub fn keeps(&self, pack: PackNumber, id: &ChunkId) -> Result<bool, LiveError> {
        Ok(self.live.contains(id)? && self.place_kept(id)?.is_some_and(|place| place.pack == pack))
    }

    /// For every chunk of a pack, by block, whether the pack keeps it. Of a chunk that the directory lists twice one is
    /// kept.
    ///
    /// # Errors
    /// [`LiveError::Spill`], [`LiveError::Index`].
    pub fn kept(&self, pack: PackNumber, directory: &Directory) -> Result<Vec<Vec<bool>>, LiveError> {
        let mut kept = Vec::with_capacity(directory.blocks.len());
        for (block, entry) in (0..).zip(&directory.blocks) {
            let mut chunks = Vec::with_capacity(entry.chunks.len());
            let mut offset = 0;
            for chunk in &entry.chunks {
                let here = Place { pack, block, offset, len: chunk.len };
                chunks.push(self.live.contains(&chunk.id)? && self.place_kept(&chunk.id)? == Some(here));
                offset += chunk.len;
            }
            kept.push(chunks);
        }
        Ok(kept)
    }

    fn place_kept(&self, id: &ChunkId) -> Result<Option<Place>, LiveError> {
        let mut present = Vec::new();
        for place in self.index.places(id)? {
            if self.index.presence(place.pack)? & self.bit != 0 {
                present.push(place);
            }
        }
        Ok(self.chosen(&present, |place| place.pack).copied())
    }

    fn chosen<'p, P>(&self, present: &'p [P], number: impl Fn(&P) -> PackNumber) -> Option<&'p P> {
        match present {
            [only] => Some(only),
            _ => present.iter().min_by_key(|place| ((self.rank)(number(place)), number(place))),
        }
    }
}

type Ids<'a> = std::iter::Peekable<Box<dyn Iterator<Item = Result<ChunkId, LiveError>> + 'a>>;

/// The needed ids and the rows of the index, both ascending, side by side.
struct Count<'a> {
    keepers: &'a Keepers<'a>,
    live: Ids<'a>,
    tally: Tally,
    /// The chunk whose rows are being read, and where in the tally the packs are that hold it here.
    current: Option<ChunkId>,
    present: Vec<(usize, Place)>,
}

impl<'a> Count<'a> {
    fn new(keepers: &'a Keepers<'a>, also: &dyn Fn(&PackId) -> bool) -> Result<Self, LiveError> {
        let mut tally = Tally::default();
        keepers.index.each_pack(|number, info, presence| {
            if presence & keepers.bit != 0 || also(&info.id) {
                tally.packs.push(PackTally { number, raw_live: 0, raw_total: 0, chunks_live: 0, chunks_total: 0 });
            }
            Ok::<_, LiveError>(())
        })?;
        Ok(Self { keepers, live: keepers.live.iter().peekable(), tally, current: None, present: Vec::new() })
    }

    fn row(&mut self, id: ChunkId, place: &Place) -> Result<(), LiveError> {
        if self.current != Some(id) {
            self.close()?;
            self.current = Some(id);
        }
        let found = self.tally.packs.binary_search_by_key(&place.pack, |pack| pack.number);
        if let Ok(at) = found {
            let pack = &mut self.tally.packs[at];
            pack.raw_total += u64::from(place.len);
            pack.chunks_total += 1;
            self.present.push((at, *place));
        }
        Ok(())
    }

    /// All packs with the current chunk are known.
    fn close(&mut self) -> Result<(), LiveError> {
        let Some(id) = self.current.take() else { return Ok(()) };
        while let Some(needed) = self.needed_up_to(&id)? {
            if needed != id {
                self.miss(needed);
                continue;
            }
            match self.keepers.chosen(&self.present, |(_, place)| place.pack) {
                Some((at, place)) => {
                    let pack = &mut self.tally.packs[*at];
                    pack.raw_live += u64::from(place.len);
                    pack.chunks_live += 1;
                }
                None => self.miss(id),
            }
        }
        self.present.clear();
        Ok(())
    }

    fn needed_up_to(&mut self, id: &ChunkId) -> Result<Option<ChunkId>, LiveError> {
        self.live.next_if(|next| next.as_ref().map_or(true, |next| next <= id)).transpose()
    }

    fn miss(&mut self, id: ChunkId) {
        self.tally.missing += 1;
        if self.tally.missing_first.len() < NAMED_MAX {
            self.tally.missing_first.push(id);
        }
    }

    fn finish(mut self) -> Result<Tally, LiveError> {
        self.close()?;
        while let Some(needed) = self.live.next() {
            self.miss(needed?);
        }
        Ok(self.tally)
    }
}
