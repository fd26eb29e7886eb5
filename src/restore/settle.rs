//! What was written reaches the disk: a restore that only filled the memory of the system is none.

use std::io;
use std::path::PathBuf;

use super::PlannedItem;
use super::system::Folder;
use crate::report::{Problem, ProblemKind};

/// The file systems that a restore writes to, each with a folder on it and the target it is for.
pub(super) struct Written(Vec<(PathBuf, Folder)>);

impl Written {
    /// Those of the targets, where they are or will be made. What is mounted below a target is not among them.
    pub fn of(items: &[PlannedItem]) -> Self {
        let mut written: Vec<(PathBuf, Folder)> = Vec::new();
        for item in items {
            let Some(folder) = item.anchor.ancestors().find_map(|path| Folder::open(path).ok()) else { continue };
            let Ok(mount) = folder.mount() else { continue };
            if !written.iter().any(|(_, known)| known.mount().is_ok_and(|known| known.is_same_device(mount))) {
                written.push((item.target.clone(), folder));
            }
        }
        Self(written)
    }

    /// Waits until everything is on the disk; gives where it is not.
    pub fn settle(&self, wait: &dyn Fn(&Folder) -> io::Result<()>) -> Vec<Problem> {
        let settle = |(target, folder): &(PathBuf, Folder)| {
            let error = wait(folder).err()?;
            let detail = format!("not everything that was written there is on the disk: {error}");
            Some(Problem { path: target.clone(), kind: ProblemKind::NotRestored, detail })
        };
        self.0.iter().filter_map(settle).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::format::recipe::Recipe;
    use crate::format::record::Extra;
    use crate::format::tree::{Flags, Metadata, Node, NodeKind};

    #[test]
    fn a_file_system_is_waited_for_once_and_its_failure_names_the_target() {
        let folder = tempfile::tempdir().expect("a folder");
        let item = |name: &str| {
            let target = folder.path().join(name);
            let kind = NodeKind::Folder(Recipe::EMPTY);
            let (metadata, flags) = (Metadata::default(), Flags::NONE);
            let node = Node { name: Vec::new(), kind, metadata, version: 0, flags, extra: Extra::new() };
            PlannedItem { node, anchor: target.clone(), target, rules: Vec::new() }
        };
        let written = Written::of(&[item("to be made/below"), item("too")]);
        let asked = Cell::new(0);
        let full = |_: &Folder| {
            asked.set(asked.get() + 1);
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        let problems = written.settle(&full);
        assert_eq!((asked.get(), problems.len()), (1, 1), "{problems:?}");
        assert_eq!(problems[0].path, folder.path().join("to be made/below"));
        assert!(problems[0].detail.starts_with("not everything that was written there"), "{problems:?}");
        assert_eq!(written.settle(&Folder::settle), []);
    }
}
