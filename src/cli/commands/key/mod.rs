//! `key`: what opens the repository.

mod add;
mod export;
mod list;
mod remove;
mod rotate;

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::{library::translated, text};
use crate::cli::shapes;
use crate::error::Error;
use crate::repo::KeyChange;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup key list
  cryptbackup key add --recovery-key words.txt
  cryptbackup key export /media/usb/key.yaml
  cryptbackup key remove 4f2a91c0";

/// List, add, remove, export or rotate the keys that open the repository
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    List(list::Args),
    Add(add::Args),
    Remove(remove::Args),
    Export(export::Args),
    Rotate(rotate::Args),
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    match args.action {
        Action::List(args) => list::run(&args, context),
        Action::Add(args) => add::run(args, context),
        Action::Remove(args) => remove::run(&args, context),
        Action::Export(args) => export::run(args, context),
        Action::Rotate(args) => rotate::run(&args, context),
    }
}

/// What a change was, for scripts.
fn shape(change: &KeyChange) -> Value {
    let behind = change.behind.iter().map(|(name, why)| json!({ "name": name, "detail": why }));
    json!({
        "key": change.slot.map(|(id, _)| id.to_string()),
        "kind": change.slot.map(|(_, kind)| shapes::slot_kind(kind)),
        "ring": change.ring,
        "epoch": change.epoch,
        "destinations": change.destinations,
        "behind": behind.collect::<Value>(),
        "config_changed": change.changed_settings,
    })
}

/// Says which destinations do not have a change yet, and how the command ends for it.
fn behind(context: &Context, change: &KeyChange) -> ExitStatus {
    for (name, why) in &change.behind {
        context.out.warn(&text!("key-behind", name = name.as_str(), why = translated(why)));
    }
    if change.behind.is_empty() { ExitStatus::Done } else { ExitStatus::Behind }
}
