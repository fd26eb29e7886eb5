//! The index: packs go in, chunks are looked up.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cryptbackup::format::id::{ChunkId, ChunkKind, PackId, RepoId};
use cryptbackup::format::pack::{BlockEntry, ChunkEntry, Compression, Directory};
use cryptbackup::format::record::Extra;
use cryptbackup::index::{Index, PackInfo};

const REPO: RepoId = RepoId::from_bytes([1; 16]);
const MEMORY: u64 = 96 << 20;
/// Packs added together, as a backup does, and chunks in each.
const PACKS: u32 = 64;
const CHUNKS: u32 = 1024;

fn id(number: u32) -> ChunkId {
    ChunkId::from_bytes(*blake3::hash(number.to_string().as_bytes()).as_bytes())
}

fn directory(pack: u32) -> Directory {
    let chunk = |number| ChunkEntry { id: id(number), len: 16 << 10 };
    let numbers: Vec<u32> = (pack * CHUNKS..(pack + 1) * CHUNKS).collect();
    let blocks = numbers.chunks(128).map(|numbers| BlockEntry {
        sealed_len: 500_000,
        raw_len: 2 << 20,
        compression: Compression::Zstd,
        chunks: numbers.iter().copied().map(chunk).collect(),
    });
    Directory { kind: ChunkKind::Data, blocks: blocks.collect(), extra: Extra::new() }
}

fn add(index: &Index, first: u32, directories: &[Directory]) {
    let info = |number: u32| PackInfo {
        id: PackId::of(number.to_string().as_bytes()),
        len: 16 << 20,
        kind: ChunkKind::Data,
        epoch: 1,
        salt: [1; 32],
    };
    let mut writer = index.writer().expect("a writer");
    let packs = (first..).zip(directories).map(|(number, directory)| (number, info(number), 500, directory));
    writer.add_packs(packs.collect::<Vec<_>>()).expect("added");
    writer.commit().expect("committed");
}

fn index(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index");
    group.throughput(Throughput::Elements((PACKS * CHUNKS).into()));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index = Index::open(&folder.path().join("index"), REPO, MEMORY).expect("a new index");
    let mut next = PACKS;
    add(&index, 0, &(0..PACKS).map(directory).collect::<Vec<_>>());
    group.bench_function("add chunks", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut spent = std::time::Duration::ZERO;
            for _ in 0..iterations {
                let directories: Vec<Directory> = (next..next + PACKS).map(directory).collect();
                let began = std::time::Instant::now();
                add(&index, next, &directories);
                spent += began.elapsed();
                next += PACKS;
            }
            spent
        });
    });

    let known: Vec<ChunkId> =
        (0..PACKS * CHUNKS).map(|number| id(number.wrapping_mul(2_654_435_761) % (next * CHUNKS))).collect();
    let strange: Vec<ChunkId> = (0..PACKS * CHUNKS).map(|number| id(u32::MAX - number)).collect();
    let view = index.reader().expect("a view");
    for (name, ids) in [("look up known chunks", known), ("look up new chunks", strange)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| ids.iter().filter(|id| view.places(id).is_ok_and(|places| !places.is_empty())).count());
        });
    }
}

criterion_group!(name = benches; config = support::quick(); targets = index);
criterion_main!(benches);
