//! `note`: a sentence on a snapshot.

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
  cryptbackup note latest before-the-move
  cryptbackup note latest  # takes the note off";

/// Put a note on a snapshot in place of an earlier one, or take it off
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// An id prefix, `latest` or `latest~N`
    snapshot: String,
    /// The note; without one, the one that is there is taken off
    text: Option<String>,
    #[command(flatten)]
    secret: SecretArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let note = args.text.unwrap_or_default();
    let (mut repo, progress) = context.open_for_work(Access::Write, &args.secret)?;
    let id = hand::note(&mut repo, &args.snapshot, note.clone())?;
    progress.done();
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", json!({ "snapshot": id.to_string(), "note": note }));
    }
    out.say(&if note.is_empty() {
        text!("note-none", id = id.short())
    } else {
        text!("note-now", id = id.short(), note = names::escape(note.as_bytes()))
    });
    Ok(ExitStatus::Done)
}
