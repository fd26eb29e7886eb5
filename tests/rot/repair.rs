//! A restore reads around damage and heals it, or says what to do; and what was healed stays readable when it is cut off.

use std::fs::{self, File};

use cryptbackup::format::layout::ObjectName;

use crate::world::World;

fn damage_all_packs(world: &World, destination: &str) -> Vec<(ObjectName, Vec<u8>)> {
    let packs: Vec<_> =
        world.objects(destination).into_iter().filter(|(name, _)| matches!(name, ObjectName::Pack(_))).collect();
    for (name, whole) in &packs {
        let mut bytes = whole.clone();
        bytes[300..2000].fill(0);
        world.put(destination, name, &bytes);
    }
    packs
}

#[test]
fn a_restore_heals_what_it_met() {
    let world = World::with_everything(&["a", "b"]);
    let packs = damage_all_packs(&world, "a");
    let (report, target) = world.restore(None, "back");
    assert_eq!((world.compare(&target), report.problems.len()), (0, 0));
    assert!(!report.damaged.is_empty());
    assert!(report.notes.iter().any(|note| note.contains("healed")), "{:?}", report.notes);
    let objects = world.objects("a");
    let healed = packs.iter().filter(|(name, whole)| objects[name] == *whole).count();
    assert_eq!(healed, report.damaged.len(), "what it met, and nothing else");
}

#[test]
fn a_restore_beside_another_command_says_what_to_run() {
    let world = World::with_everything(&["a", "b"]);
    let packs = damage_all_packs(&world, "a");
    let lock = File::options().write(true).open(world.home.path().join("state/lock")).expect("a lock");
    lock.try_lock().expect("nobody has it");
    let (report, target) = world.restore(None, "back");
    assert_eq!((world.compare(&target), report.problems.len()), (0, 0));
    assert!(
        report.notes.iter().any(|note| note.contains("`cryptbackup check --read-data --heal`")),
        "{:?}",
        report.notes
    );
    drop(lock);
    assert!(packs.iter().any(|(name, whole)| world.objects("a")[name] != *whole));
    assert!(!world.heal().has_damage_left());
}

#[test]
fn what_is_damaged_everywhere_is_left_and_still_read_as_far_as_it_goes() {
    let world = World::with_everything(&["a"]);
    let before = damage_all_packs(&world, "a");
    let (first, target) = world.restore(None, "back");
    let missing = world.compare(&target);
    assert!(missing > 0 && !first.problems.is_empty());
    fs::remove_dir_all(&target).expect("removed");
    // Known to be damaged, the packs do not count; what is whole in them is read all the same.
    world.check();
    let (second, target) = world.restore(None, "back");
    assert_eq!((world.compare(&target), second.problems.len()), (missing, first.problems.len()));
    assert_eq!(world.objects("a").len(), world.objects("a").len());
    assert!(before.iter().all(|(name, _)| world.objects("a").contains_key(name)), "a restore gives nothing up");
}
