//! How much there is: packs, chunks, blocks, and their bytes.

use redb::{ReadableTable, ReadableTableMetadata};

use super::super::{BlockInfo, DestinationBits, IndexError, PackInfo, PackNumber, broken, guarded, tables};
use super::{IndexReader, decode_pack};

/// A pack, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSize {
    /// Which pack.
    pub number: PackNumber,
    /// What is known of it; its length is what is stored.
    pub info: PackInfo,
    /// Bytes of its chunks before compression.
    pub raw_len: u64,
    /// Destinations that hold it.
    pub presence: DestinationBits,
}

impl IndexReader {
    /// Calls `each` for every pack with what it takes. Nothing is read of its blocks and chunks.
    ///
    /// # Errors
    /// [`IndexError::Broken`], or what `each` returns.
    pub fn each_size<E: From<IndexError>>(&self, mut each: impl FnMut(PackSize) -> Result<(), E>) -> Result<(), E> {
        let tables = self.tables();
        let mut rows = guarded(|| tables.packs.iter().map_err(broken))?;
        while let Some(size) = guarded(|| {
            let Some((number, row)) = rows.next().transpose().map_err(broken)? else { return Ok(None) };
            let (number, (info, raw_len)) = (number.value(), decode_pack(row.value())?);
            Ok(Some(PackSize { number, info, raw_len, presence: self.presence(number)? }))
        })? {
            each(size)?;
        }
        Ok(())
    }

    /// The blocks of a pack, in their order.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn blocks(&self, pack: PackNumber) -> Result<Vec<BlockInfo>, IndexError> {
        guarded(|| {
            let mut blocks = Vec::new();
            for row in self.tables().blocks.range((pack, 0)..=(pack, u32::MAX)).map_err(broken)? {
                blocks.push(tables::decode_block(row.map_err(broken)?.1.value()));
            }
            Ok(blocks)
        })
    }

    /// How many blocks a pack has.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn block_count(&self, pack: PackNumber) -> Result<u32, IndexError> {
        guarded(|| {
            let tables = self.tables();
            let mut rows = tables.blocks.range((pack, 0)..=(pack, u32::MAX)).map_err(broken)?;
            let last = rows.next_back().transpose().map_err(broken)?;
            Ok(last.map_or(0, |(key, _)| key.value().1.saturating_add(1)))
        })
    }

    /// Stored bytes of all blocks of a pack.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn blocks_len(&self, pack: PackNumber) -> Result<u64, IndexError> {
        Ok(self.blocks(pack)?.iter().map(|block| u64::from(block.sealed_len)).sum())
    }

    /// The chunks' ids are not kept by pack; this tells how many there are altogether.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn chunk_count(&self) -> Result<u64, IndexError> {
        guarded(|| self.tables().chunks.len().map_err(broken))
    }

    /// Number of packs.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn pack_count(&self) -> Result<u64, IndexError> {
        guarded(|| self.tables().packs.len().map_err(broken))
    }
}
