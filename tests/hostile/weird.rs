//! T16: weird trees: every name, size, link, hole, mode, attribute and time that has ever been too much for a backup
//! program, backed up, restored and compared, as root and as somebody else.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptbackup::paths;
use cryptbackup::repo::settings::SourceSettings;
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};

use crate::support::{Tree, World, differences, noise, restore_snapshot, restore_with, snapshot, tree};

/// What it is, who can make it, and how it is made in an empty folder.
struct Case {
    what: String,
    needs_root: bool,
    make: Box<dyn Fn(&Path)>,
}

#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    fn add(&mut self, what: impl Into<String>, make: impl Fn(&Path) + 'static) {
        self.0.push(Case { what: what.into(), needs_root: false, make: Box::new(make) });
    }

    fn root(&mut self, what: &str, make: impl Fn(&Path) + 'static) {
        self.0.push(Case { what: what.into(), needs_root: true, make: Box::new(make) });
    }
}

fn put(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).expect("written");
    path
}

fn names(cases: &mut Cases) {
    let long = "x".repeat(255);
    let wide = "é".repeat(127);
    let names: [&[u8]; 26] = [
        b"new\nline",
        b"tab\t",
        b"\x1b[31mred",
        b"quote\"'`$(x)",
        b"-rf",
        b"--",
        b"space ",
        b" ",
        b"dot.",
        b"...",
        b".hidden",
        long.as_bytes(),
        wide.as_bytes(),
        b"\xff\xfe",
        b"caf\xe9",
        b"\xf0\x9f",
        b"COM1",
        b"nul.txt",
        b"back\\slash",
        b"*?[a]{b}",
        b"carriage\r",
        b"\x7f\x01",
        "\u{202e}txt.exe".as_bytes(),
        "🗂\u{200d}".as_bytes(),
        b"a:b|c<d>",
        b"~",
    ];
    for name in names {
        let owned = name.to_vec();
        cases.add(format!("a file and a folder called {}", name.escape_ascii()), move |folder| {
            fs::write(folder.join(paths::from_bytes(&owned)), &owned).expect("written");
            let below = folder.join("below").join(paths::from_bytes(&owned));
            fs::create_dir_all(&below).expect("made");
            put(&below, "inside", &owned);
        });
    }
    for (what, twins) in [
        ("composed and decomposed", ["é", "e\u{301}"]),
        ("large and small", ["Name", "name"]),
        ("with and without a dot", ["a", "a."]),
    ] {
        cases.add(format!("twins, {what}"), move |folder| twins.iter().for_each(|name| drop(put(folder, name, name))));
    }
}

fn sizes(cases: &mut Cases) {
    for border in [0usize, 4096, 16 << 10, 64 << 10, 256 << 10, 2 << 20] {
        for size in [border.saturating_sub(1), border, border + 1] {
            if border == 0 && size == 0 && cases.0.iter().any(|case| case.what == "0 bytes") {
                continue;
            }
            cases.add(format!("{size} bytes"), move |folder| drop(put(folder, "file", noise(size, size as u64))));
        }
    }
    cases.add("10 MiB of zeros", |folder| drop(put(folder, "zeros", vec![0; 10 << 20])));
    cases.add("10 MiB of one byte", |folder| drop(put(folder, "ones", vec![1; 10 << 20])));
    let sparse = |cases: &mut Cases, what: &str, data: &'static [(u64, usize)], len: u64| {
        cases.add(format!("a hole {what}"), move |folder| {
            let file = File::create(folder.join("sparse")).expect("made");
            for (offset, size) in data {
                file.write_all_at(&noise(*size, *offset), *offset).expect("written");
            }
            file.set_len(len).expect("its length");
        });
    };
    sparse(cases, "at the start", &[(8 << 20, 5000)], (8 << 20) + 5000);
    sparse(cases, "in the middle", &[(0, 5000), (8 << 20, 5000)], (8 << 20) + 5000);
    sparse(cases, "at the end", &[(0, 5000)], 8 << 20);
    sparse(cases, "everywhere", &[], 64 << 20);
    sparse(cases, "again and again", &[(1 << 20, 4096), (3 << 20, 4096), (5 << 20, 1), (7 << 20, 100_000)], 9 << 20);
    sparse(cases, "of a quarter GiB", &[(1 << 28, 10)], (1 << 28) + 10);
}

fn links(cases: &mut Cases) {
    let long = "l/".repeat(2000);
    let targets: [(&str, Vec<u8>); 9] = [
        ("to a file", b"file".to_vec()),
        ("to nothing", b"nowhere".to_vec()),
        ("to itself", b"link".to_vec()),
        ("to an absolute path", b"/etc/passwd".to_vec()),
        ("up and away", b"../../../../../..".to_vec()),
        ("to bytes that are no text", b"\xff\xfe\n".to_vec()),
        ("to a very long path", long.into_bytes()),
        ("to a folder", b"folder".to_vec()),
        ("to the folder it is in", b".".to_vec()),
    ];
    for (what, target) in targets {
        cases.add(format!("a link {what}"), move |folder| {
            put(folder, "file", "file");
            fs::create_dir(folder.join("folder")).expect("made");
            symlink(paths::from_bytes(&target), folder.join("link")).expect("a link");
        });
    }
    cases.add("a link to a link, and two that go in a circle", |folder| {
        for (name, target) in [("a", "b"), ("b", "nothing"), ("c", "d"), ("d", "c")] {
            symlink(target, folder.join(name)).expect("a link");
        }
    });
    cases.add("a file with many names", |folder| {
        let first = put(folder, "first", noise(100_000, 1));
        for number in 0..many_names() {
            let below = folder.join(format!("{}", number % 7));
            fs::create_dir_all(&below).expect("made");
            fs::hard_link(&first, below.join(format!("name{number}"))).expect("another name");
        }
    });
    cases.add("an empty file with two names", |folder| {
        let first = put(folder, "z", "");
        fs::hard_link(first, folder.join("a")).expect("another name");
    });
    cases.add("a link with two names", |folder| {
        symlink("x", folder.join("a")).expect("a link");
        fs::hard_link(folder.join("a"), folder.join("b")).expect("another name");
    });
}

/// More with `HOSTILE_NAMES`; ext4 takes 65,000.
fn many_names() -> usize {
    std::env::var("HOSTILE_NAMES").ok().and_then(|count| count.parse().ok()).unwrap_or(1000)
}

fn special(cases: &mut Cases) {
    let make = |folder: &Path, name: &str, kind, mode, device| {
        rustix::fs::mknodat(CWD, folder.join(name), kind, Mode::from_raw_mode(mode), device).expect("made");
    };
    cases.add("a pipe", move |folder| make(folder, "pipe", FileType::Fifo, 0o640, 0));
    cases.add("a pipe with two names", move |folder| {
        make(folder, "pipe", FileType::Fifo, 0o600, 0);
        fs::hard_link(folder.join("pipe"), folder.join("another")).expect("another name");
    });
    cases.root("devices", move |folder| {
        make(folder, "null", FileType::CharacterDevice, 0o666, rustix::fs::makedev(1, 3));
        make(folder, "loop", FileType::BlockDevice, 0o600, rustix::fs::makedev(7, 200));
        make(folder, "far", FileType::CharacterDevice, 0o600, rustix::fs::makedev(4000, 1_000_000));
    });
    for mode in [0o000, 0o001, 0o400, 0o444, 0o777, 0o1644, 0o2755, 0o4755, 0o6711] {
        let set = move |folder: &Path| {
            let file = put(folder, "file", "content");
            let below = folder.join("folder");
            fs::create_dir(&below).expect("made");
            put(&below, "inside", "content");
            for path in [file, below] {
                fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
            }
        };
        let what = format!("mode {mode:o}");
        // Somebody else cannot read the first ones, which is a test of its own.
        if mode & 0o500 == 0o500 { cases.add(what, set) } else { cases.root(&what, set) }
    }
    cases.root("other owners", |folder| {
        let file = put(folder, "file", "content");
        symlink("x", folder.join("link")).expect("a link");
        for path in [&file, &folder.join("link")] {
            std::os::unix::fs::lchown(path, Some(12_345), Some(54_321)).expect("an owner");
        }
        std::os::unix::fs::lchown(&file, Some(u32::MAX - 1), Some(0)).expect("an owner");
        fs::set_permissions(file, Permissions::from_mode(0o6755)).expect("a mode");
    });
    cases.add("an empty folder", |folder| fs::create_dir(folder.join("empty")).expect("made"));
    cases.add("600 folders in each other", |folder| {
        let mut path = folder.to_path_buf();
        for _ in 0..600 {
            path.push("d");
        }
        fs::create_dir_all(&path).expect("made");
        put(&path, "file", "deep");
    });
    cases.add("3000 files in one folder", |folder| {
        (0..3000).for_each(|n| drop(put(folder, &format!("{n}"), n.to_string())))
    });
}

fn attributes(cases: &mut Cases) {
    let set = |path: &Path, name: &str, value: &[u8]| {
        rustix::fs::lsetxattr(path, name, value, XattrFlags::empty()).expect("an attribute");
    };
    cases.add("an attribute", move |folder| set(&put(folder, "file", "x"), "user.note", b"value"));
    cases.add("an empty attribute", move |folder| set(&put(folder, "file", "x"), "user.empty", b""));
    cases.add("an attribute of any bytes", move |folder| set(&put(folder, "file", "x"), "user.bytes", &noise(2000, 1)));
    cases.add("many attributes", move |folder| {
        let file = put(folder, "file", "x");
        (0..40).for_each(|number| set(&file, &format!("user.a{number}"), format!("{number}").as_bytes()));
    });
    cases.add("attributes of a folder", move |folder| set(folder, "user.folder", b"of the folder"));
    cases.add("an attribute with an odd name", move |folder| set(&put(folder, "file", "x"), "user.\u{1b}\n é", b"1"));
    cases.root("an attribute of a link", move |folder| {
        symlink("x", folder.join("link")).expect("a link");
        set(&folder.join("link"), "trusted.note", b"value");
    });
    cases.root("an attribute of a pipe", move |folder| {
        rustix::fs::mknodat(CWD, folder.join("pipe"), FileType::Fifo, Mode::RWXU, 0).expect("made");
        set(&folder.join("pipe"), "trusted.note", b"value");
    });
    cases.add("an access list", move |folder| {
        // Owner rw, user 1234 r, group r, mask r, others nothing: as the kernel keeps it.
        let mut list = vec![2, 0, 0, 0];
        for (tag, rights, id) in
            [(1u16, 6u16, u32::MAX), (2, 4, 1234), (4, 4, u32::MAX), (16, 4, u32::MAX), (32, 0, u32::MAX)]
        {
            list.extend([&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat());
        }
        let file = put(folder, "file", "x");
        // Not every file system has them.
        let _ = rustix::fs::lsetxattr(file, "system.posix_acl_access", &list, XattrFlags::empty());
    });
    for (seconds, nanos) in
        [(0, 0), (-1, 999_999_999), (-2_000_000_000, 1), (4_102_444_800, 5), (1_600_000_000, 123_456_789)]
    {
        cases.add(format!("the time {seconds}.{nanos:09}"), move |folder| {
            put(folder, "file", "x");
            symlink("x", folder.join("link")).expect("a link");
            fs::create_dir(folder.join("folder")).expect("made");
            for name in ["file", "link", "folder", ""] {
                let time = Timespec { tv_sec: seconds, tv_nsec: nanos };
                let times = Timestamps { last_access: time, last_modification: time };
                rustix::fs::utimensat(CWD, folder.join(name), &times, AtFlags::SYMLINK_NOFOLLOW).expect("a time");
            }
        });
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Cases::default();
    for add in [names, sizes, links, special, attributes] {
        add(&mut cases);
    }
    let is_root = rustix::process::geteuid().is_root();
    cases.0.retain(|case| is_root || !case.needs_root);
    cases.0
}

/// Backs everything up, restores it and compares; gives the number of cases.
fn weird_trees() -> usize {
    let world = World::new();
    let cases = cases();
    for (number, case) in cases.iter().enumerate() {
        let folder = world.source().join(format!("{number:03}"));
        fs::create_dir(&folder).expect("made");
        (case.make)(&folder);
    }
    let report = world.backup();
    assert_eq!(report.problems, []);
    let target = world.path("target");
    // Into nothing, then over what is there.
    for _ in 0..2 {
        let report =
            restore_snapshot(&world.open(), report.snapshot_id.expect("a snapshot"), &target).expect("restored");
        assert_eq!(report.problems, []);
        let restored = target.join(world.source().strip_prefix("/").expect("absolute"));
        for (number, case) in cases.iter().enumerate() {
            let (left, right) = (world.source().join(format!("{number:03}")), restored.join(format!("{number:03}")));
            let found = differences(&tree(&left), &tree(&right));
            assert!(found.is_empty(), "{}: {found:#?}", case.what);
            let blocks = |path: &Path| fs::metadata(path.join("sparse")).map_or(0, |found| found.blocks());
            assert!(blocks(&right) <= blocks(&left) + 512, "{}: its holes are gone", case.what);
        }
    }
    cases.len()
}

#[test]
fn t16_weird_trees_come_back_as_they_were() {
    let count = weird_trees();
    println!("{count} weird trees");
    assert!(count >= 60);
}

#[test]
#[ignore = "run by the next one, as somebody else"]
fn child_weird_trees() {
    if std::env::var_os("HOSTILE_CHILD").is_some() {
        println!("{} weird trees as user {}", weird_trees(), rustix::process::geteuid().as_raw());
    }
}

/// Runs a test of this program as a user without rights.
pub fn as_nobody(test: &str) -> String {
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = folder.path().join("hostile");
    fs::copy(std::env::current_exe().expect("this program"), &program).expect("copied");
    let own = folder.path().join("own");
    fs::create_dir(&own).expect("made");
    std::os::unix::fs::chown(&own, Some(65_534), Some(65_534)).expect("an owner");
    for path in [folder.path(), &program] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a mode");
    }
    let mut command = Command::new(program);
    command.args(["--exact", test, "--ignored", "--nocapture"]).current_dir(&own);
    command.env("HOSTILE_CHILD", "1").env("TMPDIR", &own).env("HOME", &own).uid(65_534).gid(65_534);
    let output = command.output().expect("it runs");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn t16_weird_trees_come_back_as_they_were_for_a_user_without_rights() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let text = as_nobody("weird::child_weird_trees");
    assert!(text.contains("weird trees as user 65534"), "{text}");
    println!("{}", text.lines().find(|line| line.contains("weird trees as")).unwrap_or_default());
}

#[test]
fn t16_sources_that_are_no_folders_or_empty_come_back() {
    let world = World::new();
    put(&world.path(""), "file source", "content");
    symlink("file source", world.path("link source")).expect("a link");
    symlink("nothing", world.path("dangling source")).expect("a link");
    fs::create_dir(world.path("empty source")).expect("made");
    let names = ["file source", "link source", "dangling source", "empty source"];
    world.settings(|settings| {
        for name in names {
            settings.put_source(SourceSettings::new(world.path(name)));
        }
    });
    let socket = UnixListener::bind(world.source().join("socket")).expect("a socket");
    let report = world.backup();
    assert_eq!(report.problems, []);
    let target = world.path("target");
    let report = restore_snapshot(&world.open(), report.snapshot_id.expect("a snapshot"), &target).expect("restored");
    assert_eq!((report.problems.len(), report.sockets_left_out), (0, 1));
    drop(socket);
    let restored = target.join(world.path("").strip_prefix("/").expect("absolute"));
    for name in names {
        let trees: [Tree; 2] = [tree(&world.path(name)), tree(&restored.join(name))];
        assert!(differences(&trees[0], &trees[1]).is_empty(), "{name}");
    }
}

#[test]
fn t16_what_a_user_without_rights_cannot_read_is_said() {
    if rustix::process::geteuid().is_root() {
        as_nobody("weird::child_unreadable");
    } else {
        unreadable();
    }
}

#[test]
#[ignore = "run by the one before, as somebody else"]
fn child_unreadable() {
    if std::env::var_os("HOSTILE_CHILD").is_some() {
        unreadable();
    }
}

fn unreadable() {
    let world = World::new();
    world.write("closed file", "secret");
    world.write("closed folder/inside", "secret");
    world.write("open", "open");
    for name in ["closed file", "closed folder"] {
        fs::set_permissions(world.source().join(name), Permissions::from_mode(0o000)).expect("a mode");
    }
    let report = world.backup();
    let mut paths: Vec<PathBuf> = report.problems.iter().map(|problem| problem.path.clone()).collect();
    paths.sort();
    assert_eq!(paths, ["closed file", "closed folder"].map(|name| world.source().join(name)));
    fs::set_permissions(world.source().join("closed folder"), Permissions::from_mode(0o700)).expect("a mode");
}

/// Something mounted, until it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// None where this user, or this system, may not.
    fn new(arguments: &[&std::ffi::OsStr], at: &Path) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(at).output();
        done.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A test that fails may still have something open there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn t16_what_is_mounted_in_a_source_is_in_it_or_left_out() {
    let world = World::new();
    for name in ["memory", "bound", "bound file"] {
        world.write(&format!("{name}/below"), "what the mount hides");
    }
    world.write("beside", "beside");
    let other = world.path("other");
    fs::create_dir_all(other.join("folder")).expect("made");
    put(&other, "folder/inside", noise(100_000, 1));
    let memory = Mounted::new(&["-t".as_ref(), "tmpfs".as_ref(), "none".as_ref()], &world.source().join("memory"));
    let bound = Mounted::new(&["--bind".as_ref(), other.as_ref()], &world.source().join("bound"));
    let file = other.join("folder/inside");
    let bound_file = Mounted::new(&["--bind".as_ref(), file.as_ref()], &world.source().join("bound file/below"));
    let (Some(_memory), Some(_bound), Some(_bound_file)) = (memory, bound, bound_file) else {
        println!("SKIPPED: nothing can be mounted here");
        return;
    };
    put(&world.source().join("memory"), "in memory", "of another file system");
    symlink("../bound", world.source().join("memory/link")).expect("a link");
    let report = world.backup();
    assert_eq!(report.problems, []);
    let restored_to = |target: &str, id| {
        let target = world.path(target);
        let report = restore_snapshot(&world.open(), id, &target).expect("restored");
        assert_eq!(report.problems, []);
        target.join(world.source().strip_prefix("/").expect("absolute"))
    };
    let id = report.snapshot_id.expect("a snapshot");
    let found = differences(&tree(&world.source()), &tree(&restored_to("all", id)));
    assert!(found.is_empty(), "{found:#?}");

    world.settings(|settings| {
        let source = SourceSettings { one_file_system: true, ..SourceSettings::new(world.source()) };
        settings.put_source(source);
    });
    let id = world.backup().snapshot_id.expect("a snapshot");
    let restored = restored_to("one file system", id);
    assert_eq!(fs::read_dir(restored.join("memory")).expect("the folder to mount on").count(), 0);
    assert_eq!(fs::read(restored.join("beside")).expect("restored"), b"beside");
}

#[test]
fn t16_what_is_mounted_stays_where_a_restore_deletes() {
    let world = World::new();
    for name in ["memory/below", "bound/below", "beside"] {
        world.write(name, name);
    }
    let other = world.path("other");
    fs::create_dir_all(other.join("folder")).expect("made");
    put(&other, "folder/inside", "inside");
    let memory = Mounted::new(&["-t".as_ref(), "tmpfs".as_ref(), "none".as_ref()], &world.source().join("memory"));
    let Some(memory) = memory else {
        println!("SKIPPED: nothing can be mounted here");
        return;
    };
    world.settings(|settings| {
        let source = SourceSettings { one_file_system: true, ..SourceSettings::new(world.source()) };
        settings.put_source(source);
    });
    let id = world.backup().snapshot_id.expect("a snapshot");

    // Nothing was mounted there when the backup ran, and what is mounted there now may be of the same file system.
    let new = world.source().join("new/deep");
    fs::create_dir_all(new.join("below")).expect("made");
    let bind = ["--bind".as_ref(), other.as_os_str()];
    let bound = Mounted::new(&bind, &world.source().join("bound")).expect("mounted");
    let in_new = Mounted::new(&bind, &new.join("below")).expect("mounted");
    fs::create_dir(world.source().join("memory/folder")).expect("made");
    put(&world.source().join("memory"), "folder/precious", "precious");
    put(&world.source(), "extra", "extra");
    let request = RestoreRequest { delete: true, ..snapshot(id) };
    let plan = restore::plan(&world.open(), request.clone(), &Silent).expect("a plan");
    let mut foreseen = Vec::new();
    let deletions = restore::deletions(&world.open(), &plan, &Silent, &mut |path| foreseen.push(path.to_owned()));
    let deletions = deletions.expect("a look");
    assert_eq!(foreseen, [world.source().join("extra")]);

    let report = restore_with(&world.open(), request).expect("restored");
    assert_eq!(fs::read(world.source().join("memory/folder/precious")).expect("still there"), b"precious");
    assert_eq!(fs::read(other.join("folder/inside")).expect("still there"), b"inside");
    assert_eq!((report.deleted, deletions.deleted), (1, 1), "{:?}", report.problems);
    assert_eq!(report.problems, deletions.problems);
    let problems: Vec<_> = report.problems.iter().map(|found| (found.path.clone(), found.detail.as_str())).collect();
    let crossed = "another file system is mounted there, and nothing in it was deleted";
    let expected = [
        ("bound", crossed),
        ("memory", crossed),
        ("new", "it is not in the snapshot and cannot be removed: another file system is mounted in it"),
    ];
    assert_eq!(problems, expected.map(|(name, detail)| (world.source().join(name), detail)));

    // Where nothing else is in what is mounted, there is nothing to be said.
    drop((bound, in_new));
    fs::remove_dir_all(world.source().join("memory/folder")).expect("removed");
    let report = restore_with(&world.open(), RestoreRequest { delete: true, ..snapshot(id) }).expect("restored");
    assert_eq!((report.problems, report.deleted), (Vec::new(), 3));
    drop(memory);
}

/// A file that nobody may change, until it is dropped.
struct Immutable(PathBuf);

impl Immutable {
    fn new(path: PathBuf) -> Option<Self> {
        let done = Command::new("chattr").arg("+i").arg(&path).output();
        done.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        let _ = Command::new("chattr").arg("-i").arg(&self.0).status();
    }
}

#[test]
fn t16_immutable_files_are_backed_up_and_are_in_nobodys_way() {
    let world = World::new();
    for name in ["a", "fixed", "folder/inside", "z"] {
        world.write(name, name);
    }
    let [file, folder] = ["fixed", "folder"].map(|name| Immutable::new(world.source().join(name)));
    let (Some(_file), Some(_folder)) = (file, folder) else {
        println!("SKIPPED: no file can be made immutable here");
        return;
    };
    let report = world.backup();
    assert_eq!(report.problems, []);
    let id = report.snapshot_id.expect("a snapshot");
    let target = world.path("target");
    let restored = target.join(world.source().strip_prefix("/").expect("absolute"));
    let report = restore_snapshot(&world.open(), id, &target).expect("restored");
    assert_eq!(report.problems, []);
    // The attribute itself is no part of a backup: what was restored can be changed.
    let found = differences(&tree(&world.source()), &tree(&restored));
    assert!(found.is_empty(), "{found:#?}");

    for name in ["a", "fixed", "folder/inside", "z"] {
        fs::write(restored.join(name), "changed since").expect("written");
    }
    let [file, folder] = ["fixed", "folder"].map(|name| Immutable::new(restored.join(name)));
    let report = restore_snapshot(&world.open(), id, &target).expect("restored as far as it can be");
    let mut problems: Vec<PathBuf> = report.problems.iter().map(|problem| problem.path.clone()).collect();
    problems.dedup();
    assert!(
        !problems.is_empty()
            && problems
                .iter()
                .all(|path| path.starts_with(restored.join("fixed")) || path.starts_with(restored.join("folder"))),
        "{problems:?}"
    );
    for name in ["a", "z"] {
        assert_eq!(fs::read(restored.join(name)).expect("restored"), name.as_bytes());
    }
    assert_eq!(fs::read(restored.join("fixed")).expect("there"), b"changed since");
    drop((file, folder));
}

#[test]
#[ignore = "a minute"]
fn t16_a_hundred_thousand_names_of_one_file() {
    const NAMES: usize = 100_000;
    let world = World::in_memory();
    world.write("first", noise(1000, 1));
    let mut made = 1;
    for number in 0..NAMES {
        let below = world.source().join(format!("{}", number % 50));
        fs::create_dir_all(&below).expect("made");
        match fs::hard_link(world.source().join("first"), below.join(format!("{number}"))) {
            Ok(()) => made += 1,
            Err(error) => {
                println!("{made} names, then {error}");
                break;
            }
        }
    }
    let report = world.backup();
    assert_eq!(report.problems, []);
    let target = world.path("target");
    let report = restore_snapshot(&world.open(), report.snapshot_id.expect("a snapshot"), &target).expect("restored");
    assert_eq!(report.problems, []);
    let restored = target.join(world.source().strip_prefix("/").expect("absolute"));
    assert_eq!(fs::metadata(restored.join("first")).expect("restored").nlink(), made);
    let found = differences(&tree(&world.source()), &tree(&restored));
    assert!(found.is_empty(), "{} differ", found.len());
    println!("{made} names of one file");
}
