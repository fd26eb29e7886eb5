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

/// Told about progress; asked whether to stop. Called from several threads. What somebody does not ask for is not told, and
/// who says nothing never stops.
pub trait Monitor: Sync {
    /// A stage begins; how many bytes and items, where that is known.
    fn begin(&self, _stage: Stage, _total_items: Option<u64>, _total_bytes: Option<u64>) {}
    /// Work was done in the current stage.
    fn advance(&self, _items: u64, _bytes: u64) {}
    /// What is being worked on now, for people.
    fn current(&self, _what: &str) {}
    /// Something went wrong with one entry.
    fn problem(&self, _problem: &Problem) {}
    /// A sentence a person should read: a destination was lost, the index is rebuilt.
    fn note(&self, _sentence: &str) {}
    /// Whether to stop at the next safe point.
    fn should_stop(&self) -> bool {
        false
    }
}

/// Says nothing and never stops.
pub struct Silent;

impl Monitor for Silent {}
