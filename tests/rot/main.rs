//! Rot: bits that flip, files that are cut, swapped or lost on a destination. All of it is found, none of it is restored,
//! and it is healed as long as good bytes are anywhere.
//!
//! `cargo test --test rot` runs a slice; `cargo test --release --test rot -- --ignored --nocapture` runs everything and
//! prints what was counted. Functions with `objects` in their names look at one object at a time with what `check` and
//! `scrub` look at it with; the others go through the whole program on disk.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what was counted")]

mod bits;
mod copies;
mod lost;
mod mutations;
mod repair;
mod rounds;
mod world;
