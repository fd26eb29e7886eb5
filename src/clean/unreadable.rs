//! Snapshots that cannot be read whole: which, and how that is said. Nothing is deleted while there is one.

use crate::format::id::ChunkId;
use crate::format::tree::Node;
use crate::repo::KnownSnapshot;
use crate::snapshot::{ChunkSource, ReadError, each_need};

/// Whether every tree below a root can be read.
pub(super) fn is_readable(source: &dyn ChunkSource, root: &Node) -> bool {
    let mut each = |_, _: &ChunkId, _| Ok::<(), ReadError>(());
    each_need(source, None, root, &mut each).is_ok()
}

/// A sentence, without a full stop, on snapshots that cannot be read.
pub(super) fn sentence(snapshots: &[&KnownSnapshot], error: &ReadError) -> String {
    let ids: Vec<String> = snapshots.iter().map(|known| known.id.short().to_string()).collect();
    if ids.is_empty() {
        return format!("something could not be read ({error}), so it cannot be told what is still needed; try again");
    }
    format!(
        "snapshot {} cannot be read whole ({error}), so it cannot be told what is still needed; `cryptbackup forget {}` gives \
         it up",
        ids.join(", "),
        ids.join(" ")
    )
}
