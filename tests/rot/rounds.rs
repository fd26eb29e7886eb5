//! Whole rounds on disk: every object of one destination is damaged in its own way, `scrub` and `check` find each of
//! them, a restore from that destination alone gives no wrong byte, `check --heal` makes all what it was.

use std::collections::BTreeMap;

use cryptbackup::check::scrub::scrub;
use cryptbackup::format::layout::{ObjectKind, ObjectName};
use cryptbackup::report::Silent;

use crate::mutations::{Damage, Mutation};
use crate::world::{Dice, World};

/// What was counted over all rounds.
#[derive(Debug, Default)]
struct Counts {
    rounds: u64,
    mutations: u64,
    scrubbed: u64,
    files_missing: u64,
}

#[test]
fn t08_flips_on_disk() {
    let counts = rounds(3, |dice| Mutation::Flip(dice.roll(1 << 30), dice.roll(8)));
    eprintln!("t08 on disk: {counts:?}, all detected by check and scrub, all healed, 0 wrong bytes");
}

#[test]
#[ignore = "some minutes in release"]
fn t08_flips_on_disk_many() {
    let counts = rounds(120, |dice| Mutation::Flip(dice.roll(1 << 30), dice.roll(8)));
    eprintln!("t08 on disk: {counts:?}, all detected by check and scrub, all healed, 0 wrong bytes");
}

#[test]
fn t09_mutations_on_disk() {
    let counts = rounds(4, Mutation::random);
    eprintln!("t09 on disk: {counts:?}, all detected by check, all healed, 0 wrong bytes");
}

#[test]
#[ignore = "some minutes in release"]
fn t09_mutations_on_disk_many() {
    let counts = rounds(400, Mutation::random);
    eprintln!("t09 on disk: {counts:?}, all detected by check, all healed, 0 wrong bytes");
    assert!(counts.mutations >= 5_000);
}

fn rounds(number: u64, mutation: impl Fn(&mut Dice) -> Mutation) -> Counts {
    let world = World::with_everything(&["a", "b"]);
    let other = World::with_everything(&["a"]);
    let strangers = other.objects("a");
    let whole = world.objects("a");
    let mut counts = Counts::default();
    for round in 0..number {
        let mut dice = Dice::new(round * 1_000_003);
        one_round(&world, &whole, &strangers, &mutation, &mut dice, round, &mut counts);
        counts.rounds += 1;
    }
    counts
}

fn one_round(
    world: &World,
    whole: &BTreeMap<ObjectName, Vec<u8>>,
    strangers: &BTreeMap<ObjectName, Vec<u8>>,
    mutation: &impl Fn(&mut Dice) -> Mutation,
    dice: &mut Dice,
    round: u64,
    counts: &mut Counts,
) {
    let whole: BTreeMap<ObjectName, Vec<u8>> = world.objects("a").into_iter().chain(whole.clone()).collect();
    let mut damaged: Vec<(ObjectName, Damage)> = Vec::new();
    for name in whole.keys() {
        // One of the two proves what the folder is.
        if *name == if round.is_multiple_of(2) { ObjectName::Header } else { ObjectName::DestinationMark } {
            continue;
        }
        let damage = mutation(dice).of(name, &whole, strangers, dice);
        damaged.extend(damage.map(|damage| (*name, damage)));
    }
    for (name, damage) in &damaged {
        match damage {
            Damage::Bytes(bytes) => world.put("a", name, bytes),
            Damage::Gone => world.delete("a", name),
        }
    }
    counts.mutations += damaged.len() as u64;
    // Without keys: everything but what is gone.
    let scrubbed = scrub(&world.path("a"), &Silent).expect("it can be listed");
    for (name, _) in damaged.iter().filter(|(_, damage)| matches!(damage, Damage::Bytes(_))) {
        let is_found = scrubbed.findings.iter().any(|finding| finding.object == name.to_string());
        assert!(is_found, "round {round}: scrub does not name {name}");
        counts.scrubbed += 1;
    }
    let (_, target) = world.restore(Some("b"), &format!("from b {round}"));
    assert_eq!(world.compare(&target), 0, "the other one is whole");
    let report = world.heal();
    for (name, damage) in &damaged {
        let is_named = report.findings.iter().any(|finding| finding.object == name.to_string());
        // A pack that is gone is found by the chunks that snapshots miss, or brought back with the snapshot that needs
        // it where that is gone too; a session that is gone is missed by nobody.
        let is_snapshot_hit = damaged.iter().any(|(name, _)| name.kind() == Some(ObjectKind::Snapshots));
        let is_found = match (damage, name.kind()) {
            (Damage::Gone, Some(ObjectKind::Packs)) => {
                let of_chunks = ["no whole pack", "the tree of"];
                let is_told = |what: &str| of_chunks.iter().any(|words| what.contains(words));
                is_snapshot_hit || report.findings.iter().any(|finding| is_told(&finding.what))
            }
            (Damage::Gone, Some(ObjectKind::Cleaning)) => true,
            (_, None) => is_named || report.findings.iter().any(|finding| finding.object == "the folder"),
            _ => is_named,
        };
        assert!(is_found, "round {round}: check does not name {name}: {:#?}", report.findings);
    }
    assert!(report.has_damage() && !report.has_damage_left(), "round {round}: {:#?}", report.remaining);
    let healed = world.objects("a");
    for (name, bytes) in &whole {
        // What a session said is nobody's any more.
        let is_session = name.kind() == Some(ObjectKind::Cleaning);
        assert!(is_session || healed.get(name) == Some(bytes), "round {round}: {name} is not what it was");
    }
    let after = world.check();
    assert!(!after.has_damage(), "round {round}: {:#?}", after.findings);
    let (report, target) = world.restore(Some("a"), &format!("from a {round}"));
    assert_eq!((world.compare(&target), report.problems.len()), (0, 0), "round {round}");
}

#[test]
fn t08_a_restore_from_the_damaged_destination_alone_gives_no_wrong_byte() {
    let world = World::with_everything(&["a"]);
    let whole = world.objects("a");
    let packs: Vec<&ObjectName> = whole.keys().filter(|name| matches!(name, ObjectName::Pack(_))).collect();
    let mut counts = Counts::default();
    for round in 0..12 {
        let mut dice = Dice::new(round);
        for name in &packs {
            let mut bytes = whole[*name].clone();
            // The first half of a pack is mostly not padding.
            let at = dice.roll(bytes.len() / 2);
            bytes[at] ^= 1 << dice.roll(8);
            world.put("a", name, &bytes);
            counts.mutations += 1;
        }
        let to = format!("back {round}");
        let (report, target) = world.restore(Some("a"), &to);
        let missing = world.compare(&target);
        assert_eq!(missing > 0, !report.problems.is_empty(), "what is missing is told: {:?}", report.problems);
        counts.files_missing += missing as u64;
        counts.rounds += 1;
        for name in &packs {
            world.put("a", name, &whole[*name]);
        }
        assert!(!world.heal().has_damage_left());
    }
    assert!(counts.files_missing > 0, "something was hit");
    eprintln!("t08 restored from the damaged one alone: {counts:?}, 0 wrong bytes");
}
