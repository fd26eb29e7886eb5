//! A new repository: fresh keys, their slots, a config, and the settings of this machine.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::clock::Clock;
use super::heads::{HeadStore, hashed};
use super::home::{Home, io_error};
use super::open::open_index;
use super::settings::Settings;
use super::writer::Writer;
use crate::error::Error;
use crate::format::header::RepoHeader;
use crate::format::id::RepoId;
use crate::format::layout::ObjectName;
use crate::format::record::{ChunkerParameters, ConfigRecord};
use crate::format::sealed::ObjectType;
use crate::report::Silent;
use crate::seal::Keys;
use crate::seal::keys::random;
use crate::seal::slots::{self, Secret};

/// How to set up.
#[derive(Clone, Default)]
pub struct InitRequest {
    /// Move what is there aside and begin anew.
    pub force: bool,
    /// Protect by this passphrase instead of a key in `config.yaml`.
    pub passphrase: Option<Zeroizing<String>>,
    /// Make recovery words too.
    pub recovery: bool,
    /// Other sizes than the usual ones. They hold for the life of the repository, and small ones cost much room.
    pub sizes: Option<Sizes>,
}

/// Into what data are cut, gathered and packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// How streams are cut.
    pub chunker: ChunkerParameters,
    /// Raw bytes of a full block.
    pub block_bytes: u32,
    /// Stored bytes of a full pack.
    pub pack_bytes: u32,
}

impl Sizes {
    /// The usual ones, but for the packs.
    pub fn with_packs(pack_bytes: u32) -> Self {
        Self { chunker: ChunkerParameters::DEFAULT, block_bytes: ConfigRecord::BLOCK_BYTES, pack_bytes }
    }
}

/// What was set up.
pub struct InitReport {
    /// The new repository.
    pub repo: RepoId,
    /// The recovery words, to be shown once.
    pub recovery_words: Option<Zeroizing<String>>,
    /// Where the old state went.
    pub moved_aside: Option<PathBuf>,
}

/// Sets up a new repository in a state folder. No destination is touched.
///
/// ```
/// use cryptbackup::error::Error;
/// use cryptbackup::repo::{self, Home, InitRequest};
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("another state"));
/// let report = repo::init(&home, InitRequest { recovery: true, ..InitRequest::default() })?;
/// let words = report.recovery_words.ok_or("they were asked for")?;
/// assert_eq!(words.split_whitespace().count(), 24);
///
/// // What is there is never overwritten.
/// let again = repo::init(&home, InitRequest::default());
/// assert!(matches!(again, Err(Error::AlreadyInitialised { .. })));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::AlreadyInitialised`], [`Error::ForeignState`], [`Error::Io`]; [`Error::Format`] for sizes that cannot be.
pub fn init(home: &Home, request: InitRequest) -> Result<InitReport, Error> {
    let moved_aside = if request.force {
        home.check_not_foreign()?;
        // Also where the settings are lost: the state that is left opens what a copy of them opens.
        if home.holds_anything() { Some(move_aside(home)?) } else { None }
    } else {
        home.require_unused()?;
        None
    };
    home.create()?;
    let _lock = home.lock()?;
    home.begin()?;
    let repo = RepoId::from_bytes(random()?);
    let keys = Keys::generate(repo)?;
    let header = RepoHeader::new(repo);
    let store = HeadStore::new(home);
    store.clear()?;
    let mut settings = Settings::new(&jiff::Zoned::now());

    let secret = match request.passphrase {
        Some(passphrase) => Secret::Passphrase(passphrase),
        None => Secret::new_inline()?,
    };
    if let Secret::Inline(_) = secret {
        settings.encryption.key = secret.to_text();
    }
    put_slot(&store, &keys, &secret)?;
    let mut recovery_words = None;
    if request.recovery {
        let recovery = Secret::new_recovery()?;
        put_slot(&store, &keys, &recovery)?;
        recovery_words = recovery.to_text();
    }
    store.put_copies(&|| {
        let ring = keys.seal_ring()?;
        Ok((ObjectName::Ring(keys.ring_number(), hashed(&ring)), ring))
    })?;
    let config = config_of(header, request.sizes);
    let record = config.validate().and_then(|()| config.encode());
    let record = record.map_err(|source| Error::Format { object: "config".to_owned(), source })?;
    store.put_copies(&|| {
        let stored = keys.seal_record(ObjectType::Config, &record)?;
        Ok((ObjectName::Config(config.number, hashed(&stored)), stored))
    })?;
    settings.make_room_for_packs(config.pack_bytes);
    Writer::ready(home, &keys, None, false, None, Clock::default().now())?;
    drop(open_index(home, &header, settings.limits.memory, &Silent)?);
    // The header last but one, the settings last: until they are there, nothing is set up.
    store.put(&ObjectName::Header, &header.encode())?;
    home.save_settings(&settings)?;
    home.finish()?;
    Ok(InitReport { repo, recovery_words, moved_aside })
}

fn config_of(header: RepoHeader, sizes: Option<Sizes>) -> ConfigRecord {
    let usual = ConfigRecord::new(header);
    match sizes {
        Some(Sizes { chunker, block_bytes, pack_bytes }) => ConfigRecord { chunker, block_bytes, pack_bytes, ..usual },
        None => usual,
    }
}

pub(super) fn put_slot(store: &HeadStore, keys: &Keys, secret: &Secret) -> Result<(ObjectName, Vec<u8>), Error> {
    let stored = slots::make(keys, secret)?.encode();
    let name = ObjectName::Slot(hashed(&stored));
    store.put(&name, &stored)?;
    Ok((name, stored))
}

/// Renames the whole state folder: nothing in it is lost, least of all a key.
fn move_aside(home: &Home) -> Result<PathBuf, Error> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let mut name = home.path().file_name().unwrap_or_default().to_owned();
    name.push(format!(".old-{stamp}"));
    let mut target = home.path().with_file_name(&name);
    let mut number = 1;
    while target.exists() {
        number += 1;
        let mut name = name.clone();
        name.push(format!("-{number}"));
        target = home.path().with_file_name(name);
    }
    std::fs::rename(home.path(), &target).map_err(|source| io_error("move aside", home.path(), source))?;
    Ok(target)
}
