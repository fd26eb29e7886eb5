//! Reading one file: its data and its holes, and whether it stayed the same meanwhile.
//!
//! Plain reads only. Under a memory mapping, a file that gets shorter kills the process.

use std::fs::File;
use std::io;
use std::path::Path;

use super::system::{self, Extent};
use super::{Stat, problem_of};
use crate::report::{Problem, ProblemKind};

/// A shorter hole is read as the zeros it stands for: to end a chunk there would cost more than it saves.
pub const HOLE_MIN_BYTES: u64 = 16 << 10;

/// A regular file open for reading, from its start to the size it had when it was opened.
#[derive(Debug)]
pub struct SourceFile {
    file: File,
    stat: Stat,
    /// Whether there may be holes.
    is_sparse: bool,
    /// Where the next segment begins.
    next: u64,
    /// The next byte to read, and the end of the segment it is in.
    position: u64,
    end: u64,
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// Bytes to be read.
    Data {
        /// Where it begins.
        offset: u64,
        /// Its length in bytes.
        len: u64,
    },
    /// Zeros that are not stored.
    Hole {
        /// Its length in bytes.
        len: u64,
    },
}

/// Why a file that the walk found cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is gone.
    #[error("it is gone")]
    Vanished,
    /// There is something else than a file by now.
    #[error("it is not a file any more")]
    NotAFile,
    /// A regular file, but another one: it was replaced since, or the file system does not keep inode numbers. The
    /// caller may take it as it is, with its own stat.
    #[error("it was replaced by another file")]
    Replaced(Box<SourceFile>),
    /// The system refuses.
    #[error("it cannot be opened: {0}")]
    Unreadable(#[source] io::Error),
}

impl OpenError {
    /// What the report says about the file at `path`.
    pub fn problem(&self, path: &Path) -> Problem {
        let kind = match self {
            Self::Vanished => ProblemKind::Vanished,
            Self::NotAFile | Self::Replaced(_) => ProblemKind::ChangedWhileRead,
            Self::Unreadable(_) => ProblemKind::Unreadable,
        };
        Problem { path: path.to_path_buf(), kind, detail: self.to_string() }
    }
}

impl SourceFile {
    /// Opens the file at `path`, which the walk found as `expected`. Follows no link and waits for no pipe, whatever
    /// has come there since.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, expected: &Stat) -> Result<Self, OpenError> {
        let opened = system::open_file(path).and_then(|file| Ok((system::file_kind(&file)?, file)));
        let ((is_regular, stat), file) = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(not_opened(path, error)),
        };
        if !is_regular {
            return Err(OpenError::NotAFile);
        }
        let is_sparse = stat.blocks_bytes < stat.size;
        let opened = Self { file, stat, is_sparse, next: 0, position: 0, end: 0 };
        if stat.identity() == expected.identity() { Ok(opened) } else { Err(OpenError::Replaced(Box::new(opened))) }
    }

    /// The open file, at its beginning.
    pub fn into_file(self) -> File {
        self.file
    }

    /// What the file was when it was opened.
    pub fn stat(&self) -> Stat {
        self.stat
    }

    /// Goes on to the next segment; `None` after the last. Together they are as long as the file was, unless it became
    /// shorter: after a read that ended early there are no more.
    ///
    /// # Errors
    /// When the system fails to tell where the holes are.
    pub fn next_segment(&mut self) -> io::Result<Option<Segment>> {
        let from = self.next;
        if from >= self.stat.size {
            return Ok(None);
        }
        let (start, end) = if self.is_sparse { self.next_data(from)? } else { (from, self.stat.size) };
        (self.position, self.end) = (start, start);
        if start > from {
            self.next = start;
            return Ok(Some(Segment::Hole { len: start - from }));
        }
        (self.next, self.end) = (end, end);
        Ok(Some(Segment::Data { offset: start, len: end - start }))
    }

    /// Where data begins at or after `from` and where it ends, with short holes taken for data.
    fn next_data(&mut self, from: u64) -> io::Result<(u64, u64)> {
        let size = self.stat.size;
        let (mut start, mut end) = (from, from);
        let mut is_first = true;
        while end < size {
            let (data, data_end) = match system::next_extent(&self.file, end)? {
                Extent::Data { start, end } => (start.min(size), end.min(size)),
                Extent::HoleToEnd => (size, size),
                Extent::Unknown => {
                    self.is_sparse = false;
                    return Ok((from, size));
                }
            };
            if data - end >= HOLE_MIN_BYTES {
                if is_first {
                    (start, end) = (data, data_end);
                }
                break;
            }
            end = data_end;
            is_first = false;
        }
        Ok((start, end))
    }

    /// Reads on in the segment given last. 0 at its end, or where the file ends by now. May give fewer bytes than fit.
    ///
    /// # Errors
    /// Whatever the system says; an interrupted call is made again.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let want = left.min(buffer.len());
        if want == 0 {
            return Ok(0);
        }
        let got = system::read_at(&self.file, &mut buffer[..want], self.position)?;
        if got == 0 {
            self.next = self.stat.size;
            self.end = self.position;
        }
        self.position += got as u64;
        Ok(got)
    }

    /// Whether size, times and inode are still what they were when the file was opened.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn is_unchanged(&self) -> io::Result<bool> {
        let now = system::stat_of_file(&self.file)?;
        let what = |stat: &Stat| (stat.size, stat.mtime, stat.ctime, stat.inode);
        Ok(what(&now) == what(&self.stat))
    }
}

fn not_opened(path: &Path, error: io::Error) -> OpenError {
    if problem_of(path, "", &error).kind == ProblemKind::Vanished {
        return OpenError::Vanished;
    }
    if system::is_not_a_file(&error) { OpenError::NotAFile } else { OpenError::Unreadable(error) }
}
