//! Blocks into a sealed and verified pack, and back.

mod support;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use cryptbackup::format::id::ChunkKind;
use cryptbackup::pack::{Closing, PackDraft, PackReader};
use cryptbackup::seal::Keys;

const LENGTH: usize = 12 << 20;

fn draft(keys: &Keys, bytes: &[u8]) -> PackDraft {
    let mut draft = PackDraft::new(ChunkKind::Data, 16 << 20);
    for block in support::blocks(keys, bytes) {
        draft.push(block.compress(Some(3)).expect("compressed"));
    }
    draft
}

fn finish(criterion: &mut Criterion) {
    let keys = support::keys();
    let mut group = criterion.benchmark_group("pack/finish");
    for (name, bytes) in support::both(LENGTH) {
        group.throughput(Throughput::Bytes(LENGTH as u64));
        group.bench_function(name, |bencher| {
            let make = || draft(&keys, &bytes);
            bencher.iter_batched(
                make,
                |draft| draft.finish(&keys, [1; 32], Closing::Last { extra: 0 }),
                BatchSize::PerIteration,
            );
        });
    }
}

fn read(criterion: &mut Criterion) {
    let keys = support::keys();
    let reader = PackReader::new(&keys);
    let mut group = criterion.benchmark_group("pack/read");
    for (name, bytes) in support::both(LENGTH) {
        let pack = draft(&keys, &bytes).finish(&keys, [1; 32], Closing::Last { extra: 0 }).expect("sealed");
        group.throughput(Throughput::Bytes(LENGTH as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let opened = reader.open_bytes(pack.bytes()).expect("whole");
                for place in opened.blocks() {
                    let end = place.offset + u64::from(place.entry.sealed_len);
                    let sealed = pack.bytes()[place.offset as usize..end as usize].to_vec();
                    reader.open_block(&opened.seal, ChunkKind::Data, &place, sealed).expect("whole");
                }
            });
        });
    }
}

criterion_group!(name = benches; config = support::quick(); targets = finish, read);
criterion_main!(benches);
