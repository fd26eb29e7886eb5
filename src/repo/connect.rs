//! On a new machine: from one destination and a secret to a working setup.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::destinations::{KnownIds, settle_copy};
use super::heads::{self, HeadStore};
use super::home::Home;
use super::init::put_slot;
use super::settings::{Settings, SourceSettings, source_path};
use super::{Access, Repo, Secret};
use crate::destination::{
    Damage, Destination, DestinationError, DestinationErrorKind, LocalDestination, OpenError, Proof, Settle,
};
use crate::error::Error;
use crate::format::header::{DestinationMark, RepoHeader};
use crate::format::id::{DestinationId, RepoId};
use crate::format::layout::ObjectName;
use crate::format::slot::Slot;
use crate::format::snapshot::Root;
use crate::paths;
use crate::report::Monitor;
use crate::seal::keys::random;
use crate::seal::{Keys, slots};

/// What was found and set up.
#[derive(Debug, Clone)]
pub struct ConnectReport {
    /// Snapshots on the destination.
    pub snapshots: usize,
    /// The sources of the newest one.
    pub sources: Vec<PathBuf>,
    /// The name under which the destination was configured.
    pub destination_name: String,
    /// Whether all other settings are the defaults, since no copy of them was given and no destination has them.
    pub has_defaults: bool,
    /// Why the key that this machine got could not be put onto the destination, such as one that is mounted read-only. The
    /// next backup puts it there; until then the destination opens with what opened it now.
    pub key_not_put: Option<DestinationError>,
}

/// Fails unless the folder is a destination: to be asked before a secret is.
///
/// # Errors
/// [`Error::NotADestination`].
pub fn require_destination(path: &Path) -> Result<(), Error> {
    match LocalDestination::open(path, None) {
        // The key tells what it is.
        Ok(_) | Err(OpenError::Damaged(_)) => Ok(()),
        Err(error) => Err(not_usable(path, &error)),
    }
}

/// Sets up a state folder from one destination: keys, config, index and sources. `copied` is a copy of `config.yaml`,
/// whose settings are taken over; `secret` opens the repository where that holds no key.
///
/// ```
/// use cryptbackup::repo::settings::Settings;
/// use cryptbackup::repo::{self, Home};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// // Of the old machine a copy of `config.yaml` is left, and the stick.
/// let copied = Settings::load(&folder.path().join("state/config.yaml"), true)?;
/// let stick = folder.path().join("stick");
/// repo::require_destination(&stick)?;
/// let home = Home::at(folder.path().join("new state"));
/// let report = repo::connect(&home, &stick, None, Some(copied), &Silent)?;
/// assert_eq!((report.snapshots, report.destination_name.as_str()), (1, "primary"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::AlreadyInitialised`], [`Error::WrongKey`], [`Error::ForeignState`], [`Error::NotADestination`] where the
/// folder is none. Nothing is left in the state folder then.
pub fn connect(
    home: &Home,
    destination: &Path,
    secret: Option<Secret>,
    copied: Option<Settings>,
    monitor: &dyn Monitor,
) -> Result<ConnectReport, Error> {
    if home.exists() {
        return Err(Error::AlreadyInitialised { home: home.path().to_owned(), lacks_settings: false });
    }
    home.check_index_not_foreign()?;
    let copied = match copied {
        Some(settings) => Some(settings),
        // A copy of config.yaml put back in its place is what the forerunner's users do.
        None if home.has_settings() => Some(home.settings()?),
        None => None,
    };
    let (place, damage) = open_place(home, destination)?;
    let shown = destination.display().to_string();
    let header = place.header();
    // A state whose settings are lost is taken up, but not as that of another repository.
    if home.holds_state()
        && heads::header(&HeadStore::new(home).all()?, "this computer").is_ok_and(|kept| kept.repo != header.repo)
    {
        return Err(Error::AlreadyInitialised { home: home.path().to_owned(), lacks_settings: true });
    }
    let heads::Readable { objects, unreadable } = heads::from_destination(&place, &header)?;
    let (is_copied, has_defaults) = (copied.is_some(), copied.as_ref().is_none_or(Settings::is_key_alone));
    let mut settings = copied.unwrap_or_else(|| Settings::new(&jiff::Zoned::now()));
    let secret = Secret::or_inline(secret, &settings)?;
    let parsed = secret.parse()?;
    let opened = heads::unlock(&objects, &header, &parsed, &shown)
        .and_then(|unlocked| heads::config(&objects, &header, &unlocked.keys, &shown).map(|_| unlocked));
    // What could not be read says more than that nothing fits.
    let unlocked = opened.map_err(|error| unreadable.map_or(error, Error::from))?;

    home.create()?;
    let store = HeadStore::new(home);
    for (name, bytes) in objects.iter().filter(|(name, _)| unlocked.keeps(name)) {
        store.put(name, bytes)?;
    }
    let mut key_not_put = None;
    if let slots::Secret::Recovery(_) = parsed
        && !settings.encryption.key.as_deref().is_some_and(|key| opens(key, &objects, &header, &shown))
    {
        // Words are for the worst day, not for every day: from now on this machine has a key of its own.
        (settings.encryption.key, key_not_put) = make_own_key(&store, &unlocked.keys, &place)?;
    }
    if let Secret::Inline(key) = &secret {
        settings.encryption.key = Some(key.clone());
    }
    let whole = damage.map_or(Ok(()), |damage| write_identity(home, destination, &place, &damage, monitor));
    match whole.and_then(|()| Ok(settle_copy(&place, monitor)?)) {
        // Whoever cannot write there commits nothing that relies on it.
        Err(Error::Destination(error))
            if matches!(error.kind, DestinationErrorKind::ReadOnly | DestinationErrorKind::Denied) => {}
        settled => settled?,
    }
    let destination_name = name_for(home, &settings, destination, &place.mark().destination)?;
    settings.destinations.insert(destination_name.clone(), destination.to_owned());
    drop(place);
    home.save_settings(&settings)?;

    let (snapshots, sources) = finish(home, secret, is_copied, monitor)?;
    Ok(ConnectReport { snapshots, sources, destination_name, has_defaults, key_not_put })
}

/// Opens a destination. Where one of the two objects that say what it is is damaged, the other one says it, or where both
/// are, its key slots; that it is true shows when the keys open what is sealed.
fn open_place(home: &Home, path: &Path) -> Result<(LocalDestination, Option<Damage>), Error> {
    let damage = match LocalDestination::open_at(home.machine(), path, None) {
        Ok(place) => return Ok((place, None)),
        Err(OpenError::Damaged(damage)) => damage,
        Err(error) => return Err(not_usable(path, &error)),
    };
    let open = |mark: DestinationMark| {
        LocalDestination::salvage_at(home.machine(), path, &mark, &RepoHeader::new(mark.repo))
            .map_err(|error| not_usable(path, &error))
    };
    let destination = match damage.mark {
        Some(mark) => mark.destination,
        None => DestinationId::from_bytes(random()?),
    };
    let repo = match (damage.mark, damage.header) {
        (Some(mark), None) => Some(mark.repo),
        (None, Some(header)) => Some(header.repo),
        (None, None) => repo_of_slots(&open(DestinationMark { repo: RepoId::from_bytes([0; 16]), destination })?)?,
        (Some(_), Some(_)) => None,
    };
    match repo {
        Some(repo) => Ok((open(DestinationMark { repo, destination })?, Some(*damage))),
        None => Err(not_usable(path, &OpenError::Damaged(damage))),
    }
}

/// The repository that the key slots of a destination name; none where they name several.
fn repo_of_slots(place: &LocalDestination) -> Result<Option<RepoId>, Error> {
    let objects = heads::from_destination(place, &place.header())?.objects;
    let slots = objects.iter().filter(|(name, _)| matches!(name, ObjectName::Slot(_)));
    let mut named: Vec<RepoId> = slots.filter_map(|(_, bytes)| Some(Slot::decode(bytes).ok()?.repo)).collect();
    named.sort_unstable();
    named.dedup();
    Ok(if let [repo] = named[..] { Some(repo) } else { None })
}

/// Writes again what says what a destination is. That it is this one its keys proved.
fn write_identity(
    home: &Home,
    path: &Path,
    place: &LocalDestination,
    damage: &Damage,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    monitor.note(&format!("{damage}. The keys tell what it is, and it is written again."));
    match LocalDestination::mend_at(home.machine(), path, &place.mark(), &place.header(), Proof::Keys) {
        Ok(_) => {}
        Err(OpenError::Io(error)) => return Err(error.into()),
        Err(error) => return Err(not_usable(path, &error)),
    }
    if damage.mark.is_none() {
        monitor.note(
            "Other computers that know this destination have to run `cryptbackup destination accept` with its name.",
        );
    }
    Ok(())
}

/// Makes a key that only this machine has, and puts it where that can be done. Gives it as `config.yaml` holds it, and why
/// it is not on the destination.
fn make_own_key(
    store: &HeadStore<'_>,
    keys: &Keys,
    place: &LocalDestination,
) -> Result<(Option<Zeroizing<String>>, Option<DestinationError>), Error> {
    let inline = slots::Secret::new_inline()?;
    let (name, stored) = put_slot(store, keys, &inline)?;
    let put = place.put(&name, &stored).and_then(|_| place.settle(Settle::Touched));
    Ok((inline.to_text(), put.err()))
}

/// Builds the index and lists the sources. The writer is made by the first backup, which goes on from the newest
/// snapshot there is then.
fn finish(home: &Home, secret: Secret, is_copied: bool, monitor: &dyn Monitor) -> Result<(usize, Vec<PathBuf>), Error> {
    let repo = Repo::open(home, Access::Salvage, Some(secret), monitor)?;
    let view = repo.index.reader()?;
    let known = repo.known_snapshots(&view)?;
    let newest = known.first().map_or(&[][..], |known| &known.snapshot.roots);
    // A path that none can have is that of no source, whoever wrote it into the snapshot.
    let is_possible = |source: &SourceSettings| source_path(&source.path).is_ok();
    let sources: Vec<SourceSettings> = newest.iter().map(source).filter(is_possible).collect();
    if !is_copied || repo.settings.sources.is_empty() {
        home.edit_settings(|settings| {
            settings.make_room_for_packs(repo.config.pack_bytes);
            for source in &sources {
                if settings.source(&source.path).is_none() {
                    settings.put_source(source.clone());
                }
            }
            Ok(())
        })?;
    }
    let sources = sources.into_iter().map(|source| source.path).collect();
    Ok((known.len(), sources))
}

/// A source as a snapshot has it. What came through a pipe has no inode, and there is nothing to read.
fn source(root: &Root) -> SourceSettings {
    let stdin = root.node.folder().is_none() && root.node.metadata.inode == 0;
    SourceSettings { stdin, ..SourceSettings::new(paths::from_bytes(&root.path)) }
}

fn opens(key: &str, objects: &heads::Objects, header: &RepoHeader, place: &str) -> bool {
    slots::Secret::from_base64(key).is_some_and(|secret| heads::unlock(objects, header, &secret, place).is_ok())
}

/// The name of a destination from now on. A state that is taken up knows by which one it called it.
fn name_for(home: &Home, settings: &Settings, path: &Path, id: &DestinationId) -> Result<String, Error> {
    let mut known = KnownIds::load(home)?;
    let is_free = |name: &&str| settings.destinations.get(name).is_none_or(|configured| configured == path);
    let was_called = known.name_of(id).filter(is_free);
    let name = was_called.map_or_else(|| choose_name(home, settings, path), str::to_owned);
    known.set(&name, id)?;
    Ok(name)
}

/// The name whose path this is; else the first configured one that is not here; else the first free one.
fn choose_name(home: &Home, settings: &Settings, path: &Path) -> String {
    if let Some(name) = settings.destinations.name_of(path) {
        return name.to_owned();
    }
    if let Some((name, _)) = settings.destinations.iter().find(|(_, known)| home.machine().open_root(known).is_err()) {
        return name.clone();
    }
    let free = ["primary", "secondary", "tertiary"].into_iter().find(|name| !settings.destinations.contains_key(name));
    match free {
        Some(name) => name.to_owned(),
        None => (4..)
            .map(|number| format!("destination{number}"))
            .find(|name| !settings.destinations.contains_key(name))
            .unwrap_or_else(|| "connected".to_owned()),
    }
}

fn not_usable(path: &Path, error: &OpenError) -> Error {
    match error {
        OpenError::Damaged { .. } => heads::damaged(&"dest.id or cryptbackup.repo", &path.display().to_string(), error),
        error => Error::NotADestination { path: path.to_owned(), why: error.to_string() },
    }
}
