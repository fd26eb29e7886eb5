//! Backups: what is stored, what is skipped, what is committed.

use cryptbackup::backup::BackupRequest;

use crate::support::World;
use crate::support::hooks::Notes;
use crate::support::saved::{Saved, assert_restores};
use crate::support::world::noise;

#[test]
fn a_second_backup_of_the_same_tree_stores_nothing_but_its_record() {
    let world = World::new(&["primary"]);
    for number in 0..50u64 {
        world.write(&format!("folder{}/file{number}", number % 7), noise(1000 + number as usize * 700, number));
    }
    let first = world.backup();
    assert_eq!((first.files_new, first.files_changed, first.files_unmodified), (50, 0, 0));
    assert_eq!(first.problems, []);
    assert_eq!(first.copies, 1);
    assert!(first.bytes_added > 800_000 && first.bytes_stored >= first.bytes_added);
    let before = world.objects("primary");
    let second = world.backup();
    assert_eq!((second.files_new, second.files_changed), (0, 0));
    assert_eq!(second.files_unmodified, 50);
    assert_eq!(second.bytes_added, 0);
    let after = world.objects("primary");
    assert_eq!(after.len(), before.len() + 1, "one snapshot more");
    assert!(after.iter().filter(|object| !before.contains(object)).all(|(path, _)| path.starts_with("snaps/")));
}

#[test]
fn equal_content_is_stored_once_under_any_name() {
    let world = World::new(&["primary"]);
    let content = noise(300_000, 1);
    for number in 0..100 {
        world.write(&format!("a{}/copy{number}", number % 5), &content);
    }
    let report = world.backup();
    assert_eq!(report.files_new, 100);
    assert!(report.bytes_added < 400_000, "{} bytes were added", report.bytes_added);
    std::fs::rename(world.source().join("a1"), world.source().join("moved")).expect("moved");
    let report = world.backup();
    assert!(report.bytes_added < 30_000, "{} bytes were added", report.bytes_added);
}

#[test]
fn what_only_status_would_say_fails_no_backup_and_is_told() {
    let world = World::new(&["primary"]);
    world.write("file", noise(10_000, 1));
    // A folder stands where the file belongs.
    std::fs::create_dir_all(world.home.path().join("state/growth.json/in the way")).expect("a folder");
    let notes = Notes::default();
    let report = world.try_backup_with(BackupRequest::default(), &notes).expect("a backup");
    let told = notes.take();
    assert!(told.iter().any(|note| note.contains("growth.json")), "{told:?}");
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
}
