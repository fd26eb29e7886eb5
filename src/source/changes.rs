//! What is known to have changed in a source since it was last walked, so that a walk goes only there.
//!
//! Whoever watched a source from one walk to the next knows every path that changed. Such a walk lists the folders in
//! which something changed, passes through those above them, and looks into no other.

use std::collections::BTreeMap;

use super::rules::{GIT_IGNORE_FILE, IGNORE_FILE};
use super::walk::CACHE_TAG;

/// So many names are remembered at most; where more changed, everything is looked at.
const NAMES_MAX: usize = 100_000;

/// Whether a file of this name can leave out what is in its folder and below.
pub(crate) fn leaves_out(name: &[u8]) -> bool {
    [IGNORE_FILE, GIT_IGNORE_FILE, CACHE_TAG].contains(&name)
}

/// The paths of a source at which something may be another than when it was last walked. Everything else is as it was.
///
/// Too much costs time, too little loses changes. So the path of whatever was written, made, removed or moved is told, of
/// what was moved both paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    root: Part,
    names: usize,
}

/// What of a path is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// The folder is listed, and each name in it looked at; the folders among them are entered only where they differ, or
    /// are among those below.
    pub is_listed: bool,
    /// Everything below is looked at.
    pub is_whole: bool,
    /// The names in the folder that something is known of.
    pub below: BTreeMap<Vec<u8>, Part>,
}

impl Changes {
    /// Anything may have changed.
    pub fn everything() -> Self {
        let root = Part { is_listed: true, is_whole: true, below: BTreeMap::new() };
        Self { root, names: 0 }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether anything may have changed.
    pub fn is_everything(&self) -> bool {
        self.root.is_whole
    }

    /// The content or the metadata of what is at a path changed, or a file came or went there. The path is relative to the
    /// source; the empty one is the source itself.
    pub fn touch(&mut self, path: &[u8]) {
        self.note(path, false);
    }

    /// What is at a path and everything below it may be another: it was made, moved or replaced.
    pub fn renew(&mut self, path: &[u8]) {
        self.note(path, true);
    }

    fn note(&mut self, path: &[u8], mut is_whole: bool) {
        let mut components: Vec<&[u8]> = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).collect();
        if components.last().is_some_and(|name| leaves_out(name)) {
            // What is left out below its folder may be another.
            components.pop();
            is_whole = true;
        }
        let last = components.len();
        let mut part = &mut self.root;
        for (position, name) in components.into_iter().enumerate() {
            if part.is_whole {
                return;
            }
            // The names in the folder may be others.
            part.is_listed |= position + 1 == last;
            if !part.below.contains_key(name) {
                self.names += 1;
            }
            part = part.below.entry(name.to_vec()).or_default();
        }
        part.is_listed = true;
        part.is_whole |= is_whole;
        if part.is_whole {
            part.below.clear();
        }
        if self.names > NAMES_MAX {
            *self = Self::everything();
        }
    }

    /// Adds what others know.
    pub fn add(&mut self, other: Self) {
        self.root.add(other.root);
        self.names += other.names;
        if self.names > NAMES_MAX {
            *self = Self::everything();
        }
    }

    pub(super) fn into_root(self) -> Part {
        self.root
    }
}

impl Part {
    fn add(&mut self, other: Self) {
        self.is_listed |= other.is_listed;
        self.is_whole |= other.is_whole;
        if self.is_whole {
            self.below.clear();
            return;
        }
        for (name, part) in other.below {
            self.below.entry(name).or_default().add(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(touched: &[&str], renewed: &[&str]) -> Changes {
        let mut changes = Changes::default();
        touched.iter().for_each(|path| changes.touch(path.as_bytes()));
        renewed.iter().for_each(|path| changes.renew(path.as_bytes()));
        changes
    }

    fn part<'a>(changes: &'a Changes, path: &[&str]) -> &'a Part {
        path.iter().fold(&changes.root, |part, name| &part.below[name.as_bytes()])
    }

    #[test]
    fn the_folder_of_a_path_is_listed_and_those_above_are_passed() {
        let changes = told(&["a/b/f"], &[]);
        assert!(!changes.root.is_listed && !part(&changes, &["a"]).is_listed);
        assert!(part(&changes, &["a", "b"]).is_listed && !part(&changes, &["a", "b"]).is_whole);
        assert!(told(&["f"], &[]).root.is_listed);
        assert!(told(&[""], &[]).root.is_listed && !told(&[""], &[]).is_everything());
    }

    #[test]
    fn below_what_is_whole_nothing_is_remembered() {
        let changes = told(&["a/b/f", "a/c/g"], &["a"]);
        assert!(part(&changes, &["a"]).is_whole && part(&changes, &["a"]).below.is_empty());
        let mut later = changes.clone();
        later.touch(b"a/b/f");
        assert_eq!(later, changes);
        assert!(told(&["a"], &[""]).is_everything());
    }

    #[test]
    fn rules_concern_everything_below_their_folder() {
        for name in [".cryptbackupignore", "CACHEDIR.TAG"] {
            let changes = told(&[&format!("a/b/{name}")], &[]);
            assert!(part(&changes, &["a", "b"]).is_whole && !part(&changes, &["a"]).is_whole);
            assert!(told(&[name], &[]).is_everything());
        }
    }

    #[test]
    fn what_two_know_is_what_one_would() {
        let mut sum = told(&["a/f", "b/g/h"], &["c"]);
        sum.add(told(&["a/g", "c/d/e"], &["b"]));
        let whole = told(&["a/f", "a/g", "b/g/h"], &["c", "b"]);
        assert_eq!(sum.root, whole.root);
        sum.add(Changes::everything());
        assert!(sum.is_everything());
    }

    #[test]
    fn more_than_can_be_remembered_is_everything() {
        let mut changes = Changes::default();
        (0..=NAMES_MAX).for_each(|number| changes.touch(format!("folder/{number}").as_bytes()));
        assert!(changes.is_everything() && !changes.is_empty());
        assert!(Changes::default().is_empty());
    }
}
