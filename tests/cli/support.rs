//! Runs the program in a world of its own: an empty home, a state folder, no variable of the tester's.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A machine with nothing on it.
pub struct World {
    folder: TempDir,
}

impl World {
    /// An empty home and no state folder yet.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        std::fs::create_dir(folder.path().join("home")).expect("a home");
        Self { folder }
    }

    /// A path in the world.
    pub fn path(&self, name: &str) -> PathBuf {
        // Without links, as the program shows them.
        self.folder.path().canonicalize().expect("it exists").join(name)
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Writes a configuration, as `init` would, with modes nobody else can read.
    pub fn write_config(&self, text: &str) -> PathBuf {
        let path = self.state().join("config.yaml");
        std::fs::create_dir_all(self.state()).expect("a state folder");
        std::fs::write(&path, text).expect("a configuration");
        make_private(&path);
        path
    }

    /// Makes a folder.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("a folder");
        path
    }

    /// The program with these arguments, in the world's folder.
    pub fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cryptbackup"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.path("home"))
            .env("USERPROFILE", self.path("home"))
            .env("CRYPTBACKUP_HOME", self.state())
            .env("TZ", "UTC")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program with words parted by blanks.
    pub fn run(&self, words: &str) -> Ended {
        Ended::of(self.command(words.split_whitespace()))
    }

    /// Runs the program with these arguments.
    pub fn run_args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Ended {
        Ended::of(self.command(arguments))
    }
}

#[cfg(unix)]
fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("ours");
}

#[cfg(not(unix))]
fn make_private(_: &Path) {}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl Ended {
    /// Runs a command to its end.
    pub fn of(mut command: Command) -> Self {
        let Output { status, stdout, stderr } = command.output().expect("the program starts");
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).expect("stdout is text"),
            stderr: String::from_utf8(stderr).expect("stderr is text"),
        }
    }

    /// Fails with everything that was said, unless it ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The one document on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }
}
