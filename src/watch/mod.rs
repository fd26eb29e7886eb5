//! Somebody who watches the sources and backs up what changes, until asked to stop.
//!
//! | file | what |
//! |---|---|
//! | `listen` | what the file system tells of the sources |
//! | `due` | what changed, and when it is time to back it up |
//! | `news` | what is told meanwhile and at the end |
//! | `presence` | which sources and destinations are there |
//! | `work` | backups, catching up and cleaning, when they are due |
//!
//! Nobody is trusted to tell everything: all of the sources is looked at when it begins, when something was missed, when
//! the machine slept, when a disk was mounted, and once a day. What cannot be watched is looked at every interval.
//! Whatever fails is told once and tried again; what changed meanwhile is remembered until it is saved.
//!
//! ```
//! use std::sync::atomic::{AtomicBool, Ordering};
//!
//! use cryptbackup::repo::Home;
//! use cryptbackup::report::Monitor;
//! use cryptbackup::watch::{self, News, WatchRequest};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! /// Says nothing, and stops when it is told to.
//! struct Stop(AtomicBool);
//!
//! impl Monitor for Stop {
//!     fn should_stop(&self) -> bool {
//!         self.0.load(Ordering::Relaxed)
//!     }
//! }
//!
//! let home = Home::at(folder.path().join("state"));
//! let stop = Stop(AtomicBool::new(false));
//! let report = watch::run(&home, WatchRequest::default(), &stop, &mut |news| match news {
//!     News::BackedUp(report) => {
//!         println!("{} files changed", report.files_changed);
//!         stop.0.store(true, Ordering::Relaxed);
//!     }
//!     News::Failed(error) => eprintln!("{error}"),
//!     _ => {}
//! })?;
//! assert_eq!((report.backups, report.files), (1, 1));
//! # Ok(())
//! # }
//! ```

mod due;
mod listen;
mod news;
mod presence;
mod work;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::destination::place::{self, Mount, PlaceKind};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::repo::settings::{Settings, SourceSettings};
use crate::repo::{Home, Resting, Secret, walk_options};
use crate::report::Monitor;
use crate::source::{Changes, WalkOptions, leaves_out};

pub use news::{News, WatchReport, WatchRequest};

use due::Due;
use listen::{Listener, Told, Unwatchable};
use presence::Presence;

/// How long to wait for something to be told before it is asked whether to stop.
const TICK: Duration = Duration::from_millis(500);
/// Time between two looks at what is there.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A clock that goes on by so much more than time passed while this ran: the machine slept.
const SLEPT: Duration = Duration::from_secs(60);

/// A source.
struct Watched {
    path: PathBuf,
    changes: Changes,
    /// Whether it is only looked at every interval.
    is_polled: bool,
}

struct Watch<'a> {
    home: &'a Home,
    secret: Option<Secret>,
    monitor: &'a dyn Monitor,
    tell: &'a mut dyn FnMut(News<'_>),
    settings: Settings,
    settings_changed: Option<SystemTime>,
    listener: Option<Listener>,
    sources: Vec<Watched>,
    presence: Presence,
    due: Due,
    /// The snapshot the changes are since.
    since: Option<SnapshotId>,
    resting: Option<Resting>,
    listed: Instant,
    cleaned: Option<Instant>,
    /// What was said of the last failure.
    said: Option<String>,
    looked: Instant,
    clock: SystemTime,
    report: WatchReport,
}

/// Watches until the monitor says to stop. A stop while a backup is made is one after it was interrupted.
///
/// # Errors
/// [`Error::NotInitialised`], [`Error::BrokenSettings`], [`Error::Config`] where the settings say not to watch,
/// [`Error::NothingToBackUp`] without sources, [`Error::WrongKey`]. What fails later is told and tried again.
pub fn run(
    home: &Home,
    request: WatchRequest,
    monitor: &dyn Monitor,
    tell: &mut dyn FnMut(News<'_>),
) -> Result<WatchReport, Error> {
    let began = Instant::now();
    home.require()?;
    let settings = home.settings()?;
    if !settings.watch.enabled {
        let detail = "it is off; `cryptbackup config set watch.enabled true` turns watching on".to_owned();
        return Err(Error::Config { key: "watch.enabled".to_owned(), detail });
    }
    if settings.folders().next().is_none() {
        let what = "no source is configured; add one with `cryptbackup add DIR`";
        return Err(Error::NothingToBackUp(what.to_owned()));
    }
    let mut watch = Watch {
        home,
        secret: request.secret,
        monitor,
        tell,
        presence: Presence::new(&settings),
        settings,
        settings_changed: changed(home),
        listener: None,
        sources: Vec::new(),
        due: Due::default(),
        since: None,
        resting: None,
        listed: Instant::now(),
        cleaned: None,
        said: None,
        looked: Instant::now(),
        clock: SystemTime::now(),
        report: WatchReport::default(),
    };
    watch.begin();
    while !monitor.should_stop() {
        watch.step()?;
    }
    watch.report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(watch.report)
}

fn changed(home: &Home) -> Option<SystemTime> {
    std::fs::metadata(home.settings_path()).and_then(|found| found.modified()).ok()
}

impl Watch<'_> {
    /// Listens to every source as the settings have them, and takes everything in them for changed.
    fn begin(&mut self) {
        let sources = self.settings.folders().map(|source| Watched {
            path: source.path.clone(),
            changes: Changes::everything(),
            is_polled: !self.settings.watch.realtime,
        });
        self.sources = sources.collect();
        self.presence = Presence::new(&self.settings);
        self.due.change();
        // The old one ends before there is a new one: the system has a limit for both.
        self.listener = None;
        if self.settings.watch.realtime {
            self.listen();
        }
        let folders = self.listener.as_ref().map_or(0, Listener::folders);
        let (sources, interval) = (self.sources.len(), self.settings.watch.interval);
        (self.tell)(News::Began { sources, folders, interval });
    }

    fn listen(&mut self) {
        match Listener::new() {
            Ok(listener) => self.listener = Some(listener),
            Err(why) => {
                for position in 0..self.sources.len() {
                    self.poll(position, &why);
                }
                return;
            }
        }
        let mounts = place::mounts().unwrap_or_default();
        for position in 0..self.sources.len() {
            match self.sources.get(position).and_then(|source| network(&source.path, &mounts)) {
                Some(why) => self.poll(position, &why),
                None => self.watch_source(position, None),
            }
        }
    }

    /// Watches the folders of a source, or those below one path of it.
    fn watch_source(&mut self, position: usize, below: Option<&[u8]>) {
        let Some(source) = self.sources.get(position).filter(|source| !source.is_polled) else { return };
        let mut options = self.options(&source.path);
        options.changes = below.map(|path| {
            let mut changes = Changes::default();
            changes.renew(path);
            changes
        });
        let monitor = self.monitor;
        let Some(listener) = &mut self.listener else { return };
        match listener.watch(&options, &|| monitor.should_stop()) {
            // It is noticed when it is back.
            Ok(()) | Err(Unwatchable::Missing) => {}
            Err(why) => self.poll(position, &why),
        }
    }

    fn options(&self, path: &Path) -> WalkOptions {
        let settings = self.settings.source(path).cloned();
        let settings = settings.unwrap_or_else(|| SourceSettings::new(path));
        walk_options(self.home, &self.settings, &settings)
    }

    /// Looks at a source every interval from now on.
    fn poll(&mut self, position: usize, why: &Unwatchable) {
        let Some(source) = self.sources.get_mut(position) else { return };
        source.is_polled = true;
        source.changes = Changes::everything();
        if let Some(listener) = &mut self.listener {
            listener.forget(&source.path);
        }
        let why = match why {
            Unwatchable::TooMany => "the system watches no more folders; a greater fs.inotify.max_user_watches (`sudo \
                                     sysctl fs.inotify.max_user_watches=1048576`) lets it"
                .to_owned(),
            Unwatchable::Missing => "it is not there".to_owned(),
            Unwatchable::Other(why) => why.clone(),
        };
        (self.tell)(News::Unwatched { source: &source.path, why: &why });
    }

    /// Waits a little, takes in what was told, and does what is due.
    fn step(&mut self) -> Result<(), Error> {
        let told = match &self.listener {
            Some(listener) => listener.wait(self.due.time_left(self.interval(), TICK)),
            None => {
                std::thread::sleep(TICK);
                Vec::new()
            }
        };
        self.take_in(told);
        if self.looked.elapsed() >= LOOK_EVERY {
            self.look_around();
        }
        self.work()
    }

    fn take_in(&mut self, told: Vec<Told>) {
        if told.contains(&Told::Missed) {
            self.miss("the system told of more changes than it could remember");
            return;
        }
        // What to forget, and where to look for folders that are not watched.
        let (mut moved, mut looked_at) = (Vec::new(), BTreeSet::new());
        for one in told {
            let (path, is_moved) = match one {
                Told::Touched(path) => (path, false),
                Told::Moved(path) => (path, true),
                Told::Missed => continue,
            };
            self.report.changes += 1;
            (self.tell)(News::Changed(&path));
            for source in &mut self.sources {
                let Ok(below) = path.strip_prefix(&source.path) else { continue };
                let below = below.as_os_str().as_encoded_bytes();
                if is_moved { source.changes.renew(below) } else { source.changes.touch(below) }
            }
            self.due.change();
            let is_rule = path.file_name().is_some_and(|name| leaves_out(name.as_encoded_bytes()));
            if let Some(folder) = path.parent().filter(|_| is_rule) {
                // What it left out may be left out no more.
                looked_at.insert(folder.to_owned());
            }
            if is_moved && moved.last() != Some(&path) {
                moved.push(path);
            }
        }
        // First what is not there any more, then what is: it may be the same folder.
        if let Some(listener) = &mut self.listener {
            moved.iter().for_each(|path| listener.forget(path));
        }
        looked_at.extend(moved);
        for path in looked_at {
            if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
                continue;
            }
            for position in 0..self.sources.len() {
                let Some(source) = self.sources.get(position) else { continue };
                if let Ok(below) = path.strip_prefix(&source.path) {
                    let below = below.as_os_str().as_encoded_bytes().to_vec();
                    self.watch_source(position, Some(&below));
                }
            }
        }
    }

    /// Begins anew, because something may have been missed.
    fn miss(&mut self, why: &str) {
        (self.tell)(News::Missed(why));
        self.resting = None;
        self.begin();
    }

    /// What no event tells: settings, disks, sleep.
    fn look_around(&mut self) {
        let (passed, clock) = (self.looked.elapsed(), SystemTime::now());
        let by_clock = clock.duration_since(self.clock).unwrap_or_default();
        (self.looked, self.clock) = (Instant::now(), clock);
        let settings_changed = changed(self.home);
        if settings_changed != self.settings_changed {
            self.settings_changed = settings_changed;
            // What cannot be read now is read when it changes again; until then the old ones hold.
            if let Ok(settings) = self.home.settings()
                && settings != self.settings
            {
                self.settings = settings;
                self.miss("the settings changed");
                return;
            }
        }
        if by_clock > passed + SLEPT {
            self.miss("the machine slept");
            return;
        }
        let difference = self.presence.look();
        for name in &difference.went {
            (self.tell)(News::Went(name));
        }
        for name in &difference.came {
            (self.tell)(News::Came(name));
        }
        if !difference.went.is_empty() || !difference.came.is_empty() || difference.is_mounted_anew {
            self.resting = None;
            self.due.try_now();
            if !difference.came.is_empty() {
                self.due.catch_up();
            }
        }
        for path in difference.sources {
            let Some(position) = self.sources.iter().position(|source| source.path == path) else { continue };
            if let Some(listener) = &mut self.listener {
                listener.forget(&path);
            }
            if let Some(source) = self.sources.get_mut(position) {
                source.changes = Changes::everything();
            }
            self.watch_source(position, None);
            self.due.change();
        }
    }
}

/// Why a source is not watched that lies on another computer: who changes it there is not told here.
fn network(path: &Path, mounts: &[Mount]) -> Option<Unwatchable> {
    let is_elsewhere = place::kind_of(path, mounts) == PlaceKind::Nas;
    is_elsewhere.then(|| Unwatchable::Other("it lies on another computer, which does not tell of changes".to_owned()))
}
