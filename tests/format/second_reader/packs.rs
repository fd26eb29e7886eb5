//! §8: packs, from whichever end is whole, and the chunks in them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::bytes::{Bytes, checked};
use super::keys::{Keys, PACK, Seal};

/// Codes of the two kinds of chunks, as in the extents.
pub const DATA: u8 = 1;
pub const TREE: u8 = 2;

const END_LEN: usize = 132;
const BLOCK_MAX: usize = 16 << 20;
const PACK_MAX: usize = 128 << 20;

type Id = [u8; 32];
/// Number of a pack, number of a block in it, the raw block.
type Opened = ((usize, usize), Vec<u8>);

/// Every chunk of a destination.
pub struct Chunks {
    keys: Keys,
    packs: Vec<(PathBuf, Pack)>,
    places: HashMap<(u8, Id), Vec<Place>>,
    /// The block that was read last, since the next chunk is often in it too.
    opened: RefCell<Option<Opened>>,
}

struct Pack {
    seal: Seal,
    kind: u8,
    blocks: Vec<Block>,
}

struct Block {
    number: u64,
    offset: usize,
    sealed_len: usize,
    raw_len: usize,
    is_compressed: bool,
    lens: Vec<usize>,
    ids: Vec<Id>,
}

#[derive(Clone, Copy)]
struct Place {
    pack: usize,
    block: usize,
    offset: usize,
}

struct Extents {
    kind: u8,
    blocks: usize,
    directory_a: usize,
    directory_b: usize,
    blocks_len: usize,
}

impl Chunks {
    /// Opens every pack of a destination. One that does not open holds nothing.
    pub fn list(destination: &Path, keys: Keys) -> Result<Self, String> {
        let mut chunks = Self { keys, packs: Vec::new(), places: HashMap::new(), opened: RefCell::new(None) };
        for byte in 0..=255u8 {
            let Ok(entries) = std::fs::read_dir(destination.join(format!("packs/{byte:02x}"))) else { continue };
            let mut paths = Vec::new();
            for entry in entries {
                paths.push(entry.map_err(|error| error.to_string())?.path());
            }
            paths.sort();
            for path in paths.into_iter().filter(|path| path.is_file()) {
                let stored = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                if let Ok(pack) = chunks.open_pack(&stored) {
                    chunks.add(path, pack);
                }
            }
        }
        Ok(chunks)
    }

    fn add(&mut self, path: PathBuf, pack: Pack) {
        for (number, block) in pack.blocks.iter().enumerate() {
            let mut offset = 0;
            for (id, len) in block.ids.iter().zip(&block.lens) {
                let place = Place { pack: self.packs.len(), block: number, offset };
                self.places.entry((pack.kind, *id)).or_default().push(place);
                offset += len;
            }
        }
        self.packs.push((path, pack));
    }

    /// A chunk, from any pack that still has it.
    pub fn get(&self, kind: u8, id: Id, len: usize) -> Result<Vec<u8>, String> {
        let name = data_encoding::HEXLOWER.encode(&id);
        let mut reason = format!("no pack holds chunk {name}");
        for place in self.places.get(&(kind, id)).into_iter().flatten() {
            match self.read(*place, len) {
                Ok(bytes) if self.id(kind, &bytes) == id => return Ok(bytes),
                Ok(_) => reason = format!("chunk {name} has another content"),
                Err(error) => reason = format!("chunk {name}: {error}"),
            }
        }
        Err(reason)
    }

    fn id(&self, kind: u8, bytes: &[u8]) -> Id {
        let key = if kind == DATA { &self.keys.data_id_key } else { &self.keys.tree_id_key };
        *blake3::keyed_hash(key, bytes).as_bytes()
    }

    fn read(&self, place: Place, len: usize) -> Result<Vec<u8>, String> {
        let (path, pack) = &self.packs[place.pack];
        let at = (place.pack, place.block);
        let mut opened = self.opened.borrow_mut();
        if opened.as_ref().is_none_or(|(found, _)| *found != at) {
            let stored = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let raw = pack.blocks[place.block].open(&pack.seal, &stored)?;
            *opened = Some((at, raw));
        }
        let raw = opened.as_ref().map(|(_, raw)| raw.as_slice()).unwrap_or_default();
        raw.get(place.offset..place.offset + len).map(<[u8]>::to_vec).ok_or_else(|| "its length is wrong".into())
    }

    /// Head and directory A; else foot and directory A; else foot and directory B; else head and directory B.
    fn open_pack(&self, stored: &[u8]) -> Result<Pack, String> {
        if stored.len() > PACK_MAX || stored.len() < 2 * END_LEN {
            return Err("no pack has this length".into());
        }
        let ends = [self.end(stored, true), self.end(stored, false)];
        let mut reason = String::new();
        for is_first in [true, false] {
            for end in &ends {
                let found = end.as_ref().map_err(String::clone);
                match found.and_then(|end| Ok((end.0.clone(), self.directory(stored, end, is_first)?))) {
                    Ok((seal, (kind, blocks))) => return Ok(Pack { seal, kind, blocks }),
                    Err(error) => reason = error,
                }
            }
        }
        Err(reason)
    }

    fn end(&self, stored: &[u8], is_head: bool) -> Result<(Seal, Extents), String> {
        let (layout, magic, part) = match is_head {
            true => (&stored[..END_LEN], b"CBK1PACK", 3),
            false => (&stored[stored.len() - END_LEN..], b"CBK1FOOT", 4),
        };
        let mut bytes = checked(layout)?;
        bytes.magic(magic)?;
        if bytes.fixed(2)? != 1 {
            return Err("a newer program is needed".into());
        }
        bytes.zeros(2)?;
        let (epoch, salt, commitment) = (bytes.fixed(4)? as u32, bytes.array()?, bytes.array()?);
        let seal = self.keys.seal(PACK, epoch, salt, commitment)?;
        let extents = seal.open(part, 0, bytes.take(48)?)?;
        bytes.end()?;
        Ok((seal, Extents::read(&extents, stored.len())?))
    }

    fn directory(
        &self,
        stored: &[u8],
        (seal, extents): &(Seal, Extents),
        is_first: bool,
    ) -> Result<(u8, Vec<Block>), String> {
        let foot = stored.len() - END_LEN;
        let record = match is_first {
            true => seal.open(1, 0, &stored[END_LEN..END_LEN + extents.directory_a])?,
            false => seal.open(2, 0, &stored[foot - extents.directory_b..foot])?,
        };
        let mut blocks = read_directory(&record, extents, is_first)?;
        if !is_first {
            for block in &mut blocks {
                let raw = block.open(seal, stored).unwrap_or_default();
                let mut bytes = Bytes(&raw);
                let chunks = block.lens.iter().map_while(|len| bytes.take(*len).ok());
                block.ids = chunks.map(|chunk| self.id(extents.kind, chunk)).collect();
            }
        }
        Ok((extents.kind, blocks))
    }
}

impl Extents {
    fn read(plain: &[u8], pack_len: usize) -> Result<Self, String> {
        let mut bytes = Bytes(plain);
        let kind = bytes.byte()?;
        bytes.zeros(3)?;
        let mut number = |size| bytes.fixed(size).map(|value| usize::try_from(value).unwrap_or(usize::MAX));
        let extents =
            Self { kind, blocks: number(4)?, directory_a: number(4)?, directory_b: number(4)?, blocks_len: number(8)? };
        let stated = number(8)?;
        bytes.end()?;
        let used = [extents.directory_a, extents.directory_b, extents.blocks_len];
        let used = used.iter().fold(2 * END_LEN, |sum, part| sum.saturating_add(*part));
        if ![DATA, TREE].contains(&kind) || stated != pack_len || used > pack_len {
            return Err("extents that are not those of this pack".into());
        }
        Ok(extents)
    }
}

fn read_directory(record: &[u8], extents: &Extents, has_ids: bool) -> Result<Vec<Block>, String> {
    let mut bytes = Bytes(record);
    bytes.v1()?;
    if bytes.byte()? + 1 != extents.kind {
        return Err("a directory of another kind".into());
    }
    let mut offset = END_LEN + extents.directory_a;
    let mut number = 0;
    let blocks = bytes.list(|bytes| {
        let (sealed_len, raw_len) = (bytes.u32()? as usize, bytes.u32()? as usize);
        let compression = bytes.byte()?;
        let mut ids = Vec::new();
        let lens = bytes.list(|bytes| {
            if has_ids {
                ids.push(bytes.array()?);
            }
            bytes.u32().map(|len| len as usize)
        })?;
        let is_odd = lens.contains(&0) || lens.iter().sum::<usize>() != raw_len || raw_len == 0 || raw_len > BLOCK_MAX;
        if is_odd || compression > 1 || sealed_len < 16 || (compression == 0 && sealed_len != raw_len + 16) {
            return Err("a directory that breaks a rule".into());
        }
        let block = Block { number, offset, sealed_len, raw_len, is_compressed: compression == 1, lens, ids };
        offset += sealed_len;
        number += 1;
        Ok(block)
    })?;
    bytes.additions()?;
    bytes.end()?;
    if blocks.len() != extents.blocks || offset != END_LEN + extents.directory_a + extents.blocks_len {
        return Err("a directory of another pack".into());
    }
    Ok(blocks)
}

impl Block {
    fn open(&self, seal: &Seal, stored: &[u8]) -> Result<Vec<u8>, String> {
        let sealed = stored.get(self.offset..self.offset + self.sealed_len).ok_or("a block beyond the end")?;
        let plain = seal.open(0, self.number, sealed)?;
        let raw = match self.is_compressed {
            true => zstd::bulk::decompress(&plain, self.raw_len).map_err(|error| error.to_string())?,
            false => plain,
        };
        if raw.len() == self.raw_len { Ok(raw) } else { Err("a block of another length".into()) }
    }
}
