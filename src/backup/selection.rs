//! Which of the new and changed files a run reads. What it leaves is in its snapshot as the last one has it, marked
//! `carried`, or not yet.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::smart::Ranking;
use crate::format::snapshot::Snapshot;
use crate::format::tree::Node;
use crate::paths;
use crate::source::Entry;

/// What is read.
#[derive(Debug)]
pub(super) enum Selection {
    /// The important files.
    Ranked(Ranking),
    /// The files of a list.
    Listed(FileList),
}

impl Selection {
    /// Whether a file that is new or changed is read.
    pub fn takes(&self, entry: &Entry, previous: Option<&Node>) -> bool {
        match self {
            Self::Ranked(ranking) => ranking.takes(entry, previous),
            Self::Listed(list) => list.covers(&entry.path),
        }
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
