//! Values of the library as the lines of the document: every field, with the bytes that docs/format.md says it has.
//!
//! The bytes come from the document's words (`encode`), not from the library, so a field that moves in one of them
//! shows as a difference.

use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::id::ChunkKind;
use cryptbackup::format::pack::{Compression, Directory, DirectoryLengths, End, Extents, PackHead};
use cryptbackup::format::recipe::{Part, Recipe};
use cryptbackup::format::record::{ConfigRecord, Extra, RingRecord, Time, WriterRecord};
use cryptbackup::format::sealed::RecordHead;
use cryptbackup::format::slot::{Slot, SlotKind};
use cryptbackup::format::snapshot::{Root, Snapshot};
use cryptbackup::format::tree::{Flags, Metadata, Node, NodeKind};

use crate::encode::varint;
use crate::lines::Lines;

pub fn header(header: &RepoHeader) -> Lines {
    let mut out = Lines::default();
    out.magic(b"CBK1REPO");
    out.fixed("version", header.version.into(), 2);
    out.reserved(6);
    out.raw("repo", header.repo.as_bytes());
    out.fixed("required", header.features.required, 8);
    out.fixed("write", header.features.write, 8);
    out.fixed("optional", header.features.optional, 8);
    out.reserved(4);
    out.crc();
    out
}

pub fn mark(mark: &DestinationMark) -> Lines {
    let mut out = Lines::default();
    out.magic(b"CBK1DEST");
    out.fixed("version", 1, 2);
    out.reserved(6);
    out.raw("repo", mark.repo.as_bytes());
    out.raw("destination", mark.destination.as_bytes());
    out.reserved(12);
    out.crc();
    out
}

pub fn slot(slot: &Slot) -> Lines {
    let (code, kind) = match slot.kind {
        SlotKind::Inline => (1, "inline"),
        SlotKind::Passphrase => (2, "passphrase"),
        SlotKind::Recovery => (3, "recovery"),
        SlotKind::KeyFile => (4, "key file"),
    };
    let mut out = Lines::default();
    out.magic(b"CBK1SLOT");
    out.fixed("version", 1, 2);
    out.line(&[code], format!("kind = {code} ({kind})"));
    out.reserved(1);
    out.fixed("memory", slot.cost.memory_kib.into(), 4);
    out.fixed("passes", slot.cost.passes.into(), 4);
    out.fixed("lanes", slot.cost.lanes.into(), 4);
    out.raw("repo", slot.repo.as_bytes());
    out.raw("salt", &slot.salt);
    out.raw("commitment", &slot.commitment);
    out.raw("wrapped", &slot.wrapped);
    out.crc();
    out
}

pub fn record_head(head: &RecordHead) -> Lines {
    let mut out = Lines::default();
    out.magic(b"CBK1RECD");
    out.fixed("object", head.object.into(), 1);
    out.reserved(1);
    out.fixed("version", 1, 2);
    out.fixed("epoch", head.epoch.into(), 4);
    out.raw("salt", &head.salt);
    out.raw("commitment", &head.commitment);
    out
}

pub fn pack_end(end: End, head: &PackHead) -> Lines {
    let mut out = Lines::default();
    out.magic(if end == End::Head { b"CBK1PACK" } else { b"CBK1FOOT" });
    out.fixed("version", 1, 2);
    out.reserved(2);
    out.fixed("epoch", head.epoch.into(), 4);
    out.raw("salt", &head.salt);
    out.raw("commitment", &head.commitment);
    out.raw("sealed_extents", &head.sealed_extents);
    out.crc();
    out
}

pub fn extents(extents: &Extents) -> Lines {
    let mut out = Lines::default();
    out.fixed("kind", if extents.kind == ChunkKind::Data { 1 } else { 2 }, 1);
    out.reserved(3);
    out.fixed("blocks", extents.blocks.into(), 4);
    out.fixed("directory_a_len", extents.directory_a_len.into(), 4);
    out.fixed("directory_b_len", extents.directory_b_len.into(), 4);
    out.fixed("blocks_len", extents.blocks_len, 8);
    out.fixed("pack_len", extents.pack_len, 8);
    out
}

pub fn ring(ring: &RingRecord) -> Lines {
    let mut out = record();
    out.uint("number", ring.number);
    out.raw("data_id_key", &ring.data_id_key);
    out.raw("tree_id_key", &ring.tree_id_key);
    out.raw("chunker_key", &ring.chunker_key);
    out.count("epochs", ring.epochs.len());
    for (epoch, key) in &ring.epochs {
        out.uint("epoch", *epoch);
        out.raw("its key", key);
    }
    extra(&mut out, &ring.extra);
    out
}

pub fn config(config: &ConfigRecord) -> Lines {
    let mut out = record();
    out.uint("number", config.number);
    out.raw("header.repo", config.header.repo.as_bytes());
    out.uint("header.version", config.header.version);
    out.uint("header.features.required", config.header.features.required);
    out.uint("header.features.write", config.header.features.write);
    out.uint("header.features.optional", config.header.features.optional);
    out.uint("chunker.min_bytes", config.chunker.min_bytes);
    out.uint("chunker.avg_bytes", config.chunker.avg_bytes);
    out.uint("chunker.max_bytes", config.chunker.max_bytes);
    out.line(&[config.chunker.normalization], format!("chunker.normalization = {}", config.chunker.normalization));
    out.uint("block_bytes", config.block_bytes);
    out.uint("pack_bytes", config.pack_bytes);
    extra(&mut out, &config.extra);
    out
}

pub fn writer(writer: &WriterRecord) -> Lines {
    let mut out = record();
    out.raw("writer", writer.writer.as_bytes());
    time(&mut out, "created", writer.created);
    out.string("machine", writer.machine.as_bytes());
    out.string("user", writer.user.as_bytes());
    optional_id(&mut out, "parent", writer.parent.as_ref().map(|id| id.as_bytes().as_slice()));
    extra(&mut out, &writer.extra);
    out
}

pub fn directory(directory: &Directory) -> Lines {
    let mut out = record();
    chunk_kind(&mut out, directory.kind);
    out.count("blocks", directory.blocks.len());
    for block in &directory.blocks {
        out.uint("sealed_len", block.sealed_len);
        out.uint("raw_len", block.raw_len);
        compression(&mut out, block.compression);
        out.count("chunks", block.chunks.len());
        for chunk in &block.chunks {
            out.raw("id", chunk.id.as_bytes());
            out.uint("len", chunk.len);
        }
    }
    extra(&mut out, &directory.extra);
    out
}

pub fn directory_lengths(directory: &DirectoryLengths) -> Lines {
    let mut out = record();
    chunk_kind(&mut out, directory.kind);
    out.count("blocks", directory.blocks.len());
    for block in &directory.blocks {
        out.uint("sealed_len", block.sealed_len);
        out.uint("raw_len", block.raw_len);
        compression(&mut out, block.compression);
        out.count("chunk_lens", block.chunk_lens.len());
        for len in &block.chunk_lens {
            out.uint("len", *len);
        }
    }
    extra(&mut out, &directory.extra);
    out
}

/// A recipe that is not the whole of a record.
pub fn recipe(recipe: &Recipe) -> Lines {
    let mut out = Lines::default();
    recipe_fields(&mut out, recipe);
    out
}

/// A node, with the byte of its version, without its length.
pub fn node(node: &Node) -> Lines {
    let mut out = record();
    node_fields(&mut out, node);
    out
}

/// The stream of a tree.
pub fn tree(nodes: &[Node]) -> Lines {
    let mut out = Lines::default();
    out.line(&[1], "version of the tree = 1");
    for entry in nodes {
        let entry = node(entry);
        let len = entry.bytes().len();
        out.line(&varint(len as u64), format!("length of the node = {len}"));
        out.0.extend(entry.0);
    }
    out
}

pub fn snapshot(snapshot: &Snapshot) -> Lines {
    let mut out = record();
    out.raw("writer", snapshot.writer.as_bytes());
    out.uint("sequence", snapshot.sequence);
    optional_id(&mut out, "previous", snapshot.previous.as_ref().map(|id| id.as_bytes().as_slice()));
    time(&mut out, "started", snapshot.started);
    time(&mut out, "finished", snapshot.finished);
    out.int("zone_offset", snapshot.zone_offset);
    out.string("machine", snapshot.machine.as_bytes());
    out.string("user", snapshot.user.as_bytes());
    out.count("roots", snapshot.roots.len());
    for root in &snapshot.roots {
        root_fields(&mut out, root);
    }
    out.uint("flags", snapshot.flags);
    out.count("tags", snapshot.tags.len());
    for tag in &snapshot.tags {
        out.string("tag", tag.as_bytes());
    }
    out.uint("packs_written", snapshot.packs_written);
    out.raw("packs_digest", &snapshot.packs_digest);
    out.uint("version_ceiling", snapshot.version_ceiling);
    extra(&mut out, &snapshot.extra);
    out
}

pub fn record() -> Lines {
    let mut out = Lines::default();
    out.variant("version of the record", 0, "V1");
    out
}

pub fn extra(out: &mut Lines, extra: &Extra) {
    out.count("extra", extra.len());
    for (tag, bytes) in extra {
        out.uint("tag", *tag);
        out.string("bytes", bytes);
    }
}

pub fn time(out: &mut Lines, field: &str, time: Time) {
    out.int(&format!("{field}.seconds"), time.seconds);
    out.uint(&format!("{field}.nanos"), time.nanos);
}

pub fn optional_id(out: &mut Lines, field: &str, id: Option<&[u8]>) {
    out.option(field, id.is_some());
    if let Some(id) = id {
        out.raw(&format!("{field}, the id"), id);
    }
}

fn optional_text(out: &mut Lines, field: &str, text: Option<&str>) {
    out.option(field, text.is_some());
    if let Some(text) = text {
        out.string(&format!("{field}, the text"), text.as_bytes());
    }
}

fn chunk_kind(out: &mut Lines, kind: ChunkKind) {
    match kind {
        ChunkKind::Data => out.variant("kind", 0, "Data"),
        ChunkKind::Tree => out.variant("kind", 1, "Tree"),
    }
}

fn compression(out: &mut Lines, compression: Compression) {
    match compression {
        Compression::None => out.variant("compression", 0, "None"),
        Compression::Zstd => out.variant("compression", 1, "Zstd"),
    }
}

fn recipe_fields(out: &mut Lines, recipe: &Recipe) {
    out.line(&[recipe.depth], format!("depth = {}", recipe.depth));
    out.uint("size", recipe.size);
    out.count("parts", recipe.parts.len());
    for part in &recipe.parts {
        match part {
            Part::Chunk { id, len } => {
                out.variant("part", 0, "Chunk");
                out.raw("id", id.as_bytes());
                out.uint("len", *len);
            }
            Part::Hole { len } => {
                out.variant("part", 1, "Hole");
                out.uint("len", *len);
            }
        }
    }
}

fn node_fields(out: &mut Lines, node: &Node) {
    out.string("name", &node.name);
    match &node.kind {
        NodeKind::File(recipe) => {
            out.variant("kind", 0, "File");
            recipe_fields(out, recipe);
        }
        NodeKind::Folder(recipe) => {
            out.variant("kind", 1, "Folder");
            recipe_fields(out, recipe);
        }
        NodeKind::Symlink(target) => {
            out.variant("kind", 2, "Symlink");
            out.string("target", target);
        }
        NodeKind::Fifo => out.variant("kind", 3, "Fifo"),
        NodeKind::Socket => out.variant("kind", 4, "Socket"),
        NodeKind::CharDevice(major, minor) | NodeKind::BlockDevice(major, minor) => {
            let is_char = matches!(node.kind, NodeKind::CharDevice(..));
            out.variant("kind", if is_char { 5 } else { 6 }, if is_char { "CharDevice" } else { "BlockDevice" });
            out.uint("major", *major);
            out.uint("minor", *minor);
        }
    }
    metadata(out, &node.metadata);
    out.uint("version", node.version);
    let flags = [(Flags::CARRIED, 1), (Flags::UNREAD, 2), (Flags::UNSETTLED, 4)];
    let flags: u8 = flags.iter().filter(|(flag, _)| node.flags.contains(*flag)).map(|(_, bit)| bit).sum();
    out.line(&[flags], format!("flags = {flags}"));
    extra(out, &node.extra);
}

fn metadata(out: &mut Lines, metadata: &Metadata) {
    out.line(&varint(metadata.mode.into()), format!("mode = {} (octal {0:o})", metadata.mode));
    out.uint("uid", metadata.uid);
    out.uint("gid", metadata.gid);
    optional_text(out, "user", metadata.user.as_deref());
    optional_text(out, "group", metadata.group.as_deref());
    time(out, "mtime", metadata.mtime);
    time(out, "ctime", metadata.ctime);
    out.uint("inode", metadata.inode);
    out.uint("links", metadata.links);
    out.uint("device", metadata.device);
    out.count("attributes", metadata.attributes.len());
    for attribute in &metadata.attributes {
        out.string("attribute name", &attribute.name);
        out.string("attribute value", &attribute.value);
    }
}

fn root_fields(out: &mut Lines, root: &Root) {
    out.string("path", &root.path);
    node_fields(out, &root.node);
    optional_id(out, "carried_from", root.carried_from.as_ref().map(|id| id.as_bytes().as_slice()));
    time(out, "scanned", root.scanned);
    out.uint("files", root.counts.files);
    out.uint("folders", root.counts.folders);
    out.uint("others", root.counts.others);
    out.uint("bytes", root.counts.bytes);
    out.uint("excluded", root.counts.excluded);
    out.uint("problems", root.counts.problems);
}
