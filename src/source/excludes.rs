//! The exclude list of a source, as `add --exclude` takes it and the configuration keeps it.
//!
//! A pattern without `/` matches one component of a path anywhere below the source, one with `/` is anchored at the
//! source; otherwise gitignore syntax. Two things differ from a line of an ignore file, because here every element is
//! a pattern: `#` begins no comment, and an absolute path below the source means what it says.

use std::path::Path;

use super::SourceError;
use super::rules::{Braces, Rules, RulesBuilder, brace_groups};

/// The exclude list of one source.
#[derive(Debug)]
pub struct Excludes(Option<Rules>);

impl Excludes {
    /// Checks patterns before they are written into the configuration.
    ///
    /// # Errors
    /// [`SourceError::BadPattern`] for the first that is not one.
    pub fn validate(patterns: &[String]) -> Result<(), SourceError> {
        Self::new(patterns, Path::new("/")).map(|_| ())
    }

    /// The list of the source at `root`. Blank patterns exclude nothing.
    ///
    /// # Errors
    /// [`SourceError::BadPattern`] for the first that is not one.
    pub fn new(patterns: &[String], root: &Path) -> Result<Self, SourceError> {
        let mut builder = RulesBuilder::new();
        let bad = |pattern: &str, detail| SourceError::BadPattern { pattern: pattern.to_owned(), detail };
        for pattern in patterns {
            builder.add(&as_line(pattern, root), Braces::Alternatives).map_err(|detail| bad(pattern, detail))?;
        }
        let rules = builder.build().map_err(|detail| bad(&patterns.join(","), detail))?;
        Ok(Self(rules))
    }

    /// Whether the patterns, made for the root of the file system, match the file at an absolute path.
    pub fn matches(&self, file: &Path) -> bool {
        file.strip_prefix("/").is_ok_and(|relative| self.decide(relative, false) == Some(true))
    }

    /// Whether a file at `relative`, a path below the source, is left out: itself, or a folder it is in.
    pub fn leaves_out(&self, relative: &Path) -> bool {
        let folders = relative.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        let mut folders: Vec<&Path> = folders.collect();
        folders.reverse();
        folders.iter().any(|folder| self.decide(folder, true) == Some(true))
            || self.decide(relative, false) == Some(true)
    }

    /// Whether `relative`, a path below the source, is left out; `None` when no pattern says.
    pub(super) fn decide(&self, relative: &Path, is_folder: bool) -> Option<bool> {
        self.0.as_ref()?.excludes(relative, is_folder)
    }

    /// Whether there is no pattern at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// The pattern as a line of gitignore syntax.
fn as_line(pattern: &str, root: &Path) -> String {
    if pattern.starts_with('#') {
        return format!("\\{pattern}");
    }
    let (negation, path) = pattern.strip_prefix('!').map_or(("", pattern), |rest| ("!", rest));
    match root.to_str().and_then(|root| path.strip_prefix(root)) {
        Some(below) if below.len() > 1 && below.starts_with('/') => format!("{negation}{below}"),
        _ => pattern.to_owned(),
    }
}

/// Splits `"*.tmp,~*,desktop.ini"` into patterns. `\,` is a comma in a pattern, commas between the braces of
/// `*.{jpg,png}` do not split, and blanks around a pattern are not part of it.
pub fn split_list(list: &str) -> Vec<String> {
    let groups = brace_groups(list);
    let mut patterns = vec![String::new()];
    let mut chars = list.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let is_grouped = groups.iter().any(|group| group.contains(&at));
        match (char, patterns.last_mut()) {
            (',', _) if !is_grouped => patterns.push(String::new()),
            ('\\', Some(pattern)) => {
                let next = chars.next().map(|(_, next)| next);
                if next != Some(',') || is_grouped {
                    pattern.push('\\');
                }
                pattern.extend(next);
            }
            (char, Some(pattern)) => pattern.push(char),
            (_, None) => {}
        }
    }
    patterns.iter().map(|pattern| trim(pattern).to_owned()).filter(|pattern| !pattern.is_empty()).collect()
}

/// Without blanks around it, but with one that is escaped at the end.
fn trim(pattern: &str) -> &str {
    let start = pattern.trim_start();
    let end = start.trim_end();
    match start[end.len()..].chars().next() {
        Some(blank) if end.ends_with('\\') => &start[..end.len() + blank.len_utf8()],
        _ => end,
    }
}
