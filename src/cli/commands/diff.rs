//! `diff`: what differs between two snapshots, two versions, or one of them and this machine.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::output::{Output, Style};
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{self, with_path};
use crate::cli::{names, paths, units, words};
use crate::error::Error;
use crate::explore::{self, Change, DiffReport, DiffRequest, Difference, EntryKind, Operand, Shown};
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup diff latest~1 latest
  cryptbackup diff latest ~/Documents  # what changed since the last backup
  cryptbackup diff latest~5:/home/ada/Documents latest
  cryptbackup diff ~/report.txt@2 ~/report.txt@3
  cryptbackup diff latest ~/Pictures --content  # reads every file: has a disk changed one?";

/// Show what differs between two snapshots, two versions of a file, or a snapshot and what is here
///
/// `+` only the second has it, `-` only the first, `M` another content, `?` another content though size and time are the
/// same, `T` it became something else, `U` other metadata.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What was: a snapshot, a path in one, a version of a file, or a path here
    #[arg(value_name = "SNAPSHOT[:PATH]|FILE@N|PATH")]
    before: OsString,
    /// What is
    #[arg(value_name = "SNAPSHOT[:PATH]|FILE@N|PATH")]
    after: OsString,
    /// Read files here even where size and time are the same
    #[arg(long)]
    content: bool,
    /// Also show what differs in owner, mode, time or attributes alone
    #[arg(long)]
    metadata: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let request = DiffRequest {
        before: operand(&args.before)?,
        after: operand(&args.after)?,
        reads_content: args.content,
        with_metadata: args.metadata,
    };
    let (repo, progress) = context.open_for_work(Access::Salvage, &args.secret)?;
    progress.done();
    let out = &context.out;
    let report = explore::diff(&repo, &request, &progress, &mut |difference| {
        if out.wishes.json {
            out.message("change", document(&difference));
        } else {
            out.data(&line(out, &difference));
        }
    })?;
    if out.wishes.json {
        out.message("summary", summary(&report));
    } else {
        say(out, &report);
        words::list_problems(out, &report.problems);
    }
    Ok(if report.problems.is_empty() { ExitStatus::Done } else { ExitStatus::Partial })
}

/// What a word of the command line means: what ends in `@` and a number is a version, hexadecimal digits and `latest` are a
/// snapshot, with or without a path, and everything else is a path of this machine.
fn operand(typed: &OsStr) -> Result<Operand, Error> {
    if let Some((file, number)) = paths::file_and_version(typed)? {
        return Ok(Operand::Version(file, number));
    }
    let name = typed.as_encoded_bytes().split(|&byte| byte == b':').next().unwrap_or_default();
    let is_snapshot = name.starts_with(b"latest") && !name.contains(&b'/') || name.iter().all(u8::is_ascii_hexdigit);
    if !is_snapshot {
        return Ok(Operand::Live(paths::absolute(Path::new(typed))?));
    }
    let (snapshot, path) = paths::snapshot_and_path(typed)?;
    let path = path.filter(|path| !path.as_os_str().is_empty()).map(|path| paths::absolute(&path)).transpose()?;
    Ok(Operand::Snapshot(snapshot, path))
}

fn name(change: Change) -> &'static str {
    match change {
        Change::Added => "added",
        Change::Removed => "removed",
        Change::Content => "content",
        Change::ContentOnly => "content-only",
        Change::Kind => "type",
        Change::Metadata => "metadata",
    }
}

fn document(difference: &Difference) -> Value {
    let side = |shown: &Shown| {
        json!({
            "type": shapes::entry_kind(shown.kind),
            "size": shown.size,
            "mtime": shapes::moment(shown.mtime),
            "mode": shown.mode,
            "uid": shown.owner.0,
            "gid": shown.owner.1,
        })
    };
    let value = json!({
        "change": name(difference.change),
        "before": difference.before.as_ref().map(side),
        "after": difference.after.as_ref().map(side),
    });
    with_path(value, "path", &difference.path)
}

fn summary(report: &DiffReport) -> Value {
    json!({
        "added": report.added,
        "bytes_added": report.bytes_added,
        "removed": report.removed,
        "bytes_removed": report.bytes_removed,
        "changed": report.changed,
        "changed_unseen": report.changed_unseen,
        "metadata": report.metadata,
        "problems": shapes::problems(&report.problems),
    })
}

fn line(out: &Output, difference: &Difference) -> String {
    let (mark, style) = match difference.change {
        Change::Added => ("+", Style::Good),
        Change::Removed => ("-", Style::Bad),
        Change::Content => ("M", Style::Attention),
        Change::ContentOnly => ("?", Style::Bad),
        Change::Kind => ("T", Style::Attention),
        Change::Metadata => ("U", Style::Strong),
    };
    let shown = difference.after.or(difference.before);
    let slash = if shown.is_some_and(|shown| shown.kind == EntryKind::Folder) { "/" } else { "" };
    let sizes = match (&difference.before, &difference.after) {
        (Some(before), Some(after)) if before.size != after.size => {
            let (before, after) = (units::bytes(before.size), units::bytes(after.size));
            format!("  ({})", text!("diff-sizes", before = before, after = after))
        }
        (None, Some(only)) | (Some(only), None) if only.kind == EntryKind::File => {
            format!("  ({})", units::bytes(only.size))
        }
        _ => String::new(),
    };
    format!("{}  {}{slash}{sizes}", out.paint(style, mark), names::escape(&difference.path))
}

fn say(out: &Output, report: &DiffReport) {
    let mut parts = vec![
        text!("diff-added", n = report.added, size = units::bytes(report.bytes_added)),
        text!("diff-removed", n = report.removed, size = units::bytes(report.bytes_removed)),
        text!("diff-changed", n = report.changed),
    ];
    if report.metadata > 0 {
        parts.push(text!("diff-metadata", n = report.metadata));
    }
    out.say(&parts.join(", "));
    if report.changed_unseen > 0 {
        out.warn(&text!("diff-unseen", n = report.changed_unseen));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_snapshots_versions_or_paths() {
        let operand = |text: &str| operand(OsStr::new(text)).expect(text);
        assert_eq!(operand("latest~1"), Operand::Snapshot("latest~1".to_owned(), None));
        assert_eq!(operand("ab12:/x"), Operand::Snapshot("ab12".to_owned(), Some("/x".into())));
        assert_eq!(operand("/x/y@3"), Operand::Version("/x/y".into(), 3));
        assert_eq!(operand("/x:y"), Operand::Live("/x:y".into()));
        assert!(matches!(operand("."), Operand::Live(_)));
        assert!(matches!(operand("./latest"), Operand::Live(_)) && matches!(operand("docs"), Operand::Live(_)));
        assert!(super::operand(OsStr::new("")).is_err());
    }
}
