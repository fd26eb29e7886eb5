//! One side of a comparison: a stored tree or a folder of this machine, as one stream of paths.

use std::collections::VecDeque;
use std::path::PathBuf;

use crate::error::Error;
use crate::format::recipe::Recipe;
use crate::format::record::Extra;
use crate::format::tree::{Flags, Metadata, Node, NodeKind};
use crate::paths;
use crate::replicate::Fetcher;
use crate::report::{Problem, ProblemKind};
use crate::seal::Keys;
use crate::snapshot::{ReadError, TreeWalk, holds};
use crate::source::{DeviceOrdinals, Entry, EntryKind, Event, OpenError, Owners, SourceFile, Stat, Walk, metadata};

/// What a side has at a path.
pub(super) struct Thing {
    pub node: Node,
    /// Where it is, if it is on this machine; then the recipe of its node has a size and no parts.
    pub live: Option<LiveFile>,
}

/// An entry of this machine, as it was when it was looked at.
pub(super) struct LiveFile {
    pub path: PathBuf,
    pub stat: Stat,
}

impl Thing {
    /// Whether it stands for what could not be read when it was backed up.
    pub fn is_unread(&self) -> bool {
        self.node.flags.contains(Flags::UNREAD)
    }

    /// Whether both are the same stored folder.
    pub fn is_same_tree(&self, other: &Thing) -> bool {
        let stored = |thing: &Thing| thing.live.is_none().then(|| thing.node.folder().cloned()).flatten();
        stored(self).is_some_and(|recipe| stored(other) == Some(recipe))
    }

    /// Whether owner, mode, times and attributes are the same. What a restore cannot give back is not compared.
    pub fn has_same_metadata(&self, other: &Thing) -> bool {
        let compared = |metadata: &Metadata| Metadata {
            ctime: Default::default(),
            inode: 0,
            links: 0,
            device: 0,
            ..metadata.clone()
        };
        compared(&self.node.metadata) == compared(&other.node.metadata)
    }
}

type Step = Result<(Vec<u8>, Thing), Problem>;

/// A stream of paths below a root, which comes first as the empty path.
pub(super) enum Side<'a> {
    /// What is stored.
    Stored { root: Option<Box<Node>>, walk: Option<TreeWalk<'a>> },
    /// What is on this machine.
    Live(Box<LiveSide>),
}

impl<'a> Side<'a> {
    pub fn stored(fetcher: &'a Fetcher<'a>, root: Node) -> Self {
        let walk = root.folder().map(|recipe| TreeWalk::new(fetcher, recipe));
        Side::Stored { root: Some(Box::new(root)), walk }
    }

    pub fn live(walk: Walk) -> Self {
        Side::Live(Box::new(LiveSide {
            walk,
            path: Vec::new(),
            ends: Vec::new(),
            devices: DeviceOrdinals::default(),
            owners: Owners::default(),
            problems: VecDeque::new(),
        }))
    }

    /// A side that has nothing at all.
    pub fn nothing() -> Self {
        Side::Stored { root: None, walk: None }
    }

    /// The next path, or what cannot be read.
    pub fn next(&mut self) -> Option<Step> {
        match self {
            Side::Live(side) => side.next(),
            Side::Stored { root, walk } => {
                if let Some(node) = root.take() {
                    return Some(Ok((Vec::new(), Thing { node: *node, live: None })));
                }
                let (path, node) = walk.as_mut()?.next()?;
                Some(match node {
                    Ok(node) => Ok((path, Thing { node, live: None })),
                    Err(error) => Err(unreadable(&path, &error)),
                })
            }
        }
    }

    /// Leaves out what is in the folder that came last.
    pub fn skip_folder(&mut self) {
        if let Side::Stored { walk: Some(walk), .. } = self {
            walk.skip_folder();
        }
    }
}

fn unreadable(path: &[u8], error: &ReadError) -> Problem {
    let detail = format!("what was stored of it cannot be read: {error}");
    Problem { path: paths::from_bytes(path), kind: ProblemKind::Damaged, detail }
}

/// A walk of this machine.
pub(super) struct LiveSide {
    walk: Walk,
    /// Path below the root of the innermost folder, and the lengths of those around it.
    path: Vec<u8>,
    ends: Vec<usize>,
    devices: DeviceOrdinals,
    owners: Owners,
    problems: VecDeque<Problem>,
}

impl LiveSide {
    fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(problem) = self.problems.pop_front() {
                return Some(Err(problem));
            }
            match self.walk.next()? {
                Event::Enter(entry) => {
                    let path = self.path_of(&entry.name);
                    self.ends.push(self.path.len());
                    self.path = path.clone();
                    return Some(Ok((path, self.thing(&entry))));
                }
                Event::Leave => {
                    let end = self.ends.pop().unwrap_or(0);
                    self.path.truncate(end);
                }
                Event::Leaf(entry) => return Some(Ok((self.path_of(&entry.name), self.thing(&entry)))),
                Event::Unreadable { problem, .. } | Event::Problem(problem) => return Some(Err(problem)),
                // Only a walk of changes gives these.
                Event::Pass(_) | Event::Beside(_) | Event::Gone { .. } => {}
            }
        }
    }

    fn path_of(&self, name: &[u8]) -> Vec<u8> {
        crate::snapshot::versions::join(&self.path, name)
    }

    fn thing(&mut self, entry: &Entry) -> Thing {
        let (metadata, problem) = metadata(&entry.path, entry, &mut self.devices, &self.owners);
        self.problems.extend(problem);
        let kind = match &entry.kind {
            EntryKind::File => NodeKind::File(Recipe { size: entry.stat.size, ..Recipe::EMPTY }),
            kind => kind.to_node(),
        };
        let node =
            Node { name: entry.name.clone(), kind, metadata, version: 0, flags: Flags::NONE, extra: Extra::new() };
        Thing { node, live: Some(LiveFile { path: entry.path.clone(), stat: entry.stat }) }
    }
}

/// Whether a stored file and one of this machine have the same bytes; or why that cannot be told.
pub(super) fn is_same_file(
    fetcher: &Fetcher<'_>,
    keys: &Keys,
    stored: &Node,
    live: &LiveFile,
) -> Result<Result<bool, Problem>, Error> {
    let NodeKind::File(recipe) = &stored.kind else { return Ok(Ok(false)) };
    let opened = match SourceFile::open(&live.path, &live.stat) {
        Ok(opened) => opened,
        Err(OpenError::Replaced(opened)) => *opened,
        Err(error) => return Ok(Err(error.problem(&live.path))),
    };
    Ok(Ok(holds(fetcher, keys, recipe, &mut opened.into_file())?))
}
