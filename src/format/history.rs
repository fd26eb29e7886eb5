//! §12 Histories: what is kept of snapshots that are gone, one tree a source.
//!
//! A history is a [`Snapshot`](super::snapshot::Snapshot) with a flag, and its trees are ordinary trees, so whatever
//! copies, verifies or cleans snapshots does the same with histories. Only the names in its trees mean something else:
//!
//! ```text
//! d‖name      a folder with that name: a folder with the histories of what was in it
//! f‖name      any other entry: a folder with its versions; its number is the highest the path ever had
//! f           in the topmost folder: the same for the source itself, where that is or was no folder
//!   0000000002  a version: the node as it was, under its number; when it was seen is among its additions
//! ```
//!
//! An `f` folder without a tree has no versions left and is there for its number, which is never given again.

use serde::{Deserialize, Serialize};

use super::FormatError;
use super::id::SnapshotId;
use super::record::{Extra, Time};
use super::tree::Node;

/// First byte of the name of a folder in a history.
pub const FOLDER_PREFIX: u8 = b'd';
/// First byte of the name of anything else that has versions.
pub const VERSIONS_PREFIX: u8 = b'f';
/// Tag of the addition of a version that says when it was seen.
pub const SEEN_TAG: u32 = 1;
/// Tag of the addition of a history's record that says which others are in it.
pub const MERGED_TAG: u32 = 2;

/// When a version was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Time of the oldest snapshot that held it.
    pub first: Time,
    /// Time of the newest.
    pub last: Time,
    /// Name of the machine that stored it.
    pub machine: String,
    /// Whether the path was gone in the snapshot after.
    pub is_deleted_after: bool,
}

impl Seen {
    /// As an addition of a node.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn encode(&self) -> Result<(u32, Vec<u8>), FormatError> {
        Ok((SEEN_TAG, super::record::encode("seen", self)?))
    }

    /// From the additions of a node; none where there is none of this tag.
    ///
    /// # Errors
    /// [`FormatError::Record`], [`FormatError::Trailing`].
    pub fn find(extra: &Extra) -> Result<Option<Self>, FormatError> {
        match extra.iter().find(|(tag, _)| *tag == SEEN_TAG) {
            Some((_, bytes)) => super::record::decode("seen", bytes).map(Some),
            None => Ok(None),
        }
    }
}

/// The older histories whose versions are in a history, as far as they were wanted: these need not be kept beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Merged {
    /// Which.
    pub histories: Vec<SnapshotId>,
}

impl Merged {
    /// As an addition of a record.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn encode(&self) -> Result<(u32, Vec<u8>), FormatError> {
        Ok((MERGED_TAG, super::record::encode("merged", self)?))
    }

    /// From the additions of a history's record; empty where there is none of this tag.
    ///
    /// # Errors
    /// [`FormatError::Record`], [`FormatError::Trailing`].
    pub fn find(extra: &Extra) -> Result<Self, FormatError> {
        match extra.iter().find(|(tag, _)| *tag == MERGED_TAG) {
            Some((_, bytes)) => super::record::decode("merged", bytes),
            None => Ok(Self::default()),
        }
    }
}

/// What a node in a history's tree stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A folder with this name.
    Folder(&'a [u8]),
    /// The versions of an entry with this name; without one, of the source itself.
    Versions(&'a [u8]),
}

impl<'a> Place<'a> {
    /// What a node of a history's tree stands for.
    ///
    /// # Errors
    /// [`FormatError::Record`] for a node that has no place in a history.
    pub fn of(node: &'a Node) -> Result<Self, FormatError> {
        let bad = Err(FormatError::Record("history", "a node has no place in it"));
        if node.folder().is_none() {
            return bad;
        }
        match node.name.split_first() {
            Some((&FOLDER_PREFIX, name)) if !name.is_empty() => Ok(Place::Folder(name)),
            Some((&VERSIONS_PREFIX, name)) => Ok(Place::Versions(name)),
            _ => bad,
        }
    }

    /// The name of the node that stands for this place.
    pub fn node_name(self) -> Vec<u8> {
        match self {
            Place::Folder(name) => [&[FOLDER_PREFIX], name].concat(),
            Place::Versions(name) => [&[VERSIONS_PREFIX], name].concat(),
        }
    }
}

/// The name of a version's node: its number in ten digits; `copy` counts from 1 where another version has the number too.
pub fn version_name(number: u32, copy: u32) -> Vec<u8> {
    if copy == 0 { format!("{number:010}").into_bytes() } else { format!("{number:010}-{copy}").into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::Recipe;
    use super::super::tree::{Flags, Metadata, NodeKind};
    use super::*;

    fn node(name: &[u8], kind: NodeKind) -> Node {
        let metadata = Metadata::default();
        Node { name: name.to_vec(), kind, metadata, version: 1, flags: Flags::NONE, extra: Extra::new() }
    }

    #[test]
    fn exact_bytes_of_seen() {
        let seen = Seen {
            first: Time { seconds: -1, nanos: 300 },
            last: Time { seconds: 2, nanos: 0 },
            machine: "m".into(),
            is_deleted_after: true,
        };
        let addition = seen.encode().expect("a small record");
        assert_eq!(addition, (1, vec![1, 0xAC, 0x02, 4, 0, 1, b'm', 1]));
        assert_eq!(Seen::find(&vec![(9, vec![1]), addition.clone()]), Ok(Some(seen)));
        assert_eq!(Seen::find(&vec![(9, vec![1])]), Ok(None));
        let (tag, mut bytes) = addition;
        bytes.push(0);
        assert_eq!(Seen::find(&vec![(tag, bytes.clone())]), Err(FormatError::Trailing));
        for end in 0..bytes.len() - 1 {
            assert!(Seen::find(&vec![(tag, bytes[..end].to_vec())]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn exact_bytes_of_merged() {
        let merged = Merged { histories: vec![SnapshotId::from_bytes([3; 32]), SnapshotId::from_bytes([2; 32])] };
        let addition = merged.encode().expect("a small record");
        let bytes = [&[2][..], &[3; 32], &[2; 32]].concat();
        assert_eq!(addition, (2, bytes.clone()));
        assert_eq!(Merged::find(&vec![(9, vec![1]), addition, (2, vec![0])]), Ok(merged), "the first counts");
        assert_eq!(Merged::find(&vec![(9, vec![1])]), Ok(Merged::default()));
        assert_eq!(Merged::find(&vec![(2, [&bytes[..], &[0]].concat())]), Err(FormatError::Trailing));
        for end in 0..bytes.len() {
            assert!(Merged::find(&vec![(2, bytes[..end].to_vec())]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn folders_of_a_history_stand_for_paths() {
        let folder = |name: &[u8]| node(name, NodeKind::Folder(Recipe::EMPTY));
        for (name, place) in [
            (&b"dphotos"[..], Place::Folder(b"photos")),
            (b"fphotos", Place::Versions(b"photos")),
            (b"dd", Place::Folder(b"d")),
            (b"f", Place::Versions(b"")),
        ] {
            assert_eq!(Place::of(&folder(name)), Ok(place));
            assert_eq!(place.node_name(), name);
        }
        for name in [&b"d"[..], b"x", b"0000000001", b""] {
            assert!(Place::of(&folder(name)).is_err(), "{name:?}");
        }
        assert!(Place::of(&node(b"fphotos", NodeKind::Fifo)).is_err(), "only folders have a place");
    }

    #[test]
    fn names_of_versions_are_in_the_order_of_their_numbers() {
        let names = [version_name(2, 0), version_name(2, 1), version_name(10, 0), version_name(u32::MAX, 3)];
        let expected: [&[u8]; 4] = [b"0000000002", b"0000000002-1", b"0000000010", b"4294967295-3"];
        assert_eq!(names, expected);
        assert!(names.is_sorted());
    }
}
