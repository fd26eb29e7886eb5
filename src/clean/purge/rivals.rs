//! Two machines that purge at once may each put theirs in the place of one snapshot: the marks of both count. Whoever put
//! its mark last sees both, and gives way.

use std::collections::HashMap;

use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::mark::{Action, ForgetReason, Forgotten};
use crate::format::snapshot::Snapshot;
use crate::index::IndexReader;
use crate::repo::Repo;
use crate::snapshot::{Marks, ReadError, place_of};

/// Looks whether another machine replaced the same old ones, and withdraws one of the two new ones. Gives whether all is to
/// be done again, since what stands now may have what was to be taken out.
///
/// Of two that tell the same the one with the greater name goes, whoever sees them: both machines may. Otherwise one's
/// own goes. If the other machine did that too, each of the two still counts (docs/format.md section 13), and both do it
/// again.
pub(super) fn give_way(repo: &mut Repo, replaced: &mut [(SnapshotId, SnapshotId)]) -> Result<bool, Error> {
    if !repo.is_beside_others() {
        return Ok(false);
    }
    repo.look_beside_others()?;
    let view = repo.index.reader()?;
    let rivals = Rivals::load(repo, &view)?;
    let (mut withdrawn, mut is_overtaken) = (Vec::new(), false);
    for (old, own) in replaced {
        let Some(snapshot) = rivals.in_force(own)? else {
            // Somebody else purged it before its mark was there, and what was in its place then may be there too.
            is_overtaken |= rivals.marks.forgotten(own) == Some(ForgetReason::Replaced);
            continue;
        };
        let twin = rivals.twin(own, &snapshot)?;
        let Some(other) = twin.map_or_else(|| rivals.successor(old, own, &snapshot), |twin| Ok(Some(twin)))? else {
            continue;
        };
        is_overtaken |= twin.is_none();
        let (goes, stays) = if twin.is_some() && other > *own { (other, *own) } else { (*own, other) };
        withdrawn.push(Forgotten { previous: Some(stays), ..place_of(goes, &snapshot) });
        *own = stays;
    }
    drop(view);
    if !withdrawn.is_empty() {
        repo.decide(Action::Forget { reason: ForgetReason::Replaced, snapshots: withdrawn })?;
    }
    Ok(is_overtaken)
}

/// What is in force.
struct Rivals<'v> {
    view: &'v IndexReader,
    marks: Marks,
    /// By what they tell.
    by_content: HashMap<blake3::Hash, Vec<SnapshotId>>,
}

impl<'v> Rivals<'v> {
    fn load(repo: &Repo, view: &'v IndexReader) -> Result<Self, Error> {
        let marks = repo.marks(view)?;
        let mut by_content: HashMap<blake3::Hash, Vec<SnapshotId>> = HashMap::new();
        view.each_snapshot(|id, row| -> Result<(), Error> {
            if row.committed != 0 && marks.forgotten(&id).is_none() {
                let snapshot = Snapshot::decode(&row.record).map_err(ReadError::Format)?;
                by_content.entry(content(&snapshot)?).or_default().push(id);
            }
            Ok(())
        })?;
        Ok(Self { view, marks, by_content })
    }

    /// A snapshot, if it is in force.
    fn in_force(&self, id: &SnapshotId) -> Result<Option<Snapshot>, Error> {
        let row = self.view.snapshot(id)?.filter(|row| row.committed != 0 && self.marks.forgotten(id).is_none());
        Ok(row.map(|row| Snapshot::decode(&row.record)).transpose().map_err(ReadError::Format)?)
    }

    /// Another one that tells the same.
    fn twin(&self, own: &SnapshotId, snapshot: &Snapshot) -> Result<Option<SnapshotId>, Error> {
        let same = self.by_content.get(&content(snapshot)?);
        Ok(same.and_then(|same| same.iter().find(|other| *other != own)).copied())
    }

    /// Another one that was put in the place of the same old one.
    fn successor(&self, old: &SnapshotId, own: &SnapshotId, snapshot: &Snapshot) -> Result<Option<SnapshotId>, Error> {
        let successors = self.marks.get(old).into_iter().flat_map(|decision| &decision.successors);
        for other in successors.filter(|other| *other != own) {
            let Some(known) = self.in_force(other)? else { continue };
            // What never counted has as its successor what it went on from.
            if (known.writer, known.sequence) == (snapshot.writer, snapshot.sequence) {
                return Ok(Some(*other));
            }
        }
        Ok(None)
    }
}

/// The same for two that differ only in what they went on from: the marks lead from either to the same.
fn content(snapshot: &Snapshot) -> Result<blake3::Hash, Error> {
    let alone = Snapshot { previous: None, ..snapshot.clone() };
    Ok(blake3::hash(&alone.encode().map_err(ReadError::Format)?))
}
