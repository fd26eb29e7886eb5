//! Repositories of every format version that was ever written: they list, check and restore for ever.
//!
//! `tests/golden/v1` was made once by [`make_golden_v1`] and is never changed. Git keeps no empty folders, so the
//! destination is copied and its folders are made again before it is opened; the reserve is left out.

use std::fs;
use std::path::{Path, PathBuf};

use cryptbackup::check::{self, CheckRequest, Severity};
use cryptbackup::format::layout::ObjectKind;
use cryptbackup::repo::settings::Settings;
use cryptbackup::repo::{self, Access, Home, Repo, Secret};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, RestoreRequest, What};
use serde_json::{Value, json};

use crate::support::trees::{Seen, tree};

/// Every golden repository; a folder that is not listed here fails a test.
const VERSIONS: [&str; 1] = ["v1"];

fn golden(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(version)
}

/// A copy that can be opened.
fn unpack(version: &str, to: &Path) -> PathBuf {
    let from = golden(version).join("destination");
    let target = to.join("destination");
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.expect("listed");
        let path = target.join(entry.path().strip_prefix(&from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(path).expect("a folder");
        } else {
            fs::copy(entry.path(), path).expect("copied");
        }
    }
    for kind in ObjectKind::ALL {
        fs::create_dir_all(target.join(kind.folder())).expect("a folder");
        for prefix in 0..256 {
            if kind.is_spread() {
                fs::create_dir_all(target.join(kind.folder()).join(format!("{prefix:02x}"))).expect("a folder");
            }
        }
    }
    fs::create_dir_all(target.join("tmp")).expect("a folder");
    target
}

fn describe(path: &[u8], seen: &Seen) -> Value {
    json!({
        "path": String::from_utf8_lossy(path),
        "kind": seen.kind,
        "mode": seen.mode,
        "links": seen.links,
        "mtime": if seen.kind == "folder" && path.is_empty() { json!(null) } else { json!([seen.mtime.0, seen.mtime.1]) },
        "bytes": seen.content.len(),
        "blake3": blake3::hash(&seen.content).to_hex().to_string(),
    })
}

fn listing(root: &Path) -> Vec<Value> {
    tree(root).iter().map(|(path, seen)| describe(path, seen)).collect()
}

fn expected(version: &str) -> Value {
    serde_json::from_slice(&fs::read(golden(version).join("expected.json")).expect("there")).expect("JSON")
}

fn open(version: &str, folder: &Path, secret: Option<Secret>) -> Repo {
    let destination = unpack(version, folder);
    let home = Home::at(folder.join("home"));
    let copied = secret
        .is_none()
        .then(|| Settings::load(&golden(version).join("config.yaml"), false).expect("the copy of the settings"));
    repo::connect(&home, &destination, secret, copied, &Silent).expect("connected");
    Repo::open(&home, Access::Read, None, &Silent).expect("opened")
}

#[test]
fn every_golden_repository_is_tested() {
    let mut found: Vec<String> = fs::read_dir(golden(""))
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, VERSIONS);
}

#[test]
fn golden_repositories_list_check_and_restore() {
    for version in VERSIONS {
        let expected = expected(version);
        let words = expected["recovery_words"].as_str().expect("words").to_owned();
        for secret in [None, Some(Secret::Words(words.clone().into()))] {
            let folder = tempfile::tempdir().expect("a folder");
            let repo = open(version, folder.path(), secret);
            let snapshots = repo.snapshots().expect("snapshots");
            let wanted = expected["snapshots"].as_array().expect("a list");
            assert_eq!(snapshots.len(), wanted.len());

            let request = CheckRequest { read_data: true, ..CheckRequest::default() };
            let report = check::run(&repo, request, &Silent).expect("checked");
            let damage: Vec<_> =
                report.findings.iter().filter(|finding| finding.severity == Severity::Damage).collect();
            assert!(damage.is_empty(), "{damage:?}");

            for (number, (snapshot, wanted)) in snapshots.iter().rev().zip(wanted).enumerate() {
                assert_eq!(snapshot.id.to_string(), wanted["id"]);
                let target = folder.path().join(format!("restored {number}"));
                let source = PathBuf::from(expected["source"].as_str().expect("a path"));
                let request = RestoreRequest {
                    destination: Some(target.clone()),
                    ..RestoreRequest::new(What::Snapshot(snapshot.id.to_string()))
                };
                let plan = restore::plan(&repo, request, &Silent).expect("planned");
                let report = restore::execute(&repo, plan, &Silent).expect("restored");
                assert_eq!(report.problems, []);
                let root = target.join(source.strip_prefix("/").expect("absolute"));
                assert_eq!(json!(listing(&root)), wanted["entries"], "snapshot {number}");
            }
            let file = PathBuf::from(expected["source"].as_str().expect("a path")).join("changing.txt");
            let numbers: Vec<u32> =
                repo.versions(&file).expect("versions").iter().map(|version| version.number).collect();
            assert_eq!(numbers, [1, 2, 3]);
        }
    }
}

/// Makes `tests/golden/v1` anew. Only ever run before the first release; afterwards a new version gets a new folder.
#[test]
#[ignore = "writes the golden repository"]
fn make_golden_v1() {
    use cryptbackup::backup::{self, BackupRequest};
    use cryptbackup::repo::InitRequest;
    use cryptbackup::repo::settings::SourceSettings;
    use std::os::unix::fs::{FileExt, symlink};

    let out = golden("v1");
    assert!(!out.exists(), "{} is there; golden repositories are never changed", out.display());
    let base = Path::new("/tmp/cryptbackup-golden");
    let _ = fs::remove_dir_all(base);
    let source = base.join("source");
    fs::create_dir_all(source.join("folder/empty")).expect("folders");
    let home = Home::at(base.join("home"));
    let report = repo::init(&home, InitRequest { recovery: true, ..InitRequest::default() }).expect("a repository");
    Settings::edit(&home.settings_path(), |settings| {
        settings.put_source(SourceSettings::new(&source));
        Ok(())
    })
    .expect("settings");
    let mut repo = Repo::open(&home, Access::Write, None, &Silent).expect("opened");
    repo.add_destination("primary", &base.join("destination"), &Silent).expect("a destination");
    drop(repo);

    fs::write(source.join("small.txt"), "a small file\n").expect("written");
    let lines: String = (0..180_000u32).map(|i| format!("{:08x}\n", i.wrapping_mul(2_654_435_761))).collect();
    fs::write(source.join("folder/long recipe.txt"), lines).expect("written");
    let sparse = fs::File::create(source.join("sparse")).expect("made");
    sparse.write_all_at(b"before the hole", 0).expect("written");
    sparse.write_all_at(b"after the hole", 1 << 20).expect("written");
    symlink("folder/long recipe.txt", source.join("link")).expect("a link");
    fs::hard_link(source.join("small.txt"), source.join("folder/same as small")).expect("a hard link");
    fs::write(source.join("empty file"), "").expect("written");
    fs::write(source.join(cryptbackup::paths::from_bytes("na\u{ef}ve \u{1F600}".as_bytes())), "name").expect("written");

    let mut snapshots = Vec::new();
    for number in 1..=3 {
        fs::write(source.join("changing.txt"), format!("version {number} of a file that changes\n")).expect("written");
        let mut repo = Repo::open(&home, Access::Write, None, &Silent).expect("opened");
        let report = backup::run(&mut repo, BackupRequest::default(), &Silent).expect("a backup");
        let id = report.snapshot_id.expect("a snapshot").to_string();
        snapshots.push(json!({ "id": id, "entries": listing(&source) }));
    }
    fs::create_dir_all(&out).expect("the folder");
    for entry in walkdir::WalkDir::new(base.join("destination")).into_iter().map(|entry| entry.expect("listed")) {
        if entry.file_type().is_file() && entry.file_name() != "reserve" {
            let to = out.join(entry.path().strip_prefix(base).expect("below"));
            fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
            fs::copy(entry.path(), to).expect("copied");
        }
    }
    fs::copy(home.settings_path(), out.join("config.yaml")).expect("copied");
    let words = report.recovery_words.expect("words").to_string();
    let expected = json!({ "source": source, "recovery_words": words, "snapshots": snapshots });
    fs::write(out.join("expected.json"), serde_json::to_vec_pretty(&expected).expect("JSON")).expect("written");
}
