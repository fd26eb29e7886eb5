//! A file per command: its arguments with their help, one call into the library, and the words for what came back.

pub mod add;
pub mod backup;
pub mod check;
pub mod clean;
pub mod completions;
pub mod config;
pub mod connect;
pub mod destination;
pub mod forget;
pub mod init;
pub mod list;
pub mod ls;
pub mod note;
pub mod pin;
pub mod purge;
pub mod quickstart;
pub mod rebuild_index;
pub mod remove;
pub mod restore;
pub mod scrub;
pub mod snapshots;
pub mod status;
pub mod sync;
pub mod sysinfo;
pub mod tag;
pub mod unforget;
