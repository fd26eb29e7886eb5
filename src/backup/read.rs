//! Files into batches of named chunks. Small files share a batch; a huge one is a row of batches like any other.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::pipeline::Buffers;
use super::step::{FileJob, Step, settled};
use crate::chunk::Chunker;
use crate::format::id::{ChunkId, ChunkKind};
use crate::report::{Problem, ProblemKind};
use crate::seal::Keys;
use crate::source::{DeviceOrdinals, OpenError, Owners, Segment, SourceFile, metadata};

/// Bytes after which a batch is given on. Each reader builds one and has one waiting.
const BATCH_BYTES: usize = 128 << 10;
/// Bytes asked of the system at once.
const READ_BYTES: usize = 128 << 10;
/// What a batch takes at most: it is given on as soon as it is full.
const BATCH_CAPACITY: usize = BATCH_BYTES + READ_BYTES;

/// Chunks in the order of their files, and what else the scan said in between.
#[derive(Default)]
pub(super) struct Batch {
    /// Bytes of all chunks of the batch.
    pub bytes: Vec<u8>,
    /// What they belong to.
    pub items: Vec<Item>,
}

/// One step on the way through a batch.
pub(super) enum Item {
    /// Passed through from the scan.
    Step(Step),
    /// A file begins.
    Begin(Box<FileJob>),
    /// A chunk of it: where its bytes are in the batch, and its name.
    Chunk(Range<usize>, ChunkId),
    /// A hole in it, in bytes.
    Hole(u64),
    /// It ends: whether it stayed the same while it was read.
    End {
        /// False where it changed meanwhile.
        is_settled: bool,
    },
    /// It could not be read, or not to its end.
    Failed(Problem),
    /// Trouble that does not concern the content.
    Problem(Problem),
}

/// Reads the files among `steps` and gives batches to `out`, which says whether more are wanted. After a no it is given
/// nothing any more.
pub(super) struct GroupReader<'a> {
    chunker: &'a Chunker,
    keys: &'a Keys,
    owners: &'a Owners,
    buffers: &'a Buffers,
    out: &'a mut dyn FnMut(Batch) -> bool,
    batch: Batch,
    /// Where the bytes that are not cut yet begin.
    uncut: usize,
    is_wanted: bool,
}

impl<'a> GroupReader<'a> {
    /// Reads one file from a stream. Where that fails, the file has no end.
    pub fn stream(
        chunker: &'a Chunker,
        keys: &'a Keys,
        owners: &'a Owners,
        buffers: &'a Buffers,
        job: Box<FileJob>,
        input: &mut dyn io::Read,
        out: &'a mut dyn FnMut(Batch) -> bool,
    ) -> io::Result<()> {
        let mut reader = Self::new(chunker, keys, owners, buffers, out);
        reader.batch.items.push(Item::Begin(job));
        reader.data(&mut |buffer| input.read(buffer), u64::MAX)?;
        reader.batch.items.push(Item::End { is_settled: true });
        reader.flush();
        Ok(())
    }

    fn new(
        chunker: &'a Chunker,
        keys: &'a Keys,
        owners: &'a Owners,
        buffers: &'a Buffers,
        out: &'a mut dyn FnMut(Batch) -> bool,
    ) -> Self {
        Self { chunker, keys, owners, buffers, out, batch: Batch::default(), uncut: 0, is_wanted: true }
    }

    /// Reads a whole group.
    pub fn run(
        chunker: &'a Chunker,
        keys: &'a Keys,
        owners: &'a Owners,
        buffers: &'a Buffers,
        steps: Vec<Step>,
        out: &'a mut dyn FnMut(Batch) -> bool,
    ) {
        let mut reader = Self::new(chunker, keys, owners, buffers, out);
        for step in steps {
            match step {
                Step::Read(job) => reader.file(job),
                Step::Link(mut job) => {
                    let problem = fill_metadata(&mut job, reader.owners);
                    reader.batch.items.push(Item::Step(Step::Link(job)));
                    reader.batch.items.extend(problem.map(Item::Problem));
                }
                other => reader.batch.items.push(Item::Step(other)),
            }
            if !reader.is_wanted {
                return;
            }
        }
        reader.flush();
    }

    fn file(&mut self, mut job: Box<FileJob>) {
        let path = job.entry.path.clone();
        let opened = match SourceFile::open(&path, &job.entry.stat) {
            // Replaced between the look and the opening: a regular file all the same, taken as it is now.
            Err(OpenError::Replaced(file)) => {
                job.entry.stat = file.stat();
                Ok(*file)
            }
            other => other,
        };
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => {
                let problem = error.problem(&path);
                self.batch.items.push(Item::Begin(job));
                self.batch.items.push(Item::Failed(problem));
                return;
            }
        };
        // The stat of the open file, so that what is stored belongs together.
        job.entry.stat = file.stat();
        let problem = fill_metadata(&mut job, self.owners);
        self.batch.items.push(Item::Begin(job));
        self.batch.items.extend(problem.map(Item::Problem));
        self.uncut = self.batch.bytes.len();
        let end = match self.content(&mut file).and_then(|()| file.is_unchanged()) {
            Ok(is_settled) => Item::End { is_settled },
            Err(error) => Item::Failed(unreadable(&path, &error)),
        };
        self.batch.bytes.truncate(self.uncut);
        self.batch.items.push(end);
    }

    fn content(&mut self, file: &mut SourceFile) -> io::Result<()> {
        while let Some(segment) = file.next_segment()? {
            match segment {
                Segment::Hole { len } => self.batch.items.push(Item::Hole(len)),
                Segment::Data { len, .. } => self.data(&mut |buffer| file.read(buffer), len)?,
            }
            if !self.is_wanted {
                break;
            }
        }
        Ok(())
    }

    /// Reads what `read` gives, to its end; about so many bytes are expected.
    fn data(&mut self, read: &mut dyn FnMut(&mut [u8]) -> io::Result<usize>, mut expected: u64) -> io::Result<()> {
        loop {
            let filled = self.batch.bytes.len();
            if self.batch.bytes.capacity() < BATCH_CAPACITY {
                self.batch.bytes.reserve_exact(BATCH_CAPACITY - filled);
            }
            // One byte more than expected, so that the end of a small file is seen by the same call.
            let wanted = usize::try_from(expected.saturating_add(1)).unwrap_or(READ_BYTES).min(READ_BYTES);
            self.batch.bytes.resize(filled + wanted, 0);
            let count = read(self.batch.bytes.get_mut(filled..).unwrap_or_default())?;
            self.batch.bytes.truncate(filled + count);
            expected = expected.saturating_sub(count as u64);
            self.cut(count == 0);
            if count == 0 || !self.is_wanted {
                return Ok(());
            }
        }
    }

    /// Cuts and names what was read, while it is in the cache of this core.
    fn cut(&mut self, is_last: bool) {
        let Batch { bytes, items } = &mut self.batch;
        self.uncut = self.chunker.cut_all(bytes, self.uncut, is_last, |range| {
            let id = self.keys.chunk_id(ChunkKind::Data, &bytes[range.clone()]);
            items.push(Item::Chunk(range, id));
        });
        if self.batch.bytes.len() >= BATCH_BYTES {
            self.flush();
        }
    }

    /// Gives the batch on; bytes that are not cut yet begin the next one. Without a batch that was refused, what comes after
    /// it would be taken for a whole file.
    fn flush(&mut self) {
        if !self.is_wanted {
            return;
        }
        let uncut = self.uncut.min(self.batch.bytes.len());
        let mut next = self.buffers.take();
        next.extend_from_slice(self.batch.bytes.get(uncut..).unwrap_or_default());
        self.batch.bytes.truncate(uncut);
        let full = std::mem::replace(&mut self.batch, Batch { bytes: next, items: Vec::new() });
        self.uncut = 0;
        if !full.items.is_empty() {
            self.is_wanted = (self.out)(full);
        }
    }
}

fn fill_metadata(job: &mut FileJob, owners: &Owners) -> Option<Problem> {
    // Devices are numbered by the scan, which sees them in order.
    let device = job.node.metadata.device;
    let (metadata, problem) = metadata(&job.entry.path, &job.entry, &mut DeviceOrdinals::default(), owners);
    job.node.metadata = metadata;
    job.node.metadata.device = device;
    job.node.flags = settled(problem.as_ref());
    problem
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem { path: path.to_path_buf(), kind: ProblemKind::Unreadable, detail: format!("it cannot be read: {error}") }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::backup::step;
    use crate::format::id::RepoId;
    use crate::format::record::{ChunkerParameters, Time};
    use crate::format::tree::Metadata;
    use crate::source::piped;

    /// Not even the end of the file: with it, what could not be stored would be a file without it (invariant I3).
    #[test]
    fn after_a_batch_that_was_refused_there_comes_nothing_of_a_stream() {
        let parameters = ChunkerParameters { min_bytes: 64, avg_bytes: 256, max_bytes: 1024, normalization: 1 };
        let chunker = Chunker::new(&parameters, &[1; 32]);
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        for length in [1 << 20, BATCH_BYTES as u64, 1000] {
            let entry = piped(Path::new("/dump"), Time { seconds: 1, nanos: 0 });
            let node = step::node(&entry, entry.kind.to_node(), Metadata::default(), 0);
            let job = FileJob {
                entry,
                node,
                previous: None,
                highest_version: 0,
                link: None,
                is_recheck: false,
                has_ctime: false,
            };
            let mut calls = 0;
            let mut out = |_| {
                calls += 1;
                false
            };
            let (owners, buffers) = (Owners::default(), Buffers::new(2));
            let mut input = std::io::repeat(7).take(length);
            GroupReader::stream(&chunker, &keys, &owners, &buffers, Box::new(job), &mut input, &mut out)
                .expect("the stream can be read");
            assert_eq!(calls, 1, "{length}");
        }
    }
}
