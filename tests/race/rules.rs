//! The rules of the protocol, each of which can be left out, and the worlds in which it is tried.

use crate::cleaner::Cleaner;
use crate::world::{ACTORS, Actor, Disk, PACKS, SNAPSHOTS, Set, World, only};
use crate::writer::Writer;

/// What keeps snapshots whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// W1: who was just put in `writers/` lists it until it shows. Without: lists it before.
    WritersWait,
    /// W2: `gc/` is listed until the own session shows. Without: it is listed before.
    SessionWait,
    /// W2: what is condemned when a run begins counts as absent.
    SessionLook,
    /// W5: a look before the snapshot is put.
    FirstLook,
    /// W5: `packs/` is listed in it too.
    FirstLookAtPacks,
    /// W7: a look after it.
    SecondLook,
    /// W7: `gc/` is listed before `packs/`. Without: afterwards.
    LookOrder,
    /// W7: what cannot be rescued is withdrawn.
    Withdrawal,
    /// C1: a cleaner puts a session too, so that nothing it lists is older than its run.
    CleanerSession,
    /// C2: packs that other cleaners have condemned count as absent.
    OthersCondemned,
    /// C2: `gc/` is listed before `packs/`. Without: afterwards.
    WalkOrder,
    /// C3: `gc/` is listed until the own list shows, then `writers/`. Without: both are listed before.
    ListWait,
    /// C4: nobody else is in `writers/`.
    AloneInWriters,
    /// C4: nobody else has a session.
    AloneInSessions,
    /// C4, C5: the snapshots are listed again before anything is deleted.
    SecondListing,
    /// C4: snapshots are deleted before packs.
    SnapshotsFirst,
    /// C4: the list goes after its packs.
    ListLast,
    /// C4: the session of who cleaned stays.
    SessionStays,
    /// C5: what was condemned is walked again.
    FreshWalk,
    /// C5: a list waits for the grace.
    Grace,
}

/// A world to begin with, and what is tried in it.
#[derive(Debug, Clone)]
pub struct Setup {
    pub name: &'static str,
    pub world: World,
    /// The snapshots that cleaning forgets.
    pub to_forget: Set,
    /// Whether the writer is a copy of the cleaner, and takes the record of that for its own until it has one.
    pub are_twins: bool,
    /// Whether mostly dead packs are repacked.
    pub repacks: bool,
    /// Whether more is wrong than the loss of an acknowledged snapshot.
    pub judges_all: bool,
    /// What is left out.
    pub without: Vec<Rule>,
}

const A: Set = 1;
const B: Set = 2;

impl Setup {
    fn new(name: &'static str, writers: Set, packs: &[Set], snapshots: &[Set], actors: &[Actor]) -> Self {
        let mut world = World {
            now: Disk { writers, ..Disk::default() },
            before: Disk::default(),
            chunks: [0; PACKS],
            needs: [0; SNAPSHOTS],
            acknowledged: 0,
            late: 0,
            read_again: false,
            actors: [Actor::Nobody; ACTORS],
            crashes: 0,
            graces: 1,
        };
        for (index, chunks) in packs.iter().enumerate() {
            world.chunks[index] = *chunks;
            world.now.packs |= only(index);
        }
        for (index, needs) in snapshots.iter().enumerate() {
            world.needs[index] = *needs;
            world.now.snapshots |= only(index);
        }
        world.acknowledged = world.now.snapshots;
        world.before = world.now;
        world.actors[..actors.len()].copy_from_slice(actors);
        let (are_twins, repacks, judges_all) = (false, false, false);
        Self { name, world, to_forget: 0, are_twins, repacks, judges_all, without: Vec::new() }
    }

    /// A cleaner, known to all, and a writer that is not yet. The first pack is only needed by a snapshot that will be
    /// forgotten, and by what the writer is going to put.
    pub fn joining() -> Self {
        let actors = [Actor::Cleaner(Cleaner::default()), Actor::Writer(Writer::new(A | B))];
        Self { to_forget: 1, ..Self::new("joining", 1, &[A, B], &[A, B], &actors) }
    }

    /// The same, and neither is known yet.
    pub fn strangers() -> Self {
        let mut setup = Self { name: "strangers", ..Self::joining() };
        setup.world.now.writers = 0;
        setup.world.before.writers = 0;
        setup
    }

    /// The same, and both are known.
    pub fn known() -> Self {
        let mut setup = Self { name: "known", ..Self::joining() };
        setup.world.now.writers = 3;
        setup.world.before.writers = 3;
        setup
    }

    /// The same, and each takes itself for the only one: they are copies of one installation.
    pub fn twins() -> Self {
        Self { name: "twins", are_twins: true, ..Self::joining() }
    }

    /// Two cleaners, a chunk in two packs, one of which holds a dead chunk too.
    pub fn cleaners() -> Self {
        let actors = [Actor::Cleaner(Cleaner::default()), Actor::Cleaner(Cleaner::default())];
        Self { repacks: true, ..Self::new("cleaners", 3, &[A | B, A], &[A], &actors) }
    }

    /// The same, and one of them joins.
    pub fn joining_cleaner() -> Self {
        let mut setup = Self { name: "joining cleaner", ..Self::cleaners() };
        setup.world.now.writers = 1;
        setup.world.before.writers = 1;
        setup
    }

    /// Without one rule.
    pub fn without(mut self, rule: Rule) -> Self {
        self.without.push(rule);
        self
    }

    /// Asks for more than that no acknowledged snapshot is lost.
    pub fn judging_all(self) -> Self {
        Self { judges_all: true, ..self }
    }

    /// With so many crashes, and with the grace passing so often; otherwise none, and once.
    pub fn with(mut self, crashes: u8, graces: u8) -> Self {
        self.world.crashes = crashes;
        self.world.graces = graces;
        self
    }

    /// Whether an actor takes the record of another for its own.
    pub fn is_copy(&self, writers: Set, me: usize) -> bool {
        self.are_twins && writers & only(me) == 0
    }

    /// The others among writers, as far as one can tell them from oneself.
    pub fn others(&self, writers: Set, me: usize) -> Set {
        if self.is_copy(writers, me) { 0 } else { writers & !only(me) }
    }

    /// Whether a rule is kept.
    pub fn keeps(&self, rule: Rule) -> bool {
        !self.without.contains(&rule)
    }
}
