//! Folders compared entry by entry: kind, bytes, mode, times, links, attributes, holes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Everything about one entry that a restore must bring back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub kind: &'static str,
    pub content: Vec<u8>,
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: (i64, i64),
    pub links: u64,
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A folder as a map from relative path to what is there. The folder itself is the empty path.
pub fn tree(root: &Path) -> BTreeMap<Vec<u8>, Seen> {
    walkdir::WalkDir::new(root)
        .follow_links(false)
        .into_iter()
        .map(|entry| {
            let entry = entry.expect("listed");
            let path = entry.path();
            let relative = path.strip_prefix(root).expect("below the root").as_os_str().as_bytes().to_vec();
            (relative, seen(path))
        })
        .collect()
}

fn seen(path: &Path) -> Seen {
    let metadata = fs::symlink_metadata(path).expect("a look");
    let file_type = metadata.file_type();
    let (kind, content) = if file_type.is_file() {
        ("file", fs::read(path).expect("readable"))
    } else if file_type.is_dir() {
        ("folder", Vec::new())
    } else if file_type.is_symlink() {
        ("link", fs::read_link(path).expect("a link").into_os_string().as_bytes().to_vec())
    } else {
        ("special", format!("{:o} {}", metadata.mode() & 0o170_000, metadata.rdev()).into_bytes())
    };
    Seen {
        kind,
        content,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        mtime: (metadata.mtime(), metadata.mtime_nsec()),
        links: if file_type.is_dir() { 0 } else { metadata.nlink() },
        attributes: attributes(path),
    }
}

fn attributes(path: &Path) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut names = vec![0; 1 << 16];
    let Ok(length) = rustix::fs::llistxattr(path, &mut names) else { return BTreeMap::new() };
    names[..length]
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut value = vec![0; 1 << 16];
            let length = rustix::fs::lgetxattr(path, name, &mut value).expect("readable");
            value.truncate(length);
            (name.to_vec(), value)
        })
        .collect()
}

/// Fails with the first few entries that differ.
pub fn assert_same(left: &BTreeMap<Vec<u8>, Seen>, right: &BTreeMap<Vec<u8>, Seen>) {
    let mut differences = Vec::new();
    for path in left.keys().chain(right.keys()) {
        let (a, b) = (left.get(path), right.get(path));
        if a != b {
            let shorten = |seen: Option<&Seen>| {
                seen.map(|seen| {
                    let mut seen = seen.clone();
                    seen.content.truncate(40);
                    seen
                })
            };
            differences.push(format!("{}: {:?} / {:?}", String::from_utf8_lossy(path), shorten(a), shorten(b)));
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences: {:#?}",
        differences.len(),
        &differences[..differences.len().min(5)]
    );
}
