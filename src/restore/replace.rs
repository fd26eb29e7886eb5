//! An entry in the place of what is there: made beside it under a temporary name, then renamed.

use std::io;

use super::system::{Folder, Temporary};

/// Makes an entry: in place in a new folder, else under a temporary name that then replaces what is there.
pub(super) fn replacing(
    folder: &Folder,
    is_new: bool,
    name: &[u8],
    make: impl FnOnce(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    if is_new {
        return make(name);
    }
    let temporary = Temporary::new()?;
    make(temporary.name())?;
    folder.rename(temporary.name(), name).inspect_err(|_| {
        // The error that counts is the first.
        let _ = folder.remove(temporary.name());
    })?;
    // Two names of one inode are not renamed onto each other: the temporary one is still there then.
    if folder.look_at(temporary.name())?.is_some() {
        folder.remove(temporary.name())?;
    }
    Ok(())
}
