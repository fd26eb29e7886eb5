//! A reader of destinations written from docs/format.md alone, without the library: what restores with this needs no
//! program of ours, only the document and a secret. It is simple, not fast: packs are read whole.

mod bytes;
mod history;
mod keys;
mod marks;
mod packs;
mod records;
mod snapshots;
mod trees;

use std::path::Path;

pub use history::Seen;
use history::Version;
use keys::Keys;
use packs::Chunks;
use records::Kind;
pub use records::Node;

/// What the reader's user holds.
#[derive(Debug, Clone)]
pub enum Secret {
    /// `encryption.key` of `config.yaml`.
    Inline(String),
    /// 24 recovery words.
    Words(String),
    /// A passphrase.
    Passphrase(String),
    /// All bytes of a key file.
    KeyFile(Vec<u8>),
}

/// One path of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source's path and the path below it.
    pub path: Vec<u8>,
    /// `file`, `folder`, `symlink`, …
    pub kind: &'static str,
    /// Bytes of a file's content, else 0.
    pub size: u64,
    /// Seconds and nanoseconds since 1970.
    pub mtime: (i64, u32),
    /// Target of a symbolic link, else nothing.
    pub target: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
    /// The number of the content among all that the path ever had.
    pub version: u32,
}

/// An opened destination, the roots of its newest snapshot, and those of its histories.
struct Reader {
    chunks: Chunks,
    roots: Vec<(Vec<u8>, Node)>,
    histories: Vec<(Vec<u8>, Node)>,
}

impl Reader {
    fn open(destination: &Path, secret: &Secret) -> Result<Self, String> {
        let keys = Keys::open(destination, secret)?;
        let forgotten = marks::forgotten(destination, &keys)?;
        let snapshots = snapshots::list(destination, &keys, &forgotten)?;
        let histories = snapshots.iter().filter(|snapshot| snapshot.is_history);
        let histories = histories.flat_map(|history| history.roots.clone()).collect();
        let roots = snapshots::newest(snapshots).ok_or("there is no snapshot")?.roots;
        Ok(Self { chunks: Chunks::list(destination, keys)?, roots, histories })
    }

    /// Gives every node with its path, folders before what is in them.
    fn walk(&self, each: &mut dyn FnMut(&[u8], &Node)) -> Result<(), String> {
        self.roots.iter().try_for_each(|(path, root)| self.walk_below(path, root, each))
    }

    fn walk_below(&self, path: &[u8], node: &Node, each: &mut dyn FnMut(&[u8], &Node)) -> Result<(), String> {
        each(path, node);
        let Kind::Folder(recipe) = &node.kind else { return Ok(()) };
        for child in trees::nodes(&self.chunks, recipe)? {
            let path = [path, b"/", &child.name].concat();
            self.walk_below(&path, &child, each)?;
        }
        Ok(())
    }
}

/// The content of a file in the newest snapshot of a destination.
///
/// # Errors
/// What could not be found or opened, in words.
pub fn restore_file(destination: &Path, secret: Secret, path_in_snapshot: &[u8]) -> Result<Vec<u8>, String> {
    let reader = Reader::open(destination, &secret)?;
    let mut recipe = None;
    reader.walk(&mut |path, node| {
        if let (true, Kind::File(found)) = (path == path_in_snapshot, &node.kind) {
            recipe = Some(found.clone());
        }
    })?;
    let recipe = recipe.ok_or_else(|| format!("no file {}", String::from_utf8_lossy(path_in_snapshot)))?;
    trees::content(&reader.chunks, &recipe, packs::DATA)
}

/// Every path in the newest snapshot of a destination, sources in their order, each folder before what is in it.
///
/// # Errors
/// What could not be found or opened, in words.
pub fn list_all(destination: &Path, secret: Secret) -> Result<Vec<Entry>, String> {
    let reader = Reader::open(destination, &secret)?;
    let mut entries = Vec::new();
    reader.walk(&mut |path, node| {
        entries.push(Entry {
            path: path.to_vec(),
            kind: node.kind.name(),
            size: if let Kind::File(recipe) = &node.kind { recipe.size } else { 0 },
            mtime: node.mtime,
            target: if let Kind::Symlink(target) = &node.kind { target.clone() } else { Vec::new() },
            mode: node.mode,
            version: node.version,
        });
    })?;
    Ok(entries)
}

/// A version of a file that only histories hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub number: u32,
    /// When it was seen.
    pub seen: Seen,
    /// The file's content.
    pub content: Vec<u8>,
}

/// What the histories of a destination have of a path below a source (or, without a path, of the source): the highest
/// number it ever had, and its versions.
///
/// # Errors
/// What could not be found or opened, in words.
pub fn kept_versions(
    destination: &Path,
    secret: Secret,
    source: &[u8],
    path: &[u8],
) -> Result<(u32, Vec<Kept>), String> {
    let reader = Reader::open(destination, &secret)?;
    let (mut highest, mut found) = (0, Vec::new());
    for (_, root) in reader.histories.iter().filter(|(path, _)| path == source) {
        let Some((number, versions)) = history::versions(&reader.chunks, root, path)? else { continue };
        highest = highest.max(number);
        for Version { node, seen } in versions {
            let Kind::File(recipe) = &node.kind else { return Err("no file".into()) };
            let content = trees::content(&reader.chunks, recipe, packs::DATA)?;
            let kept = Kept { number: node.version, seen, content };
            if !found.contains(&kept) {
                found.push(kept);
            }
        }
    }
    Ok((highest, found))
}
