//! A writer with the keys and without scruples: it seals whatever trees and snapshots it is given.

use std::fs;
use std::path::PathBuf;

use cryptbackup::format::id::{ChunkId, ChunkKind, SnapshotId, WriterId};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::{Extra, Time};
use cryptbackup::format::sealed::ObjectType;
use cryptbackup::format::slot::Slot;
use cryptbackup::format::snapshot::{Root, RootCounts, Snapshot, packs_digest};
use cryptbackup::format::tree::{Flags, Metadata, Node, NodeKind, TREE_VERSION};
use cryptbackup::pack::{Closing, PackDraft};
use cryptbackup::repo::settings::Settings;
use cryptbackup::seal::keys::random;
use cryptbackup::seal::slots::{self, Secret};
use cryptbackup::seal::{Block, BlockBuilder, Keys};

use crate::support::World;

const PACK_BYTES: usize = 16 << 20;

pub struct Forge {
    pub keys: Keys,
    root: PathBuf,
    streams: [(BlockBuilder, PackDraft); 2],
    sequence: u64,
}

/// The keys of a world, from the outside: `config.yaml` and what is on the destination.
pub fn keys_of(world: &World) -> Keys {
    let settings = Settings::load(&world.home.settings_path(), true).expect("the settings");
    let secret = Secret::from_base64(&settings.encryption.key.expect("a key")).expect("32 bytes");
    let mut objects = world.objects();
    objects.retain(|(name, _)| name.starts_with("keys/"));
    let (rings, slots): (Vec<_>, Vec<_>) = objects.iter().partition(|(name, _)| name.starts_with("keys/ring-"));
    let slot = Slot::decode(&slots[0].1).expect("a slot");
    let root = slots::open(&slot, slot.repo, &secret).expect("the root key");
    Keys::open_ring(slot.repo, root, &rings[0].1).expect("the ring")
}

impl Forge {
    pub fn new(world: &World) -> Self {
        let stream = |kind| (BlockBuilder::new(1 << 20), PackDraft::new(kind, PACK_BYTES));
        let streams = [stream(ChunkKind::Data), stream(ChunkKind::Tree)];
        Self { keys: keys_of(world), root: world.path("primary"), streams, sequence: 0 }
    }

    /// Stores a chunk.
    pub fn chunk(&mut self, kind: ChunkKind, bytes: &[u8]) -> Part {
        let id = self.keys.chunk_id(kind, bytes);
        if let Some(block) = self.streams[kind as usize].0.push(id, bytes) {
            self.block(kind, block);
        }
        Part::Chunk { id, len: bytes.len() as u32 }
    }

    fn block(&mut self, kind: ChunkKind, block: Block) {
        let block = block.compress(Some(1)).expect("compressed");
        if !self.streams[kind as usize].1.fits(&block) {
            self.pack(kind);
        }
        self.streams[kind as usize].1.push(block);
    }

    fn pack(&mut self, kind: ChunkKind) {
        let draft = std::mem::replace(&mut self.streams[kind as usize].1, PackDraft::new(kind, PACK_BYTES));
        if draft.is_empty() {
            return;
        }
        let salt = random().expect("random");
        let pack = draft.finish(&self.keys, salt, Closing::Last { extra: 0 }).expect("sealed");
        self.put(&ObjectName::Pack(pack.id()), pack.bytes());
    }

    fn put(&self, name: &ObjectName, bytes: &[u8]) {
        let path = self.root.join(name.path());
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }

    /// A recipe of one chunk.
    pub fn recipe(&mut self, kind: ChunkKind, bytes: &[u8]) -> Recipe {
        if bytes.is_empty() {
            return Recipe::EMPTY;
        }
        Recipe { depth: 0, size: bytes.len() as u64, parts: vec![self.chunk(kind, bytes)] }
    }

    /// A folder with these nodes, in this order, whatever they are.
    pub fn folder(&mut self, nodes: &[Node]) -> Recipe {
        let mut stream = vec![TREE_VERSION];
        stream.extend(nodes.iter().flat_map(|node| node.encode().expect("encoding does not judge")));
        self.recipe(ChunkKind::Tree, &stream)
    }

    pub fn file(&mut self, name: &[u8], content: &[u8]) -> Node {
        let recipe = self.recipe(ChunkKind::Data, content);
        node(name, NodeKind::File(recipe))
    }

    /// A folder node with these nodes in it.
    pub fn below(&mut self, name: &[u8], nodes: &[Node]) -> Node {
        let recipe = self.folder(nodes);
        node(name, NodeKind::Folder(recipe))
    }

    /// Writes what is pending, and has the world learn what is there.
    pub fn publish(&mut self, world: &World) {
        for kind in [ChunkKind::Data, ChunkKind::Tree] {
            if let Some(block) = self.streams[kind as usize].0.take() {
                self.block(kind, block);
            }
            self.pack(kind);
        }
        drop(world.open_to_write());
    }

    /// Writes a snapshot with these sources, whose chunks may be pending.
    pub fn commit(&mut self, roots: Vec<(Vec<u8>, Node)>) -> SnapshotId {
        self.sequence += 1;
        let time = Time { seconds: 1_800_000_000 + self.sequence as i64, nanos: 0 };
        let roots = roots.into_iter().map(|(path, mut node)| {
            node.name.clear();
            Root { path, node, carried_from: None, scanned: time, counts: RootCounts::default() }
        });
        let snapshot = Snapshot {
            writer: WriterId::from_bytes([0x66; 16]),
            sequence: self.sequence,
            previous: None,
            started: time,
            finished: time,
            zone_offset: 0,
            machine: "hostile".into(),
            user: "mallory".into(),
            roots: roots.collect(),
            flags: 0,
            tags: Vec::new(),
            packs_written: 0,
            packs_digest: packs_digest(&mut Vec::new()),
            version_ceiling: 1,
            extra: Extra::new(),
        };
        let record = snapshot.encode().expect("a record");
        let stored = self.keys.seal_record(ObjectType::Snapshot, &record).expect("sealed");
        let id = SnapshotId::of(&stored);
        self.put(&ObjectName::Snapshot(id), &stored);
        id
    }

    /// A snapshot whose one source has these nodes.
    pub fn commit_nodes(&mut self, nodes: &[Node]) -> SnapshotId {
        let root = self.below(b"", nodes);
        self.commit(vec![(b"/source".to_vec(), root)])
    }
}

/// A node that says little.
pub fn node(name: &[u8], kind: NodeKind) -> Node {
    let mode = if matches!(kind, NodeKind::Folder(_)) { 0o755 } else { 0o644 };
    let metadata = Metadata {
        mode,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        mtime: Time { seconds: 1_700_000_000, nanos: 1 },
        links: 1,
        ..Metadata::default()
    };
    Node { name: name.to_vec(), kind, metadata, version: 1, flags: Flags::NONE, extra: Extra::new() }
}

/// A chunk that is nowhere.
pub fn nowhere(len: u32) -> Part {
    Part::Chunk { id: ChunkId::from_bytes([0xEE; 32]), len }
}
