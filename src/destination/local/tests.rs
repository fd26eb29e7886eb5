//! What only a folder can show: damaged roots, strangers, full and vanished disks, failing calls.

mod faults;
mod faulty_disk;
mod places;
mod roots;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::destination::{LocalDestination, conformance};
use crate::format::header::{DestinationMark, RepoHeader};
use crate::format::id::{DestinationId, PackId, RepoId};
use crate::format::layout::ObjectName;

pub(super) fn mark() -> DestinationMark {
    DestinationMark { repo: RepoId::from_bytes([7; 16]), destination: DestinationId::from_bytes([9; 16]) }
}

pub(super) fn header() -> RepoHeader {
    RepoHeader::new(mark().repo)
}

pub(super) fn pack(bytes: &[u8]) -> ObjectName {
    ObjectName::Pack(PackId::of(bytes))
}

/// A folder that goes away with the test. In memory where the system offers that: every destination has hundreds of
/// folders and syncs them all, which takes minutes on a busy disk. What only a disk can show is tested in `disk`.
pub(super) fn temporary_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// A folder that will be a destination, in a folder that goes away with the test.
pub(super) fn new_root() -> (TempDir, PathBuf) {
    let above = temporary_folder();
    let root = above.path().join("backup");
    (above, root)
}

pub(super) fn create(root: &Path) -> LocalDestination {
    LocalDestination::create(root, mark(), &header()).expect("a folder becomes a destination")
}

/// A destination in a folder that goes away with the test.
pub(super) fn new_destination() -> (TempDir, PathBuf, LocalDestination) {
    let (above, root) = new_root();
    let destination = create(&root);
    (above, root, destination)
}

/// Names in `tmp/`.
pub(super) fn leftovers(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("tmp")).expect("tmp is there");
    entries.map(|entry| entry.expect("can be read").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn keeps_the_contract() {
    let above = temporary_folder();
    let made = std::cell::Cell::new(0);
    conformance::check(&|| {
        made.set(made.get() + 1);
        Box::new(create(&above.path().join(made.get().to_string())))
    });
}
