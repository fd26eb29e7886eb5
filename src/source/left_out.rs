//! What the rules of a source leave out, asked for single paths: for who deletes, since no backup would bring it back.

use std::path::{Path, PathBuf};

use super::rules::{GIT_IGNORE_FILE, IGNORE_FILE, Rules};
use super::system::{self, Folder};
use super::walk::{CACHE_TAG, is_cache, is_left_out, rules_of};
use super::{EntryKind, Excludes, SourceError, WalkOptions};

/// The rules of one source. They are asked folder by folder, and those of a folder stay what they were when it was
/// entered, until a path that is not in it is asked for.
#[derive(Debug)]
pub struct LeftOut {
    options: WalkOptions,
    excludes: Excludes,
    /// The folders from the source to the one that was entered last, outermost first.
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    path: PathBuf,
    rules: Vec<Rules>,
    is_cache: bool,
    is_left_out: bool,
}

impl LeftOut {
    /// The rules by which this would be walked, for paths below `root`, which is another way to the root of the walk.
    ///
    /// # Errors
    /// [`SourceError::BadPattern`].
    pub fn new(mut options: WalkOptions, root: PathBuf) -> Result<Self, SourceError> {
        let excludes = Excludes::new(&options.excludes, &options.root)?;
        options.root = root;
        Ok(Self { options, excludes, levels: Vec::new() })
    }

    /// Reads the rules of a folder and of those around it, unless that was done.
    pub fn enter(&mut self, folder: &Path) {
        while self.levels.pop_if(|level| !folder.starts_with(&level.path)).is_some() {}
        let Ok(below) = folder.strip_prefix(&self.options.root) else { return };
        let mut path = self.options.root.clone();
        if self.levels.is_empty() {
            self.push(path.clone());
        }
        for name in below {
            path.push(name);
            if self.levels.last().is_some_and(|level| !level.path.starts_with(&path)) {
                self.push(path.clone());
            }
        }
    }

    fn push(&mut self, path: PathBuf) {
        let is_root = self.levels.is_empty();
        let is_left_out = !is_root && self.leaves_out(&path, true, 0);
        let mut level = Level { path, rules: Vec::new(), is_cache: false, is_left_out };
        if let Ok(folder) = Folder::open(&level.path) {
            level.is_cache = self.options.exclude_caches && !is_root && is_cache(&folder);
            let files = [IGNORE_FILE].into_iter().chain(self.options.git_ignore.then_some(GIT_IGNORE_FILE));
            level.rules = files.filter_map(|file| rules_of(&folder, file)?.0).collect();
        }
        self.levels.push(level);
    }

    /// Whether an entry is left out, itself or with a folder it is in. What is not in the source is not.
    pub fn holds(&mut self, path: &Path) -> bool {
        let Some(folder) = path.parent() else { return false };
        self.enter(folder);
        if self.levels.is_empty() {
            return false;
        }
        // What says what is left out stays with it: without it the next restore would not know.
        if self.is_rule_file(path) {
            return true;
        }
        match system::look_at(path) {
            Ok((EntryKind::File, stat)) => self.leaves_out(path, false, stat.size),
            Ok((kind, _)) => self.leaves_out(path, kind == EntryKind::Folder, 0),
            Err(_) => self.leaves_out(path, false, 0),
        }
    }

    fn is_rule_file(&self, path: &Path) -> bool {
        let asked = [(IGNORE_FILE, true), (GIT_IGNORE_FILE, self.options.git_ignore)];
        let asked = asked.into_iter().chain([(CACHE_TAG, self.options.exclude_caches)]);
        asked.into_iter().any(|(name, is_asked)| is_asked && path.file_name() == Some(system::component(name)))
    }

    /// Whether an entry of the innermost folder is left out; the size is that of a file.
    fn leaves_out(&self, path: &Path, is_folder: bool, size: u64) -> bool {
        let is_tag = || path.file_name() == Some(system::component(CACHE_TAG));
        let is_in_one = self.levels.last().is_some_and(|level| level.is_left_out || level.is_cache && !is_tag());
        let levels = self.levels.iter().map(|level| (level.path.as_os_str().len(), level.rules.as_slice()));
        is_in_one
            || self.options.bytes_max.is_some_and(|most| size > most)
            || is_left_out(levels, &self.excludes, path, is_folder)
    }
}
