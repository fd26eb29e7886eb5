//! One kind's blocks on their way into packs, and what is counted besides them, so that the sizes of all packs together
//! tell how much was stored and not in how many pieces.

use std::collections::VecDeque;

use super::compressing::Compressing;
use crate::format::id::ChunkKind;
use crate::pack::{Closing, PackDraft, entry_len};
use crate::seal::{BlockBuilder, CompressedBlock};

/// Unused bytes a full pack of incompressible data is counted with, whatever it really has. What is left when no chunk
/// fits any more is less than one of the smaller chunks, so rarely more than this.
pub(super) const UNUSED_COUNTED: u64 = 32 << 10;
/// What a part of a recipe takes in a compressed tree: an id, and a length unless it is that of the part before. The same
/// holds for the size of a file. Measured: beside their own bytes lengths cost what zstd cannot take as one match then.
const ID_LEN: u64 = 32;
const LENGTH_LEN: u64 = length_len(3);

const fn length_len(varint: u64) -> u64 {
    2 * varint - 1
}

/// So short content is often there twice by chance, also where all of it is random.
const OFTEN_THE_SAME: usize = 8;

/// A block is not cut short to fill a pack for less than this.
const SHORT_MIN: usize = 48 << 10;
/// How much worse than those before it a block may be compressed and still fit where it was cut short for it: a sixteenth.
const MARGIN: usize = 16;

/// One kind's blocks on their way into packs.
pub(super) struct Filling {
    pub kind: ChunkKind,
    pub builder: BlockBuilder,
    pub compressing: Compressing,
    pub waiting: VecDeque<CompressedBlock>,
    pub draft: PackDraft,
    /// Room of an empty pack.
    full_room: usize,
    shrinking: Shrinking,
    /// Full packs so far, and the bytes that stayed unused in them.
    pub full_packs: u64,
    pub unused: u64,
}

impl Filling {
    pub fn new(kind: ChunkKind, block_bytes: usize, pack_bytes: usize) -> Self {
        let draft = PackDraft::new(kind, pack_bytes);
        Self {
            kind,
            builder: BlockBuilder::new(block_bytes),
            compressing: Compressing::default(),
            waiting: VecDeque::new(),
            full_room: draft.room(0),
            draft,
            shrinking: Shrinking::default(),
            full_packs: 0,
            unused: 0,
        }
    }

    /// A block that came back waits for its place.
    pub fn wait(&mut self, block: CompressedBlock) {
        self.shrinking.add(block.raw_len() as usize, PackDraft::cost(&block));
        self.waiting.push_back(block);
    }

    /// Whether the next pack need not begin yet: no more than so many bytes wait for it.
    pub fn may_defer(&self, bytes_max: usize) -> bool {
        self.draft.is_empty() && self.waiting.iter().map(PackDraft::cost).sum::<usize>() <= bytes_max
    }

    /// Whether the block that is being filled is to end before the `next` bytes. Compressed as far as those before it, it
    /// just fits into what the others on their way leave of a pack; a whole one would leave a part of the pack empty.
    pub fn is_long_enough(&self, next: usize) -> bool {
        let now = self.shrinking.estimate(self.builder.raw_len());
        if now < SHORT_MIN || !self.shrinking.is_any() {
            return false;
        }
        let waiting = self.waiting.iter().map(PackDraft::cost);
        let coming = self.compressing.raw_lens().map(|len| self.shrinking.estimate(len));
        let room = waiting.chain(coming).fold(self.draft.room(0), |room, cost| match room.checked_sub(cost) {
            Some(left) => left,
            // It begins a pack.
            None => self.full_room.saturating_sub(cost),
        });
        let then = self.shrinking.estimate(self.builder.raw_len() + next);
        now <= room && then + then / MARGIN > room
    }

    /// How the pack is closed: the last one evens out what the full ones left, and in how many pieces data came.
    pub fn closing(&self, is_full: bool, pieces: &Pieces) -> Closing {
        if is_full { Closing::Full } else { Closing::Last { extra: self.extra(pieces) } }
    }

    fn extra(&self, pieces: &Pieces) -> u64 {
        let spared = match self.kind {
            ChunkKind::Data => pieces.entries_spared(),
            ChunkKind::Tree => pieces.parts_spared(),
        };
        (self.full_packs * UNUSED_COUNTED + spared).saturating_sub(self.unused)
    }

    /// Takes out what makes one pack more, where the last one would look full with what is counted besides: with other
    /// pieces the same data could have filled it. None where it does not, or where everything was compressed.
    pub fn take_overhang(&mut self, pieces: &Pieces) -> Option<CompressedBlock> {
        if self.draft.unused() >= self.extra(pieces) + UNUSED_COUNTED { None } else { self.draft.take_smallest() }
    }
}

/// How far blocks were compressed lately.
#[derive(Default)]
struct Shrinking {
    raw: usize,
    cost: usize,
}

impl Shrinking {
    fn add(&mut self, raw: usize, cost: usize) {
        self.raw = self.raw / 4 * 3 + raw;
        self.cost = self.cost / 4 * 3 + cost;
    }

    /// Whether blocks are compressed at all. Others are divided exactly where a pack ends.
    fn is_any(&self) -> bool {
        self.cost < self.raw / 16 * 15
    }

    fn estimate(&self, raw: usize) -> usize {
        if self.raw == 0 { raw } else { (raw as u64 * self.cost as u64 / self.raw as u64) as usize }
    }
}

/// In how many pieces the new data of a run came. The number of chunks depends on the sizes of files; evened out, only
/// their number and their sum matter.
pub(super) struct Pieces {
    /// What a chunk has at least on average. Random data gives a fifth more than the size around which cuts fall.
    mean: u64,
    /// What a chunk of the greatest length takes in the directories.
    longest_entry: u64,
    /// Stretches with something new, and whether the one that is being stored is among them.
    stretches: u64,
    is_counted: bool,
    /// New chunks, their bytes, what they take in the directories of packs, and in recipes.
    chunks: u64,
    bytes: u64,
    entries: u64,
    parts: u64,
    /// Length of the chunk before, and of the first one of the stretch before.
    last: usize,
    last_first: usize,
}

impl Pieces {
    pub fn new(avg_bytes: usize, max_bytes: usize) -> Self {
        Self {
            mean: (avg_bytes + avg_bytes / 8) as u64,
            longest_entry: entry_len(max_bytes),
            stretches: 0,
            is_counted: false,
            chunks: 0,
            bytes: 0,
            entries: 0,
            parts: 0,
            last: 0,
            last_first: 0,
        }
    }

    /// What comes next begins anew: another file, or what is behind a hole.
    pub fn begin_stretch(&mut self) {
        self.is_counted = false;
    }

    /// A new chunk.
    pub fn add(&mut self, len: usize) {
        self.count(len);
        self.chunks += 1;
        self.bytes += len as u64;
        self.entries += entry_len(len);
        self.parts += ID_LEN;
    }

    /// A chunk that this run stored before.
    pub fn add_again(&mut self, len: usize) {
        if len <= OFTEN_THE_SAME {
            self.count(len);
        }
    }

    fn count(&mut self, len: usize) {
        let length_len = length_len((entry_len(len) - ID_LEN) / 2);
        if !self.is_counted {
            self.stretches += 1;
            self.parts += if len == self.last_first { 0 } else { length_len };
            self.last_first = len;
        }
        self.is_counted = true;
        self.parts += if len == self.last { 0 } else { length_len };
        self.last = len;
    }

    /// The most chunks that so many bytes in so many stretches come in, but for rare luck: on average a stretch has half
    /// a chunk more than its length would make.
    fn bound(&self) -> u64 {
        self.stretches + self.bytes / self.mean
    }

    /// Bytes of entries in directories that these pieces did without.
    fn entries_spared(&self) -> u64 {
        (self.bound() * self.longest_entry).saturating_sub(self.entries)
    }

    /// Bytes in recipes that these pieces did without.
    fn parts_spared(&self) -> u64 {
        (self.bound() * (ID_LEN + LENGTH_LEN) + self.stretches * LENGTH_LEN).saturating_sub(self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_of_chunks_counts_stretches_and_bytes() {
        let mut pieces = Pieces::new(64 << 10, 256 << 10);
        let spared = |pieces: &Pieces| (pieces.entries_spared(), pieces.parts_spared());
        assert_eq!(spared(&pieces), (0, 0));
        // A file of one small chunk is what was to be expected, but for the two bytes by which its length is shorter.
        pieces.begin_stretch();
        pieces.add(1000);
        assert_eq!(spared(&pieces), (2, 4));
        // Two chunks where three are possible.
        pieces.begin_stretch();
        pieces.add(100_000);
        pieces.add(60_000);
        let entry = 32 + 3 + 3;
        assert_eq!(spared(&pieces), (2 + entry, 4 + 32 + 5));
        // The same length again is nearly nothing in a compressed tree.
        pieces.begin_stretch();
        pieces.add(60_000);
        assert_eq!(spared(&pieces), (2 + entry, 4 + 32 + 5 + 5));
        // What was stored before does not count, but for what is there twice by chance.
        pieces.begin_stretch();
        pieces.add_again(60_000);
        assert_eq!(spared(&pieces), (2 + entry, 4 + 32 + 5 + 5));
        pieces.begin_stretch();
        pieces.add_again(1);
        assert!(spared(&pieces).0 > 2 + entry);
    }
}
