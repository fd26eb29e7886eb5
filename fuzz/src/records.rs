//! Records: the envelope, and what is in it.

use cryptbackup::chunk::Chunker;
use cryptbackup::format::FormatError;
use cryptbackup::format::cleaning::{Announcement, CONDEMNED_MAX, CleaningRecord};
use cryptbackup::format::history::{MERGED_TAG, Merged, Place, SEEN_TAG, Seen};
use cryptbackup::format::mark::{ACCEPTED_TAG, Accepted, Action, MARK_TEXT_MAX, MarkRecord};
use cryptbackup::format::record::{ConfigRecord, RingRecord, WriterRecord};
use cryptbackup::format::sealed::{ObjectType, RECORD_HEAD_LEN, RecordHead, pad_record, unpad_record};
use cryptbackup::format::snapshot::{SUSPECT_TAG, Snapshot, Suspicion};
use cryptbackup::format::tree::Node;

use crate::keys::{REPO, keys};

/// Every type of object.
pub const TYPES: [ObjectType; 7] = [
    ObjectType::Pack,
    ObjectType::Snapshot,
    ObjectType::Config,
    ObjectType::Ring,
    ObjectType::Writer,
    ObjectType::Mark,
    ObjectType::Cleaning,
];

/// The envelope, with bytes nobody sealed and with bytes that were.
pub fn sealed(data: &[u8]) {
    if let Ok((head, ciphertext)) = RecordHead::split(data) {
        assert_eq!([&head.encode()[..RECORD_HEAD_LEN], ciphertext].concat(), data);
    }
    for object in TYPES {
        assert!(keys().open_record(object, data).is_err(), "a record nobody sealed was opened");
    }
    if let Ok(record) = unpad_record(data) {
        let padded = pad_record(record).expect("it is shorter than what it was in");
        assert_eq!(unpad_record(&padded), Ok(record));
    }
    let stored = keys().seal_record(ObjectType::Snapshot, data).expect("a short record");
    assert_eq!(keys().open_record(ObjectType::Snapshot, &stored).as_deref(), Ok(data));
    assert!(keys().open_record(ObjectType::Config, &stored).is_err(), "one type was opened as another");
    // One bit, chosen by the input.
    let mut damaged = stored;
    let bit = data.iter().fold(data.len(), |at, byte| at.wrapping_mul(31).wrapping_add((*byte).into()));
    let bit = bit % (damaged.len() * 8);
    damaged[bit / 8] ^= 1 << (bit % 8);
    assert!(keys().open_record(ObjectType::Snapshot, &damaged).is_err(), "bit {bit} can be changed unnoticed");
}

/// What is decoded is encoded, and decoded to the same again. The bytes may differ: numbers can be written longer.
fn comes_back<T: PartialEq + std::fmt::Debug>(
    data: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, FormatError>,
    encode: impl Fn(&T) -> Result<Vec<u8>, FormatError>,
) -> Option<T> {
    let record = decode(data).ok()?;
    let encoded = encode(&record).expect("what was decoded can be encoded");
    assert_eq!(decode(&encoded).as_ref(), Ok(&record));
    Some(record)
}

/// Ring, config and writer.
pub fn records(data: &[u8]) {
    comes_back(data, RingRecord::decode, RingRecord::encode);
    comes_back(data, WriterRecord::decode, WriterRecord::encode);
    let Some(config) = comes_back(data, ConfigRecord::decode, ConfigRecord::encode) else { return };
    // Parameters that pass can be worked with.
    if config.header.repo == REPO || config.validate().is_ok() {
        let Ok(()) = config.validate() else { return };
        let chunker = Chunker::new(&config.chunker, &[7; 32]);
        let max = chunker.max_bytes();
        chunker.cut_all(data, 0, true, |range| assert!((1..=max).contains(&range.len())));
    }
}

/// Snapshots.
pub fn snapshot(data: &[u8]) {
    let decode = |bytes: &[u8]| {
        Suspicion::find(&vec![(SUSPECT_TAG, bytes.to_vec())])
            .ok_or(FormatError::Record("suspicion", "it cannot be decoded"))
    };
    comes_back(data, decode, |suspicion: &Suspicion| suspicion.encode().map(|(_, bytes)| bytes));
    let Some(snapshot) = comes_back(data, Snapshot::decode, Snapshot::encode) else { return };
    // It may be anything, and must only be looked at.
    let _ = snapshot.suspect_sources();
    if snapshot.validate().is_ok() {
        assert!(snapshot.roots.iter().all(|root| snapshot.root(&root.path) == Some(root)));
    }
}

/// When a version was seen; which histories are in a history; and nodes of a tree, as places in one.
pub fn history(data: &[u8]) {
    let decode = |bytes: &[u8]| {
        let seen = Seen::find(&vec![(SEEN_TAG, bytes.to_vec())])?;
        Ok(seen.expect("there is an addition of its tag"))
    };
    comes_back(data, decode, |seen: &Seen| seen.encode().map(|(_, bytes)| bytes));
    let decode = |bytes: &[u8]| Merged::find(&vec![(MERGED_TAG, bytes.to_vec())]);
    comes_back(data, decode, |merged: &Merged| merged.encode().map(|(_, bytes)| bytes));
    let mut rest = data;
    while let Ok(Some((mut node, after))) = Node::take(rest) {
        if let Ok(place) = Place::of(&node) {
            assert_eq!(place.node_name(), node.name);
        }
        // It may be anything, and must only be looked at.
        let _ = Seen::find(&node.extra);
        let since = node.since();
        node.set_since(since).expect("a short record");
        assert_eq!(node.since(), since);
        rest = after;
    }
}

/// Decisions about snapshots.
pub fn mark(data: &[u8]) {
    let decode = |bytes: &[u8]| {
        let accepted = Accepted::find(&vec![(ACCEPTED_TAG, bytes.to_vec())])?;
        Ok(accepted.expect("there is an addition of its tag"))
    };
    comes_back(data, decode, |accepted: &Accepted| accepted.encode().map(|(_, bytes)| bytes));
    let Some(mark) = comes_back(data, MarkRecord::decode, MarkRecord::encode) else { return };
    if mark.validate().is_ok() {
        assert!(mark.sequence > 0);
        if let Action::Note { text, .. } = &mark.action {
            assert!(text.len() <= MARK_TEXT_MAX);
        }
    }
}

/// What writers and cleaners tell each other.
pub fn cleaning(data: &[u8]) {
    let Some(said) = comes_back(data, CleaningRecord::decode, CleaningRecord::encode) else { return };
    if said.validate().is_ok() {
        assert!(said.number > 0);
        if let Announcement::Condemned { packs, .. } = &said.announcement {
            assert!(packs.len() <= CONDEMNED_MAX && packs.is_sorted());
        }
    }
}
