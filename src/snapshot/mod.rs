//! Trees: build, walk, look up; recipes of any length; version numbers.
//!
//! Trees are streams of chunks like files are. This module does not know where chunks come from or go to: it reads
//! through a [`ChunkSource`] and writes through a [`ChunkSink`], which the layers above provide.

pub mod build;
pub mod history;
mod holds;
pub mod marks;
mod purge;
pub mod read;
pub mod states;
mod strands;
pub mod versions;

pub use build::{RecipeBuilder, TreeBuilder};
pub use holds::holds;
pub use marks::{Decision, Marks, place_of};
pub use purge::without;
pub use read::{Held, PartReader, TreeReader, TreeWalk, each_chunk, each_need, find_node};
pub use states::{Held as HeldNode, StateWalk};
pub use versions::path_hash;

use crate::format::FormatError;
use crate::format::id::{ChunkId, ChunkKind};
use crate::index::IndexError;

/// Why a chunk or what it is part of could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No pack on any destination that can be reached holds the chunk.
    #[error("a chunk is on no destination that can be reached")]
    Missing {
        /// Which one.
        id: ChunkId,
    },
    /// Packs that should hold the chunk can be reached, but none of them gives it back unchanged.
    #[error("{}", reasons.join("; "))]
    Damaged {
        /// Which one.
        id: ChunkId,
        /// What was found wrong on which destination.
        reasons: Vec<String>,
    },
    /// Packs that held the chunk are gone since it was looked where they are, because another command cleaned.
    #[error("another command cleaned there while it was read; do it again")]
    Cleaned,
    /// The chunks are whole, but what they make up breaks the rules of the format.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Where chunks come from. What it returns was authenticated and compared with its id.
pub trait ChunkSource: Sync {
    /// The bytes of a chunk of `len` bytes.
    ///
    /// # Errors
    /// [`ReadError`].
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError>;

    /// Whoever reads many chunks in any order reads them fastest in ascending order of this number; it is the same for
    /// all where that makes no difference.
    ///
    /// # Errors
    /// [`ReadError::Index`].
    fn reading_order(&self, _: &ChunkId) -> Result<u64, ReadError> {
        Ok(0)
    }
}

/// Where the chunks of trees and long recipes go.
pub trait ChunkSink {
    /// Why a chunk could not be stored.
    type Error: From<FormatError>;

    /// Stores a tree chunk, or finds it stored.
    ///
    /// # Errors
    /// [`Self::Error`].
    fn put_tree_chunk(&mut self, bytes: &[u8]) -> Result<ChunkId, Self::Error>;
}

#[cfg(test)]
pub(crate) mod tests;
