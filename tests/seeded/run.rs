//! A copy of the package, into which one bug after the other is put.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bug::{Bug, LIB, all};
use crate::process::{self, Ended};

/// How long one build and one test may take.
const BUILD: Duration = Duration::from_secs(1800);
const TEST: Duration = Duration::from_secs(900);

/// A copy of the package.
struct Copy {
    folder: tempfile::TempDir,
    package: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let package = folder.path().join("package");
        copy(Path::new(env!("CARGO_MANIFEST_DIR")), &package);
        let target = std::env::var_os("CRYPTBACKUP_SEEDED_TARGET");
        let target = target.map_or_else(|| folder.path().join("target"), PathBuf::from);
        Self { folder, package, target }
    }

    /// Builds the tests of a place; gives the program, or why there is none.
    fn build(&self, place: &str) -> Result<PathBuf, String> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["test", "--locked", "--no-run", "--message-format=json-render-diagnostics"]);
        match place {
            LIB => cargo.arg("--lib"),
            binary => cargo.args(["--test", binary]),
        };
        // What the cargo that runs this test said to it is about another package.
        for (name, _) in std::env::vars_os() {
            let is_about_package = name.to_str().is_some_and(|name| {
                ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_CRATE_"]
                    .iter()
                    .any(|prefix| name.starts_with(prefix))
            });
            if is_about_package {
                cargo.env_remove(&name);
            }
        }
        cargo.current_dir(&self.package).env("CARGO_TARGET_DIR", &self.target);
        // Built fifty times and run a moment each: what counts is how fast it is built.
        cargo.envs([("CARGO_PROFILE_DEV_OPT_LEVEL", "0"), ("CARGO_PROFILE_DEV_DEBUG", "0")]);
        cargo.envs([("CARGO_INCREMENTAL", "1"), ("CARGO_TERM_COLOR", "never")]);
        let Ended { is_success, out, err } =
            process::run(&mut cargo, self.folder.path(), BUILD).map_err(|error| error.to_string())?;
        match is_success {
            Some(true) => {}
            Some(false) => return Err(format!("it does not build: {}", last_of(&err))),
            None => return Err("the build took too long".to_owned()),
        }
        let mut programs = out.lines().filter_map(|line| {
            let said: serde_json::Value = serde_json::from_str(line).ok()?;
            let is_test = said["profile"]["test"] == true;
            said["executable"].as_str().filter(|_| is_test).map(PathBuf::from)
        });
        programs.next_back().ok_or_else(|| "cargo does not say where the program is".to_owned())
    }

    /// Runs one test of a program: how many passed, and how many failed.
    fn test(&self, program: &Path, test: &str) -> Result<(u32, u32), String> {
        let mut command = Command::new(program);
        command.arg(test).current_dir(&self.package).env("CARGO_MANIFEST_DIR", &self.package);
        let Ended { is_success, out, err } =
            process::run(&mut command, self.folder.path(), TEST).map_err(|error| error.to_string())?;
        if is_success.is_none() {
            return Err("the test took too long".to_owned());
        }
        counts(&out).ok_or_else(|| format!("it did not come to its end: {}", last_of(&err)))
    }

    /// Whether the test that is to notice the bug fails with it.
    fn is_caught(&self, bug: &Bug) -> Result<(), String> {
        let path = self.package.join(bug.file);
        let before = fs::read_to_string(&path).expect("the source file");
        fs::write(&path, before.replacen(bug.find, bug.replace, 1)).expect("the bug");
        let result = self.build(bug.place).and_then(|program| self.test(&program, bug.test));
        fs::write(&path, before).expect("without the bug");
        match result? {
            (0, 0) => Err("no test ran".to_owned()),
            (_, 0) => Err("the test passes".to_owned()),
            _ => Ok(()),
        }
    }
}

/// What a test program says at its end.
fn counts(out: &str) -> Option<(u32, u32)> {
    let line = out.lines().rfind(|line| line.starts_with("test result: "))?;
    let count = |what: &str| {
        let before = line.split(what).next()?;
        before.split_whitespace().next_back()?.parse().ok()
    };
    Some((count(" passed")?, count(" failed")?))
}

fn last_of(text: &str) -> String {
    let is_telling = |line: &&str| line.starts_with("error") || line.contains("panicked");
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    text.lines().find(is_telling).unwrap_or(last).to_owned()
}

fn copy(from: &Path, to: &Path) {
    let is_wanted = |entry: &walkdir::DirEntry| !["target", ".git"].iter().any(|name| entry.file_name() == *name);
    for entry in walkdir::WalkDir::new(from).into_iter().filter_entry(is_wanted) {
        let entry = entry.expect("listed");
        let path = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(path).expect("a folder");
        } else {
            fs::copy(entry.path(), path).expect("copied");
        }
    }
}

/// The bugs that are asked for.
fn chosen() -> Vec<&'static Bug> {
    let words = std::env::var("CRYPTBACKUP_SEEDED").unwrap_or_default();
    let words: Vec<&str> = words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let is_meant = |bug: &&Bug| words.iter().any(|word| bug.name.contains(word) || bug.place == *word);
    all().filter(|bug| words.is_empty() || is_meant(bug)).collect()
}

#[test]
#[ignore = "builds the program once for each bug: ten minutes"]
fn t24_every_seeded_bug_is_caught() {
    let began = Instant::now();
    let copy = Copy::new();
    let bugs = chosen();
    assert!(!bugs.is_empty(), "no bug has such a name");
    // A test that fails without the bug notices nothing.
    let mut broken = BTreeMap::new();
    for place in bugs.iter().map(|bug| bug.place).collect::<BTreeSet<&str>>() {
        let program = copy.build(place).unwrap_or_else(|why| panic!("{place}: {why}"));
        for test in bugs.iter().filter(|bug| bug.place == place).map(|bug| bug.test).collect::<BTreeSet<&str>>() {
            let counted = copy.test(&program, test);
            if !matches!(counted, Ok((1.., 0))) {
                println!("without a bug: {place} {test}: {counted:?}");
                broken.insert((place, test), format!("without the bug the test gives {counted:?}"));
            }
        }
    }
    let mut rows = Vec::new();
    for bug in &bugs {
        let began = Instant::now();
        let result = match broken.get(&(bug.place, bug.test)) {
            Some(why) => Err(why.clone()),
            None => copy.is_caught(bug),
        };
        let seconds = began.elapsed().as_secs();
        let by = format!("{} {}", bug.place, bug.test);
        let told = result.as_ref().map_or_else(|why| format!("NOT CAUGHT by {by}: {why}"), |()| by.clone());
        println!("{}: {told}, {seconds} s", bug.name);
        rows.push((bug, told, seconds, result.is_ok()));
    }
    println!("\n| bug | breaks | caught by | seconds |\n|---|---|---|---|");
    for (bug, told, seconds, _) in &rows {
        println!("| {} | {} | {told} | {seconds} |", bug.name, bug.breaks);
    }
    let missed: Vec<&str> = rows.iter().filter(|(.., is_caught)| !is_caught).map(|(bug, ..)| bug.name).collect();
    println!("{} of {} caught, {} s", rows.len() - missed.len(), rows.len(), began.elapsed().as_secs());
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

#[test]
fn results_are_read() {
    let out = "running 2 tests\ntest a ... ok\n\ntest result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured\n\n";
    assert_eq!(counts(out), Some((1, 2)));
    assert_eq!(counts("running 2 tests\n"), None);
}
