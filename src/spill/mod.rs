//! What does not fit into memory: sorted runs in files without a name, merged as they are read.
//!
//! A repository has more chunks than fit into memory. Whoever needs an order of all of them, to insert them into the index
//! or to tell which are needed, sorts them here under a budget ([`Sorter`]). Who looks for single records keeps them in a
//! file too ([`SpilledMap`]). Nothing stays in the folder, however the process ends ([`TemporaryFile`]).

mod map;
mod record;
mod sort;
mod temporary;

use std::io;
use std::path::{Path, PathBuf};

pub use map::SpilledMap;
pub use record::{Encoded, Record, prefix};
pub use sort::{Merge, Sorter, WRITE_BUFFER};
pub use temporary::{FromStart, TemporaryFile};

/// A temporary file failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {source}", path.display())]
pub struct SpillError {
    /// What was tried, as a verb.
    pub what: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl SpillError {
    fn new(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self { what, path: path.to_owned(), source }
    }
}
