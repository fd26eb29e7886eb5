//! Sources that a run does not read: they stay as the last snapshot has them.

use super::coverage::Coverage;
use crate::error::Error;
use crate::format::snapshot::Root;
use crate::index::DestinationBits;
use crate::paths;
use crate::replicate::Fetcher;
use crate::repo::settings::SourceSettings;
use crate::repo::store::Store;
use crate::repo::{Lineage, Repo};

/// The sources of the last snapshot that this run does not read: they stay in the new one.
pub(super) fn carried_roots(
    repo: &Repo,
    sources: &[SourceSettings],
    line: &Lineage,
    fetcher: &Fetcher<'_>,
    reachable: DestinationBits,
    store: &mut Store<'_>,
) -> Result<Vec<Root>, Error> {
    let mut carried = Vec::new();
    for source in &repo.settings.sources {
        if !sources.iter().any(|read| read.path == source.path) {
            carried.extend(carry(paths::to_bytes(&source.path), line, fetcher, reachable, store)?);
        }
    }
    Ok(carried)
}

/// The same of a source that was to be read and could not be: that counts as a problem of it until it is read again.
pub(super) fn carry_unread(
    path: &[u8],
    line: &Lineage,
    fetcher: &Fetcher<'_>,
    reachable: DestinationBits,
    store: &mut Store<'_>,
) -> Result<Option<Root>, Error> {
    let mut root = carry(path, line, fetcher, reachable, store)?;
    if let Some(root) = &mut root {
        root.counts.problems = root.counts.problems.max(1);
    }
    Ok(root)
}

/// The newest root of a source, marked with the snapshot that read it; none where its content is out of reach.
fn carry(
    path: &[u8],
    line: &Lineage,
    fetcher: &Fetcher<'_>,
    reachable: DestinationBits,
    store: &mut Store<'_>,
) -> Result<Option<Root>, Error> {
    let Some((known, root)) = line.root(path) else { return Ok(None) };
    let coverage = Coverage { reachable, whole: known.whole & reachable };
    let Some(lacking) = coverage.lacking_below(fetcher, &root.node)? else { return Ok(None) };
    store.lacking |= lacking;
    Ok(Some(Root { carried_from: root.carried_from.or(Some(known.id)), ..root.clone() }))
}
