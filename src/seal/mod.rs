//! Keys, chunk ids, and blocks: compress, encrypt, open.
//!
//! Nothing else in the program calls a cipher. Plaintext comes back from disk only through [`ObjectSeal::open`] and
//! the functions built on it, each of which has compared the commitment and authenticated every byte first.

pub mod block;
pub mod keys;
pub mod slots;

pub use block::{Block, BlockBuilder, CompressedBlock};
pub use keys::{Keys, ObjectSeal};

/// Why something sealed could not be opened, or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The commitment says that another key sealed this.
    #[error("it was sealed with another key")]
    WrongKey,
    /// Authentication failed under the right key.
    #[error("its authentication failed: the stored bytes were changed")]
    Tampered,
    /// The ring has no key of this epoch.
    #[error("the key of epoch {0} is not in the key ring")]
    UnknownEpoch(u32),
    /// zstd could not decompress it to exactly the recorded length.
    #[error("it does not decompress to its recorded length")]
    Decompress,
    /// zstd could not compress.
    #[error("compression failed")]
    Compress,
    /// The bytes are authentic but are not what the id says.
    #[error("the content of a chunk does not match its id")]
    WrongId,
    /// The layout is wrong.
    #[error(transparent)]
    Format(#[from] crate::format::FormatError),
    /// The operating system gave no random bytes, or Argon2 no memory.
    #[error("the system could not provide {0}")]
    System(&'static str),
}

impl SealError {
    /// Whether it says nothing about the stored bytes: with a key that is not here, or for a newer program, they may open.
    pub fn may_open_elsewhere(&self) -> bool {
        let is_newer = matches!(self, Self::Format(crate::format::FormatError::Unsupported { .. }));
        is_newer || matches!(self, Self::WrongKey | Self::UnknownEpoch(_))
    }
}
