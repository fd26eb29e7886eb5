//! `cryptbackup`: encrypted, deduplicating, incremental backups to several destinations at once.
//!
//! The modules stand in the order in which a byte meets them.

pub mod monitor;
pub mod report;

// What the bytes mean.
pub mod format;

// The way of a byte.
pub mod chunk;
pub mod seal;
pub mod pack;

// What is remembered.
pub mod index;
pub mod snapshot;
