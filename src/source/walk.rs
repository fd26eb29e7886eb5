//! The walk: one source as an ordered stream of [`Event`]s.
//!
//! Folders are opened relative to the folder they are in, so depth and length of paths have no limit; of a deep chain
//! only the last [`OPEN_FOLDERS`] stay open, and the others are opened again on the way back, through `..`, if that
//! still is the same folder.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use super::changes::Part;
use super::names::{Hint, Names};
use super::rules::{GIT_IGNORE_FILE, IGNORE_FILE, IGNORE_FILE_LEN_MAX, Rules, parse_ignore_file};
use super::system::{self, Folder};
use super::{Changes, Entry, EntryKind, Event, Excludes, FolderIdentity, SourceError, Stat, problem_of};
use crate::report::{Problem, ProblemKind};

/// How many folders of one chain are held open.
const OPEN_FOLDERS: usize = 64;

/// What marks a folder whose content can be made again.
pub(super) const CACHE_TAG: &[u8] = b"CACHEDIR.TAG";
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// What to walk and what to leave out. Nothing of it applies to the root itself, which someone asked for by name.
#[derive(Debug, Clone, Default)]
pub struct WalkOptions {
    /// The source: a folder, or a single file. A link here is stored as a link.
    pub root: PathBuf,
    /// Patterns, see [`Excludes`].
    pub excludes: Vec<String>,
    /// Leave out what is in folders with a valid `CACHEDIR.TAG`, but for that file.
    pub exclude_caches: bool,
    /// Leave out what is in folders of other file systems; the folders themselves are kept, to mount on after a
    /// restore. A btrfs subvolume counts as a file system.
    pub one_file_system: bool,
    /// Leave out what `.gitignore` files say, where `.cryptbackupignore` files beside or below them say nothing.
    pub git_ignore: bool,
    /// Leave out files of more bytes.
    pub bytes_max: Option<u64>,
    /// Folders to leave out without a trace: the destinations and the state folder.
    pub skip_folders: Vec<FolderIdentity>,
    /// Go only where something is known to have changed; everywhere, where that is not known.
    pub changes: Option<Changes>,
}

/// Walks one source. See [`Event`] for the order.
#[derive(Debug)]
pub struct Walk {
    exclude_caches: bool,
    one_file_system: bool,
    git_ignore: bool,
    bytes_max: Option<u64>,
    skip_folders: Vec<FolderIdentity>,
    excludes: Excludes,
    root_device: u64,
    /// The folders entered and not left, outermost first.
    levels: Vec<Level>,
    /// Path of the innermost of them.
    path: PathBuf,
    /// What comes before anything else.
    pending: VecDeque<Event>,
    /// The folder given last, if it was not entered.
    beside: Option<Entry>,
    excluded: u64,
}

/// A folder that was entered.
#[derive(Debug)]
struct Level {
    /// `None` while closed; or lost, when it could not be opened again.
    folder: Option<Folder>,
    identity: FolderIdentity,
    names: Names,
    /// What of it is looked at; none where everything is.
    part: Option<Part>,
    /// Those of its ignore files, the one that decides first.
    rules: Vec<Rules>,
    /// Length of its path in bytes.
    path_len: usize,
}

/// Why a folder is not walked into.
enum Barrier {
    Own,
    OtherFileSystem,
}

impl Walk {
    /// Looks at the root and lists it.
    ///
    /// # Errors
    /// [`SourceError`] when there is nothing to walk.
    pub fn new(options: WalkOptions) -> Result<Self, SourceError> {
        let not_readable = |path: &Path, source| SourceError::NotReadable { path: path.to_path_buf(), source };
        let given = options.root.as_path();
        // Taken apart and put together, so that a slash at the end does not follow a link.
        let root: PathBuf =
            std::path::absolute(given).map_err(|error| not_readable(given, error))?.components().collect();
        let excludes = Excludes::new(&options.excludes, &root)?;
        let (kind, stat) = match system::look_at(&root) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(SourceError::Missing { path: root });
            }
            Err(error) => return Err(not_readable(&root, error)),
        };
        let mut walk = Self {
            exclude_caches: options.exclude_caches,
            one_file_system: options.one_file_system,
            git_ignore: options.git_ignore,
            bytes_max: options.bytes_max,
            skip_folders: options.skip_folders,
            excludes,
            root_device: stat.dev,
            levels: Vec::new(),
            path: PathBuf::new(),
            pending: VecDeque::new(),
            beside: None,
            excluded: 0,
        };
        let mut entry = Entry { name: Vec::new(), path: root, kind, stat };
        if entry.kind != EntryKind::Folder {
            walk.pending.push_back(Event::Leaf(entry));
            return Ok(walk);
        }
        if walk.skip_folders.contains(&stat.identity()) {
            return Err(SourceError::OwnFolder { path: entry.path });
        }
        let opened = Folder::open(&entry.path).and_then(|folder| Ok((folder.stat()?, folder)));
        let (stat, folder) = opened.map_err(|error| not_readable(&entry.path, error))?;
        entry.stat = stat;
        walk.root_device = stat.dev;
        let part = options.changes.filter(|changes| !changes.is_everything()).map(Changes::into_root);
        let event = walk.enter(entry.clone(), folder, part).map_err(|error| not_readable(&entry.path, error))?;
        walk.pending.push_front(event);
        Ok(walk)
    }

    /// How many entries were left out so far. What is in an excluded folder is not looked at and not counted.
    pub fn excluded(&self) -> u64 {
        self.excluded
    }

    /// The root, where it is no folder and was not given yet.
    pub fn leaf(&self) -> Option<&Entry> {
        match self.pending.front() {
            Some(Event::Leaf(entry)) => Some(entry),
            _ => None,
        }
    }

    /// What the next name of the innermost folder is; `None` when it is left out.
    fn visit(&mut self, name: Vec<u8>, hint: Hint) -> Option<Event> {
        let mut path = PathBuf::with_capacity(self.path.as_os_str().len() + 1 + name.len());
        path.push(&self.path);
        path.push(system::component(&name));
        // What is excluded is not even looked at, as far as the listing allows.
        if hint != Hint::Unknown && self.is_excluded(&path, hint == Hint::Folder) {
            self.excluded += 1;
            return None;
        }
        let found = match self.levels.last().and_then(|level| level.folder.as_ref()) {
            Some(folder) => folder.look(&name),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "its folder was moved away")),
        };
        let (kind, stat) = match found {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_passing() => {
                return Some(Event::Gone { name });
            }
            Err(error) => {
                let problem = problem_of(&path, "it cannot be looked at", &error);
                return Some(Event::Unreadable { name, path, entry: None, problem });
            }
        };
        if hint == Hint::Unknown && self.is_excluded(&path, kind == EntryKind::Folder) {
            self.excluded += 1;
            return None;
        }
        if kind == EntryKind::File && self.bytes_max.is_some_and(|most| stat.size > most) {
            self.excluded += 1;
            return None;
        }
        let entry = Entry { name, path, kind, stat };
        if entry.kind != EntryKind::Folder {
            return Some(Event::Leaf(entry));
        }
        let Some(part) = self.levels.last_mut().and_then(|level| level.part.as_mut()) else {
            return self.visit_folder(entry, None);
        };
        match part.below.remove(&entry.name) {
            Some(part) => self.visit_folder(entry, Some(part).filter(|part| !part.is_whole)),
            None => {
                self.beside = Some(entry.clone());
                Some(Event::Beside(entry))
            }
        }
    }

    /// Enters the folder that [`Event::Beside`] gave last after all, with everything in it; `None` when it is left out.
    pub fn descend(&mut self) -> Option<Event> {
        let entry = self.beside.take()?;
        self.visit_folder(entry, None)
    }

    /// Whether the innermost folder was not listed.
    fn is_passing(&self) -> bool {
        self.levels.last().and_then(|level| level.part.as_ref()).is_some_and(|part| !part.is_listed)
    }

    fn visit_folder(&mut self, mut entry: Entry, part: Option<Part>) -> Option<Event> {
        // Asked before it is opened, because that alone can hang on a dead network file system.
        match self.barrier(&entry.stat) {
            Some(Barrier::Own) => {
                self.excluded += 1;
                return None;
            }
            Some(Barrier::OtherFileSystem) => return Some(self.enter_empty(entry)),
            None => {}
        }
        let opened = match self.levels.last().and_then(|level| level.folder.as_ref()) {
            Some(folder) => folder.child(&entry.name).and_then(|child| Ok((child.stat()?, child))),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        let (stat, folder) = match opened {
            Ok(opened) => opened,
            Err(error) => return Some(cannot_list(entry, &error)),
        };
        // And again, because opening may have mounted something, or it is another folder by now.
        entry.stat = stat;
        match self.barrier(&stat) {
            Some(Barrier::Own) => {
                self.excluded += 1;
                return None;
            }
            Some(Barrier::OtherFileSystem) => return Some(self.enter_empty(entry)),
            None => {}
        }
        match self.enter(entry.clone(), folder, part) {
            Ok(event) => Some(event),
            Err(error) => Some(cannot_list(entry, &error)),
        }
    }

    fn barrier(&self, stat: &Stat) -> Option<Barrier> {
        if self.skip_folders.contains(&stat.identity()) {
            Some(Barrier::Own)
        } else if self.one_file_system && stat.dev != self.root_device {
            // Only folders are asked: an overlay shows files under the device of the layer they are in.
            Some(Barrier::OtherFileSystem)
        } else {
            None
        }
    }

    /// Lists `folder`, or takes the names in it that something is known of, reads its rules and makes it the innermost.
    fn enter(&mut self, entry: Entry, folder: Folder, part: Option<Part>) -> io::Result<Event> {
        let passed = part.as_ref().filter(|part| !part.is_listed);
        let is_passed = passed.is_some();
        let mut names = match passed {
            Some(part) => Names::of(part.below.keys()),
            None => folder.names()?,
        };
        let has = |names: &Names, name: &[u8]| if is_passed { folder.look(name).is_ok() } else { names.contains(name) };
        let is_root = self.levels.is_empty();
        if self.exclude_caches && !is_root && has(&names, CACHE_TAG) && is_cache(&folder) {
            self.excluded += names.keep_only(CACHE_TAG);
        }
        let files = [IGNORE_FILE].into_iter().chain(self.git_ignore.then_some(GIT_IGNORE_FILE));
        let there: Vec<&[u8]> = files.filter(|file| has(&names, file)).collect();
        let rules = there.into_iter().filter_map(|file| self.read_rules(file, &entry.path, &folder)).collect();
        if let Some(level) = self.levels.len().checked_sub(OPEN_FOLDERS).and_then(|far| self.levels.get_mut(far)) {
            level.folder = None;
        }
        self.push(&entry, Some(folder), names, part, rules);
        Ok(if is_passed { Event::Pass(entry) } else { Event::Enter(entry) })
    }

    /// Makes a folder the innermost as if nothing were in it.
    fn enter_empty(&mut self, entry: Entry) -> Event {
        self.excluded += 1;
        self.push(&entry, None, Names::default(), None, Vec::new());
        Event::Enter(entry)
    }

    fn push(&mut self, entry: &Entry, folder: Option<Folder>, names: Names, part: Option<Part>, rules: Vec<Rules>) {
        self.path.clone_from(&entry.path);
        let path_len = entry.path.as_os_str().len();
        self.levels.push(Level { folder, identity: entry.stat.identity(), names, part, rules, path_len });
    }

    fn leave(&mut self) -> Event {
        let left = self.levels.pop().and_then(|level| level.folder);
        if let Some(level) = self.levels.last_mut() {
            self.path.pop();
            if level.folder.is_none() {
                let same = |folder: &Folder| folder.stat().is_ok_and(|stat| stat.identity() == level.identity);
                let above = left.and_then(|folder| folder.parent().ok()).filter(same);
                level.folder = above.or_else(|| Folder::open(&self.path).ok().filter(same));
            }
        }
        Event::Leave
    }

    /// The rules of one of a folder's ignore files. What is wrong with it comes as events right after the folder's `Enter`.
    fn read_rules(&mut self, file: &[u8], folder_path: &Path, folder: &Folder) -> Option<Rules> {
        let path = || folder_path.join(system::component(file));
        let (rules, complaints) = rules_of(folder, file)?;
        self.pending.extend(
            complaints
                .into_iter()
                .map(|detail| Event::Problem(Problem { path: path(), kind: ProblemKind::Unreadable, detail })),
        );
        rules
    }

    /// Whether any rule leaves `path` out.
    fn is_excluded(&self, path: &Path, is_folder: bool) -> bool {
        let levels = self.levels.iter().map(|level| (level.path_len, level.rules.as_slice()));
        is_left_out(levels, &self.excludes, path, is_folder)
    }
}

impl Iterator for Walk {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.pending.pop_front() {
            return Some(event);
        }
        loop {
            let (name, hint) = match self.levels.last_mut()?.names.advance() {
                Some((name, hint)) => (name.to_vec(), hint),
                None => return Some(self.leave()),
            };
            if let Some(event) = self.visit(name, hint) {
                return Some(event);
            }
        }
    }
}

impl std::iter::FusedIterator for Walk {}

/// Whether any rule of the folders around `path`, each with the length of its path, leaves it out. The nearest ignore
/// file that says something decides; the list of the source counts as if it stood above the root.
pub(super) fn is_left_out<'a>(
    levels: impl DoubleEndedIterator<Item = (usize, &'a [Rules])> + Clone,
    excludes: &Excludes,
    path: &Path,
    is_folder: bool,
) -> bool {
    let nearest = levels.clone().rev().find_map(|(path_len, rules)| {
        let below = system::below(path, path_len);
        rules.iter().find_map(|rules| rules.excludes(below, is_folder))
    });
    let from_list = || {
        let (root_len, _) = levels.clone().next().filter(|_| !excludes.is_empty())?;
        excludes.decide(system::below(path, root_len), is_folder)
    };
    nearest.or_else(from_list).unwrap_or(false)
}

/// The rules of an ignore file, and what is wrong with it; `None` where what has its name is no file.
pub(super) fn rules_of(folder: &Folder, file: &[u8]) -> Option<(Option<Rules>, Vec<String>)> {
    match folder.read_file(file, IGNORE_FILE_LEN_MAX + 1) {
        // A link or a folder of that name is an entry like any other.
        Ok(None) => None,
        Ok(Some(bytes)) if bytes.len() as u64 > IGNORE_FILE_LEN_MAX => {
            Some((None, vec!["it is too long for an ignore file and was not applied".to_owned()]))
        }
        Ok(Some(bytes)) => Some(parse_ignore_file(&bytes)),
        Err(error) => Some((None, vec![format!("it cannot be read and was not applied: {error}")])),
    }
}

/// Whether the tag is a regular file that begins with the signature of the Cache Directory Tagging specification.
pub(super) fn is_cache(folder: &Folder) -> bool {
    // A tag that cannot be read does not leave anything out.
    let read = folder.read_file(CACHE_TAG, CACHE_SIGNATURE.len() as u64);
    matches!(read, Ok(Some(bytes)) if bytes == CACHE_SIGNATURE)
}

fn cannot_list(entry: Entry, error: &io::Error) -> Event {
    let mut problem = problem_of(&entry.path, "the folder cannot be listed", error);
    if system::is_not_a_folder(error) {
        problem.kind = ProblemKind::ChangedWhileRead;
    }
    let known = if problem.kind == ProblemKind::Unreadable { Some(entry.clone()) } else { None };
    Event::Unreadable { name: entry.name, path: entry.path, entry: known, problem }
}
