//! A destination that other writers use too: what is dead is condemned, and deleted when everybody had time to notice.

use std::collections::HashSet;

use super::observed::{Observed, Waiting};
use super::reclaim::{Cleaner, Stop};
use super::survey::Survey;
use crate::format::id::{ObjectHash, PackId};
use crate::format::record::Time;
use crate::index::PackNumber;
use crate::replicate::neighbours::Announced;

/// A list that a writer at work may not have seen waits at least so long.
const SESSION_SECONDS: i64 = 72 * 3600;
/// The shortest grace period.
const DAY_SECONDS: i64 = 86_400;

impl Cleaner<'_> {
    /// Others write here too: what is dead is condemned now and deleted when everybody had time to notice.
    pub(super) fn beside_others(&mut self) -> Result<(), Stop> {
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let lists = announced.condemned();
        let view = self.repo.index.reader()?;
        let mut condemned = HashSet::new();
        for pack in lists.iter().flat_map(|(_, packs, _)| packs) {
            condemned.extend(view.pack_number(pack)?);
        }
        drop(view);
        let survey = self.survey(&condemned)?;
        let mut observed = Observed::load(self.repo)?;
        let hashes: Vec<ObjectHash> = lists.iter().map(|(hash, ..)| *hash).collect();
        let newest = announced.sessions_of_others();
        observed.note(&self.destination().id, &hashes, &newest, self.plan.now);
        observed.save(self.repo)?;
        let mut dead: HashSet<PackNumber> = survey.packs.dead.iter().copied().collect();
        let mut due = Vec::new();
        for (hash, packs, sessions) in &lists {
            let (age, runs) = observed.age(&self.destination().id, hash);
            let before = observed.sessions(&self.destination().id, hash);
            let is_at_work = sessions.iter().chain(&before).any(|session| newest.contains(session));
            let least = if is_at_work { self.grace().max(SESSION_SECONDS) } else { self.grace() };
            if age >= least && runs >= 2 {
                due.push((*hash, packs.clone()));
            }
        }
        self.sweep(&survey, &due, &mut dead)?;
        let batches = if due.is_empty() { Vec::new() } else { self.batches(&survey.packs.rewrite)? };
        let mut has_purged = due.is_empty() || survey.packs.leaves_dead;
        for batch in batches {
            let done = self.rewrite(&survey, &batch)?.done;
            has_purged |= done.len() < batch.len();
            dead.extend(done);
        }
        if !has_purged {
            self.note_purged(false)?;
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
        // Snapshots wait for the grace too, and so do packs of which something is needed, though none is dead as a whole.
        let has_more = due.is_empty() && !(survey.going.is_empty() && survey.packs.rewrite.is_empty());
        let is_first = hashes.is_empty() && has_more;
        hashes.extend(if is_first { self.put_lists(&new)? } else { self.condemn(&new)? });
        self.live = Some(survey.live);
        self.tell_of_waiting(&hashes)?;
        self.delete_old_sessions(&announced)
    }

    /// Deletes what waited long enough, is dead by a fresh look, and was not needed by anything new meanwhile (invariant
    /// I16).
    pub(super) fn sweep(
        &mut self,
        survey: &Survey,
        due: &[(ObjectHash, Vec<PackId>)],
        dead: &mut HashSet<PackNumber>,
    ) -> Result<(), Stop> {
        if due.is_empty() {
            return Ok(());
        }
        if self.listed_snapshots()? != survey.snapshots || !self.has_known_marks()? {
            return Err(Stop::because("a snapshot or a mark was made meanwhile; the next `clean` goes on".to_owned()));
        }
        self.delete_snapshots(survey)?;
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

    pub(super) fn grace(&self) -> i64 {
        (i64::from(self.repo.settings.retention.grace_days) * DAY_SECONDS).max(DAY_SECONDS)
    }

    /// Says how much waits in these lists, and until when.
    pub(super) fn tell_of_waiting(&mut self, lists: &[ObjectHash]) -> Result<(), Stop> {
        let mut observed = Observed::load(self.repo)?;
        let id = self.destination().id;
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        observed.note_only(&id, lists, &announced.sessions_of_others(), self.plan.now);
        let view = self.repo.index.reader()?;
        let (mut bytes, mut oldest) = (0, 0);
        for (hash, packs, _) in announced.condemned() {
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

    /// Sessions that this run ended.
    pub(super) fn delete_old_sessions(&self, announced: &Announced) -> Result<(), Stop> {
        self.delete_lists(&announced.ended_sessions())
    }
}
