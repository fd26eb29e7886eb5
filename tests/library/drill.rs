//! Restore drills: what they find, what they leave alone, and what is remembered of them.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use cryptbackup::check::{self, CheckRequest};
use cryptbackup::drill::{self, DrillReport, DrillRequest, FindingKind, Limit};
use cryptbackup::error::Error;
use cryptbackup::repo::{InitRequest, Sizes, Standing};
use cryptbackup::report::{Monitor, Silent, Stage};

use crate::support::World;
use crate::support::hooks::Stop;
use crate::support::world::noise;

const SMALL: u64 = drill::BYTES_MIN;

fn of_bytes(bytes: u64, seed: u8) -> DrillRequest {
    DrillRequest { limit: Limit::Bytes(bytes), seed: Some([seed; 32]), ..DrillRequest::default() }
}

fn try_drill(world: &World, request: &DrillRequest, monitor: &dyn Monitor) -> Result<DrillReport, Error> {
    let repo = world.open_by_its_clock();
    let report = drill::run(&repo, request, monitor)?;
    drill::remember(repo, &report)?;
    assert!(scratch(world).is_empty(), "{:?}", scratch(world));
    Ok(report)
}

fn drill(world: &World, request: &DrillRequest) -> DrillReport {
    try_drill(world, request, &Silent).expect("drilled")
}

/// What lies where drills restore to.
fn scratch(world: &World) -> Vec<String> {
    let folder = world.home.path().join("state/tmp");
    let entries = fs::read_dir(folder).map(|entries| entries.collect::<Vec<_>>()).unwrap_or_default();
    entries.into_iter().map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect()
}

fn standing(world: &World, name: &str) -> Standing {
    world.open_by_its_clock().standing(name).expect("how it stands")
}

fn proven(world: &World, name: &str) -> u64 {
    standing(world, name).proven_percent.expect("something is there")
}

/// The file in which it is kept what is proven.
fn proofs(world: &World) -> Option<PathBuf> {
    let folder = fs::read_dir(world.home.path().join("state")).expect("listed");
    let mut files = folder.map(|entry| entry.expect("listed"));
    let found = files.find(|entry| entry.file_name().to_string_lossy().starts_with("proofs-"));
    found.map(|entry| entry.path())
}

/// A world with small packs.
fn with_small_packs(destinations: &[&str]) -> World {
    let sizes = Some(Sizes::with_packs(4160 << 10));
    World::with(InitRequest { sizes, ..InitRequest::default() }, destinations).0
}

fn check_data(world: &World) {
    let request = CheckRequest { read_data: true, ..CheckRequest::default() };
    let report = check::run(&world.open_by_its_clock(), request, &Silent).expect("checked");
    assert!(!report.has_damage());
}

/// Flips a byte in the middle of the largest pack.
fn damage(world: &World, name: &str) {
    let packs = world.objects(name).into_iter().filter(|(path, _)| path.starts_with("packs/"));
    let (path, len) = packs.max_by_key(|(_, len)| *len).expect("a pack");
    let file = fs::File::options().read(true).write(true).open(world.path(name).join(path)).expect("the pack");
    let mut byte = [0];
    file.read_exact_at(&mut byte, len / 2).expect("read");
    file.write_all_at(&[byte[0] ^ 1], len / 2).expect("written");
}

#[test]
fn small_drills_cover_everything_in_the_end() {
    let world = World::in_memory(&["primary", "secondary"]);
    for number in 0..30 {
        world.write(&format!("folder {}/file {number}", number % 7), noise(500_000, number));
    }
    // Larger than a drill: in parts. Of its hole nothing is stored.
    let large = fs::File::create(world.source().join("large")).expect("a file");
    large.write_all_at(&noise(9_000_000, 100), 3_000).expect("written");
    large.write_all_at(&noise(1_000_000, 101), 40_000_000).expect("written");
    world.write("changed", noise(600_000, 102));
    world.backup();
    world.write("changed", noise(600_000, 103));
    world.remove("folder 3/file 3");
    world.backup();
    assert_eq!(standing(&world, "primary").last_proof, None);
    assert_eq!((proven(&world, "primary"), proven(&world, "secondary")), (0, 0));
    let (mut last, mut parts, mut files) = (0, 0, 0);
    for run in 1..=20 {
        let report = drill(&world, &of_bytes(SMALL, run));
        assert_eq!(report.findings, []);
        for drilled in &report.destinations {
            assert!(drilled.bytes_restored <= SMALL && drilled.bytes_read <= SMALL, "{drilled:?}");
            assert!(drilled.bytes_read > SMALL / 3 || drilled.proven_percent == Some(100), "{drilled:?}");
            assert_eq!(drilled.proven_percent, standing(&world, &drilled.name).proven_percent);
        }
        parts += report.destinations[0].parts;
        files += report.destinations[0].files;
        let now = proven(&world, "primary");
        assert!(now > last || now == 100, "{now} after {last}");
        last = now;
        if (proven(&world, "primary"), proven(&world, "secondary")) == (100, 100) {
            assert!(run > 5, "a run proves no more than its budget");
            assert!(parts >= 3 && files >= 3, "{parts} parts, {files} files");
            return;
        }
    }
    panic!("20 drills proved {last} %");
}

#[test]
fn the_same_seed_chooses_the_same() {
    let world = World::in_memory(&["primary"]);
    for number in 0..60 {
        world.write(&format!("file {number}"), noise(200_000 + 7 * number as usize, number));
    }
    world.backup();
    let chosen: Vec<u64> = [1, 2, 1]
        .map(|seed| {
            let before = proofs(&world);
            let restored = drill(&world, &of_bytes(SMALL, seed)).destinations.remove(0).bytes_restored;
            // As if it had not been.
            assert_eq!((before.is_none(), proofs(&world).is_some()), (true, true));
            fs::remove_file(proofs(&world).expect("proofs")).expect("removed");
            restored
        })
        .to_vec();
    assert!(chosen[0] == chosen[2] && chosen[0] != chosen[1], "{chosen:?}");
}

#[test]
fn a_flipped_byte_on_one_destination_is_found_there_and_the_other_is_proven() {
    let world = World::in_memory(&["primary", "secondary"]);
    for number in 0..8 {
        world.write(&format!("file {number}"), noise(700_000, number));
    }
    world.backup();
    drill(&world, &DrillRequest::default());
    assert_eq!((proven(&world, "primary"), proven(&world, "secondary")), (100, 100));
    damage(&world, "primary");
    let report = drill(&world, &DrillRequest::default());
    assert!(!report.findings.is_empty());
    for finding in &report.findings {
        assert_eq!((finding.destination.as_str(), finding.kind), ("primary", FindingKind::Damaged), "{finding:?}");
        assert!(finding.path.starts_with(world.source()), "{finding:?}");
        assert!(finding.detail.contains("authentication failed"), "{finding:?}");
    }
    assert_eq!(report.damaged.len(), 1);
    assert_eq!((report.destinations[0].findings > 0, report.destinations[1].findings), (true, 0));
    assert!(proven(&world, "primary") < 50 && proven(&world, "secondary") == 100);
    // It is remembered.
    let checked = check::run(&world.open(), CheckRequest::default(), &Silent).expect("checked");
    assert!(checked.findings.iter().any(|finding| finding.destination == "primary"), "{:?}", checked.findings);
    // The next backup stores again what it needs, and that can be proven.
    world.write("new", "one more");
    world.backup();
    drill(&world, &DrillRequest::default());
}

#[test]
fn a_file_that_changed_without_a_trace_is_told_apart_from_one_that_was_changed() {
    let world = World::in_memory(&["primary"]);
    world.write("rotten", noise(900_000, 1));
    world.write("edited", noise(900_000, 2));
    world.write("whole", noise(900_000, 3));
    world.settle();
    world.backup();
    let report = drill(&world, &DrillRequest::default());
    assert_eq!((report.findings.as_slice(), report.destinations[0].compared), (&[][..], 3));
    let path = world.source().join("rotten");
    let before = fs::metadata(&path).expect("there").modified().expect("a time");
    let file = fs::File::options().write(true).open(&path).expect("ours");
    file.write_all_at(b"rot", 700_000).expect("written");
    file.set_modified(before).expect("ours");
    world.write("edited", noise(900_000, 4));
    let report = drill(&world, &DrillRequest::default());
    let finding = report.findings.first().expect("a finding");
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    assert_eq!((&finding.path, finding.kind), (&path, FindingKind::SourceDiffers));
    assert!(finding.detail.starts_with("byte 70000"), "{}", finding.detail);
    assert_eq!((report.destinations[0].compared, report.damaged.len()), (2, 0));
}

#[test]
fn metadata_come_back_or_are_named() {
    let world = World::new(&["primary"]);
    crate::restore::weird_tree(&world);
    world.backup();
    let report = drill(&world, &DrillRequest::default());
    assert_eq!(report.findings, [], "a restore brings back everything");
    assert!(report.destinations[0].files > 15, "{report:?}");
    assert_eq!(proven(&world, "primary"), 100);
}

#[test]
fn time_that_is_over_ends_it() {
    let world = World::in_memory(&["primary", "secondary"]);
    for number in 0..8 {
        world.write(&format!("file {number}"), noise(700_000, number));
    }
    world.backup();
    let of_time = |time| DrillRequest { limit: Limit::Time(time), ..DrillRequest::default() };
    let report = drill(&world, &of_time(Duration::ZERO));
    assert_eq!(report.destinations.iter().map(|drilled| drilled.bytes_read).sum::<u64>(), 0);
    let report = drill(&world, &of_time(Duration::from_secs(600)));
    assert!(report.destinations.iter().all(|drilled| drilled.proven_percent == Some(100)), "{report:?}");
}

#[test]
fn one_that_is_stopped_leaves_nothing_but_what_it_proved() {
    let world = World::in_memory(&["primary"]);
    for number in 0..400 {
        world.write(&format!("file {number}"), noise(300_000, number));
    }
    world.backup();
    let stopped = try_drill(&world, &DrillRequest::default(), &Stop::after(70 << 20));
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    assert!(scratch(&world).is_empty(), "{:?}", scratch(&world));
    let done = proven(&world, "primary");
    assert!(done > 30, "{done}");
}

#[test]
fn the_share_that_is_proven_is_that_of_the_stored_bytes() {
    let world = with_small_packs(&["primary", "secondary"]);
    let mut model: Vec<(i64, u64)> = Vec::new();
    let percent = |model: &[(i64, u64)], today: i64| {
        let all: u64 = model.iter().map(|(_, bytes)| bytes).sum();
        let proven = model.iter().filter(|(day, _)| *day > 0 && today - day <= 90);
        proven.map(|(_, bytes)| bytes).sum::<u64>() * 100 / all
    };
    for (number, day) in [(1, 10), (2, 30), (3, 50)] {
        world.set_day(day);
        world.write(&format!("file {number}"), noise(6_000_000, number));
        world.backup();
        let known: u64 = model.iter().map(|(_, bytes)| bytes).sum();
        model.push((0, world.pack_bytes("primary") - known));
        assert_eq!(proven(&world, "primary"), percent(&model, day));
        if number < 3 {
            check_data(&world);
            model.iter_mut().for_each(|(proven, _)| *proven = day);
        }
    }
    for day in [50, 100, 120, 121, 200] {
        world.set_day(day);
        assert_eq!(proven(&world, "secondary"), percent(&model, day), "day {day}");
    }
    assert_eq!((percent(&model, 120), percent(&model, 121)), (66, 0));

    // A drill proves blocks, of which each has its share.
    let report = drill(&world, &of_bytes(SMALL, 1));
    let expected = report.destinations[0].bytes_read * 100 / world.pack_bytes("primary");
    assert!(proven(&world, "primary").abs_diff(expected) <= 3, "{expected} {:?}", report.destinations[0]);
    let last = standing(&world, "primary").last_proof.expect("a proof");
    assert_eq!(last.seconds / 86_400, (1_780_000_000 + 200 * 86_400) / 86_400);
}

#[test]
fn what_is_proven_is_known_without_the_index_and_forgotten_with_its_packs() {
    let world = with_small_packs(&["primary"]);
    world.set_day(1);
    world.write("gone", noise(9_000_000, 1));
    world.backup();
    world.remove("gone");
    world.write("kept", noise(3_000_000, 2));
    world.backup();
    world.set_day(2);
    drill(&world, &DrillRequest::default());
    assert_eq!(proven(&world, "primary"), 100);
    world.forget_index();
    drop(world.open_to_write());
    assert_eq!(proven(&world, "primary"), 100);
    let file = || fs::metadata(proofs(&world).expect("proofs")).expect("a size").len();
    let before = file();
    world.set_day(500);
    world.backup();
    world.clean(0, 1);
    world.settings(|settings| settings.retention.keep_deleted_days = 0);
    world.clean(0, 1);
    drill(&world, &DrillRequest::default());
    assert!(file() < before, "{} is not less than {before}", file());
    assert_eq!(proven(&world, "primary"), 100);
}

#[test]
fn nothing_to_drill_is_no_error_and_no_destination_is() {
    let world = World::in_memory(&["primary"]);
    let report = drill(&world, &DrillRequest::default());
    assert_eq!((report.destinations[0].snapshots, report.destinations[0].proven_percent), (0, None));
    let elsewhere = DrillRequest { destinations: vec!["nowhere".to_owned()], ..DrillRequest::default() };
    assert!(matches!(try_drill(&world, &elsewhere, &Silent), Err(Error::Usage(_))));
    world.unplug("primary");
    assert!(matches!(try_drill(&world, &DrillRequest::default(), &Silent), Err(Error::NoDestination { .. })));
}

#[test]
fn folders_that_cannot_be_read_are_damage_too() {
    let world = World::in_memory(&["primary", "secondary"]);
    world.write("folder/file", "small");
    world.backup();
    for (path, len) in world.objects("primary").into_iter().filter(|(path, _)| path.starts_with("packs/")) {
        let path = world.path("primary").join(path);
        let mut bytes = fs::read(&path).expect("a pack");
        assert_eq!(bytes.len() as u64, len);
        bytes.iter_mut().step_by(5).for_each(|byte| *byte ^= 1);
        fs::write(path, bytes).expect("written");
    }
    let report = drill(&world, &DrillRequest::default());
    let kinds: Vec<_> = report.findings.iter().map(|finding| (finding.destination.as_str(), finding.kind)).collect();
    assert!(kinds.len() >= 2 && kinds.iter().all(|kind| *kind == ("primary", FindingKind::Damaged)), "{report:?}");
    assert!(report.findings.iter().any(|finding| finding.detail.starts_with("folders at or near it")), "{report:?}");
    assert_eq!(report.damaged.len(), 2);
    assert_eq!(proven(&world, "secondary"), 100);
}

#[test]
fn how_long_the_space_lasts_is_told_by_what_came_and_went() {
    let world = World::in_memory(&["primary", "secondary"]);
    world.settings(|settings| settings.retention.keep_deleted_days = 0);
    let mut model = Vec::new();
    for day in 1..=6 {
        world.set_day(day);
        world.write(&format!("file {day}"), noise(1_000_000, day as u64));
        world.backup();
        // Only the first of a day counts.
        world.write(&format!("another {day}"), noise(500_000, 100 + day as u64));
        model.push(world.pack_bytes("primary"));
        world.backup();
        let now = standing(&world, "primary");
        assert_eq!(now.bytes_stored, world.pack_bytes("primary"));
        let expected = (day >= 4).then(|| (now.bytes_stored - model[0]) / (day as u64 - 1));
        assert_eq!(now.bytes_per_day, expected, "day {day}");
        assert_eq!(now.days_left.is_some(), expected.is_some());
        assert_eq!(standing(&world, "secondary").bytes_per_day.is_some(), day >= 4);
    }
    // What cleaning gives back is not said to be used up.
    for day in 1..=6 {
        world.remove(&format!("file {day}"));
        world.remove(&format!("another {day}"));
    }
    world.set_day(60);
    world.backup();
    assert_eq!(standing(&world, "primary").bytes_per_day, None, "what is older than a month says nothing");
    world.set_day(70);
    world.write("last", "small");
    world.backup();
    world.clean(1, 1);
    let now = standing(&world, "primary");
    assert!(now.bytes_stored < 2_000_000, "{now:?}");
    assert_eq!((now.bytes_per_day, now.days_left), (Some(0), None));
}

/// A clean by the same machine moves what is needed into new packs and deletes the old ones at once.
#[test]
fn what_a_clean_moves_meanwhile_is_no_damage() {
    let world = World::whose_packs_a_clean_moves();
    let clean = world.clean_at(Stage::Restoring);
    let report = try_drill(&world, &DrillRequest::default(), &clean).expect("drilled");
    assert!(clean.has_acted());
    assert_eq!((report.findings, report.damaged), (Vec::new(), Vec::new()));
    let report = drill(&world, &DrillRequest::default());
    assert_eq!(report.findings, []);
    assert_eq!(proven(&world, "primary"), 100);
}
