//! Sorting more than fits into memory: sorted runs on disk, merged as they are read, what is equal given once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::SpillError;
use super::record::Record;
use super::temporary::{FromStart, TemporaryFile};

/// The most runs that are open at once; each is a file and, while they are merged, a buffer.
const RUNS_MAX: usize = 64;
/// Read ahead of each run.
const READ_BUFFER: usize = 64 << 10;
/// Written at once.
pub const WRITE_BUFFER: usize = 256 << 10;

/// Takes records in any order, any number of times.
pub struct Sorter<R> {
    folder: PathBuf,
    budget: usize,
    used: usize,
    records: Vec<R>,
    runs: Vec<Run>,
}

/// Sorted records in a file.
struct Run {
    file: TemporaryFile,
    records: u64,
}

impl<R: Record> Sorter<R> {
    /// Keeps about `budget` bytes of records in memory and puts the rest into files in `folder`.
    pub fn new(folder: &Path, budget: usize) -> Self {
        Self { folder: folder.to_owned(), budget, used: 0, records: Vec::new(), runs: Vec::new() }
    }

    /// Adds one.
    pub fn push(&mut self, record: R) -> Result<(), SpillError> {
        self.used += record.memory();
        self.records.push(record);
        if self.used < self.budget {
            return Ok(());
        }
        self.sort();
        // What many snapshots share comes many times: often there is room again without a file.
        if self.used > self.budget / 2 { self.spill() } else { Ok(()) }
    }

    /// Everything that was added, to be finished; goes on without anything.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::new(&self.folder, self.budget);
        std::mem::replace(self, empty)
    }

    /// How much it keeps in memory.
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.runs.is_empty()
    }

    /// Everything in order, if it is still in memory.
    pub fn into_memory(mut self) -> Result<Vec<R>, Self> {
        if !self.runs.is_empty() {
            return Err(self);
        }
        self.sort();
        self.records.shrink_to_fit();
        Ok(self.records)
    }

    /// Everything in order, each once.
    pub fn finish(mut self) -> Result<Merge<R>, SpillError> {
        self.sort();
        let mut sorted: Vec<Sorted<R>> = self.runs.into_iter().map(Sorted::run).collect();
        sorted.push(Sorted::Memory(self.records.into_iter()));
        Merge::new(sorted)
    }

    fn sort(&mut self) {
        self.records.sort_unstable();
        self.records.dedup();
        self.used = self.records.iter().map(Record::memory).sum();
    }

    fn spill(&mut self) -> Result<(), SpillError> {
        let run = Run::write(&self.folder, self.records.drain(..).map(Ok))?;
        self.runs.push(run);
        self.used = 0;
        if self.runs.len() < RUNS_MAX {
            return Ok(());
        }
        // The short half becomes one, so that a record is not written again with every round.
        self.runs.sort_by_key(|run| Reverse(run.records));
        let short = self.runs.split_off(RUNS_MAX / 2);
        let merge = Merge::<R>::new(short.into_iter().map(Sorted::run).collect())?;
        self.runs.push(Run::write(&self.folder, merge)?);
        Ok(())
    }
}

impl Run {
    fn write<R: Record>(
        folder: &Path,
        sorted: impl Iterator<Item = Result<R, SpillError>>,
    ) -> Result<Self, SpillError> {
        let mut file = TemporaryFile::new(folder)?;
        let mut records = 0;
        let mut out = BufWriter::with_capacity(WRITE_BUFFER, &mut file);
        let mut written = Ok(());
        for record in sorted {
            written = record?.write(&mut out);
            if written.is_err() {
                break;
            }
            records += 1;
        }
        let written = written.and_then(|()| out.flush());
        // What could not be written is not tried again on the way out.
        drop(out.into_parts());
        written.map_err(|error| file.failed("write", error))?;
        Ok(Self { file, records })
    }
}

/// Where sorted records come from.
enum Sorted<R> {
    Memory(std::vec::IntoIter<R>),
    Run(BufReader<FromStart<TemporaryFile>>, u64),
}

impl<R: Record> Sorted<R> {
    fn run(run: Run) -> Self {
        Self::Run(BufReader::with_capacity(READ_BUFFER, FromStart::new(run.file)), run.records)
    }

    fn next(&mut self) -> Result<Option<R>, SpillError> {
        match self {
            Self::Memory(records) => Ok(records.next()),
            Self::Run(_, 0) => Ok(None),
            Self::Run(reader, left) => {
                *left -= 1;
                R::read(reader).map(Some).map_err(|error| reader.get_ref().file().failed("read", error))
            }
        }
    }
}

/// Gives the records of several sorted sequences in order, each once.
pub struct Merge<R> {
    sorted: Vec<Sorted<R>>,
    heads: BinaryHeap<Reverse<(R, usize)>>,
}

impl<R: Record> Merge<R> {
    fn new(mut sorted: Vec<Sorted<R>>) -> Result<Self, SpillError> {
        let mut heads = BinaryHeap::with_capacity(sorted.len());
        for (number, one) in sorted.iter_mut().enumerate() {
            if let Some(record) = one.next()? {
                heads.push(Reverse((record, number)));
            }
        }
        Ok(Self { sorted, heads })
    }

    fn take(&mut self) -> Result<Option<R>, SpillError> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let from = self.sorted.get_mut(head.0.1);
        match from.map_or(Ok(None), Sorted::next)? {
            Some(next) => Ok(Some(std::mem::replace(&mut head.0.0, next))),
            None => Ok(Some(PeekMut::pop(head).0.0)),
        }
    }

    fn advance(&mut self) -> Result<Option<R>, SpillError> {
        let Some(record) = self.take()? else { return Ok(None) };
        while self.heads.peek().is_some_and(|head| head.0.0 == record) {
            self.take()?;
        }
        Ok(Some(record))
    }
}

impl<R: Record> Iterator for Merge<R> {
    type Item = Result<R, SpillError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.advance();
        if result.is_err() {
            self.heads.clear();
        }
        result.transpose()
    }
}
