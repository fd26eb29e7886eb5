//! Snapshot to files.
//!
//! 1. `choose`: which version of what, from which snapshot.
//! 2. [`RestorePlan`]: what goes where; `--dry-run` prints it, with what `others` finds that would be deleted.
//! 3. `walk`: folders first, files collected into windows of a few thousand.
//! 4. `window`: block by block, each opened once, on all cores; a chunk that one destination does not give back
//!    unchanged comes from the next.
//! 5. `settle`: what was written is on the disk, or it is said that it is not.
//!
//! `sample` restores single files, and parts of files, to see whether that works.
//!
//! In folders this restore created, files are made in place and get their times last; elsewhere they are written under
//! a temporary name and renamed, and what is there with the same content stays. No symbolic link is ever followed below
//! the target: every step is relative to an open folder. Not guaranteed: that a file has no holes where the stored one
//! had long rows of zeros that were no holes.
//!
//! ```
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//! use cryptbackup::restore::{self, RestoreRequest, What, When};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let repo = Repo::open(&home, Access::Read, None, &Silent)?;
//! let target = folder.path().join("restored/report.txt");
//! let request = RestoreRequest {
//!     when: When::Version(1),
//!     destination: Some(target.clone()),
//!     ..RestoreRequest::new(What::File(folder.path().join("documents/report.txt")))
//! };
//! let plan = restore::plan(&repo, request, &Silent)?;
//! println!("{}: {} bytes to {}", plan.description, plan.bytes, plan.target.display());
//! // One that is to delete tells before what would go. Beside a single file nothing does.
//! assert_eq!(restore::deletions(&repo, &plan, &Silent, &mut |path| println!("{}", path.display()))?.deleted, 0);
//! let mut report = restore::execute(&repo, plan, &Silent)?;
//! // What was damaged on one destination was read from another, and is healed from it.
//! restore::repair(repo, &mut report, &Silent);
//! assert_eq!((report.files_restored, report.problems.len()), (1, 0));
//! assert_eq!(std::fs::read_to_string(target)?, "first words");
//! # Ok(())
//! # }
//! ```

mod choose;
mod compare;
mod guard;
mod kept;
mod letters;
mod links;
mod others;
mod replace;
pub(crate) mod sample;
mod settle;
mod walk;
mod window;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;

use std::path::{Path, PathBuf};
use std::time::Instant;

pub use others::{Deletions, deletions};

use crate::error::Error;
use crate::format::id::{PackId, SnapshotId};
use crate::format::tree::{Node, NodeKind};
use crate::index::DestinationBits;
use crate::paths;
use crate::replicate::{Healing, OpenDestination};
use crate::repo::Repo;
use crate::report::{Monitor, Problem, Stage};
use crate::snapshot::TreeWalk;
use crate::source::WalkOptions;

/// What to do about damage that a restore met and did not heal.
const CHECK: &str = "run `cryptbackup check --read-data --heal`";

/// What to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// One file (or link, or other single entry), by its absolute path.
    File(PathBuf),
    /// A folder with everything in it, by its absolute path.
    Directory(PathBuf),
    /// A whole snapshot: an id or its first digits, `latest`, `latest~N`.
    Snapshot(String),
}

/// As of when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// The newest there is.
    #[default]
    Latest,
    /// As it was then.
    Date(jiff::Timestamp),
    /// That version of a file.
    Version(u32),
}

/// What to do about files that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// Make them what they were; those with the same content are not written again.
    #[default]
    Always,
    /// Leave those with the same size and time.
    IfChanged,
    /// Leave those that are not older.
    IfNewer,
    /// Leave them.
    Never,
}

/// What to restore, where to, and how.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// What.
    pub what: What,
    /// As of when.
    pub when: When,
    /// Where to; back where it was where there is none.
    pub destination: Option<PathBuf>,
    /// What to do about files that are there.
    pub overwrite: Overwrite,
    /// Remove what is in restored folders and not in the snapshot, but nothing where something else is mounted, and
    /// nothing that the rules of a source leave out now.
    pub delete: bool,
    /// Read everything again afterwards and compare.
    pub verify: bool,
    /// Read from this destination alone.
    pub from: Option<String>,
}

impl RestoreRequest {
    /// The newest of something, back where it was.
    pub fn new(what: What) -> Self {
        Self {
            what,
            when: When::Latest,
            destination: None,
            overwrite: Overwrite::Always,
            delete: false,
            verify: false,
            from: None,
        }
    }
}

/// What will be done.
#[derive(Debug, Clone)]
pub struct RestorePlan {
    /// What was chosen, for people: which version or snapshot, of when.
    pub description: String,
    /// The snapshot it comes from.
    pub snapshot: SnapshotId,
    /// The number of the version, of a single file.
    pub version: Option<u32>,
    /// Files.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Where it goes.
    pub target: PathBuf,
    /// What is to be known before.
    pub notes: Vec<String>,
    items: Vec<PlannedItem>,
    request: RestoreRequest,
    sources: DestinationBits,
}

/// One node and the path it gets.
#[derive(Debug, Clone)]
struct PlannedItem {
    node: Node,
    target: PathBuf,
    /// How much of the target someone asked for by name: links in that are followed. What is below comes from the
    /// snapshot, and what lies there may be a link that the snapshot itself has put there.
    anchor: PathBuf,
    /// By what sources leave out what is there, where the others of it are to be deleted.
    rules: Vec<WalkOptions>,
}

impl PlannedItem {
    /// The names between the anchor and the target.
    fn below(&self) -> Vec<&[u8]> {
        let below = self.target.strip_prefix(&self.anchor).unwrap_or(Path::new(""));
        below.iter().map(|name| paths::to_bytes(Path::new(name))).collect()
    }
}

impl RestorePlan {
    /// The destinations to read from, of those that can be reached now.
    fn destinations(&self, repo: &Repo) -> Vec<OpenDestination> {
        repo.destinations.iter().filter(|destination| destination.bit & self.sources != 0).cloned().collect()
    }
}

/// What happened.
#[derive(Debug, Clone, Default)]
pub struct RestoreReport {
    /// Files written.
    pub files_restored: u64,
    /// Files left as they were.
    pub files_skipped: u64,
    /// Folders.
    pub folders: u64,
    /// Links, pipes and devices.
    pub others: u64,
    /// Sockets: they are recorded, but only the program that listens can make them.
    pub sockets_left_out: u64,
    /// Bytes of the files written, holes among them.
    pub bytes_written: u64,
    /// Bytes of the files left as they were.
    pub bytes_skipped: u64,
    /// Entries removed because the snapshot does not have them.
    pub deleted: u64,
    /// What went wrong with single entries.
    pub problems: Vec<Problem>,
    /// What is to be known: damage on one destination, read from another.
    pub notes: Vec<String>,
    /// Which packs were found damaged on which destination.
    pub damaged: Vec<(DestinationBits, PackId)>,
    /// How long it took.
    pub duration_seconds: f64,
}

/// Decides what is restored from where to where. Nothing is written.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Usage`], [`Error::NoDestination`].
pub fn plan(repo: &Repo, request: RestoreRequest, monitor: &dyn Monitor) -> Result<RestorePlan, Error> {
    let destinations = sources(repo, &request)?;
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher_from(&view, &destinations);
    let mut chosen = choose::choose(repo, &view, &fetcher, &request)?;
    match chosen.gaps {
        Some(gaps) if request.delete => return Err(Error::Usage(gaps.refusal(&chosen.snapshot))),
        gaps => chosen.notes.extend(gaps.map(|gaps| gaps.note(&chosen.snapshot))),
    }
    let mut items = choose::targets(&request, chosen.nodes)?;
    for item in &mut items {
        guard::refuse_own_folders(repo, &item.target, request.delete)?;
        if request.delete {
            item.rules = kept::rules_at(repo, &item.target);
        }
    }
    let (mut files, mut bytes) = (0, 0);
    for item in &items {
        let mut count = |node: &Node| {
            if let NodeKind::File(recipe) = &node.kind {
                files += 1;
                // A hostile tree can claim any size.
                bytes = u64::saturating_add(bytes, recipe.size);
            }
        };
        count(&item.node);
        if let Some(recipe) = item.node.folder() {
            for (_, node) in TreeWalk::new(&fetcher, recipe) {
                // What cannot be read now is a problem of the execution, which names it.
                if let Ok(node) = node {
                    count(&node);
                }
                if monitor.should_stop() {
                    return Err(Error::Interrupted);
                }
            }
        }
    }
    let target = match (&request.destination, items.as_slice()) {
        (Some(destination), [_, _, ..]) => destination.clone(),
        (_, [item]) => item.target.clone(),
        _ => PathBuf::from("/"),
    };
    Ok(RestorePlan {
        description: chosen.description,
        snapshot: chosen.snapshot,
        version: chosen.version,
        files,
        bytes,
        target,
        notes: chosen.notes,
        items,
        sources: destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b),
        request,
    })
}

/// Does what was planned.
///
/// # Errors
/// [`Error::Interrupted`], [`Error::Io`] where the target itself cannot be written. What concerns single entries is in
/// the report.
pub fn execute(repo: &Repo, plan: RestorePlan, monitor: &dyn Monitor) -> Result<RestoreReport, Error> {
    let began = Instant::now();
    let destinations = plan.destinations(repo);
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher_from(&view, &destinations);
    monitor.begin(Stage::Restoring, Some(plan.files), Some(plan.bytes));
    system::raise_open_files();
    let mut report = RestoreReport::default();
    // Where nothing can be written there, memory has to do.
    let scratch = repo.scratch_folder().ok();
    // Opened before anything is written: it is told of what fails from then on.
    let written = settle::Written::of(&plan.items);
    for item in &plan.items {
        walk::restore(&fetcher, &repo.keys, item, &plan.request, scratch.as_deref(), monitor, &mut report)?;
    }
    for problem in written.settle(&|folder| folder.settle()) {
        monitor.problem(&problem);
        report.problems.push(problem);
    }
    if plan.request.verify {
        for item in &plan.items {
            compare::verify(&fetcher, &repo.keys, item, monitor, &mut report)?;
        }
    }
    report.notes.extend(fetcher.take_notes());
    report.damaged = fetcher.take_damaged();
    report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Heals the packs that a restore found damaged, where nobody else is writing; what became of them is noted in the
/// report. A restore never fails by it.
pub fn repair(repo: Repo, report: &mut RestoreReport, monitor: &dyn Monitor) {
    if report.damaged.is_empty() {
        return;
    }
    let damaged = report.damaged.clone();
    let notes = match repair_all(repo, &damaged, monitor) {
        Ok(notes) => notes,
        Err(error) => vec![format!("What was damaged could not be healed: {error}; {CHECK}")],
    };
    report.notes.extend(notes);
}

fn repair_all(repo: Repo, damaged: &[(DestinationBits, PackId)], monitor: &dyn Monitor) -> Result<Vec<String>, Error> {
    let Some(repo) = repo.into_writer()? else {
        return Ok(vec![format!("What was damaged was not healed, since another command is writing; {CHECK}")]);
    };
    // First: a repair that is cut off must not let the damage be forgotten.
    repo.note_damaged(damaged)?;
    let (mut healed, mut left) = (0u64, Vec::new());
    for (bit, pack) in damaged {
        if monitor.should_stop() {
            break;
        }
        match repo.heal_pack_if_whole(*bit, pack)? {
            Some(Healing::Healed(_)) => healed += 1,
            Some(Healing::Saved(why) | Healing::Left(why)) => left.push(why),
            None => {}
        }
    }
    let mut notes = Vec::new();
    if healed > 0 {
        notes.push(format!("{healed} damaged {} healed", if healed == 1 { "pack was" } else { "packs were" }));
    }
    if let Some(why) = left.first() {
        notes.push(format!("{} could not be healed: {why}; {CHECK}", left.len()));
    }
    Ok(notes)
}

/// The destinations to read from.
fn sources(repo: &Repo, request: &RestoreRequest) -> Result<Vec<OpenDestination>, Error> {
    let destinations: Vec<OpenDestination> = match &request.from {
        None => repo.destinations.clone(),
        Some(name) if repo.settings.destinations.contains_key(name) => {
            repo.destinations.iter().filter(|destination| destination.name == *name).cloned().collect()
        }
        Some(name) => return Err(Error::Usage(format!("there is no destination called `{name}`"))),
    };
    if destinations.is_empty() { Err(repo.no_destination()) } else { Ok(destinations) }
}
