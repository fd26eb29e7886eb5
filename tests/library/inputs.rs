//! What is read besides what changed in folders: lists of files, samples of what looks unchanged, streams.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use cryptbackup::backup::stream::{self, StreamRequest};
use cryptbackup::backup::{self, BackupReport, BackupRequest, FileList, smart};
use cryptbackup::error::Error;
use cryptbackup::repo::{self, Home};
use cryptbackup::report::{Monitor, ProblemKind, Silent};
use cryptbackup::restore::{self, RestoreRequest, What, When};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use crate::restore::{restore, to};
use crate::support::World;
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

fn listed(world: &World, names: &[&str]) -> BackupRequest {
    let files: FileList = names.iter().map(|name| world.source().join(name)).collect();
    BackupRequest { files: Some(files), ..BackupRequest::default() }
}

/// What a restore of the whole source gives of one file.
fn restored(world: &World, target: &str, name: &str) -> Option<Vec<u8>> {
    let target = world.path(target);
    if !target.exists() {
        restore(world, to(world, &target));
    }
    fs::read(target.join(name)).ok()
}

fn version(world: &World, name: &Path, number: u32) -> Vec<u8> {
    let target = world.path(&format!("version {number}"));
    let request = RestoreRequest {
        when: When::Version(number),
        destination: Some(target.clone()),
        ..RestoreRequest::new(What::File(name.to_owned()))
    };
    restore(world, request);
    let content = fs::read(&target).expect("restored");
    fs::remove_file(&target).expect("ours");
    content
}

#[test]
fn what_cannot_be_a_tag_is_refused_before_anything_is_read_or_written() {
    let world = World::in_memory(&["a"]);
    world.write("one", "one");
    let before = world.objects("a");
    for tag in [String::new(), "x".repeat(4_097)] {
        let mut repo = world.open_to_write();
        let tags = vec!["good".to_owned(), tag];
        let request = BackupRequest { tags: tags.clone(), ..BackupRequest::default() };
        let stream = StreamRequest { name: world.path("dump"), tags, no_sync: false, force: false };
        let refused = [
            backup::run(&mut repo, request.clone(), &Silent).map(drop),
            backup::run(&mut repo, BackupRequest { dry_run: true, ..request.clone() }, &Silent).map(drop),
            smart::plan(&repo, &request, &Silent).map(drop),
            stream::run(&mut repo, stream, Box::new(io::empty()), &Silent).map(drop),
        ];
        for refused in refused {
            assert!(matches!(&refused, Err(Error::Usage(why)) if why == "a tag has 1 to 4096 bytes"), "{refused:?}");
        }
    }
    assert_eq!(world.objects("a"), before);
    let tags = vec!["x".repeat(4_096)];
    world.backup_with(BackupRequest { tags: tags.clone(), ..BackupRequest::default() });
    assert_eq!(world.open().snapshots().expect("listed")[0].tags, tags);
}

#[test]
fn of_a_list_only_the_files_in_it_are_read() {
    let world = World::in_memory(&["a", "b"]);
    for name in ["one", "two", "folder/three", "folder/four"] {
        world.write(name, format!("first {name}"));
    }
    world.settle();
    world.backup();
    for name in ["one", "two", "folder/three", "folder/four", "new", "folder/new"] {
        world.write(name, format!("second {name}"));
    }
    world.remove("two");
    world.write("two", "second two");
    let report = world.backup_with(listed(&world, &["one", "folder"]));
    assert_eq!((report.files_changed, report.files_new, report.problems.len()), (3, 1, 0));
    assert_eq!(restored(&world, "out", "one"), Some(b"second one".to_vec()));
    assert_eq!(restored(&world, "out", "folder/new"), Some(b"second folder/new".to_vec()));
    assert_eq!(restored(&world, "out", "two"), Some(b"first two".to_vec()), "as the last snapshot has it");
    assert_eq!(restored(&world, "out", "new"), None, "not there yet");
    let snapshots = world.open().snapshots().expect("listed");
    assert_eq!((snapshots[0].is_chosen, snapshots[0].is_partial, snapshots.len()), (true, false, 2));
    // It is no backup of the source as a whole.
    let status = world.open().status().expect("a status");
    assert_eq!(status.sources[0].last_read, Some(snapshots[1].time));

    // The rest, by the next whole one; what was stored for the list stays a version of its own.
    world.write("one", "third one");
    let report = world.backup();
    assert_eq!((report.files_changed, report.files_new), (2, 1));
    restore(&world, to(&world, &world.path("whole")));
    assert_same(&tree(&world.path("whole")), &tree(&world.source()));
    world.clean(30, 10);
    let snapshots = world.open().snapshots().expect("listed");
    assert_eq!(snapshots.iter().filter(|snapshot| snapshot.is_chosen).count(), 1);
    assert_eq!(version(&world, &world.source().join("one"), 2), b"second one");
}

#[test]
fn what_a_list_names_and_a_rule_leaves_out_is_told() {
    let world = World::in_memory(&["a"]);
    for name in ["kept", "left.tmp", "large", "cache/file", "folder/kept"] {
        world.write(name, name.repeat(if name == "large" { 1_000 } else { 1 }));
    }
    std::os::unix::fs::symlink("folder", world.source().join("link")).expect("a link");
    world.settings(|settings| {
        settings.sources[0].exclude = vec!["*.tmp".to_owned(), "cache".to_owned()];
        settings.sources[0].exclude_larger_than = Some(1_000);
    });
    let names = ["kept", "left.tmp", "large", "cache/file", "folder/kept", "folder", "link", "link/kept", "gone"];
    for dry_run in [true, false, false] {
        let report = world.backup_with(BackupRequest { dry_run, ..listed(&world, &names) });
        let told: Vec<_> = report.problems.iter().map(|problem| (problem.path.clone(), problem.kind)).collect();
        let of = |name: &str, kind| (world.source().join(name), kind);
        let left_out = ["cache/file", "large", "left.tmp", "link/kept"].map(|name| of(name, ProblemKind::Unreadable));
        let gone = of("gone", ProblemKind::Vanished);
        assert_eq!(told.iter().filter(|one| **one != gone).cloned().collect::<Vec<_>>(), left_out);
        assert_eq!(told.len(), 5);
    }
}

#[test]
fn a_list_with_paths_of_sources_that_are_not_asked_for_is_a_mistake() {
    let world = World::in_memory(&["a"]);
    world.write("here", "x");
    fs::create_dir(world.path("other")).expect("a folder");
    fs::write(world.path("other/there"), "y").expect("written");
    world.add_source(&world.path("other"));
    let files: FileList = [world.source().join("here"), world.path("other/there")].into_iter().collect();
    let request = BackupRequest { files: Some(files), sources: vec![world.source()], ..BackupRequest::default() };
    match world.try_backup_with(request.clone(), &Silent) {
        Err(Error::Usage(sentence)) => assert!(sentence.contains("other/there"), "{sentence}"),
        other => panic!("{other:?}"),
    }
    let report = world.backup_with(BackupRequest { sources: Vec::new(), ..request });
    assert_eq!((report.files_new, report.problems.len()), (2, 0));
}

#[test]
fn a_list_names_what_is_there_and_in_a_source() {
    let world = World::in_memory(&["a"]);
    world.write("here", "x");
    let stray = BackupRequest { files: Some([world.path("elsewhere")].into_iter().collect()), ..Default::default() };
    match world.try_backup_with(stray, &Silent) {
        Err(Error::Usage(sentence)) => assert!(sentence.contains("elsewhere"), "{sentence}"),
        other => panic!("{other:?}"),
    }
    assert!(world.open().snapshots().expect("listed").is_empty());
    let report = world.backup_with(listed(&world, &["here", "gone"]));
    let problems: Vec<_> = report.problems.iter().map(|problem| (problem.path.clone(), problem.kind)).collect();
    assert_eq!(problems, [(world.source().join("gone"), ProblemKind::Vanished)]);
    assert_eq!(report.files_new, 1);
    // A folder around the source is the whole source, and what would be read is said without reading.
    world.write("more", "y");
    let around = BackupRequest { files: Some([world.path("")].into_iter().collect()), ..Default::default() };
    let dry = world.backup_with(BackupRequest { dry_run: true, ..around.clone() });
    assert_eq!((dry.files_new, dry.snapshot_id), (1, None));
    assert_eq!(world.backup_with(around).files_new, 1);
    let dry = world.backup_with(BackupRequest { dry_run: true, ..listed(&world, &["here"]) });
    assert_eq!(dry.files_new, 0);
    let smart = smart::plan(&world.open(), &listed(&world, &["here"]), &Silent);
    assert!(matches!(smart, Err(Error::Usage(_))));
}

#[test]
fn nothing_is_deleted_by_a_snapshot_of_what_was_chosen() {
    let world = World::in_memory(&["a"]);
    world.write("one", "first");
    world.backup();
    world.write("one", "second");
    world.write("two", "never read");
    world.backup_with(listed(&world, &["one"]));
    let repo = world.open();
    for what in [What::Directory(world.source()), What::Snapshot("latest".to_owned())] {
        let request = RestoreRequest::new(what);
        match restore::plan(&repo, RestoreRequest { delete: true, ..request.clone() }, &Silent) {
            Err(Error::Usage(sentence)) => assert!(sentence.contains("choose another snapshot"), "{sentence}"),
            other => panic!("{other:?}"),
        }
        let plan = restore::plan(&repo, request, &Silent).expect("a plan");
        assert!(plan.notes.iter().any(|note| note.contains("what was chosen")), "{:?}", plan.notes);
    }
    assert_eq!(fs::read(world.source().join("two")).expect("it is there"), b"never read");
    // A whole one may.
    let plan = restore::plan(&repo, RestoreRequest::new(What::Snapshot("latest~1".to_owned())), &Silent);
    assert_eq!(plan.expect("a plan").notes, Vec::<String>::new());
}

fn recheck(percent: f64) -> BackupRequest {
    BackupRequest { recheck: Some(percent), ..BackupRequest::default() }
}

#[test]
fn in_the_end_every_unchanged_file_was_read_again() {
    let world = World::in_memory(&["a"]);
    for number in 0..60 {
        world.write(&format!("folder {}/{number}", number % 3), noise(1_000, number));
    }
    fs::hard_link(world.source().join("folder 0/0"), world.source().join("another name")).expect("a link");
    world.settle();
    assert_eq!(world.backup().files_rechecked, 0);
    let dry = world.backup_with(BackupRequest { dry_run: true, ..recheck(100.0) });
    assert_eq!((dry.files_rechecked, dry.files_changed, dry.files_unmodified), (61, 0, 61));
    let runs: Vec<BackupReport> = (0..4).map(|_| world.backup_with(recheck(25.0))).collect();
    for report in &runs {
        assert_eq!((report.files_new, report.files_changed, report.files_unmodified), (0, 0, 61));
        assert!(report.problems.is_empty() && report.files_rechecked < 40, "{report:?}");
        assert_eq!(report.bytes_added, 0);
    }
    assert_eq!(runs.iter().map(|report| report.files_rechecked).sum::<u64>(), 61, "each once");
    assert_eq!(runs.iter().map(|report| report.bytes_read).sum::<u64>(), 60_000);
    for wrong in [0.0, -1.0, 101.0, f64::NAN] {
        assert!(matches!(world.try_backup_with(recheck(wrong), &Silent), Err(Error::Usage(_))), "{wrong}");
    }
    assert_eq!(world.open().snapshots().expect("listed").len(), 5);
}

#[test]
fn what_was_not_there_to_be_read_again_has_its_turn_in_the_next_run() {
    let world = World::in_memory(&["a"]);
    for number in 0..60 {
        world.write(&number.to_string(), noise(100, number));
    }
    world.settle();
    world.backup();
    let first = world.backup_with(recheck(50.0)).files_rechecked;
    let aside = world.source().with_extension("aside");
    fs::rename(world.source(), &aside).expect("gone");
    assert_eq!(world.backup_with(recheck(50.0)).files_rechecked, 0);
    fs::rename(&aside, world.source()).expect("back");
    assert_eq!(first + world.backup_with(recheck(50.0)).files_rechecked, 60, "each once");
}

/// Two files of one size that no `stat` tells apart but for the inode: `here`, and `aside`. Their folders can take each
/// other's place, which leaves the files as they are.
fn twins(world: &World, here: &Path, aside: &Path, contents: [&[u8]; 2]) {
    world.settings(|settings| {
        for source in &mut settings.sources {
            source.ignore_inode = true;
        }
    });
    let time = Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    for path in [here, aside] {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    }
    // Both within one tick of the file system's clock.
    for _ in 0..10_000 {
        for (path, content) in [here, aside].into_iter().zip(contents) {
            fs::write(path, content).expect("written");
        }
        for path in [here, aside] {
            rustix::fs::utimensat(CWD, path, &times, AtFlags::empty()).expect("a time");
        }
        let changed =
            |path: &Path| fs::metadata(path).map(|found| (found.ctime(), found.ctime_nsec())).expect("a look");
        if changed(here) == changed(aside) {
            // Until they count as left alone.
            std::thread::sleep(std::time::Duration::from_millis(2_100));
            return;
        }
        for path in [here, aside] {
            fs::remove_file(path).expect("ours");
        }
    }
    panic!("this clock is too fine");
}

fn swap(left: &Path, right: &Path) {
    let aside = left.with_extension("aside");
    fs::rename(left, &aside).expect("renamed");
    fs::rename(right, left).expect("renamed");
    fs::rename(&aside, right).expect("renamed");
}

fn with_rot(request: &BackupRequest) {
    let world = World::in_memory(&["a", "b"]);
    let (good, bad) = (noise(50_000, 1), noise(50_000, 2));
    let file = world.source().join("letters/letter");
    let other = world.path("other");
    twins(&world, &file, &other.join("letter"), [&good, &bad]);
    let first = world.backup().snapshot_id.expect("a snapshot");
    swap(&world.source().join("letters"), &other);
    assert_eq!(world.backup().bytes_read, 0, "nobody can see it");
    let report = world.backup_with(request.clone());
    let problems: Vec<_> = report.problems.iter().map(|problem| (problem.path.clone(), problem.kind)).collect();
    assert_eq!(problems, [(file.clone(), ProblemKind::Rotten)]);
    assert!(report.problems[0].detail.contains("version 1 is the good one"), "{:?}", report.problems);
    assert_eq!((report.files_changed, report.files_unmodified, report.files_rechecked), (1, 0, 1));
    // What was good stays, whatever the rules say.
    assert_eq!(report.pinned.len(), 1);
    let snapshots = world.open().snapshots().expect("listed");
    let pinned = snapshots.iter().find(|snapshot| snapshot.is_pinned).expect("one is pinned");
    assert!(
        pinned.id == report.pinned[0] && !pinned.note.is_empty() && snapshots.last().map(|last| last.id) == Some(first)
    );
    world.set_day(2_000);
    world.clean(1, 1);
    assert_eq!(version(&world, &file, 1), good);
    assert_eq!(version(&world, &file, 2), bad);
    // It is told once.
    let again = world.backup_with(request.clone());
    assert_eq!((again.problems.len(), again.pinned.len(), again.files_rechecked), (0, 0, 1));
}

#[test]
fn rot_in_a_source_is_told_and_the_good_version_is_kept() {
    with_rot(&recheck(100.0));
}

#[test]
fn who_reads_everything_sees_rot_too() {
    with_rot(&BackupRequest { force: true, ..BackupRequest::default() });
}

#[test]
fn what_somebody_wrote_is_no_rot() {
    let world = World::in_memory(&["a"]);
    world.write("file", noise(1_000, 1));
    world.settle();
    world.backup();
    // With the time it had: only the ctime tells.
    let path = world.source().join("file");
    let time = fs::metadata(&path).and_then(|found| found.modified()).expect("a time");
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&path, noise(1_000, 2)).expect("written");
    fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).expect("a time");
    assert_eq!(world.backup().files_changed, 0, "this source is told by times of content alone");
    let report = world.backup_with(recheck(100.0));
    assert_eq!((report.files_changed, report.problems.len(), report.pinned.len()), (1, 0, 0));
    assert_eq!(report.files_rechecked, 1);
}

fn stream(world: &World, name: &str, input: impl Read + Send + 'static) -> Result<BackupReport, Error> {
    let request = StreamRequest { name: world.path(name), ..StreamRequest::default() };
    stream::run(&mut world.open_to_write(), request, Box::new(input), &Silent)
}

#[test]
fn a_stream_is_a_file_with_versions() {
    let world = World::in_memory(&["a", "b"]);
    world.write("file", "x");
    world.settle();
    world.backup();
    let (one, mut two) = (noise(3_000_000, 1), noise(3_000_000, 1));
    two.extend(b"and more");
    let first = stream(&world, "shop.sql", io::Cursor::new(one.clone())).expect("a backup");
    assert_eq!((first.files_new, first.bytes_read, first.copies), (1, 3_000_000, 2));
    let second = stream(&world, "shop.sql", io::Cursor::new(two.clone())).expect("a backup");
    assert_eq!((second.files_new, second.files_changed, second.bytes_read), (0, 1, 3_000_008));
    assert!(second.bytes_added < 500_000, "most of it was there: {}", second.bytes_added);
    let same = stream(&world, "shop.sql", io::Cursor::new(two.clone())).expect("a backup");
    assert_eq!((same.files_unmodified, same.bytes_added), (1, 0));

    // Runs that read folders leave it as it is, and it is restored like any other file.
    world.write("file", "changed");
    world.backup();
    assert_eq!(version(&world, &world.path("shop.sql"), 1), one);
    assert_eq!(version(&world, &world.path("shop.sql"), 2), two);
    restore(&world, RestoreRequest::new(What::File(world.path("shop.sql"))));
    assert_eq!(fs::metadata(world.path("shop.sql")).expect("back where it never was").mode() & 0o777, 0o600);
    assert_eq!(fs::read(world.path("shop.sql")).expect("restored"), two);
    let snapshots = world.open().snapshots().expect("listed");
    let roots: Vec<bool> = snapshots[0].roots.iter().map(|root| root.read).collect();
    assert_eq!((roots.len(), snapshots[0].roots[0].path.clone()), (2, world.path("shop.sql")));
    assert_eq!(roots, [false, true]);
    // Another machine does not look for it either.
    let home = Home::at(world.path("another home"));
    let mut copied = world.settings_now();
    copied.sources.clear();
    repo::connect(&home, &world.path("a"), None, Some(copied), &Silent).expect("connected");
    let known = home.settings().expect("settings").source(&world.path("shop.sql")).map(|source| source.stdin);
    assert_eq!(known, Some(true));
    // What is at the path is never read.
    fs::write(world.path("shop.sql"), "something else").expect("written");
    let request = BackupRequest { sources: vec![world.path("shop.sql")], ..BackupRequest::default() };
    assert!(matches!(world.try_backup_with(request, &Silent), Err(Error::Usage(_))));
    world.backup_with(BackupRequest { force: true, ..BackupRequest::default() });
    assert_eq!(world.open().versions(&world.path("shop.sql")).expect("versions").len(), 2);
}

/// Gives some bytes, then an error.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.min(buffer.len());
        self.0 -= count;
        if count == 0 { Err(io::Error::other("the database went away")) } else { Ok(count) }
    }
}

#[test]
fn what_does_not_come_to_its_end_is_not_stored() {
    let world = World::in_memory(&["a"]);
    world.write("file", "x");
    world.backup();
    let settings = fs::read(world.path("home/config.yaml")).expect("the settings");
    match stream(&world, "dump", Broken(2_000_000)) {
        Err(Error::Io { source, .. }) => assert!(source.to_string().contains("went away")),
        other => panic!("{other:?}"),
    }
    match stream(&world, "dump", io::empty()) {
        Err(Error::NothingCame { name }) => assert!(name.ends_with("dump"), "{name:?}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(stream(&world, "source", io::repeat(1).take(9)), Err(Error::Usage(_))), "a folder has that name");
    assert!(matches!(stream(&world, "..", io::repeat(1).take(9)), Err(Error::Usage(_))));
    assert_eq!(world.open().snapshots().expect("listed").len(), 1);
    assert_eq!(fs::read(world.path("home/config.yaml")).expect("the settings"), settings);

    let empty = StreamRequest { name: world.path("dump"), force: true, ..StreamRequest::default() };
    stream::run(&mut world.open_to_write(), empty, Box::new(io::empty()), &Silent).expect("a backup");
    assert_eq!(version(&world, &world.path("dump"), 1), b"");
    assert!(matches!(stream(&world, "dump", Broken(10)), Err(Error::Io { .. })), "and the last one stays");
    assert_eq!(world.open().versions(&world.path("dump")).expect("versions").len(), 1);
}

/// Asks to stop after it was asked so often.
struct StopAfter(AtomicUsize);

impl Monitor for StopAfter {
    fn should_stop(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1))) == Ok(0)
    }
}

#[test]
fn a_run_that_waits_for_a_stream_can_be_interrupted() {
    let world = World::in_memory(&["a"]);
    let (reader, writer) = io::pipe().expect("a pipe");
    let request = StreamRequest { name: world.path("dump"), ..StreamRequest::default() };
    let stop = StopAfter(AtomicUsize::new(3));
    let ended = stream::run(&mut world.open_to_write(), request, Box::new(reader), &stop);
    assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
    drop(writer);
    assert!(world.open().snapshots().expect("listed").is_empty());

    // The end of what writes into the pipe by the same signal is no end.
    let request = StreamRequest { name: world.path("dump"), ..StreamRequest::default() };
    let stop = StopAfter(AtomicUsize::new(0));
    let ended = stream::run(&mut world.open_to_write(), request, Box::new(io::repeat(7).take(10)), &stop);
    assert!(matches!(ended, Err(Error::Interrupted)), "{ended:?}");
    assert!(world.open().snapshots().expect("listed").is_empty());
}
