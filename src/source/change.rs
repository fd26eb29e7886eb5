//! Whether an entry is still what a previous snapshot says, so that its content need not be read again.
//!
//! The device number is not compared: it changes with every mount. A file last changed less than two seconds before
//! the previous scan began could have changed once more within the same tick of a coarse clock, after it was read, so
//! it is read again.

use super::{Entry, EntryKind};
use crate::format::record::Time;
use crate::format::tree::{Flags, Node, NodeKind};

/// FAT keeps times to two seconds; nothing in use is coarser.
const SETTLED_SECONDS: i64 = 2;

/// What to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangePolicy {
    /// For file systems that make inode numbers up.
    pub ignore_inode: bool,
    /// For trees whose metadata something keeps touching.
    pub ignore_ctime: bool,
    /// Takes everything for changed.
    pub force: bool,
}

/// Whether `entry` still has the content of `previous`, a node of the snapshot whose scan began at
/// `previous_scan_began`. Of a folder it says that no name came or went, and nothing about what is in it.
///
/// Where the policy ignores something, metadata can differ all the same: ask [`has_same_metadata`].
pub fn is_unchanged(previous: &Node, entry: &Entry, previous_scan_began: Time, policy: &ChangePolicy) -> bool {
    let was_read = [Flags::CARRIED, Flags::UNREAD, Flags::UNSETTLED].iter().all(|&flag| !previous.flags.contains(flag));
    if policy.force || !was_read || !has_same_kind(previous, entry) {
        return false;
    }
    let (then, now) = (&previous.metadata, &entry.stat);
    let changed = if policy.ignore_ctime { now.mtime } else { now.ctime };
    let settled = Time { seconds: changed.seconds.saturating_add(SETTLED_SECONDS), ..changed };
    then.mtime == now.mtime
        && (policy.ignore_ctime || then.ctime == now.ctime)
        && (policy.ignore_inode || then.inode == now.inode)
        && settled <= previous_scan_began
}

/// Whether everything [`metadata`](super::metadata()) would give is as in `previous`, as far as can be told without
/// asking for attributes: they cannot change without the ctime. The number of the device is not compared.
pub fn has_same_metadata(previous: &Node, entry: &Entry) -> bool {
    let (then, now) = (&previous.metadata, &entry.stat);
    (then.mode, then.uid, then.gid, then.links, then.inode) == (now.mode, now.uid, now.gid, now.links, now.inode)
        && (then.mtime, then.ctime) == (now.mtime, now.ctime)
}

/// The same kind, with what else a look at the entry tells: a file's size, a link's target, a device's numbers.
fn has_same_kind(previous: &Node, entry: &Entry) -> bool {
    match (&previous.kind, &entry.kind) {
        (NodeKind::File(recipe), EntryKind::File) => recipe.size == entry.stat.size,
        (NodeKind::Folder(_), EntryKind::Folder)
        | (NodeKind::Fifo, EntryKind::Fifo)
        | (NodeKind::Socket, EntryKind::Socket) => true,
        (NodeKind::Symlink(then), EntryKind::Symlink(now)) => then == now,
        (&NodeKind::CharDevice(major, minor), &EntryKind::CharDevice(now_major, now_minor))
        | (&NodeKind::BlockDevice(major, minor), &EntryKind::BlockDevice(now_major, now_minor)) => {
            (major, minor) == (now_major, now_minor)
        }
        _ => false,
    }
}
