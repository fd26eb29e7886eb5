//! What this machine remembers of the destinations: a redb file, always rebuildable from them.
//!
//! The index never decides what exists. An entry says where a chunk *would* be; whether a pack is on a destination is
//! settled by listing it (replicate/reconcile.rs), and a pack without a destination's bit is nowhere. Any error of the
//! file itself means: move it aside and rebuild ([`IndexError::Broken`]).
//!
//! redb is opened for a single writing process, so that reading commands work during a backup, and its cache is set:
//! the default of 1 GiB would be the largest thing in the program.

pub mod file;
mod packs;
mod read;
mod tables;
mod write;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase};

use crate::format::id::{ChunkKind, DestinationId, PackId, RepoId};
use crate::memory::Budget;
use crate::spill::SpillError;

pub use packs::PackLoader;
pub use read::{IndexReader, PackSize};
pub use tables::{MarkRow, SnapshotRow};
pub use write::IndexWriter;

/// Why the index could not be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is no index yet.
    #[error("there is no index yet")]
    Missing,
    /// Another process has it open for writing.
    #[error("another command is writing to the index")]
    Busy,
    /// The file is damaged, of another repository, of another version, or could not be read.
    #[error("the index cannot be used: {0}")]
    Broken(String),
    /// The disk that it is on is full. What it said before it says still.
    #[error("there is no room on the disk that it is on")]
    NoRoom,
    /// What was to be put in did not fit into memory, nor onto the disk.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// A repository can have 64 destinations at most, counting forgotten ones until the index is rebuilt.
    #[error("this index already knows 64 destinations; forget some and run `cryptbackup rebuild-index`")]
    TooManyDestinations,
}

/// A number for a pack, local to this index.
pub type PackNumber = u32;

/// Destinations as bits: the bit of a destination is [`IndexReader::destination_bit`].
pub type DestinationBits = u64;

/// Where one chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which pack.
    pub pack: PackNumber,
    /// Which block of it.
    pub block: u32,
    /// Offset of the chunk in the raw block, in bytes.
    pub offset: u32,
    /// Length of the chunk in bytes.
    pub len: u32,
}

/// Where one block is in its pack, and how it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockInfo {
    /// Offset of its sealed bytes in the pack.
    pub offset: u32,
    /// Length of its sealed bytes.
    pub sealed_len: u32,
    /// Length of the raw block.
    pub raw_len: u32,
    /// How it was compressed.
    pub compression: crate::format::pack::Compression,
}

/// What is known of one pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PackInfo {
    /// Its name.
    pub id: PackId,
    /// Its stored length in bytes.
    pub len: u64,
    /// What its chunks hold.
    pub kind: ChunkKind,
    /// The epoch of its key.
    pub epoch: u32,
    /// The salt of its key.
    pub salt: [u8; 32],
}

enum Store {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
}

/// The open index.
pub struct Index {
    /// There until it is closed.
    store: Option<Store>,
    /// Where what does not fit into memory lies while it is put in.
    scratch: PathBuf,
    budget: Budget,
}

impl Drop for Index {
    fn drop(&mut self) {
        self.close();
    }
}

impl Index {
    /// Opens the index at `path` for writing, making an empty one for `repo` where there is none. `memory` is the budget
    /// of the whole program in bytes, of which the index takes its share.
    ///
    /// # Errors
    /// [`IndexError::Busy`]; [`IndexError::Broken`], after which the caller moves the file aside.
    pub fn open(path: &Path, repo: RepoId, memory: u64) -> Result<Self, IndexError> {
        let index = Self::open_with(repo, memory, |builder| file::create(builder, path))?;
        Ok(index.with_scratch(path.parent().unwrap_or(path)))
    }

    /// The same, on whatever storage `create` finds for it.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn open_with(
        repo: RepoId,
        memory: u64,
        create: impl FnOnce(&Builder) -> Result<Database, DatabaseError>,
    ) -> Result<Self, IndexError> {
        let budget = Budget::new(memory, None);
        let database = guarded(|| create(&builder(budget)).map_err(opening))?;
        let index = Self { store: Some(Store::Writable(database)), scratch: std::env::temp_dir(), budget };
        index.adopt(repo)?;
        Ok(index)
    }

    /// Opens the index at `path` for reading; another process may be writing to it.
    ///
    /// # Errors
    /// [`IndexError::Missing`], [`IndexError::Busy`], [`IndexError::Broken`].
    pub fn open_read_only(path: &Path, repo: RepoId, memory: u64) -> Result<Self, IndexError> {
        Self::open_read_only_with(repo, memory, |builder| file::open_read_only(builder, path))
    }

    /// The same, on whatever storage `open` finds for it.
    ///
    /// # Errors
    /// Those of [`Self::open_read_only`].
    pub fn open_read_only_with(
        repo: RepoId,
        memory: u64,
        open: impl FnOnce(&Builder) -> Result<ReadOnlyDatabase, DatabaseError>,
    ) -> Result<Self, IndexError> {
        let budget = Budget::new(memory, None);
        let database = guarded(|| open(&builder(budget)).map_err(opening))?;
        let index = Self { store: Some(Store::ReadOnly(database)), scratch: std::env::temp_dir(), budget };
        let found = index.reader()?.repo()?;
        if found != Some(repo) {
            return Err(IndexError::Broken("it belongs to another repository".into()));
        }
        Ok(index)
    }

    /// Puts what does not fit into memory into files in `folder`, which must be there, and not into the system's folder for
    /// temporary files.
    #[must_use]
    pub fn with_scratch(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.scratch);
        self
    }

    fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Lets go of the file, as dropping does. Whoever asks it afterwards is told so.
    pub fn close(&mut self) {
        let store = self.store.take();
        let _ = guarded(|| {
            drop(store);
            Ok(())
        });
    }

    fn adopt(&self, repo: RepoId) -> Result<(), IndexError> {
        let mut writer = self.writer()?;
        match writer.adopt(repo)? {
            true => writer.commit(),
            false => Ok(()),
        }
    }

    /// A consistent view of everything committed so far.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn reader(&self) -> Result<IndexReader, IndexError> {
        guarded(|| {
            let transaction = match &self.store {
                Some(Store::Writable(database)) => database.begin_read(),
                Some(Store::ReadOnly(database)) => database.begin_read(),
                None => return Err(closed()),
            };
            IndexReader::new(&transaction.map_err(broken)?)
        })
    }

    /// A set of changes that take effect together on [`IndexWriter::commit`].
    ///
    /// # Errors
    /// [`IndexError::Busy`] on an index opened for reading; [`IndexError::Broken`].
    pub fn writer(&self) -> Result<IndexWriter, IndexError> {
        match &self.store {
            Some(Store::Writable(database)) => guarded(|| IndexWriter::new(database.begin_write().map_err(broken)?)),
            Some(Store::ReadOnly(_)) => Err(IndexError::Busy),
            None => Err(closed()),
        }
    }

    /// Whether changes can be made.
    pub fn is_writable(&self) -> bool {
        matches!(self.store, Some(Store::Writable(_)))
    }
}

fn builder(budget: Budget) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(budget.index_bytes()).set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

const DAMAGED: &str = "it is damaged";

/// A damaged file must never take the program down with it: the database checks its pages only when it has to repair
/// itself, and panics on some that are not its own.
fn guarded<T>(act: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| Err(IndexError::Broken(DAMAGED.into())))
}

/// What was taken out to be dropped is not asked any more.
fn closed() -> IndexError {
    IndexError::Broken("it is closed".into())
}

/// The bit with this number, which comes from the file and may be anything.
fn bit(number: u32) -> Result<DestinationBits, IndexError> {
    let bit = DestinationBits::checked_shl(1, number);
    bit.ok_or_else(|| IndexError::Broken("a destination's row cannot be right".into()))
}

fn opening(error: DatabaseError) -> IndexError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => IndexError::Busy,
        DatabaseError::Storage(redb::StorageError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            IndexError::Missing
        }
        other => broken(other),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn broken(error: impl Into<redb::Error>) -> IndexError {
    match error.into() {
        redb::Error::Io(error) if is_full(&error) => IndexError::NoRoom,
        redb::Error::Io(error) => IndexError::Broken(error.to_string()),
        other => IndexError::Broken(other.to_string()),
    }
}

/// What is kept of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownDestination {
    /// Which destination.
    pub id: DestinationId,
    /// Its bit.
    pub bit: DestinationBits,
}

#[cfg(test)]
mod tests;
