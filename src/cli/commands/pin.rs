//! `pin`: snapshots that stay whatever the rules say.

use serde_json::{Value, json};

use crate::clean::hand;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup pin latest
  cryptbackup pin 3f2a9c01 --remove";

/// Keep snapshots whatever the rules say, or leave them to the rules again
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// An id prefix, `latest` or `latest~N`
    #[arg(value_name = "SNAPSHOT", required = true)]
    snapshots: Vec<String>,
    /// Leave them to the rules again
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let is_pinned = !args.remove;
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let ids = hand::pin(&mut repo, &args.snapshots, is_pinned)?;
    progress.done();
    let out = &context.out;
    let short: Vec<String> = ids.iter().map(|id| id.short()).collect();
    let (n, short) = (ids.len(), short.join(", "));
    if out.wishes.json {
        let ids: Value = ids.iter().map(ToString::to_string).collect();
        out.message("summary", json!({ "snapshots": ids, "pinned": is_pinned }));
    }
    out.say(&if is_pinned { text!("pinned", n = n, ids = short) } else { text!("unpinned", n = n, ids = short) });
    Ok(ExitStatus::Done)
}
