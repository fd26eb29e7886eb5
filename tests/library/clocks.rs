//! Clocks that are wrong: what was stored last is the latest all the same.

use std::fs;
use std::path::PathBuf;

use cryptbackup::repo::Repo;
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest, What};

use crate::support::World;

/// The file as each way to ask for the latest gives it back.
fn latest(world: &World, repo: &Repo) -> Vec<String> {
    let restored = |name: &str, what: What, below: PathBuf| {
        let target = world.path(name);
        let request = RestoreRequest { destination: Some(target.clone()), ..RestoreRequest::new(what) };
        let plan = restore::plan(repo, request, &Silent).expect("a plan");
        restore::execute(repo, plan, &Silent).expect("restored");
        let text = fs::read_to_string(target.join(below)).expect("the file");
        fs::remove_dir_all(target).expect("removed");
        text
    };
    let source = world.source();
    let in_whole = source.strip_prefix("/").expect("absolute").join("file");
    fs::create_dir_all(world.path("one")).expect("a folder");
    vec![
        restored("one", What::File(source.join("file")), "file".into()),
        restored("folder", What::Directory(source), "file".into()),
        restored("all", What::Snapshot("latest".to_owned()), in_whole),
    ]
}

/// Of a machine whose clock was 80 years ahead once, then right, then back in 1971, as one without a battery is.
#[test]
fn what_was_stored_last_is_the_latest_whatever_clocks_said() {
    let world = World::in_memory(&["stick"]);
    let days = [0, 1, 29_000, 2, 3, -20_200, -20_190];
    let mut stored = Vec::new();
    for (run, day) in days.into_iter().enumerate() {
        world.set_day(day);
        let text = format!("as it was in run {run}");
        world.write("file", &text);
        let report = world.backup();
        assert_eq!((report.problems.len(), report.files_new + report.files_changed), (0, 1), "{report:?}");
        stored.push(report.snapshot_id.expect("a snapshot"));
        assert_eq!(latest(&world, &world.open()), vec![text; 3], "run {run}");
    }
    let repo = world.open();
    let listed: Vec<_> = repo.snapshots().expect("snapshots").iter().map(|snapshot| snapshot.id).collect();
    stored.reverse();
    assert_eq!(listed, stored);
    let versions = repo.versions(&world.source().join("file")).expect("versions");
    let current: Vec<u32> = versions.iter().filter(|version| version.current).map(|version| version.number).collect();
    assert_eq!((versions.len(), current), (7, vec![7]));
    let status = repo.status().expect("a status");
    assert_eq!(status.last_backup, Some(repo.snapshots().expect("snapshots")[0].time));
    assert_eq!(status.destinations[0].last_snapshot, status.last_backup);
    drop(repo);

    // A new machine takes the same for the latest, and goes on from it.
    let second = world.second_with_the_same_path("stick");
    assert_eq!(latest(&second, &second.open()), vec!["as it was in run 6".to_owned(); 3]);
    second.set_day(4);
    let report = second.backup();
    assert_eq!((report.files_new, report.files_changed), (0, 0), "{report:?}");

    // Deleted by now, the last there was of it comes back.
    world.remove("file");
    second.write("other", "one more");
    second.backup();
    let target = second.path("deleted");
    let what = What::File(second.source().join("file"));
    let request = RestoreRequest { destination: Some(target.clone()), ..RestoreRequest::new(what) };
    let plan = restore::plan(&second.open(), request, &Silent).expect("a plan");
    restore::execute(&second.open(), plan, &Silent).expect("restored");
    assert_eq!(fs::read_to_string(target).expect("the file"), "as it was in run 6");
}
