//! What a shell completes: commands and options from their definition, and values by asking the repository.
//!
//! The script of a shell runs the program with `CRYPTBACKUP_COMPLETE` set for each press of the tab key. Whatever goes wrong
//! then (nothing is set up, a passphrase is needed, a destination is away) completes nothing and says nothing.

use std::ffi::OsStr;
use std::path::Path;

use clap::Command;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter};

use super::{names, paths, units, words};
use crate::repo::settings::{DESTINATION_PREFIX, Settings};
use crate::repo::{Access, Home, Repo};
use crate::report::Silent;

/// Set by the script of a shell, to the name of the shell.
pub const VARIABLE: &str = "CRYPTBACKUP_COMPLETE";
/// Snapshots that are offered by their ids.
const SNAPSHOTS: usize = 20;

/// What completes a value.
type Values = fn(&OsStr) -> Vec<CompletionCandidate>;

/// The values that depend on what is there: a command, one of its arguments, and what completes it.
const BY_ASKING: &[(&str, &str, Values)] = &[
    ("ls", "snapshot", snapshots_and_paths),
    ("find", "snapshot", snapshots),
    ("diff", "before", snapshots_paths_and_files),
    ("diff", "after", snapshots_paths_and_files),
    ("dump", "what", snapshots_and_paths),
    ("restore", "snapshot", snapshots),
    ("restore", "from", destinations),
    ("check", "destination", destinations),
    ("drill", "destination", destinations),
    ("forget", "snapshots", snapshots),
    ("unforget", "snapshots", snapshots),
    ("pin", "snapshots", snapshots),
    ("tag", "snapshot", snapshots),
    ("note", "snapshot", snapshots),
    ("backup", "source", sources),
    ("remove", "dir", sources),
    ("exclude", "source", sources),
    ("config get", "key", keys),
    ("config set", "key", keys),
    ("config unset", "key", keys),
    ("destination accept", "name", destinations),
    ("destination forget", "name", destinations),
    ("key remove", "key", slots),
];

/// Ends the process with what completes, where a shell asks for it.
pub fn answer() {
    CompleteEnv::with_factory(|| with_values(super::messages::help::command())).var(VARIABLE).complete();
}

/// The command line with what completes its values.
pub fn with_values(mut command: Command) -> Command {
    for (path, argument, values) in BY_ASKING {
        let way: Vec<&str> = path.split(' ').collect();
        command = complete(command, &way, argument, *values);
    }
    command
}

fn complete(command: Command, way: &[&str], argument: &str, values: Values) -> Command {
    match way.split_first() {
        Some((first, rest)) => {
            let (first, rest, argument) = ((*first).to_owned(), rest.to_vec(), argument.to_owned());
            command.mut_subcommand(first, |inner| complete(inner, &rest, &argument, values))
        }
        // One by one, which keeps their order.
        None => command.mut_args(|known| match known.get_id() == argument {
            true => known.add(ArgValueCompleter::new(values)),
            false => known,
        }),
    }
}

fn settings() -> Option<Settings> {
    Home::locate().ok()?.settings().ok()
}

fn repo() -> Option<Repo> {
    Repo::open(&Home::locate().ok()?, Access::Read, None, &Silent).ok()
}

/// Those that begin with what is typed.
fn beginning<'a>(
    typed: &OsStr,
    values: impl IntoIterator<Item = (String, Option<String>)> + 'a,
) -> Vec<CompletionCandidate> {
    let typed = typed.as_encoded_bytes().to_vec();
    let fitting = values.into_iter().filter(|(value, _)| value.as_bytes().starts_with(&typed));
    fitting.map(|(value, help)| CompletionCandidate::new(value).help(help.map(Into::into))).collect()
}

fn destinations(typed: &OsStr) -> Vec<CompletionCandidate> {
    let settings = settings().unwrap_or_default();
    let named = settings.destinations.iter().map(|(name, path)| (name.clone(), Some(names::path(path))));
    beginning(typed, named.collect::<Vec<_>>())
}

fn sources(typed: &OsStr) -> Vec<CompletionCandidate> {
    let sources = settings().unwrap_or_default().sources;
    beginning(typed, sources.iter().map(|source| (source.path.display().to_string(), None)).collect::<Vec<_>>())
}

fn keys(typed: &OsStr) -> Vec<CompletionCandidate> {
    let settings = settings().unwrap_or_default();
    let named = settings.destinations.iter().map(|(name, _)| format!("{DESTINATION_PREFIX}{name}"));
    let all = Settings::key_names().map(str::to_owned).chain(named);
    beginning(typed, all.map(|key| (key, None)).collect::<Vec<_>>())
}

fn snapshots(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(repo) = repo() else { return Vec::new() };
    let Ok(known) = repo.snapshots() else { return Vec::new() };
    let latest = repo.resolve_snapshot("latest").ok();
    let newest = latest.map(|newest| ("latest".to_owned(), Some(units::moment(newest.time))));
    let by_id = known.iter().take(SNAPSHOTS).map(|info| (info.id.short(), Some(units::moment(info.time))));
    beginning(typed, newest.into_iter().chain(by_id).collect::<Vec<_>>())
}

/// The keys that open the repository, by their ids.
fn slots(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(report) = repo().and_then(|repo| repo.key_slots().ok()) else { return Vec::new() };
    let removable = report.slots.iter().filter(|slot| !slot.is_removed && !slot.is_in_use);
    let by_id = removable.map(|slot| (slot.id.short(), Some(words::slot_kind(slot.kind))));
    beginning(typed, by_id.collect::<Vec<_>>())
}

/// A snapshot, and after a colon what is in a folder of it.
fn snapshots_and_paths(typed: &OsStr) -> Vec<CompletionCandidate> {
    match paths::snapshot_and_path(typed) {
        Ok((snapshot, Some(path))) => in_snapshot(&snapshot, &path).unwrap_or_default(),
        _ => snapshots(typed),
    }
}

fn snapshots_paths_and_files(typed: &OsStr) -> Vec<CompletionCandidate> {
    use clap_complete::engine::ValueCompleter;
    let mut found = snapshots_and_paths(typed);
    found.extend(PathCompleter::any().complete(typed));
    found
}

fn in_snapshot(snapshot: &str, typed: &Path) -> Option<Vec<CompletionCandidate>> {
    let repo = repo()?;
    let id = repo.resolve_snapshot(snapshot).ok()?.id;
    // What comes after the last slash is the beginning of a name, be it empty or a dot: with one letter more it is a name.
    let bytes = typed.as_os_str().as_encoded_bytes();
    let mut longer = typed.as_os_str().to_owned();
    longer.push("x");
    let folder = Path::new(&longer).parent().unwrap_or(typed);
    let mut found: Vec<(Vec<u8>, bool)> = Vec::new();
    let listed = repo.list_folder(&id, Some(folder), false, &mut |entry| found.push((entry.path, entry.kind == 'd')));
    if listed.is_err() {
        // Above the sources: the next step on the way to each of them.
        found.clear();
        repo.list_folder(&id, None, false, &mut |source| {
            let Some(rest) = source.path.strip_prefix(bytes) else { return };
            let end = rest.iter().position(|&byte| byte == b'/');
            let step = source.path[..bytes.len() + end.unwrap_or(rest.len())].to_vec();
            let step = (step, end.is_some() || source.kind == 'd');
            if !found.contains(&step) {
                found.push(step);
            }
        })
        .ok()?;
    }
    let value = |(path, is_folder): (Vec<u8>, bool)| {
        let slash = if is_folder { "/" } else { "" };
        Some((format!("{snapshot}:{}{slash}", String::from_utf8(path).ok()?), None))
    };
    let whole = format!("{snapshot}:{}", typed.to_str()?);
    Some(beginning(OsStr::new(&whole), found.into_iter().filter_map(value).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::messages::help;

    #[test]
    fn what_is_completed_by_asking_is_there() {
        for (path, argument, _) in BY_ASKING {
            let mut command = &help::command();
            for name in path.split(' ') {
                command = command.find_subcommand(name).unwrap_or_else(|| panic!("there is no {path}"));
            }
            assert!(command.get_arguments().any(|known| known.get_id() == argument), "{path} has no {argument}");
        }
        with_values(help::command()).debug_assert();
    }
}
