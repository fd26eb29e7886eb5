//! Every command README.md shows, typed in its order on a machine with nothing on it.

use std::process::Command;

use crate::support::{Ended, World};

const README: &str = include_str!("../../README.md");

/// A person with documents, an external disk and a stick.
struct Reader {
    world: World,
    home: std::path::PathBuf,
}

impl Reader {
    fn new() -> Self {
        let world = World::new();
        let home = world.path("home");
        world.folder("usb");
        world.folder("stick");
        let documents = world.folder("home/Documents");
        std::fs::write(documents.join("report.txt"), "first").expect("a document");
        std::fs::write(documents.join("film.mkv"), "a film").expect("a document");
        Self { world, home }
    }

    /// Types a line in a shell, with the names of the README replaced by those of this machine.
    fn types(&self, line: &str) -> Ended {
        let place = |name: &str| self.world.path(name).display().to_string();
        let line = line
            .replace("cargo run --release --", "cryptbackup")
            .replace("quickstart SOURCE DESTINATION", "quickstart ~/Documents ~/backup --recovery-key words.txt")
            .replace("/media/usb", &place("usb"))
            .replace("/media/stick", &place("stick"))
            .replace("/home/ada", &place("home"))
            // What the README restores was saved long ago; here it was a moment ago.
            .replace("2026-01-15", "2199-01-15")
            .replace("--date 2d", "--date 0d");
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_cryptbackup")).parent().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", &line]).env_clear().env("HOME", &self.home).current_dir(self.world.path(""));
        command.env("PATH", format!("{}:/usr/bin:/bin", program.display())).stdin(std::process::Stdio::null());
        Ended::of(command)
    }

    /// Sits down at a machine with nothing on it.
    fn moves(&mut self, name: &str) {
        self.home = self.world.folder(name);
    }

    /// Adds keys, and removes the first that was added.
    fn changes_keys(&self) {
        let ids = || {
            let keys = self.types("cryptbackup key list --json").expect_code(0).json()["keys"].clone();
            let keys: Vec<serde_json::Value> = keys.as_array().expect("a list").clone();
            keys.iter().map(|key| key["key"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        };
        let (before, mut first) = (ids(), None);
        for line in commands("Keys") {
            if line.contains("--passphrase ") {
                // It would be asked for.
                self.types(line).expect_error(2, &["no terminal"]);
                continue;
            }
            let line = line.replace("4f2a91c0", first.as_deref().unwrap_or("none"));
            self.types(&line).expect_code(0);
            first = first.or_else(|| ids().into_iter().find(|id| !before.contains(id)));
        }
    }

    fn state(&self) -> std::path::PathBuf {
        self.home.join(".mybackup")
    }
}

fn commands(section: &str) -> Vec<&'static str> {
    let (_, text) = README.split_once(&format!("\n## {section}\n")).expect("a section");
    let text = text.split("\n## ").next().unwrap_or_default();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block);
    let lines: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.is_empty()).collect();
    assert!(!lines.is_empty(), "{section} shows no commands");
    lines
}

#[cfg(unix)]
#[test]
fn every_command_works_as_shown() {
    let mut reader = Reader::new();
    reader.types(commands("Start")[0]).expect_code(0);
    for line in commands("Every day") {
        reader.types(line).expect_code(0);
    }
    for line in commands("Watch") {
        // It goes on until it is stopped.
        let line = line.replace("cryptbackup watch ", "timeout --preserve-status -s TERM 5 cryptbackup watch ");
        reader.types(&line).expect_code(0);
    }
    std::fs::write(reader.home.join("Documents/report.txt"), "second, and longer").expect("a document");
    reader.types("cryptbackup backup").expect_code(0);
    let snapshots = reader.types("cryptbackup snapshots --json").expect_code(0).json();
    let oldest = snapshots.as_array().and_then(|all| all.last()).expect("a snapshot")["short_id"].clone();
    for section in ["Restore", "Keep what you need", "Look after it", "Drills"] {
        for line in commands(section) {
            // The snapshot that is forgotten and brought back has another id here.
            let line = line.replace("3f2a9c01", oldest.as_str().expect("text"));
            reader.types(&line).expect_code(0);
        }
    }
    reader.changes_keys();
    let read = |path: &str| std::fs::read_to_string(reader.home.join(path)).expect("it was restored");
    assert_eq!(read("old.txt"), "first");
    assert_eq!(read("restored/report.txt"), "second, and longer");

    std::fs::copy(reader.state().join("config.yaml"), reader.world.path("stick/config.yaml"))
        .expect("a copy of the key");
    let lines = commands("A new machine");
    let (connects, rest) = lines.split_at(4);
    for (number, line) in connects.iter().enumerate() {
        reader.moves(&format!("machine {number}"));
        if line.contains("--passphrase") {
            // It would be asked for.
            let refused = reader.types(line).expect_code(2);
            assert!(refused.stderr.contains("no terminal"), "{}", refused.stderr);
            continue;
        }
        reader.types(line).expect_code(0);
        // A key file is not kept on the machine.
        let opened = if line.contains("--key-file") { "CRYPTBACKUP_KEY_FILE=/media/stick/photo.jpg " } else { "" };
        for line in rest {
            reader.types(&format!("{opened}{line}")).expect_code(0);
        }
        let found = walkdir::WalkDir::new(reader.home.join("everything"));
        let is_report = |entry: &walkdir::DirEntry| entry.file_name() == "report.txt";
        assert_eq!(found.into_iter().flatten().filter(is_report).count(), 1, "{line}");
        reader.types(&format!("{opened}cryptbackup backup --source /nowhere")).expect_code(2);
    }
}
