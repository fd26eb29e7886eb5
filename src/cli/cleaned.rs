//! What cleaning did, or would do: in words and as a document. `clean` tells it, and `backup` where it cleans after itself.

use serde_json::{Value, json};

use super::exit::ExitStatus;
use super::messages::{library, text};
use super::output::Output;
use super::table::Table;
use super::{names, shapes, suspect, units, words};
use crate::clean::choose::{Choice, Reason, Rules};
use crate::clean::{CleanReport, DestinationCleaned};
use crate::repo::DestinationState;

/// How the command ends: that a destination could not be cleaned is no failure, and is told.
pub fn exit_status(report: &CleanReport) -> ExitStatus {
    if !report.dry_run && report.destinations.iter().any(is_uncleaned) { ExitStatus::Behind } else { ExitStatus::Done }
}

fn is_uncleaned(cleaned: &DestinationCleaned) -> bool {
    cleaned.state.is_some() || cleaned.detail.is_some()
}

/// The document.
pub fn document(report: &CleanReport) -> Value {
    let choice = |choice: &Choice| {
        let mut reasons: Vec<&str> = choice.reasons.iter().map(reason_name).collect();
        reasons.dedup();
        json!({
            "id": choice.id.to_string(),
            "time": shapes::moment(choice.time),
            "stays": choice.stays(),
            "reasons": reasons,
        })
    };
    json!({
        "dry_run": report.dry_run,
        "snapshots": report.choices.iter().map(choice).collect::<Value>(),
        "versions_kept": report.versions_kept,
        "versions_dropped": report.versions_dropped,
        "held": report.held,
        "suspect": report.suspects.iter().map(suspect::snapshot).collect::<Value>(),
        "destinations": report.destinations.iter().map(destination).collect::<Value>(),
        "duration_seconds": report.duration_seconds,
        "exit_code": exit_status(report).code(),
    })
}

fn destination(cleaned: &DestinationCleaned) -> Value {
    json!({
        "name": cleaned.name,
        "state": cleaned.state.unwrap_or(DestinationState::Online),
        "snapshots_deleted": cleaned.snapshots_deleted,
        "packs_deleted": cleaned.packs_deleted,
        "packs_rewritten": cleaned.packs_rewritten,
        "bytes_freed": cleaned.bytes_freed,
        "bytes_waiting": cleaned.bytes_waiting,
        "returns": cleaned.returns.map(shapes::moment),
        "detail": cleaned.detail,
    })
}

/// The name of a reason in JSON; never changes.
fn reason_name(reason: &Reason) -> &'static str {
    match reason {
        Reason::Newest { .. } => "newest",
        Reason::LastOfWriter { .. } => "last-of-writer",
        Reason::NothingNewer => "nothing-newer",
        Reason::FromTheFuture => "from-the-future",
        Reason::Pinned => "pinned",
        Reason::Suspended { .. } => "suspect",
        Reason::Young => "keep-days",
        Reason::Last => "keep-last",
        Reason::Hourly => "keep-hourly",
        Reason::Daily => "keep-daily",
        Reason::Weekly => "keep-weekly",
        Reason::Monthly => "keep-monthly",
        Reason::Yearly => "keep-yearly",
    }
}

fn reason_words(reason: &Reason, rules: &Rules) -> String {
    match reason {
        Reason::Newest { path } => text!("stays-newest", path = names::escape(path)),
        Reason::LastOfWriter { path } => text!("stays-last-of-writer", path = names::escape(path)),
        Reason::NothingNewer => text!("stays-nothing-newer"),
        Reason::FromTheFuture => text!("stays-future"),
        Reason::Pinned => text!("stays-pinned"),
        Reason::Suspended { path } => text!("stays-suspect", path = names::escape(path)),
        Reason::Young => text!("stays-young", n = rules.keep_days),
        Reason::Last => text!("stays-last", n = rules.keep_last.unwrap_or_default()),
        Reason::Hourly => text!("stays-hourly"),
        Reason::Daily => text!("stays-daily"),
        Reason::Weekly => text!("stays-weekly"),
        Reason::Monthly => text!("stays-monthly"),
        Reason::Yearly => text!("stays-yearly"),
    }
}

/// Says all of it: in a dry run every snapshot and why it stays, else those that went.
pub fn say(out: &Output, report: &CleanReport, rules: &Rules) {
    if report.dry_run {
        out.say(&text!("clean-dry-run"));
    }
    let mut table = Table::new(&[&text!("column-snapshot"), &text!("column-time"), ""]);
    let shown: Vec<&Choice> = report.choices.iter().filter(|choice| report.dry_run || !choice.stays()).collect();
    for choice in &shown {
        let reasons: Vec<String> = choice.reasons.iter().map(|reason| reason_words(reason, rules)).collect();
        let what = match choice.stays() {
            true => text!("clean-stays", reasons = reasons.join(", ")),
            false => text!("clean-goes"),
        };
        table.row(vec![choice.id.short(), units::moment(choice.time), what]);
    }
    for line in table.lines().iter().filter(|_| !shown.is_empty()) {
        out.say(line);
    }
    let going = report.choices.iter().filter(|choice| !choice.stays()).count();
    let staying = report.choices.len() - going;
    out.say(&if report.dry_run {
        text!("clean-count-dry-run", staying = staying, going = going)
    } else {
        text!("clean-count", staying = staying, going = going)
    });
    let (kept, dropped) = (report.versions_kept, report.versions_dropped);
    if kept + dropped > 0 {
        out.say(&if report.dry_run {
            text!("clean-history-dry-run", kept = kept, dropped = dropped)
        } else {
            text!("clean-history", kept = kept, dropped = dropped)
        });
    }
    for cleaned in &report.destinations {
        let line = line(cleaned, report.dry_run);
        out.say(&format!("{} {line}", bracketed(cleaned)));
    }
}

/// What a person should know even if nothing else is said, on stderr.
pub fn warn(out: &Output, report: &CleanReport) {
    if !report.future.is_empty() {
        let short: Vec<String> = report.future.iter().map(|id| id.short()).collect();
        out.warn(&text!("clean-future", n = short.len(), ids = short.join(", ")));
        out.hint(&text!("clean-future-hint"));
    }
    suspect::warn_of_suspended(out, &report.suspects);
    if let Some(held) = &report.held {
        let held = names::escape(library::translated(held).as_bytes());
        out.warn(&if report.dry_run { text!("clean-refused", why = held) } else { text!("clean-held", why = held) });
    }
    for cleaned in report.destinations.iter().filter(|cleaned| !report.dry_run && is_uncleaned(cleaned)) {
        let trouble = trouble(cleaned).filter(|_| out.wishes.quiet || out.wishes.json);
        let why = trouble.map(|why| text!("because", why = why)).unwrap_or_default();
        out.warn(&text!("clean-failed", name = bracketed(cleaned), why = why));
        if cleaned.state.is_some_and(|state| state != DestinationState::Damaged) {
            out.hint(&text!("clean-failed-hint"));
        }
    }
}

/// What came back after a backup as one line, or why nothing did; nothing where there was nothing to do.
pub fn say_after_backup(out: &Output, report: &CleanReport) {
    if let Some(held) = &report.held {
        let held = names::escape(library::translated(held).as_bytes());
        out.warn(&text!("clean-held-unattended", why = held));
        out.hint(&text!("clean-held-hint"));
        return;
    }
    // Of those that are not there the backup tells.
    let there = || report.destinations.iter().filter(|cleaned| cleaned.state.is_none());
    for cleaned in there() {
        if let Some(why) = trouble(cleaned) {
            let why = text!("because", why = why);
            out.warn(&text!("clean-failed", name = bracketed(cleaned), why = why));
        }
    }
    let going = report.choices.iter().filter(|choice| !choice.stays()).count();
    let mut parts = Vec::new();
    if going > 0 && there().next().is_some() {
        parts.push(text!("clean-went", n = going));
    }
    for cleaned in there() {
        let given = bytes(cleaned, false);
        if !given.is_empty() {
            parts.push(format!("{} {}", bracketed(cleaned), given.join(", ")));
        }
    }
    if !parts.is_empty() {
        out.say(&text!("clean-after-backup", what = parts.join("; ")));
    }
}

fn bracketed(cleaned: &DestinationCleaned) -> String {
    format!("[{}]", names::escape(cleaned.name.as_bytes()))
}

fn trouble(cleaned: &DestinationCleaned) -> Option<String> {
    words::trouble(cleaned.state.unwrap_or(DestinationState::Online), cleaned.kind, cleaned.detail.as_deref())
}

/// What was deleted on a destination, what came back, and why not all.
fn line(cleaned: &DestinationCleaned, dry_run: bool) -> String {
    let mut parts = Vec::new();
    if let Some(what) = deleted(cleaned, dry_run) {
        parts.push(if dry_run { text!("clean-to-delete", what = what) } else { text!("clean-deleted", what = what) });
    }
    parts.extend(bytes(cleaned, dry_run));
    parts.extend(trouble(cleaned));
    if parts.is_empty() { text!("clean-nothing") } else { parts.join(", ") }
}

fn deleted(cleaned: &DestinationCleaned, dry_run: bool) -> Option<String> {
    let snapshots = (cleaned.snapshots_deleted > 0).then(|| text!("clean-snapshots", n = cleaned.snapshots_deleted));
    let packs = (cleaned.packs_deleted > 0).then(|| match (cleaned.packs_rewritten, dry_run) {
        (0, _) => text!("count-packs", n = cleaned.packs_deleted),
        (anew, false) => text!("clean-packs-anew", n = cleaned.packs_deleted, anew = anew),
        (anew, true) => text!("clean-packs-anew-dry-run", n = cleaned.packs_deleted, anew = anew),
    });
    match (snapshots, packs) {
        (Some(snapshots), Some(packs)) => Some(text!("list-and", first = snapshots, second = packs)),
        (snapshots, packs) => snapshots.or(packs),
    }
}

/// What came back, and what is to come back.
fn bytes(cleaned: &DestinationCleaned, dry_run: bool) -> Vec<String> {
    let mut parts = Vec::new();
    if cleaned.bytes_freed > 0 {
        let freed = units::bytes(cleaned.bytes_freed);
        parts.push(if dry_run { text!("clean-would-free", size = freed) } else { text!("clean-freed", size = freed) });
    }
    if cleaned.bytes_waiting > 0 {
        let waiting = units::bytes(cleaned.bytes_waiting);
        parts.push(match cleaned.returns {
            Some(returns) => come_back(&waiting, &units::moment(returns)),
            None => text!("clean-would-wait", size = waiting),
        });
    }
    parts
}

/// When space comes back that waits.
pub fn come_back(bytes: &str, when: &str) -> String {
    text!("clean-waits", size = bytes, when = when)
}

#[cfg(test)]
mod tests {
    use super::super::output::{Wishes, captured};
    use super::*;
    use crate::repo::PlaceKind;
    use crate::repo::settings::Settings;
    use crate::repo::{SnapshotId, Time};

    const TIME: Time = Time { seconds: 1_768_473_042, nanos: 0 };

    fn rules() -> Rules {
        Rules { keep_last: Some(3), ..Rules::of(&Settings::default().retention) }
    }

    fn report(dry_run: bool) -> CleanReport {
        let choice = |byte, reasons| Choice { id: SnapshotId::from_bytes([byte; 32]), time: TIME, reasons };
        let newest = |path: &[u8]| Reason::Newest { path: path.to_vec() };
        CleanReport {
            choices: vec![
                choice(0xAB, vec![newest(b"/a"), newest(b"/b\x1b"), Reason::Young, Reason::Last]),
                choice(0xCD, vec![]),
            ],
            versions_kept: 7,
            versions_dropped: 1,
            destinations: vec![
                DestinationCleaned {
                    name: "primary".to_owned(),
                    snapshots_deleted: 1,
                    packs_deleted: 3,
                    packs_rewritten: 1,
                    bytes_freed: 1_500_000,
                    ..DestinationCleaned::default()
                },
                DestinationCleaned {
                    name: "nas".to_owned(),
                    bytes_waiting: 2_000,
                    returns: (!dry_run).then_some(TIME),
                    ..DestinationCleaned::default()
                },
                DestinationCleaned { name: "idle".to_owned(), ..DestinationCleaned::default() },
            ],
            dry_run,
            ..CleanReport::default()
        }
    }

    fn lost() -> DestinationCleaned {
        DestinationCleaned {
            name: "usb".to_owned(),
            kind: PlaceKind::Usb,
            state: Some(DestinationState::Absent),
            ..DestinationCleaned::default()
        }
    }

    #[test]
    fn a_dry_run_says_why_each_snapshot_stays() {
        let (out, stdout, _) = captured::output(Wishes::default());
        say(&out, &report(true), &rules());
        let text = stdout.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "Dry run, nothing was deleted");
        assert!(lines[2].starts_with("abababab  2026-01-15 "), "{text}");
        let why = "  stays: newest of /a, newest of /b\\u{1b}, younger than 30 days, among the newest 3";
        assert!(lines[2].ends_with(why), "{text}");
        assert!(lines[3].starts_with("cdcdcdcd  ") && lines[3].ends_with("  goes"), "{text}");
        assert_eq!(
            lines[4..],
            [
                "1 snapshot stays, 1 goes",
                "History: 7 versions of files are kept, 1 goes",
                "[primary] 1 snapshot or history and 3 packs (1 to be written anew) would be deleted, about 1.5 MB would \
                 come back",
                "[nas] about 2 kB would come back after the grace period, since other machines use it too",
                "[idle] nothing to do",
            ]
        );
    }

    #[test]
    fn a_run_lists_what_went_and_says_what_could_not_be_cleaned() {
        let (out, stdout, stderr) = captured::output(Wishes::default());
        let mut report = report(false);
        assert_eq!(exit_status(&report), ExitStatus::Done);
        report.destinations.push(lost());
        say(&out, &report, &rules());
        warn(&out, &report);
        let text = stdout.text();
        assert!(!text.contains("abababab") && text.contains("cdcdcdcd"), "{text}");
        for part in [
            "1 snapshot stays, 1 went\nHistory: 7 versions of files are kept, 1 went\n",
            "3 packs (1 written anew) deleted, 1.5 MB came back\n[nas] 2 kB come back with the first `clean` after 2026-",
            "[usb] Destination not found (device unplugged?)\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(stderr.text().starts_with("warning: [usb] could not be cleaned\nhint: "), "{}", stderr.text());
        assert_eq!(exit_status(&report), ExitStatus::Behind);
        assert_eq!(exit_status(&CleanReport { dry_run: true, ..report.clone() }), ExitStatus::Done);
        report.destinations.pop();
        report.destinations[2].detail = Some("a listing failed".to_owned());
        assert_eq!(exit_status(&report), ExitStatus::Behind, "one that is there counts too");
        let (out, _, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        warn(&out, &report);
        assert_eq!(stderr.text(), "warning: [idle] could not be cleaned: a listing failed\n");
    }

    #[test]
    fn snapshots_from_the_future_and_what_would_be_refused_are_warned_of() {
        let (out, _, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        let future = vec![SnapshotId::from_bytes([0xEF; 32])];
        let held = Some("the clock jumped".to_owned());
        warn(&out, &CleanReport { future, held, dry_run: true, ..CleanReport::default() });
        let text = stderr.text();
        assert!(text.starts_with("warning: Snapshot efefefef is later than the clock"), "{text}");
        assert!(text.ends_with("warning: refused without --force: the clock jumped\n"), "{text}");
    }

    #[test]
    fn after_a_backup_it_is_one_line_or_none() {
        let (out, stdout, stderr) = captured::output(Wishes::default());
        let mut cleaned = report(false);
        cleaned.destinations.push(lost());
        say_after_backup(&out, &cleaned);
        let line =
            "Cleaned: 1 snapshot went; [primary] 1.5 MB came back; [nas] 2 kB come back with the first `clean` after ";
        let text = stdout.text();
        assert!(text.starts_with(line) && text.lines().count() == 1, "{text}");
        say_after_backup(&out, &CleanReport { destinations: vec![lost()], ..CleanReport::default() });
        assert_eq!((stdout.text(), stderr.text()), (text.clone(), String::new()), "there was nothing to do");
        let held = CleanReport { held: Some("more than half".to_owned()), destinations: vec![], ..report(false) };
        say_after_backup(&out, &held);
        assert_eq!(stdout.text(), text);
        assert!(stderr.text().starts_with("warning: not cleaned: more than half\nhint: "), "{}", stderr.text());
    }

    #[test]
    fn the_document_has_what_scripts_rely_on() {
        let mut report = report(false);
        report.destinations.push(lost());
        let value = document(&report);
        let first = &value["snapshots"][0];
        assert_eq!((&first["id"], &first["stays"]), (&json!("ab".repeat(32)), &json!(true)));
        assert_eq!(first["reasons"], json!(["newest", "keep-days", "keep-last"]));
        assert_eq!((&value["snapshots"][1]["reasons"], &value["held"]), (&json!([]), &Value::Null));
        assert_eq!((&value["versions_kept"], &value["versions_dropped"]), (&json!(7), &json!(1)));
        assert_eq!((&value["dry_run"], &value["exit_code"]), (&json!(false), &json!(5)));
        let nas = &value["destinations"][1];
        assert_eq!((&nas["state"], &nas["returns"]), (&json!("online"), &json!("2026-01-15T10:30:42Z")));
        assert_eq!(value["destinations"][3]["state"], "absent");
    }
}
