//! Snapshots that nobody honest would write, restored: nothing beside the target changes.
//!
//! The input says what is in a tree, not what its bytes are: ids of chunks cannot be thought up. Trees and snapshots are
//! put into the index, which keeps copies of both, so that nothing has to be sealed and written for an input.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cryptbackup::format::id::{ChunkId, ChunkKind, SnapshotId, WriterId};
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::{Extra, Time};
use cryptbackup::format::snapshot::{Root, RootCounts, Snapshot, packs_digest};
use cryptbackup::format::tree::{Attribute, Flags, Metadata, Node, NodeKind, TREE_VERSION};
use cryptbackup::index::{Index, SnapshotRow};
use cryptbackup::paths;
use cryptbackup::repo::{Access, Repo};
use cryptbackup::report::Silent;
use cryptbackup::restore::{self, Overwrite, RestoreRequest, What};

use crate::pieces::Pieces;
use crate::world::World;

/// What a chunk of the repository holds.
const CONTENT: &[u8] = b"good content";
/// Folders in each other.
const DEPTH: usize = 6;
/// With more claimed bytes, what was restored is not read again: a file may say that it is a hole of 8 EiB.
const READ_AGAIN: u64 = 1 << 20;
/// Inputs before the world is made anew, since its index only grows.
const INPUTS: usize = 5000;

thread_local! {
    static ZONE: RefCell<Option<Zone>> = const { RefCell::new(None) };
}

/// A repository, a place to restore to, and what must not change beside it.
struct Zone {
    /// Both before the world, whose folder they are in.
    repo: Repo,
    index: Index,
    world: World,
    before: Vec<Look>,
    last: Option<SnapshotId>,
    inputs: usize,
}

/// Everything a change of a file or folder would change.
type Look = (PathBuf, u64, u32, u64, i64, i64, Vec<u8>);

impl Zone {
    fn new() -> Self {
        let world = World::new(&[("file", CONTENT)]);
        let outside = world.path("zone/outside");
        fs::create_dir_all(outside.join("folder")).expect("a folder");
        for name in ["precious", "folder/inside"] {
            fs::write(outside.join(name), "precious").expect("written");
        }
        let repo = Repo::open(&world.home, Access::Read, None, &Silent).expect("the repository");
        let index = Index::open(&world.home.index_path(), world.repo(), 32 << 20).expect("the index");
        let before = looks(&outside);
        Self { repo, index, world, before, last: None, inputs: 0 }
    }

    fn target(&self) -> PathBuf {
        self.world.path("zone/target")
    }

    /// Puts a snapshot with its trees into the index, and takes the last one out.
    fn publish(&mut self, snapshot: &Snapshot, trees: &[(ChunkId, Vec<u8>)]) -> Option<SnapshotId> {
        let record = snapshot.encode().ok()?;
        let id = SnapshotId::of(&record);
        let row =
            SnapshotRow { committed: 1, whole: 1, seen: 1, is_counted: true, record: record.clone(), stored: record };
        let mut writer = self.index.writer().expect("a writer");
        if let Some(last) = self.last.replace(id) {
            writer.remove_snapshot(&last).expect("removed");
        }
        writer.put_snapshot(&id, &row).expect("put");
        writer.put_trees(trees.iter().map(|(id, bytes)| (id, bytes.as_slice()))).expect("put");
        writer.commit().expect("committed");
        Some(id)
    }

    fn assert_untouched(&self) {
        let after = looks(&self.world.path("zone/outside"));
        assert_eq!(after, self.before, "something outside the target was changed");
        for (folder, known) in [("zone", &["outside", "target"][..]), ("", &["home", "primary", "source", "zone"])] {
            for entry in fs::read_dir(self.world.path(folder)).expect("listed") {
                let name = entry.expect("listed").file_name();
                assert!(known.iter().any(|known| name == *known), "{name:?} was made beside the target");
            }
        }
    }
}

fn looks(path: &Path) -> Vec<Look> {
    let found = fs::symlink_metadata(path).expect("a look");
    let content = if found.is_file() { fs::read(path).expect("readable") } else { Vec::new() };
    let look = (path.to_owned(), found.ino(), found.mode(), found.nlink(), found.ctime(), found.ctime_nsec(), content);
    let mut all = vec![look];
    if found.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path).expect("listed").map(|entry| entry.expect("listed").path()).collect();
        entries.sort();
        all.extend(entries.iter().flat_map(|path| looks(path)));
    }
    all
}

/// One input.
pub fn restore(data: &[u8]) {
    ZONE.with_borrow_mut(|zone| {
        if zone.as_ref().is_some_and(|zone| zone.inputs >= INPUTS) {
            *zone = None;
        }
        let zone = zone.get_or_insert_with(Zone::new);
        zone.inputs += 1;
        restore_in(zone, data);
    });
}

fn restore_in(zone: &mut Zone, data: &[u8]) {
    let mut pieces = Pieces::new(data);
    let flags = pieces.byte();
    let mut forge =
        Forge { world: &zone.world, outside: zone.world.path("zone/outside"), pieces, trees: Vec::new(), inodes: 0 };
    let roots: Vec<Root> = (0..1 + forge.pieces.byte() % 2).map(|number| forge.root(number)).collect();
    let trees = forge.trees;
    let first_root = paths::from_bytes(&roots[0].path);
    let Some(id) = zone.publish(&snapshot(roots), &trees) else { return };
    let what = if flags & 1 == 0 { What::Snapshot(id.to_string()) } else { What::Directory(first_root) };
    let target = zone.target();
    let mut request = RestoreRequest { destination: Some(target.clone()), ..RestoreRequest::new(what) };
    if flags & 2 != 0 {
        // A target that is there, and has links in it that lead outside.
        fs::create_dir(&target).expect("a folder");
        for name in ["a", "folder"] {
            std::os::unix::fs::symlink(zone.world.path("zone/outside"), target.join(name)).expect("a link");
        }
    }
    for _ in 0..2 {
        let Ok(plan) = restore::plan(&zone.repo, request.clone(), &Silent) else { break };
        let is_small = plan.bytes <= READ_AGAIN;
        if restore::execute(&zone.repo, plan, &Silent).is_err() || !is_small {
            break;
        }
        // The second time over what the first one left.
        request.overwrite = [Overwrite::Always, Overwrite::IfChanged, Overwrite::IfNewer, Overwrite::Never]
            [usize::from(flags >> 2 & 3)];
        request.delete = flags & 16 != 0;
        request.verify = flags & 32 != 0;
    }
    zone.assert_untouched();
    remove(&target);
}

/// Removes whatever is there, though the owner may have lost the right to.
fn remove(path: &Path) {
    let Ok(found) = fs::symlink_metadata(path) else { return };
    if !found.is_dir() {
        fs::remove_file(path).expect("removed");
        return;
    }
    if fs::remove_dir_all(path).is_ok() {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("a mode");
    for entry in fs::read_dir(path).expect("listed") {
        remove(&entry.expect("listed").path());
    }
    fs::remove_dir(path).expect("removed");
}

fn snapshot(roots: Vec<Root>) -> Snapshot {
    let time = Time { seconds: 1_800_000_000, nanos: 0 };
    Snapshot {
        writer: WriterId::from_bytes([0x66; 16]),
        sequence: 1,
        previous: None,
        started: time,
        finished: time,
        zone_offset: 0,
        machine: "hostile".into(),
        user: "mallory".into(),
        roots,
        flags: 0,
        tags: Vec::new(),
        packs_written: 0,
        packs_digest: packs_digest(&mut Vec::new()),
        version_ceiling: 1,
        extra: Extra::new(),
    }
}

/// Makes trees out of an input.
struct Forge<'a> {
    world: &'a World,
    outside: PathBuf,
    pieces: Pieces<'a>,
    trees: Vec<(ChunkId, Vec<u8>)>,
    inodes: u64,
}

const NAMES: [&[u8]; 12] =
    [b"a", b"b", b"c", b"d", b"..", b".", b"", b"a/b", b"/", b"..\0", b"folder", b"../outside/precious"];
const TARGETS: [&[u8]; 6] = [b"..", b".", b"a", b"../outside", b"../../outside/folder", b""];

impl Forge<'_> {
    fn root(&mut self, number: u8) -> Root {
        let path = match self.pieces.byte() % 4 {
            0 => b"/source".to_vec(),
            1 => b"/source/a".to_vec(),
            2 => [b"/", self.pieces.sized()].concat(),
            _ => self.pieces.sized().to_vec(),
        };
        let path = if number == 0 { path } else { [&path[..], b"2"].concat() };
        let mut node = self.node(DEPTH);
        if !matches!(node.kind, NodeKind::Folder(_)) || self.pieces.byte() & 1 == 0 {
            node.kind = NodeKind::Folder(self.folder(DEPTH));
        }
        if self.pieces.byte() & 7 != 0 {
            node.name.clear();
        }
        let scanned = Time { seconds: 1_800_000_000, nanos: 0 };
        Root { path, node, carried_from: None, scanned, counts: RootCounts::default() }
    }

    fn name(&mut self) -> Vec<u8> {
        let choice = usize::from(self.pieces.byte());
        NAMES.get(choice % 16).map_or_else(|| self.pieces.sized().to_vec(), |name| name.to_vec())
    }

    /// Where a link leads. Absolute ones lead outside of the target and never out of this world.
    fn link_target(&mut self) -> Vec<u8> {
        let choice = usize::from(self.pieces.byte());
        let target = match TARGETS.get(choice % 8) {
            Some(target) => target.to_vec(),
            None => self.pieces.sized().to_vec(),
        };
        let is_absolute = target.first() == Some(&b'/') || choice & 0x80 != 0;
        if is_absolute { [paths::to_bytes(&self.outside), b"/", &target].concat() } else { target }
    }

    fn node(&mut self, depth: usize) -> Node {
        let name = self.name();
        let kind = match self.pieces.byte() % 10 {
            0..=2 => NodeKind::File(self.recipe()),
            3 | 4 if depth > 0 => NodeKind::Folder(self.folder(depth - 1)),
            3 => NodeKind::Folder(Recipe::EMPTY),
            4 => NodeKind::Folder(self.recipe()),
            5 | 6 => NodeKind::Symlink(self.link_target()),
            7 => NodeKind::Fifo,
            8 => NodeKind::Socket,
            _ => NodeKind::CharDevice(self.pieces.byte().into(), self.pieces.long()),
        };
        let metadata = self.metadata(&kind);
        let flags = if self.pieces.byte() & 15 == 15 { Flags::UNREAD } else { Flags::NONE };
        Node { name, kind, metadata, version: 1, flags, extra: Extra::new() }
    }

    fn metadata(&mut self, kind: &NodeKind) -> Metadata {
        let mode = if matches!(kind, NodeKind::Folder(_)) { 0o755 } else { 0o644 };
        let mtime = Time { seconds: 1_700_000_000, nanos: 1 };
        self.inodes += 1;
        let mut metadata = Metadata { mode, mtime, links: 1, inode: self.inodes + 1000, ..Metadata::default() };
        let choices = self.pieces.byte();
        if choices & 1 != 0 {
            (metadata.links, metadata.device, metadata.inode) = (2, 1, u64::from(self.pieces.byte() % 4));
        }
        if choices & 2 != 0 {
            metadata.mode = self.pieces.number().into();
        }
        if choices & 4 != 0 {
            let attribute = Attribute { name: self.pieces.sized().to_vec(), value: self.pieces.sized().to_vec() };
            metadata.attributes.push(attribute);
        }
        if choices & 8 != 0 {
            let seconds = i64::from(self.pieces.long()) << (self.pieces.byte() % 33);
            metadata.mtime = Time { seconds, nanos: self.pieces.long() };
        }
        if choices & 16 != 0 {
            (metadata.uid, metadata.gid) = (self.pieces.long(), self.pieces.long());
        }
        metadata
    }

    fn recipe(&mut self) -> Recipe {
        let choices = self.pieces.byte();
        let mut parts = Vec::new();
        for _ in 0..choices % 4 {
            parts.push(self.part());
        }
        let depth = if choices & 4 == 0 { 0 } else { self.pieces.byte() % 6 };
        let sum = parts.iter().fold(0u64, |sum, part| sum.wrapping_add(part.len()));
        let size = if choices & 8 == 0 { sum } else { u64::from(self.pieces.long()) << (self.pieces.byte() % 33) };
        Recipe { depth, size, parts }
    }

    fn part(&mut self) -> Part {
        let choice = self.pieces.byte();
        match choice % 8 {
            0..=3 => {
                let len = if choice & 0x80 == 0 { CONTENT.len() as u32 } else { self.pieces.long() };
                Part::Chunk { id: self.world.keys.chunk_id(ChunkKind::Data, CONTENT), len }
            }
            4 => Part::Hole { len: u64::from(self.pieces.long()) << (choice >> 3) },
            5 => Part::Chunk { id: ChunkId::from_bytes([0xEE; 32]), len: self.pieces.long() },
            6 => {
                let bytes = self.pieces.sized().to_vec();
                self.tree_chunk(bytes)
            }
            _ => {
                let bytes = self.pieces.sized().to_vec();
                let part = self.tree_chunk(bytes);
                let hole = Part::Hole { len: u64::from(choice >> 3) };
                let list = [part, hole].map(|part| part.encode().expect("encoding does not judge"));
                self.tree_chunk(list[..1 + usize::from(choice >> 7)].concat())
            }
        }
    }

    fn tree_chunk(&mut self, bytes: Vec<u8>) -> Part {
        let id = self.world.keys.chunk_id(ChunkKind::Tree, &bytes);
        let len = bytes.len() as u32;
        self.trees.push((id, bytes));
        Part::Chunk { id, len }
    }

    fn folder(&mut self, depth: usize) -> Recipe {
        let count = self.pieces.byte();
        let mut nodes: Vec<Node> = (0..count % 6).map(|_| self.node(depth)).collect();
        if count & 0x80 == 0 {
            nodes.sort_by(|left, right| left.name.cmp(&right.name));
            nodes.dedup_by(|left, right| left.name == right.name);
        }
        let mut stream = vec![TREE_VERSION];
        stream.extend(nodes.iter().flat_map(|node| node.encode().unwrap_or_default()));
        if count & 0x40 != 0 {
            let at = usize::from(self.pieces.number()) % stream.len();
            stream[at] = self.pieces.byte();
        }
        let size = stream.len() as u64;
        Recipe { depth: 0, size, parts: vec![self.tree_chunk(stream)] }
    }
}
