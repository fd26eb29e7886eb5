//! The folder that is backed up: real files, changed in a different way each time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use tempfile::TempDir;

use crate::rig::temporary_folder;
use crate::trees::{Seen, tree};

/// A folder as it was at some moment.
pub type Tree = BTreeMap<Vec<u8>, Seen>;

/// In names and contents, and never to be seen on a destination.
pub const CANARY: &str = "canary-that-nobody-may-see-outside";

pub struct Source {
    folder: TempDir,
    ticks: AtomicI64,
}

/// Bytes that do not compress.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

impl Source {
    /// A folder with a bit of everything in it.
    pub fn new() -> Self {
        let source = Self { folder: temporary_folder(), ticks: AtomicI64::new(1_600_000_000) };
        fs::create_dir(source.path()).expect("a folder");
        source.write("letter.txt", CANARY);
        source.write(&format!("{CANARY}/note.txt"), format!("dear {CANARY}").repeat(40));
        source.write("empty", "");
        source.write("photos/one.raw", noise(9_000, 1));
        source.write("photos/two.raw", noise(30_000, 2));
        source.write("deep/er/and/deeper/leaf.txt", "leaf".repeat(300));
        source.write("database", noise(70_000, 3));
        for number in 0..6u64 {
            source.write(&format!("many/{number}.txt"), format!("file {number} ").repeat(10 + 30 * number as usize));
        }
        std::os::unix::fs::symlink("letter.txt", source.path().join("link")).expect("a link");
        source.settle();
        source
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("source")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, content).expect("written");
    }

    /// What changed gets a time of long ago that nothing had before.
    fn settle(&self) {
        let recent = jiff::Timestamp::now().as_second() - 3600;
        let time = Timespec { tv_sec: self.ticks.fetch_add(1, Ordering::Relaxed), tv_nsec: 0 };
        for entry in walkdir::WalkDir::new(self.path()).contents_first(true) {
            let entry = entry.expect("listed");
            use std::os::unix::fs::MetadataExt;
            if fs::symlink_metadata(entry.path()).expect("a look").mtime() >= recent {
                let times = Timestamps { last_access: time, last_modification: time };
                rustix::fs::utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW).expect("a time");
            }
        }
    }

    /// The next change, each of another kind.
    pub fn change(&self, number: u64) {
        match number {
            0 => {
                // Some bytes in the middle of a large file, a file more, a file less.
                let mut database = fs::read(self.path().join("database")).expect("readable");
                database[35_000..35_100].fill(7);
                self.write("database", database);
                self.write("new.txt", "new".repeat(500));
                fs::remove_file(self.path().join("many/0.txt")).expect("removed");
            }
            1 => {
                // Moved, and the same content twice.
                fs::rename(self.path().join("photos"), self.path().join("pictures")).expect("moved");
                self.write("copy.raw", noise(30_000, 2));
                self.write("many/1.txt", "another one");
            }
            2 => {
                // A file becomes a folder, and a folder goes.
                fs::remove_file(self.path().join("empty")).expect("removed");
                self.write("empty/not.txt", "not empty any more");
                fs::remove_dir_all(self.path().join("deep")).expect("removed");
                self.write("secret/diary.txt", noise(12_000, 4));
            }
            3 => {
                // The old content of a file again, and a log that grew.
                self.write("many/1.txt", "file 1 ".repeat(40));
                self.write("log", noise(20_000, 5));
                self.write("secret/diary.txt", noise(12_500, 6));
            }
            4 => {
                let mut log = noise(20_000, 5);
                log.extend(noise(25_000, 7));
                self.write("log", log);
                fs::remove_file(self.path().join("copy.raw")).expect("removed");
            }
            5 => {
                let mut database = fs::read(self.path().join("database")).expect("readable");
                database.truncate(50_000);
                database.splice(1_000..1_000, noise(5_000, 8));
                self.write("database", database);
            }
            _ => self.write(&format!("later/{number}.raw"), noise(15_000 + 700 * number as usize, 100 + number)),
        }
        self.settle();
    }

    pub fn tree(&self) -> Tree {
        tree(&self.path())
    }
}

/// A tree without a path and what is below it.
pub fn without(tree: &Tree, path: &str) -> Tree {
    let below = format!("{path}/");
    let is_kept = |name: &[u8]| name != path.as_bytes() && !name.starts_with(below.as_bytes());
    tree.iter().filter(|(name, _)| is_kept(name)).map(|(name, seen)| (name.clone(), seen.clone())).collect()
}

/// Where the source is below the target of a restored snapshot.
pub fn below(target: &Path, source: &Path) -> PathBuf {
    target.join(source.strip_prefix("/").expect("an absolute path"))
}
