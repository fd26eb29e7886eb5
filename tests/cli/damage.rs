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
    // What it met it healed.
    let notes = world.run("restore --file docs/a --destination again --json").expect_code(0).summary();
    assert_eq!(notes["notes"].as_array().map(Vec::len), Some(0), "{notes}");
    world.run("check --read-data").expect_code(0);
}

#[test]
fn what_is_damaged_everywhere_is_named_and_the_rest_restored() {
    let (world, _) = damaged();
    world.rename("secondary", "unplugged");
    let ended = world.run("restore --directory docs --destination back --from primary").expect_code(3);
    ended.expect_said(&[
        "back/a: ",
        "authentication failed",
        "hint: plug in the other destinations",
        "1 could not be healed: no destination within reach has it whole; run `cryptbackup check --read-data --heal`",
    ]);
    assert!(!world.path("back/a").exists(), "half a file is no file");
    world.run("restore --file docs/a --destination again").expect_code(3);
    // It is remembered.
    world.run("check").expect_code(15).expect_shown(&["it is known to be damaged"]);
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
    for words in ["check", "check --read-data", "check --read-data --heal"] {
        let ended = world.run(words).expect_code(5).expect_shown(&["No damage found"]);
        ended.expect_said(&["warning: [primary] was not checked: "]);
    }
    let summary = world.run("check --json").expect_code(5).summary();
    assert_eq!(
        (&summary["unreachable"][0]["name"], &summary["exit_code"]),
        (&"primary".into(), &5.into()),
        "{summary}"
    );
    world.run("check --destination primary").expect_code(13);
    // Nobody asked for it.
    world.run("check --destination secondary").expect_code(0);
}

#[test]
fn healing_is_sixteen_with_a_line_for_everything() {
    let (world, pack) = damaged();
    world.run("check --heal").expect_code(0).expect_shown(&["No damage found"]);
    let ended = world.run("check --read-data --heal").expect_code(16);
    let line = format!("healed: packs/{}/{pack} on [primary]: taken from [secondary]", &pack[..2]);
    ended
        .expect_shown(&["damage: packs/", &line, "[primary] ", "[secondary] "])
        .expect_said(&["All of it was healed."]);
    world.run("check --read-data").expect_code(0);

    std::fs::write(world.path("primary/dest.id"), "rot").expect("writable");
    std::fs::remove_file(world.path("primary/reserve")).expect("there");
    let slot = world.files("primary/keys").into_iter().next().expect("a slot");
    std::fs::write(&slot, "rot").expect("writable");
    world.run("check").expect_code(15);
    let summary = world.run("check --heal --json").expect_code(16).summary();
    assert_eq!((&summary["exit_code"], &summary["remaining"]), (&16.into(), &serde_json::json!([])), "{summary}");
    let healed: Vec<&str> =
        summary["healed"].as_array().expect("a list").iter().filter_map(|healed| healed["object"].as_str()).collect();
    assert!(healed.len() >= 3 && healed.contains(&"reserve"), "{healed:?}");
    world.run("check --read-data").expect_code(0);
}

#[test]
fn what_cannot_be_healed_is_fifteen_and_says_what_is_lost() {
    let (world, _) = damaged();
    world.rename("secondary", "unplugged");
    let ended = world.run("check --read-data --heal").expect_code(15);
    ended.expect_shown(&["left: packs/", "docs/a"]).expect_said(&["hint: plug in the destinations"]);
    world.rename("unplugged", "secondary");
    world.run("check --heal").expect_code(16);
    world.run("check --read-data").expect_code(0);
}

#[test]
fn a_folder_is_scrubbed_without_a_key() {
    let (world, pack) = damaged();
    std::fs::remove_dir_all(world.state()).expect("no state is needed");
    let ended = world.run("scrub primary").expect_code(15);
    ended.expect_shown(&[&format!("damage: packs/{}/{pack}: its bytes do not match its name", &pack[..2])]);
    let summary = world.run("scrub primary --json").expect_code(15).summary();
    assert_eq!(summary["findings"].as_array().map(Vec::len), Some(1), "{summary}");
    let summary = world.run("scrub secondary --json").expect_code(0).summary();
    assert_eq!(summary["findings"], serde_json::json!([]), "{summary}");
    world.write("secondary/packs/notes.txt", "mine");
    world.run("scrub secondary").expect_code(0).expect_shown(&["notice: packs/notes.txt"]);
    std::fs::remove_dir_all(world.path("secondary/marks/00")).expect("an empty folder");
    world.run("scrub secondary").expect_code(15).expect_shown(&["damage: marks/00: this folder is missing"]);
    world.run("scrub nowhere").expect_error(13, &["nowhere"]);
    world.folder("empty");
    world.run("scrub empty").expect_error(13, &["empty"]);
}
