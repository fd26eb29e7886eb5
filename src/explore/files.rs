//! Every file that can be restored: the snapshots of a source merged, folder by folder.
//!
//! What the newest snapshot has comes with its newest version; what only older ones have is said to be deleted. What no
//! snapshot has any more and a history still holds comes last.

use super::pattern::PathPattern;
use super::source_paths;
use crate::error::Error;
use crate::format::record::Time;
use crate::format::tree::{Flags, Node};
use crate::memory::Budget;
use crate::repo::{Repo, absolute};
use crate::snapshot::{ChunkSource, ReadError, StateWalk};

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

/// Gives every file that can be restored, whose path matches the glob `pattern`: those in the newest snapshot of
/// each source, and those that are only in older ones.
///
/// ```
/// use cryptbackup::explore;
/// use cryptbackup::repo::{Access, Home, Repo};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("state"));
/// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
/// let mut files = Vec::new();
/// explore::files(&repo, Some("*.txt"), &mut |file| files.push((file.version, file.deleted)))?;
/// assert_eq!(files, [(1, false)]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Usage`] for a pattern that is none. [`Error::Read`] where something could not be read; everything else
/// was given by then.
pub fn files(repo: &Repo, pattern: Option<&str>, each: &mut dyn FnMut(FileInfo)) -> Result<(), Error> {
    let matcher = pattern.map(|pattern| PathPattern::new(pattern, false)).transpose()?;
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher(&view);
    let known = repo.known_snapshots(&view)?;
    let mut failed = None;
    for source in source_paths(&known) {
        let roots = known.iter().filter_map(|known| known.snapshot.root(source)).map(|root| root.node.clone());
        let found = each_file(repo.budget, &fetcher, roots, &mut |below, node, deleted| {
            let path = absolute(source, below);
            if matcher.as_ref().is_none_or(|matcher| matcher.is_match(&path)) {
                let (size, mtime, version) = (node.size(), node.metadata.mtime, node.version);
                each(FileInfo { path, size, mtime, version, deleted });
            }
        });
        failed = failed.or(found.err().map(Error::from));
        let only = repo.each_in_history_only(&view, &fetcher, source, &known, &mut |below, node| {
            let path = absolute(source, below);
            if matcher.as_ref().is_none_or(|matcher| matcher.is_match(&path)) {
                let (size, mtime, version) = (node.size(), node.metadata.mtime, node.version);
                each(FileInfo { path, size, mtime, version, deleted: true });
            }
        });
        failed = failed.or(only.err());
    }
    failed.map_or(Ok(()), Err)
}

/// Gives each file below the roots (newest first) once, with the newest node it has, and whether the first root lacks it.
///
/// # Errors
/// The first [`ReadError`] met; everything else was given by then.
fn each_file(
    budget: Budget,
    source: &dyn ChunkSource,
    roots: impl IntoIterator<Item = Node>,
    each: &mut dyn FnMut(&[u8], &Node, bool),
) -> Result<(), ReadError> {
    let mut walk = StateWalk::new(budget, source, roots);
    for (path, held) in walk.by_ref() {
        let files = || held.iter().filter(|held| held.node.folder().is_none());
        let is_current = files().any(|held| held.first() == 0);
        if let Some(newest) = files().find(|held| !held.node.flags.contains(Flags::UNREAD)) {
            each(&path, &newest.node, !is_current);
        }
    }
    walk.finish()
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
    use crate::format::recipe::Recipe;
    use crate::format::record::{ChunkerParameters, Extra};
    use crate::format::tree::{Metadata, NodeKind};
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
        let result = each_file(Budget::new(96 << 20, None), map, roots.iter().cloned(), &mut |path, node, deleted| {
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
        assert_eq!(listed(&map, &roots), (expected, true));
    }

    #[test]
    fn each_chunk_is_read_once() {
        let mut map = Map::default();
        let nodes: Vec<Node> = (0..3000).map(|number| file(&format!("{number:06}"), 1)).collect();
        let roots: Vec<Node> = (0..5).map(|first| folder(&mut map, "", &nodes[first..])).collect();
        let count = Cell::new(0);
        each_file(Budget::new(96 << 20, None), &map, roots.iter().cloned(), &mut |_, _, _| count.set(count.get() + 1))
            .expect("readable");
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
}
