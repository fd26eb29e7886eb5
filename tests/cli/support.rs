//! Runs the program in a world of its own: an empty home, a state folder, no variable of the tester's.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

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

    /// A machine that is set up: the source `docs`, and destinations in folders of their names.
    pub fn set_up(destinations: &[&str]) -> Self {
        let world = Self::new();
        world.folder("docs");
        world.run("init").expect_code(0);
        world.run("add docs").expect_code(0);
        for name in destinations {
            world.run(&format!("config set destinations.{name} {name}")).expect_code(0);
        }
        world
    }

    /// Writes a file, and the folders it lies in.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// What is in a file.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Renames something, as when a disk is unplugged.
    pub fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    /// The names in a folder, sorted.
    #[track_caller]
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("listed").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Every file below a folder, the largest first.
    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(self.path(folder)).into_iter().map(|entry| entry.expect("listed"));
        let mut files: Vec<_> = entries.filter(|entry| entry.file_type().is_file()).collect();
        files.sort_by_key(|entry| std::cmp::Reverse(entry.metadata().expect("a size").len()));
        files.into_iter().map(walkdir::DirEntry::into_path).collect()
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

    /// Writes a configuration where `init` would, with modes nobody else can read. There are no keys yet.
    pub fn write_config(&self, text: &str) -> PathBuf {
        let path = self.state().join("config.yaml");
        std::fs::create_dir_all(self.state().join("state/repo")).expect("a state folder");
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
        // Long runs take a copy of the program that nobody builds anew meanwhile.
        let program = std::env::var_os("PROGRAM_TO_TEST").unwrap_or_else(|| env!("CARGO_BIN_EXE_cryptbackup").into());
        let mut command = Command::new(program);
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

    /// Fails unless stderr has all of these in it.
    #[track_caller]
    pub fn expect_said(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is not in\n{}", self.stderr);
        }
        self
    }

    /// Fails unless stdout has all of these in it.
    #[track_caller]
    pub fn expect_shown(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stdout.contains(part), "{part:?} is not in\n{}", self.stdout);
        }
        self
    }

    /// An error: this code, a sentence and a hint on stderr, nothing on stdout.
    #[track_caller]
    pub fn expect_error(self, code: i32, parts: &[&str]) -> Self {
        let ended = self.expect_code(code).expect_said(parts).expect_said(&["error: "]);
        assert_eq!(ended.stdout, "", "data only");
        assert!(code == 2 || ended.stderr.contains("\nhint: "), "no hint in\n{}", ended.stderr);
        ended
    }

    /// The one document on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }

    /// The last line of long work, after lines that all say what they are.
    #[track_caller]
    pub fn summary(&self) -> Value {
        let lines: Vec<Value> = self
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout)))
            .collect();
        for line in &lines {
            let known = ["status", "error", "summary"];
            assert!(line["message_type"].as_str().is_some_and(|text| known.contains(&text)), "{line}");
        }
        let last = lines.last().expect("a line").clone();
        assert_eq!(last["message_type"], "summary", "{last}");
        last
    }
}

/// A run that is under way.
pub struct Running {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Starts a command, which writes JSON, and waits until it is at this stage.
    pub fn until(mut command: Command, stage: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut running = Self { stdout: BufReader::new(child.stdout.take().expect("a pipe")), child };
        let mut line = String::new();
        loop {
            line.clear();
            let count = running.stdout.read_line(&mut line).expect("lines");
            assert!(count > 0, "it ended before it was at {stage}");
            let value: Value = serde_json::from_str(&line).expect("JSON lines");
            if value["stage"] == stage {
                return running;
            }
        }
    }

    /// Whether it is still at work.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends Ctrl-C.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        let process = Pid::from_raw(self.child.id() as i32).expect("a process");
        kill_process(process, Signal::INT).expect("it is ours");
    }

    /// Ends it at once.
    #[cfg(unix)]
    pub fn kill(&self) {
        use rustix::process::{Pid, Signal, kill_process};
        kill_process(Pid::from_raw(self.child.id() as i32).expect("a process"), Signal::KILL).expect("it is ours");
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        use std::io::Read;
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).expect("stdout is text");
        self.child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("stderr is text");
        Ended { code: self.child.wait().expect("it ends").code(), stdout, stderr }
    }
}

/// Bytes that do not compress, different for every seed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
