//! A run of a writer, W1 to W8.

use crate::rules::{Rule, Setup};
use crate::world::{Actor, Gc, Label, Set, Steps, World, only};

/// What a writer does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// W1: introduces itself.
    Join,
    /// W1: lists `gc/`, where that may show that it is a copy of another.
    Notice,
    /// W1: introduces itself as a writer of its own.
    Part,
    /// W1: lists `writers/`.
    ListWriters,
    /// W1: without [`Rule::WritersWait`], introduces itself afterwards.
    JoinLate,
    /// W2: puts a session.
    PutSession,
    /// W2: lists `gc/` until it shows.
    WaitSession,
    /// W3: lists packs.
    ListPacks,
    /// W4: puts what no present pack holds.
    Store,
    /// W5: lists `gc/`.
    Look,
    /// W5: lists packs.
    LookFirstAtPacks,
    /// W5: puts what was condemned since.
    Rescue,
    /// W6: puts the snapshot.
    PutSnapshot,
    /// W7: lists `gc/`.
    LookAgain,
    /// W7: lists packs. W8: acknowledges.
    LookAtPacks,
    /// W7: without [`Rule::LookOrder`], lists `gc/` afterwards.
    LookLate,
    /// W7: puts what can still be read, or withdraws the snapshot.
    RescueAgain,
    /// W8.
    Done,
}

/// A writer that makes one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Writer {
    /// The chunks that its snapshot is going to need.
    pub needs: Set,
    at: At,
    /// Whether it saw no other writer, and nothing of one since.
    is_alone: bool,
    /// Packs that others have condemned, as far as it knows.
    condemned: Set,
    /// Packs that it relies on.
    present: Set,
    /// The snapshot it has put, as a set.
    snapshot: Set,
    /// Whether it slept through the grace since its first look, W2.
    dozed: bool,
    /// Whether it slept through the grace since its look before the snapshot, W5.
    slept: bool,
}

impl Writer {
    /// A writer before its run.
    pub fn new(needs: Set) -> Self {
        Self { needs, at: At::Join, is_alone: false, condemned: 0, present: 0, snapshot: 0, dozed: false, slept: false }
    }

    /// The packs it thinks of.
    pub fn packs(&self) -> Set {
        self.condemned | self.present
    }

    /// The snapshots it thinks of.
    pub fn snapshots(&self) -> Set {
        self.snapshot
    }

    /// Whether there is something in its memory to lose.
    pub fn is_at_work(&self) -> bool {
        !matches!(self.at, At::Join | At::Done)
    }

    /// Whether its snapshot was acknowledged.
    pub fn is_done(&self) -> bool {
        self.at == At::Done
    }

    /// The grace passes. Returns the snapshot that it has put and not looked at.
    pub fn sleep(&mut self) -> Set {
        let is_before = matches!(self.at, At::Join | At::Notice | At::Part | At::ListWriters | At::JoinLate);
        self.dozed |= !is_before && !matches!(self.at, At::PutSession | At::WaitSession);
        self.slept |= matches!(
            self.at,
            At::LookFirstAtPacks
                | At::Rescue
                | At::PutSnapshot
                | At::LookAgain
                | At::LookAtPacks
                | At::LookLate
                | At::RescueAgain
        );
        self.snapshot
    }

    /// The worlds one step of this writer further.
    pub fn steps(self, world: &World, setup: &Setup, me: usize) -> Steps {
        match self.at {
            At::Join if setup.is_copy(world.now.writers, me) => Self { at: At::Notice, ..self }.notice(world, me),
            At::Notice | At::Part => self.notice(world, me),
            At::Join | At::ListWriters | At::JoinLate => self.join(world, setup, me),
            At::PutSession | At::WaitSession => self.begin(world, setup, me),
            At::ListPacks | At::Store => self.store(world, setup, me),
            At::Look | At::LookFirstAtPacks => self.look(world, setup, me),
            At::Rescue | At::PutSnapshot => self.commit(world, setup, me),
            At::LookAgain | At::LookAtPacks | At::LookLate => self.look_again(world, setup, me),
            At::RescueAgain => self.rescue_again(world, setup, me),
            At::Done => Vec::new(),
        }
    }

    /// The world when this writer has become `next`.
    fn becomes(next: Self, mut world: World, me: usize, what: &'static str, stale: bool) -> (Label, World) {
        world.actors[me] = Actor::Writer(next);
        (Label { actor: Some(me), what, stale }, world)
    }

    fn notice(self, world: &World, me: usize) -> Steps {
        if self.at == At::Part {
            let mut world = *world;
            world.change(|disk| disk.writers |= only(me));
            let next = Self { at: At::ListWriters, ..self };
            return vec![Self::becomes(next, world, me, "W1 puts a record of its own", false)];
        }
        let mut steps = Vec::new();
        for (stale, gc) in world.listings(|disk| disk.gc) {
            let at = if gc.is_quiet_beside(me) { At::ListWriters } else { At::Part };
            steps.push(Self::becomes(Self { at, ..self }, *world, me, "W1 lists gc", stale));
        }
        steps
    }

    fn join(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let is_new = !setup.are_twins && world.now.writers & only(me) == 0;
        let waits = setup.keeps(Rule::WritersWait);
        if self.at == At::Join && (!is_new || !waits) {
            return Self { at: At::ListWriters, ..self }.join(world, setup, me);
        }
        if self.at != At::ListWriters {
            let mut world = *world;
            world.change(|disk| disk.writers |= only(me));
            let at = if self.at == At::Join { At::ListWriters } else { self.after_writers() };
            return vec![Self::becomes(Self { at, ..self }, world, me, "W1 puts its record", false)];
        }
        let mut steps = Vec::new();
        for (stale, writers) in world.listings(|disk| disk.writers) {
            if waits && writers & only(me) == 0 && !setup.is_copy(world.now.writers, me) {
                continue;
            }
            let next = Self { is_alone: setup.others(writers, me) == 0, ..self };
            let at = if is_new { At::JoinLate } else { next.after_writers() };
            let at = if !setup.keeps(Rule::SessionWait) && at == At::PutSession { At::WaitSession } else { at };
            steps.push(Self::becomes(Self { at, ..next }, *world, me, "W1 lists writers", stale));
        }
        steps
    }

    fn after_writers(self) -> At {
        if self.is_alone { At::ListPacks } else { At::PutSession }
    }

    fn begin(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let waits = setup.keeps(Rule::SessionWait);
        if self.at == At::PutSession {
            let mut world = *world;
            world.put_session(me);
            let at = if waits { At::WaitSession } else { At::ListPacks };
            return vec![Self::becomes(Self { at, ..self }, world, me, "W2 puts a session", false)];
        }
        let mut steps = Vec::new();
        for (stale, gc) in world.listings(|disk| disk.gc) {
            let shows = gc.sessions & only(me) != 0 && (gc.turns ^ world.now.gc.turns) & only(me) == 0;
            if waits && !shows {
                continue;
            }
            let condemned = if setup.keeps(Rule::SessionLook) { gc.condemned_by_others(me) } else { 0 };
            let at = if waits { At::ListPacks } else { At::PutSession };
            let next = Self { at, condemned, ..self };
            steps.push(Self::becomes(next, *world, me, "W2 looks at what is condemned", stale));
        }
        steps
    }

    fn store(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let after = if setup.keeps(Rule::FirstLook) { At::Look } else { At::PutSnapshot };
        if self.at == At::Store {
            let mut world = *world;
            let pack = world.put_pack(self.needs & !world.held(self.present));
            let next = Self { at: after, present: self.present | only(pack), ..self };
            return vec![Self::becomes(next, world, me, "W4 stores what is not there", false)];
        }
        let mut steps = Vec::new();
        for (stale, packs) in world.listings(|disk| disk.packs) {
            let present = packs & !self.condemned;
            let at = if self.needs & !world.held(present) == 0 { after } else { At::Store };
            let next = Self { at, present, condemned: 0, ..self };
            steps.push(Self::becomes(next, *world, me, "W3 lists packs", stale));
        }
        steps
    }

    fn look(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let judged = |present: Set| {
            let at = if self.needs & !world.held(present) == 0 { At::PutSnapshot } else { At::Rescue };
            Self { at, present, condemned: 0, ..self }
        };
        let mut steps = Vec::new();
        if self.at == At::LookFirstAtPacks {
            for (stale, packs) in world.listings(|disk| disk.packs) {
                steps.push(Self::becomes(judged(packs & !self.condemned), *world, me, "W5 lists packs", stale));
            }
            return steps;
        }
        for (stale, gc) in world.listings(|disk| disk.gc) {
            let condemned = gc.condemned_by_others(me);
            let next = if self.is_alone && gc.is_quiet_beside(me) {
                judged(self.present)
            } else if setup.keeps(Rule::FirstLookAtPacks) {
                Self { at: At::LookFirstAtPacks, is_alone: false, condemned, present: 0, ..self }
            } else {
                judged(self.present & !condemned)
            };
            steps.push(Self::becomes(next, *world, me, "W5 looks at what is condemned", stale));
        }
        steps
    }

    /// Whether the source has to be read again for chunks that were thought to be there, though it did not sleep.
    fn lost(&self, world: &World) -> bool {
        self.needs & !world.held(self.present | world.now.packs) != 0 && !self.dozed
    }

    fn commit(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut changed = *world;
        match self.at {
            At::Rescue => {
                changed.read_again |= self.lost(world);
                let pack = changed.put_pack(self.needs & !world.held(self.present));
                let next = Self { at: At::PutSnapshot, present: self.present | only(pack), ..self };
                vec![Self::becomes(next, changed, me, "W5 stores again what is condemned", false)]
            }
            _ => {
                let snapshot = only(changed.put_snapshot(self.needs));
                if self.slept {
                    changed.late |= snapshot;
                }
                if !setup.keeps(Rule::SecondLook) {
                    return vec![self.acknowledge(
                        changed,
                        me,
                        snapshot,
                        "W6 puts the snapshot, W8 acknowledges it",
                        false,
                    )];
                }
                let at = if setup.keeps(Rule::LookOrder) { At::LookAgain } else { At::LookAtPacks };
                let present = if self.is_alone { self.present } else { 0 };
                let next = Self { at, snapshot, present, ..self };
                vec![Self::becomes(next, changed, me, "W6 puts the snapshot", false)]
            }
        }
    }

    fn acknowledge(
        self,
        mut world: World,
        me: usize,
        snapshot: Set,
        what: &'static str,
        stale: bool,
    ) -> (Label, World) {
        world.acknowledged |= snapshot;
        Self::becomes(Self { at: At::Done, ..Self::new(self.needs) }, world, me, what, stale)
    }

    fn look_again(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let keeps_order = setup.keeps(Rule::LookOrder);
        let is_last = (self.at == At::LookAtPacks) == keeps_order;
        let judge = |next: Self, present: Set, what, stale| {
            if !is_last {
                Self::becomes(next, *world, me, what, stale)
            } else if self.needs & !world.held(present) == 0 {
                self.acknowledge(*world, me, self.snapshot, what, stale)
            } else {
                Self::becomes(Self { at: At::RescueAgain, condemned: 0, present, ..self }, *world, me, what, stale)
            }
        };
        if self.at == At::LookAtPacks {
            let look = |(stale, packs): (bool, Set)| {
                let next = Self { at: At::LookLate, present: packs, ..self };
                judge(next, packs & !self.condemned, "W7 lists packs", stale)
            };
            return world.listings(|disk| disk.packs).into_iter().map(look).collect();
        }
        let look = |(stale, gc): (bool, Gc)| {
            if self.is_alone && gc.is_quiet_beside(me) {
                return self.acknowledge(*world, me, self.snapshot, "W7 sees nobody, W8 acknowledges", stale);
            }
            let condemned = gc.condemned_by_others(me);
            let next = Self { at: At::LookAtPacks, is_alone: false, condemned, ..self };
            judge(next, self.present & !condemned, "W7 looks at what is condemned", stale)
        };
        world.listings(|disk| disk.gc).into_iter().map(look).collect()
    }

    fn rescue_again(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut changed = *world;
        let missing = self.needs & !world.held(self.present);
        // Beside a cleaner that never waits this would have no end: after a few times it begins again, here at once.
        let is_worth_it = !setup.is_copy(world.now.writers, me);
        if is_worth_it && missing & !world.held(world.now.packs) == 0 {
            changed.put_pack(missing);
            let at = if setup.keeps(Rule::LookOrder) { At::LookAgain } else { At::LookAtPacks };
            let next = Self { at, present: 0, ..self };
            return vec![Self::becomes(next, changed, me, "W7 rescues what is condemned", false)];
        }
        changed.read_again |= self.lost(world);
        if !setup.keeps(Rule::Withdrawal) {
            return vec![self.acknowledge(changed, me, self.snapshot, "W8 acknowledges", false)];
        }
        changed.change(|disk| disk.forgotten |= self.snapshot);
        let at = if setup.is_copy(world.now.writers, me) { At::Notice } else { At::ListWriters };
        let next = Self { at, ..Self::new(self.needs) };
        vec![Self::becomes(next, changed, me, "W7 withdraws the snapshot", false)]
    }
}
