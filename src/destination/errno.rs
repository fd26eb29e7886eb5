//! What the numbers of system errors mean where `std` has no name for them. The only place that knows numbers.

use std::io;

#[cfg(unix)]
use rustix::io::Errno;

#[cfg(unix)]
fn is_one_of(error: &io::Error, numbers: &[Errno]) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| numbers.contains(&errno))
}

/// Whether the medium failed to read or write. For one file this may be a bad sector, or a block whose checksum the
/// file system did not accept.
pub(super) fn is_medium_error(error: &io::Error) -> bool {
    #[cfg(unix)]
    return is_one_of(error, &[Errno::IO]);
    #[cfg(not(unix))]
    return matches!(error.raw_os_error(), Some(23 | 1117)); // ERROR_CRC, ERROR_IO_DEVICE
}

/// Whether the device behind a destination does not answer.
pub(super) fn device_is_gone(error: &io::Error) -> bool {
    #[cfg(unix)]
    return is_one_of(error, &[Errno::IO, Errno::NODEV, Errno::NXIO, Errno::HOSTDOWN, Errno::SHUTDOWN]);
    #[cfg(not(unix))]
    return matches!(error.raw_os_error(), Some(21 | 23 | 55 | 64 | 1117 | 1167)); // not ready, CRC, gone, I/O
}

/// Whether the file system says that its own structure is damaged.
pub(super) fn file_system_is_damaged(error: &io::Error) -> bool {
    #[cfg(target_os = "linux")]
    return is_one_of(error, &[Errno::UCLEAN, Errno::BADMSG]);
    #[cfg(not(target_os = "linux"))]
    return matches!(error.raw_os_error(), Some(1392)) && cfg!(windows); // ERROR_FILE_CORRUPT
}

/// Whether this program, or the machine, has too many files open.
pub(super) fn out_of_descriptors(error: &io::Error) -> bool {
    #[cfg(unix)]
    return is_one_of(error, &[Errno::MFILE, Errno::NFILE]);
    #[cfg(not(unix))]
    return matches!(error.raw_os_error(), Some(4)); // ERROR_TOO_MANY_OPEN_FILES
}

/// Whether a call failed because this file system, or this system, cannot do it at all. `EINVAL` and `ENOTTY` only
/// mean that for a sync or a rename with flags, so the question is only to be asked about those.
#[cfg(unix)]
pub(super) fn is_not_offered(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || is_one_of(error, &[Errno::INVAL, Errno::NOTSUP, Errno::OPNOTSUPP, Errno::NOSYS, Errno::NOTTY])
}
