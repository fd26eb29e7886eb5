//! Questions that look into trees: where is something, what changed, what is in it, what does it cost.
//!
//! | file | what |
//! |---|---|
//! | `diff` | what differs between two states |
//! | `du` | what takes the space |
//! | `dump` | a file as bytes, a folder as an archive |
//! | `files` | every file that can be restored |
//! | `find` | paths in all snapshots and histories, with their versions |
//! | `what_if` | what patterns would leave out |
//!
//! Nothing here writes to the repository, and no file is read unless its content is asked for.

mod diff;
mod du;
mod dump;
mod files;
mod find;
mod pattern;
mod what_if;

pub use diff::{Change, DiffReport, DiffRequest, Difference, Operand, Shown, diff};
pub use du::{DuBy, DuRequest, Owner, Usage, du};
pub use dump::{DumpFormat, DumpReport, DumpRequest, DumpWhat, dump, is_archive};
pub use files::{FileInfo, files};
pub use find::{EntryKind, FindRequest, Found, FoundVersion, find};
pub use what_if::{Sum, WhatIf, WhatIfRequest, what_if};

use crate::repo::KnownSnapshot;

/// The paths of the sources that snapshots or histories have, each once, in order.
fn source_paths<'k>(known: impl IntoIterator<Item = &'k KnownSnapshot>) -> Vec<&'k [u8]> {
    let roots = known.into_iter().flat_map(|known| &known.snapshot.roots);
    let mut paths: Vec<&[u8]> = roots.map(|root| root.path.as_slice()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}
