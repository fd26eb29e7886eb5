//! `purge`: a file or folder out of everything that is stored.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::clean::purge::{self, PurgeReport, PurgeRequest};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::library::translated;
use crate::cli::messages::text;
use crate::cli::output::Output;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::{names, paths};
use crate::error::Error;
use crate::repo::{Access, SnapshotId};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup purge ~/Documents/video.iso --dry-run
  cryptbackup purge ~/Documents/video.iso";

/// Take a file or folder, with all its versions, out of every snapshot and of the history
///
/// Snapshots that have it are replaced by ones without it; everything else in them stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file or folder
    path: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Also where nothing of a source would be left
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let path = paths::absolute(&args.path)?;
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let request = PurgeRequest { path, dry_run: args.dry_run, is_forced: args.force };
    let report = purge::run(&mut repo, &request, &progress)?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", summary(&request, &report));
    }
    say(out, &request, &report);
    Ok(exit_status(&report))
}

fn exit_status(report: &PurgeReport) -> ExitStatus {
    if report.failed.is_empty() { ExitStatus::Done } else { ExitStatus::Behind }
}

fn summary(request: &PurgeRequest, report: &PurgeReport) -> Value {
    let ids = |ids: &[SnapshotId]| ids.iter().map(ToString::to_string).collect::<Value>();
    let failed = report.failed.iter().map(|(name, detail)| json!({ "name": name, "detail": detail }));
    let value = json!({
        "dry_run": report.dry_run,
        "snapshots": ids(&report.snapshots),
        "replaced_by": ids(&report.replaced_by),
        "histories": report.histories,
        "in_source": report.is_in_source,
        "failed": failed.collect::<Value>(),
        "exit_code": exit_status(report).code(),
    });
    with_path(value, "path", path_bytes(&request.path))
}

fn say(out: &Output, request: &PurgeRequest, report: &PurgeReport) {
    let snapshots = text!("count-snapshots", n = report.snapshots.len());
    let found = match report.histories {
        0 => snapshots,
        n => text!("list-and", first = snapshots, second = text!("count-histories", n = n)),
    };
    let path = names::path(&request.path);
    out.say(&if report.dry_run {
        text!("purge-dry-run", path = path, found = found)
    } else {
        text!("purge-done", path = path, found = found)
    });
    for (name, detail) in &report.failed {
        let (name, detail) = (names::escape(name.as_bytes()), names::escape(translated(detail).as_bytes()));
        out.warn(&text!("purge-failed", name = name, why = detail));
    }
    if !report.failed.is_empty() {
        out.hint(&text!("purge-failed-hint"));
    }
    if report.is_in_source {
        out.warn(&text!("purge-in-source"));
        out.hint(&text!("purge-in-source-hint"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};

    #[test]
    fn where_it_still_is_is_said() {
        let request = PurgeRequest { path: "/a/b".into(), dry_run: false, is_forced: false };
        let report = PurgeReport {
            snapshots: vec![SnapshotId::from_bytes([1; 32])],
            histories: 2,
            failed: vec![("usb".to_owned(), "it is full".to_owned())],
            is_in_source: true,
            ..PurgeReport::default()
        };
        let (out, stdout, stderr) = captured::output(Wishes::default());
        say(&out, &request, &report);
        assert!(stdout.text().starts_with("/a/b was taken out of 1 snapshot and 2 histories. "), "{}", stdout.text());
        let text = stderr.text();
        assert!(text.starts_with("warning: [usb] still has it: it is full\nhint: "), "{text}");
        assert!(text.contains("the next backup stores it again\nhint: "), "{text}");
        let value = summary(&request, &report);
        assert_eq!((&value["path"], &value["exit_code"]), (&json!("/a/b"), &json!(5)));
        assert_eq!(exit_status(&PurgeReport { failed: vec![], ..report }), ExitStatus::Done);
    }
}
