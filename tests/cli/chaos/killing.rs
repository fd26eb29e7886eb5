//! Processes that are ended at a random moment of their work.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::World;

/// No process that was asked to end takes longer.
const HANG: Duration = Duration::from_secs(60);

/// Numbers that look random and are the same in every run.
pub struct Dice(u64);

impl Dice {
    /// Other numbers for every seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed << 32)
    }

    /// One of the numbers below `below`.
    pub fn roll(&mut self, below: u64) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0.to_le_bytes());
        self.0 += 1;
        let bytes = hasher.finalize();
        bytes.as_bytes().iter().take(8).fold(0u64, |sum, &byte| sum << 8 | u64::from(byte)) % below
    }

    /// A moment within a time.
    pub fn moment(&mut self, within: Duration) -> Duration {
        Duration::from_micros(self.roll(within.as_micros() as u64 + 1))
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, before anything was done to it.
    Itself(i32),
    /// It was killed.
    Killed,
    /// It was asked to end, and did with this code. None: before it began to listen.
    Asked(Option<i32>),
}

/// A process whose words go to files, so that what it said before it was killed is known.
pub struct Victim<'a> {
    world: &'a World,
    name: String,
    child: Child,
    began: Instant,
}

impl<'a> Victim<'a> {
    /// Starts a command. Two with the same name must not run at once.
    pub fn start(world: &'a World, name: &str, mut command: Command) -> Self {
        let file = |what: &str| File::create(world.path(&format!("{name}.{what}"))).expect("a file for its words");
        let child = command.stdout(Stdio::from(file("stdout"))).stderr(Stdio::from(file("stderr"))).spawn();
        Self { world, name: name.to_owned(), child: child.expect("the program starts"), began: Instant::now() }
    }

    /// Lets it work for `delay` since its start, then ends it: by force, or four times in ten as Ctrl-C or the system's
    /// shutdown do, sometimes twice.
    pub fn end_after(&mut self, delay: Duration, dice: &mut Dice) -> Ending {
        while self.began.elapsed() < delay {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return Ending::Itself(self.code(status));
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let signal = match dice.roll(10) {
            0 | 1 => Signal::TERM,
            2 | 3 => Signal::INT,
            _ => Signal::KILL,
        };
        self.signal(signal);
        if signal != Signal::KILL && dice.roll(3) == 0 {
            std::thread::sleep(Duration::from_micros(dice.roll(3000)));
            self.signal(signal);
        }
        let status = self.wait();
        match status.signal() {
            Some(number) if number == Signal::KILL.as_raw() => Ending::Killed,
            Some(number) if number == signal.as_raw() => Ending::Asked(None),
            // A signal that comes when all is done changes nothing.
            None if signal == Signal::KILL => Ending::Itself(self.code(status)),
            _ => Ending::Asked(Some(self.code(status))),
        }
    }

    /// Lets it end by itself.
    pub fn end(&mut self) -> i32 {
        let status = self.wait();
        self.code(status)
    }

    /// How long it has run.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// What it said on stderr.
    pub fn said(&self) -> String {
        self.world.read(&format!("{}.stderr", self.name))
    }

    /// The summary of its work, if it came to say one.
    pub fn summary(&self) -> Option<Value> {
        let text = self.world.read(&format!("{}.stdout", self.name));
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.rfind(|line| line["message_type"] == "summary")
    }

    fn signal(&self, signal: Signal) {
        // It may have ended meanwhile, and is not waited for yet: its number is still its own.
        let _ = kill_process(Pid::from_raw(self.child.id() as i32).expect("a process"), signal);
    }

    fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            if began.elapsed() > HANG {
                self.signal(Signal::KILL);
                panic!("{} did not end: {}", self.name, self.said());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn code(&self, status: ExitStatus) -> i32 {
        let said = self.said();
        assert!(!said.contains("panicked"), "{}: {said}", self.name);
        status.code().unwrap_or_else(|| panic!("{}: {status}, which nobody asked for: {said}", self.name))
    }
}

/// How many processes ended in which way.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<&'static str, u32>);

impl Counts {
    /// Counts one.
    pub fn add(&mut self, ending: Ending) {
        let name = match ending {
            Ending::Itself(_) => "ended before",
            Ending::Killed => "killed",
            Ending::Asked(None) => "asked before it listened",
            Ending::Asked(Some(130)) => "asked, stopped",
            Ending::Asked(Some(_)) => "asked, done all the same",
        };
        *self.0.entry(name).or_default() += 1;
    }

    /// How many were ended by somebody.
    pub fn ended(&self) -> u32 {
        self.0.iter().filter(|(name, _)| **name != "ended before").map(|(_, count)| count).sum()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(out, "{}", parts.join(", "))
    }
}
