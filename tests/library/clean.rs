//! Cleaning: the space comes back, and nothing that is protected goes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cryptbackup::check::{self, CheckRequest};
use cryptbackup::clean::choose::Rules;
use cryptbackup::clean::purge::{self, PurgeRequest};
use cryptbackup::clean::{CleanReport, CleanRequest, DestinationCleaned, hand};
use cryptbackup::error::Error;
use cryptbackup::explore;
use cryptbackup::report::Silent;
use cryptbackup::restore::{RestoreRequest, What, When};

use crate::restore::restore;
use crate::support::World;
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

pub fn on<'a>(report: &'a CleanReport, name: &str) -> &'a DestinationCleaned {
    report.destinations.iter().find(|cleaned| cleaned.name == name).expect("a configured destination")
}

/// Everything of every snapshot and history can be read, on every destination for itself.
pub fn assert_whole(world: &World) {
    let request = CheckRequest { read_data: true, ..CheckRequest::default() };
    let report = check::run(&world.open_to_write(), request, &Silent).expect("checked");
    assert_eq!(report.findings, []);
}

/// The bytes of a version of a file of the source.
pub fn version(world: &World, name: &str, number: u32) -> Vec<u8> {
    restored(world, name, When::Version(number))
}

fn restored(world: &World, name: &str, when: When) -> Vec<u8> {
    let target = world.path("one version");
    let request = RestoreRequest {
        when,
        destination: Some(target.clone()),
        ..RestoreRequest::new(What::File(world.source().join(name)))
    };
    restore(world, request);
    let bytes = fs::read(&target).expect("restored");
    fs::remove_file(&target).expect("removed");
    bytes
}

pub fn numbers(world: &World, name: &str) -> Vec<u32> {
    let versions = world.open().versions(&world.source().join(name)).expect("versions");
    versions.iter().map(|version| version.number).collect()
}

#[test]
fn the_space_of_what_goes_comes_back() {
    let world = World::new(&["primary", "secondary"]);
    world.set_day(0);
    world.write("kept", noise(3_000_000, 1));
    world.write("replaced", noise(8_000_000, 2));
    world.backup();
    let before = world.pack_bytes("primary");
    world.set_day(1);
    world.write("replaced", noise(1_000, 3));
    world.backup();
    world.set_day(40);
    world.write("new", noise(1_000, 4));
    world.backup();
    let dry = world.clean_with(CleanRequest {
        dry_run: true,
        ..CleanRequest::new(Rules { keep_days: 30, keep_versions: 1, ..Rules::of(&world.settings_now().retention) })
    });
    let foreseen = on(&dry, "primary").bytes_freed;
    assert_eq!(world.open().snapshots().expect("readable").len(), 3, "a dry run changes nothing");
    let objects = world.objects("primary");
    let report = world.clean(30, 1);
    assert_eq!((report.versions_kept, report.versions_dropped, &report.held), (0, 1, &None));
    for name in ["primary", "secondary"] {
        let cleaned = on(&report, name);
        assert_eq!((cleaned.snapshots_deleted, &cleaned.detail), (2, &None), "{name}");
        let after = world.pack_bytes(name);
        assert!(after < before - 7_700_000, "{before} bytes became {after}");
        let sizes: u64 = objects.iter().map(|(_, len)| len).sum();
        let now: u64 = world.objects(name).iter().map(|(_, len)| len).sum();
        assert!(now + cleaned.bytes_freed <= sizes + 64_000, "{} freed: {sizes} to {now}", cleaned.bytes_freed);
        assert!(cleaned.bytes_freed.abs_diff(foreseen) * 10 <= cleaned.bytes_freed, "{foreseen} were foreseen");
    }
    assert_eq!(world.open().snapshots().expect("readable").len(), 1);
    assert_whole(&world);
    let target = world.path("restored");
    restore(&world, crate::restore::to(&world, &target));
    assert_same(&tree(&world.source()), &tree(&target));
    let again = world.clean(30, 1);
    assert_eq!(on(&again, "primary").packs_deleted, 0, "there is nothing left to do");
}

#[test]
fn protected_versions_outlive_their_snapshots() {
    let world = World::new(&["primary"]);
    let mut contents = BTreeMap::new();
    for day in 0..20 {
        world.set_day(day);
        contents.insert(day as u32 + 1, noise(3000 + day as usize, day as u64));
        world.write("daily", &contents[&(day as u32 + 1)]);
        if day < 4 {
            world.write("gone", noise(500, 100 + day as u64));
        } else if day == 4 {
            world.remove("gone");
        }
        if day == 0 {
            world.write("steady", noise(2000, 50));
        }
        world.backup();
    }
    let report = world.clean(5, 8);
    assert_eq!(report.choices.iter().filter(|choice| choice.stays()).count(), 5);
    let expect = |world: &World| {
        assert_eq!(numbers(world, "daily"), (13..=20).collect::<Vec<u32>>(), "the newest eight");
        for number in 13..=20 {
            assert!(version(world, "daily", number) == contents[&number], "version {number}");
        }
        assert_eq!(numbers(world, "gone"), [1, 2, 3, 4]);
        assert!(version(world, "gone", 3) == noise(500, 102));
        assert_eq!(numbers(world, "steady"), [1]);
        let date = |day: i64| When::Date(jiff::Timestamp::from_second(1_780_000_000 + day * 86_400 + 40_000).unwrap());
        assert!(restored(world, "steady", date(2)) == noise(2000, 50), "it is known since its first day");
        assert!(restored(world, "daily", date(13)) == contents[&14]);
        assert!(restored(world, "gone", date(1)) == noise(500, 101));
        let mut files = BTreeMap::new();
        let mut note = |file: cryptbackup::explore::FileInfo| {
            files.insert(file.path.rsplit(|&byte| byte == b'/').next().expect("a name").to_vec(), file.deleted);
        };
        explore::files(&world.open(), None, &mut note).expect("listed");
        let expected = [(&b"daily"[..], false), (b"gone", true), (b"steady", false)];
        assert_eq!(files, expected.map(|(name, deleted)| (name.to_vec(), deleted)).into_iter().collect());
        let mut kept = Vec::new();
        let mut note = |entry: cryptbackup::repo::LsEntry| kept.push((entry.path, entry.version));
        world.open().list_history(Some(&world.source()), false, &mut note).expect("listed");
        let named = |name: &str| cryptbackup::paths::to_bytes(&world.source().join(name)).to_vec();
        let expected =
            (13..=15).map(|number| (named("daily"), number)).chain((1..=4).map(|number| (named("gone"), number)));
        assert_eq!(kept, expected.collect::<Vec<_>>());
        let missing = cryptbackup::restore::plan(
            &world.open(),
            RestoreRequest { when: When::Version(5), ..RestoreRequest::new(What::File(world.source().join("daily"))) },
            &Silent,
        );
        assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    };
    expect(&world);
    assert_whole(&world);
    world.forget_index();
    drop(world.open_to_write());
    expect(&world);
    // Numbers go on, also of what is only in the history.
    world.set_day(20);
    world.write("daily", b"new");
    world.write("gone", b"back");
    world.backup();
    assert_eq!(numbers(&world, "daily").last(), Some(&21));
    assert_eq!(numbers(&world, "gone"), [1, 2, 3, 4, 5]);
    world.set_day(30);
    world.write("other", b"x");
    world.backup();
    world.clean(5, 2);
    assert_eq!(numbers(&world, "daily"), [20, 21]);
    assert_eq!(numbers(&world, "gone"), [4, 5]);
    assert!(version(&world, "daily", 20) == contents[&20]);
    assert_whole(&world);
}

#[test]
fn what_was_deleted_long_ago_goes_and_its_number_stays() {
    let world = World::new(&["primary"]);
    world.set_day(0);
    world.write("file", b"one");
    world.write("other", b"other");
    world.backup();
    world.set_day(1);
    world.remove("file");
    world.backup();
    world.set_day(300);
    world.write("other", b"more");
    world.backup();
    let forced = |world: &World| {
        world.clean_with(CleanRequest {
            is_forced: true,
            ..CleanRequest::new(Rules::of(&world.settings_now().retention))
        })
    };
    forced(&world);
    assert_eq!(numbers(&world, "file"), [1]);
    world.set_day(500);
    world.write("other", b"even more");
    world.backup();
    forced(&world);
    let gone = world.open().versions(&world.source().join("file"));
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
    world.forget_index();
    drop(world.open_to_write());
    world.set_day(501);
    world.write("file", b"again");
    world.backup();
    assert_eq!(numbers(&world, "file"), [2]);
    assert_whole(&world);
}

#[test]
fn what_is_forgotten_can_be_had_back_until_it_is_cleaned() {
    let world = World::new(&["primary", "secondary"]);
    world.write("file", noise(3_000_000, 1));
    let first = world.backup().snapshot_id.expect("a snapshot").to_string();
    world.write("file", noise(10, 2));
    world.backup();
    let names = [first.clone()];
    hand::forget(&mut world.open_to_write(), &names, false).expect("forgotten");
    assert_eq!(world.open().snapshots().expect("readable").len(), 1);
    assert_eq!(numbers(&world, "file"), [2]);
    hand::unforget(&mut world.open_to_write(), &names).expect("had back");
    assert!(version(&world, "file", 1) == noise(3_000_000, 1));
    hand::forget(&mut world.open_to_write(), &names, false).expect("forgotten");
    world.unplug("secondary");
    let report = world.clean(30, 10);
    assert!(on(&report, "primary").bytes_freed > 2_900_000, "{:?}", on(&report, "primary"));
    let late = hand::unforget(&mut world.open_to_write(), &names);
    // The other stick still has it, so it can be had back from there.
    assert!(late.is_ok(), "{late:?}");
    hand::forget(&mut world.open_to_write(), &names, false).expect("forgotten");
    world.plug("secondary");
    world.backup();
    assert_eq!(world.open().snapshots().expect("readable").len(), 2, "it does not come back");
    let report = world.clean(30, 10);
    assert!(on(&report, "secondary").bytes_freed > 2_900_000, "{:?}", on(&report, "secondary"));
    let late = hand::unforget(&mut world.open_to_write(), &names);
    assert!(matches!(late, Err(Error::NotFound { .. })), "{late:?}");
    assert_whole(&world);
}

#[test]
fn nothing_of_a_source_would_be_left_is_asked_about() {
    let world = World::new(&["primary"]);
    world.write("file", b"one");
    let id = world.backup().snapshot_id.expect("a snapshot").to_string();
    let refused = hand::forget(&mut world.open_to_write(), std::slice::from_ref(&id), false);
    assert!(matches!(refused, Err(Error::Unsure(_))), "{refused:?}");
    hand::forget(&mut world.open_to_write(), &[id], true).expect("forgotten");
    world.clean(30, 10);
    assert!(world.objects("primary").iter().all(|(path, _)| !path.starts_with("packs/")), "everything is gone");
    let report = world.backup();
    assert_eq!(report.files_new + report.files_unmodified, 1);
    assert_whole(&world);
}

#[test]
fn a_path_is_purged_from_snapshots_and_histories() {
    let world = World::new(&["primary", "secondary"]);
    let secret = |day: u64| noise(2_000_000, 70 + day);
    for day in 0..12 {
        world.set_day(day);
        world.write("private/secret", secret(day as u64));
        world.write("private/also", noise(10, 80 + day as u64));
        world.write("kept", noise(5000, day as u64));
        world.backup();
    }
    world.clean(3, 20);
    assert_eq!(numbers(&world, "private/secret").len(), 12);
    let request = PurgeRequest { path: world.source().join("private"), dry_run: false, is_forced: false };
    let report = purge::run(&mut world.open_to_write(), &request, &Silent).expect("purged");
    assert_eq!((report.snapshots.len(), report.histories, report.is_in_source), (3, 1, true));
    assert_eq!((report.replaced_by.len(), report.failed.len()), (3, 0));
    let gone = world.open().versions(&world.source().join("private/secret"));
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
    assert_eq!(numbers(&world, "kept").len(), 12);
    let cleaned = world.clean(3, 20);
    for name in ["primary", "secondary"] {
        assert_eq!(on(&cleaned, name).detail, None);
        assert!(world.pack_bytes(name) < 1_000_000, "{} bytes are left", world.pack_bytes(name));
    }
    assert_whole(&world);
    assert_eq!(world.open().snapshots().expect("readable").len(), 3);
    fs::remove_dir_all(world.source().join("private")).expect("removed");
    world.set_day(12);
    world.backup();
    assert_eq!(numbers(&world, "kept").len(), 12);
    assert!(version(&world, "kept", 2) == noise(5000, 1));
    let again = purge::run(&mut world.open_to_write(), &request, &Silent);
    assert!(matches!(again, Err(Error::NotFound { .. })), "{again:?}");
}

/// Hides a snapshot, as a listing that is cut short would.
fn hide_newest_snapshot(world: &World, name: &str, to: &Path) {
    let id = world.open().snapshots().expect("readable")[0].id.to_string();
    fs::rename(world.path(name).join("snaps").join(&id[..2]).join(&id), to).expect("hidden");
}

#[test]
fn a_listing_that_lacks_a_snapshot_deletes_nothing() {
    let world = World::new(&["primary"]);
    for day in 0..10 {
        world.set_day(day);
        world.write("file", noise(200_000, day as u64));
        world.backup();
    }
    let hidden = world.path("hidden");
    hide_newest_snapshot(&world, "primary", &hidden);
    let packs = world.pack_bytes("primary");
    for _ in 0..2 {
        let report = world.clean(2, 1);
        let why = on(&report, "primary").detail.clone().expect("a reason");
        assert!(why.contains("it lacks 1 snapshot ("), "{why}");
        assert!(world.pack_bytes("primary") >= packs, "nothing is deleted");
    }
}

/// What the index remembers is enough where the memory of what was seen is lost.
#[test]
fn a_listing_that_lacks_a_snapshot_deletes_nothing_without_the_memory_of_it() {
    let world = World::new(&["primary"]);
    for day in 0..4 {
        world.set_day(day);
        world.write("file", noise(200_000, day as u64));
        world.backup();
    }
    hide_newest_snapshot(&world, "primary", &world.path("hidden"));
    for entry in fs::read_dir(world.home.path().join("state")).expect("listed").flatten() {
        if entry.file_name().to_string_lossy().starts_with("seen-") {
            fs::remove_file(entry.path()).expect("lost");
        }
    }
    let packs = world.pack_bytes("primary");
    for _ in 0..2 {
        let report = world.clean(2, 1);
        let why = on(&report, "primary").detail.clone().expect("a reason");
        assert!(why.contains("not in its listing"), "{why}");
        assert!(world.pack_bytes("primary") >= packs, "nothing is deleted");
    }
}

#[test]
fn a_tree_that_cannot_be_read_deletes_nothing_until_its_snapshot_is_forgotten() {
    let world = World::new(&["primary"]);
    for day in 0..8 {
        world.set_day(day);
        world.write("file", noise(200_000, day as u64));
        world.backup();
    }
    let newest_tree = newest_pack(&world);
    world.forget_index();
    let bytes = fs::read(&newest_tree).expect("a pack");
    let mut damaged = bytes.clone();
    let middle = damaged.len() / 200;
    damaged[200..200 + middle].fill(0);
    fs::write(&newest_tree, &damaged).expect("damaged");
    let before = world.objects("primary").len();
    let ids = || -> Vec<_> { world.open().snapshots().expect("readable").iter().map(|info| info.id).collect() };
    let shown = ids();
    let report = world.clean(2, 1);
    let why = on(&report, "primary").detail.clone().expect("a reason");
    assert!(why.contains("cannot be read") || why.contains("none of its packs"), "{why}");
    assert!(world.objects("primary").len() >= before, "nothing is deleted");
    assert_eq!(ids(), shown, "no history keeps what they have, so none is forgotten");
}

/// The pack that was written last: trees come after data.
fn newest_pack(world: &World) -> std::path::PathBuf {
    let packs = walkdir::WalkDir::new(world.path("primary").join("packs")).into_iter().filter_map(Result::ok);
    let files = packs.filter(|entry| entry.file_type().is_file());
    files.max_by_key(|entry| entry.metadata().expect("a look").modified().expect("a time")).expect("a pack").into_path()
}

#[test]
fn two_destinations_used_in_turn_are_cleaned_each_for_itself() {
    let world = World::new(&["primary", "secondary"]);
    let names = ["primary", "secondary"];
    world.unplug("secondary");
    let mut newest = BTreeMap::new();
    let mut sizes = Vec::new();
    for round in 0..10 {
        let (here, away) = (names[round % 2], names[(round + 1) % 2]);
        if round > 0 {
            world.plug(here);
        }
        for day in 0..4 {
            world.set_day(round as i64 * 4 + day);
            world.write("changed", noise(300_000, 1000 + round as u64 * 4 + day as u64));
            world.write("same", noise(100_000, 7));
            world.backup();
        }
        newest.insert(here, tree(&world.source()));
        let report = world.clean(3, 3);
        assert_eq!(on(&report, here).detail, None, "round {round}");
        assert_whole(&world);
        sizes.push(world.pack_bytes(here));
        world.unplug(here);
        let _ = away;
    }
    for name in names {
        world.plug(name);
        world.forget_index();
        let target = world.path(&format!("restored {name}"));
        restore_newest(&world, &target);
        assert_same(&newest[name], &tree(&target));
        world.unplug(name);
    }
    let (early, late) = (sizes[2].max(sizes[3]), sizes[8].max(sizes[9]));
    assert!(late <= early + early / 4, "it grows: {sizes:?}");
}

fn restore_newest(world: &World, target: &Path) {
    drop(world.open_to_write());
    restore(world, crate::restore::to(world, target));
}

/// Ninety days of work: some files change every day, of which most change again and again.
fn ninety_days(files: u64, changed: u64) {
    let world = World::new(&["primary"]);
    world.settings(|settings| settings.sources.iter_mut().for_each(|source| source.ignore_ctime = true));
    let content = |file: u64, day: u64| noise(2000 + (file * 37 % 6000) as usize, file * 1000 + day);
    let name = |file: u64| format!("folder {}/file {file}", file % 97);
    let mut kept: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for day in 0..90 {
        world.set_day(day as i64);
        let touched: Vec<u64> = match day {
            0 => (0..files).collect(),
            // Half of them the same files every day.
            _ => (0..changed).map(|n| if n % 2 == 0 { n } else { (day * 7919 + n * 104_729) % files }).collect(),
        };
        for file in touched {
            let days = kept.entry(file).or_default();
            if days.last() != Some(&day) {
                days.push(day);
                world.write(&name(file), content(file, day));
            }
        }
        world.settle();
        world.backup();
    }
    let tree_now = tree(&world.source());
    let report = world.clean(30, 10);
    assert_eq!(report.choices.iter().filter(|choice| choice.stays()).count(), 30);
    assert_eq!(on(&report, "primary").detail, None);
    assert_whole(&world);
    // By the rule: seen within thirty days, or among the newest ten. A version was seen until the day before the next.
    let mut expected = 0;
    for (&file, days) in &kept {
        let last_seen = |at: usize| days.get(at + 1).map_or(89, |next| next - 1);
        let protected: Vec<usize> =
            (0..days.len()).filter(|&at| 89 - last_seen(at) < 30 || days.len() - at <= 10).collect();
        expected += protected.len();
        if file >= changed + 40 {
            continue;
        }
        let found: Vec<usize> = numbers(&world, &name(file)).iter().map(|number| *number as usize - 1).collect();
        assert_eq!(found, protected, "{}", name(file));
        for at in [protected.first(), protected.last()].into_iter().flatten() {
            assert!(version(&world, &name(file), *at as u32 + 1) == content(file, days[*at]), "{}", name(file));
            let noon = 1_780_000_000 + days[*at] as i64 * 86_400 + 43_200;
            let date = When::Date(jiff::Timestamp::from_second(noon).unwrap());
            assert!(restored(&world, &name(file), date) == content(file, days[*at]), "{} by date", name(file));
        }
    }
    // What a repository needs that never had anything else.
    let fresh = World::new(&["primary"]);
    fresh.settings(|settings| settings.sources.iter_mut().for_each(|source| source.ignore_ctime = true));
    for day in 60..90 {
        fresh.set_day(day as i64);
        for (&file, days) in &kept {
            if let Some(&newest) = days.iter().rev().find(|known| **known <= day)
                && (day == 60 || newest == day)
            {
                fresh.write(&name(file), content(file, newest));
            }
        }
        fresh.settle();
        fresh.backup();
    }
    for (&file, days) in &kept {
        for at in (0..days.len()).filter(|&at| days.len() - at <= 10 && days[at] < 60) {
            fresh.write(&format!("versions/{file}/{at}"), content(file, days[at]));
        }
    }
    fresh.backup();
    let bytes = |world: &World| world.objects("primary").iter().map(|(_, len)| len).sum::<u64>();
    let uncleaned = bytes(&fresh);
    fresh.clean_with(CleanRequest::new(Rules { keep_days: 1000, ..Rules::of(&fresh.settings_now().retention) }));
    let (ours, theirs) = (bytes(&world), bytes(&fresh));
    eprintln!(
        "{expected} versions in {ours} bytes; fresh {uncleaned}, packed {theirs}: {}",
        ours as f64 / theirs as f64
    );
    assert!(ours * 10 <= theirs * 11, "{ours} bytes, and {theirs} would do");
    let target = world.path("restored");
    restore(&world, crate::restore::to(&world, &target));
    assert_same(&tree_now, &tree(&target));
}

#[test]
fn ninety_days_leave_what_is_kept_and_little_else() {
    ninety_days(400, 8);
}

/// `cargo test --release --test library -- --ignored ninety_days_of_five_thousand_files`
#[test]
#[ignore = "takes minutes"]
fn ninety_days_of_five_thousand_files() {
    ninety_days(5000, 20);
}
