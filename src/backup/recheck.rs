//! Files that look unchanged and are read all the same, some in each run, so that in the end each was. A content that
//! differs although size and times do not is rot at the source: nobody wrote it.
//!
//! A run takes the files whose paths have hashes in a window; the window of the next run begins where this one ended. Names
//! of one inode are taken together. Where the windows begin is kept per source; where that is lost, they begin anywhere.

use std::collections::BTreeMap;
use std::io;

use crate::error::Error;
use crate::format::tree::Node;
use crate::paths;
use crate::repo::Repo;
use crate::repo::settings::SourceSettings;
use crate::report::Monitor;
use crate::snapshot::path_hash;
use crate::source::Stat;

/// Where the windows are kept.
const STATE: &str = "recheck";

/// The part of the unchanged files of one source that a run reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    begin: u64,
    /// Hashes in it; all where there is none.
    len: Option<u64>,
}

impl Window {
    /// So many percent of all files from `begin` on.
    fn new(begin: u64, percent: f64) -> Self {
        let is_part = percent < 100.0;
        // A float becomes the nearest number there is.
        Self { begin, len: is_part.then_some((percent / 100.0 * 2f64.powi(64)) as u64) }
    }

    /// Whether a file is in it.
    pub fn takes(&self, root: &[u8], path: &[u8], stat: &Stat) -> bool {
        let hash = if stat.links > 1 { path_hash(b"", &stat.inode.to_le_bytes()) } else { path_hash(root, path) };
        let place = u64::from_le_bytes(hash.first_chunk().copied().unwrap_or_default());
        self.len.is_none_or(|len| place.wrapping_sub(self.begin) < len)
    }

    fn end(&self) -> u64 {
        self.begin.wrapping_add(self.len.unwrap_or_default())
    }
}

/// Where the next window of each source begins, by its path.
type Windows = BTreeMap<Vec<u8>, u64>;

/// The windows of this run, by the paths of the sources.
#[derive(Debug, Default)]
pub(super) struct Recheck(BTreeMap<Vec<u8>, Window>);

impl Recheck {
    /// So many percent of each source.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is no share, [`Error::Io`].
    pub fn begin(repo: &Repo, sources: &[SourceSettings], percent: f64) -> Result<Self, Error> {
        if !(percent > 0.0 && percent <= 100.0) {
            return Err(Error::Usage(format!("{percent} is not a share: give more than 0 and at most 100 percent")));
        }
        let kept = load(repo)?;
        let window = |source: &SourceSettings| {
            let path = paths::to_bytes(&source.path).to_vec();
            let begin = kept.get(&path).copied().unwrap_or_default();
            (path, Window::new(begin, percent))
        };
        Ok(Self(sources.iter().map(window).collect()))
    }

    /// The window of a source.
    pub fn of(&self, source: &[u8]) -> Option<Window> {
        self.0.get(source).copied()
    }

    /// Remembers that the windows of these sources were read, and those of others not. That it cannot does not make the
    /// backup worse: the same files are read again.
    pub fn end(&self, repo: &Repo, read: &[Vec<u8>], monitor: &dyn Monitor) {
        if self.0.is_empty() {
            return;
        }
        if let Err(error) = self.save(repo, read) {
            monitor.note(&format!("What was read again is not remembered: {error}."));
        }
    }

    fn save(&self, repo: &Repo, read: &[Vec<u8>]) -> Result<(), Error> {
        let mut kept = load(repo)?;
        kept.retain(|path, _| repo.settings().source(&paths::from_bytes(path)).is_some());
        let windows = self.0.iter().filter(|(path, _)| read.contains(path));
        kept.extend(windows.map(|(path, window)| (path.clone(), window.end())));
        let bytes = postcard::to_allocvec(&kept).map_err(|error| Error::Io {
            what: "encode".to_owned(),
            path: STATE.into(),
            source: io::Error::other(error),
        })?;
        repo.write_state(STATE, &bytes)
    }
}

fn load(repo: &Repo) -> Result<Windows, Error> {
    let bytes = repo.read_state(STATE)?.unwrap_or_default();
    Ok(postcard::from_bytes(&bytes).unwrap_or_default())
}

/// Whether a file that looked unchanged, and was read all the same, turned out to have another content though nobody wrote
/// it. `node` is what was read, and `now` what it was like when it was open: until then somebody may have written it.
pub(super) fn is_rot(previous: &Node, now: &Stat, node: &Node) -> bool {
    let then = &previous.metadata;
    let is_unwritten = (then.mtime, then.ctime, previous.size()) == (now.mtime, now.ctime, now.size);
    is_unwritten && !previous.same_content(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::record::Time;

    fn stat(inode: u64, links: u64) -> Stat {
        let time = Time { seconds: 0, nanos: 0 };
        let (mtime, ctime) = (time, time);
        Stat { dev: 1, inode, mode: 0, uid: 0, gid: 0, links, size: 0, blocks_bytes: 0, mtime, ctime }
    }

    #[test]
    fn windows_in_a_row_take_every_file_once() {
        let names: Vec<String> = (0..1000).map(|number| format!("f{number}")).collect();
        let (mut begin, mut taken) = (u64::MAX - 5, vec![0; names.len()]);
        for percent in [1.0, 9.0, 25.0, 0.5, 64.5] {
            let window = Window::new(begin, percent);
            begin = window.end();
            for (name, count) in names.iter().zip(&mut taken) {
                *count += u32::from(window.takes(b"/source", name.as_bytes(), &stat(1, 1)));
            }
            let all: u32 = taken.iter().sum();
            assert!(all > 0, "{percent}");
        }
        assert!(taken.iter().all(|count| *count == 1), "{taken:?}");
        assert!(names.iter().all(|name| Window::new(3, 100.0).takes(b"/source", name.as_bytes(), &stat(1, 1))));
    }

    #[test]
    fn names_of_one_inode_are_taken_together() {
        for inode in 0..100 {
            let window = Window::new(7, 50.0);
            let takes = |name: &[u8]| window.takes(b"/source", name, &stat(inode, 2));
            assert!(takes(b"a") == takes(b"b") && takes(b"b") == takes(b"c"));
        }
    }
}
