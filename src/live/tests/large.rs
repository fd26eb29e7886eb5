//! A million files in a hundred snapshots, made up as they are read: how much memory and time marking takes.
//!
//! `cargo test --release --lib live::tests::large -- --ignored --nocapture`

use std::time::Instant;

use super::{MEMORY, REPO, file};
use crate::format::id::{ChunkId, ChunkKind, PackId};
use crate::format::pack::{BlockEntry, ChunkEntry, Compression, Directory};
use crate::format::recipe::{Part, Recipe};
use crate::format::record::{Extra, Time};
use crate::format::tree::{Flags, Metadata, Node, NodeKind, TREE_VERSION};
use crate::index::{Index, PackInfo};
use crate::live::{Keepers, LiveSet, Needs};
use crate::memory::Budget;
use crate::report::Silent;
use crate::snapshot::{ChunkSource, ReadError};

const SNAPSHOTS: u8 = 100;
/// Entries of each folder; a root of folders of folders of files.
const WIDE: u32 = 100;
const CHUNKS_PER_PACK: usize = 1024;

/// Of a hundred snapshots each changes every hundredth folder, and there every tenth file.
struct World {
    /// The snapshots that change each lowest folder, as bits.
    changes: Vec<u128>,
    /// Lengths of the streams of the root, of the folders in it, and of the lowest folders.
    lens: [u64; 3],
}

fn scrambled(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0x7FB5_D329_728E_A185);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x81DA_DEF4_BC2D_D44D) ^ (mixed >> 33)
}

/// An id that is spread as evenly as a real one and tells what it names: level, number there, snapshot.
fn named(level: u8, number: u32, since: u8) -> ChunkId {
    let mut bytes = [0; 32];
    bytes[8] = level;
    bytes[9..13].copy_from_slice(&number.to_be_bytes());
    bytes[13] = since;
    let key = u64::from(number) << 16 | u64::from(level) << 8 | u64::from(since);
    bytes[..8].copy_from_slice(&scrambled(key).to_be_bytes());
    ChunkId::from_bytes(bytes)
}

impl World {
    fn new() -> Self {
        let changes = |folder: u32| {
            let is_changed =
                |snapshot: &u8| scrambled(u64::from(folder) << 8 | u64::from(*snapshot)).is_multiple_of(100);
            (1..SNAPSHOTS).filter(is_changed).fold(0, |bits, snapshot| bits | 1u128 << snapshot)
        };
        let mut world = Self { changes: (0..WIDE * WIDE).map(changes).collect(), lens: [1 << 14; 3] };
        // A length is part of the stream above it, and takes as many bytes there whatever it is.
        for level in [2, 1, 0] {
            world.lens[level] = world.stream(level as u8, 0, 0).len() as u64;
        }
        world
    }

    /// The last snapshot up to `snapshot` that changed something in a folder.
    fn since(&self, level: u8, number: u32, snapshot: u8) -> u8 {
        let below = match level {
            0 => 0..WIDE * WIDE,
            1 => number * WIDE..(number + 1) * WIDE,
            _ => number..number + 1,
        };
        let until = (2u128 << snapshot) - 1;
        let bits =
            self.changes[below.start as usize..below.end as usize].iter().fold(0, |all, bits| all | bits) & until;
        if bits == 0 { 0 } else { (127 - bits.leading_zeros()) as u8 }
    }

    fn recipe(&self, level: u8, number: u32, since: u8) -> Recipe {
        let len = self.lens.get(usize::from(level)).copied().unwrap_or(20_000);
        Recipe { depth: 0, size: len, parts: vec![Part::Chunk { id: named(level, number, since), len: len as u32 }] }
    }

    fn stream(&self, level: u8, number: u32, snapshot: u8) -> Vec<u8> {
        let mut stream = vec![TREE_VERSION];
        for entry in 0..WIDE {
            let below = number * WIDE + entry;
            let kind = match level {
                0 | 1 => {
                    let since = self.since(level + 1, below, snapshot);
                    NodeKind::Folder(self.recipe(level + 1, below, since))
                }
                _ => {
                    // Which tenth of the files a snapshot changed, if it changed the folder at all.
                    let bits = self.changes[number as usize];
                    let changed = |since: &u8| bits >> since & 1 == 1 && (entry + u32::from(*since)).is_multiple_of(10);
                    NodeKind::File(self.recipe(3, below, (1..=snapshot).rev().find(changed).unwrap_or(0)))
                }
            };
            let time = Time { seconds: 1_700_000_000, nanos: 123_456_789 };
            let metadata = Metadata {
                mode: 0o644,
                user: Some("somebody".to_owned()),
                group: Some("somebody".to_owned()),
                mtime: time,
                ctime: time,
                inode: 1 << 30,
                links: 1,
                ..Metadata::default()
            };
            let name = format!("an-entry-{entry:08}").into_bytes();
            let node = Node { name, kind, metadata, version: 1, flags: Flags::NONE, extra: Extra::new() };
            stream.extend(node.encode().expect("a small node"));
        }
        stream
    }

    fn root(&self, snapshot: u8) -> Node {
        Node { kind: NodeKind::Folder(self.recipe(0, 0, self.since(0, 0, snapshot))), ..file(b"", 0) }
    }
}

impl ChunkSource for World {
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        assert_eq!(kind, ChunkKind::Tree);
        let bytes = id.as_bytes();
        let number = bytes[9..13].iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
        let stream = self.stream(bytes[8], number, bytes[13]);
        assert_eq!(stream.len(), len as usize);
        Ok(stream)
    }
}

/// The most memory since it was last asked, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("there");
    std::fs::write("/proc/self/clear_refs", "5").expect("reset");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") >> 10
}

fn indexed(folder: &std::path::Path, live: &LiveSet) -> Index {
    let index = Index::open(&folder.join("index"), REPO, MEMORY).expect("a new index");
    let mut ids = live.iter().map(|id| id.expect("readable")).peekable();
    let mut next = 1u32;
    while ids.peek().is_some() {
        let mut writer = index.writer().expect("a writer");
        let mut packs = Vec::new();
        // Every fourth chunk is one that nobody needs.
        while packs.len() < 64 && ids.peek().is_some() {
            let dead = (0..CHUNKS_PER_PACK / 4).map(|number| named(9, next * 1000 + number as u32, 0));
            let chunks = ids.by_ref().take(CHUNKS_PER_PACK * 3 / 4).chain(dead);
            let chunks: Vec<ChunkEntry> = chunks.map(|id| ChunkEntry { id, len: 1000 }).collect();
            let raw_len = 1000 * chunks.len() as u32;
            let block = BlockEntry { sealed_len: 500_000, raw_len, compression: Compression::Zstd, chunks };
            packs.push((next, Directory { kind: ChunkKind::Data, blocks: vec![block], extra: Extra::new() }));
            next += 1;
        }
        let info = |number: u32| {
            let id = PackId::of(&number.to_be_bytes());
            PackInfo { id, len: 1 << 20, kind: ChunkKind::Data, epoch: 1, salt: [1; 32] }
        };
        let rows: Vec<_> = packs.iter().map(|(number, directory)| (*number, info(*number), 500, directory)).collect();
        writer.add_packs(rows).expect("added");
        writer.set_present(packs.iter().map(|(number, _)| *number), 1, true).expect("changed");
        writer.commit().expect("committed");
    }
    index
}

#[test]
#[expect(clippy::print_stderr, reason = "it measures")]
#[ignore = "measures, for half a minute"]
fn a_million_files_in_a_hundred_snapshots_under_100_megabytes() {
    let world = World::new();
    let folder = tempfile::tempdir().expect("a folder");
    let before = peak();
    let began = Instant::now();
    let mut needs = Needs::new(folder.path(), Budget::new(MEMORY, None));
    for snapshot in 0..SNAPSHOTS {
        needs.add_root(world.root(snapshot)).expect("taken");
    }
    let live = needs.finish(&world, &Silent).expect("marked");
    let (marking, marked) = (began.elapsed(), peak());
    let files: u64 = world.changes.iter().map(|bits| u64::from(WIDE) + 10 * u64::from(bits.count_ones())).sum();
    assert!(live.len() > files, "{} chunks, {files} of files", live.len());

    let index = indexed(folder.path(), &live);
    drop(index);
    let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("there");
    let view = index.reader().expect("a view");
    peak();
    let began = Instant::now();
    let keepers = Keepers { index: &view, live: &live, bit: 1, rank: &|_| 0 };
    let tally = keepers.tally(&Silent).expect("counted");
    let (tallying, tallied) = (began.elapsed(), peak());
    assert_eq!(tally.missing, 0);
    assert_eq!(tally.packs.iter().map(|pack| u64::from(pack.chunks_live)).sum::<u64>(), live.len());

    let began = Instant::now();
    for snapshot in 0..SNAPSHOTS {
        for number in 0..1000 {
            live.contains(&named(3, number * 1000, snapshot)).expect("readable");
        }
    }
    let lookup = began.elapsed() / (1000 * u32::from(SNAPSHOTS));
    eprintln!("{} chunks; before: {before} MiB", live.len());
    eprintln!(
        "marked in {marking:?}, {marked} MiB; {} packs counted in {tallying:?}, {tallied} MiB",
        tally.packs.len()
    );
    eprintln!("a look-up takes {lookup:?}");
    assert!(marked < 95 && tallied < 95, "{marked} MiB, then {tallied} MiB");
}
