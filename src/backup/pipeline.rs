//! The threads of a backup, and how a byte passes between them.
//!
//! ```text
//! walk ──entries──▶ scan ──groups of steps──▶ readers ──batches──▶ this thread ──packs──▶ one thread a destination
//!  │                 │                           │                      │
//! list · look at  compare with before   open · read · cut · name   rayon: compress · seal · open again
//! ```
//!
//! | thread | waits for | ends when |
//! |---|---|---|
//! | walk | a free place among the batches of entries | its source ends, or the channel closes |
//! | scan | entries; a free place among the groups | the walk ends, or the channel closes |
//! | reader (several) | a group; a place for its batch | there are no more groups |
//! | this one | the batches of the oldest group | the last group's channel closes |
//! | lane | a pack | its queue closes, or its destination fails |
//!
//! Order without a lock: with every group goes a small channel for its batches, and the channels themselves wait in a
//! queue in the order of the groups. Readers fill several at once; this thread empties them one after the other. All
//! queues are bounded, so memory is: groups in flight × batches each × 256 KiB, and a few hundred entries that the walk is
//! ahead.

use std::panic::resume_unwind;
use std::thread::{self, Builder};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::ahead::ahead;
use super::begun::{Begun, WalkSteps, no_folder_any_more};
use super::carried::{carried_roots, carry_unread};
use super::changes::are_same;
use super::context::{Previous, ScanContext};
use super::coverage::Coverage;
use super::outcome::{RootTally, SourceChanges, Written};
use super::read::{Batch, GroupReader};
use super::recheck::Window;
use super::scan::{Scan, ScanOutcome};
use super::step::Step;
use super::trees::RootBuilder;
use super::{BackupRequest, Phase, changes, guard};
use crate::error::Error;
use crate::format::record::Time;
use crate::format::snapshot::Root;
use crate::index::DestinationBits;
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::settings::SourceSettings;
use crate::repo::store::Store;
use crate::repo::{Lineage, Repo};
use crate::report::Monitor;
use crate::snapshot::ReadError;
use crate::source::{ChangePolicy, Changes, Walk};

/// Groups that wait for a reader, and batches that wait in each group.
const GROUPS_WAITING: usize = 4;
const BATCHES_WAITING: usize = 1;
/// A group is given on after so many bytes of files, or so many steps.
const GROUP_BYTES: u64 = 2 << 20;
const GROUP_STEPS: usize = 512;

/// Steps for one reader, and where its batches go.
struct Group {
    steps: Vec<Step>,
    batches: Sender<Batch>,
}

/// Buffers of batches that were dealt with, for the next ones: memory that is touched already.
pub(super) struct Buffers {
    give: Sender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
}

impl Buffers {
    /// Keeps up to `count`.
    pub fn new(count: usize) -> Self {
        let (give, spare) = bounded(count);
        Self { give, spare }
    }

    /// One of them, or a new one.
    pub fn take(&self) -> Vec<u8> {
        self.spare.try_recv().unwrap_or_default()
    }

    /// Gives one back.
    pub fn put(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        // One more than is kept is freed.
        let _ = self.give.try_send(bytes);
    }
}

/// Reads every source and stores what is new.
pub(super) fn run(
    repo: &Repo,
    sources: &[SourceSettings],
    request: &BackupRequest,
    phase: &Phase,
    started: Time,
    monitor: &dyn Monitor,
) -> Result<Written, Error> {
    let view = repo.index.reader()?;
    let line = repo.lineage(&view)?;
    let fetcher = Fetcher::new(&repo.keys, &view, &repo.destinations, repo.budget);
    let reachable = repo.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b);
    let mut store = repo.store(&view, &repo.destinations, monitor)?;
    let mut roots = carried_roots(repo, sources, &line, &fetcher, reachable, &mut store)?;
    let mut tally = RootTally::default();
    let mut changes = Vec::new();
    for source in sources {
        let run = SourceRun { repo, source, request, phase, started, line: &line, fetcher: &fetcher, reachable };
        let (root, mut counted) = match run.read(&mut store, monitor) {
            Ok(read) => read,
            Err(error) => {
                store.abandon();
                return Err(error);
            }
        };
        if root.as_ref().is_some_and(|root| root.carried_from.is_none()) {
            changes.extend(run.judge(&mut counted));
        }
        roots.extend(root);
        tally.add(counted);
        if !store.is_alive() {
            break;
        }
    }
    // Damage met in the previous trees, and read around.
    fetcher.take_notes().iter().for_each(|note| monitor.note(note));
    let damaged = fetcher.take_damaged();
    let is_complete = store.is_alive();
    roots.sort_by(|left, right| left.path.cmp(&right.path));
    let is_empty = roots.is_empty();
    let stored = store.finish()?;
    if is_empty && is_complete {
        let why: Vec<String> = tally.problems.iter().map(|problem| problem.detail.clone()).collect();
        return Err(Error::NothingToBackUp(format!("no source could be read: {}", why.join("; "))));
    }
    let head = line.head();
    let whole = head.filter(|head| head.snapshot.is_whole());
    Ok(Written {
        is_complete,
        has_partials: line.has_partials(),
        is_same: stored.pack_ids.is_empty() && whole.is_some_and(|head| are_same(&head.snapshot.roots, &roots)),
        roots,
        tally,
        changes,
        stored,
        damaged,
        started,
        version_ceiling: line.version_ceiling,
        previous: head.map(|known| known.id),
    })
}

/// Reads one source.
pub(super) struct SourceRun<'a> {
    pub repo: &'a Repo,
    pub source: &'a SourceSettings,
    pub request: &'a BackupRequest,
    pub phase: &'a Phase,
    pub started: Time,
    pub line: &'a Lineage,
    pub fetcher: &'a Fetcher<'a>,
    pub reachable: DestinationBits,
}

impl<'a> SourceRun<'a> {
    fn read(&self, store: &mut Store<'_>, monitor: &dyn Monitor) -> Result<(Option<Root>, RootTally), Error> {
        monitor.current(&self.source.path.display().to_string());
        let mut context = self.scan_context();
        if let Some(changes) = changes::usable(self, &context) {
            context.is_part = true;
            if let Some(read) = self.read_with(&context, Some(changes), store, monitor)? {
                return Ok(read);
            }
            // What was stored for nothing is found again.
            context.is_part = false;
        }
        Ok(self.read_with(&context, None, store, monitor)?.unwrap_or_default())
    }

    /// Reads what changed, or everything; none where the changes do not tell enough.
    fn read_with(
        &self,
        context: &ScanContext<'_>,
        changes: Option<Changes>,
        store: &mut Store<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Option<(Option<Root>, RootTally)>, Error> {
        let scanned = self.repo.now();
        let coverage = context.previous.as_ref().map_or_else(Coverage::default, |previous| previous.coverage);
        let mut builder = RootBuilder::new(&self.repo.chunker, self.fetcher, coverage, self.started, monitor);
        let mut walk = match self.begin(context, changes) {
            Ok(walk) => walk,
            Err(detail) => {
                builder.source_problem(self.source.path.clone(), detail);
                let (_, tally, _) = builder.finish();
                let root = carry_unread(&context.root, self.line, self.fetcher, self.reachable, store)?;
                return Ok(Some((root, tally)));
            }
        };
        let outcome = self.pump(context, &mut walk, &mut builder, store, monitor)?;
        if outcome.is_unsure {
            return Ok(None);
        }
        let (node, mut tally, lacking) = builder.finish();
        store.lacking |= outcome.lacking | lacking;
        tally.counts.excluded = outcome.excluded;
        if tally.files_rotten > 0 {
            tally.good.extend(self.line.root(&context.root).map(|(known, _)| known.id));
        }
        if let Some((known, before)) = self.line.root(&context.root).filter(|_| context.is_part) {
            let looked_at = changes::looked_at(self, &known.id, before, &outcome.before);
            changes::complete(&mut tally, &before.counts, &looked_at);
        }
        let path = context.root.clone();
        let root = node.map(|node| Root { path, node, carried_from: None, scanned, counts: tally.counts });
        Ok(Some((root, tally)))
    }

    /// Says in the tally whether the source looks suspect, and what has changed of it so far; none where it is new.
    fn judge(&self, tally: &mut RootTally) -> Option<SourceChanges> {
        let path = paths::to_bytes(&self.source.path);
        let earlier = self.phase.changes.iter().find(|earlier| earlier.path == path);
        let before = match earlier {
            Some(earlier) => earlier.before,
            None => self.line.root(path)?.1.counts,
        };
        let changes = earlier.map(|earlier| earlier.changes).unwrap_or_default().after(tally);
        // Who accepts changes has looked, and so has who says that an empty source is really empty.
        let is_meant = self.request.accept_changes || self.request.force && tally.counts.files == 0;
        if !is_meant {
            tally.suspect.extend(guard::judge(&self.repo.settings.guard, path, &before, &changes));
        }
        Some(SourceChanges { path: path.to_vec(), before, changes })
    }

    /// Which of the files that look unchanged are read too.
    pub fn recheck(&self) -> Option<Window> {
        self.phase.recheck.of(paths::to_bytes(&self.source.path))
    }

    /// What its scan goes by.
    pub fn scan_context(&self) -> ScanContext<'a> {
        let root = paths::to_bytes(&self.source.path).to_vec();
        let previous = self.line.root(&root).map(|(known, root)| Previous {
            node: root.node.clone(),
            scanned: root.scanned,
            coverage: Coverage { reachable: self.reachable, whole: known.whole & self.reachable },
        });
        let is_sure = self.line.is_complete && self.repo.is_counted;
        ScanContext {
            root,
            policy: ChangePolicy {
                ignore_inode: self.source.ignore_inode,
                ignore_ctime: self.source.ignore_ctime,
                force: self.request.force,
            },
            fetcher: self.fetcher,
            previous,
            version_floor: if is_sure { 0 } else { self.line.version_ceiling },
            selection: self.phase.selection.as_ref(),
            recheck: self.recheck(),
            started: self.started,
            is_part: false,
            owners: &self.repo.owners,
        }
    }

    /// Begins the walk, or says why the source as a whole cannot be trusted.
    pub fn begin(&self, context: &ScanContext<'_>, changes: Option<Changes>) -> Result<Begun, String> {
        let mut options = self.repo.walk_options(self.source);
        options.changes = changes;
        let is_part = options.changes.is_some();
        let walk = Walk::new(options).map_err(|error| error.to_string())?;
        let folder = context.previous.as_ref().and_then(|previous| previous.node.folder());
        if let (Some(_), Some(entry), false) = (folder, walk.leaf(), self.request.force) {
            return Err(no_folder_any_more(entry));
        }
        if is_part {
            return Ok(Begun::of_changes(walk));
        }
        let begun = Begun::new(walk);
        let had_entries = folder.is_some_and(|recipe| recipe.size > 1);
        if begun.is_empty() && had_entries && !self.request.force {
            return Err(format!(
                "the source {} is suddenly empty, while the last snapshot has files in it: is its disk mounted? If it \
                 really is empty now, run `cryptbackup backup --force` once",
                self.source.path.display()
            ));
        }
        Ok(begun)
    }

    fn pump(
        &self,
        context: &ScanContext<'_>,
        walk: &mut Begun,
        builder: &mut RootBuilder<'_>,
        store: &mut Store<'_>,
        monitor: &dyn Monitor,
    ) -> Result<ScanOutcome, Error> {
        let (give_order, order) = bounded::<Receiver<Batch>>(GROUPS_WAITING);
        let (give_group, groups) = bounded::<Group>(GROUPS_WAITING);
        let readers = self.repo.budget.readers();
        let buffers = Buffers::new(2 * readers);
        let buffers = &buffers;
        thread::scope(|scope| {
            let mut walker = None;
            let scan = if context.is_part {
                // Short, and it may be asked to go where it did not.
                Builder::new().spawn_scoped(scope, move || scan(context, walk, &give_group, &give_order))
            } else {
                let (give, mut entries) = ahead();
                walker = Some(Builder::new().spawn_scoped(scope, move || give.run(walk)).map_err(Error::NoThread)?);
                Builder::new().spawn_scoped(scope, move || scan(context, &mut entries, &give_group, &give_order))
            }
            .map_err(Error::NoThread)?;
            let (chunker, keys) = (&self.repo.chunker, &*self.repo.keys);
            for _ in 0..readers {
                let groups = groups.clone();
                let read_groups = move || {
                    for group in groups {
                        let mut out = |batch| group.batches.send(batch).is_ok();
                        GroupReader::run(chunker, keys, context.owners, buffers, group.steps, &mut out);
                    }
                };
                Builder::new().spawn_scoped(scope, read_groups).map_err(Error::NoThread)?;
            }
            drop(groups);
            // Taken by value, so that an error here closes the channels and ends the other threads.
            let stored = consume(order, buffers, builder, store, monitor);
            // A thread that panicked ends the run as a panic here does: what a walk did not come to looks deleted.
            let scanned = scan.join().unwrap_or_else(|panic| resume_unwind(panic));
            if let Some(walker) = walker {
                walker.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
            stored?;
            Ok(scanned?)
        })
    }
}

/// The scan thread: steps into groups, each with the channel its batches come back through.
fn scan(
    context: &ScanContext<'_>,
    walk: &mut dyn WalkSteps,
    groups: &Sender<Group>,
    order: &Sender<Receiver<Batch>>,
) -> Result<ScanOutcome, ReadError> {
    let mut steps = Vec::new();
    let mut bytes = 0;
    let send = |steps: Vec<Step>| {
        let (batches, receiver) = bounded(BATCHES_WAITING);
        order.send(receiver).is_ok() && groups.send(Group { steps, batches }).is_ok()
    };
    let outcome = Scan::run(context, walk, &mut |step| {
        if let Step::Read(job) = &step {
            bytes += job.entry.stat.size;
        }
        steps.push(step);
        if bytes < GROUP_BYTES && steps.len() < GROUP_STEPS {
            return true;
        }
        bytes = 0;
        send(std::mem::take(&mut steps))
    })?;
    if !steps.is_empty() {
        send(steps);
    }
    Ok(outcome)
}

/// This thread: batches in order, put together and stored.
fn consume(
    order: Receiver<Receiver<Batch>>,
    buffers: &Buffers,
    builder: &mut RootBuilder<'_>,
    store: &mut Store<'_>,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    for batches in order {
        for batch in batches {
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            builder.batch(batch.items, &batch.bytes, store)?;
            buffers.put(batch.bytes);
        }
        if !store.is_alive() {
            // Every destination is lost: what is read now would go nowhere. The report says why.
            return Ok(());
        }
    }
    Ok(())
}
