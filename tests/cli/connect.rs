//! A new machine: from one destination and a key to where the old one was.

use crate::support::{Ended, World};

/// A machine with two versions of a file, in a state folder of its own.
fn old_machine(more: &str) -> World {
    let world = World::new();
    world.write("docs/a", "first");
    world.write("pass", "correct horse");
    world.run(&format!("quickstart docs usb {more}")).expect_code(0);
    world.write("docs/a", "second, longer");
    world.run(&format!("backup -q {}", if more.contains("pass") { more } else { "" })).expect_code(0);
    world
}

/// The program on a machine whose state is elsewhere.
fn on_new(world: &World, words: &str) -> Ended {
    let mut command = world.command(words.split_whitespace());
    command.env("CRYPTBACKUP_HOME", world.path("new-state"));
    Ended::of(command)
}

/// Backups go on, and numbers do.
fn expect_going_on(world: &World, more: &str) {
    let listed = on_new(world, &format!("list docs/a --json {more}")).expect_code(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    on_new(world, &format!("restore --snapshot latest --destination all {more}")).expect_code(0);
    let base = world.path("all").display().to_string() + &world.path("docs/a").display().to_string();
    assert_eq!(std::fs::read_to_string(base).expect("restored"), "second, longer");
    world.write("docs/a", "third, the longest of all");
    on_new(world, &format!("backup {more}")).expect_code(0).expect_shown(&["0 new, 1 changed"]);
    let listed = on_new(world, &format!("list docs/a --json {more}")).expect_code(0).json();
    assert_eq!((&listed[2]["version"], &listed[2]["current"]), (&3.into(), &true.into()), "{listed}");
    on_new(world, &format!("check --read-data {more}")).expect_code(0);
}

#[test]
fn with_a_copy_of_the_configuration() {
    let world = old_machine("");
    std::fs::copy(world.state().join("config.yaml"), world.path("saved.yaml")).expect("a copy");
    let ended = on_new(&world, "connect usb --config saved.yaml").expect_code(0);
    let docs = world.path("docs").display().to_string();
    let ended = ended.expect_shown(&["Connected to destination [primary]: 2 snapshots of", &docs, "restore --list"]);
    assert_eq!(ended.stderr, "");
    let config = on_new(&world, "config show --json").expect_code(0).json();
    assert_eq!(config["sources"][0]["path"], docs.as_str());
    expect_going_on(&world, "");
}

#[cfg(unix)]
#[test]
fn a_copy_others_can_read_is_only_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let world = old_machine("");
    std::fs::copy(world.state().join("config.yaml"), world.path("saved.yaml")).expect("a copy");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(world.path("saved.yaml"), open).expect("as on a stick");
    on_new(&world, "connect usb --config saved.yaml").expect_code(0).expect_said(&["can be read by others"]);
    let mode = std::fs::metadata(world.path("new-state/config.yaml")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn with_recovery_words() {
    let world = old_machine("--recovery-key words");
    on_new(&world, "connect usb --recovery-key words").expect_code(0).expect_shown(&["2 snapshots of"]);
    expect_going_on(&world, "");
    // From standard input too, as from a person with the paper in the hand.
    let mut command = world.command(["connect", "usb", "--recovery-key", "-"]);
    command.env("CRYPTBACKUP_HOME", world.path("third-state"));
    command.stdin(std::fs::File::open(world.path("words")).expect("words"));
    Ended::of(command).expect_code(0);
}

#[test]
fn with_a_passphrase() {
    let world = old_machine("--passphrase-file pass");
    on_new(&world, "connect usb --passphrase-file pass").expect_code(0).expect_shown(&["2 snapshots of"]);
    on_new(&world, "status").expect_code(12);
    expect_going_on(&world, "--passphrase-file pass");
}

#[test]
fn wrong_secrets_leave_nothing_behind() {
    let world = old_machine("--recovery-key words");
    let right = world.read("words");
    let zoo = "zoo ".repeat(23) + "vote";
    for (words, said) in [
        (zoo.as_str(), "the recovery words do not open"),
        ("abandon able about", "not 24 valid recovery words"),
        (right.rsplit_once(' ').expect("words").0, "not 24 valid recovery words"),
    ] {
        world.write("wrong", words);
        on_new(&world, "connect usb --recovery-key wrong").expect_error(12, &[said]);
    }
    on_new(&world, "connect usb --passphrase-file pass").expect_error(12, &["the passphrase does not open"]);
    let config = std::fs::read_to_string(world.state().join("config.yaml")).expect("readable");
    let key = world.run("config get encryption.key").expect_code(0).stdout;
    world.write("saved.yaml", config.replace(key.trim(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    on_new(&world, "connect usb --config saved.yaml").expect_error(12, &["does not open the repository"]);
    on_new(&world, "connect usb").expect_error(2, &["no key was given", "--recovery-key FILE"]);
    assert!(!world.path("new-state").exists());
}

#[test]
fn what_is_no_destination_is_said_before_a_key_is_asked_for() {
    let world = old_machine("");
    world.folder("empty");
    for (place, said) in [("empty", "empty is not a destination"), ("nowhere", "nowhere does not exist")] {
        on_new(&world, &format!("connect {place}")).expect_error(13, &[said]);
        on_new(&world, &format!("connect {place} --passphrase-file pass")).expect_error(13, &[said]);
    }
    assert!(!world.path("new-state").exists());
    world.run("connect usb").expect_error(2, &["holds a configuration already"]);
}
