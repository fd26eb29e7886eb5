//! Parts into recipes, nodes into trees, both as streams cut by the chunker, never whole in memory.

use crate::chunk::Chunker;
use crate::format::FormatError;
use crate::format::recipe::{DEPTH_MAX, INLINE_PARTS_MAX, Part, Recipe};
use crate::format::tree::{Node, TREE_VERSION};

use super::ChunkSink;

/// Collects the parts of one stream.
#[derive(Default)]
pub struct RecipeBuilder {
    size: u64,
    inline: Vec<Part>,
    spill: Option<Box<StreamBuilder>>,
}

/// A stream of bytes on its way into tree chunks.
#[derive(Default)]
struct StreamBuilder {
    buffer: Vec<u8>,
    recipe: RecipeBuilder,
}

impl RecipeBuilder {
    /// Adds the next part. More than a few dozen go into a stream of their own.
    ///
    /// # Errors
    /// What the sink returns.
    pub fn push<S: ChunkSink>(&mut self, part: Part, chunker: &Chunker, sink: &mut S) -> Result<(), S::Error> {
        self.size += part.len();
        if let Some(spill) = &mut self.spill {
            return spill.write(&part.encode()?, chunker, sink);
        }
        self.inline.push(part);
        if self.inline.len() > INLINE_PARTS_MAX {
            let mut spill = Box::<StreamBuilder>::default();
            for part in self.inline.drain(..) {
                spill.write(&part.encode()?, chunker, sink)?;
            }
            self.spill = Some(spill);
        }
        Ok(())
    }

    /// Length of the stream so far, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The recipe of everything pushed.
    ///
    /// # Errors
    /// What the sink returns; [`FormatError::Limit`] for a stream no recipe can describe (beyond 10¹⁵ bytes).
    pub fn finish<S: ChunkSink>(self, chunker: &Chunker, sink: &mut S) -> Result<Recipe, S::Error> {
        let Some(spill) = self.spill else { return Ok(Recipe { depth: 0, size: self.size, parts: self.inline }) };
        let list = spill.finish(chunker, sink)?;
        if list.depth >= DEPTH_MAX {
            return Err(FormatError::Limit("depth of a recipe").into());
        }
        Ok(Recipe { depth: list.depth + 1, size: self.size, parts: list.parts })
    }
}

impl StreamBuilder {
    fn write<S: ChunkSink>(&mut self, bytes: &[u8], chunker: &Chunker, sink: &mut S) -> Result<(), S::Error> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= chunker.max_bytes() { self.cut(false, chunker, sink) } else { Ok(()) }
    }

    fn cut<S: ChunkSink>(&mut self, is_last: bool, chunker: &Chunker, sink: &mut S) -> Result<(), S::Error> {
        let mut start = 0;
        while let Some(len) = chunker.cut(&self.buffer[start..], is_last) {
            let id = sink.put_tree_chunk(&self.buffer[start..start + len])?;
            start += len;
            self.recipe.push(Part::Chunk { id, len: len as u32 }, chunker, sink)?;
        }
        self.buffer.drain(..start);
        Ok(())
    }

    fn finish<S: ChunkSink>(mut self, chunker: &Chunker, sink: &mut S) -> Result<Recipe, S::Error> {
        self.cut(true, chunker, sink)?;
        self.recipe.finish(chunker, sink)
    }
}

/// Collects the nodes of one folder, in ascending order of their names.
#[derive(Default)]
pub struct TreeBuilder {
    stream: StreamBuilder,
    is_begun: bool,
}

impl TreeBuilder {
    /// Adds the next node.
    ///
    /// # Errors
    /// What the sink returns; [`FormatError`] for a node that no reader would accept.
    pub fn push<S: ChunkSink>(&mut self, node: &Node, chunker: &Chunker, sink: &mut S) -> Result<(), S::Error> {
        self.begin(chunker, sink)?;
        self.stream.write(&node.encode()?, chunker, sink)
    }

    /// The recipe of the tree.
    ///
    /// # Errors
    /// What the sink returns.
    pub fn finish<S: ChunkSink>(mut self, chunker: &Chunker, sink: &mut S) -> Result<Recipe, S::Error> {
        self.begin(chunker, sink)?;
        self.stream.finish(chunker, sink)
    }

    fn begin<S: ChunkSink>(&mut self, chunker: &Chunker, sink: &mut S) -> Result<(), S::Error> {
        if self.is_begun {
            return Ok(());
        }
        self.is_begun = true;
        self.stream.write(&[TREE_VERSION], chunker, sink)
    }
}
