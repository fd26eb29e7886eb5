//! Wrong usage and an invalid environment.

use crate::support::{Ended, World};

#[test]
fn wrong_usage_is_two_and_goes_to_stderr() {
    let world = World::new();
    for words in [
        "",
        "nonsense",
        "backup --stdin",
        "backup --stdin x --smart",
        "backup -n",
        "clean --keep-last x",
        "watch --nonsense",
        "status --nonsense",
        "restore",
        "restore --file a --date 2d --version 1",
        "restore --file a --date yesterday",
        "restore --file a --version 0",
        "restore --directory a --version 2",
        "check --read-data-subset 0%",
        "config",
        "config set x",
        "init --passphrase secret",
        "ls",
        "status -q -v",
        "completions tcl",
    ] {
        let ended = world.run(words).expect_code(2);
        assert_eq!(ended.stdout, "", "{words}");
        assert!(!ended.stderr.is_empty(), "{words}");
    }
    assert!(!world.state().exists());
}

#[test]
fn wrong_usage_is_json_when_json_is_asked_for() {
    let ended = World::new().run("restore --json --file a --version none").expect_code(2);
    let error = ended.json();
    assert_eq!((&error["message_type"], &error["exit_code"]), (&"error".into(), &2.into()));
    assert!(error["message"].as_str().is_some_and(|text| text.contains("--version")), "{error}");
    for (words, message) in [
        ("tag latest", "the following required arguments were not provided: <--add <TAG>|--remove <TAG>>"),
        ("dump latest --archive rar", "invalid value 'rar' for '--archive <KIND>' [possible values: tar, zip]"),
    ] {
        let error = World::new().run(&format!("{words} --json")).expect_code(2).json();
        assert_eq!(error["message"], message);
    }
}

#[test]
fn nothing_set_up_is_ten_and_says_what_to_do() {
    let world = World::new();
    for words in [
        "status",
        "backup",
        "backup --dry-run",
        "snapshots",
        "list f",
        "ls latest",
        "restore --file f",
        "restore --list",
        "check",
        "sync",
        "rebuild-index",
        "config show",
        "config get min_copies",
        "config set min_copies 2",
        "config set destinations.primary d",
        "config unset min_copies",
        "destination list",
        "destination forget x",
        "add .",
        "remove .",
    ] {
        let ended = world.run(words).expect_code(10);
        assert_eq!(ended.stdout, "", "{words}");
        assert!(
            ended.stderr.contains("not initialised") && ended.stderr.contains("hint: "),
            "{words}: {}",
            ended.stderr
        );
        let error = world.run(&format!("{words} --json")).expect_code(10).json();
        assert_eq!((&error["error"], &error["exit_code"]), (&"not-initialised".into(), &10.into()), "{words}");
    }
    assert!(!world.state().exists(), "nothing is created");
}

#[test]
fn what_another_program_left_is_not_touched() {
    let world = World::new();
    let config = world.write_config("version: '1.0.1'\n");
    std::fs::write(world.state().join("backups.db"), b"SQLite format 3\0...").expect("writable");
    world.folder("docs");
    for words in ["add docs", "status", "config set min_copies 2"] {
        let ended = world.run(words).expect_code(10);
        assert!(ended.stderr.contains("backups.db"), "{words}: {}", ended.stderr);
    }
    assert_eq!(std::fs::read_to_string(config).expect("readable"), "version: '1.0.1'\n");
}

#[test]
fn an_invalid_environment_is_an_error() {
    let world = World::new();
    world.write_config("version: '1.1'\n");
    for (name, value) in [
        ("CRYPTBACKUP_LANG", "klingon"),
        ("CRYPTBACKUP_LANG", ""),
        ("CRYPTBACKUP_HOME", ""),
        ("CRYPTBACKUP_PASSPHRASE", ""),
        ("CRYPTBACKUP_PASSPHRASE_FILE", ""),
    ] {
        let mut command = world.command(["config", "show"]);
        command.env(name, value);
        let ended = Ended::of(command).expect_code(2);
        assert!(ended.stderr.contains(name), "{}", ended.stderr);
    }
    let mut command = world.command(["config", "show"]);
    command.env("CRYPTBACKUP_PASSPHRASE", "a").env("CRYPTBACKUP_PASSPHRASE_COMMAND", "b");
    assert!(Ended::of(command).expect_code(2).stderr.contains("both set"));
    for language in ["en", "fr", "fr_FR.UTF-8", "en-GB"] {
        let mut command = world.command(["config", "show"]);
        command.env("CRYPTBACKUP_LANG", language);
        Ended::of(command).expect_code(0);
    }
}

#[test]
fn without_a_terminal_nothing_is_asked() {
    let world = World::new();
    let ended = world.run("init --passphrase").expect_code(2);
    assert!(ended.stderr.contains("terminal"), "{}", ended.stderr);
    world.write_config("version: '1.1'\n");
    let ended = world.run("status").expect_code(12);
    assert!(ended.stderr.contains("no passphrase was given"), "{}", ended.stderr);
}
