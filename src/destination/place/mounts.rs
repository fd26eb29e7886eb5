//! The table of mounted file systems, read from the system.
//!
//! On Linux it is read without touching any of the file systems in it: asking a share whose server is away for its
//! size never returns. Elsewhere `sysinfo` knows how to ask.

#[cfg(target_os = "linux")]
pub use linux::mounts;
#[cfg(not(target_os = "linux"))]
pub use other::mounts;

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::io;
    use std::os::unix::ffi::OsStringExt;
    use std::path::{Path, PathBuf};

    use crate::destination::place::{Attachment, Mount};

    /// What is mounted now, in the order in which it was mounted.
    pub fn mounts() -> io::Result<Vec<Mount>> {
        Ok(parse(&std::fs::read("/proc/self/mounts")?, &attachment))
    }

    /// Reads the table's text; `attachment` answers for a device.
    fn parse(table: &[u8], attachment: &dyn Fn(&str) -> Attachment) -> Vec<Mount> {
        let lines = table.split(|byte| *byte == b'\n');
        lines
            .filter_map(|line| {
                let mut fields = line.split(|byte| *byte == b' ').map(unescape);
                let device = String::from_utf8_lossy(&fields.next()?).into_owned();
                let point = PathBuf::from(OsString::from_vec(fields.next()?));
                let file_system = String::from_utf8_lossy(&fields.next()?).into_owned();
                let attachment = attachment(&device);
                Some(Mount { point, device, file_system, attachment })
            })
            .collect()
    }

    /// White space and backslashes stand in the table as `\` and three octal digits.
    fn unescape(field: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(field.len());
        let mut rest = field;
        while let Some((first, after)) = rest.split_first() {
            let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
            let value = octal.filter(|_| *first == b'\\').and_then(|digits| u8::from_str_radix(digits, 8).ok());
            plain.push(value.unwrap_or(*first));
            rest = if value.is_some() { &after[3..] } else { after };
        }
        plain
    }

    /// How a block device is attached. An encrypted stick is asked through the layers above it.
    fn attachment(device: &str) -> Attachment {
        let resolved = device.starts_with("/dev/").then(|| std::fs::canonicalize(device).ok()).flatten();
        let name = resolved.as_deref().and_then(Path::file_name).map(Path::new);
        name.map_or(Attachment::Internal, |name| attachment_in(Path::new("/sys/class/block"), name, 4))
    }

    /// Devices under `block` are links into the tree of buses: `…/usb1/1-2/…/block/sda/sda1`.
    fn attachment_in(block: &Path, name: &Path, layers_left: u8) -> Attachment {
        let Ok(device) = block.join(name).canonicalize() else { return Attachment::Internal };
        let below = std::fs::read_dir(device.join("slaves")).ok().and_then(|mut slaves| slaves.next()?.ok());
        if let Some(below) = below.filter(|_| layers_left > 0) {
            return attachment_in(block, Path::new(&below.file_name()), layers_left - 1);
        }
        // A partition has no such file; the disk it is on stands above it.
        let says_removable = [Some(device.as_path()), device.parent()]
            .into_iter()
            .flatten()
            .any(|disk| std::fs::read_to_string(disk.join("removable")).is_ok_and(|said| said.trim() == "1"));
        let is_on_usb = device.components().any(|part| {
            let part = part.as_os_str().to_string_lossy();
            part.strip_prefix("usb").is_some_and(|number| number.parse::<u32>().is_ok())
        });
        match (says_removable, is_on_usb) {
            (true, _) => Attachment::RemovableMedium,
            (false, true) => Attachment::External,
            (false, false) => Attachment::Internal,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_table_is_read_with_its_escapes() {
            let table =
                b"/dev/sda1 /media/user/my\\040stick vfat rw 0 0\n//nas/b /mnt/back\\134slash cifs rw 0 0\n\nshort\n";
            let found = parse(table, &|device| match device {
                "/dev/sda1" => Attachment::RemovableMedium,
                _ => Attachment::Internal,
            });
            let points: Vec<_> = found.iter().map(|mount| mount.point.to_str().expect("is text")).collect();
            assert_eq!(points, ["/media/user/my stick", "/mnt/back\\slash"]);
            assert_eq!(found[0].attachment, Attachment::RemovableMedium);
            assert_eq!((found[1].device.as_str(), found[1].file_system.as_str()), ("//nas/b", "cifs"));
        }

        #[test]
        fn this_machine_has_a_root() {
            let found = mounts().expect("the table can be read");
            assert!(found.iter().any(|mount| mount.point == Path::new("/")));
        }

        #[test]
        fn sticks_and_disks_are_told_apart_through_partitions_and_encryption() {
            let sys = tempfile::tempdir().expect("a folder");
            let block = sys.path().join("class/block");
            std::fs::create_dir_all(&block).expect("a folder");
            let disk = |bus: &str, name: &str, removable: &str| {
                let disk = sys.path().join("devices").join(bus).join("block").join(name);
                let partition = disk.join(format!("{name}1"));
                std::fs::create_dir_all(&partition).expect("a folder");
                std::fs::write(disk.join("removable"), removable).expect("a file");
                std::os::unix::fs::symlink(&disk, block.join(name)).expect("a link");
                std::os::unix::fs::symlink(&partition, block.join(format!("{name}1"))).expect("a link");
            };
            disk("pci0/usb1/1-2", "sda", "1\n");
            disk("pci0/usb2/2-1", "sdb", "0\n");
            disk("pci0/ata1/usbish", "sdc", "0\n");
            let mapped = sys.path().join("devices/virtual/block/dm-0");
            std::fs::create_dir_all(mapped.join("slaves/sda1")).expect("a folder");
            std::os::unix::fs::symlink(&mapped, block.join("dm-0")).expect("a link");

            let of = |name: &str| attachment_in(&block, Path::new(name), 4);
            assert_eq!(of("sda1"), Attachment::RemovableMedium);
            assert_eq!(of("sda"), Attachment::RemovableMedium);
            assert_eq!(of("sdb1"), Attachment::External);
            assert_eq!(of("sdc1"), Attachment::Internal);
            assert_eq!(of("dm-0"), Attachment::RemovableMedium, "encrypted, on a stick");
            assert_eq!(of("gone"), Attachment::Internal);
        }
    }
}

// Compiled in tests everywhere, so that it is not first seen on another system.
#[cfg(any(not(target_os = "linux"), test))]
mod other {
    use std::io;

    use sysinfo::{DiskRefreshKind, Disks};

    use crate::destination::place::{Attachment, Mount};

    /// What is mounted now.
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "used on the other systems"))]
    pub fn mounts() -> io::Result<Vec<Mount>> {
        let disks = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing()).map_err(io::Error::other)?;
        let mount = |disk: &sysinfo::Disk| Mount {
            point: disk.mount_point().to_owned(),
            device: disk.name().to_string_lossy().into_owned(),
            file_system: disk.file_system().to_string_lossy().into_owned(),
            attachment: if disk.is_removable() { Attachment::RemovableMedium } else { Attachment::Internal },
        };
        Ok(disks.iter().map(mount).collect())
    }
}
