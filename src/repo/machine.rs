//! The one door to the machine: everything of a repository that must survive a crash goes through it.
//!
//! Folders of destinations, the state folder and what is in it, the settings, and the index. So a simulated machine can
//! stand in for the real one, lose what was not synced, and fail on command. What excludes other processes and what is
//! only needed while a command runs does not go through it: neither outlives a crash.

use std::fmt;
use std::io;
use std::path::Path;

use redb::{Builder, Database, DatabaseError, ReadOnlyDatabase};
use zeroize::Zeroizing;

use super::settings::{read_private, write_private};
use crate::destination::disk::{Disk, RealRoots, Roots};
use crate::destination::place::{self, Mount};
use crate::error::Error;
use crate::index::file;

/// What a [`Home`](super::Home) is on.
pub trait Machine: Roots {
    /// The text of `config.yaml`, which must be for the owner's eyes only.
    ///
    /// # Errors
    /// [`Error::OpenToOthers`], [`Error::Io`].
    fn read_settings(&self, path: &Path) -> Result<Zeroizing<String>, Error>;

    /// Replaces `config.yaml`, as [`replace_file`](crate::destination::disk::replace_file) does.
    ///
    /// # Errors
    /// [`Error::Io`].
    fn write_settings(&self, path: &Path, text: &[u8]) -> Result<(), Error>;

    /// Opens the storage of the index for writing, making an empty one where there is none.
    ///
    /// # Errors
    /// Those of redb.
    fn open_index(&self, path: &Path, builder: &Builder) -> Result<Database, DatabaseError>;

    /// Opens it for reading.
    ///
    /// # Errors
    /// Those of redb.
    fn open_index_to_read(&self, path: &Path, builder: &Builder) -> Result<ReadOnlyDatabase, DatabaseError>;

    /// What it calls itself: snapshots carry it.
    fn name(&self) -> String;

    /// What is mounted.
    ///
    /// # Errors
    /// Those of the system.
    fn mounts(&self) -> io::Result<Vec<Mount>>;
}

/// This machine.
#[derive(Clone, Copy, Default)]
pub struct RealMachine;

impl Roots for RealMachine {
    fn open_root(&self, path: &Path) -> io::Result<Box<dyn Disk>> {
        RealRoots.open_root(path)
    }

    fn make_root(&self, path: &Path) -> io::Result<()> {
        RealRoots.make_root(path)
    }
}

impl Machine for RealMachine {
    fn read_settings(&self, path: &Path) -> Result<Zeroizing<String>, Error> {
        read_private(path, true)
    }

    fn write_settings(&self, path: &Path, text: &[u8]) -> Result<(), Error> {
        write_private(path, text)
    }

    fn open_index(&self, path: &Path, builder: &Builder) -> Result<Database, DatabaseError> {
        file::create(builder, path)
    }

    fn open_index_to_read(&self, path: &Path, builder: &Builder) -> Result<ReadOnlyDatabase, DatabaseError> {
        file::open_read_only(builder, path)
    }

    fn name(&self) -> String {
        sysinfo::System::host_name().unwrap_or_else(|_| "unknown".to_owned())
    }

    fn mounts(&self) -> io::Result<Vec<Mount>> {
        place::mounts()
    }
}

impl fmt::Debug for dyn Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}
