//! A new repository and its recovery words, as `init` and `quickstart` make them.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::context::Context;
use super::messages::text;
use super::output::Style;
use super::secrets::{PassphraseArgs, SecretArgs};
use super::{names, paths};
use crate::error::Error;
use crate::repo::settings::{create_private, write_private};
use crate::repo::{self, InitReport, InitRequest, RepoId, Sizes};

/// Options for the keys of a new repository.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct NewKeyArgs {
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Write recovery words to a new file, instead of showing them on the terminal
    #[arg(long, value_name = "FILE", help_heading = "Key options")]
    recovery_key: Option<PathBuf>,
}

impl NewKeyArgs {
    /// What opens a repository that was there already.
    ///
    /// # Errors
    /// [`Error::Usage`] when recovery words are asked for: only a new repository gets them.
    pub fn of_existing(&self) -> Result<SecretArgs, Error> {
        if self.recovery_key.is_some() {
            return Err(Error::Usage(text!("words-only-new")));
        }
        Ok(SecretArgs::of_passphrase(self.passphrase.clone()))
    }
}

/// What was made.
pub struct NewRepository {
    /// What the library says.
    pub report: InitReport,
    /// The passphrase that opens it, if one does; `config.yaml` holds no key then.
    pub passphrase: Option<Zeroizing<String>>,
    /// Where the recovery words were written.
    pub words_file: Option<PathBuf>,
}

/// Makes a repository. Recovery words are written to the file that was named, or shown to the person at the terminal;
/// without either none are made.
///
/// # Errors
/// Those of [`repo::init`] and of writing the words.
pub fn create(
    context: &Context,
    args: &NewKeyArgs,
    force: bool,
    pack_bytes: Option<u32>,
) -> Result<NewRepository, Error> {
    if !force {
        context.home.require_unused()?;
    }
    let words_file = args.recovery_key.as_deref().map(paths::absolute).transpose()?;
    let passphrase = args.passphrase.for_new_repository()?;
    // Before anything else is made: a name that is taken or a full disk must not cost the words later.
    if let Some(file) = &words_file {
        reserve(file)?;
    }
    let on_terminal = context.out.stdout_is_terminal && std::io::stdin().is_terminal() && !context.out.wishes.json;
    let recovery = words_file.is_some() || on_terminal;
    let request =
        InitRequest { force, passphrase: passphrase.clone(), recovery, sizes: pack_bytes.map(Sizes::with_packs) };
    let report = repo::init(&context.home, request).inspect_err(|_| {
        if let Some(file) = &words_file {
            // It is empty and ours; the error that counts is the one above.
            let _ = std::fs::remove_file(file);
        }
    })?;
    match (&report.recovery_words, &words_file) {
        (Some(words), Some(file)) => write_private(file, file_of_words(words, report.repo).as_bytes())?,
        (Some(words), None) => show_words(context, words),
        (None, _) => {}
    }
    Ok(NewRepository { report, passphrase, words_file })
}

/// Takes the name, so that nothing that exists is ever overwritten.
fn reserve(file: &Path) -> Result<(), Error> {
    create_new(file, b"")
}

/// Writes a file for the owner's eyes only that must not exist yet.
///
/// # Errors
/// [`Error::Usage`] where it does, [`Error::Io`].
pub fn create_new(file: &Path, content: &[u8]) -> Result<(), Error> {
    create_private(file, content).map_err(|error| match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists => {
            Error::Usage(text!("words-file-exists", file = names::path(file)))
        }
        other => other,
    })
}

/// What is in a file with recovery words.
pub fn file_of_words(words: &Zeroizing<String>, repo: RepoId) -> Zeroizing<String> {
    let heading = text!("words-file-heading", repo = repo.to_string());
    let text = format!("# {heading}\n{}\n", words.as_str());
    Zeroizing::new(text)
}

/// Shows the words once, a few on a line so that they can be copied by hand.
pub fn show_words(context: &Context, words: &Zeroizing<String>) {
    let out = &context.out;
    out.data(&out.paint(Style::Strong, &text!("words-shown")));
    out.data("");
    let all: Vec<&str> = words.split_whitespace().collect();
    for (line, group) in all.chunks(6).enumerate() {
        let numbered: Vec<String> =
            group.iter().enumerate().map(|(at, word)| format!("{:>2} {word:<9}", line * 6 + at + 1)).collect();
        let shown = Zeroizing::new(format!("  {}", numbered.join(" ").trim_end()));
        out.data(&shown);
    }
    out.data("");
}

/// Says how to keep what opens the repository, the thing nobody can do later.
pub fn say_how_to_keep_the_key(context: &Context, new: &NewRepository) {
    let out = &context.out;
    let config = names::path(&context.home.settings_path());
    out.say(&out.paint(Style::Attention, &text!("key-important")));
    if new.passphrase.is_some() {
        out.say(&format!("  {}", text!("key-is-passphrase")));
    } else {
        out.say(&format!("  {}", text!("key-in-config")));
        out.say(&format!("    cp {config} /mnt/secure/backup_key.yaml"));
    }
    if let Some(file) = &new.words_file {
        out.say(&format!("  {}", text!("key-words-in-file", file = names::path(file))));
    } else if new.report.recovery_words.is_some() {
        out.say(&format!("  {}", text!("key-words-above")));
    }
    if let Some(aside) = &new.report.moved_aside {
        out.say(&format!("  {}", text!("moved-aside", path = names::path(aside))));
    }
}
