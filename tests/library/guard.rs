//! Runs that look suspect: many files turned into noise, or gone. The backup is made and said to be suspect, and no rule
//! removes anything of the source until a person accepts it.

use std::fs;

use cryptbackup::backup::{BackupReport, BackupRequest};
use cryptbackup::clean::choose::Reason;
use cryptbackup::clean::hand;
use cryptbackup::format::snapshot::SuspectSource;

use crate::support::World;
use crate::support::hooks::Stop;
use crate::support::world::noise;

const FILES: u64 = 120;

/// Words that compress, different in every file.
fn words(number: u64) -> Vec<u8> {
    let line = |at: u64| format!("line {at} of letter {number}: with kind regards, yours {}\n", at * number % 97);
    (0..2000).flat_map(|at| line(at).into_bytes()).collect()
}

fn name(number: u64) -> String {
    format!("letters {}/letter {number}.txt", number % 7)
}

/// A machine with letters, backed up once on day 0.
fn letters() -> World {
    let world = World::in_memory(&["primary"]);
    world.set_day(0);
    (0..FILES).for_each(|number| world.write(&name(number), words(number)));
    assert_eq!(world.backup().suspect, []);
    world
}

fn encrypt(world: &World, numbers: impl Iterator<Item = u64>) {
    numbers.for_each(|number| world.write(&name(number), noise(100_000, number)));
}

fn suspect(world: &World, files: u64, changed: u64, opaque: u64, gone: u64) -> Vec<SuspectSource> {
    let path = world.source().to_str().expect("UTF-8").as_bytes().to_vec();
    vec![SuspectSource { path, files, changed, opaque, gone }]
}

fn accept(world: &World) -> BackupReport {
    world.backup_with(BackupRequest { accept_changes: true, ..BackupRequest::default() })
}

#[test]
fn encrypted_files_make_a_run_suspect_and_suspend_retention() {
    let world = letters();
    for day in 1..5 {
        world.set_day(day);
        world.write(&name(1), format!("a letter of day {day}"));
        world.backup();
    }
    world.set_day(5);
    encrypt(&world, 0..30);
    let report = world.backup();
    assert_eq!(report.suspect, suspect(&world, FILES, 30, 30, 0));
    let bad = report.snapshot_id.expect("it is committed all the same");
    // The next run is quiet, and what was said still stands.
    world.set_day(150);
    assert_eq!(world.backup().suspect, []);
    let status = world.open().status().expect("a status");
    let (id, _, source) = status.sources[0].suspect.clone().expect("suspect");
    assert_eq!((id, vec![source]), (bad, suspect(&world, FILES, 30, 30, 0)));

    let cleaned = world.clean(0, 1);
    assert_eq!((cleaned.choices.len(), cleaned.suspects.len()), (7, 1));
    let is_suspended = |reason: &Reason| matches!(reason, Reason::Suspended { .. });
    assert!(cleaned.choices.iter().all(|choice| choice.stays() && choice.reasons.iter().any(is_suspended)));
    assert_eq!((cleaned.versions_dropped, cleaned.destinations[0].snapshots_deleted), (0, 0));

    // What a person says goes, and what a person accepts is not suspended any more.
    let report = accept(&world);
    assert_eq!((report.suspect.len(), report.accepted), (0, vec![bad]));
    assert!(world.open().status().expect("a status").sources[0].suspect.is_none());
    let cleaned = world.clean(0, 1);
    assert_eq!(cleaned.choices.iter().filter(|choice| choice.stays()).count(), 1);
}

#[test]
fn forgetting_the_suspect_snapshot_lets_retention_go_on() {
    let world = letters();
    world.set_day(1);
    encrypt(&world, 0..FILES);
    let bad = world.backup().snapshot_id.expect("a snapshot").to_string();
    (0..FILES).for_each(|number| world.write(&name(number), words(number)));
    world.set_day(2);
    let report = world.backup();
    assert_eq!(report.suspect, [], "words are no noise");
    hand::forget(&mut world.open_to_write(), &[bad], false).expect("forgotten");
    world.set_day(150);
    world.backup();
    assert!(world.clean(0, 1).choices.iter().any(|choice| !choice.stays()));
}

#[test]
fn histories_keep_every_version_of_a_suspect_source() {
    let world = letters();
    for day in 1..4 {
        world.set_day(day);
        world.write(&name(1), format!("a letter of day {day}"));
        world.backup();
    }
    world.set_day(100);
    world.backup();
    // Of the old snapshots a history is left, with two versions of the letter beside that which is there.
    let cleaned = world.clean(1, 3);
    assert!(cleaned.versions_kept >= 2, "{}", cleaned.versions_kept);
    let kept = cleaned.versions_kept;
    world.set_day(101);
    encrypt(&world, 0..FILES);
    assert_eq!(world.backup().suspect.len(), 1);
    world.set_day(200);
    world.backup();
    let cleaned = world.clean(0, 1);
    assert_eq!((cleaned.versions_kept, cleaned.versions_dropped), (kept, 0));
    accept(&world);
    assert!(world.clean(0, 1).versions_dropped > 0);
}

#[test]
fn deleted_files_make_a_run_suspect_and_moved_ones_do_not() {
    let world = letters();
    world.set_day(1);
    fs::rename(world.source().join("letters 1"), world.source().join("letters 10")).expect("moved");
    fs::create_dir(world.source().join("old")).expect("a folder");
    for number in [0, 2, 3, 4, 5, 6] {
        let from = world.source().join(format!("letters {number}"));
        fs::rename(from, world.source().join(format!("old/letters {number}"))).expect("moved");
    }
    assert_eq!(world.backup().suspect, [], "everything has another path, and nothing is gone");
    world.set_day(2);
    fs::remove_dir_all(world.source().join("old")).expect("removed");
    let report = world.backup();
    let gone = (0..FILES).filter(|number| number % 7 != 1).count() as u64;
    assert_eq!(report.suspect, suspect(&world, FILES, 0, 0, gone));
}

#[test]
fn renamed_and_encrypted_files_are_gone_also_after_a_run_that_was_cut_off() {
    let world = letters();
    world.set_day(1);
    for number in 0..FILES {
        world.remove(&name(number));
        world.write(&format!("{}.locked", name(number)), noise(100_000, number));
    }
    let stopped = world.try_backup_with(BackupRequest::default(), &Stop::after(10_000_000));
    assert!(stopped.is_err(), "most of it is stored, and nothing was committed");
    assert_eq!(world.backup().suspect, suspect(&world, FILES, 0, 0, FILES));
}

#[test]
fn an_ordinary_day_is_not_suspect() {
    let world = letters();
    world.set_day(1);
    // A fifth less one is changed into noise, many more are rewritten, and almost half are gone.
    encrypt(&world, 0..23);
    (23..60).for_each(|number| world.write(&name(number), words(number + 1000)));
    (61..FILES).for_each(|number| world.remove(&name(number)));
    (0..500).for_each(|number| world.write(&format!("pictures/{number}"), noise(1000, 1000 + number)));
    assert_eq!(world.backup().suspect, []);
    // Pictures that were there before are noise, and not changed.
    world.set_day(2);
    assert_eq!(world.backup_with(BackupRequest { force: true, ..BackupRequest::default() }).suspect, []);
}

#[test]
fn small_sources_the_first_backup_and_whoever_wants_it_are_left_alone() {
    let world = letters();
    world.settings(|settings| settings.guard.suspect_changes = false);
    world.set_day(1);
    encrypt(&world, 0..FILES);
    assert_eq!(world.backup().suspect, []);
    world.settings(|settings| {
        settings.guard.suspect_changes = true;
        settings.guard.min_files = FILES + 1;
    });
    (0..FILES).for_each(|number| world.write(&name(number), noise(100_000, number + 5000)));
    assert_eq!(world.backup().suspect, []);
    world.settings(|settings| {
        settings.guard.min_files = FILES;
        settings.guard.changed_percent = 100;
    });
    (1..FILES).for_each(|number| world.write(&name(number), noise(100_000, number + 6000)));
    assert_eq!(world.backup().suspect, []);
    (0..FILES).for_each(|number| world.write(&name(number), noise(100_000, number + 7000)));
    assert_eq!(accept(&world).suspect, []);
    (0..FILES).for_each(|number| world.write(&name(number), noise(100_000, number + 8000)));
    assert_eq!(world.backup().suspect.len(), 1);
    // Another machine starts with nothing it could compare with.
    let second = world.second("primary");
    (0..FILES).for_each(|number| second.write(&name(number), noise(100_000, number)));
    assert_eq!(second.backup().suspect, []);
}

#[test]
fn a_source_that_is_empty_and_said_to_be_is_not_suspect() {
    let world = letters();
    world.set_day(1);
    fs::remove_dir_all(world.source()).expect("removed");
    fs::create_dir(world.source()).expect("empty");
    assert_eq!(world.backup().suspect, [], "it is carried, and a problem");
    let report = world.backup_with(BackupRequest { force: true, ..BackupRequest::default() });
    assert_eq!((report.suspect, report.problems.len()), (Vec::new(), 0));
}
