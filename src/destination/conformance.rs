//! The contract of [`Destination`] as one suite. A new implementation or decorator runs [`check`] in a test.
//!
//! It panics on the first breach, so it is only of use in tests; it is public so that those outside this crate's
//! modules can call it, too. What needs another way in than the trait (strangers in folders, failing disks) is tested
//! beside each implementation.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Destination, DestinationErrorKind, OBJECT_LEN_MAX, Put, Settle};
use crate::format::id::{ObjectHash, PackId, SnapshotId};
use crate::format::layout::{ObjectKind, ObjectName};

/// Runs every case, each on a destination of its own that `make` makes. It may hold the three fixed objects, but no
/// others.
///
/// # Panics
/// When the contract is broken; the message says how.
pub fn check(make: &dyn Fn() -> Box<dyn Destination>) {
    let cases: [fn(&dyn Destination); 12] = [
        every_kind_comes_back,
        put_again_is_present,
        other_bytes_are_damage_and_stay_out,
        cut_object_is_damage,
        ranges_lie_within,
        absent_is_only_absent,
        list_follows_prefix_and_order,
        replace_overwrites,
        delete_twice,
        settle_and_place_succeed,
        racing_puts_agree,
        readers_see_whole_objects,
    ];
    for case in cases {
        case(make().as_ref());
    }
}

/// One name of every kind that comes in numbers, for these bytes.
fn names_of_every_kind(bytes: &[u8]) -> Vec<ObjectName> {
    let hash = ObjectHash::of(bytes);
    vec![
        ObjectName::Slot(hash),
        ObjectName::Ring(7, hash),
        ObjectName::Config(1, hash),
        ObjectName::Writer(hash),
        ObjectName::Pack(PackId::of(bytes)),
        ObjectName::Snapshot(SnapshotId::of(bytes)),
        ObjectName::Mark(hash),
        ObjectName::Cleaning(hash),
    ]
}

fn pack(bytes: &[u8]) -> ObjectName {
    ObjectName::Pack(PackId::of(bytes))
}

fn listed(destination: &dyn Destination, kind: ObjectKind, prefix: Option<u8>) -> Vec<(ObjectName, u64)> {
    let mut found = Vec::new();
    destination.list(kind, prefix, &mut |name, len| found.push((name, len))).expect("a folder of ours can be listed");
    found
}

fn get_fails_with(destination: &dyn Destination, name: &ObjectName, range: Option<Range<u64>>) -> DestinationErrorKind {
    let error = destination.get(name, range.clone()).err();
    error.unwrap_or_else(|| panic!("{name} {range:?} must not be read")).kind
}

fn every_kind_comes_back(destination: &dyn Destination) {
    let bytes = b"bytes of an object";
    for name in names_of_every_kind(bytes) {
        assert_eq!(destination.put(&name, bytes).expect("put"), Put::Written, "{name}");
        assert_eq!(destination.get(&name, None).expect("get"), bytes, "{name}");
        let kind = name.kind().expect("it comes in numbers");
        assert!(listed(destination, kind, None).contains(&(name, bytes.len() as u64)), "{name} is listed");
    }
    let total: usize = ObjectKind::ALL.into_iter().map(|kind| listed(destination, kind, None).len()).sum();
    assert_eq!(total, 8, "each object is listed once, under its own kind");
    for name in names_of_every_kind(bytes) {
        destination.delete(&name).expect("delete");
        assert_eq!(get_fails_with(destination, &name, None), DestinationErrorKind::Absent);
    }
    assert!(ObjectKind::ALL.into_iter().all(|kind| listed(destination, kind, None).is_empty()), "all are deleted");

    let large: Vec<u8> = (0..24_u32 << 20).map(|at| (at ^ (at >> 11)) as u8).collect();
    destination.put(&pack(&large), &large).expect("put a large one");
    assert!(destination.get(&pack(&large), None).expect("get a large one") == large, "every byte of it comes back");
    assert_eq!(listed(destination, ObjectKind::Packs, None), [(pack(&large), large.len() as u64)]);
    // Zeros cost nothing to ask for.
    let too_large = vec![0; usize::try_from(OBJECT_LEN_MAX).expect("fits") + 1];
    destination.put(&pack(b"too large"), &too_large).expect_err("nothing larger than the limit is taken");
    assert_eq!(get_fails_with(destination, &pack(b"too large"), None), DestinationErrorKind::Absent);
}

fn put_again_is_present(destination: &dyn Destination) {
    let name = pack(b"once");
    assert_eq!(destination.put(&name, b"once").expect("put"), Put::Written);
    assert_eq!(destination.put(&name, b"once").expect("put again"), Put::Present);
    assert_eq!(destination.get(&name, None).expect("get"), b"once");
    assert_eq!(listed(destination, ObjectKind::Packs, None), [(name, 4)]);
}

fn other_bytes_are_damage_and_stay_out(destination: &dyn Destination) {
    let name = pack(b"right");
    destination.replace(&name, b"wrong").expect("a damaged object is made");
    for bytes in [&b"right"[..], b"right and longer", b""] {
        let error = destination.put(&name, bytes).expect_err("other bytes are there");
        assert_eq!(error.kind, DestinationErrorKind::Damaged, "{error}");
        assert!(error.to_string().contains(&name.to_string()), "the sentence names the object: {error}");
        assert!(error.to_string().contains(&destination.describe()), "the sentence names the place: {error}");
    }
    assert_eq!(destination.get(&name, None).expect("the old bytes stay"), b"wrong");
}

fn cut_object_is_damage(destination: &dyn Destination) {
    let name = pack(b"a whole object");
    destination.replace(&name, b"a whole").expect("a cut object is made");
    let error = destination.put(&name, b"a whole object").expect_err("it is too short");
    assert_eq!(error.kind, DestinationErrorKind::Damaged, "{error}");
    assert_eq!(listed(destination, ObjectKind::Packs, None), [(name, 7)], "the listing says the size that is there");
    destination.replace(&name, b"a whole object").expect("heal");
    assert_eq!(destination.put(&name, b"a whole object").expect("it is whole now"), Put::Present);
}

fn ranges_lie_within(destination: &dyn Destination) {
    let name = pack(b"0123456789");
    destination.put(&name, b"0123456789").expect("put");
    for (range, bytes) in [(0..10, &b"0123456789"[..]), (0..1, b"0"), (3..7, b"3456"), (9..10, b"9"), (4..4, b"")] {
        assert_eq!(destination.get(&name, Some(range.clone())).expect("within"), bytes, "{range:?}");
    }
    assert_eq!(destination.get(&name, Some(10..10)).expect("nothing, at the end"), b"");
    for range in [0..11, 9..12, 10..11, 11..11, 100..200, 0..u64::MAX, u64::MAX - 1..u64::MAX] {
        assert_eq!(get_fails_with(destination, &name, Some(range)), DestinationErrorKind::Damaged);
    }
    get_fails_with(destination, &name, Some(Range { start: 7, end: 3 }));
}

fn absent_is_only_absent(destination: &dyn Destination) {
    for name in names_of_every_kind(b"never put") {
        assert_eq!(get_fails_with(destination, &name, None), DestinationErrorKind::Absent);
        assert_eq!(get_fails_with(destination, &name, Some(0..1)), DestinationErrorKind::Absent);
    }
    for kind in ObjectKind::ALL {
        assert!(listed(destination, kind, None).is_empty(), "{kind:?}");
        assert!(listed(destination, kind, Some(0xab)).is_empty(), "{kind:?}");
    }
}

fn list_follows_prefix_and_order(destination: &dyn Destination) {
    // Made-up hashes, so that some share a folder.
    let hashes = [[0x00, 2], [0x00, 1], [0xff, 1], [0x7f, 3], [0x7f, 1], [0x7f, 2]].map(|[first, last]| {
        let mut hash = [last; 32];
        hash[0] = first;
        hash
    });
    for hash in hashes {
        let len = usize::from(hash[1]);
        destination.put(&ObjectName::Pack(PackId::from_bytes(hash)), &vec![0; len]).expect("put a pack");
        destination.put(&ObjectName::Slot(ObjectHash::from_bytes(hash)), b"slot").expect("put a slot");
    }
    let mut sorted = hashes;
    sorted.sort_unstable();
    let expected = |prefix: Option<u8>| -> Vec<_> {
        let wanted = sorted.iter().filter(|hash| prefix.is_none_or(|first| hash[0] == first));
        wanted.map(|hash| (ObjectName::Pack(PackId::from_bytes(*hash)), u64::from(hash[1]))).collect()
    };
    for prefix in [None, Some(0x00), Some(0x01), Some(0x7f), Some(0xff)] {
        assert_eq!(listed(destination, ObjectKind::Packs, prefix), expected(prefix), "prefix {prefix:?}");
        let slots = listed(destination, ObjectKind::Keys, prefix).len();
        assert_eq!(slots, expected(prefix).len(), "a kind that is not spread follows the prefix too: {prefix:?}");
    }
    assert!(listed(destination, ObjectKind::Snapshots, None).is_empty(), "a pack is no snapshot");
}

fn replace_overwrites(destination: &dyn Destination) {
    let name = pack(b"right");
    destination.put(&name, b"wrong and long").expect("put");
    for bytes in [&b"right"[..], b"right", b""] {
        destination.replace(&name, bytes).expect("replace");
        assert_eq!(destination.get(&name, None).expect("get"), bytes);
        assert_eq!(listed(destination, ObjectKind::Packs, None), [(name, bytes.len() as u64)]);
    }
}

fn delete_twice(destination: &dyn Destination) {
    let name = pack(b"short-lived");
    destination.delete(&name).expect("deleting what never was");
    destination.put(&name, b"short-lived").expect("put");
    destination.delete(&name).expect("delete");
    destination.delete(&name).expect("delete again");
    assert!(listed(destination, ObjectKind::Packs, None).is_empty());
    assert_eq!(destination.put(&name, b"short-lived").expect("put again"), Put::Written);
}

fn settle_and_place_succeed(destination: &dyn Destination) {
    let bytes = b"to be settled";
    destination.settle(Settle::Touched).expect("nothing to settle");
    for name in names_of_every_kind(bytes) {
        destination.put(&name, bytes).expect("put");
    }
    destination.settle(Settle::Touched).expect("settle what was put");
    destination.settle(Settle::Touched).expect("settle again");
    destination.settle(Settle::Everything).expect("settle all");
    destination.discard_unfinished().expect("nothing was cut off");
    destination.check_place().expect("it is where it was");
    destination.free_bytes().expect("can be asked");
    assert!(!destination.describe().is_empty(), "people must be told where it is");
    for name in names_of_every_kind(bytes) {
        assert_eq!(destination.get(&name, None).expect("settling changes nothing"), bytes);
    }
}

fn racing_puts_agree(destination: &dyn Destination) {
    for round in 0..20_u8 {
        let bytes = vec![round; 100_000];
        let name = pack(&bytes);
        let answers: Vec<Put> = std::thread::scope(|threads| {
            let put = || destination.put(&name, &bytes).expect("a race is no error");
            let racers: Vec<_> = (0..4).map(|_| threads.spawn(put)).collect();
            racers.into_iter().map(|racer| racer.join().expect("no panic")).collect()
        });
        assert_eq!(answers.iter().filter(|answer| **answer == Put::Written).count(), 1, "one of them wrote it");
        assert_eq!(destination.get(&name, None).expect("get"), bytes);
    }
    assert_eq!(listed(destination, ObjectKind::Packs, None).len(), 20);
}

fn readers_see_whole_objects(destination: &dyn Destination) {
    let objects: Vec<Vec<u8>> = (0..12_u8).map(|fill| vec![fill; 1_000_000]).collect();
    let healed = pack(b"healed again and again");
    destination.put(&healed, &[b'-'; 500_000]).expect("put");
    let done = AtomicBool::new(false);
    let read_all = || {
        while !done.load(Ordering::Relaxed) {
            for bytes in &objects {
                match destination.get(&pack(bytes), None) {
                    Ok(seen) => assert!(seen == *bytes, "a whole object or none"),
                    Err(error) => assert_eq!(error.kind, DestinationErrorKind::Absent, "{error}"),
                }
            }
            let seen = destination.get(&healed, None).expect("replacing leaves no gap");
            let same = seen.iter().all(|byte| *byte == seen[0]);
            assert!(seen.len() == 500_000 && same, "old bytes or new ones, no mixture");
            for (_, len) in listed(destination, ObjectKind::Packs, None) {
                assert!(len == 1_000_000 || len == 500_000, "no part of an object is listed: {len}");
            }
        }
    };
    std::thread::scope(|threads| {
        let readers = [threads.spawn(read_all), threads.spawn(read_all)];
        let written = objects.iter().zip(b'a'..).try_for_each(|(bytes, fill)| {
            destination.put(&pack(bytes), bytes)?;
            destination.replace(&healed, &[fill; 500_000])
        });
        // Before the verdict, or the readers would never end.
        done.store(true, Ordering::Relaxed);
        written.expect("put and replace beside readers");
        readers.into_iter().for_each(|reader| reader.join().expect("readers saw whole objects"));
    });
}
