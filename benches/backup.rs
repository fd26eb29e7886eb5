//! Whole backups to one destination: the first one, and one after which nothing changed.

mod support;

use std::fs;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cryptbackup::backup::{self, BackupRequest};
use cryptbackup::repo::Access;
use cryptbackup::report::Silent;
use support::World;

const LENGTH: usize = 32 << 20;
const FILES: usize = 2000;

/// Fills the source and says how many bytes that are.
type Fill = fn(&World) -> u64;

const SOURCES: [(&str, Fill); 3] = [
    ("one file of code", |world| one_file(world, support::code(LENGTH, 1))),
    ("one file of noise", |world| one_file(world, support::noise(LENGTH, 1))),
    ("small files", |world| support::small_files(&world.source(), FILES)),
];

fn backup_once(world: &World) -> Duration {
    let mut repo = world.open(Access::Write);
    let began = Instant::now();
    backup::run(&mut repo, BackupRequest::default(), &Silent).expect("a backup");
    began.elapsed()
}

fn first(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("backup/first");
    for (name, fill) in SOURCES {
        group.throughput(Throughput::Bytes(fill(&World::new())));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let once = |_| {
                    let world = World::new();
                    fill(&world);
                    backup_once(&world)
                };
                (0..iterations).map(once).sum()
            });
        });
    }
}

fn one_file(world: &World, content: Vec<u8>) -> u64 {
    fs::write(world.source().join("file"), &content).expect("a file");
    content.len() as u64
}

fn again(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("backup/again");
    let world = World::new();
    support::small_files(&world.source(), FILES);
    // Files that changed a moment ago are read again.
    std::thread::sleep(Duration::from_millis(2100));
    backup_once(&world);
    group.throughput(Throughput::Elements(FILES as u64));
    group.bench_function("small files", |bencher| {
        bencher.iter_custom(|iterations| (0..iterations).map(|_| backup_once(&world)).sum());
    });
}

criterion_group!(name = benches; config = support::quick(); targets = first, again);
criterion_main!(benches);
