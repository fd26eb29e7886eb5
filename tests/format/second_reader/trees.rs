//! §9 and §10: streams from recipes, nodes from streams.

use super::bytes::Bytes;
use super::packs::{Chunks, TREE};
use super::records::{Node, Part, Recipe};

/// The bytes of a stream whose chunks are of `kind`.
pub fn content(chunks: &Chunks, recipe: &Recipe, kind: u8) -> Result<Vec<u8>, String> {
    let mut parts = recipe.parts.clone();
    for _ in 0..recipe.depth {
        let list = join(chunks, &parts, TREE, false)?;
        let mut bytes = Bytes(&list);
        parts.clear();
        while !bytes.0.is_empty() {
            parts.push(Part::read(&mut bytes)?);
        }
    }
    let size = parts.iter().try_fold(0u64, |sum, part| sum.checked_add(part.len()));
    if size != Some(recipe.size) {
        return Err("the parts do not add up".into());
    }
    join(chunks, &parts, kind, kind != TREE)
}

fn join(chunks: &Chunks, parts: &[Part], kind: u8, may_have_holes: bool) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for part in parts {
        match part {
            Part::Chunk(id, len) => out.extend(chunks.get(kind, *id, *len as usize)?),
            Part::Hole(len) if may_have_holes => out.resize(out.len() + *len as usize, 0),
            Part::Hole(_) => return Err("a hole where none can be".into()),
        }
    }
    Ok(out)
}

/// The nodes of a folder.
pub fn nodes(chunks: &Chunks, recipe: &Recipe) -> Result<Vec<Node>, String> {
    if recipe.size == 0 {
        return Ok(Vec::new());
    }
    let stream = content(chunks, recipe, TREE)?;
    let mut bytes = Bytes(&stream);
    if bytes.byte()? != 1 {
        return Err("a tree of a newer version".into());
    }
    let mut nodes: Vec<Node> = Vec::new();
    while !bytes.0.is_empty() {
        let record = bytes.byte_string()?;
        let mut record = Bytes(&record);
        record.v1()?;
        let node = Node::read(&mut record)?;
        record.end()?;
        let is_name = !node.name.is_empty() && node.name.len() <= 1024 && !node.name.contains(&b'/');
        if !is_name || node.name.contains(&0) || node.name == b"." || node.name == b".." {
            return Err("a name that is not one".into());
        }
        if nodes.last().is_some_and(|last| last.name >= node.name) {
            return Err("names that do not ascend".into());
        }
        nodes.push(node);
    }
    Ok(nodes)
}
