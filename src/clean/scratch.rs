//! Trees of a history before they are stored. `--dry-run` stores nothing and only says how much space would come back.
//!
//! They go into temporary files of the state folder, and where they lie there too, so that memory does not grow with
//! them: every path with a version in the history has a tree of its own.

use std::path::Path;
use std::sync::Arc;

use crate::error::Error;
use crate::format::id::{ChunkId, ChunkKind};
use crate::live::{ChunkFile, ChunkFileWriter};
use crate::memory::Budget;
use crate::seal::Keys;
use crate::snapshot::{ChunkSink, ChunkSource, ReadError};

/// Takes tree chunks.
pub(super) struct Scratch {
    chunks: ChunkFileWriter,
    keys: Arc<Keys>,
}

impl Scratch {
    pub(super) fn new(keys: &Arc<Keys>, folder: &Path, budget: Budget) -> Result<Self, Error> {
        Ok(Self { chunks: ChunkFileWriter::new(folder, budget)?, keys: Arc::clone(keys) })
    }

    pub(super) fn finish(self) -> Result<ChunkFile, Error> {
        Ok(self.chunks.finish()?)
    }
}

impl ChunkSink for Scratch {
    type Error = Error;

    fn put_tree_chunk(&mut self, bytes: &[u8]) -> Result<ChunkId, Error> {
        let id = self.keys.chunk_id(ChunkKind::Tree, bytes);
        self.chunks.put(id, bytes)?;
        Ok(id)
    }
}

/// Chunks that are stored, and those that are only thought of.
pub(super) struct Overlay<'a> {
    /// What is stored.
    pub stored: &'a dyn ChunkSource,
    /// What is thought of.
    pub imagined: Option<&'a ChunkFile>,
}

impl ChunkSource for Overlay<'_> {
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        // A file of our own that cannot be read has lost the chunk.
        let imagined =
            self.imagined.map_or(Ok(None), |chunks| chunks.get(id)).map_err(|_| ReadError::Missing { id: *id })?;
        match imagined {
            Some(bytes) => Ok(bytes),
            None => self.stored.chunk(kind, id, len),
        }
    }

    fn reading_order(&self, id: &ChunkId) -> Result<u64, ReadError> {
        self.stored.reading_order(id)
    }
}
