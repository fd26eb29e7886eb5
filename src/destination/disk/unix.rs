//! The real disk on Unix: every call is relative to a descriptor of the root that is opened once.
//!
//! So when another file system is mounted over the path, or the folder is moved, no byte goes where nobody looked.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::retry_on_intr;

use super::{Disk, DiskEntry, EntryKind, Roots};
use crate::destination::errno;

const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o700);

/// A folder of this machine.
pub struct RealDisk {
    root: OwnedFd,
    path: PathBuf,
    /// On FAT a rename writes a new name that points to nothing until the file itself is synced again.
    syncs_renamed: bool,
}

impl RealDisk {
    /// Opens a folder that exists. A link to a folder is followed.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Absolute, so that it keeps its meaning when the program changes its working folder.
        let path = std::path::absolute(path)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = retry_on_intr(|| rustix::fs::open(&path, flags, Mode::empty()))?;
        let syncs_renamed = is_fat(&root)?;
        Ok(Self { root, path, syncs_renamed })
    }

    /// Makes a folder whose parent exists, durably. A folder that exists already is a success.
    pub fn make_root(path: &Path) -> io::Result<()> {
        let path = std::path::absolute(path)?;
        let existed = match rustix::fs::mkdir(&path, FOLDER_MODE) {
            Ok(()) => false,
            Err(rustix::io::Errno::EXIST) => true,
            Err(error) => return Err(error.into()),
        };
        let Some(parent) = path.parent() else { return Ok(()) };
        // Whoever made one that exists may have died before this.
        let synced = Self::open(parent).and_then(|parent| parent.sync_folder(""));
        match synced {
            // The destination will be shown as weak when its own folders are synced.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
            // A folder that is not ours to make may stand in one that is not ours to read.
            Err(error) if existed && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            // Whoever tries again must not find a name that the system believes to be safe and is not.
            Err(error) if !existed => {
                let _ = rustix::fs::rmdir(&path);
                Err(error)
            }
            done => done,
        }
    }

    fn open_file(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(retry_on_intr(|| rustix::fs::openat(&self.root, at(path), flags, mode))?))
    }

    /// Opens a regular file for reading, and says how long it is. The system has a different error for each thing that
    /// is none.
    fn open_regular(&self, path: &str) -> io::Result<(File, u64)> {
        let not_a_file = || io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file");
        // Non-blocking, because opening a pipe waits for a writer.
        match self.open_file(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()) {
            Ok(file) => match file.metadata()? {
                found if found.is_file() => Ok((file, found.len())),
                _ => Err(not_a_file()),
            },
            Err(error) => match self.look(path) {
                Ok(entry) if entry.kind != EntryKind::File => Err(not_a_file()),
                _ => Err(error),
            },
        }
    }

    fn open_folder(&self, folder: &str) -> io::Result<File> {
        self.open_file(folder, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())
    }

    /// What makes the promise of [`Disk::rename_new`] true on FAT.
    fn sync_renamed(&self, path: &str) -> io::Result<()> {
        if self.syncs_renamed { self.open_regular(path)?.0.sync_all() } else { Ok(()) }
    }
}

/// The folders of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealRoots;

impl Roots for RealRoots {
    fn open_root(&self, path: &Path) -> io::Result<Box<dyn Disk>> {
        Ok(Box::new(RealDisk::open(path)?))
    }

    fn make_root(&self, path: &Path) -> io::Result<()> {
        RealDisk::make_root(path)
    }
}

impl Disk for RealDisk {
    fn write_new(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.open_file(path, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, FILE_MODE)?;
        write_durably(&mut file, bytes)
    }

    fn read(&self, path: &str, range: Option<Range<u64>>, len_max: u64) -> io::Result<Vec<u8>> {
        let (file, len) = self.open_regular(path)?;
        read_range(&file, len, range, len_max)
    }

    fn read_medium(&self, path: &str, len_max: u64) -> io::Result<Vec<u8>> {
        let (file, len) = self.open_regular(path)?;
        // Advice: where it is not taken, the file is read from memory, as it would have been anyway.
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        read_range(&file, len, None, len_max)
    }

    fn look(&self, path: &str) -> io::Result<DiskEntry> {
        let stat = rustix::fs::statat(&self.root, at(path), AtFlags::SYMLINK_NOFOLLOW)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        Ok(entry(name.to_owned(), &stat))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<DiskEntry>> {
        let mut folder = Dir::new(self.open_folder(folder)?)?;
        let mut entries = Vec::new();
        while let Some(item) = folder.read() {
            let item = item?;
            let name = item.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match rustix::fs::statat(folder.fd()?, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => entries.push(entry(name.to_string_lossy().into_owned(), &stat)),
                // Removed since its name was read: as if it had been removed before.
                Err(rustix::io::Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(entries)
    }

    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        rename_noreplace(&self.root, from, to)?;
        self.sync_renamed(to).inspect_err(|_| {
            // The sync failed, so the file is lost and must not be found by anyone. The error is reported either way.
            let _ = self.remove(to);
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        rustix::fs::renameat(&self.root, from, &self.root, to)?;
        self.sync_renamed(to)
    }

    fn link(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.root, from, &self.root, to, AtFlags::empty())?)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.root, path, AtFlags::empty())?)
    }

    fn make_folder(&self, path: &str) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.root, path, FOLDER_MODE)?)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.root, path, AtFlags::REMOVEDIR)?)
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        sync_names(&self.open_folder(folder)?)
    }

    #[cfg(target_os = "linux")]
    fn sync_everything(&self) -> io::Result<()> {
        use rustix::io::Errno;
        match rustix::fs::syncfs(&self.root) {
            // Not every file system, and not every sandbox, has it.
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            result => Ok(result?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_everything(&self) -> io::Result<()> {
        rustix::fs::sync();
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        let opened = rustix::fs::fstat(&self.root)?;
        match rustix::fs::stat(&self.path) {
            Ok(found) => Ok((found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let room = rustix::fs::fstatvfs(&self.root)?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    fn may_write(&self) -> io::Result<()> {
        Ok(rustix::fs::accessat(&self.root, ".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty())?)
    }
}

/// A range of a file that is so long, or all of it.
fn read_range(file: &File, len: u64, range: Option<Range<u64>>, len_max: u64) -> io::Result<Vec<u8>> {
    let Range { start, end } = range.unwrap_or(0..len);
    if end > len {
        let reason = format!("it ends after {len} bytes, before byte {end}");
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
    }
    let wanted = end.checked_sub(start).ok_or_else(|| io::Error::other("the range ends before it starts"))?;
    if wanted > len_max {
        let reason = format!("{wanted} bytes are more than the {len_max} that are possible");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    let wanted = usize::try_from(wanted).map_err(io::Error::other)?;
    let mut bytes = vec![0; wanted];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes)
}

/// What can be made durable: a file or a folder of the system, or what stands for one in a test.
trait Durable {
    /// Writes all bytes.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable, or fails for good.
    fn sync(&self) -> io::Result<()>;

    /// The length in bytes that the system tells.
    fn told_len(&self) -> io::Result<u64>;
}

impl Durable for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // On macOS `std` asks for the full sync.
        self.sync_all()
    }

    fn told_len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// Writes a new file, so that a success means that its bytes survive a power cut.
fn write_durably(file: &mut impl Durable, bytes: &[u8]) -> io::Result<()> {
    file.append(bytes)?;
    // What a network file system would only say on closing, it says here.
    file.sync()?;
    let len = file.told_len()?;
    if len != bytes.len() as u64 {
        return Err(io::Error::other(format!("{} bytes were written, but the file has {len}", bytes.len())));
    }
    Ok(())
}

/// Makes the names in a folder durable.
fn sync_names(folder: &impl Durable) -> io::Result<()> {
    folder.sync().map_err(|error| {
        // Some SMB servers answer "not found" for a folder that is open.
        if errno::is_not_offered(&error) || error.kind() == io::ErrorKind::NotFound {
            io::ErrorKind::Unsupported.into()
        } else {
            error
        }
    })
}

/// The system has no empty path.
fn at(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

fn entry(name: String, stat: &Stat) -> DiskEntry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        _ => EntryKind::Other,
    };
    let len = if kind == EntryKind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 };
    DiskEntry { name, kind, len }
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_noreplace(root: &OwnedFd, from: &str, to: &str) -> io::Result<()> {
    rustix::fs::renameat_with(root, from, root, to, rustix::fs::RenameFlags::NOREPLACE).map_err(|errno| {
        let error = io::Error::from(errno);
        if errno::is_not_offered(&error) { io::ErrorKind::Unsupported.into() } else { error }
    })
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn rename_noreplace(_: &OwnedFd, _: &str, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn is_fat(root: &OwnedFd) -> io::Result<bool> {
    const MSDOS_SUPER_MAGIC: i128 = 0x4d44;
    const EXFAT_SUPER_MAGIC: i128 = 0x2011_bab0;
    let magic = i128::from(rustix::fs::fstatfs(root)?.f_type);
    Ok(magic == MSDOS_SUPER_MAGIC || magic == EXFAT_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn is_fat(_: &OwnedFd) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(syncs_renamed: bool) -> (tempfile::TempDir, RealDisk) {
        let root = tempfile::tempdir().expect("a folder");
        let disk = RealDisk { syncs_renamed, ..RealDisk::open(root.path()).expect("opens") };
        (root, disk)
    }

    #[test]
    fn renames_refuse_or_replace_as_asked_also_the_way_fat_needs_it() {
        for syncs_renamed in [false, true] {
            let (_root, disk) = disk(syncs_renamed);
            disk.make_folder("a").expect("made");
            disk.write_new("new", b"new").expect("written");
            disk.write_new("a/old", b"old").expect("written");
            assert_eq!(disk.write_new("new", b"x").expect_err("exists").kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(disk.rename_new("new", "a/old").expect_err("exists").kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(disk.link("new", "a/old").expect_err("exists").kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(disk.read("a/old", None, 9).expect("is there"), b"old");
            disk.rename("new", "a/old").expect("replaces");
            assert_eq!(disk.read("a/old", None, 9).expect("is there"), b"new");
            disk.rename_new("a/old", "b").expect("nothing in the way");
            assert_eq!(disk.look("a/old").expect_err("moved").kind(), io::ErrorKind::NotFound);
            assert_eq!(disk.read("b", Some(1..3), 9).expect("is there"), b"ew");
        }
    }

    #[test]
    fn a_folder_is_listed_with_kinds_and_sizes() {
        let (root, disk) = disk(false);
        disk.make_folder("folder").expect("made");
        disk.write_new("file", b"12345").expect("written");
        std::os::unix::fs::symlink("file", root.path().join("link")).expect("a link");
        let mut found = disk.list("").expect("listed");
        found.sort_by(|one, other| one.name.cmp(&other.name));
        let expected = [("file", EntryKind::File, 5), ("folder", EntryKind::Folder, 0), ("link", EntryKind::Other, 0)];
        assert_eq!(found, expected.map(|(name, kind, len)| DiskEntry { name: name.to_owned(), kind, len }));
        for entry in found {
            assert_eq!(disk.look(&entry.name).expect("is there"), entry);
        }
        assert!(disk.list("folder").expect("listed").is_empty());
        assert_eq!(disk.list("link").expect_err("no folder").kind(), io::ErrorKind::NotADirectory);
    }

    /// A file on a disk that fails its syncs in a given way, once, and says afterwards that all is well.
    #[derive(Default)]
    struct Probe {
        bytes: Vec<u8>,
        told: Option<u64>,
        fails: std::cell::Cell<Option<io::ErrorKind>>,
        synced: std::cell::Cell<usize>,
    }

    impl Durable for Probe {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.bytes.extend_from_slice(bytes);
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            if let Some(kind) = self.fails.take() {
                return Err(kind.into());
            }
            self.synced.set(self.bytes.len());
            Ok(())
        }

        fn told_len(&self) -> io::Result<u64> {
            Ok(self.told.unwrap_or(self.bytes.len() as u64))
        }
    }

    #[test]
    fn what_was_written_is_synced_and_a_failed_sync_is_final() {
        let mut file = Probe::default();
        write_durably(&mut file, b"some bytes").expect("written");
        assert_eq!((file.bytes.as_slice(), file.synced.get()), (&b"some bytes"[..], 10));
        // What a sync did not save is lost, also where the next one says otherwise.
        let mut file = Probe { fails: Some(io::ErrorKind::Other).into(), ..Probe::default() };
        assert_eq!(write_durably(&mut file, b"some bytes").expect_err("lost").kind(), io::ErrorKind::Other);
        let mut file = Probe { told: Some(9), ..Probe::default() };
        write_durably(&mut file, b"some bytes").expect_err("a byte is missing");
    }

    #[test]
    fn names_are_synced_where_that_is_offered() {
        let synced = |kind: Option<io::ErrorKind>| {
            let folder = Probe { bytes: vec![0; 3], fails: kind.into(), ..Probe::default() };
            let done = sync_names(&folder).map_err(|error| error.kind());
            (done, folder.synced.get())
        };
        assert_eq!(synced(None), (Ok(()), 3));
        assert_eq!(synced(Some(io::ErrorKind::Other)), (Err(io::ErrorKind::Other), 0));
        assert_eq!(synced(Some(io::ErrorKind::NotFound)), (Err(io::ErrorKind::Unsupported), 0));
    }

    #[test]
    fn only_what_a_file_system_does_not_offer_is_unsupported() {
        let (_root, disk) = disk(false);
        disk.sync_folder("").expect("the root can be synced");
        assert_eq!(disk.sync_folder("missing").expect_err("missing").kind(), io::ErrorKind::NotFound);
        assert_eq!(disk.rename_new("missing", "x").expect_err("missing").kind(), io::ErrorKind::NotFound);
    }
}
