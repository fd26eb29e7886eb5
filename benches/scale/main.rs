//! Repositories of 1, 4 and 16 million chunks, without the data: what each command takes in them.
//!
//! `cargo bench --bench scale -- run` takes half an hour, and some 10 GB in the folder. A repository is made as backups
//! would have made it, index and all (`stock`); then every command runs as a whole process. 16 million chunks are
//! 10 million files, in two snapshots; of the newest, one in a hundred is gone.
//!
//! | option | |
//! |---|---|
//! | `--chunks 1,4,16` | the sizes, in millions |
//! | `--rounds N` | how often what changes nothing is done; the table has medians (3) |
//! | `--folder DIR` | where the repositories lie |
//! | `--files N` | of the real source that is backed up beside, 0 for none (1000000) |
//! | `--source DIR` | where that is made, best on a memory file system, and removed |
//! | `--before WORDS` | what comes before each command, as `chrt -f 10` |
//! | `--keep` | leaves the repositories where they are, and takes those that are there |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is the result, and it takes a while")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a command that fails ends the run")]

mod commands;
mod content;
mod place;
mod sizes;
mod stock;
mod table;

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::PathBuf;

use content::Content;
use place::Place;
use table::Table;

/// What the command line asks for.
pub struct Options {
    chunks: Vec<f64>,
    rounds: usize,
    folder: PathBuf,
    files: u64,
    source: PathBuf,
    before: Vec<String>,
    is_kept: bool,
}

impl Options {
    fn of(words: &[String]) -> Self {
        let value = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        let number = |name: &str, usual: u64| value(name).map_or(usual, |text| text.parse().expect("a number"));
        let folder = |name: &str| value(name).map_or_else(|| std::env::temp_dir().join("scale"), PathBuf::from);
        let chunks = value("--chunks").map_or("1,4,16", String::as_str);
        Self {
            chunks: chunks.split(',').map(|text| text.parse().expect("millions of chunks")).collect(),
            rounds: number("--rounds", 3) as usize,
            folder: folder("--folder").join("repositories"),
            files: number("--files", 1_000_000),
            source: folder("--source").join("source"),
            before: value("--before").map_or_else(Vec::new, |text| text.split(' ').map(str::to_owned).collect()),
            is_kept: words.iter().any(|word| word == "--keep"),
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "lookups") {
        return commands::lookups(&words[at + 1..]);
    }
    if !words.iter().any(|word| word == "run") {
        println!("`cargo bench --bench scale -- run` measures large repositories");
        return;
    }
    let options = Options::of(&words);
    let columns: Vec<String> = options.chunks.iter().map(column).collect();
    let mut table = Table::new("scale", columns, "the last to the first", growth);
    commands::make_source(&options);
    for millions in &options.chunks {
        let content = Content { chunks: (millions * 1e6) as u64 };
        let place = Place { folder: options.folder.join(format!("{millions}")), content };
        commands::all(&options, &place, &column(millions), &mut table);
        if !options.is_kept {
            fs::remove_dir_all(&place.folder).expect("removed");
        }
        // So far: the next takes longer.
        println!("{table}");
    }
    if options.files > 0 {
        fs::remove_dir_all(&options.source).expect("removed");
    }
}

fn column(millions: &f64) -> String {
    format!("{millions} M")
}

/// How much more the largest takes than the smallest.
fn growth(medians: &[(&str, f64)]) -> Option<f64> {
    let (first, last) = (medians.first()?, medians.last()?);
    (first.0 != last.0 && first.1 > 0.0).then(|| last.1 / first.1)
}
