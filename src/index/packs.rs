//! New packs into the index: a few at a time as a backup writes them, or all that a destination has.
//!
//! Chunks come in the order of files and stand in the order of their ids. Inserted as they come, each of a few thousand
//! chunks goes to another page as soon as there are many pages, and every page is written anew with every commit: a large
//! index that is rebuilt so is written many times over. [`PackLoader`] sorts all of them first.

use super::{
    BlockInfo, DestinationBits, Index, IndexError, IndexWriter, PackInfo, PackNumber, Place, broken, guarded, tables,
};
use crate::format::id::ChunkId;
use crate::format::pack::Directory;
use crate::spill::{Record, Sorter};

/// One chunk in one pack. They are sorted as their rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ChunkRow {
    id: ChunkId,
    pack: PackNumber,
    block: u32,
    offset: u32,
    len: u32,
}

impl ChunkRow {
    fn place(&self) -> Place {
        Place { pack: self.pack, block: self.block, offset: self.offset, len: self.len }
    }
}

impl Record for ChunkRow {
    fn memory(&self) -> usize {
        size_of::<Self>()
    }

    fn write(&self, out: &mut impl std::io::Write) -> std::io::Result<()> {
        self.id.write(out)?;
        [self.pack, self.block, self.offset, self.len].iter().try_for_each(|number| number.write(out))
    }

    fn read(input: &mut impl std::io::Read) -> std::io::Result<Self> {
        Ok(Self {
            id: Record::read(input)?,
            pack: Record::read(input)?,
            block: Record::read(input)?,
            offset: Record::read(input)?,
            len: Record::read(input)?,
        })
    }
}

/// Everything about a pack but its chunks.
struct PackRows {
    number: PackNumber,
    info: PackInfo,
    blocks: Vec<BlockInfo>,
}

impl PackRows {
    fn new(number: PackNumber, info: PackInfo, blocks_offset: u64, directory: &Directory) -> Self {
        let mut offset = blocks_offset as u32;
        let mut blocks = Vec::with_capacity(directory.blocks.len());
        for entry in &directory.blocks {
            let (sealed_len, raw_len, compression) = (entry.sealed_len, entry.raw_len, entry.compression);
            blocks.push(BlockInfo { offset, sealed_len, raw_len, compression });
            offset += sealed_len;
        }
        Self { number, info, blocks }
    }

    /// Bytes of its chunks before compression.
    fn raw_len(&self) -> u64 {
        self.blocks.iter().map(|block| u64::from(block.raw_len)).sum()
    }

    fn memory(&self) -> usize {
        size_of::<(Self, bool)>() + self.blocks.len() * size_of::<BlockInfo>()
    }
}

/// Gives the row of every chunk of a pack.
fn each_chunk<E>(
    pack: PackNumber,
    directory: &Directory,
    mut each: impl FnMut(ChunkRow) -> Result<(), E>,
) -> Result<(), E> {
    for (block, entry) in (0..).zip(&directory.blocks) {
        let mut offset = 0;
        for chunk in &entry.chunks {
            each(ChunkRow { id: chunk.id, pack, block, offset, len: chunk.len })?;
            offset += chunk.len;
        }
    }
    Ok(())
}

impl IndexWriter {
    /// Adds packs with their chunks; none of them is on any destination yet. Sorted by id before they are inserted,
    /// which is several times faster than in the order of the files.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn add_packs<'a>(
        &mut self,
        packs: impl IntoIterator<Item = (PackNumber, PackInfo, u64, &'a Directory)>,
    ) -> Result<(), IndexError> {
        let (mut all, mut chunks) = (Vec::new(), Vec::new());
        for (number, info, blocks_offset, directory) in packs {
            all.push(PackRows::new(number, info, blocks_offset, directory));
            each_chunk(number, directory, |row| -> Result<(), IndexError> {
                chunks.push(row);
                Ok(())
            })?;
        }
        chunks.sort_unstable();
        self.put_packs(&all)?;
        self.put_chunks(chunks.into_iter().map(Ok))
    }

    fn put_packs(&mut self, packs: &[PackRows]) -> Result<(), IndexError> {
        guarded(|| {
            let mut by_number = self.table(tables::PACKS)?;
            let mut by_id = self.table(tables::PACK_NUMBERS)?;
            let mut presence = self.table(tables::PRESENCE)?;
            let mut blocks = self.table(tables::BLOCKS)?;
            for pack in packs {
                let row = postcard::to_stdvec(&(&pack.info, pack.raw_len()))
                    .map_err(|error| IndexError::Broken(error.to_string()))?;
                by_number.insert(pack.number, row.as_slice()).map_err(broken)?;
                by_id.insert(pack.info.id.as_bytes(), pack.number).map_err(broken)?;
                presence.insert(pack.number, (0, 0)).map_err(broken)?;
                for (block, info) in (0..).zip(&pack.blocks) {
                    blocks.insert((pack.number, block), &tables::encode_block(info)).map_err(broken)?;
                }
            }
            Ok(())
        })
    }

    fn put_chunks(&mut self, sorted: impl Iterator<Item = Result<ChunkRow, IndexError>>) -> Result<(), IndexError> {
        guarded(|| {
            let mut chunks = self.table(tables::CHUNKS)?;
            for row in sorted {
                let row = row?;
                let key = tables::chunk_key(&row.id, row.pack);
                chunks.insert(&key, &tables::encode_place(&row.place())).map_err(broken)?;
            }
            Ok(())
        })
    }
}

/// Takes packs that a destination has into the index, however many there are. Until they are in it, with everything about
/// them, nothing of them is: whoever is cut off begins anew with what was not.
pub struct PackLoader<'a> {
    index: &'a Index,
    next: PackNumber,
    packs: Vec<(PackRows, bool)>,
    chunks: Sorter<ChunkRow>,
    /// Of the packs.
    memory: usize,
    bit: DestinationBits,
    budget: usize,
}

impl<'a> PackLoader<'a> {
    /// None yet; they are on the destination of this bit. No other packs may be added to the index meanwhile.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn new(index: &'a Index, bit: DestinationBits) -> Result<Self, IndexError> {
        Self::with_budgets(index, bit, index.budget.new_packs_bytes(), index.budget.records_bytes())
    }

    pub(super) fn with_budgets(
        index: &'a Index,
        bit: DestinationBits,
        packs: usize,
        chunks: usize,
    ) -> Result<Self, IndexError> {
        let next = index.reader()?.next_pack_number()?;
        let chunks = Sorter::new(index.scratch(), chunks);
        Ok(Self { index, next, packs: Vec::new(), chunks, memory: 0, bit, budget: packs })
    }

    /// Adds one: one that is known by this number already, or a new one. `is_complete`: it is whole there; otherwise it
    /// does not count as present.
    ///
    /// # Errors
    /// [`IndexError::Spill`], [`IndexError::Broken`].
    pub fn add(
        &mut self,
        known: Option<PackNumber>,
        info: PackInfo,
        blocks_offset: u64,
        directory: &Directory,
        is_complete: bool,
    ) -> Result<(), IndexError> {
        let number = known.unwrap_or(self.next);
        self.next = self.next.max(number + 1);
        each_chunk(number, directory, |row| self.chunks.push(row))?;
        let rows = PackRows::new(number, info, blocks_offset, directory);
        self.memory += rows.memory();
        self.packs.push((rows, is_complete));
        if self.memory >= self.budget { self.put() } else { Ok(()) }
    }

    /// Puts the last of them into the index.
    ///
    /// # Errors
    /// [`IndexError::Spill`], [`IndexError::Broken`].
    pub fn finish(mut self) -> Result<(), IndexError> {
        self.put()
    }

    fn put(&mut self) -> Result<(), IndexError> {
        if self.packs.is_empty() {
            return Ok(());
        }
        let chunks = self.chunks.take();
        self.memory = 0;
        let (complete, damaged): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.packs).into_iter().partition(|(_, is_complete)| *is_complete);
        let mut writer = self.index.writer()?;
        for (group, is_complete) in [(complete, true), (damaged, false)] {
            let packs: Vec<PackRows> = group.into_iter().map(|(pack, _)| pack).collect();
            let numbers: Vec<PackNumber> = packs.iter().map(|pack| pack.number).collect();
            writer.put_packs(&packs)?;
            match is_complete {
                true => writer.set_present(numbers, self.bit, false)?,
                false => writer.set_damaged(numbers, self.bit)?,
            }
        }
        writer.put_chunks(chunks.finish()?.map(|row| Ok(row?)))?;
        writer.commit()
    }
}
