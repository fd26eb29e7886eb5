//! A path taken out of a tree: the folders on the way are written again, everything else stays as it is.

use super::{ChunkSink, ChunkSource, ReadError, TreeBuilder, TreeReader, find_node};
use crate::chunk::Chunker;
use crate::format::recipe::Recipe;
use crate::format::tree::{Node, NodeKind};

/// The source `root` without what is at and below a path in it; none where nothing is there. Without components, all
/// that is in the source goes: what is left is an empty folder.
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
    if find_node(source, root, components)?.is_none() {
        return Ok(None);
    }
    let mut way = Way { source, gone: &[last], keeps_empty: true, chunker, sink };
    way.root(root, folders).map(Some)
}

/// The root as an empty folder; none where it is one.
pub(super) fn emptied<S: ChunkSink>(root: &Node, chunker: &Chunker, sink: &mut S) -> Result<Option<Node>, S::Error> {
    let kind = NodeKind::Folder(TreeBuilder::default().finish(chunker, sink)?);
    Ok((root.kind != kind).then(|| Node { kind, version: 0, ..root.clone() }))
}

/// The way to what is taken out.
pub(super) struct Way<'a, S> {
    /// Where trees are read.
    pub source: &'a dyn ChunkSource,
    /// The names that are taken out of the last folder.
    pub gone: &'a [&'a [u8]],
    /// Whether folders stay that nothing is left in.
    pub keeps_empty: bool,
    /// Cuts the new trees.
    pub chunker: &'a Chunker,
    /// Takes them.
    pub sink: &'a mut S,
}

impl<S: ChunkSink> Way<'_, S>
where
    S::Error: From<ReadError>,
{
    /// The root without the names in the last of `folders`, which lie in each other.
    pub fn root<N: AsRef<[u8]>>(&mut self, root: &Node, folders: &[N]) -> Result<Node, S::Error> {
        let recipe = match root.folder() {
            Some(recipe) => self.folder(recipe, folders)?,
            None => None,
        };
        let recipe = match recipe {
            Some(recipe) => recipe,
            None => TreeBuilder::default().finish(self.chunker, self.sink)?,
        };
        Ok(Node { kind: NodeKind::Folder(recipe), ..root.clone() })
    }

    /// The new tree of a folder; none where nothing is left in it.
    fn folder<N: AsRef<[u8]>>(&mut self, recipe: &Recipe, folders: &[N]) -> Result<Option<Recipe>, S::Error> {
        let mut tree = TreeBuilder::default();
        let mut is_empty = true;
        for node in TreeReader::new(self.source, recipe) {
            let node = self.step(node?, folders)?;
            if let Some(node) = node {
                is_empty = false;
                tree.push(&node, self.chunker, self.sink)?;
            }
        }
        if is_empty && !self.keeps_empty { Ok(None) } else { tree.finish(self.chunker, self.sink).map(Some) }
    }
    /// What becomes of a node in a folder of which `folders` are still to come.
    fn step<N: AsRef<[u8]>>(&mut self, mut node: Node, folders: &[N]) -> Result<Option<Node>, S::Error> {
        match (folders.split_first(), &mut node.kind) {
            (None, _) if self.gone.contains(&node.name.as_slice()) => Ok(None),
            (Some((next, rest)), NodeKind::Folder(recipe)) if node.name == next.as_ref() => {
                let Some(changed) = self.folder(recipe, rest)? else { return Ok(None) };
                *recipe = changed;
                Ok(Some(node))
            }
            _ => Ok(Some(node)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::{Map, chunker, file, folder};

    /// A root, and the nodes that should be in it when they are taken out of it.
    fn root(map: &mut Map, has: impl Fn(&str) -> bool) -> Node {
        let mut nodes = Vec::new();
        if has("a") {
            nodes.push(file(b"a", 1));
        }
        if has("b") {
            let deep = match has("b/c/d") {
                true => vec![file(b"d", 2), file(b"e", 3)],
                false => vec![file(b"e", 3)],
            };
            let deep = folder(map, b"c", &deep);
            nodes.push(folder(map, b"b", &[deep, file(b"x", 4)]));
        }
        let only = if has("only/f") { vec![file(b"f", 5)] } else { Vec::new() };
        nodes.push(folder(map, b"only", &only));
        folder(map, b"", &nodes)
    }

    #[test]
    fn a_path_is_gone_and_all_else_is_as_it_was() {
        let mut map = Map::default();
        let whole = root(&mut map, |_| true);
        for path in ["a", "b", "b/c/d", "only/f"] {
            let components: Vec<&[u8]> = path.split('/').map(str::as_bytes).collect();
            let found = without(&map_of(&map), &whole, &components, &chunker(), &mut map).expect("readable");
            assert_eq!(found, Some(root(&mut map, |name| name != path)), "{path}");
        }
        for path in ["c", "a/x", "b/c/d/x", "b/c/f"] {
            let components: Vec<&[u8]> = path.split('/').map(str::as_bytes).collect();
            let found = without(&map_of(&map), &whole, &components, &chunker(), &mut map).expect("readable");
            assert_eq!(found, None, "{path}");
        }
    }

    #[test]
    fn without_components_nothing_is_left() {
        let mut map = Map::default();
        let empty = folder(&mut map, b"", &[]);
        for root in [root(&mut map, |_| true), file(b"", 3)] {
            let found = without(&map_of(&map), &root, &[], &chunker(), &mut map).expect("readable");
            assert_eq!(found.as_ref(), Some(&empty));
        }
        assert_eq!(without(&map_of(&map), &empty, &[], &chunker(), &mut map).expect("readable"), None);
    }

    #[test]
    fn folders_beside_the_way_are_not_read() {
        let mut map = Map::default();
        let beside = folder(&mut Map::default(), b"beside", &[file(b"lost", 1)]);
        let on_the_way = folder(&mut map, b"way", &[file(b"x", 1), file(b"y", 1)]);
        let root = folder(&mut map, b"", &[beside.clone(), on_the_way]);
        let found = without(&map_of(&map), &root, &[b"way", b"x"], &chunker(), &mut map).expect("readable");
        let changed = folder(&mut map, b"way", &[file(b"y", 1)]);
        assert_eq!(found, Some(folder(&mut map, b"", &[beside, changed])));
    }

    /// What is read stays as it is while more is written.
    fn map_of(map: &Map) -> Map {
        Map { chunks: map.chunks.clone() }
    }
}
