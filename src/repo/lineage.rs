//! The line of snapshots a writer goes on from: its own, then those of whoever it was connected after.

use std::collections::HashSet;

use super::Repo;
use super::order::newest_first;
use super::writer::Writer;
use crate::error::Error;
use crate::format::FormatError;
use crate::format::id::{SnapshotId, WriterId};
use crate::format::mark::ForgetReason;
use crate::format::snapshot::{Root, Snapshot, SuspectSource};
use crate::index::{DestinationBits, IndexError, IndexReader};
use crate::snapshot::Marks;

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

/// A snapshot in force that looked suspect and that nobody accepted.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// Its id.
    pub id: SnapshotId,
    /// When it was finished.
    pub time: crate::format::record::Time,
    /// The sources that looked suspect, and why.
    pub sources: Vec<SuspectSource>,
}

impl Repo {
    /// The snapshots of this writer's line that looked suspect, newest first, as far as they are in force and nobody
    /// accepted them. While there is one of a source, no rule removes anything of it.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub(crate) fn suspects(&self, view: &IndexReader) -> Result<Vec<Suspect>, Error> {
        let marks = self.marks(view)?;
        let is_open = |id: &SnapshotId| {
            marks.get(id).is_none_or(|decision| decision.forgotten.is_none() && !decision.is_accepted)
        };
        let line = self.lineage(view)?;
        let open = line.chain.into_iter().filter(|known| known.committed != 0 && is_open(&known.id));
        let suspects = open.map(|known| Suspect {
            id: known.id,
            time: known.snapshot.finished,
            sources: known.snapshot.suspect_sources(),
        });
        Ok(suspects.filter(|suspect| !suspect.sources.is_empty()).collect())
    }

    /// Which snapshots are of this writer's line.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub(crate) fn own_line(&self, view: &IndexReader) -> Result<OwnLine, Error> {
        let Some(own) = self.writer.as_ref().map(|writer| writer.id) else { return Ok(OwnLine(None)) };
        let (marks, line) = (self.marks(view)?, self.lineage(view)?);
        let known = line.chain.iter().map(|known| (known.snapshot.writer, known.snapshot.sequence));
        let gone = line.passed.iter().filter_map(|id| marks.place(id));
        let places: HashSet<_> = known.chain(gone.filter_map(|place| Some((place.writer?, place.sequence)))).collect();
        let has_own = places.iter().any(|(writer, _)| *writer == own);
        Ok(OwnLine(has_own.then_some((own, places))))
    }
}

/// The places in the line of a writer: its own, and those it went on from. Not the ids: what replaces a snapshot has
/// its place. None where the writer made no snapshot yet.
pub(crate) struct OwnLine(Option<(WriterId, HashSet<(WriterId, u64)>)>);

impl OwnLine {
    /// Whether a snapshot or a history is of the line; where there is no line, each is.
    pub fn has(&self, snapshot: &Snapshot) -> bool {
        let Some((own, places)) = &self.0 else { return true };
        snapshot.writer == *own || places.contains(&(snapshot.writer, snapshot.sequence))
    }
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
    /// Every snapshot of the line, also those that were forgotten and are gone.
    passed: HashSet<SnapshotId>,
}

impl Lineage {
    pub(super) fn of(view: &IndexReader, writer: Option<&Writer>) -> Result<Self, Error> {
        let marks = Marks::load(view)?;
        let (last, ceiling) = writer.map_or((None, 0), |writer| (writer.last_snapshot, writer.version_ceiling));
        let head = newest(view, writer, &marks)?;
        // The writer knows of a last snapshot that nobody within reach does: what came before it may be missing too.
        let is_known = match last {
            Some(last) => marks.place(&last).is_some() || view.snapshot(&last)?.is_some(),
            None => true,
        };
        Self::from(view, head, is_known, ceiling, &marks)
    }

    fn from(
        view: &IndexReader,
        head: Option<SnapshotId>,
        is_complete: bool,
        ceiling: u32,
        marks: &Marks,
    ) -> Result<Self, Error> {
        let mut line = Self { chain: Vec::new(), is_complete, version_ceiling: ceiling, passed: HashSet::new() };
        let mut next = head;
        while let Some(id) = next {
            // Hashes cannot form a ring, but what marks say of snapshots that are gone could.
            if !line.passed.insert(id) {
                break;
            }
            // Another one stands for it: it is in its place.
            let is_replaced = marks.forgotten(&id) == Some(ForgetReason::Replaced);
            let Some(row) = view.snapshot(&id)?.filter(|_| !is_replaced) else {
                match marks.place(&id) {
                    // Forgotten, and gone: what it told of versions is in the history.
                    Some(place) => {
                        next = place.previous;
                        continue;
                    }
                    None => {
                        line.is_complete = false;
                        break;
                    }
                }
            };
            let snapshot = decode(&id, &row.record)?;
            next = snapshot.previous;
            line.version_ceiling = line.version_ceiling.max(snapshot.version_ceiling);
            line.chain.push(KnownSnapshot { id, snapshot, committed: row.committed, whole: row.whole });
        }
        Ok(line)
    }

    /// Whether a snapshot is part of the line, be it gone or not.
    pub fn has_passed(&self, id: &SnapshotId) -> bool {
        self.passed.contains(id)
    }

    /// The newest snapshot of the line.
    pub fn head(&self) -> Option<&KnownSnapshot> {
        self.chain.first()
    }

    /// Whether any snapshot of the line that is somewhere is partial.
    pub fn has_partials(&self) -> bool {
        self.chain.iter().any(|known| known.snapshot.is_partial() && known.committed != 0)
    }

    /// The newest snapshot of the line that has the source at `path`, and its root.
    pub fn root(&self, path: &[u8]) -> Option<(&KnownSnapshot, &Root)> {
        self.chain.iter().find_map(|known| known.snapshot.root(path).map(|root| (known, root)))
    }
}

/// A record of the index. It was decoded once before it came there.
pub(super) fn decode(id: &SnapshotId, record: &[u8]) -> Result<Snapshot, Error> {
    Snapshot::decode(record).map_err(|error: FormatError| {
        IndexError::Broken(format!("its copy of snapshot {} cannot be decoded: {error}", id.short())).into()
    })
}

/// This writer's newest snapshot: one that is committed somewhere (a commit whose report was cut off is not in the
/// writer's file yet), or the one it remembers. Without any, the newest of all.
fn newest(view: &IndexReader, writer: Option<&Writer>, marks: &Marks) -> Result<Option<SnapshotId>, Error> {
    let mut own: Option<(u64, SnapshotId)> = None;
    let mut any = Vec::new();
    let last = writer.and_then(|writer| writer.last_snapshot);
    view.each_snapshot(|id, row| -> Result<(), Error> {
        if row.committed == 0 && last != Some(id) {
            return Ok(());
        }
        let snapshot = decode(&id, &row.record)?;
        if snapshot.is_history() || marks.forgotten(&id) == Some(ForgetReason::Replaced) {
            return Ok(());
        }
        if writer.is_some_and(|writer| writer.id == snapshot.writer) {
            own = own.max(Some((snapshot.sequence, id)));
        }
        if own.is_none() {
            any.push(KnownSnapshot { id, snapshot, committed: row.committed, whole: row.whole });
        }
        Ok(())
    })?;
    if let Some((_, own)) = own {
        return Ok(Some(own));
    }
    // A writer without a snapshot of its own goes on from the one it names.
    match last {
        Some(last) if marks.place(&last).is_some() || view.snapshot(&last)?.is_some() => Ok(Some(last)),
        _ => Ok(newest_first(any).first().map(|known| known.id)),
    }
}
