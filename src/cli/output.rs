//! Where words go: results on stdout, everything else on stderr, and JSON instead of words when asked for.
//!
//! Whoever reads may go away (`cryptbackup ls latest | head`). That is not an error: the rest is thrown away, and long
//! listings look at [`Output::is_closed`]. Any other failure to write is kept and ends the program with an error.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::messages::text;
use crate::error::Error;

/// What the common options ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// JSON on stdout instead of words.
    pub json: bool,
    /// No reports when all is well.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// No bar and no status lines.
    pub no_progress: bool,
}

/// How a word looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// All is well.
    Good,
    /// Needs attention.
    Attention,
    /// Is wrong.
    Bad,
    /// A heading.
    Strong,
}

/// Both streams and what is known about them.
pub struct Output {
    /// The common options.
    pub wishes: Wishes,
    /// Whether a person reads stdout.
    pub stdout_is_terminal: bool,
    /// Whether a person reads stderr.
    pub stderr_is_terminal: bool,
    colour: bool,
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    closed: AtomicBool,
    failed: Mutex<Option<io::Error>>,
}

impl Output {
    /// The streams of the process.
    pub fn of_process(wishes: Wishes) -> Self {
        let stdout = io::stdout();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            wishes,
            stdout_is_terminal: stdout.is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            colour: stdout.is_terminal() && !no_colour && !wishes.json,
            stdout: Mutex::new(Box::new(BufWriter::new(stdout))),
            stderr: Mutex::new(Box::new(io::stderr())),
            closed: AtomicBool::new(false),
            failed: Mutex::new(None),
        }
    }

    /// A result: a line on stdout, also when quiet. Not for JSON.
    pub fn data(&self, line: &str) {
        if !self.wishes.json {
            self.raw(line.as_bytes());
        }
    }

    /// Part of a report: a line on stdout, unless quiet. Not for JSON.
    pub fn say(&self, line: &str) {
        if !self.wishes.quiet {
            self.data(line);
        }
    }

    /// A line of bytes on stdout as they are.
    pub fn raw(&self, line: &[u8]) {
        self.to_stdout(|stdout| {
            stdout.write_all(line)?;
            stdout.write_all(b"\n")
        });
    }

    /// Bytes on stdout without an end of line.
    pub fn part(&self, bytes: &[u8]) {
        self.to_stdout(|stdout| stdout.write_all(bytes));
    }

    /// Stdout for bytes as they are. Once nobody reads them any more it says so with an error.
    pub fn sink(&self) -> Sink<'_> {
        Sink(self)
    }

    /// The one JSON document of a listing.
    pub fn document(&self, value: &Value) {
        self.raw(value.to_string().as_bytes());
    }

    /// A JSON line of long work, at once. `message_type` is put in front of the fields of `value`.
    pub fn message(&self, message_type: &str, mut value: Value) {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("message_type".to_owned(), json!(message_type));
        }
        self.document(&value);
        self.to_stdout(|stdout| stdout.flush());
    }

    /// A line on stderr.
    pub fn tell(&self, line: &str) {
        // First what was said before, so that a terminal shows things in their order.
        self.to_stdout(|stdout| stdout.flush());
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        // When stderr is gone there is nobody left to tell.
        let _ = writeln!(stderr, "{line}");
    }

    /// A line on stderr that a quiet run does without.
    pub fn note(&self, line: &str) {
        if !self.wishes.quiet {
            self.tell(line);
        }
    }

    /// A warning on stderr.
    pub fn warn(&self, sentence: &str) {
        self.tell(&text!("line-warning", sentence = sentence));
    }

    /// What to do about it, on stderr.
    pub fn hint(&self, sentence: &str) {
        self.tell(&text!("line-hint", sentence = sentence));
    }

    /// A word in its colour, where colours are shown.
    pub fn paint(&self, style: Style, word: &str) -> String {
        let code = match style {
            Style::Good => "32",
            Style::Attention => "33",
            Style::Bad => "31",
            Style::Strong => "1",
        };
        if self.colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
    }

    /// Shows what was said so far, for who goes on for long.
    pub fn flush(&self) {
        self.to_stdout(|stdout| stdout.flush());
    }

    /// Whether nobody reads stdout any more.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Writes out what is still held back.
    ///
    /// # Errors
    /// [`Error::Io`] when something could not be written; a reader that went away is none.
    pub fn finish(&self) -> Result<(), Error> {
        self.to_stdout(|stdout| stdout.flush());
        match self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(source) => {
                Err(Error::Io { what: text!("verb-write-to"), path: text!("standard-output").into(), source })
            }
            None => Ok(()),
        }
    }

    fn to_stdout(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        if self.is_closed() {
            return;
        }
        let mut stdout = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        let written = write(&mut **stdout).and_then(|()| if self.stdout_is_terminal { stdout.flush() } else { Ok(()) });
        if let Err(error) = written {
            self.closed.store(true, Ordering::Relaxed);
            if error.kind() != io::ErrorKind::BrokenPipe {
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
    }
}

/// See [`Output::sink`].
pub struct Sink<'a>(&'a Output);

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.part(bytes);
        if self.0.is_closed() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.to_stdout(|stdout| stdout.flush());
        Ok(())
    }
}

#[cfg(test)]
pub mod captured {
    //! An output that tests can read.

    use std::sync::Arc;

    use super::*;

    /// What was written to one stream.
    #[derive(Clone, Default)]
    pub struct Stream(Arc<Mutex<Vec<u8>>>);

    impl Stream {
        /// The text so far.
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("no test panics while writing").clone()).expect("text")
        }

        /// The lines so far, each as JSON.
        pub fn json_lines(&self) -> Vec<Value> {
            self.text().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
        }
    }

    impl Write for Stream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no test panics while writing").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output that is no terminal, its stdout and its stderr.
    pub fn output(wishes: Wishes) -> (Output, Stream, Stream) {
        let (stdout, stderr) = (Stream::default(), Stream::default());
        (with_streams(wishes, Box::new(stdout.clone()), Box::new(stderr.clone())), stdout, stderr)
    }

    /// An output to these streams.
    pub fn with_streams(wishes: Wishes, stdout: Box<dyn Write + Send>, stderr: Box<dyn Write + Send>) -> Output {
        Output {
            wishes,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            colour: false,
            stdout: Mutex::new(stdout),
            stderr: Mutex::new(stderr),
            closed: AtomicBool::new(false),
            failed: Mutex::new(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn results_reports_and_json_go_where_they_belong() {
        let (out, stdout, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        out.data("data");
        out.say("report");
        out.note("note");
        out.warn("careful");
        assert_eq!((stdout.text().as_str(), stderr.text().as_str()), ("data\n", "warning: careful\n"));

        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        out.data("data");
        out.say("report");
        out.message("summary", json!({ "files": 1 }));
        assert_eq!(stdout.json_lines(), [json!({ "message_type": "summary", "files": 1 })]);
    }

    #[test]
    fn a_reader_that_went_away_is_no_error_and_a_full_disk_is() {
        let broken = |kind| captured::with_streams(Wishes::default(), Box::new(Broken(kind)), Box::new(io::sink()));
        let out = broken(io::ErrorKind::BrokenPipe);
        out.data("lost");
        assert!(out.is_closed());
        out.finish().expect("nobody wanted it");
        let out = broken(io::ErrorKind::StorageFull);
        out.data("lost");
        assert!(matches!(out.finish(), Err(Error::Io { .. })));
    }
}
