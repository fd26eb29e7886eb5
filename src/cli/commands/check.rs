//! `check`: whether everything that was stored is there and whole.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::check::{self, CheckReport, CheckRequest, DestinationChecked, Finding, Healed, Severity};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::library::translated;
use crate::cli::messages::text;
use crate::cli::output::{Output, Style};
use crate::cli::secrets::SecretArgs;
use crate::cli::{names, units, words};
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup check
  cryptbackup check --read-data
  cryptbackup check --read-data --heal
  cryptbackup check --read-data-subset 5% --destination secondary";

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
    /// Write what is damaged or missing again, from another destination or this computer
    #[arg(long)]
    heal: bool,
    /// Only this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

/// A share that is typed: `5%`, `0.5`.
///
/// # Errors
/// A sentence, where it is none.
pub fn percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.strip_suffix('%').unwrap_or(text).trim().parse().ok();
    let valid = number.filter(|percent| *percent > 0.0 && *percent <= 100.0);
    valid.ok_or_else(|| text!("percentage-not-one"))
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let access = if args.heal { Access::Write } else { Access::Read };
    let (mut repo, progress) = context.open_for_work(access, &args.secret)?;
    let request = CheckRequest {
        read_data: args.read_data || args.read_data_subset.is_some(),
        subset_percent: args.read_data_subset,
        destination: args.destination,
    };
    let has_others = repo.settings().destinations.len() > 1;
    let report = if args.heal {
        check::heal(&mut repo, request, &progress)?
    } else {
        let report = check::run(&repo, request, &progress)?;
        check::remember(repo, &report)?;
        report
    };
    progress.done();
    let hint = match (args.heal, has_others) {
        (true, _) => text!("check-hint-plug-in"),
        (false, true) => text!("check-hint-elsewhere"),
        (false, false) => text!("check-hint-nowhere-else"),
    };
    Ok(print(&context.out, &report, args.heal, &hint))
}

fn is_damage(finding: &Finding) -> bool {
    finding.severity == Severity::Damage
}

/// One object may be found damaged in several ways.
fn damaged_objects(findings: &[Finding]) -> u64 {
    let damaged = findings.iter().filter(|finding| is_damage(finding));
    damaged.map(|finding| (&finding.destination, &finding.object)).collect::<BTreeSet<_>>().len() as u64
}

fn print(out: &Output, report: &CheckReport, is_healing: bool, hint: &str) -> ExitStatus {
    let damaged = damaged_objects(&report.findings);
    let status = match damaged {
        0 if report.unreachable.is_empty() => ExitStatus::Done,
        // What nobody looked at is not known to be well.
        0 => ExitStatus::Behind,
        _ if is_healing && !report.has_damage_left() => ExitStatus::Healed,
        _ => ExitStatus::Damage,
    };
    if out.wishes.json {
        for finding in &report.findings {
            out.message("error", document(finding));
        }
        for healed in &report.healed {
            out.message("status", document_healed(healed));
        }
        out.message("summary", summary(report, status));
        return status;
    }
    for finding in &report.findings {
        out.data(&line(out, finding));
    }
    for healed in &report.healed {
        out.data(&line_healed(out, healed));
    }
    for finding in &report.remaining {
        out.data(&line_left(out, finding));
    }
    for destination in &report.destinations {
        out.say(&destination_line(out, destination));
    }
    for (name, why) in &report.unreachable {
        let (name, why) = (names::escape(name.as_bytes()), names::escape(translated(why).as_bytes()));
        out.warn(&text!("check-not-checked", name = name, why = why));
    }
    if !report.unreachable.is_empty() {
        out.hint(&text!("hint-plug-in"));
    }
    let duration = units::duration(report.duration_seconds);
    out.say(&match report.packs_read {
        0 => text!("check-not-read", duration = duration),
        packs => text!("check-read", n = packs, size = units::bytes(report.bytes_read), duration = duration),
    });
    match damaged {
        0 => out.say(&out.paint(Style::Good, &text!("no-damage"))),
        number => {
            out.tell(&text!("check-damaged", n = number));
            match damaged_objects(&report.remaining) {
                _ if !is_healing => out.hint(hint),
                0 => out.tell(&out.paint(Style::Good, &text!("check-all-healed"))),
                left => {
                    out.tell(&text!("check-left", n = left));
                    out.hint(hint);
                }
            }
        }
    }
    status
}

fn destination_line(out: &Output, checked: &DestinationChecked) -> String {
    let snapshots = text!("count-snapshots", n = checked.snapshots);
    let packs = text!("count-packs", n = checked.packs);
    let findings = match checked.findings {
        0 => out.paint(Style::Good, &text!("check-nothing-wrong")),
        number => out.paint(Style::Bad, &text!("check-findings", n = number)),
    };
    format!("[{}] {snapshots}, {packs}, {findings}", names::escape(checked.name.as_bytes()))
}

fn line(out: &Output, finding: &Finding) -> String {
    let word = words::severity(out, finding.severity);
    let mut what = on(&finding.object, &finding.destination, &finding.what);
    if !finding.affects.is_empty() {
        let short: Vec<&str> = finding.affects.iter().map(|id| id.get(..8).unwrap_or(id)).collect();
        what = text!("finding-affects", what = what, ids = names::escape(short.join(", ").as_bytes()));
    }
    text!("finding", word = word, what = what)
}

fn line_healed(out: &Output, healed: &Healed) -> String {
    let what = on(&healed.object, &healed.destination, &healed.how);
    text!("finding", word = out.paint(Style::Good, &text!("finding-healed")), what = what)
}

fn line_left(out: &Output, finding: &Finding) -> String {
    let what = on(&finding.object, &finding.destination, &finding.what);
    text!("finding", word = out.paint(Style::Bad, &text!("finding-left")), what = what)
}

/// What is said of an object on a destination, safe to show.
fn on(object: &str, destination: &str, what: &str) -> String {
    let safe = |text: &str| names::escape(text.as_bytes());
    text!("finding-on", object = safe(object), name = safe(destination), what = safe(&translated(what)))
}

fn document_healed(healed: &Healed) -> Value {
    json!({ "healed": true, "destination": healed.destination, "object": healed.object, "detail": healed.how })
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
            "healed": report.healed.iter().filter(|healed| healed.destination == checked.name).count(),
            "left": report.remaining.iter().filter(|finding| finding.destination == checked.name).count(),
        })
    };
    let unreachable = |(name, why): &(String, String)| json!({ "name": name, "detail": why });
    json!({
        "snapshots": report.snapshots,
        "packs_read": report.packs_read,
        "packs": report.packs,
        "bytes_read": report.bytes_read,
        "findings": report.findings.iter().map(document).collect::<Value>(),
        "healed": report.healed.iter().map(document_healed).collect::<Value>(),
        "remaining": report.remaining.iter().map(document).collect::<Value>(),
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
            name: None,
        };
        CheckReport {
            snapshots: 1,
            packs: 3,
            packs_read: 0,
            bytes_read: 0,
            findings: severities.iter().map(finding).collect(),
            destinations: Vec::new(),
            unreachable: Vec::new(),
            healed: Vec::new(),
            remaining: Vec::new(),
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
            assert_eq!(print(&out, &report(severities), false, ""), status);
            let away = vec![("nas".to_owned(), "it is not there".to_owned())];
            let report = CheckReport { unreachable: away, ..report(severities) };
            let status = if status == ExitStatus::Done { ExitStatus::Behind } else { status };
            assert_eq!(print(&out, &report, false, ""), status);
        }
    }

    #[test]
    fn findings_name_object_place_and_snapshots() {
        let (out, stdout, _) = captured::output(Wishes::default());
        print(&out, &report(&[Severity::Damage]), false, "");
        let line = "damage: packs/ab/abcd on [usb]: shorter than it should be; affects 1234abcd\n";
        assert!(stdout.text().starts_with(line), "{}", stdout.text());
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        print(&out, &report(&[Severity::Damage]), false, "");
        let lines = stdout.json_lines();
        assert_eq!((&lines[0]["message_type"], &lines[0]["severity"]), (&json!("error"), &json!("damage")));
        assert_eq!((&lines[1]["message_type"], &lines[1]["exit_code"]), (&json!("summary"), &json!(15)));
    }

    #[test]
    fn what_was_healed_and_what_is_left_decide() {
        let healed = Healed { destination: "usb".to_owned(), object: "packs/ab".to_owned(), how: "taken".to_owned() };
        let mut report = report(&[Severity::Damage]);
        report.healed.push(healed);
        let (out, stdout, stderr) = captured::output(Wishes::default());
        assert_eq!(print(&out, &report, true, ""), ExitStatus::Healed);
        assert!(stdout.text().contains("healed: packs/ab on [usb]: taken\n"), "{}", stdout.text());
        assert!(stderr.text().contains("All of it was healed."), "{}", stderr.text());
        report.remaining = report.findings.clone();
        let (out, stdout, stderr) = captured::output(Wishes::default());
        assert_eq!(print(&out, &report, true, ""), ExitStatus::Damage);
        assert!(stdout.text().contains("left: packs/ab/abcd on [usb]"), "{}", stdout.text());
        assert!(stderr.text().contains("1 damaged object is left."), "{}", stderr.text());
    }

    #[test]
    fn percentages() {
        assert_eq!([percent("5%"), percent("0.5 %"), percent("100")], [Ok(5.0), Ok(0.5), Ok(100.0)]);
        for bad in ["", "%", "0", "-1%", "101%", "NaN", "inf", "five"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
    }
}
