//! Compressed blocks into one sealed, verified pack.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::buffer::{PackBuffer, PackBuffers};
use super::reader::{PackReader, directory_b};
use crate::format::id::{ChunkKind, PackId};
use crate::format::pack::{
    BlockEntry, Compression, Directory, EXTENTS_LEN, End, Extents, PACK_HEAD_LEN, PackHead, padded_len,
};
use crate::format::record::Extra;
use crate::format::sealed::{ObjectType, Part, TAG_LEN};
use crate::seal::{CompressedBlock, Keys, ObjectSeal, SealError, block};

/// No more chunks than this in one pack, so that its directory stays small beside its blocks.
const CHUNKS_MAX: usize = 1 << 16;
/// The most bytes a chunk takes in the directories: its id and twice its length, which is below 4 MiB and so a varint
/// of at most four bytes.
const ENTRY_LEN: usize = 32 + 4 + 4;
/// A block takes at most 14 in each directory besides its chunks.
const BLOCK_ENTRY_LEN: usize = 16;
/// A pack with more room than this takes part of a block, where the block was not compressed.
const SPLIT_ROOM: usize = 24 << 10;

/// Room before the blocks for what comes to stand there when the pack is sealed, head and directory A: enough for 7,000
/// chunks. Where there are more, the blocks move.
const FRONT_ROOM: usize = 256 << 10;
/// How well trees compress depends a little on what is in them: those with more than the first have coarser sizes.
const TREE_FINE: u64 = 64 << 10;
const TREE_GRANULE: u64 = 256 << 10;

/// Bytes that a chunk of `len` bytes takes in the directories.
pub fn entry_len(len: usize) -> u64 {
    let varint = (usize::BITS - len.leading_zeros()).div_ceil(7).max(1);
    32 + 2 * u64::from(varint)
}

/// A pack being filled: its blocks stand one behind the other as they will in the pack, each with room for its tag, so
/// that a pack is in memory once, whether it is being filled, sealed or written.
pub struct PackDraft {
    kind: ChunkKind,
    full_len: usize,
    buffers: PackBuffers,
    /// The blocks, behind `FRONT_ROOM`; none before the first.
    buffer: Option<PackBuffer>,
    blocks: Vec<BlockEntry>,
    chunks: usize,
}

/// A pack ready to be put on destinations: sealed, named, and opened again once.
pub struct SealedPack {
    id: PackId,
    buffer: PackBuffer,
    /// Where the pack begins in it.
    start: usize,
    directory: Directory,
    salt: [u8; 32],
    epoch: u32,
    blocks_offset: u64,
    unused: u64,
}

/// Why a pack is closed, which decides its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// A further block did not fit; such packs all have the same size.
    Full,
    /// There is nothing more to put into it.
    Last {
        /// Bytes to count as used besides those that are. How much of the full packs stayed unused depends on where
        /// chunks end; evened out here, the sizes of all packs together tell only how much was stored.
        extra: u64,
    },
}

impl Closing {
    fn pack_len(self, kind: ChunkKind, used: u64, full: u64) -> u64 {
        match self {
            Closing::Full => padded_len(used, full, true),
            Closing::Last { extra } if used <= full => {
                let counted = match kind {
                    ChunkKind::Tree if used + extra > TREE_FINE => (used + extra).next_multiple_of(TREE_GRANULE),
                    _ => used + extra,
                };
                padded_len(counted.min(full), full, false)
            }
            Closing::Last { .. } => padded_len(used, full, false),
        }
    }
}

impl PackDraft {
    /// An empty pack of one kind, full at `full_len` stored bytes.
    pub fn new(kind: ChunkKind, full_len: usize) -> Self {
        Self::within(kind, full_len, PackBuffers::new())
    }

    fn within(kind: ChunkKind, full_len: usize, buffers: PackBuffers) -> Self {
        Self { kind, full_len, buffers, buffer: None, blocks: Vec::new(), chunks: 0 }
    }

    /// What was filled so far; an empty one of the same kind takes its place, and the memory of its forerunners.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::within(self.kind, self.full_len, self.buffers.clone());
        std::mem::replace(self, empty)
    }

    /// Bytes of the blocks so far.
    fn blocks_len(&self) -> usize {
        self.buffer.as_ref().map_or(0, |buffer| buffer.len() - FRONT_ROOM)
    }

    fn buffer(&mut self) -> &mut PackBuffer {
        self.buffer.get_or_insert_with(|| begin(&self.buffers))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// An upper bound of the stored bytes for so many blocks and chunks: heads, directories, blocks.
    fn used(blocks_len: usize, blocks: usize, chunks: usize) -> usize {
        2 * PACK_HEAD_LEN + 2 * (TAG_LEN + 16) + blocks_len + blocks * 2 * BLOCK_ENTRY_LEN + chunks * ENTRY_LEN
    }

    /// What a block takes of the [`room`](Self::room) in bytes: its own, and what is said of it in the directories.
    pub fn cost(block: &CompressedBlock) -> usize {
        block.sealed_len() + 2 * BLOCK_ENTRY_LEN + block.chunk_count() * ENTRY_LEN
    }

    /// Sealed bytes that still fit, for a block of `chunks` chunks.
    pub fn room(&self, chunks: usize) -> usize {
        if self.chunks + chunks > CHUNKS_MAX {
            return 0;
        }
        let used = Self::used(self.blocks_len(), self.blocks.len() + 1, self.chunks + chunks);
        self.full_len.saturating_sub(used)
    }

    /// Bytes that would stay unused if it were closed now: unlike `room` no bound, but near.
    pub fn unused(&self) -> u64 {
        let chunks = self.blocks.iter().flat_map(|entry| &entry.chunks);
        let entries: u64 = chunks.map(|chunk| entry_len(chunk.len as usize)).sum();
        (self.full_len as u64).saturating_sub(Self::used(self.blocks_len(), self.blocks.len(), 0) as u64 + entries)
    }

    /// Whether `block` fits. An empty pack takes any block.
    pub fn fits(&self, block: &CompressedBlock) -> bool {
        self.is_empty() || block.sealed_len() <= self.room(block.chunk_count())
    }

    /// Adds a block.
    pub fn push(&mut self, block: CompressedBlock) {
        let (bytes, entry) = block.into_parts();
        let buffer = self.buffer();
        buffer.extend_from_slice(&bytes);
        buffer.extend_from_slice(&[0; TAG_LEN]);
        self.chunks += entry.chunks.len();
        self.blocks.push(entry);
    }

    /// Adds as many chunks of an uncompressed block as fit, though the whole does not, and gives back what is left: the
    /// whole where nothing is gained.
    pub fn push_part(&mut self, block: CompressedBlock) -> CompressedBlock {
        let room = self.room(0);
        if room < SPLIT_ROOM {
            return block;
        }
        let raw = match block.into_raw() {
            Ok(raw) => raw,
            Err(compressed) => return compressed,
        };
        match raw.split(room.saturating_sub(TAG_LEN), ENTRY_LEN, CHUNKS_MAX - self.chunks) {
            Ok((front, rest)) => {
                self.push(front.store());
                rest.store()
            }
            Err(whole) => whole.store(),
        }
    }

    /// Takes the smallest chunk out again, of those in blocks that were not compressed and hold others; none where there
    /// is no such block.
    pub fn take_smallest(&mut self) -> Option<CompressedBlock> {
        let is_candidate = |entry: &BlockEntry| entry.compression == Compression::None && entry.chunks.len() > 1;
        let mut smallest: Option<(usize, usize, usize)> = None;
        let (mut offset, mut least) = (FRONT_ROOM, u32::MAX);
        for (number, entry) in self.blocks.iter().enumerate() {
            let mut at = offset;
            for (position, chunk) in entry.chunks.iter().enumerate() {
                if is_candidate(entry) && chunk.len < least {
                    (smallest, least) = (Some((number, position, at)), chunk.len);
                }
                at += chunk.len as usize;
            }
            offset += entry.sealed_len as usize;
        }
        let (number, position, at) = smallest?;
        let entry = self.blocks.get_mut(number)?;
        let chunk = entry.chunks.remove(position);
        entry.raw_len -= chunk.len;
        entry.sealed_len -= chunk.len;
        self.chunks -= 1;
        let taken = self.buffer.as_mut()?.drain(at..at + chunk.len as usize).collect();
        Some(CompressedBlock::single(chunk, taken))
    }

    /// Seals everything and opens it again.
    ///
    /// # Errors
    /// [`SealError`] where sealing failed or what was sealed does not open to the same content.
    pub fn finish(mut self, keys: &Keys, salt: [u8; 32], closing: Closing) -> Result<SealedPack, SealError> {
        let kind = self.kind;
        let full_len = self.full_len as u64;
        let seal = keys.object_seal(ObjectType::Pack, keys.epoch(), salt)?;
        let blocks_len = self.blocks_len();
        let mut buffer = match self.buffer.take() {
            Some(buffer) => buffer,
            None => begin(&self.buffers),
        };
        let directory = Directory { kind, blocks: self.blocks, extra: Extra::new() };
        let mut directory_a = directory.encode()?;
        let mut directory_b = directory.lengths().encode()?;
        let used = 2 * PACK_HEAD_LEN + blocks_len + directory_a.len() + directory_b.len() + 2 * TAG_LEN;
        let extents = Extents {
            kind,
            blocks: directory.blocks.len() as u32,
            directory_a_len: (directory_a.len() + TAG_LEN) as u32,
            directory_b_len: (directory_b.len() + TAG_LEN) as u32,
            blocks_len: blocks_len as u64,
            pack_len: closing.pack_len(kind, used as u64, full_len),
        };
        let mut front = end(&seal, &extents, End::Head)?;
        append(&seal, Part::DirectoryA, &mut directory_a, &mut front)?;
        seal_blocks(&seal, &directory, &mut buffer[FRONT_ROOM..])?;
        let start = put_front(&mut buffer, &front);
        let padding = buffer.len();
        buffer.resize(start + extents.directory_b_offset() as usize, 0);
        seal.fill_padding(&mut buffer[padding..]);
        append(&seal, Part::DirectoryB, &mut directory_b, &mut buffer)?;
        buffer.extend(end(&seal, &extents, End::Foot)?);

        let bytes = &buffer[start..];
        let (id, proven) = rayon::join(|| PackId::of(bytes), || verify(keys, bytes, &directory));
        proven?;
        Ok(SealedPack {
            id,
            buffer,
            start,
            directory,
            salt,
            epoch: seal.epoch(),
            blocks_offset: extents.blocks_offset(),
            unused: extents.pack_len - used as u64,
        })
    }
}

/// A buffer with room before the blocks.
fn begin(buffers: &PackBuffers) -> PackBuffer {
    let mut buffer = buffers.take();
    buffer.resize(FRONT_ROOM, 0);
    buffer
}

/// Puts `front` before the blocks; gives where it begins.
fn put_front(buffer: &mut PackBuffer, front: &[u8]) -> usize {
    if front.len() > FRONT_ROOM {
        let end = buffer.len();
        buffer.resize(end + front.len() - FRONT_ROOM, 0);
        buffer.copy_within(FRONT_ROOM..end, front.len());
    }
    let start = FRONT_ROOM.saturating_sub(front.len());
    buffer[start..start + front.len()].copy_from_slice(front);
    start
}

pub(super) fn end(seal: &ObjectSeal, extents: &Extents, end: End) -> Result<Vec<u8>, SealError> {
    let part = match end {
        End::Head => Part::Head,
        End::Foot => Part::Foot,
    };
    let mut sealed = extents.encode();
    let tag = seal.seal(part, 0, &mut sealed)?;
    let mut sealed_extents = [0; EXTENTS_LEN + TAG_LEN];
    let (body, place) = sealed_extents.split_at_mut(EXTENTS_LEN);
    body.copy_from_slice(&sealed);
    place.copy_from_slice(&tag);
    let head = PackHead { epoch: seal.epoch(), salt: seal.salt(), commitment: seal.commitment(), sealed_extents };
    Ok(head.encode(end))
}

pub(super) fn append(seal: &ObjectSeal, part: Part, plain: &mut [u8], out: &mut Vec<u8>) -> Result<(), SealError> {
    let tag = seal.seal(part, 0, plain)?;
    out.extend_from_slice(plain);
    out.extend_from_slice(&tag);
    Ok(())
}

/// Seals the blocks on all cores, where they stand.
fn seal_blocks(seal: &ObjectSeal, directory: &Directory, mut bytes: &mut [u8]) -> Result<(), SealError> {
    let mut blocks = Vec::with_capacity(directory.blocks.len());
    for entry in &directory.blocks {
        let (block, rest) = bytes.split_at_mut(entry.sealed_len as usize);
        blocks.push(block);
        bytes = rest;
    }
    blocks.into_par_iter().enumerate().try_for_each(|(number, block)| {
        let (plain, tag) = block.split_at_mut(block.len() - TAG_LEN);
        tag.copy_from_slice(&seal.seal(Part::Block, number as u64, plain)?);
        Ok(())
    })
}

impl SealedPack {
    /// Its name.
    pub fn id(&self) -> PackId {
        self.id
    }

    /// Its stored bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// What is in it, and where.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The salt of its key.
    pub fn salt(&self) -> [u8; 32] {
        self.salt
    }

    /// The epoch of its key.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Bytes of padding.
    pub fn unused(&self) -> u64 {
        self.unused
    }

    /// Where its first block begins.
    pub fn blocks_offset(&self) -> u64 {
        self.blocks_offset
    }
}

/// Opens the pack as a reader would and compares every chunk with its id. There is no byte of it whose change would go
/// unnoticed: it would be under a name, and on every destination, as if it had been meant.
fn verify(keys: &Keys, bytes: &[u8], directory: &Directory) -> Result<(), SealError> {
    let reader = PackReader::new(keys);
    let opened = reader.open_bytes(bytes)?;
    if opened.directory != *directory {
        return Err(SealError::WrongId);
    }
    if opened.is_from_copy {
        return Err(SealError::Tampered);
    }
    verify_end(&reader, bytes, directory, &opened.extents)?;
    opened.blocks().collect::<Vec<_>>().par_iter().try_for_each(|place| {
        let range = place.offset as usize..(place.offset + u64::from(place.entry.sealed_len)) as usize;
        let sealed = bytes.get(range).ok_or(SealError::Tampered)?;
        block::prove(keys, &opened.seal, directory.kind, place.number, place.entry, sealed)
    })
}

/// What nobody reads while all is well: the padding, and the copy at the end.
fn verify_end(
    reader: &PackReader<'_>,
    bytes: &[u8],
    directory: &Directory,
    extents: &Extents,
) -> Result<(), SealError> {
    let part = |from: u64, to: u64| bytes.get(from as usize..to as usize).ok_or(SealError::Tampered);
    let foot = part(extents.foot_offset(), extents.pack_len)?;
    let (seal, at_end) = reader.extents(End::Foot, foot, extents.pack_len)?;
    let copy = part(extents.directory_b_offset(), extents.foot_offset())?.to_vec();
    let lengths = directory_b(&seal, extents, copy)?;
    let padding = part(extents.padding_offset(), extents.directory_b_offset())?;
    let mut expected = vec![0; padding.len()];
    seal.fill_padding(&mut expected);
    let is_same = at_end == *extents && lengths == directory.lengths() && padding == expected;
    if is_same { Ok(()) } else { Err(SealError::Tampered) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::id::RepoId;
    use crate::seal::BlockBuilder;

    fn keys() -> Keys {
        Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
    }

    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().update(seed.to_string().as_bytes()).finalize_xof().fill(&mut bytes);
        bytes
    }

    fn block(keys: &Keys, length: usize, seed: u64) -> CompressedBlock {
        let mut builder = BlockBuilder::new(1 << 20);
        for piece in noise(length, seed).chunks(10_000) {
            assert!(builder.push(keys.chunk_id(ChunkKind::Data, piece), piece).is_none());
        }
        builder.take().expect("a block").compress(Some(3)).expect("compressed")
    }

    #[test]
    fn a_pack_fills_up_and_has_a_fixed_size_then() {
        let keys = keys();
        let full_len = 1 << 20;
        let mut draft = PackDraft::new(ChunkKind::Data, full_len);
        let mut count = 0;
        loop {
            let next = block(&keys, 100_000, count);
            if !draft.fits(&next) {
                break;
            }
            draft.push(next);
            count += 1;
        }
        assert_eq!(count, 10);
        let pack = draft.finish(&keys, [1; 32], Closing::Full).expect("sealed");
        assert_eq!(pack.bytes().len(), full_len);
        assert_eq!(pack.directory().blocks.len(), 10);
    }

    /// Memory that forgets a bit between naming a chunk and sealing it, or anything else that goes wrong there.
    #[test]
    fn bytes_that_are_not_those_of_their_id_never_become_a_pack() {
        let keys = keys();
        let piece = noise(5_000, 1);
        let mut changed = piece.clone();
        changed[4_321] ^= 1;
        let mut builder = BlockBuilder::new(1 << 20);
        builder.push(keys.chunk_id(ChunkKind::Data, &piece), &changed);
        let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
        draft.push(builder.take().expect("a block").compress(Some(3)).expect("compressed"));
        assert_eq!(draft.finish(&keys, [1; 32], Closing::Full).err(), Some(SealError::WrongId));
    }

    /// The same for memory that forgets a bit of what is sealed already.
    #[test]
    fn a_pack_with_any_other_byte_is_not_handed_over() {
        let keys = keys();
        let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
        draft.push(block(&keys, 20_000, 1));
        draft.push(block(&keys, 15_000, 2));
        let mut pack = draft.finish(&keys, [1; 32], Closing::Last { extra: 0 }).expect("sealed");
        let verify = |pack: &SealedPack| super::verify(&keys, pack.bytes(), &pack.directory);
        assert_eq!(verify(&pack), Ok(()));
        let (start, len) = (pack.start, pack.bytes().len());
        let ends = (0..700).chain(len - 700..len);
        for at in ends.chain((700..len - 700).step_by(61)) {
            pack.buffer[start + at] ^= 1 << (at % 8);
            assert!(verify(&pack).is_err(), "byte {at} of {len}");
            pack.buffer[start + at] ^= 1 << (at % 8);
        }
        pack.buffer.pop();
        assert!(verify(&pack).is_err(), "one byte less");
    }

    #[test]
    fn the_bound_of_the_used_bytes_holds() {
        let keys = keys();
        for (blocks, chunk) in [(1, 1), (5, 30), (2, 9_000)] {
            let mut draft = PackDraft::new(ChunkKind::Data, 4 << 20);
            for number in 0..blocks {
                let mut builder = BlockBuilder::new(1 << 20);
                for piece in noise(60_000, number).chunks(chunk) {
                    builder.push(keys.chunk_id(ChunkKind::Data, piece), piece);
                }
                draft.push(builder.take().expect("a block").compress(None).expect("compressed"));
            }
            let bound = PackDraft::used(draft.blocks_len(), draft.blocks.len(), draft.chunks);
            let unused = draft.unused();
            let pack = draft.finish(&keys, [1; 32], Closing::Last { extra: 0 }).expect("sealed");
            let a = pack.directory().encode().expect("encoded").len();
            let b = pack.directory().lengths().encode().expect("encoded").len();
            let blocks_len: usize = pack.directory().blocks.iter().map(|block| block.sealed_len as usize).sum();
            let used = 2 * PACK_HEAD_LEN + 2 * TAG_LEN + a + b + blocks_len;
            assert!(used <= bound, "{used} bytes where at most {bound} were expected");
            let estimate = (4 << 20) - unused as usize;
            assert!(estimate.abs_diff(used) < 200, "{used} bytes, about {estimate} expected");
        }
    }

    /// More than there is room for before the blocks; and memory that was used before leaves no trace.
    #[test]
    fn a_directory_longer_than_its_room_moves_the_blocks() {
        let keys = keys();
        let mut draft = PackDraft::new(ChunkKind::Data, 4 << 20);
        for (number, chunk) in [(1, 10), (2, 10_000), (3, 10)] {
            let mut builder = BlockBuilder::new(1 << 20);
            for piece in noise(90_000, number).chunks(chunk) {
                builder.push(keys.chunk_id(ChunkKind::Data, piece), piece);
            }
            draft.push(builder.take().expect("a block").compress(None).expect("compressed"));
            let pack = draft.take().finish(&keys, [1; 32], Closing::Last { extra: 0 }).expect("it opens again");
            assert_eq!(pack.start == 0, chunk == 10, "the directory is longer than the room before the blocks");
            assert_eq!(PackId::of(pack.bytes()), pack.id());
        }
    }

    #[test]
    fn entries_take_what_the_directories_say() {
        let entry = |len| {
            let chunk = crate::format::pack::ChunkEntry { id: crate::format::id::ChunkId::from_bytes([1; 32]), len };
            let block = BlockEntry { sealed_len: 1, raw_len: 1, compression: Compression::None, chunks: vec![chunk] };
            let directory = Directory { kind: ChunkKind::Data, blocks: vec![block], extra: Extra::new() };
            let without =
                directory.encode().expect("encoded").len() + directory.lengths().encode().expect("encoded").len();
            without as u64
        };
        for len in [1, 127, 128, 16_383, 16_384, 70_000, 2_097_151, 2_097_152] {
            assert_eq!(entry(len) - entry(1), entry_len(len as usize) - entry_len(1), "{len} bytes");
        }
        assert_eq!(entry_len(1), 34);
        assert!(entry_len(4 << 20) <= ENTRY_LEN as u64);
    }

    #[test]
    fn the_smallest_chunk_can_be_taken_out_again() {
        let keys = keys();
        let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
        draft.push(block(&keys, 25_000, 1));
        draft.push(block(&keys, 33_000, 2));
        let mut builder = BlockBuilder::new(1 << 20);
        builder.push(keys.chunk_id(ChunkKind::Data, &[0; 100]), &[0; 100]);
        draft.push(builder.take().expect("a block").compress(Some(3)).expect("compressed"));
        let (room, unused) = (draft.room(0), draft.unused());
        let taken = draft.take_smallest().expect("one of 3,000 bytes");
        assert_eq!((taken.raw_len(), draft.room(0)), (3000, room + 3000 + ENTRY_LEN));
        assert_eq!(draft.unused(), unused + 3000 + entry_len(3000));
        let pack = draft.finish(&keys, [1; 32], Closing::Full).expect("what is left opens");
        assert_eq!(pack.directory().blocks.iter().map(|block| block.chunks.len()).collect::<Vec<_>>(), [3, 3, 1]);

        let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
        let mut builder = BlockBuilder::new(1 << 20);
        builder.push(keys.chunk_id(ChunkKind::Data, &[0; 100]), &[0; 100]);
        draft.push(builder.take().expect("a block").compress(Some(3)).expect("compressed"));
        assert!(draft.take_smallest().is_none(), "it is the only one, and compressed");
    }

    #[test]
    fn last_packs_of_trees_have_coarser_sizes() {
        let full = 16 << 20;
        let sizes = |kind, used| Closing::Last { extra: 1000 }.pack_len(kind, used, full);
        for (used, data, tree) in [(60_000, 1, 1), (70_000, 2, 4), (140_000, 3, 4), (270_000, 5, 8), (600_000, 10, 12)]
        {
            assert_eq!(sizes(ChunkKind::Data, used), data << 16, "{used} bytes of data");
            assert_eq!(sizes(ChunkKind::Tree, used), tree << 16, "{used} bytes of trees");
        }
        assert_eq!(sizes(ChunkKind::Tree, full - 1), full);
    }

    #[test]
    fn the_same_salt_gives_the_same_pack() {
        let keys = keys();
        let make = |salt| {
            let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
            draft.push(block(&keys, 50_000, 1));
            draft.finish(&keys, salt, Closing::Last { extra: 0 }).expect("sealed").id()
        };
        assert_eq!(make([1; 32]), make([1; 32]));
        assert_ne!(make([1; 32]), make([2; 32]));
    }
}
