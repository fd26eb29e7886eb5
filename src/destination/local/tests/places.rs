//! Folders that move, fill up, turn read-only, and hold strangers.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{create, header, leftovers, mark, new_destination, new_root, pack};
use crate::destination::{CreateError, Destination, DestinationErrorKind, LocalDestination, Settle};
use crate::format::id::ObjectHash;
use crate::format::layout::{ObjectKind, ObjectName};

/// Something mounted for the length of a test.
struct Mounted(PathBuf);

impl Mounted {
    /// Runs `mount` with these arguments and the folder; `None`, with a word why, where that is not allowed.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn new(arguments: &[&str], folder: &Path) -> Option<Self> {
        let problem = match Command::new("mount").args(arguments).arg(folder).output() {
            Ok(output) if output.status.success() => return Some(Self(folder.to_owned())),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        eprintln!("skipped, because nothing can be mounted here: {problem}");
        None
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} stays mounted", self.0.display());
    }
}

fn kind_of_check(destination: &LocalDestination) -> DestinationErrorKind {
    destination.check_place().expect_err("the place has changed").kind
}

fn packs(destination: &LocalDestination) -> Vec<ObjectName> {
    let mut found = Vec::new();
    destination.list(ObjectKind::Packs, None, &mut |name, _| found.push(name)).expect("can be listed");
    found
}

#[test]
fn a_folder_that_was_moved_is_noticed_and_nobody_else_is_written_to() {
    let (above, root, moved) = new_destination();
    moved.check_place().expect("it is there");
    let away = above.path().join("away");
    fs::rename(&root, &away).expect("moved");
    assert_eq!(kind_of_check(&moved), DestinationErrorKind::Offline);

    // The same destination by name and mark, but not the folder that was opened.
    let other = create(&root);
    assert_eq!(kind_of_check(&moved), DestinationErrorKind::Offline);
    moved.put(&pack(b"a"), b"a").expect("it goes where the folder went");
    moved.settle(Settle::Touched).expect("settle");
    assert_eq!(packs(&moved), [pack(b"a")]);
    assert!(packs(&other).is_empty(), "nothing arrives where nobody looked");
    other.check_place().expect("it is the one at its path");

    fs::remove_dir_all(&root).expect("goes");
    fs::rename(&away, &root).expect("moved back");
    moved.check_place().expect("it is there again");
}

#[test]
fn a_mount_over_the_folder_receives_nothing() {
    let (_above, root, below) = new_destination();
    let Some(mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=64k", "none"], &root) else { return };
    assert_eq!(kind_of_check(&below), DestinationErrorKind::Offline);
    below.put(&pack(b"a"), b"a").expect("it goes to the folder that was opened");
    assert_eq!(fs::read_dir(&root).expect("the mount").count(), 0, "nothing arrives in the mount");
    drop(mounted);
    below.check_place().expect("it is there again");
    assert_eq!(packs(&below), [pack(b"a")]);
}

#[test]
fn another_mark_is_another_place() {
    let (_above, root, destination) = new_destination();
    let stored = fs::read(root.join("dest.id")).expect("is there");
    for changed in [Some(&b"other"[..]), Some(b""), None] {
        match changed {
            Some(bytes) => fs::write(root.join("dest.id"), bytes).expect("written"),
            None => fs::remove_file(root.join("dest.id")).expect("goes"),
        }
        assert_eq!(kind_of_check(&destination), DestinationErrorKind::Offline, "{changed:?}");
    }
    fs::write(root.join("dest.id"), stored).expect("written");
    destination.check_place().expect("the same again");
}

#[test]
fn a_folder_that_was_removed_is_gone_and_not_merely_empty() {
    let (_above, root, destination) = new_destination();
    destination.put(&pack(b"a"), b"a").expect("put");
    fs::remove_dir_all(&root).expect("goes");
    let offline = DestinationErrorKind::Offline;
    assert_eq!(kind_of_check(&destination), offline);
    assert_eq!(destination.get(&pack(b"a"), None).expect_err("gone").kind, offline);
    assert_eq!(destination.put(&pack(b"b"), b"b").expect_err("gone").kind, offline);
    assert_eq!(destination.replace(&pack(b"b"), b"b").expect_err("gone").kind, offline);
    assert_eq!(destination.list(ObjectKind::Packs, None, &mut |_, _| ()).expect_err("gone").kind, offline);
    assert_eq!(destination.settle(Settle::Touched).expect_err("gone").kind, offline);
}

#[test]
fn a_full_disk_is_full_and_leaves_no_part() {
    let (_above, root) = new_root();
    fs::create_dir(&root).expect("a mount point");
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=6m", "none"], &root) else { return };
    let destination = create(&root);
    let free = destination.free_bytes().expect("can be asked").expect("is known");
    assert!((1 << 20..=2 << 20).contains(&free), "6 MiB less the reserve: {free}");
    let large = vec![1; 3 << 20];
    let error = destination.put(&pack(&large), &large).expect_err("too large");
    assert_eq!(error.kind, DestinationErrorKind::Full, "{error}");
    assert!(leftovers(&root).is_empty());
    assert!(packs(&destination).is_empty());
    assert_eq!(destination.free_bytes().expect("can be asked"), Some(free), "all room is given back");
    destination.put(&pack(b"small"), b"small").expect("there is room for a small one");
    destination.delete(&ObjectName::Reserve).expect("the reserve makes room");
    destination.put(&pack(&large), &large).expect("there is room now");
}

#[test]
fn a_disk_too_small_for_the_reserve_is_full_and_no_destination() {
    let (_above, root) = new_root();
    fs::create_dir(&root).expect("a mount point");
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=3m", "none"], &root) else { return };
    let error = LocalDestination::create(&root, mark(), &header()).expect_err("no room");
    assert!(matches!(error, CreateError::Io(error) if error.kind == DestinationErrorKind::Full));
    assert!(!root.join("dest.id").exists());
}

#[test]
fn a_read_only_disk_says_so_and_still_reads() {
    let (_above, root, writable) = new_destination();
    writable.put(&pack(b"a"), b"a").expect("put");
    let text = root.to_str().expect("is text").to_owned();
    let Some(_mounted) = Mounted::new(&["--bind", &text], &root) else { return };
    // The same mount once more, so one unmounting is enough.
    let Some(remounted) = Mounted::new(&["-o", "remount,bind,ro"], &root) else { return };
    std::mem::forget(remounted);
    let destination = LocalDestination::open(&root, None).expect("opens");
    let read_only = DestinationErrorKind::ReadOnly;
    assert_eq!(destination.put(&pack(b"b"), b"b").expect_err("read-only").kind, read_only);
    assert_eq!(destination.replace(&pack(b"a"), b"a").expect_err("read-only").kind, read_only);
    assert_eq!(destination.delete(&pack(b"a")).expect_err("read-only").kind, read_only);
    assert_eq!(destination.get(&pack(b"a"), None).expect("reads"), b"a");
    destination.check_place().expect("it is there");
}

#[test]
fn strangers_and_leftovers_are_passed_over() {
    let (_above, root, destination) = new_destination();
    let name = pack(b"ours");
    destination.put(&name, b"ours").expect("put");
    let hex = ObjectHash::of(b"stranger").to_string();
    let (folder, wrong_folder) = (&hex[..2], if hex.starts_with("00") { "01" } else { "00" });
    for stranger in [
        "tmp/00112233445566778899aabbccddeeff".to_owned(),
        format!("tmp/{hex}"),
        "packs/desktop.ini".to_owned(),
        format!("packs/{folder}/.DS_Store"),
        format!("packs/{folder}/{}", &hex[..63]),
        format!("packs/{folder}/{}", hex.to_uppercase()),
        format!("packs/{wrong_folder}/{hex}"),
        format!("packs/{hex}"),
        "config/app.toml".to_owned(),
    ] {
        fs::write(root.join(&stranger), b"stranger").expect("written");
    }
    fs::create_dir(root.join(format!("packs/{folder}/{hex}"))).expect("a folder with the name of a pack");
    let not_text = root.join("packs/00").join(OsStr::from_bytes(b"\xff\xfe"));
    fs::write(not_text, b"stranger").expect("written");
    assert_eq!(packs(&destination), [name]);
    destination.list(ObjectKind::Config, None, &mut |name, _| panic!("{name}")).expect("can be listed");
    LocalDestination::open(&root, None).expect("strangers do no harm");
}

#[test]
fn what_is_no_regular_file_is_damage_and_never_waited_for() {
    let (above, root, destination) = new_destination();
    let path = root.join(pack(b"a").path());
    let outside = above.path().join("outside");
    fs::write(&outside, b"a").expect("written");
    let pipe = || rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).expect("a pipe");
    // A path longer than about 100 bytes is too long for a socket, so it is made elsewhere.
    let socket = || {
        let made = above.path().join("s");
        drop(std::os::unix::net::UnixListener::bind(&made).expect("a socket"));
        fs::rename(made, &path).expect("moved");
    };
    let huge = || fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a file");
    let link = || symlink(&outside, &path).expect("a link");
    let folder = || fs::create_dir(&path).expect("a folder");
    let odd: [(&str, &dyn Fn()); 5] =
        [("pipe", &pipe), ("socket", &socket), ("link", &link), ("huge", &huge), ("folder", &folder)];
    for (what, make) in odd {
        make();
        let damaged = DestinationErrorKind::Damaged;
        assert_eq!(destination.get(&pack(b"a"), None).expect_err(what).kind, damaged, "{what}");
        assert_eq!(destination.get(&pack(b"a"), Some(0..1 << 39)).expect_err(what).kind, damaged, "{what}");
        assert_eq!(destination.put(&pack(b"a"), b"a").expect_err(what).kind, damaged, "{what}");
        if what == "folder" {
            fs::remove_dir(&path).expect("goes");
        } else {
            destination.replace(&pack(b"a"), b"a").expect("healing replaces it");
            assert_eq!(destination.get(&pack(b"a"), None).expect("healed"), b"a", "{what}");
            destination.delete(&pack(b"a")).expect("delete");
        }
    }
    assert_eq!(fs::read(&outside).expect("is there"), b"a", "nothing outside was touched");
}
