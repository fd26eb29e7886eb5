//! `find`: paths in all snapshots, with their versions.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::output::Output;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{self, Listing, path_bytes, with_path};
use crate::cli::table::Table;
use crate::cli::{dates, names, paths, units};
use crate::error::Error;
use crate::explore::{self, EntryKind, FindRequest, Found, FoundVersion};
use crate::repo::settings::size;
use crate::repo::{Access, time_of};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup find \"*.pdf\"
  cryptbackup find invoice --in ~/Documents --deleted
  cryptbackup find --type file --larger-than 1GB
  cryptbackup find \"*.ods\" --modified-after 2w --snapshot latest";

/// Find files and folders in all snapshots, with their versions
///
/// A pattern without a slash is compared with names, one with a slash with whole paths; a plain word finds whatever has it
/// in its path. What was deleted, and what only the history still holds, is found too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What is looked for; one of them has to match
    #[arg(value_name = "PATTERN", required_unless_present_any = FILTERS)]
    patterns: Vec<String>,
    /// `A` and `a` are the same
    #[arg(short, long)]
    ignore_case: bool,
    /// Only what is this
    #[arg(long = "type", value_name = "TYPE", id = "type")]
    kind: Option<TypeArg>,
    /// Only files of at least so many bytes: 500000, 10MB, 1GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    larger_than: Option<u64>,
    /// Only files of at most so many bytes
    #[arg(long, value_name = "SIZE", value_parser = size)]
    smaller_than: Option<u64>,
    /// Only what was modified after this: 2026-01-15 (the end of that day), 2026-01-15T10:30, RFC 3339, 5h, 2d or 3w ago
    #[arg(long, value_name = "DATE", value_parser = dates::argument)]
    modified_after: Option<Timestamp>,
    /// Only what was modified before this
    #[arg(long, value_name = "DATE", value_parser = dates::argument)]
    modified_before: Option<Timestamp>,
    /// Only at or below this folder
    #[arg(long = "in", value_name = "DIR", id = "in")]
    below: Option<PathBuf>,
    /// Only in this snapshot: an id prefix, `latest` or `latest~N`
    #[arg(long, value_name = "SNAPSHOT")]
    snapshot: Option<String>,
    /// Only what the newest snapshot of its source does not have any more
    #[arg(long, conflicts_with = "snapshot")]
    deleted: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Without a pattern one of these has to say what is looked for.
const FILTERS: [&str; 7] =
    ["type", "larger_than", "smaller_than", "modified_after", "modified_before", "in", "deleted"];

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum TypeArg {
    File,
    Folder,
    Symlink,
    Other,
}

impl From<TypeArg> for EntryKind {
    fn from(typed: TypeArg) -> Self {
        match typed {
            TypeArg::File => Self::File,
            TypeArg::Folder => Self::Folder,
            TypeArg::Symlink => Self::Symlink,
            TypeArg::Other => Self::Other,
        }
    }
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let below = args.below.map(|below| paths::absolute(&below)).transpose()?;
    let request = FindRequest {
        patterns: args.patterns,
        ignores_case: args.ignore_case,
        kind: args.kind.map(EntryKind::from),
        bytes_min: args.larger_than,
        bytes_max: args.smaller_than,
        modified_from: args.modified_after.map(time_of),
        modified_until: args.modified_before.map(time_of),
        below: below.map(|below| path_bytes(&below).to_vec()),
        snapshot: args.snapshot,
        is_deleted: args.deleted,
    };
    let repo = context.open_for_listing(Access::Salvage, &args.secret)?;
    let out = &context.out;
    if out.wishes.json {
        let mut listing = Listing::new(out);
        let given = explore::find(&repo, &request, &mut |found| listing.item(&document(&found)));
        listing.end(given)?;
        return Ok(ExitStatus::Done);
    }
    let mut is_empty = true;
    explore::find(&repo, &request, &mut |found| {
        is_empty = false;
        print(out, &found);
    })?;
    if is_empty {
        out.note(&text!("find-nothing"));
    }
    Ok(ExitStatus::Done)
}

fn document(found: &Found) -> Value {
    let value = json!({
        "type": shapes::entry_kind(found.kind),
        "deleted": found.is_deleted,
        "versions": found.versions.iter().map(version_document).collect::<Value>(),
    });
    with_path(value, "path", &found.path)
}

fn version_document(version: &FoundVersion) -> Value {
    json!({
        "version": version.number,
        "size": version.size,
        "mtime": shapes::moment(version.mtime),
        "first_seen": shapes::moment(version.first_seen),
        "last_seen": shapes::moment(version.last_seen),
        "snapshot": version.snapshot.to_string(),
        "in_history": version.in_history,
    })
}

fn print(out: &Output, found: &Found) {
    let slash = if found.kind == EntryKind::Folder { "/" } else { "" };
    let deleted = if found.is_deleted { format!("  ({})", text!("file-deleted")) } else { String::new() };
    out.data(&format!("{}{slash}{deleted}", names::escape(&found.path)));
    for line in lines(found) {
        out.data(&line);
    }
}

fn lines(found: &Found) -> Vec<String> {
    let mut table = Table::bare(5);
    for version in &found.versions {
        table.row(vec![
            match version.number {
                0 => format!("  {}", text!("find-folder")),
                number => format!("  {}", text!("find-version", number = number.to_string())),
            },
            if found.kind == EntryKind::File { units::bytes(version.size) } else { String::new() },
            text!("find-modified", when = units::moment(version.mtime)),
            text!("find-seen", first = units::moment(version.first_seen), last = units::moment(version.last_seen)),
            match version.in_history {
                true => text!("version-in-history"),
                false => text!("find-snapshot", id = version.snapshot.short()),
            },
        ]);
    }
    table.lines()
}
