//! Writing again what makes a folder a destination, where it was damaged: `dest.id`, the header, the folders.
//!
//! The three are the same on no two destinations or follow from nothing, so they cannot be fetched like other
//! objects; whoever knows the repository knows what they must say. Nothing is written to a folder of which it is not
//! proven that it is the right one.

use std::path::Path;

use super::open::{self, Identity};
use super::{LocalDestination, OpenError};
use crate::destination::disk::{Disk, Roots};
use crate::destination::{Destination, DestinationError, Settle};
use crate::format::header::{DestinationMark, RepoHeader};
use crate::format::layout::ObjectName;

#[cfg(unix)]
use crate::destination::disk::RealRoots;

/// What proves that a folder is the destination it is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// `dest.id` or the header, whichever can be read.
    Identity,
    /// The caller opened or recognised something there that only this repository has, such as a key ring: the two may
    /// both be lost.
    Keys,
}

impl LocalDestination {
    /// Opens a destination of which [`open`](Self::open) or [`list`](Destination::list) said that it is damaged,
    /// after writing again what is missing or unreadable of `dest.id`, the header and the folders. Returns how many
    /// things were written again.
    ///
    /// A folder whose `dest.id` can be read must be the expected one, and one whose header can be read must be of the
    /// same repository. Where neither can be read and nothing else proves it, nothing is changed, and the error is that of
    /// `open`.
    pub fn mend_at(
        roots: &dyn Roots,
        path: &Path,
        mark: &DestinationMark,
        header: &RepoHeader,
        proof: Proof,
    ) -> Result<(Self, usize), OpenError> {
        let place = path.display().to_string();
        let disk = open::open_root(roots, path, &place)?;
        Self::mend_on(disk, &place, mark, header, proof)
    }

    /// Opens a destination of which `dest.id` or the header is damaged, to read what is left of it. Nothing is written. What
    /// can be read of the two must be what is expected; where that is neither, the caller knows by its keys that it is.
    ///
    /// # Errors
    /// Those of [`open_at`](Self::open_at).
    pub fn salvage_at(
        roots: &dyn Roots,
        path: &Path,
        mark: &DestinationMark,
        header: &RepoHeader,
    ) -> Result<Self, OpenError> {
        let place = path.display().to_string();
        let disk = open::open_root(roots, path, &place)?;
        let found = Identity::read(disk.as_ref(), &place)?;
        match found.expect_mark(disk.as_ref(), &place, Some(mark)) {
            Ok(_) | Err(OpenError::Damaged(_)) => {}
            Err(refusal) => return Err(refusal),
        }
        match &found.header {
            Ok(there) if there.repo != mark.repo => Err(found.damaged(&place, ObjectName::Header, open::OTHER_REPO)),
            Ok(there) => Ok(Self::new(disk, &place, *mark, *there)),
            Err(_) => Ok(Self::new(disk, &place, *mark, *header)),
        }
    }

    /// [`mend_at`](Self::mend_at), on this machine, by what the folder says of itself.
    #[cfg(unix)]
    pub fn mend(path: &Path, mark: &DestinationMark, header: &RepoHeader) -> Result<(Self, usize), OpenError> {
        Self::mend_at(&RealRoots, path, mark, header, Proof::Identity)
    }

    /// [`mend_at`](Self::mend_at), on any disk; `place` is what the root is called.
    pub fn mend_on(
        disk: Box<dyn Disk>,
        place: &str,
        mark: &DestinationMark,
        header: &RepoHeader,
        proof: Proof,
    ) -> Result<(Self, usize), OpenError> {
        let found = Identity::read(disk.as_ref(), place)?;
        if let Err(refusal) = found.expect_mark(disk.as_ref(), place, Some(mark)) {
            let is_proven = found.header.as_ref().map_or(proof == Proof::Keys, |there| there.repo == mark.repo);
            if !matches!(refusal, OpenError::Damaged(_)) || !is_proven {
                return Err(refusal);
            }
        }
        // A readable header of another repository was not caused by damage.
        if found.header.as_ref().is_ok_and(|there| there.repo != mark.repo) {
            return Err(found.damaged(place, ObjectName::Header, open::OTHER_REPO));
        }
        let kept = found.header.as_ref().copied().unwrap_or(*header);
        let mended = Self::new(disk, place, *mark, kept);
        let mut made = Vec::new();
        // A folder that may be lost with the power must not be found by anyone: what is put into it later is lost too.
        let count = mended.write_missing(&found, header, &mut made).inspect_err(|_| mended.take_back_folders(&made))?;
        Ok((mended, count))
    }

    /// Makes the folders that are missing, which are in `made` whatever happens, and writes what cannot be read.
    fn write_missing(
        &self,
        found: &Identity,
        header: &RepoHeader,
        made: &mut Vec<String>,
    ) -> Result<usize, DestinationError> {
        self.make_folders(made)?;
        let mut count = made.len();
        if found.header.is_err() {
            self.replace(&ObjectName::Header, &header.encode())?;
            count += 1;
        }
        if found.mark.is_err() {
            self.replace(&ObjectName::DestinationMark, &self.mark.encode())?;
            count += 1;
        }
        self.settle(Settle::Everything)?;
        Ok(count)
    }
}
