//! Which destinations there are, and which of them can be reached. How they come and go: `change`.

mod change;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::DestinationState;
use super::home::Home;
use super::said::Said;
use super::settings::Settings;
use crate::destination::{
    Damage, Destination, DestinationError, DestinationErrorKind, LocalDestination, OpenError, Throttle,
};
use crate::error::Error;
use crate::format::header::{DestinationMark, RepoHeader};
use crate::format::id::DestinationId;
use crate::format::layout::ObjectName;
use crate::index::Index;
use crate::replicate::{Neighbours, OpenDestination};
use crate::report::Monitor;

/// A configured destination that cannot be used in this run.
#[derive(Debug, Clone)]
pub struct Unreachable {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// How it is.
    pub state: DestinationState,
    /// Why, as one sentence without a full stop.
    pub detail: String,
    /// Whether there is just nothing at its path, so that the state says it all.
    pub is_missing: bool,
}

/// How a destination was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// The folder was made, or filled.
    Created,
    /// The folder held this repository already.
    TakenUp,
}

/// Where the ids are kept.
const IDS_FILE: &str = "destinations.json";

/// Which destination belongs to which name: `state/destinations.json`.
pub(super) struct KnownIds<'a> {
    home: &'a Home,
    ids: BTreeMap<String, String>,
}

impl<'a> KnownIds<'a> {
    pub(super) fn load(home: &'a Home) -> Result<Self, Error> {
        // What cannot be read is learned again from the destinations.
        let read = home.read_state(IDS_FILE)?;
        let ids = read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(Self { home, ids })
    }

    pub(super) fn get(&self, name: &str) -> Option<DestinationId> {
        self.ids.get(name).and_then(|id| id.parse().ok())
    }

    pub(super) fn name_of(&self, id: &DestinationId) -> Option<&str> {
        let id = id.to_string();
        self.ids.iter().find(|(_, known)| **known == id).map(|(name, _)| name.as_str())
    }

    pub(super) fn set(&mut self, name: &str, id: &DestinationId) -> Result<(), Error> {
        if self.get(name) == Some(*id) {
            return Ok(());
        }
        // Another name of it was taken out of the settings by hand.
        self.ids.retain(|_, known| *known != id.to_string());
        self.ids.insert(name.to_owned(), id.to_string());
        self.save()
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), Error> {
        self.ids.remove(name);
        self.save()
    }

    fn save(&self) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(&self.ids).map_err(|error| Error::Usage(error.to_string()))?;
        self.home.write_state(IDS_FILE, &bytes)
    }
}

/// Opens every configured destination that is there, at its own path or at that of another one. None is ever created here.
/// With `salvage`, which is told so, also those that were seen before and do not say any more what they are.
pub(super) fn open_all(
    home: &Home,
    settings: &Settings,
    header: &RepoHeader,
    index: &Index,
    is_writing: bool,
    salvage: Option<&dyn Monitor>,
) -> Result<(Vec<OpenDestination>, Vec<Unreachable>), Error> {
    let mut known = KnownIds::load(home)?;
    let said = Said::load(home)?;
    let (mut open, mut unreachable) = (Vec::<OpenDestination>::new(), Vec::new());
    for (name, path) in settings.destinations.iter() {
        let expected = known.get(name).map(|destination| DestinationMark { repo: header.repo, destination });
        let fail = |state, detail: String| Unreachable {
            name: name.clone(),
            path: path.clone(),
            state,
            detail,
            is_missing: false,
        };
        let (place, at) = match find(home, settings, header, (name, path), expected, salvage) {
            Ok(opened) => opened,
            Err(error) => {
                unreachable.push(not_there(&known, (home, settings), (name, path), &error));
                continue;
            }
        };
        let mark = place.mark();
        if mark.repo != header.repo {
            let detail = "it holds another repository".to_owned();
            unreachable.push(fail(DestinationState::WrongDevice, detail));
            continue;
        }
        if open.iter().any(|other| other.id == mark.destination) {
            let detail = "it is a copy of another destination; add it again under its name".to_owned();
            unreachable.push(fail(DestinationState::WrongDevice, detail));
            continue;
        }
        let bit = if is_writing {
            known.set(name, &mark.destination)?;
            let mut writer = index.writer()?;
            let bit = writer.destination_bit(&mark.destination)?;
            writer.commit()?;
            Some(bit)
        } else {
            index.reader()?.destination_bit(&mark.destination)?
        };
        // Without a bit nothing is known to be on it: a reader has no use for it.
        if let Some(bit) = bit {
            open.push(OpenDestination {
                name: name.clone(),
                path: at,
                id: mark.destination,
                bit,
                place: match settings.limits.upload.get(name) {
                    Some(limit) => Arc::new(Throttle::new(place, *limit)),
                    None => Arc::new(place),
                },
                upload_limit: settings.limits.upload.get(name).copied(),
                neighbours: Neighbours::of(said.names()),
            });
        }
    }
    Ok((open, unreachable))
}

/// One configured destination, and where it is.
fn find(
    home: &Home,
    settings: &Settings,
    header: &RepoHeader,
    (name, path): (&str, &Path),
    expected: Option<DestinationMark>,
    salvage: Option<&dyn Monitor>,
) -> Result<(LocalDestination, PathBuf), OpenError> {
    match LocalDestination::open_at(home.machine(), path, expected.as_ref()) {
        Ok(place) => Ok((place, path.to_owned())),
        Err(OpenError::Damaged(damage)) => {
            let place = salvaged(home, (name, path), expected, header, damage, salvage)?;
            Ok((place, path.to_owned()))
        }
        Err(error) => at_the_place_of_another(home, settings, (name, path), expected, error),
    }
}

/// Where its own path holds something else or nothing: at the path of another one. Sticks are mounted in the order in
/// which they are plugged in, so they change places.
fn at_the_place_of_another(
    home: &Home,
    settings: &Settings,
    (name, path): (&str, &Path),
    expected: Option<DestinationMark>,
    error: OpenError,
) -> Result<(LocalDestination, PathBuf), OpenError> {
    let is_elsewhere =
        matches!(error, OpenError::NotFound { .. } | OpenError::NotADestination { .. } | OpenError::WrongDevice { .. });
    let Some(expected) = expected.filter(|_| is_elsewhere) else { return Err(error) };
    let others = settings.destinations.iter().filter(|(other, at)| *other != name && *at != path);
    let mut found = others.filter_map(|(_, at)| {
        let place = LocalDestination::open_at(home.machine(), at, Some(&expected)).ok()?;
        Some((place, at.clone()))
    });
    found.next().ok_or(error)
}

/// What is told of one that did not open.
fn not_there(
    known: &KnownIds<'_>,
    (home, settings): (&Home, &Settings),
    (name, path): (&str, &Path),
    error: &OpenError,
) -> Unreachable {
    let of = |state, detail, is_missing| Unreachable {
        name: name.to_owned(),
        path: path.to_owned(),
        state,
        detail,
        is_missing,
    };
    // Another one is here, and not a copy of it: that one is not where it belongs either.
    if let OpenError::WrongDevice { found, .. } = error
        && let Some(other) = known.name_of(&found.destination)
        && let Some(its_own) = settings.destinations.get(other)
        && LocalDestination::open_at(home.machine(), its_own, Some(found)).is_err()
    {
        return of(DestinationState::Absent, format!("[{other}] is at its place"), false);
    }
    of(state_of(error), error.to_string(), matches!(error, OpenError::NotFound { .. }))
}

fn state_of(error: &OpenError) -> DestinationState {
    match error {
        OpenError::NotFound { .. } => DestinationState::Absent,
        OpenError::NotADestination { .. } | OpenError::WrongDevice { .. } | OpenError::WrongRepo { .. } => {
            DestinationState::WrongDevice
        }
        OpenError::Damaged { .. } => DestinationState::Damaged,
        OpenError::Denied { .. } => DestinationState::ReadOnly,
        _ => DestinationState::Absent,
    }
}

/// One that does not say any more what it is, where it was seen before and is only read.
fn salvaged(
    home: &Home,
    (name, path): (&str, &Path),
    expected: Option<DestinationMark>,
    header: &RepoHeader,
    damage: Box<Damage>,
    salvage: Option<&dyn Monitor>,
) -> Result<LocalDestination, OpenError> {
    match (salvage, expected) {
        (Some(monitor), Some(mark)) => {
            monitor.note(&is_read_though_damaged(name, &damage));
            LocalDestination::salvage_at(home.machine(), path, &mark, header)
        }
        _ => Err(OpenError::Damaged(damage)),
    }
}

/// What is said where only reading goes on.
pub(super) fn is_read_though_damaged(name: &str, damage: &dyn std::fmt::Display) -> String {
    format!("[{name}] is damaged ({damage}): what is left of it is read. `cryptbackup check --heal` puts it right.")
}

/// Makes durable what another program copied there, and says what it left out.
pub(super) fn settle_copy(place: &LocalDestination, monitor: &dyn Monitor) -> Result<(), DestinationError> {
    let made = place.settle_what_was_copied()?;
    if made > 0 {
        monitor.note(&format!(
            "Folders that were missing on {} are made: {made}. Programs that copy may leave out empty ones; `cryptbackup \
             check` tells whether anything is lost.",
            place.describe()
        ));
    }
    Ok(())
}

/// Writes an object again, under a name that is made anew. Where nothing may be written it must be there already.
pub(super) fn write_anew(place: &dyn Destination, name: &ObjectName, bytes: &[u8]) -> Result<(), Error> {
    match place.replace(name, bytes) {
        Err(error) if matches!(error.kind, DestinationErrorKind::Denied | DestinationErrorKind::ReadOnly) => {
            place.put(name, bytes).map(|_| ())
        }
        done => done,
    }
    .map_err(Error::from)
}
