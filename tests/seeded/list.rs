//! The list itself: every change has its place, every test is there, and nothing is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bug::{Bug, IMPOSSIBLE, LIB, all};

/// The bugs that the test plan names.
const PLANNED: [&str; 20] = [
    "skip file fsync",
    "skip dir fsync",
    "snapshot before packs",
    "index before pack durable",
    "ack before B6",
    "ignore close error",
    "retry fsync and accept",
    "treat list error as empty",
    "dedup against condemned pack",
    "ignore sessions in sweep",
    "count only unique blobs when judging a pack",
    "drop AAD type",
    "constant nonce",
    "skip commitment check",
    "accept truncated directory",
    "global instead of per-destination presence",
    "copy snapshot before packs in catch-up",
    "propagate unverified bytes in heal",
    "advance trust early",
    "follow symlink on restore",
];

/// Those that were asked for besides.
const ASKED_FOR: [&str; 5] = [
    "a foot without salt",
    "a pack tombstone obeyed",
    "catch-up by union",
    "a carried node dropped",
    "a put onto a damaged name accepted",
];

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Rust files in which the tests of a place are.
fn sources(place: &str) -> Vec<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = if place == LIB { package.join("src") } else { package.join("tests").join(place) };
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("listed").into_path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Whether a text has a test of that name that always runs.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(&format!("fn {name}("))) else { return false };
    let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    attributes.clone().any(|line| *line == "#[test]")
        && !attributes.into_iter().any(|line| line.starts_with("#[ignore"))
}

fn assert_none(offences: Vec<String>) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

#[test]
fn every_change_has_one_place() {
    let mut offences = Vec::new();
    for Bug { name, file, find, replace, .. } in all() {
        let count = if file.starts_with("src/") { text(file).matches(find).count() } else { 0 };
        if count != 1 {
            offences.push(format!("{name}: what is looked for stands {count} times in {file}"));
        }
        if find == replace {
            offences.push(format!("{name}: nothing would change"));
        }
    }
    assert_none(offences);
}

#[test]
fn every_test_is_there() {
    let mut offences = Vec::new();
    for Bug { name, place, test, .. } in all() {
        let is_there = sources(place).iter().any(|path| has_test(&fs::read_to_string(path).expect("UTF-8"), test));
        if !is_there {
            offences.push(format!("{name}: in {place} there is no test {test} that always runs"));
        }
    }
    assert_none(offences);
}

#[test]
fn every_invariant_has_a_bug() {
    let document = text("docs/format.md");
    let numbers = document.lines().filter_map(|line| line.strip_prefix("- **I")?.split("**").next()?.parse().ok());
    let numbers: BTreeSet<u32> = numbers.collect();
    assert_eq!(numbers, (1..=20).collect());
    let broken: BTreeSet<u32> = all().flat_map(Bug::invariants).collect();
    assert_eq!(broken, numbers);
}

#[test]
fn every_bug_that_was_planned_is_there() {
    let names: BTreeSet<&str> = all().map(|bug| bug.name).collect();
    assert_eq!(names.len(), all().count(), "two have one name");
    for name in PLANNED.iter().chain(&ASKED_FOR) {
        let is_impossible = IMPOSSIBLE.iter().any(|(known, _)| known == name);
        assert!(names.contains(name) != is_impossible, "{name}");
    }
}

#[test]
fn tests_are_told_from_other_functions() {
    let text = "#[test]\nfn one() {}\n    #[test]\n    #[ignore = \"long\"]\n    fn two() {}\nfn three() {}\n";
    assert!(has_test(text, "one"));
    assert!(!has_test(text, "two") && !has_test(text, "three") && !has_test(text, "on"));
}
