//! Two machines on one destination: one cleans while the other backs up, and nothing that was acknowledged is lost.

use std::fs;

use cryptbackup::backup::BackupRequest;
use cryptbackup::check::{self, CheckRequest};
use cryptbackup::clean::choose::Rules;
use cryptbackup::clean::{CleanReport, CleanRequest, DestinationCleaned, hand};
use cryptbackup::drill::{self, DrillRequest, FindingKind};
use cryptbackup::report::{ProblemKind, Silent};
use cryptbackup::restore::{self, RestoreRequest, What};

use crate::clean::assert_whole;
use crate::restore::{restore, to};
use crate::support::World;
use crate::support::hooks::Hook;
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

/// Two machines on one destination. The first has a snapshot with four million bytes that it forgot since.
fn two() -> (World, World) {
    let first = World::new(&["primary"]);
    first.set_day(0);
    first.write("large", noise(4_000_000, 1));
    let id = first.backup().snapshot_id.expect("a snapshot").to_string();
    fs::remove_file(first.source().join("large")).expect("removed");
    first.write("small", noise(1000, 2));
    first.backup();
    let second = first.second("primary");
    second.write("own", noise(100_000, 3));
    second.backup();
    hand::forget(&mut first.open_to_write(), &[id], false).expect("forgotten");
    (first, second)
}

fn clean(world: &World) -> DestinationCleaned {
    let report: CleanReport = world.clean_with(CleanRequest::new(Rules::of(&world.settings_now().retention)));
    report.destinations.into_iter().next().expect("one destination")
}

fn assert_restores(world: &World, name: &str) {
    let target = world.path(name);
    restore(world, to(world, &target));
    assert_same(&tree(&world.source()), &tree(&target));
}

#[test]
fn condemned_packs_wait_for_the_grace_period_and_two_runs() {
    let (first, second) = two();
    let full = first.pack_bytes("primary");
    first.set_day(1);
    let cleaned = clean(&first);
    assert_eq!((cleaned.packs_deleted, cleaned.bytes_freed, &cleaned.detail), (0, 0, &None));
    assert!(cleaned.bytes_waiting > 4_000_000 && cleaned.returns.is_some(), "{cleaned:?}");
    first.set_day(7);
    assert_eq!(clean(&first).packs_deleted, 0, "six days are not seven");
    second.backup();
    first.set_day(9);
    let cleaned = clean(&first);
    assert!(cleaned.bytes_freed > 4_000_000, "{cleaned:?}");
    assert!(first.pack_bytes("primary") < full - 3_900_000);
    assert_eq!(clean(&first).bytes_waiting, 0);
    assert_whole(&first);
    assert_whole(&second);
    assert_restores(&first, "restored first");
    assert_restores(&second, "restored second");
}

/// What is deleted or moved after a check has listed is no damage; the next one finds nothing.
#[test]
fn who_checks_while_another_machine_cleans_sees_no_damage() {
    let (first, second) = two();
    first.write("large too", noise(2_000_000, 7));
    let gone = first.backup().snapshot_id.expect("a snapshot").to_string();
    first.set_day(1);
    hand::forget(&mut first.open_to_write(), &[gone], false).expect("forgotten");
    clean(&first);
    second.backup();
    first.set_day(9);
    // It has opened, and looks after everything else happened.
    let checker = second.open();
    assert!(clean(&first).bytes_freed > 4_000_000);
    let request = || CheckRequest { read_data: true, ..CheckRequest::default() };
    let report = check::run(&checker, request(), &Silent).expect("checked");
    assert!(!report.has_damage(), "{:?}", report.findings);
    let report = check::run(&second.open_to_write(), request(), &Silent).expect("checked");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    // Where nobody cleaned, what is gone is damage.
    let pack = second.objects("primary").into_iter().find(|(path, _)| path.starts_with("packs/")).expect("a pack").0;
    fs::remove_file(second.path("primary").join(pack)).expect("removed");
    let report = check::run(&second.open_to_write(), request(), &Silent).expect("checked");
    assert!(report.has_damage());
}

/// A writer that was at work when the list was made may not have seen it, and may need longer than a short grace.
#[test]
fn a_list_waits_for_who_was_at_work_when_it_was_made() {
    for is_over in [false, true] {
        let (first, second) = two();
        first.settings(|settings| settings.retention.grace_days = 1);
        first.set_day(1);
        assert!(clean(&first).bytes_waiting > 4_000_000);
        first.set_day(3);
        if is_over {
            second.backup();
        }
        let cleaned = clean(&first);
        assert_eq!(cleaned.bytes_freed > 4_000_000, is_over, "after two days: {cleaned:?}");
        first.set_day(5);
        let cleaned = clean(&first);
        assert_eq!(cleaned.bytes_freed > 4_000_000, !is_over, "after four days: {cleaned:?}");
        assert_whole(&first);
        assert_whole(&second);
    }
}

#[test]
fn what_is_condemned_is_stored_again_by_who_needs_it() {
    let (first, second) = two();
    first.set_day(1);
    clean(&first);
    second.write("the same", noise(4_000_000, 1));
    let report = second.backup();
    assert!(report.bytes_added > 3_900_000, "the condemned pack is not relied on: {}", report.bytes_added);
    first.set_day(9);
    assert!(clean(&first).bytes_freed > 4_000_000);
    assert_whole(&second);
    assert_restores(&second, "restored second");
}

/// The list appears after the backup looked and relied on the pack: it is rescued from the pack that is still there.
#[test]
fn what_is_condemned_during_a_backup_is_rescued() {
    let (first, second) = two();
    second.write("a", noise(4_000_000, 1));
    second.write("b", noise(2_000_000, 9));
    let hook = Hook::after(5 << 20, || {
        first.set_day(1);
        assert!(clean(&first).bytes_waiting > 4_000_000);
    });
    let report = second.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    assert!(report.bytes_added < 3_000_000, "the source was not read into the store again: {}", report.bytes_added);
    first.set_day(9);
    clean(&first);
    first.set_day(18);
    clean(&first);
    assert_whole(&second);
    assert_restores(&second, "restored second");
}

/// A laptop that was shut in the middle of a backup for longer than the grace period.
#[test]
fn a_writer_frozen_for_longer_than_the_grace_finds_out_and_stores_again() {
    let (first, second) = two();
    second.write("a", noise(4_000_000, 1));
    second.write("b", noise(2_000_000, 9));
    let hook = Hook::after(5 << 20, || {
        first.set_day(1);
        clean(&first);
        first.set_day(9);
        assert!(clean(&first).bytes_freed > 4_000_000, "what the frozen run relies on is deleted");
    });
    let report = second.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    assert!(report.bytes_added > 3_900_000, "{}", report.bytes_added);
    assert_whole(&second);
    assert_restores(&second, "restored second");
    assert_eq!(second.open().snapshots().expect("readable").len(), 3);
}

#[test]
fn forgotten_snapshots_of_a_shared_destination_can_be_had_back_while_they_wait() {
    let (first, _second) = two();
    first.set_day(1);
    clean(&first);
    let view = first.open();
    assert_eq!(view.snapshots().expect("readable").len(), 2);
    drop(view);
    let names: Vec<String> = walkdir::WalkDir::new(first.path("primary/snaps"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let known: Vec<String> =
        first.open().snapshots().expect("readable").iter().map(|info| info.id.to_string()).collect();
    let forgotten: Vec<String> = names.into_iter().filter(|name| !known.contains(name)).collect();
    assert_eq!(hand::unforget(&mut first.open_to_write(), &forgotten).expect("had back").len(), 1);
    first.set_day(9);
    assert_eq!(clean(&first).bytes_freed, 0);
    assert_whole(&first);
    assert_eq!(first.open().snapshots().expect("readable").len(), 3);
}

/// What a forgotten snapshot alone needed shares its packs with what stays: no pack is dead as a whole.
#[test]
fn packs_that_are_only_mostly_dead_come_to_their_turn_too() {
    let first = World::new(&["primary"]);
    first.set_day(0);
    first.write("large", noise(4_000_000, 1));
    first.write("folder/small", noise(50_000, 2));
    let id = first.backup().snapshot_id.expect("a snapshot").to_string();
    fs::remove_file(first.source().join("large")).expect("removed");
    first.backup();
    let second = first.second("primary");
    second.write("own", noise(100_000, 3));
    second.backup();
    hand::forget(&mut first.open_to_write(), &[id], false).expect("forgotten");
    first.set_day(1);
    let cleaned = clean(&first);
    assert_eq!((cleaned.snapshots_deleted, cleaned.packs_deleted, &cleaned.detail), (0, 0, &None));
    let cleaned = clean(&first);
    assert_eq!((cleaned.snapshots_deleted, &cleaned.detail), (0, &None));
    second.backup();
    first.set_day(9);
    let cleaned = clean(&first);
    assert_eq!((cleaned.snapshots_deleted, &cleaned.detail), (1, &None), "{cleaned:?}");
    assert!(cleaned.bytes_waiting > 4_000_000, "what is needed of it is elsewhere now: {cleaned:?}");
    second.backup();
    first.set_day(17);
    let cleaned = clean(&first);
    assert!(cleaned.bytes_freed > 4_000_000, "{cleaned:?}");
    assert_eq!(clean(&first).bytes_waiting, 0);
    assert_whole(&first);
    assert_whole(&second);
    assert_restores(&first, "restored first");
    let lists = || first.objects("primary").into_iter().filter(|(path, _)| path.starts_with("gc/")).count();
    let before = lists();
    for day in [18, 19] {
        first.set_day(day);
        clean(&first);
    }
    assert!(lists() <= before, "where there is nothing to do, nothing is said");
}

/// Its index knows what the other one moved only when it is brought up to date, which a restore or a drill cannot.
#[test]
fn who_restores_or_drills_while_another_machine_cleans_is_told_to_do_it_again() {
    let first = World::new(&["primary"]);
    first.set_day(0);
    first.write("large", noise(4_000_000, 1));
    first.write("kept", noise(300_000, 2));
    let id = first.backup().snapshot_id.expect("a snapshot").to_string();
    fs::remove_file(first.source().join("large")).expect("removed");
    first.backup();
    // A machine that connected, and never wrote.
    let second = first.second("primary");
    let [restoring, drilling, checking] = [second.open(), second.open(), second.open()];
    hand::forget(&mut first.open_to_write(), &[id], false).expect("forgotten");
    first.set_day(9);
    assert!(clean(&first).bytes_freed > 4_000_000);
    let request = |name: &str| RestoreRequest {
        destination: Some(first.path(name)),
        ..RestoreRequest::new(What::Directory(first.source()))
    };
    let said = "another command cleaned there while it was read; do it again";
    let plan = restore::plan(&restoring, request("once"), &Silent).expect("a plan");
    let report = restore::execute(&restoring, plan, &Silent).expect("restored");
    let [problem] = report.problems.as_slice() else { panic!("{:?}", report.problems) };
    assert_eq!((problem.path.clone(), problem.kind), (first.path("once/kept"), ProblemKind::NotRestored));
    assert!(problem.detail.ends_with(said), "{}", problem.detail);
    assert!(report.damaged.is_empty());
    let report = drill::run(&drilling, &DrillRequest::default(), &Silent).expect("drilled");
    assert!(!report.findings.is_empty() && report.damaged.is_empty());
    for finding in &report.findings {
        assert!(finding.kind == FindingKind::NotRestored && finding.detail.ends_with(said), "{finding:?}");
    }
    let checked = CheckRequest { read_data: true, ..CheckRequest::default() };
    let report = check::run(&checking, checked, &Silent).expect("checked");
    assert!(!report.has_damage(), "{:?}", report.findings);
    drop((restoring, drilling, checking));
    assert_eq!(restore(&second, request("again")).problems, []);
    assert_same(&tree(&first.source()), &tree(&first.path("again")));
    assert_eq!(drill::run(&second.open(), &DrillRequest::default(), &Silent).expect("drilled").findings, []);
    // Where nobody else could have cleaned, what is gone is damage.
    let alone = first.open();
    for (pack, _) in first.objects("primary").iter().filter(|(path, _)| path.starts_with("packs/")) {
        fs::remove_file(first.path("primary").join(pack)).expect("removed");
    }
    let report = drill::run(&alone, &DrillRequest::default(), &Silent).expect("drilled");
    assert!(report.findings.iter().any(|finding| finding.kind == FindingKind::Damaged), "{:?}", report.findings);
}
