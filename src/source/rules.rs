//! Patterns that leave entries out, in gitignore syntax: a matcher for one list of them, and the reader of
//! `.cryptbackupignore` files.
//!
//! One deviation of the matching crate is taken back here: to git, braces are ordinary characters. In the list of a
//! source they mean alternatives as in a shell (`*.{jpg,png}`), but only where there is a comma between them, so that
//! a folder named `{1234-abcd}` can be named.

use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// Name of the files whose patterns hold in their folder and below it.
pub(super) const IGNORE_FILE: &[u8] = b".cryptbackupignore";
/// A longer ignore file is not read.
pub(super) const IGNORE_FILE_LEN_MAX: u64 = 1 << 20;

/// A longer pattern is refused: no path is so long, and what it compiles to would be without bounds.
const PATTERN_LEN_MAX: usize = 4096;

/// What braces mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Braces {
    Alternatives,
    Literal,
}

/// A list of patterns; the last one that matches decides.
#[derive(Debug)]
pub(super) struct Rules(Gitignore);

impl Rules {
    /// Whether `relative`, a path below the folder the rules belong to, is left out; `None` when no pattern says.
    pub fn excludes(&self, relative: &Path, is_folder: bool) -> Option<bool> {
        match self.0.matched(relative, is_folder) {
            Match::None => None,
            Match::Ignore(_) => Some(true),
            Match::Whitelist(_) => Some(false),
        }
    }
}

/// Collects patterns.
pub(super) struct RulesBuilder(GitignoreBuilder);

impl RulesBuilder {
    pub fn new() -> Self {
        // The paths to match are relative already; to the crate that is the folder `.`.
        Self(GitignoreBuilder::new("."))
    }

    /// Adds one line of gitignore syntax. `Err` says what is wrong with it.
    pub fn add(&mut self, line: &str, braces: Braces) -> Result<(), String> {
        if matches!(line.trim_end(), "!" | "!/") {
            return Err("there is nothing after the `!`".into());
        }
        if line.len() > PATTERN_LEN_MAX {
            return Err("it is too long".into());
        }
        let line = with_plain_braces(line, braces);
        self.0.add_line(None, &line).map(|_| ()).map_err(|error| reason(&error))
    }

    /// The matcher, or `None` when no line was a pattern. `Err` when all of them together are too large.
    pub fn build(&self) -> Result<Option<Rules>, String> {
        let matcher = self.0.build().map_err(|error| reason(&error))?;
        Ok(if matcher.is_empty() { None } else { Some(Rules(matcher)) })
    }
}

/// Reads an ignore file. Lines that are no patterns are left out and told as sentences.
pub(super) fn parse_ignore_file(bytes: &[u8]) -> (Option<Rules>, Vec<String>) {
    let mut builder = RulesBuilder::new();
    let mut complaints = Vec::new();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let added = match str::from_utf8(line) {
            Ok(line) => builder.add(line, Braces::Literal),
            Err(_) => Err("it is not UTF-8".into()),
        };
        if let Err(why) = added {
            complaints.push(format!("line {} is not a pattern and was not applied: {why}", number + 1));
        }
    }
    let rules = builder.build().unwrap_or_else(|why| {
        complaints.push(format!("its patterns were not applied: {why}"));
        None
    });
    (rules, complaints)
}

/// The crate's own words without the glob, which the caller names as the user wrote it.
fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        other => other.to_string(),
    }
}

/// Escapes every brace that is to mean itself.
fn with_plain_braces(pattern: &str, braces: Braces) -> String {
    let groups = if braces == Braces::Alternatives { brace_groups(pattern) } else { Vec::new() };
    let mut out = String::with_capacity(pattern.len() + 4);
    for (at, kind) in scan(pattern) {
        let piece = &pattern[at.clone()];
        let is_plain = !groups.iter().any(|group| *group.start() == at.start || *group.end() == at.start);
        if kind == Piece::Brace && is_plain {
            out.push('\\');
        }
        out.push_str(piece);
    }
    out
}

/// Where groups of alternatives stand: first and last byte of each balanced pair of braces with a comma of its own.
pub(super) fn brace_groups(pattern: &str) -> Vec<std::ops::RangeInclusive<usize>> {
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut groups = Vec::new();
    for (at, kind) in scan(pattern) {
        match (kind, &pattern[at.clone()]) {
            (Piece::Brace, "{") => open.push((at.start, false)),
            (Piece::Brace, _) => {
                if let Some((start, true)) = open.pop() {
                    groups.push(start..=at.start);
                }
            }
            (Piece::Plain, ",") => {
                if let Some((_, has_comma)) = open.last_mut() {
                    *has_comma = true;
                }
            }
            _ => {}
        }
    }
    groups
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Brace,
    Plain,
    /// An escaped character or a class in brackets.
    Opaque,
}

/// Cuts a pattern into characters, except that an escape and a bracketed class are one piece each.
fn scan(pattern: &str) -> impl Iterator<Item = (std::ops::Range<usize>, Piece)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &pattern[at..];
        let first = rest.chars().next()?;
        let (len, kind) = match first {
            '{' | '}' => (1, Piece::Brace),
            '\\' => (1 + rest[1..].chars().next().map_or(0, char::len_utf8), Piece::Opaque),
            '[' => class_len(rest).map_or((1, Piece::Plain), |len| (len, Piece::Opaque)),
            other => (other.len_utf8(), Piece::Plain),
        };
        let range = at..at + len;
        at += len;
        Some((range, kind))
    })
}

/// Length of the class `rest` begins with, or `None` when its bracket is never closed and means itself.
fn class_len(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('[')?;
    let inner = inner.strip_prefix(['!', '^']).unwrap_or(inner);
    // A closing bracket right at the start is a member of the class.
    let searched = inner.strip_prefix(']').unwrap_or(inner);
    let end = searched.find(']')?;
    Some(rest.len() - searched.len() + end + 1)
}
