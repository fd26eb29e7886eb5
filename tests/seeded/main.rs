//! The test of the tests: deliberate bugs, one at a time, and for each a test that must fail.
//!
//! A [`bug::Bug`] is a small change to one source file, as text, so that nothing in the program knows of it. The fast
//! tests here see to it that every change still has its place, that the test that is to notice it exists, and that no
//! invariant of docs/format.md is without one. `t24_every_seeded_bug_is_caught` makes each of them in a copy of the
//! package, builds it, runs that test, and wants it to fail:
//!
//! ```text
//! cargo test --test seeded -- --ignored --nocapture t24
//! ```
//!
//! | variable | what |
//! |---|---|
//! | `CRYPTBACKUP_SEEDED` | only bugs whose names contain one of these words, which commas part, or whose tests are in one of these places |
//! | `CRYPTBACKUP_SEEDED_TARGET` | where the copy is built; kept, so that another run need not build what is depended on |
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "the table is printed")]

mod bug;
mod cleaning;
mod disk;
mod list;
mod process;
mod run;
mod sealing;
mod writing;
