//! A real disk with a rule for when it fails, and a log of what was asked of it.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::destination::disk::{Disk, DiskEntry, RealDisk};

/// Sees the call and its path before it is made, and may fail it.
type Rule = Box<dyn Fn(&str, &str) -> io::Result<()> + Send + Sync>;

pub struct FaultyDisk {
    inner: RealDisk,
    rule: Rule,
    log: Log,
}

/// What was asked of a disk, readable while a destination owns it.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// What was asked since the last time, in order.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic before"))
    }
}

impl FaultyDisk {
    pub fn open(root: &Path, rule: impl Fn(&str, &str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        let inner = RealDisk::open(root).expect("the root is there");
        Self { inner, rule: Box::new(rule), log: Log::default() }
    }

    pub fn log(&self) -> Log {
        self.log.clone()
    }

    fn ask(&self, call: &str, path: &str) -> io::Result<()> {
        self.log.0.lock().expect("no panic before").push(format!("{call} {path}"));
        (self.rule)(call, path)
    }
}

impl Disk for FaultyDisk {
    /// A failed write leaves the whole file, as a failed sync may.
    fn write_new(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let verdict = self.ask("write_new", path);
        self.inner.write_new(path, bytes)?;
        verdict
    }

    fn read(&self, path: &str, range: Option<Range<u64>>, len_max: u64) -> io::Result<Vec<u8>> {
        self.ask("read", path)?;
        self.inner.read(path, range, len_max)
    }

    fn read_medium(&self, path: &str, len_max: u64) -> io::Result<Vec<u8>> {
        self.ask("read", path)?;
        self.inner.read_medium(path, len_max)
    }

    fn look(&self, path: &str) -> io::Result<DiskEntry> {
        self.ask("look", path)?;
        self.inner.look(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskEntry>> {
        self.ask("list", folder)?;
        self.inner.list(folder)
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.ask("rename_new", to)?;
        self.inner.rename_new(from, to)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.ask("rename", to)?;
        self.inner.rename(from, to)
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.ask("link", to)?;
        self.inner.link(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.ask("remove", path)?;
        self.inner.remove(path)
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        self.ask("make_folder", path)?;
        self.inner.make_folder(path)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.ask("remove_folder", path)?;
        self.inner.remove_folder(path)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        self.ask("sync_folder", folder)?;
        self.inner.sync_folder(folder)
    }

    fn sync_everything(&self) -> io::Result<()> {
        self.ask("sync_everything", "")?;
        self.inner.sync_everything()
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.ask("is_in_place", "")?;
        self.inner.is_in_place()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.ask("free_bytes", "")?;
        self.inner.free_bytes()
    }
}
