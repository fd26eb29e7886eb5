//! Every hex example of docs/format.md through the library: it decodes to what is written beside it, and back.

use cryptbackup::format::FormatError;
use cryptbackup::format::cleaning::CleaningRecord;
use cryptbackup::format::header::{DestinationMark, RepoHeader};
use cryptbackup::format::history::{MERGED_TAG, Merged, SEEN_TAG, Seen};
use cryptbackup::format::layout::ObjectName;
use cryptbackup::format::mark::{ACCEPTED_TAG, Accepted, MarkRecord};
use cryptbackup::format::pack::{Directory, DirectoryLengths, End, Extents, PackHead};
use cryptbackup::format::recipe::Recipe;
use cryptbackup::format::record::{self, ConfigRecord, REMOVED_TAG, RemovedSlots, RingRecord, WriterRecord};
use cryptbackup::format::sealed::RecordHead;
use cryptbackup::format::slot::Slot;
use cryptbackup::format::snapshot::{SUSPECT_TAG, Snapshot, Suspicion};
use cryptbackup::format::tree::{Node, SINCE_TAG, TreeDecoder};
use cryptbackup::format::wire;

use crate::document::Document;
use crate::lines::Lines;
use crate::{describe, describe_decisions, encode, example};

type Result<T> = std::result::Result<T, FormatError>;

/// What the library makes of the bytes of an example: its fields, and its bytes again. `None` for examples that are
/// sealed, or parts of something shown elsewhere (`sealed` checks those).
fn through_the_library(name: &str, bytes: &[u8]) -> Result<Option<(Lines, Vec<u8>)>> {
    Ok(Some(match name {
        "header" => RepoHeader::decode(bytes).map(|header| (describe::header(&header), header.encode()))?,
        "mark" => DestinationMark::decode(bytes).map(|mark| (describe::mark(&mark), mark.encode()))?,
        "slot-inline" | "slot-passphrase" => Slot::decode(bytes).map(|slot| (describe::slot(&slot), slot.encode()))?,
        "ring" => round(RingRecord::decode(bytes)?, describe::ring, RingRecord::encode)?,
        "config" => round(ConfigRecord::decode(bytes)?, describe::config, ConfigRecord::encode)?,
        "writer" => round(WriterRecord::decode(bytes)?, describe::writer, WriterRecord::encode)?,
        "snapshot" | "history" => {
            let snapshot = Snapshot::decode(bytes)?;
            snapshot.validate()?;
            round(snapshot, describe::snapshot, Snapshot::encode)?
        }
        "extents" => {
            let pack_len = u64::from_le_bytes(*bytes.last_chunk().ok_or(FormatError::Truncated)?);
            Extents::decode(bytes, pack_len).map(|extents| (describe::extents(&extents), extents.encode()))?
        }
        "directory-a" => round(Directory::decode(bytes)?, describe::directory, Directory::encode)?,
        "directory-b" => {
            round(DirectoryLengths::decode(bytes)?, describe::directory_lengths, DirectoryLengths::encode)?
        }
        "pack-head" => pack_end(End::Head, bytes)?,
        "pack-foot" => pack_end(End::Foot, bytes)?,
        "recipe" | "recipe-long" => {
            let recipe: Recipe = record::decode("recipe", bytes)?;
            recipe.validate()?;
            round(recipe, describe::recipe, |recipe| record::encode("recipe", recipe))?
        }
        "node" => {
            let whole = encode::counted(bytes);
            let (node, _) = Node::take(&whole)?.ok_or(FormatError::Truncated)?;
            assert_eq!(node.encode()?, whole);
            (describe::node(&node), bytes.to_vec())
        }
        "tree" | "history-tree" | "history-drafts" | "history-versions" => tree(bytes)?,
        "seen" => {
            let seen = Seen::find(&vec![(SEEN_TAG, bytes.to_vec())])?.ok_or(FormatError::Truncated)?;
            round(seen, describe_decisions::seen, |seen| seen.encode().map(|(_, bytes)| bytes))?
        }
        "merged" => {
            let merged = Merged::find(&vec![(MERGED_TAG, bytes.to_vec())])?;
            round(merged, describe_decisions::merged, |merged| merged.encode().map(|(_, bytes)| bytes))?
        }
        "accepted" => {
            let accepted = Accepted::find(&vec![(ACCEPTED_TAG, bytes.to_vec())])?.ok_or(FormatError::Truncated)?;
            round(accepted, describe_decisions::accepted, |accepted| accepted.encode().map(|(_, bytes)| bytes))?
        }
        "removed-slots" => {
            let removed = RemovedSlots::find(&vec![(REMOVED_TAG, bytes.to_vec())])?;
            round(removed, describe_decisions::removed, |removed| removed.encode().map(|(_, bytes)| bytes))?
        }
        "suspicion" => {
            let suspicion = Suspicion::find(&vec![(SUSPECT_TAG, bytes.to_vec())]).ok_or(FormatError::Truncated)?;
            round(suspicion, describe_decisions::suspicion, |suspicion| suspicion.encode().map(|(_, bytes)| bytes))?
        }
        "since" => {
            let mut node = example::link_node();
            node.extra = vec![(SINCE_TAG, bytes.to_vec())];
            let since = node.since().ok_or(FormatError::Truncated)?;
            node.set_since(Some(since))?;
            let (_, again) = node.extra.pop().ok_or(FormatError::Truncated)?;
            (describe_decisions::since(&since), again)
        }
        "forget" | "tag" => {
            let mark = MarkRecord::decode(bytes)?;
            mark.validate()?;
            round(mark, describe_decisions::mark, MarkRecord::encode)?
        }
        "session" | "condemned" => {
            let said = CleaningRecord::decode(bytes)?;
            said.validate()?;
            round(said, describe_decisions::cleaning, CleaningRecord::encode)?
        }
        _ => return Ok(None),
    }))
}

fn round<T>(value: T, describe: fn(&T) -> Lines, encode: fn(&T) -> Result<Vec<u8>>) -> Result<(Lines, Vec<u8>)> {
    Ok((describe(&value), encode(&value)?))
}

fn pack_end(end: End, bytes: &[u8]) -> Result<(Lines, Vec<u8>)> {
    let head = PackHead::decode(end, bytes)?;
    Ok((describe::pack_end(end, &head), head.encode(end)))
}

fn tree(bytes: &[u8]) -> Result<(Lines, Vec<u8>)> {
    let mut decoder = TreeDecoder::default();
    decoder.feed(bytes);
    let mut nodes = Vec::new();
    while let Some(node) = decoder.next_node()? {
        nodes.push(node);
    }
    decoder.finish()?;
    let mut again = vec![1];
    for node in &nodes {
        again.extend(node.encode()?);
    }
    Ok((describe::tree(&nodes), again))
}

#[test]
fn examples_decode_to_what_is_beside_them() {
    let document = Document::load();
    let mut decoded = 0;
    for block in document.blocks.iter().filter(|block| block.kind == "hex") {
        let shown = Lines::parse(&block.text);
        let bytes = shown.bytes();
        let found = through_the_library(&block.name, &bytes).unwrap_or_else(|error| panic!("{}: {error}", block.name));
        let Some((lines, again)) = found else { continue };
        assert_eq!(shown, lines, "{}", block.name);
        assert_eq!(bytes, again, "{} encodes to other bytes", block.name);
        decoded += 1;
        for flipped in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[flipped] ^= 1;
            if let Ok(Some((other, _))) = through_the_library(&block.name, &damaged) {
                assert_ne!(other, lines, "{}: byte {flipped} means nothing", block.name);
            }
        }
    }
    assert_eq!(decoded, 31, "examples that the library decodes");
}

#[test]
fn heads_of_sealed_records_decode_to_what_is_beside_them() {
    let document = Document::load();
    for name in ["ring", "config", "writer", "snapshot", "history", "forget", "session", "condemned"] {
        let name = &format!("sealed-{name}");
        let shown = Lines::parse(document.block("hex", name));
        let bytes = shown.bytes();
        let (head, _) = RecordHead::split(&bytes).expect("a head and some ciphertext");
        let lines = describe::record_head(&head);
        assert_eq!(shown.0[..lines.0.len()], lines.0, "{name}");
        assert_eq!(head.encode(), lines.bytes(), "{name}");
    }
}

#[test]
fn numbers_decode_to_what_is_beside_them() {
    let document = Document::load();
    for line in Lines::parse(document.block("hex", "numbers")).0 {
        let (type_, value) = line.text.split_once(" = ").expect("type = value");
        let shown = |text: String| assert_eq!(text, value, "{}", line.text);
        match type_ {
            "u16" => shown(record::decode::<u16>("u16", &line.bytes).expect("u16").to_string()),
            "u32" => shown(record::decode::<u32>("u32", &line.bytes).expect("u32").to_string()),
            "u64" => shown(record::decode::<u64>("u64", &line.bytes).expect("u64").to_string()),
            "i64" => shown(record::decode::<i64>("i64", &line.bytes).expect("i64").to_string()),
            "text" => shown(format!("{:?}", record::decode::<String>("text", &line.bytes).expect("text"))),
            "bool" => shown(record::decode::<bool>("bool", &line.bytes).expect("bool").to_string()),
            "optional u32" => {
                let found = record::decode::<Option<u32>>("optional", &line.bytes).expect("an option");
                shown(found.map_or("absent".into(), |value| value.to_string()));
            }
            "list of u64" => {
                let found = record::decode::<Vec<u64>>("list", &line.bytes).expect("a list");
                shown(found.iter().map(u64::to_string).collect::<Vec<_>>().join(", "));
            }
            other => panic!("nothing decodes {other}"),
        }
    }
    let nonce = Lines::parse(document.block("hex", "nonce"));
    assert_eq!(nonce.bytes(), wire::nonce(0, 300));
}

#[test]
fn paths_are_names_of_objects() {
    let document = Document::load();
    for path in document.block("paths", "example").lines() {
        let name = ObjectName::parse(path).unwrap_or_else(|| panic!("not an object: {path}"));
        assert_eq!(name.path(), path);
    }
}
