//! What is missing in a snapshot, and what of a file is missing where a restore ends early: neither looks complete.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cryptbackup::error::Error;
use cryptbackup::format::id::ChunkKind;
use cryptbackup::format::recipe::Recipe;
use cryptbackup::format::tree::{Flags, Node, NodeKind};
use cryptbackup::report::{Monitor, ProblemKind, Silent};
use cryptbackup::restore::{self, RestoreRequest, What};

use crate::forge::{Forge, node};
use crate::support::{World, restore_snapshot, restore_with};

/// Root could read everything, so these are forged.
fn unread(name: &[u8]) -> Node {
    Node { flags: Flags::UNREAD, ..node(name, NodeKind::Folder(Recipe::EMPTY)) }
}

fn folder(world: &World, of: &str, to: &str) -> RestoreRequest {
    RestoreRequest { destination: Some(world.path(to)), ..RestoreRequest::new(What::Directory(of.into())) }
}

#[test]
fn a_folder_that_was_never_read_is_a_problem_itself_too() {
    let world = World::new();
    let mut forge = Forge::new(&world);
    let id = forge.commit_nodes(&[unread(b"closed")]);
    let whole = forge.commit(vec![(b"/closed".to_vec(), unread(b""))]);
    forge.publish(&world);
    let repo = world.open();
    let directory = restore_with(&repo, folder(&world, "/source/closed", "directory")).unwrap();
    let source = restore_snapshot(&repo, whole, &world.path("whole")).unwrap();
    let below = restore_snapshot(&repo, id, &world.path("below")).unwrap();
    for (report, path) in [(directory, "directory"), (source, "whole/closed"), (below, "below/source/closed")] {
        let problems: Vec<_> = report.problems.iter().map(|problem| (problem.path.clone(), problem.kind)).collect();
        assert_eq!(problems, [(world.path(path), ProblemKind::NeverBackedUp)]);
    }
}

#[test]
fn a_folder_is_restored_from_the_last_snapshot_that_could_read_it() {
    let world = World::new();
    let mut forge = Forge::new(&world);
    let kept = forge.file(b"kept", b"was readable");
    let read = forge.below(b"closed", &[kept]);
    let older = forge.commit_nodes(&[read]);
    forge.commit_nodes(&[unread(b"closed")]);
    forge.commit_nodes(&[unread(b"closed")]);
    forge.publish(&world);
    let repo = world.open();
    let plan = restore::plan(&repo, folder(&world, "/source/closed", "restored"), &Silent).unwrap();
    assert_eq!(plan.snapshot, older);
    let said =
        "/source/closed could not be read for newer snapshots of that time; this is the last that has what was in it.";
    assert_eq!(plan.notes, [said]);
    assert_eq!(restore::execute(&repo, plan, &Silent).unwrap().problems, []);
    assert_eq!(fs::read(world.path("restored/kept")).unwrap(), b"was readable");
}

/// Asks to stop as soon as something was written.
#[derive(Default)]
struct StopAtOnce(AtomicBool);

impl Monitor for StopAtOnce {
    fn advance(&self, _: u64, bytes: u64) {
        self.0.fetch_or(bytes > 0, Ordering::SeqCst);
    }
    fn should_stop(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A file of more parts than are written at once.
fn of_many_parts(forge: &mut Forge, name: &[u8]) -> Node {
    let part = forge.chunk(ChunkKind::Data, b"0123456789").encode().unwrap();
    let count = 40_000;
    let lists: Vec<_> = (0..8).map(|_| forge.chunk(ChunkKind::Tree, &part.repeat(count / 8))).collect();
    node(name, NodeKind::File(Recipe { depth: 1, size: 10 * count as u64, parts: lists }))
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn nothing_half_written_keeps_its_name_where_a_restore_ends_early() {
    let world = World::new();
    world.settings(|settings| settings.limits.memory = 64 << 20);
    let mut forge = Forge::new(&world);
    let large = of_many_parts(&mut forge, b"large");
    let id = forge.commit_nodes(&[large]);
    forge.publish(&world);
    let repo = world.open();
    let whole = restore_snapshot(&repo, id, &world.path("whole")).unwrap();
    assert_eq!((whole.files_restored, whole.problems), (1, Vec::new()));
    assert_eq!(fs::read(world.path("whole/source/large")).unwrap(), b"0123456789".repeat(40_000));
    // Into a new folder, and into one that is there with an older file of that name.
    fs::create_dir_all(world.path("there/source")).unwrap();
    fs::write(world.path("there/source/large"), b"older").unwrap();
    for target in ["new", "there"] {
        let request = RestoreRequest {
            destination: Some(world.path(target)),
            ..RestoreRequest::new(What::Snapshot(id.to_string()))
        };
        let plan = restore::plan(&repo, request, &Silent).unwrap();
        let stopped = restore::execute(&repo, plan, &StopAtOnce::default());
        assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    }
    assert_eq!(names(&world.path("new/source")), Vec::<String>::new());
    assert_eq!(names(&world.path("there/source")), ["large"]);
    assert_eq!(fs::read(world.path("there/source/large")).unwrap(), b"older");
}

/// Asks to stop after it was asked so often.
struct StopAfter(AtomicUsize);

impl Monitor for StopAfter {
    fn should_stop(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1))) == Ok(0)
    }
}

#[test]
fn whenever_a_restore_is_interrupted_it_says_so_or_all_is_there() {
    let world = World::new();
    let mut forge = Forge::new(&world);
    let nodes = [forge.file(b"one", b"its content"), forge.file(b"two", b"another")];
    let id = forge.commit_nodes(&nodes);
    forge.publish(&world);
    let repo = world.open();
    let one = RestoreRequest::new(What::File("/source/one".into()));
    let all = RestoreRequest::new(What::Snapshot(id.to_string()));
    for (what, request) in [("one", one), ("all", all)] {
        let mut ends = Vec::new();
        for asked in 0..20 {
            let target = world.path(&format!("{what} {asked}"));
            let request = RestoreRequest { destination: Some(target.clone()), ..request.clone() };
            let plan = restore::plan(&repo, request, &Silent).unwrap();
            match restore::execute(&repo, plan, &StopAfter(AtomicUsize::new(asked))) {
                Ok(report) => assert_eq!(report.problems, Vec::new(), "{what}, asked {asked} times"),
                Err(error) => {
                    assert!(matches!(error, Error::Interrupted), "{error}");
                    ends.push(asked);
                    let place = target.join("source");
                    // What is there has all of its content.
                    for name in if place.exists() { names(&place) } else { Vec::new() } {
                        let content = fs::read(place.join(&name)).unwrap();
                        assert!([&b"its content"[..], b"another"].contains(&content.as_slice()), "{name}");
                    }
                    assert!(what == "all" || !target.exists());
                }
            }
        }
        assert!(ends.contains(&0) && !ends.contains(&19), "{what}: {ends:?}");
    }
}
