//! A disk with any amount of room left, from none: every command ends, says so, loses nothing, and cleaning makes room.
//!
//! A few steps run always; all of them are one command:
//! `cargo test --release --test cli -- --ignored t07_ --nocapture`

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Ended, World, noise};

/// Free space from one step to the next, in bytes.
const STEP: u64 = 64 << 10;
/// What the disk has, in MiB: the reserve, the snapshots, and some room.
const DISK: u32 = 28;
const CLEAN: &str = "clean --keep-last 1 --keep-days 0 --keep-versions 1 -q";

/// A disk of a few megabytes at `small`, taken away when dropped.
pub struct SmallDisk(pub PathBuf);

impl SmallDisk {
    /// None where it cannot be mounted.
    pub fn new(world: &World, megabytes: u32) -> Option<Self> {
        let path = world.folder("small");
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(path)),
            _ => {
                eprintln!("skipped: a small disk cannot be mounted here");
                None
            }
        }
    }

    /// Bytes that can still be written.
    pub fn free(&self) -> u64 {
        let room = rustix::fs::statvfs(&self.0).expect("a disk");
        room.f_bavail * room.f_frsize
    }

    fn filler(&self) -> PathBuf {
        self.0.join("somebody else's")
    }

    /// Somebody else takes what is free, but `left` bytes.
    pub fn fill(&self, left: u64) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).expect("a file");
        let taken = usize::try_from(self.free().saturating_sub(left)).expect("a small disk");
        filler.write_all(&vec![1; taken]).expect("there is room");
    }

    /// As the system does it to a disk that fails.
    pub fn make_read_only(&self) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", "remount,ro"]).arg(&self.0).status().expect("it runs").success());
    }

    /// There is room again.
    pub fn empty(&self) {
        std::fs::remove_file(self.filler()).expect("it was there");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// What is tried with little room.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Tried {
    Backup,
    Clean,
    Forget,
    Heal,
    Rebuild,
}

impl Tried {
    const ALL: [Self; 5] = [Self::Backup, Self::Clean, Self::Forget, Self::Heal, Self::Rebuild];

    const fn words(self) -> &'static str {
        match self {
            Self::Backup => "backup -q",
            Self::Clean => CLEAN,
            Self::Forget => "forget latest~2 -q",
            Self::Heal => "check --read-data --heal -q",
            Self::Rebuild => "rebuild-index -q",
        }
    }

    /// How it may end. Where the state folder's disk is full, nothing at all can be remembered: that is a failure.
    const fn codes(self) -> &'static [i32] {
        match self {
            Self::Backup | Self::Clean | Self::Forget => &[0, 5],
            Self::Heal => &[15, 16],
            Self::Rebuild => &[0, 1],
        }
    }
}

/// A machine with a small disk and a large one, as it is before every step.
struct Story {
    world: World,
    disk: SmallDisk,
}

impl Story {
    fn new() -> Option<Self> {
        let world = World::set_up(&["large"]);
        let disk = SmallDisk::new(&world, DISK)?;
        world.run("config set destinations.small small/backup").expect_code(0);
        for number in 1..=4 {
            world.write("docs/a", noise(1 << 20, number));
            world.write(&format!("docs/{number}/kept"), noise(2000, 100 + number));
            world.run("backup -q").expect_code(0);
        }
        world.write("docs/more", noise(3 << 20, 9));
        let story = Self { world, disk };
        story.copy(true);
        Some(story)
    }

    /// Keeps everything as it is, or makes it so again.
    fn copy(&self, is_keeping: bool) {
        for name in ["state", "large", "small/backup"] {
            let kept = self.world.path("kept").join(name);
            let place = self.world.path(name);
            let (from, to) = if is_keeping { (&place, &kept) } else { (&kept, &place) };
            let _ = std::fs::remove_dir_all(to);
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
            let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
            assert!(copied.success());
        }
    }

    /// Runs the program, which must not take long whatever happens.
    fn run(&self, words: &str, most: Duration) -> Ended {
        let mut command = self.world.command(words.split_whitespace());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.ended(command, words, most)
    }

    fn ended(&self, command: Command, words: &str, most: Duration) -> Ended {
        let began = Instant::now();
        let ended = Ended::of(command);
        assert!(began.elapsed() < most, "`{words}` took {:?}", began.elapsed());
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        ended
    }

    fn damage(&self) {
        let packs = self.world.files("small/backup/packs");
        let mut bytes = std::fs::read(&packs[0]).expect("a pack");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&packs[0], bytes).expect("damaged");
    }

    /// One command with so many bytes left.
    fn step(&self, tried: Tried, left: u64, most: Duration) {
        self.copy(false);
        if tried == Tried::Heal {
            self.damage();
        }
        let what = format!("{tried:?} with {left} bytes left");
        let mut home = None;
        if tried == Tried::Rebuild {
            // It writes nothing but the state folder, so that is what has to be there.
            let state = self.disk.0.join("state");
            let _ = std::fs::remove_dir_all(&state);
            let copied = Command::new("cp").arg("-a").arg(self.world.state()).arg(&state).status().expect("cp runs");
            assert!(copied.success());
            home = Some(state);
        }
        let command = |words: &str| {
            let mut command = self.world.command(words.split_whitespace());
            if let Some(home) = &home {
                command.env("CRYPTBACKUP_HOME", home);
            }
            command
        };
        self.disk.fill(left);
        let free = self.disk.free();
        let ended = self.ended(command(tried.words()), tried.words(), most);
        let code = ended.code.unwrap_or(-1);
        assert!(tried.codes().contains(&code), "{what}: {code}\n{}{}", ended.stdout, ended.stderr);
        if tried == Tried::Clean {
            assert!(self.disk.free() > free, "{what}: {free} bytes were free, {} are now", self.disk.free());
        }
        if matches!(tried, Tried::Backup | Tried::Forget) {
            self.disk.fill(0);
            let cleaned = self.run(CLEAN, most);
            assert!(matches!(cleaned.code, Some(0 | 5)), "{what}, then clean: {}", cleaned.stderr);
            assert!(self.disk.free() > 0, "{what}: cleaning made no room\n{}", cleaned.stderr);
        }
        self.disk.empty();
        if tried == Tried::Heal {
            let again = self.run(tried.words(), most);
            assert_eq!(again.code, Some(if code == 16 { 0 } else { 16 }), "{what}: {}", again.stderr);
        }
        if code == 1 {
            self.ended(command(tried.words()), tried.words(), most).expect_code(0);
        }
        for words in ["backup -q", "check --read-data -q"] {
            self.ended(command(words), words, most).expect_code(0);
        }
        let restored = self.world.path("back");
        let _ = std::fs::remove_dir_all(&restored);
        let words = "restore -q --directory docs --destination back";
        self.ended(command(words), words, most).expect_code(0);
        assert_same(&self.world.path("docs"), &restored);
        if let Some(home) = home {
            std::fs::remove_dir_all(home).expect("removed");
        }
    }
}

fn assert_same(one: &Path, other: &Path) {
    let same = Command::new("diff").arg("-r").arg(one).arg(other).output().expect("diff runs");
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
}

fn sweep(steps: impl Iterator<Item = u64>, most: Duration) {
    let Some(story) = Story::new() else { return };
    let mut count = 0;
    for step in steps {
        for tried in Tried::ALL {
            story.step(tried, step * STEP, most);
            count += 1;
        }
    }
    eprintln!("{count} commands with a disk nearly full");
}

#[test]
fn t07_a_disk_with_little_room_loses_nothing_and_can_be_cleaned() {
    sweep([0, 3, 40].into_iter(), Duration::from_secs(120));
}

#[test]
#[ignore = "takes minutes"]
fn t07_every_command_with_two_hundred_amounts_of_free_space() {
    sweep(0..200, Duration::from_secs(10));
}

/// Who buys a second disk does so because the first is full, or failed and can only be read.
#[test]
fn a_disk_that_takes_nothing_more_gives_what_it_has_to_a_new_one() {
    for how in ["full", "read-only"] {
        let world = World::new();
        let Some(disk) = SmallDisk::new(&world, DISK) else { return };
        for number in 1..=2 {
            world.write(&format!("docs/{number}"), noise(1 << 20, number));
            world.run(if number == 1 { "quickstart docs small/backup" } else { "backup -q" }).expect_code(0);
        }
        world.write("docs/new", noise(20 << 20, 3));
        match how {
            "full" => disk.fill(STEP),
            _ => disk.make_read_only(),
        }
        let said = if how == "full" { "No space left" } else { "Read-only" };
        if how == "read-only" {
            world
                .run("status")
                .expect_code(0)
                .expect_shown(&["It cannot be written", "cannot write to the destination"]);
        }
        world.run("backup -q").expect_error(14, &[said]);
        world.run("config set destinations.second usb").expect_code(0);
        world.run("backup").expect_code(5).expect_shown(&["on 1 of 2 destinations"]);
        world.run("sync").expect_code(5).expect_shown(&["[second] up to date"]);
        for (snapshot, files) in [("latest", 3), ("latest~1", 2), ("latest~2", 1)] {
            let back = format!("back-{how}-{files}");
            let words = format!("restore -q --snapshot {snapshot} --from second --destination {back}");
            world.run(&words).expect_code(0);
            assert_eq!(world.files(&back).len(), files, "{how}, {snapshot}");
        }
        world.run(&format!("restore -q --directory docs --from second --destination {how}")).expect_code(0);
        assert_same(&world.path("docs"), &world.path(how));
    }
}

/// As the system makes the disk it is on when that fails.
#[test]
fn with_a_state_folder_that_can_only_be_read_everything_comes_back() {
    let world = World::new();
    let Some(disk) = SmallDisk::new(&world, 12) else { return };
    let run_at = |home: &Path, words: &str| {
        let mut command = world.command(words.split(' '));
        command.env("CRYPTBACKUP_HOME", home);
        Ended::of(command)
    };
    let home = disk.0.join("home");
    let run = |words: &str| run_at(&home, words);
    world.write("docs/first", "first");
    world.write("docs/more", noise(300_000, 1));
    run("quickstart docs usb").expect_code(0);
    world.write("docs/first", "second");
    run("backup -q").expect_code(0);
    disk.make_read_only();
    let said = "Nothing can be written to the state folder";
    run("restore --directory docs --destination back").expect_code(0).expect_said(&[said]);
    assert_same(&world.path("docs"), &world.path("back"));
    run("restore -q --file docs/first --version 1 --destination older").expect_code(0);
    assert_eq!(world.read("older"), "first");
    let file = world.path("docs/first").display().to_string();
    assert_eq!(run(&format!("dump latest:{file}")).expect_code(0).stdout, "second");
    for asked in ["status", "snapshots", "ls latest", "list docs/first", "find first", "check --read-data"] {
        run(asked).expect_code(0);
    }
    for written in ["backup", "forget latest", "clean", "sync", "check --heal", "rebuild-index"] {
        run(written).expect_error(1, &["Read-only file system", "CRYPTBACKUP_HOME"]);
    }
    // As the hint says.
    let config = home.join("config.yaml").display().to_string();
    run_at(&world.path("another"), &format!("connect usb --config {config}")).expect_code(0);
    run_at(&world.path("another"), "backup -q").expect_code(0);
}

#[test]
fn t07_a_full_disk_with_the_state_folder_is_no_broken_index() {
    let world = World::new();
    let Some(disk) = SmallDisk::new(&world, 8) else { return };
    let run = |words: &str| {
        let mut command = world.command(words.split(' '));
        command.env("CRYPTBACKUP_HOME", disk.0.join("home"));
        Ended::of(command)
    };
    world.write("docs/first", "first");
    run("quickstart docs usb").expect_code(0);
    let mut refused = 0;
    for step in 0..24 {
        (0..200).for_each(|number| drop(world.write(&format!("docs/{step}/{number}"), number.to_string())));
        disk.fill(step * STEP);
        let ended = run("backup");
        if ended.code != Some(0) {
            let ended = ended.expect_code(1);
            let is_told = ["no room", "No space left"].iter().any(|told| ended.stderr.contains(told));
            assert!(is_told && !ended.stderr.contains("rebuil"), "{} bytes free: {}", step * STEP, ended.stderr);
            refused += 1;
        }
        // What is stored comes back meanwhile.
        run("restore -q --file docs/first --destination back").expect_code(0);
        disk.empty();
        run("backup -q").expect_code(0);
    }
    assert!(refused > 1, "{refused} of 24");
    let names = world.names(&disk.0.join("home").display().to_string());
    assert!(!names.iter().any(|name| name.contains("broken")), "{names:?}");
    run("check --read-data").expect_code(0);
}
