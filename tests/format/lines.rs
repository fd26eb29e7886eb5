//! Bytes with a field and a value beside them, as the hex examples of docs/format.md show them.

use data_encoding::HEXLOWER;

use crate::encode::{counted, little_endian, varint, zigzag};

/// Bytes shown in one line of text at most.
const WIDTH: usize = 16;

/// Some bytes and what they are. Without bytes: bytes that are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub bytes: Vec<u8>,
    pub text: String,
}

/// An example, field by field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines(pub Vec<Line>);

impl Lines {
    /// Adds a line.
    pub fn line(&mut self, bytes: &[u8], text: impl Into<String>) {
        self.0.push(Line { bytes: bytes.to_vec(), text: text.into() });
    }

    /// Adds bytes that speak for themselves.
    pub fn raw(&mut self, field: &str, bytes: &[u8]) {
        self.line(bytes, field);
    }

    /// Adds a number of a fixed layout.
    pub fn fixed(&mut self, field: &str, value: u64, size: usize) {
        self.line(&little_endian(value, size), format!("{field} = {value}"));
    }

    /// Adds the first bytes of an object.
    pub fn magic(&mut self, magic: &[u8]) {
        self.line(magic, format!("magic = {}", quoted(magic)));
    }

    /// Adds reserved bytes.
    pub fn reserved(&mut self, size: usize) {
        self.line(&vec![0; size], "reserved");
    }

    /// Adds the checksum of everything before it.
    pub fn crc(&mut self) {
        let crc = crc32fast::hash(&self.bytes());
        self.line(&little_endian(crc.into(), 4), "crc");
    }

    /// Adds a number of a record.
    pub fn uint(&mut self, field: &str, value: impl Into<u64>) {
        let value = value.into();
        self.line(&varint(value), format!("{field} = {value}"));
    }

    /// Adds a signed number of a record.
    pub fn int(&mut self, field: &str, value: impl Into<i64>) {
        let value = value.into();
        self.line(&zigzag(value), format!("{field} = {value}"));
    }

    /// Adds a byte string or text of a record.
    pub fn string(&mut self, field: &str, bytes: &[u8]) {
        self.line(&counted(bytes), format!("{field} = {}", quoted(bytes)));
    }

    /// Adds the number of items of a list.
    pub fn count(&mut self, field: &str, count: usize) {
        let items = if count == 1 { "item" } else { "items" };
        self.line(&varint(count as u64), format!("{field} = {count} {items}"));
    }

    /// Adds the index of a variant.
    pub fn variant(&mut self, field: &str, index: u8, name: &str) {
        self.line(&[index], format!("{field} = {name}"));
    }

    /// Adds a `bool` of a record.
    pub fn truth(&mut self, field: &str, is_true: bool) {
        self.line(&[u8::from(is_true)], format!("{field} = {is_true}"));
    }

    /// Adds the byte that says whether something optional is there.
    pub fn option(&mut self, field: &str, is_there: bool) {
        self.line(&[u8::from(is_there)], format!("{field} = {}", if is_there { "present" } else { "absent" }));
    }

    /// Shows the first and the last bytes of something long.
    pub fn shortened(&mut self, field: &str, bytes: &[u8], first: usize, last: usize) {
        let middle = bytes.len() - first - last;
        self.line(&bytes[..first], format!("{field}, its first {first} bytes"));
        self.line(&[], format!("… {middle} bytes"));
        if last > 0 {
            self.line(&bytes[bytes.len() - last..], format!("{field}, its last {last} bytes"));
        }
    }

    /// All bytes that are shown.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|line| line.bytes.clone()).collect()
    }

    /// The bytes of the line that begins with `field`.
    pub fn field(&self, field: &str) -> &[u8] {
        let found = self.0.iter().find(|line| line.text.split(" = ").next() == Some(field));
        &found.unwrap_or_else(|| panic!("no line `{field}`")).bytes
    }

    /// The text of the document.
    pub fn render(&self) -> String {
        let longest = self.0.iter().map(|line| line.bytes.len().min(WIDTH)).max().unwrap_or(0);
        let mut out = String::new();
        for line in &self.0 {
            let mut rows = line.bytes.chunks(WIDTH).peekable();
            if rows.peek().is_none() {
                out.push_str(&line.text);
                out.push('\n');
            }
            while let Some(row) = rows.next() {
                let hex: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
                let text = if rows.peek().is_none() { line.text.as_str() } else { "" };
                let row = format!("{:width$}  {text}", hex.join(" "), width = 3 * longest - 1);
                out.push_str(row.trim_end());
                out.push('\n');
            }
        }
        out
    }

    /// Reads what [`Lines::render`] wrote.
    pub fn parse(text: &str) -> Self {
        let mut lines = Self::default();
        let mut pending = Vec::new();
        for row in text.lines() {
            if row.starts_with('…') {
                lines.line(&[], row);
                continue;
            }
            let (hex, text) = row.split_once("  ").unwrap_or((row, ""));
            for digits in hex.split(' ') {
                let byte = HEXLOWER.decode(digits.as_bytes()).unwrap_or_else(|_| panic!("not hexadecimal: `{row}`"));
                pending.extend(byte);
            }
            if !text.trim().is_empty() {
                lines.line(&pending, text.trim());
                pending.clear();
            }
        }
        assert!(pending.is_empty(), "the last bytes have no field: {text}");
        lines
    }
}

/// Bytes as people read them where that is possible, else as hexadecimal digits.
fn quoted(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(|c| !c.is_control()) => format!("\"{text}\""),
        _ => HEXLOWER.encode(bytes),
    }
}

/// `name = value` lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values(pub Vec<(String, String)>);

impl Values {
    /// Adds a value.
    pub fn text(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds bytes.
    pub fn bytes(&mut self, name: &str, value: &[u8]) {
        self.text(name, HEXLOWER.encode(value));
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(found, _)| found == name);
        &found.unwrap_or_else(|| panic!("no value `{name}`")).1
    }

    /// The value of a name as bytes.
    pub fn get_bytes(&self, name: &str) -> Vec<u8> {
        HEXLOWER.decode(self.get(name).as_bytes()).unwrap_or_else(|_| panic!("`{name}` is not hexadecimal"))
    }

    /// The text of the document.
    pub fn render(&self) -> String {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        self.0.iter().map(|(name, value)| format!("{name:width$} = {value}\n")).collect()
    }

    /// Reads what [`Values::render`] wrote.
    pub fn parse(text: &str) -> Self {
        let mut values = Self::default();
        for line in text.lines() {
            let (name, value) = line.split_once(" = ").unwrap_or_else(|| panic!("not `name = value`: {line}"));
            values.text(name.trim(), value);
        }
        values
    }
}
