//! What a destination does not show any more, in words.

use super::seen::Seen;
use crate::format::id::SnapshotId;
use crate::format::record::Time;

/// Snapshots that a sentence names.
const NAMED: usize = 3;

/// What a destination does not show any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// Snapshots and histories that are missing.
    pub snapshots: Vec<SnapshotId>,
    /// How many marks are.
    pub marks: usize,
    /// How many packs are.
    pub packs: usize,
    /// Snapshots beside which, or in whose place, another one has the same number.
    pub forks: Vec<SnapshotId>,
    /// When everything was there for the last time.
    pub complete: Time,
}

impl RolledBack {
    pub(super) fn of(seen: &Seen) -> Option<Self> {
        seen.is_alarm().then(|| Self {
            snapshots: seen.missing.snapshots.keys().copied().collect(),
            marks: seen.missing.marks.len(),
            packs: seen.missing.packs.len(),
            forks: seen.forks.iter().copied().collect(),
            complete: seen.complete,
        })
    }

    /// What is missing, since when, and what to do about it on the destination `name`: one sentence without a full stop.
    pub fn sentence(&self, name: &str) -> String {
        let mut parts = Vec::new();
        let counted =
            |number: usize, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        if !self.snapshots.is_empty() {
            let what = counted(self.snapshots.len(), "snapshot", "snapshots");
            parts.push(format!("{what} ({})", named(&self.snapshots)));
        }
        if self.packs > 0 {
            parts.push(counted(self.packs, "pack", "packs"));
        }
        if self.marks > 0 {
            parts.push(counted(self.marks, "decision about snapshots", "decisions about snapshots"));
        }
        let mut said = String::new();
        if !parts.is_empty() {
            said = format!("it shows less than on {}: it lacks {}", day(self.complete), parts.join(", "));
        }
        if !self.forks.is_empty() {
            said.push_str(if said.is_empty() { "" } else { "; " });
            said.push_str(&format!("other snapshots have the numbers of those seen before ({})", named(&self.forks)));
        }
        format!(
            "{said}; `cryptbackup sync` brings back what other destinations have, and if this is meant (a disk restored \
             from an image), `cryptbackup destination accept {name}` takes it as it is"
        )
    }
}

/// The first of them, for people.
pub(super) fn named(ids: &[SnapshotId]) -> String {
    let mut names: Vec<String> = ids.iter().take(NAMED).map(SnapshotId::short).collect();
    names.extend((ids.len() > NAMED).then(|| "…".to_owned()));
    names.join(", ")
}

fn day(time: Time) -> String {
    let moment = jiff::Timestamp::from_second(time.seconds).unwrap_or_default();
    moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}
