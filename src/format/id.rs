//! §2 Names of things: fixed byte strings, each its own type, shown as full lower-case hex.
//!
//! There are no conversions between them and no default: a pack's name cannot be passed where a chunk's is meant.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// A string that is not the hex form of the id that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not {1} lower-case hexadecimal digits")]
pub struct ParseIdError(String, usize);

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $length;

            /// The id with exactly these bytes.
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }

            /// The first eight hex digits, for people.
            pub fn short(&self) -> String {
                let mut text = self.to_string();
                text.truncate(8);
                text
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                HEXLOWER
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| <[u8; $length]>::try_from(bytes).ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError(text.to_owned(), 2 * $length))
            }
        }
    };
}

id_type!(
    /// Names a repository; random, in the clear on every destination.
    RepoId, 16
);
id_type!(
    /// Names one destination of a repository; random.
    DestinationId, 16
);
id_type!(
    /// Names one state folder; random.
    WriterId, 16
);
id_type!(
    /// Keyed BLAKE3 of a chunk's bytes; the key depends on the chunk's kind. Only ever stored inside sealed bytes.
    ChunkId, 32
);
id_type!(
    /// BLAKE3 of an object's stored bytes: the name of every object that is named by its content.
    ObjectHash, 32
);
id_type!(
    /// The [`ObjectHash`] of a pack.
    PackId, 32
);
id_type!(
    /// The [`ObjectHash`] of a snapshot.
    SnapshotId, 32
);

impl PackId {
    /// The name of a pack with these stored bytes.
    pub fn of(stored: &[u8]) -> Self {
        Self(*blake3::hash(stored).as_bytes())
    }
}

impl SnapshotId {
    /// The name of a snapshot with these stored bytes.
    pub fn of(stored: &[u8]) -> Self {
        Self(*blake3::hash(stored).as_bytes())
    }
}

impl ObjectHash {
    /// The name of an object with these stored bytes.
    pub fn of(stored: &[u8]) -> Self {
        Self(*blake3::hash(stored).as_bytes())
    }
}

/// What a chunk holds. The kinds have different id keys and never share a block or a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ChunkKind {
    /// Bytes of files.
    Data,
    /// Bytes of trees and of long recipes.
    Tree,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_full_hex_and_nothing_else() {
        let id = RepoId::from_bytes(*b"0123456789abcdef");
        assert_eq!(id.to_string(), "30313233343536373839616263646566");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short(), "30313233");
        for bad in ["", "30", "3031323334353637383961626364656", "3031323334353637383961626364656G"] {
            assert!(bad.parse::<RepoId>().is_err(), "{bad}");
        }
        assert!("30313233343536373839616263646566".to_uppercase().replace('3', "A").parse::<RepoId>().is_err());
    }
}
