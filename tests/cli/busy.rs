//! Several commands at once, and commands that are interrupted.

use std::time::{Duration, Instant};

use crate::support::{Ended, Running, World, noise};

/// A machine whose next backup takes long: the destination takes half a megabyte a second.
fn with_a_slow_destination() -> World {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    world.run("config set limits.upload.primary 512KiB").expect_code(0);
    world.write("docs/big", noise(12 << 20, 1));
    world
}

#[test]
fn reading_commands_work_while_a_backup_runs_and_a_second_backup_says_who_is_in_the_way() {
    let world = with_a_slow_destination();
    let mut first = Running::until(world.command(["backup", "--json"]), "reading");
    for words in ["status", "snapshots", "list docs/a", "ls latest", "restore --list", "check"] {
        world.run(words).expect_code(0);
    }
    world.run("restore --file docs/a --destination back").expect_code(0);
    assert_eq!(world.read("back"), "first");
    let who = format!("another command (process {}) is writing", first.id());
    let began = Instant::now();
    world.run("backup").expect_error(1, &[&who, "wait for it to end"]);
    assert!(began.elapsed() >= Duration::from_secs(9), "it waits a while first");
    world.run("add docs --exclude x").expect_code(0);
    assert!(first.is_running(), "all of this happened meanwhile");
    first.interrupt();
    first.end().expect_code(130);
}

#[test]
fn a_second_backup_waits_for_one_that_is_about_to_end() {
    let world = with_a_slow_destination();
    world.write("docs/big", noise(1 << 20, 1));
    let first = Running::until(world.command(["backup", "--json"]), "reading");
    world.run("backup").expect_code(0).expect_shown(&["0 new, 0 changed, 2 unmodified"]);
    first.end().expect_code(0);
    assert_eq!(world.run("status --json").expect_code(0).json()["snapshots"], 3);
}

#[cfg(unix)]
#[test]
fn an_interrupted_backup_is_130_and_the_next_goes_on() {
    let world = with_a_slow_destination();
    let running = Running::until(world.command(["backup", "--json"]), "reading");
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    running.interrupt();
    let ended = running.end().expect_code(130).expect_said(&[
        "Stopping at the next",
        "interrupted",
        "found again by the next run",
    ]);
    assert!(began.elapsed() < Duration::from_secs(15), "it stops soon: {:?}", began.elapsed());
    let last: serde_json::Value = serde_json::from_str(ended.stdout.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["message_type"], &last["exit_code"]), (&"error".into(), &130.into()));
    assert_eq!(world.run("snapshots --json").expect_code(0).json().as_array().map(Vec::len), Some(1));
    world.run("config unset limits.upload.primary").expect_code(0);
    world.run("backup").expect_code(0).expect_shown(&["1 new, 0 changed, 1 unmodified"]);
    world.run("check --read-data").expect_code(0);
    world.run("restore --directory docs --destination back").expect_code(0);
    assert_eq!(std::fs::read(world.path("back/big")).expect("restored"), noise(12 << 20, 1));
}

#[cfg(unix)]
#[test]
fn a_backup_that_was_killed_is_no_obstacle() {
    let world = with_a_slow_destination();
    let running = Running::until(world.command(["backup", "--json"]), "reading");
    running.kill();
    running.end();
    world.run("config unset limits.upload.primary").expect_code(0);
    world.run("backup").expect_code(0).expect_shown(&["1 new, 0 changed, 1 unmodified"]);
    world.run("check --read-data").expect_code(0);
}

/// A file that another process appends to all the time. It is large enough that no scheduler can let the whole of it be
/// read between two appends, and the backup begins only when the appending has.
#[test]
fn a_file_that_changes_while_it_is_read_is_three_and_is_read_again() {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "first");
    let path = world.write("docs/log", noise(64 << 20, 1));
    let is_over = AtomicBool::new(false);
    let (begun, has_begun) = std::sync::mpsc::channel();
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = std::fs::OpenOptions::new().append(true).open(&path).expect("a file");
            while !is_over.load(Ordering::Relaxed) {
                file.write_all(b"line\n").expect("written");
                let _ = begun.send(());
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        has_begun.recv().expect("it is appended to");
        let ended = world.run("backup");
        is_over.store(true, Ordering::Relaxed);
        ended
    });
    let ended = ended.expect_code(3).expect_shown(&["2 new", "Protected on 1 of 1"]);
    ended.expect_said(&["1 problem:\n", "docs/log: ", "hint: what changed while it was read"]);
    world.run("ls latest:docs").expect_code(0).expect_shown(&["docs/log  (unsettled)"]);
    world.run("backup").expect_code(0).expect_shown(&["1 changed, 1 unmodified"]);
    let all = std::fs::read(&path).expect("there");
    world.run("restore --file docs/log --destination back").expect_code(0);
    assert!(std::fs::read(world.path("back")).expect("restored") == all);
}

/// The program as a user who may not read everything; none where the tests cannot become another user.
#[cfg(unix)]
fn somebody_else(world: &World, words: &str) -> Option<std::process::Command> {
    use std::os::unix::process::CommandExt;
    if !rustix::process::geteuid().is_root() {
        return Some(world.command(words.split(' ')));
    }
    let mut command = world.command(words.split(' '));
    command.uid(65_534).gid(65_534);
    let mut probe = world.command(["--version"]);
    probe.uid(65_534).gid(65_534);
    match probe.output() {
        Ok(output) if output.status.success() => Some(command),
        _ => {
            eprintln!("skipped: the program cannot be run as another user here");
            None
        }
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_three_and_named() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let world = World::new();
    world.write("docs/open", "read me");
    world.write("docs/closed", "not me");
    world.write("docs/folder/inner", "nor me");
    for path in ["docs/closed", "docs/folder"] {
        std::fs::set_permissions(world.path(path), std::fs::Permissions::from_mode(0o000)).expect("ours");
    }
    if rustix::process::geteuid().is_root() {
        chown(world.path(""), Some(65_534), Some(65_534)).expect("root may");
    }
    let Some(command) = somebody_else(&world, "quickstart docs primary") else { return };
    let ended = Ended::of(command).expect_code(3);
    let ended = ended.expect_shown(&["is backed up, but not all of it", "1 new", "Protected on 1 of 1"]);
    let said = ["2 problems:\n", "docs/closed: ", "docs/folder: ", "Permission denied", "hint: the previous version"];
    ended.expect_said(&said);
    let status = Ended::of(somebody_else(&world, "status").expect("as before")).expect_code(0);
    status.expect_shown(&["with 2 problems, without one never"]);
    let summary = Ended::of(somebody_else(&world, "backup --json -q").expect("as before")).expect_code(3).summary();
    let problems = summary["problems"].as_array().expect("a list");
    assert_eq!((problems.len(), &problems[0]["kind"]), (2, &"unreadable".into()), "{summary}");
    let listed = Ended::of(somebody_else(&world, "restore --list").expect("as before")).expect_code(0);
    assert!(listed.stdout.contains("docs/open") && !listed.stdout.contains("closed"), "{}", listed.stdout);
    for path in ["docs/closed", "docs/folder"] {
        std::fs::set_permissions(world.path(path), std::fs::Permissions::from_mode(0o755)).expect("ours");
    }
}
