//! What the crash suites found, each in a test of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cryptbackup::check::{self, CheckRequest};
use cryptbackup::destination::{CreateError, Destination, DestinationErrorKind, LocalDestination, Settle};
use cryptbackup::error::Error;
use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::id::{DestinationId, RepoId};
use cryptbackup::repo::settings::SourceSettings;
use cryptbackup::repo::{self, Access, Added, InitRequest, Repo, Secret};
use cryptbackup::report::Silent;

use crate::disk::crash::Policy;
use crate::disk::trouble::{Failure, Fault};
use crate::disk::volume::{Change, ROOT, Volume};
use crate::disk::{SimulatedMachine, contents};
use crate::recover::restored;
use crate::rig::{Rig, SIZES, place};
use crate::source::Source;
use crate::trees::assert_same;

/// The process was killed between naming `dest.id` and syncing its folder; the next one took the destination up as it
/// was, backed up to it, and the power failed.
#[test]
fn a_destination_that_a_killed_process_made_is_durable_once_it_was_taken_up() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.machine.record();
    rig.set_up().expect("set up");
    let steps = rig.machine.0.state().steps.take().expect("recorded");
    let named = steps.iter().find(|step| (step.volume, step.path.as_str()) == (1, "dest.id") && step.verb == "rename");
    let killed = named.expect("dest.id gets its name").image.crash(Policy::Kill, 0);
    let next = Rig::new(&source.path(), Some(killed));
    next.set_up().expect("set up");
    let left = Rig::new(&source.path(), Some(next.machine.image().crash(Policy::Nothing, 0)));
    LocalDestination::open_at(&left.machine, &place("one"), None).expect("dest.id is still there");
}

/// A repository that was nearly set up when the process was killed leaves nothing in the one that is set up then.
#[test]
fn nothing_of_a_repository_that_was_never_set_up_gets_to_a_destination() {
    let source = Source::new();
    let heads = |rig: &Rig| -> Vec<usize> {
        rig.set_up().expect("set up");
        let there = contents(&rig.machine.image().0[1]);
        ["backup/writers/", "backup/keys/"]
            .map(|folder| there.keys().filter(|path| path.starts_with(folder)).count())
            .into()
    };
    let rig = Rig::new(&source.path(), None);
    rig.machine.record();
    rig.init().expect("set up");
    let steps = rig.machine.0.state().steps.take().expect("recorded");
    let usual = heads(&rig);
    assert_eq!(usual[0], 1);
    for step in steps.iter().rev().step_by(3).take(30) {
        let killed = Rig::new(&source.path(), Some(step.image.crash(Policy::Kill, 0)));
        assert_eq!(heads(&killed), usual, "after {} of {}", step.verb, step.path);
    }
}

/// What a program that knows files alone makes of a disk: without the folders that have nothing in them. And the files.
fn copy_of(from: &Volume) -> (Volume, BTreeMap<String, Vec<u8>>) {
    let (mut copy, objects) = (Volume::default(), contents(from));
    let folders =
        |path: &str| -> Vec<String> { path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect() };
    for folder in objects.keys().flat_map(|path| folders(path)).collect::<BTreeSet<_>>() {
        copy.make_folder(0, ROOT, &folder).expect("a folder");
    }
    for (path, bytes) in &objects {
        let file = copy.make_file(0, ROOT, path).expect("a file");
        copy.change(0, file, Change::Write { offset: 0, bytes: bytes.as_slice().into() }).expect("its bytes");
    }
    (copy, objects)
}

/// Somebody copied a destination with another program, which waits for no disk, and added the copy; the power failed.
#[test]
fn a_copy_of_a_destination_is_durable_once_it_was_taken_up() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.init().expect("set up");
    rig.home
        .edit_settings(|settings| {
            settings.put_source(SourceSettings::new(source.path()));
            Ok(())
        })
        .expect("a source");
    rig.open().expect("opened").add_destination("one", &place("one"), &Silent).expect("a destination");
    rig.backup().expect("a backup");
    let copied = {
        let mut state = rig.machine.0.state();
        let from = Arc::clone(&state.image.0[1]);
        let (copy, objects) = copy_of(&from);
        state.image.0[2] = Arc::new(copy);
        objects
    };
    let taken_up = rig.open().expect("opened").add_destination("two", &place("two"), &Silent);
    assert_eq!(taken_up.expect("taken up"), Added::TakenUp);
    let left = rig.machine.image().0[2].crash(Policy::Nothing, 0);
    assert!(left.find(ROOT, "backup/packs/ff").is_ok(), "what was empty, and not copied");
    let left = contents(&left);
    for (path, bytes) in copied.iter().filter(|(path, _)| !path.ends_with("dest.id")) {
        assert!(left.get(path) == Some(bytes), "{path}");
    }
}

/// The last sync of making a destination failed, everything was taken back, and the power failed meanwhile: the mark was
/// there again, and some of the folders were not.
#[test]
fn what_is_left_of_a_destination_that_was_taken_back_is_whole_or_can_be_made_again() {
    let (disks, path) = (|| vec![PathBuf::from("/disk")], Path::new("/disk/backup"));
    let mark = DestinationMark { repo: RepoId::from_bytes([1; 16]), destination: DestinationId::from_bytes([2; 16]) };
    let create = |machine: &SimulatedMachine| -> Result<(), CreateError> {
        LocalDestination::create_at(machine, path, mark, &RepoHeader::new(mark.repo)).map(drop)
    };
    let steps = |fault: Option<Fault>| {
        let machine = SimulatedMachine::new(disks());
        machine.record();
        machine.0.state().fault = fault;
        (create(&machine).is_ok(), machine.0.state().steps.take().expect("recorded"))
    };
    let (is_made, whole) = steps(None);
    let last = whole.iter().rfind(|step| step.verb == "sync_folder").expect("its names are synced").number;
    assert!(is_made);
    for failure in [Failure::Sync, Failure::Medium] {
        let (is_made, steps) = steps(Some(Fault::new(last, failure)));
        assert!(!is_made, "{failure:?}");
        let after = steps.iter().filter(|step| step.number >= last);
        let few = after.clone().take(8).chain(after.clone().step_by(60)).chain(steps.last());
        for (step, seed) in few.flat_map(|step| (0..6).map(move |seed| (step, seed))) {
            let left = SimulatedMachine::with(disks(), step.image.crash(Policy::Hostile, seed + step.number));
            let place = format!("{failure:?}, {} {}", step.verb, step.path);
            match LocalDestination::open_at(&left, path, None) {
                Ok(there) => there.settle(Settle::Everything).unwrap_or_else(|error| panic!("{place}: {error}")),
                Err(_) => create(&left).unwrap_or_else(|error| panic!("{place}: {error}")),
            }
        }
    }
}

/// The medium fails at one key or config while a new machine connects.
#[test]
fn a_key_that_cannot_be_read_is_not_the_only_one() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.set_up().expect("set up");
    for _ in 0..2 {
        rig.backup().expect("a backup");
        rig.open().expect("opened").rotate_keys().expect("a new epoch");
    }
    rig.backup().expect("a backup");
    let mut image = rig.machine.image();
    image.0[0] = Arc::default();
    let settings = rig.home.settings().expect("its settings");
    let (mut passed_over, mut needed) = (0, Vec::new());
    for at in 0.. {
        let new = Rig::new(&source.path(), Some(image.clone()));
        new.machine.0.state().fault = Some(Fault { volume: Some(1), ..Fault::new(at, Failure::Medium) });
        let connected = repo::connect(&new.home, &place("one"), None, Some(settings.clone()), &Silent);
        let hit = new.machine.0.state().fault.take().and_then(|fault| fault.hit).expect("an operation of the disk");
        if hit.starts_with("sync") {
            break;
        }
        if !hit.starts_with("read keys/") && !hit.starts_with("read config/") {
            continue;
        }
        match connected {
            Ok(report) => {
                assert_eq!(report.snapshots, 3, "{hit}");
                passed_over += 1;
            }
            Err(Error::Destination(error)) => {
                assert_eq!(error.what, hit);
                assert!(!new.home.exists(), "{hit}");
                needed.push(hit);
            }
            Err(error) => panic!("{hit}: {error}"),
        }
    }
    // The other slot, two of each ring, and two configs; and the slot of this key.
    assert_eq!((passed_over, needed.len()), (1 + 6 + 2, 1), "{needed:?}");
}

/// Somebody mounts the disk read-only, since nothing may happen to it, and connects with the recovery words.
#[test]
fn a_disk_that_can_only_be_read_is_enough_to_connect() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    let request = InitRequest { recovery: true, sizes: Some(SIZES), ..InitRequest::default() };
    let words = repo::init(&rig.home, request).expect("set up").recovery_words.expect("words");
    rig.set_up().expect("set up");
    let id = rig.backup().expect("a backup").snapshot_id.expect("a snapshot");
    let without_state = |rig: &Rig| {
        let mut image = rig.machine.image();
        image.0[0] = Arc::default();
        Rig::new(&source.path(), Some(image))
    };
    let new = without_state(&rig);
    {
        // It is a copy, and what was empty was not copied.
        let mut state = new.machine.0.state();
        state.image.0[1] = Arc::new(copy_of(&state.image.0[1]).0);
    }
    new.machine.0.state().fault = Some(Fault { volume: Some(1), ..Fault::new(0, Failure::ReadOnly) });
    let report = repo::connect(&new.home, &place("one"), Some(Secret::Words(words)), None, &Silent).expect("connected");
    assert_eq!(report.snapshots, 1);
    let why = report.key_not_put.expect("nothing can be put there");
    assert_eq!(why.kind, DestinationErrorKind::ReadOnly);
    let salvage = || Repo::open(&new.home, Access::Salvage, None, &Silent).expect("opened");
    let repo = salvage();
    let found = restored(&new.scratch(), &repo, &id, &report.destination_name, &source.path()).expect("restored");
    assert_same(&source.tree(), &found);
    drop(repo);

    // Mounted to be written again: the key of that machine is there with its next backup.
    new.machine.0.state().fault = None;
    let refused = new.backup().expect_err("what is missing may be damage");
    assert!(matches!(refused, Error::Damaged { .. }), "{refused}");
    check::heal(&mut new.open().expect("opened"), CheckRequest::default(), &Silent).expect("healed");
    assert!(new.backup().expect("a backup").problems.is_empty());
    let third = without_state(&new);
    let settings = new.home.settings().expect("its settings");
    let report = repo::connect(&third.home, &place("one"), None, Some(settings), &Silent).expect("its key opens it");
    assert_eq!((report.snapshots, report.key_not_put), (2, None));
}

/// The medium fails while a destination is looked at, to be read: that does not make it one that is away.
#[test]
fn a_folder_that_cannot_be_listed_is_no_reason_to_restore_nothing() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.set_up().expect("set up");
    let id = rig.backup().expect("a backup").snapshot_id.expect("a snapshot");
    let tree = source.tree();
    ["two", "three"].iter().for_each(|name| rig.plug(name, false));
    let mut hits = BTreeSet::new();
    for more in (0..1200).step_by(7) {
        let at = rig.machine.now() + more;
        rig.machine.0.state().fault = Some(Fault { volume: Some(1), ..Fault::new(at, Failure::Medium) });
        let repo = Repo::open(&rig.home, Access::Salvage, None, &Silent).expect("opened");
        let Some(hit) = rig.machine.0.state().fault.take().and_then(|fault| fault.hit) else { break };
        if !hit.starts_with("list ") {
            continue;
        }
        let found = restored(&rig.scratch(), &repo, &id, "one", &source.path());
        assert_same(&tree, &found.unwrap_or_else(|why| panic!("{hit}: {why}")));
        hits.insert(hit);
    }
    assert!(hits.len() > 50, "{hits:?}");
}

/// The computer is lost, and of the one disk that is left the two objects that say what it is cannot be read.
#[test]
fn a_disk_that_does_not_say_any_more_what_it_is_opens_with_the_key() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.set_up().expect("set up");
    let id = rig.backup().expect("a backup").snapshot_id.expect("a snapshot");
    let settings = rig.home.settings().expect("its settings");
    let mut left = rig.machine.image();
    left.0[0] = Arc::default();
    let (mark, header) = ("backup/dest.id", "backup/cryptbackup.repo");
    for (damaged, is_writable) in
        [(&[mark][..], true), (&[header], true), (&[mark, header], true), (&[mark], false), (&[mark, header], false)]
    {
        let mut image = left.clone();
        for (number, path) in damaged.iter().enumerate() {
            if number == 0 { image.rot(1, path, 20, 4) } else { image.delete(1, path) }
        }
        let new = Rig::new(&source.path(), Some(image));
        if !is_writable {
            new.machine.0.state().fault = Some(Fault { volume: Some(1), ..Fault::new(0, Failure::ReadOnly) });
        }
        let report = repo::connect(&new.home, &place("one"), None, Some(settings.clone()), &Silent);
        let report = report.unwrap_or_else(|error| panic!("{damaged:?}, {is_writable}: {error}"));
        let repo = Repo::open(&new.home, Access::Salvage, None, &Silent).expect("opened");
        let found = restored(&new.scratch(), &repo, &id, &report.destination_name, &source.path());
        assert_same(&source.tree(), &found.unwrap_or_else(|why| panic!("{damaged:?}, {is_writable}: {why}")));
        drop(repo);
        if is_writable {
            assert!(new.backup().expect("a backup").problems.is_empty());
            let checked = check::run(&new.open().expect("opened"), CheckRequest::default(), &Silent).expect("checked");
            assert!(checked.findings.is_empty(), "{:?}", checked.findings);
        }
    }
}

/// The computer is lost, and in the keys of the one disk that is left a bit is wrong.
#[test]
fn a_wrong_bit_in_the_only_keys_locks_nobody_out() {
    let source = Source::new();
    let rig = Rig::new(&source.path(), None);
    rig.set_up().expect("set up");
    rig.backup().expect("a backup");
    let settings = rig.home.settings().expect("its settings");
    let mut left = rig.machine.image();
    left.0[0] = Arc::default();
    let heads: Vec<(String, usize)> = contents(&left.0[1])
        .into_iter()
        .filter(|(path, _)| path.starts_with("backup/keys/") || path.starts_with("backup/config/"))
        .map(|(path, bytes)| (path, bytes.len()))
        .collect();
    assert!(heads.len() >= 3, "{heads:?}");
    for (number, (path, len)) in heads.iter().enumerate() {
        let mut image = left.clone();
        // Of a ring or config one is enough, and of the other there may be nothing left.
        if !path.contains("/keys/") || path.contains("/ring-") {
            image.delete(1, path);
            let new = Rig::new(&source.path(), Some(image));
            let connected = repo::connect(&new.home, &place("one"), None, Some(settings.clone()), &Silent);
            assert_eq!(connected.unwrap_or_else(|error| panic!("{path}: {error}")).snapshots, 1);
            image = left.clone();
        }
        image.rot(1, path, (len * number / heads.len()) as u64, 1 << number);
        let new = Rig::new(&source.path(), Some(image));
        let report = repo::connect(&new.home, &place("one"), None, Some(settings.clone()), &Silent);
        assert_eq!(report.unwrap_or_else(|error| panic!("{path}: {error}")).snapshots, 1);
        // What is wrong there is put right by whoever has the right one.
        new.backup().expect("a backup");
        let checked = check::run(&new.open().expect("opened"), CheckRequest::default(), &Silent).expect("checked");
        assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    }
}
