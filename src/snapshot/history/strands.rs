//! Several trees of one folder, read side by side: everything that has a name, name by name.

use std::collections::{BTreeMap, btree_map};

use crate::format::history::Place;
use crate::format::recipe::Recipe;
use crate::format::tree::{Bytes, Node, NodeKind};
use crate::snapshot::{ChunkSource, ReadError, TreeReader};

/// What a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A folder as this group of states had it.
    State(usize),
    /// A history, for the folders in it.
    Folders,
    /// A history, for the versions in it.
    Versions,
}

/// A tree that is read beside others.
#[derive(Clone, Copy)]
pub(super) struct Strand<'a> {
    pub origin: Origin,
    pub recipe: &'a Recipe,
}

/// Nodes of a strand by the names they have in the source.
struct StrandReader<'a> {
    origin: Origin,
    nodes: TreeReader<'a>,
}

impl<'a> StrandReader<'a> {
    fn new(source: &'a dyn ChunkSource, strand: &Strand<'_>) -> Self {
        Self { origin: strand.origin, nodes: TreeReader::new(source, strand.recipe) }
    }

    fn advance(&mut self) -> Result<Option<Node>, ReadError> {
        while let Some(mut node) = self.nodes.next().transpose()? {
            let name = match (self.origin, &node) {
                (Origin::State(_), _) => return Ok(Some(node)),
                (Origin::Folders, node) => match Place::of(node)? {
                    Place::Folder(name) => name.to_vec(),
                    // Folders come first.
                    Place::Versions(_) => return Ok(None),
                },
                (Origin::Versions, node) => match Place::of(node)? {
                    Place::Versions(name) if !name.is_empty() => name.to_vec(),
                    // A folder, or the source itself, which is no name in a folder.
                    _ => continue,
                },
            };
            node.name = name;
            return Ok(Some(node));
        }
        Ok(None)
    }
}

/// What has a name: nodes, each with the number of its strand.
pub(super) type Entries = Vec<(usize, Node)>;

/// Gives the names in ascending order, each with all that has it.
pub(super) enum Names<'a> {
    /// All strands are open. That holds a chunk of each in memory.
    SideBySide(Vec<(StrandHead<'a>, Option<Node>)>),
    /// The strands are read one after the other, as often as it takes to get through with this many bytes of nodes.
    Windows(Windows<'a>),
}

/// A strand whose next node was taken.
pub(super) struct StrandHead<'a>(StrandReader<'a>);

impl<'a> Names<'a> {
    /// Reads `strands` side by side.
    pub fn side_by_side(source: &'a dyn ChunkSource, strands: &[Strand<'a>]) -> Result<Self, ReadError> {
        let mut heads = Vec::with_capacity(strands.len());
        for strand in strands {
            let mut reader = StrandReader::new(source, strand);
            let head = reader.advance()?;
            heads.push((StrandHead(reader), head));
        }
        Ok(Names::SideBySide(heads))
    }

    /// Reads `strands` one after the other.
    pub fn windows(source: &'a dyn ChunkSource, strands: &[Strand<'a>], window_bytes: usize) -> Self {
        let strands = strands.to_vec();
        let ready = BTreeMap::new().into_iter();
        Names::Windows(Windows { source, strands, window_bytes, ready, after: None, is_last: false })
    }

    /// The next name.
    pub fn next_name(&mut self) -> Result<Option<(Bytes, Entries)>, ReadError> {
        let heads = match self {
            Names::Windows(windows) => return windows.next_name(),
            Names::SideBySide(heads) => heads,
        };
        let Some(name) = heads.iter().filter_map(|(_, head)| Some(&head.as_ref()?.name)).min().cloned() else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for (number, (reader, head)) in heads.iter_mut().enumerate() {
            if let Some(node) = head.take_if(|node| node.name == name) {
                entries.push((number, node));
                *head = reader.0.advance()?;
            }
        }
        Ok(Some((name, entries)))
    }
}

/// See [`Names::Windows`].
pub(super) struct Windows<'a> {
    source: &'a dyn ChunkSource,
    strands: Vec<Strand<'a>>,
    window_bytes: usize,
    ready: btree_map::IntoIter<Bytes, Entries>,
    /// The last name that was ready.
    after: Option<Bytes>,
    is_last: bool,
}

impl Windows<'_> {
    fn next_name(&mut self) -> Result<Option<(Bytes, Entries)>, ReadError> {
        match self.ready.next() {
            Some(next) => Ok(Some(next)),
            None if self.is_last => Ok(None),
            None => {
                self.fill()?;
                Ok(self.ready.next())
            }
        }
    }

    /// Collects the next names, as many as there is room for. The first always fits.
    fn fill(&mut self) -> Result<(), ReadError> {
        let mut found: BTreeMap<Bytes, Entries> = BTreeMap::new();
        let mut bytes = 0;
        let mut end: Option<Bytes> = None;
        for (number, strand) in self.strands.iter().enumerate() {
            let mut reader = StrandReader::new(self.source, strand);
            while let Some(node) = reader.advance()? {
                if self.after.as_ref().is_some_and(|after| node.name <= *after) {
                    continue;
                }
                if end.as_ref().is_some_and(|end| node.name >= *end) {
                    break;
                }
                bytes += weight(&node);
                found.entry(node.name.clone()).or_default().push((number, node));
                while bytes > self.window_bytes
                    && found.len() > 1
                    && let Some((name, entries)) = found.pop_last()
                {
                    bytes -= entries.iter().map(|(_, node)| weight(node)).sum::<usize>();
                    end = Some(name);
                }
            }
        }
        self.after = found.last_key_value().map(|(name, _)| name.clone());
        self.is_last = end.is_none();
        self.ready = found.into_iter();
        Ok(())
    }
}

/// About how many bytes a node takes in memory.
fn weight(node: &Node) -> usize {
    let parts = match &node.kind {
        NodeKind::File(recipe) | NodeKind::Folder(recipe) => size_of_val(recipe.parts.as_slice()),
        NodeKind::Symlink(target) => target.len(),
        _ => 0,
    };
    let attributes = node.metadata.attributes.iter().map(|one| one.name.len() + one.value.len() + 48).sum::<usize>();
    size_of::<Node>() + 2 * node.name.len() + parts + attributes
}
