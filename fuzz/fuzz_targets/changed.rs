//! Runs `changed` (src/lib.rs) on what libFuzzer thinks up.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cryptbackup_fuzz::run("changed", data));
