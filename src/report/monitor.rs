//! The one way the library speaks to whoever asked while it works.

use super::Problem;

/// What long work is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Listing destinations and bringing the index up to date.
    Opening,
    /// Reading sources.
    Reading,
    /// Bringing destinations up to date from others.
    CatchingUp,
    /// Writing files back.
    Restoring,
    /// Looking for damage.
    Checking,
    /// Rebuilding the index.
    Rebuilding,
    /// Removing what is not wanted any more.
    Cleaning,
}

/// Told about progress; asked whether to stop. Called from several threads.
pub trait Monitor: Sync {
    /// A stage begins; `total_bytes` and `total_items` where they are known.
    fn begin(&self, stage: Stage, total_items: Option<u64>, total_bytes: Option<u64>);
    /// Work was done in the current stage.
    fn advance(&self, items: u64, bytes: u64);
    /// What is being worked on now, for people.
    fn current(&self, what: &str);
    /// Something went wrong with one entry.
    fn problem(&self, problem: &Problem);
    /// A sentence a person should read: a destination was lost, the index is rebuilt.
    fn note(&self, sentence: &str);
    /// Whether to stop at the next safe point.
    fn should_stop(&self) -> bool;
}

/// Says nothing and never stops.
pub struct Silent;

impl Monitor for Silent {
    fn begin(&self, _: Stage, _: Option<u64>, _: Option<u64>) {}
    fn advance(&self, _: u64, _: u64) {}
    fn current(&self, _: &str) {}
    fn problem(&self, _: &Problem) {}
    fn note(&self, _: &str) {}
    fn should_stop(&self) -> bool {
        false
    }
}
