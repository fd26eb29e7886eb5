//! How fast destinations fill: what their packs took on some days, in `state/growth.json`.
//!
//! The first backup of a day notes it, when it is done. What cleaning gives back counts too, so that a destination on which
//! as much goes as comes is not said to be full soon.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Repo;
use crate::error::Error;
use crate::format::id::DestinationId;
use crate::format::record::Time;
use crate::index::DestinationBits;

const FILE: &str = "growth.json";
const DAY_SECONDS: i64 = 86_400;
/// How far is looked back.
const DAYS_MAX: i64 = 30;
/// In fewer days nobody knows what is usual.
const DAYS_MIN: i64 = 3;

/// Stored bytes by destination and day, counted from 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Growth(BTreeMap<String, BTreeMap<i64, u64>>);

impl Growth {
    pub(super) fn load(repo: &Repo) -> Result<Self, Error> {
        // What cannot be read is as good as not there: it is noted anew.
        Ok(repo.read_state(FILE)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// Whether the day of `now` is still to be noted.
    fn lacks(&self, destination: &DestinationId, now: Time) -> bool {
        let days = self.0.get(&destination.to_string());
        days.is_none_or(|days| !days.contains_key(&day_of(now)))
    }

    fn note(&mut self, destination: &DestinationId, bytes: u64, now: Time) {
        let days = self.0.entry(destination.to_string()).or_default();
        days.entry(day_of(now)).or_insert(bytes);
        days.retain(|day, _| (0..=DAYS_MAX).contains(&(day_of(now) - day)));
    }

    /// Bytes a day that came to a destination which holds `bytes` now; none where too little is known.
    pub(super) fn bytes_per_day(&self, destination: &DestinationId, bytes: u64, now: Time) -> Option<u64> {
        let days = self.0.get(&destination.to_string())?;
        let (first, then) = days.iter().find(|(day, _)| (0..=DAYS_MAX).contains(&(day_of(now) - *day)))?;
        let days = day_of(now) - first;
        (days >= DAYS_MIN).then(|| bytes.saturating_sub(*then) / days.unsigned_abs())
    }
}

fn day_of(time: Time) -> i64 {
    time.seconds.div_euclid(DAY_SECONDS)
}

impl Repo {
    /// Notes what the packs of every destination within reach take, once a day.
    ///
    /// # Errors
    /// [`Error::Index`], [`Error::Io`].
    pub(crate) fn note_sizes(&self) -> Result<(), Error> {
        let (mut growth, now) = (Growth::load(self)?, self.now());
        if !self.destinations.iter().any(|destination| growth.lacks(&destination.id, now)) {
            return Ok(());
        }
        let mut sums: Vec<(DestinationBits, u64)> = self.destinations.iter().map(|known| (known.bit, 0)).collect();
        self.index.reader()?.each_size(|pack| -> Result<(), Error> {
            for (bit, sum) in &mut sums {
                *sum = sum.saturating_add(if pack.presence & *bit != 0 { pack.info.len } else { 0 });
            }
            Ok(())
        })?;
        for (destination, (_, sum)) in self.destinations.iter().zip(sums) {
            growth.note(&destination.id, sum, now);
        }
        let bytes = serde_json::to_vec(&growth).map_err(|error| Error::Usage(error.to_string()))?;
        self.write_state(FILE, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESTINATION: DestinationId = DestinationId::from_bytes([1; 16]);

    fn at(day: i64) -> Time {
        Time { seconds: 20_000 * DAY_SECONDS + day * DAY_SECONDS, nanos: 0 }
    }

    #[test]
    fn the_rate_is_that_of_a_month_at_most_and_of_three_days_at_least() {
        let mut growth = Growth::default();
        assert_eq!(growth.bytes_per_day(&DESTINATION, 1, at(0)), None);
        growth.note(&DESTINATION, 1_000, at(0));
        growth.note(&DESTINATION, 9_999, at(0));
        assert_eq!(growth.bytes_per_day(&DESTINATION, 3_000, at(2)), None, "two days are too few");
        assert_eq!(growth.bytes_per_day(&DESTINATION, 4_000, at(3)), Some(1_000), "the first of a day counts");
        assert_eq!(growth.bytes_per_day(&DESTINATION, 500, at(3)), Some(0), "cleaning gave more back than came");
        growth.note(&DESTINATION, 100_000, at(20));
        assert_eq!(growth.bytes_per_day(&DESTINATION, 101_000, at(40)), Some(50), "what is older says nothing");
        growth.note(&DESTINATION, 101_000, at(40));
        assert!(growth.lacks(&DESTINATION, at(41)) && !growth.lacks(&DESTINATION, at(40)));
        assert_eq!(growth.0[&DESTINATION.to_string()].len(), 2, "what is older leaves it");
        assert_eq!(growth.bytes_per_day(&DESTINATION, 101_000, at(90)), None);
        assert_eq!(growth.bytes_per_day(&DESTINATION, 101_000, at(-5)), None, "a clock that was wrong");
    }
}
