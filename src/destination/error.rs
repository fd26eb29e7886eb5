//! Why a destination did not do what was asked, sorted by what the caller can do about it.
//!
//! The reason is kept as text, so that an error can be cloned and reported for a whole lane, and so that no error
//! type of one implementation shows through.

use std::io;

use super::errno;

/// What an error means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DestinationErrorKind {
    /// There is no such object; the destination is fine.
    Absent,
    /// The destination is gone: unplugged, unmounted, its server away. Lost for this run, caught up later.
    Offline,
    /// No room. Not tried again in this run.
    Full,
    /// This user may not.
    Denied,
    /// Nothing can be written there: mounted read-only, or turned read-only after errors.
    ReadOnly,
    /// The object, or the folder for it, is not as it was left: something to heal.
    Damaged,
    /// May go well if tried again.
    Transient,
    /// None of the above.
    Other,
}

/// What could not be done, where, and why. Shown, it is a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {what} on {place}: {reason}")]
pub struct DestinationError {
    /// What it means for the caller.
    pub kind: DestinationErrorKind,
    /// The verb and the object, as in `write packs/00/…`.
    pub what: String,
    /// The destination, as [`describe`](super::Destination::describe) says it.
    pub place: String,
    /// Why, in a few words.
    pub reason: String,
}

impl DestinationError {
    /// An error with its parts; `what` is a verb and an object.
    pub fn new(
        kind: DestinationErrorKind,
        what: impl Into<String>,
        place: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self { kind, what: what.into(), place: place.into(), reason: reason.into() }
    }

    /// Whether it is about the object that was asked for, and not about the destination.
    pub fn is_of_object(&self) -> bool {
        matches!(self.kind, DestinationErrorKind::Damaged | DestinationErrorKind::Absent)
    }

    /// An error of the system, sorted by [`DestinationErrorKind::of`].
    pub fn from_io(what: impl Into<String>, place: impl Into<String>, error: &io::Error) -> Self {
        Self::new(DestinationErrorKind::of(error), what, place, error.to_string())
    }
}

impl DestinationErrorKind {
    /// What an error of the system means, knowing nothing but the error.
    pub fn of(error: &io::Error) -> Self {
        use io::ErrorKind;
        if errno::device_is_gone(error) {
            return Self::Offline;
        }
        if errno::file_system_is_damaged(error) {
            return Self::Damaged;
        }
        if errno::out_of_descriptors(error) {
            return Self::Transient;
        }
        match error.kind() {
            ErrorKind::NotFound => Self::Absent,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
                Self::Damaged
            }
            ErrorKind::StaleNetworkFileHandle
            | ErrorKind::NotConnected
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::BrokenPipe
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut => Self::Offline,
            ErrorKind::WouldBlock | ErrorKind::Interrupted | ErrorKind::ResourceBusy | ErrorKind::OutOfMemory => {
                Self::Transient
            }
            _ => Self::Other,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn errors_of_the_system_are_sorted_by_what_can_be_done() {
        use DestinationErrorKind as Kind;
        let table = [
            (Errno::NOENT, Kind::Absent),
            (Errno::NODEV, Kind::Offline),
            (Errno::IO, Kind::Offline),
            (Errno::NXIO, Kind::Offline),
            (Errno::STALE, Kind::Offline),
            (Errno::NOTCONN, Kind::Offline),
            (Errno::HOSTDOWN, Kind::Offline),
            (Errno::TIMEDOUT, Kind::Offline),
            (Errno::NOSPC, Kind::Full),
            (Errno::DQUOT, Kind::Full),
            (Errno::ACCESS, Kind::Denied),
            (Errno::PERM, Kind::Denied),
            (Errno::ROFS, Kind::ReadOnly),
            (Errno::NOTDIR, Kind::Damaged),
            (Errno::ISDIR, Kind::Damaged),
            (Errno::AGAIN, Kind::Transient),
            (Errno::MFILE, Kind::Transient),
            (Errno::BUSY, Kind::Transient),
            (Errno::FBIG, Kind::Other),
            (Errno::NAMETOOLONG, Kind::Other),
        ];
        for (errno, kind) in table {
            assert_eq!(Kind::of(&io::Error::from(errno)), kind, "{errno}");
        }
    }

    #[test]
    fn an_error_is_a_sentence_with_object_place_and_reason() {
        let error = DestinationError::from_io("write keys/ab", "/mnt/usb", &io::Error::from(Errno::NOSPC));
        assert_eq!(error.to_string(), "cannot write keys/ab on /mnt/usb: No space left on device (os error 28)");
    }
}
