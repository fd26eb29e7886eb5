//! What a seeded bug is, and all of them.

use crate::{cleaning, disk, sealing, writing};

/// The library's own tests, as a place where a test is.
pub const LIB: &str = "lib";

/// A deliberate bug.
#[derive(Debug, Clone, Copy)]
pub struct Bug {
    /// What it does wrong.
    pub name: &'static str,
    /// The invariants of docs/format.md that it breaks, or another rule.
    pub breaks: &'static str,
    /// The source file, below the package.
    pub file: &'static str,
    /// What stands there once.
    pub find: &'static str,
    /// What stands there instead.
    pub replace: &'static str,
    /// Where the test is that must fail: [`LIB`], or a folder in `tests/`.
    pub place: &'static str,
    /// The name of its function.
    pub test: &'static str,
}

impl Bug {
    /// The invariants it breaks, by their numbers.
    pub fn invariants(&self) -> impl Iterator<Item = u32> {
        let words = self.breaks.split(|c: char| !c.is_alphanumeric());
        words.filter_map(|word| word.strip_prefix('I')?.parse().ok())
    }
}

/// Bugs that the test plan names and that this design has no place for, with the reason.
pub const IMPOSSIBLE: &[(&str, &str)] = &[];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Bug> {
    disk::BUGS.iter().chain(writing::BUGS).chain(cleaning::BUGS).chain(sealing::BUGS)
}
