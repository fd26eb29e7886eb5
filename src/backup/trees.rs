//! Nodes into folders, as they come: depth first, in the order of names.

use std::collections::HashMap;
use std::path::PathBuf;

use super::coverage::Coverage;
use super::guard::{FileSample, Fingerprint, Moves};
use super::linked::Linked;
use super::outcome::RootTally;
use super::read::Item;
use super::recheck;
use super::same::SameFolder;
use super::step::{FileJob, Step, number, unread};
use crate::chunk::Chunker;
use crate::error::Error;
use crate::format::id::ChunkKind;
use crate::format::recipe::{Part, Recipe};
use crate::format::record::Time;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::index::DestinationBits;
use crate::replicate::Fetcher;
use crate::repo::store::Store;
use crate::report::{Monitor, Problem, ProblemKind};
use crate::snapshot::{RecipeBuilder, TreeBuilder};
use crate::source::{Entry, FolderIdentity, Stat};

/// Nodes of one folder that wait, in case the whole folder turns out to be the same.
const WAITING_MAX: usize = 4096;

/// A folder that is being put together.
struct FolderDraft {
    node: Node,
    waiting: Vec<Node>,
    tree: TreeBuilder,
}

/// A file that is being put together.
struct FileDraft {
    job: Box<FileJob>,
    recipe: RecipeBuilder,
    sample: FileSample,
}

/// Puts one source together.
pub(super) struct RootBuilder<'a> {
    chunker: &'a Chunker,
    fetcher: &'a Fetcher<'a>,
    coverage: Coverage,
    started: Time,
    monitor: &'a dyn Monitor,
    folders: Vec<FolderDraft>,
    file: Option<FileDraft>,
    /// Content of inodes with several names.
    linked: HashMap<FolderIdentity, Linked>,
    root: Option<Node>,
    moves: Moves,
    /// What was counted.
    pub tally: RootTally,
    /// Destinations that lack something that is carried.
    pub lacking: DestinationBits,
}

impl<'a> RootBuilder<'a> {
    pub fn new(
        chunker: &'a Chunker,
        fetcher: &'a Fetcher<'a>,
        coverage: Coverage,
        started: Time,
        monitor: &'a dyn Monitor,
    ) -> Self {
        Self {
            chunker,
            fetcher,
            coverage,
            started,
            monitor,
            folders: Vec::new(),
            file: None,
            linked: HashMap::new(),
            root: None,
            moves: Moves::default(),
            tally: RootTally::default(),
            lacking: 0,
        }
    }

    /// The finished root.
    pub fn finish(mut self) -> (Option<Node>, RootTally, DestinationBits) {
        self.tally.files_gone = self.moves.files_gone();
        (self.root, self.tally, self.lacking)
    }

    /// Takes a batch.
    pub fn batch(&mut self, items: Vec<Item>, batch: &[u8], store: &mut Store<'_>) -> Result<(), Error> {
        let mut bytes_read = 0;
        for item in items {
            match item {
                Item::Step(step) => self.step(step, store)?,
                Item::Begin(job) => {
                    store.begin_stretch();
                    self.begin_file(job);
                }
                Item::Chunk(range, id) => {
                    let Some(bytes) = batch.get(range) else { continue };
                    bytes_read += bytes.len() as u64;
                    store.put(ChunkKind::Data, id, bytes)?;
                    if let Some(file) = self.file.as_mut().filter(|file| file.job.previous.is_some()) {
                        file.sample.chunk(bytes);
                    }
                    self.part(Part::Chunk { id, len: bytes.len() as u32 }, store)?;
                }
                Item::Hole(len) => {
                    store.begin_stretch();
                    self.part(Part::Hole { len }, store)?;
                }
                Item::End { is_settled } => self.end_file(is_settled, store)?,
                Item::Failed(problem) => self.fail_file(problem, store)?,
                Item::Problem(problem) => self.problem(problem),
            }
        }
        self.tally.bytes_read += bytes_read;
        self.monitor.advance(0, bytes_read);
        Ok(())
    }

    fn step(&mut self, step: Step, store: &mut Store<'_>) -> Result<(), Error> {
        match step {
            Step::Enter(node) => {
                self.tally.counts.folders += 1;
                self.folders.push(FolderDraft { node, waiting: Vec::new(), tree: TreeBuilder::default() });
                Ok(())
            }
            Step::Leave(same) => self.leave(same, store),
            Step::Same(folder) => self.same(*folder, store),
            Step::Keep { node, link, is_unmodified } => {
                if let (Some(link), Some(linked)) = (link, Linked::of_node(&node)) {
                    self.linked.insert(link, linked);
                }
                self.tally.files_unmodified += u64::from(is_unmodified);
                self.add(*node, store)
            }
            Step::Link(job) => self.link(job, store),
            Step::Problem(problem) => {
                self.problem(problem);
                Ok(())
            }
            Step::Retire(path, number, file) => {
                file.into_iter().for_each(|file| self.moves.went(file));
                store.retire(path, number)
            }
            // Files to be read come as items of their own.
            Step::Read(_) => Ok(()),
        }
    }

    fn leave(&mut self, same: Option<Recipe>, store: &mut Store<'_>) -> Result<(), Error> {
        let Some(mut folder) = self.folders.pop() else { return Ok(()) };
        let recipe = match same {
            Some(recipe) => recipe,
            None => {
                for node in folder.waiting.drain(..) {
                    folder.tree.push(&node, self.chunker, store)?;
                }
                folder.tree.finish(self.chunker, store)?
            }
        };
        let mut node = folder.node;
        node.kind = NodeKind::Folder(recipe);
        self.place(node, store)
    }

    /// A folder that stands as it is.
    fn same(&mut self, folder: SameFolder, store: &mut Store<'_>) -> Result<(), Error> {
        let counts = &mut self.tally.counts;
        counts.folders += folder.folders;
        counts.files += folder.files;
        counts.bytes += folder.bytes;
        counts.others += folder.others;
        self.tally.files_unmodified += folder.files;
        self.tally.version_ceiling = self.tally.version_ceiling.max(folder.version_ceiling);
        self.linked.extend(folder.links);
        self.monitor.advance(folder.files, 0);
        self.place(folder.node, store)
    }

    /// Counts a node and adds it to its folder.
    fn add(&mut self, node: Node, store: &mut Store<'_>) -> Result<(), Error> {
        match &node.kind {
            NodeKind::File(_) => {
                self.tally.counts.files += 1;
                self.tally.counts.bytes += node.size();
                self.monitor.advance(1, 0);
            }
            NodeKind::Folder(_) => self.tally.counts.folders += 1,
            _ => self.tally.counts.others += 1,
        }
        self.tally.version_ceiling = self.tally.version_ceiling.max(node.version);
        self.place(node, store)
    }

    fn place(&mut self, node: Node, store: &mut Store<'_>) -> Result<(), Error> {
        let Some(folder) = self.folders.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        folder.waiting.push(node);
        if folder.waiting.len() >= WAITING_MAX {
            for node in folder.waiting.drain(..) {
                folder.tree.push(&node, self.chunker, store)?;
            }
        }
        Ok(())
    }

    fn part(&mut self, part: Part, store: &mut Store<'_>) -> Result<(), Error> {
        match &mut self.file {
            Some(file) => file.recipe.push(part, self.chunker, store),
            None => Ok(()),
        }
    }

    fn begin_file(&mut self, job: Box<FileJob>) {
        if job.previous.is_none() {
            self.moves.came(Fingerprint::of_entry(&job.entry));
        }
        self.file = Some(FileDraft { job, recipe: RecipeBuilder::default(), sample: FileSample::default() });
    }

    fn end_file(&mut self, is_settled: bool, store: &mut Store<'_>) -> Result<(), Error> {
        let Some(FileDraft { job, recipe, sample }) = self.file.take() else { return Ok(()) };
        let recipe = recipe.finish(self.chunker, store)?;
        let path = job.entry.path.clone();
        let stat = job.entry.stat;
        // What was replaced before it was opened is not what its other names have.
        if let Some(link) = job.link.filter(|link| *link == stat.identity()) {
            let Stat { size, mtime, ctime, .. } = stat;
            self.linked.insert(link, Linked { recipe: recipe.clone(), size, mtime, ctime, is_settled });
        }
        let flags = if is_settled { Flags::NONE } else { Flags::UNSETTLED };
        let changed = self.tally.files_changed;
        self.finish_file(*job, recipe, flags, store)?;
        self.tally.files_opaque += u64::from(self.tally.files_changed > changed && sample.is_opaque());
        if !is_settled {
            self.changed(path);
        }
        Ok(())
    }

    fn changed(&mut self, path: PathBuf) {
        let detail = "it changed while it was read; what was read is stored, and it is read again next time".to_owned();
        self.problem(Problem { path, kind: ProblemKind::ChangedWhileRead, detail });
    }

    fn finish_file(&mut self, job: FileJob, recipe: Recipe, flags: Flags, store: &mut Store<'_>) -> Result<(), Error> {
        let FileJob { entry, mut node, previous, highest_version, is_recheck, has_ctime, .. } = job;
        node.kind = NodeKind::File(recipe);
        node.flags = node.flags.with(flags);
        number(&mut node, previous.as_ref(), highest_version, self.started)?;
        let good = previous.as_ref().filter(|_| is_recheck && has_ctime && flags == Flags::NONE);
        let rotten = good.filter(|good| recheck::is_rot(good, &entry.stat, &node)).map(|good| rot(&entry, good));
        self.tally.files_rechecked += u64::from(is_recheck);
        self.tally.files_rotten += u64::from(rotten.is_some());
        match &previous {
            None => self.tally.files_new += 1,
            Some(previous) if previous.version == node.version => self.tally.files_unmodified += 1,
            Some(_) => self.tally.files_changed += 1,
        }
        self.add(node, store)?;
        rotten.into_iter().for_each(|problem| self.problem(problem));
        Ok(())
    }

    /// Another name of an inode whose content is known; where that failed, this name fails too. One that changed between
    /// the reading and the look at this name counts as changed while it was read.
    fn link(&mut self, job: Box<FileJob>, store: &mut Store<'_>) -> Result<(), Error> {
        match job.link.and_then(|link| self.linked.get(&link)) {
            Some(linked) => {
                let (recipe, is_still) = (linked.recipe.clone(), linked.is_still(&job.entry.stat));
                let path = job.entry.path.clone();
                self.finish_file(*job, recipe, if is_still { Flags::NONE } else { Flags::UNSETTLED }, store)?;
                if !is_still {
                    self.changed(path);
                }
                Ok(())
            }
            None => {
                let problem = Problem {
                    path: job.entry.path.clone(),
                    kind: ProblemKind::Unreadable,
                    detail: "another name of the same file could not be read".to_owned(),
                };
                self.begin_file(job);
                self.fail_file(problem, store)
            }
        }
    }

    /// The previous node stands for a file that could not be read.
    fn fail_file(&mut self, problem: Problem, store: &mut Store<'_>) -> Result<(), Error> {
        let Some(FileDraft { job, .. }) = self.file.take() else { return Ok(()) };
        let is_vanished = problem.kind == ProblemKind::Vanished;
        self.problem(problem);
        let FileJob { entry, previous, highest_version, .. } = *job;
        let fallback = match &previous {
            Some(previous) => self.coverage.lacking_below(self.fetcher, previous)?,
            None => None,
        };
        match (previous, fallback) {
            (Some(previous), Some(lacking)) => {
                self.lacking |= lacking;
                self.add(Node { flags: previous.flags.with(Flags::CARRIED), ..previous }, store)
            }
            (None, _) if is_vanished => Ok(()),
            (previous, _) => {
                let node = unread(entry.name.clone(), Some(&entry), previous, highest_version);
                self.add(node, store)
            }
        }
    }

    /// Notes a problem.
    pub fn problem(&mut self, problem: Problem) {
        self.monitor.problem(&problem);
        self.tally.counts.problems += 1;
        self.tally.problems.push(problem);
    }

    /// Notes a problem of the source as a whole.
    pub fn source_problem(&mut self, path: PathBuf, detail: String) {
        self.problem(Problem { path, kind: ProblemKind::SourceMissing, detail });
    }
}

/// What is said of a file that rotted: which version is the good one.
fn rot(entry: &Entry, good: &Node) -> Problem {
    Problem {
        path: entry.path.clone(),
        kind: ProblemKind::Rotten,
        detail: format!("its content is another one though nobody wrote it; version {} is the good one", good.version),
    }
}
