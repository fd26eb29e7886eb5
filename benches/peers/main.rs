//! This program beside others that do the same work, tool by tool in turn, on three kinds of data.
//!
//! `cargo bench --bench peers -- run` takes some minutes and as much room beside the build as the data have four times.
//! What is not installed is left out. Every restore is compared with its source before its time counts.
//!
//! | option | |
//! |---|---|
//! | `--rounds N` | how often everything is done; the table has medians (3) |
//! | `--megabytes N` | of each kind of data (200) |
//! | `--folder DIR` | where data and repositories lie, best on a memory file system |
//! | `--source DIR` | back this folder up instead of the data that are made, without the row of a change |
//! | `--only NAME` | only this tool beside this program |
//! | `--destinations N` | to so many destinations, for this program alone (1) |
#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a tool that fails ends the comparison")]

mod data;
mod measure;
mod table;
mod tools;

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use data::Kind;
use measure::measure;
use table::Table;
use tools::{Place, Tool};

/// What the command line asks for.
struct Options {
    rounds: usize,
    megabytes: usize,
    folder: PathBuf,
    source: Option<PathBuf>,
    only: Option<String>,
    destinations: usize,
}

impl Options {
    fn of(words: &[String]) -> Self {
        let value = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        let number = |name: &str, usual: usize| value(name).map_or(usual, |text| text.parse().expect("a number"));
        Self {
            rounds: number("--rounds", 3),
            megabytes: number("--megabytes", 200),
            folder: value("--folder").map_or_else(|| std::env::temp_dir().join("peers"), PathBuf::from),
            source: value("--source").map(PathBuf::from),
            only: value("--only").cloned(),
            destinations: number("--destinations", 1),
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if !words.iter().any(|word| word == "run") {
        println!("`cargo bench --bench peers -- run` compares this program with those that are installed");
        return;
    }
    let options = Options::of(&words);
    let all = tools::installed(options.destinations);
    let wanted = |tool: &&Tool| options.only.as_ref().is_none_or(|only| tool.is_own() || tool.name == *only);
    let tools: Vec<&Tool> = all.iter().filter(wanted).collect();
    match &options.source {
        Some(source) => compare(&options, &tools, "given", source, None),
        None => {
            for kind in Kind::ALL {
                let source = options.folder.join("data").join(kind.name());
                compare(&options, &tools, kind.name(), &source, Some(kind));
                fs::remove_dir_all(&source).expect("removed");
            }
        }
    }
}

/// All tools on one source, round by round.
fn compare(options: &Options, tools: &[&Tool], name: &str, source: &Path, kind: Option<Kind>) {
    let mut table = Table::new(name);
    for round in 0..options.rounds {
        for tool in tools {
            // Anew for each: what the one before changed is no part of its first backup.
            if let Some(kind) = kind {
                kind.make(source, options.megabytes << 20);
            }
            let place = Place::new(options.folder.join("work"), source);
            one(tool, &place, kind.map(|kind| (kind, round)), &mut table);
            fs::remove_dir_all(&place.folder).expect("removed");
        }
    }
    println!("{table}");
}

/// Everything one tool does in one round.
fn one(tool: &Tool, place: &Place, kind: Option<(Kind, usize)>, table: &mut Table) {
    for words in &tool.prepare {
        measure(tool, place, words);
    }
    table.add(tool, "first backup", measure(tool, place, &tool.backup));
    if let Some(again) = &tool.again {
        // What was written a moment ago is read again by some.
        std::thread::sleep(std::time::Duration::from_millis(2200));
        measure(tool, place, again);
        table.add(tool, "backup again", measure(tool, place, again));
    }
    table.add_bytes(tool, "stored", place.stored_bytes());
    if let (Some(again), Some((kind, round))) = (&tool.again, kind) {
        kind.change(&place.source, round);
        table.add(tool, "after a change", measure(tool, place, again));
        table.add_bytes(tool, "stored after it", place.stored_bytes());
    }
    if let Some(restore) = &tool.restore {
        fs::create_dir_all(place.target()).expect("a target");
        table.add(tool, "restore", measure(tool, place, restore));
        place.assert_restored(tool);
    }
    if let Some(check) = &tool.check {
        table.add(tool, "check every byte", measure(tool, place, check));
    }
}
