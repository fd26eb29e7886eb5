//! Restore drills: does a restore work, from each destination alone?
//!
//! 1. `pick` (into `chosen`): a random choice of files, folders and parts of large files, weighted by how much they matter
//!    and how long ago what they are made of was proven on that destination.
//! 2. `portion`: restored by the way every restore takes into a private place (`scratch`), a portion at a time, hashed as it
//!    lies on the disk, compared with what was stored of it and, where it did not change since, with the file itself.
//! 3. Every block that was read and authenticated is remembered as proven (`repo::proofs`), for `status` and the next drill.
//!
//! It stands above the verbs because it is made of one: nothing is proven by another way than the one that counts.
//!
//! ```
//! use cryptbackup::drill::{self, DrillRequest};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let repo = Repo::open(&home, Access::Read, None, &Silent)?;
//! let report = drill::run(&repo, &DrillRequest::default(), &Silent)?;
//! for drilled in &report.destinations {
//!     let last = repo.standing(&drilled.name)?.last_proof;
//!     println!("[{}] {} files restored, last {last:?}", drilled.name, drilled.files);
//! }
//! assert!(report.findings.is_empty());
//! drill::remember(repo, &report)?;
//! # Ok(())
//! # }
//! ```

mod chosen;
mod live;
mod pick;
mod portion;
mod scratch;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::backup::smart::Scorer;
use crate::error::Error;
use crate::format::id::PackId;
use crate::index::{DestinationBits, IndexReader};
use crate::replicate::OpenDestination;
use crate::repo::{DestinationState, KnownSnapshot, Proofs, Repo};
use crate::report::{Monitor, Stage};
use crate::seal::keys::random;
use crate::snapshot::ReadError;
use chosen::{Piece, Room};
use pick::Picker;
use portion::Driller;
use scratch::Scratch;

/// Bytes that a drill restores where nobody says otherwise.
pub const BYTES: u64 = 500_000_000;
/// The least that can be asked for: a block has to fit.
pub const BYTES_MIN: u64 = 4_000_000;
/// The most that lies on the disk at once.
const PORTION_BYTES: u64 = 64 << 20;
const PORTION_PIECES: usize = 2_048;
/// What is put into the order in which it is read fastest.
const BATCH_PIECES: usize = 1 << 15;
/// The most blocks that one piece is read from.
const PORTION_BLOCKS: u64 = 64;
/// Room that is left alone where the state folder is.
const SPARE_BYTES: u64 = 64 << 20;

/// How much is drilled on each destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// At most so many bytes are restored, and about as many read: a block that is asked for again after many others is read
    /// again.
    Bytes(u64),
    /// Nothing new is begun after so long, on all destinations together.
    Time(Duration),
}

/// What to drill.
#[derive(Debug, Clone)]
pub struct DrillRequest {
    /// How much.
    pub limit: Limit,
    /// Only these destinations; all of them where it is empty.
    pub destinations: Vec<String>,
    /// What the choice depends on; something random where there is none.
    pub seed: Option<[u8; 32]>,
}

impl Default for DrillRequest {
    fn default() -> Self {
        Self { limit: Limit::Bytes(BYTES), destinations: Vec::new(), seed: None }
    }
}

/// What kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// What the destination gives back is not what was stored, or nothing.
    Damaged,
    /// The content came back, but not everything else about the file.
    MetadataDiffers,
    /// The file itself is not what was backed up, though nothing says that it was changed.
    SourceDiffers,
    /// It could not be written or read where it was restored to; that says nothing about the destination.
    NotRestored,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DrillFinding {
    /// Restored from which destination.
    pub destination: String,
    /// Which file, or folder.
    #[serde(serialize_with = "crate::report::path_as_text")]
    pub path: PathBuf,
    /// What kind of finding.
    pub kind: FindingKind,
    /// What is wrong, as one sentence without a full stop.
    pub detail: String,
}

/// What was drilled on one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DestinationDrilled {
    /// Its name.
    pub name: String,
    /// Snapshots on it.
    pub snapshots: u64,
    /// Whole files restored.
    pub files: u64,
    /// Parts of large files restored.
    pub parts: u64,
    /// Bytes of both.
    pub bytes_restored: u64,
    /// Bytes read from the destination, as they are stored.
    pub bytes_read: u64,
    /// Of the files and parts, those that were compared with the file itself.
    pub compared: u64,
    /// Number of findings.
    pub findings: u64,
    /// How much of what is needed there is proven now, in percent; none where nothing is there.
    pub proven_percent: Option<u64>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct DrillReport {
    /// What was drilled.
    pub destinations: Vec<DestinationDrilled>,
    /// Configured destinations that were not, and why.
    pub unreachable: Vec<(String, String)>,
    /// Everything that was found.
    pub findings: Vec<DrillFinding>,
    /// Which packs were found damaged on which destination.
    pub damaged: Vec<(DestinationBits, PackId)>,
    /// How long it took.
    pub duration_seconds: f64,
}

/// Drills every destination within reach, or those that are asked for.
///
/// # Errors
/// [`Error::NoDestination`], [`Error::Usage`], [`Error::Interrupted`], [`Error::Io`] where nothing can be restored to. Damage
/// is not an error but a finding.
pub fn run(repo: &Repo, request: &DrillRequest, monitor: &dyn Monitor) -> Result<DrillReport, Error> {
    let began = Instant::now();
    if let Some(name) = request.destinations.iter().find(|name| !repo.settings().destinations.contains_key(name)) {
        return Err(Error::Usage(format!("there is no destination called `{name}`")));
    }
    let is_chosen = |name: &String| request.destinations.is_empty() || request.destinations.contains(name);
    let mut report = DrillReport::default();
    for lost in repo.unreachable().iter().filter(|lost| is_chosen(&lost.name)) {
        report.unreachable.push((lost.name.clone(), lost.detail.clone()));
        if lost.state == DestinationState::Damaged {
            let (destination, detail) = (lost.name.clone(), lost.detail.clone());
            report.findings.push(DrillFinding {
                path: lost.path.clone(),
                kind: FindingKind::Damaged,
                destination,
                detail,
            });
        }
    }
    let destinations: Vec<&OpenDestination> = repo.destinations().iter().filter(|one| is_chosen(&one.name)).collect();
    if destinations.is_empty() && report.findings.is_empty() {
        return Err(repo.no_destination());
    }
    let mut scratch = Scratch::new(&repo.scratch_folder()?)?;
    let seed = request.seed.map_or_else(random, Ok)?;
    let count = destinations.len();
    for (number, destination) in destinations.into_iter().enumerate() {
        let limit = match request.limit {
            // What one does not take is the next one's.
            Limit::Time(all) => Limit::Time(all.saturating_sub(began.elapsed()) / (count - number) as u32),
            bytes => bytes,
        };
        match one(repo, destination, limit, &seed, &mut scratch, monitor, &mut report) {
            Err(Error::Destination(error)) => report.unreachable.push((destination.name.clone(), error.to_string())),
            result => result?,
        }
    }
    report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Remembers which packs were found damaged, so that the next check names them and the next backup stores again what it
/// needs of them. Nothing is remembered while another command writes; whoever reads them finds it again.
///
/// # Errors
/// [`Error::Index`].
pub fn remember(repo: Repo, report: &DrillReport) -> Result<(), Error> {
    if report.damaged.is_empty() {
        return Ok(());
    }
    match repo.into_writer()? {
        Some(repo) => repo.note_damaged(&report.damaged),
        None => Ok(()),
    }
}

/// Drills one destination.
fn one(
    repo: &Repo,
    destination: &OpenDestination,
    limit: Limit,
    seed: &[u8; 32],
    scratch: &mut Scratch,
    monitor: &dyn Monitor,
    report: &mut DrillReport,
) -> Result<(), Error> {
    monitor.begin(Stage::Opening, None, None);
    monitor.current(&destination.name);
    let view = repo.index.reader()?;
    let on_it = |known: Vec<KnownSnapshot>| -> Vec<KnownSnapshot> {
        known.into_iter().filter(|known| known.committed & destination.bit != 0).collect()
    };
    let (known, histories) = (on_it(repo.known_snapshots(&view)?), on_it(repo.known_histories(&view)?));
    let mut drilled = DestinationDrilled { name: destination.name.clone(), ..DestinationDrilled::default() };
    drilled.snapshots = known.len() as u64;
    if !known.is_empty() {
        let only = [destination.clone()];
        // Trees are known from elsewhere while it is chosen; what is proven is read from the destination.
        let fetcher = repo.fetcher_from(&view, &only).without_cache().that_remembers();
        let proofs = Proofs::load(repo, &view, destination)?;
        let damaged = BTreeSet::new();
        let mut driller =
            Driller { repo, view: &view, fetcher: &fetcher, destination, proofs, drilled, damaged, scratch };
        let rounds = Rounds { limit, seed, known: &known, histories: &histories, monitor };
        let done = rounds.run(&mut driller, &mut report.findings);
        // Also where it was interrupted: what was proven is proven.
        driller.proofs.save(repo, &view)?;
        report.damaged.extend(driller.damaged.iter().map(|pack| (destination.bit, *pack)));
        drilled = driller.drilled;
        done?;
    }
    drilled.proven_percent = repo.standing(&destination.name)?.proven_percent;
    drilled.findings = report.findings.iter().filter(|finding| finding.destination == destination.name).count() as u64;
    report.destinations.push(drilled);
    Ok(())
}

/// Chooses and drills until the budget is used.
struct Rounds<'a> {
    limit: Limit,
    seed: &'a [u8; 32],
    known: &'a [KnownSnapshot],
    histories: &'a [KnownSnapshot],
    monitor: &'a dyn Monitor,
}

impl Rounds<'_> {
    fn run(&self, driller: &mut Driller<'_>, findings: &mut Vec<DrillFinding>) -> Result<(), Error> {
        let (repo, began) = (driller.repo, Instant::now());
        let (only, view, now) = ([driller.destination.clone()], driller.view, repo.now());
        let scorer = Scorer::new(&repo.settings().priority, now)?;
        let looking = repo.fetcher_from(view, &only);
        let picker = Picker { repo, view, fetcher: &looking, scorer: &scorer, seed: self.seed, now };
        let portion_bytes = PORTION_BYTES.min(repo.scratch_free_bytes()?.saturating_sub(SPARE_BYTES) / 2);
        if portion_bytes == 0 {
            let (what, path) = ("restore to".to_owned(), repo.scratch_folder()?);
            return Err(Error::Io { what, path, source: std::io::ErrorKind::StorageFull.into() });
        }
        let is_over = || matches!(self.limit, Limit::Time(time) if began.elapsed() >= time);
        loop {
            let bytes = match self.limit {
                Limit::Bytes(bytes) => bytes.saturating_sub(driller.drilled.bytes_restored),
                Limit::Time(_) => u64::MAX,
            };
            let room = self.room(repo, portion_bytes, bytes);
            let picked = picker.pick(self.known, self.histories, &mut driller.proofs, room, self.monitor)?;
            for (path, error) in picked.unreadable {
                driller.damaged.extend(looking.take_damaged().into_iter().map(|(_, pack)| pack));
                // Of what another command cleaned away meanwhile nothing can be said.
                let is_cleaned = matches!(error, ReadError::Cleaned);
                let kind = if is_cleaned { FindingKind::NotRestored } else { FindingKind::Damaged };
                let finding = driller.finding(&path, kind, format!("some of it cannot be read: {error}"));
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
            let pieces = self.affordable(driller, view, picked.pieces)?;
            let bytes = pieces.iter().map(Piece::bytes).sum();
            self.monitor.begin(Stage::Restoring, Some(pieces.len() as u64), Some(bytes));
            self.monitor.current(&driller.destination.name);
            let is_any = !pieces.is_empty();
            // Where time may end it, what comes first comes first; else everything comes, each block once.
            let batch_bytes = if matches!(self.limit, Limit::Time(_)) { BYTES } else { u64::MAX };
            for batch in (Portions { pieces: pieces.into_iter().peekable(), bytes: batch_bytes, count: BATCH_PIECES }) {
                let pieces = driller.in_reading_order(batch)?.into_iter().peekable();
                for portion in (Portions { pieces, bytes: portion_bytes, count: PORTION_PIECES }) {
                    if is_over() {
                        return Ok(());
                    }
                    driller.drill(portion, self.known, findings, self.monitor)?;
                }
            }
            // Of what memory had no room for, another round chooses.
            if !picked.is_cut || !is_any || is_over() || self.is_used(driller) {
                return Ok(());
            }
        }
    }

    /// Whether nothing of the budget is left that anything would be chosen for.
    fn is_used(&self, driller: &Driller<'_>) -> bool {
        let used = driller.drilled.bytes_restored.max(driller.drilled.bytes_read);
        matches!(self.limit, Limit::Bytes(bytes) if used.saturating_add(BYTES_MIN) > bytes)
    }

    fn room(&self, repo: &Repo, portion_bytes: u64, bytes: u64) -> Room {
        // Half of the budget at most for one piece, so that it can be read and another one too.
        let blocks = match self.limit {
            Limit::Bytes(bytes) => bytes / 2 / u64::from(repo.config.block_bytes).max(1),
            Limit::Time(_) => PORTION_BLOCKS,
        };
        Room {
            bytes,
            piece_bytes: portion_bytes.min(bytes),
            piece_blocks: usize::try_from(blocks.clamp(1, PORTION_BLOCKS)).unwrap_or(1),
            memory: repo.budget.restored_bytes(),
        }
    }

    /// The pieces whose blocks can be read within the budget. Small files lie in large blocks, and a block is read whole.
    fn affordable(&self, driller: &Driller<'_>, view: &IndexReader, pieces: Vec<Piece>) -> Result<Vec<Piece>, Error> {
        let Limit::Bytes(bytes) = self.limit else { return Ok(pieces) };
        let mut left = bytes.saturating_sub(driller.drilled.bytes_read);
        let mut blocks = BTreeSet::new();
        let mut kept = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let (mut new, mut cost) = (BTreeSet::new(), 0);
            for block in driller.blocks(&piece)? {
                if !blocks.contains(&block) && new.insert(block) {
                    cost += u64::from(view.block(block.0, block.1)?.sealed_len);
                }
            }
            if cost <= left {
                left -= cost;
                blocks.extend(new);
                kept.push(piece);
            }
        }
        Ok(kept)
    }
}

/// Pieces that lie on the disk together.
struct Portions<I: Iterator<Item = Piece>> {
    pieces: std::iter::Peekable<I>,
    bytes: u64,
    count: usize,
}

impl<I: Iterator<Item = Piece>> Iterator for Portions<I> {
    type Item = Vec<Piece>;

    fn next(&mut self) -> Option<Vec<Piece>> {
        let mut portion = Vec::new();
        let mut bytes = 0u64;
        while let Some(piece) = self.pieces.next_if(|piece| {
            portion.is_empty() || (portion.len() < self.count && bytes.saturating_add(piece.bytes()) <= self.bytes)
        }) {
            bytes = bytes.saturating_add(piece.bytes());
            portion.push(piece);
        }
        (!portion.is_empty()).then_some(portion)
    }
}
