//! How things stand, as far as can be told without reading anything large.

use std::path::{Path, PathBuf};

use super::{DestinationState, Repo, Standing, state_after};
use crate::destination::place::{self, PlaceKind};
use crate::error::Error;
use crate::format::id::{DestinationId, RepoId, SnapshotId};
use crate::format::record::Time;
use crate::format::snapshot::SuspectSource;
use crate::index::{DestinationBits, IndexReader};
use crate::paths;

/// How things stand.
#[derive(Debug, Clone)]
pub struct StatusReport {
    /// Which repository.
    pub repo: RepoId,
    /// The configured sources.
    pub sources: Vec<SourceStatus>,
    /// The configured destinations.
    pub destinations: Vec<DestinationStatus>,
    /// How each of them stands, in the same order.
    pub standings: Vec<Standing>,
    /// Number of snapshots.
    pub snapshots: usize,
    /// Files in the newest snapshot of this machine's line; where it has none yet, of all.
    pub files: u64,
    /// Bytes of the files in that snapshot.
    pub bytes_source: u64,
    /// Bytes of the files each snapshot read: what full copies would take.
    pub bytes_all_snapshots: u64,
    /// Bytes of what is stored on the destination that has most, before compression.
    pub bytes_unique: u64,
    /// Bytes of the packs on that destination.
    pub bytes_stored: u64,
    /// When that snapshot was finished.
    pub last_backup: Option<Time>,
    /// Whether a key exists that is not only in `config.yaml`: recovery words, a passphrase, a key file, an exported copy.
    pub key_exported: bool,
    /// How many copies a backup needs to have succeeded.
    pub min_copies: usize,
}

/// One configured source.
#[derive(Debug, Clone)]
pub struct SourceStatus {
    /// Its path.
    pub path: PathBuf,
    /// When it was last read without a problem.
    pub last_good: Option<Time>,
    /// When it was last read.
    pub last_read: Option<Time>,
    /// Files in it then.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries with a problem then; the source itself where no run could read it since.
    pub problems: u64,
    /// Whether it was to be read since and could not be.
    pub is_unread: bool,
    /// Whether it had no whole backup for longer than `status.warn_days`, or none at all.
    pub is_overdue: bool,
    /// The newest snapshot of it that looked suspect and was not accepted, and why.
    pub suspect: Option<(SnapshotId, Time, SuspectSource)>,
}

/// One configured destination.
#[derive(Debug, Clone)]
pub struct DestinationStatus {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// What kind of place it is.
    pub kind: PlaceKind,
    /// How it is.
    pub state: DestinationState,
    /// Why it cannot be used, or what is to be known.
    pub detail: Option<String>,
    /// Bytes that can still be written there.
    pub free_bytes: Option<u64>,
    /// Snapshots that are elsewhere and not there.
    pub snapshots_behind: u64,
    /// When its newest snapshot was finished.
    pub last_snapshot: Option<Time>,
}

impl Repo {
    /// How things stand.
    ///
    /// ```
    /// use cryptbackup::repo::{Access, DestinationState, Home, Repo};
    /// use cryptbackup::report::Silent;
    ///
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = set_up()?;
    /// let home = Home::at(folder.path().join("state"));
    /// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
    /// let status = repo.status()?;
    /// for destination in &status.destinations {
    ///     println!("{} {}: {} behind", destination.kind.icon(), destination.name, destination.snapshots_behind);
    /// }
    /// for lost in repo.unreachable() {
    ///     println!("[{}] {}", lost.name, lost.detail);
    /// }
    /// if let Some(gone) = repo.rolled_back("primary") {
    ///     println!("{}", gone.sentence("primary"));
    /// }
    /// assert_eq!(status.destinations[0].state, DestinationState::Online);
    /// assert_eq!((status.snapshots, status.files), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Index`].
    pub fn status(&self) -> Result<StatusReport, Error> {
        let view = self.index.reader()?;
        let known = self.known_snapshots(&view)?;
        let (suspects, line) = (self.suspects(&view)?, self.own_line(&view)?);
        let sources = self.settings.sources.iter().map(|source| {
            let path = paths::to_bytes(&source.path);
            // What was read in part is no backup of the source yet, and what another machine has at this path is none.
            let whole = known.iter().filter(|known| known.snapshot.is_whole() && line.has(&known.snapshot));
            let roots = whole.filter_map(|known| Some((known.snapshot.finished, known.snapshot.root(path)?)));
            let read = roots.clone().filter(|(_, root)| root.carried_from.is_none());
            let newest = read.clone().next();
            // Carried by the last run, it has those of the one that read it, and one where that run could not.
            let problems = roots.clone().next().map_or(0, |(_, root)| root.counts.problems);
            SourceStatus {
                path: source.path.clone(),
                last_good: read.clone().find(|(_, root)| root.counts.problems == 0).map(|(time, _)| time),
                last_read: newest.map(|(time, _)| time),
                files: newest.map_or(0, |(_, root)| root.counts.files),
                bytes: newest.map_or(0, |(_, root)| root.counts.bytes),
                problems,
                is_unread: problems > newest.map_or(0, |(_, root)| root.counts.problems),
                is_overdue: self.is_overdue(newest.map(|(time, _)| time)),
                suspect: suspects.iter().find_map(|suspect| {
                    let source = suspect.sources.iter().find(|source| source.path == path)?;
                    Some((suspect.id, suspect.time, source.clone()))
                }),
            }
        });
        let newest = known.iter().find(|known| line.has(&known.snapshot));
        let counts = newest.map(|known| known.snapshot.roots.iter().map(|root| root.counts));
        let (files, bytes) = counts.map_or((0, 0), |counts| {
            // What a snapshot says of itself may be any number.
            counts.fold((0u64, 0u64), |(files, bytes), counts| {
                (files.saturating_add(counts.files), bytes.saturating_add(counts.bytes))
            })
        });
        let roots_read =
            known.iter().flat_map(|known| &known.snapshot.roots).filter(|root| root.carried_from.is_none());
        let bytes_all_snapshots = roots_read.fold(0, |sum, root| u64::saturating_add(sum, root.counts.bytes));
        let names: Vec<(String, PathBuf)> =
            self.settings.destinations.iter().map(|(name, path)| (name.clone(), path.clone())).collect();
        let destinations = names
            .into_iter()
            .map(|(name, path)| self.destination_status(&view, name, path))
            .collect::<Result<Vec<_>, _>>()?;
        let (standings, totals) = self.standings(&view, &destinations)?;
        Ok(StatusReport {
            repo: self.header.repo,
            sources: sources.collect(),
            destinations,
            standings,
            snapshots: known.len(),
            files,
            bytes_source: bytes,
            bytes_all_snapshots,
            bytes_unique: totals.bytes_unique,
            bytes_stored: totals.bytes_stored,
            last_backup: newest.map(|known| known.snapshot.finished),
            key_exported: self.is_key_exported()?,
            min_copies: self.settings.min_copies,
        })
    }

    /// Whether a source had no whole backup for longer than the settings allow, or none at all.
    fn is_overdue(&self, last_read: Option<Time>) -> bool {
        let days = i64::from(self.settings.status.warn_days);
        days > 0 && last_read.is_none_or(|last| self.now().seconds - last.seconds > days * 86_400)
    }

    /// The id of a configured destination, as it is or as it was when last seen; none where it never was.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn destination_id(&self, name: &str) -> Result<Option<DestinationId>, Error> {
        match self.destinations.iter().find(|destination| destination.name == name) {
            Some(open) => Ok(Some(open.id)),
            None => Ok(super::destinations::KnownIds::load(&self.home)?.get(name)),
        }
    }

    /// How one destination is.
    pub(crate) fn destination_status(
        &self,
        view: &IndexReader,
        name: String,
        path: PathBuf,
    ) -> Result<DestinationStatus, Error> {
        let open = self.destinations.iter().find(|destination| destination.name == name);
        let bit = match self.destination_id(&name)? {
            Some(id) => view.destination_bit(&id)?.unwrap_or(0),
            None => 0,
        };
        let (snapshots_behind, last_snapshot) = self.behind(view, bit)?;
        let (state, detail, free_bytes) = match open {
            Some(open) => {
                let free = open.place.free_bytes().ok().flatten();
                let rolled_back = self.rolled_back(&name);
                let damaged = view.damaged_on(bit)?.len();
                let refused = open.place.check_writable().err();
                let state = if rolled_back.is_some() {
                    DestinationState::RolledBack
                } else if damaged > 0 {
                    DestinationState::Damaged
                } else if let Some(error) = &refused {
                    state_after(error)
                } else if free == Some(0) {
                    DestinationState::Full
                } else if open.place.is_weak() {
                    DestinationState::Weak
                } else {
                    DestinationState::Online
                };
                let damage =
                    || format!("packs on it are damaged: {damaged}; `cryptbackup check --heal` mends what it can");
                let detail = rolled_back.map(|gone| gone.sentence(&name)).or_else(|| (damaged > 0).then(damage));
                let detail = detail.or_else(|| refused.map(|error| error.to_string()));
                (state, detail.or_else(|| self.first_look(&name).cloned()), free)
            }
            None => {
                let lost = self.unreachable.iter().find(|lost| lost.name == name);
                let state = lost.map_or(DestinationState::Absent, |lost| lost.state);
                (state, lost.filter(|lost| !lost.is_missing).map(|lost| lost.detail.clone()), None)
            }
        };
        let path = open.map_or(path, |open| open.path.clone());
        let kind = self.kind_of(&path);
        Ok(DestinationStatus { name, path, kind, state, detail, free_bytes, snapshots_behind, last_snapshot })
    }

    /// What kind of place the path of a destination is; only words depend on it.
    pub(crate) fn kind_of(&self, path: &Path) -> PlaceKind {
        place::kind_of(path, self.mounts.get_or_init(|| self.home.machine().mounts().unwrap_or_default()))
    }

    /// How many snapshots a destination lacks, and when its newest was finished.
    pub(crate) fn behind(&self, view: &IndexReader, bit: DestinationBits) -> Result<(u64, Option<Time>), Error> {
        let known = self.known_snapshots(view)?;
        let behind = known.iter().filter(|known| known.committed & bit == 0).count();
        let newest = known.iter().find(|known| known.committed & bit != 0);
        Ok((behind as u64, newest.map(|known| known.snapshot.finished)))
    }
}
