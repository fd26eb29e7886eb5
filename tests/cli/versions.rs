//! Versions of a file: numbers that stay, dates, and what is left when the index or the machine is lost.

use serde_json::Value;

use crate::support::World;

const TEXTS: [&str; 5] = ["one", "two two", "three three three", "four", "five five five five five"];

/// Five versions of `docs/file`, beside a file that stays the same.
fn with_five_versions() -> World {
    let world = World::set_up(&["primary"]);
    world.write("docs/same", "same");
    for text in TEXTS {
        world.write("docs/file", text);
        world.run("backup -q").expect_code(0);
    }
    world
}

fn versions(world: &World) -> Vec<Value> {
    world.run("list docs/file --json").expect_code(0).json().as_array().expect("a list").clone()
}

fn numbers(world: &World) -> Vec<u64> {
    versions(world).iter().map(|version| version["version"].as_u64().expect("a number")).collect()
}

#[track_caller]
fn expect_restored(world: &World, words: &str, text: &str) {
    let _ = std::fs::remove_file(world.path("back"));
    world.run(&format!("restore --file docs/file --destination back {words}")).expect_code(0);
    assert_eq!(world.read("back"), text, "{words}");
}

/// That all five are there, by number and by date.
fn expect_five(world: &World) {
    let listed = versions(world);
    assert_eq!(numbers(world), [1, 2, 3, 4, 5]);
    for (version, text) in listed.iter().zip(TEXTS) {
        assert_eq!(version["size"], text.len(), "{version}");
        expect_restored(world, &format!("--version {}", version["version"]), text);
        let at = version["first_seen"].as_str().expect("a time");
        expect_restored(world, &format!("--date {at}"), text);
    }
    let time = |at: usize| listed[at]["first_seen"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let (third, fourth) = (time(2).expect("a time"), time(3).expect("a time"));
    let between = third + fourth.duration_since(third) / 2;
    expect_restored(world, &format!("--date {between:.9}"), TEXTS[2]);
    expect_restored(world, "", TEXTS[4]);
    expect_restored(world, "--date 0d", TEXTS[4]);
}

#[test]
fn five_versions_are_listed_and_restored_also_without_the_index() {
    let world = with_five_versions();
    let shown = world.run("list docs/file").expect_code(0).stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!((lines.len(), lines[0].starts_with("History of ")), (7, true), "{shown}");
    assert!(lines[6].contains("24 B") && lines[6].ends_with("current"), "{shown}");
    expect_five(&world);
    world.run("list docs/file -n 2").expect_code(0).expect_shown(&["the newest 2 of 5"]);
    std::fs::remove_file(world.state().join("backups.db")).expect("the index");
    world.run("status").expect_code(0).expect_said(&["The index was missing and is rebuilt"]);
    expect_five(&world);
    // Broken is as good as missing; the old one is kept.
    std::fs::write(world.state().join("backups.db"), "no database").expect("writable");
    world.run("status").expect_code(0).expect_said(&["could not be used", "backups.db.broken-"]);
    expect_five(&world);
    world.run("rebuild-index").expect_code(0).expect_shown(&["rebuilt from primary: 5 snapshots"]);
    expect_five(&world);
}

#[test]
fn what_was_deleted_and_comes_back_gets_the_next_number() {
    let world = with_five_versions();
    std::fs::remove_file(world.path("docs/file")).expect("deleted");
    world.run("backup -q").expect_code(0);
    let shown = world.run("list docs/file").expect_code(0).stdout;
    assert!(shown.trim_end().ends_with("deleted after this"), "{shown}");
    world.run("restore --list file").expect_code(0).expect_shown(&["docs/file  (deleted)"]);
    world.run("restore --file docs/file").expect_code(0).expect_shown(&["Note: ", "was deleted since"]);
    assert_eq!(world.read("docs/file"), TEXTS[4]);
    std::fs::remove_file(world.path("docs/file")).expect("deleted again");
    // The folder as it is now does not have it.
    world.run("restore --directory docs --destination now").expect_code(0);
    assert_eq!(world.names("now"), ["same"]);
    world.write("docs/file", "six");
    world.run("backup -q").expect_code(0);
    assert_eq!(numbers(&world), [1, 2, 3, 4, 5, 6]);
    expect_restored(&world, "--version 6", "six");
    std::fs::remove_file(world.state().join("backups.db")).expect("the index");
    world.write("docs/file", "seven");
    world.run("backup -q").expect_code(0);
    assert_eq!(numbers(&world), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn the_same_content_again_is_a_version_and_an_unchanged_file_is_none() {
    let world = World::set_up(&["primary"]);
    for text in ["a", "b", "b", "a"] {
        world.write("docs/file", text);
        world.run("backup -q --force").expect_code(0);
    }
    assert_eq!(numbers(&world), [1, 2, 3]);
    expect_restored(&world, "--version 3", "a");
}
