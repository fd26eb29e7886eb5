//! Single files restored to see whether that works: by the way every restore takes, and then looked at again.

use std::path::{Path, PathBuf};

use super::{PlannedItem, RestoreReport, RestoreRequest, What, system, walk};
use crate::error::Error;
use crate::format::recipe::Recipe;
use crate::format::tree::{Metadata, Node};
use crate::replicate::Fetcher;
use crate::report::Monitor;
use crate::seal::Keys;
use crate::snapshot::holds;
use crate::source::{DeviceOrdinals, Entry, Owners, metadata};

/// Bits of a mode that everybody may set on what is his.
const USUAL_MODE: u32 = 0o1777;

/// Restores files to the paths given with them, one after the other. Their folder must be there.
///
/// # Errors
/// [`Error::Interrupted`], [`Error::Io`] where the folder cannot be written. What concerns single files is in the report.
pub(crate) fn restore(
    fetcher: &Fetcher<'_>,
    keys: &Keys,
    files: Vec<(Node, PathBuf)>,
    monitor: &dyn Monitor,
) -> Result<RestoreReport, Error> {
    let request = RestoreRequest::new(What::Snapshot(String::new()));
    let mut report = RestoreReport::default();
    for (node, target) in files {
        if monitor.should_stop() {
            return Err(Error::Interrupted);
        }
        let anchor = target.parent().unwrap_or(Path::new("/")).to_owned();
        let item = PlannedItem { node, target, anchor, rules: Vec::new() };
        walk::restore(fetcher, keys, &item, &request, None, monitor, &mut report)?;
    }
    Ok(report)
}

/// Whether the bytes that lie on the disk are those of the recipe: read again, and named again.
///
/// # Errors
/// [`Error::Read`] where the list of parts cannot be read.
pub(crate) fn has_content(fetcher: &Fetcher<'_>, keys: &Keys, recipe: &Recipe, path: &Path) -> Result<bool, Error> {
    match system::open_file_below(path, b"") {
        Ok(mut file) => Ok(holds(fetcher, keys, recipe, &mut file)?),
        Err(_) => Ok(false),
    }
}

/// What about a restored file is not as it was stored, as a phrase: what this user cannot set does not count.
pub(crate) fn difference(stored: &Metadata, path: &Path, owners: &Owners) -> Option<String> {
    let entry = match Entry::of(path) {
        Ok(entry) => entry,
        Err(error) => return Some(format!("it cannot be looked at: {error}")),
    };
    let (found, problem) = metadata(path, &entry, &mut DeviceOrdinals::default(), owners);
    if let Some(problem) = problem {
        return Some(problem.detail);
    }
    let is_root = system::is_root();
    let mode = |metadata: &Metadata| if is_root { metadata.mode } else { metadata.mode & USUAL_MODE };
    let mut differing = Vec::new();
    if mode(stored) != mode(&found) {
        differing.push("its permissions".to_owned());
    }
    if is_root && (stored.uid, stored.gid) != (found.uid, found.gid) {
        differing.push("its owner".to_owned());
    }
    if stored.mtime != found.mtime {
        differing.push("its time".to_owned());
    }
    for attribute in stored.attributes.iter().filter(|attribute| !found.attributes.contains(attribute)) {
        differing.push(format!("the attribute {}", String::from_utf8_lossy(&attribute.name)));
    }
    (!differing.is_empty()).then(|| format!("restored it differs in {}", differing.join(", ")))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::format::tree::Attribute;

    #[test]
    fn what_differs_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs::write(&path, b"x").expect("written");
        let owners = Owners::default();
        let entry = Entry::of(&path).expect("it is there");
        let (stored, _) = metadata(&path, &entry, &mut DeviceOrdinals::default(), &owners);
        assert_eq!(difference(&stored, &path, &owners), None);
        let attribute = Attribute { name: b"user.note".to_vec(), value: b"x".to_vec() };
        let other = Metadata { attributes: vec![attribute], ..stored.clone() };
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).expect("ours");
        let file = fs::File::options().write(true).open(&path).expect("ours");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("ours");
        let said = "restored it differs in its permissions, its time, the attribute user.note";
        assert_eq!(difference(&other, &path, &owners).as_deref(), Some(said));
        fs::remove_file(&path).expect("removed");
        assert!(difference(&stored, &path, &owners).is_some_and(|said| said.starts_with("it cannot be looked at")));
    }
}
