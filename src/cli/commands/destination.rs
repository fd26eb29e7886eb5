//! `destination`: where copies are kept. Adding one is `config set destinations.NAME DIR`, which comes here too.

use std::path::Path;

use serde_json::{Value, json};

use super::status;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::{self, path_bytes, with_path};
use crate::cli::{names, paths};
use crate::error::Error;
use crate::repo::settings::{DESTINATION_PREFIX, Settings};
use crate::repo::{Access, Added};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup destination list
  cryptbackup destination accept secondary
  cryptbackup destination forget tertiary";

/// List, accept or forget destinations (`config set destinations.NAME DIR` adds one)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List destinations and their state
    #[command(after_help = "EXAMPLES:\n  cryptbackup destination list --json")]
    List {
        #[command(flatten)]
        secret: SecretArgs,
    },
    /// Accept a destination as it is now, after it was restored from an image or cloned
    #[command(after_help = "EXAMPLES:\n  cryptbackup destination accept secondary")]
    Accept {
        /// Its name
        name: String,
        #[command(flatten)]
        secret: SecretArgs,
    },
    /// Forget a destination; what is on it stays there
    #[command(after_help = "EXAMPLES:\n  cryptbackup destination forget tertiary")]
    Forget {
        /// Its name
        name: String,
        #[command(flatten)]
        secret: SecretArgs,
    },
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    match args.action {
        Action::List { secret } => list(context, &secret),
        Action::Accept { name, secret } => {
            require(&context.settings()?, &name)?;
            let (mut repo, progress) = context.open_for_work(Access::Write, &secret)?;
            repo.accept_destination(&name, &progress)?;
            progress.done();
            said(context, &text!("destination-accepted", name = name.as_str()), &name)
        }
        Action::Forget { name, secret } => {
            require(&context.settings()?, &name)?;
            forget(context, &name, &secret)
        }
    }
}

fn list(context: &Context, secret: &SecretArgs) -> Result<ExitStatus, Error> {
    let report = context.open_for_listing(Access::Read, secret)?.status()?;
    if context.out.wishes.json {
        let all: Value = report.destinations.iter().map(shapes::destination).collect();
        context.out.document(&all);
        return Ok(ExitStatus::Done);
    }
    for line in status::destination_lines(&context.out, &report.destinations) {
        context.out.data(&line);
    }
    Ok(ExitStatus::Done)
}

/// Creates and marks a destination, or takes up one that holds this repository.
///
/// # Errors
/// [`Error::Config`] for a name or a path that cannot be, and those of the library.
pub fn add(context: &Context, name: &str, typed: &Path, secret: &SecretArgs) -> Result<ExitStatus, Error> {
    // Checked as a key first, before a passphrase is asked for.
    let mut before = context.settings()?;
    let was = before.destinations.get(name).cloned();
    before.set(&format!("{DESTINATION_PREFIX}{name}"), &typed.to_string_lossy())?;
    let path = paths::absolute(typed)?;
    let (mut repo, progress) = context.open_for_work(Access::Write, secret)?;
    let added = repo.add_destination(name, &path, &progress)?;
    progress.done();
    let out = &context.out;
    let taken_up = added == Added::TakenUp;
    if out.wishes.json {
        let value = json!({ "name": name, "taken_up": taken_up });
        out.message("summary", with_path(value, "path", path_bytes(&path)));
    }
    let shown = names::path(&path);
    out.say(&match added {
        Added::TakenUp => text!("destination-taken-up", name = name, path = shown),
        Added::Created => text!("destination-ready", name = name, path = shown),
    });
    if repo.snapshots()?.iter().any(|snapshot| !snapshot.destinations.iter().any(|holder| holder == name)) {
        out.say(&text!("destination-next"));
    }
    if let Some(source) = before.sources.iter().find(|source| path.starts_with(&source.path)) {
        out.note(&text!("destination-in-source", path = names::path(&source.path)));
    }
    if let Some(was) = was.filter(|was| *was != path && was.is_dir()) {
        let was = names::path(&was);
        out.warn(&text!("destination-was", name = name, path = was.as_str()));
        out.note(&text!("line-hint", sentence = text!("destination-was-hint", path = was)));
    }
    Ok(ExitStatus::Done)
}

/// Forgets a destination.
///
/// # Errors
/// Those of the library.
pub fn forget(context: &Context, name: &str, secret: &SecretArgs) -> Result<ExitStatus, Error> {
    let (mut repo, progress) = context.open_for_work(Access::Write, secret)?;
    repo.forget_destination(name)?;
    progress.done();
    said(context, &text!("destination-forgotten", name = name), name)
}

fn require(settings: &Settings, name: &str) -> Result<(), Error> {
    if settings.destinations.contains_key(name) {
        return Ok(());
    }
    let what = text!("destination-unknown", name = names::escape(name.as_bytes()));
    Err(Error::Unlisted { what, by: "destination list" })
}

fn said(context: &Context, sentence: &str, name: &str) -> Result<ExitStatus, Error> {
    if context.out.wishes.json {
        context.out.message("summary", json!({ "name": name }));
    }
    context.out.say(sentence);
    Ok(ExitStatus::Done)
}
