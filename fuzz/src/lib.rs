//! What must hold for any bytes: no decoder panics, hangs or allocates without bounds, and what one of them accepts comes
//! back the same from its encoder.
//!
//! A target is a function of bytes. `cargo fuzz run NAME` lets libFuzzer choose them, `cargo test --no-default-features`
//! throws the committed inputs and random changes of them at every target.
#![forbid(unsafe_code)]

mod changes;
mod heads;
mod indexes;
mod keys;
mod packs;
mod pieces;
mod records;
mod restores;
pub mod seeds;
mod streams;
mod texts;
mod world;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, in the order of the sections of docs/format.md; then what people type and see, and whole repositories.
pub const TARGETS: &[Target] = &[
    ("names", texts::names),
    ("header", heads::header),
    ("slot", heads::slot),
    ("sealed_record", records::sealed),
    ("records", records::records),
    ("pack_head", heads::pack_head),
    ("directory", packs::directory),
    ("pack_reader", packs::reader),
    ("block", packs::block),
    ("changed", changes::changed),
    ("recipe", streams::recipe),
    ("tree", streams::tree),
    ("snapshot", records::snapshot),
    ("history", records::history),
    ("mark", records::mark),
    ("cleaning", records::cleaning),
    ("chunker", streams::chunker),
    ("excludes", texts::excludes),
    ("settings", texts::settings),
    ("dates", texts::dates),
    ("secrets", texts::secrets),
    ("shown", texts::shown),
    ("index", indexes::index),
    ("restore", restores::restore),
];

/// Runs one target once.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
    target(data);
}
