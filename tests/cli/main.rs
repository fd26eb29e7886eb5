//! The program as a process: wiring, wording, exit codes. What the library does is tested in the library.

#![allow(clippy::print_stderr, reason = "a test that cannot run here says why")]

mod busy;
#[cfg(unix)]
mod chaos;
mod clean;
mod codes;
mod connect;
mod damage;
mod destinations;
mod drill;
mod explore;
mod french;
#[cfg(target_os = "linux")]
mod full_disk;
mod guard;
mod help;
mod hints;
mod inputs;
mod json;
#[cfg(target_os = "linux")]
mod keys;
mod limits;
mod lost;
mod quickstart;
mod readme;
mod seed;
mod setup;
mod smart;
mod support;
mod usage;
mod versions;
#[cfg(target_os = "linux")]
mod watch;
mod wrong;
