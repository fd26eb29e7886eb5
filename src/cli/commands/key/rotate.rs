//! `key rotate`: what is written from now on is sealed under a new key.

use super::{behind, shape};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::Access;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup key rotate";

/// Seal what is written from now on under a new key
///
/// What was written before stays readable, and every passphrase, recovery words, key file and config.yaml opens as before:
/// this limits how much is sealed under one key. It does not shut out who has one of those.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    secret: SecretArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, Error> {
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let change = repo.rotate_keys()?;
    progress.done();
    if context.out.wishes.json {
        context.out.message("summary", shape(&change));
    }
    context.out.say(&text!("key-rotated", epoch = change.epoch.to_string()));
    Ok(behind(context, &change))
}
