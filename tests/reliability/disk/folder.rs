//! A folder of a simulated disk, as a destination or the state folder sees it.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use cryptbackup::destination::disk::{Disk, DiskEntry, EntryKind};

use super::Shared;
use super::trouble::{Failure, Listing};
use super::volume::{Change, Inode, Node, Volume};

/// A folder that was opened.
pub struct SimulatedDisk {
    pub shared: Arc<Shared>,
    pub volume: usize,
    pub root: Inode,
}

fn unsupported() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

fn entry(volume: &Volume, name: &str, inode: Inode) -> DiskEntry {
    let (kind, len) = match &volume.nodes[inode] {
        Node::File(file) => (EntryKind::File, file.current.len()),
        Node::Folder(_) => (EntryKind::Folder, 0),
    };
    DiskEntry { name: name.to_owned(), kind, len }
}

impl SimulatedDisk {
    /// Whether a listing shows a name.
    fn shows(listing: Listing, pending: &[(u64, String, Option<Inode>)], name: &str) -> bool {
        match listing {
            Listing::Whole => true,
            Listing::Short => name.bytes().fold(0, |sum: u32, byte| sum + u32::from(byte)).is_multiple_of(2),
            Listing::Late => !pending.iter().any(|(_, changed, inode)| changed == name && inode.is_some()),
            Listing::Empty => false,
        }
    }
}

impl Disk for SimulatedDisk {
    /// Three steps, since a crash can come between any two.
    fn write_new(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.shared.state();
        state.look_for_canary(self.volume, path, bytes);
        let file = state.write(self.volume, "create", path, |volume, now| volume.make_file(now, self.root, path))?;
        let all = Change::Write { offset: 0, bytes: bytes.into() };
        let written = state.write(self.volume, "write", path, |volume, now| volume.change(now, file, all));
        if let Err(error) = written {
            let is_short = state.fault.as_ref().is_some_and(|fault| fault.failure == Failure::Short);
            if is_short {
                let half = Change::Write { offset: 0, bytes: bytes[..bytes.len() / 2].into() };
                state.write(self.volume, "write", path, |volume, now| volume.change(now, file, half))?;
            }
            return Err(error);
        }
        state.sync(self.volume, "sync", path, file)
    }

    fn read(&self, path: &str, range: Option<Range<u64>>, len_max: u64) -> io::Result<Vec<u8>> {
        self.shared.state().read(self.volume, "read", path, |volume| {
            let file = volume.file(volume.find(self.root, path)?)?;
            let len = file.current.len();
            let range = range.unwrap_or(0..len);
            if range.end > len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let wanted =
                range.end.checked_sub(range.start).ok_or_else(|| io::Error::other("a range that runs back"))?;
            if wanted > len_max { Err(io::ErrorKind::InvalidData.into()) } else { Ok(file.current.read(range)) }
        })
    }

    fn read_medium(&self, path: &str, len_max: u64) -> io::Result<Vec<u8>> {
        self.read(path, None, len_max)
    }

    fn look(&self, path: &str) -> io::Result<DiskEntry> {
        self.shared.state().read(self.volume, "look", path, |volume| {
            Ok(entry(volume, path.rsplit('/').next().unwrap_or(path), volume.find(self.root, path)?))
        })
    }

    fn list(&self, path: &str) -> io::Result<Vec<DiskEntry>> {
        let mut state = self.shared.state();
        let listing = state.quirks[self.volume].listing;
        state.read(self.volume, "list", path, |volume| {
            let folder = volume.folder(volume.find(self.root, path)?)?;
            let shown = folder.current.iter().filter(|(name, _)| Self::shows(listing, &folder.pending, name));
            Ok(shown.map(|(name, inode)| entry(volume, name, *inode)).collect())
        })
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.shared.state();
        if state.quirks[self.volume].has_no_renaming_without_replacing {
            return Err(unsupported());
        }
        state.write(self.volume, "rename", to, |volume, now| {
            volume.find(self.root, from)?;
            match volume.find(self.root, to) {
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => volume.rename(now, self.root, from, to),
                Err(error) => Err(error),
            }
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.shared.state();
        state.write(self.volume, "rename", to, |volume, now| volume.rename(now, self.root, from, to))
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.shared.state();
        if state.quirks[self.volume].has_no_links {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        state.write(self.volume, "link", to, |volume, now| volume.link(now, self.root, from, to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.shared.state();
        state.write(self.volume, "remove", path, |volume, now| volume.remove(now, self.root, path))
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        let mut state = self.shared.state();
        if state.image.0[self.volume].find(self.root, path).is_ok() {
            // Systems say so before they say that nothing can be made.
            return state.read(self.volume, "look", path, |_| Err(io::ErrorKind::AlreadyExists.into()));
        }
        state.write(self.volume, "make_folder", path, |volume, now| volume.make_folder(now, self.root, path).map(drop))
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        let mut state = self.shared.state();
        state.write(self.volume, "remove_folder", path, |volume, now| volume.remove_folder(now, self.root, path))
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        let mut state = self.shared.state();
        if state.quirks[self.volume].has_no_folder_sync {
            return Err(unsupported());
        }
        let folder = state.image.0[self.volume].find(self.root, path)?;
        state.sync(self.volume, "sync_folder", path, folder)
    }

    fn sync_everything(&self) -> io::Result<()> {
        self.shared.state().write(self.volume, "sync_everything", "", |volume, _| volume.sync_everything())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        let mut state = self.shared.state();
        match state.read(self.volume, "place", "", |_| Ok(true)) {
            Err(error) if super::is_gone(&error) => Ok(false),
            found => found,
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.shared.state().read(self.volume, "free", "", |_| Ok(1 << 40))
    }
}
