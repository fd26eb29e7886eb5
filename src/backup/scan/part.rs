//! A scan that looks only where something is known to have changed.
//!
//! What it is not told of stands: the node of a file as it is, the tree of a folder without being read. That holds only
//! where the previous tree can be read and lies whole on a destination within reach. Where it turns out that the changes do
//! not tell everything, the scan is unsure, and the source is read whole instead:
//!
//! - a folder that is passed is not the one of the previous snapshot;
//! - the previous tree cannot be read to its end;
//! - a file with several names changed: nobody told of the other names.

use super::{Frame, Scan};
use crate::backup::begun::WalkSteps;
use crate::backup::step::Step;
use crate::format::snapshot::RootCounts;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::snapshot::ReadError;
use crate::source::{Entry, has_same_metadata};

impl Scan<'_, '_> {
    /// A folder of which only some names follow.
    pub(super) fn pass(&mut self, entry: &Entry, previous: Option<Node>) -> Result<(), ReadError> {
        let is_the_same = previous.as_ref().is_some_and(|node| {
            let was_listed = [Flags::CARRIED, Flags::UNREAD].iter().all(|&flag| !node.flags.contains(flag));
            let is_known = node.folder().is_some() && was_listed;
            is_known && (self.context.policy.ignore_inode || node.metadata.inode == entry.stat.inode)
        });
        if !is_the_same {
            self.be_unsure();
        }
        self.enter(entry, previous, true)
    }

    /// A folder in a listed one that nothing was told of: it stands, unless it is another than it was.
    pub(super) fn beside(
        &mut self,
        entry: &Entry,
        previous: Option<Node>,
        walk: &mut dyn WalkSteps,
    ) -> Result<(), ReadError> {
        let is_the_same =
            |node: &Node| node.folder().is_some() && self.is_unchanged(node, entry) && has_same_metadata(node, entry);
        match previous {
            Some(node) if is_the_same(&node) => {
                self.stand(node);
                Ok(())
            }
            previous => match walk.descend() {
                Some(event) => self.met(event, previous, walk),
                None => previous.map_or(Ok(()), |gone| self.gone(&gone)),
            },
        }
    }

    /// A node of the previous tree that the walk did not name: gone, or not looked at.
    pub(super) fn not_named(&mut self, node: Node) -> Result<(), ReadError> {
        if self.frames.last().is_some_and(|frame: &Frame<'_>| frame.is_passed) {
            self.stand(node);
            return Ok(());
        }
        self.gone(&node)
    }

    fn stand(&mut self, node: Node) {
        let coverage = self.coverage();
        self.outcome.lacking |= coverage.reachable & !coverage.whole;
        let is_unmodified = matches!(node.kind, NodeKind::File(_));
        self.give_in_order(Step::Keep { node: Box::new(node), link: None, is_unmodified });
    }

    /// Ends a scan of changes: the source has to be read whole.
    pub(super) fn be_unsure(&mut self) {
        if self.context.is_part {
            self.outcome.is_unsure = true;
            self.is_wanted = false;
        }
    }

    /// The same where something has several names of which not all were told.
    pub(super) fn be_unsure_of_names(&mut self, links: u64) {
        if links > 1 {
            self.be_unsure();
        }
    }

    /// Counts a node of the previous tree in a folder that is looked into.
    pub(super) fn count_before(&mut self, node: &Node) {
        if !self.context.is_part {
            return;
        }
        let RootCounts { files, folders, others, bytes, problems, .. } = &mut self.outcome.before;
        // What has a flag had a problem.
        *problems += u64::from(node.flags != Flags::NONE);
        match node.kind {
            NodeKind::File(_) => {
                *files += 1;
                *bytes += node.size();
            }
            NodeKind::Folder(_) => *folders += 1,
            _ => *others += 1,
        }
    }
}
