//! What whoever asked to watch is told, meanwhile and at the end.

use std::path::Path;

use crate::backup::BackupReport;
use crate::clean::CleanReport;
use crate::error::Error;
use crate::repo::Secret;
use crate::sync::SyncReport;

/// How to watch.
#[derive(Default)]
pub struct WatchRequest {
    /// What opens the repository; none for the key in the settings.
    pub secret: Option<Secret>,
}

/// What was done while it was watched.
#[derive(Debug, Clone, Default)]
pub struct WatchReport {
    /// Changes that the file system told of.
    pub changes: u64,
    /// Runs over the sources.
    pub backups: u64,
    /// How many of them looked at everything.
    pub whole: u64,
    /// Snapshots made.
    pub snapshots: u64,
    /// Files saved: new ones, and new contents of known ones.
    pub files: u64,
    /// Bytes read from sources.
    pub bytes_read: u64,
    /// Bytes stored, on one destination.
    pub bytes_stored: u64,
    /// Snapshots that destinations caught up with.
    pub caught_up: u64,
    /// Runs that failed.
    pub failures: u64,
    /// Problems with single entries.
    pub problems: u64,
    /// How long it was watched.
    pub duration_seconds: f64,
}

/// What is told while it is watched.
pub enum News<'a> {
    /// It begins.
    Began {
        /// Sources.
        sources: usize,
        /// Folders in them that are watched.
        folders: usize,
        /// Seconds between two backups.
        interval: u64,
    },
    /// A source cannot be watched, and is looked at every interval instead.
    Unwatched {
        /// Which.
        source: &'a Path,
        /// Why, as one sentence without a full stop.
        why: &'a str,
    },
    /// Something may have been missed: everything is looked at. Why, as one sentence without a full stop.
    Missed(&'a str),
    /// Something changed.
    Changed(&'a Path),
    /// A destination went.
    Went(&'a str),
    /// A destination came.
    Came(&'a str),
    /// A run ended; without a snapshot where nothing differed.
    BackedUp(&'a BackupReport),
    /// Destinations caught up.
    Synced(&'a SyncReport),
    /// The settings asked for cleaning.
    Cleaned(&'a Result<CleanReport, Error>),
    /// A run failed; it is tried again. Told once for each reason.
    Failed(&'a Error),
}
