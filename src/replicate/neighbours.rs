//! Other writers on one destination: sessions and condemned packs (docs/format.md §14).
//!
//! Whoever is going to rely on what is on a destination, and whoever is going to delete from it, first says so there and
//! then looks what the others said. Both lie in one folder, so that whoever waits until a listing shows what it put itself
//! sees all that was put before: of a writer and a cleaner at least one sees the other.
//!
//! What is one's own is told by its name, which is remembered before it is said, and not by the writer in it: a copy of a
//! state folder has the same one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{OpenDestination, ReplicateError};
use crate::destination::{DestinationError, DestinationErrorKind, Settle};
use crate::format::RECORD_LEN_MAX;
use crate::format::cleaning::{Announcement, CleaningRecord};
use crate::format::id::{ObjectHash, PackId, WriterId};
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::record::{Extra, Time, WriterRecord};
use crate::format::sealed::ObjectType;
use crate::seal::{Keys, SealError};

/// How often a listing is asked for what was just put. Network file systems remember listings for up to a minute.
const LOOKS: u32 = 90;
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of the other writers of a destination in this run.
#[derive(Clone, Default)]
pub struct Neighbours(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    are_there: bool,
    /// What was said from this state folder.
    own: HashSet<ObjectHash>,
    condemned: HashSet<PackId>,
    /// Sessions that were read, by their names: those never become something else.
    sessions: HashMap<ObjectHash, CleaningRecord>,
}

impl Neighbours {
    /// Beside who said these things.
    pub fn of(own: impl IntoIterator<Item = ObjectHash>) -> Self {
        Self(Arc::new(Mutex::new(Known { own: own.into_iter().collect(), ..Known::default() })))
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).are_there
    }

    /// Whether they are going to delete any pack.
    pub fn are_about_to_delete(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).condemned.is_empty()
    }

    /// Whether one of them is going to delete the pack: it is not to be relied on, though it is still there (invariant
    /// I17).
    pub fn has_condemned(&self, pack: &PackId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).condemned.contains(pack)
    }

    fn is_own(&self, hash: &ObjectHash) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).own.contains(hash)
    }

    fn say(&self, hash: ObjectHash) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).own.insert(hash);
    }

    fn sessions(&self) -> HashMap<ObjectHash, CleaningRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sessions.clone()
    }

    fn remember(&self, all: &[(ObjectHash, CleaningRecord)]) {
        let sessions = all.iter().filter(|(_, record)| record.announcement == Announcement::Session);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sessions = sessions.cloned().collect();
    }

    /// Takes in what they said now; gives the packs that are condemned since the last time.
    fn note(&self, condemned: HashSet<PackId>) -> Vec<PackId> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.are_there = true;
        let new = condemned.difference(&known.condemned).copied().collect();
        known.condemned = condemned;
        new
    }
}

/// Everything that was said on a destination: name and record of each object.
pub struct Announced {
    /// What was said from this state folder.
    own: Vec<(ObjectHash, CleaningRecord)>,
    /// What others said.
    others: Vec<(ObjectHash, CleaningRecord)>,
}

impl Announced {
    /// Reads what was said. What is damaged counts for nobody: whoever put it cannot read it either.
    ///
    /// # Errors
    /// [`ReplicateError::Destination`].
    pub fn read(keys: &Keys, destination: &OpenDestination) -> Result<Self, ReplicateError> {
        let mut all = Vec::new();
        let known = destination.neighbours.sessions();
        let mut newer = None;
        for hash in listed(destination)? {
            if let Some(record) = known.get(&hash) {
                all.push((hash, record.clone()));
                continue;
            }
            let name = ObjectName::Cleaning(hash);
            let stored = match destination.place.get(&name, None) {
                Ok(stored) => stored,
                // A cleaner took it back meanwhile, or nobody can read it any more.
                Err(error) if error.is_of_object() => continue,
                Err(error) => return Err(error.into()),
            };
            let opened = match open(keys, &name, &stored) {
                // Somebody began an epoch since the keys were read. Who takes that for nobody deletes what is relied on.
                Err(SealError::UnknownEpoch(_)) => {
                    let newer = match &mut newer {
                        Some(newer) => newer,
                        none => none.insert(keys_there(keys, destination)?),
                    };
                    open(newer, &name, &stored)
                }
                opened => opened,
            };
            if let Ok(record) = opened {
                all.push((hash, record));
            }
        }
        destination.neighbours.remember(&all);
        let (own, others) = all.into_iter().partition(|(hash, _)| destination.neighbours.is_own(hash));
        Ok(Self { own, others })
    }

    /// Whether somebody says to be this writer: from a copy of this state folder, or this one is an older state of itself.
    pub fn has_another(&self, writer: &WriterId) -> bool {
        self.others.iter().any(|(_, record)| record.writer == *writer)
    }

    /// The newest session of each of the others.
    pub fn sessions_of_others(&self) -> Vec<ObjectHash> {
        let mut newest: Vec<(WriterId, u64, ObjectHash)> = Vec::new();
        for (hash, record) in self.others.iter().filter(is_session) {
            match newest.iter_mut().find(|(writer, ..)| *writer == record.writer) {
                Some(known) if known.1 < record.number => *known = (record.writer, record.number, *hash),
                Some(_) => {}
                None => newest.push((record.writer, record.number, *hash)),
            }
        }
        newest.into_iter().map(|(.., hash)| hash).collect()
    }

    /// Own sessions that a later one says to be over.
    pub fn ended_sessions(&self) -> Vec<ObjectHash> {
        let sessions = self.own.iter().filter(is_session);
        let newest = sessions.clone().map(|(_, record)| record.number).max();
        sessions.filter(|(_, record)| Some(record.number) < newest).map(|(hash, _)| *hash).collect()
    }

    /// The own lists: name, packs, and the sessions that were there when it was made.
    pub fn condemned(&self) -> Vec<(ObjectHash, Vec<PackId>, Vec<ObjectHash>)> {
        let lists = self.own.iter().filter_map(|(hash, record)| match &record.announcement {
            Announcement::Condemned { packs, sessions } => Some((*hash, packs.clone(), sessions.clone())),
            Announcement::Session => None,
        });
        lists.collect()
    }

    /// The packs that anybody is going to delete, or may have deleted.
    pub fn condemned_by_all(&self) -> impl Iterator<Item = &PackId> {
        self.own.iter().chain(&self.others).flat_map(packs)
    }

    /// The packs that others are going to delete.
    fn condemned_by_others(&self) -> HashSet<PackId> {
        self.others.iter().flat_map(packs).copied().collect()
    }
}

fn is_session((_, record): &&(ObjectHash, CleaningRecord)) -> bool {
    record.announcement == Announcement::Session
}

fn packs((_, record): &(ObjectHash, CleaningRecord)) -> &[PackId] {
    match &record.announcement {
        Announcement::Condemned { packs, .. } => packs,
        Announcement::Session => &[],
    }
}

fn listed(destination: &OpenDestination) -> Result<BTreeSet<ObjectHash>, DestinationError> {
    let mut names = BTreeSet::new();
    destination.place.list(ObjectKind::Cleaning, None, &mut |name, _| names.extend(name.hash()))?;
    Ok(names)
}

/// The keys with those of the rings that are on the destination now. They come before everything that needs them (I9).
fn keys_there(keys: &Keys, destination: &OpenDestination) -> Result<Keys, DestinationError> {
    let mut names = Vec::new();
    destination.place.list(ObjectKind::Keys, None, &mut |name, len| {
        names.extend((matches!(name, ObjectName::Ring(..)) && len <= RECORD_LEN_MAX as u64).then_some(name));
    })?;
    let mut together = keys.clone();
    for name in names {
        let stored = match destination.place.get(&name, None) {
            Ok(stored) => stored,
            Err(error) if error.is_of_object() => continue,
            Err(error) => return Err(error),
        };
        if name.matches(&stored)
            && let Ok(other) = keys.open_another(&stored)
        {
            together = together.over(&other);
        }
    }
    Ok(together)
}

fn open(keys: &Keys, name: &ObjectName, stored: &[u8]) -> Result<CleaningRecord, SealError> {
    if !name.matches(stored) {
        return Err(SealError::Tampered);
    }
    let record = CleaningRecord::decode(&keys.open_record(ObjectType::Cleaning, stored)?)?;
    record.validate()?;
    Ok(record)
}

/// What is to be said on a destination.
pub struct Statement {
    hash: ObjectHash,
    stored: Vec<u8>,
}

impl Statement {
    /// Words it, as the next thing that the writer says there.
    ///
    /// # Errors
    /// [`ReplicateError::Destination`].
    pub fn new(
        keys: &Keys,
        destination: &OpenDestination,
        writer: WriterId,
        now: Time,
        announcement: Announcement,
    ) -> Result<Self, ReplicateError> {
        let Announced { own, others } = Announced::read(keys, destination)?;
        let said = own.iter().chain(&others).filter(|(_, record)| record.writer == writer);
        let number = said.map(|(_, record)| record.number).max().unwrap_or(0) + 1;
        let record = CleaningRecord { writer, number, made: now, announcement, extra: Extra::new() };
        record.validate().map_err(SealError::from)?;
        let stored = keys.seal_record(ObjectType::Cleaning, &record.encode().map_err(SealError::from)?)?;
        Ok(Self { hash: ObjectHash::of(&stored), stored })
    }

    /// Its name, to be remembered before it is said (invariant I20).
    pub fn name(&self) -> ObjectHash {
        self.hash
    }

    /// Says it and waits until it shows; everything that was said there before shows then too.
    ///
    /// # Errors
    /// [`ReplicateError::Destination`], also where it does not show in time.
    pub fn put(self, destination: &OpenDestination) -> Result<ObjectHash, ReplicateError> {
        let name = ObjectName::Cleaning(self.hash);
        destination.neighbours.say(self.hash);
        destination.place.put(&name, &self.stored)?;
        destination.place.settle(Settle::Touched)?;
        for look in 0..LOOKS {
            if look > 0 {
                thread::sleep(PAUSE);
            }
            if listed(destination)?.contains(&self.hash) {
                return Ok(self.hash);
            }
        }
        Err(ReplicateError::Destination(DestinationError::new(
            DestinationErrorKind::Other,
            format!("list {name}"),
            destination.place.describe(),
            "it was written and does not show in the listing of its folder",
        )))
    }
}

/// Whether writers other than `own` introduced themselves on a destination. One whose record cannot be read is one.
///
/// # Errors
/// [`ReplicateError::Destination`].
pub fn has_other_writers(keys: &Keys, destination: &OpenDestination, own: &WriterId) -> Result<bool, ReplicateError> {
    let mut names = Vec::new();
    destination.place.list(ObjectKind::Writers, None, &mut |name, _| names.push(name))?;
    for name in names {
        let stored = match destination.place.get(&name, None) {
            Ok(stored) => stored,
            Err(error) if error.kind == DestinationErrorKind::Absent => continue,
            Err(error) if error.kind == DestinationErrorKind::Damaged => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let record = keys.open_record(ObjectType::Writer, &stored).map(|record| WriterRecord::decode(&record));
        if !matches!(record, Ok(Ok(record)) if record.writer == *own) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether nobody else said anything on a destination.
///
/// # Errors
/// [`ReplicateError::Destination`].
pub fn is_alone(keys: &Keys, destination: &OpenDestination) -> Result<bool, ReplicateError> {
    Ok(Announced::read(keys, destination)?.others.is_empty())
}

/// Looks what the others said since the last time; gives the packs that are condemned since.
///
/// # Errors
/// [`ReplicateError::Destination`].
pub fn look(keys: &Keys, destination: &OpenDestination) -> Result<Vec<PackId>, ReplicateError> {
    Ok(destination.neighbours.note(Announced::read(keys, destination)?.condemned_by_others()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::{Destination, MemoryDestination};
    use crate::format::id::{DestinationId, RepoId};

    const OWN: WriterId = WriterId::from_bytes([1; 16]);
    const OTHER: WriterId = WriterId::from_bytes([2; 16]);

    fn said(number: u64, writer: WriterId, announcement: Announcement) -> (ObjectHash, CleaningRecord) {
        let made = Time { seconds: 0, nanos: 0 };
        let hash = ObjectHash::of(&[writer.as_bytes()[0], number as u8]);
        (hash, CleaningRecord { writer, number, made, announcement, extra: Extra::new() })
    }

    fn in_memory(place: &Arc<MemoryDestination>) -> OpenDestination {
        OpenDestination {
            name: "memory".to_owned(),
            path: "/memory".into(),
            id: DestinationId::from_bytes([1; 16]),
            bit: 1,
            place: place.clone(),
            upload_limit: None,
            neighbours: Neighbours::default(),
        }
    }

    /// From another state folder.
    fn said_by_another(keys: &Keys, place: &Arc<MemoryDestination>, now: Time) -> ObjectHash {
        let destination = in_memory(place);
        let session = Statement::new(keys, &destination, OTHER, now, Announcement::Session).expect("worded");
        session.put(&destination).expect("said")
    }

    /// A cleaner that opened its keys before another machine rotated them still sees that machine at work.
    #[test]
    fn who_began_an_epoch_meanwhile_is_seen() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let rotated = keys.rotated().expect("a new epoch");
        let place = Arc::new(MemoryDestination::new("memory"));
        let destination = in_memory(&place);
        let now = Time { seconds: 0, nanos: 0 };
        let session = said_by_another(&rotated, &place, now);
        // Whose ring is nowhere was made by nobody.
        assert!(is_alone(&keys, &destination).expect("read"));
        let ring = rotated.seal_ring().expect("sealed");
        place.put(&ObjectName::Ring(2, ObjectHash::of(&ring)), &ring).expect("put");
        assert!(!is_alone(&keys, &destination).expect("read"));
        let announced = Announced::read(&keys, &destination).expect("read");
        assert_eq!(announced.sessions_of_others(), [session]);
    }

    /// A medium that has gone bad takes one object, and not the destination.
    #[test]
    fn what_cannot_be_read_any_more_binds_nobody_and_a_writer_is_there_all_the_same() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let rotated = keys.rotated().expect("a new epoch");
        let place = Arc::new(MemoryDestination::new("memory"));
        let destination = in_memory(&place);
        let now = Time { seconds: 0, nanos: 0 };
        let bad = said_by_another(&keys, &place, now);
        place.go_bad(ObjectName::Cleaning(bad), 0..1);
        let own = Statement::new(&keys, &destination, OWN, now, Announcement::Session).expect("worded");
        let own = own.put(&destination).expect("said");
        let all = Announced::read(&keys, &destination).expect("read");
        assert_eq!(all.own.into_iter().map(|(hash, _)| hash).collect::<Vec<_>>(), [own]);
        assert!(is_alone(&keys, &destination).expect("read"));
        // Nor does a ring that may be what opens a session of another epoch.
        place.delete(&ObjectName::Cleaning(bad)).expect("deleted");
        said_by_another(&rotated, &place, now);
        let ring = rotated.seal_ring().expect("sealed");
        let name = ObjectName::Ring(2, ObjectHash::of(&ring));
        place.put(&name, &ring).expect("put");
        place.go_bad(name, 0..1);
        assert!(is_alone(&keys, &destination).expect("read"));

        assert!(!has_other_writers(&keys, &destination, &OWN).expect("nobody"));
        let name = ObjectName::Writer(ObjectHash::of(b"a writer"));
        place.put(&name, b"a writer").expect("put");
        place.go_bad(name, 0..1);
        assert!(has_other_writers(&keys, &destination, &OWN).expect("somebody"));
    }

    /// What a writer may take back is what it said itself, and only what it said before.
    #[test]
    fn what_was_said_belongs_to_who_said_it() {
        let list = |byte| Announcement::Condemned { packs: vec![PackId::from_bytes([byte; 32])], sessions: Vec::new() };
        let all = vec![
            said(1, OTHER, Announcement::Session),
            said(2, OTHER, list(7)),
            said(3, OTHER, Announcement::Session),
            said(4, OWN, Announcement::Session),
            said(5, OWN, list(8)),
            said(6, OWN, Announcement::Session),
        ];
        let names: Vec<ObjectHash> = all.iter().map(|(hash, _)| *hash).collect();
        let (own, others) = all.into_iter().partition(|(_, record)| record.writer == OWN);
        let announced = Announced { own, others };
        assert_eq!(announced.ended_sessions(), [names[3]]);
        assert_eq!(announced.sessions_of_others(), [names[2]]);
        let own: Vec<ObjectHash> = announced.condemned().into_iter().map(|(hash, ..)| hash).collect();
        assert_eq!(own, [names[4]]);
        assert_eq!(announced.condemned_by_others(), HashSet::from([PackId::from_bytes([7; 32])]));
        assert!(!announced.has_another(&OWN) && announced.has_another(&OTHER));
    }
}
