//! Random edits, backups, restores, destinations coming and going and lost indexes, against plain maps.
//!
//! T12; the long run is one command, with a line for every 500 lives:
//! `PROPTEST_CASES=10000 cargo test --release --test library model -- --nocapture`

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicU64, Ordering};

use cryptbackup::repo::{Access, Repo};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest, What};
use proptest::prelude::*;

use crate::support::World;
use crate::support::trees::{Seen, assert_same, tree};
use crate::support::world::noise;

/// Names that edits work on: two folders, so that renames cross them.
const NAMES: [&str; 6] = ["a", "b", "one/c", "one/d", "two/e", "two/f"];
const DESTINATIONS: [&str; 2] = ["primary", "secondary"];

#[derive(Debug, Clone)]
enum Step {
    Write { name: usize, length: usize, seed: u64 },
    Append { name: usize, seed: u64 },
    Truncate { name: usize },
    Delete { name: usize },
    Rename { from: usize, to: usize },
    Link { name: usize, to: usize },
    Symlink { name: usize },
    Mode { name: usize, mode: u32 },
    Sparse { name: usize },
    Toggle { destination: usize },
    LoseIndex,
    Backup,
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    prop_oneof![
        4 => (name.clone(), 0usize..90_000, 0u64..6).prop_map(|(name, length, seed)| Step::Write { name, length, seed }),
        2 => (name.clone(), 0u64..6).prop_map(|(name, seed)| Step::Append { name, seed }),
        1 => name.clone().prop_map(|name| Step::Truncate { name }),
        2 => name.clone().prop_map(|name| Step::Delete { name }),
        2 => (name.clone(), name.clone()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => (name.clone(), name.clone()).prop_map(|(name, to)| Step::Link { name, to }),
        1 => name.clone().prop_map(|name| Step::Symlink { name }),
        1 => (name.clone(), 0u32..0o1000).prop_map(|(name, mode)| Step::Mode { name, mode }),
        1 => name.prop_map(|name| Step::Sparse { name }),
        2 => (0..DESTINATIONS.len()).prop_map(|destination| Step::Toggle { destination }),
        1 => Just(Step::LoseIndex),
        5 => Just(Step::Backup),
    ]
}

/// A tree, and the destinations that said they have it.
type Promise = (BTreeMap<Vec<u8>, Seen>, Vec<&'static str>);

/// How many were lived.
static LIVES: AtomicU64 = AtomicU64::new(0);

/// The program's world and, beside it, what every snapshot must restore to.
struct Model {
    world: World,
    away: [bool; 2],
    /// By snapshot id.
    snapshots: BTreeMap<String, Promise>,
}

impl Model {
    fn new() -> Self {
        let world = World::in_memory(&DESTINATIONS);
        for folder in ["one", "two"] {
            fs::create_dir(world.source().join(folder)).expect("a folder");
        }
        Self { world, away: [false; 2], snapshots: BTreeMap::new() }
    }

    fn take(&mut self, step: Step) {
        let path = |name: usize| self.world.source().join(NAMES[name]);
        // Edits of what is not there, or is something else by now, do nothing: the model is the tree itself.
        match step {
            Step::Write { name, length, seed } => {
                let _ = fs::remove_file(path(name));
                fs::write(path(name), noise(length, seed)).expect("written");
            }
            Step::Append { name, seed } => {
                if let Ok(file) = fs::File::options().append(true).open(path(name)) {
                    std::io::Write::write_all(&mut &file, &noise(5_000, seed)).expect("written");
                }
            }
            Step::Truncate { name } => {
                drop(fs::File::options().write(true).open(path(name)).map(|file| file.set_len(100)))
            }
            Step::Delete { name } => drop(fs::remove_file(path(name))),
            Step::Rename { from, to } => drop(fs::rename(path(from), path(to))),
            Step::Link { name, to } => drop(fs::hard_link(path(name), path(to))),
            Step::Symlink { name } => drop(symlink("../somewhere", path(name))),
            Step::Mode { name, mode } => {
                let is_file = fs::symlink_metadata(path(name)).is_ok_and(|metadata| metadata.is_file());
                if is_file {
                    fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).expect("a mode");
                }
            }
            Step::Sparse { name } => {
                let _ = fs::remove_file(path(name));
                let file = fs::File::create(path(name)).expect("made");
                file.write_all_at(b"start", 0).expect("written");
                file.write_all_at(b"end", 700_000).expect("written");
            }
            Step::Toggle { destination } => {
                let name = DESTINATIONS[destination];
                if self.away[destination] {
                    self.world.plug(name)
                } else {
                    self.world.unplug(name)
                }
                self.away[destination] = !self.away[destination];
            }
            // Without any destination there is nothing to rebuild it from.
            Step::LoseIndex if self.away != [true; 2] => drop(fs::remove_file(self.world.home.index_path())),
            Step::LoseIndex => {}
            Step::Backup => self.backup(),
        }
    }

    fn backup(&mut self) {
        let seen = tree(&self.world.source());
        match self.world.try_backup_with(Default::default(), &Silent) {
            Ok(report) => {
                assert_eq!(report.problems, []);
                let committed = report.destinations.iter().filter(|outcome| outcome.committed);
                let names: Vec<&'static str> = committed
                    .filter_map(|outcome| DESTINATIONS.into_iter().find(|name| *name == outcome.name))
                    .collect();
                assert_eq!(names.len(), self.away.iter().filter(|away| !**away).count(), "{:?}", report.destinations);
                self.snapshots.insert(report.snapshot_id.expect("a snapshot").to_string(), (seen, names));
            }
            Err(error) => {
                assert_eq!(self.away, [true; 2], "{error}");
            }
        }
    }

    /// Every snapshot from every destination that ever said it has it, alone.
    fn check(mut self) {
        for (position, name) in DESTINATIONS.into_iter().enumerate() {
            if self.away[position] {
                self.world.plug(name);
                self.away[position] = false;
            }
        }
        if self.snapshots.is_empty() {
            return;
        }
        let repo = Repo::open(&self.world.home, Access::Read, None, &Silent).expect("opened");
        for (id, (expected, names)) in &self.snapshots {
            for name in names {
                let target = self.world.path(&format!("{id} from {name}"));
                let request = RestoreRequest {
                    destination: Some(target.clone()),
                    from: Some((*name).to_owned()),
                    ..RestoreRequest::new(What::Snapshot(id.clone()))
                };
                let plan = restore::plan(&repo, request, &Silent).expect("planned");
                let report = restore::execute(&repo, plan, &Silent).expect("restored");
                assert_eq!(report.problems, []);
                let source = self.world.source();
                assert_same(expected, &tree(&target.join(source.strip_prefix("/").expect("absolute"))));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 60, ..ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16)
    ) })]

    #[test]
    fn every_destination_alone_gives_back_what_it_said_it_has(steps in prop::collection::vec(step(), 1..30)) {
        let mut model = Model::new();
        for step in steps {
            model.take(step);
        }
        model.take(Step::Backup);
        model.check();
        let lives = LIVES.fetch_add(1, Ordering::Relaxed) + 1;
        if lives.is_multiple_of(500) {
            eprintln!("T12: {lives} lives");
        }
    }
}
