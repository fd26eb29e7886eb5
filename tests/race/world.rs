//! What there is on the destination, what listings of it show, and the moves that change it.

use crate::cleaner::Cleaner;
use crate::rules::Setup;
use crate::writer::Writer;

/// A set of packs, snapshots, chunks or actors: bit n is the nth.
pub type Set = u8;

/// How many packs there can be at once, dead ones and those somebody still thinks of included.
pub const PACKS: usize = 8;
/// How many snapshots, in the same way.
pub const SNAPSHOTS: usize = 8;
/// How many actors there can be.
pub const ACTORS: usize = 2;
/// How many condemned lists a cleaner can have at once.
pub const LISTS: usize = 2;

/// A set of one.
pub fn only(index: usize) -> Set {
    1 << index
}

/// The members of a set.
pub fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..8).filter(move |&index| set & only(index) != 0)
}

/// A condemned list; without packs it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct List {
    pub packs: Set,
    /// Whether the grace has passed since.
    pub is_ripe: bool,
}

/// The folder `gc/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Gc {
    pub lists: [[List; LISTS]; ACTORS],
    /// Who has a session.
    pub sessions: Set,
    /// Turned with every session an actor puts, so that it can tell the newest from the one before.
    pub turns: Set,
}

impl Gc {
    /// Whether nobody but `actor` said anything.
    pub fn is_quiet_beside(&self, actor: usize) -> bool {
        self.sessions & !only(actor) == 0 && self.condemned_by_others(actor) == 0
    }

    /// The packs that anybody but `actor` has condemned.
    pub fn condemned_by_others(&self, actor: usize) -> Set {
        let others = self.lists.iter().enumerate().filter(|(owner, _)| *owner != actor);
        others.flat_map(|(_, lists)| lists).fold(0, |packs, list| packs | list.packs)
    }
}

/// The folders of the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Disk {
    pub writers: Set,
    pub packs: Set,
    pub snapshots: Set,
    /// The snapshots with a mark that says they are forgotten.
    pub forgotten: Set,
    pub gc: Gc,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    Nobody,
    Writer(Writer),
    Cleaner(Cleaner),
}

impl Actor {
    fn is_writer(&self) -> bool {
        matches!(self, Self::Writer(_))
    }

    /// Whether it cleans.
    pub fn is_cleaner(&self) -> bool {
        matches!(self, Self::Cleaner(_))
    }

    /// Whether it is in the middle of a run.
    pub fn is_at_work(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Writer(writer) => writer.is_at_work(),
            Self::Cleaner(cleaner) => cleaner.is_at_work(),
        }
    }
}

/// What can be wrong with a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// A snapshot that was acknowledged and is not forgotten is not there, or needs a chunk that no pack holds.
    Lost,
    /// The same of one that was not acknowledged, though its writer did not sleep between its looks.
    Broken,
    /// A writer that did not sleep has to read its source again, for a chunk that it thought was there.
    ReadAgain,
}

/// Everything: what is on the destination, and where everybody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct World {
    pub now: Disk,
    /// What a listing may show instead: the state before the last change.
    pub before: Disk,
    /// The chunks in each pack.
    pub chunks: [Set; PACKS],
    /// The chunks each snapshot needs.
    pub needs: [Set; SNAPSHOTS],
    /// The snapshots that were acknowledged.
    pub acknowledged: Set,
    /// The snapshots whose writer slept through the grace between its looks.
    pub late: Set,
    /// Whether a writer that did not sleep had to read its source again.
    pub read_again: bool,
    pub actors: [Actor; ACTORS],
    /// How many more times an actor may crash.
    pub crashes: u8,
    /// How many more times the grace may pass.
    pub graces: u8,
}

/// What happened in a step, for traces.
#[derive(Debug, Clone, Copy)]
pub struct Label {
    pub actor: Option<usize>,
    pub what: &'static str,
    pub stale: bool,
}

/// The worlds one step further.
pub type Steps = Vec<(Label, World)>;

impl World {
    /// Changes something. What listings may show instead is the state before this change.
    pub fn change(&mut self, change: impl FnOnce(&mut Disk)) {
        self.before = self.now;
        change(&mut self.now);
    }

    /// What a listing of a folder can show: the present, and where it differs the state before the last change.
    pub fn listings<T: PartialEq>(&self, shown: impl Fn(&Disk) -> T) -> Vec<(bool, T)> {
        let (now, before) = (shown(&self.now), shown(&self.before));
        if now == before { vec![(false, now)] } else { vec![(false, now), (true, before)] }
    }

    /// The chunks in these packs.
    pub fn held(&self, packs: Set) -> Set {
        members(packs).fold(0, |chunks, pack| chunks | self.chunks[pack])
    }

    /// Puts a session, the newest of this actor.
    pub fn put_session(&mut self, actor: usize) {
        // Only writers have to tell theirs apart.
        let turns = if matches!(self.actors[actor], Actor::Writer(_)) { only(actor) } else { 0 };
        self.change(|disk| {
            disk.gc.turns ^= turns & only(actor);
            disk.gc.sessions |= only(actor);
        });
    }

    /// Puts a pack with these chunks, and says which it is.
    pub fn put_pack(&mut self, chunks: Set) -> usize {
        let used = self.packs_in_use();
        let pack = members(!used).next().expect("there is room for one more pack");
        self.chunks[pack] = chunks;
        self.change(|disk| disk.packs |= only(pack));
        pack
    }

    /// Puts a snapshot that needs these chunks, and says which it is.
    pub fn put_snapshot(&mut self, needs: Set) -> usize {
        let used = self.snapshots_in_use();
        let snapshot = members(!used).next().expect("there is room for one more snapshot");
        self.needs[snapshot] = needs;
        self.change(|disk| disk.snapshots |= only(snapshot));
        snapshot
    }

    /// The packs that exist, may still be listed, or that somebody thinks of.
    fn packs_in_use(&self) -> Set {
        let mut used = self.now.packs | self.before.packs;
        for gc in [&self.now.gc, &self.before.gc] {
            used |= gc.lists.iter().flatten().fold(0, |packs, list| packs | list.packs);
        }
        self.actors.iter().fold(used, |used, actor| {
            used | match actor {
                Actor::Nobody => 0,
                Actor::Writer(writer) => writer.packs(),
                Actor::Cleaner(cleaner) => cleaner.packs(),
            }
        })
    }

    /// The snapshots that exist, may still be listed, or that somebody thinks of.
    fn snapshots_in_use(&self) -> Set {
        self.actors.iter().fold(self.now.snapshots | self.before.snapshots, |used, actor| {
            used | match actor {
                Actor::Nobody => 0,
                Actor::Writer(writer) => writer.snapshots(),
                Actor::Cleaner(cleaner) => cleaner.snapshots(),
            }
        })
    }

    /// Forgets what nobody can see any more, so that worlds that will go on alike are equal.
    pub fn tidied(mut self) -> Self {
        for pack in members(!self.packs_in_use()) {
            self.chunks[pack] = 0;
        }
        // What was acknowledged and is not there any more is judged before: it is only tidied away when it was forgotten.
        let gone = !self.snapshots_in_use() & (self.now.forgotten | !self.acknowledged);
        for snapshot in members(gone) {
            self.needs[snapshot] = 0;
        }
        self.acknowledged &= !gone;
        self.late &= !gone;
        self.now.forgotten &= !gone;
        self.before.forgotten &= !gone;
        self
    }

    /// The worlds one step further, whoever acts.
    pub fn steps(&self, setup: &Setup) -> Steps {
        let mut steps = Vec::new();
        for actor in 0..ACTORS {
            steps.extend(self.steps_of(setup, actor));
            steps.extend(self.crash(actor));
        }
        if self.graces > 0 {
            steps.push((Label { actor: None, what: "the grace passes", stale: false }, self.grace()));
        }
        for (_, world) in &mut steps {
            *world = world.tidied();
        }
        steps
    }

    /// The worlds one step of `actor` further.
    pub fn steps_of(&self, setup: &Setup, actor: usize) -> Steps {
        match self.actors[actor] {
            Actor::Nobody => Vec::new(),
            Actor::Writer(writer) => writer.steps(self, setup, actor),
            Actor::Cleaner(cleaner) => cleaner.steps(self, setup, actor),
        }
    }

    /// The actor loses what it had in memory, and will begin again.
    fn crash(&self, actor: usize) -> Option<(Label, Self)> {
        let mut world = *self;
        match &mut world.actors[actor] {
            Actor::Cleaner(cleaner) if cleaner.is_at_work() && self.crashes > 0 => {
                *cleaner = cleaner.idle();
                world.crashes -= 1;
            }
            Actor::Writer(writer) if writer.is_at_work() && self.crashes > 0 => {
                *writer = Writer::new(writer.needs);
                world.crashes -= 1;
            }
            Actor::Nobody | Actor::Writer(_) | Actor::Cleaner(_) => return None,
        }
        Some((Label { actor: Some(actor), what: "crashes", stale: false }, world))
    }

    /// The time that a list waits for goes by, and whoever is at work sleeps through it.
    pub fn grace(&self) -> Self {
        let mut world = *self;
        world.graces = world.graces.saturating_sub(1);
        for list in world.now.gc.lists.iter_mut().flatten().filter(|list| list.packs != 0) {
            list.is_ripe = true;
        }
        // No listing is as old as that.
        world.before = world.now;
        for actor in &mut world.actors {
            if let Actor::Writer(writer) = actor {
                world.late |= writer.sleep();
            }
        }
        world
    }

    /// What is wrong with this world, if anything.
    pub fn judge(&self, setup: &Setup) -> Option<Wrong> {
        let kept = self.acknowledged & !self.now.forgotten;
        let broken = self.broken();
        if kept & (broken | !self.now.snapshots) != 0 {
            return Some(Wrong::Lost);
        }
        if !setup.judges_all {
            return None;
        }
        if broken & !self.late != 0 {
            return Some(Wrong::Broken);
        }
        self.read_again.then_some(Wrong::ReadAgain)
    }

    /// The snapshots that need a chunk no pack holds, and are not forgotten.
    pub fn broken(&self) -> Set {
        let held = self.held(self.now.packs);
        let there = self.now.snapshots & !self.now.forgotten;
        members(there).filter(|&snapshot| self.needs[snapshot] & !held != 0).fold(0, |set, index| set | only(index))
    }

    /// Whether there is no room for another pack or snapshot, so that the model is too small.
    pub fn is_full(&self) -> bool {
        self.packs_in_use() == Set::MAX || self.snapshots_in_use() == Set::MAX
    }

    /// Whether all comes to rest when nobody crashes any more: writers end with an acknowledged snapshot, and cleaners that
    /// take turns leave neither dead packs nor lists.
    pub fn comes_to_rest(mut self, setup: &Setup) -> bool {
        // What a writer that slept and then crashed has left stops cleaning until somebody forgets it.
        self.now.forgotten |= self.broken() & !self.acknowledged;
        self.before = self.now;
        let are = |is: fn(&Actor) -> bool| (0..ACTORS).filter(move |&actor| is(&self.actors[actor]));
        let (writers, cleaners) = (are(Actor::is_writer), are(Actor::is_cleaner));
        let rounds: Vec<usize> = cleaners.collect();
        for actor in writers.chain(rounds.repeat(4)) {
            if self.actors[actor].is_cleaner() {
                self = self.grace().tidied();
            }
            match self.ran(setup, actor) {
                Some(world) => self = world,
                None => return false,
            }
        }
        if self.actors.iter().any(|actor| matches!(actor, Actor::Writer(writer) if !writer.is_done())) {
            return false;
        }
        let live = members(self.now.snapshots).fold(0, |needed, snapshot| needed | self.needs[snapshot]);
        let is_dead = |pack: usize| live & self.chunks[pack] & !self.held(self.now.packs & !only(pack)) == 0;
        let has_lists = self.now.gc.lists.iter().flatten().any(|list| list.packs != 0);
        let is_left = self.now.snapshots & self.now.forgotten != 0;
        !has_lists && !is_left && !members(self.now.packs).any(is_dead)
    }

    /// After a run of `actor` alone that sees everything at once.
    fn ran(self, setup: &Setup, actor: usize) -> Option<Self> {
        let mut world = self;
        for _ in 0..100 {
            match world.steps_of(setup, actor).into_iter().next() {
                Some((_, next)) => world = next.tidied(),
                None => return Some(world),
            }
            if !world.actors[actor].is_at_work() {
                return Some(world);
            }
        }
        None
    }
}
