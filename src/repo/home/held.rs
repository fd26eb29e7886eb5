//! Who may write in a state folder.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::SystemTime;

use crate::error::Error;

/// The right to write in a state folder. The file names the process that has it.
pub(crate) struct Lock {
    _file: File,
    /// Who had it before, and who has it now; none where that cannot be told.
    pub(in crate::repo) before: Option<LastHeld>,
    pub(in crate::repo) now: Option<LastHeld>,
}

/// Why the right to write is not had.
pub(crate) enum NotTaken {
    /// Another command has it.
    Held,
    /// This user may write nothing here: the disk can only be read, or the folder is somebody else's.
    Refused(Error),
    /// The system failed.
    Failed(Error),
}

impl NotTaken {
    /// Where the file could not be opened to write.
    pub(super) fn of(path: &Path, source: io::Error) -> Self {
        let is_refused = matches!(source.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied);
        let error = Error::Io { what: "open".to_owned(), path: path.to_owned(), source };
        if is_refused { Self::Refused(error) } else { Self::Failed(error) }
    }
}

impl Lock {
    /// Of a file that is locked now.
    pub(super) fn taken(file: File) -> Self {
        let before = LastHeld::of(&file);
        // For the sentence another command says; the lock is what counts.
        let written = file.set_len(0).and_then(|()| write_at_start(&file, &std::process::id().to_string()));
        let now = written.ok().and_then(|()| LastHeld::of(&file));
        Self { _file: file, before, now }
    }
}

/// Which process took the lock last, and when: different after every time it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastHeld {
    holder: String,
    since: SystemTime,
}

impl LastHeld {
    fn of(mut file: &File) -> Option<Self> {
        let mut holder = String::new();
        file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut holder)).ok()?;
        Some(Self { holder, since: file.metadata().and_then(|found| found.modified()).ok()? })
    }
}

fn write_at_start(mut file: &File, text: &str) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}
