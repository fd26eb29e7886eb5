//! Streams into chunks.

mod support;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cryptbackup::chunk::Chunker;
use cryptbackup::format::record::ChunkerParameters;

fn cut(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunk");
    let chunker = Chunker::new(&ChunkerParameters::DEFAULT, &[7; 32]);
    for (name, bytes) in support::both(32 << 20) {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut count = 0;
                chunker.cut_all(&bytes, 0, true, |_| count += 1);
                count
            });
        });
    }
}

criterion_group!(name = benches; config = support::quick(); targets = cut);
criterion_main!(benches);
