//! Names that the target takes for one. Where it ignores case, the second of two files would take the place of the first,
//! and what is in two folders would come together in one, both in silence.

use std::collections::HashMap;

use super::{Folder, Frame, Walk};
use crate::error::Error;
use crate::format::tree::{Flags, Node, NodeKind};
use crate::paths;
use crate::report::ProblemKind;
use crate::restore::letters::key;

/// From so many names on it is asked whether they have to be remembered.
const NAMES_MAX: usize = 8192;
/// How many of them are looked for then: some may not have been restored.
const TRIES: usize = 64;

/// The names in one folder of which there may be another spelling; none where the folder tells them apart.
pub(super) struct Spellings(Option<HashMap<u64, Vec<u8>>>);

impl Spellings {
    /// None yet. A folder that is made now does as the one around it.
    pub fn new(is_new: bool, around: Option<&Self>) -> Self {
        let is_told_apart = is_new && around.is_some_and(|around| around.0.is_none());
        Self((!is_told_apart).then(HashMap::new))
    }

    /// Takes note of a name; gives the one that was met before and differs from it only in case.
    fn note(&mut self, folder: &Folder, name: &[u8]) -> Option<Vec<u8>> {
        let names = self.0.as_mut()?;
        let key = key(name);
        if let Some(first) = names.get(&key) {
            return Some(first.clone());
        }
        // They come in order: one of small letters alone comes after its other spellings.
        if name.iter().any(|byte| !byte.is_ascii() || byte.is_ascii_uppercase()) {
            names.insert(key, name.to_vec());
            if names.len() >= NAMES_MAX && names.len().is_power_of_two() {
                let is_there = |name: &&Vec<u8>| matches!(folder.look_at(name), Ok(Some(_)));
                let there = names.values().take(TRIES).find(is_there).cloned();
                there.into_iter().for_each(|name| self.look(folder, &name));
            }
        }
        None
    }

    /// Looks whether a name that is there is there under another spelling too: where it is not, names are told apart.
    pub fn look(&mut self, folder: &Folder, name: &[u8]) {
        let other = name.iter().map(|byte| if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { *byte });
        let other: Vec<u8> = other.collect();
        if self.0.is_some() && other != name && matches!(folder.look_at(&other), Ok(None)) {
            self.0 = None;
        }
    }

    /// Whether two names, the first of which was restored, are those of one entry.
    fn are_one(&mut self, folder: &Folder, first: &[u8], second: &[u8]) -> bool {
        let is_there = |name| matches!(folder.look_at(name), Ok(Some(_)));
        if !is_there(first) {
            return false;
        }
        // Inodes are not told everywhere as they are: what is one is listed once.
        let is_listed = |names: Vec<Vec<u8>>| [first, second].iter().all(|name| names.iter().any(|it| it == name));
        let are_one = is_there(second) && !folder.names().is_ok_and(is_listed);
        if !are_one && first.eq_ignore_ascii_case(second) {
            self.0 = None;
        }
        are_one
    }
}

impl Walk<'_, '_> {
    /// Whether the name of an entry is that of another one already, which was restored before; then that stays.
    pub(super) fn is_taken(&mut self, frame: &mut Frame<'_>, path: &[u8], node: &Node) -> Result<bool, Error> {
        if node.flags.contains(Flags::UNREAD) || matches!(node.kind, NodeKind::Socket) {
            return Ok(false);
        }
        let Some(first) = frame.spellings.note(&frame.folder, &node.name) else { return Ok(false) };
        // It may wait to be written.
        self.flush()?;
        if !frame.spellings.are_one(&frame.folder, &first, &node.name) {
            return Ok(false);
        }
        let first = paths::from_bytes(&first);
        let detail = format!(
            "the target ignores case, and `{}` is in its place already; restore it to another target",
            first.display()
        );
        self.problem(paths::from_bytes(path), ProblemKind::NotRestored, detail);
        Ok(true)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::backup::{self, BackupRequest};
    use crate::repo::settings::SourceSettings;
    use crate::repo::{self, Access, Home, InitRequest, Repo};
    use crate::report::Silent;
    use crate::restore::{self, RestoreReport, RestoreRequest, What};

    const IGNORING: &str = "ignoring case";

    /// A repository with one backup of these files.
    fn stored(folder: &tempfile::TempDir, files: &[&str]) -> (Repo, PathBuf) {
        let (home, source) = (Home::at(folder.path().join("home")), folder.path().join("source"));
        repo::init(&home, InitRequest::default()).expect("a new repository");
        for file in files {
            let path = source.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
            fs::write(path, format!("of {file}")).expect("written");
        }
        let add = |settings: &mut repo::settings::Settings| Ok(settings.put_source(SourceSettings::new(&source)));
        home.edit_settings(add).expect("the settings");
        let mut repo = Repo::open(&home, Access::Write, None, &Silent).expect("opened");
        repo.add_destination("primary", &folder.path().join("primary"), &Silent).expect("a destination");
        backup::run(&mut repo, BackupRequest::default(), &Silent).expect("a backup");
        (repo, source)
    }

    fn restored(repo: &Repo, source: &std::path::Path, target: PathBuf) -> RestoreReport {
        restored_with(repo, source, target, false)
    }

    fn restored_with(repo: &Repo, source: &std::path::Path, target: PathBuf, delete: bool) -> RestoreReport {
        let what = What::Directory(source.to_owned());
        let request = RestoreRequest { destination: Some(target), delete, ..RestoreRequest::new(what) };
        let plan = restore::plan(repo, request, &Silent).expect("a plan");
        restore::execute(repo, plan, &Silent).expect("restored")
    }

    fn said(report: &RestoreReport) -> Vec<(PathBuf, &str)> {
        report.problems.iter().map(|problem| (problem.path.clone(), problem.detail.as_str())).collect()
    }

    #[test]
    fn where_the_target_ignores_case_the_first_spelling_stays_and_the_others_are_problems() {
        let folder = tempfile::tempdir().expect("a folder");
        let files =
            ["Docs/one", "README", "docs/two", "other/NOTE", "other/Note", "other/plain", "readme", "readme too"];
        let (repo, source) = stored(&folder, &files);
        let target = folder.path().join(IGNORING);
        let in_place = |name: &str| {
            format!("the target ignores case, and `{name}` is in its place already; restore it to another target")
        };
        let (docs, readme, note) = (in_place("Docs"), in_place("README"), in_place("NOTE"));
        let expected = [
            (target.join("docs"), docs.as_str()),
            (target.join("other/Note"), &note),
            (target.join("readme"), &readme),
        ];
        // Into a new folder, and into what is there then.
        for round in 0..2 {
            let report = restored(&repo, &source, target.clone());
            assert_eq!(said(&report), expected, "{round}");
            for kept in ["Docs/one", "README", "other/NOTE", "other/plain", "readme too"] {
                let content = fs::read_to_string(target.join(kept)).expect("restored");
                assert_eq!(content, format!("of {kept}"), "{round}");
                fs::write(target.join(kept), "changed since").expect("written");
            }
            assert!(!target.join("Docs/two").exists() && !target.join("docs").exists(), "{round}");
        }
        // What was there before under yet another spelling is replaced once.
        fs::rename(target.join("README"), target.join("ReadMe")).expect("renamed");
        assert_eq!(said(&restored(&repo, &source, target.clone())), expected);
        assert_eq!(fs::read_to_string(target.join("ReadMe")).expect("restored"), "of README");

        let target = folder.path().join("telling apart");
        for _ in 0..2 {
            let report = restored(&repo, &source, target.clone());
            assert_eq!(said(&report), []);
            for file in files {
                assert_eq!(fs::read_to_string(target.join(file)).expect("restored"), format!("of {file}"));
                fs::write(target.join(file), "changed since").expect("written");
            }
        }
    }

    /// What is replaced keeps the spelling that it had.
    #[test]
    fn what_was_there_under_another_spelling_is_not_deleted_once_it_was_restored() {
        let folder = tempfile::tempdir().expect("a folder");
        let (repo, source) = stored(&folder, &["Docs/one", "README"]);
        for (name, left) in [(IGNORING, ["Readme", "docs"]), ("telling apart", ["Docs", "README"])] {
            let target = folder.path().join(name);
            fs::create_dir_all(target.join("docs")).expect("a folder");
            for file in ["Readme", "stray", "docs/stray"] {
                fs::write(target.join(file), "before").expect("written");
            }
            assert_eq!(said(&restored_with(&repo, &source, target.clone(), true)), []);
            let mut there: Vec<_> =
                fs::read_dir(&target).expect("listed").map(|entry| entry.expect("one").file_name()).collect();
            there.sort();
            assert_eq!(there, left, "{name}");
            let [readme, docs] = if name == IGNORING { left } else { ["README", "Docs"] };
            assert_eq!(fs::read_to_string(target.join(readme)).expect("restored"), "of README");
            assert_eq!(fs::read_dir(target.join(docs)).expect("listed").count(), 1);
        }
    }

    fn folder(path: &std::path::Path) -> Folder {
        Folder::open_target(path).expect("opened").folder
    }

    #[test]
    fn two_names_are_one_where_both_are_found_and_not_both_are_listed() {
        let dir = tempfile::tempdir().expect("a folder");
        let (ignoring, other) = (dir.path().join(IGNORING), dir.path().join("telling apart"));
        for (path, are_one) in [(&ignoring, true), (&other, false)] {
            let folder = folder(path);
            let mut spellings = Spellings::new(true, None);
            assert_eq!(spellings.note(&folder, b"README"), None);
            assert_eq!(spellings.note(&folder, b"plain"), None);
            assert_eq!(spellings.note(&folder, b"readme").as_deref(), Some(&b"README"[..]));
            assert!(!spellings.are_one(&folder, b"README", b"readme"), "what was not restored is in nobody's way");
            fs::write(path.join("README"), "").expect("written");
            assert_eq!(spellings.are_one(&folder, b"README", b"readme"), are_one);
            assert_eq!(spellings.0.is_some(), are_one, "what is told apart need not be remembered");
            assert_eq!(Spellings::new(true, Some(&spellings)).0.is_some(), are_one);
            assert!(Spellings::new(false, Some(&spellings)).0.is_some(), "something else may be mounted there");
        }
        // Two names of one inode are two entries.
        fs::hard_link(other.join("README"), other.join("readme")).expect("a link");
        assert!(!Spellings::new(true, None).are_one(&folder(&other), b"README", b"readme"));
    }

    #[test]
    fn many_names_are_remembered_only_where_they_have_to_be() {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, has_to) in [(IGNORING, true), ("telling apart", false)] {
            let path = dir.path().join(name);
            let folder = folder(&path);
            let mut spellings = Spellings::new(true, None);
            (0..NAMES_MAX / 2)
                .for_each(|number| assert_eq!(spellings.note(&folder, format!("IMG_{number}").as_bytes()), None));
            assert!(spellings.0.is_some(), "nothing is known yet");
            fs::create_dir(path.join("Docs")).expect("a folder");
            spellings.look(&folder, b"2026");
            assert!(spellings.0.is_some(), "it has one spelling");
            spellings.look(&folder, b"Docs");
            assert_eq!(spellings.0.is_some(), has_to);
        }
        let path = dir.path().join("telling apart");
        let folder = folder(&path);
        let mut spellings = Spellings::new(true, None);
        for number in 0..NAMES_MAX {
            assert!(spellings.0.is_some());
            let name = format!("IMG_{number}");
            fs::write(path.join(&name), "").expect("written");
            spellings.note(&folder, name.as_bytes());
        }
        assert!(spellings.0.is_none());
    }
}
