//! `quickstart`: from nothing to a first backup in one command.

use std::path::{Path, PathBuf};

use super::{add, backup};
use crate::backup::{BackupRequest, run as run_backup};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::new_repository::{self, NewKeyArgs, NewRepository};
use crate::cli::output::Style;
use crate::cli::{names, paths, words};
use crate::error::Error;
use crate::repo::settings::{Settings, SourceSettings};
use crate::repo::{self, Access, Secret};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup quickstart ~/Documents /media/usb/backup
  cryptbackup quickstart ~/Documents /media/usb/backup --recovery-key ~/words.txt";

/// The name of the destination that is set up.
const NAME: &str = "primary";

/// Set up, add a source and a destination, and make the first backup
///
/// May be run again: what is set up already is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder to back up
    source: PathBuf,
    /// The folder for the backups; it is created if the folder it lies in exists
    destination: PathBuf,
    #[command(flatten)]
    keys: NewKeyArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let source = add::source(&args.source, add::SourceOptions::default())?;
    let destination = paths::absolute(&args.destination)?;
    // Everything that can be refused is, before anything is made.
    let known = if context.home.exists() {
        Some(context.settings()?)
    } else {
        context.home.require_unused()?;
        None
    };
    let is_ready = check(context, known.as_ref(), &source, &destination)?;
    let (new, secret) = match known {
        Some(_) => (None, context.secret(&args.keys.of_existing()?)?),
        None => {
            let new = new_repository::create(context, &args.keys, false, None)?;
            let secret = new.passphrase.clone().map(Secret::Passphrase);
            (Some(new), secret)
        }
    };
    if !is_ready {
        // Before the source is added: of what is refused here nothing must stay.
        let (mut repo, progress) = context.open_with(Access::Write, secret.clone())?;
        repo.add_destination(NAME, &destination, &progress)?;
    }
    context.edit_settings(|settings| {
        // One that is configured keeps its excludes.
        Ok(settings.source(&source.path).is_none() && settings.put_source(source.clone()))
    })?;
    let (mut repo, progress) = context.open_with(Access::Write, secret)?;
    let request = BackupRequest { sources: vec![source.path.clone()], ..BackupRequest::default() };
    let report = run_backup(&mut repo, request, &progress)?;
    let cleaned = backup::clean_after(&mut repo, &report, context, &progress)?;
    progress.done();
    let out = &context.out;
    let path = names::path(&source.path);
    let done = if report.problems.is_empty() {
        text!("quickstart-done", path = path)
    } else {
        text!("quickstart-partial", path = path)
    };
    out.say(&out.paint(Style::Strong, &done));
    let status = backup::print(out, &report, cleaned.as_ref());
    backup::say_cleaned(context, cleaned);
    say_what_next(context, new.as_ref(), &source.path);
    Ok(status)
}

/// Whether the primary destination is the one asked for already.
fn check(
    context: &Context,
    known: Option<&Settings>,
    source: &SourceSettings,
    destination: &Path,
) -> Result<bool, Error> {
    if source.path.starts_with(destination) {
        return Err(Error::Usage(text!("quickstart-inside", path = names::path(&source.path))));
    }
    let has_parent = destination.parent().is_some_and(Path::is_dir);
    if !destination.is_dir() && !has_parent {
        return Err(Error::Usage(text!("quickstart-no-parent", path = names::path(destination))));
    }
    if known.is_none() {
        refuse_existing_backups(destination)?;
    }
    let empty = Settings::default();
    let settings = known.unwrap_or(&empty);
    add::refuse_own_folders(context, settings, &source.path)?;
    match settings.destinations.get(NAME) {
        Some(path) if path != destination => {
            Err(Error::Usage(text!("quickstart-other-primary", path = names::path(path))))
        }
        found => Ok(found.is_some()),
    }
}

/// A new key for a folder that holds backups under another one would be of no use.
fn refuse_existing_backups(destination: &Path) -> Result<(), Error> {
    match repo::require_destination(destination) {
        Ok(()) => Err(Error::Usage(text!("quickstart-holds-backups", path = names::path(destination)))),
        Err(_) => Ok(()),
    }
}

fn say_what_next(context: &Context, new: Option<&NewRepository>, source: &Path) {
    let out = &context.out;
    if let Some(new) = new {
        new_repository::say_how_to_keep_the_key(context, new);
    }
    out.say(&text!("from-now-on"));
    let (dir, file) = (text!("value-dir"), text!("value-file"));
    let restore = format!("  cryptbackup restore --directory {} --destination {dir}", names::path(source));
    let width = 54;
    words::steps(
        out,
        width,
        &[
            ("cryptbackup backup".to_owned(), text!("next-backup")),
            ("cryptbackup status".to_owned(), text!("next-status")),
            (format!("cryptbackup restore --file {file}"), text!("next-restore")),
        ],
    );
    out.say(&restore);
    let second = format!("cryptbackup config set destinations.secondary {dir}");
    words::steps(out, width, &[(second, text!("next-second"))]);
}
