//! What this machine saw of its own condemned packs, and when: the grace period counts by its own clock alone.
//!
//! Kept in the state folder, so losing it makes space come back later and never too early.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::format::id::{DestinationId, ObjectHash};
use crate::format::record::Time;
use crate::repo::Repo;

const FILE: &str = "cleaning.json";

/// One list of condemned packs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sighting {
    first: i64,
    last: i64,
    runs: u32,
    /// The sessions of others that were there when the list showed: they may not have seen it.
    sessions: Vec<String>,
}

impl Sighting {
    fn first(now: i64, sessions: &[ObjectHash]) -> Self {
        Self { first: now, last: now, runs: 0, sessions: sessions.iter().map(ObjectHash::to_string).collect() }
    }
}

/// What was seen on one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OnDestination {
    lists: BTreeMap<String, Sighting>,
    bytes_waiting: u64,
    returns: Option<i64>,
    bytes_dead: Option<u64>,
    /// Whether something of what was purged may still be in its packs.
    #[serde(default)]
    has_purged: bool,
}

/// What was seen on all of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Observed {
    destinations: BTreeMap<String, OnDestination>,
}

/// Space of one destination that is to come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Bytes of condemned packs that wait for the grace period.
    pub bytes_waiting: u64,
    /// When they may be deleted, at the earliest.
    pub returns: Option<Time>,
    /// Bytes that the last look found to be given back by the next `clean`; none where nobody looked.
    pub bytes_reclaimable: Option<u64>,
}

/// What is known of a destination without looking at it.
///
/// # Errors
/// [`Error::Io`].
pub fn waiting(repo: &Repo, destination: &DestinationId) -> Result<Waiting, Error> {
    let observed = Observed::load(repo)?;
    let Some(seen) = observed.destinations.get(&destination.to_string()) else { return Ok(Waiting::default()) };
    Ok(Waiting {
        bytes_waiting: seen.bytes_waiting,
        returns: seen.returns.map(|seconds| Time { seconds, nanos: 0 }),
        bytes_reclaimable: seen.bytes_dead,
    })
}

impl Observed {
    pub(super) fn load(repo: &Repo) -> Result<Self, Error> {
        // What cannot be read is as good as not there: waiting begins anew.
        Ok(repo.read_state(FILE)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    pub(super) fn save(&self, repo: &Repo) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::Usage(error.to_string()))?;
        repo.write_state(FILE, &bytes)
    }

    /// Notes lists that were just made, and the sessions that were there then, beside those noted before in this run.
    pub(super) fn note_only(
        &mut self,
        destination: &DestinationId,
        lists: &[ObjectHash],
        sessions: &[ObjectHash],
        now: Time,
    ) {
        let seen = self.destinations.entry(destination.to_string()).or_default();
        seen.lists.retain(|known, _| lists.iter().any(|list| list.to_string() == *known));
        for list in lists {
            let now = now.seconds;
            seen.lists
                .entry(list.to_string())
                .or_insert_with(|| Sighting { runs: 1, ..Sighting::first(now, sessions) });
        }
    }

    /// Notes that these lists were seen on a destination now; those that are gone are forgotten.
    pub(super) fn note(
        &mut self,
        destination: &DestinationId,
        lists: &[ObjectHash],
        sessions: &[ObjectHash],
        now: Time,
    ) {
        let seen = self.destinations.entry(destination.to_string()).or_default();
        seen.lists.retain(|known, _| lists.iter().any(|list| list.to_string() == *known));
        for list in lists {
            let now = now.seconds;
            let sighting = seen.lists.entry(list.to_string()).or_insert_with(|| Sighting::first(now, sessions));
            if now < sighting.last {
                // A clock that fell back has not waited.
                (sighting.first, sighting.runs) = (now, 0);
            }
            sighting.last = now;
            sighting.runs += 1;
        }
    }

    /// For how many seconds, and in how many runs, a list was seen.
    pub(super) fn age(&self, destination: &DestinationId, list: &ObjectHash) -> (i64, u32) {
        let seen = self.destinations.get(&destination.to_string());
        let sighting = seen.and_then(|seen| seen.lists.get(&list.to_string()));
        sighting.map_or((0, 0), |sighting| (sighting.last - sighting.first, sighting.runs))
    }

    /// Whether a list on a destination was first seen so many seconds ago.
    pub(super) fn is_due(&self, destination: &DestinationId, now: Time, grace: i64) -> bool {
        let seen = self.destinations.get(&destination.to_string());
        seen.is_some_and(|seen| seen.lists.values().any(|sighting| now.seconds - sighting.first >= grace))
    }

    /// The sessions that were there when a list showed.
    pub(super) fn sessions(&self, destination: &DestinationId, list: &ObjectHash) -> Vec<ObjectHash> {
        let seen = self.destinations.get(&destination.to_string());
        let sighting = seen.and_then(|seen| seen.lists.get(&list.to_string()));
        sighting.map_or_else(Vec::new, |sighting| sighting.sessions.iter().filter_map(|it| it.parse().ok()).collect())
    }

    /// Whether something of what was purged may still be in the packs of a destination.
    pub(super) fn has_purged(&self, destination: &DestinationId) -> bool {
        self.destinations.get(&destination.to_string()).is_some_and(|seen| seen.has_purged)
    }

    /// Notes that before the snapshots that told of it go, and when the last of it is out of all packs.
    pub(super) fn set_has_purged(&mut self, destination: &DestinationId, has_purged: bool) {
        self.destinations.entry(destination.to_string()).or_default().has_purged = has_purged;
    }

    /// Notes what is to come back, for `status`.
    pub(super) fn expect(&mut self, destination: &DestinationId, waiting: Waiting) {
        let seen = self.destinations.entry(destination.to_string()).or_default();
        seen.bytes_waiting = waiting.bytes_waiting;
        seen.returns = waiting.returns.map(|time| time.seconds);
        seen.bytes_dead = waiting.bytes_reclaimable;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESTINATION: DestinationId = DestinationId::from_bytes([1; 16]);

    fn at(seconds: i64) -> Time {
        Time { seconds, nanos: 0 }
    }

    #[test]
    fn a_list_ages_from_run_to_run_and_not_by_a_clock_that_falls_back() {
        let list = ObjectHash::of(b"list");
        let mut observed = Observed::default();
        assert_eq!(observed.age(&DESTINATION, &list), (0, 0));
        observed.note(&DESTINATION, &[list], &[], at(1000));
        observed.note(&DESTINATION, &[list], &[], at(1500));
        assert_eq!(observed.age(&DESTINATION, &list), (500, 2));
        observed.note(&DESTINATION, &[list], &[], at(1200));
        assert_eq!(observed.age(&DESTINATION, &list), (0, 1), "the clock fell back");
        observed.note(&DESTINATION, &[], &[], at(2000));
        observed.note(&DESTINATION, &[list], &[], at(9000));
        assert_eq!(observed.age(&DESTINATION, &list), (0, 1), "it was gone meanwhile");
    }
}
