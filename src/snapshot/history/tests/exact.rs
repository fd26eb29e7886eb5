//! Small histories whose every node is known, and what is read to make them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{MergeRequest, Merged, State, merge, versions};
use super::{entry, read};
use crate::format::FormatError;
use crate::format::history::Seen;
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::record::Time;
use crate::format::tree::{Flags, Node};
use crate::memory::Budget;
use crate::snapshot::tests::{Map, chunker, file, folder};
use crate::snapshot::{ChunkSource, ReadError, TreeReader};

/// Counts what is read.
#[derive(Default)]
struct Counting {
    map: Map,
    chunks_read: AtomicUsize,
}

impl ChunkSource for Counting {
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        self.chunks_read.fetch_add(1, Ordering::Relaxed);
        self.map.chunk(kind, id, len)
    }
}

fn time(seconds: i64) -> Time {
    Time { seconds, nanos: 0 }
}

/// Merges roots, oldest first, each with whether it stays; the rule keeps that many versions.
fn merged(map: &mut Map, roots: &[(&Node, bool)], histories: &[&Node], keep: usize) -> Result<Merged, ReadError> {
    let states: Vec<State<'_>> = (1..)
        .zip(roots)
        .map(|(seconds, (root, stays))| State { time: time(seconds), machine: "m", root, stays: *stays })
        .collect();
    let is_protected = |standing: &super::super::Standing| standing.position < keep;
    let request = MergeRequest { states: &states, histories, is_protected: &is_protected };
    let source = Map { chunks: map.chunks.clone() };
    merge(Budget::new(96 << 20, None), &source, &request, &chunker(), map)
}

fn nodes(map: &Map, folder: &Node) -> Vec<Node> {
    TreeReader::new(map, folder.folder().expect("a folder")).collect::<Result<_, _>>().expect("readable")
}

fn seen(first: i64, last: i64, is_deleted_after: bool) -> Seen {
    Seen { first: time(first), last: time(last), machine: "m".into(), is_deleted_after }
}

#[test]
fn exact_nodes_of_a_history() {
    let mut map = Map::default();
    let x = folder(&mut map, b"d", &[entry("x", 2, 5, 0)]);
    let oldest = folder(&mut map, b"", &[entry("a", 2, 1, 7), x]);
    let old = folder(&mut map, b"", &[entry("a", 2, 1, 8), entry("b", 3, 9, 0), entry("d", 4, 1, 0)]);
    let now = folder(&mut map, b"", &[entry("a", 3, 2, 0)]);
    let states = [(&oldest, false), (&old, false), (&now, true)];
    let merged = merged(&mut map, &states, &[], 2).expect("readable");
    assert_eq!((merged.paths, merged.versions, merged.bytes, merged.numbers), (4, 4, 40, 0));

    let top = nodes(&map, &merged.root);
    let named: Vec<(&[u8], u32)> = top.iter().map(|node| (node.name.as_slice(), node.version)).collect();
    assert_eq!(named, [(&b"dd"[..], 0), (b"fa", 2), (b"fb", 9), (b"fd", 1)]);
    let a = nodes(&map, &top[1]);
    let mut expected = Node { name: b"0000000001".to_vec(), ..entry("a", 2, 1, 8) };
    expected.extra.push(seen(1, 2, false).encode().expect("a small record"));
    assert_eq!(a, [expected]);
    let found = versions(&map, &merged.root, &[b"d", b"x"]).expect("readable").expect("it is there");
    let [x] = found.versions.as_slice() else { panic!("{found:?}") };
    assert_eq!((found.highest, &x.node, &x.seen), (5, &entry("x", 2, 5, 0), &seen(1, 1, true)));
    assert_eq!(versions(&map, &merged.root, &[b"d", b"y"]).expect("readable"), None);
}

#[test]
fn what_no_rule_protects_leaves_its_number_until_a_snapshot_has_a_higher_one() {
    let mut map = Map::default();
    let old = folder(&mut map, b"", &[entry("a", 2, 7, 0)]);
    let now = folder(&mut map, b"", &[]);
    let first = merged(&mut map, &[(&old, false), (&now, true)], &[], 0).expect("readable");
    assert_eq!((first.versions_dropped, first.bytes_dropped, first.numbers), (1, 10, 1));
    assert_eq!(read(&map, &first.root), [("a".to_owned(), (7, Vec::new()))].into());
    let back = folder(&mut map, b"", &[entry("a", 2, 8, 0)]);
    let second = merged(&mut map, &[(&now, false), (&back, true)], &[&first.root], 0).expect("readable");
    assert_eq!(second.root, folder(&mut map, b"", &[]));
}

#[test]
fn a_number_that_only_an_unread_entry_tells_is_kept() {
    let mut map = Map::default();
    let unread = Node { flags: Flags::UNREAD, ..file(b"a", 3) };
    let old = folder(&mut map, b"", &[unread]);
    let now = folder(&mut map, b"", &[]);
    let merged = merged(&mut map, &[(&old, false), (&now, true)], &[], 9).expect("readable");
    assert_eq!((merged.versions, merged.numbers), (0, 1));
    assert_eq!(read(&map, &merged.root), [("a".to_owned(), (3, Vec::new()))].into());
}

#[test]
fn a_snapshot_older_or_newer_than_the_history_adds_what_it_saw() {
    let mut map = Map::default();
    let none = folder(&mut map, b"", &[]);
    let early = folder(&mut map, b"", &[entry("a", 2, 1, 1)]);
    let late = folder(&mut map, b"", &[entry("a", 2, 1, 9)]);
    let next = folder(&mut map, b"", &[entry("a", 3, 2, 0)]);
    let seen_early = [(&early, false), (&none, true)];
    let seen_late = [(&none, true), (&none, true), (&late, false), (&next, true)];
    for (before, after) in [(&seen_early[..], &seen_late[..]), (&seen_late, &seen_early)] {
        let history = merged(&mut map, before, &[], 9).expect("readable").root;
        let both = merged(&mut map, after, &[&history], 9).expect("readable").root;
        let found = versions(&map, &both, &[b"a"]).expect("readable").expect("it is there");
        assert_eq!(found.versions[0].node, entry("a", 2, 1, 9));
        assert_eq!(found.versions[0].seen, seen(1, 3, false));
    }
}

#[test]
fn many_versions_with_one_number_are_told_apart() {
    let mut map = Map::default();
    let states: Vec<Node> = (2..14).map(|content| folder(&mut map, b"", &[entry("a", content, 1, 0)])).collect();
    let last = states.len() - 1;
    let states: Vec<(&Node, bool)> = states.iter().enumerate().map(|(at, root)| (root, at == last)).collect();
    let merged = merged(&mut map, &states, &[], 100).expect("readable");
    let found = versions(&map, &merged.root, &[b"a"]).expect("readable").expect("it is there");
    let mut contents: Vec<Vec<u8>> = found.versions.iter().map(|version| version.node.extra[0].1.clone()).collect();
    contents.sort();
    assert_eq!(contents, (2..13).map(|content| vec![content]).collect::<Vec<_>>());
}

#[test]
fn folders_from_which_nothing_goes_are_not_read() {
    let mut map = Map::default();
    let lost = |name: &[u8], version| folder(&mut Map::default(), name, &[file(b"lost", version)]);
    let oldest = folder(&mut map, b"", &[lost(b"kept", 1), lost(b"same", 1)]);
    let old = folder(&mut map, b"", &[lost(b"kept", 1), lost(b"same", 1), file(b"z", 1)]);
    let now = folder(&mut map, b"", &[lost(b"kept", 2), lost(b"same", 1)]);
    let whole = merged(&mut map, &[(&oldest, true), (&old, false), (&now, true)], &[], 2).expect("readable");
    assert_eq!(whole.versions, 1);
    // Nothing is left out because it cannot be read.
    let error = merged(&mut map, &[(&old, false), (&now, true)], &[], 2).expect_err("it has to be read");
    assert!(matches!(error, ReadError::Missing { .. }), "{error}");
}

#[test]
fn each_chunk_is_read_once() {
    let mut source = Counting::default();
    let nodes: Vec<Node> = (0..3000).map(|number| file(format!("{number:06}").as_bytes(), 1)).collect();
    let roots: Vec<Node> = (0..5).map(|first| folder(&mut source.map, b"", &nodes[first..])).collect();
    let stored = source.map.chunks.len();
    let states: Vec<State<'_>> = (1..)
        .zip(&roots)
        .map(|(seconds, root)| State { time: time(seconds), machine: "m", root, stays: seconds == 5 })
        .collect();
    let request = MergeRequest { states: &states, histories: &[], is_protected: &|_| true };
    let mut sink = Map::default();
    let merged = merge(Budget::new(96 << 20, None), &source, &request, &chunker(), &mut sink).expect("readable");
    assert_eq!(merged.versions, 4);
    let chunks_read = source.chunks_read.load(Ordering::Relaxed);
    assert!(chunks_read <= 5 * stored, "{chunks_read} chunks were read of {stored}");
}

#[test]
fn a_name_too_long_for_a_history_is_refused_before_it_is_written() {
    let mut map = Map::default();
    let name = "n".repeat(crate::format::NAME_LEN_MAX);
    let old = folder(&mut map, b"", &[entry(&name, 2, 1, 0)]);
    let now = folder(&mut map, b"", &[]);
    let error = merged(&mut map, &[(&old, false), (&now, true)], &[], 1).expect_err("no reader would accept it");
    assert!(matches!(error, ReadError::Format(FormatError::Limit(_))), "{error}");
}
