//! Names that differ only in case, which some targets take for one.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The same for all spellings, and for few other names.
pub fn key(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for char in String::from_utf8_lossy(name).chars() {
        // As the file systems do that ignore case: one for one.
        let mut upper = char.to_uppercase();
        match (upper.next(), upper.next()) {
            (Some(one), None) => one.hash(&mut hasher),
            _ => char.hash(&mut hasher),
        }
    }
    hasher.finish()
}
