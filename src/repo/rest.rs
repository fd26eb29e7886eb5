//! A repository between two runs of one process, such as of somebody who watches the sources.
//!
//! While it rests nothing is locked: other commands can write. When it wakes it goes on with what the last run knew, and
//! does not list the destinations again, if nothing can have changed there meanwhile (docs/format.md §16, I11):
//!
//! - no other command of this state folder wrote since, which its lock file tells;
//! - the settings are the same;
//! - no other writer was seen on any destination. One that comes leaves a session, which every commit looks for;
//! - the listing is not older than an hour, and who rests says that no destination went or came.
//!
//! Otherwise it is opened anew.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::home::LastHeld;
use super::{Access, Home, Repo, Secret};
use crate::error::Error;
use crate::report::Monitor;

/// How old a listing may be.
const LISTING_AGE_MAX: Duration = Duration::from_secs(3600);

/// A repository that rests.
pub struct Resting {
    repo: Repo,
    held: Option<LastHeld>,
    settings: Option<FileStamp>,
    listed: Instant,
}

/// Tells one state of a file from another.
type FileStamp = (SystemTime, u64);

fn stamp(path: &Path) -> Option<FileStamp> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.modified().ok()?, found.len()))
}

impl Repo {
    /// Ends a run that may write, and keeps what it knew for the next one. `listed` is when the destinations were listed.
    pub fn rest(mut self, listed: Instant) -> Resting {
        let settings = stamp(&self.home.settings_path());
        // In this order: whoever gets the lock opens the index.
        self.index.close();
        let held = self.lock.take().and_then(|lock| lock.now.clone());
        Resting { repo: self, held, settings, listed }
    }

    /// Opens a repository to write, going on with one that rests where that can be.
    ///
    /// Gives the repository and when its destinations were listed.
    ///
    /// ```
    /// use cryptbackup::backup::{self, BackupRequest};
    /// use cryptbackup::repo::{Home, Repo};
    /// use cryptbackup::report::Silent;
    ///
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = set_up()?;
    /// let home = Home::at(folder.path().join("state"));
    /// let mut resting = None;
    /// for _ in 0..2 {
    ///     let (mut repo, listed) = Repo::go_on(resting.take(), &home, None, &Silent)?;
    ///     backup::run(&mut repo, BackupRequest::default(), &Silent)?;
    ///     // Until the next round other commands can write.
    ///     resting = Some(repo.rest(listed));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Repo::open`].
    pub fn go_on(
        resting: Option<Resting>,
        home: &Home,
        secret: Option<Secret>,
        monitor: &dyn Monitor,
    ) -> Result<(Self, Instant), Error> {
        if let Some(resting) = resting {
            let listed = resting.listed;
            if let Some(repo) = resting.wake()? {
                return Ok((repo, listed));
            }
        }
        let listed = Instant::now();
        Ok((Self::open(home, Access::Write, secret, monitor)?, listed))
    }
}

impl Resting {
    /// The repository with the right to write; none where it has to be opened anew.
    fn wake(self) -> Result<Option<Repo>, Error> {
        let Self { repo, held, settings, listed } = self;
        let is_same = settings.is_some() && settings == stamp(&repo.home.settings_path());
        if repo.is_beside_others() || !is_same || listed.elapsed() >= LISTING_AGE_MAX || repo.destinations.is_empty() {
            return Ok(None);
        }
        // Whoever has the lock is waited for by who opens anew.
        let Some(mut repo) = repo.into_writer()? else { return Ok(None) };
        if held.is_none() || repo.lock.as_ref().is_none_or(|lock| lock.before != held) {
            return Ok(None);
        }
        repo.is_listed = true;
        Ok(Some(repo))
    }
}
