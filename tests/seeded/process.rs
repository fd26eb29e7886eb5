//! Commands that may hang, and what they said.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// What became of a command.
pub struct Ended {
    /// Whether it said that all is well; none where it did not end in time.
    pub is_success: Option<bool>,
    /// What it wrote to stdout.
    pub out: String,
    /// What it wrote to stderr.
    pub err: String,
}

/// Runs a command to its end, or kills it with everything it started when the time is over. What it says goes through
/// files in `folder`.
pub fn run(command: &mut Command, folder: &Path, limit: Duration) -> io::Result<Ended> {
    let (out, err) = (folder.join("out"), folder.join("err"));
    command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?);
    let began = Instant::now();
    let mut child = command.process_group(0).spawn()?;
    let is_success = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status.success());
        }
        if began.elapsed() >= limit {
            let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            // It may have ended meanwhile.
            let _ = group.map(|group| kill_process_group(group, Signal::KILL));
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let read = |path| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Ended { is_success, out: read(&out)?, err: read(&err)? })
}
