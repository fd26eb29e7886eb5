//! `quickstart`: from nothing to a backup, and again.

use crate::support::World;

fn with_documents() -> World {
    let world = World::new();
    world.write("docs/a.txt", "first");
    world.write("docs/sub/b.txt", "second");
    world.folder("disk");
    world
}

#[test]
fn an_empty_machine_is_backed_up_by_one_command() {
    let world = with_documents();
    let ended = world.run("quickstart docs disk/backup").expect_code(0);
    let config = world.state().join("config.yaml");
    let ended = ended.expect_shown(&[
        "is backed up.",
        "2 new, 0 changed, 0 unmodified files in 2 folders",
        "saved, ",
        "Protected on 1 of 1 destination",
        "without the key nothing can ever be restored",
        &format!("cp {}", config.display()),
        "cryptbackup restore --directory",
        "config set destinations.secondary DIR",
    ]);
    assert_eq!(ended.stderr, "", "nothing is wrong");
    assert!(config.exists() && world.path("disk/backup/dest.id").exists());
    let status = world.run("status --json").expect_code(0).json();
    assert_eq!((&status["snapshots"], &status["files"]), (&1.into(), &2.into()));
    std::fs::remove_dir_all(world.path("docs")).expect("gone");
    world.run(&format!("restore --directory docs --destination {}", world.path("back").display())).expect_code(0);
    assert_eq!((world.read("back/a.txt"), world.read("back/sub/b.txt")), ("first".into(), "second".into()));
}

#[test]
fn without_a_state_folder_of_its_own_it_is_in_the_home() {
    let world = with_documents();
    let mut command = world.command(["quickstart", "docs", "disk/backup"]);
    command.env_remove("CRYPTBACKUP_HOME");
    crate::support::Ended::of(command).expect_code(0);
    assert!(world.path("home/.mybackup/config.yaml").exists() && !world.state().exists());
}

#[test]
fn again_with_the_same_arguments_it_backs_up_again() {
    let world = with_documents();
    world.run("quickstart docs disk/backup").expect_code(0);
    world.write("docs/c.txt", "third");
    let again = world.run("quickstart docs/ disk/../disk/backup").expect_code(0);
    let again = again.expect_shown(&["1 new, 0 changed, 2 unmodified files"]);
    assert!(!again.stdout.contains("IMPORTANT"), "the key was shown the first time: {}", again.stdout);
    let config = world.run("config show --json").expect_code(0).json();
    assert_eq!(config["sources"].as_array().map(Vec::len), Some(1));
}

#[test]
fn another_source_is_added_and_keeps_the_first() {
    let world = with_documents();
    world.run("quickstart docs disk/backup").expect_code(0);
    world.write("photos/p.jpg", "light");
    world.run("quickstart photos disk/backup").expect_code(0).expect_shown(&["photos is backed up."]);
    let listed = world.run("restore --list").expect_code(0).stdout;
    assert!(listed.contains("docs/a.txt") && listed.contains("photos/p.jpg"), "{listed}");
    // A source with excludes keeps them.
    world.run_args(["add", "photos", "--exclude", "*.tmp"]).expect_code(0);
    world.run("quickstart photos disk/backup").expect_code(0);
    assert_eq!(world.run("config show --json").expect_code(0).json()["sources"][1]["exclude"][0], "*.tmp");
}

#[test]
fn another_destination_is_refused_and_says_how_to_add_one() {
    let world = with_documents();
    world.run("quickstart docs disk/backup").expect_code(0);
    let refused = world.run("quickstart docs disk/other").expect_code(2);
    refused.expect_said(&["is", "disk/backup already", "config set destinations.secondary DIR"]);
    assert!(!world.path("disk/other").exists());
}

#[test]
fn what_is_missing_is_said_before_anything_is_made() {
    let world = with_documents();
    let ended = world.run("quickstart nothing disk/backup").expect_code(2);
    ended.expect_said(&["nothing does not exist"]);
    let ended = world.run("quickstart docs unplugged/backup").expect_code(2);
    ended.expect_said(&["unplugged/backup cannot be created: the folder it would lie in does not exist"]);
    assert!(!world.state().exists() && !world.path("disk/backup").exists());
}

#[cfg(unix)]
#[test]
fn recovery_words_go_into_a_file_and_open_the_repository() {
    use std::os::unix::fs::PermissionsExt;
    let world = with_documents();
    let ended = world.run("quickstart docs disk/backup --recovery-key words.txt").expect_code(0);
    ended.expect_shown(&["words.txt open it too"]);
    let words = world.read("words.txt");
    let count = words.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).count();
    assert_eq!(count, 24, "{words}");
    let mode = std::fs::metadata(world.path("words.txt")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.run("status").expect_code(0).stderr, "", "there is a second key");
    world.run("status --recovery-key words.txt").expect_code(0);
    // Words come with a new repository only.
    world.run("quickstart docs disk/backup --recovery-key more.txt").expect_code(2);
    assert!(!world.path("more.txt").exists());
}

#[test]
fn a_passphrase_instead_of_a_key() {
    let world = with_documents();
    world.write("pass", "correct horse\n");
    world.run("quickstart docs disk/backup --passphrase-file pass").expect_code(0).expect_shown(&["Your passphrase"]);
    assert!(!world.read("state/config.yaml").contains("key:"), "no key lies about");
    world.run("status").expect_code(12);
    world.run("status --passphrase-file pass").expect_code(0);
    let mut command = world.command(["backup", "-q"]);
    command.env("CRYPTBACKUP_PASSPHRASE", "correct horse");
    crate::support::Ended::of(command).expect_code(0);
}
