//! Questions about trees: find, diff, dump.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cryptbackup::error::Error;
use cryptbackup::explore::{
    self, Change, DiffReport, DiffRequest, DuBy, DuRequest, DumpFormat, DumpReport, DumpRequest, DumpWhat, EntryKind,
    FindRequest, Found, Operand, Owner, Sum, Usage, WhatIfRequest,
};
use cryptbackup::paths;
use cryptbackup::report::{ProblemKind, Silent};

use crate::restore::weird_tree;
use crate::source::unprivileged;
use crate::support::World;
use crate::support::trees::{assert_same, tree};
use crate::support::world::noise;

fn find(world: &World, request: &FindRequest) -> Vec<Found> {
    let mut found = Vec::new();
    explore::find(&world.open(), request, &mut |one| found.push(one)).expect("found");
    found
}

/// Names below the source, in order, with the numbers of their versions.
fn found(world: &World, request: &FindRequest) -> Vec<(String, Vec<u32>)> {
    let below = |path: &[u8]| {
        let path = paths::from_bytes(path);
        path.strip_prefix(world.source()).unwrap_or(&path).to_string_lossy().into_owned()
    };
    find(world, request)
        .iter()
        .map(|one| (below(&one.path), one.versions.iter().map(|version| version.number).collect()))
        .collect()
}

fn pattern(text: &str) -> FindRequest {
    FindRequest { patterns: vec![text.to_owned()], ..FindRequest::default() }
}

fn owned(list: &[(&str, &[u32])]) -> Vec<(String, Vec<u32>)> {
    list.iter().map(|(path, versions)| ((*path).to_owned(), versions.to_vec())).collect()
}

/// Four days: a file that changes, one that comes back as it was, one that is deleted, a folder that is.
fn four_days() -> World {
    let world = World::new(&["a"]);
    world.set_day(0);
    world.write("report.txt", b"one");
    world.write("deep/Report.ODS", noise(5_000, 1));
    world.write("old/gone.txt", b"gone");
    world.backup();
    world.set_day(10);
    world.write("report.txt", b"two, longer");
    fs::remove_dir_all(world.source().join("old")).expect("removed");
    world.backup();
    world.set_day(20);
    world.write("report.txt", b"one");
    world.backup();
    world.set_day(30);
    world.write("new", noise(2_000_000, 2));
    world.backup();
    world
}

#[test]
fn everything_is_found_once_with_its_versions() {
    let world = four_days();
    assert_eq!(found(&world, &pattern("*.txt")), owned(&[("old/gone.txt", &[1]), ("report.txt", &[3, 2, 1])]));
    assert_eq!(found(&world, &pattern("report")), owned(&[("report.txt", &[3, 2, 1])]), "a plain word");
    let any_case = FindRequest { ignores_case: true, ..pattern("report*") };
    assert_eq!(found(&world, &any_case), owned(&[("deep/Report.ODS", &[1]), ("report.txt", &[3, 2, 1])]));
    let deleted = FindRequest { is_deleted: true, ..FindRequest::default() };
    assert_eq!(found(&world, &deleted), owned(&[("old", &[0]), ("old/gone.txt", &[1])]));
    let folders = FindRequest { kind: Some(EntryKind::Folder), ..pattern("*/*") };
    assert!(found(&world, &folders).iter().all(|(_, versions)| *versions == [0]));
    let large = FindRequest { bytes_min: Some(1_000_000), ..FindRequest::default() };
    assert_eq!(found(&world, &large), owned(&[("new", &[1])]));
    let small = FindRequest { bytes_max: Some(3), ..FindRequest::default() };
    assert_eq!(found(&world, &small), owned(&[("report.txt", &[3, 1])]), "only the versions that match");
    let below = Some(paths::to_bytes(&world.source().join("deep")).to_vec());
    let inside = FindRequest { below, ..FindRequest::default() };
    assert_eq!(found(&world, &inside), owned(&[("deep", &[0]), ("deep/Report.ODS", &[1])]));
    let newest = FindRequest { snapshot: Some("latest".to_owned()), ..pattern("*.txt") };
    assert_eq!(found(&world, &newest), owned(&[("report.txt", &[3])]));
    assert!(found(&world, &pattern("nothing-like-it")).is_empty());
}

#[test]
fn what_was_found_says_since_when_and_until_when() {
    let world = four_days();
    let report = &find(&world, &pattern("report.txt"))[0];
    let days: Vec<(i64, i64)> = report
        .versions
        .iter()
        .map(|version| {
            let day = |seconds: i64| (seconds - 1_780_000_000) / 86_400;
            (day(version.first_seen.seconds), day(version.last_seen.seconds))
        })
        .collect();
    assert_eq!(days, [(20, 30), (10, 10), (0, 0)]);
    assert!(!report.is_deleted && report.kind == EntryKind::File);
    assert!(find(&world, &pattern("gone.txt"))[0].is_deleted);
}

#[test]
fn what_only_the_history_holds_is_found() {
    let world = four_days();
    let before = found(&world, &pattern("*.txt"));
    world.set_day(200);
    world.backup();
    world.clean(1, 10);
    assert_eq!(world.open().snapshots().expect("listed").len(), 1, "the old ones are gone");
    assert_eq!(found(&world, &pattern("*.txt")), before.iter().rev().cloned().collect::<Vec<_>>());
    let gone = &find(&world, &pattern("gone.txt"))[0];
    assert!(gone.is_deleted && gone.versions[0].in_history);
    world.forget_index();
    cryptbackup::repo::rebuild_index(&world.home, None, &Silent).expect("rebuilt");
    assert_eq!(found(&world, &pattern("report.txt")), owned(&[("report.txt", &[3, 2, 1])]));
}

#[test]
fn what_cannot_be_looked_for_is_said() {
    let world = four_days();
    let error = |request: FindRequest| explore::find(&world.open(), &request, &mut |_| {}).expect_err("refused");
    assert!(matches!(error(pattern("a[")), Error::Usage(_)));
    let nowhere = FindRequest { snapshot: Some("latest~9".to_owned()), ..FindRequest::default() };
    assert!(matches!(error(nowhere), Error::NotFound { .. }));
}

fn snapshot(name: &str) -> Operand {
    Operand::Snapshot(name.to_owned(), None)
}

fn diff(world: &World, before: Operand, after: Operand, reads_content: bool) -> (Vec<(String, Change)>, DiffReport) {
    let request = DiffRequest { before, after, reads_content, with_metadata: false };
    let mut seen = Vec::new();
    let report = explore::diff(&world.open(), &request, &Silent, &mut |one| {
        let path = paths::from_bytes(&one.path);
        let below = path.strip_prefix(world.source()).unwrap_or(&path).to_string_lossy().into_owned();
        seen.push((below, one.change));
    });
    (seen, report.expect("compared"))
}

fn changes(list: &[(&str, Change)]) -> Vec<(String, Change)> {
    list.iter().map(|(path, change)| ((*path).to_owned(), *change)).collect()
}

#[test]
fn two_snapshots_are_compared() {
    let world = four_days();
    let (seen, report) = diff(&world, snapshot("latest~3"), snapshot("latest"), false);
    assert_eq!(seen, changes(&[("new", Change::Added), ("old", Change::Removed), ("old/gone.txt", Change::Removed)]));
    assert_eq!((report.added, report.bytes_added), (1, 2_000_000));
    assert_eq!((report.removed, report.bytes_removed, report.changed), (2, 4, 0));
    let (seen, _) = diff(&world, snapshot("latest~3"), snapshot("latest~2"), false);
    let content = ("report.txt", Change::Content);
    assert_eq!(seen, changes(&[("old", Change::Removed), ("old/gone.txt", Change::Removed), content]));
    assert!(diff(&world, snapshot("latest"), snapshot("latest"), false).0.is_empty());
    let deep = Operand::Snapshot("latest~3".to_owned(), Some(world.source().join("deep")));
    assert!(diff(&world, deep, snapshot("latest"), false).0.is_empty(), "the other side takes the same path");
}

#[test]
fn two_versions_are_compared() {
    let world = four_days();
    let version = |number| Operand::Version(world.source().join("report.txt"), number);
    assert_eq!(diff(&world, version(1), version(2), false).0, changes(&[("report.txt", Change::Content)]));
    assert!(diff(&world, version(1), version(3), false).0.is_empty(), "it came back as it was");
    let request = DiffRequest { before: version(1), after: version(9), reads_content: false, with_metadata: false };
    let error = explore::diff(&world.open(), &request, &Silent, &mut |_| {}).expect_err("there is none");
    assert!(matches!(error, Error::NotFound { .. }));
}

/// Sets a file's time to what it was, as a failing disk or a program that hides leaves it.
fn keep_time(path: &Path, change: impl FnOnce()) {
    let before = fs::metadata(path).expect("there").modified().expect("a time");
    change();
    fs::File::options().write(true).open(path).expect("open").set_modified(before).expect("set");
}

#[test]
fn a_snapshot_is_compared_with_what_is_here() {
    let world = four_days();
    let here = || Operand::Live(world.source());
    assert!(diff(&world, snapshot("latest"), here(), false).0.is_empty());
    assert!(diff(&world, snapshot("latest"), here(), true).0.is_empty(), "with every byte");

    world.write("report.txt", b"another length");
    world.write("here", b"only here");
    world.remove("new");
    let large = world.source().join("deep/Report.ODS");
    keep_time(&large, || {
        let mut bytes = fs::read(&large).expect("readable");
        bytes[2_500] ^= 1;
        fs::write(&large, bytes).expect("written");
    });
    let by_stat = [("here", Change::Added), ("new", Change::Removed), ("report.txt", Change::Content)];
    assert_eq!(diff(&world, snapshot("latest"), here(), false).0, changes(&by_stat));
    let (seen, report) = diff(&world, snapshot("latest"), here(), true);
    let rot = ("deep/Report.ODS", Change::ContentOnly);
    assert_eq!(seen, changes(&[rot, by_stat[0], by_stat[1], by_stat[2]]));
    assert_eq!(report.changed_unseen, 1);
    // The other way round everything is the other way round.
    let (seen, _) = diff(&world, here(), snapshot("latest"), false);
    assert_eq!(seen, changes(&[("here", Change::Removed), ("new", Change::Added), ("report.txt", Change::Content)]));
    // Written again with the same bytes: another time, nothing else.
    world.write("report.txt", b"one");
    let (seen, _) = diff(&world, snapshot("latest"), here(), false);
    assert_eq!(seen, changes(&by_stat[..2]));
}

#[test]
fn what_backups_leave_out_is_not_told_as_new() {
    let world = four_days();
    world.settings(|settings| settings.sources[0].exclude = vec!["*.tmp".to_owned()]);
    world.write("x.tmp", b"x");
    world.write("deep/y.tmp", b"y");
    assert!(diff(&world, snapshot("latest"), Operand::Live(world.source()), false).0.is_empty());
    assert!(diff(&world, snapshot("latest"), Operand::Live(world.source().join("deep")), false).0.is_empty());
}

fn dump(world: &World, what: DumpWhat, format: Option<DumpFormat>) -> (Vec<u8>, DumpReport) {
    let mut bytes = Vec::new();
    let report = explore::dump(&world.open(), &DumpRequest { what, format }, &mut bytes, &Silent).expect("dumped");
    (bytes, report)
}

fn latest(path: PathBuf) -> DumpWhat {
    DumpWhat::Snapshot("latest".to_owned(), Some(path))
}

#[test]
fn a_file_is_dumped_as_its_bytes() {
    let world = four_days();
    let (bytes, report) = dump(&world, latest(world.source().join("new")), None);
    assert!(bytes == noise(2_000_000, 2) && report.bytes == 2_000_000);
    let version = DumpWhat::Version(world.source().join("report.txt"), 2);
    assert_eq!(dump(&world, version, None).0, b"two, longer");
    // A hole is zeros.
    let sparse = fs::File::create(world.source().join("sparse")).expect("made");
    sparse.set_len(300_000).expect("a hole");
    world.backup();
    assert_eq!(dump(&world, latest(world.source().join("sparse")), None).0, vec![0; 300_000]);
}

#[test]
fn a_tar_archive_gives_everything_back() {
    let world = World::new(&["a"]);
    weird_tree(&world);
    world.backup();
    let (bytes, report) = dump(&world, latest(world.source()), None);
    let target = world.path("out");
    fs::create_dir(&target).expect("made");
    let mut tar = Command::new("tar")
        .args(["--extract", "--preserve-permissions", "--xattrs", "--xattrs-include=*", "--directory"])
        .arg(&target)
        .stdin(Stdio::piped())
        .spawn()
        .expect("tar is there");
    std::io::copy(&mut Cursor::new(&bytes), &mut tar.stdin.take().expect("piped")).expect("taken");
    assert!(tar.wait().expect("ended").success());
    let mut expected = tree(&world.source());
    let sockets: Vec<Vec<u8>> = expected
        .iter()
        .filter(|(_, seen)| seen.kind == "special" && seen.content.starts_with(b"140000"))
        .map(|(path, _)| path.clone())
        .collect();
    sockets.iter().for_each(|path| drop(expected.remove(path)));
    let problems: BTreeSet<PathBuf> = report.problems.iter().map(|problem| problem.path.clone()).collect();
    assert_eq!(problems, sockets.iter().map(|path| paths::from_bytes(path)).collect(), "sockets have no place in it");
    let mut extracted = tree(&target);
    // The folder itself is not in the archive.
    expected.remove(&b""[..]);
    extracted.remove(&b""[..]);
    assert_same(&extracted, &expected);
}

#[test]
fn a_zip_archive_holds_files_folders_and_links() {
    let world = four_days();
    std::os::unix::fs::symlink("report.txt", world.source().join("link")).expect("a link");
    world.backup();
    let (bytes, report) = dump(&world, latest(world.source()), Some(DumpFormat::Zip));
    assert!(report.problems.is_empty() && report.files == 3);
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let names: BTreeSet<String> = zip.file_names().map(|name| name.expect("text").into_owned()).collect();
    let expected = ["deep/", "deep/Report.ODS", "link", "new", "report.txt"];
    assert_eq!(names, expected.iter().map(|name| (*name).to_owned()).collect());
    for (name, content) in [("report.txt", b"one".to_vec()), ("new", noise(2_000_000, 2))] {
        let mut read = Vec::new();
        zip.by_name(name).expect(name).read_to_end(&mut read).expect("whole");
        assert!(read == content, "{name}");
    }
    assert!(zip.by_name("link").expect("there").is_symlink());
}

#[test]
fn all_sources_are_dumped_under_their_paths() {
    let world = four_days();
    let (bytes, _) = dump(&world, DumpWhat::Snapshot("latest".to_owned(), None), None);
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let wanted = world.source().join("report.txt");
    let names: Vec<PathBuf> = archive
        .entries()
        .expect("an archive")
        .map(|entry| entry.expect("whole").path().expect("a path").into_owned())
        .collect();
    assert!(names.contains(&wanted.strip_prefix("/").expect("absolute").to_owned()), "{names:?}");
}

#[test]
fn damage_leaves_a_file_out_of_an_archive_and_ends_a_dump_of_it() {
    let world = World::new(&["a"]);
    world.write("a", noise(700_000, 1));
    world.backup();
    world.write("b", noise(700_000, 2));
    world.backup();
    // The pack of the first backup's data: nothing of the second is in it.
    let data = world.objects("a").into_iter().find(|(path, len)| path.starts_with("packs/") && *len > 600_000);
    let pack = world.path("a").join(data.expect("a pack of data").0);
    let mut bytes = fs::read(&pack).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&pack, &bytes).expect("damaged");
    let (archive, report) = dump(&world, latest(world.source()), None);
    assert_eq!((report.files, report.problems.len()), (1, 1));
    let left_out = report.problems[0].path.clone();
    let mut archive = tar::Archive::new(Cursor::new(archive));
    assert_eq!(archive.entries().expect("an archive").count(), 1);
    let request = DumpRequest { what: latest(world.source().join(left_out)), format: None };
    let error = explore::dump(&world.open(), &request, &mut Vec::new(), &Silent).expect_err("damaged");
    assert!(matches!(error, Error::Read(_)), "{error:?}");
}

fn du(world: &World, by: DuBy, snapshot: Option<&str>) -> Vec<Usage> {
    let request =
        DuRequest { by, below: Some(paths::to_bytes(&world.source()).to_vec()), snapshot: snapshot.map(str::to_owned) };
    explore::du(&world.open(), &request, &Silent).expect("counted")
}

#[test]
fn space_is_told_by_folder_type_and_snapshot() {
    let world = World::new(&["a"]);
    world.write("one/a.bin", noise(1_000_000, 1));
    world.write("one/copy.txt", noise(1_000_000, 1));
    world.write("two/copy.bin", noise(1_000_000, 1));
    world.write("two/b.bin", noise(500_000, 2));
    world.backup();
    world.write("two/b.bin", noise(700_000, 3));
    world.backup();
    let near = |bytes: u64, expected: u64| bytes >= expected && bytes < expected + 5_000;

    let folders = du(&world, DuBy::Folder(1), None);
    let path = |name: &str| Owner::Path(paths::to_bytes(&world.source().join(name)).to_vec());
    assert_eq!(folders.iter().map(|usage| usage.owner.clone()).collect::<Vec<_>>(), [path("two"), path("one")]);
    assert_eq!((folders[0].files, folders[0].bytes), (3, 2_200_000), "both versions of b");
    assert!(near(folders[0].bytes_needed, 2_200_000) && near(folders[0].bytes_alone, 1_200_000), "{folders:?}");
    assert!(near(folders[1].bytes_needed, 1_000_000) && folders[1].bytes_alone == 0, "it is in two as well");

    let types = du(&world, DuBy::Type, Some("latest"));
    let names: Vec<Owner> = types.iter().map(|usage| usage.owner.clone()).collect();
    assert_eq!(names, [Owner::Type("bin".to_owned()), Owner::Type("txt".to_owned())]);
    assert!(near(types[0].bytes_needed, 1_700_000) && near(types[0].bytes_alone, 700_000), "{types:?}");

    let snapshots = world.open().snapshots().expect("listed");
    let usage = du(&world, DuBy::Snapshot, None);
    let of = |owner: Owner| usage.iter().find(|usage| usage.owner == owner).expect("counted").bytes_alone;
    assert!(near(of(Owner::Snapshot(None)), 1_000_000) && near(of(Owner::Snapshot(Some(snapshots[0].id))), 700_000));
    assert!(near(of(Owner::Snapshot(Some(snapshots[1].id))), 500_000));
}

#[test]
fn a_path_that_no_snapshot_has_takes_no_space_but_is_not_found() {
    let world = World::new(&["a"]);
    fs::create_dir(world.source().join("empty")).expect("a folder");
    world.backup();
    world.write("later", "x");
    world.backup();
    let look = |path: &Path, snapshot: Option<&str>| {
        let below = Some(paths::to_bytes(path).to_vec());
        let request = DuRequest { by: DuBy::Type, below, snapshot: snapshot.map(str::to_owned) };
        explore::du(&world.open(), &request, &Silent).map(|usage| usage.len())
    };
    let parent = world.path("");
    assert_eq!((look(&parent, None).ok(), look(&world.source(), None).ok()), (Some(1), Some(1)));
    assert_eq!(look(&world.source().join("empty"), None).ok(), Some(0));
    assert_eq!(look(&world.source().join("later"), None).ok(), Some(1));
    for (path, snapshot) in [(world.source().join("later"), Some("latest~1")), (world.source().join("lat"), None)] {
        let found = look(&path, snapshot);
        assert!(matches!(&found, Err(Error::NotFound { what }) if what.contains("snapshot")), "{found:?}");
    }
}

#[test]
fn what_is_needed_elsewhere_is_not_needed_alone() {
    let world = World::new(&["a"]);
    world.write("one/own", noise(300_000, 1));
    world.write("one/shared", noise(500_000, 2));
    world.write("two/shared", noise(500_000, 2));
    world.backup();
    let below = Some(paths::to_bytes(&world.source().join("one")).to_vec());
    let usage = explore::du(&world.open(), &DuRequest { by: DuBy::Folder(0), below, snapshot: None }, &Silent);
    let usage = &usage.expect("counted")[0];
    assert!((800_000..810_000).contains(&usage.bytes_needed) && (300_000..305_000).contains(&usage.bytes_alone));
}

#[test]
fn what_patterns_would_leave_out_is_said_and_nothing_else_happens() {
    let world = World::new(&["a"]);
    world.write("film.iso", noise(900_000, 1));
    world.write("keep/film.iso", noise(400_000, 2));
    world.write("keep/.cryptbackupignore", "!*.iso\n");
    world.write("cache/one", noise(200_000, 3));
    world.write("cache/deep/film copy", noise(900_000, 1));
    world.write("text.txt", noise(100_000, 4));
    world.write("a.iso", "");
    world.backup();
    world.write("new.iso", noise(50_000, 5));
    let other = world.path("other");
    fs::create_dir(&other).expect("a folder");
    fs::write(other.join("x.iso"), noise(70_000, 6)).expect("written");
    world.add_source(&other);
    world.backup();
    let request = |patterns: &[&str], sources: Vec<PathBuf>| WhatIfRequest {
        patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        sources,
    };
    let ask = |patterns: &[&str], sources| explore::what_if(&world.open(), &request(patterns, sources), &Silent);
    let answer = ask(&["*.iso"], vec![world.source()]).expect("an answer");
    assert_eq!(answer.read, Sum { files: 8, bytes: 900_000 + 400_000 + 7 + 200_000 + 900_000 + 100_000 + 50_000 });
    assert_eq!(answer.left_out, Sum { files: 3, bytes: 950_000 }, "an ignore file keeps one");
    assert_eq!(answer.largest[0], (world.source().join("film.iso"), 900_000));
    assert_eq!(answer.largest.len(), 3);
    // What is stored is counted by the patterns alone, and the copy needs the same.
    let near = |bytes: u64, expected: u64| bytes >= expected && bytes < expected + 5_000;
    assert!(near(answer.bytes_needed, 1_350_000) && near(answer.bytes_alone, 450_000), "{answer:?}");
    let both = ask(&["*.iso", "cache"], Vec::new()).expect("an answer");
    assert_eq!(both.left_out, Sum { files: 6, bytes: 950_000 + 1_100_000 + 70_000 });
    assert!(near(both.bytes_alone, 900_000 + 400_000 + 50_000 + 200_000 + 70_000), "{both:?}");
    let none = ask(&["*.nothing"], Vec::new()).expect("an answer");
    assert_eq!((none.left_out, none.bytes_needed, none.largest.len()), (Sum::default(), 0, 0));
    assert!(matches!(ask(&["a[z-a]"], Vec::new()), Err(Error::Usage(_))));
    assert!(matches!(ask(&["a"], vec![world.path("nowhere")]), Err(Error::Usage(_))));
    assert_eq!(world.settings_now().sources.iter().map(|source| source.exclude.len()).sum::<usize>(), 0);
}

#[test]
fn what_could_not_be_read_is_no_file_without_bytes() {
    let world = World::new(&["a"]);
    world.write("readable", b"some bytes");
    world.write("secret", b"more bytes");
    let secret = world.source().join("secret");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("ours");
    assert_eq!(unprivileged(|| world.backup()).problems.len(), 1);
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("ours");
    let (archive, report) = dump(&world, latest(world.source()), None);
    assert_eq!((report.files, report.problems.len()), (1, 1));
    assert_eq!(report.problems[0].kind, ProblemKind::NeverBackedUp);
    assert_eq!(tar::Archive::new(Cursor::new(archive)).entries().expect("an archive").count(), 1);
    let request = DumpRequest { what: latest(secret), format: None };
    let error = explore::dump(&world.open(), &request, &mut Vec::new(), &Silent).expect_err("there is nothing");
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    let (seen, report) = diff(&world, snapshot("latest"), Operand::Live(world.source()), false);
    assert!(seen.is_empty() && report.problems.len() == 1, "{seen:?}");
    assert_eq!(du(&world, DuBy::Folder(0), None)[0].files, 1);
}
