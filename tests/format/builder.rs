//! A small repository built by hand from the rules of docs/format.md, without the library: what the second reader is
//! tried on. It cuts streams anywhere, uses three rings and two epochs, one of them with two keys, and scatters chunks over many packs.

use std::path::{Path, PathBuf};

use crate::encode::{counted, little_endian, varint, zigzag};
use crate::words::{ObjectSeal, PADDING_CONTEXT, SLOT_CONTEXT, argon2id, derive, key_and_commitment, pack_len, seal};

pub const DATA: u8 = 1;
pub const TREE: u8 = 2;

const REPO: [u8; 16] = [0x11; 16];
const ROOT_KEY: [u8; 32] = [0x22; 32];
const DATA_ID_KEY: [u8; 32] = [0x33; 32];
const TREE_ID_KEY: [u8; 32] = [0x44; 32];
const EPOCH_KEYS: [(u8, [u8; 32]); 3] = [(1, [0x55; 32]), (2, [0x66; 32]), (2, [0x67; 32])];
const BLOCK_CHUNKS: usize = 4;
const PACK_BLOCKS: usize = 3;

/// A piece of a stream.
#[derive(Clone)]
pub enum Piece {
    Chunk(Vec<u8>),
    Hole(u64),
}

/// A destination being filled.
pub struct Builder {
    root: PathBuf,
    salts: u8,
    pending: [Vec<Vec<u8>>; 2],
    pub packs: Vec<PathBuf>,
    /// A chunk, and what is stored in its place: the work of a faulty writer.
    pub swapped: Option<(Vec<u8>, Vec<u8>)>,
}

impl Builder {
    /// An empty repository in `root`.
    pub fn new(root: &Path) -> Self {
        let mut builder = Self {
            root: root.to_owned(),
            salts: 0,
            pending: [Vec::new(), Vec::new()],
            packs: Vec::new(),
            swapped: None,
        };
        let mut header = [b"CBK1REPO", &[1, 0, 0, 0, 0, 0, 0, 0][..], &REPO].concat();
        header.resize(60, 0);
        builder.write("cryptbackup.repo", &with_crc(header));
        let mut mark = [b"CBK1DEST", &[1, 0, 0, 0, 0, 0, 0, 0][..], &REPO, &[0x77; 16]].concat();
        mark.resize(60, 0);
        builder.write("dest.id", &with_crc(mark));
        builder.ring(1, 1, DATA_ID_KEY, &EPOCH_KEYS[..1]);
        // Two machines made the second ring at once.
        builder.ring(2, 2, DATA_ID_KEY, &EPOCH_KEYS[..2]);
        builder.ring(2, 2, DATA_ID_KEY, &[EPOCH_KEYS[0], EPOCH_KEYS[2]]);
        builder.ring(3, 2, [0x99; 32], &EPOCH_KEYS[..2]);
        builder
    }

    /// Writes a ring; a valid one has the same number in its name and in its record.
    fn ring(&mut self, name: u8, number: u8, data_id_key: [u8; 32], epochs: &[(u8, [u8; 32])]) {
        let count = epochs.len() as u8;
        let mut ring = [&[0, number], &data_id_key[..], &TREE_ID_KEY, &[0x88; 32], &[count]].concat();
        for (epoch, key) in epochs {
            ring.push(*epoch);
            ring.extend(key);
        }
        ring.push(0);
        let stored = ObjectSeal::new(4, 0, &ROOT_KEY, &REPO, &self.salt()).record(&ring);
        self.write(&format!("keys/ring-{name}-{}", hash(&stored)), &stored);
    }

    fn salt(&mut self) -> [u8; 32] {
        self.salts += 1;
        [self.salts; 32]
    }

    /// Writes a file below the destination.
    pub fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder made");
        std::fs::write(&path, bytes).expect("a file written");
        path
    }

    /// Adds a slot of one kind for a secret of 32 bytes or, where `kind` is 2, a passphrase.
    pub fn slot(&mut self, kind: u8, secret: &[u8]) {
        let salt = self.salt();
        let (cost, secret) = match kind {
            2 => ([65536, 3, 1], argon2id(secret, &salt, 65536, 3, 1)),
            _ => ([0; 3], secret.to_vec()),
        };
        let (key, commitment) = key_and_commitment(SLOT_CONTEXT, &secret, &REPO, &salt);
        let mut slot = [b"CBK1SLOT", &[1, 0, kind, 0][..]].concat();
        slot.extend(cost.iter().flat_map(|value| little_endian(*value, 4)));
        slot.extend([&REPO[..], &salt, &commitment].concat());
        slot.extend(seal(&key, &[0; 12], &slot, &ROOT_KEY));
        let slot = with_crc(slot);
        self.write(&format!("keys/{}", hash(&slot)), &slot);
    }

    fn chunk(&mut self, kind: u8, bytes: &[u8]) -> [u8; 32] {
        let pending = &mut self.pending[usize::from(kind) - 1];
        pending.push(bytes.to_vec());
        if pending.len() == BLOCK_CHUNKS * PACK_BLOCKS {
            self.pack(kind);
        }
        let key = if kind == DATA { DATA_ID_KEY } else { TREE_ID_KEY };
        *blake3::keyed_hash(&key, bytes).as_bytes()
    }

    /// Writes what is pending of a kind: every other block compressed, each third pack under another key.
    fn pack(&mut self, kind: u8) {
        let chunks = std::mem::take(&mut self.pending[usize::from(kind) - 1]);
        if chunks.is_empty() {
            return;
        }
        let (epoch, key) = EPOCH_KEYS[self.packs.len() % EPOCH_KEYS.len()];
        let epoch = u32::from(epoch);
        let seal = ObjectSeal::new(1, epoch, &key, &REPO, &self.salt());
        let groups: Vec<&[Vec<u8>]> = chunks.chunks(BLOCK_CHUNKS).collect();
        let count = varint(groups.len() as u64);
        let mut directories = [[&[0, kind - 1][..], &count].concat(), [&[0, kind - 1][..], &count].concat()];
        let mut blocks = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let stored = |chunk: &Vec<u8>| match &self.swapped {
                Some((swapped, other)) if swapped == chunk => other.clone(),
                _ => chunk.clone(),
            };
            let raw: Vec<u8> = group.iter().flat_map(stored).collect();
            let is_compressed = number % 2 == 0;
            let plain = if is_compressed { zstd::bulk::compress(&raw, 3).expect("compressed") } else { raw.clone() };
            let sealed = seal.seal(0, number as u64, &plain);
            for (directory, has_ids) in directories.iter_mut().zip([true, false]) {
                directory.extend([varint(sealed.len() as u64), varint(raw.len() as u64)].concat());
                directory.push(u8::from(is_compressed));
                directory.extend(varint(group.len() as u64));
                for chunk in *group {
                    let key = if kind == DATA { DATA_ID_KEY } else { TREE_ID_KEY };
                    directory.extend(has_ids.then(|| *blake3::keyed_hash(&key, chunk).as_bytes()).iter().flatten());
                    directory.extend(varint(chunk.len() as u64));
                }
            }
            blocks.extend(sealed);
        }
        let [directory_a, directory_b] = directories.map(|mut directory| {
            directory.push(0);
            directory
        });
        let (directory_a, directory_b) = (seal.seal(1, 0, &directory_a), seal.seal(2, 0, &directory_b));
        let used = 264 + directory_a.len() + directory_b.len() + blocks.len();
        let length = pack_len(used as u64, 16 << 20);
        let mut extents = vec![kind, 0, 0, 0];
        for part in [groups.len(), directory_a.len(), directory_b.len()] {
            extents.extend(little_endian(part as u64, 4));
        }
        extents.extend([little_endian(blocks.len() as u64, 8), little_endian(length, 8)].concat());
        let padding = derive(PADDING_CONTEXT, &seal.key, length as usize - used);
        let (head, foot) = (seal.pack_end(true, &extents), seal.pack_end(false, &extents));
        let stored = [head, directory_a, blocks, padding, directory_b, foot].concat();
        let name = hash(&stored);
        let path = self.write(&format!("packs/{}/{name}", &name[..2]), &stored);
        self.packs.push(path);
    }

    /// The recipe of a stream of these pieces, long where it has to be.
    pub fn recipe(&mut self, kind: u8, pieces: &[Piece]) -> Vec<u8> {
        let mut size = 0;
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for piece in pieces {
            parts.push(match piece {
                Piece::Chunk(bytes) => {
                    size += bytes.len() as u64;
                    [&[0], &self.chunk(kind, bytes)[..], &varint(bytes.len() as u64)].concat()
                }
                Piece::Hole(len) => {
                    size += len;
                    [&[1][..], &varint(*len)].concat()
                }
            });
        }
        let mut depth = 0;
        while parts.len() > 32 {
            let stream = parts.concat();
            // 70 bytes hold neither one part nor two, so parts reach over the ends of chunks.
            parts.clear();
            for chunk in stream.chunks(70) {
                parts.push([&[0], &self.chunk(TREE, chunk)[..], &varint(chunk.len() as u64)].concat());
            }
            depth += 1;
        }
        [&[depth][..], &varint(size), &varint(parts.len() as u64), &parts.concat()].concat()
    }

    /// The recipe of a folder with these nodes, whose stream is cut every `step` bytes.
    pub fn folder(&mut self, nodes: &[Vec<u8>], step: usize) -> Vec<u8> {
        let mut stream = vec![1];
        for node in nodes {
            stream.extend(counted(&[&[0], node.as_slice()].concat()));
        }
        let pieces: Vec<Piece> = stream.chunks(step).map(|piece| Piece::Chunk(piece.to_vec())).collect();
        self.recipe(TREE, &pieces)
    }

    /// Writes a snapshot, after everything it needs.
    pub fn snapshot(&mut self, writer: u8, sequence: u8, finished: i64, roots: &[(&[u8], Vec<u8>)]) -> PathBuf {
        self.commit(0, writer, sequence, finished, roots)
    }

    /// Writes a history, after everything it needs.
    pub fn history(&mut self, writer: u8, sequence: u8, finished: i64, roots: &[(&[u8], Vec<u8>)]) -> PathBuf {
        self.commit(4, writer, sequence, finished, roots)
    }

    /// Writes a mark that forgets what is at a path, or takes that back.
    pub fn mark(&mut self, writer: u8, sequence: u8, forgets: bool, snapshot: &Path) {
        let id = blake3::hash(&std::fs::read(snapshot).expect("a snapshot"));
        let mut record = [&[0][..], &[writer; 16], &[sequence], &zigzag(7), &[0]].concat();
        match forgets {
            true => record.extend([&[0, 1, 1][..], id.as_bytes(), &[1], &[9; 16], &[5, 0]].concat()),
            false => record.extend([&[1, 1][..], id.as_bytes()].concat()),
        }
        record.push(0);
        let stored = ObjectSeal::new(6, 1, &EPOCH_KEYS[0].1, &REPO, &self.salt()).record(&record);
        let name = hash(&stored);
        self.write(&format!("marks/{}/{name}", &name[..2]), &stored);
    }

    fn commit(&mut self, flags: u8, writer: u8, sequence: u8, finished: i64, roots: &[(&[u8], Vec<u8>)]) -> PathBuf {
        self.pack(TREE);
        self.pack(DATA);
        let mut record = [&[0][..], &[writer; 16], &[sequence, 0]].concat();
        record.extend([zigzag(finished - 5), vec![0], zigzag(finished), varint(999_999_999)].concat());
        record.extend([zigzag(-7200), counted(b"engine"), counted(b"ada")].concat());
        record.push(roots.len() as u8);
        for (path, node) in roots {
            record.extend([counted(path), node.clone(), vec![0], zigzag(finished), vec![0; 7]].concat());
        }
        record.extend([vec![flags, 1], counted("à la main".as_bytes()), vec![2], vec![0x99; 32], vec![5]].concat());
        record.extend([vec![1], varint(70_000), counted(b"an addition of a later program")].concat());
        let stored = ObjectSeal::new(2, 2, &EPOCH_KEYS[1].1, &REPO, &self.salt()).record(&record);
        let name = hash(&stored);
        self.write(&format!("snaps/{}/{name}", &name[..2]), &stored)
    }
}

/// A node without the byte of its version; `kind` is the variant and its fields.
pub fn node(name: &[u8], kind: &[u8], mode: u32, mtime: (i64, u32), version: u8) -> Vec<u8> {
    node_with(name, kind, mode, mtime, version, &[(9, b"unknown")])
}

/// A node with these additions.
pub fn node_with(
    name: &[u8],
    kind: &[u8],
    mode: u32,
    mtime: (i64, u32),
    version: u8,
    additions: &[(u8, &[u8])],
) -> Vec<u8> {
    let mut node = [counted(name), kind.to_vec(), varint(mode.into())].concat();
    node.extend([varint(1000), varint(100), vec![1], counted(b"ada"), vec![0]].concat());
    node.extend([zigzag(mtime.0), varint(mtime.1.into()), zigzag(-1), vec![0]].concat());
    node.extend([varint(1 << 40), vec![2, 1, 1], counted(b"user.note"), counted(b"\0")].concat());
    node.extend([version, 1, additions.len() as u8]);
    for (tag, bytes) in additions {
        node.push(*tag);
        node.extend(counted(bytes));
    }
    node
}

/// A fixed layout with its checksum.
pub fn with_crc(mut layout: Vec<u8>) -> Vec<u8> {
    layout.extend(little_endian(crc32fast::hash(&layout).into(), 4));
    layout
}

/// The name of an object.
pub fn hash(stored: &[u8]) -> String {
    blake3::hash(stored).to_hex().to_string()
}
