//! Marking against plain sets and walks, and how much memory and time a large repository takes.

mod large;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::format::id::{ChunkId, ChunkKind, PackId, RepoId};
use crate::format::pack::{BlockEntry, ChunkEntry, Compression, Directory};
use crate::format::recipe::{Part, Recipe};
use crate::format::record::Extra;
use crate::format::tree::{Node, NodeKind};
use crate::index::{Index, PackInfo, Place};
use crate::report::{Monitor, Silent};
use crate::snapshot::tests::{Map, chunker, file, folder};
use crate::snapshot::{ChunkSource, RecipeBuilder, each_need};
use crate::spill::{Encoded, Record, Sorter};

const REPO: RepoId = RepoId::from_bytes([1; 16]);
const MEMORY: u64 = 96 << 20;

fn id(number: u32) -> ChunkId {
    ChunkId::from_bytes(*blake3::hash(&number.to_be_bytes()).as_bytes())
}

fn set(folder: &Path, budget: usize, ids: impl IntoIterator<Item = ChunkId>) -> LiveSet {
    let mut sorter = Sorter::new(folder, budget);
    for id in ids {
        sorter.push(id).expect("pushed");
    }
    LiveSet::new(sorter, folder).expect("a set")
}

fn listed(set: &LiveSet) -> Vec<ChunkId> {
    set.iter().collect::<Result<_, _>>().expect("readable")
}

/// Stops when it was asked so many times.
struct StopsAfter(Mutex<u32>);

impl Monitor for StopsAfter {
    fn should_stop(&self) -> bool {
        let mut left = self.0.lock().expect("no panic before");
        *left = left.saturating_sub(1);
        *left == 0
    }
}

#[test]
fn what_fits_into_memory_never_touches_the_disk() {
    let nowhere = Path::new("/nowhere/at/all");
    let set = set(nowhere, 64 << 10, (0..100_000).map(|number| id(number % 1000)));
    assert_eq!(set.len(), 1000);
    assert!(set.contains(&id(999)).expect("in memory"));
    assert!(!set.contains(&id(1000)).expect("in memory"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_its_name() {
    let mut sorter = Sorter::new(Path::new("/nowhere/at/all"), 64);
    let failed = (0..10).find_map(|number| sorter.push(id(number)).err()).expect("it does not fit");
    assert_eq!(failed.what, "create");
    assert!(failed.path.starts_with("/nowhere/at/all"), "{}", failed.path.display());
}

#[test]
fn nothing_stays_in_the_folder_and_few_files_are_open() {
    let folder = tempfile::tempdir().expect("a folder");
    // A process that was killed at the wrong moment left these.
    let in_the_way: Vec<_> =
        (0..2000).map(|number| folder.path().join(format!("live-{}-{number}", std::process::id()))).collect();
    for path in &in_the_way {
        std::fs::write(path, b"old").expect("written");
    }
    let open = || {
        let own = |entry: &std::fs::DirEntry| std::fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(&folder));
        std::fs::read_dir("/proc/self/fd").expect("listed").flatten().filter(own).count()
    };
    let mut sorter = Sorter::new(folder.path(), 10 * 32);
    let mut most = 0;
    for number in 0..20_000 {
        sorter.push(id(number)).expect("pushed");
        if number % 10 == 9 {
            most = most.max(open());
        }
    }
    assert!((32..64).contains(&most), "{most}");
    let set = LiveSet::new(sorter, folder.path()).expect("a set");
    assert_eq!(set.len(), 20_000);
    assert_eq!(std::fs::read_dir(&folder).expect("listed").count(), in_the_way.len());
    assert_eq!(open(), 1);
    drop(set);
    assert_eq!(open(), 0);
}

#[test]
fn ids_that_begin_alike_are_found_on_whichever_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let alike = |first: u8, number: u16| {
        let mut bytes = [first; 32];
        bytes[30..].copy_from_slice(&number.to_be_bytes());
        ChunkId::from_bytes(bytes)
    };
    let all: BTreeSet<ChunkId> = [(1, 200), (2, 700), (4, 56)]
        .iter()
        .flat_map(|&(first, end)| (0..end).map(move |n| alike(first, 2 * n)))
        .collect();
    let set = set(folder.path(), 1024, all.iter().copied());
    assert_eq!(listed(&set), all.iter().copied().collect::<Vec<_>>());
    for first in 0..6 {
        for number in 0..1500 {
            let id = alike(first, number);
            assert_eq!(set.contains(&id).expect("readable"), all.contains(&id), "{first} {number}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Short and long records, in runs so small that they are merged in rounds.
    #[test]
    fn sorted_is_what_a_plain_set_says(
        records in prop::collection::vec(prop::collection::vec(0u8..4, 0..6), 0..4000),
        budget in 1usize..4000,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sorter = Sorter::new(folder.path(), budget);
        let expected: BTreeSet<&Vec<u8>> = records.iter().collect();
        prop_assert!(sorter.is_empty());
        for record in &records {
            sorter.push(Encoded(record.clone().into_boxed_slice())).expect("pushed");
        }
        prop_assert_eq!(sorter.is_empty(), records.is_empty());
        let sorted: Vec<Encoded> = sorter.finish().expect("merged").collect::<Result<_, _>>().expect("readable");
        prop_assert!(sorted.iter().map(|record| record.0.as_ref()).eq(expected.iter().map(|record| record.as_slice())));
    }

    #[test]
    fn a_set_is_what_a_plain_set_says(
        numbers in prop::collection::vec(0u32..3000, 0..3000),
        budget in prop::sample::select(vec![1usize, 320, 3200, 1 << 20]),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let expected: BTreeSet<ChunkId> = numbers.iter().map(|&number| id(number)).collect();
        let set = set(folder.path(), budget, numbers.iter().map(|&number| id(number)));
        prop_assert_eq!(set.len(), expected.len() as u64);
        prop_assert_eq!(set.is_empty(), expected.is_empty());
        // Two readers of one file do not disturb each other.
        let twice: Vec<_> = set.iter().zip(set.iter()).map(|(a, b)| (a.expect("readable"), b.expect("readable"))).collect();
        prop_assert!(twice.iter().all(|(a, b)| a == b) && twice.iter().map(|(a, _)| a).eq(expected.iter()));
        for number in 0..3100 {
            prop_assert_eq!(set.contains(&id(number)).expect("readable"), expected.contains(&id(number)));
        }
    }
}

/// A world of snapshots: each step changes some file of some folder, and the folders above it.
fn snapshots(map: &mut Map, steps: &[(u8, u8, u16)]) -> Vec<Node> {
    let mut files: BTreeMap<(u8, u8), Recipe> = BTreeMap::new();
    let mut roots = Vec::new();
    for (number, &(sub, name, parts)) in (0u32..).zip(steps) {
        let mut recipe = RecipeBuilder::default();
        for part in 0..parts {
            let part = match part % 5 {
                4 => Part::Hole { len: 100 },
                // Many share their first chunks.
                _ => Part::Chunk { id: id(u32::from(part) + 10_000 * (number % 7)), len: 10 },
            };
            recipe.push(part, &chunker(), map).expect("stored");
        }
        files.insert((sub % 4, name % 8), recipe.finish(&chunker(), map).expect("stored"));
        let mut top =
            vec![file(b"0 outside", 1), Node { kind: NodeKind::Folder(Recipe::EMPTY), ..file(b"1 unread", 0) }];
        for sub in 0..4u8 {
            let nodes: Vec<Node> = files
                .range((sub, 0)..=(sub, u8::MAX))
                .map(|((_, name), recipe)| Node { kind: NodeKind::File(recipe.clone()), ..file(&[b'a' + name], 1) })
                .collect();
            // The same folder twice in a level, and again in the next.
            let inner = folder(map, b"inner", &nodes);
            let twin = Node { name: b"twin".to_vec(), ..inner.clone() };
            top.push(folder(map, &[b'a' + sub], &[inner, twin]));
            top.push(folder(map, &[b'a' + sub, b'2'], &nodes));
        }
        top.sort_by(|left, right| left.name.cmp(&right.name));
        roots.push(folder(map, b"", &top));
    }
    roots
}

fn needed(map: &Map, roots: &[Node]) -> BTreeSet<ChunkId> {
    let mut needed = BTreeSet::new();
    for root in roots {
        each_need::<ReadError>(map, None, root, &mut |_, id, _| {
            needed.insert(*id);
            Ok(())
        })
        .expect("readable");
    }
    needed
}

fn needs(folder: &Path, budget: usize, roots: &[Node]) -> Needs {
    let mut needs = Needs::with_budgets(folder, budget, budget);
    for root in roots {
        needs.add_root(root.clone()).expect("taken");
    }
    needs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn needs_are_what_a_plain_walk_finds(
        steps in prop::collection::vec((any::<u8>(), any::<u8>(), 0u16..120), 1..12),
        budget in prop::sample::select(vec![100usize, 3000, 1 << 20]),
    ) {
        let temporary = tempfile::tempdir().expect("a folder");
        let mut map = Map::default();
        let mut roots = snapshots(&mut map, &steps);
        roots.push(file(b"", 1));
        let live = needs(temporary.path(), budget, &roots).finish(&map, &Silent).expect("marked");
        prop_assert_eq!(listed(&live), needed(&map, &roots).into_iter().collect::<Vec<_>>());
    }
}

/// Counts how often each chunk is read, and says in which order they are read best.
struct Counting<'a> {
    map: &'a Map,
    read: Mutex<Vec<ChunkId>>,
}

impl ChunkSource for Counting<'_> {
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        self.read.lock().expect("no panic before").push(*id);
        self.map.chunk(kind, id, len)
    }

    fn reading_order(&self, id: &ChunkId) -> Result<u64, ReadError> {
        Ok(u64::from(id.as_bytes()[31]))
    }
}

#[test]
fn a_shared_folder_is_read_once_a_level_in_the_best_order() {
    let temporary = tempfile::tempdir().expect("a folder");
    let mut map = Map::default();
    let shared: Vec<Node> = (0..8u8).map(|sub| folder(&mut map, &[b'a' + sub], &[file(&[b'a' + sub], 1)])).collect();
    let roots: Vec<Node> = (0..10u32)
        .map(|number| {
            let nodes: Vec<Node> = [vec![file(b"0", number + 1)], shared.clone()].concat();
            Node { kind: folder(&mut map, b"", &nodes).kind, ..file(b"", 0) }
        })
        .collect();
    let source = Counting { map: &map, read: Mutex::default() };
    needs(temporary.path(), 1 << 20, &roots).finish(&source, &Silent).expect("marked");
    let read = source.read.into_inner().expect("no panic before");
    let shared: BTreeSet<ChunkId> = needed(&map, &shared).into_iter().collect();
    let of_shared: Vec<ChunkId> = read.iter().copied().filter(|id| shared.contains(id)).collect();
    assert_eq!(of_shared.len(), 8, "each once, not ten times");
    assert!(of_shared.is_sorted_by_key(|id| id.as_bytes()[31]));
}

#[test]
fn what_cannot_be_read_is_named_with_its_roots() {
    let temporary = tempfile::tempdir().expect("a folder");
    let mut map = Map::default();
    let steps: Vec<(u8, u8, u16)> = (0..6).map(|step| (step, step, 100)).collect();
    let roots = snapshots(&mut map, &steps);
    assert!(unreadable(&map, &roots, &Silent).expect("walked").is_empty());
    // A list of the fourth's long recipe: the third and those before it do not need it, all after it do.
    let before = needed(&map, &roots[..3]);
    let lost = *map
        .chunks
        .keys()
        .find(|id| {
            !before.contains(*id) && roots[3..].iter().all(|root| needed(&map, std::slice::from_ref(root)).contains(id))
        })
        .expect("one that is new then and stays");
    map.chunks.remove(&lost);
    let failed = needs(temporary.path(), 1 << 20, &roots).finish(&map, &Silent).err();
    assert!(matches!(failed, Some(LiveError::Read(ReadError::Missing { id })) if id == lost), "{failed:?}");
    let found = unreadable(&map, &roots, &Silent).expect("walked");
    assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(found.iter().all(|(_, error)| matches!(error, ReadError::Missing { id } if *id == lost)));
    let readable = needs(temporary.path(), 1 << 20, &roots[..3]).finish(&map, &Silent).expect("marked");
    assert_eq!(readable.len(), before.len() as u64);
}

#[test]
fn marking_stops_when_asked() {
    let temporary = tempfile::tempdir().expect("a folder");
    let mut map = Map::default();
    let roots = snapshots(&mut map, &[(0, 0, 10), (1, 1, 10)]);
    let stopped = needs(temporary.path(), 1 << 20, &roots).finish(&map, &StopsAfter(Mutex::new(4))).err();
    assert!(matches!(stopped, Some(LiveError::Interrupted)));
    let stopped = unreadable(&map, &roots, &StopsAfter(Mutex::new(4))).err();
    assert!(matches!(stopped, Some(LiveError::Interrupted)));
}

fn directory(chunks: &[u8]) -> Directory {
    let entry = |number: &u8| ChunkEntry { id: id((*number).into()), len: 10 + u32::from(*number) };
    let blocks = chunks.chunks(3).map(|numbers| BlockEntry {
        sealed_len: 100,
        raw_len: numbers.iter().map(|&number| 10 + u32::from(number)).sum(),
        compression: Compression::Zstd,
        chunks: numbers.iter().map(entry).collect(),
    });
    Directory { kind: ChunkKind::Data, blocks: blocks.collect(), extra: Extra::new() }
}

/// An index of these packs, numbered from 1, each on the destinations of its bits.
fn index(folder: &Path, packs: &[(Directory, u64)]) -> Index {
    let index = Index::open(&folder.join("index"), REPO, MEMORY).expect("a new index");
    let mut writer = index.writer().expect("a writer");
    for (number, (directory, bits)) in (1u32..).zip(packs) {
        let id = PackId::of(&number.to_be_bytes());
        let info = PackInfo { id, len: 65536, kind: ChunkKind::Data, epoch: 1, salt: [1; 32] };
        writer.add_packs([(number, info, 500, directory)]).expect("added");
        writer.set_present([number], *bits, true).expect("changed");
    }
    writer.commit().expect("committed");
    index
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_tally_is_what_counting_by_hand_says(
        packs in prop::collection::vec((prop::collection::vec(0u8..40, 1..12), 0u64..4), 1..8),
        live in prop::collection::btree_set(0u8..45, 0..30),
        ranks in prop::collection::vec(0u32..3, 8),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let packs: Vec<(Vec<u8>, u64)> = packs.into_iter().map(|(chunks, bits)| {
            let unique: BTreeSet<u8> = chunks.into_iter().collect();
            (unique.into_iter().rev().collect(), bits)
        }).collect();
        let directories: Vec<_> = packs.iter().map(|(chunks, bits)| (directory(chunks), *bits)).collect();
        let index = index(folder.path(), &directories);
        let view = index.reader().expect("a view");
        let set = set(folder.path(), 64, live.iter().map(|&number| id(number.into())));
        let rank = |number: u32| ranks[number as usize - 1];
        let keepers = Keepers { index: &view, live: &set, bit: 2, rank: &rank };
        let tally = keepers.tally(&Silent).expect("counted");

        let holders = |chunk: u8| (1u32..).zip(&packs).filter(move |(_, (chunks, bits))| bits & 2 != 0 && chunks.contains(&chunk));
        let keeper = |chunk: u8| holders(chunk).map(|(number, _)| (rank(number), number)).min().map(|(_, number)| number);
        let len = |chunk: u8| 10 + u64::from(chunk);
        let mut expected = Vec::new();
        for (number, (chunks, bits)) in (1u32..).zip(&packs) {
            let kept: Vec<u8> = chunks.iter().copied().filter(|c| live.contains(c) && keeper(*c) == Some(number)).collect();
            for &chunk in chunks {
                let keeps = keepers.keeps(number, &id(chunk.into())).expect("told");
                prop_assert_eq!(keeps, kept.contains(&chunk));
            }
            if bits & 2 == 0 {
                continue;
            }
            let told: Vec<bool> = keepers.kept(number, &directory(chunks)).expect("told").concat();
            prop_assert_eq!(told, chunks.iter().map(|chunk| kept.contains(chunk)).collect::<Vec<_>>());
            expected.push(PackTally {
                number,
                raw_live: kept.iter().copied().map(len).sum(),
                raw_total: chunks.iter().copied().map(len).sum(),
                chunks_live: kept.len() as u32,
                chunks_total: chunks.len() as u32,
            });
        }
        prop_assert_eq!(&tally.packs, &expected);
        let missing: BTreeSet<ChunkId> =
            live.iter().filter(|chunk| keeper(**chunk).is_none()).map(|&chunk| id(chunk.into())).collect();
        prop_assert_eq!(tally.missing, missing.len() as u64);
        prop_assert_eq!(tally.missing_first, missing.into_iter().take(10).collect::<Vec<_>>());
    }
}

#[test]
fn places_come_in_the_order_of_ids_and_packs() {
    let folder = tempfile::tempdir().expect("a folder");
    let packs = [(directory(&[3, 1, 2, 9]), 1), (directory(&[2, 3]), 1)];
    let index = index(folder.path(), &packs);
    let view = index.reader().expect("a view");
    let mut seen = Vec::new();
    view.each_place(|id, place| {
        seen.push((id, place));
        Ok::<_, LiveError>(())
    })
    .expect("read");
    let mut expected: Vec<(ChunkId, Place)> = [1, 2, 3, 9]
        .iter()
        .flat_map(|&number| {
            let id = id(number);
            view.places(&id).expect("known").into_iter().map(move |place| (id, place))
        })
        .collect();
    expected.sort_by_key(|(id, place)| (*id, place.pack));
    assert_eq!(seen.len(), 6);
    assert_eq!(seen, expected);
}

#[test]
fn a_chunk_that_a_pack_holds_twice_is_kept_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let twice = directory(&[5, 6, 5, 5]);
    let index = index(folder.path(), &[(twice.clone(), 1)]);
    let view = index.reader().expect("a view");
    let set = set(folder.path(), 1024, [id(5)]);
    let keepers = Keepers { index: &view, live: &set, bit: 1, rank: &|_| 0 };
    let kept = keepers.kept(1, &twice).expect("told").concat();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 1, "{kept:?}");
    assert_eq!(keepers.tally(&Silent).expect("counted").packs[0].raw_live, 15);
}

#[test]
fn an_id_takes_what_it_is_said_to_take() {
    assert_eq!(id(1).memory(), size_of::<ChunkId>());
}

proptest! {
    #[test]
    fn chunks_in_a_file_are_found_again(
        numbers in prop::collection::vec(0u32..2000, 0..700),
        budget in 200usize..20_000,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = ChunkFileWriter::with_budget(folder.path(), budget).expect("a file");
        let content = |number: u32| vec![number as u8; number as usize % 50];
        for number in &numbers {
            writer.put(id(*number), &content(*number)).expect("put");
        }
        let chunks = writer.finish().expect("finished");
        let mut given = Vec::new();
        chunks.each(|bytes| -> Result<(), LiveError> { given.push(bytes.to_vec()); Ok(()) }).expect("readable");
        prop_assert_eq!(given, numbers.iter().map(|number| content(*number)).collect::<Vec<_>>());
        let put: BTreeSet<u32> = numbers.into_iter().collect();
        for number in 0..2000 {
            let expected = put.contains(&number).then(|| content(number));
            prop_assert_eq!(chunks.get(&id(number)).expect("readable"), expected, "{}", number);
        }
        prop_assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }
}
