//! A machine with one source and one destination, folders seen with everything about them, and a watch over what must
//! not change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cryptbackup::backup::{self, BackupReport, BackupRequest};
use cryptbackup::error::Error;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Home, InitRequest, Repo};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreReport, RestoreRequest, What};

/// Nothing in these tests may take longer: a hang is a failure.
pub const HANG: Duration = Duration::from_secs(30);

/// A machine; everything it has lies in a folder that is removed at the end.
pub struct World {
    folder: tempfile::TempDir,
    pub home: Home,
}

impl World {
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// One that lies in memory where that is possible: for runs that write millions of files.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    fn below(base: &Path) -> Self {
        let folder = tempfile::tempdir_in(base).expect("a temporary folder");
        let home = Home::at(folder.path().join("home"));
        repo::init(&home, InitRequest::default()).expect("a new repository");
        let world = Self { folder, home };
        fs::create_dir(world.source()).expect("the source");
        world.settings(|settings| {
            settings.put_source(SourceSettings::new(world.source()));
        });
        world.open_to_write().add_destination("primary", &world.path("primary"), &Silent).expect("a destination");
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn source(&self) -> PathBuf {
        self.path("source")
    }

    pub fn settings(&self, change: impl FnOnce(&mut Settings)) {
        Settings::edit(&self.home.settings_path(), |settings| {
            change(settings);
            Ok(())
        })
        .expect("the settings");
    }

    pub fn open(&self) -> Repo {
        Repo::open(&self.home, Access::Read, None, &Silent).expect("the repository")
    }

    pub fn open_to_write(&self) -> Repo {
        Repo::open(&self.home, Access::Write, None, &Silent).expect("the repository")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.source().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, content).expect("written");
    }

    pub fn backup(&self) -> BackupReport {
        backup::run(&mut self.open_to_write(), BackupRequest::default(), &Silent).expect("a backup")
    }

    /// Every object of the destination: its path and its bytes.
    pub fn objects(&self) -> Vec<(String, Vec<u8>)> {
        let root = self.path("primary");
        let mut objects = Vec::new();
        for entry in walkdir::WalkDir::new(&root) {
            let entry = entry.expect("listed");
            let name = entry.path().strip_prefix(&root).expect("below").display().to_string();
            if entry.file_type().is_file() && name != "reserve" {
                objects.push((name, fs::read(entry.path()).expect("readable")));
            }
        }
        objects.sort();
        objects
    }
}

/// Restores a whole snapshot below `target`.
pub fn restore_snapshot(repo: &Repo, id: SnapshotId, target: &Path) -> Result<RestoreReport, Error> {
    restore_with(repo, RestoreRequest { destination: Some(target.to_owned()), ..snapshot(id) })
}

/// A request for a whole snapshot.
pub fn snapshot(id: SnapshotId) -> RestoreRequest {
    RestoreRequest::new(What::Snapshot(id.to_string()))
}

/// Restores, and fails when that takes too long.
pub fn restore_with(repo: &Repo, request: RestoreRequest) -> Result<RestoreReport, Error> {
    let began = Instant::now();
    let report = restore::plan(repo, request, &Silent).and_then(|plan| restore::execute(repo, plan, &Silent));
    assert!(began.elapsed() < HANG, "a restore took {:?}", began.elapsed());
    report
}

/// Everything about one entry that a restore brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub kind: &'static str,
    pub content: Vec<u8>,
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: (i64, i64),
    pub links: u64,
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

pub type Tree = BTreeMap<Vec<u8>, Seen>;

/// A folder as a map from relative path to what is there; the folder itself is the empty path.
pub fn tree(root: &Path) -> Tree {
    let entries = walkdir::WalkDir::new(root)
        .follow_links(false)
        .follow_root_links(false)
        .into_iter()
        .map(|entry| entry.expect("listed"));
    let below = |path: &Path| path.strip_prefix(root).expect("below the root").as_os_str().as_bytes().to_vec();
    entries.map(|entry| (below(entry.path()), seen(entry.path()))).collect()
}

pub fn seen(path: &Path) -> Seen {
    let metadata = fs::symlink_metadata(path).expect("a look");
    let file_type = metadata.file_type();
    let (kind, content) = if file_type.is_file() {
        // A large file with holes is told by a hash.
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(fs::File::open(path).expect("readable")).expect("read");
        ("file", [&metadata.len().to_le_bytes()[..], hasher.finalize().as_bytes()].concat())
    } else if file_type.is_dir() {
        ("folder", Vec::new())
    } else if file_type.is_symlink() {
        ("link", fs::read_link(path).expect("a link").into_os_string().as_bytes().to_vec())
    } else {
        ("special", format!("{:o} {}", metadata.mode() & 0o170_000, metadata.rdev()).into_bytes())
    };
    Seen {
        kind,
        content,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        mtime: (metadata.mtime(), metadata.mtime_nsec()),
        links: if file_type.is_dir() { 0 } else { metadata.nlink() },
        attributes: attributes(path),
    }
}

fn attributes(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = vec![0; 1 << 16];
    let Ok(length) = rustix::fs::llistxattr(path, &mut names) else { return BTreeMap::new() };
    let names = names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let mut value = vec![0; 1 << 16];
            let length = rustix::fs::lgetxattr(path, name, &mut value).expect("readable");
            value.truncate(length);
            (name.to_vec(), value)
        })
        .collect()
}

/// What differs between two trees, as text.
pub fn differences(left: &Tree, right: &Tree) -> Vec<String> {
    let mut paths: Vec<_> = left.keys().chain(right.keys()).collect();
    paths.sort();
    paths.dedup();
    let differ = paths.into_iter().filter(|path| left.get(*path) != right.get(*path));
    differ
        .map(|path| format!("{:?}: {:?} / {:?}", path.escape_ascii().to_string(), left.get(path), right.get(path)))
        .collect()
}

/// A place to restore to, beside folders that must stay as they are.
pub struct Zone {
    root: PathBuf,
    before: Tree,
}

impl Zone {
    /// `zone/target` is to be restored to; `zone/outside` and everything else beside it is watched.
    pub fn new(world: &World) -> Self {
        let root = world.path("zone");
        fs::create_dir_all(root.join("outside/folder")).expect("a folder");
        fs::write(root.join("outside/precious"), "precious").expect("written");
        fs::write(root.join("outside/folder/inside"), "inside").expect("written");
        let before = watched(&root);
        Self { root, before }
    }

    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    pub fn outside(&self) -> PathBuf {
        self.root.join("outside")
    }

    /// Fails where anything but the target was touched; empties the target.
    pub fn assert_untouched(&self, case: &str) {
        let after = watched(&self.root);
        assert!(after == self.before, "{case}: {:#?}", differences(&self.before, &after));
        self.clear();
    }

    pub fn clear(&self) {
        let target = self.target();
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(&target).expect("removed"),
            Ok(_) => fs::remove_file(&target).expect("removed"),
            Err(_) => {}
        }
    }
}

/// Everything in the zone but the target and the time of the zone itself, which making the target changes.
fn watched(root: &Path) -> Tree {
    let entries = walkdir::WalkDir::new(root).min_depth(1).into_iter();
    let entries = entries.filter_entry(|entry| entry.depth() != 1 || entry.file_name() != "target");
    entries
        .map(|entry| entry.expect("listed").into_path())
        .map(|path| (path.as_os_str().as_bytes().to_vec(), seen(&path)))
        .collect()
}

/// Bytes that do not compress, different for every seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(format!("noise {seed}").as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Numbers that look random, the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() >> 20) as usize % limit.max(1)
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
