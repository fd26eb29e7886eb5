//! T15: sources that are changed all the time while they are backed up: appended to, cut, replaced, removed, turned into
//! links, pipes and folders. Nothing panics or hangs; what is stored is whole, and restores with the sizes it says.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cryptbackup::paths;
use cryptbackup::report::ProblemKind;
use rustix::fs::{CWD, FileType, Mode};

use crate::support::{Dice, HANG, World, restore_snapshot};

const FILES: usize = 30;

/// One change of one entry.
fn change(folder: &Path, dice: &mut Dice) {
    let path = folder.join(format!("f{:02}", dice.below(FILES)));
    let spare = folder.join("spare");
    let content = vec![dice.below(256) as u8; dice.below(60_000)];
    // Whatever is there may not take this change, and that is right.
    let _ = match dice.below(10) {
        0 | 1 => fs::File::options()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&content[..content.len().min(500)])),
        2 => fs::File::options().write(true).open(&path).and_then(|file| file.set_len(dice.below(50_000) as u64)),
        3 => fs::write(&path, &content),
        4 | 5 => fs::write(&spare, &content).and_then(|()| fs::rename(&spare, &path)),
        6 => fs::remove_file(&path),
        7 => fs::remove_file(&path).and_then(|()| symlink("/etc", &path)),
        8 => fs::remove_file(&path).and_then(|()| Ok(rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0)?)),
        _ => match fs::create_dir(&path) {
            Ok(()) => fs::write(path.join("inside"), &content),
            Err(_) => {
                fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path).and_then(|()| fs::create_dir(&path)))
            }
        },
    };
}

/// Opening a pipe to write would wait for ever: the one who changes things looks first.
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_fifo())
}

fn changing_sources(runs: u64) {
    let (stop, changes) = (AtomicBool::new(false), AtomicU64::new(0));
    let world = World::new();
    let folder = world.source().join("changing");
    fs::create_dir(&folder).expect("made");
    let mut counts = [0; 3];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut dice = Dice::new(1);
            while !stop.load(Ordering::Relaxed) {
                for number in 0..FILES {
                    // No pipe stays for long, and none is written to.
                    let path = folder.join(format!("f{number:02}"));
                    if is_pipe(&path) && dice.below(20) == 0 {
                        let _ = fs::remove_file(&path);
                    }
                }
                if !(0..FILES).any(|number| is_pipe(&folder.join(format!("f{number:02}")))) || dice.below(3) == 0 {
                    change_unless_pipe(&folder, &mut dice);
                    changes.fetch_add(1, Ordering::Relaxed);
                }
                std::thread::sleep(Duration::from_micros(500));
            }
        });
        for run in 0..runs {
            let began = Instant::now();
            let report = world.backup();
            assert!(began.elapsed() < HANG, "run {run} took {:?}", began.elapsed());
            let known = [ProblemKind::ChangedWhileRead, ProblemKind::Vanished, ProblemKind::Unreadable];
            assert!(report.problems.iter().all(|problem| known.contains(&problem.kind)), "{:?}", report.problems);
            counts[0] += report.problems.len();
            check(&world, report.snapshot_id.expect("a snapshot"), &mut counts);
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!(
        "{runs} runs, {} changes, {} problems said, {} files restored, {} unsettled",
        changes.into_inner(),
        counts[0],
        counts[1],
        counts[2]
    );
}

fn change_unless_pipe(folder: &Path, dice: &mut Dice) {
    if (0..FILES).all(|number| !is_pipe(&folder.join(format!("f{number:02}")))) {
        return change(folder, dice);
    }
    // With a pipe about, only what opens nothing.
    let path = folder.join(format!("f{:02}", dice.below(FILES)));
    let _ = fs::remove_file(&path).and_then(|()| symlink("nowhere", &path));
}

/// The snapshot restores, and every file has the size that it says.
fn check(world: &World, id: cryptbackup::format::id::SnapshotId, counts: &mut [usize; 3]) {
    let target = world.path("target");
    let repo = world.open();
    let report = restore_snapshot(&repo, id, &target).expect("restored");
    let is_known = |kind| kind == ProblemKind::NeverBackedUp;
    assert!(report.problems.iter().all(|problem| is_known(problem.kind)), "{:?}", report.problems);
    let mut entries = Vec::new();
    repo.list_folder(&id, Some(&world.source()), true, &mut |entry| entries.push(entry)).expect("listed");
    for entry in entries {
        let restored = target.join(paths::from_bytes(&entry.path).strip_prefix("/").expect("absolute"));
        let Ok(found) = fs::symlink_metadata(&restored) else { continue };
        if found.is_file() {
            counts[1] += 1;
            counts[2] += usize::from(entry.flags.contains(&"unsettled"));
            assert_eq!(found.len(), entry.size, "{}", restored.display());
        }
    }
    fs::remove_dir_all(&target).expect("removed");
}

#[test]
fn t15_sources_that_change_all_the_time_are_stored_whole() {
    changing_sources(6);
}

#[test]
#[ignore = "ten minutes"]
fn t15_a_thousand_backups_of_changing_sources_are_whole() {
    changing_sources(1000);
}
