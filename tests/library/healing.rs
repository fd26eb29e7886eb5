//! Healing beside what this machine cannot read: objects of others stay, and one bad spot takes no destination out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use cryptbackup::check::{self, CheckReport, CheckRequest};
use cryptbackup::clean::hand;
use cryptbackup::destination::disk::{Disk, DiskEntry, Roots};
use cryptbackup::destination::place::Mount;
use cryptbackup::error::Error;
use cryptbackup::repo::{Machine, RealMachine};
use cryptbackup::report::Silent;
use cryptbackup::restore;
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::restore::to;
use crate::support::World;
use crate::support::world::noise;

fn everything() -> CheckRequest {
    CheckRequest { read_data: true, ..CheckRequest::default() }
}

fn heal(world: &World) -> CheckReport {
    check::heal(&mut world.open_to_write(), everything(), &Silent).expect("healed as far as it goes")
}

fn check(world: &World) -> CheckReport {
    check::run(&world.open(), everything(), &Silent).expect("checked")
}

fn assert_sound(world: &World) {
    let report = check(world);
    assert!(report.findings.is_empty() && report.unreachable.is_empty(), "{report:?}");
}

/// Flips bits of the one file of `keys/` that begins so and is not kept on this machine.
fn damage_ring(world: &World, destination: &str, start: &str, bits: &[usize]) {
    let kept = world.home.path().join("state/repo/keys");
    let all = fs::read_dir(world.path(destination).join("keys")).expect("listed");
    let mut paths = all.map(|entry| entry.expect("one").path()).filter(|path| {
        let name = path.file_name().expect("a name");
        name.to_string_lossy().starts_with(start) && !kept.join(name).exists()
    });
    let path = paths.next().expect("a ring of the other machine");
    let mut bytes = fs::read(&path).expect("readable");
    bits.iter().for_each(|bit| bytes[bit / 8] ^= 1 << (bit % 8));
    fs::write(&path, bytes).expect("written");
}

/// The objects of some folders.
fn objects(world: &World, destination: &str, folders: &[&str]) -> BTreeSet<String> {
    let all = world.objects(destination).into_iter().map(|(path, _)| path);
    all.filter(|path| folders.iter().any(|folder| path.starts_with(folder))).collect()
}

/// A machine that was away meanwhile lacks the key, and nothing tells it whether what that key opens is whole.
#[test]
fn what_is_of_an_epoch_that_is_not_known_here_is_not_removed() {
    for (bits, is_mendable) in [(&[4000][..], true), (&[4000, 9000, 9001], false)] {
        let first = World::in_memory(&["primary"]);
        first.write("first", noise(100_000, 1));
        first.backup();
        let second = first.second("primary");
        second.write("second", noise(100_000, 2));
        second.backup();
        second.open_to_write().rotate_keys().expect("a new epoch");
        second.write("second", noise(200_000, 3));
        second.backup();
        hand::pin(&mut second.open_to_write(), &["latest".to_owned()], true).expect("pinned");
        let before = objects(&first, "primary", &["packs", "snaps", "marks"]);
        damage_ring(&first, "primary", "ring-2-", bits);
        let report = heal(&first);
        assert_eq!(report.has_damage_left(), !is_mendable, "{report:?}");
        let after = objects(&first, "primary", &["packs", "snaps", "marks"]);
        assert_eq!(before.difference(&after).collect::<Vec<_>>(), Vec::<&String>::new());
        // Who has the key puts it there again.
        second.backup();
        assert_sound(&second);
        assert!(second.open().snapshots().expect("listed").iter().any(|snapshot| snapshot.is_pinned));
        assert_sound(&first);
    }
}

/// Both gave their epochs one number, so that the first has a key of that number, and it is another.
#[test]
fn what_another_key_of_the_same_epoch_opens_is_not_removed() {
    let first = World::in_memory(&["left", "right"]);
    first.write("first", noise(100_000, 1));
    first.backup();
    let second = first.second("left");
    second.write("second", noise(100_000, 2));
    second.backup();
    first.unplug("right");
    first.open_to_write().rotate_keys().expect("a new epoch");
    first.plug("right");
    first.unplug("left");
    second.open_to_write().rotate_keys().expect("a new epoch");
    second.write("second", noise(200_000, 4));
    second.backup();
    hand::pin(&mut second.open_to_write(), &["latest".to_owned()], true).expect("pinned");
    first.plug("left");
    let before = objects(&first, "right", &["packs", "snaps", "marks"]);
    damage_ring(&first, "right", "ring-2-", &[4000, 9000, 9001]);
    heal(&first);
    let after = objects(&first, "right", &["packs", "snaps", "marks"]);
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), Vec::<&String>::new());
    second.backup();
    first.backup();
    for world in [&first, &second] {
        assert_sound(world);
    }
}

/// This machine, with files that cannot be read until they are replaced or removed.
#[derive(Clone, Default)]
struct Worn(Arc<Mutex<BTreeMap<PathBuf, Errno>>>);

impl Worn {
    fn wear_out(&self, path: PathBuf, error: Errno) {
        self.0.lock().expect("the list").insert(path, error);
    }

    fn has_any(&self) -> bool {
        !self.0.lock().expect("the list").is_empty()
    }
}

impl Roots for Worn {
    fn open_root(&self, path: &Path) -> io::Result<Box<dyn Disk>> {
        Ok(Box::new(WornDisk(RealMachine.open_root(path)?, path.to_owned(), self.clone())))
    }

    fn make_root(&self, path: &Path) -> io::Result<()> {
        RealMachine.make_root(path)
    }
}

impl Machine for Worn {
    fn read_settings(&self, path: &Path) -> Result<Zeroizing<String>, Error> {
        RealMachine.read_settings(path)
    }

    fn write_settings(&self, path: &Path, text: &[u8]) -> Result<(), Error> {
        RealMachine.write_settings(path, text)
    }

    fn open_index(&self, path: &Path, builder: &Builder) -> Result<Database, DatabaseError> {
        RealMachine.open_index(path, builder)
    }

    fn open_index_to_read(&self, path: &Path, builder: &Builder) -> Result<ReadOnlyDatabase, DatabaseError> {
        RealMachine.open_index_to_read(path, builder)
    }

    fn name(&self) -> String {
        RealMachine.name()
    }

    fn mounts(&self) -> io::Result<Vec<Mount>> {
        RealMachine.mounts()
    }
}

struct WornDisk(Box<dyn Disk>, PathBuf, Worn);

impl WornDisk {
    fn is_new(&self, path: &str) {
        self.2.0.lock().expect("the list").remove(&self.1.join(path));
    }
}

impl Disk for WornDisk {
    fn write_new(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.write_new(path, bytes)
    }

    fn read(&self, path: &str, range: Option<Range<u64>>, len_max: u64) -> io::Result<Vec<u8>> {
        match self.2.0.lock().expect("the list").get(&self.1.join(path)) {
            Some(error) => Err((*error).into()),
            None => self.0.read(path, range, len_max),
        }
    }

    fn read_medium(&self, path: &str, len_max: u64) -> io::Result<Vec<u8>> {
        self.0.read_medium(path, len_max)
    }

    fn look(&self, path: &str) -> io::Result<DiskEntry> {
        self.0.look(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskEntry>> {
        self.0.list(folder)
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename_new(from, to)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to).inspect(|()| self.is_new(to))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.link(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.0.remove(path).inspect(|()| self.is_new(path))
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.0.make_folder(path)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.0.remove_folder(path)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.0.sync_folder(folder)
    }

    fn sync_everything(&self) -> io::Result<()> {
        self.0.sync_everything()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.0.is_in_place()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.0.free_bytes()
    }
}

#[test]
fn one_small_object_that_cannot_be_read_any_more_is_named_and_healed_and_takes_nothing_with_it() {
    for folder in ["writers", "gc"] {
        let mut first = World::in_memory(&["primary", "secondary"]);
        first.write("first", noise(100_000, 1));
        first.backup();
        let own = objects(&first, "primary", &[folder]);
        let second = first.second("primary");
        second.write("second", noise(100_000, 2));
        second.backup();
        let others = objects(&first, "primary", &[folder]);
        let path = others.difference(&own).next().expect("one of the other machine").clone();
        let worn = Worn::default();
        first.home = first.home.clone().on(Arc::new(worn.clone()));
        worn.wear_out(first.path("primary").join(&path), Errno::IO);
        first.write("first", noise(200_000, 3));
        let report = first.backup();
        assert_eq!(report.copies, 2, "{folder}: {report:?}");
        let report = check(&first);
        let objects: Vec<_> = report.findings.iter().map(|finding| finding.object.clone()).collect();
        assert!(objects == [path] && report.unreachable.is_empty(), "{folder}: {report:?}");
        let report = heal(&first);
        assert!(!report.has_damage_left() && !worn.has_any(), "{folder}: {report:?}");
        assert_sound(&first);
        assert_sound(&second);
    }
}

fn largest_pack(world: &World) -> PathBuf {
    let packs = world.objects("primary").into_iter().filter(|(path, _)| path.starts_with("packs/"));
    world.path("primary").join(packs.max_by_key(|(_, len)| *len).expect("a pack").0)
}

/// It is another user's, and whole.
#[test]
fn a_pack_that_may_not_be_read_is_named_and_stays() {
    let mut world = World::in_memory(&["primary"]);
    world.write("file", noise(300_000, 1));
    world.backup();
    let (path, worn) = (largest_pack(&world), Worn::default());
    world.home = world.home.clone().on(Arc::new(worn.clone()));
    worn.wear_out(path.clone(), Errno::ACCESS);
    let findings = check(&world).findings;
    assert!(findings.iter().any(|finding| path.ends_with(&finding.object)), "{findings:?}");
    assert!(heal(&world).has_damage_left() && path.exists());
    worn.0.lock().expect("the list").clear();
    assert!(!heal(&world).has_damage_left());
    assert_sound(&world);
}

#[test]
fn a_disk_that_does_not_answer_during_a_check_is_away_and_not_damaged() {
    let mut world = World::in_memory(&["primary", "secondary"]);
    world.write("file", noise(300_000, 1));
    world.backup();
    let worn = Worn::default();
    world.home = world.home.clone().on(Arc::new(worn.clone()));
    worn.wear_out(largest_pack(&world), Errno::NODEV);
    let report = check(&world);
    let away: Vec<&str> = report.unreachable.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((away, report.findings.len()), (vec!["primary"], 0), "{report:?}");
}

/// A clean takes the pack that a restore found damaged out of the index before the restore comes to mend it.
#[test]
fn what_was_cleaned_away_meanwhile_is_not_healed_and_leaves_the_index_as_it_is() {
    let world = World::in_memory(&["primary"]);
    world.set_day(0);
    world.write("gone", noise(300_000, 1));
    world.backup();
    let path = largest_pack(&world);
    let mut bytes = fs::read(&path).expect("readable");
    bytes.iter_mut().skip(2_000).step_by(100).for_each(|byte| *byte ^= 1);
    fs::write(&path, bytes).expect("written");
    let repo = world.open();
    let plan = restore::plan(&repo, to(&world, &world.path("back")), &Silent).expect("a plan");
    let mut report = restore::execute(&repo, plan, &Silent).expect("restored as far as it goes");
    assert_eq!(report.damaged.len(), 1, "{report:?}");
    for day in 1..4 {
        world.set_day(day);
        world.write("gone", noise(10_000, 1 + day as u64));
        world.backup();
    }
    world.set_day(60);
    world.clean(0, 1);
    assert!(!path.exists(), "cleaned away");
    restore::repair(repo, &mut report, &Silent);
    drop(world.open_to_write());
    let state = walkdir::WalkDir::new(world.home.path()).into_iter().map(|entry| entry.expect("listed"));
    let aside: Vec<_> = state.filter(|entry| entry.path().to_string_lossy().contains(".broken-")).collect();
    assert!(aside.is_empty(), "{aside:?} {:?}", report.notes);
    assert_sound(&world);
}
