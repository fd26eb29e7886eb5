//! What kind of place a path is, for people: this computer, a stick, an external disk, a network share.
//!
//! Only words and icons depend on it, never what is done. The decision is a pure function of a path and a table of
//! mounts; reading the table is [`mounts`].

mod mounts;

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use mounts::mounts;

/// The kinds of places people know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceKind {
    /// A disk of this computer.
    #[default]
    Local,
    /// A stick or a card: a medium that is made to be taken out.
    Usb,
    /// A disk that is plugged in and mounted for the time being.
    ExternalDisk,
    /// A share of another computer.
    Nas,
}

impl PlaceKind {
    /// The picture that stands before a destination in listings.
    pub const fn icon(self) -> &'static str {
        match self {
            PlaceKind::Local => "🖥️",
            PlaceKind::Usb => "🔌",
            PlaceKind::ExternalDisk => "💽",
            PlaceKind::Nas => "🌐",
        }
    }

    /// What kind of place `path` is now. Links are followed, as far as the path exists.
    pub fn of(path: &Path) -> io::Result<Self> {
        // What cannot be resolved, because it is not plugged in, is judged as it was typed.
        let path = path.canonicalize().or_else(|_| std::path::absolute(path))?;
        Ok(kind_of(&path, &mounts()?))
    }
}

/// One mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// What is mounted: a block device, a share, or a word.
    pub device: String,
    /// The kind of file system, in the system's own words.
    pub file_system: String,
    /// How its device is attached.
    pub attachment: Attachment,
}

/// How a device is attached, as far as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attachment {
    /// The medium can be taken out of its drive, which sticks and cards say of themselves.
    RemovableMedium,
    /// On a bus outside the case, but a disk.
    External,
    /// In the case, or not known.
    Internal,
}

/// File systems whose bytes are on another computer. `fuse.` stands before those made by a program.
const NETWORK_FILE_SYSTEMS: [&str; 22] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
    "afpfs",
    "webdav",
    "davfs",
    "davfs2",
    "ncpfs",
    "afs",
    "9p",
    "ceph",
    "glusterfs",
    "lustre",
    "sshfs",
    "fuse.sshfs",
    "fuse.rclone",
    "fuse.davfs",
    "fuse.davfs2",
];
/// File systems made by a program in front of a share.
const NETWORK_FUSE_WORDS: [&str; 7] = ["ssh", "smb", "nfs", "dav", "gluster", "ceph", "s3"];
/// Where systems mount what is plugged in.
const PLUGGED_IN: [&str; 4] = ["/media", "/run/media", "/mnt", "/Volumes"];

/// What kind of place `path` is. It should be absolute and free of links; it need not exist.
pub fn kind_of(path: &Path, mounts: &[Mount]) -> PlaceKind {
    if is_unc(path) {
        return PlaceKind::Nas;
    }
    // The last of equal ones was mounted over the others.
    let candidates = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    let Some(mount) = candidates.max_by_key(|mount| mount.point.components().count()) else {
        return PlaceKind::Local;
    };
    if is_network(mount) {
        return PlaceKind::Nas;
    }
    match mount.attachment {
        Attachment::RemovableMedium => PlaceKind::Usb,
        Attachment::External => PlaceKind::ExternalDisk,
        Attachment::Internal if is_plugged_in(mount, mounts) => PlaceKind::ExternalDisk,
        Attachment::Internal => PlaceKind::Local,
    }
}

/// `\\server\share\…`, and the long form of the same. Seen as text, so that it is known on every system.
fn is_unc(path: &Path) -> bool {
    let text = path.to_string_lossy();
    match text.strip_prefix(r"\\") {
        Some(rest) => match rest.strip_prefix(r"?\").or_else(|| rest.strip_prefix(r".\")) {
            Some(device) => device.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(r"UNC\")),
            None => !rest.is_empty(),
        },
        None => false,
    }
}

fn is_network(mount: &Mount) -> bool {
    // Linux within Windows reaches the drives of its own computer as if they were on a server.
    if mount.device.as_bytes().get(1) == Some(&b':') {
        return false;
    }
    let kind = mount.file_system.to_ascii_lowercase();
    NETWORK_FILE_SYSTEMS.contains(&kind.as_str())
        || kind
            .strip_prefix("fuse.")
            .is_some_and(|made_by| NETWORK_FUSE_WORDS.iter().any(|word| made_by.contains(word)))
}

/// Whether a block device other than that of the root is mounted where systems mount what is plugged in.
fn is_plugged_in(mount: &Mount, mounts: &[Mount]) -> bool {
    let root = mounts.iter().rfind(|other| other.point == Path::new("/"));
    mount.device.starts_with("/dev/")
        && root.is_none_or(|root| root.device != mount.device)
        && PLUGGED_IN.iter().any(|folder| mount.point.starts_with(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(point: &str, device: &str, file_system: &str, attachment: Attachment) -> Mount {
        Mount { point: point.into(), device: device.to_owned(), file_system: file_system.to_owned(), attachment }
    }

    fn table() -> Vec<Mount> {
        use Attachment::{External, Internal, RemovableMedium};
        vec![
            mount("/", "/dev/nvme0n1p2", "ext4", Internal),
            mount("/home", "/dev/nvme0n1p3", "ext4", Internal),
            mount("/media/user/usb", "/dev/sda1", "vfat", RemovableMedium),
            mount("/media/user/disk", "/dev/sdb1", "ext4", External),
            mount("/media/user/sata", "/dev/sdc1", "ext4", Internal),
            mount("/mnt", "/dev/nvme0n1p2", "ext4", Internal),
            mount("/mnt/nas", "//nas/backup", "cifs", Internal),
            mount("/mnt/nfs", "nas:/backup", "nfs4", Internal),
            mount("/home/user/remote", "user@host:/", "fuse.sshfs", Internal),
            mount("/home/user/s3", "s3fs", "fuse.s3fs", Internal),
            mount("/home/user/ntfs", "/dev/nvme0n1p4", "fuseblk", Internal),
            mount("/mnt/ram", "tmpfs", "tmpfs", Internal),
            mount("/Volumes/Time", "/dev/disk4s1", "apfs", Internal),
            mount("/mnt/c", r"C:\", "9p", Internal),
            mount("/mnt/shared", "host_share", "9p", Internal),
            mount("/over", "/dev/sda1", "vfat", RemovableMedium),
            mount("/over", "nas:/backup", "nfs", Internal),
            mount("E:\\", "E:", "NTFS", RemovableMedium),
        ]
    }

    #[test]
    fn the_innermost_mount_decides() {
        use PlaceKind::{ExternalDisk, Local, Nas, Usb};
        let expected = [
            ("/var/backup", Local),
            ("/home/user/backup", Local),
            ("/media/user/usb", Usb),
            ("/media/user/usb/backup/deeper", Usb),
            ("/media/user/usbstick", Local),
            ("/media/user/disk/backup", ExternalDisk),
            ("/media/user/sata/backup", ExternalDisk),
            ("/mnt/backup", Local),
            ("/mnt/nas/backup", Nas),
            ("/mnt/nfs/backup", Nas),
            ("/home/user/remote/backup", Nas),
            ("/home/user/s3/backup", Nas),
            ("/home/user/ntfs/backup", Local),
            ("/mnt/ram/backup", Local),
            ("/Volumes/Time/backup", ExternalDisk),
            ("/mnt/c/Users/x/backup", Local),
            ("/mnt/shared/backup", Nas),
            ("/over/backup", Nas),
        ];
        for (path, kind) in expected {
            assert_eq!(kind_of(Path::new(path), &table()), kind, "{path}");
        }
        assert_eq!(kind_of(Path::new("/anything"), &[]), Local);
    }

    #[test]
    fn shares_of_windows_are_known_by_their_spelling() {
        for share in [r"\\192.168.1.100\backup", r"\\nas\backup\deeper", r"\\?\UNC\nas\backup", r"\\?\unc\nas\b"] {
            assert_eq!(kind_of(Path::new(share), &[]), PlaceKind::Nas, "{share}");
        }
        for disk in [r"\\?\C:\backup", r"\\.\C:\backup", r"C:\backup", r"\backup", r"\\", "//home/x"] {
            assert_eq!(kind_of(Path::new(disk), &[]), PlaceKind::Local, "{disk}");
        }
    }

    #[test]
    fn links_are_followed_and_what_is_missing_is_still_judged() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/shm", &link).expect("a link");
        assert_eq!(PlaceKind::of(&link).expect("judged"), PlaceKind::Local);
        assert_eq!(PlaceKind::of(Path::new("/no/such/folder")).expect("judged"), PlaceKind::Local);
    }

    #[test]
    fn every_kind_has_the_icon_of_the_documentation() {
        let icons = [PlaceKind::Local, PlaceKind::Usb, PlaceKind::ExternalDisk, PlaceKind::Nas].map(PlaceKind::icon);
        assert_eq!(icons, ["🖥️", "🔌", "💽", "🌐"]);
    }
}
