//! A few thousand files at a time: their chunks sorted by where they are stored, each block opened once, on all cores.
//!
//! A file is made by whoever writes its first part and finished by whoever writes its last. A file of more parts than a
//! window holds stays open over several windows, so memory is that of a window, however large the file.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::RestoreReport;
use super::system::{self, Folder, Temporary};
use crate::error::Error;
use crate::format::id::{ChunkId, ChunkKind};
use crate::format::recipe::Part;
use crate::format::tree::{Metadata, Node, NodeKind};
use crate::index::{PackNumber, Place};
use crate::replicate::Fetcher;
use crate::report::{Monitor, Problem, ProblemKind};
use crate::snapshot::{ChunkSource, PartReader, ReadError};

/// Files and folders a window holds, whatever the budget.
const FILES_MAX: usize = 4096;
pub(super) const FOLDERS_MAX: usize = 512;

/// About how much memory metadata take.
pub(super) fn metadata_bytes(metadata: &Metadata) -> usize {
    metadata.attributes.iter().map(|attribute| 64 + attribute.name.len() + attribute.value.len()).sum()
}

/// What kind of problem it is that something cannot be read.
pub(super) fn kind_of(error: &ReadError) -> ProblemKind {
    if matches!(error, ReadError::Cleaned) { ProblemKind::NotRestored } else { ProblemKind::Damaged }
}

/// A file to be written.
pub(super) struct FileTarget {
    pub folder: Arc<Folder>,
    pub path: PathBuf,
    pub name: Vec<u8>,
    /// Whether its folder is new: then it is made in place.
    pub is_new: bool,
    pub node: Node,
}

/// A file on its way.
struct OpenFile {
    target: FileTarget,
    state: Mutex<FileState>,
}

#[derive(Default)]
struct FileState {
    file: Option<File>,
    temporary: Option<Temporary>,
    /// Parts given out and not written.
    pending: usize,
    /// Whether all its parts were given out.
    is_listed: bool,
    failed: Option<(ProblemKind, String)>,
    /// What of its metadata could not be set.
    unset: Vec<String>,
    is_done: bool,
}

/// A part of a file and where its chunk is.
struct PartJob {
    place: Place,
    id: ChunkId,
    file: usize,
    offset: u64,
}

/// Files and their parts.
pub(super) struct Window<'a> {
    fetcher: &'a Fetcher<'a>,
    monitor: &'a dyn Monitor,
    files: Vec<OpenFile>,
    parts: Vec<PartJob>,
    /// Bytes of the paths and metadata of the files.
    bytes: usize,
    done: RestoreReport,
    failed: Failed,
}

/// The inodes with several names of which no content could be written, and what kind of problem that was.
pub(super) type Failed = HashMap<(u32, u64), ProblemKind>;

impl<'a> Window<'a> {
    pub fn new(fetcher: &'a Fetcher<'a>, monitor: &'a dyn Monitor) -> Self {
        let (files, parts, done, failed) = (Vec::new(), Vec::new(), RestoreReport::default(), Failed::new());
        Self { fetcher, monitor, files, parts, bytes: 0, done, failed }
    }

    pub fn is_full(&self) -> bool {
        self.files.len() >= FILES_MAX || self.parts.len() >= self.parts_max() || self.bytes >= self.bytes_max()
    }

    fn parts_max(&self) -> usize {
        self.fetcher.budget().restored_parts()
    }

    /// Bytes of names and metadata: those of honest trees are a hundredth of it.
    pub fn bytes_max(&self) -> usize {
        self.fetcher.budget().restored_bytes()
    }

    /// Adds a file. One with more parts than fit is partly written meanwhile.
    pub fn add(&mut self, target: FileTarget) -> Result<(), Error> {
        let NodeKind::File(recipe) = target.node.kind.clone() else { return Ok(()) };
        self.bytes += crate::paths::to_bytes(&target.path).len() + metadata_bytes(&target.node.metadata);
        self.files.push(OpenFile { target, state: Mutex::default() });
        let mut number = self.files.len() - 1;
        let mut offset = 0;
        for part in PartReader::new(self.fetcher, &recipe) {
            let part = match part {
                Ok(part) => part,
                Err(ReadError::Index(error)) => return Err(error.into()),
                Err(error) => {
                    self.fail(number, kind_of(&error), format!("its list of parts cannot be read: {error}"));
                    break;
                }
            };
            if let Part::Chunk { id, len } = part {
                match self.locate(&id, len)? {
                    Some(place) => {
                        self.parts.push(PartJob { place, id, file: number, offset });
                        self.state(number).pending += 1;
                    }
                    None => {
                        let detail = "a part of it is on no destination that can be reached".to_owned();
                        self.fail(number, ProblemKind::Damaged, detail);
                    }
                }
                if self.parts.len() >= self.parts_max() {
                    self.write()?;
                    number = self.drop_finished(number);
                }
            }
            // Only a list that lies gets there, and then no part can be written.
            offset = u64::saturating_add(offset, part.len());
        }
        let is_done = {
            let mut state = self.state(number);
            state.is_listed = true;
            state.pending == 0
        };
        if is_done && let Some(file) = self.files.get(number) {
            self.finish(file);
        }
        Ok(())
    }

    fn state(&self, number: usize) -> std::sync::MutexGuard<'_, FileState> {
        // Numbers are made here and only here; a thread that panicked left a state that is still right.
        self.files[number].state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, number: usize, kind: ProblemKind, detail: String) {
        self.state(number).failed.get_or_insert((kind, detail));
    }

    /// Where the chunk is to be read: a pack on a destination in use.
    fn locate(&self, id: &ChunkId, len: u32) -> Result<Option<Place>, Error> {
        let index = self.fetcher.index();
        let mut found: Option<Place> = None;
        for place in index.places(id)? {
            if place.len != len {
                continue;
            }
            if index.presence(place.pack)? & self.fetcher.reachable() != 0 {
                return Ok(Some(place));
            }
            found = found.or(Some(place));
        }
        Ok(found)
    }

    /// Writes every part and reports every file; gives those of which there can be no other names.
    ///
    /// # Errors
    /// [`Error::Interrupted`] where some of it was not written.
    pub fn flush(&mut self, report: &mut RestoreReport) -> Result<Failed, Error> {
        self.write()?;
        self.bytes = 0;
        self.close_all();
        let done = std::mem::take(&mut self.done);
        report.files_restored += done.files_restored;
        report.bytes_written = report.bytes_written.saturating_add(done.bytes_written);
        report.problems.extend(done.problems);
        Ok(std::mem::take(&mut self.failed))
    }

    fn close_all(&mut self) {
        for file in self.files.drain(..) {
            let inode = file.target.node.metadata.shared_inode();
            if let Err(kind) = close(file, &mut self.done, self.monitor) {
                self.failed.extend(inode.map(|inode| (inode, kind)));
            }
        }
    }

    /// Reports the files that are finished and keeps the one that is not; gives its number.
    fn drop_finished(&mut self, kept: usize) -> usize {
        let kept = self.files.swap_remove(kept);
        self.close_all();
        self.files.push(kept);
        0
    }

    /// Reads each block once and writes its chunks where they belong.
    fn write(&mut self) -> Result<(), Error> {
        let mut parts = std::mem::take(&mut self.parts);
        parts.sort_unstable_by_key(|part| (part.place.pack, part.place.block, part.place.offset));
        let groups: Vec<&[PartJob]> = parts.chunk_by(|left, right| block_of(left) == block_of(right)).collect();
        groups.par_iter().try_for_each(|group| {
            if self.monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            self.write_block(group);
            Ok(())
        })?;
        parts.clear();
        self.parts = parts;
        Ok(())
    }

    fn write_block(&self, group: &[PartJob]) {
        let Some(first) = group.first() else { return };
        let (pack, block) = block_of(first);
        let raw = self.fetcher.block(pack, block).ok();
        for part in group {
            let bytes = raw.as_ref().and_then(|raw| self.fetcher.view(ChunkKind::Data, &part.id, &part.place, raw));
            match bytes {
                Some(bytes) => self.write_part(part, bytes),
                // Not here unchanged: the fetcher tries every other place of the chunk.
                None => match self.fetcher.chunk(ChunkKind::Data, &part.id, part.place.len) {
                    Ok(bytes) => self.write_part(part, &bytes),
                    Err(error) => {
                        let detail = format!("a part of it cannot be read: {error}");
                        self.fail(part.file, kind_of(&error), detail);
                        self.part_done(part, Ok(()));
                    }
                },
            }
        }
    }

    fn write_part(&self, part: &PartJob, bytes: &[u8]) {
        let Some(file) = self.files.get(part.file) else { return };
        let result = file.with_file(|open| open.write_all_at(bytes, part.offset));
        self.monitor.advance(0, bytes.len() as u64);
        self.part_done(part, result);
    }

    fn part_done(&self, part: &PartJob, result: io::Result<()>) {
        let Some(file) = self.files.get(part.file) else { return };
        let is_last = {
            let mut state = file.state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = result {
                state.failed.get_or_insert((ProblemKind::NotRestored, format!("it cannot be written: {error}")));
            }
            state.pending -= 1;
            state.pending == 0 && state.is_listed
        };
        if is_last {
            self.finish(file);
        }
    }

    fn finish(&self, file: &OpenFile) {
        let result = file.finish();
        let mut state = file.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = result {
            state.failed.get_or_insert((ProblemKind::NotRestored, format!("it cannot be written: {error}")));
        }
        state.is_done = true;
    }
}

fn block_of(part: &PartJob) -> (PackNumber, u32) {
    (part.place.pack, part.place.block)
}

impl OpenFile {
    /// Does something with the open file, making it first where that was not done.
    fn with_file<T>(&self, act: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failed.is_some() {
            return Err(io::Error::other("an earlier part failed"));
        }
        if state.file.is_none() {
            let file = if self.target.is_new {
                self.target.folder.create(&self.target.name)?
            } else {
                let temporary = Temporary::new()?;
                let file = self.target.folder.create(temporary.name())?;
                state.temporary = Some(temporary);
                file
            };
            state.file = Some(file);
        }
        match &state.file {
            Some(file) => act(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Length, metadata and, where it has a temporary name, its own.
    fn finish(&self) -> io::Result<()> {
        let FileTarget { folder, name, is_new, node, .. } = &self.target;
        let unset = self.with_file(|file| {
            if file.metadata()?.len() != node.size() {
                file.set_len(node.size())?;
            }
            let unset = system::apply_to_file(file, &node.metadata);
            // What it replaces must not be gone before this is on the disk.
            if !is_new && folder.look_at(name)?.is_some() {
                file.sync_data()?;
            }
            Ok(unset)
        })?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.unset = unset;
        state.file = None;
        if let Some(temporary) = &state.temporary {
            folder.rename(temporary.name(), name)?;
            state.temporary = None;
        }
        Ok(())
    }
}

impl Drop for Window<'_> {
    /// Where a restore ends early, files are left here of which only a beginning was written.
    fn drop(&mut self) {
        for OpenFile { target, state } in self.files.drain(..) {
            let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
            if !state.is_done || state.failed.is_some() {
                remove_incomplete(&target, state.file, state.temporary.as_ref());
            }
        }
    }
}

/// Removes what was made of a file that is not finished, under the name it has.
fn remove_incomplete(target: &FileTarget, file: Option<File>, temporary: Option<&Temporary>) {
    match (temporary, target.is_new && file.is_some()) {
        (Some(temporary), _) => drop(target.folder.remove(temporary.name())),
        (None, true) => drop(target.folder.remove(&target.name)),
        (None, false) => {}
    }
}

/// Reports a file, and gives what kind of problem kept it from being restored. What is incomplete is removed: a file that
/// looks restored and is not would be worse than none.
fn close(file: OpenFile, report: &mut RestoreReport, monitor: &dyn Monitor) -> Result<(), ProblemKind> {
    let OpenFile { target, state } = file;
    let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if state.failed.is_none() && !state.is_done {
        state.failed = Some((ProblemKind::NotRestored, "it was not finished".to_owned()));
    }
    let mut problem = None;
    let failed = state.failed.as_ref().map_or(Ok(()), |(kind, _)| Err(*kind));
    if let Some((kind, detail)) = state.failed {
        remove_incomplete(&target, state.file.take(), state.temporary.as_ref());
        problem = Some(Problem { path: target.path, kind, detail });
    } else {
        report.files_restored += 1;
        report.bytes_written = report.bytes_written.saturating_add(target.node.size());
        monitor.advance(1, 0);
        if !state.unset.is_empty() {
            let detail = format!("it could not be given {}", state.unset.join(", "));
            problem = Some(Problem { path: target.path, kind: ProblemKind::MetadataNotRestored, detail });
        }
    }
    if let Some(problem) = problem {
        monitor.problem(&problem);
        report.problems.push(problem);
    }
    failed
}
