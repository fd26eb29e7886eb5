//! Destinations are added, taken out, and accepted as they are now.

use std::path::{Path, PathBuf};

use super::super::heads::damaged;
use super::super::{Access, Repo};
use super::{Added, KnownIds, settle_copy, write_anew};
use crate::destination::{CreateError, Destination, LocalDestination, OpenError, Settle};
use crate::error::Error;
use crate::format::header::DestinationMark;
use crate::format::id::DestinationId;
use crate::format::layout::ObjectName;
use crate::report::Monitor;
use crate::seal::keys::random;
use crate::source::FolderIdentity;

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
            Ok(place) => (self.take_up(place, name, path, &known, monitor)?, Added::TakenUp),
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
        self.refresh(Access::Write, monitor)?;
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

    /// Makes sure that a destination is at its own path, and not merely at another one now: with an id of its own it would
    /// not be known there any more. The refusal is a sentence.
    fn is_there_too(&self, (original, own): (&str, &Path), path: &Path, mark: &DestinationMark) -> Result<(), String> {
        let shown = path.display();
        if LocalDestination::open_at(self.home.machine(), own, Some(mark)).is_err() {
            return Err(format!(
                "{shown} is the destination `{original}`, or a copy of it, and nothing of it is at {} now: if that is where it \
                 is from now on, run `cryptbackup config set destinations.{original} {shown}`; if it is a copy, connect \
                 `{original}` too and run this again",
                own.display()
            ));
        }
        let folder = |path: &Path| FolderIdentity::of(path).ok();
        match folder(own) {
            Some(same) if folder(path) == Some(same) => {
                Err(format!("{shown} is the destination `{original}` already, which is also at {}", own.display()))
            }
            _ => Ok(()),
        }
    }

    /// A folder that is a destination already: of this repository, or refused. A copy of another destination of this
    /// repository gets an id of its own.
    fn take_up(
        &self,
        place: LocalDestination,
        name: &str,
        path: &Path,
        known: &KnownIds,
        monitor: &dyn Monitor,
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
        let open = || self.destinations.iter().find(|other| other.id == mark.destination).map(|other| &*other.name);
        let original = known.name_of(&mark.destination).or_else(open).filter(|other| *other != name);
        // A name that was taken out of the settings by hand stands for nothing.
        let at = |name: &str| self.settings.destinations.get(name);
        if let Some((original, own)) = original.and_then(|name| Some((name, at(name)?))) {
            self.is_there_too((original, own), path, &mark)
                .map_err(|detail| Error::Config { key: format!("destinations.{name}"), detail })?;
        } else {
            // Whoever made it may have died before its names were durable, `dest.id` the last of them. It is written anew
            // for the same reason as the heads.
            write_anew(&place, &ObjectName::DestinationMark, &mark.encode())?;
            settle_copy(&place, monitor)?;
            return Ok(place);
        }
        settle_copy(&place, monitor)?;
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
    pub(in crate::repo) fn count_configured_only(&self) -> Result<(), Error> {
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
        let place = self.take_up(place, name, &path, &known, monitor)?;
        known.set(name, &place.mark().destination)?;
        drop(place);
        self.refresh(Access::Write, monitor)?;
        self.accept_what_is_there(name, monitor)
    }
}
