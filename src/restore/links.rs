//! Names of one inode: the first that is met is restored, the others become links to it when it is there.
//!
//! The first is known by its path, so that no folder stays open for it, and until as many names were met as the inode
//! had. What memory has no room for goes into a file.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::replace::replacing;
use super::system::Folder;
use super::window::Failed;
use crate::error::Error;
use crate::format::tree::Metadata;
use crate::paths;
use crate::spill::SpilledMap;

/// Links that wait, whatever their length.
const WAITING_MAX: usize = 4096;
/// About what a name takes in memory beside its bytes.
const NAME_BYTES: usize = 96;

/// Another name of an inode, made when that is there.
pub(super) struct Link {
    pub folder: Arc<Folder>,
    pub path: PathBuf,
    pub name: Vec<u8>,
    pub is_new: bool,
    pub is_file: bool,
    /// Device and inode, as stored.
    pub inode: (u32, u64),
    /// Path of the first name below the root.
    first: Vec<u8>,
}

/// The first name of an inode.
struct First {
    path: Vec<u8>,
    /// Names that were met.
    met: u64,
}

/// Everything that is to be known of names of one inode below one folder.
pub(super) struct Links<'a> {
    /// The folder, and the length of its path.
    root: Option<(Arc<Folder>, usize)>,
    firsts: HashMap<(u32, u64), First>,
    bytes: usize,
    bytes_max: usize,
    /// Where to put what is too much, and what was put there.
    scratch: Option<&'a Path>,
    spilled: Option<SpilledMap>,
    waiting: Vec<Link>,
    waiting_bytes: usize,
    /// The folder in which the last link found its first name: the next often finds it there too.
    last: Option<(Vec<u8>, Folder)>,
}

impl<'a> Links<'a> {
    /// None yet, with room for names of so many bytes.
    pub fn new(bytes_max: usize, scratch: Option<&'a Path>) -> Self {
        let (firsts, waiting) = (HashMap::new(), Vec::new());
        let (bytes, waiting_bytes) = (0, 0);
        Self { root: None, firsts, bytes, bytes_max, scratch, spilled: None, waiting, waiting_bytes, last: None }
    }

    /// Everything is below this folder.
    pub fn begin(&mut self, root: &Arc<Folder>, path_len: usize) {
        self.root = Some((Arc::clone(root), path_len));
    }

    pub fn is_full(&self) -> bool {
        self.waiting.len() >= WAITING_MAX || self.waiting_bytes >= self.bytes_max
    }

    /// Whether it is another name of something that is restored already; then it waits to become a link to that.
    pub fn is_another_name(
        &mut self,
        folder: &Arc<Folder>,
        is_new: bool,
        path: &Path,
        name: &[u8],
        (is_file, metadata): (bool, &Metadata),
    ) -> Result<bool, Error> {
        let Some(inode) = metadata.shared_inode() else { return Ok(false) };
        let Some(mut first) = self.take(inode)? else { return Ok(false) };
        first.met = first.met.saturating_add(1);
        let link = Link {
            folder: Arc::clone(folder),
            path: path.to_owned(),
            name: name.to_vec(),
            is_new,
            is_file,
            inode,
            first: first.path.clone(),
        };
        self.waiting_bytes += paths::to_bytes(path).len() + link.first.len();
        self.waiting.push(link);
        if first.met < metadata.links {
            self.put(inode, first)?;
        }
        Ok(true)
    }

    /// Takes note of the name that is restored.
    pub fn first_name(&mut self, path: &Path, metadata: &Metadata) -> Result<(), Error> {
        let (Some(inode), Some((_, root_len))) = (metadata.shared_inode(), &self.root) else { return Ok(()) };
        let below = paths::to_bytes(path).get(*root_len..).unwrap_or_default();
        let path = below.strip_prefix(b"/").unwrap_or(below).to_vec();
        self.put(inode, First { path, met: 1 })
    }

    /// What is to be linked now. The next name of an inode that could not be restored is its first.
    pub fn take_waiting(&mut self, failed: &Failed) -> Result<Vec<Link>, Error> {
        for inode in failed.keys() {
            self.take(*inode)?;
        }
        self.waiting_bytes = 0;
        Ok(std::mem::take(&mut self.waiting))
    }

    /// Makes a link.
    pub fn make(&mut self, link: &Link) -> io::Result<()> {
        let (folder, name) = match link.first.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&link.first[..at], &link.first[at + 1..]),
            None => (&[][..], link.first.as_slice()),
        };
        if self.last.as_ref().is_none_or(|(path, _)| path != folder) {
            let names: Vec<&[u8]> = folder.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).collect();
            let (root, _) = self.root.as_ref().ok_or(io::ErrorKind::NotFound)?;
            self.last = Some((folder.to_vec(), root.enter_below(&names)?));
        }
        let (_, first) = self.last.as_ref().ok_or(io::ErrorKind::NotFound)?;
        replacing(&link.folder, link.is_new, &link.name, |new| link.folder.link(new, first, name))
    }

    fn take(&mut self, inode: (u32, u64)) -> Result<Option<First>, Error> {
        if let Some(first) = self.firsts.remove(&inode) {
            self.bytes -= NAME_BYTES + first.path.len();
            return Ok(Some(first));
        }
        let Some(spilled) = &mut self.spilled else { return Ok(None) };
        let found = spilled.remove(key(inode))?;
        Ok(found.map(|(met, path)| First { path, met }))
    }

    fn put(&mut self, inode: (u32, u64), first: First) -> Result<(), Error> {
        self.bytes += NAME_BYTES + first.path.len();
        self.firsts.insert(inode, first);
        if self.bytes <= self.bytes_max {
            return Ok(());
        }
        let Some(scratch) = self.scratch else { return Ok(()) };
        if self.spilled.is_none() {
            self.spilled = Some(SpilledMap::new(scratch, self.bytes_max)?);
        }
        if let Some(spilled) = &mut self.spilled {
            for (inode, first) in self.firsts.drain() {
                spilled.insert(key(inode), (first.met, &first.path))?;
            }
        }
        self.bytes = 0;
        Ok(())
    }
}

fn key((device, inode): (u32, u64)) -> u128 {
    u128::from(device) << u64::BITS | u128::from(inode)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn first_names_that_memory_has_no_room_for_are_found_in_a_file_and_forgotten_after_the_last() {
        let (folder, scratch) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(folder.path().join("a/b")).expect("made");
        let root = Arc::new(Folder::open(folder.path()).expect("opened"));
        let mut links = Links::new(1_000, Some(scratch.path()));
        links.begin(&root, paths::to_bytes(folder.path()).len());
        let file = crate::snapshot::tests::file(b"x", 1);
        let metadata = |inode| Metadata { links: 2, device: 1, inode, ..file.metadata.clone() };
        let first = |number: u64| folder.path().join(format!("a/b/{number}"));
        for number in 0..100 {
            fs::write(first(number), number.to_string()).expect("written");
            links.first_name(&first(number), &metadata(number)).expect("noted");
            assert!(links.bytes <= 1_000);
        }
        assert!(links.spilled.is_some());
        let mut is_another = |number: u64| {
            let name = format!("another {number}").into_bytes();
            let path = folder.path().join(paths::from_bytes(&name));
            links.is_another_name(&root, true, &path, &name, (true, &metadata(number))).expect("known")
        };
        assert!((0..100).all(&mut is_another) && !is_another(100));
        assert!((0..100).all(|number| !is_another(number)), "no more than two were to come");
        assert!(links.is_full());
        for link in links.take_waiting(&Failed::new()).expect("links") {
            links.make(&link).expect("made");
        }
        for number in 0..100 {
            let path = folder.path().join(format!("another {number}"));
            assert_eq!(fs::read_to_string(&path).expect("a link"), number.to_string());
            assert_eq!(fs::metadata(&path).expect("a link").nlink(), 2);
        }
    }
}
