//! Is a file on this machine what a recipe says? Read, cut at the stored lengths, and named again.

use std::io::{self, Read};

use super::{PlannedItem, RestoreReport, system};
use crate::error::Error;
use crate::format::BLOCK_RAW_MAX;
use crate::format::id::ChunkKind;
use crate::format::recipe::{Part, Recipe};
use crate::format::tree::{Node, NodeKind};
use crate::monitor::{Monitor, Stage};
use crate::replicate::Fetcher;
use crate::report::{Problem, ProblemKind};
use crate::seal::Keys;
use crate::snapshot::{PartReader, ReadError, TreeWalk};

/// Zeros that a hole reads as.
const ZEROS: usize = 64 << 10;

/// Whether the bytes of `file` are those of `recipe`. Ids are keyed hashes, so nothing has to be fetched.
pub(super) fn is_same(
    fetcher: &Fetcher<'_>,
    keys: &Keys,
    recipe: &Recipe,
    file: &mut std::fs::File,
) -> Result<bool, ReadError> {
    let mut buffer = Vec::new();
    for part in PartReader::new(fetcher, recipe) {
        let is_same = match part? {
            // There is no such chunk.
            Part::Chunk { len, .. } if len as usize > BLOCK_RAW_MAX => false,
            Part::Chunk { id, len } => {
                buffer.resize(len as usize, 0);
                fill(file, &mut buffer) && keys.chunk_id(ChunkKind::Data, &buffer) == id
            }
            Part::Hole { len } => is_zero(file, len, &mut buffer),
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(matches!(file.read(&mut [0]), Ok(0)))
}

/// A read error means that it is not the same: it will be written again.
fn fill(file: &mut std::fs::File, buffer: &mut [u8]) -> bool {
    file.read_exact(buffer).is_ok()
}

fn is_zero(file: &mut std::fs::File, len: u64, buffer: &mut Vec<u8>) -> bool {
    let mut left = len;
    while left > 0 {
        let step = left.min(ZEROS as u64);
        buffer.resize(step as usize, 0);
        if !fill(file, buffer) || buffer.iter().any(|&byte| byte != 0) {
            return false;
        }
        left -= step;
    }
    true
}

/// Reads everything that was restored again.
pub(super) fn verify(
    fetcher: &Fetcher<'_>,
    keys: &Keys,
    item: &PlannedItem,
    monitor: &dyn Monitor,
    report: &mut RestoreReport,
) -> Result<(), Error> {
    monitor.begin(Stage::Checking, None, None);
    let mut check = |below: &[u8], node: &Node| -> Result<(), Error> {
        let NodeKind::File(recipe) = &node.kind else { return Ok(()) };
        let path =
            if below.is_empty() { item.target.clone() } else { item.target.join(crate::paths::from_bytes(below)) };
        // Known already.
        if report.problems.iter().any(|problem| problem.path == path) {
            return Ok(());
        }
        let opened: io::Result<std::fs::File> = system::open_file_below(&item.target, below);
        let wrong = match opened {
            Ok(mut file) => {
                if is_same(fetcher, keys, recipe, &mut file)? {
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
