//! Wrong input of every option and argument of every command: a sentence, the right code, and nothing is changed.
//!
//! What commands there are and what they take is read off the manual pages, so whatever is new fails here until it has its
//! rows: in `RIGHT` how the command is typed rightly, and in `WRONG` a wrong value for each argument and each option that
//! takes one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cryptbackup::repo::settings::Settings;
use serde_json::Value;

use crate::support::{Ended, World};

/// Every command, as it can be typed on a machine that is set up. What follows is added at the end.
const RIGHT: &[&str] = &[
    "quickstart docs other",
    "init",
    "connect primary --config kept/config.yaml",
    "add docs",
    "remove docs",
    "config show",
    "config get min_copies",
    "config set destinations.other other",
    "config unset destinations.primary",
    "destination list",
    "destination accept primary",
    "destination forget primary",
    "exclude --what-if *.iso",
    "backup",
    "status",
    "snapshots",
    "list docs/a",
    "ls latest",
    "find a",
    "diff latest latest",
    "dump latest --output new",
    "du",
    "restore --file docs/a",
    "clean",
    "forget latest",
    "unforget latest",
    "purge docs/a",
    "pin latest",
    "tag latest --add x",
    "note latest text",
    "check",
    "drill",
    "key list",
    "key add --inline",
    "key remove zz",
    "key export new",
    "key rotate",
    "scrub primary",
    "sync",
    "watch",
    "rebuild-index",
    "sysinfo",
    "completions bash",
    "man backup",
];

/// An option or an argument, the command with a wrong value of it, the exit code, and what the sentence names. `''` is an
/// empty word, `LONG` one of 5,000 letters.
const WRONG: &[(&str, &str, i32, &str)] = &[
    ("SOURCE", "quickstart nowhere other", 2, "nowhere does not exist"),
    ("DESTINATION", "quickstart docs no/such/parent", 2, "no/such/parent cannot be created"),
    ("--recovery-key", "quickstart docs other --recovery-key docs/a", 2, "docs/a exists already"),
    ("--pack-size", "init --pack-size tiny", 2, "'tiny' for '--pack-size"),
    ("--pack-size", "init --pack-size 1GB", 2, "must be from 4160KiB to 128MiB"),
    ("--recovery-key", "init --recovery-key docs/a", 2, "docs/a exists already"),
    ("DIR", "connect docs --config kept/config.yaml", 13, "docs"),
    ("--config", "connect primary --config missing", 1, "missing"),
    ("--config", "connect primary --config docs/a", 2, "docs/a"),
    ("DIR", "add nowhere", 2, "nowhere does not exist"),
    ("DIR", "add docs/a", 2, "docs/a is not a folder"),
    ("DIR", "add primary", 2, "primary is where this program keeps backups"),
    ("--exclude", "add docs --exclude a,!", 2, "the exclude `!` is not a valid pattern"),
    ("--exclude-from", "add docs --exclude-from missing", 1, "cannot read missing"),
    ("--exclude-from", "add docs --exclude-from bad", 2, "the exclude `!` is not a valid pattern"),
    ("--exclude-larger-than", "add docs --exclude-larger-than huge", 2, "`huge` is not a size"),
    ("DIR", "remove nowhere", 1, "nowhere is not among the sources"),
    ("KEY", "config get nonsense", 2, "nonsense: there is no such key"),
    ("KEY", "config set nonsense 1", 2, "nonsense: there is no such key"),
    ("KEY", "config set destinations.a.b other", 2, "`a.b` is not a name"),
    ("VALUE", "config set destinations.primary no/such/parent", 2, "no/such/parent does not exist"),
    ("VALUE", "config set destinations.third docs", 2, "destinations.third: the source "),
    ("VALUE", "config set destinations.third secondary", 2, "is the destination `secondary` already"),
    ("KEY", "config unset nonsense", 2, "nonsense: there is no such key"),
    ("NAME", "destination accept nobody", 1, "there is no destination `nobody`"),
    ("NAME", "destination forget nobody", 1, "there is no destination `nobody`"),
    ("PATTERNS", "exclude a,!", 2, "the exclude `!` is not a valid pattern"),
    ("--source", "exclude *.iso --source nowhere", 2, "nowhere is not among the sources"),
    ("COMMAND", "backup true", 2, "unexpected argument 'true'"),
    ("COMMAND", "backup --stdin x -- false", 1, "`false` failed"),
    ("COMMAND", "backup --stdin x -- no-such-program", 1, "no-such-program"),
    ("--source", "backup --source nowhere", 2, "nowhere is not a configured source"),
    ("--files-from", "backup --files-from missing", 1, "cannot read missing"),
    ("--recheck", "backup --recheck 101%", 2, "'101%' for '--recheck"),
    ("--recheck", "backup --recheck some", 2, "'some' for '--recheck"),
    ("--stdin", "backup --stdin ''", 2, "--stdin"),
    ("--stdin", "backup --stdin docs", 2, "docs is a source already"),
    ("--tag", "backup --tag ''", 2, "a tag has 1 to "),
    ("--tag", "backup --tag LONG", 2, "a tag has 1 to "),
    ("--tag", "backup --smart --tag LONG", 2, "a tag has 1 to "),
    ("FILE", "list nowhere", 1, "nowhere in any snapshot"),
    ("FILE", "list docs", 2, "docs is a folder"),
    ("--limit", "list docs/a --limit none", 2, "'none' for '--limit"),
    ("SNAPSHOT[:PATH]", "ls zz", 2, "`zz` is not a snapshot"),
    ("SNAPSHOT[:PATH]", "ls latest~99", 1, "snapshot `latest~99`"),
    ("SNAPSHOT[:PATH]", "ls latest:/nowhere", 1, "/nowhere in this snapshot"),
    ("PATTERN", "find [", 2, "`[` is not a pattern"),
    ("--type", "find a --type folderish", 2, "'folderish' for '--type"),
    ("--larger-than", "find a --larger-than huge", 2, "`huge` is not a size"),
    ("--smaller-than", "find a --smaller-than huge", 2, "`huge` is not a size"),
    ("--modified-after", "find a --modified-after someday", 2, "`someday` is not a date"),
    ("--modified-before", "find a --modified-before 2026-13-45", 2, "`2026-13-45` is not a date"),
    ("--in", "find a --in ''", 2, "--in"),
    ("--snapshot", "find a --snapshot zz", 2, "`zz` is not a snapshot"),
    ("SNAPSHOT[:PATH]|FILE@N|PATH", "diff zz latest", 1, "zz does not exist"),
    ("SNAPSHOT[:PATH]|FILE@N|PATH", "diff latest zz", 1, "zz in snapshot"),
    ("SNAPSHOT[:PATH]|FILE@N|PATH", "diff docs docs", 2, "give a snapshot"),
    ("SNAPSHOT[:PATH]|FILE@N", "dump zz --output new", 2, "`zz` is not a snapshot"),
    ("SNAPSHOT[:PATH]|FILE@N", "dump docs/a@9 --output new", 1, "version 9 of "),
    ("SNAPSHOT[:PATH]|FILE@N", "dump latest:/nowhere --output new", 1, "/nowhere in this snapshot"),
    ("--archive", "dump latest --output new --archive rar", 2, "'rar' for '--archive"),
    ("--output", "dump latest --output docs/a", 1, "cannot write docs/a"),
    ("--output", "dump latest --output no/such/parent", 1, "cannot write no/such/parent"),
    ("PATH", "du nowhere", 1, "nowhere in any snapshot"),
    ("PATH", "du nowhere --snapshot latest", 1, "nowhere in this snapshot"),
    ("--by", "du --by colour", 2, "'colour' for '--by"),
    ("--depth", "du --depth deep", 2, "'deep' for '--depth"),
    ("--snapshot", "du --snapshot zz", 2, "`zz` is not a snapshot"),
    ("--limit", "du --limit none", 2, "'none' for '--limit"),
    ("--file", "restore --file nowhere", 1, "nowhere in any snapshot"),
    ("--file", "restore --file docs", 2, "docs is a folder"),
    ("--directory", "restore --directory nowhere", 1, "nowhere in any snapshot"),
    ("--directory", "restore --directory docs/a", 2, "docs/a is a file"),
    ("--snapshot", "restore --snapshot zz", 2, "`zz` is not a snapshot"),
    ("--list", "restore --list [", 2, "`[` is not a pattern"),
    ("--date", "restore --file docs/a --date yesterday", 2, "`yesterday` is not a date"),
    ("--date", "restore --file docs/a --date 1999-01-01", 1, "at or before 1999-01-01 23:59:59"),
    ("--version", "restore --file docs/a --version none", 2, "'none' for '--version"),
    ("--version", "restore --file docs/a --version 7", 1, "version 7 of "),
    ("--destination", "restore --directory docs --destination primary", 2, "primary is inside"),
    ("--destination", "restore --file docs/a --destination state/a", 2, "state/a is inside"),
    ("--destination", "restore --directory docs --destination docs/a", 1, "cannot restore to "),
    ("--destination", "restore --file docs/a --destination ''", 2, "--destination"),
    ("--overwrite", "restore --file docs/a --overwrite perhaps", 2, "'perhaps' for '--overwrite"),
    ("--from", "restore --file docs/a --from nobody", 2, "no destination called `nobody`"),
    ("--keep-days", "clean --keep-days many", 2, "'many' for '--keep-days"),
    ("--keep-days", "clean --keep-days -1", 2, "'-1'"),
    ("--keep-versions", "clean --keep-versions 0", 2, "'0' for '--keep-versions"),
    ("--keep-last", "clean --keep-last all", 2, "'all' for '--keep-last"),
    ("--keep-hourly", "clean --keep-hourly all", 2, "'all' for '--keep-hourly"),
    ("--keep-daily", "clean --keep-daily all", 2, "'all' for '--keep-daily"),
    ("--keep-weekly", "clean --keep-weekly all", 2, "'all' for '--keep-weekly"),
    ("--keep-monthly", "clean --keep-monthly all", 2, "'all' for '--keep-monthly"),
    ("--keep-yearly", "clean --keep-yearly 99999999999", 2, "'99999999999' for '--keep-yearly"),
    ("SNAPSHOT", "forget zz", 2, "`zz` is not a snapshot"),
    ("SNAPSHOT", "forget latest latest~99", 1, "snapshot `latest~99`"),
    ("SNAPSHOT", "unforget zz", 1, "forgotten snapshot `zz`"),
    ("PATH", "purge nowhere", 1, "nowhere in any snapshot"),
    ("SNAPSHOT", "pin zz", 2, "`zz` is not a snapshot"),
    ("SNAPSHOT", "tag zz --add x", 2, "`zz` is not a snapshot"),
    ("--add", "tag latest --add ''", 2, "a tag has 1 to "),
    ("--remove", "tag latest --remove LONG", 2, "a tag has 1 to "),
    ("SNAPSHOT", "note zz text", 2, "`zz` is not a snapshot"),
    ("TEXT", "note latest LONG", 2, "a note has at most "),
    ("--read-data-subset", "check --read-data-subset 0%", 2, "'0%' for '--read-data-subset"),
    ("--read-data-subset", "check --read-data-subset some", 2, "'some' for '--read-data-subset"),
    ("--destination", "check --destination nobody", 2, "no destination called `nobody`"),
    ("--budget", "drill --budget tiny", 2, "'tiny' for '--budget"),
    ("--destination", "drill --destination nobody", 2, "no destination called `nobody`"),
    ("--passphrase", "key add --passphrase", 2, "no terminal"),
    ("--passphrase-file", "key add --passphrase-file missing", 1, "cannot read missing"),
    ("--passphrase-command", "key add --passphrase-command false", 1, "cannot run false"),
    ("--recovery-key", "key add --recovery-key docs/a", 2, "docs/a exists already"),
    ("--key-file", "key add --key-file docs", 1, "cannot read "),
    ("--open-with-passphrase-file", "key add --inline --open-with-passphrase-file missing", 1, "cannot read missing"),
    ("--open-with-recovery-key", "key add --inline --open-with-recovery-key missing", 1, "cannot read missing"),
    ("--open-with-key-file", "key add --inline --open-with-key-file missing", 1, "cannot read missing"),
    ("KEY", "key remove zz", 2, "`zz` is not a key"),
    ("FILE", "key export docs/a", 2, "docs/a exists already"),
    ("--words", "key export --words docs/a", 2, "docs/a exists already"),
    ("DIR", "scrub docs", 13, "there is nothing of a destination in it"),
    ("DIR", "scrub nowhere", 13, "nowhere does not exist"),
    ("--destination", "sync --destination nobody", 2, "no destination called `nobody`"),
    ("SHELL", "completions tcl", 2, "'tcl' for '<SHELL>'"),
    ("COMMAND", "man nonsense", 2, "there is no command `nonsense`"),
    ("--output", "man --output nowhere", 1, "cannot write nowhere/"),
];

/// Options of whatever asks for a key, with a wrong value, where `WRONG` says nothing else.
const SECRETS: &[(&str, &str, i32, &str)] = &[
    ("--passphrase", "--passphrase", 2, "no terminal"),
    ("--passphrase-file", "--passphrase-file missing", 1, "cannot read missing"),
    ("--passphrase-file", "--passphrase-file empty", 2, "the passphrase is empty"),
    ("--passphrase-command", "--passphrase-command false", 1, "cannot run false"),
    ("--recovery-key", "--recovery-key missing", 1, "cannot read missing"),
    ("--key-file", "--key-file missing", 1, "cannot read missing"),
];

/// Commands for a machine on which nothing is set up.
const SET_UP: &[&str] = &["quickstart", "init", "connect"];

/// What every command that opens the repository may write: who holds the lock, the index, which is brought up to date, and
/// a folder for what is only needed while it runs.
const BOOKKEEPING: &[&str] = &["state/state/lock", "state/backups.db", "state/state/tmp"];

#[derive(Debug, PartialEq, Clone, Copy)]
enum Takes {
    Nothing,
    Value,
    PerhapsValue,
}

/// An option (`--name`) or an argument (`NAME`).
#[derive(Debug)]
struct Taken {
    name: String,
    takes: Takes,
}

impl Taken {
    fn is_option(&self) -> bool {
        self.name.starts_with("--")
    }

    /// What a line of a manual page tells of, if it tells of one.
    fn parse(line: &str) -> Option<Self> {
        let line = line.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "").replace("\\-", "-");
        let line = line.split(" [default:").next().unwrap_or_default();
        if let Some(at) = line.starts_with('-').then(|| line.find("--")).flatten() {
            let (name, value) = line[at..].split_once(' ').unwrap_or((&line[at..], ""));
            let takes = match value.chars().next() {
                Some('<') => Takes::Value,
                Some('[') => Takes::PerhapsValue,
                _ => Takes::Nothing,
            };
            return Some(Self { name: name.to_owned(), takes });
        }
        let name = line.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let name = name.or_else(|| line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')));
        name.map(|name| Self { name: name.to_owned(), takes: Takes::Value })
    }
}

/// Every command that does something, and what it takes, as the manual pages have it.
fn commands() -> BTreeMap<String, Vec<Taken>> {
    let world = World::new();
    world.folder("pages");
    world.run("man --output pages").expect_code(0);
    let pages = world.names("pages");
    let mut commands = BTreeMap::new();
    for page in &pages {
        let text = world.read(&format!("pages/{page}"));
        let is_group = text.contains("\n.SH SUBCOMMANDS\n");
        // The part of the title that comes after the program's name, with blanks where commands lie in others.
        let name = page.trim_start_matches("cryptbackup").trim_end_matches(".1").trim_start_matches('-');
        let is_in_group = |group: &str| pages.contains(&format!("cryptbackup-{group}.1"));
        let name = match name.split_once('-') {
            Some((group, inner)) if is_in_group(group) => format!("{group} {inner}"),
            _ => name.to_owned(),
        };
        let lines = text.lines().zip(text.lines().skip(1));
        let taken = lines.filter(|(tag, _)| *tag == ".TP").filter_map(|(_, line)| Taken::parse(line));
        if !is_group {
            commands.insert(name, taken.filter(|taken| taken.name != "--help").collect());
        }
    }
    assert!(commands.len() > 30 && commands.values().map(Vec::len).sum::<usize>() > 300, "{commands:?}");
    commands
}

fn words(typed: &str) -> Vec<String> {
    let word = |word: &str| match word {
        "''" => String::new(),
        "LONG" => "x".repeat(5_000),
        other => other.to_owned(),
    };
    typed.split(' ').map(word).collect()
}

/// How a command is typed rightly.
fn right(command: &str) -> &'static str {
    let is_it = |typed: &&&str| **typed == command || typed.starts_with(&format!("{command} "));
    RIGHT.iter().find(is_it).unwrap_or_else(|| panic!("`{command}` has no row in RIGHT"))
}

/// The longest command that these words begin with.
fn command_of<'c>(commands: &'c BTreeMap<String, Vec<Taken>>, typed: &str) -> Option<&'c str> {
    let is_it = |name: &&String| typed == name.as_str() || typed.starts_with(&format!("{name} "));
    commands.keys().filter(is_it).max_by_key(|name| name.len()).map(String::as_str)
}

/// Two destinations with a backup of two files, and some files that are of no use.
fn world() -> World {
    let world = World::set_up(&["primary", "secondary"]);
    world.write("docs/a", "a");
    world.write("docs/b", "bb");
    world.write("empty", "");
    world.write("bad", "*.iso\n!\n");
    world.run("backup -q").expect_code(0);
    world
}

/// The same, with nothing set up here but a copy of the configuration kept.
fn lost() -> World {
    let world = world();
    let config = world.read("state/config.yaml");
    std::fs::remove_dir_all(world.state()).expect("lost");
    let kept = world.write("kept/config.yaml", config);
    #[cfg(unix)]
    std::fs::set_permissions(kept, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("ours");
    world
}

/// Every file with its content, and every folder.
fn everything(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = world.path("");
    let entries = walkdir::WalkDir::new(&root).into_iter().map(|entry| entry.expect("listed"));
    let read = |entry: walkdir::DirEntry| {
        let content = if entry.file_type().is_dir() { Vec::new() } else { std::fs::read(entry.path()).expect("read") };
        (entry.path().strip_prefix(&root).expect("below it").to_owned(), content)
    };
    entries.map(read).collect()
}

/// The paths at which something else is, but for bookkeeping.
fn changed(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<PathBuf> {
    let paths = before.keys().chain(after.keys().filter(|path| !before.contains_key(*path)));
    let is_other = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let is_ours = |path: &&PathBuf| !BOOKKEEPING.iter().any(|known| path.as_os_str() == *known);
    paths.filter(is_other).filter(is_ours).cloned().collect()
}

/// Runs it, and again as a script would; what is not as it should be with what is said and with what is there then.
fn refuse(world: &World, typed: &str, code: i32, part: &str) -> Vec<String> {
    let before = everything(world);
    let mut offences = Vec::new();
    let mut demand = |holds: bool, why: &str, what: String| {
        if !holds {
            offences.push(format!("{typed}: {why}: {what}"));
        }
    };
    let ended = world.run_args(words(typed));
    demand(ended.code == Some(code), "another code", format!("{ended:?}"));
    let is_error = ended.stderr.lines().any(|line| line.starts_with("error: "));
    demand(is_error, "no error", format!("{ended:?}"));
    demand(ended.stderr.contains(part), part, format!("{ended:?}"));
    demand(code != 2 || ended.stdout.is_empty(), "data only", ended.stdout);
    let ended = world.run_args([vec!["--json".to_owned()], words(typed)].concat());
    let last = serde_json::from_str(ended.stdout.lines().last().unwrap_or_default()).unwrap_or(Value::Null);
    let is_same = ended.code == Some(code) && last["exit_code"] == code && last["message_type"] == "error";
    demand(is_same, "another error for a script", format!("{ended:?}"));
    let is_said = last["message"].as_str().is_some_and(|message| message.contains(part));
    demand(is_said, "another sentence for a script", last.to_string());
    let changed = changed(&before, &everything(world));
    demand(changed.is_empty(), "something changed", format!("{changed:?}"));
    offences
}

#[test]
fn a_wrong_value_of_any_option_or_argument_is_refused_and_changes_nothing() {
    let commands = commands();
    let (here, lost) = (world(), lost());
    let world_of = |command: &str| if SET_UP.contains(&command) { &lost } else { &here };
    let mut offences = Vec::new();
    for (command, taken) in &commands {
        for taken in taken {
            let rows: Vec<_> = WRONG
                .iter()
                .filter(|(name, typed, ..)| *name == taken.name && command_of(&commands, typed) == Some(command))
                .collect();
            for (_, typed, code, part) in &rows {
                offences.extend(refuse(world_of(command), typed, *code, part));
            }
            let secrets: Vec<_> = SECRETS.iter().filter(|(name, ..)| *name == taken.name && rows.is_empty()).collect();
            for (_, added, code, part) in &secrets {
                let typed = format!("{} {added}", right(command));
                offences.extend(refuse(world_of(command), &typed, *code, part));
            }
            if taken.takes != Takes::Nothing && rows.is_empty() && secrets.is_empty() {
                offences.push(format!("`{command}` has no row with a wrong value of {}", taken.name));
            }
        }
    }
    for (name, typed, ..) in WRONG {
        let taken = command_of(&commands, typed).and_then(|command| commands.get(command));
        if !taken.is_some_and(|taken| taken.iter().any(|taken| taken.name == *name)) {
            offences.push(format!("`{typed}` is no command that takes {name}: take the row out"));
        }
    }
    assert!(offences.is_empty(), "\n{}", offences.join("\n"));
    // And what is stored is still whole.
    assert_eq!(here.run("snapshots --json").expect_code(0).json().as_array().map(Vec::len), Some(1));
    here.run("check --read-data").expect_code(0);
}

#[test]
fn options_without_their_value_and_with_one_too_many_are_refused_by_name() {
    let world = world();
    for (command, taken) in commands() {
        let before = everything(&world);
        let refused = |typed: String, part: &str| {
            let Ended { code, stdout, stderr } = world.run(&typed);
            assert_eq!((code, stdout.as_str()), (Some(2), ""), "{typed}\n{stderr}");
            assert!(stderr.starts_with("error: ") && stderr.contains(part), "{typed}: {part}\n{stderr}");
        };
        let right = right(&command);
        for Taken { name, takes } in taken.iter().filter(|taken| taken.is_option()) {
            match takes {
                Takes::Nothing => refused(format!("{right} {name}=x"), name),
                Takes::Value => refused(format!("{right} {name}"), name),
                Takes::PerhapsValue => {}
            }
        }
        refused(format!("{right} --nonsense"), "--nonsense");
        // Not even an index was opened.
        assert!(before == everything(&world), "{command}: {:?}", changed(&before, &everything(&world)));
    }
}

#[test]
fn a_wrong_value_of_any_key_of_the_configuration_is_refused_by_name() {
    let world = world();
    let before = everything(&world);
    let mut keys = 0;
    for key in Settings::key_names().chain(["limits.upload.primary"]) {
        keys += 1;
        let ended = world.run_args(["config", "set", key, "!"]);
        ended.expect_error(2, &[&format!("error: {key}: ")]);
    }
    assert!(keys > 30, "{keys} keys");
    assert!(before == everything(&world), "{:?}", changed(&before, &everything(&world)));
}

#[test]
fn lines_of_manual_pages_are_understood() {
    let parse = |line: &str| Taken::parse(line).map(|taken| (taken.name, taken.takes));
    let is = |name: &str, takes| Some((name.to_owned(), takes));
    assert_eq!(parse(r"\fB\-q\fR, \fB\-\-quiet\fR"), is("--quiet", Takes::Nothing));
    assert_eq!(parse(r"\fB\-\-dry\-run\fR"), is("--dry-run", Takes::Nothing));
    assert_eq!(parse(r"\fB\-n\fR, \fB\-\-limit\fR \fI<N>\fR"), is("--limit", Takes::Value));
    assert_eq!(parse(r"\fB\-\-by\fR \fI<WHAT>\fR [default: folder]"), is("--by", Takes::Value));
    assert_eq!(parse(r"\fB\-\-list\fR [\fI<PATTERN>\fR]"), is("--list", Takes::PerhapsValue));
    assert_eq!(parse(r"<\fIDIR\fR>"), is("DIR", Takes::Value));
    assert_eq!(parse(r"[\fIPATH\fR]"), is("PATH", Takes::Value));
    assert_eq!(parse(r"cryptbackup\-config\-show(1)"), None);
}
