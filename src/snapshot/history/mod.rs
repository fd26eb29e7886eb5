//! Histories: merged from the snapshots that go, read again, and rid of what is purged.
//!
//! [`merge`] takes what a rule protects out of snapshots before they go. [`versions`] and [`each_kept`] give it back.
//! The layout is that of [`format::history`](crate::format::history).

mod judge;
mod merge;
mod purge;
mod read;

pub use judge::Standing;
pub use merge::{MergeRequest, Merged, State, merge};
pub use purge::{tells_of, without};
pub use read::{Kept, KeptVersion, each_kept, each_number, versions};

#[cfg(test)]
mod tests;
