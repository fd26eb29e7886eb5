//! One command as a whole process: how long it takes, and the most memory it had.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What one command took.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    pub seconds: f64,
    /// The highest resident set of the largest of its processes, in bytes; looked at every two milliseconds.
    pub peak_bytes: u64,
    pub code: Option<i32>,
}

/// Runs a command to its end; gives what it wrote to stderr too.
///
/// The system's own sum at the end of a child is no use here: it counts what the parent had when the child began.
pub fn measure(command: &mut Command) -> (Measured, String) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut peak_bytes = 0;
    while child.try_wait().expect("a child").is_none() {
        peak_bytes = peak(child.id()).max(peak_bytes);
        thread::sleep(Duration::from_millis(2));
    }
    let seconds = began.elapsed().as_secs_f64();
    let output = child.wait_with_output().expect("it ended");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (Measured { seconds, peak_bytes, code: output.status.code() }, said)
}

/// The highest mark that the system keeps of a process and those it started, in bytes.
fn peak(id: u32) -> u64 {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
    let status = read("status");
    let mark =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let children = read(&format!("task/{id}/children"));
    let below = children.split_whitespace().filter_map(|child| child.parse().ok()).map(peak);
    below.max().unwrap_or(0).max(mark.map_or(0, |kib| kib << 10))
}
