//! What stands for the entry of a file that comes through a pipe and lies nowhere.

use std::path::Path;

use super::{Entry, EntryKind, Stat, system};
use crate::format::record::Time;

/// Only its owner may read what is restored of it.
const MODE: u32 = 0o600;

/// A file that is written now, by this process.
pub fn piped(path: &Path, now: Time) -> Entry {
    let (uid, gid) = system::owner_of_process();
    let stat =
        Stat { dev: 0, inode: 0, mode: MODE, uid, gid, links: 1, size: 0, blocks_bytes: 0, mtime: now, ctime: now };
    Entry { name: Vec::new(), path: path.to_owned(), kind: EntryKind::File, stat }
}
