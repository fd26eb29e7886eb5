//! `unforget`: forgotten snapshots are wanted after all.

use serde_json::{Value, json};

use crate::clean::hand;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup unforget 3f2a9c01";

/// Bring forgotten snapshots back, as long as their space was not given back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// An id prefix, as `forget` told it
    #[arg(value_name = "SNAPSHOT", required = true)]
    snapshots: Vec<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let ids = hand::unforget(&mut repo, &args.snapshots)?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", json!({ "snapshots": ids.iter().map(ToString::to_string).collect::<Value>() }));
    }
    let short: Vec<String> = ids.iter().map(|id| id.short()).collect();
    out.say(&text!("unforgotten", n = ids.len(), ids = short.join(", ")));
    out.say(&text!("unforgotten-pin", n = ids.len(), ids = short.join(" ")));
    Ok(ExitStatus::Done)
}
