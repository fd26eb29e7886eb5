//! `init`: configuration, keys and index of a new repository.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::new_repository::{self, NewKeyArgs};
use crate::cli::shapes::{path_bytes, with_optional_path, with_path};
use crate::cli::{names, words};
use crate::error::Error;
use crate::repo::settings::pack_bytes;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup init
  cryptbackup init --recovery-key /media/usb/words.txt
  cryptbackup init --passphrase";

/// Set up a new repository: configuration, key and index
///
/// On a terminal it also makes recovery words and shows them once. Without --passphrase the key is in config.yaml.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Move what is set up aside and start anew; nothing is deleted
    #[arg(long)]
    force: bool,
    /// Stored bytes of a full pack, 4160KiB to 128MiB; holds for the life of the repository
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = pack_bytes)]
    pack_size: u32,
    #[command(flatten)]
    keys: NewKeyArgs,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let new = new_repository::create(context, &args.keys, args.force, Some(args.pack_size))?;
    let out = &context.out;
    let config = context.home.settings_path();
    if out.wishes.json {
        let value = json!({ "repo": new.report.repo.to_string() });
        let value = with_optional_path(value, "recovery_key", new.words_file.as_deref());
        let value = with_optional_path(value, "moved_aside", new.report.moved_aside.as_deref());
        out.document(&with_path(value, "config", path_bytes(&config)));
        return Ok(ExitStatus::Done);
    }
    out.say(&text!("initialised", config = names::path(&config)));
    new_repository::say_how_to_keep_the_key(context, &new);
    out.say(&text!("next-steps"));
    let dir = text!("value-dir");
    words::steps(
        out,
        0,
        &[
            (format!("cryptbackup add {dir}"), text!("next-add")),
            (format!("cryptbackup config set destinations.primary {dir}"), text!("next-destination")),
            ("cryptbackup backup".to_owned(), String::new()),
        ],
    );
    Ok(ExitStatus::Done)
}
