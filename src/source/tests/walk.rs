//! What a walk gives, and in which order.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, openat};

use super::{entry, folder, lines, listed, options, plant, skipped, special, unprivileged, walk};
use crate::source::{Entry, EntryKind, Event, FolderIdentity, SourceError, SourceFile, Walk, WalkOptions};

#[test]
fn children_come_sorted_as_bytes_before_the_next_sibling() {
    let root = folder();
    plant(root.path(), &["a/z", "a/b/c", "a.b", "a-", "B", "empty/", "é"]);
    let (lines, excluded) = listed(options(root.path()));
    assert_eq!(lines, ["/", "B", "a/", "a/b/", "a/b/c", "a/z", "a-", "a.b", "empty/", "\\xc3\\xa9"]);
    assert_eq!(excluded, 0);
}

#[test]
fn an_entry_says_what_the_file_system_says() {
    let root = folder();
    plant(root.path(), &["f"]);
    let path = root.path().join("f");
    fs::write(&path, [7; 5000]).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6751)).expect("its mode");
    let stat = entry(&path).stat;
    assert_eq!((stat.mode, stat.size, stat.links), (0o6751, 5000, 1));
    assert!(stat.blocks_bytes >= 5000 && stat.blocks_bytes.is_multiple_of(512));
    let known = rustix::fs::lstat(&path).expect("its stat");
    assert_eq!((stat.inode, stat.dev), (known.st_ino, known.st_dev));
    assert_eq!((stat.mtime.seconds, u64::from(stat.mtime.nanos)), (known.st_mtime, known.st_mtime_nsec));
    assert_eq!((stat.ctime.seconds, u64::from(stat.ctime.nanos)), (known.st_ctime, known.st_ctime_nsec));
}

#[test]
fn names_are_bytes() {
    let root = folder();
    let long = [b'x'; 255];
    let names: [&[u8]; 9] = [b"\x01", b" ", b"\"q'", b"-rf", b"a\nb", b"a\\b", b"tab\t. ", &long, b"\xff\xfe"];
    for name in names {
        fs::write(root.path().join(OsStr::from_bytes(name)), name).expect("any name the system takes");
    }
    let mut found = Vec::new();
    for event in walk(options(root.path())) {
        if let Event::Leaf(entry) = event {
            assert_eq!(fs::read(&entry.path).expect("a path that leads there"), entry.name);
            found.push(entry.name);
        }
    }
    assert_eq!(found, names);
}

#[test]
fn links_are_entries_and_never_followed() {
    let root = folder();
    plant(root.path(), &["f", "d/g"]);
    let targets: [(&str, &[u8]); 6] = [
        ("l-abs", b"/etc"),
        ("l-dangling", b"no/such \xff thing"),
        ("l-dir", b"d"),
        ("l-loop", b"l-loop"),
        ("l-to-link", b"l-dir"),
        ("l-up", b".."),
    ];
    for (name, target) in targets {
        symlink(OsStr::from_bytes(target), root.path().join(name)).expect("a link");
    }
    let (lines, _) = listed(options(root.path()));
    assert_eq!(lines, ["/", "d/", "d/g", "f", "l-abs", "l-dangling", "l-dir", "l-loop", "l-to-link", "l-up"]);
    for (name, target) in targets {
        assert_eq!(entry(&root.path().join(name)).kind, EntryKind::Symlink(target.to_vec()));
    }
}

#[test]
fn pipes_sockets_and_devices_are_recorded_without_opening_them() {
    let root = folder();
    special(&root.path().join("pipe"), FileType::Fifo, 0).expect("a pipe");
    let _socket = UnixListener::bind(root.path().join("socket")).expect("a socket");
    let (lines, _) = listed(options(root.path()));
    assert_eq!(lines, ["/", "pipe", "socket"]);
    assert_eq!(entry(&root.path().join("pipe")).kind, EntryKind::Fifo);
    assert_eq!(entry(&root.path().join("socket")).kind, EntryKind::Socket);
    assert_eq!(entry(Path::new("/dev/null")).kind, EntryKind::CharDevice(1, 3));
    let block = root.path().join("block");
    match special(&block, FileType::BlockDevice, rustix::fs::makedev(7, 300)) {
        Ok(()) => assert_eq!(entry(&block).kind, EntryKind::BlockDevice(7, 300)),
        Err(error) => skipped(&format!("block devices, which this user cannot make: {error}")),
    }
}

#[test]
fn what_vanishes_during_the_walk_is_told_and_the_rest_goes_on() {
    let root = folder();
    plant(root.path(), &["a", "b", "c/x", "d/", "e"]);
    let mut walk = walk(options(root.path()));
    assert!(matches!(walk.next(), Some(Event::Enter(_))));
    fs::remove_file(root.path().join("b")).expect("a file to remove");
    fs::remove_dir_all(root.path().join("c")).expect("a folder to remove");
    assert_eq!(lines_after_root(&mut walk, root.path()), ["a", "!vanished b", "!vanished c", "d/", "e"]);
}

#[test]
fn a_folder_that_is_removed_after_it_was_entered_loses_its_children_only() {
    let root = folder();
    plant(root.path(), &["a/1", "a/2", "b"]);
    let mut walk = walk(options(root.path()));
    assert!(matches!(walk.by_ref().nth(1), Some(Event::Enter(_))));
    fs::remove_dir_all(root.path().join("a")).expect("a folder to remove");
    let rest: Vec<Event> = walk.collect();
    assert!(matches!(&rest[0], Event::Unreadable { name, entry: None, .. } if name == b"1"));
    assert!(matches!(&rest[1], Event::Unreadable { name, .. } if name == b"2"));
    assert!(matches!((&rest[2], &rest[3]), (Event::Leave, Event::Leaf(_))));
}

#[test]
fn what_turns_into_something_else_is_taken_as_what_it_is_now() {
    let root = folder();
    plant(root.path(), &["a/x", "b", "c/x", "d"]);
    let mut walk = walk(options(root.path()));
    assert!(matches!(walk.next(), Some(Event::Enter(_))));
    for name in ["a", "c"] {
        fs::remove_dir_all(root.path().join(name)).expect("a folder to remove");
    }
    fs::remove_file(root.path().join("b")).expect("a file to remove");
    symlink("/etc", root.path().join("a")).expect("a link");
    plant(root.path(), &["b/y", "c"]);
    assert_eq!(lines_after_root(&mut walk, root.path()), ["a", "b/", "b/y", "c", "d"]);
}

#[test]
fn what_may_not_be_read_is_told_and_the_rest_goes_on() {
    let root = folder();
    plant(root.path(), &["a", "closed/x", "names-only/x", "names-only/y/", "z", "locked"]);
    let mode = |name: &str, mode| {
        fs::set_permissions(root.path().join(name), fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode("locked", 0);
    mode("closed", 0);
    mode("names-only", 0o444);
    let path = root.path();
    unprivileged(|| {
        let (lines, _) = listed(options(path));
        let expected = [
            "/",
            "a",
            "!unreadable closed",
            "locked",
            "names-only/",
            "!unreadable names-only/x",
            "!unreadable names-only/y",
            "z",
        ];
        assert_eq!(lines, expected);
        let closed = walk(options(path)).find_map(|event| match event {
            Event::Unreadable { name, entry, .. } if name == b"closed" => entry,
            _ => None,
        });
        let closed = closed.expect("a folder that cannot be listed is still known");
        assert_eq!((closed.kind, closed.stat.mode), (EntryKind::Folder, 0));
        assert!(matches!(Walk::new(options(&path.join("closed"))), Err(SourceError::NotReadable { .. })));
        assert!(matches!(Walk::new(options(&path.join("closed/x"))), Err(SourceError::NotReadable { .. })));
    });
    mode("closed", 0o700);
}

#[test]
fn a_root_may_be_a_file_or_a_link_and_must_be_something() {
    let root = folder();
    plant(root.path(), &["f", "d/x"]);
    symlink("d", root.path().join("l")).expect("a link");
    for name in ["f", "l", "l/", "./d/../l//"] {
        let given = root.path().join(name);
        let events: Vec<Event> = walk(WalkOptions { excludes: vec!["*".into()], ..options(&given) }).collect();
        let [Event::Leaf(entry)] = events.as_slice() else { panic!("{events:?} for {name}") };
        assert!(entry.name.is_empty());
        assert_eq!(matches!(entry.kind, EntryKind::Symlink(_)), name != "f");
    }
    for name in ["none", "f/below", "l/none"] {
        assert!(matches!(Walk::new(options(&root.path().join(name))), Err(SourceError::Missing { .. })), "{name}");
    }
    // Only a link at the end is the source itself; one on the way there is a way like any other.
    plant(root.path(), &["d/deep/y"]);
    let through = root.path().join("l/deep");
    assert_eq!(listed(options(&through)).0, ["/", "y"]);
}

#[test]
fn own_folders_are_skipped_and_are_no_source() {
    let root = folder();
    plant(root.path(), &["a/backup/packs/x", "backup", "state/config.yaml", "z"]);
    symlink("a/backup", root.path().join("to-backup")).expect("a link");
    let own = ["to-backup", "state"].map(|name| FolderIdentity::of(&root.path().join(name)).expect("a folder"));
    let with_own = |root: PathBuf| WalkOptions { skip_folders: own.to_vec(), ..options(&root) };
    let (lines, excluded) = listed(with_own(root.path().to_path_buf()));
    assert_eq!(lines, ["/", "a/", "backup", "to-backup", "z"]);
    assert_eq!(excluded, 2);
    assert!(matches!(Walk::new(with_own(root.path().join("state"))), Err(SourceError::OwnFolder { .. })));
}

#[test]
fn a_chain_deeper_than_any_path_is_walked_to_its_end() {
    const DEPTH: usize = 2_000;
    let root = folder();
    let name = "a-name-of-some-length";
    plant(root.path(), &["z"]);
    let mut at = openat(CWD, root.path(), OFlags::DIRECTORY, Mode::empty()).expect("the root");
    for _ in 0..DEPTH {
        mkdirat(&at, name, Mode::RWXU).expect("a folder");
        // A sibling that comes after, so that the walk has to go on at every level on its way back.
        mkdirat(&at, "b", Mode::RWXU).expect("a sibling");
        at = openat(&at, name, OFlags::DIRECTORY, Mode::empty()).expect("that folder");
    }
    let mut walk = walk(options(root.path()));
    let (mut deepest, mut depth, mut siblings, mut longest) = (0, 0, 0, 0);
    for event in walk.by_ref() {
        match event {
            Event::Enter(entry) => {
                depth += 1;
                deepest = deepest.max(depth);
                if depth == DEPTH {
                    // Other tests hold a few hundred at most.
                    let open = fs::read_dir("/proc/self/fd").map_or(0, |listed| listed.count());
                    assert!(open < 1_000, "{open} files are open");
                }
                siblings += usize::from(entry.name == b"b");
                longest = longest.max(entry.path.as_os_str().len());
            }
            Event::Leave => depth -= 1,
            Event::Leaf(entry) => assert_eq!(entry.name, b"z"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((deepest, siblings, depth), (DEPTH + 1, DEPTH, 0));
    assert!(longest > 10 * 4096, "{longest}");
}

#[test]
fn folders_renamed_away_under_a_deep_walk_do_not_mislead_it() {
    let root = folder();
    let chain = |from: usize| (from..100).map(|n| format!("{n:03}")).collect::<PathBuf>();
    fs::create_dir_all(root.path().join("a").join(chain(0))).expect("a chain");
    fs::write(root.path().join("a/000/z"), "").expect("a file beside the chain");
    fs::write(root.path().join("a/z"), "").expect("a file further up");
    fs::create_dir(root.path().join("elsewhere")).expect("a folder");
    fs::write(root.path().join("elsewhere/z"), "not this one").expect("a file");
    let mut walk = walk(options(root.path()));
    assert!(walk.by_ref().any(|event| matches!(event, Event::Enter(entry) if entry.name == b"099")));
    // Now 000 is closed; its child moves elsewhere, so that `..` leads to a wrong folder.
    fs::rename(root.path().join("a/000/001"), root.path().join("elsewhere/001")).expect("a rename");
    let leaves: Vec<_> = walk
        .filter_map(|event| match event {
            Event::Leaf(entry) => Some((entry.path, entry.stat.size)),
            _ => None,
        })
        .collect();
    let expected = [("a/000/z", 0), ("a/z", 0), ("elsewhere/z", 12)];
    assert_eq!(leaves, expected.map(|(name, size)| (root.path().join(name), size)));
}

#[test]
fn a_deep_walk_survives_that_the_folder_it_began_in_is_renamed() {
    let root = folder();
    let chain: PathBuf = (0..100).map(|n| format!("{n:03}")).collect();
    fs::create_dir_all(root.path().join("a").join(chain)).expect("a chain");
    plant(root.path(), &["a/000/z", "a/z", "z"]);
    let mut walk = walk(options(root.path()));
    assert!(walk.by_ref().any(|event| matches!(event, Event::Enter(entry) if entry.name == b"099")));
    fs::rename(root.path().join("a"), root.path().join("b")).expect("a rename");
    let leaves = walk.filter(|event| matches!(event, Event::Leaf(entry) if entry.name == b"z")).count();
    assert_eq!(leaves, 3);
}

#[test]
fn a_large_folder_comes_in_order() {
    const COUNT: usize = 100_000;
    let root = folder();
    // Links to one inode, which are quicker to make than files.
    fs::write(root.path().join("first"), "").expect("a file");
    let mut target = root.path().join("first");
    for n in 0..COUNT {
        let name = root.path().join(format!("{:x}", n.wrapping_mul(0x9E37_79B9) % 0xFFFF_FFFB));
        // ext4 allows 65,000 names of one inode.
        if n % 60_000 == 59_999 {
            fs::write(&name, "").expect("a file");
            target = name;
        } else {
            fs::hard_link(&target, &name).expect("another name");
        }
    }
    let names: Vec<Vec<u8>> = walk(options(root.path()))
        .filter_map(|event| match event {
            Event::Leaf(entry) => Some(entry.name),
            _ => None,
        })
        .collect();
    assert_eq!(names.len(), COUNT + 1);
    assert!(names.is_sorted_by(|a, b| a < b));
}

#[test]
fn a_source_that_never_stands_still_breaks_nothing() {
    let root = folder();
    plant(root.path(), &["a/1", "a/2", "b/", "c"]);
    let done = AtomicBool::new(false);
    let turn = |path: &Path, what: usize| -> io::Result<()> {
        if fs::remove_file(path).is_err() {
            fs::remove_dir_all(path)?;
        }
        match what % 5 {
            0 => fs::write(path, [b'x'; 5000]),
            1 => fs::create_dir_all(path.join("deep/deeper")),
            2 => symlink("a", path),
            3 => special(path, FileType::Fifo, 0),
            _ => Ok(()),
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in (0..).take_while(|_| !done.load(Ordering::Relaxed)) {
                // What cannot be turned now is turned next time.
                let _ = turn(&root.path().join(["a/1", "b", "c"][n % 3]), n / 3);
            }
        });
        let _stop = StopAtEnd(&done);
        let mut buffer = [0; 8192];
        for _ in 0..300 {
            let mut walk = walk(options(root.path()));
            // The helper checks that what comes is a tree; one file in it stands still.
            let lines = lines(&mut walk, root.path());
            assert!(lines.contains(&"a/2".to_owned()), "{lines:?}");
            for event in self::walk(options(root.path())) {
                let Event::Leaf(Entry { path, kind: EntryKind::File, stat, .. }) = event else { continue };
                if let Ok(mut file) = SourceFile::open(&path, &stat) {
                    while let Ok(Some(_)) = file.next_segment() {
                        while file.read(&mut buffer).is_ok_and(|got| got > 0) {}
                    }
                }
            }
        }
    });
}

/// Ends the other thread also when this one fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_walk_can_run_in_its_own_thread() {
    fn sendable<T: Send>(_: &T) {}
    let root = folder();
    sendable(&walk(options(root.path())));
}

/// The lines of a walk whose root was taken already.
fn lines_after_root(walk: &mut Walk, root: &Path) -> Vec<String> {
    walk.filter_map(|event| match event {
        Event::Enter(entry) => Some(format!("{}/", entry.path.strip_prefix(root).expect("below").display())),
        Event::Leaf(entry) => Some(entry.path.strip_prefix(root).expect("below").display().to_string()),
        Event::Unreadable { path, problem, .. } => {
            let kind = format!("{:?}", problem.kind).to_lowercase();
            Some(format!("!{kind} {}", path.strip_prefix(root).expect("below").display()))
        }
        _ => None,
    })
    .collect()
}
