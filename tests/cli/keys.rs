//! `key`: what opens the repository is listed, added, removed, exported and rotated.

use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, World};

fn backed_up() -> World {
    let world = World::set_up(&["primary", "usb"]);
    world.write("docs/a", "content");
    world.run("backup -q").expect_code(0);
    world.write("pass", "correct horse");
    world
}

/// The keys as `key list` shows them.
#[track_caller]
fn keys(world: &World, more: &str) -> Vec<Value> {
    let listed = world.run(&format!("key list --json {more}")).expect_code(0).json();
    listed["keys"].as_array().expect("a list").clone()
}

#[track_caller]
fn id(world: &World, kind: &str, more: &str) -> String {
    let keys = keys(world, more);
    let key = keys.iter().find(|key| key["kind"] == kind).unwrap_or_else(|| panic!("no {kind} in {keys:?}"));
    key["key"].as_str().expect("an id")[..12].to_owned()
}

/// The program with a variable set.
fn with(world: &World, name: &str, value: &str, words: &str) -> Ended {
    let mut command = world.command(words.split_whitespace());
    command.env(name, value);
    Ended::of(command)
}

/// On a machine with nothing on it: connects, and looks whether what was saved is there.
#[track_caller]
fn expect_connects(world: &World, more: &str) {
    let ended =
        with(world, "CRYPTBACKUP_HOME", &world.path("new-state").display().to_string(), &format!("connect usb {more}"));
    ended.expect_code(0);
    std::fs::remove_dir_all(world.path("new-state")).expect("it was made");
}

#[cfg(unix)]
#[track_caller]
fn expect_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(path).expect("it was made").permissions().mode() & 0o777, 0o600);
}

#[cfg(not(unix))]
fn expect_private(_: &Path) {}

#[test]
fn a_list_says_what_opens_where() {
    let world = backed_up();
    let all = keys(&world, "");
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0]["kind"], &all[0]["here"], &all[0]["in_use"]), (&"inline".into(), &true.into(), &true.into()));
    assert_eq!(all[0]["destinations"], serde_json::json!(["primary", "usb"]));
    let shown = ["Key ", "Opened by", "key in config.yaml", "this computer, primary, usb", "in use", "under key 1"];
    world.run("key list").expect_code(0).expect_shown(&shown);
    world.rename("usb", "usb.away");
    world.run("key list").expect_code(0).expect_shown(&["this computer, primary", "Not within reach: usb"]);
    let mut french = world.command(["key", "list"]);
    french.env("CRYPTBACKUP_LANG", "fr");
    Ended::of(french).expect_code(0).expect_shown(&[
        "clé de config.yaml",
        "cet ordinateur, primary",
        "Hors de portée : usb",
    ]);
}

#[test]
fn each_kind_can_be_added_and_opens_a_new_machine() {
    let world = backed_up();
    let said = world.run("key add --recovery-key words").expect_code(0);
    said.expect_shown(&["added: recovery words", &world.path("words").display().to_string(), "apart from the backups"]);
    expect_private(&world.path("words"));
    assert_eq!(world.read("words").lines().last().expect("words").split(' ').count(), 24);
    world.run("key add --passphrase-file pass").expect_code(0).expect_shown(&["added: passphrase"]);
    // A key file that is there, and one that is made.
    world.write("photo", [7; 3_000]);
    world.run("key add --key-file photo").expect_code(0).expect_shown(&["added: key file"]);
    let made = world.run("key add --key-file made --json").expect_code(0).summary();
    assert_eq!((&made["kind"], &made["ring"], &made["epoch"]), (&"key-file".into(), &1.into(), &1.into()));
    assert_eq!(made["destinations"], serde_json::json!(["primary", "usb"]));
    expect_private(&world.path("made"));
    let said = world.run("key add --inline").expect_code(0);
    said.expect_shown(&["added: key in config.yaml", "Copies of config.yaml made before still open"]);
    assert_eq!(keys(&world, "").len(), 6);
    for more in ["--recovery-key words", "--passphrase-file pass", "--key-file photo", "--key-file made"] {
        expect_connects(&world, more);
    }
    std::fs::copy(world.state().join("config.yaml"), world.path("copy.yaml")).expect("a copy");
    expect_connects(&world, "--config copy.yaml");
    world.run("backup").expect_code(0);
    world.run("check --read-data").expect_code(0);
}

#[test]
fn what_cannot_be_added_changes_nothing() {
    let world = backed_up();
    world.write("short", "guess");
    world.write("empty", "");
    world.write("taken", "mine");
    let before = keys(&world, "");
    for (words, said) in [
        ("key add", "say what to add"),
        ("key add --key-file short", "less than 32 bytes"),
        ("key add --key-file empty", "less than 32 bytes"),
        ("key add --recovery-key taken", "exists already and is not overwritten"),
        ("key add --passphrase-file empty", "the passphrase is empty"),
        ("key add --passphrase", "no terminal"),
        ("key export taken", "exists already and is not overwritten"),
        ("key export --words taken", "exists already and is not overwritten"),
        ("key export one --words one", "need two files"),
        ("key remove zz", "is not a key"),
        ("key list --key-file empty", "is empty"),
    ] {
        world.run(words).expect_error(2, &[said]);
    }
    for words in ["key add --inline --key-file a", "key list --key-file a --recovery-key b", "key remove", "key"] {
        world.run(words).expect_code(2);
    }
    world.run("key add --key-file docs").expect_code(1);
    world.run("key add --passphrase-file nothing").expect_code(1);
    world.run("key remove 0123456789ab").expect_error(1, &["not found: key `0123456789ab`"]);
    world.write("photo", [7; 100]);
    world.run("key list --key-file photo").expect_error(12, &["the key file does not open"]);
    world
        .run("key add --recovery-key words --open-with-key-file photo")
        .expect_error(12, &["the key file does not open"]);
    assert_eq!(keys(&world, ""), before);
    assert_eq!(world.read("taken"), "mine");
    assert!(!world.path("words").exists() && !world.path("one").exists());
    world.run("key add --key-file photo").expect_code(0);
    world.run("key add --key-file photo").expect_error(2, &["opens the repository already"]);
    let both = [("CRYPTBACKUP_KEY_FILE", "photo"), ("CRYPTBACKUP_PASSPHRASE", "x")];
    let mut command = world.command(["key", "list"]);
    command.envs(both);
    Ended::of(command).expect_error(2, &["CRYPTBACKUP_KEY_FILE", "CRYPTBACKUP_PASSPHRASE"]);
}

#[test]
fn the_last_key_and_the_one_in_use_stay() {
    let world = backed_up();
    let inline = id(&world, "inline", "");
    world.run(&format!("key remove {inline}")).expect_error(2, &["it is the only key"]);
    world.run("key add --passphrase-file pass").expect_code(0);
    world.run(&format!("key remove {inline}")).expect_error(2, &["opens the repository now"]);
    assert_eq!(keys(&world, "").len(), 2);
    let ended = world.run(&format!("key remove {inline} --passphrase-file pass")).expect_code(0);
    ended.expect_shown(&["removed: key in config.yaml", "out of config.yaml"]).expect_said(&["can still open"]);
    assert_eq!(world.run("config get encryption.key").expect_code(0).stdout.trim(), "");
    world.run("status").expect_error(12, &["config.yaml holds no key"]);
    let backup = with(&world, "CRYPTBACKUP_PASSPHRASE_FILE", &world.path("pass").display().to_string(), "backup");
    backup.expect_code(0);
}

#[test]
fn a_machine_may_work_with_a_key_file_alone() {
    let world = backed_up();
    let inline = id(&world, "inline", "");
    world.run("key add --key-file stick").expect_code(0);
    world.run(&format!("key remove {inline} --key-file stick")).expect_code(0);
    world.write("docs/a", "another");
    world.run("backup --key-file stick").expect_code(0);
    let stick = world.path("stick").display().to_string();
    with(&world, "CRYPTBACKUP_KEY_FILE", &stick, "backup").expect_code(0);
    with(&world, "CRYPTBACKUP_KEY_FILE", &stick, "restore --snapshot latest --destination all").expect_code(0);
    with(&world, "CRYPTBACKUP_KEY_FILE", &stick, "key add --recovery-key words").expect_code(0);
    world.run("key add --inline --open-with-recovery-key words").expect_code(0);
    world.run("backup").expect_code(0);
}

#[test]
fn what_was_removed_stays_so_when_the_stick_is_back() {
    let world = backed_up();
    world.run("key add --passphrase-file pass").expect_code(0);
    let passphrase = id(&world, "passphrase", "");
    world.rename("usb", "away");
    let ended = world.run(&format!("key remove {passphrase}")).expect_code(5);
    ended.expect_said(&["[usb] gets this when it is back"]);
    world.rename("away", "usb");
    world.run("key list").expect_code(0).expect_shown(&["removed; goes with the next backup"]);
    world.run("sync").expect_code(0);
    assert_eq!(keys(&world, "").len(), 1);
    let connect = "connect usb --passphrase-file pass";
    with(&world, "CRYPTBACKUP_HOME", &world.path("new-state").display().to_string(), connect).expect_error(12, &[]);
    world.run("check").expect_code(0);
}

#[test]
fn an_exported_key_sets_up_a_new_machine_and_counts_as_kept() {
    let world = backed_up();
    let lone = "there is no key but the one in config.yaml";
    world.run("status").expect_code(0).expect_said(&[lone]);
    let said = world.run("key export saved.yaml").expect_code(0);
    said.expect_shown(&["The key is in", "connect DIR --config", "apart from the backups"]);
    expect_private(&world.path("saved.yaml"));
    assert!(!world.run("status").expect_code(0).stderr.contains(lone));
    assert_eq!(world.run("status --json").expect_code(0).json()["key_exported"], true);
    expect_connects(&world, "--config saved.yaml");
    assert_eq!(world.run("key export").expect_code(0).stdout, world.read("saved.yaml"));
    let key = world.run("config get encryption.key").expect_code(0).stdout;
    assert_eq!(world.run("key export --json").expect_code(0).summary()["secret"], key.trim());
    let both = world.run("key export again.yaml --words words --json").expect_code(0).summary();
    assert_eq!((&both["secret"], &both["added"]["kind"]), (&Value::Null, &"recovery".into()));
    for more in ["--config again.yaml", "--recovery-key words"] {
        expect_connects(&world, more);
    }
}

#[test]
fn a_passphrase_is_not_exported_and_words_are_made_instead() {
    let world = World::new();
    world.write("docs/a", "content");
    world.write("pass", "correct horse");
    world.run("quickstart docs usb --passphrase-file pass").expect_code(0);
    world.run("key export saved.yaml --passphrase-file pass").expect_error(2, &["holds no key to export", "--words"]);
    assert!(!world.path("saved.yaml").exists());
    world.run("key export --words words --passphrase-file pass").expect_code(0);
    expect_connects(&world, "--recovery-key words");
}

#[test]
fn after_a_rotation_the_old_and_the_new_are_read() {
    let world = backed_up();
    world.run("key export saved.yaml").expect_code(0);
    world.rename("usb", "away");
    world.run("key rotate").expect_code(5).expect_shown(&["sealed under key 2", "stays readable"]);
    world.write("docs/b", "after");
    world.run("backup -q").expect_code(5);
    world.rename("away", "usb");
    let rotated = world.run("key rotate --json").expect_code(0).summary();
    assert_eq!((&rotated["epoch"], &rotated["ring"], &rotated["key"]), (&3.into(), &3.into(), &Value::Null));
    world.run("backup -q").expect_code(0);
    expect_connects(&world, "--config saved.yaml");
    world.rename("primary", "primary.away");
    world.run("restore --snapshot latest --destination all").expect_code(0);
    world.run("restore --snapshot latest~1 --destination all1").expect_code(0);
    let docs = world.path("docs").display().to_string();
    assert_eq!(world.read(&format!("all{docs}/b")), "after");
    assert_eq!(world.read(&format!("all{docs}/a")), "content");
    world.run("check --read-data --destination usb").expect_code(0);
}
