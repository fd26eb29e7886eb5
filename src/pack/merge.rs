//! One whole pack of several damaged copies, or of one: what is good in any of them, and what follows from that.
//!
//! Sealing gives the same bytes for the same content under the same salt. So all but the blocks can be made again: the
//! head from the foot, one directory from the other and the blocks, the padding from the key. A pack is lost only where
//! a block is damaged in every copy, and even then its other blocks are not. The name proves that the bytes are those
//! that were written.

use std::ops::Range;

use super::reader::{PackReader, directory_a, directory_b};
use super::writer::{append, end};
use crate::format::id::{ChunkKind, PackId};
use crate::format::pack::{
    BlockEntry, ChunkEntry, Compression, Directory, DirectoryLengths, End, Extents, PACK_HEAD_LEN,
};
use crate::format::sealed::Part;
use crate::seal::{Keys, ObjectSeal, SealError, block};

/// What copies of a pack give together.
#[derive(Debug)]
pub enum Merged {
    /// The pack, byte for byte as its name says.
    Whole(Vec<u8>),
    /// The blocks that are good in some copy; the others are good in none.
    Blocks {
        /// What they hold.
        kind: ChunkKind,
        /// What could be saved.
        blocks: Vec<SavedBlock>,
    },
    /// Neither end leads to a directory in any copy.
    Nothing,
}

/// Copies of one pack. Parts of them are read when they are looked at, and again when they are used, so that no more of
/// them is in memory than one part; whoever reads may get other bytes the second time, or none.
pub trait Copies {
    /// How many there are.
    fn count(&self) -> usize;
    /// Part of one of them: fewer bytes, or none, where it is shorter or cannot be read.
    fn read(&self, copy: usize, range: Range<u64>) -> Vec<u8>;
}

impl Copies for [Vec<u8>] {
    fn count(&self) -> usize {
        self.len()
    }

    fn read(&self, copy: usize, range: Range<u64>) -> Vec<u8> {
        let Some(bytes) = self.get(copy) else { return Vec::new() };
        let at = |position: u64| bytes.len().min(position as usize);
        bytes.get(at(range.start)..at(range.end)).unwrap_or_default().to_vec()
    }
}

/// A block whose chunks were compared with their ids; as it was compressed, since what is in a whole pack may be much.
#[derive(Debug)]
pub struct SavedBlock {
    /// Its chunks in order.
    pub chunks: Vec<ChunkEntry>,
    frame: Vec<u8>,
    compression: Compression,
    raw_len: u32,
}

impl SavedBlock {
    /// The chunks joined.
    ///
    /// # Errors
    /// [`SealError::Decompress`].
    pub fn unpack(&self) -> Result<Vec<u8>, SealError> {
        block::unpack(self.compression, self.raw_len, &self.frame)
    }
}

/// A block that is good in some copy.
struct Found {
    copy: usize,
    offset: u64,
    sealed_len: u32,
    chunks: Vec<ChunkEntry>,
}

impl Found {
    fn sealed(&self, copies: &(impl Copies + ?Sized)) -> Vec<u8> {
        part(copies, self.copy, self.offset, self.sealed_len.into())
    }
}

/// The pack with this name and length again, from copies that may be too short, too long, or damaged anywhere.
///
/// # Errors
/// [`SealError`] where sealing fails; damage is no error.
pub fn merge(keys: &Keys, id: &PackId, pack_len: u64, copies: &(impl Copies + ?Sized)) -> Result<Merged, SealError> {
    let all = || 0..copies.count();
    if let Some(whole) = all().map(|copy| part(copies, copy, 0, pack_len)).find(|bytes| PackId::of(bytes) == *id) {
        return Ok(Merged::Whole(whole));
    }
    if pack_len < 2 * PACK_HEAD_LEN as u64 {
        return Ok(Merged::Nothing);
    }
    let reader = PackReader::new(keys);
    let Some((seal, extents)) = all().find_map(|copy| ends(&reader, copies, copy, pack_len)) else {
        return Ok(Merged::Nothing);
    };
    let known = all().find_map(|copy| directory_a(&seal, &extents, part_a(&extents, copies, copy)).ok());
    let lengths = match &known {
        Some(directory) => Some(directory.lengths()),
        None => all().find_map(|copy| directory_b(&seal, &extents, part_b(&extents, copies, copy)).ok()),
    };
    let Some(lengths) = lengths else { return Ok(Merged::Nothing) };
    let found = blocks(keys, &seal, &extents, &lengths, known.as_ref(), copies);
    if found.iter().all(Option::is_some) {
        let found: Vec<Found> = found.into_iter().flatten().collect();
        if let Some(whole) = assemble(id, &seal, &extents, &lengths, &found, copies)? {
            return Ok(Merged::Whole(whole));
        }
        return saved(&seal, &lengths, found.into_iter().map(Some).collect(), copies);
    }
    saved(&seal, &lengths, found, copies)
}

/// Why an end that is whole does not open here, where it may open with another key or for a newer program.
pub fn refusal(keys: &Keys, pack_len: u64, copies: &(impl Copies + ?Sized)) -> Option<SealError> {
    let reader = PackReader::new(keys);
    let ends = (0..copies.count()).flat_map(|copy| [(copy, End::Head), (copy, End::Foot)]);
    let mut errors = ends.filter_map(|(copy, which)| end_of(&reader, copies, copy, which, pack_len).err());
    errors.find(SealError::may_open_elsewhere)
}

fn saved(
    seal: &ObjectSeal,
    lengths: &DirectoryLengths,
    found: Vec<Option<Found>>,
    copies: &(impl Copies + ?Sized),
) -> Result<Merged, SealError> {
    let mut blocks = Vec::new();
    for ((number, found), entry) in (0..).zip(found).zip(&lengths.blocks) {
        let Some(found) = found else { continue };
        // It was whole a moment ago; a disk may give something else now.
        let Ok(frame) = block::unseal(seal, number, found.sealed(copies)) else { continue };
        let (compression, raw_len) = (entry.compression, entry.raw_len);
        blocks.push(SavedBlock { chunks: found.chunks, frame, compression, raw_len });
    }
    Ok(Merged::Blocks { kind: lengths.kind, blocks })
}

fn ends(
    reader: &PackReader<'_>,
    copies: &(impl Copies + ?Sized),
    copy: usize,
    pack_len: u64,
) -> Option<(ObjectSeal, Extents)> {
    let end = |which| end_of(reader, copies, copy, which, pack_len);
    end(End::Head).or_else(|_| end(End::Foot)).ok()
}

fn end_of(
    reader: &PackReader<'_>,
    copies: &(impl Copies + ?Sized),
    copy: usize,
    which: End,
    pack_len: u64,
) -> Result<(ObjectSeal, Extents), SealError> {
    let offset = match which {
        End::Head => 0,
        End::Foot => pack_len.saturating_sub(PACK_HEAD_LEN as u64),
    };
    reader.extents(which, &part(copies, copy, offset, PACK_HEAD_LEN as u64), pack_len)
}

/// The bytes of a part. What is missing of it is as good as zeros.
fn part(copies: &(impl Copies + ?Sized), copy: usize, offset: u64, len: u64) -> Vec<u8> {
    let mut bytes = copies.read(copy, offset..offset + len);
    bytes.resize(len as usize, 0);
    bytes
}

fn part_a(extents: &Extents, copies: &(impl Copies + ?Sized), copy: usize) -> Vec<u8> {
    part(copies, copy, extents.directory_a_offset(), extents.directory_a_len.into())
}

fn part_b(extents: &Extents, copies: &(impl Copies + ?Sized), copy: usize) -> Vec<u8> {
    part(copies, copy, extents.directory_b_offset(), extents.directory_b_len.into())
}

/// Each block from the first copy that has it whole.
fn blocks(
    keys: &Keys,
    seal: &ObjectSeal,
    extents: &Extents,
    lengths: &DirectoryLengths,
    known: Option<&Directory>,
    copies: &(impl Copies + ?Sized),
) -> Vec<Option<Found>> {
    let mut offset = extents.blocks_offset();
    let mut found = Vec::with_capacity(lengths.blocks.len());
    for (number, entry) in (0..).zip(&lengths.blocks) {
        let ids = known.and_then(|directory| directory.blocks.get(number as usize)).map(|entry| &entry.chunks);
        let sealed_len = entry.sealed_len;
        let one = (0..copies.count()).find_map(|copy| {
            let sealed = part(copies, copy, offset, sealed_len.into());
            let raw = block::open(seal, number, entry.compression, entry.raw_len, sealed).ok()?;
            let chunks = match ids {
                Some(chunks) => chunks.clone(),
                None => name_chunks(keys, extents.kind, &entry.chunk_lens, &raw)?,
            };
            block::verify(keys, extents.kind, &chunks, &raw).ok()?;
            Some(Found { copy, offset, sealed_len, chunks })
        });
        found.push(one);
        offset += u64::from(sealed_len);
    }
    found
}

fn name_chunks(keys: &Keys, kind: ChunkKind, lens: &[u32], raw: &[u8]) -> Option<Vec<ChunkEntry>> {
    let mut rest = raw;
    let mut chunks = Vec::with_capacity(lens.len());
    for &len in lens {
        let (bytes, after) = rest.split_at_checked(len as usize)?;
        chunks.push(ChunkEntry { id: keys.chunk_id(kind, bytes), len });
        rest = after;
    }
    Some(chunks)
}

/// All parts in their places, if that is the pack of this name. Of what cannot be made again for certain, the padding,
/// there are as many tries as copies.
fn assemble(
    id: &PackId,
    seal: &ObjectSeal,
    extents: &Extents,
    lengths: &DirectoryLengths,
    found: &[Found],
    copies: &(impl Copies + ?Sized),
) -> Result<Option<Vec<u8>>, SealError> {
    let mut bytes = Vec::with_capacity(extents.pack_len as usize);
    bytes.extend(end(seal, extents, End::Head)?);
    // What opens is what was written; only where none does is it encoded anew.
    let all = || 0..copies.count();
    match all().map(|copy| part_a(extents, copies, copy)).find(|sealed| opens(seal, Part::DirectoryA, sealed)) {
        Some(sealed) => bytes.extend(sealed),
        None => append(seal, Part::DirectoryA, &mut with_ids(lengths, found).encode()?, &mut bytes)?,
    }
    for block in found {
        bytes.extend(block.sealed(copies));
    }
    let padding = bytes.len();
    let padding_end = extents.directory_b_offset() as usize;
    if padding > padding_end {
        return Ok(None);
    }
    bytes.resize(padding_end, 0);
    seal.fill_padding(&mut bytes[padding..]);
    match all().map(|copy| part_b(extents, copies, copy)).find(|sealed| opens(seal, Part::DirectoryB, sealed)) {
        Some(sealed) => bytes.extend(sealed),
        None => append(seal, Part::DirectoryB, &mut lengths.encode()?, &mut bytes)?,
    }
    bytes.extend(end(seal, extents, End::Foot)?);
    if PackId::of(&bytes) == *id {
        return Ok(Some(bytes));
    }
    for copy in all() {
        let from = part(copies, copy, padding as u64, (padding_end - padding) as u64);
        if let Some(to) = bytes.get_mut(padding..padding_end)
            && to != from
        {
            to.copy_from_slice(&from);
            if PackId::of(&bytes) == *id {
                return Ok(Some(bytes));
            }
        }
    }
    Ok(None)
}

fn opens(seal: &ObjectSeal, part: Part, sealed: &[u8]) -> bool {
    seal.open(part, 0, &mut sealed.to_vec()).is_ok()
}

fn with_ids(lengths: &DirectoryLengths, found: &[Found]) -> Directory {
    let blocks = lengths.blocks.iter().zip(found).map(|(entry, found)| BlockEntry {
        sealed_len: entry.sealed_len,
        raw_len: entry.raw_len,
        compression: entry.compression,
        chunks: found.chunks.clone(),
    });
    Directory { kind: lengths.kind, blocks: blocks.collect(), extra: lengths.extra.clone() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::format::id::RepoId;
    use crate::pack::{Closing, PackDraft, SealedPack};
    use crate::seal::BlockBuilder;

    fn keys() -> Keys {
        Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
    }

    /// Four blocks of three chunks.
    pub(crate) fn pack(keys: &Keys) -> SealedPack {
        let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
        for seed in 0..4u8 {
            let mut builder = BlockBuilder::new(1 << 20);
            for number in 0..3u8 {
                let chunk: Vec<u8> = (0..700u16).map(|i| (i as u8).wrapping_mul(seed + 3) ^ number).collect();
                builder.push(keys.chunk_id(ChunkKind::Data, &chunk), &chunk);
            }
            draft.push(builder.take().expect("a block").compress(Some(3)).expect("compressed"));
        }
        draft.finish(keys, [5; 32], Closing::Last { extra: 0 }).expect("sealed")
    }

    fn with_damage(pack: &SealedPack, regions: impl IntoIterator<Item = Range<usize>>) -> Vec<u8> {
        let mut bytes = pack.bytes().to_vec();
        for region in regions {
            bytes[region].iter_mut().for_each(|byte| *byte ^= 0x5A);
        }
        bytes
    }

    /// Head, directory A, each block, padding, directory B, foot.
    fn regions(keys: &Keys, pack: &SealedPack) -> Vec<Range<usize>> {
        let opened = PackReader::new(keys).open_bytes(pack.bytes()).expect("whole");
        let extents = opened.extents;
        let mut cuts = vec![0, PACK_HEAD_LEN];
        cuts.extend(opened.blocks().map(|place| place.offset as usize));
        cuts.extend(
            [extents.padding_offset(), extents.directory_b_offset(), extents.foot_offset()].map(|at| at as usize),
        );
        cuts.push(pack.bytes().len());
        cuts.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }

    fn whole(keys: &Keys, pack: &SealedPack, copies: &[Vec<u8>]) -> bool {
        let merged = merge(keys, &pack.id(), pack.bytes().len() as u64, copies).expect("sealing works");
        matches!(merged, Merged::Whole(bytes) if bytes == pack.bytes())
    }

    #[test]
    fn one_copy_is_enough_for_everything_but_blocks() {
        let keys = keys();
        let pack = pack(&keys);
        let regions = regions(&keys, &pack);
        assert_eq!(regions.len(), 9);
        for (number, region) in regions.iter().enumerate() {
            let is_block = (2..6).contains(&number);
            assert_eq!(whole(&keys, &pack, &[with_damage(&pack, [region.clone()])]), !is_block, "{region:?}");
        }
        let ends = |numbers: &[usize]| {
            let damage: Vec<_> = numbers.iter().map(|number| regions[*number].clone()).collect();
            whole(&keys, &pack, &[with_damage(&pack, damage)])
        };
        assert!(ends(&[0, 1, 6]) && ends(&[6, 7, 8]) && ends(&[0, 6, 7]) && ends(&[1, 8]));
        assert!(!ends(&[0, 8]) && !ends(&[1, 7]));
    }

    #[test]
    fn copies_that_are_damaged_in_different_places_make_a_whole_one() {
        let keys = keys();
        let pack = pack(&keys);
        let regions = regions(&keys, &pack);
        let left = with_damage(&pack, [regions[0].clone(), regions[2].clone(), regions[4].clone(), regions[7].clone()]);
        let right =
            with_damage(&pack, [regions[1].clone(), regions[3].clone(), regions[5].clone(), regions[8].clone()]);
        assert!(whole(&keys, &pack, &[left.clone(), right.clone()]) && whole(&keys, &pack, &[right.clone(), left]));
        let short = pack.bytes()[..regions[4].start].to_vec();
        assert!(
            !whole(&keys, &pack, std::slice::from_ref(&right)) && !whole(&keys, &pack, std::slice::from_ref(&short))
        );
        let late = with_damage(&pack, std::iter::once(0..regions[4].start - 1));
        assert!(whole(&keys, &pack, &[short, late]), "its beginning and its end");
        let mut long = pack.bytes().to_vec();
        long.extend([7; 100]);
        assert!(whole(&keys, &pack, &[long]));
    }

    #[test]
    fn what_no_copy_has_is_lost_alone() {
        let keys = keys();
        let pack = pack(&keys);
        let regions = regions(&keys, &pack);
        // Block 1 is damaged in both, block 0 and directory A in one.
        let left = with_damage(&pack, [regions[0].clone(), regions[1].clone(), regions[3].clone()]);
        let right = with_damage(&pack, [regions[1].clone(), regions[2].clone(), regions[3].clone()]);
        let merged = merge(&keys, &pack.id(), pack.bytes().len() as u64, &[left, right][..]).expect("sealing works");
        let Merged::Blocks { kind, blocks } = merged else { panic!("{merged:?}") };
        assert_eq!(kind, ChunkKind::Data);
        let saved: Vec<Vec<ChunkEntry>> = blocks.into_iter().map(|block| block.chunks).collect();
        let entries = &pack.directory().blocks;
        assert_eq!(saved, [entries[0].chunks.clone(), entries[2].chunks.clone(), entries[3].chunks.clone()]);
    }

    #[test]
    fn what_is_no_copy_gives_nothing() {
        let keys = keys();
        let pack = pack(&keys);
        let len = pack.bytes().len() as u64;
        for copies in [vec![], vec![vec![]], vec![vec![0xEE; 70_000]], vec![pack.bytes()[..100].to_vec()]] {
            let merged = merge(&keys, &pack.id(), len, &copies[..]).expect("sealing works");
            assert!(matches!(merged, Merged::Nothing), "{merged:?}");
        }
        let other = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let damaged = with_damage(&pack, std::iter::once(200..210));
        let merged = merge(&other, &pack.id(), len, &[damaged][..]).expect("sealing works");
        assert!(matches!(merged, Merged::Nothing), "another key");
    }
}
