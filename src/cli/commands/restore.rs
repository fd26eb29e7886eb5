//! `restore`: files and folders back to where they were, or elsewhere.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::{library, text};
use crate::cli::output::Output;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{self, Listing, path_bytes, with_path};
use crate::cli::{dates, names, paths, units, words};
use crate::error::Error;
use crate::explore::{self, FileInfo};
use crate::repo::{Access, Repo};
use crate::report::Monitor;
use crate::restore::{self, Overwrite, RestorePlan, RestoreReport, RestoreRequest, What, When};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup restore --file ~/Documents/report.pdf
  cryptbackup restore --file ~/Documents/report.pdf --date 2026-01-15
  cryptbackup restore --file ~/app.py --version 3 --destination /tmp/app.py
  cryptbackup restore --directory ~/Documents --date 3w --destination ~/Restored
  cryptbackup restore --snapshot latest --destination /mnt/new --verify
  cryptbackup restore --list \"*.pdf\"";

/// Restore a file, a folder or a whole snapshot
///
/// Without --destination everything goes back where it was. --date means the newest version that existed then: a date
/// is the end of that day, 5h, 2d and 3w are that long ago.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    what: WhatArgs,
    /// As it was then: 2026-01-15, 2026-01-15T10:30, RFC 3339, 5h, 2d or 3w
    #[arg(long, value_parser = dates::argument, conflicts_with_all = ["version", "snapshot", "list"])]
    date: Option<Timestamp>,
    /// This version of the file, as `list` numbers them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(conflicts_with_all = ["directory", "snapshot", "list"])]
    version: Option<u32>,
    /// Where to; for a file its new path or a folder, for a folder where its contents appear
    #[arg(long, value_name = "PATH", conflicts_with = "list")]
    destination: Option<PathBuf>,
    /// When to overwrite what is there
    #[arg(long, value_enum, default_value = "always", conflicts_with = "list")]
    overwrite: OverwriteArg,
    /// Also delete what is there and was not then, but nothing that the rules of a source leave out
    #[arg(long, conflicts_with_all = ["file", "list"])]
    delete: bool,
    /// Read everything again afterwards and compare
    #[arg(long, conflicts_with = "list")]
    verify: bool,
    /// Only say what would be done
    #[arg(long, conflicts_with = "list")]
    dry_run: bool,
    /// Read from this destination only
    #[arg(long, value_name = "NAME", conflicts_with = "list")]
    from: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct WhatArgs {
    /// Restore this file
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Restore this folder
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Restore all sources of this snapshot: an id prefix, `latest` or `latest~N`
    #[arg(long, value_name = "SNAPSHOT")]
    snapshot: Option<String>,
    /// List the files that can be restored, those that were deleted too
    #[arg(long, value_name = "PATTERN", num_args = 0..=1)]
    list: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum OverwriteArg {
    Always,
    IfChanged,
    IfNewer,
    Never,
}

impl From<OverwriteArg> for Overwrite {
    fn from(typed: OverwriteArg) -> Self {
        match typed {
            OverwriteArg::Always => Self::Always,
            OverwriteArg::IfChanged => Self::IfChanged,
            OverwriteArg::IfNewer => Self::IfNewer,
            OverwriteArg::Never => Self::Never,
        }
    }
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    if let Some(pattern) = &args.what.list {
        return list(context, pattern.as_deref(), &args.secret);
    }
    let request = request(&args)?;
    let (repo, progress) = context.open_for_work(Access::Salvage, &args.secret)?;
    let plan = restore::plan(&repo, request, &progress)?;
    let out = &context.out;
    progress.done();
    if args.dry_run {
        return foresee(out, &repo, &plan, &progress);
    }
    say_plan(out, &plan, false);
    let (description, target) = (plan.description.clone(), plan.target.clone());
    let mut report = restore::execute(&repo, plan, &progress)?;
    restore::repair(repo, &mut report, &progress);
    progress.done();
    if out.wishes.json {
        let value = with_path(summary(&report), "target", path_bytes(&target));
        out.message("summary", with_path(value, "description", description.as_bytes()));
    } else {
        say_report(out, &report, &args.what, args.verify);
        words::list_problems(out, &report.problems);
    }
    Ok(exit_status(&report))
}

fn request(args: &Args) -> Result<RestoreRequest, Error> {
    let what = match (&args.what.file, &args.what.directory, &args.what.snapshot) {
        (Some(file), ..) => What::File(paths::absolute(file)?),
        (_, Some(directory), _) => What::Directory(paths::absolute(directory)?),
        (_, _, Some(snapshot)) => What::Snapshot(snapshot.clone()),
        // The group of these arguments sees to it that one is there.
        _ => return Err(Error::Usage(text!("restore-what"))),
    };
    let when = match (args.date, args.version) {
        (Some(date), _) => When::Date(date),
        (None, Some(number)) => When::Version(number),
        (None, None) => When::Latest,
    };
    Ok(RestoreRequest {
        what,
        when,
        destination: args.destination.as_deref().map(paths::absolute).transpose()?,
        overwrite: args.overwrite.into(),
        delete: args.delete,
        verify: args.verify,
        from: args.from.clone(),
    })
}

/// Says what would be done.
fn foresee(out: &Output, repo: &Repo, plan: &RestorePlan, monitor: &dyn Monitor) -> Result<ExitStatus, Error> {
    say_plan(out, plan, true);
    let deletions = restore::deletions(repo, plan, monitor, &mut |path| {
        out.say(&text!("restore-would-delete", path = names::path(path)));
    })?;
    if out.wishes.json {
        let value = json!({
            "dry_run": true,
            "description": plan.description,
            "files": plan.files,
            "bytes": plan.bytes,
            "deleted": deletions.deleted,
            "problems": shapes::problems(&deletions.problems),
            "notes": plan.notes,
        });
        out.message("summary", with_path(value, "target", path_bytes(&plan.target)));
    } else if deletions.deleted > 0 {
        out.say(&text!("restore-would-delete-all", n = deletions.deleted));
    }
    words::list_problems(out, &deletions.problems);
    Ok(ExitStatus::Done)
}

fn say_plan(out: &Output, plan: &RestorePlan, dry_run: bool) {
    if out.wishes.json {
        return;
    }
    let safe = |sentence: &str| names::escape(library::translated(sentence).as_bytes());
    out.say(&text!("restore-chosen", what = safe(&plan.description)));
    for note in &plan.notes {
        out.say(&text!("restore-note", note = safe(note)));
    }
    let (size, target) = (units::bytes(plan.bytes), names::path(&plan.target));
    out.say(&if dry_run {
        text!("restore-dry-run", n = plan.files, size = size, target = target)
    } else {
        text!("restore-begins", n = plan.files, size = size, target = target)
    });
}

fn say_report(out: &Output, report: &RestoreReport, what: &WhatArgs, is_verified: bool) {
    let (n, size) = (report.files_restored, units::bytes(report.bytes_written));
    let duration = units::duration(report.duration_seconds);
    out.say(&match (&what.file, &what.directory) {
        (Some(_), _) => text!("restored-file", n = n, size = size, duration = duration),
        (_, Some(_)) => text!("restored-folder", n = n, size = size, duration = duration),
        _ => text!("restored-snapshot", n = n, size = size, duration = duration),
    });
    if report.files_skipped > 0 {
        let size = units::bytes(report.bytes_skipped);
        out.say(&text!("restore-skipped", n = report.files_skipped, size = size));
    }
    if report.sockets_left_out > 0 {
        out.say(&text!("restore-sockets", n = report.sockets_left_out));
    }
    if report.deleted > 0 {
        out.say(&text!("restore-deleted", n = report.deleted));
    }
    if is_verified && report.problems.is_empty() {
        out.say(&text!("restore-verified"));
    }
    for note in &report.notes {
        let note = names::escape(library::translated(note).as_bytes());
        out.note(&text!("line-note", sentence = note));
    }
}

fn exit_status(report: &RestoreReport) -> ExitStatus {
    if report.problems.is_empty() { ExitStatus::Done } else { ExitStatus::Partial }
}

fn summary(report: &RestoreReport) -> Value {
    json!({
        "dry_run": false,
        "files_restored": report.files_restored,
        "files_skipped": report.files_skipped,
        "folders": report.folders,
        "others": report.others,
        "sockets_left_out": report.sockets_left_out,
        "bytes_written": report.bytes_written,
        "bytes_skipped": report.bytes_skipped,
        "deleted": report.deleted,
        "problems": shapes::problems(&report.problems),
        "notes": report.notes,
        "duration_seconds": report.duration_seconds,
        "exit_code": exit_status(report).code(),
    })
}

fn list(context: &Context, pattern: Option<&str>, secret: &SecretArgs) -> Result<ExitStatus, Error> {
    let repo = context.open_for_listing(Access::Salvage, secret)?;
    let out = &context.out;
    if out.wishes.json {
        let mut listing = Listing::new(out);
        let given = explore::files(&repo, pattern, &mut |file| listing.item(&file_document(&file)));
        listing.end(given)?;
    } else {
        explore::files(&repo, pattern, &mut |file| out.data(&file_line(&file)))?;
    }
    Ok(ExitStatus::Done)
}

fn file_document(file: &FileInfo) -> Value {
    let value = json!({
        "size": file.size,
        "mtime": shapes::moment(file.mtime),
        "version": file.version,
        "deleted": file.deleted,
    });
    with_path(value, "path", &file.path)
}

/// Names are made safe, also for whoever looks at a pipe; scripts take JSON.
fn file_line(file: &FileInfo) -> String {
    let (size, time, version) = (units::bytes(file.size), units::moment(file.mtime), format!("v{}", file.version));
    let deleted = if file.deleted { format!("  ({})", text!("file-deleted")) } else { String::new() };
    format!("{size:>9}  {time}  {version:<5}{}{deleted}", names::escape(&file.path))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::repo::Time;

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        args: Args,
    }

    fn asked(words: &str) -> RestoreRequest {
        let words = std::iter::once("restore").chain(words.split(' '));
        request(&Typed::try_parse_from(words).expect("well formed").args).expect("a request")
    }

    #[test]
    fn what_is_typed_is_what_is_asked_for() {
        let plain = asked("--file /f");
        assert_eq!((plain.what, plain.when, plain.destination), (What::File("/f".into()), When::Latest, None));
        assert_eq!((plain.overwrite, plain.delete, plain.verify), (Overwrite::Always, false, false));
        let version = asked("--file /f --version 3 --destination /g --from usb --verify --overwrite if-newer");
        assert_eq!((version.when, version.destination), (When::Version(3), Some("/g".into())));
        assert_eq!((version.from.as_deref(), version.verify), (Some("usb"), true));
        assert_eq!(version.overwrite, Overwrite::IfNewer);
        let folder = asked("--directory /d --date 2026-01-15T10:30:00.5Z --delete");
        let date: Timestamp = "2026-01-15T10:30:00.5Z".parse().expect("a moment");
        assert_eq!((folder.what, folder.when), (What::Directory("/d".into()), When::Date(date)));
        assert!(folder.delete);
        assert_eq!(asked("--snapshot latest~2").what, What::Snapshot("latest~2".to_owned()));
    }

    #[test]
    fn files_that_can_be_restored() {
        let file = FileInfo {
            path: b"/a\x1b\xe9".to_vec(),
            size: 1_500,
            mtime: Time { seconds: 1_768_473_042, nanos: 0 },
            version: 3,
            deleted: true,
        };
        let line = file_line(&file);
        assert!(line.ends_with("  v3   /a\\u{1b}\\xe9  (deleted)"), "{line}");
        let value = file_document(&file);
        assert_eq!((&value["deleted"], &value["version"]), (&json!(true), &json!(3)));
        assert!(value.get("path_b64").is_some());
    }
}
