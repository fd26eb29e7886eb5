//! New decisions about snapshots, and marks onto every destination.

use super::Repo;
use crate::destination::{DestinationError, DestinationErrorKind, Settle};
use crate::error::Error;
use crate::format::id::{ObjectHash, WriterId};
use crate::format::layout::ObjectName;
use crate::format::mark::{Action, MARK_TEXT_MAX, MarkRecord};
use crate::format::record::Extra;
use crate::format::sealed::ObjectType;
use crate::index::{DestinationBits, IndexReader, MarkRow};
use crate::replicate::OpenDestination;
use crate::snapshot::Marks;

/// Fails where one of these cannot be a tag.
///
/// # Errors
/// [`Error::Usage`].
pub(crate) fn require_tags<'t>(tags: impl IntoIterator<Item = &'t String>) -> Result<(), Error> {
    if tags.into_iter().any(|tag| tag.is_empty() || tag.len() > MARK_TEXT_MAX) {
        return Err(Error::Usage(format!("a tag has 1 to {MARK_TEXT_MAX} bytes")));
    }
    Ok(())
}

impl Repo {
    /// All decisions, as one consistent view of the index has them.
    ///
    /// # Errors
    /// [`Error::Index`].
    pub(crate) fn marks(&self, view: &IndexReader) -> Result<Marks, Error> {
        Ok(Marks::load(view)?)
    }

    /// Makes a decision and puts it on every destination within reach: first there, then into the index.
    ///
    /// # Errors
    /// [`Error::NoDestination`] where it is durable nowhere; nothing was decided then.
    pub(crate) fn decide(&mut self, action: Action) -> Result<(), Error> {
        self.decide_with(action, Extra::new())
    }

    /// The same with additions.
    pub(super) fn decide_with(&mut self, action: Action, extra: Extra) -> Result<(), Error> {
        let highest = Marks::load(&self.index.reader()?)?.highest_sequence();
        let format = |source| Error::Format { object: "mark".to_owned(), source };
        let record = MarkRecord { writer: self.writer_id()?, sequence: highest + 1, made: self.now(), action, extra };
        record.validate().map_err(format)?;
        let record = record.encode().map_err(format)?;
        let stored = self.keys.seal_record(ObjectType::Mark, &record)?;
        let hash = ObjectHash::of(&stored);
        let mut row = MarkRow { present: 0, record, stored };
        let mut lost = Vec::new();
        for destination in &self.destinations {
            match put_mark(destination, &hash, &row.stored) {
                Ok(()) => row.present |= destination.bit,
                Err(error) => lost.push((destination.clone(), error)),
            }
        }
        for (destination, error) in lost {
            self.lose(&destination, &error);
        }
        if row.present == 0 {
            return Err(self.no_destination());
        }
        let mut writer = self.index.writer()?;
        writer.put_mark(&hash, &row)?;
        writer.commit()?;
        self.expect_mark(&hash, row.present)
    }

    /// Puts the marks that a destination lacks. One where that fails is out of this run.
    pub(super) fn put_missing_marks(&mut self) -> Result<(), Error> {
        let reachable: DestinationBits = self.destinations.iter().map(|known| known.bit).fold(0, |a, b| a | b);
        let mut missing = Vec::new();
        self.index.reader()?.each_mark(|hash, row| -> Result<(), Error> {
            if row.present & reachable != reachable {
                missing.push((hash, row));
            }
            Ok(())
        })?;
        if missing.is_empty() {
            return Ok(());
        }
        let mut lost = Vec::new();
        for destination in &self.destinations {
            let lacking = missing.iter_mut().filter(|(_, row)| row.present & destination.bit == 0);
            for (hash, row) in lacking {
                match put_mark(destination, hash, &row.stored) {
                    Ok(()) => row.present |= destination.bit,
                    Err(error) => {
                        lost.push((destination.clone(), error));
                        break;
                    }
                }
            }
        }
        let mut writer = self.index.writer()?;
        for (hash, row) in &missing {
            writer.put_mark(hash, row)?;
        }
        writer.commit()?;
        for (destination, error) in lost {
            self.lose(&destination, &error);
        }
        Ok(())
    }

    pub(crate) fn writer_id(&self) -> Result<WriterId, Error> {
        // A run that writes begins with `prepare_to_write`.
        let writer = self.writer.as_ref();
        Ok(writer.ok_or_else(|| Error::Usage("this state folder has no writer".to_owned()))?.id)
    }
}

fn put_mark(destination: &OpenDestination, hash: &ObjectHash, stored: &[u8]) -> Result<(), DestinationError> {
    let name = ObjectName::Mark(*hash);
    match destination.place.put(&name, stored) {
        // These bytes were opened and have that name, so what is there is damaged.
        Err(error) if error.kind == DestinationErrorKind::Damaged => destination.place.replace(&name, stored)?,
        result => drop(result?),
    }
    destination.place.settle(Settle::Touched)
}
