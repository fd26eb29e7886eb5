//! Rollback and omission: whatever a destination held back is noticed, and nothing else is taken for that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use cryptbackup::backup::BackupRequest;
use cryptbackup::check::{self, CheckRequest};
use cryptbackup::clean::hand;
use cryptbackup::repo::{self, DestinationState, Home, Repo};
use cryptbackup::report::Silent;

use crate::support::World;
use crate::support::hooks::{Hook, Notes, Stop};
use crate::support::world::noise;

/// Copies a folder with everything in it, each file by `place`.
fn copy_by(from: &Path, to: &Path, place: impl Fn(&Path, &Path) -> io::Result<()>) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("listed");
        let target = to.join(entry.path().strip_prefix(from).expect("below it"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).expect("a folder");
        } else {
            place(entry.path(), &target).expect("a copy");
        }
    }
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    // What is stored is never changed in place, only replaced.
    copy_by(from, to, |file, target| fs::hard_link(file, target).or_else(|_| fs::copy(file, target).map(drop)));
}

/// Copies a folder in the place of another; nothing is shared with it.
fn put_back(from: &Path, to: &Path) {
    fs::remove_dir_all(to).expect("removed");
    copy_by(from, to, |file, target| fs::copy(file, target).map(drop));
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(to.join("config.yaml"), fs::Permissions::from_mode(0o600)).ok();
}

fn state(repo: &Repo, name: &str) -> (DestinationState, Option<String>) {
    let status = repo.status().expect("a status");
    let one = status.destinations.into_iter().find(|known| known.name == name).expect("a configured destination");
    (one.state, one.detail)
}

fn is_alarm(world: &World, name: &str) -> bool {
    state(&world.open(), name).0 == DestinationState::RolledBack
}

/// The objects of a destination that nobody ever deletes without a word.
fn kept(world: &World, name: &str) -> BTreeSet<String> {
    let is_kept = |path: &String| ["snaps/", "packs/", "marks/"].iter().any(|folder| path.starts_with(folder));
    world.objects(name).into_iter().map(|(path, _)| path).filter(is_kept).collect()
}

const DESTINATIONS: [&str; 2] = ["primary", "secondary"];

/// Two machines, two destinations, and what the destinations were like after each step.
struct Story {
    first: World,
    second: World,
    steps: usize,
}

impl Story {
    fn tell() -> Self {
        let first = World::in_memory(&DESTINATIONS);
        first.set_day(0);
        first.write("a", noise(200_000, 1));
        first.backup();
        let second = first.second("primary");
        let mut story = Self { first, second, steps: 0 };
        story.remember();
        story.second.write("b", noise(150_000, 2));
        let own = story.second.backup().snapshot_id.expect("a snapshot").to_string();
        story.remember();
        story.first.write("a", noise(210_000, 3));
        let old = story.first.backup().snapshot_id.expect("a snapshot").to_string();
        story.remember();
        story.first.unplug("secondary");
        story.first.write("c", noise(90_000, 4));
        story.first.backup();
        story.remember_one("primary");
        story.first.plug("secondary");
        story.second.write("d", "d");
        story.second.backup();
        story.remember();
        hand::pin(&mut story.second.open_to_write(), &[own], true).expect("pinned");
        story.remember();
        story.first.set_day(1);
        story.first.write("a", noise(220_000, 5));
        story.first.backup();
        story.remember();
        hand::forget(&mut story.first.open_to_write(), &[old], false).expect("forgotten");
        story.remember();
        story.first.clean(30, 10);
        story.remember();
        story.second.write("e", noise(50_000, 6));
        story.second.backup();
        story.remember();
        for world in [&story.first, &story.second] {
            assert!(!DESTINATIONS.iter().any(|name| is_alarm(world, name)), "all is well");
        }
        for (world, home) in [(&story.first, "first"), (&story.second, "second")] {
            copy(world.home.path(), &world.path(&format!("saved/{home}")));
        }
        for name in DESTINATIONS {
            copy(&story.first.path(name), &story.first.path(&format!("saved/{name}")));
        }
        story
    }

    fn step(&self, step: usize, name: &str) -> PathBuf {
        self.first.path(&format!("step {step}/{name}"))
    }

    fn remember(&mut self) {
        DESTINATIONS.iter().for_each(|name| copy(&self.first.path(name), &self.step(self.steps, name)));
        self.steps += 1;
    }

    fn remember_one(&mut self, name: &str) {
        copy(&self.first.path(name), &self.step(self.steps, name));
        self.steps += 1;
    }

    /// Everything as it was at the end, the machines too.
    fn restore(&self) {
        put_back(&self.first.path("saved/first"), self.first.home.path());
        put_back(&self.first.path("saved/second"), self.second.home.path());
        for name in DESTINATIONS {
            put_back(&self.first.path(&format!("saved/{name}")), &self.first.path(name));
        }
    }

    fn machines(&self) -> [&World; 2] {
        [&self.first, &self.second]
    }
}

#[test]
fn t10_every_older_state_is_noticed() {
    let story = Story::tell();
    let (mut trials, mut same) = (0, 0);
    for name in DESTINATIONS {
        let last = kept(&story.first, name);
        for step in 0..story.steps {
            if !story.step(step, name).exists() {
                continue;
            }
            put_back(&story.step(step, name), &story.first.path(name));
            let lacks = last.difference(&kept(&story.first, name)).next().is_some();
            for world in story.machines() {
                let alarms: Vec<bool> = DESTINATIONS.iter().map(|known| is_alarm(world, known)).collect();
                let expected: Vec<bool> = DESTINATIONS.iter().map(|known| lacks && *known == name).collect();
                assert_eq!(alarms, expected, "{name} at step {step}");
                // Also for who only looks again.
                assert_eq!(is_alarm(world, name), lacks);
                trials += usize::from(lacks);
                same += usize::from(!lacks);
            }
            story.restore();
        }
    }
    eprintln!("T10: {trials} older states noticed by a machine, {same} that lack nothing");
    assert!(trials >= 30, "{trials}");
}

#[test]
fn t10_every_object_that_is_hidden_is_noticed() {
    let story = Story::tell();
    let (mut noticed, mut harmless) = (0, 0);
    for name in DESTINATIONS {
        for object in kept(&story.first, name) {
            fs::remove_file(story.first.path(name).join(&object)).expect("hidden");
            for world in story.machines() {
                if is_alarm(world, name) {
                    noticed += 1;
                    continue;
                }
                // What waits to be deleted, and what is needed by nothing, may go at any time.
                assert!(!object.starts_with("marks/"), "{object}");
                let report = check::run(&world.open(), CheckRequest::default(), &Silent).expect("checked");
                assert!(!report.has_damage(), "{object} on {name} is needed: {:?}", report.findings);
                assert_eq!(world.open().snapshots().expect("readable").len(), 6, "{object}");
                harmless += 1;
            }
            story.restore();
        }
    }
    eprintln!("T10: {noticed} hidden objects noticed by a machine, {harmless} that were to be deleted anyway");
    assert!(noticed >= 60 && harmless * 5 < noticed, "{noticed} {harmless}");
}

#[test]
fn t10_a_machine_that_comes_new_notices_what_another_destination_tells() {
    let story = Story::tell();
    let mut noticed = 0;
    let newest = {
        let mut all = story.first.open().snapshots().expect("readable");
        all.sort_by_key(|info| info.time);
        all
    };
    for info in &newest {
        let path = format!("primary/snaps/{}/{}", &info.id.to_string()[..2], info.id);
        fs::remove_file(story.first.path(&path)).expect("hidden");
        let home = Home::at(story.first.path("third home"));
        let copied = story.first.settings_now();
        repo::connect(&home, &story.first.path("secondary"), None, Some(copied), &Silent).expect("connected");
        let repo = Repo::open(&home, repo::Access::Read, None, &Silent).expect("opened");
        let (_, detail) = state(&repo, "primary");
        noticed += usize::from(detail.is_some_and(|detail| detail.contains(&info.id.short())));
        drop(repo);
        fs::remove_dir_all(home.path()).expect("removed");
        story.restore();
    }
    eprintln!("T10: {noticed} of {} hidden snapshots noticed from another destination alone", newest.len());
    // Of each of the two machines the newest is the one that cannot be told from a backup that is still to be copied.
    assert_eq!(noticed, newest.len() - 2);
}

#[test]
fn t10_what_can_be_had_from_elsewhere_ends_the_alarm() {
    let story = Story::tell();
    put_back(&story.step(2, "primary"), &story.first.path("primary"));
    let (state_now, detail) = state(&story.first.open(), "primary");
    let detail = detail.expect("a sentence");
    assert_eq!(state_now, DestinationState::RolledBack);
    for part in ["it shows less than on 2026-", "4 snapshots (", "decision", "destination accept primary"] {
        assert!(detail.contains(part), "{part:?} is not in {detail:?}");
    }
    // Nothing is removed from it meanwhile, and its omission does not spread.
    story.first.set_day(200);
    let report = story.first.clean(0, 1);
    let cleaned = |name: &str| report.destinations.iter().find(|known| known.name == name).expect("a destination");
    assert!(cleaned("primary").detail.as_ref().is_some_and(|detail| detail.contains("it shows less")));
    assert_eq!((cleaned("primary").snapshots_deleted, cleaned("primary").packs_deleted), (0, 0));
    story.restore();
    put_back(&story.step(2, "primary"), &story.first.path("primary"));
    assert!(is_alarm(&story.first, "primary"));
    story.first.sync();
    assert!(!is_alarm(&story.first, "primary"), "{:?}", state(&story.first.open(), "primary"));
    assert!(!is_alarm(&story.second, "primary"), "{:?}", state(&story.second.open(), "primary"));
    let report = check::run(&story.first.open(), CheckRequest::default(), &Silent).expect("checked");
    assert!(!report.has_damage(), "{:?}", report.findings);
}

#[test]
fn t10_what_is_accepted_on_one_machine_is_accepted_on_all() {
    let story = Story::tell();
    // The two are set back together, so that nothing can be had from elsewhere.
    for name in DESTINATIONS {
        put_back(&story.step(2, name), &story.first.path(name));
    }
    for world in story.machines() {
        assert!(DESTINATIONS.iter().all(|name| is_alarm(world, name)));
    }
    for name in DESTINATIONS {
        story.first.open_to_write().accept_destination(name, &Silent).expect("accepted");
    }
    for world in story.machines() {
        for name in DESTINATIONS {
            assert_eq!(state(&world.open(), name), (DestinationState::Online, None));
        }
        world.backup();
        assert!(!DESTINATIONS.iter().any(|name| is_alarm(world, name)));
    }
    for world in story.machines() {
        let report = world.clean(30, 10);
        assert!(report.destinations.iter().all(|cleaned| cleaned.detail.is_none()), "{:?}", report.destinations);
    }
    // What was accepted once is not accepted for ever.
    copy(&story.first.path("primary"), &story.first.path("later"));
    story.first.write("f", "f");
    story.first.backup();
    assert!(!is_alarm(&story.second, "primary"));
    put_back(&story.first.path("later"), &story.first.path("primary"));
    assert!(is_alarm(&story.first, "primary") && is_alarm(&story.second, "primary"));
}

/// Two destinations with two snapshots, of which the older one alone needs the largest pack; and where that is on one.
fn with_what_only_an_older_snapshot_needs() -> (World, PathBuf) {
    let world = World::in_memory(&DESTINATIONS);
    world.write("small", noise(1_000, 1));
    world.write("large", noise(3_000_000, 2));
    world.backup();
    world.remove("large");
    world.backup();
    let largest = world.objects("secondary").into_iter().max_by_key(|(_, bytes)| *bytes).expect("a pack").0;
    let largest = world.path("secondary").join(largest);
    (world, largest)
}

fn damage_on(world: &World, name: &str) -> Vec<String> {
    let request = CheckRequest { destination: Some(name.to_owned()), read_data: true, ..CheckRequest::default() };
    let report = check::run(&world.open(), request, &Silent).expect("checked");
    report.findings.into_iter().map(|finding| finding.what).collect()
}

#[test]
fn what_an_older_snapshot_needs_comes_back_by_a_sync() {
    let (world, largest) = with_what_only_an_older_snapshot_needs();
    let whole = fs::read(&largest).expect("read");
    fs::remove_file(&largest).expect("deleted");
    assert!(is_alarm(&world, "secondary"));
    let report = world.sync();
    assert_eq!(report.destinations.iter().map(|synced| synced.packs_copied).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(state(&world.open(), "secondary"), (DestinationState::Online, None));
    assert!(fs::read(&largest).expect("it is there again") == whole);
    assert_eq!(world.sync().destinations[1].packs_copied, 0);
    // Where it is damaged, a check finds out, and the status goes on saying so until it is mended.
    let mut damaged = whole.clone();
    damaged[1_000_000] ^= 1;
    fs::write(&largest, &damaged).expect("written");
    let repo = world.open();
    let report =
        check::run(&repo, CheckRequest { read_data: true, ..CheckRequest::default() }, &Silent).expect("checked");
    assert!(report.has_damage());
    check::remember(repo, &report).expect("remembered");
    let (state_now, detail) = state(&world.open(), "secondary");
    assert_eq!(state_now, DestinationState::Damaged);
    assert!(detail.expect("a sentence").contains("`cryptbackup check --heal`"));
    world.sync();
    assert_eq!(state(&world.open(), "secondary"), (DestinationState::Online, None));
    assert!(fs::read(&largest).expect("it is mended") == whole);
}

#[test]
fn what_is_accepted_gives_up_nothing_that_another_destination_has() {
    let (world, largest) = with_what_only_an_older_snapshot_needs();
    fs::remove_file(&largest).expect("deleted");
    assert!(is_alarm(&world, "secondary"));
    let before = kept(&world, "primary");
    let notes = Notes::default();
    world.open_to_write().accept_destination("secondary", &notes).expect("accepted");
    assert!(largest.exists(), "it came back from the other one");
    assert!(damage_on(&world, "secondary").is_empty());
    assert_eq!(kept(&world, "primary"), before, "so there was nothing to decide");
    // Where nobody has it, that is said.
    let other = world.path("primary").join(largest.strip_prefix(world.path("secondary")).expect("below it"));
    fs::remove_file(&largest).expect("deleted");
    fs::remove_file(other).expect("deleted");
    let notes = Notes::default();
    world.open_to_write().accept_destination("secondary", &notes).expect("accepted");
    let said = notes.take();
    assert!(said.iter().any(|note| note.contains("`cryptbackup check` names the files")), "{said:?}");
    assert!(!said.iter().any(|note| note.contains("shows everything again")), "{said:?}");
    assert_eq!(state(&world.open(), "secondary"), (DestinationState::Online, None));
}

#[test]
fn t10_a_memory_that_is_lost_is_learned_anew_and_no_alarm() {
    let story = Story::tell();
    for entry in fs::read_dir(story.first.home.path().join("state")).expect("listed").flatten() {
        if entry.file_name().to_string_lossy().starts_with("seen-") {
            fs::remove_file(entry.path()).expect("lost");
        }
    }
    put_back(&story.step(5, "primary"), &story.first.path("primary"));
    assert!(!is_alarm(&story.first, "primary"));
    put_back(&story.step(2, "primary"), &story.first.path("primary"));
    assert!(is_alarm(&story.first, "primary"));
    // What is no longer what was written says nothing either.
    for entry in fs::read_dir(story.first.home.path().join("state")).expect("listed").flatten() {
        if entry.file_name().to_string_lossy().starts_with("seen-") {
            fs::write(entry.path(), b"nonsense").expect("written");
        }
    }
    assert!(!is_alarm(&story.first, "primary"));
}

#[test]
fn t10_without_its_index_a_machine_remembers_all_the_same() {
    let story = Story::tell();
    let hidden: Vec<String> =
        kept(&story.first, "primary").into_iter().filter(|object| !object.starts_with("packs/")).collect();
    let hide = |object: &String| fs::remove_file(story.first.path("primary").join(object)).expect("hidden");
    let mut noticed = 0;
    for object in hidden.iter().step_by(2) {
        hide(object);
        // A snapshot that waits to be deleted may go at any time: with its index the machine says nothing either.
        let is_missed = is_alarm(&story.first, "primary");
        story.restore();
        hide(object);
        story.first.forget_index();
        assert_eq!(is_alarm(&story.first, "primary"), is_missed, "{object}");
        noticed += u32::from(is_missed);
        story.restore();
    }
    assert!(noticed >= 3, "{noticed}");
}

#[test]
fn t10_a_place_that_cannot_be_read_is_no_alarm() {
    let story = Story::tell();
    for folder in ["snaps", "marks", "packs", "gc", "writers"] {
        let (there, aside) = (story.first.path(&format!("primary/{folder}")), story.first.path("aside"));
        fs::rename(&there, &aside).expect("aside");
        fs::write(&there, b"not a folder").expect("written");
        story.first.write("g", folder);
        let _ = story.first.try_backup_with(BackupRequest::default(), &Silent);
        assert!(!is_alarm(&story.first, "primary"), "{folder}");
        fs::remove_file(&there).expect("removed");
        fs::rename(&aside, &there).expect("back");
        assert!(!is_alarm(&story.first, "primary"), "{folder}");
        assert!(!is_alarm(&story.second, "primary"), "{folder}");
    }
}

/// Numbers that look like luck and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// One life of two machines and two destinations, in which everything ordinary may happen. Gives how often was looked.
fn ordinary_life(seed: u64, steps: usize) -> usize {
    let mut dice = Dice(seed);
    let first = World::in_memory(&DESTINATIONS);
    let mut day = 0;
    first.set_day(day);
    first.write("a", noise(60_000, seed));
    first.backup();
    let second = first.second("primary");
    let (mut looks, mut away, mut told) = (0, None::<&str>, Vec::new());
    for step in 0..steps {
        let world = if dice.roll(2) == 0 { &first } else { &second };
        let names: Vec<String> =
            world.open().snapshots().expect("readable").iter().map(|info| info.id.to_string()).collect();
        let what = dice.roll(10);
        told.push(what);
        match what {
            0 | 1 => {
                world.write(&format!("f{}", dice.roll(4)), noise(30_000, seed * 100 + step as u64));
                world.backup_with(BackupRequest { no_sync: dice.roll(3) == 0, ..BackupRequest::default() });
            }
            2 => match away.take() {
                Some(name) => first.plug(name),
                None => {
                    let name = DESTINATIONS[dice.roll(2) as usize];
                    first.unplug(name);
                    away = Some(name);
                }
            },
            3 => drop(world.sync()),
            4 if names.len() > 2 => {
                let name = names[dice.roll(names.len() as u64) as usize].clone();
                let _ = hand::forget(&mut world.open_to_write(), &[name], false);
            }
            5 => {
                day += 3 + dice.roll(6) as i64;
                first.set_day(day);
                world.clean(0, 1);
            }
            6 => {
                // Cut off at some point of reading.
                world.write("cut", noise(400_000, seed * 100 + step as u64));
                let _ = world.try_backup_with(BackupRequest::default(), &Stop::after(1 + dice.roll(390_000)));
            }
            7 if away.is_none() => {
                // A stick is pulled out in the middle, and put in again.
                world.write("pulled", noise(3_000_000, seed * 100 + step as u64));
                let name = DESTINATIONS[dice.roll(2) as usize];
                let hook = Hook::after(1 + dice.roll(2_900_000), || first.unplug(name));
                let _ = world.try_backup_with(BackupRequest::default(), &hook);
                if hook.has_acted() {
                    first.plug(name);
                }
            }
            8 if !names.is_empty() => {
                let _ = hand::tag(&mut world.open_to_write(), &names[0], vec![format!("t{step}")], Vec::new());
            }
            9 => world.forget_index(),
            _ => {}
        }
        for world in [&first, &second] {
            let repo = world.open();
            for name in DESTINATIONS {
                let found = state(&repo, name);
                assert_ne!(found.0, DestinationState::RolledBack, "seed {seed}, steps {told:?}: {:?}", found.1);
                looks += 1;
            }
        }
    }
    looks
}

#[test]
fn t10_ordinary_life_is_no_alarm() {
    let looks: usize = (1..=6).map(|seed| ordinary_life(seed, 10)).sum();
    eprintln!("T10: 6 lives, {looks} looks, no alarm");
}

#[test]
#[ignore = "minutes: the whole of it"]
fn t10_a_thousand_ordinary_lives_are_no_alarm() {
    let mut looks = 0;
    for seed in 1..=1000 {
        looks += ordinary_life(seed, 12);
        if seed % 50 == 0 {
            eprintln!("T10: {seed} lives, {looks} looks, no alarm");
        }
    }
}

/// A run that was cut off left packs that nothing needs. One of them vanishes: nothing is lost, and healing says so.
#[test]
fn t10_a_pack_that_nothing_needs_is_no_alarm_once_that_was_found_out() {
    let world = World::new(&["primary"]);
    world.write("stays", b"stays");
    world.backup();
    for number in 0..40 {
        world.write(&format!("goes{number}"), noise(1 << 20, number));
    }
    let before: BTreeSet<(String, u64)> = world.objects("primary").into_iter().collect();
    let stopped = world.try_backup_with(BackupRequest::default(), &Stop::after(30 << 20));
    assert!(stopped.is_err(), "{stopped:?}");
    for number in 0..40 {
        fs::remove_file(world.source().join(format!("goes{number}"))).expect("removed");
    }
    world.backup();
    let left = world
        .objects("primary")
        .into_iter()
        .find(|object| object.0.starts_with("packs/") && object.1 >= 16 << 20 && !before.contains(object));
    let (path, _) = left.expect("a full pack that was left");
    fs::remove_file(world.path("primary").join(path)).expect("removed");
    assert!(is_alarm(&world, "primary"), "somebody removed it");
    let report = check::heal(&mut world.open_to_write(), CheckRequest::default(), &Silent).expect("healed");
    assert!(!report.has_damage(), "{:?}", report.findings);
    assert!(!is_alarm(&world, "primary"), "{:?}", state(&world.open(), "primary"));
}

/// A machine that looks now and then misses the histories that came and went in between.
#[test]
fn t10_histories_that_came_and_went_between_two_looks_are_no_alarm() {
    let first = World::new(&["primary"]);
    let mut day = 0;
    let mut work_and_clean = || {
        for _ in 0..3 {
            day += 1;
            first.set_day(day);
            first.write("a", noise(20_000, day as u64));
            first.backup();
        }
        let report = first.clean(1, 20);
        assert!(report.destinations[0].snapshots_deleted >= 2, "{:?}", report.destinations);
    };
    work_and_clean();
    let second = first.second("primary");
    assert!(!is_alarm(&second, "primary"));
    for _ in 0..3 {
        work_and_clean();
    }
    assert!(!is_alarm(&second, "primary"), "{:?}", state(&second.open(), "primary"));
    let report = check::run(&second.open(), CheckRequest::default(), &Silent).expect("checked");
    assert!(!report.has_damage(), "{:?}", report.findings);
}

/// A history takes a number too. It is on a destination that is away when the index is lost.
#[test]
fn t10_the_number_of_a_history_is_not_given_again() {
    let world = World::new(&DESTINATIONS);
    for day in 0..4 {
        world.set_day(day);
        world.write("a", noise(20_000, day as u64));
        world.backup();
    }
    world.unplug("primary");
    world.clean(1, 20);
    world.plug("primary");
    world.unplug("secondary");
    world.forget_index();
    world.write("a", noise(20_000, 9));
    world.backup();
    world.plug("secondary");
    world.sync();
    for name in DESTINATIONS {
        assert!(!is_alarm(&world, name), "{:?}", state(&world.open(), name));
    }
}
