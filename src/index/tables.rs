//! The tables of the index, and how their rows are encoded. Nothing here is part of the repository format.

use redb::TableDefinition;

use super::{BlockInfo, DestinationBits, Place};
use crate::format::id::ChunkId;
use crate::format::pack::Compression;

/// Changes with every change of a table: an index of another layout is rebuilt, not migrated.
pub(super) const LAYOUT: &[u8] = b"index layout 4";

/// Layout, repository.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// Chunk id ‖ pack number (big-endian) → block, offset, length. A chunk can be in several packs.
pub(super) const CHUNKS: TableDefinition<'_, &[u8; 36], &[u8; 12]> = TableDefinition::new("chunks");
/// Pack number → [`super::PackInfo`] and the bytes of its chunks before compression, as postcard.
pub(super) const PACKS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("packs");
/// Pack id → pack number.
pub(super) const PACK_NUMBERS: TableDefinition<'_, &[u8; 32], u32> = TableDefinition::new("pack_numbers");
/// Pack number → destinations that hold it; those where its folder entry is known to be durable.
pub(super) const PRESENCE: TableDefinition<'_, u32, (u64, u64)> = TableDefinition::new("presence");
/// Pack number → destinations on which a copy lies that is known to be damaged. It does not count as present there; what
/// is whole in it can still be read.
pub(super) const DAMAGED: TableDefinition<'_, u32, u64> = TableDefinition::new("damaged");
/// Pack number, block → where it is in the pack.
pub(super) const BLOCKS: TableDefinition<'_, (u32, u32), &[u8; 13]> = TableDefinition::new("blocks");
/// Destination id → number of its bit.
pub(super) const DESTINATIONS: TableDefinition<'_, &[u8; 16], u32> = TableDefinition::new("destinations");
/// Snapshot id → [`SnapshotRow`] as postcard.
pub(super) const SNAPSHOTS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("snapshots");
/// Hash of a mark → [`MarkRow`] as postcard.
pub(super) const MARKS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("marks");
/// Chunk id of a tree chunk → its bytes.
pub(super) const TREES: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("trees");
/// Hash of a path → the highest version number it had when it was last deleted.
pub(super) const RETIRED: TableDefinition<'_, &[u8; 32], u32> = TableDefinition::new("retired");

/// What is kept of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SnapshotRow {
    /// Destinations on which it is committed.
    pub committed: DestinationBits,
    /// Destinations on which everything it needs was seen to be.
    pub whole: DestinationBits,
    /// Destinations on which it was ever seen and from which this program did not delete it. One that is missing where
    /// it was seen means that the listing, or the disk, is not to be trusted.
    pub seen: DestinationBits,
    /// Whether the version numbers it gave are accounted for: its paths that are gone are in the table of retired
    /// numbers, or it is the newest of its line.
    pub is_counted: bool,
    /// The opened record.
    #[serde(with = "serde_bytes")]
    pub record: Vec<u8>,
    /// The object as it is stored, to be copied to other destinations.
    #[serde(with = "serde_bytes")]
    pub stored: Vec<u8>,
}

/// What is kept of a mark.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MarkRow {
    /// Destinations on which it is.
    pub present: DestinationBits,
    /// The opened record.
    #[serde(with = "serde_bytes")]
    pub record: Vec<u8>,
    /// The object as it is stored, to be copied to other destinations.
    #[serde(with = "serde_bytes")]
    pub stored: Vec<u8>,
}

pub(super) fn chunk_key(id: &ChunkId, pack: u32) -> [u8; 36] {
    let mut key = [0; 36];
    let (left, right) = key.split_at_mut(32);
    left.copy_from_slice(id.as_bytes());
    right.copy_from_slice(&pack.to_be_bytes());
    key
}

pub(super) fn chunk_of(key: &[u8; 36]) -> ChunkId {
    let mut id = [0; 32];
    id.copy_from_slice(&key[..32]);
    ChunkId::from_bytes(id)
}

pub(super) fn encode_place(place: &Place) -> [u8; 12] {
    let mut row = [0; 12];
    for (slot, value) in row.chunks_exact_mut(4).zip([place.block, place.offset, place.len]) {
        slot.copy_from_slice(&value.to_be_bytes());
    }
    row
}

pub(super) fn decode_place(key: &[u8; 36], row: &[u8; 12]) -> Place {
    let number = |bytes: &[u8]| bytes.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(byte));
    Place { pack: number(&key[32..]), block: number(&row[..4]), offset: number(&row[4..8]), len: number(&row[8..]) }
}

pub(super) fn encode_block(block: &BlockInfo) -> [u8; 13] {
    let mut row = [0; 13];
    for (slot, value) in row.chunks_exact_mut(4).zip([block.offset, block.sealed_len, block.raw_len]) {
        slot.copy_from_slice(&value.to_be_bytes());
    }
    row[12] = u8::from(block.compression == Compression::Zstd);
    row
}

pub(super) fn decode_block(row: &[u8; 13]) -> BlockInfo {
    let number = |bytes: &[u8]| bytes.iter().fold(0u32, |sum, &byte| sum << 8 | u32::from(byte));
    BlockInfo {
        offset: number(&row[..4]),
        sealed_len: number(&row[4..8]),
        raw_len: number(&row[8..12]),
        compression: if row[12] == 1 { Compression::Zstd } else { Compression::None },
    }
}
