//! `scrub`: the folder of a destination read without any key.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::check::Severity;
use crate::check::scrub::{self, ScrubFinding, ScrubReport};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::output::{Output, Style};
use crate::cli::progress::Progress;
use crate::cli::{names, paths, units};
use crate::error::Error;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup scrub /media/usb/backup
  cryptbackup scrub /mnt/nas/backup --json";

const HINT: &str = "run `cryptbackup check --read-data --heal` where the repository is set up; it takes what is damaged \
                    from another destination";

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
        let is_damage = finding.severity == Severity::Damage;
        let word = if is_damage { out.paint(Style::Bad, "damage") } else { out.paint(Style::Attention, "notice") };
        out.data(&format!("{word}: {}: {}", names::escape(finding.object.as_bytes()), finding.what));
    }
    let (objects, bytes) = (units::counted(report.objects, "file", "files"), units::bytes(report.bytes_read));
    out.say(&format!("{objects} read, {bytes}, in {}.", units::duration(report.duration_seconds)));
    if report.has_damage() {
        out.tell(&format!("hint: {HINT}"));
    } else {
        out.say(&out.paint(Style::Good, "No damage found."));
    }
    status
}

fn document(finding: &ScrubFinding) -> Value {
    json!({ "severity": finding.severity, "object": finding.object, "detail": finding.what })
}
