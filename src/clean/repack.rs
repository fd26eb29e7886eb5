//! What is still needed of mostly dead or small packs, into new packs.
//!
//! A block that is wholly needed and large is moved as it was compressed; of others the needed chunks are put together
//! into new blocks. Every new pack is opened again in memory before it is written (invariant I10), so whatever was
//! damaged is noticed and its pack stays as it is.

use super::reclaim::Stop;
use crate::format::id::ChunkKind;
use crate::format::layout::ObjectName;
use crate::index::{IndexReader, PackInfo, PackNumber};
use crate::live::Keepers;
use crate::pack::{OpenedPack, PackReader};
use crate::replicate::OpenDestination;
use crate::repo::Repo;
use crate::repo::store::Store;
use crate::report::Monitor;
use crate::seal::{CompressedBlock, SealError, block};

/// What was written.
#[derive(Default)]
pub(super) struct Rewritten {
    /// Packs of which everything needed is in new ones now, durably.
    pub done: Vec<PackNumber>,
    /// Stored bytes of the new ones.
    pub bytes_written: u64,
    /// Packs that could not be read, with what is wrong, as sentences without a full stop.
    pub damaged: Vec<String>,
}

/// Writes anew what is needed of some packs of a destination.
pub(super) fn rewrite(
    repo: &Repo,
    view: &IndexReader,
    destination: &OpenDestination,
    keepers: &Keepers<'_>,
    packs: &[PackNumber],
    monitor: &dyn Monitor,
) -> Result<Rewritten, Stop> {
    let only = [destination.clone()];
    // One view for both: new packs are on no destination in it, so the keepers stay the same.
    let mut store = repo.store_moved(view, &only, monitor)?;
    let mut rewritten = Rewritten::default();
    for &number in packs {
        if monitor.should_stop() {
            store.abandon();
            return Err(Stop::interrupted());
        }
        let info = view.pack(number)?;
        match one(repo, destination, keepers, number, &info, &mut store) {
            Ok(()) => rewritten.done.push(number),
            Err(Failed::Damaged(why)) => {
                rewritten.damaged.push(format!("pack {} cannot be read: {why}", info.id.short()));
            }
            Err(Failed::Stop(stop)) => {
                store.abandon();
                return Err(stop);
            }
        }
        monitor.advance(1, info.len);
    }
    let stored = store.finish()?;
    rewritten.bytes_written = stored.counts.bytes_stored;
    for lane in &stored.lanes {
        if let Some(trouble) = &lane.trouble {
            return Err(Stop::trouble(trouble));
        }
    }
    Ok(rewritten)
}

enum Failed {
    Damaged(String),
    Stop(Stop),
}

impl<E: Into<Stop>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Stop(error.into())
    }
}

fn one(
    repo: &Repo,
    destination: &OpenDestination,
    keepers: &Keepers<'_>,
    number: PackNumber,
    info: &PackInfo,
    store: &mut Store<'_>,
) -> Result<(), Failed> {
    let opened = open(repo, destination, info)?;
    let kept = keepers.kept(number, &opened.directory)?;
    let kind = opened.directory.kind;
    let least = repo.config.block_bytes as usize / 2;
    // Where a later block is damaged, what was taken before it is there twice, and the pack stays.
    for (place, kept) in opened.blocks().zip(&kept) {
        if !kept.iter().any(|kept| *kept) {
            continue;
        }
        let range = place.offset..place.offset + u64::from(place.entry.sealed_len);
        let sealed = destination.place.get(&ObjectName::Pack(info.id), Some(range)).map_err(Stop::from)?;
        let damaged = |error: SealError| Failed::Damaged(error.to_string());
        let frame = block::unseal(&opened.seal, place.number, sealed).map_err(damaged)?;
        let raw = block::unpack(place.entry.compression, place.entry.raw_len, &frame).map_err(damaged)?;
        block::verify(&repo.keys, kind, &place.entry.chunks, &raw).map_err(damaged)?;
        if kept.iter().all(|kept| *kept) && raw.len() >= least {
            store.take_over(kind, CompressedBlock::again(frame, place.entry))?;
        } else {
            each_chunk(kind, place.entry, kept, &raw, store)?;
        }
    }
    Ok(())
}

fn each_chunk(
    kind: ChunkKind,
    entry: &crate::format::pack::BlockEntry,
    kept: &[bool],
    raw: &[u8],
    store: &mut Store<'_>,
) -> Result<(), Failed> {
    let mut offset = 0;
    for (chunk, kept) in entry.chunks.iter().zip(kept) {
        let end = offset + chunk.len as usize;
        if let Some(bytes) = raw.get(offset..end).filter(|_| *kept) {
            store.put_again(kind, chunk.id, bytes)?;
        }
        offset = end;
    }
    Ok(())
}

fn open(repo: &Repo, destination: &OpenDestination, info: &PackInfo) -> Result<OpenedPack, Failed> {
    let name = ObjectName::Pack(info.id);
    let opened = PackReader::new(&repo.keys).open(info.len, |range| -> Result<_, OpenFailed> {
        destination.place.get(&name, Some(range)).map_err(OpenFailed::Destination)
    });
    opened.map_err(|error| match error {
        OpenFailed::Destination(error) => Failed::Stop(error.into()),
        OpenFailed::Seal(error) => Failed::Damaged(error.to_string()),
    })
}

enum OpenFailed {
    Destination(crate::destination::DestinationError),
    Seal(SealError),
}

impl From<SealError> for OpenFailed {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}
