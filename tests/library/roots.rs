//! Whole sources: missing, suddenly empty, left out of a run; and what is never backed up.

use std::fs;

use cryptbackup::backup::{BackupRequest, Changed};
use cryptbackup::error::Error;
use cryptbackup::repo::settings::Settings;
use cryptbackup::repo::{self, Home, InitRequest};
use cryptbackup::report::{ProblemKind, Silent};
use cryptbackup::restore::{self, RestoreRequest, What};
use cryptbackup::source::Changes;

use crate::source::listed;
use crate::support::World;
use crate::support::saved::{Saved, assert_restores, below, restore_snapshot};
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

/// A world with a second source.
fn with_two_sources() -> World {
    let world = World::new(&["primary"]);
    fs::create_dir_all(world.path("other/deep")).unwrap();
    fs::write(world.path("other/deep/file"), noise(50_000, 50)).unwrap();
    world.add_source(&world.path("other"));
    world.write("file", noise(50_000, 51));
    world
}

#[test]
fn a_source_that_is_missing_is_carried_and_the_others_go_on() {
    let world = with_two_sources();
    world.backup();
    let other = tree(&world.path("other"));
    fs::rename(world.path("other"), world.path("other.away")).unwrap();
    world.write("file", noise(60_000, 52));
    for _ in 0..2 {
        let report = world.backup();
        assert_eq!(report.problems.len(), 1);
        assert_eq!(
            (report.problems[0].kind, &report.problems[0].path),
            (ProblemKind::SourceMissing, &world.path("other"))
        );
        assert_eq!(report.copies, 1);
        let snapshot = &world.open().snapshots().expect("snapshots")[0];
        let read: Vec<_> = snapshot.roots.iter().map(|root| (root.path.clone(), root.read)).collect();
        assert_eq!(read, [(world.path("other"), false), (world.source(), true)]);
        let target = world.path("restored");
        assert_eq!(restore_snapshot(&world.open(), "latest", None, &target).problems, []);
        assert_same(&tree(&world.source()), &tree(&below(&target, &world.source())));
        assert_same(&other, &tree(&below(&target, &world.path("other"))));
        fs::remove_dir_all(&target).unwrap();
    }
    let status = world.open().status().expect("how things stand");
    let of = |name: &str| status.sources.iter().find(|source| source.path == world.path(name)).expect("a source");
    assert!(of("other").last_good < of("source").last_good, "it was not read since");
    assert!(of("other").last_good.is_some());
    fs::rename(world.path("other.away"), world.path("other")).unwrap();
    let report = world.backup();
    assert_eq!(report.problems, []);
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
    let versions = world.open().versions(&world.path("other/deep/file")).expect("versions");
    assert_eq!(versions.len(), 1, "it was the same all the time");
}

#[test]
fn a_source_that_was_never_there_is_nothing_to_back_up() {
    let world = World::new(&["primary"]);
    fs::remove_dir(world.source()).unwrap();
    let error = world.try_backup_with(BackupRequest::default(), &Silent).expect_err("there is nothing");
    assert!(matches!(&error, Error::NothingToBackUp(why) if why.contains("source")), "{error:?}");
    assert_eq!(world.open().snapshots().expect("none").len(), 0);
}

#[test]
fn a_source_that_is_suddenly_empty_is_refused_until_forced() {
    let world = with_two_sources();
    world.backup();
    let content = tree(&world.path("other"));
    fs::rename(world.path("other/deep"), world.path("deep.away")).unwrap();
    let report = world.backup();
    assert_eq!(report.problems.len(), 1);
    let problem = &report.problems[0];
    assert_eq!(problem.kind, ProblemKind::SourceMissing);
    assert!(problem.detail.contains("suddenly empty") && problem.detail.contains("--force"), "{}", problem.detail);
    let target = world.path("restored");
    restore_snapshot(&world.open(), "latest", None, &target);
    let there = tree(&below(&target, &world.path("other")));
    assert_eq!(there.keys().collect::<Vec<_>>(), content.keys().collect::<Vec<_>>());

    let report = world.backup_with(BackupRequest { force: true, ..BackupRequest::default() });
    assert_eq!(report.problems, []);
    assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
    assert_eq!(world.backup().problems, [], "empty is what it is now");
}

#[test]
fn a_source_that_was_a_folder_and_is_none_any_more_is_refused_until_forced() {
    type Replace = fn(&World);
    let link: Replace = |world| std::os::unix::fs::symlink(world.path("away"), world.path("other")).unwrap();
    let file: Replace = |world| fs::write(world.path("other"), "a file").unwrap();
    for (replace, is_link) in [(link, true), (file, false)] {
        let world = with_two_sources();
        let first = world.backup();
        let content = tree(&world.path("other"));
        fs::rename(world.path("other"), world.path("away")).unwrap();
        replace(&world);
        // Also where it is told what changed: only the root did.
        let mut root = Changes::default();
        root.touch(b"");
        let since = first.snapshot_id.expect("a snapshot");
        let changed =
            Changed { since, sources: [(world.path("other"), root)].into_iter().collect(), has_problems: false };
        let by_changes = BackupRequest { changed: Some(changed), ..BackupRequest::default() };
        let dry = BackupRequest { dry_run: true, ..BackupRequest::default() };
        for request in [by_changes, dry, BackupRequest::default()] {
            let report = world.backup_with(request);
            let [problem] = report.problems.as_slice() else { panic!("{:?}", report.problems) };
            assert_eq!((problem.kind, &problem.path), (ProblemKind::SourceMissing, &world.path("other")));
            let leads = world.path("away").display().to_string();
            assert_eq!(
                problem.detail.contains("link") && problem.detail.contains(&leads),
                is_link,
                "{}",
                problem.detail
            );
            assert!(problem.detail.contains("--force"), "{}", problem.detail);
        }
        let target = world.path("restored");
        restore_snapshot(&world.open(), "latest", None, &target);
        assert_same(&content, &tree(&below(&target, &world.path("other"))));

        let report = world.backup_with(BackupRequest { force: true, ..BackupRequest::default() });
        assert_eq!(report.problems, []);
        assert_restores(&world.open(), None, &[Saved::now(&world, &report)], &world.path("scratch"));
        assert_eq!(world.backup().problems, [], "it is what it is now");
    }
}

#[test]
fn only_the_sources_asked_for_are_read_and_the_others_are_carried() {
    let world = with_two_sources();
    let first = Saved::now(&world, &world.backup());
    fs::write(world.path("other/deep/file"), b"changed").unwrap();
    world.write("file", b"changed too");
    let request = BackupRequest { sources: vec![world.source()], ..BackupRequest::default() };
    let report = world.backup_with(request);
    assert_eq!((report.files_changed, report.problems.len()), (1, 0));
    let target = world.path("restored");
    restore_snapshot(&world.open(), "latest", None, &target);
    assert_eq!(fs::read(below(&target, &world.path("other/deep/file"))).unwrap(), noise(50_000, 50));
    assert_eq!(fs::read(below(&target, &world.source().join("file"))).unwrap(), b"changed too");
    let report = world.backup();
    assert_eq!(report.files_changed, 1);
    assert_restores(&world.open(), None, &[first, Saved::now(&world, &report)], &world.path("scratch"));
}

#[test]
fn what_is_left_out_is_counted_and_not_restored() {
    let world = World::new(&["primary"]);
    for name in ["kept.txt", "left.tmp", "cache/a", "cache/b", "sub/left.tmp", "sub/kept", "sub/secret/x"] {
        world.write(name, name);
    }
    world.write("sub/.cryptbackupignore", "secret/\n");
    world.settings(|settings| settings.sources[0].exclude = vec!["*.tmp".to_owned(), "cache".to_owned()]);
    let report = world.backup();
    assert_eq!((report.excluded, report.files_new, report.problems.len()), (4, 3, 0));
    let mut paths: Vec<String> = listed(&world).into_iter().map(|(path, _)| path).collect();
    paths.sort();
    assert_eq!(paths, ["kept.txt", "sub", "sub/.cryptbackupignore", "sub/kept"]);
    let target = world.path("restored");
    restore_snapshot(&world.open(), "latest", None, &target);
    let there: Vec<_> = tree(&below(&target, &world.source())).into_keys().map(String::from_utf8).collect();
    assert_eq!(there.len(), 5, "{there:?}");
}

/// A machine that backs up the folder everything is in.
fn with_everything_inside() -> World {
    let world = World::new(&[]);
    let stick = world.source().join("stick");
    world.open_to_write().add_destination("stick", &stick, &Silent).expect("a new destination");
    world.write("file", b"content");
    world.write("sub/file", b"content");
    world
}

#[test]
fn destinations_and_the_state_folder_are_never_backed_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home::at(folder.path().join("state"));
    repo::init(&home, InitRequest::default()).expect("a new repository");
    fs::write(folder.path().join("file"), b"content").unwrap();
    Settings::edit(&home.settings_path(), |settings| {
        let source = repo::settings::SourceSettings::new(folder.path());
        settings.put_source(source);
        Ok(())
    })
    .expect("the settings");
    let mut repo = repo::Repo::open(&home, repo::Access::Write, None, &Silent).expect("the repository");
    repo.add_destination("primary", &folder.path().join("stick"), &Silent).expect("a destination");
    let report = cryptbackup::backup::run(&mut repo, BackupRequest::default(), &Silent).expect("a backup");
    assert_eq!((report.files_new, report.folders, report.excluded), (1, 1, 2), "{report:?}");
    let id = report.snapshot_id.expect("a snapshot");
    let mut names = Vec::new();
    repo.list_folder(&id, Some(folder.path()), true, &mut |entry| names.push(entry.path)).expect("listed");
    assert_eq!(names.len(), 1);
}

#[test]
fn a_restore_that_deletes_never_deletes_a_destination_or_the_state() {
    let world = with_everything_inside();
    world.backup();
    world.write("extra", b"not in the snapshot");
    let repo = world.open();
    for (what, destination) in
        [(What::Directory(world.source()), None), (What::Directory(world.source().join("sub")), Some(world.source()))]
    {
        let request = RestoreRequest { delete: true, destination, ..RestoreRequest::new(what) };
        let error = restore::plan(&repo, request, &Silent).expect_err("it would delete the destination");
        assert!(matches!(&error, Error::Usage(why) if why.contains("stick")), "{error:?}");
    }
    assert!(world.source().join("stick/dest.id").exists());
    let request = RestoreRequest::new(What::Directory(world.source()));
    let plan = restore::plan(&repo, request, &Silent).expect("without --delete it may go there");
    assert_eq!(restore::execute(&repo, plan, &Silent).expect("restored").problems, []);
    assert!(world.source().join("stick/dest.id").exists() && world.source().join("extra").exists());
}
