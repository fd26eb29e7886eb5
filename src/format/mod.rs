//! What the bytes mean: one file per section of `docs/format.md`, no I/O, no clock, no randomness, no keys.
//!
//! | § | file | what |
//! |---|---|---|
//! | 1 | [`wire`] | integers, padding, checksums |
//! | 2 | [`id`] | names of things |
//! | 3 | [`layout`] | where objects live |
//! | 4 | [`header`] | repository header, destination mark |
//! | 5 | [`slot`] | key slots |
//! | 6 | [`sealed`] | what a seal binds; sealed records |
//! | 7 | [`record`] | postcard records; ring, config, writer |
//! | 8 | [`pack`] | packs: head, directory, blocks, foot |
//! | 9 | [`recipe`] | streams of chunks and holes |
//! | 10 | [`tree`] | nodes and trees |
//! | 11 | [`snapshot`] | snapshots |
//! | 12 | [`history`] | what is kept of snapshots that are gone |
//! | 13 | [`mark`] | decisions about snapshots |
//! | 14 | [`cleaning`] | what writers and cleaners tell each other |
//!
//! Everything here that decodes takes bytes a hostile destination may have written (sections 4, 5 and the fixed
//! heads of 6 and 8) or authenticated ones (the rest), and answers with a [`FormatError`], never a panic.

pub mod cleaning;
pub mod header;
pub mod history;
pub mod id;
pub mod layout;
pub mod mark;
pub mod pack;
pub mod recipe;
pub mod record;
pub mod sealed;
pub mod slot;
pub mod snapshot;
pub mod tree;
pub mod wire;

/// The version of `docs/format.md` this program reads and writes.
pub const FORMAT_VERSION: u16 = 1;
/// The most raw bytes in one block; decompression never allocates more.
pub const BLOCK_RAW_MAX: usize = 16 << 20;
/// The largest pack that is read.
pub const PACK_LEN_MAX: u64 = 128 << 20;
/// The largest sealed record (all objects but packs, slots, header and mark of the destination) that is read.
pub const RECORD_LEN_MAX: usize = 16 << 20;
/// The largest single node of a tree.
pub const NODE_LEN_MAX: usize = 16 << 20;
/// The longest name of one path component, in bytes.
pub const NAME_LEN_MAX: usize = 1024;

/// Why stored bytes are not what they should be. The caller adds which object they came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Fewer bytes than the layout has.
    #[error("the bytes end too early")]
    Truncated,
    /// More bytes than the layout has.
    #[error("there are bytes after the end")]
    Trailing,
    /// The CRC-32 does not match.
    #[error("the checksum does not match")]
    Checksum,
    /// Not an object of the expected type.
    #[error("the first bytes are not those of this type of object")]
    Magic,
    /// A reserved field is not zero.
    #[error("a reserved field is not zero")]
    Reserved,
    /// A number for a kind that this program does not know.
    #[error("unknown kind {0}")]
    UnknownKind(u8),
    /// Written by a newer program: not damage.
    #[error("format version {version} with required features {features:#x} needs a newer program")]
    Unsupported {
        /// The version found.
        version: u16,
        /// The required feature bits found.
        features: u64,
    },
    /// A length, count or depth beyond what the format allows.
    #[error("the {0} is outside the allowed range")]
    Limit(&'static str),
    /// A record that postcard cannot read, or that breaks a rule of its section.
    #[error("the {0} record is malformed: {1}")]
    Record(&'static str, &'static str),
}
