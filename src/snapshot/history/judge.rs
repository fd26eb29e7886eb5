//! The versions of one path: which there are, when they were seen, and which of them a history keeps.

use std::cmp::Reverse;

use super::merge::{MergeRequest, State};
use super::read::{Kept, KeptVersion};
use crate::format::history::Seen;
use crate::format::tree::{Flags, Node};

/// What the per-file rule goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How many versions of the path are newer.
    pub position: usize,
    /// Time of the newest snapshot that held the version.
    pub last_seen: crate::format::record::Time,
    /// The same of the newest version of the path.
    pub newest_seen: crate::format::record::Time,
    /// Whether the path is gone from the newest snapshot.
    pub is_deleted: bool,
}

/// What the states have at one path, other than folders, and what older histories tell of it.
#[derive(Default)]
pub(super) struct Known<'f> {
    /// Nodes, each with the states that have it, in ascending order.
    pub held: Vec<(&'f [usize], Node)>,
    /// From histories.
    pub kept: Vec<Kept>,
    /// States that could not read a folder on the way to the path. It is not gone there.
    pub hidden: &'f [usize],
}

/// What becomes of a path.
pub(super) struct Verdict {
    /// The highest number it ever had.
    pub highest: u32,
    /// Whether the newest state does not tell that number.
    pub needs_number: bool,
    /// The versions that a history keeps, with when they were seen; by number, then by age.
    pub kept: Vec<(Node, Seen)>,
    /// Those nothing holds any more.
    pub dropped: Vec<Node>,
}

/// One version.
struct Version {
    node: Node,
    /// By the states, where any of them has it.
    last_state: Option<usize>,
    is_held: bool,
    seen: Seen,
}

/// Judges the versions of one path.
pub(super) fn judge(request: &MergeRequest<'_>, known: Known<'_>) -> Verdict {
    let states = request.states;
    let newest = states.len().checked_sub(1);
    let mut is_present = vec![false; states.len()];
    let mut highest = known.kept.iter().map(|kept| kept.highest).max().unwrap_or(0);
    let mut newest_number = 0;
    let mut versions: Vec<Version> = Vec::new();
    for &state in known.hidden.iter().chain(known.held.iter().flat_map(|(holders, _)| *holders)) {
        is_present[state] = true;
    }
    for (holders, node) in known.held {
        highest = highest.max(node.version);
        if holders.last().copied() == newest {
            newest_number = node.version;
        }
        if !node.flags.contains(Flags::UNREAD) {
            note_state(&mut versions, states, holders, node);
        }
    }
    for version in &mut versions {
        let after = version.last_state.map(|last| last + 1);
        version.seen.is_deleted_after = after.and_then(|after| is_present.get(after)).is_some_and(|present| !present);
    }
    for kept in known.kept.into_iter().flat_map(|kept| kept.versions) {
        note_kept(&mut versions, kept);
    }
    versions.sort_by_key(|version| Reverse((version.node.version, version.seen.last)));
    let is_deleted = match is_present.last() {
        Some(present) => !present,
        // Without any state, the last that was known counts.
        None => versions.first().is_some_and(|version| version.seen.is_deleted_after),
    };
    let newest_seen = versions.first().map(|version| version.seen.last).unwrap_or_default();
    let mut verdict = Verdict { highest, needs_number: highest > newest_number, kept: Vec::new(), dropped: Vec::new() };
    for (position, version) in versions.into_iter().enumerate().filter(|(_, version)| !version.is_held) {
        let standing = Standing { position, last_seen: version.seen.last, newest_seen, is_deleted };
        if (request.is_protected)(&standing) {
            verdict.kept.push((version.node, version.seen));
        } else {
            verdict.dropped.push(version.node);
        }
    }
    verdict.kept.reverse();
    verdict
}

fn note_state(versions: &mut Vec<Version>, states: &[State<'_>], holders: &[usize], node: Node) {
    let mut is_held = false;
    let mut seen: Option<Seen> = None;
    for state in holders.iter().filter_map(|&holder| states.get(holder)) {
        is_held |= state.stays;
        let new =
            || Seen { first: state.time, last: state.time, machine: state.machine.to_owned(), is_deleted_after: false };
        match &mut seen {
            Some(seen) if seen.first <= state.time => seen.last = seen.last.max(state.time),
            Some(seen) => *seen = Seen { last: seen.last, ..new() },
            None => seen = Some(new()),
        }
    }
    let Some(seen) = seen else { return };
    let last_state = holders.last().copied();
    let Some(same) = versions.iter_mut().find(|version| is_same(&version.node, &node)) else {
        return versions.push(Version { node, last_state, is_held, seen });
    };
    same.is_held |= is_held;
    if last_state > same.last_state {
        same.last_state = last_state;
        same.node = node;
    }
    widen(&mut same.seen, seen);
}

fn note_kept(versions: &mut Vec<Version>, kept: KeptVersion) {
    let Some(same) = versions.iter_mut().find(|version| is_same(&version.node, &kept.node)) else {
        let KeptVersion { node, seen, .. } = kept;
        return versions.push(Version { node, last_state: None, is_held: false, seen });
    };
    // What is as recent in a state is better known from there: the state after may have come since.
    if kept.seen.last > same.seen.last {
        same.node = kept.node;
        same.seen.is_deleted_after = kept.seen.is_deleted_after;
    }
    widen(&mut same.seen, kept.seen);
}

fn is_same(left: &Node, right: &Node) -> bool {
    left.version == right.version && left.same_content(right)
}

fn widen(seen: &mut Seen, other: Seen) {
    if other.first < seen.first {
        seen.first = other.first;
        seen.machine = other.machine;
    }
    seen.last = seen.last.max(other.last);
}
