//! N unequal destinations as one durable place.
//!
//! - [`reconcile`](reconcile::reconcile): what is there? A listing of each destination, against what the index says.
//! - [`Lanes`]: new packs to every destination at once, each at its own speed.
//! - [`Fetcher`]: a chunk from whichever destination gives it back unchanged.
//! - [`catch_up`](catch_up::CatchUp): everything one snapshot needs onto a destination that lacks some of it.
//! - [`heal`]: a damaged pack on one destination, whole again from the others or from what is left of it.
//! - [`neighbours`]: what other writers of a destination say, and what is told them.
//!
//! Rule of the house: skip against what is reachable, commit against what is there (docs/format.md §16, I3).

pub mod catch_up;
pub mod fetch;
pub mod heal;
pub mod lanes;
pub mod neighbours;
pub mod reconcile;

mod commit;
mod rescue;
mod salvage;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::destination::{Destination, DestinationError};
use crate::format::id::DestinationId;
use crate::index::{DestinationBits, IndexError};
use crate::seal::SealError;
use crate::snapshot::ReadError;

pub use catch_up::CatchUp;
pub use fetch::Fetcher;
pub use heal::{Healing, PackHealer};
pub use lanes::{LaneOutcome, Lanes};
pub use neighbours::Neighbours;
pub use reconcile::{Reconciled, damage_packs, reconcile};

/// How a destination is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DestinationState {
    /// It can be read and written.
    Online,
    /// Its path does not exist: unplugged, not mounted.
    Absent,
    /// Something else is at its path: an empty mount point, another disk, another repository.
    WrongDevice,
    /// It can be read, but not written.
    ReadOnly,
    /// It has no room.
    Full,
    /// It cannot make folder entries durable; a power cut may lose what was just committed.
    Weak,
    /// It shows less than it did, and nobody is known to have deleted it.
    RolledBack,
    /// Its mark, its header or a pack on it is damaged.
    Damaged,
}

/// A destination that can be used in this run.
#[derive(Clone)]
pub struct OpenDestination {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is: its path in the configuration, or that of another one with which it changed places.
    pub path: PathBuf,
    /// Its id.
    pub id: DestinationId,
    /// Its bit in the index.
    pub bit: DestinationBits,
    /// Its objects.
    pub place: Arc<dyn Destination>,
    /// Bytes a second it may be written with, where that is limited.
    pub upload_limit: Option<u64>,
    /// What is known of its other writers.
    pub neighbours: Neighbours,
}

/// Why replication could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplicateError {
    /// A destination failed.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A chunk could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Something could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Another writer deleted something the snapshot needs before that could be looked at again: whether it is on the
    /// destination or not, it does not count, and has to be made anew.
    #[error("another writer deleted what the snapshot needs")]
    Overtaken,
    /// The system lets the program have no more threads.
    #[error("no thread can be started: {0}")]
    NoThread(io::Error),
    /// Stopped at the user's wish.
    #[error("interrupted")]
    Interrupted,
}
