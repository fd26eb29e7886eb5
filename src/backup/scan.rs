//! A source beside the previous snapshot's tree: entry by entry, what stands and what must be read.
//!
//! Both are in the order of names, so one pass merges them. A name that only the tree has was deleted; its number is
//! retired. A folder in which nothing differs is said to be the same, and its tree is neither encoded nor stored.
//!
//! `part`: where it is known what changed, only that is looked at, and what else the tree has stands.

mod gone;
mod part;

mod carried;

use std::iter::Peekable;

use super::begun::WalkSteps;
use super::context::ScanContext;
use super::coverage::Coverage;
use super::linked::Matched;
use super::recheck::Window;
use super::same::Held;
use super::step::{FileJob, Step, node, number, settled};
use crate::format::recipe::Recipe;
use crate::format::record::Time;
use crate::format::snapshot::RootCounts;
use crate::format::tree::{Flags, Metadata, Node, NodeKind};
use crate::index::DestinationBits;
use crate::snapshot::versions::join;
use crate::snapshot::{ReadError, TreeReader, path_hash};
use crate::source::{
    ChangePolicy, DeviceOrdinals, Entry, EntryKind, Event, FolderIdentity, has_same_metadata, is_unchanged, metadata,
};

/// Names of one inode are matched up to so many inodes; beyond, they are read one by one.
const LINKED_MAX: usize = 200_000;

/// What the scan found besides its steps.
#[derive(Default)]
pub(super) struct ScanOutcome {
    /// Entries left out.
    pub excluded: u64,
    /// Destinations that lack something that was skipped.
    pub lacking: DestinationBits,
    /// What the previous tree had in the folders that were looked into, where only those are.
    pub before: RootCounts,
    /// Whether to look at changes alone was not enough: what the scan gave is worth nothing.
    pub is_unsure: bool,
}

/// One folder that was entered. Where something in it differs, something differs in every folder around it.
struct Frame<'a> {
    /// Path below the source.
    path: Vec<u8>,
    /// The previous tree, if there is one that can be read.
    before: Option<Peekable<TreeReader<'a>>>,
    recipe: Option<Recipe>,
    is_same: bool,
    /// Where its beginning is held back, if it is.
    held_from: Option<usize>,
    /// The previous tree could not be read to its end: what is missing from it may have had any number.
    is_lost: bool,
    /// It was not listed: what the walk does not name in it stands.
    is_passed: bool,
}

pub(super) struct Scan<'a, 'out> {
    context: &'a ScanContext<'a>,
    frames: Vec<Frame<'a>>,
    devices: DeviceOrdinals,
    matched: Matched,
    outcome: ScanOutcome,
    held: Held,
    /// Takes the steps; false means that nobody wants more.
    out: &'out mut dyn FnMut(Step) -> bool,
    is_wanted: bool,
}

impl<'a, 'out> Scan<'a, 'out> {
    /// Scans one source to its end, or until `out` wants no more.
    ///
    /// # Errors
    /// [`ReadError::Index`] only: what else cannot be read of the previous snapshot is read from the source.
    pub fn run(
        context: &'a ScanContext<'a>,
        walk: &mut dyn WalkSteps,
        out: &'out mut dyn FnMut(Step) -> bool,
    ) -> Result<ScanOutcome, ReadError> {
        let mut scan = Scan {
            context,
            frames: Vec::new(),
            devices: DeviceOrdinals::default(),
            matched: Matched::new(LINKED_MAX),
            outcome: ScanOutcome::default(),
            held: Held::default(),
            out,
            is_wanted: true,
        };
        while scan.is_wanted {
            let Some(event) = walk.next_event() else { break };
            scan.event(event, walk)?;
        }
        scan.outcome.excluded = walk.excluded();
        Ok(scan.outcome)
    }

    fn give(&mut self, step: Step) {
        self.is_wanted = self.is_wanted && (self.out)(step);
    }

    /// Gives a step that is part of the innermost folder: at once, unless that folder is held back.
    fn give_in_order(&mut self, step: Step) {
        if self.frames.last().is_none_or(|frame| frame.held_from.is_none()) {
            return self.give(step);
        }
        self.held.push(step);
        if self.held.is_full() {
            self.give_held();
        }
    }

    fn give_held(&mut self) {
        for frame in self.frames.iter_mut().rev() {
            if frame.held_from.take().is_none() {
                break;
            }
        }
        for step in self.held.take() {
            self.give(step);
        }
    }

    fn event(&mut self, event: Event, walk: &mut dyn WalkSteps) -> Result<(), ReadError> {
        if let (Some(selection), Event::Enter(entry) | Event::Leaf(entry)) = (self.context.selection, &event) {
            selection.met(&entry.path);
        }
        let name = match &event {
            Event::Enter(entry) | Event::Pass(entry) | Event::Beside(entry) | Event::Leaf(entry) => &entry.name,
            Event::Unreadable { name, .. } | Event::Gone { name } => name,
            Event::Leave => return self.leave(),
            Event::Problem(_) => return self.met(event, None, walk),
        };
        let previous = self.previous(name)?;
        self.met(event, previous, walk)
    }

    /// Deals with an entry whose previous node is known.
    fn met(&mut self, event: Event, previous: Option<Node>, walk: &mut dyn WalkSteps) -> Result<(), ReadError> {
        match event {
            Event::Enter(entry) => self.enter(&entry, previous, false),
            Event::Pass(entry) => self.pass(&entry, previous),
            Event::Beside(entry) => self.beside(&entry, previous, walk),
            Event::Gone { .. } => previous.map_or(Ok(()), |gone| self.gone(&gone)),
            Event::Leaf(entry) => self.leaf(entry, previous),
            Event::Unreadable { name, entry, problem, .. } => self.unreadable(name, entry, previous, problem),
            Event::Problem(problem) => {
                self.differ();
                self.give(Step::Problem(problem));
                Ok(())
            }
            Event::Leave => Ok(()),
        }
    }

    /// The previous node of that name in the innermost folder; what comes before it is gone.
    fn previous(&mut self, name: &[u8]) -> Result<Option<Node>, ReadError> {
        if self.frames.is_empty() {
            return Ok(self.context.previous.as_ref().map(|previous| previous.node.clone()));
        }
        loop {
            match self.next_before(|node| node.name.as_slice() <= name)? {
                Some(node) if node.name == name => return Ok(Some(node)),
                Some(other) => self.not_named(other)?,
                None => return Ok(None),
            }
        }
    }

    /// The next node of the previous tree, if it is as wanted.
    fn next_before(&mut self, is_wanted: impl Fn(&Node) -> bool) -> Result<Option<Node>, ReadError> {
        let Some(frame) = self.frames.last_mut() else { return Ok(None) };
        let Some(before) = &mut frame.before else { return Ok(None) };
        match before.next_if(|node| node.as_ref().map_or(true, is_wanted)) {
            None => Ok(None),
            Some(Ok(node)) => {
                self.count_before(&node);
                Ok(Some(node))
            }
            Some(Err(ReadError::Index(error))) => Err(error.into()),
            Some(Err(_)) => {
                frame.before = None;
                frame.is_lost = true;
                // What stands cannot be told from it.
                self.be_unsure();
                self.differ();
                Ok(None)
            }
        }
    }

    fn differ(&mut self) {
        for frame in self.frames.iter_mut().rev() {
            if !std::mem::take(&mut frame.is_same) {
                break;
            }
        }
        self.give_held();
    }

    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        join(self.frames.last().map_or(&[], |frame| frame.path.as_slice()), name)
    }

    fn enter(&mut self, entry: &Entry, previous: Option<Node>, is_passed: bool) -> Result<(), ReadError> {
        let path = self.path_of(&entry.name);
        let (folder, replaced) = match previous {
            Some(node) if node.folder().is_some() => (Some(node), None),
            other => (None, other),
        };
        if let Some(file) = &replaced {
            self.retire_below(&path, file)?;
        }
        let (metadata, flags, has_same_metadata) = self.metadata_of(entry, folder.as_ref());
        let recipe = folder.as_ref().and_then(Node::folder).cloned();
        let was_read = folder.as_ref().is_some_and(|node| node.flags == Flags::NONE);
        // A tree may be taken over only if its chunks are covered, which is known for whole snapshots alone.
        let is_same = was_read && self.coverage().is_whole();
        if !has_same_metadata || !is_same {
            self.differ();
        }
        let begin = Step::Enter(Node { flags, ..node(entry, NodeKind::Folder(Recipe::EMPTY), metadata, 0) });
        let held_from = if is_same {
            Some(self.held.push(begin))
        } else {
            self.give(begin);
            None
        };
        let before = recipe.as_ref().map(|recipe| TreeReader::new(self.context.fetcher, recipe).peekable());
        self.frames.push(Frame { path, before, recipe, is_same, held_from, is_lost: false, is_passed });
        Ok(())
    }

    fn coverage(&self) -> Coverage {
        self.context.previous.as_ref().map_or_else(Coverage::default, |previous| previous.coverage)
    }

    fn leave(&mut self) -> Result<(), ReadError> {
        while let Some(other) = self.next_before(|_| true)? {
            self.not_named(other)?;
        }
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        if !frame.is_same {
            self.differ();
            self.give(Step::Leave(None));
            return Ok(());
        }
        let coverage = self.coverage();
        self.outcome.lacking |= coverage.reachable & !coverage.whole;
        match (frame.held_from, frame.recipe) {
            (Some(from), Some(recipe)) => {
                if let Some(folder) = self.held.collapse(from, recipe) {
                    self.give_in_order(Step::Same(Box::new(folder)));
                }
            }
            (_, recipe) => self.give(Step::Leave(recipe)),
        }
        Ok(())
    }

    fn leaf(&mut self, entry: Entry, previous: Option<Node>) -> Result<(), ReadError> {
        let path = self.path_of(&entry.name);
        let (previous, replaced) = match previous {
            Some(node) if node.folder().is_some() => (None, Some(node)),
            other => (other, None),
        };
        if let Some(folder) = &replaced {
            self.retire_below(&path, folder)?;
        }
        let link = (entry.stat.links > 1).then(|| entry.stat.identity());
        let is_recheck = previous.as_ref().is_some_and(|node| self.is_to_be_rechecked(&path, node, &entry));
        if let Some(node) = &previous
            && !is_recheck
            && self.is_unchanged(node, &entry)
            && let Some(lacking) = self.coverage().lacking(self.context.fetcher, node)?
        {
            self.outcome.lacking |= lacking;
            return self.keep(&entry, node.clone(), link);
        }
        if entry.kind == EntryKind::File
            && let Some(selection) = self.context.selection
            && !selection.takes(&entry, previous.as_ref())
            && self.leave_for_later(previous.as_ref())?
        {
            return Ok(());
        }
        self.differ();
        self.be_unsure_of_names(previous.as_ref().map_or(0, |node| node.metadata.links).max(entry.stat.links));
        let highest_version = self.highest_version(&path, previous.as_ref())?;
        if entry.kind == EntryKind::File {
            let mut node = node(&entry, NodeKind::File(Recipe::EMPTY), Metadata::default(), 0);
            node.metadata.device = self.devices.ordinal(&entry);
            let is_known = link.is_some_and(|link| self.matched.has(&link));
            let link = link.filter(|link| self.matched.take(*link));
            let has_ctime = !self.context.policy.ignore_ctime;
            let job = Box::new(FileJob { entry, node, previous, highest_version, link, is_recheck, has_ctime });
            self.give(if is_known { Step::Link(job) } else { Step::Read(job) });
            return Ok(());
        }
        let (metadata, problem) = metadata(&entry.path, &entry, &mut self.devices, self.context.owners);
        let mut node = node(&entry, entry.kind.to_node(), metadata, 0);
        node.flags = settled(problem.as_ref());
        number(&mut node, previous.as_ref(), highest_version, self.context.started)?;
        self.give(Step::Keep { node: Box::new(node), link: None, is_unmodified: false });
        if let Some(problem) = problem {
            self.give(Step::Problem(problem));
        }
        Ok(())
    }

    fn is_unchanged(&self, previous: &Node, entry: &Entry) -> bool {
        self.is_unchanged_by(&self.context.policy, previous, entry)
    }

    fn is_unchanged_by(&self, policy: &ChangePolicy, previous: &Node, entry: &Entry) -> bool {
        let scanned = self.context.previous.as_ref().map_or_else(Time::default, |previous| previous.scanned);
        is_unchanged(previous, entry, scanned, policy)
    }

    /// Whether a file that looks unchanged is read, be it that everything is.
    fn is_to_be_rechecked(&self, path: &[u8], previous: &Node, entry: &Entry) -> bool {
        let is_taken = |window: Window| window.takes(&self.context.root, path, &entry.stat);
        let policy = ChangePolicy { force: false, ..self.context.policy };
        entry.kind == EntryKind::File
            && (self.context.policy.force || self.context.recheck.is_some_and(is_taken))
            && self.is_unchanged_by(&policy, previous, entry)
    }

    fn keep(&mut self, entry: &Entry, mut node: Node, link: Option<FolderIdentity>) -> Result<(), ReadError> {
        let device = if self.context.is_part { node.metadata.device } else { self.devices.ordinal(entry) };
        if has_same_metadata(&node, entry) {
            if node.metadata.device != device {
                node.metadata.device = device;
                self.differ();
            }
        } else {
            self.differ();
            self.be_unsure_of_names(node.metadata.links.max(entry.stat.links));
            let (metadata, problem) = metadata(&entry.path, entry, &mut self.devices, self.context.owners);
            (node.metadata, node.flags) = (metadata, settled(problem.as_ref()));
            if let Some(problem) = problem {
                self.give(Step::Problem(problem));
            }
        }
        let link = link.filter(|link| self.matched.take(*link));
        let is_unmodified = matches!(node.kind, NodeKind::File(_));
        self.give_in_order(Step::Keep { node: Box::new(node), link, is_unmodified });
        Ok(())
    }

    /// Metadata of a folder, what its node is marked with for them, and whether they are the previous ones.
    fn metadata_of(&mut self, entry: &Entry, previous: Option<&Node>) -> (Metadata, Flags, bool) {
        if let Some(previous) = previous
            && self.is_unchanged(previous, entry)
            && has_same_metadata(previous, entry)
        {
            return (previous.metadata.clone(), Flags::NONE, true);
        }
        let (metadata, problem) = metadata(&entry.path, entry, &mut self.devices, self.context.owners);
        let flags = settled(problem.as_ref());
        let is_same = previous.is_some_and(|previous| previous.metadata == metadata && previous.flags == flags);
        if let Some(problem) = problem {
            self.give(Step::Problem(problem));
        }
        (metadata, flags, is_same)
    }

    fn highest_version(&self, path: &[u8], previous: Option<&Node>) -> Result<u32, ReadError> {
        let retired = self.context.fetcher.index().retired(&path_hash(&self.context.root, path))?;
        let is_lost = self.frames.iter().any(|frame| frame.is_lost);
        let known = match previous {
            Some(previous) => previous.version,
            None if is_lost || self.context.version_floor > 0 => self.context.version_floor,
            None => 0,
        };
        Ok(retired.max(known))
    }
}
