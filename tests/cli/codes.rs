//! How commands end when they cannot do their work: the code, a sentence, a hint, and nothing else.

use crate::support::{Ended, World};

const OTHER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Every command that opens the repository.
const OPENING: &[&str] = &[
    "backup",
    "backup --dry-run",
    "status",
    "snapshots",
    "list docs/a",
    "ls latest",
    "restore --list",
    "restore --file docs/a",
    "restore --directory docs --destination back",
    "restore --snapshot latest --dry-run",
    "check",
    "check --read-data",
    "sync",
    "destination list",
    "destination forget primary",
    "config set destinations.more more",
    "rebuild-index",
    "quickstart docs primary",
];

fn with_a_backup() -> World {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "a");
    world.run("backup -q").expect_code(0);
    world
}

#[test]
fn the_forerunners_state_is_ten_and_stays_as_it_is() {
    let world = World::new();
    world.folder("docs");
    std::fs::create_dir_all(world.state()).expect("a folder");
    let database = world.write("state/backups.db", b"SQLite format 3\0 and versions of files");
    world.write(
        "state/config.yaml",
        "version: '1.0.1'\nencryption:\n  key: 'bm90IGEga2V5IG9mIHRoaXMgcHJvZ3JhbSwgYSBGZXJuZXQ='\n",
    );
    let before = world.names("state");
    for words in OPENING.iter().copied().chain(["init", "init --force", "add docs", "remove docs", "config show"]) {
        let ended = world.run(words);
        ended.expect_error(10, &["backups.db is the SQLite database of an earlier program; it is not touched"]);
    }
    assert_eq!(std::fs::read(database).expect("there"), b"SQLite format 3\0 and versions of files");
    assert_eq!(world.names("state"), before);
}

#[test]
fn a_copy_of_the_configuration_alone_is_ten_and_leads_to_connect() {
    let world = with_a_backup();
    let config = world.read("state/config.yaml");
    std::fs::remove_dir_all(world.state()).expect("the machine is lost");
    let is_no_setup = |words: &&&str| !words.starts_with("quickstart");
    for words in OPENING.iter().filter(is_no_setup) {
        world.run(words).expect_code(10);
    }
    let ended = world.run("quickstart docs primary").expect_code(2);
    ended.expect_said(&["holds backups already", "cryptbackup connect "]);
    assert!(!world.state().exists(), "no new key was made");
    world.write_config(&config);
    std::fs::remove_dir_all(world.state().join("state")).expect("only the copy");
    for words in OPENING {
        world
            .run(words)
            .expect_error(10, &["config.yaml is a configuration without the state", "cryptbackup connect DIR"]);
    }
    assert_eq!(world.read("state/config.yaml"), config);
    world.run("connect primary").expect_code(0);
    assert_eq!(world.run("list docs/a --json").expect_code(0).json()[0]["version"], 1);
}

#[test]
fn a_wrong_key_is_twelve() {
    let world = with_a_backup();
    let config = world.read("state/config.yaml");
    let key = world.run("config get encryption.key").expect_code(0).stdout;
    assert!(config.contains(key.trim()));
    world.write("state/config.yaml", config.replace(key.trim(), OTHER_KEY));
    for words in OPENING {
        let ended = world.run(words);
        let ended =
            ended.expect_error(12, &["the key of config.yaml does not open", "put back your copy of config.yaml"]);
        assert!(!ended.stderr.contains(OTHER_KEY), "{}", ended.stderr);
    }
    world.write("state/config.yaml", config);
    world.run("status").expect_code(0);
    assert!(!world.path("back").exists() && !world.path("more").exists());
}

#[test]
fn a_wrong_passphrase_is_twelve() {
    let world = World::new();
    world.write("docs/a", "a");
    world.write("right", "correct horse");
    world.write("wrong", "battery staple");
    world.run("quickstart docs primary --passphrase-file right").expect_code(0);
    world.run("backup --passphrase-file wrong").expect_error(12, &["the passphrase does not open"]);
    let mut command = world.command(["status"]);
    command.env("CRYPTBACKUP_PASSPHRASE_COMMAND", "cat wrong");
    Ended::of(command).expect_error(12, &["the passphrase does not open"]);
    let mut command = world.command(["status"]);
    command.env("CRYPTBACKUP_PASSPHRASE_FILE", world.path("right"));
    Ended::of(command).expect_code(0);
    world.run("status --passphrase-file missing").expect_code(1).expect_said(&["cannot read missing: "]);
}

#[test]
fn no_destination_is_thirteen() {
    let world = with_a_backup();
    let needing = ["backup", "sync", "check", "restore --file docs/a", "restore --snapshot latest", "rebuild-index"];
    world.rename("primary", "unplugged");
    for words in needing {
        world.run(words).expect_error(13, &["no destination can be reached", "[primary]", "plug in the disk"]);
        let error = world.run(&format!("{words} --json"));
        let last = error.stdout.lines().last().expect("a line").to_owned();
        let last: serde_json::Value = serde_json::from_str(&last).expect("JSON");
        assert_eq!((&last["error"], &last["exit_code"]), (&"no-destination".into(), &13.into()));
    }
    assert!(!world.path("primary").exists(), "nothing makes a destination but `config set` and `quickstart`");
    // What needs none works.
    world.run("status").expect_code(0);
    world.run("snapshots").expect_code(0);
    world.run("backup --dry-run").expect_code(0);
    world.rename("unplugged", "primary");
    world.run("backup").expect_code(0);
    // An empty mount point is none either.
    world.rename("primary", "unplugged");
    world.folder("primary");
    world.run("backup").expect_error(13, &["primary is not a destination: is the disk plugged in"]);
    assert_eq!(world.names("primary"), [""; 0]);
}

#[test]
fn no_destination_configured_is_thirteen_and_says_how_to_configure_one() {
    let world = World::set_up(&[]);
    world.write("docs/a", "a");
    for words in ["backup", "sync", "check"] {
        world.run(words).expect_error(13, &["no destination is configured", "config set destinations.primary DIR"]);
    }
}

#[test]
fn nothing_to_back_up_is_one() {
    let world = World::set_up(&["primary"]);
    world.run("remove docs").expect_code(0);
    world.run("backup").expect_error(1, &["no source is configured", "cryptbackup add DIR"]);
    world.run("add docs").expect_code(0);
    std::fs::remove_dir(world.path("docs")).expect("empty");
    world.run("backup").expect_error(1, &["nothing to back up", "docs"]);
    assert_eq!(world.run("snapshots --json").expect_code(0).json(), serde_json::json!([]));
}

#[test]
fn what_is_not_there_is_one_and_wrong_usage_two() {
    let world = with_a_backup();
    for words in ["list docs/b", "restore --file docs/b", "restore --directory nowhere", "ls latest:/nowhere"] {
        world.run(words).expect_error(1, &["not found: "]);
    }
    world.run("restore --file docs/a --version 7").expect_error(1, &["version 7 of ", "there are 1"]);
    world.run("restore --file docs --destination x").expect_code(2).expect_said(&["restore --directory"]);
    world.run("restore --directory docs/a --destination x").expect_code(2).expect_said(&["--file"]);
    world.run("list docs").expect_code(2).expect_said(&["is a folder", "ls latest:"]);
    for words in [
        "restore --file docs/a --date 2d --version 1",
        "restore --file docs/a --from nobody",
        "check --destination nobody",
        "sync --destination nobody",
        "config set nonsense 1",
        "config set destinations.primary nowhere/backup",
        "config set destinations.a.b there",
    ] {
        let ended = world.run(words).expect_code(2);
        assert_eq!(ended.stdout, "", "{words}");
    }
    assert!(!world.path("there").exists() && !world.path("x").exists());
}
