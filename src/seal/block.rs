//! Blocks: chunks concatenated, compressed as one zstd frame. What is encrypted is a [`CompressedBlock`], once the
//! pack it goes into is known; what comes back is checked chunk by chunk against its ids.

use std::cell::RefCell;
use std::io;

use zstd::zstd_safe::CParameter;

use super::{Keys, ObjectSeal, SealError};
use crate::format::BLOCK_RAW_MAX;
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::pack::{BlockEntry, ChunkEntry, Compression};
use crate::format::sealed::{Part, TAG_LEN};

/// Chunks being put together.
pub struct BlockBuilder {
    limit: usize,
    block: Block,
}

/// Chunks of one kind, concatenated in the clear.
#[derive(Default)]
pub struct Block {
    raw: Vec<u8>,
    chunks: Vec<ChunkEntry>,
}

impl BlockBuilder {
    /// A builder for blocks of up to `limit` raw bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, block: Block::default() }
    }

    /// Adds a chunk; gives the finished block when the chunk opens a new one.
    pub fn push(&mut self, id: ChunkId, bytes: &[u8]) -> Option<Block> {
        let is_full = !self.block.chunks.is_empty() && self.block.raw.len() + bytes.len() > self.limit;
        let finished = if is_full { self.take() } else { None };
        if self.block.raw.capacity() == 0 && bytes.len() < self.limit {
            self.block.raw.reserve_exact(self.limit);
        }
        self.block.raw.extend_from_slice(bytes);
        self.block.chunks.push(ChunkEntry { id, len: bytes.len() as u32 });
        finished
    }

    /// Length of the chunks so far.
    pub fn raw_len(&self) -> usize {
        self.block.raw.len()
    }

    /// The block so far, if there is anything in it.
    pub fn take(&mut self) -> Option<Block> {
        (!self.block.chunks.is_empty()).then(|| std::mem::take(&mut self.block))
    }
}

thread_local! {
    // Contexts are expensive to make and free to reuse; one of each kind lives on every worker thread. So does the room
    // they work in: large buffers that come and go cost a page fault for every four KiB.
    static COMPRESSOR: RefCell<Option<(i32, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    static COMPRESSED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static RAW: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Block {
    /// Length of the chunks together.
    pub fn raw_len(&self) -> usize {
        self.raw.len()
    }

    /// Compresses at `level` (1 to 22), or not at all where that is `None` or would not make it smaller.
    ///
    /// # Errors
    /// [`SealError::Compress`].
    pub fn compress(self, level: Option<i32>) -> Result<CompressedBlock, SealError> {
        let compressed = match level {
            None => None,
            Some(level) => compress(level, &self.raw)?,
        };
        let raw_len = self.raw.len() as u32;
        let (compression, bytes) = match compressed {
            Some(bytes) => (Compression::Zstd, bytes),
            None => (Compression::None, self.raw),
        };
        Ok(CompressedBlock { bytes, raw_len, compression, chunks: self.chunks })
    }

    /// Takes the block as it is, without compression.
    pub fn store(self) -> CompressedBlock {
        let raw_len = self.raw.len() as u32;
        CompressedBlock { bytes: self.raw, raw_len, compression: Compression::None, chunks: self.chunks }
    }

    /// Splits off chunks that together cost at most `limit`: in order while they fit, then whichever still does, so that
    /// little room is left. A chunk costs its length and `entry_len`, and there are at most `count` of them. Gives the
    /// two parts, or the block back where not even one chunk fits or all of them do.
    pub fn split(self, limit: usize, entry_len: usize, count: usize) -> Result<(Block, Block), Block> {
        let (mut front, mut rest) = (Block::default(), Block::default());
        let mut bytes = self.raw.as_slice();
        let mut left = limit;
        for chunk in &self.chunks {
            let (chunk_bytes, after) = bytes.split_at(chunk.len as usize);
            bytes = after;
            let cost = chunk_bytes.len() + entry_len;
            let fits = cost <= left && front.chunks.len() < count;
            left -= if fits { cost } else { 0 };
            let part = if fits { &mut front } else { &mut rest };
            part.raw.extend_from_slice(chunk_bytes);
            part.chunks.push(*chunk);
        }
        if front.chunks.is_empty() || rest.chunks.is_empty() { Err(self) } else { Ok((front, rest)) }
    }
}

/// Up to level 12 every core does with tables of 2 MiB; zstd's own for levels 7 to 12 take up to 25 MB where a block has
/// 2 MiB, and find little more in it.
fn compressor(level: i32) -> io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    if (7..=12).contains(&level) {
        compressor.set_parameter(CParameter::HashLog(19))?;
        compressor.set_parameter(CParameter::ChainLog(19))?;
    }
    Ok(compressor)
}

/// A frame of `raw`, or nothing where that is not smaller.
fn compress(level: i32, raw: &[u8]) -> Result<Option<Vec<u8>>, SealError> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some((at, compressor)) if *at == level => compressor,
            _ => &mut slot.insert((level, compressor(level).map_err(|_| SealError::Compress)?)).1,
        };
        COMPRESSED.with_borrow_mut(|frame| {
            frame.clear();
            frame.reserve_exact(zstd::zstd_safe::compress_bound(raw.len()));
            compressor.compress_to_buffer(raw, frame).map_err(|_| SealError::Compress)?;
            Ok((frame.len() < raw.len()).then(|| frame.clone()))
        })
    })
}

/// A block ready to be sealed into a pack.
pub struct CompressedBlock {
    bytes: Vec<u8>,
    raw_len: u32,
    compression: Compression,
    chunks: Vec<ChunkEntry>,
}

impl CompressedBlock {
    /// A block that was unsealed and is to be sealed into another pack, with the entry it had.
    pub fn again(bytes: Vec<u8>, entry: &BlockEntry) -> Self {
        Self { bytes, raw_len: entry.raw_len, compression: entry.compression, chunks: entry.chunks.clone() }
    }

    /// A block of one chunk, not compressed.
    pub fn single(chunk: ChunkEntry, bytes: Vec<u8>) -> Self {
        Self { bytes, raw_len: chunk.len, compression: Compression::None, chunks: vec![chunk] }
    }

    /// Length it will have once sealed.
    pub fn sealed_len(&self) -> usize {
        self.bytes.len() + TAG_LEN
    }

    /// Length of its chunks together.
    pub fn raw_len(&self) -> u64 {
        self.raw_len.into()
    }

    /// Number of chunks.
    pub fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// The block in the clear again, where it was not compressed.
    pub fn into_raw(self) -> Result<Block, CompressedBlock> {
        match self.compression {
            Compression::None => Ok(Block { raw: self.bytes, chunks: self.chunks }),
            Compression::Zstd => Err(self),
        }
    }

    /// Its bytes and its entry in the directory.
    pub fn into_parts(self) -> (Vec<u8>, BlockEntry) {
        let entry = BlockEntry {
            sealed_len: self.sealed_len() as u32,
            raw_len: self.raw_len,
            compression: self.compression,
            chunks: self.chunks,
        };
        (self.bytes, entry)
    }
}

/// Opens block `number`: authenticates, decrypts and decompresses. The result has exactly `raw_len` bytes, but its
/// chunks are not compared with their ids yet.
///
/// # Errors
/// [`SealError::Tampered`], [`SealError::Decompress`].
pub fn open(
    seal: &ObjectSeal,
    number: u32,
    compression: Compression,
    raw_len: u32,
    sealed: Vec<u8>,
) -> Result<Vec<u8>, SealError> {
    let bytes = unseal(seal, number, sealed)?;
    match compression {
        Compression::None if bytes.len() == raw_len as usize => Ok(bytes),
        compression => unpack(compression, raw_len, &bytes),
    }
}

/// The same where several seals can be that of the pack: the one whose tag fits is.
///
/// # Errors
/// Those of [`open`], with the last of them.
pub fn open_with_any(
    seals: &[ObjectSeal],
    number: u32,
    compression: Compression,
    raw_len: u32,
    sealed: Vec<u8>,
) -> Result<Vec<u8>, SealError> {
    let Some((last, others)) = seals.split_last() else { return Err(SealError::WrongKey) };
    for seal in others {
        match open(seal, number, compression, raw_len, sealed.clone()) {
            Err(SealError::Tampered) => {}
            done => return done,
        }
    }
    open(last, number, compression, raw_len, sealed)
}

/// The first half of [`open`]: authenticates and decrypts block `number`. What comes back may be compressed.
///
/// # Errors
/// [`SealError::Tampered`].
pub fn unseal(seal: &ObjectSeal, number: u32, mut sealed: Vec<u8>) -> Result<Vec<u8>, SealError> {
    let length = seal.open(Part::Block, number.into(), &mut sealed)?.len();
    sealed.truncate(length);
    Ok(sealed)
}

/// The second half of [`open`]: the chunks of a block that was unsealed.
///
/// # Errors
/// [`SealError::Decompress`].
pub fn unpack(compression: Compression, raw_len: u32, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
    let raw_len = raw_len as usize;
    if raw_len > BLOCK_RAW_MAX {
        return Err(SealError::Decompress);
    }
    match compression {
        Compression::None if bytes.len() == raw_len => Ok(bytes.to_vec()),
        Compression::None => Err(SealError::Decompress),
        Compression::Zstd => decompress(bytes, raw_len),
    }
}

fn decompress(frame: &[u8], raw_len: usize) -> Result<Vec<u8>, SealError> {
    let mut raw = Vec::new();
    decompress_into(frame, raw_len, &mut raw)?;
    Ok(raw)
}

fn decompress_into(frame: &[u8], raw_len: usize, raw: &mut Vec<u8>) -> Result<(), SealError> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(zstd::bulk::Decompressor::new().map_err(|_| SealError::Decompress)?),
        };
        raw.clear();
        raw.reserve_exact(raw_len);
        decompressor.decompress_to_buffer(frame, raw).map_err(|_| SealError::Decompress)?;
        if raw.len() == raw_len { Ok(()) } else { Err(SealError::Decompress) }
    })
}

/// Opens block `number` and compares every chunk with its id, without keeping anything of it.
///
/// # Errors
/// [`SealError`].
pub fn prove(
    keys: &Keys,
    seal: &ObjectSeal,
    kind: ChunkKind,
    number: u32,
    entry: &BlockEntry,
    sealed: &[u8],
) -> Result<(), SealError> {
    let raw_len = entry.raw_len as usize;
    if raw_len > BLOCK_RAW_MAX {
        return Err(SealError::Decompress);
    }
    COMPRESSED.with_borrow_mut(|bytes| {
        let plain = seal.open_into(Part::Block, number.into(), sealed, bytes)?;
        match entry.compression {
            Compression::None if plain.len() == raw_len => verify(keys, kind, &entry.chunks, plain),
            Compression::None => Err(SealError::Decompress),
            Compression::Zstd => RAW.with_borrow_mut(|raw| {
                decompress_into(plain, raw_len, raw)?;
                verify(keys, kind, &entry.chunks, raw)
            }),
        }
    })
}

/// Compares every chunk of an opened block with its id.
///
/// # Errors
/// [`SealError::WrongId`].
pub fn verify(keys: &Keys, kind: ChunkKind, chunks: &[ChunkEntry], raw: &[u8]) -> Result<(), SealError> {
    let mut rest = raw;
    for chunk in chunks {
        let (bytes, after) = rest.split_at_checked(chunk.len as usize).ok_or(SealError::WrongId)?;
        if keys.chunk_id(kind, bytes) != chunk.id {
            return Err(SealError::WrongId);
        }
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err(SealError::WrongId) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::id::RepoId;
    use crate::format::sealed::ObjectType;

    fn keys() -> Keys {
        Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
    }

    fn seal(keys: &Keys, number: u32, block: CompressedBlock) -> (Vec<u8>, BlockEntry, ObjectSeal) {
        let seal = keys.object_seal(ObjectType::Pack, 1, [7; 32]).expect("epoch 1");
        let (mut bytes, entry) = block.into_parts();
        let tag = seal.seal(Part::Block, number.into(), &mut bytes).expect("sealed");
        bytes.extend(tag);
        (bytes, entry, seal)
    }

    #[test]
    fn blocks_come_back_whatever_their_compression() {
        let keys = keys();
        let mut noise = vec![0; 5000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        for (content, level, expected) in [
            (vec![b'a'; 5000], Some(3), Compression::Zstd),
            (vec![b'a'; 5000], None, Compression::None),
            (noise, Some(3), Compression::None),
        ] {
            let mut builder = BlockBuilder::new(4000);
            let mut blocks = Vec::new();
            for piece in content.chunks(900) {
                blocks.extend(builder.push(keys.chunk_id(ChunkKind::Data, piece), piece));
            }
            blocks.extend(builder.take());
            assert_eq!(blocks.iter().map(Block::raw_len).collect::<Vec<_>>(), [3600, 1400]);
            let mut back = Vec::new();
            for (number, block) in (0..).zip(blocks) {
                let (sealed, entry, seal) = seal(&keys, number, block.compress(level).expect("compressed"));
                assert_eq!(entry.compression, expected);
                assert_eq!(sealed.len(), entry.sealed_len as usize);
                let raw = open(&seal, number, entry.compression, entry.raw_len, sealed.clone()).expect("opened");
                verify(&keys, ChunkKind::Data, &entry.chunks, &raw).expect("the ids match");
                assert!(verify(&keys, ChunkKind::Tree, &entry.chunks, &raw).is_err());
                assert!(open(&seal, number + 1, entry.compression, entry.raw_len, sealed.clone()).is_err());
                assert!(open(&seal, number, entry.compression, entry.raw_len - 1, sealed.clone()).is_err());
                assert!(open(&seal, number, entry.compression, entry.raw_len + 1, sealed).is_err());
                back.extend(raw);
            }
            assert_eq!(back, content);
        }
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let frame = zstd::bulk::compress(&vec![0; 1 << 20], 3).expect("compressed");
        assert_eq!(decompress(&frame, 1000), Err(SealError::Decompress));
        assert_eq!(decompress(b"not zstd", 1000), Err(SealError::Decompress));
    }

    #[test]
    fn splitting_keeps_chunks_whole() {
        let mut builder = BlockBuilder::new(1000);
        for byte in 0..3u8 {
            builder.push(ChunkId::from_bytes([byte; 32]), &[byte; 100]);
        }
        let block = builder.take().expect("three chunks");
        let Err(block) = block.split(99, 0, 9) else { panic!("not even one chunk fits") };
        let Err(block) = block.split(139, 40, 9) else { panic!("not even one chunk fits with its entry") };
        let Err(block) = block.split(300, 0, 9) else { panic!("all fit") };
        let Ok((front, rest)) = block.split(280, 40, 9) else { panic!("two of three fit") };
        assert_eq!((front.raw_len(), front.chunks.len()), (200, 2));
        assert_eq!((rest.raw, rest.chunks.len()), (vec![2; 100], 1));

        let mut builder = BlockBuilder::new(1000);
        for (byte, length) in [(0u8, 100), (1, 100), (2, 30), (3, 15), (4, 40)] {
            builder.push(ChunkId::from_bytes([byte; 32]), &vec![byte; length]);
        }
        let block = builder.take().expect("five chunks");
        let Err(block) = block.split(150, 0, 0) else { panic!("none is allowed") };
        let Ok((front, rest)) = block.split(165, 5, 3) else { panic!("some fit") };
        let ids = |block: &Block| block.chunks.iter().map(|chunk| chunk.id.as_bytes()[0]).collect::<Vec<_>>();
        assert_eq!((ids(&front), ids(&rest)), (vec![0, 2, 3], vec![1, 4]), "small chunks fill what a large one leaves");
        assert_eq!(front.raw, [vec![0; 100], vec![2; 30], vec![3; 15]].concat());
    }
}
