//! §9 and §10: recipes and nodes as records.

use super::bytes::Bytes;

/// What makes up one stream.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub depth: u8,
    pub size: u64,
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy)]
pub enum Part {
    Chunk([u8; 32], u32),
    Hole(u64),
}

/// What an entry is.
#[derive(Debug, Clone)]
pub enum Kind {
    File(Recipe),
    Folder(Recipe),
    Symlink(Vec<u8>),
    Other(&'static str),
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: Vec<u8>,
    pub kind: Kind,
    pub mode: u32,
    pub mtime: (i64, u32),
    pub version: u32,
    pub additions: Vec<(u32, Vec<u8>)>,
}

impl Part {
    pub fn len(&self) -> u64 {
        match self {
            Part::Chunk(_, len) => (*len).into(),
            Part::Hole(len) => *len,
        }
    }

    pub fn read(bytes: &mut Bytes<'_>) -> Result<Self, String> {
        let part = match bytes.byte()? {
            0 => Part::Chunk(bytes.array()?, bytes.u32()?),
            1 => Part::Hole(bytes.u64()?),
            _ => return Err("an unknown part".into()),
        };
        if part.len() == 0 { Err("a part without bytes".into()) } else { Ok(part) }
    }
}

impl Recipe {
    pub fn read(bytes: &mut Bytes<'_>) -> Result<Self, String> {
        let (depth, size, parts) = (bytes.byte()?, bytes.u64()?, bytes.list(Part::read)?);
        if depth > 4 || parts.len() > 32 {
            return Err("a recipe beyond the limits".into());
        }
        Ok(Self { depth, size, parts })
    }
}

impl Kind {
    fn read(bytes: &mut Bytes<'_>) -> Result<Self, String> {
        Ok(match bytes.byte()? {
            0 => Kind::File(Recipe::read(bytes)?),
            1 => Kind::Folder(Recipe::read(bytes)?),
            2 => Kind::Symlink(bytes.byte_string()?),
            3 => Kind::Other("fifo"),
            4 => Kind::Other("socket"),
            device @ (5 | 6) => {
                bytes.u32()?;
                bytes.u32()?;
                Kind::Other(if device == 5 { "char device" } else { "block device" })
            }
            _ => return Err("an unknown kind of entry".into()),
        })
    }

    pub fn name(&self) -> &'static str {
        match self {
            Kind::File(_) => "file",
            Kind::Folder(_) => "folder",
            Kind::Symlink(_) => "symlink",
            Kind::Other(name) => name,
        }
    }
}

impl Node {
    /// The fields of a node, without a version before them.
    pub fn read(bytes: &mut Bytes<'_>) -> Result<Self, String> {
        let name = bytes.byte_string()?;
        let kind = Kind::read(bytes)?;
        let mode = bytes.u32()?;
        let _owner = (bytes.u32()?, bytes.u32()?);
        let _names = (bytes.optional(Bytes::text)?, bytes.optional(Bytes::text)?);
        let (mtime, ctime) = (bytes.time()?, bytes.time()?);
        let _links = (bytes.u64()?, bytes.u64()?, bytes.u32()?);
        bytes.list(|bytes| bytes.byte_string().and_then(|_| bytes.byte_string()))?;
        let version = bytes.u32()?;
        let flags = bytes.byte()?;
        let additions = bytes.additions()?;
        if mode > 0o7777 || flags > 7 || mtime.1 > 999_999_999 || ctime.1 > 999_999_999 {
            return Err("a node that breaks a rule".into());
        }
        Ok(Self { name, kind, mode, mtime, version, additions })
    }
}
