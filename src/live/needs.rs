//! Every chunk that some snapshots need, without remembering which folders were seen.
//!
//! Folders are read by level, the roots first. What one level finds below it is sorted, and what is equal falls together;
//! so a folder that a hundred snapshots share is read once a level. The same goes for recipes of files that are too
//! long to stand in their nodes.

use std::path::{Path, PathBuf};

use super::{LiveError, LiveSet};
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::recipe::{Part, Recipe};
use crate::format::record;
use crate::format::tree::{Node, NodeKind};
use crate::memory::Budget;
use crate::report::Monitor;
use crate::snapshot::{ChunkSource, ReadError, TreeReader, each_chunk, each_need};
use crate::spill::{Encoded, Merge, Record, Sorter};

/// Recipes of one level that are put into the order in which they are read fastest.
const WINDOW: usize = 2 << 20;

/// Collects roots, then what they need.
pub struct Needs {
    folder: PathBuf,
    ids: Sorter<ChunkId>,
    level: Sorter<Encoded>,
}

/// What has to be read to know what it needs.
#[derive(serde::Serialize, serde::Deserialize)]
enum Wanted {
    Folder(Recipe),
    File(Recipe),
}

impl Needs {
    /// Nothing is needed yet. What does not fit into memory goes into files in `folder`, which must be there.
    pub fn new(folder: &Path, budget: Budget) -> Self {
        Self::with_budgets(folder, budget.ids_bytes(), budget.records_bytes())
    }

    pub(super) fn with_budgets(folder: &Path, ids: usize, recipes: usize) -> Self {
        Self { folder: folder.to_owned(), ids: Sorter::new(folder, ids), level: Sorter::new(folder, recipes) }
    }

    /// Everything below this node is needed: the root of a source in a snapshot, or of a history.
    ///
    /// # Errors
    /// [`LiveError::Spill`].
    pub fn add_root(&mut self, root: Node) -> Result<(), LiveError> {
        take(root.kind, &mut self.ids, &mut self.level)
    }

    /// Reads the trees and gives what was found.
    ///
    /// # Errors
    /// [`LiveError`]; after [`LiveError::Read`] nothing is known.
    pub fn finish(self, source: &dyn ChunkSource, monitor: &dyn Monitor) -> Result<LiveSet, LiveError> {
        let Self { folder, mut ids, mut level } = self;
        while !level.is_empty() {
            let mut next = Sorter::new(&folder, level.budget());
            let mut sorted = level.finish()?;
            loop {
                let window = window(source, &mut sorted)?;
                if window.is_empty() {
                    break;
                }
                for (_, encoded) in window {
                    if monitor.should_stop() {
                        return Err(LiveError::Interrupted);
                    }
                    look_into(source, decode(&encoded)?, &mut ids, &mut next)?;
                }
            }
            level = next;
        }
        LiveSet::new(ids, &folder)
    }
}

fn encode(wanted: &Wanted) -> Result<Encoded, LiveError> {
    let bytes = record::encode("recipe", wanted).map_err(ReadError::from)?;
    Ok(Encoded(bytes.into_boxed_slice()))
}

fn decode(encoded: &Encoded) -> Result<Wanted, LiveError> {
    Ok(record::decode("recipe", &encoded.0).map_err(ReadError::from)?)
}

/// The next recipes of a level, in the order in which they are read fastest: sorted as they are, their chunks would lie
/// all over the packs.
fn window(source: &dyn ChunkSource, sorted: &mut Merge<Encoded>) -> Result<Vec<(u64, Encoded)>, LiveError> {
    let mut window = Vec::new();
    let mut used = 0;
    for encoded in sorted {
        let encoded = encoded?;
        let (Wanted::Folder(recipe) | Wanted::File(recipe)) = decode(&encoded)?;
        let order = match recipe.parts.first() {
            Some(Part::Chunk { id, .. }) => source.reading_order(id)?,
            _ => 0,
        };
        used += encoded.memory();
        window.push((order, encoded));
        if used >= WINDOW {
            break;
        }
    }
    window.sort_unstable();
    Ok(window)
}

fn look_into(
    source: &dyn ChunkSource,
    wanted: Wanted,
    ids: &mut Sorter<ChunkId>,
    next: &mut Sorter<Encoded>,
) -> Result<(), LiveError> {
    match wanted {
        Wanted::File(recipe) => {
            each_chunk(source, ChunkKind::Data, &recipe, &mut |_, id, _| -> Result<(), LiveError> {
                Ok(ids.push(*id)?)
            })
        }
        Wanted::Folder(recipe) => {
            each_chunk(source, ChunkKind::Tree, &recipe, &mut |_, id, _| -> Result<(), LiveError> {
                Ok(ids.push(*id)?)
            })?;
            for node in TreeReader::new(source, &recipe) {
                take(node?.kind, ids, next)?;
            }
            Ok(())
        }
    }
}

/// Takes what a node says itself, and leaves what has to be read to the next level.
fn take(kind: NodeKind, ids: &mut Sorter<ChunkId>, next: &mut Sorter<Encoded>) -> Result<(), LiveError> {
    match kind {
        NodeKind::File(recipe) if recipe.depth == 0 => recipe.parts.iter().try_for_each(|part| match part {
            Part::Chunk { id, .. } => Ok(ids.push(*id)?),
            Part::Hole { .. } => Ok(()),
        }),
        NodeKind::File(recipe) => Ok(next.push(encode(&Wanted::File(recipe))?)?),
        NodeKind::Folder(recipe) if recipe != Recipe::EMPTY => Ok(next.push(encode(&Wanted::Folder(recipe))?)?),
        _ => Ok(()),
    }
}

/// Which of the roots cannot be read down to their last folder and long recipe, by their place in `roots`, and why: the
/// first reason of each. Roots of one source one after the other are quick, because what two of them share is not read
/// twice.
///
/// # Errors
/// [`LiveError::Index`], [`LiveError::Interrupted`].
pub fn unreadable(
    source: &dyn ChunkSource,
    roots: &[Node],
    monitor: &dyn Monitor,
) -> Result<Vec<(usize, ReadError)>, LiveError> {
    let mut found = Vec::new();
    let mut base = None;
    for (number, root) in roots.iter().enumerate() {
        let mut go_on = |_, _: &ChunkId, _| match monitor.should_stop() {
            true => Err(LiveError::Interrupted),
            false => Ok(()),
        };
        match each_need(source, base, root, &mut go_on) {
            Ok(()) => base = Some(root),
            Err(LiveError::Read(error)) => found.push((number, error)),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
