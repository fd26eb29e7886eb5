//! What a power cut leaves of a disk: everything that was synced, and of the rest what the policy and a seed say.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chance::Chance;
use super::content::Content;
use super::volume::{Change, File, Folder, Node, Volume};

/// What a medium can tear apart.
const SECTOR: usize = 512;

/// Which of the steps that were not synced survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// The process died and the machine runs on: nothing is lost, and nothing became durable.
    Kill,
    /// All of them, as if everything had been synced at the last moment.
    All,
    /// None of them.
    Nothing,
    /// The oldest ones, in the order in which they were made.
    Ordered,
    /// Names without the bytes behind them: files that are empty, or full of zeros or of stale bytes.
    Names,
    /// Any of them, sector by sector and name by name.
    Hostile,
}

impl Volume {
    /// What is left after a crash. The same policy and seed leave the same.
    #[must_use]
    pub fn crash(&self, policy: Policy, seed: u64) -> Volume {
        let mut left = self.clone();
        left.is_lying = false;
        left.is_there = true;
        if policy == Policy::Kill {
            return left;
        }
        let last = self.last_surviving(policy, seed);
        for (inode, node) in left.nodes.iter_mut().enumerate() {
            let chance = Chance::of(seed, inode as u64);
            match node {
                Node::File(file) if file.pending.is_empty() && !file.is_lost => {}
                Node::Folder(folder) if folder.pending.is_empty() && folder.durable == folder.current => {}
                Node::File(file) => *file = Arc::new(surviving_file(file, policy, last, chance)),
                Node::Folder(folder) => *folder = Arc::new(surviving_folder(folder, policy, last, chance)),
            }
        }
        left
    }

    /// Up to which step an ordered disk came.
    fn last_surviving(&self, policy: Policy, seed: u64) -> u64 {
        if policy != Policy::Ordered {
            return u64::MAX;
        }
        let mut steps: Vec<u64> = Vec::new();
        for node in &self.nodes {
            match node {
                Node::File(file) => steps.extend(file.pending.iter().map(|step| step.0)),
                Node::Folder(folder) => steps.extend(folder.pending.iter().map(|step| step.0)),
            }
        }
        steps.sort_unstable();
        steps.dedup();
        match Chance::new(seed).below(steps.len() as u64 + 1) as usize {
            0 => 0,
            count => steps[count - 1],
        }
    }
}

fn surviving_file(file: &File, policy: Policy, last: u64, mut chance: Chance) -> File {
    let mut content = file.durable.clone();
    match policy {
        Policy::Nothing => {}
        Policy::Kill | Policy::All => content = if file.is_lost { content } else { file.current.clone() },
        Policy::Ordered => {
            for (_, change) in file.pending.iter().filter(|(number, _)| *number <= last) {
                apply(&mut content, change, &mut |_| true);
            }
        }
        Policy::Names => stretch(&mut content, file.current.len(), chance.below(4), &mut chance),
        Policy::Hostile => {
            let percent = [0, 50, 90, 100][chance.below(4) as usize];
            for (_, change) in &file.pending {
                apply(&mut content, change, &mut |_| chance.percent(percent));
            }
            if content.len() < file.current.len() {
                stretch(&mut content, file.current.len(), chance.below(4), &mut chance);
            }
        }
    }
    File { durable: content.clone(), current: content, pending: Vec::new(), is_lost: false }
}

/// Applies the sectors of a change that survive.
fn apply(content: &mut Content, change: &Change, survives: &mut dyn FnMut(u64) -> bool) {
    match change {
        Change::Length(len) => {
            if survives(0) {
                content.set_len(*len);
            }
        }
        Change::Write { offset, bytes } => {
            let mut at = 0;
            while at < bytes.len() {
                let place = *offset + at as u64;
                let count = (SECTOR - place as usize % SECTOR).min(bytes.len() - at);
                if survives(place) {
                    content.write(place, &bytes[at..at + count]);
                }
                at += count;
            }
        }
    }
}

/// The length of a file survived, its bytes did not.
fn stretch(content: &mut Content, len: u64, how: u64, chance: &mut Chance) {
    let (from, len) = (content.len(), if how == 3 { len / 2 } else { len });
    match how {
        // Nothing of the length either.
        0 => {}
        1 => content.set_len(from.max(len)),
        _ if len > from => {
            let stale: Vec<u8> = (from..len).map(|_| chance.next() as u8).collect();
            content.write(from, &stale);
        }
        _ => {}
    }
}

fn surviving_folder(folder: &Folder, policy: Policy, last: u64, mut chance: Chance) -> Folder {
    let percent = [0, 50, 90, 100][chance.below(4) as usize];
    let mut names: BTreeMap<String, usize> = folder.durable.clone();
    for (number, name, inode) in &folder.pending {
        let survives = match policy {
            Policy::Kill | Policy::All | Policy::Names => true,
            Policy::Nothing => false,
            Policy::Ordered => *number <= last,
            Policy::Hostile => chance.percent(percent),
        };
        match inode {
            _ if !survives => {}
            Some(inode) => drop(names.insert(name.clone(), *inode)),
            None => drop(names.remove(name)),
        }
    }
    Folder { durable: names.clone(), current: names, pending: Vec::new() }
}
