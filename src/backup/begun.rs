//! A walk of which the first steps were looked at, to tell a source that is suddenly empty.

use std::collections::VecDeque;

use crate::paths;
use crate::source::{Entry, EntryKind, Event, Walk};

/// Where events come from: a walk, with events that were looked at before.
pub(super) trait WalkSteps {
    /// The next event.
    fn next_event(&mut self) -> Option<Event>;
    /// Enters the folder that was given last as one beside a change.
    fn descend(&mut self) -> Option<Event>;
    /// Entries left out so far.
    fn excluded(&self) -> u64;
}

/// A walk whose first events were looked at.
pub(super) struct Begun {
    walk: Walk,
    first: VecDeque<Event>,
}

impl Begun {
    /// Looks at the first two events of a walk: enough to tell an empty folder.
    pub fn new(mut walk: Walk) -> Self {
        let first = walk.by_ref().take(2).collect();
        Self { walk, first }
    }

    /// A walk of changes, which is not looked at: what is gone was seen going.
    pub fn of_changes(walk: Walk) -> Self {
        Self { walk, first: VecDeque::new() }
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

    fn descend(&mut self) -> Option<Event> {
        self.walk.descend()
    }

    fn excluded(&self) -> u64 {
        self.walk.excluded()
    }
}

/// Why a source is not read that the last snapshot has as a folder: all of it would look deleted.
pub(super) fn no_folder_any_more(entry: &Entry) -> String {
    let path = entry.path.display();
    match &entry.kind {
        EntryKind::Symlink(target) => {
            let target = paths::from_bytes(target);
            let target = target.display();
            format!(
                "the source {path} was a folder in the last snapshot and is a link to {target} now, which is not \
                 followed: is that the folder to back up? If it really is a link now, run `cryptbackup backup --force` once"
            )
        }
        _ => format!(
            "the source {path} was a folder in the last snapshot and is none any more: was it moved? If it really is \
             none now, run `cryptbackup backup --force` once"
        ),
    }
}
