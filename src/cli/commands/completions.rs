//! `completions`: what a shell has to run to complete the command line.

use clap_complete::env::Shells;

use crate::cli::complete::VARIABLE;
use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::error::Error;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup completions bash > ~/.local/share/bash-completion/completions/cryptbackup
  cryptbackup completions zsh > ~/.zfunc/_cryptbackup
  cryptbackup completions fish > ~/.config/fish/completions/cryptbackup.fish";

/// Print completions for a shell; they know snapshots, what is in them, sources, destinations and settings
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: ShellArg,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ShellArg {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

/// In bash a colon ends a word, and `latest:/home` would be three.
const COLON_IS_NO_END: &str = "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n";

/// Runs the command.
pub fn run(args: Args, context: &Context) -> Result<ExitStatus, Error> {
    let name = match args.shell {
        ShellArg::Bash => "bash",
        ShellArg::Elvish => "elvish",
        ShellArg::Fish => "fish",
        ShellArg::Powershell => "powershell",
        ShellArg::Zsh => "zsh",
    };
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(name) {
        let failed = |source| Error::Io { what: "write".to_owned(), path: "completions".into(), source };
        shell.write_registration(VARIABLE, "cryptbackup", "cryptbackup", "cryptbackup", &mut script).map_err(failed)?;
    }
    context.out.part(&script);
    if matches!(args.shell, ShellArg::Bash) {
        context.out.part(COLON_IS_NO_END.as_bytes());
    }
    Ok(ExitStatus::Done)
}
