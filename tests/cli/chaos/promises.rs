//! What was acknowledged, and whether it can be had: every snapshot that a command reported or listed, from every
//! destination that was named with it.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::support::{Ended, World};

/// What is at a path: its content, its mode, and when it was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    content: Option<[u8; 32]>,
    mode: u32,
    changed: Option<SystemTime>,
}

/// Everything below a folder.
pub type Tree = BTreeMap<String, Seen>;

/// What is below a folder now.
pub fn tree(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.expect("listed");
        let path = entry.path().strip_prefix(folder).expect("below it").display().to_string();
        let metadata = entry.metadata().expect("looked at");
        let content = metadata.is_file().then(|| *blake3::hash(&std::fs::read(entry.path()).expect("read")).as_bytes());
        tree.insert(path, Seen { content, mode: metadata.permissions().mode(), changed: metadata.modified().ok() });
    }
    tree
}

/// A snapshot that was acknowledged.
#[derive(Debug, Clone)]
pub struct Promise {
    /// What it must restore to.
    pub tree: Tree,
    /// The destinations that said they have it.
    pub on: BTreeSet<String>,
}

/// All that was acknowledged.
#[derive(Debug, Default)]
pub struct Promises {
    /// By the id of the snapshot.
    pub by_id: BTreeMap<String, Promise>,
    newest: Option<String>,
}

impl Promises {
    /// Takes what a backup of `tree` reported.
    pub fn reported(&mut self, summary: &Value, tree: &Tree) {
        let id = summary["snapshot_id"].as_str().expect("a snapshot");
        let outcomes = summary["destinations"].as_array().expect("a list").iter();
        let on = outcomes.filter(|outcome| outcome["committed"] == true).map(|outcome| text(&outcome["name"]));
        self.promise(id, on.collect(), tree);
        self.newest = Some(id.to_owned());
    }

    /// Takes what `snapshots` lists. One that was not known is of `tree`; those that are known must all be there.
    pub fn listed(&mut self, listed: &Value, tree: &Tree) {
        let listed = listed.as_array().expect("a list");
        for snapshot in listed {
            let on = snapshot["destinations"].as_array().expect("a list").iter().map(text).collect();
            self.promise(snapshot["id"].as_str().expect("an id"), on, tree);
        }
        for id in self.by_id.keys() {
            assert!(listed.iter().any(|snapshot| snapshot["id"] == **id), "{id} was acknowledged and is not listed");
        }
    }

    fn promise(&mut self, id: &str, on: BTreeSet<String>, tree: &Tree) {
        let promise = Promise { tree: tree.clone(), on: BTreeSet::new() };
        self.by_id.entry(id.to_owned()).or_insert(promise).on.extend(on);
    }

    /// What a cleaning leaves of them: those that are listed, which are as many as it is to keep.
    pub fn cleaned(&mut self, listed: &Value, kept: usize) {
        let ids: Vec<String> =
            listed.as_array().expect("a list").iter().map(|snapshot| text(&snapshot["id"])).collect();
        assert!(ids.len() >= kept.min(self.by_id.len()), "only {ids:?} are left");
        let newest = self.newest.iter().find(|id| !ids.contains(id));
        assert_eq!(newest, None, "the newest one is gone");
        self.by_id.retain(|id, _| ids.contains(id));
    }

    /// Restores one from one destination alone, the others being away.
    pub fn restore(&self, world: &World, id: &str, from: &str, all: &[&str]) {
        let away: Vec<&&str> = all.iter().filter(|name| **name != from).collect();
        away.iter().for_each(|name| world.rename(name, &format!("{name} away")));
        let ended = restored(world, id);
        away.iter().for_each(|name| world.rename(&format!("{name} away"), name));
        ended.expect_code(0);
        assert_same(&self.by_id[id].tree, &tree(&world.path("back").join(below_root(world))));
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

fn below_root(world: &World) -> std::path::PathBuf {
    world.path("docs").strip_prefix("/").expect("absolute").to_owned()
}

fn restored(world: &World, id: &str) -> Ended {
    let _ = std::fs::remove_dir_all(world.path("back"));
    world.run(&format!("restore -q --snapshot {id} --destination back"))
}

/// Fails with the first entry that is not the same.
pub fn assert_same(expected: &Tree, found: &Tree) {
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for path in paths {
        assert_eq!(found.get(path), expected.get(path), "{path:?}, restored and as it was");
    }
}
