//! Lists of files, samples and streams as they are typed.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Ended, World, noise};

/// Runs the program with these bytes on standard input.
fn with_input(mut command: Command, input: &[u8]) -> Ended {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    // Who refuses its arguments does not read.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    let output = child.wait_with_output().expect("it ends");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

fn piped(world: &World, words: &str, input: &[u8]) -> Ended {
    with_input(world.command(words.split_whitespace()), input)
}

#[test]
fn a_list_comes_from_a_file_or_a_pipe_by_lines_or_with_nuls() {
    let world = World::set_up(&["primary"]);
    for name in ["a", "b b", "c\nc", "d", "e"] {
        world.write(&format!("docs/{name}"), name);
    }
    world.write("list", "docs/a\n\ndocs/b b\n");
    let first = world.run("backup --files-from list --json").expect_code(0).summary();
    assert_eq!(first["files_new"], 2);
    let second = piped(&world, "backup --files-from - --json", b"docs/c\nc\0docs/d\0").expect_code(0).summary();
    assert_eq!(second["files_new"], 2);
    let snapshots = world.run("snapshots --json").expect_code(0).json();
    assert_eq!((&snapshots[0]["chosen"], &snapshots[0]["partial"]), (&true.into(), &false.into()));
    world.run("snapshots").expect_code(0).expect_shown(&["chosen files"]);
    // What stands in the list and is not there is a problem; an empty list is a mistake.
    world.write("list", "docs/a\ndocs/gone\n");
    world.run("backup --files-from list").expect_code(3).expect_said(&["docs/gone", "is not there"]);
    world.write("list", "\n\n");
    world.run("backup --files-from list").expect_code(2).expect_said(&["no path in"]);
    world.write("list", "elsewhere/x\n");
    world.run("backup --files-from list").expect_code(2).expect_said(&["elsewhere/x", "cryptbackup add"]);
    world.run("backup --files-from nowhere").expect_code(1).expect_said(&["nowhere"]);
    assert_eq!(world.run("backup --json").expect_code(0).summary()["files_new"], 1);
}

#[test]
fn a_sample_is_a_share() {
    let world = World::set_up(&["primary"]);
    for number in 0..20 {
        world.write(&format!("docs/{number}"), noise(2_000, number));
    }
    world.run("backup").expect_code(0);
    for wrong in ["0%", "101%", "some", "-1%"] {
        world.run(&format!("backup --recheck={wrong}")).expect_code(2).expect_said(&["percentage"]);
    }
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    world.run("backup").expect_code(0);
    world.run("backup --recheck 100%").expect_code(0).expect_shown(&["20 unmodified", "20 unchanged files read again"]);
    let summary = world.run("backup --recheck 10% --json").expect_code(0).summary();
    assert!(summary["files_rechecked"].as_u64().is_some_and(|count| count < 20), "{summary}");
    assert_eq!(summary["files_unmodified"], 20);
}

#[test]
fn a_pipe_is_stored_under_a_name_and_restored_by_it() {
    let world = World::set_up(&["primary", "usb"]);
    world.write("docs/file", "x");
    world.run("backup").expect_code(0);
    piped(&world, "backup --stdin shop.sql --tag nightly", b"first")
        .expect_code(0)
        .expect_shown(&["1 new", "Protected"]);
    let second = piped(&world, "backup --stdin shop.sql --json", b"second").expect_code(0).summary();
    assert_eq!((&second["files_changed"], &second["bytes_read"]), (&1.into(), &6.into()));
    world.run("list shop.sql").expect_code(0).expect_shown(&["6 B", "5 B"]);
    world.run("restore --file shop.sql --version 1 --destination out.sql").expect_code(0);
    assert_eq!(world.read("out.sql"), "first");
    let path = world.path("shop.sql");
    let dumped = world.run_args([std::ffi::OsStr::new("dump"), format!("latest:{}", path.display()).as_ref()]);
    assert_eq!(dumped.expect_code(0).stdout, "second");
    world.run("status").expect_code(0).expect_shown(&["shop.sql"]);
    world.run("backup").expect_code(0);
    world.run("config show").expect_code(0).expect_shown(&["stdin: true"]);
    // It goes like any other source, and what was stored stays.
    world.run("remove shop.sql").expect_code(0);
    world.run("backup").expect_code(0);
    world.run("restore --file shop.sql --destination again.sql").expect_code(0);
    assert_eq!(world.read("again.sql"), "second");
}

#[cfg(unix)]
#[test]
fn a_command_that_fails_leaves_nothing() {
    let world = World::set_up(&["primary"]);
    world
        .run_args(["backup", "--stdin", "n", "--", "sh", "-c", "echo part; exit 3"])
        .expect_code(1)
        .expect_said(&["`sh` failed: exit status: 3"]);
    assert_eq!(world.run("snapshots --json").expect_code(0).json().as_array().map(Vec::len), Some(0));
    let wrong = world.run_args(["backup", "--stdin", "n", "--", "no-such-program"]).expect_code(1);
    wrong.expect_said(&["no-such-program"]);
    world.run_args(["backup", "--stdin", "n", "--", "printf", "%s", "all of it"]).expect_code(0);
    world.run("restore --file n").expect_code(0);
    assert_eq!(world.read("n"), "all of it");
}

#[test]
fn what_cannot_be_together_is_wrong_usage() {
    let world = World::set_up(&["primary"]);
    world.write("docs/file", "x");
    for words in [
        "backup --stdin n --source docs",
        "backup --stdin n --smart",
        "backup --stdin n --dry-run",
        "backup --stdin n --files-from list",
        "backup --stdin n --recheck 1%",
        "backup --stdin n --accept-changes",
        "backup --smart --recheck 1%",
        "backup --smart --files-from list",
        "backup --files-from list --recheck 1%",
        "backup -- command",
        "backup --stdin docs",
        "backup --stdin",
    ] {
        let ended = piped(&world, words, b"bytes").expect_code(2);
        assert!(ended.stderr.starts_with("error: ") && ended.stdout.is_empty(), "{words}: {}", ended.stderr);
    }
    piped(&world, "backup --stdin n", b"").expect_error(1, &["nothing came", "--force"]);
    assert_eq!(world.run("snapshots --json").expect_code(0).json().as_array().map(Vec::len), Some(0));
    assert!(!world.run("config show").expect_code(0).stdout.contains("stdin"));
    piped(&world, "backup --stdin n --force", b"").expect_code(0);
}
