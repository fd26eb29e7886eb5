//! Tests of reading sources on a real file system: `walk` for what comes and in which order, `rules` for what does
//! not, `file` for contents, `meta` for everything else about an entry.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::{Entry, Event, Walk, WalkOptions};
use crate::report::ProblemKind;

mod changes;
mod like_git;
mod file;
mod meta;
mod rules;
mod speed;
mod walk;

/// A folder that goes away with the test.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Makes a file with the folders above it; one that ends in a slash is a folder.
fn plant(root: &Path, names: &[&str]) {
    for name in names {
        let path = root.join(name);
        if name.ends_with('/') {
            fs::create_dir_all(&path).expect("a new folder");
        } else {
            fs::create_dir_all(path.parent().expect("a folder above")).expect("new folders");
            fs::write(&path, name).expect("a new file");
        }
    }
}

fn special(path: &Path, kind: FileType, device: u64) -> io::Result<()> {
    Ok(mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), device)?)
}

fn options(root: &Path) -> WalkOptions {
    WalkOptions { root: root.to_path_buf(), ..WalkOptions::default() }
}

fn walk(options: WalkOptions) -> Walk {
    Walk::new(options).expect("a source that can be walked")
}

/// What a walk gives, a line each, as a path below the root: `a/` for a folder, `a` for anything else, `!vanished a`
/// and the like for what could not be read. Checks that every folder is left and that paths and names agree.
fn lines(walk: &mut Walk, root: &Path) -> Vec<String> {
    let mut depth = 0;
    let mut lines = Vec::new();
    for event in walk.by_ref() {
        let below = |path: &Path| path.strip_prefix(root).expect("below the root").as_os_str().as_bytes().to_vec();
        let check = |entry: &Entry| {
            let is_root = entry.path == root;
            let last = entry.path.file_name().filter(|_| !is_root).unwrap_or_default();
            assert_eq!(entry.name, last.as_bytes());
        };
        match event {
            Event::Enter(entry) => {
                check(&entry);
                depth += 1;
                lines.push(format!("{}/", below(&entry.path).escape_ascii()));
            }
            Event::Pass(entry) => {
                check(&entry);
                depth += 1;
                lines.push(format!("{}/ …", below(&entry.path).escape_ascii()));
            }
            Event::Beside(entry) => {
                check(&entry);
                lines.push(format!("beside {}/", below(&entry.path).escape_ascii()));
            }
            Event::Gone { name } => lines.push(format!("gone {}", name.escape_ascii())),
            Event::Leave => depth -= 1,
            Event::Leaf(entry) => {
                check(&entry);
                lines.push(below(&entry.path).escape_ascii().to_string());
            }
            Event::Unreadable { path, problem, .. } => {
                assert_eq!(path, problem.path);
                let kind = match problem.kind {
                    ProblemKind::Vanished => "vanished",
                    ProblemKind::Unreadable => "unreadable",
                    ProblemKind::ChangedWhileRead => "changed",
                    other => panic!("a walk has no reason for {other:?}"),
                };
                lines.push(format!("!{kind} {}", below(&path).escape_ascii()));
            }
            Event::Problem(problem) => {
                lines.push(format!("?{} {}", below(&problem.path).escape_ascii(), problem.detail));
            }
        }
    }
    assert_eq!(depth, 0, "every folder is left");
    assert!(walk.next().is_none(), "nothing comes after the end");
    lines
}

/// The lines of a whole walk and how many entries it left out.
fn listed(options: WalkOptions) -> (Vec<String>, u64) {
    let root = options.root.clone();
    let mut walk = walk(options);
    let lines = lines(&mut walk, &root);
    (lines, walk.excluded())
}

/// The entry at `path`, by walking it alone.
fn entry(path: &Path) -> Entry {
    match walk(options(path)).next() {
        Some(Event::Leaf(entry) | Event::Enter(entry)) => entry,
        other => panic!("{other:?} is no entry"),
    }
}

/// Runs `test` where permission bits and owners count, also when the tests run as root.
fn unprivileged(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let mut sets = capabilities(None).expect("what this thread may do");
            let privileges = CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH | CapabilitySet::FOWNER;
            sets.effective.remove(privileges);
            set_capabilities(None, sets).expect("a thread may give up what it may do");
            test();
        });
        thread.join().expect("the test itself");
    });
}

/// Says why a test did not look at something.
#[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
