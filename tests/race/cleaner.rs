//! A run of a cleaner, C1 to C5.

use crate::rules::{Rule, Setup};
use crate::world::{Actor, LISTS, Label, List, Set, Steps, World, members, only};

/// What a cleaner does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum At {
    /// C1: introduces itself, and marks what is to be forgotten.
    #[default]
    Idle,
    /// C0: puts a session.
    PutSession,
    /// C2: lists `gc/`.
    ListGc,
    /// C2: lists packs.
    ListPacks,
    /// C2: without [`Rule::WalkOrder`], lists `gc/` afterwards.
    ListGcLate,
    /// C2: lists and walks the snapshots, and decides.
    Walk,
    /// C5: a list waits: lists `writers/` to see whether it has to.
    MustWait,
    /// Repacking: puts the live chunks of a pack into a new one.
    Repack,
    /// C3: puts a list.
    PutList,
    /// C3: lists `gc/` until it shows.
    WaitList,
    /// C3: removes older lists of its own.
    RemoveOld,
    /// C3: lists `writers/`.
    ListWriters,
    /// C4, C5: lists snapshots again.
    ListAgain,
    /// C4, C5: deletes snapshots, packs, the list.
    Delete,
}

/// A cleaner, which can run as often as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Cleaner {
    at: At,
    /// Packs that others have condemned.
    condemned: Set,
    /// Who else has a session.
    sessions: Set,
    /// Without [`Rule::ListWait`], whether it saw nobody else.
    is_alone: bool,
    /// Its lists, as C2 has seen them.
    lists: [List; LISTS],
    /// The packs that were listed.
    listed: Set,
    /// The snapshots that were walked.
    walked: Set,
    /// Those of them that are forgotten.
    forgotten: Set,
    /// The packs that keep a chunk.
    keepers: Set,
    /// The packs that are dead.
    dead: Set,
    /// The packs that will be deleted.
    sweeping: Set,
    /// The list they are in.
    slot: u8,
}

impl Cleaner {
    /// The packs it thinks of.
    pub fn packs(&self) -> Set {
        let lists = self.lists.iter().fold(0, |packs, list| packs | list.packs);
        self.condemned | self.listed | self.keepers | self.dead | self.sweeping | lists
    }

    /// The snapshots it thinks of.
    pub fn snapshots(&self) -> Set {
        self.walked
    }

    /// Whether there is something in its memory to lose.
    pub fn is_at_work(&self) -> bool {
        self.at != At::Idle
    }

    /// The same cleaner between two runs.
    pub fn idle(&self) -> Self {
        Self::default()
    }

    /// The worlds one step of this cleaner further.
    pub fn steps(self, world: &World, setup: &Setup, me: usize) -> Steps {
        match self.at {
            At::Idle => self.begin(world, setup, me),
            At::PutSession => self.put_session(world, setup, me),
            At::ListGc | At::ListGcLate => self.list_gc(world, setup, me),
            At::ListPacks => self.list_packs(world, setup, me),
            At::Walk => self.walk(world, setup, me),
            At::MustWait | At::ListWriters => self.list_writers(world, setup, me),
            At::Repack => self.repack(world, setup, me),
            At::PutList => self.put_list(world, setup, me),
            At::WaitList => self.wait_list(world, setup, me),
            At::RemoveOld => self.remove_old(world, setup, me),
            At::ListAgain => self.list_again(world, setup, me),
            At::Delete => self.delete(world, setup, me),
        }
    }

    /// The world when this cleaner has become `next`.
    fn becomes(next: Self, mut world: World, me: usize, what: &'static str, stale: bool) -> (Label, World) {
        world.actors[me] = Actor::Cleaner(next);
        (Label { actor: Some(me), what, stale }, world)
    }

    fn begin(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut changed = *world;
        if world.now.writers & only(me) == 0 {
            changed.change(|disk| disk.writers |= only(me));
            return vec![Self::becomes(self, changed, me, "W1 puts its record", false)];
        }
        let to_mark = setup.to_forget & world.now.snapshots & !world.now.forgotten;
        if let Some(snapshot) = members(to_mark).next() {
            changed.change(|disk| disk.forgotten |= only(snapshot));
            return vec![Self::becomes(self, changed, me, "C1 forgets a snapshot", false)];
        }
        let at = if setup.keeps(Rule::CleanerSession) { At::PutSession } else { Self::first(setup) };
        Self { at, ..Self::default() }.steps(world, setup, me)
    }

    fn first(setup: &Setup) -> At {
        if setup.keeps(Rule::WalkOrder) { At::ListGc } else { At::ListPacks }
    }

    fn put_session(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut world = *world;
        world.put_session(me);
        vec![Self::becomes(Self { at: Self::first(setup), ..self }, world, me, "C1 puts a session", false)]
    }

    fn list_gc(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut steps = Vec::new();
        for (stale, gc) in world.listings(|disk| disk.gc) {
            let condemned = if setup.keeps(Rule::OthersCondemned) { gc.condemned_by_others(me) } else { 0 };
            let at = if self.at == At::ListGc { At::ListPacks } else { At::Walk };
            let next = Self { at, condemned, sessions: gc.sessions & !only(me), lists: gc.lists[me], ..self };
            steps.push(Self::becomes(next, *world, me, "C2 lists what is condemned", stale));
        }
        steps
    }

    fn list_packs(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let at = if setup.keeps(Rule::WalkOrder) { At::Walk } else { At::ListGcLate };
        let mut steps = Vec::new();
        for (stale, listed) in world.listings(|disk| disk.packs) {
            steps.push(Self::becomes(Self { at, listed, ..self }, *world, me, "C2 lists packs", stale));
        }
        steps
    }

    fn walk(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut steps = Vec::new();
        for (snapshots_stale, walked) in world.listings(|disk| disk.snapshots) {
            for (marks_stale, marks) in world.listings(|disk| disk.forgotten) {
                let stale = snapshots_stale || marks_stale;
                let live = walked & !marks;
                let needed = members(live).fold(0, |needed, snapshot| needed | world.needs[snapshot]);
                if needed & !world.held(self.listed) != 0 {
                    let what = "C2 cannot read a snapshot and stops";
                    steps.push(Self::becomes(self.idle(), *world, me, what, stale));
                    continue;
                }
                for keepers in self.keepers(world, needed) {
                    let dead = self.listed & !keepers & !self.condemned;
                    let next = Self { walked, forgotten: walked & marks, keepers, dead, ..self };
                    steps.push(Self::becomes(next.decide(setup), *world, me, "C2 walks the snapshots", stale));
                }
            }
        }
        steps
    }

    /// Every way to choose a keeper for each of these chunks.
    fn keepers(&self, world: &World, needed: Set) -> Vec<Set> {
        let own = self.lists.iter().fold(0, |packs, list| packs | list.packs);
        let mut ways: Vec<Set> = vec![0];
        for chunk in members(needed) {
            let holders = members(self.listed & !self.condemned).filter(|&pack| world.chunks[pack] & only(chunk) != 0);
            let holders = holders.fold(0, |holders, pack| holders | only(pack));
            let best = if holders & !own != 0 { holders & !own } else { holders };
            // Where others have condemned every pack that holds it, there is none to choose.
            if best != 0 {
                ways = ways.iter().flat_map(|way| members(best).map(move |pack| way | only(pack))).collect();
            }
        }
        ways.sort_unstable();
        ways.dedup();
        ways
    }

    /// After the walk.
    fn decide(self, setup: &Setup) -> Self {
        let there = |slot: &usize| self.lists[*slot].packs != 0;
        let is_ripe = |slot: &usize| !setup.keeps(Rule::Grace) || self.lists[*slot].is_ripe;
        if let Some(slot) = (0..LISTS).filter(there).find(is_ripe) {
            let condemned = self.lists[slot].packs;
            let sweeping = if setup.keeps(Rule::FreshWalk) { condemned & self.dead } else { condemned };
            return Self { at: At::ListAgain, sweeping, slot: slot as u8, ..self.without_listings() };
        }
        if (0..LISTS).any(|slot| there(&slot)) {
            return Self { at: At::MustWait, ..self };
        }
        self.condemn(setup)
    }

    /// What was listed is not needed after the walk.
    fn without_listings(self) -> Self {
        Self { condemned: 0, lists: [List::default(); LISTS], listed: 0, keepers: 0, ..self }
    }

    /// Goes on to C3, or to the end where nothing is dead.
    fn condemn(self, setup: &Setup) -> Self {
        if setup.repacks {
            Self { at: At::Repack, ..self }
        } else if self.dead != 0 {
            self.without_listings().before_list(setup)
        } else {
            Self { at: At::ListAgain, sweeping: 0, slot: LISTS as u8, ..self.without_listings() }
        }
    }

    /// To C3.
    fn before_list(self, setup: &Setup) -> Self {
        Self { at: if setup.keeps(Rule::ListWait) { At::PutList } else { At::WaitList }, ..self }
    }

    fn repack(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let needed = members(self.walked & !self.forgotten).fold(0, |needed, snapshot| needed | world.needs[snapshot]);
        let is_mostly_dead = |&pack: &usize| world.chunks[pack] & !needed != 0;
        let Some(old) = members(self.keepers).find(is_mostly_dead) else {
            return Self::condemn(self, &Setup { repacks: false, ..setup.clone() }).steps(world, setup, me);
        };
        let mut world = *world;
        let kept = self.keepers & !only(old);
        let chunks = world.chunks[old] & needed & !world.held(kept);
        let mut next = Self { keepers: kept, dead: self.dead | only(old), ..self };
        if chunks != 0 {
            next.keepers |= only(world.put_pack(chunks));
        }
        vec![Self::becomes(next, world, me, "repacks", false)]
    }

    fn put_list(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut world = *world;
        let Some(slot) = (0..LISTS).find(|&slot| world.now.gc.lists[me][slot].packs == 0) else {
            world.change(|disk| disk.gc.lists[me][0] = List::default());
            return vec![Self::becomes(self, world, me, "C3 removes an old list", false)];
        };
        let list = List { packs: self.dead, is_ripe: false };
        world.change(|disk| disk.gc.lists[me][slot] = list);
        let at = if setup.keeps(Rule::ListWait) { At::WaitList } else { At::RemoveOld };
        let next = Self { at, dead: 0, sweeping: self.dead, slot: slot as u8, ..self };
        vec![Self::becomes(next, world, me, "C3 condemns what is dead", false)]
    }

    fn wait_list(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut steps = Vec::new();
        for (stale, gc) in world.listings(|disk| disk.gc) {
            let waits = setup.keeps(Rule::ListWait);
            if waits && gc.lists[me][usize::from(self.slot)].packs != self.sweeping {
                continue;
            }
            let at = if waits { At::RemoveOld } else { At::ListWriters };
            let next = Self { at, sessions: gc.sessions & !only(me), ..self };
            steps.push(Self::becomes(next, *world, me, "C3 sees the list", stale));
        }
        steps
    }

    fn remove_old(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let old = (0..LISTS).find(|&slot| slot != usize::from(self.slot) && world.now.gc.lists[me][slot].packs != 0);
        let Some(old) = old else {
            let next = match (setup.keeps(Rule::ListWait), self.is_alone) {
                (true, _) => Self { at: At::ListWriters, ..self },
                (false, true) => Self { at: At::ListAgain, ..self },
                (false, false) => return vec![Self::becomes(self.idle(), *world, me, "ends", false)],
            };
            return next.steps(world, setup, me);
        };
        let mut world = *world;
        world.change(|disk| disk.gc.lists[me][old] = List::default());
        vec![Self::becomes(self, world, me, "C3 removes an old list", false)]
    }

    fn list_writers(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut steps = Vec::new();
        for (stale, writers) in world.listings(|disk| disk.writers) {
            let is_alone = (!setup.keeps(Rule::AloneInWriters) || setup.others(writers, me) == 0)
                && (!setup.keeps(Rule::AloneInSessions) || self.sessions == 0);
            let next = match (is_alone, self.at) {
                (_, At::ListWriters) if !setup.keeps(Rule::ListWait) => {
                    Self { at: At::PutList, is_alone, sessions: 0, ..self }
                }
                (false, _) => self.idle(),
                (true, At::MustWait) => self.condemn(setup),
                (true, _) => Self { at: At::ListAgain, sessions: 0, ..self },
            };
            steps.push(Self::becomes(next, *world, me, "C4 lists writers", stale));
        }
        steps
    }

    fn list_again(self, world: &World, setup: &Setup, me: usize) -> Steps {
        if !setup.keeps(Rule::SecondListing) {
            return Self { at: At::Delete, ..self }.steps(world, setup, me);
        }
        let mut steps = Vec::new();
        for (stale, snapshots) in world.listings(|disk| disk.snapshots) {
            let is_new = snapshots & !self.walked != 0;
            let next =
                if is_new { Self { at: Self::first(setup), ..self.idle() } } else { Self { at: At::Delete, ..self } };
            steps.push(Self::becomes(next, *world, me, "C4 lists snapshots again", stale));
        }
        steps
    }

    fn delete(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut changed = *world;
        let snapshot = members(self.forgotten & world.now.snapshots).next();
        let pack = members(self.sweeping & world.now.packs).next();
        let has_list = usize::from(self.slot) < LISTS && world.now.gc.lists[me][usize::from(self.slot)].packs != 0;
        let packs_first = !setup.keeps(Rule::SnapshotsFirst);
        let list_first = !setup.keeps(Rule::ListLast);
        let what = match (snapshot, pack) {
            (_, Some(_)) if list_first && has_list => return self.remove_list(world, setup, me),
            (Some(snapshot), _) if !(packs_first && pack.is_some()) => {
                changed.change(|disk| disk.snapshots &= !only(snapshot));
                "C4 deletes a forgotten snapshot"
            }
            (_, Some(pack)) => {
                changed.change(|disk| disk.packs &= !only(pack));
                "C4 deletes a pack"
            }
            _ if has_list => return self.remove_list(world, setup, me),
            _ => return self.rest(world, setup, me),
        };
        vec![Self::becomes(self, changed, me, what, false)]
    }

    fn remove_list(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let mut world = *world;
        let ended = if setup.keeps(Rule::SessionStays) { 0 } else { only(me) };
        world.change(|disk| {
            disk.gc.lists[me][usize::from(self.slot)] = List::default();
            disk.gc.sessions &= !ended;
        });
        vec![Self::becomes(self, world, me, "C4 removes the list", false)]
    }

    /// C5: what else is dead goes into a new list.
    fn rest(self, world: &World, setup: &Setup, me: usize) -> Steps {
        let dead = self.dead & !self.sweeping;
        if dead != 0 {
            let next = Self { dead, sweeping: 0, slot: 0, sessions: 0, ..self };
            return next.before_list(setup).steps(world, setup, me);
        }
        vec![Self::becomes(self.idle(), *world, me, "ends", false)]
    }
}
