//! Questions about what is stored: snapshots, folders, the versions of a file.

use std::path::{Path, PathBuf};

use super::lineage::{KnownSnapshot, decode};
use super::order::newest_first;
use super::{Marks, Repo, numbers};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::record::Time;
use crate::format::snapshot::Snapshot;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::index::IndexReader;
use crate::paths;
use crate::snapshot::TreeWalk;

/// One snapshot, for people.
#[derive(Debug, Clone)]
pub struct SnapshotInfo {
    /// Its id.
    pub id: SnapshotId,
    /// When it was finished.
    pub time: Time,
    /// Offset of local time from UTC then, in seconds.
    pub zone_offset: i32,
    /// Name of the machine that made it.
    pub machine: String,
    /// Name of the user who did.
    pub user: String,
    /// Its sources.
    pub roots: Vec<RootInfo>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The note on it; empty for none.
    pub note: String,
    /// Whether it is pinned: no rule forgets it.
    pub is_pinned: bool,
    /// Whether not everything was reached: what was not is as the snapshot before has it, or not there yet.
    pub is_partial: bool,
    /// Whether only what somebody chose was read.
    pub is_chosen: bool,
    /// The configured destinations on which it is committed.
    pub destinations: Vec<String>,
}

/// One source in a snapshot, for people.
#[derive(Debug, Clone)]
pub struct RootInfo {
    /// Its path.
    pub path: PathBuf,
    /// Whether this snapshot read it; otherwise it is carried from an older one.
    pub read: bool,
    /// Regular files.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Entries with a problem.
    pub problems: u64,
}

/// One entry of a listing.
#[derive(Debug, Clone)]
pub struct LsEntry {
    /// Absolute path as bytes.
    pub path: Vec<u8>,
    /// What it is, as one letter of `ls`: `-`, `d`, `l`, `p`, `s`, `c`, `b`.
    pub kind: char,
    /// Permission bits.
    pub mode: u32,
    /// Owner number.
    pub uid: u32,
    /// Owner name, where there was one.
    pub user: Option<String>,
    /// Group number.
    pub gid: u32,
    /// Group name, where there was one.
    pub group: Option<String>,
    /// Bytes of content.
    pub size: u64,
    /// When its content was last changed.
    pub mtime: Time,
    /// Where a link leads.
    pub link_target: Option<Vec<u8>>,
    /// The number of its content; 0 for folders.
    pub version: u32,
    /// What is not as usual: `carried`, `unread`, `unsettled`.
    pub flags: Vec<&'static str>,
}

impl LsEntry {
    pub(super) fn new(path: Vec<u8>, node: Node) -> Self {
        let size = node.size();
        let named = [(Flags::CARRIED, "carried"), (Flags::UNREAD, "unread"), (Flags::UNSETTLED, "unsettled")];
        let (kind, link_target) = match node.kind {
            NodeKind::File(_) => ('-', None),
            NodeKind::Folder(_) => ('d', None),
            NodeKind::Symlink(target) => ('l', Some(target)),
            NodeKind::Fifo => ('p', None),
            NodeKind::Socket => ('s', None),
            NodeKind::CharDevice(..) => ('c', None),
            NodeKind::BlockDevice(..) => ('b', None),
        };
        Self {
            path,
            kind,
            mode: node.metadata.mode,
            uid: node.metadata.uid,
            user: node.metadata.user,
            gid: node.metadata.gid,
            group: node.metadata.group,
            size,
            mtime: node.metadata.mtime,
            link_target,
            version: node.version,
            flags: named.iter().filter(|(flag, _)| node.flags.contains(*flag)).map(|(_, name)| *name).collect(),
        }
    }
}

impl Repo {
    /// Every snapshot that is on some destination and was not forgotten, newest first.
    pub(crate) fn known_snapshots(&self, view: &IndexReader) -> Result<Vec<KnownSnapshot>, Error> {
        let marks = self.marks(view)?;
        self.committed(view, |id, snapshot| !snapshot.is_history() && marks.forgotten(id).is_none())
    }

    /// The same: those of the own line, and those of others. Where this machine has no line all are its own.
    pub(crate) fn known_by_line(&self, view: &IndexReader) -> Result<(Vec<KnownSnapshot>, Vec<KnownSnapshot>), Error> {
        let line = self.own_line(view)?;
        Ok(self.known_snapshots(view)?.into_iter().partition(|known| line.has(&known.snapshot)))
    }

    /// Every history that is on some destination, newest first.
    pub(crate) fn known_histories(&self, view: &IndexReader) -> Result<Vec<KnownSnapshot>, Error> {
        let marks = self.marks(view)?;
        self.committed(view, |id, snapshot| snapshot.is_history() && marks.forgotten(id).is_none())
    }

    /// What is committed on some destination and wanted, newest first.
    pub(crate) fn committed(
        &self,
        view: &IndexReader,
        is_wanted: impl Fn(&SnapshotId, &Snapshot) -> bool,
    ) -> Result<Vec<KnownSnapshot>, Error> {
        let mut all = Vec::new();
        view.each_snapshot(|id, row| -> Result<(), Error> {
            if row.committed != 0 {
                let snapshot = decode(&id, &row.record)?;
                if is_wanted(&id, &snapshot) {
                    all.push(KnownSnapshot { id, snapshot, committed: row.committed, whole: row.whole });
                }
            }
            Ok(())
        })?;
        Ok(newest_first(all))
    }

    /// Every snapshot, newest first.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn snapshots(&self) -> Result<Vec<SnapshotInfo>, Error> {
        let view = self.index.reader()?;
        let marks = self.marks(&view)?;
        Ok(self.known_snapshots(&view)?.into_iter().map(|known| self.describe(&view, known, &marks)).collect())
    }

    fn describe(&self, view: &IndexReader, known: KnownSnapshot, marks: &Marks) -> SnapshotInfo {
        let tags = marks.tags(&known.id, &known.snapshot);
        let decision = marks.get(&known.id);
        let names = self.settings.destinations.iter().filter_map(|(name, _)| {
            let id = self.destination_id(name).ok().flatten()?;
            let bit = view.destination_bit(&id).ok().flatten()?;
            (known.committed & bit != 0).then(|| name.clone())
        });
        SnapshotInfo {
            id: known.id,
            is_partial: known.snapshot.is_partial(),
            is_chosen: known.snapshot.flags & Snapshot::CHOSEN != 0,
            time: known.snapshot.finished,
            zone_offset: known.snapshot.zone_offset,
            machine: known.snapshot.machine,
            user: known.snapshot.user,
            roots: known
                .snapshot
                .roots
                .into_iter()
                .map(|root| RootInfo {
                    path: paths::from_bytes(&root.path),
                    read: root.carried_from.is_none(),
                    files: root.counts.files,
                    bytes: root.counts.bytes,
                    problems: root.counts.problems,
                })
                .collect(),
            tags,
            note: decision.map(|decision| decision.note.clone()).unwrap_or_default(),
            is_pinned: decision.is_some_and(|decision| decision.is_pinned),
            destinations: names.collect(),
        }
    }

    /// The snapshot a text names: an id or its first digits, `latest`, `latest~N`. The latest is that of the own line, and
    /// of all where that has none.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Usage`] where several begin so.
    pub fn resolve_snapshot(&self, text: &str) -> Result<SnapshotInfo, Error> {
        let view = self.index.reader()?;
        let known = self.resolve(&view, text)?;
        let marks = self.marks(&view)?;
        Ok(self.describe(&view, known, &marks))
    }

    pub(crate) fn resolve(&self, view: &IndexReader, text: &str) -> Result<KnownSnapshot, Error> {
        let (own, others) = self.known_by_line(view)?;
        let not_found = |what: String| Error::NotFound { what };
        let back = match text.strip_prefix("latest") {
            Some("") => Some(0),
            Some(rest) => match rest.strip_prefix('~').and_then(|number| number.parse::<usize>().ok()) {
                Some(number) => Some(number),
                None => return Err(Error::Usage(format!("`{text}` is not a snapshot: write latest or latest~2"))),
            },
            None => None,
        };
        if let Some(back) = back {
            let line = if own.is_empty() { others } else { own };
            let count = line.len();
            let found = line.into_iter().nth(back);
            return found.ok_or_else(|| not_found(format!("snapshot `{text}`: there are {count} snapshots")));
        }
        let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err(Error::Usage(format!(
                "`{text}` is not a snapshot: give the first digits of its id, or latest"
            )));
        }
        let prefix = text.to_ascii_lowercase();
        let mut matching = own.into_iter().chain(others).filter(|known| known.id.to_string().starts_with(&prefix));
        match (matching.next(), matching.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(Error::Usage(format!("several snapshots begin with `{text}`; give more digits"))),
            (None, _) => Err(not_found(format!("snapshot `{text}`"))),
        }
    }

    /// Gives the entries of a snapshot: its sources, or what is in the folder at `path`, which may be a file.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Read`].
    pub fn list_folder(
        &self,
        snapshot: &SnapshotId,
        path: Option<&Path>,
        is_recursive: bool,
        each: &mut dyn FnMut(LsEntry),
    ) -> Result<(), Error> {
        let view = self.index.reader()?;
        let fetcher = self.fetcher(&view);
        let row = view.snapshot(snapshot)?;
        let row = row.ok_or_else(|| Error::NotFound { what: format!("snapshot {snapshot}") })?;
        let snapshot = decode(snapshot, &row.record)?;
        let starts: Vec<(Vec<u8>, Node)> = match path {
            None => snapshot.roots.iter().map(|root| (root.path.clone(), root.node.clone())).collect(),
            Some(path) => {
                let bytes = paths::to_bytes(path);
                match numbers::node_at(&fetcher, &snapshot, bytes)? {
                    Some((_, node)) => vec![(bytes.to_vec(), node)],
                    None => return Err(Error::NotFound { what: format!("{} in this snapshot", path.display()) }),
                }
            }
        };
        for (base, node) in starts {
            let folder = match &node.kind {
                NodeKind::Folder(recipe) if path.is_some() || is_recursive => Some(recipe.clone()),
                _ => None,
            };
            if path.is_none() || folder.is_none() {
                each(LsEntry::new(base.clone(), node));
            }
            let Some(recipe) = folder else { continue };
            let mut walk = TreeWalk::new(&fetcher, &recipe);
            while let Some((below, node)) = walk.next() {
                each(LsEntry::new(absolute(&base, &below), node?));
                if !is_recursive {
                    walk.skip_folder();
                }
            }
        }
        Ok(())
    }
}

/// The absolute path of something below a source.
pub(crate) fn absolute(base: &[u8], below: &[u8]) -> Vec<u8> {
    match (base.last(), below) {
        (_, []) => base.to_vec(),
        (Some(b'/'), below) => [base, below].concat(),
        _ => [base, b"/", below].concat(),
    }
}

impl Repo {
    /// The node a snapshot has at an absolute path.
    pub(crate) fn node_at(
        &self,
        source: &dyn crate::snapshot::ChunkSource,
        snapshot: &crate::format::snapshot::Snapshot,
        path: &[u8],
    ) -> Result<Option<Node>, Error> {
        Ok(numbers::node_at(source, snapshot, path)?.map(|(_, node)| node))
    }
}
