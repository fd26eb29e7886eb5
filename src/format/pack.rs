//! §8 Packs: `head ‖ directory A ‖ blocks ‖ padding ‖ directory B ‖ foot`.
//!
//! ```text
//! head                              foot
//! 0    8  magic "CBK1PACK"          magic "CBK1FOOT"
//! 8    2  format version            the same
//! 10   2  reserved, zero            the same
//! 12   4  epoch                     the same
//! 16  32  salt, random              the same
//! 48  32  commitment                the same
//! 80  48  sealed extents (part 3)   the same extents, sealed again (part 4)
//! 128  4  CRC-32 of the above       CRC-32 of the above
//! ```
//!
//! The extents say how long everything is and what kind of chunks there are. They are sealed, because the length of
//! a directory tells the number of chunks. A reader that finds the head damaged starts from the foot, one that finds
//! directory A damaged recomputes the ids from the blocks through directory B.

use serde::{Deserialize, Serialize};

use super::id::{ChunkId, ChunkKind};
use super::record::{Extra, versioned};
use super::sealed::TAG_LEN;
use super::wire::{Decoder, Encoder, padme};
use super::{BLOCK_RAW_MAX, FORMAT_VERSION, FormatError, PACK_LEN_MAX};

/// First bytes of a pack.
pub const PACK_MAGIC: &[u8; 8] = b"CBK1PACK";
/// First bytes of a pack's foot.
pub const FOOT_MAGIC: &[u8; 8] = b"CBK1FOOT";
/// Length of the extents before they are sealed.
pub const EXTENTS_LEN: usize = 1 + 3 + 4 + 4 + 4 + 8 + 8;
/// Length of the head, and of the foot.
pub const PACK_HEAD_LEN: usize = 8 + 2 + 2 + 4 + 32 + 32 + EXTENTS_LEN + TAG_LEN + 4;
/// Sizes of packs are multiples of this.
pub const PACK_GRANULE: u64 = 64 << 10;

/// The head of a pack, or its foot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackHead {
    /// The epoch of the key.
    pub epoch: u32,
    /// Random salt, from which with the epoch's key the pack's own key follows.
    pub salt: [u8; 32],
    /// Tells a wrong key from damage.
    pub commitment: [u8; 32],
    /// The extents, sealed.
    pub sealed_extents: [u8; EXTENTS_LEN + TAG_LEN],
}

/// Which end of the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The first bytes.
    Head,
    /// The last bytes.
    Foot,
}

impl End {
    const fn magic(self) -> &'static [u8; 8] {
        match self {
            End::Head => PACK_MAGIC,
            End::Foot => FOOT_MAGIC,
        }
    }
}

impl PackHead {
    /// The stored bytes of this end.
    pub fn encode(&self, end: End) -> Vec<u8> {
        let mut out = Encoder::with_capacity(PACK_HEAD_LEN);
        out.bytes(end.magic()).u16(FORMAT_VERSION).zeros(2).u32(self.epoch);
        out.bytes(&self.salt).bytes(&self.commitment).bytes(&self.sealed_extents);
        out.finish_with_crc()
    }

    /// Reads the stored bytes of this end.
    ///
    /// # Errors
    /// Damage or an unknown version.
    pub fn decode(end: End, stored: &[u8]) -> Result<Self, FormatError> {
        let mut input = Decoder::with_crc(stored)?;
        input.magic(end.magic())?;
        let version = input.u16()?;
        if version != FORMAT_VERSION {
            return Err(FormatError::Unsupported { version, features: 0 });
        }
        input.zeros::<2>()?;
        let head = Self {
            epoch: input.u32()?,
            salt: input.array()?,
            commitment: input.array()?,
            sealed_extents: input.array()?,
        };
        input.finish()?;
        Ok(head)
    }
}

/// How long the parts of a pack are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extents {
    /// What the chunks hold.
    pub kind: ChunkKind,
    /// Number of blocks.
    pub blocks: u32,
    /// Sealed length of directory A.
    pub directory_a_len: u32,
    /// Sealed length of directory B.
    pub directory_b_len: u32,
    /// Sealed length of all blocks.
    pub blocks_len: u64,
    /// Length of the whole pack.
    pub pack_len: u64,
}

impl Extents {
    /// The bytes to be sealed.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::with_capacity(EXTENTS_LEN);
        let kind = match self.kind {
            ChunkKind::Data => 1,
            ChunkKind::Tree => 2,
        };
        out.u8(kind).zeros(3).u32(self.blocks).u32(self.directory_a_len).u32(self.directory_b_len);
        out.u64(self.blocks_len).u64(self.pack_len);
        out.finish()
    }

    /// Reads opened bytes and checks that the parts fill a pack of `pack_len` bytes.
    ///
    /// # Errors
    /// [`FormatError`] for anything that cannot be a pack of that length.
    pub fn decode(bytes: &[u8], pack_len: u64) -> Result<Self, FormatError> {
        let mut input = Decoder::new(bytes);
        let kind = match input.u8()? {
            1 => ChunkKind::Data,
            2 => ChunkKind::Tree,
            other => return Err(FormatError::UnknownKind(other)),
        };
        input.zeros::<3>()?;
        let extents = Self {
            kind,
            blocks: input.u32()?,
            directory_a_len: input.u32()?,
            directory_b_len: input.u32()?,
            blocks_len: input.u64()?,
            pack_len: input.u64()?,
        };
        input.finish()?;
        let used = (2 * PACK_HEAD_LEN as u64)
            .saturating_add(extents.directory_a_len.into())
            .saturating_add(extents.directory_b_len.into())
            .saturating_add(extents.blocks_len);
        if extents.pack_len != pack_len || used > pack_len || pack_len > PACK_LEN_MAX {
            return Err(FormatError::Limit("extent of a pack's parts"));
        }
        Ok(extents)
    }

    /// Offset of directory A.
    pub const fn directory_a_offset(&self) -> u64 {
        PACK_HEAD_LEN as u64
    }

    /// Offset of the first block.
    pub const fn blocks_offset(&self) -> u64 {
        self.directory_a_offset() + self.directory_a_len as u64
    }

    /// Offset of the padding.
    pub const fn padding_offset(&self) -> u64 {
        self.blocks_offset() + self.blocks_len
    }

    /// Offset of directory B.
    pub const fn directory_b_offset(&self) -> u64 {
        self.foot_offset() - self.directory_b_len as u64
    }

    /// Offset of the foot.
    pub const fn foot_offset(&self) -> u64 {
        self.pack_len - PACK_HEAD_LEN as u64
    }
}

/// How the bytes of a block were made smaller before they were sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compression {
    /// Not at all.
    None,
    /// One zstd frame (RFC 8878).
    Zstd,
}

/// One chunk in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkEntry {
    /// Its id.
    pub id: ChunkId,
    /// Its length in bytes.
    pub len: u32,
}

/// One block in a pack. Its offset is the sum of the sealed lengths before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockEntry {
    /// Stored length, with the tag.
    pub sealed_len: u32,
    /// Length of the chunks together.
    pub raw_len: u32,
    /// How it was compressed.
    pub compression: Compression,
    /// The chunks, in the order in which they follow each other.
    pub chunks: Vec<ChunkEntry>,
}

versioned!(DirectoryRoot, Directory, "pack directory");

/// Directory A: where each chunk of the pack is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// What the chunks hold.
    pub kind: ChunkKind,
    /// The blocks in order.
    pub blocks: Vec<BlockEntry>,
    /// Additions.
    pub extra: Extra,
}

/// One block in directory B.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockLengths {
    /// Stored length, with the tag.
    pub sealed_len: u32,
    /// Length of the chunks together.
    pub raw_len: u32,
    /// How it was compressed.
    pub compression: Compression,
    /// Lengths of the chunks in order.
    pub chunk_lens: Vec<u32>,
}

versioned!(LengthsRoot, DirectoryLengths, "second pack directory");

/// Directory B: directory A without the chunk ids, which can be computed from the blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryLengths {
    /// What the chunks hold.
    pub kind: ChunkKind,
    /// The blocks in order.
    pub blocks: Vec<BlockLengths>,
    /// Additions.
    pub extra: Extra,
}

impl Directory {
    /// The same without ids.
    pub fn lengths(&self) -> DirectoryLengths {
        let blocks = self.blocks.iter().map(|block| BlockLengths {
            sealed_len: block.sealed_len,
            raw_len: block.raw_len,
            compression: block.compression,
            chunk_lens: block.chunks.iter().map(|chunk| chunk.len).collect(),
        });
        DirectoryLengths { kind: self.kind, blocks: blocks.collect(), extra: self.extra.clone() }
    }

    /// Checks the directory against the extents it was found by.
    ///
    /// # Errors
    /// [`FormatError::Record`] where the two disagree.
    pub fn validate(&self, extents: &Extents) -> Result<(), FormatError> {
        self.lengths().validate(extents)
    }
}

impl DirectoryLengths {
    /// Checks the directory against the extents it was found by.
    ///
    /// # Errors
    /// [`FormatError::Record`] where the two disagree.
    pub fn validate(&self, extents: &Extents) -> Result<(), FormatError> {
        let bad = |why| Err(FormatError::Record("pack directory", why));
        if self.kind != extents.kind || self.blocks.len() != extents.blocks as usize {
            return bad("it does not belong to this pack");
        }
        let mut sealed = 0u64;
        for block in &self.blocks {
            let raw: u64 = block.chunk_lens.iter().map(|&len| u64::from(len)).sum();
            if raw != u64::from(block.raw_len) || raw > BLOCK_RAW_MAX as u64 || raw == 0 {
                return bad("the chunks of a block do not fill it");
            }
            if block.chunk_lens.contains(&0) || (block.sealed_len as usize) < TAG_LEN {
                return bad("a chunk or block is empty");
            }
            if block.compression == Compression::None && block.sealed_len != block.raw_len + TAG_LEN as u32 {
                return bad("an uncompressed block has another length");
            }
            sealed += u64::from(block.sealed_len);
        }
        if sealed != extents.blocks_len {
            return bad("the blocks do not fill their part of the pack");
        }
        Ok(())
    }
}

/// The stored length of a pack that needs `used` bytes: `full` for a pack that was closed because it is full, else a
/// multiple of 64 KiB rounded by Padmé, never more than `full` where it fits.
pub fn padded_len(used: u64, full: u64, is_full: bool) -> u64 {
    if is_full && used <= full {
        return full;
    }
    let rounded = padme(used.next_multiple_of(PACK_GRANULE)).next_multiple_of(PACK_GRANULE);
    if used <= full { rounded.min(full) } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        Directory {
            kind: ChunkKind::Tree,
            blocks: vec![BlockEntry {
                sealed_len: 300,
                raw_len: 1000,
                compression: Compression::Zstd,
                chunks: vec![
                    ChunkEntry { id: ChunkId::from_bytes([1; 32]), len: 400 },
                    ChunkEntry { id: ChunkId::from_bytes([2; 32]), len: 600 },
                ],
            }],
            extra: Extra::new(),
        }
    }

    #[test]
    fn head_and_foot_are_not_each_other() {
        let head =
            PackHead { epoch: 3, salt: [1; 32], commitment: [2; 32], sealed_extents: [3; EXTENTS_LEN + TAG_LEN] };
        for end in [End::Head, End::Foot] {
            let stored = head.encode(end);
            assert_eq!(stored.len(), PACK_HEAD_LEN);
            assert_eq!(PackHead::decode(end, &stored), Ok(head));
        }
        assert_eq!(PackHead::decode(End::Head, &head.encode(End::Foot)), Err(FormatError::Magic));
    }

    #[test]
    fn exact_bytes_of_a_directory() {
        let directory = directory();
        let bytes = directory.encode().expect("a small record");
        let mut expected = vec![0, 1, 1, 0xAC, 0x02, 0xE8, 0x07, 1, 2];
        expected.extend([1; 32]);
        expected.extend([0x90, 0x03]);
        expected.extend([2; 32]);
        expected.extend([0xD8, 0x04, 0]);
        assert_eq!(bytes, expected);
        assert_eq!(Directory::decode(&bytes), Ok(directory.clone()));
        let lengths = directory.lengths();
        let bytes = lengths.encode().expect("a small record");
        assert_eq!(bytes, [0, 1, 1, 0xAC, 0x02, 0xE8, 0x07, 1, 2, 0x90, 0x03, 0xD8, 0x04, 0]);
        assert_eq!(DirectoryLengths::decode(&bytes), Ok(lengths));
    }

    #[test]
    fn extents_and_directory_must_agree() {
        let extents = Extents {
            kind: ChunkKind::Tree,
            blocks: 1,
            directory_a_len: 90,
            directory_b_len: 30,
            blocks_len: 300,
            pack_len: 65536,
        };
        let bytes = extents.encode();
        assert_eq!(bytes.len(), EXTENTS_LEN);
        assert_eq!(Extents::decode(&bytes, 65536), Ok(extents));
        assert!(Extents::decode(&bytes, 65537).is_err(), "a pack of another length");
        let greedy = Extents { blocks_len: u64::MAX, ..extents };
        assert!(Extents::decode(&greedy.encode(), 65536).is_err());
        assert_eq!(extents.padding_offset() + 30 + PACK_HEAD_LEN as u64, 65536 - (65536 - 132 - 90 - 300 - 30 - 132));

        let good = directory();
        assert_eq!(good.validate(&extents), Ok(()));
        for break_it in [
            (|d| d.kind = ChunkKind::Data) as fn(&mut Directory),
            |d| d.blocks[0].raw_len = 999,
            |d| d.blocks[0].sealed_len = 299,
            |d| d.blocks[0].sealed_len = 301,
            |d| d.blocks[0].chunks.clear(),
            |d| d.blocks[0].chunks.truncate(1),
            |d| d.blocks[0].compression = Compression::None,
            |d| d.blocks.clear(),
        ] {
            let mut bad = directory();
            break_it(&mut bad);
            assert!(bad.validate(&extents).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sizes_say_little() {
        let full = 16 << 20;
        assert_eq!(padded_len(1, full, false), 65536);
        assert_eq!(padded_len(65537, full, false), 131072);
        assert_eq!(padded_len(full - 1, full, true), full);
        assert_eq!(padded_len(3 << 20, full, true), full);
        assert_eq!(padded_len(5_000_000, full, false), 5_111_808);
        assert_eq!(padded_len(full - 1, full, false), full);
    }
}
