//! What scripts rely on: the fields of each document and their types.

use serde_json::{Value, json};

use crate::support::World;

/// Checks that `value` has fields of these types: `s`tring, `n`umber, `b`oolean, `a`rray, with `?` also null.
#[track_caller]
fn expect_fields(value: &Value, fields: &[(&str, &str)]) {
    for (name, kind) in fields {
        let field = value.get(name).unwrap_or_else(|| panic!("{name} is not in {value}"));
        let is_right = match &kind[..1] {
            "s" => field.is_string(),
            "n" => field.is_number(),
            "b" => field.is_boolean(),
            _ => field.is_array(),
        };
        assert!(is_right || (kind.ends_with('?') && field.is_null()), "{name} is {field}");
    }
}

#[track_caller]
fn expect_time(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no time"));
    text.parse::<jiff::Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}"));
}

fn world() -> World {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/a.txt", "first");
    world.write("docs/sub/b.txt", "second");
    world
}

#[test]
fn backup() {
    let world = world();
    let summary = world.run("backup --json --tag t").expect_code(0).summary();
    expect_fields(
        &summary,
        &[
            ("snapshot_id", "s"),
            ("files_new", "n"),
            ("files_changed", "n"),
            ("files_unmodified", "n"),
            ("bytes_read", "n"),
            ("bytes_added", "n"),
            ("bytes_stored", "n"),
            ("problems", "a"),
            ("destinations", "a"),
            ("duration_seconds", "n"),
        ],
    );
    assert_eq!((&summary["files_new"], &summary["bytes_read"]), (&2.into(), &11.into()));
    let fields = [("name", "s"), ("state", "s"), ("packs_written", "n"), ("committed", "b"), ("detail", "s?")];
    for destination in summary["destinations"].as_array().expect("a list") {
        expect_fields(destination, &fields);
        assert_eq!(destination["state"], "online");
    }
    let dry = world.run("backup --json --dry-run").expect_code(0).summary();
    assert_eq!((&dry["dry_run"], &dry["snapshot_id"], &dry["files_new"]), (&true.into(), &Value::Null, &0.into()));
    world.rename("secondary", "unplugged");
    let summary = world.run("backup --json").expect_code(5).summary();
    let secondary = &summary["destinations"][1];
    assert_eq!((&secondary["state"], &secondary["committed"]), (&"absent".into(), &false.into()), "{secondary}");
    assert_eq!((&summary["exit_code"], &summary["copies"]), (&5.into(), &1.into()));
}

#[test]
fn status() {
    let world = world();
    let before = world.run("status --json").expect_code(0).json();
    assert_eq!((&before["last_backup"], &before["snapshots"]), (&Value::Null, &0.into()));
    world.run("backup -q").expect_code(0);
    let status = world.run("status --json").expect_code(0).json();
    expect_fields(
        &status,
        &[
            ("destinations", "a"),
            ("sources", "a"),
            ("snapshots", "n"),
            ("files", "n"),
            ("bytes_source", "n"),
            ("bytes_stored", "n"),
            ("last_backup", "s"),
        ],
    );
    expect_time(&status["last_backup"]);
    assert_eq!((&status["files"], &status["bytes_source"]), (&2.into(), &11.into()));
    let primary = &status["destinations"][0];
    expect_fields(
        primary,
        &[
            ("name", "s"),
            ("path", "s"),
            ("kind", "s"),
            ("state", "s"),
            ("free_bytes", "n?"),
            ("snapshots_behind", "n"),
            ("last_snapshot", "s"),
        ],
    );
    expect_time(&primary["last_snapshot"]);
    assert_eq!(primary["path"], world.path("primary").to_str().expect("text"));
    expect_fields(&status["sources"][0], &[("path", "s"), ("last_good", "s"), ("files", "n"), ("bytes", "n")]);
    let list = world.run("destination list --json").expect_code(0).json();
    assert_eq!((&list[0]["name"], &list[1]["state"]), (&"primary".into(), &"online".into()));
}

#[test]
fn snapshots_versions_and_listings() {
    let world = world();
    assert_eq!(world.run("snapshots --json").expect_code(0).json(), serde_json::json!([]));
    assert_eq!(world.run("restore --list --json").expect_code(0).json(), serde_json::json!([]));
    world.run("backup -q --tag before-upgrade").expect_code(0);
    let snapshot = &world.run("snapshots --json").expect_code(0).json()[0];
    let fields = [("id", "s"), ("time", "s"), ("machine", "s"), ("roots", "a"), ("tags", "a"), ("destinations", "a")];
    expect_fields(snapshot, &fields);
    expect_time(&snapshot["time"]);
    assert_eq!((&snapshot["tags"][0], &snapshot["destinations"][1]), (&"before-upgrade".into(), &"secondary".into()));
    expect_fields(&snapshot["roots"][0], &[("path", "s"), ("read", "b"), ("files", "n"), ("bytes", "n")]);

    let version = &world.run("list --json docs/a.txt").expect_code(0).json()[0];
    expect_fields(version, &[("version", "n"), ("size", "n"), ("snapshot", "s"), ("current", "b")]);
    expect_time(&version["first_seen"]);
    expect_time(&version["mtime"]);
    assert_eq!(version["snapshot"], snapshot["id"]);

    let entries = world.run("ls --json --recursive latest:docs").expect_code(0).json();
    let kinds: Vec<_> = entries.as_array().expect("a list").iter().map(|entry| entry["type"].clone()).collect();
    assert_eq!(kinds, ["file", "folder", "file"]);
    expect_fields(&entries[0], &[("path", "s"), ("mode", "n"), ("size", "n"), ("version", "n"), ("flags", "a")]);
    expect_time(&entries[0]["mtime"]);

    let files = world.run("restore --list --json").expect_code(0).json();
    assert_eq!(files.as_array().map(Vec::len), Some(2));
    expect_fields(&files[0], &[("path", "s"), ("size", "n"), ("version", "n"), ("deleted", "b"), ("mtime", "s")]);
}

#[test]
fn restore_check_and_sync() {
    let world = world();
    world.run("backup -q").expect_code(0);
    let summary = world.run("restore --json --directory docs --destination back").expect_code(0).summary();
    expect_fields(
        &summary,
        &[
            ("files_restored", "n"),
            ("files_skipped", "n"),
            ("bytes_written", "n"),
            ("problems", "a"),
            ("notes", "a"),
            ("target", "s"),
            ("description", "s"),
            ("duration_seconds", "n"),
            ("exit_code", "n"),
        ],
    );
    assert_eq!((&summary["files_restored"], &summary["bytes_written"]), (&2.into(), &11.into()));
    let dry = world.run("restore --json --dry-run --file docs/a.txt").expect_code(0).summary();
    assert_eq!((&dry["dry_run"], &dry["files"], &dry["bytes"]), (&true.into(), &1.into(), &5.into()));

    world.write("back/not then", "extra");
    let dry = world.run("restore --json --dry-run --directory docs --destination back --delete").expect_code(0);
    assert_eq!((&dry.summary()["deleted"], &dry.summary()["problems"]), (&1.into(), &json!([])));
    let said = world.run("restore --dry-run --directory docs --destination back --delete").expect_code(0);
    said.expect_shown(&["Would delete: ", "back/not then\nWould delete 1 entry in all\n"]);

    let summary = world.run("check --json --read-data").expect_code(0).summary();
    expect_fields(&summary, &[("packs", "n"), ("bytes_read", "n"), ("findings", "a"), ("destinations", "a")]);
    expect_fields(&summary["destinations"][0], &[("name", "s"), ("snapshots", "n"), ("packs_read", "n")]);

    let summary = world.run("sync --json").expect_code(0).summary();
    let fields = [("name", "s"), ("path", "s"), ("state", "s"), ("snapshots_copied", "n"), ("snapshots_behind", "n")];
    expect_fields(&summary["destinations"][0], &fields);
    let summary = world.run("rebuild-index --json").expect_code(0).summary();
    expect_fields(&summary, &[("packs", "n"), ("chunks", "n"), ("snapshots", "n"), ("destinations", "a")]);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_text_keep_their_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let world = world();
    let odd = world.path("docs").join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    std::fs::write(&odd, "x").expect("this file system takes any bytes");
    world.run("backup -q").expect_code(0);
    let encoded = data_encoding::BASE64.encode(odd.as_os_str().as_bytes());
    for words in ["ls --json latest:docs", "restore --list --json"] {
        let listed = world.run(words).expect_code(0).json();
        let entry = listed.as_array().expect("a list").iter().find(|entry| entry.get("path_b64").is_some());
        assert_eq!(entry.expect("one of them")["path_b64"], encoded.as_str(), "{words}");
    }
    let back = world.path("back");
    world
        .run_args(
            [b"restore", &b"--file"[..], odd.as_os_str().as_bytes(), b"--destination", back.as_os_str().as_bytes()]
                .map(std::ffi::OsStr::from_bytes),
        )
        .expect_code(0);
    assert_eq!(world.read("back"), "x");
}

#[test]
fn errors_are_objects_too() {
    let world = world();
    for (words, code, name) in [
        ("list nothing --json", 1, "not-found"),
        ("ls latest --json", 1, "not-found"),
        ("ls latest:/nowhere --json", 1, "not-found"),
        ("restore --json --file docs/a.txt --version x", 2, "usage"),
        ("config get nonsense --json", 2, "config"),
        ("restore --list [ --json", 2, "usage"),
    ] {
        let ended = world.run(words).expect_code(code);
        let error = ended.json();
        assert_eq!((&error["message_type"], &error["error"]), (&"error".into(), &name.into()), "{words}");
        assert_eq!((&error["exit_code"], &error["fatal"]), (&code.into(), &true.into()), "{words}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{words}");
    }
}
