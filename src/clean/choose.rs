//! Which snapshots stay, which go, and why.
//!
//! Nothing is read and no clock is looked at: the same candidates, rules and time give the same choice.
//!
//! - A snapshot counts for the sources it **read**. What it carried is the word of another snapshot, which counts itself.
//!   It stays when any source it read wants it to.
//! - **Age counts back from the newest snapshot of the source**, not from the clock: a computer that was off for a year
//!   finds all that it left.
//! - A snapshot **from the future** stays, and counts for nothing else: were it the newest of its source, all others would
//!   be too old.
//! - The newest of every source stays by time, and by the counting of every writer: a writer whose clock fell back goes on
//!   counting, and another machine may have a folder of the same name.

mod rules;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::format::id::{SnapshotId, WriterId};
use crate::format::record::Time;
use crate::format::snapshot::Snapshot;

use rules::{is_younger, later};

pub use rules::{FileRule, Rules};

/// Seconds by which a snapshot may be later than the clock and not be from the future. Clocks of machines that share a
/// repository differ by seconds or minutes; an hour is also what a clock is off by where summer time was set by hand.
pub const FUTURE_TOLERANCE_SECONDS: i64 = 3600;

/// The fewest snapshots of a source of which it means anything that more than half would go.
pub const HALF_COUNTS_FROM: u64 = 4;

/// A source that a snapshot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRead {
    /// Its path.
    pub path: Vec<u8>,
    /// Bytes of all its files then.
    pub bytes: u64,
}

/// A snapshot that stays or goes. No two of them have the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: SnapshotId,
    /// Who wrote it.
    pub writer: WriterId,
    /// Its number among that writer's snapshots.
    pub sequence: u64,
    /// When it was made.
    pub time: Time,
    /// Local time minus UTC then, in seconds.
    pub zone_offset: i32,
    /// The sources it read; those it carried are not among them.
    pub sources: Vec<SourceRead>,
    /// Whether a person pinned it.
    pub is_pinned: bool,
    /// The source it read of which nothing may go, because a run looked suspect.
    pub suspended: Option<Vec<u8>>,
}

impl Candidate {
    /// A snapshot as a candidate; none for a history, which no rule decides about.
    pub fn of(id: SnapshotId, snapshot: &Snapshot, is_pinned: bool) -> Option<Self> {
        let read = snapshot.roots.iter().filter(|root| root.carried_from.is_none());
        (!snapshot.is_history()).then(|| Self {
            id,
            writer: snapshot.writer,
            sequence: snapshot.sequence,
            time: snapshot.finished,
            zone_offset: snapshot.zone_offset,
            sources: read.map(|root| SourceRead { path: root.path.clone(), bytes: root.counts.bytes }).collect(),
            is_pinned,
            suspended: None,
        })
    }

    /// Whether it is from the future, by a clock that says `now`.
    pub fn is_from_the_future(&self, now: Time) -> bool {
        self.time > later(now, FUTURE_TOLERANCE_SECONDS)
    }

    fn by_time(&self) -> (Time, u64, SnapshotId) {
        (self.time, self.sequence, self.id)
    }

    fn by_counting(&self) -> (u64, Time, SnapshotId) {
        (self.sequence, self.time, self.id)
    }

    /// Local time when it was made. What lies outside the calendar becomes its end.
    fn local(&self) -> DateTime {
        let end = if self.time.seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let moment = Timestamp::from_second(self.time.seconds).unwrap_or(end);
        Offset::from_seconds(self.zone_offset).unwrap_or(Offset::UTC).to_datetime(moment)
    }
}

/// Why a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is the newest of a source.
    Newest {
        /// The source's path.
        path: Vec<u8>,
    },
    /// It is the last that its writer made of a source, by that writer's counting, though another has a later time.
    LastOfWriter {
        /// The source's path.
        path: Vec<u8>,
    },
    /// It read no source, and nothing is newer.
    NothingNewer,
    /// It is later than the clock.
    FromTheFuture,
    /// A person pinned it.
    Pinned,
    /// A run looked suspect that read a source it read, and nobody accepted that.
    Suspended {
        /// The source's path.
        path: Vec<u8>,
    },
    /// It is younger than `keep_days`.
    Young,
    /// It is among the newest `keep_last`.
    Last,
    /// It is the newest of one of the last `keep_hourly` hours.
    Hourly,
    /// It is the newest of one of the last `keep_daily` days.
    Daily,
    /// It is the newest of one of the last `keep_weekly` weeks.
    Weekly,
    /// It is the newest of one of the last `keep_monthly` months.
    Monthly,
    /// It is the newest of one of the last `keep_yearly` years.
    Yearly,
}

/// What was chosen for a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The snapshot.
    pub id: SnapshotId,
    /// When it was made.
    pub time: Time,
    /// Why it stays, every reason once, in their order; none when it goes.
    pub reasons: Vec<Reason>,
}

impl Choice {
    /// Whether it stays.
    pub fn stays(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// What becomes of a source. Snapshots from the future are not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTally {
    /// Its path.
    pub path: Vec<u8>,
    /// When its newest snapshot was made: what the age of its versions counts back from.
    pub newest: Time,
    /// Snapshots that read it and stay.
    pub snapshots_staying: u64,
    /// Snapshots that read it and go.
    pub snapshots_going: u64,
    /// Bytes of all its files in those that stay, added up.
    pub bytes_staying: u64,
    /// Bytes of all its files in those that go, added up.
    pub bytes_going: u64,
}

impl SourceTally {
    /// Whether more than half of its snapshots, or of their bytes, would go. It takes a few snapshots to mean anything.
    pub fn removes_more_than_half(&self) -> bool {
        let counts = self.snapshots_staying + self.snapshots_going >= HALF_COUNTS_FROM;
        counts && (self.snapshots_going > self.snapshots_staying || self.bytes_going > self.bytes_staying)
    }
}

/// What was chosen for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// Every candidate, newest first.
    pub choices: Vec<Choice>,
    /// Those from the future, newest first: somebody should look at a clock.
    pub future: Vec<SnapshotId>,
    /// The sources that were read, by path; without those of which all snapshots are from the future.
    pub sources: Vec<SourceTally>,
}

impl Chosen {
    /// Those that go, newest first.
    pub fn going(&self) -> impl Iterator<Item = SnapshotId> + '_ {
        self.choices.iter().filter(|choice| !choice.stays()).map(|choice| choice.id)
    }

    /// The paths of sources that would lose more than half of their snapshots, or of their bytes.
    pub fn removes_more_than_half(&self) -> Vec<&[u8]> {
        let much = self.sources.iter().filter(|source| source.removes_more_than_half());
        much.map(|source| source.path.as_slice()).collect()
    }
}

/// Chooses what stays and what goes, by a clock that says `now`.
pub fn choose(candidates: &[Candidate], rules: &Rules, now: Time) -> Chosen {
    let (present, future) = newest_first(candidates, now);
    let sources = by_source(&present);
    let mut reasons: HashMap<SnapshotId, BTreeSet<Reason>> = HashMap::new();
    let mut add = |candidate: &Candidate, reason| {
        reasons.entry(candidate.id).or_default().insert(reason);
    };
    for candidate in &future {
        add(candidate, Reason::FromTheFuture);
    }
    for candidate in candidates.iter().filter(|candidate| candidate.is_pinned) {
        add(candidate, Reason::Pinned);
    }
    for candidate in candidates {
        if let Some(path) = &candidate.suspended {
            add(candidate, Reason::Suspended { path: path.clone() });
        }
    }
    for (candidate, reason) in always(&present, &sources) {
        add(candidate, reason);
    }
    for members in sources.values() {
        name_by_rules(members, rules, &mut add);
    }
    let mut all: Vec<&Candidate> = candidates.iter().collect();
    all.sort_unstable_by_key(|candidate| Reverse(candidate.by_time()));
    let reasons_of = |candidate: &&Candidate| reasons.get(&candidate.id).into_iter().flatten().cloned().collect();
    Chosen {
        choices: all
            .iter()
            .map(|candidate| Choice { id: candidate.id, time: candidate.time, reasons: reasons_of(candidate) })
            .collect(),
        future: future.iter().map(|candidate| candidate.id).collect(),
        sources: sources.iter().map(|(path, members)| tally(path, members, &reasons)).collect(),
    }
}

/// Of the snapshots that are to go because of a rule, those that may be deleted from a destination: not what is the newest
/// *there* of any source, or the newest of all. A stick that was away for months keeps its newest until it has a newer one.
///
/// What a person forgot goes without asking.
pub fn may_go_from(
    candidates_on_destination: &[Candidate],
    going: &HashSet<SnapshotId>,
    now: Time,
) -> HashSet<SnapshotId> {
    let (present, _) = newest_first(candidates_on_destination, now);
    let held: HashSet<SnapshotId> =
        always(&present, &by_source(&present)).into_iter().map(|(candidate, _)| candidate.id).collect();
    let may_go = present.iter().filter(|candidate| candidate.suspended.is_none()).map(|candidate| candidate.id);
    may_go.filter(|id| going.contains(id) && !held.contains(id)).collect()
}

/// The paths of the sources of which nothing would be left when `forgotten` are gone, in order.
pub fn leaves_nothing(candidates: &[Candidate], forgotten: &[SnapshotId]) -> Vec<Vec<u8>> {
    let forgotten: HashSet<&SnapshotId> = forgotten.iter().collect();
    let mut is_left: BTreeMap<&[u8], bool> = BTreeMap::new();
    for candidate in candidates {
        for source in &candidate.sources {
            *is_left.entry(&source.path).or_default() |= !forgotten.contains(&candidate.id);
        }
    }
    is_left.into_iter().filter(|(_, is_left)| !is_left).map(|(path, _)| path.to_vec()).collect()
}

/// Those that count, and those from the future; both newest first.
fn newest_first(candidates: &[Candidate], now: Time) -> (Vec<&Candidate>, Vec<&Candidate>) {
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    sorted.sort_unstable_by_key(|candidate| Reverse(candidate.by_time()));
    sorted.into_iter().partition(|candidate| !candidate.is_from_the_future(now))
}

/// The snapshots that read each source, in the order they came.
fn by_source<'a>(present: &[&'a Candidate]) -> BTreeMap<&'a [u8], Vec<&'a Candidate>> {
    let mut sources: BTreeMap<&[u8], Vec<&Candidate>> = BTreeMap::new();
    for candidate in present {
        for source in &candidate.sources {
            sources.entry(&source.path).or_default().push(candidate);
        }
    }
    sources
}

/// What stays under any rules.
fn always<'a>(
    present: &[&'a Candidate],
    sources: &BTreeMap<&[u8], Vec<&'a Candidate>>,
) -> Vec<(&'a Candidate, Reason)> {
    let mut found = Vec::new();
    // Where the newest of all read a source, it is the newest of that one.
    found.extend(
        present.first().filter(|newest| newest.sources.is_empty()).map(|newest| (*newest, Reason::NothingNewer)),
    );
    for (path, members) in sources {
        let newest = members.first().map(|newest| newest.id);
        found.extend(members.first().map(|newest| (*newest, Reason::Newest { path: path.to_vec() })));
        let mut last: HashMap<WriterId, &Candidate> = HashMap::new();
        for &member in members {
            let known = last.entry(member.writer).or_insert(member);
            if member.by_counting() > known.by_counting() {
                *known = member;
            }
        }
        let others = last.into_values().filter(|member| Some(member.id) != newest);
        found.extend(others.map(|member| (member, Reason::LastOfWriter { path: path.to_vec() })));
    }
    found
}

/// What the rules name of the snapshots of one source, given newest first.
fn name_by_rules(members: &[&Candidate], rules: &Rules, add: &mut impl FnMut(&Candidate, Reason)) {
    if let (true, Some(newest)) = (rules.is_per_file, members.first()) {
        for member in members.iter().take_while(|member| is_younger(member.time, rules.keep_days, newest.time)) {
            add(member, Reason::Young);
        }
    }
    for member in members.iter().take(rules.keep_last.map_or(0, |number| number as usize)) {
        add(member, Reason::Last);
    }
    type Period = fn(DateTime) -> (i16, i16, i8);
    let periods: [(Option<u32>, Reason, Period); 5] = [
        (rules.keep_hourly, Reason::Hourly, |local| (local.year(), local.day_of_year(), local.hour())),
        (rules.keep_daily, Reason::Daily, |local| (local.year(), local.day_of_year(), 0)),
        (rules.keep_weekly, Reason::Weekly, |local| {
            let week = local.iso_week_date();
            (week.year(), 0, week.week())
        }),
        (rules.keep_monthly, Reason::Monthly, |local| (local.year(), 0, local.month())),
        (rules.keep_yearly, Reason::Yearly, |local| (local.year(), 0, 0)),
    ];
    for (number, reason, period) in periods {
        // Local times may go back where time does not, so a period can come up again after another one.
        let mut seen = HashSet::new();
        for member in members {
            if seen.len() >= number.map_or(0, |number| number as usize) {
                break;
            }
            if seen.insert(period(member.local())) {
                add(member, reason.clone());
            }
        }
    }
}

fn tally(path: &[u8], members: &[&Candidate], reasons: &HashMap<SnapshotId, BTreeSet<Reason>>) -> SourceTally {
    let mut tally = SourceTally {
        path: path.to_vec(),
        newest: members.first().map(|newest| newest.time).unwrap_or_default(),
        snapshots_staying: 0,
        snapshots_going: 0,
        bytes_staying: 0,
        bytes_going: 0,
    };
    for member in members {
        let (snapshots, bytes) = if reasons.contains_key(&member.id) {
            (&mut tally.snapshots_staying, &mut tally.bytes_staying)
        } else {
            (&mut tally.snapshots_going, &mut tally.bytes_going)
        };
        *snapshots += 1;
        let read = member.sources.iter().filter(|source| source.path == path);
        *bytes = read.fold(*bytes, |sum, source| sum.saturating_add(source.bytes));
    }
    tally
}

#[cfg(test)]
mod tests;
