//! Places that keep objects: the trait every destination fulfils, and the destinations there are.
//!
//! | file | what |
//! |---|---|
//! | [`error`] | why a destination did not do what was asked, sorted by what the caller can do about it |
//! | [`local`] | a folder: on this disk, a stick, an external disk, a mounted share |
//! | [`disk`] | the few file system operations below a folder, so that a simulated disk can stand in |
//! | [`memory`] | in memory, with switches for trouble, for tests of whatever stands above |
//! | [`throttle`] | no faster than allowed |
//! | [`place`] | what kind of place a path is, for people |
//! | [`conformance`] | the contract below as one suite that every implementation and decorator must pass |
//!
//! Nothing here knows keys, chunks or snapshots. Objects are bytes with an [`ObjectName`].

pub mod conformance;
pub mod disk;
pub mod error;
pub mod local;
pub mod memory;
pub mod place;
pub mod salvage;
pub mod throttle;

mod errno;

use std::ops::Range;

use crate::format::PACK_LEN_MAX;
use crate::format::layout::{ObjectKind, ObjectName};

pub use error::{DestinationError, DestinationErrorKind};
pub use local::{CreateError, Damage, LocalDestination, OpenError, Proof, RESERVE_LEN, reserve_bytes};
pub use memory::MemoryDestination;
pub use salvage::Salvaged;
pub use throttle::Throttle;

/// The largest object, in bytes, that is written or read whole, and the longest range that is read.
pub const OBJECT_LEN_MAX: u64 = PACK_LEN_MAX;

/// How a [`Destination::put`] ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object was absent and is there now.
    Written,
    /// The object was there before, with exactly these bytes: they were read and compared.
    Present,
}

/// Which objects a [`Destination::settle`] makes durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// Those put, replaced or deleted through this value since its last `settle`, and those it found present.
    Touched,
    /// All of them: also what someone else put, who may have died before settling.
    Everything,
}

/// A place that keeps objects. Calls block and may come from several threads at once.
///
/// The contract, which [`conformance`] checks:
///
/// - **Whole or absent.** Whatever happens during a `put`, a reader sees the whole object or none, never a part.
/// - **Two steps to durable.** When `put` or `replace` returns, the bytes are durable, but the *name* may still be lost
///   with the power. It is durable when a later `settle` has returned, also if another thread called it. Where
///   `is_weak` says yes, the name is only as durable as the file system makes it by itself.
/// - **Never overwritten.** `put` of a name that exists reads the object there: equal bytes are a success
///   ([`Put::Present`]); other bytes or another size are [`DestinationErrorKind::Damaged`] and stay as they are. Only
///   `replace` overwrites, for healing; until the new bytes are durable the old ones stay.
/// - **Bytes are not judged.** Whether the bytes of an object hash to its name is for the caller to look at.
/// - **Nothing is guessed.** A range that does not lie within the object is an error (`Damaged` where it ends beyond
///   the object's end), never a shorter answer. Nothing larger than [`OBJECT_LEN_MAX`] is read or written.
/// - **Listings are complete or fail.** `list` names every object that is durable and was not deleted; names that were
///   put or deleted meanwhile may or may not be among them. What is no object of the format is passed over. A folder
///   that cannot be listed, or is missing, is an error (a destination has all its folders from the start): an empty
///   answer always means that there is nothing.
/// - **Deleting nothing succeeds.**
/// - **A failed sync is final.** What a failed `put` left is removed. After a failed `settle` every later one fails
///   too: what the first one did not save is lost, and asking again would be told otherwise. Others would be told so
///   as well, who find the names and settle them: so what was put since the last `settle` is written anew, as far as the
///   place lets it be, before the error is returned.
/// - **What was cut off leaves nothing for ever.** `discard_unfinished` removes what a put left that never ended. It is
///   only called while nobody else writes there: what another is writing would be taken for that.
/// - **Absent is an answer about an object**: [`DestinationErrorKind::Absent`] is only ever returned by `get`. A
///   destination that is gone is [`DestinationErrorKind::Offline`].
///
/// There are no default bodies: a decorator forwards every call, and the compiler sees to it.
pub trait Destination: Send + Sync {
    /// Where this is, for people: the path of a folder.
    fn describe(&self) -> String;

    /// Stores an object that is not there yet.
    fn put(&self, name: &ObjectName, bytes: &[u8]) -> Result<Put, DestinationError>;

    /// Stores an object in the place of whatever has its name, or of nothing. For healing only.
    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), DestinationError>;

    /// The bytes of an object: all, or those from `range.start` up to but without `range.end`.
    fn get(&self, name: &ObjectName, range: Option<Range<u64>>) -> Result<Vec<u8>, DestinationError>;

    /// Tells `each` the name and size in bytes of every object of a kind, in the order of the names within a folder.
    /// With `prefix`, only of those whose hash begins with that byte: for a spread kind, one of its 256 folders.
    fn list(
        &self,
        kind: ObjectKind,
        prefix: Option<u8>,
        each: &mut dyn FnMut(ObjectName, u64),
    ) -> Result<(), DestinationError>;

    /// Removes an object, if it is there.
    fn delete(&self, name: &ObjectName) -> Result<(), DestinationError>;

    /// Removes what puts left that were cut off; gives the bytes.
    fn discard_unfinished(&self) -> Result<u64, DestinationError>;

    /// Makes names durable.
    fn settle(&self, scope: Settle) -> Result<(), DestinationError>;

    /// Whether whoever follows this destination's path now still arrives where it was opened, with the same
    /// `dest.id`. Everything else is [`DestinationErrorKind::Offline`]. To be called right before a commit.
    fn check_place(&self) -> Result<(), DestinationError>;

    /// How many bytes may still be written, where that can be known.
    fn free_bytes(&self) -> Result<Option<u64>, DestinationError>;

    /// An error where nothing may be written, as far as that can be told without writing.
    fn check_writable(&self) -> Result<(), DestinationError> {
        Ok(())
    }

    /// Whether names cannot be made durable here. Known after the first `settle`; before that the answer is no.
    fn is_weak(&self) -> bool;
}
