//! `backup`: one pass over the sources to all destinations.

mod stdin;
mod report;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::check::percent;
use crate::backup::smart::{self, Ranked, SmartPlan};
use crate::backup::stream::{self, StreamRequest};
use crate::backup::{self, BackupReport, BackupRequest, FileList};
use crate::clean::choose::Rules;
use crate::clean::{self, CleanReport, CleanRequest};
use crate::cli::cleaned;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::with_path;
use crate::cli::table::Table;
use crate::cli::{hints, names, paths, units};
use crate::error::Error;
use crate::repo::{Access, Repo};
use crate::report::Monitor;

pub use report::{print, summary};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup backup
  cryptbackup backup --source ~/Documents --tag before-upgrade
  cryptbackup backup --smart --explain
  cryptbackup backup --accept-changes
  cryptbackup backup --recheck 1%
  cryptbackup backup --files-from list.txt
  cryptbackup backup --stdin db.sql -- pg_dump shop
  cryptbackup backup --dry-run --verbose";

/// Back up all sources, or some, to every destination that can be reached
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this source; may be given again
    #[arg(long, value_name = "DIR")]
    source: Vec<PathBuf>,
    /// Important files first, and a snapshot of what is done every few minutes
    #[arg(long)]
    smart: bool,
    /// Show the ten files that come first, and why
    #[arg(long, requires = "smart")]
    explain: bool,
    /// Read only the files in this list, one on each line or parted by NUL; `-` for standard input; may be given again
    #[arg(long, value_name = "FILE", conflicts_with = "smart")]
    files_from: Vec<PathBuf>,
    /// Also read so many percent of the files that look unchanged, others each time, and tell where one has rotted
    #[arg(long, value_name = "PERCENT", value_parser = percent, conflicts_with_all = ["smart", "files_from"])]
    recheck: Option<f64>,
    /// Store what comes through standard input, or what COMMAND prints, as a file of this name
    #[arg(long, value_name = "NAME",
        conflicts_with_all = ["source", "smart", "files_from", "recheck", "dry_run", "accept_changes"])]
    stdin: Option<PathBuf>,
    /// With --stdin: what prints it; where it fails, nothing is stored
    #[arg(value_name = "COMMAND", last = true, requires = "stdin")]
    command: Vec<OsString>,
    /// A word to find the snapshot by; may be given again
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Read every file, also those that look unchanged
    #[arg(long)]
    force: bool,
    /// Do not bring destinations up to date that are behind
    #[arg(long)]
    no_sync: bool,
    /// What changed is meant, however much it is: do not call it suspect, now or in earlier backups
    #[arg(long)]
    accept_changes: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    if let Some(name) = &args.stdin {
        return stream(name, &args, context);
    }
    let request = request(&args)?;
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    if args.dry_run && context.out.wishes.verbose > 0 {
        progress.list_current();
    }
    let is_chosen = request.files.is_some() || request.recheck.is_some();
    let is_smart = args.smart || context.settings()?.priority.enabled && !is_chosen;
    let plan = if is_smart { Some(smart::plan(&repo, &request, &progress)?) } else { None };
    if let Some(plan) = &plan {
        progress.done();
        say_plan(&context.out, plan, args.explain);
    }
    let report = match &plan {
        Some(plan) if !request.dry_run => smart::execute(&mut repo, request, plan, &progress)?,
        _ => backup::run(&mut repo, request, &progress)?,
    };
    finish(repo, &report, context, &progress)
}

fn request(args: &Args) -> Result<BackupRequest, Error> {
    let sources: Vec<PathBuf> = args.source.iter().map(|path| paths::absolute(path)).collect::<Result<_, _>>()?;
    let lists: Vec<FileList> = args.files_from.iter().map(|list| stdin::files_of(list)).collect::<Result<_, _>>()?;
    let paths = lists.iter().flat_map(FileList::paths).map(Path::to_owned);
    Ok(BackupRequest {
        sources,
        tags: args.tag.clone(),
        dry_run: args.dry_run,
        force: args.force,
        no_sync: args.no_sync,
        accept_changes: args.accept_changes,
        skip_unchanged: false,
        changed: None,
        recheck: args.recheck,
        files: (!lists.is_empty()).then(|| paths.collect()),
    })
}

/// Stores what comes through standard input, or from a command.
fn stream(name: &Path, args: &Args, context: &Context) -> Result<ExitStatus, Error> {
    let request = StreamRequest {
        name: paths::absolute(name)?,
        tags: args.tag.clone(),
        force: args.force,
        no_sync: args.no_sync,
    };
    // First: a pipe that would be waited for by a person is no pipe.
    stdin::refuse_terminal(&args.command)?;
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let input = stdin::stream(&args.command)?;
    let report = stream::run(&mut repo, request, input, &progress)?;
    finish(repo, &report, context, &progress)
}

fn finish(
    mut repo: Repo,
    report: &BackupReport,
    context: &Context,
    progress: &Progress<'_>,
) -> Result<ExitStatus, Error> {
    let cleaned = clean_after(&mut repo, report, context, progress)?;
    progress.done();
    let status = print(&context.out, report, cleaned.as_ref());
    say_cleaned(context, cleaned);
    Ok(status)
}

/// Says in which order files will be read.
fn say_plan(out: &Output, plan: &SmartPlan, with_files: bool) {
    if out.wishes.json {
        let first = if with_files { plan.first.iter().map(ranked).collect() } else { Value::Null };
        return out.message("plan", json!({ "files": plan.files, "bytes": plan.bytes, "first": first }));
    }
    out.say(&text!("smart-on"));
    out.say(&text!("smart-sorted", n = plan.files, size = units::bytes(plan.bytes)));
    if !with_files || plan.first.is_empty() {
        return;
    }
    out.say(&text!("smart-first", n = plan.first.len()));
    let mut table = Table::new(&[
        &format!(">{}", text!("column-score")),
        &format!(">{}", text!("column-recency")),
        &format!(">{}", text!("column-size")),
        &format!(">{}", text!("column-kind")),
        &format!(">{}", text!("column-changes")),
        &text!("column-file"),
    ]);
    for Ranked { path, size, score } in &plan.first {
        let parts = [score.total(), score.recency, score.size, score.kind, score.changes];
        let mut cells: Vec<String> = parts.iter().map(|part| format!("{part:.1}")).collect();
        cells.push(format!("{} ({})", names::escape(path), units::bytes(*size)));
        table.row(cells);
    }
    for line in table.lines() {
        out.say(&line);
    }
}

fn ranked(ranked: &Ranked) -> Value {
    let Ranked { path, size, score } = ranked;
    let value = json!({
        "size": size,
        "score": score.total(),
        "recency": score.recency,
        "size_score": score.size,
        "kind": score.kind,
        "changes": score.changes,
    });
    with_path(value, "path", path)
}

/// What came of cleaning after a backup. That it failed does not make the backup worse.
pub type Cleaned = Result<CleanReport, Error>;

/// Cleans after a backup where the settings ask for it; nobody watches, so nothing that looks like a mistake is done.
///
/// # Errors
/// Those of [`Context::settings`].
pub fn clean_after(
    repo: &mut Repo,
    report: &BackupReport,
    context: &Context,
    monitor: &dyn Monitor,
) -> Result<Option<Cleaned>, Error> {
    let retention = context.settings()?.retention;
    if !retention.auto_clean || report.dry_run || report.snapshot_id.is_none() {
        return Ok(None);
    }
    let request = CleanRequest { is_unattended: true, ..CleanRequest::new(Rules::of(&retention)) };
    Ok(Some(clean::run(repo, request, monitor)))
}

/// Says what came of it, in words; the document is in that of the backup.
pub fn say_cleaned(context: &Context, cleaned: Option<Cleaned>) {
    match cleaned {
        Some(Ok(report)) => cleaned::say_after_backup(&context.out, &report),
        Some(Err(error)) => {
            let explained = hints::explain(&error);
            context.out.warn(&text!("backup-not-cleaned", why = explained.sentence));
            if let Some(hint) = explained.hint {
                context.out.hint(&hint);
            }
        }
        None => {}
    }
}
