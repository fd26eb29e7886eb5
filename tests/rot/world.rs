//! A small repository on several destinations, with an object of every kind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cryptbackup::backup::{self, BackupReport, BackupRequest};
use cryptbackup::check::{self, CheckReport, CheckRequest};
use cryptbackup::clean::hand;
use cryptbackup::format::header::RepoHeader;
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::slot::{Slot, SlotKind};
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Home, InitRequest, Repo};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreReport, RestoreRequest, What};
use cryptbackup::seal::{Keys, slots};

/// A machine with everything it has in one folder.
pub struct World {
    folder: tempfile::TempDir,
    pub home: Home,
}

impl World {
    /// Set up, with recovery words too, a source and the destinations named; nothing is backed up yet.
    pub fn new(destinations: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::at(folder.path().join("home"));
        repo::init(&home, InitRequest { recovery: true, ..InitRequest::default() }).expect("a new repository");
        let world = Self { folder, home };
        fs::create_dir(world.source()).expect("the source");
        let source = world.source();
        Settings::edit(&world.home.settings_path(), |settings| {
            settings.put_source(SourceSettings::new(source));
            Ok(())
        })
        .expect("the settings");
        for name in destinations {
            let path = world.path(name);
            world.open(Access::Write).add_destination(name, &path, &Silent).expect("a new destination");
        }
        world
    }

    /// The same with two snapshots of a few files, and a decision about one.
    pub fn with_everything(destinations: &[&str]) -> Self {
        let world = Self::new(destinations);
        world.write("letters/a", noise(30_000, 1));
        world.write("letters/b", b"a few words");
        world.write("table", "row after row\n".repeat(3_000));
        world.backup();
        world.write("letters/c", noise(9_000, 2));
        world.backup();
        hand::pin(&mut world.open(Access::Write), &["latest".to_owned()], true).expect("pinned");
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn source(&self) -> PathBuf {
        self.path("source")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.source().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, content).expect("written");
    }

    pub fn open(&self, access: Access) -> Repo {
        Repo::open(&self.home, access, None, &Silent).expect("the repository")
    }

    pub fn backup(&self) -> BackupReport {
        backup::run(&mut self.open(Access::Write), BackupRequest::default(), &Silent).expect("a backup")
    }

    /// Checks every byte and remembers what is damaged, as the command does.
    pub fn check(&self) -> CheckReport {
        let repo = self.open(Access::Read);
        let report = check::run(&repo, everything(), &Silent).expect("checked");
        check::remember(repo, &report).expect("remembered");
        report
    }

    pub fn heal(&self) -> CheckReport {
        check::heal(&mut self.open(Access::Write), everything(), &Silent).expect("healed as far as it goes")
    }

    /// Restores the source from one destination, or from any, into a new folder.
    pub fn restore(&self, from: Option<&str>, to: &str) -> (RestoreReport, PathBuf) {
        let target = self.path(to);
        let request = RestoreRequest {
            destination: Some(target.clone()),
            from: from.map(str::to_owned),
            ..RestoreRequest::new(What::Directory(self.source()))
        };
        let repo = self.open(Access::Read);
        let plan = restore::plan(&repo, request, &Silent).expect("a plan");
        let mut report = restore::execute(&repo, plan, &Silent).expect("restored as far as it goes");
        restore::repair(repo, &mut report, &Silent);
        (report, target)
    }

    /// Every file that was restored is what it was; gives how many of the source were not restored.
    pub fn compare(&self, restored: &Path) -> usize {
        let mut missing = 0;
        for (path, content) in files(&self.source()) {
            match fs::read(restored.join(&path)) {
                Ok(bytes) => assert!(bytes == content, "{path} was restored wrong"),
                Err(_) => missing += 1,
            }
        }
        missing
    }

    /// The objects of a destination.
    pub fn objects(&self, destination: &str) -> BTreeMap<ObjectName, Vec<u8>> {
        let all = files(&self.path(destination)).into_iter();
        all.filter_map(|(path, bytes)| Some((ObjectName::parse(&path)?, bytes))).collect()
    }

    pub fn put(&self, destination: &str, name: &ObjectName, bytes: &[u8]) {
        fs::write(self.path(destination).join(name.path()), bytes).expect("written");
    }

    pub fn delete(&self, destination: &str, name: &ObjectName) {
        fs::remove_file(self.path(destination).join(name.path())).expect("removed");
    }

    /// The keys, opened from what is on a destination.
    pub fn keys(&self, destination: &str) -> Keys {
        let settings = Settings::load(&self.home.settings_path(), true).expect("the settings");
        let key = settings.encryption.key.expect("an inline key");
        let secret = slots::Secret::from_base64(&key).expect("a key");
        let objects = self.objects(destination);
        let header = RepoHeader::decode(&objects[&ObjectName::Header]).expect("a header");
        let slot = objects.iter().find_map(|(name, bytes)| match name {
            ObjectName::Slot(_) => Slot::decode(bytes).ok().filter(|slot| slot.kind == SlotKind::Inline),
            _ => None,
        });
        let root = slots::open(&slot.expect("an inline slot"), header.repo, &secret).expect("opened");
        let ring = objects.iter().find(|(name, _)| matches!(name, ObjectName::Ring(..))).expect("a ring").1;
        Keys::open_ring(header.repo, root, ring).expect("the ring")
    }
}

fn everything() -> CheckRequest {
    CheckRequest { read_data: true, ..CheckRequest::default() }
}

fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().map(|entry| entry.expect("listed"));
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(root).expect("below it").to_str().expect("text").to_owned();
            (path, fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

/// Bytes that do not compress, different for every seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(format!("noise {seed}").as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Numbers that look random and are the same in every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self, below: usize) -> usize {
        self.0 += 1;
        let hash = blake3::hash(format!("dice {}", self.0).as_bytes());
        let number = hash.as_bytes()[..8].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        (number % below.max(1) as u64) as usize
    }
}
