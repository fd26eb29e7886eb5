//! The program as a process: wiring, wording, exit codes. What the library does is tested in the library.

mod help;
mod readme;
mod setup;
mod support;
mod usage;
