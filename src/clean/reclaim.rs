//! One destination: what nothing there needs any more goes, in an order that any crash may cut.
//!
//! ```text
//! alone:   condemn ─▶ still alone? nothing new? ─▶ delete snapshots ─▶ delete packs ─▶ take the list back
//! others:  condemn ─▶ wait for the grace period ─▶ look afresh ─▶ delete what is still dead ─▶ take the list back
//! ```

use std::collections::{BTreeSet, HashSet};

use super::histories::Target;
use super::observed::{Observed, Waiting};
use super::plan::Plan;
use super::survey::Survey;
use super::{CleanRequest, DestinationCleaned, repack};
use crate::destination::DestinationError;
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::index::{IndexError, PackNumber};
use crate::live::{Keepers, LiveError, LiveSet};
use crate::replicate::lanes::LaneTrouble;
use crate::replicate::neighbours::{self, Announced};
use crate::replicate::{OpenDestination, ReplicateError, reconcile};
use crate::repo::{Repo, state_after};
use crate::report::Monitor;

/// How often it is looked again when something new appeared meanwhile.
const LOOKS: u32 = 3;
/// Stored bytes of packs that are written anew before the old ones are deleted.
const BATCH_BYTES: u64 = 512 << 20;
/// Stored bytes of packs that an unattended run writes anew.
const UNATTENDED_BYTES: u64 = 1 << 30;

/// Why a destination is left as it is.
pub(super) enum Stop {
    /// Something there is not as it should be: one sentence without a full stop.
    Because(String),
    /// It failed.
    Destination(DestinationError),
    /// The whole run ends.
    Run(Error),
}

impl Stop {
    pub(super) fn because(why: String) -> Self {
        Self::Because(why)
    }

    pub(super) fn interrupted() -> Self {
        Self::Run(Error::Interrupted)
    }

    pub(super) fn trouble(trouble: &LaneTrouble) -> Self {
        match trouble {
            LaneTrouble::Failed(error) => Self::Destination(error.clone()),
            other => Self::Because(other.to_string()),
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Destination(error) => Self::Destination(error),
            other => Self::Run(other),
        }
    }
}

impl From<DestinationError> for Stop {
    fn from(error: DestinationError) -> Self {
        Self::Destination(error)
    }
}

impl From<IndexError> for Stop {
    fn from(error: IndexError) -> Self {
        Self::Run(error.into())
    }
}

impl From<ReplicateError> for Stop {
    fn from(error: ReplicateError) -> Self {
        Error::from(error).into()
    }
}

impl From<LiveError> for Stop {
    fn from(error: LiveError) -> Self {
        Error::from(error).into()
    }
}

/// Cleans one destination, or says why not. Gives what its snapshots need, where that is known.
///
/// # Errors
/// What ends the whole run.
pub(super) fn clean(
    repo: &Repo,
    plan: &Plan,
    target: Target,
    detail: Option<String>,
    request: &CleanRequest,
    monitor: &dyn Monitor,
) -> Result<(DestinationCleaned, Option<LiveSet>), Error> {
    monitor.current(&target.destination.name);
    let (name, detail) = (target.destination.name.clone(), detail.or_else(|| target.kept.clone()));
    let cleaned = DestinationCleaned { name, detail, ..DestinationCleaned::default() };
    let mut cleaner = Cleaner { repo, plan, target: &target, request, monitor, cleaned, live: None };
    let result = cleaner.run();
    let (mut cleaned, live) = (cleaner.cleaned, cleaner.live);
    match result {
        Ok(()) => {}
        Err(Stop::Because(why)) => cleaned.detail = Some(why),
        Err(Stop::Destination(error)) => {
            cleaned.state = Some(state_after(&error));
            cleaned.detail = Some(error.to_string());
        }
        Err(Stop::Run(error)) => return Err(error),
    }
    Ok((cleaned, live))
}

/// One destination being cleaned.
pub(super) struct Cleaner<'a> {
    pub repo: &'a Repo,
    pub plan: &'a Plan,
    target: &'a Target,
    request: &'a CleanRequest,
    pub monitor: &'a dyn Monitor,
    /// What happened so far.
    pub cleaned: DestinationCleaned,
    /// What the snapshots that stay need, where that is known.
    pub live: Option<LiveSet>,
}

/// What a look before deleting found.
enum Look {
    /// Nothing changed.
    Same,
    /// There is a snapshot that was not looked at.
    New,
    /// Another writer is here.
    NotAlone,
}

impl Cleaner<'_> {
    pub fn destination(&self) -> &OpenDestination {
        &self.target.destination
    }

    fn budget(&self) -> u64 {
        if self.request.is_unattended { UNATTENDED_BYTES } else { u64::MAX }
    }

    fn run(&mut self) -> Result<(), Stop> {
        let name = &self.destination().name;
        if let Some(gone) = self.repo.rolled_back(name) {
            return Err(Stop::because(gone.sentence(name)));
        }
        if self.request.dry_run {
            let survey = self.survey(&HashSet::new())?;
            return self.foresee(&survey);
        }
        if !self.destination().neighbours.are_there() {
            for look in 0..LOOKS {
                if look > 0 {
                    reconcile(&self.repo.index, &self.repo.keys, self.destination())?;
                }
                match self.alone()? {
                    Look::Same => return self.expect(Waiting::default()),
                    Look::New => {}
                    Look::NotAlone => return self.beside_others(),
                }
            }
            return Err(Stop::because("new snapshots appeared again and again".to_owned()));
        }
        self.beside_others()
    }

    pub fn survey(&self, condemned: &HashSet<PackNumber>) -> Result<Survey, Stop> {
        Survey::make(self.repo, self.plan, self.target, condemned, self.budget(), self.monitor)
    }

    /// What would come back.
    fn foresee(&mut self, survey: &Survey) -> Result<(), Stop> {
        self.cleaned.snapshots_deleted =
            (survey.going.intersection(&survey.snapshots.iter().copied().collect())).count() as u64;
        self.cleaned.packs_rewritten = survey.packs.rewrite.len() as u64;
        self.cleaned.packs_deleted = (survey.packs.dead.len() + survey.packs.rewrite.len()) as u64;
        let freed = survey.packs.bytes_freed();
        if self.repo.has_others(self.destination())? {
            self.cleaned.bytes_waiting = freed;
        } else {
            self.cleaned.bytes_freed = freed;
        }
        self.expect(Waiting { bytes_reclaimable: Some(freed), ..self.waiting()? })
    }

    fn waiting(&self) -> Result<Waiting, Stop> {
        Ok(super::waiting(self.repo, &self.destination().id)?)
    }

    fn expect(&self, waiting: Waiting) -> Result<(), Stop> {
        let mut observed = Observed::load(self.repo)?;
        observed.expect(&self.destination().id, waiting);
        Ok(observed.save(self.repo)?)
    }

    /// Nobody else writes here: space comes back at once.
    fn alone(&mut self) -> Result<Look, Stop> {
        let survey = self.survey(&HashSet::new())?;
        self.take_back_what_was_said()?;
        let lists = self.condemn(&survey.packs.dead)?;
        match self.look(&survey.snapshots)? {
            Look::Same => {}
            look => return Ok(look),
        }
        self.delete_snapshots(&survey)?;
        let freed = self.delete_packs(&survey.packs.dead)?;
        // Nobody else writes here, so what is unfinished was cut off.
        self.cleaned.bytes_freed += freed + self.destination().place.discard_unfinished()?;
        self.delete_lists(&lists)?;
        let left: BTreeSet<SnapshotId> =
            survey.snapshots.iter().filter(|id| !survey.going.contains(id)).copied().collect();
        let mut has_purged = survey.packs.leaves_dead;
        for batch in self.batches(&survey.packs.rewrite)? {
            let written = self.rewrite(&survey, &batch)?;
            has_purged |= written.done.len() < batch.len();
            let lists = self.condemn(&written.done)?;
            match self.look(&left)? {
                Look::Same => {}
                look => return Ok(look),
            }
            let freed = self.delete_packs(&written.done)?;
            self.cleaned.packs_rewritten += written.done.len() as u64;
            self.cleaned.bytes_freed += freed.saturating_sub(written.bytes_written);
            self.delete_lists(&lists)?;
        }
        if !has_purged {
            self.note_purged(false)?;
        }
        self.live = Some(survey.live);
        Ok(Look::Same)
    }

    pub fn rewrite(&mut self, survey: &Survey, batch: &[PackNumber]) -> Result<repack::Rewritten, Stop> {
        let view = self.repo.index.reader()?;
        let destination = self.destination();
        let rank = |_| 0;
        let keepers = Keepers { index: &view, live: &survey.live, bit: destination.bit, rank: &rank };
        let written = repack::rewrite(self.repo, &view, destination, &keepers, batch, self.monitor)?;
        if let Some(damaged) = written.damaged.first() {
            self.cleaned.detail = Some(damaged.clone());
        }
        Ok(written)
    }

    /// Packs in portions, so that little more space is needed while they are written anew.
    pub fn batches(&self, packs: &[PackNumber]) -> Result<Vec<Vec<PackNumber>>, Stop> {
        let view = self.repo.index.reader()?;
        let free = self.destination().place.free_bytes().ok().flatten().unwrap_or(u64::MAX);
        let limit = BATCH_BYTES.min(free / 2);
        let (mut batches, mut bytes) = (Vec::<Vec<PackNumber>>::new(), 0);
        for &pack in packs {
            let len = view.pack(pack)?.len;
            match batches.last_mut() {
                Some(batch) if bytes + len <= limit => batch.push(pack),
                _ => {
                    batches.push(vec![pack]);
                    bytes = 0;
                }
            }
            bytes += len;
        }
        Ok(batches)
    }

    /// Looks whether anybody came and whether there is anything new, after the list was put.
    fn look(&self, snapshots: &BTreeSet<SnapshotId>) -> Result<Look, Stop> {
        let own = self.repo.writer_id()?;
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let has_others = neighbours::has_other_writers(&self.repo.keys, self.destination(), &own)?;
        if has_others || !announced.sessions_of_others().is_empty() {
            return Ok(Look::NotAlone);
        }
        let is_same = self.listed_snapshots()? == *snapshots && self.has_known_marks()?;
        Ok(if is_same { Look::Same } else { Look::New })
    }

    /// Whether no mark appeared meanwhile: one might take a decision back.
    pub fn has_known_marks(&self) -> Result<bool, Stop> {
        let mut known = BTreeSet::new();
        let bit = self.destination().bit;
        self.repo.index.reader()?.each_mark(|hash, row| -> Result<(), Stop> {
            known.extend((row.present & bit != 0).then_some(hash));
            Ok(())
        })?;
        let mut is_known = true;
        self.destination().place.list(ObjectKind::Marks, None, &mut |name, _| {
            is_known &= name.hash().is_some_and(|hash| known.contains(&hash));
        })?;
        Ok(is_known)
    }

    pub fn listed_snapshots(&self) -> Result<BTreeSet<SnapshotId>, Stop> {
        let mut listed = BTreeSet::new();
        self.destination().place.list(ObjectKind::Snapshots, None, &mut |name, _| {
            if let ObjectName::Snapshot(id) = name {
                listed.insert(id);
            }
        })?;
        // Damaged ones are not in the index; they were dealt with.
        let damaged = self.repo.findings.iter().filter(|(name, ..)| *name == self.destination().name);
        for (_, object, _) in damaged {
            if let Some(ObjectName::Snapshot(id)) = ObjectName::parse(object) {
                listed.remove(&id);
            }
        }
        Ok(listed)
    }
}
