//! Sections, records and invariants of docs/format.md against the source.

use crate::document::{Document, Table, plain, read};
use crate::source;

#[test]
fn sections_and_files_match_one_to_one() {
    let document = Document::load();
    let numbers: Vec<u32> = document.sections.iter().map(|section| section.number).collect();
    assert_eq!(numbers, (1..=21).collect::<Vec<_>>());

    let from_document: Vec<(u32, String)> =
        document.sections.iter().filter_map(|section| Some((section.number, section.room.clone()?))).collect();
    let module = read("src/format/mod.rs");
    let mut from_module = Vec::new();
    for row in module.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let mut cells = row.split(" | ");
        let Some(number) = cells.next().and_then(|number| number.parse::<u32>().ok()) else { continue };
        let room = cells.next().expect("a file").trim_matches(['[', ']', '`']);
        from_module.push((number, room.to_owned()));
    }
    assert_eq!(from_document, from_module, "docs/format.md and src/format/mod.rs");
    assert_eq!(from_document.len(), 14);

    let mut rooms: Vec<&String> = from_document.iter().map(|(_, room)| room).collect();
    rooms.sort();
    assert_eq!(rooms, source::rooms().iter().collect::<Vec<_>>(), "files of src/format");
    for (number, room) in &from_document {
        let text = read(&format!("src/format/{room}.rs"));
        assert!(text.starts_with(&format!("//! §{number} ")), "{room}.rs says which section it is");
    }
}

/// The name of the type a table describes: the last word in backticks before the table.
fn described(intro: &str) -> Option<&str> {
    let mut words: Vec<&str> = intro.split('`').skip(1).step_by(2).collect();
    words.retain(|word| word.starts_with(char::is_uppercase));
    words.last().copied()
}

#[test]
fn every_stored_type_has_its_table() {
    let document = Document::load();
    let types = source::stored_types();
    assert_eq!(types.len(), 35, "types of src/format that are stored");
    let mut tables = document.tables_with(&["field", "type", "meaning"]);
    tables.extend(document.tables_with(&["index", "variant", "fields", "meaning"]));
    for stored in &types {
        let section = document.sections.iter().find(|section| section.room.as_ref() == Some(&stored.room));
        let section = section.map(|section| section.number).expect("a section");
        let is_its = |table: &&&Table| described(&table.intro) == Some(&stored.name);
        let table = tables.iter().find(is_its).unwrap_or_else(|| panic!("no table of {}", stored.name));
        let is_shared = stored.room == "header";
        assert!(table.section == section || is_shared, "{} is in section {}", stored.name, table.section);
        let shown: Vec<(String, String)> = match stored.is_enum {
            true => table.rows.iter().map(|row| (plain(&row[1]).into(), row[2].clone())).collect(),
            false => table.rows.iter().map(|row| (row[0].clone(), row[1].clone())).collect(),
        };
        assert_eq!(shown, stored.fields, "{}", stored.name);
        if stored.is_enum {
            let indexes: Vec<String> = (0..table.rows.len()).map(|index| index.to_string()).collect();
            assert_eq!(table.rows.iter().map(|row| &row[0]).collect::<Vec<_>>(), indexes.iter().collect::<Vec<_>>());
        }
    }
    assert_eq!(tables.len(), types.len(), "a table describes no type, or one type twice");
}

#[test]
fn invariants_are_numbered_and_cited_by_their_numbers() {
    let document = Document::load();
    let defined: Vec<&str> =
        document.text.lines().filter_map(|line| line.strip_prefix("- **I")?.split_once("**")).map(|(n, _)| n).collect();
    let expected: Vec<String> = (1..=defined.len()).map(|number| number.to_string()).collect();
    assert_eq!(defined, expected, "numbers are consecutive");
    assert!(defined.len() >= 10);
    let exists = |number: u32| (1..=defined.len()).contains(&(number as usize));
    for (place, number) in source::cited_invariants() {
        assert!(exists(number), "{place} cites invariant {number}, which docs/format.md does not have");
    }
    for number in source::invariants_in(&document.text) {
        assert!(exists(number), "docs/format.md cites invariant {number}");
    }
}

#[test]
fn citations_are_found_in_any_form() {
    assert_eq!(source::invariants_in(" see (I7), invariant 12 and invariants 3"), [7, 12, 3]);
    assert_eq!(source::invariants_in("RFC 8452, I/O, Iterator, id3, i16"), [0u32; 0]);
}

#[test]
fn references_to_sections_exist() {
    let document = Document::load();
    for rest in document.text.split("section ").skip(1) {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        assert!(digits.is_empty() || document.sections.iter().any(|section| section.number.to_string() == digits));
    }
}
