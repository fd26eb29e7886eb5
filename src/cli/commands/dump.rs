//! `dump`: a stored file, or a folder as one archive, to standard output or into a file.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::library::translated;
use crate::cli::messages::text;
use crate::cli::output::Output;
use crate::cli::secrets::SecretArgs;
use crate::cli::{names, paths, shapes, units, words};
use crate::error::Error;
use crate::explore::{self, DumpFormat, DumpReport, DumpRequest, DumpWhat};
use crate::repo::{Access, Repo};
use crate::report::ProblemKind;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup dump latest:/home/ada/notes.txt | less
  cryptbackup dump ~/notes.txt@3 > notes-before.txt
  cryptbackup dump latest:/home/ada/Documents | tar -x -C /mnt/new
  cryptbackup dump latest:/home/ada/Documents --archive zip --output documents.zip";

/// Write a stored file, or a folder as tar or zip, to standard output
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A path in a snapshot (without one all its sources), or a version of a file
    #[arg(value_name = "SNAPSHOT[:PATH]|FILE@N")]
    what: OsString,
    /// As an archive of this kind; a folder is a tar archive without it
    #[arg(long, value_name = "KIND")]
    archive: Option<FormatArg>,
    /// Into this new file instead
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FormatArg {
    Tar,
    Zip,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let out = &context.out;
    if out.wishes.json && args.output.is_none() {
        return Err(Error::Usage(text!("dump-json")));
    }
    let request = DumpRequest {
        what: what(&args.what)?,
        format: args.archive.map(|archive| match archive {
            FormatArg::Tar => DumpFormat::Tar,
            FormatArg::Zip => DumpFormat::Zip,
        }),
    };
    let (repo, progress) = context.open_for_work(Access::Salvage, &args.secret)?;
    let report = match &args.output {
        Some(path) => into_file(&repo, &request, path, &progress)?,
        None => {
            refuse_archive_on_terminal(&repo, &request, out)?;
            match explore::dump(&repo, &request, &mut BufWriter::with_capacity(1 << 17, out.sink()), &progress) {
                Ok(report) => report,
                // Whoever reads has seen enough; any other reason is told when the output is finished.
                Err(_) if out.is_closed() => return Ok(ExitStatus::Done),
                Err(error) => return Err(error),
            }
        }
    };
    progress.done();
    if out.wishes.json {
        out.message("summary", summary(&report));
    } else {
        if let Some(path) = &args.output {
            let (size, path) = (units::bytes(report.bytes), names::path(path));
            out.say(&text!("dump-done", n = report.files, size = size, path = path));
        }
        report.notes.iter().for_each(|note| out.note(&translated(note)));
        words::list_problems(out, &report.problems);
    }
    let is_damaged = report.problems.iter().any(|problem| problem.kind == ProblemKind::Damaged);
    Ok(match (is_damaged, report.problems.is_empty()) {
        (true, _) => ExitStatus::Damage,
        (false, false) => ExitStatus::Partial,
        (false, true) => ExitStatus::Done,
    })
}

/// `FILE@N` is a version, everything else a snapshot with or without a path.
fn what(typed: &OsStr) -> Result<DumpWhat, Error> {
    if let Some((file, number)) = paths::file_and_version(typed)? {
        return Ok(DumpWhat::Version(file, number));
    }
    let (snapshot, path) = paths::snapshot_and_path(typed)?;
    let path = path.filter(|path| !path.as_os_str().is_empty()).map(|path| paths::absolute(&path)).transpose()?;
    Ok(DumpWhat::Snapshot(snapshot, path))
}

fn refuse_archive_on_terminal(repo: &Repo, request: &DumpRequest, out: &Output) -> Result<(), Error> {
    let is_archive = request.format.is_some() || explore::is_archive(repo, &request.what)?;
    if is_archive && out.stdout_is_terminal {
        return Err(Error::Usage(text!("dump-terminal")));
    }
    Ok(())
}

/// A new file, written beside its place and put there when it is whole: what a power cut leaves in its place is empty.
fn into_file(
    repo: &Repo,
    request: &DumpRequest,
    path: &Path,
    progress: &crate::cli::progress::Progress<'_>,
) -> Result<DumpReport, Error> {
    let failed = |source| Error::Io { what: text!("verb-write"), path: path.to_owned(), source };
    // Takes the name, so that nobody else's file is replaced.
    File::create_new(path).map_err(failed)?;
    let part = part_of(path);
    let dumped = File::create_new(&part).map_err(failed).and_then(|file| {
        let mut writer = BufWriter::with_capacity(1 << 17, file);
        let report = explore::dump(repo, request, &mut writer, progress)?;
        writer.flush().and_then(|()| writer.get_ref().sync_all()).map_err(failed)?;
        std::fs::rename(&part, path).map_err(failed)?;
        Ok(report)
    });
    if dumped.is_err() {
        // Half of a dump is none; if it cannot be removed, the error that is told names it.
        let _ = std::fs::remove_file(&part);
        let _ = std::fs::remove_file(path);
    }
    dumped
}

/// A hidden name in the same folder.
fn part_of(path: &Path) -> PathBuf {
    path.with_file_name(format!(".cryptbackup-dump.{}.part", std::process::id()))
}

fn summary(report: &DumpReport) -> Value {
    json!({
        "files": report.files,
        "bytes": report.bytes,
        "notes": report.notes,
        "problems": shapes::problems(&report.problems),
    })
}
