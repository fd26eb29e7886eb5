//! A source beside the previous snapshot's tree: entry by entry, what stands and what must be read.
//!
//! Both are in the order of names, so one pass merges them. A name that only the tree has was deleted; its number is
//! retired. A folder in which nothing differs is said to be the same, and its tree is neither encoded nor stored.

use std::collections::HashSet;
use std::iter::Peekable;

use super::coverage::Coverage;
use super::guard::Fingerprint;
use crate::format::FormatError;
use crate::format::recipe::Recipe;
use crate::format::record::{Extra, Time};
use crate::format::tree::{Flags, Metadata, Node, NodeKind};
use crate::index::DestinationBits;
use crate::replicate::Fetcher;
use crate::report::{Problem, ProblemKind};
use crate::snapshot::versions::{each_entry_below, join};
use crate::snapshot::{ReadError, TreeReader, path_hash};
use crate::source::{
    ChangePolicy, DeviceOrdinals, Entry, EntryKind, Event, FolderIdentity, Owners, Walk, has_same_metadata,
    is_unchanged, metadata,
};

/// Names of one inode are matched up to so many inodes; beyond, they are read one by one.
const LINKED_MAX: usize = 200_000;

/// What the scan says of one entry.
pub(super) enum Step {
    /// A folder begins; its node has no stream yet.
    Enter(Node),
    /// The folder ends. With a recipe: nothing in it differs from the previous snapshot, and this is its stream.
    Leave(Option<Recipe>),
    /// The node stands as it is: unchanged, carried, or of a kind without content. `is_file_unmodified` counts.
    Keep {
        /// The node.
        node: Box<Node>,
        /// The inode, where it has several names.
        link: Option<FolderIdentity>,
        /// Whether to count it as an unmodified file.
        is_unmodified: bool,
    },
    /// The file must be read.
    Read(Box<FileJob>),
    /// Another name of a file met earlier in this run.
    Link(Box<FileJob>),
    /// Something went wrong.
    Problem(Problem),
    /// A path is gone, and had this number; what tells it again where it was a file.
    Retire([u8; 32], u32, Option<Fingerprint>),
}

/// A file that must be read.
pub(super) struct FileJob {
    /// Where it is.
    pub entry: Entry,
    /// Its node, without content and, until it is opened, without metadata.
    pub node: Node,
    /// Its previous node, if that was a file.
    pub previous: Option<Node>,
    /// The highest number its path ever had.
    pub highest_version: u32,
    /// The inode, where it has several names.
    pub link: Option<FolderIdentity>,
}

/// What the previous snapshot has of a source.
#[derive(Clone)]
pub(super) struct Previous {
    /// Its root.
    pub node: Node,
    /// When the scan that read it began.
    pub scanned: Time,
    /// What of it may be skipped.
    pub coverage: Coverage,
}

/// How to scan.
pub(super) struct ScanContext<'a> {
    /// Path of the source, as bytes.
    pub root: Vec<u8>,
    /// What to go by.
    pub policy: ChangePolicy,
    /// Reads the previous trees.
    pub fetcher: &'a Fetcher<'a>,
    /// The previous root.
    pub previous: Option<Previous>,
    /// No number up to this is given to a path that is not known, since older snapshots are out of reach.
    pub version_floor: u32,
    /// When the run began.
    pub started: Time,
    /// Names of owners.
    pub owners: &'a Owners,
}

/// What the scan found besides its steps.
#[derive(Default)]
pub(super) struct ScanOutcome {
    /// Entries left out.
    pub excluded: u64,
    /// Destinations that lack something that was skipped.
    pub lacking: DestinationBits,
}

/// One folder that was entered.
struct Frame<'a> {
    /// Path below the source.
    path: Vec<u8>,
    /// The previous tree, if there is one that can be read.
    before: Option<Peekable<TreeReader<'a>>>,
    recipe: Option<Recipe>,
    is_same: bool,
    /// The previous tree could not be read to its end: what is missing from it may have had any number.
    is_lost: bool,
}

pub(super) struct Scan<'a, 'out> {
    context: &'a ScanContext<'a>,
    frames: Vec<Frame<'a>>,
    devices: DeviceOrdinals,
    linked: HashSet<FolderIdentity>,
    outcome: ScanOutcome,
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
            linked: HashSet::new(),
            outcome: ScanOutcome::default(),
            out,
            is_wanted: true,
        };
        while scan.is_wanted {
            let Some(event) = walk.next_event() else { break };
            scan.event(event)?;
        }
        scan.outcome.excluded = walk.excluded();
        Ok(scan.outcome)
    }

    fn give(&mut self, step: Step) {
        self.is_wanted = self.is_wanted && (self.out)(step);
    }

    fn event(&mut self, event: Event) -> Result<(), ReadError> {
        match event {
            Event::Enter(entry) => {
                let previous = self.previous(&entry.name)?;
                self.enter(&entry, previous)
            }
            Event::Leave => self.leave(),
            Event::Leaf(entry) => {
                let previous = self.previous(&entry.name)?;
                self.leaf(entry, previous)
            }
            Event::Unreadable { name, entry, problem, .. } => {
                let previous = self.previous(&name)?;
                self.unreadable(name, entry, previous, problem)
            }
            Event::Problem(problem) => {
                self.differ();
                self.give(Step::Problem(problem));
                Ok(())
            }
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
                Some(gone) => self.gone(&gone)?,
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
            Some(Ok(node)) => Ok(Some(node)),
            Some(Err(ReadError::Index(error))) => Err(error.into()),
            Some(Err(_)) => {
                frame.before = None;
                frame.is_same = false;
                frame.is_lost = true;
                Ok(None)
            }
        }
    }

    fn gone(&mut self, node: &Node) -> Result<(), ReadError> {
        self.differ();
        let path = self.path_of(&node.name);
        self.retire_below(&path, node)
    }

    fn retire_below(&mut self, path: &[u8], node: &Node) -> Result<(), ReadError> {
        let context = self.context;
        let result = each_entry_below(context.fetcher, path, node, &mut |path, gone| {
            self.give(Step::Retire(path_hash(&context.root, path), gone.version, Fingerprint::of_node(gone)));
        });
        match result {
            Err(ReadError::Index(error)) => Err(error.into()),
            // What cannot be read cannot be numbered again by mistake either: its snapshots count when it comes back.
            _ => Ok(()),
        }
    }

    fn differ(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.is_same = false;
        }
    }

    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        join(self.frames.last().map_or(&[], |frame| frame.path.as_slice()), name)
    }

    fn enter(&mut self, entry: &Entry, previous: Option<Node>) -> Result<(), ReadError> {
        let path = self.path_of(&entry.name);
        let (folder, replaced) = match previous {
            Some(node) if node.folder().is_some() => (Some(node), None),
            other => (None, other),
        };
        if let Some(file) = &replaced {
            self.retire_below(&path, file)?;
        }
        let (metadata, is_same) = self.metadata_of(entry, folder.as_ref());
        if !is_same {
            self.differ();
        }
        let recipe = folder.as_ref().and_then(Node::folder).cloned();
        let was_read = folder.as_ref().is_some_and(|node| node.flags == Flags::NONE);
        self.frames.push(Frame {
            path,
            before: recipe.as_ref().map(|recipe| TreeReader::new(self.context.fetcher, recipe).peekable()),
            // A tree may be taken over only if its chunks are covered, which is known for whole snapshots alone.
            is_same: was_read && self.coverage().is_whole(),
            recipe,
            is_lost: false,
        });
        let kind = NodeKind::Folder(Recipe::EMPTY);
        self.give(Step::Enter(node(entry, kind, metadata, 0)));
        Ok(())
    }

    fn coverage(&self) -> Coverage {
        self.context.previous.as_ref().map_or_else(Coverage::default, |previous| previous.coverage)
    }

    fn leave(&mut self) -> Result<(), ReadError> {
        while let Some(gone) = self.next_before(|_| true)? {
            self.gone(&gone)?;
        }
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        if frame.is_same {
            let coverage = self.coverage();
            self.outcome.lacking |= coverage.reachable & !coverage.whole;
            self.give(Step::Leave(frame.recipe));
        } else {
            self.differ();
            self.give(Step::Leave(None));
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
        if let Some(node) = &previous
            && self.is_unchanged(node, &entry)
            && let Some(lacking) = self.coverage().lacking(self.context.fetcher, node)?
        {
            self.outcome.lacking |= lacking;
            return self.keep(&entry, node.clone(), link);
        }
        self.differ();
        let highest_version = self.highest_version(&path, previous.as_ref())?;
        if entry.kind == EntryKind::File {
            let mut node = node(&entry, NodeKind::File(Recipe::EMPTY), Metadata::default(), 0);
            node.metadata.device = self.devices.ordinal(&entry);
            let is_known = link.is_some_and(|link| self.linked.contains(&link));
            if let Some(link) = link.filter(|_| self.linked.len() < LINKED_MAX) {
                self.linked.insert(link);
            }
            let job = Box::new(FileJob { entry, node, previous, highest_version, link });
            self.give(if is_known { Step::Link(job) } else { Step::Read(job) });
            return Ok(());
        }
        let (metadata, problem) = metadata(&entry.path, &entry, &mut self.devices, self.context.owners);
        let mut node = node(&entry, special_kind(&entry.kind), metadata, 0);
        number(&mut node, previous.as_ref(), highest_version, self.context.started)?;
        self.give(Step::Keep { node: Box::new(node), link: None, is_unmodified: false });
        if let Some(problem) = problem {
            self.give(Step::Problem(problem));
        }
        Ok(())
    }

    fn is_unchanged(&self, previous: &Node, entry: &Entry) -> bool {
        let scanned = self.context.previous.as_ref().map_or_else(Time::default, |previous| previous.scanned);
        is_unchanged(previous, entry, scanned, &self.context.policy)
    }

    fn keep(&mut self, entry: &Entry, mut node: Node, link: Option<FolderIdentity>) -> Result<(), ReadError> {
        let device = self.devices.ordinal(entry);
        if has_same_metadata(&node, entry) {
            if node.metadata.device != device {
                node.metadata.device = device;
                self.differ();
            }
        } else {
            self.differ();
            let (metadata, problem) = metadata(&entry.path, entry, &mut self.devices, self.context.owners);
            node.metadata = metadata;
            if let Some(problem) = problem {
                self.give(Step::Problem(problem));
            }
        }
        if let Some(link) = link.filter(|_| self.linked.len() < LINKED_MAX) {
            self.linked.insert(link);
        }
        let is_unmodified = matches!(node.kind, NodeKind::File(_));
        self.give(Step::Keep { node: Box::new(node), link, is_unmodified });
        Ok(())
    }

    /// Metadata of a folder, and whether they are the previous ones.
    fn metadata_of(&mut self, entry: &Entry, previous: Option<&Node>) -> (Metadata, bool) {
        if let Some(previous) = previous
            && self.is_unchanged(previous, entry)
            && has_same_metadata(previous, entry)
        {
            return (previous.metadata.clone(), true);
        }
        let (metadata, problem) = metadata(&entry.path, entry, &mut self.devices, self.context.owners);
        if let Some(problem) = problem {
            self.give(Step::Problem(problem));
        }
        let is_same = previous.is_some_and(|previous| previous.metadata == metadata);
        (metadata, is_same)
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

    /// The previous node stands for what cannot be read, so that it does not look deleted.
    fn unreadable(
        &mut self,
        name: Vec<u8>,
        entry: Option<Entry>,
        previous: Option<Node>,
        problem: Problem,
    ) -> Result<(), ReadError> {
        self.differ();
        let is_vanished = problem.kind == ProblemKind::Vanished;
        self.give(Step::Problem(problem));
        let path = self.path_of(&name);
        let fallback = match &previous {
            Some(previous) => self.coverage().lacking_below(self.context.fetcher, previous)?,
            None => None,
        };
        let node = match (previous, fallback) {
            (Some(previous), Some(lacking)) => {
                self.outcome.lacking |= lacking;
                Node { flags: previous.flags.with(Flags::CARRIED), ..previous }
            }
            (None, _) if is_vanished => return Ok(()),
            (previous, _) => {
                let version = self.highest_version(&path, previous.as_ref())?;
                unread(name, entry.as_ref(), previous, version)
            }
        };
        self.give(Step::Keep { node: Box::new(node), link: None, is_unmodified: false });
        Ok(())
    }
}

/// What stands for an entry that cannot be read and whose previous content is out of reach or never was.
pub(super) fn unread(name: Vec<u8>, entry: Option<&Entry>, previous: Option<Node>, version: u32) -> Node {
    let is_folder = match (entry, &previous) {
        (Some(entry), _) => entry.kind == EntryKind::Folder,
        (None, Some(previous)) => previous.folder().is_some(),
        (None, None) => false,
    };
    let kind = if is_folder { NodeKind::Folder(Recipe::EMPTY) } else { NodeKind::File(Recipe::EMPTY) };
    let mut metadata = previous.map(|previous| previous.metadata).unwrap_or_default();
    if let Some(entry) = entry {
        let stat = &entry.stat;
        (metadata.mode, metadata.uid, metadata.gid) = (stat.mode, stat.uid, stat.gid);
        (metadata.mtime, metadata.ctime) = (stat.mtime, stat.ctime);
        (metadata.inode, metadata.links) = (stat.inode, stat.links);
    }
    let version = if is_folder { 0 } else { version };
    Node { name, kind, metadata, version, flags: Flags::UNREAD, extra: Extra::new() }
}

/// Numbers a node whose previous one and whose path's highest number are known. A new number is known since the run that
/// gives it began.
pub(super) fn number(node: &mut Node, previous: Option<&Node>, highest: u32, started: Time) -> Result<(), FormatError> {
    let same = previous.filter(|previous| !previous.flags.contains(Flags::UNREAD) && previous.same_content(node));
    let (version, since) = match same {
        Some(previous) => (previous.version, previous.since()),
        None => (highest.saturating_add(1), Some(started)),
    };
    node.version = version;
    node.set_since(since)
}

fn node(entry: &Entry, kind: NodeKind, metadata: Metadata, version: u32) -> Node {
    Node { name: entry.name.clone(), kind, metadata, version, flags: Flags::NONE, extra: Extra::new() }
}

fn special_kind(kind: &EntryKind) -> NodeKind {
    match kind {
        EntryKind::Symlink(target) => NodeKind::Symlink(target.clone()),
        EntryKind::Fifo => NodeKind::Fifo,
        EntryKind::Socket => NodeKind::Socket,
        EntryKind::CharDevice(major, minor) => NodeKind::CharDevice(*major, *minor),
        EntryKind::BlockDevice(major, minor) => NodeKind::BlockDevice(*major, *minor),
        EntryKind::File => NodeKind::File(Recipe::EMPTY),
        EntryKind::Folder => NodeKind::Folder(Recipe::EMPTY),
    }
}

/// Where events come from: a walk, with events that were looked at before.
pub(super) trait WalkSteps {
    /// The next event.
    fn next_event(&mut self) -> Option<Event>;
    /// Entries left out so far.
    fn excluded(&self) -> u64;
}

/// A walk whose first events were looked at.
pub(super) struct Begun {
    walk: Walk,
    first: std::collections::VecDeque<Event>,
}

impl Begun {
    /// Looks at the first two events of a walk: enough to tell an empty folder.
    pub fn new(mut walk: Walk) -> Self {
        let first = walk.by_ref().take(2).collect();
        Self { walk, first }
    }

    /// Whether the source is a folder with nothing in it, not even something that was left out.
    pub fn is_empty(&self) -> bool {
        matches!((self.first.front(), self.first.get(1)), (Some(Event::Enter(_)), Some(Event::Leave)))
            && self.walk.excluded() == 0
    }
}

impl WalkSteps for Begun {
    fn next_event(&mut self) -> Option<Event> {
        self.first.pop_front().or_else(|| self.walk.next())
    }

    fn excluded(&self) -> u64 {
        self.walk.excluded()
    }
}
