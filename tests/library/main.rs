//! Behaviour through the library: what is promised about backups, destinations, versions and restores.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

mod backup;
mod destinations;
mod golden;
mod places;
mod privacy;
mod restore;
mod roots;
mod source;
