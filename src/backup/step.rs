//! What the scan says of a source, entry by entry, and the nodes it makes for that.

use super::guard::Fingerprint;
use super::same::SameFolder;
use crate::format::FormatError;
use crate::format::recipe::Recipe;
use crate::format::record::{Extra, Time};
use crate::format::tree::{Flags, Metadata, Node, NodeKind};
use crate::report::Problem;
use crate::source::{Entry, EntryKind, FolderIdentity};

/// What the scan says of one entry.
pub(super) enum Step {
    /// A folder begins; its node has no stream yet.
    Enter(Node),
    /// The folder ends. With a recipe: nothing in it differs from the previous snapshot, and this is its stream.
    Leave(Option<Recipe>),
    /// A folder from its beginning to its end, in which nothing differs.
    Same(Box<SameFolder>),
    /// The node stands as it is: unchanged, carried, or of a kind without content. `is_unmodified`: whether it counts.
    Keep {
        /// The node.
        node: Box<Node>,
        /// The inode, where it has several names.
        link: Option<FolderIdentity>,
        /// Whether to count it as an unmodified file.
        is_unmodified: bool,
    },
    /// The file must be read.
    Read(Box<FileJob>),
    /// Another name of a file met earlier in this run.
    Link(Box<FileJob>),
    /// Something went wrong.
    Problem(Problem),
    /// A path is gone, and had this number; what tells it again where it was a file.
    Retire([u8; 32], u32, Option<Fingerprint>),
}

/// A file that must be read.
pub(super) struct FileJob {
    /// Where it is.
    pub entry: Entry,
    /// Its node, without content and, until it is opened, without metadata and what these are marked with.
    pub node: Node,
    /// Its previous node, if that was a file.
    pub previous: Option<Node>,
    /// The highest number its path ever had.
    pub highest_version: u32,
    /// The inode, where it has several names.
    pub link: Option<FolderIdentity>,
    /// It looks unchanged: it is read to see whether it is.
    pub is_recheck: bool,
    /// Its previous node has the ctime it had when it was read last: where a ctime is no change, it may have a later one.
    pub has_ctime: bool,
}

/// What stands for an entry that cannot be read and whose previous content is out of reach or never was.
pub(super) fn unread(name: Vec<u8>, entry: Option<&Entry>, previous: Option<Node>, version: u32) -> Node {
    let is_folder = match (entry, &previous) {
        (Some(entry), _) => entry.kind == EntryKind::Folder,
        (None, Some(previous)) => previous.folder().is_some(),
        (None, None) => false,
    };
    let kind = if is_folder { NodeKind::Folder(Recipe::EMPTY) } else { NodeKind::File(Recipe::EMPTY) };
    let mut metadata = previous.map(|previous| previous.metadata).unwrap_or_default();
    if let Some(entry) = entry {
        let stat = &entry.stat;
        (metadata.mode, metadata.uid, metadata.gid) = (stat.mode, stat.uid, stat.gid);
        (metadata.mtime, metadata.ctime) = (stat.mtime, stat.ctime);
        (metadata.inode, metadata.links) = (stat.inode, stat.links);
    }
    let version = if is_folder { 0 } else { version };
    Node { name, kind, metadata, version, flags: Flags::UNREAD, extra: Extra::new() }
}

/// Numbers a node whose previous one and whose path's highest number are known. A new number is known since the run that
/// gives it began.
pub(super) fn number(node: &mut Node, previous: Option<&Node>, highest: u32, started: Time) -> Result<(), FormatError> {
    let same = previous.filter(|previous| !previous.flags.contains(Flags::UNREAD) && previous.same_content(node));
    let (version, since) = match same {
        Some(previous) => (previous.version, previous.since()),
        None => (highest.saturating_add(1), Some(started)),
    };
    node.version = version;
    node.set_since(since)
}

/// What a node is marked with whose attributes could not all be read, so that the next run looks again.
pub(super) fn settled(attributes: Option<&Problem>) -> Flags {
    if attributes.is_some() { Flags::UNSETTLED } else { Flags::NONE }
}

/// A node for an entry, with what only its reading tells left open.
pub(super) fn node(entry: &Entry, kind: NodeKind, metadata: Metadata, version: u32) -> Node {
    Node { name: entry.name.clone(), kind, metadata, version, flags: Flags::NONE, extra: Extra::new() }
}
