//! The keys of a repository that is open: listed, added, removed, rotated, and noted as kept elsewhere.
//!
//! A slot that was removed is remembered in the key ring (docs/format.md §7), which every destination gets before it
//! loses the slot: so none that was away brings it back. In everything that is written here the new is durable before the
//! old goes, and what a crash cuts off the next command that writes ends: it puts the keys of the state folder on every
//! destination, and takes removed slots away.

mod spread;

use zeroize::Zeroizing;

use super::heads::{self, HeadStore, hashed};
use super::{Repo, Secret};
use crate::error::Error;
use crate::format::id::{ObjectHash, RepoId};
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::slot::{Slot, SlotKind};
use crate::seal::keys::random;
use crate::seal::{Keys, SealError, slots};

/// Which inline slots were written to a file by `key export`.
const EXPORTED_FILE: &str = "exported.json";

/// The keys that open a repository, and what they open.
#[derive(Debug, Clone)]
pub struct KeysReport {
    /// The slots known here or found on a destination, by id.
    pub slots: Vec<SlotInfo>,
    /// The number of the key ring.
    pub ring: u32,
    /// The epoch in which new objects are sealed.
    pub epoch: u32,
    /// The destinations that could not be looked at.
    pub unreachable: Vec<String>,
}

/// One key slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotInfo {
    /// Its id.
    pub id: ObjectHash,
    /// What kind of secret opens it.
    pub kind: SlotKind,
    /// Whether this machine has a copy of it.
    pub is_here: bool,
    /// The destinations it is on.
    pub destinations: Vec<String>,
    /// Whether it opened the repository just now.
    pub is_in_use: bool,
    /// Whether it was removed, and is still on a destination that was away then.
    pub is_removed: bool,
}

/// A key that is to be added.
#[derive(Clone)]
pub enum NewKey {
    /// A random one for `config.yaml`, in the place of the one there.
    Inline,
    /// One that somebody has.
    Given(Secret),
}

/// A key was added, removed or begun.
#[derive(Debug, Clone)]
pub struct KeyChange {
    /// The slot; none for a new epoch.
    pub slot: Option<(ObjectHash, SlotKind)>,
    /// The number of the key ring.
    pub ring: u32,
    /// The epoch in which new objects are sealed.
    pub epoch: u32,
    /// The destinations that have the change.
    pub destinations: Vec<String>,
    /// Those that get it when they are back, and why they did not.
    pub behind: Vec<(String, String)>,
    /// Whether the key in `config.yaml` changed, or went.
    pub changed_settings: bool,
}

/// New recovery words. They open nothing until they are added.
///
/// # Errors
/// [`Error::Seal`].
pub fn new_recovery_words() -> Result<Zeroizing<String>, Error> {
    let words = slots::Secret::new_recovery()?.to_text();
    Ok(words.ok_or(SealError::System("recovery words"))?)
}

/// What a new key file holds.
///
/// # Errors
/// [`Error::Seal`].
pub fn new_key_file() -> Result<Zeroizing<[u8; 64]>, Error> {
    Ok(Zeroizing::new(random()?))
}

impl Repo {
    /// Which repository it is.
    pub fn id(&self) -> RepoId {
        self.header.repo
    }

    /// The keys that open the repository, and where they are.
    ///
    /// ```
    /// use cryptbackup::repo::{Access, Home, NewKey, Repo, Secret, new_recovery_words};
    /// use cryptbackup::report::Silent;
    ///
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = set_up()?;
    /// let home = Home::at(folder.path().join("state"));
    /// let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
    /// let words = new_recovery_words()?;
    /// let added = repo.add_key(&NewKey::Given(Secret::Words(words.clone())))?;
    /// assert_eq!((added.destinations.len(), added.behind.len()), (1, 0));
    /// // What is written from now on is sealed under a new key.
    /// assert_eq!(repo.rotate_keys()?.epoch, 2);
    /// let old = repo.key_slots()?.slots.into_iter().find(|slot| slot.is_in_use).ok_or("none is in use")?;
    /// // A person has a copy of `config.yaml` of this repository.
    /// println!("repository {}, key {}", repo.id(), repo.note_key_exported()?);
    /// drop(repo);
    /// // The key that opens the repository is not removed: the words are given instead.
    /// let mut repo = Repo::open(&home, Access::Write, Some(Secret::Words(words)), &Silent)?;
    /// assert!(repo.remove_key(&old.id.to_string())?.changed_settings);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Destination`].
    pub fn key_slots(&self) -> Result<KeysReport, Error> {
        let mut found: Vec<SlotInfo> = Vec::new();
        for (id, slot) in heads::slots(&HeadStore::new(&self.home).all()?, &self.header) {
            found.push(self.slot_info(id, &slot, true));
        }
        for destination in &self.destinations {
            let mut listed = Vec::new();
            destination.place.list(ObjectKind::Keys, None, &mut |name, _| listed.push(name))?;
            for name in listed {
                let ObjectName::Slot(id) = name else { continue };
                let at = match found.iter().position(|known| known.id == id) {
                    Some(at) => at,
                    None => {
                        let bytes = destination.place.get(&name, None).ok().filter(|bytes| name.matches(bytes));
                        let slot = bytes.and_then(|bytes| Slot::decode(&bytes).ok());
                        let Some(slot) = slot.filter(|slot| slot.repo == self.header.repo) else { continue };
                        found.push(self.slot_info(id, &slot, false));
                        found.len() - 1
                    }
                };
                found[at].destinations.push(destination.name.clone());
            }
        }
        found.sort_by_key(|slot| slot.id);
        let unreachable = self.unreachable.iter().map(|lost| lost.name.clone()).collect();
        Ok(KeysReport { slots: found, ring: self.keys.ring_number(), epoch: self.keys.epoch(), unreachable })
    }

    fn slot_info(&self, id: ObjectHash, slot: &Slot, is_here: bool) -> SlotInfo {
        let (is_in_use, is_removed) = (id == self.slot, self.keys.is_removed(&id));
        SlotInfo { id, kind: slot.kind, is_here, destinations: Vec::new(), is_in_use, is_removed }
    }

    /// Makes a slot that opens the repository with another secret, here and on every destination within reach.
    ///
    /// # Errors
    /// [`Error::Usage`] for a secret that opens it already, [`Error::WrongKey`] for words that are none, [`Error::Io`].
    pub fn add_key(&mut self, new: &NewKey) -> Result<KeyChange, Error> {
        let secret = match new {
            NewKey::Inline => slots::Secret::new_inline()?,
            NewKey::Given(secret) => secret.parse()?,
        };
        let store = HeadStore::new(&self.home);
        let known = heads::slots(&store.all()?, &self.header);
        let is_same = |slot: &Slot| slots::open(slot, self.header.repo, &secret).is_ok();
        if let Some((id, _)) = known.iter().find(|(id, slot)| !self.keys.is_removed(id) && is_same(slot)) {
            return Err(Error::Usage(format!("it opens the repository already: it is the key {}", id.short())));
        }
        if known.len() >= heads::SLOTS_MAX {
            let many = heads::SLOTS_MAX;
            return Err(Error::Usage(format!(
                "there are {many} keys already; remove one first, with `cryptbackup key remove`"
            )));
        }
        let stored = slots::make(&self.keys, &secret)?.encode();
        let id = hashed(&stored);
        store.put(&ObjectName::Slot(id), &stored)?;
        self.put_missing_heads()?;
        let is_inline = matches!(new, NewKey::Inline);
        if is_inline {
            // Only now: until the slot is there the key would open nothing.
            self.settings = self.home.edit_settings(|settings| {
                settings.encryption.key = secret.to_text();
                Ok(settings.clone())
            })?;
        }
        Ok(self.change(Some((id, secret.kind())), is_inline))
    }

    /// Removes a slot, here and on every destination within reach. Those out of reach lose it when they are back.
    ///
    /// # Errors
    /// [`Error::Usage`] for the one that opened the repository and for a beginning that several share,
    /// [`Error::NotFound`], [`Error::Io`].
    pub fn remove_key(&mut self, text: &str) -> Result<KeyChange, Error> {
        let slot = self.resolve_slot(text)?;
        let others = self.key_slots()?.slots.into_iter().filter(|other| !other.is_removed && other.id != slot.id);
        if others.count() == 0 {
            let why = "it is the only key: without it nobody could open the repository; add another one first";
            return Err(Error::Usage(why.to_owned()));
        }
        if slot.id == self.slot {
            let why = "it is the key that opens the repository now: to remove it, open the repository with another one";
            return Err(Error::Usage(why.to_owned()));
        }
        let is_in_settings = self.slot_of_settings()? == Some(slot.id);
        // This is the decision; what follows is made good by every later command that writes.
        self.put_ring(self.keys.without_slot(slot.id)?)?;
        if is_in_settings {
            self.settings = self.home.edit_settings(|settings| {
                settings.encryption.key = None;
                Ok(settings.clone())
            })?;
        }
        self.put_missing_heads()?;
        Ok(self.change(Some((slot.id, slot.kind)), is_in_settings))
    }

    /// Begins a new epoch: what is written from now on is sealed under a new key, and what was stays readable.
    ///
    /// # Errors
    /// [`Error::Seal`], [`Error::Io`].
    pub fn rotate_keys(&mut self) -> Result<KeyChange, Error> {
        self.put_ring(self.keys.rotated()?)?;
        self.put_missing_heads()?;
        Ok(self.change(None, false))
    }

    /// Notes that somebody has a copy of the inline key that opened the repository.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn note_key_exported(&self) -> Result<ObjectHash, Error> {
        let mut exported = self.exported()?;
        if !exported.contains(&self.slot.to_string()) {
            exported.push(self.slot.to_string());
            let bytes = serde_json::to_vec_pretty(&exported).map_err(|error| Error::Usage(error.to_string()))?;
            self.home.write_state(EXPORTED_FILE, &bytes)?;
        }
        Ok(self.slot)
    }

    /// Whether somebody has a key that is not only on this disk: a copy of the one in `config.yaml`, or another one.
    pub(super) fn is_key_exported(&self) -> Result<bool, Error> {
        let exported = self.exported()?;
        let slots = heads::slots(&HeadStore::new(&self.home).all()?, &self.header);
        let mut in_force = slots.iter().filter(|(id, _)| !self.keys.is_removed(id));
        Ok(in_force.any(|(id, slot)| slot.kind != SlotKind::Inline || exported.contains(&id.to_string())))
    }

    fn exported(&self) -> Result<Vec<String>, Error> {
        // What cannot be read is as good as not there: a person is reminded once more.
        let read = self.home.read_state(EXPORTED_FILE)?;
        Ok(read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// The slot that an id begins with.
    fn resolve_slot(&self, text: &str) -> Result<SlotInfo, Error> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::Usage(format!("`{text}` is not a key: give the first digits of its id")));
        }
        let prefix = text.to_ascii_lowercase();
        let slots = self.key_slots()?.slots.into_iter();
        let mut matching = slots.filter(|slot| !slot.is_removed && slot.id.to_string().starts_with(&prefix));
        match (matching.next(), matching.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(Error::Usage(format!("several keys begin with `{text}`; give more digits"))),
            (None, _) => Err(Error::NotFound { what: format!("key `{text}`") }),
        }
    }

    /// The slot that the key in `config.yaml` opens.
    fn slot_of_settings(&self) -> Result<Option<ObjectHash>, Error> {
        let Some(secret) = self.settings.encryption.key.as_deref().and_then(|key| slots::Secret::from_base64(key))
        else {
            return Ok(None);
        };
        let slots = heads::slots(&HeadStore::new(&self.home).all()?, &self.header);
        let opened = slots.iter().find(|(_, slot)| slots::open(slot, self.header.repo, &secret).is_ok());
        Ok(opened.map(|(id, _)| *id))
    }

    /// Makes a new ring durable in the state folder, from where every destination gets it. It was opened again before.
    fn put_ring(&mut self, keys: Keys) -> Result<(), Error> {
        HeadStore::new(&self.home).put_copies(&|| {
            let stored = keys.seal_ring()?;
            let reopened = self.keys.open_another(&stored)?;
            if reopened.ring_number() != keys.ring_number() || reopened.epoch() != keys.epoch() {
                return Err(Error::Seal(SealError::Tampered));
            }
            Ok((ObjectName::Ring(keys.ring_number(), hashed(&stored)), stored))
        })?;
        self.keys = std::sync::Arc::new(keys);
        Ok(())
    }

    fn change(&self, slot: Option<(ObjectHash, SlotKind)>, changed_settings: bool) -> KeyChange {
        KeyChange {
            slot,
            ring: self.keys.ring_number(),
            epoch: self.keys.epoch(),
            destinations: self.destinations.iter().map(|destination| destination.name.clone()).collect(),
            behind: self.unreachable.iter().map(|lost| (lost.name.clone(), lost.detail.clone())).collect(),
            changed_settings,
        }
    }
}
