//! Streams: recipes, trees, and how they are cut.

use cryptbackup::chunk::Chunker;
use cryptbackup::format::FormatError;
use cryptbackup::format::header::RepoHeader;
use cryptbackup::format::id::RepoId;
use cryptbackup::format::recipe::{DEPTH_MAX, INLINE_PARTS_MAX, Part, Recipe};
use cryptbackup::format::record::{self, ChunkerParameters, ConfigRecord};
use cryptbackup::format::tree::{Node, TREE_VERSION, TreeDecoder, is_component};

use crate::pieces::Pieces;

/// A recipe, and a stream of parts.
pub fn recipe(data: &[u8]) {
    if let Ok(recipe) = record::decode::<Recipe>("recipe", data) {
        let encoded = record::encode("recipe", &recipe).expect("what was decoded can be encoded");
        assert_eq!(record::decode::<Recipe>("recipe", &encoded).as_ref(), Ok(&recipe));
        if recipe.validate().is_ok() {
            assert!(recipe.depth <= DEPTH_MAX && recipe.parts.len() <= INLINE_PARTS_MAX);
            let sum = recipe.parts.iter().try_fold(0u64, |sum, part| sum.checked_add(part.len()));
            assert!(recipe.depth > 0 || sum == Some(recipe.size));
        }
    }
    let mut rest = data;
    while let Ok(Some((part, after))) = Part::take(rest) {
        assert!(after.len() < rest.len() && !part.is_empty());
        let encoded = part.encode().expect("what was decoded can be encoded");
        assert_eq!(Part::take(&encoded), Ok(Some((part, &[][..]))));
        rest = after;
    }
}

/// A tree, whole and in pieces.
pub fn tree(data: &[u8]) {
    let whole = nodes(data, data.len().max(1));
    let step = 1 + usize::from(data.last().copied().unwrap_or(0)) % 61;
    assert_eq!(nodes(data, step), whole, "a tree means something else in pieces of {step}");
    let (Ok(nodes) | Err((nodes, _))) = &whole;
    assert!(nodes.is_sorted_by(|left, right| left.name < right.name));
    for node in nodes {
        assert!(is_component(&node.name), "{:?}", node.name);
        let encoded = node.encode().expect("what was decoded can be encoded");
        assert_eq!(Node::take(&encoded), Ok(Some((node.clone(), &[][..]))));
        assert_eq!(Node::take(&encoded[..encoded.len() - 1]), Ok(None));
        assert!(node.same_content(node));
    }
    // The same without its version: nodes are what is interesting.
    if data.first() != Some(&TREE_VERSION) {
        let _ = self::nodes(&[&[TREE_VERSION], data].concat(), data.len() + 1);
    }
}

/// The nodes, or those up to the first error.
fn nodes(data: &[u8], step: usize) -> Result<Vec<Node>, (Vec<Node>, FormatError)> {
    let mut decoder = TreeDecoder::default();
    let mut nodes = Vec::new();
    for piece in data.chunks(step) {
        decoder.feed(piece);
        loop {
            match decoder.next_node() {
                Ok(Some(node)) => nodes.push(node),
                Ok(None) => break,
                Err(error) => return Err((nodes, error)),
            }
        }
    }
    match decoder.finish() {
        Ok(()) => Ok(nodes),
        Err(error) => Err((nodes, error)),
    }
}

/// Any bytes, cut with any parameters a config may have, as one buffer and as a stream.
pub fn chunker(data: &[u8]) {
    let mut pieces = Pieces::new(data);
    let parameters = ChunkerParameters {
        min_bytes: pieces.number().into(),
        avg_bytes: 1 << (pieces.byte() % 24),
        max_bytes: pieces.long(),
        normalization: pieces.byte(),
    };
    let key = [pieces.byte(); 32];
    let step = 1 + usize::from(pieces.number());
    let bytes = pieces.rest();
    let mut config = ConfigRecord::new(RepoHeader::new(RepoId::from_bytes([7; 16])));
    config.chunker = parameters;
    (config.block_bytes, config.pack_bytes) = (8 << 20, 64 << 20);
    if config.validate().is_err() {
        return;
    }
    let chunker = Chunker::new(&parameters, &key);
    let mut whole = Vec::new();
    let end = chunker.cut_all(bytes, 0, true, |range| whole.push(range));
    assert_eq!(end, bytes.len());
    assert!(
        whole
            .iter()
            .map(|range| range.start)
            .eq(std::iter::once(0).chain(whole.iter().map(|range| range.end)).take(whole.len()))
    );
    let (min, max) = (parameters.min_bytes as usize, parameters.max_bytes as usize);
    for (number, range) in whole.iter().enumerate() {
        let is_last = number + 1 == whole.len();
        assert!((is_last || range.len() >= min) && (1..=max).contains(&range.len()), "{range:?} of {min}..={max}");
    }
    let mut streamed = Vec::new();
    let mut buffer = Vec::new();
    let mut input = bytes.chunks(step).peekable();
    while let Some(piece) = input.next() {
        buffer.extend_from_slice(piece);
        let rest = chunker.cut_all(&buffer, 0, input.peek().is_none(), |range| streamed.push(range.len()));
        buffer.drain(..rest);
    }
    assert!(whole.iter().map(ExactSizeIterator::len).eq(streamed), "a stream is cut like one buffer");
}
