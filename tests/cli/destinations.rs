//! Several destinations: behind, full, replaced, and where one may be.

#[cfg(target_os = "linux")]
use crate::full_disk::SmallDisk;
use crate::support::{Ended, World, noise};

#[test]
fn one_away_is_five_and_sync_brings_it_up_to_date() {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    world.rename("secondary", "unplugged");
    world.write("docs/b", noise(300_000, 1));
    let ended = world.run("backup").expect_code(5);
    let line = |name: &str| {
        let name = format!("[{name}]");
        ended.stdout.lines().find(|line| line.contains(&name)).unwrap_or_default().to_owned()
    };
    assert!(line("primary").contains("saved, ") && !line("primary").contains("not saved"), "{}", ended.stdout);
    let secondary = line("secondary");
    assert!(secondary.contains("not saved, Destination not found ("), "{secondary}");
    assert!(secondary.ends_with("1 snapshot behind"), "{secondary}");
    let ended = ended.expect_shown(&["Protected on 1 of 2 destinations"]);
    ended.expect_said(&["warning: [secondary] is 1 snapshot behind\n", "hint: it is brought up to date by the next"]);
    world.run("backup -q").expect_code(5).expect_said(&["2 snapshots behind: Destination not found"]);
    world
        .run("sync")
        .expect_code(5)
        .expect_shown(&["[primary] up to date"])
        .expect_said(&["[secondary] is 2 snapshots"]);
    assert_eq!(world.run("status --json").expect_code(0).json()["destinations"][1]["snapshots_behind"], 2);

    world.rename("unplugged", "secondary");
    world.run("sync").expect_code(0).expect_shown(&["[secondary] 2 snapshots and ", "copied", "up to date"]);
    world.rename("primary", "unplugged");
    world.run("restore --directory docs --destination back").expect_code(0);
    assert_eq!(world.read("back/a"), "first");
    assert_eq!(std::fs::read(world.path("back/b")).expect("restored"), noise(300_000, 1));
}

#[test]
fn the_next_backup_brings_it_up_to_date_too_unless_told_not_to() {
    let world = World::set_up(&["primary", "secondary"]);
    world.rename("secondary", "unplugged");
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(5);
    world.rename("unplugged", "secondary");
    world
        .run("backup --no-sync")
        .expect_code(5)
        .expect_said(&["secondary] is 1 snapshot behind", "`cryptbackup sync`"]);
    world.run("backup").expect_code(0).expect_shown(&["Protected on 2 of 2 destinations"]);
}

#[test]
fn fewer_copies_than_wanted_is_fourteen() {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/a", "first");
    world.run("config set min_copies 2").expect_code(0);
    world.rename("secondary", "unplugged");
    let said = ["on 1 of the 2 destinations that `min_copies` asks for", "[secondary]"];
    world.run("backup").expect_error(14, &said);
    world.rename("unplugged", "secondary");
    world.run("backup").expect_code(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_fourteen_and_is_good_again_when_there_is_room() {
    let world = World::set_up(&[]);
    let Some(_disk) = SmallDisk::new(&world, 8) else { return };
    world.run("config set destinations.primary small/backup").expect_code(0);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    world.write("docs/big", noise(8 << 20, 1));
    let ended =
        world.run("backup").expect_error(14, &["could not be stored on any destination", "[primary]", "make room"]);
    assert!(ended.stderr.contains("No space left"), "{}", ended.stderr);
    std::fs::remove_file(world.path("docs/big")).expect("removed");
    world.write("docs/b", "second");
    world.run("backup").expect_code(0);
    world.run("check --read-data").expect_code(0);
    world.run("restore --directory docs --destination back").expect_code(0);
    assert_eq!((world.read("back/a"), world.read("back/b")), ("first".into(), "second".into()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_beside_another_is_five_and_says_so() {
    let world = World::set_up(&["primary"]);
    let Some(_disk) = SmallDisk::new(&world, 8) else { return };
    world.run("config set destinations.secondary small/backup").expect_code(0);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    world.write("docs/big", noise(8 << 20, 1));
    let ended = world.run("backup").expect_code(5);
    let ended = ended.expect_shown(&["not saved, Full: ", "Protected on 1 of 2 destinations"]);
    ended.expect_said(&["[secondary] is 1 snapshot behind", "make room on it"]);
    std::fs::remove_file(world.path("docs/big")).expect("removed");
    // The new one has room; the old one still has not.
    let summary = world.run("backup --json").expect_code(5).summary();
    let secondary = &summary["destinations"][1];
    assert_eq!((&secondary["committed"], &secondary["snapshots_behind"]), (&true.into(), &1.into()), "{secondary}");
}

#[test]
fn another_folder_under_a_name_is_said_to_replace_the_first() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    let ended = world.run("config set destinations.primary new").expect_code(0);
    ended.expect_said(&["warning: [primary] was ", "/primary until now", "used no more", "destinations.OTHER"]);
    // Moved is not replaced.
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    world.rename("primary", "moved");
    let ended = world.run("config set destinations.primary moved").expect_code(0).expect_shown(&["is taken up"]);
    assert_eq!(ended.stderr, "");
    world.run("backup").expect_code(0).expect_shown(&["0 new, 0 changed, 1 unmodified"]);
}

#[test]
fn a_destination_is_a_folder_of_its_own() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "first");
    let base = world.path("").display().to_string();
    for (path, why) in [
        (base.as_str(), "the source"),
        ("docs", "the source"),
        ("primary", "is the destination `primary` already"),
        ("primary/inner", "it lies in the destination `primary`"),
        ("state/backup", "it lies in the state folder"),
        ("state", "the state folder"),
        ("nowhere/backup", "the folder above"),
    ] {
        let ended = world.run_args(["config", "set", "destinations.secondary", path]).expect_code(2);
        ended.expect_said(&["destinations.secondary: ", why]);
    }
    world.write("file", "");
    world.run("config set destinations.secondary file").expect_code(2).expect_said(&["is not a folder"]);
    assert_eq!(world.run("config show --json").json()["destinations"].as_object().map(serde_json::Map::len), Some(1));
    // Inside a source it is skipped.
    let ended = world.run("config set destinations.secondary docs/backup").expect_code(0);
    ended.expect_said(&["It lies in the source", "left out of its backups"]);
    world.run("backup").expect_code(0).expect_shown(&["1 new"]);
    world.run("backup").expect_code(0).expect_shown(&["0 new, 0 changed, 1 unmodified file in 1 folder"]);
    assert!(!world.run("restore --list").expect_code(0).stdout.contains("docs/backup"));
    world.run("add docs/backup").expect_code(2).expect_said(&["keeps backups"]);
}

#[test]
fn destinations_of_another_repository_are_refused() {
    let world = World::set_up(&["primary"]);
    let mut command = world.command(["quickstart", "docs", "other"]);
    command.env("CRYPTBACKUP_HOME", world.path("other-state"));
    Ended::of(command).expect_code(0);
    let ended = world.run("config set destinations.secondary other").expect_code(2);
    ended.expect_said(&["holds another repository", "connect"]);
    let before = world.files("other").len();
    world.run("backup").expect_code(0);
    assert_eq!(world.files("other").len(), before);
}

#[test]
fn forgotten_destinations_stay_as_they_are_and_can_come_back() {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    let files = world.files("secondary");
    world.run("destination forget secondary").expect_code(0).expect_shown(&["what is on it stays there"]);
    assert_eq!(world.files("secondary"), files);
    world.run("destination forget secondary").expect_error(1, &["no destination `secondary`"]);
    world.run("config set destinations.usb secondary").expect_code(0).expect_shown(&["is taken up"]);
    let list = world.run("destination list --json").expect_code(0).json();
    assert_eq!((&list[1]["name"], &list[1]["snapshots_behind"]), (&"usb".into(), &0.into()));
    world.run("config unset destinations.usb").expect_code(0);
    world.run("destination list").expect_code(0).expect_shown(&["[primary]", "Free: "]);
}

/// A disk on which not one more byte can be written is cleaned all the same, and has room afterwards.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_a_byte_left_can_be_cleaned() {
    let world = World::set_up(&[]);
    let Some(disk) = SmallDisk::new(&world, 24) else { return };
    world.run("config set destinations.primary small/backup").expect_code(0);
    for number in 1..=4 {
        world.write("docs/a", noise(3 << 20, number));
        world.write(&format!("docs/{number}/kept"), "kept");
        world.run("backup -q").expect_code(0);
    }
    disk.fill(0);
    world.write("docs/more", noise(1 << 20, 9));
    world.run("backup").expect_error(14, &["No space left"]);
    let ended = world.run("clean --keep-last 1 --keep-days 0 --keep-versions 2 --json").expect_code(0).summary();
    let cleaned = &ended["destinations"][0];
    assert!(cleaned["bytes_freed"].as_u64().is_some_and(|bytes| bytes > 5 << 20), "{cleaned}");
    assert!(disk.0.join("backup/reserve").exists(), "the reserve is there again");
    world.run("backup").expect_code(0);
    world.run("check --read-data").expect_code(0);
    world.run("restore --file docs/a --version 3 --destination back").expect_code(0);
    assert!(std::fs::read(world.path("back")).expect("restored") == noise(3 << 20, 3));
}

#[test]
fn a_script_can_ask_whether_all_is_well() {
    let world = World::set_up(&["primary", "usb"]);
    world.write("docs/a", "a");
    world.run("backup -q").expect_code(0);
    world.run("status --check -q").expect_code(0);
    world.rename("usb", "usb.away");
    world.run("status").expect_code(0);
    world.run("status --check").expect_code(5);
    world.rename("usb.away", "usb");
    world.run("status --check").expect_code(0);
    // Added, and never backed up since: now, and when that is long ago.
    world.folder("more");
    world.run("add more").expect_code(0);
    world.run("status --check").expect_code(3).expect_said(&["warning: ", "more was never backed up as a whole"]);
    let config = world.read("state/config.yaml");
    let (before, after) = config.rsplit_once("added_at: ").expect("the last source");
    let rest = after.split_once('\n').expect("a line").1;
    world.write("state/config.yaml", format!("{before}added_at: 2020-01-01T00:00:00+00:00\n{rest}"));
    let said = world.run("status --check").expect_code(3).expect_said(&["warning: ", "more", "never"]);
    assert!(said.stderr.contains("status.warn_days"), "{}", said.stderr);
    let sources = world.run("status --json").expect_code(0).json()["sources"].clone();
    assert_eq!((&sources[0]["overdue"], &sources[1]["overdue"]), (&false.into(), &true.into()), "{sources}");
    world.run("config set status.warn_days 0").expect_code(0);
    world.run("status --check").expect_code(0);
}

#[test]
fn nothing_backed_up_at_all_is_not_well() {
    let world = World::new();
    world.run("init").expect_code(0);
    world.run("status --check").expect_code(3).expect_shown(&["none yet: cryptbackup add DIR"]);
    world.run("config set destinations.primary primary").expect_code(0);
    world.run("status --check").expect_code(3);
    world.folder("docs");
    world.run("add docs").expect_code(0);
    world.run("config unset destinations.primary").expect_code(0);
    let said = "1 copy is wanted (min_copies) and fewer destinations are configured";
    world.run("status --check").expect_code(3).expect_said(&[said]);
    // What was backed up once, and has nowhere to go now.
    world.run("config set destinations.primary primary").expect_code(0);
    world.run("backup -q").expect_code(0);
    world.run("status --check").expect_code(0);
    world.run("config unset destinations.primary").expect_code(0);
    world.run("status --check").expect_code(5);
    world.run("config set min_copies 2").expect_code(0);
    world.run("status").expect_code(0).expect_said(&["2 copies are wanted"]);
}

#[test]
fn a_source_that_the_last_run_could_not_read_is_a_problem() {
    let world = World::set_up(&["primary"]);
    world.write("docs/a", "a");
    world.write("more/b", "b");
    world.run("add more").expect_code(0);
    world.run("backup -q").expect_code(0);
    world.run("status --check").expect_code(0);
    let sources = || {
        let sources = world.run("status --json").expect_code(0).json()["sources"].clone();
        let of = |at: usize| (sources[at]["problems"].as_u64(), sources[at]["unread"].as_bool());
        [of(0), of(1)]
    };
    let unread = |what: &str| {
        world.run("backup -q").expect_code(3);
        world.run("status --check").expect_code(3).expect_shown(&["not read by the last backup that tried"]);
        assert_eq!(sources(), [(Some(0), Some(false)), (Some(1), Some(true))], "{what}");
    };
    world.rename("more", "unplugged");
    unread("away");
    // It is still so when the other one alone is backed up, and after another try.
    world.run("backup -q --source docs").expect_code(0);
    world.run("status --check").expect_code(3);
    unread("away again");
    // Where it was mounted is an empty folder.
    world.folder("more");
    unread("empty");
    std::fs::remove_dir(world.path("more")).expect("empty");
    world.rename("unplugged", "more");
    world.run("backup -q").expect_code(0);
    world.run("status --check").expect_code(0);
    // Not asked for is no problem.
    world.run("backup -q --source docs").expect_code(0);
    world.run("status --check").expect_code(0);
    assert_eq!(sources(), [(Some(0), Some(false)), (Some(0), Some(false))]);
}

#[test]
fn what_to_do_about_an_emptied_destination_works() {
    let world = World::set_up(&["primary", "usb"]);
    world.write("docs/a", "first");
    world.run("backup -q").expect_code(0);
    std::fs::remove_dir_all(world.path("usb")).expect("there");
    world.folder("usb");
    let cure = format!("cryptbackup config set destinations.usb {}", world.path("usb").display());
    for words in ["backup", "sync"] {
        world.run(words).expect_code(5).expect_said(&[&cure, "`cryptbackup destination accept usb`"]);
    }
    world.run("destination accept usb").expect_code(2).expect_said(&["is not a destination", &cure]);
    world.run(cure.strip_prefix("cryptbackup ").expect("a command")).expect_code(0);
    world.run("sync").expect_code(0);
    world.run("status --check").expect_code(0);
    world.rename("primary", "unplugged");
    world.run("restore --directory docs --destination back").expect_code(0);
}
