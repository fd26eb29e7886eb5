//! One machine with its sources and destinations, in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use cryptbackup::backup::{self, BackupReport, BackupRequest};
use cryptbackup::error::Error;
use cryptbackup::monitor::{Monitor, Silent};
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Home, InitRequest, Repo};

/// A machine in a folder of its own, removed at the end.
pub struct World {
    folder: tempfile::TempDir,
    pub home: Home,
}

impl World {
    /// A machine that was set up, with one source `source` and the destinations named.
    pub fn new(destinations: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::at(folder.path().join("home"));
        repo::init(&home, InitRequest::default()).expect("a new repository");
        let world = Self { folder, home };
        fs::create_dir(world.source()).expect("the source");
        world.add_source(&world.source());
        for name in destinations {
            world.add_destination(name);
        }
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn source(&self) -> PathBuf {
        self.path("source")
    }

    pub fn add_source(&self, path: &Path) {
        Settings::edit(&self.home.settings_path(), |settings| {
            settings.put_source(SourceSettings::new(path.to_owned(), &jiff::Zoned::now()));
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

    pub fn add_destination(&self, name: &str) {
        let mut repo = self.open_to_write();
        repo.add_destination(name, &self.path(name), &Silent).expect("a new destination");
    }

    pub fn open(&self) -> Repo {
        Repo::open(&self.home, Access::Read, None, &Silent).expect("the repository")
    }

    pub fn open_to_write(&self) -> Repo {
        Repo::open(&self.home, Access::Write, None, &Silent).expect("the repository")
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
        let mut repo = Repo::open(&self.home, Access::Write, None, monitor)?;
        backup::run(&mut repo, request, monitor)
    }

    pub fn backup_with(&self, request: BackupRequest) -> BackupReport {
        self.try_backup_with(request, &Silent).expect("a backup")
    }

    pub fn backup(&self) -> BackupReport {
        self.backup_with(BackupRequest::default())
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

/// Bytes that do not compress, different for every seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(format!("noise {seed}").as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
