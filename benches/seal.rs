//! Chunks into named, compressed, sealed blocks, and back.

mod support;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use cryptbackup::format::id::ChunkKind;
use cryptbackup::format::sealed::{ObjectType, Part};
use cryptbackup::seal::block;

const LENGTH: usize = 2 << 20;

fn name(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("seal/name");
    let keys = support::keys();
    let bytes = support::noise(64 << 10, 1);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("64 KiB", |bencher| bencher.iter(|| keys.chunk_id(ChunkKind::Data, &bytes)));
}

fn compress(criterion: &mut Criterion) {
    let keys = support::keys();
    let mut group = criterion.benchmark_group("seal/compress");
    for (name, bytes) in support::both(LENGTH) {
        group.throughput(Throughput::Bytes(LENGTH as u64));
        group.bench_function(name, |bencher| {
            let block = || support::blocks(&keys, &bytes).pop().expect("one block");
            bencher.iter_batched(block, |block| block.compress(Some(3)), BatchSize::LargeInput);
        });
    }
}

fn seal_and_open(criterion: &mut Criterion) {
    let keys = support::keys();
    let seal = keys.object_seal(ObjectType::Pack, 1, [7; 32]).expect("the first epoch");
    let mut group = criterion.benchmark_group("seal/seal");
    let bytes = support::noise(LENGTH, 1);
    group.throughput(Throughput::Bytes(LENGTH as u64));
    group.bench_function("noise", |bencher| {
        let copy = || bytes.clone();
        bencher.iter_batched_ref(copy, |bytes| seal.seal(Part::Block, 0, bytes), BatchSize::LargeInput);
    });
    group.finish();

    let mut group = criterion.benchmark_group("seal/open");
    for (name, bytes) in support::both(LENGTH) {
        let block = support::blocks(&keys, &bytes).pop().expect("one block").compress(Some(3)).expect("compressed");
        let (mut sealed, entry) = block.into_parts();
        let tag = seal.seal(Part::Block, 0, &mut sealed).expect("sealed");
        sealed.extend(tag);
        group.throughput(Throughput::Bytes(LENGTH as u64));
        group.bench_function(name, |bencher| {
            let copy = || sealed.clone();
            let open = |sealed| block::open(&seal, 0, entry.compression, entry.raw_len, sealed);
            bencher.iter_batched(copy, open, BatchSize::LargeInput);
        });
    }
}

criterion_group!(name = benches; config = support::quick(); targets = name, compress, seal_and_open);
criterion_main!(benches);
