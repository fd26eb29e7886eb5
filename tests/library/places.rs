//! What is at a destination's path: nothing, an empty mount point, another repository, a clone, a disk that is full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptbackup::backup::BackupRequest;
use cryptbackup::error::Error;
use cryptbackup::repo::{Added, DestinationState};
use cryptbackup::report::Silent;
use cryptbackup::sync::{self, SyncRequest};

use crate::support::World;
use crate::support::saved::{Saved, assert_restores};
use crate::support::world::{noise, outcome};

/// A small file system of its own, where this user may mount one.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(path: PathBuf, mib: u32) -> Option<Self> {
        fs::create_dir(&path).expect("the mount point");
        let size = format!("size={mib}m");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).output();
        match done {
            Ok(output) if output.status.success() => Some(Self(path)),
            _ => {
                eprintln!("skipped: no file system can be mounted here ({done:?})");
                None
            }
        }
    }

    fn resize(&self, mib: u32) {
        let size = format!("remount,size={mib}m");
        let status = Command::new("mount").args(["-o", &size]).arg(&self.0).status();
        assert!(status.expect("mount").success());
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // What stays mounted would keep the temporary folder; nothing else can be done about it here.
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn listing(path: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(path).into_iter().map(|entry| entry.expect("listed").into_path()).collect()
}

/// Backs up, synchronises and looks; whatever comes of it, `primary` takes part.
fn work(world: &World) {
    world.write("file", noise(50_000, 7));
    let report = world.backup();
    assert_eq!(report.copies, 1);
    assert!(!outcome(&report, "secondary").committed);
    world.sync();
    world.open().status().expect("how things stand");
}

#[test]
fn a_destination_that_is_not_there_is_never_created() {
    let world = World::new(&["primary", "secondary"]);
    world.backup();
    world.unplug("secondary");
    work(&world);
    assert!(!world.path("secondary").exists());
    let error = world.open_to_write().accept_destination("secondary", &Silent).expect_err("nothing is there");
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
    assert!(!world.path("secondary").exists());
    let mut repo = world.open_to_write();
    let error = repo.add_destination("third", &world.path("no/such/parent"), &Silent).expect_err("no parent");
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
    assert!(!world.path("no").exists());
    world.unplug("primary");
    drop(repo);
    let error = world.try_backup_with(BackupRequest::default(), &Silent).expect_err("no destination");
    assert!(matches!(error, Error::NoDestination { ref tried } if tried.len() == 2), "{error:?}");
    assert!(!world.path("primary").exists() && !world.path("secondary").exists());
}

#[test]
fn an_empty_mount_point_is_the_wrong_device_and_stays_empty() {
    let world = World::new(&["primary", "secondary"]);
    world.backup();
    world.unplug("secondary");
    fs::create_dir(world.path("secondary")).unwrap();
    work(&world);
    assert_eq!(listing(&world.path("secondary")).len(), 1, "nothing is written into it");
    let status = world.open().status().expect("how things stand");
    assert_eq!(status.destinations[1].state, DestinationState::WrongDevice);
    fs::remove_dir(world.path("secondary")).unwrap();
    world.plug("secondary");
    assert_eq!(world.backup().copies, 2);
}

/// As they do where each is mounted at the next free place.
#[test]
fn sticks_that_changed_places_are_known_and_one_at_the_place_of_another_too() {
    let world = World::new(&["primary", "secondary"]);
    world.write("file", b"one");
    world.backup();
    world.unplug("primary");
    fs::rename(world.path("secondary"), world.path("primary")).unwrap();
    fs::rename(world.path("primary.away"), world.path("secondary")).unwrap();
    world.write("file", b"two");
    let report = world.backup();
    assert_eq!(report.copies, 2);
    assert_eq!(outcome(&report, "primary").path, world.path("secondary"));
    assert!(world.sync().destinations.iter().all(|synced| synced.snapshots_behind == 0));
    assert_eq!(world.open().status().expect("how things stand").destinations[1].path, world.path("primary"));

    // The second one alone, where the first one used to be.
    world.unplug("secondary");
    world.write("file", b"three");
    let report = world.backup();
    assert_eq!((report.copies, outcome(&report, "secondary").committed), (1, true));
    let away = outcome(&report, "primary");
    assert_eq!((away.state, away.detail.as_deref()), (DestinationState::Absent, Some("[secondary] is at its place")));
    let saved = [Saved::now(&world, &report)];
    assert_restores(&world.open(), Some("secondary"), &saved, &world.path("scratch"));
    // Each where it was.
    fs::rename(world.path("primary"), world.path("secondary")).unwrap();
    fs::rename(world.path("secondary.away"), world.path("primary")).unwrap();
    let report = world.backup();
    assert_eq!((report.copies, &outcome(&report, "primary").path), (2, &world.path("primary")));
    world.unplug("secondary");
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

#[test]
fn a_folder_of_another_repository_is_refused_and_not_written_to() {
    let world = World::new(&["primary", "secondary"]);
    let stranger = World::new(&["theirs"]);
    stranger.write("file", b"theirs");
    stranger.backup();
    let theirs = listing(&stranger.path("theirs"));
    let mut repo = world.open_to_write();
    let error = repo.add_destination("third", &stranger.path("theirs"), &Silent).expect_err("it is another's");
    assert!(matches!(&error, Error::Config { detail, .. } if detail.contains("another repository")), "{error:?}");
    drop(repo);
    assert!(!world.settings_now().destinations.contains_key("third"));
    assert_eq!(listing(&stranger.path("theirs")), theirs);

    // And when it turns up at the path of one of ours.
    world.backup();
    world.unplug("secondary");
    fs::rename(stranger.path("theirs"), world.path("secondary")).unwrap();
    let before = world.objects("secondary");
    work(&world);
    assert_eq!(world.objects("secondary"), before);
    let status = world.open().status().expect("how things stand");
    assert_eq!(status.destinations[1].state, DestinationState::WrongDevice);
    let error = world.open_to_write().accept_destination("secondary", &Silent).expect_err("it is another's");
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
    assert_eq!(world.objects("secondary"), before);
}

#[test]
fn a_clone_gets_an_id_of_its_own() {
    let world = World::new(&["primary"]);
    world.write("file", noise(80_000, 1));
    let mut saved = vec![Saved::now(&world, &world.backup())];
    let copied = Command::new("cp").arg("-r").arg(world.path("primary")).arg(world.path("clone")).status();
    assert!(copied.expect("cp").success());
    let added = world.open_to_write().add_destination("clone", &world.path("clone"), &Silent).expect("taken up");
    assert_eq!(added, Added::TakenUp);
    let id = |name: &str| fs::read(world.path(name).join("dest.id")).expect("a mark");
    assert_ne!(id("primary"), id("clone"));
    let packs = world.pack_bytes("primary");
    assert_eq!(world.sync().destinations[1].packs_copied, 0, "it has everything already");
    world.write("file", noise(80_000, 2));
    let report = world.backup();
    assert_eq!(report.copies, 2);
    saved.push(Saved::now(&world, &report));
    assert!(world.pack_bytes("primary") > packs && world.pack_bytes("primary") == world.pack_bytes("clone"));
    world.unplug("primary");
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

/// With an id of its own it would be the wrong device at the path that it has in the settings.
#[test]
fn one_folder_is_no_copy_of_itself_and_what_may_have_moved_is_none_either() {
    let world = World::new(&["primary"]);
    world.write("file", noise(80_000, 1));
    let saved = [Saved::now(&world, &world.backup())];
    let mark = fs::read(world.path("primary/dest.id")).expect("a mark");
    std::os::unix::fs::symlink(world.path("primary"), world.path("link")).expect("a link");
    let add = |name: &str| world.open_to_write().add_destination("other", &world.path(name), &Silent);
    let sentence = |result: Result<Added, Error>| match result {
        Err(Error::Config { key, detail }) if key == "destinations.other" => detail,
        other => panic!("{other:?}"),
    };
    assert!(sentence(add("link")).contains("is the destination `primary` already"));
    // The disk is mounted elsewhere now, or the original of a copy is not plugged in: nobody here can tell.
    fs::rename(world.path("primary"), world.path("moved")).expect("moved");
    let refused = sentence(add("moved"));
    assert!(refused.contains("or a copy of it, and nothing of it is at"), "{refused}");
    assert_eq!(fs::read(world.path("moved/dest.id")).expect("a mark"), mark);
    assert!(!world.settings_now().destinations.contains_key("other"));
    // Under its own name it is taken up where it is.
    let moved = world.open_to_write().add_destination("primary", &world.path("moved"), &Silent);
    assert_eq!(moved.expect("taken up"), Added::TakenUp);
    assert_eq!(fs::read(world.path("moved/dest.id")).expect("a mark"), mark);
    // And where its name was taken out by hand, under another.
    world.settings(|settings| settings.destinations.remove("primary").map(drop).expect("it was there"));
    assert_eq!(add("moved").expect("taken up"), Added::TakenUp);
    assert_eq!(fs::read(world.path("moved/dest.id")).expect("a mark"), mark);
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

#[test]
fn too_few_copies_fail_and_a_later_run_succeeds() {
    let world = World::new(&["primary"]);
    world.settings(|settings| settings.min_copies = 2);
    world.write("file", noise(80_000, 1));
    let error = world.try_backup_with(BackupRequest::default(), &Silent).expect_err("one copy is too few");
    assert!(matches!(error, Error::TooFewCopies { committed: 1, wanted: 2, .. }), "{error:?}");
    world.add_destination("secondary");
    let report = world.backup();
    assert_eq!(report.copies, 2);
    assert!(report.destinations.iter().all(|one| one.snapshots_behind == 0));
    let saved = [Saved::now(&world, &report)];
    for name in ["primary", "secondary"] {
        assert_restores(&world.open(), Some(name), &saved, &world.path("scratch"));
    }
}

#[test]
fn a_disk_that_is_full_ends_the_run_and_the_next_one_needs_no_repair() {
    let world = World::new(&[]);
    let Some(disk) = Tmpfs::mount(world.path("small"), 12) else { return };
    world.add_destination("small");
    world.write("a/first", noise(100_000, 1));
    let mut saved = vec![Saved::now(&world, &world.backup())];
    for number in 0..12 {
        world.write(&format!("b/{number}"), noise(4 << 20, 2 + number));
    }
    for _ in 0..2 {
        let error = world.try_backup_with(BackupRequest::default(), &Silent).expect_err("it does not fit");
        let Error::TooFewCopies { committed: 0, reasons, .. } = &error else { panic!("{error:?}") };
        assert!(reasons.len() == 1 && reasons[0].0 == "small", "{reasons:?}");
        assert!(reasons[0].1.contains("space"), "the reason is said: {reasons:?}");
        assert_restores(&world.open(), None, &saved, &world.path("scratch"));
    }
    disk.resize(80);
    let report = world.backup();
    assert_eq!((report.copies, report.problems.len()), (1, 0));
    saved.push(Saved::now(&world, &report));
    assert!(world.pack_bytes("small") < (48 << 20) + (17 << 20), "what did fit is not stored again");
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

#[test]
fn a_disk_that_is_full_does_not_keep_the_others() {
    let world = World::new(&["roomy"]);
    let Some(disk) = Tmpfs::mount(world.path("small"), 24) else { return };
    world.add_destination("small");
    for number in 0..9 {
        world.write(&format!("b/{number}"), noise(4 << 20, 2 + number));
    }
    let report = world.backup();
    let saved = [Saved::now(&world, &report)];
    assert!(outcome(&report, "roomy").committed);
    let small = outcome(&report, "small");
    assert_eq!((small.committed, small.state, small.snapshots_behind), (false, DestinationState::Full, 1));
    let synced = sync::run(&mut world.open_to_write(), SyncRequest::default(), &Silent).expect("the other one is fine");
    assert_eq!((synced.destinations[1].state, synced.destinations[1].snapshots_behind), (DestinationState::Full, 1));
    disk.resize(80);
    let report = world.backup();
    assert_eq!(report.copies, 2);
    assert_eq!(outcome(&report, "small").snapshots_behind, 0);
    world.unplug("roomy");
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}
