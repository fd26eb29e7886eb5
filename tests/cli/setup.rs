//! `add`, `remove` and `config`: what only changes config.yaml.

use crate::support::World;

const SEED: &str = "version: '1.0.1'
created_at: '2026-01-20T14:30:00'
encryption:
  algorithm: AES-256-GCM
  key: 'VOTRE_CLE_SECRETE_ICI'
compression:
  enabled: true
  algorithm: zstd
  level: 3
sources:
  - path: /home/votreuser/Documents
    exclude: ['*.tmp', '~*', 'desktop.ini']
    added_at: '2026-01-20T14:35:00'
destinations:
  primary: /home/user/backup
";

fn text(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).expect("readable")
}

#[test]
fn config_is_shown_without_the_key() {
    let world = World::new();
    world.write_config(SEED);
    let shown = world.run("config show").expect_code(0);
    assert!(shown.stdout.contains("primary: /home/user/backup"), "{}", shown.stdout);
    let json = world.run("config show --json").expect_code(0);
    assert_eq!(json.json()["destinations"]["primary"], "/home/user/backup");
    for output in [&shown.stdout, &shown.stderr, &json.stdout, &json.stderr] {
        assert!(!output.contains("VOTRE_CLE"), "{output}");
    }
}

#[test]
fn the_seeds_config_commands_work() {
    let world = World::new();
    let config = world.write_config(SEED);
    world.run("config set compression.level 5").expect_code(0);
    world.run("config set retention.auto_clean true").expect_code(0);
    world.run("config set watch.interval 600").expect_code(0);
    for (key, value) in [("compression.level", "5"), ("retention.auto_clean", "true"), ("watch.interval", "600")] {
        let got = world.run(&format!("config get {key}")).expect_code(0);
        assert_eq!(got.stdout, format!("{value}\n"));
        let json = world.run(&format!("config get {key} --json")).expect_code(0).json();
        assert_eq!((&json["key"], &json["value"]), (&key.into(), &value.into()));
    }
    world.run("config unset compression.level").expect_code(0);
    assert_eq!(world.run("config get compression.level").expect_code(0).stdout, "3\n");
    assert!(text(&config).contains("VOTRE_CLE_SECRETE_ICI"), "the key stays");
}

#[test]
fn refused_keys_and_values_change_nothing() {
    let world = World::new();
    let config = world.write_config(SEED);
    for words in [
        "set nonsense 1",
        "set compression.level 23",
        "set compression.level -1",
        "set min_copies 0",
        "set retention.auto_clean perhaps",
        "set limits.memory lots",
        "set destinations.a.b d",
        "set version 9",
        "set encryption.key short",
        "unset nonsense",
        "unset destinations.nowhere",
        "get nonsense",
        "get destinations.nowhere",
    ] {
        let ended = world.run(&format!("config {words}")).expect_code(2);
        let key = words.split(' ').nth(1).expect("a key");
        assert!(ended.stderr.contains(key), "{words}: {}", ended.stderr);
        assert_eq!(text(&config), SEED, "{words}");
    }
    world.run("destination forget nowhere").expect_code(1);
    assert_eq!(text(&config), SEED);
}

#[test]
fn a_key_that_is_replaced_is_kept_aside() {
    let world = World::new();
    let config = world.write_config(SEED);
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let ended = world.run(&format!("config set encryption.key {key}")).expect_code(0);
    assert!(!ended.stdout.contains(key), "{}", ended.stdout);
    assert!(text(&config).contains(key));
    let aside: Vec<_> = std::fs::read_dir(world.state())
        .expect("readable")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().contains("config.yaml.old-"))
        .collect();
    assert_eq!(aside.len(), 1);
    assert!(text(&aside[0]).contains("VOTRE_CLE_SECRETE_ICI"));
}

#[test]
fn unknown_keys_in_the_file_are_warned_of_and_kept() {
    let world = World::new();
    let config = world.write_config("version: '1.1'\nretention:\n  keep_day: 5\n");
    let ended = world.run("config set min_copies 2").expect_code(0);
    assert_eq!(ended.stderr, "");
    assert!(text(&config).contains("keep_day: 5"));
    let ended = world.run("config show").expect_code(0);
    assert!(ended.stderr.contains("retention.keep_day"), "{}", ended.stderr);
    assert_eq!(world.run("config show -q").expect_code(0).stderr, "");
}

#[test]
fn a_broken_file_is_named_with_the_line() {
    let world = World::new();
    world.write_config("version: '1.1'\nmin_copies: many\n");
    let ended = world.run("config show").expect_code(2);
    assert!(ended.stderr.contains("config.yaml") && ended.stderr.contains("line 2"), "{}", ended.stderr);
}

#[test]
fn a_broken_file_is_said_in_words_with_the_key_and_what_to_do() {
    let world = World::new();
    for (broken, said) in [
        ("retention:\n  keep_days: thirty\n", "line 3: retention.keep_days: `thirty` is not a whole number from 0 on"),
        ("watch:\n  realtime: ja\n", "line 3: watch.realtime: `ja` is not true or false"),
        ("guard:\n  min_bytes: lots\n", "line 3: guard.min_bytes: `lots` is not a size"),
        ("priority:\n  kind: much\n", "line 3: priority.kind: `much` is not a number"),
        ("limits:\n  upload:\n    usb: fast\n", "limits.upload.usb: `fast` is not"),
        ("min_copies: 0\n", "line 2: min_copies: must be at least 1"),
        ("watch:\n  interval: -5\n", "line 3: watch.interval: `-5` is not a whole number from 1 on"),
        ("retention:\n  keep_days\n", "line 3: it cannot be understood"),
        ("retention:\n  keep_days: 3\n keep_versions: 2\n", "line 4: it cannot be understood"),
        ("sources: docs\n", "line 2: sources: it cannot have this value"),
        ("sources:\n- path: /docs\n  git_ignore: perhaps\n", "line 4: git_ignore: it cannot have this value"),
        ("sources:\n- path: docs\n", "line 2: sources: `docs` is a relative path; write the whole one"),
        ("sources:\n- path: /docs\n- path: /docs/\n", "line 2: sources: `/docs` is there twice; take one of them out"),
        ("sources:\n- path: /a/../docs\n", "line 2: sources: `/a/../docs` has `..` in it; write the path without"),
        ("encryption: [\n  key: c2VjcmV0\n", "it cannot be understood"),
    ] {
        let config = world.write_config(&format!("version: '1.1'\n{broken}"));
        for words in ["config show", "config set min_copies 1", "status"] {
            let ended = world.run(words).expect_error(2, &[config.to_str().expect("text"), said]);
            assert!(!ended.stderr.contains("c2VjcmV0"), "no secret is shown: {}", ended.stderr);
            let hint = ended.stderr.split("hint: ").nth(1).unwrap_or_default();
            assert!(hint.contains("put back your copy") && !hint.contains("config show"), "{broken}: {}", ended.stderr);
        }
    }
}

#[test]
fn folders_are_added_changed_and_removed() {
    let world = World::new();
    world.write_config("version: '1.1'\n");
    let docs = world.folder("docs");
    let shown = docs.to_str().expect("text");
    let added = world.run_args(["add", "docs", "--exclude", "*.tmp,~*,desktop.ini", "--exclude", "x"]).expect_code(0);
    assert!(added.stdout.contains(shown), "{}", added.stdout);
    let sources = || world.run("config show --json").expect_code(0).json()["sources"].clone();
    assert_eq!(sources()[0]["path"], shown);
    assert_eq!(sources()[0]["exclude"], serde_json::json!(["*.tmp", "~*", "desktop.ini", "x"]));
    let again = world.run_args(["add", "docs", "--one-file-system", "--json"]).expect_code(0).json();
    assert_eq!((&again["new"], &again["path"]), (&false.into(), &shown.into()));
    assert_eq!(sources().as_array().map(Vec::len), Some(1));
    assert_eq!(sources()[0]["exclude"], serde_json::json!([]));
    assert_eq!(sources()[0]["one_file_system"], true);
    std::fs::remove_dir(docs).expect("empty");
    world.run("remove docs").expect_code(0);
    assert_eq!(sources(), serde_json::json!([]));
    let ended = world.run("remove docs").expect_code(1);
    assert!(ended.stderr.contains("not among the sources"), "{}", ended.stderr);
}

#[test]
fn what_cannot_be_a_source_is_refused() {
    let world = World::new();
    let backups = world.folder("backups/deep");
    let config = format!("version: '1.1'\ndestinations:\n  primary: {}\n", world.path("backups").display());
    let file = world.write_config(&config);
    std::fs::write(world.path("file"), "x").expect("writable");
    let refused = |path: &std::path::Path, why: &str| {
        let ended = world.run_args(["add".as_ref(), path.as_os_str()]).expect_code(2);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    };
    refused(&world.path("missing"), "does not exist");
    refused(&world.path("file"), "is not a folder");
    refused(&backups, "keeps backups");
    refused(&world.state(), "keeps backups");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(world.folder("real"), world.path("link")).expect("a link");
        refused(&world.path("link"), "symbolic link");
    }
    assert_eq!(text(&file), config);
}

#[cfg(unix)]
#[test]
fn a_configuration_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let config = world.write_config(SEED);
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o644)).expect("ours");
    let ended = world.run("config show").expect_code(1);
    assert!(ended.stderr.contains("chmod 600"), "{}", ended.stderr);
    world.run("config set min_copies 2").expect_code(1);
    assert_eq!(text(&config), SEED);
}

#[test]
fn recovery_words_never_overwrite_a_file() {
    let world = World::new();
    std::fs::write(world.path("words"), "mine").expect("writable");
    let ended = world.run("init --recovery-key words").expect_code(2);
    assert!(ended.stderr.contains("not overwritten"), "{}", ended.stderr);
    assert_eq!(text(&world.path("words")), "mine");
    assert!(!world.state().exists(), "refused before anything is made");
}

#[test]
fn quickstart_refuses_before_it_makes_anything() {
    let world = World::new();
    world.folder("docs");
    world.folder("disk/docs");
    std::fs::write(world.path("words"), "mine").expect("writable");
    for (words, why) in [
        ("missing disk/backup", "does not exist"),
        ("docs nowhere/backup", "the folder it would lie in does not exist"),
        ("disk/docs disk", "lies in the destination"),
        ("docs disk/backup --recovery-key words", "not overwritten"),
    ] {
        let ended = world.run(&format!("quickstart {words}")).expect_code(2);
        assert!(ended.stderr.contains(why), "{words}: {}", ended.stderr);
    }
    assert!(!world.state().exists() && !world.path("disk/backup").exists());
}

#[test]
fn more_can_be_left_out() {
    let world = World::set_up(&["primary"]);
    world.write("docs/.gitignore", "*.o\n");
    world.write("docs/a.o", "x");
    world.write("docs/large", vec![7; 3_000]);
    world.write("docs/b.log", "x");
    world.write("docs/kept", "x");
    world.write("patterns", "# what nobody needs\n\n*.log\n");
    world.run("add docs --gitignore --exclude-larger-than 2KB --exclude-from patterns").expect_code(0);
    let summary = world.run("backup --json").expect_code(0).summary();
    assert_eq!((&summary["files_new"], &summary["excluded"]), (&2.into(), &3.into()), "{summary}");
    let config = world.read("state/config.yaml");
    assert!(config.contains("git_ignore: true") && config.contains("exclude_larger_than: "), "{config}");
    // Without them nothing is left out any more.
    world.run("add docs").expect_code(0);
    assert_eq!(world.run("backup --json").expect_code(0).summary()["files_new"], 3);
    world.run("add docs --exclude-larger-than many").expect_code(2).expect_said(&["is not a size"]);
    world.run("add docs --exclude-from nowhere").expect_code(1).expect_said(&["nowhere"]);
}
