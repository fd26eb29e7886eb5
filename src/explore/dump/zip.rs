//! ZIP, written without going back, so that it can go through a pipe.

use std::io::{self, Read, Write};

use ::zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};
use ::zip::{CompressionMethod, DateTime};

use super::DumpWriter;
use crate::format::record::Time;
use crate::format::tree::{Node, NodeKind};

/// From here on sizes need the 64-bit extension.
const LARGE: u64 = u32::MAX as u64;

pub(super) struct Zip<'w> {
    writer: Option<ZipWriter<StreamWriter<&'w mut dyn Write>>>,
}

impl<'w> Zip<'w> {
    pub fn new(out: &'w mut dyn Write) -> Self {
        Self { writer: Some(ZipWriter::new_stream(out)) }
    }

    fn writer(&mut self) -> io::Result<&mut ZipWriter<StreamWriter<&'w mut dyn Write>>> {
        self.writer.as_mut().ok_or_else(|| io::Error::other("the archive was ended"))
    }
}

fn options(node: &Node) -> SimpleFileOptions {
    let time = local(node.metadata.mtime).unwrap_or_default();
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(node.metadata.mode & 0o7777)
        .last_modified_time(time)
        .large_file(node.size() >= LARGE)
}

/// ZIP keeps local time, from 1980 on, to two seconds.
fn local(time: Time) -> Option<DateTime> {
    let zoned = jiff::Timestamp::new(time.seconds, 0).ok()?.to_zoned(jiff::tz::TimeZone::system());
    let part = |number: i8| u8::try_from(number).ok();
    DateTime::from_date_and_time(
        u16::try_from(zoned.year()).ok()?,
        part(zoned.month())?,
        part(zoned.day())?,
        part(zoned.hour())?,
        part(zoned.minute())?,
        part(zoned.second())?,
    )
    .ok()
}

/// Names in a ZIP are text.
fn name(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

impl DumpWriter for Zip<'_> {
    fn add(&mut self, path: &[u8], node: &Node) -> io::Result<bool> {
        match &node.kind {
            NodeKind::Folder(_) => self.writer()?.add_directory(name(path), options(node))?,
            NodeKind::Symlink(target) => self.writer()?.add_symlink(name(path), name(target), options(node))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn link(&mut self, _: &[u8], _: &Node, _: &[u8]) -> io::Result<bool> {
        Ok(false)
    }

    fn file(&mut self, path: &[u8], node: &Node, bytes: &mut dyn Read) -> io::Result<()> {
        let writer = self.writer()?;
        writer.start_file(name(path), options(node))?;
        io::copy(bytes, writer)?;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(writer) = self.writer.take() {
            writer.finish()?;
        }
        Ok(())
    }
}
