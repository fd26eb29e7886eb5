//! What was chosen so far, and how much there is room for.

use std::collections::BinaryHeap;

use crate::format::recipe::{Part, Recipe};
use crate::format::record::Time;
use crate::format::tree::{Node, NodeKind};
use crate::index::PackNumber;

/// About the least that a piece takes in memory.
const MEMORY_MIN: usize = 1 << 10;

/// Something to be drilled.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The smaller, the sooner.
    pub key: f64,
    /// Absolute path: of the file, or of a folder that lies in the block.
    pub path: Vec<u8>,
    /// What it is.
    pub what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// A file, or a part of it.
    File {
        /// As it is stored.
        node: Box<Node>,
        /// Where the part begins, and its own recipe; none for a whole file.
        part: Option<(u64, Recipe)>,
        /// When the scan began that saw it last, where the newest snapshot of its source has it.
        scanned: Option<Time>,
    },
    /// A block of folders.
    Folders {
        /// Where it is.
        block: (PackNumber, u32),
    },
}

impl Piece {
    /// Bytes that it takes on the disk; holes take none.
    pub(super) fn bytes(&self) -> u64 {
        self.recipe().map_or(0, |recipe| recipe.size)
    }

    /// The recipe of what is restored.
    pub(super) fn recipe(&self) -> Option<&Recipe> {
        match &self.what {
            What::File { part: Some((_, recipe)), .. } => Some(recipe),
            What::File { node, .. } => match &node.kind {
                NodeKind::File(recipe) => Some(recipe),
                _ => None,
            },
            What::Folders { .. } => None,
        }
    }

    fn memory(&self) -> usize {
        let attributes = match &self.what {
            What::File { node, .. } => {
                node.metadata.attributes.iter().map(|one| one.name.len() + one.value.len()).sum()
            }
            What::Folders { .. } => 0usize,
        };
        let parts = self.recipe().map_or(0, |recipe| recipe.parts.len()) * size_of::<Part>();
        size_of::<Self>() + size_of::<Node>() + self.path.len() + attributes + parts
    }
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Piece {}

impl PartialOrd for Piece {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Piece {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.total_cmp(&other.key).then_with(|| self.path.cmp(&other.path))
    }
}

/// How much may be chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Restored bytes.
    pub bytes: u64,
    /// Restored bytes of one piece.
    pub piece_bytes: u64,
    /// Blocks of one piece: what changed often lies in many.
    pub piece_blocks: usize,
    /// Memory.
    pub memory: usize,
}

/// The pieces with the smallest keys that there is room for.
pub(super) struct Chosen {
    heap: BinaryHeap<Piece>,
    room: Room,
    bytes: u64,
    memory: usize,
    /// Whether memory, and nothing else, kept something out.
    is_cut: bool,
}

impl Chosen {
    /// None yet.
    pub(super) fn new(room: Room) -> Self {
        Self { heap: BinaryHeap::new(), room, bytes: 0, memory: 0, is_cut: false }
    }

    /// What there is room for.
    pub(super) fn room(&self) -> Room {
        self.room
    }

    /// All of them, what comes first first, and whether memory, and nothing else, kept something out.
    pub(super) fn finish(self) -> (Vec<Piece>, bool) {
        (self.heap.into_sorted_vec(), self.is_cut)
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.bytes = self.bytes.saturating_add(piece.bytes());
        self.memory += piece.memory();
        self.heap.push(piece);
        while self.bytes > self.room.bytes || self.memory > self.room.memory && self.heap.len() > 1 {
            self.is_cut |= self.bytes <= self.room.bytes;
            if let Some(last) = self.heap.pop() {
                self.bytes -= last.bytes();
                self.memory -= last.memory();
            }
        }
    }

    /// Whether something of this key and these bytes would be thrown out again at once.
    pub(super) fn is_vain(&mut self, key: f64, bytes: u64) -> bool {
        if bytes > self.room.bytes {
            return true;
        }
        if self.heap.peek().is_none_or(|last| key <= last.key) {
            return false;
        }
        let is_too_long = self.bytes.saturating_add(bytes) > self.room.bytes;
        let is_too_much = self.memory + MEMORY_MIN > self.room.memory;
        self.is_cut |= is_too_much && !is_too_long;
        is_too_long || is_too_much
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(key: f64, bytes: u64) -> Piece {
        let node = Box::new(crate::snapshot::tests::file(b"x", 1));
        let recipe = Recipe { depth: 0, size: bytes, parts: Vec::new() };
        Piece { key, path: b"/x".to_vec(), what: What::File { node, part: Some((0, recipe)), scanned: None } }
    }

    fn room(bytes: u64, memory: usize) -> Room {
        Room { bytes, piece_bytes: bytes, piece_blocks: 1, memory }
    }

    #[test]
    fn the_smallest_keys_win_as_far_as_there_is_room() {
        let mut chosen = Chosen::new(room(100, 1 << 20));
        for (key, bytes) in [(5.0, 50), (1.0, 40), (4.0, 30), (9.0, 1), (2.0, 20), (3.0, 200)] {
            if !chosen.is_vain(key, bytes) {
                chosen.push(piece(key, bytes));
            }
        }
        let (pieces, is_cut) = chosen.finish();
        let keys: Vec<f64> = pieces.iter().map(|piece| piece.key).collect();
        assert_eq!((keys, is_cut), (vec![1.0, 2.0, 4.0, 9.0], false), "what is small enough has room beside them");
    }

    #[test]
    fn where_memory_is_the_limit_another_round_is_needed() {
        let mut chosen = Chosen::new(room(1 << 40, 20 << 10));
        for number in 0..100 {
            if !chosen.is_vain(f64::from(number), 1) {
                chosen.push(piece(f64::from(number), 1));
            }
        }
        let (pieces, is_cut) = chosen.finish();
        assert!(is_cut && (5..100).contains(&pieces.len()) && pieces[0].key == 0.0, "{}", pieces.len());
    }
}
