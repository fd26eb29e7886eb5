//! What a scan goes by: the rules, and the previous snapshot.

use super::coverage::Coverage;
use super::recheck::Window;
use super::selection::Selection;
use crate::format::record::Time;
use crate::format::tree::Node;
use crate::replicate::Fetcher;
use crate::source::{ChangePolicy, Owners};

/// What the previous snapshot has of a source.
#[derive(Clone)]
pub(super) struct Previous {
    /// Its root.
    pub node: Node,
    /// When the scan that read it began.
    pub scanned: Time,
    /// What of it may be skipped.
    pub coverage: Coverage,
}

/// How to scan.
pub(super) struct ScanContext<'a> {
    /// Path of the source, as bytes.
    pub root: Vec<u8>,
    /// What to go by.
    pub policy: ChangePolicy,
    /// Reads the previous trees.
    pub fetcher: &'a Fetcher<'a>,
    /// The previous root.
    pub previous: Option<Previous>,
    /// No number up to this is given to a path that is not known, since older snapshots are out of reach.
    pub version_floor: u32,
    /// Which files are read; all where there is none.
    pub selection: Option<&'a Selection>,
    /// Which of the unchanged files are read all the same.
    pub recheck: Option<Window>,
    /// When the run began.
    pub started: Time,
    /// Whether only what is known to have changed is looked at.
    pub is_part: bool,
    /// Names of owners.
    pub owners: &'a Owners,
}
