//! One state folder twice: a cloned computer, a copied folder, an older state of it brought back. Both have one writer, and
//! neither takes the other for itself.

use std::fs;

use cryptbackup::backup::BackupRequest;
use cryptbackup::clean::choose::Rules;
use cryptbackup::clean::{CleanRequest, DestinationCleaned, hand};

use crate::clean::assert_whole;
use crate::restore::{restore, to};
use crate::support::World;
use crate::support::hooks::Hook;
use crate::support::trees::{assert_same, tree};
use crate::support::world::{copy_folder, noise};

fn clean(world: &World) -> DestinationCleaned {
    let report = world.clean_with(CleanRequest::new(Rules::of(&world.settings_now().retention)));
    report.destinations.into_iter().next().expect("one destination")
}

fn assert_restores(world: &World, name: &str) {
    let target = world.path(name);
    restore(world, to(world, &target));
    assert_same(&tree(&world.source()), &tree(&target));
}

/// How many writers introduced themselves on a destination.
fn writers(world: &World, name: &str) -> usize {
    world.objects(name).iter().filter(|(path, _)| path.starts_with("writers/")).count()
}

/// A machine with four million bytes that it forgot since, and its clone.
fn two() -> (World, World) {
    let first = World::new(&["primary"]);
    first.set_day(0);
    first.write("large", noise(4_000_000, 1));
    let id = first.backup().snapshot_id.expect("a snapshot").to_string();
    first.remove("large");
    first.write("small", noise(1000, 2));
    first.backup();
    hand::forget(&mut first.open_to_write(), &[id], false).expect("forgotten");
    let second = first.clone_of_it();
    (first, second)
}

/// What the clone relies on, the other one deletes at once: for all it knows it is alone.
#[test]
fn what_is_cleaned_away_during_the_backup_of_a_clone_is_stored_again() {
    let (first, second) = two();
    second.write("a", noise(4_000_000, 1));
    second.write("b", noise(2_000_000, 9));
    let hook = Hook::after(5 << 20, || assert!(clean(&first).bytes_freed > 4_000_000));
    let report = second.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    assert!(hook.has_acted());
    assert!(report.bytes_added > 3_900_000, "{}", report.bytes_added);
    assert_whole(&second);
    assert_restores(&second, "restored second");
    assert_eq!(writers(&second, "primary"), 2, "it is another writer by now");
    // And the first one knows it.
    first.set_day(1);
    first.write("small", noise(1000, 3));
    first.backup();
    second.write("c", noise(1_000_000, 4));
    let hook = Hook::after(1 << 19, || assert_eq!(clean(&first).bytes_freed, 0));
    second.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    assert_eq!(writers(&second, "primary"), 2);
    for world in [&first, &second] {
        assert_whole(world);
    }
    assert_restores(&first, "restored first");
    assert_restores(&second, "restored second again");
}

/// Two that never clean show it by the numbers of their snapshots.
#[test]
fn a_clone_becomes_a_writer_of_its_own() {
    let (first, second) = two();
    for round in 0..3 {
        for world in [&first, &second] {
            world.write("new", noise(1000, 10 + round));
            world.backup();
        }
        assert_eq!(writers(&first, "primary"), 2, "round {round}");
    }
    assert_eq!(first.open().snapshots().expect("readable").len(), 7);
    for world in [&first, &second] {
        assert_whole(world);
    }
}

/// Who goes on alone stays who it is, whatever it said and took back, and on a copy of its destination too.
#[test]
fn who_has_no_clone_stays_one_writer() {
    let world = World::new(&["primary", "secondary"]);
    world.set_day(0);
    for round in 0..3 {
        world.set_day(round);
        world.write("file", noise(2_000_000, round as u64));
        world.backup();
        world.clean(0, 1);
    }
    world.unplug("secondary");
    copy_folder(&world.path("primary"), &world.path("secondary"));
    world.write("file", noise(1000, 9));
    world.backup();
    world.clean(0, 1);
    assert_eq!(writers(&world, "primary"), 1);
    assert_whole(&world);
}

/// The state folder as it was at the last backup of it: it did since what it does not know.
#[test]
fn an_older_state_that_is_brought_back_is_a_writer_of_its_own() {
    let world = World::new(&["primary"]);
    world.write("file", "1");
    world.backup();
    copy_folder(world.home.path(), &world.path("kept"));
    world.write("file", "2");
    world.backup();
    fs::remove_dir_all(world.home.path()).expect("removed");
    copy_folder(&world.path("kept"), world.home.path());
    world.write("file", "3");
    world.backup();
    assert_eq!(writers(&world, "primary"), 2);
    let sequences: Vec<_> = world.open().snapshots().expect("readable").iter().map(|info| info.id).collect();
    assert_eq!(sequences.len(), 3);
    assert_whole(&world);
    assert_restores(&world, "restored");
}
