//! docs/format.md as sections, tables, fenced blocks and quoted words.

use std::path::{Path, PathBuf};

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of the project.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A numbered section.
#[derive(Debug)]
pub struct Section {
    pub number: u32,
    /// The file of `src/format` it describes.
    pub room: Option<String>,
}

/// A table, and the line of text before it.
#[derive(Debug)]
pub struct Table {
    pub section: u32,
    pub intro: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A fenced block with a kind and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub kind: String,
    pub name: String,
    pub text: String,
}

/// The document.
pub struct Document {
    pub text: String,
    pub sections: Vec<Section>,
    pub tables: Vec<Table>,
    pub blocks: Vec<Block>,
}

impl Document {
    /// Reads docs/format.md.
    pub fn load() -> Self {
        let text = read("docs/format.md");
        let mut document = Self { text: String::new(), sections: Vec::new(), tables: Vec::new(), blocks: Vec::new() };
        let mut lines = text.lines().peekable();
        let mut intro = String::new();
        while let Some(line) = lines.next() {
            if let Some(fence) = line.strip_prefix("```") {
                let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                document.push_block(fence, &body);
            } else if let Some(title) = line.strip_prefix("## ") {
                document.push_section(title);
            } else if line.starts_with('|') {
                let mut rows = vec![cells(line)];
                while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                    rows.push(cells(row));
                }
                document.push_table(&intro, rows);
            }
            if !line.is_empty() {
                intro = line.to_owned();
            }
        }
        document.text = text;
        document
    }

    fn push_section(&mut self, heading: &str) {
        let (number, title) = heading.split_once(". ").unwrap_or_else(|| panic!("no number: {heading}"));
        let number = number.parse().unwrap_or_else(|_| panic!("no number: {heading}"));
        let room = title.split_once(" (`").and_then(|(_, room)| room.strip_suffix("`)")).map(str::to_owned);
        self.sections.push(Section { number, room });
    }

    fn push_block(&mut self, fence: &str, body: &[&str]) {
        if let Some((kind, name)) = fence.split_once(' ') {
            let text = body.iter().map(|line| format!("{line}\n")).collect();
            self.blocks.push(Block { kind: kind.to_owned(), name: name.to_owned(), text });
        }
    }

    fn push_table(&mut self, intro: &str, mut rows: Vec<Vec<String>>) {
        let head = rows.remove(0);
        rows.remove(0);
        assert!(rows.iter().all(|row| row.len() == head.len()), "a row of another width, after: {intro}");
        let section = self.sections.last().map_or(0, |section| section.number);
        self.tables.push(Table { section, intro: intro.to_owned(), head, rows });
    }

    /// The tables with these column heads.
    pub fn tables_with(&self, head: &[&str]) -> Vec<&Table> {
        let found: Vec<_> = self.tables.iter().filter(|table| table.head == head).collect();
        assert!(!found.is_empty(), "no table {head:?}");
        found
    }

    /// The text of a block.
    pub fn block(&self, kind: &str, name: &str) -> &str {
        let found = self.blocks.iter().find(|block| block.kind == kind && block.name == name);
        &found.unwrap_or_else(|| panic!("no block `{kind} {name}`")).text
    }

    /// Everything between backticks, outside of fenced blocks.
    pub fn code_words(&self) -> Vec<&str> {
        let mut words = Vec::new();
        for (number, part) in self.text.split("```").enumerate() {
            if number % 2 == 0 {
                words.extend(part.split('`').skip(1).step_by(2));
            }
        }
        words
    }
}

fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// A cell without the backticks around it.
pub fn plain(cell: &str) -> &str {
    cell.trim_matches('`')
}
