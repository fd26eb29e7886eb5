//! Reliability: a simulated machine whose disks lose what was not synced and fail on command, and what must hold then.
//!
//! What begins with `t01_` to `t04_` takes minutes: `cargo test --release --test reliability -- --ignored t01`. A slice
//! of each runs with all other tests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "figures are printed")]

mod crashes;
mod disk;
mod errors;
mod left;
mod mended;
mod order;
mod recover;
mod rig;
mod sim;
mod source;
mod tally;
mod workload;

#[path = "../library/support/trees.rs"]
mod trees;
