//! What is not read in this run: the node of the last snapshot stands for it.

use super::Scan;
use crate::backup::step::{Step, unread};
use crate::format::tree::{Flags, Node};
use crate::report::{Problem, ProblemKind};
use crate::snapshot::ReadError;
use crate::source::Entry;

impl Scan<'_, '_> {
    /// Does not read a file now: it stays as the last snapshot has it, or is not there yet. False where what the last one
    /// has is out of reach: then there is nothing that could stand for it.
    pub(super) fn leave_for_later(&mut self, previous: Option<&Node>) -> Result<bool, ReadError> {
        let Some(previous) = previous else { return Ok(true) };
        let Some(node) = self.carried(previous)? else { return Ok(false) };
        self.differ();
        self.give(Step::Keep { node: Box::new(node), link: None, is_unmodified: false });
        Ok(true)
    }

    /// The previous node, to stand for what is not read in this run; none where its content is out of reach.
    fn carried(&mut self, previous: &Node) -> Result<Option<Node>, ReadError> {
        let Some(lacking) = self.coverage().lacking_below(self.context.fetcher, previous)? else { return Ok(None) };
        self.outcome.lacking |= lacking;
        Ok(Some(Node { flags: previous.flags.with(Flags::CARRIED), ..previous.clone() }))
    }

    /// The previous node stands for what cannot be read, so that it does not look deleted.
    pub(super) fn unreadable(
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
        let carried = match &previous {
            Some(previous) => self.carried(previous)?,
            None => None,
        };
        let node = match (previous, carried) {
            (_, Some(carried)) => carried,
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
