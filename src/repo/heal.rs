//! Damaged and missing objects of one destination written again: from another destination, from the state folder, or
//! from what is left of them.

use std::path::Path;

use super::destinations::KnownIds;
use super::heads::{self, HeadStore, without_one_flip};
use super::refresh::state_after;
use super::{Access, DestinationState, Repo};
use crate::destination::{
    Destination, DestinationErrorKind, LocalDestination, OpenError, Proof, Settle, reserve_bytes,
};
use crate::error::Error;
use crate::format::header::DestinationMark;
use crate::format::id::{ObjectHash, PackId, SnapshotId};
use crate::format::layout::ObjectName;
use crate::format::sealed::{ObjectType, RecordHead};
use crate::format::slot::Slot;
use crate::index::DestinationBits;
use crate::pack::PackReader;
use crate::replicate::heal::put_whole;
use crate::replicate::{self, Healing, OpenDestination, PackHealer, ReplicateError};
use crate::report::Monitor;
use crate::seal::{Keys, SealError};
use crate::snapshot::ReadError;

/// A destination of which `dest.id`, the header or a folder was written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MendedPlace {
    /// Its name.
    pub name: String,
    /// What was wrong.
    pub what: String,
    /// Why it could not be, where it could not.
    pub failure: Option<String>,
}

impl Repo {
    /// Writes `dest.id`, headers and folders again where they are damaged, and opens those destinations. What was found
    /// while they were opened the first time stays found.
    ///
    /// # Errors
    /// Those of [`Repo::open`].
    pub(crate) fn mend_places(&mut self, only: Option<&str>, monitor: &dyn Monitor) -> Result<Vec<MendedPlace>, Error> {
        let known = KnownIds::load(&self.home)?;
        let mut mended = Vec::new();
        for lost in &self.unreachable {
            if lost.state != DestinationState::Damaged || only.is_some_and(|name| name != lost.name) {
                continue;
            }
            let expected = known.get(&lost.name);
            let mark = match expected.map(|destination| DestinationMark { repo: self.header.repo, destination }) {
                // This machine never saw it whole: then it is what it says it is itself, if it can.
                None => self.mark_of_damaged(&lost.path),
                known => known,
            };
            let failure = match mark {
                Some(mark) => self.mend_place(&lost.path, &mark).err().map(|error| error.to_string()),
                None => {
                    Some("`dest.id` cannot be read, and this machine never saw it: another one may know it".to_owned())
                }
            };
            mended.push(MendedPlace { name: lost.name.clone(), what: lost.detail.clone(), failure });
        }
        if mended.iter().any(|mended| mended.failure.is_none()) {
            let found = std::mem::take(&mut self.findings);
            self.refresh(Access::Write, monitor)?;
            let new = found.into_iter().filter(|finding| !self.findings.contains(finding)).collect::<Vec<_>>();
            self.findings.extend(new);
        }
        Ok(mended)
    }

    /// Writes again what says what a folder is. Where nothing of that can be read, a key ring of this repository that is there
    /// proves it.
    fn mend_place(&self, path: &Path, mark: &DestinationMark) -> Result<(), Error> {
        let machine = self.home.machine();
        let refused = |error: OpenError| heads::damaged(&"the folder", &path.display().to_string(), &error);
        let proof = match LocalDestination::open_at(machine, path, Some(mark)) {
            Err(OpenError::Damaged(damage)) if damage.mark.is_none() && damage.header.is_none() => {
                self.recognise_ring(path, mark)?;
                Proof::Keys
            }
            _ => Proof::Identity,
        };
        let (place, _) = LocalDestination::mend_at(machine, path, mark, &self.header, proof).map_err(refused)?;
        // Both are lost with one sector seldom, and with a copy that was cut short often.
        if proof == Proof::Keys {
            place.settle_what_was_copied()?;
        }
        Ok(())
    }

    /// Fails unless a key ring of this repository is in a folder.
    fn recognise_ring(&self, path: &Path, mark: &DestinationMark) -> Result<(), Error> {
        let refused = |why: &dyn std::fmt::Display| heads::damaged(&"the folder", &path.display().to_string(), why);
        let place = LocalDestination::salvage_at(self.home.machine(), path, mark, &self.header)
            .map_err(|error| refused(&error))?;
        let is_ring = |name: &ObjectName| matches!(name, ObjectName::Ring(..));
        let mut rings = HeadStore::new(&self.home).all()?.into_iter().filter(|(name, _)| is_ring(name));
        match rings.any(|(name, bytes)| place.get(&name, None).is_ok_and(|there| there == bytes)) {
            true => Ok(()),
            false => Err(refused(&"neither what says what it is nor a key ring can be read")),
        }
    }

    /// What a damaged destination says of itself; none where that cannot be read, or is of another repository.
    fn mark_of_damaged(&self, path: &Path) -> Option<DestinationMark> {
        match LocalDestination::open_at(self.home.machine(), path, None) {
            Err(OpenError::Damaged(damage)) => damage.mark.filter(|mark| mark.repo == self.header.repo),
            _ => None,
        }
    }

    /// Looks at everything again, after it was healed.
    pub(crate) fn look_again(&mut self, monitor: &dyn Monitor) -> Result<(), Error> {
        self.refresh(Access::Write, monitor)
    }

    /// Heals one object of a destination. What fails is told as the reason why it was left.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Interrupted`].
    pub(crate) fn heal(
        &self,
        target: &OpenDestination,
        name: &ObjectName,
        monitor: &dyn Monitor,
    ) -> Result<Healing, Error> {
        match name {
            ObjectName::Pack(id) => Ok(self.pack_healer()?.heal(target, id)?),
            ObjectName::Snapshot(id) if self.is_absent(target, name) => self.heal_missing_snapshot(target, id, monitor),
            _ => self.heal_small(target, name),
        }
    }

    /// Takes in the keys that a destination has again, after they were healed: what needs them may come next.
    ///
    /// # Errors
    /// Those of [`Repo::open`].
    pub(crate) fn take_in_healed_keys(&mut self, target: &OpenDestination) -> Result<(), Error> {
        self.take_in_keys(std::slice::from_ref(target)).map(drop)
    }

    /// Only makes a pack whole again: nothing is given up.
    pub(crate) fn heal_pack_if_whole(&self, bit: DestinationBits, pack: &PackId) -> Result<Option<Healing>, Error> {
        let Some(target) = self.destinations.iter().find(|known| known.bit == bit) else { return Ok(None) };
        // Cleaned away since it was found.
        if self.index.reader()?.pack_number(pack)?.is_none() {
            return Ok(None);
        }
        let healer = PackHealer { may_give_up: false, ..self.pack_healer()? };
        Ok(Some(healer.heal(target, pack)?))
    }

    fn pack_healer(&self) -> Result<PackHealer<'_>, Error> {
        Ok(PackHealer {
            keys: &self.keys,
            index: &self.index,
            destinations: self.readable(),
            may_give_up: self.unreachable.is_empty(),
        })
    }

    fn is_absent(&self, target: &OpenDestination, name: &ObjectName) -> bool {
        target.place.get(name, Some(0..1)).is_err_and(|error| error.kind == DestinationErrorKind::Absent)
    }

    /// A snapshot is written only where everything it needs is.
    fn heal_missing_snapshot(
        &self,
        target: &OpenDestination,
        id: &SnapshotId,
        monitor: &dyn Monitor,
    ) -> Result<Healing, Error> {
        match self.catch_up(monitor)?.snapshot(target, id) {
            Ok(_) => Ok(Healing::Healed("written again".to_owned())),
            Err(ReplicateError::Destination(error)) => Ok(Healing::Left(error.to_string())),
            Err(ReplicateError::Read(error @ (ReadError::Missing { .. } | ReadError::Damaged { .. }))) => {
                Ok(Healing::Left(format!("what it needs is not whole within reach: {error}")))
            }
            Err(other) => Err(other.into()),
        }
    }

    fn heal_small(&self, target: &OpenDestination, name: &ObjectName) -> Result<Healing, Error> {
        let current = target.place.get(name, None);
        let is_fixed = name.hash().is_none();
        if let Some(bytes) = current.as_ref().ok().filter(|bytes| !is_fixed && name.matches(bytes)) {
            return match open(&self.keys, name, bytes) {
                Ok(()) => {
                    target.place.settle(Settle::Touched).map_err(Error::Destination)?;
                    Ok(Healing::Healed("it is whole".to_owned()))
                }
                // Whoever has the key, or a newer program, needs it.
                Err(error) if error.may_open_elsewhere() => Ok(Healing::Left(error.to_string())),
                // The name belongs to these bytes, but not in this folder.
                Err(_) => Ok(remove(target, name)),
            };
        }
        let Some((bytes, how)) = self.good_bytes(target, name, current.as_deref().ok())? else {
            return match (name, current) {
                // That it cannot be read now says nothing about it.
                (_, Err(error)) if !error.is_of_object() => Ok(Healing::Left(error.to_string())),
                // Damaged it counts for nobody, and whoever put it puts another.
                (ObjectName::Cleaning(_), _) => Ok(remove(target, name)),
                _ => Ok(Healing::Left("no destination within reach and nothing on this computer has it".to_owned())),
            };
        };
        Ok(match put_whole(target, name, &bytes) {
            Ok(()) => Healing::Healed(how),
            Err(error) => Healing::Left(error.to_string()),
        })
    }

    /// The bytes an object must have, and where they come from.
    fn good_bytes(
        &self,
        target: &OpenDestination,
        name: &ObjectName,
        current: Option<&[u8]>,
    ) -> Result<Option<(Vec<u8>, String)>, Error> {
        match name {
            ObjectName::Header => return Ok(Some((self.header.encode(), "written again".to_owned()))),
            ObjectName::DestinationMark => {
                let mark = DestinationMark { repo: self.header.repo, destination: target.id };
                return Ok(Some((mark.encode(), "written again".to_owned())));
            }
            ObjectName::Reserve => return Ok(Some((reserve_bytes(), "written again".to_owned()))),
            _ => {}
        }
        let is_good = |bytes: &Vec<u8>| name.matches(bytes) && open(&self.keys, name, bytes).is_ok();
        for source in self.readable().iter().filter(|source| source.bit != target.bit) {
            if let Some(bytes) = source.place.get(name, None).ok().filter(is_good) {
                return Ok(Some((bytes, format!("taken from [{}]", source.name))));
            }
        }
        if let Some(bytes) = self.kept_copy(name)?.filter(is_good) {
            return Ok(Some((bytes, "taken from this computer".to_owned())));
        }
        let flipped = current.and_then(|bytes| without_one_flip(name, bytes)).filter(is_good);
        Ok(flipped.map(|bytes| (bytes, "one bit was wrong".to_owned())))
    }

    /// What the state folder has of an object: heads as they are, snapshots and marks in the index.
    fn kept_copy(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, Error> {
        let view = self.index.reader()?;
        match name {
            ObjectName::Snapshot(id) => Ok(view.snapshot(id)?.map(|row| row.stored)),
            ObjectName::Mark(hash) => {
                let mut found = None;
                view.each_mark(|known: ObjectHash, row| -> Result<(), Error> {
                    if known == *hash {
                        found = Some(row.stored);
                    }
                    Ok(())
                })?;
                Ok(found)
            }
            _ => {
                let objects = HeadStore::new(&self.home).all()?;
                Ok(objects.into_iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes))
            }
        }
    }

    /// The names of keys, config and own writer that belong on every destination.
    pub(crate) fn kept_heads(&self) -> Result<Vec<ObjectName>, Error> {
        let objects = HeadStore::new(&self.home).all()?.into_iter().map(|(name, _)| name);
        Ok(objects.filter(|name| name.kind().is_some() && self.is_in_force(name)).collect())
    }

    /// Whether an object of `writers/` introduces somebody who has a snapshot on the destination.
    pub(crate) fn introduces(&self, name: &ObjectName, has_snapshot: impl Fn(&[u8; 16]) -> bool) -> bool {
        use crate::format::record::WriterRecord;
        let elsewhere = self.destinations.iter().filter_map(|known| known.place.get(name, None).ok());
        let kept = self.kept_copy(name).ok().flatten();
        let records = elsewhere.chain(kept).filter(|bytes| name.matches(bytes));
        let mut writers = records.filter_map(|bytes| {
            let record = self.keys.open_record(ObjectType::Writer, &bytes).ok()?;
            WriterRecord::decode(&record).ok()
        });
        writers.next().is_some_and(|record| has_snapshot(record.writer.as_bytes()))
    }

    /// Lets the index know that packs were found damaged: what they hold does not count as stored there any more. Their
    /// numbers are those of now: who found them may have looked in an older view.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub(crate) fn note_damaged(&self, found: &[(DestinationBits, PackId)]) -> Result<(), Error> {
        let view = self.index.reader()?;
        let mut bits: Vec<DestinationBits> = found.iter().map(|(bit, _)| *bit).collect();
        bits.sort_unstable();
        bits.dedup();
        for bit in bits {
            let mut packs = Vec::new();
            for (_, id) in found.iter().filter(|(other, _)| *other == bit) {
                packs.extend(view.pack_number(id)?);
            }
            replicate::damage_packs(&self.index, bit, packs)?;
        }
        Ok(())
    }

    /// Brings everything that the snapshots and histories on a destination need and that it lacks, as far as it is
    /// anywhere. Gives packs copied; none where the destination failed.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Interrupted`].
    pub(crate) fn complete(&mut self, target: &OpenDestination, monitor: &dyn Monitor) -> Result<Option<u64>, Error> {
        let view = self.index.reader()?;
        let mut known = self.known_snapshots(&view)?;
        known.extend(self.known_histories(&view)?);
        known.retain(|known| known.committed & target.bit != 0 && known.whole & target.bit == 0);
        let mut packs = 0;
        let mut failure = None;
        {
            let catch_up = self.catch_up(monitor)?;
            for known in known {
                match catch_up.complete(target, &known.id) {
                    Ok((copied, _)) => packs += copied.packs,
                    Err(ReplicateError::Destination(error)) => {
                        failure = Some(error);
                        break;
                    }
                    Err(ReplicateError::Read(ReadError::Format(_)) | ReplicateError::Overtaken) => {}
                    Err(other) => return Err(other.into()),
                }
            }
        }
        let Some(error) = failure else { return Ok(Some(packs)) };
        monitor.note(&format!("{} could not be completed: {error}.", target.name));
        if state_after(&error) != DestinationState::Damaged {
            self.lose(target, &error);
        }
        Ok(None)
    }
}

fn remove(target: &OpenDestination, name: &ObjectName) -> Healing {
    match target.place.delete(name).and_then(|()| target.place.settle(Settle::Touched)) {
        Ok(()) => Healing::Healed("removed: damaged it meant nothing".to_owned()),
        Err(error) => Healing::Left(error.to_string()),
    }
}

/// Opens an object whose name fits, as what belongs in its folder. What is something else is told first: no key makes it
/// right.
fn open(keys: &Keys, name: &ObjectName, bytes: &[u8]) -> Result<(), SealError> {
    let record = |object: ObjectType| match RecordHead::split(bytes)? {
        (head, _) if head.object != object.code() => Err(SealError::Tampered),
        // Sealed under the root key.
        _ if object == ObjectType::Ring => Ok(()),
        _ => keys.open_record(object, bytes).map(drop),
    };
    match name {
        ObjectName::Header | ObjectName::DestinationMark | ObjectName::Reserve => Ok(()),
        ObjectName::Slot(_) => Ok(Slot::decode(bytes).map(drop)?),
        ObjectName::Ring(..) => record(ObjectType::Ring),
        ObjectName::Config(..) => record(ObjectType::Config),
        ObjectName::Writer(_) => record(ObjectType::Writer),
        ObjectName::Snapshot(_) => record(ObjectType::Snapshot),
        ObjectName::Mark(_) => record(ObjectType::Mark),
        ObjectName::Cleaning(_) => record(ObjectType::Cleaning),
        ObjectName::Pack(_) => PackReader::new(keys).open_bytes(bytes).map(drop),
    }
}
