//! Every file that can be restored: the snapshots of a source merged, folder by folder.
//!
//! What no snapshot has any more and a history still holds comes last. Trees are in the order of names, so the states a folder had are read side by side, each once, however many snapshots
//! share it. What the newest has comes with its newest version; what only older ones have is said to be deleted.

use std::collections::BTreeMap;

use super::Repo;
use super::query::absolute;
use crate::error::Error;
use crate::format::recipe::Recipe;
use crate::format::record::Time;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::paths;
use crate::snapshot::versions::join;
use crate::snapshot::{ChunkSource, ReadError, TreeReader};

/// States of one folder that are read side by side. Of more, the names are collected one state after the other: that
/// holds the names of one folder in memory, this a chunk of every state.
const OPEN_MAX: usize = 32;

/// One file that can be restored.
#[derive(Debug, Clone)]
pub struct FileInfo {
    /// Absolute path as bytes.
    pub path: Vec<u8>,
    /// Bytes.
    pub size: u64,
    /// When its content was last changed.
    pub mtime: Time,
    /// Its newest version.
    pub version: u32,
    /// Whether it is gone from the newest snapshot.
    pub deleted: bool,
}

impl Repo {
    /// Gives every file that can be restored, whose path matches the glob `pattern`: those in the newest snapshot of
    /// each source, and those that are only in older ones.
    ///
    /// # Errors
    /// [`Error::Usage`] for a pattern that is none. [`Error::Read`] where something could not be read; everything else
    /// was given by then.
    pub fn files(&self, pattern: Option<&str>, each: &mut dyn FnMut(FileInfo)) -> Result<(), Error> {
        let matcher = pattern.map(file_matcher).transpose()?;
        let view = self.index.reader()?;
        let fetcher = self.fetcher(&view);
        let known = self.known_snapshots(&view)?;
        let mut sources: Vec<&[u8]> =
            known.iter().flat_map(|known| known.snapshot.roots.iter().map(|root| root.path.as_slice())).collect();
        sources.sort_unstable();
        sources.dedup();
        let mut failed = None;
        for source in sources {
            let roots = known.iter().filter_map(|known| known.snapshot.root(source)).map(|root| &root.node);
            let found = each_file(&fetcher, roots, &mut |below, node, deleted| {
                let path = absolute(source, below);
                if matcher.as_ref().is_none_or(|matcher| matcher(&path)) {
                    let (size, mtime, version) = (node.size(), node.metadata.mtime, node.version);
                    each(FileInfo { path, size, mtime, version, deleted });
                }
            });
            failed = failed.or(found.err().map(Error::from));
            let only = self.each_in_history_only(&view, &fetcher, source, &known, &mut |below, node| {
                let path = absolute(source, below);
                if matcher.as_ref().is_none_or(|matcher| matcher(&path)) {
                    let (size, mtime, version) = (node.size(), node.metadata.mtime, node.version);
                    each(FileInfo { path, size, mtime, version, deleted: true });
                }
            });
            failed = failed.or(only.err());
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Gives each file below the roots (newest first) once, with the newest node it has, and whether the first root lacks it.
///
/// # Errors
/// The first [`ReadError`] met; everything else was given by then.
fn each_file<'n>(
    source: &dyn ChunkSource,
    roots: impl Iterator<Item = &'n Node>,
    each: &mut dyn FnMut(&[u8], &Node, bool),
) -> Result<(), ReadError> {
    let mut found = Name::default();
    for (number, root) in roots.enumerate() {
        found.add(number == 0, root.clone());
    }
    let mut merge = Merge { source, each, failed: None };
    merge.name(b"", found);
    merge.failed.map_or(Ok(()), Err)
}

/// One state of a folder.
struct State {
    /// Whether the newest snapshot has it.
    is_current: bool,
    recipe: Recipe,
}

/// What the states of a folder have under one name.
#[derive(Default)]
struct Name {
    /// The newest entry that is no folder and was read.
    file: Option<Node>,
    /// Whether the newest snapshot has an entry that is no folder.
    is_current: bool,
    folders: Vec<State>,
}

impl Name {
    /// Adds the entry of the next older state.
    fn add(&mut self, is_current: bool, node: Node) {
        match node.kind {
            // Most snapshots share most folders with the next.
            NodeKind::Folder(recipe) => {
                if self.folders.last().is_none_or(|state| state.recipe != recipe) {
                    self.folders.push(State { is_current, recipe });
                }
            }
            _ => {
                self.is_current |= is_current;
                if !node.flags.contains(Flags::UNREAD) {
                    self.file.get_or_insert(node);
                }
            }
        }
    }
}

struct Merge<'a> {
    source: &'a dyn ChunkSource,
    each: &'a mut dyn FnMut(&[u8], &Node, bool),
    failed: Option<ReadError>,
}

impl Merge<'_> {
    fn name(&mut self, path: &[u8], found: Name) {
        if let Some(node) = &found.file {
            (self.each)(path, node, !found.is_current);
        }
        if found.folders.len() > OPEN_MAX {
            self.one_by_one(path, &found.folders);
        } else {
            self.side_by_side(path, &found.folders);
        }
    }

    fn side_by_side(&mut self, path: &[u8], states: &[State]) {
        let mut readers: Vec<(TreeReader<'_>, Option<Node>)> = Vec::with_capacity(states.len());
        for state in states {
            let mut reader = TreeReader::new(self.source, &state.recipe);
            let head = self.next(&mut reader);
            readers.push((reader, head));
        }
        while let Some(name) = readers.iter().filter_map(|(_, head)| Some(&head.as_ref()?.name)).min().cloned() {
            let mut found = Name::default();
            for (state, (reader, head)) in states.iter().zip(&mut readers) {
                if let Some(node) = head.take_if(|node| node.name == name) {
                    found.add(state.is_current, node);
                    *head = self.next(reader);
                }
            }
            self.name(&join(path, &name), found);
        }
    }

    fn one_by_one(&mut self, path: &[u8], states: &[State]) {
        let mut names: BTreeMap<Vec<u8>, Name> = BTreeMap::new();
        for state in states {
            let mut reader = TreeReader::new(self.source, &state.recipe);
            while let Some(node) = self.next(&mut reader) {
                names.entry(node.name.clone()).or_default().add(state.is_current, node);
            }
        }
        for (name, found) in names {
            self.name(&join(path, &name), found);
        }
    }

    /// The next node; none after the last, or where the rest cannot be read.
    fn next(&mut self, reader: &mut TreeReader<'_>) -> Option<Node> {
        match reader.next()? {
            Ok(node) => Some(node),
            Err(error) => {
                self.failed.get_or_insert(error);
                None
            }
        }
    }
}

fn file_matcher(pattern: &str) -> Result<impl Fn(&[u8]) -> bool + use<>, Error> {
    let anywhere = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
    let glob = globset::GlobBuilder::new(&anywhere)
        .literal_separator(true)
        .build()
        .map_err(|error| Error::Usage(format!("`{pattern}` is not a pattern: {error}")))?;
    // A plain word finds whatever has it in its path.
    let word = (!pattern.contains(['*', '?', '[', '{'])).then(|| pattern.as_bytes().to_vec());
    let glob = glob.compile_matcher();
    Ok(move |path: &[u8]| {
        word.as_ref().is_some_and(|word| path.windows(word.len().max(1)).any(|window| window == word.as_slice()))
            || glob.is_match(paths::from_bytes(path))
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::chunk::Chunker;
    use crate::format::FormatError;
    use crate::format::id::{ChunkId, ChunkKind};
    use crate::format::record::{ChunkerParameters, Extra};
    use crate::format::tree::Metadata;
    use crate::snapshot::{ChunkSink, TreeBuilder};

    /// Chunks in a map, which counts how many were read.
    #[derive(Default)]
    struct Map {
        chunks: HashMap<ChunkId, Vec<u8>>,
        chunks_read: AtomicUsize,
    }

    impl ChunkSource for Map {
        fn chunk(&self, _: ChunkKind, id: &ChunkId, _: u32) -> Result<Vec<u8>, ReadError> {
            self.chunks_read.fetch_add(1, Ordering::Relaxed);
            self.chunks.get(id).cloned().ok_or(ReadError::Missing { id: *id })
        }
    }

    impl ChunkSink for Map {
        type Error = FormatError;

        fn put_tree_chunk(&mut self, bytes: &[u8]) -> Result<ChunkId, FormatError> {
            let id = ChunkId::from_bytes(*blake3::hash(bytes).as_bytes());
            self.chunks.insert(id, bytes.to_vec());
            Ok(id)
        }
    }

    fn file(name: &str, version: u32) -> Node {
        Node {
            name: name.as_bytes().to_vec(),
            kind: NodeKind::File(Recipe::EMPTY),
            metadata: Metadata::default(),
            version,
            flags: Flags::NONE,
            extra: Extra::new(),
        }
    }

    fn folder(map: &mut Map, name: &str, nodes: &[Node]) -> Node {
        let parameters = ChunkerParameters { min_bytes: 64, avg_bytes: 256, max_bytes: 1024, normalization: 1 };
        let chunker = Chunker::new(&parameters, &[1; 32]);
        let mut tree = TreeBuilder::default();
        for node in nodes {
            tree.push(node, &chunker, map).expect("stored");
        }
        let recipe = tree.finish(&chunker, map).expect("stored");
        Node { kind: NodeKind::Folder(recipe), ..file(name, 0) }
    }

    fn listed(map: &Map, roots: &[Node]) -> (Vec<(String, u32, bool)>, bool) {
        let mut found = Vec::new();
        let result = each_file(map, roots.iter(), &mut |path, node, deleted| {
            found.push((String::from_utf8_lossy(path).into_owned(), node.version, deleted));
        });
        (found, result.is_ok())
    }

    fn owned(list: &[(&str, u32, bool)]) -> Vec<(String, u32, bool)> {
        list.iter().map(|(path, version, deleted)| ((*path).to_owned(), *version, *deleted)).collect()
    }

    /// Three states: the newest first.
    fn three(map: &mut Map) -> Vec<Node> {
        let same = folder(map, "same", &[file("s", 1)]);
        let gone = folder(map, "gone", &[file("g", 2)]);
        let sub = folder(map, "sub", &[file("x", 1), file("y", 1)]);
        let sub_now = folder(map, "sub", &[file("y", 2)]);
        let turn = folder(map, "turn", &[file("in", 3)]);
        let unread = Node { flags: Flags::UNREAD, ..file("unread", 0) };
        vec![
            folder(map, "", &[file("a", 3), file("b", 1), same.clone(), sub_now, file("turn", 4), unread]),
            folder(map, "", &[file("a", 2), gone.clone(), same.clone(), sub.clone(), file("turn", 4)]),
            folder(map, "", &[file("a", 1), file("c", 5), gone, same, sub, turn]),
        ]
    }

    #[test]
    fn each_file_comes_once_with_its_newest_version() {
        let mut map = Map::default();
        let roots = three(&mut map);
        let expected = owned(&[
            ("a", 3, false),
            ("b", 1, false),
            ("c", 5, true),
            ("gone/g", 2, true),
            ("same/s", 1, false),
            ("sub/x", 1, true),
            ("sub/y", 2, false),
            ("turn", 4, false),
            ("turn/in", 3, true),
        ]);
        assert_eq!(listed(&map, &roots), (expected.clone(), true));
        // The same again through more states than are open at once.
        let mut many = roots[..2].to_vec();
        for number in 0..OPEN_MAX as u32 {
            many.push(folder(&mut map, "", &[file("passing", number + 1)]));
        }
        many.push(roots[2].clone());
        let mut with_passing = expected;
        with_passing.insert(4, ("passing".to_owned(), 1, true));
        assert_eq!(listed(&map, &many), (with_passing, true));
    }

    #[test]
    fn each_chunk_is_read_once() {
        let mut map = Map::default();
        let nodes: Vec<Node> = (0..3000).map(|number| file(&format!("{number:06}"), 1)).collect();
        let roots: Vec<Node> = (0..5).map(|first| folder(&mut map, "", &nodes[first..])).collect();
        let count = Cell::new(0);
        each_file(&map, roots.iter(), &mut |_, _, _| count.set(count.get() + 1)).expect("readable");
        assert_eq!(count.get(), 3000);
        let (read, stored) = (map.chunks_read.load(Ordering::Relaxed), map.chunks.len());
        assert!(read <= 5 * stored, "{read} chunks were read of {stored}");
    }

    #[test]
    fn what_cannot_be_read_is_told_and_the_rest_is_given() {
        let mut map = Map::default();
        let lost = folder(&mut map, "lost", &[file("l", 1)]);
        map.chunks.clear();
        let root = folder(&mut map, "", &[file("a", 1), lost, file("z", 1)]);
        assert_eq!(listed(&map, &[root]), (owned(&[("a", 1, false), ("z", 1, false)]), false));
    }

    #[test]
    fn patterns_find_names_paths_and_words() {
        let is_match = |pattern: &str, path: &str| file_matcher(pattern).expect(pattern)(path.as_bytes());
        assert!(is_match("*.pdf", "/home/ada/a.pdf") && !is_match("*.pdf", "/home/ada/a.pdf.txt"));
        assert!(is_match("/home/*/a", "/home/ada/a") && !is_match("/home/*/a", "/home/ada/b/a"));
        assert!(is_match("ada", "/home/ada/x") && is_match("home/ada", "/home/ada/x") && !is_match("ada", "/home/x"));
        assert!(file_matcher("a[").is_err());
    }
}
