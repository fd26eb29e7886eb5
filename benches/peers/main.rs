//! This program beside others that do the same work, tool by tool in turn, on three kinds of data.
//!
//! `cargo bench --bench peers -- run` takes some minutes and as much room beside the build as the data have four times.
//! What is not installed is left out. Every restore is compared with its source before its time counts.
//!
//! | option | |
//! |---|---|
//! | `--rounds N` | how often everything is done; the table has medians (3) |
//! | `--megabytes N` | of each kind of data that is made (200) |
//! | `--folder DIR` | where data and repositories lie, best on a memory file system |
//! | `--source DIR`, `--then DIR` | a folder in two versions, instead of the small files that are made |
//! | `--kind NAME` | only this kind of data: `small`, `database`, `media` |
//! | `--only NAME` | only this tool beside this program |
//! | `--picture FILE` | draws the ratios of all tables as an SVG |
#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a tool that fails ends the comparison")]

mod data;
mod measure;
mod picture;
mod table;
mod tools;

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::PathBuf;

use data::{Data, Kind};
use measure::measure;
use table::Table;
use tools::{Place, Tool};

/// What the command line asks for.
struct Options {
    rounds: usize,
    megabytes: usize,
    folder: PathBuf,
    given: Option<(PathBuf, PathBuf)>,
    kind: Option<String>,
    only: Option<String>,
    picture: Option<PathBuf>,
}

impl Options {
    fn of(words: &[String]) -> Self {
        let value = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
        let number = |name: &str, usual: usize| value(name).map_or(usual, |text| text.parse().expect("a number"));
        let source = value("--source").map(PathBuf::from);
        Self {
            rounds: number("--rounds", 3),
            megabytes: number("--megabytes", 200),
            folder: value("--folder").map_or_else(|| std::env::temp_dir().join("peers"), PathBuf::from),
            given: source.map(|first| (first.clone(), value("--then").map_or(first, PathBuf::from))),
            kind: value("--kind").cloned(),
            only: value("--only").cloned(),
            picture: value("--picture").map(PathBuf::from),
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
    let all = tools::installed();
    let wanted = |tool: &&Tool| options.only.as_ref().is_none_or(|only| tool.is_own() || tool.name == *only);
    let tools: Vec<&Tool> = all.iter().filter(wanted).collect();
    println!("{}", tools::machine(&tools));
    let mut tables = Vec::new();
    for kind in Kind::ALL {
        if options.kind.as_ref().is_some_and(|only| only != kind.name()) {
            continue;
        }
        let data = match &options.given {
            Some((first, then)) if kind == Kind::Small => Data::Given { first: first.clone(), then: then.clone() },
            _ => Data::Made { kind, bytes: options.megabytes << 20 },
        };
        tables.push(compare(&options, &tools, kind.name(), &data));
    }
    if let Some(path) = &options.picture {
        fs::write(path, picture::draw(&tables)).expect("the picture");
    }
}

/// All tools on one kind of data, tool by tool in turn, round by round.
fn compare(options: &Options, tools: &[&Tool], name: &str, data: &Data) -> Table {
    let mut table = Table::new(name);
    let source = options.folder.join("data").join(name);
    for round in 0..options.rounds {
        for tool in tools {
            // Anew for each: what the one before changed is no part of its first backup.
            data.make(&source);
            let place = Place::new(options.folder.join("work"), &source);
            one(tool, &place, data, round, &mut table);
            if let Some(prepare) = &tool.three_destinations {
                data.make(&source);
                let place = Place::new(options.folder.join("work"), &source);
                for words in prepare {
                    measure(tool, &place, words);
                }
                table.add(tool, "first backup to three destinations", measure(tool, &place, &tool.backup));
            }
            fs::remove_dir_all(&place.folder).expect("removed");
        }
    }
    fs::remove_dir_all(&source).expect("removed");
    println!("{table}");
    table
}

/// Everything one tool does in one round.
fn one(tool: &Tool, place: &Place, data: &Data, round: usize, table: &mut Table) {
    for words in &tool.prepare {
        measure(tool, place, words);
    }
    table.add(tool, "first backup", measure(tool, place, &tool.backup));
    table.add_bytes(tool, "stored", place.stored_bytes());
    if let Some(again) = &tool.again {
        // What was written a moment ago is read again by some.
        std::thread::sleep(std::time::Duration::from_millis(2200));
        measure(tool, place, again);
        table.add(tool, "backup again, nothing changed", measure(tool, place, again));
        data.change(&place.source, round);
        table.add(tool, "backup after a change", measure(tool, place, again));
        table.add_bytes(tool, "stored after it", place.stored_bytes());
    }
    if let Some(check) = &tool.check {
        table.add(tool, "check of every byte", measure(tool, place, check));
    }
    if let Some(clean) = &tool.clean {
        table.add(tool, "clean, only the newest stays", measure(tool, place, clean));
        table.add_bytes(tool, "stored after cleaning", place.stored_bytes());
    }
    if let Some(restore) = &tool.restore {
        fs::create_dir_all(place.target()).expect("a target");
        table.add(tool, "restore", measure(tool, place, restore));
        place.assert_restored(tool);
    }
}
