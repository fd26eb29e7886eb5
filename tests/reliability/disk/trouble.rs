//! Operations that fail, and file systems that cannot do everything.

use std::io;

use rustix::io::Errno;

pub const ENODEV: i32 = Errno::NODEV.raw_os_error();

/// What happens when an operation is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The medium fails once.
    Medium,
    /// No room, from now on.
    Full,
    /// A write stops half-way for want of room, once.
    Short,
    /// The device is gone, from now on.
    Gone,
    /// The server forgot the file, once.
    Stale,
    /// The server does not answer, once.
    Timeout,
    /// Not allowed, once.
    Denied,
    /// The next sync fails, and everything after it says yes; what it was to save is lost.
    Sync,
    /// Mounted read-only after an error, from now on.
    ReadOnly,
}

impl Failure {
    pub const ALL: [Failure; 9] = [
        Failure::Medium,
        Failure::Full,
        Failure::Short,
        Failure::Gone,
        Failure::Stale,
        Failure::Timeout,
        Failure::Denied,
        Failure::Sync,
        Failure::ReadOnly,
    ];

    pub(super) fn errno(self) -> Errno {
        match self {
            Failure::Medium | Failure::Sync => Errno::IO,
            Failure::Full | Failure::Short => Errno::NOSPC,
            Failure::Gone => Errno::NODEV,
            Failure::Stale => Errno::STALE,
            Failure::Timeout => Errno::TIMEDOUT,
            Failure::Denied => Errno::ACCESS,
            Failure::ReadOnly => Errno::ROFS,
        }
    }

    fn lasts(self) -> bool {
        matches!(self, Failure::Full | Failure::Gone | Failure::ReadOnly)
    }

    /// Whether an operation can be hit by it.
    pub(super) fn concerns(self, verb: &str) -> bool {
        let is_sync = matches!(verb, "sync" | "sync_folder");
        let is_reading = matches!(verb, "open" | "read" | "look" | "list" | "place" | "free");
        match self {
            Failure::Sync => is_sync,
            Failure::Full => matches!(verb, "create" | "write" | "set_len" | "make_folder" | "link"),
            Failure::Short => verb == "write",
            Failure::ReadOnly => !is_reading,
            _ => true,
        }
    }
}

/// An error that was ordered: the first operation from `at` on that it concerns. What lasts stays with that disk.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The disk it hit.
    pub volume: Option<usize>,
    pub at: u64,
    pub failure: Failure,
    /// Whether it hit something.
    pub is_spent: bool,
    /// The operation it hit.
    pub hit: Option<String>,
}

impl Fault {
    pub fn new(at: u64, failure: Failure) -> Self {
        Self { volume: None, at, failure, is_spent: false, hit: None }
    }

    pub(super) fn meet(&mut self, now: u64, volume: usize, verb: &'static str, path: &str) -> io::Result<()> {
        let is_over = self.is_spent && !self.failure.lasts();
        let is_elsewhere = self.volume.is_some_and(|hit| hit != volume);
        if is_elsewhere || now < self.at || is_over || !self.failure.concerns(verb) {
            return Ok(());
        }
        self.volume = Some(volume);
        self.hit.get_or_insert_with(|| format!("{verb} {path}"));
        self.is_spent = true;
        Err(self.failure.errno().into())
    }
}

/// What a listing tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listing {
    /// Everything.
    #[default]
    Whole,
    /// About half of the names.
    Short,
    /// Not the names that were made since the last sync.
    Late,
    /// Nothing.
    Empty,
}

/// What a file system cannot do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quirks {
    pub has_no_renaming_without_replacing: bool,
    pub has_no_links: bool,
    pub has_no_folder_sync: bool,
    pub listing: Listing,
}

impl Quirks {
    /// A share of Windows.
    pub const SMB: Quirks = Quirks { has_no_folder_sync: true, has_no_links: true, ..Quirks::FUSE };
    /// A stick.
    pub const EXFAT: Quirks = Quirks { has_no_folder_sync: false, ..Quirks::SMB };
    /// A share of Unix: listings are remembered for a while.
    pub const NFS: Quirks = Quirks { has_no_links: false, listing: Listing::Late, ..Quirks::FUSE };
    /// A program in front of something.
    pub const FUSE: Quirks = Quirks {
        has_no_renaming_without_replacing: true,
        has_no_links: false,
        has_no_folder_sync: false,
        listing: Listing::Whole,
    };
}
