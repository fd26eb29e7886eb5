//! Chunks that only packs hold which another writer is going to delete, into packs of our own.
//!
//! The condemned pack is still there and can be read, or it was deleted there and is on another destination; it only must
//! not be relied on (invariant I17). So what a snapshot needs of it is put into a new pack on the destination where it is
//! condemned, or on one that has no other place to get it from, without reading any source again.

use crate::destination::{DestinationErrorKind, Settle};
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::layout::ObjectName;
use crate::format::sealed::ObjectType;
use crate::index::{IndexReader, PackInfo, Place};
use crate::pack::{Closing, PackDraft, SealedPack};
use crate::seal::keys::random;
use crate::seal::{Block, BlockBuilder, block};

use super::catch_up::CatchUp;
use super::{OpenDestination, ReplicateError};

/// zstd level of what is rescued: rare, and in a hurry.
const LEVEL: Option<i32> = Some(3);
/// Raw bytes of a block, and stored bytes of a pack; a rescue is small, and any reader takes any size.
const BLOCK_BYTES: usize = 2 << 20;
const PACK_BYTES: usize = 16 << 20;

/// What is being rescued on one destination.
pub(super) struct Rescue<'a> {
    catch_up: &'a CatchUp<'a>,
    view: &'a IndexReader,
    target: &'a OpenDestination,
    data: Draft,
    tree: Draft,
    rescued: std::collections::HashSet<ChunkId>,
}

struct Draft {
    builder: BlockBuilder,
    pack: PackDraft,
}

impl Draft {
    fn new(kind: ChunkKind) -> Self {
        Self { builder: BlockBuilder::new(BLOCK_BYTES), pack: PackDraft::new(kind, PACK_BYTES) }
    }
}

impl<'a> Rescue<'a> {
    pub(super) fn new(catch_up: &'a CatchUp<'a>, view: &'a IndexReader, target: &'a OpenDestination) -> Self {
        let (data, tree) = (Draft::new(ChunkKind::Data), Draft::new(ChunkKind::Tree));
        Self { catch_up, view, target, data, tree, rescued: std::collections::HashSet::new() }
    }

    /// Takes a chunk out of a pack that is condemned on some destination, from there or, where it was deleted by now, from
    /// another; false where none holds it or none gives it back unchanged.
    pub(super) fn chunk(
        &mut self,
        kind: ChunkKind,
        id: &ChunkId,
        len: u32,
        places: &[Place],
    ) -> Result<bool, ReplicateError> {
        if self.rescued.contains(id) {
            return Ok(true);
        }
        for place in places.iter().filter(|place| place.len == len) {
            let info = self.view.pack(place.pack)?;
            let mut all = std::iter::once(self.target).chain(&self.catch_up.destinations);
            if !all.any(|at| at.neighbours.has_condemned(&info.id)) {
                continue;
            }
            if let Some(bytes) = self.read(kind, id, place, &info)? {
                self.push(kind, *id, &bytes)?;
                self.rescued.insert(*id);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(
        &self,
        kind: ChunkKind,
        id: &ChunkId,
        place: &Place,
        info: &PackInfo,
    ) -> Result<Option<Vec<u8>>, ReplicateError> {
        let others = self.catch_up.destinations.iter().filter(|other| other.bit != self.target.bit);
        for source in std::iter::once(self.target).chain(others) {
            match self.read_from(source, kind, id, place, info) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(ReplicateError::Destination(error)) if source.bit != self.target.bit => {
                    self.catch_up.monitor.note(&format!("{error}."));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn read_from(
        &self,
        source: &OpenDestination,
        kind: ChunkKind,
        id: &ChunkId,
        place: &Place,
        info: &PackInfo,
    ) -> Result<Option<Vec<u8>>, ReplicateError> {
        let entry = self.view.block(place.pack, place.block)?;
        let range = u64::from(entry.offset)..u64::from(entry.offset) + u64::from(entry.sealed_len);
        let sealed = match source.place.get(&ObjectName::Pack(info.id), Some(range)) {
            Ok(sealed) => sealed,
            Err(error) if matches!(error.kind, DestinationErrorKind::Absent | DestinationErrorKind::Damaged) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let seals = self.catch_up.keys.possible_seals(ObjectType::Pack, info.epoch, info.salt)?;
        let Ok(raw) = block::open_with_any(&seals, place.block, entry.compression, entry.raw_len, sealed) else {
            return Ok(None);
        };
        let range = place.offset as usize..place.offset as usize + place.len as usize;
        let bytes = raw.get(range).filter(|bytes| self.catch_up.keys.chunk_id(kind, bytes) == *id);
        Ok(bytes.map(<[u8]>::to_vec))
    }

    fn draft(&mut self, kind: ChunkKind) -> &mut Draft {
        match kind {
            ChunkKind::Data => &mut self.data,
            ChunkKind::Tree => &mut self.tree,
        }
    }

    fn push(&mut self, kind: ChunkKind, id: ChunkId, bytes: &[u8]) -> Result<(), ReplicateError> {
        match self.draft(kind).builder.push(id, bytes) {
            Some(block) => self.block(kind, block),
            None => Ok(()),
        }
    }

    fn block(&mut self, kind: ChunkKind, block: Block) -> Result<(), ReplicateError> {
        let block = block.compress(LEVEL)?;
        if !self.draft(kind).pack.fits(&block) {
            self.close(kind)?;
        }
        self.draft(kind).pack.push(block);
        Ok(())
    }

    fn close(&mut self, kind: ChunkKind) -> Result<(), ReplicateError> {
        let draft = self.draft(kind);
        if draft.pack.is_empty() {
            return Ok(());
        }
        let pack = draft.pack.take();
        let pack = pack.finish(self.catch_up.keys, random()?, Closing::Last { extra: 0 })?;
        self.store(kind, &pack)
    }

    /// Onto the target, durably, then into the index.
    fn store(&self, kind: ChunkKind, pack: &SealedPack) -> Result<(), ReplicateError> {
        self.target.place.put(&ObjectName::Pack(pack.id()), pack.bytes())?;
        self.target.place.settle(Settle::Touched)?;
        let number = self.catch_up.index.reader()?.next_pack_number()?;
        let len = pack.bytes().len() as u64;
        let info = PackInfo { id: pack.id(), len, kind, epoch: pack.epoch(), salt: pack.salt() };
        let mut writer = self.catch_up.index.writer()?;
        writer.add_packs([(number, info, pack.blocks_offset(), pack.directory())])?;
        writer.set_present([number], self.target.bit, true)?;
        writer.commit()?;
        Ok(())
    }

    /// Stores what is left.
    pub(super) fn finish(&mut self) -> Result<(), ReplicateError> {
        for kind in [ChunkKind::Data, ChunkKind::Tree] {
            if let Some(block) = self.draft(kind).builder.take() {
                self.block(kind, block)?;
            }
            self.close(kind)?;
        }
        Ok(())
    }
}
