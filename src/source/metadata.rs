//! What is stored about an entry besides its content.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Entry, EntryKind, problem_of, system};
use crate::format::NODE_LEN_MAX;
use crate::format::tree::{Attribute, Metadata};
use crate::report::{Problem, ProblemKind};

/// Attributes of one entry beyond this are left out with a problem, so that a node can always be stored.
const ATTRIBUTES_LEN_MAX: usize = NODE_LEN_MAX / 2;

/// Everything a node stores about `entry` but its content; `path` is not followed. A problem when attributes are
/// missing from it.
pub fn metadata(
    path: &Path,
    entry: &Entry,
    devices: &mut DeviceOrdinals,
    owners: &Owners,
) -> (Metadata, Option<Problem>) {
    let (attributes, problem) = attributes(path);
    let stat = &entry.stat;
    let metadata = Metadata {
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        user: owners.user(stat.uid),
        group: owners.group(stat.gid),
        mtime: stat.mtime,
        ctime: stat.ctime,
        inode: stat.inode,
        links: stat.links,
        device: devices.ordinal(entry),
        attributes,
    };
    (metadata, problem)
}

/// The attributes of one entry, as far as they could be read.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    pub read: Vec<Attribute>,
    /// Names of the others, and why.
    pub failed: Vec<(Vec<u8>, io::Error)>,
}

fn attributes(path: &Path) -> (Vec<Attribute>, Option<Problem>) {
    match system::attributes(path, ATTRIBUTES_LEN_MAX) {
        Ok(Attributes { mut read, failed }) => {
            read.sort();
            (read, attributes_problem(path, &failed))
        }
        Err(error) => (Vec::new(), Some(problem_of(path, "its extended attributes cannot be read", &error))),
    }
}

fn attributes_problem(path: &Path, failed: &[(Vec<u8>, io::Error)]) -> Option<Problem> {
    let each: Vec<String> =
        failed.iter().map(|(name, error)| format!("{}: {error}", String::from_utf8_lossy(name))).collect();
    if each.is_empty() {
        return None;
    }
    let detail = format!("extended attributes cannot be read: {}", each.join("; "));
    Some(Problem { path: path.to_path_buf(), kind: ProblemKind::Unreadable, detail })
}

/// Numbers the devices of one source, so that names of one inode can be told from equal inode numbers elsewhere.
///
/// Every entry with several names has to be asked for in every run, also one whose node is taken over: else the same
/// number could stand for two devices in one tree.
#[derive(Debug, Default)]
pub struct DeviceOrdinals(HashMap<u64, u32>);

impl DeviceOrdinals {
    /// From 1 in the order in which devices are met. 0 for folders and for what has one name.
    pub fn ordinal(&mut self, entry: &Entry) -> u32 {
        if entry.stat.links <= 1 || entry.kind == EntryKind::Folder {
            return 0;
        }
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1);
        *self.0.entry(entry.stat.dev).or_insert(next)
    }
}

/// Names of owners, each asked for once. Can be shared by threads.
#[derive(Debug, Default)]
pub struct Owners {
    users: Mutex<HashMap<u32, Option<String>>>,
    groups: Mutex<HashMap<u32, Option<String>>>,
}

impl Owners {
    /// The name of the user `uid`, where there is one.
    pub fn user(&self, uid: u32) -> Option<String> {
        cached(&self.users, uid, system::user_name)
    }

    /// The name of the group `gid`, where there is one.
    pub fn group(&self, gid: u32) -> Option<String> {
        cached(&self.groups, gid, system::group_name)
    }
}

fn cached(names: &Mutex<HashMap<u32, Option<String>>>, id: u32, ask: fn(u32) -> Option<String>) -> Option<String> {
    // A thread that panicked while it held the lock left a map that is still right.
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(id).or_insert_with(|| ask(id)).clone()
}
