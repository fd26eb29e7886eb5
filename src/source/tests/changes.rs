//! Where a walk goes that is told what changed.

use std::fs;
use std::path::Path;

use super::{folder, lines, listed, options, plant, walk};
use crate::source::{Changes, Event, WalkOptions};

fn told(root: &Path, touched: &[&str], renewed: &[&str]) -> WalkOptions {
    let mut changes = Changes::default();
    touched.iter().for_each(|path| changes.touch(path.as_bytes()));
    renewed.iter().for_each(|path| changes.renew(path.as_bytes()));
    WalkOptions { changes: Some(changes), ..options(root) }
}

#[test]
fn only_folders_of_changes_are_listed() {
    let root = folder();
    plant(root.path(), &["a/b/f", "a/b/g", "a/b/d/x", "a/c/y", "e/z", "h"]);
    assert_eq!(listed(told(root.path(), &[], &[])).0, ["/ …"]);
    assert_eq!(
        listed(told(root.path(), &["a/b/f"], &[])).0,
        ["/ …", "a/ …", "a/b/", "beside a/b/d/", "a/b/f", "a/b/g"]
    );
    assert_eq!(listed(told(root.path(), &[], &["a/b/d"])).0[2..], ["a/b/", "a/b/d/", "a/b/d/x", "a/b/f", "a/b/g"]);
    assert_eq!(listed(told(root.path(), &["h"], &[])).0, ["/", "beside a/", "beside e/", "h"]);
    let everything = WalkOptions { changes: Some(Changes::everything()), ..options(root.path()) };
    assert_eq!(listed(everything), listed(options(root.path())));
}

#[test]
fn what_is_beside_is_entered_when_asked_for() {
    let root = folder();
    plant(root.path(), &["a/b/f", "h"]);
    let mut walk = walk(told(root.path(), &["h"], &[]));
    assert!(matches!(walk.next(), Some(Event::Enter(_))));
    assert!(matches!(walk.next(), Some(Event::Beside(_))));
    assert!(matches!(walk.descend(), Some(Event::Enter(entry)) if entry.name == b"a"));
    assert_eq!(walk.descend(), None, "once");
    assert!(matches!(walk.next(), Some(Event::Enter(entry)) if entry.name == b"b"), "and with everything in it");
}

#[test]
fn what_is_not_there_any_more_is_gone() {
    let root = folder();
    plant(root.path(), &["a/f"]);
    assert_eq!(listed(told(root.path(), &["a/b/c/f", "d/e"], &[])).0, ["/ …", "a/ …", "gone b", "gone d"]);
    let mut walk = walk(told(root.path(), &["a/f"], &[]));
    fs::remove_dir_all(root.path().join("a")).expect("removed");
    assert_eq!(lines(&mut walk, root.path()), ["/ …", "gone a"]);
}

#[test]
fn rules_hold_in_folders_that_are_passed() {
    let root = folder();
    plant(root.path(), &["a/b/f.tmp", "a/b/g", "c/d/e", "k/x/y"]);
    fs::write(root.path().join(".cryptbackupignore"), "*.tmp\n/c/d\n").expect("rules");
    fs::write(root.path().join("k/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55").expect("a tag");
    let options = told(root.path(), &["a/b/f.tmp", "c/d/e", "k/x/y"], &[]);
    let options = WalkOptions { exclude_caches: true, ..options };
    assert_eq!(listed(options).0, ["/ …", "a/ …", "a/b/", "a/b/g", "c/ …", "k/ …"]);
}
