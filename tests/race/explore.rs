//! Visits every world that can be reached, the nearest first, so that the first bad one has the shortest trace.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};

use crate::rules::Setup;
use crate::world::{Label, World, Wrong};

/// The worlds that can be reached from a setup.
pub struct Explored {
    worlds: Vec<World>,
    /// From which world each was reached first.
    parents: Vec<u32>,
    /// What is wrong with the last of them.
    pub wrong: Option<Wrong>,
}

/// Quick, and good enough for worlds: their fields are small numbers.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let number = part.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
            self.write_u64(number);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// Visits every world, up to the first that is wrong.
pub fn explore(setup: &Setup) -> Explored {
    let first = setup.world.tidied();
    let mut known: HashMap<World, (), BuildHasherDefault<Mixer>> = HashMap::default();
    known.insert(first, ());
    let mut explored = Explored { worlds: vec![first], parents: vec![0], wrong: first.judge(setup) };
    let mut next = 0;
    while let (None, Some(&world)) = (explored.wrong, explored.worlds.get(next)) {
        for (_, after) in world.steps(setup) {
            if let Entry::Vacant(place) = known.entry(after) {
                place.insert(());
                explored.worlds.push(after);
                explored.parents.push(next as u32);
                explored.wrong = after.judge(setup);
                if explored.wrong.is_some() {
                    break;
                }
            }
        }
        next += 1;
    }
    explored
}

impl Explored {
    /// The worlds.
    pub fn worlds(&self) -> &[World] {
        &self.worlds
    }

    /// How a world was reached.
    pub fn trace(&self, setup: &Setup, last: usize) -> String {
        let mut path = vec![last];
        while path[path.len() - 1] != 0 {
            path.push(self.parents[path[path.len() - 1]] as usize);
        }
        path.reverse();
        let mut text = String::new();
        for pair in path.windows(2) {
            let after = self.worlds[pair[1]];
            let steps = self.worlds[pair[0]].steps(setup);
            let label = steps.into_iter().find(|(_, world)| *world == after).map(|(label, _)| label);
            let _ = writeln!(text, "{}", label.map(|label| line(label, &after)).unwrap_or_default());
        }
        text
    }
}

fn line(label: Label, after: &World) -> String {
    let actor = label.actor.map_or("-".to_owned(), |actor| actor.to_string());
    let stale = if label.stale { " (stale)" } else { "" };
    let disk = &after.now;
    let packs: Vec<String> = (0..8)
        .filter(|pack| disk.packs >> pack & 1 == 1)
        .map(|pack| format!("{pack}:{:b}", after.chunks[pack]))
        .collect();
    let lists: Vec<String> = disk
        .gc
        .lists
        .iter()
        .enumerate()
        .flat_map(|(owner, lists)| lists.iter().map(move |list| (owner, list)))
        .filter(|(_, list)| list.packs != 0)
        .map(|(owner, list)| format!("of {owner}: {:b}{}", list.packs, if list.is_ripe { " (ripe)" } else { "" }))
        .collect();
    format!(
        "{actor} {:44} packs {} | snapshots {:b} forgotten {:b} acknowledged {:b} | lists {} | sessions {:b}",
        format!("{}{stale}", label.what),
        packs.join(" "),
        disk.snapshots,
        disk.forgotten,
        after.acknowledged,
        lists.join(", "),
        disk.gc.sessions
    )
}
