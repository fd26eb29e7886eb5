//! §5 Key slots (`keys/<64>`): the 32-byte root key, wrapped by one secret.
//!
//! A slot is read before anything is authenticated, so it is fixed-layout and its Argon2 cost is bounded both ways:
//! below the floor would be a downgrade, above the ceiling a way to make opening fail for want of memory.

use super::id::RepoId;
use super::wire::{Decoder, Encoder};
use super::{FORMAT_VERSION, FormatError};

/// First bytes of a slot.
pub const SLOT_MAGIC: &[u8; 8] = b"CBK1SLOT";
/// Bytes before the wrapped key: the AAD of its seal.
pub const SLOT_AAD_LEN: usize = 8 + 2 + 1 + 1 + 4 + 4 + 4 + 16 + 32 + 32;
/// The wrapped root key: 32 bytes and a 16-byte tag.
pub const WRAPPED_LEN: usize = 32 + 16;
/// Stored length of a slot.
pub const SLOT_LEN: usize = SLOT_AAD_LEN + WRAPPED_LEN + 4;

/// Which kind of secret opens a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// `encryption.key` of `config.yaml`: 32 random bytes.
    Inline,
    /// A passphrase, stretched by Argon2id.
    Passphrase,
    /// Recovery words: 32 random bytes written as 24 words.
    Recovery,
    /// The bytes of a key file.
    KeyFile,
}

/// Cost of Argon2id (RFC 9106). All zero for slots that do not use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgonCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl ArgonCost {
    /// For slots whose secret is already random.
    pub const NONE: ArgonCost = ArgonCost { memory_kib: 0, passes: 0, lanes: 0 };
    /// What new passphrase slots get: the low-memory profile of RFC 9106, and the least that is accepted.
    pub const DEFAULT: ArgonCost = ArgonCost { memory_kib: 64 * 1024, passes: 3, lanes: 4 };
    /// The most that is accepted.
    pub const MAX: ArgonCost = ArgonCost { memory_kib: 2 * 1024 * 1024, passes: 32, lanes: 16 };

    /// How much it is: memory in KiB times passes.
    pub fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }

    fn is_allowed(self) -> bool {
        (Self::DEFAULT.memory_kib..=Self::MAX.memory_kib).contains(&self.memory_kib)
            && (Self::DEFAULT.passes..=Self::MAX.passes).contains(&self.passes)
            && (1..=Self::MAX.lanes).contains(&self.lanes)
    }
}

/// A key slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Which kind of secret opens it.
    pub kind: SlotKind,
    /// Cost of stretching a passphrase.
    pub cost: ArgonCost,
    /// The repository it belongs to.
    pub repo: RepoId,
    /// Random salt.
    pub salt: [u8; 32],
    /// Tells a wrong secret from damage, compared in constant time before the wrapped key is opened.
    pub commitment: [u8; 32],
    /// The root key under AES-256-GCM-SIV.
    pub wrapped: [u8; WRAPPED_LEN],
}

impl Slot {
    /// The bytes before the wrapped key, which its seal authenticates.
    pub fn aad(&self) -> Vec<u8> {
        let mut out = Encoder::with_capacity(SLOT_LEN);
        self.encode_aad(&mut out);
        out.finish()
    }

    fn encode_aad(&self, out: &mut Encoder) {
        let kind = match self.kind {
            SlotKind::Inline => 1,
            SlotKind::Passphrase => 2,
            SlotKind::Recovery => 3,
            SlotKind::KeyFile => 4,
        };
        out.bytes(SLOT_MAGIC).u16(FORMAT_VERSION).u8(kind).zeros(1);
        out.u32(self.cost.memory_kib).u32(self.cost.passes).u32(self.cost.lanes);
        out.bytes(self.repo.as_bytes()).bytes(&self.salt).bytes(&self.commitment);
    }

    /// The stored bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::with_capacity(SLOT_LEN);
        self.encode_aad(&mut out);
        out.bytes(&self.wrapped);
        out.finish_with_crc()
    }

    /// Reads the stored bytes.
    ///
    /// # Errors
    /// Damage, an unknown version or kind, or a cost outside the accepted bounds.
    pub fn decode(stored: &[u8]) -> Result<Self, FormatError> {
        let mut input = Decoder::with_crc(stored)?;
        input.magic(SLOT_MAGIC)?;
        let version = input.u16()?;
        if version != FORMAT_VERSION {
            return Err(FormatError::Unsupported { version, features: 0 });
        }
        let kind = match input.u8()? {
            1 => SlotKind::Inline,
            2 => SlotKind::Passphrase,
            3 => SlotKind::Recovery,
            4 => SlotKind::KeyFile,
            other => return Err(FormatError::UnknownKind(other)),
        };
        input.zeros::<1>()?;
        let cost = ArgonCost { memory_kib: input.u32()?, passes: input.u32()?, lanes: input.u32()? };
        let allowed = if kind == SlotKind::Passphrase { cost.is_allowed() } else { cost == ArgonCost::NONE };
        if !allowed {
            return Err(FormatError::Limit("key stretching cost"));
        }
        let slot = Self {
            kind,
            cost,
            repo: RepoId::from_bytes(input.array()?),
            salt: input.array()?,
            commitment: input.array()?,
            wrapped: input.array()?,
        };
        input.finish()?;
        Ok(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(kind: SlotKind, cost: ArgonCost) -> Slot {
        Slot {
            kind,
            cost,
            repo: RepoId::from_bytes([1; 16]),
            salt: [2; 32],
            commitment: [3; 32],
            wrapped: [4; WRAPPED_LEN],
        }
    }

    #[test]
    fn slots_come_back_and_parameter_bombs_do_not() {
        let good = slot(SlotKind::Passphrase, ArgonCost::DEFAULT);
        let stored = good.encode();
        assert_eq!(stored.len(), SLOT_LEN);
        assert_eq!(good.aad().len(), SLOT_AAD_LEN);
        assert_eq!(Slot::decode(&stored), Ok(good));

        for cost in [
            ArgonCost { memory_kib: u32::MAX, ..ArgonCost::DEFAULT },
            ArgonCost { passes: 1000, ..ArgonCost::DEFAULT },
            ArgonCost { memory_kib: 8, ..ArgonCost::DEFAULT },
            ArgonCost { passes: 1, ..ArgonCost::DEFAULT },
            ArgonCost { lanes: 0, ..ArgonCost::DEFAULT },
        ] {
            let stored = slot(SlotKind::Passphrase, cost).encode();
            assert_eq!(Slot::decode(&stored), Err(FormatError::Limit("key stretching cost")), "{cost:?}");
        }
        let stored = slot(SlotKind::Inline, ArgonCost::DEFAULT).encode();
        assert_eq!(Slot::decode(&stored), Err(FormatError::Limit("key stretching cost")));
    }
}
