//! What is measured of one repository, from what reads little to what changes much.

use std::fs;
use std::hint::black_box;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use cryptbackup::format::id::{ChunkId, ChunkKind};

use crate::Options;
use crate::content::{self, Content, SOURCE};
use crate::place::Place;
use crate::sizes;
use crate::support::process::{self, Measured};
use crate::table::Table;

/// Lookups of chunks that are there, and as many of others.
const LOOKUPS: u64 = 1_000_000;
const FILES_PER_FOLDER: u64 = 250;
/// What was written so short a time ago is read again by the next backup.
const SETTLED: Duration = Duration::from_millis(2200);

/// Runs a command to its end, which has to be a success.
fn measure(mut command: Command) -> Measured {
    let (measured, said) = process::measure(&mut command);
    assert_eq!(measured.code, Some(0), "{command:?}: {said}");
    measured
}

/// Makes the real source.
pub fn make_source(options: &Options) {
    if options.files > 0 {
        let _ = fs::remove_dir_all(&options.source);
    }
    for file in 0..options.files {
        let path = source_file(options, file);
        if file % FILES_PER_FOLDER == 0 {
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        }
        fs::write(path, "").expect("a file");
    }
}

fn source_file(options: &Options, file: u64) -> PathBuf {
    let folder = file / FILES_PER_FOLDER;
    options.source.join(format!("{:03}/{folder:06}/file-{file:08}", folder / 100))
}

/// The commands of one repository, one after the other, and their rows in a table.
struct Run<'a> {
    options: &'a Options,
    place: &'a Place,
    column: &'a str,
    table: &'a mut Table,
}

/// Makes the repository and measures everything.
pub fn all(options: &Options, place: &Place, column: &str, table: &mut Table) {
    if !options.is_kept || !place.folder.exists() {
        let _ = fs::remove_dir_all(&place.folder);
        let began = Instant::now();
        place.make(&[&options.source]);
        // Else the first command waits until all this is on the disk.
        Command::new("sync").status().expect("sync runs");
        eprintln!("{column}: made in {:?}", began.elapsed());
    }
    let mut run = Run { options, place, column, table };
    run.sizes("grown by backups");
    run.reading();
    run.small_backups("one-file backup");
    run.large_backups();
    run.often("check", &["check", "-q"]);
    run.often("clean, nothing to do", &["clean", "--dry-run", "-q"]);
    let first = fs::read_to_string(place.first_snapshot()).expect("an id");
    run.once("forget", &["forget", "-q", &first]);
    run.rebuild();
}

impl Run<'_> {
    fn one(&self, words: &[&str]) -> Measured {
        measure(self.place.command(&self.options.before, words))
    }

    fn add(&mut self, row: &str, measured: Measured) {
        eprintln!("{}: {row}: {:.2} s, {:.1} MB", self.column, measured.seconds, measured.peak_bytes as f64 / 1e6);
        self.table.add(self.column, row, measured);
    }

    fn once(&mut self, row: &str, words: &[&str]) {
        self.add(row, self.one(words));
    }

    fn often(&mut self, row: &str, words: &[&str]) {
        for _ in 0..self.options.rounds {
            self.once(row, words);
        }
    }

    fn sizes(&mut self, when: &str) {
        let path = self.place.home().index_path();
        // What was never written takes no room, however long the file is.
        let len = fs::metadata(&path).expect("the index").blocks() * 512;
        let tables = sizes::tables(&path);
        let mut rest = len as f64;
        for table in &tables {
            rest -= table.bytes as f64;
            if table.bytes < 1_000_000 && !["trees", "retired"].contains(&table.name.as_str()) {
                continue;
            }
            let row = format!("index {when}, {}", table.name);
            self.table.add_bytes(self.column, &row, table.bytes);
            self.table.put(self.column, &format!("{row}, bytes a row"), table.bytes as f64 / table.rows.max(1) as f64);
        }
        self.table.put(self.column, &format!("index {when}, free pages, MB"), rest / 1e6);
        let trees: u64 = tables.iter().filter(|table| table.name == "trees").map(|table| table.bytes).sum();
        let chunks: u64 = tables.iter().filter(|table| table.name == "chunks").map(|table| table.rows).sum();
        let per_chunk = (len - trees) as f64 / chunks as f64;
        self.table.put(self.column, &format!("index {when}, all but trees, bytes a chunk"), per_chunk);
    }

    fn reading(&mut self) {
        let file = self.place.content.files() / 2 + 7;
        let path = format!("{SOURCE}/{}", self.place.content.file_path(file));
        let folder = path.rsplit_once('/').expect("a folder").0;
        let target = self.place.folder.join("restored.txt");
        let to = target.display().to_string();
        self.often("status", &["status", "-q"]);
        self.often("snapshots", &["snapshots", "-q"]);
        self.often("list FILE", &["list", "-q", &path]);
        self.often("ls FOLDER", &["ls", "-q", &format!("latest:{folder}")]);
        self.often("restore FILE", &["restore", "-q", "--file", &path, "--destination", &to]);
        assert_eq!(fs::read(&target).expect("restored"), content::file(file));
        for _ in 0..self.options.rounds {
            let mut before = self.options.before.iter().map(PathBuf::from).collect::<Vec<_>>();
            before.push(std::env::current_exe().expect("this program"));
            let mut command = Command::new(&before[0]);
            command.args(&before[1..]).arg("lookups").arg(&self.place.folder);
            command.arg(self.place.content.chunks.to_string());
            let measured = measure(command);
            self.add("two million lookups, half of them in vain", measured);
        }
    }

    fn small_backups(&mut self, row: &str) {
        let file = self.place.small().join("one.txt");
        let source = self.place.small().display().to_string();
        let words = ["backup", "-q", "--source", &source];
        self.once(&format!("{row}, the first"), &words);
        for round in 0..self.options.rounds {
            fs::write(&file, format!("{row} {round}\n")).expect("a file");
            self.once(row, &words);
        }
    }

    fn large_backups(&mut self) {
        if self.options.files == 0 {
            return;
        }
        let source = self.options.source.display().to_string();
        let words = ["backup", "-q", "--source", &source];
        self.once("first backup of the files beside", &words);
        thread::sleep(SETTLED);
        self.often("the same, unchanged", &words);
        for round in 0..self.options.rounds {
            let file = source_file(self.options, self.options.files / 2);
            fs::write(file, format!("{} {round}", self.column)).expect("a file");
            self.once("the same, one file changed", &words);
        }
    }

    fn rebuild(&mut self) {
        self.once("clean, one in a hundred goes", &["clean", "-q"]);
        self.sizes("after cleaning");
        self.once("rebuild-index", &["rebuild-index", "-q"]);
        self.sizes("rebuilt");
        for entry in fs::read_dir(self.place.home().path()).expect("listed").flatten() {
            if entry.file_name().to_string_lossy().starts_with("backups.db.broken") {
                fs::remove_file(entry.path()).expect("removed");
            }
        }
        self.small_backups("one-file backup after it");
    }
}

/// A process that looks up chunks, told where and among how many.
pub fn lookups(words: &[String]) {
    let place = Place { folder: PathBuf::from(&words[0]), content: Content { chunks: words[1].parse().unwrap() } };
    let keys = place.keys();
    let index = place.index_to_read(&keys);
    let view = index.reader().expect("a view");
    let id = |number: u64| -> ChunkId { keys.chunk_id(ChunkKind::Data, &content::chunk(number)) };
    for lookup in 0..LOOKUPS {
        let number = lookup.wrapping_mul(0x9E37_79B9_7F4A_7C15) % place.content.chunks;
        assert!(!view.places(&id(number)).expect("readable").is_empty());
        assert!(black_box(view.places(&id(place.content.chunks + lookup))).expect("readable").is_empty());
    }
}
