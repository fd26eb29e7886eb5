//! What patterns would leave out: of the sources as they are, and of what is stored.
//!
//! Each source is walked twice side by side, as it is set and with the patterns, so that `.cryptbackupignore` files and the
//! patterns that are set have their say. What is stored for such files is counted as `du` counts.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use super::du::{DuBy, DuRequest, Owner, du};
use crate::error::Error;
use crate::repo::Repo;
use crate::report::Monitor;
use crate::source::{Entry, EntryKind, Event, Excludes, Walk};

/// Files that are named.
const NAMED: usize = 10;

/// Patterns that somebody thinks of, and for which sources.
#[derive(Debug, Clone, Default)]
pub struct WhatIfRequest {
    /// Patterns as `add --exclude` takes them.
    pub patterns: Vec<String>,
    /// Only these of the configured sources; all of them where it is empty.
    pub sources: Vec<PathBuf>,
}

/// Files and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What the patterns would do.
#[derive(Debug, Clone, Default)]
pub struct WhatIf {
    /// What is read of the sources as they are set.
    pub read: Sum,
    /// What of that would be left out.
    pub left_out: Sum,
    /// The largest files that would be: their paths and bytes.
    pub largest: Vec<(PathBuf, u64)>,
    /// Stored bytes that such files need in the snapshots there are.
    pub bytes_needed: u64,
    /// Of those, stored bytes that nothing else needs: they come back when no snapshot has such a file any more.
    pub bytes_alone: u64,
}

/// Says what patterns would leave out. Nothing is changed.
///
/// ```
/// use cryptbackup::explore::{self, WhatIfRequest};
/// use cryptbackup::repo::{Access, Home, Repo};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("state"));
/// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
/// let request = WhatIfRequest { patterns: vec!["*.txt".to_owned()], ..WhatIfRequest::default() };
/// let answer = explore::what_if(&repo, &request, &Silent)?;
/// println!("{} of {} bytes would not be read", answer.left_out.bytes, answer.read.bytes);
/// assert_eq!(answer.left_out, answer.read);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Usage`] for what is no pattern and for a source that is none, [`Error::Source`] where one cannot be walked,
/// [`Error::Interrupted`], and those of [`du`].
pub fn what_if(repo: &Repo, request: &WhatIfRequest, monitor: &dyn Monitor) -> Result<WhatIf, Error> {
    Excludes::validate(&request.patterns).map_err(|error| Error::Usage(error.to_string()))?;
    for path in &request.sources {
        if !repo.settings().folders().any(|source| source.path == *path) {
            return Err(Error::Usage(format!("{} is no source", path.display())));
        }
    }
    let is_wanted = |path: &PathBuf| request.sources.is_empty() || request.sources.contains(path);
    let mut answer = WhatIf::default();
    for source in repo.settings().folders().filter(|source| is_wanted(&source.path)) {
        let now = repo.walk_options(source);
        let mut then = now.clone();
        then.excludes.extend(request.patterns.iter().cloned());
        let mut kept = files(Walk::new(then)?).peekable();
        for file in files(Walk::new(now)?) {
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            // Between the two looks files may come and go.
            while kept.next_if(|kept| in_order(&kept.path, &file.path) == Ordering::Less).is_some() {}
            let is_kept = kept.next_if(|kept| kept.path == file.path).is_some();
            answer.count(file, is_kept);
        }
    }
    let by = DuBy::Pattern { patterns: request.patterns.clone(), sources: request.sources.clone() };
    for usage in du(repo, &DuRequest { by, below: None, snapshot: None }, monitor)? {
        if usage.owner == Owner::Pattern(true) {
            (answer.bytes_needed, answer.bytes_alone) = (usage.bytes_needed, usage.bytes_alone);
        }
    }
    Ok(answer)
}

impl WhatIf {
    fn count(&mut self, file: Entry, is_kept: bool) {
        let bytes = file.stat.size;
        self.read.add(bytes);
        if is_kept {
            return;
        }
        self.left_out.add(bytes);
        let at = self.largest.partition_point(|(_, larger)| *larger >= bytes);
        if at < NAMED {
            self.largest.insert(at, (file.path, bytes));
            self.largest.truncate(NAMED);
        }
    }
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The files of a walk. Of what cannot be read a backup tells.
fn files(walk: Walk) -> impl Iterator<Item = Entry> {
    walk.filter_map(|event| match event {
        Event::Leaf(entry) if entry.kind == EntryKind::File => Some(entry),
        _ => None,
    })
}

/// The order in which a walk comes by.
fn in_order(left: &Path, right: &Path) -> Ordering {
    left.components().cmp(right.components())
}
