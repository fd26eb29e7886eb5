//! The computer is lost, and one disk is left, which is not whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use cryptbackup::check::{self, CheckRequest};
use cryptbackup::destination::DestinationErrorKind;
use cryptbackup::error::Error;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::repo::settings::Settings;
use cryptbackup::repo::{self, Access, InitRequest, Repo, Secret};
use cryptbackup::report::Silent;

use crate::disk::trouble::{Failure, Fault};
use crate::disk::volume::{Change, ROOT, Volume};
use crate::disk::{Image, contents};
use crate::recover::restored;
use crate::rig::{Rig, SIZES, place};
use crate::source::{Source, Tree};
use crate::trees::assert_same;

/// What is left where the computer is lost, and all disks but the first.
fn only_disk(rig: &Rig) -> Image {
    let mut image = rig.machine.image();
    image.0[0] = Arc::default();
    image.0[2..].fill(Arc::new(Volume { is_there: false, ..Volume::default() }));
    image
}

/// What a program that knows files alone makes of a disk: without the folders that have nothing in them. And the files.
pub fn copy_of(from: &Volume) -> (Volume, BTreeMap<String, Vec<u8>>) {
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
    let image = only_disk(&rig);
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
    let without_state = |rig: &Rig| Rig::new(&source.path(), Some(only_disk(rig)));
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
    let left = only_disk(&rig);
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
    let left = only_disk(&rig);
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

/// One disk with two snapshots, and what it must give back.
struct Left {
    source: Source,
    image: Image,
    settings: Settings,
    snapshots: [(SnapshotId, Tree); 2],
}

impl Left {
    fn new() -> Self {
        let source = Source::new();
        let rig = Rig::new(&source.path(), None);
        rig.set_up().expect("set up");
        let saved = || (rig.backup().expect("a backup").snapshot_id.expect("a snapshot"), source.tree());
        let first = saved();
        source.change(1);
        let snapshots = [first, saved()];
        Self { image: only_disk(&rig), settings: rig.home.settings().expect("its settings"), snapshots, source }
    }

    /// Replaces an object, connects, and restores everything. Gives whether the key opens it still.
    fn opens_without(&self, path: &str, damaged: Option<Vec<u8>>, how: &str) -> bool {
        let mut image = self.image.clone();
        image.delete(1, path);
        if let Some(damaged) = damaged {
            let volume = Arc::make_mut(&mut image.0[1]);
            let file = volume.make_file(0, ROOT, path).expect("a file");
            volume.change(0, file, Change::Write { offset: 0, bytes: damaged.into() }).expect("its bytes");
        }
        let new = Rig::new(&self.source.path(), Some(image));
        let (kind, what) = (kind(path), format!("{path} {how}"));
        let report = match repo::connect(&new.home, &place("one"), None, Some(self.settings.clone()), &Silent) {
            Ok(report) => report,
            Err(error) => {
                assert!(kind == "keys" && matches!(error, Error::WrongKey { .. }), "{what}: {error}");
                return false;
            }
        };
        let repo = Repo::open(&new.home, Access::Salvage, None, &Silent).expect("opened");
        let mut count = 0;
        for (id, tree) in &self.snapshots {
            let target: PathBuf = new.scratch().join(id.to_string());
            match restored(&target, &repo, id, &report.destination_name, &self.source.path()) {
                Ok(found) => {
                    assert_same(tree, &found);
                    count += 1;
                }
                // It went on to the end, and told which files are not whole.
                Err(why) => assert!(kind == "snaps" || kind == "packs" && why.starts_with("Problem"), "{what}: {why}"),
            }
        }
        match kind {
            "snaps" => assert_eq!((report.snapshots, count), (1, 1), "{what}"),
            "packs" => assert_eq!(report.snapshots, 2, "{what}"),
            _ => assert_eq!((report.snapshots, count), (2, 2), "{what}"),
        }
        true
    }
}

fn kind(path: &str) -> &str {
    path.split('/').nth(1).expect("a kind")
}

/// One object is gone, or cut short, or begins with a sector of zeros.
#[test]
fn one_lost_object_of_the_only_disk_takes_no_more_than_what_is_in_it() {
    let left = Left::new();
    let (mut cases, mut locked_out) = (BTreeMap::<String, usize>::new(), 0);
    for (path, bytes) in contents(&left.image.0[1]) {
        let short = bytes[..bytes.len() / 2].to_vec();
        for (damaged, how) in [(None, "gone"), (Some(short), "short"), (Some(without_sector(&bytes, 0)), "zeros")] {
            *cases.entry(kind(&path).to_owned()).or_default() += 1;
            locked_out += usize::from(!left.opens_without(&path, damaged, how));
        }
    }
    // Nobody has the slot of this key but that disk; with another key it opens.
    assert_eq!(locked_out, 3, "{cases:?}");
    assert!(cases.len() == 9 && cases["packs"] > 9, "{cases:?}");
}

/// Every sector of every object, one after the other.
#[test]
fn t08_one_bad_sector_of_the_only_disk_takes_no_more_than_what_is_in_it() {
    let left = Left::new();
    let (mut count, mut locked_out) = (0, 0);
    for (path, bytes) in contents(&left.image.0[1]).into_iter().filter(|(path, _)| kind(path) != "reserve") {
        for sector in 0..bytes.len().div_ceil(SECTOR) {
            let damaged = without_sector(&bytes, sector);
            if damaged == bytes {
                continue;
            }
            count += 1;
            locked_out += usize::from(!left.opens_without(&path, Some(damaged), &format!("sector {sector}")));
        }
    }
    // The one slot of the key is shorter than a sector.
    assert_eq!(locked_out, 1, "of {count}");
    assert!(count > 700, "{count} bad sectors");
}

const SECTOR: usize = 512;

fn without_sector(bytes: &[u8], sector: usize) -> Vec<u8> {
    let is_bad = |at: usize| at / SECTOR == sector;
    bytes.iter().enumerate().map(|(at, byte)| if is_bad(at) { 0 } else { *byte }).collect()
}
