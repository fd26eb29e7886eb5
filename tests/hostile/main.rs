//! Everything that is hostile: repositories, targets, sources, sizes that are watched, and ciphers used in the wrong way.
//!
//! Each module is a suite of the test plan and has its number in the names of its tests. What runs without being asked is
//! a slice; `cargo test --test hostile -- --ignored t17_` runs the whole of one and prints what it counted.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the whole runs say what they counted")]

mod changing;
mod ciphers;
mod forge;
mod leaks;
mod support;

mod partial;
mod planted;
mod racing;
mod roots;
mod trees;
mod vectors;
mod weird;
