//! A portion of what was chosen: restored, looked at, compared, and removed again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::chosen::{Piece, What};
use super::live;
use super::scratch::Scratch;
use super::{DestinationDrilled, DrillFinding, FindingKind};
use crate::error::Error;
use crate::format::id::PackId;
use crate::format::recipe::Part;
use crate::format::tree::{Node, NodeKind};
use crate::index::{IndexReader, PackNumber};
use crate::paths;
use crate::replicate::fetch::BlockError;
use crate::replicate::{Fetcher, OpenDestination};
use crate::repo::{KnownSnapshot, Proofs, Repo};
use crate::report::{Monitor, Problem, ProblemKind};
use crate::restore::sample;
use crate::snapshot::PartReader;
use crate::source::ChangePolicy;

/// A destination that is being drilled.
pub(super) struct Driller<'a> {
    pub repo: &'a Repo,
    pub view: &'a IndexReader,
    /// Reads from the destination alone, and remembers what.
    pub fetcher: &'a Fetcher<'a>,
    pub destination: &'a OpenDestination,
    pub proofs: Proofs,
    pub drilled: DestinationDrilled,
    /// Packs that were found damaged.
    pub damaged: BTreeSet<PackId>,
    pub scratch: &'a mut Scratch,
}

/// Passes on how far it is. What goes wrong is named as what it was before it was restored, by the drill itself.
struct Inner<'a>(&'a dyn Monitor);

impl Monitor for Inner<'_> {
    fn advance(&self, items: u64, bytes: u64) {
        self.0.advance(items, bytes);
    }
    fn should_stop(&self) -> bool {
        self.0.should_stop()
    }
}

impl Driller<'_> {
    pub(super) fn finding(&self, path: &[u8], kind: FindingKind, detail: String) -> DrillFinding {
        DrillFinding { destination: self.destination.name.clone(), path: paths::from_bytes(path), kind, detail }
    }

    /// The blocks that a piece is read from, as far as they are known to be there.
    pub(super) fn blocks(&self, piece: &Piece) -> Result<Vec<(PackNumber, u32)>, Error> {
        let mut blocks = Vec::new();
        if let What::Folders { block } = piece.what {
            blocks.push(block);
        }
        let Some(recipe) = piece.recipe() else { return Ok(blocks) };
        for part in PartReader::new(self.fetcher, recipe) {
            // What cannot be read is found when it is restored.
            let Ok(Part::Chunk { id, len }) = part else { continue };
            let places = self.view.places(&id)?;
            let place = places.into_iter().find(|place| place.len == len && self.proofs.has(place.pack));
            blocks.extend(place.map(|place| (place.pack, place.block)));
        }
        Ok(blocks)
    }

    /// Drills a portion. Of a destination that went away meanwhile nothing is said but that.
    pub(super) fn drill(
        &mut self,
        portion: Vec<Piece>,
        known: &[KnownSnapshot],
        findings: &mut Vec<DrillFinding>,
        monitor: &dyn Monitor,
    ) -> Result<(), Error> {
        let folder = self.scratch.portion()?;
        let found = self.drill_in(&folder, portion, known, &Inner(monitor));
        self.scratch.remove(&folder)?;
        self.note_opened()?;
        let found = found?;
        if found.iter().any(|finding| finding.kind == FindingKind::Damaged) {
            self.destination.place.check_place()?;
        }
        for finding in &found {
            let kind = ProblemKind::Damaged;
            let (path, detail) = (finding.path.clone(), finding.detail.clone());
            if finding.kind == FindingKind::Damaged {
                monitor.problem(&Problem { path, kind, detail });
            }
        }
        findings.extend(found);
        Ok(())
    }

    /// Pieces of the same blocks one after the other, so that each block is opened once.
    pub(super) fn in_reading_order(&self, pieces: Vec<Piece>) -> Result<Vec<Piece>, Error> {
        let mut ordered = Vec::with_capacity(pieces.len());
        for piece in pieces {
            ordered.push((self.blocks(&piece)?.into_iter().next(), piece));
        }
        ordered.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
        Ok(ordered.into_iter().map(|(_, piece)| piece).collect())
    }

    fn drill_in(
        &mut self,
        folder: &Path,
        portion: Vec<Piece>,
        known: &[KnownSnapshot],
        monitor: &dyn Monitor,
    ) -> Result<Vec<DrillFinding>, Error> {
        let mut findings = Vec::new();
        let mut files = Vec::new();
        for (number, piece) in portion.into_iter().enumerate() {
            match &piece.what {
                What::Folders { block } => {
                    findings.extend(self.read_folders(&piece.path, *block)?);
                    monitor.advance(1, 0);
                }
                What::File { .. } => files.push((piece, folder.join(number.to_string()))),
            }
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
        }
        let nodes = files.iter().filter_map(|(piece, target)| Some((node_of(piece)?, target.clone())));
        let report = sample::restore(self.fetcher, &self.repo.keys, nodes.collect(), monitor)?;
        let problems: BTreeMap<PathBuf, Problem> =
            report.problems.into_iter().map(|problem| (problem.path.clone(), problem)).collect();
        for (piece, target) in &files {
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            findings.extend(self.judge(piece, target, problems.get(target), known)?);
        }
        Ok(findings)
    }

    /// Reads a block of folders.
    fn read_folders(&self, path: &[u8], (pack, block): (PackNumber, u32)) -> Result<Option<DrillFinding>, Error> {
        match self.fetcher.block(pack, block) {
            Ok(_) => Ok(None),
            Err(BlockError::Index(error)) => Err(error.into()),
            // What was in it is elsewhere, or nothing needs it any more.
            Err(BlockError::Unreadable(_)) if self.fetcher.was_cleaned_away(pack)? => Ok(None),
            Err(BlockError::Unreadable(reasons)) => {
                let detail = format!("folders at or near it cannot be read: {}", reasons.join("; "));
                Ok(Some(self.finding(path, FindingKind::Damaged, detail)))
            }
        }
    }

    /// Whether what was restored is what was stored.
    fn judge(
        &mut self,
        piece: &Piece,
        target: &Path,
        problem: Option<&Problem>,
        known: &[KnownSnapshot],
    ) -> Result<Vec<DrillFinding>, Error> {
        let (What::File { node, part, scanned }, Some(recipe)) = (&piece.what, piece.recipe()) else {
            return Ok(Vec::new());
        };
        let mut findings = Vec::new();
        let mut find = |kind, detail: String| findings.push(self.finding(&piece.path, kind, detail));
        match problem.map(|problem| (problem.kind, &problem.detail)) {
            Some((ProblemKind::MetadataNotRestored, detail)) => find(FindingKind::MetadataDiffers, detail.clone()),
            Some((ProblemKind::Damaged, detail)) => {
                find(FindingKind::Damaged, detail.clone());
                return Ok(findings);
            }
            Some((_, detail)) => {
                find(FindingKind::NotRestored, detail.clone());
                return Ok(findings);
            }
            None => {
                if let Some(detail) = sample::difference(&node.metadata, target, &self.repo.owners) {
                    find(FindingKind::MetadataDiffers, detail);
                }
            }
        }
        live::make_readable(target, &node.metadata);
        if !sample::has_content(self.fetcher, &self.repo.keys, recipe, target)? {
            // Every chunk was compared with its id before it was written: the disk here has lost it since.
            find(FindingKind::NotRestored, "what lies on this disk is not what was written to it".to_owned());
            return Ok(findings);
        }
        if let Some(scanned) = scanned {
            let offset = part.as_ref().map_or(0, |(offset, _)| *offset);
            let policy = self.policy(&piece.path, known);
            match live::compare(&paths::from_bytes(&piece.path), node, *scanned, &policy, (target, offset)) {
                live::Compared::Changed => {}
                live::Compared::Same => self.drilled.compared += 1,
                live::Compared::Differs(detail) => {
                    self.drilled.compared += 1;
                    findings.push(self.finding(&piece.path, FindingKind::SourceDiffers, detail));
                }
            }
        }
        match part {
            Some(_) => self.drilled.parts += 1,
            None => self.drilled.files += 1,
        }
        self.drilled.bytes_restored = self.drilled.bytes_restored.saturating_add(piece.bytes());
        Ok(findings)
    }

    /// How it is told whether a file changed: as the source says it belongs to.
    fn policy(&self, path: &[u8], known: &[KnownSnapshot]) -> ChangePolicy {
        let roots = known.iter().flat_map(|known| &known.snapshot.roots);
        let above = roots.map(|root| root.path.as_slice()).filter(|root| paths::below(root, path).is_some());
        let root = above.max_by_key(|root| root.len());
        let source = root.and_then(|root| self.repo.settings().source(&paths::from_bytes(root)));
        source.map_or_else(ChangePolicy::default, |source| ChangePolicy {
            ignore_inode: source.ignore_inode,
            ignore_ctime: source.ignore_ctime,
            force: false,
        })
    }

    /// What was read and authenticated is proven.
    fn note_opened(&mut self) -> Result<(), Error> {
        let now = self.repo.now();
        for (_, pack, block) in self.fetcher.take_opened() {
            self.proofs.prove(pack, block, now);
            self.drilled.bytes_read += u64::from(self.view.block(pack, block)?.sealed_len);
        }
        for (_, pack) in self.fetcher.take_damaged() {
            self.view.pack_number(&pack)?.into_iter().for_each(|number| self.proofs.disprove(number));
            self.damaged.insert(pack);
        }
        Ok(())
    }
}

/// The node of what is restored.
fn node_of(piece: &Piece) -> Option<Node> {
    let What::File { node, .. } = &piece.what else { return None };
    Some(Node { kind: NodeKind::File(piece.recipe()?.clone()), ..(**node).clone() })
}
