//! The line of snapshots a writer goes on from: its own, then those of whoever it was connected after.

use super::writer::Writer;
use crate::error::Error;
use crate::format::FormatError;
use crate::format::id::SnapshotId;
use crate::format::snapshot::{Root, Snapshot};
use crate::index::{DestinationBits, IndexReader};

/// A snapshot that is known, and where it is.
#[derive(Debug, Clone)]
pub struct KnownSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Its record.
    pub snapshot: Snapshot,
    /// Where it is committed.
    pub committed: DestinationBits,
    /// Where everything it needs was seen to be.
    pub whole: DestinationBits,
}

/// Newest first.
#[derive(Debug, Clone, Default)]
pub struct Lineage {
    /// The snapshots of the line that are known.
    pub chain: Vec<KnownSnapshot>,
    /// Whether none is missing between the newest and the first.
    pub is_complete: bool,
    /// The highest version number any known snapshot tells of.
    pub version_ceiling: u32,
}

impl Lineage {
    pub(super) fn of(view: &IndexReader, writer: &Writer) -> Result<Self, Error> {
        let head = match writer.last_snapshot {
            Some(id) if view.snapshot(&id)?.is_some() => Some(id),
            last => {
                let newest = newest(view, writer)?;
                return Self::from(view, newest, last.is_none() && newest.is_none(), writer.version_ceiling);
            }
        };
        // A commit whose report was cut off is on the destinations and not in the writer's file yet.
        let newest = newest(view, writer)?.filter(|_| writer.sequence > 0);
        Self::from(view, newest.or(head), true, writer.version_ceiling)
    }

    fn from(view: &IndexReader, head: Option<SnapshotId>, is_complete: bool, ceiling: u32) -> Result<Self, Error> {
        let mut line = Self { chain: Vec::new(), is_complete, version_ceiling: ceiling };
        let mut next = head;
        while let Some(id) = next {
            let Some(row) = view.snapshot(&id)? else {
                line.is_complete = false;
                break;
            };
            let snapshot = decode(&id, &row.record)?;
            next = snapshot.previous;
            line.version_ceiling = line.version_ceiling.max(snapshot.version_ceiling);
            line.chain.push(KnownSnapshot { id, snapshot, committed: row.committed, whole: row.whole });
            // Hashes cannot form a ring, but a bound costs nothing.
            if line.chain.len() > 1 << 22 {
                break;
            }
        }
        Ok(line)
    }

    /// The newest snapshot of the line.
    pub fn head(&self) -> Option<&KnownSnapshot> {
        self.chain.first()
    }

    /// The newest snapshot of the line that has the source at `path`, and its root.
    pub fn root(&self, path: &[u8]) -> Option<(&KnownSnapshot, &Root)> {
        self.chain.iter().find_map(|known| known.snapshot.root(path).map(|root| (known, root)))
    }
}

pub(super) fn decode(id: &SnapshotId, record: &[u8]) -> Result<Snapshot, Error> {
    Snapshot::decode(record)
        .map_err(|source: FormatError| Error::Format { object: format!("snapshot {}", id.short()), source })
}

/// This writer's newest snapshot; without one the newest of all.
fn newest(view: &IndexReader, writer: &Writer) -> Result<Option<SnapshotId>, Error> {
    let mut own: Option<(u64, SnapshotId)> = None;
    let mut any: Option<(crate::format::record::Time, SnapshotId)> = None;
    view.each_snapshot(|id, row| -> Result<(), Error> {
        let snapshot = decode(&id, &row.record)?;
        if snapshot.writer == writer.id {
            own = own.max(Some((snapshot.sequence, id)));
        }
        any = any.max(Some((snapshot.finished, id)));
        Ok(())
    })?;
    Ok(own.map(|(_, id)| id).or(any.map(|(_, id)| id)))
}
