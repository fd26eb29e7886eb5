//! `completions`: what a shell has to know to complete the command line.

use clap_complete::Shell;

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::error::Error;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup completions bash > ~/.local/share/bash-completion/completions/cryptbackup
  cryptbackup completions fish > ~/.config/fish/completions/cryptbackup.fish";

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Runs the command; `command` describes the whole command line.
pub fn run(args: Args, mut command: clap::Command, context: &Context) -> Result<ExitStatus, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "cryptbackup", &mut script);
    context.out.part(&script);
    Ok(ExitStatus::Done)
}
