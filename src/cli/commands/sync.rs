//! `sync`: bring destinations that are behind up to date, without reading any source.

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::output::{Output, Style};
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::{names, units, words};
use crate::error::Error;
use crate::repo::{Access, DestinationState};
use crate::sync::{self, DestinationSynced, SyncReport, SyncRequest};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup sync
  cryptbackup sync --destination secondary";

/// Copy what destinations are missing from the others
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let report = sync::run(&mut repo, SyncRequest { destination: args.destination }, &progress)?;
    progress.done();
    Ok(print(&context.out, &report))
}

fn exit_status(report: &SyncReport) -> ExitStatus {
    let is_behind = |synced: &DestinationSynced| synced.snapshots_behind > 0 || !is_all_there(synced);
    if report.destinations.iter().any(is_behind) { ExitStatus::Behind } else { ExitStatus::Done }
}

/// Whether it has what it had.
fn is_all_there(synced: &DestinationSynced) -> bool {
    !matches!(synced.state, DestinationState::RolledBack | DestinationState::Damaged)
}

/// The report as a JSON line has it.
pub fn summary(report: &SyncReport) -> Value {
    json!({
        "destinations": report.destinations.iter().map(document).collect::<Value>(),
        "duration_seconds": report.duration_seconds,
        "exit_code": exit_status(report).code(),
    })
}

fn print(out: &Output, report: &SyncReport) -> ExitStatus {
    let status = exit_status(report);
    if out.wishes.json {
        out.message("summary", summary(report));
        return status;
    }
    for synced in &report.destinations {
        out.say(&line(out, synced));
    }
    for synced in report.destinations.iter().filter(|synced| synced.snapshots_behind > 0) {
        words::warn_of_behind(out, &synced.name, &synced.path, synced.snapshots_behind, synced.state, trouble(synced));
    }
    status
}

fn line(out: &Output, synced: &DestinationSynced) -> String {
    let mut parts = Vec::new();
    if synced.snapshots_copied > 0 || synced.packs_copied > 0 {
        let snapshots = text!("count-snapshots", n = synced.snapshots_copied);
        let packs = text!("count-packs", n = synced.packs_copied);
        let copied = text!("list-and", first = snapshots, second = packs);
        parts.push(text!("sync-copied", what = copied, size = units::bytes(synced.bytes_copied)));
    }
    match words::behind(synced.snapshots_behind) {
        Some(behind) => parts.push(out.paint(Style::Attention, &behind)),
        None if is_all_there(synced) => parts.push(out.paint(Style::Good, &text!("sync-up-to-date"))),
        None => {}
    }
    parts.extend(trouble(synced));
    format!("[{}] {}", names::escape(synced.name.as_bytes()), parts.join(", "))
}

fn trouble(synced: &DestinationSynced) -> Option<String> {
    words::trouble(synced.state, synced.kind, synced.detail.as_deref())
}

fn document(synced: &DestinationSynced) -> Value {
    let value = json!({
        "name": synced.name,
        "state": synced.state,
        "snapshots_copied": synced.snapshots_copied,
        "packs_copied": synced.packs_copied,
        "bytes_copied": synced.bytes_copied,
        "snapshots_behind": synced.snapshots_behind,
        "detail": synced.detail,
    });
    with_path(value, "path", path_bytes(&synced.path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};
    use crate::repo::PlaceKind;

    fn report(state: DestinationState, snapshots_behind: u64) -> SyncReport {
        let synced = DestinationSynced {
            name: "usb".to_owned(),
            path: "/media/usb".into(),
            kind: PlaceKind::Usb,
            state,
            snapshots_copied: 2,
            packs_copied: 1,
            bytes_copied: 1_500,
            snapshots_behind,
            detail: None,
        };
        SyncReport { destinations: vec![synced], duration_seconds: 0.5 }
    }

    #[test]
    fn a_destination_still_behind_is_five() {
        let (out, stdout, _) = captured::output(Wishes::default());
        assert_eq!(print(&out, &report(DestinationState::Online, 0)), ExitStatus::Done);
        assert_eq!(stdout.text(), "[usb] 2 snapshots and 1 pack copied, 1.5 kB, up to date\n");
        assert_eq!(print(&out, &report(DestinationState::Full, 1)), ExitStatus::Behind);
        assert!(stdout.text().ends_with("1 snapshot behind, Full\n"), "{}", stdout.text());
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        print(&out, &report(DestinationState::ReadOnly, 1));
        let line = &stdout.json_lines()[0];
        assert_eq!((&line["exit_code"], &line["destinations"][0]["state"]), (&json!(5), &json!("read-only")));
    }
}
