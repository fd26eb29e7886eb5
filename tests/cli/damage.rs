//! Damaged destinations: found, named, and read around.

use crate::support::{World, noise};

/// Two destinations with the same backup, and the largest pack of the first.
fn damaged() -> (World, String) {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/a", noise(400_000, 1));
    world.write("docs/b", "small");
    world.run("backup -q").expect_code(0);
    let pack = world.files("primary/packs").into_iter().next().expect("a pack");
    let mut bytes = std::fs::read(&pack).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&pack, bytes).expect("writable");
    (world, pack.file_name().expect("a name").to_string_lossy().into_owned())
}

#[test]
fn a_damaged_pack_is_fifteen_and_named() {
    let (world, pack) = damaged();
    // Its structure is what it was.
    world.run("check").expect_code(0).expect_shown(&["--read-data", "No damage found"]);
    let ended = world.run("check --read-data").expect_code(15);
    let damage = ended.stdout.lines().find(|line| line.starts_with("damage: ")).expect("a finding");
    assert!(damage.contains(&pack) && damage.contains("on [primary]"), "{damage}");
    let ended = ended.expect_shown(&["[secondary] 1 snapshot, 2 packs, nothing wrong"]);
    ended.expect_said(&["1 damaged object found.", "hint: "]);
    world.run("check --read-data --destination secondary").expect_code(0);
    let summary = world.run("check --read-data --json").expect_code(15).summary();
    assert!(summary["findings"][0]["object"].as_str().is_some_and(|object| object.contains(&pack)), "{summary}");
    assert_eq!((&summary["findings"][0]["severity"], &summary["exit_code"]), (&"damage".into(), &15.into()));
    assert_eq!(summary["findings"][0]["destination"], "primary");
}

#[test]
fn a_restore_reads_around_it_and_says_so() {
    let (world, pack) = damaged();
    let ended = world.run("restore --directory docs --destination back --verify").expect_code(0);
    ended.expect_shown(&["Verified"]).expect_said(&[&pack[..8], "primary", "read from secondary instead"]);
    assert_eq!(std::fs::read(world.path("back/a")).expect("restored"), noise(400_000, 1));
    let notes = world.run("restore --file docs/a --destination again --json").expect_code(0).summary();
    assert_eq!(notes["notes"].as_array().map(Vec::len), Some(1), "{notes}");
}

#[test]
fn what_is_damaged_everywhere_is_named_and_the_rest_restored() {
    let (world, _) = damaged();
    let ended = world.run("restore --directory docs --destination back --from primary").expect_code(3);
    ended.expect_said(&["back/a: ", "authentication failed", "hint: plug in the other destinations"]);
    assert!(!world.path("back/a").exists(), "half a file is no file");
    world.rename("secondary", "unplugged");
    world.run("restore --file docs/a --destination again").expect_code(3);
    world.rename("unplugged", "secondary");
    world.run("restore --file docs/a --destination again").expect_code(0);
}

#[test]
fn a_pack_that_is_gone_is_found_without_reading_data() {
    let (world, pack) = damaged();
    std::fs::remove_file(world.files("primary/packs").into_iter().next().expect("a pack")).expect("removed");
    world.run("check").expect_code(15).expect_shown(&["damage: ", "on [primary]"]);
    assert!(world.path("secondary/packs").join(&pack[..2]).join(&pack).exists());
    // Read, not copied back: that is healing. The next backup stores again what it needs.
    world.run("restore --directory docs --destination back").expect_code(0);
    world.run("backup").expect_code(0);
    world.rename("secondary", "unplugged");
    world.run("restore --directory docs --destination alone").expect_code(0);
}

#[test]
fn what_was_not_checked_is_said() {
    let (world, _) = damaged();
    world.rename("primary", "unplugged");
    let ended = world.run("check --read-data").expect_code(0);
    ended.expect_said(&["warning: [primary] was not checked: "]);
    let summary = world.run("check --json").expect_code(0).summary();
    assert_eq!(summary["unreachable"][0]["name"], "primary", "{summary}");
    world.run("check --destination primary").expect_code(13);
}
