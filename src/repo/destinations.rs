//! Which destinations there are, and which of them can be reached.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::heads::damaged;
use super::home::Home;
use super::said::Said;
use super::settings::Settings;
use super::{DestinationState, Repo};
use crate::destination::{
    CreateError, Destination, DestinationErrorKind, LocalDestination, OpenError, Settle, Throttle,
};
use crate::error::Error;
use crate::format::header::{DestinationMark, RepoHeader};
use crate::format::id::DestinationId;
use crate::format::layout::ObjectName;
use crate::index::Index;
use crate::replicate::{Neighbours, OpenDestination};
use crate::report::Monitor;
use crate::seal::keys::random;

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

/// Opens every configured destination that is there. None is ever created here.
pub(super) fn open_all(
    home: &Home,
    settings: &Settings,
    header: &RepoHeader,
    index: &Index,
    is_writing: bool,
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
        let place = match LocalDestination::open_at(home.machine(), path, expected.as_ref()) {
            Ok(place) => place,
            Err(error) => {
                let is_missing = matches!(error, OpenError::NotFound { .. });
                unreachable.push(Unreachable { is_missing, ..fail(state_of(&error), error.to_string()) });
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
                path: path.clone(),
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

impl Repo {
    /// Makes `path` the destination called `name`: creates and marks the folder if its parent exists, or takes up one
    /// that holds this repository.
    ///
    /// ```
    /// use cryptbackup::repo::{Access, Added, Home, Repo};
    /// use cryptbackup::report::Silent;
    ///
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = set_up()?;
    /// let home = Home::at(folder.path().join("state"));
    /// let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
    /// let disk = folder.path().join("disk");
    /// let added = repo.add_destination("secondary", &disk, &Silent)?;
    /// assert_eq!(added, Added::Created);
    /// // After the disk was replaced by a copy of it, or restored from an image:
    /// repo.accept_destination("secondary", &Silent)?;
    /// // No backup goes there any more; what is on it stays, and can be taken up again.
    /// repo.forget_destination("secondary")?;
    /// assert_eq!(repo.add_destination("secondary", &disk, &Silent)?, Added::TakenUp);
    /// assert_eq!(repo.destinations().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a folder that cannot be one: its parent is missing, it holds another repository, it is
    /// another destination of this one, it has a source or the state folder in it.
    pub fn add_destination(&mut self, name: &str, path: &Path, monitor: &dyn Monitor) -> Result<Added, Error> {
        let refuse = |detail: String| Error::Config { key: format!("destinations.{name}"), detail };
        if let Some(other) = self.settings.destinations.name_of(path)
            && other != name
        {
            return Err(refuse(format!("{} is the destination `{other}` already", path.display())));
        }
        self.stands_alone(name, path).map_err(refuse)?;
        let mut known = KnownIds::load(&self.home)?;
        let machine = self.home.machine();
        let (place, added) = match LocalDestination::open_at(machine, path, None) {
            Ok(place) => (self.take_up(place, name, path, &known)?, Added::TakenUp),
            Err(OpenError::NotFound { .. } | OpenError::NotADestination { .. }) => {
                let destination = DestinationId::from_bytes(random()?);
                let mark = DestinationMark { repo: self.header.repo, destination };
                let place =
                    LocalDestination::create_at(machine, path, mark, &self.header).map_err(|error| match error {
                        CreateError::Io(error) => Error::Destination(error),
                        error => refuse(error.to_string()),
                    })?;
                (place, Added::Created)
            }
            Err(error) => return Err(refuse(error.to_string())),
        };
        self.put_heads_anew(&place)?;
        known.set(name, &place.mark().destination)?;
        drop(place);
        let path = path.to_owned();
        self.settings = self.home.edit_settings(|settings| {
            settings.destinations.insert(name.to_owned(), path);
            Ok(settings.clone())
        })?;
        self.refresh(monitor)?;
        Ok(added)
    }

    /// Nothing else of this program may lie in a destination, or a destination in it; in a source it may, since it is
    /// skipped there. The refusal is a sentence.
    fn stands_alone(&self, name: &str, path: &Path) -> Result<(), String> {
        if let Some(source) = self.settings.sources.iter().find(|source| source.path.starts_with(path)) {
            return Err(format!("the source {} lies in it; choose a folder of its own", source.path.display()));
        }
        let home = std::fs::canonicalize(self.home.path()).unwrap_or_else(|_| self.home.path().to_owned());
        let others = self.settings.destinations.iter().filter(|(other, _)| *other != name);
        let others = others.map(|(other, path)| (path.as_path(), format!("the destination `{other}`")));
        for (other, what) in others.chain([(home.as_path(), "the state folder".to_owned())]) {
            if path.starts_with(other) {
                return Err(format!("it lies in {what}, {}; choose a folder of its own", other.display()));
            }
            if other.starts_with(path) {
                return Err(format!("{what}, {}, lies in it; choose a folder of its own", other.display()));
            }
        }
        Ok(())
    }

    /// A folder that is a destination already: of this repository, or refused. A copy of another destination of this
    /// repository gets an id of its own.
    fn take_up(
        &self,
        place: LocalDestination,
        name: &str,
        path: &Path,
        known: &KnownIds,
    ) -> Result<LocalDestination, Error> {
        let mark = place.mark();
        if mark.repo != self.header.repo {
            let detail = format!(
                "{} holds another repository ({}); choose another folder, or use `connect` to work with that one",
                path.display(),
                mark.repo
            );
            return Err(Error::Config { key: format!("destinations.{name}"), detail });
        }
        let is_copy = known.name_of(&mark.destination).is_some_and(|other| other != name)
            || self.destinations.iter().any(|other| other.id == mark.destination && other.name != name);
        if !is_copy {
            // Whoever made it may have died before its names were durable, `dest.id` the last of them. It is written anew
            // for the same reason as the heads.
            write_anew(&place, &ObjectName::DestinationMark, &mark.encode())?;
            place.settle_what_was_copied()?;
            return Ok(place);
        }
        place.settle_what_was_copied()?;
        let own = DestinationMark { repo: mark.repo, destination: DestinationId::from_bytes(random()?) };
        place.replace(&ObjectName::DestinationMark, &own.encode())?;
        place.settle(Settle::Touched)?;
        LocalDestination::open_at(self.home.machine(), path, Some(&own))
            .map_err(|error| damaged(&"dest.id", &path.display().to_string(), &error))
    }

    /// Takes a destination out of the settings. What is on it stays there, and what is only there is not counted on any
    /// more.
    ///
    /// # Errors
    /// [`Error::Config`] where there is none of that name.
    pub fn forget_destination(&mut self, name: &str) -> Result<PathBuf, Error> {
        let id = self.destination_id(name)?;
        let path = self.home.edit_settings(|settings| {
            settings.destinations.remove(name).ok_or_else(|| Error::Config {
                key: format!("destinations.{name}"),
                detail: "there is no destination of that name".to_owned(),
            })
        })?;
        KnownIds::load(&self.home)?.remove(name)?;
        self.settings.destinations.remove(name);
        self.destinations.retain(|destination| destination.name != name);
        self.unreachable.retain(|destination| destination.name != name);
        if let Some(id) = id.filter(|_| !self.settings.destinations.is_empty()) {
            self.count_nothing_on(&id)?;
        }
        Ok(path)
    }

    /// Lets the index forget which snapshots are on destinations that no name stands for any more: one that another disk
    /// took the place of, or that was taken out of the settings by hand.
    pub(super) fn count_configured_only(&self) -> Result<(), Error> {
        let known = KnownIds::load(&self.home)?;
        let configured: Option<Vec<DestinationId>> =
            self.settings.destinations.iter().map(|(name, _)| known.get(name)).collect();
        // Of one that was not seen yet it is not known which it is. Where there is none at all, what there was is all there is
        // to tell.
        let Some(configured) = configured.filter(|configured| !configured.is_empty()) else { return Ok(()) };
        let indexed = self.index.reader()?.destinations()?;
        indexed.iter().filter(|one| !configured.contains(&one.id)).try_for_each(|one| self.count_nothing_on(&one.id))
    }

    /// Lets the index forget which snapshots are on a destination. A look at it tells again.
    fn count_nothing_on(&self, id: &DestinationId) -> Result<(), Error> {
        let view = self.index.reader()?;
        let Some(bit) = view.destination_bit(id)? else { return Ok(()) };
        let mut there = Vec::new();
        view.each_snapshot(|id, row| -> Result<(), Error> {
            if (row.committed | row.seen) & bit != 0 {
                there.push(id);
            }
            Ok(())
        })?;
        drop(view);
        if there.is_empty() {
            return Ok(());
        }
        let mut writer = self.index.writer()?;
        for id in there {
            writer.update_snapshot(&id, |row| {
                row.committed &= !bit;
                row.whole &= !bit;
                row.seen &= !bit;
            })?;
        }
        Ok(writer.commit()?)
    }

    /// Accepts what is now at the path of a destination as that destination, and as all there is to be: a disk that was
    /// replaced by a copy, or restored from an image. Other machines learn of it by a mark.
    ///
    /// # Errors
    /// [`Error::Config`] where there is no such destination or nothing of this repository at its path.
    pub fn accept_destination(&mut self, name: &str, monitor: &dyn Monitor) -> Result<(), Error> {
        let refuse = |detail: String| Error::Config { key: format!("destinations.{name}"), detail };
        let path = self.settings.destinations.get(name).cloned();
        let path = path.ok_or_else(|| refuse("there is no destination of that name".to_owned()))?;
        let place = LocalDestination::open_at(self.home.machine(), &path, None).map_err(|error| match error {
            OpenError::NotADestination { .. } => {
                let set = format!("destinations.{name} {}", path.display());
                refuse(format!("{error}; to begin anew with what is there, run `cryptbackup config set {set}`"))
            }
            error => refuse(error.to_string()),
        })?;
        let mut known = KnownIds::load(&self.home)?;
        let place = self.take_up(place, name, &path, &known)?;
        known.set(name, &place.mark().destination)?;
        drop(place);
        self.refresh(monitor)?;
        self.accept_what_is_there(name, monitor)
    }
}
