//! What is wrong with the stored bytes of one object: without a key, and of a pack also with one.

use crate::destination::reserve_bytes;
use crate::format::FormatError;
use crate::format::header::{DestinationMark, RepoHeader};
use crate::format::layout::ObjectName;
use crate::format::pack::{End, PACK_HEAD_LEN, PackHead};
use crate::format::sealed::{ObjectType, RecordHead};
use crate::format::slot::Slot;
use crate::pack::PackReader;
use crate::seal::Keys;

/// What can be found out about an object without a key: whether its bytes are those its name stands for, and whether
/// they are what belongs into its folder. Each finding is a sentence without a full stop.
pub fn faults(name: &ObjectName, stored: &[u8]) -> Vec<String> {
    let mut faults = Vec::new();
    if !name.matches(stored) {
        faults.push("its bytes do not match its name".to_owned());
    }
    let layout = match name {
        ObjectName::Header => RepoHeader::decode(stored).map(drop),
        ObjectName::DestinationMark => DestinationMark::decode(stored).map(drop),
        ObjectName::Reserve => {
            if stored != reserve_bytes() {
                faults.push("its bytes are not those that were written".to_owned());
            }
            Ok(())
        }
        ObjectName::Slot(_) => Slot::decode(stored).map(drop),
        ObjectName::Pack(_) => pack_ends(stored),
        ObjectName::Ring(..) => record(stored, ObjectType::Ring),
        ObjectName::Config(..) => record(stored, ObjectType::Config),
        ObjectName::Writer(_) => record(stored, ObjectType::Writer),
        ObjectName::Snapshot(_) => record(stored, ObjectType::Snapshot),
        ObjectName::Mark(_) => record(stored, ObjectType::Mark),
        ObjectName::Cleaning(_) => record(stored, ObjectType::Cleaning),
    };
    match layout {
        // A newer program wrote it: not damage, as long as its name fits.
        Ok(()) | Err(FormatError::Unsupported { .. }) => {}
        Err(error) => faults.push(error.to_string()),
    }
    faults
}

fn record(stored: &[u8], object: ObjectType) -> Result<(), FormatError> {
    let (head, _) = RecordHead::split(stored)?;
    if head.object == object.code() { Ok(()) } else { Err(FormatError::UnknownKind(head.object)) }
}

fn pack_ends(stored: &[u8]) -> Result<(), FormatError> {
    let head = stored.first_chunk::<PACK_HEAD_LEN>().ok_or(FormatError::Truncated)?;
    let foot = stored.last_chunk::<PACK_HEAD_LEN>().ok_or(FormatError::Truncated)?;
    PackHead::decode(End::Head, head)?;
    PackHead::decode(End::Foot, foot)?;
    Ok(())
}

/// What is wrong with what is inside a pack: whether it opens, block by block, and every chunk is what its id says.
pub fn pack_faults(keys: &Keys, stored: &[u8]) -> Vec<String> {
    let reader = PackReader::new(keys);
    let opened = match reader.open_bytes(stored) {
        Ok(opened) => opened,
        Err(error) => return vec![format!("it cannot be opened: {error}")],
    };
    let mut faults = Vec::new();
    for place in opened.blocks() {
        let range = place.offset as usize..(place.offset + u64::from(place.entry.sealed_len)) as usize;
        let sealed = stored.get(range).map(<[u8]>::to_vec).unwrap_or_default();
        if let Err(error) = reader.open_block(&opened.seal, opened.directory.kind, &place, sealed) {
            faults.push(format!("block {}: {error}", place.number));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::id::{ObjectHash, RepoId, SnapshotId};

    #[test]
    fn bytes_in_a_folder_they_do_not_belong_into_are_found_though_their_name_fits() {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let stored = keys.seal_record(ObjectType::Snapshot, b"a record").expect("sealed");
        let snapshot = ObjectName::Snapshot(SnapshotId::of(&stored));
        assert_eq!(faults(&snapshot, &stored), Vec::<String>::new());
        let hash = ObjectHash::of(&stored);
        for name in [ObjectName::Mark(hash), ObjectName::Slot(hash), ObjectName::Config(1, hash)] {
            assert_eq!(faults(&name, &stored).len(), 1, "{name}");
        }
        let mut changed = stored;
        changed[100] ^= 1;
        assert_eq!(faults(&snapshot, &changed), ["its bytes do not match its name"]);
    }
}
