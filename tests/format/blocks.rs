//! Every example of docs/format.md, made anew: what the document shows must be exactly this.

use cryptbackup::format::id::ChunkKind;
use cryptbackup::format::pack::{End, PackHead};
use cryptbackup::format::sealed::RecordHead;
use cryptbackup::format::slot::SlotKind;
use data_encoding::BASE64;

use crate::document::{Block, Document};
use crate::encode::{counted, varint, zigzag};
use crate::example::{self, chunk_id};
use crate::lines::{Lines, Values};
use crate::words::{SLOT_CONTEXT, cut, derive, gear, key_and_commitment, nonce};
use crate::{describe, describe_decisions, example_decisions};

/// The block of the data pack as the document shows it. What zstd makes of it may change with its version.
pub fn documented_frame(document: &Document) -> Vec<u8> {
    Lines::parse(document.block("hex", "block-frame")).bytes()
}

struct Blocks(Vec<Block>);

impl Blocks {
    fn hex(&mut self, name: &str, lines: &Lines) {
        self.0.push(Block { kind: "hex".into(), name: name.into(), text: lines.render() });
    }

    fn values(&mut self, name: &str, values: &Values) {
        self.0.push(Block { kind: "values".into(), name: name.into(), text: values.render() });
    }
}

/// All of them, by name.
pub fn all(frame: &[u8]) -> Vec<Block> {
    let mut out = Blocks(Vec::new());
    let objects = example::objects(frame);
    let paths = objects.iter().map(|(name, _)| format!("{name}\n")).collect();
    out.0.push(Block { kind: "paths".into(), name: "example".into(), text: paths });
    wire_and_ids(&mut out);
    slots(&mut out);
    records(&mut out, frame);
    pack(&mut out, frame);
    streams(&mut out);
    out.0
}

fn wire_and_ids(out: &mut Blocks) {
    let mut lines = Lines::default();
    let bytes = nonce(0, 300);
    lines.raw("part = 0", &bytes[..1]);
    lines.reserved(3);
    lines.raw("counter = 300", &bytes[4..]);
    out.hex("nonce", &lines);

    let mut values = Values::default();
    values.bytes("jack.txt, as data", chunk_id(ChunkKind::Data, example::JACK).as_bytes());
    values.bytes("the same bytes, as tree", chunk_id(ChunkKind::Tree, example::JACK).as_bytes());
    values.bytes("end of disk.img, as data", chunk_id(ChunkKind::Data, example::DISK_END).as_bytes());
    out.values("chunks", &values);

    out.hex("header", &describe::header(&example::header()));
    out.hex("mark", &describe::mark(&example::mark()));
}

fn slots(out: &mut Blocks) {
    let mut values = Values::default();
    values.text("encryption.key", BASE64.encode(&example::INLINE));
    values.text("passphrase", example::PASSPHRASE);
    values.text("recovery words", bip39::Mnemonic::from_entropy(&example::RECOVERY).expect("32 bytes").to_string());
    values.bytes("their entropy", &example::RECOVERY);
    values.text("a key file", "any file\\n");
    values.bytes("its secret", &example::slot_secret(SlotKind::KeyFile));
    out.values("secrets", &values);

    for (name, kind) in [("slot-inline", SlotKind::Inline), ("slot-passphrase", SlotKind::Passphrase)] {
        out.hex(name, &describe::slot(&example::slot(kind)));
        let secret = example::slot_secret(kind);
        let (key, commitment) = key_and_commitment(SLOT_CONTEXT, &secret, &example::REPO, &example::salt(name));
        let mut values = Values::default();
        values.bytes("secret", &secret);
        values.bytes("key", &key);
        values.bytes("commitment", &commitment);
        values.bytes("root key", &example::ROOT_KEY);
        out.values(name, &values);
    }

    let mut values = Values::default();
    values.bytes("repo", &example::REPO);
    values.bytes("root key", &example::ROOT_KEY);
    values.bytes("data_id_key", &example::DATA_ID_KEY);
    values.bytes("tree_id_key", &example::TREE_ID_KEY);
    values.bytes("chunker_key", &example::CHUNKER_KEY);
    values.bytes("key of epoch 1", &example::EPOCH_KEY);
    for (name, _) in example::SALTS {
        values.bytes(&format!("salt of {name}"), &example::salt(name));
    }
    out.values("keys", &values);
}

fn records(out: &mut Blocks, frame: &[u8]) {
    let records = [
        ("ring", describe::ring(&example::ring())),
        ("config", describe::config(&example::config())),
        ("writer", describe::writer(&example::writer())),
        ("snapshot", describe::snapshot(&example::snapshot(frame))),
    ];
    for (name, record) in records.into_iter().chain(example_decisions::records(frame)) {
        out.hex(name, &record);
        let seal = example::record_seal(name);
        let stored = seal.record(&record.bytes());
        let (head, ciphertext) = RecordHead::split(&stored).expect("just made");
        let mut lines = describe::record_head(&head);
        lines.shortened("ciphertext and tag", ciphertext, 16, 16);
        out.hex(&format!("sealed-{name}"), &lines);
        let mut values = Values::default();
        values.bytes("key", &seal.key);
        values.bytes("nonce", &nonce(5, 0));
        values.text("length of the object", stored.len().to_string());
        values.bytes("BLAKE3 of the object", blake3::hash(&stored).as_bytes());
        out.values(&format!("sealed-{name}"), &values);
    }
    out.hex("tag", &describe_decisions::mark(&example_decisions::tag(frame)));
    out.hex("merged", &describe_decisions::merged(&example_decisions::merged(frame)));

    let seal = example::record_seal("config");
    let mut lines = Lines::default();
    lines.magic(b"CBK1");
    lines.raw("repo", &seal.repo);
    lines.fixed("object", seal.object.into(), 1);
    lines.fixed("version", 1, 2);
    lines.fixed("epoch", seal.epoch.into(), 4);
    lines.raw("salt", &seal.salt);
    lines.fixed("part", 5, 1);
    lines.fixed("counter", 0, 8);
    out.hex("aad-config", &lines);

    let mut lines = Lines::default();
    for (value, type_) in [(300, "u16"), (16384, "u32"), (u64::MAX, "u64")] {
        lines.line(&varint(value), format!("{type_} = {value}"));
    }
    for value in [0, -1, 1, -300] {
        lines.line(&zigzag(value), format!("i64 = {value}"));
    }
    lines.line(&counted(b"ada"), "text = \"ada\"");
    lines.line(&[0], "optional u32 = absent");
    lines.line(&[1, 5], "optional u32 = 5");
    lines.line(&[2, 1, 0xac, 0x02], "list of u64 = 1, 300");
    lines.line(&[1], "bool = true");
    out.hex("numbers", &lines);
}

fn pack(out: &mut Blocks, frame: &[u8]) {
    let pack = example::pack(frame);
    let mut lines = Lines::default();
    lines.raw("block, compressed", frame);
    out.hex("block-frame", &lines);
    let mut lines = Lines::default();
    lines.raw("block, sealed: part 0, counter 0", &pack.block);
    out.hex("block-sealed", &lines);
    out.hex("extents", &describe::extents(&pack.extents));
    out.hex("directory-a", &describe::directory(&pack.directory));
    out.hex("directory-b", &describe::directory_lengths(&pack.directory.lengths()));
    for (name, end, bytes) in [
        ("pack-head", End::Head, &pack.stored[..132]),
        ("pack-foot", End::Foot, &pack.stored[pack.stored.len() - 132..]),
    ] {
        out.hex(name, &describe::pack_end(end, &PackHead::decode(end, bytes).expect("just made")));
    }
    for (name, field, bytes) in [
        ("pack-directory-a", "directory A, sealed", &pack.directory_a),
        ("pack-directory-b", "directory B, sealed", &pack.directory_b),
    ] {
        let mut lines = Lines::default();
        lines.raw(field, bytes);
        out.hex(name, &lines);
    }
    let mut lines = Lines::default();
    lines.shortened("padding", &pack.padding, 16, 0);
    out.hex("pack-padding", &lines);
    for (name, pack) in
        [("pack", &pack), ("tree-pack", &example::tree_pack()), ("history-pack", &example_decisions::history_pack())]
    {
        let mut values = Values::default();
        values.bytes("key", &pack.seal.key);
        values.text("length of the pack", pack.stored.len().to_string());
        values.bytes("BLAKE3 of the pack", blake3::hash(&pack.stored).as_bytes());
        out.values(name, &values);
    }
}

fn streams(out: &mut Blocks) {
    out.hex("recipe", &describe::recipe(&example::disk_recipe()));
    out.hex("recipe-long", &describe::recipe(&example::long_recipe()));
    out.hex("node", &describe::node(&example::link_node()));
    out.hex("tree", &describe::tree(&example::nodes()));
    out.hex("since", &describe_decisions::since(&example_decisions::since()));
    out.hex("accepted", &describe_decisions::accepted(&example_decisions::accepted()));
    out.hex("removed-slots", &describe_decisions::removed(&example_decisions::removed()));
    out.hex("suspicion", &describe_decisions::suspicion(&example_decisions::suspicion()));
    out.hex("seen", &describe_decisions::seen(&example_decisions::seen()));
    out.hex("history-tree", &describe::tree(&example_decisions::history_tree()));
    out.hex("history-drafts", &describe::tree(&example_decisions::drafts()));
    out.hex("history-versions", &describe::tree(&example_decisions::versions()));

    let gear = gear(&example::CHUNKER_KEY);
    let mut stream = vec![0; 1_000_000];
    blake3::Hasher::new().update(b"stream").finalize_xof().fill(&mut stream);
    let mut values = Values::default();
    values.text("gear[0]", gear[0].to_string());
    values.text("gear[255]", gear[255].to_string());
    let masks = (fastcdc::v2020::MASKS[17], fastcdc::v2020::MASKS[15]);
    let mut rest = stream.as_slice();
    let mut lengths = Vec::new();
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(cut(rest, &gear, (16384, 65536, 262_144), masks));
        lengths.push(chunk.len().to_string());
        rest = after;
    }
    values.text("lengths", lengths.join(" "));
    out.values("chunking", &values);
}

#[test]
fn the_document_shows_what_the_code_makes() {
    let document = Document::load();
    let expected = all(&documented_frame(&document));
    for block in &expected {
        let shown = document.block(&block.kind, &block.name);
        assert!(shown == block.text, "{} {} is shown as\n{shown}but is\n{}", block.kind, block.name, block.text);
    }
    for block in &document.blocks {
        let is_known = expected.iter().any(|known| known.kind == block.kind && known.name == block.name);
        assert!(is_known, "nothing checks the block `{} {}`", block.kind, block.name);
    }
    let names = document.blocks.iter().map(|block| (&block.kind, &block.name));
    assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), document.blocks.len(), "a block appears twice");
}

#[test]
fn derived_tables_are_those_of_the_chunker() {
    let document = Document::load();
    let shown = Values::parse(document.block("values", "chunking"));
    let bytes = derive(crate::words::GEAR_CONTEXT, &example::CHUNKER_KEY, 8);
    assert_eq!(shown.get("gear[0]"), u64::from_le_bytes(bytes.try_into().expect("8 bytes")).to_string());
    let total: u64 = shown.get("lengths").split(' ').map(|length| length.parse::<u64>().expect("a length")).sum();
    assert_eq!(total, 1_000_000);
}

/// Prints every block for docs/format.md: `cargo test --test format -- --ignored --nocapture print_examples`.
#[test]
#[ignore = "prints the examples of docs/format.md"]
#[expect(clippy::print_stdout, reason = "its output is pasted into the document")]
fn print_examples() {
    let raw = [example::JACK, example::DISK_END].concat();
    let frame = zstd::bulk::compress(&raw, 3).expect("compressed");
    for block in all(&frame) {
        println!("```{} {}\n{}```\n", block.kind, block.name, block.text);
    }
}
