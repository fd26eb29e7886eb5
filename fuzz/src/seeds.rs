//! What the search begins with: a few valid inputs for each target, so that it need not find out magic numbers.

use cryptbackup::format::cleaning::{Announcement, CleaningRecord};
use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::history::{Merged, Place, Seen, version_name};
use cryptbackup::format::id::{ChunkId, ChunkKind, DestinationId, ObjectHash, PackId, SnapshotId, WriterId};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::mark::{Action, ForgetReason, Forgotten, MarkRecord};
use cryptbackup::format::pack::{
    BlockEntry, ChunkEntry, Compression, Directory, EXTENTS_LEN, End, Extents, PACK_HEAD_LEN, PackHead,
};
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::{self, ConfigRecord, Extra, RingRecord, Time, WriterRecord};
use cryptbackup::format::sealed::{RecordHead, TAG_LEN, pad_record};
use cryptbackup::format::slot::{ArgonCost, Slot, SlotKind, WRAPPED_LEN};
use cryptbackup::format::snapshot::{Root, RootCounts, Snapshot};
use cryptbackup::format::tree::{Attribute, Flags, Metadata, Node, NodeKind, TREE_VERSION};

use crate::keys::{REPO, keys};
use crate::pieces::Said;

/// The first inputs of a target, with a name each.
pub fn seeds(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    match target {
        "names" => names(),
        "header" => headers(),
        "slot" => slots(),
        "sealed_record" => sealed_records(),
        "records" => records(),
        "pack_head" => pack_heads(),
        "directory" => directories(),
        "pack_reader" => packs(),
        "block" => blocks(),
        "recipe" => recipes(),
        "tree" => trees(),
        "snapshot" => vec![("snapshot", snapshot().encode().expect("a small record"))],
        "history" => histories(),
        "mark" => marks(),
        "cleaning" => cleaning(),
        "chunker" => chunks(),
        "excludes" => text(&[
            ("list", "*.tmp,~*,.DS_Store,/build/,!keep.txt"),
            ("classes", "[a-z][!0-9][[:alpha:]],**/x/**,a\\,b, *.{jpg,png}"),
            ("lines", "# a remark\n\\#file\n!\n/\n[\n{a,b\n\\"),
        ]),
        "settings" => settings(),
        "dates" => text(&[
            ("day", "2026-01-15"),
            ("minute", "2026-03-29T02:30"),
            ("rfc3339", "2026-01-15T10:30:00.5+01:00"),
            ("ago", "3w ago"),
            ("hours", "99999999999999999999h"),
        ]),
        "secrets" => text(&[
            ("base64", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("words", &[&["abandon"; 23][..], &["art"]].concat().join(" ")),
            ("entropy", "0123456789abcdef0123456789abcdef"),
        ]),
        "shown" => shown(),
        "changed" => changes(),
        "index" => indexes(),
        "restore" => restores(),
        other => panic!("{other} has no seeds"),
    }
}

fn text(texts: &[(&'static str, &str)]) -> Vec<(&'static str, Vec<u8>)> {
    texts.iter().map(|(name, text)| (*name, text.as_bytes().to_vec())).collect()
}

/// Without the checksum: the target adds it.
fn without_crc(mut stored: Vec<u8>) -> Vec<u8> {
    stored.truncate(stored.len() - 4);
    stored
}

fn names() -> Vec<(&'static str, Vec<u8>)> {
    let hash = ObjectHash::from_bytes([0xA5; 32]);
    let path = |name: ObjectName| name.path().into_bytes();
    vec![
        ("header", path(ObjectName::Header)),
        ("slot", path(ObjectName::Slot(hash))),
        ("ring", path(ObjectName::Ring(12, hash))),
        ("config", path(ObjectName::Config(1, hash))),
        ("pack", path(ObjectName::Pack(PackId::of(b"pack")))),
        ("mark", path(ObjectName::Mark(hash))),
        ("cleaning", path(ObjectName::Cleaning(hash))),
    ]
}

fn headers() -> Vec<(&'static str, Vec<u8>)> {
    let mark = DestinationMark { repo: REPO, destination: DestinationId::from_bytes([3; 16]) };
    vec![
        ("header", without_crc(RepoHeader::new(REPO).encode())),
        ("mark", without_crc(mark.encode())),
        ("whole", RepoHeader::new(REPO).encode()),
    ]
}

fn slots() -> Vec<(&'static str, Vec<u8>)> {
    let slot = |kind, cost| {
        let (salt, commitment, wrapped) = ([1; 32], [2; 32], [3; WRAPPED_LEN]);
        without_crc(Slot { kind, cost, repo: REPO, salt, commitment, wrapped }.encode())
    };
    vec![
        ("inline", slot(SlotKind::Inline, ArgonCost::NONE)),
        ("passphrase", slot(SlotKind::Passphrase, ArgonCost::DEFAULT)),
        ("recovery", slot(SlotKind::Recovery, ArgonCost::NONE)),
    ]
}

fn sealed_records() -> Vec<(&'static str, Vec<u8>)> {
    let head = RecordHead { object: 2, epoch: 1, salt: [1; 32], commitment: [2; 32] };
    let mut stored = head.encode();
    stored.extend([0; 64]);
    vec![("head", stored), ("padded", pad_record(b"a record").expect("short")[..200].to_vec())]
}

fn time() -> Time {
    Time { seconds: 1_790_000_000, nanos: 5 }
}

fn records() -> Vec<(&'static str, Vec<u8>)> {
    let ring = RingRecord {
        number: 1,
        data_id_key: [1; 32],
        tree_id_key: [2; 32],
        chunker_key: [3; 32],
        epochs: vec![(1, [4; 32]), (2, [5; 32])],
        extra: vec![(9, vec![1, 2])],
    };
    let writer = WriterRecord {
        writer: WriterId::from_bytes([6; 16]),
        created: time(),
        machine: "machine".into(),
        user: "user".into(),
        parent: Some(SnapshotId::from_bytes([7; 32])),
        extra: Extra::new(),
    };
    let config = ConfigRecord::new(RepoHeader::new(REPO));
    vec![
        ("ring", ring.encode().expect("short")),
        ("writer", writer.encode().expect("short")),
        ("config", config.encode().expect("short")),
    ]
}

fn extents() -> Extents {
    Extents {
        kind: ChunkKind::Data,
        blocks: 1,
        directory_a_len: 90,
        directory_b_len: 30,
        blocks_len: 300,
        pack_len: 65536,
    }
}

fn pack_heads() -> Vec<(&'static str, Vec<u8>)> {
    let sealed_extents = [3; EXTENTS_LEN + TAG_LEN];
    let head = PackHead { epoch: 1, salt: [1; 32], commitment: [2; 32], sealed_extents };
    assert_eq!(head.encode(End::Head).len(), PACK_HEAD_LEN);
    let mut with_length = Said::default().long(65536).0;
    with_length.extend(extents().encode());
    vec![
        ("head", without_crc(head.encode(End::Head))),
        ("foot", without_crc(head.encode(End::Foot))),
        ("extents", with_length),
    ]
}

/// A directory of one block with two chunks, and the block's bytes before they are sealed.
fn one_block(compression: Compression) -> (Directory, Vec<u8>) {
    let raw: Vec<u8> = (0..2000u32).map(|number| (number / 7) as u8).collect();
    let bytes = match compression {
        Compression::Zstd => zstd::bulk::compress(&raw, 3).expect("compressed"),
        Compression::None => raw.clone(),
    };
    let (front, back) = raw.split_at(1200);
    let chunk = |bytes: &[u8]| ChunkEntry { id: keys().chunk_id(ChunkKind::Data, bytes), len: bytes.len() as u32 };
    let block = BlockEntry {
        sealed_len: (bytes.len() + TAG_LEN) as u32,
        raw_len: 2000,
        compression,
        chunks: vec![chunk(front), chunk(back)],
    };
    (Directory { kind: ChunkKind::Data, blocks: vec![block], extra: Extra::new() }, bytes)
}

fn directories() -> Vec<(&'static str, Vec<u8>)> {
    let (directory, _) = one_block(Compression::None);
    let lengths = directory.lengths().encode().expect("short");
    vec![("directory", directory.encode().expect("short")), ("lengths", lengths)]
}

fn packs() -> Vec<(&'static str, Vec<u8>)> {
    let said = |flags: u8, compression, lie: &[u8]| {
        let (directory, block) = one_block(compression);
        let mut said = Said::default().byte(flags);
        said.0.extend_from_slice(lie);
        let lengths = directory.lengths().encode().expect("short");
        said.sized(&directory.encode().expect("short")).sized(&lengths).byte(1).sized(&block).0
    };
    vec![
        ("stranger", [&[0][..], &[7; 300]].concat()),
        ("whole", said(1, Compression::Zstd, &[])),
        ("uncompressed", said(1, Compression::None, &[])),
        ("lie", said(3, Compression::Zstd, &extents().encode())),
        ("no head", said(5, Compression::Zstd, &[])),
        ("no head, no directory", said(13, Compression::Zstd, &[])),
    ]
}

fn blocks() -> Vec<(&'static str, Vec<u8>)> {
    let said = |compression, is_lie, raw_len, content: &[u8]| {
        [Said::default().byte(compression).byte(is_lie).long(raw_len).0, content.to_vec()].concat()
    };
    let bomb = zstd::bulk::compress(&vec![0; 1 << 20], 19).expect("compressed");
    vec![
        ("frame", said(0, 0, 500, &[b'a'; 500])),
        ("plain", said(1, 0, 5, b"plain")),
        ("bomb", said(0, 1, 1000, &bomb)),
        ("long", said(0, 1, u32::MAX, &bomb)),
    ]
}

fn recipe() -> Recipe {
    let chunk = Part::Chunk { id: ChunkId::from_bytes([7; 32]), len: 20_000 };
    Recipe { depth: 0, size: 70_000, parts: vec![chunk, Part::Hole { len: 50_000 }] }
}

fn recipes() -> Vec<(&'static str, Vec<u8>)> {
    let stream = recipe().parts.iter().flat_map(|part| part.encode().expect("short")).collect();
    let deep = Recipe { depth: 2, size: 1 << 40, parts: recipe().parts[..1].to_vec() };
    vec![
        ("recipe", record::encode("recipe", &recipe()).expect("short")),
        ("deep", record::encode("recipe", &deep).expect("short")),
        ("parts", stream),
    ]
}

fn node(name: &str, kind: NodeKind) -> Node {
    let metadata = Metadata {
        mode: 0o644,
        uid: 1000,
        gid: 100,
        user: Some("ada".into()),
        group: None,
        mtime: time(),
        ctime: Time { seconds: -1, nanos: 0 },
        inode: 300,
        links: 2,
        device: 1,
        attributes: vec![Attribute { name: b"user.a".to_vec(), value: vec![0] }],
    };
    Node { name: name.into(), kind, metadata, version: 1, flags: Flags::CARRIED, extra: Extra::new() }
}

fn trees() -> Vec<(&'static str, Vec<u8>)> {
    let kinds = [
        ("a", NodeKind::File(recipe())),
        ("b", NodeKind::Folder(Recipe::EMPTY)),
        ("c", NodeKind::Symlink(b"../x".to_vec())),
        ("d", NodeKind::Fifo),
        ("e", NodeKind::CharDevice(1, 3)),
    ];
    let encode = |(name, kind): &(&str, NodeKind)| node(name, kind.clone()).encode().expect("short");
    let mut all = vec![TREE_VERSION];
    all.extend(kinds.iter().flat_map(encode));
    let odd = ["..", "a/b", ""].iter().flat_map(|name| node(name, NodeKind::Socket).encode().expect("short"));
    vec![("tree", all), ("empty", vec![TREE_VERSION]), ("names", odd.collect())]
}

fn snapshot() -> Snapshot {
    let mut folder = node("", NodeKind::Folder(recipe()));
    folder.version = 0;
    let root = Root {
        path: b"/home/ada".to_vec(),
        node: folder,
        carried_from: Some(SnapshotId::from_bytes([3; 32])),
        scanned: time(),
        counts: RootCounts { files: 1, folders: 2, ..RootCounts::default() },
    };
    Snapshot {
        writer: WriterId::from_bytes([1; 16]),
        sequence: 2,
        previous: Some(SnapshotId::from_bytes([3; 32])),
        started: time(),
        finished: time(),
        zone_offset: 3600,
        machine: "machine".into(),
        user: "user".into(),
        roots: vec![root],
        flags: 1,
        tags: vec!["tag".into()],
        packs_written: 1,
        packs_digest: [9; 32],
        version_ceiling: 4,
        extra: Extra::new(),
    }
}

fn histories() -> Vec<(&'static str, Vec<u8>)> {
    let seen = Seen { first: time(), last: time(), machine: "machine".into(), is_deleted_after: true };
    let (tag, bytes) = seen.encode().expect("short");
    let mut version = node("", NodeKind::File(recipe()));
    version.name = version_name(2, 1);
    version.extra.push((tag, bytes.clone()));
    version.set_since(Some(time())).expect("short");
    let places = [Place::Folder(b"folder"), Place::Versions(b"file"), Place::Versions(b"")];
    let mut nodes = version.encode().expect("short");
    for place in places {
        let mut folder = node("", NodeKind::Folder(recipe()));
        folder.name = place.node_name();
        nodes.extend(folder.encode().expect("short"));
    }
    let histories = vec![SnapshotId::from_bytes([3; 32]), SnapshotId::from_bytes([4; 32])];
    let (_, merged) = Merged { histories }.encode().expect("short");
    vec![("seen", bytes), ("merged", merged), ("nodes", nodes)]
}

fn marks() -> Vec<(&'static str, Vec<u8>)> {
    let snapshot = SnapshotId::from_bytes([3; 32]);
    let writer = WriterId::from_bytes([1; 16]);
    let mark = |action| {
        let record = MarkRecord { writer, sequence: 2, made: time(), action, extra: vec![(9, vec![1, 2])] };
        record.encode().expect("short")
    };
    let known = Forgotten { id: snapshot, writer: Some(writer), sequence: 4, previous: Some(snapshot) };
    let unknown = Forgotten { id: snapshot, writer: None, sequence: 0, previous: None };
    vec![
        ("forget", mark(Action::Forget { reason: ForgetReason::Rule, snapshots: vec![known, unknown] })),
        ("unforget", mark(Action::Unforget { snapshots: vec![snapshot, snapshot] })),
        ("tag", mark(Action::Tag { snapshot, add: vec!["new".into()], remove: vec!["old".into(), String::new()] })),
        ("note", mark(Action::Note { snapshot, text: "before the move".into() })),
        ("pin", mark(Action::Pin { snapshot, is_pinned: true })),
        ("accept", mark(Action::Accept { snapshot })),
    ]
}

fn cleaning() -> Vec<(&'static str, Vec<u8>)> {
    let said = |announcement| {
        let writer = WriterId::from_bytes([1; 16]);
        let record = CleaningRecord { writer, number: 2, made: time(), announcement, extra: Extra::new() };
        record.encode().expect("short")
    };
    let packs = vec![PackId::from_bytes([1; 32]), PackId::from_bytes([2; 32])];
    let sessions = vec![ObjectHash::from_bytes([3; 32])];
    vec![("session", said(Announcement::Session)), ("condemned", said(Announcement::Condemned { packs, sessions }))]
}

fn chunks() -> Vec<(&'static str, Vec<u8>)> {
    let said = |min, avg_bits, max, content: Vec<u8>| {
        let said = Said::default().number(min).byte(avg_bits).long(max).byte(1).byte(3).number(100);
        [said.0, content].concat()
    };
    let mixed = (0..3000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    vec![("small", said(64, 8, 1024, mixed)), ("zeros", said(128, 9, 4096, vec![0; 5000]))]
}

fn settings() -> Vec<(&'static str, Vec<u8>)> {
    const FILE: &str = "version: '1.0.1'
encryption:
  algorithm: AES-256-GCM
  key: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
compression: {enabled: true, algorithm: zstd, level: 3}
sources:
  - path: /home/ada
    exclude: ['*.tmp', '~*']
destinations:
  primary: /media/usb
  secondary: /mnt/nas
min_copies: 2
limits: {memory: 96MiB, threads: 2, upload: {primary: 5MiB}}
retention: {keep_days: 30, keep_yearly: 3}
later: [1, {a: b}]
";
    let with = |key: &str, value: &str| format!("{key}\n{value}\n{FILE}").into_bytes();
    vec![
        ("file", FILE.into()),
        ("level", with("compression.level", "off")),
        ("upload", with("limits.upload.primary", "3 MiB")),
        ("destination", with("destinations.usb", "/x")),
        ("key", with("encryption.key", "short")),
        ("anchors", b"a: &a [*a]\nb: !!int \"0x1\"\n? c\n: |\n  d\n".to_vec()),
    ]
}

fn shown() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain", "caf\u{e9} \u{6587}".as_bytes().to_vec()),
        ("colours", "caf\u{e9}\u{1b}[31m\u{202e}\n\u{7f}".as_bytes().to_vec()),
        ("bytes", b"\xff\xc3\x28 \xf0\x9f\x92".to_vec()),
        ("unseen", "a\u{200b}\u{e0041}\u{feff}\u{9b}2J".as_bytes().to_vec()),
    ]
}

fn changes() -> Vec<(&'static str, Vec<u8>)> {
    // The last bytes say how many changes there are; each has an offset, a length and a way.
    let one = |said: Said, at| said.byte(1).long(at).byte(1).byte(3).byte(1).0;
    let part = || Said::default().byte(0).byte(1).byte(0).byte(1).byte(2).byte(3).byte(0).sized(b"content");
    let record = || Said::default().byte(1).byte(1).byte(1).sized(b"a record");
    let pack = || Said::default().byte(2).byte(1).sized(&[5; 300]).byte(0).byte(0).sized(b"a chunk").byte(1);
    vec![
        ("part", part().byte(0).0),
        ("part, one bit", one(part(), 3)),
        ("record", record().byte(0).0),
        ("record, one bit", one(record(), 40)),
        ("pack", pack().byte(0).0),
        ("pack, one bit of the head", one(pack(), 50)),
        ("pack, one bit of a block", one(pack(), 400)),
        ("pack, cut", pack().byte(1).long(60_000).byte(0).byte(0).0),
    ]
}

fn indexes() -> Vec<(&'static str, Vec<u8>)> {
    let change = |flags, line, at, bytes: &[u8]| {
        let said = Said::default().byte(flags).byte(0).long(line).byte(at).byte(bytes.len() as u8);
        [said.0, bytes.to_vec()].concat()
    };
    vec![
        ("whole", change(0, 0, 0, &[])),
        ("read", change(4, 0, 0, &[])),
        ("magic", change(0, 0, 3, &[0])),
        ("head", change(0, 2, 0, &[0xFF; 8])),
        ("a page", change(0, 40, 0, &[0; 64])),
        ("another", change(0, 200, 5, &[0xFF; 3])),
        ("cut", [change(2, 0, 0, &[]), Said::default().long(70_000).0].concat()),
        ("none", vec![1]),
        ("other", [&[1][..], &[b'x'; 100]].concat()),
    ]
}

fn restores() -> Vec<(&'static str, Vec<u8>)> {
    // Name, kind and what belongs to it, choices of metadata, flags.
    let file = |name: u8| [name, 0, 1, 0, 0, 0];
    let link = |name: u8, target: u8| [name, 5, target, 0, 0];
    let pipe = |name: u8| [name, 7, 0, 0];
    // A source at the usual path, whose own node is a folder with these nodes.
    let source = |flags: u8, nodes: &[&[u8]], sorted: u8| {
        let mut said = vec![flags, 0, 0, 0, 3, sorted | nodes.len() as u8];
        nodes.iter().for_each(|node| said.extend_from_slice(node));
        // Metadata and flags of the folder, which stays one; its name is cleared.
        said.extend([0, 0, 1, 1]);
        said
    };
    vec![
        ("files", source(0, &[&file(0), &file(1), &pipe(2)], 0)),
        ("climbing", source(0, &[&file(4), &file(7), &file(11)], 0x80)),
        ("link, then through it", source(2, &[&link(0, 3), &[0, 3, 1, 0, 0, 1, 0, 0, 0, 0, 0]], 0x80)),
        ("absolute link", source(0, &[&link(10, 0x86), &file(10)], 0x80)),
        ("links of one inode", source(4, &[&[0, 0, 1, 0, 1, 1, 0], &[1, 0, 1, 0, 1, 1, 0]], 0)),
        ("overwritten", source(16 + 32 + 12, &[&file(0), &file(10)], 0)),
        ("empty", Vec::new()),
    ]
}
