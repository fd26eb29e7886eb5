//! Single calls that fail: what stays on the disk, and what the caller is told.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use rustix::io::Errno;

use super::faulty_disk::{FaultyDisk, Log};
use super::{create, header, leftovers, mark, new_destination, pack, temporary_folder};
use crate::destination::{
    Destination, DestinationErrorKind, LocalDestination, OpenError, Proof, Put, Settle, conformance,
};
use crate::format::layout::{ObjectKind, ObjectName};

/// The destination at `root`, on a disk that obeys `rule`.
fn open_with(
    root: &Path,
    rule: impl Fn(&str, &str) -> io::Result<()> + Send + Sync + 'static,
) -> (LocalDestination, Log) {
    let disk = FaultyDisk::open(root, rule);
    let log = disk.log();
    let place = root.display().to_string();
    (LocalDestination::open_on(Box::new(disk), &place, Some(&mark())).expect("opens"), log)
}

fn fail(errno: Errno) -> io::Result<()> {
    Err(errno.into())
}

fn not_offered() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[test]
fn a_failed_write_or_rename_leaves_nothing_and_says_why() {
    let (_above, root, whole) = new_destination();
    for (failing, errno, kind) in [
        ("write_new", Errno::IO, DestinationErrorKind::Offline),
        ("write_new", Errno::NOSPC, DestinationErrorKind::Full),
        ("write_new", Errno::DQUOT, DestinationErrorKind::Full),
        ("write_new", Errno::ROFS, DestinationErrorKind::ReadOnly),
        ("rename_new", Errno::IO, DestinationErrorKind::Offline),
        ("rename_new", Errno::ACCESS, DestinationErrorKind::Denied),
        ("rename", Errno::NODEV, DestinationErrorKind::Offline),
        ("look", Errno::STALE, DestinationErrorKind::Offline),
    ] {
        let (broken, _) = open_with(&root, move |call, _| if call == failing { fail(errno) } else { Ok(()) });
        let result = if failing == "rename" {
            broken.replace(&pack(b"new"), b"new")
        } else {
            broken.put(&pack(b"new"), b"new").map(|_| ())
        };
        let error = result.expect_err("a failed call is an error");
        assert_eq!(error.kind, kind, "{failing}: {error}");
        assert!(leftovers(&root).is_empty(), "{failing}: nothing is left in tmp");
        let absent = whole.get(&pack(b"new"), None).expect_err("a file whose sync failed is lost");
        assert_eq!(absent.kind, DestinationErrorKind::Absent);
    }
}

#[test]
fn a_failed_replace_keeps_the_old_bytes() {
    let (_above, root, whole) = new_destination();
    whole.put(&pack(b"right"), b"wrong").expect("put");
    for failing in ["write_new", "rename"] {
        let (broken, _) = open_with(&root, move |call, _| if call == failing { fail(Errno::IO) } else { Ok(()) });
        broken.replace(&pack(b"right"), b"right").expect_err("fails");
        assert_eq!(whole.get(&pack(b"right"), None).expect("is there"), b"wrong");
        assert!(leftovers(&root).is_empty());
    }
}

#[test]
fn without_a_refusing_rename_a_second_name_does_the_same() {
    let above = temporary_folder();
    let made = std::cell::Cell::new(0);
    conformance::check(&|| {
        made.set(made.get() + 1);
        let root = above.path().join(made.get().to_string());
        create(&root);
        Box::new(open_with(&root, |call, _| if call == "rename_new" { not_offered() } else { Ok(()) }).0)
    });
}

#[test]
fn a_second_name_takes_the_place_of_the_first() {
    let (_above, root, _) = new_destination();
    let (linking, _) = open_with(&root, |call, _| if call == "rename_new" { not_offered() } else { Ok(()) });
    assert_eq!(linking.put(&pack(b"new"), b"new").expect("put"), Put::Written);
    assert_eq!(linking.get(&pack(b"new"), None).expect("get"), b"new");
    assert!(leftovers(&root).is_empty(), "the first name is gone");
}

#[test]
fn without_links_it_is_looked_before_renaming() {
    let (_above, root, whole) = new_destination();
    for errno in [Errno::PERM, Errno::OPNOTSUPP, Errno::MLINK] {
        let (simple, log) = open_with(&root, move |call, _| match call {
            "rename_new" => not_offered(),
            "link" => fail(errno),
            _ => Ok(()),
        });
        log.take();
        assert_eq!(simple.put(&pack(b"new"), b"new").expect("put"), Put::Written);
        assert!(log.take().iter().any(|call| call.starts_with("rename packs/")), "this is the way it went");
        assert_eq!(simple.put(&pack(b"new"), b"new").expect("put"), Put::Present);
        whole.delete(&pack(b"new")).expect("delete");

        // Somebody puts other bytes between the first look and the rename.
        let path = root.join(pack(b"new").path());
        let (raced, _) = open_with(&root, move |call, _| match call {
            "rename_new" => not_offered(),
            "link" => std::fs::write(&path, b"old").and_then(|()| fail(errno)),
            _ => Ok(()),
        });
        let error = raced.put(&pack(b"new"), b"new").expect_err("other bytes are there");
        assert_eq!(error.kind, DestinationErrorKind::Damaged, "{error}");
        assert_eq!(whole.get(&pack(b"new"), None).expect("is there"), b"old", "never overwritten");
        assert!(leftovers(&root).is_empty());
        whole.delete(&pack(b"new")).expect("delete");
    }
}

#[test]
fn bytes_come_before_the_name_and_names_are_synced_by_folder() {
    let (_above, root, _) = new_destination();
    let (traced, log) = open_with(&root, |_, _| Ok(()));
    let name = pack(b"new");
    log.take();
    traced.put(&name, b"new").expect("put");
    let calls: Vec<String> = log.take().iter().map(|call| call.split(' ').next().unwrap_or("").to_owned()).collect();
    assert_eq!(calls, ["look", "write_new", "rename_new"]);

    let folder = [format!("sync_folder packs/{}", &name.hash().expect("has one").to_string()[..2])];
    let settled = |scope: Settle| {
        log.take();
        traced.settle(scope).expect("settle");
        log.take()
    };
    assert_eq!(settled(Settle::Touched), folder, "put");
    assert!(settled(Settle::Touched).is_empty(), "nothing was touched since");
    assert_eq!(traced.put(&name, b"new").expect("put"), Put::Present);
    assert_eq!(settled(Settle::Touched), folder, "whoever put it may not have settled it");
    traced.replace(&name, b"new").expect("replace");
    assert_eq!(settled(Settle::Touched), folder, "replaced");
    traced.delete(&name).expect("delete");
    assert_eq!(settled(Settle::Touched), folder, "deleted");
    traced.replace(&ObjectName::Reserve, b"").expect("replace");
    assert_eq!(settled(Settle::Touched), ["sync_folder "], "the root is a folder, too");

    traced.put(&name, b"new").expect("put");
    let all = settled(Settle::Everything);
    assert_eq!(all.len(), 1 + 7 + 4 * 256);
    for folder in ["sync_folder ", "sync_folder keys", "sync_folder packs", "sync_folder snaps/ff"] {
        assert!(all.iter().any(|call| call == folder), "{folder:?}");
    }
    assert!(settled(Settle::Touched).is_empty(), "everything includes what was touched");
}

#[test]
fn folders_that_cannot_be_synced_make_it_weak() {
    let (_above, root, whole) = new_destination();
    assert!(!whole.is_weak());
    let (weak, _) = open_with(&root, |call, _| if call == "sync_folder" { not_offered() } else { Ok(()) });
    weak.put(&pack(b"a"), b"a").expect("put");
    weak.settle(Settle::Touched).expect("that is no error");
    assert!(weak.is_weak());
}

#[test]
fn a_failed_sync_of_names_is_final() {
    let (_above, root, _) = new_destination();
    let fails = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&fails);
    let (lost, _) = open_with(&root, move |call, _| {
        if call == "sync_folder" && switch.load(Ordering::Relaxed) { fail(Errno::IO) } else { Ok(()) }
    });
    lost.put(&pack(b"b"), b"b").expect("put");
    let first = lost.settle(Settle::Touched).expect_err("a failed sync is an error");
    assert_eq!(first.kind, DestinationErrorKind::Offline);
    assert!(!lost.is_weak());
    fails.store(false, Ordering::Relaxed);
    assert_eq!(lost.settle(Settle::Touched), Err(first.clone()), "the disk's second answer is not asked for");
    assert_eq!(lost.settle(Settle::Everything), Err(first));
}

/// The system says once that names were lost, and whoever lists the folder finds them: so they are given anew, to new
/// files, and the folder is synced once more. What is damaged is not copied.
#[test]
fn what_a_failed_sync_of_names_may_have_lost_is_written_anew() {
    let (_above, root, _) = new_destination();
    for (bytes, is_rotten, fails, is_made_good) in
        [(&b"whole"[..], false, 1, true), (&b"rotten"[..], true, 1, true), (&b"fails again"[..], false, 2, false)]
    {
        let left = AtomicUsize::new(fails);
        let (place, log) = open_with(&root, move |call, _| {
            let is_hit = call == "sync_folder"
                && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
            if is_hit { fail(Errno::IO) } else { Ok(()) }
        });
        let name = pack(bytes);
        place.put(&name, bytes).expect("put");
        let path = root.join(name.path());
        if is_rotten {
            std::fs::write(&path, b"rotted").expect("changed");
        }
        let inode = || std::fs::metadata(&path).expect("is there").ino();
        let before = inode();
        log.take();
        let error = place.settle(Settle::Touched).expect_err("a failed sync is an error");
        let calls = log.take();
        assert_eq!(inode() != before, !is_rotten, "{error}");
        assert_eq!(calls.iter().filter(|call| call.starts_with("sync_folder")).count(), 2, "{calls:?}");
        assert_eq!(error.reason.contains("may be lost"), !is_made_good, "{error}");
        let found = place.get(&name, None).expect("is there");
        assert_eq!(found, if is_rotten { b"rotted" } else { bytes });
        assert!(leftovers(&root).is_empty());
    }
}

/// A folder whose name may be lost with the power must not be found by anyone: what is put into it is lost with it.
#[test]
fn folders_that_were_mended_and_not_synced_are_taken_back() {
    let (_above, root, whole) = new_destination();
    whole.put(&pack(b"kept"), b"kept").expect("put");
    let empty = root.join("packs/00");
    std::fs::remove_dir(&empty).expect("nothing is in it");
    let disk = FaultyDisk::open(&root, |call, path| match (call, path) {
        ("sync_folder", "packs") => fail(Errno::IO),
        _ => Ok(()),
    });
    LocalDestination::mend_on(Box::new(disk), "mended", &mark(), &header(), Proof::Identity)
        .expect_err("a failed sync is an error");
    assert!(!empty.exists());
    let (mended, count) = LocalDestination::mend(&root, &mark(), &header()).expect("mends");
    assert_eq!((count, empty.exists()), (1, true));
    assert_eq!(mended.get(&pack(b"kept"), None).expect("untouched"), b"kept");
}

#[test]
fn settling_waits_for_another_thread_that_settles() {
    let (_above, root, _) = new_destination();
    let (entered, has_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let (shared, _) = open_with(&root, move |call, _| {
        if call == "sync_folder" {
            entered.send(()).expect("the test listens");
            released.lock().expect("no panic").recv().expect("the test releases");
        }
        Ok(())
    });
    shared.put(&pack(b"a"), b"a").expect("put");
    std::thread::scope(|threads| {
        threads.spawn(|| shared.settle(Settle::Touched).expect("settle"));
        has_entered.recv().expect("the first is syncing");
        let (done, is_done) = mpsc::channel();
        let second = &shared;
        threads.spawn(move || {
            second.settle(Settle::Touched).expect("settle");
            done.send(()).expect("the test listens");
        });
        let early = is_done.recv_timeout(Duration::from_millis(100));
        release.send(()).expect("the first waits");
        assert!(early.is_err(), "the second must not promise what the first has not done yet");
        is_done.recv().expect("and then it returns");
    });
}

#[test]
fn a_bad_sector_is_damage_and_a_dead_disk_is_gone() {
    let (_above, root, whole) = new_destination();
    whole.put(&pack(b"a"), b"a").expect("put");
    for only_objects in [true, false] {
        let armed = Arc::new(AtomicBool::new(false));
        let switch = Arc::clone(&armed);
        let (bad, _) = open_with(&root, move |call, path| {
            let hit = call == "read" && (!only_objects || path.starts_with("packs/"));
            if hit && switch.load(Ordering::Relaxed) { fail(Errno::IO) } else { Ok(()) }
        });
        armed.store(true, Ordering::Relaxed);
        let kind = if only_objects { DestinationErrorKind::Damaged } else { DestinationErrorKind::Offline };
        assert_eq!(bad.get(&pack(b"a"), None).expect_err("cannot be read").kind, kind);
        assert_eq!(bad.put(&pack(b"a"), b"a").expect_err("cannot be compared").kind, kind);
        assert_eq!(bad.check_place().is_ok(), only_objects);
    }
}

#[test]
fn a_bad_sector_under_the_mark_or_the_header_is_damage_too() {
    let (_above, root, _) = new_destination();
    for (hit, object) in [("dest.id", ObjectName::DestinationMark), ("cryptbackup.repo", ObjectName::Header)] {
        let disk = FaultyDisk::open(&root, move |_, path| if path == hit { fail(Errno::IO) } else { Ok(()) });
        match LocalDestination::open_on(Box::new(disk), "bad", Some(&mark())) {
            Err(OpenError::Damaged(found)) => assert_eq!(found.object, object),
            other => panic!("{hit}: {other:?}"),
        }
    }
    let disk = FaultyDisk::open(&root, |call, _| if call == "read" { fail(Errno::ACCESS) } else { Ok(()) });
    assert!(matches!(LocalDestination::open_on(Box::new(disk), "private", None), Err(OpenError::Denied { .. })));
    let disk = FaultyDisk::open(&root, |call, _| if call == "read" { fail(Errno::IO) } else { Ok(()) });
    match LocalDestination::open_on(Box::new(disk), "dead", Some(&mark())) {
        Err(OpenError::Io(error)) => assert_eq!(error.kind, DestinationErrorKind::Offline),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_listing_that_fails_is_an_error() {
    let (_above, root, _) = new_destination();
    let (broken, _) = open_with(&root, |call, path| match (call, path) {
        ("list", "packs/80") => fail(Errno::IO),
        _ => Ok(()),
    });
    let error = broken.list(ObjectKind::Packs, None, &mut |_, _| ()).expect_err("a part cannot be listed");
    assert_eq!(error.kind, DestinationErrorKind::Damaged);
    broken.list(ObjectKind::Packs, Some(0x81), &mut |_, _| ()).expect("another part can");
    broken.list(ObjectKind::Snapshots, None, &mut |_, _| ()).expect("another kind can");
    let is_gone = Arc::new(AtomicBool::new(false));
    let happens = Arc::clone(&is_gone);
    let (gone, _) =
        open_with(&root, move |_, _| if happens.load(Ordering::Relaxed) { fail(Errno::IO) } else { Ok(()) });
    is_gone.store(true, Ordering::Relaxed);
    let error = gone.list(ObjectKind::Packs, None, &mut |_, _| ()).expect_err("nothing can be listed");
    assert_eq!(error.kind, DestinationErrorKind::Offline);
}

#[test]
fn a_missing_tmp_is_made_again_and_a_missing_folder_is_damage() {
    let (_above, root, whole) = new_destination();
    std::fs::remove_dir(root.join("tmp")).expect("somebody tidies up");
    whole.put(&pack(b"a"), b"a").expect("put");
    let path = root.join(pack(b"b").path());
    std::fs::remove_dir(path.parent().expect("has a folder")).expect("goes");
    let error = whole.put(&pack(b"b"), b"b").expect_err("its folder is missing");
    assert_eq!(error.kind, DestinationErrorKind::Damaged, "{error}");
    assert!(leftovers(&root).is_empty());
    let error = whole.list(ObjectKind::Packs, None, &mut |_, _| ()).expect_err("a folder is missing");
    assert_eq!(error.kind, DestinationErrorKind::Damaged, "{error}");
    assert_eq!(whole.get(&pack(b"b"), None).expect_err("it is not there").kind, DestinationErrorKind::Absent);
    whole.delete(&pack(b"b")).expect("deleting nothing succeeds");
}
