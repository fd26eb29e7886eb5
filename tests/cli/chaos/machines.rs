//! T13: machines that share a destination, and one of them cleans while another backs up. Whatever it lets go of is stored
//! again by the one that needs it.
//!
//! A few rounds run always; the long run is one command:
//! `TMPDIR=/dev/shm cargo test --test cli -- --ignored cleaning_two_hundred --nocapture`

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::killing::Dice;
use super::promises::{assert_same, tree};
use crate::support::{Ended, World, noise};

/// A machine with its own state folder and source, on the destination `primary`.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    pub world: &'a World,
    state: &'static str,
    pub source: &'static str,
}

impl<'a> Machine<'a> {
    /// Two machines, each of which has backed up once.
    pub fn two(world: &'a World) -> [Self; 2] {
        let first = Self { world, state: "state", source: "docs" };
        let second = Self { world, state: "second", source: "other" };
        world.write("docs/start", "start");
        first.run("backup -q").expect_code(0);
        std::fs::copy(world.state().join("config.yaml"), world.path("copy.yaml")).expect("a copy");
        second.run("connect primary --config copy.yaml -q").expect_code(0);
        second.run(&format!("remove {}", world.path("docs").display())).expect_code(0);
        world.write("other/start", "start");
        second.run("add other").expect_code(0);
        second.run("backup -q").expect_code(0);
        [first, second]
    }

    /// The program on this machine.
    pub fn command(&self, words: &str) -> Command {
        let mut command = self.world.command(words.split(' '));
        command.env("CRYPTBACKUP_HOME", self.world.path(self.state));
        command
    }

    /// Runs it to its end.
    pub fn run(&self, words: &str) -> Ended {
        Ended::of(self.command(words))
    }

    /// The ids of the snapshots of its source, the newest first.
    pub fn snapshot_ids(&self) -> Vec<String> {
        let source = self.world.path(self.source).display().to_string();
        let listed = self.run("snapshots --json").expect_code(0).json();
        let of_source = |snapshot: &&Value| {
            snapshot["roots"].as_array().is_some_and(|roots| roots.iter().any(|root| root["path"] == *source))
        };
        let own = listed.as_array().expect("a list").iter().filter(of_source);
        own.map(|snapshot| snapshot["id"].as_str().expect("text").to_owned()).collect()
    }

    /// Fails unless a snapshot restores to what its source is now.
    pub fn restores(&self, id: &str) {
        let target = format!("restored {}", self.source);
        let _ = std::fs::remove_dir_all(self.world.path(&target));
        let words = ["restore", "-q", "--snapshot", id, "--destination", &target];
        let mut command = self.world.command(words);
        command.env("CRYPTBACKUP_HOME", self.world.path(self.state));
        Ended::of(command).expect_code(0);
        let source = self.world.path(self.source);
        let restored = self.world.path(&target).join(source.strip_prefix("/").expect("absolute"));
        assert_same(&tree(&source), &tree(&restored));
    }

    /// Time passes for it: what it noted of its lists is as if it had been noted days ago.
    pub fn let_days_pass(&self, days: i64) {
        let_days_pass(&self.world.path(self.state), days);
    }
}

fn id_of(summary: &Value) -> String {
    summary["snapshot_id"].as_str().expect("a snapshot").to_owned()
}

fn let_days_pass(state: &Path, days: i64) {
    let path = state.join("state/cleaning.json");
    let Ok(text) = std::fs::read_to_string(&path) else { return };
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    for destination in value["destinations"].as_object_mut().expect("destinations").values_mut() {
        for list in destination["lists"].as_object_mut().expect("lists").values_mut() {
            list["first"] = (list["first"].as_i64().expect("a time") - days * 86_400).into();
        }
    }
    std::fs::write(&path, value.to_string()).expect("written");
}

/// One machine cleans at a random moment of the other's backup, which stores again what the first one let go of.
fn cleaned_while_backing_up(rounds: u64) {
    let world = World::set_up(&["primary"]);
    let [first, second] = Machine::two(&world);
    let mut dice = Dice::new(11);
    let mut usual = Duration::from_millis(300);
    for round in 1..=rounds {
        // What the first machine lets go of in this round is what the second one stores.
        for file in 0..4 {
            world.write(&format!("docs/{file}"), noise(60_000, round * 10 + file));
            world.write(&format!("other/{file}"), noise(60_000, round * 10 + file));
        }
        world.run("backup -q").expect_code(0);
        for file in 0..4 {
            world.write(&format!("docs/{file}"), noise(10, round * 10 + file));
        }
        world.run("backup -q").expect_code(0);
        if round % 3 == 0 {
            // What was condemned in earlier rounds is due, and is deleted during the backup.
            first.let_days_pass(10);
        }
        let began = Instant::now();
        let backup = second.command("backup --json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let backup = backup.expect("the program starts");
        std::thread::sleep(Duration::from_micros(dice.roll(usual.as_micros() as u64)));
        let words = "clean --keep-last 1 --keep-days 0 --keep-versions 1 --force -q";
        let cleaned = world.run(words);
        // A new snapshot of the other machine may end it early.
        assert!(matches!(cleaned.code, Some(0 | 5)), "{}", cleaned.stderr);
        let ended = backup.wait_with_output().expect("it ends");
        usual = began.elapsed() / 2;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(0), "round {round}: {said}");
        let last = String::from_utf8(ended.stdout).expect("text");
        let summary: Value = serde_json::from_str(last.lines().last().expect("a line")).expect("JSON");
        second.restores(&id_of(&summary));
    }
    first.let_days_pass(10);
    world.run("clean --keep-last 1 --keep-days 0 --keep-versions 1 --force -q").expect_code(0);
    second.run("check --read-data -q").expect_code(0);
    world.run("check --read-data -q").expect_code(0);
    assert!(!first.snapshot_ids().is_empty());
    eprintln!("{rounds} rounds");
}

#[test]
fn cleaning_while_another_machine_backs_up_loses_nothing() {
    cleaned_while_backing_up(6);
}

#[test]
#[ignore = "takes minutes"]
fn cleaning_two_hundred_times_while_another_machine_backs_up() {
    cleaned_while_backing_up(200);
}
