//! What a person types to name paths: a glob, or a plain word.

use globset::{GlobBuilder, GlobMatcher};

use crate::error::Error;
use crate::paths;

/// A pattern that is compared with whole paths.
pub(super) struct PathPattern {
    glob: GlobMatcher,
    /// A plain word finds whatever has it in its path.
    word: Option<Word>,
}

struct Word {
    bytes: Vec<u8>,
    ignores_case: bool,
}

impl PathPattern {
    /// A pattern; one without a slash is meant for names. Only letters of ASCII have a case in a plain word.
    ///
    /// # Errors
    /// [`Error::Usage`] for a pattern that is none.
    pub fn new(pattern: &str, ignores_case: bool) -> Result<Self, Error> {
        let anywhere = if pattern.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
        let glob = GlobBuilder::new(&anywhere)
            .literal_separator(true)
            .case_insensitive(ignores_case)
            .build()
            .map_err(|error| Error::Usage(format!("`{pattern}` is not a pattern: {error}")))?;
        let is_word = !pattern.is_empty() && !pattern.contains(['*', '?', '[', '{']);
        let word = is_word.then(|| Word { bytes: pattern.as_bytes().to_vec(), ignores_case });
        Ok(Self { glob: glob.compile_matcher(), word })
    }

    /// Whether a path, as bytes, is meant.
    pub fn is_match(&self, path: &[u8]) -> bool {
        self.word.as_ref().is_some_and(|word| word.is_in(path)) || self.glob.is_match(paths::from_bytes(path))
    }
}

impl Word {
    fn is_in(&self, path: &[u8]) -> bool {
        let mut windows = path.windows(self.bytes.len());
        windows.any(|window| window == self.bytes || self.ignores_case && window.eq_ignore_ascii_case(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_names_paths_and_words() {
        let is_match =
            |pattern: &str, path: &str| PathPattern::new(pattern, false).expect(pattern).is_match(path.as_bytes());
        assert!(is_match("*.pdf", "/home/ada/a.pdf") && !is_match("*.pdf", "/home/ada/a.pdf.txt"));
        assert!(is_match("/home/*/a", "/home/ada/a") && !is_match("/home/*/a", "/home/ada/b/a"));
        assert!(is_match("ada", "/home/ada/x") && is_match("home/ada", "/home/ada/x") && !is_match("ada", "/home/x"));
        assert!(!is_match("Ada", "/home/ada/x"));
        assert!(PathPattern::new("a[", false).is_err());
        for pattern in ["ADA", "*.PDF", "/Home/**"] {
            assert!(PathPattern::new(pattern, true).expect(pattern).is_match(b"/home/ada/x.pdf"), "{pattern}");
        }
    }
}
