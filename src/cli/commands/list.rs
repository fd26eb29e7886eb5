//! `list`: the versions of one file.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::cli::table::Table;
use crate::cli::{names, paths, shapes, units};
use crate::error::Error;
use crate::repo::{Access, VersionInfo};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup list ~/Documents/report.pdf
  cryptbackup list ~/Documents/report.pdf -n 5
  cryptbackup restore --file ~/Documents/report.pdf --version 3  # of the list";

/// List the versions of a file, the oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file
    file: PathBuf,
    /// Only the newest N
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let path = paths::absolute(&args.file)?;
    let versions = context.open_for_listing(Access::Salvage, &args.secret)?.versions(&path)?;
    let shown = newest(&versions, args.limit);
    let out = &context.out;
    if out.wishes.json {
        out.document(&shown.iter().map(document).collect::<Value>());
        return Ok(ExitStatus::Done);
    }
    out.say(&text!("list-heading", path = names::path(&path)));
    table(shown).print(out);
    if shown.len() < versions.len() {
        out.say(&text!("list-newest", shown = shown.len().to_string(), all = versions.len().to_string()));
    }
    Ok(ExitStatus::Done)
}

fn newest(versions: &[VersionInfo], limit: Option<usize>) -> &[VersionInfo] {
    &versions[versions.len() - limit.unwrap_or(versions.len()).min(versions.len())..]
}

fn document(version: &VersionInfo) -> Value {
    json!({
        "version": version.number,
        "first_seen": shapes::moment(version.first_seen),
        "last_seen": shapes::moment(version.last_seen),
        "snapshot": version.snapshot.to_string(),
        "size": version.size,
        "mtime": shapes::moment(version.mtime),
        "deleted_after": version.deleted_after,
        "current": version.current,
        "in_history": version.in_history,
        "machine": version.machine,
    })
}

fn table(versions: &[VersionInfo]) -> Table {
    let mut table = Table::new(&[
        &format!(">{}", text!("column-version")),
        &text!("column-first-seen"),
        &text!("column-last-seen"),
        &format!(">{}", text!("column-size")),
        &text!("column-modified"),
        &text!("column-snapshot"),
        "",
    ]);
    for version in versions {
        let mut remarks = Vec::new();
        match (version.current, version.deleted_after) {
            (_, true) => remarks.push(text!("version-deleted")),
            (true, false) => remarks.push(text!("version-current")),
            (false, false) => {}
        }
        if version.in_history {
            remarks.push(text!("version-in-history"));
        }
        table.row(vec![
            version.number.to_string(),
            units::moment(version.first_seen),
            units::moment(version.last_seen),
            units::bytes(version.size),
            units::moment(version.mtime),
            version.snapshot.short(),
            remarks.join(", "),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{SnapshotId, Time};

    fn versions() -> Vec<VersionInfo> {
        let time = Time { seconds: 1_768_473_042, nanos: 0 };
        let version = |number| VersionInfo {
            number,
            first_seen: time,
            last_seen: time,
            snapshot: SnapshotId::from_bytes([0xCD; 32]),
            size: 1_500,
            mtime: time,
            deleted_after: number == 2,
            current: number == 3,
            in_history: number < 3,
            is_own: true,
            machine: "m".to_owned(),
        };
        (1..=3).map(version).collect()
    }

    #[test]
    fn the_newest_come_last_and_a_limit_keeps_them() {
        let numbers = |limit| newest(&versions(), limit).iter().map(|v| v.number).collect::<Vec<_>>();
        assert_eq!(numbers(None), [1, 2, 3]);
        assert_eq!(numbers(Some(2)), [2, 3]);
        assert_eq!(numbers(Some(9)), [1, 2, 3]);
        assert_eq!(numbers(Some(0)), [0u32; 0]);
    }

    #[test]
    fn lines_and_documents() {
        let lines = table(&versions()).lines();
        assert!(lines[1].ends_with("cdcdcdcd  only in the history"), "{}", lines[1]);
        let both = "deleted after this, only in the history";
        assert!(lines[2].ends_with(both) && lines[3].ends_with("current"), "{lines:?}");
        assert_eq!(document(&versions()[0])["in_history"], true);
        let value = document(&versions()[2]);
        assert_eq!((&value["version"], &value["size"], &value["current"]), (&json!(3), &json!(1_500), &json!(true)));
    }
}
