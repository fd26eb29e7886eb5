//! A machine with one source and one destination, in a folder in memory where there is one. Several targets work on it;
//! each has its own, for as long as the process lives.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use cryptbackup::backup::{self, BackupRequest};
use cryptbackup::format::id::RepoId;
use cryptbackup::format::slot::Slot;
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Home, InitRequest, Repo};
use cryptbackup::report::Silent;
use cryptbackup::seal::Keys;
use cryptbackup::seal::slots::{self, Secret};

/// What every folder of these worlds is called before the number of its process.
const PREFIX: &str = "cryptbackup-fuzz-";

pub struct World {
    folder: PathBuf,
    pub home: Home,
    pub keys: Keys,
}

impl World {
    /// A machine that has made one backup of these files.
    pub fn new(files: &[(&str, &[u8])]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let base = base();
        if number == 0 {
            remove_abandoned(&base);
        }
        let folder = base.join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&folder).expect("a folder");
        let home = Home::at(folder.join("home"));
        repo::init(&home, InitRequest::default()).expect("a new repository");
        let source = folder.join("source");
        fs::create_dir(&source).expect("the source");
        for (name, content) in files {
            fs::write(source.join(name), content).expect("written");
        }
        Settings::edit(&home.settings_path(), |settings| {
            settings.put_source(SourceSettings::new(source));
            Ok(())
        })
        .expect("the settings");
        let mut repo = Repo::open(&home, Access::Write, None, &Silent).expect("the repository");
        repo.add_destination("primary", &folder.join("primary"), &Silent).expect("a destination");
        backup::run(&mut repo, BackupRequest::default(), &Silent).expect("a backup");
        drop(repo);
        let keys = keys_of(&home, &folder.join("primary"));
        Self { folder, home, keys }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn repo(&self) -> RepoId {
        self.keys.repo()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // What is left is removed by the next process.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// Removes what processes that are gone have left: libFuzzer ends without unwinding.
fn remove_abandoned(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The keys, from `config.yaml` and what is on the destination.
fn keys_of(home: &Home, destination: &Path) -> Keys {
    let settings = Settings::load(&home.settings_path(), true).expect("the settings");
    let secret = Secret::from_base64(&settings.encryption.key.expect("a key")).expect("32 bytes");
    let (mut slot, mut ring) = (None, None);
    for entry in fs::read_dir(destination.join("keys")).expect("keys") {
        let path = entry.expect("listed").path();
        let stored = fs::read(&path).expect("readable");
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ring-")) {
            ring = Some(stored);
        } else {
            slot = Slot::decode(&stored).ok();
        }
    }
    let slot = slot.expect("a slot");
    let root = slots::open(&slot, slot.repo, &secret).expect("the root key");
    Keys::open_ring(slot.repo, root, &ring.expect("a ring")).expect("the ring")
}
