//! Help and completions.

use crate::support::World;

#[test]
fn help_lists_commands_exit_codes_and_variables() {
    let ended = World::new().run("--help").expect_code(0);
    for part in [
        "quickstart",
        "rebuild-index",
        "EXAMPLES:",
        "EXIT CODES:",
        "  13  no destination reachable",
        " 130  interrupted",
        "CRYPTBACKUP_PASSPHRASE_COMMAND",
        "--no-progress",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is not in\n{}", ended.stdout);
    }
    assert_eq!(ended.stderr, "");
}

#[test]
fn every_command_has_help_with_examples() {
    for command in [
        "quickstart",
        "init",
        "connect",
        "add",
        "remove",
        "config",
        "config show",
        "config get",
        "config set",
        "config unset",
        "destination",
        "destination list",
        "destination accept",
        "destination forget",
        "backup",
        "status",
        "snapshots",
        "list",
        "ls",
        "restore",
        "clean",
        "forget",
        "unforget",
        "purge",
        "pin",
        "tag",
        "note",
        "check",
        "scrub",
        "sync",
        "rebuild-index",
        "sysinfo",
        "completions",
    ] {
        let ended = World::new().run(&format!("{command} --help")).expect_code(0);
        assert!(ended.stdout.contains("EXAMPLES:"), "{command}:\n{}", ended.stdout);
        assert!(ended.stdout.contains("--json"), "{command}:\n{}", ended.stdout);
    }
}

#[test]
fn version_and_completions_need_no_setup() {
    let world = World::new();
    let version = world.run("--version").expect_code(0);
    assert_eq!(version.stdout, format!("cryptbackup {}\n", env!("CARGO_PKG_VERSION")));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.run(&format!("completions {shell}")).expect_code(0);
        assert!(script.stdout.contains("quickstart"), "{shell}");
    }
    let system = world.run("sysinfo --json").expect_code(0).json();
    assert_eq!(system["initialised"], false);
    assert_eq!(system["home"], world.state().to_str().expect("text"));
    assert!(!world.state().exists(), "looking creates nothing");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let world = World::new();
    let mut child =
        world.command(["completions", "zsh"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), ended.stderr.is_empty()), (Some(0), true));
}
