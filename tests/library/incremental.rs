//! Runs after the first: little is stored for a small change, nothing twice after an interruption, readers go on.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use cryptbackup::backup::BackupRequest;
use cryptbackup::error::Error;
use cryptbackup::format::header::RepoHeader;
use cryptbackup::index::{Index, SnapshotRow};

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

/// A place where nothing may be deleted or replaced is good enough for everything but cleaning.
#[test]
fn backups_take_nothing_away_and_replace_nothing() {
    let world = World::new(&["primary", "secondary"]);
    // Name, inode and content: what is replaced by the same is another file.
    let files = || {
        let mut all = BTreeMap::new();
        for name in ["primary", "secondary"] {
            for (path, _) in world.objects(name) {
                let path = world.path(name).join(path);
                let inode = fs::metadata(&path).expect("a look").ino();
                all.insert(path.clone(), (inode, fs::read(path).expect("readable")));
            }
        }
        all
    };
    let mut before = files();
    for run in 0..4 {
        world.write("changes", noise(300_000, run));
        world.write(&format!("new {run}"), noise(1000, 100 + run));
        match run {
            // One that was away catches up.
            1 => world.unplug("secondary"),
            2 => world.forget_index(),
            _ => {}
        }
        let kept = if run == 1 { BTreeMap::new() } else { before };
        world.backup();
        if run == 1 {
            world.plug("secondary");
        }
        let after = files();
        for (path, file) in &kept {
            assert!(after.get(path) == Some(file), "{} was changed or is gone after run {run}", path.display());
        }
        before = after;
    }
}

/// Damage of the index that shows only when a row is read.
#[test]
fn an_index_with_a_row_that_means_nothing_is_made_anew() {
    let world = World::new(&["primary"]);
    world.write("file", noise(100_000, 1));
    let id = world.backup().snapshot_id.expect("a snapshot");
    let header = RepoHeader::decode(&fs::read(world.path("primary/cryptbackup.repo")).expect("there")).expect("whole");
    {
        let index = Index::open(&world.home.index_path(), header.repo, 96 << 20).expect("the index");
        let mut writer = index.writer().expect("a writer");
        let record = vec![0xFF; 40];
        let row =
            SnapshotRow { committed: 1, whole: 1, seen: 1, is_counted: true, record: record.clone(), stored: record };
        writer.put_snapshot(&id, &row).expect("put");
        writer.commit().expect("committed");
    }
    assert_eq!(world.open().snapshots().expect("known again").len(), 1);
    let aside = fs::read_dir(world.home.path()).expect("listed").filter(|entry| {
        let name = entry.as_ref().expect("listed").file_name();
        name.to_string_lossy().starts_with("backups.db.broken-")
    });
    assert_eq!(aside.count(), 1, "the damaged one is kept beside it");
    let report = world.backup();
    assert_eq!((report.problems.len(), report.bytes_added), (0, 0));
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
