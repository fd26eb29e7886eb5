//! Stub until the real one is merged.
#![allow(missing_docs, unused_variables, dead_code)]
use super::{ChunkSink, ChunkSource, ReadError};
use crate::chunk::Chunker;
use crate::format::history::Seen;
use crate::format::record::Time;
use crate::format::tree::Node;

pub struct State<'a> {
    pub time: Time,
    pub machine: &'a str,
    pub root: &'a Node,
    pub stays: bool,
}
pub struct KeptVersion {
    pub number: u32,
    pub node: Node,
    pub seen: Seen,
}
pub struct Kept {
    pub highest: u32,
    pub versions: Vec<KeptVersion>,
}
pub fn versions(source: &dyn ChunkSource, root: &Node, components: &[&[u8]]) -> Result<Option<Kept>, ReadError> {
    Ok(None)
}
pub fn each_number(source: &dyn ChunkSource, root: &Node, each: &mut dyn FnMut(&[u8], u32)) -> Result<(), ReadError> {
    Ok(())
}
