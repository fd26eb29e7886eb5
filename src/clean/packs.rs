//! Which packs go, which are written anew, and how much space that gives. Pure thought.

use std::collections::HashSet;

use crate::format::id::ChunkKind;
use crate::format::pack::padded_len;
use crate::index::PackNumber;

use super::plan::SMALL_BYTES;

/// The share of dead bytes that may stay, in percent. A little below what is promised, since estimates err.
const DEAD_PERCENT: u64 = 8;
/// A pack with at least this share of dead bytes is written anew in any case, in percent.
const MOSTLY_DEAD_PERCENT: u64 = 50;
/// So many small packs of a kind are put together into one.
const SMALL_PACKS: usize = 4;
/// Stored bytes a chunk takes in the directories.
const CHUNK_ENTRY_BYTES: u64 = 40;

/// One pack of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackState {
    /// Which.
    pub number: PackNumber,
    /// What its chunks hold.
    pub kind: ChunkKind,
    /// Its stored length in bytes.
    pub len: u64,
    /// Stored bytes of its blocks.
    pub blocks_len: u64,
    /// Raw bytes that are needed, and of all its chunks.
    pub raw_live: u64,
    /// Raw bytes of all its chunks.
    pub raw_total: u64,
    /// Chunks that are needed.
    pub chunks_live: u64,
}

impl PackState {
    fn raw_dead(&self) -> u64 {
        self.raw_total - self.raw_live
    }

    fn is_small(&self) -> bool {
        self.len < SMALL_BYTES
    }

    /// About how many stored bytes what is needed of it takes.
    fn live_len(&self) -> u64 {
        self.blocks_len * self.raw_live / self.raw_total.max(1) + self.chunks_live * CHUNK_ENTRY_BYTES
    }
}

/// What becomes of the packs of a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PackPlan {
    /// Nothing in them is needed.
    pub dead: Vec<PackNumber>,
    /// What is needed of them is written anew.
    pub rewrite: Vec<PackNumber>,
    /// Stored bytes of the dead ones.
    pub bytes_dead: u64,
    /// Stored bytes of those that are written anew.
    pub bytes_rewritten: u64,
    /// About how many stored bytes the new ones take.
    pub bytes_new: u64,
    /// Whether packs stay in which something is dead.
    pub leaves_dead: bool,
}

impl PackPlan {
    /// Decides. No more than `budget` stored bytes of packs are written anew. Nothing dead may stay where it `is_purged`:
    /// who purged a path wants nobody to read it, whatever space that gives.
    pub(super) fn of(states: &[PackState], pack_bytes: u64, budget: u64, is_purged: bool) -> Self {
        let (dead, mut rest): (Vec<&PackState>, Vec<&PackState>) = states.iter().partition(|pack| pack.raw_live == 0);
        rest.sort_by_key(|pack| (std::cmp::Reverse(percent(pack.raw_dead(), pack.raw_total)), pack.number));
        let total: u64 = rest.iter().map(|pack| pack.raw_live).sum();
        let mut left: u64 = rest.iter().map(|pack| pack.raw_dead()).sum();
        let dead_percent = if is_purged { 0 } else { DEAD_PERCENT };
        let mut chosen: Vec<&PackState> = Vec::new();
        for pack in rest.iter().filter(|pack| pack.raw_dead() > 0) {
            let is_mostly_dead = percent(pack.raw_dead(), pack.raw_total) >= MOSTLY_DEAD_PERCENT;
            if is_mostly_dead || percent(left, total + left) >= dead_percent {
                left -= pack.raw_dead();
                chosen.push(pack);
            }
        }
        let known: HashSet<PackNumber> = chosen.iter().map(|pack| pack.number).collect();
        for kind in [ChunkKind::Data, ChunkKind::Tree] {
            let small = rest.iter().filter(|pack| pack.kind == kind && pack.is_small());
            if small.clone().count() >= SMALL_PACKS {
                chosen.extend(small.filter(|pack| !known.contains(&pack.number)));
            }
        }
        let mut spent = 0;
        chosen.retain(|pack| {
            spent += pack.len;
            spent <= budget
        });
        let mut plan = Self {
            bytes_dead: dead.iter().map(|pack| pack.len).sum(),
            bytes_rewritten: chosen.iter().map(|pack| pack.len).sum(),
            bytes_new: new_len(&chosen, pack_bytes),
            dead: dead.iter().map(|pack| pack.number).collect(),
            rewrite: chosen.iter().map(|pack| pack.number).collect(),
            leaves_dead: false,
        };
        // In the order they were written: what belongs together stays together.
        plan.rewrite.sort_unstable();
        if !is_purged && plan.bytes_new >= plan.bytes_rewritten && plan.rewrite.len() <= 1 {
            (plan.rewrite, plan.bytes_rewritten, plan.bytes_new) = (Vec::new(), 0, 0);
        }
        plan.leaves_dead =
            rest.iter().any(|pack| pack.raw_dead() > 0 && plan.rewrite.binary_search(&pack.number).is_err());
        plan
    }

    /// About how many bytes come back.
    pub(super) fn bytes_freed(&self) -> u64 {
        (self.bytes_dead + self.bytes_rewritten).saturating_sub(self.bytes_new)
    }
}

fn new_len(packs: &[&PackState], pack_bytes: u64) -> u64 {
    [ChunkKind::Data, ChunkKind::Tree]
        .into_iter()
        .map(|kind| {
            let content: u64 = packs.iter().filter(|pack| pack.kind == kind).map(|pack| pack.live_len()).sum();
            let full = content / pack_bytes * pack_bytes;
            if content > full { full + padded_len(content - full, pack_bytes, false) } else { full }
        })
        .sum()
}

fn percent(part: u64, whole: u64) -> u64 {
    (u128::from(part) * 100 / u128::from(whole.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACK: u64 = 16 << 20;

    fn pack(number: PackNumber, raw_live: u64, raw_total: u64) -> PackState {
        let len = PACK;
        let kind = ChunkKind::Data;
        PackState { number, kind, len, blocks_len: raw_total / 2, raw_live, raw_total, chunks_live: raw_live >> 16 }
    }

    #[test]
    fn dead_packs_go_and_full_ones_stay() {
        let plan = PackPlan::of(&[pack(1, 0, 30 << 20), pack(2, 30 << 20, 30 << 20)], PACK, u64::MAX, false);
        assert_eq!((plan.dead, plan.rewrite, plan.bytes_dead), (vec![1], vec![], PACK));
    }

    #[test]
    fn small_ones_are_put_together_by_kind() {
        let small = |number, kind| PackState { kind, len: 65_536, blocks_len: 2000, ..pack(number, 4000, 4000) };
        let mut packs: Vec<_> = (1..=4).map(|number| small(number, ChunkKind::Data)).collect();
        packs.extend((5..=7).map(|number| small(number, ChunkKind::Tree)));
        let plan = PackPlan::of(&packs, PACK, u64::MAX, false);
        assert_eq!(plan.rewrite, [1, 2, 3, 4], "three of the other kind are not worth it");
        assert_eq!((plan.bytes_rewritten, plan.bytes_new), (4 * 65_536, 65_536));
    }

    #[test]
    fn nothing_purged_stays() {
        let packs = [pack(1, 30 << 20, 30 << 20), pack(2, (30 << 20) - 1, 30 << 20)];
        assert!(PackPlan::of(&packs, PACK, u64::MAX, false).rewrite.is_empty());
        assert_eq!(PackPlan::of(&packs, PACK, u64::MAX, true).rewrite, [2]);
    }

    #[test]
    fn a_budget_is_kept() {
        let packs: Vec<_> = (1..=9).map(|number| pack(number, 1 << 20, 30 << 20)).collect();
        assert_eq!(PackPlan::of(&packs, PACK, 3 * PACK, false).rewrite.len(), 3);
    }

    proptest! {
        #[test]
        fn afterwards_little_is_dead(lives in prop::collection::vec(0u64..=100, 1..60)) {
            let packs: Vec<_> =
                (1..).zip(&lives).map(|(number, live)| pack(number, live << 16, 100 << 16)).collect();
            let plan = PackPlan::of(&packs, PACK, u64::MAX, false);
            let stays = |pack: &&PackState| !plan.dead.contains(&pack.number) && !plan.rewrite.contains(&pack.number);
            let dead: u64 = packs.iter().filter(stays).map(PackState::raw_dead).sum();
            let live: u64 = packs.iter().map(|pack| pack.raw_live).sum();
            prop_assert!(dead * 10 <= (dead + live), "{dead} dead of {}", dead + live);
            let gone: Vec<_> = packs.iter().filter(|pack| pack.raw_live == 0).map(|pack| pack.number).collect();
            prop_assert_eq!(gone, plan.dead);
        }
    }
}
