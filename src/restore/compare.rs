//! Is what was restored what was stored? Everything is read again.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use super::{PlannedItem, RestoreReport, system};
use crate::error::Error;
use crate::format::tree::{Node, NodeKind};
use crate::replicate::Fetcher;
use crate::report::{Monitor, Problem, ProblemKind, Stage};
use crate::seal::Keys;
use crate::snapshot::{TreeWalk, holds};

/// Reads everything that was restored again.
pub(super) fn verify(
    fetcher: &Fetcher<'_>,
    keys: &Keys,
    item: &PlannedItem,
    monitor: &dyn Monitor,
    report: &mut RestoreReport,
) -> Result<(), Error> {
    monitor.begin(Stage::Checking, None, None);
    // What has its content and lacks something else is looked at too.
    let not_restored = report.problems.iter().filter(|problem| problem.kind != ProblemKind::MetadataNotRestored);
    let known: HashSet<PathBuf> = not_restored.map(|problem| problem.path.clone()).collect();
    let mut check = |below: &[u8], node: &Node| -> Result<(), Error> {
        let NodeKind::File(recipe) = &node.kind else { return Ok(()) };
        let path =
            if below.is_empty() { item.target.clone() } else { item.target.join(crate::paths::from_bytes(below)) };
        if known.contains(&path) {
            return Ok(());
        }
        let opened: io::Result<std::fs::File> = system::open_file_below(&item.target, below);
        let wrong = match opened {
            Ok(mut file) => {
                if holds(fetcher, keys, recipe, &mut file)? {
                    None
                } else {
                    Some("its content is not what was stored".to_owned())
                }
            }
            Err(error) => Some(format!("it cannot be read again: {error}")),
        };
        if let Some(detail) = wrong {
            let problem = Problem { path, kind: ProblemKind::NotRestored, detail };
            monitor.problem(&problem);
            report.problems.push(problem);
        }
        monitor.advance(1, recipe.size);
        Ok(())
    };
    check(b"", &item.node)?;
    if let Some(recipe) = item.node.folder() {
        for (below, node) in TreeWalk::new(fetcher, recipe) {
            if monitor.should_stop() {
                return Err(Error::Interrupted);
            }
            if let Ok(node) = node {
                check(&below, &node)?;
            }
        }
    }
    Ok(())
}
