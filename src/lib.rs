//! `cryptbackup`: encrypted, deduplicating, incremental backups to several destinations at once.
//!
//! The modules stand in the order in which a byte meets them.

pub mod error;
pub mod memory;
pub mod paths;
pub mod report;

// What the bytes mean.
pub mod format;

// The way of a byte.
pub mod source;
pub mod chunk;
pub mod seal;
pub mod destination;
pub mod pack;
pub mod replicate;

// What is remembered.
pub mod spill;
pub mod index;
pub mod snapshot;
pub mod live;
pub mod repo;

// What can be asked for.
pub mod backup;
pub mod restore;
pub mod check;
pub mod clean;
pub mod sync;
pub mod explore;

// Who asks.
pub mod watch;
pub mod cli;
