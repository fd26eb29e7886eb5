//! Restores: everything comes back as it was, wherever it goes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use cryptbackup::report::{Monitor, ProblemKind, Silent, Stage};
use cryptbackup::restore::{self, Overwrite, RestoreReport, RestoreRequest, What, When};
use rustix::fs::{Mode, Timespec, Timestamps, XattrFlags};

use crate::support::World;
use crate::support::hooks::AtStage;
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

pub fn restore(world: &World, request: RestoreRequest) -> RestoreReport {
    restore_with(world, request, &Silent)
}

fn restore_with(world: &World, request: RestoreRequest, monitor: &dyn Monitor) -> RestoreReport {
    let repo = world.open();
    let plan = restore::plan(&repo, request, monitor).expect("a plan");
    restore::execute(&repo, plan, monitor).expect("restored")
}

pub fn to(world: &World, target: &Path) -> RestoreRequest {
    RestoreRequest { destination: Some(target.to_owned()), ..RestoreRequest::new(What::Directory(world.source())) }
}

fn set_time(path: &Path, seconds: i64, nanos: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).expect("a time");
}

/// A tree with one of everything.
pub fn weird_tree(world: &World) {
    let root = world.source();
    world.write("plain.txt", b"hello");
    world.write("empty", b"");
    world.write("deep/er/and/deeper/file", noise(70_000, 3));
    world.write("large", noise(3_000_000, 4));
    for (number, name) in [
        &b"new\nline"[..],
        b"tab\tand\x1b[31mcolour",
        b"-rf",
        b"quote\"'",
        b"space ",
        b"dot.",
        b"\xff\xfe",
        "é".as_bytes(),
        "e\u{301}".as_bytes(),
        b"COM1",
        b"a",
        b"A",
        &[b'x'; 255],
    ]
    .iter()
    .enumerate()
    {
        let path = root.join("names").join(cryptbackup::paths::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, noise(number * 10, number as u64)).unwrap();
    }
    fs::create_dir_all(root.join("folders/empty")).unwrap();
    fs::create_dir_all(root.join("folders/.hidden")).unwrap();
    symlink("../plain.txt", root.join("folders/link")).unwrap();
    symlink("/nowhere/at/all", root.join("dangling")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    symlink(cryptbackup::paths::from_bytes(b"\xff\n"), root.join("odd target")).unwrap();
    fs::hard_link(root.join("large"), root.join("folders/same as large")).unwrap();
    fs::hard_link(root.join("plain.txt"), root.join("zz same as plain")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o640), 0)
        .unwrap();
    for (name, mode) in [("set-user", 0o4755), ("none", 0o000), ("all", 0o777), ("read-only", 0o444)] {
        world.write(name, name);
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    rustix::fs::lsetxattr(root.join("plain.txt"), "user.note", b"with a value", XattrFlags::empty()).unwrap();
    rustix::fs::lsetxattr(root.join("plain.txt"), "user.empty", b"", XattrFlags::empty()).unwrap();
    rustix::fs::lsetxattr(root.join("folders"), "user.folder", b"\0\x01", XattrFlags::empty()).unwrap();
    let sparse = fs::File::create(root.join("sparse")).unwrap();
    use std::os::unix::fs::FileExt;
    sparse.write_all_at(b"begin", 0).unwrap();
    sparse.write_all_at(&noise(100_000, 9), 5 << 20).unwrap();
    sparse.set_len(20 << 20).unwrap();
    fs::set_permissions(root.join("folders"), fs::Permissions::from_mode(0o1750)).unwrap();
    set_time(&root.join("plain.txt"), -5, 999_999_999);
    set_time(&root.join("empty"), 4_102_444_800, 1);
    set_time(&root.join("dangling"), 1, 2);
    set_time(&root.join("deep/er"), 1_000_000_000, 123_456_789);
    set_time(&root.join("folders"), 1_600_000_000, 0);
    set_time(&root.join(""), 1_500_000_000, 77);
}

#[test]
fn a_weird_tree_comes_back_identical() {
    let world = World::new(&["primary"]);
    weird_tree(&world);
    let report = world.backup();
    assert_eq!(report.problems, []);
    let target = world.path("restored");
    let restored = restore(&world, to(&world, &target));
    assert_eq!(restored.problems, []);
    assert_same(&tree(&world.source()), &tree(&target));
    use std::os::unix::fs::MetadataExt;
    let sparse = fs::metadata(target.join("sparse")).unwrap();
    assert!(sparse.blocks() * 512 < 1 << 20, "holes come back as holes");

    // The same again: nothing is written twice, and what was changed is put right.
    fs::write(target.join("plain.txt"), b"HELLO").unwrap();
    fs::remove_file(target.join("deep/er/and/deeper/file")).unwrap();
    let again = restore(&world, to(&world, &target));
    assert_eq!(again.problems, []);
    assert_eq!(again.files_restored, 3, "two files, one of them with another name: {again:?}");
    assert_same(&tree(&world.source()), &tree(&target));
}

#[test]
fn overwrite_policies_and_delete() {
    let world = World::new(&["primary"]);
    world.write("kept", b"stored");
    world.write("sub/x", b"stored x");
    set_time(&world.source().join("kept"), 1_000_000, 0);
    world.backup();
    let target = world.path("target");
    fs::create_dir_all(target.join("sub/extra/more")).unwrap();
    fs::write(target.join("kept"), b"theirs").unwrap();
    fs::write(target.join("sub/extra/more/file"), b"?").unwrap();
    let with = |overwrite, delete| RestoreRequest { overwrite, delete, ..to(&world, &target) };

    restore(&world, with(Overwrite::Never, false));
    assert_eq!(fs::read(target.join("kept")).unwrap(), b"theirs");
    assert_eq!(fs::read(target.join("sub/x")).unwrap(), b"stored x");
    restore(&world, with(Overwrite::IfNewer, false));
    assert_eq!(fs::read(target.join("kept")).unwrap(), b"theirs", "what is there is newer");
    restore(&world, with(Overwrite::IfChanged, false));
    assert_eq!(fs::read(target.join("kept")).unwrap(), b"stored");
    fs::write(target.join("kept"), b"theirs").unwrap();
    set_time(&target.join("kept"), 1_000_000, 0);
    restore(&world, with(Overwrite::IfChanged, false));
    assert_eq!(fs::read(target.join("kept")).unwrap(), b"theirs", "size and time are those that are stored");
    assert!(target.join("sub/extra").exists());
    let repo = world.open();
    let plan = restore::plan(&repo, with(Overwrite::Always, true), &Silent).unwrap();
    let mut foreseen = Vec::new();
    let deletions = restore::deletions(&repo, &plan, &Silent, &mut |path| foreseen.push(path.to_owned())).unwrap();
    assert_eq!((deletions.deleted, deletions.problems, foreseen), (3, Vec::new(), vec![target.join("sub/extra")]));
    assert!(target.join("sub/extra/more/file").exists(), "a look changes nothing");
    let report = restore(&world, with(Overwrite::Always, true));
    assert_eq!(report.deleted, 3);
    assert_same(&tree(&world.source()), &tree(&target));
}

/// No snapshot ever held it, and nothing would bring it back.
#[test]
fn what_the_rules_leave_out_stays_where_a_restore_deletes() {
    let world = World::new(&["primary"]);
    let root = world.source();
    world.settings(|settings| {
        let source = &mut settings.sources[0];
        source.exclude = vec!["*.tmp".to_owned(), format!("{}/anchored", root.display())];
        (source.exclude_caches, source.git_ignore, source.exclude_larger_than) = (true, true, Some(1000));
    });
    world.write("kept", "stored");
    world.write("project/.gitignore", "built/\n");
    world.write("project/code", "stored");
    world.write("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
    world.backup();
    let saved = tree(&root);
    let left_out = ["x.tmp", "anchored", "large", "project/built/out", "cache/blob", "new/deep/y.tmp", "new/.own/z"];
    for name in left_out {
        world.write(name, if name == "large" { vec![0; 1001] } else { b"left out".to_vec() });
    }
    world.write("new/.cryptbackupignore", ".own\n");
    for name in ["more", "project/more", "new/plain", "new/deep/plain", "gone/in/here", "project/anchored"] {
        world.write(name, "was not there");
    }
    // Rules that come back with the restore are not those that left something out.
    fs::write(root.join("project/.gitignore"), "built/\nelsewhere\n").unwrap();
    world.write("project/elsewhere", "left out");

    let request = RestoreRequest { delete: true, ..RestoreRequest::new(What::Directory(root.clone())) };
    let repo = world.open();
    let plan = restore::plan(&repo, request.clone(), &Silent).unwrap();
    let foreseen = restore::deletions(&repo, &plan, &Silent, &mut |_| {}).unwrap();
    let report = restore(&world, request);
    assert_eq!((report.problems, report.deleted), (foreseen.problems, foreseen.deleted));
    assert_eq!(report.deleted, 8, "six files, and the two folders around one of them");
    let staying = left_out.iter().chain(&["project/elsewhere", "new/.cryptbackupignore"]);
    for name in staying.clone() {
        assert!(root.join(name).exists(), "{name}");
    }
    let mut now = tree(&root);
    for name in staying {
        Path::new(name).ancestors().for_each(|path| {
            let path = cryptbackup::paths::to_bytes(path);
            now.retain(|known, _| known != path || saved.contains_key(path));
        });
    }
    assert!(now.keys().eq(saved.keys()), "{:?}", now.keys());

    // Elsewhere the rules of no source hold.
    let target = world.path("elsewhere");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("x.tmp"), "of no source").unwrap();
    let report = restore(&world, RestoreRequest { delete: true, ..to(&world, &target) });
    assert_eq!(report.deleted, 1);
    assert_same(&tree(&target), &saved);
}

#[test]
fn links_in_the_target_are_never_followed() {
    let world = World::new(&["primary"]);
    world.write("folder/file", b"inside");
    world.write("plain", b"content");
    world.backup();
    let outside = world.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), b"precious").unwrap();
    let target = world.path("target");
    fs::create_dir(&target).unwrap();
    symlink(&outside, target.join("folder")).unwrap();
    symlink(outside.join("precious"), target.join("plain")).unwrap();
    let report = restore(&world, to(&world, &target));
    assert_eq!(report.problems, []);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read(outside.join("precious")).unwrap(), b"precious");
    assert_same(&tree(&world.source()), &tree(&target));
}

#[test]
fn versions_by_number_and_date_survive_the_index_and_deletion() {
    let world = World::new(&["primary"]);
    let mut between = Vec::new();
    for number in 1..=5 {
        world.write("file", format!("version {number}"));
        world.write("other", format!("other {number}"));
        world.backup();
        between.push(jiff::Timestamp::now());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let path = world.source().join("file");
    let get = |when| {
        let target = world.path("one");
        let request =
            RestoreRequest { when, destination: Some(target.clone()), ..RestoreRequest::new(What::File(path.clone())) };
        restore(&world, request);
        String::from_utf8(fs::read(target).unwrap()).unwrap()
    };
    let check = |newest: &str| {
        assert_eq!(get(When::Version(2)), "version 2");
        assert_eq!(get(When::Date(between[2])), "version 3");
        assert_eq!(get(When::Latest), newest);
    };
    let numbers = || -> Vec<u32> {
        world.open().versions(&path).expect("versions").iter().map(|version| version.number).collect()
    };
    assert_eq!(numbers(), [1, 2, 3, 4, 5]);
    check("version 5");
    world.forget_index();
    assert_eq!(numbers(), [1, 2, 3, 4, 5]);
    check("version 5");

    world.remove("file");
    world.backup();
    check("version 5");
    world.forget_index();
    world.write("file", "again");
    world.backup();
    assert_eq!(numbers(), [1, 2, 3, 4, 5, 6]);
    check("again");
    world.write("file", "version 1");
    world.backup();
    assert_eq!(numbers(), [1, 2, 3, 4, 5, 6, 7], "old content that comes back is a new version");
}

#[test]
fn other_names_of_links_and_pipes_are_names_of_one_inode_again_and_sockets_are_counted() {
    let world = World::new(&["primary"]);
    let root = world.source();
    symlink("somewhere", root.join("link")).unwrap();
    fs::hard_link(root.join("link"), root.join("zz same as link")).unwrap();
    let mode = Mode::from_raw_mode(0o640);
    rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::create_dir(root.join("below")).unwrap();
    fs::hard_link(root.join("pipe"), root.join("below/same as pipe")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    world.settle();
    world.backup();
    drop(socket);
    fs::remove_file(root.join("socket")).unwrap();
    set_time(&root, 1_600_000_000, 0);
    let saved = tree(&root);
    // Into a new folder, then over what is there.
    for _ in 0..2 {
        let report = restore(&world, to(&world, &world.path("restored")));
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert_eq!((report.others, report.sockets_left_out), (4, 1));
        let mut restored = tree(&world.path("restored"));
        restored.remove(&Vec::new());
        let expected = saved.iter().filter(|(path, _)| !path.is_empty());
        assert_same(&restored, &expected.map(|(path, seen)| (path.clone(), seen.clone())).collect());
    }
}

#[test]
fn what_was_never_readable_is_said_to_be_in_no_backup() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let world = World::new(&["primary"]);
    world.write("closed", b"secret");
    fs::set_permissions(world.source().join("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    world.backup();
    let report = restore(&world, to(&world, &world.path("restored")));
    assert_eq!(report.problems.len(), 1);
    assert_eq!(report.problems[0].kind, ProblemKind::NeverBackedUp, "{:?}", report.problems);
}

/// Another name of what could not be restored would else become a name of what was there before.
#[test]
fn other_names_of_a_file_that_cannot_be_restored_keep_what_they_have() {
    let world = World::new(&["primary"]);
    world.write("a", noise(500_000, 1));
    fs::hard_link(world.source().join("a"), world.source().join("b")).unwrap();
    fs::create_dir(world.source().join("folder")).unwrap();
    fs::hard_link(world.source().join("a"), world.source().join("folder/c")).unwrap();
    world.backup();
    for (pack, _) in world.objects("primary").iter().filter(|(path, _)| path.starts_with("packs/")) {
        fs::write(world.path("primary").join(pack), b"destroyed").unwrap();
    }
    let target = world.path("target");
    fs::create_dir(&target).unwrap();
    for name in ["a", "b"] {
        fs::write(target.join(name), format!("the old {name}")).unwrap();
    }
    let report = restore(&world, to(&world, &target));
    let mut problems: Vec<_> = report.problems.iter().map(|problem| (&problem.path, problem.kind)).collect();
    problems.sort_by_key(|(path, _)| *path);
    let expected = ["a", "b", "folder/c"].map(|name| target.join(name));
    let expected: Vec<_> = expected.iter().map(|path| (path, ProblemKind::Damaged)).collect();
    assert_eq!((report.files_restored, problems), (0, expected));
    for name in ["a", "b"] {
        assert_eq!(fs::read_to_string(target.join(name)).unwrap(), format!("the old {name}"));
    }
    assert!(!target.join("folder/c").exists());
}

#[test]
fn what_lost_only_metadata_is_verified_too() {
    let world = World::new(&["primary"]);
    for name in ["changed since", "whole"] {
        world.write(name, noise(50_000, 1));
        rustix::fs::lsetxattr(world.source().join(name), "user.note", b"a note", XattrFlags::empty()).unwrap();
    }
    world.backup();
    let target = world.path("target");
    fs::create_dir(&target).unwrap();
    // It knows no attributes.
    let mounted = std::process::Command::new("mount").args(["-t", "ramfs", "none"]).arg(&target).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: nothing can be mounted here");
        return;
    }
    let change = AtStage::new(Stage::Checking, || fs::write(target.join("changed since"), noise(50_000, 2)).unwrap());
    let report = restore_with(&world, RestoreRequest { verify: true, ..to(&world, &target) }, &change);
    let problems: Vec<_> = report.problems.iter().map(|problem| (problem.path.clone(), problem.kind)).collect();
    std::process::Command::new("umount").arg("-l").arg(&target).status().unwrap();
    assert!(change.has_acted());
    let [first, second] = ["changed since", "whole"].map(|name| target.join(name));
    let lost = ProblemKind::MetadataNotRestored;
    assert_eq!(problems, [(first.clone(), lost), (second, lost), (first, ProblemKind::NotRestored)]);
}

/// Counts the files this process has open, now and then while something is restored.
#[derive(Default)]
struct OpenFiles {
    looks: AtomicUsize,
    most: AtomicUsize,
}

impl Monitor for OpenFiles {
    fn advance(&self, _: u64, _: u64) {
        if self.looks.fetch_add(1, Ordering::Relaxed).is_multiple_of(64) {
            self.most.fetch_max(fs::read_dir("/proc/self/fd").unwrap().count(), Ordering::Relaxed);
        }
    }
}

#[test]
fn names_of_one_inode_in_many_folders_hold_no_folder_open() {
    let world = World::in_memory(&["primary"]);
    for number in 0..3_000 {
        world.write(&format!("a/{number}/file"), number.to_string());
        fs::create_dir_all(world.source().join(format!("b/{number}"))).unwrap();
        let [first, second] = ["a", "b"].map(|name| world.source().join(format!("{name}/{number}/file")));
        fs::hard_link(first, second).unwrap();
    }
    world.backup();
    let saved = tree(&world.source());
    // Into a new folder, then over what is there.
    for _ in 0..2 {
        let (target, open) = (world.path("target"), OpenFiles::default());
        let report = restore_with(&world, to(&world, &target), &open);
        assert_eq!(report.problems, []);
        // Those of the tests beside it are among them.
        assert!(open.most.into_inner() < 2_000);
        assert_same(&saved, &tree(&target));
        fs::write(target.join("a/7/file"), "changed").unwrap();
        fs::remove_file(target.join("a/9/file")).unwrap();
        fs::remove_file(target.join("b/9/file")).unwrap();
    }
}

/// A clean by the same machine moves what is needed into new packs and deletes the old ones at once.
#[test]
fn what_a_clean_moves_meanwhile_is_restored_from_where_it_is_then() {
    let world = World::whose_packs_a_clean_moves();
    let clean = world.clean_at(Stage::Restoring);
    let report = restore_with(&world, to(&world, &world.path("target")), &clean);
    assert!(clean.has_acted());
    assert_eq!((report.problems, report.notes, report.damaged), (Vec::new(), Vec::new(), Vec::new()));
    assert_same(&tree(&world.source()), &tree(&world.path("target")));
}
