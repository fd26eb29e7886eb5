//! What the parts of a first backup take, each alone on one core, beside what the whole takes.
//!
//! `cargo bench --bench stages -- run [--source DIR] [--megabytes N] [--rounds N]` reads a folder (or makes one of small
//! files) and gives its bytes to one stage after the other. Their sum, divided by the cores, is the time that the whole
//! could take if it did nothing else and no core ever waited; the last line says how far from it the program is. What it
//! does besides is not in the sum: trees, claims, the snapshot, names made durable.
#![allow(clippy::print_stdout, reason = "the table is the result")]

mod support;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cryptbackup::chunk::Chunker;
use cryptbackup::format::id::{ChunkId, ChunkKind, RepoId};
use cryptbackup::format::record::ChunkerParameters;
use cryptbackup::index::{Index, PackInfo};
use cryptbackup::pack::{Closing, PackDraft, SealedPack};
use cryptbackup::seal::{Block, BlockBuilder, Keys};
use cryptbackup::source::{Entry, EntryKind, Event, Segment, SourceFile, Walk, WalkOptions};

const BLOCK_BYTES: usize = 2 << 20;
const PACK_BYTES: usize = 16 << 20;
/// Bytes of files that go through the stages together: more than a cache holds, and little memory.
const BATCH_BYTES: usize = 8 << 20;
const LEVEL: Option<i32> = Some(3);
const MEMORY: u64 = 96 << 20;

/// Stages in their order, and what they took so far.
struct Clock(Vec<(&'static str, Duration)>);

impl Clock {
    fn time<T>(&mut self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let result = work();
        let spent = began.elapsed();
        match self.0.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, sum)) => *sum += spent,
            None => self.0.push((stage, spent)),
        }
        result
    }
}

/// The stages behind the files, and what is on its way between them.
struct Stages {
    clock: Clock,
    keys: Keys,
    chunker: Chunker,
    builder: BlockBuilder,
    draft: PackDraft,
    packs: Vec<SealedPack>,
    index: Index,
    first: u32,
    folder: PathBuf,
    stored: u64,
}

impl Stages {
    fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        Self {
            clock: Clock(Vec::new()),
            keys: support::keys(),
            chunker: Chunker::new(&ChunkerParameters::DEFAULT, &[7; 32]),
            builder: BlockBuilder::new(BLOCK_BYTES),
            draft: PackDraft::new(ChunkKind::Data, PACK_BYTES),
            packs: Vec::new(),
            index: Index::open(&folder.join("index"), RepoId::from_bytes([1; 16]), MEMORY).expect("a new index"),
            first: 0,
            folder: folder.to_owned(),
            stored: 0,
        }
    }

    /// Some files: their bytes, and where each ends.
    fn batch(&mut self, bytes: &[u8], ends: &[usize]) {
        let Self { clock, keys, chunker, builder, .. } = self;
        let chunks = clock.time("cut", || cut(chunker, bytes, ends));
        let name = |range: Range<usize>| (keys.chunk_id(ChunkKind::Data, &bytes[range.clone()]), range);
        let named: Vec<(ChunkId, Range<usize>)> = clock.time("name", || chunks.into_iter().map(name).collect());
        let collect = |(id, range): (ChunkId, Range<usize>)| builder.push(id, &bytes[range]);
        let blocks: Vec<Block> = clock.time("collect", || named.into_iter().filter_map(collect).collect());
        blocks.into_iter().for_each(|block| self.block(block));
    }

    fn block(&mut self, block: Block) {
        let block = self.clock.time("compress", || block.compress(LEVEL).expect("compressed"));
        if !self.draft.fits(&block) {
            self.pack(Closing::Full);
        }
        self.draft.push(block);
    }

    fn pack(&mut self, closing: Closing) {
        let draft = std::mem::replace(&mut self.draft, PackDraft::new(ChunkKind::Data, PACK_BYTES));
        let keys = &self.keys;
        let salt = [(self.first as usize + self.packs.len()) as u8; 32];
        let pack = self.clock.time("seal, open again", || draft.finish(keys, salt, closing).expect("sealed"));
        let path = self.folder.join(pack.id().to_string());
        self.clock.time("write", || fs::write(path, pack.bytes()).expect("written"));
        self.stored += pack.bytes().len() as u64;
        self.packs.push(pack);
        if self.packs.len() == 8 {
            self.remember();
        }
    }

    fn remember(&mut self) {
        let Self { clock, index, packs, first, .. } = self;
        clock.time("index", || {
            let mut writer = index.writer().expect("a writer");
            let entry = |(number, pack): (u32, &SealedPack)| {
                let len = pack.bytes().len() as u64;
                let info =
                    PackInfo { id: pack.id(), len, kind: ChunkKind::Data, epoch: pack.epoch(), salt: pack.salt() };
                (number, info, pack.blocks_offset())
            };
            let entries = (*first..).zip(packs.iter()).map(entry);
            writer
                .add_packs(
                    entries.zip(packs.iter()).map(|((number, info, at), pack)| (number, info, at, pack.directory())),
                )
                .expect("added");
            writer.commit().expect("committed");
        });
        self.first += self.packs.len() as u32;
        self.packs.clear();
    }

    fn finish(&mut self) {
        if let Some(block) = self.builder.take() {
            self.block(block);
        }
        if !self.draft.is_empty() {
            self.pack(Closing::Last { extra: 0 });
        }
        self.remember();
    }
}

fn cut(chunker: &Chunker, bytes: &[u8], ends: &[usize]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for &end in ends {
        chunker.cut_all(&bytes[..end], start, true, |range| chunks.push(range));
        start = end;
    }
    chunks
}

fn walk(source: &Path) -> Vec<Entry> {
    let options = WalkOptions { root: source.to_owned(), ..WalkOptions::default() };
    let events = Walk::new(options).expect("a source");
    let file = |event| match event {
        Event::Leaf(entry) if entry.kind == EntryKind::File => Some(entry),
        _ => None,
    };
    events.filter_map(file).collect()
}

/// Reads one file as a backup does.
fn read(entry: &Entry, bytes: &mut Vec<u8>) {
    let mut file = SourceFile::open(&entry.path, &entry.stat).expect("it opens");
    while let Some(segment) = file.next_segment().expect("a segment") {
        let Segment::Data { len, .. } = segment else { continue };
        let from = bytes.len();
        bytes.resize(from + len as usize, 0);
        let mut filled = from;
        while filled < bytes.len() {
            match file.read(&mut bytes[filled..]).expect("read") {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
    }
    assert!(file.is_unchanged().expect("a stat"), "nobody writes to the source meanwhile");
}

/// All stages on one core, and the bytes that went through them.
fn stages(source: &Path, folder: &Path) -> (Clock, u64, u64) {
    let mut stages = Stages::new(folder);
    let entries = stages.clock.time("walk", || walk(source));
    let (mut all, mut bytes, mut ends) = (0, Vec::new(), Vec::new());
    for entry in &entries {
        stages.clock.time("open, read", || read(entry, &mut bytes));
        ends.push(bytes.len());
        if bytes.len() >= BATCH_BYTES {
            stages.batch(&bytes, &ends);
            all += bytes.len() as u64;
            bytes.clear();
            ends.clear();
        }
    }
    stages.batch(&bytes, &ends);
    stages.finish();
    (stages.clock, all + bytes.len() as u64, stages.stored)
}

/// The program as a whole: the seconds of a first backup.
fn whole(source: &Path, folder: &Path) -> f64 {
    let own = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cryptbackup"));
        command.env("CRYPTBACKUP_HOME", folder.join("home")).env("HOME", folder);
        command
    };
    let run = |words: &[&str]| assert!(own().args(words).arg("-q").status().expect("it runs").success(), "{words:?}");
    let destination = folder.join("destination").display().to_string();
    run(&["init"]);
    run(&["config", "set", "destinations.primary", &destination]);
    run(&["add", &source.display().to_string()]);
    let began = Instant::now();
    run(&["backup"]);
    began.elapsed().as_secs_f64()
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if !words.iter().any(|word| word == "run") {
        println!("`cargo bench --bench stages -- run` compares a first backup with the sum of its stages");
        return;
    }
    let value = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let number = |name: &str, usual: usize| value(name).map_or(usual, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = value("--source").map_or_else(
        || {
            let made = folder.path().join("source");
            // Files of 15 KiB on average.
            support::small_files(&made, number("--megabytes", 200) << 20 >> 14);
            made
        },
        PathBuf::from,
    );
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for round in 0..number("--rounds", 3) {
        let place = folder.path().join(format!("stages{round}"));
        let (clock, bytes, stored) = one_core.install(|| stages(&source, &place));
        fs::remove_dir_all(&place).expect("removed");
        let place = folder.path().join(format!("whole{round}"));
        fs::create_dir_all(&place).expect("a folder");
        let whole = whole(&source, &place);
        fs::remove_dir_all(&place).expect("removed");

        let megabytes = bytes as f64 / 1e6;
        println!(
            "\n{megabytes:.0} MB, packs of {:.0} MB\n\n| stage | s on one core | MB/s |\n|---|---|---|",
            stored as f64 / 1e6
        );
        for (stage, spent) in &clock.0 {
            println!("| {stage} | {:.2} | {:.0} |", spent.as_secs_f64(), megabytes / spent.as_secs_f64());
        }
        let sum: f64 = clock.0.iter().map(|(_, spent)| spent.as_secs_f64()).sum();
        let floor = sum / cores as f64;
        println!("| sum | {sum:.2} | {:.0} |", megabytes / sum);
        println!(
            "\n{cores} cores: {floor:.2} s at best; a first backup took {whole:.2} s, {:.2} times that",
            whole / floor
        );
    }
}
