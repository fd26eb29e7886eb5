//! Inodes with several names: their content is read once.

use std::collections::HashSet;

use crate::format::recipe::Recipe;
use crate::format::record::Time;
use crate::format::tree::{Metadata, Node, NodeKind};
use crate::source::{FolderIdentity, Stat};

/// Content of an inode with several names, and what the inode was like when it was read.
pub(super) struct Linked {
    /// Its content.
    pub recipe: Recipe,
    /// What its stat said when it was read.
    pub size: u64,
    /// When it was written last.
    pub mtime: Time,
    /// When anything of it changed last.
    pub ctime: Time,
    /// Whether it stayed the same while it was read.
    pub is_settled: bool,
}

impl Linked {
    /// What an unchanged node says; none where it is no file.
    pub fn of_node(node: &Node) -> Option<Self> {
        let NodeKind::File(recipe) = &node.kind else { return None };
        let Metadata { mtime, ctime, .. } = node.metadata;
        Some(Self { recipe: recipe.clone(), size: recipe.size, mtime, ctime, is_settled: true })
    }

    /// Whether another name, with this stat, has this content and nothing happened to it meanwhile.
    pub fn is_still(&self, stat: &Stat) -> bool {
        self.is_settled && (self.size, self.mtime, self.ctime) == (stat.size, stat.mtime, stat.ctime)
    }
}

/// The inodes whose names are matched with each other: those met first, up to a number, so that memory does not grow with
/// the source. Of the others nobody has to know the content.
pub(super) struct Matched {
    inodes: HashSet<FolderIdentity>,
    most: usize,
}

impl Matched {
    /// None yet, and so many at most.
    pub fn new(most: usize) -> Self {
        Self { inodes: HashSet::new(), most }
    }

    /// Whether a name of an inode was met, and is matched.
    pub fn has(&self, inode: &FolderIdentity) -> bool {
        self.inodes.contains(inode)
    }

    /// Meets a name of an inode; false where its names are not matched.
    pub fn take(&mut self, inode: FolderIdentity) -> bool {
        self.has(&inode) || self.inodes.len() < self.most && self.inodes.insert(inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inodes_beyond_the_limit_are_not_matched_and_those_within_stay_so() {
        let inode = |inode| FolderIdentity { dev: 1, inode };
        let mut matched = Matched::new(3);
        let taken: Vec<bool> = [1, 2, 1, 3, 4, 2, 4, 5, 3].into_iter().map(|id| matched.take(inode(id))).collect();
        assert_eq!(taken, [true, true, true, true, false, true, false, false, true]);
        assert!(matched.has(&inode(3)) && !matched.has(&inode(4)));
    }
}
