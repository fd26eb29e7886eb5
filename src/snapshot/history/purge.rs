//! A path taken out of a history: its versions, its number, and everything below it.

use crate::chunk::Chunker;
use crate::format::history::Place;
use crate::format::tree::{Bytes, Node};
use crate::snapshot::purge::{Way, emptied};
use crate::snapshot::{ChunkSink, ChunkSource, ReadError, find_node};

/// The history below `root` without anything at or below a path in the source, numbers included; none where it has
/// nothing of it. Without components, everything goes.
///
/// # Errors
/// [`ReadError`] for a tree that cannot be read; what the sink returns.
pub fn without<S: ChunkSink>(
    source: &dyn ChunkSource,
    root: &Node,
    components: &[&[u8]],
    chunker: &Chunker,
    sink: &mut S,
) -> Result<Option<Node>, S::Error>
where
    S::Error: From<ReadError>,
{
    let Some((last, folders)) = components.split_last() else { return emptied(root, chunker, sink) };
    if !tells_of(source, root, components)? {
        return Ok(None);
    }
    let folders: Vec<Bytes> = folders.iter().map(|name| Place::Folder(name).node_name()).collect();
    let gone = [Place::Folder(last).node_name(), Place::Versions(last).node_name()];
    let gone: Vec<&[u8]> = gone.iter().map(Vec::as_slice).collect();
    Way { source, gone: &gone, keeps_empty: false, chunker, sink }.root(root, &folders).map(Some)
}

/// Whether the history below `root` tells of a path in the source, be it a file or a folder.
///
/// # Errors
/// [`ReadError`].
pub fn tells_of(source: &dyn ChunkSource, root: &Node, components: &[&[u8]]) -> Result<bool, ReadError> {
    let Some((last, folders)) = components.split_last() else { return Ok(true) };
    for last in [Place::Folder(last), Place::Versions(last)] {
        let names = folders.iter().map(|name| Place::Folder(name)).chain([last]).map(Place::node_name);
        let names: Vec<Bytes> = names.collect();
        let way: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        if find_node(source, root, &way)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
