//! `find`: every path that any snapshot or history has and that is looked for, each once, with its versions.

use super::pattern::PathPattern;
use super::source_paths;
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::record::Time;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::paths;
use crate::repo::{KnownSnapshot, Repo, absolute};
use crate::snapshot::{HeldNode, ReadError, StateWalk, history};

/// What is looked for. What is not said matches everything.
#[derive(Debug, Clone, Default)]
pub struct FindRequest {
    /// Globs, of which one has to match: those without a slash names, those with one whole paths. A plain word has to be in
    /// the path.
    pub patterns: Vec<String>,
    /// Whether `A` and `a` are the same.
    pub ignores_case: bool,
    /// What it is.
    pub kind: Option<EntryKind>,
    /// The least and the most bytes of a file.
    pub bytes_min: Option<u64>,
    /// See `bytes_min`.
    pub bytes_max: Option<u64>,
    /// Modified then or later.
    pub modified_from: Option<Time>,
    /// Modified then or before.
    pub modified_until: Option<Time>,
    /// At or below this absolute path, as bytes.
    pub below: Option<Vec<u8>>,
    /// In this snapshot alone: an id or its first digits, `latest`, `latest~N`.
    pub snapshot: Option<String>,
    /// Whether it has to be gone from the newest snapshot of its source.
    pub is_deleted: bool,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket or a device.
    Other,
}

impl EntryKind {
    /// What a node is.
    pub fn of(node: &Node) -> Self {
        match node.kind {
            NodeKind::File(_) => Self::File,
            NodeKind::Folder(_) => Self::Folder,
            NodeKind::Symlink(_) => Self::Symlink,
            _ => Self::Other,
        }
    }
}

/// A path that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Absolute, as bytes.
    pub path: Vec<u8>,
    /// What it is, or was when it was seen last.
    pub kind: EntryKind,
    /// Whether the newest snapshot of its source lacks it.
    pub is_deleted: bool,
    /// Its versions that match, the newest first; of a folder one.
    pub versions: Vec<FoundVersion>,
}

/// A version of what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundVersion {
    /// Its number; 0 of a folder.
    pub number: u32,
    /// Bytes of a file.
    pub size: u64,
    /// When its content was last changed.
    pub mtime: Time,
    /// When it was first seen, as far as that is known.
    pub first_seen: Time,
    /// When it was last seen.
    pub last_seen: Time,
    /// The newest snapshot that holds it, or the history that does.
    pub snapshot: SnapshotId,
    /// Whether only a history holds it.
    pub in_history: bool,
}

/// Gives every path that is looked for, source by source in the order of their names.
///
/// ```
/// use cryptbackup::explore::{self, FindRequest};
/// use cryptbackup::repo::{Access, Home, Repo};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("state"));
/// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
/// let request = FindRequest { patterns: vec!["*.txt".to_owned()], ..FindRequest::default() };
/// let mut paths = Vec::new();
/// explore::find(&repo, &request, &mut |found| {
///     println!("{}: {} versions", String::from_utf8_lossy(&found.path), found.versions.len());
///     paths.push(found.path);
/// })?;
/// assert!(paths.len() == 1 && paths[0].ends_with(b"documents/report.txt"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Usage`] for a pattern that is none, [`Error::NotFound`] for a snapshot that is not there. [`Error::Read`] where
/// something could not be read; everything else was given by then.
pub fn find(repo: &Repo, request: &FindRequest, each: &mut dyn FnMut(Found)) -> Result<(), Error> {
    let wanted = Wanted::new(request)?;
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher(&view);
    let known = match &request.snapshot {
        Some(name) => vec![repo.resolve(&view, name)?],
        None => repo.known_snapshots(&view)?,
    };
    let histories = if request.snapshot.is_some() { Vec::new() } else { repo.known_histories(&view)? };
    let mut failed = None;
    for source in source_paths(known.iter().chain(&histories)) {
        if !wanted.may_be_in(source) {
            continue;
        }
        let states: Vec<&KnownSnapshot> = known.iter().filter(|known| known.snapshot.root(source).is_some()).collect();
        let roots = states.iter().filter_map(|known| Some(known.snapshot.root(source)?.node.clone()));
        let mut walk = StateWalk::new(repo.budget, &fetcher, roots);
        for (below, held) in walk.by_ref() {
            let path = absolute(source, &below);
            if wanted.is_path(&path) {
                let mut found = Seen::of(&states, held);
                for known in &histories {
                    failed = failed.or(found.add_history(&fetcher, known, source, &path).err().map(Error::from));
                }
                found.choose(&wanted, path).into_iter().for_each(&mut *each);
            }
        }
        failed = failed.or(walk.finish().err().map(Error::from));
        if request.snapshot.is_none() {
            let only = repo.each_in_history_only(&view, &fetcher, source, &known, &mut |below, _| {
                let path = absolute(source, below);
                if wanted.is_path(&path) {
                    let mut found = Seen::default();
                    for known in &histories {
                        let added = found.add_history(&fetcher, known, source, &path);
                        failed = failed.take().or(added.err().map(Error::from));
                    }
                    found.choose(&wanted, path).into_iter().for_each(&mut *each);
                }
            });
            failed = failed.or(only.err());
        }
    }
    failed.map_or(Ok(()), Err)
}

/// What a request wants, ready to be asked.
struct Wanted<'r> {
    request: &'r FindRequest,
    patterns: Vec<PathPattern>,
}

impl<'r> Wanted<'r> {
    fn new(request: &'r FindRequest) -> Result<Self, Error> {
        let pattern = |pattern: &String| PathPattern::new(pattern, request.ignores_case);
        Ok(Self { request, patterns: request.patterns.iter().map(pattern).collect::<Result<_, _>>()? })
    }

    /// Whether anything of a source can be at or below where is looked.
    fn may_be_in(&self, source: &[u8]) -> bool {
        let below = self.request.below.as_deref();
        below.is_none_or(|below| paths::below(source, below).is_some() || paths::below(below, source).is_some())
    }

    fn is_path(&self, path: &[u8]) -> bool {
        if self.request.below.as_deref().is_some_and(|below| paths::below(below, path).is_none()) {
            return false;
        }
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.is_match(path))
    }

    fn is_node(&self, node: &Node) -> bool {
        let FindRequest { kind, bytes_min, bytes_max, modified_from, modified_until, .. } = self.request;
        let asks_size = bytes_min.is_some() || bytes_max.is_some();
        kind.is_none_or(|kind| kind == EntryKind::of(node))
            && (!asks_size || matches!(node.kind, NodeKind::File(_)))
            && bytes_min.is_none_or(|least| node.size() >= least)
            && bytes_max.is_none_or(|most| node.size() <= most)
            && modified_from.is_none_or(|from| node.metadata.mtime >= from)
            && modified_until.is_none_or(|until| node.metadata.mtime <= until)
    }
}

/// What was seen at one path.
#[derive(Default)]
struct Seen {
    is_current: bool,
    versions: Vec<(FoundVersion, Node)>,
}

impl Seen {
    /// What snapshots tell, the newest first.
    fn of(states: &[&KnownSnapshot], held: Vec<HeldNode>) -> Self {
        let mut seen = Self { is_current: held.iter().any(|held| held.first() == 0), versions: Vec::new() };
        for held in held.into_iter().filter(|held| !held.node.flags.contains(Flags::UNREAD)) {
            let (Some(newest), Some(oldest)) = (states.get(held.first()), states.get(held.last())) else { continue };
            let first = oldest.snapshot.finished;
            let first_seen = held.node.since().filter(|since| *since < oldest.snapshot.started).unwrap_or(first);
            seen.add(newest.id, false, held.node, first_seen, newest.snapshot.finished);
        }
        seen
    }

    /// What a history tells besides.
    fn add_history(
        &mut self,
        source: &dyn crate::snapshot::ChunkSource,
        known: &KnownSnapshot,
        root: &[u8],
        path: &[u8],
    ) -> Result<(), ReadError> {
        let Some(root) = known.snapshot.root(root) else { return Ok(()) };
        let Some(components) = paths::below(&root.path, path) else { return Ok(()) };
        let Some(kept) = history::versions(source, &root.node, &components)? else { return Ok(()) };
        for version in kept.versions {
            self.add(known.id, true, version.node, version.seen.first, version.seen.last);
        }
        Ok(())
    }

    /// Adds what was seen. What differs in metadata alone is the same version, and the newest stands for it.
    fn add(&mut self, snapshot: SnapshotId, in_history: bool, node: Node, first_seen: Time, last_seen: Time) {
        let same = |(version, other): &&mut (FoundVersion, Node)| {
            version.number == node.version && EntryKind::of(other) == EntryKind::of(&node) && other.same_content(&node)
        };
        if let Some((version, _)) = self.versions.iter_mut().find(same) {
            version.first_seen = version.first_seen.min(first_seen);
            version.last_seen = version.last_seen.max(last_seen);
            return;
        }
        let (number, size, mtime) = (node.version, node.size(), node.metadata.mtime);
        self.versions.push((FoundVersion { number, size, mtime, first_seen, last_seen, snapshot, in_history }, node));
    }

    /// The versions that are wanted, if there are any.
    fn choose(mut self, wanted: &Wanted<'_>, path: Vec<u8>) -> Option<Found> {
        let is_deleted = !self.is_current;
        if wanted.request.is_deleted && !is_deleted {
            return None;
        }
        self.versions.retain(|(_, node)| wanted.is_node(node));
        self.versions.sort_by_key(|(version, _)| std::cmp::Reverse((version.last_seen, version.number)));
        let kind = EntryKind::of(&self.versions.first()?.1);
        let versions = self.versions.into_iter().map(|(version, _)| version).collect();
        Some(Found { path, kind, is_deleted, versions })
    }
}
