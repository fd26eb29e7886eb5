//! Where a restore must not go.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::repo::Repo;

/// A restore into a destination or the state folder would overwrite what it reads from. One that deletes what is not in
/// the snapshot would delete them with everything in them: no snapshot ever holds them.
pub(super) fn refuse_own_folders(repo: &Repo, target: &Path, is_deleting: bool) -> Result<(), Error> {
    let own = repo.settings.destinations.iter().map(|(_, path)| path.as_path()).chain([repo.home.path()]);
    let resolved_target = resolved(target);
    for folder in own {
        let resolved_folder = resolved(folder);
        if target.starts_with(folder) || resolved_target.starts_with(&resolved_folder) {
            return Err(Error::Usage(format!(
                "{} is inside {}, where backups or settings are kept; choose another place with --destination",
                target.display(),
                folder.display()
            )));
        }
        if is_deleting && (folder.starts_with(target) || resolved_folder.starts_with(&resolved_target)) {
            return Err(Error::Usage(format!(
                "{}, where backups or settings are kept, is inside {}, and --delete would remove it; restore without \
                 --delete, or to another place with --destination",
                folder.display(),
                target.display()
            )));
        }
    }
    Ok(())
}

/// The path with the symbolic links in it followed, as far as it exists.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    for ancestor in path.ancestors() {
        if let Ok(found) = ancestor.canonicalize() {
            return missing.iter().rev().fold(found, |path, name| path.join(name));
        }
        missing.extend(ancestor.file_name());
    }
    path.to_owned()
}
