//! Which files a part of a smart backup reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use super::Scorer;
use crate::format::tree::Node;
use crate::source::Entry;

/// Files with a score from some step on, until the time is up.
#[derive(Debug)]
pub(in crate::backup) struct Ranking {
    scorer: Arc<Scorer>,
    step: u32,
    until: Instant,
    taken: AtomicU64,
    is_cut_short: AtomicBool,
}

impl Ranking {
    pub fn new(scorer: Arc<Scorer>, step: u32, until: Instant) -> Self {
        Self { scorer, step, until, taken: AtomicU64::new(0), is_cut_short: AtomicBool::new(false) }
    }

    /// Whether a file that is new or changed is read now. At least one is.
    pub fn takes(&self, entry: &Entry, previous: Option<&Node>) -> bool {
        if self.scorer.score(entry, previous).step() < self.step {
            return false;
        }
        if self.taken.load(Ordering::Relaxed) > 0 && Instant::now() >= self.until {
            self.is_cut_short.store(true, Ordering::Relaxed);
            return false;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Whether files were left for later because the time was up.
    pub fn is_cut_short(&self) -> bool {
        self.is_cut_short.load(Ordering::Relaxed)
    }
}
