//! Blocks into packs, packs into blocks (docs/format.md §8).
//!
//! A [`PackDraft`] collects compressed blocks in memory until the next one does not fit; finishing it seals every
//! block under the pack's own key and opens the result again, so that what a bad memory chip or a compressor's bug did
//! is found before anything is written. A [`PackReader`] opens what is stored, from either end. [`merge`](merge::merge)
//! makes one whole pack of several that are damaged.

mod buffer;
pub mod merge;
pub mod reader;
pub mod writer;

pub use merge::{Copies, Merged, SavedBlock};
pub use reader::{BlockPlace, OpenedPack, PackReader};
pub use writer::{Closing, PackDraft, SealedPack, entry_len};
