//! Everything back, into an empty folder.

mod support;

use std::fs;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cryptbackup::backup::{self, BackupRequest};
use cryptbackup::repo::Access;
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest, What};
use support::World;

const LENGTH: usize = 32 << 20;
const FILES: usize = 2000;

fn restore_once(world: &World) -> Duration {
    let target = world.path("restored");
    let repo = world.open(Access::Read);
    let request =
        RestoreRequest { destination: Some(target.clone()), ..RestoreRequest::new(What::Snapshot("latest".into())) };
    let began = Instant::now();
    let plan = restore::plan(&repo, request, &Silent).expect("a plan");
    let report = restore::execute(&repo, plan, &Silent).expect("a restore");
    let spent = began.elapsed();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    fs::remove_dir_all(&target).expect("removed");
    spent
}

fn full(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("restore");
    for name in ["one file of code", "one file of noise", "small files"] {
        let world = World::new();
        let length = match name {
            "small files" => support::small_files(&world.source(), FILES),
            _ => {
                let content = if name.contains("code") { support::code(LENGTH, 1) } else { support::noise(LENGTH, 1) };
                fs::write(world.source().join("file"), content).expect("a file");
                LENGTH as u64
            }
        };
        backup::run(&mut world.open(Access::Write), BackupRequest::default(), &Silent).expect("a backup");
        group.throughput(Throughput::Bytes(length));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| (0..iterations).map(|_| restore_once(&world)).sum());
        });
    }
}

criterion_group!(name = benches; config = support::quick(); targets = full);
criterion_main!(benches);
