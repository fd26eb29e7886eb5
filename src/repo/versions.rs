//! The versions of one file: what snapshots and histories tell of it, put together.

use std::path::Path;

use super::lineage::KnownSnapshot;
use super::{Repo, numbers};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::record::Time;
use crate::format::tree::{Flags, Node};
use crate::index::IndexReader;
use crate::paths;
use crate::snapshot::{ChunkSource, ReadError, history};

/// One version of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionInfo {
    /// Its number.
    pub number: u32,
    /// When it was first seen: the time of the oldest snapshot that held it, as far as that is known.
    pub first_seen: Time,
    /// Time of the newest.
    pub last_seen: Time,
    /// The newest snapshot that holds it, or the history that does.
    pub snapshot: SnapshotId,
    /// Bytes.
    pub size: u64,
    /// When its content was last changed, by the file system.
    pub mtime: Time,
    /// Whether the file was gone in the snapshot after.
    pub deleted_after: bool,
    /// Whether it is in the newest snapshot of the own line, or of all where that line has no snapshot of the source.
    pub current: bool,
    /// Whether no snapshot holds it any more, only a history.
    pub in_history: bool,
    /// Whether it is of the own line of snapshots; where this machine has none, each is.
    pub is_own: bool,
    /// The machine that stored it.
    pub machine: String,
}

impl Repo {
    /// Every version of a file that any snapshot or history tells of, oldest number first.
    ///
    /// # Errors
    /// [`Error::NotFound`] where nothing has it, [`Error::Usage`] for a folder, [`Error::Read`].
    pub fn versions(&self, file: &Path) -> Result<Vec<VersionInfo>, Error> {
        let view = self.index.reader()?;
        let fetcher = self.fetcher(&view);
        let found = self.versions_with_nodes(&view, &fetcher, file)?;
        Ok(found.into_iter().map(|(version, _)| version).collect())
    }

    /// The same, each with its node as the newest that holds it has it.
    pub(crate) fn versions_with_nodes(
        &self,
        view: &IndexReader,
        source: &dyn ChunkSource,
        file: &Path,
    ) -> Result<Vec<(VersionInfo, Node)>, Error> {
        let path = paths::to_bytes(file);
        let mut found: Vec<(VersionInfo, Node)> = Vec::new();
        let mut is_folder = false;
        // The same trees give the same answer; most snapshots differ elsewhere.
        let mut last: Option<(Vec<Node>, Option<Node>)> = None;
        let line = self.own_line(view)?;
        let (own, others) = self.known_by_line(view)?;
        let mut is_own_begun = false;
        // The own line has the last word.
        for known in others.iter().rev().chain(own.iter().rev()) {
            let roots = relevant_roots(known, path);
            if roots.is_empty() {
                continue;
            }
            let node = match &last {
                Some((same, node)) if *same == roots => node.clone(),
                _ => numbers::node_at(source, &known.snapshot, path)?.map(|(_, node)| node),
            };
            last = Some((roots, node.clone()));
            let is_own = line.has(&known.snapshot);
            if is_own && !std::mem::replace(&mut is_own_begun, true) {
                found.iter_mut().for_each(|(version, _)| version.current = false);
            }
            is_folder |= node.as_ref().is_some_and(|node| node.folder().is_some());
            let node = node.filter(|node| node.folder().is_none() && !node.flags.contains(Flags::UNREAD));
            match node {
                Some(node) => note_version(&mut found, known, node, is_own),
                None => mark_deleted(&mut found),
            }
        }
        for known in self.known_histories(view)? {
            note_history(&mut found, source, &known, path, line.has(&known.snapshot))?;
        }
        if found.is_empty() {
            let path = file.display();
            return Err(match is_folder {
                true => Error::Usage(format!(
                    "{path} is a folder, and versions are kept of files: list it with `ls latest:{path}`, restore it with \
                     `restore --directory {path}`"
                )),
                false => Error::NotFound { what: format!("{path} in any snapshot") },
            });
        }
        found.sort_by_key(|(version, _)| (version.number, version.is_own, version.last_seen));
        Ok(found)
    }
}

/// The version with a number among those of a file.
///
/// # Errors
/// [`Error::NotFound`], which tells the numbers there are.
pub(crate) fn numbered<'v>(
    file: &Path,
    versions: &'v [(VersionInfo, Node)],
    number: u32,
) -> Result<&'v (VersionInfo, Node), Error> {
    // The same number twice means two lines of snapshots; this machine's own comes last.
    versions.iter().rev().find(|(version, _)| version.number == number).ok_or_else(|| {
        let numbers: Vec<String> = versions.iter().map(|(version, _)| version.number.to_string()).collect();
        let what = format!("version {number} of {}; there are {}", file.display(), numbers.join(", "));
        Error::NotFound { what }
    })
}

/// Adds what a history holds of a path and no snapshot does.
fn note_history(
    found: &mut Vec<(VersionInfo, Node)>,
    source: &dyn ChunkSource,
    known: &KnownSnapshot,
    path: &[u8],
    is_own: bool,
) -> Result<(), ReadError> {
    for root in &known.snapshot.roots {
        let Some(components) = paths::below(&root.path, path).filter(|components| !components.is_empty()) else {
            continue;
        };
        let Some(kept) = history::versions(source, &root.node, &components)? else { continue };
        for version in kept.versions {
            let (number, seen, node) = (version.number, version.seen, version.node);
            let first_seen = node.since().map_or(seen.first, |since| since.min(seen.first));
            let same = found.iter_mut().find(|(other, held)| other.number == number && held.same_content(&node));
            if let Some((other, _)) = same {
                other.first_seen = other.first_seen.min(first_seen);
                other.last_seen = other.last_seen.max(seen.last);
                other.is_own |= is_own;
                continue;
            }
            let version = VersionInfo {
                number,
                first_seen,
                last_seen: seen.last,
                snapshot: known.id,
                size: node.size(),
                mtime: node.metadata.mtime,
                deleted_after: seen.is_deleted_after,
                current: false,
                in_history: true,
                is_own,
                machine: seen.machine,
            };
            found.push((version, node));
        }
    }
    Ok(())
}

fn relevant_roots(known: &KnownSnapshot, path: &[u8]) -> Vec<Node> {
    let roots = known.snapshot.roots.iter();
    roots.filter(|root| paths::below(&root.path, path).is_some()).map(|root| root.node.clone()).collect()
}

fn note_version(found: &mut Vec<(VersionInfo, Node)>, known: &KnownSnapshot, node: Node, is_own: bool) {
    let is_same = |version: &VersionInfo, other: &Node| version.number == node.version && other.same_content(&node);
    if is_own {
        // When others had the same does not say when this line did.
        found.retain(|(version, other)| version.is_own || !is_same(version, other));
    }
    for (version, _) in found.iter_mut() {
        version.current = false;
    }
    let time = known.snapshot.finished;
    // Where older snapshots of the version are gone, the node still says since when it is known.
    let first_seen = node.since().filter(|since| *since < known.snapshot.started).unwrap_or(time);
    if let Some((version, other)) = found.iter_mut().find(|(version, other)| is_same(version, other)) {
        version.last_seen = time;
        version.snapshot = known.id;
        version.mtime = node.metadata.mtime;
        version.deleted_after = false;
        version.current = true;
        *other = node;
        return;
    }
    let version = VersionInfo {
        number: node.version,
        first_seen,
        last_seen: time,
        snapshot: known.id,
        size: node.size(),
        mtime: node.metadata.mtime,
        deleted_after: false,
        current: true,
        in_history: false,
        is_own,
        machine: known.snapshot.machine.clone(),
    };
    found.push((version, node));
}

fn mark_deleted(found: &mut [(VersionInfo, Node)]) {
    for (version, _) in found.iter_mut().filter(|(version, _)| version.current) {
        version.current = false;
        version.deleted_after = true;
    }
}
