//! Patterns that leave entries out, in gitignore syntax: a matcher for one list of them, and the reader of
//! `.cryptbackupignore` files.
//!
//! Where the matching crate deviates from git, patterns are rewritten before it sees them. To git, braces are ordinary
//! characters. In the list of a source they mean alternatives as in a shell (`*.{jpg,png}`), but only where there is a
//! comma between them, so that a folder named `{1234-abcd}` can be named.

use std::ops::RangeInclusive;
use std::path::Path;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::class::{self, Class};

/// Name of the files whose patterns hold in their folder and below it.
pub(super) const IGNORE_FILE: &[u8] = b".cryptbackupignore";
/// Name of the files that leave entries out of git, which count too where that is asked for.
pub(super) const GIT_IGNORE_FILE: &[u8] = b".gitignore";
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
        if line.starts_with('#') || matches!(line.trim_end(), "" | "/") {
            return Ok(());
        }
        if line.len() > PATTERN_LEN_MAX {
            return Err("it is too long".into());
        }
        let (negation, pattern) = line.strip_prefix('!').map_or(("", line), |rest| ("!", rest));
        if matches!(pattern.trim_end(), "" | "/") {
            return Err("there is nothing after the `!`".into());
        }
        // Said outright, because the crate would take the slash in a rewritten class for one of the path.
        let place = if is_anchored(pattern) { "" } else { "**/" };
        let line = format!("{negation}{place}{}", translated(pattern, braces)?);
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

/// Whether the pattern is a path from the folder it belongs to: it has a slash, and not only at its end.
fn is_anchored(pattern: &str) -> bool {
    let pattern = pattern.trim_end();
    pattern.strip_suffix('/').unwrap_or(pattern).contains('/')
}

/// Rewrites a pattern so that the crate takes it as git would: braces that are to mean themselves are escaped, and so is
/// a bracket that is never closed; classes are written anew.
fn translated(pattern: &str, braces: Braces) -> Result<String, String> {
    let groups = if braces == Braces::Alternatives { brace_groups(pattern) } else { Vec::new() };
    let mut out = String::with_capacity(pattern.len() + 4);
    for (at, piece) in scan(pattern) {
        match piece {
            Piece::Class(class) => match class.upside_down() {
                Some((first, last)) => return Err(format!("the range {first}-{last} is upside down")),
                None => out.push_str(&class.to_glob()),
            },
            Piece::Brace(brace) => {
                if !groups.iter().any(|group| *group.start() == at || *group.end() == at) {
                    out.push('\\');
                }
                out.push(brace);
            }
            Piece::Plain('[') => out.push_str("\\["),
            Piece::Plain(char) => out.push(char),
            Piece::Escape(escaped) => {
                out.push('\\');
                out.extend(escaped);
            }
        }
    }
    Ok(out)
}

/// Where groups of alternatives stand: first and last byte of each balanced pair of braces with a comma of its own.
pub(super) fn brace_groups(pattern: &str) -> Vec<RangeInclusive<usize>> {
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut groups = Vec::new();
    for (at, piece) in scan(pattern) {
        match piece {
            Piece::Brace('{') => open.push((at, false)),
            Piece::Brace(_) => {
                if let Some((start, true)) = open.pop() {
                    groups.push(start..=at);
                }
            }
            Piece::Plain(',') => {
                if let Some((_, has_comma)) = open.last_mut() {
                    *has_comma = true;
                }
            }
            _ => {}
        }
    }
    groups
}

enum Piece {
    Brace(char),
    Class(Class),
    /// A backslash and what it escapes; nothing at the end of the pattern.
    Escape(Option<char>),
    Plain(char),
}

/// Cuts a pattern into pieces, each with the byte it begins at.
fn scan(pattern: &str) -> impl Iterator<Item = (usize, Piece)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &pattern[at..];
        let mut chars = rest.chars();
        let (len, piece) = match chars.next()? {
            brace @ ('{' | '}') => (1, Piece::Brace(brace)),
            '\\' => {
                let escaped = chars.next();
                (1 + escaped.map_or(0, char::len_utf8), Piece::Escape(escaped))
            }
            other => match class::parse(rest) {
                Some((len, class)) => (len, Piece::Class(class)),
                None => (other.len_utf8(), Piece::Plain(other)),
            },
        };
        let start = at;
        at += len;
        Some((start, piece))
    })
}
