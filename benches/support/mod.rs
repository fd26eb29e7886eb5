//! What the benches work on: the same bytes in every run, made without reading anything.
#![allow(dead_code, reason = "each bench uses some of it")]

pub mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;
use cryptbackup::format::id::{ChunkKind, RepoId};
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Home, InitRequest, Repo};
use cryptbackup::report::Silent;
use cryptbackup::seal::{Block, BlockBuilder, Keys};

/// Few samples and little time: a stage is done in well under a minute.
pub fn quick() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args()
}

/// A small generator (xorshift64*): fast, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.throw() >> 33) as usize % limit
    }
}

const WORDS: &[&str] = &[
    "static", "int", "struct", "return", "if", "else", "for", "while", "const", "void", "unsigned", "long", "char",
    "NULL", "goto", "sizeof", "break", "continue", "switch", "case", "inode", "page", "buffer", "lock", "unlock",
    "device", "driver", "register", "offset", "length", "size", "flags", "mask", "error", "ret", "data", "next",
    "prev", "list", "head", "node", "tree", "index", "count", "state", "queue", "request", "response", "handle",
    "context", "config", "table", "entry", "name",
];
const SIGNS: &[&str] =
    &[" = ", "(", ");", " -> ", ", ", " + ", " != ", " & ", "[i]", "->", " || ", ";", " == ", " {", "}"];

/// Text like source code: indented lines of words and signs that come again; zstd makes it about four times smaller.
pub fn code(length: usize, seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut text = Vec::with_capacity(length + 128);
    let mut names: Vec<String> = Vec::new();
    while text.len() < length {
        if names.len() < 40 || dice.below(12) == 0 {
            names.push(format!("{}_{}", WORDS[dice.below(WORDS.len())], WORDS[dice.below(WORDS.len())]));
        }
        text.extend(std::iter::repeat_n(b'\t', 1 + dice.below(3)));
        for _ in 0..2 + dice.below(6) {
            // Some words are far more common than others, and names come again near where they came last.
            let common = dice.below(WORDS.len()).min(dice.below(WORDS.len()));
            let recent = names.len() - 1 - dice.below(names.len()).min(dice.below(names.len()));
            let word = if dice.below(3) == 0 { names[recent].as_str() } else { WORDS[common] };
            text.extend_from_slice(word.as_bytes());
            text.extend_from_slice(SIGNS[dice.below(SIGNS.len())].as_bytes());
        }
        text.push(b'\n');
    }
    text.truncate(length);
    text
}

/// Bytes nothing makes smaller.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(seed.to_string().as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Both kinds, by name.
pub fn both(length: usize) -> [(&'static str, Vec<u8>); 2] {
    [("code", code(length, 1)), ("noise", noise(length, 1))]
}

/// Many small files of code in folders of fifty; gives the bytes of all.
pub fn small_files(root: &Path, count: usize) -> u64 {
    let mut dice = Dice(7);
    let mut bytes = 0;
    for number in 0..count {
        let folder = root.join(format!("folder {}", number / 50));
        fs::create_dir_all(&folder).expect("a folder");
        let content = code(500 + dice.below(30_000), number as u64);
        bytes += content.len() as u64;
        fs::write(folder.join(format!("file {number}.c")), content).expect("a file");
    }
    bytes
}

/// Keys of some repository.
pub fn keys() -> Keys {
    Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys")
}

/// Full blocks of chunks of 16 KiB.
pub fn blocks(keys: &Keys, bytes: &[u8]) -> Vec<Block> {
    let mut builder = BlockBuilder::new(2 << 20);
    let mut blocks: Vec<Block> = Vec::new();
    for chunk in bytes.chunks(16 << 10) {
        blocks.extend(builder.push(keys.chunk_id(ChunkKind::Data, chunk), chunk));
    }
    blocks.extend(builder.take());
    blocks
}

/// A machine that is set up, with one source and one destination, in a folder that is removed at the end.
pub struct World {
    folder: tempfile::TempDir,
    home: Home,
}

impl World {
    /// Sets it up; the source is empty.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = Home::at(folder.path().join("home"));
        repo::init(&home, InitRequest::default()).expect("a new repository");
        let world = Self { folder, home };
        fs::create_dir(world.source()).expect("the source");
        Settings::edit(&world.home.settings_path(), |settings| {
            settings.put_source(SourceSettings::new(world.source()));
            Ok(())
        })
        .expect("the settings");
        world.open(Access::Write).add_destination("primary", &world.path("primary"), &Silent).expect("a destination");
        world
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The source.
    pub fn source(&self) -> PathBuf {
        self.path("source")
    }

    /// The repository.
    pub fn open(&self, access: Access) -> Repo {
        Repo::open(&self.home, access, None, &Silent).expect("the repository")
    }
}
