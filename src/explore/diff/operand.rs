//! What can be compared, and how two such are paired.

use std::path::{Path, PathBuf};

use super::DiffRequest;
use super::sides::Side;
use crate::error::Error;
use crate::format::tree::Node;
use crate::index::IndexReader;
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::settings::SourceSettings;
use crate::repo::{KnownSnapshot, Repo, numbered};
use crate::source::Walk;

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// A snapshot (an id or its first digits, `latest`, `latest~N`), and an absolute path in it. Without one: all its
    /// sources, or where the other side is.
    Snapshot(String, Option<PathBuf>),
    /// A version of a file, by its absolute path and its number.
    Version(PathBuf, u32),
    /// A file or folder of this machine, by its absolute path.
    Live(PathBuf),
}

/// Two sides to be read beside each other.
pub(super) struct Pair<'a> {
    pub before: Based<'a>,
    pub after: Based<'a>,
}

/// A side, and the absolute path its paths are below.
pub(super) struct Based<'a> {
    pub base: Vec<u8>,
    pub side: Side<'a>,
}

/// Pairs what the request names.
pub(super) fn pairs<'a>(
    repo: &Repo,
    view: &IndexReader,
    fetcher: &'a Fetcher<'a>,
    request: &DiffRequest,
) -> Result<Vec<Pair<'a>>, Error> {
    let resolver = Resolver { repo, view, fetcher };
    match (&request.before, &request.after) {
        (Operand::Live(_), Operand::Live(_)) => {
            Err(Error::Usage("two folders of this machine are compared by other programs; give a snapshot".to_owned()))
        }
        (Operand::Snapshot(before, None), Operand::Snapshot(after, None)) => resolver.whole(before, after),
        (before, after) => {
            let one =
                Pair { before: resolver.one(before, path_of(after))?, after: resolver.one(after, path_of(before))? };
            Ok(vec![one])
        }
    }
}

fn path_of(operand: &Operand) -> Option<&Path> {
    match operand {
        Operand::Snapshot(_, path) => path.as_deref(),
        Operand::Version(path, _) | Operand::Live(path) => Some(path),
    }
}

struct Resolver<'r, 'a> {
    repo: &'r Repo,
    view: &'r IndexReader,
    fetcher: &'a Fetcher<'a>,
}

impl<'a> Resolver<'_, 'a> {
    /// The sources of two snapshots, by their paths. A source that only one has is compared with nothing.
    fn whole(&self, before: &str, after: &str) -> Result<Vec<Pair<'a>>, Error> {
        let before = self.repo.resolve(self.view, before)?.snapshot;
        let after = self.repo.resolve(self.view, after)?.snapshot;
        let mut bases: Vec<&[u8]> = before.roots.iter().chain(&after.roots).map(|root| root.path.as_slice()).collect();
        bases.sort_unstable();
        bases.dedup();
        let side = |root: Option<&crate::format::snapshot::Root>, base: &[u8]| Based {
            base: base.to_vec(),
            side: root.map_or_else(Side::nothing, |root| Side::stored(self.fetcher, root.node.clone())),
        };
        let pair = |base: &[u8]| Pair { before: side(before.root(base), base), after: side(after.root(base), base) };
        Ok(bases.into_iter().map(pair).collect())
    }

    fn one(&self, operand: &Operand, other: Option<&Path>) -> Result<Based<'a>, Error> {
        match operand {
            Operand::Snapshot(name, path) => {
                let known = self.repo.resolve(self.view, name)?;
                let path = path.as_deref().or(other).unwrap_or(Path::new("/"));
                let node = self.node(&known, path)?;
                Ok(self.stored(path, node))
            }
            Operand::Version(path, number) => {
                let versions = self.repo.versions_with_nodes(self.view, self.fetcher, path)?;
                Ok(self.stored(path, numbered(path, &versions, *number)?.1.clone()))
            }
            Operand::Live(path) => {
                let walk = Walk::new(self.repo.walk_options(&self.rules_for(path)))?;
                Ok(Based { base: paths::to_bytes(path).to_vec(), side: Side::live(walk) })
            }
        }
    }

    fn stored(&self, path: &Path, node: Node) -> Based<'a> {
        Based { base: paths::to_bytes(path).to_vec(), side: Side::stored(self.fetcher, node) }
    }

    fn node(&self, known: &KnownSnapshot, path: &Path) -> Result<Node, Error> {
        let found = self.repo.node_at(self.fetcher, &known.snapshot, paths::to_bytes(path))?;
        found.ok_or_else(|| Error::NotFound { what: format!("{} in snapshot {}", path.display(), known.id.short()) })
    }

    /// A path is walked by the rules of the source it is in, so that what backups leave out is not told as new. Below a
    /// source, patterns with a slash mean another place, and are left out.
    fn rules_for(&self, path: &Path) -> SourceSettings {
        let sources = self.repo.settings().sources.iter().filter(|source| path.starts_with(&source.path));
        let nearest = sources.max_by_key(|source| source.path.components().count());
        let mut source = nearest.cloned().unwrap_or_else(|| SourceSettings::new(path));
        if source.path != path {
            source.exclude.retain(|pattern| !pattern.trim_end_matches('/').contains('/'));
        }
        SourceSettings { path: path.to_owned(), ..source }
    }
}
