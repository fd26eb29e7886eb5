//! `key remove`: a secret opens the repository no more.

use super::{behind, shape};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::cli::words;
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup key remove 4f2a91c0
  cryptbackup key remove 4f2a91c0 --recovery-key words.txt";

/// Remove a key, here and on every destination
///
/// A destination that is away loses it when it is back. The key that opens the repository now is not removed: to remove
/// the one in config.yaml, give another one. Whoever copied a key and its secret before can still open what they have a
/// copy of.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The first digits of its id, as `key list` shows it
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, Error> {
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let change = repo.remove_key(&args.key).map_err(|error| match error {
        Error::NotFound { what } => Error::Unlisted { what, by: "key list" },
        other => other,
    })?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", shape(&change));
    }
    if let Some((id, kind)) = change.slot {
        out.say(&text!("key-removed", id = id.short(), kind = words::slot_kind(kind)));
    }
    if change.changed_settings {
        out.say(&text!("key-out-of-config"));
    }
    out.note(&text!("line-note", sentence = text!("key-removed-note")));
    Ok(behind(context, &change))
}
