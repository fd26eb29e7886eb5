//! Cleaning, and what a person decides about snapshots: forget, unforget, purge, pin, tag, note.

use serde_json::Value;

use crate::support::{Ended, World, noise};

/// Four snapshots: four versions of `docs/file`, and one of `docs/same`.
fn with_four(destinations: &[&str]) -> World {
    let world = World::set_up(destinations);
    world.write("docs/same", "same");
    for number in 1..=4 {
        world.write("docs/file", version(number));
        world.run("backup -q").expect_code(0);
    }
    world
}

/// A megabyte, so that what comes back is more than packs are padded by.
fn version(number: u64) -> Vec<u8> {
    noise(1_000_000, number)
}

fn snapshots(world: &World) -> Vec<Value> {
    world.run("snapshots --json").expect_code(0).json().as_array().expect("a list").clone()
}

fn short_ids(world: &World) -> Vec<String> {
    snapshots(world).iter().map(|snapshot| snapshot["short_id"].as_str().expect("text").to_owned()).collect()
}

fn numbers(world: &World) -> Vec<u64> {
    let versions = world.run("list docs/file --json").expect_code(0).json();
    versions.as_array().expect("a list").iter().filter_map(|version| version["version"].as_u64()).collect()
}

#[track_caller]
fn expect_version(world: &World, number: u64) {
    let _ = std::fs::remove_file(world.path("back"));
    world.run(&format!("restore -q --file docs/file --version {number} --destination back")).expect_code(0);
    assert!(std::fs::read(world.path("back")).expect("restored") == version(number), "version {number}");
}

#[track_caller]
fn expect_healthy(world: &World) {
    world.run("check --read-data").expect_code(0);
}

fn bytes_in(world: &World, folder: &str) -> u64 {
    world.files(folder).iter().map(|file| file.metadata().expect("a size").len()).sum()
}

#[test]
fn a_dry_run_tells_what_the_run_then_does() {
    let world = with_four(&["primary", "secondary"]);
    let ids = short_ids(&world);
    let before = bytes_in(&world, "primary");
    let docs = world.path("docs").display().to_string();
    let dry = world.run("clean --dry-run").expect_code(0).expect_shown(&[
        "Dry run, nothing was deleted\n",
        &format!("stays: newest of {docs}, younger than 30 days\n"),
        "  stays: younger than 30 days\n",
        "4 snapshots stay, 0 go\n",
    ]);
    assert_eq!(dry.stderr, "");
    let foreseen = world.run("clean --keep-days 0 --keep-versions 2 --dry-run --json").expect_code(0).summary();
    let dry = world.run("clean --keep-days 0 --keep-versions 2 --dry-run").expect_code(0);
    let dry = dry.expect_shown(&["1 snapshot stays, 3 go\nHistory: 1 version of a file is kept, 2 go\n"]);
    let lines: Vec<&str> = dry.stdout.lines().filter(|line| line.ends_with("  goes")).collect();
    assert!(lines.len() == 3 && lines[0].starts_with(&ids[1]), "{}", dry.stdout);
    assert_eq!((short_ids(&world), bytes_in(&world, "primary")), (ids.clone(), before), "nothing was written");

    let ended = world.run("clean --keep-days 0 --keep-versions 2").expect_code(0);
    let ended = ended.expect_shown(&[
        &format!("{}  ", ids[1]),
        "1 snapshot stays, 3 went\nHistory: 1 version of a file is kept, 2 went\n",
        "[primary] 3 snapshots and histories and ",
        " came back\n[secondary] 3 ",
    ]);
    assert!(!ended.stdout.contains(&ids[0]) && !ended.stdout.contains("stays:"), "{}", ended.stdout);
    assert_eq!((short_ids(&world), ended.stderr.as_str()), (vec![ids[0].clone()], ""));
    let freed = before - bytes_in(&world, "primary");
    let about = foreseen["destinations"][0]["bytes_freed"].as_u64().expect("a number");
    assert!(about.abs_diff(freed) * 10 <= freed, "{about} was foreseen and {freed} came back");
    assert_eq!(numbers(&world), [3, 4]);
    let shown = world.run("list docs/file").expect_code(0).stdout;
    assert_eq!(shown.matches("only in the history").count(), 1, "{shown}");
    expect_version(&world, 3);
    expect_version(&world, 4);
    expect_healthy(&world);
    world.run("clean --keep-days 0 --keep-versions 2").expect_code(0).expect_shown(&["[primary] nothing to do"]);
    world.run("clean --dry-run").expect_code(0).expect_shown(&["[primary] nothing to do"]);
}

#[test]
fn snapshot_rules_alone_stand_in_the_place_of_all_others() {
    let world = with_four(&["primary"]);
    world.run("config set retention.keep_daily 5").expect_code(0);
    let foreseen = world.run("clean --keep-last 2 --dry-run --json").expect_code(0).summary();
    let before = bytes_in(&world, "primary/packs");
    let done = world.run("clean --keep-last 2 --json").expect_code(0).summary();
    for key in ["snapshots_deleted", "packs_deleted", "bytes_freed"] {
        assert_eq!(foreseen["destinations"][0][key], done["destinations"][0][key], "{key}");
    }
    assert_eq!(done["destinations"][0]["bytes_freed"], before - bytes_in(&world, "primary/packs"));
    let ended = world.run("clean --keep-last 2").expect_code(0).expect_shown(&["2 snapshots stay, 0 went\n"]);
    assert_eq!((numbers(&world), short_ids(&world).len()), (vec![3, 4], 2), "{}", ended.stdout);
    let docs = world.path("docs").display().to_string();
    world
        .run("clean --keep-last 1 --keep-days 30 --dry-run")
        .expect_code(0)
        .expect_shown(&[&format!("newest of {docs}, younger than 30 days, among the newest 1, newest of its day\n")]);
    expect_healthy(&world);
}

#[test]
fn the_summary_of_cleaning() {
    let world = with_four(&["primary", "secondary"]);
    let summary = world.run("clean --keep-last 1 --dry-run --json").expect_code(0).summary();
    assert_eq!((&summary["dry_run"], &summary["held"], &summary["exit_code"]), (&true.into(), &Value::Null, &0.into()));
    let listed = summary["snapshots"].as_array().expect("a list");
    assert_eq!((listed.len(), &listed[0]["stays"]), (4, &true.into()));
    assert_eq!(listed[0]["reasons"], serde_json::json!(["newest", "keep-last"]));
    assert_eq!((&listed[1]["stays"], &listed[1]["reasons"]), (&false.into(), &serde_json::json!([])));
    assert_eq!(listed[0]["id"], snapshots(&world)[0]["id"]);
    assert!(listed[0]["time"].as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()));
    world.rename("secondary", "unplugged");
    let summary = world.run("clean --keep-last 1 --json").expect_code(5).summary();
    assert_eq!((&summary["dry_run"], &summary["exit_code"]), (&false.into(), &5.into()));
    assert_eq!((&summary["versions_kept"], &summary["versions_dropped"]), (&0.into(), &3.into()));
    let (here, away) = (&summary["destinations"][0], &summary["destinations"][1]);
    assert_eq!((&here["name"], &here["state"], &here["detail"]), (&"primary".into(), &"online".into(), &Value::Null));
    assert_eq!((&here["snapshots_deleted"], &here["bytes_waiting"]), (&3.into(), &0.into()));
    assert!(here["bytes_freed"].as_u64().is_some_and(|bytes| bytes > 2_500_000), "{here}");
    assert!(here["packs_deleted"].is_number() && here["packs_rewritten"].is_number() && here["returns"].is_null());
    assert_eq!((&away["name"], &away["state"]), (&"secondary".into(), &"absent".into()));
    assert!(summary["duration_seconds"].is_number());
}

#[test]
fn one_that_is_away_is_five_and_is_cleaned_when_it_is_back() {
    let world = with_four(&["primary", "secondary"]);
    world.rename("secondary", "unplugged");
    let ended = world.run("clean --keep-last 1").expect_code(5);
    let ended = ended.expect_shown(&["came back\n[secondary] Destination not found ("]);
    ended.expect_said(&["warning: [secondary] could not be cleaned\nhint: "]);
    let quiet = world.run("clean --keep-last 1 -q").expect_code(5);
    let quiet = quiet.expect_said(&["[secondary] could not be cleaned: Destination not found"]);
    assert_eq!(quiet.stdout, "");
    world.run("clean --keep-last 1 --dry-run").expect_code(0).expect_shown(&["[secondary] Destination not found ("]);
    world.rename("unplugged", "secondary");
    let large = bytes_in(&world, "secondary");
    world.run("clean --keep-last 1").expect_code(0).expect_shown(&["[primary] nothing to do\n[secondary] 3 "]);
    assert!(large - bytes_in(&world, "secondary") > 2_500_000);
    expect_version(&world, 4);
    expect_healthy(&world);
    world.rename("primary", "lost");
    world.rename("secondary", "lost too");
    world.run("clean").expect_error(13, &["no destination can be reached"]);
}

#[test]
fn wrong_usage_of_cleaning() {
    let world = World::set_up(&["primary"]);
    for words in [
        "clean --keep-versions 0",
        "clean --keep-days",
        "clean --keep-last some",
        "forget",
        "unforget",
        "pin",
        "tag latest",
        "tag latest --add=",
        "note",
        "purge",
        "purge a b",
    ] {
        world.run(words).expect_code(2);
    }
    world.write("docs/a", "a");
    world.run("backup -q").expect_code(0);
    for words in ["forget 00000000", "unforget 00000000", "pin 00000000", "note latest~7 x", "purge docs/b"] {
        world.run(words).expect_error(1, &["not found: "]);
    }
    world.run("tag latest --add=").expect_error(2, &["a tag has 1 to "]);
}

#[test]
fn forgotten_and_back() {
    let world = with_four(&["primary", "secondary"]);
    let ids = short_ids(&world);
    let ended = world.run("forget latest~1").expect_code(0);
    let ended = ended.expect_shown(&[
        &format!("Snapshot {} is forgotten.\nIts space comes back with `cryptbackup clean`; until then", ids[1]),
        &format!("`cryptbackup unforget {}` brings it back.\n", ids[1]),
    ]);
    assert_eq!((short_ids(&world).len(), numbers(&world), ended.stderr.as_str()), (3, vec![1, 2, 4], ""));
    world.run(&format!("unforget {}", ids[1])).expect_code(0).expect_shown(&[&format!("Snapshot {} is back.", ids[1])]);
    assert_eq!((short_ids(&world), numbers(&world)), (ids.clone(), vec![1, 2, 3, 4]));
    expect_version(&world, 3);

    let summary = world.run(&format!("forget --json {} {}", ids[1], ids[3])).expect_code(0).summary();
    assert_eq!(summary["snapshots"].as_array().map(Vec::len), Some(2));
    world
        .run("clean")
        .expect_code(0)
        .expect_shown(&["2 snapshots stay, 0 went\n", "[primary] 2 snapshots and histories"]);
    assert_eq!((short_ids(&world), numbers(&world)), (vec![ids[0].clone(), ids[2].clone()], vec![2, 4]));
    world.run(&format!("unforget {}", ids[1])).expect_error(1, &["its space was given back"]);
    expect_version(&world, 2);
    expect_healthy(&world);

    let refused = world.run(&format!("forget latest {}", ids[2])).expect_error(1, &["would be left"]);
    refused.expect_said(&["hint: ", "--force"]);
    assert_eq!(short_ids(&world).len(), 2);
    world
        .run(&format!("forget --force latest {}", ids[2]))
        .expect_code(0)
        .expect_shown(&["Snapshots ", " are forgotten."]);
    assert_eq!(snapshots(&world), Vec::<Value>::new());
    world.run(&format!("unforget --json {}", ids[0])).expect_code(0).summary();
    expect_version(&world, 4);
    world.write("docs/file", version(5));
    world.run("backup -q").expect_code(0);
    expect_healthy(&world);
}

#[test]
fn pins_tags_and_notes() {
    let world = with_four(&["primary"]);
    let ids = short_ids(&world);
    world.run("pin latest~3").expect_code(0).expect_shown(&[&format!("Snapshot {} is pinned", ids[3])]);
    world.run("tag latest~3 --add taxes --add draft").expect_code(0).expect_shown(&["these tags now: taxes, draft"]);
    let summary = world.run("tag latest~3 --remove draft --json").expect_code(0).summary();
    assert_eq!(summary["tags"], serde_json::json!(["taxes"]));
    world
        .run_args(["note", "latest~3", "before the move"])
        .expect_code(0)
        .expect_shown(&["a note now: before the move"]);
    let shown = world.run("snapshots").expect_code(0).stdout;
    let line = shown.lines().find(|line| line.starts_with(&ids[3])).expect("it is listed");
    for part in ["  pinned  ", "  taxes  ", "  before the move  "] {
        assert!(line.contains(part), "{line}");
    }
    let last = snapshots(&world)[3].clone();
    assert_eq!((&last["pinned"], &last["note"]), (&true.into(), &"before the move".into()));
    assert_eq!(last["tags"], serde_json::json!(["taxes"]));
    assert_eq!((&snapshots(&world)[0]["pinned"], &snapshots(&world)[0]["note"]), (&false.into(), &"".into()));

    world.run("clean --keep-last 1 --dry-run").expect_code(0).expect_shown(&["  stays: pinned\n"]);
    world.run("clean --keep-last 1").expect_code(0).expect_shown(&["2 snapshots stay, 2 went"]);
    assert_eq!((short_ids(&world), numbers(&world)), (vec![ids[0].clone(), ids[3].clone()], vec![1, 4]));
    // What was decided about a snapshot holds for the one that stands for it.
    world.run("purge docs/same").expect_code(0);
    let replaced = snapshots(&world)[1].clone();
    assert_ne!(replaced["id"], last["id"]);
    assert_eq!((&replaced["pinned"], &replaced["note"]), (&true.into(), &"before the move".into()));
    assert_eq!((&replaced["tags"], &replaced["time"]), (&last["tags"], &last["time"]));

    world.run("note latest~1").expect_code(0).expect_shown(&["has no note now"]);
    let summary = world.run("pin latest~1 --remove --json").expect_code(0).summary();
    assert_eq!((&summary["pinned"], summary["snapshots"].as_array().map(Vec::len)), (&false.into(), Some(1)));
    assert_eq!((&snapshots(&world)[1]["pinned"], &snapshots(&world)[1]["note"]), (&false.into(), &"".into()));
    world.run("clean --keep-last 1").expect_code(0).expect_shown(&["1 snapshot stays, 1 went"]);
    expect_version(&world, 4);
    expect_healthy(&world);
}

#[test]
fn a_path_out_of_everything() {
    let world = with_four(&["primary", "secondary"]);
    world.write("docs/secret/words", "words nobody should find");
    world.run("backup -q").expect_code(0);
    world.run("clean --keep-days 0 --keep-versions 3").expect_code(0);
    let before = short_ids(&world);
    let said = ["in a source: if it is still there, the next backup stores it again\nhint: "];
    let dry = world.run("purge docs/file --dry-run").expect_code(0).expect_said(&said);
    dry.expect_shown(&["nothing was written: ", "would be taken out of 1 snapshot and 1 history\n"]);
    assert_eq!((short_ids(&world), numbers(&world)), (before.clone(), vec![2, 3, 4]));

    let ended = world.run("purge docs/file").expect_code(0).expect_said(&said);
    ended.expect_shown(&["was taken out of 1 snapshot and 1 history. Its space comes back with `cryptbackup clean`."]);
    world.run("list docs/file").expect_error(1, &["not found: "]);
    assert_ne!(short_ids(&world), before);
    let large = bytes_in(&world, "secondary");
    world.run("clean").expect_code(0);
    assert!(large - bytes_in(&world, "secondary") > 2_500_000, "{large}");
    world.run("restore -q --directory docs --destination all").expect_code(0);
    assert_eq!((world.names("all"), world.read("all/secret/words").len()), (vec!["same".into(), "secret".into()], 24));

    std::fs::remove_dir_all(world.path("docs/secret")).expect("deleted");
    let summary = world.run("purge --json docs/secret").expect_code(0).summary();
    assert_eq!(summary["path"], world.path("docs/secret").to_str().expect("text"));
    assert_eq!((&summary["in_source"], &summary["dry_run"]), (&true.into(), &false.into()));
    let count = |key: &str| summary[key].as_array().map(Vec::len);
    assert_eq!((count("snapshots"), count("replaced_by"), count("failed")), (Some(1), Some(1), Some(0)));
    world.run("ls latest:docs/secret").expect_code(1);
    world.run("purge docs").expect_error(1, &["is a whole source, and nothing of it would be left"]);
    world.run("clean").expect_code(0);
    expect_healthy(&world);
    world.run("backup -q").expect_code(0);
    assert_eq!(numbers(&world).len(), 1, "it is in the source, so it is stored again");
    expect_healthy(&world);
}

#[test]
fn cleaning_after_every_backup() {
    let world = with_four(&["primary", "secondary"]);
    for setting in ["auto_clean true", "keep_days 0", "keep_versions 2"] {
        world.run(&format!("config set retention.{setting}")).expect_code(0);
    }
    world.write("docs/file", version(5));
    // Nobody watches, and most of what there is would go.
    let ended = world.run("backup").expect_code(0);
    let ended =
        ended.expect_said(&["warning: not cleaned: more than half of the snapshots of ", "hint: ", "--dry-run"]);
    assert!(!ended.stdout.contains("Cleaned"), "{}", ended.stdout);
    assert_eq!(short_ids(&world).len(), 5);
    world.run("status").expect_code(0).expect_shown(&["To be cleaned   4 snapshots by the rules: cryptbackup clean\n"]);
    let status = world.run("status --json").expect_code(0).json();
    assert_eq!((&status["snapshots_staying"], &status["snapshots_going"]), (&1.into(), &4.into()));
    world.run("clean").expect_code(0);
    world.run("status").expect_code(0).expect_shown(&["To be cleaned   none\n"]);

    world.write("docs/file", version(6));
    let ended = world.run("backup").expect_code(0).expect_shown(&["Cleaned: 1 snapshot went; [primary] "]);
    assert_eq!(ended.stdout.lines().filter(|line| line.contains("Cleaned")).count(), 1, "{}", ended.stdout);
    assert_eq!(numbers(&world), [5, 6]);
    assert_eq!(world.run("backup --dry-run --json").expect_code(0).summary()["clean"], Value::Null);
    world.rename("secondary", "unplugged");
    world.write("docs/file", version(7));
    let summary = world.run("backup --json").expect_code(5).summary();
    assert_eq!((&summary["exit_code"], &summary["clean"]["held"]), (&5.into(), &Value::Null), "{summary}");
    assert_eq!(summary["clean"]["snapshots"].as_array().map(Vec::len), Some(2), "{summary}");
    assert_eq!(summary["clean"]["destinations"][0]["snapshots_deleted"], 2, "a snapshot, and the history before");
    world.rename("unplugged", "secondary");
    world.write("docs/file", version(8));
    world.run("backup -q").expect_code(0);
    expect_version(&world, 7);
    expect_healthy(&world);
    world.run("config set retention.auto_clean false").expect_code(0);
    world.write("docs/file", version(9));
    assert_eq!(world.run("backup --json").expect_code(0).summary()["clean"], Value::Null);
}

/// The program on another machine, which uses the same destination.
fn on_other(world: &World, words: &str) -> Ended {
    let mut command = world.command(words.split_whitespace());
    command.env("CRYPTBACKUP_HOME", world.path("other-state"));
    Ended::of(command)
}

#[test]
fn where_another_machine_writes_space_waits() {
    let world = with_four(&["primary"]);
    std::fs::copy(world.state().join("config.yaml"), world.path("saved.yaml")).expect("a copy");
    on_other(&world, "connect primary --config saved.yaml").expect_code(0);
    on_other(&world, "backup -q --force").expect_code(0);
    world.write("docs/file", version(5));
    world.run("backup -q").expect_code(0);
    world.run("forget latest~1 latest~2").expect_code(0);
    let dry = world.run("clean --dry-run").expect_code(0);
    dry.expect_shown(&["would come back after the grace period, since other machines use it too"]);
    let summary = world.run("clean --json").expect_code(0).summary();
    let primary = &summary["destinations"][0];
    assert!(primary["detail"].is_null() && primary["bytes_freed"] == 0, "{primary}");
    let waiting = primary["bytes_waiting"].as_u64().expect("a number");
    assert!(waiting > 0, "{primary}");
    let returns: jiff::Timestamp = primary["returns"].as_str().expect("a time").parse().expect("RFC 3339");
    let hours = returns.duration_since(jiff::Timestamp::now()).as_hours();
    assert!((167..=168).contains(&hours), "{returns}");
    let shown = ["Space to come back", "come back with the first `clean` after 20"];
    world.run("status").expect_code(0).expect_shown(&shown);
    assert_eq!(world.run("status --json").expect_code(0).json()["destinations"][0]["bytes_waiting"], waiting);
    on_other(&world, "backup -q").expect_code(0);
    expect_healthy(&world);
}
