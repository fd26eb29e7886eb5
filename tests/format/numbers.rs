//! Layouts, codes, constants and limits of docs/format.md against the code.

use cryptbackup::format::id::{self, ChunkKind, ObjectHash};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::pack::Extents;
use cryptbackup::format::record::{ConfigRecord, encode};
use cryptbackup::format::sealed::{ObjectType, Part};
use cryptbackup::format::slot::{ArgonCost, Slot, SlotKind};
use cryptbackup::format::snapshot::Snapshot;
use cryptbackup::format::tree::Flags;
use cryptbackup::format::{
    self, cleaning, header, history, mark, pack, recipe, record, sealed, slot, snapshot, tree, wire,
};

use crate::document::{Document, Table, plain};
use crate::lines::Lines;
use crate::{example, source, words};

/// The value of a constant of `src/format`, as the document writes it.
fn constant(name: &str) -> Option<String> {
    let text = |bytes: &[u8]| Some(format!("`\"{}\"`", std::str::from_utf8(bytes).expect("ASCII")));
    let number = match name {
        "FORMAT_VERSION" => format::FORMAT_VERSION.into(),
        "BLOCK_RAW_MAX" => format::BLOCK_RAW_MAX as u64,
        "PACK_LEN_MAX" => format::PACK_LEN_MAX,
        "RECORD_LEN_MAX" => format::RECORD_LEN_MAX as u64,
        "NODE_LEN_MAX" => format::NODE_LEN_MAX as u64,
        "NAME_LEN_MAX" => format::NAME_LEN_MAX as u64,
        "HEADER_LEN" => header::HEADER_LEN as u64,
        "SLOT_AAD_LEN" => slot::SLOT_AAD_LEN as u64,
        "WRAPPED_LEN" => slot::WRAPPED_LEN as u64,
        "SLOT_LEN" => slot::SLOT_LEN as u64,
        "RECORD_HEAD_LEN" => sealed::RECORD_HEAD_LEN as u64,
        "RECORD_LEN_MIN" => sealed::RECORD_LEN_MIN as u64,
        "TAG_LEN" => sealed::TAG_LEN as u64,
        "AAD_LEN" => sealed::AAD_LEN as u64,
        "EXTENTS_LEN" => pack::EXTENTS_LEN as u64,
        "PACK_HEAD_LEN" => pack::PACK_HEAD_LEN as u64,
        "PACK_GRANULE" => pack::PACK_GRANULE,
        "INLINE_PARTS_MAX" => recipe::INLINE_PARTS_MAX as u64,
        "DEPTH_MAX" => recipe::DEPTH_MAX.into(),
        "TREE_VERSION" => tree::TREE_VERSION.into(),
        "MARK_TEXT_MAX" => mark::MARK_TEXT_MAX as u64,
        "CONDEMNED_MAX" => cleaning::CONDEMNED_MAX as u64,
        "SEEN_TAG" => history::SEEN_TAG.into(),
        "MERGED_TAG" => history::MERGED_TAG.into(),
        "SINCE_TAG" => tree::SINCE_TAG.into(),
        "ACCEPTED_TAG" => mark::ACCEPTED_TAG.into(),
        "SUSPECT_TAG" => snapshot::SUSPECT_TAG.into(),
        "REMOVED_TAG" => record::REMOVED_TAG.into(),
        "FOLDER_PREFIX" => return text(&[history::FOLDER_PREFIX]),
        "VERSIONS_PREFIX" => return text(&[history::VERSIONS_PREFIX]),
        "HEADER_MAGIC" => return text(header::HEADER_MAGIC),
        "MARK_MAGIC" => return text(header::MARK_MAGIC),
        "SLOT_MAGIC" => return text(slot::SLOT_MAGIC),
        "RECORD_MAGIC" => return text(sealed::RECORD_MAGIC),
        "AAD_MAGIC" => return text(sealed::AAD_MAGIC),
        "PACK_MAGIC" => return text(pack::PACK_MAGIC),
        "FOOT_MAGIC" => return text(pack::FOOT_MAGIC),
        "OBJECT_KEY_CONTEXT" => return text(sealed::OBJECT_KEY_CONTEXT.as_bytes()),
        "SLOT_KEY_CONTEXT" => return text(sealed::SLOT_KEY_CONTEXT.as_bytes()),
        "GEAR_CONTEXT" => return text(sealed::GEAR_CONTEXT.as_bytes()),
        "PADDING_CONTEXT" => return text(sealed::PADDING_CONTEXT.as_bytes()),
        _ => return None,
    };
    Some(number.to_string())
}

fn number(cell: &str) -> u64 {
    cell.parse().unwrap_or_else(|_| panic!("not a number: {cell}"))
}

#[test]
fn every_constant_is_listed_with_its_value() {
    let document = Document::load();
    let [table] = document.tables_with(&["constant", "value", "what it is"])[..] else { panic!("one table") };
    let mut listed: Vec<String> = table.rows.iter().map(|row| plain(&row[0]).to_owned()).collect();
    for row in &table.rows {
        assert_eq!(Some(&row[1]), constant(plain(&row[0])).as_ref(), "{}", row[0]);
    }
    let mut constants = source::constants();
    listed.sort();
    constants.sort();
    assert_eq!(listed, constants);
    for word in document.code_words() {
        let is_constant = word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        assert!(!is_constant || constant(word).is_some(), "{word} is no constant of the format");
    }
    for quoted in document.text.split("\"CBK1").skip(1).filter_map(|rest| rest.split('"').next()) {
        let quoted = format!("`\"CBK1{quoted}\"`");
        assert!(constants.iter().any(|name| constant(name).as_ref() == Some(&quoted)), "{quoted} is not in the code");
    }
    let contexts = [words::OBJECT_CONTEXT, words::SLOT_CONTEXT, words::GEAR_CONTEXT, words::PADDING_CONTEXT];
    let code = [sealed::OBJECT_KEY_CONTEXT, sealed::SLOT_KEY_CONTEXT, sealed::GEAR_CONTEXT, sealed::PADDING_CONTEXT];
    assert_eq!(contexts, code);
}

#[test]
fn layouts_add_up_and_are_those_of_the_examples() {
    let document = Document::load();
    let tables = document.tables_with(&["offset", "size", "field", "meaning"]);
    let examples =
        ["nonce", "header", "mark", "slot-inline", "aad-config", "sealed-config", "pack-head", "pack-foot", "extents"];
    assert_eq!(tables.len(), examples.len());
    for (table, name) in tables.iter().zip(examples) {
        let (end, fields) = table.rows.split_last().expect("rows");
        let lines = Lines::parse(document.block("hex", name)).0;
        let mut offset = 0;
        for (row, line) in fields.iter().zip(&lines) {
            assert_eq!(number(&row[0]), offset, "{name}: offset of {}", row[2]);
            offset += number(&row[1]);
            assert_eq!(line.bytes.len() as u64, number(&row[1]), "{name}: size of {}", row[2]);
            assert_eq!(line.text.split(" = ").next(), Some(row[2].as_str()), "{name}");
        }
        assert!(lines.len() == fields.len() || name == "sealed-config");
        assert_eq!((number(&end[0]), end[2].as_str()), (offset, "end"), "{name}");
        let length = if name == "nonce" { "12".to_owned() } else { constant(plain(&end[3])).expect("a constant") };
        assert_eq!(end[0], length, "{name}: {}", end[3]);
        let magic = fields.iter().find(|row| row[2] == "magic").map(|row| row[3].as_str());
        let shown = lines[0].text.strip_prefix("magic = ").map(|magic| format!("`{magic}`"));
        assert_eq!(magic, shown.as_deref(), "{name}");
    }
    let first_wrapped = tables[3].rows.iter().find(|row| row[2] == "wrapped").expect("a slot");
    assert_eq!(first_wrapped[0], constant("SLOT_AAD_LEN").expect("a constant"));
}

fn codes(table: &Table) -> Vec<(u8, &str)> {
    let name = |row: &Vec<String>| row[1].split(':').next().map(str::len).expect("a name");
    table.rows.iter().map(|row| (number(&row[0]) as u8, &row[1][..name(row)])).collect()
}

#[test]
fn codes_are_those_of_the_code() {
    let document = Document::load();
    let secrets = document.tables_with(&["code", "secret", "its 32 bytes"]);
    let kinds = [
        (SlotKind::Inline, "inline"),
        (SlotKind::Passphrase, "passphrase"),
        (SlotKind::Recovery, "recovery"),
        (SlotKind::KeyFile, "key file"),
    ];
    let of_slot = |kind| Slot { kind, ..example::slot(SlotKind::Inline) }.encode()[10];
    assert_eq!(codes(secrets[0]), kinds.map(|(kind, name)| (of_slot(kind), name)));

    let types = [
        (ObjectType::Pack, "pack"),
        (ObjectType::Snapshot, "snapshot"),
        (ObjectType::Config, "config"),
        (ObjectType::Ring, "ring"),
        (ObjectType::Writer, "writer"),
        (ObjectType::Mark, "mark"),
        (ObjectType::Cleaning, "cleaning"),
    ];
    let table = document.tables_with(&["code", "object"])[0];
    assert_eq!(codes(table), types.map(|(object, name)| (object.code(), name)));

    let parts = [
        (Part::Block, "block of a pack"),
        (Part::DirectoryA, "directory A of a pack"),
        (Part::DirectoryB, "directory B of a pack"),
        (Part::Head, "extents in the head of a pack"),
        (Part::Foot, "extents in the foot of a pack"),
        (Part::Record, "record"),
    ];
    let table = document.tables_with(&["code", "part", "counter"])[0];
    assert_eq!(codes(table), parts.map(|(part, name)| (part.code(), name)));

    let extents = example::tree_pack().extents;
    let kinds = [(ChunkKind::Data, "data"), (ChunkKind::Tree, "tree")];
    let table = document.tables_with(&["code", "kind"])[0];
    assert_eq!(codes(table), kinds.map(|(kind, name)| (Extents { kind, ..extents }.encode()[0], name)));

    let flags = document.tables_with(&["value", "flag", "meaning"]);
    let known = [(Flags::CARRIED, "carried"), (Flags::UNREAD, "unread"), (Flags::UNSETTLED, "unsettled")];
    assert_eq!(codes(flags[0]), known.map(|(flag, name)| (encode("flags", &flag).expect("a byte")[0], name)));
    let known = [
        (Snapshot::SUSPECT, "suspect"),
        (Snapshot::PARTIAL, "partial"),
        (Snapshot::HISTORY, "history"),
        (Snapshot::CHOSEN, "chosen"),
    ];
    assert_eq!(codes(flags[1]), known.map(|(flag, name)| (flag as u8, name)));
    let all: u8 = codes(flags[1]).iter().map(|(value, _)| value).sum();
    let snapshot = |flags| Snapshot { flags, ..example::snapshot(b"") };
    assert_eq!(snapshot(all.into()).validate(), Ok(()));
    assert!(snapshot(u32::from(all) + 1).validate().is_err());
}

#[test]
fn ids_paths_and_padded_sizes_are_those_of_the_code() {
    let document = Document::load();
    let lengths = [
        ("RepoId", id::RepoId::LEN),
        ("DestinationId", id::DestinationId::LEN),
        ("WriterId", id::WriterId::LEN),
        ("ChunkId", id::ChunkId::LEN),
        ("ObjectHash", id::ObjectHash::LEN),
        ("PackId", id::PackId::LEN),
        ("SnapshotId", id::SnapshotId::LEN),
    ];
    let ids = document.tables_with(&["id", "bytes", "what it is"])[0];
    let shown: Vec<_> = ids.rows.iter().map(|row| (plain(&row[0]), number(&row[1]) as usize)).collect();
    assert_eq!(shown, lengths);

    let hex = ObjectHash::of(b"x").to_string();
    for row in &document.tables_with(&["path", "object", "section"])[0].rows {
        let path = plain(&row[0]).replace("<64>", &hex).replace("<2>", &hex[..2]).replace("<n>", "7");
        let parsed = ObjectName::parse(&path);
        assert_eq!(parsed.is_some(), !path.starts_with("tmp/"), "{path}");
        assert!(parsed.is_none_or(|name| name.path() == path));
        assert!(path.len() <= 100);
    }

    for row in &document.tables_with(&["length", "padme"])[0].rows {
        assert_eq!(wire::padme(number(&row[0])), number(&row[1]));
    }
    for length in (0..1 << 16).chain((1 << 16..1 << 27).step_by(9973)) {
        assert_eq!(words::padme(length), wire::padme(length), "{length}");
        for full in [16 << 20, 1 << 17] {
            assert_eq!(words::pack_len(length, full), pack::padded_len(length, full, false), "{length}");
        }
    }
}

#[test]
fn bounds_of_parameters_are_those_of_the_code() {
    let document = Document::load();
    let costs = document.tables_with(&["cost", "memory", "passes", "lanes"])[0];
    let cost = |row: usize| {
        let cells = &costs.rows[row];
        let [memory_kib, passes, lanes] = [1, 2, 3].map(|cell| number(&cells[cell]) as u32);
        ArgonCost { memory_kib, passes, lanes }
    };
    let (least, most) = (cost(0), cost(2));
    assert_eq!((cost(1), most), (ArgonCost::DEFAULT, ArgonCost::MAX));
    let accepts = |cost| Slot::decode(&Slot { cost, ..example::slot(SlotKind::Passphrase) }.encode()).is_ok();
    assert!(accepts(least) && accepts(most));
    for off in [
        ArgonCost { memory_kib: least.memory_kib - 1, ..least },
        ArgonCost { passes: least.passes - 1, ..least },
        ArgonCost { lanes: least.lanes - 1, ..least },
        ArgonCost { memory_kib: most.memory_kib + 1, ..most },
        ArgonCost { passes: most.passes + 1, ..most },
        ArgonCost { lanes: most.lanes + 1, ..most },
    ] {
        assert!(!accepts(off), "{off:?}");
    }

    let table = document.tables_with(&["parameter", "least", "most", "new repositories"])[0];
    let cell = |name: &str, column: usize| {
        let row = table.rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no parameter {name}"));
        number(&row[column]) as u32
    };
    let new = example::config();
    let found = [new.chunker.min_bytes, new.chunker.avg_bytes, new.chunker.max_bytes, new.chunker.normalization.into()];
    let names = ["min_bytes", "avg_bytes", "max_bytes", "normalization", "block_bytes", "pack_bytes"];
    assert_eq!(names.map(|name| cell(name, 3)), [&found[..], &[new.block_bytes, new.pack_bytes]].concat()[..]);

    let config = |min, avg, max, level: u32, block: u32, pack: u32| {
        let mut config = ConfigRecord { block_bytes: block, pack_bytes: pack, ..new.clone() };
        (config.chunker.min_bytes, config.chunker.avg_bytes, config.chunker.max_bytes) = (min, avg, max);
        config.chunker.normalization = level as u8;
        config.validate().is_ok()
    };
    let (min, avg, level) = (cell("min_bytes", 1), cell("avg_bytes", 1), cell("normalization", 1));
    let pack = 2 * avg + 2 * 65536;
    assert!(config(min, avg, avg + 2, level, avg + 2, pack / 65536 * 65536), "the least");
    assert!(!config(min - 2, avg, avg + 2, level, avg + 2, 1 << 20));
    assert!(!config(min, avg / 2, avg + 2, level, avg + 2, 1 << 20));
    assert!(!config(min, avg, avg, level, avg + 2, 1 << 20));
    assert!(!config(min, avg, avg + 2, level, avg, 1 << 20));
    assert!(!config(min, avg, avg + 2, level, 65536, 2 * 65536), "two blocks and 64 KiB");
    assert!(config(min, avg, avg + 2, level, 65536, 3 * 65536));
    let [avg, max, level, block, pack] =
        ["avg_bytes", "max_bytes", "normalization", "block_bytes", "pack_bytes"].map(|name| cell(name, 2));
    assert!(config(avg - 2, avg, max, level, block, pack), "the most");
    assert!(!config(avg, avg, max, level, block, pack));
    assert!(!config(min, 2 * avg, max, level, block, pack));
    assert!(!config(min, avg, max + 2, level, block, pack));
    assert!(!config(min, avg, max, level + 1, block, pack));
    assert!(!config(min, avg, max, level, block + 1, pack));
    assert!(!config(min, avg, max, level, block, pack + 65536));
}

#[test]
fn masks_and_cuts_are_those_of_the_chunker() {
    let document = Document::load();
    let masks = document.tables_with(&["number", "mask"])[0];
    assert_eq!(masks.rows.len(), 20, "averages of 256 bytes to 2 MiB, and three levels to each side");
    for row in &masks.rows {
        let mask = fastcdc::v2020::MASKS[number(&row[0]) as usize];
        assert_eq!(plain(&row[1]), format!("{mask:016x}"));
        assert_eq!(mask >> 63, 0, "twice the mask still has all its bits");
    }
    let gear = words::gear(&example::CHUNKER_KEY);
    let doubled: Vec<u64> = gear.iter().map(|entry| entry << 1).collect();
    let mut noise = vec![0; 1 << 18];
    blake3::Hasher::new().update(b"noise").finalize_xof().fill(&mut noise);
    for (min, avg, max, s, l) in [(64, 256, 1024, 9, 7), (64, 1024, 1026, 10, 10), (256, 2048, 9000, 14, 8)] {
        let (mask_s, mask_l) = (fastcdc::v2020::MASKS[s], fastcdc::v2020::MASKS[l]);
        let mut start = 0;
        for length in (1..12_000).step_by(37) {
            let bytes = &noise[start..start + length];
            let (_, expected) = fastcdc::v2020::cut_gear(
                bytes,
                min,
                avg,
                max,
                mask_s,
                mask_l,
                mask_s << 1,
                mask_l << 1,
                &gear,
                &doubled,
            );
            assert_eq!(words::cut(bytes, &gear, (min, avg, max), (mask_s, mask_l)), expected);
            start = (start + expected) % (1 << 17);
        }
    }
}
