//! Files without a name: what does not fit into memory, gone with the process however that ends.

use std::borrow::Borrow;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::SpillError;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// An open file that nobody else can find.
pub struct TemporaryFile {
    file: File,
    path: PathBuf,
}

impl TemporaryFile {
    /// An empty file in `folder`, which must be there.
    pub fn new(folder: &Path) -> Result<Self, SpillError> {
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("live-{}-{number}", std::process::id()));
            match File::options().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => {
                    std::fs::remove_file(&path).map_err(|error| SpillError::new("remove", &path, error))?;
                    return Ok(Self { file, path });
                }
                // Left by a process of the same number that was killed before it could remove it.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(SpillError::new("create", &path, error)),
            }
        }
    }

    /// The file alone.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// Fills `buffer` from `offset`.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<(), SpillError> {
        self.file.read_exact_at(buffer, offset).map_err(|error| self.failed("read", error))
    }

    /// The error with the name the file had.
    pub fn failed(&self, what: &'static str, error: io::Error) -> SpillError {
        SpillError::new(what, &self.path, error)
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Reads a file from its beginning; any number of readers do not disturb each other.
pub struct FromStart<F> {
    file: F,
    offset: u64,
}

impl<F: Borrow<TemporaryFile>> FromStart<F> {
    /// A reader of `file`.
    pub fn new(file: F) -> Self {
        Self { file, offset: 0 }
    }

    /// The file.
    pub fn file(&self) -> &TemporaryFile {
        self.file.borrow()
    }
}

impl<F: Borrow<TemporaryFile>> Read for FromStart<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.borrow().file.read_at(buffer, self.offset)?;
        self.offset += got as u64;
        Ok(got)
    }
}
