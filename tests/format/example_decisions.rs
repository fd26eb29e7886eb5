//! What the tiny repository of docs/format.md remembers of a snapshot that is gone: a history, a mark, and what was said
//! on the destination.

use cryptbackup::format::cleaning::{Announcement, CleaningRecord};
use cryptbackup::format::history::{Merged, Place, Seen, version_name};
use cryptbackup::format::id::{ChunkKind, DestinationId, ObjectHash, PackId, SnapshotId, WriterId};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::mark::{Accepted, Action, ForgetReason, Forgotten, MarkRecord};
use cryptbackup::format::pack::Compression;
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::{Extra, RemovedSlots, Time};
use cryptbackup::format::snapshot::{Root, RootCounts, Snapshot, SuspectSource, Suspicion, packs_digest};
use cryptbackup::format::tree::{Flags, Metadata, Node, NodeKind};

use crate::example::{self, DISK_END, GONE, Pack, chunk_id, metadata, node, noon, record_seal, salt};
use crate::lines::Lines;
use crate::{describe, describe_decisions};

/// When the forgotten snapshot was finished.
fn day_before() -> Time {
    noon(-86400)
}

/// When the run began that gave a node its number.
pub fn since() -> Time {
    Time { nanos: 500, ..noon(-86402) }
}

/// What was missing on the destination when somebody accepted it.
pub fn accepted() -> Accepted {
    let (mark, pack) = (ObjectHash::from_bytes([0xCC; 32]), [0xBB; 8]);
    let destination = DestinationId::from_bytes([0x10; 16]);
    Accepted {
        destination,
        snapshots: vec![SnapshotId::from_bytes(GONE)],
        marks: vec![mark],
        packs: vec![pack],
        forks: Vec::new(),
    }
}

/// Two slots that were removed.
pub fn removed() -> RemovedSlots {
    RemovedSlots { slots: vec![ObjectHash::from_bytes([0xAA; 32]), ObjectHash::from_bytes([0xBB; 32])] }
}

/// Why a run looked suspect.
pub fn suspicion() -> Suspicion {
    let path = b"/home/ada/notes".to_vec();
    Suspicion { sources: vec![SuspectSource { path, files: 1000, changed: 950, opaque: 940, gone: 7 }] }
}

pub fn seen() -> Seen {
    Seen { first: day_before(), last: day_before(), machine: "engine".into(), is_deleted_after: false }
}

fn recipe_of(tree: &[u8]) -> Recipe {
    let part = Part::Chunk { id: chunk_id(ChunkKind::Tree, tree), len: tree.len() as u32 };
    Recipe { depth: 0, size: tree.len() as u64, parts: vec![part] }
}

/// A folder of the history's tree.
fn place(place: Place<'_>, version: u32, recipe: Recipe) -> Node {
    let (name, kind) = (place.node_name(), NodeKind::Folder(recipe));
    Node { name, kind, metadata: Metadata::default(), version, flags: Flags::NONE, extra: Extra::new() }
}

/// Version 2 of `jack.txt`: the line `end`.
pub fn versions() -> Vec<Node> {
    let content = Part::Chunk { id: chunk_id(ChunkKind::Data, DISK_END), len: DISK_END.len() as u32 };
    let content = Recipe { depth: 0, size: DISK_END.len() as u64, parts: vec![content] };
    let mut version = node(&version_name(2, 0), NodeKind::File(content), metadata(0o644, 302), 2);
    version.extra = vec![seen().encode().expect("a small record")];
    vec![version]
}

/// A folder that is gone, and in it a file of which only the number is known.
pub fn drafts() -> Vec<Node> {
    vec![place(Place::Versions(b"novel.txt"), 4, Recipe::EMPTY)]
}

pub fn history_tree() -> Vec<Node> {
    let [drafts, versions] = [drafts(), versions()].map(|nodes| describe::tree(&nodes).bytes());
    vec![
        place(Place::Folder(b"drafts"), 0, recipe_of(&drafts)),
        place(Place::Versions(b"jack.txt"), 2, recipe_of(&versions)),
    ]
}

/// The three trees, in the order in which they were stored.
fn streams() -> [Vec<u8>; 3] {
    [drafts(), versions(), history_tree()].map(|nodes| describe::tree(&nodes).bytes())
}

pub fn history_pack() -> Pack {
    let streams = streams();
    let chunks: Vec<&[u8]> = streams.iter().map(Vec::as_slice).collect();
    Pack::new(salt("history-pack"), ChunkKind::Tree, Compression::None, &streams.concat(), &chunks)
}

pub fn history(frame: &[u8]) -> Snapshot {
    let [_, _, tree] = streams();
    let mut node = place(Place::Versions(b""), 0, recipe_of(&tree));
    node.name.clear();
    let mut packs = vec![PackId::of(&history_pack().stored)];
    let root = Root {
        path: b"/home/ada/notes".to_vec(),
        node,
        carried_from: None,
        scanned: noon(60),
        counts: RootCounts::default(),
    };
    Snapshot {
        sequence: 4,
        previous: Some(SnapshotId::of(&snapshot_object(frame))),
        started: noon(60),
        finished: noon(61),
        roots: vec![root],
        flags: Snapshot::HISTORY,
        tags: Vec::new(),
        packs_written: 1,
        packs_digest: packs_digest(&mut packs),
        version_ceiling: 4,
        ..example::snapshot(frame)
    }
}

/// What a later history would say that stands for the one that is shown.
pub fn merged(frame: &[u8]) -> Merged {
    let stored = record_seal("history").record(&describe::snapshot(&history(frame)).bytes());
    Merged { histories: vec![SnapshotId::of(&stored)] }
}

fn snapshot_object(frame: &[u8]) -> Vec<u8> {
    record_seal("snapshot").record(&describe::snapshot(&example::snapshot(frame)).bytes())
}

fn mark(sequence: u64, action: Action) -> MarkRecord {
    let writer = WriterId::from_bytes(example::WRITER);
    MarkRecord { writer, sequence, made: noon(62), action, extra: Extra::new() }
}

/// The snapshot before the one that is shown is forgotten.
pub fn forget() -> MarkRecord {
    let id = SnapshotId::from_bytes(GONE);
    let place = Forgotten { id, writer: Some(WriterId::from_bytes(example::WRITER)), sequence: 2, previous: None };
    mark(1, Action::Forget { reason: ForgetReason::Rule, snapshots: vec![place] })
}

pub fn tag(frame: &[u8]) -> MarkRecord {
    let snapshot = SnapshotId::of(&snapshot_object(frame));
    mark(2, Action::Tag { snapshot, add: vec!["before the move".into()], remove: vec!["diary".into()] })
}

fn said(writer: [u8; 16], number: u64, second: i64, announcement: Announcement) -> CleaningRecord {
    let writer = WriterId::from_bytes(writer);
    CleaningRecord { writer, number, made: noon(second), announcement, extra: Extra::new() }
}

/// Another writer is at work.
pub fn session() -> CleaningRecord {
    said([0xcc; 16], 7, 63, Announcement::Session)
}

/// A pack that only the forgotten snapshot needed is going to be deleted.
pub fn condemned() -> CleaningRecord {
    let session = record_seal("session").record(&describe_decisions::cleaning(&session()).bytes());
    let (packs, sessions) = (vec![PackId::from_bytes([0xbb; 32])], vec![ObjectHash::of(&session)]);
    said(example::WRITER, 1, 64, Announcement::Condemned { packs, sessions })
}

/// The records that are shown sealed, with their names.
pub fn records(frame: &[u8]) -> [(&'static str, Lines); 4] {
    [
        ("history", describe::snapshot(&history(frame))),
        ("forget", describe_decisions::mark(&forget())),
        ("session", describe_decisions::cleaning(&session())),
        ("condemned", describe_decisions::cleaning(&condemned())),
    ]
}

/// The objects, in the order of docs/format.md §3.
pub fn objects(frame: &[u8]) -> Vec<(ObjectName, Vec<u8>)> {
    let pack = history_pack().stored;
    let mut objects = vec![(ObjectName::Pack(PackId::of(&pack)), pack)];
    for (name, record) in records(frame) {
        let stored = record_seal(name).record(&record.bytes());
        let hash = ObjectHash::of(&stored);
        let object = match name {
            "history" => ObjectName::Snapshot(SnapshotId::of(&stored)),
            "forget" => ObjectName::Mark(hash),
            _ => ObjectName::Cleaning(hash),
        };
        objects.push((object, stored));
    }
    objects
}
