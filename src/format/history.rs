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
use super::record::{Extra, Time};
use super::tree::Node;

/// First byte of the name of a folder in a history.
pub const FOLDER_PREFIX: u8 = b'd';
/// First byte of the name of anything else that has versions.
pub const VERSIONS_PREFIX: u8 = b'f';
/// Tag of the addition of a version that says when it was seen.
pub const SEEN_TAG: u32 = 1;

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
