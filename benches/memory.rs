//! The most memory that every command takes, on three kinds of data, with one destination and with three.
//!
//! `cargo bench --bench memory -- run` takes some minutes, and as much room as the data have six times. It ends with an
//! error where a command takes more than it may.
//!
//! | option | |
//! |---|---|
//! | `--megabytes N` | of each kind of data (300) |
//! | `--folder DIR` | where data and repositories lie, best on a memory file system |
//! | `--most N` | megabytes that a command may take (100) |
//! | `--set KEY=VALUE` | a setting of the repository, such as `limits.memory=48MiB`; any number of times |
//! | `--program FILE` | another build of this program |
#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a command that fails ends the run")]

#[allow(dead_code, reason = "the other bench uses the rest")]
#[path = "peers/data.rs"]
mod data;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use data::Kind;

struct Options {
    megabytes: usize,
    folder: PathBuf,
    most: u64,
    settings: Vec<(String, String)>,
    program: PathBuf,
}

impl Options {
    fn of(words: &[String]) -> Self {
        let after = |name: &str| {
            let found = words.iter().zip(words.iter().skip(1)).filter(|(word, _)| *word == name);
            found.map(|(_, value)| value.clone()).collect::<Vec<String>>()
        };
        let number = |name: &str, usual: usize| after(name).pop().map_or(usual, |text| text.parse().expect("a number"));
        let pair = |text: String| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self {
            megabytes: number("--megabytes", 300),
            folder: after("--folder").pop().map_or_else(|| std::env::temp_dir().join("memory"), PathBuf::from),
            most: number("--most", 100) as u64 * 1_000_000,
            settings: after("--set").into_iter().map(|text| pair(text).expect("KEY=VALUE")).collect(),
            program: after("--program").pop().unwrap_or_else(|| env!("CARGO_BIN_EXE_cryptbackup").to_owned()).into(),
        }
    }
}

/// A kind of data and a number of destinations.
type Column = (&'static str, usize);

/// Of each command, the most bytes in every column; in the order of the commands.
#[derive(Default)]
struct Table {
    names: Vec<String>,
    peaks: BTreeMap<(String, Column), u64>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if !words.iter().any(|word| word == "run") {
        println!("`cargo bench --bench memory -- run` measures how much memory every command takes");
        return ExitCode::SUCCESS;
    }
    let options = Options::of(&words);
    let mut table = Table::default();
    let columns: Vec<Column> =
        Kind::ALL.into_iter().flat_map(|kind| [1, 3].map(|count| (kind.name(), count))).collect();
    for kind in Kind::ALL {
        for destinations in [1, 3] {
            let _ = fs::remove_dir_all(&options.folder);
            kind.make(&options.folder.join("source"), options.megabytes << 20);
            Run { options: &options, kind, destinations, table: &mut table }.every_command();
        }
    }
    let _ = fs::remove_dir_all(&options.folder);
    table.print(&columns);
    let most = table.peaks.values().max().copied().unwrap_or(0);
    println!("\nat most {} MB", most / 1_000_000);
    if most > options.most { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

impl Table {
    fn add(&mut self, name: &str, column: Column, bytes: u64) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
        let peak = self.peaks.entry((name.to_owned(), column)).or_default();
        *peak = bytes.max(*peak);
    }

    fn print(&self, columns: &[Column]) {
        let titles = columns.iter().map(|(kind, count)| format!("{kind}, {count}")).collect::<Vec<_>>();
        println!("| MB | {} |\n|---|{}", titles.join(" | "), "---|".repeat(columns.len()));
        for name in &self.names {
            let cells = columns.iter().map(|column| match self.peaks.get(&(name.clone(), *column)) {
                Some(bytes) => format!("{}", bytes.div_ceil(1_000_000)),
                None => String::new(),
            });
            println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
}

/// Every command on one kind of data.
struct Run<'a> {
    options: &'a Options,
    kind: Kind,
    destinations: usize,
    table: &'a mut Table,
}

impl Run<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.options.folder.join(name)
    }

    /// Runs a command that has to end with one of these codes.
    fn ends(&mut self, name: &str, words: &str, codes: &[i32]) {
        self.ends_at("home", name, words, codes);
    }

    fn ends_at(&mut self, home: &str, name: &str, words: &str, codes: &[i32]) {
        let mut command = Command::new(&self.options.program);
        command.args(words.split(' ')).arg("--no-progress").env("CRYPTBACKUP_HOME", self.path(home));
        command.current_dir(&self.options.folder);
        let (measured, said) = support::process::measure(&mut command);
        let code = measured.code.unwrap_or(-1);
        assert!(codes.contains(&code), "{words} ended with {code}: {said}");
        self.table.add(name, (self.kind.name(), self.destinations), measured.peak_bytes);
    }

    /// The same; the name is all words that are not paths.
    fn good(&mut self, words: &str) {
        let name: Vec<&str> = words.split(' ').filter(|word| !word.contains('/')).collect();
        self.ends(&name.join(" "), words, &[0]);
    }

    fn every_command(&mut self) {
        self.set_up();
        self.back_up();
        self.look();
        self.restore();
        self.check();
        self.heal();
        self.clean();
    }

    fn set_up(&mut self) {
        let (source, folder) = (self.path("source"), self.path("disk"));
        fs::write(self.path("secret"), "correct horse battery staple").expect("a passphrase");
        self.ends_at("locked", "init --passphrase", "init --passphrase-file secret", &[0]);
        let quick = format!("quickstart {} {}", source.display(), folder.display());
        self.ends_at("quick", "quickstart", &quick, &[0]);
        self.ends_at("quick", "remove", &format!("remove {}", source.display()), &[0]);
        self.ends_at("new", "connect", &connect(&folder, &self.path("quick")), &[0]);
        let _ = fs::remove_dir_all(&folder);
        self.good("init");
        for (key, value) in &self.options.settings {
            self.ends("config set", &format!("config set {key} {value}"), &[0]);
        }
        self.good(&format!("add {}", source.display()));
        for number in 0..self.destinations {
            let words = format!("config set destinations.d{number} {}", self.path(&format!("d{number}")).display());
            self.ends("config set destinations.NAME", &words, &[0]);
        }
        self.good("config show");
    }

    fn back_up(&mut self) {
        self.ends("backup, the first", "backup", &[0]);
        // What was written a moment ago is read again.
        std::thread::sleep(Duration::from_millis(2200));
        self.ends("backup, nothing changed", "backup", &[0]);
        for round in 0..3 {
            self.kind.change(&self.path("source"), round);
            self.good("backup --dry-run");
            self.ends("backup, after a change", "backup", &[0]);
        }
        self.good("backup --force");
    }

    fn look(&mut self) {
        let file = first_file(&self.path("source"));
        for words in ["status", "snapshots", "destination list", "sysinfo", "completions bash", "restore --list"] {
            self.good(words);
        }
        self.good(&format!("list {}", file.display()));
        self.good(&format!("ls latest:{}", file.parent().expect("a folder").display()));
        for words in ["tag latest --add x", "pin latest", "pin latest --remove", "note latest x"] {
            self.good(words);
        }
    }

    fn restore(&mut self) {
        let (source, target) = (self.path("source"), self.path("restored"));
        self.good(&format!("restore --snapshot latest --destination {}", target.display()));
        self.good(&format!("restore --snapshot latest --verify --destination {}", target.display()));
        fs::remove_dir_all(&target).expect("restored");
        self.good(&format!("restore --directory {} --destination {}", source.display(), target.display()));
        fs::remove_dir_all(&target).expect("restored");
        self.good(&format!("restore --file {} --destination {}", first_file(&source).display(), target.display()));
        let _ = fs::remove_file(&target);
    }

    fn check(&mut self) {
        self.good("check");
        self.good("check --read-data");
        self.good(&format!("scrub {}", self.path("d0").display()));
        self.good("rebuild-index");
        self.good("sync");
        if self.destinations > 1 {
            fs::remove_dir_all(self.path("d1")).expect("a destination");
            self.ends("config unset", "config unset destinations.d1", &[0]);
            self.ends(
                "config set destinations.NAME",
                &format!("config set destinations.d3 {}", self.path("d3").display()),
                &[0],
            );
            self.ends("sync, an empty destination", "sync", &[0]);
        }
    }

    /// One pack is damaged everywhere in the same block, another only on one destination, one is gone from there.
    fn heal(&mut self) {
        let packs = files(&self.path("d0/packs"));
        let places: Vec<PathBuf> = ["d0", "d1", "d2", "d3"].map(|name| self.path(name)).into();
        let below = |pack: &PathBuf| pack.strip_prefix(self.path("d0")).expect("below").to_owned();
        for place in places.iter().filter(|place| place.exists()) {
            damage(&place.join(below(&packs[0])));
        }
        damage(&packs[1]);
        if self.destinations > 1 {
            fs::remove_file(&packs[2]).expect("a pack");
        }
        self.ends("check --read-data, damaged", "check --read-data", &[15]);
        self.ends("check --read-data --heal", "check --read-data --heal", &[15, 16]);
        self.ends("backup, after damage", "backup", &[0, 5]);
        self.ends("sync", "sync", &[0, 5]);
    }

    fn clean(&mut self) {
        let folder = first_file(&self.path("source"));
        for words in ["forget latest~1", "forget latest~1", "clean --dry-run --keep-last 1", "clean --keep-last 1"] {
            self.ends(words.split(" --keep").next().unwrap_or(words), words, &[0, 5, 15]);
        }
        // With one destination, what was damaged there is nowhere else, and purging stops at it.
        self.ends("purge", &format!("purge {}", folder.display()), &[0, 5, 14]);
        self.ends("clean", "clean --keep-last 1", &[0, 5, 15]);
        self.ends("destination accept", "destination accept d0", &[0, 1, 2]);
        self.ends("backup, after cleaning", "backup", &[0, 5]);
    }
}

fn connect(place: &Path, home: &Path) -> String {
    format!("connect {} --config {}", place.display(), home.join("config.yaml").display())
}

/// Every file below a folder, the largest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    let mut files: Vec<_> = entries.filter(|entry| entry.file_type().is_file()).collect();
    files.sort_by_key(|entry| std::cmp::Reverse(entry.metadata().map_or(0, |metadata| metadata.len())));
    files.into_iter().map(walkdir::DirEntry::into_path).collect()
}

fn first_file(folder: &Path) -> PathBuf {
    files(folder).pop().expect("a file")
}

/// Changes a byte in the middle.
fn damage(pack: &Path) {
    let mut bytes = fs::read(pack).expect("a pack");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(pack, bytes).expect("damaged");
}
