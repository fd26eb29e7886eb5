//! Inodes with several names: their content is read once.

use crate::format::recipe::Recipe;
use crate::format::record::Time;
use crate::format::tree::{Metadata, Node, NodeKind};
use crate::source::Stat;

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
