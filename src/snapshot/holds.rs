//! Is a file what a recipe says? Read, cut at the stored lengths, and named again.

use std::io::Read;

use super::{ChunkSource, PartReader, ReadError};
use crate::format::BLOCK_RAW_MAX;
use crate::format::id::ChunkKind;
use crate::format::recipe::{Part, Recipe};
use crate::seal::Keys;

/// Zeros that a hole reads as.
const ZEROS: usize = 64 << 10;

/// Whether what `file` gives are the bytes of `recipe`. Ids are keyed hashes, so nothing has to be fetched but a long list
/// of parts. What cannot be read is not the same.
///
/// # Errors
/// [`ReadError`] where the list of parts cannot be read.
pub fn holds(source: &dyn ChunkSource, keys: &Keys, recipe: &Recipe, file: &mut dyn Read) -> Result<bool, ReadError> {
    let mut buffer = Vec::new();
    for part in PartReader::new(source, recipe) {
        let is_same = match part? {
            // There is no such chunk.
            Part::Chunk { len, .. } if len as usize > BLOCK_RAW_MAX => false,
            Part::Chunk { id, len } => {
                buffer.resize(len as usize, 0);
                fill(file, &mut buffer) && keys.chunk_id(ChunkKind::Data, &buffer) == id
            }
            Part::Hole { len } => is_zero(file, len, &mut buffer),
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(matches!(file.read(&mut [0]), Ok(0)))
}

fn fill(file: &mut dyn Read, buffer: &mut [u8]) -> bool {
    file.read_exact(buffer).is_ok()
}

fn is_zero(file: &mut dyn Read, len: u64, buffer: &mut Vec<u8>) -> bool {
    let mut left = len;
    while left > 0 {
        let step = left.min(ZEROS as u64);
        buffer.resize(step as usize, 0);
        if !fill(file, buffer) || buffer.iter().any(|&byte| byte != 0) {
            return false;
        }
        left -= step;
    }
    true
}
