//! Streams into chunks: FastCDC (Xia et al., *The Design of Fast Content-Defined Chunking*, IEEE TPDS 2020) with a
//! secret table.
//!
//! The crate's own `seed` is one 64-bit number XORed into a public table and can be computed from a few dozen known
//! cut points; here all 256 entries come from the chunker key. What really keeps lengths secret is that they are
//! stored inside sealed directories only (docs/format.md §19).

use std::ops::Range;

use fastcdc::v2020::{Normalization, cut_gear, select_masks};

use zeroize::Zeroize;

use crate::format::record::ChunkerParameters;
use crate::format::sealed::GEAR_CONTEXT;
use crate::format::wire::u64_table;

/// Cuts streams, always the same way for the same parameters and key.
pub struct Chunker {
    min: usize,
    avg: usize,
    max: usize,
    mask_s: u64,
    mask_l: u64,
    gear: Box<[u64; 256]>,
    gear_ls: Box<[u64; 256]>,
}

impl Drop for Chunker {
    fn drop(&mut self) {
        self.gear.zeroize();
        self.gear_ls.zeroize();
    }
}

impl Chunker {
    /// A chunker with the parameters of the repository and the chunker key of its ring.
    pub fn new(parameters: &ChunkerParameters, key: &[u8; 32]) -> Self {
        let mut stream = [0u8; 256 * 8];
        blake3::Hasher::new_derive_key(GEAR_CONTEXT).update(key).finalize_xof().fill(&mut stream);
        let gear: Box<[u64; 256]> = Box::new(u64_table(&stream));
        stream.zeroize();
        let gear_ls = Box::new(gear.map(|entry| entry << 1));
        let level = match parameters.normalization {
            0 => Normalization::Level0,
            1 => Normalization::Level1,
            2 => Normalization::Level2,
            _ => Normalization::Level3,
        };
        let (mask_s, mask_l) = select_masks(parameters.avg_bytes as usize, level);
        Self {
            min: parameters.min_bytes as usize,
            avg: parameters.avg_bytes as usize,
            max: parameters.max_bytes as usize,
            mask_s,
            mask_l,
            gear,
            gear_ls,
        }
    }

    /// The longest chunk in bytes.
    pub fn max_bytes(&self) -> usize {
        self.max
    }

    /// Length of the first chunk of `bytes`, or `None` where more bytes could move its end. After the end of the
    /// stream (`is_last`) there is always a chunk unless `bytes` is empty.
    pub fn cut(&self, bytes: &[u8], is_last: bool) -> Option<usize> {
        if bytes.is_empty() || (bytes.len() < self.max && !is_last) {
            return None;
        }
        let (_, length) = cut_gear(
            bytes,
            self.min,
            self.avg,
            self.max,
            self.mask_s,
            self.mask_l,
            self.mask_s << 1,
            self.mask_l << 1,
            self.gear.as_slice(),
            self.gear_ls.as_slice(),
        );
        Some(length)
    }

    /// Cuts as much of `bytes[from..]` as can be cut, giving each chunk's range; returns where the rest begins.
    pub fn cut_all(&self, bytes: &[u8], from: usize, is_last: bool, mut each: impl FnMut(Range<usize>)) -> usize {
        let mut start = from;
        while let Some(length) = self.cut(&bytes[start..], is_last) {
            each(start..start + length);
            start += length;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: ChunkerParameters =
        ChunkerParameters { min_bytes: 64, avg_bytes: 256, max_bytes: 1024, normalization: 1 };

    fn noise(length: usize, seed: u8) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
        bytes
    }

    fn lengths(chunker: &Chunker, bytes: &[u8]) -> Vec<usize> {
        let mut lengths = Vec::new();
        chunker.cut_all(bytes, 0, true, |range| lengths.push(range.len()));
        lengths
    }

    #[test]
    fn cuts_depend_on_the_key_and_stay_within_bounds() {
        let bytes = noise(200_000, 1);
        let one = lengths(&Chunker::new(&SMALL, &[1; 32]), &bytes);
        let two = lengths(&Chunker::new(&SMALL, &[2; 32]), &bytes);
        assert_ne!(one, two);
        assert_eq!(one.iter().sum::<usize>(), bytes.len());
        assert!(one.iter().rev().skip(1).all(|&length| (64..=1024).contains(&length)));
        let mean = bytes.len() / one.len();
        assert!((150..500).contains(&mean), "{mean}");
    }

    /// The cut of docs/format.md §15, byte by byte.
    fn slow_cut(gear: &[u64; 256], bytes: &[u8], masks: (u64, u64)) -> usize {
        let (min, avg, max) = (64, 256, 1024);
        if bytes.len() <= min {
            return bytes.len();
        }
        let end = bytes.len().min(max);
        let mut hash = 0u64;
        for (i, byte) in bytes.iter().enumerate().take(end & !1).skip(min) {
            hash = (hash << 1).wrapping_add(gear[*byte as usize]);
            let mask = if i < avg.min(end) & !1 { masks.0 } else { masks.1 };
            if hash & mask == 0 {
                return i;
            }
        }
        end
    }

    proptest! {
        #[test]
        fn streaming_in_pieces_cuts_like_one_buffer(length in 0usize..20_000, step in 1usize..3000, seed: u8) {
            let chunker = Chunker::new(&SMALL, &[3; 32]);
            let bytes = noise(length, seed);
            let mut buffer = Vec::new();
            let mut found = Vec::new();
            let mut pieces = bytes.chunks(step).peekable();
            while let Some(piece) = pieces.next() {
                buffer.extend_from_slice(piece);
                let rest = chunker.cut_all(&buffer, 0, pieces.peek().is_none(), |range| found.push(range.len()));
                buffer.drain(..rest);
            }
            prop_assert_eq!(found, lengths(&chunker, &bytes));
        }

        #[test]
        fn the_document_describes_the_cut(length in 1usize..3000, seed: u8, is_blank: bool) {
            let chunker = Chunker::new(&SMALL, &[4; 32]);
            let bytes = if is_blank { vec![seed; length] } else { noise(length, seed) };
            let expected = slow_cut(&chunker.gear, &bytes, (chunker.mask_s, chunker.mask_l));
            prop_assert_eq!(chunker.cut(&bytes, true), Some(expected));
        }
    }
}
