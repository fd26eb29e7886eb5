//! Which of the new and changed files a run reads. What it leaves is in its snapshot as the last one has it, marked
//! `carried`, or not yet.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::smart::Ranking;
use crate::format::snapshot::Snapshot;
use crate::format::tree::Node;
use crate::paths;
use crate::repo::settings::SourceSettings;
use crate::report::{Problem, ProblemKind};
use crate::source::Entry;

/// What is read.
#[derive(Debug)]
pub(super) enum Selection {
    /// The important files.
    Ranked(Ranking),
    /// The files of a list.
    Listed(Listed),
}

impl Selection {
    /// Whether a file that is new or changed is read.
    pub fn takes(&self, entry: &Entry, previous: Option<&Node>) -> bool {
        match self {
            Self::Ranked(ranking) => ranking.takes(entry, previous),
            Self::Listed(listed) => listed.files.covers(&entry.path),
        }
    }

    /// Says that a path was met.
    pub fn met(&self, path: &Path) {
        if let Self::Listed(listed) = self
            && listed.files.0.contains(path)
        {
            listed.met().insert(path.to_owned());
        }
    }

    /// What stands in the list in one of these sources, is not there or was not met, and why, by path. What something else
    /// was said of already is left out.
    pub fn missing(&self, sources: &[SourceSettings], told: &[Problem]) -> Vec<Problem> {
        let Self::Listed(listed) = self else { return Vec::new() };
        let told: HashSet<&Path> = told.iter().map(|problem| problem.path.as_path()).collect();
        let met = listed.met();
        // A folder around a source stands for the source.
        let is_within = |path: &&Path| sources.iter().any(|source| path.starts_with(&source.path));
        let missing = listed.files.paths().filter(|path| {
            let is_told = path.ancestors().any(|path| told.contains(path));
            !is_told && !met.contains(*path) && (is_within(path) || is_gone(path))
        });
        let mut missing: Vec<Problem> = missing.map(missed).collect();
        missing.sort_by(|left, right| left.path.cmp(&right.path));
        missing
    }

    /// Whether files were left for later because the time was up.
    pub fn is_cut_short(&self) -> bool {
        match self {
            Self::Ranked(ranking) => ranking.is_cut_short(),
            Self::Listed(_) => false,
        }
    }

    /// What the snapshot says of it. A later one stands for what is done on the way to it, and for nothing that somebody
    /// asked for by name.
    pub fn flag(&self) -> u32 {
        match self {
            Self::Ranked(_) => Snapshot::PARTIAL,
            Self::Listed(_) => Snapshot::CHOSEN,
        }
    }
}

/// A list, and which of its paths were met.
#[derive(Debug)]
pub(super) struct Listed {
    files: FileList,
    met: Mutex<HashSet<PathBuf>>,
}

impl Listed {
    /// Nothing of it was met yet.
    pub fn new(files: FileList) -> Self {
        Self { files, met: Mutex::default() }
    }

    fn met(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        // A thread that panicked while it held the lock left a set that is still right.
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_gone(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn missed(path: &Path) -> Problem {
    let (kind, detail) = if is_gone(path) {
        (ProblemKind::Vanished, "it is in the list of files and is not there")
    } else {
        (
            ProblemKind::Unreadable,
            "it is in the list of files and was left out, by a rule or because it is behind a link",
        )
    };
    Problem { path: path.to_owned(), kind, detail: detail.to_owned() }
}

/// Files and folders to read, by their absolute paths. A folder stands for everything in it. Takes the memory of its paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileList(Arc<HashSet<PathBuf>>);

impl FileList {
    /// The paths in the text of a list, as they are: each ends with a NUL where there is any, else with its line.
    pub fn split(text: &[u8]) -> impl Iterator<Item = PathBuf> {
        let end = if text.contains(&0) { 0 } else { b'\n' };
        text.split(move |byte| *byte == end).filter(|path| !path.is_empty()).map(paths::from_bytes)
    }

    /// Whether a path is in it, or in one of its folders.
    pub fn covers(&self, path: &Path) -> bool {
        path.ancestors().any(|path| self.0.contains(path))
    }

    /// Whether there is anything of a source in it.
    pub(super) fn concerns(&self, source: &Path) -> bool {
        self.covers(source) || self.0.iter().any(|path| path.starts_with(source))
    }

    /// Its paths, in no order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }
}

impl FromIterator<PathBuf> for FileList {
    fn from_iter<I: IntoIterator<Item = PathBuf>>(paths: I) -> Self {
        Self(Arc::new(paths.into_iter().collect()))
    }
}
