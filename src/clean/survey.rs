//! What is on one destination, and what of it is needed by the snapshots that stay there.

use std::collections::{BTreeSet, HashSet};

use super::histories::Target;
use super::observed::Observed;
use super::packs::{PackPlan, PackState};
use super::plan::Plan;
use super::reclaim::Stop;
use super::scratch::Overlay;
use crate::format::history::Merged;
use crate::format::id::SnapshotId;
use crate::format::layout::ObjectName;
use crate::index::{IndexReader, PackNumber};
use crate::live::{Keepers, LiveError, LiveSet, Needs};
use crate::replicate::OpenDestination;
use crate::replicate::neighbours::Announced;
use crate::replicate::reconcile::note_deleted;
use crate::repo::{KnownSnapshot, Repo};
use crate::report::Monitor;

/// What was found.
pub(super) struct Survey {
    /// Every snapshot and history on the destination.
    pub snapshots: BTreeSet<SnapshotId>,
    /// Those whose objects are to be deleted.
    pub going: HashSet<SnapshotId>,
    /// What those that stay need.
    pub live: LiveSet,
    /// What becomes of the packs.
    pub packs: PackPlan,
    /// Whether something of what was purged may be in them.
    pub has_purged: bool,
}

impl Survey {
    /// Looks. Packs that are condemned keep nothing that another pack keeps too; those that others condemned do not count
    /// as present at all (invariant I17).
    pub(super) fn make(
        repo: &Repo,
        plan: &Plan,
        target: &Target,
        condemned: &HashSet<PackNumber>,
        budget: u64,
        monitor: &dyn Monitor,
    ) -> Result<Self, Stop> {
        let view = repo.index.reader()?;
        let destination = &target.destination;
        let mut going = target.going.clone();
        going.extend(damaged_and_forgotten(repo, plan, destination)?);
        let known = repo.committed(&view, |_, _| true)?;
        let there: Vec<KnownSnapshot> =
            known.into_iter().filter(|known| known.committed & destination.bit != 0).collect();
        is_complete(repo, plan, &view, destination, &there)?;
        let live = needs(repo, &view, target, &there, &going, monitor)?;
        let rank = |pack: PackNumber| u32::from(condemned.contains(&pack));
        let keepers = Keepers { index: &view, live: &live, bit: destination.bit, rank: &rank };
        let tally = keepers.tally(monitor)?;
        if tally.missing > 0 && target.imagined.is_empty() {
            if destination.neighbours.are_about_to_delete() {
                return Err(Stop::because(
                    "another machine is about to delete packs that are still needed; it stores them anew first, so try \
                     again after its next backup"
                        .to_owned(),
                ));
            }
            return Err(Stop::because(format!(
                "{} chunks that its snapshots need are in none of its packs: run `cryptbackup check`",
                tally.missing
            )));
        }
        let mut states = Vec::with_capacity(tally.packs.len());
        for pack in &tally.packs {
            let info = view.pack(pack.number)?;
            states.push(PackState {
                number: pack.number,
                kind: info.kind,
                len: info.len,
                blocks_len: view.blocks_len(pack.number)?,
                raw_live: pack.raw_live,
                raw_total: pack.raw_total,
                chunks_live: pack.chunks_live.into(),
            });
        }
        let has_purged = plan.has_purged(&view, &going)? || Observed::load(repo)?.has_purged(&destination.id);
        let packs = PackPlan::of(&states, repo.config.pack_bytes.into(), budget, has_purged);
        let snapshots = there.iter().map(|known| known.id).collect();
        Ok(Self { snapshots, going, live, packs, has_purged })
    }
}

/// Every chunk that is needed by what stays.
fn needs(
    repo: &Repo,
    view: &IndexReader,
    target: &Target,
    there: &[KnownSnapshot],
    going: &HashSet<SnapshotId>,
    monitor: &dyn Monitor,
) -> Result<LiveSet, Stop> {
    let fetcher = repo.fetcher(view);
    let source = Overlay { stored: &fetcher, imagined: target.trees.as_deref() };
    let staying: Vec<&KnownSnapshot> = there.iter().filter(|known| !going.contains(&known.id)).collect();
    let mut needs = Needs::new(&repo.scratch_folder()?, repo.budget);
    let roots = staying.iter().flat_map(|known| known.snapshot.roots.iter().map(|root| &root.node));
    for node in roots.chain(&target.imagined) {
        needs.add_root(node.clone())?;
    }
    match needs.finish(&source, monitor) {
        Err(LiveError::Read(error)) => {
            let is_readable = |known: &&&KnownSnapshot| {
                !known.snapshot.roots.iter().all(|root| super::unreadable::is_readable(&source, &root.node))
            };
            let broken: Vec<&KnownSnapshot> = staying.iter().filter(is_readable).copied().collect();
            Err(Stop::because(super::unreadable::sentence(&broken, &error)))
        }
        result => Ok(result?),
    }
}

/// Nothing that was seen here may be missing from the listing without anybody having said so (invariant I18).
fn is_complete(
    repo: &Repo,
    plan: &Plan,
    view: &IndexReader,
    destination: &OpenDestination,
    there: &[KnownSnapshot],
) -> Result<(), Stop> {
    let mut replaced = BTreeSet::new();
    for known in there {
        replaced.extend(Merged::find(&known.snapshot.extra).unwrap_or_default().histories);
    }
    let (mut missing, mut deleted) = (Vec::new(), Vec::new());
    view.each_snapshot(|id, row| -> Result<(), Stop> {
        let is_missing = row.seen & destination.bit != 0 && row.committed & destination.bit == 0;
        let is_meant = plan.marks.forgotten(&id).is_some() || replaced.contains(&id);
        match (is_missing, is_meant) {
            (true, true) => deleted.push(id),
            (true, false) => missing.push(id),
            _ => {}
        }
        Ok(())
    })?;
    if repo.index.is_writable() {
        note_deleted(&repo.index, destination, &deleted)?;
    }
    if let Some(first) = missing.first() {
        return Err(Stop::because(format!(
            "{} that {} here {} not in its listing ({}): run `cryptbackup sync`, which copies from another destination, or \
             `cryptbackup forget {}` if that was meant",
            if missing.len() == 1 { "a snapshot".to_owned() } else { format!("{} snapshots", missing.len()) },
            if missing.len() == 1 { "was" } else { "were" },
            if missing.len() == 1 { "is" } else { "are" },
            first.short(),
            first.short()
        )));
    }
    if let Some((lost, known)) = repo.lost_packs.get(&destination.name) {
        // What an earlier run condemned and deleted before it was cut off is not missing.
        let mut deleted = HashSet::new();
        let announced = Announced::read(&repo.keys, destination)?;
        for pack in announced.condemned().iter().flat_map(|(_, packs, _)| packs) {
            deleted.extend(view.pack_number(pack)?);
        }
        let missing = lost.iter().filter(|number| !deleted.contains(number)).count() as u64;
        if missing * 5 > *known {
            return Err(Stop::because(format!(
                "{missing} of {known} packs are not in its listing any more: run `cryptbackup check`"
            )));
        }
    }
    Ok(())
}

/// Snapshots that cannot be opened: forgotten ones go, any other stops everything, and so does a mark.
fn damaged_and_forgotten(repo: &Repo, plan: &Plan, destination: &OpenDestination) -> Result<Vec<SnapshotId>, Stop> {
    let view = repo.index.reader()?;
    let mut going = Vec::new();
    for (name, object, what) in &repo.findings {
        let id = match ObjectName::parse(object).filter(|_| *name == destination.name) {
            Some(ObjectName::Snapshot(id)) => id,
            Some(name @ ObjectName::Mark(_)) => {
                return Err(Stop::because(format!(
                    "{name} is damaged ({what}), and what it decided cannot be told: `cryptbackup check` says more"
                )));
            }
            _ => continue,
        };
        if !plan.is_unwanted_on(repo, &view, destination, &id)? {
            return Err(Stop::because(format!(
                "snapshot {} is damaged ({what}), and what it needs cannot be told; `cryptbackup forget {}` gives it up",
                id.short(),
                id.short()
            )));
        }
        going.push(id);
    }
    Ok(going)
}
