//! Histories against plain maps: snapshots come and go, and what is kept is what the rule says, path by path.

mod exact;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::merge::{Limits, merge_within};
use super::*;
use crate::format::history::Seen;
use crate::format::id::ChunkId;
use crate::format::recipe::{Part, Recipe};
use crate::format::record::Time;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::snapshot::tests::{Map, chunker, file, folder};
use crate::snapshot::versions::join;
use crate::snapshot::{ReadError, each_need};

/// Every path there can be; the first is the source itself.
const PATHS: &[&str] = &["", "a", "a/x", "a/y/z", "b", "b/x", "b/x/y", "c", "d/e", "d/f", "ca"];

/// What a snapshot has at a path.
#[derive(Debug, Clone, PartialEq)]
enum Leaf {
    Entry(Box<Node>),
    UnreadFolder,
}

/// A snapshot as a map. Folders are where their paths say.
type Plain = BTreeMap<String, Leaf>;

/// A snapshot and when it was made.
#[derive(Clone)]
struct Shot {
    time: Time,
    machine: String,
    plain: Plain,
    root: Node,
}

/// A history as a map.
type Past = BTreeMap<String, (u32, Vec<(Node, Seen)>)>;

#[derive(Debug, Clone)]
enum Op {
    /// New content under the next number.
    Write(usize, u8),
    /// New content under a number that was given already, by somebody else.
    WriteAgain(usize, u8),
    /// The same version with other metadata.
    Touch(usize),
    /// Something that was there once, under its old number.
    Bring(usize, usize),
    Delete(usize),
    Unread(usize),
    UnreadFolder(usize),
}

#[derive(Debug, Clone)]
struct Round {
    shots: Vec<(Vec<Op>, i64, u8)>,
    stays: u64,
    keep_versions: usize,
    keep_days: i64,
    keep_deleted_days: i64,
    takes_histories: bool,
    limits: usize,
}

fn op() -> impl Strategy<Value = Op> {
    let path = 0..PATHS.len();
    prop_oneof![
        6 => (path.clone(), 0u8..6).prop_map(|(path, content)| Op::Write(path, content)),
        1 => (path.clone(), 0u8..6).prop_map(|(path, content)| Op::WriteAgain(path, content)),
        1 => path.clone().prop_map(Op::Touch),
        1 => (path.clone(), 0..4usize).prop_map(|(path, which)| Op::Bring(path, which)),
        3 => path.clone().prop_map(Op::Delete),
        1 => path.clone().prop_map(Op::Unread),
        1 => path.prop_map(Op::UnreadFolder),
    ]
}

fn round() -> impl Strategy<Value = Round> {
    let shot = (prop::collection::vec(op(), 0..4), 1i64..4, 0u8..3);
    (
        prop::collection::vec(shot, 1..6),
        any::<u64>(),
        (1usize..4, 0i64..12, 0i64..20),
        prop::bool::weighted(0.8),
        0..LIMITS.len(),
    )
        .prop_map(|(shots, stays, (keep_versions, keep_days, keep_deleted_days), takes_histories, limits)| Round {
            shots,
            stays,
            keep_versions,
            keep_days,
            keep_deleted_days,
            takes_histories,
            limits,
        })
}

const LIMITS: &[Limits] = &[
    Limits { open_bytes: 1 << 20, window_bytes: 1 << 20, waiting: 4096 },
    Limits { open_bytes: 1 << 20, window_bytes: 1 << 20, waiting: 1 },
    Limits { open_bytes: 0, window_bytes: 1, waiting: 2 },
    Limits { open_bytes: 0, window_bytes: 2000, waiting: 0 },
    Limits { open_bytes: 4000, window_bytes: 600, waiting: 4096 },
];

/// Everything the model knows.
#[derive(Default)]
struct World {
    map: Map,
    now: i64,
    plain: Plain,
    highest: BTreeMap<String, u32>,
    /// The same of those numbers that a snapshot ever told.
    told: BTreeMap<String, u32>,
    /// Every node that ever was, to be brought again.
    ever: BTreeMap<String, Vec<Node>>,
    shots: Vec<Shot>,
    histories: Vec<(Node, Past)>,
}

fn is_below(path: &str, folder: &str) -> bool {
    path != folder && (folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
}

fn entry(path: &str, content: u8, version: u32, time: i64) -> Node {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut node = file(name.as_bytes(), version);
    node.kind = match content {
        0 => NodeKind::Symlink(b"where".to_vec()),
        1 => NodeKind::Fifo,
        _ => {
            let id = ChunkId::from_bytes([content; 32]);
            NodeKind::File(Recipe { depth: 0, size: 10, parts: vec![Part::Chunk { id, len: 10 }] })
        }
    };
    node.metadata.mtime.seconds = time;
    node.extra = vec![(7, vec![content])];
    node
}

impl World {
    fn set(&mut self, path: &str, leaf: Leaf) {
        self.plain.retain(|other, _| !is_below(other, path) && !is_below(path, other));
        self.plain.insert(path.to_owned(), leaf);
    }

    fn apply(&mut self, op: &Op) {
        let (Op::Write(at, _) | Op::WriteAgain(at, _) | Op::Touch(at) | Op::Bring(at, _)) = op else {
            let (Op::Delete(at) | Op::Unread(at) | Op::UnreadFolder(at)) = op else { return };
            let path = PATHS[*at];
            let highest = self.highest.get(path).copied().unwrap_or(0);
            return match op {
                Op::Delete(_) => self.plain.retain(|other, _| other != path && !is_below(other, path)),
                Op::Unread(_) => {
                    let node = Node { flags: Flags::UNREAD, ..entry(path, 2, highest, 0) };
                    self.set(path, Leaf::Entry(Box::new(node)));
                }
                _ => self.set(path, Leaf::UnreadFolder),
            };
        };
        let path = PATHS[*at];
        let highest = self.highest.get(path).copied().unwrap_or(0);
        let node = match op {
            Op::Write(_, content) => Some(entry(path, *content, highest + 1, self.now)),
            Op::WriteAgain(_, content) => Some(entry(path, *content, highest.max(1), self.now)),
            Op::Bring(_, which) => self.ever.get(path).and_then(|ever| ever.get(*which)).cloned(),
            _ => match self.plain.get(path) {
                Some(Leaf::Entry(node)) if !node.flags.contains(Flags::UNREAD) => Some((**node).clone()),
                _ => None,
            },
        };
        let Some(mut node) = node else { return };
        node.metadata.mtime.seconds = self.now;
        self.highest.insert(path.to_owned(), highest.max(node.version));
        self.ever.entry(path.to_owned()).or_default().push(node.clone());
        self.set(path, Leaf::Entry(Box::new(node)));
    }

    fn shoot(&mut self, ops: &[Op], pause: i64, machine: u8) {
        self.now += pause;
        ops.iter().for_each(|op| self.apply(op));
        let root = tree(&mut self.map, "", &self.plain);
        for (path, leaf) in &self.plain {
            if let Leaf::Entry(node) = leaf {
                let told = self.told.entry(path.clone()).or_default();
                *told = node.version.max(*told);
            }
        }
        let (time, plain) = (Time { seconds: self.now, nanos: 0 }, self.plain.clone());
        self.shots.push(Shot { time, machine: format!("m{machine}"), plain, root });
    }
}

/// The node at a path of a snapshot.
fn tree(map: &mut Map, path: &str, plain: &Plain) -> Node {
    let name = path.rsplit('/').next().unwrap_or_default().as_bytes();
    match plain.get(path) {
        Some(Leaf::Entry(node)) => return (**node).clone(),
        Some(Leaf::UnreadFolder) => {
            return Node { kind: NodeKind::Folder(Recipe::EMPTY), flags: Flags::UNREAD, ..file(name, 0) };
        }
        None => {}
    }
    let start = if path.is_empty() { 0 } else { path.len() + 1 };
    let below = plain.keys().filter(|other| is_below(other, path));
    let names: BTreeSet<&str> = below.filter_map(|other| other[start..].split('/').next()).collect();
    let nodes: Vec<Node> = names
        .into_iter()
        .map(|name| {
            let path = join(path.as_bytes(), name.as_bytes());
            tree(map, &String::from_utf8_lossy(&path), plain)
        })
        .collect();
    folder(map, name, &nodes)
}

/// The entry at a path, other than a folder; and whether the path is there or may be.
fn at<'p>(plain: &'p Plain, path: &str) -> (Option<&'p Node>, bool) {
    match plain.get(path) {
        Some(Leaf::Entry(node)) => (Some(node), true),
        Some(Leaf::UnreadFolder) => (None, false),
        None => (None, plain.iter().any(|(folder, leaf)| *leaf == Leaf::UnreadFolder && is_below(path, folder))),
    }
}

fn is_same(left: &Node, right: &Node) -> bool {
    left.version == right.version && left.kind == right.kind
}

/// What a history has to hold of a path, and whether it has to hold its number in any case.
fn expected(
    path: &str,
    shots: &[(Shot, bool)],
    pasts: &[&Past],
    rule: &dyn Fn(&Standing) -> bool,
) -> (u32, Vec<(Node, Seen)>, bool) {
    let kept = || pasts.iter().filter_map(|past| past.get(path));
    let held: Vec<Option<&Node>> = shots.iter().map(|(shot, _)| at(&shot.plain, path).0).collect();
    let mut all: Vec<&Node> = kept().flat_map(|(_, versions)| versions.iter().map(|(node, _)| node)).collect();
    all.extend(held.iter().flatten().filter(|node| !node.flags.contains(Flags::UNREAD)));
    let highest = kept().map(|kept| kept.0).chain(held.iter().flatten().map(|node| node.version)).max().unwrap_or(0);
    let mut versions: Vec<(Node, Seen, bool)> = Vec::new();
    for node in all {
        if versions.iter().any(|(other, ..)| is_same(other, node)) {
            continue;
        }
        // Everything that was ever seen of this version, oldest first; of equals the last counts.
        let mut seen: Vec<(Node, Seen)> = kept().flat_map(|(_, versions)| versions.clone()).collect();
        for (number, (shot, _)) in shots.iter().enumerate() {
            let Some(node) = held[number] else { continue };
            let is_deleted_after = shots.get(number + 1).is_some_and(|(next, _)| !at(&next.plain, path).1);
            let (first, last, machine) = (shot.time, shot.time, shot.machine.clone());
            seen.push((node.clone(), Seen { first, last, machine, is_deleted_after }));
        }
        seen.retain(|(other, _)| is_same(other, node) && !other.flags.contains(Flags::UNREAD));
        let last = seen.iter().max_by_key(|(_, seen)| seen.last).expect("it was seen").clone();
        let first = seen.iter().min_by_key(|(_, seen)| seen.first).expect("it was seen").1.clone();
        let stays = shots.iter().zip(&held).any(|((_, stays), held)| {
            *stays && held.is_some_and(|held| is_same(held, node) && !held.flags.contains(Flags::UNREAD))
        });
        versions.push((last.0, Seen { first: first.first, machine: first.machine, ..last.1 }, stays));
    }
    versions.sort_by_key(|(node, seen, _)| std::cmp::Reverse((node.version, seen.last)));
    let is_deleted = shots.last().is_some_and(|(shot, _)| !at(&shot.plain, path).1);
    let newest_seen = versions.first().map(|(_, seen, _)| seen.last).unwrap_or_default();
    let mut found: Vec<(Node, Seen)> = versions
        .into_iter()
        .enumerate()
        .filter(|(position, (_, seen, stays))| {
            !stays && rule(&Standing { position: *position, last_seen: seen.last, newest_seen, is_deleted })
        })
        .map(|(_, (node, seen, _))| (node, seen))
        .collect();
    found.reverse();
    let newest = held.last().copied().flatten().map_or(0, |node| node.version);
    (highest, found, highest > newest)
}

/// A history as it is read.
fn read(map: &Map, root: &Node) -> Past {
    let mut past = Past::new();
    each_kept(map, root, &mut |path, kept| {
        let path = String::from_utf8_lossy(path).into_owned();
        let versions = kept.versions.into_iter().map(|version| (version.node, version.seen)).collect();
        assert_eq!(past.insert(path, (kept.highest, versions)), None);
    })
    .expect("readable");
    past
}

fn components(path: &str) -> Vec<&[u8]> {
    path.split('/').filter(|name| !name.is_empty()).map(str::as_bytes).collect()
}

fn play(world: &mut World, round: &Round) {
    for (ops, pause, machine) in &round.shots {
        world.shoot(ops, *pause, *machine);
    }
    let newest = world.shots.len() - 1;
    let stays = |number: usize| number == newest || round.stays >> (number % 64) & 1 == 1;
    let shots: Vec<(Shot, bool)> = world.shots.drain(..).enumerate().map(|(at, shot)| (shot, stays(at))).collect();
    let age = |time: Time| world.now - time.seconds;
    let rule = |standing: &Standing| match standing.is_deleted {
        true => age(standing.newest_seen) < round.keep_deleted_days && standing.position < round.keep_versions,
        false => standing.position < round.keep_versions || age(standing.last_seen) < round.keep_days,
    };
    let older = if round.takes_histories { std::mem::take(&mut world.histories) } else { Vec::new() };
    let states: Vec<State<'_>> = shots
        .iter()
        .map(|(shot, stays)| State { time: shot.time, machine: &shot.machine, root: &shot.root, stays: *stays })
        .collect();
    let roots: Vec<&Node> = older.iter().map(|(root, _)| root).collect();
    let request = MergeRequest { states: &states, histories: &roots, is_protected: &rule };
    let before = Map { chunks: world.map.chunks.clone() };
    let merged = merge_within(LIMITS[round.limits], &before, &request, &chunker(), &mut world.map).expect("readable");

    let past = read(&world.map, &merged.root);
    let pasts: Vec<&Past> = older.iter().map(|(_, past)| past).collect();
    let mut counted = (0, 0, 0);
    for path in PATHS {
        let (highest, versions, needs_number) = expected(path, &shots, &pasts, &rule);
        let found = past.get(*path);
        let staying = || shots.iter().filter(|(_, stays)| *stays).filter_map(|(shot, _)| at(&shot.plain, path).0);
        let is_told = staying().any(|node| node.version == highest);
        match found {
            None => assert!(versions.is_empty() && (!needs_number || is_told), "{path}: {versions:?}"),
            Some(found) => {
                assert_eq!(*found, (highest, versions.clone()), "{path}");
                assert!(!versions.is_empty() || needs_number, "{path}");
            }
        }
        for (node, _) in &versions {
            assert!(!staying().any(|other| is_same(other, node) && !other.flags.contains(Flags::UNREAD)), "{path}");
        }
        let told = staying().map(|node| node.version);
        let told = told.chain(world.histories.iter().filter_map(|(_, past)| Some(past.get(*path)?.0)));
        let told = told.chain(found.map(|found| found.0)).max().unwrap_or(0);
        assert_eq!(told, world.told.get(*path).copied().unwrap_or(0), "the number of {path}");
        let one = super::versions(&world.map, &merged.root, &components(path)).expect("readable");
        let one = one.map(|kept| {
            assert!(kept.versions.iter().all(|version| version.number == version.node.version));
            let versions = kept.versions.into_iter().map(|version| (version.node, version.seen)).collect();
            (kept.highest, versions)
        });
        assert_eq!(one.as_ref(), found, "{path}");
        counted.0 += u64::from(!versions.is_empty());
        counted.1 += versions.len() as u64;
        counted.2 += versions.iter().map(|(node, _)| node.size()).sum::<u64>();
    }
    assert!(past.keys().all(|path| PATHS.contains(&path.as_str())));
    assert_eq!((merged.paths, merged.versions, merged.bytes), counted);
    assert_eq!(merged.numbers + merged.paths, past.len() as u64);
    let mut numbers = BTreeMap::new();
    each_number(&world.map, &merged.root, &mut |path, highest| {
        numbers.insert(String::from_utf8_lossy(path).into_owned(), highest);
    })
    .expect("readable");
    assert_eq!(numbers, past.iter().map(|(path, kept)| (path.clone(), kept.0)).collect());
    check_needs(&world.map, &merged.root, &past);
    check_purge(&mut world.map, &merged.root, &past);
    world.histories.push((merged.root, past));
    world.shots = shots.into_iter().filter(|(_, stays)| *stays).map(|(shot, _)| shot).collect();
}

/// Whatever copies or cleans a history finds what it needs as in any tree.
fn check_needs(map: &Map, root: &Node, past: &Past) {
    let mut needs = BTreeSet::new();
    each_need(map, None, root, &mut |_, id, _| -> Result<(), ReadError> {
        needs.insert(*id);
        Ok(())
    })
    .expect("readable");
    for (node, _) in past.values().flat_map(|(_, versions)| versions) {
        if let NodeKind::File(Recipe { parts, .. }) = &node.kind {
            assert!(parts.iter().all(|part| matches!(part, Part::Chunk { id, .. } if needs.contains(id))));
        }
    }
}

fn check_purge(map: &mut Map, root: &Node, past: &Past) {
    for path in PATHS.iter().chain(&["d", "a/y", "zz"]) {
        let source = Map { chunks: map.chunks.clone() };
        let found = super::without(&source, root, &components(path), &chunker(), map).expect("readable");
        let mut left = past.clone();
        left.retain(|other, _| other != path && !is_below(other, path));
        assert_eq!(found.is_some(), left.len() < past.len(), "{path}");
        assert_eq!(read(map, found.as_ref().unwrap_or(root)), left, "{path}");
        if left.is_empty() {
            assert_eq!(found.unwrap_or_else(|| root.clone()), folder(map, b"", &[]), "nothing is an empty tree");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_kept_is_what_the_rule_says(rounds in prop::collection::vec(round(), 1..6)) {
        let mut world = World::default();
        for round in &rounds {
            play(&mut world, round);
        }
    }
}
