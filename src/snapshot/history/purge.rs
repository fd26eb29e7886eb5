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
    let folders: Vec<Bytes> = folders.iter().map(|name| Place::Folder(name).node_name()).collect();
    let gone = [Place::Folder(last).node_name(), Place::Versions(last).node_name()];
    let mut is_there = false;
    for name in &gone {
        let way: Vec<&[u8]> = folders.iter().chain([name]).map(Vec::as_slice).collect();
        is_there |= find_node(source, root, &way)?.is_some();
    }
    if !is_there {
        return Ok(None);
    }
    let gone: Vec<&[u8]> = gone.iter().map(Vec::as_slice).collect();
    Way { source, gone: &gone, keeps_empty: false, chunker, sink }.root(root, &folders).map(Some)
}
