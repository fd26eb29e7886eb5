//! `add`: one more folder to back up, or other options for one that is known.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::shapes::{path_bytes, with_path};
use crate::cli::{names, paths};
use crate::error::Error;
use crate::repo::settings::{Settings, SourceSettings, size};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup add ~/Documents
  cryptbackup add ~/Documents --exclude \"*.tmp,~*,.DS_Store\" --exclude node_modules
  cryptbackup add ~/src --gitignore --exclude-larger-than 1GB
  cryptbackup add / --one-file-system --exclude-caches";

/// Add a folder to the sources; adding it again replaces its options
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The folder
    dir: PathBuf,
    #[command(flatten)]
    options: SourceOptions,
}

/// Options of one source.
#[derive(Debug, Default, clap::Args)]
pub struct SourceOptions {
    /// Patterns to leave out, as in .gitignore, separated by commas; may be given again
    #[arg(long, value_name = "PATTERNS")]
    exclude: Vec<String>,
    /// Also the patterns of this file, as it is now, one on each line
    #[arg(long, value_name = "FILE")]
    exclude_from: Vec<PathBuf>,
    /// Leave out files larger than this: 500MB, 4GiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    exclude_larger_than: Option<u64>,
    /// Leave out what .gitignore files leave out of git
    #[arg(long)]
    gitignore: bool,
    /// Leave out folders marked with a CACHEDIR.TAG
    #[arg(long)]
    exclude_caches: bool,
    /// Do not enter other mounted file systems
    #[arg(long)]
    one_file_system: bool,
    /// Do not take another inode number for a change (for network file systems)
    #[arg(long)]
    ignore_inode: bool,
    /// Do not take another ctime for a change
    #[arg(long)]
    ignore_ctime: bool,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let source = source(&args.dir, args.options)?;
    let (path, exclude) = (source.path.clone(), source.exclude.clone());
    let is_new = context.edit_settings(|settings| {
        refuse_own_folders(context, settings, &source.path)?;
        Ok(settings.put_source(source))
    })?;
    let out = &context.out;
    if out.wishes.json {
        let value = json!({ "new": is_new, "exclude": exclude });
        out.document(&with_path(value, "path", path_bytes(&path)));
        return Ok(ExitStatus::Done);
    }
    let path = names::path(&path);
    out.say(&if is_new { text!("folder-added", path = path) } else { text!("folder-replaced", path = path) });
    if !exclude.is_empty() {
        out.say(&text!("folder-excluded", patterns = names::escape(exclude.join(", ").as_bytes())));
    }
    Ok(ExitStatus::Done)
}

/// A source as it is to be configured: it must be a folder and its patterns must be patterns.
///
/// # Errors
/// [`Error::Usage`].
pub fn source(dir: &Path, options: SourceOptions) -> Result<SourceSettings, Error> {
    let path = paths::absolute(dir)?;
    let shown = names::path(&path);
    match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::Usage(text!("folder-not-there", path = shown)));
        }
        Err(source) => return Err(Error::Io { what: text!("verb-look-at"), path, source }),
        Ok(found) if found.is_symlink() => return Err(Error::Usage(text!("folder-is-link", path = shown))),
        Ok(found) if !found.is_dir() => return Err(Error::Usage(text!("folder-is-none", path = shown))),
        Ok(_) => {}
    }
    let mut source = SourceSettings {
        git_ignore: options.gitignore,
        exclude_larger_than: options.exclude_larger_than,
        exclude_caches: options.exclude_caches,
        one_file_system: options.one_file_system,
        ignore_inode: options.ignore_inode,
        ignore_ctime: options.ignore_ctime,
        ..SourceSettings::new(path)
    };
    for list in &options.exclude {
        source.leave_out(list)?;
    }
    for file in &options.exclude_from {
        let failed = |source| Error::Io { what: text!("verb-read"), path: file.clone(), source };
        source.leave_out_lines(&std::fs::read_to_string(file).map_err(failed)?)?;
    }
    Ok(source)
}

/// A folder in which this program keeps backups or its state is never a source.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_own_folders(context: &Context, settings: &Settings, path: &Path) -> Result<(), Error> {
    let home = paths::absolute(context.home.path())?;
    let own = settings.destinations.iter().map(|(_, path)| path.as_path()).chain([home.as_path()]);
    for folder in own {
        if path.starts_with(folder) {
            return Err(Error::Usage(text!("folder-is-own", path = names::path(path))));
        }
    }
    Ok(())
}
