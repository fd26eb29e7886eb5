//! `remove`: one folder less to back up. What was backed up of it stays.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::{names, paths};
use crate::error::Error;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup remove ~/Documents";

/// Take a folder out of the sources; its backups are kept
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder
    dir: PathBuf,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let resolved = paths::absolute(&args.dir)?;
    let path = context.edit_settings(|settings| {
        // As it is typed too: the folder, or a link on the way to it, may be gone by now.
        [resolved.clone(), args.dir.clone()].into_iter().find(|path| settings.remove_source(path)).ok_or_else(|| {
            let what = text!("folder-no-source", path = names::path(&resolved));
            Error::Unlisted { what, by: "config show" }
        })
    })?;
    let out = &context.out;
    if out.wishes.json {
        out.document(&with_path(json!({ "removed": true }), "path", path_bytes(&path)));
    }
    out.say(&text!("folder-removed", path = names::path(&path)));
    Ok(ExitStatus::Done)
}
