//! `status`: how things stand, also when no destination can be reached.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clean::{self, Outlook, Waiting};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::output::{Output, Style};
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{self, path_bytes, with_path};
use crate::cli::table::Table;
use crate::cli::{cleaned, names, standing, suspect, units, words};
use crate::error::Error;
use crate::repo::{Access, DestinationState, DestinationStatus, Repo, SourceStatus, Standing, StatusReport};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup status
  cryptbackup status --check --quiet
  cryptbackup status --json";

/// Show sources, destinations, what is stored and when it was last backed up
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Say by the exit code how things stand: 4 suspect; 3 no source, or one never backed up, overdue or with problems; 5 a
    /// destination missing, away or behind
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let repo = context.open_for_listing(Access::Read, &args.secret)?;
    let report = repo.status()?;
    let space = Space::of(&repo, &report.destinations)?;
    if context.out.wishes.json {
        context.out.document(&document(&report, &space));
    } else {
        print(&context.out, &report, &space, Timestamp::now());
    }
    Ok(if args.check { health(&report) } else { ExitStatus::Done })
}

/// How things stand, as an exit code.
fn health(report: &StatusReport) -> ExitStatus {
    let is_well = |status: &DestinationStatus| {
        let states = [DestinationState::Online, DestinationState::Weak];
        states.contains(&status.state) && status.snapshots_behind == 0
    };
    let is_enough = report.destinations.len() >= report.min_copies && report.destinations.iter().all(is_well);
    if report.sources.iter().any(|source| source.suspect.is_some()) {
        ExitStatus::Suspect
    } else if report.sources.is_empty() || report.sources.iter().any(|source| source.is_overdue || source.problems > 0)
    {
        // Where there is no source nothing is backed up: a script must not take that for well.
        ExitStatus::Partial
    } else if !is_enough {
        ExitStatus::Behind
    } else {
        ExitStatus::Done
    }
}

/// What cleaning would do, as far as that is known without looking.
#[derive(Default)]
struct Space {
    outlook: Outlook,
    /// By the name of the destination.
    waiting: BTreeMap<String, Waiting>,
}

impl Space {
    fn of(repo: &Repo, destinations: &[DestinationStatus]) -> Result<Self, Error> {
        let mut waiting = BTreeMap::new();
        for destination in destinations {
            if let Some(id) = repo.destination_id(&destination.name)? {
                waiting.insert(destination.name.clone(), clean::waiting(repo, &id)?);
            }
        }
        Ok(Self { outlook: clean::outlook(repo)?, waiting })
    }

    fn on(&self, destination: &DestinationStatus) -> Waiting {
        self.waiting.get(&destination.name).copied().unwrap_or_default()
    }
}

fn document(report: &StatusReport, space: &Space) -> Value {
    let destination = |(status, how): (&DestinationStatus, &Standing)| {
        let (mut value, waiting) = (shapes::destination(status), space.on(status));
        value["bytes_waiting"] = json!(waiting.bytes_waiting);
        value["returns"] = json!(waiting.returns.map(shapes::moment));
        value["bytes_reclaimable"] = json!(waiting.bytes_reclaimable);
        standing::add(&mut value, how);
        value
    };
    let source = |source: &SourceStatus| {
        let value = json!({
            "last_good": source.last_good.map(shapes::moment),
            "last_read": source.last_read.map(shapes::moment),
            "files": source.files,
            "bytes": source.bytes,
            "problems": source.problems,
            "unread": source.is_unread,
            "overdue": source.is_overdue,
            "suspect": source.suspect.as_ref().map(|(id, time, source)| {
                let mut value = suspect::source(source);
                value["snapshot_id"] = json!(id.to_string());
                value["time"] = json!(shapes::moment(*time));
                value
            }),
        });
        with_path(value, "path", path_bytes(&source.path))
    };
    json!({
        "repo": report.repo.to_string(),
        "sources": report.sources.iter().map(source).collect::<Value>(),
        "destinations": report.destinations.iter().zip(&report.standings).map(destination).collect::<Value>(),
        "snapshots": report.snapshots,
        "files": report.files,
        "bytes_source": report.bytes_source,
        "bytes_all_snapshots": report.bytes_all_snapshots,
        "bytes_unique": report.bytes_unique,
        "bytes_stored": report.bytes_stored,
        "bytes_saved_deduplication": standing::saved(report).0,
        "bytes_saved_compression": standing::saved(report).1,
        "last_backup": report.last_backup.map(shapes::moment),
        "key_exported": report.key_exported,
        "min_copies": report.min_copies,
        "snapshots_staying": space.outlook.snapshots_staying,
        "snapshots_going": space.outlook.snapshots_going,
    })
}

fn print(out: &Output, report: &StatusReport, space: &Space, now: Timestamp) {
    out.data(&format!(" {}", text!("status-sources")));
    for line in source_lines(out, &report.sources, now) {
        out.data(&line);
    }
    if report.sources.is_empty() {
        out.data(&format!("  {}", text!("status-no-source")));
    }
    out.data(&format!(" {}", text!("destinations-heading")));
    for line in destination_lines(out, &report.destinations) {
        out.data(&line);
    }
    if report.destinations.is_empty() {
        out.data(&format!("  {}", text!("status-no-destination")));
    }
    section(out, &text!("status-standing"), standing::lines(out, report, now));
    section(out, &text!("status-space"), space_lines(&report.destinations, space));
    backups(out, report, space, now);
    warnings(out, report, now);
}

/// Lines under a heading; nothing where there are none.
fn section(out: &Output, heading: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        out.data(&format!(" {heading}"));
    }
    lines.iter().for_each(|line| out.data(line));
}

fn backups(out: &Output, report: &StatusReport, space: &Space, now: Timestamp) {
    out.data(&format!(" {}", text!("status-backups")));
    let mut table = Table::bare(2);
    let mut row = |what: String, value: String| table.row(vec![format!("  {what}"), value]);
    row(
        text!("status-last-backup"),
        match report.last_backup {
            Some(time) => format!("{} ({})", units::moment(time), units::ago(time, now)),
            None => out.paint(Style::Attention, &text!("never")),
        },
    );
    row(text!("status-files"), format!("{}, {}", units::count(report.files), units::bytes(report.bytes_source)));
    row(text!("status-snapshots"), units::count(report.snapshots as u64));
    row(text!("status-going"), to_be_cleaned(&space.outlook));
    row(text!("status-full-copies"), units::bytes(report.bytes_all_snapshots));
    row(text!("status-stored"), units::bytes(report.bytes_stored));
    let (twice, compressed) = standing::saved(report);
    let all = report.bytes_all_snapshots.saturating_sub(report.bytes_stored);
    row(text!("status-saved"), standing::share(all, report.bytes_all_snapshots));
    row(text!("status-saved-deduplication"), standing::share(twice, report.bytes_all_snapshots));
    row(text!("status-saved-compression"), standing::share(compressed, report.bytes_unique));
    table.print(out);
}

fn warnings(out: &Output, report: &StatusReport, now: Timestamp) {
    for (id, time, source) in report.sources.iter().filter_map(|source| source.suspect.as_ref()) {
        let (when, why) = (units::ago(*time, now), suspect::reason(source));
        out.warn(&text!("status-suspect", id = id.short(), when = when, why = why));
        out.hint(&text!("status-suspect-hint"));
    }
    for source in report.sources.iter().filter(|source| source.is_overdue) {
        let path = names::path(&source.path);
        out.warn(&match source.last_read {
            Some(last) => text!("status-overdue", path = path, last = units::ago(last, now)),
            None => text!("status-never", path = path),
        });
    }
    if report.destinations.len() < report.min_copies {
        out.warn(&text!("status-few-destinations", n = report.min_copies));
    }
    if !report.key_exported {
        out.warn(&text!("status-lone-key"));
    }
}

fn to_be_cleaned(outlook: &Outlook) -> String {
    match outlook.snapshots_going {
        0 => text!("status-going-none"),
        going => text!("status-going-some", n = going),
    }
}

/// A line for each destination where space is known to come back.
fn space_lines(destinations: &[DestinationStatus], space: &Space) -> Vec<String> {
    let mut table = Table::bare(2);
    let mut is_empty = true;
    for status in destinations {
        let waiting = space.on(status);
        let mut parts = Vec::new();
        if let Some(bytes) = waiting.bytes_reclaimable.filter(|bytes| *bytes > 0) {
            parts.push(text!("status-reclaimable", size = units::bytes(bytes)));
        }
        if let Some(returns) = waiting.returns.filter(|_| waiting.bytes_waiting > 0) {
            parts.push(cleaned::come_back(&units::bytes(waiting.bytes_waiting), &units::moment(returns)));
        }
        if !parts.is_empty() {
            is_empty = false;
            table.row(vec![format!("  [{}]", status.name), parts.join(", ")]);
        }
    }
    if is_empty { Vec::new() } else { table.lines() }
}

fn source_lines(out: &Output, sources: &[SourceStatus], now: Timestamp) -> Vec<String> {
    let mut table = Table::bare(3);
    for source in sources {
        // Colours only in the last column: to the table they are width.
        let what = format!("{}, {}", text!("count-files", n = source.files), units::bytes(source.bytes));
        let last = match source.last_read {
            Some(time) => {
                format!("{}{}", text!("source-last", ago = units::ago(time, now)), troubles(out, source, now))
            }
            None => out.paint(Style::Attention, &text!("source-never")),
        };
        table.row(vec![format!("  {}", names::path(&source.path)), what, last]);
    }
    table.lines()
}

/// What was not well in the last backup of a source, and when all was.
fn troubles(out: &Output, source: &SourceStatus, now: Timestamp) -> String {
    if source.problems == 0 {
        return String::new();
    }
    if source.is_unread {
        return format!(", {}", out.paint(Style::Bad, &text!("source-unread")));
    }
    let problems = out.paint(Style::Attention, &text!("source-problems", n = source.problems));
    let good = source.last_good.map_or_else(|| text!("never"), |time| units::ago(time, now));
    format!(", {problems}, {}", text!("source-good", ago = good))
}

/// A line for each destination: icon, name, folder, and how it is.
pub fn destination_lines(out: &Output, destinations: &[DestinationStatus]) -> Vec<String> {
    let mut table = Table::bare(4);
    for status in destinations {
        table.row(vec![
            format!("  {}", status.kind.icon()),
            format!("[{}]", status.name),
            names::path(&status.path),
            words::destination(out, status),
        ]);
    }
    table.lines()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::{Wishes, captured};
    use crate::repo::{PlaceKind, RepoId, Time};

    fn destination(name: &str, path: &str, kind: PlaceKind, free_bytes: Option<u64>) -> DestinationStatus {
        let state = if free_bytes.is_some() { DestinationState::Online } else { DestinationState::Absent };
        DestinationStatus {
            name: name.to_owned(),
            path: path.into(),
            kind,
            state,
            detail: None,
            free_bytes,
            snapshots_behind: 0,
            last_snapshot: None,
        }
    }

    fn report() -> StatusReport {
        StatusReport {
            repo: RepoId::from_bytes([1; 16]),
            sources: vec![SourceStatus {
                path: "/home/ada".into(),
                last_good: Some(Time { seconds: 1_768_473_042, nanos: 0 }),
                last_read: Some(Time { seconds: 1_768_473_042, nanos: 0 }),
                files: 1_234,
                bytes: 5_000_000,
                problems: 2,
                is_unread: false,
                is_overdue: false,
                suspect: None,
            }],
            destinations: vec![
                destination("primary", r"C:\Users\Steve\Backup", PlaceKind::Local, Some(45_200_000_000)),
                destination("secondary", r"E:\Backup", PlaceKind::Usb, None),
                destination("tertiary", r"\\192.168.1.100\backup", PlaceKind::Nas, Some(1_200_000_000_000)),
            ],
            standings: vec![
                Standing {
                    bytes_stored: 2_500_000,
                    bytes_per_day: Some(1_000_000_000),
                    days_left: Some(45),
                    proven_percent: Some(82),
                    last_proof: Some(Time { seconds: 1_768_473_042, nanos: 0 }),
                },
                Standing { bytes_stored: 2_400_000, proven_percent: Some(0), ..Standing::default() },
                Standing::default(),
            ],
            snapshots: 7,
            files: 1_234,
            bytes_source: 5_000_000,
            bytes_all_snapshots: 10_000_000,
            bytes_unique: 4_000_000,
            bytes_stored: 2_500_000,
            last_backup: Some(Time { seconds: 1_768_473_042, nanos: 0 }),
            key_exported: false,
            min_copies: 1,
        }
    }

    fn space() -> Space {
        let now = Time { seconds: 1_768_473_042, nanos: 0 };
        let reclaimable = Waiting { bytes_reclaimable: Some(1_500_000), ..Waiting::default() };
        let waiting = Waiting { bytes_waiting: 2_000, returns: Some(now), bytes_reclaimable: Some(0) };
        Space {
            outlook: Outlook { snapshots_staying: 4, snapshots_going: 3 },
            waiting: BTreeMap::from([("primary".to_owned(), reclaimable), ("tertiary".to_owned(), waiting)]),
        }
    }

    #[test]
    fn destinations_look_as_the_seed_shows_them() {
        let (out, ..) = captured::output(Wishes::default());
        assert_eq!(
            destination_lines(&out, &report().destinations),
            [
                r"  🖥️  [primary]    C:\Users\Steve\Backup   Free: 45.2 GB",
                r"  🔌  [secondary]  E:\Backup               Destination not found (device unplugged?)",
                r"  🌐  [tertiary]   \\192.168.1.100\backup  Free: 1.2 TB",
            ]
        );
    }

    #[test]
    fn everything_is_said_and_a_lone_key_is_warned_of() {
        let (out, stdout, stderr) = captured::output(Wishes::default());
        let now = Timestamp::from_second(1_768_473_042 + 7_300).expect("a moment");
        print(&out, &report(), &space(), now);
        let text = stdout.text();
        for part in [
            " Destinations :\n",
            "/home/ada  1,234 files, 5 MB  last backup 2 hours ago, with 2 problems, without one 2 hours ago\n",
            "Snapshots       7\n",
            "To be cleaned   3 snapshots by the rules: cryptbackup clean\n",
            " Space to come back :\n  [primary]   about 1.5 MB at the last look: cryptbackup clean\n",
            "  [tertiary]  2 kB come back with the first `clean` after 2026-01-15 ",
            "Stored          2.5 MB\n",
            "Saved           7.5 MB (75 %)\n",
            "by duplicates   6 MB (60 %)\n",
            "by compression  1.5 MB (37 %)\n",
            " How they stand :\n  [primary]    nothing is whole there yet  room for about 45 days at this rate, 82 % proven in",
            "  [secondary]  nothing is whole there yet  never tried: cryptbackup drill\n Space",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(stderr.text().contains("on this disk"));

        let (out, stdout, stderr) = captured::output(Wishes::default());
        let empty = StatusReport {
            sources: vec![],
            destinations: vec![],
            standings: vec![],
            last_backup: None,
            key_exported: true,
            ..report()
        };
        print(&out, &empty, &Space::default(), now);
        assert!(stdout.text().contains("To be cleaned   none\n") && !stdout.text().contains(" Space "));
        assert!(stdout.text().contains("config set destinations.primary DIR") && stdout.text().contains("never"));
        assert!(stderr.text().contains("min_copies"), "no destination can hold a copy");
    }

    #[test]
    fn the_document_has_what_scripts_rely_on() {
        let document = document(&report(), &space());
        for key in ["destinations", "sources", "snapshots", "files", "bytes_source", "bytes_stored", "last_backup"] {
            assert!(document.get(key).is_some(), "{key}");
        }
        let usb = &document["destinations"][1];
        assert_eq!((&usb["name"], &usb["kind"], &usb["state"]), (&json!("secondary"), &json!("usb"), &json!("absent")));
        assert_eq!((&usb["bytes_waiting"], &usb["bytes_reclaimable"]), (&json!(0), &Value::Null));
        let nas = &document["destinations"][2];
        assert_eq!((&nas["bytes_waiting"], &nas["returns"]), (&json!(2_000), &json!("2026-01-15T10:30:42Z")));
        assert_eq!((&document["snapshots_staying"], &document["snapshots_going"]), (&json!(4), &json!(3)));
        for key in ["path", "free_bytes", "snapshots_behind", "last_snapshot"] {
            assert!(usb.get(key).is_some(), "{key}");
        }
        assert_eq!(document["last_backup"], "2026-01-15T10:30:42Z");
    }
}
