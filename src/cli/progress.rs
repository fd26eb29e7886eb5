//! What a person or a script sees of long work: a bar with the time left on a terminal, status lines with `--json`,
//! nothing else otherwise. Problems of single entries are passed on the moment they happen.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::messages::{library, text};
use super::output::Output;
use super::{names, shapes, signals, words};
use crate::error::Error;
use crate::report::{Monitor, Problem, Stage};

/// Time between two status lines.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// Time between two turns of the spinner, and between two looks at the time left.
const TICK: Duration = Duration::from_millis(250);
/// Every stage, so that they can be made of one width.
const STAGES: [Stage; 7] = [
    Stage::Opening,
    Stage::Reading,
    Stage::CatchingUp,
    Stage::Restoring,
    Stage::Checking,
    Stage::Rebuilding,
    Stage::Cleaning,
];

/// The [`Monitor`] of the command line.
pub struct Progress<'a> {
    out: &'a Output,
    bar: Option<ProgressBar>,
    stop: Arc<AtomicBool>,
    /// Whether it was said that the work is about to stop.
    has_said_stop: AtomicBool,
    began: Instant,
    items: AtomicU64,
    bytes: AtomicU64,
    /// Whether status and error lines are written: a listing is one document and has none.
    has_lines: bool,
    /// Whether what is worked on is written as a line of the report, in a dry run.
    lists_current: AtomicBool,
    /// Whether the bar of this stage shows items, because the bytes of the whole are not known.
    by_items: AtomicBool,
    status: Mutex<Status>,
}

/// What a status line says besides the counters.
struct Status {
    stage: Option<Stage>,
    items_total: Option<u64>,
    bytes_total: Option<u64>,
    current: String,
    written: Instant,
}

impl<'a> Progress<'a> {
    /// Progress of one command; from now on the first Ctrl-C only asks the work to stop.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn new(out: &'a Output) -> Result<Self, Error> {
        Ok(Self::with_stop(out, signals::stop_flag()?, out.wishes.json))
    }

    /// Of a command that goes on until it is stopped: it has no bar and no status lines.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn of_service(out: &'a Output) -> Result<Self, Error> {
        let mut progress = Self::with_stop(out, signals::stop_flag()?, false);
        progress.bar = None;
        Ok(progress)
    }

    /// Progress of a listing: Ctrl-C ends it at once, and there are no JSON lines beside its one document.
    pub fn of_listing(out: &'a Output) -> Self {
        Self::with_stop(out, Arc::default(), false)
    }

    fn with_stop(out: &'a Output, stop: Arc<AtomicBool>, has_lines: bool) -> Self {
        let shown = out.stderr_is_terminal && !out.wishes.quiet && !out.wishes.json && !out.wishes.no_progress;
        // Nothing is drawn before the first stage says how it should look.
        let bar = shown.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8)));
        let began = Instant::now();
        let status =
            Status { stage: None, items_total: None, bytes_total: None, current: String::new(), written: began };
        Self {
            out,
            bar,
            stop,
            has_said_stop: AtomicBool::new(false),
            began,
            items: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            has_lines,
            lists_current: AtomicBool::new(false),
            by_items: AtomicBool::new(false),
            status: Mutex::new(status),
        }
    }

    /// From now on what is worked on is a line of the report: in a dry run, the files that would be read.
    pub fn list_current(&self) {
        self.lists_current.store(true, Ordering::Relaxed);
    }

    /// Takes the bar away, before a report is written.
    pub fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn has_status_lines(&self) -> bool {
        self.has_lines && !self.out.wishes.no_progress
    }

    fn write_status(&self, status: &mut Status) {
        status.written = Instant::now();
        let (items, bytes) = (self.items.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        let ratio = |done: u64, total: Option<u64>| {
            total.filter(|total| *total > 0).map(|total| (done as f64 / total as f64).min(1.0))
        };
        let value = json!({
            "stage": status.stage.map(stage_name),
            "items_done": items,
            "items_total": status.items_total,
            "bytes_done": bytes,
            "bytes_total": status.bytes_total,
            "ratio_done": ratio(bytes, status.bytes_total).or_else(|| ratio(items, status.items_total)),
            "seconds_elapsed": self.began.elapsed().as_secs_f64(),
            "current": status.current,
        });
        self.out.message("status", value);
    }

    /// Runs `write` so that its lines do not run into the bar.
    fn beside_bar(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.done();
    }
}

impl Monitor for Progress<'_> {
    fn begin(&self, stage: Stage, total_items: Option<u64>, total_bytes: Option<u64>) {
        self.items.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            let (length, look) = match (total_bytes, total_items) {
                (Some(bytes), _) => (Some(bytes), Look::Bytes),
                (None, Some(items)) => (Some(items), Look::Items),
                (None, None) => (None, Look::Spinner),
            };
            self.by_items.store(total_bytes.is_none() && total_items.is_some(), Ordering::Relaxed);
            // The style comes first, since everything after it draws. The templates are fixed and a test reads them;
            // without a style there is still a bar.
            if let Ok(style) = ProgressStyle::with_template(&template(look)) {
                bar.set_style(style);
            }
            bar.set_prefix(stage_words(stage));
            bar.set_message("");
            match length {
                Some(length) => bar.set_length(length),
                None => bar.unset_length(),
            }
            bar.reset();
            // Each time: the ticks end when a bar is taken away. Where no thread can be started for them, the bar's own call
            // ends the program.
            if thread::Builder::new().spawn(|| ()).is_ok() {
                bar.enable_steady_tick(TICK);
            }
        }
        if self.has_status_lines() {
            let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
            *status = Status {
                stage: Some(stage),
                items_total: total_items,
                bytes_total: total_bytes,
                current: String::new(),
                written: status.written,
            };
            self.write_status(&mut status);
        }
    }

    fn advance(&self, items: u64, bytes: u64) {
        let items = self.items.fetch_add(items, Ordering::Relaxed) + items;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(bar) = &self.bar {
            bar.set_position(if self.by_items.load(Ordering::Relaxed) { items } else { bytes });
        }
        // Where the lock is taken, another thread is writing a line, which is as good.
        if self.has_status_lines()
            && let Ok(mut status) = self.status.try_lock()
            && status.written.elapsed() >= STATUS_EVERY
        {
            self.write_status(&mut status);
        }
    }

    fn current(&self, what: &str) {
        if self.lists_current.load(Ordering::Relaxed) {
            self.beside_bar(|| self.out.say(&text!("would-read", what = names::escape(what.as_bytes()))));
        }
        if let Some(bar) = &self.bar {
            bar.set_message(names::escape(what.as_bytes()));
        }
        if self.has_status_lines()
            && let Ok(mut status) = self.status.try_lock()
        {
            what.clone_into(&mut status.current);
        }
    }

    fn problem(&self, problem: &Problem) {
        if self.has_lines {
            self.out.message("error", shapes::problem(problem));
        } else if self.out.wishes.verbose > 1 {
            self.beside_bar(|| self.out.tell(&words::problem_line(problem)));
        }
    }

    fn note(&self, sentence: &str) {
        self.beside_bar(|| self.out.note(&names::escape(library::translated(sentence).as_bytes())));
    }

    fn should_stop(&self) -> bool {
        let stop = self.stop.load(Ordering::Relaxed);
        if stop && !self.has_said_stop.swap(true, Ordering::Relaxed) {
            self.beside_bar(|| self.out.note(&text!("stopping")));
        }
        stop
    }
}

/// The stage in JSON.
fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Opening => "opening",
        Stage::Reading => "reading",
        Stage::CatchingUp => "catching-up",
        Stage::Restoring => "restoring",
        Stage::Checking => "checking",
        Stage::Rebuilding => "rebuilding",
        Stage::Cleaning => "cleaning",
    }
}

/// The stage for people, all of one width so that the bars line up.
fn stage_words(stage: Stage) -> String {
    let width = STAGES.iter().map(|stage| words_of(*stage).chars().count()).max().unwrap_or_default();
    format!("{:<width$}", words_of(stage))
}

fn words_of(stage: Stage) -> String {
    match stage {
        Stage::Opening => text!("stage-opening"),
        Stage::Reading => text!("stage-reading"),
        Stage::CatchingUp => text!("stage-catching-up"),
        Stage::Restoring => text!("stage-restoring"),
        Stage::Checking => text!("stage-checking"),
        Stage::Rebuilding => text!("stage-rebuilding"),
        Stage::Cleaning => text!("stage-cleaning"),
    }
}

/// How a bar looks.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// The bytes of the whole are known.
    Bytes,
    /// Only the number of items is known.
    Items,
    /// Nothing is known of the whole.
    Spinner,
}

/// What the bar is made of: its fields stand in braces, the words between them are of the language.
fn template(look: Look) -> String {
    let shown = match look {
        Look::Bytes => {
            let (done, total) = ("{decimal_bytes}", "{decimal_total_bytes}");
            let amount = text!("bar-amount", done = done, total = total, left = "{eta}");
            format!("{{bar:24}} {{percent:>3}}%  {amount}")
        }
        Look::Items => {
            let amount = text!("bar-amount", done = "{human_pos}", total = "{human_len}", left = "{eta}");
            format!("{{bar:24}} {{percent:>3}}%  {amount}")
        }
        Look::Spinner => "{spinner}  {decimal_bytes}, {elapsed}".to_owned(),
    };
    format!("{{prefix}} {shown}  {{wide_msg}}")
}

#[cfg(test)]
mod tests {
    use super::super::messages::language::in_french;
    use super::super::output::{Wishes, captured};
    use super::*;
    use crate::report::ProblemKind;

    fn problem() -> Problem {
        Problem { path: "/a\u{1b}".into(), kind: ProblemKind::Unreadable, detail: "denied".to_owned() }
    }

    #[test]
    fn json_has_status_and_error_lines() {
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        let progress = Progress::with_stop(&out, Arc::default(), out.wishes.json);
        progress.begin(Stage::Reading, Some(10), Some(1000));
        progress.advance(1, 250);
        progress.problem(&problem());
        progress.status.lock().expect("no panic").written -= STATUS_EVERY;
        progress.current("/a");
        progress.advance(1, 250);
        progress.advance(1, 1);
        let lines = stdout.json_lines();
        let types: Vec<_> = lines.iter().map(|line| line["message_type"].as_str().expect("a type")).collect();
        assert_eq!(types, ["status", "error", "status"], "one a second, and one where a stage begins");
        assert_eq!(lines[0]["stage"], "reading");
        assert_eq!(lines[1]["path"], "/a\u{1b}");
        assert_eq!((&lines[2]["items_done"], &lines[2]["bytes_done"]), (&json!(2), &json!(500)));
        assert_eq!((&lines[2]["ratio_done"], &lines[2]["current"]), (&json!(0.5), &json!("/a")));
    }

    #[test]
    fn without_a_terminal_only_notes_are_said() {
        let (out, stdout, stderr) = captured::output(Wishes::default());
        let progress = Progress::with_stop(&out, Arc::default(), out.wishes.json);
        progress.begin(Stage::Opening, None, None);
        progress.advance(1, 1);
        progress.problem(&problem());
        progress.note("usb was lost\u{1b}");
        progress.done();
        assert_eq!((stdout.text().as_str(), stderr.text().as_str()), ("", "usb was lost\\u{1b}\n"));
    }

    #[test]
    fn a_dry_run_can_list_what_would_be_read() {
        let (out, stdout, _) = captured::output(Wishes::default());
        let progress = Progress::with_stop(&out, Arc::default(), false);
        progress.current("primary");
        progress.list_current();
        progress.current("/a\u{1b}");
        assert_eq!(stdout.text(), "would read /a\\u{1b}\n");
    }

    #[test]
    fn no_progress_silences_status_lines_but_not_errors() {
        let (out, stdout, _) = captured::output(Wishes { json: true, no_progress: true, ..Wishes::default() });
        let progress = Progress::with_stop(&out, Arc::default(), out.wishes.json);
        progress.begin(Stage::Opening, None, None);
        progress.problem(&problem());
        assert_eq!(stdout.json_lines().len(), 1);
    }

    #[test]
    fn the_flag_stops_the_work_and_the_templates_are_well_formed() {
        let (out, _, stderr) = captured::output(Wishes::default());
        let stop = Arc::new(AtomicBool::new(false));
        let progress = Progress::with_stop(&out, Arc::clone(&stop), false);
        assert!(!progress.should_stop());
        stop.store(true, Ordering::Relaxed);
        assert!(progress.should_stop() && progress.should_stop());
        assert_eq!(stderr.text().lines().count(), 1, "said once");
        let templates = || [Look::Bytes, Look::Items, Look::Spinner].map(template);
        for template in templates().into_iter().chain(in_french(templates)) {
            ProgressStyle::with_template(&template).expect(&template);
        }
        let bar = "{prefix} {bar:24} {percent:>3}%  {human_pos} of {human_len}, {eta} left  {wide_msg}";
        assert_eq!(template(Look::Items), bar);
        assert_eq!(stage_words(Stage::Reading), "Reading    ");
        assert_eq!(in_french(|| stage_words(Stage::Reading)), "Lecture       ");
    }
}
