//! Marking: which chunks some snapshots need, and how much of every pack that is.
//!
//! A repository has more chunks than fit into memory, so nothing here is a hash set of them. Ids are sorted in runs on
//! disk and merged (`sort`); trees are read level by level, the distinct folders of one level once each, so that a
//! hundred snapshots that share most of their folders cost little more than one ([`Needs`]); what comes out is a sorted
//! file that is read in order or looked up in with one read ([`LiveSet`]). Joined with the index it tells what a
//! destination's packs still hold that is needed ([`Keepers`]). What is only thought of lies in a [`ChunkFile`] meanwhile.

mod chunks;
mod needs;
mod record;
mod set;
mod sort;
mod tally;
mod temporary;

use std::io;
use std::path::{Path, PathBuf};

use crate::index::IndexError;
use crate::snapshot::ReadError;

pub use chunks::{ChunkFile, ChunkFileWriter};
pub use needs::{Needs, unreadable};
pub use set::LiveSet;
pub use tally::{Keepers, PackTally, Tally};

/// Why marking could not be done.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A temporary file failed.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
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

impl LiveError {
    fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }
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
