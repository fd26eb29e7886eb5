//! May something be skipped? Only what a destination within reach of this run holds.
//!
//! Two sticks used in turn, never plugged in together, must each end up complete: a recipe whose chunks are on the
//! other stick is not covered, and its file is read again although it did not change. Where the previous snapshot is
//! whole on a destination within reach, everything in it is covered without looking.

use crate::format::id::ChunkKind;
use crate::format::tree::{Node, NodeKind};
use crate::index::{DestinationBits, IndexError, IndexReader};
use crate::replicate::Fetcher;
use crate::snapshot::{ReadError, each_chunk, each_need};

/// What one previous root covers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Coverage {
    /// Destinations within reach of this run.
    pub reachable: DestinationBits,
    /// Those of them on which the previous snapshot is whole.
    pub whole: DestinationBits,
}

impl Coverage {
    /// Whether everything in the previous root is covered.
    pub fn is_whole(&self) -> bool {
        self.whole != 0
    }

    /// The destinations that lack something `node` needs; `None` where no destination has some of it. Not looked into
    /// folders: their entries are asked for one by one.
    pub fn lacking(&self, fetcher: &Fetcher<'_>, node: &Node) -> Result<Option<DestinationBits>, ReadError> {
        if self.is_whole() {
            return Ok(Some(self.reachable & !self.whole));
        }
        let NodeKind::File(recipe) = &node.kind else { return Ok(Some(0)) };
        let mut lacking = Lacking::new(self.reachable);
        let result = each_chunk(fetcher, ChunkKind::Data, recipe, &mut |_, id, _| lacking.need(fetcher.index(), id));
        lacking.answer(result)
    }

    /// The same for a folder with everything below it.
    pub fn lacking_below(&self, fetcher: &Fetcher<'_>, node: &Node) -> Result<Option<DestinationBits>, ReadError> {
        if self.is_whole() {
            return Ok(Some(self.reachable & !self.whole));
        }
        let mut lacking = Lacking::new(self.reachable);
        let result = each_need(fetcher, None, node, &mut |_, id, _| lacking.need(fetcher.index(), id));
        lacking.answer(result)
    }
}

struct Lacking {
    reachable: DestinationBits,
    lacking: DestinationBits,
}

impl Lacking {
    fn new(reachable: DestinationBits) -> Self {
        Self { reachable, lacking: 0 }
    }

    fn need(&mut self, view: &IndexReader, id: &crate::format::id::ChunkId) -> Result<(), NotCovered> {
        let there = view.chunk_presence(id)? & self.reachable;
        if there == 0 {
            return Err(NotCovered::Nowhere);
        }
        self.lacking |= self.reachable & !there;
        Ok(())
    }

    fn answer(self, result: Result<(), NotCovered>) -> Result<Option<DestinationBits>, ReadError> {
        match result {
            Ok(()) => Ok(Some(self.lacking)),
            // Lists that cannot be read are as good as not there.
            Err(NotCovered::Nowhere | NotCovered::Read(_)) => Ok(None),
            Err(NotCovered::Index(error)) => Err(error.into()),
        }
    }
}

enum NotCovered {
    Nowhere,
    Read(#[expect(dead_code, reason = "every unreadable list means the same: read the file again")] ReadError),
    Index(IndexError),
}

impl From<IndexError> for NotCovered {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

impl From<ReadError> for NotCovered {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Index(error) => Self::Index(error),
            other => Self::Read(other),
        }
    }
}
