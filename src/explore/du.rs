//! `du`: what takes the space, by folder, by kind of file, or by snapshot.
//!
//! Chunks are stored once, however many files need them, so there are two answers: what something needs, and what only it
//! needs, which is what would come back without it. Each chunk counts with its share of the block it is stored in. Trees,
//! directories and padding are not counted; the sum of all packs is in `status`.
//!
//! A chunk and who needs it is a record; records are sorted by chunk on disk, so memory does not grow with the repository.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::source_paths;
use crate::error::Error;
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::tree::{Flags, Node, NodeKind};
use crate::index::IndexReader;
use crate::paths;
use crate::repo::{KnownSnapshot, Repo, absolute};
use crate::report::Monitor;
use crate::snapshot::{HeldNode, ReadError, StateWalk, each_chunk};
use crate::source::Excludes;
use crate::spill::{Record, Sorter};

/// By what space is told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DuBy {
    /// By folders so many levels below where is looked; 0 is that itself.
    Folder(usize),
    /// By the endings of names.
    Type,
    /// By the snapshots that alone hold something.
    Snapshot,
    /// By whether patterns, set for its source, leave something out.
    Pattern {
        /// The patterns.
        patterns: Vec<String>,
        /// Only in these sources; in all where there is none.
        sources: Vec<PathBuf>,
    },
}

/// What is looked at.
#[derive(Debug, Clone)]
pub struct DuRequest {
    /// By what.
    pub by: DuBy,
    /// At or below this absolute path, as bytes.
    pub below: Option<Vec<u8>>,
    /// In this snapshot alone: an id or its first digits, `latest`, `latest~N`.
    pub snapshot: Option<String>,
}

/// Who takes space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A folder, or a file, by its absolute path as bytes.
    Path(Vec<u8>),
    /// Files whose names end so, without the dot, in lower case; empty for those without an ending.
    Type(String),
    /// A snapshot, by its id; what several hold has none.
    Snapshot(Option<crate::format::id::SnapshotId>),
    /// What patterns leave out, or do not.
    Pattern(bool),
}

/// What one of them takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Who.
    pub owner: Owner,
    /// Files, each distinct content of a path once.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Stored bytes that it needs.
    pub bytes_needed: u64,
    /// Of those, stored bytes that nothing else needs.
    pub bytes_alone: u64,
}

/// Somebody who is not looked at.
const ELSEWHERE: u32 = u32::MAX;

/// A chunk, and who needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    id: ChunkId,
    owner: u32,
}

impl Record for Need {
    fn memory(&self) -> usize {
        size_of::<Self>()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.id.write(out)?;
        self.owner.write(out)
    }

    fn read(input: &mut impl Read) -> io::Result<Self> {
        Ok(Self { id: ChunkId::read(input)?, owner: u32::read(input)? })
    }
}

/// Counts. The largest come first.
///
/// ```
/// use cryptbackup::explore::{self, DuBy, DuRequest, Owner};
/// use cryptbackup::repo::{Access, Home, Repo};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("state"));
/// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
/// let request = DuRequest { by: DuBy::Type, below: None, snapshot: None };
/// let usage = explore::du(&repo, &request, &Silent)?;
/// for row in &usage {
///     println!("{:?}: {} files, {} bytes stored for it", row.owner, row.files, row.bytes_needed);
/// }
/// assert_eq!(usage[0].owner, Owner::Type("txt".to_owned()));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::NotFound`] for a snapshot that is not there, and for a path that none has; [`Error::Interrupted`];
/// [`Error::Read`] where something could not be read: then no sum would be right.
pub fn du(repo: &Repo, request: &DuRequest, monitor: &dyn Monitor) -> Result<Vec<Usage>, Error> {
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher(&view);
    let known = match &request.snapshot {
        Some(name) => vec![repo.resolve(&view, name)?],
        None => repo.known_snapshots(&view)?,
    };
    let mut owners = Owners { request, excludes: None, by_owner: BTreeMap::new(), usage: Vec::new() };
    let is_at_or_below = |path: &[u8]| request.below.as_ref().is_none_or(|below| paths::below(below, path).is_some());
    let mut is_found = request.below.is_none();
    let mut needs: Sorter<Need> = Sorter::new(&repo.scratch_folder()?, repo.budget.ids_bytes());
    for source in source_paths(&known) {
        if let DuBy::Pattern { patterns, sources } = &request.by {
            let root = paths::from_bytes(source);
            let is_meant = sources.is_empty() || sources.contains(&root);
            owners.excludes = if is_meant { Some(Excludes::new(patterns, &root)?) } else { None };
        }
        let states: Vec<&KnownSnapshot> = known.iter().filter(|known| known.snapshot.root(source).is_some()).collect();
        let roots = states.iter().filter_map(|known| Some(known.snapshot.root(source)?.node.clone()));
        is_found |= is_at_or_below(source);
        let mut walk = StateWalk::new(repo.budget, &fetcher, roots);
        for (below, held) in walk.by_ref() {
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            let path = absolute(source, &below);
            is_found = is_found || is_at_or_below(&path);
            for one in held {
                let NodeKind::File(recipe) = &one.node.kind else { continue };
                if one.node.flags.contains(Flags::UNREAD) {
                    continue;
                }
                // What is needed elsewhere too is not needed by something alone.
                let owner = owners.of(&path, &below, &one, &states).unwrap_or(ELSEWHERE);
                owners.count(owner, &one.node);
                each_chunk::<Error>(&fetcher, ChunkKind::Data, recipe, &mut |kind, id, _| match kind {
                    ChunkKind::Data => Ok(needs.push(Need { id: *id, owner })?),
                    ChunkKind::Tree => Ok(()),
                })?;
            }
        }
        walk.finish()?;
    }
    if let Some(below) = request.below.as_ref().filter(|_| !is_found) {
        let path = paths::from_bytes(below);
        let what = match &request.snapshot {
            Some(_) => format!("{} in this snapshot", path.display()),
            None => format!("{} in any snapshot", path.display()),
        };
        return Err(Error::NotFound { what });
    }
    owners.share(&view, needs)?;
    let mut usage = owners.usage;
    usage.sort_by(|left, right| {
        (right.bytes_needed, right.bytes, &left.owner).cmp(&(left.bytes_needed, left.bytes, &right.owner))
    });
    Ok(usage)
}

struct Owners<'r> {
    request: &'r DuRequest,
    /// The patterns, set for the source that is looked at.
    excludes: Option<Excludes>,
    by_owner: BTreeMap<Owner, u32>,
    usage: Vec<Usage>,
}

impl Owners<'_> {
    /// Whose a file is; none where it is not looked at.
    fn of(&mut self, path: &[u8], in_source: &[u8], held: &HeldNode, states: &[&KnownSnapshot]) -> Option<u32> {
        let below = self.request.below.as_deref();
        let components = paths::below(below.unwrap_or(b"/"), path)?;
        let owner = match &self.request.by {
            DuBy::Folder(depth) => {
                let folders = components.len().saturating_sub(1).min(*depth);
                let base = below.unwrap_or(b"/").to_vec();
                let way = components.iter().take(if components.is_empty() { 0 } else { folders });
                Owner::Path(way.fold(base, |base, name| absolute(&base, name)))
            }
            DuBy::Type => {
                let path = paths::from_bytes(path);
                let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
                Owner::Type(ending.unwrap_or_default())
            }
            DuBy::Snapshot => Owner::Snapshot(match held.states() {
                1 => states.get(held.first()).map(|known| known.id),
                _ => None,
            }),
            DuBy::Pattern { .. } => {
                let path = paths::from_bytes(in_source);
                Owner::Pattern(self.excludes.as_ref().is_some_and(|excludes| excludes.leaves_out(&path)))
            }
        };
        if let Some(known) = self.by_owner.get(&owner) {
            return Some(*known);
        }
        let number = u32::try_from(self.usage.len()).ok()?;
        self.by_owner.insert(owner.clone(), number);
        self.usage.push(Usage { owner, files: 0, bytes: 0, bytes_needed: 0, bytes_alone: 0 });
        Some(number)
    }

    fn count(&mut self, owner: u32, node: &Node) {
        if let Some(usage) = self.usage.get_mut(owner as usize) {
            usage.files += 1;
            usage.bytes = usage.bytes.saturating_add(node.size());
        }
    }

    /// Gives each chunk's stored bytes to everybody who needs it.
    fn share(&mut self, view: &IndexReader, needs: Sorter<Need>) -> Result<(), Error> {
        let mut group: Vec<Need> = Vec::new();
        for need in needs.finish()? {
            let need = need?;
            if group.first().is_some_and(|first| first.id != need.id) {
                self.give(view, &std::mem::take(&mut group))?;
            }
            group.push(need);
        }
        self.give(view, &group)
    }

    fn give(&mut self, view: &IndexReader, group: &[Need]) -> Result<(), Error> {
        let Some(first) = group.first() else { return Ok(()) };
        let stored = stored_bytes(view, &first.id)?;
        for need in group {
            if let Some(usage) = self.usage.get_mut(need.owner as usize) {
                usage.bytes_needed += stored;
                usage.bytes_alone += if group.len() == 1 { stored } else { 0 };
            }
        }
        Ok(())
    }
}

/// A chunk's share of the block it is stored in.
fn stored_bytes(view: &IndexReader, id: &ChunkId) -> Result<u64, Error> {
    let Some(place) = view.places(id)?.into_iter().next() else {
        return Err(ReadError::Missing { id: *id }.into());
    };
    let block = view.block(place.pack, place.block)?;
    Ok(u64::from(place.len) * u64::from(block.sealed_len) / u64::from(block.raw_len.max(1)))
}
