//! T13: two machines back up, one of them cleans and the other checks, all at once, while somebody ends half of them.
//! Nobody waits for what was ended, nobody sees damage where there is none, and nothing acknowledged is lost.
//!
//! A few cycles run always; the long run is one command, `CYCLES` of them (500):
//! `TMPDIR=/dev/shm cargo test --test cli -- --ignored t13_ --nocapture`

use std::collections::BTreeMap;
use std::time::Duration;

use super::killing::{Counts, Dice, Ending, Victim};
use super::machines::Machine;
use crate::support::{World, noise};

const CLEAN: &str = "clean --keep-last 1 --keep-days 0 --keep-versions 1 --force -q";

/// One of the processes of a cycle.
struct Part<'a> {
    machine: Machine<'a>,
    name: &'static str,
    words: &'static str,
    codes: &'static [i32],
    begins: Duration,
    ends: Option<Duration>,
}

/// What became of it.
struct Came {
    name: &'static str,
    ending: Ending,
    said: String,
    /// The snapshot that it reported.
    reported: Option<String>,
    /// How long it took, where nobody ended it.
    took: Option<Duration>,
}

impl Part<'_> {
    fn play(&self, seed: u64) -> Came {
        std::thread::sleep(self.begins);
        let mut victim = Victim::start(self.machine.world, self.name, self.machine.command(self.words));
        let ending = match self.ends {
            Some(delay) => victim.end_after(delay, &mut Dice::new(seed)),
            None => Ending::Itself(victim.end()),
        };
        let summary = victim.summary();
        let reported = summary.and_then(|summary| summary["snapshot_id"].as_str().map(str::to_owned));
        let took = matches!(ending, Ending::Itself(_)).then(|| victim.age());
        Came { name: self.name, ending, said: victim.said(), reported, took }
    }
}

/// The machines, and what came of everything until now.
struct Story<'a> {
    machines: [Machine<'a>; 2],
    dice: Dice,
    /// How long each command takes among the others.
    usual: BTreeMap<&'static str, Duration>,
    counts: BTreeMap<&'static str, Counts>,
    /// Commands that gave up because another one was at work.
    waits: u32,
}

impl<'a> Story<'a> {
    fn edit(&self, cycle: u64) {
        for (number, machine) in (1..).zip(self.machines) {
            for file in 0..4 {
                // Every third cycle both have the same: what one lets go of, the other needs.
                let seed = if cycle.is_multiple_of(3) { 0 } else { number };
                let path = format!("{}/{}", machine.source, file);
                machine.world.write(&path, noise(50_000, cycle * 100 + seed * 10 + file));
            }
            machine.world.write(&format!("{}/cycle", machine.source), format!("{cycle} {number}"));
        }
    }

    /// Two backups, a cleaning and a check, begun within the time of a backup. Half of them are ended.
    fn parts(&mut self) -> Vec<Part<'a>> {
        let [first, second] = self.machines;
        let (cleaner, checker) = if self.dice.roll(2) == 0 { (first, second) } else { (second, first) };
        let parts: [(Machine<'a>, &str, &str, &[i32]); 4] = [
            (first, "first backup", "backup --json", &[0]),
            (second, "second backup", "backup --json", &[0]),
            // New snapshots of the other machine may end it early.
            (cleaner, "clean", CLEAN, &[0, 5]),
            (checker, "check", "check -q", &[0]),
        ];
        let mut made = Vec::new();
        for (machine, name, words, codes) in parts {
            let usual = self.usual.get(name).copied().unwrap_or(Duration::from_millis(80));
            let begins = self.dice.moment(usual.min(Duration::from_millis(300)));
            let ends = (self.dice.roll(2) == 0).then(|| self.dice.moment(usual));
            made.push(Part { machine, name, words, codes, begins, ends });
        }
        made
    }

    fn judge(&mut self, cycle: u64, part: &Part<'_>, came: &Came) {
        self.counts.entry(came.name).or_default().add(came.ending);
        if let Some(took) = came.took {
            self.usual.insert(came.name, took);
        }
        if came.said.contains("is writing") {
            self.waits += 1;
        }
        let is_right = match came.ending {
            Ending::Killed | Ending::Asked(None | Some(130)) => true,
            Ending::Asked(Some(code)) | Ending::Itself(code) => part.codes.contains(&code),
        };
        assert!(is_right, "cycle {cycle}, {}: {:?}: {}", came.name, came.ending, came.said);
    }

    fn cycle(&mut self, cycle: u64) {
        self.edit(cycle);
        let before = self.machines.map(|machine| machine.snapshot_ids());
        let parts = self.parts();
        let came: Vec<Came> = std::thread::scope(|scope| {
            let threads = (0..).zip(&parts).map(|(at, part)| scope.spawn(move || part.play(cycle * 4 + at)));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|thread| thread.join().expect("it played")).collect()
        });
        for (part, came) in parts.iter().zip(&came) {
            self.judge(cycle, part, came);
        }
        for (at, machine) in self.machines.into_iter().enumerate() {
            let listed = machine.snapshot_ids();
            match &came[at].reported {
                Some(id) => {
                    assert!(listed.contains(id), "cycle {cycle}, {}: {id} is gone", came[at].name);
                    machine.restores(id);
                }
                None => {
                    // It may be committed all the same, and then the one before may be cleaned.
                    let is_new = listed.iter().any(|id| !before[at].contains(id));
                    assert!(
                        is_new || before[at].first().is_some_and(|newest| listed.contains(newest)),
                        "cycle {cycle}"
                    );
                }
            }
        }
        if cycle.is_multiple_of(3) {
            // What was condemned is due, and is deleted during the next cycles.
            self.machines.iter().for_each(|machine| machine.let_days_pass(10));
        }
        for machine in self.machines {
            let ended = machine.run("backup --json").expect_code(0);
            machine.restores(ended.summary()["snapshot_id"].as_str().expect("a snapshot"));
        }
        if cycle.is_multiple_of(5) {
            self.machines.iter().for_each(|machine| drop(machine.run("check --read-data -q").expect_code(0)));
        }
    }
}

fn all_at_once(cycles: u64) {
    let world = World::set_up(&["primary"]);
    let machines = Machine::two(&world);
    let dice = Dice::new(13);
    let mut story = Story { machines, dice, usual: BTreeMap::new(), counts: BTreeMap::new(), waits: 0 };
    for cycle in 1..=cycles {
        story.cycle(cycle);
        if cycle.is_multiple_of(50) {
            eprintln!("T13: {cycle} cycles");
        }
    }
    for machine in machines {
        machine.let_days_pass(10);
        let ended = machine.run(CLEAN);
        assert!(matches!(ended.code, Some(0 | 5)), "{}", ended.stderr);
        machine.run("check --read-data -q").expect_code(0);
    }
    for (name, counts) in &story.counts {
        eprintln!("T13, {name}: {counts}");
    }
    let ended: u32 = story.counts.values().map(Counts::ended).sum();
    eprintln!("T13: {cycles} cycles, {ended} commands ended, {} waits that needed somebody", story.waits);
    assert_eq!(story.waits, 0, "locks that were in the way for too long");
}

#[test]
fn t13_two_machines_that_do_everything_at_once_lose_nothing() {
    all_at_once(3);
}

#[test]
#[ignore = "minutes: the whole of it"]
fn t13_hundreds_of_cycles_of_everything_at_once_lose_nothing() {
    let cycles = std::env::var("CYCLES").ok().and_then(|cycles| cycles.parse().ok());
    all_at_once(cycles.unwrap_or(500));
}
