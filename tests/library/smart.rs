//! Important files first: partial snapshots, what they hold, and what is left of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use cryptbackup::backup::smart::{self, SmartPlan};
use cryptbackup::backup::{BackupReport, BackupRequest};
use cryptbackup::clean::hand;
use cryptbackup::error::Error;
use cryptbackup::explore::{self, FileInfo};
use cryptbackup::report::{Monitor, Silent};
use cryptbackup::restore::{self, RestoreRequest, What};

use crate::restore::{restore, to};
use crate::support::World;
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

/// Asks to stop after so many partial snapshots.
struct StopAfter {
    left: AtomicUsize,
}

impl StopAfter {
    fn partials(count: usize) -> Self {
        Self { left: AtomicUsize::new(count) }
    }
}

impl Monitor for StopAfter {
    fn note(&self, sentence: &str) {
        if sentence.contains("partial snapshot") {
            self.left.fetch_sub(1, Ordering::SeqCst);
        }
    }
    fn should_stop(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

fn plan(world: &World) -> SmartPlan {
    smart::plan(&world.open(), &BackupRequest::default(), &Silent).expect("a plan")
}

fn try_smart(world: &World, monitor: &dyn Monitor) -> Result<BackupReport, Error> {
    let mut repo = world.open_to_write();
    let request = BackupRequest::default();
    let plan = smart::plan(&repo, &request, monitor)?;
    smart::execute(&mut repo, request, &plan, monitor)
}

fn smart(world: &World) -> BackupReport {
    try_smart(world, &Silent).expect("a backup")
}

/// Files of three kinds. Each step of the scores is a part of its own.
fn mixed(destinations: &[&str]) -> World {
    let world = World::in_memory(destinations);
    world.settings(|settings| settings.priority.partial_interval = 0);
    for number in 0..5 {
        world.write(&format!("films/{number}.mkv"), noise(300_000, number));
        world.write(&format!("letters/{number}.odt"), noise(40_000, 10 + number));
        world.write(&format!("other/{number}"), noise(60_000, 20 + number));
    }
    world.settle();
    world
}

/// What can be restored, by the extension of its name.
fn by_kind(world: &World) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    let mut note = |file: FileInfo| {
        let path = cryptbackup::paths::from_bytes(&file.path);
        let kind = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
        *kinds.entry(kind).or_default() += 1;
    };
    explore::files(&world.open(), None, &mut note).expect("listed");
    kinds
}

fn kinds(list: &[(&str, usize)]) -> BTreeMap<String, usize> {
    list.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

#[test]
fn the_plan_names_the_most_important_and_why() {
    let world = mixed(&["a"]);
    world.settings(|settings| settings.priority.important = vec!["/films/3.mkv".to_owned(), "3.mkv".to_owned()]);
    let plan = plan(&world);
    assert_eq!((plan.files, plan.bytes, plan.first.len()), (15, 2_000_000, 10));
    assert!(plan.first[0].path.ends_with(b"films/3.mkv"), "the user said so, and it is larger than a letter");
    assert!(plan.first[1..6].iter().all(|ranked| ranked.path.ends_with(b".odt") && ranked.score.kind == 100.0));
    assert!(plan.first.is_sorted_by(|left, right| left.score.total() >= right.score.total()));
    // Nothing was written.
    assert!(world.open().snapshots().expect("listed").is_empty());
}

#[test]
fn in_the_end_there_is_one_whole_snapshot() {
    let world = mixed(&["a", "b"]);
    let report = smart(&world);
    assert_eq!((report.files_new, report.files_unmodified, report.bytes_read), (15, 0, 2_000_000));
    assert_eq!((report.problems.len(), report.copies), (0, 2));
    assert!(report.bytes_added < 2_100_000, "nothing is stored twice: {}", report.bytes_added);
    let snapshots = world.open().snapshots().expect("listed");
    assert_eq!((snapshots.len(), snapshots[0].is_partial), (1, false));
    restore(&world, to(&world, &world.path("out")));
    assert_same(&tree(&world.path("out")), &tree(&world.source()));
    // The partial ones go from the destinations with the next cleaning, and nothing with them.
    let count = |world: &World| world.objects("a").iter().filter(|(path, _)| path.starts_with("snaps/")).count();
    assert!(count(&world) > 1);
    world.clean(30, 10);
    assert_eq!(count(&world), 1);
    restore(&world, to(&world, &world.path("again")));
    assert_same(&tree(&world.path("again")), &tree(&world.source()));
    // An ordinary backup goes on from it.
    assert_eq!(world.backup().files_unmodified, 15);
}

#[test]
fn what_was_committed_before_a_stop_is_there_and_is_not_stored_again() {
    for partials in 1..4 {
        let world = mixed(&["a"]);
        let error = try_smart(&world, &StopAfter::partials(partials)).expect_err("stopped");
        assert!(matches!(error, Error::Interrupted));
        let kept = by_kind(&world);
        assert!(kept.get("odt").is_some_and(|count| *count > 0) && !kept.contains_key("mkv"), "{kept:?}");
        let snapshots = world.open().snapshots().expect("listed");
        assert!(snapshots.iter().any(|snapshot| snapshot.is_partial));
        let before = world.pack_bytes("a");
        restore(&world, to(&world, &world.path("out")));
        for (path, seen) in tree(&world.path("out")).iter().filter(|(_, seen)| seen.kind == "file") {
            assert_eq!(Some(seen), tree(&world.source()).get(path), "{}", String::from_utf8_lossy(path));
        }
        // The rest, by an ordinary backup: only what was not there yet.
        let bytes_kept: u64 = tree(&world.path("out")).values().map(|seen| seen.content.len() as u64).sum();
        let report = world.backup();
        assert!(report.bytes_read == 2_000_000 - bytes_kept, "{} {bytes_kept}", report.bytes_read);
        assert!(world.pack_bytes("a") - before < 2_000_000 - bytes_kept + 300_000);
        assert_eq!(by_kind(&world), kinds(&[("", 5), ("mkv", 5), ("odt", 5)]));
        assert_eq!(world.open().snapshots().expect("listed").len(), 1);
    }
}

#[test]
fn nothing_is_deleted_by_a_partial_snapshot() {
    let world = mixed(&["a"]);
    try_smart(&world, &StopAfter::partials(1)).expect_err("stopped");
    let before = tree(&world.source());
    let repo = world.open();
    for what in [What::Directory(world.source()), What::Snapshot("latest".to_owned())] {
        let request = RestoreRequest::new(what);
        match restore::plan(&repo, RestoreRequest { delete: true, ..request.clone() }, &Silent) {
            Err(Error::Usage(sentence)) => assert!(sentence.contains("choose another snapshot"), "{sentence}"),
            other => panic!("{other:?}"),
        }
        let plan = restore::plan(&repo, request, &Silent).expect("a plan");
        assert!(plan.notes.iter().any(|note| note.contains("is partial")), "{:?}", plan.notes);
    }
    assert_same(&tree(&world.source()), &before);
}

#[test]
fn a_partial_snapshot_is_never_worse_than_the_last_one() {
    let world = mixed(&["a"]);
    world.backup();
    let old = tree(&world.source());
    for number in 0..5 {
        world.write(&format!("films/{number}.mkv"), noise(310_000, 100 + number));
        world.write(&format!("letters/{number}.odt"), noise(41_000, 110 + number));
    }
    world.write("films/new.mkv", noise(5_000, 200));
    let new = tree(&world.source());
    try_smart(&world, &StopAfter::partials(1)).expect_err("stopped");
    restore(&world, to(&world, &world.path("out")));
    let now = tree(&world.path("out"));
    let content = |tree: &BTreeMap<Vec<u8>, crate::support::trees::Seen>, path: &Vec<u8>| {
        tree.get(path).map(|seen| seen.content.clone())
    };
    let mut fresh = 0;
    for (path, seen) in old.iter().filter(|(_, seen)| seen.kind == "file") {
        let restored = content(&now, path).expect("everything the last one had");
        assert!(restored == seen.content || Some(&restored) == content(&new, path).as_ref());
        fresh += usize::from(restored != seen.content);
    }
    assert!(fresh > 0 && !now.contains_key(&b"films/new.mkv"[..]));
    // The versions go on as if nothing had been cut off.
    smart(&world);
    let film = world.open().versions(&world.source().join("films/1.mkv")).expect("listed");
    assert_eq!(film.iter().map(|version| version.number).collect::<Vec<_>>(), [1, 2]);
    restore(&world, to(&world, &world.path("all")));
    assert_same(&tree(&world.path("all")), &new);
}

#[test]
fn what_changes_often_comes_first() {
    let world = World::in_memory(&["a"]);
    world.settings(|settings| settings.priority.partial_interval = 0);
    for round in 0..4 {
        world.write("busy.bin", noise(2_000, round));
        world.write("calm.bin", noise(2_000, 100));
        world.backup();
    }
    world.write("busy.bin", noise(2_000, 10));
    world.write("calm.bin", noise(2_000, 11));
    let plan = plan(&world);
    assert!(plan.first[0].path.ends_with(b"busy.bin"));
    assert_eq!((plan.first[0].score.changes, plan.first[1].score.changes), (60.0, 0.0));
}

#[test]
fn a_partial_snapshot_that_is_all_a_stick_has_stays() {
    let world = mixed(&["a", "stick"]);
    try_smart(&world, &StopAfter::partials(1)).expect_err("stopped");
    world.unplug("stick");
    world.backup();
    world.clean(30, 10);
    world.plug("stick");
    let request = RestoreRequest { from: Some("stick".to_owned()), ..to(&world, &world.path("out")) };
    let snapshots = world.open().snapshots().expect("listed");
    let partial = snapshots.iter().find(|snapshot| snapshot.is_partial).expect("it is still listed");
    restore(&world, RestoreRequest { what: What::Snapshot(partial.id.to_string()), ..request });
    world.backup();
    assert!(world.open().snapshots().expect("listed").iter().all(|snapshot| !snapshot.is_partial));
}

#[test]
fn many_changed_files_are_suspect_however_many_parts_there_are() {
    let world = World::in_memory(&["a"]);
    world.settings(|settings| settings.priority.partial_interval = 0);
    let text: Vec<u8> = (0..4_000).flat_map(|line| format!("line {line} of a letter\n").into_bytes()).collect();
    let name = |number: u64| format!("{number}.{}", ["odt", "txt", "zip", "x"][number as usize % 4]);
    (0..160).for_each(|number| world.write(&name(number), &text));
    assert!(world.backup().suspect.is_empty());
    // An eighth of each kind, all together; each part alone would pass.
    (0..80).for_each(|number| world.write(&name(number), noise(90_000, number)));
    let report = smart(&world);
    assert_eq!(report.suspect.len(), 1);
    assert_eq!((report.suspect[0].files, report.suspect[0].opaque), (160, 80));
}

#[test]
fn what_is_read_by_force_is_read_once() {
    let world = mixed(&["a"]);
    world.backup();
    let mut repo = world.open_to_write();
    let request = BackupRequest { force: true, ..BackupRequest::default() };
    let plan = smart::plan(&repo, &request, &Silent).expect("a plan");
    let report = smart::execute(&mut repo, request, &plan, &Silent).expect("a backup");
    assert_eq!((report.bytes_read, report.files_unmodified), (2_000_000, 15));
}

/// The index was lost while a destination was away, so nobody knew that a partial snapshot was there too.
#[test]
fn a_partial_snapshot_stays_where_none_that_stands_for_it_is() {
    let world = mixed(&["a", "b"]);
    let stopped = try_smart(&world, &StopAfter::partials(1));
    assert!(stopped.is_err(), "{stopped:?}");
    world.unplug("b");
    world.forget_index();
    smart(&world);
    world.plug("b");
    world.unplug("a");
    let count = || world.objects("b").iter().filter(|(path, _)| path.starts_with("snaps/")).count();
    world.clean(30, 10);
    assert_eq!(count(), 1, "it is all there is on this one");
    world.plug("a");
    world.sync();
    assert_eq!(count(), 2);
    world.clean(30, 10);
    assert_eq!(count(), 1);
    world.unplug("a");
    restore(&world, to(&world, &world.path("out")));
    assert_same(&tree(&world.path("out")), &tree(&world.source()));
}

/// A later snapshot stood for a partial one on another destination, and that one is lost.
#[test]
fn a_partial_snapshot_for_which_nothing_stands_any_more_is_shown() {
    let world = mixed(&["primary", "secondary"]);
    let stopped = try_smart(&world, &StopAfter::partials(1));
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    let partial = world.open().snapshots().expect("readable")[0].id;
    world.unplug("secondary");
    smart(&world);
    world.forget_index();
    smart(&world);
    world.plug("secondary");
    hand::tag(&mut world.open_to_write(), "latest", vec!["known".to_owned()], Vec::new()).expect("a mark");
    let shown = || world.open().snapshots().expect("readable").iter().any(|info| info.id == partial);
    assert!(!shown(), "a whole one stands for it");
    world.unplug("primary");
    world.forget_index();
    drop(world.open_to_write());
    assert!(shown());
    world.plug("primary");
    world.sync();
    assert!(!shown());
}
