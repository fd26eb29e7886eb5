//! `watch`: back up what changes, until stopped.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{backup as backup_command, sync as sync_command};
use crate::backup::BackupReport;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::{library, text};
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::{cleaned, hints, names, suspect, units, words};
use crate::error::Error;
use crate::sync::SyncReport;
use crate::watch::{self, News, WatchReport, WatchRequest};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup watch
  cryptbackup watch --json
  cryptbackup watch --verbose";

/// Back up what changes, as it changes, until stopped by Ctrl-C or SIGTERM
///
/// First everything is looked at. Then a change is saved when it has come to rest, at most once every `watch.interval`
/// seconds; with `watch.realtime` off everything is looked at every so many seconds instead. Destinations that were away
/// catch up when they are back.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Accepted for older scripts; it stays in the foreground, and a service manager puts it into the background
    #[arg(short, long)]
    daemon: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let secret = context.secret(&args.secret)?;
    let out = &context.out;
    if args.daemon {
        out.note(&text!("watch-foreground"));
    }
    let progress = Progress::of_service(out)?;
    let mut teller = Teller { context, behind: BTreeMap::new() };
    out.note(&text!("watch-starting"));
    let report = watch::run(&context.home, WatchRequest { secret }, &progress, &mut |news| teller.hear(&news))?;
    print(out, &report);
    // To be stopped is how it ends; that a person or a service manager asked for it is no failure.
    Ok(ExitStatus::Done)
}

/// Says what happens: a line for a backup, and nothing twice.
struct Teller<'a> {
    context: &'a Context,
    /// Destinations that are said to be behind.
    behind: BTreeMap<String, Option<String>>,
}

impl Teller<'_> {
    fn hear(&mut self, news: &News<'_>) {
        let out = &self.context.out;
        if out.wishes.json {
            if let Some((kind, value)) = line(news) {
                out.message(kind, value);
            }
            return;
        }
        match news {
            News::Began { sources, folders, interval } => began(out, *sources, *folders, *interval),
            News::Unwatched { source, why } => {
                out.warn(&text!("watch-unwatched", path = names::path(source), why = library::translated(why)));
            }
            News::Missed(why) => out.note(&text!("watch-missed", when = now(), why = library::translated(why))),
            News::Changed(path) if out.wishes.verbose > 0 => out.say(&text!("watch-changed", path = names::path(path))),
            News::Changed(_) => {}
            News::Went(name) => out.note(&text!("watch-went", when = now(), name = names::escape(name.as_bytes()))),
            News::Came(name) => out.note(&text!("watch-came", when = now(), name = names::escape(name.as_bytes()))),
            News::BackedUp(report) => self.backed_up(report),
            News::Synced(report) => synced(out, report),
            News::Cleaned(result) => self.cleaned(result),
            News::Failed(error) => {
                let explained = hints::explain(error);
                out.warn(&text!("watch-tried-again", what = explained.sentence));
                if let Some(hint) = explained.hint {
                    out.tell(&text!("line-hint", sentence = hint));
                }
            }
        }
        out.flush();
    }

    fn backed_up(&mut self, report: &BackupReport) {
        let out = &self.context.out;
        match report.snapshot_id {
            Some(id) => {
                let saved = report.destinations.iter().filter(|outcome| outcome.committed);
                let saved: Vec<String> =
                    saved.map(|outcome| format!("[{}]", names::escape(outcome.name.as_bytes()))).collect();
                out.say(&text!(
                    "watch-saved",
                    when = now(),
                    snapshot = id.short(),
                    new = report.files_new,
                    changed = report.files_changed,
                    stored = units::bytes(report.bytes_stored),
                    duration = units::duration(report.duration_seconds),
                    destinations = saved.join(", "),
                ));
            }
            None if out.wishes.verbose > 0 => out.say(&text!("watch-same", when = now())),
            None => {}
        }
        words::list_problems(out, &report.problems);
        suspect::warn(out, &report.suspect);
        for outcome in &report.destinations {
            let is_behind = (report.snapshot_id.is_some() && !outcome.committed) || outcome.snapshots_behind > 0;
            let trouble = words::trouble(outcome.state, outcome.kind, outcome.detail.as_deref());
            if !is_behind {
                self.behind.remove(&outcome.name);
            } else if self.behind.insert(outcome.name.clone(), trouble.clone()).as_ref() != Some(&trouble) {
                words::warn_of_behind(
                    out,
                    &outcome.name,
                    &outcome.path,
                    outcome.snapshots_behind,
                    outcome.state,
                    trouble,
                );
            }
        }
    }

    fn cleaned(&self, result: &Result<crate::clean::CleanReport, Error>) {
        let out = &self.context.out;
        match result {
            Ok(report) => cleaned::say_after_backup(out, report),
            Err(error) => out.warn(&text!("watch-cleaning-failed", why = hints::explain(error).sentence)),
        }
    }
}

fn now() -> String {
    units::moment(crate::repo::Clock::default().now())
}

fn began(out: &Output, sources: usize, folders: usize, interval: u64) {
    out.note(&text!("watch-began"));
    out.note(&format!("  {}", text!("watch-sources", n = sources as u64, folders = folders as u64)));
    out.note(&format!("  {}", text!("watch-interval", n = interval)));
    out.note(&format!("  {}", text!("watch-how-to-stop")));
}

fn synced(out: &Output, report: &SyncReport) {
    for synced in report.destinations.iter().filter(|synced| synced.snapshots_copied > 0) {
        out.say(&text!(
            "watch-caught-up",
            when = now(),
            name = names::escape(synced.name.as_bytes()),
            snapshots = text!("count-snapshots", n = synced.snapshots_copied),
        ));
    }
}

/// News as a JSON line; none where a script has no use for them.
fn line(news: &News<'_>) -> Option<(&'static str, Value)> {
    Some(match news {
        News::Began { sources, folders, interval } => {
            ("watching", json!({ "sources": sources, "folders_watched": folders, "interval_seconds": interval }))
        }
        News::Unwatched { source, why } => {
            ("unwatched", with_path(json!({ "detail": why }), "path", path_bytes(source)))
        }
        News::Missed(why) => ("missed", json!({ "detail": why })),
        News::Changed(_) => return None,
        News::Went(name) => ("destination", json!({ "name": name, "is_there": false })),
        News::Came(name) => ("destination", json!({ "name": name, "is_there": true })),
        News::BackedUp(report) => ("backup", backup_command::summary(report)),
        News::Synced(report) => ("sync", sync_command::summary(report)),
        News::Cleaned(Ok(report)) => ("clean", cleaned::document(report)),
        News::Cleaned(Err(error)) => ("error", failure(error)),
        News::Failed(error) => ("error", failure(error)),
    })
}

fn failure(error: &Error) -> Value {
    let explained = hints::explain(error);
    let (message, status) = (explained.sentence, explained.status.code());
    json!({ "fatal": false, "error": explained.name, "message": message, "exit_code": status })
}

fn print(out: &Output, report: &WatchReport) {
    if out.wishes.json {
        let value = json!({
            "changes": report.changes,
            "backups": report.backups,
            "backups_whole": report.whole,
            "snapshots": report.snapshots,
            "files_saved": report.files,
            "bytes_read": report.bytes_read,
            "bytes_stored": report.bytes_stored,
            "snapshots_caught_up": report.caught_up,
            "failures": report.failures,
            "problems": report.problems,
            "duration_seconds": report.duration_seconds,
            "exit_code": ExitStatus::Done.code(),
        });
        out.message("summary", value);
        return;
    }
    out.say(&text!("watch-ended"));
    out.say(&format!(" {}", text!("watch-statistics")));
    for line in [
        text!("watch-total-time", duration = units::duration(report.duration_seconds)),
        text!("watch-total-changes", n = report.changes),
        text!("watch-total-backups", n = report.backups, whole = report.whole),
        text!("watch-total-snapshots", n = report.snapshots),
        text!("watch-total-files", n = report.files),
        text!("watch-total-read", size = units::bytes(report.bytes_read)),
        text!("watch-total-stored", size = units::bytes(report.bytes_stored)),
        text!("watch-total-caught-up", n = report.caught_up),
        text!("watch-total-failures", n = report.failures),
        text!("watch-total-problems", n = report.problems),
    ] {
        out.say(&format!("  {line}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};

    #[test]
    fn the_statistics_are_a_block_or_a_summary() {
        let report = WatchReport { backups: 1_200, whole: 2, bytes_read: 5_000_000, ..WatchReport::default() };
        let (out, stdout, _) = captured::output(Wishes::default());
        print(&out, &report);
        let text = stdout.text();
        assert!(text.starts_with("Watching ended\n Statistics :\n"), "{text}");
        assert!(text.contains("1,200, 2 of them of everything") && text.contains("5 MB"), "{text}");
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        print(&out, &report);
        let line = &stdout.json_lines()[0];
        assert_eq!(
            (&line["message_type"], &line["backups"], &line["exit_code"]),
            (&json!("summary"), &json!(1200), &json!(0))
        );
    }

    #[test]
    fn a_failure_is_an_error_that_is_not_the_end() {
        let (kind, value) = line(&News::Failed(&Error::NoDestination { tried: Vec::new() })).expect("a line");
        assert_eq!((kind, &value["fatal"], &value["exit_code"]), ("error", &json!(false), &json!(13)));
        assert!(line(&News::Changed("/a".as_ref())).is_none());
    }
}
