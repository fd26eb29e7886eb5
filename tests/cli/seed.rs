//! The commands of the forerunner's README, typed as it shows them for Linux.

use crate::support::World;

/// `~/Documents` with the README's files, two disks and a share that is mounted.
fn world() -> World {
    let world = World::new();
    for (name, text) in [("rapport.pdf", "r1"), ("important.docx", "i1"), ("scratch.tmp", "t"), ("~lock", "l")] {
        world.write(&format!("home/Documents/{name}"), text);
    }
    world.write("home/Documents/.DS_Store", "d");
    world.write("home/doc.txt", "outside");
    for place in ["user", "disk", "nas"] {
        world.folder(place);
    }
    world
}

fn documents(world: &World) -> String {
    world.path("home/Documents").display().to_string()
}

fn set_up() -> World {
    let world = world();
    world.run("init").expect_code(0);
    world.run_args(["add", &documents(&world), "--exclude", "*.tmp,~*,.DS_Store"]).expect_code(0);
    for (name, place) in [("primary", "user"), ("secondary", "disk"), ("tertiary", "nas")] {
        let path = world.path(&format!("{place}/backup"));
        let key = format!("destinations.{name}");
        let path = path.to_str().expect("text");
        world.run_args(["config", "set", &key, path]).expect_code(0).expect_shown(&[path]);
    }
    world
}

#[test]
fn init_makes_the_configuration_and_says_to_keep_it() {
    let world = world();
    let ended = world.run("init").expect_code(0);
    ended.expect_shown(&["CryptBackup is initialised", "config.yaml", "Copy that file", "cryptbackup add DIR"]);
    world.run("init").expect_error(2, &["holds a configuration already", "--force"]);
    let before = world.read("state/config.yaml");
    let forced = world.run("init --force").expect_code(0).expect_shown(&["is kept in"]);
    let aside = forced.stdout.lines().find_map(|line| line.trim().strip_prefix("What was set up before is kept in "));
    let aside = std::path::Path::new(aside.expect("a folder")).join("config.yaml");
    assert_eq!(std::fs::read_to_string(aside).expect("kept"), before);
    assert_ne!(world.read("state/config.yaml"), before);
}

#[test]
fn backups_are_made_of_all_sources_or_one_or_none() {
    let world = set_up();
    let dry = world.run("backup --dry-run --verbose").expect_code(0).expect_shown(&[
        "Dry run, nothing was written: 2 new",
        "would read ",
        "Documents/rapport.pdf",
        "3 entries left out",
        "4 B would be read",
    ]);
    assert!(!dry.stdout.contains("scratch.tmp") && !dry.stdout.contains("~lock"), "{}", dry.stdout);
    assert_eq!(world.run("snapshots --json").expect_code(0).json(), serde_json::json!([]));
    let ended = world.run("backup").expect_code(0);
    ended.expect_shown(&["2 new", "[primary]", "[secondary]", "[tertiary]", "Protected on 3 of 3 destinations"]);
    world.write("other/o", "o");
    world.run("add other").expect_code(0);
    world.write("home/Documents/rapport.pdf", "r2");
    world.run_args(["backup", "--source", &documents(&world)]).expect_code(0).expect_shown(&["0 new, 1 changed"]);
    let listed = world.run("restore --list").expect_code(0).stdout;
    assert!(!listed.contains("other/o"), "{listed}");
    let refused = world.run("backup --source /nowhere").expect_code(2);
    refused.expect_said(&["/nowhere is not a configured source", "other"]);
}

#[test]
fn status_shows_files_space_the_last_backup_sources_and_destinations() {
    let world = set_up();
    world.run("status").expect_code(0).expect_shown(&["not backed up yet", "never"]);
    world.run("backup").expect_code(0);
    let path = world.path("disk/backup").display().to_string();
    let status = world.run("status").expect_code(0).expect_shown(&[
        " Destinations :",
        "[primary]",
        &path,
        "Free: ",
        "Last backup",
        "just now",
        "2, 4 B",
        "Stored",
        "Saved",
        &documents(&world),
    ]);
    status.expect_said(&["keep a copy of that file"]);
    world.rename("disk", "unplugged");
    let status = world.run("status").expect_code(0);
    let line = status.stdout.lines().find(|line| line.contains("[secondary]")).expect("a line for it");
    assert!(line.contains("Destination not found ("), "{line}");
    assert!(!line.contains("Free") && !line.contains("does not exist"), "{line}");
}

#[test]
fn versions_are_listed_and_restored_by_date_and_number() {
    let world = set_up();
    let file = world.path("home/Documents/rapport.pdf").display().to_string();
    for text in ["r1", "r2 longer", "r3 the longest"] {
        world.write("home/Documents/rapport.pdf", text);
        world.run("backup -q").expect_code(0);
    }
    let listed = world.run_args(["list", &file]).expect_code(0);
    assert_eq!(listed.stdout.lines().count(), 5, "a heading, the columns, three versions:\n{}", listed.stdout);
    world.write("home/Documents/rapport.pdf", "lost");
    world.run_args(["restore", "--file", &file]).expect_code(0).expect_shown(&["version 3 (3 known)"]);
    assert_eq!(world.read("home/Documents/rapport.pdf"), "r3 the longest");
    world.run_args(["restore", "--file", &file, "--version", "1"]).expect_code(0);
    assert_eq!(world.read("home/Documents/rapport.pdf"), "r1");
    world.run_args(["restore", "--file", &file, "--date", "2199-01-15"]).expect_code(0);
    assert_eq!(world.read("home/Documents/rapport.pdf"), "r3 the longest");
    let early = world.run_args(["restore", "--file", &file, "--date", "2016-01-15"]);
    early.expect_error(1, &["at or before 2016-01-15 23:59:59"]);
}

#[test]
fn files_and_folders_are_restored_elsewhere() {
    let world = set_up();
    world.run("backup -q").expect_code(0);
    let file = world.path("home/Documents/important.docx").display().to_string();
    let target = world.path("home/Restored/doc.txt").display().to_string();
    world.run_args(["restore", "--file", &file, "--destination", &target]).expect_code(0);
    assert_eq!(world.read("home/Restored/doc.txt"), "i1");
    let target = world.path("home/All").display().to_string();
    world.run_args(["restore", "--directory", &documents(&world), "--destination", &target]).expect_code(0);
    assert_eq!(world.names("home/All"), ["important.docx", "rapport.pdf"]);
    let listed = world.run("restore --list").expect_code(0);
    assert_eq!(listed.stdout.lines().count(), 2, "{}", listed.stdout);
    assert_eq!(world.run_args(["restore", "--list", "*.pdf"]).expect_code(0).stdout.lines().count(), 1);
}
