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
#[derive(Clone)]
pub(super) struct Strand {
    pub origin: Origin,
    pub recipe: Recipe,
}

/// Nodes of a strand by the names they have in the source.
struct StrandReader<'a> {
    origin: Origin,
    nodes: TreeReader<'a>,
}

impl<'a> StrandReader<'a> {
    fn new(source: &'a dyn ChunkSource, strand: &Strand) -> Self {
        Self { origin: strand.origin, nodes: TreeReader::new(source, &strand.recipe) }
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

/// What happens where a strand cannot be read on.
enum Trouble {
    /// Everything ends.
    Ends,
    /// The strand does; the first reason is kept.
    Kept(Option<ReadError>),
}

impl Trouble {
    fn of(&mut self, advanced: Result<Option<Node>, ReadError>) -> Result<Option<Node>, ReadError> {
        match (self, advanced) {
            (Trouble::Kept(first), Err(error)) => {
                first.get_or_insert(error);
                Ok(None)
            }
            (_, advanced) => advanced,
        }
    }
}

/// Gives the names in ascending order, each with all that has it.
pub(super) struct Names<'a> {
    reading: Reading<'a>,
    trouble: Trouble,
}

enum Reading<'a> {
    /// All strands are open. That holds a chunk of each in memory.
    SideBySide(Vec<(StrandReader<'a>, Option<Node>)>),
    /// The strands are read one after the other, as often as it takes to get through with this many bytes of nodes.
    Windows(Windows<'a>),
}

impl<'a> Names<'a> {
    /// Reads `strands` side by side.
    pub fn side_by_side(source: &'a dyn ChunkSource, strands: &[Strand]) -> Result<Self, ReadError> {
        Self::open(source, strands, Trouble::Ends)
    }

    /// The same; of a strand that cannot be read, what can be.
    pub fn side_by_side_as_far_as_readable(source: &'a dyn ChunkSource, strands: &[Strand]) -> Self {
        let nothing = |error| Self { reading: Reading::SideBySide(Vec::new()), trouble: Trouble::Kept(Some(error)) };
        Self::open(source, strands, Trouble::Kept(None)).unwrap_or_else(nothing)
    }

    fn open(source: &'a dyn ChunkSource, strands: &[Strand], mut trouble: Trouble) -> Result<Self, ReadError> {
        let mut heads = Vec::with_capacity(strands.len());
        for strand in strands {
            let mut reader = StrandReader::new(source, strand);
            let head = trouble.of(reader.advance())?;
            heads.push((reader, head));
        }
        Ok(Self { reading: Reading::SideBySide(heads), trouble })
    }

    /// Reads `strands` one after the other.
    pub fn windows(source: &'a dyn ChunkSource, strands: &[Strand], window_bytes: usize) -> Self {
        let strands = strands.to_vec();
        let ready = BTreeMap::new().into_iter();
        let windows = Windows { source, strands, window_bytes, ready, after: None, is_last: false };
        Self { reading: Reading::Windows(windows), trouble: Trouble::Ends }
    }

    /// The same; of a strand that cannot be read, what can be.
    pub fn windows_as_far_as_readable(source: &'a dyn ChunkSource, strands: &[Strand], window_bytes: usize) -> Self {
        Self { trouble: Trouble::Kept(None), ..Self::windows(source, strands, window_bytes) }
    }

    /// Why a strand could not be read on, if there was one and it was left out.
    pub fn into_failed(self) -> Option<ReadError> {
        match self.trouble {
            Trouble::Kept(failed) => failed,
            Trouble::Ends => None,
        }
    }

    /// The next name.
    pub fn next_name(&mut self) -> Result<Option<(Bytes, Entries)>, ReadError> {
        let heads = match &mut self.reading {
            Reading::Windows(windows) => return windows.next_name(&mut self.trouble),
            Reading::SideBySide(heads) => heads,
        };
        let Some(name) = heads.iter().filter_map(|(_, head)| Some(&head.as_ref()?.name)).min().cloned() else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for (number, (reader, head)) in heads.iter_mut().enumerate() {
            if let Some(node) = head.take_if(|node| node.name == name) {
                entries.push((number, node));
                *head = self.trouble.of(reader.advance())?;
            }
        }
        Ok(Some((name, entries)))
    }
}

/// See [`Reading::Windows`].
struct Windows<'a> {
    source: &'a dyn ChunkSource,
    strands: Vec<Strand>,
    window_bytes: usize,
    ready: btree_map::IntoIter<Bytes, Entries>,
    /// The last name that was ready.
    after: Option<Bytes>,
    is_last: bool,
}

impl Windows<'_> {
    fn next_name(&mut self, trouble: &mut Trouble) -> Result<Option<(Bytes, Entries)>, ReadError> {
        match self.ready.next() {
            Some(next) => Ok(Some(next)),
            None if self.is_last => Ok(None),
            None => {
                self.fill(trouble)?;
                Ok(self.ready.next())
            }
        }
    }

    /// Collects the next names, as many as there is room for. The first always fits.
    fn fill(&mut self, trouble: &mut Trouble) -> Result<(), ReadError> {
        let mut found: BTreeMap<Bytes, Entries> = BTreeMap::new();
        let mut bytes = 0;
        let mut end: Option<Bytes> = None;
        for (number, strand) in self.strands.iter().enumerate() {
            let mut reader = StrandReader::new(self.source, strand);
            while let Some(node) = trouble.of(reader.advance())? {
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
