//! Sources that do not hold still: what cannot be read, is gone, or changes while it is read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cryptbackup::backup::{BackupReport, BackupRequest, Changed};
use cryptbackup::repo::LsEntry;
use cryptbackup::report::{ProblemKind, Silent};
use cryptbackup::restore::RestoreReport;
use cryptbackup::source::Changes;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::support::World;
use crate::support::hooks::Hook;
use crate::support::saved::{Saved, assert_restores, below, restore_snapshot};
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

/// Runs `test` where permission bits count, also when the tests run as root.
pub fn unprivileged<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut sets = capabilities(None).expect("what this thread may do");
            sets.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
            set_capabilities(None, sets).expect("a thread may give up what it may do");
            test()
        });
        thread.join().expect("the test itself")
    })
}

fn forbid(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("a mode");
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// Problems as kind and path below the source.
fn problems(world: &World, report: &BackupReport) -> Vec<(ProblemKind, PathBuf)> {
    let below = |path: &Path| path.strip_prefix(world.source()).unwrap_or(path).to_path_buf();
    report.problems.iter().map(|problem| (problem.kind, below(&problem.path))).collect()
}

/// Restores the newest snapshot; gives where the source is then.
fn restored(world: &World, name: &str) -> (RestoreReport, PathBuf) {
    let target = world.path(name);
    let report = restore_snapshot(&world.open(), "latest", None, &target);
    (report, below(&target, &world.source()))
}

/// Entries of the newest snapshot by path below the source.
pub fn listed(world: &World) -> Vec<(String, LsEntry)> {
    let repo = world.open();
    let id = repo.resolve_snapshot("latest").expect("a snapshot").id;
    let mut entries = Vec::new();
    let source = world.source();
    repo.list_folder(&id, Some(&source), true, &mut |entry| {
        let path = String::from_utf8_lossy(&entry.path).into_owned();
        let below = path.trim_start_matches(source.to_str().expect("UTF-8")).trim_start_matches('/').to_owned();
        entries.push((below, entry));
    })
    .expect("listed");
    entries
}

fn entry(world: &World, path: &str) -> LsEntry {
    listed(world).into_iter().find(|(below, _)| below == path).expect("an entry of that path").1
}

#[test]
fn what_cannot_be_read_keeps_its_previous_content_and_does_not_look_deleted() {
    let world = World::new(&["primary"]);
    world.write("file", b"first");
    world.write("folder/inside", b"inside");
    world.write("open", b"open");
    world.backup();
    world.write("file", b"second, longer");
    world.write("open", b"open and changed");
    world.write("new", b"never readable");
    for name in ["file", "folder", "new"] {
        forbid(&world.source().join(name));
    }
    let report = unprivileged(|| world.backup());
    let mut found = problems(&world, &report);
    found.sort_by(|left, right| left.1.cmp(&right.1));
    let expected = ["file", "folder", "new"].map(|name| (ProblemKind::Unreadable, PathBuf::from(name)));
    assert_eq!(found, expected);
    let snapshot = &world.open().snapshots().expect("snapshots")[0];
    assert_eq!(snapshot.roots[0].problems, 3);

    let (report, target) = restored(&world, "one");
    assert_eq!(report.problems.len(), 1, "what was never read cannot be restored: {:?}", report.problems);
    assert_eq!((report.problems[0].kind, &report.problems[0].path), (ProblemKind::NeverBackedUp, &target.join("new")));
    assert_eq!(fs::read(target.join("file")).unwrap(), b"first");
    assert_eq!(fs::read(target.join("folder/inside")).unwrap(), b"inside");
    assert_eq!(fs::read(target.join("open")).unwrap(), b"open and changed");
    assert!(!target.join("new").exists());
    assert_eq!((entry(&world, "file").flags, entry(&world, "file").size), (vec!["carried"], 5));
    assert_eq!(entry(&world, "new").flags, ["unread"]);
    let version = &world.open().versions(&world.source().join("file")).expect("versions")[0];
    assert!(version.current && !version.deleted_after && version.number == 1);
    let error = world.open().versions(&world.source().join("new")).expect_err("it has no content yet");
    assert!(matches!(error, cryptbackup::error::Error::NotFound { .. }), "{error:?}");

    for (name, mode) in [("file", 0o640), ("folder", 0o750), ("new", 0o600)] {
        allow(&world.source().join(name), mode);
    }
    let report = world.backup();
    assert_eq!(report.problems, []);
    assert_eq!(world.open().versions(&world.source().join("file")).expect("versions")[1].number, 2);
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
}

#[test]
fn a_file_that_opens_and_cannot_be_read_is_a_problem() {
    // Regular by its looks, and every read fails.
    let odd = Path::new("/sys/devices/virtual/net/lo/speed");
    if !odd.exists() || fs::read(odd).is_ok() {
        eprintln!("skipped: {} can be read or is not there", odd.display());
        return;
    }
    let world = World::new(&["primary"]);
    world.write("file", b"content");
    world.add_source(odd);
    let report = world.backup();
    assert_eq!(problems(&world, &report), [(ProblemKind::Unreadable, odd.to_path_buf())]);
    let (report, target) = restored(&world, "one");
    assert_eq!(fs::read(target.join("file")).unwrap(), b"content");
    assert_eq!(report.problems.len(), 1);
}

/// Files so that neither the scan nor the walk ahead of it has come to what sorts after `n` when the first bytes are
/// stored: a few of which each is a group of its own, without anything to read, and more than the walk is ahead.
fn keep_the_scan_busy(world: &World) {
    world.write("a", noise(6 << 20, 1));
    for number in 0..16 {
        let file = fs::File::create(world.source().join(format!("m{number:02}"))).expect("a file");
        file.set_len(4 << 20).expect("a hole");
    }
    for number in 0..1000 {
        world.write(&format!("n{number:03}"), b"");
    }
}

#[test]
fn what_vanishes_during_a_run_stands_in_its_previous_version() {
    let world = World::new(&["primary"]);
    keep_the_scan_busy(&world);
    world.write("z file", b"content");
    world.write("z folder/inside", b"inside");
    world.write("z pipe", b"will be a pipe");
    let saved = Saved::now(&world, &world.backup());
    world.write("a", noise(6 << 20, 2));
    world.write("z new", b"nobody sees this");
    let hook = Hook::after(1, || {
        world.remove("z file");
        world.remove("z new");
        fs::remove_dir_all(world.source().join("z folder")).expect("removed");
    });
    let report = world.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    let mut found = problems(&world, &report);
    found.sort_by(|left, right| left.1.cmp(&right.1));
    assert_eq!(found, ["z file", "z folder", "z new"].map(|name| (ProblemKind::Vanished, PathBuf::from(name))));
    let (_, target) = restored(&world, "one");
    assert_eq!(fs::read(target.join("z file")).unwrap(), b"content", "it may have been there when the run began");
    assert_eq!(fs::read(target.join("z folder/inside")).unwrap(), b"inside");
    assert!(!target.join("z new").exists());
    // The next run sees that they are gone.
    let report = world.backup();
    assert_eq!(report.problems, []);
    assert!(listed(&world).iter().all(|(path, _)| !path.starts_with("z f") && path != "z new"));
    assert_restores(&world.open(), None, &[saved, Saved::now(&world, &report)], &world.path("scratch"));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_stored_as_read_and_read_again() {
    type Change = fn(&Path);
    let append: Change = |path| {
        fs::File::options().append(true).open(path).unwrap().write_all(&noise(100_000, 9)).unwrap();
    };
    let truncate: Change = |path| fs::File::options().write(true).open(path).unwrap().set_len((9 << 20) + 5).unwrap();
    let rewrite: Change = |path| {
        use std::os::unix::fs::FileExt;
        fs::File::options().write(true).open(path).unwrap().write_all_at(b"other bytes", (14 << 20) + 7).unwrap();
    };
    let before = noise(14 << 20 | 1000, 1);
    for (name, change, len) in
        [("append", append, before.len()), ("truncate", truncate, (9 << 20) + 5), ("rewrite", rewrite, before.len())]
    {
        let world = World::new(&["primary"]);
        world.write("file", &before);
        let path = world.source().join("file");
        let hook = Hook::after(1, || change(&path));
        let report = world.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
        assert_eq!(problems(&world, &report), [(ProblemKind::ChangedWhileRead, PathBuf::from("file"))], "{name}");
        let stored = entry(&world, "file");
        assert_eq!((stored.size, stored.flags), (len as u64, vec!["unsettled"]), "{name}: the bytes that were stored");
        let (restored_report, target) = restored(&world, "one");
        assert_eq!(restored_report.problems, []);
        let content = fs::read(target.join("file")).unwrap();
        let same = 8 << 20;
        assert_eq!(content.len(), len);
        assert!(content[..same] == before[..same]);

        world.settle();
        let report = world.backup();
        assert_eq!((report.problems.len(), report.bytes_read), (0, fs::metadata(&path).unwrap().len()), "{name}");
        assert_eq!(entry(&world, "file").flags, [""; 0]);
        assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
    }
}

/// More names of attributes than the system tells of one entry (64 KiB), or none again. Says whether there can be so many.
fn attribute_names(path: &Path, are_there: bool) -> bool {
    (0..300).all(|number| {
        let name = format!("user.{number:0240}");
        let done = if are_there {
            rustix::fs::lsetxattr(path, name.as_str(), b"x", rustix::fs::XattrFlags::empty())
        } else {
            rustix::fs::lremovexattr(path, name.as_str())
        };
        done.is_ok()
    })
}

#[test]
fn attributes_that_could_not_be_read_are_looked_for_again_until_they_can_be() {
    let world = World::new(&["primary"]);
    world.write("a file", b"content");
    world.write("a folder/in it", b"content");
    let odd = ["a file", "a folder"].map(|name| world.source().join(name));
    let are_set = odd.iter().all(|path| attribute_names(path, true));
    if !are_set || rustix::fs::llistxattr(&odd[0], &mut vec![0; 1 << 20]).is_ok() {
        eprintln!("skipped: this file system has no entries with more attributes than it tells of");
        return;
    }
    world.settle();
    let expected = ["a file", "a folder"].map(|name| (ProblemKind::Unreadable, PathBuf::from(name)));
    for run in 0..3 {
        let mut told = problems(&world, &world.backup());
        told.sort_by(|left, right| left.1.cmp(&right.1));
        assert_eq!(told, expected, "run {run}");
        assert_eq!(entry(&world, "a file").flags, ["unsettled"], "run {run}");
        assert_eq!(entry(&world, "a folder").flags, ["unsettled"], "run {run}");
    }
    assert_eq!(world.open().versions(&odd[0]).expect("versions").len(), 1, "the content is the same");
    assert!(odd.iter().all(|path| attribute_names(path, false)));
    world.settle();
    let report = world.backup();
    assert_eq!(report.problems, []);
    assert_eq!(entry(&world, "a file").flags, [""; 0]);
    assert_eq!(entry(&world, "a folder").flags, [""; 0]);
    assert_eq!(world.backup().bytes_read, 0);
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
}

#[test]
fn problems_of_what_was_not_looked_at_again_still_count() {
    let world = World::new(&["primary"]);
    for name in ["a/no", "b/no", "c/yes"] {
        world.write(name, name);
    }
    let odd = ["a/no", "b/no"].map(|name| world.source().join(name));
    odd.iter().for_each(|path| forbid(path));
    world.settle();
    unprivileged(|| {
        let counted = || world.open().snapshots().expect("listed")[0].roots[0].problems;
        let first = world.backup();
        let since = first.snapshot_id.expect("a snapshot");
        assert_eq!((first.problems.len(), counted()), (2, 2));
        let run = |touched: &[&str], has_problems| {
            let mut changes = Changes::default();
            touched.iter().for_each(|path| changes.touch(path.as_bytes()));
            let sources = [(world.source(), changes)].into_iter().collect();
            let changed = Some(Changed { since, sources, has_problems });
            let report = world.backup_with(BackupRequest { changed, ..BackupRequest::default() });
            (report.problems.len(), counted())
        };
        world.write("c/yes", "another one");
        assert_eq!(run(&["c/yes"], false), (0, 2));
        allow(&odd[0], 0o644);
        assert_eq!(run(&["a/no"], false), (0, 1), "one can be read, nobody looked at the other");
        assert_eq!(run(&["b/no"], false), (1, 1), "it was looked at");
        // Who says that all that had a problem is among the changes knows that nothing else has one.
        let since = world.backup().snapshot_id.expect("a snapshot");
        assert_eq!(counted(), 1);
        let changed = Changed { since, sources: [(world.source(), Changes::default())].into(), has_problems: true };
        world.backup_with(BackupRequest { changed: Some(changed), ..BackupRequest::default() });
        assert_eq!(counted(), 0);
    });
}

#[test]
fn another_name_of_a_file_that_changed_since_it_was_read_is_told() {
    let world = World::new(&["primary"]);
    keep_the_scan_busy(&world);
    world.write("0", b"first content");
    fs::hard_link(world.source().join("0"), world.source().join("z other name")).expect("a link");
    world.write("a", noise(6 << 20, 1));
    let hook = Hook::after(1, || {
        let mut file = fs::File::options().append(true).open(world.source().join("0")).expect("a file");
        std::io::Write::write_all(&mut file, b", and more").expect("appended");
    });
    let report = world.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    let expected = [(ProblemKind::ChangedWhileRead, PathBuf::from("z other name"))];
    assert_eq!(problems(&world, &report), expected, "the first name was read before");
    assert_eq!(entry(&world, "z other name").flags, ["unsettled"]);
    world.settle();
    let report = world.backup();
    assert_eq!(report.problems, []);
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
}

/// A file is looked at, then waits to be read, and is replaced meanwhile: its other name still has the old content. Which
/// of the files are waiting at that moment is not known, so several are tried.
#[test]
fn another_name_of_a_file_that_was_replaced_before_it_was_read_does_not_get_its_content() {
    let world = World::new(&["primary"]);
    let path = |name: String| world.source().join(name);
    for number in 0..12 {
        world.write(&format!("a{number:02}"), noise(2_200_000, number));
        fs::hard_link(path(format!("a{number:02}")), path(format!("z{number:02}"))).expect("a link");
    }
    let hook = Hook::after(1, || {
        // Until the readers and the scan wait for the one that is here.
        std::thread::sleep(std::time::Duration::from_millis(300));
        for number in 0..12 {
            world.write("spare", noise(2_100_000, 100 + number));
            fs::rename(path("spare".to_owned()), path(format!("a{number:02}"))).expect("replaced");
        }
    });
    let report = world.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    assert!(hook.has_acted());
    let (_, target) = restored(&world, "one");
    let told = problems(&world, &report);
    for number in 0..12 {
        let name = format!("z{number:02}");
        let is_told = told.iter().any(|(_, path)| path.as_os_str() == name.as_str());
        let stored = fs::read(target.join(&name)).unwrap_or_default();
        assert!(is_told || stored == noise(2_200_000, number), "{name} has other content than it ever had");
    }
}

#[test]
fn hard_links_are_read_once_and_restored_as_links() {
    let world = World::new(&["primary"]);
    world.settle();
    world.write("one", noise(500_000, 1));
    fs::create_dir(world.source().join("sub")).unwrap();
    for name in ["sub/two", "three"] {
        fs::hard_link(world.source().join("one"), world.source().join(name)).unwrap();
    }
    world.settle();
    let report = world.backup();
    assert_eq!((report.files_new, report.bytes_read), (3, 500_000));
    let mut saved = vec![Saved::now(&world, &report)];
    // One name less, one more, and another content through one of them.
    world.remove("one");
    fs::hard_link(world.source().join("three"), world.source().join("sub/four")).unwrap();
    fs::File::options().append(true).open(world.source().join("sub/two")).unwrap().write_all(b"more").unwrap();
    world.settle();
    let report = world.backup();
    assert_eq!(report.bytes_read, 500_004);
    saved.push(Saved::now(&world, &report));
    let report = world.backup();
    assert_eq!((report.bytes_read, report.files_unmodified), (0, 3));
    assert_restores(&world.open(), None, &saved, &world.path("scratch"));
}

#[test]
fn what_is_trusted_of_a_file_that_looks_the_same() {
    let world = World::new(&["primary"]);
    world.write("file", noise(200_000, 1));
    world.settle();
    let path = world.source().join("file");
    world.backup();
    assert_eq!(world.backup().bytes_read, 0, "with ignore_ctime an old mtime is enough");

    // Only metadata: nothing is read, and they are restored all the same.
    allow(&path, 0o604);
    let report = world.backup();
    assert_eq!((report.bytes_read, report.files_unmodified), (0, 1));
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));

    // Another inode with the same times and size.
    let replace = || {
        let copy = world.source().join("copy");
        let times = fs::metadata(&path).unwrap();
        fs::copy(&path, &copy).unwrap();
        fs::File::options().write(true).open(&copy).unwrap().set_modified(times.modified().unwrap()).unwrap();
        fs::rename(&copy, &path).unwrap();
    };
    replace();
    assert_eq!(world.backup().bytes_read, 200_000, "another inode is another file");
    world.settings(|settings| settings.sources[0].ignore_inode = true);
    replace();
    let report = world.backup();
    assert_eq!(report.bytes_read, 0);
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));

    // A new time is a reason to look, and no new version.
    world.settle();
    fs::File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    let report = world.backup();
    assert_eq!((report.bytes_read, report.bytes_added > 30_000), (200_000, false));
    assert_eq!((report.files_changed, report.files_unmodified), (0, 1));
    assert_eq!((entry(&world, "file").version, entry(&world, "file").mtime.seconds), (1, 0));
    let snapshots = world.open().snapshots().unwrap().len();
    let versions = world.open().versions(&path).expect("versions");
    assert!(versions.len() == 1 && versions[0].current && snapshots == 6, "{versions:?}");
}

#[test]
fn without_ignore_ctime_an_unchanged_file_is_left_alone_after_two_seconds() {
    let world = World::new(&["primary"]);
    world.write("folder/file", noise(200_000, 1));
    let path = world.source().join("folder/file");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    world.backup();
    assert_eq!(world.backup().bytes_read, 0);
    allow(&path, fs::metadata(&path).unwrap().mode() & 0o777);
    let report = world.backup();
    assert_eq!((report.bytes_read, report.bytes_added), (200_000, report.bytes_added.min(20_000)), "its ctime is new");
    assert_eq!(world.backup().bytes_read, 200_000, "and too fresh to be trusted");
    assert_same(&tree(&world.source()), &tree(&restored(&world, "one").1));
}

#[test]
fn a_dry_run_says_what_would_be_read_and_writes_nothing() {
    let world = World::new(&["primary"]);
    world.write("file", noise(200_000, 1));
    world.settle();
    world.backup();
    world.write("new", noise(10_000, 2));
    let before = world.objects("primary");
    let report = world.backup_with(BackupRequest { dry_run: true, ..BackupRequest::default() });
    assert_eq!((report.files_new, report.files_unmodified, report.bytes_read), (1, 1, 10_000));
    assert!(report.dry_run && report.snapshot_id.is_none());
    assert_eq!(world.objects("primary"), before);
    let mut repo = world.open_to_write();
    let request = BackupRequest { sources: vec![world.path("elsewhere")], ..BackupRequest::default() };
    assert!(cryptbackup::backup::run(&mut repo, request, &Silent).is_err());
}
