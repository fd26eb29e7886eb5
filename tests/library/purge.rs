//! Purging: the path goes from everywhere, also where somebody was away, and nothing else goes with it.

use cryptbackup::clean::hand;
use cryptbackup::clean::purge::{self, PurgeReport, PurgeRequest};
use cryptbackup::error::Error;
use cryptbackup::report::Silent;

use crate::clean::{assert_whole, numbers, on, version};
use crate::support::World;
use crate::support::saved::{below, restore_snapshot};
use crate::support::world::noise;

const STICKS: [&str; 2] = ["primary", "secondary"];

fn kept(day: i64) -> Vec<u8> {
    noise(50_000, day as u64)
}

/// A backup on each of these days.
fn work(world: &World, days: std::ops::Range<i64>) {
    for day in days {
        world.set_day(day);
        world.write("private/secret", noise(400_000, 100 + day as u64));
        world.write("kept", kept(day));
        world.backup();
    }
}

fn purge(world: &World) -> PurgeReport {
    let request = PurgeRequest { path: world.source().join("private"), dry_run: false, is_forced: false };
    purge::run(&mut world.open_to_write(), &request, &Silent).expect("purged")
}

/// Work of so many days, and a purge that the one destination left hears of without having copies of the new trees.
fn purged_while_one_was_away(days: i64) -> (World, PurgeReport) {
    let world = World::new(&STICKS);
    work(&world, 0..days);
    world.unplug("secondary");
    let report = purge(&world);
    world.plug("secondary");
    world.forget_index();
    hand::tag(&mut world.open_to_write(), "latest", vec!["known".to_owned()], Vec::new()).expect("a mark");
    world.unplug("primary");
    (world, report)
}

fn failed(report: &PurgeReport) -> Vec<&str> {
    report.failed.iter().map(|(name, _)| name.as_str()).collect()
}

fn assert_no_secret(world: &World) {
    let gone = world.open().versions(&world.source().join("private/secret"));
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
}

/// Every snapshot comes back from a destination alone, with what else was in it.
fn assert_restores(world: &World, from: &str, days: std::ops::Range<i64>) {
    let repo = world.open();
    let snapshots = repo.snapshots().expect("readable");
    assert_eq!(snapshots.len() as i64, days.end - days.start);
    for (info, day) in snapshots.iter().rev().zip(days) {
        let target = world.path("one snapshot");
        let report = restore_snapshot(&repo, &info.id.to_string(), Some(from), &target);
        assert_eq!(report.problems, []);
        let source = below(&target, &world.source());
        assert!(std::fs::read(source.join("kept")).expect("restored") == kept(day), "of day {day}");
        std::fs::remove_dir_all(&target).expect("removed");
    }
}

/// Two sticks used in turn: what is purged on one goes from the other when that is cleaned, and nothing else does.
#[test]
fn a_destination_that_was_away_loses_what_was_purged_and_nothing_else() {
    let world = World::new(&STICKS);
    work(&world, 0..4);
    world.unplug("secondary");
    let report = purge(&world);
    assert_eq!((report.snapshots.len(), failed(&report)), (4, vec!["secondary"]));
    world.plug("secondary");
    world.unplug("primary");
    let cleaned = world.clean(30, 10);
    assert_eq!(on(&cleaned, "secondary").detail, None);
    assert_no_secret(&world);
    assert_restores(&world, "secondary", 0..4);
    assert_whole(&world);
    assert!(world.pack_bytes("secondary") < 700_000, "{} bytes are left", world.pack_bytes("secondary"));
}

/// What stands in the place of a purged snapshot cannot be had: the old one stays, and goes when it can.
#[test]
fn a_purged_snapshot_stays_until_what_stands_for_it_is_there() {
    let (world, report) = purged_while_one_was_away(4);
    let cleaned = world.clean(30, 10);
    let why = on(&cleaned, "secondary").detail.clone().expect("a reason");
    assert!(
        report.snapshots.iter().any(|id| why.starts_with(&format!("snapshot {}, which a purge", id.short()))),
        "{why}"
    );
    assert_eq!(on(&cleaned, "secondary").snapshots_deleted, 0);
    assert!(world.pack_bytes("secondary") > 1_600_000, "all that they need is still there");
    world.plug("primary");
    world.sync();
    let cleaned = world.clean(30, 10);
    for name in STICKS {
        assert_eq!(on(&cleaned, name).detail, None);
        assert!(world.pack_bytes(name) < 700_000, "{} bytes are left", world.pack_bytes(name));
    }
    assert_no_secret(&world);
    assert_restores(&world, "secondary", 0..4);
    assert_whole(&world);
}

/// The mark of a purge reached a destination and the snapshots that stand for the old ones did not; then the other one is
/// lost. All there is of what was not purged is in the old ones.
#[test]
fn what_was_purged_is_shown_where_nothing_is_known_to_stand_for_it() {
    for is_given_up in [false, true] {
        let (world, report) = purged_while_one_was_away(4);
        let shows_new_ones_only = || {
            let shown = world.open().snapshots().expect("readable");
            shown.iter().all(|info| report.replaced_by.contains(&info.id))
        };
        assert!(shows_new_ones_only());
        let lost = world.path("primary");
        if is_given_up {
            world.open_to_write().forget_destination("primary").expect("given up");
        } else {
            world.forget_index();
            drop(world.open_to_write());
        }
        assert_restores(&world, "secondary", 0..4);
        let cleaned = world.clean(30, 10);
        assert_eq!((&on(&cleaned, "secondary").detail, on(&cleaned, "secondary").snapshots_deleted), (&None, 0));
        assert_restores(&world, "secondary", 0..4);
        // It is found again.
        world.plug("primary");
        if is_given_up {
            world.open_to_write().add_destination("primary", &lost, &Silent).expect("taken up again");
        }
        world.sync();
        assert_no_secret(&world);
        world.clean(30, 10);
        assert_no_secret(&world);
        for name in STICKS {
            assert_restores(&world, name, 0..4);
            assert!(world.pack_bytes(name) < 700_000, "{} bytes are left", world.pack_bytes(name));
        }
        assert!(shows_new_ones_only());
        assert_whole(&world);
    }
}

/// Who has only that destination gives up what stays there by naming it.
#[test]
fn a_purged_snapshot_that_stays_can_be_forgotten() {
    let (world, report) = purged_while_one_was_away(2);
    let names: Vec<String> = report.snapshots.iter().map(ToString::to_string).collect();
    hand::forget(&mut world.open_to_write(), &names, false).expect("forgotten");
    let cleaned = world.clean(30, 10);
    assert_eq!((&on(&cleaned, "secondary").detail, on(&cleaned, "secondary").snapshots_deleted), (&None, 2));
}

/// A snapshot that only the absent destination has is not purged, and not forgotten either.
#[test]
fn what_only_an_absent_destination_has_is_purged_when_it_is_there() {
    let world = World::new(&STICKS);
    work(&world, 0..2);
    world.unplug("primary");
    work(&world, 2..4);
    world.plug("primary");
    world.unplug("secondary");
    let report = purge(&world);
    assert_eq!((report.snapshots.len(), failed(&report)), (2, vec!["secondary"]));
    world.plug("secondary");
    world.unplug("primary");
    world.clean(30, 10);
    assert_restores(&world, "secondary", 0..4);
    world.plug("primary");
    world.sync();
    let report = purge(&world);
    assert_eq!((report.snapshots.len(), failed(&report)), (2, vec![]));
    world.clean(30, 10);
    assert_no_secret(&world);
    for name in STICKS {
        assert_restores(&world, name, 0..4);
        assert!(world.pack_bytes(name) < 700_000, "{} bytes are left", world.pack_bytes(name));
    }
    assert_whole(&world);
}

/// Snapshots that a rule let go wait for the grace, and the next history is made from them too.
#[test]
fn what_is_purged_does_not_come_back_from_snapshots_that_wait() {
    let first = World::new(&["primary"]);
    work(&first, 0..12);
    let second = first.second("primary");
    second.write("own", noise(1000, 3));
    second.backup();
    first.clean(3, 20);
    assert_eq!(numbers(&first, "private/secret").len(), 12);
    first.set_day(12);
    let report = purge(&first);
    assert_eq!((report.snapshots.len(), report.histories), (3, 1));
    assert_no_secret(&first);
    for day in [13, 14, 22, 23, 31] {
        first.set_day(day);
        second.backup();
        first.clean(3, 20);
        assert_no_secret(&first);
        assert_eq!(numbers(&first, "kept").len(), 12, "on day {day}");
    }
    assert!(version(&first, "kept", 2) == kept(1));
    let mine = first.open().snapshots().expect("readable").iter().filter(|info| info.roots.len() == 1).count();
    assert!(mine >= 3, "{mine}");
    assert_whole(&first);
    assert!(first.pack_bytes("primary") < 1_600_000, "{} bytes are left", first.pack_bytes("primary"));
}

/// Also where so little of a pack is dead that it would stay for the sake of space.
#[test]
fn nothing_of_what_was_purged_is_in_a_pack_after_cleaning() {
    let world = World::in_memory(&["primary"]);
    world.set_day(0);
    world.write("large", noise(8_000_000, 1));
    world.write("private/secret", noise(100_000, 2));
    world.backup();
    std::fs::remove_dir_all(world.source().join("private")).expect("removed");
    world.backup();
    let packs = || -> Vec<String> {
        let all = world.objects("primary").into_iter().filter(|(path, _)| path.starts_with("packs/"));
        all.map(|(path, _)| path).collect()
    };
    let before = packs();
    world.clean(30, 10);
    assert_eq!(packs(), before, "there is nothing to do");
    purge(&world);
    world.clean(30, 10);
    let unique = world.open().status().expect("a status").bytes_unique;
    assert!((8_000_000..8_090_000).contains(&unique), "{unique} bytes are in packs");
    assert_no_secret(&world);
    assert_whole(&world);
}
