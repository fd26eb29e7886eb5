//! The state folder.

mod held;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::machine::{Machine, RealMachine};
use super::settings::Settings;
use crate::destination::disk::{Disk, EntryKind, replace_file};
use crate::error::Error;

pub(super) use held::{LastHeld, Lock, NotTaken};

/// How long a command waits for another one of the same state folder that only brings the index up to date.
const PATIENCE: Duration = Duration::from_secs(10);
/// No small file of the state folder is larger.
const STATE_LEN_MAX: u64 = 64 << 20;
/// The settings, and the index, in the state folder.
const SETTINGS: &str = "config.yaml";
const INDEX: &str = "backups.db";
/// The header of the repository in the state, and what is beside it while `init` is at work.
const HEADER: &str = "repo/cryptbackup.repo";
const UNFINISHED: &str = "unfinished";

/// Where one user's settings and memory are, and the machine they are on.
#[derive(Debug, Clone)]
pub struct Home {
    path: PathBuf,
    machine: Arc<dyn Machine>,
}

impl Home {
    /// The state folder of this user: `$CRYPTBACKUP_HOME`, or `.mybackup` in the home folder.
    ///
    /// # Errors
    /// [`Error::Usage`] where neither is known, or the variable is not an absolute path.
    pub fn locate() -> Result<Self, Error> {
        if let Some(path) = std::env::var_os("CRYPTBACKUP_HOME") {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Self::at(path))
            } else {
                Err(Error::Usage(format!("CRYPTBACKUP_HOME is `{}`: it must be an absolute path", path.display())))
            };
        }
        match std::env::home_dir().filter(|home| home.is_absolute()) {
            Some(home) => Ok(Self::at(home.join(".mybackup"))),
            None => Err(Error::Usage("there is no home folder; set CRYPTBACKUP_HOME to the state folder".to_owned())),
        }
    }

    /// A state folder at a given path of this machine.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), machine: Arc::new(RealMachine) }
    }

    /// The same path on another machine. Locks and files that are only needed while a command runs stay on this one.
    #[must_use]
    pub fn on(self, machine: Arc<dyn Machine>) -> Self {
        Self { machine, ..self }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is on.
    pub(crate) fn machine(&self) -> &dyn Machine {
        self.machine.as_ref()
    }

    /// `config.yaml`.
    pub fn settings_path(&self) -> PathBuf {
        self.path.join(SETTINGS)
    }

    /// `backups.db`: the index.
    pub fn index_path(&self) -> PathBuf {
        self.path.join(INDEX)
    }

    /// The settings.
    ///
    /// # Errors
    /// Those of [`Settings::load`].
    pub fn settings(&self) -> Result<Settings, Error> {
        let path = self.settings_path();
        Settings::parse_file(&path, &self.machine.read_settings(&path)?)
    }

    /// Writes the settings, as [`Settings::save`] does.
    ///
    /// # Errors
    /// Those of [`Settings::save`].
    pub fn save_settings(&self, settings: &Settings) -> Result<(), Error> {
        settings.validate()?;
        self.machine.write_settings(&self.settings_path(), settings.to_yaml()?.as_bytes())
    }

    /// Loads, changes and saves the settings, while no other process does. Nothing is written when `change` fails or
    /// changes nothing.
    ///
    /// # Errors
    /// Those of [`Self::settings`], [`Self::save_settings`] and `change`.
    pub fn edit_settings<T>(&self, change: impl FnOnce(&mut Settings) -> Result<T, Error>) -> Result<T, Error> {
        let path = self.settings_path();
        Settings::edit_through(&path, || self.settings(), |after| self.save_settings(after), change)
    }

    /// A file or folder of the program's own state.
    fn state_path(&self, name: &str) -> PathBuf {
        self.path.join(below_state(name))
    }

    /// A small file of the program's own state; none where there is none.
    pub(super) fn read_state(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let read =
            self.machine.open_root(&self.path).and_then(|disk| disk.read(&below_state(name), None, STATE_LEN_MAX));
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io_error("read", &self.state_path(name), source)),
        }
    }

    /// Writes such a file, durably: a crash leaves the old or the new one. Its folder is made, if it is missing.
    pub(super) fn write_state(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = below_state(name);
        let written = self.machine.open_root(&self.path).and_then(|disk| {
            make_folders(disk.as_ref(), path.rsplit_once('/').map_or("", |(folder, _)| folder))?;
            replace_file(disk.as_ref(), &format!("{path}.{}.tmp", std::process::id()), &path, bytes)
        });
        written.map_err(|source| io_error("write", &self.state_path(name), source))
    }

    /// Removes such a file, durably; one that is not there is removed already.
    pub(super) fn remove_state(&self, name: &str) -> Result<(), Error> {
        let path = below_state(name);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let removed = self.machine.open_root(&self.path).and_then(|disk| {
            match disk.remove(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                done => done?,
            }
            sync_folder(disk.as_ref(), folder)
        });
        removed.map_err(|source| io_error("delete", &self.state_path(name), source))
    }

    /// Paths, relative to `folder`, and bytes of everything below a folder of the program's own state, by path. A file
    /// that is not `wanted` is not read.
    pub(super) fn read_state_below(
        &self,
        folder: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let list = || -> io::Result<Vec<(String, Vec<u8>)>> {
            let disk = self.machine.open_root(&self.path)?;
            let base = below_state(folder);
            let (mut found, mut folders) = (Vec::new(), vec![String::new()]);
            while let Some(below) = folders.pop() {
                for entry in disk.list(&format!("{base}{below}"))? {
                    let path = format!("{below}/{}", entry.name);
                    match entry.kind {
                        EntryKind::Folder => folders.push(path),
                        EntryKind::File if wanted(&path[1..]) => {
                            let bytes = disk.read(&format!("{base}{path}"), None, STATE_LEN_MAX)?;
                            found.push((path[1..].to_owned(), bytes));
                        }
                        _ => {}
                    }
                }
            }
            found.sort();
            Ok(found)
        };
        list().map_err(|source| io_error("read", &self.state_path(folder), source))
    }

    /// A folder for files that are only needed while a command runs.
    pub(super) fn scratch_folder(&self) -> Result<PathBuf, Error> {
        let path = self.state_path("tmp");
        create_private_folder(&path).map_err(|source| io_error("create", &path, source))?;
        Ok(path)
    }

    /// Whether something has this path below the folder.
    fn has(&self, path: &str) -> bool {
        self.machine.open_root(&self.path).is_ok_and(|disk| disk.look(path).is_ok())
    }

    /// Whether this program was set up here.
    pub fn exists(&self) -> bool {
        self.has_settings() && self.has(&below_state("repo"))
    }

    /// Whether the state of a repository is here, whole, be it with its settings or not.
    pub(super) fn holds_state(&self) -> bool {
        self.has(&below_state(HEADER)) && !self.has(&below_state(UNFINISHED))
    }

    /// Whether anything of a repository is here.
    pub(super) fn holds_anything(&self) -> bool {
        self.has("state")
    }

    /// Notes that a repository is being set up: until that is finished, what is here is worth nothing and stands in
    /// nobody's way.
    pub(super) fn begin(&self) -> Result<(), Error> {
        self.write_state(UNFINISHED, b"")
    }

    /// Notes that it is set up.
    pub(super) fn finish(&self) -> Result<(), Error> {
        self.remove_state(UNFINISHED)
    }

    /// Whether `config.yaml` is there.
    pub fn has_settings(&self) -> bool {
        self.has(SETTINGS)
    }

    /// Whether there is an index.
    pub fn has_index(&self) -> bool {
        self.has(INDEX)
    }

    /// Gives the index another name in the same folder.
    pub(super) fn rename_index(&self, name: &str) -> Result<(), Error> {
        let renamed = self.machine.open_root(&self.path).and_then(|disk| disk.rename(INDEX, name));
        renamed.map_err(|source| io_error("move aside", &self.index_path(), source))
    }

    /// Finds what another program left in the folder: its files are never touched.
    ///
    /// # Errors
    /// [`Error::ForeignState`]. A file that cannot be read is not judged.
    pub fn check_not_foreign(&self) -> Result<(), Error> {
        self.check_index_not_foreign()?;
        if self.has_settings() && !self.has(&below_state("repo")) {
            let what = "a configuration without the state that belongs to it";
            return Err(Error::ForeignState { path: self.settings_path(), what });
        }
        Ok(())
    }

    /// The same, of the index alone: beside it a copy of `config.yaml` may lie.
    pub(super) fn check_index_not_foreign(&self) -> Result<(), Error> {
        const HEAD: &[u8] = b"SQLite format 3\0";
        let disk = self.machine.open_root(&self.path);
        let head = disk.and_then(|disk| disk.read(INDEX, Some(0..HEAD.len() as u64), HEAD.len() as u64));
        if head.is_ok_and(|head| head == HEAD) {
            return Err(Error::ForeignState {
                path: self.index_path(),
                what: "the SQLite database of an earlier program",
            });
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
        Err(Error::NotInitialised { home: self.path.clone(), holds_state: self.holds_state() })
    }

    /// Fails where this program was set up here, also where only the settings of that are lost: nothing must be written
    /// over a state that may be all there is.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialised`], [`Error::ForeignState`].
    pub fn require_unused(&self) -> Result<(), Error> {
        self.check_not_foreign()?;
        let lacks_settings = !self.has_settings();
        if self.exists() || self.holds_state() {
            return Err(Error::AlreadyInitialised { home: self.path.clone(), lacks_settings });
        }
        Ok(())
    }

    /// Makes the folders, for the owner's eyes only, durably.
    pub(super) fn create(&self) -> Result<(), Error> {
        let made = make_root(self.machine(), &self.path)
            .and_then(|()| make_folders(self.machine.open_root(&self.path)?.as_ref(), &below_state("repo")));
        made.map_err(|source| io_error("create", &self.path, source))
    }

    /// Excludes the other commands of this state folder that write, until dropped. One that is about to end is waited
    /// for; the system lets go of the lock of one that was killed.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        let began = Instant::now();
        loop {
            match self.try_lock() {
                Ok(lock) => return Ok(lock),
                Err(NotTaken::Held) if began.elapsed() >= PATIENCE => return Err(self.locked()),
                Err(NotTaken::Held) => thread::sleep(Duration::from_millis(50)),
                Err(NotTaken::Refused(error) | NotTaken::Failed(error)) => return Err(error),
            }
        }
    }

    /// The same without waiting.
    pub(super) fn try_lock(&self) -> Result<Lock, NotTaken> {
        let path = self.state_path("lock");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| NotTaken::of(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock::taken(file)),
            Err(fs::TryLockError::WouldBlock) => Err(NotTaken::Held),
            Err(fs::TryLockError::Error(source)) => Err(NotTaken::Failed(io_error("lock", &path, source))),
        }
    }

    /// The error for a command that another one keeps from writing.
    pub(super) fn locked(&self) -> Error {
        let holder = fs::read_to_string(self.state_path("lock")).ok().and_then(|text| text.parse().ok());
        Error::Locked { home: self.path.clone(), holder }
    }
}

/// The path of something of the program's own state, below the state folder.
fn below_state(name: &str) -> String {
    format!("state/{name}")
}

/// Makes a folder of a machine and those above it that are missing.
fn make_root(machine: &dyn Machine, path: &Path) -> io::Result<()> {
    match machine.make_root(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.parent() {
            Some(parent) => make_root(machine, parent).and_then(|()| machine.make_root(path)),
            None => Err(error),
        },
        done => done,
    }
}

/// Makes a folder and those above it that are missing, each durably: a name is worth nothing in a folder that is lost.
fn make_folders(disk: &dyn Disk, path: &str) -> io::Result<()> {
    if path.is_empty() || disk.look(path).is_ok() {
        return Ok(());
    }
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    make_folders(disk, parent)?;
    match disk.make_folder(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_folder(disk, parent)
}

fn sync_folder(disk: &dyn Disk, folder: &str) -> io::Result<()> {
    match disk.sync_folder(folder) {
        // There is nothing better to do there.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        done => done,
    }
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
