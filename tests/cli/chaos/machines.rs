//! Real processes that are killed while they clean, and that clean while another machine backs up.
//!
//! A few rounds run always; the long runs are one command each:
//! `cargo test --release --test cli -- --ignored chaos --nocapture`

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::killing::Dice;
use crate::support::{World, noise};

fn id_of(summary: &Value) -> String {
    summary["snapshot_id"].as_str().expect("a snapshot").to_owned()
}

fn snapshot_ids(world: &World) -> Vec<String> {
    let listed = world.run("snapshots --json").expect_code(0).json();
    let listed = listed.as_array().expect("a list").iter();
    listed.map(|snapshot| snapshot["id"].as_str().expect("text").to_owned()).collect()
}

/// A second machine on the destination `primary`, with the source `other`.
struct Second<'a> {
    world: &'a World,
}

impl Second<'_> {
    fn command(&self, words: &str) -> Command {
        let mut command = self.world.command(words.split(' '));
        command.env("CRYPTBACKUP_HOME", self.world.path("second"));
        command
    }

    fn run(&self, words: &str) -> crate::support::Ended {
        crate::support::Ended::of(self.command(words))
    }
}

/// Time passes for the first machine: what it noted of its lists is as if it had been noted days ago.
fn let_days_pass(world: &World, days: i64) {
    let path = world.state().join("state/cleaning.json");
    let Ok(text) = std::fs::read_to_string(&path) else { return };
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    for destination in value["destinations"].as_object_mut().expect("destinations").values_mut() {
        for list in destination["lists"].as_object_mut().expect("lists").values_mut() {
            list["first"] = (list["first"].as_i64().expect("a time") - days * 86_400).into();
        }
    }
    std::fs::write(&path, value.to_string()).expect("written");
}

fn restored_is_same(world: &World, second: &Second<'_>, id: &str, expected: &Path) {
    let _ = std::fs::remove_dir_all(world.path("restored"));
    second.run(&format!("restore -q --snapshot {id} --destination restored")).expect_code(0);
    let restored = world.path("restored").join(world.path("other").strip_prefix("/").expect("absolute"));
    let same = Command::new("diff").arg("-r").arg(expected).arg(&restored).output().expect("diff runs");
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
}

/// One machine cleans at a random moment of the other's backup, which stores again what the first one let go of.
fn cleaned_while_backing_up(rounds: u64) {
    let world = World::set_up(&["primary"]);
    world.write("docs/start", "start");
    world.run("backup -q").expect_code(0);
    let copy = world.path("copy.yaml");
    std::fs::copy(world.state().join("config.yaml"), &copy).expect("a copy");
    let second = Second { world: &world };
    second.run("connect primary --config copy.yaml -q").expect_code(0);
    let docs = world.path("docs").display().to_string();
    second.run(&format!("remove {docs}")).expect_code(0);
    world.folder("other");
    second.run("add other").expect_code(0);
    world.write("other/start", "start");
    second.run("backup -q").expect_code(0);
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
            let_days_pass(&world, 10);
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
        restored_is_same(&world, &second, &id_of(&summary), &world.path("other"));
    }
    let_days_pass(&world, 10);
    world.run("clean --keep-last 1 --keep-days 0 --keep-versions 1 --force -q").expect_code(0);
    second.run("check --read-data -q").expect_code(0);
    world.run("check --read-data -q").expect_code(0);
    let newest = snapshot_ids(&world);
    assert!(!newest.is_empty());
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
