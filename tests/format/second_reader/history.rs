//! §12: versions that no snapshot holds any more.

use super::bytes::Bytes;
use super::packs::Chunks;
use super::records::{Kind, Node, Recipe};
use super::trees;

/// A version, and when it was seen.
#[derive(Debug)]
pub struct Version {
    pub node: Node,
    pub seen: Seen,
}

/// When a version was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub first: (i64, u32),
    pub last: (i64, u32),
    pub machine: String,
    pub is_deleted_after: bool,
}

/// The highest number a path ever had and its versions, from the root of its source in a history; `path` is below the
/// source, empty for the source itself. None where the history has nothing of the path.
pub fn versions(chunks: &Chunks, root: &Node, path: &[u8]) -> Result<Option<(u32, Vec<Version>)>, String> {
    let mut components: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let last = components.pop().unwrap_or_default();
    let names = components.iter().map(|name| [b"d", *name].concat()).chain([[b"f", last].concat()]);
    let mut node = root.clone();
    for name in names {
        let children = trees::nodes(chunks, folder(&node)?)?;
        match children.into_iter().find(|child| child.name == name) {
            Some(child) => node = child,
            None => return Ok(None),
        }
    }
    let versions = trees::nodes(chunks, folder(&node)?)?.into_iter().map(version).collect::<Result<_, _>>()?;
    Ok(Some((node.version, versions)))
}

fn folder(node: &Node) -> Result<&Recipe, String> {
    match &node.kind {
        Kind::Folder(recipe) => Ok(recipe),
        _ => Err("a node that has no place in a history".into()),
    }
}

fn version(node: Node) -> Result<Version, String> {
    let (_, seen) = node.additions.iter().find(|(tag, _)| *tag == 1).ok_or("a version that was never seen")?;
    let mut bytes = Bytes(seen);
    let seen =
        Seen { first: bytes.time()?, last: bytes.time()?, machine: bytes.text()?, is_deleted_after: bytes.truth()? };
    bytes.end()?;
    if !node.name.starts_with(format!("{:010}", node.version).as_bytes()) {
        return Err("a version under another number".into());
    }
    Ok(Version { node, seen })
}
