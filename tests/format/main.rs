//! docs/format.md against the code: the document is the text of record, and nothing in it may drift.

mod agreement;
mod blocks;
mod builder;
mod decode;
mod describe;
mod describe_decisions;
mod document;
mod encode;
#[cfg(unix)]
mod engine;
mod example;
mod example_decisions;
mod golden;
mod library;
mod lines;
mod numbers;
mod restore;
mod sealed;
mod second_reader;
mod source;
mod words;
