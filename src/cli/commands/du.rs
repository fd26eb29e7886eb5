//! `du`: what takes the space.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::progress::Progress;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::table::Table;
use crate::cli::{names, paths, units};
use crate::error::Error;
use crate::explore::{self, DuBy, DuRequest, Owner, Usage};
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup du
  cryptbackup du ~/Documents --depth 2
  cryptbackup du --by type --snapshot latest
  cryptbackup du --by snapshot";

/// Show what takes the space, by folder, by kind of file or by snapshot
///
/// What is the same is stored once. So there are two columns: what something needs, and what only it needs, which is what
/// would come back without it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only at or below this
    path: Option<PathBuf>,
    /// By what
    #[arg(long, value_name = "WHAT", default_value = "folder")]
    by: ByArg,
    /// Folders so many levels down, counted from PATH or from the root
    #[arg(long, value_name = "N")]
    depth: Option<usize>,
    /// Only in this snapshot: an id prefix, `latest` or `latest~N`
    #[arg(long, value_name = "SNAPSHOT")]
    snapshot: Option<String>,
    /// Only the N that need most
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ByArg {
    Folder,
    Type,
    Snapshot,
}

/// Levels below a path that was given, and below the root.
const DEPTH: usize = 1;
const DEPTH_FROM_ROOT: usize = 3;

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    if args.depth.is_some() && args.by != ByArg::Folder {
        return Err(Error::Usage(text!("du-depth")));
    }
    let below = args.path.map(|path| paths::absolute(&path)).transpose()?;
    let usual = if below.is_some() { DEPTH } else { DEPTH_FROM_ROOT };
    let request = DuRequest {
        by: match args.by {
            ByArg::Folder => DuBy::Folder(args.depth.unwrap_or(usual)),
            ByArg::Type => DuBy::Type,
            ByArg::Snapshot => DuBy::Snapshot,
        },
        below: below.map(|below| path_bytes(&below).to_vec()),
        snapshot: args.snapshot,
    };
    let repo = context.open_for_listing(Access::Salvage, &args.secret)?;
    let progress = Progress::of_listing(&context.out);
    let mut usage = explore::du(&repo, &request, &progress)?;
    progress.done();
    usage.truncate(args.limit.unwrap_or(usize::MAX));
    let out = &context.out;
    if out.wishes.json {
        out.document(&usage.iter().map(document).collect::<Value>());
    } else {
        table(&usage).print(out);
    }
    Ok(ExitStatus::Done)
}

fn document(usage: &Usage) -> Value {
    let value = json!({
        "files": usage.files,
        "bytes": usage.bytes,
        "bytes_needed": usage.bytes_needed,
        "bytes_alone": usage.bytes_alone,
    });
    match &usage.owner {
        Owner::Path(path) => with_path(value, "path", path),
        Owner::Type(ending) => with_path(value, "type", ending.as_bytes()),
        Owner::Snapshot(id) => {
            let mut value = value;
            value["snapshot"] = json!(id.map(|id| id.to_string()));
            value
        }
        Owner::Pattern(is_left_out) => {
            let mut value = value;
            value["left_out"] = json!(is_left_out);
            value
        }
    }
}

fn table(usage: &[Usage]) -> Table {
    let mut table = Table::new(&[
        &format!(">{}", text!("column-needed")),
        &format!(">{}", text!("column-alone")),
        &format!(">{}", text!("column-size")),
        &format!(">{}", text!("column-files")),
        "",
    ]);
    for one in usage {
        table.row(vec![
            units::bytes(one.bytes_needed),
            units::bytes(one.bytes_alone),
            units::bytes(one.bytes),
            units::count(one.files),
            match &one.owner {
                Owner::Path(path) => names::escape(path),
                Owner::Type(ending) if ending.is_empty() => text!("du-no-type"),
                Owner::Type(ending) => format!(".{}", names::escape(ending.as_bytes())),
                Owner::Snapshot(Some(id)) => id.short(),
                Owner::Snapshot(None) => text!("du-several"),
                // Nothing here asks by patterns.
                Owner::Pattern(is_left_out) => is_left_out.to_string(),
            },
        ]);
    }
    table
}
