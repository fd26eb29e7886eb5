//! The tiny repository of docs/format.md: its keys, its records as the library's types, its objects as stored bytes.

use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::id::{ChunkId, ChunkKind, DestinationId, ObjectHash, PackId, RepoId, SnapshotId, WriterId};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::pack::{BlockEntry, ChunkEntry, Compression, Directory, Extents};
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::{ConfigRecord, Extra, RingRecord, Time, WriterRecord};
use cryptbackup::format::slot::{ArgonCost, Slot, SlotKind};
use cryptbackup::format::snapshot::{Root, RootCounts, Snapshot, packs_digest};
use cryptbackup::format::tree::{Attribute, Flags, Metadata, Node, NodeKind};

use crate::words::{ObjectSeal, SLOT_CONTEXT, argon2id, derive, key_and_commitment, pack_len, seal};

pub const REPO: [u8; 16] = bytes_from(0x00);
pub const DESTINATION: [u8; 16] = bytes_from(0x10);
pub const WRITER: [u8; 16] = bytes_from(0x20);
pub const ROOT_KEY: [u8; 32] = bytes_from(0x30);
pub const DATA_ID_KEY: [u8; 32] = bytes_from(0x50);
pub const TREE_ID_KEY: [u8; 32] = bytes_from(0x70);
pub const CHUNKER_KEY: [u8; 32] = bytes_from(0x90);
pub const EPOCH_KEY: [u8; 32] = bytes_from(0xb0);
pub const INLINE: [u8; 32] = bytes_from(0xd0);
pub const RECOVERY: [u8; 32] = bytes_from(0xf0);
pub const PASSPHRASE: &str = "correct horse battery staple";
pub const JACK: &[u8] =
    b"All work and no play makes Jack a dull boy.\nAll work and no play makes Jack a dull boy.\nAll work and no play makes Jack a dull boy.\n";
pub const DISK_END: &[u8] = b"end\n";
pub const DISK_HOLE: u64 = 65536;
/// The snapshot before the one that is shown.
pub const GONE: [u8; 32] = [0xaa; 32];

/// The first byte of each salt; all 32 are the same.
pub const SALTS: [(&str, u8); 14] = [
    ("slot-inline", 1),
    ("slot-passphrase", 2),
    ("slot-recovery", 3),
    ("ring", 4),
    ("config", 5),
    ("writer", 6),
    ("pack", 7),
    ("tree-pack", 8),
    ("snapshot", 9),
    ("history-pack", 10),
    ("history", 11),
    ("forget", 12),
    ("session", 13),
    ("condemned", 14),
];

const fn bytes_from<const N: usize>(start: u8) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = start.wrapping_add(i as u8);
        i += 1;
    }
    bytes
}

pub fn salt(of: &str) -> [u8; 32] {
    let (_, byte) = SALTS.iter().find(|(name, _)| *name == of).expect("a salt of the example");
    [*byte; 32]
}

pub fn header() -> RepoHeader {
    RepoHeader::new(RepoId::from_bytes(REPO))
}

pub fn mark() -> DestinationMark {
    DestinationMark { repo: RepoId::from_bytes(REPO), destination: DestinationId::from_bytes(DESTINATION) }
}

/// The 32 bytes a slot's key is derived from.
pub fn slot_secret(kind: SlotKind) -> Vec<u8> {
    match kind {
        SlotKind::Inline => INLINE.to_vec(),
        SlotKind::Recovery => RECOVERY.to_vec(),
        SlotKind::Passphrase => argon2id(PASSPHRASE.as_bytes(), &salt("slot-passphrase"), 65536, 3, 4),
        SlotKind::KeyFile => blake3::hash(b"any file\n").as_bytes().to_vec(),
    }
}

pub fn slot(kind: SlotKind) -> Slot {
    let (name, cost) = match kind {
        SlotKind::Inline => ("slot-inline", ArgonCost::NONE),
        SlotKind::Passphrase => ("slot-passphrase", ArgonCost::DEFAULT),
        _ => ("slot-recovery", ArgonCost::NONE),
    };
    let salt = salt(name);
    let (key, commitment) = key_and_commitment(SLOT_CONTEXT, &slot_secret(kind), &REPO, &salt);
    let commitment = commitment.try_into().expect("32 bytes");
    let mut slot = Slot { kind, cost, repo: RepoId::from_bytes(REPO), salt, commitment, wrapped: [0; 48] };
    let stored = slot.encode();
    slot.wrapped = seal(&key, &[0; 12], &stored[..104], &ROOT_KEY).try_into().expect("32 bytes and a tag");
    slot
}

pub fn ring() -> RingRecord {
    RingRecord {
        number: 1,
        data_id_key: DATA_ID_KEY,
        tree_id_key: TREE_ID_KEY,
        chunker_key: CHUNKER_KEY,
        epochs: vec![(1, EPOCH_KEY)],
        extra: Extra::new(),
    }
}

pub fn config() -> ConfigRecord {
    ConfigRecord::new(header())
}

pub fn noon(second: i64) -> Time {
    Time { seconds: 1_795_435_200 + second, nanos: 0 }
}

pub fn writer() -> WriterRecord {
    WriterRecord {
        writer: WriterId::from_bytes(WRITER),
        created: noon(-60),
        machine: "engine".into(),
        user: "ada".into(),
        parent: None,
        extra: Extra::new(),
    }
}

pub fn chunk_id(kind: ChunkKind, bytes: &[u8]) -> ChunkId {
    let key = if kind == ChunkKind::Data { DATA_ID_KEY } else { TREE_ID_KEY };
    ChunkId::from_bytes(*blake3::keyed_hash(&key, bytes).as_bytes())
}

/// A pack of one block, and what it is made of.
pub struct Pack {
    pub seal: ObjectSeal,
    pub directory: Directory,
    pub extents: Extents,
    pub block: Vec<u8>,
    pub directory_a: Vec<u8>,
    pub directory_b: Vec<u8>,
    pub padding: Vec<u8>,
    pub stored: Vec<u8>,
}

impl Pack {
    pub fn new(salt: [u8; 32], kind: ChunkKind, compression: Compression, block: &[u8], chunks: &[&[u8]]) -> Self {
        let seal = ObjectSeal::new(1, 1, &EPOCH_KEY, &REPO, &salt);
        let block = seal.seal(0, 0, block);
        let entries =
            chunks.iter().map(|chunk| ChunkEntry { id: chunk_id(kind, chunk), len: chunk.len() as u32 }).collect();
        let entry = BlockEntry {
            sealed_len: block.len() as u32,
            raw_len: chunks.iter().map(|chunk| chunk.len() as u32).sum(),
            compression,
            chunks: entries,
        };
        let directory = Directory { kind, blocks: vec![entry], extra: Extra::new() };
        let directory_a = seal.seal(1, 0, &directory.encode().expect("a small record"));
        let directory_b = seal.seal(2, 0, &directory.lengths().encode().expect("a small record"));
        let used = 264 + directory_a.len() + directory_b.len() + block.len();
        let extents = Extents {
            kind,
            blocks: 1,
            directory_a_len: directory_a.len() as u32,
            directory_b_len: directory_b.len() as u32,
            blocks_len: block.len() as u64,
            pack_len: pack_len(used as u64, config().pack_bytes.into()),
        };
        let padding = derive(crate::words::PADDING_CONTEXT, &seal.key, extents.pack_len as usize - used);
        let head = seal.pack_end(true, &extents.encode());
        let foot = seal.pack_end(false, &extents.encode());
        let stored = [&head, &directory_a, &block, &padding, &directory_b, &foot].map(Vec::as_slice).concat();
        Self { seal, directory, extents, block, directory_a, directory_b, padding, stored }
    }
}

/// The data pack; `frame` is its block, compressed by whichever version of zstd made the document.
pub fn pack(frame: &[u8]) -> Pack {
    Pack::new(salt("pack"), ChunkKind::Data, Compression::Zstd, frame, &[JACK, DISK_END])
}

pub fn tree_pack() -> Pack {
    let stream = tree_stream();
    Pack::new(salt("tree-pack"), ChunkKind::Tree, Compression::None, &stream, &[&stream])
}

pub fn disk_recipe() -> Recipe {
    let end = Part::Chunk { id: chunk_id(ChunkKind::Data, DISK_END), len: DISK_END.len() as u32 };
    let size = DISK_HOLE + DISK_END.len() as u64;
    Recipe { depth: 0, size, parts: vec![Part::Hole { len: DISK_HOLE }, end] }
}

pub fn long_recipe() -> Recipe {
    let part = Part::Chunk { id: ChunkId::from_bytes([0xee; 32]), len: 70_000 };
    Recipe { depth: 1, size: 123_456_789, parts: vec![part] }
}

pub fn metadata(mode: u32, inode: u64) -> Metadata {
    Metadata {
        mode,
        uid: 1000,
        gid: 100,
        user: Some("ada".into()),
        group: None,
        mtime: Time { seconds: noon(-86400).seconds, nanos: 500 },
        ctime: noon(-86400),
        inode,
        links: 1,
        device: 0,
        attributes: Vec::new(),
    }
}

pub fn node(name: &[u8], kind: NodeKind, metadata: Metadata, version: u32) -> Node {
    Node { name: name.to_vec(), kind, metadata, version, flags: Flags::NONE, extra: Extra::new() }
}

pub fn nodes() -> Vec<Node> {
    let jack = Part::Chunk { id: chunk_id(ChunkKind::Data, JACK), len: JACK.len() as u32 };
    let jack = Recipe { depth: 0, size: JACK.len() as u64, parts: vec![jack] };
    vec![
        node(b"disk.img", NodeKind::File(disk_recipe()), metadata(0o600, 301), 1),
        node(b"jack.txt", NodeKind::File(jack), metadata(0o644, 302), 3),
    ]
}

/// A node with everything the others do not have.
pub fn link_node() -> Node {
    let mut metadata = metadata(0o777, 400);
    metadata.group = Some("users".into());
    metadata.mtime = Time { seconds: -1, nanos: 999_999_999 };
    metadata.links = 2;
    metadata.device = 1;
    metadata.attributes = vec![Attribute { name: b"user.mood".to_vec(), value: b"dull".to_vec() }];
    let mut node = node(b"latest", NodeKind::Symlink(b"jack.txt".to_vec()), metadata, 2);
    node.flags = Flags::CARRIED;
    node.extra = vec![(9, vec![1, 2])];
    node
}

pub fn tree_stream() -> Vec<u8> {
    crate::describe::tree(&nodes()).bytes()
}

pub fn snapshot(frame: &[u8]) -> Snapshot {
    let stream = tree_stream();
    let tree = Part::Chunk { id: chunk_id(ChunkKind::Tree, &stream), len: stream.len() as u32 };
    let tree = Recipe { depth: 0, size: stream.len() as u64, parts: vec![tree] };
    let mut packs = vec![PackId::of(&pack(frame).stored), PackId::of(&tree_pack().stored)];
    let files = JACK.len() as u64 + disk_recipe().size;
    Snapshot {
        writer: WriterId::from_bytes(WRITER),
        sequence: 3,
        previous: Some(SnapshotId::from_bytes(GONE)),
        started: noon(0),
        finished: noon(2),
        zone_offset: -3600,
        machine: "engine".into(),
        user: "ada".into(),
        roots: vec![Root {
            path: b"/home/ada/notes".to_vec(),
            node: node(b"", NodeKind::Folder(tree), metadata(0o700, 300), 0),
            carried_from: None,
            scanned: noon(1),
            counts: RootCounts { files: 2, folders: 1, bytes: files, ..RootCounts::default() },
        }],
        flags: 0,
        tags: vec!["diary".into()],
        packs_written: 2,
        packs_digest: packs_digest(&mut packs),
        version_ceiling: 3,
        extra: Extra::new(),
    }
}

/// The seal of a record of the example.
pub fn record_seal(of: &str) -> ObjectSeal {
    let (object, epoch, key) = match of {
        "ring" => (4, 0, ROOT_KEY),
        "config" => (3, 1, EPOCH_KEY),
        "writer" => (5, 1, EPOCH_KEY),
        "forget" => (6, 1, EPOCH_KEY),
        "session" | "condemned" => (7, 1, EPOCH_KEY),
        _ => (2, 1, EPOCH_KEY),
    };
    ObjectSeal::new(object, epoch, &key, &REPO, &salt(of))
}

/// Every object of the example with its name, in the order of docs/format.md §3.
pub fn objects(frame: &[u8]) -> Vec<(ObjectName, Vec<u8>)> {
    let record = |of, record: Result<Vec<u8>, _>| record_seal(of).record(&record.expect("a small record"));
    let ring = record("ring", ring().encode());
    let config = record("config", config().encode());
    let writer = record("writer", writer().encode());
    let snapshot = record("snapshot", snapshot(frame).encode());
    let mut objects = vec![(ObjectName::Header, header().encode()), (ObjectName::DestinationMark, mark().encode())];
    for kind in [SlotKind::Inline, SlotKind::Passphrase, SlotKind::Recovery] {
        let stored = slot(kind).encode();
        objects.push((ObjectName::Slot(ObjectHash::of(&stored)), stored));
    }
    objects.push((ObjectName::Ring(1, ObjectHash::of(&ring)), ring));
    objects.push((ObjectName::Config(1, ObjectHash::of(&config)), config));
    objects.push((ObjectName::Writer(ObjectHash::of(&writer)), writer));
    for pack in [pack(frame).stored, tree_pack().stored] {
        objects.push((ObjectName::Pack(PackId::of(&pack)), pack));
    }
    let [history_pack, rest @ ..] = &crate::example_decisions::objects(frame)[..] else { panic!("a pack first") };
    objects.push(history_pack.clone());
    objects.push((ObjectName::Snapshot(SnapshotId::of(&snapshot)), snapshot));
    objects.extend_from_slice(rest);
    objects
}
