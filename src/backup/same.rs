//! What is held back of folders that look the same as in the previous snapshot: most of them are so to their end, and
//! then only their sum goes through the pipeline.

use super::linked::Linked;
use super::step::Step;
use crate::format::recipe::Recipe;
use crate::format::tree::{Node, NodeKind};
use crate::source::FolderIdentity;

/// Steps that are held back at most. What is in a larger folder goes through one by one.
const HELD_MAX: usize = 4096;

/// A folder in which nothing differs from the previous snapshot, with all folders in it.
pub(super) struct SameFolder {
    /// Its node, with the stream it had.
    pub node: Node,
    /// Folders in it, itself among them.
    pub folders: u64,
    /// Regular files in it.
    pub files: u64,
    /// Their sizes together.
    pub bytes: u64,
    /// What is neither.
    pub others: u64,
    /// The highest number in it.
    pub version_ceiling: u32,
    /// The inodes in it that have several names, with their content.
    pub links: Vec<(FolderIdentity, Linked)>,
}

impl SameFolder {
    fn new(node: Node) -> Self {
        let version_ceiling = node.version;
        Self { node, folders: 1, files: 0, bytes: 0, others: 0, version_ceiling, links: Vec::new() }
    }

    fn add(&mut self, step: Step) {
        match step {
            Step::Keep { node, link, .. } => self.keep(&node, link),
            Step::Same(folder) => {
                self.folders += folder.folders;
                self.files += folder.files;
                self.bytes += folder.bytes;
                self.others += folder.others;
                self.version_ceiling = self.version_ceiling.max(folder.version_ceiling);
                self.links.extend(folder.links);
            }
            // Nothing else is held back between the beginning and the end of a folder.
            _ => {}
        }
    }

    fn keep(&mut self, node: &Node, link: Option<FolderIdentity>) {
        self.version_ceiling = self.version_ceiling.max(node.version);
        match node.kind {
            NodeKind::File(_) => {
                self.files += 1;
                self.bytes += node.size();
            }
            // One that was not looked into.
            NodeKind::Folder(_) => self.folders += 1,
            _ => self.others += 1,
        }
        self.links.extend(link.and_then(|link| Some((link, Linked::of_node(node)?))));
    }
}

/// Steps that are held back, in their order: beginnings of folders that are not left, and what is in them.
#[derive(Default)]
pub(super) struct Held {
    steps: Vec<Step>,
}

impl Held {
    /// Holds a step back, and says where it stands.
    pub fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Whether no more should be held back.
    pub fn is_full(&self) -> bool {
        self.steps.len() >= HELD_MAX
    }

    /// Everything, in its order, for the steps that cannot be told by their sum.
    pub fn take(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.steps)
    }

    /// The sum of a folder that began at a place; none where no folder did.
    pub fn collapse(&mut self, from: usize, recipe: Recipe) -> Option<SameFolder> {
        let mut steps = self.steps.drain(from..);
        let Some(Step::Enter(mut node)) = steps.next() else { return None };
        node.kind = NodeKind::Folder(recipe);
        let mut folder = SameFolder::new(node);
        steps.for_each(|step| folder.add(step));
        Some(folder)
    }
}
