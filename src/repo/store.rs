//! Nothing is stored twice: claims, blocks, packs, lanes.
//!
//! ```text
//! chunk ─▶ claim ─▶ block ─▶ (all cores) compress ─▶ pack ─▶ (all cores) seal, open again ─▶ lanes
//! ```
//!
//! A chunk may be skipped when a pack holding it is on a destination within reach, or when this run stored it already.
//! Everything here is serial but the two steps that cost: so a claim needs no lock, and the same input gives the same
//! packs. What is not in the index yet is in a set that is emptied into it again and again.

mod compressing;
mod filling;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use self::filling::{Filling, Pieces};
use crate::error::Error;
use crate::format::FormatError;
use crate::format::id::{ChunkId, ChunkKind, PackId};
use crate::format::pack::Directory;
use crate::index::{DestinationBits, Index, IndexReader, PackInfo, PackNumber};
use crate::memory::Budget;
use crate::pack::SealedPack;
use crate::replicate::{LaneOutcome, Lanes};
use crate::seal::keys::random;
use crate::seal::{Block, CompressedBlock, Keys};
use crate::snapshot::ChunkSink;

/// Compressed blocks that wait for a pack with room, while smaller ones fill the one that is nearly full.
const WAITING_MAX: usize = 2;
/// The part of a pack that may wait in compressed blocks for the memory of the pack before, while a disk writes that. A fast
/// one is done by then, and the next pack is made where the last one was.
const DEFERRED_PART: usize = 4;

/// What is needed to store.
pub(crate) struct StoreContext<'a> {
    /// Names and seals.
    pub keys: &'a Keys,
    /// Learns what is new.
    pub index: &'a Index,
    /// Knows what is stored already. It is renewed with the index: so must be whatever else is read while much is stored,
    /// or the file of the index grows with everything that is replaced in it.
    pub view: &'a IndexReader,
    /// Destinations within reach.
    pub reachable: DestinationBits,
    /// zstd level; none for no compression.
    pub level: Option<i32>,
    /// The size around which streams are cut, and the most a chunk has.
    pub avg_bytes: usize,
    pub max_bytes: usize,
    /// Raw bytes of a block.
    pub block_bytes: usize,
    /// Stored bytes of a full pack.
    pub pack_bytes: usize,
    /// What it may take.
    pub budget: Budget,
    /// Whether what is stored was only moved: it comes faster than any disk takes it, and must not wait in memory.
    pub is_moving: bool,
}

/// What was stored.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StoreCounts {
    /// Raw bytes of new chunks.
    pub bytes_added: u64,
    /// Bytes of the packs.
    pub bytes_stored: u64,
}

struct NewPack {
    number: PackNumber,
    info: PackInfo,
    blocks_offset: u64,
    directory: Directory,
}

/// Stores chunks of one run.
pub(crate) struct Store<'a> {
    context: StoreContext<'a>,
    lanes: Lanes<'a>,
    data: Filling,
    tree: Filling,
    pieces: Pieces,
    /// The pack that was given to the destinations last. It is gone when all have written it.
    on_its_way: Weak<SealedPack>,
    /// Chunks of this run that the index does not know yet.
    claimed: HashSet<ChunkId>,
    presence: HashMap<PackNumber, DestinationBits>,
    first_number: PackNumber,
    next_number: PackNumber,
    new_packs: Vec<NewPack>,
    new_chunks: usize,
    trees: Vec<(ChunkId, Vec<u8>)>,
    tree_bytes: usize,
    retired: Vec<([u8; 32], u32)>,
    pack_ids: Vec<PackId>,
    /// Destinations that lack some chunk that was skipped.
    pub lacking: DestinationBits,
    counts: StoreCounts,
}

/// What a finished run leaves.
pub(crate) struct Stored {
    /// What became of each destination.
    pub lanes: Vec<LaneOutcome>,
    /// Packs of this run.
    pub pack_ids: Vec<PackId>,
    /// Destinations that lack some chunk that was skipped.
    pub lacking: DestinationBits,
    /// What was stored.
    pub counts: StoreCounts,
}

impl<'a> Store<'a> {
    pub fn new(context: StoreContext<'a>, lanes: Lanes<'a>) -> Result<Self, Error> {
        let next_number = context.view.next_pack_number()?;
        let filling = |kind| Filling::new(kind, context.block_bytes, context.pack_bytes);
        Ok(Self {
            data: filling(ChunkKind::Data),
            tree: filling(ChunkKind::Tree),
            pieces: Pieces::new(context.avg_bytes, context.max_bytes),
            context,
            lanes,
            on_its_way: Weak::new(),
            claimed: HashSet::new(),
            presence: HashMap::new(),
            first_number: next_number,
            next_number,
            new_packs: Vec::new(),
            new_chunks: 0,
            trees: Vec::new(),
            tree_bytes: 0,
            retired: Vec::new(),
            pack_ids: Vec::new(),
            lacking: 0,
            counts: StoreCounts::default(),
        })
    }

    /// Whether any destination still takes packs.
    pub fn is_alive(&self) -> bool {
        self.lanes.alive() != 0
    }

    /// Says that the data chunks put from now on are of another file, or come after a hole.
    pub fn begin_stretch(&mut self) {
        self.pieces.begin_stretch();
    }

    /// Stores a chunk, or finds it stored. True where it was new.
    pub fn put(&mut self, kind: ChunkKind, id: ChunkId, bytes: &[u8]) -> Result<bool, Error> {
        let is_claimed = self.claimed.contains(&id);
        if is_claimed || self.is_stored(&id)? {
            if is_claimed && kind == ChunkKind::Data {
                self.pieces.add_again(bytes.len());
            }
            return Ok(false);
        }
        self.claimed.insert(id);
        if kind == ChunkKind::Data {
            self.pieces.add(bytes.len());
        }
        self.put_again(kind, id, bytes)?;
        Ok(true)
    }

    /// Stores a chunk whether it is stored already or not: for moving it out of a pack that is to go.
    pub fn put_again(&mut self, kind: ChunkKind, id: ChunkId, bytes: &[u8]) -> Result<(), Error> {
        self.counts.bytes_added += bytes.len() as u64;
        let filling = self.filling(kind);
        if filling.is_long_enough(bytes.len())
            && let Some(block) = filling.builder.take()
        {
            self.compress(kind, block)?;
        }
        match self.filling(kind).builder.push(id, bytes) {
            Some(block) => self.compress(kind, block),
            None => Ok(()),
        }
    }

    /// The same for a block that stays as it was compressed.
    pub fn take_over(&mut self, kind: ChunkKind, block: CompressedBlock) -> Result<(), Error> {
        self.counts.bytes_added += block.raw_len();
        self.place(kind, block)
    }

    fn filling(&mut self, kind: ChunkKind) -> &mut Filling {
        match kind {
            ChunkKind::Data => &mut self.data,
            ChunkKind::Tree => &mut self.tree,
        }
    }

    fn is_stored(&mut self, id: &ChunkId) -> Result<bool, Error> {
        let mut there = 0;
        for place in self.context.view.places(id)? {
            if place.pack >= self.first_number {
                return Ok(true);
            }
            there |= self.presence(place.pack)?;
        }
        there &= self.context.reachable;
        if there != 0 {
            self.lacking |= self.context.reachable & !there;
        }
        Ok(there != 0)
    }

    fn presence(&mut self, pack: PackNumber) -> Result<DestinationBits, Error> {
        if let Some(bits) = self.presence.get(&pack) {
            return Ok(*bits);
        }
        let bits = self.context.view.presence(pack)?;
        if self.presence.len() >= self.context.budget.packs_placed() {
            self.presence.clear();
        }
        self.presence.insert(pack, bits);
        Ok(bits)
    }

    /// Remembers that a path is gone.
    pub fn retire(&mut self, path: [u8; 32], number: u32) -> Result<(), Error> {
        self.retired.push((path, number));
        if self.retired.len() >= self.context.budget.new_chunks() { self.remember() } else { Ok(()) }
    }

    /// Gives a block to the cores, and puts those that come back into packs. One more than there are cores may be on its
    /// way, so that none idles.
    fn compress(&mut self, kind: ChunkKind, block: Block) -> Result<(), Error> {
        let level = self.context.level;
        self.filling(kind).compressing.push(block, level);
        self.place_compressed(kind, rayon::current_num_threads() + 1)
    }

    fn place_compressed(&mut self, kind: ChunkKind, left: usize) -> Result<(), Error> {
        while let Some(block) = self.filling(kind).compressing.pop(left) {
            self.place(kind, block?)?;
        }
        Ok(())
    }

    fn place(&mut self, kind: ChunkKind, block: CompressedBlock) -> Result<(), Error> {
        self.filling(kind).wait(block);
        self.place_waiting(kind, WAITING_MAX)
    }

    /// Puts waiting blocks into packs until so many are left: in order where they fit, else the first that does, so that
    /// full packs are full.
    fn place_waiting(&mut self, kind: ChunkKind, left: usize) -> Result<(), Error> {
        let deferred_max = self.context.pack_bytes / DEFERRED_PART;
        loop {
            if left > 0 && self.on_its_way.strong_count() > 0 && self.filling(kind).may_defer(deferred_max) {
                return Ok(());
            }
            let Filling { waiting, draft, .. } = self.filling(kind);
            let fitting = waiting.iter().position(|block| draft.fits(block));
            if let Some(block) = fitting.and_then(|position| waiting.remove(position)) {
                draft.push(block);
                continue;
            }
            if waiting.len() <= left {
                return Ok(());
            }
            if let Some(block) = waiting.pop_front() {
                waiting.push_front(draft.push_part(block));
            }
            self.close(kind, true)?;
        }
    }

    /// Seals the pack of a kind and gives it to the lanes.
    fn close(&mut self, kind: ChunkKind, is_full: bool) -> Result<(), Error> {
        let filling = match kind {
            ChunkKind::Data => &mut self.data,
            ChunkKind::Tree => &mut self.tree,
        };
        if filling.draft.is_empty() {
            return Ok(());
        }
        let closing = filling.closing(is_full, &self.pieces);
        let draft = filling.draft.take();
        let pack = Arc::new(draft.finish(self.context.keys, random()?, closing)?);
        if is_full {
            let filling = self.filling(kind);
            filling.full_packs += 1;
            filling.unused += pack.unused();
        }
        let number = self.next_number;
        self.next_number += 1;
        self.counts.bytes_stored += pack.bytes().len() as u64;
        self.pack_ids.push(pack.id());
        let directory = pack.directory().clone();
        self.new_chunks += directory.blocks.iter().map(|block| block.chunks.len()).sum::<usize>();
        let info =
            PackInfo { id: pack.id(), len: pack.bytes().len() as u64, kind, epoch: pack.epoch(), salt: pack.salt() };
        self.new_packs.push(NewPack { number, info, blocks_offset: pack.blocks_offset(), directory });
        self.lanes.send(number, &pack);
        self.on_its_way = Arc::downgrade(&pack);
        drop(pack);
        if self.context.is_moving || !self.context.budget.may_wait(self.context.pack_bytes as u32) {
            self.lanes.wait_until_written(&self.on_its_way);
        }
        if self.new_chunks >= self.context.budget.new_chunks() { self.remember() } else { Ok(()) }
    }

    /// Writes what is new to the index. The packs are on no destination there yet (invariant I1).
    fn remember(&mut self) -> Result<(), Error> {
        let mut writer = self.context.index.writer()?;
        writer.add_packs(
            self.new_packs.iter().map(|pack| (pack.number, pack.info, pack.blocks_offset, &pack.directory)),
        )?;
        writer.put_trees(self.trees.iter().map(|(id, bytes)| (id, bytes.as_slice())))?;
        writer.retire(self.retired.drain(..))?;
        writer.commit()?;
        self.context.view.renew(self.context.index)?;
        for pack in self.new_packs.drain(..) {
            for chunk in pack.directory.blocks.iter().flat_map(|block| &block.chunks) {
                self.claimed.remove(&chunk.id);
            }
        }
        self.trees.clear();
        self.tree_bytes = 0;
        self.new_chunks = 0;
        Ok(())
    }

    /// Ends a run that failed: packs on their way to destinations arrive, so that the next run finds them there.
    pub fn abandon(self) {
        self.lanes.finish();
    }

    /// Closes every pack, waits for the destinations, and says in the index what is durable where.
    pub fn finish(mut self) -> Result<Stored, Error> {
        for kind in [ChunkKind::Data, ChunkKind::Tree] {
            let filling = self.filling(kind);
            if let Some(last) = filling.builder.take() {
                self.compress(kind, last)?;
            }
            self.place_compressed(kind, 0)?;
            self.place_waiting(kind, 0)?;
            let overhang = match kind {
                ChunkKind::Data => self.data.take_overhang(&self.pieces),
                ChunkKind::Tree => self.tree.take_overhang(&self.pieces),
            };
            if let Some(block) = overhang {
                self.close(kind, true)?;
                self.filling(kind).draft.push(block);
            }
            self.close(kind, false)?;
        }
        self.remember()?;
        let lanes = self.lanes.finish();
        let mut writer = self.context.index.writer()?;
        for lane in &lanes {
            writer.set_present(lane.durable.iter().copied(), lane.destination.bit, true)?;
        }
        writer.commit()?;
        Ok(Stored { lanes, pack_ids: self.pack_ids, lacking: self.lacking, counts: self.counts })
    }
}

impl ChunkSink for Store<'_> {
    type Error = Error;

    fn put_tree_chunk(&mut self, bytes: &[u8]) -> Result<ChunkId, Error> {
        let id = self.context.keys.chunk_id(ChunkKind::Tree, bytes);
        if self.put(ChunkKind::Tree, id, bytes)? {
            self.tree_bytes += bytes.len();
            self.trees.push((id, bytes.to_vec()));
            if self.tree_bytes >= self.context.budget.new_tree_bytes() {
                self.remember()?;
            }
        }
        Ok(id)
    }
}

impl From<FormatError> for Error {
    fn from(source: FormatError) -> Self {
        Error::Format { object: "what was to be stored".to_owned(), source }
    }
}

#[cfg(test)]
mod tests;
