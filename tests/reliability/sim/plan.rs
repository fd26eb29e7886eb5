//! What is done in one run, drawn from a seed.

use crate::disk::chance::Chance;
use crate::disk::crash::Policy;
use crate::disk::trouble::Failure;

use super::station::Lie;
use super::{MACHINES, PLACE_COUNT};

/// What a machine does, or what is done to a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Command {
    Backup,
    /// In parts, what is important first.
    Smart,
    Forget,
    Pin,
    /// A new epoch of keys, of which machines that are away know nothing.
    Rotate,
    Clean {
        keep_days: u32,
        keep_versions: u32,
        is_twice: bool,
    },
    Sync,
    Check,
    Heal,
    /// The index is lost.
    LoseIndex,
    /// The state folder is lost, and the machine connects to a destination.
    Connect,
    /// A destination goes away, or comes back.
    Plug,
    /// The power of a destination fails while nobody uses it.
    Outage(Policy),
    /// A few bytes of objects of a destination change, or a pack is gone; later it is healed.
    Rot {
        deletes: bool,
    },
    /// What was forgotten is taken back.
    Unforget,
    /// A file goes out of all that is stored.
    Purge,
    /// A copy of a destination is made, as of a whole disk.
    Copy,
    /// A destination is what it was when it was copied.
    SetBack,
    /// A machine takes a destination as it is.
    Accept,
    /// A machine is set up as a clone of another.
    Clone,
    /// A destination is full or read-only from now on, or takes something again.
    Close,
}

impl Command {
    pub fn name(self) -> &'static str {
        match self {
            Command::Backup => "backup",
            Command::Smart => "smart backup",
            Command::Forget => "forget",
            Command::Pin => "pin",
            Command::Rotate => "rotate",
            Command::Clean { is_twice: false, .. } => "clean",
            Command::Clean { is_twice: true, .. } => "clean twice",
            Command::Sync => "sync",
            Command::Check => "check",
            Command::Heal => "heal",
            Command::LoseIndex => "lose the index",
            Command::Connect => "connect",
            Command::Plug => "plug",
            Command::Outage(_) => "outage",
            Command::Rot { .. } => "rot",
            Command::Unforget => "unforget",
            Command::Purge => "purge",
            Command::Copy => "copy",
            Command::SetBack => "set back",
            Command::Accept => "accept",
            Command::Clone => "clone",
            Command::Close => "close",
        }
    }

    pub fn is_backup(self) -> bool {
        matches!(self, Command::Backup | Command::Smart)
    }

    /// Whether something may happen to the machine meanwhile.
    fn can_be_troubled(self) -> bool {
        use Command as C;
        matches!(self, C::Backup | C::Forget | C::Pin | C::Rotate | C::Clean { .. } | C::Sync | C::Heal)
            || matches!(self, C::Purge | C::Accept | C::Unforget | C::Smart)
    }
}

/// What happens at an operation of a machine.
#[derive(Debug, Clone)]
pub enum Trouble {
    Fail(Failure),
    /// The process dies.
    Kill,
    /// The machine loses its power, and with it some of the destinations.
    PowerCut {
        policy: Policy,
        places: u64,
        is_half: bool,
    },
    /// The destination loses its power, the machine does not.
    Outage(Policy),
    /// The destination is pulled out.
    Unplug,
    /// The machine stands still, and others do something.
    Nest(Vec<Step>),
    /// Listings lack something, from the beginning.
    Lie(Lie),
    /// Listings are late, from the beginning.
    Late(usize),
}

/// One command with what happens meanwhile.
#[derive(Debug, Clone)]
pub struct Step {
    pub who: usize,
    /// Hours that pass before it.
    pub hours: i64,
    /// How far the machine's clock is off from now on, in hours, if that changes.
    pub skew: Option<i64>,
    pub command: Command,
    pub trouble: Option<Trouble>,
    /// On which disk that happens, where 0 is the machine's own, after how many operations, and whether only changes count.
    pub at: (usize, u64, bool),
    /// For whatever the command has to choose.
    pub seed: u64,
}

const POLICIES: [Policy; 5] = [Policy::Nothing, Policy::Ordered, Policy::Names, Policy::Hostile, Policy::Hostile];

fn policy(chance: &mut Chance) -> Policy {
    POLICIES[chance.below(POLICIES.len() as u64) as usize]
}

/// In the runs from this seed on there are purges too, and destinations that are set back. Those before tell the stories
/// that they told before there were.
pub const SECOND_PART: u64 = 1_000_000;
/// In those from this one on snapshots are forgotten, had back and pinned more often than anything else is done.
pub const THIRD_PART: u64 = 2_000_000;
/// In those from this one on many backups are made in parts.
pub const FOURTH_PART: u64 = 3_000_000;
/// In those from this one on machines are cloned.
pub const FIFTH_PART: u64 = 4_000_000;
/// In those from this one on destinations are full or read-only for a while.
pub const SIXTH_PART: u64 = 5_000_000;

/// The steps of a run.
pub fn draw(seed: u64) -> Vec<Step> {
    let mut chance = Chance::of(seed, 4);
    let count = 5 + chance.below(6);
    let firsts = [SECOND_PART, THIRD_PART, FOURTH_PART, FIFTH_PART, SIXTH_PART];
    let mut story = Story { chance, part: 1 + firsts.iter().filter(|first| seed >= **first).count() };
    let mut steps: Vec<Step> = (0..count).map(|_| story.step(&[], 0)).collect();
    if story.part > 1 {
        // There is something to purge, and to set back to.
        let first =
            Step { who: 0, hours: 1, skew: None, command: Command::Backup, trouble: None, at: (0, 0, false), seed };
        let of = |who: usize, command| Step { who, command, seed: seed + who as u64, ..first.clone() };
        steps.splice(
            0..0,
            [of(0, Command::Backup), of(1, Command::Backup), of(0, Command::Copy), of(0, Command::Backup)],
        );
    }
    steps
}

/// What is drawn from.
struct Story {
    chance: Chance,
    part: usize,
}

impl Story {
    fn command(&mut self, depth: usize) -> Command {
        let chance = &mut self.chance;
        if self.part == 6 && chance.percent(25) {
            return Command::Close;
        }
        if self.part == 5 && chance.percent(20) {
            return Command::Clone;
        }
        if self.part == 4 && chance.percent(30) {
            return Command::Smart;
        }
        if self.part == 3 && chance.percent(40) {
            return match chance.below(10) {
                0..3 => Command::Forget,
                3..7 => Command::Unforget,
                _ => Command::Pin,
            };
        }
        if self.part > 1 && chance.percent(24) {
            return match chance.below(if depth == 0 { 12 } else { 6 }) {
                0..5 => Command::Purge,
                5 => Command::Accept,
                6..9 => Command::Copy,
                _ => Command::SetBack,
            };
        }
        let keep_days = [0, 0, 3, 10][chance.below(4) as usize];
        let keep_versions = [1, 1, 2][chance.below(3) as usize];
        match chance.below(if depth == 0 { 100 } else { 66 }) {
            0..30 => Command::Backup,
            30..48 => Command::Clean { keep_days, keep_versions, is_twice: chance.percent(60) },
            48..56 => Command::Forget,
            56..62 => Command::Sync,
            62..64 => Command::Heal,
            64 => Command::Check,
            65 => Command::Rotate,
            66..69 => Command::Pin,
            69..73 => Command::LoseIndex,
            73..76 => Command::Connect,
            76..84 => Command::Plug,
            84..90 => Command::Outage(policy(chance)),
            90..95 => Command::Rot { deletes: chance.percent(35) },
            95..98 => Command::Rotate,
            _ => Command::Backup,
        }
    }

    fn step(&mut self, busy: &[usize], depth: usize) -> Step {
        let free: Vec<usize> = (0..MACHINES).filter(|who| !busy.contains(who)).collect();
        let who = free[self.chance.below(free.len() as u64) as usize];
        let command = self.command(depth);
        let is_troubled = command.can_be_troubled() && self.chance.percent(if depth == 0 { 60 } else { 25 });
        let trouble = is_troubled.then(|| self.trouble(command, who, busy, depth));
        let chance = &mut self.chance;
        let disk = if chance.percent(75) { 1 + chance.below(PLACE_COUNT as u64) as usize } else { 0 };
        let reach = [8, 40, 120, 400][chance.below(4) as usize];
        let at = (disk, chance.below(reach), chance.percent(70));
        let hours = [0, 1, 5, 30, 100, 200][chance.below(6) as usize];
        let skew = chance.percent(12).then(|| chance.below(49) as i64 - 24);
        Step { who, hours, skew, command, trouble, at, seed: chance.next() }
    }

    fn trouble(&mut self, command: Command, who: usize, busy: &[usize], depth: usize) -> Trouble {
        let chance = &mut self.chance;
        let place = chance.below(PLACE_COUNT as u64) as usize;
        match chance.below(100) {
            0..34 if depth < 2 => {
                let mut busy = busy.to_vec();
                busy.push(who);
                let count = 1 + chance.below(2 + u64::from(depth == 0));
                Trouble::Nest((0..count).map(|_| self.step(&busy, depth + 1)).collect())
            }
            0..54 => Trouble::Fail(Failure::ALL[chance.below(9) as usize]),
            54..66 => Trouble::Kill,
            66..80 => {
                Trouble::PowerCut { policy: policy(chance), places: chance.below(8), is_half: chance.percent(30) }
            }
            80..86 => Trouble::Outage(policy(chance)),
            86..91 => Trouble::Unplug,
            91..96 if depth == 0 && matches!(command, Command::Clean { .. } | Command::Backup | Command::Sync) => {
                let folder = ["packs", "snaps", "marks", "writers"][chance.below(4) as usize];
                Trouble::Lie(Lie { disk: place, folder, is_empty: chance.percent(30) })
            }
            _ => Trouble::Late(place),
        }
    }
}
