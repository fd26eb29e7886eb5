//! What is lost on this machine, and what README.md says to do then.

use crate::support::{Ended, World};

/// A machine with a backup on `usb`, and a copy of its configuration in `copy`.
fn backed_up() -> World {
    let world = World::new();
    world.write("docs/a", "first");
    world.run("quickstart docs usb --recovery-key words").expect_code(0);
    std::fs::copy(world.state().join("config.yaml"), world.path("copy")).expect("a copy");
    world
}

/// The same, where the configuration is gone.
fn without_settings() -> World {
    let world = backed_up();
    std::fs::remove_file(world.state().join("config.yaml")).expect("there");
    world
}

/// Every file of the state folder with its bytes, but the file of the lock.
fn state(world: &World) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = world.files("state").into_iter().filter(|path| !path.ends_with("lock"));
    let mut files: Vec<_> = files.map(|path| (path.clone(), std::fs::read(path).expect("readable"))).collect();
    files.sort();
    files
}

const SETTINGS_LOST: &[&str] =
    &["config.yaml", "is missing", "put back your copy", "cryptbackup connect DIR", "init --force"];

#[test]
fn without_its_configuration_nothing_new_is_set_up_over_a_state() {
    let world = without_settings();
    let before = state(&world);
    world.run("status").expect_error(10, SETTINGS_LOST);
    for words in ["init", "quickstart docs other", "quickstart docs usb", "init --recovery-key more"] {
        world.run(words).expect_error(2, SETTINGS_LOST);
    }
    assert!(state(&world) == before && !world.path("other").exists() && !world.path("more").exists());
    // The cure.
    world.write_config(&world.read("copy"));
    world.run("backup").expect_code(0).expect_shown(&["0 new, 0 changed, 1 unmodified"]);
}

#[test]
fn a_new_beginning_moves_the_whole_state_aside() {
    let world = without_settings();
    let before = state(&world);
    let made = world.run("init --force --json").expect_code(0).json();
    let aside = std::path::PathBuf::from(made["moved_aside"].as_str().expect("a path"));
    let moved = before.iter().all(|(path, bytes)| {
        let below = path.strip_prefix(world.state()).expect("in it");
        std::fs::read(aside.join(below)).is_ok_and(|found| found == *bytes)
    });
    assert!(moved, "{:?}", world.names(&aside.display().to_string()));
    // What was moved opens what it opened.
    std::fs::copy(world.path("copy"), aside.join("config.yaml")).expect("a copy");
    let mut command = world.command(["backup"]);
    command.env("CRYPTBACKUP_HOME", &aside);
    Ended::of(command).expect_code(0).expect_shown(&["0 new, 0 changed, 1 unmodified"]);
    // The new one is in the way of the old backups, and the hint says how to get it out.
    let refused = world.run("connect usb --config copy").expect_error(2, &["holds a configuration already"]);
    assert!(refused.stderr.contains("move that folder away"), "{}", refused.stderr);
    world.rename("state", "away");
    world.run("connect usb --config copy").expect_code(0);
}

#[test]
fn connecting_takes_the_state_of_the_same_repository_up() {
    for key in ["--config copy", "--recovery-key words"] {
        let world = without_settings();
        world.run(&format!("connect usb {key}")).expect_code(0).expect_shown(&["1 snapshot of"]);
        world.write("docs/a", "second, longer");
        world.run("backup").expect_code(0).expect_shown(&["0 new, 1 changed"]);
        assert_eq!(world.run("list docs/a --json").expect_code(0).json().as_array().map(Vec::len), Some(2));
        world.run("check --read-data").expect_code(0);
    }
    // That of another one is left alone.
    let world = without_settings();
    let mut command = world.command(["quickstart", "docs", "other", "--recovery-key", "others"]);
    command.env("CRYPTBACKUP_HOME", world.path("other-state"));
    Ended::of(command).expect_code(0);
    let before = state(&world);
    world.run("connect other --recovery-key others").expect_error(2, SETTINGS_LOST);
    assert!(state(&world) == before);
}

#[test]
fn what_is_not_on_destinations_is_said_after_connecting() {
    let world = backed_up();
    world.run("config set retention.keep_days 90").expect_code(0);
    world.run_args(["exclude", "*.tmp"]).expect_code(0);
    world.run("key add --key-file photo").expect_code(0);
    world.run("key export key.yaml").expect_code(0);
    let connect = |state: &str, words: &str| {
        let mut command = world.command(words.split(' '));
        command.env("CRYPTBACKUP_HOME", world.path(state));
        Ended::of(command).expect_code(0)
    };
    let said = ["Excludes", "retention", "the defaults", "cryptbackup exclude", "cryptbackup config set"];
    connect("by words", "connect usb --recovery-key words").expect_shown(&said);
    connect("by file", "connect usb --key-file photo").expect_shown(&said);
    // The key alone holds no settings either.
    connect("by key", "connect usb --config key.yaml").expect_shown(&said);
    let whole = connect("by copy", "connect usb --config copy");
    assert!(!whole.stdout.contains("the defaults"), "{}", whole.stdout);
}

/// Many programs copy files alone, and leave out folders that have nothing in them.
#[test]
fn a_copy_without_its_empty_folders_is_as_good() {
    let world = backed_up();
    world.rename("usb", "whole");
    for path in world.files("whole") {
        let below = path.strip_prefix(world.path("whole")).expect("in it");
        for copy in ["usb", "cloud"] {
            let to = world.path(copy).join(below);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            std::fs::copy(&path, to).expect("copied");
        }
    }
    // On the machine that knows it nothing is written there, but it is read.
    let left = ["[primary] is damaged", "is missing", "what is left of it is read", "check --heal"];
    world.run("restore --snapshot latest --destination out").expect_code(0).expect_said(&left);
    let restored = format!("out{}", world.path("docs/a").display());
    assert_eq!(world.read(&restored), "first");
    world.run("backup").expect_error(15, &["is missing", "with --heal it puts right"]);
    world.run("check --heal").expect_code(16);
    world.run("backup").expect_code(0);
    // On a new one.
    world.rename("usb", "away");
    let new = |words: &str| {
        let mut command = world.command(words.split(' '));
        command.env("CRYPTBACKUP_HOME", world.path("new state"));
        Ended::of(command)
    };
    new("connect cloud --config copy").expect_code(0).expect_said(&["Folders that were missing", "are made: "]);
    new("restore --snapshot latest --destination new").expect_code(0);
    assert_eq!(world.read(&restored.replacen("out", "new", 1)), "first");
    new("backup").expect_code(0);
    new("check --read-data").expect_code(0);
}

/// Nothing is written to a folder of which nobody proved by a key that it is what is looked for.
#[test]
fn what_a_disk_is_that_does_not_say_so_is_told_by_the_key() {
    let world = backed_up();
    world.rename("state", "lost");
    for name in ["usb/dest.id", "usb/cryptbackup.repo"] {
        std::fs::remove_file(world.path(name)).expect("there");
    }
    let before = world.names("usb");
    world.write("wrong", "abandon ".repeat(23) + "art");
    world.run("connect usb --recovery-key wrong").expect_error(12, &["recovery words"]);
    world.run("quickstart docs usb").expect_error(2, &["holds backups already", "cryptbackup connect "]);
    assert_eq!(world.names("usb"), before);
    let said = ["dest.id is damaged", "it is missing", "written again", "cryptbackup destination accept"];
    world.run("connect usb --recovery-key words").expect_code(0).expect_said(&said);
    world.run("restore --snapshot latest --destination out").expect_code(0);
    assert_eq!(world.read(&format!("out{}", world.path("docs/a").display())), "first");
    world.run("backup").expect_code(0);
    world.run("check --read-data").expect_code(0);
}

#[test]
fn what_a_disk_is_that_does_not_say_so_is_known_where_it_was_used() {
    let world = backed_up();
    for name in ["usb/dest.id", "usb/cryptbackup.repo"] {
        std::fs::remove_file(world.path(name)).expect("there");
    }
    let left = ["[primary] is damaged", "what is left of it is read", "check --heal"];
    world.run("restore --snapshot latest --destination out").expect_code(0).expect_said(&left);
    world.run("backup").expect_error(15, &["dest.id is damaged", "--heal"]);
    // Another folder, of which not even the keys are those that it should have, is left alone.
    world.rename("usb/keys", "keys");
    std::fs::create_dir(world.path("usb/keys")).expect("made");
    world.run("check --heal").expect_code(15).expect_shown(&["nor a key ring can be read"]);
    assert!(!world.path("usb/dest.id").exists());
    std::fs::remove_dir(world.path("usb/keys")).expect("empty");
    world.rename("keys", "usb/keys");
    world.run("check --heal").expect_code(16);
    world.run("backup").expect_code(0);
    world.run("check --read-data").expect_code(0);
}

/// A disk rots where the state folder is, too.
#[test]
fn what_is_damaged_in_the_state_folder_is_had_from_a_destination() {
    let world = backed_up();
    let mut count = 0;
    for path in
        state(&world).into_iter().map(|(path, _)| path).filter(|path| path.starts_with(world.path("state/state")))
    {
        std::fs::write(&path, b"not what it was").expect("written");
        world.run("restore --snapshot latest --destination out --overwrite always").expect_code(0);
        world.run("backup").expect_code(0).expect_shown(&["0 new, 0 changed, 1 unmodified"]);
        world.run("check --read-data").expect_code(0);
        count += 1;
    }
    assert!(count >= 12, "{count}");
    // A key that opens nothing here opens nothing there.
    let config = world.read("state/config.yaml");
    let key = config.lines().find(|line| line.trim_start().starts_with("key: ")).expect("a key").to_owned();
    world.write_config(&config.replace(&key, &format!("  key: {}", "A".repeat(43) + "=")));
    world.run("backup").expect_error(12, &["does not open the repository"]);
}
