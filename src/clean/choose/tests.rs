//! A table of dates with exact expectations, then random snapshots against a model that computes every rule by counting.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;

use super::*;
use crate::repo::settings::Retention;

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;

/// Wednesday.
const NOW: &str = "2026-03-18T12:00:00Z";

const NONE: Rules = Rules {
    keep_days: 0,
    keep_versions: 10,
    keep_deleted_days: 365,
    keep_last: None,
    keep_hourly: None,
    keep_daily: None,
    keep_weekly: None,
    keep_monthly: None,
    keep_yearly: None,
    is_per_file: true,
};

fn time(text: &str) -> Time {
    Time { seconds: text.parse::<Timestamp>().expect("a time").as_second(), nanos: 0 }
}

fn id(number: u8) -> SnapshotId {
    SnapshotId::from_bytes([number; 32])
}

fn read(paths: &[&str]) -> Vec<SourceRead> {
    paths.iter().map(|path| SourceRead { path: path.as_bytes().to_vec(), bytes: 100 }).collect()
}

fn candidate(number: u8, at: &str, paths: &[&str]) -> Candidate {
    Candidate {
        id: id(number),
        writer: WriterId::from_bytes([1; 16]),
        sequence: time(at).seconds as u64,
        time: time(at),
        zone_offset: 0,
        sources: read(paths),
        is_pinned: false,
        suspended: None,
    }
}

/// One source, numbered from 1.
fn line(dates: &[&str]) -> Vec<Candidate> {
    dates.iter().zip(1..).map(|(at, number)| candidate(number, at, &["/a"])).collect()
}

fn reasons(candidates: &[Candidate], rules: Rules) -> Vec<(u8, Vec<Reason>)> {
    let chosen = choose(candidates, &rules, time(NOW));
    let mut found: Vec<_> =
        chosen.choices.into_iter().map(|choice| (choice.id.as_bytes()[0], choice.reasons)).collect();
    found.sort_by_key(|(number, _)| *number);
    found
}

fn staying(candidates: &[Candidate], rules: Rules) -> Vec<u8> {
    reasons(candidates, rules)
        .into_iter()
        .filter(|(_, reasons)| !reasons.is_empty())
        .map(|(number, _)| number)
        .collect()
}

fn newest(path: &str) -> Reason {
    Reason::Newest { path: path.as_bytes().to_vec() }
}

const DATES: &[&str] = &[
    "2026-03-18T11:40:00Z", // 1, Wednesday
    "2026-03-18T11:10:00Z", // 2
    "2026-03-18T10:59:59Z", // 3, the hour before
    "2026-03-17T23:59:59Z", // 4, the day before
    "2026-03-16T00:00:00Z", // 5, Monday
    "2026-03-15T23:59:59Z", // 6, Sunday: the week before
    "2026-03-09T00:00:00Z", // 7, Monday of that week
    "2026-02-28T12:00:00Z", // 8, the month before
    "2026-01-01T00:00:00Z", // 9, of the first week of 2026
    "2025-12-31T23:00:00Z", // 10, the year before, and the same week
    "2025-12-29T00:00:00Z", // 11, Monday of the first week of 2026
    "2025-12-28T23:00:00Z", // 12, Sunday: the last week of 2025
    "2023-06-01T00:00:00Z", // 13, nothing in 2024
];

#[test]
fn rules_name_the_newest_of_their_periods() {
    let dates = line(DATES);
    let table: &[(&str, Rules, &[u8])] = &[
        ("none", NONE, &[1]),
        ("no last", Rules { keep_last: Some(0), keep_daily: Some(0), ..NONE }, &[1]),
        ("last", Rules { keep_last: Some(4), ..NONE }, &[1, 2, 3, 4]),
        ("hourly", Rules { keep_hourly: Some(4), ..NONE }, &[1, 3, 4, 5]),
        ("daily", Rules { keep_daily: Some(5), ..NONE }, &[1, 4, 5, 6, 7]),
        ("weekly", Rules { keep_weekly: Some(5), ..NONE }, &[1, 6, 8, 9, 12]),
        ("monthly", Rules { keep_monthly: Some(5), ..NONE }, &[1, 8, 9, 10, 13]),
        ("yearly", Rules { keep_yearly: Some(3), ..NONE }, &[1, 10, 13]),
        ("all yearly", Rules { keep_yearly: Some(u32::MAX), ..NONE }, &[1, 10, 13]),
        ("both", Rules { keep_last: Some(2), keep_yearly: Some(2), ..NONE }, &[1, 2, 10]),
        ("young", Rules { keep_days: 1, ..NONE }, &[1, 2, 3, 4]),
        ("days without the per-file rule", Rules { keep_days: 1, is_per_file: false, ..NONE }, &[1]),
    ];
    for (name, rules, expected) in table {
        assert_eq!(staying(&dates, *rules), *expected, "{name}");
    }
    let rules = Rules { keep_days: 1, keep_last: Some(1), keep_hourly: Some(2), keep_yearly: Some(2), ..NONE };
    let found = reasons(&dates, rules);
    assert_eq!(found[0].1, [newest("/a"), Reason::Young, Reason::Last, Reason::Hourly, Reason::Yearly]);
    assert_eq!(found[1].1, [Reason::Young]);
    assert_eq!(found[2].1, [Reason::Young, Reason::Hourly]);
    assert_eq!(found[9].1, [Reason::Yearly]);
    assert_eq!(found[10].1, []);
}

#[test]
fn periods_are_those_of_the_clock_on_the_wall() {
    // Half past eleven at night in New York is the next day in Greenwich.
    let mut dates = line(&["2026-03-18T03:30:00Z", "2026-03-17T12:00:00Z", "2026-03-17T01:00:00Z"]);
    let rules = Rules { keep_daily: Some(2), ..NONE };
    assert_eq!(staying(&dates, rules), [1, 2]);
    dates.iter_mut().for_each(|candidate| candidate.zone_offset = -4 * 3600);
    assert_eq!(staying(&dates, rules), [1, 3]);
    // What no zone can have is read as Greenwich, and what no calendar has as its end.
    dates.iter_mut().for_each(|candidate| candidate.zone_offset = i32::MIN);
    assert_eq!(staying(&dates, rules), [1, 2]);
    dates[2].time.seconds = i64::MIN;
    dates[1].time.seconds = i64::MIN + 1;
    assert_eq!(staying(&dates, rules), [1, 2]);
    // A period that comes up again is still the same one: travelling west repeats an hour.
    let mut dates = line(&["2026-03-18T10:30:00Z", "2026-03-18T10:20:00Z", "2026-03-18T09:10:00Z"]);
    dates[1].zone_offset = 3600;
    assert_eq!(staying(&dates, Rules { keep_hourly: Some(2), ..NONE }), [1, 2]);
    assert_eq!(staying(&dates, Rules { keep_hourly: Some(3), ..NONE }), [1, 2, 3]);
}

#[test]
fn age_counts_back_from_the_newest_of_the_source() {
    let mut dates = line(&["2020-01-31T00:00:00Z", "2020-01-01T00:00:01Z", "2020-01-01T00:00:00Z"]);
    let rules = Rules { keep_days: 30, ..NONE };
    assert_eq!(staying(&dates, rules), [1, 2]);
    // Of another source a newer one changes nothing; of this one it does.
    dates.push(candidate(4, "2026-03-01T00:00:00Z", &["/b"]));
    assert_eq!(staying(&dates, rules), [1, 2, 4]);
    dates[3].sources = read(&["/a", "/b"]);
    assert_eq!(staying(&dates, rules), [4]);
    let sources = choose(&dates, &rules, time(NOW)).sources;
    assert_eq!(sources[1].newest, time("2026-03-01T00:00:00Z"));
}

#[test]
fn every_source_is_decided_for_itself() {
    let dates = [
        candidate(1, "2026-03-18T00:00:00Z", &["/a"]),
        candidate(2, "2026-03-17T00:00:00Z", &["/a", "/b"]),
        candidate(3, "2026-03-16T00:00:00Z", &["/a", "/b", "/c"]),
        candidate(4, "2026-03-15T00:00:00Z", &["/a", "/b"]),
        candidate(5, "2026-03-14T00:00:00Z", &["/a"]),
    ];
    let found = reasons(&dates, NONE);
    assert_eq!(found[0].1, [newest("/a")]);
    assert_eq!(found[1].1, [newest("/b")]);
    assert_eq!(found[2].1, [newest("/c")]);
    assert_eq!(staying(&dates, NONE), [1, 2, 3]);
    assert_eq!(staying(&dates, Rules { keep_last: Some(3), ..NONE }), [1, 2, 3, 4]);
}

#[test]
fn who_read_nothing_goes_when_something_is_newer() {
    let mut dates = line(&["2026-03-15T00:00:00Z"]);
    dates.push(candidate(2, "2026-03-16T00:00:00Z", &[]));
    dates.push(candidate(3, "2026-03-17T00:00:00Z", &[]));
    let all = Rules { keep_days: 365, keep_last: Some(9), ..NONE };
    assert_eq!(reasons(&dates, all)[2].1, [Reason::NothingNewer]);
    assert_eq!(staying(&dates, all), [1, 3]);
    dates.push(candidate(4, "2026-03-18T00:00:00Z", &["/a"]));
    assert_eq!(staying(&dates, all), [1, 4]);
    dates[1].is_pinned = true;
    assert_eq!(reasons(&dates, all)[1].1, [Reason::Pinned]);
}

#[test]
fn of_a_source_that_looks_suspect_nothing_goes() {
    let mut dates = line(&["2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"]);
    assert_eq!(staying(&dates, NONE), [1]);
    dates[1].suspended = Some(b"/a".to_vec());
    assert_eq!(reasons(&dates, NONE)[1].1, [Reason::Suspended { path: b"/a".to_vec() }]);
    assert_eq!(staying(&dates, NONE), [1, 2]);
    // Also what a rule said to go before, from a destination that was away.
    let going = HashSet::from([id(2), id(3)]);
    assert_eq!(may_go_from(&dates, &going, time(NOW)), HashSet::from([id(3)]));
}

#[test]
fn the_future_stays_and_counts_for_nothing() {
    let mut dates = line(&["2026-03-18T11:00:00Z", "2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"]);
    let rules = Rules { keep_last: Some(2), keep_days: 30, ..NONE };
    assert_eq!(staying(&dates, rules), [1, 2]);
    dates.push(candidate(4, "2027-01-01T00:00:00Z", &["/a"]));
    dates.push(candidate(5, "2026-03-18T13:00:01Z", &["/a"]));
    let chosen = choose(&dates, &rules, time(NOW));
    assert_eq!(chosen.future, [id(4), id(5)]);
    assert_eq!(chosen.choices[0], Choice { id: id(4), time: dates[3].time, reasons: vec![Reason::FromTheFuture] });
    assert_eq!(chosen.choices[1].reasons, [Reason::FromTheFuture]);
    assert_eq!(staying(&dates, rules), [1, 2, 4, 5]);
    assert_eq!(chosen.sources[0].newest, time("2026-03-18T11:00:00Z"));
    // An hour is within what clocks differ by, and then it is the newest.
    dates[4].time = time("2026-03-18T13:00:00Z");
    assert_eq!(staying(&dates, rules), [1, 4, 5]);
    // A clock that fell back far makes everything the future.
    let chosen = choose(&dates, &NONE, time("1970-01-01T00:00:00Z"));
    assert_eq!((chosen.future.len(), chosen.going().count(), chosen.sources.len()), (5, 0, 0));
}

#[test]
fn what_a_writer_counted_last_stays() {
    let last = || Reason::LastOfWriter { path: b"/a".to_vec() };
    let mut dates = line(&["2026-03-18T00:00:00Z", "2026-03-17T00:00:00Z", "2020-01-01T00:00:00Z"]);
    // Its clock had lost its battery.
    dates[2].sequence = dates[0].sequence + 1;
    assert_eq!(reasons(&dates, NONE)[2].1, [last()]);
    assert_eq!(staying(&dates, NONE), [1, 3]);
    // Another machine has a folder of the same name, and was off for a while.
    for candidate in &mut dates[1..] {
        candidate.writer = WriterId::from_bytes([2; 16]);
    }
    dates[2].sequence = 1;
    assert_eq!(reasons(&dates, NONE)[1].1, [last()]);
    assert_eq!(staying(&dates, NONE), [1, 2]);
}

#[test]
fn versions_are_protected_by_age_or_by_number() {
    let rule = Rules { keep_days: 30, ..NONE }.per_file().expect("it holds");
    let now = time(NOW);
    let ago = |days: i64| later(now, -days * DAY);
    // Position, days since the version and since any version of the file was seen, deleted, protected.
    let table = [
        (0, 0, 0, false, true),
        (500, 29, 0, false, true),
        (500, 30, 0, false, false),
        (10, 31, 0, false, false),
        (9, 31, 0, false, true),
        (9, 5000, 0, false, true),
        (0, 364, 364, true, true),
        (0, 365, 365, true, false),
        (9, 700, 364, true, true),
        (10, 364, 364, true, false),
        (9, 700, 365, true, false),
        // The days for deleted files count only for those.
        (0, 365, 365, false, true),
    ];
    for (position, last, newest, is_deleted, expected) in table {
        let found = rule.protects(position, ago(last), ago(newest), is_deleted, now);
        assert_eq!(found, expected, "{position} {last} {newest} {is_deleted}");
    }
    // What is young is kept even where deleted files are to go at once.
    let rule = FileRule { keep_deleted_days: 0, ..rule };
    assert!(rule.protects(3, ago(29), ago(29), true, now));
    assert!(!rule.protects(0, ago(30), ago(30), true, now));
    assert!(!FileRule { keep_days: 0, ..rule }.protects(10, now, now, false, now));
    // A time no clock can show is no danger.
    assert!(!rule.protects(usize::MAX, Time { seconds: i64::MIN, nanos: 0 }, now, false, now));
    assert!(rule.protects(usize::MAX, now, now, false, Time { seconds: i64::MIN, nanos: 0 }));
    assert_eq!(Rules { is_per_file: false, ..NONE }.per_file(), None);
}

#[test]
fn rules_come_from_the_settings() {
    let settings = Retention { keep_weekly: Some(8), keep_last: Some(3), ..Retention::default() };
    let expected = Rules { keep_days: 30, keep_weekly: Some(8), keep_last: Some(3), ..NONE };
    assert_eq!(Rules::of(&settings), expected);
    let settings = Retention {
        keep_days: 1,
        keep_versions: 2,
        keep_deleted_days: 3,
        keep_last: Some(4),
        keep_hourly: Some(5),
        keep_daily: Some(6),
        keep_weekly: Some(7),
        keep_monthly: Some(8),
        keep_yearly: Some(9),
        ..Retention::default()
    };
    let rules = Rules::of(&settings);
    let numbers = (rules.keep_days, rules.keep_versions, rules.keep_deleted_days, rules.is_per_file);
    assert_eq!(numbers, (1, 2, 3, true));
    let periods = [rules.keep_last, rules.keep_hourly, rules.keep_daily];
    assert_eq!(periods, [Some(4), Some(5), Some(6)]);
    assert_eq!([rules.keep_weekly, rules.keep_monthly, rules.keep_yearly], [Some(7), Some(8), Some(9)]);
}

#[test]
fn a_large_removal_is_seen() {
    let dates = line(&DATES[..5]);
    let chosen = |candidates: &[Candidate], keep| {
        choose(candidates, &Rules { keep_last: Some(keep), ..NONE }, time(NOW)).sources[0].clone()
    };
    let tally = chosen(&dates, 2);
    assert_eq!((tally.snapshots_staying, tally.snapshots_going), (2, 3));
    assert_eq!((tally.bytes_staying, tally.bytes_going), (200, 300));
    assert!(tally.removes_more_than_half());
    assert!(!chosen(&dates, 3).removes_more_than_half());
    assert!(!chosen(&dates[..4], 2).removes_more_than_half(), "half is not more than half");
    assert!(chosen(&dates[..4], 1).removes_more_than_half());
    assert!(!chosen(&dates[..3], 1).removes_more_than_half(), "too few to mean anything");
    let mut large = dates.clone();
    large[4].sources[0].bytes = 1000;
    assert!(chosen(&large, 4).removes_more_than_half(), "one goes, and with it most of the bytes");
    large[3].sources[0].bytes = u64::MAX;
    assert_eq!(chosen(&large, 1).bytes_going, u64::MAX);
    let two = [dates, vec![candidate(20, "2026-03-18T00:00:00Z", &["/b"])]].concat();
    assert_eq!(choose(&two, &NONE, time(NOW)).removes_more_than_half(), [b"/a"]);
}

#[test]
fn nothing_left_of_a_source_is_seen() {
    let dates = [
        candidate(1, "2026-03-18T00:00:00Z", &["/b", "/a"]),
        candidate(2, "2026-03-17T00:00:00Z", &["/a"]),
        candidate(3, "2027-03-17T00:00:00Z", &["/c"]),
    ];
    let lost = |numbers: &[u8]| leaves_nothing(&dates, &numbers.iter().map(|number| id(*number)).collect::<Vec<_>>());
    assert_eq!(lost(&[]), Vec::<Vec<u8>>::new());
    assert_eq!(lost(&[2, 9]), Vec::<Vec<u8>>::new());
    assert_eq!(lost(&[1]), [b"/b"]);
    assert_eq!(lost(&[3, 2, 1]), [b"/a", b"/b", b"/c"]);
}

#[test]
fn a_destination_keeps_its_newest_until_it_has_a_newer_one() {
    let mut there = line(&["2026-03-10T00:00:00Z", "2026-03-09T00:00:00Z", "2026-03-08T00:00:00Z"]);
    let going: HashSet<SnapshotId> = [1, 2, 3].map(id).into();
    let numbers = |there: &[Candidate], now| {
        may_go_from(there, &going, time(now)).iter().map(|id| id.as_bytes()[0]).collect::<BTreeSet<u8>>()
    };
    assert_eq!(numbers(&there, NOW), [2, 3].into());
    // What is newer and from the future is no replacement, and one that read another source is none either.
    there.push(candidate(4, "2026-03-18T00:00:00Z", &["/b"]));
    there.push(candidate(5, "2027-03-18T00:00:00Z", &["/a"]));
    assert_eq!(numbers(&there, NOW), [2, 3].into());
    there[3].sources = read(&["/a", "/b"]);
    assert_eq!(numbers(&there, NOW), [1, 2, 3].into());
    assert_eq!(numbers(&there, "1970-01-01T00:00:00Z"), [].into(), "a clock that fell back far");
    // Where nothing that was read is left, the newest of all still tells of what it carried.
    let mut there = line(&["2026-03-10T00:00:00Z", "2026-03-09T00:00:00Z"]);
    there.iter_mut().for_each(|candidate| candidate.sources.clear());
    assert_eq!(numbers(&there, NOW), [2].into());
}

#[test]
fn a_snapshot_counts_for_what_it_read() {
    use crate::format::recipe::Recipe;
    use crate::format::snapshot::{Root, RootCounts};
    use crate::format::tree::{Flags, Metadata, Node, NodeKind};

    let node = Node {
        name: Vec::new(),
        kind: NodeKind::Folder(Recipe::EMPTY),
        metadata: Metadata::default(),
        version: 0,
        flags: Flags::NONE,
        extra: Vec::new(),
    };
    let root = |path: &[u8], carried_from| Root {
        path: path.to_vec(),
        node: node.clone(),
        carried_from,
        scanned: Time { seconds: 2, nanos: 0 },
        counts: RootCounts { bytes: 7, ..RootCounts::default() },
    };
    let mut snapshot = Snapshot {
        writer: WriterId::from_bytes([4; 16]),
        sequence: 9,
        previous: None,
        started: Time { seconds: 1, nanos: 0 },
        finished: Time { seconds: 3, nanos: 5 },
        zone_offset: 60,
        machine: "ada".into(),
        user: "u".into(),
        roots: vec![root(b"/a", None), root(b"/b", Some(id(8)))],
        flags: 0,
        tags: Vec::new(),
        packs_written: 0,
        packs_digest: [0; 32],
        version_ceiling: 0,
        extra: Vec::new(),
    };
    let expected = Candidate {
        id: id(1),
        writer: WriterId::from_bytes([4; 16]),
        sequence: 9,
        time: Time { seconds: 3, nanos: 5 },
        zone_offset: 60,
        sources: vec![SourceRead { path: b"/a".to_vec(), bytes: 7 }],
        is_pinned: true,
        suspended: None,
    };
    assert_eq!(Candidate::of(id(1), &snapshot, true), Some(expected));
    snapshot.flags = Snapshot::HISTORY;
    assert_eq!(Candidate::of(id(1), &snapshot, true), None);
}

/// Rules by counting: for every snapshot for itself, how many of its source are newer, and in how many periods.
mod model {
    use super::*;

    fn key(candidate: &Candidate) -> (i64, u32, u64, SnapshotId) {
        (candidate.time.seconds, candidate.time.nanos, candidate.sequence, candidate.id)
    }

    fn is_future(candidate: &Candidate, now: Time) -> bool {
        let nanos = |time: Time| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
        nanos(candidate.time) - nanos(now) > 3_600_000_000_000
    }

    /// Year and month of a day counted from 1970, by walking there.
    fn year_and_month(mut day: i64) -> (i64, i64) {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut year = 1970;
        while day >= if leap(year) { 366 } else { 365 } {
            day -= if leap(year) { 366 } else { 365 };
            year += 1;
        }
        let mut month = 1;
        for length in [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            if day < length {
                break;
            }
            day -= length;
            month += 1;
        }
        (year, month)
    }

    fn period(candidate: &Candidate, kind: usize) -> (i64, i64) {
        let local = candidate.time.seconds + i64::from(candidate.zone_offset);
        let day = local.div_euclid(DAY);
        match kind {
            0 => (local.div_euclid(HOUR), 0),
            1 => (day, 0),
            // The first day of 1970 was a Thursday.
            2 => ((day + 3).div_euclid(7), 0),
            3 => year_and_month(day),
            _ => (year_and_month(day).0, 0),
        }
    }

    fn stays_for(candidate: &Candidate, path: &[u8], present: &[&Candidate], rules: &Rules) -> bool {
        let members: Vec<&&Candidate> =
            present.iter().filter(|member| member.sources.iter().any(|source| source.path == path)).collect();
        let newer: Vec<&&&Candidate> = members.iter().filter(|member| key(member) > key(candidate)).collect();
        let counted_later = |member: &&&Candidate| {
            member.writer == candidate.writer && (member.sequence, key(member)) > (candidate.sequence, key(candidate))
        };
        if newer.is_empty() || !members.iter().any(counted_later) {
            return true;
        }
        let newest = members.iter().map(|member| member.time).max().expect("one is newer");
        let age = i128::from(newest.seconds - candidate.time.seconds) * 1_000_000_000 + i128::from(newest.nanos)
            - i128::from(candidate.time.nanos);
        if rules.is_per_file && age < i128::from(rules.keep_days) * 86_400_000_000_000 {
            return true;
        }
        if newer.len() < rules.keep_last.unwrap_or(0) as usize {
            return true;
        }
        let numbers = [rules.keep_hourly, rules.keep_daily, rules.keep_weekly, rules.keep_monthly, rules.keep_yearly];
        (0..5).any(|kind| {
            let others: BTreeSet<(i64, i64)> = newer.iter().map(|member| period(member, kind)).collect();
            !others.contains(&period(candidate, kind)) && others.len() < numbers[kind].unwrap_or(0) as usize
        })
    }

    pub fn staying(candidates: &[Candidate], rules: &Rules, now: Time) -> BTreeSet<SnapshotId> {
        let present: Vec<&Candidate> = candidates.iter().filter(|candidate| !is_future(candidate, now)).collect();
        let stays = |candidate: &&Candidate| {
            candidate.is_pinned
                || is_future(candidate, now)
                || (candidate.sources.is_empty() && present.iter().all(|other| key(other) <= key(candidate)))
                || candidate.sources.iter().any(|source| stays_for(candidate, &source.path, &present, rules))
        };
        candidates.iter().filter(stays).map(|candidate| candidate.id).collect()
    }
}

fn any_candidate() -> impl Strategy<Value = Candidate> {
    // Times close to each other and far apart, on the second and beside it, some in the future.
    let seconds = prop_oneof![
        8 => (-900i64..0, 0..DAY).prop_map(|(days, seconds)| days * DAY + seconds),
        8 => -40 * HOUR..0,
        4 => (-6i64..0).prop_map(|days| days * DAY),
        1 => 0..2 * HOUR,
        1 => 0..900 * DAY,
    ];
    let zone = prop_oneof![3 => Just(0), 1 => Just(3600), 1 => Just(-5 * 3600), 1 => Just(14 * 3600)];
    (seconds, 0u32..3, zone, prop::collection::btree_set(0u8..3, 0..4), 0u8..3, 1u64..30, 0u8..20).prop_map(
        |(seconds, nanos, zone_offset, paths, writer, sequence, pin)| Candidate {
            id: id(0),
            writer: WriterId::from_bytes([writer; 16]),
            sequence,
            time: Time { seconds: time(NOW).seconds + seconds, nanos },
            zone_offset,
            sources: paths.into_iter().map(|path| SourceRead { path: vec![b'/', path], bytes: sequence }).collect(),
            is_pinned: pin == 0,
            suspended: None,
        },
    )
}

fn any_candidates() -> impl Strategy<Value = Vec<Candidate>> {
    (prop::collection::vec(any_candidate(), 0..30), any::<u8>()).prop_map(|(mut candidates, start)| {
        for (candidate, number) in candidates.iter_mut().zip(0u8..) {
            // Different ids in no order; an odd factor makes no two the same.
            candidate.id = id(number.wrapping_mul(37).wrapping_add(start));
        }
        candidates
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let number = || prop_oneof![2 => Just(None), 3 => (0u32..7).prop_map(Some)];
    let numbers = (number(), number(), number(), number(), number(), number());
    let days = prop_oneof![1 => Just(0u32), 2 => 1u32..4, 1 => 1u32..500];
    (days, any::<bool>(), numbers).prop_map(|(keep_days, is_per_file, numbers)| Rules {
        keep_days,
        keep_last: numbers.0,
        keep_hourly: numbers.1,
        keep_daily: numbers.2,
        keep_weekly: numbers.3,
        keep_monthly: numbers.4,
        keep_yearly: numbers.5,
        is_per_file,
        ..NONE
    })
}

fn ids_staying(candidates: &[Candidate], rules: &Rules, now: Time) -> BTreeSet<SnapshotId> {
    let chosen = choose(candidates, rules, now);
    chosen.choices.iter().filter(|choice| choice.stays()).map(|choice| choice.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_stays_is_what_counting_says(candidates in any_candidates(), rules in any_rules()) {
        let now = time(NOW);
        prop_assert_eq!(ids_staying(&candidates, &rules, now), model::staying(&candidates, &rules, now));
    }

    #[test]
    fn the_newest_of_every_source_stays(candidates in any_candidates(), rules in any_rules()) {
        let now = time(NOW);
        let chosen = choose(&candidates, &rules, now);
        prop_assert_eq!(chosen.choices.len(), candidates.len());
        let going: Vec<SnapshotId> = chosen.going().collect();
        prop_assert_eq!(leaves_nothing(&candidates, &going), Vec::<Vec<u8>>::new());
        for path in 0..3 {
            let reads = |candidate: &&Candidate| candidate.sources.iter().any(|source| source.path == [b'/', path]);
            let present = candidates.iter().filter(reads).filter(|candidate| !candidate.is_from_the_future(now));
            let newest = present.map(|candidate| candidate.time).max();
            let tally = chosen.sources.iter().find(|tally| tally.path == [b'/', path]);
            prop_assert_eq!(tally.map(|tally| tally.newest), newest);
            if newest.is_some() {
                let reason = Reason::Newest { path: vec![b'/', path] };
                let named: Vec<&Choice> =
                    chosen.choices.iter().filter(|choice| choice.reasons.contains(&reason)).collect();
                prop_assert_eq!(named.iter().map(|choice| Some(choice.time)).collect::<Vec<_>>(), [newest]);
            }
        }
    }

    #[test]
    fn the_future_changes_nothing_for_others(candidates in any_candidates(), rules in any_rules()) {
        let now = time(NOW);
        let (future, present): (Vec<Candidate>, Vec<Candidate>) =
            candidates.iter().cloned().partition(|candidate| candidate.is_from_the_future(now));
        let mut without = choose(&present, &rules, now);
        let mut with = choose(&candidates, &rules, now);
        prop_assert_eq!(with.future.len(), future.len());
        with.choices.retain(|choice| !choice.reasons.contains(&Reason::FromTheFuture));
        with.future.clear();
        without.future.clear();
        prop_assert_eq!(with, without);
    }

    #[test]
    fn a_rule_more_never_removes(candidates in any_candidates(), rules in any_rules(), which in 0..7, by in 1u32..5) {
        let mut more = rules;
        let raise = |number: &mut Option<u32>| *number = Some(number.unwrap_or(0) + by);
        match which {
            0 => raise(&mut more.keep_last),
            1 => raise(&mut more.keep_hourly),
            2 => raise(&mut more.keep_daily),
            3 => raise(&mut more.keep_weekly),
            4 => raise(&mut more.keep_monthly),
            5 => raise(&mut more.keep_yearly),
            _ => (more.keep_days, more.is_per_file) = (more.keep_days + by, true),
        }
        let now = time(NOW);
        prop_assert!(ids_staying(&candidates, &rules, now).is_subset(&ids_staying(&candidates, &more, now)));
    }

    #[test]
    fn order_does_not_matter(
        candidates in any_candidates(),
        other in any_candidates().prop_flat_map(|candidates| (Just(candidates.clone()), Just(candidates).prop_shuffle())),
        rules in any_rules(),
    ) {
        let now = time(NOW);
        prop_assert_eq!(choose(&other.0, &rules, now), choose(&other.1, &rules, now));
        let reversed: Vec<Candidate> = candidates.iter().rev().cloned().collect();
        prop_assert_eq!(choose(&candidates, &rules, now), choose(&reversed, &rules, now));
    }

    /// Weeks, months and years have their own beginnings; everything else knows only distances.
    #[test]
    fn days_pass_for_all_alike(candidates in any_candidates(), rules in any_rules(), days in -2000i64..2000) {
        let rules = Rules { keep_weekly: None, keep_monthly: None, keep_yearly: None, ..rules };
        let now = time(NOW);
        let mut shifted = candidates.clone();
        shifted.iter_mut().for_each(|candidate| candidate.time = later(candidate.time, days * DAY));
        let before: Vec<_> = choose(&candidates, &rules, now).choices;
        let after = choose(&shifted, &rules, later(now, days * DAY)).choices;
        let what = |choices: Vec<Choice>| choices.into_iter().map(|choice| (choice.id, choice.reasons)).collect::<Vec<_>>();
        prop_assert_eq!(what(before), what(after));
    }

    /// A destination that has some of the snapshots loses nothing of which it has nothing newer, and cleaning again, when
    /// it got none, removes no more.
    #[test]
    fn a_destination_keeps_something_of_every_source(
        candidates in any_candidates(),
        has in prop::collection::vec(any::<bool>(), 30),
        rules in any_rules(),
    ) {
        let now = time(NOW);
        let going: HashSet<SnapshotId> = choose(&candidates, &rules, now).going().collect();
        let there: Vec<Candidate> =
            candidates.iter().zip(has).filter(|(_, has)| *has).map(|(candidate, _)| candidate.clone()).collect();
        let gone = may_go_from(&there, &going, now);
        prop_assert!(gone.is_subset(&going));
        let gone_list: Vec<SnapshotId> = gone.iter().copied().collect();
        prop_assert_eq!(leaves_nothing(&there, &gone_list), Vec::<Vec<u8>>::new());
        let left: Vec<Candidate> = there.iter().filter(|candidate| !gone.contains(&candidate.id)).cloned().collect();
        prop_assert_eq!(there.is_empty(), left.is_empty());
        prop_assert_eq!(may_go_from(&left, &going, now), HashSet::new());
        for candidate in there.iter().filter(|candidate| gone.contains(&candidate.id)) {
            for source in &candidate.sources {
                let is_newer = |other: &&Candidate| {
                    other.time >= candidate.time && other.sources.iter().any(|read| read.path == source.path)
                };
                prop_assert!(left.iter().find(is_newer).is_some());
            }
        }
    }
}
