//! What can be typed: the commands and the options common to all.

use clap::{Args, Parser, Subcommand};

use super::commands::{
    add, backup, check, clean, completions, config, connect, destination, diff, drill, du, dump, exclude, find, forget,
    init, key, list, ls, man, note, pin, purge, quickstart, rebuild_index, remove, restore, scrub, snapshots, status,
    sync, sysinfo, tag, unforget, watch,
};
use super::exit::ExitStatus;
use super::messages::text;
use super::output::Wishes;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup quickstart ~/Documents /media/usb/backup
  cryptbackup status
  cryptbackup restore --file ~/Documents/report.pdf --date 2026-01-15";

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{}\n\n{}", ExitStatus::help(), environment())
}

fn environment() -> String {
    let mut text = text!("environment-heading");
    for (name, meaning) in [
        ("CRYPTBACKUP_HOME", text!("environment-home")),
        ("CRYPTBACKUP_PASSPHRASE", text!("environment-passphrase")),
        ("CRYPTBACKUP_PASSPHRASE_FILE", text!("environment-passphrase-file")),
        ("CRYPTBACKUP_PASSPHRASE_COMMAND", text!("environment-passphrase-command")),
        ("CRYPTBACKUP_KEY_FILE", text!("environment-key-file")),
        ("CRYPTBACKUP_LANG", text!("environment-lang")),
        ("NO_COLOR", text!("environment-no-color")),
    ] {
        text.push_str(&format!("\n  {name:<30}  {meaning}"));
    }
    text
}

/// Encrypted, deduplicating, incremental backups to several destinations at once
#[derive(Debug, Parser)]
#[command(name = "cryptbackup", version, max_term_width = 100, arg_required_else_help = true, after_help = after_help())]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Write JSON: one document for listings, lines with `message_type` for long work
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing when all is well
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more; twice says everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Show no progress
    #[arg(long, global = true)]
    no_progress: bool,
}

impl Common {
    /// What they ask for.
    pub fn wishes(&self) -> Wishes {
        Wishes { json: self.json, quiet: self.quiet, verbose: self.verbose, no_progress: self.no_progress }
    }
}

/// The commands, in the order in which a person meets them.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "a comment here would replace the help text that stands with each command's arguments")]
pub enum Command {
    Quickstart(quickstart::Args),
    Init(init::Args),
    Connect(connect::Args),
    Add(add::Args),
    Remove(remove::Args),
    Exclude(exclude::Args),
    Config(config::Args),
    Destination(destination::Args),
    Key(key::Args),
    Backup(backup::Args),
    Status(status::Args),
    Snapshots(snapshots::Args),
    List(list::Args),
    Ls(ls::Args),
    Find(find::Args),
    Diff(diff::Args),
    Dump(dump::Args),
    Du(du::Args),
    Restore(restore::Args),
    Clean(clean::Args),
    Forget(forget::Args),
    Unforget(unforget::Args),
    Purge(purge::Args),
    Pin(pin::Args),
    Tag(tag::Args),
    Note(note::Args),
    Check(check::Args),
    Drill(drill::Args),
    Scrub(scrub::Args),
    Sync(sync::Args),
    Watch(watch::Args),
    RebuildIndex(rebuild_index::Args),
    Sysinfo(sysinfo::Args),
    Completions(completions::Args),
    Man(man::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    fn visit(command: &clap::Command, path: &str, each: &mut dyn FnMut(&clap::Command, &str)) {
        each(command, path);
        for inner in command.get_subcommands() {
            visit(inner, &format!("{path} {}", inner.get_name()), each);
        }
    }

    #[test]
    fn every_command_is_explained_and_has_examples() {
        visit(&Cli::command(), "cryptbackup", &mut |command, path| {
            assert!(command.get_about().is_some_and(|about| !about.to_string().is_empty()), "{path}: no words");
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("EXAMPLES:\n"), "{path}: no examples");
            let name = path.trim_start_matches("cryptbackup ");
            assert!(after.contains(name), "{path}: its examples show something else");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{path}: {} has no words", argument.get_id());
            }
        });
    }

    #[test]
    fn every_example_can_be_typed() {
        visit(&Cli::command(), "cryptbackup", &mut |command, path| {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples =
                after.split("EXAMPLES:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap_or_default();
            for line in examples.lines().map(str::trim) {
                // An example may begin with a variable and end with a pipe, a redirection or a remark.
                let words = line.split(" | ").next().unwrap_or_default();
                let words = words.split(" > ").next().unwrap_or_default();
                let words = words.split("  #").next().unwrap_or_default();
                let words = words.split_whitespace().skip_while(|word| *word != "cryptbackup");
                let words: Vec<String> = words.map(|word| word.trim_matches('"').to_owned()).collect();
                assert!(!words.is_empty(), "{path}: {line}");
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{path}: {line}: {error}");
                }
            }
        });
    }

    #[test]
    fn dry_run_has_no_short_form_and_later_commands_are_not_there() {
        for words in [
            "backup -n",
            "clean -n",
            "clean --keep-versions 0",
            "clean --keep-days -1",
            "clean --keep-last all",
            "forget",
            "unforget",
            "purge",
            "pin",
            "tag latest",
            "note",
            "key",
            "key list usb",
            "key add --inline --passphrase",
            "key add --recovery-key a --key-file b",
            "key add --passphrase-file a --passphrase-command b",
            "key add --key-file a --open-with-key-file b --open-with-recovery-key c",
            "key remove",
            "key export a b",
            "key rotate now",
            "scrub",
            "restore",
            "restore --file a --directory b",
            "restore --file a --date 2d --version 1",
            "restore --directory a --version 1",
            "restore --list --file a",
            "restore --file a --version 0",
            "restore --file a --date yesterday",
            "restore --file a --overwrite perhaps",
            "status -q -v",
            "check --read-data --read-data-subset 5%",
            "check --read-data-subset 0%",
            "check --read-data-subset 101%",
            "drill --budget 0",
            "drill --budget 3MB",
            "drill --budget soon",
            "config set compression.level",
            "config set",
            "init --passphrase --passphrase-file f",
            "init --passphrase secret",
            "list",
            "ls",
            "add",
            "quickstart a",
        ] {
            let words = std::iter::once("cryptbackup").chain(words.split(' '));
            let parsed = Cli::try_parse_from(words.clone());
            assert!(parsed.is_err(), "{:?} was understood", words.collect::<Vec<_>>());
        }
    }

    #[test]
    fn common_options_stand_before_and_after_the_command() {
        for words in ["cryptbackup --json -q status --no-progress", "cryptbackup status --json -q --no-progress"] {
            let wishes = Cli::try_parse_from(words.split(' ')).expect(words).common.wishes();
            assert!(wishes.json && wishes.quiet && wishes.no_progress, "{words}");
        }
        let wishes = Cli::try_parse_from(["cryptbackup", "status", "-vv"]).expect("verbose").common.wishes();
        assert_eq!(wishes.verbose, 2);
    }
}
