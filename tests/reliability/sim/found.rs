//! What the simulation found, each in a run of its own.

use std::sync::Arc;

use super::MACHINES;
use super::plan::{Command, Step, Trouble};
use super::world::World;
use crate::disk::chance::Chance;

const CLEAN: Command = Command::Clean { keep_days: 0, keep_versions: 1, is_twice: true };

fn step(who: usize, command: Command) -> Step {
    Step { who, hours: 30, skew: None, command, trouble: None, at: (0, 0, false), seed: 1 }
}

/// A machine that stands still at an operation, while others do something.
fn suspended(who: usize, command: Command, at: (usize, u64, bool), others: Vec<Step>) -> Step {
    Step { trouble: Some(Trouble::Nest(others)), at, ..step(who, command) }
}

/// Everything that was promised is there, and nothing was wrong.
fn finish(world: &Arc<World>, what: &str) {
    world.finish(0);
    let model = world.model();
    assert!(model.violations.is_empty(), "{what}: {:#?}\n{:#?}", model.violations, model.story);
}

/// A machine found nobody else on the destinations and stood still in the middle of its first backup. Another one came,
/// waited for the grace, and deleted packs that no snapshot needed. It was only looked for others at the beginning.
#[test]
fn who_was_alone_and_stood_still_notices_who_cleaned_meanwhile() {
    for after in [3, 10, 20, 40, 60, 80] {
        let world = Arc::new(World::new());
        world.step(&suspended(0, Command::Backup, (0, after, true), vec![step(1, CLEAN)]), 0);
        finish(&world, &format!("after {after} operations"));
    }
}

/// What a cleaning let go was decided after its session showed, and what it said of it before. Another machine takes the
/// pin off a snapshot in between.
#[test]
fn a_cleaning_says_what_it_let_go_also_of_what_came_meanwhile() {
    // Which of two snapshots a step takes, and what it does with it, is drawn from its seed.
    let pins = |pins: bool, anyone: bool| {
        let is_so = |seed: &u64| {
            let mut chance = Chance::of(*seed, 9);
            chance.percent(25) == anyone && chance.below(2) == 0 && chance.percent(50) == pins
        };
        (0..).find(is_so).expect("some seed")
    };
    for after in 0..12 {
        let world = Arc::new(World::new());
        world.step(&step(0, Command::Backup), 0);
        world.step(&step(0, Command::Backup), 0);
        world.step(&Step { seed: pins(true, false), ..step(0, Command::Pin) }, 0);
        let others = vec![Step { seed: pins(false, true), ..step(1, Command::Pin) }];
        world.step(&suspended(0, CLEAN, (1, after, true), others), 0);
        finish(&world, &format!("after {after} operations"));
    }
}

/// A destination that was away got snapshots of a machine that it did not know, and not the record of that machine.
#[test]
fn a_backup_that_brings_a_destination_up_to_date_brings_the_records_of_writers() {
    let world = Arc::new(World::new());
    world.plug(1, false);
    world.step(&step(2, Command::Backup), 0);
    world.plug(1, true);
    world.step(&step(0, Command::Backup), 0);
    world.step(&step(0, Command::Check), 0);
    finish(&world, "the check");
}

/// A machine that connected while the header of a destination was damaged said that it had healed everything.
#[test]
fn who_never_saw_a_destination_whole_heals_its_header_and_says_what_it_cannot() {
    for path in ["backup/cryptbackup.repo", "backup/dest.id"] {
        let world = Arc::new(World::new());
        world.step(&step(1, Command::Backup), 0);
        world.machine.0.state().image.rot(MACHINES + 1, path, 20, 4);
        world.model().is_rotten[1] = true;
        // From one of the others.
        world.step(&Step { seed: 2, ..step(0, Command::Connect) }, 0);
        world.step(&step(0, Command::Heal), 0);
        let is_known_to_others_only = path.ends_with("dest.id");
        assert_eq!(world.model().is_rotten[1], is_known_to_others_only, "{:#?}", world.model().story);
        finish(&world, path);
    }
}

/// A purge stood still with its new snapshots half committed. Another machine waited for the grace and deleted the new trees,
/// which no snapshot needed yet. What was left then stood for the old snapshots.
#[test]
fn who_purged_and_stood_still_notices_who_cleaned_meanwhile() {
    for after in (0..60).step_by(4) {
        let world = Arc::new(World::new());
        world.step(&step(0, Command::Backup), 0);
        world.step(&step(1, Command::Backup), 0);
        world.step(&suspended(0, Command::Purge, (1, after, true), vec![step(1, CLEAN)]), 0);
        finish(&world, &format!("after {after} operations"));
    }
}

/// Two machines that purged at once each put its own snapshot in the place of the same old one, or took the other's for
/// one of its own that had been cut off, and withdrew it.
#[test]
fn who_purges_notices_who_else_does() {
    // Whose files a step takes out, and which, is drawn from its seed.
    let of_first = |is_own: bool, nth: usize| {
        let is_so = |seed: &u64| {
            let mut chance = Chance::of(*seed, 9);
            chance.percent(75) == is_own && (is_own || chance.below(MACHINES as u64) == 0)
        };
        (0..).filter(is_so).nth(nth).expect("some seed")
    };
    for after in (0..40).step_by(2) {
        let nth = after as usize / 2;
        let world = Arc::new(World::new());
        world.step(&step(0, Command::Backup), 0);
        world.step(&step(1, Command::Backup), 0);
        let others = vec![Step { seed: of_first(false, nth), ..step(1, Command::Purge) }];
        let first = suspended(0, Command::Purge, (1 + nth % 3, after, true), others);
        world.step(&Step { seed: of_first(true, nth / 3), ..first }, 0);
        finish(&world, &format!("after {after} operations"));
    }
}
