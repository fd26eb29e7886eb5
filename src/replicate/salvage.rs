//! What can still be read of a pack that is beyond repair, into a new pack on the same destination.

use crate::destination::Settle;
use crate::format::id::ChunkKind;
use crate::format::layout::ObjectName;
use crate::index::{Index, PackInfo};
use crate::pack::{Closing, PackDraft, SavedBlock};
use crate::seal::keys::random;
use crate::seal::{BlockBuilder, Keys};

use super::{OpenDestination, ReplicateError};

/// zstd level, and stored bytes of a pack: rare, and any reader takes any size.
const LEVEL: Option<i32> = Some(3);
const PACK_BYTES: usize = 16 << 20;

/// Stores the chunks of `blocks` that no other pack on `target` holds, durably; gives how many those are.
pub(super) fn store(
    keys: &Keys,
    index: &Index,
    target: &OpenDestination,
    kind: ChunkKind,
    blocks: Vec<SavedBlock>,
) -> Result<u64, ReplicateError> {
    let view = index.reader()?;
    let mut draft = PackDraft::new(kind, PACK_BYTES);
    let mut stored = 0;
    for block in blocks {
        let raw = block.unpack()?;
        let mut builder = BlockBuilder::new(raw.len());
        let mut rest = raw.as_slice();
        for chunk in block.chunks {
            let Some((bytes, after)) = rest.split_at_checked(chunk.len as usize) else { break };
            rest = after;
            if view.chunk_presence(&chunk.id)? & target.bit == 0 {
                // The limit is the whole block: nothing is ever finished early.
                builder.push(chunk.id, bytes);
                stored += 1;
            }
        }
        let Some(block) = builder.take() else { continue };
        let block = block.compress(LEVEL)?;
        if !draft.fits(&block) {
            close(keys, index, target, kind, draft.take())?;
        }
        draft.push(block);
    }
    close(keys, index, target, kind, draft)?;
    Ok(stored)
}

fn close(
    keys: &Keys,
    index: &Index,
    target: &OpenDestination,
    kind: ChunkKind,
    draft: PackDraft,
) -> Result<(), ReplicateError> {
    if draft.is_empty() {
        return Ok(());
    }
    let pack = draft.finish(keys, random()?, Closing::Last { extra: 0 })?;
    target.place.put(&ObjectName::Pack(pack.id()), pack.bytes())?;
    target.place.settle(Settle::Touched)?;
    let number = index.reader()?.next_pack_number()?;
    let len = pack.bytes().len() as u64;
    let info = PackInfo { id: pack.id(), len, kind, epoch: pack.epoch(), salt: pack.salt() };
    let mut writer = index.writer()?;
    writer.add_packs([(number, info, pack.blocks_offset(), pack.directory())])?;
    writer.set_present([number], target.bit, true)?;
    writer.commit()?;
    Ok(())
}
