//! What a run may take: memory, threads, the rate of a destination; the sizes it makes; and what the system lets it have.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Ended, World};

/// What no command may take, in bytes.
const MOST: u64 = 100_000_000;

/// What was seen of a command while it ran.
struct Seen {
    code: Option<i32>,
    peak_bytes: u64,
    /// The most threads that compress, seal and open.
    workers: usize,
    took: Duration,
}

fn watch(mut command: Command) -> Seen {
    let began = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("started");
    let proc = format!("/proc/{}", child.id());
    let mut seen = Seen { code: None, peak_bytes: 0, workers: 0, took: Duration::ZERO };
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("{proc}/status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        seen.peak_bytes =
            peak.and_then(|text| text.parse::<u64>().ok()).map_or(0, |kib| kib << 10).max(seen.peak_bytes);
        let tasks = fs::read_dir(format!("{proc}/task")).into_iter().flatten().flatten();
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        seen.workers = names.filter(|name| name.starts_with("worker")).count().max(seen.workers);
        thread::sleep(Duration::from_millis(2));
    }
    seen.code = child.wait().expect("it ended").code();
    seen.took = began.elapsed();
    seen
}

fn noise(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
    bytes
}

/// Files of which some cannot be compressed and some can, large ones and small ones.
fn fill(world: &World) {
    world.write("docs/large", noise(40 << 20, 1));
    world.write("docs/zeros", vec![7; 40 << 20]);
    for number in 0..3000 {
        world.write(&format!("docs/{}/{number}", number % 30), format!("file {number} ").repeat(100));
    }
}

fn stays_below(world: &World, words: &str, code: i32, most: u64) {
    let seen = watch(world.command(words.split_whitespace()));
    assert_eq!(seen.code, Some(code), "{words}");
    assert!(seen.peak_bytes > 1 << 20 && seen.peak_bytes <= most, "{words}: {} MB", seen.peak_bytes / 1_000_000);
}

fn every_command_stays_below(world: &World, most: u64) {
    fill(world);
    let check = |words: &str, code: i32| stays_below(world, words, code, most);
    check("backup", 0);
    world.write("docs/new", noise(20 << 20, 2));
    for words in ["backup", "status", "snapshots", "restore --list", "check --read-data", "scrub a", "rebuild-index"] {
        check(words, 0);
    }
    check("restore --snapshot latest --destination out --verify", 0);
    let pack = world.files("a/packs").remove(0);
    let mut bytes = fs::read(&pack).expect("a pack");
    bytes[1 << 20] ^= 1;
    fs::write(&pack, bytes).expect("damaged");
    check("check --read-data --heal", 16);
    fs::remove_file(world.path("docs/large")).expect("removed");
    for words in ["backup", "sync", "clean --keep-last 1", "check --read-data"] {
        check(words, 0);
    }
}

#[test]
fn no_command_takes_more_than_100_megabytes() {
    every_command_stays_below(&World::set_up(&["a", "b", "c"]), MOST);
}

#[test]
fn a_small_budget_is_kept() {
    let world = World::set_up(&["a", "b"]);
    world.run("config set limits.memory 63MiB").expect_code(2);
    world.run("config set limits.memory 64MiB").expect_code(0);
    every_command_stays_below(&world, 80_000_000);
}

#[test]
fn a_passphrase_costs_its_memory_and_no_more() {
    let world = World::new();
    world.write("secret", "correct horse battery staple");
    let seen = watch(world.command(["init", "--passphrase-file", "secret"]));
    assert_eq!(seen.code, Some(0));
    assert!((64 << 20..=MOST).contains(&seen.peak_bytes), "{} MB", seen.peak_bytes / 1_000_000);
}

#[test]
fn threads_are_as_many_as_were_allowed() {
    let world = World::set_up(&["a"]);
    world.write("docs/large", noise(3 << 20, 1));
    // So that there is time to count them.
    world.run("config set limits.upload.a 2MiB").expect_code(0);
    for threads in [1, 3] {
        world.run(&format!("config set limits.threads {threads}")).expect_code(0);
        world.write("docs/other", noise(1 << 20, threads as u8 + 10));
        let seen = watch(world.command(["backup"]));
        assert_eq!((seen.code, seen.workers), (Some(0), threads));
    }
}

#[test]
fn a_destination_is_written_to_at_its_rate_and_the_others_at_theirs() {
    let world = World::set_up(&["slow", "fast"]);
    world.write("docs/large", noise(6 << 20, 1));
    world.run("config set limits.upload.slow 2MiB").expect_code(0);
    let seen = watch(world.command(["backup"]));
    assert_eq!(seen.code, Some(0));
    assert!(seen.took >= Duration::from_millis(2900), "{:?}", seen.took);
    world.run("config unset limits.upload.slow").expect_code(0);
    world.write("docs/other", noise(6 << 20, 2));
    let seen = watch(world.command(["backup"]));
    assert!(seen.code == Some(0) && seen.took < Duration::from_millis(2900), "{:?}", seen.took);
}

#[test]
fn packs_have_the_size_that_init_was_told() {
    let world = World::new();
    world.run("init --pack-size 4MiB").expect_code(2);
    assert!(!world.state().exists());
    world.run("init --pack-size 5MiB").expect_code(0);
    world.folder("docs");
    world.write("docs/large", noise(12 << 20, 1));
    world.run("add docs").expect_code(0);
    world.run("config set destinations.a a").expect_code(0);
    world.run("backup").expect_code(0);
    let sizes: Vec<u64> =
        world.files("a/packs").iter().map(|pack| fs::metadata(pack).expect("there").len()).take(3).collect();
    assert_eq!(sizes[..2], [5 << 20, 5 << 20]);
    assert!(sizes[2] < 5 << 20, "{sizes:?}");
    world.run("config set pack_size 8MiB").expect_error(2, &["init --pack-size"]);
}

#[test]
fn large_packs_get_the_memory_they_need_on_every_machine() {
    let world = World::new();
    world.run("init --pack-size 64MiB").expect_code(0);
    assert_eq!(world.run("config get limits.memory").stdout.trim(), "288MiB");
    world.folder("docs");
    world.write("docs/large", noise(80 << 20, 1));
    world.run("add docs").expect_code(0);
    world.run("config set destinations.a a").expect_code(0);
    stays_below(&world, "backup", 0, 288 << 20);
    stays_below(&world, "check --read-data", 0, MOST);
    let home = world.path("other");
    let mut command = world.command(["connect", "a", "--config"]);
    command.arg(world.state().join("config.yaml")).env("CRYPTBACKUP_HOME", &home);
    assert!(command.status().expect("it ran").success());
    let mut command = world.command(["config", "get", "limits.memory"]);
    let output = command.env("CRYPTBACKUP_HOME", &home).output().expect("it ran");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "288MiB");
}

#[test]
fn levels_do_what_they_say() {
    let world = World::set_up(&["a"]);
    let text: String = (0..200_000).map(|number| format!("line {} of {number}\n", number % 977)).collect();
    let mut stored = Vec::new();
    for (number, level) in ["off", "1", "19"].into_iter().enumerate() {
        world.run(&format!("config set compression.level {level}")).expect_code(0);
        world.write("docs/text", text.replace("line", &format!("row {number}")));
        let before: u64 = world.files("a/packs").iter().map(|file| fs::metadata(file).expect("there").len()).sum();
        world.run("backup").expect_code(0);
        let after: u64 = world.files("a/packs").iter().map(|file| fs::metadata(file).expect("there").len()).sum();
        stored.push(after - before);
    }
    assert!(stored[0] > text.len() as u64 && stored[0] > 4 * stored[1] && stored[1] > stored[2], "{stored:?}");
}

/// A command of the program, with `ulimit -LIMIT NUMBER`.
#[cfg(unix)]
fn limited(world: &World, command: &Command, limit: &str, number: u32) -> Command {
    let mut limited = Command::new("bash");
    limited.args(["-c", r#"ulimit "-$0" "$1" && shift && exec "$@""#, limit, &number.to_string()]);
    // One that another user can reach too.
    let program = world.path("program");
    if !program.exists() {
        fs::copy(command.get_program(), &program).expect("copied");
    }
    limited.arg(program).args(command.get_args()).stdin(Stdio::null());
    limited.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.current_dir(world.path(""));
    limited
}

/// A container, or a user, may have only so many processes, and threads count as such.
#[cfg(unix)]
#[test]
fn where_no_thread_can_be_started_that_is_said_and_nothing_lost() {
    use std::os::unix::fs::chown;
    use std::os::unix::process::CommandExt;
    // Nobody else is this user, so that it is known how many threads there are. For root no limit holds.
    const ALONE: u32 = 64_321;
    let is_root = rustix::process::geteuid().is_root();
    let world = World::set_up(&["a"]);
    world.run("config set limits.threads 2").expect_code(0);
    world.write("docs/first", noise(1 << 20, 1));
    world.run("backup").expect_code(0);
    if is_root {
        let given = Command::new("chown").args(["-R", &ALONE.to_string()]).arg(world.path("")).status().expect("runs");
        assert!(given.success());
    }
    let run = |number: u32, words: &str| {
        let mut command = limited(&world, &world.command(words.split(' ')), "u", number);
        if is_root {
            command.uid(ALONE).gid(ALONE);
        }
        Ended::of(command)
    };
    if run(100, "--version").code != Some(0) {
        eprintln!("skipped: the program cannot be run as another user here");
        return;
    }
    let mut ended_well = 0;
    for number in if is_root { 1..=16 } else { 1..=1 } {
        let new = world.write("docs/new", noise(3 << 20, number as u8 + 10));
        if is_root {
            chown(new, Some(ALONE), Some(ALONE)).expect("root may");
        }
        for words in ["backup", "check --read-data", "restore --snapshot latest --destination out"] {
            let ended = run(number, words);
            match ended.code {
                Some(0) => ended_well += 1,
                _ => drop(ended.expect_error(1, &["no thread can be started: ", "ulimit -u"])),
            }
        }
    }
    assert_eq!(ended_well > 0, is_root, "the first can start none, and the last all");
    world.run("backup").expect_code(0);
    world.run("check --read-data").expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_file_larger_than_the_system_allows_is_an_error_and_not_the_end() {
    let world = World::set_up(&["a"]);
    world.write("docs/large", noise(3 << 20, 1));
    // In KiB: the index fits, the pack does not.
    let limited = |words: &str| Ended::of(limited(&world, &world.command(words.split(' ')), "f", 2 << 10));
    limited("backup").expect_error(14, &["File too large"]);
    world.run("backup").expect_code(0);
    limited("restore --snapshot latest --destination out")
        .expect_code(3)
        .expect_said(&["docs/large", "File too large"]);
    world.run("check --read-data").expect_code(0);
}
