//! The index made anew from the destinations.

use std::path::PathBuf;

use super::open::{move_index_aside, open_index};
use super::unlock::unlock;
use super::{Access, Home, Repo, Secret};
use crate::destination::LocalDestination;
use crate::error::Error;
use crate::index::IndexError;
use crate::report::{Monitor, Silent, Stage};

/// What `rebuild-index` did.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RebuildReport {
    /// Destinations it was rebuilt from.
    pub destinations: Vec<String>,
    /// Packs found.
    pub packs: u64,
    /// Chunks found, each counted once a pack.
    pub chunks: u64,
    /// Snapshots found.
    pub snapshots: u64,
    /// Where the old index went.
    pub moved_aside: Option<PathBuf>,
}

/// Moves the index aside and makes it again from every destination within reach.
///
/// ```
/// use cryptbackup::repo::{self, Home};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("state"));
/// let report = repo::rebuild_index(&home, None, &Silent)?;
/// assert_eq!((report.snapshots, report.moved_aside.is_some()), (1, true));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::NoDestination`] before anything is moved; those of [`Repo::open`].
pub fn rebuild_index(home: &Home, secret: Option<Secret>, monitor: &dyn Monitor) -> Result<RebuildReport, Error> {
    let (settings, header, unlocked, _) = unlock(home, secret.clone())?;
    drop(unlocked);
    let moved_aside = {
        let _lock = home.lock()?;
        let reachable = settings.destinations.iter().any(|(_, path)| {
            LocalDestination::open_at(home.machine(), path, None).is_ok_and(|place| place.mark().repo == header.repo)
        });
        if !reachable {
            let tried = settings.destinations.iter();
            let tried = tried.map(|(name, path)| (name.clone(), format!("{} is not there", path.display())));
            return Err(Error::NoDestination { tried: tried.collect() });
        }
        let aside = if home.has_index() { Some(move_index_aside(home)?) } else { None };
        // An empty one, so that none is missing where the next step opens it.
        drop(open_index(home, &header, settings.limits.memory, &Silent)?);
        aside
    };
    monitor.begin(Stage::Rebuilding, None, None);
    let repo = Repo::open(home, Access::Write, secret, monitor)?;
    let view = repo.index.reader()?;
    let mut snapshots = 0;
    view.each_snapshot(|_, _| -> Result<(), IndexError> {
        snapshots += 1;
        Ok(())
    })?;
    Ok(RebuildReport {
        destinations: repo.destinations.iter().map(|destination| destination.name.clone()).collect(),
        packs: view.pack_count()?,
        chunks: view.chunk_count()?,
        snapshots,
        moved_aside,
    })
}
