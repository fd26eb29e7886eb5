//! What a history holds: the versions of one path, or of all.

use crate::format::FormatError;
use crate::format::history::{Place, SEEN_TAG, Seen, version_name};
use crate::format::tree::{Bytes, Node};
use crate::snapshot::versions::join;
use crate::snapshot::{ChunkSource, ReadError, TreeReader, find_node};

/// A version that a history holds.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptVersion {
    /// Its number.
    pub number: u32,
    /// The node as it was, under the name it had.
    pub node: Node,
    /// When it was seen.
    pub seen: Seen,
}

/// What a history holds of one path.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The highest number the path ever had.
    pub highest: u32,
    /// Its versions in ascending order of their numbers; none where only the number is kept.
    pub versions: Vec<KeptVersion>,
}

/// What the history below `root` holds of the entry at a path below the source, which was no folder. Without
/// components: of the source itself.
///
/// # Errors
/// [`ReadError`].
pub fn versions(source: &dyn ChunkSource, root: &Node, components: &[&[u8]]) -> Result<Option<Kept>, ReadError> {
    let (name, folders) = components.split_last().map_or((&b""[..], &[][..]), |(last, before)| (*last, before));
    let folders = folders.iter().map(|name| Place::Folder(name));
    let names: Vec<Bytes> = folders.chain([Place::Versions(name)]).map(Place::node_name).collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    find_node(source, root, &names)?.map(|node| kept(source, name, &node)).transpose()
}

/// Reads the versions of an entry called `name` from its node in a history's tree.
pub(super) fn kept(source: &dyn ChunkSource, name: &[u8], node: &Node) -> Result<Kept, ReadError> {
    let bad = |why| ReadError::Format(FormatError::Record("history", why));
    let recipe = node.folder().ok_or_else(|| bad("a list of versions is no folder"))?;
    let mut versions = Vec::new();
    for version in TreeReader::new(source, recipe) {
        let mut version = version?;
        if version.folder().is_some() || !version.name.starts_with(&version_name(version.version, 0)) {
            return Err(bad("a version is not under its number"));
        }
        let seen = Seen::find(&version.extra)?.ok_or_else(|| bad("a version does not tell when it was seen"))?;
        version.extra.retain(|(tag, _)| *tag != SEEN_TAG);
        version.name = name.to_vec();
        versions.push(KeptVersion { number: version.version, node: version, seen });
    }
    Ok(Kept { highest: node.version, versions })
}

/// Gives every path below the source of which the history below `root` holds anything, with what it holds.
///
/// # Errors
/// The first [`ReadError`] met; everything else was given by then.
pub fn each_kept(source: &dyn ChunkSource, root: &Node, each: &mut dyn FnMut(&[u8], Kept)) -> Result<(), ReadError> {
    each_place(source, root, &mut |path, name, node| {
        each(path, kept(source, name, node)?);
        Ok(())
    })
}

/// Gives every path of which the history below `root` holds anything, with the highest number it ever had. Lists of
/// versions are not read.
///
/// # Errors
/// The first [`ReadError`] met; everything else was given by then.
pub fn each_number(source: &dyn ChunkSource, root: &Node, each: &mut dyn FnMut(&[u8], u32)) -> Result<(), ReadError> {
    each_place(source, root, &mut |path, _, node| {
        each(path, node.version);
        Ok(())
    })
}

/// Takes a path, its last component, and the node with its versions.
type EachPlace<'e> = dyn FnMut(&[u8], &[u8], &Node) -> Result<(), ReadError> + 'e;

fn each_place(source: &dyn ChunkSource, root: &Node, each: &mut EachPlace<'_>) -> Result<(), ReadError> {
    let mut failed = None;
    let mut path = Vec::new();
    // No calls of calls: folders may lie in each other deeper than those can.
    let mut stack: Vec<(usize, TreeReader<'_>)> = Vec::new();
    stack.extend(root.folder().map(|recipe| (0, TreeReader::new(source, recipe))));
    while let Some((path_len, nodes)) = stack.last_mut() {
        path.truncate(*path_len);
        let Some(node) = nodes.next() else {
            stack.pop();
            continue;
        };
        let result = node.and_then(|node| {
            match Place::of(&node)? {
                Place::Folder(name) => {
                    path = join(&path, name);
                    stack.extend(node.folder().map(|recipe| (path.len(), TreeReader::new(source, recipe))));
                }
                Place::Versions(name) => each(&join(&path, name), name, &node)?,
            }
            Ok(())
        });
        if let Err(error) = result {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(()), Err)
}
