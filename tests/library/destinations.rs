//! Several destinations: each alone gives everything back, whatever else is lost; what was away catches up.

use std::fs;

use cryptbackup::backup::BackupRequest;
use cryptbackup::check::{self, CheckRequest};
use cryptbackup::clean::hand;
use cryptbackup::repo::settings::Settings;
use cryptbackup::repo::{self, Access, Home, InitRequest, Repo, Secret};
use cryptbackup::report::Silent;
use zeroize::Zeroizing;

use crate::restore::weird_tree;
use crate::support::World;
use crate::support::hooks::Hook;
use crate::support::saved::{Saved, assert_restores};
use crate::support::world::{noise, outcome};

pub const STICKS: [&str; 3] = ["primary", "secondary", "tertiary"];

/// What is left besides one destination.
pub enum Left {
    /// A copy of `config.yaml`.
    Settings,
    /// Recovery words or a passphrase.
    Secret(Secret),
}

/// Three snapshots with everything that can be in a folder, changed in between.
fn three_snapshots(world: &World) -> Vec<Saved> {
    let mut saved = Vec::new();
    weird_tree(world);
    saved.push(Saved::now(world, &world.backup()));
    world.write("large", noise(2_500_000, 40));
    world.remove("empty");
    world.write("new/file", b"new");
    saved.push(Saved::now(world, &world.backup()));
    fs::rename(world.source().join("deep"), world.source().join("deeper still")).expect("renamed");
    saved.push(Saved::now(world, &world.backup()));
    saved
}

/// Takes the state folder and all destinations but one away, sets up a new machine with that one, restores everything
/// from it, and puts all back.
pub fn assert_alone_is_enough(world: &World, name: &str, left: &Left, saved: &[Saved]) {
    let copy = world.path("copy.yaml");
    fs::copy(world.home.settings_path(), &copy).expect("a copy of the settings");
    fs::rename(world.home.path(), world.path("home.lost")).expect("the state folder is lost");
    for other in STICKS.iter().filter(|other| **other != name) {
        world.unplug(other);
    }
    let home = Home::at(world.path("another home"));
    let (secret, copied) = match left {
        Left::Settings => (None, Some(Settings::load(&copy, false).expect("the copy"))),
        Left::Secret(secret) => (Some(secret.clone()), None),
    };
    let report = repo::connect(&home, &world.path(name), secret.clone(), copied, &Silent).expect("connected");
    assert!(report.snapshots >= saved.len());
    assert_eq!(report.sources, [world.source()]);
    // Words are for the worst day: after it the machine has a key of its own.
    let secret = secret.filter(|secret| matches!(secret, Secret::Passphrase(_) | Secret::KeyFile(_)));
    let repo = Repo::open(&home, Access::Read, secret, &Silent).expect("the repository");
    assert_restores(&repo, None, saved, &world.path("scratch"));
    drop(repo);

    fs::remove_dir_all(home.path()).expect("removed");
    fs::rename(world.path("home.lost"), world.home.path()).expect("found again");
    for other in STICKS.iter().filter(|other| **other != name) {
        world.plug(other);
    }
}

#[test]
fn each_alone_is_enough_with_a_copy_of_the_settings_or_the_recovery_words() {
    let (world, init) = World::with(InitRequest { recovery: true, ..InitRequest::default() }, &STICKS);
    let saved = three_snapshots(&world);
    let words = Secret::Words(init.recovery_words.expect("words"));
    for name in STICKS {
        assert_alone_is_enough(&world, name, &Left::Settings, &saved);
        assert_alone_is_enough(&world, name, &Left::Secret(words.clone()), &saved[2..]);
    }
}

#[test]
fn each_alone_is_enough_with_the_passphrase() {
    let passphrase = Zeroizing::new("correct horse battery staple".to_owned());
    let request = InitRequest { passphrase: Some(passphrase.clone()), ..InitRequest::default() };
    let (world, _) = World::with(request, &STICKS);
    world.write("file", noise(100_000, 1));
    let saved = [Saved::now(&world, &world.backup())];
    for name in STICKS {
        assert_alone_is_enough(&world, name, &Left::Secret(Secret::Passphrase(passphrase.clone())), &saved);
    }
}

#[test]
fn a_key_made_by_connecting_opens_every_destination_after_the_next_backup() {
    let passphrase = Some(Zeroizing::new("soon forgotten".to_owned()));
    let (mut world, init) = World::with(InitRequest { passphrase, recovery: true, ..InitRequest::default() }, &STICKS);
    world.write("file", b"content");
    let mut saved = vec![Saved::now(&world, &world.backup())];
    let copied = world.settings_now();
    assert!(copied.encryption.key.is_none());
    fs::rename(world.home.path(), world.path("home.gone")).expect("the state folder is lost");
    let words = Secret::Words(init.recovery_words.expect("words"));
    (world.home, world.secret) = (Home::at(world.path("new home")), None);
    repo::connect(&world.home, &world.path("primary"), Some(words), Some(copied), &Silent).expect("connected");
    let report = world.backup();
    assert_eq!(report.copies, 3);
    saved.push(Saved::now(&world, &report));
    for name in STICKS {
        assert_alone_is_enough(&world, name, &Left::Settings, &saved);
    }
}

#[test]
fn what_was_away_catches_up_by_sync_or_by_the_next_backup() {
    for by_sync in [true, false] {
        let world = World::new(&["primary", "secondary"]);
        world.write("kept", noise(400_000, 1));
        world.write("changed", noise(200_000, 2));
        let mut saved = vec![Saved::now(&world, &world.backup())];
        world.unplug("secondary");
        for seed in 3..5 {
            world.write("changed", noise(200_000, seed));
            let report = world.backup();
            saved.push(Saved::now(&world, &report));
            assert_eq!(report.copies, 1);
            let away = outcome(&report, "secondary");
            assert!(!away.committed);
            assert_eq!(away.state, repo::DestinationState::Absent);
            assert_eq!(away.snapshots_behind, seed - 2);
            assert!(!world.path("secondary").exists(), "a destination that is away is never created");
        }
        world.plug("secondary");
        if by_sync {
            let report = world.sync();
            let synced = &report.destinations[1];
            assert_eq!((synced.snapshots_copied, synced.snapshots_behind), (2, 0));
            assert_eq!(world.sync().destinations[1].packs_copied, 0, "there is nothing more to copy");
        } else {
            let report = world.backup();
            saved.push(Saved::now(&world, &report));
            assert_eq!(report.copies, 2);
            assert!(report.destinations.iter().all(|one| one.committed && one.snapshots_behind == 0), "{report:?}");
        }
        assert_eq!(world.pack_bytes("primary"), world.pack_bytes("secondary"));
        world.unplug("primary");
        assert_restores(&world.open(), None, &saved, &world.path("scratch"));
    }
}

#[test]
fn one_that_is_pulled_out_during_a_run_is_reported_and_catches_up_later() {
    let world = World::new(&["primary", "secondary"]);
    world.write("before", noise(100_000, 1));
    let mut saved = vec![Saved::now(&world, &world.backup())];
    for number in 0..11 {
        world.write(&format!("large{number}"), noise(4 << 20, 2 + number));
    }
    let hook = Hook::after(1, || world.unplug("secondary"));
    let report = world.try_backup_with(BackupRequest::default(), &hook).expect("the other one takes it");
    assert!(hook.has_acted());
    saved.push(Saved::now(&world, &report));
    assert_eq!(report.copies, 1);
    assert!(outcome(&report, "primary").committed);
    let lost = outcome(&report, "secondary");
    assert!(!lost.committed, "{lost:?}");
    assert_eq!((lost.state, lost.snapshots_behind), (repo::DestinationState::Absent, 1));
    assert!(lost.detail.is_some());
    let snapshots = world.open().snapshots().expect("snapshots");
    assert_eq!(snapshots[0].destinations, ["primary"]);

    world.plug("secondary");
    let report = world.sync();
    assert_eq!(report.destinations[1].snapshots_behind, 0);
    world.unplug("primary");
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

/// What only that one has counts as stored while the run lasts.
#[test]
fn where_the_only_one_with_older_data_is_pulled_out_during_a_run_the_other_gets_all_of_it() {
    let world = World::new(&["primary"]);
    world.write("before", noise(3 << 20, 1));
    let first = Saved::now(&world, &world.backup());
    world.add_destination("secondary");
    for number in 0..11 {
        world.write(&format!("large{number}"), noise(4 << 20, 2 + number));
    }
    let hook = Hook::after(1, || world.unplug("primary"));
    let report = world.try_backup_with(BackupRequest::default(), &hook).expect("the other one takes it");
    assert!(hook.has_acted());
    assert!(outcome(&report, "secondary").committed, "{report:?}");
    assert_eq!((report.copies, outcome(&report, "primary").state), (1, repo::DestinationState::Absent));
    let second = Saved::now(&world, &report);
    assert_restores(&world.open(), None, std::slice::from_ref(&second), &world.path("scratch"));
    world.plug("primary");
    assert_eq!(world.backup().copies, 2);
    world.unplug("secondary");
    assert_restores(&world.open(), None, &[first, second], &world.path("scratch"));
}

#[test]
fn two_sticks_used_in_turn_are_each_complete_and_hold_nothing_twice() {
    let world = World::new(&["left", "right"]);
    world.unplug("left");
    world.write("kept/first", noise(700_000, 1));
    world.write("kept/deep/second", noise(150_000, 2));
    world.write("log", noise(60_000, 3));
    let mut distinct = 910_000;
    let (mut here, mut away) = ("right", "left");
    let mut newest = Vec::new();
    for round in 0..6u64 {
        let mut log = fs::read(world.source().join("log")).expect("the log");
        log.extend(noise(30_000, 100 + round));
        world.write("log", &log);
        world.write(&format!("round{round}"), noise(80_000, 200 + round));
        world.write("rewritten", noise(40_000, 300 + round));
        distinct += 150_000;
        if round >= 3 {
            world.remove(&format!("round{}", round - 3));
        }
        world.settle();
        world.unplug(here);
        world.plug(away);
        (here, away) = (away, here);
        let report = world.backup();
        assert_eq!(report.problems, []);
        if round >= 2 {
            assert!(report.files_unmodified >= 2, "unchanged files stand: {report:?}");
            assert!(report.bytes_read < 700_000, "{} bytes were read again", report.bytes_read);
        }
        newest.retain(|(name, _)| *name != here);
        newest.push((here, vec![Saved::now(&world, &report)]));
        // Each alone restores its newest snapshot, at once.
        assert_restores(&world.open(), Some(here), &newest[newest.len() - 1].1, &world.path("scratch"));
    }
    // A pack is padded to 64 KiB; a run writes two of them. A chunk that grew at its end is stored anew.
    let allowance = 3 * 3 * 65_536 + 3 * 65_536;
    for name in [here, away] {
        if name == away {
            world.plug(away);
        }
        let bytes = world.pack_bytes(name);
        assert!(bytes < distinct + allowance, "{name} holds {bytes} bytes for {distinct} distinct ones");
    }
    let report = world.sync();
    assert!(report.destinations.iter().all(|one| one.snapshots_behind == 0 && one.snapshots_copied == 3), "{report:?}");
    let before = [world.objects("left").len(), world.objects("right").len()];
    let report = world.backup();
    assert_eq!((report.bytes_added, report.bytes_read, report.copies), (0, 0, 2));
    assert_eq!([world.objects("left").len(), world.objects("right").len()], before.map(|count| count + 1));
    for (name, saved) in newest {
        let other = if name == "left" { "right" } else { "left" };
        assert_restores(&world.open(), Some(other), &saved, &world.path("scratch"));
    }
}

#[test]
fn a_destination_added_later_is_filled_and_the_first_one_does_not_grow() {
    for by_sync in [true, false] {
        let world = World::new(&["primary"]);
        world.write("a", noise(300_000, 1));
        let mut saved = vec![Saved::now(&world, &world.backup())];
        world.write("b", noise(300_000, 2));
        saved.push(Saved::now(&world, &world.backup()));
        let before = world.objects("primary");
        world.add_destination("late");
        if by_sync {
            let report = world.sync();
            assert_eq!((report.destinations[1].snapshots_copied, report.destinations[1].snapshots_behind), (2, 0));
            assert_eq!(world.objects("primary"), before);
        } else {
            let report = world.backup();
            saved.push(Saved::now(&world, &report));
            assert_eq!((report.copies, report.bytes_added, outcome(&report, "late").snapshots_behind), (2, 0, 0));
            let after = world.objects("primary");
            let new: Vec<_> = after.iter().filter(|object| !before.contains(object)).collect();
            assert!(new.len() == 1 && new[0].0.starts_with("snaps/"), "{new:?}");
            assert_eq!(after.len(), before.len() + 1);
        }
        world.unplug("primary");
        assert_restores(&world.open(), None, &saved, &world.path("scratch"));
    }
}

/// What was forgotten is still in packs of the first destination when another is filled from it.
#[test]
fn what_is_not_needed_any_more_is_not_copied() {
    let world = World::new(&["primary"]);
    world.write("file", noise(3_000_000, 1));
    let forgotten = world.backup().snapshot_id.expect("a snapshot").to_string();
    world.write("file", noise(200_000, 2));
    let saved = [Saved::now(&world, &world.backup())];
    hand::forget(&mut world.open_to_write(), &[forgotten], false).expect("forgotten");
    world.add_destination("late");
    let report = world.sync();
    assert_eq!((report.destinations[1].snapshots_copied, report.destinations[1].snapshots_behind), (1, 0));
    assert!(world.pack_bytes("primary") > 3_000_000 && world.pack_bytes("late") < 1_000_000);
    world.unplug("primary");
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

#[test]
fn a_pack_that_was_cut_short_is_mended_from_the_other_destination() {
    for by_sync in [false, true] {
        let world = World::new(&["primary", "secondary"]);
        world.write("file", noise(3_000_000, 1));
        let first = Saved::now(&world, &world.backup());
        let packs = world.objects("secondary").into_iter().filter(|(path, _)| path.starts_with("packs/"));
        let (largest, _) = packs.max_by_key(|(_, len)| *len).expect("a pack");
        let cut = fs::File::options().write(true).open(world.path("secondary").join(largest)).expect("the pack");
        cut.set_len(100_000).expect("cut short");
        if by_sync {
            world.unplug("secondary");
        }
        world.write("another", noise(50_000, 2));
        let report = world.backup_with(BackupRequest::default());
        let second = Saved::now(&world, &report);
        if by_sync {
            world.plug("secondary");
            let synced = world.sync();
            let secondary = synced.destinations.iter().find(|synced| synced.name == "secondary").expect("synced");
            assert_eq!((secondary.packs_copied, secondary.snapshots_behind), (3, 0), "{:?}", secondary.detail);
        } else {
            let secondary = outcome(&report, "secondary");
            assert!(secondary.committed, "{:?}", secondary.detail);
            assert_eq!((secondary.packs_written, secondary.packs_copied, secondary.snapshots_behind), (2, 1, 0));
        }
        let request = CheckRequest { read_data: true, ..CheckRequest::default() };
        let checked = check::run(&world.open(), request, &Silent).expect("checked");
        assert!(checked.findings.is_empty(), "{:?}", checked.findings);
        world.unplug("primary");
        assert_restores(&world.open(), None, &[first, second], &world.path("restored"));
    }
}

#[test]
fn what_is_stored_is_what_one_destination_takes_also_after_each_was_cleaned() {
    let world = World::in_memory(&["a", "b"]);
    world.set_day(0);
    (0..30).for_each(|number| world.write(&number.to_string(), noise(200_000, number)));
    let first = world.backup().snapshot_id.expect("a snapshot").to_string();
    (0..10).for_each(|number| world.remove(&number.to_string()));
    world.set_day(1);
    world.backup();
    hand::forget(&mut world.open_to_write(), &[first], false).expect("forgotten");
    world.clean(0, 1);
    let status = world.open().status().expect("a status");
    let packs =
        |name| world.objects(name).into_iter().filter(|(path, _)| path.starts_with("packs/")).collect::<Vec<_>>();
    assert_ne!(packs("a"), packs("b"), "the same chunks, in packs of their own");
    assert_eq!(world.pack_bytes("a"), world.pack_bytes("b"));
    assert!(status.bytes_stored == world.pack_bytes("a") && status.bytes_unique < 5_000_000, "{status:?}");
}

/// A disk died, and another one has its name. What was on the old one alone is nowhere.
#[test]
fn what_was_on_a_disk_that_another_one_took_the_name_of_does_not_count() {
    let world = World::new(&["primary", "secondary"]);
    world.write("file", b"one");
    let both = world.backup().snapshot_id;
    world.unplug("secondary");
    world.write("file", b"two");
    let alone = world.backup().snapshot_id;
    world.plug("secondary");
    world.unplug("primary");
    let shown = || -> Vec<_> { world.open().snapshots().expect("readable").iter().map(|info| Some(info.id)).collect() };
    assert_eq!(shown(), [alone, both]);
    world.open_to_write().add_destination("primary", &world.path("new disk"), &Silent).expect("another disk");
    assert_eq!(shown(), [both]);
    let report = world.backup();
    assert!(report.destinations.iter().all(|outcome| outcome.snapshots_behind == 0), "{:?}", report.destinations);
}
