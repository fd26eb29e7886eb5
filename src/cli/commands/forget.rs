//! `forget`: snapshots that are not wanted any more.

use serde_json::{Value, json};

use crate::clean::hand;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup forget latest~2
  cryptbackup forget 3f2a9c01 77d01be4";

/// Remove snapshots, with every version that only they hold; `unforget` takes it back until `clean`
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// An id prefix, `latest` or `latest~N`
    #[arg(value_name = "SNAPSHOT", required = true)]
    snapshots: Vec<String>,
    /// Also where nothing of a source would be left
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let ids = hand::forget(&mut repo, &args.snapshots, args.force)?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", json!({ "snapshots": ids.iter().map(ToString::to_string).collect::<Value>() }));
    }
    let short: Vec<String> = ids.iter().map(|id| id.short()).collect();
    out.say(&text!("forgotten", n = ids.len(), ids = short.join(", ")));
    out.say(&text!("forgotten-space", n = ids.len(), ids = short.join(" ")));
    Ok(ExitStatus::Done)
}
