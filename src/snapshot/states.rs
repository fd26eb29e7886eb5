//! One folder or file through time: its states read side by side, path by path.
//!
//! Most snapshots share most folders with the next. Each distinct tree is read once, however many states have it, and what
//! a path has in them comes as its distinct nodes, each with the states that have it.

use std::rc::Rc;

use super::strands::{Entries, Names, Origin, Strand};
use super::versions::join;
use super::{ChunkSource, ReadError};
use crate::format::recipe::Recipe;
use crate::format::tree::{Node, NodeKind};
use crate::memory::Budget;

/// Bytes of nodes that are collected of a folder with too many states to have all of them open.
const WINDOW_BYTES: usize = 1 << 20;
/// The most of a tree that is in memory while it is read: a chunk, and what is left of the one before.
const OPEN_TREE_BYTES: u64 = 512 << 10;

/// A node that a path has in some states.
#[derive(Debug, Clone)]
pub struct Held {
    /// The node.
    pub node: Node,
    /// The states that have it, in groups; in each ascending.
    groups: Vec<Rc<[usize]>>,
}

impl Held {
    /// The first state that has it.
    pub fn first(&self) -> usize {
        self.groups.iter().filter_map(|group| group.first().copied()).min().unwrap_or(0)
    }

    /// The last state that has it.
    pub fn last(&self) -> usize {
        self.groups.iter().filter_map(|group| group.last().copied()).max().unwrap_or(0)
    }

    /// How many states have it.
    pub fn states(&self) -> usize {
        self.groups.iter().map(|group| group.len()).sum()
    }
}

/// A folder that is being read.
struct OpenFolder<'a> {
    path_len: usize,
    /// The states of each of its distinct trees.
    groups: Vec<Rc<[usize]>>,
    names: Names<'a>,
    /// What its open trees count for.
    bytes: u64,
}

/// Gives every path that any of the states has, each once and before what is in it, with its distinct nodes in the order
/// of the first state that has them. Paths are below the root, joined by `/`; the root itself is the empty one. What cannot
/// be read is left out.
pub struct StateWalk<'a> {
    source: &'a dyn ChunkSource,
    open_bytes_max: u64,
    open_bytes: u64,
    root: Option<Vec<Held>>,
    stack: Vec<OpenFolder<'a>>,
    path: Vec<u8>,
    failed: Option<ReadError>,
}

impl<'a> StateWalk<'a> {
    /// A walk over what `roots` are and hold. They are numbered in the order given.
    pub fn new(budget: Budget, source: &'a dyn ChunkSource, roots: impl IntoIterator<Item = Node>) -> Self {
        Self::within(budget.merged_bytes() as u64, source, roots)
    }

    fn within(open_bytes_max: u64, source: &'a dyn ChunkSource, roots: impl IntoIterator<Item = Node>) -> Self {
        let mut held = Vec::new();
        for (number, node) in roots.into_iter().enumerate() {
            add(&mut held, &Rc::from([number]), node);
        }
        Self {
            source,
            open_bytes_max,
            open_bytes: 0,
            root: Some(held),
            stack: Vec::new(),
            path: Vec::new(),
            failed: None,
        }
    }

    /// Says whether everything could be read.
    ///
    /// # Errors
    /// The first [`ReadError`] met.
    pub fn finish(self) -> Result<(), ReadError> {
        self.failed.map_or(Ok(()), Err)
    }

    /// Goes into the folder among `held`, if there is one.
    fn enter(&mut self, held: &[Held]) {
        let mut folders: Vec<(&Recipe, Vec<usize>)> = Vec::new();
        for one in held {
            let NodeKind::Folder(recipe) = &one.node.kind else { continue };
            let states = one.groups.iter().flat_map(|group| group.iter().copied());
            match folders.iter_mut().find(|(known, _)| *known == recipe) {
                Some((_, known)) => known.extend(states),
                None => folders.push((recipe, states.collect())),
            }
        }
        if folders.is_empty() {
            return;
        }
        let strands: Vec<Strand> = folders
            .iter()
            .enumerate()
            .map(|(number, (recipe, _))| Strand { origin: Origin::State(number), recipe: (*recipe).clone() })
            .collect();
        let groups = folders.into_iter().map(|(_, mut states)| {
            states.sort_unstable();
            Rc::from(states)
        });
        let groups = groups.collect();
        let bytes: u64 = strands.iter().map(|strand| (2 * strand.recipe.size).min(OPEN_TREE_BYTES)).sum();
        let fits = self.open_bytes + bytes <= self.open_bytes_max;
        let bytes = if fits { bytes } else { 0 };
        self.open_bytes += bytes;
        let names = match fits {
            true => Names::side_by_side_as_far_as_readable(self.source, &strands),
            false => Names::windows_as_far_as_readable(self.source, &strands, WINDOW_BYTES),
        };
        self.stack.push(OpenFolder { path_len: self.path.len(), groups, names, bytes });
    }

    fn leave(&mut self) {
        if let Some(frame) = self.stack.pop() {
            self.open_bytes -= frame.bytes;
            self.failed = self.failed.take().or_else(|| frame.names.into_failed());
        }
    }
}

impl Iterator for StateWalk<'_> {
    type Item = (Vec<u8>, Vec<Held>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(held) = self.root.take() {
            self.enter(&held);
            return Some((Vec::new(), held));
        }
        while let Some(frame) = self.stack.last_mut() {
            self.path.truncate(frame.path_len);
            match frame.names.next_name() {
                Ok(Some((name, entries))) => {
                    let held = sort_out(&frame.groups, entries);
                    self.path = join(&self.path, &name);
                    let path = self.path.clone();
                    self.enter(&held);
                    return Some((path, held));
                }
                Ok(None) => self.leave(),
                Err(error) => {
                    self.failed.get_or_insert(error);
                    self.leave();
                }
            }
        }
        None
    }
}

fn sort_out(groups: &[Rc<[usize]>], entries: Entries) -> Vec<Held> {
    let mut held = Vec::new();
    for (number, node) in entries {
        if let Some(group) = groups.get(number) {
            add(&mut held, group, node);
        }
    }
    held.sort_by_key(Held::first);
    held
}

fn add(held: &mut Vec<Held>, group: &Rc<[usize]>, node: Node) {
    match held.iter_mut().find(|one| one.node == node) {
        Some(one) => one.groups.push(Rc::clone(group)),
        None => held.push(Held { node, groups: vec![Rc::clone(group)] }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Map, file, folder};
    use super::*;

    /// Path, and of each distinct node its version and the first and last state that have it.
    type Shown = Vec<(String, Vec<(u32, usize, usize)>)>;

    fn shown(open_bytes_max: u64, map: &Map, roots: &[Node]) -> (Shown, bool) {
        let mut walk = StateWalk::within(open_bytes_max, map, roots.iter().cloned());
        let mut shown = Vec::new();
        for (path, held) in walk.by_ref() {
            let held = held.iter().map(|one| (one.node.version, one.first(), one.last())).collect();
            shown.push((String::from_utf8_lossy(&path).into_owned(), held));
        }
        (shown, walk.finish().is_ok())
    }

    #[test]
    fn each_path_comes_once_with_its_distinct_nodes() {
        let mut map = Map::default();
        let same = folder(&mut map, b"same", &[file(b"s", 1)]);
        let gone = folder(&mut map, b"gone", &[file(b"g", 2)]);
        let roots = [
            folder(&mut map, b"", &[file(b"a", 3), same.clone()]),
            folder(&mut map, b"", &[file(b"a", 2), gone, same.clone()]),
            folder(&mut map, b"", &[file(b"a", 3), file(b"b", 1), same]),
        ];
        let expected: Shown = [
            ("", vec![(0, 0, 0), (0, 1, 1), (0, 2, 2)]),
            ("a", vec![(3, 0, 2), (2, 1, 1)]),
            ("b", vec![(1, 2, 2)]),
            ("gone", vec![(0, 1, 1)]),
            ("gone/g", vec![(2, 1, 1)]),
            ("same", vec![(0, 0, 2)]),
            ("same/s", vec![(1, 0, 2)]),
        ]
        .map(|(path, held)| (path.to_owned(), held))
        .into();
        assert_eq!(shown(u64::MAX, &map, &roots), (expected.clone(), true));
        assert_eq!(shown(0, &map, &roots), (expected, true), "one state after the other");
    }

    #[test]
    fn what_one_state_has_lost_another_gives() {
        let mut map = Map::default();
        let lost = folder(&mut map, b"in", &[file(b"x", 1)]);
        map.chunks.clear();
        let whole = folder(&mut map, b"in", &[file(b"x", 2)]);
        let roots = [folder(&mut map, b"", &[lost]), folder(&mut map, b"", &[whole])];
        for open_bytes_max in [0, u64::MAX] {
            let (paths, is_whole) = shown(open_bytes_max, &map, &roots);
            assert_eq!(paths.last(), Some(&("in/x".to_owned(), vec![(2, 1, 1)])), "{open_bytes_max}");
            assert!(!is_whole);
        }
    }
}
