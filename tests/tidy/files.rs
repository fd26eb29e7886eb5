//! What every file has: a first line that says what it is for, a size that can be read in one go, a name that says
//! something, and somebody who uses it.

use crate::assert_none;
use crate::code::{File, end_of_item, files, project, sources};

/// The most lines of a file, without its tests.
const LINES_MAX: usize = 400;
/// The most lines of a function, from its name to its last brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Files and functions that are longer, the most they may have, and why.
const LONGER: &[(&str, usize, &str)] = &[];

/// Files that are no modules but part of others, which name them by this path.
const INCLUDED: &[&str] = &["tests/doc/set_up.rs"];

const FOLDERS: &[&str] = &["src", "tests", "benches", "fuzz"];

fn allowed(place: &str, limit: usize) -> usize {
    LONGER.iter().find(|(known, ..)| *known == place).map_or(limit, |(_, most, _)| *most)
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut offences = Vec::new();
    for folder in FOLDERS.iter().filter(|folder| project(folder).exists()) {
        for file in files(folder).into_iter().filter(|file| !is_included(folder, file)) {
            if !file.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > 20) {
                offences.push(format!("{folder}/{}: its first line does not say what it is for", file.path));
            }
        }
    }
    assert_none(offences);
}

#[test]
fn files_and_functions_are_short() {
    let mut offences = Vec::new();
    let mut longer: Vec<String> = Vec::new();
    for file in sources() {
        let last =
            file.lines().filter(|(_, line)| !line.trim().is_empty()).map(|(number, _)| number).last().unwrap_or(0);
        // Tests stand at the end of a file: what comes after the last line of code is theirs.
        let mut judge = |place: String, lines: usize, limit: usize| {
            if lines > limit {
                longer.push(place.clone());
            }
            if lines > allowed(&place, limit) {
                offences.push(format!("src/{place}: {lines} lines; {limit} are the most"));
            }
        };
        judge(file.path.clone(), last, LINES_MAX);
        for (name, lines) in functions(&file.code) {
            judge(format!("{}: {name}", file.path), lines, FUNCTION_LINES_MAX);
        }
    }
    for (place, ..) in LONGER {
        if !longer.iter().any(|known| known == place) {
            offences.push(format!("src/{place} is short enough now: take it out of the table"));
        }
    }
    assert_none(offences);
}

fn is_included(folder: &str, file: &File) -> bool {
    INCLUDED.contains(&format!("{folder}/{}", file.path).as_str())
}

/// Names and lines of the functions in some code.
fn functions(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !name.is_empty() {
            let lines = code[at..end_of_item(code, at)].lines().count();
            found.push((name, lines));
        }
    }
    found
}

#[test]
fn names_of_files_say_something() {
    let mut offences = Vec::new();
    for file in files("src") {
        for module in file.modules() {
            if ["util", "utils", "helper", "helpers", "common", "misc", "types", "prelude"].contains(&module) {
                offences.push(format!("src/{}: `{module}` says nothing", file.path));
            }
        }
    }
    assert_none(offences);
}

#[test]
fn no_file_is_forgotten() {
    let mut offences = Vec::new();
    for folder in FOLDERS.iter().filter(|folder| project(folder).exists()) {
        let all = files(folder);
        let manifest = crate::code::text(if *folder == "fuzz" { "fuzz/Cargo.toml" } else { "Cargo.toml" });
        for file in &all {
            let modules = file.modules();
            let Some(name) = modules.last() else { continue };
            let attribute = format!("path = \"{name}.rs\"");
            let declares = |other: &&File| {
                let declaration = format!("mod {name};");
                let parents = &modules[..modules.len() - 1];
                // Every bench is a crate of its own, whose modules lie beside it.
                let is_parent = other.modules() == parents || (*folder == "benches" && parents.is_empty());
                (is_parent && other.code.contains(&declaration)) || other.text.contains(&attribute)
            };
            // Cargo finds the library and whole files under tests/ by itself.
            let is_found = file.path == "src/lib.rs" || file.path.starts_with("tests/");
            let is_root = file.path.ends_with("main.rs")
                || manifest.contains(&format!("\"{name}\""))
                || (*folder == "fuzz" && is_found);
            if is_included(folder, file) {
                continue;
            }
            if !is_root && !all.iter().any(|other| declares(&other)) {
                offences.push(format!("{folder}/{}: nobody declares it", file.path));
            }
        }
    }
    assert_none(offences);
}

#[test]
fn what_is_included_is_there_and_named() {
    let sources = files("src");
    for path in INCLUDED {
        assert!(project(path).exists() && sources.iter().any(|file| file.text.contains(path)), "{path}");
    }
}

#[test]
fn functions_are_measured_whole() {
    let code = "fn a() {\n{ }\n}\nfn b(c: [u8; 3]) -> d\nwhere\n{\n}\ntrait E { fn f(); }";
    let found = functions(code);
    assert_eq!(found, [("a".to_owned(), 3), ("b".to_owned(), 4), ("f".to_owned(), 1)]);
}
