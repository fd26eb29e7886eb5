//! `config`: show and change config.yaml, typed and checked.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::destination;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::names;
use crate::cli::secrets::SecretArgs;
use crate::error::Error;
use crate::repo::settings::{DESTINATION_PREFIX, Settings, create_private};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup config show
  cryptbackup config get compression.level
  cryptbackup config set destinations.primary /media/usb/backup
  cryptbackup config set retention.auto_clean true
  cryptbackup config unset limits.threads";

/// Show or change the configuration
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the whole configuration, without secrets
    #[command(after_help = "EXAMPLES:\n  cryptbackup config show --json")]
    Show,
    /// Print the value of a key
    #[command(after_help = "EXAMPLES:\n  cryptbackup config get retention.keep_days")]
    Get {
        /// The key, with dots
        key: String,
    },
    /// Set a key
    ///
    /// `destinations.NAME DIR` creates and marks the folder DIR, if the folder it lies in exists, or takes up one that
    /// holds this repository.
    #[command(after_help = set_help())]
    Set {
        /// The key, with dots
        key: String,
        /// Its value
        #[arg(allow_negative_numbers = true)]
        value: OsString,
        #[command(flatten)]
        secret: SecretArgs,
    },
    /// Set a key back to its default, or take it out
    #[command(after_help = "EXAMPLES:\n  cryptbackup config unset destinations.tertiary")]
    Unset {
        /// The key, with dots
        key: String,
        #[command(flatten)]
        secret: SecretArgs,
    },
}

fn set_help() -> String {
    let keys: Vec<&str> = Settings::key_names().filter(|name| !["version", "created_at"].contains(name)).collect();
    let (heading, name, keys) = (text!("config-keys"), text!("value-name"), keys.join("\n  "));
    format!(
        "EXAMPLES:\n  cryptbackup config set compression.level 5\n  cryptbackup config set destinations.secondary \
         /media/usb/backup\n  cryptbackup config set limits.upload.secondary 5MiB\n\n\
         {heading}\n  destinations.{name}\n  limits.upload.{name}\n  {keys}"
    )
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    match args.action {
        Action::Show => show(context),
        Action::Get { key } => get(context, &key),
        Action::Set { key, value, secret } => match key.strip_prefix(DESTINATION_PREFIX) {
            Some(name) => destination::add(context, name, Path::new(&value), &secret),
            None => change(context, &key, |settings| settings.set(&key, value_text(&key, &value)?)),
        },
        Action::Unset { key, secret } => match key.strip_prefix(DESTINATION_PREFIX) {
            Some(name) => {
                context.settings()?.get(&key)?;
                destination::forget(context, name, &secret)
            }
            None => change(context, &key, |settings| settings.unset(&key)),
        },
    }
}

fn show(context: &Context) -> Result<ExitStatus, Error> {
    let settings = context.settings()?.masked();
    if context.out.wishes.json {
        let value = serde_json::to_value(&settings)
            .map_err(|error| Error::Config { key: "config.yaml".to_owned(), detail: error.to_string() })?;
        context.out.document(&value);
        return Ok(ExitStatus::Done);
    }
    context.out.note(&format!("# {}", names::path(&context.home.settings_path())));
    for line in settings.to_yaml()?.lines() {
        context.out.data(line);
    }
    Ok(ExitStatus::Done)
}

fn get(context: &Context, key: &str) -> Result<ExitStatus, Error> {
    let value = context.settings()?.get(key)?;
    if context.out.wishes.json {
        context.out.document(&json!({ "key": key, "value": value }));
    }
    context.out.data(&value);
    Ok(ExitStatus::Done)
}

fn change(
    context: &Context,
    key: &str,
    change: impl FnOnce(&mut Settings) -> Result<(), Error>,
) -> Result<ExitStatus, Error> {
    let mut aside = None;
    let value = context.edit_settings(|settings| {
        let before = settings.clone();
        change(settings)?;
        if before.encryption.key.is_some() && before.encryption.key != settings.encryption.key {
            aside = Some(keep(&before, &context.home.settings_path())?);
        }
        settings.get(key)
    })?;
    // Even what was just typed is not repeated when it is a secret.
    let shown = if key == "encryption.key" && !value.is_empty() { "********".to_owned() } else { value };
    if context.out.wishes.json {
        context.out.document(&json!({ "key": key, "value": shown }));
    }
    context.out.say(&text!("config-changed", key = key, value = names::escape(shown.as_bytes())));
    if let Some(aside) = aside {
        context.out.say(&text!("config-key-kept", path = names::path(&aside)));
    }
    Ok(ExitStatus::Done)
}

/// Keeps a copy of a configuration whose key is about to go: it may be the only one there is.
fn keep(settings: &Settings, path: &Path) -> Result<PathBuf, Error> {
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S%f").to_string();
    let aside = path.with_file_name(format!("config.yaml.old-{stamp}"));
    create_private(&aside, settings.to_yaml()?.as_bytes())?;
    Ok(aside)
}

fn value_text<'a>(key: &str, value: &'a OsStr) -> Result<&'a str, Error> {
    value.to_str().ok_or_else(|| Error::Config { key: key.to_owned(), detail: text!("config-not-utf8") })
}
