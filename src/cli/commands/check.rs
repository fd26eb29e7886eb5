//! `check`: whether everything that was stored is there and whole.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::check::{self, CheckReport, CheckRequest, DestinationChecked, Finding, Severity};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::output::{Output, Style};
use crate::cli::secrets::SecretArgs;
use crate::cli::{names, units};
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup check
  cryptbackup check --read-data
  cryptbackup check --read-data-subset 5% --destination secondary";

const ELSEWHERE: &str = "restore reads around it where another destination is whole; to have a new copy, set a fresh \
                         folder with `cryptbackup config set destinations.NAME DIR` and run `cryptbackup sync`";
const NOWHERE_ELSE: &str = "there is no other destination to take it from; the next `cryptbackup backup` stores anew what \
                            is missing, and `cryptbackup config set destinations.NAME DIR` adds a second destination";

/// Look for damage: structure by default, every byte with --read-data
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Read and verify every byte
    #[arg(long, conflicts_with = "read_data_subset")]
    read_data: bool,
    /// Read and verify this part, chosen at random
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    read_data_subset: Option<f64>,
    /// Only this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.strip_suffix('%').unwrap_or(text).trim().parse().ok();
    let valid = number.filter(|percent| *percent > 0.0 && *percent <= 100.0);
    valid.ok_or_else(|| "a percentage above 0 and up to 100 is expected, such as 5%".to_owned())
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let (repo, progress) = context.open_for_work(Access::Read, &args.secret)?;
    let request = CheckRequest {
        read_data: args.read_data || args.read_data_subset.is_some(),
        subset_percent: args.read_data_subset,
        destination: args.destination,
    };
    let report = check::run(&repo, request, &progress)?;
    progress.done();
    let has_others = repo.settings().destinations.len() > 1;
    Ok(print(&context.out, &report, has_others))
}

fn is_damage(finding: &Finding) -> bool {
    finding.severity == Severity::Damage
}

/// One object may be found damaged in several ways.
fn damaged_objects(report: &CheckReport) -> u64 {
    let damaged = report.findings.iter().filter(|finding| is_damage(finding));
    damaged.map(|finding| (&finding.destination, &finding.object)).collect::<BTreeSet<_>>().len() as u64
}

fn print(out: &Output, report: &CheckReport, has_others: bool) -> ExitStatus {
    let damaged = damaged_objects(report);
    let status = if damaged > 0 { ExitStatus::Damage } else { ExitStatus::Done };
    if out.wishes.json {
        for finding in &report.findings {
            out.message("error", document(finding));
        }
        out.message("summary", summary(report, status));
        return status;
    }
    for finding in &report.findings {
        out.data(&line(out, finding));
    }
    for destination in &report.destinations {
        out.say(&destination_line(out, destination));
    }
    for (name, why) in &report.unreachable {
        out.warn(&format!("[{}] was not checked: {}", names::escape(name.as_bytes()), names::escape(why.as_bytes())));
    }
    let read = match report.packs_read {
        0 => "Their data were not read; --read-data does that".to_owned(),
        packs => format!("{} read in {}", units::counted(packs, "pack", "packs"), units::bytes(report.bytes_read)),
    };
    out.say(&format!("{read}. Checked in {}.", units::duration(report.duration_seconds)));
    match damaged {
        0 => out.say(&out.paint(Style::Good, "No damage found.")),
        number => {
            out.tell(&format!("{} found.", units::counted(number, "damaged object", "damaged objects")));
            out.tell(&format!("hint: {}", if has_others { ELSEWHERE } else { NOWHERE_ELSE }));
        }
    }
    status
}

fn destination_line(out: &Output, checked: &DestinationChecked) -> String {
    let snapshots = units::counted(checked.snapshots, "snapshot", "snapshots");
    let packs = units::counted(checked.packs, "pack", "packs");
    let findings = match checked.findings {
        0 => out.paint(Style::Good, "nothing wrong"),
        number => out.paint(Style::Bad, &units::counted(number, "finding", "findings")),
    };
    format!("[{}] {snapshots}, {packs}, {findings}", names::escape(checked.name.as_bytes()))
}

fn line(out: &Output, finding: &Finding) -> String {
    let word = if is_damage(finding) { out.paint(Style::Bad, "damage") } else { out.paint(Style::Attention, "notice") };
    let what = format!("{} on [{}]: {}", finding.object, finding.destination, finding.what);
    let mut line = format!("{word}: {}", names::escape(what.as_bytes()));
    if !finding.affects.is_empty() {
        let short: Vec<&str> = finding.affects.iter().map(|id| id.get(..8).unwrap_or(id)).collect();
        line.push_str(&names::escape(format!("; affects {}", short.join(", ")).as_bytes()));
    }
    line
}

fn document(finding: &Finding) -> Value {
    json!({
        "severity": if is_damage(finding) { "damage" } else { "notice" },
        "destination": finding.destination,
        "object": finding.object,
        "detail": finding.what,
        "affects": finding.affects,
    })
}

fn summary(report: &CheckReport, status: ExitStatus) -> Value {
    let destination = |checked: &DestinationChecked| {
        json!({
            "name": checked.name,
            "snapshots": checked.snapshots,
            "packs": checked.packs,
            "packs_read": checked.packs_read,
            "bytes_read": checked.bytes_read,
            "findings": checked.findings,
        })
    };
    let unreachable = |(name, why): &(String, String)| json!({ "name": name, "detail": why });
    json!({
        "snapshots": report.snapshots,
        "packs_read": report.packs_read,
        "packs": report.packs,
        "bytes_read": report.bytes_read,
        "findings": report.findings.iter().map(document).collect::<Value>(),
        "destinations": report.destinations.iter().map(destination).collect::<Value>(),
        "unreachable": report.unreachable.iter().map(unreachable).collect::<Value>(),
        "duration_seconds": report.duration_seconds,
        "exit_code": status.code(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};

    fn report(severities: &[Severity]) -> CheckReport {
        let finding = |severity: &Severity| Finding {
            destination: "usb".to_owned(),
            object: "packs/ab/abcd".to_owned(),
            what: "shorter than it should be".to_owned(),
            severity: *severity,
            affects: vec!["1234abcd".to_owned()],
        };
        CheckReport {
            snapshots: 1,
            packs: 3,
            packs_read: 0,
            bytes_read: 0,
            findings: severities.iter().map(finding).collect(),
            destinations: Vec::new(),
            unreachable: Vec::new(),
            duration_seconds: 0.1,
        }
    }

    #[test]
    fn only_damage_is_damage() {
        for (severities, status) in [
            (&[][..], ExitStatus::Done),
            (&[Severity::Notice], ExitStatus::Done),
            (&[Severity::Notice, Severity::Damage], ExitStatus::Damage),
        ] {
            let (out, ..) = captured::output(Wishes::default());
            assert_eq!(print(&out, &report(severities), true), status);
        }
    }

    #[test]
    fn findings_name_object_place_and_snapshots() {
        let (out, stdout, _) = captured::output(Wishes::default());
        print(&out, &report(&[Severity::Damage]), true);
        let line = "damage: packs/ab/abcd on [usb]: shorter than it should be; affects 1234abcd\n";
        assert!(stdout.text().starts_with(line), "{}", stdout.text());
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        print(&out, &report(&[Severity::Damage]), true);
        let lines = stdout.json_lines();
        assert_eq!((&lines[0]["message_type"], &lines[0]["severity"]), (&json!("error"), &json!("damage")));
        assert_eq!((&lines[1]["message_type"], &lines[1]["exit_code"]), (&json!("summary"), &json!(15)));
    }

    #[test]
    fn another_destination_is_spoken_of_only_where_there_is_one() {
        for has_others in [false, true] {
            let (out, _, stderr) = captured::output(Wishes::default());
            print(&out, &report(&[Severity::Damage]), has_others);
            assert_eq!(stderr.text().contains("restore reads around it"), has_others, "{}", stderr.text());
        }
    }

    #[test]
    fn percentages() {
        assert_eq!([percent("5%"), percent("0.5 %"), percent("100")], [Ok(5.0), Ok(0.5), Ok(100.0)]);
        for bad in ["", "%", "0", "-1%", "101%", "NaN", "inf", "five"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
    }
}
