//! The second reader on the repository of docs/format.md and on one built by hand: whole, and damaged.

use std::path::{Path, PathBuf};

use data_encoding::BASE64;

use crate::blocks::documented_frame;
use crate::builder::{Builder, DATA, Piece, node, node_with};
use crate::document::Document;
use crate::encode::{counted, zigzag};
use crate::example;
use crate::second_reader::{Entry, Kept, Secret, Seen, kept_versions, list_all, restore_file};

const INLINE: [u8; 32] = [7; 32];
const WORDS: [u8; 32] = [9; 32];

fn inline() -> Secret {
    Secret::Inline(BASE64.encode(&INLINE))
}

/// A repository, the contents of its files, and everything in its newest snapshot.
struct Built {
    folder: tempfile::TempDir,
    packs: Vec<PathBuf>,
    newest: PathBuf,
    files: Vec<(&'static [u8], Vec<u8>)>,
    entries: Vec<Entry>,
}

impl Built {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn check(&self, secret: &Secret) {
        assert_eq!(list_all(self.path(), secret.clone()), Ok(self.entries.clone()));
        for (path, content) in &self.files {
            let restored = restore_file(self.path(), secret.clone(), path);
            assert!(restored.as_ref() == Ok(content), "{}", String::from_utf8_lossy(path));
        }
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&length.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// What a stream of these pieces holds.
fn content(pieces: &[Piece]) -> Vec<u8> {
    pieces.iter().fold(Vec::new(), |mut bytes, piece| {
        match piece {
            Piece::Chunk(chunk) => bytes.extend(chunk),
            Piece::Hole(len) => bytes.resize(bytes.len() + *len as usize, 0),
        }
        bytes
    })
}

fn streams() -> Vec<(&'static [u8], Vec<Piece>)> {
    let chunks =
        |length: usize, step: usize| noise(length).chunks(step).map(<[u8]>::to_vec).map(Piece::Chunk).collect();
    let sparse = vec![
        Piece::Hole(100_000),
        Piece::Chunk(b"middle".repeat(500)),
        Piece::Hole(1),
        Piece::Chunk(b"middle".repeat(500)),
        Piece::Hole(70_000),
    ];
    vec![
        (b"/home/ada/big", chunks(20_000, 100)),
        (b"/home/ada/empty", Vec::new()),
        (b"/home/ada/many", chunks(3_300, 100)),
        (b"/home/ada/sparse", sparse),
        (b"/home/ada/sub/\xff\xfe", chunks(3_200, 100)),
        (b"/srv/one", vec![Piece::Chunk(b"a source that is one file".to_vec())]),
    ]
}

fn build() -> Built {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut builder = Builder::new(folder.path());
    builder.slot(1, &INLINE);
    builder.slot(3, &WORDS);
    builder.slot(2, "pass wörd".as_bytes());
    for (path, bytes) in [("marks/00/x", "later"), ("packs/00/not-a-pack", ""), ("tmp/1", "half"), ("keys/x", "")] {
        builder.write(path, bytes.as_bytes());
    }
    let mut entries = Vec::new();
    let mut recipes = Vec::new();
    for (path, pieces) in streams() {
        let recipe = builder.recipe(DATA, &pieces);
        recipes.push([&[0], recipe.as_slice()].concat());
        let size = content(&pieces).len() as u64;
        entries.push(Entry {
            path: path.to_vec(),
            kind: "file",
            size,
            mtime: (-3, 999_999_999),
            target: Vec::new(),
            mode: 0o644,
            version: 3,
        });
    }
    assert_eq!((recipes[0][1], recipes[2][1], recipes[4][1]), (3, 1, 0), "recipes of several depths");
    let file = |name: &[u8], number: usize| node(name, &recipes[number], 0o644, (-3, 999_999_999), 3);
    let folder_kind = |recipe: Vec<u8>| [&[1], recipe.as_slice()].concat();
    let no_folder = folder_kind(vec![0, 0, 0]);
    let sub = builder.folder(&[file(b"\xff\xfe", 4)], 3);
    let empty = builder.folder(&[], 9);
    let link = [&[2, 3][..], b"big"].concat();
    let nodes = [
        file(b"big", 0),
        file(b"empty", 1),
        node(b"folder", &folder_kind(empty), 0o755, (5, 0), 0),
        node(b"link", &link, 0o777, (6, 0), 1),
        file(b"many", 2),
        node(b"pipe", &[3], 0o600, (7, 0), 1),
        file(b"sparse", 3),
        node(b"sub", &folder_kind(sub), 0o755, (8, 0), 0),
        node(b"tty", &[5, 4, 64], 0o600, (9, 0), 1),
        node(b"unread", &no_folder, 0o700, (10, 0), 0),
    ];
    let ada = builder.folder(&nodes, 40);
    let ada = node(b"", &folder_kind(ada), 0o700, (11, 0), 0);
    let old = node(b"", &no_folder, 0o700, (1, 1), 0);
    builder.snapshot(1, 1, 9000, &[(b"/home/ada", old.clone())]);
    builder.snapshot(2, 7, 3000, &[(b"/elsewhere", old)]);
    let newest = builder.snapshot(1, 2, 4000, &[(b"/home/ada", ada), (b"/srv/one", file(b"", 5))]);
    remember(&mut builder);

    let mut other = |path: &[u8], kind, mode, seconds, target: &[u8], version| {
        let (path, target) = (path.to_vec(), target.to_vec());
        entries.push(Entry { path, kind, size: 0, mtime: (seconds, 0), target, mode, version });
    };
    other(b"/home/ada", "folder", 0o700, 11, b"", 0);
    other(b"/home/ada/folder", "folder", 0o755, 5, b"", 0);
    other(b"/home/ada/link", "symlink", 0o777, 6, b"big", 1);
    other(b"/home/ada/pipe", "fifo", 0o600, 7, b"", 1);
    other(b"/home/ada/sub", "folder", 0o755, 8, b"", 0);
    other(b"/home/ada/tty", "char device", 0o600, 9, b"", 1);
    other(b"/home/ada/unread", "folder", 0o700, 10, b"", 0);
    entries.sort_by(|left, right| left.path.cmp(&right.path));
    let files = streams().into_iter().map(|(path, pieces)| (path, content(&pieces))).collect();
    Built { folder, packs: builder.packs, newest, files, entries }
}

/// Histories that are newer than all snapshots: one that is in force, and one that is forgotten.
fn remember(builder: &mut Builder) {
    let seen = [zigzag(100), vec![0], zigzag(200), vec![7], counted(b"engine"), vec![1]].concat();
    let version = |builder: &mut Builder, number: u8, content: &[u8], name: &[u8]| {
        let recipe = builder.recipe(DATA, &[Piece::Chunk(content.to_vec())]);
        let kind = [&[0], recipe.as_slice()].concat();
        node_with(name, &kind, 0o600, (1, 0), number, &[(9, b"unknown"), (1, &seen)])
    };
    let old = version(builder, 2, b"an old content of big", b"0000000002");
    let other = version(builder, 2, b"that of another writer", b"0000000002-1");
    let single = version(builder, 1, b"a source that was another file", b"0000000001");
    let place = |name: &[u8], recipe: Vec<u8>, number: u8| {
        let kind = [&[1], recipe.as_slice()].concat();
        node(name, &kind, 0, (0, 0), number)
    };
    let big = builder.folder(&[old, other], 40);
    let letters = builder.folder(&[place(b"fgone", vec![0, 0, 0], 9)], 3);
    let ada = builder.folder(&[place(b"dletters", letters, 0), place(b"fbig", big, 3)], 50);
    let one = builder.folder(&[single], 50);
    let one = builder.folder(&[place(b"f", one, 1)], 50);
    let roots = [(&b"/home/ada"[..], place(b"", ada, 0)), (b"/srv/one", place(b"", one, 0))];
    builder.history(1, 3, 9999, &roots);
    let lies = builder.folder(&[place(b"fbig", vec![0, 0, 0], 99)], 50);
    let replaced = builder.history(2, 8, 9999, &[(b"/home/ada", place(b"", lies, 0))]);
    builder.mark(2, 1, true, &replaced);
}

#[test]
fn histories_give_back_what_no_snapshot_holds() {
    let built = build();
    let kept = |source: &[u8], path: &[u8]| kept_versions(built.path(), inline(), source, path);
    let version = |number, content: &[u8]| Kept {
        number,
        seen: Seen { first: (100, 0), last: (200, 7), machine: "engine".into(), is_deleted_after: true },
        content: content.to_vec(),
    };
    let of_big = vec![version(2, b"an old content of big"), version(2, b"that of another writer")];
    assert_eq!(kept(b"/home/ada", b"big"), Ok((3, of_big)));
    assert_eq!(kept(b"/home/ada", b"letters/gone"), Ok((9, Vec::new())), "only its number is kept");
    assert_eq!(kept(b"/home/ada", b"letters/other"), Ok((0, Vec::new())));
    assert_eq!(kept(b"/srv/one", b""), Ok((1, vec![version(1, b"a source that was another file")])));
}

#[test]
fn what_is_forgotten_is_not_shown() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut builder = Builder::new(folder.path());
    builder.slot(1, &INLINE);
    let root = node(b"", &[1, 0, 0, 0], 0o700, (1, 1), 0);
    let older = builder.snapshot(1, 1, 100, &[(b"/older", root.clone())]);
    let newer = builder.snapshot(1, 2, 200, &[(b"/newer", root)]);
    let shown = || list_all(folder.path(), inline()).map(|entries| entries[0].path.clone());
    // The mark's writer and sequence, whether it forgets, and what is shown once it is there.
    for (writer, sequence, forgets, path) in [
        (2, 2, true, &b"/older"[..]),
        (3, 1, false, b"/older"),
        (1, 2, false, b"/older"),
        (1, 3, false, b"/newer"),
        (2, 3, true, b"/older"),
    ] {
        builder.mark(writer, sequence, forgets, &newer);
        assert_eq!(shown().as_deref(), Ok(path), "after mark {sequence} of writer {writer}");
    }
    builder.mark(1, 4, true, &older);
    assert_eq!(shown(), Err("there is no snapshot".into()));
}

#[test]
fn a_repository_built_by_hand_is_read_with_every_secret() {
    let built = build();
    assert!(built.packs.len() > 6, "chunks in many packs");
    let words = bip39::Mnemonic::from_entropy(&WORDS).expect("32 bytes").to_string();
    for secret in [inline(), Secret::Words(words), Secret::Passphrase("pass wörd".into())] {
        built.check(&secret);
    }
    for secret in [Secret::Inline(BASE64.encode(&WORDS)), Secret::Passphrase("pass word".into())] {
        assert_eq!(list_all(built.path(), secret), Err("no slot opens with this secret".into()));
    }
    assert!(restore_file(built.path(), inline(), b"/home/ada/nothing").is_err());
    assert!(restore_file(built.path(), inline(), b"/home/ada/link").is_err());
}

#[test]
fn either_end_of_every_pack_is_enough() {
    let built = build();
    for region in [0..132, 0..150, 132..150] {
        for pack in &built.packs {
            let mut bytes = std::fs::read(pack).expect("a pack");
            bytes[region.clone()].fill(0xee);
            std::fs::write(pack, bytes).expect("damaged");
        }
        built.check(&inline());
    }
    let built = build();
    for pack in &built.packs {
        let mut bytes = std::fs::read(pack).expect("a pack");
        let len = bytes.len();
        bytes[len - 150..].fill(0xee);
        std::fs::write(pack, bytes).expect("damaged");
    }
    built.check(&inline());
}

#[test]
fn damage_is_an_error_and_never_other_bytes() {
    let built = build();
    let (path, content) = &built.files[3];
    let mut errors = 0;
    for pack in &built.packs {
        let whole = std::fs::read(pack).expect("a pack");
        let mut bytes = whole.clone();
        bytes[600..3000].fill(0xee);
        std::fs::write(pack, bytes).expect("damaged");
        let restored = restore_file(built.path(), inline(), path);
        assert!(restored.is_err() || restored.as_ref() == Ok(content));
        errors += u32::from(restored.is_err());
        std::fs::write(pack, whole).expect("repaired");
    }
    assert!(errors > 0, "no damage was met");
    let first = &built.packs[0];
    let whole = std::fs::read(first).expect("a pack");
    std::fs::remove_file(first).expect("removed");
    assert!(restore_file(built.path(), inline(), built.files[0].0).is_err(), "a pack is missing");
    std::fs::write(first, whole).expect("repaired");

    std::fs::remove_file(&built.newest).expect("removed");
    let older = list_all(built.path(), inline()).expect("the older snapshots");
    assert_eq!(older[0].path, b"/home/ada", "the other writer's finished earlier");
    assert_eq!(older[0].mtime, (1, 1));
    std::fs::write(built.path().join("cryptbackup.repo"), [0; 64]).expect("damaged");
    assert!(list_all(built.path(), inline()).is_err());
}

#[test]
fn authentic_bytes_that_are_not_those_of_the_id_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut builder = Builder::new(folder.path());
    builder.slot(1, &INLINE);
    builder.swapped = Some((b"right".to_vec(), b"wrong".to_vec()));
    let recipe = builder.recipe(DATA, &[Piece::Chunk(b"right".to_vec())]);
    let file = node(b"", &[&[0], recipe.as_slice()].concat(), 0o644, (1, 0), 1);
    builder.snapshot(1, 1, 1, &[(b"/file", file)]);
    let error = restore_file(folder.path(), inline(), b"/file").expect_err("another content");
    assert!(error.ends_with("has another content"), "{error}");
}

#[test]
fn the_repository_of_the_document_is_read() {
    let document = Document::load();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, stored) in example::objects(&documented_frame(&document)) {
        let path = folder.path().join(name.path());
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder made");
        std::fs::write(path, stored).expect("a file written");
    }
    let words = bip39::Mnemonic::from_entropy(&example::RECOVERY).expect("32 bytes").to_string();
    let inline = Secret::Inline(BASE64.encode(&example::INLINE));
    for secret in [inline, Secret::Words(words), Secret::Passphrase(example::PASSPHRASE.into())] {
        let jack = restore_file(folder.path(), secret.clone(), b"/home/ada/notes/jack.txt");
        assert_eq!(jack.as_deref(), Ok(example::JACK));
        let disk = [vec![0; example::DISK_HOLE as usize], example::DISK_END.to_vec()].concat();
        assert!(restore_file(folder.path(), secret.clone(), b"/home/ada/notes/disk.img") == Ok(disk));
        let paths: Vec<Vec<u8>> =
            list_all(folder.path(), secret).expect("a list").into_iter().map(|e| e.path).collect();
        assert_eq!(paths, [&b"/home/ada/notes"[..], b"/home/ada/notes/disk.img", b"/home/ada/notes/jack.txt"]);
    }
    let kept = |path: &[u8]| {
        let inline = Secret::Inline(BASE64.encode(&example::INLINE));
        kept_versions(folder.path(), inline, b"/home/ada/notes", path)
    };
    let noon = (1_795_435_200 - 86_400, 0);
    let seen = Seen { first: noon, last: noon, machine: "engine".into(), is_deleted_after: false };
    let version = Kept { number: 2, seen, content: example::DISK_END.to_vec() };
    assert_eq!(kept(b"jack.txt"), Ok((2, vec![version])));
    assert_eq!(kept(b"drafts/novel.txt"), Ok((4, Vec::new())));
}
