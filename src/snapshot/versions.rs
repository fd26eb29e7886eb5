//! Version numbers: what a path is called where only its hash is kept, and what goes when something is deleted.

use std::iter::Peekable;

use crate::format::tree::{Node, NodeKind};

use super::{ChunkSource, ReadError, TreeReader, TreeWalk};

/// Hash of a path of a source. Kept instead of the path where only equality matters.
pub fn path_hash(root: &[u8], relative: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(root).update(&[0]).update(relative);
    *hasher.finalize().as_bytes()
}

/// Gives the number of every version at and below `node` (at `path` below its source), because all of that is gone.
///
/// # Errors
/// [`ReadError`].
pub fn each_version_below(
    source: &dyn ChunkSource,
    path: &[u8],
    node: &Node,
    each: &mut dyn FnMut(&[u8], u32),
) -> Result<(), ReadError> {
    each_entry_below(source, path, node, &mut |path, node| each(path, node.version))
}

/// Gives everything but folders at and below `node`, which is at `path` below its source.
///
/// # Errors
/// [`ReadError`].
pub fn each_entry_below(
    source: &dyn ChunkSource,
    path: &[u8],
    node: &Node,
    each: &mut dyn FnMut(&[u8], &Node),
) -> Result<(), ReadError> {
    let NodeKind::Folder(recipe) = &node.kind else {
        each(path, node);
        return Ok(());
    };
    for (below, node) in TreeWalk::new(source, recipe) {
        let node = node?;
        if !matches!(node.kind, NodeKind::Folder(_)) {
            each(&join(path, &below), &node);
        }
    }
    Ok(())
}

/// Gives every path that is in `before` and not, or as something else than a version of the same path, in `after`:
/// what the step from one snapshot to the next deleted. Folders with the same stream are not entered.
///
/// # Errors
/// [`ReadError`].
pub fn each_version_gone(
    source: &dyn ChunkSource,
    path: &[u8],
    before: &Node,
    after: &Node,
    each: &mut dyn FnMut(&[u8], u32),
) -> Result<(), ReadError> {
    let mut path = path.to_vec();
    let mut stack = Vec::new();
    step_gone(source, &path, before, after, each, &mut stack)?;
    while let Some(folder) = stack.last_mut() {
        path.truncate(folder.path_len);
        let Some(node) = folder.before.next().transpose()? else {
            stack.pop();
            continue;
        };
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(&node.name);
        let after = &mut folder.after;
        while after.next_if(|next| next.as_ref().is_ok_and(|next| next.name < node.name)).is_some() {}
        match after.next_if(|next| next.as_ref().map_or(true, |next| next.name == node.name)).transpose()? {
            Some(next) => step_gone(source, &path, &node, &next, each, &mut stack)?,
            None => each_version_below(source, &path, &node, each)?,
        }
    }
    Ok(())
}

/// A folder before and after the step.
struct Step<'a> {
    path_len: usize,
    before: TreeReader<'a>,
    after: Peekable<TreeReader<'a>>,
}

/// Looks at one path. A folder that is still one is left on the stack: folders may lie in each other deeper than calls
/// can.
fn step_gone<'a>(
    source: &'a dyn ChunkSource,
    path: &[u8],
    before: &Node,
    after: &Node,
    each: &mut dyn FnMut(&[u8], u32),
    stack: &mut Vec<Step<'a>>,
) -> Result<(), ReadError> {
    let (NodeKind::Folder(old), NodeKind::Folder(new)) = (&before.kind, &after.kind) else {
        let is_replaced = matches!(before.kind, NodeKind::Folder(_)) || matches!(after.kind, NodeKind::Folder(_));
        return if is_replaced { each_version_below(source, path, before, each) } else { Ok(()) };
    };
    if old != new {
        let (before, after) = (TreeReader::new(source, old), TreeReader::new(source, new).peekable());
        stack.push(Step { path_len: path.len(), before, after });
    }
    Ok(())
}

/// Joins two relative paths by `/`; either may be empty.
pub fn join(left: &[u8], right: &[u8]) -> Vec<u8> {
    match (left, right) {
        ([], right) => right.to_vec(),
        (left, []) => left.to_vec(),
        (left, right) => [left, b"/", right].concat(),
    }
}
