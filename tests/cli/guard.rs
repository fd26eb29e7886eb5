//! What a person is told where something is not as it was: a run that looks suspect, a destination that was set back.

use crate::support::{World, noise};

fn letters(world: &World, seed: u64) {
    for number in 0..110 {
        let text = match seed {
            0 => format!("letter {number}\n").repeat(10_000).into_bytes(),
            seed => noise(100_000, seed * 1000 + number),
        };
        world.write(&format!("docs/letter {number}"), text);
    }
}

#[test]
fn a_suspect_run_is_four_and_says_how_many_files() {
    let world = World::set_up(&["primary"]);
    letters(&world, 0);
    world.run("backup -q").expect_code(0);
    letters(&world, 1);
    let ended = world.run("backup").expect_code(4);
    let reason = "docs looks suspect: of 110 files 110 have another content, that of 110 looks random (encrypted?)";
    let ended = ended.expect_said(&[reason, "hint: ", "`cryptbackup backup --accept-changes`"]);
    assert!(ended.stdout.contains("Protected on 1 of 1 destination"), "it is saved all the same: {}", ended.stdout);
    world.run("status").expect_code(0).expect_said(&["since snapshot ", reason, "nothing of it is cleaned"]);
    let document = world.run("status --json").expect_code(0).json();
    assert_eq!(document["sources"][0]["suspect"]["files_opaque"], 110);
    let ended = world.run("clean --keep-days 0 --keep-versions 1").expect_code(0);
    let ended = ended.expect_said(&["nothing of it goes: in snapshot ", reason]);
    assert!(ended.stdout.contains("2 snapshots stay, 0 went"), "{}", ended.stdout);
    letters(&world, 2);
    let summary = world.run("backup --json").expect_code(4).summary();
    assert_eq!((&summary["exit_code"], &summary["suspect"][0]["files"]), (&4.into(), &110.into()));

    let summary = world.run("backup --accept-changes --json").expect_code(0).summary();
    assert_eq!(summary["accepted"].as_array().map(Vec::len), Some(2));
    let ended = world.run("status").expect_code(0);
    assert!(!ended.stderr.contains("suspect"), "{}", ended.stderr);
    world.run("clean --keep-days 0 --keep-versions 1").expect_code(0).expect_shown(&["1 snapshot stays, 3 went"]);
    letters(&world, 3);
    world.run("config set guard.suspect_changes off").expect_code(0);
    world.run("backup").expect_code(0);
}

#[test]
fn a_destination_that_was_set_back_is_shown_until_it_is_accepted() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "a");
    world.run("backup -q").expect_code(0);
    let copy = |from: &str, to: &str| {
        let copied = std::process::Command::new("cp").arg("-a").args([world.path(from), world.path(to)]).status();
        assert!(copied.is_ok_and(|status| status.success()));
    };
    copy("primary", "older");
    world.write("docs/a", "b");
    world.run("backup -q").expect_code(0);
    world.rename("primary", "newer");
    copy("older", "primary");
    let shown = ["Rolled back, or something is hidden: it shows less than on ", "it lacks 1 snapshot (", " packs; "];
    world.run("status").expect_code(0).expect_shown(&shown);
    let document = world.run("status --json").expect_code(0).json();
    assert_eq!(document["destinations"][0]["state"], "rolled-back");
    world.run("clean").expect_code(5).expect_said(&["[primary] could not be cleaned"]);
    world.run("backup").expect_code(5).expect_shown(&["saved, ", "it shows less than on "]);
    world.run("destination accept primary").expect_code(0).expect_shown(&["Destination [primary] is accepted."]);
    assert_eq!(world.run("status --json").expect_code(0).json()["destinations"][0]["state"], "online");
    world.run("backup").expect_code(0);
}
