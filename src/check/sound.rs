//! Whether a pack is as it should be in every byte, a few of its blocks at a time: as a whole it would take eight times the
//! memory, on every thread.

use std::ops::Range;

use crate::destination::DestinationError;
use crate::format::id::PackId;
use crate::format::pack::{End, PACK_HEAD_LEN, PackHead};
use crate::index::PackInfo;
use crate::pack::{BlockPlace, OpenedPack, PackReader};
use crate::seal::{Keys, SealError};

/// Bytes after which what was read is looked at.
const PIECE_BYTES: u64 = 2 << 20;

/// Why not. Whoever wants to know more looks at the whole.
struct Unsound;

impl From<SealError> for Unsound {
    fn from(_: SealError) -> Self {
        Self
    }
}

impl From<DestinationError> for Unsound {
    fn from(_: DestinationError) -> Self {
        Self
    }
}

/// Whether its name fits all its bytes, and every chunk in it is what its id says. `get` gives a range of it.
pub(super) fn is_sound(
    keys: &Keys,
    pack: &PackInfo,
    get: impl Fn(Range<u64>) -> Result<Vec<u8>, DestinationError>,
) -> bool {
    let look = Look { reader: PackReader::new(keys), pack, get: &get, hasher: blake3::Hasher::new() };
    look.at_all().is_ok()
}

struct Look<'a> {
    reader: PackReader<'a>,
    pack: &'a PackInfo,
    get: &'a dyn Fn(Range<u64>) -> Result<Vec<u8>, DestinationError>,
    hasher: blake3::Hasher,
}

impl Look<'_> {
    fn at_all(mut self) -> Result<(), Unsound> {
        let len = self.pack.len;
        let get = self.get;
        let opened = self.reader.open(len, |range| get(range).map_err(Unsound::from))?;
        if opened.is_from_copy {
            return Err(Unsound);
        }
        let (mut start, mut group) = (0, Vec::new());
        for place in opened.blocks() {
            let end = place.offset + u64::from(place.entry.sealed_len);
            group.push(place);
            if end - start >= PIECE_BYTES {
                self.at_blocks(&opened, start..end, &group)?;
                group.clear();
                start = end;
            }
        }
        self.at_blocks(&opened, start..opened.extents.padding_offset(), &group)?;
        self.at_end(opened.extents.padding_offset())?;
        // What is behind its end belongs to nothing.
        let is_longer = get(len..len + 1).is_ok();
        let is_named = PackId::from_bytes(*self.hasher.finalize().as_bytes()) == self.pack.id;
        if is_named && !is_longer { Ok(()) } else { Err(Unsound) }
    }

    fn next(&mut self, range: Range<u64>) -> Result<Vec<u8>, Unsound> {
        let bytes = (self.get)(range)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    /// Some blocks, and whatever comes before them.
    fn at_blocks(&mut self, opened: &OpenedPack, piece: Range<u64>, blocks: &[BlockPlace<'_>]) -> Result<(), Unsound> {
        let bytes = self.next(piece.clone())?;
        for place in blocks {
            let at = (place.offset - piece.start) as usize;
            let sealed = bytes.get(at..at + place.entry.sealed_len as usize).ok_or(Unsound)?;
            self.reader.open_block(&opened.seal, opened.directory.kind, place, sealed.to_vec())?;
        }
        Ok(())
    }

    /// The padding, the second directory and the foot.
    fn at_end(&mut self, padding: u64) -> Result<(), Unsound> {
        let foot = self.pack.len - PACK_HEAD_LEN as u64;
        let mut start = padding;
        while start < foot {
            let end = foot.min(start + PIECE_BYTES);
            self.next(start..end)?;
            start = end;
        }
        let foot = self.next(foot..self.pack.len)?;
        PackHead::decode(End::Foot, &foot).map(drop).map_err(|_| Unsound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::DestinationErrorKind;
    use crate::format::id::{ChunkKind, RepoId};
    use crate::pack::{Closing, PackDraft};
    use crate::seal::BlockBuilder;

    fn get(bytes: &[u8], range: Range<u64>) -> Result<Vec<u8>, DestinationError> {
        let found = bytes.get(range.start as usize..range.end as usize).map(<[u8]>::to_vec);
        found.ok_or_else(|| DestinationError::new(DestinationErrorKind::Damaged, "read", "here", "too short"))
    }

    #[test]
    fn any_other_byte_is_noticed_wherever_it_is() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let mut draft = PackDraft::new(ChunkKind::Data, 16 << 20);
        for seed in 0..4u8 {
            let mut chunk = vec![0; 900_000];
            blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut chunk);
            let mut builder = BlockBuilder::new(1 << 20);
            builder.push(keys.chunk_id(ChunkKind::Data, &chunk), &chunk);
            draft.push(builder.take().expect("a block").store());
        }
        let sealed = draft.finish(&keys, [5; 32], Closing::Last { extra: 0 }).expect("sealed");
        let (kind, len) = (ChunkKind::Data, sealed.bytes().len() as u64);
        let info = PackInfo { id: sealed.id(), len, kind, epoch: sealed.epoch(), salt: sealed.salt() };
        let is_sound = |bytes: &[u8]| is_sound(&keys, &info, |range| get(bytes, range));
        assert!(len > PIECE_BYTES && is_sound(sealed.bytes()));
        let mut bytes = sealed.bytes().to_vec();
        for at in (0..bytes.len()).step_by(bytes.len() / 40).chain([bytes.len() - 1]) {
            bytes[at] ^= 1;
            assert!(!is_sound(&bytes), "byte {at}");
            bytes[at] ^= 1;
        }
        bytes.push(0);
        assert!(!is_sound(&bytes), "longer");
        bytes.truncate(sealed.bytes().len() - 1);
        assert!(!is_sound(&bytes), "shorter");
    }
}
