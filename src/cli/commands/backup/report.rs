//! What a backup did, in words or as the summary line, and how the command ends.

use serde_json::{Value, json};

use super::Cleaned;
use crate::backup::{BackupReport, DestinationOutcome};
use crate::cli::cleaned;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::output::{Output, Style};
use crate::cli::shapes::{self, path_bytes, with_path};
use crate::cli::table::Table;
use crate::cli::{hints, names, suspect, units, words};
use crate::repo::DestinationState;

/// Writes the report, in words or as the summary line, and says how the command ends.
pub fn print(out: &Output, report: &BackupReport, cleaned: Option<&Cleaned>) -> ExitStatus {
    let status = exit_status(report);
    if out.wishes.json {
        let mut summary = summary(report);
        summary["clean"] = match cleaned {
            Some(Ok(report)) => cleaned::document(report),
            Some(Err(error)) => {
                let explained = hints::explain(error);
                json!({ "error": explained.name, "message": explained.sentence })
            }
            None => Value::Null,
        };
        out.message("summary", summary);
    } else {
        say(out, report);
        words::list_problems(out, &report.problems);
        suspect::warn(out, &report.suspect);
        for outcome in report.destinations.iter().filter(|outcome| !report.dry_run && is_behind(outcome)) {
            let trouble = words::trouble(outcome.state, outcome.kind, outcome.detail.as_deref());
            words::warn_of_behind(out, &outcome.name, &outcome.path, outcome.snapshots_behind, outcome.state, trouble);
        }
    }
    status
}

fn is_behind(outcome: &DestinationOutcome) -> bool {
    !outcome.committed || outcome.snapshots_behind > 0 || outcome.state == DestinationState::RolledBack
}

fn exit_status(report: &BackupReport) -> ExitStatus {
    if !report.suspect.is_empty() {
        ExitStatus::Suspect
    } else if !report.problems.is_empty() {
        ExitStatus::Partial
    } else if !report.dry_run && report.destinations.iter().any(is_behind) {
        ExitStatus::Behind
    } else {
        ExitStatus::Done
    }
}

/// The report as a JSON line has it.
pub fn summary(report: &BackupReport) -> Value {
    json!({
        "snapshot_id": report.snapshot_id.map(|id| id.to_string()),
        "dry_run": report.dry_run,
        "started": shapes::moment(report.started),
        "files_new": report.files_new,
        "files_changed": report.files_changed,
        "files_unmodified": report.files_unmodified,
        "files_rechecked": report.files_rechecked,
        "folders": report.folders,
        "excluded": report.excluded,
        "bytes_read": report.bytes_read,
        "bytes_added": report.bytes_added,
        "bytes_stored": report.bytes_stored,
        "problems": shapes::problems(&report.problems),
        "suspect": report.suspect.iter().map(suspect::source).collect::<Value>(),
        "accepted": report.accepted.iter().map(ToString::to_string).collect::<Value>(),
        "pinned": report.pinned.iter().map(ToString::to_string).collect::<Value>(),
        "destinations": report.destinations.iter().map(destination).collect::<Value>(),
        "copies": report.copies,
        "duration_seconds": report.duration_seconds,
        "exit_code": exit_status(report).code(),
    })
}

fn destination(outcome: &DestinationOutcome) -> Value {
    let value = json!({
        "name": outcome.name,
        "kind": outcome.kind,
        "state": outcome.state,
        "committed": outcome.committed,
        "packs_written": outcome.packs_written,
        "packs_copied": outcome.packs_copied,
        "snapshots_behind": outcome.snapshots_behind,
        "detail": outcome.detail,
    });
    with_path(value, "path", path_bytes(&outcome.path))
}

fn say(out: &Output, report: &BackupReport) {
    let files = files(report);
    out.say(&match (report.dry_run, &report.snapshot_id) {
        (true, _) => text!("backup-dry-run", files = files),
        (false, Some(id)) => text!("backup-done", id = id.short(), files = files),
        (false, None) => text!("backup-none", files = files),
    });
    if report.excluded > 0 && out.wishes.verbose > 0 {
        out.say(&text!("backup-excluded", n = report.excluded));
    }
    if report.dry_run {
        out.say(&text!("backup-would-read", size = units::bytes(report.bytes_read)));
        return;
    }
    out.say(&text!(
        "backup-bytes",
        read = units::bytes(report.bytes_read),
        added = units::bytes(report.bytes_added),
        stored = units::bytes(report.bytes_stored),
        duration = units::duration(report.duration_seconds),
    ));
    if report.files_rechecked > 0 {
        out.say(&text!("backup-rechecked", n = report.files_rechecked));
    }
    if !report.pinned.is_empty() {
        let short: Vec<String> = report.pinned.iter().map(|id| id.short()).collect();
        out.say(&text!("backup-pinned", n = short.len(), ids = short.join(", ")));
    }
    if !report.accepted.is_empty() {
        let short: Vec<String> = report.accepted.iter().map(|id| id.short()).collect();
        out.say(&text!("backup-accepted", n = short.len(), ids = short.join(", ")));
    }
    out.say(&format!(" {}", text!("destinations-heading")));
    let mut table = Table::bare(4);
    for outcome in &report.destinations {
        table.row(vec![
            format!("  {}", outcome.kind.icon()),
            format!("[{}]", outcome.name),
            names::path(&outcome.path),
            outcome_words(out, outcome),
        ]);
    }
    for line in table.lines() {
        out.say(&line);
    }
    let (copies, all) = (report.copies, report.destinations.len());
    let style = if copies < all { Style::Attention } else { Style::Good };
    out.say(&out.paint(style, &text!("backup-protected", copies = copies, n = all)));
}

/// How many files of which kind, as part of a line.
fn files(report: &BackupReport) -> String {
    text!(
        "backup-files",
        added = report.files_new,
        changed = report.files_changed,
        unmodified = report.files_unmodified,
        folders = report.folders,
    )
}

fn outcome_words(out: &Output, outcome: &DestinationOutcome) -> String {
    let mut parts = Vec::new();
    if outcome.committed {
        let saved = match outcome.packs_copied {
            0 => text!("backup-saved", n = outcome.packs_written),
            copied => text!("backup-saved-and-copied", n = outcome.packs_written, copied = copied),
        };
        parts.push(out.paint(Style::Good, &saved));
    } else {
        parts.push(out.paint(Style::Bad, &text!("backup-not-saved")));
    }
    parts.extend(words::trouble(outcome.state, outcome.kind, outcome.detail.as_deref()));
    parts.extend(words::behind(outcome.snapshots_behind).map(|behind| out.paint(Style::Attention, &behind)));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};
    use crate::repo::{PlaceKind, SnapshotId, SuspectSource, Time};
    use crate::report::{Problem, ProblemKind};

    fn outcome(name: &str, committed: bool, snapshots_behind: u64) -> DestinationOutcome {
        DestinationOutcome {
            name: name.to_owned(),
            path: format!("/media/{name}").into(),
            kind: PlaceKind::Usb,
            state: if committed { DestinationState::Online } else { DestinationState::Absent },
            committed,
            packs_written: u64::from(committed),
            packs_copied: 0,
            snapshots_behind,
            detail: None,
        }
    }

    fn report(destinations: Vec<DestinationOutcome>, problems: usize) -> BackupReport {
        let problem = Problem { path: "/f".into(), kind: ProblemKind::Unreadable, detail: "denied".to_owned() };
        BackupReport {
            snapshot_id: Some(SnapshotId::from_bytes([0xAB; 32])),
            files_new: 1_234,
            files_changed: 2,
            files_unmodified: 3,
            files_rechecked: 0,
            folders: 1,
            excluded: 0,
            bytes_read: 5_000_000,
            bytes_added: 4_000_000,
            bytes_stored: 1_000_000,
            problems: vec![problem; problems],
            suspect: Vec::new(),
            accepted: Vec::new(),
            pinned: Vec::new(),
            copies: destinations.iter().filter(|outcome| outcome.committed).count(),
            destinations,
            duration_seconds: 1.25,
            started: Time { seconds: 1_768_473_042, nanos: 0 },
            dry_run: false,
        }
    }

    #[test]
    fn exit_codes_follow_the_contract() {
        let both = || vec![outcome("a", true, 0), outcome("b", true, 0)];
        assert_eq!(exit_status(&report(both(), 0)), ExitStatus::Done);
        assert_eq!(exit_status(&report(both(), 1)), ExitStatus::Partial);
        assert_eq!(exit_status(&report(vec![outcome("a", true, 0), outcome("b", false, 1)], 0)), ExitStatus::Behind);
        assert_eq!(exit_status(&report(vec![outcome("a", true, 0), outcome("b", true, 2)], 0)), ExitStatus::Behind);
        assert_eq!(exit_status(&report(vec![outcome("b", false, 1)], 1)), ExitStatus::Partial, "3 before 5");
        let source = SuspectSource { path: b"/a".to_vec(), files: 200, changed: 90, opaque: 80, gone: 0 };
        let suspect = BackupReport { suspect: vec![source], ..report(vec![outcome("b", false, 1)], 1) };
        assert_eq!(exit_status(&suspect), ExitStatus::Suspect, "4 before 3 before 5");
        assert_eq!(summary(&suspect)["suspect"][0]["files_opaque"], 80);
        let dry = BackupReport { dry_run: true, ..report(vec![outcome("b", false, 0)], 0) };
        assert_eq!(exit_status(&dry), ExitStatus::Done);
    }

    #[test]
    fn the_report_says_what_happened_at_each_destination() {
        let (out, stdout, stderr) = captured::output(Wishes::default());
        let report = report(vec![outcome("primary", true, 0), outcome("usb", false, 3)], 1);
        assert_eq!(print(&out, &report, None), ExitStatus::Partial);
        let text = stdout.text();
        assert_eq!(
            text,
            "Snapshot abababab: 1,234 new, 2 changed, 3 unmodified files in 1 folder\n\
             5 MB read, 4 MB new, 1 MB stored, in 1.2 s\n \
             Destinations :\n  \
             🔌  [primary]  /media/primary  saved, 1 pack written\n  \
             🔌  [usb]      /media/usb      not saved, Destination not found (device unplugged?), 3 snapshots behind\n\
             Protected on 1 of 2 destinations\n"
        );
        let lines: Vec<_> = stderr.text().lines().map(str::to_owned).collect();
        assert_eq!(lines[..2], ["1 problem:", "  /f: denied"]);
        assert!(lines[2].starts_with("hint: ") && lines[4].starts_with("hint: "), "{lines:?}");
        assert_eq!(lines[3], "warning: [usb] is 3 snapshots behind");
    }

    #[test]
    fn packs_from_another_destination_are_counted() {
        let (out, ..) = captured::output(Wishes::default());
        let late = DestinationOutcome { packs_written: 0, packs_copied: 3, ..outcome("usb", true, 0) };
        assert_eq!(outcome_words(&out, &late), "saved, 0 packs written, 3 copied");
        assert_eq!(destination(&late)["packs_copied"], 3);
    }

    #[test]
    fn a_quiet_run_says_problems_only() {
        let (out, stdout, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        print(&out, &report(vec![outcome("a", true, 0)], 1), None);
        assert_eq!((stdout.text().as_str(), stderr.text().lines().count()), ("", 3));
        let (out, _, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        print(&out, &report(vec![outcome("usb", false, 1)], 0), None);
        let warning = "warning: [usb] is 1 snapshot behind: Destination not found (device unplugged?)\n";
        assert!(stderr.text().starts_with(warning), "{}", stderr.text());
        let (out, _, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        print(&out, &report(vec![outcome("a", true, 0)], 0), None);
        assert_eq!(stderr.text(), "");
    }

    #[test]
    fn the_summary_has_what_scripts_rely_on() {
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        print(&out, &report(vec![outcome("a", true, 0)], 1), None);
        let line = &stdout.json_lines()[0];
        assert_eq!(line["message_type"], "summary");
        for key in [
            "snapshot_id",
            "files_new",
            "files_changed",
            "files_unmodified",
            "bytes_read",
            "bytes_added",
            "bytes_stored",
            "problems",
            "duration_seconds",
        ] {
            assert!(line.get(key).is_some_and(|value| !value.is_null()), "{key}");
        }
        let destination = &line["destinations"][0];
        for key in ["name", "state", "packs_written", "committed"] {
            assert!(destination.get(key).is_some_and(|value| !value.is_null()), "{key}");
        }
        assert_eq!(line["snapshot_id"], "ab".repeat(32));
        assert_eq!((&line["problems"][0]["path"], &line["exit_code"]), (&json!("/f"), &json!(3)));
    }
}
