//! An open folder below the target, and what is done in it.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

/// A folder that is open.
pub(in crate::restore) struct Folder {
    fd: OwnedFd,
}

/// The file system a folder is on, and where that is mounted: two folders of one mount have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::restore) struct Mount {
    device: u64,
    /// Of one file system mounted twice, which; 0 where the system does not tell.
    number: u64,
}

impl Mount {
    pub fn is_same_device(self, other: Self) -> bool {
        self.device == other.device
    }
}

/// A folder that was entered: made now, or there before.
pub(in crate::restore) struct Entered {
    pub folder: Folder,
    /// Whether this restore made it: then nothing else is in it, and files can be made in place.
    pub is_new: bool,
}

/// A name beside the real one, for what is written first and renamed then.
pub(in crate::restore) struct Temporary(Vec<u8>);

impl Temporary {
    /// A random name, so that nobody can lie in wait at it.
    pub fn new() -> io::Result<Self> {
        let bytes: [u8; 8] = crate::seal::keys::random().map_err(io::Error::other)?;
        Ok(Self(format!(".cryptbackup-{}", data_encoding::HEXLOWER.encode(&bytes)).into_bytes()))
    }

    pub fn name(&self) -> &[u8] {
        &self.0
    }
}

const FOLDER_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Entered {
    /// Enters folders in each other, one after the other, so that no link is followed on the way. Those on the way get
    /// the mode that any new folder gets.
    pub fn enter_all(self, names: &[&[u8]]) -> io::Result<Entered> {
        let mut entered = self;
        for (number, name) in names.iter().enumerate() {
            let is_last = number + 1 == names.len();
            let mode = if is_last { Mode::RWXU } else { Mode::RWXU | Mode::RWXG | Mode::RWXO };
            entered = entered.folder.enter_or_make(name, mode)?;
        }
        Ok(entered)
    }
}

impl Folder {
    /// Opens the target, making it and the folders above it where they are missing. Links in a path that someone gave
    /// by name are followed, those below it never are.
    pub fn open_target(path: &Path) -> io::Result<Entered> {
        let is_new = match std::fs::symlink_metadata(path) {
            Ok(_) => false,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = path.parent() {
                    std::fs::create_dir_all(parent)?;
                }
                rustix::fs::mkdir(path, Mode::RWXU)?;
                true
            }
            Err(error) => return Err(error),
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let flags = if is_new { flags | OFlags::NOFOLLOW } else { flags };
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Entered { folder: Self { fd }, is_new })
    }

    /// Opens the target where it is there.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { fd: rustix::fs::open(path, flags, Mode::empty())? })
    }

    pub fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    pub fn mount(&self) -> io::Result<Mount> {
        let device = rustix::fs::fstat(&self.fd)?.st_dev;
        Ok(Mount { device, number: mount_number(&self.fd) })
    }

    /// Waits until everything on its file system is on the disk. An error says that something written since this was
    /// opened is not.
    #[cfg(target_os = "linux")]
    pub fn settle(&self) -> io::Result<()> {
        match rustix::fs::syncfs(&self.fd) {
            // Not every file system, and not every sandbox, has it.
            Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
            result => Ok(result?),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn settle(&self) -> io::Result<()> {
        Ok(())
    }

    /// Enters a folder below, making it where it is missing. Something else of that name is an error.
    pub fn enter(&self, name: &[u8]) -> io::Result<Entered> {
        self.enter_or_make(name, Mode::RWXU)
    }

    fn enter_or_make(&self, name: &[u8], mode: Mode) -> io::Result<Entered> {
        let name = &*self.found_by(name);
        let is_new = match rustix::fs::mkdirat(&self.fd, name, mode) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        let fd = rustix::fs::openat(&self.fd, name, FOLDER_FLAGS, Mode::empty())?;
        Ok(Entered { folder: Self { fd }, is_new })
    }

    /// What is at a name, itself and not what it links to; `None` where nothing is.
    pub fn look_at(&self, name: &[u8]) -> io::Result<Option<Stat>> {
        match rustix::fs::statat(&self.fd, &*self.found_by(name), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a file that must not be there yet, for this user's eyes only until its metadata are set.
    pub fn create(&self, name: &[u8]) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.fd, &*self.found_by(name), flags, Mode::RUSR | Mode::WUSR)?))
    }

    /// Opens a file for reading, not following a link and not waiting for a pipe.
    pub fn open_file(&self, name: &[u8]) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.fd, &*self.found_by(name), flags, Mode::empty())?))
    }

    pub fn rename(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, &*self.found_by(to))?)
    }

    /// Makes `name` here another name of a file in another folder.
    pub fn link(&self, name: &[u8], other: &Folder, other_name: &[u8]) -> io::Result<()> {
        let (other_name, name) = (&*other.found_by(other_name), &*self.found_by(name));
        Ok(rustix::fs::linkat(&other.fd, other_name, &self.fd, name, AtFlags::empty())?)
    }

    pub fn symlink(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(target, &self.fd, &*self.found_by(name))?)
    }

    /// Removes what is not a folder.
    pub fn remove(&self, name: &[u8]) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, &*self.found_by(name), AtFlags::empty())?)
    }

    /// The names in the folder.
    pub fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(name.to_vec());
            }
        }
        Ok(names)
    }

    /// Removes an entry with everything in it, unless something else is mounted there; gives the number of entries
    /// removed. What `stays` by its path stays with the folders around it. Where it is not real, nothing is removed.
    pub fn remove_all(
        &self,
        name: &[u8],
        mut path: PathBuf,
        is_real: bool,
        stays: &mut dyn FnMut(&Path) -> bool,
    ) -> io::Result<u64> {
        let Some(stat) = self.look_at(name)?.filter(|_| !stays(&path)) else { return Ok(0) };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            if is_real {
                self.remove(name)?;
            }
            return Ok(1);
        }
        let mount = self.mount()?;
        // A row of folders being emptied, deepest last, so that depth costs no stack.
        let mut removed = 0;
        let mut open = vec![Emptied::enter(self, name, mount)?];
        while let Some(emptied) = open.last_mut() {
            if let Some(child) = emptied.left.pop() {
                let Some(stat) = emptied.folder.look_at(&child)? else { continue };
                path.push(crate::paths::from_bytes(&child));
                if stays(&path) {
                    emptied.is_kept = true;
                } else if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    let below = Emptied::enter(&emptied.folder, &child, mount)?;
                    open.push(below);
                    continue;
                } else {
                    if is_real {
                        emptied.folder.remove(&child)?;
                    }
                    removed += 1;
                }
                path.pop();
                continue;
            }
            path.pop();
            let Some(Emptied { name, is_kept, .. }) = open.pop() else { continue };
            if is_kept {
                open.last_mut().into_iter().for_each(|around| around.is_kept = true);
                continue;
            }
            if is_real {
                let around = open.last().map_or(&self.fd, |around| &around.folder.fd);
                rustix::fs::unlinkat(around, name, AtFlags::REMOVEDIR)?;
            }
            removed += 1;
        }
        Ok(removed)
    }

    /// Enters folders in each other that are there, following no link.
    pub fn enter_below(&self, names: &[&[u8]]) -> io::Result<Folder> {
        let mut folder = Self { fd: self.fd.try_clone()? };
        for name in names {
            folder = folder.enter_existing(name)?;
        }
        Ok(folder)
    }

    pub fn enter_existing(&self, name: &[u8]) -> io::Result<Folder> {
        Ok(Self { fd: rustix::fs::openat(&self.fd, &*self.found_by(name), FOLDER_FLAGS, Mode::empty())? })
    }

    /// The name by which the system finds an entry.
    #[cfg(not(test))]
    fn found_by<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(name)
    }

    /// The same, where what is below a folder that is called `ignoring case` lies on a target that does.
    #[cfg(test)]
    fn found_by<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        use std::os::fd::AsRawFd;

        let path = std::fs::read_link(format!("/proc/self/fd/{}", self.fd.as_raw_fd()));
        let ignores_case = path.is_ok_and(|path| path.iter().any(|name| name == "ignoring case"));
        let names = if ignores_case { self.names().unwrap_or_default() } else { Vec::new() };
        let found = names.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        found.map_or(Cow::Borrowed(name), Cow::Owned)
    }
}

/// A folder of which what is in it is being removed.
struct Emptied {
    name: Vec<u8>,
    folder: Folder,
    /// What was not looked at yet.
    left: Vec<Vec<u8>>,
    /// Whether something in it stays, and so it does.
    is_kept: bool,
}

impl Emptied {
    fn enter(around: &Folder, name: &[u8], mount: Mount) -> io::Result<Self> {
        let folder = around.enter_existing(name)?;
        if folder.mount()? != mount {
            return Err(io::Error::other("another file system is mounted in it"));
        }
        Ok(Self { name: name.to_vec(), left: folder.names()?, folder, is_kept: false })
    }
}

#[cfg(target_os = "linux")]
fn mount_number(fd: &OwnedFd) -> u64 {
    use rustix::fs::StatxFlags;

    let found = rustix::fs::statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
    // Kernels before 5.8 do not tell; then what is mounted from the same file system is a part of it.
    found.ok().filter(|found| found.stx_mask & StatxFlags::MNT_ID.bits() != 0).map_or(0, |found| found.stx_mnt_id)
}

#[cfg(not(target_os = "linux"))]
fn mount_number(_: &OwnedFd) -> u64 {
    0
}
