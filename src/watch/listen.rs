//! What the file system tells of the sources: every folder of a source is watched on its own.
//!
//! So nothing that is left out costs a watch, and no change is missed in a folder that is new: a folder is watched before
//! it is looked for folders in it, and looked at again until all of them are watched. Only then is it backed up.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use notify::event::{EventKind, EventKindMask, ModifyKind};
use notify::{Config, ErrorKind, PathOp, RecommendedWatcher, RecursiveMode, WatchPathConfig, Watcher};

use crate::source::{Event, Walk, WalkOptions};

/// Watches that are asked for at once.
const BATCH: usize = 1000;
/// How often a tree that does not stand still is looked through for folders that are not watched yet.
const ROUNDS: usize = 20;

/// What is told at once at most, so that it is dealt with in between.
const TOLD_MAX: usize = 10_000;

/// One thing the file system told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// What is at a path was written, or its metadata changed.
    Touched(PathBuf),
    /// Something came, went or was moved.
    Moved(PathBuf),
    /// Something was missed.
    Missed,
}

/// Why a source cannot be watched.
#[derive(Debug)]
pub(super) enum Unwatchable {
    /// The system watches no more folders.
    TooMany,
    /// It is not there, or cannot be listed.
    Missing,
    /// Something else.
    Other(String),
}

/// Listens to the file system.
pub(super) struct Listener {
    watcher: RecommendedWatcher,
    told: Receiver<notify::Result<notify::Event>>,
    folders: BTreeSet<PathBuf>,
}

impl Listener {
    /// Listens to nothing yet.
    pub fn new() -> Result<Self, Unwatchable> {
        let (give, told) = unbounded();
        let kinds = EventKindMask::CREATE
            | EventKindMask::REMOVE
            | EventKindMask::MODIFY_DATA
            | EventKindMask::MODIFY_META
            | EventKindMask::MODIFY_NAME
            | EventKindMask::ACCESS_CLOSE;
        let config = Config::default().with_follow_symlinks(false).with_event_kinds(kinds);
        let watcher = RecommendedWatcher::new(give, config).map_err(|error| unwatchable(&error))?;
        Ok(Self { watcher, told, folders: BTreeSet::new() })
    }

    /// How many folders are watched.
    pub fn folders(&self) -> usize {
        self.folders.len()
    }

    /// Watches every folder that a walk with these options enters, until there is none that is not watched.
    pub fn watch(&mut self, options: &WalkOptions, should_stop: &dyn Fn() -> bool) -> Result<(), Unwatchable> {
        for _ in 0..ROUNDS {
            let before = self.folders.len();
            self.watch_once(options, should_stop)?;
            if self.folders.len() == before {
                return Ok(());
            }
        }
        // It grows faster than it is walked: the events of its folders bring the rest.
        Ok(())
    }

    fn watch_once(&mut self, options: &WalkOptions, should_stop: &dyn Fn() -> bool) -> Result<(), Unwatchable> {
        let walk = Walk::new(options.clone()).map_err(|_| Unwatchable::Missing)?;
        let mut batch = Vec::new();
        for event in walk {
            let (Event::Enter(entry) | Event::Pass(entry)) = event else { continue };
            if should_stop() {
                return Ok(());
            }
            if self.folders.insert(entry.path.clone()) {
                let alone = WatchPathConfig::new(RecursiveMode::NonRecursive).with_dereference_symlinks(false);
                batch.push(PathOp::Watch(entry.path, alone));
            }
            if batch.len() >= BATCH {
                self.apply(std::mem::take(&mut batch))?;
            }
        }
        self.apply(batch)
    }

    /// Does what is asked; a folder that is gone or may not be read is no reason to stop.
    fn apply(&mut self, mut operations: Vec<PathOp>) -> Result<(), Unwatchable> {
        while !operations.is_empty() {
            let Err(error) = self.watcher.update_paths(std::mem::take(&mut operations)) else { return Ok(()) };
            let is_passed_over = match &error.source.kind {
                ErrorKind::PathNotFound | ErrorKind::WatchNotFound => true,
                ErrorKind::Io(error) => [
                    std::io::ErrorKind::NotFound,
                    std::io::ErrorKind::PermissionDenied,
                    std::io::ErrorKind::NotADirectory,
                ]
                .contains(&error.kind()),
                _ => false,
            };
            let Some(failed) = error.origin.filter(|_| is_passed_over) else {
                return Err(unwatchable(&error.source));
            };
            if matches!(failed, PathOp::Watch(..)) {
                self.folders.remove(failed.as_path());
            }
            operations = error.remaining;
        }
        Ok(())
    }

    /// Forgets a folder and those in it. What is not watched is forgotten already.
    pub fn forget(&mut self, path: &Path) {
        let below: Vec<PathBuf> =
            self.folders.range(path.to_owned()..).take_while(|other| other.starts_with(path)).cloned().collect();
        for folder in below {
            self.folders.remove(&folder);
            // The system forgot what was deleted, and the library what was moved.
            let _ = self.watcher.unwatch(&folder);
        }
    }

    /// Waits for something to be told, at most so long; gives all that was told by then.
    pub fn wait(&self, at_most: Duration) -> Vec<Told> {
        let mut told = Vec::new();
        match self.told.recv_timeout(at_most) {
            Ok(event) => understand(event, &mut told),
            Err(RecvTimeoutError::Timeout) => return told,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(at_most);
                return vec![Told::Missed];
            }
        }
        while told.len() < TOLD_MAX {
            let Ok(event) = self.told.try_recv() else { break };
            understand(event, &mut told);
        }
        told
    }
}

fn understand(event: notify::Result<notify::Event>, told: &mut Vec<Told>) {
    let Ok(event) = event else {
        told.push(Told::Missed);
        return;
    };
    if event.need_rescan() {
        told.push(Told::Missed);
        return;
    }
    let is_touched = match event.kind {
        EventKind::Access(_) | EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)) => true,
        EventKind::Create(kind) => kind == notify::event::CreateKind::File,
        _ => false,
    };
    for path in event.paths {
        // A file that is written gives many of these, one after the other.
        let one = if is_touched { Told::Touched(path) } else { Told::Moved(path) };
        if told.last() != Some(&one) {
            told.push(one);
        }
    }
}

fn unwatchable(error: &notify::Error) -> Unwatchable {
    match &error.kind {
        ErrorKind::MaxFilesWatch => Unwatchable::TooMany,
        ErrorKind::Io(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            Unwatchable::TooMany
        }
        _ => Unwatchable::Other(error.to_string()),
    }
}
