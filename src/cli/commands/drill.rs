//! `drill`: whether a restore would work, tried on a sample.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::library::translated;
use crate::cli::messages::text;
use crate::cli::output::{Output, Style};
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::{names, units};
use crate::drill::{self, BYTES_MIN, DestinationDrilled, DrillFinding, DrillReport, DrillRequest, FindingKind, Limit};
use crate::error::Error;
use crate::repo::Access;
use crate::repo::settings::size;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup drill
  cryptbackup drill --budget 5GB --destination secondary
  cryptbackup drill --budget 10min --json";

/// Findings that are listed; of the rest only the number is said.
const FINDINGS_SHOWN: usize = 20;

/// Restore a sample from each destination alone, compare it and remove it again
///
/// What matters more and what was not tried for longer is likelier to be chosen. It is restored to a private place below the
/// state folder, a portion at a time, by the way every restore takes; then it is read again and compared with what was
/// stored, and with the files themselves where those were not changed since. `status` says how much is proven.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How much on each destination, from 4MB on, or for how long in all: 500MB, 30s, 5min, 2h
    #[arg(long, value_name = "BUDGET", default_value = "500MB", value_parser = budget)]
    budget: Limit,
    /// Only this destination; can be repeated
    #[arg(long, value_name = "NAME")]
    destination: Vec<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

fn budget(text: &str) -> Result<Limit, String> {
    let refused = || text!("drill-budget-not-one", least = units::bytes(BYTES_MIN));
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit.trim_start() {
        "s" | "sec" => Some(1),
        "min" => Some(60),
        "h" => Some(3_600),
        _ => None,
    };
    if let Some(seconds) = seconds {
        let number = number.parse::<u64>().ok().filter(|number| *number > 0);
        let all = number.and_then(|number| number.checked_mul(seconds)).ok_or_else(refused)?;
        return Ok(Limit::Time(Duration::from_secs(all)));
    }
    size(text).ok().filter(|bytes| *bytes >= BYTES_MIN).map(Limit::Bytes).ok_or_else(refused)
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let (repo, progress) = context.open_for_work(Access::Read, &args.secret)?;
    let request = DrillRequest { limit: args.budget, destinations: args.destination, seed: None };
    let report = drill::run(&repo, &request, &progress)?;
    drill::remember(repo, &report)?;
    progress.done();
    Ok(print(&context.out, &report))
}

/// The gravest finding decides.
fn exit_status(report: &DrillReport) -> ExitStatus {
    let has = |kind| report.findings.iter().any(|finding| finding.kind == kind);
    if has(FindingKind::Damaged) {
        ExitStatus::Damage
    } else if has(FindingKind::SourceDiffers) {
        ExitStatus::Suspect
    } else if !report.findings.is_empty() {
        ExitStatus::Partial
    } else if !report.unreachable.is_empty() {
        // What nobody tried is not known to be well.
        ExitStatus::Behind
    } else {
        ExitStatus::Done
    }
}

fn print(out: &Output, report: &DrillReport) -> ExitStatus {
    let status = exit_status(report);
    if out.wishes.json {
        for finding in &report.findings {
            out.message("error", document(finding));
        }
        out.message("summary", summary(report, status));
        return status;
    }
    let shown = if out.wishes.verbose > 0 { report.findings.len() } else { FINDINGS_SHOWN };
    for finding in report.findings.iter().take(shown) {
        out.data(&line(out, finding));
    }
    if let Some(rest) = report.findings.len().checked_sub(shown).filter(|rest| *rest > 0) {
        out.data(&text!("problems-more", n = rest));
    }
    for drilled in &report.destinations {
        out.say(&destination_line(out, drilled));
    }
    for (name, why) in &report.unreachable {
        let (name, why) = (names::escape(name.as_bytes()), names::escape(translated(why).as_bytes()));
        out.warn(&text!("drill-not-drilled", name = name, why = why));
    }
    if !report.unreachable.is_empty() {
        out.hint(&text!("hint-plug-in"));
    }
    let mut kinds: Vec<FindingKind> = report.findings.iter().map(|finding| finding.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in &kinds {
        out.hint(&hint(*kind));
    }
    if kinds.is_empty() && report.destinations.iter().any(|drilled| drilled.snapshots > 0) {
        out.say(&out.paint(Style::Good, &text!("no-damage")));
    }
    status
}

fn destination_line(out: &Output, drilled: &DestinationDrilled) -> String {
    let name = names::escape(drilled.name.as_bytes());
    if drilled.snapshots == 0 {
        return text!("drill-nothing", name = name);
    }
    let mut what = text!("count-files", n = drilled.files);
    if drilled.parts > 0 {
        what = text!("list-and", first = what, second = text!("drill-parts", n = drilled.parts));
    }
    let findings = match drilled.findings {
        0 => out.paint(Style::Good, &text!("check-nothing-wrong")),
        number => out.paint(Style::Bad, &text!("check-findings", n = number)),
    };
    let (size, read) = (units::bytes(drilled.bytes_restored), units::bytes(drilled.bytes_read));
    let restored = text!("drill-restored", name = name, what = what, size = size, read = read, findings = findings);
    let compared = text!("drill-compared", n = drilled.compared);
    match drilled.proven_percent {
        Some(percent) => text!("drill-proven", restored = restored, compared = compared, percent = percent),
        None => restored,
    }
}

fn line(out: &Output, finding: &DrillFinding) -> String {
    let word = match finding.kind {
        FindingKind::Damaged => out.paint(Style::Bad, &text!("finding-damage")),
        FindingKind::SourceDiffers => out.paint(Style::Bad, &text!("finding-source-differs")),
        FindingKind::MetadataDiffers => out.paint(Style::Attention, &text!("finding-metadata")),
        FindingKind::NotRestored => out.paint(Style::Attention, &text!("finding-not-restored")),
    };
    let (object, name) = (names::path(&finding.path), names::escape(finding.destination.as_bytes()));
    let what = names::escape(translated(&finding.detail).as_bytes());
    text!("finding", word = word, what = text!("drill-finding", object = object, name = name, what = what))
}

fn hint(kind: FindingKind) -> String {
    match kind {
        FindingKind::Damaged => text!("drill-hint-damaged"),
        FindingKind::SourceDiffers => text!("drill-hint-source-differs"),
        FindingKind::MetadataDiffers => text!("problem-hint-metadata"),
        FindingKind::NotRestored => text!("drill-hint-not-restored"),
    }
}

fn document(finding: &DrillFinding) -> Value {
    let value = json!({ "kind": finding.kind, "destination": finding.destination, "detail": finding.detail });
    with_path(value, "path", path_bytes(&finding.path))
}

fn summary(report: &DrillReport, status: ExitStatus) -> Value {
    let destination = |drilled: &DestinationDrilled| {
        json!({
            "name": drilled.name,
            "snapshots": drilled.snapshots,
            "files": drilled.files,
            "parts": drilled.parts,
            "bytes_restored": drilled.bytes_restored,
            "bytes_read": drilled.bytes_read,
            "compared": drilled.compared,
            "findings": drilled.findings,
            "proven_percent": drilled.proven_percent,
        })
    };
    let unreachable = |(name, why): &(String, String)| json!({ "name": name, "detail": why });
    json!({
        "destinations": report.destinations.iter().map(destination).collect::<Value>(),
        "unreachable": report.unreachable.iter().map(unreachable).collect::<Value>(),
        "findings": report.findings.iter().map(document).collect::<Value>(),
        "duration_seconds": report.duration_seconds,
        "exit_code": status.code(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};

    #[test]
    fn budgets_are_sizes_or_times() {
        assert_eq!(budget("500MB"), Ok(Limit::Bytes(500_000_000)));
        assert_eq!(budget("4MB"), Ok(Limit::Bytes(BYTES_MIN)));
        assert_eq!(budget("30s"), Ok(Limit::Time(Duration::from_secs(30))));
        assert_eq!(budget(" 5 min "), Ok(Limit::Time(Duration::from_secs(300))));
        assert_eq!(budget("2h"), Ok(Limit::Time(Duration::from_secs(7_200))));
        for bad in
            ["", "0", "0min", "min", "-5min", "3MB", "5 days", "1.5h", "99999999999999999999s", "9999999999999999h"]
        {
            let refusal = budget(bad).expect_err(bad);
            assert!(refusal.contains("500MB") && refusal.contains("5min"), "{refusal}");
        }
    }

    fn report(kinds: &[FindingKind]) -> DrillReport {
        let finding = |kind: &FindingKind| DrillFinding {
            destination: "usb".to_owned(),
            path: "/home/ada/a\n".into(),
            kind: *kind,
            detail: "it is gone".to_owned(),
        };
        let drilled = DestinationDrilled {
            name: "usb".to_owned(),
            snapshots: 3,
            files: 1_234,
            parts: 2,
            bytes_restored: 480_000_000,
            bytes_read: 310_000_000,
            compared: 1_000,
            findings: kinds.len() as u64,
            proven_percent: Some(82),
        };
        DrillReport {
            destinations: vec![drilled, DestinationDrilled { name: "new".to_owned(), ..DestinationDrilled::default() }],
            unreachable: vec![("nas".to_owned(), "it is gone".to_owned())],
            findings: kinds.iter().map(finding).collect(),
            damaged: Vec::new(),
            duration_seconds: 0.1,
        }
    }

    #[test]
    fn the_gravest_finding_is_the_exit_code() {
        use FindingKind as Kind;
        for (kinds, status) in [
            // One is away.
            (&[][..], ExitStatus::Behind),
            (&[Kind::NotRestored], ExitStatus::Partial),
            (&[Kind::MetadataDiffers], ExitStatus::Partial),
            (&[Kind::MetadataDiffers, Kind::SourceDiffers], ExitStatus::Suspect),
            (&[Kind::SourceDiffers, Kind::Damaged], ExitStatus::Damage),
        ] {
            let (out, ..) = captured::output(Wishes::default());
            assert_eq!(print(&out, &report(kinds)), status);
        }
        let (out, ..) = captured::output(Wishes::default());
        assert_eq!(print(&out, &DrillReport { unreachable: vec![], ..report(&[]) }), ExitStatus::Done);
    }

    #[test]
    fn every_destination_has_a_line_and_every_kind_of_finding_a_hint() {
        let (out, stdout, stderr) = captured::output(Wishes::default());
        print(&out, &report(&[FindingKind::Damaged, FindingKind::SourceDiffers]));
        let text = stdout.text();
        for part in [
            "damage: /home/ada/a\\n from [usb]: it is gone\n",
            "changed unseen: /home/ada/a\\n from [usb]: it is gone\n",
            "[usb] 1,234 files and 2 parts of large files restored, 480 MB, read as 310 MB, 2 findings; \
             1,000 compared with the files themselves; 82 % of this destination is proven now\n",
            "[new] nothing is backed up there yet\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        let said = stderr.text();
        for part in ["[nas] was not drilled: it is gone", "check --read-data --heal", "restore --file"] {
            assert!(said.contains(part), "{part:?} is not in\n{said}");
        }
        let (out, stdout, _) = captured::output(Wishes::default());
        print(&out, &report(&[FindingKind::Damaged; 25]));
        assert!(stdout.text().contains("… and 5 more"), "{}", stdout.text());
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        print(&out, &report(&[FindingKind::Damaged]));
        let lines = stdout.json_lines();
        assert_eq!((&lines[0]["message_type"], &lines[0]["kind"]), (&json!("error"), &json!("damaged")));
        assert_eq!((&lines[1]["exit_code"], &lines[1]["destinations"][0]["proven_percent"]), (&json!(15), &json!(82)));
    }
}
