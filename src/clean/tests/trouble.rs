//! Destinations that fail, or that others clean, while what is to be kept is committed there.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;

use crate::backup::{self, BackupRequest};
use crate::clean::choose::Rules;
use crate::clean::purge::{self, PurgeRequest};
use crate::clean::{self, CleanReport, CleanRequest};
use crate::destination::{Destination, DestinationErrorKind, MemoryDestination, Settle};
use crate::format::cleaning::{Announcement, CleaningRecord};
use crate::format::id::{ObjectHash, SnapshotId, WriterId};
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::record::{Extra, Time};
use crate::format::sealed::ObjectType;
use crate::repo::settings::{Settings, SourceSettings};
use crate::repo::{self, Access, Clock, Home, InitRequest, Repo};
use crate::report::Silent;

const NAMES: [&str; 2] = ["one", "two"];

/// A repository with a snapshot a day, on destinations that were copied into memory since.
struct Site {
    folder: TempDir,
    repo: Repo,
    places: Vec<MemoryDestination>,
}

fn listed(place: &dyn Destination, kind: ObjectKind) -> BTreeSet<ObjectName> {
    let mut names = BTreeSet::new();
    place.list(kind, None, &mut |name, _| names.extend([name])).expect("listed");
    names
}

fn copied(place: &dyn Destination) -> MemoryDestination {
    let memory = MemoryDestination::new(&place.describe());
    let single = [ObjectName::Header, ObjectName::DestinationMark];
    for name in ObjectKind::ALL.into_iter().flat_map(|kind| listed(place, kind)).chain(single) {
        memory.put(&name, &place.get(&name, None).expect("read")).expect("put");
    }
    memory.settle(Settle::Touched).expect("settled");
    memory
}

fn site(destinations: usize) -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, source) = (Home::at(folder.path().join("home")), folder.path().join("source"));
    repo::init(&home, InitRequest::default()).expect("a new repository");
    fs::create_dir(&source).expect("the source");
    Settings::edit(&home.settings_path(), |settings| {
        settings.put_source(SourceSettings::new(&source));
        Ok(())
    })
    .expect("the settings");
    let clock = Arc::new(AtomicI64::new(0));
    let open = || {
        let (mut repo, clock) = (Repo::open(&home, Access::Write, None, &Silent).expect("opened"), Arc::clone(&clock));
        repo.set_clock(Clock::of(move || Time { seconds: clock.fetch_add(1, Ordering::Relaxed), nanos: 0 }));
        repo
    };
    for name in &NAMES[..destinations] {
        open().add_destination(name, &folder.path().join(name), &Silent).expect("a new destination");
    }
    for day in 0..3 {
        clock.store(1_780_000_000 + day * 86_400, Ordering::Relaxed);
        fs::write(source.join("file"), format!("of day {day}")).expect("written");
        let mut noise = vec![0; 500_000];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        fs::write(source.join("large"), noise).expect("written");
        fs::create_dir_all(source.join("private")).expect("a folder");
        fs::write(source.join("private/secret"), "a secret of every day").expect("written");
        backup::run(&mut open(), BackupRequest::default(), &Silent).expect("a backup");
    }
    let mut repo = open();
    let places: Vec<MemoryDestination> = repo.destinations.iter().map(|known| copied(known.place.as_ref())).collect();
    for (destination, place) in repo.destinations.iter_mut().zip(&places) {
        destination.place = Arc::new(place.clone());
    }
    Site { folder, repo, places }
}

impl Site {
    fn clean(&mut self) -> CleanReport {
        let rules = Rules { keep_days: 1, keep_versions: 10, ..Rules::of(&self.repo.settings.retention) };
        clean::run(&mut self.repo, CleanRequest::new(rules), &Silent).expect("cleaned")
    }

    fn snapshots(&self) -> Vec<SnapshotId> {
        self.repo.snapshots().expect("readable").iter().map(|info| info.id).collect()
    }

    /// The session of another writer.
    fn session(&self) -> (ObjectName, Vec<u8>) {
        let (writer, made) = (WriterId::from_bytes([9; 16]), Time::default());
        let session =
            CleaningRecord { writer, number: 1, made, announcement: Announcement::Session, extra: Extra::new() };
        let session = session.encode().expect("a small record");
        let session = self.repo.keys.seal_record(ObjectType::Cleaning, &session).expect("sealed");
        (ObjectName::Cleaning(ObjectHash::of(&session)), session)
    }
}

/// Somebody comes while a history is being committed on the second of two destinations, and deletes what it needs: the same
/// history is on the first, where nothing may go on its word either (invariant I15).
#[test]
fn a_history_that_is_overtaken_lets_nothing_go_anywhere() {
    let mut site = site(2);
    let shown = site.snapshots();
    let (places, before) = (site.places.clone(), listed(&site.places[0], ObjectKind::Packs));
    let (name, session) = site.session();
    site.places[1].when_put(ObjectKind::Snapshots, move || {
        places[1].put(&name, &session).expect("put");
        for place in &places {
            let new: Vec<ObjectName> = listed(place, ObjectKind::Packs).difference(&before).cloned().collect();
            assert!(!new.is_empty(), "the trees of the history are there");
            new.iter().for_each(|pack| place.delete(pack).expect("deleted"));
        }
    });
    let report = site.clean();
    for cleaned in &report.destinations {
        assert_eq!(cleaned.snapshots_deleted, 0, "{cleaned:?}");
        assert!(cleaned.detail.is_some(), "{cleaned:?}");
    }
    assert_eq!(site.snapshots(), shown);
    for place in &site.places {
        let there = listed(place, ObjectKind::Snapshots);
        assert!(shown.iter().all(|id| there.contains(&ObjectName::Snapshot(*id))), "all are still there");
    }
}

/// The trees of a history do not fit any more; the small mark that forgets what it would stand for might.
#[test]
fn where_a_history_cannot_be_stored_it_is_said_why_and_nothing_is_forgotten() {
    let mut site = site(1);
    let (shown, place) = (site.snapshots(), site.places[0].clone());
    let full = place.clone();
    place.when_put(ObjectKind::Cleaning, move || full.fail_puts(Some(DestinationErrorKind::Full)));
    let report = site.clean();
    let detail = report.destinations[0].detail.clone().expect("a reason");
    assert!(detail.contains("could not be stored") && detail.contains("it was told to fail"), "{detail}");
    assert_eq!((report.destinations[0].snapshots_deleted, site.snapshots()), (0, shown));
}

/// The snapshots that told of a purge are gone, and a pack that holds something of it could not be written anew.
#[test]
fn what_was_purged_is_remembered_until_it_is_out_of_every_pack() {
    let mut site = site(1);
    let path = site.folder.path().join("source/private");
    let request = PurgeRequest { path, dry_run: false, is_forced: false };
    purge::run(&mut site.repo, &request, &Silent).expect("purged");
    let place = site.places[0].clone();
    let largest = |name: &ObjectName| place.get(name, None).expect("read").len();
    let pack = listed(&place, ObjectKind::Packs).into_iter().max_by_key(largest).expect("a pack");
    place.fail_reads(pack, 0..u64::MAX, DestinationErrorKind::Offline);
    let rules = Rules { keep_days: 100, ..Rules::of(&site.repo.settings.retention) };
    let report = clean::run(&mut site.repo, CleanRequest::new(rules), &Silent).expect("cleaned as far as it goes");
    assert_eq!(report.destinations[0].snapshots_deleted, 3, "{report:?}");
    assert!(listed(&place, ObjectKind::Packs).contains(&pack));
    place.fail_reads(pack, 0..0, DestinationErrorKind::Offline);
    let report = clean::run(&mut site.repo, CleanRequest::new(rules), &Silent).expect("cleaned");
    assert!(!listed(&place, ObjectKind::Packs).contains(&pack), "{report:?}");
    let report = clean::run(&mut site.repo, CleanRequest::new(rules), &Silent).expect("cleaned");
    assert_eq!(report.destinations[0].packs_rewritten, 0);
}
