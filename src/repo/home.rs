//! The state folder.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;

/// How long a command waits for another one of the same state folder that only brings the index up to date.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where one user's settings and memory are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The state folder of this user: `$CRYPTBACKUP_HOME`, or `.mybackup` in the home folder.
    ///
    /// # Errors
    /// [`Error::Usage`] where neither is known, or the variable is not an absolute path.
    pub fn locate() -> Result<Self, Error> {
        if let Some(path) = std::env::var_os("CRYPTBACKUP_HOME") {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Self(path))
            } else {
                Err(Error::Usage(format!("CRYPTBACKUP_HOME is `{}`: it must be an absolute path", path.display())))
            };
        }
        match std::env::home_dir().filter(|home| home.is_absolute()) {
            Some(home) => Ok(Self(home.join(".mybackup"))),
            None => Err(Error::Usage("there is no home folder; set CRYPTBACKUP_HOME to the state folder".to_owned())),
        }
    }

    /// A state folder at a given path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `config.yaml`.
    pub fn settings_path(&self) -> PathBuf {
        self.0.join("config.yaml")
    }

    /// `backups.db`: the index.
    pub fn index_path(&self) -> PathBuf {
        self.0.join("backups.db")
    }

    /// A file or folder of the program's own state.
    pub(super) fn state_path(&self, name: &str) -> PathBuf {
        self.0.join("state").join(name)
    }

    /// A folder for files that are only needed while a command runs.
    pub(super) fn scratch_folder(&self) -> Result<PathBuf, Error> {
        let path = self.state_path("tmp");
        create_private_folder(&path).map_err(|source| io_error("create", &path, source))?;
        Ok(path)
    }

    /// Whether this program was set up here.
    pub fn exists(&self) -> bool {
        self.settings_path().exists() && self.state_path("repo").exists()
    }

    /// Finds what another program left in the folder: its files are never touched.
    ///
    /// # Errors
    /// [`Error::ForeignState`]. A file that cannot be read is not judged.
    pub fn check_not_foreign(&self) -> Result<(), Error> {
        self.check_index_not_foreign()?;
        let settings = self.settings_path();
        if settings.exists() && !self.state_path("repo").exists() {
            let what = "a configuration without the state that belongs to it";
            return Err(Error::ForeignState { path: settings, what });
        }
        Ok(())
    }

    /// The same, of the index alone: beside it a copy of `config.yaml` may lie.
    pub(super) fn check_index_not_foreign(&self) -> Result<(), Error> {
        let path = self.index_path();
        let mut head = [0; 16];
        if let Ok(mut file) = File::open(&path)
            && file.read_exact(&mut head).is_ok()
            && head == *b"SQLite format 3\0"
        {
            return Err(Error::ForeignState { path, what: "the SQLite database of an earlier program" });
        }
        Ok(())
    }

    /// Fails unless this program was set up here.
    ///
    /// # Errors
    /// [`Error::NotInitialised`], [`Error::ForeignState`].
    pub fn require(&self) -> Result<(), Error> {
        if self.exists() {
            return self.check_index_not_foreign();
        }
        self.check_not_foreign()?;
        Err(Error::NotInitialised { home: self.0.clone() })
    }

    /// Makes the folders, for the owner's eyes only.
    pub(super) fn create(&self) -> Result<(), Error> {
        for folder in [self.0.clone(), self.state_path(""), self.state_path("repo")] {
            create_private_folder(&folder).map_err(|source| io_error("create", &folder, source))?;
        }
        Ok(())
    }

    /// Excludes the other commands of this state folder that write, until dropped. One that is about to end is waited
    /// for; the system lets go of the lock of one that was killed.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        let began = Instant::now();
        loop {
            match self.try_lock()? {
                Some(lock) => return Ok(lock),
                None if began.elapsed() >= PATIENCE => return Err(self.locked()),
                None => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The same without waiting: `None` while another command writes.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>, Error> {
        let path = self.state_path("lock");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| io_error("open", &path, source))?;
        match file.try_lock() {
            Ok(()) => {
                // For the sentence another command says; the lock is what counts.
                let _ = file.set_len(0).and_then(|()| (&file).write_all(std::process::id().to_string().as_bytes()));
                Ok(Some(Lock { _file: file }))
            }
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(source)) => Err(io_error("lock", &path, source)),
        }
    }

    /// The error for a command that another one keeps from writing.
    pub(super) fn locked(&self) -> Error {
        let holder = fs::read_to_string(self.state_path("lock")).ok().and_then(|text| text.parse().ok());
        Error::Locked { home: self.0.clone(), holder }
    }
}

/// The right to write in a state folder. The file names the process that has it.
pub(super) struct Lock {
    _file: File,
}

pub(super) fn io_error(what: &str, path: &Path, source: std::io::Error) -> Error {
    Error::Io { what: what.to_owned(), path: path.to_owned(), source }
}

#[cfg(unix)]
fn create_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create_private_folder(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(path)
}
