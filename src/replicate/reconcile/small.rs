//! Small objects: read whole, and opened.

use crate::destination::{DestinationError, DestinationErrorKind};
use crate::format::layout::ObjectName;
use crate::format::mark::MarkRecord;
use crate::format::sealed::ObjectType;
use crate::format::snapshot::Snapshot;
use crate::replicate::OpenDestination;
use crate::seal::Keys;

/// A small object, or what is wrong with it; nothing where nothing of that name is there. Fails only where the destination
/// does.
pub(super) fn read_whole(
    destination: &OpenDestination,
    name: &ObjectName,
) -> Result<Option<Result<Vec<u8>, String>>, DestinationError> {
    match destination.place.get(name, None) {
        Ok(stored) => Ok(Some(Ok(stored))),
        Err(error) if error.kind == DestinationErrorKind::Damaged => Ok(Some(Err(error.reason))),
        Err(error) if error.kind == DestinationErrorKind::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

/// The record inside a stored mark, or what is wrong with it.
pub(super) fn open_mark(keys: &Keys, name: &ObjectName, stored: &[u8]) -> Result<Vec<u8>, String> {
    if !name.matches(stored) {
        return Err("its bytes do not match its name".to_owned());
    }
    let record = keys.open_record(ObjectType::Mark, stored).map_err(|error| error.to_string())?;
    let mark = MarkRecord::decode(&record).map_err(|error| error.to_string())?;
    mark.validate().map_err(|error| error.to_string())?;
    Ok(record)
}

/// The record inside a stored snapshot, or what is wrong with it.
pub(super) fn open_snapshot(keys: &Keys, name: &ObjectName, stored: &[u8]) -> Result<Vec<u8>, String> {
    if !name.matches(stored) {
        return Err("its bytes do not match its name".to_owned());
    }
    let record = keys.open_record(ObjectType::Snapshot, stored).map_err(|error| error.to_string())?;
    let snapshot = Snapshot::decode(&record).map_err(|error| error.to_string())?;
    snapshot.validate().map_err(|error| error.to_string())?;
    Ok(record)
}
