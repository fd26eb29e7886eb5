//! What is missing in a snapshot does not look complete when it is restored.

use std::fs;

use cryptbackup::format::recipe::Recipe;
use cryptbackup::format::tree::{Flags, Node, NodeKind};
use cryptbackup::report::{ProblemKind, Silent};
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
