//! T5: every command that writes is ended at random moments, by force and by signals. Whatever it was at, the next one
//! goes on without help, and everything that was acknowledged can be had from every destination that acknowledged it.
//!
//! A few seconds of it run always; the whole is one command, which ends each of them `KILLS` times (350):
//! `TMPDIR=/dev/shm cargo test --test cli -- --ignored t05_ --nocapture`

use std::process::Command;
use std::time::Duration;

use super::killing::{Counts, Dice, Ending, Victim};
use super::promises::{Promises, Tree, tree};
use crate::support::{World, noise};

const DESTINATIONS: [&str; 2] = ["primary", "secondary"];
const CLEAN: &str = "clean --keep-last 2 --keep-days 0 --keep-versions 3 -q";
/// Old snapshots go after so many rounds, so that no round takes longer than the one before.
const ROUNDS_KEPT: u64 = 15;

/// What is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// From nothing to the first backup.
    SetUp,
    FirstBackup,
    /// A backup that also brings a destination up to date.
    Backup,
    Clean,
    /// A check that mends damage.
    Heal,
    Sync,
    Rebuild,
}

impl Work {
    const ALL: [Self; 7] =
        [Self::SetUp, Self::FirstBackup, Self::Backup, Self::Clean, Self::Heal, Self::Sync, Self::Rebuild];

    const fn words(self) -> &'static str {
        match self {
            Self::SetUp => "quickstart docs primary --json",
            Self::FirstBackup | Self::Backup => "backup --json",
            Self::Clean => CLEAN,
            Self::Heal => "check --read-data --heal -q",
            Self::Sync => "sync -q",
            Self::Rebuild => "rebuild-index -q",
        }
    }

    /// How it ends where nobody ends it.
    const fn codes(self) -> &'static [i32] {
        match self {
            Self::Heal => &[0, 16],
            _ => &[0],
        }
    }

    /// How it may end when it was asked to: stopped, done, or done on a destination and not on another.
    fn may_end_with(self, ending: Ending) -> bool {
        match ending {
            Ending::Killed | Ending::Asked(None | Some(130)) => true,
            Ending::Asked(Some(5)) => self == Self::Backup || self == Self::FirstBackup,
            Ending::Asked(Some(code)) | Ending::Itself(code) => self.codes().contains(&code),
        }
    }

    const fn destinations(self) -> &'static [&'static str] {
        match self {
            Self::SetUp => &["primary"],
            _ => &DESTINATIONS,
        }
    }

    /// Whether every round begins again from the same state.
    fn is_from_start(self) -> bool {
        matches!(self, Self::SetUp | Self::FirstBackup)
    }
}

/// A machine, one of whose commands is ended again and again.
struct Story {
    work: Work,
    world: World,
    dice: Dice,
    round: u64,
    promises: Promises,
    tree: Tree,
    counts: Counts,
    /// How long the command takes when it is left alone.
    usual: Duration,
}

impl Story {
    fn new(work: Work) -> Self {
        let world = if work == Work::SetUp { World::new() } else { World::set_up(&DESTINATIONS) };
        let mut story = Self {
            work,
            world,
            dice: Dice::new(100 + work as u64),
            round: 0,
            promises: Promises::default(),
            tree: Tree::new(),
            counts: Counts::default(),
            usual: Duration::from_millis(60),
        };
        story.edit();
        if work.is_from_start() {
            story.copy("", "kept/");
        } else {
            story.backup(0);
        }
        story
    }

    /// Other files, and other content in those that stay.
    fn edit(&mut self) {
        self.round += 1;
        let (world, round) = (&self.world, self.round);
        for file in 0..5 {
            world.write(&format!("docs/{file}/changes"), noise(30_000, round * 100 + file));
            world.write(&format!("docs/{file}/grows"), noise(1000 * (1 + round as usize % 40), file));
        }
        world.write("docs/large", noise(300_000, round));
        let _ = std::fs::remove_dir_all(world.path(&format!("docs/of {}", round - 1)));
        world.write(&format!("docs/of {round}/only"), round.to_string());
        self.tree = tree(&world.path("docs"));
    }

    /// A backup that is left alone.
    fn backup(&mut self, code: i32) {
        let ended = self.world.run("backup --json").expect_code(code);
        self.promises.reported(&ended.summary(), &self.tree);
    }

    /// Copies state and destinations, as far as there are any.
    fn copy(&self, from: &str, to: &str) {
        for name in ["state", "primary", "secondary"] {
            let (from, to) = (self.world.path(&format!("{from}{name}")), self.world.path(&format!("{to}{name}")));
            let _ = std::fs::remove_dir_all(&to);
            if from.exists() {
                std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
                assert!(Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs").success());
            }
        }
    }

    /// Gives the command something to do.
    fn prepare(&mut self) {
        match self.work {
            Work::SetUp | Work::FirstBackup => {
                self.copy("kept/", "");
                self.promises = Promises::default();
                self.round += 1;
            }
            Work::Backup | Work::Sync => {
                self.world.rename("secondary", "unplugged");
                for _ in 0..2 {
                    self.edit();
                    self.backup(5);
                }
                self.world.rename("unplugged", "secondary");
                if self.work == Work::Backup {
                    self.edit();
                }
            }
            Work::Clean | Work::Heal | Work::Rebuild => {
                self.edit();
                self.backup(0);
                if self.work == Work::Heal {
                    (0..=self.dice.roll(3)).for_each(|_| self.damage());
                }
            }
        }
    }

    /// Damages an object of the destination whose turn it is: the other one has it whole.
    fn damage(&mut self) {
        let files = self.world.files(DESTINATIONS[self.round as usize % 2]);
        let path = &files[self.dice.roll(files.len() as u64) as usize];
        let mut bytes = std::fs::read(path).expect("an object");
        let at = self.dice.roll(bytes.len() as u64) as usize;
        match self.dice.roll(4) {
            0 => return std::fs::remove_file(path).expect("removed"),
            1 => bytes.truncate(at),
            2 => bytes.push(7),
            _ => bytes[at] ^= 1 << self.dice.roll(8),
        }
        std::fs::write(path, bytes).expect("damaged");
    }

    /// Starts the command and ends it. Gives how it ended.
    fn end_it(&mut self) -> Ending {
        let command = self.world.command(self.work.words().split(' '));
        let mut victim = Victim::start(&self.world, "victim", command);
        let delay = self.dice.moment(self.usual);
        let ending = victim.end_after(delay, &mut self.dice);
        self.counts.add(ending);
        assert!(self.work.may_end_with(ending), "{}: {ending:?}: {}", self.here(), victim.said());
        if let Some(summary) = victim.summary().filter(|summary| summary["snapshot_id"].is_string()) {
            self.promises.reported(&summary, &self.tree);
        }
        ending
    }

    fn here(&self) -> String {
        format!("{:?}, round {}", self.work, self.round)
    }

    /// The command, left alone.
    fn go_on(&mut self) {
        let words = self.work.words();
        let mut victim = Victim::start(&self.world, "victim", self.world.command(words.split(' ')));
        let code = victim.end();
        // A little longer than it can take, and never much shorter than before: the last one may have had little to do.
        self.usual = (victim.age() + Duration::from_millis(3)).max(self.usual.mul_f64(0.9));
        assert!(self.work.codes().contains(&code), "{}: {code}: {}", self.here(), victim.said());
        if let Some(summary) = victim.summary().filter(|summary| summary["snapshot_id"].is_string()) {
            self.promises.reported(&summary, &self.tree);
        }
    }

    /// One round: something to do, a few endings, the next command, and a look at everything.
    fn round(&mut self) {
        self.prepare();
        for _ in 0..=self.dice.roll(3) {
            if let Ending::Itself(_) = self.end_it() {
                break;
            }
        }
        let others = [Work::Backup, Work::Sync, Work::Rebuild, Work::Heal];
        if self.work != Work::SetUp && self.work != Work::Heal && self.dice.roll(2) == 0 {
            let next = others[self.dice.roll(4) as usize].words();
            let ended = self.world.run(next);
            assert_eq!(ended.code, Some(0), "{}: then {next}: {}", self.here(), ended.stderr);
        }
        self.go_on();
        if self.work == Work::Clean {
            self.look_at_cleaned();
        }
        let listed = self.world.run("snapshots --json").expect_code(0).json();
        self.promises.listed(&listed, &self.tree);
        self.look();
        if self.round.is_multiple_of(ROUNDS_KEPT) && !self.work.is_from_start() && self.work != Work::Clean {
            self.world.run(CLEAN).expect_code(0);
            self.promises.cleaned(&self.world.run("snapshots --json").expect_code(0).json(), 2);
        }
    }

    /// Restores one of the promised snapshots from each destination alone, the newest every other time, and checks all.
    fn look(&mut self) {
        let all = self.work.destinations();
        for from in all {
            let there = self.promises.by_id.iter().filter(|(_, promise)| promise.on.contains(*from));
            let ids: Vec<String> = there.map(|(id, _)| id.clone()).collect();
            if let Some(at) = (!ids.is_empty()).then(|| self.dice.roll(ids.len() as u64) as usize) {
                self.promises.restore(&self.world, &ids[at], from, all);
            }
        }
        let checked = self.world.run("check --read-data -q");
        assert_eq!(checked.code, Some(0), "{}: {}{}", self.here(), checked.stdout, checked.stderr);
    }

    /// Cleaning keeps the newest two snapshots, and the newest three versions of a file outlive the others.
    fn look_at_cleaned(&mut self) {
        self.promises.cleaned(&self.world.run("snapshots --json").expect_code(0).json(), 2);
        let listed = self.world.run("list docs/0/changes --json").expect_code(0).json();
        let numbers: Vec<u64> =
            listed.as_array().expect("a list").iter().filter_map(|version| version["version"].as_u64()).collect();
        let newest: Vec<u64> = (self.round.saturating_sub(2).max(1)..=self.round).collect();
        assert!(numbers.ends_with(&newest), "{}: {numbers:?}", self.here());
        let _ = std::fs::remove_file(self.world.path("version"));
        let words = format!("restore -q --file docs/3/changes --version {} --destination version", newest[0]);
        self.world.run(&words).expect_code(0);
        let restored = std::fs::read(self.world.path("version")).expect("restored");
        assert!(restored == noise(30_000, newest[0] * 100 + 3), "{}: another version", self.here());
        for destination in DESTINATIONS {
            assert!(self.world.names(&format!("{destination}/tmp")).is_empty(), "nothing is left unfinished");
            assert!(self.world.names(&format!("{destination}/gc")).len() <= 1, "no list is left");
        }
    }
}

/// Ends a command so many times. Gives how often it really was.
fn end_often(work: Work, endings: u32) -> u32 {
    let mut story = Story::new(work);
    let mut rounds = 0;
    while story.counts.ended() < endings {
        story.round();
        rounds += 1;
    }
    eprintln!(
        "T5, {work:?}: {} ended: {}, in {rounds} rounds; nothing lost, no help needed",
        story.counts.ended(),
        story.counts
    );
    story.counts.ended()
}

/// Hundreds of times.
fn end_hundreds_of_times(work: Work) {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok());
    end_often(work, kills.unwrap_or(350));
}

#[test]
fn t05_commands_that_were_ended_leave_nothing_to_do() {
    let all: u32 = Work::ALL.into_iter().map(|work| end_often(work, 2)).sum();
    eprintln!("T5: {all} in all");
}

#[test]
#[ignore = "minutes"]
fn t05_setting_up_is_ended_hundreds_of_times() {
    end_hundreds_of_times(Work::SetUp);
}

#[test]
#[ignore = "minutes"]
fn t05_first_backups_are_ended_hundreds_of_times() {
    end_hundreds_of_times(Work::FirstBackup);
}

#[test]
#[ignore = "minutes"]
fn t05_backups_are_ended_hundreds_of_times() {
    end_hundreds_of_times(Work::Backup);
}

#[test]
#[ignore = "minutes"]
fn t05_cleanings_are_ended_hundreds_of_times() {
    end_hundreds_of_times(Work::Clean);
}

#[test]
#[ignore = "minutes"]
fn t05_healing_is_ended_hundreds_of_times() {
    end_hundreds_of_times(Work::Heal);
}

#[test]
#[ignore = "minutes"]
fn t05_syncs_are_ended_hundreds_of_times() {
    end_hundreds_of_times(Work::Sync);
}

#[test]
#[ignore = "minutes"]
fn t05_rebuilding_the_index_is_ended_hundreds_of_times() {
    end_hundreds_of_times(Work::Rebuild);
}
