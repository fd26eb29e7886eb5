//! docs/format.md against the code: the document is the text of record, and nothing in it may drift.

mod agreement;
mod blocks;
mod decode;
mod describe;
mod document;
mod encode;
mod example;
mod lines;
mod numbers;
mod sealed;
mod source;
mod words;
