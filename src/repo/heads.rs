//! Local copies of the repository's heads: header, key slots, ring, config, writer. They make a new destination
//! usable, and open the repository while none is within reach.

use zeroize::Zeroizing;

use super::home::Home;
use crate::destination::{Destination, DestinationError, DestinationErrorKind};
use crate::error::Error;
use crate::format::FormatError;
use crate::format::header::RepoHeader;
use crate::format::id::ObjectHash;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::record::ConfigRecord;
use crate::format::sealed::ObjectType;
use crate::format::slot::{ArgonCost, Slot};
use crate::seal::slots::{self, Secret};
use crate::seal::{Keys, SealError};

/// Objects small enough to be held at once, each with its name.
pub(super) type Objects = Vec<(ObjectName, Vec<u8>)>;

/// How often a ring and a config are there, beside each other on every destination.
const COPIES: usize = 2;

/// The folder of the copies.
const FOLDER: &str = "repo";

/// The copies.
pub(super) struct HeadStore<'a> {
    home: &'a Home,
}

impl<'a> HeadStore<'a> {
    pub(super) fn new(home: &'a Home) -> Self {
        Self { home }
    }

    /// Keeps an object, for the owner's eyes only, durably.
    pub(super) fn put(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), Error> {
        self.home.write_state(&format!("{FOLDER}/{}", name.path()), bytes)
    }

    /// Puts something of which one bad sector must not take the only one: `seal` is called for each copy, since what is sealed
    /// anew has a name of its own.
    pub(super) fn put_copies(&self, seal: &dyn Fn() -> Result<(ObjectName, Vec<u8>), Error>) -> Result<(), Error> {
        (0..COPIES).try_for_each(|_| seal().and_then(|(name, bytes)| self.put(&name, &bytes)))
    }

    /// Removes an object.
    pub(super) fn remove(&self, name: &ObjectName) -> Result<(), Error> {
        self.home.remove_state(&format!("{FOLDER}/{}", name.path()))
    }

    /// Removes what was to belong to a repository that was never set up. On a destination its writer would be one whose
    /// record nobody can read, beside which space comes back late.
    pub(super) fn clear(&self) -> Result<(), Error> {
        let kept = self.home.read_state_below(FOLDER, |path| ObjectName::parse(path).is_some())?;
        kept.into_iter().try_for_each(|(path, _)| self.home.remove_state(&format!("{FOLDER}/{path}")))
    }

    /// Everything kept. A file that is not what its name says is left out: the destinations have it too.
    pub(super) fn all(&self) -> Result<Objects, Error> {
        let files = self.home.read_state_below(FOLDER, |path| ObjectName::parse(path).is_some())?;
        let named = files.into_iter().filter_map(|(path, bytes)| Some((ObjectName::parse(&path)?, bytes)));
        Ok(named.filter(|(name, bytes)| name.matches(bytes)).collect())
    }
}

/// How many bytes of keys and configs are read of a destination: anybody who can write there can put some.
const HEADS_LEN_MAX: u64 = 64 << 20;

/// The heads of a repository as far as they can be read on a destination.
pub(super) struct Readable {
    pub(super) objects: Objects,
    /// Why one could not be read. It may be the one that is needed.
    pub(super) unreadable: Option<DestinationError>,
}

/// The heads of a repository as they are on a destination, the small ones first and no more than 64 MiB of them. One that
/// cannot be read is passed over, as a damaged one is: there may be others.
///
/// # Errors
/// [`Error::Destination`] where it is not one object that is in trouble.
pub(super) fn from_destination(place: &dyn Destination, header: &RepoHeader) -> Result<Readable, Error> {
    let mut names = Vec::new();
    for kind in [ObjectKind::Keys, ObjectKind::Config] {
        place.list(kind, None, &mut |name, len| names.push((len, name)))?;
    }
    names.sort_unstable();
    let (mut objects, mut unreadable) = (vec![(ObjectName::Header, header.encode())], None);
    let (mut left, mut damaged) = (HEADS_LEN_MAX, 0);
    for (len, name) in names {
        let Some(rest) = left.checked_sub(len) else { break };
        left = rest;
        match place.get(&name, None) {
            Ok(bytes) if name.matches(&bytes) => objects.push((name, bytes)),
            // What one wrong bit made of it is found, and there may be no other copy.
            Ok(bytes) if damaged < SLOTS_MAX => {
                damaged += 1;
                objects.extend(without_one_flip(&name, &bytes).map(|bytes| (name, bytes)));
            }
            Ok(_) => {}
            Err(error) if error.is_of_object() || error.kind == DestinationErrorKind::Denied => {
                unreadable = Some(error)
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Readable { objects, unreadable })
}

/// What a secret opens.
pub(super) struct Unlocked {
    /// The keys of all rings together.
    pub(super) keys: Keys,
    /// The slot that the secret opens.
    pub(super) slot: ObjectHash,
}

impl Unlocked {
    /// Whether a head is kept: not a slot that was removed, but for the one that opened.
    pub(super) fn keeps(&self, name: &ObjectName) -> bool {
        !matches!(name, ObjectName::Slot(slot) if self.keys.is_removed(slot) && *slot != self.slot)
    }
}

/// Slots that are tried with a secret, and kept here, and damaged objects that are looked into. Anybody who can write to a
/// destination can put some there.
pub(super) const SLOTS_MAX: usize = 64;

/// A slot, and the root key in it.
type OpenedSlot = (ObjectHash, Zeroizing<[u8; 32]>);

/// Opens the keys with a secret: a slot it fits, and every ring that opens. Of slots that were put there by a stranger so
/// many are tried, those that cost little first, that it is a matter of seconds.
///
/// # Errors
/// [`Error::WrongKey`] where no slot opens, or only one that was removed; [`Error::Damaged`] where a slot does and no
/// ring.
pub(super) fn unlock(objects: &Objects, header: &RepoHeader, secret: &Secret, place: &str) -> Result<Unlocked, Error> {
    let slots = slots(objects, header);
    let tried = worth_trying(&slots, secret);
    let opened = |is_wanted: &dyn Fn(&ObjectHash) -> bool| -> Result<Option<OpenedSlot>, Error> {
        for (name, slot) in tried.iter().filter(|(name, _)| is_wanted(name)) {
            match slots::open(slot, header.repo, secret) {
                Ok(root) => return Ok(Some((*name, root))),
                Err(SealError::WrongKey) => {}
                Err(SealError::System(what)) => {
                    return Err(Error::Usage(format!("the system could not provide {what}")));
                }
                Err(error) => return Err(damaged(&ObjectName::Slot(*name), place, &error)),
            }
        }
        Ok(None)
    };
    let wrong = |what| Err(Error::WrongKey { what });
    let Some((slot, root)) = opened(&|_| true)? else {
        let of_kind = slots.iter().filter(|(_, slot)| slot.kind == secret.kind()).count();
        return wrong(match slots.is_empty() {
            true => format!("there is no readable key slot in {place}"),
            false if tried.len() < of_kind => format!(
                "none of the {} key slots that were tried, of {of_kind} in {place}, opens with it: somebody may have put \
                 them there; use another destination, or delete the files in its `keys` folder that are no key of yours",
                tried.len()
            ),
            false => format!("the {} not open the repository in {place}", secret_name(secret)),
        });
    };
    let keys = rings(objects, place, &mut |stored| Keys::open_ring(header.repo, root.clone(), stored))?;
    // Where two machines each removed the slot of the other at once, all were: then each goes on with what it has.
    let is_in_force = |name: &ObjectHash| !keys.is_removed(name);
    if is_in_force(&slot) || !slots.iter().any(|(name, _)| is_in_force(name)) {
        return Ok(Unlocked { keys, slot });
    }
    match opened(&is_in_force)? {
        Some((slot, _)) => Ok(Unlocked { keys, slot }),
        None => wrong(format!("this key was removed from the repository in {place}, and opens it no more")),
    }
}

/// The slots of a kind of secret, those of the least cost first, and no more than together cost what so many usual ones do.
fn worth_trying<'s>(slots: &'s [(ObjectHash, Slot)], secret: &Secret) -> Vec<&'s (ObjectHash, Slot)> {
    let mut tried: Vec<_> = slots.iter().filter(|(_, slot)| slot.kind == secret.kind()).collect();
    tried.sort_by_key(|(name, slot)| (slot.cost.work(), *name));
    tried.truncate(SLOTS_MAX);
    let mut left = SLOTS_MAX as u64 * ArgonCost::DEFAULT.work();
    let is_affordable = |(_, slot): &&(ObjectHash, Slot)| {
        let is_affordable = slot.cost.work() <= left;
        left = left.saturating_sub(slot.cost.work());
        is_affordable
    };
    tried.into_iter().take_while(is_affordable).collect()
}

/// The slots that this program can read. One of a newer program, or a damaged one, is not the only one.
pub(super) fn slots(objects: &Objects, header: &RepoHeader) -> Vec<(ObjectHash, Slot)> {
    let slot = |(name, bytes): &(ObjectName, Vec<u8>)| match name {
        ObjectName::Slot(hash) => Some((*hash, Slot::decode(bytes).ok().filter(|slot| slot.repo == header.repo)?)),
        _ => None,
    };
    objects.iter().filter_map(slot).collect()
}

/// The keys of all rings that `open` opens.
///
/// # Errors
/// [`Error::Damaged`] where none does.
pub(super) fn rings(
    objects: &Objects,
    place: &str,
    open: &mut dyn FnMut(&[u8]) -> Result<Keys, SealError>,
) -> Result<Keys, Error> {
    let ring = |(name, bytes): &'_ (ObjectName, Vec<u8>)| match name {
        ObjectName::Ring(number, _) => Some((*number, *name, bytes.clone())),
        _ => None,
    };
    let mut rings: Vec<_> = objects.iter().filter_map(ring).collect();
    // Of two with one number the greater name wins, so that every reader takes the same (docs/format.md §3).
    rings.sort_by_key(|(number, name, _)| (*number, *name));
    let (mut together, mut last) = (None::<Keys>, None);
    for (number, name, bytes) in rings {
        match open(&bytes) {
            Ok(keys) if keys.ring_number() == number => {
                together = Some(match together {
                    Some(others) => keys.over(&others),
                    None => keys,
                });
            }
            Ok(_) => last = Some(damaged(&name, place, &"its number is not that of its name")),
            Err(error) => last = Some(damaged(&name, place, &error)),
        }
    }
    match (together, last) {
        (Some(keys), _) => Ok(keys),
        (None, Some(error)) => Err(error),
        (None, None) => Err(damaged(&"keys/ring-1", place, &"there is no key ring")),
    }
}

/// With the verb that belongs to it.
fn secret_name(secret: &Secret) -> &'static str {
    match secret {
        Secret::Inline(_) => "key of config.yaml does",
        Secret::Passphrase(_) => "passphrase does",
        Secret::Recovery(_) => "recovery words do",
        Secret::KeyFile(_) => "key file does",
    }
}

/// The config with the highest number that is valid.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Format`] where a newer program wrote it.
pub(super) fn config(objects: &Objects, header: &RepoHeader, keys: &Keys, place: &str) -> Result<ConfigRecord, Error> {
    let mut best: Option<(ObjectName, ConfigRecord)> = None;
    let mut last = None;
    for (name, bytes) in objects {
        let ObjectName::Config(number, _) = name else { continue };
        let opened = keys.open_record(ObjectType::Config, bytes).and_then(|record| {
            let record = ConfigRecord::decode(&record)?;
            record.validate()?;
            Ok(record)
        });
        match opened {
            Ok(record) if record.number == *number && record.header == *header => {
                // Names sort by number, then by hash, as for rings.
                if best.as_ref().is_none_or(|(winner, _)| winner < name) {
                    best = Some((*name, record));
                }
            }
            Ok(_) => last = Some(damaged(name, place, &"it does not belong to this repository header")),
            Err(SealError::Format(source @ FormatError::Unsupported { .. })) => {
                last = Some(Error::Format { object: name.to_string(), source });
            }
            Err(error) => last = Some(damaged(name, place, &error)),
        }
    }
    match (best, last) {
        (Some((_, best)), _) => Ok(best),
        (None, Some(error)) => Err(error),
        (None, None) => Err(damaged(&"config", place, &"there is no config object")),
    }
}

/// The header among the objects.
pub(super) fn header(objects: &Objects, place: &str) -> Result<RepoHeader, Error> {
    let found = objects.iter().find(|(name, _)| *name == ObjectName::Header);
    let (name, bytes) = found.ok_or_else(|| damaged(&"cryptbackup.repo", place, &"it is missing"))?;
    RepoHeader::decode(bytes).map_err(|source| match source {
        FormatError::Unsupported { .. } => Error::Format { object: name.to_string(), source },
        source => damaged(name, place, &source),
    })
}

/// The name an object gets from its bytes.
pub(super) fn hashed(stored: &[u8]) -> ObjectHash {
    ObjectHash::of(stored)
}

pub(super) fn damaged(object: &dyn std::fmt::Display, place: &str, detail: &dyn std::fmt::Display) -> Error {
    Error::Damaged { object: object.to_string(), place: place.to_owned(), detail: detail.to_string() }
}

/// Up to this length one flipped bit of an object is looked for by trying all of them: half a second at most.
const ONE_BIT_LEN_MAX: usize = 8 << 10;

/// The bytes with one bit put right, where that makes them what the name says.
pub(super) fn without_one_flip(name: &ObjectName, bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > ONE_BIT_LEN_MAX {
        return None;
    }
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            bytes[at] ^= 1 << bit;
            if name.matches(&bytes) {
                return Some(bytes);
            }
            bytes[at] ^= 1 << bit;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_bit_of_a_small_object_is_found_and_two_are_not() {
        let whole = vec![7u8; 100];
        let name = ObjectName::Mark(ObjectHash::of(&whole));
        let mut damaged = whole.clone();
        damaged[99] ^= 0x80;
        assert_eq!(without_one_flip(&name, &damaged), Some(whole));
        damaged[0] ^= 1;
        assert_eq!(without_one_flip(&name, &damaged), None);
    }
}
