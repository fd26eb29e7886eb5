//! `cryptbackup`: encrypted, deduplicating, incremental backups to several destinations at once.
//!
//! The modules stand in the order in which a byte meets them.

pub mod error;
pub mod monitor;
pub mod report;

// What the bytes mean.
pub mod format;

// What is remembered.
pub mod engine_placeholder;
pub mod repo;

// Who asks.
pub mod cli;
