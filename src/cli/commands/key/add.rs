//! `key add`: one more secret that opens the repository.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{behind, shape};
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::new_repository::{create_new, file_of_words, show_words};
use crate::cli::secrets::{PassphraseArgs, SecretArgs, key_file};
use crate::cli::shapes::with_optional_path;
use crate::cli::{names, paths, words};
use crate::error::Error;
use crate::repo::{Access, KeyChange, NewKey, Repo, Secret, new_key_file, new_recovery_words};

/// A shorter key file could be guessed: nothing slows down who tries.
const KEY_FILE_LEN_MIN: u64 = 32;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup key add --recovery-key words.txt
  cryptbackup key add --passphrase
  cryptbackup key add --key-file /media/stick/photo.jpg
  cryptbackup key add --inline --open-with-recovery-key words.txt";

/// Add a key: a passphrase, recovery words, a key file, or another key in config.yaml
///
/// Without options, on a terminal, it makes recovery words and shows them once. All keys open the same: each opens
/// everything.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Make recovery words and write them to a new file
    #[arg(long, value_name = "FILE", help_heading = "Key options", conflicts_with = "passphrase_source")]
    recovery_key: Option<PathBuf>,
    /// Use a file as a key; one that does not exist is made
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Key options",
        conflicts_with_all = ["passphrase_source", "recovery_key"]
    )]
    key_file: Option<PathBuf>,
    /// Make a key for config.yaml, in the place of the one there
    #[arg(
        long,
        help_heading = "Key options",
        conflicts_with_all = ["passphrase_source", "recovery_key", "key_file"]
    )]
    inline: bool,
    #[command(flatten)]
    open_with: OpenWithArgs,
}

/// What opens the repository, where the options say what is added.
#[derive(Debug, clap::Args)]
struct OpenWithArgs {
    /// Open the repository with the passphrase in a file
    #[arg(long, value_name = "FILE", help_heading = "Key options")]
    open_with_passphrase_file: Option<PathBuf>,
    /// Open the repository with the recovery words in a file
    #[arg(long, value_name = "FILE", help_heading = "Key options", conflicts_with = "open_with_passphrase_file")]
    open_with_recovery_key: Option<PathBuf>,
    /// Open the repository with a key file
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Key options",
        conflicts_with_all = ["open_with_passphrase_file", "open_with_recovery_key"]
    )]
    open_with_key_file: Option<PathBuf>,
}

/// What was made, to be shown or named.
struct Made {
    change: KeyChange,
    file: Option<PathBuf>,
    words: Option<Zeroizing<String>>,
}

pub(super) fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let Args { passphrase, recovery_key, key_file, inline, open_with } = args;
    let OpenWithArgs { open_with_passphrase_file, open_with_recovery_key, open_with_key_file } = open_with;
    let with = SecretArgs::of_files(open_with_passphrase_file, open_with_recovery_key, open_with_key_file);
    let can_show = context.out.stdout_is_terminal && std::io::stdin().is_terminal() && !context.out.wishes.json;
    let opens = context.secret(&with)?;
    let made = if let Some(file) = recovery_key {
        words_in_file(context, opens, &paths::absolute(&file)?)?
    } else if let Some(file) = key_file {
        a_file(context, opens, &paths::absolute(&file)?)?
    } else if inline {
        plain(open(context, opens)?.add_key(&NewKey::Inline)?)
    } else if let Some(secret) = passphrase.new_one()? {
        plain(open(context, opens)?.add_key(&NewKey::Given(secret))?)
    } else if can_show {
        let words = new_recovery_words()?;
        let change = open(context, opens)?.add_key(&NewKey::Given(Secret::Words(words.clone())))?;
        Made { words: Some(words), ..plain(change) }
    } else {
        return Err(Error::Usage(text!("key-add-what")));
    };
    print(context, &made);
    Ok(behind(context, &made.change))
}

fn plain(change: KeyChange) -> Made {
    Made { change, file: None, words: None }
}

fn open(context: &Context, secret: Option<Secret>) -> Result<Repo, Error> {
    let (repo, progress) = context.open_with(Access::Write, secret)?;
    progress.done();
    Ok(repo)
}

/// Makes recovery words and writes them to a new file: before anything relies on them, and taken back where nothing does.
fn words_in_file(context: &Context, opens: Option<Secret>, file: &Path) -> Result<Made, Error> {
    let mut repo = open(context, opens)?;
    Ok(Made { file: Some(file.to_owned()), ..plain(add_words(&mut repo, file)?) })
}

/// The same in a repository that is open.
///
/// # Errors
/// [`Error::Usage`] where the file exists, and those of the library.
pub(super) fn add_words(repo: &mut Repo, file: &Path) -> Result<KeyChange, Error> {
    let words = new_recovery_words()?;
    create_new(file, file_of_words(&words, repo.id()).as_bytes())?;
    repo.add_key(&NewKey::Given(Secret::Words(words))).inspect_err(|_| take_back(file))
}

fn a_file(context: &Context, opens: Option<Secret>, file: &Path) -> Result<Made, Error> {
    let exists = file.exists();
    if exists && std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.len() < KEY_FILE_LEN_MIN) {
        return Err(Error::Usage(text!("key-file-short", file = names::path(file))));
    }
    let given = if exists { Some(key_file(file)?) } else { None };
    let mut repo = open(context, opens)?;
    let secret = match given {
        Some(secret) => secret,
        None => {
            create_new(file, new_key_file()?.as_slice())?;
            key_file(file)?
        }
    };
    let added = repo.add_key(&NewKey::Given(secret)).inspect_err(|_| {
        if !exists {
            take_back(file);
        }
    })?;
    Ok(Made { file: Some(file.to_owned()), ..plain(added) })
}

/// Removes a file with a key that opens nothing.
fn take_back(file: &Path) {
    // It is ours, and the error that counts is the one before.
    let _ = std::fs::remove_file(file);
}

fn print(context: &Context, made: &Made) {
    let out = &context.out;
    if out.wishes.json {
        out.message("summary", with_optional_path(shape(&made.change), "file", made.file.as_deref()));
        return;
    }
    if let Some((id, kind)) = made.change.slot {
        out.say(&text!("key-added", id = id.short(), kind = words::slot_kind(kind)));
    }
    if let Some(words) = &made.words {
        show_words(context, words);
    }
    if let Some(file) = &made.file {
        out.say(&text!("key-in-file", file = names::path(file)));
    }
    if made.change.changed_settings {
        out.say(&text!("key-new-in-config"));
    }
}
