//! What is held back of folders that look the same as in the previous snapshot: most of them are so to their end, and
//! then only their sum goes through the pipeline.

use std::collections::HashMap;

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
    pub links: HashMap<FolderIdentity, Linked>,
}

impl SameFolder {
    fn new(node: Node) -> Self {
        let version_ceiling = node.version;
        Self { node, folders: 1, files: 0, bytes: 0, others: 0, version_ceiling, links: HashMap::new() }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::record::Extra;
    use crate::format::tree::{Flags, Metadata};

    fn node(kind: NodeKind) -> Node {
        let (metadata, flags, extra) = (Metadata::default(), Flags::NONE, Extra::new());
        Node { name: b"a".to_vec(), kind, metadata, version: 1, flags, extra }
    }

    #[test]
    fn an_inode_is_there_once_however_many_names_it_has() {
        let inode = FolderIdentity { dev: 1, inode: 7 };
        let mut held = Held::default();
        for _ in 0..3 {
            let at = held.push(Step::Enter(node(NodeKind::Folder(Recipe::EMPTY))));
            for _ in 0..500 {
                let node = Box::new(node(NodeKind::File(Recipe::EMPTY)));
                held.push(Step::Keep { node, link: Some(inode), is_unmodified: true });
            }
            let inner = held.collapse(at, Recipe::EMPTY).expect("a folder");
            assert_eq!((inner.files, inner.links.len()), (500, 1));
            held.push(Step::Same(Box::new(inner)));
        }
        let mut outer = SameFolder::new(node(NodeKind::Folder(Recipe::EMPTY)));
        held.take().into_iter().for_each(|step| outer.add(step));
        assert_eq!((outer.files, outer.folders, outer.links.len()), (1_500, 4, 1));
    }
}
