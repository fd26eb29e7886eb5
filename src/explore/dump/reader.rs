//! The bytes of a stored file, chunk by chunk.

use std::io::{self, Read};

use crate::error::Error;
use crate::format::id::ChunkKind;
use crate::format::recipe::Part;
use crate::format::tree::{Node, NodeKind};
use crate::replicate::Fetcher;
use crate::report::Monitor;
use crate::snapshot::{ChunkSource, PartReader};

/// A hole is given in pieces of so many zeros.
const ZEROS: u64 = 64 << 10;

/// Reads a stored file. As a [`Read`] it fails with an error that [`take_error`](Self::take_error) tells of in full.
pub(super) struct FileReader<'a> {
    fetcher: &'a Fetcher<'a>,
    monitor: &'a dyn Monitor,
    parts: Option<PartReader<'a>>,
    hole: u64,
    piece: Vec<u8>,
    given: usize,
    size: u64,
    error: Option<Error>,
}

impl<'a> FileReader<'a> {
    /// A reader of the file that `node` is; of anything else, nothing.
    pub fn new(fetcher: &'a Fetcher<'a>, monitor: &'a dyn Monitor, node: &Node) -> Self {
        let parts = match &node.kind {
            NodeKind::File(recipe) => Some(PartReader::new(fetcher, recipe)),
            _ => None,
        };
        let (piece, size) = (Vec::new(), node.size());
        Self { fetcher, monitor, parts, hole: 0, piece, given: 0, size, error: None }
    }

    /// The next bytes; none at the end.
    pub fn next_bytes(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.monitor.should_stop() {
            return Err(Error::Interrupted);
        }
        if self.hole == 0 {
            match self.parts.as_mut().and_then(Iterator::next).transpose()? {
                None => return Ok(None),
                Some(Part::Chunk { id, len }) => self.piece = self.fetcher.chunk(ChunkKind::Data, &id, len)?,
                Some(Part::Hole { len }) => self.hole = len,
            }
        }
        if self.hole > 0 {
            let zeros = self.hole.min(ZEROS);
            self.hole -= zeros;
            self.piece.clear();
            self.piece.resize(zeros as usize, 0);
        }
        self.given = 0;
        self.monitor.advance(0, self.piece.len() as u64);
        Ok(Some(&self.piece))
    }

    /// All of it, where it is short.
    pub fn whole(&mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::with_capacity(self.size.min(super::WHOLE_MAX) as usize);
        while let Some(piece) = self.next_bytes()? {
            bytes.extend_from_slice(piece);
        }
        Ok(bytes)
    }

    /// Why reading failed, if it did.
    pub fn take_error(&mut self) -> Option<Error> {
        self.error.take()
    }
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() {
            match self.next_bytes() {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(0),
                Err(error) => {
                    let shown = io::Error::other(error.to_string());
                    self.error = Some(error);
                    return Err(shown);
                }
            }
        }
        let rest = self.piece.get(self.given..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        self.given += len;
        Ok(len)
    }
}
