//! What is drilled: a random choice in which what matters more, and what was not proven for longer, is likelier.
//!
//! Every file of every snapshot and history on a destination is weighed once a round; of the keys that come of it the
//! smallest win (one exponential clock for each, so that nothing has to be known of all to choose some). Large files are
//! weighed part by part. Folders are too, by the blocks they lie in. Memory is that of what is chosen.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::chosen::{Chosen, Piece, Room, What};
use crate::backup::smart::Scorer;
use crate::error::Error;
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::recipe::{Part, Recipe};
use crate::format::record::Time;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::index::{IndexReader, PackNumber, Place};
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::{Age, KnownSnapshot, Proofs, Repo, absolute};
use crate::report::Monitor;
use crate::snapshot::{ChunkSource, PartReader, ReadError, StateWalk, history};

/// What was never proven counts as if it had last been ten years ago, what was today as an hour.
const NEVER_DAYS: f64 = 3_650.0;
const TODAY_DAYS: f64 = 0.05;
/// What no newest snapshot has counts for so much of what it would.
const OLD_SHARE: f64 = 0.25;
/// Without its folder no file is found.
const FOLDER_IMPORTANCE: f64 = 200.0;
/// So many are named that cannot be read.
const UNREADABLE_MAX: usize = 100;
/// The least anything counts, whatever weights were given.
const IMPORTANCE_MIN: f64 = 0.1;

/// What came of a round.
pub(super) struct Picked {
    /// The choice, what comes first first.
    pub pieces: Vec<Piece>,
    /// Whether there would have been more for the same budget.
    pub is_cut: bool,
    /// What could not be read, and why: lists of parts, and sources with folders that could not.
    pub unreadable: Vec<(Vec<u8>, ReadError)>,
}

/// Reads trees, and remembers which.
struct Looker<'a> {
    fetcher: &'a Fetcher<'a>,
    asked: Mutex<Vec<ChunkId>>,
}

impl ChunkSource for Looker<'_> {
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        if kind == ChunkKind::Tree {
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(*id);
        }
        self.fetcher.chunk(kind, id, len)
    }

    fn reading_order(&self, id: &ChunkId) -> Result<u64, ReadError> {
        self.fetcher.reading_order(id)
    }
}

/// A round of weighing everything on one destination.
pub(super) struct Picker<'a> {
    pub repo: &'a Repo,
    pub view: &'a IndexReader,
    pub fetcher: &'a Fetcher<'a>,
    pub scorer: &'a Scorer,
    pub seed: &'a [u8; 32],
    pub now: Time,
}

impl Picker<'_> {
    /// Chooses among everything that `known` and `histories` hold, and notes in `proofs` what is needed.
    pub(super) fn pick(
        &self,
        known: &[KnownSnapshot],
        histories: &[KnownSnapshot],
        proofs: &mut Proofs,
        room: Room,
        monitor: &dyn Monitor,
    ) -> Result<Picked, Error> {
        proofs.forget_needs();
        let looker = Looker { fetcher: self.fetcher, asked: Mutex::default() };
        let chosen = Chosen::new(room);
        let (folders, unreadable) = (BTreeSet::new(), Vec::new());
        let mut round = Round { picker: self, looker: &looker, proofs, chosen, folders, unreadable };
        for source in sources(known) {
            let walked = round.snapshots(source, known, monitor);
            round.tolerate(source, walked)?;
        }
        for history in histories {
            for root in &history.snapshot.roots {
                let walked = round.history(&root.path, &root.node, monitor);
                round.tolerate(&root.path, walked)?;
            }
        }
        let Round { chosen, unreadable, .. } = round;
        let (pieces, is_cut) = chosen.finish();
        if !unreadable.is_empty() {
            // What cannot be read cannot tell what it needs.
            proofs.need_all();
        }
        Ok(Picked { pieces, is_cut, unreadable })
    }
}

fn sources(known: &[KnownSnapshot]) -> BTreeSet<&[u8]> {
    known.iter().flat_map(|known| &known.snapshot.roots).map(|root| root.path.as_slice()).collect()
}

/// A part of a file that is being put together.
#[derive(Default)]
struct OpenPart {
    offset: u64,
    len: u64,
    parts: Vec<Part>,
    blocks: BTreeSet<(PackNumber, u32)>,
    age: Option<Age>,
    is_whole: bool,
}

impl OpenPart {
    /// What there is of it; the next one begins where it ends.
    fn cut(&mut self) -> Self {
        let next = Self { offset: self.offset.saturating_add(self.len), ..Self::default() };
        std::mem::replace(self, next)
    }
}

struct Round<'a> {
    picker: &'a Picker<'a>,
    looker: &'a Looker<'a>,
    proofs: &'a mut Proofs,
    chosen: Chosen,
    /// Blocks of folders that were weighed.
    folders: BTreeSet<(PackNumber, u32)>,
    unreadable: Vec<(Vec<u8>, ReadError)>,
}

impl Round<'_> {
    /// What concerns a tree or a list of parts is noted; everything else ends the drill.
    fn tolerate(&mut self, path: &[u8], done: Result<(), Error>) -> Result<(), Error> {
        match done {
            Err(Error::Read(ReadError::Index(error))) => Err(error.into()),
            Err(Error::Read(error)) => {
                if self.unreadable.len() < UNREADABLE_MAX {
                    self.unreadable.push((path.to_vec(), error));
                }
                Ok(())
            }
            other => other,
        }
    }

    /// Everything that snapshots, the newest first, have of a source.
    fn snapshots(&mut self, source: &[u8], known: &[KnownSnapshot], monitor: &dyn Monitor) -> Result<(), Error> {
        let roots: Vec<_> = known.iter().filter_map(|known| known.snapshot.root(source)).collect();
        let scanned = roots.first().map(|root| root.scanned);
        let nodes = roots.iter().map(|root| root.node.clone());
        let looker = self.looker;
        let mut walk = StateWalk::new(self.picker.repo.budget, looker, nodes);
        for (below, held) in walk.by_ref() {
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            let path = absolute(source, &below);
            self.weigh_folders(&path)?;
            for one in held {
                // States are in the order of the snapshots.
                let weighed = self.weigh(&path, &one.node, scanned.filter(|_| one.first() == 0));
                self.tolerate(&path, weighed)?;
            }
        }
        walk.finish()?;
        self.weigh_folders(source)
    }

    /// Everything that a history has of a source.
    fn history(&mut self, source: &[u8], root: &Node, monitor: &dyn Monitor) -> Result<(), Error> {
        let mut failed = None;
        history::each_kept(self.looker, root, &mut |below, kept| {
            let path = absolute(source, below);
            if failed.is_none() {
                let weighed = self.weigh_folders(&path).and_then(|()| {
                    kept.versions.iter().try_for_each(|version| {
                        let weighed = self.weigh(&path, &version.node, None);
                        self.tolerate(&path, weighed)
                    })
                });
                failed = weighed.err().or_else(|| monitor.should_stop().then_some(Error::Interrupted));
            }
        })?;
        failed.map_or_else(|| self.weigh_folders(source), Err)
    }

    /// Where a chunk is read from on this destination.
    fn locate(&self, id: &ChunkId, len: Option<u32>) -> Result<Option<Place>, Error> {
        let places = self.picker.view.places(id)?;
        let fits = |place: &Place| len.is_none_or(|len| len == place.len) && self.proofs.has(place.pack);
        Ok(places.into_iter().find(fits))
    }

    /// The blocks of the folders that were read since.
    fn weigh_folders(&mut self, path: &[u8]) -> Result<(), Error> {
        let asked = std::mem::take(&mut *self.looker.asked.lock().unwrap_or_else(PoisonError::into_inner));
        for id in asked {
            let Some(place) = self.locate(&id, None)? else { continue };
            let block = (place.pack, place.block);
            let age = self.proofs.need(place.pack, place.block, self.picker.now);
            if !self.folders.insert(block) {
                continue;
            }
            let name = format!("folders {} {}", place.pack, place.block);
            let key = self.key(name.as_bytes(), 0, weight(FOLDER_IMPORTANCE, age));
            if !self.chosen.is_vain(key, 0) {
                let folder = paths::to_bytes(paths::from_bytes(path).parent().unwrap_or(Path::new("/"))).to_vec();
                self.chosen.push(Piece { key, path: folder, what: What::Folders { block } });
            }
        }
        Ok(())
    }

    /// A file, in parts where it is large.
    fn weigh(&mut self, path: &[u8], node: &Node, scanned: Option<Time>) -> Result<(), Error> {
        let NodeKind::File(recipe) = &node.kind else { return Ok(()) };
        if node.flags.contains(Flags::UNREAD) {
            return Ok(());
        }
        let share = if scanned.is_some() { 1.0 } else { OLD_SHARE };
        let score = self.picker.scorer.score_stored(&paths::from_bytes(path), node).total();
        let importance = score.max(IMPORTANCE_MIN) * share;
        let room = self.chosen.room();
        let mut part = OpenPart::default();
        let mut is_cut = false;
        for next in PartReader::new(self.looker, recipe) {
            let next = next?;
            // Of a long hole nothing is stored, and no part needs to have it.
            if matches!(next, Part::Hole { len } if len > room.piece_bytes) {
                let done = part.cut();
                self.give(path, node, scanned, importance, done);
                part.offset = part.offset.saturating_add(next.len());
                is_cut = true;
                continue;
            }
            let mut block = None;
            if let Part::Chunk { id, len } = &next {
                let place = self.locate(id, Some(*len))?;
                block = place.map(|place| (place.pack, place.block));
            }
            let is_too_long = part.len + next.len() > room.piece_bytes;
            let is_too_wide =
                block.is_some_and(|block| !part.blocks.contains(&block)) && part.blocks.len() >= room.piece_blocks;
            if part.len > 0 && (is_too_long || is_too_wide) {
                let done = part.cut();
                self.give(path, node, scanned, importance, done);
                is_cut = true;
            }
            if matches!(next, Part::Chunk { .. }) {
                let age = block.map(|(pack, block)| self.proofs.need(pack, block, self.picker.now));
                part.age = part.age.max(Some(age.unwrap_or(Age::Never)));
            }
            part.blocks.extend(block);
            part.len = part.len.saturating_add(next.len());
            part.parts.push(next);
        }
        part.is_whole = !is_cut;
        self.give(path, node, scanned, importance, part);
        Ok(())
    }

    /// Offers a part of a file, or a whole one.
    fn give(&mut self, path: &[u8], node: &Node, scanned: Option<Time>, importance: f64, part: OpenPart) {
        // What has no bytes of its own proves nothing.
        let Some(age) = part.age else { return };
        let name = [path, b"\0", node.version.to_string().as_bytes()].concat();
        let key = self.key(&name, part.offset, weight(importance, age));
        if self.chosen.is_vain(key, part.len) {
            return;
        }
        let recipe = Recipe { depth: 0, size: part.len, parts: part.parts };
        let part = (!part.is_whole).then_some((part.offset, recipe));
        let what = What::File { node: Box::new(node.clone()), part, scanned };
        self.chosen.push(Piece { key, path: path.to_vec(), what });
    }

    /// When the clock of something rings.
    fn key(&self, name: &[u8], offset: u64, weight: f64) -> f64 {
        let mut hasher = blake3::Hasher::new_keyed(self.picker.seed);
        hasher.update(name).update(b"\0").update(offset.to_string().as_bytes());
        let hash = hasher.finalize();
        let draw = hash.as_bytes().iter().take(6).fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
        -(1.0 - draw / (1u64 << 48) as f64).ln() / weight
    }
}

fn weight(importance: f64, age: Age) -> f64 {
    importance
        * match age {
            Age::Never => NEVER_DAYS,
            Age::Days(days) => f64::from(days) + TODAY_DAYS,
        }
}
