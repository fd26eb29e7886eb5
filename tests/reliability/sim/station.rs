//! One of several machines that share disks: its operations are counted, and at any of them it can stand still, die, or
//! be told something else than the truth.
//!
//! All disks are those of one [`SimulatedMachine`]; a station is the way of one machine to them. What it does is done one
//! thing after another, so that nothing of it happens any more once it died, and nothing while it stands still.

use std::fmt;
use std::io;
use std::ops::{Bound, Range};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cryptbackup::destination::disk::{Disk, DiskEntry, Roots};
use cryptbackup::destination::place::Mount;
use cryptbackup::error::Error;
use cryptbackup::repo::Machine;
use redb::{BackendError, Builder, Database, DatabaseError, ReadOnlyDatabase, StorageBackend, StorageError};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::DISKS;
use crate::disk::trouble::{Failure, Fault};
use crate::disk::{SimulatedMachine, read_settings, write_settings};

/// How often each disk was cut off. What was opened before leads nowhere.
pub type Outages = Arc<[AtomicU64; DISKS]>;

/// Something that happens right before an operation.
pub struct Trap {
    /// On which disk.
    pub disk: usize,
    /// Before how many more operations on it.
    pub after: u64,
    /// Whether only those count that change something.
    pub counts_changes: bool,
    /// Whether it waits for a new file.
    pub is_for_new_files: bool,
    /// Whether half of that is written first.
    pub is_half: bool,
    pub event: Box<dyn FnOnce() + Send>,
}

/// Names that listings do not show.
#[derive(Debug, Clone, Copy)]
pub struct Lie {
    pub disk: usize,
    /// In which folder, and those below it.
    pub folder: &'static str,
    /// Whether none is shown, or about half of them.
    pub is_empty: bool,
}

impl Lie {
    fn hides(&self, disk: usize, folder: &str, name: &str) -> bool {
        let is_concerned = disk == self.disk && folder.starts_with(self.folder) && name.len() > 2;
        let sum = || name.bytes().fold(0, |sum: u32, byte| sum + u32::from(byte));
        is_concerned && (self.is_empty || !sum().is_multiple_of(2))
    }
}

#[derive(Default)]
struct Desk {
    is_dead: bool,
    /// Something else happens while it stands still.
    is_still: bool,
    trap: Option<Trap>,
    lie: Option<Lie>,
}

struct Inner {
    number: usize,
    machine: SimulatedMachine,
    outages: Outages,
    desk: Mutex<Desk>,
    woken: Condvar,
}

/// A machine's way to the disks. Clones are the same machine.
#[derive(Clone)]
pub struct Station(Arc<Inner>);

/// What an operation is.
#[derive(Clone, Copy)]
struct Operation<'a> {
    disk: usize,
    /// How often the disk had been cut off when it was opened.
    outages: u64,
    is_change: bool,
    /// Writes half of a new file.
    half: Option<&'a dyn Fn()>,
}

impl Station {
    pub fn new(number: usize, machine: SimulatedMachine, outages: Outages) -> Self {
        Self(Arc::new(Inner { number, machine, outages, desk: Mutex::default(), woken: Condvar::new() }))
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, trap: Trap) {
        self.desk().trap = Some(trap);
    }

    pub fn lie(&self, lie: Option<Lie>) {
        self.desk().lie = lie;
    }

    /// From now on it does nothing any more.
    pub fn die(&self) {
        self.desk().is_dead = true;
    }

    /// Begins anew. Says whether it had died, and whether what was to happen did not.
    pub fn revive(&self) -> (bool, bool) {
        let mut desk = self.desk();
        (std::mem::take(&mut desk.is_dead), desk.trap.take().is_some())
    }

    fn outages(&self, disk: usize) -> u64 {
        self.0.outages[disk].load(Ordering::Relaxed)
    }

    /// Does it, unless the machine is dead, or what was opened leads nowhere any more.
    fn act<T>(&self, operation: Operation<'_>, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut desk = self.desk();
        while desk.is_still {
            desk = self.0.woken.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        let is_concerned = |trap: &Trap| {
            let is_counted = operation.is_change || !trap.counts_changes;
            trap.disk == operation.disk && is_counted && !desk.is_dead
        };
        if desk.trap.as_ref().is_some_and(is_concerned) {
            let is_due = desk.trap.as_mut().is_some_and(|trap| {
                let is_due = trap.after == 0 && (!trap.is_for_new_files || operation.half.is_some());
                trap.after = trap.after.saturating_sub(1);
                is_due
            });
            if let Some(trap) = desk.trap.take_if(|_| is_due) {
                if let Some(half) = operation.half.filter(|_| trap.is_half) {
                    half();
                }
                desk.is_still = true;
                drop(desk);
                (trap.event)();
                desk = self.desk();
                desk.is_still = false;
                self.0.woken.notify_all();
            }
        }
        if desk.is_dead {
            return Err(Errno::IO.into());
        }
        if operation.outages != self.outages(operation.disk) {
            return Err(Errno::STALE.into());
        }
        act()
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Disk>> {
        let disk = self.0.machine.resolve(path)?.0;
        let outages = self.outages(disk);
        let operation = Operation { disk, outages, is_change: false, half: None };
        let inner = self.act(operation, || self.0.machine.open_root(path))?;
        Ok(Box::new(Watched { station: self.clone(), inner, disk, outages }))
    }

    fn storage(&self, path: &Path, is_made: bool) -> io::Result<WatchedIndex> {
        let disk = self.0.machine.resolve(path)?.0;
        let outages = self.outages(disk);
        let operation = Operation { disk, outages, is_change: is_made, half: None };
        let inner = self.act(operation, || self.0.machine.storage(path, is_made))?;
        Ok(WatchedIndex { station: self.clone(), inner: Box::new(inner), disk, outages })
    }
}

impl Roots for Station {
    fn open_root(&self, path: &Path) -> io::Result<Box<dyn Disk>> {
        self.open(path)
    }

    fn make_root(&self, path: &Path) -> io::Result<()> {
        let disk = self.0.machine.resolve(path)?.0;
        let operation = Operation { disk, outages: self.outages(disk), is_change: true, half: None };
        self.act(operation, || self.0.machine.make_root(path))
    }
}

impl Machine for Station {
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
        format!("machine {}", self.0.number)
    }

    fn mounts(&self) -> io::Result<Vec<Mount>> {
        Ok(Vec::new())
    }
}

/// A folder that a machine opened.
struct Watched {
    station: Station,
    inner: Box<dyn Disk>,
    disk: usize,
    outages: u64,
}

impl Watched {
    fn look_at<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.station.act(Operation { disk: self.disk, outages: self.outages, is_change: false, half: None }, act)
    }

    fn change<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.station.act(Operation { disk: self.disk, outages: self.outages, is_change: true, half: None }, act)
    }

    fn write_half(&self, path: &str, bytes: &[u8]) {
        let state = || self.station.0.machine.0.state();
        let before = state().fault.replace(Fault::new(0, Failure::Short));
        drop(self.inner.write_new(path, bytes));
        state().fault = before;
    }
}

impl Disk for Watched {
    fn write_new(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let half = || self.write_half(path, bytes);
        let operation = Operation { disk: self.disk, outages: self.outages, is_change: true, half: Some(&half) };
        self.station.act(operation, || self.inner.write_new(path, bytes))
    }

    fn read(&self, path: &str, range: Option<Range<u64>>, len_max: u64) -> io::Result<Vec<u8>> {
        self.look_at(|| self.inner.read(path, range, len_max))
    }

    fn read_medium(&self, path: &str, len_max: u64) -> io::Result<Vec<u8>> {
        self.read(path, None, len_max)
    }

    fn look(&self, path: &str) -> io::Result<DiskEntry> {
        self.look_at(|| self.inner.look(path))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskEntry>> {
        let mut shown = self.look_at(|| self.inner.list(folder))?;
        if let Some(lie) = self.station.desk().lie {
            shown.retain(|entry| !lie.hides(self.disk, folder, &entry.name));
        }
        Ok(shown)
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(|| self.inner.rename_new(from, to))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(|| self.inner.rename(from, to))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(|| self.inner.link(from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.remove(path))
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.remove_folder(path))
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.make_folder(path))
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.change(|| self.inner.sync_folder(path))
    }

    fn sync_everything(&self) -> io::Result<()> {
        self.change(|| self.inner.sync_everything())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.look_at(|| self.inner.is_in_place())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.look_at(|| self.inner.free_bytes())
    }
}

/// The index of a machine.
struct WatchedIndex {
    station: Station,
    inner: Box<dyn StorageBackend>,
    disk: usize,
    outages: u64,
}

impl fmt::Debug for WatchedIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchedIndex")
    }
}

impl WatchedIndex {
    fn act<T>(&self, is_change: bool, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.station.act(Operation { disk: self.disk, outages: self.outages, is_change, half: None }, act)
    }
}

impl StorageBackend for WatchedIndex {
    fn len(&self) -> io::Result<u64> {
        self.act(false, || self.inner.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.act(false, || self.inner.read(offset, out))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.act(true, || self.inner.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.act(true, || self.inner.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.act(true, || self.inner.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
