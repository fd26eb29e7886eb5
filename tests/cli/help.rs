//! Help and completions.

use crate::support::{Ended, World};

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
        "drill",
        "scrub",
        "sync",
        "rebuild-index",
        "sysinfo",
        "completions",
        "man",
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
        assert!(script.stdout.contains("CRYPTBACKUP_COMPLETE"), "{shell}");
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

/// What a shell would get for these words, of which the last is being typed.
fn completed(world: &World, words: &[&str]) -> Vec<String> {
    let arguments = ["--", "cryptbackup"].into_iter().chain(words.iter().copied());
    let mut command = world.command(arguments);
    command.env("CRYPTBACKUP_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_IFS", "\n").env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true");
    let ended = Ended::of(command).expect_code(0);
    assert_eq!(ended.stderr, "", "{words:?}");
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn completions_know_what_is_there() {
    let nothing = World::new();
    assert!(completed(&nothing, &["ls", ""]).iter().all(|word| !word.starts_with("latest")), "nothing is set up");
    assert!(completed(&nothing, &["quick"]).contains(&"quickstart".to_owned()));

    let world = World::set_up(&["primary", "other"]);
    world.write("docs/deep/report.txt", "one");
    world.write("docs/.profile", "two");
    world.run("backup -q").expect_code(0);
    assert_eq!(completed(&world, &["ls", "lat"]), ["latest"]);
    let docs = world.path("docs").display().to_string();
    assert_eq!(completed(&world, &["ls", &format!("latest:{docs}/d")]), [format!("latest:{docs}/deep/")]);
    assert_eq!(completed(&world, &["ls", &format!("latest:{docs}/.")]), [format!("latest:{docs}/.profile")]);
    let file = format!("latest:{docs}/deep/report.txt");
    assert_eq!(completed(&world, &["dump", &format!("latest:{docs}/deep/")]), [file]);
    assert_eq!(completed(&world, &["ls", "latest:/"]).len(), 1, "the way to the source");
    assert_eq!(completed(&world, &["check", "--destination", "p"]), ["primary"]);
    assert_eq!(completed(&world, &["config", "get", "destinations.o"]), ["destinations.other"]);
    assert_eq!(completed(&world, &["backup", "--source", &docs[..docs.len() - 1]]), [docs]);
}

#[test]
fn there_is_a_manual_page_of_every_command() {
    let world = World::new();
    let page = world.run("man restore").expect_code(0).stdout;
    assert!(page.contains(".TH") && page.contains("restore") && page.contains("EXAMPLES"), "{page}");
    assert!(world.run("man").expect_code(0).stdout.contains("quickstart"));
    world.run("man config set").expect_code(0);
    world.run("man nonsense").expect_code(2).expect_said(&["there is no command `nonsense`"]);
    world.folder("pages");
    world.run("man --output pages").expect_code(0);
    let pages = world.names("pages");
    for page in ["cryptbackup.1", "cryptbackup-config-set.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    world.run("man --output nowhere").expect_code(1).expect_said(&["nowhere"]);
}
