//! Blocks that are being compressed on all cores, while the next are being filled. They come back in their order, so that
//! the same input gives the same packs.

use std::collections::VecDeque;

use crossbeam_channel::{Receiver, bounded};

use crate::seal::{Block, CompressedBlock, SealError};

type Compressed = Result<CompressedBlock, SealError>;

/// Blocks on their way through the cores, the oldest first.
#[derive(Default)]
pub(super) struct Compressing {
    blocks: VecDeque<OnItsWay>,
}

struct OnItsWay {
    raw_len: usize,
    compressed: Receiver<Compressed>,
}

impl Compressing {
    /// Begins with a block.
    pub fn push(&mut self, block: Block, level: Option<i32>) {
        let (give, compressed) = bounded(1);
        let raw_len = block.raw_len();
        rayon::spawn(move || {
            // Nobody takes it where the run was given up.
            let _ = give.send(block.compress(level));
        });
        self.blocks.push_back(OnItsWay { raw_len, compressed });
    }

    /// The oldest block, waited for where it is not ready; none while so many may stay on their way.
    pub fn pop(&mut self, left: usize) -> Option<Compressed> {
        if self.blocks.len() <= left {
            return None;
        }
        let oldest = self.blocks.pop_front()?;
        Some(oldest.compressed.recv().unwrap_or(Err(SealError::Compress)))
    }

    /// Lengths before compression, the oldest first.
    pub fn raw_lens(&self) -> impl Iterator<Item = usize> {
        self.blocks.iter().map(|block| block.raw_len)
    }
}
