//! What no copy holds any more is stored again by the next backup, and the old snapshots are whole again.

use std::fs;

use cryptbackup::format::layout::ObjectName;
use cryptbackup::repo;
use cryptbackup::report::Silent;

use crate::world::{World, noise};

fn packs(world: &World, destination: &str) -> Vec<(ObjectName, Vec<u8>)> {
    let mut packs: Vec<_> =
        world.objects(destination).into_iter().filter(|(name, _)| matches!(name, ObjectName::Pack(_))).collect();
    packs.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));
    packs
}

/// A repository with one large file of which one block is damaged on every destination.
fn with_a_lost_block(destinations: &[&str]) -> (World, ObjectName) {
    let world = World::new(destinations);
    world.write("large", noise(5_000_000, 1));
    world.write("small", b"a few words");
    world.backup();
    let (name, whole) = packs(&world, destinations[0]).remove(0);
    for destination in destinations {
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        world.put(destination, &name, &bytes);
    }
    (world, name)
}

#[test]
fn a_block_that_is_lost_everywhere_is_stored_again_after_a_check() {
    let (world, name) = with_a_lost_block(&["a", "b"]);
    // Nobody knows yet: an unchanged file is not read.
    let report = world.check();
    assert!(report.has_damage());
    let backup = world.backup();
    assert!(backup.bytes_read >= 5_000_000, "the file is read again though it did not change: {}", backup.bytes_read);
    for destination in ["a", "b"] {
        let (report, target) = world.restore(Some(destination), &format!("from {destination}"));
        assert_eq!((world.compare(&target), report.problems.len()), (0, 0), "{:?}", report.problems);
    }
    // The old snapshot is whole again, and healing takes away what nothing needs.
    let report = world.heal();
    assert!(report.has_damage() && !report.has_damage_left(), "{:#?}", report.remaining);
    assert!(!world.objects("a").contains_key(&name), "it was beyond repair, and everything in it is elsewhere");
    assert!(!world.check().has_damage());
}

#[test]
fn healing_saves_what_can_be_read_and_names_what_cannot() {
    let (world, name) = with_a_lost_block(&["a"]);
    fs::remove_file(world.source().join("large")).expect("removed");
    world.backup();
    let report = world.heal();
    assert!(report.has_damage_left());
    let lost: Vec<&str> = report.remaining.iter().map(|finding| finding.what.as_str()).collect();
    assert!(lost.iter().any(|what| what.contains("source/large")), "{lost:?}");
    assert!(!lost.iter().any(|what| what.contains("small")), "{lost:?}");
    assert!(!world.objects("a").contains_key(&name));
    let (report, target) = world.restore(Some("a"), "back");
    assert_eq!((world.compare(&target), report.problems.len()), (0, 0), "what is whole is restored");
    // The same bytes come back: with them the snapshot that lost them.
    world.write("large again", noise(5_000_000, 1));
    world.backup();
    assert!(!world.check().has_damage(), "{:#?}", world.check().findings);
}

#[test]
fn a_tree_that_a_backup_meets_damaged_is_whole_in_the_snapshot_it_makes() {
    for destinations in [&["a", "b"][..], &["a"]] {
        let world = World::new(destinations);
        world.write("large", noise(2_000_000, 1));
        for number in 0..400 {
            world.write(&format!("many/a file with a name of its own, {number}"), noise(40, number as u64));
        }
        fs::create_dir_all(world.source().join("shells/empty")).expect("folders without files");
        // Else everything would be read again.
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        world.backup();
        // Nothing is remembered of the trees, so the next backup has to read those that are stored.
        let (trees, mut bytes) = packs(&world, "a").remove(1);
        bytes[3_000] ^= 1;
        world.put("a", &trees, &bytes);
        repo::rebuild_index(&world.home, None, &Silent).expect("a new index");
        world.write("another", b"a few words");
        assert_eq!(world.backup().copies, destinations.len());
        let (report, target) = world.restore(Some("a"), "back");
        assert_eq!((world.compare(&target), report.problems.len()), (0, 0), "{:?}", report.problems);
        assert!(target.join("shells/empty").is_dir());
    }
}

#[test]
fn packs_that_vanished_are_stored_again() {
    for keep in [1, 0] {
        // A snapshot of a state that the source is not in any more would need what is gone.
        let world = World::new(&["a"]);
        world.write("letters/a", noise(30_000, 1));
        world.write("letters/b", b"a few words");
        world.backup();
        for (name, _) in packs(&world, "a").into_iter().skip(keep) {
            world.delete("a", &name);
        }
        world.backup();
        let (report, target) = world.restore(Some("a"), "back");
        assert_eq!((world.compare(&target), report.problems.len()), (0, 0), "{:?}", report.problems);
        assert!(!world.check().has_damage(), "{:#?}", world.check().findings);
    }
}

#[test]
fn a_damaged_small_object_stops_neither_backup_nor_restore() {
    let world = World::with_everything(&["a"]);
    for (number, (name, whole)) in world.objects("a").into_iter().enumerate() {
        let is_small = name.kind().is_some() && !matches!(name, ObjectName::Pack(_));
        if !is_small {
            continue;
        }
        for bytes in [Vec::new(), whole[..whole.len() / 2].to_vec(), vec![0xEE; whole.len()]] {
            world.put("a", &name, &bytes);
            world.write("changing", format!("{number} {}", bytes.len()));
            world.backup();
            let (report, target) = world.restore(None, "back");
            assert_eq!((world.compare(&target), report.problems.len()), (0, 0), "{name}");
            fs::remove_dir_all(target).expect("removed");
        }
        let report = world.heal();
        assert!(!report.has_damage_left(), "{name}: {:#?}", report.remaining);
    }
}

#[test]
fn a_damaged_mark_does_not_keep_a_destination_from_a_backup() {
    let world = World::with_everything(&["a", "b"]);
    let objects = world.objects("a");
    let (name, whole) = objects.iter().find(|(name, _)| matches!(name, ObjectName::Mark(_))).expect("a mark");
    world.put("a", name, b"rot");
    // Without the index nobody knows that it was ever there, and it is learned from the other one, which comes second.
    fs::remove_file(world.home.index_path()).expect("there was one");
    world.write("more", b"words");
    let backup = world.backup();
    assert!(backup.destinations.iter().all(|destination| destination.committed), "{backup:?}");
    assert!(world.objects("a")[name] == *whole, "it was written again by the way");
}

#[test]
fn folders_that_are_missing_are_made_again() {
    let world = World::with_everything(&["a", "b"]);
    let whole = world.objects("a");
    fs::remove_dir_all(world.path("a").join("marks")).expect("there");
    fs::remove_dir_all(world.path("a").join("config")).expect("there");
    let report = world.check();
    assert!(report.has_damage(), "{report:?}");
    let report = world.heal();
    assert!(report.has_damage() && !report.has_damage_left(), "{:#?}", report.remaining);
    assert!(world.objects("a") == whole && !world.check().has_damage());
}

#[test]
fn what_a_damaged_copy_does_not_tell_is_learned_from_the_next() {
    let world = World::new(&["a", "b"]);
    world.write("large", noise(5_000_000, 1));
    world.backup();
    let (name, whole) = packs(&world, "a").remove(0);
    let mut bytes = whole.clone();
    // The head, the first directory with it, and a block.
    bytes[..1000].fill(0xEE);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    world.put("a", &name, &bytes);
    fs::remove_file(world.home.index_path()).expect("there was one");
    let (report, target) = world.restore(Some("b"), "from b");
    assert_eq!((world.compare(&target), report.problems.len()), (0, 0), "{:?}", report.problems);
    let report = world.heal();
    assert!(!report.has_damage_left(), "{:#?}", report.remaining);
    assert!(world.objects("a")[&name] == whole);
}
