//! Changes to the index that take effect together.

use std::collections::BTreeMap;

use redb::{ReadableTable, Table, WriteTransaction};

use super::tables::{self, MarkRow, SnapshotRow};
use super::{DestinationBits, IndexError, PackNumber, bit, broken, closed, guarded};
use crate::format::id::{ChunkId, DestinationId, ObjectHash, PackId, RepoId, SnapshotId};

/// Where the packs of a run go on, and everything else that changes. Dropping it without [`commit`](Self::commit)
/// changes nothing.
pub struct IndexWriter {
    /// There until it is committed or dropped.
    transaction: Option<WriteTransaction>,
}

impl Drop for IndexWriter {
    fn drop(&mut self) {
        let transaction = self.transaction.take();
        // Taking back what was done may fail as badly as anything else.
        let _ = guarded(|| {
            drop(transaction);
            Ok(())
        });
    }
}

impl IndexWriter {
    pub(super) fn new(transaction: WriteTransaction) -> Result<Self, IndexError> {
        Ok(Self { transaction: Some(transaction) })
    }

    pub(super) fn table<K: redb::Key + 'static, V: redb::Value + 'static>(
        &self,
        definition: redb::TableDefinition<'static, K, V>,
    ) -> Result<Table<'_, K, V>, IndexError> {
        self.transaction.as_ref().ok_or_else(closed)?.open_table(definition).map_err(broken)
    }

    /// Makes all tables of a new index, or checks that this one is ours; true where something was written.
    pub(super) fn adopt(&mut self, repo: RepoId) -> Result<bool, IndexError> {
        guarded(|| {
            let mut meta = self.table(tables::META)?;
            let layout = meta.get("layout").map_err(broken)?.map(|row| row.value().to_vec());
            match layout {
                Some(layout) if layout == tables::LAYOUT => {
                    let is_same = meta.get("repo").map_err(broken)?.is_some_and(|row| row.value() == repo.as_bytes());
                    return if is_same {
                        Ok(false)
                    } else {
                        Err(IndexError::Broken("it belongs to another repository".into()))
                    };
                }
                Some(_) => {
                    return Err(IndexError::Broken("it has the layout of another version of this program".into()));
                }
                None => {}
            }
            meta.insert("layout", tables::LAYOUT).map_err(broken)?;
            meta.insert("repo", repo.as_bytes().as_slice()).map_err(broken)?;
            drop(meta);
            // A reader expects every table to be there.
            self.table(tables::CHUNKS)?;
            self.table(tables::PACKS)?;
            self.table(tables::PACK_NUMBERS)?;
            self.table(tables::PRESENCE)?;
            self.table(tables::DAMAGED)?;
            self.table(tables::BLOCKS)?;
            self.table(tables::DESTINATIONS)?;
            self.table(tables::SNAPSHOTS)?;
            self.table(tables::MARKS)?;
            self.table(tables::TREES)?;
            self.table(tables::RETIRED)?;
            Ok(true)
        })
    }

    /// Says that packs are on a destination; `is_settled`: also after a power cut.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn set_present(
        &mut self,
        packs: impl IntoIterator<Item = PackNumber>,
        bit: DestinationBits,
        is_settled: bool,
    ) -> Result<(), IndexError> {
        guarded(|| {
            let mut presence = self.table(tables::PRESENCE)?;
            let mut damaged = self.table(tables::DAMAGED)?;
            for pack in packs {
                set_bit(&mut damaged, pack, bit, false)?;
                let (present, settled) = presence.get(pack).map_err(broken)?.map_or((0, 0), |row| row.value());
                let settled = if is_settled { settled | bit } else { settled };
                presence.insert(pack, (present | bit, settled)).map_err(broken)?;
            }
            Ok(())
        })
    }

    /// Says that what lies on a destination under the names of packs is damaged: they do not count as present there, until
    /// they are said to be present again. Packs that are not known (any more) are passed over.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn set_damaged(
        &mut self,
        packs: impl IntoIterator<Item = PackNumber>,
        bit: DestinationBits,
    ) -> Result<(), IndexError> {
        guarded(|| {
            let packs = self.known(packs)?;
            self.set_absent(packs.iter().copied(), bit)?;
            let mut damaged = self.table(tables::DAMAGED)?;
            for pack in packs {
                set_bit(&mut damaged, pack, bit, true)?;
            }
            Ok(())
        })
    }

    /// Says that packs are not on a destination (any more). Those that are not known (any more) are passed over.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn set_absent(
        &mut self,
        packs: impl IntoIterator<Item = PackNumber>,
        bit: DestinationBits,
    ) -> Result<(), IndexError> {
        guarded(|| {
            let packs = self.known(packs)?;
            let mut presence = self.table(tables::PRESENCE)?;
            let mut damaged = self.table(tables::DAMAGED)?;
            for pack in packs {
                set_bit(&mut damaged, pack, bit, false)?;
                let row = presence.get(pack).map_err(broken)?.map_or((0, 0), |row| row.value());
                presence.insert(pack, (row.0 & !bit, row.1 & !bit)).map_err(broken)?;
            }
            Ok(())
        })
    }

    /// Those of the packs that are known.
    fn known(&self, packs: impl IntoIterator<Item = PackNumber>) -> Result<Vec<PackNumber>, IndexError> {
        let table = self.table(tables::PACKS)?;
        let mut known = Vec::new();
        for pack in packs {
            known.extend(table.get(pack).map_err(broken)?.map(|_| pack));
        }
        Ok(known)
    }

    /// Says that every pack on the destination survives a power cut there.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn settle_all(&mut self, bit: DestinationBits) -> Result<(), IndexError> {
        guarded(|| {
            let mut presence = self.table(tables::PRESENCE)?;
            let mut unsettled = Vec::new();
            for row in presence.iter().map_err(broken)? {
                let (number, row) = row.map_err(broken)?;
                let (present, settled) = row.value();
                if present & bit != 0 && settled & bit == 0 {
                    unsettled.push((number.value(), (present, settled | bit)));
                }
            }
            for (number, row) in unsettled {
                presence.insert(number, row).map_err(broken)?;
            }
            Ok(())
        })
    }

    /// The bit of a destination, given now if it is met for the first time.
    ///
    /// # Errors
    /// [`IndexError::TooManyDestinations`], [`IndexError::Broken`].
    pub fn destination_bit(&mut self, id: &DestinationId) -> Result<DestinationBits, IndexError> {
        guarded(|| {
            let mut destinations = self.table(tables::DESTINATIONS)?;
            if let Some(row) = destinations.get(id.as_bytes()).map_err(broken)? {
                return bit(row.value());
            }
            let mut used = 0u64;
            for row in destinations.iter().map_err(broken)? {
                used |= bit(row.map_err(broken)?.1.value())?;
            }
            let number = (!used).trailing_zeros();
            if number >= DestinationBits::BITS {
                return Err(IndexError::TooManyDestinations);
            }
            destinations.insert(id.as_bytes(), number).map_err(broken)?;
            bit(number)
        })
    }

    /// Adds or changes a snapshot.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn put_snapshot(&mut self, id: &SnapshotId, row: &SnapshotRow) -> Result<(), IndexError> {
        guarded(|| {
            let bytes = postcard::to_stdvec(row).map_err(|error| IndexError::Broken(error.to_string()))?;
            self.table(tables::SNAPSHOTS)?.insert(id.as_bytes(), bytes.as_slice()).map_err(broken)?;
            Ok(())
        })
    }

    /// Changes the bits of a snapshot that is known; false where it is not.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn update_snapshot(
        &mut self,
        id: &SnapshotId,
        change: impl FnOnce(&mut SnapshotRow),
    ) -> Result<bool, IndexError> {
        guarded(|| {
            let row = {
                let snapshots = self.table(tables::SNAPSHOTS)?;
                snapshots.get(id.as_bytes()).map_err(broken)?.map(|row| row.value().to_vec())
            };
            let Some(row) = row else { return Ok(false) };
            let mut row = postcard::from_bytes(&row)
                .map_err(|_| IndexError::Broken("a snapshot's row cannot be decoded".into()))?;
            change(&mut row);
            self.put_snapshot(id, &row)?;
            Ok(true)
        })
    }

    /// Takes a snapshot out that is on no destination any more.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn remove_snapshot(&mut self, id: &SnapshotId) -> Result<(), IndexError> {
        guarded(|| {
            self.table(tables::SNAPSHOTS)?.remove(id.as_bytes()).map_err(broken)?;
            Ok(())
        })
    }

    /// Adds or changes a mark.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn put_mark(&mut self, hash: &ObjectHash, row: &MarkRow) -> Result<(), IndexError> {
        guarded(|| {
            let bytes = postcard::to_stdvec(row).map_err(|error| IndexError::Broken(error.to_string()))?;
            self.table(tables::MARKS)?.insert(hash.as_bytes(), bytes.as_slice()).map_err(broken)?;
            Ok(())
        })
    }

    /// Takes packs out that are on no destination any more, with everything said of their chunks and blocks. One pass over
    /// all chunks, whatever the number of packs.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn remove_packs(&mut self, packs: &BTreeMap<PackNumber, PackId>) -> Result<(), IndexError> {
        guarded(|| {
            let mut by_number = self.table(tables::PACKS)?;
            let mut by_id = self.table(tables::PACK_NUMBERS)?;
            let mut presence = self.table(tables::PRESENCE)?;
            let mut blocks = self.table(tables::BLOCKS)?;
            let mut damaged = self.table(tables::DAMAGED)?;
            for (&number, id) in packs {
                damaged.remove(number).map_err(broken)?;
                by_number.remove(number).map_err(broken)?;
                by_id.remove(id.as_bytes()).map_err(broken)?;
                presence.remove(number).map_err(broken)?;
                blocks.retain_in((number, 0)..=(number, u32::MAX), |_, _| false).map_err(broken)?;
            }
            if !packs.is_empty() {
                let mut chunks = self.table(tables::CHUNKS)?;
                chunks.retain(|key, row| !packs.contains_key(&tables::decode_place(key, row).pack)).map_err(broken)?;
            }
            Ok(())
        })
    }

    /// Lets go of kept tree chunks, where `is_wanted` says no. They are asked for in the order of their ids.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn retain_trees(&mut self, mut is_wanted: impl FnMut(&ChunkId) -> bool) -> Result<(), IndexError> {
        guarded(|| self.table(tables::TREES)?.retain(|id, _| is_wanted(&ChunkId::from_bytes(*id))).map_err(broken))
    }

    /// Keeps the bytes of tree chunks.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn put_trees<'a>(
        &mut self,
        trees: impl IntoIterator<Item = (&'a ChunkId, &'a [u8])>,
    ) -> Result<(), IndexError> {
        guarded(|| {
            let mut table = self.table(tables::TREES)?;
            for (id, bytes) in trees {
                table.insert(id.as_bytes(), bytes).map_err(broken)?;
            }
            Ok(())
        })
    }

    /// Remembers the highest number of paths that are gone; a lower number never replaces a higher one.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn retire(&mut self, paths: impl IntoIterator<Item = ([u8; 32], u32)>) -> Result<(), IndexError> {
        guarded(|| {
            let mut table = self.table(tables::RETIRED)?;
            // In the order of the table, so that each page is changed once.
            let mut paths: Vec<_> = paths.into_iter().collect();
            paths.sort_unstable();
            for (path, number) in paths {
                let known = table.get(&path).map_err(broken)?.map_or(0, |row| row.value());
                if number > known {
                    table.insert(&path, number).map_err(broken)?;
                }
            }
            Ok(())
        })
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn commit(mut self) -> Result<(), IndexError> {
        let transaction = self.transaction.take().ok_or_else(closed)?;
        guarded(|| transaction.commit().map_err(broken))
    }
}

/// Sets or clears one bit of a row; a row without bits goes.
fn set_bit(table: &mut Table<'_, u32, u64>, pack: PackNumber, bit: u64, is_set: bool) -> Result<(), IndexError> {
    let before = table.get(pack).map_err(broken)?.map_or(0, |row| row.value());
    let after = if is_set { before | bit } else { before & !bit };
    match after {
        _ if after == before => {}
        0 => drop(table.remove(pack).map_err(broken)?),
        bits => drop(table.insert(pack, bits).map_err(broken)?),
    }
    Ok(())
}
