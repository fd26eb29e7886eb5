//! A machine that backed up more than there is: its state, and its destination.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptbackup::chunk::Chunker;
use cryptbackup::format::id::{PackId, RepoId, SnapshotId};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::{ChunkerParameters, Extra, Time};
use cryptbackup::format::sealed::ObjectType;
use cryptbackup::format::slot::Slot;
use cryptbackup::format::snapshot::{Root, RootCounts, Snapshot, packs_digest};
use cryptbackup::format::tree::NodeKind;
use cryptbackup::index::{DestinationBits, Index, SnapshotRow};
use cryptbackup::repo::settings::{Settings, SourceSettings};
use cryptbackup::repo::{self, Access, Home, InitRequest, Repo, Writer};
use cryptbackup::report::Silent;
use cryptbackup::seal::{Keys, slots};
use cryptbackup::snapshot::{TreeBuilder, path_hash};

use crate::content::{self, CHUNK_LEN, Content, SOURCE};
use crate::stock::Stock;

/// The program that is measured.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_cryptbackup");
/// The budget of the program, of which the index has its share.
const MEMORY: u64 = 96 << 20;
const DAY: i64 = 86_400;

/// Where everything of one size lies.
pub struct Place {
    pub folder: PathBuf,
    pub content: Content,
}

impl Place {
    pub fn home(&self) -> Home {
        Home::at(self.folder.join("home"))
    }

    pub fn destination(&self) -> PathBuf {
        self.folder.join("destination")
    }

    /// A real source of one file.
    pub fn small(&self) -> PathBuf {
        self.folder.join("small")
    }

    /// Where the id of the first snapshot is kept.
    pub fn first_snapshot(&self) -> PathBuf {
        self.folder.join("first-snapshot")
    }

    /// The program with what it has to do.
    pub fn command(&self, before: &[String], words: &[&str]) -> Command {
        let mut all = before.iter().map(String::as_str).chain([PROGRAM]).chain(words.iter().copied());
        let mut command = Command::new(all.next().unwrap_or(PROGRAM));
        command.args(all);
        command.env("HOME", &self.folder).env("CRYPTBACKUP_HOME", self.folder.join("home"));
        command
    }

    /// Sets the machine up and stores everything. Sources besides the made-up one are only written to the settings.
    pub fn make(&self, sources: &[&Path]) {
        repo::init(&self.home(), InitRequest::default()).expect("a new repository");
        fs::create_dir_all(self.small()).expect("a folder");
        fs::write(self.small().join("one.txt"), "one\n").expect("a file");
        Settings::edit(&self.home().settings_path(), |settings| {
            let small = self.small();
            for path in [Path::new(SOURCE), small.as_path()].iter().chain(sources) {
                settings.put_source(SourceSettings::new(path));
            }
            Ok(())
        })
        .expect("the settings");
        let mut repo = Repo::open(&self.home(), Access::Write, None, &Silent).expect("the repository");
        repo.add_destination("disk", &self.destination(), &Silent).expect("a destination");
        let bit = repo.destinations()[0].bit;
        drop(repo);
        let keys = self.keys();
        let index = self.index(&keys);
        let mut filling = Filling::new(self.content, &keys, Stock::new(&keys, &index, bit, &self.destination()));
        let (first, second) = (filling.everything(), filling.without_gone());
        let packs = filling.stock.finish();
        self.commit(&keys, &index, bit, [first, second], packs);
    }

    /// The keys of its repository.
    pub fn keys(&self) -> Keys {
        let secret = self.home().settings().expect("settings").encryption.key.expect("a key in the settings");
        let secret = slots::Secret::from_base64(&secret).expect("a key");
        let (mut slot, mut ring) = (None, None);
        for entry in fs::read_dir(self.destination().join("keys")).expect("listed") {
            let entry = entry.expect("listed");
            let stored = fs::read(entry.path()).expect("readable");
            match entry.file_name().to_string_lossy().starts_with("ring-") {
                true => ring = Some(stored),
                false => slot = Some(Slot::decode(&stored).expect("a slot")),
            }
        }
        let (slot, ring) = (slot.expect("a slot"), ring.expect("a ring"));
        let root = slots::open(&slot, self.repo(), &secret).expect("the root key");
        Keys::open_ring(self.repo(), root, &ring).expect("the keys")
    }

    fn repo(&self) -> RepoId {
        let header = fs::read(self.destination().join(ObjectName::Header.path())).expect("a header");
        cryptbackup::format::header::RepoHeader::decode(&header).expect("a header").repo
    }

    fn index(&self, keys: &Keys) -> Index {
        Index::open(&self.home().index_path(), keys.repo(), MEMORY).expect("the index")
    }

    /// The index, for lookups.
    pub fn index_to_read(&self, keys: &Keys) -> Index {
        Index::open_read_only(&self.home().index_path(), keys.repo(), MEMORY).expect("the index")
    }

    /// Puts the snapshots where a backup would, and remembers that it did.
    fn commit(&self, keys: &Keys, index: &Index, bit: DestinationBits, roots: [Recipe; 2], mut packs: Vec<PackId>) {
        let path = self.home().path().join("state/writer.json");
        let mut writer: Writer = serde_json::from_slice(&fs::read(&path).expect("a writer")).expect("a writer");
        writer.version_ceiling = 1;
        let now = jiff::Timestamp::now().as_second();
        for (number, recipe) in (0..).zip(roots) {
            let time = Time { seconds: now - (3 - number) * DAY, nanos: 0 };
            writer.sequence += 1;
            let snapshot = self.snapshot(&writer, time, recipe, &mut packs);
            let record = snapshot.encode().expect("a small record");
            let stored = keys.seal_record(ObjectType::Snapshot, &record).expect("sealed");
            let id = SnapshotId::of(&stored);
            fs::write(self.destination().join(ObjectName::Snapshot(id).path()), &stored).expect("written");
            let row = SnapshotRow { committed: bit, whole: bit, seen: bit, is_counted: true, record, stored };
            let mut changes = index.writer().expect("a writer");
            changes.put_snapshot(&id, &row).expect("put");
            changes.commit().expect("committed");
            if number == 0 {
                fs::write(self.first_snapshot(), id.to_string()).expect("written");
            }
            writer.last_snapshot = Some(id);
        }
        fs::write(path, serde_json::to_vec_pretty(&writer).expect("small")).expect("written");
    }

    fn snapshot(&self, writer: &Writer, time: Time, recipe: Recipe, packs: &mut Vec<PackId>) -> Snapshot {
        let files = self.content.files();
        let folders = self.content.folders();
        let counts =
            RootCounts { files, folders, bytes: self.content.chunks * CHUNK_LEN as u64, ..RootCounts::default() };
        let node = content::node("", NodeKind::Folder(recipe), 0);
        Snapshot {
            writer: writer.id,
            sequence: writer.sequence,
            previous: writer.last_snapshot,
            started: time,
            finished: time,
            zone_offset: 0,
            machine: sysinfo::System::host_name().unwrap_or_default(),
            user: "somebody".to_owned(),
            roots: vec![Root { path: SOURCE.into(), node, carried_from: None, scanned: time, counts }],
            flags: 0,
            tags: Vec::new(),
            packs_written: packs.len() as u32,
            packs_digest: packs_digest(packs),
            version_ceiling: 1,
            extra: Extra::new(),
        }
    }
}

/// Stores the source, folder by folder.
struct Filling<'a> {
    content: Content,
    chunker: Chunker,
    stock: Stock<'a>,
    /// The folders of folders, with their names.
    uppers: Vec<(String, Recipe)>,
}

impl<'a> Filling<'a> {
    fn new(content: Content, keys: &Keys, stock: Stock<'a>) -> Self {
        let chunker = Chunker::new(&ChunkerParameters::DEFAULT, keys.chunker_key());
        Self { content, chunker, stock, uppers: Vec::new() }
    }

    /// Everything that ever was.
    fn everything(&mut self) -> Recipe {
        let mut below: Vec<(String, Recipe)> = Vec::new();
        let mut upper = String::new();
        for folder in 0..self.content.folders() {
            let (path, name) = self.content.folder_path(folder);
            if path != upper && !below.is_empty() {
                self.close_upper(std::mem::replace(&mut upper, path.clone()), std::mem::take(&mut below));
            }
            upper = path;
            let recipe = self.files(folder);
            below.push((name, recipe));
        }
        self.close_upper(upper, below);
        let uppers = self.uppers.clone();
        self.folders(&uppers)
    }

    /// What is left of it.
    fn without_gone(&mut self) -> Recipe {
        for folder in self.content.first_gone()..self.content.folders() {
            for file in self.content.files_in(folder) {
                let path = self.content.file_path(file);
                self.stock.retire(path_hash(SOURCE.as_bytes(), path.as_bytes()), 1);
            }
        }
        let left: Vec<_> = self.uppers.iter().filter(|(name, _)| name.starts_with('a')).cloned().collect();
        self.folders(&left)
    }

    fn close_upper(&mut self, name: String, below: Vec<(String, Recipe)>) {
        let recipe = self.folders(&below);
        self.uppers.push((name, recipe));
    }

    fn files(&mut self, folder: u64) -> Recipe {
        let mut tree = TreeBuilder::default();
        for file in self.content.files_in(folder) {
            let chunks = content::chunks_of(file);
            let parts = chunks.map(|number| {
                let id = self.stock.put(&content::chunk(number));
                Part::Chunk { id, len: CHUNK_LEN as u32 }
            });
            let parts: Vec<Part> = parts.collect();
            let recipe = Recipe { depth: 0, size: (parts.len() * CHUNK_LEN) as u64, parts };
            let node = content::node(&content::file_name(file), NodeKind::File(recipe), file);
            tree.push(&node, &self.chunker, &mut self.stock).expect("stored");
        }
        tree.finish(&self.chunker, &mut self.stock).expect("stored")
    }

    fn folders(&mut self, below: &[(String, Recipe)]) -> Recipe {
        let mut tree = TreeBuilder::default();
        for (number, (name, recipe)) in (0..).zip(below) {
            let node = content::node(name, NodeKind::Folder(recipe.clone()), number);
            tree.push(&node, &self.chunker, &mut self.stock).expect("stored");
        }
        tree.finish(&self.chunker, &mut self.stock).expect("stored")
    }
}
