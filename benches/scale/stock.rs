//! Stores chunks as a backup does, but leaves holes in the packs where real data would take room.
//!
//! A pack of data has the length, the directories and as many blocks as a real one, and opens like one; only its chunks
//! are tiny, and the rest of it is a hole in the file. Its name is not the hash of its bytes, which would mean to read
//! the holes; no command that is measured reads a whole pack. Packs of trees are as real as any.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cryptbackup::format::FormatError;
use cryptbackup::format::id::{ChunkId, ChunkKind, PackId};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::pack::{BlockEntry, Directory, EXTENTS_LEN, End, Extents, PACK_HEAD_LEN, PackHead};
use cryptbackup::format::record::Extra;
use cryptbackup::format::sealed::{ObjectType, Part, TAG_LEN};
use cryptbackup::index::{DestinationBits, Index, PackInfo, PackNumber};
use cryptbackup::pack::{Closing, PackDraft};
use cryptbackup::seal::keys::random;
use cryptbackup::seal::{BlockBuilder, CompressedBlock, Keys, ObjectSeal};
use cryptbackup::snapshot::ChunkSink;

use crate::content::CHUNK_LEN;

/// Of real chunks of 64 KiB, half as large when they are compressed, so many make a block and so many blocks a pack.
const CHUNKS_PER_BLOCK: usize = 32;
const BLOCKS_PER_PACK: usize = 16;
const PACK_BYTES: usize = 16 << 20;
const TREE_BLOCK_BYTES: usize = 2 << 20;
const LEVEL: i32 = 3;
/// A backup writes to the index when so much is new.
const INDEX_CHUNKS: usize = 50_000;
const INDEX_TREE_BYTES: usize = 4 << 20;
const INDEX_RETIRED: usize = 50_000;

/// Takes chunks into packs on the destination, and what is to be known of them into the index.
pub struct Stock<'a> {
    keys: &'a Keys,
    index: &'a Index,
    bit: DestinationBits,
    destination: PathBuf,
    data: BlockBuilder,
    blocks: Vec<CompressedBlock>,
    tree: BlockBuilder,
    draft: PackDraft,
    next: PackNumber,
    packs: Vec<(PackNumber, PackInfo, u64, Directory)>,
    new_chunks: usize,
    trees: Vec<(ChunkId, Vec<u8>)>,
    tree_bytes: usize,
    retired: Vec<([u8; 32], u32)>,
    /// Every pack so far.
    pub pack_ids: Vec<PackId>,
}

impl<'a> Stock<'a> {
    pub fn new(keys: &'a Keys, index: &'a Index, bit: DestinationBits, destination: &Path) -> Self {
        Self {
            keys,
            index,
            bit,
            destination: destination.to_owned(),
            data: BlockBuilder::new(CHUNKS_PER_BLOCK * CHUNK_LEN),
            blocks: Vec::new(),
            tree: BlockBuilder::new(TREE_BLOCK_BYTES),
            draft: PackDraft::new(ChunkKind::Tree, PACK_BYTES),
            next: 1,
            packs: Vec::new(),
            new_chunks: 0,
            trees: Vec::new(),
            tree_bytes: 0,
            retired: Vec::new(),
            pack_ids: Vec::new(),
        }
    }

    /// Stores a chunk of data.
    pub fn put(&mut self, bytes: &[u8]) -> ChunkId {
        let id = self.keys.chunk_id(ChunkKind::Data, bytes);
        if let Some(block) = self.data.push(id, bytes) {
            self.blocks.push(block.compress(Some(LEVEL)).expect("compressed"));
            if self.blocks.len() >= BLOCKS_PER_PACK {
                self.close_data();
            }
        }
        id
    }

    /// Remembers that a path is gone.
    pub fn retire(&mut self, path: [u8; 32], number: u32) {
        self.retired.push((path, number));
        if self.retired.len() >= INDEX_RETIRED {
            self.remember();
        }
    }

    /// Closes every pack, and writes what is new to the index.
    pub fn finish(mut self) -> Vec<PackId> {
        if let Some(block) = self.data.take() {
            self.blocks.push(block.compress(Some(LEVEL)).expect("compressed"));
        }
        self.close_data();
        if let Some(block) = self.tree.take() {
            self.push_tree(block.compress(Some(LEVEL)).expect("compressed"));
        }
        self.close_tree(Closing::Last { extra: 0 });
        self.remember();
        self.pack_ids
    }

    fn close_data(&mut self) {
        if self.blocks.is_empty() {
            return;
        }
        let pack = SparsePack::seal(self.keys, std::mem::take(&mut self.blocks));
        let file = File::create(self.path(&pack.info.id)).expect("a pack");
        file.set_len(pack.info.len).expect("a length");
        file.write_all_at(&pack.front, 0).expect("written");
        file.write_all_at(&pack.back, pack.info.len - pack.back.len() as u64).expect("written");
        self.note(pack.info, pack.blocks_offset, pack.directory);
    }

    fn push_tree(&mut self, block: CompressedBlock) {
        if !self.draft.fits(&block) {
            self.close_tree(Closing::Full);
        }
        self.draft.push(block);
    }

    fn close_tree(&mut self, closing: Closing) {
        let draft = std::mem::replace(&mut self.draft, PackDraft::new(ChunkKind::Tree, PACK_BYTES));
        if draft.is_empty() {
            return;
        }
        let pack = draft.finish(self.keys, random().expect("a salt"), closing).expect("sealed");
        fs::write(self.path(&pack.id()), pack.bytes()).expect("a pack");
        let info = PackInfo {
            id: pack.id(),
            len: pack.bytes().len() as u64,
            kind: ChunkKind::Tree,
            epoch: pack.epoch(),
            salt: pack.salt(),
        };
        self.note(info, pack.blocks_offset(), pack.directory().clone());
    }

    fn path(&self, id: &PackId) -> PathBuf {
        self.destination.join(ObjectName::Pack(*id).path())
    }

    fn note(&mut self, info: PackInfo, blocks_offset: u64, directory: Directory) {
        self.new_chunks += directory.blocks.iter().map(|block| block.chunks.len()).sum::<usize>();
        self.pack_ids.push(info.id);
        self.packs.push((self.next, info, blocks_offset, directory));
        self.next += 1;
        if self.new_chunks >= INDEX_CHUNKS {
            self.remember();
        }
    }

    fn remember(&mut self) {
        let mut writer = self.index.writer().expect("a writer");
        let packs = self.packs.iter().map(|(number, info, offset, directory)| (*number, *info, *offset, directory));
        writer.add_packs(packs).expect("added");
        writer.set_present(self.packs.iter().map(|pack| pack.0), self.bit, true).expect("present");
        writer.put_trees(self.trees.iter().map(|(id, bytes)| (id, bytes.as_slice()))).expect("kept");
        writer.retire(self.retired.drain(..)).expect("retired");
        writer.commit().expect("committed");
        self.packs.clear();
        self.trees.clear();
        (self.new_chunks, self.tree_bytes) = (0, 0);
    }
}

impl ChunkSink for Stock<'_> {
    type Error = FormatError;

    fn put_tree_chunk(&mut self, bytes: &[u8]) -> Result<ChunkId, FormatError> {
        let id = self.keys.chunk_id(ChunkKind::Tree, bytes);
        if let Some(block) = self.tree.push(id, bytes) {
            self.push_tree(block.compress(Some(LEVEL)).expect("compressed"));
        }
        self.tree_bytes += bytes.len();
        self.trees.push((id, bytes.to_vec()));
        if self.tree_bytes >= INDEX_TREE_BYTES {
            self.remember();
        }
        Ok(id)
    }
}

/// What is written of a pack with a hole where its padding would be.
struct SparsePack {
    info: PackInfo,
    blocks_offset: u64,
    directory: Directory,
    /// Head, directory A, blocks.
    front: Vec<u8>,
    /// Directory B, foot.
    back: Vec<u8>,
}

impl SparsePack {
    fn seal(keys: &Keys, blocks: Vec<CompressedBlock>) -> Self {
        let salt = random().expect("a salt");
        let seal = keys.object_seal(ObjectType::Pack, keys.epoch(), salt).expect("a key");
        let mut bytes = Vec::new();
        let mut entries: Vec<BlockEntry> = Vec::new();
        for (number, block) in blocks.into_iter().enumerate() {
            let (plain, entry) = block.into_parts();
            append(&seal, Part::Block, number as u64, plain, &mut bytes);
            entries.push(entry);
        }
        let directory = Directory { kind: ChunkKind::Data, blocks: entries, extra: Extra::new() };
        let (a, b) = (directory.encode().expect("small"), directory.lengths().encode().expect("small"));
        let extents = Extents {
            kind: ChunkKind::Data,
            blocks: directory.blocks.len() as u32,
            directory_a_len: (a.len() + TAG_LEN) as u32,
            directory_b_len: (b.len() + TAG_LEN) as u32,
            blocks_len: bytes.len() as u64,
            pack_len: PACK_BYTES as u64,
        };
        let mut front = end(&seal, &extents, End::Head);
        append(&seal, Part::DirectoryA, 0, a, &mut front);
        front.extend(bytes);
        let mut back = Vec::with_capacity(b.len() + TAG_LEN + PACK_HEAD_LEN);
        append(&seal, Part::DirectoryB, 0, b, &mut back);
        back.extend(end(&seal, &extents, End::Foot));
        let info = PackInfo {
            id: PackId::of(&front),
            len: extents.pack_len,
            kind: ChunkKind::Data,
            epoch: seal.epoch(),
            salt: seal.salt(),
        };
        Self { info, blocks_offset: extents.blocks_offset(), directory, front, back }
    }
}

fn append(seal: &ObjectSeal, part: Part, number: u64, mut plain: Vec<u8>, out: &mut Vec<u8>) {
    let tag = seal.seal(part, number, &mut plain).expect("sealed");
    out.extend(plain);
    out.extend(tag);
}

fn end(seal: &ObjectSeal, extents: &Extents, end: End) -> Vec<u8> {
    let part = match end {
        End::Head => Part::Head,
        End::Foot => Part::Foot,
    };
    let mut sealed = Vec::with_capacity(EXTENTS_LEN + TAG_LEN);
    append(seal, part, 0, extents.encode(), &mut sealed);
    let sealed_extents = sealed.try_into().expect("their length");
    PackHead { epoch: seal.epoch(), salt: seal.salt(), commitment: seal.commitment(), sealed_extents }.encode(end)
}
