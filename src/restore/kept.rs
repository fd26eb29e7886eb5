//! What the rules of the sources leave out stays where a restore deletes: no snapshot holds it.

use std::path::{Path, PathBuf};

use super::PlannedItem;
use super::guard::resolved;
use crate::error::Error;
use crate::repo::Repo;
use crate::source::{LeftOut, WalkOptions};

/// How the sources are walked that a target is in, or that are in it.
pub(super) fn rules_at(repo: &Repo, target: &Path) -> Vec<WalkOptions> {
    let target = resolved(target);
    let sources = repo.settings.sources.iter().filter(|source| {
        let path = resolved(&source.path);
        !source.stdin && (target.starts_with(&path) || path.starts_with(&target))
    });
    sources.map(|source| repo.walk_options(source)).collect()
}

/// What stays at and below one target.
pub(super) struct Kept {
    target: PathBuf,
    /// The target with the links in it followed, as the sources see it.
    real: PathBuf,
    rules: Vec<LeftOut>,
}

impl Kept {
    pub fn new(item: &PlannedItem) -> Result<Self, Error> {
        let (target, real) = (item.target.clone(), resolved(&item.target));
        let rules = item.rules.iter().map(|options| LeftOut::new(options.clone(), resolved(&options.root)));
        Ok(Self { target, real, rules: rules.collect::<Result<_, _>>()? })
    }

    fn real(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.target).map_or_else(|_| path.to_owned(), |below| self.real.join(below))
    }

    /// Takes the rules of a folder as they are now, before anything in it is restored.
    pub fn enter(&mut self, folder: &Path) {
        let folder = self.real(folder);
        self.rules.iter_mut().for_each(|rules| rules.enter(&folder));
    }

    /// Whether some source leaves it out.
    pub fn holds(&mut self, path: &Path) -> bool {
        let path = self.real(path);
        self.rules.iter_mut().any(|rules| rules.holds(&path))
    }
}
