//! One item of the plan: folders made on the way down, files collected, links and metadata of folders on the way up.

mod spelling;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kept::Kept;
use super::links::Links;
use super::others::Others;
use super::replace::replacing;
use super::window::{FileTarget, Window, kind_of, metadata_bytes};
use super::{Overwrite, PlannedItem, RestoreReport, RestoreRequest, system};
use crate::error::Error;
use crate::format::recipe::Recipe;
use crate::format::tree::{Flags, Metadata, Node, NodeKind};
use crate::paths;
use crate::replicate::Fetcher;
use crate::report::{Monitor, Problem, ProblemKind};
use crate::seal::Keys;
use crate::snapshot::{Held, TreeReader, holds};
use spelling::Spellings;
use system::{Applied, Folder};

/// A folder that is being restored.
struct Frame<'a> {
    folder: Arc<Folder>,
    is_new: bool,
    /// Length of its path, which is the beginning of the one the walk is at: deep trees would have too many.
    path_len: usize,
    metadata: Option<Metadata>,
    nodes: TreeReader<'a>,
    /// What else is there, where that is to be deleted.
    others: Option<Others>,
    spellings: Spellings,
}

struct Walk<'a, 'r> {
    fetcher: &'a Fetcher<'a>,
    keys: &'a Keys,
    request: &'a RestoreRequest,
    monitor: &'a dyn Monitor,
    report: &'r mut RestoreReport,
    window: Window<'a>,
    links: Links<'a>,
    kept: Kept,
    /// Folders whose entries are all given to the window; they get their metadata after it is done.
    left: Vec<(Arc<Folder>, PathBuf, Metadata)>,
    /// Bytes of their paths and metadata.
    left_bytes: usize,
}

/// Restores one item. What memory has no room for goes into `scratch`.
///
/// # Errors
/// [`Error::Interrupted`], [`Error::Io`] where the target itself cannot be made, index errors.
pub(super) fn restore(
    fetcher: &Fetcher<'_>,
    keys: &Keys,
    item: &PlannedItem,
    request: &RestoreRequest,
    scratch: Option<&Path>,
    monitor: &dyn Monitor,
    report: &mut RestoreReport,
) -> Result<(), Error> {
    let mut walk = Walk {
        fetcher,
        keys,
        request,
        monitor,
        report,
        window: Window::new(fetcher, monitor),
        links: Links::new(fetcher.budget().linked_bytes(), scratch),
        kept: Kept::new(item)?,
        left: Vec::new(),
        left_bytes: 0,
    };
    let anchor = Folder::open_target(&item.anchor).map_err(|source| {
        let path = item.anchor.clone();
        Error::Io { what: "restore to".to_owned(), path, source }
    })?;
    let below = item.below();
    if let Some(recipe) = item.node.folder() {
        walk.note_unread(&item.target, &item.node);
        match anchor.enter_all(&below) {
            Ok(entered) => walk.folder(recipe, entered, &item.target, item.node.metadata.clone())?,
            Err(error) => walk.not_restored(&item.target, &error),
        }
    } else if let Some((name, folders)) = below.split_last() {
        match anchor.enter_all(folders) {
            Ok(entered) => walk.entry(&Arc::new(entered.folder), false, &item.target, name, item.node.clone())?,
            Err(error) => walk.not_restored(&item.target, &error),
        }
    } else {
        let detail = "it is no folder, and takes the place of the folder to restore to".to_owned();
        walk.problem(item.target.clone(), ProblemKind::NotRestored, detail);
    }
    walk.flush()
}

impl<'a> Walk<'a, '_> {
    fn problem(&mut self, path: PathBuf, kind: ProblemKind, detail: String) {
        let problem = Problem { path, kind, detail };
        self.monitor.problem(&problem);
        self.report.problems.push(problem);
    }

    fn not_restored(&mut self, path: &Path, error: &io::Error) {
        self.problem(path.to_owned(), ProblemKind::NotRestored, format!("it cannot be restored: {error}"));
    }

    /// Tells of a folder that is empty in the snapshot because it could not be read.
    fn note_unread(&mut self, path: &Path, folder: &Node) {
        if folder.flags.contains(Flags::UNREAD) {
            let detail = "what was in it was never backed up, because it could not be read".to_owned();
            self.problem(path.to_owned(), ProblemKind::NeverBackedUp, detail);
        }
    }

    fn applied(&mut self, path: &Path, failed: Applied) {
        if !failed.is_empty() {
            let detail = format!("it could not be given {}", failed.join(", "));
            self.problem(path.to_owned(), ProblemKind::MetadataNotRestored, detail);
        }
    }

    /// Restores a folder and everything below it.
    fn folder(
        &mut self,
        recipe: &Recipe,
        entered: system::Entered,
        path: &Path,
        metadata: Metadata,
    ) -> Result<(), Error> {
        let mut path = paths::to_bytes(path).to_vec();
        let mut held = Held::default();
        let root = self.frame(recipe, entered, &path, metadata, None);
        self.links.begin(&root.folder, root.path_len);
        let mut stack = vec![root];
        while let Some(frame) = stack.last_mut() {
            if self.monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            path.truncate(frame.path_len);
            let node = frame.nodes.next();
            if let (Some(others), Some(node)) = (&mut frame.others, &node) {
                others.note(node);
            }
            match node {
                Some(Ok(node)) => {
                    if path.last() != Some(&b'/') {
                        path.push(b'/');
                    }
                    path.extend_from_slice(&node.name);
                    if self.is_taken(frame, &path, &node)? {
                        continue;
                    }
                    let (folder, is_new) = (Arc::clone(&frame.folder), frame.is_new);
                    if node.folder().is_none() {
                        let name = node.name.clone();
                        self.entry(&folder, is_new, &paths::from_bytes(&path), &name, node)?;
                    } else if let Err(error) = held.enter(&frame.nodes) {
                        let detail = format!("what is in it cannot be restored: {error}");
                        self.problem(paths::from_bytes(&path), ProblemKind::NotRestored, detail);
                    } else {
                        match self.enter(frame, &path, node) {
                            Some(below) => stack.push(below),
                            None => held.leave(),
                        }
                    }
                }
                Some(Err(error)) => {
                    let detail = format!("some of what was in it cannot be read: {error}");
                    self.problem(paths::from_bytes(&path), kind_of(&error), detail);
                }
                None => {
                    held.leave();
                    if let Some(frame) = stack.pop() {
                        self.leave(frame, &path)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn frame(
        &mut self,
        recipe: &Recipe,
        entered: system::Entered,
        path: &[u8],
        metadata: Metadata,
        around: Option<&Frame<'_>>,
    ) -> Frame<'a> {
        self.report.folders += 1;
        let spellings = Spellings::new(entered.is_new, around.map(|around| &around.spellings));
        let around = around.and_then(|around| around.others.as_ref());
        let is_emptied = self.request.delete && !entered.is_new;
        if is_emptied {
            self.kept.enter(&paths::from_bytes(path));
        }
        // Of what cannot be looked at nothing is deleted.
        let others = if is_emptied { Others::new(&entered.folder, recipe, around).ok() } else { None };
        Frame {
            folder: Arc::new(entered.folder),
            is_new: entered.is_new,
            path_len: path.len(),
            metadata: Some(metadata),
            nodes: TreeReader::new(self.fetcher, recipe),
            others,
            spellings,
        }
    }

    /// Enters a folder below; gives what to go on with, unless it cannot be entered.
    fn enter(&mut self, around: &mut Frame<'_>, path: &[u8], node: Node) -> Option<Frame<'a>> {
        let (folder, is_new) = (&around.folder, around.is_new);
        let NodeKind::Folder(recipe) = &node.kind else { return None };
        self.note_unread(&paths::from_bytes(path), &node);
        let mut entered = folder.enter(&node.name);
        if entered.is_err() && !is_new && self.request.overwrite == Overwrite::Always && self.clear(folder, &node.name)
        {
            entered = folder.enter(&node.name);
        }
        match entered {
            Ok(entered) => {
                around.spellings.look(folder, &node.name);
                Some(self.frame(recipe, entered, path, node.metadata, Some(around)))
            }
            Err(error) => {
                self.not_restored(&paths::from_bytes(path), &error);
                None
            }
        }
    }

    /// Removes a file or link that is where a folder belongs.
    fn clear(&mut self, folder: &Folder, name: &[u8]) -> bool {
        let is_other =
            folder.look_at(name).ok().flatten().is_some_and(|stat| {
                rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::Directory
            });
        is_other && folder.remove(name).is_ok()
    }

    fn leave(&mut self, frame: Frame<'a>, path: &[u8]) -> Result<(), Error> {
        let path = paths::from_bytes(path);
        if let Some(others) = &frame.others {
            let (mut deleted, mut problems) = (0, Vec::new());
            others.remove(&frame.folder, &path, &mut self.kept, true, &mut |path, removed| match removed {
                Ok(count) => deleted += count,
                Err(detail) => problems.push((path, detail)),
            });
            self.report.deleted += deleted;
            problems.into_iter().for_each(|(path, detail)| self.problem(path, ProblemKind::NotRestored, detail));
        }
        let Frame { folder, metadata, .. } = frame;
        if let Some(metadata) = metadata {
            self.left_bytes += paths::to_bytes(&path).len() + metadata_bytes(&metadata);
            self.left.push((folder, path, metadata));
        }
        let is_full = self.left.len() >= super::window::FOLDERS_MAX || self.left_bytes >= self.window.bytes_max();
        if is_full || self.window.is_full() { self.flush() } else { Ok(()) }
    }

    /// One entry that is no folder.
    fn entry(&mut self, folder: &Arc<Folder>, is_new: bool, path: &Path, name: &[u8], node: Node) -> Result<(), Error> {
        if node.flags.contains(Flags::UNREAD) {
            let detail = "it was never backed up, because it could not be read".to_owned();
            self.problem(path.to_owned(), ProblemKind::NeverBackedUp, detail);
            return Ok(());
        }
        if !is_new && self.stays(folder, path, name, &node)? {
            self.report.files_skipped += 1;
            self.report.bytes_skipped = self.report.bytes_skipped.saturating_add(node.size());
            self.monitor.advance(1, node.size());
            return Ok(());
        }
        match &node.kind {
            NodeKind::File(_) => return self.file(folder, is_new, path, name, node),
            NodeKind::Folder(_) => {}
            // It means nothing without the program that listens, which makes it anew.
            NodeKind::Socket => self.report.sockets_left_out += 1,
            kind => self.other(folder, is_new, path, name, (kind, &node.metadata))?,
        }
        Ok(())
    }

    /// A symbolic link, pipe or device.
    fn other(
        &mut self,
        folder: &Arc<Folder>,
        is_new: bool,
        path: &Path,
        name: &[u8],
        (kind, metadata): (&NodeKind, &Metadata),
    ) -> Result<(), Error> {
        if self.links.is_another_name(folder, is_new, path, name, (false, metadata))? {
            return self.flush_if_full();
        }
        let mut failed = Vec::new();
        let made = replacing(folder, is_new, name, |name| match kind {
            NodeKind::Symlink(target) => folder.symlink(name, target),
            kind => {
                failed = system::make_special(folder, name, kind, metadata)?;
                Ok(())
            }
        });
        if let Err(error) = made {
            self.not_restored(path, &error);
            return Ok(());
        }
        if matches!(kind, NodeKind::Symlink(_)) {
            failed = system::apply_to_link(folder, name, metadata);
        }
        self.report.others += 1;
        self.applied(path, failed);
        self.links.first_name(path, metadata)
    }

    fn file(&mut self, folder: &Arc<Folder>, is_new: bool, path: &Path, name: &[u8], node: Node) -> Result<(), Error> {
        if self.links.is_another_name(folder, is_new, path, name, (true, &node.metadata))? {
            return self.flush_if_full();
        }
        self.links.first_name(path, &node.metadata)?;
        let target =
            FileTarget { folder: Arc::clone(folder), path: path.to_owned(), name: name.to_vec(), is_new, node };
        self.window.add(target)?;
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> Result<(), Error> {
        if self.window.is_full() || self.links.is_full() { self.flush() } else { Ok(()) }
    }

    /// Whether what is there stays as it is.
    fn stays(&mut self, folder: &Folder, path: &Path, name: &[u8], node: &Node) -> Result<bool, Error> {
        let stat = match folder.look_at(name) {
            Ok(Some(stat)) => stat,
            Ok(None) => return Ok(false),
            Err(error) => {
                self.not_restored(path, &error);
                return Ok(true);
            }
        };
        let metadata = &node.metadata;
        let mtime = (stat.st_mtime, stat.st_mtime_nsec as u32);
        let stored = (metadata.mtime.seconds, metadata.mtime.nanos);
        let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile;
        let has_size = is_file && stat.st_size as u64 == node.size();
        match self.request.overwrite {
            Overwrite::Never => Ok(true),
            Overwrite::IfNewer => Ok(mtime >= stored),
            Overwrite::IfChanged => Ok(has_size && mtime == stored),
            Overwrite::Always => {
                let NodeKind::File(recipe) = &node.kind else { return Ok(false) };
                if !has_size {
                    return Ok(false);
                }
                let Ok(mut file) = folder.open_file(name) else { return Ok(false) };
                // A recipe that cannot be read now fails with its name when the file is written.
                if !holds(self.fetcher, self.keys, recipe, &mut file).unwrap_or(false) {
                    return Ok(false);
                }
                self.applied(path, system::apply_to_file(&file, metadata));
                Ok(true)
            }
        }
    }

    /// Writes what the window holds, then the links to it, then the metadata of folders that are complete.
    fn flush(&mut self) -> Result<(), Error> {
        let failed = self.window.flush(self.report)?;
        for link in self.links.take_waiting(&failed)? {
            if let Some(kind) = failed.get(&link.inode) {
                // What has the first name now, if anything, is not what was stored.
                let detail = "the file of which it is another name could not be restored".to_owned();
                self.problem(link.path, *kind, detail);
                continue;
            }
            match self.links.make(&link) {
                Ok(()) if link.is_file => {
                    self.report.files_restored += 1;
                    self.monitor.advance(1, 0);
                }
                Ok(()) => self.report.others += 1,
                Err(error) => {
                    let detail = format!("it cannot be made another name of the same file: {error}");
                    self.problem(link.path, ProblemKind::NotRestored, detail);
                }
            }
        }
        self.left_bytes = 0;
        for (folder, path, metadata) in std::mem::take(&mut self.left) {
            self.applied(&path, system::apply_to_folder(&folder, &metadata));
        }
        Ok(())
    }
}
