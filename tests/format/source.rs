//! What the source files say: the fields, variants and constants of `src/format`, and the invariants cited in `src`.

use std::path::{Path, PathBuf};

use crate::document::{project, read};

/// A struct or enum that is stored as part of a record: its name, and its fields or variants in the document's words.
pub struct Stored {
    pub room: String,
    pub name: String,
    pub fields: Vec<(String, String)>,
    pub is_enum: bool,
}

/// The files of `src/format` except `mod.rs`, without extension.
pub fn rooms() -> Vec<String> {
    let files = rust_files(&project("src/format"));
    let stems = files.iter().filter_map(|path| path.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    stems.filter(|stem| stem != "mod").collect()
}

/// Names of all constants at the top level of `src/format`.
pub fn constants() -> Vec<String> {
    let mut names = Vec::new();
    for room in rooms().iter().map(String::as_str).chain(["mod"]) {
        for line in read(&format!("src/format/{room}.rs")).lines() {
            let name = line.strip_prefix("pub const ").filter(|rest| !rest.starts_with("fn "));
            names.extend(name.and_then(|rest| rest.split(':').next()).map(str::to_owned));
        }
    }
    names
}

/// Every type of `src/format` that serde stores field by field.
pub fn stored_types() -> Vec<Stored> {
    let mut types = Vec::new();
    for room in rooms() {
        let text = read(&format!("src/format/{room}.rs"));
        let mut is_stored = false;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("#[derive(") {
                is_stored = line.contains("Deserialize");
            }
            let (rest, is_enum) = match (line.strip_prefix("pub struct "), line.strip_prefix("pub enum ")) {
                (Some(rest), _) => (rest, false),
                (_, Some(rest)) => (rest, true),
                _ => continue,
            };
            let Some(name) = rest.strip_suffix(" {").filter(|_| is_stored) else { continue };
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
            let fields = if is_enum { variants(&body) } else { fields(&body, "    pub ") };
            types.push(Stored { room: room.clone(), name: name.to_owned(), fields, is_enum });
        }
    }
    types
}

fn fields(body: &[&str], indent: &str) -> Vec<(String, String)> {
    let fields = body.iter().filter_map(|line| line.strip_prefix(indent)?.strip_suffix(',')?.split_once(": "));
    fields.map(|(name, type_)| (name.to_owned(), words(type_))).collect()
}

fn variants(body: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (number, line) in body.iter().enumerate() {
        let Some(line) = line.strip_prefix("    ").filter(|line| line.starts_with(char::is_uppercase)) else {
            continue;
        };
        let name = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let inside = match line.strip_prefix(name).and_then(|rest| rest.chars().next()) {
            Some('(') => {
                let inner = line[name.len() + 1..].trim_end_matches("),");
                let inner = inner.split(']').next_back().unwrap_or_default().trim();
                inner.split(", ").map(words).collect::<Vec<_>>().join(", ")
            }
            Some(' ') => {
                let inner: Vec<&str> =
                    body[number + 1..].iter().copied().take_while(|line| *line != "    },").collect();
                let inner = fields(&inner, "        ");
                inner.iter().map(|(name, type_)| format!("{name}: {type_}")).collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        };
        found.push((name.to_owned(), inside));
    }
    found
}

/// A type of the code as section 7 of the document calls it.
fn words(type_: &str) -> String {
    let inside = |prefix: &str| type_.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>'));
    if let Some(item) = inside("Option<") {
        return format!("optional {}", words(item));
    }
    if let Some(item) = inside("Vec<") {
        return format!("list of {}", words(item));
    }
    if let Some(items) = type_.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return format!("({})", items.split(", ").map(words).collect::<Vec<_>>().join(", "));
    }
    match type_ {
        "[u8; 32]" | "ChunkId" | "SnapshotId" | "PackId" | "ObjectHash" => "32 bytes".into(),
        "RepoId" | "DestinationId" | "WriterId" => "16 bytes".into(),
        "[u8; 8]" => "8 bytes".into(),
        "String" => "text".into(),
        "Bytes" => "byte string".into(),
        "Extra" => "additions".into(),
        "Flags" => "u8".into(),
        other => other.into(),
    }
}

/// Invariants that comments in `src` cite: where, and which number.
pub fn cited_invariants() -> Vec<(String, u32)> {
    let mut cited = Vec::new();
    for path in rust_files(&project("src")) {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), number + 1);
            let comment = line.split_once("//").map_or("", |(_, comment)| comment);
            cited.extend(invariants_in(comment).into_iter().map(|number| (place.clone(), number)));
        }
    }
    cited
}

/// The numbers in `I7` and `invariant 7`.
pub fn invariants_in(text: &str) -> Vec<u32> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let mut numbers = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let is_after = place > 0 && ["invariant", "invariants"].contains(&words[place - 1].to_lowercase().as_str());
        let digits = if is_after { Some(*word) } else { word.strip_prefix('I') };
        numbers.extend(digits.and_then(|digits| digits.parse::<u32>().ok()));
    }
    numbers
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let paths = entries.map(|entry| entry.expect("a folder of the project").into_path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
