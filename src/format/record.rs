//! §7 Records: postcard inside sealed bytes; the key ring, the config and the writer.
//!
//! Postcard does not describe itself, so every root is an enum whose first variant is `V1`, every record ends with
//! [`Extra`], and exact-byte tests notice any change of a field. Records are decoded from authenticated bytes only.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::FormatError;
use super::header::RepoHeader;
use super::id::{ObjectHash, SnapshotId, WriterId};

/// Optional additions at the end of a record: (tag, bytes), kept when unknown.
pub type Extra = Vec<(u32, Vec<u8>)>;

/// A moment: seconds and nanoseconds since 1970-01-01T00:00:00Z. Negative seconds are before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Time {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// The rest, below 1,000,000,000.
    pub nanos: u32,
}

/// Encodes a record.
pub fn encode<T: Serialize>(name: &'static str, record: &T) -> Result<Vec<u8>, FormatError> {
    postcard::to_stdvec(record).map_err(|_| FormatError::Record(name, "it cannot be encoded"))
}

/// Decodes a record that must fill `bytes`.
///
/// # Errors
/// [`FormatError::Record`], [`FormatError::Trailing`].
pub fn decode<T: DeserializeOwned>(name: &'static str, bytes: &[u8]) -> Result<T, FormatError> {
    let (record, rest) =
        postcard::take_from_bytes(bytes).map_err(|_| FormatError::Record(name, "it cannot be decoded"))?;
    if rest.is_empty() { Ok(record) } else { Err(FormatError::Trailing) }
}

macro_rules! versioned {
    ($(#[$doc:meta])* $root:ident, $record:ident, $name:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        enum $root {
            V1($record),
        }

        impl $record {
            /// The record's bytes, before they are padded and sealed.
            ///
            /// # Errors
            /// [`FormatError::Record`].
            pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
                $crate::format::record::encode($name, &$root::V1(self.clone()))
            }

            /// Reads the record's bytes.
            ///
            /// # Errors
            /// [`FormatError::Record`], [`FormatError::Trailing`].
            pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
                let $root::V1(record) = $crate::format::record::decode($name, bytes)?;
                Ok(record)
            }
        }
    };
}
pub(super) use versioned;

versioned!(RingRoot, RingRecord, "key ring");

/// Tag of the addition of a ring that says which slots were removed.
pub const REMOVED_TAG: u32 = 6;

/// Every key that seals or names data, sealed itself under the root key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct RingRecord {
    /// The number in the ring's name; the highest valid one wins.
    pub number: u32,
    /// Key of the ids of data chunks.
    pub data_id_key: [u8; 32],
    /// Key of the ids of tree chunks.
    pub tree_id_key: [u8; 32],
    /// The chunker's tables are derived from it.
    pub chunker_key: [u8; 32],
    /// Epoch and its key, ascending; new objects use the last.
    pub epochs: Vec<(u32, [u8; 32])>,
    /// Additions.
    pub extra: Extra,
}

impl std::fmt::Debug for RingRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RingRecord").field("number", &self.number).finish_non_exhaustive()
    }
}

/// Slots that are to open nothing any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedSlots {
    /// Their names, ascending.
    pub slots: Vec<ObjectHash>,
}

impl RemovedSlots {
    /// As an addition of a ring.
    ///
    /// # Errors
    /// [`FormatError::Record`].
    pub fn encode(&self) -> Result<(u32, Vec<u8>), FormatError> {
        Ok((REMOVED_TAG, encode("removed slots", self)?))
    }

    /// From the additions of a ring; empty where there is none of this tag.
    ///
    /// # Errors
    /// [`FormatError::Record`], [`FormatError::Trailing`].
    pub fn find(extra: &Extra) -> Result<Self, FormatError> {
        match extra.iter().find(|(tag, _)| *tag == REMOVED_TAG) {
            Some((_, bytes)) => decode("removed slots", bytes),
            None => Ok(Self::default()),
        }
    }
}

/// How streams are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkerParameters {
    /// No chunk but the last of a stream is shorter; even.
    pub min_bytes: u32,
    /// The size around which cuts fall; a power of two.
    pub avg_bytes: u32,
    /// No chunk is longer; even.
    pub max_bytes: u32,
    /// FastCDC normalization level, 0 to 3.
    pub normalization: u8,
}

impl ChunkerParameters {
    /// What new repositories get.
    pub const DEFAULT: Self = Self { min_bytes: 16 << 10, avg_bytes: 64 << 10, max_bytes: 256 << 10, normalization: 1 };
}

versioned!(ConfigRoot, ConfigRecord, "config");

/// What every writer of a repository has to agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRecord {
    /// The number in the config's name; the highest valid one wins.
    pub number: u32,
    /// A copy of the clear header, so that a changed one is noticed.
    pub header: RepoHeader,
    /// The chunker.
    pub chunker: ChunkerParameters,
    /// Raw bytes a block is filled up to.
    pub block_bytes: u32,
    /// Stored bytes of a full pack.
    pub pack_bytes: u32,
    /// Additions.
    pub extra: Extra,
}

impl ConfigRecord {
    /// Raw bytes that a block of a new repository is filled up to.
    pub const BLOCK_BYTES: u32 = 2 << 20;

    /// The first config of a repository, with today's parameters.
    pub fn new(header: RepoHeader) -> Self {
        Self {
            number: 1,
            header,
            chunker: ChunkerParameters::DEFAULT,
            block_bytes: Self::BLOCK_BYTES,
            pack_bytes: 16 << 20,
            extra: Extra::new(),
        }
    }

    /// Checks that this program can work with the parameters.
    ///
    /// # Errors
    /// [`FormatError::Limit`].
    pub fn validate(&self) -> Result<(), FormatError> {
        let c = self.chunker;
        let even = c.min_bytes.is_multiple_of(2) && c.max_bytes.is_multiple_of(2);
        let ordered = 64 <= c.min_bytes && c.min_bytes < c.avg_bytes && c.avg_bytes < c.max_bytes;
        if !even || !ordered || !c.avg_bytes.is_power_of_two() || c.max_bytes > 4 << 20 || c.normalization > 3 {
            return Err(FormatError::Limit("chunk size"));
        }
        if !(256..=4 << 20).contains(&c.avg_bytes) {
            return Err(FormatError::Limit("chunk size"));
        }
        if self.block_bytes < c.max_bytes || self.block_bytes as usize > super::BLOCK_RAW_MAX {
            return Err(FormatError::Limit("block size"));
        }
        // A block that does not compress, both directories and the heads must fit a full pack.
        if u64::from(self.pack_bytes) < 2 * u64::from(self.block_bytes) + (64 << 10)
            || u64::from(self.pack_bytes) > super::PACK_LEN_MAX
            || !self.pack_bytes.is_multiple_of(64 << 10)
        {
            return Err(FormatError::Limit("pack size"));
        }
        Ok(())
    }
}

versioned!(WriterRoot, WriterRecord, "writer");

/// One state folder that writes to the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriterRecord {
    /// Which writer.
    pub writer: WriterId,
    /// When it was made.
    pub created: Time,
    /// Name of the machine.
    pub machine: String,
    /// Name of the user.
    pub user: String,
    /// The snapshot whose numbers it goes on from, when it came by `connect`.
    pub parent: Option<SnapshotId>,
    /// Additions.
    pub extra: Extra,
}

#[cfg(test)]
mod tests {
    use super::super::id::RepoId;
    use super::*;

    #[test]
    fn exact_bytes_of_a_writer() {
        let record = WriterRecord {
            writer: WriterId::from_bytes([0xAB; 16]),
            created: Time { seconds: -1, nanos: 300 },
            machine: "ada".into(),
            user: "u".into(),
            parent: None,
            extra: vec![(9, vec![1, 2])],
        };
        let bytes = record.encode().expect("a small record");
        let mut expected = vec![0]; // V1
        expected.extend([0xAB; 16]);
        expected.extend([1, 0xAC, 0x02]); // zigzag -1, varint 300
        expected.extend(b"\x03ada\x01u");
        expected.push(0); // no parent
        expected.extend([1, 9, 2, 1, 2]); // one addition
        assert_eq!(bytes, expected);
        assert_eq!(WriterRecord::decode(&bytes), Ok(record));
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(WriterRecord::decode(&longer), Err(FormatError::Trailing));
        for end in 0..bytes.len() {
            assert!(WriterRecord::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        longer[0] = 1;
        assert!(WriterRecord::decode(&longer).is_err(), "a version this program does not know");
    }

    #[test]
    fn exact_bytes_of_a_config() {
        let record = ConfigRecord::new(RepoHeader::new(RepoId::from_bytes([5; 16])));
        record.validate().expect("the defaults are valid");
        let bytes = record.encode().expect("a small record");
        let mut expected = vec![0, 1];
        expected.extend([5; 16]);
        expected.extend([1, 0, 0, 0]); // version, features
        expected.extend([0x80, 0x80, 0x01, 0x80, 0x80, 0x04, 0x80, 0x80, 0x10, 1]); // 16, 64, 256 KiB, level 1
        expected.extend([0x80, 0x80, 0x80, 0x01, 0x80, 0x80, 0x80, 0x08, 0]); // 2 MiB, 16 MiB, nothing more
        assert_eq!(bytes, expected);
        assert_eq!(ConfigRecord::decode(&bytes), Ok(record));
    }

    #[test]
    fn exact_bytes_of_removed_slots() {
        let removed =
            RemovedSlots { slots: vec![ObjectHash::from_bytes([0xAA; 32]), ObjectHash::from_bytes([0xBB; 32])] };
        let (tag, bytes) = removed.encode().expect("a small record");
        assert_eq!((tag, &bytes), (6, &[&[2][..], &[0xAA; 32], &[0xBB; 32]].concat()));
        let other = (9, vec![1]);
        assert_eq!(RemovedSlots::find(&vec![other.clone(), (tag, bytes.clone())]), Ok(removed));
        assert_eq!(RemovedSlots::find(&vec![other]), Ok(RemovedSlots::default()));
        for end in 0..bytes.len() {
            assert!(RemovedSlots::find(&vec![(tag, bytes[..end].to_vec())]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn parameters_that_could_not_work_are_refused() {
        let good = ConfigRecord::new(RepoHeader::new(RepoId::from_bytes([5; 16])));
        for break_it in [
            (|c| c.chunker.min_bytes = 0) as fn(&mut ConfigRecord),
            |c| c.chunker.max_bytes = u32::MAX - 1,
            |c| c.chunker.avg_bytes = 65_000,
            |c| c.chunker.normalization = 9,
            |c| c.block_bytes = 1,
            |c| c.block_bytes = u32::MAX,
            |c| c.pack_bytes = 1 << 20,
            |c| c.pack_bytes = u32::MAX,
        ] {
            let mut bad = good.clone();
            break_it(&mut bad);
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
