//! What is done when it is due: backups, catching up, cleaning.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{News, Watch};
use crate::backup::{self, BackupReport, BackupRequest, Changed};
use crate::clean::choose::Rules;
use crate::clean::{self, CleanRequest};
use crate::error::Error;
use crate::repo::{DestinationState, Repo};
use crate::report::ProblemKind;
use crate::source::Changes;
use crate::sync::{self, SyncRequest};

/// Time between two cleanings that the settings ask for.
const CLEAN_EVERY: Duration = Duration::from_secs(24 * 3600);

/// A longer interval never ends either, and moments that far away cannot be counted: a year.
const INTERVAL_MAX: u64 = 366 * 24 * 3600;

impl Watch<'_> {
    pub(super) fn interval(&self) -> Duration {
        Duration::from_secs(self.settings.watch.interval.clamp(1, INTERVAL_MAX))
    }

    /// Does what is due.
    pub(super) fn work(&mut self) -> Result<(), Error> {
        let interval = self.interval();
        let is_whole = self.due.is_whole_due();
        let is_polled = self.sources.iter().any(|source| source.is_polled) && self.due.is_interval_over(interval);
        if is_whole || is_polled || self.due.is_backup_due(interval) {
            for source in &mut self.sources {
                if is_whole || source.is_polled {
                    source.changes = Changes::everything();
                }
            }
            return self.back_up(is_whole);
        }
        if self.due.is_sync_due() {
            self.due.caught_up();
            // What it lacks it gets with the next backup too; here it is not waited for.
            return self.catch_up();
        }
        Ok(())
    }

    fn back_up(&mut self, is_whole: bool) -> Result<(), Error> {
        let first = self.due.begin();
        let sources: BTreeMap<_, _> =
            self.sources.iter_mut().map(|source| (source.path.clone(), std::mem::take(&mut source.changes))).collect();
        let request = BackupRequest {
            changed: self.since.map(|since| Changed { since, sources: sources.clone(), has_problems: true }),
            // Once a day it is said that all is still as it was.
            skip_unchanged: self.since.is_some() && !is_whole,
            ..BackupRequest::default()
        };
        let monitor = self.monitor;
        self.report.backups += 1;
        let is_renewed = self.resting.is_none();
        self.report.whole += u64::from(is_whole || sources.values().all(Changes::is_everything));
        let result = self.with_repo(|watch, repo| {
            let report = backup::run(repo, request, monitor)?;
            watch.count(&report);
            if is_renewed {
                // A destination that just came back is up to date with it, or said to be behind.
                watch.due.caught_up();
            }
            (watch.tell)(News::BackedUp(&report));
            watch.clean_after(repo, &report);
            Ok(report)
        });
        match result {
            Ok(report) => {
                self.since = report.snapshot_id.or(self.since);
                self.due.succeed(is_whole);
                self.said = None;
                self.try_again(&report);
                self.look_after(&report);
                Ok(())
            }
            Err(error) => {
                for source in &mut self.sources {
                    if let Some(changes) = sources.get(&source.path) {
                        source.changes.add(changes.clone());
                    }
                }
                let interval = self.interval();
                self.due.fail(first, interval);
                self.fail(error)
            }
        }
    }

    /// Opens the repository, or goes on with it, and lets it rest again. After an error it is opened anew.
    fn with_repo<T>(&mut self, act: impl FnOnce(&mut Self, &mut Repo) -> Result<T, Error>) -> Result<T, Error> {
        let (mut repo, listed) = Repo::go_on(self.resting.take(), self.home, self.secret.clone(), self.monitor)?;
        self.listed = listed;
        let done = act(self, &mut repo)?;
        self.resting = Some(repo.rest(self.listed));
        Ok(done)
    }

    fn count(&mut self, report: &BackupReport) {
        let total = &mut self.report;
        total.snapshots += u64::from(report.snapshot_id.is_some());
        total.files += report.files_new + report.files_changed;
        total.bytes_read += report.bytes_read;
        total.bytes_stored += report.bytes_stored;
        total.problems += report.problems.len() as u64;
    }

    /// What had a problem is looked at again by the next run: it alone tells whether it still has one.
    fn try_again(&mut self, report: &BackupReport) {
        for problem in &report.problems {
            for source in &mut self.sources {
                if problem.kind == ProblemKind::SourceMissing && problem.path == source.path {
                    source.changes = Changes::everything();
                } else if let Ok(below) = problem.path.strip_prefix(&source.path) {
                    source.changes.renew(below.as_os_str().as_encoded_bytes());
                }
            }
        }
    }

    /// A destination that is there and did not take the snapshot is tried again after a while.
    fn look_after(&mut self, report: &BackupReport) {
        let is_there = |state| !matches!(state, DestinationState::Absent | DestinationState::WrongDevice);
        let mut left = report.destinations.iter().filter(|outcome| is_there(outcome.state));
        let is_behind = |outcome: &backup::DestinationOutcome| {
            outcome.snapshots_behind > 0 || (report.snapshot_id.is_some() && !outcome.committed)
        };
        if left.any(is_behind) {
            let interval = self.interval();
            self.due.catch_up_later(interval);
        }
    }

    fn clean_after(&mut self, repo: &mut Repo, report: &BackupReport) {
        let is_due = self.cleaned.is_none_or(|cleaned| cleaned.elapsed() >= CLEAN_EVERY);
        if !self.settings.retention.auto_clean || report.snapshot_id.is_none() || !is_due {
            return;
        }
        self.cleaned = Some(Instant::now());
        let rules = Rules::of(&self.settings.retention);
        let request = CleanRequest { is_unattended: true, ..CleanRequest::new(rules) };
        (self.tell)(News::Cleaned(&clean::run(repo, request, self.monitor)));
    }

    /// Lets destinations catch up without reading any source.
    fn catch_up(&mut self) -> Result<(), Error> {
        if self.since.is_none() || !self.presence.has_destination() {
            return Ok(());
        }
        // What was lost on the way has to be opened again.
        self.resting = None;
        let monitor = self.monitor;
        let result = self.with_repo(|_, repo| sync::run(repo, SyncRequest::default(), monitor));
        match result {
            Ok(report) => {
                self.report.caught_up += report.destinations.iter().map(|synced| synced.snapshots_copied).sum::<u64>();
                (self.tell)(News::Synced(&report));
                let is_there = |state| !matches!(state, DestinationState::Absent | DestinationState::WrongDevice);
                if report.destinations.iter().any(|synced| synced.snapshots_behind > 0 && is_there(synced.state)) {
                    let interval = self.interval();
                    self.due.catch_up_later(interval);
                }
                self.said = None;
                Ok(())
            }
            Err(error) => {
                let interval = self.interval();
                self.due.catch_up_later(interval);
                self.fail(error)
            }
        }
    }

    /// Tells of a failure, once for each reason. What no waiting helps against ends it, where nothing worked before.
    fn fail(&mut self, error: Error) -> Result<(), Error> {
        if matches!(error, Error::Interrupted) {
            return Ok(());
        }
        let is_hopeless = matches!(
            error,
            Error::WrongKey { .. } | Error::NotInitialised { .. } | Error::Config { .. } | Error::BrokenSettings { .. }
        );
        if is_hopeless && self.since.is_none() {
            return Err(error);
        }
        self.report.failures += 1;
        let words = error.to_string();
        if self.said.as_ref() != Some(&words) {
            (self.tell)(News::Failed(&error));
            self.said = Some(words);
        }
        Ok(())
    }
}
