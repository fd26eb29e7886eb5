//! Metadata of entries, and whether they changed since the previous snapshot.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::{FileType, XattrFlags, lsetxattr};

use super::{entry, folder, plant, skipped, special, unprivileged};
use crate::format::recipe::Recipe;
use crate::format::record::{Extra, Time};
use crate::format::tree::{Attribute, Flags, Metadata, Node, NodeKind};
use crate::report::ProblemKind;
use crate::source::{
    ChangePolicy, DeviceOrdinals, Entry, EntryKind, Owners, Stat, has_same_metadata, is_unchanged, metadata,
};

fn metadata_of(path: &Path) -> Metadata {
    let (metadata, problem) = metadata(path, &entry(path), &mut DeviceOrdinals::default(), &Owners::default());
    assert_eq!(problem, None);
    metadata
}

fn set(path: &Path, name: &str, value: &[u8]) {
    lsetxattr(path, name, value, XattrFlags::empty()).expect("an attribute");
}

#[test]
fn the_metadata_are_those_of_the_entry() {
    let root = folder();
    plant(root.path(), &["f"]);
    let path = root.path().join("f");
    let (entry, metadata) = (entry(&path), metadata_of(&path));
    let stat = entry.stat;
    assert_eq!((metadata.mode, metadata.uid, metadata.gid), (stat.mode, stat.uid, stat.gid));
    assert_eq!((metadata.mtime, metadata.ctime), (stat.mtime, stat.ctime));
    assert_eq!((metadata.inode, metadata.links, metadata.device), (stat.inode, 1, 0));
    assert_eq!(metadata.attributes, []);
}

#[test]
fn owners_have_names_where_the_system_knows_them() {
    let owners = Owners::default();
    assert_eq!(owners.user(0).as_deref(), Some("root"));
    assert!(owners.group(0).is_some());
    for _ in 0..2 {
        assert_eq!((owners.user(4_123_456_789), owners.group(4_123_456_789)), (None, None));
    }
}

#[test]
fn attributes_come_sorted_with_empty_and_large_values() {
    let root = folder();
    plant(root.path(), &["f", "d/"]);
    for name in ["f", "d"] {
        let path = root.path().join(name);
        set(&path, "user.z", b"\0binary\xff");
        set(&path, "user.empty", b"");
        set(&path, "user.large", &[b'v'; 3000]);
        let found: Vec<_> = metadata_of(&path).attributes.into_iter().map(|a| (a.name, a.value)).collect();
        let expected = [
            (b"user.empty".to_vec(), Vec::new()),
            (b"user.large".to_vec(), vec![b'v'; 3000]),
            (b"user.z".to_vec(), b"\0binary\xff".to_vec()),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn a_long_list_of_attributes_is_read_whole() {
    let root = folder();
    plant(root.path(), &["f"]);
    let path = root.path().join("f");
    for n in 0..40 {
        set(&path, &format!("user.a-rather-long-name-{n:02}"), b"1");
    }
    assert_eq!(metadata_of(&path).attributes.len(), 40);
}

#[test]
fn acls_are_attributes() {
    let root = folder();
    plant(root.path(), &["f"]);
    let path = root.path().join("f");
    // Version 2, then for each entry: tag, permissions, id. Owner, user 1234, group, mask, others.
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in
        [(1_u16, 6_u16, u32::MAX), (2, 7, 1234), (4, 4, u32::MAX), (16, 7, u32::MAX), (32, 4, u32::MAX)]
    {
        acl.extend(tag.to_le_bytes());
        acl.extend(permissions.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    if let Err(error) = lsetxattr(&path, "system.posix_acl_access", &acl, XattrFlags::empty()) {
        skipped(&format!("this file system takes no ACL: {error}"));
        return;
    }
    let expected = Attribute { name: b"system.posix_acl_access".to_vec(), value: acl };
    assert_eq!(metadata_of(&path).attributes, [expected]);
}

#[test]
fn attributes_of_a_link_are_its_own() {
    let root = folder();
    plant(root.path(), &["f"]);
    let link = root.path().join("l");
    symlink("f", &link).expect("a link");
    set(&root.path().join("f"), "user.of-the-file", b"1");
    assert_eq!(metadata_of(&link).attributes, []);
    if let Err(error) = lsetxattr(&link, "trusted.of-the-link", b"2", XattrFlags::empty()) {
        skipped(&format!("this user may not give a link attributes: {error}"));
        return;
    }
    assert_eq!(metadata_of(&link).attributes[0].name, b"trusted.of-the-link");
    special(&root.path().join("pipe"), FileType::Fifo, 0).expect("a pipe");
    assert_eq!(metadata_of(&root.path().join("pipe")).attributes, []);
    assert_eq!(metadata_of(Path::new("/proc/self/status")).attributes, [], "a file system without attributes");
}

#[test]
fn metadata_are_given_even_when_attributes_cannot_be_read() {
    let root = folder();
    plant(root.path(), &["d/f"]);
    let path = root.path().join("d/f");
    let entry = entry(&path);
    let read = || {
        let (found, problem) = metadata(&path, &entry, &mut DeviceOrdinals::default(), &Owners::default());
        assert_eq!(found.inode, entry.stat.inode);
        problem.expect("no attributes without a problem").kind
    };
    let mode = |mode| fs::set_permissions(root.path().join("d"), fs::Permissions::from_mode(mode)).expect("a mode");
    mode(0o600);
    unprivileged(|| assert_eq!(read(), ProblemKind::Unreadable));
    mode(0o700);
    fs::remove_file(&path).expect("a file to remove");
    assert_eq!(read(), ProblemKind::Vanished);
}

#[test]
fn devices_are_numbered_in_the_order_met_and_only_for_hard_links() {
    let root = folder();
    plant(root.path(), &["one", "d/sub/"]);
    fs::hard_link(root.path().join("one"), root.path().join("two")).expect("another name");
    let (one, two) = (entry(&root.path().join("one")), entry(&root.path().join("two")));
    assert_eq!((one.stat.links, one.stat.inode), (2, two.stat.inode));
    let on = |dev: u64, entry: &Entry| Entry { stat: Stat { dev, ..entry.stat }, ..entry.clone() };
    let mut devices = DeviceOrdinals::default();
    let single = Entry { stat: Stat { links: 1, ..one.stat }, ..one.clone() };
    assert_eq!(devices.ordinal(&on(77, &single)), 0);
    assert_eq!(devices.ordinal(&on(99, &one)), 1);
    assert_eq!(devices.ordinal(&on(7, &two)), 2);
    assert_eq!(devices.ordinal(&on(99, &two)), 1);
    assert_eq!(devices.ordinal(&on(5, &entry(&root.path().join("d")))), 0, "a folder's links are not names");
    assert_eq!(devices.ordinal(&on(5, &one)), 3);
}

const SCAN: Time = Time { seconds: 1000, nanos: 500 };

fn at(seconds: i64, nanos: u32) -> Time {
    Time { seconds, nanos }
}

/// A node and the entry it was made of, last changed well before [`SCAN`].
fn pair(node: NodeKind, kind: EntryKind, size: u64) -> (Node, Entry) {
    let stat = Stat {
        dev: 5,
        inode: 42,
        mode: 0o644,
        uid: 1,
        gid: 2,
        links: 1,
        size,
        blocks_bytes: 4096,
        mtime: at(900, 7),
        ctime: at(950, 9),
    };
    let metadata = Metadata {
        mode: 0o644,
        uid: 1,
        gid: 2,
        mtime: stat.mtime,
        ctime: stat.ctime,
        inode: 42,
        links: 1,
        ..Metadata::default()
    };
    let node = Node { name: b"f".to_vec(), kind: node, metadata, version: 1, flags: Flags::NONE, extra: Extra::new() };
    (node, Entry { name: b"f".to_vec(), path: "/f".into(), kind, stat })
}

fn file_pair() -> (Node, Entry) {
    pair(NodeKind::File(Recipe { depth: 0, size: 10, parts: Vec::new() }), EntryKind::File, 10)
}

fn verdict(change: impl FnOnce(&mut Node, &mut Entry), policy: ChangePolicy) -> bool {
    let (mut node, mut entry) = file_pair();
    change(&mut node, &mut entry);
    is_unchanged(&node, &entry, SCAN, &policy)
}

#[test]
fn a_file_is_unchanged_only_if_nothing_that_counts_differs() {
    let by_default = ChangePolicy::default();
    assert!(verdict(|_, _| {}, by_default));
    assert!(verdict(|_, entry| entry.stat.dev = 6, by_default), "the device number does not count");
    assert!(!verdict(|_, entry| entry.stat.size = 11, by_default));
    assert!(!verdict(|_, entry| entry.stat.mtime.nanos += 1, by_default));
    assert!(!verdict(|_, entry| entry.stat.mtime.seconds -= 1, by_default), "also when it is older now");
    assert!(!verdict(|_, entry| entry.stat.ctime.nanos += 1, by_default));
    assert!(!verdict(|_, entry| entry.stat.inode = 43, by_default));
    assert!(!verdict(|_, entry| entry.kind = EntryKind::Fifo, by_default));
    assert!(!verdict(|node, _| node.kind = NodeKind::Fifo, by_default));
    assert!(!verdict(|_, _| {}, ChangePolicy { force: true, ..by_default }));
    for flag in [Flags::CARRIED, Flags::UNREAD, Flags::UNSETTLED] {
        assert!(!verdict(|node, _| node.flags = flag, by_default), "{flag:?}");
    }
}

#[test]
fn a_policy_ignores_what_it_says_and_nothing_else() {
    let no_inode = ChangePolicy { ignore_inode: true, ..ChangePolicy::default() };
    assert!(verdict(|_, entry| entry.stat.inode = 43, no_inode));
    assert!(!verdict(|_, entry| entry.stat.ctime.nanos += 1, no_inode));
    let no_ctime = ChangePolicy { ignore_ctime: true, ..ChangePolicy::default() };
    assert!(verdict(|_, entry| entry.stat.ctime = at(5000, 0), no_ctime));
    assert!(!verdict(|_, entry| entry.stat.inode = 43, no_ctime));
    assert!(!verdict(|_, entry| entry.stat.mtime.nanos += 1, no_ctime));
}

#[test]
fn what_changed_less_than_two_seconds_before_the_scan_is_read_again() {
    let both = |ctime, mtime| {
        move |node: &mut Node, entry: &mut Entry| {
            (node.metadata.ctime, node.metadata.mtime) = (ctime, mtime);
            (entry.stat.ctime, entry.stat.mtime) = (ctime, mtime);
        }
    };
    let by_ctime = ChangePolicy::default();
    let by_mtime = ChangePolicy { ignore_ctime: true, ..ChangePolicy::default() };
    let (settled, fresh) = (at(998, 500), at(998, 501));
    assert!(verdict(both(settled, fresh), by_ctime));
    assert!(!verdict(both(fresh, settled), by_ctime));
    assert!(verdict(both(fresh, settled), by_mtime));
    assert!(!verdict(both(settled, fresh), by_mtime));
    assert!(!verdict(both(at(2000, 0), settled), by_ctime), "a time after the scan tells nothing");
    assert!(!verdict(both(at(i64::MAX, 0), settled), by_ctime));
}

#[test]
fn links_devices_and_folders_are_compared_by_what_they_are() {
    let same = |(node, entry): (Node, Entry)| is_unchanged(&node, &entry, SCAN, &ChangePolicy::default());
    let link = |then: &[u8], now: &[u8]| pair(NodeKind::Symlink(then.to_vec()), EntryKind::Symlink(now.to_vec()), 3);
    assert!(same(link(b"abc", b"abc")));
    assert!(!same(link(b"abc", b"abd")));
    assert!(same(pair(NodeKind::CharDevice(1, 3), EntryKind::CharDevice(1, 3), 0)));
    assert!(!same(pair(NodeKind::CharDevice(1, 3), EntryKind::CharDevice(1, 5), 0)));
    assert!(!same(pair(NodeKind::CharDevice(1, 3), EntryKind::BlockDevice(1, 3), 0)));
    assert!(same(pair(NodeKind::BlockDevice(8, 0), EntryKind::BlockDevice(8, 0), 0)));
    assert!(!same(pair(NodeKind::BlockDevice(8, 0), EntryKind::BlockDevice(9, 0), 0)));
    assert!(same(pair(NodeKind::Fifo, EntryKind::Fifo, 0)));
    assert!(same(pair(NodeKind::Socket, EntryKind::Socket, 0)));
    assert!(!same(pair(NodeKind::Socket, EntryKind::Fifo, 0)));
    // A folder's size is the file system's own business.
    assert!(same(pair(NodeKind::Folder(Recipe::default()), EntryKind::Folder, 4096)));
    let (node, mut entry) = pair(NodeKind::Fifo, EntryKind::Fifo, 0);
    entry.stat.ctime.nanos += 1;
    assert!(!same((node, entry)));
}

#[test]
fn metadata_are_the_same_only_if_every_number_of_the_stat_is() {
    let (node, entry) = file_pair();
    assert!(has_same_metadata(&node, &entry));
    let changes: [fn(&mut Stat); 7] = [
        |stat| stat.mode = 0o600,
        |stat| stat.uid = 9,
        |stat| stat.gid = 9,
        |stat| stat.links = 2,
        |stat| stat.inode = 43,
        |stat| stat.mtime.nanos += 1,
        |stat| stat.ctime.nanos += 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut entry = entry.clone();
        change(&mut entry.stat);
        assert!(!has_same_metadata(&node, &entry), "{number}");
    }
    let moved = Entry { stat: Stat { dev: 6, blocks_bytes: 0, ..entry.stat }, ..entry.clone() };
    assert!(has_same_metadata(&node, &moved));
}
