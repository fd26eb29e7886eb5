//! Marking: which chunks some snapshots need, and how much of every pack that is.
//!
//! A repository has more chunks than fit into memory, so nothing here is a hash set of them. Ids are sorted in runs on
//! disk and merged (`crate::spill`); trees are read level by level, the distinct folders of one level once each, so that a
//! hundred snapshots that share most of their folders cost little more than one ([`Needs`]); what comes out is a sorted
//! file that is read in order or looked up in with one read ([`LiveSet`]). Joined with the index it tells what a
//! destination's packs still hold that is needed ([`Keepers`]). What is only thought of lies in a [`ChunkFile`] meanwhile.

mod chunks;
mod needs;
mod set;
mod tally;

use crate::index::IndexError;
use crate::snapshot::ReadError;
use crate::spill::SpillError;

pub use chunks::{ChunkFile, ChunkFileWriter};
pub use needs::{Needs, unreadable};
pub use set::LiveSet;
pub use tally::{Keepers, PackTally, Tally};

/// Why marking could not be done.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A temporary file failed.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// A tree or a long recipe could not be read; [`unreadable`] tells which snapshots need it.
    #[error(transparent)]
    Read(ReadError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Stopped at the user's wish.
    #[error("interrupted")]
    Interrupted,
}

impl From<ReadError> for LiveError {
    /// A broken index is rebuilt; a snapshot that cannot be read is named. The two must not be mixed up.
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Index(error) => Self::Index(error),
            other => Self::Read(other),
        }
    }
}

#[cfg(test)]
mod tests;
