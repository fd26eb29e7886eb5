//! One word for one thing, in types and modules as in the document: the words on the right are not used for what stands on
//! the left.

use crate::assert_none;
use crate::code::sources;

const NOT_CALLED: &[(&str, &[&str])] = &[
    ("source, entry", &["Item", "Input"]),
    ("chunk", &["Blob", "Segment"]),
    ("block", &["Frame"]),
    ("pack", &["Container", "Archive"]),
    ("destination", &["Backend", "Storage", "Remote"]),
    ("index", &["Cache", "Db", "Database"]),
    ("node, tree, snapshot", &["Inode", "Manifest"]),
    ("writer", &["Client", "Host"]),
    ("version", &["Revision"]),
    ("claim", &["Pending", "Lock"]),
    ("repo", &["Vault", "Store"]),
];

/// Names that mean something else, and what.
const MEANS_SOMETHING_ELSE: &[(&str, &str)] = &[
    ("repo/mod.rs: store", "the stage that stores what is new"),
    ("backup/read.rs: Item", "a file, a chunk of one, or a step without content, on the way through a batch"),
    ("backup/scan.rs: Frame", "a folder on the stack of the walk"),
    ("repo/store.rs: Store", "the stage that stores what is new"),
    ("repo/store.rs: StoreContext", "what that stage needs"),
    ("repo/store.rs: StoreCounts", "what that stage counts"),
    ("index/mod.rs: Store", "a redb file, opened to read or to write"),
    ("repo/heads.rs: HeadStore", "the copies of keys and config in the state folder"),
    ("repo/home/held.rs: Lock", "a lock of the operating system"),
    ("restore/mod.rs: PlannedItem", "an entry and where it is to go"),
    ("restore/walk.rs: Frame", "a folder on the stack of the walk"),
    ("source/file.rs: Segment", "a run of data or a hole of a file, as the file system tells"),
];

#[test]
fn things_are_called_by_their_names() {
    let mut offences = Vec::new();
    let mut needed = vec![false; MEANS_SOMETHING_ELSE.len()];
    for file in sources() {
        for (number, line) in file.lines() {
            let Some(name) = declared(line) else { continue };
            for word in parts(name) {
                let Some((thing, _)) = NOT_CALLED.iter().find(|(_, words)| words.contains(&word.as_str())) else {
                    continue;
                };
                let place = format!("{}: {name}", file.path);
                match MEANS_SOMETHING_ELSE.iter().position(|(known, _)| *known == place) {
                    Some(at) => needed[at] = true,
                    None => offences.push(format!("src/{}:{number}: `{name}`, where it is called {thing}", file.path)),
                }
            }
        }
    }
    for ((place, _), needed) in MEANS_SOMETHING_ELSE.iter().zip(needed) {
        if !needed {
            offences.push(format!("src/{place} is not there any more: take it out of the table"));
        }
    }
    assert_none(offences);
}

/// The type or module a line declares. The types in an `impl` are named by their traits.
fn declared(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| ["struct", "enum", "trait", "mod", "type"].contains(word))?;
    let is_visible = |word: &&str| word.starts_with("pub");
    if !words[..at].iter().all(is_visible) || (words[at] == "type" && line.starts_with(' ')) {
        return None;
    }
    words.get(at + 1)?.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// `HeadStore` is `Head`, `Store`; `open_files` is `Open`, `Files`.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut begins = true;
    for c in name.chars() {
        match parts.last_mut() {
            _ if c == '_' => {}
            Some(part) if !begins && !c.is_uppercase() => part.push(c),
            _ => parts.push(c.to_uppercase().collect()),
        }
        begins = c == '_';
    }
    parts
}

#[test]
fn names_come_apart_into_words() {
    assert_eq!(parts("HeadStore"), ["Head", "Store"]);
    assert_eq!(parts("blob_files"), ["Blob", "Files"]);
    assert_eq!(declared("pub(super) struct HeadStore {"), Some("HeadStore"));
    assert_eq!(declared("    enum Blob<'a> {"), Some("Blob"));
    assert_eq!(declared("    type Item = Part;"), None);
    assert_eq!(declared("let mod_ = structure;"), None);
}
