//! What a walk gives: entries, what the file system says about them, and in which order they come.

use std::io;
use std::path::{Path, PathBuf};

use super::system;
use crate::format::recipe::Recipe;
use crate::format::record::Time;
use crate::format::tree::NodeKind;
use crate::report::Problem;

/// One path of a source, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// One path component as bytes; empty for the root of the source.
    pub name: Vec<u8>,
    /// Absolute path, for opening and for messages. May be longer than the system takes in one call;
    /// [`SourceFile`](super::SourceFile) and [`metadata`](super::metadata()) cope with that.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
    /// What the file system says about it.
    pub stat: Stat,
}

impl Entry {
    /// What is at an absolute path itself; no link is followed.
    ///
    /// # Errors
    /// When nothing is there or it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        let (kind, stat) = system::look_at(path)?;
        let name = path.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
        Ok(Self { name, path: path.to_owned(), kind, stat })
    }
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link and its target, byte for byte.
    Symlink(Vec<u8>),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device: major, minor.
    CharDevice(u32, u32),
    /// A block device: major, minor.
    BlockDevice(u32, u32),
}

impl EntryKind {
    /// As a node has it; a file and a folder are empty so far.
    pub fn to_node(&self) -> NodeKind {
        match self {
            EntryKind::File => NodeKind::File(Recipe::EMPTY),
            EntryKind::Folder => NodeKind::Folder(Recipe::EMPTY),
            EntryKind::Symlink(target) => NodeKind::Symlink(target.clone()),
            EntryKind::Fifo => NodeKind::Fifo,
            EntryKind::Socket => NodeKind::Socket,
            EntryKind::CharDevice(major, minor) => NodeKind::CharDevice(*major, *minor),
            EntryKind::BlockDevice(major, minor) => NodeKind::BlockDevice(*major, *minor),
        }
    }
}

/// What one `stat` call says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Device number; changes from mount to mount.
    pub dev: u64,
    /// Inode number.
    pub inode: u64,
    /// Permission bits with set-user, set-group and sticky: 12 bits.
    pub mode: u32,
    /// Owner number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// Number of names of the inode.
    pub links: u64,
    /// Length in bytes.
    pub size: u64,
    /// Bytes the file system has set aside for it; fewer than `size` when there are holes or it is compressed.
    pub blocks_bytes: u64,
    /// Last change of the content.
    pub mtime: Time,
    /// Last change of anything.
    pub ctime: Time,
}

impl Stat {
    /// Which folder or file of the running system it is.
    pub fn identity(&self) -> FolderIdentity {
        FolderIdentity { dev: self.dev, inode: self.inode }
    }
}

/// Which folder of the running system, under whatever path. Means nothing after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FolderIdentity {
    /// Device number.
    pub dev: u64,
    /// Inode number.
    pub inode: u64,
}

impl FolderIdentity {
    /// The identity of the folder at `path`, with symbolic links followed.
    ///
    /// # Errors
    /// When nothing is there or it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(system::stat_followed(path)?.identity())
    }
}

/// A step of a walk. Depth first; the children of a folder sorted by name as bytes, between its `Enter` and `Leave`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A folder that was listed; its children follow, then `Leave`.
    Enter(Entry),
    /// A folder that was not listed: only those of its children follow in which something changed, then `Leave`.
    Pass(Entry),
    /// A folder in a listed one that nothing is known to have changed in. It is entered only where
    /// [`Walk::descend`](super::Walk::descend) asks for it.
    Beside(Entry),
    /// What was to be looked at in a folder that is passed is not there.
    Gone {
        /// One path component.
        name: Vec<u8>,
    },
    /// The end of the folder entered last.
    Leave,
    /// Anything but a folder.
    Leaf(Entry),
    /// An entry that could not be looked at, or a folder that could not be listed.
    Unreadable {
        /// One path component.
        name: Vec<u8>,
        /// Absolute path.
        path: PathBuf,
        /// What is known about it: that of a folder that could not be listed. `None` when not even that.
        entry: Option<Entry>,
        /// What happened. `Vanished` when it was gone between its folder's listing and the look at it.
        problem: Problem,
    },
    /// Trouble with the rules of the folder entered last (a line of its ignore file is no pattern); no entry of its
    /// own, and the walk goes on without that rule.
    Problem(Problem),
}
