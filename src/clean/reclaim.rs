//! One destination: what nothing there needs any more goes, in an order that any crash may cut.
//!
//! ```text
//! alone:   condemn ─▶ still alone? nothing new? ─▶ delete snapshots ─▶ delete packs ─▶ take the list back
//! others:  condemn ─▶ wait for the grace period ─▶ look afresh ─▶ delete what is still dead ─▶ take the list back
//! ```

use std::collections::{BTreeMap, HashSet};

use super::histories::Target;
use super::observed::{Observed, Waiting};
use super::plan::Plan;
use super::survey::Survey;
use super::{CleanRequest, DestinationCleaned, repack};
use crate::destination::{DestinationError, Settle};
use crate::error::Error;
use crate::format::cleaning::{Announcement, CONDEMNED_MAX};
use crate::format::id::{ObjectHash, PackId, SnapshotId};
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::record::Time;
use crate::index::{IndexError, PackNumber};
use crate::live::{Keepers, LiveError};
use crate::monitor::Monitor;
use crate::replicate::lanes::LaneTrouble;
use crate::replicate::neighbours::{self, Announced};
use crate::replicate::{OpenDestination, ReplicateError, reconcile};
use crate::repo::{Repo, state_after};

/// How often it is looked again when something new appeared meanwhile.
const LOOKS: u32 = 3;
/// Stored bytes of packs that are written anew before the old ones are deleted.
const BATCH_BYTES: u64 = 512 << 20;
/// Stored bytes of packs that an unattended run writes anew.
const UNATTENDED_BYTES: u64 = 1 << 30;
/// A list that a writer at work may not have seen waits at least so long.
const SESSION_SECONDS: i64 = 72 * 3600;
/// The shortest grace period.
const DAY_SECONDS: i64 = 86_400;

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

/// Cleans one destination, or says why not.
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
) -> Result<DestinationCleaned, Error> {
    monitor.current(&target.destination.name);
    let cleaned = DestinationCleaned { name: target.destination.name.clone(), detail, ..DestinationCleaned::default() };
    let mut cleaner = Cleaner { repo, plan, target: &target, request, monitor, cleaned };
    let result = cleaner.run();
    let mut cleaned = cleaner.cleaned;
    match result {
        Ok(()) => {}
        Err(Stop::Because(why)) => cleaned.detail = Some(why),
        Err(Stop::Destination(error)) => {
            cleaned.state = Some(state_after(&error));
            cleaned.detail = Some(error.to_string());
        }
        Err(Stop::Run(error)) => return Err(error),
    }
    Ok(cleaned)
}

struct Cleaner<'a> {
    repo: &'a Repo,
    plan: &'a Plan,
    target: &'a Target,
    request: &'a CleanRequest,
    monitor: &'a dyn Monitor,
    cleaned: DestinationCleaned,
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
    fn destination(&self) -> &OpenDestination {
        &self.target.destination
    }

    fn budget(&self) -> u64 {
        if self.request.is_unattended { UNATTENDED_BYTES } else { u64::MAX }
    }

    fn run(&mut self) -> Result<(), Stop> {
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

    fn survey(&self, condemned: &HashSet<PackNumber>) -> Result<Survey, Stop> {
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
        self.take_back_own_lists()?;
        let lists = self.condemn(&survey.packs.dead)?;
        match self.look(&survey.snapshots)? {
            Look::Same => {}
            look => return Ok(look),
        }
        self.delete_snapshots(&survey.going)?;
        let freed = self.delete_packs(&survey.packs.dead)?;
        self.cleaned.bytes_freed += freed;
        self.delete_lists(&lists)?;
        let left: std::collections::BTreeSet<SnapshotId> =
            survey.snapshots.iter().filter(|id| !survey.going.contains(id)).copied().collect();
        for batch in self.batches(&survey.packs.rewrite)? {
            let written = self.rewrite(&survey, &batch)?;
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
        Ok(Look::Same)
    }

    /// Others write here too: what is dead is condemned now and deleted when everybody had time to notice.
    fn beside_others(&mut self) -> Result<(), Stop> {
        let own = self.repo.writer_id()?;
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let lists = announced.condemned_by(&own);
        let view = self.repo.index.reader()?;
        let mut condemned = HashSet::new();
        for pack in lists.iter().flat_map(|(_, packs, _)| packs) {
            condemned.extend(view.pack_number(pack)?);
        }
        drop(view);
        let survey = self.survey(&condemned)?;
        let mut observed = Observed::load(self.repo)?;
        let hashes: Vec<ObjectHash> = lists.iter().map(|(hash, ..)| *hash).collect();
        observed.note(&self.destination().id, &hashes, self.plan.now);
        observed.save(self.repo)?;
        let mut dead: HashSet<PackNumber> = survey.packs.dead.iter().copied().collect();
        let newest: Vec<ObjectHash> = announced.sessions_of_others(&own).into_iter().map(|(hash, _)| hash).collect();
        let mut due = Vec::new();
        for (hash, packs, sessions) in &lists {
            let (age, runs) = observed.age(&self.destination().id, hash);
            let is_at_work = sessions.iter().any(|session| newest.contains(session));
            let least = if is_at_work { self.grace().max(SESSION_SECONDS) } else { self.grace() };
            if age >= least && runs >= 2 {
                due.push((*hash, packs.clone()));
            }
        }
        self.sweep(&survey, &due, &mut dead)?;
        let batches = if due.is_empty() { Vec::new() } else { self.batches(&survey.packs.rewrite)? };
        for batch in batches {
            dead.extend(self.rewrite(&survey, &batch)?.done);
        }
        let waiting: HashSet<ObjectHash> = due.iter().map(|(hash, _)| *hash).collect();
        for (_, packs, _) in lists.iter().filter(|(hash, ..)| !waiting.contains(hash)) {
            let view = self.repo.index.reader()?;
            for pack in packs {
                if let Some(number) = view.pack_number(pack)? {
                    dead.remove(&number);
                }
            }
        }
        let mut new: Vec<PackNumber> = dead.into_iter().collect();
        new.sort_unstable();
        let mut hashes: Vec<ObjectHash> = hashes.into_iter().filter(|hash| !waiting.contains(hash)).collect();
        hashes.extend(self.condemn(&new)?);
        self.tell_of_waiting(&hashes)?;
        self.delete_old_sessions(&announced)
    }

    /// Deletes what waited long enough, is dead by a fresh look, and was not needed by anything new meanwhile.
    fn sweep(
        &mut self,
        survey: &Survey,
        due: &[(ObjectHash, Vec<PackId>)],
        dead: &mut HashSet<PackNumber>,
    ) -> Result<(), Stop> {
        if due.is_empty() {
            return Ok(());
        }
        if self.listed_snapshots()? != survey.snapshots {
            return Err(Stop::because("a snapshot was made meanwhile; the next `clean` goes on".to_owned()));
        }
        self.delete_snapshots(&survey.going)?;
        let view = self.repo.index.reader()?;
        let mut packs = Vec::new();
        for pack in due.iter().flat_map(|(_, packs)| packs) {
            if let Some(number) = view.pack_number(pack)?.filter(|number| dead.remove(number)) {
                packs.push(number);
            }
        }
        drop(view);
        let freed = self.delete_packs(&packs)?;
        self.cleaned.bytes_freed += freed;
        let lists: Vec<ObjectHash> = due.iter().map(|(hash, _)| *hash).collect();
        self.delete_lists(&lists)
    }

    fn grace(&self) -> i64 {
        (i64::from(self.repo.settings.retention.grace_days) * DAY_SECONDS).max(DAY_SECONDS)
    }

    /// Says how much waits in these lists, and until when.
    fn tell_of_waiting(&mut self, lists: &[ObjectHash]) -> Result<(), Stop> {
        let mut observed = Observed::load(self.repo)?;
        let id = self.destination().id;
        observed.note_only(&id, lists, self.plan.now);
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let view = self.repo.index.reader()?;
        let (mut bytes, mut oldest) = (0, 0);
        for (hash, packs, _) in announced.condemned_by(&self.repo.writer_id()?) {
            oldest = oldest.max(observed.age(&id, &hash).0);
            for pack in packs {
                if let Some(number) = view.pack_number(&pack)? {
                    bytes += view.pack(number)?.len;
                }
            }
        }
        let now = self.plan.now;
        let returns = Time { seconds: now.seconds + (self.grace() - oldest).max(0), nanos: 0 };
        self.cleaned.bytes_waiting = bytes;
        self.cleaned.returns = (bytes > 0).then_some(returns);
        observed.expect(&id, Waiting { bytes_waiting: bytes, returns: self.cleaned.returns, bytes_reclaimable: None });
        Ok(observed.save(self.repo)?)
    }

    fn rewrite(&mut self, survey: &Survey, batch: &[PackNumber]) -> Result<repack::Rewritten, Stop> {
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
    fn batches(&self, packs: &[PackNumber]) -> Result<Vec<Vec<PackNumber>>, Stop> {
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

    /// Says which packs will be deleted.
    fn condemn(&self, packs: &[PackNumber]) -> Result<Vec<ObjectHash>, Stop> {
        if packs.is_empty() {
            return Ok(Vec::new());
        }
        let own = self.repo.writer_id()?;
        let view = self.repo.index.reader()?;
        let mut ids = packs.iter().map(|&pack| Ok(view.pack(pack)?.id)).collect::<Result<Vec<PackId>, Stop>>()?;
        ids.sort_unstable();
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let sessions: Vec<_> = announced.sessions_of_others(&own).into_iter().map(|(hash, _)| hash).collect();
        let mut lists = Vec::new();
        for part in ids.chunks(CONDEMNED_MAX) {
            let list = Announcement::Condemned { packs: part.to_vec(), sessions: sessions.clone() };
            let now = self.repo.now();
            lists.push(neighbours::announce(&self.repo.keys, self.destination(), own, now, list)?);
        }
        Ok(lists)
    }

    /// Looks whether anybody came and whether there is anything new, after the list was put.
    fn look(&self, snapshots: &std::collections::BTreeSet<SnapshotId>) -> Result<Look, Stop> {
        let own = self.repo.writer_id()?;
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let has_others = neighbours::has_other_writers(&self.repo.keys, self.destination(), &own)?;
        if has_others || !announced.sessions_of_others(&own).is_empty() {
            return Ok(Look::NotAlone);
        }
        Ok(if self.listed_snapshots()? == *snapshots { Look::Same } else { Look::New })
    }

    fn listed_snapshots(&self) -> Result<std::collections::BTreeSet<SnapshotId>, Stop> {
        let mut listed = std::collections::BTreeSet::new();
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

    /// Snapshots go before any pack that only they needed (invariant I4).
    fn delete_snapshots(&mut self, going: &HashSet<SnapshotId>) -> Result<(), Stop> {
        if going.is_empty() {
            return Ok(());
        }
        let destination = self.destination();
        for id in going {
            destination.place.delete(&ObjectName::Snapshot(*id))?;
        }
        destination.place.settle(Settle::Touched)?;
        let bit = destination.bit;
        let mut writer = self.repo.index.writer()?;
        for id in going {
            let mut is_gone = false;
            writer.update_snapshot(id, |row| {
                (row.committed, row.whole, row.seen) = (row.committed & !bit, row.whole & !bit, row.seen & !bit);
                is_gone = row.committed == 0;
            })?;
            if is_gone {
                writer.remove_snapshot(id)?;
            }
        }
        writer.commit()?;
        self.cleaned.snapshots_deleted += going.len() as u64;
        Ok(())
    }

    /// Deletes packs; gives their stored bytes.
    fn delete_packs(&mut self, packs: &[PackNumber]) -> Result<u64, Stop> {
        if packs.is_empty() {
            return Ok(0);
        }
        let destination = self.destination();
        let view = self.repo.index.reader()?;
        let (mut freed, mut gone) = (0, BTreeMap::new());
        for &number in packs {
            let info = view.pack(number)?;
            destination.place.delete(&ObjectName::Pack(info.id))?;
            freed += info.len;
            if view.presence(number)? & !destination.bit == 0 {
                gone.insert(number, info.id);
            }
            self.monitor.advance(1, 0);
        }
        drop(view);
        destination.place.settle(Settle::Touched)?;
        let bit = destination.bit;
        let mut writer = self.repo.index.writer()?;
        writer.set_absent(packs.iter().copied(), bit)?;
        writer.remove_packs(&gone)?;
        writer.commit()?;
        self.cleaned.packs_deleted += packs.len() as u64;
        Ok(freed)
    }

    fn delete_lists(&self, lists: &[ObjectHash]) -> Result<(), Stop> {
        if lists.is_empty() {
            return Ok(());
        }
        for list in lists {
            self.destination().place.delete(&ObjectName::Cleaning(*list))?;
        }
        Ok(self.destination().place.settle(Settle::Touched)?)
    }

    /// Lists that an earlier run of this writer did not come to sweep: this run makes its own.
    fn take_back_own_lists(&self) -> Result<(), Stop> {
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let own = self.repo.writer_id()?;
        let lists: Vec<ObjectHash> = announced.condemned_by(&own).into_iter().map(|(hash, ..)| hash).collect();
        self.delete_lists(&lists)
    }

    /// Sessions that a later one of the same writer ended.
    fn delete_old_sessions(&self, announced: &Announced) -> Result<(), Stop> {
        let old = announced.ended_sessions();
        self.delete_lists(&old)
    }
}
