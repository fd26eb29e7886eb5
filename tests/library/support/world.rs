//! One machine with its sources and destinations, in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cryptbackup::backup::{self, BackupReport, BackupRequest, DestinationOutcome};
use cryptbackup::clean::choose::Rules;
use cryptbackup::clean::{self, CleanReport, CleanRequest, hand};
use cryptbackup::error::Error;
use cryptbackup::format::record::Time;
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Clock, Home, InitReport, InitRequest, Repo, Secret};
use cryptbackup::report::{Monitor, Silent, Stage};
use cryptbackup::sync::{self, SyncReport, SyncRequest};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT};

use super::hooks::AtStage;

/// Where the clock of [`World::settle`] begins: long ago.
const LONG_AGO: i64 = 1_600_000_000;

/// A machine; everything it has lies in a folder that is removed at the end.
pub struct World {
    folder: Arc<tempfile::TempDir>,
    source: &'static str,
    pub home: Home,
    pub secret: Option<Secret>,
    ticks: AtomicI64,
    /// What the clock says, in seconds since 1970; the system's where it is 0.
    clock: Arc<AtomicI64>,
}

impl World {
    /// A machine that was set up, with one source `source` and the destinations named.
    pub fn new(destinations: &[&str]) -> Self {
        Self::with(InitRequest::default(), destinations).0
    }

    /// The same where nothing has to wait for a disk, if there is such a place: for stories that are told many times.
    pub fn in_memory(destinations: &[&str]) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder");
        Self::set_up(folder, InitRequest::default(), destinations).0
    }

    /// The same with another key than the one in `config.yaml`, or with recovery words too.
    pub fn with(request: InitRequest, destinations: &[&str]) -> (Self, InitReport) {
        Self::set_up(tempfile::tempdir().expect("a temporary folder"), request, destinations)
    }

    fn set_up(folder: tempfile::TempDir, request: InitRequest, destinations: &[&str]) -> (Self, InitReport) {
        let home = Home::at(folder.path().join("home"));
        let secret = request.passphrase.clone().map(Secret::Passphrase);
        let report = repo::init(&home, request).expect("a new repository");
        let folder = Arc::new(folder);
        let world = Self { folder, source: "source", home, secret, ticks: AtomicI64::new(0), clock: Arc::default() };
        fs::create_dir(world.source()).expect("the source");
        world.add_source(&world.source());
        for name in destinations {
            world.add_destination(name);
        }
        (world, report)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn source(&self) -> PathBuf {
        self.path(self.source)
    }

    /// A second machine on a destination of this one, with a source of its own and the same clock.
    pub fn second(&self, destination: &str) -> Self {
        let home = Home::at(self.path("second home"));
        let copied = self.settings_now();
        repo::connect(&home, &self.path(destination), None, Some(copied), &Silent).expect("connected");
        let second = Self {
            folder: Arc::clone(&self.folder),
            source: "second source",
            home,
            secret: None,
            ticks: AtomicI64::new(0),
            clock: Arc::clone(&self.clock),
        };
        fs::create_dir(second.source()).expect("the source");
        second.settings(|settings| settings.sources.clear());
        second.add_source(&second.source());
        second
    }

    /// A second machine on a destination of this one whose only source has the same path. The disk of a test is one, so
    /// what is in that folder is changed between what the two of them do.
    pub fn second_with_the_same_path(&self, destination: &str) -> Self {
        let home = Home::at(self.path("second home"));
        let copied = self.settings_now();
        repo::connect(&home, &self.path(destination), None, Some(copied), &Silent).expect("connected");
        let (folder, clock) = (Arc::clone(&self.folder), Arc::clone(&self.clock));
        Self { folder, source: self.source, home, secret: None, ticks: AtomicI64::new(0), clock }
    }

    /// What is there when the computer is cloned: the same state folder once more, with the same destinations and the same
    /// clock, and a source of its own.
    pub fn clone_of_it(&self) -> Self {
        let home = Home::at(self.path("home of the clone"));
        copy_folder(self.home.path(), home.path());
        let (folder, clock) = (Arc::clone(&self.folder), Arc::clone(&self.clock));
        let clone = Self { folder, source: "source of the clone", home, secret: None, ticks: AtomicI64::new(0), clock };
        fs::create_dir(clone.source()).expect("the source");
        clone.settings(|settings| settings.sources.clear());
        clone.add_source(&clone.source());
        clone
    }

    pub fn add_source(&self, path: &Path) {
        Settings::edit(&self.home.settings_path(), |settings| {
            settings.put_source(SourceSettings::new(path));
            Ok(())
        })
        .expect("the settings");
    }

    pub fn settings(&self, change: impl FnOnce(&mut Settings)) {
        Settings::edit(&self.home.settings_path(), |settings| {
            change(settings);
            Ok(())
        })
        .expect("the settings");
    }

    pub fn settings_now(&self) -> Settings {
        Settings::load(&self.home.settings_path(), true).expect("the settings")
    }

    pub fn add_destination(&self, name: &str) {
        let mut repo = self.open_to_write();
        repo.add_destination(name, &self.path(name), &Silent).expect("a new destination");
    }

    /// Sets the clock to the beginning of a day, counted from some day in 2026.
    pub fn set_day(&self, day: i64) {
        self.clock.store(1_780_000_000 + day * 86_400, Ordering::Relaxed);
    }

    /// What the clock says; each look moves it on by a second.
    fn clock(&self) -> Clock {
        let clock = Arc::clone(&self.clock);
        match clock.load(Ordering::Relaxed) {
            0 => Clock::default(),
            _ => Clock::of(move || Time { seconds: clock.fetch_add(1, Ordering::Relaxed), nanos: 0 }),
        }
    }

    pub fn open(&self) -> Repo {
        Repo::open(&self.home, Access::Read, self.secret.clone(), &Silent).expect("the repository")
    }

    /// The same by the clock of this world.
    pub fn open_by_its_clock(&self) -> Repo {
        let mut repo = self.open();
        repo.set_clock(self.clock());
        repo
    }

    pub fn open_to_write(&self) -> Repo {
        self.open_with(&Silent).expect("the repository")
    }

    fn open_with(&self, monitor: &dyn Monitor) -> Result<Repo, Error> {
        let mut repo = Repo::open(&self.home, Access::Write, self.secret.clone(), monitor)?;
        repo.set_clock(self.clock());
        Ok(repo)
    }

    pub fn clean_with(&self, request: CleanRequest) -> CleanReport {
        clean::run(&mut self.open_to_write(), request, &Silent).expect("cleaned")
    }

    /// Cleans by these rules of days and versions.
    pub fn clean(&self, keep_days: u32, keep_versions: u32) -> CleanReport {
        let rules = Rules { keep_days, keep_versions, ..Rules::of(&self.settings_now().retention) };
        self.clean_with(CleanRequest::new(rules))
    }

    /// Writes a file of the source.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.source().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, content).expect("written");
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.source().join(name)).expect("removed");
    }

    pub fn try_backup_with(&self, request: BackupRequest, monitor: &dyn Monitor) -> Result<BackupReport, Error> {
        let mut repo = self.open_with(monitor)?;
        backup::run(&mut repo, request, monitor)
    }

    pub fn backup_with(&self, request: BackupRequest) -> BackupReport {
        self.try_backup_with(request, &Silent).expect("a backup")
    }

    pub fn backup(&self) -> BackupReport {
        self.backup_with(BackupRequest::default())
    }

    /// Of what this has, a clean moves what is needed into new packs, and deletes the old ones at once.
    pub fn whose_packs_a_clean_moves() -> Self {
        let world = Self::new(&["primary"]);
        world.set_day(0);
        for number in 0..5 {
            world.write(&format!("folder {number}/kept"), noise(200_000, number));
            world.write(&format!("large {number}"), noise(4_000_000, 10 + number));
        }
        let id = world.backup().snapshot_id.expect("a snapshot").to_string();
        world.set_day(1);
        (0..5).for_each(|number| world.remove(&format!("large {number}")));
        world.backup();
        hand::forget(&mut world.open_to_write(), &[id], false).expect("forgotten");
        world
    }

    /// That clean, when a stage of something else begins.
    pub fn clean_at(&self, stage: Stage) -> AtStage<'_> {
        AtStage::new(stage, || {
            let before = self.pack_bytes("primary");
            self.clean_with(CleanRequest::new(Rules::of(&self.settings_now().retention)));
            assert!(self.pack_bytes("primary") < before / 4);
        })
    }

    pub fn sync(&self) -> SyncReport {
        sync::run(&mut self.open_to_write(), SyncRequest::default(), &Silent).expect("synchronised")
    }

    /// Makes everything in the source look as if it had been left alone for long, so that unchanged files are told by
    /// their times: what was changed in the last hour gets a time of long ago that nothing had before. Needs
    /// `ignore_ctime`, which this sets: nobody can set a ctime.
    pub fn settle(&self) {
        self.settings(|settings| settings.sources.iter_mut().for_each(|source| source.ignore_ctime = true));
        let tick = self.ticks.fetch_add(1, Ordering::Relaxed);
        let time = Timespec { tv_sec: LONG_AGO + tick, tv_nsec: 0 };
        let times = Timestamps { last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }, last_modification: time };
        let recent = jiff::Timestamp::now().as_second() - 3600;
        for entry in walkdir::WalkDir::new(self.source()) {
            let entry = entry.expect("listed");
            use std::os::unix::fs::MetadataExt;
            if fs::symlink_metadata(entry.path()).expect("a look").mtime() >= recent {
                rustix::fs::utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW).expect("a time");
            }
        }
    }

    /// Takes a destination away, as when a stick is pulled out.
    pub fn unplug(&self, name: &str) {
        fs::rename(self.path(name), self.path(&format!("{name}.away"))).expect("unplugged");
    }

    /// Brings it back.
    pub fn plug(&self, name: &str) {
        fs::rename(self.path(&format!("{name}.away")), self.path(name)).expect("plugged in");
    }

    /// Deletes the index.
    pub fn forget_index(&self) {
        fs::remove_file(self.home.index_path()).expect("the index was there");
    }

    /// Every object of a destination with its size, but for those every destination has.
    pub fn objects(&self, name: &str) -> Vec<(String, u64)> {
        let root = self.path(name);
        let mut objects: Vec<(String, u64)> = walkdir::WalkDir::new(&root)
            .into_iter()
            .map(|entry| entry.expect("listed"))
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let path = entry.path().strip_prefix(&root).expect("below the root").display().to_string();
                (path, entry.metadata().expect("a size").len())
            })
            .filter(|(path, _)| path != "reserve")
            .collect();
        objects.sort();
        objects
    }

    /// Bytes of all packs of a destination.
    pub fn pack_bytes(&self, name: &str) -> u64 {
        self.objects(name).iter().filter(|(path, _)| path.starts_with("packs/")).map(|(_, len)| len).sum()
    }
}

/// What a backup says of one destination.
/// Copies a folder with everything in it.
pub fn copy_folder(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("readable");
        let path = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(path).expect("made");
        } else {
            fs::copy(entry.path(), path).expect("copied");
        }
    }
}

pub fn outcome<'a>(report: &'a BackupReport, name: &str) -> &'a DestinationOutcome {
    report.destinations.iter().find(|destination| destination.name == name).expect("a configured destination")
}

/// Bytes that do not compress, different for every seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(format!("noise {seed}").as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
