//! §11 Snapshots: one version of everything, the record whose presence on a destination is the commit.

use serde::{Deserialize, Serialize};

use super::FormatError;
use super::id::{PackId, SnapshotId, WriterId};
use super::record::{Extra, Time, versioned};
use super::tree::{Bytes, Node};

/// What was counted while a root was read. For a carried root: what its reader counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RootCounts {
    /// Regular files.
    pub files: u64,
    /// Folders, the root among them.
    pub folders: u64,
    /// Symbolic links, pipes, sockets and devices.
    pub others: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Entries left out by excludes.
    pub excluded: u64,
    /// Entries with a problem.
    pub problems: u64,
}

/// One source in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Absolute path of the source, as bytes.
    #[serde(with = "serde_bytes")]
    pub path: Bytes,
    /// The source itself: a node without a name.
    pub node: Node,
    /// The snapshot that read it, when this one did not.
    pub carried_from: Option<SnapshotId>,
    /// When the scan that read it began.
    pub scanned: Time,
    /// What was counted; with at least one problem where a run could not read the source since.
    pub counts: RootCounts,
}

/// Tag of the addition of a snapshot that says why the run looked suspect.
pub const SUSPECT_TAG: u32 = 5;

/// A source that looked suspect, against the files that the last snapshot of it had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspectSource {
    /// Its path.
    #[serde(with = "serde_bytes")]
    pub path: Bytes,
    /// Files it had.
    pub files: u64,
    /// How many of them have another content.
    pub changed: u64,
    /// How many of those have one that looks random.
    pub opaque: u64,
    /// How many are gone, and were not moved.
    pub gone: u64,
}

/// Why the run looked suspect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Suspicion {
    /// The sources that did, sorted by path.
    pub sources: Vec<SuspectSource>,
}

impl Suspicion {
    /// As an addition of a snapshot.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn encode(&self) -> Result<(u32, Vec<u8>), FormatError> {
        Ok((SUSPECT_TAG, super::record::encode("suspicion", self)?))
    }

    /// From the additions of a snapshot; none where there is none of this tag, or none that can be understood.
    pub fn find(extra: &Extra) -> Option<Self> {
        let (_, bytes) = extra.iter().find(|(tag, _)| *tag == SUSPECT_TAG)?;
        super::record::decode("suspicion", bytes).ok()
    }
}

versioned!(SnapshotRoot, Snapshot, "snapshot");

/// One version of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Who wrote it.
    pub writer: WriterId,
    /// Its number among that writer's snapshots, from 1.
    pub sequence: u64,
    /// The snapshot it goes on from: that writer's last one, or the one `connect` found.
    pub previous: Option<SnapshotId>,
    /// When the run began.
    pub started: Time,
    /// When the record was made.
    pub finished: Time,
    /// Offset of local time from UTC then, in seconds.
    pub zone_offset: i32,
    /// Name of the machine.
    pub machine: String,
    /// Name of the user.
    pub user: String,
    /// The sources, sorted by path.
    pub roots: Vec<Root>,
    /// [`Snapshot::SUSPECT`], [`Snapshot::PARTIAL`], [`Snapshot::HISTORY`], [`Snapshot::CHOSEN`], added up.
    pub flags: u32,
    /// Words given by the user.
    pub tags: Vec<String>,
    /// Number of packs written for it.
    pub packs_written: u32,
    /// BLAKE3 of the ids of those packs, sorted and joined.
    pub packs_digest: [u8; 32],
    /// The highest version number this writer ever gave, to go on from when older snapshots cannot be reached.
    pub version_ceiling: u32,
    /// Additions.
    pub extra: Extra,
}

impl Snapshot {
    /// The run looked suspect.
    pub const SUSPECT: u32 = 1;
    /// Not everything was reached.
    pub const PARTIAL: u32 = 2;
    /// A history: its roots hold versions and not a state of the sources (section 12).
    pub const HISTORY: u32 = 4;
    /// Only what somebody chose was read.
    pub const CHOSEN: u32 = 8;
    const FLAGS_KNOWN: u32 = Self::SUSPECT | Self::PARTIAL | Self::HISTORY | Self::CHOSEN;

    /// Whether not everything was reached.
    pub fn is_partial(&self) -> bool {
        self.flags & Self::PARTIAL != 0
    }

    /// Whether its sources were read to the end: it is a backup of all of them that were read.
    pub fn is_whole(&self) -> bool {
        self.flags & (Self::PARTIAL | Self::CHOSEN) == 0
    }

    /// Whether this is a history.
    pub fn is_history(&self) -> bool {
        self.flags & Self::HISTORY != 0
    }

    /// The sources that looked suspect: those named, or where that is not known all that were read.
    pub fn suspect_sources(&self) -> Vec<SuspectSource> {
        if self.flags & Self::SUSPECT == 0 {
            return Vec::new();
        }
        if let Some(suspicion) = Suspicion::find(&self.extra) {
            return suspicion.sources;
        }
        let read = self.roots.iter().filter(|root| root.carried_from.is_none());
        let all = read.map(|root| SuspectSource { path: root.path.clone(), files: 0, changed: 0, opaque: 0, gone: 0 });
        all.collect()
    }

    /// The root at `path`.
    pub fn root(&self, path: &[u8]) -> Option<&Root> {
        self.roots.iter().find(|root| root.path == path)
    }

    /// Checks what can be seen in the record alone.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn validate(&self) -> Result<(), FormatError> {
        let bad = |why| Err(FormatError::Record("snapshot", why));
        if !self.roots.is_sorted_by(|left, right| left.path < right.path) {
            return bad("its sources are not in ascending order");
        }
        if self.roots.iter().any(|root| !root.node.name.is_empty() || root.path.contains(&0)) {
            return bad("a source has a name");
        }
        self.roots.iter().try_for_each(|root| root.node.validate_unnamed())?;
        if self.sequence == 0 || self.flags & !Self::FLAGS_KNOWN != 0 {
            return bad("a number is out of range");
        }
        Ok(())
    }
}

/// The digest of a set of packs.
pub fn packs_digest(packs: &mut Vec<PackId>) -> [u8; 32] {
    packs.sort_unstable();
    packs.dedup();
    let mut hasher = blake3::Hasher::new();
    for pack in packs {
        hasher.update(pack.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::recipe::Recipe;
    use super::super::tree::{Flags, Metadata, NodeKind};
    use super::*;

    fn root(path: &[u8]) -> Root {
        Root {
            path: path.to_vec(),
            node: Node {
                name: Vec::new(),
                kind: NodeKind::Folder(Recipe::EMPTY),
                metadata: Metadata::default(),
                version: 0,
                flags: Flags::NONE,
                extra: Extra::new(),
            },
            carried_from: None,
            scanned: Time { seconds: 1, nanos: 0 },
            counts: RootCounts::default(),
        }
    }

    #[test]
    fn exact_bytes_of_a_snapshot() {
        let snapshot = Snapshot {
            writer: WriterId::from_bytes([1; 16]),
            sequence: 2,
            previous: Some(SnapshotId::from_bytes([3; 32])),
            started: Time { seconds: 1, nanos: 0 },
            finished: Time { seconds: 2, nanos: 5 },
            zone_offset: 3600,
            machine: "m".into(),
            user: "u".into(),
            roots: vec![root(b"/a")],
            flags: 1,
            tags: vec!["t".into()],
            packs_written: 1,
            packs_digest: [9; 32],
            version_ceiling: 4,
            extra: Extra::new(),
        };
        assert_eq!(snapshot.validate(), Ok(()));
        let bytes = snapshot.encode().expect("a small record");
        let mut expected = vec![0];
        expected.extend([1; 16]);
        expected.extend([2, 1]);
        expected.extend([3; 32]);
        expected.extend([2, 0, 4, 5, 0xA0, 0x38, 1, b'm', 1, b'u', 1, 2, b'/', b'a']);
        expected.extend([0, 1, 0, 0, 0]); // the root's node: no name, a folder, its empty recipe
        expected.extend([0; 13]); // its metadata
        expected.extend([0, 0, 0]); // its version, flags, additions
        expected.extend([0, 2, 0, 0, 0, 0, 0, 0, 0]); // read here, scanned, counts
        expected.extend([1, 1, 1, b't', 1]);
        expected.extend([9; 32]);
        expected.extend([4, 0]);
        assert_eq!(bytes, expected);
        assert_eq!(Snapshot::decode(&bytes), Ok(snapshot.clone()));

        let mut odd = snapshot.clone();
        odd.roots[0].node.metadata.mode = 0o40755;
        assert!(odd.validate().is_err(), "the root of a source obeys the rules of every node");
        let unsorted = Snapshot { roots: vec![root(b"/b"), root(b"/a")], ..snapshot.clone() };
        assert!(unsorted.validate().is_err());

        assert!(!snapshot.is_history());
        let history = Snapshot { flags: Snapshot::HISTORY | Snapshot::PARTIAL, ..snapshot.clone() };
        assert!(history.is_history());
        assert_eq!(history.validate(), Ok(()));
        let unknown = Snapshot { flags: 16, ..snapshot };
        assert!(unknown.validate().is_err());
    }

    #[test]
    fn the_digest_is_of_the_set() {
        let [a, b] = [PackId::of(b"a"), PackId::of(b"b")];
        assert_eq!(packs_digest(&mut vec![a, b]), packs_digest(&mut vec![b, a, b]));
        assert_ne!(packs_digest(&mut vec![a]), packs_digest(&mut vec![a, b]));
    }
}
