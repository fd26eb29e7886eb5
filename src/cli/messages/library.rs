//! What the library says, in the language of this run.

/// A sentence of the library, or a part of one.
pub fn translated(sentence: &str) -> String {
    sentence.to_owned()
}
