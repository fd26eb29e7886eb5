//! §10 Trees: one per folder, a stream of nodes sorted by name.
//!
//! The stream is `0x01` (its version), then for each node a varint length and the node as postcard. It is cut into
//! chunks of kind tree like any other stream, so a folder of a million files is neither read nor written whole.

use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use super::record::{Extra, Time};
use super::{FormatError, NAME_LEN_MAX, NODE_LEN_MAX};

/// First byte of a tree's stream.
pub const TREE_VERSION: u8 = 1;

/// Bytes of a name, a link's target or an attribute.
pub type Bytes = Vec<u8>;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeKind {
    /// A regular file and its content.
    File(Recipe),
    /// A folder and the stream of its nodes.
    Folder(Recipe),
    /// A symbolic link and its target, as it was.
    Symlink(#[serde(with = "serde_bytes")] Bytes),
    /// A named pipe.
    Fifo,
    /// A socket; recorded, not restored.
    Socket,
    /// A character device: major, minor.
    CharDevice(u32, u32),
    /// A block device: major, minor.
    BlockDevice(u32, u32),
}

/// An extended attribute: name and value. POSIX ACLs are attributes too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    #[serde(with = "serde_bytes")]
    pub name: Bytes,
    /// Its value.
    #[serde(with = "serde_bytes")]
    pub value: Bytes,
}

/// What a file system keeps about an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Permission bits, with set-user, set-group and sticky: the low 12 bits of `st_mode`.
    pub mode: u32,
    /// Owner number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// Owner name, where there is one.
    pub user: Option<String>,
    /// Group name, where there is one.
    pub group: Option<String>,
    /// Last change of the content.
    pub mtime: Time,
    /// Last change of anything.
    pub ctime: Time,
    /// Inode number.
    pub inode: u64,
    /// Number of names of the inode.
    pub links: u64,
    /// Where `links` > 1: which of the source's devices, counted from 1 in the order they were met. Else 0.
    pub device: u32,
    /// Extended attributes, sorted by name.
    pub attributes: Vec<Attribute>,
}

impl Metadata {
    /// Device and inode, as stored, of what has several names.
    pub fn shared_inode(&self) -> Option<(u32, u64)> {
        (self.links > 1 && self.device > 0).then_some((self.device, self.inode))
    }
}

/// Tag of the addition of a node that says since when its content is known.
pub const SINCE_TAG: u32 = 3;

/// What is not as usual about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flags(u8);

impl Flags {
    /// Nothing.
    pub const NONE: Flags = Flags(0);
    /// Not read in this run: the previous node stands for it.
    pub const CARRIED: Flags = Flags(1);
    /// Could not be read, and there was no previous one.
    pub const UNREAD: Flags = Flags(2);
    /// Read again next time: changed while it was read, stored with the metadata from before; or attributes are missing.
    pub const UNSETTLED: Flags = Flags(4);
    const KNOWN: u8 = 7;

    /// Whether all of `other` is set.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One entry's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// One path component; empty for the root of a source.
    #[serde(with = "serde_bytes")]
    pub name: Bytes,
    /// What it is.
    pub kind: NodeKind,
    /// What the file system keeps about it.
    pub metadata: Metadata,
    /// The number of its content among all its path ever had, from 1; 0 for folders.
    pub version: u32,
    /// What is not as usual.
    pub flags: Flags,
    /// Additions.
    pub extra: Extra,
}

impl Node {
    /// Number of bytes of content: of a file those stored, of others 0.
    pub fn size(&self) -> u64 {
        match &self.kind {
            NodeKind::File(recipe) => recipe.size,
            _ => 0,
        }
    }

    /// When the run began that gave the node its number: its version is known since then, also when the snapshots of that
    /// time are gone. None where it is not told, or not understood.
    pub fn since(&self) -> Option<Time> {
        let (_, bytes) = self.extra.iter().find(|(tag, _)| *tag == SINCE_TAG)?;
        super::record::decode("since", bytes).ok()
    }

    /// Says since when the node's version is known.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn set_since(&mut self, since: Option<Time>) -> Result<(), FormatError> {
        self.extra.retain(|(tag, _)| *tag != SINCE_TAG);
        if let Some(since) = since {
            self.extra.push((SINCE_TAG, super::record::encode("since", &since)?));
        }
        Ok(())
    }

    /// The folder's stream, if it is one.
    pub fn folder(&self) -> Option<&Recipe> {
        match &self.kind {
            NodeKind::Folder(recipe) => Some(recipe),
            _ => None,
        }
    }

    /// Whether the two have the same content: the same bytes for files, the same target for links. What counts as a
    /// version.
    pub fn same_content(&self, other: &Node) -> bool {
        match (&self.kind, &other.kind) {
            (NodeKind::Folder(_), NodeKind::Folder(_)) => true,
            (left, right) => left == right,
        }
    }

    /// The node's bytes in a tree's stream, with their length before them.
    ///
    /// # Errors
    /// [`FormatError::Limit`] for a node larger than any reader accepts.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let node = super::record::encode("node", &NodeRef::V1(self))?;
        if node.len() > NODE_LEN_MAX {
            return Err(FormatError::Limit("length of a node"));
        }
        let mut out = super::record::encode("node", &(node.len() as u64))?;
        out.extend_from_slice(&node);
        Ok(out)
    }

    /// Takes one node off the front of `bytes`; `None` when they end inside it.
    ///
    /// # Errors
    /// [`FormatError`] for bytes that no valid node starts with.
    pub fn take(bytes: &[u8]) -> Result<Option<(Self, &[u8])>, FormatError> {
        let (len, rest) = match postcard::take_from_bytes::<u64>(bytes) {
            Ok(taken) => taken,
            Err(postcard::Error::DeserializeUnexpectedEnd) => return Ok(None),
            Err(_) => return Err(FormatError::Record("node", "its length cannot be decoded")),
        };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > NODE_LEN_MAX {
            return Err(FormatError::Limit("length of a node"));
        }
        let Some((node, rest)) = rest.split_at_checked(len) else { return Ok(None) };
        let NodeRoot::V1(node) = super::record::decode("node", node)?;
        node.validate()?;
        Ok(Some((node, rest)))
    }

    fn validate(&self) -> Result<(), FormatError> {
        if !is_component(&self.name) {
            return Err(FormatError::Record("node", "its name is not one path component"));
        }
        self.validate_unnamed()
    }

    /// Checks everything but the name, which the root of a source does not have.
    pub(super) fn validate_unnamed(&self) -> Result<(), FormatError> {
        let bad = |why| Err(FormatError::Record("node", why));
        if self.flags.0 & !Flags::KNOWN != 0 {
            return bad("it has unknown flags");
        }
        if self.metadata.mode & !0o7777 != 0 {
            return bad("its mode has more than permission bits");
        }
        if [self.metadata.mtime, self.metadata.ctime].iter().any(|time| time.nanos >= 1_000_000_000) {
            return bad("a time has too many nanoseconds");
        }
        match &self.kind {
            NodeKind::File(recipe) | NodeKind::Folder(recipe) => recipe.validate(),
            NodeKind::Symlink(target) if target.contains(&0) => bad("its target holds a zero byte"),
            _ => Ok(()),
        }
    }
}

/// Whether `name` can be one component of a path on any system: not empty, not `.` or `..`, no `/`, no zero byte.
pub fn is_component(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= NAME_LEN_MAX
        && name != b"."
        && name != b".."
        && !name.contains(&b'/')
        && !name.contains(&0)
}

#[derive(Serialize)]
enum NodeRef<'a> {
    V1(&'a Node),
}

#[derive(Deserialize)]
enum NodeRoot {
    V1(Node),
}

/// Reads a tree's stream in pieces and gives its nodes, checking that names ascend.
#[derive(Default)]
pub struct TreeDecoder {
    buffer: Vec<u8>,
    start: usize,
    has_version: bool,
    last_name: Option<Bytes>,
}

impl TreeDecoder {
    /// Adds the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// How much was fed and not given yet.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next node, or `None` until more is fed.
    ///
    /// # Errors
    /// [`FormatError`] for anything but a tree.
    pub fn next_node(&mut self) -> Result<Option<Node>, FormatError> {
        if !self.has_version {
            let Some(&version) = self.buffer.get(self.start) else { return Ok(None) };
            if version != TREE_VERSION {
                return Err(FormatError::Unsupported { version: version.into(), features: 0 });
            }
            self.start += 1;
            self.has_version = true;
        }
        let pending = self.buffer.get(self.start..).unwrap_or_default();
        let Some((node, rest)) = Node::take(pending)? else { return Ok(None) };
        self.start = self.buffer.len() - rest.len();
        if self.last_name.as_ref().is_some_and(|last| *last >= node.name) {
            return Err(FormatError::Record("tree", "names are not in ascending order"));
        }
        self.last_name = Some(node.name.clone());
        Ok(Some(node))
    }

    /// Checks that the stream ended between two nodes.
    ///
    /// # Errors
    /// [`FormatError::Truncated`].
    pub fn finish(self) -> Result<(), FormatError> {
        if self.has_version && self.start == self.buffer.len() { Ok(()) } else { Err(FormatError::Truncated) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &[u8]) -> Node {
        Node {
            name: name.to_vec(),
            kind: NodeKind::Symlink(b"x/y".to_vec()),
            metadata: Metadata {
                mode: 0o777,
                uid: 1000,
                gid: 100,
                user: Some("ada".into()),
                group: None,
                mtime: Time { seconds: 2, nanos: 3 },
                ctime: Time { seconds: -1, nanos: 0 },
                inode: 300,
                links: 1,
                device: 0,
                attributes: vec![Attribute { name: b"user.a".to_vec(), value: vec![0] }],
            },
            version: 1,
            flags: Flags::CARRIED,
            extra: Extra::new(),
        }
    }

    #[test]
    fn exact_bytes_of_a_node() {
        let node = node(b"n");
        let bytes = node.encode().expect("a small node");
        let mut expected = vec![40, 0, 1, b'n', 2, 3];
        expected.extend(b"x/y");
        expected.extend([0xFF, 0x03, 0xE8, 0x07, 100, 1, 3]);
        expected.extend(b"ada");
        expected.extend([0, 4, 3, 1, 0, 0xAC, 0x02, 1, 0, 1, 6]);
        expected.extend(b"user.a");
        expected.extend([1, 0, 1, 1, 0]);
        assert_eq!(bytes, expected);
        assert_eq!(Node::take(&bytes), Ok(Some((node, &[][..]))));
        for end in 0..bytes.len() {
            assert_eq!(Node::take(&bytes[..end]), Ok(None), "cut at {end}");
        }
    }

    #[test]
    fn exact_bytes_of_since() {
        let mut node = node(b"n");
        node.extra = vec![(9, vec![1])];
        assert_eq!(node.since(), None);
        let since = Time { seconds: -1, nanos: 300 };
        for _ in 0..2 {
            node.set_since(Some(since)).expect("a small record");
            assert_eq!(node.extra, [(9, vec![1]), (3, vec![1, 0xAC, 0x02])]);
        }
        assert_eq!(node.since(), Some(since));
        node.set_since(None).expect("a small record");
        assert_eq!(node.extra, [(9, vec![1])], "what is not known stays");
        for not_understood in [&[][..], &[1], &[1, 0xAC], &[1, 0xAC, 0x02, 0]] {
            node.extra = vec![(3, not_understood.to_vec())];
            assert_eq!(node.since(), None, "{not_understood:?}");
        }
    }

    #[test]
    fn a_stream_is_read_in_any_pieces_and_must_be_sorted() {
        let nodes = [node(b"A"), node(b"a"), node(b"a.b"), node(&[0xFF, 0xFE])];
        let mut stream = vec![TREE_VERSION];
        for node in &nodes {
            stream.extend(node.encode().expect("a small node"));
        }
        for step in [1, 7, stream.len()] {
            let mut decoder = TreeDecoder::default();
            let mut found = Vec::new();
            for piece in stream.chunks(step) {
                decoder.feed(piece);
                while let Some(node) = decoder.next_node().expect("a valid stream") {
                    found.push(node);
                }
            }
            decoder.finish().expect("the end of the stream");
            assert_eq!(found, nodes);
        }
        for order in [[b"b", b"a"], [b"a", b"a"]] {
            let mut decoder = TreeDecoder::default();
            decoder.feed(&[TREE_VERSION]);
            for name in order {
                decoder.feed(&node(name).encode().expect("a small node"));
            }
            assert!(decoder.next_node().expect("the first").is_some());
            assert!(decoder.next_node().is_err(), "{order:?}");
        }
        let mut decoder = TreeDecoder::default();
        decoder.feed(&[2]);
        assert!(decoder.next_node().is_err(), "a version this program does not know");
    }

    #[test]
    fn hostile_names_are_not_nodes() {
        for name in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", &[b'x'; NAME_LEN_MAX + 1]] {
            let bytes = node(name).encode().expect("encoding does not judge");
            assert!(Node::take(&bytes).is_err(), "{name:?}");
        }
    }
}
