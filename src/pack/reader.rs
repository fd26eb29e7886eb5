//! A stored pack into its directory and blocks, from whichever end is whole.

use std::ops::Range;

use crate::format::FormatError;
use crate::format::id::ChunkKind;
use crate::format::pack::{BlockEntry, ChunkEntry, Directory, DirectoryLengths, End, Extents, PACK_HEAD_LEN, PackHead};
use crate::format::record::Extra;
use crate::format::sealed::{ObjectType, Part};
use crate::seal::{Keys, ObjectSeal, SealError, block};

/// Opens packs of one repository.
pub struct PackReader<'a> {
    keys: &'a Keys,
}

/// A pack whose directory was read.
pub struct OpenedPack {
    /// Opens its blocks.
    pub seal: ObjectSeal,
    /// Where its parts are.
    pub extents: Extents,
    /// What is in it.
    pub directory: Directory,
    /// Whether the head or the first directory was damaged and the copy at the end was used.
    pub is_from_copy: bool,
}

/// One block of an opened pack.
pub struct BlockPlace<'a> {
    /// Its number, from 0.
    pub number: u32,
    /// Offset of its sealed bytes in the pack.
    pub offset: u64,
    /// Its entry in the directory.
    pub entry: &'a BlockEntry,
}

impl OpenedPack {
    /// The blocks with their places.
    pub fn blocks(&self) -> impl Iterator<Item = BlockPlace<'_>> {
        let mut offset = self.extents.blocks_offset();
        (0..).zip(&self.directory.blocks).map(move |(number, entry)| {
            let place = BlockPlace { number, offset, entry };
            offset += u64::from(entry.sealed_len);
            place
        })
    }

    /// Whether the directory names every chunk. One that was made again from the blocks lacks those of damaged blocks.
    pub fn is_complete(&self) -> bool {
        let named = |entry: &BlockEntry| entry.chunks.iter().map(|chunk| u64::from(chunk.len)).sum::<u64>();
        self.directory.blocks.iter().all(|entry| named(entry) == u64::from(entry.raw_len))
    }
}

impl<'a> PackReader<'a> {
    /// A reader with the keys of the repository.
    pub fn new(keys: &'a Keys) -> Self {
        Self { keys }
    }

    /// Opens a pack that is wholly in memory.
    ///
    /// # Errors
    /// [`SealError`] where neither end leads to a directory.
    pub fn open_bytes(&self, pack: &[u8]) -> Result<OpenedPack, SealError> {
        self.open(pack.len() as u64, |range| {
            let range = range.start as usize..range.end as usize;
            pack.get(range).map(<[u8]>::to_vec).ok_or(SealError::Format(FormatError::Truncated))
        })
    }

    /// Opens a pack of `pack_len` bytes through `fetch`, which is asked for the head, the directory, and only where
    /// they are damaged for the end. `fetch` fails in its own way; sealing errors become that too.
    ///
    /// # Errors
    /// What `fetch` returns, or a [`SealError`] where neither end leads to a directory.
    pub fn open<E: From<SealError>>(
        &self,
        pack_len: u64,
        mut fetch: impl FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<OpenedPack, E> {
        if pack_len < 2 * PACK_HEAD_LEN as u64 {
            return Err(SealError::Format(FormatError::Truncated).into());
        }
        let head = fetch(0..PACK_HEAD_LEN as u64)?;
        let first = match self.extents(End::Head, &head, pack_len) {
            Ok((seal, extents)) => {
                let start = extents.directory_a_offset();
                let sealed = fetch(start..start + u64::from(extents.directory_a_len))?;
                match directory_a(&seal, &extents, sealed) {
                    Ok(directory) => return Ok(OpenedPack { seal, extents, directory, is_from_copy: false }),
                    Err(error) => error,
                }
            }
            // A key that does not fit does not fit at the other end either; a newer format is not damage.
            Err(error @ (SealError::WrongKey | SealError::Format(FormatError::Unsupported { .. }))) => {
                return Err(error.into());
            }
            Err(error) => error,
        };
        let foot = fetch(pack_len - PACK_HEAD_LEN as u64..pack_len)?;
        let Ok((seal, extents)) = self.extents(End::Foot, &foot, pack_len) else { return Err(first.into()) };
        let start = extents.directory_a_offset();
        let sealed = fetch(start..start + u64::from(extents.directory_a_len))?;
        if let Ok(directory) = directory_a(&seal, &extents, sealed) {
            return Ok(OpenedPack { seal, extents, directory, is_from_copy: true });
        }
        let start = extents.directory_b_offset();
        let sealed = fetch(start..start + u64::from(extents.directory_b_len))?;
        let Ok(lengths) = directory_b(&seal, &extents, sealed) else { return Err(first.into()) };
        let directory = self.recompute(&seal, &extents, lengths, fetch)?;
        Ok(OpenedPack { seal, extents, directory, is_from_copy: true })
    }

    pub(super) fn extents(&self, end: End, bytes: &[u8], pack_len: u64) -> Result<(ObjectSeal, Extents), SealError> {
        let head = PackHead::decode(end, bytes)?;
        let seal = self.keys.stored_seal(ObjectType::Pack, head.epoch, head.salt, &head.commitment)?;
        let part = match end {
            End::Head => Part::Head,
            End::Foot => Part::Foot,
        };
        let mut sealed = head.sealed_extents;
        let extents = Extents::decode(seal.open(part, 0, &mut sealed)?, pack_len)?;
        Ok((seal, extents))
    }

    /// Directory A again, from directory B and the blocks: damaged blocks are left out.
    fn recompute<E: From<SealError>>(
        &self,
        seal: &ObjectSeal,
        extents: &Extents,
        lengths: DirectoryLengths,
        mut fetch: impl FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<Directory, E> {
        let mut blocks = Vec::with_capacity(lengths.blocks.len());
        let mut offset = extents.blocks_offset();
        for (number, block) in (0..).zip(lengths.blocks) {
            let end = offset + u64::from(block.sealed_len);
            let sealed = fetch(offset..end)?;
            offset = end;
            let raw = block::open(seal, number, block.compression, block.raw_len, sealed).unwrap_or_default();
            let mut rest = raw.as_slice();
            let mut chunks = Vec::with_capacity(block.chunk_lens.len());
            for len in block.chunk_lens {
                let Some((bytes, after)) = rest.split_at_checked(len as usize) else { break };
                chunks.push(ChunkEntry { id: self.keys.chunk_id(lengths.kind, bytes), len });
                rest = after;
            }
            blocks.push(BlockEntry {
                sealed_len: block.sealed_len,
                raw_len: block.raw_len,
                compression: block.compression,
                chunks,
            });
        }
        Ok(Directory { kind: lengths.kind, blocks, extra: Extra::new() })
    }

    /// Opens one block and compares all its chunks with their ids.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open_block(
        &self,
        seal: &ObjectSeal,
        kind: ChunkKind,
        place: &BlockPlace<'_>,
        sealed: Vec<u8>,
    ) -> Result<Vec<u8>, SealError> {
        let raw = block::open(seal, place.number, place.entry.compression, place.entry.raw_len, sealed)?;
        block::verify(self.keys, kind, &place.entry.chunks, &raw)?;
        Ok(raw)
    }
}

pub(super) fn directory_a(seal: &ObjectSeal, extents: &Extents, mut sealed: Vec<u8>) -> Result<Directory, SealError> {
    let directory = Directory::decode(seal.open(Part::DirectoryA, 0, &mut sealed)?)?;
    directory.validate(extents)?;
    Ok(directory)
}

pub(super) fn directory_b(
    seal: &ObjectSeal,
    extents: &Extents,
    mut sealed: Vec<u8>,
) -> Result<DirectoryLengths, SealError> {
    let lengths = DirectoryLengths::decode(seal.open(Part::DirectoryB, 0, &mut sealed)?)?;
    lengths.validate(extents)?;
    Ok(lengths)
}

#[cfg(test)]
mod tests {
    use super::super::PackDraft;
    use super::*;
    use crate::format::id::RepoId;
    use crate::seal::BlockBuilder;

    fn pack(keys: &Keys) -> super::super::SealedPack {
        let mut draft = PackDraft::new(ChunkKind::Tree, 1 << 20);
        for seed in 0..3u8 {
            let mut builder = BlockBuilder::new(1 << 20);
            for number in 0..5u8 {
                let chunk: Vec<u8> = (0..500u16).map(|i| (i as u8).wrapping_mul(seed + 3) ^ number).collect();
                builder.push(keys.chunk_id(ChunkKind::Tree, &chunk), &chunk);
            }
            draft.push(builder.take().expect("a block").compress(Some(3)).expect("compressed"));
        }
        draft.finish(keys, [5; 32], crate::pack::Closing::Last { extra: 0 }).expect("sealed")
    }

    #[test]
    fn one_damaged_region_never_loses_the_rest() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let pack = pack(&keys);
        let reader = PackReader::new(&keys);
        let opened = reader.open_bytes(pack.bytes()).expect("opened");
        assert!(!opened.is_from_copy);
        let extents = opened.extents;
        let regions = [
            0..PACK_HEAD_LEN,
            PACK_HEAD_LEN..extents.blocks_offset() as usize,
            0..extents.blocks_offset() as usize,
            extents.directory_b_offset() as usize..pack.bytes().len(),
        ];
        for region in regions {
            let mut damaged = pack.bytes().to_vec();
            damaged[region.clone()].fill(0xEE);
            let opened = reader.open_bytes(&damaged).expect("the other end is whole");
            assert_eq!(&opened.directory, pack.directory(), "{region:?}");
            assert_eq!(opened.is_from_copy, region.start < extents.blocks_offset() as usize);
        }
        let mut damaged = pack.bytes().to_vec();
        let second = opened.blocks().nth(1).expect("three blocks").offset as usize;
        damaged[..PACK_HEAD_LEN + 40].fill(0);
        damaged[second] ^= 1;
        let opened = reader.open_bytes(&damaged).expect("directory B is whole");
        let chunks: Vec<usize> = opened.directory.blocks.iter().map(|block| block.chunks.len()).collect();
        assert_eq!(chunks, [5, 0, 5], "the damaged block alone is lost");
    }

    #[test]
    fn every_flipped_byte_of_the_fixed_parts_is_noticed_or_survived() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let pack = pack(&keys);
        let reader = PackReader::new(&keys);
        for byte in (0..PACK_HEAD_LEN).chain(pack.bytes().len() - PACK_HEAD_LEN..pack.bytes().len()) {
            let mut damaged = pack.bytes().to_vec();
            damaged[byte] ^= 0x10;
            let opened = reader.open_bytes(&damaged).expect("the other end is whole");
            assert_eq!(&opened.directory, pack.directory());
        }
        for end in [0, 1, PACK_HEAD_LEN, 2 * PACK_HEAD_LEN, pack.bytes().len() - 1] {
            assert!(reader.open_bytes(&pack.bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn another_key_is_not_damage() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let other = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let pack = pack(&keys);
        assert_eq!(PackReader::new(&other).open_bytes(pack.bytes()).err(), Some(SealError::WrongKey));
    }
}
