//! What the previous tree has and the source has not any more: its numbers are retired.

use super::Scan;
use crate::backup::guard::Fingerprint;
use crate::backup::step::Step;
use crate::format::tree::Node;
use crate::snapshot::versions::join;
use crate::snapshot::{ReadError, TreeWalk, path_hash};

impl Scan<'_, '_> {
    pub(super) fn gone(&mut self, node: &Node) -> Result<(), ReadError> {
        self.differ();
        let path = self.path_of(&node.name);
        self.retire_below(&path, node)
    }

    pub(super) fn retire_below(&mut self, path: &[u8], node: &Node) -> Result<(), ReadError> {
        let Some(recipe) = node.folder() else {
            self.retire(path, node);
            return Ok(());
        };
        for (below, gone) in TreeWalk::new(self.context.fetcher, recipe) {
            match gone {
                Ok(gone) => {
                    self.count_before(&gone);
                    self.retire(&join(path, &below), &gone);
                }
                Err(ReadError::Index(error)) => return Err(error.into()),
                // What cannot be read cannot be numbered again by mistake either: its snapshots count when it comes back.
                Err(_) => {
                    self.be_unsure();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn retire(&mut self, path: &[u8], gone: &Node) {
        if gone.folder().is_none() {
            self.be_unsure_of_names(gone.metadata.links);
            let hash = path_hash(&self.context.root, path);
            self.give(Step::Retire(hash, gone.version, Fingerprint::of_node(gone)));
        }
    }
}
