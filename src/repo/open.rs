//! Opening a repository: keys, then the index, then the destinations that are there, then what changed on them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use super::clock::Clock;
use super::heads;
use super::home::{Home, Lock, NotTaken};
use super::lineage::Lineage;
use super::settings::Settings;
use super::unlock::unlock;
use super::writer::Writer;
use super::{DestinationState, RolledBack, Unreachable};
use crate::chunk::Chunker;
use crate::destination::place::Mount;
use crate::error::Error;
use crate::format::header::RepoHeader;
use crate::format::id::ObjectHash;
use crate::format::record::ConfigRecord;
use crate::index::{Index, IndexError, IndexReader, PackNumber};
use crate::memory::Budget;
use crate::replicate::{Fetcher, OpenDestination};
use crate::report::Monitor;
use crate::seal::{Keys, slots};
use crate::snapshot::ReadError;
use crate::source::Owners;

/// What a command is going to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only read. Never waits for a backup that is running.
    Read,
    /// The same, and of a destination with damaged folders read what is left.
    Salvage,
    /// Write to destinations or settings; excludes other commands that do.
    Write,
}

/// What opens the repository instead of the key in `config.yaml`.
#[derive(Clone)]
pub enum Secret {
    /// `encryption.key` of some copy of `config.yaml`.
    Inline(Zeroizing<String>),
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// 24 recovery words.
    Words(Zeroizing<String>),
    /// BLAKE3 of all bytes of a key file.
    KeyFile(Zeroizing<[u8; 32]>),
}

impl Secret {
    /// The secret of a key file, which is all its bytes.
    ///
    /// # Errors
    /// Those of reading it.
    pub fn of_key_file(file: impl Read) -> io::Result<Self> {
        match slots::Secret::from_key_file(file)? {
            slots::Secret::KeyFile(hash) => Ok(Self::KeyFile(hash)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The secret as bytes.
    pub(super) fn parse(&self) -> Result<slots::Secret, Error> {
        let wrong = |what: &str| Error::WrongKey { what: what.to_owned() };
        match self {
            Secret::Inline(text) => slots::Secret::from_base64(text)
                .ok_or_else(|| wrong("`encryption.key` is not a key of this program (44 characters of base64)")),
            Secret::Passphrase(text) => Ok(slots::Secret::Passphrase(text.clone())),
            Secret::Words(text) => slots::Secret::from_words(text)
                .ok_or_else(|| wrong("these are not 24 valid recovery words; check for a word that was miscopied")),
            Secret::KeyFile(hash) => Ok(slots::Secret::KeyFile(hash.clone())),
        }
    }

    /// The secret given, or the one in the settings.
    pub(super) fn or_inline(given: Option<Secret>, settings: &Settings) -> Result<Secret, Error> {
        given.or_else(|| settings.encryption.key.clone().map(Secret::Inline)).ok_or_else(|| Error::WrongKey {
            what: "config.yaml holds no key; give the passphrase (--passphrase-file, CRYPTBACKUP_PASSPHRASE, or on a \
                   terminal when asked)"
                .to_owned(),
        })
    }
}

/// A repository, opened with its keys.
pub struct Repo {
    pub(crate) home: Home,
    pub(crate) settings: Settings,
    pub(crate) budget: Budget,
    pub(crate) header: RepoHeader,
    pub(crate) keys: Arc<Keys>,
    /// The slot that opened it.
    pub(super) slot: ObjectHash,
    pub(crate) config: ConfigRecord,
    pub(crate) chunker: Chunker,
    pub(crate) index: Index,
    pub(crate) destinations: Vec<OpenDestination>,
    /// Those that failed in this run when they were written to, and may still be read from.
    pub(super) only_read: Vec<OpenDestination>,
    pub(crate) unreachable: Vec<Unreachable>,
    /// Who writes here; none before the first backup after `connect`.
    pub(crate) writer: Option<Writer>,
    /// What was found damaged while opening: destination, object, finding.
    pub(crate) findings: Vec<(String, String, String)>,
    /// Of each destination, by name: packs that were known to be there and are not listed any more, and how many were
    /// known.
    pub(crate) lost_packs: BTreeMap<String, (Vec<PackNumber>, u64)>,
    /// Whether every version number that can be known is accounted for.
    pub(crate) is_counted: bool,
    /// By the name of the destination: what it does not show any more.
    pub(super) rolled_back: BTreeMap<String, RolledBack>,
    /// By the name of the destination: what is to be known of one that was seen for the first time.
    pub(super) first_looks: BTreeMap<String, String>,
    pub(super) clock: Clock,
    /// Whether an earlier run of this process listed the destinations, and nobody wrote here since.
    pub(super) is_listed: bool,
    /// Names of owners, and what is mounted, as they were when they were first asked for.
    pub(crate) owners: Owners,
    pub(super) mounts: OnceLock<Vec<Mount>>,
    pub(super) lock: Option<Lock>,
}

impl Repo {
    /// Opens the repository of a state folder. An index that is missing or broken is rebuilt from the destinations
    /// within reach, and said so.
    ///
    /// # Errors
    /// [`Error::NotInitialised`], [`Error::WrongKey`], [`Error::Locked`], [`Error::Damaged`]. That no destination is
    /// within reach is not an error here.
    pub fn open(home: &Home, access: Access, secret: Option<Secret>, monitor: &dyn Monitor) -> Result<Self, Error> {
        let (settings, header, unlocked, config) = unlock(home, secret)?;
        let heads::Unlocked { keys, slot } = unlocked;
        let lock = match access {
            Access::Write => Ok(home.lock()?),
            Access::Read | Access::Salvage => home.try_lock(),
        };
        let budget = settings.budget();
        budget.start_workers().map_err(Error::NoThread)?;
        let chunker = Chunker::new(&config.chunker, keys.chunker_key());
        let (index, lock) = match lock {
            Ok(lock) => (open_index(home, &header, settings.limits.memory, monitor)?, Some(lock)),
            Err(why) => (read_index(home, &header, settings.limits.memory, why, monitor)?, None),
        };
        let writer = Writer::load(home)?;
        let repo = Self {
            home: home.clone(),
            settings,
            budget,
            header,
            keys: Arc::new(keys),
            slot,
            config,
            chunker,
            index,
            destinations: Vec::new(),
            only_read: Vec::new(),
            unreachable: Vec::new(),
            writer,
            findings: Vec::new(),
            lost_packs: BTreeMap::new(),
            is_counted: true,
            rolled_back: BTreeMap::new(),
            first_looks: BTreeMap::new(),
            clock: Clock::default(),
            is_listed: false,
            owners: Owners::default(),
            mounts: OnceLock::new(),
            lock,
        }
        .refreshed(access, monitor)?;
        if access != Access::Write && repo.lock.is_some() { repo.into_reader(access, monitor) } else { Ok(repo) }
    }

    /// The same with what came to destinations since, as far as that can be had.
    fn refreshed(mut self, access: Access, monitor: &dyn Monitor) -> Result<Self, Error> {
        let Err(error) = self.refresh(access, monitor) else { return Ok(self) };
        match error.is_for_want_of_room() && access != Access::Write {
            true => self.without_what_is_new(error, access, monitor),
            false => self.without_index(error, access, monitor),
        }
    }

    /// The same to read, with what the index knows, where there is no room for more. Where that is nothing, that is the error.
    fn without_what_is_new(self, error: Error, access: Access, monitor: &dyn Monitor) -> Result<Self, Error> {
        let memory = self.settings.limits.memory;
        drop(self.index);
        // It is closed as it should be, and not in the midst of a change, before it can be opened to read.
        drop(open_index(&self.home, &self.header, memory, monitor)?);
        let index = open_to_read(&self.home, &self.header, memory)?;
        let mut repo = Self { index, lock: None, ..self };
        if repo.known_bits()? == 0 {
            return Err(error);
        }
        monitor.note("The disk with the state folder is full: what came to destinations lately is not known.");
        repo.refresh(access, monitor)?;
        Ok(repo)
    }

    /// The same with a new index, where the old one was to blame: damage of it may show only when it is read.
    fn without_index(self, error: Error, access: Access, monitor: &dyn Monitor) -> Result<Self, Error> {
        let why = match &error {
            full if full.is_for_want_of_room() => return Err(error),
            Error::Index { detail, .. } => detail.clone(),
            Error::Read(ReadError::Index(error)) => error.to_string(),
            _ => return Err(error),
        };
        if !self.index.is_writable() {
            return Err(error);
        }
        drop(self.index);
        set_index_aside(&self.home, &why, monitor)?;
        let index = open_index(&self.home, &self.header, self.settings.limits.memory, monitor)?;
        let mut repo = Self { index, ..self };
        repo.refresh(access, monitor)?;
        Ok(repo)
    }

    /// Lets go of everything that would keep another command from writing, where the index can be read without it.
    fn into_reader(self, access: Access, monitor: &dyn Monitor) -> Result<Self, Error> {
        let memory = self.settings.limits.memory;
        // The writable handle has to be closed before the file can be opened again.
        drop(self.index);
        match open_to_read(&self.home, &self.header, memory) {
            Ok(index) => Ok(Self { index, lock: None, ..self }),
            // It could not be closed as it should be, since damage showed only then: only who may write opens it again.
            // Nobody else writes meanwhile.
            Err(IndexError::Broken(_)) => {
                let index = open_index(&self.home, &self.header, memory, monitor)?;
                Self { index, ..self }.refreshed(access, monitor)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// The same repository with the right to write, after the work of a reader is done; none while another command has it,
    /// or where nobody may write.
    pub(crate) fn into_writer(self) -> Result<Option<Self>, Error> {
        if self.lock.is_some() {
            return Ok(Some(self));
        }
        let lock = match self.home.try_lock() {
            Ok(lock) => lock,
            Err(NotTaken::Held | NotTaken::Refused(_)) => return Ok(None),
            Err(NotTaken::Failed(error)) => return Err(error),
        };
        drop(self.index);
        let index = Index::open(&self.home.index_path(), self.header.repo, self.settings.limits.memory)?;
        Ok(Some(Self { index, lock: Some(lock), ..self }))
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The destinations that can be used.
    pub fn destinations(&self) -> &[OpenDestination] {
        &self.destinations
    }

    /// The configured destinations that cannot.
    pub fn unreachable(&self) -> &[Unreachable] {
        &self.unreachable
    }

    /// A reader of chunks, over one consistent view of the index.
    pub(crate) fn fetcher<'a>(&'a self, view: &'a IndexReader) -> Fetcher<'a> {
        Fetcher::new(&self.keys, view, &self.destinations, self.budget)
    }

    /// The same, over some of the destinations, and for who reads for long while other commands may clean.
    pub(crate) fn fetcher_from<'a>(&'a self, view: &'a IndexReader, from: &'a [OpenDestination]) -> Fetcher<'a> {
        let own = self.writer.as_ref().map(|writer| writer.id);
        Fetcher::new(&self.keys, view, from, self.budget).that_looks_again(&self.index, own)
    }

    /// The line of snapshots this writer goes on from.
    pub(crate) fn lineage(&self, view: &IndexReader) -> Result<Lineage, Error> {
        Lineage::of(view, self.writer.as_ref())
    }

    /// The error for a command that cannot do anything without a destination.
    pub(crate) fn no_destination(&self) -> Error {
        if let [Unreachable { state: DestinationState::Damaged, path, detail, .. }] = &self.unreachable[..] {
            return heads::damaged(&"the folder", &path.display().to_string(), detail);
        }
        Error::NoDestination {
            tried: self.unreachable.iter().map(|lost| (lost.name.clone(), lost.detail.clone())).collect(),
        }
    }
}

/// Opens the index for writing; a broken one is moved aside, since everything in it is on the destinations too.
pub(super) fn open_index(home: &Home, header: &RepoHeader, memory: u64, monitor: &dyn Monitor) -> Result<Index, Error> {
    let existed = home.has_index();
    let open =
        || Index::open_with(header.repo, memory, |builder| home.machine().open_index(&home.index_path(), builder));
    match open().map(|index| index.with_scratch(home.path())) {
        Ok(index) => {
            if !existed && Writer::load(home)?.is_some_and(|writer| writer.sequence > 0) {
                monitor.note("The index was missing and is rebuilt from the destinations within reach.");
            }
            Ok(index)
        }
        Err(IndexError::Broken(why)) => {
            set_index_aside(home, &why, monitor)?;
            Ok(open()?.with_scratch(home.path()))
        }
        Err(other) => Err(other.into()),
    }
}

fn open_to_read(home: &Home, header: &RepoHeader, memory: u64) -> Result<Index, IndexError> {
    let path = home.index_path();
    Index::open_read_only_with(header.repo, memory, |builder| home.machine().open_index_to_read(&path, builder))
}

/// The index as it is, for who reads and has no lock.
fn read_index(
    home: &Home,
    header: &RepoHeader,
    memory: u64,
    why: NotTaken,
    monitor: &dyn Monitor,
) -> Result<Index, Error> {
    let opened = open_to_read(home, header, memory);
    match (opened, why) {
        (_, NotTaken::Failed(error)) => Err(error),
        (Ok(index), NotTaken::Held) => Ok(index),
        (Ok(index), NotTaken::Refused(_)) => {
            monitor.note(
                "Nothing can be written to the state folder: what came to destinations lately, or went, is not known.",
            );
            Ok(index)
        }
        // Whoever holds the lock is making or rebuilding it.
        (Err(IndexError::Missing | IndexError::Busy | IndexError::Broken(_)), NotTaken::Held) => Err(home.locked()),
        (Err(IndexError::Missing | IndexError::Busy | IndexError::Broken(_)), NotTaken::Refused(error)) => Err(error),
        (Err(other), _) => Err(other.into()),
    }
}

/// Moves an index that cannot be used out of the way, and says so.
fn set_index_aside(home: &Home, why: &str, monitor: &dyn Monitor) -> Result<(), Error> {
    let aside = move_index_aside(home)?;
    monitor.note(&format!(
        "The index could not be used ({why}); it was moved to {} and is rebuilt from the destinations within reach.",
        aside.display()
    ));
    Ok(())
}

pub(super) fn move_index_aside(home: &Home) -> Result<PathBuf, Error> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let name = format!("backups.db.broken-{stamp}");
    home.rename_index(&name)?;
    Ok(home.path().join(name))
}
