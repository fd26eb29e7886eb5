//! T15: sources that are changed all the time while they are backed up: appended to, cut, written over, replaced, linked,
//! removed, turned into links, pipes and folders. Nothing panics or hangs; what is stored is whole, restores with the
//! sizes it says, and has a content that its file once had, or the report says that it changed while it was read. One
//! thing cannot be told: a file that is read in the midst of one long write call, which has its date from before the call.
//! Such a mixture must be gone with the next backup.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cryptbackup::backup::BackupReport;
use cryptbackup::format::id::SnapshotId;
use cryptbackup::paths;
use cryptbackup::report::ProblemKind;
use rustix::fs::{CWD, FileType, Mode};

use crate::support::{Dice, HANG, World, restore_snapshot};

const FILES: usize = 30;
/// So many of them are large enough to be read in several steps.
const LARGE: usize = 4;
/// From one change to the next.
const PAUSE: Duration = Duration::from_millis(1);

/// What is at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    /// The file of this number.
    File(usize),
    /// A folder with the file of this number in it.
    Folder(usize),
    /// A link or a pipe.
    Other,
}

/// Who changes the source, and everything that was ever in it.
struct Changes {
    folder: PathBuf,
    dice: Dice,
    there: BTreeMap<String, There>,
    /// Content of every file there was, by its number.
    files: Vec<Vec<u8>>,
    /// Every content that any name ever had.
    contents: BTreeSet<(String, [u8; 32])>,
    count: u64,
}

impl Changes {
    fn new(folder: PathBuf) -> Self {
        let there = (0..FILES).map(|number| (format!("f{number:02}"), There::Nothing)).collect();
        Self { folder, dice: Dice::new(1), there, files: Vec::new(), contents: BTreeSet::new(), count: 0 }
    }

    fn content(&mut self, name: &str) -> Vec<u8> {
        let is_large = name < format!("f{LARGE:02}").as_str();
        let len = if is_large { 700_000 + self.dice.below(700_000) } else { self.dice.below(60_000) };
        vec![self.dice.below(256) as u8; len]
    }

    /// Notes what every name of a file has in it now.
    fn note(&mut self, file: usize) {
        let hash = *blake3::hash(&self.files[file]).as_bytes();
        for (name, there) in &self.there {
            match there {
                There::File(other) if *other == file => drop(self.contents.insert((name.clone(), hash))),
                There::Folder(other) if *other == file => drop(self.contents.insert((format!("{name}/inside"), hash))),
                _ => {}
            }
        }
    }

    /// Takes away what is at a name.
    fn clear(&mut self, name: &str) {
        let path = self.folder.join(name);
        match self.there.insert(name.to_owned(), There::Nothing) {
            Some(There::Folder(_)) => fs::remove_dir_all(path).expect("removed"),
            Some(There::File(_) | There::Other) => fs::remove_file(path).expect("removed"),
            Some(There::Nothing) | None => {}
        }
    }

    /// A new file at a path, which must be free, and what is to be there from now on.
    fn make(&mut self, name: &str, path: &Path, there: impl FnOnce(usize) -> There) {
        let content = self.content(name);
        self.files.push(Vec::new());
        let file = self.files.len() - 1;
        self.there.insert(name.to_owned(), there(file));
        let mut made = fs::File::create(path).expect("made");
        self.note(file);
        made.write_all(&content).expect("written");
        // The name that it has until it is renamed.
        let own = path.strip_prefix(&self.folder).expect("in it").display().to_string();
        self.contents.extend([&[][..], &content[..]].map(|content| (own.clone(), *blake3::hash(content).as_bytes())));
        self.files[file] = content;
        self.note(file);
    }

    /// Writes other bytes into a file, in several steps.
    fn write_over(&mut self, path: &Path, file: usize) {
        let opened = fs::File::options().write(true).open(path).expect("a file");
        let byte = self.dice.below(256) as u8;
        let len = self.files[file].len();
        for start in (0..len).step_by(len.div_ceil(4).max(1)) {
            let end = len.min(start + len.div_ceil(4).max(1));
            self.files[file][start..end].fill(byte);
            opened.write_all_at(&self.files[file][start..end], start as u64).expect("written");
            self.note(file);
        }
    }

    /// One change of one name.
    fn change(&mut self) {
        let name = format!("f{:02}", self.dice.below(FILES));
        let path = self.folder.join(&name);
        let there = self.there[&name];
        self.count += 1;
        match (self.dice.below(12), there) {
            (0 | 1, There::File(file)) => {
                let more = vec![self.dice.below(256) as u8; self.dice.below(500)];
                fs::File::options().append(true).open(&path).and_then(|mut file| file.write_all(&more)).expect("more");
                self.files[file].extend(more);
                self.note(file);
            }
            (2, There::File(file)) => {
                let len = self.dice.below(50_000).min(self.files[file].len());
                fs::File::options().write(true).open(&path).and_then(|file| file.set_len(len as u64)).expect("cut");
                self.files[file].truncate(len);
                self.note(file);
            }
            (3 | 4, There::File(file)) => self.write_over(&path, file),
            (5, There::File(_)) => {
                let spare = self.folder.join("spare");
                self.make(&name, &spare, There::File);
                fs::rename(&spare, &path).expect("replaced");
            }
            (6, There::File(file)) => {
                // Another name of the same file.
                let other = format!("f{:02}", self.dice.below(FILES));
                if other != name {
                    self.clear(&other);
                    self.there.insert(other.clone(), There::File(file));
                    self.note(file);
                    fs::hard_link(&path, self.folder.join(other)).expect("linked");
                }
            }
            (7, _) => self.clear(&name),
            (8, _) => {
                self.clear(&name);
                symlink("/etc", &path).expect("a link");
                self.there.insert(name, There::Other);
            }
            (9, _) => {
                self.clear(&name);
                rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
                self.there.insert(name, There::Other);
            }
            (10, _) => {
                self.clear(&name);
                fs::create_dir(&path).expect("a folder");
                self.make(&name, &path.join("inside"), There::Folder);
            }
            _ => {
                self.clear(&name);
                self.make(&name, &path, There::File);
            }
        }
    }
}

/// Whether every change after a look gets another time. Where it does not, a second change within a tick of the clock
/// cannot be seen by anybody.
fn has_fine_times(folder: &Path) -> bool {
    let path = folder.join("times");
    let file = fs::File::create(&path).expect("made");
    let time = || file.metadata().expect("a look").modified().expect("a time");
    let is_fine = (0..20).all(|_| {
        let before = time();
        file.write_all_at(b"x", 0).expect("written");
        time() != before
    });
    fs::remove_file(path).expect("removed");
    is_fine
}

/// What was seen.
#[derive(Default)]
struct Counts {
    has_fine_times: bool,
    problems: usize,
    restored: usize,
    unsettled: usize,
    /// Files that never had the content that was stored, and nobody was told; the next backup stored what was there.
    mixtures: usize,
}

fn lock(changes: &Mutex<Changes>) -> MutexGuard<'_, Changes> {
    changes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn changing_sources(runs: u64) {
    let stop = AtomicBool::new(false);
    let world = World::new();
    let folder = world.source().join("changing");
    fs::create_dir(&folder).expect("made");
    let changes = Mutex::new(Changes::new(folder));
    let mut counts = Counts { has_fine_times: has_fine_times(&world.source()), ..Counts::default() };
    let mut working = Duration::ZERO;
    if !counts.has_fine_times {
        println!("times are coarse here: contents are not compared");
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                lock(&changes).change();
                std::thread::sleep(PAUSE);
            }
        });
        for run in 0..runs {
            let began = Instant::now();
            let report = world.backup();
            working += began.elapsed();
            assert!(began.elapsed() < HANG, "run {run} took {:?}", began.elapsed());
            counts.problems += report.problems.len();
            let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                check(&world, &report, &changes, &mut counts);
            }));
            if let Err(panic) = stopped {
                stop.store(true, Ordering::Relaxed);
                std::panic::resume_unwind(panic);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let count = lock(&changes).count;
    println!(
        "T15: {runs} runs of {:?}, {count} changes, {} problems told, {} files restored, {} unsettled, {} mixtures",
        working / runs as u32,
        counts.problems,
        counts.restored,
        counts.unsettled,
        counts.mixtures
    );
}

/// The snapshot restores; every file has the size that it says, and a content that it once had, or is among the problems.
fn check(world: &World, report: &BackupReport, changes: &Mutex<Changes>, counts: &mut Counts) {
    let known = [ProblemKind::ChangedWhileRead, ProblemKind::Vanished, ProblemKind::Unreadable];
    assert!(report.problems.iter().all(|problem| known.contains(&problem.kind)), "{:?}", report.problems);
    let id: SnapshotId = report.snapshot_id.expect("a snapshot");
    // Whoever changes things holds this until what it did is noted; now nothing changes any more.
    let changes = lock(changes);
    let mut mixtures = Vec::new();
    let target = world.path("target");
    let repo = world.open();
    let restored = restore_snapshot(&repo, id, &target).expect("restored");
    let is_known = |kind| kind == ProblemKind::NeverBackedUp;
    assert!(restored.problems.iter().all(|problem| is_known(problem.kind)), "{:?}", restored.problems);
    let mut entries = Vec::new();
    repo.list_folder(&id, Some(&world.source()), true, &mut |entry| entries.push(entry)).expect("listed");
    for entry in entries {
        let path = paths::from_bytes(&entry.path);
        let copy = target.join(path.strip_prefix("/").expect("absolute"));
        let is_told = report.problems.iter().any(|problem| problem.path == path);
        let (is_carried, is_unsettled) = (entry.flags.contains(&"carried"), entry.flags.contains(&"unsettled"));
        assert!(is_told || !is_unsettled || is_carried, "{} is unsettled, and nobody is told", path.display());
        let Ok(found) = fs::symlink_metadata(&copy) else { continue };
        if found.is_file() {
            counts.restored += 1;
            counts.unsettled += usize::from(is_unsettled);
            assert_eq!(found.len(), entry.size, "{}", copy.display());
            let name = path.strip_prefix(&changes.folder).expect("in it").display().to_string();
            let content = *blake3::hash(&fs::read(&copy).expect("read")).as_bytes();
            let was_there = changes.contents.contains(&(name, content));
            if !was_there && !is_unsettled && counts.has_fine_times {
                mixtures.push(path);
            }
        }
    }
    fs::remove_dir_all(&target).expect("removed");
    if !mixtures.is_empty() {
        assert_next_is_exact(world, &mixtures);
        counts.mixtures += mixtures.len();
    }
}

/// While nothing changes, a backup stores what is there now; also of files of which the one before stored a mixture.
fn assert_next_is_exact(world: &World, mixtures: &[PathBuf]) {
    let report = world.backup();
    assert!(report.problems.iter().all(|problem| problem.kind == ProblemKind::Unreadable), "{:?}", report.problems);
    let target = world.path("next");
    restore_snapshot(&world.open(), report.snapshot_id.expect("a snapshot"), &target).expect("restored");
    for path in mixtures {
        let copy = target.join(path.strip_prefix("/").expect("absolute"));
        let content = |path: &Path| fs::symlink_metadata(path).ok().filter(|it| it.is_file()).map(|_| fs::read(path));
        let (is, was) = (content(path).transpose().expect("read"), content(&copy).transpose().expect("read"));
        assert!(is == was, "{} is still not what is there, and nobody is told", path.display());
    }
    fs::remove_dir_all(&target).expect("removed");
}

#[test]
fn t15_sources_that_change_all_the_time_are_stored_whole() {
    changing_sources(6);
}

/// `RUNS` of them, 1000 where it is not set.
#[test]
#[ignore = "ten minutes"]
fn t15_a_thousand_backups_of_changing_sources_are_whole() {
    let runs = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok());
    changing_sources(runs.unwrap_or(1000));
}
