//! The golden repository, read by the second reader: whoever has only docs/format.md can restore it.

use std::path::{Path, PathBuf};

use crate::second_reader::{Secret, list_all, restore_file};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

fn expected() -> serde_json::Value {
    let bytes = std::fs::read(folder().join("expected.json")).expect("expected.json");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn secrets() -> [Secret; 2] {
    let settings = std::fs::read_to_string(folder().join("config.yaml")).expect("config.yaml");
    let key = settings.lines().find_map(|line| line.trim().strip_prefix("key:")).expect("a key");
    let words = expected()["recovery_words"].as_str().expect("words").to_owned();
    [Secret::Inline(key.trim().trim_matches(['\'', '"']).to_owned()), Secret::Words(words)]
}

#[test]
fn every_file_of_the_newest_snapshot_comes_back() {
    let expected = expected();
    let source = expected["source"].as_str().expect("a path").to_owned();
    let newest = expected["snapshots"].as_array().and_then(|all| all.last()).expect("a snapshot").clone();
    let entries = newest["entries"].as_array().expect("entries").clone();
    for secret in secrets() {
        let destination = folder().join("destination");
        let listed = list_all(&destination, secret.clone()).expect("a list");
        assert_eq!(listed.len(), entries.len());
        let mut restored = 0;
        for entry in &entries {
            if entry["kind"] != "file" {
                continue;
            }
            let name = entry["path"].as_str().expect("a path");
            let path = format!("{source}/{name}");
            let content = restore_file(&destination, secret.clone(), path.as_bytes()).expect("restored");
            assert_eq!(blake3::hash(&content).to_hex().to_string(), entry["blake3"], "{name}");
            let listed = listed.iter().find(|listed| listed.path == path.as_bytes()).expect("listed");
            assert_eq!(
                (listed.size, u64::from(listed.mode)),
                (content.len() as u64, entry["mode"].as_u64().expect("a mode"))
            );
            restored += 1;
        }
        assert!(restored >= 7, "{restored} files");
    }
}
