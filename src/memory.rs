//! How much memory a command may take (`limits.memory`), and who takes how much of it.
//!
//! Whoever keeps more where there is more asks here, and nowhere else; what never grows (one chunk, the buffer of a file)
//! asks nobody. Not all shares are taken at once: a backup sorts nothing, a restore seals nothing.
//!
//! 32 MiB of it are taken in any case: by the program itself, a pack that is being filled, and what the allocator keeps. The
//! shares are of the rest.
//!
//! | who | share | of 96 MiB |
//! |---|---|---|
//! | pages of the index | 1/8 | 8 MiB |
//! | new chunks until the index has them | 1/16 | 41,943 chunks |
//! | new trees until the index has them | 3/64 | 3 MiB |
//! | where the packs are that chunks were found in | 1/32 | 87,381 packs |
//! | threads that compress, seal and open, 12 MiB each | 3/4 | 4 threads |
//! | threads that read files, 1 MiB each | 1/16 | 4 threads |
//! | a pack that waits for slow disks while the next is filled | 1/4 | 16 MiB; a larger one does not wait |
//! | blocks that were opened and may be asked for again | 3/16 | 12 MiB |
//! | parts of files to be restored, sorted by where they are | 1/4 | 65,536 parts |
//! | names and metadata of those files | 1/4 | 16 MiB |
//! | first names of files that have several, and as much again of those for which that is too little | 1/16 | 4 MiB |
//! | ids of chunks, sorted to know what is needed | 1/4 | 16 MiB |
//! | folders and long recipes of the same, for each of two levels | 1/8 | 8 MiB |
//! | packs that the index has to learn of, without their chunks | 1/4 | 16 MiB |
//! | chunks of those packs, sorted | 1/8 | 8 MiB |
//! | trees of which a history is merged | 3/8 | 24 MiB |

use std::error::Error;
use std::io;
use std::thread::available_parallelism;

/// A thread that compresses has a block as it was and compressed, opens what it sealed, and keeps the compressor's tables.
const WORKER_BYTES: usize = 12 << 20;
/// A thread that reads has a batch that is being filled and one that waits.
const READER_BYTES: usize = 1 << 20;
/// With more threads that read, the same disk answers each of them later.
const READERS_MAX: usize = 4;
/// A new chunk: among those that are claimed, in its pack's directory, and on its way into the index.
const NEW_CHUNK_BYTES: usize = 100;
/// Where a pack is.
const PLACE_BYTES: usize = 24;
/// A part of a file: where it is, and where it belongs.
const PART_BYTES: usize = 256;

/// What is taken in any case.
const FIXED_BYTES: u64 = 32 << 20;
/// The least budget.
pub const LEAST_BYTES: u64 = 2 * FIXED_BYTES;

/// The memory and the threads that a command may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Beside what is taken in any case.
    spare: usize,
    threads: Option<usize>,
}

impl Budget {
    /// So many bytes, and at most so many threads where that is said; else one for each core.
    pub fn new(bytes: u64, threads: Option<usize>) -> Self {
        let spare = bytes.max(LEAST_BYTES) - FIXED_BYTES;
        // No address space has more, and products of it do not overflow.
        Self { spare: usize::try_from(spare).unwrap_or(usize::MAX).min(usize::MAX >> 8), threads }
    }

    /// The bytes with which packs of this size can wait.
    pub fn bytes_for(pack_bytes: u32) -> u64 {
        FIXED_BYTES + 4 * u64::from(pack_bytes)
    }

    /// Makes the threads that compress, seal and open. The first repository that is opened in a process decides.
    ///
    /// # Errors
    /// The system's, where it lets the program have no more threads. Without them nothing else works in this process.
    pub fn start_workers(&self) -> io::Result<()> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.workers());
        let Err(error) = pool.thread_name(|number| format!("worker {number}")).build_global() else { return Ok(()) };
        match error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
            Some(refusal) => Err(io::Error::new(refusal.kind(), refusal.to_string())),
            // They are there already, for a repository that was opened before.
            None => Ok(()),
        }
    }

    /// Threads that compress, seal and open.
    pub fn workers(&self) -> usize {
        let cores = || available_parallelism().map_or(1, usize::from);
        (self.spare / 4 * 3 / WORKER_BYTES).min(self.threads.unwrap_or_else(cores)).max(1)
    }

    /// Threads that read files. More than cores: they wait for disks.
    pub fn readers(&self) -> usize {
        (self.spare / 16 / READER_BYTES).clamp(1, self.threads.unwrap_or(READERS_MAX).min(READERS_MAX))
    }

    /// Whether a pack may wait until it is written, while the next is being filled.
    pub fn may_wait(&self, pack_bytes: u32) -> bool {
        pack_bytes as usize <= self.spare / 4
    }

    /// Pages of the index.
    pub fn index_bytes(&self) -> usize {
        self.spare / 8
    }

    /// New chunks after which the index learns of them.
    pub fn new_chunks(&self) -> usize {
        self.spare / 16 / NEW_CHUNK_BYTES
    }

    /// Bytes of new trees after which it does too.
    pub fn new_tree_bytes(&self) -> usize {
        self.spare / 64 * 3
    }

    /// Packs of which it is remembered where they are.
    pub fn packs_placed(&self) -> usize {
        self.spare / 32 / PLACE_BYTES
    }

    /// Blocks that were opened and may be asked for again.
    pub fn opened_bytes(&self) -> usize {
        self.spare / 16 * 3
    }

    /// Parts of files that are restored together.
    pub fn restored_parts(&self) -> usize {
        self.spare / 4 / PART_BYTES
    }

    /// Names and metadata of those files.
    pub fn restored_bytes(&self) -> usize {
        self.spare / 4
    }

    /// First names of restored files that have several.
    pub fn linked_bytes(&self) -> usize {
        self.spare / 16
    }

    /// Ids that are sorted.
    pub fn ids_bytes(&self) -> usize {
        self.spare / 4
    }

    /// Packs that a destination has, without their chunks, which are sorted, until the index has them: some hundred bytes
    /// each, so that of full packs twenty million chunks go into it at once.
    pub fn new_packs_bytes(&self) -> usize {
        self.spare / 4
    }

    /// Other records that are sorted.
    pub fn records_bytes(&self) -> usize {
        self.spare / 8
    }

    /// Trees that are open while a history is merged.
    pub fn merged_bytes(&self) -> usize {
        self.spare / 8 * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_is_given() {
        let usual = Budget::new(96 << 20, Some(64));
        assert_eq!((usual.workers(), usual.readers()), (4, 4));
        assert_eq!((usual.new_chunks(), usual.new_tree_bytes(), usual.packs_placed()), (41_943, 3 << 20, 87_381));
        assert_eq!((usual.index_bytes(), usual.opened_bytes()), (8 << 20, 12 << 20));
        assert_eq!((usual.restored_parts(), usual.restored_bytes()), (65_536, 16 << 20));
        assert_eq!(usual.linked_bytes(), 4 << 20);
        assert_eq!((usual.ids_bytes(), usual.records_bytes(), usual.merged_bytes()), (16 << 20, 8 << 20, 24 << 20));
        assert_eq!(Budget::bytes_for(16 << 20), 96 << 20);
        assert!(usual.may_wait(16 << 20) && !usual.may_wait(16 << 20 | 1));
    }

    #[test]
    fn there_is_always_one_thread_and_never_more_than_wanted() {
        let least = Budget::new(0, None);
        assert_eq!(least, Budget::new(LEAST_BYTES, None));
        assert!((1..=2).contains(&least.workers()) && least.readers() == 2 && !least.may_wait(16 << 20));
        let one = Budget::new(u64::MAX, Some(1));
        assert_eq!((one.workers(), one.readers()), (1, 1));
        let most = Budget::new(u64::MAX, Some(100));
        assert_eq!((most.workers(), most.readers()), (100, READERS_MAX));
    }
}
