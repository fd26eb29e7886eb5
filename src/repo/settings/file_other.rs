//! Files that hold secrets where there are no modes: the profile folder they lie in is private by its own rules.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Modes say nothing here.
pub fn open_to_others(_: &Metadata) -> bool {
    false
}

/// Options that create files.
pub fn open_options() -> OpenOptions {
    OpenOptions::new()
}

/// Windows writes names through with the rename.
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
