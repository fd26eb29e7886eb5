//! Chunks in a file, looked up by their ids: what is only needed while a command runs, and may be too much for memory.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::LiveError;
use crate::format::id::ChunkId;
use crate::memory::Budget;
use crate::spill::{FromStart, Record, Sorter, TemporaryFile, WRITE_BUFFER, prefix};

/// Read ahead when all are read in order.
const READ_BUFFER: usize = 256 << 10;
/// Places that one lookup reads.
const PAGE_PLACES: u64 = 128;

/// Where a chunk is in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ChunkPlace {
    id: ChunkId,
    offset: u64,
    len: u32,
}

impl ChunkPlace {
    /// Bytes of one on disk.
    const LEN: usize = ChunkId::LEN + 8 + 4;
}

impl Record for ChunkPlace {
    fn memory(&self) -> usize {
        size_of::<Self>()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.id.write(out)?;
        self.offset.write(out)?;
        self.len.write(out)
    }

    fn read(input: &mut impl Read) -> io::Result<Self> {
        Ok(Self { id: Record::read(input)?, offset: Record::read(input)?, len: Record::read(input)? })
    }
}

/// Takes chunks.
pub struct ChunkFileWriter {
    folder: PathBuf,
    out: BufWriter<TemporaryFile>,
    len: u64,
    puts: u64,
    places: Sorter<ChunkPlace>,
}

impl ChunkFileWriter {
    /// No chunks yet, in files in `folder`, which must be there.
    ///
    /// # Errors
    /// [`LiveError::Spill`].
    pub fn new(folder: &Path, budget: Budget) -> Result<Self, LiveError> {
        Self::with_budget(folder, budget.records_bytes())
    }

    pub(super) fn with_budget(folder: &Path, budget: usize) -> Result<Self, LiveError> {
        let out = BufWriter::with_capacity(WRITE_BUFFER, TemporaryFile::new(folder)?);
        Ok(Self { folder: folder.to_owned(), out, len: 0, puts: 0, places: Sorter::new(folder, budget) })
    }

    /// Adds one. One that comes twice takes its room twice.
    ///
    /// # Errors
    /// [`LiveError::Spill`].
    pub fn put(&mut self, id: ChunkId, bytes: &[u8]) -> Result<(), LiveError> {
        let place = ChunkPlace { id, offset: self.len + size_of::<u32>() as u64, len: bytes.len() as u32 };
        let written = place.len.write(&mut self.out).and_then(|()| self.out.write_all(bytes));
        written.map_err(|error| self.out.get_ref().failed("write", error))?;
        self.len = place.offset + u64::from(place.len);
        self.puts += 1;
        Ok(self.places.push(place)?)
    }

    /// All of them.
    ///
    /// # Errors
    /// [`LiveError::Spill`].
    pub fn finish(self) -> Result<ChunkFile, LiveError> {
        let Self { folder, mut out, puts, places, .. } = self;
        out.flush().map_err(|error| out.get_ref().failed("write", error))?;
        let (bytes, _) = out.into_parts();
        let mut file = TemporaryFile::new(&folder)?;
        let (mut count, mut fences) = (0u64, Vec::new());
        let mut out = BufWriter::with_capacity(WRITE_BUFFER, &mut file);
        let mut written = Ok(());
        for place in places.finish()? {
            let place = place?;
            if count.is_multiple_of(PAGE_PLACES) {
                fences.push(prefix(&place.id));
            }
            written = place.write(&mut out);
            if written.is_err() {
                break;
            }
            count += 1;
        }
        let written = written.and_then(|()| out.flush());
        drop(out.into_parts());
        written.map_err(|error| file.failed("write", error))?;
        Ok(ChunkFile { bytes, puts, places: file, count, fences })
    }
}

/// Chunks that can be looked up; in memory are 8 bytes for 128 of them.
pub struct ChunkFile {
    /// Length and bytes of each, as they came.
    bytes: TemporaryFile,
    puts: u64,
    places: TemporaryFile,
    count: u64,
    fences: Vec<u64>,
}

impl ChunkFile {
    /// The bytes of a chunk; none where it was not put.
    ///
    /// # Errors
    /// [`LiveError::Spill`].
    pub fn get(&self, id: &ChunkId) -> Result<Option<Vec<u8>>, LiveError> {
        let wanted = prefix(id);
        // The page before the first that begins with this prefix can end with it; of random ids it is one page.
        let first = self.fences.partition_point(|fence| *fence < wanted).saturating_sub(1);
        let end = self.fences.partition_point(|fence| *fence <= wanted);
        for page in first..end {
            if let Some(place) = self.find_in(page as u64, id)? {
                let mut bytes = vec![0; place.len as usize];
                self.bytes.read_exact_at(&mut bytes, place.offset)?;
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// Gives the bytes of every chunk in the order in which they were put.
    ///
    /// # Errors
    /// [`LiveError::Spill`], or what `each` returns.
    pub fn each<E: From<LiveError>>(&self, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut reader = BufReader::with_capacity(READ_BUFFER, FromStart::new(&self.bytes));
        let mut bytes = Vec::new();
        for _ in 0..self.puts {
            let len = u32::read(&mut reader).map_err(|error| LiveError::from(self.bytes.failed("read", error)))?;
            bytes.resize(len as usize, 0);
            let read = reader.read_exact(&mut bytes);
            read.map_err(|error| LiveError::from(self.bytes.failed("read", error)))?;
            each(&bytes)?;
        }
        Ok(())
    }

    fn find_in(&self, page: u64, id: &ChunkId) -> Result<Option<ChunkPlace>, LiveError> {
        let before = page * PAGE_PLACES;
        let count = (self.count - before).min(PAGE_PLACES) as usize;
        let mut page = vec![0; count * ChunkPlace::LEN];
        self.places.read_exact_at(&mut page, before * ChunkPlace::LEN as u64)?;
        let mut input = page.as_slice();
        for _ in 0..count {
            let place = ChunkPlace::read(&mut input).map_err(|error| self.places.failed("read", error))?;
            if place.id == *id {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }
}
