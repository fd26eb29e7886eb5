//! The deletions of cleaning, each in its order: list, snapshots, packs, list (docs/format.md §16).

use std::collections::{BTreeMap, HashSet};

use super::observed::Observed;
use super::reclaim::{Cleaner, Stop};
use super::survey::Survey;
use crate::destination::Settle;
use crate::format::cleaning::{Announcement, CONDEMNED_MAX};
use crate::format::id::{ObjectHash, PackId};
use crate::format::layout::ObjectName;
use crate::index::PackNumber;
use crate::replicate::neighbours::Announced;

impl Cleaner<'_> {
    /// Says which packs will be deleted, and waits until that shows (invariant I16).
    pub(super) fn condemn(&self, packs: &[PackNumber]) -> Result<Vec<ObjectHash>, Stop> {
        if packs.is_empty() { Ok(Vec::new()) } else { self.put_lists(packs) }
    }

    /// The same; where there are none a list without any, from which the grace counts.
    pub(super) fn put_lists(&self, packs: &[PackNumber]) -> Result<Vec<ObjectHash>, Stop> {
        let view = self.repo.index.reader()?;
        let mut ids = packs.iter().map(|&pack| Ok(view.pack(pack)?.id)).collect::<Result<Vec<PackId>, Stop>>()?;
        ids.sort_unstable();
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let sessions = announced.sessions_of_others();
        let mut lists = Vec::new();
        let mut parts: Vec<&[PackId]> = ids.chunks(CONDEMNED_MAX).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for part in parts {
            let list = Announcement::Condemned { packs: part.to_vec(), sessions: sessions.clone() };
            lists.push(self.repo.announce(self.destination(), list)?);
        }
        Ok(lists)
    }

    /// Remembers whether something of what was purged may still be in the packs: a run that is cut off leaves it there, and
    /// the snapshots that told of it are gone by then.
    pub(super) fn note_purged(&self, has_purged: bool) -> Result<(), Stop> {
        let mut observed = Observed::load(self.repo)?;
        if observed.has_purged(&self.destination().id) != has_purged {
            observed.set_has_purged(&self.destination().id, has_purged);
            observed.save(self.repo)?;
        }
        Ok(())
    }

    /// Snapshots go before any pack that only they needed (invariant I4). What takes over their versions is there (I15),
    /// and so is the mark that forgets them (I14).
    pub(super) fn delete_snapshots(&mut self, survey: &Survey) -> Result<(), Stop> {
        let going = &survey.going;
        if going.is_empty() {
            return Ok(());
        }
        let destination = self.destination();
        if survey.has_purged {
            self.note_purged(true)?;
        }
        self.repo.expect_gone(destination, going, &[])?;
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
                is_gone = row.committed == 0 && row.seen == 0;
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
    pub(super) fn delete_packs(&mut self, packs: &[PackNumber]) -> Result<u64, Stop> {
        if packs.is_empty() {
            return Ok(0);
        }
        let destination = self.destination();
        let view = self.repo.index.reader()?;
        let (mut freed, mut gone) = (0, BTreeMap::new());
        let ids = packs.iter().map(|&pack| Ok(view.pack(pack)?.id)).collect::<Result<Vec<PackId>, Stop>>()?;
        self.repo.expect_gone(destination, &HashSet::new(), &ids)?;
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

    pub(super) fn delete_lists(&self, lists: &[ObjectHash]) -> Result<(), Stop> {
        if lists.is_empty() {
            return Ok(());
        }
        for list in lists {
            self.destination().place.delete(&ObjectName::Cleaning(*list))?;
        }
        Ok(self.destination().place.settle(Settle::Touched)?)
    }

    /// What an earlier run said here and did not come to take back: this run says its own. Never what others said, nor
    /// the newest session (invariant I20).
    pub(super) fn take_back_what_was_said(&self) -> Result<(), Stop> {
        let announced = Announced::read(&self.repo.keys, self.destination())?;
        let lists = announced.condemned().into_iter().map(|(hash, ..)| hash);
        self.delete_lists(&lists.chain(announced.ended_sessions()).collect::<Vec<ObjectHash>>())
    }
}
