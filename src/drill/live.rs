//! What was restored against the file it was made from, where nothing says that the file was changed since. If its bytes
//! differ then, something changed them that does not tell: a failing disk, bad memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::format::record::Time;
use crate::format::tree::{Metadata, Node};
use crate::source::{ChangePolicy, Entry, SourceFile, is_unchanged};

/// Bytes that are compared at a time.
const BUFFER: usize = 256 << 10;

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// The file is another one by now, is gone, or cannot be opened.
    Changed,
    /// It has the same bytes.
    Same,
    /// It has not, or cannot be read.
    Differs(String),
}

/// Compares a file with what was restored of it, from an offset on.
pub(super) fn compare(
    path: &Path,
    node: &Node,
    scanned: Time,
    policy: &ChangePolicy,
    (restored, offset): (&Path, u64),
) -> Compared {
    let Ok(entry) = Entry::of(path) else { return Compared::Changed };
    if !is_unchanged(node, &entry, scanned, policy) {
        return Compared::Changed;
    }
    let opened = SourceFile::open(path, &entry.stat).ok().map(SourceFile::into_file);
    let (Some(file), Ok(copy)) = (opened, File::open(restored)) else { return Compared::Changed };
    let difference = first_difference(file, copy, offset);
    // What is written to meanwhile may differ.
    if Entry::of(path).ok().is_none_or(|now| now.stat != entry.stat) {
        return Compared::Changed;
    }
    match difference {
        Ok(None) => Compared::Same,
        Ok(Some(at)) => Compared::Differs(format!(
            "byte {at} of the file itself is not what was backed up, though its size and times say that nothing changed it"
        )),
        Err(error) => Compared::Differs(format!("the file itself cannot be read any more: {error}")),
    }
}

/// Where the file first differs from the copy of a part of it. The copy was read before: an error is of the file.
fn first_difference(mut file: File, copy: File, offset: u64) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut copy = BufReader::with_capacity(BUFFER, copy);
    let (mut at, mut there, mut here) = (offset, vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let got = copy.read(&mut here)?;
        if got == 0 {
            return Ok(None);
        }
        match file.read_exact(&mut there[..got]) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Some(at)),
            Err(error) => return Err(error),
        }
        if let Some(first) = there.iter().zip(&here[..got]).position(|(left, right)| left != right) {
            return Ok(Some(at + first as u64));
        }
        at += got as u64;
    }
}

/// Lets the owner read what was restored with a mode that does not.
#[cfg(unix)]
pub(super) fn make_readable(path: &Path, metadata: &Metadata) {
    use std::os::unix::fs::PermissionsExt;
    if metadata.mode & 0o400 == 0 {
        // Where that fails, it cannot be read, and that is said.
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
}

#[cfg(not(unix))]
pub(super) fn make_readable(_: &Path, _: &Metadata) {}
