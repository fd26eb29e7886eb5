//! §6 What a seal binds, and sealed records: the envelope of config, ring, writer and snapshot.
//!
//! ```text
//! 0   8  magic "CBK1RECD"
//! 8   1  object type
//! 9   1  reserved, zero
//! 10  2  format version
//! 12  4  epoch of the key (0 for the ring: the root key)
//! 16 32  salt, random
//! 48 32  commitment
//! 80  …  AES-256-GCM-SIV of: u32 length ‖ record ‖ zeros up to a padded size; its last 16 bytes are the tag
//! ```

use super::id::RepoId;
use super::wire::{Decoder, Encoder, padme};
use super::{FORMAT_VERSION, FormatError, RECORD_LEN_MAX};

/// First bytes of a sealed record.
pub const RECORD_MAGIC: &[u8; 8] = b"CBK1RECD";
/// Bytes before the ciphertext.
pub const RECORD_HEAD_LEN: usize = 8 + 1 + 1 + 2 + 4 + 32 + 32;
/// Length of an AEAD tag.
pub const TAG_LEN: usize = 16;
/// No sealed record is stored shorter than this.
pub const RECORD_LEN_MIN: usize = 4096;
/// First bytes of every AAD.
pub const AAD_MAGIC: &[u8; 4] = b"CBK1";
/// Length of every AAD but a slot's.
pub const AAD_LEN: usize = 4 + 16 + 1 + 2 + 4 + 32 + 1 + 8;

/// BLAKE3 `derive_key` context: epoch key ‖ repo id ‖ salt → 32-byte key ‖ 32-byte commitment.
pub const OBJECT_KEY_CONTEXT: &str = "CBK1 2026-11-23 object key and commitment";
/// BLAKE3 `derive_key` context: secret ‖ repo id ‖ salt → 32-byte key ‖ 32-byte commitment of a slot.
pub const SLOT_KEY_CONTEXT: &str = "CBK1 2026-11-23 slot key and commitment";
/// BLAKE3 `derive_key` context: chunker key → 2048 bytes, the gear table.
pub const GEAR_CONTEXT: &str = "CBK1 2026-11-23 gear table";
/// BLAKE3 `derive_key` context: object key → padding bytes of a pack.
pub const PADDING_CONTEXT: &str = "CBK1 2026-11-23 pack padding";

/// What kind of object a seal belongs to; part of every AAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectType {
    /// A pack.
    Pack,
    /// A snapshot.
    Snapshot,
    /// A config.
    Config,
    /// A key ring.
    Ring,
    /// A writer.
    Writer,
    /// A mark.
    Mark,
    /// A session or condemned packs.
    Cleaning,
}

impl ObjectType {
    /// The stored number.
    pub const fn code(self) -> u8 {
        match self {
            ObjectType::Pack => 1,
            ObjectType::Snapshot => 2,
            ObjectType::Config => 3,
            ObjectType::Ring => 4,
            ObjectType::Writer => 5,
            ObjectType::Mark => 6,
            ObjectType::Cleaning => 7,
        }
    }
}

/// Which part of an object one AEAD call seals; part of every nonce and AAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A block of a pack; the counter is its number.
    Block,
    /// The first directory of a pack.
    DirectoryA,
    /// The second directory of a pack, without chunk ids.
    DirectoryB,
    /// The extents in the head of a pack.
    Head,
    /// The extents in the foot of a pack.
    Foot,
    /// The one part of a sealed record.
    Record,
}

impl Part {
    /// The stored number.
    pub const fn code(self) -> u8 {
        match self {
            Part::Block => 0,
            Part::DirectoryA => 1,
            Part::DirectoryB => 2,
            Part::Head => 3,
            Part::Foot => 4,
            Part::Record => 5,
        }
    }
}

/// Everything a seal is bound to, besides the key.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The repository.
    pub repo: RepoId,
    /// The type of the object.
    pub object: ObjectType,
    /// The epoch of the key.
    pub epoch: u32,
    /// The object's salt.
    pub salt: [u8; 32],
}

impl Binding {
    /// The associated data of one AEAD call.
    pub fn aad(&self, part: Part, counter: u64) -> Vec<u8> {
        let mut out = Encoder::with_capacity(AAD_LEN);
        out.bytes(AAD_MAGIC).bytes(self.repo.as_bytes()).u8(self.object.code()).u16(FORMAT_VERSION);
        out.u32(self.epoch).bytes(&self.salt).u8(part.code()).u64(counter);
        out.finish()
    }
}

/// The clear head of a sealed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHead {
    /// Object type, as stored.
    pub object: u8,
    /// The epoch of the key.
    pub epoch: u32,
    /// Random salt.
    pub salt: [u8; 32],
    /// Tells a wrong key from damage.
    pub commitment: [u8; 32],
}

impl RecordHead {
    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::with_capacity(RECORD_LEN_MIN);
        out.bytes(RECORD_MAGIC).u8(self.object).zeros(1).u16(FORMAT_VERSION).u32(self.epoch);
        out.bytes(&self.salt).bytes(&self.commitment);
        out.finish()
    }

    /// Splits stored bytes into head and ciphertext.
    ///
    /// # Errors
    /// Damage, an unknown version, or a length outside the limits.
    pub fn split(stored: &[u8]) -> Result<(Self, &[u8]), FormatError> {
        if stored.len() > RECORD_LEN_MAX {
            return Err(FormatError::Limit("length of a sealed record"));
        }
        let (head, ciphertext) = stored.split_at_checked(RECORD_HEAD_LEN).ok_or(FormatError::Truncated)?;
        let mut input = Decoder::new(head);
        input.magic(RECORD_MAGIC)?;
        let (object, reserved) = (input.u8()?, input.u8()?);
        let version = input.u16()?;
        if version != FORMAT_VERSION {
            return Err(FormatError::Unsupported { version, features: 0 });
        }
        if reserved != 0 {
            return Err(FormatError::Reserved);
        }
        let head = Self { object, epoch: input.u32()?, salt: input.array()?, commitment: input.array()? };
        if ciphertext.len() < 4 + TAG_LEN {
            return Err(FormatError::Truncated);
        }
        Ok((head, ciphertext))
    }
}

/// A record as it is sealed: its length, itself, zeros, so that the stored object has a padded size.
///
/// # Errors
/// [`FormatError::Limit`] when the record is too large to ever be read again.
pub fn pad_record(record: &[u8]) -> Result<Vec<u8>, FormatError> {
    let length = u32::try_from(record.len()).map_err(|_| FormatError::Limit("length of a sealed record"))?;
    let bare = RECORD_HEAD_LEN + 4 + record.len() + TAG_LEN;
    let stored = usize::try_from(padme(bare.max(RECORD_LEN_MIN) as u64)).unwrap_or(usize::MAX);
    if stored > RECORD_LEN_MAX {
        return Err(FormatError::Limit("length of a sealed record"));
    }
    let mut out = Encoder::with_capacity(stored);
    out.u32(length).bytes(record).zeros(stored - bare);
    Ok(out.finish())
}

/// The record inside its padding.
///
/// # Errors
/// [`FormatError::Truncated`], or [`FormatError::Reserved`] where the padding is not zero.
pub fn unpad_record(padded: &[u8]) -> Result<&[u8], FormatError> {
    let (length, rest) = padded.split_at_checked(4).ok_or(FormatError::Truncated)?;
    let length = Decoder::new(length).u32()? as usize;
    let (record, padding) = rest.split_at_checked(length).ok_or(FormatError::Truncated)?;
    if padding.iter().any(|&byte| byte != 0) {
        return Err(FormatError::Reserved);
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_binding_changes_the_aad() {
        let base = Binding { repo: RepoId::from_bytes([1; 16]), object: ObjectType::Pack, epoch: 1, salt: [2; 32] };
        let aads = [
            base.aad(Part::Block, 0),
            base.aad(Part::Block, 1),
            base.aad(Part::Head, 0),
            Binding { repo: RepoId::from_bytes([9; 16]), ..base }.aad(Part::Block, 0),
            Binding { object: ObjectType::Ring, ..base }.aad(Part::Block, 0),
            Binding { epoch: 2, ..base }.aad(Part::Block, 0),
            Binding { salt: [3; 32], ..base }.aad(Part::Block, 0),
        ];
        for (i, left) in aads.iter().enumerate() {
            assert_eq!(left.len(), AAD_LEN);
            assert!(aads.iter().skip(i + 1).all(|right| left != right));
        }
    }

    #[test]
    fn a_newer_record_is_not_damage() {
        let head = RecordHead { object: 2, epoch: 1, salt: [1; 32], commitment: [2; 32] };
        let mut stored = head.encode();
        stored.resize(RECORD_LEN_MIN, 7);
        assert_eq!(RecordHead::split(&stored).map(|(found, _)| found), Ok(head));
        stored[9] = 1;
        assert_eq!(RecordHead::split(&stored), Err(FormatError::Reserved));
        stored[10] = 2;
        assert_eq!(RecordHead::split(&stored), Err(FormatError::Unsupported { version: 2, features: 0 }));
    }

    #[test]
    fn padding_hides_the_length_and_is_checked() {
        let short = pad_record(b"abc").expect("a short record");
        let long = pad_record(&[7; 3000]).expect("a longer record");
        assert_eq!(short.len(), long.len(), "small records are stored in one size");
        assert_eq!(unpad_record(&short), Ok(&b"abc"[..]));
        let mut dirty = short.clone();
        *dirty.last_mut().expect("not empty") = 1;
        assert_eq!(unpad_record(&dirty), Err(FormatError::Reserved));
        assert_eq!(unpad_record(&[255, 255, 255, 255, 0]), Err(FormatError::Truncated));
        assert!(pad_record(&vec![0; RECORD_LEN_MAX]).is_err());
    }
}
