//! What is there? A listing of a destination against what the index says of it.
//!
//! A pack counts as present only when this run's listing shows it with the size the index knows. So a stale, copied or
//! rebuilt index can never make a dangling reference; it only makes work. Memory is that of one of the 256 folders.

mod deleted;
mod small;

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use self::deleted::let_go;
pub use self::deleted::note_deleted;
use self::small::{open_mark, open_snapshot, read_whole};
use super::{OpenDestination, ReplicateError};
use crate::format::id::{ObjectHash, PackId, SnapshotId};
use crate::format::layout::{ObjectKind, ObjectName};
use crate::format::pack::Directory;
use crate::index::{
    DestinationBits, Index, IndexError, IndexReader, IndexWriter, MarkRow, PackInfo, PackLoader, PackNumber,
    SnapshotRow,
};
use crate::pack::PackReader;
use crate::seal::{Keys, SealError};

/// Directories read at the same time: sticks and network drives are slow to answer, not to read.
const READERS: usize = 4;
/// Packs whose directories are in memory at once.
const PACKS_AT_ONCE: usize = 64;

/// What was found on one destination.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// Packs on it.
    pub packs: u64,
    /// Packs the index had not heard of.
    pub packs_learned: u64,
    /// Packs it was thought to have and does not, or not with the right size.
    pub packs_lost: Vec<PackNumber>,
    /// Snapshots on it.
    pub snapshots: u64,
    /// Snapshots the index had not heard of.
    pub snapshots_learned: u64,
    /// Snapshots it was thought to have.
    pub snapshots_lost: u64,
    /// What is damaged, as object and finding.
    pub findings: Vec<(ObjectName, String)>,
    /// Whether something was sealed in an epoch that is not known here: another machine began it just now.
    pub has_unknown_epoch: bool,
}

/// Brings what the index says of `destination` up to date with what is there.
///
/// # Errors
/// [`ReplicateError`]: a destination that cannot be listed is not reconciled at all.
pub fn reconcile(index: &Index, keys: &Keys, destination: &OpenDestination) -> Result<Reconciled, ReplicateError> {
    let mut found = Reconciled::default();
    // Before the packs: those of a snapshot that is seen are there already, and stay for the grace where others write.
    let listed = list_snapshots(destination)?;
    let mut loader = PackLoader::new(index, destination.bit)?;
    let mut view = None;
    let listed_packs =
        (0..=255).try_for_each(|prefix| packs(index, keys, destination, prefix, &mut view, &mut loader, &mut found));
    // Also where the destination went away: what was read of it by then need not be read again.
    loader.finish()?;
    listed_packs?;
    drop(view);
    let view = index.reader()?;
    let missing = snapshots(index, keys, &view, destination, listed, &mut found)?;
    marks(index, keys, &view, destination, &mut found)?;
    drop(view);
    let_go(index, destination, &missing)?;
    Ok(found)
}

fn packs(
    index: &Index,
    keys: &Keys,
    destination: &OpenDestination,
    prefix: u8,
    newest: &mut Option<IndexReader>,
    loader: &mut PackLoader<'_>,
    found: &mut Reconciled,
) -> Result<(), ReplicateError> {
    // Kept for the next folder only while nothing is written: none may be open while as much is put into the index as
    // when it is rebuilt, and opening one for each folder is most of the work where nothing changed.
    let view = newest.take().map_or_else(|| index.reader(), Ok)?;
    let mut listed = BTreeMap::new();
    destination.place.list(ObjectKind::Packs, Some(prefix), &mut |name, len| {
        // What another writer is going to delete is as good as gone.
        if let ObjectName::Pack(id) = name
            && !destination.neighbours.has_condemned(&id)
        {
            listed.insert(id, len);
        }
    })?;
    found.packs += listed.len() as u64;
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    let (mut damaged, mut vanished, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for (id, number) in view.packs_with_prefix(prefix)? {
        let was_there = view.presence(number)? & destination.bit != 0;
        let was_damaged = view.damaged(number)? & destination.bit != 0;
        let expected = view.pack(number)?.len;
        match listed.remove(&id) {
            // Its size says nothing about a copy that was read and found damaged.
            Some(len) if len == expected && !was_there && !was_damaged => {
                // What is known of it may be only what was whole in a damaged copy, gone by now.
                if view.presence(number)? == 0 {
                    again.push((id, len));
                } else {
                    there.push(number);
                }
            }
            Some(len) if len == expected => {}
            Some(len) => {
                let finding = format!("it has {len} bytes instead of {expected}");
                found.findings.push((ObjectName::Pack(id), finding));
                damaged.extend((!was_damaged).then_some(number));
                found.packs_lost.extend(was_there.then_some(number));
            }
            None if was_damaged => vanished.push(number),
            None => gone.extend(was_there.then_some(number)),
        }
    }
    found.packs_lost.extend(&gone);
    gone.extend(vanished);
    let unknown: Vec<(PackId, u64)> = listed.into_iter().chain(again).collect();
    if there.is_empty() && gone.is_empty() && damaged.is_empty() && unknown.is_empty() {
        *newest = Some(view);
        return Ok(());
    }
    for group in unknown.chunks(PACKS_AT_ONCE) {
        learn(&view, keys, destination, group, loader, found)?;
    }
    drop(view);
    lose_packs(index, destination.bit, gone)?;
    damage_packs(index, destination.bit, damaged)?;
    let mut writer = index.writer()?;
    writer.set_present(there, destination.bit, false)?;
    writer.commit()?;
    Ok(())
}

/// Says that packs are not on the destination any more; no snapshot is known to be whole there then.
pub(super) fn lose_packs(index: &Index, bit: DestinationBits, packs: Vec<PackNumber>) -> Result<(), ReplicateError> {
    give_up(index, bit, packs, IndexWriter::set_absent)
}

/// Says that the copies of packs on the destination are damaged: they do not count there any more, so that what they hold
/// is stored again, but what is whole in them can still be read.
///
/// # Errors
/// [`ReplicateError::Index`].
pub fn damage_packs(index: &Index, bit: DestinationBits, packs: Vec<PackNumber>) -> Result<(), ReplicateError> {
    give_up(index, bit, packs, IndexWriter::set_damaged)
}

fn give_up(
    index: &Index,
    bit: DestinationBits,
    packs: Vec<PackNumber>,
    set: impl FnOnce(&mut IndexWriter, Vec<PackNumber>, DestinationBits) -> Result<(), IndexError>,
) -> Result<(), ReplicateError> {
    if packs.is_empty() {
        return Ok(());
    }
    let mut whole = Vec::new();
    index.reader()?.each_snapshot(|id, row| -> Result<(), ReplicateError> {
        whole.extend((row.whole & bit != 0).then_some(id));
        Ok(())
    })?;
    let mut writer = index.writer()?;
    for id in whole {
        writer.update_snapshot(&id, |row| row.whole &= !bit)?;
    }
    set(&mut writer, packs, bit)?;
    writer.commit()?;
    Ok(())
}

struct Learned {
    info: PackInfo,
    blocks_offset: u64,
    directory: Directory,
    is_complete: bool,
}

/// Reads the directories of packs that are not known, or of which only a damaged copy was.
fn learn(
    view: &IndexReader,
    keys: &Keys,
    destination: &OpenDestination,
    packs: &[(PackId, u64)],
    loader: &mut PackLoader<'_>,
    found: &mut Reconciled,
) -> Result<(), ReplicateError> {
    let share = packs.len().div_ceil(READERS).max(1);
    let results: Vec<_> = thread::scope(|scope| {
        let readers = packs.chunks(share).map(|share| {
            let read_all = move || share.iter().map(|pack| (*pack, read(keys, destination, *pack))).collect();
            thread::Builder::new().spawn_scoped(scope, read_all).map_err(ReplicateError::NoThread)
        });
        let readers = readers.collect::<Result<Vec<ScopedJoinHandle<'_, Vec<_>>>, _>>()?;
        let results = readers.into_iter().flat_map(|reader| reader.join().unwrap_or_else(|panic| resume_unwind(panic)));
        Ok::<_, ReplicateError>(results.collect())
    })?;
    for ((id, _), result) in results {
        match result {
            Ok(pack) => {
                if !pack.is_complete {
                    let finding = "its directory and some of its blocks cannot be read".to_owned();
                    found.findings.push((ObjectName::Pack(id), finding));
                }
                let known = view.pack_number(&id)?;
                loader.add(known, pack.info, pack.blocks_offset, &pack.directory, pack.is_complete)?;
                found.packs_learned += 1;
            }
            Err(ReplicateError::Seal(error)) => {
                found.has_unknown_epoch |= matches!(error, SealError::UnknownEpoch(_));
                found.findings.push((ObjectName::Pack(id), format!("its directory cannot be read: {error}")));
            }
            Err(ReplicateError::Destination(error)) if error.is_of_object() => {
                found.findings.push((ObjectName::Pack(id), error.reason));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn read(keys: &Keys, destination: &OpenDestination, (id, len): (PackId, u64)) -> Result<Learned, ReplicateError> {
    let name = ObjectName::Pack(id);
    let opened = PackReader::new(keys)
        .open(len, |range| -> Result<_, ReplicateError> { Ok(destination.place.get(&name, Some(range))?) })?;
    Ok(Learned {
        info: PackInfo { id, len, kind: opened.directory.kind, epoch: opened.seal.epoch(), salt: opened.seal.salt() },
        blocks_offset: opened.extents.blocks_offset(),
        is_complete: opened.is_complete(),
        directory: opened.directory,
    })
}

fn list_snapshots(destination: &OpenDestination) -> Result<BTreeMap<SnapshotId, u64>, ReplicateError> {
    let mut listed = BTreeMap::new();
    destination.place.list(ObjectKind::Snapshots, None, &mut |name, len| {
        if let ObjectName::Snapshot(id) = name {
            listed.insert(id, len);
        }
    })?;
    Ok(listed)
}

fn snapshots(
    index: &Index,
    keys: &Keys,
    view: &IndexReader,
    destination: &OpenDestination,
    mut listed: BTreeMap<SnapshotId, u64>,
    found: &mut Reconciled,
) -> Result<Vec<SnapshotId>, ReplicateError> {
    found.snapshots = listed.len() as u64;
    let mut changes: Vec<(SnapshotId, bool)> = Vec::new();
    let mut missing = Vec::new();
    view.each_snapshot(|id, row| -> Result<(), ReplicateError> {
        let was_there = row.committed & destination.bit != 0;
        let is_there = listed.remove(&id).is_some_and(|len| len == row.stored.len() as u64);
        if was_there != is_there {
            changes.push((id, is_there));
        }
        missing.extend((!is_there && row.seen & destination.bit != 0).then_some(id));
        Ok(())
    })?;
    let mut learned = Vec::new();
    for id in listed.into_keys() {
        let name = ObjectName::Snapshot(id);
        // None: it was deleted since it was listed.
        let Some(read) = read_whole(destination, &name)? else { continue };
        found.has_unknown_epoch |= read.as_ref().is_ok_and(|stored| keys.is_of_unknown_epoch(stored));
        let opened = read.and_then(|stored| open_snapshot(keys, &name, &stored).map(|record| (record, stored)));
        match opened {
            Ok((record, stored)) => {
                let row = SnapshotRow {
                    committed: destination.bit,
                    whole: 0,
                    seen: destination.bit,
                    is_counted: false,
                    record,
                    stored,
                };
                learned.push((id, row));
            }
            Err(finding) => found.findings.push((name, finding)),
        }
    }
    if changes.is_empty() && learned.is_empty() {
        return Ok(missing);
    }
    found.snapshots_learned = learned.len() as u64;
    found.snapshots_lost = changes.iter().filter(|(_, is_there)| !is_there).count() as u64;
    let mut writer = index.writer()?;
    for (id, is_there) in changes {
        writer.update_snapshot(&id, |row| {
            row.committed = if is_there { row.committed | destination.bit } else { row.committed & !destination.bit };
            row.whole &= row.committed;
            row.seen |= row.committed;
        })?;
    }
    for (id, row) in &learned {
        writer.put_snapshot(id, row)?;
    }
    writer.commit()?;
    Ok(missing)
}

/// Marks are few and small, and every one counts: what is not known yet is read.
fn marks(
    index: &Index,
    keys: &Keys,
    view: &IndexReader,
    destination: &OpenDestination,
    found: &mut Reconciled,
) -> Result<(), ReplicateError> {
    let mut listed = BTreeMap::new();
    destination.place.list(ObjectKind::Marks, None, &mut |name, len| {
        listed.extend(name.hash().map(|hash| (hash, len)));
    })?;
    let mut changed: Vec<(ObjectHash, MarkRow)> = Vec::new();
    view.each_mark(|hash, mut row| -> Result<(), ReplicateError> {
        let was_here = row.present & destination.bit != 0;
        let name = ObjectName::Mark(hash);
        let is_whole = match listed.remove(&hash) {
            Some(len) if len == row.stored.len() as u64 => {
                // One that was known from elsewhere may be damaged here; as whole it would never be written again.
                was_here || read_whole(destination, &name)?.is_some_and(|read| read.as_ref() == Ok(&row.stored))
            }
            Some(len) => {
                found.findings.push((name, format!("it has {len} bytes instead of {}", row.stored.len())));
                false
            }
            None => {
                if was_here {
                    found.findings.push((name, "it was here and is gone".to_owned()));
                }
                false
            }
        };
        if was_here != is_whole {
            row.present ^= destination.bit;
            changed.push((hash, row));
        }
        Ok(())
    })?;
    for hash in listed.into_keys() {
        let name = ObjectName::Mark(hash);
        // None: it was deleted since it was listed.
        let Some(read) = read_whole(destination, &name)? else { continue };
        found.has_unknown_epoch |= read.as_ref().is_ok_and(|stored| keys.is_of_unknown_epoch(stored));
        let opened = read.and_then(|stored| open_mark(keys, &name, &stored).map(|record| (record, stored)));
        match opened {
            Ok((record, stored)) => changed.push((hash, MarkRow { present: destination.bit, record, stored })),
            Err(finding) => found.findings.push((name, finding)),
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let mut writer = index.writer()?;
    for (hash, row) in &changed {
        writer.put_mark(hash, row)?;
    }
    writer.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests;
