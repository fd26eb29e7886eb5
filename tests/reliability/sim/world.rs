//! Three machines, each with a state folder on a disk of its own, and three destinations that all of them use.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use cryptbackup::error::Error;
use cryptbackup::format::record::Time;
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Clock, Home, InitRequest, Repo};
use cryptbackup::report::Silent;
use tempfile::TempDir;

use super::back::DiskCopy;
use super::model::Model;
use super::source::Source;
use super::station::{Outages, Station};
use super::{DISKS, MACHINES, PLACE_COUNT};
use crate::disk::crash::Policy;
use crate::disk::volume::Volume;
use crate::disk::{Image, SimulatedMachine};
use crate::rig::{PLACES, SIZES, place, temporary_folder};

pub struct World {
    pub machine: SimulatedMachine,
    pub outages: Outages,
    pub stations: Vec<Station>,
    pub homes: Vec<Home>,
    pub sources: Vec<Mutex<Source>>,
    seconds: Arc<AtomicI64>,
    /// How far the clock of each machine is off.
    skews: Vec<Arc<AtomicI64>>,
    model: Mutex<Model>,
    /// Of each destination, the last copy that was made of it.
    pub copies: [Mutex<Option<DiskCopy>>; PLACE_COUNT],
    pub folder: TempDir,
}

/// The disks after setting up, and the settings of a machine.
static BEGINNING: OnceLock<(Image, Settings)> = OnceLock::new();

/// The number of the disk of a destination.
pub fn disk_of(place: usize) -> usize {
    MACHINES + place
}

impl World {
    /// What is on these disks.
    pub fn with(image: Option<Image>) -> Self {
        let folder = temporary_folder();
        let state = |who: usize| folder.path().join(format!("machine{who}"));
        let mut mounts: Vec<PathBuf> = (0..MACHINES).map(state).collect();
        mounts.extend(PLACES.map(|name| PathBuf::from("/simulated").join(name)));
        let machine = match image {
            Some(image) => SimulatedMachine::with(mounts, image),
            None => SimulatedMachine::new(mounts),
        };
        let outages = Outages::default();
        let stations: Vec<Station> =
            (0..MACHINES).map(|number| Station::new(number, machine.clone(), Arc::clone(&outages))).collect();
        let home = |(who, station): (usize, &Station)| {
            // Locks are on the real machine.
            std::fs::create_dir_all(state(who).join("home/state")).expect("a folder");
            Home::at(state(who).join("home")).on(Arc::new(station.clone()))
        };
        let homes = stations.iter().enumerate().map(home).collect();
        let source = |who| Source::new(folder.path().join(format!("source{who}")), who as u64);
        let sources = (0..MACHINES).map(|who| Mutex::new(source(who))).collect();
        let skews = (0..MACHINES).map(|_| Arc::default()).collect();
        let seconds = Arc::new(AtomicI64::new(1_780_000_000));
        Self {
            machine,
            outages,
            stations,
            homes,
            sources,
            seconds,
            skews,
            model: Mutex::default(),
            copies: Default::default(),
            folder,
        }
    }

    /// Sets everything up but the sources.
    fn beginning() -> &'static (Image, Settings) {
        BEGINNING.get_or_init(|| {
            let world = Self::with(None);
            let request = InitRequest { recovery: false, sizes: Some(SIZES), ..InitRequest::default() };
            repo::init(&world.homes[0], request).map(drop).expect("set up");
            for name in PLACES {
                world.open(0).expect("opens").add_destination(name, &place(name), &Silent).expect("a destination");
            }
            let settings = world.homes[0].settings().expect("settings");
            for home in &world.homes[1..] {
                repo::connect(home, &place(PLACES[0]), None, Some(settings.clone()), &Silent).expect("connected");
            }
            (world.machine.image().crash(Policy::All, 0), settings)
        })
    }

    /// Three machines that never backed up.
    pub fn new() -> Self {
        let world = Self::with(Some(Self::beginning().0.clone()));
        for who in 0..MACHINES {
            let settings = world.settings(who);
            world.homes[who].save_settings(&settings).expect("the settings");
        }
        world
    }

    /// What a person who keeps a copy of the settings has.
    pub fn settings(&self, who: usize) -> Settings {
        let mut settings = Self::beginning().1.clone();
        let source = SourceSettings::new(self.source(who).path());
        settings.priority.partial_interval = 0;
        settings.put_source(SourceSettings { ignore_ctime: true, ..source });
        settings
    }

    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn source(&self, who: usize) -> MutexGuard<'_, Source> {
        self.sources[who].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn open(&self, who: usize) -> Result<Repo, Error> {
        let mut repo = Repo::open(&self.homes[who], Access::Write, None, &Silent)?;
        let (seconds, skew) = (Arc::clone(&self.seconds), Arc::clone(&self.skews[who]));
        repo.set_clock(Clock::of(move || Time {
            seconds: seconds.fetch_add(1, Ordering::Relaxed) + skew.load(Ordering::Relaxed),
            nanos: 0,
        }));
        Ok(repo)
    }

    pub fn pass(&self, hours: i64) {
        self.seconds.fetch_add(hours * 3600, Ordering::Relaxed);
    }

    pub fn set_skew(&self, who: usize, hours: i64) {
        self.skews[who].store(hours * 3600, Ordering::Relaxed);
    }

    /// What the clock of a machine says.
    pub fn now(&self, who: usize) -> i64 {
        self.seconds.load(Ordering::Relaxed) + self.skews[who].load(Ordering::Relaxed)
    }

    /// The destinations that are there.
    pub fn there(&self) -> BTreeSet<usize> {
        let state = self.machine.0.state();
        (0..PLACE_COUNT).filter(|place| state.image.0[disk_of(*place)].is_there).collect()
    }

    pub fn plug(&self, place: usize, is_there: bool) {
        self.machine.plug(disk_of(place), is_there);
    }

    /// Power fails on a disk: what was not synced may be lost, and what was opened leads nowhere.
    pub fn cut(&self, disk: usize, policy: Policy, seed: u64) {
        let mut state = self.machine.0.state();
        let is_there = state.image.0[disk].is_there;
        let left = Volume { is_there, ..state.image.0[disk].crash(policy, seed ^ disk as u64) };
        state.image.0[disk] = Arc::new(left);
        state.locks.release(disk);
        self.outages[disk].fetch_add(1, Ordering::Relaxed);
        drop(state);
        self.model().troubles.push(disk);
    }

    /// The state folder of a machine is gone.
    pub fn wipe(&self, who: usize) {
        let mut state = self.machine.0.state();
        state.image.0[who] = Arc::default();
        state.locks.release(who);
        debug_assert!(who < DISKS);
    }
}
