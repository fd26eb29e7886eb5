//! Creating, opening and mending: what a folder must hold to be taken for a destination.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::faulty_disk::FaultyDisk;
use super::{create, header, leftovers, mark, new_destination, new_root, pack};
use crate::destination::disk::{RealDisk, RealRoots};
use crate::destination::{CreateError, Destination, LocalDestination, OpenError, Proof, RESERVE_LEN};
use crate::format::header::{DestinationMark, Features, RepoHeader};
use crate::format::id::{DestinationId, RepoId};
use crate::format::layout::{ObjectKind, ObjectName};

fn open(root: &Path) -> Result<LocalDestination, OpenError> {
    LocalDestination::open(root, Some(&mark()))
}

fn other_destination() -> DestinationMark {
    DestinationMark { destination: DestinationId::from_bytes([1; 16]), ..mark() }
}

fn other_repo() -> DestinationMark {
    DestinationMark { repo: RepoId::from_bytes([1; 16]), ..mark() }
}

fn entries(folder: &Path) -> Vec<String> {
    let list = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<_> =
        list.map(|entry| entry.expect("can be read").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn creating_makes_everything_and_only_for_the_owner() {
    let (_above, root, made) = new_destination();
    assert_eq!((made.mark(), made.header()), (mark(), header()));
    assert_eq!(made.describe(), root.display().to_string());
    assert_eq!(
        entries(&root),
        ["config", "cryptbackup.repo", "dest.id", "gc", "keys", "marks", "packs", "reserve", "snaps", "tmp", "writers"]
    );
    for kind in ObjectKind::ALL {
        assert_eq!(entries(&root.join(kind.folder())).len(), if kind.is_spread() { 256 } else { 0 }, "{kind:?}");
    }
    assert_eq!(entries(&root.join("packs"))[171], "ab");
    for (path, mode) in [("", 0o700), ("packs/ab", 0o700), ("tmp", 0o700), ("dest.id", 0o600), ("reserve", 0o600)] {
        let found = fs::metadata(root.join(path)).expect("is there").permissions().mode();
        assert_eq!(found & 0o777, mode, "{path}");
    }
    let reserve = fs::metadata(root.join("reserve")).expect("is there");
    assert_eq!(reserve.len(), RESERVE_LEN as u64);
    assert!(reserve.blocks() * 512 >= RESERVE_LEN as u64, "the reserve takes real room");
    assert!(leftovers(&root).is_empty());

    let opened = LocalDestination::open(&root, None).expect("opens without expectations, too");
    assert_eq!((opened.mark(), opened.header()), (mark(), header()));
    open(&root).expect("opens as the expected one");
}

#[test]
fn opening_never_creates_and_tells_apart_what_is_missing() {
    let (above, root) = new_root();
    assert!(matches!(open(&root), Err(OpenError::NotFound { .. })));
    assert!(matches!(open(&root.join("deeper")), Err(OpenError::NotFound { .. })));
    assert!(entries(above.path()).is_empty(), "nothing was made");

    fs::create_dir(&root).expect("an empty mount point");
    assert!(matches!(open(&root), Err(OpenError::NotADestination { .. })));
    assert!(entries(&root).is_empty(), "nothing was made");
    fs::write(root.join("letter.txt"), "dear").expect("somebody's file");
    assert!(matches!(open(&root), Err(OpenError::NotADestination { .. })));
    assert!(matches!(open(&root.join("letter.txt")), Err(OpenError::NotADestination { .. })));
}

#[test]
fn the_wrong_destination_is_refused_and_named() {
    let (_above, root, _) = new_destination();
    match LocalDestination::open(&root, Some(&other_destination())) {
        Err(OpenError::WrongDevice { found, .. }) => assert_eq!(found, mark()),
        other => panic!("{:?}", other.err()),
    }
    match LocalDestination::open(&root, Some(&other_repo())) {
        Err(OpenError::WrongRepo { found, .. }) => assert_eq!(found, mark()),
        other => panic!("{:?}", other.err()),
    }
}

/// Puts something else in the place of one of the fixed objects.
fn damage_file(path: &Path, damage: &str) {
    let mut stored = fs::read(path).expect("is there");
    fs::remove_file(path).expect("goes");
    match damage {
        "flipped" => stored[20] ^= 1,
        "cut" => stored.truncate(63),
        "longer" => stored.push(0),
        "empty" => stored.clear(),
        _ => {}
    }
    match damage {
        "missing" => {}
        "a folder" => fs::create_dir(path).expect("a folder"),
        "huge" => fs::File::create(path).and_then(|file| file.set_len(1 << 40)).expect("a sparse file"),
        _ => fs::write(path, stored).expect("written"),
    }
}

#[test]
fn damage_to_the_fixed_objects_is_told_with_what_is_still_known_and_mended() {
    for object in [ObjectName::DestinationMark, ObjectName::Header] {
        for damage in ["flipped", "cut", "longer", "empty", "missing", "a folder", "huge"] {
            let (_above, root, made) = new_destination();
            made.put(&pack(b"kept"), b"kept").expect("put");
            let path = root.join(object.path());
            damage_file(&path, damage);
            match open(&root) {
                Err(OpenError::Damaged(found)) => {
                    let header_is_hit = object == ObjectName::Header;
                    assert_eq!(found.object, object, "{damage}");
                    assert_eq!(found.mark, header_is_hit.then(mark), "{damage}");
                    assert_eq!(found.header, (!header_is_hit).then(header), "{damage}");
                }
                other => panic!("{object} {damage}: {:?}", other.err()),
            }
            if damage == "a folder" {
                fs::remove_dir(&path).expect("goes");
            }
            let (mended, count) = LocalDestination::mend(&root, &mark(), &header()).expect("one of the two proves it");
            assert_eq!(count, 1, "{damage}");
            assert_eq!(mended.get(&pack(b"kept"), None).expect("untouched"), b"kept");
            open(&root).expect("mended");
        }
    }
}

#[test]
fn mending_makes_missing_folders_again() {
    let (_above, root, made) = new_destination();
    fs::remove_dir(root.join("packs/3f")).expect("goes");
    fs::remove_dir(root.join("config")).expect("goes");
    let error = made.list(ObjectKind::Packs, None, &mut |_, _| ()).expect_err("a folder is missing");
    assert!(error.to_string().contains("packs/3f"), "{error}");
    let (mended, count) = LocalDestination::mend(&root, &mark(), &header()).expect("mends");
    assert_eq!(count, 2);
    mended.list(ObjectKind::Packs, None, &mut |_, _| ()).expect("complete again");
}

#[test]
fn mending_wants_a_proof_that_it_is_the_right_folder() {
    let (_above, root, made) = new_destination();
    made.put(&pack(b"an object"), b"an object").expect("put");
    let mend = |mark: &DestinationMark| LocalDestination::mend(&root, mark, &RepoHeader::new(mark.repo)).err();
    assert!(matches!(mend(&other_destination()), Some(OpenError::WrongDevice { .. })));
    assert!(matches!(mend(&other_repo()), Some(OpenError::WrongRepo { .. })));
    fs::remove_file(root.join("dest.id")).expect("goes");
    assert!(matches!(mend(&other_repo()), Some(OpenError::Damaged(_))), "its header is of another repository");
    fs::remove_file(root.join("cryptbackup.repo")).expect("goes");
    assert!(matches!(mend(&mark()), Some(OpenError::Damaged(_))), "nothing proves it");
    assert!(!root.join("dest.id").exists() && !root.join("cryptbackup.repo").exists(), "nothing was written");

    let by_keys = |mark: &DestinationMark| {
        LocalDestination::mend_at(&RealRoots, &root, mark, &RepoHeader::new(mark.repo), Proof::Keys)
    };
    let (_, count) = by_keys(&mark()).expect("whoever could open something there knows");
    assert_eq!(count, 2);
    open(&root).expect("mended");
    assert!(matches!(by_keys(&other_repo()), Err(OpenError::WrongRepo { .. })), "what can be read says more");
    fs::remove_file(root.join("dest.id")).expect("goes");
    assert!(matches!(by_keys(&other_repo()), Err(OpenError::Damaged(_))), "so does the header alone");
    fs::remove_file(root.join("cryptbackup.repo")).expect("goes");
    made.delete(&pack(b"an object")).expect("delete");
    assert!(matches!(by_keys(&mark()), Err(OpenError::NotADestination { .. })), "keys of nothing prove nothing");
}

#[test]
fn a_header_of_another_repository_is_damage() {
    let (_above, root, made) = new_destination();
    made.replace(&ObjectName::Header, &RepoHeader::new(other_repo().repo).encode()).expect("replace");
    assert!(matches!(open(&root), Err(OpenError::Damaged(found)) if found.object == ObjectName::Header));
    assert!(LocalDestination::mend(&root, &mark(), &header()).is_err(), "bits that flip do not make another one");
}

#[test]
fn a_newer_format_is_not_damage() {
    let (_above, root, made) = new_destination();
    let newer = RepoHeader { features: Features { required: 1, ..Features::default() }, ..header() };
    made.replace(&ObjectName::Header, &newer.encode()).expect("replace");
    assert!(matches!(open(&root), Err(OpenError::Unsupported { object: ObjectName::Header, .. })));
    assert!(matches!(LocalDestination::mend(&root, &mark(), &header()), Err(OpenError::Unsupported { .. })));
}

#[test]
fn creating_wants_a_parent_a_folder_and_no_destination() {
    let (above, root) = new_root();
    let refused = |path: &Path| LocalDestination::create(path, other_destination(), &header()).expect_err("refused");
    assert!(matches!(refused(&root.join("deeper")), CreateError::ParentMissing { .. }));
    assert!(entries(above.path()).is_empty(), "no parent was made");
    fs::write(&root, "a file").expect("written");
    assert!(matches!(refused(&root), CreateError::NotAFolder { .. }));
    fs::remove_file(&root).expect("goes");

    let made = create(&root);
    made.put(&pack(b"kept"), b"kept").expect("put");
    assert!(matches!(refused(&root), CreateError::AlreadyDestination { found: Some(found), .. } if found == mark()));
    made.replace(&ObjectName::DestinationMark, b"torn").expect("replace");
    assert!(matches!(refused(&root), CreateError::AlreadyDestination { found: None, .. }));
    fs::remove_file(root.join("dest.id")).expect("goes");
    assert!(matches!(refused(&root), CreateError::InTheWay { .. }), "its objects are somebody's");
    made.delete(&pack(b"kept")).expect("delete");
    made.replace(&ObjectName::Header, &RepoHeader::new(other_repo().repo).encode()).expect("replace");
    assert!(matches!(refused(&root), CreateError::InTheWay { .. }), "its header is another's");
}

#[test]
fn other_files_may_stay_but_not_under_our_names() {
    for stranger in ["config/app.toml", "tmp/notes", "packs/ab/photo", "packs/shoes/photo", "keys", "reserve"] {
        let (_above, root) = new_root();
        let path = root.join(stranger);
        fs::create_dir_all(path.parent().expect("has one")).expect("folders");
        fs::write(&path, "somebody's").expect("written");
        match LocalDestination::create(&root, mark(), &header()) {
            Err(CreateError::InTheWay { name, .. }) => assert!(stranger.starts_with(&name), "{name}"),
            other => panic!("{stranger}: {:?}", other.err()),
        }
        assert_eq!(fs::read(&path).expect("is there"), b"somebody's");
        assert_eq!(entries(&root).len(), 1, "a refused folder stays as it was");
    }
    let (_above, root) = new_root();
    fs::create_dir_all(root.join("photos")).expect("folders");
    fs::create_dir_all(root.join("config")).expect("an empty folder is nobody's");
    fs::write(root.join("photos/1.jpg"), "smile").expect("written");
    create(&root);
    assert_eq!(fs::read(root.join("photos/1.jpg")).expect("is there"), b"smile");
}

/// Creates on a disk that is pulled out after so many changes; whether it got to the end.
fn create_cut_after(root: &Path, changes: usize) -> bool {
    let seen = AtomicUsize::new(0);
    let disk = FaultyDisk::open(root, move |call, path| {
        let is_change = !matches!(call, "look" | "list" | "read" | "is_in_place");
        let is_late = is_change && seen.fetch_add(1, Ordering::Relaxed) >= changes;
        if is_late { Err(io::Error::other(format!("cut before {call} {path}"))) } else { Ok(()) }
    });
    LocalDestination::create_on(Box::new(disk), "cut", mark(), &header()).is_ok()
}

#[test]
fn creating_again_finishes_what_was_cut_short() {
    // Hundreds of folders are made, and later synced: cuts between them are all alike.
    let (made, synced) = (3..770, 785..1545);
    let mut changes = 0;
    let mut cuts_after_mark = 0;
    loop {
        let (_above, root) = new_root();
        RealDisk::make_root(&root).expect("made");
        if create_cut_after(&root, changes) {
            break;
        }
        match open(&root) {
            // Cut between writing the mark and syncing its name.
            Ok(_) => cuts_after_mark += 1,
            Err(OpenError::NotADestination { .. }) => {
                create(&root).put(&pack(b"x"), b"x").expect("works");
                open(&root).expect("opens");
            }
            Err(error) => panic!("cut after {changes} changes: {error}"),
        }
        changes = match changes {
            at if made.contains(&at) => (at + 250).min(made.end),
            at if synced.contains(&at) => (at + 250).min(synced.end),
            at => at + 1,
        };
    }
    assert!(changes > synced.end, "the cuts reached the end: {changes}");
    assert!((1..3).contains(&cuts_after_mark), "the mark comes last: {cuts_after_mark}");
}

#[test]
fn what_could_not_be_synced_is_taken_back_and_made_anew() {
    for (folder, at) in [("", 0), ("packs", 0), ("packs/ab", 0), ("", 1)] {
        let (_above, root) = new_root();
        RealDisk::make_root(&root).expect("made");
        fs::write(root.join("letter.txt"), "dear").expect("somebody's file");
        let seen = AtomicUsize::new(0);
        let disk = FaultyDisk::open(&root, move |call, path| {
            let is_hit = call == "sync_folder" && path == folder && seen.fetch_add(1, Ordering::Relaxed) == at;
            if is_hit { Err(io::Error::other("lost")) } else { Ok(()) }
        });
        LocalDestination::create_on(Box::new(disk), "lossy", mark(), &header()).expect_err("it is told");
        assert_eq!(entries(&root), ["letter.txt"], "{folder:?}");
        create(&root);
    }
}

#[test]
fn what_somebody_else_made_meanwhile_is_not_taken_back() {
    let (_above, root) = new_root();
    RealDisk::make_root(&root).expect("made");
    let other = root.clone();
    let disk = FaultyDisk::open(&root, move |call, path| {
        if (call, path) == ("look", "dest.id") && other.join("packs/ff").exists() && !other.join("dest.id").exists() {
            fs::write(other.join("dest.id"), other_destination().encode()).expect("the other one is faster");
        }
        Ok(())
    });
    LocalDestination::create_on(Box::new(disk), "raced", mark(), &header()).expect_err("two ids");
    LocalDestination::open(&root, Some(&other_destination())).expect("it is theirs, and whole");
}

#[test]
fn what_a_power_cut_leaves_on_fat_is_taken_over() {
    let (_above, root, _) = new_destination();
    for name in ["dest.id", "cryptbackup.repo", "reserve"] {
        fs::write(root.join(name), b"").expect("emptied");
    }
    fs::write(root.join("tmp/00112233445566778899aabbccddeeff"), b"half").expect("written");
    create(&root);
    open(&root).expect("opens");
}
