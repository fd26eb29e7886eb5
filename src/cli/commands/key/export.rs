//! `key export`: what a person keeps in a safe place.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::add::add_words;
use super::{behind, shape};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::new_repository::create_new;
use crate::cli::secrets::SecretArgs;
use crate::cli::shapes::with_optional_path;
use crate::cli::{names, paths};
use crate::error::Error;
use crate::repo::settings::Settings;
use crate::repo::{Access, KeyChange};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup key export /media/usb/key.yaml
  cryptbackup key export --words words.txt
  cryptbackup key export | lp  # on paper";

/// Write the key to a file, or new recovery words
///
/// The file is what `connect --config` takes. Without a file the key goes to standard output. Nothing is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A new file for the key in config.yaml
    file: Option<PathBuf>,
    /// Make recovery words and write them to a new file
    #[arg(long, value_name = "FILE", help_heading = "Key options")]
    words: Option<PathBuf>,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(super) fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let file = args.file.as_deref().map(paths::absolute).transpose()?;
    let words = args.words.as_deref().map(paths::absolute).transpose()?;
    let taken = [&file, &words].into_iter().flatten().find(|file| std::fs::symlink_metadata(file).is_ok());
    if let Some(taken) = taken {
        return Err(Error::Usage(text!("words-file-exists", file = names::path(taken))));
    }
    if file.is_some() && file == words {
        return Err(Error::Usage(text!("key-export-same")));
    }
    let settings = context.settings()?;
    let is_key_wanted = file.is_some() || words.is_none();
    let key = match (is_key_wanted, &settings.encryption.key) {
        (true, None) => return Err(Error::Usage(text!("key-export-none"))),
        (true, Some(key)) => Some(key),
        (false, _) => None,
    };
    // The key of the configuration must be one that opens.
    let secret = match is_key_wanted {
        true if args.secret.explicit()?.is_some() => return Err(Error::Usage(text!("key-export-by-itself"))),
        true => None,
        false => context.secret(&args.secret)?,
    };
    let access = if words.is_some() { Access::Write } else { Access::Read };
    let (mut repo, progress) = context.open_with(access, secret)?;
    let text = key.map(|_| exported(&settings, &repo.id().to_string())).transpose()?;
    if let (Some(file), Some(text)) = (&file, &text) {
        create_new(file, text.as_bytes())?;
    }
    let id = if is_key_wanted { Some(repo.note_key_exported()?.to_string()) } else { None };
    let change = words.as_deref().map(|words| add_words(&mut repo, words)).transpose()?;
    progress.done();
    let shown = if file.is_none() { text.as_deref() } else { None };
    if context.out.wishes.json {
        summary(context, id, file.as_deref(), words.as_deref(), change.as_ref(), key.filter(|_| shown.is_some()));
    } else {
        print(context, file.as_deref(), words.as_deref(), shown.map(String::as_str));
    }
    Ok(change.map_or(ExitStatus::Done, |change| behind(context, &change)))
}

/// What `connect --config` reads.
fn exported(settings: &Settings, repo: &str) -> Result<Zeroizing<String>, Error> {
    let key = settings.key_to_yaml()?;
    Ok(Zeroizing::new(format!("# {}\n{}", text!("key-file-heading", repo = repo), key.as_str())))
}

fn summary(
    context: &Context,
    id: Option<String>,
    file: Option<&Path>,
    words: Option<&Path>,
    change: Option<&KeyChange>,
    key: Option<&Zeroizing<String>>,
) {
    let added = change.map_or(Value::Null, shape);
    let value = json!({ "key": id, "secret": key.map(|key| key.as_str()), "added": added });
    let value = with_optional_path(value, "file", file);
    context.out.message("summary", with_optional_path(value, "words", words));
}

fn print(context: &Context, file: Option<&Path>, words: Option<&Path>, shown: Option<&str>) {
    let out = &context.out;
    if let Some(shown) = shown {
        out.raw(shown.trim_end().as_bytes());
    }
    if let Some(file) = file {
        out.say(&text!("key-exported", file = names::path(file)));
    }
    if let Some(words) = words {
        out.say(&text!("key-words-in-file", file = names::path(words)));
    }
    if file.is_some() || words.is_some() {
        out.say(&text!("key-keep-apart"));
    }
}
