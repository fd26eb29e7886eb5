//! Streams of any length against plain vectors, through a store that is a map.

use std::collections::HashMap;

use proptest::prelude::*;

use super::versions::each_version_gone;
use super::*;
use crate::chunk::Chunker;
use crate::format::recipe::{Part, Recipe};
use crate::format::record::{ChunkerParameters, Extra};
use crate::format::tree::{Flags, Metadata, Node, NodeKind};

#[derive(Default)]
pub(crate) struct Map {
    pub(crate) chunks: HashMap<ChunkId, Vec<u8>>,
}

impl ChunkSource for Map {
    fn chunk(&self, _: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        let chunk = self.chunks.get(id).ok_or(ReadError::Missing { id: *id })?;
        assert_eq!(chunk.len(), len as usize);
        Ok(chunk.clone())
    }
}

impl ChunkSink for Map {
    type Error = ReadError;

    fn put_tree_chunk(&mut self, bytes: &[u8]) -> Result<ChunkId, ReadError> {
        let id = ChunkId::from_bytes(*blake3::hash(bytes).as_bytes());
        self.chunks.insert(id, bytes.to_vec());
        Ok(id)
    }
}

pub(crate) fn chunker() -> Chunker {
    let small = ChunkerParameters { min_bytes: 64, avg_bytes: 256, max_bytes: 1024, normalization: 1 };
    Chunker::new(&small, &[1; 32])
}

pub(crate) fn file(name: &[u8], version: u32) -> Node {
    Node {
        name: name.to_vec(),
        kind: NodeKind::File(Recipe::EMPTY),
        metadata: Metadata::default(),
        version,
        flags: Flags::NONE,
        extra: Extra::new(),
    }
}

pub(crate) fn folder(map: &mut Map, name: &[u8], nodes: &[Node]) -> Node {
    let chunker = chunker();
    let mut tree = TreeBuilder::default();
    for node in nodes {
        tree.push(node, &chunker, map).expect("stored");
    }
    let recipe = tree.finish(&chunker, map).expect("stored");
    Node { kind: NodeKind::Folder(recipe), version: 0, ..file(name, 0) }
}

fn numbered(count: usize) -> Vec<Node> {
    (0..count).map(|number| file(format!("{number:08}").as_bytes(), 1)).collect()
}

#[test]
fn a_folder_of_any_size_comes_back() {
    for count in [0, 1, 20, 5000] {
        let mut map = Map::default();
        let nodes = numbered(count);
        let root = folder(&mut map, b"", &nodes);
        let recipe = root.folder().expect("a folder");
        assert_eq!(recipe.validate(), Ok(()));
        assert_eq!(recipe.depth > 0, count == 5000);
        let back: Vec<Node> = TreeReader::new(&map, recipe).collect::<Result<_, _>>().expect("readable");
        assert_eq!(back, nodes);
        if count == 5000 {
            let found = find_node(&map, &root, &[b"00002500"]).expect("readable");
            assert_eq!(found.as_ref(), nodes.get(2500));
            assert_eq!(find_node(&map, &root, &[b"00002500", b"x"]).expect("readable"), None);
            assert_eq!(find_node(&map, &root, &[b"000025000"]).expect("readable"), None);
        }
    }
}

#[test]
fn a_change_in_a_large_folder_stores_little() {
    let mut map = Map::default();
    let mut nodes = numbered(5000);
    folder(&mut map, b"", &nodes);
    let before: usize = map.chunks.values().map(Vec::len).sum();
    nodes[2500].version = 2;
    folder(&mut map, b"", &nodes);
    let after: usize = map.chunks.values().map(Vec::len).sum();
    assert!(after - before < before / 20, "{before} bytes, then {after}");
}

#[test]
fn a_missing_chunk_ends_one_folder_and_not_the_walk() {
    let mut map = Map::default();
    let lost = folder(&mut map, b"b", &numbered(1));
    let lost_id = *map.chunks.keys().next().expect("one chunk");
    let kept = folder(&mut map, b"c", &[file(b"x", 3)]);
    let root = folder(&mut map, b"", &[file(b"a", 1), lost, kept]);
    map.chunks.remove(&lost_id);
    let walk = TreeWalk::new(&map, root.folder().expect("a folder"));
    let seen: Vec<(String, bool)> =
        walk.map(|(path, node)| (String::from_utf8_lossy(&path).into_owned(), node.is_ok())).collect();
    let expected = [("a", true), ("b", true), ("b", false), ("c", true), ("c/x", true)];
    assert_eq!(seen, expected.map(|(path, ok)| (path.to_owned(), ok)));
}

#[test]
fn what_a_step_deleted() {
    let mut map = Map::default();
    // Not even stored: a folder that stayed the same is not read.
    let same = folder(&mut Map::default(), b"same", &numbered(50));
    let old_sub = folder(&mut map, b"sub", &[file(b"x", 4), file(b"y", 5)]);
    let new_sub = folder(&mut map, b"sub", &[file(b"y", 6)]);
    let gone = folder(&mut map, b"gone", &[file(b"z", 7)]);
    let becomes_file = folder(&mut map, b"turn", &[file(b"q", 8)]);
    let before = folder(&mut map, b"", &[file(b"a", 1), gone, same.clone(), old_sub, becomes_file]);
    let after = folder(&mut map, b"", &[file(b"b", 1), same, new_sub, file(b"turn", 1)]);
    let mut found = Vec::new();
    each_version_gone(&map, b"", &before, &after, &mut |path, number| {
        found.push((String::from_utf8_lossy(path).into_owned(), number));
    })
    .expect("readable");
    let expected = [("a", 1), ("gone/z", 7), ("sub/x", 4), ("turn/q", 8)];
    assert_eq!(found, expected.map(|(path, number)| (path.to_owned(), number)));
}

#[test]
fn parts_that_do_not_add_up_are_noticed() {
    let map = Map::default();
    let recipe = Recipe { depth: 0, size: 11, parts: vec![Part::Hole { len: 10 }] };
    let parts: Vec<_> = PartReader::new(&map, &recipe).collect();
    assert_eq!(parts.len(), 2);
    assert!(parts[1].is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn recipes_of_any_length_come_back(lens in prop::collection::vec(1u64..100_000, 0..3000)) {
        let mut map = Map::default();
        let chunker = chunker();
        let mut builder = RecipeBuilder::default();
        let parts: Vec<Part> = lens.iter().enumerate().map(|(number, &len)| match number % 3 {
            0 => Part::Hole { len },
            _ => Part::Chunk { id: ChunkId::from_bytes([number as u8; 32]), len: len as u32 },
        }).collect();
        for part in &parts {
            builder.push(*part, &chunker, &mut map).expect("stored");
        }
        let recipe = builder.finish(&chunker, &mut map).expect("stored");
        prop_assert_eq!(recipe.validate(), Ok(()));
        prop_assert_eq!(recipe.depth > 0, parts.len() > 32);
        let back: Vec<Part> = PartReader::new(&map, &recipe).collect::<Result<_, _>>().expect("readable");
        prop_assert_eq!(back, parts);
    }
}
