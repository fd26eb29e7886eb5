//! `man`: manual pages of the program and of each command.

use std::path::{Path, PathBuf};

use clap_mangen::Man;

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::{help, text};
use crate::cli::names;
use crate::error::Error;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup man | man -l -
  cryptbackup man restore | man -l -
  cryptbackup man --output ~/.local/share/man/man1";

/// Print a manual page, or write all of them into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Of this command, in one word or several; of the program itself without it
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    command: Vec<String>,
    /// Write the page of the program and of every command into this folder
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let mut all = help::command();
    all.build();
    if let Some(folder) = &args.output {
        let mut pages = 0;
        write_all(&all, folder, &mut pages)?;
        context.out.say(&text!("man-written", n = pages, folder = names::path(folder)));
        return Ok(ExitStatus::Done);
    }
    let mut command = &all;
    for name in &args.command {
        let unknown = || Error::Usage(text!("man-unknown", command = names::escape(args.command.join(" ").as_bytes())));
        command = command.find_subcommand(name).ok_or_else(unknown)?;
    }
    context.out.part(&page(command, Path::new("-"))?);
    Ok(ExitStatus::Done)
}

fn write_all(command: &clap::Command, folder: &Path, pages: &mut usize) -> Result<(), Error> {
    if command.get_name() == "help" {
        return Ok(());
    }
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = folder.join(format!("{name}.1"));
    let page = page(command, &path)?;
    std::fs::write(&path, page).map_err(|source| not_written(&path, source))?;
    *pages += 1;
    command.get_subcommands().try_for_each(|inner| write_all(inner, folder, pages))
}

fn page(command: &clap::Command, path: &Path) -> Result<Vec<u8>, Error> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    Man::new(command.clone().name(name)).render(&mut page).map_err(|source| not_written(path, source))?;
    Ok(page)
}

fn not_written(path: &Path, source: std::io::Error) -> Error {
    Error::Io { what: "write".to_owned(), path: path.to_owned(), source }
}
