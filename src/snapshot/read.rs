//! Recipes into parts, trees into nodes, both read chunk by chunk.

use std::iter::Peekable;

use crate::format::FormatError;
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::recipe::{Part, Recipe};
use crate::format::tree::{Node, NodeKind, TreeDecoder};

use super::{ChunkSource, ReadError};

/// Gives the parts of a stream in order, however deep its recipe is.
pub struct PartReader<'a> {
    source: &'a dyn ChunkSource,
    own: std::vec::IntoIter<Part>,
    list: Option<Box<PartReader<'a>>>,
    buffer: Vec<u8>,
    used: usize,
    expected: Option<u64>,
    given: u64,
}

impl<'a> PartReader<'a> {
    /// A reader of the parts of `recipe`.
    pub fn new(source: &'a dyn ChunkSource, recipe: &Recipe) -> Self {
        Self::at(source, recipe.depth, recipe.parts.clone(), Some(recipe.size))
    }

    fn at(source: &'a dyn ChunkSource, depth: u8, parts: Vec<Part>, expected: Option<u64>) -> Self {
        let (own, list) = match depth {
            0 => (parts, None),
            _ => (Vec::new(), Some(Box::new(Self::at(source, depth - 1, parts, None)))),
        };
        Self { source, own: own.into_iter(), list, buffer: Vec::new(), used: 0, expected, given: 0 }
    }

    /// About how much memory it takes.
    fn held_bytes(&self) -> usize {
        let below = self.list.as_ref().map_or(0, |list| list.held_bytes());
        self.buffer.len() + self.own.len() * size_of::<Part>() + below
    }

    fn advance(&mut self) -> Result<Option<Part>, ReadError> {
        let Some(list) = &mut self.list else { return Ok(self.own.next()) };
        loop {
            let rest = self.buffer.get(self.used..).unwrap_or_default();
            if let Some((part, after)) = Part::take(rest)? {
                self.used = self.buffer.len() - after.len();
                return Ok(Some(part));
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            match list.advance()? {
                Some(Part::Chunk { id, len }) => {
                    self.buffer.extend(self.source.chunk(ChunkKind::Tree, &id, len)?);
                }
                Some(Part::Hole { .. }) => return Err(FormatError::Record("recipe", "a list has a hole").into()),
                None if self.buffer.is_empty() => return Ok(None),
                None => return Err(FormatError::Truncated.into()),
            }
        }
    }
}

impl Iterator for PartReader<'_> {
    type Item = Result<Part, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance() {
            Ok(Some(part)) => {
                self.given = self.given.saturating_add(part.len());
                Some(Ok(part))
            }
            // The length in the recipe is what everyone was told; parts that do not add up to it are not the stream.
            Ok(None) => match self.expected.take() {
                Some(expected) if expected != self.given => {
                    Some(Err(FormatError::Record("recipe", "the parts do not add up").into()))
                }
                _ => None,
            },
            Err(error) => {
                self.expected = None;
                self.own = Vec::new().into_iter();
                self.list = None;
                Some(Err(error))
            }
        }
    }
}

/// Gives the nodes of one folder in order.
pub struct TreeReader<'a> {
    parts: PartReader<'a>,
    source: &'a dyn ChunkSource,
    decoder: Option<TreeDecoder>,
}

impl<'a> TreeReader<'a> {
    /// A reader of the folder whose stream `recipe` is. [`Recipe::EMPTY`] is a folder that was never read.
    pub fn new(source: &'a dyn ChunkSource, recipe: &Recipe) -> Self {
        let decoder = (recipe.size > 0).then(TreeDecoder::default);
        Self { parts: PartReader::new(source, recipe), source, decoder }
    }

    /// About how much memory it takes: what was read and not given yet.
    pub fn held_bytes(&self) -> usize {
        self.decoder.as_ref().map_or(0, TreeDecoder::pending_bytes) + self.parts.held_bytes()
    }

    fn advance(&mut self) -> Result<Option<Node>, ReadError> {
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(None) };
            if let Some(node) = decoder.next_node()? {
                return Ok(Some(node));
            }
            match self.parts.next().transpose()? {
                Some(Part::Chunk { id, len }) => decoder.feed(&self.source.chunk(ChunkKind::Tree, &id, len)?),
                Some(Part::Hole { .. }) => return Err(FormatError::Record("tree", "it has a hole").into()),
                None => {
                    if let Some(decoder) = self.decoder.take() {
                        decoder.finish()?;
                    }
                    return Ok(None);
                }
            }
        }
    }
}

impl Iterator for TreeReader<'_> {
    type Item = Result<Node, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.advance();
        if result.is_err() {
            self.decoder = None;
        }
        result.transpose()
    }
}

/// The node at a path below `root`; `None` where there is nothing.
///
/// # Errors
/// [`ReadError`].
pub fn find_node(source: &dyn ChunkSource, root: &Node, components: &[&[u8]]) -> Result<Option<Node>, ReadError> {
    let mut current = root.clone();
    for name in components {
        let NodeKind::Folder(recipe) = &current.kind else { return Ok(None) };
        let mut found = None;
        for node in TreeReader::new(source, recipe) {
            let node = node?;
            if node.name.as_slice() >= *name {
                found = (node.name.as_slice() == *name).then_some(node);
                break;
            }
        }
        match found {
            Some(node) => current = node,
            None => return Ok(None),
        }
    }
    Ok(Some(current))
}

/// The most that the folders around the one being read may hold. What an honest writer makes takes a thousandth of it.
const HELD_BYTES_MAX: usize = 64 << 20;

/// How much the folders hold that are open around the one being read. Without a bound, folders in each other that are
/// full of large nodes would take all the memory there is.
#[derive(Default)]
pub struct Held(Vec<usize>);

impl Held {
    /// Takes note that the reader of the innermost folder waits, while one in it is read.
    ///
    /// # Errors
    /// [`FormatError::Limit`]; the folder must not be entered then.
    pub fn enter(&mut self, waiting: &TreeReader<'_>) -> Result<(), FormatError> {
        let sum = self.0.last().copied().unwrap_or(0) + waiting.held_bytes();
        if sum > HELD_BYTES_MAX {
            return Err(FormatError::Limit("bytes of the folders a folder is in"));
        }
        self.0.push(sum);
        Ok(())
    }

    /// Takes note that the innermost folder was left.
    pub fn leave(&mut self) {
        self.0.pop();
    }
}

/// Gives every node below a folder, depth first, each with its path below the folder, joined by `/`. A folder comes
/// before what is in it.
pub struct TreeWalk<'a> {
    source: &'a dyn ChunkSource,
    stack: Vec<(usize, TreeReader<'a>)>,
    held: Held,
    path: Vec<u8>,
    skip_last: bool,
    last_folder: Option<Recipe>,
}

impl<'a> TreeWalk<'a> {
    /// A walk below the folder whose stream `recipe` is.
    pub fn new(source: &'a dyn ChunkSource, recipe: &Recipe) -> Self {
        Self {
            source,
            stack: vec![(0, TreeReader::new(source, recipe))],
            held: Held::default(),
            path: Vec::new(),
            skip_last: false,
            last_folder: None,
        }
    }

    /// Does not enter the folder that was given last.
    pub fn skip_folder(&mut self) {
        self.skip_last = true;
    }
}

impl Iterator for TreeWalk<'_> {
    type Item = (Vec<u8>, Result<Node, ReadError>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(recipe) = self.last_folder.take()
            && !std::mem::take(&mut self.skip_last)
        {
            let entered = self.stack.last().map_or(Ok(()), |(_, waiting)| self.held.enter(waiting));
            if let Err(error) = entered {
                return Some((self.path.clone(), Err(error.into())));
            }
            self.stack.push((self.path.len(), TreeReader::new(self.source, &recipe)));
        }
        self.skip_last = false;
        loop {
            let (length, reader) = self.stack.last_mut()?;
            self.path.truncate(*length);
            match reader.next() {
                None => {
                    self.stack.pop();
                    self.held.leave();
                }
                Some(Err(error)) => {
                    // The rest of this folder cannot be told; its siblings can.
                    let path = self.path.clone();
                    self.stack.pop();
                    self.held.leave();
                    return Some((path, Err(error)));
                }
                Some(Ok(node)) => {
                    if !self.path.is_empty() {
                        self.path.push(b'/');
                    }
                    self.path.extend_from_slice(&node.name);
                    self.last_folder = node.folder().cloned();
                    return Some((self.path.clone(), Ok(node)));
                }
            }
        }
    }
}

/// Gives every chunk a stream needs: the chunks of its lists, then its own.
///
/// # Errors
/// [`ReadError`], or what `each` returns.
pub fn each_chunk<E: From<ReadError>>(
    source: &dyn ChunkSource,
    kind: ChunkKind,
    recipe: &Recipe,
    each: &mut dyn FnMut(ChunkKind, &ChunkId, u32) -> Result<(), E>,
) -> Result<(), E> {
    for lists in (0..recipe.depth).rev() {
        // Depth counts from the stream upwards; the list nearest to the recipe has to be there to read the next.
        let depth = recipe.depth - 1 - lists;
        for part in PartReader::at(source, depth, recipe.parts.clone(), None) {
            if let Part::Chunk { id, len } = part? {
                each(ChunkKind::Tree, &id, len)?;
            }
        }
    }
    for part in PartReader::new(source, recipe) {
        if let Part::Chunk { id, len } = part? {
            each(kind, &id, len)?;
        }
    }
    Ok(())
}

/// Gives every chunk that `node` needs and `base`, a node that is known to be whole, does not: recipes that are equal
/// are not looked into. What is given twice was met twice.
///
/// # Errors
/// [`ReadError`], or what `each` returns.
pub fn each_need<E: From<ReadError>>(
    source: &dyn ChunkSource,
    base: Option<&Node>,
    node: &Node,
    each: &mut dyn FnMut(ChunkKind, &ChunkId, u32) -> Result<(), E>,
) -> Result<(), E> {
    let mut stack = Vec::new();
    let mut held = Held::default();
    enter_need(source, base, node, each, &mut stack)?;
    while let Some(folder) = stack.last_mut() {
        let Some(node) = folder.nodes.next().transpose()? else {
            stack.pop();
            held.leave();
            continue;
        };
        let base = &mut folder.base;
        while base.next_if(|next| next.as_ref().map_or(true, |next| next.name < node.name)).is_some() {}
        // A base that cannot be read spares nothing.
        let same = base.next_if(|next| next.as_ref().is_ok_and(|next| next.name == node.name));
        if node.folder().is_some() {
            held.enter(&folder.nodes).map_err(ReadError::from)?;
        }
        if !enter_need(source, same.and_then(Result::ok).as_ref(), &node, each, &mut stack)? && node.folder().is_some()
        {
            held.leave();
        }
    }
    Ok(())
}

/// A folder whose needs are being told, and the one whose needs are told already.
struct Needs<'a> {
    nodes: TreeReader<'a>,
    base: Peekable<TreeReader<'a>>,
}

/// Tells the needs of a node itself. What is in a folder is left on the stack, since folders may lie in each other
/// deeper than calls can; gives whether it was.
fn enter_need<'a, E: From<ReadError>>(
    source: &'a dyn ChunkSource,
    base: Option<&Node>,
    node: &Node,
    each: &mut dyn FnMut(ChunkKind, &ChunkId, u32) -> Result<(), E>,
    stack: &mut Vec<Needs<'a>>,
) -> Result<bool, E> {
    match (&node.kind, base.map(|base| &base.kind)) {
        (left, Some(right)) if left == right => {}
        (NodeKind::File(recipe), _) => each_chunk(source, ChunkKind::Data, recipe, each)?,
        (NodeKind::Folder(recipe), base) => {
            each_chunk(source, ChunkKind::Tree, recipe, each)?;
            let base = match base {
                Some(NodeKind::Folder(base)) => base,
                _ => &Recipe::EMPTY,
            };
            let base = TreeReader::new(source, base).peekable();
            stack.push(Needs { nodes: TreeReader::new(source, recipe), base });
            return Ok(true);
        }
        _ => {}
    }
    Ok(false)
}
