//! §9 Recipes: what makes up one stream, whether a file's content or a folder's nodes.
//!
//! A short recipe lists its chunks and holes. A longer one is itself a stream of encoded parts, cut by the chunker
//! and stored as tree chunks; so a new version of a 100 GB image rewrites a few of its ids, not 50 MB of them.

use serde::{Deserialize, Serialize};

use super::FormatError;
use super::id::ChunkId;

/// The most parts a recipe lists itself.
pub const INLINE_PARTS_MAX: usize = 32;
/// How often a list of parts may itself be a stream.
pub const DEPTH_MAX: u8 = 4;

/// A piece of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// A stored chunk.
    Chunk {
        /// Its id.
        id: ChunkId,
        /// Its length in bytes, never 0.
        len: u32,
    },
    /// Zeros that are not stored because the file has a hole there.
    Hole {
        /// Length in bytes, never 0.
        len: u64,
    },
}

impl Part {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Part::Chunk { len, .. } => u64::from(*len),
            Part::Hole { len } => *len,
        }
    }

    /// Never: a part without bytes is refused.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The part's bytes in a stream of parts.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        super::record::encode("recipe part", self)
    }

    /// Takes one part off the front of `bytes`; `None` when they end inside it.
    ///
    /// # Errors
    /// [`FormatError::Record`] for bytes that no part starts with.
    pub fn take(bytes: &[u8]) -> Result<Option<(Self, &[u8])>, FormatError> {
        match postcard::take_from_bytes::<Part>(bytes) {
            Ok((part, rest)) if !part.is_empty() => Ok(Some((part, rest))),
            Err(postcard::Error::DeserializeUnexpectedEnd) => Ok(None),
            _ => Err(FormatError::Record("recipe part", "it cannot be decoded")),
        }
    }
}

/// What makes up one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recipe {
    /// 0: `parts` are the stream. Else: `parts` are tree chunks of a stream of the parts of a recipe of depth − 1.
    pub depth: u8,
    /// Length of the stream in bytes.
    pub size: u64,
    /// Chunks and holes in order.
    pub parts: Vec<Part>,
}

impl Recipe {
    /// The recipe of no bytes.
    pub const EMPTY: Recipe = Recipe { depth: 0, size: 0, parts: Vec::new() };

    /// Checks the rules of this section that can be seen without reading anything else.
    ///
    /// # Errors
    /// [`FormatError::Record`] or [`FormatError::Limit`].
    pub fn validate(&self) -> Result<(), FormatError> {
        if self.depth > DEPTH_MAX {
            return Err(FormatError::Limit("depth of a recipe"));
        }
        if self.parts.len() > INLINE_PARTS_MAX {
            return Err(FormatError::Limit("number of parts in a recipe"));
        }
        if self.parts.iter().any(Part::is_empty) {
            return Err(FormatError::Record("recipe", "a part is empty"));
        }
        let sum = self.parts.iter().try_fold(0u64, |sum, part| sum.checked_add(part.len()));
        let holes = self.parts.iter().any(|part| matches!(part, Part::Hole { .. }));
        let fits = if self.depth == 0 { sum == Some(self.size) } else { sum.is_some() && !holes };
        if fits { Ok(()) } else { Err(FormatError::Record("recipe", "the parts do not add up")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_bytes_of_a_recipe() {
        let recipe = Recipe {
            depth: 0,
            size: 70_000,
            parts: vec![Part::Chunk { id: ChunkId::from_bytes([7; 32]), len: 20_000 }, Part::Hole { len: 50_000 }],
        };
        assert_eq!(recipe.validate(), Ok(()));
        let bytes = super::super::record::encode("recipe", &recipe).expect("a small record");
        let mut expected = vec![0, 0xF0, 0xA2, 0x04, 2, 0];
        expected.extend([7; 32]);
        expected.extend([0xA0, 0x9C, 0x01, 1, 0xD0, 0x86, 0x03]);
        assert_eq!(bytes, expected);
        assert_eq!(super::super::record::decode("recipe", &bytes), Ok(recipe));
    }

    #[test]
    fn recipes_that_lie_are_refused() {
        let chunk = Part::Chunk { id: ChunkId::from_bytes([7; 32]), len: 5 };
        let recipe = |depth, size, parts| Recipe { depth, size, parts };
        assert_eq!(recipe(0, 5, vec![chunk]).validate(), Ok(()));
        assert_eq!(recipe(1, 1 << 40, vec![chunk]).validate(), Ok(()));
        for bad in [
            recipe(0, 6, vec![chunk]),
            recipe(5, 5, vec![chunk]),
            recipe(0, 165, vec![chunk; 33]),
            recipe(1, 5, vec![Part::Hole { len: 5 }]),
            recipe(0, 0, vec![Part::Hole { len: 0 }]),
            recipe(0, 1, vec![Part::Hole { len: u64::MAX }, Part::Hole { len: 2 }]),
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_stream_of_parts_can_be_read_in_pieces() {
        let parts = [Part::Chunk { id: ChunkId::from_bytes([7; 32]), len: 20_000 }, Part::Hole { len: 1 << 40 }];
        let stream: Vec<u8> = parts.iter().flat_map(|part| part.encode().expect("a small part")).collect();
        let (first, rest) = Part::take(&stream).expect("valid").expect("whole");
        assert_eq!(first, parts[0]);
        for end in 0..rest.len() {
            assert_eq!(Part::take(&rest[..end]), Ok(None), "cut at {end}");
        }
        assert_eq!(Part::take(rest), Ok(Some((parts[1], &[][..]))));
        assert!(Part::take(&[2]).is_err());
        assert!(Part::take(&[1, 0]).is_err(), "an empty hole");
    }
}
