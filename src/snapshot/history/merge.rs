//! A new history from the snapshots of a source and its older histories, folder by folder.
//!
//! A folder's trees are read side by side, each once however many snapshots share it, and not at all where nothing goes.
//! What the history gets is written as it comes.

use super::judge::{Known, Standing, Verdict, judge};
use super::read::kept;
use crate::chunk::Chunker;
use crate::format::FormatError;
use crate::format::history::{Place, SEEN_TAG, Seen, version_name};
use crate::format::recipe::Recipe;
use crate::format::record::{Extra, Time};
use crate::format::tree::{Flags, Metadata, Node, NodeKind, is_component};
use crate::memory::Budget;
use crate::snapshot::strands::{Entries, Names, Origin, Strand};
use crate::snapshot::{ChunkSink, ChunkSource, ReadError, TreeBuilder, find_node};

/// What a snapshot has of the source.
pub struct State<'a> {
    /// When it was so: when the snapshot was finished; where it carried the source, when that was read.
    pub time: Time,
    /// Name of the machine that made the snapshot.
    pub machine: &'a str,
    /// The source.
    pub root: &'a Node,
    /// Whether the snapshot stays.
    pub stays: bool,
}

/// What a history is made from.
pub struct MergeRequest<'a> {
    /// Of all snapshots, those that go and those that stay, oldest first.
    pub states: &'a [State<'a>],
    /// The source's roots in older histories, for which the new one will stand; usually one.
    pub histories: &'a [&'a Node],
    /// The per-file rule: whether a version that no snapshot will hold any more is kept.
    pub is_protected: &'a dyn Fn(&Standing) -> bool,
}

/// A new history of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// Its root.
    pub root: Node,
    /// Paths of which it holds versions.
    pub paths: u64,
    /// Those versions.
    pub versions: u64,
    /// Bytes of their content, each counted as a whole.
    pub bytes: u64,
    /// Paths of which it holds a number only.
    pub numbers: u64,
    /// Versions that nothing holds any more once the snapshots and the older histories are gone.
    pub versions_dropped: u64,
    /// Bytes of their content.
    pub bytes_dropped: u64,
}

/// How much is held in memory.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of chunks of trees that are open at once.
    pub open_bytes: u64,
    /// Bytes of nodes where that would be too much, a folder.
    pub window_bytes: usize,
    /// Nodes of one folder that wait until those that come before them were written.
    pub waiting: usize,
}

impl Limits {
    fn of(budget: Budget) -> Self {
        Self { open_bytes: budget.merged_bytes() as u64, window_bytes: 1 << 20, waiting: 4096 }
    }
}

/// Makes the history that stands for the snapshots that go and for the older histories: every version that only they
/// hold and the rule protects, and the number of every path that would be forgotten.
///
/// # Errors
/// [`ReadError`] for a tree that cannot be read; what the sink returns.
pub fn merge<S: ChunkSink>(
    budget: Budget,
    source: &dyn ChunkSource,
    request: &MergeRequest<'_>,
    chunker: &Chunker,
    sink: &mut S,
) -> Result<Merged, S::Error>
where
    S::Error: From<ReadError>,
{
    merge_within(Limits::of(budget), source, request, chunker, sink)
}

/// See [`merge`].
pub(super) fn merge_within<S: ChunkSink>(
    limits: Limits,
    source: &dyn ChunkSource,
    request: &MergeRequest<'_>,
    chunker: &Chunker,
    sink: &mut S,
) -> Result<Merged, S::Error>
where
    S::Error: From<ReadError>,
{
    let root = folder_node(Vec::new(), 0, Recipe::EMPTY);
    let merged = Merged { root, paths: 0, versions: 0, bytes: 0, numbers: 0, versions_dropped: 0, bytes_dropped: 0 };
    let mut merger = Merger { limits, source, request, chunker, sink, open_bytes: 0, merged };
    let recipe = merger.root()?;
    let recipe = match recipe {
        Some(recipe) => recipe,
        None => TreeBuilder::default().finish(merger.chunker, merger.sink)?,
    };
    Ok(Merged { root: folder_node(Vec::new(), 0, recipe), ..merger.merged })
}

/// A folder of a history's tree.
fn folder_node(name: Vec<u8>, version: u32, recipe: Recipe) -> Node {
    let kind = NodeKind::Folder(recipe);
    Node { name, kind, metadata: Metadata::default(), version, flags: Flags::NONE, extra: Extra::new() }
}

/// States that have the same folder.
struct Group {
    recipe: Recipe,
    /// Ascending.
    states: Vec<usize>,
}

/// A folder in all its states.
#[derive(Default)]
struct Folder {
    groups: Vec<Group>,
    /// What older histories have of it.
    histories: Vec<Recipe>,
    /// States that could not read it, or a folder it is in.
    hidden: Vec<usize>,
}

impl Folder {
    fn add(&mut self, states: &[usize], flags: Flags, recipe: Recipe) {
        if flags.contains(Flags::UNREAD) {
            return self.hidden.extend(states);
        }
        match self.groups.iter_mut().rev().find(|group| group.recipe == recipe) {
            Some(group) => {
                group.states.extend(states);
                group.states.sort_unstable();
            }
            None => self.groups.push(Group { recipe, states: states.to_vec() }),
        }
    }

    /// Whether everything that is known of the folder stays known without a history of it.
    fn stays(&self, states: &[State<'_>]) -> bool {
        let does_stay = |group: &Group| group.states.iter().any(|&state| states[state].stays);
        self.histories.is_empty() && self.groups.iter().all(does_stay)
    }

    fn strands(&self) -> Vec<Strand> {
        let groups = self.groups.iter().enumerate();
        let mut strands: Vec<Strand> = groups
            .map(|(number, group)| Strand { origin: Origin::State(number), recipe: group.recipe.clone() })
            .collect();
        for recipe in &self.histories {
            strands.extend([Origin::Folders, Origin::Versions].map(|origin| Strand { origin, recipe: recipe.clone() }));
        }
        strands
    }

    /// What has one name in this folder: the folder in it, and what is no folder, with the lists of histories.
    fn sort_out<'f>(&'f self, strands: &[Strand], entries: Entries) -> (Folder, Known<'f>, Vec<Node>) {
        let mut below = Folder { hidden: self.hidden.clone(), ..Folder::default() };
        let mut known = Known { hidden: &self.hidden, ..Known::default() };
        let mut lists = Vec::new();
        for (number, node) in entries {
            match (strands[number].origin, node) {
                (Origin::State(group), Node { kind: NodeKind::Folder(recipe), flags, .. }) => {
                    below.add(&self.groups[group].states, flags, recipe);
                }
                (Origin::State(group), node) => known.held.push((&self.groups[group].states, node)),
                (Origin::Folders, Node { kind: NodeKind::Folder(recipe), .. }) => below.histories.push(recipe),
                // Nothing else has a place among the folders of a history.
                (Origin::Folders, _) => {}
                (Origin::Versions, node) => lists.push(node),
            }
        }
        (below, known, lists)
    }
}

struct Merger<'a, S> {
    limits: Limits,
    source: &'a dyn ChunkSource,
    request: &'a MergeRequest<'a>,
    chunker: &'a Chunker,
    sink: &'a mut S,
    open_bytes: u64,
    merged: Merged,
}

impl<'a, S: ChunkSink> Merger<'a, S>
where
    S::Error: From<ReadError>,
{
    /// The source itself, which may be a folder or anything else.
    fn root(&mut self) -> Result<Option<Recipe>, S::Error> {
        let numbers: Vec<usize> = (0..self.request.states.len()).collect();
        let mut folder = Folder::default();
        let mut known = Known::default();
        for (number, state) in numbers.chunks(1).zip(self.request.states) {
            match &state.root.kind {
                NodeKind::Folder(recipe) => folder.add(number, state.root.flags, recipe.clone()),
                _ => known.held.push((number, state.root.clone())),
            }
        }
        let name = Place::Versions(b"").node_name();
        let mut lists = Vec::new();
        for root in self.request.histories {
            folder.histories.extend(root.folder().cloned());
            lists.extend(find_node(self.source, root, &[&name])?);
        }
        let own = self.path(b"", known, lists)?;
        self.folder(&folder, own)
    }

    /// The tree of a folder in the new history; none where it gets nothing. `own` stands before all other versions.
    fn folder(&mut self, folder: &Folder, own: Option<Node>) -> Result<Option<Recipe>, S::Error> {
        let mut tree = None;
        if folder.stays(self.request.states) {
            self.push_all(&mut tree, own)?;
        } else {
            let strands = folder.strands();
            let chunk_bytes = self.chunker.max_bytes() as u64;
            let bytes = strands.iter().map(|strand| 2 * strand.recipe.size.min(chunk_bytes)).sum::<u64>();
            let fits = self.open_bytes.saturating_add(bytes) <= self.limits.open_bytes;
            let bytes = if fits { bytes } else { 0 };
            self.open_bytes += bytes;
            self.names(&mut tree, folder, &strands, fits, own)?;
            self.open_bytes -= bytes;
        }
        tree.map(|tree: TreeBuilder| tree.finish(self.chunker, self.sink)).transpose()
    }

    /// Everything in a folder. Folders stand before versions, so versions wait; those that are too many are judged in
    /// a second pass.
    fn names(
        &mut self,
        tree: &mut Option<TreeBuilder>,
        folder: &Folder,
        strands: &[Strand],
        fits: bool,
        own: Option<Node>,
    ) -> Result<(), S::Error> {
        let mut waiting: Vec<Node> = own.into_iter().collect();
        let mut judged = None;
        let mut is_complete = true;
        let mut names = self.open(strands, fits)?;
        while let Some((name, entries)) = names.next_name()? {
            let (below, known, lists) = folder.sort_out(strands, entries);
            if let Some(recipe) = self.folder(&below, None)? {
                self.push_all(tree, [folder_node(Place::Folder(&name).node_name(), 0, recipe)])?;
            }
            if waiting.len() < self.limits.waiting {
                waiting.extend(self.path(&name, known, lists)?);
                judged = Some(name);
            } else {
                is_complete = false;
            }
        }
        drop(names);
        self.push_all(tree, waiting)?;
        if is_complete {
            return Ok(());
        }
        let mut names = self.open(strands, fits)?;
        while let Some((name, entries)) = names.next_name()? {
            if judged.as_ref() < Some(&name) {
                let (_, known, lists) = folder.sort_out(strands, entries);
                let node = self.path(&name, known, lists)?;
                self.push_all(tree, node)?;
            }
        }
        Ok(())
    }

    fn open(&self, strands: &[Strand], fits: bool) -> Result<Names<'a>, ReadError> {
        match fits {
            true => Names::side_by_side(self.source, strands),
            false => Ok(Names::windows(self.source, strands, self.limits.window_bytes)),
        }
    }

    /// The node of a path that is or was no folder; none where nothing of it is kept.
    fn path(&mut self, name: &[u8], mut known: Known<'_>, lists: Vec<Node>) -> Result<Option<Node>, S::Error> {
        if known.held.is_empty() && lists.is_empty() {
            return Ok(None);
        }
        for list in &lists {
            known.kept.push(kept(self.source, name, list)?);
        }
        let verdict = judge(self.request, known);
        self.merged.versions_dropped += verdict.dropped.len() as u64;
        self.merged.bytes_dropped += verdict.dropped.iter().map(Node::size).sum::<u64>();
        let Verdict { highest, needs_number, kept, .. } = verdict;
        let recipe = if !kept.is_empty() {
            self.merged.paths += 1;
            self.versions(kept)?
        } else if needs_number {
            self.merged.numbers += 1;
            Recipe::EMPTY
        } else {
            return Ok(None);
        };
        Ok(Some(folder_node(Place::Versions(name).node_name(), highest, recipe)))
    }

    /// The list of the versions of one path.
    fn versions(&mut self, kept: Vec<(Node, Seen)>) -> Result<Recipe, S::Error> {
        let mut nodes: Vec<Node> = Vec::with_capacity(kept.len());
        let mut copy = 0;
        let mut last = None;
        for (mut node, seen) in kept {
            copy = if last == Some(node.version) { copy + 1 } else { 0 };
            last = Some(node.version);
            self.merged.versions += 1;
            self.merged.bytes += node.size();
            node.name = version_name(node.version, copy);
            node.extra.retain(|(tag, _)| *tag != SEEN_TAG);
            node.extra.push(seen.encode()?);
            nodes.push(node);
        }
        // Ten copies of one number are not in the order of their names.
        nodes.sort_by(|left, right| left.name.cmp(&right.name));
        let mut tree = TreeBuilder::default();
        for node in &nodes {
            tree.push(node, self.chunker, self.sink)?;
        }
        tree.finish(self.chunker, self.sink)
    }

    fn push_all(
        &mut self,
        tree: &mut Option<TreeBuilder>,
        nodes: impl IntoIterator<Item = Node>,
    ) -> Result<(), S::Error> {
        for node in nodes {
            if !is_component(&node.name) {
                return Err(FormatError::Limit("length of a name").into());
            }
            tree.get_or_insert_default().push(&node, self.chunker, self.sink)?;
        }
        Ok(())
    }
}
