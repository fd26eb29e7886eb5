//! What histories hold, as a listing: files that no snapshot has any more, version by version.

use std::collections::BTreeSet;
use std::path::Path;

use super::query::{LsEntry, absolute};
use super::{KnownSnapshot, Repo};
use crate::error::Error;
use crate::format::history::Place;
use crate::format::tree::{Metadata, Node};
use crate::index::IndexReader;
use crate::paths;
use crate::snapshot::{ChunkSource, ReadError, find_node, history, path_hash};

impl Repo {
    /// Gives what histories hold in a folder: of each file every version, each as an entry with its number. Without a path,
    /// the sources they tell of.
    ///
    /// ```
    /// use cryptbackup::error::Error;
    /// use cryptbackup::repo::{Access, Home, Repo};
    /// use cryptbackup::report::Silent;
    ///
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = set_up()?;
    /// let home = Home::at(folder.path().join("state"));
    /// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
    /// let documents = folder.path().join("documents");
    /// let mut versions = 0;
    /// match repo.list_history(Some(&documents), true, &mut |_| versions += 1) {
    ///     Err(Error::NotFound { .. }) => println!("no snapshot was let go yet: all versions are in snapshots"),
    ///     result => result?,
    /// }
    /// assert_eq!(versions, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] where no history tells of the path, [`Error::Read`].
    pub fn list_history(
        &self,
        path: Option<&Path>,
        is_recursive: bool,
        each: &mut dyn FnMut(LsEntry),
    ) -> Result<(), Error> {
        let view = self.index.reader()?;
        let fetcher = self.fetcher(&view);
        let mut is_found = false;
        for known in self.known_histories(&view)? {
            for root in &known.snapshot.roots {
                let below = match path {
                    Some(path) => paths::below(&root.path, paths::to_bytes(path)),
                    None => Some(Vec::new()),
                };
                let Some(components) = below else { continue };
                if path.is_none() && !is_recursive {
                    is_found = true;
                    each(folder(root.path.clone(), &root.node));
                    continue;
                }
                let names: Vec<Vec<u8>> = components.iter().map(|name| Place::Folder(name).node_name()).collect();
                let way: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
                let base = components.iter().fold(root.path.clone(), |base, name| absolute(&base, name));
                if let Some(kept) = history::versions(&fetcher, &root.node, &components)? {
                    is_found |= !kept.versions.is_empty();
                    kept.versions.into_iter().for_each(|version| each(LsEntry::new(base.clone(), version.node)));
                }
                let Some(node) = find_node(&fetcher, &root.node, &way)? else { continue };
                is_found = true;
                list_below(&fetcher, &base, &node, is_recursive, each)?;
            }
        }
        let shown = path.map_or_else(String::new, |path| format!("{} in ", path.display()));
        if is_found { Ok(()) } else { Err(Error::NotFound { what: format!("{shown}any history") }) }
    }
}

impl Repo {
    /// Gives each file of a source that no snapshot has any more and a history still does, with its newest node.
    pub(crate) fn each_in_history_only(
        &self,
        view: &IndexReader,
        source: &dyn ChunkSource,
        path: &[u8],
        known: &[KnownSnapshot],
        each: &mut dyn FnMut(&[u8], &Node),
    ) -> Result<(), Error> {
        let mut roots: Vec<&Node> = Vec::new();
        for root in known.iter().filter_map(|known| known.snapshot.root(path)) {
            if roots.iter().all(|known| known.kind != root.node.kind) {
                roots.push(&root.node);
            }
        }
        let histories = self.known_histories(view)?;
        // Where several histories tell of a path, the newest does.
        let mut told = BTreeSet::new();
        let mut failed = None;
        for root in histories.iter().filter_map(|known| known.snapshot.root(path)) {
            history::each_kept(source, &root.node, &mut |below, kept| {
                // What is still in a snapshot was given already; only what was seen to be deleted can be in none.
                let Some(newest) = kept.versions.last().filter(|version| version.seen.is_deleted_after) else { return };
                let components: Vec<&[u8]> = below.split(|&byte| byte == b'/').collect();
                match is_file_in(source, &roots, &components) {
                    Ok(true) => {}
                    Ok(false) if histories.len() > 1 && !told.insert(path_hash(path, below)) => {}
                    Ok(false) => each(below, &newest.node),
                    Err(error) => {
                        failed.get_or_insert(error);
                    }
                }
            })?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}

fn is_file_in(source: &dyn ChunkSource, roots: &[&Node], components: &[&[u8]]) -> Result<bool, ReadError> {
    for root in roots {
        if find_node(source, root, components)?.is_some_and(|node| node.folder().is_none()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn list_below(
    source: &dyn ChunkSource,
    base: &[u8],
    node: &Node,
    is_recursive: bool,
    each: &mut dyn FnMut(LsEntry),
) -> Result<(), Error> {
    let mut last: Vec<u8> = Vec::new();
    history::each_kept(source, node, &mut |below, kept| {
        let Some(end) = below.iter().position(|&byte| byte == b'/').filter(|_| !is_recursive) else {
            kept.versions.into_iter().for_each(|version| each(LsEntry::new(absolute(base, below), version.node)));
            return;
        };
        if !kept.versions.is_empty() && last != below[..end] {
            last = below[..end].to_vec();
            each(folder(absolute(base, &last), node));
        }
    })?;
    Ok(())
}

/// A folder of which a history knows nothing but its name.
fn folder(path: Vec<u8>, node: &Node) -> LsEntry {
    LsEntry::new(path, Node { metadata: Metadata::default(), ..node.clone() })
}
