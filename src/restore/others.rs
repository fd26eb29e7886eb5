//! What is in the folders of the target and not in the snapshot: it goes where a restore is to delete.
//!
//! Nothing goes where something else is mounted. A folder that another file system was mounted on is empty in the
//! snapshot, where sources keep to one or where it was not mounted then. Nor does what the rules of a source leave out:
//! no snapshot would bring it back.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::kept::Kept;
use super::letters::key;
use super::system::{Folder, Mount};
use super::{PlannedItem, RestorePlan};
use crate::error::Error;
use crate::format::recipe::Recipe;
use crate::format::tree::Node;
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::Repo;
use crate::report::{Monitor, Problem, ProblemKind};
use crate::snapshot::{Held, TreeReader};

/// What is to stay in a folder that was there before.
pub(super) struct Others {
    /// Names in the snapshot; none where not all of them are known.
    names: Option<HashSet<Vec<u8>>>,
    mount: Mount,
    is_elsewhere: bool,
}

impl Others {
    /// Of a folder, and the one around it where that was there before too.
    pub fn new(folder: &Folder, recipe: &Recipe, around: Option<&Self>) -> std::io::Result<Self> {
        let mount = folder.mount()?;
        let is_elsewhere = around.is_some_and(|around| around.is_elsewhere || around.mount != mount);
        Ok(Self { names: (recipe.size > 0).then(HashSet::new), mount, is_elsewhere })
    }

    /// Takes note of what the snapshot has; what else is there must not go when it is not known what should be.
    pub fn note<E>(&mut self, node: &Result<Node, E>) {
        match (node, &mut self.names) {
            (Ok(node), Some(names)) => _ = names.insert(node.name.clone()),
            (Ok(_), None) => {}
            (Err(_), names) => *names = None,
        }
    }

    /// Removes everything else, or only counts it; gives each entry with how many were in it and itself, or with why it
    /// stays. What is kept stays in silence.
    pub fn remove(
        &self,
        folder: &Folder,
        path: &Path,
        kept: &mut Kept,
        is_real: bool,
        each: &mut dyn FnMut(PathBuf, Result<u64, String>),
    ) {
        let Some(names) = &self.names else { return };
        let mut present = match folder.names() {
            Ok(present) => present,
            Err(error) => return each(path.to_owned(), Err(format!("it cannot be restored: {error}"))),
        };
        // Where the target ignores case, what was restored can be there under the spelling that it had before.
        let listed: HashSet<&[u8]> = present.iter().map(Vec::as_slice).collect();
        let unlisted = names.iter().filter(|name| !listed.contains(name.as_slice())).map(|name| (key(name), name));
        let unlisted: HashMap<u64, &Vec<u8>> = unlisted.collect();
        let is_stored = |name: &[u8]| {
            let other = if unlisted.is_empty() { None } else { unlisted.get(&key(name)) };
            other.is_some_and(|other| matches!(folder.look_at(other), Ok(Some(_))))
        };
        present.retain(|name| !names.contains(name) && !is_stored(name));
        if self.is_elsewhere {
            if !present.is_empty() {
                let detail = "another file system is mounted there, and nothing in it was deleted";
                each(path.to_owned(), Err(detail.to_owned()));
            }
            return;
        }
        present.sort();
        for name in present {
            let path = path.join(paths::from_bytes(&name));
            let removed = folder.remove_all(&name, path.clone(), is_real, &mut |path| kept.holds(path));
            let why = |error| format!("it is not in the snapshot and cannot be removed: {error}");
            if !matches!(removed, Ok(0)) {
                each(path, removed.map_err(why));
            }
        }
    }
}

/// What a restore would delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Entries, with those in them.
    pub deleted: u64,
    /// What would stay though the snapshot does not have it.
    pub problems: Vec<Problem>,
}

/// Looks what a restore would delete; calls `each` with every such entry, but not with what is in it. Nothing is written.
///
/// # Errors
/// [`Error::Interrupted`], [`Error::Index`], [`Error::Source`] for a pattern of a source that is none.
pub fn deletions(
    repo: &Repo,
    plan: &RestorePlan,
    monitor: &dyn Monitor,
    each: &mut dyn FnMut(&Path),
) -> Result<Deletions, Error> {
    let mut found = Deletions::default();
    if !plan.request.delete {
        return Ok(found);
    }
    let destinations = plan.destinations(repo);
    let view = repo.index.reader()?;
    let fetcher = repo.fetcher_from(&view, &destinations);
    for item in &plan.items {
        look(&fetcher, item, monitor, &mut |path, removed| match removed {
            Ok(count) => {
                found.deleted += count;
                each(&path);
            }
            Err(detail) => found.problems.push(Problem { path, kind: ProblemKind::NotRestored, detail }),
        })?;
    }
    Ok(found)
}

/// Looks at the folders of one item that are there.
fn look(
    fetcher: &Fetcher<'_>,
    item: &PlannedItem,
    monitor: &dyn Monitor,
    each: &mut dyn FnMut(PathBuf, Result<u64, String>),
) -> Result<(), Error> {
    let (Some(recipe), Ok(anchor)) = (item.node.folder(), Folder::open(&item.anchor)) else { return Ok(()) };
    // What is not there, or no folder, has nothing in it.
    let Ok(root) = anchor.enter_below(&item.below()) else { return Ok(()) };
    let Ok(others) = Others::new(&root, recipe, None) else { return Ok(()) };
    let mut path = paths::to_bytes(&item.target).to_vec();
    let mut kept = Kept::new(item)?;
    let mut held = Held::default();
    let mut stack = vec![(root, others, TreeReader::new(fetcher, recipe), path.len())];
    while let Some((folder, others, nodes, path_len)) = stack.last_mut() {
        if monitor.should_stop() {
            return Err(Error::Interrupted);
        }
        path.truncate(*path_len);
        let Some(node) = nodes.next() else {
            others.remove(folder, &paths::from_bytes(&path), &mut kept, false, each);
            stack.pop();
            held.leave();
            continue;
        };
        others.note(&node);
        let Ok(node) = node else { continue };
        let (Some(recipe), Ok(below)) = (node.folder(), folder.enter_existing(&node.name)) else { continue };
        let Ok(below_others) = Others::new(&below, recipe, Some(others)) else { continue };
        if held.enter(nodes).is_ok() {
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            path.extend_from_slice(&node.name);
            stack.push((below, below_others, TreeReader::new(fetcher, recipe), path.len()));
        }
    }
    Ok(())
}
