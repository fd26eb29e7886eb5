//! A simulated machine: disks that remember what was synced, and a log of everything that was done to them.
//!
//! | file | what |
//! |---|---|
//! | `content` | bytes of a file, shared between images |
//! | `volume` | one disk: files and folders, durable and current |
//! | `crash` | what a power cut leaves of it |
//! | `trouble` | operations that fail, and file systems that cannot do everything |
//! | `folder` | a folder of it, as a destination sees it |
//! | `storage` | a file of it, as the index sees it |
//! | `tests` | the simulator itself |
//!
//! Every operation of every disk takes a number from one counter. After each that changed something the whole machine is
//! kept as an [`Image`], so that a crash at any moment can be looked at without running anything again. Replay is of this
//! log, not of bytes: keys and salts are random in every run, since a library that takes them from a seed is a library
//! that can be made to take a bad one.

pub mod chance;
pub mod content;
pub mod crash;
pub mod folder;
pub mod storage;
pub mod trouble;
pub mod volume;

mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cryptbackup::destination::disk::{Disk, Roots, replace_file};
use cryptbackup::destination::place::Mount;
use cryptbackup::error::Error;
use cryptbackup::repo::Machine;
use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase, StorageError};
use zeroize::Zeroizing;

use crash::Policy;
use folder::SimulatedDisk;
use storage::{Locks, Storage};
use trouble::{Failure, Fault, Quirks};
use volume::{Inode, ROOT, Volume};

/// All disks of a machine at one moment.
#[derive(Clone)]
pub struct Image(pub Vec<Arc<Volume>>);

impl Image {
    /// What a crash leaves of it. Each disk has its own luck.
    #[must_use]
    pub fn crash(&self, policy: Policy, seed: u64) -> Image {
        let volumes = (0..).zip(&self.0);
        Image(volumes.map(|(at, volume)| Arc::new(volume.crash(policy, chance::Chance::of(seed, at).next()))).collect())
    }

    /// Takes a file away, as if somebody had deleted it.
    pub fn delete(&mut self, volume: usize, path: &str) {
        let volume = Arc::make_mut(&mut self.0[volume]);
        if volume.remove(0, ROOT, path).is_ok()
            && let Ok((folder, _)) = volume.parent(ROOT, path)
        {
            volume.sync_folder(folder).expect("a folder");
        }
    }

    /// Changes bits of a byte of a file where it lies.
    pub fn rot(&mut self, volume: usize, path: &str, offset: u64, bits: u8) {
        let volume = Arc::make_mut(&mut self.0[volume]);
        if let Ok(inode) = volume.find(ROOT, path)
            && let volume::Node::File(file) = &mut volume.nodes[inode]
        {
            let file = Arc::make_mut(file);
            for content in [&mut file.current, &mut file.durable].into_iter().filter(|content| content.len() > offset) {
                let byte = content.read(offset..offset + 1)[0];
                content.write(offset, &[byte ^ bits]);
            }
        }
    }
}

/// One operation that changed something.
pub struct Step {
    /// Its number.
    pub number: u64,
    /// On which disk.
    pub volume: usize,
    /// The verb.
    pub verb: &'static str,
    /// The path, where it has one.
    pub path: String,
    /// The machine after it.
    pub image: Image,
}

/// What all handles of a machine share.
pub struct State {
    pub image: Image,
    pub quirks: Vec<Quirks>,
    pub fault: Option<Fault>,
    /// Of each disk, why it takes nothing until further notice.
    pub closed: Vec<Option<Failure>>,
    pub locks: Locks,
    /// Operations so far, those that only read among them.
    pub count: u64,
    /// What was done, where that is wanted.
    pub steps: Option<Vec<Step>>,
    /// Bytes that must not appear on any disk but the first, and whether they did.
    pub canary: Vec<u8>,
    pub leaks: Vec<String>,
}

pub struct Shared {
    /// Which disk is mounted where.
    mounts: Vec<PathBuf>,
    state: Mutex<State>,
}

impl Shared {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A machine with simulated disks. Clones are the same machine.
#[derive(Clone)]
pub struct SimulatedMachine(pub Arc<Shared>);

impl SimulatedMachine {
    /// A machine with empty disks, mounted there.
    pub fn new(mounts: Vec<PathBuf>) -> Self {
        let image = Image(mounts.iter().map(|_| Arc::new(Volume::default())).collect());
        Self::with(mounts, image)
    }

    /// A machine whose disks hold what an image says.
    pub fn with(mounts: Vec<PathBuf>, image: Image) -> Self {
        let state = State {
            quirks: mounts.iter().map(|_| Quirks::default()).collect(),
            closed: vec![None; mounts.len()],
            image,
            fault: None,
            locks: Locks::default(),
            count: 0,
            steps: None,
            canary: Vec::new(),
            leaks: Vec::new(),
        };
        Self(Arc::new(Shared { mounts, state: Mutex::new(state) }))
    }

    /// Keeps every step from now on.
    pub fn record(&self) {
        self.0.state().steps = Some(Vec::new());
    }

    /// The number of the last operation.
    pub fn now(&self) -> u64 {
        self.0.state().count
    }

    pub fn image(&self) -> Image {
        self.0.state().image.clone()
    }

    /// Pulls a disk out, or plugs it in.
    pub fn plug(&self, volume: usize, is_there: bool) {
        let mut state = self.0.state();
        Arc::make_mut(&mut state.image.0[volume]).is_there = is_there;
    }

    /// Which disk a path is on, and where on it.
    pub fn resolve(&self, path: &Path) -> io::Result<(usize, String)> {
        let mounts = self.0.mounts.iter().enumerate();
        let (volume, below) = mounts
            .filter_map(|(volume, mount)| Some((volume, path.strip_prefix(mount).ok()?)))
            .next()
            .ok_or(io::ErrorKind::NotFound)?;
        Ok((volume, below.to_str().expect("paths of tests are text").to_owned()))
    }

    /// The folder a path leads to, and its disk.
    fn open(&self, path: &Path) -> io::Result<SimulatedDisk> {
        let (volume, below) = self.resolve(path)?;
        let root = self.0.state().read(volume, "open", &below, |volume| {
            let root = volume.find(ROOT, &below)?;
            volume.folder(root).map(|_| root)
        });
        let root = root.map_err(|error| if is_gone(&error) { io::ErrorKind::NotFound.into() } else { error })?;
        Ok(SimulatedDisk { shared: Arc::clone(&self.0), volume, root })
    }

    pub fn storage(&self, path: &Path, is_made: bool) -> io::Result<Storage> {
        let (volume, below) = self.resolve(path)?;
        let mut state = self.0.state();
        let found = state.read(volume, "open", &below, |volume| volume.find(ROOT, &below));
        let file = match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_made => {
                state.write(volume, "create", &below, |volume, now| volume.make_file(now, ROOT, &below))?
            }
            found => found?,
        };
        let handle = state.locks.handle();
        drop(state);
        Ok(Storage { shared: Arc::clone(&self.0), volume, file, handle })
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(trouble::ENODEV)
}

impl State {
    /// An operation that changes nothing.
    pub fn read<T>(
        &mut self,
        volume: usize,
        verb: &'static str,
        path: &str,
        act: impl FnOnce(&Volume) -> io::Result<T>,
    ) -> io::Result<T> {
        self.count += 1;
        self.meet(volume, verb, path)?;
        act(&self.image.0[volume])
    }

    /// An operation that changes something; it is given its number.
    pub fn write<T>(
        &mut self,
        volume: usize,
        verb: &'static str,
        path: &str,
        act: impl FnOnce(&mut Volume, u64) -> io::Result<T>,
    ) -> io::Result<T> {
        self.count += 1;
        self.meet(volume, verb, path)?;
        let done = act(Arc::make_mut(&mut self.image.0[volume]), self.count)?;
        if let Some(steps) = &mut self.steps {
            let image = self.image.clone();
            steps.push(Step { number: self.count, volume, verb, path: path.to_owned(), image });
        }
        Ok(done)
    }

    /// A sync: like [`write`](Self::write), but a failure loses what it was to save.
    pub fn sync(&mut self, volume: usize, verb: &'static str, path: &str, inode: Inode) -> io::Result<()> {
        let before = self.fault.as_ref().is_some_and(|fault| fault.is_spent);
        let done = self.write(volume, verb, path, |volume, _| match &volume.nodes[inode] {
            volume::Node::File(_) => volume.sync_file(inode),
            volume::Node::Folder(_) => volume.sync_folder(inode),
        });
        let is_hit = !before && self.fault.as_ref().is_some_and(|fault| fault.is_spent);
        if is_hit && self.fault.as_ref().is_some_and(|fault| fault.failure == Failure::Sync) {
            Arc::make_mut(&mut self.image.0[volume]).lose(inode);
        }
        done
    }

    /// Fails where the disk is away or an error was ordered.
    fn meet(&mut self, volume: usize, verb: &'static str, path: &str) -> io::Result<()> {
        if !self.image.0[volume].is_there {
            return Err(io::Error::from_raw_os_error(trouble::ENODEV));
        }
        if let Some(failure) = self.closed[volume].filter(|failure| failure.concerns(verb)) {
            return Err(failure.errno().into());
        }
        let count = self.count;
        match &mut self.fault {
            Some(fault) => fault.meet(count, volume, verb, path),
            None => Ok(()),
        }
    }

    /// Notes plaintext where none may be.
    pub fn look_for_canary(&mut self, volume: usize, path: &str, bytes: &[u8]) {
        let canary = &self.canary;
        if volume > 0 && !canary.is_empty() && bytes.windows(canary.len()).any(|window| window == canary) {
            self.leaks.push(path.to_owned());
        }
    }
}

impl Roots for SimulatedMachine {
    fn open_root(&self, path: &Path) -> io::Result<Box<dyn Disk>> {
        Ok(Box::new(self.open(path)?))
    }

    fn make_root(&self, path: &Path) -> io::Result<()> {
        let (volume, below) = self.resolve(path)?;
        if below.is_empty() {
            return self.open(path).map(drop);
        }
        let mut state = self.0.state();
        let made = state.write(volume, "make_folder", &below, |volume, now| volume.make_folder(now, ROOT, &below));
        let is_new = made.is_ok();
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let parent = state.image.0[volume].parent(ROOT, &below)?.0;
        if state.quirks[volume].has_no_folder_sync {
            return Ok(());
        }
        let synced = state.sync(volume, "sync_folder", &below, parent);
        if synced.is_err() && is_new {
            let _ = state.write(volume, "remove_folder", &below, |volume, now| volume.remove_folder(now, ROOT, &below));
        }
        synced
    }
}

impl Machine for SimulatedMachine {
    fn read_settings(&self, path: &Path) -> Result<Zeroizing<String>, Error> {
        read_settings(self, path)
    }

    fn write_settings(&self, path: &Path, text: &[u8]) -> Result<(), Error> {
        write_settings(self, path, text)
    }

    fn open_index(&self, path: &Path, builder: &Builder) -> Result<Database, DatabaseError> {
        builder.create_with_backend(self.storage(path, true).map_err(StorageError::Io)?)
    }

    fn open_index_to_read(&self, path: &Path, builder: &Builder) -> Result<ReadOnlyDatabase, DatabaseError> {
        builder.open_read_only_with_backend(self.storage(path, false).map_err(StorageError::Io)?)
    }

    fn name(&self) -> String {
        "simulated".to_owned()
    }

    fn mounts(&self) -> io::Result<Vec<Mount>> {
        Ok(Vec::new())
    }
}

/// The settings of a machine, as its disks have them.
pub fn read_settings(roots: &dyn Roots, path: &Path) -> Result<Zeroizing<String>, Error> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let read = roots.open_root(path.parent().unwrap_or(path)).and_then(|disk| disk.read(name, None, 1 << 20));
    let text = read.and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    text.map(Zeroizing::new).map_err(|source| failed("read", path, source))
}

/// Replaces them.
pub fn write_settings(roots: &dyn Roots, path: &Path, text: &[u8]) -> Result<(), Error> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let disk = roots.open_root(path.parent().unwrap_or(path));
    let written = disk.and_then(|disk| replace_file(disk.as_ref(), &format!("{name}.tmp"), name, text));
    written.map_err(|source| failed("write", path, source))
}

fn failed(what: &str, path: &Path, source: io::Error) -> Error {
    Error::Io { what: what.to_owned(), path: path.to_owned(), source }
}

/// Every object on a disk that can be reached from its root, by path: what somebody who holds the disk sees.
pub fn contents(volume: &Volume) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![(String::new(), ROOT)]);
    while let Some((path, inode)) = folders.pop() {
        for (name, inode) in &volume.folder(inode).expect("a folder").current {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            match &volume.nodes[*inode] {
                volume::Node::Folder(_) => folders.push((path, *inode)),
                volume::Node::File(file) => drop(found.insert(path, file.current.all())),
            }
        }
    }
    found
}
