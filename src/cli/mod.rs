//! The command line: arguments in, one library call, words out. The one place with sentences for people.
//!
//! | file | what |
//! |---|---|
//! | [`args`] | what can be typed |
//! | [`commands`] | a file per command |
//! | [`complete`] | what a shell completes |
//! | [`exit`], [`hints`] | how a command ends, and what to do about an error |
//! | [`output`], [`table`], [`shapes`], [`progress`] | stdout, stderr, JSON, the bar |
//! | [`cleaned`] | what cleaning did, for two commands |
//! | `standing`, `suspect` | how destinations stand, and runs that look suspect |
//! | [`messages`] | the sentences, in English and French |
//! | [`words`], [`units`], [`names`] | the library's values as a person reads them |
//! | [`dates`], [`paths`], [`secrets`] | what a person types as the library's values |
//! | [`context`], [`new_repository`] | what several commands share |

pub mod args;
pub mod cleaned;
pub mod commands;
pub mod complete;
pub mod context;
pub mod dates;
pub mod exit;
pub mod hints;
pub mod messages;
pub mod names;
pub mod new_repository;
pub mod output;
pub mod paths;
pub mod progress;
pub mod secrets;
pub mod shapes;
pub mod signals;
mod standing;
mod suspect;
pub mod table;
pub mod units;
pub mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use serde_json::json;

use crate::error::Error;
use crate::repo::Home;
use args::Command;
use context::Context;
use exit::ExitStatus;
use messages::{help, language, text, wrong_usage};
use output::{Output, Wishes};

/// Runs the program with the arguments and the environment of the process.
pub fn main() -> ExitCode {
    complete::answer();
    ExitCode::from(run(std::env::args_os().collect()).code())
}

fn run(arguments: Vec<OsString>) -> ExitStatus {
    // First of all: also what is not understood is said in it.
    let chosen = language::of_variables(|name| std::env::var_os(name));
    language::speak(*chosen.as_ref().unwrap_or(&language::Language::default()));
    let cli = match help::parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error, &arguments),
    };
    let out = Output::of_process(cli.common.wishes());
    let home = match secrets::check_environment().and(chosen).and_then(|_| Home::locate()) {
        Ok(home) => home,
        Err(error) => return report_error(&out, &error),
    };
    let context = Context::new(out, home);
    let ended = dispatch(cli.command, &context).and_then(|status| context.out.finish().map(|()| status));
    match ended {
        Ok(status) => status,
        Err(error) => {
            let status = report_error(&context.out, &error);
            // What could not be written is the error just reported, or comes after a worse one.
            let _ = context.out.finish();
            status
        }
    }
}

fn dispatch(command: Command, context: &Context) -> Result<ExitStatus, Error> {
    match command {
        Command::Quickstart(args) => commands::quickstart::run(args, context),
        Command::Init(args) => commands::init::run(args, context),
        Command::Connect(args) => commands::connect::run(args, context),
        Command::Add(args) => commands::add::run(args, context),
        Command::Remove(args) => commands::remove::run(args, context),
        Command::Exclude(args) => commands::exclude::run(args, context),
        Command::Config(args) => commands::config::run(args, context),
        Command::Destination(args) => commands::destination::run(args, context),
        Command::Key(args) => commands::key::run(args, context),
        Command::Backup(args) => commands::backup::run(args, context),
        Command::Status(args) => commands::status::run(args, context),
        Command::Snapshots(args) => commands::snapshots::run(args, context),
        Command::List(args) => commands::list::run(args, context),
        Command::Ls(args) => commands::ls::run(args, context),
        Command::Find(args) => commands::find::run(args, context),
        Command::Diff(args) => commands::diff::run(args, context),
        Command::Du(args) => commands::du::run(args, context),
        Command::Dump(args) => commands::dump::run(args, context),
        Command::Restore(args) => commands::restore::run(args, context),
        Command::Clean(args) => commands::clean::run(args, context),
        Command::Forget(args) => commands::forget::run(args, context),
        Command::Unforget(args) => commands::unforget::run(args, context),
        Command::Purge(args) => commands::purge::run(args, context),
        Command::Pin(args) => commands::pin::run(args, context),
        Command::Tag(args) => commands::tag::run(args, context),
        Command::Note(args) => commands::note::run(args, context),
        Command::Check(args) => commands::check::run(args, context),
        Command::Drill(args) => commands::drill::run(args, context),
        Command::Scrub(args) => commands::scrub::run(args, context),
        Command::Sync(args) => commands::sync::run(args, context),
        Command::Watch(args) => commands::watch::run(args, context),
        Command::RebuildIndex(args) => commands::rebuild_index::run(args, context),
        Command::Sysinfo(args) => commands::sysinfo::run(args, context),
        Command::Completions(args) => commands::completions::run(args, context),
        Command::Man(args) => commands::man::run(args, context),
    }
}

/// Help and version are answers, everything else is wrong usage.
fn not_understood(error: &clap::Error, arguments: &[OsString]) -> ExitStatus {
    if !error.use_stderr() {
        // A reader that went away has seen enough.
        let _ = error.print();
        return ExitStatus::Done;
    }
    let answer = wrong_usage::answer(error);
    let json = arguments.iter().any(|argument| argument == "--json");
    let out = Output::of_process(Wishes { json, ..Wishes::default() });
    if json {
        let sentence = answer.clone().unwrap_or_else(|| error.render().to_string());
        // What is missing or would be possible stands in lines of its own; then comes how it is used.
        let lines = sentence.lines().take_while(|line| !line.is_empty()).map(str::trim);
        let sentence = lines.collect::<Vec<_>>().join(" ");
        write_error(&out, "usage", sentence.trim_start_matches("error: "), None, ExitStatus::Usage);
        let _ = out.finish();
    }
    match answer {
        Some(answer) => out.tell(&text!("line-error", sentence = answer)),
        // Whoever reads may have gone away.
        None => _ = error.print(),
    }
    ExitStatus::Usage
}

/// Says what went wrong and what to do: on stderr, and with `--json` also as the last line of stdout.
fn report_error(out: &Output, error: &Error) -> ExitStatus {
    let explained = hints::explain(error);
    if out.wishes.json {
        write_error(out, explained.name, &explained.sentence, explained.hint.as_deref(), explained.status);
    }
    out.tell(&text!("line-error", sentence = explained.sentence));
    if let Some(hint) = &explained.hint {
        out.hint(hint);
    }
    explained.status
}

fn write_error(out: &Output, name: &str, sentence: &str, hint: Option<&str>, status: ExitStatus) {
    let value = json!({ "fatal": true, "error": name, "message": sentence, "hint": hint, "exit_code": status.code() });
    out.message("error", value);
}

#[cfg(test)]
mod tests {
    use super::output::captured;
    use super::*;

    #[test]
    fn a_fatal_error_is_a_sentence_a_hint_and_with_json_an_object() {
        let (out, stdout, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        let error = Error::NotInitialised { home: "/h".into(), holds_state: false };
        assert_eq!(report_error(&out, &error), ExitStatus::NotInitialised);
        assert_eq!(stdout.text(), "");
        assert_eq!(stderr.text().lines().count(), 2);

        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        report_error(&out, &error);
        let line = &stdout.json_lines()[0];
        assert_eq!((&line["message_type"], &line["error"]), (&json!("error"), &json!("not-initialised")));
        assert_eq!((&line["exit_code"], &line["fatal"]), (&json!(10), &json!(true)));
    }
}
