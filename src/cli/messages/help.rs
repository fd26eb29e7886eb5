//! The command line in the language of this run. Its help is written in English where the arguments are; in another
//! language the words come from that language's sentences, whose names follow from the command and the argument.
//!
//! | name | what |
//! |---|---|
//! | `help-COMMAND`, `help-COMMAND-more` | what a command does, and the rest of it that `--help` shows |
//! | `help-COMMAND-ARGUMENT`, else `help-any-ARGUMENT` | what an argument is for |
//! | `help-COMMAND-remark`, `-remark-2`, … | what stands behind a `#` in its examples |
//! | `help-heading-…`, `help-value-…` | headings, and what stands for a value |

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches};

use super::{Arguments, language, sentence_in};
use crate::cli::args::Cli;
use language::Language;

/// Understands what was typed.
///
/// # Errors
/// What was not understood, or the help that was asked for.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = command();
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// The whole command line.
pub fn command() -> Command {
    let mut command = Cli::command();
    if language::spoken() == Language::English {
        return command;
    }
    // What clap adds by itself, `help` and `--version`, has words too.
    command.build();
    translated(command, "")
}

/// The words of a sentence that belongs to the help.
fn words(id: &str) -> Option<String> {
    sentence_in(language::spoken(), id, &Arguments::new())
}

/// As part of a name: letters and digits, the rest is lines.
pub(super) fn name_of(text: &str) -> String {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

fn translated(command: Command, path: &str) -> Command {
    let own = format!("help{path}");
    let mut command = command;
    if let Some(about) = words(&own) {
        if let Some(more) = words(&format!("{own}-more")) {
            command = command.long_about(format!("{about}\n\n{more}"));
        }
        command = command.about(about);
    }
    if let Some(after) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(examples(&after, &own));
    }
    let header = *command.get_styles().get_header();
    let usage = words("help-usage").unwrap_or_default();
    command = command
        .help_template(StyledStr::from(format!(
            "{{before-help}}{{about-with-newline}}\n{header}{usage}{header:#} {{usage}}\n\n{{all-args}}{{after-help}}"
        )))
        .mut_args(|argument| translated_argument(argument, &own));
    if let Some(heading) = words("help-heading-commands") {
        command = command.subcommand_help_heading(heading);
    }
    if command.has_subcommands() {
        command = command.subcommand_value_name(words("help-value-COMMAND").unwrap_or_default());
    }
    let names: Vec<String> = command.get_subcommands().map(|inner| inner.get_name().to_owned()).collect();
    for name in names {
        // What is below `help` is the whole command line once more, and never shown.
        let is_help = name == "help";
        let path = format!("{path}-{name}");
        command = command.mut_subcommand(&name, |inner| match words(&format!("help{path}")) {
            Some(about) if is_help => inner.about(about),
            _ => translated(inner, &path),
        });
    }
    command
}

/// The heading of the examples, and the remarks in them. What can be typed is the same in every language.
fn examples(after: &str, own: &str) -> String {
    let after = match words("help-heading-examples") {
        Some(heading) => after.replace("EXAMPLES:", &heading),
        None => after.to_owned(),
    };
    let mut remarks = (1..).map_while(|number| words(&name_of_remark(own, number)));
    let lines = after.lines().map(|line| match line.split_once("  # ") {
        Some((command, remark)) => format!("{command}  # {}", remarks.next().unwrap_or_else(|| remark.to_owned())),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The name of the first, second, … remark in the examples of a command.
pub(super) fn name_of_remark(own: &str, number: usize) -> String {
    if number == 1 { format!("{own}-remark") } else { format!("{own}-remark-{number}") }
}

fn translated_argument(argument: Arg, own: &str) -> Arg {
    let id = name_of(argument.get_id().as_str());
    let mut argument = argument;
    // `help-help` is the command of that name.
    let own_words = words(&format!("{own}-{id}")).filter(|_| id != "help");
    if let Some(help) = own_words.or_else(|| words(&format!("help-any-{id}"))) {
        let values = values(&argument);
        argument = match (argument.get_action(), argument.get_long_help().is_some()) {
            (ArgAction::Help, true) => {
                let more = |which: &str| words(&format!("help-any-help-{which}")).unwrap_or_else(|| help.clone());
                argument.help(more("short")).long_help(more("long"))
            }
            _ => argument.help(format!("{help}{values}")).hide_default_value(true).hide_possible_values(true),
        };
    }
    let heading = argument.get_help_heading().map(name_of);
    let is_positional = argument.is_positional();
    let heading = heading.unwrap_or_else(|| if is_positional { "Arguments" } else { "Options" }.to_owned());
    if let Some(heading) = words(&format!("help-heading-{}", heading.to_lowercase())) {
        argument = argument.help_heading(heading);
    }
    // The name of the argument stands for its value where nothing else was said.
    if argument.get_action().takes_values() {
        let names = argument.get_value_names().map(|names| names.iter().map(ToString::to_string).collect());
        let names: Vec<String> = names.unwrap_or_else(|| vec![argument.get_id().as_str().to_uppercase()]);
        let names = names.into_iter().map(|name| words(&format!("help-value-{}", name_of(&name))).unwrap_or(name));
        argument = argument.value_names(names.collect::<Vec<_>>());
    }
    argument
}

/// What clap would say in English about the values of an argument.
fn values(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let default: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let possible = argument.get_possible_values();
    let possible: Vec<&str> = possible.iter().map(|value| value.get_name()).collect();
    let mut shown = String::new();
    for (id, values) in [("help-default", default.join(", ")), ("help-possible", possible.join(", "))] {
        if !values.is_empty() {
            let mut arguments = Arguments::new();
            arguments.set("values", values);
            shown.push_str(
                &sentence_in(language::spoken(), id, &arguments).map_or_else(String::new, |text| format!(" {text}")),
            );
        }
    }
    shown
}
