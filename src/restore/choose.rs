//! Which version of what, from which snapshot, and which path it gets.

use std::path::{Component, Path, PathBuf};

use super::{PlannedItem, RestoreRequest, What, When};
use crate::error::Error;
use crate::format::id::SnapshotId;
use crate::format::record::Time;
use crate::format::snapshot::Snapshot;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::index::IndexReader;
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::{KnownSnapshot, Repo, VersionInfo, numbered, time_of};

/// What was chosen.
pub(super) struct Chosen {
    pub description: String,
    pub snapshot: SnapshotId,
    pub version: Option<u32>,
    pub notes: Vec<String>,
    /// Why it is no measure of what may be deleted, where it is none.
    pub gaps: Option<Gaps>,
    /// Nodes with the absolute path they had.
    pub nodes: Vec<(PathBuf, Node)>,
}

/// Why a snapshot has not everything that was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gaps {
    Partial,
    Chosen,
}

impl Gaps {
    fn of(snapshot: &Snapshot) -> Option<Self> {
        match snapshot.flags {
            flags if flags & Snapshot::CHOSEN != 0 => Some(Self::Chosen),
            _ if snapshot.is_partial() => Some(Self::Partial),
            _ => None,
        }
    }

    /// What is to be known before it is restored.
    pub fn note(self, id: &SnapshotId) -> String {
        let id = id.short();
        match self {
            Self::Partial => {
                format!("Snapshot {id} is partial: what was not read yet is as it was before, or missing.")
            }
            Self::Chosen => {
                format!("Snapshot {id} has what was chosen for it: everything else is as it was before, or missing.")
            }
        }
    }

    /// Why nothing is deleted by it.
    pub fn refusal(self, id: &SnapshotId) -> String {
        let id = id.short();
        match self {
            Self::Partial => format!(
                "snapshot {id} is partial, and --delete would remove what was not read yet; choose another snapshot, or \
                 restore without --delete"
            ),
            Self::Chosen => format!(
                "snapshot {id} has only what was chosen for it, and --delete would remove what was not read; choose \
                 another snapshot, or restore without --delete"
            ),
        }
    }
}

pub(super) fn choose(
    repo: &Repo,
    view: &IndexReader,
    fetcher: &Fetcher<'_>,
    request: &RestoreRequest,
) -> Result<Chosen, Error> {
    match &request.what {
        What::File(path) => file(repo, view, fetcher, path, request.when),
        What::Directory(path) => directory(repo, view, fetcher, path, request.when),
        What::Snapshot(text) => snapshot(repo, view, text, request.when),
    }
}

fn file(repo: &Repo, view: &IndexReader, fetcher: &Fetcher<'_>, path: &Path, when: When) -> Result<Chosen, Error> {
    let versions = repo.versions_with_nodes(view, fetcher, path)?;
    let count = versions.len();
    let chosen = match when {
        When::Version(number) => numbered(path, &versions, number)?,
        When::Latest => versions
            .iter()
            .max_by_key(|(version, _)| {
                // A line counts its versions as it makes them, whatever the clock says; two lines do so each for itself.
                let made = if version.is_own { version.number } else { 0 };
                (version.is_own, version.current, made, version.last_seen, version.number)
            })
            .ok_or_else(|| Error::NotFound { what: format!("{} in any snapshot", path.display()) })?,
        When::Date(date) => {
            let date = time_of(date);
            let known = versions.iter().filter(|(version, _)| version.first_seen <= date);
            let rank = |version: &VersionInfo| (version.is_own, version.last_seen.min(date), version.number);
            known.max_by_key(|(version, _)| rank(version)).ok_or_else(|| Error::NotFound {
                what: format!("{} at or before {}", path.display(), local_time(date)),
            })?
        }
    };
    let (version, node) = chosen;
    let mut notes = Vec::new();
    if !version.is_own {
        notes.push(of_another(path, &version.machine));
    } else if !versions.iter().any(|(version, _)| version.current) {
        notes.push(format!("{} was deleted since; this is what it was before.", path.display()));
    }
    let holder = if version.in_history { "history" } else { "snapshot" };
    Ok(Chosen {
        description: format!(
            "version {} ({count} known), saved {}, {holder} {}",
            version.number,
            local_time(version.first_seen),
            version.snapshot.short()
        ),
        snapshot: version.snapshot,
        version: Some(version.number),
        notes,
        gaps: None,
        nodes: vec![(path.to_owned(), node.clone())],
    })
}

fn directory(repo: &Repo, view: &IndexReader, fetcher: &Fetcher<'_>, path: &Path, when: When) -> Result<Chosen, Error> {
    let (mut own, mut others) = repo.known_by_line(view)?;
    match when {
        When::Version(_) => {
            return Err(Error::Usage("versions are kept of files; restore a folder with --date".to_owned()));
        }
        When::Latest => {}
        When::Date(date) => {
            let date = time_of(date);
            own.retain(|known| known.snapshot.finished <= date);
            others.retain(|known| known.snapshot.finished <= date);
        }
    }
    let bytes = paths::to_bytes(path);
    let mut unread = None;
    for (position, known) in own.iter().chain(&others).enumerate() {
        let Some(node) = repo.node_at(fetcher, &known.snapshot, bytes)? else { continue };
        if node.folder().is_none() {
            if unread.is_some() {
                break;
            }
            return Err(Error::Usage(format!("{} is a file; restore it with --file", path.display())));
        }
        // One that could not be read looks empty; what an older snapshot has of it is better than nothing.
        if node.flags.contains(Flags::UNREAD) {
            unread.get_or_insert((position, known, node));
            continue;
        }
        let mut chosen = folder_of(known, path, node, position);
        if unread.is_some() {
            chosen.notes = vec![format!(
                "{} could not be read for newer snapshots of that time; this is the last that has what was in it.",
                path.display()
            )];
        }
        if position >= own.len() {
            chosen.notes = vec![of_another(path, &known.snapshot.machine)];
        }
        return Ok(chosen);
    }
    if let Some((position, known, node)) = unread {
        return Ok(folder_of(known, path, node, position));
    }
    let as_of = match when {
        When::Date(date) => format!(" at or before {}", local(date)),
        _ => " in any snapshot".to_owned(),
    };
    Err(Error::NotFound { what: format!("{}{as_of}", path.display()) })
}

/// A folder from a snapshot, which is at this position among those of the time.
fn folder_of(known: &KnownSnapshot, path: &Path, node: Node, position: usize) -> Chosen {
    let is_missing_since =
        || format!("{} is not in the newest snapshot of that time; this is the last that has it.", path.display());
    Chosen {
        description: format!("snapshot {}, {}", known.id.short(), local_time(known.snapshot.finished)),
        snapshot: known.id,
        version: None,
        notes: (position > 0).then(is_missing_since).into_iter().collect(),
        gaps: Gaps::of(&known.snapshot),
        nodes: vec![(path.to_owned(), node)],
    }
}

fn snapshot(repo: &Repo, view: &IndexReader, text: &str, when: When) -> Result<Chosen, Error> {
    if when != When::Latest {
        return Err(Error::Usage("a snapshot has its own date; leave out --date and --version".to_owned()));
    }
    let known = repo.resolve(view, text)?;
    let roots = known.snapshot.roots.iter();
    Ok(Chosen {
        description: format!("snapshot {}, {}", known.id.short(), local_time(known.snapshot.finished)),
        snapshot: known.id,
        version: None,
        notes: Vec::new(),
        gaps: Gaps::of(&known.snapshot),
        nodes: roots.map(|root| (paths::from_bytes(&root.path), root.node.clone())).collect(),
    })
}

fn of_another(path: &Path, machine: &str) -> String {
    format!("{} is in no snapshot of this machine; this is what {machine} backed up.", path.display())
}

/// The path each node gets.
pub(super) fn targets(request: &RestoreRequest, nodes: Vec<(PathBuf, Node)>) -> Result<Vec<PlannedItem>, Error> {
    let target = |original: &Path| -> PathBuf {
        let Some(destination) = &request.destination else { return original.to_owned() };
        match &request.what {
            What::Directory(_) => destination.clone(),
            // A folder that exists takes the file under its own name; anything else is the file's new path.
            What::File(_) if destination.is_dir() => destination.join(original.file_name().unwrap_or_default()),
            What::File(_) => destination.clone(),
            What::Snapshot(_) => {
                let below = original.components().filter(|part| matches!(part, Component::Normal(_)));
                destination.join(below.collect::<PathBuf>())
            }
        }
    };
    let item = |(original, node): (PathBuf, Node)| {
        let target = target(&original);
        let anchor = match (&request.destination, &request.what) {
            (Some(destination), What::Snapshot(_)) => destination.clone(),
            _ if node.folder().is_some() => target.clone(),
            _ => target.parent().unwrap_or(Path::new("/")).to_owned(),
        };
        PlannedItem { node, target, anchor, rules: Vec::new() }
    };
    let mut items: Vec<PlannedItem> = nodes.into_iter().map(item).collect();
    // Among other sources of a snapshot it is a problem of the execution, and the others are restored.
    if let [item] = items.as_slice()
        && item.node.flags.contains(Flags::UNREAD)
        && !matches!(item.node.kind, NodeKind::Folder(_))
    {
        return Err(Error::NotFound {
            what: format!("{}: it could not be read when it was backed up", item.target.display()),
        });
    }
    // A source inside another one would be restored twice; the inner one is in the outer one's tree unless it was
    // left out there, and restoring it after the outer one is right in both cases.
    items.sort_by(|left, right| left.target.cmp(&right.target));
    Ok(items)
}

fn local(time: jiff::Timestamp) -> String {
    time.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn local_time(time: Time) -> String {
    jiff::Timestamp::new(time.seconds, 0).map_or_else(|_| "at an unknown time".to_owned(), local)
}
