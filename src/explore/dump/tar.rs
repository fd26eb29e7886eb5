//! Tar: ustar headers with GNU long names, and `pax` records (POSIX.1-2001) for fractions of seconds and attributes.

use std::io::{self, Read, Write};

use ::tar::{Builder, EntryType, Header};

use super::DumpWriter;
use crate::format::record::Time;
use crate::format::tree::{Node, NodeKind};
use crate::paths;

/// How extended attributes are recorded by GNU tar, star and libarchive.
const ATTRIBUTE: &str = "SCHILY.xattr.";

pub(super) struct Tar<'w> {
    builder: Builder<&'w mut dyn Write>,
}

impl<'w> Tar<'w> {
    pub fn new(out: &'w mut dyn Write) -> Self {
        Self { builder: Builder::new(out) }
    }

    /// The header but its path and what is special; the records that come before it are written.
    fn begin(&mut self, node: &Node, kind: EntryType) -> io::Result<Header> {
        let metadata = &node.metadata;
        let mut records: Vec<(String, Vec<u8>)> = Vec::new();
        if let Some(exact) = exact(metadata.mtime) {
            records.push(("mtime".to_owned(), exact.into_bytes()));
        }
        for attribute in &metadata.attributes {
            if let Ok(name) = str::from_utf8(&attribute.name) {
                records.push((format!("{ATTRIBUTE}{name}"), attribute.value.clone()));
            }
        }
        if !records.is_empty() {
            let records = records.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
            self.builder.append_pax_extensions(records)?;
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(metadata.mode);
        header.set_uid(metadata.uid.into());
        header.set_gid(metadata.gid.into());
        header.set_mtime(u64::try_from(metadata.mtime.seconds).unwrap_or(0));
        header.set_size(0);
        // A name that does not fit is left out: the number stands beside it.
        for (name, is_user) in [(&metadata.user, true), (&metadata.group, false)] {
            if let Some(name) = name {
                let _ = if is_user { header.set_username(name) } else { header.set_groupname(name) };
            }
        }
        Ok(header)
    }

    fn empty(&mut self, path: &[u8], node: &Node, kind: EntryType, device: Option<(u32, u32)>) -> io::Result<bool> {
        let mut header = self.begin(node, kind)?;
        if let Some((major, minor)) = device {
            header.set_device_major(major)?;
            header.set_device_minor(minor)?;
        }
        self.builder.append_data(&mut header, paths::from_bytes(path), io::empty())?;
        Ok(true)
    }
}

/// Seconds since 1970 with their fraction, as `pax` has them; none where the header tells all of it.
fn exact(time: Time) -> Option<String> {
    let Time { seconds, nanos } = time;
    match (seconds, nanos) {
        (0.., 0) => None,
        (0.., _) => Some(format!("{seconds}.{nanos:09}")),
        (_, 0) => Some(seconds.to_string()),
        // Counted back from the second after.
        _ => Some(format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - u64::from(nanos))),
    }
}

impl DumpWriter for Tar<'_> {
    fn add(&mut self, path: &[u8], node: &Node) -> io::Result<bool> {
        match &node.kind {
            NodeKind::Folder(_) => self.empty(&[path, b"/"].concat(), node, EntryType::Directory, None),
            NodeKind::Fifo => self.empty(path, node, EntryType::Fifo, None),
            NodeKind::CharDevice(major, minor) => self.empty(path, node, EntryType::Char, Some((*major, *minor))),
            NodeKind::BlockDevice(major, minor) => self.empty(path, node, EntryType::Block, Some((*major, *minor))),
            NodeKind::Symlink(target) => {
                let mut header = self.begin(node, EntryType::Symlink)?;
                self.builder.append_link(&mut header, paths::from_bytes(path), paths::from_bytes(target))?;
                Ok(true)
            }
            NodeKind::Socket | NodeKind::File(_) => Ok(false),
        }
    }

    fn link(&mut self, path: &[u8], node: &Node, first: &[u8]) -> io::Result<bool> {
        let mut header = self.begin(node, EntryType::Link)?;
        self.builder.append_link(&mut header, paths::from_bytes(path), paths::from_bytes(first))?;
        Ok(true)
    }

    fn file(&mut self, path: &[u8], node: &Node, bytes: &mut dyn Read) -> io::Result<()> {
        let mut header = self.begin(node, EntryType::Regular)?;
        header.set_size(node.size());
        self.builder.append_data(&mut header, paths::from_bytes(path), bytes)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_exact_on_both_sides_of_1970() {
        let exact = |seconds, nanos| exact(Time { seconds, nanos });
        assert_eq!(exact(5, 0), None);
        assert_eq!(exact(5, 20).as_deref(), Some("5.000000020"));
        assert_eq!(exact(-5, 0).as_deref(), Some("-5"));
        // Half a second before -4.
        assert_eq!(exact(-5, 500_000_000).as_deref(), Some("-4.500000000"));
        assert_eq!(exact(-1, 750_000_000).as_deref(), Some("-0.250000000"));
    }
}
