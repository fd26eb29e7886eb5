//! The walls: rules of the house that no compiler knows, read off the source text. One package has no crate boundaries, so
//! who may use whom, where the four dangers live and how things are called is kept by these tests.
//!
//! Plain Rust, without the library. An exception stands in the rule's own table with its reason, and one that is no longer
//! needed fails too.

mod code;
mod examples;
mod files;
mod layers;
mod places;
mod readme;
mod words;

/// Fails with all of them at once.
fn assert_none(offences: Vec<String>) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}
