//! Every copy of a pack is damaged, each in another place: together they are whole again. And damage is not copied.

use cryptbackup::format::layout::ObjectName;
use cryptbackup::repo::Access;
use cryptbackup::report::Silent;
use cryptbackup::sync::{self, SyncRequest};

use crate::world::{Dice, World, noise};

/// The largest pack, of several blocks.
fn large_pack(world: &World, destination: &str) -> (ObjectName, Vec<u8>) {
    let packs = world.objects(destination).into_iter().filter(|(name, _)| matches!(name, ObjectName::Pack(_)));
    packs.max_by_key(|(_, bytes)| bytes.len()).expect("a pack")
}

fn hit(bytes: &[u8], from: usize, to: usize) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    damaged[from..to].iter_mut().for_each(|byte| *byte ^= 0xA5);
    damaged
}

#[test]
fn t09_all_copies_damaged_in_different_blocks_are_merged() {
    let world = World::new(&["a", "b", "c"]);
    world.write("large", noise(9_000_000, 1));
    world.backup();
    let (name, whole) = large_pack(&world, "a");
    let third = whole.len() / 3;
    let mut merged = 0;
    for round in 0..4 {
        let mut dice = Dice::new(round);
        let mut spot = |part: usize| {
            let at = part * third + dice.roll(third / 3);
            (at, at + 1 + dice.roll(4096))
        };
        for (number, destination) in ["a", "b", "c"].into_iter().enumerate() {
            let (from, to) = spot(number);
            world.put(destination, &name, &hit(&whole, from, to));
        }
        let report = world.heal();
        assert!(report.has_damage() && !report.has_damage_left(), "{:#?}", report.remaining);
        let how: Vec<&str> = report.healed.iter().map(|healed| healed.how.as_str()).collect();
        assert!(how.contains(&"put together from 3 damaged copies"), "{how:?}");
        for destination in ["a", "b", "c"] {
            assert!(world.objects(destination)[&name] == whole);
        }
        merged += 1;
    }
    eprintln!("t09 merged: {merged} packs of which all three copies were damaged");
}

#[test]
fn damage_is_not_copied_by_catching_up() {
    let world = World::with_everything(&["a"]);
    let (name, whole) = large_pack(&world, "a");
    world.put("a", &name, &hit(&whole, 400, 401));
    let path = world.path("b");
    let mut repo = world.open(Access::Write);
    repo.add_destination("b", &path, &Silent).expect("a new destination");
    let report = sync::run(&mut repo, SyncRequest::default(), &Silent).expect("ends");
    drop(repo);
    let copied = world.objects("b");
    assert!(!copied.contains_key(&name), "the damaged pack is only on the first");
    for (name, bytes) in copied.iter().filter(|(name, _)| name.kind().is_some()) {
        assert!(name.matches(bytes), "{name}");
    }
    let behind = report.destinations.iter().find(|synced| synced.name == "b").expect("the new one");
    assert!(behind.snapshots_behind > 0, "it does not claim to be whole");
    world.put("a", &name, &whole);
    assert!(!world.heal().has_damage_left());
    sync::run(&mut world.open(Access::Write), SyncRequest::default(), &Silent).expect("ends");
    assert!(world.objects("b")[&name] == whole);
}
