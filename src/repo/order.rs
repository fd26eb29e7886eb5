//! Which snapshot is the newest.
//!
//! By time, but none is older than what it goes on from, nor than what its writer made before it. One run under a clock
//! that was years ahead would else be the latest for years, and whoever restores would get old files without a word; under
//! a clock that stands in the past, nothing new would ever be the latest.

use std::collections::HashMap;

use super::lineage::KnownSnapshot;
use crate::format::id::SnapshotId;
use crate::format::record::Time;

/// The latest time on the way to a snapshot, and how many steps ago it was.
type Place = (Time, u64);

/// Puts them in the order in which they were made, the newest first.
pub(super) fn newest_first(mut all: Vec<KnownSnapshot>) -> Vec<KnownSnapshot> {
    all.sort_by_key(|known| (known.snapshot.writer, known.snapshot.sequence, known.snapshot.finished, known.id));
    let places = places(&all);
    let place = |id: &SnapshotId| places.get(id).copied().unwrap_or_default();
    all.sort_by_cached_key(|known| std::cmp::Reverse((place(&known.id), known.snapshot.sequence, known.id)));
    all
}

/// The place of each. They come in the order of every writer's own counting, so that only a writer that went on from
/// another one takes a further round.
fn places(all: &[KnownSnapshot]) -> HashMap<SnapshotId, Place> {
    let mut places: HashMap<SnapshotId, Place> =
        all.iter().map(|known| (known.id, (known.snapshot.finished, 0))).collect();
    let after = |before: Option<&Place>| before.map(|(time, steps)| (*time, steps + 1));
    // As many rounds as there are snapshots settle any order that there can be.
    for _ in 0..all.len() {
        let mut has_moved = false;
        let mut last: Option<&KnownSnapshot> = None;
        for known in all {
            let previous = known.snapshot.previous.and_then(|previous| after(places.get(&previous)));
            let of_writer = last.filter(|last| last.snapshot.writer == known.snapshot.writer);
            let of_writer = of_writer.and_then(|last| after(places.get(&last.id)));
            if let Some(place) = places.get_mut(&known.id)
                && let Some(later) = previous.max(of_writer).filter(|later| later > place)
            {
                *place = later;
                has_moved = true;
            }
            last = Some(known);
        }
        if !has_moved {
            break;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::format::id::WriterId;
    use crate::format::record::Extra;
    use crate::format::snapshot::Snapshot;

    fn made(number: u8, (writer, sequence): (u8, u64), previous: Option<u8>, seconds: i64) -> KnownSnapshot {
        let time = Time { seconds, nanos: 0 };
        let id = |number| SnapshotId::from_bytes([number; 32]);
        let snapshot = Snapshot {
            writer: WriterId::from_bytes([writer; 16]),
            sequence,
            previous: previous.map(id),
            started: time,
            finished: time,
            zone_offset: 0,
            machine: String::new(),
            user: String::new(),
            roots: Vec::new(),
            flags: 0,
            tags: Vec::new(),
            packs_written: 0,
            packs_digest: [0; 32],
            version_ceiling: 1,
            extra: Extra::new(),
        };
        KnownSnapshot { id: id(number), snapshot, committed: 1, whole: 1 }
    }

    fn numbers(all: Vec<KnownSnapshot>) -> Vec<u8> {
        newest_first(all).iter().map(|known| known.id.as_bytes()[0]).collect()
    }

    #[test]
    fn what_was_made_under_a_wrong_clock_is_neither_the_latest_for_ever_nor_never() {
        let all = [
            made(1, (7, 1), None, 1000),
            made(2, (7, 2), Some(1), 9_000_000),
            made(3, (7, 3), Some(2), 3000),
            made(4, (7, 4), Some(3), -50),
        ];
        assert_eq!(numbers(all.to_vec()), [4, 3, 2, 1]);
        // What it went on from is gone.
        assert_eq!(numbers(vec![all[3].clone(), all[1].clone(), all[0].clone()]), [4, 2, 1]);
        // A new writer counts from one, under any clock, and goes on from the last.
        let mut all = all.to_vec();
        all.extend([made(5, (3, 1), Some(4), 10), made(6, (3, 2), Some(5), 20)]);
        assert_eq!(numbers(all), [6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn a_ring_that_cannot_be_made_does_not_hang() {
        let all = vec![made(1, (1, 1), Some(2), 5), made(2, (2, 1), Some(1), 4), made(3, (1, 2), None, 1)];
        assert_eq!(numbers(all).len(), 3);
    }

    proptest! {
        /// Several writers, each going on from what it made before or, at first, from anything: with right clocks it is
        /// the order of time, with any clock nobody comes before what it goes on from.
        #[test]
        fn nothing_comes_before_what_it_goes_on_from(
            steps in prop::collection::vec((0u8..4, any::<u8>(), -100i64..100), 1..40),
            is_right in any::<bool>(),
            gone in any::<u64>(),
        ) {
            let mut heads: HashMap<u8, (u64, u8)> = HashMap::new();
            let (mut all, mut befores) = (Vec::new(), Vec::new());
            for (number, (writer, from, clock)) in (0u8..).zip(steps) {
                let (sequence, previous) = match heads.get(&writer) {
                    Some((sequence, last)) => (sequence + 1, Some(*last)),
                    None => (1, (number > 0).then(|| from % number)),
                };
                heads.insert(writer, (sequence, number));
                let seconds = if is_right { i64::from(number) } else { clock };
                all.push(made(number, (writer, sequence), previous, seconds));
                befores.extend(previous.map(|previous| (previous, number)));
            }
            if is_right {
                let kept = all.into_iter().filter(|known| gone >> (known.id.as_bytes()[0] % 64) & 1 == 0);
                let ordered = numbers(kept.collect());
                prop_assert!(ordered.is_sorted_by(|one, other| one > other), "{ordered:?}");
            } else {
                let ordered = numbers(all);
                let at = |number| ordered.iter().position(|other| *other == number);
                for (before, after) in befores {
                    prop_assert!(at(after) < at(before), "{before} before {after}: {ordered:?}");
                }
            }
        }
    }
}
