//! A chunk from whichever destination gives it back unchanged.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::OpenDestination;
use super::neighbours::has_other_writers;
use crate::destination::DestinationErrorKind;
use crate::format::id::{ChunkId, ChunkKind, PackId, WriterId};
use crate::format::sealed::ObjectType;
use crate::index::{DestinationBits, Index, IndexReader, PackInfo, PackNumber, Place};
use crate::memory::Budget;
use crate::seal::{Keys, block};
use crate::snapshot::{ChunkSource, ReadError};

/// An opened block and where it was in which pack.
type KeptBlock = ((PackNumber, u32), Arc<Vec<u8>>);

/// Opened blocks, so that neighbours are not fetched and opened again.
#[derive(Default)]
struct Kept {
    blocks: VecDeque<KeptBlock>,
    bytes: usize,
}

/// A block that was opened, and the destination it came from.
pub type OpenedBlock = (DestinationBits, PackNumber, u32);

/// Reads chunks of one repository.
pub struct Fetcher<'a> {
    keys: &'a Keys,
    index: &'a IndexReader,
    destinations: &'a [OpenDestination],
    budget: Budget,
    kept: Arc<Mutex<Kept>>,
    notes: Mutex<BTreeSet<String>>,
    damaged: Mutex<BTreeSet<(DestinationBits, PackId)>>,
    opened: Option<Mutex<BTreeSet<OpenedBlock>>>,
    has_cache: bool,
    again: Option<Again<'a>>,
}

/// A second look, where another command may have cleaned since the view was opened.
struct Again<'a> {
    index: &'a Index,
    own: Option<WriterId>,
    /// Packs that are not where the view has them.
    gone: Mutex<BTreeSet<PackNumber>>,
    newest: Mutex<Option<Arc<Newest>>>,
    /// Whether others write too: their cleaning no index of this machine is told of.
    has_others: OnceLock<bool>,
}

/// Where everything was at the last second look, and blocks that were opened since.
struct Newest {
    index: IndexReader,
    kept: Arc<Mutex<Kept>>,
}

impl<'a> Fetcher<'a> {
    /// A reader over `destinations`, which are tried in this order.
    pub fn new(keys: &'a Keys, index: &'a IndexReader, destinations: &'a [OpenDestination], budget: Budget) -> Self {
        Self {
            keys,
            index,
            destinations,
            budget,
            kept: Arc::default(),
            notes: Mutex::default(),
            damaged: Mutex::default(),
            opened: None,
            has_cache: true,
            again: None,
        }
    }

    /// The same, but where packs are gone it looks again at what the index says by then, before it gives up: another
    /// command may have moved what is in them. `own` is the writer that this machine is, if it ever wrote.
    #[must_use]
    pub fn that_looks_again(self, index: &'a Index, own: Option<WriterId>) -> Self {
        let (gone, newest, has_others) = (Mutex::default(), Mutex::default(), OnceLock::new());
        Self { again: Some(Again { index, own, gone, newest, has_others }), ..self }
    }

    /// The same, but reads trees from the destinations even where the index keeps a copy of them.
    #[must_use]
    pub fn without_cache(self) -> Self {
        Self { has_cache: false, ..self }
    }

    /// The same, but remembers every block it opens until it is asked.
    #[must_use]
    pub fn that_remembers(self) -> Self {
        Self { opened: Some(Mutex::default()), ..self }
    }

    /// Which blocks were read and authenticated, and from where; taken out.
    pub fn take_opened(&self) -> BTreeSet<OpenedBlock> {
        let opened = self.opened.as_ref().map(|opened| opened.lock().unwrap_or_else(PoisonError::into_inner));
        opened.map(|mut opened| std::mem::take(&mut *opened)).unwrap_or_default()
    }

    /// What was found damaged on one destination and taken from another, as sentences; taken out.
    pub fn take_notes(&self) -> Vec<String> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *notes).into_iter().collect()
    }

    /// Where a pack was found damaged, and which; taken out.
    pub fn take_damaged(&self) -> Vec<(DestinationBits, PackId)> {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *damaged).into_iter().collect()
    }

    /// What whoever reads through it may take.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// The index this reads from.
    pub fn index(&self) -> &IndexReader {
        self.index
    }

    /// A block, opened and authenticated, from the first destination that has it whole. Chunks cut from it still have
    /// to be compared with their ids.
    ///
    /// # Errors
    /// The reasons, one per destination that has the pack; empty where none has.
    pub fn block(&self, pack: PackNumber, number: u32) -> Result<Arc<Vec<u8>>, BlockError> {
        if let Some(block) = self.kept(pack, number) {
            return Ok(block);
        }
        let info = self.index.pack(pack).map_err(BlockError::Index)?;
        let presence = self.index.presence(pack).map_err(BlockError::Index)?;
        let mut reasons = Vec::new();
        let holders = self.destinations.iter().filter(|destination| destination.bit & presence != 0);
        // What another writer is going to delete must not be relied on, but it can be read while it is there.
        // Nor must a damaged copy, but what is whole in it can be read.
        let damaged = self.index.damaged(pack).map_err(BlockError::Index)?;
        let unreliable = self.destinations.iter().filter(|destination| {
            let is_there = destination.bit & damaged != 0 || destination.neighbours.has_condemned(&info.id);
            destination.bit & presence == 0 && is_there
        });
        for destination in holders.chain(unreliable) {
            match self.block_from(destination, pack, &info, number) {
                Ok(raw) => {
                    if let Some(opened) = &self.opened {
                        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
                        opened.insert((destination.bit, pack, number));
                    }
                    self.note_damage(&reasons, &destination.name);
                    let block = Arc::new(raw);
                    self.keep(pack, number, &block);
                    return Ok(block);
                }
                Err(reason) => {
                    reasons.push(format!("pack {} on {}: {reason}", info.id.short(), destination.name));
                }
            }
        }
        Err(BlockError::Unreadable(reasons))
    }

    fn block_from(
        &self,
        destination: &OpenDestination,
        pack: PackNumber,
        info: &PackInfo,
        number: u32,
    ) -> Result<Vec<u8>, String> {
        let entry = self.index.block(pack, number).map_err(|error| error.to_string())?;
        let seals = self.keys.possible_seals(ObjectType::Pack, info.epoch, info.salt);
        let seals = seals.map_err(|error| error.to_string())?;
        let range = u64::from(entry.offset)..u64::from(entry.offset) + u64::from(entry.sealed_len);
        let name = crate::format::layout::ObjectName::Pack(info.id);
        let found = match destination.place.get(&name, Some(range)) {
            Ok(sealed) => block::open_with_any(&seals, number, entry.compression, entry.raw_len, sealed)
                .map_err(|error| (true, error.to_string())),
            Err(error) => {
                if let Some(again) = self.again.as_ref().filter(|_| error.kind == DestinationErrorKind::Absent) {
                    again.gone.lock().unwrap_or_else(PoisonError::into_inner).insert(pack);
                }
                Err((error.kind == DestinationErrorKind::Damaged, error.to_string()))
            }
        };
        found.map_err(|(is_damage, reason)| {
            if is_damage {
                let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
                damaged.insert((destination.bit, info.id));
            }
            reason
        })
    }

    /// Whether a pack is gone because another command cleaned: one of this machine told the index so, and of others that
    /// cannot be told apart.
    ///
    /// # Errors
    /// [`ReadError::Index`].
    pub fn was_cleaned_away(&self, pack: PackNumber) -> Result<bool, ReadError> {
        let Some(again) = &self.again else { return Ok(false) };
        if !again.gone.lock().unwrap_or_else(PoisonError::into_inner).contains(&pack) {
            return Ok(false);
        }
        let newest = again.index.reader()?;
        let is_known = match newest.pack_number(&self.index.pack(pack)?.id)? {
            Some(number) => newest.presence(number)? & self.reachable() != 0,
            None => false,
        };
        let has_others = |destination: &OpenDestination| match &again.own {
            Some(own) => has_other_writers(self.keys, destination, own).unwrap_or(false),
            None => true,
        };
        Ok(!is_known || *again.has_others.get_or_init(|| self.destinations.iter().any(has_others)))
    }

    /// A chunk that could not be read where the view has it: from where the index has it by now.
    fn chunk_from_newest(
        &self,
        kind: ChunkKind,
        id: &ChunkId,
        len: u32,
        error: ReadError,
    ) -> Result<Vec<u8>, ReadError> {
        let Some(again) = &self.again else { return Err(error) };
        let packs: Vec<PackNumber> = {
            let gone = again.gone.lock().unwrap_or_else(PoisonError::into_inner);
            self.index.places(id)?.iter().map(|place| place.pack).filter(|pack| gone.contains(pack)).collect()
        };
        if packs.is_empty() {
            return Err(error);
        }
        let known = again.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(Ok(bytes)) = known.map(|known| self.at(&known).chunk(kind, id, len)) {
            return Ok(bytes);
        }
        // A new one, and not the same renewed: numbers of packs may stand for others by now.
        let newest = Arc::new(Newest { index: again.index.reader()?, kept: Arc::default() });
        *again.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&newest));
        if let Ok(bytes) = self.at(&newest).chunk(kind, id, len) {
            return Ok(bytes);
        }
        for pack in packs {
            if self.was_cleaned_away(pack)? {
                return Err(ReadError::Cleaned);
            }
        }
        Err(error)
    }

    /// The same reader at another view, which tells nobody what it meets there.
    fn at<'b>(&'b self, newest: &'b Newest) -> Fetcher<'b> {
        let new = Fetcher::new(self.keys, &newest.index, self.destinations, self.budget);
        Fetcher { kept: Arc::clone(&newest.kept), has_cache: self.has_cache, ..new }
    }

    fn chunk_from_view(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        let mut reasons = Vec::new();
        for place in self.index.places(id)? {
            if place.len != len {
                continue;
            }
            match self.block(place.pack, place.block) {
                Ok(raw) => match self.view(kind, id, &place, &raw) {
                    Some(bytes) => {
                        self.note_damage(&reasons, "another pack");
                        return Ok(bytes.to_vec());
                    }
                    None => reasons.push("a block does not hold the chunk it should".to_owned()),
                },
                Err(BlockError::Index(error)) => return Err(error.into()),
                Err(BlockError::Unreadable(more)) => reasons.extend(more),
            }
        }
        if reasons.is_empty() {
            Err(ReadError::Missing { id: *id })
        } else {
            Err(ReadError::Damaged { id: *id, reasons })
        }
    }

    /// A chunk in an opened block, compared with its id.
    pub fn view<'b>(&self, kind: ChunkKind, id: &ChunkId, place: &Place, raw: &'b [u8]) -> Option<&'b [u8]> {
        let range = place.offset as usize..place.offset as usize + place.len as usize;
        raw.get(range).filter(|bytes| self.keys.chunk_id(kind, bytes) == *id)
    }

    /// The destinations this reads from.
    pub fn reachable(&self) -> DestinationBits {
        self.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b)
    }

    fn note_damage(&self, reasons: &[String], healthy: &str) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.extend(reasons.iter().map(|reason| format!("{reason}; read from {healthy} instead")));
    }

    fn kept(&self, pack: PackNumber, number: u32) -> Option<Arc<Vec<u8>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.blocks.iter().find(|(place, _)| *place == (pack, number)).map(|(_, block)| Arc::clone(block))
    }

    fn keep(&self, pack: PackNumber, number: u32, block: &Arc<Vec<u8>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += block.len();
        kept.blocks.push_back(((pack, number), Arc::clone(block)));
        while kept.bytes > self.budget.opened_bytes()
            && let Some((_, oldest)) = kept.blocks.pop_front()
        {
            kept.bytes -= oldest.len();
        }
    }
}

/// Why a block could not be had.
#[derive(Debug)]
pub enum BlockError {
    /// The index does not know it, or failed.
    Index(crate::index::IndexError),
    /// What was wrong on each destination that has the pack.
    Unreadable(Vec<String>),
}

impl ChunkSource for Fetcher<'_> {
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        if self.has_cache
            && kind == ChunkKind::Tree
            && let Some(bytes) = self.index.tree(id)?
            && self.keys.chunk_id(kind, &bytes) == *id
        {
            return Ok(bytes);
        }
        match self.chunk_from_view(kind, id, len) {
            Err(error @ (ReadError::Missing { .. } | ReadError::Damaged { .. })) => {
                self.chunk_from_newest(kind, id, len, error)
            }
            found => found,
        }
    }

    fn reading_order(&self, id: &ChunkId) -> Result<u64, ReadError> {
        let reachable = self.reachable();
        for place in self.index.places(id)? {
            if (self.index.presence(place.pack)? | self.index.damaged(place.pack)?) & reachable != 0 {
                return Ok(u64::from(place.pack) << u32::BITS | u64::from(place.block));
            }
        }
        Ok(0)
    }
}
