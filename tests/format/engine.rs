//! What the program writes, read by the second reader: the two share nothing but docs/format.md.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::second_reader::{Secret, list_all, restore_file};

/// A folder to back up, a state folder and a destination.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("source")).expect("a source");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("it exists").join(name)
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new(env!("CARGO_BIN_EXE_cryptbackup"))
            .args(arguments)
            .current_dir(self.path(""))
            .env_clear()
            .env("HOME", self.path(""))
            .env("CRYPTBACKUP_HOME", self.path("state"))
            .env("CRYPTBACKUP_PASSPHRASE_FILE", self.path("passphrase"))
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Backs the source up and compares every path of the snapshot with what is there.
    fn back_up_and_compare(&self, secret: &Secret) {
        self.run(&["backup", "--quiet", "--no-progress"]);
        let destination = self.path("destination");
        let entries = list_all(&destination, secret.clone()).expect("a list");
        let mut expected: Vec<PathBuf> =
            walkdir::WalkDir::new(self.path("source")).into_iter().map(|e| e.expect("an entry").into_path()).collect();
        let mut found: Vec<PathBuf> = entries.iter().map(|entry| OsStr::from_bytes(&entry.path).into()).collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
        for entry in entries {
            let path = Path::new(OsStr::from_bytes(&entry.path));
            let metadata = path.symlink_metadata().expect("it is there");
            assert_eq!(entry.mtime, (metadata.mtime(), metadata.mtime_nsec() as u32), "{path:?}");
            assert_eq!(entry.mode, metadata.mode() & 0o7777, "{path:?}");
            let kind = match metadata.file_type() {
                kind if kind.is_dir() => "folder",
                kind if kind.is_symlink() => "symlink",
                _ => "file",
            };
            assert_eq!(entry.kind, kind, "{path:?}");
            if kind == "symlink" {
                assert_eq!(entry.target, std::fs::read_link(path).expect("a link").as_os_str().as_bytes());
            }
        }
    }

    fn compare_file(&self, secret: &Secret, name: &[u8]) {
        let path = self.path("source").join(OsStr::from_bytes(name));
        let restored = restore_file(&self.path("destination"), secret.clone(), path.as_os_str().as_bytes());
        assert!(restored == Ok(std::fs::read(&path).expect("a file")), "{path:?}");
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(b"engine").finalize_xof().fill(&mut bytes);
    bytes
}

fn write(path: PathBuf, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder made");
    std::fs::write(path, bytes).expect("a file written");
}

fn fill(source: &Path) {
    write(source.join("big"), &noise(8_000_000));
    write(source.join("text"), &b"the same line again and again\n".repeat(20_000));
    write(source.join("empty"), b"");
    write(source.join(OsStr::from_bytes(b"not \xff UTF-8")), b"a name of bytes");
    for number in 0..700 {
        write(source.join(format!("many/{number}")), number.to_string().as_bytes());
    }
    std::fs::create_dir_all(source.join("folders/in/folders")).expect("folders");
    symlink("../nowhere", source.join("folders/link")).expect("a link");
    let sparse = std::fs::File::create(source.join("sparse")).expect("a file");
    sparse.set_len(5_000_000).expect("a long file");
    sparse.write_all_at(b"an island", 2_500_000).expect("written");
}

#[test]
fn what_the_program_writes_the_second_reader_restores() {
    let world = World::new();
    fill(&world.path("source"));
    std::fs::write(world.path("passphrase"), "pass wörd").expect("a passphrase");
    world.run(&["init", "--passphrase-file", "passphrase", "--recovery-key", "words"]);
    world.run(&["add", "source"]);
    world.run(&["config", "set", "destinations.primary", "destination"]);

    let words = std::fs::read_to_string(world.path("words")).expect("recovery words");
    let words = words.lines().map(|line| line.trim()).find(|line| line.split(' ').count() == 24);
    let words = Secret::Words(words.expect("a line of 24 words").to_owned());
    let passphrase = Secret::Passphrase("pass wörd".to_owned());
    world.back_up_and_compare(&passphrase);
    for name in [&b"big"[..], b"text", b"empty", b"not \xff UTF-8", b"many/699", b"sparse"] {
        world.compare_file(&passphrase, name);
    }

    // Again, with a long recipe of which most stays, and something gone.
    let mut big = noise(8_000_000);
    big.splice(4_000_000..4_000_100, *b"in the middle");
    write(world.path("source").join("big"), &big);
    std::fs::remove_file(world.path("source").join("many/7")).expect("removed");
    world.back_up_and_compare(&words);
    for name in [&b"big"[..], b"text", b"sparse"] {
        world.compare_file(&words, name);
    }
}

#[test]
fn what_the_program_writes_after_its_keys_changed_the_second_reader_restores_too() {
    let world = World::new();
    write(world.path("source").join("before"), &noise(3_000_000));
    std::fs::write(world.path("passphrase"), "pass wörd").expect("a passphrase");
    world.run(&["init", "--passphrase-file", "passphrase"]);
    world.run(&["add", "source"]);
    world.run(&["config", "set", "destinations.primary", "destination"]);
    world.back_up_and_compare(&Secret::Passphrase("pass wörd".to_owned()));

    world.run(&["key", "add", "--key-file", "a key file"]);
    let key_file = Secret::KeyFile(std::fs::read(world.path("a key file")).expect("it was made"));
    world.run(&["key", "rotate"]);
    write(world.path("source").join("after"), &noise(3_100_000)[100_000..]);
    world.back_up_and_compare(&key_file);
    world.compare_file(&key_file, b"before");
    world.compare_file(&key_file, b"after");

    let keys = world.path("destination/keys");
    let slots = || std::fs::read_dir(&keys).expect("keys").map(|entry| entry.expect("one").file_name());
    let is_ring = |name: &std::ffi::OsString| name.as_bytes().starts_with(b"ring-");
    let saved: Vec<_> = slots().filter(|name| !is_ring(name)).collect();
    let bytes: Vec<_> = saved.iter().map(|name| std::fs::read(keys.join(name)).expect("a slot")).collect();
    assert_eq!(bytes.len(), 2);
    let at = bytes.iter().position(|slot| slot[10] == 4).expect("the slot of the key file");
    world.run(&["key", "remove", &saved[at].to_string_lossy()[..12]]);
    let passphrase = Secret::Passphrase("pass wörd".to_owned());
    world.back_up_and_compare(&passphrase);
    assert_eq!(
        list_all(&world.path("destination"), key_file.clone()).err(),
        Some("no slot opens with this secret".into())
    );
    write(keys.join(&saved[at]), &bytes[at]);
    assert_eq!(list_all(&world.path("destination"), key_file).err(), Some("the slot was removed".into()));
    world.compare_file(&passphrase, b"after");
}
