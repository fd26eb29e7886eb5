//! Packs, as strangers and as holders of the key could write them.

use cryptbackup::format::BLOCK_RAW_MAX;
use cryptbackup::format::id::ChunkKind;
use cryptbackup::format::pack::{
    Compression, Directory, DirectoryLengths, EXTENTS_LEN, End, Extents, PACK_HEAD_LEN, PackHead,
};
use cryptbackup::format::sealed::{ObjectType, Part, TAG_LEN};
use cryptbackup::pack::{OpenedPack, PackReader};
use cryptbackup::seal::{ObjectSeal, SealError, block as blocks};

use crate::keys::keys;
use crate::pieces::Pieces;

const SALT: [u8; 32] = [9; 32];

fn seal() -> ObjectSeal {
    keys().object_seal(ObjectType::Pack, 1, SALT).expect("the first epoch")
}

fn sealed(seal: &ObjectSeal, part: Part, counter: u64, plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain.to_vec();
    let tag = seal.seal(part, counter, &mut bytes).expect("short enough");
    bytes.extend(tag);
    bytes
}

/// Both directories.
pub fn directory(data: &[u8]) {
    if let Ok(directory) = Directory::decode(data) {
        let encoded = directory.encode().expect("what was decoded can be encoded");
        assert_eq!(Directory::decode(&encoded).as_ref(), Ok(&directory));
        let lengths = directory.lengths();
        let encoded = lengths.encode().expect("a shorter one");
        assert_eq!(DirectoryLengths::decode(&encoded).as_ref(), Ok(&lengths));
        judge(&lengths);
    }
    if let Ok(lengths) = DirectoryLengths::decode(data) {
        let encoded = lengths.encode().expect("what was decoded can be encoded");
        assert_eq!(DirectoryLengths::decode(&encoded).as_ref(), Ok(&lengths));
        judge(&lengths);
    }
}

/// A directory that fits its pack promises blocks that can be read.
fn judge(lengths: &DirectoryLengths) {
    let blocks_len = lengths.blocks.iter().map(|block| u64::from(block.sealed_len)).sum();
    let extents = Extents {
        kind: lengths.kind,
        blocks: lengths.blocks.len() as u32,
        directory_a_len: 0,
        directory_b_len: 0,
        blocks_len,
        pack_len: blocks_len,
    };
    if lengths.validate(&extents).is_ok() {
        for block in &lengths.blocks {
            assert!((1..=BLOCK_RAW_MAX).contains(&(block.raw_len as usize)));
            assert!(block.sealed_len as usize >= TAG_LEN);
            assert!(block.chunk_lens.iter().all(|len| (1..=block.raw_len).contains(len)));
        }
    }
}

/// A whole pack: bytes nobody sealed, or parts of the input sealed where a pack has them.
pub fn reader(data: &[u8]) {
    let mut pieces = Pieces::new(data);
    let flags = pieces.byte();
    if flags == 0 {
        assert!(PackReader::new(keys()).open_bytes(pieces.rest()).is_err(), "a pack nobody sealed was opened");
        return;
    }
    let pack = forged(flags, &mut pieces);
    if let Ok(opened) = PackReader::new(keys()).open_bytes(&pack) {
        read_blocks(&pack, &opened);
    }
}

/// Flag 2: other extents than the parts have. 4: a damaged head. 8: a damaged first directory. 16: tree chunks.
fn forged(flags: u8, pieces: &mut Pieces) -> Vec<u8> {
    let seal = seal();
    let own_extents = pieces.take(if flags & 2 == 0 { 0 } else { EXTENTS_LEN });
    let mut directory_a = sealed(&seal, Part::DirectoryA, 0, pieces.sized());
    let directory_b = sealed(&seal, Part::DirectoryB, 0, pieces.sized());
    let count = pieces.byte() % 4;
    let block = |number| sealed(&seal, Part::Block, number, pieces.sized());
    let blocks: Vec<u8> = (0..u64::from(count)).flat_map(block).collect();
    let used = 2 * PACK_HEAD_LEN + directory_a.len() + blocks.len() + directory_b.len();
    let pack_len = used.next_multiple_of(256);
    let kind = if flags & 16 == 0 { ChunkKind::Data } else { ChunkKind::Tree };
    let honest = Extents {
        kind,
        blocks: count.into(),
        directory_a_len: directory_a.len() as u32,
        directory_b_len: directory_b.len() as u32,
        blocks_len: blocks.len() as u64,
        pack_len: pack_len as u64,
    };
    let mut extents = honest.encode();
    extents[..own_extents.len()].copy_from_slice(own_extents);

    let end = |end, part| {
        let sealed_extents = sealed(&seal, part, 0, &extents).try_into().expect("extents have one length");
        let head = PackHead { epoch: 1, salt: SALT, commitment: seal.commitment(), sealed_extents };
        head.encode(end)
    };
    let mut head = end(End::Head, Part::Head);
    if flags & 4 != 0 {
        head[100] ^= 1;
    }
    if flags & 8 != 0 {
        directory_a[0] ^= 1;
    }
    let mut pack = [head, directory_a, blocks].concat();
    pack.resize(pack_len - PACK_HEAD_LEN - directory_b.len(), 0);
    [pack, directory_b, end(End::Foot, Part::Foot)].concat()
}

fn read_blocks(pack: &[u8], opened: &OpenedPack) {
    let reader = PackReader::new(keys());
    for place in opened.blocks() {
        let (start, end) = (place.offset as usize, place.offset as usize + place.entry.sealed_len as usize);
        let sealed = pack.get(start..end).expect("a directory that was accepted names bytes of the pack").to_vec();
        if let Ok(raw) = reader.open_block(&opened.seal, opened.directory.kind, &place, sealed) {
            assert_eq!(raw.len(), place.entry.raw_len as usize);
            let chunks: u64 = place.entry.chunks.iter().map(|chunk| u64::from(chunk.len)).sum();
            assert_eq!(chunks, raw.len() as u64, "the chunks of a block that was accepted fill it");
        }
    }
}

/// One block whose holder of the key lies about its length and compression: what comes out has the promised length.
pub fn block(data: &[u8]) {
    let mut pieces = Pieces::new(data);
    let compression = if pieces.byte() & 1 == 0 { Compression::Zstd } else { Compression::None };
    let is_honest = pieces.byte() & 1 == 0;
    let raw_len = pieces.long();
    let content = pieces.rest();
    let bytes = if is_honest && compression == Compression::Zstd {
        zstd::bulk::compress(content, 1).expect("compressed")
    } else {
        content.to_vec()
    };
    let seal = seal();
    let sealed = sealed(&seal, Part::Block, 3, &bytes);
    match blocks::open(&seal, 3, compression, raw_len, sealed.clone()) {
        Ok(raw) => {
            assert_eq!(raw.len(), raw_len as usize);
            assert!(raw.len() <= BLOCK_RAW_MAX);
        }
        Err(error) => assert_eq!(error, SealError::Decompress),
    }
    if is_honest {
        let raw = blocks::open(&seal, 3, compression, content.len() as u32, sealed.clone());
        assert_eq!(raw.as_deref(), Ok(content));
    }
    assert!(blocks::open(&seal, 4, compression, raw_len, sealed).is_err(), "a block was opened in another's place");
}
