//! Runs after the first: little is stored for a small change, nothing twice after an interruption, readers go on.

use std::fs;

use cryptbackup::backup::BackupRequest;
use cryptbackup::error::Error;

use crate::support::World;
use crate::support::hooks::{Hook, Stop};
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

#[test]
fn a_byte_at_the_front_of_a_large_file_adds_little() {
    let world = World::new(&["primary"]);
    let mut content = noise(48 << 20, 1);
    world.write("large", &content);
    world.backup();
    let before = world.pack_bytes("primary");
    content.insert(0, b'x');
    world.write("large", &content);
    let report = world.backup();
    assert_eq!(report.files_changed, 1);
    // The first chunk is new, and where it is cut depends on the key of the repository: every run has another one. It
    // can be that a forced cut at the largest length moves too, and then the next chunks with it.
    assert!(report.bytes_added < 2_000_000, "{} bytes were added", report.bytes_added);
    assert!(world.pack_bytes("primary") - before < 2_000_000);
}

#[test]
fn an_interrupted_run_leaves_packs_that_the_next_one_uses() {
    let world = World::new(&["primary"]);
    for number in 0..40 {
        world.write(&format!("file{number}"), noise(1 << 20, number));
    }
    let stopped = world.try_backup_with(BackupRequest::default(), &Stop::after(30 << 20));
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    assert!(world.objects("primary").iter().all(|(path, _)| !path.starts_with("snaps/")), "nothing is committed");
    let report = world.backup();
    assert_eq!(report.problems, []);
    assert!(report.bytes_added < 30 << 20, "{} bytes were stored again", report.bytes_added);
    let target = world.path("restored");
    crate::restore::restore(&world, crate::restore::to(&world, &target));
    assert_same(&tree(&world.source()), &tree(&target));
}

#[test]
fn readers_go_on_while_a_backup_runs() {
    let world = World::new(&["primary"]);
    world.write("first", b"first");
    world.backup();
    for number in 0..20 {
        world.write(&format!("file{number}"), noise(1 << 20, number));
    }
    let target = world.path("restored meanwhile");
    let hook = Hook::after(1 << 20, || {
        let repo = world.open();
        assert_eq!(repo.snapshots().expect("readable").len(), 1);
        crate::restore::restore(&world, crate::restore::to(&world, &target));
        assert_eq!(fs::read(target.join("first")).expect("restored"), b"first");
    });
    let report = world.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    assert_eq!((report.files_new, report.problems.len()), (20, 0));
    assert!(target.exists(), "the reader ran in the middle");
}

/// What looks the same is held back up to a bound, and told by its sum where it is so to its end.
#[test]
fn folders_that_stay_the_same_are_counted_and_what_differs_late_keeps_its_place() {
    let world = World::new(&["primary"]);
    for number in 0..5000 {
        world.write(&format!("a/many/{number:04}"), number.to_string());
    }
    for number in 0..20 {
        world.write(&format!("a/few/in/{number}"), b"inner");
        world.write(&format!("b/{number}/file"), b"other");
    }
    world.write("b/zz/last", b"before");
    std::fs::hard_link(world.source().join("b/5/file"), world.source().join("b/6/second name")).expect("a link");
    world.backup();
    std::thread::sleep(std::time::Duration::from_millis(2200));
    let settled = world.backup();
    let again = world.backup();
    assert_eq!((again.files_unmodified, again.files_changed, again.files_new), (5042, 0, 0));
    assert_eq!((again.folders, again.bytes_read), (settled.folders, 0));
    world.write("b/zz/last", b"after");
    world.write("b/zz/new", b"new");
    let changed = world.backup();
    assert_eq!((changed.files_unmodified, changed.files_changed, changed.files_new), (5041, 1, 1));
    assert_eq!((changed.folders, changed.bytes_read), (again.folders, 8));
    let target = world.path("restored");
    crate::restore::restore(&world, crate::restore::to(&world, &target));
    assert_same(&tree(&world.source()), &tree(&target));
}
