//! Looking things up in one consistent view of the index.

mod sizes;

pub use sizes::PackSize;

use std::sync::{Arc, PoisonError, RwLock};

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata};

use super::tables::{self, MarkRow, SnapshotRow};
use super::{
    BlockInfo, DestinationBits, Index, IndexError, KnownDestination, PackInfo, PackNumber, Place, bit, broken, guarded,
};
use crate::format::id::{ChunkId, DestinationId, ObjectHash, PackId, RepoId, SnapshotId};

/// One consistent view; later commits do not show in it until it is renewed.
///
/// As long as it is there the database keeps every page it shows, also those that were replaced since. A view that is
/// held while much is written makes the file many times as large.
pub struct IndexReader {
    tables: RwLock<Arc<Tables>>,
}

/// The tables as they were at one commit.
struct Tables {
    meta: ReadOnlyTable<&'static str, &'static [u8]>,
    chunks: ReadOnlyTable<&'static [u8; 36], &'static [u8; 12]>,
    packs: ReadOnlyTable<u32, &'static [u8]>,
    pack_numbers: ReadOnlyTable<&'static [u8; 32], u32>,
    presence: ReadOnlyTable<u32, (u64, u64)>,
    damaged: ReadOnlyTable<u32, u64>,
    blocks: ReadOnlyTable<(u32, u32), &'static [u8; 13]>,
    destinations: ReadOnlyTable<&'static [u8; 16], u32>,
    snapshots: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    marks: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    trees: ReadOnlyTable<&'static [u8; 32], &'static [u8]>,
    retired: ReadOnlyTable<&'static [u8; 32], u32>,
    has_retired: bool,
}

impl Tables {
    fn open(transaction: &ReadTransaction) -> Result<Self, IndexError> {
        let retired = transaction.open_table(tables::RETIRED).map_err(broken)?;
        let has_retired = !retired.is_empty().map_err(broken)?;
        Ok(Self {
            meta: transaction.open_table(tables::META).map_err(broken)?,
            chunks: transaction.open_table(tables::CHUNKS).map_err(broken)?,
            packs: transaction.open_table(tables::PACKS).map_err(broken)?,
            pack_numbers: transaction.open_table(tables::PACK_NUMBERS).map_err(broken)?,
            presence: transaction.open_table(tables::PRESENCE).map_err(broken)?,
            damaged: transaction.open_table(tables::DAMAGED).map_err(broken)?,
            blocks: transaction.open_table(tables::BLOCKS).map_err(broken)?,
            destinations: transaction.open_table(tables::DESTINATIONS).map_err(broken)?,
            snapshots: transaction.open_table(tables::SNAPSHOTS).map_err(broken)?,
            marks: transaction.open_table(tables::MARKS).map_err(broken)?,
            trees: transaction.open_table(tables::TREES).map_err(broken)?,
            retired,
            has_retired,
        })
    }
}

impl IndexReader {
    pub(super) fn new(transaction: &ReadTransaction) -> Result<Self, IndexError> {
        Ok(Self { tables: RwLock::new(Arc::new(Tables::open(transaction)?)) })
    }

    /// Shows from now on what was committed so far.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn renew(&self, index: &Index) -> Result<(), IndexError> {
        let newest = index.reader()?.tables();
        *self.tables.write().unwrap_or_else(PoisonError::into_inner) = newest;
        Ok(())
    }

    fn tables(&self) -> Arc<Tables> {
        Arc::clone(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn repo(&self) -> Result<Option<RepoId>, IndexError> {
        guarded(|| {
            let Some(layout) = self.tables().meta.get("layout").map_err(broken)? else { return Ok(None) };
            if layout.value() != tables::LAYOUT {
                return Err(IndexError::Broken("it has the layout of another version of this program".into()));
            }
            let Some(repo) = self.tables().meta.get("repo").map_err(broken)? else { return Ok(None) };
            Ok(repo.value().try_into().ok().map(RepoId::from_bytes))
        })
    }

    /// Every pack that holds the chunk, wherever it is or is not.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn places(&self, id: &ChunkId) -> Result<Vec<Place>, IndexError> {
        guarded(|| {
            let (from, to) = (tables::chunk_key(id, 0), tables::chunk_key(id, u32::MAX));
            let mut places = Vec::new();
            for row in self.tables().chunks.range::<&[u8; 36]>(&from..=&to).map_err(broken)? {
                let (key, value) = row.map_err(broken)?;
                places.push(tables::decode_place(key.value(), value.value()));
            }
            Ok(places)
        })
    }

    /// Calls `each` for every chunk in every pack that holds it, in the order of ids, then of pack numbers.
    ///
    /// # Errors
    /// [`IndexError::Broken`], or what `each` returns.
    pub fn each_place<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(ChunkId, Place) -> Result<(), E>,
    ) -> Result<(), E> {
        let tables = self.tables();
        let mut rows = guarded(|| tables.chunks.iter().map_err(broken))?;
        while let Some((id, place)) = guarded(|| {
            let Some((key, value)) = rows.next().transpose().map_err(broken)? else { return Ok(None) };
            Ok(Some((tables::chunk_of(key.value()), tables::decode_place(key.value(), value.value()))))
        })? {
            each(id, place)?;
        }
        Ok(())
    }

    /// Destinations on which the chunk is in at least one pack.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn chunk_presence(&self, id: &ChunkId) -> Result<DestinationBits, IndexError> {
        guarded(|| {
            let mut bits = 0;
            for place in self.places(id)? {
                bits |= self.presence(place.pack)?;
            }
            Ok(bits)
        })
    }

    /// Destinations that hold the pack.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn presence(&self, pack: PackNumber) -> Result<DestinationBits, IndexError> {
        guarded(|| Ok(self.tables().presence.get(pack).map_err(broken)?.map_or(0, |row| row.value().0)))
    }

    /// Destinations on which a damaged copy of the pack lies.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn damaged(&self, pack: PackNumber) -> Result<DestinationBits, IndexError> {
        guarded(|| Ok(self.tables().damaged.get(pack).map_err(broken)?.map_or(0, |row| row.value())))
    }

    /// The packs of which a damaged copy lies on the destination.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn damaged_on(&self, bit: DestinationBits) -> Result<Vec<PackNumber>, IndexError> {
        guarded(|| {
            let mut packs = Vec::new();
            let tables = self.tables();
            for row in tables.damaged.iter().map_err(broken)? {
                let (number, bits) = row.map_err(broken)?;
                packs.extend((bits.value() & bit != 0).then_some(number.value()));
            }
            Ok(packs)
        })
    }

    /// What is known of a pack.
    ///
    /// # Errors
    /// [`IndexError::Broken`], also where the number is unknown.
    pub fn pack(&self, pack: PackNumber) -> Result<PackInfo, IndexError> {
        guarded(|| {
            let row = self.tables().packs.get(pack).map_err(broken)?;
            let row = row.ok_or_else(|| IndexError::Broken(format!("pack number {pack} is not in it")))?;
            Ok(decode_pack(row.value())?.0)
        })
    }

    /// Number of the pack with this name.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn pack_number(&self, id: &PackId) -> Result<Option<PackNumber>, IndexError> {
        guarded(|| Ok(self.tables().pack_numbers.get(id.as_bytes()).map_err(broken)?.map(|row| row.value())))
    }

    /// The number the next new pack gets.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn next_pack_number(&self) -> Result<PackNumber, IndexError> {
        guarded(|| {
            let tables = self.tables();
            let last = tables.packs.last().map_err(broken)?.map_or(0, |(number, _)| number.value());
            last.checked_add(1).ok_or_else(|| IndexError::Broken("it has no more numbers for packs".into()))
        })
    }

    /// The packs whose names begin with `prefix`, in the order of their names.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn packs_with_prefix(&self, prefix: u8) -> Result<Vec<(PackId, PackNumber)>, IndexError> {
        guarded(|| {
            let (mut from, mut to) = ([0; 32], [0xFF; 32]);
            (from[0], to[0]) = (prefix, prefix);
            let mut packs = Vec::new();
            for row in self.tables().pack_numbers.range::<&[u8; 32]>(&from..=&to).map_err(broken)? {
                let (id, number) = row.map_err(broken)?;
                packs.push((PackId::from_bytes(*id.value()), number.value()));
            }
            Ok(packs)
        })
    }

    /// Calls `each` for every pack with its number and the destinations that hold it.
    ///
    /// # Errors
    /// [`IndexError::Broken`], or what `each` returns.
    pub fn each_pack<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(PackNumber, PackInfo, DestinationBits) -> Result<(), E>,
    ) -> Result<(), E> {
        let tables = self.tables();
        let mut rows = guarded(|| tables.presence.iter().map_err(broken))?;
        while let Some((number, bits)) = guarded(|| {
            let Some((number, row)) = rows.next().transpose().map_err(broken)? else { return Ok(None) };
            Ok(Some((number.value(), row.value().0)))
        })? {
            each(number, self.pack(number)?, bits)?;
        }
        Ok(())
    }

    /// Whether some pack on the destination may have a folder entry that would not survive a power cut.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn has_unsettled(&self, bit: DestinationBits) -> Result<bool, IndexError> {
        guarded(|| {
            let tables = self.tables();
            for row in tables.presence.iter().map_err(broken)? {
                let (present, settled) = row.map_err(broken)?.1.value();
                if present & bit != 0 && settled & bit == 0 {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Where a block is.
    ///
    /// # Errors
    /// [`IndexError::Broken`], also where it is unknown.
    pub fn block(&self, pack: PackNumber, block: u32) -> Result<BlockInfo, IndexError> {
        guarded(|| {
            let row = self.tables().blocks.get((pack, block)).map_err(broken)?;
            let row = row.ok_or_else(|| IndexError::Broken(format!("block {block} of pack {pack} is not in it")))?;
            Ok(tables::decode_block(row.value()))
        })
    }

    /// The bit of a destination, if it was ever met.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn destination_bit(&self, id: &DestinationId) -> Result<Option<DestinationBits>, IndexError> {
        guarded(|| {
            self.tables().destinations.get(id.as_bytes()).map_err(broken)?.map(|row| bit(row.value())).transpose()
        })
    }

    /// Every destination that was ever met.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn destinations(&self) -> Result<Vec<KnownDestination>, IndexError> {
        guarded(|| {
            let mut all = Vec::new();
            let tables = self.tables();
            for row in tables.destinations.iter().map_err(broken)? {
                let (id, number) = row.map_err(broken)?;
                all.push(KnownDestination { id: DestinationId::from_bytes(*id.value()), bit: bit(number.value())? });
            }
            Ok(all)
        })
    }

    /// A snapshot.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn snapshot(&self, id: &SnapshotId) -> Result<Option<SnapshotRow>, IndexError> {
        guarded(|| match self.tables().snapshots.get(id.as_bytes()).map_err(broken)? {
            Some(row) => decode_snapshot(row.value()).map(Some),
            None => Ok(None),
        })
    }

    /// Calls `each` for every snapshot, in no particular order.
    ///
    /// # Errors
    /// [`IndexError::Broken`], or what `each` returns.
    pub fn each_snapshot<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(SnapshotId, SnapshotRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let tables = self.tables();
        let mut rows = guarded(|| tables.snapshots.iter().map_err(broken))?;
        while let Some((id, row)) = guarded(|| {
            let Some((id, row)) = rows.next().transpose().map_err(broken)? else { return Ok(None) };
            Ok(Some((SnapshotId::from_bytes(*id.value()), decode_snapshot(row.value())?)))
        })? {
            each(id, row)?;
        }
        Ok(())
    }

    /// Calls `each` for every mark, in no particular order.
    ///
    /// # Errors
    /// [`IndexError::Broken`], or what `each` returns.
    pub fn each_mark<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(ObjectHash, MarkRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let tables = self.tables();
        let mut rows = guarded(|| tables.marks.iter().map_err(broken))?;
        while let Some((hash, row)) = guarded(|| {
            let Some((hash, row)) = rows.next().transpose().map_err(broken)? else { return Ok(None) };
            let row = postcard::from_bytes(row.value())
                .map_err(|_| IndexError::Broken("a mark's row cannot be decoded".into()))?;
            Ok(Some((ObjectHash::from_bytes(*hash.value()), row)))
        })? {
            each(hash, row)?;
        }
        Ok(())
    }

    /// The bytes of a tree chunk, if they are kept here. The caller compares them with the id.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn tree(&self, id: &ChunkId) -> Result<Option<Vec<u8>>, IndexError> {
        guarded(|| Ok(self.tables().trees.get(id.as_bytes()).map_err(broken)?.map(|row| row.value().to_vec())))
    }

    /// The highest version number a path had before it was deleted; 0 where it never was.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn retired(&self, path_hash: &[u8; 32]) -> Result<u32, IndexError> {
        guarded(|| {
            let tables = self.tables();
            if !tables.has_retired {
                return Ok(0);
            }
            Ok(tables.retired.get(path_hash).map_err(broken)?.map_or(0, |row| row.value()))
        })
    }
}

/// A pack and the bytes of its chunks before compression.
fn decode_pack(row: &[u8]) -> Result<(PackInfo, u64), IndexError> {
    postcard::from_bytes(row).map_err(|_| IndexError::Broken("a pack's row cannot be decoded".into()))
}

fn decode_snapshot(row: &[u8]) -> Result<SnapshotRow, IndexError> {
    postcard::from_bytes(row).map_err(|_| IndexError::Broken("a snapshot's row cannot be decoded".into()))
}
