//! What the per-file rule still protects, into a history, before the snapshots that hold it go.
//!
//! A history is made for what is on a destination: of the snapshots that go from there and the histories that are there.
//! Destinations with the same of both share one.

use std::collections::HashSet;
use std::rc::Rc;

use super::material::Material;
use super::plan::Plan;
use super::scratch::Scratch;
use super::{CleanReport, CleanRequest};
use crate::chunk::Chunker;
use crate::error::Error;
use crate::format::id::{PackId, SnapshotId};
use crate::format::mark::{Action, ForgetReason};
use crate::format::sealed::ObjectType;
use crate::format::snapshot::{Root, RootCounts, Snapshot, packs_digest};
use crate::format::tree::Node;
use crate::index::{DestinationBits, SnapshotRow};
use crate::live::ChunkFile;
use crate::memory::Budget;
use crate::replicate::{OpenDestination, ReplicateError};
use crate::repo::store::Stored;
use crate::repo::{KnownSnapshot, Repo, user_name};
use crate::report::Monitor;
use crate::snapshot::history::{MergeRequest, Merged, Standing, State, merge};
use crate::snapshot::{ChunkSink, ChunkSource, ReadError, place_of};

/// A destination, and what goes from it.
pub(super) struct Target {
    /// The destination.
    pub destination: OpenDestination,
    /// Snapshots and histories whose objects are deleted there.
    pub going: HashSet<SnapshotId>,
    /// Roots that are needed there beside those of the snapshots that stay: of a history that was only thought of.
    pub imagined: Vec<Node>,
    /// Trees of that history.
    pub trees: Option<Rc<ChunkFile>>,
    /// Why not all that is not wanted goes, as a sentence without a full stop.
    pub kept: Option<String>,
}

impl Target {
    /// What goes there in any case.
    fn of(repo: &Repo, plan: &Plan, destination: OpenDestination) -> Result<Self, Error> {
        let unwanted = plan.unwanted(repo, &destination)?;
        let kept = unwanted.why_not_all();
        Ok(Self { destination, going: unwanted.going, imagined: Vec::new(), trees: None, kept })
    }
}

/// Writes what histories are needed, and says for each destination what may then go from it, or why nothing may.
pub(super) fn write(
    repo: &mut Repo,
    plan: &Plan,
    request: &CleanRequest,
    monitor: &dyn Monitor,
    report: &mut CleanReport,
) -> Result<Vec<(Target, Option<String>)>, Error> {
    let view = repo.index.reader()?;
    let mut groups: Vec<(Material, Vec<OpenDestination>)> = Vec::new();
    for destination in &repo.destinations {
        let material = Material::of(repo, plan, &view, destination)?;
        match groups.iter_mut().find(|(known, _)| known.is_same(&material)) {
            Some((_, members)) => members.push(destination.clone()),
            None => groups.push((material, vec![destination.clone()])),
        }
    }
    drop(view);
    let mut targets = Vec::new();
    for (material, members) in groups {
        monitor.current(&members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(", "));
        if request.dry_run {
            targets.extend(imagine(repo, plan, &material, members, report)?);
        } else {
            targets.extend(make(repo, plan, &material, members, monitor, report)?);
        }
    }
    let position = |target: &Target| repo.destinations.iter().position(|known| known.bit == target.destination.bit);
    targets.sort_by_key(|(target, _)| position(target));
    Ok(targets)
}

/// What would go, and what the history would need.
fn imagine(
    repo: &Repo,
    plan: &Plan,
    material: &Material,
    members: Vec<OpenDestination>,
    report: &mut CleanReport,
) -> Result<Vec<(Target, Option<String>)>, Error> {
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher(&view);
    let mut scratch = Scratch::new(&repo.keys, &repo.scratch_folder()?, repo.budget)?;
    let mut is_replaced = false;
    let (roots, detail) = match merge_all(plan, material, repo.budget, &fetcher, &repo.chunker, &mut scratch) {
        Ok(merged) => {
            count(report, &merged);
            is_replaced = !matches!(material.histories.as_slice(), [only] if is_unchanged(&only.snapshot, &merged));
            let roots = merged.into_iter().filter(|_| is_replaced);
            (roots.map(|(_, merged)| merged.root).collect(), None)
        }
        Err(Error::Read(error)) => (Vec::new(), Some(unreadable(material, &fetcher, error)?)),
        Err(error) => return Err(error),
    };
    let trees = Rc::new(scratch.finish()?);
    let mut targets = Vec::new();
    for destination in members {
        let mut target = Target::of(repo, plan, destination)?;
        if detail.is_none() {
            target.going.extend(material.going());
            target.going.extend(material.histories.iter().filter(|_| is_replaced).map(|known| known.id));
            target.imagined = Vec::clone(&roots);
            target.trees = Some(Rc::clone(&trees));
        }
        targets.push((target, detail.clone()));
    }
    Ok(targets)
}

/// Commits the history on every destination of the group that can have it.
fn make(
    repo: &mut Repo,
    plan: &Plan,
    material: &Material,
    members: Vec<OpenDestination>,
    monitor: &dyn Monitor,
    report: &mut CleanReport,
) -> Result<Vec<(Target, Option<String>)>, Error> {
    let (history, troubles) = match history(repo, plan, material, &members, monitor, report) {
        Ok(made) => made,
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error @ Error::Index { .. }) => return Err(error),
        Err(error) => {
            let view = repo.index.reader()?;
            let detail = match error {
                Error::Read(error) => unreadable(material, &repo.fetcher(&view), error)?,
                error => error.to_string(),
            };
            return nothing_goes(repo, plan, members, &detail);
        }
    };
    let mut details = Vec::new();
    for destination in &members {
        let committed = match history {
            None => Ok(()),
            Some(id) => repo.catch_up(monitor)?.snapshot(destination, &id).map(drop),
        };
        details.push(match committed {
            Ok(()) => None,
            Err(ReplicateError::Index(error)) => return Err(error.into()),
            Err(ReplicateError::Interrupted) => return Err(Error::Interrupted),
            Err(error @ ReplicateError::Overtaken) => {
                // The others have the same one, which stands for nothing any more.
                withdraw(repo, history)?;
                return nothing_goes(repo, plan, members, &error.to_string());
            }
            Err(error) => {
                let why = troubles.iter().find(|(bit, _)| *bit == destination.bit).map(|(_, why)| why.clone());
                let why = why.unwrap_or_else(|| error.to_string());
                Some(format!("what is to be kept of old snapshots could not be stored: {why}"))
            }
        });
    }
    let mut targets = Vec::new();
    for (destination, detail) in members.into_iter().zip(details) {
        let mut target = Target::of(repo, plan, destination)?;
        if detail.is_none() {
            target.going.extend(material.going());
            target.going.extend(material.replaced()?);
            if let Some(history) = history {
                let others = material.histories.iter().map(|known| known.id).filter(|id| *id != history);
                target.going.extend(others);
            }
        }
        targets.push((target, detail));
    }
    Ok(targets)
}

/// No history stands for what would go: only that goes of which nothing is kept.
fn nothing_goes(
    repo: &Repo,
    plan: &Plan,
    members: Vec<OpenDestination>,
    detail: &str,
) -> Result<Vec<(Target, Option<String>)>, Error> {
    let targets = members.into_iter().map(|member| Ok((Target::of(repo, plan, member)?, Some(detail.to_owned()))));
    targets.collect()
}

/// A history that is on a destination and not whole there does not count; the next run makes another.
fn withdraw(repo: &mut Repo, history: Option<SnapshotId>) -> Result<(), Error> {
    let Some(id) = history else { return Ok(()) };
    let Some(row) = repo.index.reader()?.snapshot(&id)? else { return Ok(()) };
    let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
    repo.decide(Action::Forget { reason: ForgetReason::Replaced, snapshots: vec![place_of(id, &snapshot)] })
}

/// Destinations that did not take every tree, with the reason.
type Troubles = Vec<(DestinationBits, String)>;

/// The history that stands for what goes; none where none is needed. Its record is in the index then, committed nowhere.
fn history(
    repo: &mut Repo,
    plan: &Plan,
    material: &Material,
    members: &[OpenDestination],
    monitor: &dyn Monitor,
    report: &mut CleanReport,
) -> Result<(Option<SnapshotId>, Troubles), Error> {
    if material.going().next().is_none() && material.histories.is_empty() {
        return Ok((None, Troubles::new()));
    }
    let (merged, trees) = {
        // A view keeps all that was changed in the index since: none may be open while as much is stored as here.
        let view = repo.index.reader()?;
        let mut scratch = Scratch::new(&repo.keys, &repo.scratch_folder()?, repo.budget)?;
        let merged = merge_all(plan, material, repo.budget, &repo.fetcher(&view), &repo.chunker, &mut scratch)?;
        (merged, scratch.finish()?)
    };
    count(report, &merged);
    let is_empty = merged.iter().all(|(_, merged)| merged.versions == 0 && merged.numbers == 0);
    if is_empty && material.histories.is_empty() {
        // What nothing needs is not written: it would come back at once and be counted as freed.
        return Ok((None, Troubles::new()));
    }
    // Also where nothing changed: another writer may be about to delete a pack with some of it.
    let stored = store_trees(repo, &trees, members, monitor)?;
    let troubles =
        stored.lanes.iter().filter_map(|lane| Some((lane.destination.bit, lane.trouble.as_ref()?.to_string())));
    let troubles: Troubles = troubles.collect();
    if let [only] = material.histories.as_slice()
        && is_unchanged(&only.snapshot, &merged)
    {
        return Ok((Some(only.id), troubles));
    }
    let snapshot = record(repo, plan, material, merged, stored.pack_ids)?;
    let format = |source| Error::Format { object: "history".to_owned(), source };
    snapshot.validate().map_err(format)?;
    let record = snapshot.encode().map_err(format)?;
    let sealed = repo.keys.seal_record(ObjectType::Snapshot, &record)?;
    let id = SnapshotId::of(&sealed);
    // The numbers it tells of are accounted for: they came from here.
    let row = SnapshotRow { committed: 0, whole: 0, seen: 0, is_counted: true, record, stored: sealed };
    let mut writer = repo.index.writer()?;
    writer.put_snapshot(&id, &row)?;
    writer.commit()?;
    repo.remember_sequence(snapshot.sequence)?;
    Ok((Some(id), troubles))
}

fn store_trees(
    repo: &Repo,
    trees: &ChunkFile,
    members: &[OpenDestination],
    monitor: &dyn Monitor,
) -> Result<Stored, Error> {
    let view = repo.index.reader()?;
    let mut store = repo.store_moved(&view, members, monitor)?;
    let put = trees.each(|bytes| store.put_tree_chunk(bytes).map(drop));
    if let Err(error) = put {
        store.abandon();
        return Err(error);
    }
    store.finish()
}

/// Every source's history.
fn merge_all<S: ChunkSink>(
    plan: &Plan,
    material: &Material,
    budget: Budget,
    source: &dyn ChunkSource,
    chunker: &Chunker,
    sink: &mut S,
) -> Result<Vec<(Vec<u8>, Merged)>, S::Error>
where
    S::Error: From<ReadError>,
{
    let mut all = Vec::new();
    for path in material.paths() {
        let states = material.states.iter().filter_map(|(known, stays)| {
            let root = known.snapshot.root(path)?;
            let time = if root.carried_from.is_some() { root.scanned } else { known.snapshot.finished };
            Some(State { time, machine: &known.snapshot.machine, root: &root.node, stays: *stays })
        });
        let states: Vec<State<'_>> = states.collect();
        let histories: Vec<&Node> =
            material.histories.iter().filter_map(|known| known.snapshot.root(path)).map(|root| &root.node).collect();
        let newest = plan.newest_of(path).or_else(|| states.last().map(|state| state.time)).unwrap_or(plan.now);
        let is_protected = |standing: &Standing| plan.protects(path, standing, newest);
        let request = MergeRequest { states: &states, histories: &histories, is_protected: &is_protected };
        all.push((path.to_vec(), merge(budget, source, &request, chunker, sink)?));
    }
    Ok(all)
}

fn is_unchanged(history: &Snapshot, merged: &[(Vec<u8>, Merged)]) -> bool {
    let same = |(path, merged): &(Vec<u8>, Merged)| history.root(path).is_some_and(|root| root.node == merged.root);
    history.roots.len() == merged.len() && merged.iter().all(same)
}

fn record(
    repo: &Repo,
    plan: &Plan,
    material: &Material,
    merged: Vec<(Vec<u8>, Merged)>,
    mut pack_ids: Vec<PackId>,
) -> Result<Snapshot, Error> {
    let extra = vec![material.stands_for().and_then(|merged| merged.encode()).map_err(ReadError::Format)?];
    let counts = |merged: &Merged| RootCounts { files: merged.versions, bytes: merged.bytes, ..RootCounts::default() };
    let roots = merged.into_iter().map(|(path, merged)| Root {
        path,
        counts: counts(&merged),
        node: merged.root,
        carried_from: None,
        scanned: plan.now,
    });
    let packs_digest = packs_digest(&mut pack_ids);
    Ok(Snapshot {
        writer: repo.writer_id()?,
        sequence: repo.next_sequence()?,
        previous: plan.line.head().map(|known| known.id),
        started: plan.now,
        finished: repo.now(),
        zone_offset: repo.zone_offset(),
        machine: repo.machine_name(),
        user: user_name(),
        roots: roots.collect(),
        flags: Snapshot::HISTORY,
        tags: Vec::new(),
        packs_written: pack_ids.len() as u32,
        packs_digest,
        version_ceiling: plan.line.version_ceiling,
        extra,
    })
}

fn count(report: &mut CleanReport, merged: &[(Vec<u8>, Merged)]) {
    let kept: u64 = merged.iter().map(|(_, merged)| merged.versions).sum();
    let dropped: u64 = merged.iter().map(|(_, merged)| merged.versions_dropped).sum();
    // Of destinations that differ, the one with the most says what there is.
    report.versions_kept = report.versions_kept.max(kept);
    report.versions_dropped = report.versions_dropped.max(dropped);
}

/// Which snapshots cannot be read, as a sentence without a full stop.
fn unreadable(material: &Material, source: &dyn ChunkSource, error: ReadError) -> Result<String, Error> {
    if let ReadError::Index(error) = error {
        return Err(error.into());
    }
    let states = material.states.iter().map(|(known, _)| known);
    let broken: Vec<&KnownSnapshot> = states
        .chain(&material.histories)
        .filter(|known| !known.snapshot.roots.iter().all(|root| super::unreadable::is_readable(source, &root.node)))
        .collect();
    Ok(super::unreadable::sentence(&broken, &error))
}
