//! A walk on a thread of its own: while the scan compares entries, the next ones are looked at.

use crossbeam_channel::{Receiver, Sender, bounded};

use super::begun::WalkSteps;
use crate::source::Event;

/// Events that change threads together, and such batches that wait: some 300 KiB in all.
const EVENTS: usize = 128;
const BATCHES_WAITING: usize = 4;

/// Events, and how many entries the walk had left out after them.
struct Looked {
    events: Vec<Event>,
    excluded: u64,
}

/// What the thread of the walk gives its events to.
pub(super) struct Ahead(Sender<Looked>);

/// What it gave, for the scan.
pub(super) struct Behind {
    looked: Receiver<Looked>,
    events: std::vec::IntoIter<Event>,
    excluded: u64,
}

/// Both ends.
pub(super) fn ahead() -> (Ahead, Behind) {
    let (give, looked) = bounded(BATCHES_WAITING);
    (Ahead(give), Behind { looked, events: Vec::new().into_iter(), excluded: 0 })
}

impl Ahead {
    /// Walks to the end, or until nobody wants more. A walk that ends by a panic looks like one that is done: whoever
    /// started the thread has to ask for its end before anything is believed of it.
    pub fn run(self, walk: &mut dyn WalkSteps) {
        loop {
            let events: Vec<Event> = std::iter::from_fn(|| walk.next_event()).take(EVENTS).collect();
            let is_last = events.len() < EVENTS;
            if self.0.send(Looked { events, excluded: walk.excluded() }).is_err() || is_last {
                return;
            }
        }
    }
}

impl WalkSteps for Behind {
    fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.next() {
                return Some(event);
            }
            let looked = self.looked.recv().ok()?;
            self.excluded = looked.excluded;
            self.events = looked.events.into_iter();
        }
    }

    /// Nothing: the walk is elsewhere by now. Only where a walk goes after changes is that asked for.
    fn descend(&mut self) -> Option<Event> {
        None
    }

    fn excluded(&self) -> u64 {
        self.excluded
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::thread;

    use super::*;
    use crate::report::{Problem, ProblemKind};

    /// So many events, one entry left out before each.
    struct Numbers {
        next: usize,
        end: usize,
    }

    fn event(number: usize) -> Event {
        let (kind, detail) = (ProblemKind::Unreadable, String::new());
        Event::Problem(Problem { path: PathBuf::from(number.to_string()), kind, detail })
    }

    impl WalkSteps for Numbers {
        fn next_event(&mut self) -> Option<Event> {
            (self.next < self.end).then(|| {
                self.next += 1;
                event(self.next - 1)
            })
        }

        fn descend(&mut self) -> Option<Event> {
            None
        }

        fn excluded(&self) -> u64 {
            self.next as u64
        }
    }

    #[test]
    fn everything_comes_in_order_and_nothing_twice() {
        for end in [0, 1, EVENTS - 1, EVENTS, EVENTS + 1, EVENTS * (BATCHES_WAITING + 3) + 5] {
            let (give, mut behind) = ahead();
            thread::scope(|scope| {
                scope.spawn(move || give.run(&mut Numbers { next: 0, end }));
                let all: Vec<Event> = std::iter::from_fn(|| behind.next_event()).collect();
                assert_eq!(all, (0..end).map(event).collect::<Vec<_>>());
            });
            assert_eq!(behind.excluded(), end as u64);
        }
    }

    #[test]
    fn a_walk_that_nobody_wants_ends_and_is_never_far_ahead() {
        let (give, mut behind) = ahead();
        let mut walk = Numbers { next: 0, end: usize::MAX };
        thread::scope(|scope| {
            let walker = scope.spawn(|| give.run(&mut walk));
            assert_eq!(behind.next_event(), Some(event(0)));
            drop(behind);
            walker.join().expect("it ends");
        });
        assert!(walk.next <= EVENTS * (BATCHES_WAITING + 3), "{} were looked at for one", walk.next);
    }
}
