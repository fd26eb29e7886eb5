//! `tag`: words to find a snapshot by.

use clap::ArgGroup;
use serde_json::json;

use crate::clean::hand;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::names;
use crate::cli::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup tag latest --add before-upgrade
  cryptbackup tag 3f2a9c01 --add taxes --remove draft";

/// Give a snapshot tags, or take some from it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("change").args(["add", "remove"]).required(true).multiple(true))]
pub struct Args {
    /// An id prefix, `latest` or `latest~N`
    snapshot: String,
    /// A tag to add; may be given again
    #[arg(long, value_name = "TAG")]
    add: Vec<String>,
    /// A tag to remove; may be given again
    #[arg(long, value_name = "TAG")]
    remove: Vec<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let id = hand::tag(&mut repo, &args.snapshot, args.add, args.remove)?;
    let tags = repo.resolve_snapshot(&id.to_string())?.tags;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", json!({ "snapshot": id.to_string(), "tags": tags }));
    }
    out.say(&if tags.is_empty() {
        text!("tags-none", id = id.short())
    } else {
        text!("tags-now", id = id.short(), tags = names::escape(tags.join(", ").as_bytes()))
    });
    Ok(ExitStatus::Done)
}
