//! The process that watches: what it saves and when, what it does without a command, and how it ends.
//!
//! The long story: `cargo test --release --test cli watch -- --ignored`

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::full_disk::SmallDisk;
use crate::support::{Ended, World, noise};

/// No test waits longer for something to happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process that watches. It ends with the test.
struct Watching {
    child: Child,
    lines: Receiver<Value>,
}

impl Watching {
    fn start(world: &World) -> Self {
        Self::of(world.command(["watch", "--json"]))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (give, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
                if give.send(value).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The same when the first backup is done.
    fn started(world: &World) -> Self {
        let watching = Self::start(world);
        watching.wait_for("backup");
        watching
    }

    /// The next line of a kind.
    #[track_caller]
    fn wait_for(&self, kind: &str) -> Value {
        self.wait_until(|line| line["message_type"] == kind)
    }

    #[track_caller]
    fn wait_until(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if is_it(&line) {
                return line;
            }
            seen.push(line);
        }
        panic!("it did not come; what came: {seen:#?}");
    }

    /// Lines that come in a time.
    fn lines_for(&self, time: Duration) -> Vec<Value> {
        let until = Instant::now() + time;
        let next = || self.lines.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
        std::iter::from_fn(next).collect()
    }

    fn stop(mut self, signal: Signal) -> (Ended, Value) {
        kill_process(Pid::from_raw(self.child.id() as i32).expect("a process"), signal).expect("it is ours");
        let last = self.wait_for("summary");
        let mut stderr = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("stderr is text");
        (Ended { code: self.child.wait().expect("it ends").code(), stdout: String::new(), stderr }, last)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // One that was stopped is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn world(destinations: &[&str], interval: u32) -> World {
    let world = World::set_up(destinations);
    world.run(&format!("config set watch.interval {interval}")).expect_code(0);
    world.write("docs/kept", "always there");
    world
}

fn committed(line: &Value) -> Vec<&str> {
    let destinations = line["destinations"].as_array().expect("destinations").iter();
    destinations.filter(|it| it["committed"] == true).map(|it| it["name"].as_str().expect("a name")).collect()
}

/// Everything below a folder that people would miss.
fn tree(root: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let entries = walkdir::WalkDir::new(root).into_iter().map(|entry| entry.expect("listed"));
    entries
        .map(|entry| {
            let content = entry.file_type().is_file().then(|| fs::read(entry.path()).expect("readable"));
            (entry.path().strip_prefix(root).expect("below").to_owned(), content)
        })
        .collect()
}

#[track_caller]
fn assert_latest_is_the_tree(world: &World) {
    world.run("restore --directory docs --destination back").expect_code(0);
    assert!(tree(&world.path("docs")) == tree(&world.path("back")), "the snapshot is not the tree");
    // Looking at everything finds nothing that the watch missed.
    let whole = world.run("backup --json").expect_code(0).summary();
    assert_eq!((&whole["files_new"], &whole["files_changed"]), (&0.into(), &0.into()), "{whole}");
}

#[test]
fn an_interval_of_any_length_is_one() {
    let world = world(&["primary"], 1);
    world.run(&format!("config set watch.interval {}", u64::MAX)).expect_code(0);
    let watching = Watching::started(&world);
    world.write("docs/later", "waits for long");
    let lines = watching.lines_for(Duration::from_secs(2));
    assert!(lines.iter().all(|line| line["message_type"] != "backup"), "{lines:?}");
    let (ended, summary) = watching.stop(Signal::TERM);
    assert_eq!((ended.code, &summary["backups"]), (Some(0), &1.into()), "{}", ended.stderr);
}

#[test]
fn what_had_a_problem_is_tried_again_with_the_next_run_and_counts_until_it_has_none() {
    let world = world(&["primary"], 1);
    world.write("docs/odd/.cryptbackupignore", "!\n");
    world.write("docs/other/file", "x");
    let watching = Watching::started(&world);
    for run in 0..2 {
        world.write("docs/other/file", format!("again, {run}"));
        let line = watching.wait_for("backup");
        assert_eq!(line["problems"].as_array().map(Vec::len), Some(1), "run {run}: {line}");
    }
    world.run("status --check").expect_code(3);
    watching.stop(Signal::TERM);
}

#[test]
fn a_saved_file_is_on_every_destination_within_the_interval_and_two_seconds() {
    let world = world(&["primary", "secondary"], 2);
    let watching = Watching::started(&world);
    let mut fastest = PATIENCE;
    for (name, content) in [("docs/new/deep/file", "one"), ("docs/kept", "another"), ("docs/new/deep/file", "two")] {
        world.write(name, content);
        let saved = Instant::now();
        let line = watching.wait_until(|line| line["message_type"] == "backup" && line["snapshot_id"].is_string());
        fastest = fastest.min(saved.elapsed());
        assert_eq!(committed(&line), ["primary", "secondary"]);
    }
    // The others may have had to wait for the machine, which has other tests to run.
    assert!(fastest < Duration::from_secs(4), "{fastest:?}");
    fs::remove_file(world.path("docs/new/deep/file")).expect("removed");
    watching.wait_for("backup");
    world.rename("docs/new", "docs/moved");
    watching.wait_for("backup");
    let (ended, summary) = watching.stop(Signal::TERM);
    ended.expect_code(0);
    assert_eq!(
        (&summary["exit_code"], &summary["backups_whole"], &summary["failures"]),
        (&0.into(), &1.into(), &0.into())
    );
    assert_eq!(summary["snapshots"], 6);
    assert_latest_is_the_tree(&world);
}

#[test]
fn a_destination_that_comes_back_catches_up_by_itself() {
    let world = world(&["primary", "secondary"], 1);
    let watching = Watching::started(&world);
    world.rename("secondary", "away");
    let line = watching.wait_for("destination");
    assert_eq!((&line["name"], &line["is_there"]), (&"secondary".into(), &false.into()));
    world.write("docs/a", "while it was away");
    assert_eq!(committed(&watching.wait_for("backup")), ["primary"]);
    world.rename("away", "secondary");
    let line = watching.wait_for("destination");
    assert_eq!((&line["name"], &line["is_there"]), (&"secondary".into(), &true.into()));
    let line = watching.wait_for("sync");
    assert_eq!(line["destinations"][1]["snapshots_behind"], 0, "{line}");
    world.write("docs/b", "on both again");
    assert_eq!(committed(&watching.wait_for("backup")), ["primary", "secondary"]);
    watching.stop(Signal::INT).0.expect_code(0);
    world.rename("primary", "lost");
    assert_latest_is_the_tree_of(&world);
}

/// The same without another backup, since a destination is missing.
#[track_caller]
fn assert_latest_is_the_tree_of(world: &World) {
    world.run("restore --directory docs --destination back").expect_code(0);
    assert!(tree(&world.path("docs")) == tree(&world.path("back")), "the snapshot is not the tree");
}

#[test]
fn without_any_destination_it_waits_and_what_changed_meanwhile_is_saved() {
    let world = world(&["primary"], 1);
    let watching = Watching::started(&world);
    world.rename("primary", "away");
    watching.wait_for("destination");
    world.write("docs/a", "nowhere to go");
    assert_eq!(watching.wait_for("error")["fatal"], false);
    let said = watching.lines_for(Duration::from_secs(3));
    assert!(said.iter().all(|line| line["message_type"] != "error"), "it is said once: {said:?}");
    world.rename("away", "primary");
    let line = watching.wait_for("backup");
    assert_eq!((committed(&line), &line["files_new"]), (vec!["primary"], &1.into()));
    watching.stop(Signal::TERM).0.expect_code(0);
    assert_latest_is_the_tree(&world);
}

#[test]
fn other_commands_work_meanwhile_and_what_they_did_is_taken_in() {
    let world = world(&["primary"], 1);
    let watching = Watching::started(&world);
    world.write("docs/a", noise(200_000, 1));
    watching.wait_for("backup");
    world.run("status").expect_code(0);
    // Its packs are gone after this, and the content comes again.
    fs::remove_file(world.path("docs/a")).expect("removed");
    watching.wait_for("backup");
    world.run("config set retention.keep_days 0").expect_code(0);
    watching.wait_for("missed");
    watching.wait_for("backup");
    world.run("purge docs/a").expect_code(0);
    world.run("clean").expect_code(0);
    world.write("docs/a", noise(200_000, 1));
    watching.wait_until(|line| line["files_new"] == 1);
    world.run("config set destinations.secondary secondary").expect_code(0);
    let line = watching.wait_for("sync");
    assert_eq!(line["destinations"][1]["snapshots_behind"], 0, "{line}");
    world.write("docs/a", noise(200_000, 2));
    assert_eq!(committed(&watching.wait_for("backup")), ["primary", "secondary"]);
    watching.stop(Signal::TERM).0.expect_code(0);
    world.run("check --read-data").expect_code(0);
    assert_latest_is_the_tree(&world);
}

#[test]
fn without_realtime_everything_is_looked_at_every_interval_and_nothing_is_said_twice() {
    let world = world(&["primary"], 1);
    world.run("config set watch.realtime false").expect_code(0);
    let watching = Watching::started(&world);
    let quiet = watching.lines_for(Duration::from_secs(4));
    assert!(quiet.iter().all(|line| line["snapshot_id"].is_null()), "a snapshot of nothing new: {quiet:?}");
    world.write("docs/a", "seen by looking");
    let saved = Instant::now();
    let line = watching.wait_until(|line| line["snapshot_id"].is_string());
    assert!(saved.elapsed() < Duration::from_secs(3) && line["files_new"] == 1, "{line}");
    watching.stop(Signal::TERM).0.expect_code(0);
}

#[test]
fn cleaning_is_done_where_the_settings_ask_for_it() {
    let world = world(&["primary"], 1);
    world.run("config set retention.auto_clean true").expect_code(0);
    let watching = Watching::start(&world);
    watching.wait_for("clean");
    world.write("docs/a", "after it");
    watching.wait_for("backup");
    watching.stop(Signal::TERM).0.expect_code(0);
    assert_latest_is_the_tree(&world);
}

#[test]
fn what_cannot_be_watched_is_a_sentence() {
    let world = world(&["primary"], 1);
    world.run("config set watch.enabled false").expect_code(0);
    world.run("watch").expect_error(2, &["watch.enabled", "config set watch.enabled true"]);
    world.run("config set watch.enabled true").expect_code(0);
    world.run("config set watch.interval 0").expect_code(2);
    world.run("remove docs").expect_code(0);
    world.run("watch").expect_error(1, &["no source is configured"]);
    World::new().run("watch").expect_error(10, &[]);
}

#[test]
fn the_end_is_told_in_words() {
    let world = world(&["primary"], 1);
    let mut child =
        world.command(["watch"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    assert!(line.contains("  Snapshot ") && line.contains("1 new") && line.contains("on [primary]"), "{line}");
    kill_process(Pid::from_raw(child.id() as i32).expect("a process"), Signal::INT).expect("it is ours");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    for words in ["Watching ended", " Statistics :", "Snapshots: 1", "Files saved: 1"] {
        assert!(rest.contains(words), "{words} is not in\n{rest}");
    }
}

#[test]
fn a_full_destination_is_told_once_and_catches_up_when_there_is_room() {
    let world = world(&["primary"], 1);
    let Some(disk) = SmallDisk::new(&world, 20) else { return };
    world.run("config set destinations.secondary small/backup").expect_code(0);
    let watching = Watching::started(&world);
    disk.fill(0);
    for number in 0..3 {
        world.write("docs/a", noise(100_000, number));
        let line = watching.wait_for("backup");
        assert_eq!(committed(&line), ["primary"]);
        assert_eq!(line["destinations"][1]["state"], "full", "{line}");
    }
    disk.empty();
    watching.wait_until(|line| line["message_type"] == "sync" && line["destinations"][1]["snapshots_behind"] == 0);
    world.write("docs/a", "there is room");
    assert_eq!(committed(&watching.wait_for("backup")), ["primary", "secondary"]);
    watching.stop(Signal::TERM).0.expect_code(0);
    assert_latest_is_the_tree(&world);
}

/// What an ignore file left out is backed up and watched as soon as it does not any more.
#[test]
fn a_folder_that_is_not_left_out_any_more_is_watched() {
    let world = world(&["primary"], 1);
    world.write("docs/.cryptbackupignore", "one\n/two/deep\n");
    world.write("docs/three/.cryptbackupignore", "*\n!.cryptbackupignore\n");
    for folder in ["one", "two/deep", "three/deep"] {
        world.write(&format!("docs/{folder}/file"), "from the beginning");
    }
    let watching = Watching::started(&world);
    let saved = |key: &str| {
        let one = |line: &Value| line["message_type"] == "backup" && line[key] == 1;
        watching.wait_until(one);
    };
    // Written anew, removed, and moved away.
    world.write("docs/.cryptbackupignore", "/two/deep\n");
    saved("files_new");
    world.write("docs/one/file", "it is watched now");
    saved("files_changed");
    fs::remove_file(world.path("docs/.cryptbackupignore")).expect("removed");
    saved("files_new");
    world.write("docs/two/deep/file", "it is watched now");
    saved("files_changed");
    world.rename("docs/three/.cryptbackupignore", "ignored no more");
    saved("files_new");
    world.write("docs/three/deep/file", "it is watched now");
    saved("files_changed");
    watching.stop(Signal::TERM).0.expect_code(0);
    assert_latest_is_the_tree(&world);
}

/// While it stands still more changes than the system remembers for it.
#[test]
fn changes_that_were_missed_are_found_by_looking_at_everything() {
    let world = world(&["primary"], 1);
    world.folder("docs/many");
    let watching = Watching::started(&world);
    let process = Pid::from_raw(watching.child.id() as i32).expect("a process");
    kill_process(process, Signal::STOP).expect("it is ours");
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").expect("a limit");
    let limit: usize = limit.trim().parse().expect("a number");
    // Writing a file and closing it are two, of which some may be taken together.
    for number in 0..limit * 2 {
        world.write(&format!("docs/many/{}", number % 1000), number.to_string());
    }
    fs::create_dir(world.path("docs/unheard of")).expect("a folder");
    world.write("docs/unheard of/a", "one");
    kill_process(process, Signal::CONT).expect("it is ours");
    watching.wait_for("missed");
    watching.wait_until(|line| line["message_type"] == "backup" && line["files_new"] == 1001);
    world.write("docs/unheard of/a", "it is watched now");
    watching.wait_until(|line| line["message_type"] == "backup" && line["files_changed"] == 1);
    watching.stop(Signal::TERM).0.expect_code(0);
    assert_latest_is_the_tree(&world);
}

/// Where the system watches no more folders, it says so once, and goes on by looking at everything.
#[test]
fn a_source_with_more_folders_than_can_be_watched_is_looked_at_every_interval() {
    let world = world(&["primary"], 1);
    for number in 0..60 {
        world.write(&format!("docs/{number}/a"), "content");
    }
    let script = "echo 30 > /proc/sys/user/max_inotify_watches || exit 77; exec \"$0\" watch --json";
    let mut command = Command::new("unshare");
    let program = world.command(["watch"]);
    command.args(["-Ur", "sh", "-c", script]).arg(program.get_program()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut watching = Watching::of(command);
    std::thread::sleep(Duration::from_millis(500));
    if watching.child.try_wait().expect("a child").is_some() {
        eprintln!("skipped: the limit of watches cannot be set here");
        return;
    }
    let line = watching.wait_for("unwatched");
    assert!(line["detail"].as_str().is_some_and(|why| why.contains("max_user_watches")), "{line}");
    watching.wait_for("backup");
    world.write("docs/7/a", "seen by looking");
    watching.wait_until(|line| line["message_type"] == "backup" && line["files_changed"] == 1);
    let (ended, summary) = watching.stop(Signal::TERM);
    ended.expect_code(0);
    assert!(summary["backups_whole"].as_u64() > Some(1), "{summary}");
    assert_latest_is_the_tree(&world);
}

/// What a saved file costs, as `strace` counts it, with two destinations.
#[test]
fn a_saved_file_costs_few_calls() {
    if Command::new("strace").arg("-V").output().is_err() {
        eprintln!("skipped: there is no strace here");
        return;
    }
    let world = world(&["primary", "secondary"], 1);
    for number in 0..2000 {
        world.write(&format!("docs/{}/{}/{number}", number % 5, number % 50), "content");
    }
    let watching = Watching::started(&world);
    // The first one after the start finds the lists of owners.
    world.write("docs/0/0/0", "warm");
    watching.wait_for("backup");
    std::thread::sleep(Duration::from_secs(1));
    let process = watching.child.id().to_string();
    let log = world.path("calls");
    let mut strace = Command::new("strace")
        .args(["-f", "-e", "trace=open,openat,openat2,getdents,getdents64", "-p", &process, "-o"])
        .arg(&log)
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace starts");
    // It says when it is attached.
    let mut said = String::new();
    BufReader::new(strace.stderr.take().expect("a pipe")).read_line(&mut said).expect("a line");
    if !said.contains("attached") {
        eprintln!("skipped: strace may not attach here: {said}");
        strace.wait().expect("it ends");
        return;
    }
    world.write("docs/3/3/3", "saved");
    let line = watching.wait_for("backup");
    assert_eq!((committed(&line).len(), &line["files_changed"]), (2, &1.into()));
    std::thread::sleep(Duration::from_secs(3));
    kill_process(Pid::from_raw(strace.id() as i32).expect("a process"), Signal::INT).expect("it is ours");
    strace.wait().expect("it ends");
    watching.stop(Signal::TERM).0.expect_code(0);
    let text = fs::read_to_string(&log).expect("the calls");
    let calls = text.lines().filter(|line| line.contains("open") || line.contains("getdents"));
    let calls: Vec<&str> = calls.filter(|line| !line.contains("resumed>")).collect();
    assert!(calls.len() <= 50, "{} calls:\n{}", calls.len(), calls.join("\n"));
}

/// A number from a seed that goes on.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Creates, appends, renames, deletes, moves folders, at random.
fn live(world: &World, operations: u32, seed: u64) {
    let watching = Watching::started(world);
    let mut dice = Dice(seed);
    for number in 0..operations {
        let mut place = || format!("docs/{}/{}/{}", dice.below(4), dice.below(4), dice.below(8));
        let (one, other) = (place(), place());
        let folder = |path: &str| world.path(path.rsplit_once('/').expect("a folder").0);
        match dice.below(6) {
            0 | 1 => drop(world.write(&one, noise(dice.below(50_000) as usize, u64::from(number)))),
            2 => {
                if let Ok(mut file) = fs::File::options().append(true).open(world.path(&one)) {
                    std::io::Write::write_all(&mut file, b"more").expect("written");
                }
            }
            3 => drop(fs::rename(world.path(&one), world.path(&other))),
            4 => drop(fs::remove_file(world.path(&one))),
            _ => match dice.below(3) {
                0 => drop(fs::remove_dir_all(folder(&one))),
                _ => drop(fs::rename(folder(&one), folder(&other))),
            },
        }
        if dice.below(10) == 0 {
            std::thread::sleep(Duration::from_millis(dice.below(300)));
        }
    }
    // Until nothing is said any more.
    while watching.lines_for(Duration::from_secs(5)).iter().any(|line| line["message_type"] == "backup") {}
    let (ended, summary) = watching.stop(Signal::TERM);
    ended.expect_code(0);
    assert_eq!((&summary["failures"], &summary["backups_whole"]), (&0.into(), &1.into()), "{summary}");
    assert_latest_is_the_tree(world);
}

#[test]
fn whatever_happens_the_last_snapshot_is_the_tree() {
    live(&world(&["primary"], 1), 150, 1);
}

#[test]
#[ignore = "takes minutes: `cargo test --release --test cli watch -- --ignored`"]
fn whatever_happens_a_thousand_times_the_last_snapshot_is_the_tree() {
    for seed in 2..4 {
        let world = world(&["primary", "secondary"], 1);
        for number in 0..50_000 {
            world.write(&format!("docs/large/{}/{number}", number % 500), "content");
        }
        live(&world, 1000, seed);
    }
}
