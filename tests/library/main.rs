//! Behaviour through the library: what is promised about backups, destinations, versions and restores.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a test that cannot run here says why")]

mod support;

mod backup;
mod beside;
mod changes;
mod clean;
mod clocks;
mod copies;
mod destinations;
mod drill;
mod explore;
mod golden;
mod guard;
mod healing;
mod incremental;
mod inputs;
mod keys;
mod machines;
mod model;
mod places;
mod privacy;
mod purge;
mod restore;
mod rollback;
mod roots;
mod smart;
mod source;
