//! `scrub`: the folder of a destination read without any key.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::check::scrub::{self, ScrubFinding, ScrubReport};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::library::translated;
use crate::cli::messages::text;
use crate::cli::output::{Output, Style};
use crate::cli::progress::Progress;
use crate::cli::{names, paths, units, words};
use crate::error::Error;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup scrub /media/usb/backup
  cryptbackup scrub /mnt/nas/backup --json";

/// Read a destination's folder without a key and look for damage
///
/// Every file is compared with its name, which is the hash of its bytes. It works on any computer, for whoever keeps
/// the disk. What was deleted is only found by `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder of the destination
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let folder = paths::absolute(&args.folder)?;
    let progress = Progress::new(&context.out)?;
    let report = scrub::scrub(&folder, &progress)?;
    progress.done();
    Ok(print(&context.out, &report))
}

fn print(out: &Output, report: &ScrubReport) -> ExitStatus {
    let status = if report.has_damage() { ExitStatus::Damage } else { ExitStatus::Done };
    if out.wishes.json {
        for finding in &report.findings {
            out.message("error", document(finding));
        }
        out.message(
            "summary",
            json!({
                "objects": report.objects,
                "bytes_read": report.bytes_read,
                "findings": report.findings.iter().map(document).collect::<Value>(),
                "duration_seconds": report.duration_seconds,
                "exit_code": status.code(),
            }),
        );
        return status;
    }
    for finding in &report.findings {
        let (word, object) = (words::severity(out, finding.severity), names::escape(finding.object.as_bytes()));
        let what = text!("scrub-finding", object = object, what = translated(&finding.what));
        out.data(&text!("finding", word = word, what = what));
    }
    let (size, duration) = (units::bytes(report.bytes_read), units::duration(report.duration_seconds));
    out.say(&text!("scrub-read", n = report.objects, size = size, duration = duration));
    if report.has_damage() {
        out.hint(&text!("scrub-hint"));
    } else {
        out.say(&out.paint(Style::Good, &text!("no-damage")));
    }
    status
}

fn document(finding: &ScrubFinding) -> Value {
    json!({ "severity": finding.severity, "object": finding.object, "detail": finding.what })
}
