//! What a simulated machine backs up: few small files, whose contents other machines have too.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

use crate::disk::chance::Chance;
use crate::source::Tree;
use crate::trees::tree;

/// Contents there are. They are few, so that machines rely on what others stored.
const CONTENTS: u64 = 12;
/// Some count for more than others where what is important comes first.
pub const NAMES: [&str; 7] = ["a", "b.txt", "c.odt", "folder/a", "folder/b.mp3", "folder/deep/a.txt", "other/a.odt"];

/// A real folder.
pub struct Source {
    path: PathBuf,
    tick: i64,
}

/// Text that is not much like other text.
fn content(number: u64) -> String {
    let mut chance = Chance::of(number, 77);
    let length = 300 + chance.below(9000);
    (0..length).map(|_| char::from(b"etaoin shrdlu\n"[chance.below(14) as usize])).collect()
}

impl Source {
    pub fn new(path: PathBuf, number: u64) -> Self {
        let mut source = Self { path, tick: 1_600_000_000 };
        fs::create_dir_all(&source.path).expect("a folder");
        source.put("a", &content(number));
        source.put("folder/b.mp3", &content(number + 1));
        source
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives a changed file and the folders above it a time of long ago that nothing had before.
    fn settle(&mut self, name: &str) {
        self.tick += 1;
        let time = Timespec { tv_sec: self.tick, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        let mut at = Some(Path::new(name));
        while let Some(path) = at {
            let path_there = self.path.join(path);
            if path_there.exists() {
                rustix::fs::utimensat(CWD, &path_there, &times, AtFlags::empty()).expect("a time");
            }
            at = path.parent();
        }
    }

    fn put(&mut self, name: &str, text: &str) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(path, text).expect("written");
        self.settle(name);
    }

    /// One to three changes.
    pub fn change(&mut self, chance: &mut Chance) {
        for _ in 0..=chance.below(3) {
            let name = NAMES[chance.below(NAMES.len() as u64) as usize];
            let path = self.path.join(name);
            match chance.below(8) {
                0 | 1 if path.is_file() && name != "a" => {
                    fs::remove_file(path).expect("removed");
                    self.settle(name);
                }
                2 if path.is_file() => {
                    let mut text = fs::read_to_string(path).expect("readable");
                    text.push_str(&content(chance.below(CONTENTS))[..200]);
                    self.put(name, &text);
                }
                3 => self.put(name, &format!("{} {}", self.tick, content(chance.below(1 << 40)))),
                _ => self.put(name, &content(chance.below(CONTENTS))),
            }
        }
    }

    pub fn tree(&self) -> Tree {
        tree(&self.path)
    }
}
