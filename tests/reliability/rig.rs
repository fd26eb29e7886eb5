//! A state folder and destinations on a simulated machine, and what can be asked of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cryptbackup::backup::{self, BackupReport, BackupRequest};
use cryptbackup::error::Error;
use cryptbackup::format::record::{ChunkerParameters, Time};
use cryptbackup::repo::settings::SourceSettings;
use cryptbackup::repo::{self, Access, Clock, Home, InitRequest, Repo, Sizes};
use cryptbackup::report::Silent;
use tempfile::TempDir;

use crate::disk::{Image, SimulatedMachine};

/// The destinations. The disk of number n + 1 is that of name n; disk 0 has the state folder.
pub const PLACES: [&str; 3] = ["one", "two", "three"];

/// Small, so that a small tree has many chunks, blocks and packs.
pub const SIZES: Sizes = Sizes {
    chunker: ChunkerParameters { min_bytes: 512, avg_bytes: 1024, max_bytes: 4096, normalization: 1 },
    block_bytes: 8 << 10,
    pack_bytes: 128 << 10,
};

/// A machine and what runs on it.
pub struct Rig {
    pub machine: SimulatedMachine,
    pub home: Home,
    source: PathBuf,
    seconds: Arc<AtomicI64>,
    /// Locks, files that are only needed while a command runs, and what is restored.
    folder: TempDir,
}

/// A folder in memory that goes away.
pub fn temporary_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// Where a destination is.
pub fn place(name: &str) -> PathBuf {
    Path::new("/simulated").join(name).join("backup")
}

impl Rig {
    /// A machine with empty disks, or with what an image says is on them. Its source is a real folder.
    pub fn new(source: &Path, image: Option<Image>) -> Self {
        let folder = temporary_folder();
        let state = folder.path().join("machine");
        let mut mounts = vec![state.clone()];
        mounts.extend(PLACES.map(|name| Path::new("/simulated").join(name)));
        let machine = match image {
            Some(image) => SimulatedMachine::with(mounts, image),
            None => SimulatedMachine::new(mounts),
        };
        // Locks are on the real machine.
        std::fs::create_dir_all(state.join("home/state")).expect("a folder");
        let home = Home::at(state.join("home")).on(Arc::new(machine.clone()));
        Self { machine, home, source: source.to_owned(), seconds: Arc::default(), folder }
    }

    /// A folder below which things may be restored.
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().join("restored")
    }

    /// Sets the clock to a day. Every look moves it on by a second.
    pub fn set_day(&self, day: i64) {
        self.seconds.store(1_780_000_000 + day * 86_400, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.seconds);
        Clock::of(move || Time { seconds: seconds.fetch_add(1, Ordering::Relaxed), nanos: 0 })
    }

    pub fn init(&self) -> Result<(), Error> {
        let request = InitRequest { recovery: true, sizes: Some(SIZES), ..InitRequest::default() };
        repo::init(&self.home, request).map(drop)
    }

    /// Does what is missing of setting up, as a person would who was interrupted: every command as often as needed.
    pub fn set_up(&self) -> Result<(), Error> {
        if !self.home.exists() {
            self.init()?;
        }
        let settings = self.home.settings()?;
        if settings.source(&self.source).is_none() {
            self.home.edit_settings(|settings| {
                let source = SourceSettings::new(&self.source);
                settings.put_source(SourceSettings { ignore_ctime: true, ..source });
                Ok(())
            })?;
        }
        for name in PLACES.iter().filter(|name| !settings.destinations.contains_key(name)) {
            self.open()?.add_destination(name, &place(name), &Silent)?;
        }
        Ok(())
    }

    pub fn open(&self) -> Result<Repo, Error> {
        let mut repo = Repo::open(&self.home, Access::Write, None, &Silent)?;
        repo.set_clock(self.clock());
        Ok(repo)
    }

    pub fn backup(&self) -> Result<BackupReport, Error> {
        backup::run(&mut self.open()?, BackupRequest::default(), &Silent)
    }

    /// Pulls the disk of a destination out, or plugs it in.
    pub fn plug(&self, name: &str, is_there: bool) {
        let at = PLACES.iter().position(|known| *known == name).expect("a destination");
        self.machine.plug(at + 1, is_there);
    }
}
