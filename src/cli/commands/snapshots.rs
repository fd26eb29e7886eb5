//! `snapshots`: every version of everything, newest first.

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::{library, text};
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{self, path_bytes, with_path};
use crate::cli::table::Table;
use crate::cli::{names, units};
use crate::error::Error;
use crate::repo::{Access, RootInfo, SnapshotInfo};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup snapshots
  cryptbackup snapshots --json | jq -r .[0].id";

/// List snapshots, the newest first
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let snapshots = context.open_for_listing(Access::Salvage, &args.secret)?.snapshots()?;
    if context.out.wishes.json {
        context.out.document(&snapshots.iter().map(document).collect::<Value>());
        return Ok(ExitStatus::Done);
    }
    if snapshots.is_empty() {
        context.out.note(&text!("snapshots-none"));
        return Ok(ExitStatus::Done);
    }
    table(&snapshots).print(&context.out);
    Ok(ExitStatus::Done)
}

fn document(info: &SnapshotInfo) -> Value {
    let root = |root: &RootInfo| {
        let value = json!({ "read": root.read, "files": root.files, "bytes": root.bytes });
        with_path(value, "path", path_bytes(&root.path))
    };
    json!({
        "id": info.id.to_string(),
        "short_id": info.id.short(),
        "time": shapes::moment(info.time),
        "machine": info.machine,
        "user": info.user,
        "roots": info.roots.iter().map(root).collect::<Value>(),
        "tags": info.tags,
        "note": info.note,
        "pinned": info.is_pinned,
        "partial": info.is_partial,
        "chosen": info.is_chosen,
        "destinations": info.destinations,
    })
}

fn table(snapshots: &[SnapshotInfo]) -> Table {
    let mut table = Table::new(&[
        &text!("column-snapshot"),
        &text!("column-time"),
        &text!("column-machine"),
        &format!(">{}", text!("column-files")),
        &format!(">{}", text!("column-size")),
        &text!("column-destinations"),
        &text!("column-pin"),
        &text!("column-tags"),
        &text!("column-note"),
        &text!("column-sources"),
    ]);
    let safe = |text: &str| names::escape(text.as_bytes());
    for info in snapshots {
        let roots: Vec<String> = info
            .roots
            .iter()
            .map(|root| match (root.read, names::path(&root.path)) {
                (true, path) => path,
                (false, path) => text!("root-not-read", path = path),
            })
            .collect();
        table.row(vec![
            info.id.short(),
            units::moment(info.time),
            safe(&info.machine),
            units::count(info.roots.iter().fold(0, |sum, root| u64::saturating_add(sum, root.files))),
            units::bytes(info.roots.iter().fold(0, |sum, root| u64::saturating_add(sum, root.bytes))),
            safe(&info.destinations.join(", ")),
            if info.is_pinned { text!("snapshot-pinned") } else { String::new() },
            safe(&info.tags.join(", ")),
            note(info),
            roots.join(", "),
        ]);
    }
    table
}

/// What it lacks, and what somebody noted.
fn note(info: &SnapshotInfo) -> String {
    let mut parts = Vec::new();
    parts.extend(info.is_partial.then(|| text!("snapshot-partial")));
    parts.extend(info.is_chosen.then(|| text!("snapshot-chosen")));
    parts.extend((!info.note.is_empty()).then(|| names::escape(library::translated(&info.note).as_bytes())));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{SnapshotId, Time};

    fn info() -> SnapshotInfo {
        let root = |path: &str, read| RootInfo { path: path.into(), read, files: 3, bytes: 1_000, problems: 0 };
        SnapshotInfo {
            id: SnapshotId::from_bytes([0xAB; 32]),
            time: Time { seconds: 1_768_473_042, nanos: 0 },
            zone_offset: 0,
            is_partial: false,
            is_chosen: false,
            machine: "ada\u{1b}".to_owned(),
            user: "u".to_owned(),
            roots: vec![root("/a", true), root("/b", false)],
            tags: vec!["t".to_owned()],
            note: "n\n".to_owned(),
            is_pinned: true,
            destinations: vec!["primary".to_owned(), "usb".to_owned()],
        }
    }

    #[test]
    fn a_row_says_what_is_in_it_and_where_it_is() {
        let lines = table(&[info()]).lines();
        assert!(lines[1].starts_with("abababab  "), "{}", lines[1]);
        assert!(
            lines[1].contains("ada\\u{1b}") && lines[1].contains(" 6  2 kB  primary, usb  pinned  t     n\\n   "),
            "{}",
            lines[1]
        );
        assert!(lines[1].ends_with("/a, /b (not read)"), "{}", lines[1]);
    }

    #[test]
    fn the_document_has_full_ids_and_times() {
        let value = document(&info());
        assert_eq!((&value["note"], &value["pinned"]), (&json!("n\n"), &json!(true)));
        assert_eq!(value["id"], "ab".repeat(32));
        assert_eq!((&value["time"], &value["roots"][1]["read"]), (&json!("2026-01-15T10:30:42Z"), &json!(false)));
    }
}
