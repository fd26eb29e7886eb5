//! §4 Repository header (`cryptbackup.repo`) and destination mark (`dest.id`).
//!
//! Both are 64 bytes, readable without a key and guarded by a CRC-32. They are the only objects besides the
//! reserve that are not named by their content; the config repeats the header's fields under a key.

use serde::{Deserialize, Serialize};

use super::id::{DestinationId, RepoId};
use super::wire::{Decoder, Encoder};
use super::{FORMAT_VERSION, FormatError};

/// First bytes of the repository header.
pub const HEADER_MAGIC: &[u8; 8] = b"CBK1REPO";
/// First bytes of the destination mark.
pub const MARK_MAGIC: &[u8; 8] = b"CBK1DEST";
/// Stored length of the header, and of the mark.
pub const HEADER_LEN: usize = 8 + 2 + 6 + 16 + 8 + 8 + 8 + 4 + 4;

/// Bits a program must know to read, to write, or may ignore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Features {
    /// An unknown bit means: do not open.
    pub required: u64,
    /// An unknown bit means: read only.
    pub write: u64,
    /// An unknown bit may be ignored.
    pub optional: u64,
}

/// The repository header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoHeader {
    /// Which repository.
    pub repo: RepoId,
    /// The version of this document the repository is written to.
    pub version: u16,
    /// Feature bits.
    pub features: Features,
}

impl RepoHeader {
    /// The header of a new repository of this program.
    pub fn new(repo: RepoId) -> Self {
        Self { repo, version: FORMAT_VERSION, features: Features::default() }
    }

    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::with_capacity(HEADER_LEN);
        out.bytes(HEADER_MAGIC).u16(self.version).zeros(6).bytes(self.repo.as_bytes());
        out.u64(self.features.required).u64(self.features.write).u64(self.features.optional).zeros(4);
        out.finish_with_crc()
    }

    /// Reads the stored bytes.
    ///
    /// # Errors
    /// Damage, or [`FormatError::Unsupported`] for a version or a required feature this program does not know.
    pub fn decode(stored: &[u8]) -> Result<Self, FormatError> {
        let mut input = Decoder::with_crc(stored)?;
        input.magic(HEADER_MAGIC)?;
        let version = supported_version(&mut input)?;
        input.zeros::<6>()?;
        let repo = RepoId::from_bytes(input.array()?);
        let features = Features { required: input.u64()?, write: input.u64()?, optional: input.u64()? };
        if features.required != 0 {
            return Err(FormatError::Unsupported { version, features: features.required });
        }
        input.zeros::<4>()?;
        input.finish()?;
        Ok(Self { repo, version, features })
    }
}

/// The destination mark: without it a folder is not a destination, whatever else is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DestinationMark {
    /// The repository whose objects are here.
    pub repo: RepoId,
    /// Which of its destinations this is.
    pub destination: DestinationId,
}

impl DestinationMark {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::with_capacity(HEADER_LEN);
        out.bytes(MARK_MAGIC).u16(FORMAT_VERSION).zeros(6).bytes(self.repo.as_bytes());
        out.bytes(self.destination.as_bytes()).zeros(12);
        out.finish_with_crc()
    }

    /// Reads the stored bytes.
    ///
    /// # Errors
    /// Damage, or [`FormatError::Unsupported`].
    pub fn decode(stored: &[u8]) -> Result<Self, FormatError> {
        let mut input = Decoder::with_crc(stored)?;
        input.magic(MARK_MAGIC)?;
        supported_version(&mut input)?;
        input.zeros::<6>()?;
        let repo = RepoId::from_bytes(input.array()?);
        let destination = DestinationId::from_bytes(input.array()?);
        input.zeros::<12>()?;
        input.finish()?;
        Ok(Self { repo, destination })
    }
}

/// Reads the version before anything whose meaning depends on it: a newer program may use what is reserved here, and
/// its objects are not damage.
fn supported_version(input: &mut Decoder<'_>) -> Result<u16, FormatError> {
    let version = input.u16()?;
    if version == FORMAT_VERSION { Ok(version) } else { Err(FormatError::Unsupported { version, features: 0 }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_mark_come_back_and_unknown_is_not_damage() {
        let header = RepoHeader::new(RepoId::from_bytes([7; 16]));
        let stored = header.encode();
        assert_eq!(stored.len(), HEADER_LEN);
        assert_eq!(RepoHeader::decode(&stored), Ok(header));

        let newer = RepoHeader { features: Features { required: 4, ..Features::default() }, ..header };
        assert_eq!(
            RepoHeader::decode(&newer.encode()),
            Err(FormatError::Unsupported { version: FORMAT_VERSION, features: 4 })
        );

        for stored in [&header.encode(), &newer.encode()] {
            let mut later = stored[..HEADER_LEN - 4].to_vec();
            (later[8], later[10]) = (2, 1);
            let mut checked = Encoder::default();
            checked.bytes(&later);
            let found = RepoHeader::decode(&checked.finish_with_crc());
            assert_eq!(found, Err(FormatError::Unsupported { version: 2, features: 0 }), "not damage");
        }

        let mark = DestinationMark { repo: header.repo, destination: DestinationId::from_bytes([9; 16]) };
        let stored = mark.encode();
        assert_eq!(stored.len(), HEADER_LEN);
        assert_eq!(DestinationMark::decode(&stored), Ok(mark));
        assert!(RepoHeader::decode(&stored).is_err(), "one object is never read as the other");
    }
}
