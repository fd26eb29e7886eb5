//! Several machines in one repository: each finds what the others stored, and each decides about its own snapshots only.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io, thread};

use cryptbackup::backup::BackupRequest;
use cryptbackup::destination::disk::{Disk, Roots};
use cryptbackup::destination::place::{Attachment, Mount};
use cryptbackup::error::Error;
use cryptbackup::repo::{self, Access, Home, Machine, PlaceKind, RealMachine, Repo};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest, What, When};
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase};
use zeroize::Zeroizing;

use crate::clean::assert_whole;
use crate::restore::{restore, to};
use crate::support::World;
use crate::support::hooks::Hook;
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

fn assert_restores(world: &World, name: &str) {
    let target = world.path(name);
    restore(world, to(world, &target));
    assert_same(&tree(&world.source()), &tree(&target));
}

#[test]
fn a_machine_that_joins_stores_nothing_that_others_have() {
    let first = World::in_memory(&["primary"]);
    first.write("film", noise(4_000_000, 1));
    first.backup();
    let second = first.second("primary");
    second.write("the same film", noise(4_000_000, 1));
    second.write("own", noise(50_000, 2));
    let report = second.backup();
    assert!(report.bytes_added < 60_000, "{}", report.bytes_added);
    // And the other way round, without having been told.
    first.write("from the second", noise(50_000, 2));
    let report = first.backup();
    assert!(report.bytes_added < 10_000, "{}", report.bytes_added);
    assert_restores(&first, "restored first");
    assert_restores(&second, "restored second");
}

#[test]
fn snapshots_say_which_machine_and_which_user_made_them() {
    let first = World::in_memory(&["primary"]);
    first.write("a", "a");
    first.backup();
    let second = first.second("primary");
    second.write("b", "b");
    second.backup();
    let host = sysinfo::System::host_name().unwrap_or_default();
    let snapshots = first.open().snapshots().expect("readable");
    assert_eq!(snapshots.len(), 2);
    for info in &snapshots {
        assert_eq!(info.machine, host);
        assert!(!info.user.is_empty());
    }
    let sources: Vec<_> = snapshots.iter().map(|info| info.roots[0].path.clone()).collect();
    assert!(sources.contains(&first.source()) && sources.contains(&second.source()));
}

#[test]
fn retention_lets_go_of_own_snapshots_only() {
    let first = World::in_memory(&["primary"]);
    first.set_day(0);
    first.write("a", "first 0");
    first.backup();
    let second = first.second("primary");
    for day in 0..4 {
        for (world, name) in [(&first, "first"), (&second, "second")] {
            world.set_day(day);
            world.write("a", format!("{name} {day}"));
            world.backup();
        }
    }
    let of = |world: &World, owner: &World| {
        let all = world.open().snapshots().expect("readable");
        all.iter().filter(|info| info.roots.iter().any(|root| root.read && root.path == owner.source())).count()
    };
    assert_eq!((of(&first, &first), of(&first, &second)), (5, 4));
    first.set_day(60);
    second.clean(0, 1);
    // The first snapshot of the first machine is what the second went on from; it is not the second's to decide about.
    assert_eq!((of(&second, &first), of(&second, &second)), (5, 1));
    first.clean(0, 1);
    assert_eq!(of(&first, &second), 1);
    assert!(of(&first, &first) <= 2, "its newest, and what others go on from: {}", of(&first, &first));
    assert_whole(&first);
    assert_restores(&first, "restored first");
    assert_restores(&second, "restored second");
}

/// Between connecting a machine and the next backup of the first one nobody has gone on from the first one's newest
/// snapshot yet. It still belongs to the first one, whose rules may keep much more.
#[test]
fn a_machine_that_was_just_connected_lets_go_of_nothing_that_another_made() {
    let first = World::in_memory(&["primary"]);
    for day in 0..6 {
        first.set_day(day);
        first.write("a", format!("first {day}"));
        first.backup();
    }
    let mut second = first.second("primary");
    second.home = second.home.clone().on(Arc::new(Named("another", Vec::new())));
    let of_first = |world: &World| {
        let all = world.open().snapshots().expect("readable");
        all.iter().filter(|info| info.roots.iter().any(|root| root.read && root.path == first.source())).count()
    };
    first.set_day(60);
    second.clean(0, 1);
    assert_eq!(of_first(&second), 6, "before it made a snapshot of its own");
    second.backup();
    second.clean(0, 1);
    assert_eq!(of_first(&second), 6, "and after");
    first.set_day(100);
    second.backup();
    second.clean(0, 1);
    assert_eq!(of_first(&second), 1, "who makes none for three months is gone; what the second went on from stays");
    assert_restores(&first, "restored");
}

/// Two machines that have the same folder, each with what it wrote last: the first on days 0 and 1, the second, under
/// another name, on day 20.
fn two_with_one_path() -> (World, World) {
    let first = World::in_memory(&["primary"]);
    first.set_day(0);
    first.write("both", "first 0");
    first.write("folder of the first/a", "a");
    first.backup();
    let mut second = first.second_with_the_same_path("primary");
    second.home = second.home.clone().on(Arc::new(Named("another", Vec::new())));
    first.set_day(1);
    first.write("both", "first 1");
    first.backup();
    second.set_day(20);
    fs::remove_dir_all(second.path("source/folder of the first")).expect("removed");
    second.write("both", "second");
    second.write("folder of the second/b", "b");
    second.write("only the second has it", "c");
    second.backup();
    (first, second)
}

#[test]
fn what_another_machine_backed_up_at_the_same_path_is_no_backup_of_this_one() {
    let (first, second) = two_with_one_path();
    // Whose folder cannot be read any more, and who is not there to say so.
    second.set_day(21);
    let of = |world: &World| {
        let status = world.open_by_its_clock().status().expect("a status");
        let source = status.sources.into_iter().next().expect("a source");
        (source.last_read, source.last_good, source.files, source.is_overdue)
    };
    let (last_read, last_good, files, is_overdue) = of(&first);
    let day_two = 1_780_000_000 + 2 * 86_400;
    assert!(last_read.is_some_and(|time| time.seconds < day_two), "{last_read:?}");
    assert!(last_good.is_some_and(|time| time.seconds < day_two), "{last_good:?}");
    assert_eq!((files, is_overdue), (2, true));
    let status = first.open().status().expect("a status");
    assert!(status.last_backup.is_some_and(|time| time.seconds < day_two), "{:?}", status.last_backup);
    assert_eq!((status.files, status.snapshots), (2, 3));
    let (last_read, _, files, is_overdue) = of(&second);
    assert!(last_read.is_some_and(|time| time.seconds > day_two), "{last_read:?}");
    assert_eq!((files, is_overdue), (3, false));
}

#[test]
fn who_made_no_snapshot_yet_is_told_of_those_of_all() {
    let (first, second) = two_with_one_path();
    let third_home = Home::at(first.path("third home"));
    repo::connect(&third_home, &first.path("primary"), None, Some(first.settings_now()), &Silent).expect("connected");
    let third = Repo::open(&third_home, Access::Read, None, &Silent).expect("the repository");
    let newest = second.open().snapshots().expect("readable")[0].id;
    assert_eq!(third.resolve_snapshot("latest").expect("the newest of all").id, newest);
    assert_eq!(third.status().expect("a status").sources[0].files, 3);
}

#[test]
fn the_latest_of_a_machine_is_of_its_own_line() {
    let (first, second) = two_with_one_path();
    let all: Vec<_> = first.open().snapshots().expect("readable").into_iter().map(|info| info.id).collect();
    let latest = |world: &World, text: &str| world.open().resolve_snapshot(text).map(|info| info.id).ok();
    assert_eq!(all.len(), 3, "`snapshots` shows all");
    let (of_second, first_1, first_0) = (all[0], all[1], all[2]);
    assert_eq!(latest(&first, "latest"), Some(first_1));
    assert_eq!(latest(&first, "latest~1"), Some(first_0));
    assert_eq!(latest(&first, "latest~2"), None);
    assert_eq!(latest(&first, &of_second.to_string()), Some(of_second), "whose id is given");
    assert_eq!(latest(&second, "latest"), Some(of_second));
}

#[test]
fn what_is_restored_is_of_the_own_line_where_that_has_it() {
    let (first, second) = two_with_one_path();
    let target = first.path("restored");
    let get = |world: &World, what: What, when: When| {
        let _ = fs::remove_dir_all(&target).or_else(|_| fs::remove_file(&target));
        let repo = world.open();
        let request = RestoreRequest { destination: Some(target.clone()), when, ..RestoreRequest::new(what) };
        let plan = restore::plan(&repo, request, &Silent).expect("a plan");
        let notes = plan.notes.join("\n");
        restore::execute(&repo, plan, &Silent).expect("restored");
        notes
    };
    let read = |below: &str| fs::read_to_string(target.join(below)).expect("restored");
    let source = first.source();
    let date = When::Date(jiff::Timestamp::new(1_780_000_000 + 30 * 86_400, 0).expect("a time"));
    for when in [When::Latest, date] {
        for (world, content) in [(&first, "first 1"), (&second, "second")] {
            let notes = get(world, What::Directory(source.clone()), when);
            assert_eq!((read("both"), notes), (content.to_owned(), String::new()), "a folder");
            let notes = get(world, What::File(source.join("both")), when);
            let content = (content.to_owned(), String::new());
            assert_eq!((fs::read_to_string(&target).expect("restored"), notes), content, "a file");
        }
    }
    get(&first, What::Snapshot("latest".to_owned()), When::Latest);
    assert_eq!(read(&format!("{}/both", source.display())[1..]), "first 1");
    // What the own line never had is another machine's, and that is said.
    let notes = get(&first, What::Directory(source.join("folder of the second")), When::Latest);
    assert!(read("b") == "b" && notes.contains("another"), "{notes}");
    let notes = get(&first, What::File(source.join("only the second has it")), When::Latest);
    assert!(notes.contains("another") && !notes.contains("deleted"), "{notes}");
}

/// This machine under another name, with more that is mounted.
struct Named(&'static str, Vec<Mount>);

impl Roots for Named {
    fn open_root(&self, path: &Path) -> io::Result<Box<dyn Disk>> {
        RealMachine.open_root(path)
    }

    fn make_root(&self, path: &Path) -> io::Result<()> {
        RealMachine.make_root(path)
    }
}

impl Machine for Named {
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
        self.0.to_owned()
    }

    fn mounts(&self) -> io::Result<Vec<Mount>> {
        Ok([RealMachine.mounts()?, self.1.clone()].concat())
    }
}

#[test]
fn every_report_tells_what_kind_of_place_a_destination_is() {
    let mut world = World::new(&["primary", "secondary"]);
    let stick = Mount {
        point: world.path("secondary"),
        device: "/dev/sdx1".to_owned(),
        file_system: "vfat".to_owned(),
        attachment: Attachment::RemovableMedium,
    };
    world.home = world.home.clone().on(Arc::new(Named("this one", vec![stick])));
    let kinds = [("primary".to_owned(), PlaceKind::Local), ("secondary".to_owned(), PlaceKind::Usb)];
    for is_plugged_in in [true, false] {
        let backed_up: Vec<_> = world.backup().destinations.into_iter().map(|d| (d.name, d.kind)).collect();
        assert_eq!(backed_up, kinds);
        let synced: Vec<_> = world.sync().destinations.into_iter().map(|d| (d.name, d.kind)).collect();
        assert_eq!(synced, kinds);
        let cleaned: Vec<_> = world.clean(30, 10).destinations.into_iter().map(|d| (d.name, d.kind)).collect();
        assert_eq!(cleaned, kinds);
        let status = world.open().status().expect("how things stand");
        let looked: Vec<_> = status.destinations.into_iter().map(|d| (d.name, d.kind)).collect();
        assert_eq!(looked, kinds);
        if is_plugged_in {
            world.unplug("secondary");
        }
    }
}

#[test]
fn two_machines_back_up_at_the_same_time() {
    let first = World::in_memory(&["primary", "secondary"]);
    first.write("a", noise(2_000_000, 1));
    first.backup();
    let second = first.second("primary");
    for round in 0..4 {
        first.write("a", noise(1_500_000, 100 + round));
        second.write("b", noise(1_500_000, 200 + round));
        // Some of it is the same, and comes to be while the other one looks.
        first.write("both", noise(700_000, 300 + round));
        second.write("both", noise(700_000, 300 + round));
        thread::scope(|scope| {
            scope.spawn(|| first.backup());
            scope.spawn(|| second.backup());
        });
    }
    // The one in the middle of the other, too.
    first.write("c", noise(3_000_000, 5));
    second.write("d", noise(300_000, 6));
    let hook = Hook::after(1_000_000, || drop(second.backup()));
    first.try_backup_with(BackupRequest::default(), &hook).expect("a backup");
    assert!(hook.has_acted());
    for world in [&first, &second] {
        assert_eq!(world.open().snapshots().expect("readable").len(), 11);
        assert_whole(world);
    }
    assert_restores(&first, "restored first");
    assert_restores(&second, "restored second");
    // A third one sees the same, from the other destination alone.
    first.unplug("primary");
    let home = Home::at(first.path("third home"));
    let copied = first.settings_now();
    repo::connect(&home, &first.path("secondary"), None, Some(copied), &Silent).expect("connected");
    let third = Repo::open(&home, Access::Read, None, &Silent).expect("opened");
    assert_eq!(third.snapshots().expect("readable").len(), 11);
    fs::remove_dir_all(home.path()).expect("removed");
}
