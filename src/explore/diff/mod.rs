//! `diff`: what differs between two snapshots, two versions of a file, or one of them and what lies on this machine.
//!
//! Both sides are read in the order of paths and merged in one pass (`sides`); folders whose trees are the same are not
//! read. On this machine a file of the same size and time is taken for unchanged, unless its content is asked for; one of
//! the same size and another time is read and compared with the ids of its chunks, so that nothing has to be fetched.

mod operand;
mod sides;

use std::cmp::Ordering;

use self::operand::{Pair, pairs};
use self::sides::{Side, Thing, is_same_file};
use super::find::EntryKind;
use crate::error::Error;
use crate::format::record::Time;
use crate::format::tree::{Node, NodeKind};
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::{Repo, absolute};
use crate::report::{Monitor, Problem, ProblemKind};

pub use operand::Operand;

/// What is compared, and how.
#[derive(Debug, Clone)]
pub struct DiffRequest {
    /// What was.
    pub before: Operand,
    /// What is.
    pub after: Operand,
    /// Whether files on this machine are read though their size and time are the same.
    pub reads_content: bool,
    /// Whether what differs in owner, mode or time alone is told.
    pub with_metadata: bool,
}

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Only the second side has it.
    Added,
    /// Only the first side has it.
    Removed,
    /// A file or link with another content.
    Content,
    /// The content differs, and neither size nor time do: a disk may have changed it, or a program that hides its traces.
    ContentOnly,
    /// What it is: a file became a folder, or the like.
    Kind,
    /// Owner, mode, time or attributes alone.
    Metadata,
}

/// What one side has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    pub size: u64,
    /// When its content was last changed.
    pub mtime: Time,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group numbers.
    pub owner: (u32, u32),
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Absolute path as bytes: that of the second side, of what was removed that of the first.
    pub path: Vec<u8>,
    /// How.
    pub change: Change,
    /// What the first side has.
    pub before: Option<Shown>,
    /// What the second side has.
    pub after: Option<Shown>,
}

/// How much differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiffReport {
    /// Paths that only the second side has, and the bytes of the files among them.
    pub added: u64,
    /// See `added`.
    pub bytes_added: u64,
    /// Paths that only the first side has, and the bytes of the files among them.
    pub removed: u64,
    /// See `removed`.
    pub bytes_removed: u64,
    /// Files and links with another content, or that became something else.
    pub changed: u64,
    /// Those of them whose size and time are the same.
    pub changed_unseen: u64,
    /// Paths that differ in metadata alone.
    pub metadata: u64,
    /// What could not be read on either side.
    pub problems: Vec<Problem>,
}

/// Compares, and gives what differs path by path.
///
/// ```
/// use cryptbackup::explore::{self, Change, DiffRequest, Operand};
/// use cryptbackup::repo::{Access, Home, Repo};
/// use cryptbackup::report::Silent;
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = set_up()?;
/// let home = Home::at(folder.path().join("state"));
/// let repo = Repo::open(&home, Access::Read, None, &Silent)?;
/// // What is on this machine now, compared with the newest snapshot of it.
/// let documents = folder.path().join("documents");
/// let request = DiffRequest {
///     before: Operand::Snapshot("latest".to_owned(), Some(documents.clone())),
///     after: Operand::Live(documents),
///     reads_content: false,
///     with_metadata: false,
/// };
/// let mut changes = Vec::new();
/// let report = explore::diff(&repo, &request, &Silent, &mut |difference| changes.push(difference.change))?;
/// assert_eq!((changes, report.changed), (vec![Change::Content], 1));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::NotFound`], [`Error::Usage`] where the two cannot be compared, [`Error::Interrupted`].
pub fn diff(
    repo: &Repo,
    request: &DiffRequest,
    monitor: &dyn Monitor,
    each: &mut dyn FnMut(Difference),
) -> Result<DiffReport, Error> {
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher(&view);
    let mut run = Run { repo, fetcher: &fetcher, request, monitor, each, report: DiffReport::default() };
    for pair in pairs(repo, &view, &fetcher, request)? {
        run.pair(pair)?;
    }
    Ok(run.report)
}

struct Run<'a, 'e> {
    repo: &'a Repo,
    fetcher: &'a Fetcher<'a>,
    request: &'a DiffRequest,
    monitor: &'a dyn Monitor,
    each: &'e mut dyn FnMut(Difference),
    report: DiffReport,
}

impl<'a> Run<'a, '_> {
    fn pair(&mut self, pair: Pair<'a>) -> Result<(), Error> {
        let Pair { before, after } = pair;
        let (base_before, base_after) = (before.base, after.base);
        let (mut left, mut right) = (before.side, after.side);
        let mut was = self.next(&mut left)?;
        let mut is = self.next(&mut right)?;
        loop {
            if self.monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            let order = match (&was, &is) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => by_components(left, right),
            };
            match order {
                Ordering::Less => {
                    if let Some((path, thing)) = was.take() {
                        self.give(absolute(&base_before, &path), Change::Removed, Some(&thing), None);
                    }
                    was = self.next(&mut left)?;
                }
                Ordering::Greater => {
                    if let Some((path, thing)) = is.take() {
                        self.give(absolute(&base_after, &path), Change::Added, None, Some(&thing));
                    }
                    is = self.next(&mut right)?;
                }
                Ordering::Equal => {
                    if let (Some((_, old)), Some((path, new))) = (was.take(), is.take()) {
                        if old.is_unread() || new.is_unread() {
                            self.never_backed_up(absolute(&base_after, &path));
                        } else if let Some(change) = self.compare(&old, &new)? {
                            self.give(absolute(&base_after, &path), change, Some(&old), Some(&new));
                        }
                        match (old.is_same_tree(&new), path.is_empty()) {
                            (true, true) => return Ok(()),
                            (true, false) => {
                                left.skip_folder();
                                right.skip_folder();
                            }
                            (false, _) => {}
                        }
                    }
                    was = self.next(&mut left)?;
                    is = self.next(&mut right)?;
                }
            }
        }
    }

    /// The next entry of a side; what cannot be read on the way is a problem.
    fn next(&mut self, side: &mut Side<'a>) -> Result<Option<(Vec<u8>, Thing)>, Error> {
        loop {
            match side.next() {
                None => return Ok(None),
                Some(Ok(entry)) => return Ok(Some(entry)),
                Some(Err(problem)) => {
                    self.monitor.problem(&problem);
                    self.report.problems.push(problem);
                }
            }
        }
    }

    fn compare(&mut self, old: &Thing, new: &Thing) -> Result<Option<Change>, Error> {
        let (before, after) = (&old.node, &new.node);
        if EntryKind::of(before) != EntryKind::of(after) {
            return Ok(Some(Change::Kind));
        }
        let has_same_stat = before.size() == after.size() && before.metadata.mtime == after.metadata.mtime;
        let is_same = match (&before.kind, &after.kind) {
            (NodeKind::File(_), NodeKind::File(_)) => self.has_same_bytes(old, new, has_same_stat)?,
            _ => before.same_content(after),
        };
        let differs_at_all = || self.request.with_metadata && !old.has_same_metadata(new);
        Ok(match (is_same, has_same_stat) {
            (true, _) => differs_at_all().then_some(Change::Metadata),
            (false, true) if matches!(after.kind, NodeKind::File(_)) => Some(Change::ContentOnly),
            (false, _) => Some(Change::Content),
        })
    }

    fn has_same_bytes(&mut self, old: &Thing, new: &Thing, has_same_stat: bool) -> Result<bool, Error> {
        let (stored, live) = match (&old.live, &new.live) {
            (None, Some(live)) => (&old.node, live),
            (Some(live), None) => (&new.node, live),
            _ => return Ok(old.node.same_content(&new.node)),
        };
        if old.node.size() != new.node.size() || has_same_stat && !self.request.reads_content {
            return Ok(old.node.size() == new.node.size());
        }
        match is_same_file(self.fetcher, &self.repo.keys, stored, live)? {
            Ok(is_same) => Ok(is_same),
            Err(problem) => {
                self.monitor.problem(&problem);
                self.report.problems.push(problem);
                Ok(true)
            }
        }
    }

    /// What was never read is neither the same nor another.
    fn never_backed_up(&mut self, path: Vec<u8>) {
        let path = paths::from_bytes(&path);
        let detail = "it was never backed up, because it could not be read".to_owned();
        let problem = Problem { path, kind: ProblemKind::NeverBackedUp, detail };
        self.monitor.problem(&problem);
        self.report.problems.push(problem);
    }

    fn give(&mut self, path: Vec<u8>, change: Change, before: Option<&Thing>, after: Option<&Thing>) {
        let shown = |thing: &Thing| Shown::of(&thing.node);
        let (before, after) = (before.map(shown), after.map(shown));
        let size = |shown: Option<Shown>| shown.map_or(0, |shown| shown.size);
        let report = &mut self.report;
        match change {
            Change::Added => {
                report.added += 1;
                report.bytes_added += size(after);
            }
            Change::Removed => {
                report.removed += 1;
                report.bytes_removed += size(before);
            }
            Change::Content | Change::Kind => report.changed += 1,
            Change::ContentOnly => {
                report.changed += 1;
                report.changed_unseen += 1;
            }
            Change::Metadata => report.metadata += 1,
        }
        (self.each)(Difference { path, change, before, after });
    }
}

impl Shown {
    fn of(node: &Node) -> Self {
        let metadata = &node.metadata;
        Self {
            kind: EntryKind::of(node),
            size: node.size(),
            mtime: metadata.mtime,
            mode: metadata.mode,
            owner: (metadata.uid, metadata.gid),
        }
    }
}

/// The order in which walks give paths: component by component, each as bytes.
fn by_components(left: &[u8], right: &[u8]) -> Ordering {
    left.split(|&byte| byte == b'/').cmp(right.split(|&byte| byte == b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_as_walks_give_them() {
        let mut paths = ["a-b", "a/c", "a", "a/b/x", "b", ""];
        paths.sort_by(|left, right| by_components(left.as_bytes(), right.as_bytes()));
        assert_eq!(paths, ["", "a", "a/b/x", "a/c", "a-b", "b"]);
    }
}
