//! Restore drills as they are typed: words, exit codes, what is left behind.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Running, World, noise};

fn backed_up() -> World {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/a", noise(400_000, 1));
    world.write("docs/b", "small");
    world.run("backup -q").expect_code(0);
    world
}

/// What lies where drills restore to.
fn scratch(world: &World) -> Vec<String> {
    if world.state().join("state/tmp").exists() { world.names("state/state/tmp") } else { Vec::new() }
}

fn flip(pack: &PathBuf) {
    let mut bytes = std::fs::read(pack).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(pack, bytes).expect("writable");
}

#[test]
fn a_drill_says_what_it_restored_and_status_what_is_proven() {
    let world = World::set_up(&["primary", "secondary"]);
    world.run("drill").expect_code(0).expect_shown(&["[primary] nothing is backed up there yet"]);
    world.write("docs/a", noise(400_000, 1));
    world.run("backup -q").expect_code(0);
    world.run("status").expect_code(0).expect_shown(&["How they stand :", "never tried: cryptbackup drill"]);
    let status = world.run("status --json").expect_code(0).json();
    let primary = &status["destinations"][0];
    assert_eq!((&primary["proven_percent"], &primary["last_proof"]), (&json!(0), &json!(null)), "{status}");
    assert_eq!((&primary["bytes_per_day"], &primary["days_left"]), (&json!(null), &json!(null)), "too little history");

    let ended = world.run("drill --destination primary").expect_code(0);
    ended.expect_shown(&[
        "[primary] 1 file restored, 400 kB, read as ",
        "100 % of this destination is proven now",
        "No damage found.",
    ]);
    assert_eq!(scratch(&world), Vec::<String>::new());
    world
        .run("status")
        .expect_code(0)
        .expect_shown(&["100 % proven in the last 90 days, last just now", "never tried"]);
    let status = world.run("status --json").expect_code(0).json();
    assert_eq!(status["destinations"][0]["proven_percent"], 100, "{status}");
    assert!(status["destinations"][0]["last_proof"].is_string(), "{status}");
    assert_eq!(status["destinations"][1]["proven_percent"], 0, "{status}");
    let summary = world.run("drill --json").expect_code(0).summary();
    assert_eq!((&summary["exit_code"], &summary["findings"]), (&json!(0), &json!([])), "{summary}");
    assert_eq!(summary["destinations"][1]["name"], "secondary");

    // A check that reads every byte proves as much.
    world.write("docs/c", noise(300_000, 2));
    world.run("backup -q").expect_code(0);
    let percent = |world: &World| world.run("status --json").json()["destinations"][1]["proven_percent"].clone();
    assert_ne!(percent(&world), 100);
    world.run("check --read-data").expect_code(0);
    assert_eq!(percent(&world), 100);
    world.run("rebuild-index").expect_code(0);
    assert_eq!(percent(&world), 100);
}

#[test]
fn damage_is_fifteen_and_named_and_healed_by_the_hint() {
    let world = backed_up();
    flip(&world.files("primary/packs")[0]);
    let ended = world.run("drill").expect_code(15);
    let path = world.path("docs/a").display().to_string();
    let line = format!("damage: {path} from [primary]: ");
    let ended = ended.expect_shown(&[
        &line,
        "authentication failed",
        "[secondary] ",
        "100 % of this destination is proven now",
    ]);
    ended.expect_said(&["hint: `cryptbackup check --read-data --heal`"]);
    world.run("check").expect_code(15).expect_shown(&["it is known to be damaged"]);
    world.run("check --read-data --heal").expect_code(16);
    let summary = world.run("drill --destination primary --json").expect_code(0).summary();
    assert_eq!(summary["destinations"][0]["proven_percent"], 100, "{summary}");
}

#[test]
fn wrong_usage_changes_nothing_and_what_is_away_is_said() {
    let world = backed_up();
    world.run("drill --budget soon").expect_code(2).expect_said(&["500MB", "5min"]);
    world.run("drill --destination nowhere").expect_error(2, &["`nowhere`"]);
    assert_eq!(scratch(&world), Vec::<String>::new());
    world.rename("secondary", "unplugged");
    world.run("drill").expect_code(5).expect_said(&["warning: [secondary] was not drilled: "]);
    assert_eq!(world.run("drill --json").expect_code(5).summary()["exit_code"], 5);
    world.run("drill --destination primary").expect_code(0);
    world.run("drill --destination secondary").expect_error(13, &["secondary"]);
    world.run("drill --budget 30s").expect_code(5).expect_shown(&["[primary] 2 files restored"]);
}

#[test]
fn one_that_is_interrupted_or_killed_leaves_nothing_for_long() {
    let world = World::set_up(&["primary"]);
    for number in 0..40 {
        world.write(&format!("docs/{number}"), noise(4_000_000, number));
    }
    world.run("backup -q").expect_code(0);
    let running = Running::until(world.command(["drill", "--json"]), "restoring");
    running.interrupt();
    running.end().expect_code(130);
    assert_eq!(scratch(&world), Vec::<String>::new());

    let running = Running::until(world.command(["drill", "--json"]), "restoring");
    while scratch(&world).is_empty() {
        std::thread::yield_now();
    }
    running.kill();
    let _ = running.end();
    let left = scratch(&world);
    assert!(left.iter().any(|name| name.ends_with(".lock")), "{left:?}");
    let folder = left.iter().find(|name| !name.ends_with(".lock")).expect("a folder");
    let mode = std::fs::metadata(world.path("state/state/tmp").join(folder)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    world.run("drill --budget 4MB").expect_code(0);
    assert_eq!(scratch(&world), Vec::<String>::new());
}

#[test]
fn savings_are_told_apart() {
    let world = World::set_up(&["primary"]);
    world.write("docs/once", noise(1_000_000, 1));
    world.write("docs/twice", noise(1_000_000, 1));
    world.write("docs/zeros", "compressible ".repeat(100_000));
    world.run("backup -q").expect_code(0);
    let status = world.run("status --json").expect_code(0).json();
    let of = |key: &str| status[key].as_u64().unwrap_or_else(|| panic!("{key} in {status}"));
    let (full, unique, stored) = (of("bytes_all_snapshots"), of("bytes_unique"), of("bytes_stored"));
    assert_eq!(full, 3_300_000);
    assert!((1_000_000..2_310_000).contains(&unique), "{status}");
    assert_eq!(of("bytes_saved_deduplication"), full - unique);
    assert_eq!(of("bytes_saved_compression"), unique - stored);
    assert_eq!(of("bytes_saved_deduplication") + of("bytes_saved_compression"), full - stored);
    world.run("status").expect_code(0).expect_shown(&["by duplicates ", "by compression "]);
}
