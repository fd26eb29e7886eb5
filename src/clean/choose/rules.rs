//! The rules of cleaning, and what they protect of a single file.

use crate::format::record::Time;
use crate::repo::settings::Retention;

const DAY_SECONDS: i64 = 86_400;

/// What decides: the settings, changed by the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Days for which every snapshot and every version is kept.
    pub keep_days: u32,
    /// Newest versions of each file that are kept whatever their age.
    pub keep_versions: u32,
    /// Days for which versions of deleted files are kept.
    pub keep_deleted_days: u32,
    /// Newest snapshots to keep.
    pub keep_last: Option<u32>,
    /// Hours of which the newest snapshot is kept.
    pub keep_hourly: Option<u32>,
    /// Days of which the newest snapshot is kept.
    pub keep_daily: Option<u32>,
    /// Weeks of which the newest snapshot is kept.
    pub keep_weekly: Option<u32>,
    /// Months of which the newest snapshot is kept.
    pub keep_monthly: Option<u32>,
    /// Years of which the newest snapshot is kept.
    pub keep_yearly: Option<u32>,
    /// Whether the per-file rule holds, and with it `keep_days`. The command line turns it off when it names `keep_last`
    /// to `keep_yearly` and neither `keep_days` nor `keep_versions`.
    pub is_per_file: bool,
}

impl Rules {
    /// The rules in the settings.
    pub fn of(settings: &Retention) -> Self {
        Self {
            keep_days: settings.keep_days,
            keep_versions: settings.keep_versions,
            keep_deleted_days: settings.keep_deleted_days,
            keep_last: settings.keep_last,
            keep_hourly: settings.keep_hourly,
            keep_daily: settings.keep_daily,
            keep_weekly: settings.keep_weekly,
            keep_monthly: settings.keep_monthly,
            keep_yearly: settings.keep_yearly,
            is_per_file: true,
        }
    }

    /// The per-file rule, where it holds.
    pub fn per_file(&self) -> Option<FileRule> {
        self.is_per_file.then_some(FileRule {
            keep_days: self.keep_days,
            keep_versions: self.keep_versions,
            keep_deleted_days: self.keep_deleted_days,
        })
    }
}

/// The per-file rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRule {
    /// Days for which every version is kept.
    pub keep_days: u32,
    /// Newest versions that are kept whatever their age.
    pub keep_versions: u32,
    /// Days after which no version of a deleted file is kept for being among the newest.
    pub keep_deleted_days: u32,
}

impl FileRule {
    /// Whether a version of a file is protected.
    ///
    /// `position` counts from 0, the version with the highest number; `last_seen` is the time of the newest snapshot that
    /// held it, and `newest_seen` that of the newest which held any version of the file. The file `is_deleted` when the
    /// newest snapshot of its source, made at `now`, does not hold it.
    pub fn protects(&self, position: usize, last_seen: Time, newest_seen: Time, is_deleted: bool, now: Time) -> bool {
        if is_younger(last_seen, self.keep_days, now) {
            return true;
        }
        if is_deleted && !is_younger(newest_seen, self.keep_deleted_days, now) {
            return false;
        }
        u32::try_from(position).is_ok_and(|position| position < self.keep_versions)
    }
}

/// Whether `time` is less than so many days before `now`. Of no days, nothing is.
pub(super) fn is_younger(time: Time, days: u32, now: Time) -> bool {
    time > later(now, -i64::from(days) * DAY_SECONDS)
}

/// So many seconds after `time`; what no time can be becomes the end of time.
pub(super) fn later(time: Time, seconds: i64) -> Time {
    Time { seconds: time.seconds.saturating_add(seconds), nanos: time.nanos }
}
