//! One folder looked at without a key, a state folder or a network: is every file what its name says?
//!
//! Names are hashes, so damage cannot hide. What was deleted as a whole can: that takes a key, or another destination,
//! and `check` finds it.
//!
//! ```
//! use cryptbackup::check::scrub;
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let report = scrub::scrub(&folder.path().join("stick"), &Silent)?;
//! for finding in &report.findings {
//!     println!("{}: {}", finding.object, finding.what);
//! }
//! assert!(report.objects > 0 && !report.has_damage());
//! # Ok(())
//! # }
//! ```

use std::path::Path;
use std::time::Instant;

use super::{Severity, object};
use crate::destination::local::{RawEntry, RawFolder};
use crate::destination::{DestinationErrorKind, LocalDestination};
use crate::error::Error;
use crate::format::layout::{ObjectKind, ObjectName};
use crate::report::{Monitor, Stage};

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ScrubFinding {
    /// Which object, or what else.
    pub object: String,
    /// What is wrong with it, as one sentence without a full stop.
    pub what: String,
    /// How bad it is.
    pub severity: Severity,
}

/// What was found.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct ScrubReport {
    /// Objects that were read.
    pub objects: u64,
    /// Bytes of those.
    pub bytes_read: u64,
    /// Everything that was found.
    pub findings: Vec<ScrubFinding>,
    /// How long it took.
    pub duration_seconds: f64,
}

impl ScrubReport {
    /// Whether something is damaged or missing.
    pub fn has_damage(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Damage)
    }

    fn add(&mut self, object: impl ToString, what: impl ToString, severity: Severity) {
        self.findings.push(ScrubFinding { object: object.to_string(), what: what.to_string(), severity });
    }
}

/// Reads everything in the folder of a destination.
///
/// # Errors
/// [`Error::NoDestination`] where nothing of a destination is there, [`Error::Destination`] where the disk fails,
/// [`Error::Interrupted`]. Damage is not an error but a finding.
pub fn scrub(path: &Path, monitor: &dyn Monitor) -> Result<ScrubReport, Error> {
    let began = Instant::now();
    let nothing = |why: String| Error::NoDestination { tried: vec![(path.display().to_string(), why)] };
    let folder = LocalDestination::open_raw(path).map_err(|error| nothing(error.to_string()))?;
    let mut report = ScrubReport::default();
    let mut objects: Vec<(ObjectName, u64)> = Vec::new();
    let mut missing = Vec::new();
    folder.each(&mut |entry| match entry {
        RawEntry::Object(name, len) => objects.push((name, len)),
        RawEntry::MissingFolder(folder) => missing.push(folder),
        RawEntry::Stranger(path) => report.add(path, "it has no place in a destination", Severity::Notice),
    })?;
    if objects.is_empty() {
        return Err(nothing("there is nothing of a destination in it".to_owned()));
    }
    for folder in missing {
        report.add(folder, "this folder is missing", Severity::Damage);
    }
    what_is_missing(&objects, &mut report);
    let bytes = objects.iter().map(|(_, len)| len).sum();
    monitor.begin(Stage::Checking, Some(objects.len() as u64), Some(bytes));
    for (name, len) in objects {
        if monitor.should_stop() {
            return Err(Error::Interrupted);
        }
        read(&folder, &name, &mut report)?;
        monitor.advance(1, len);
    }
    report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// What every destination has, whatever was backed up.
fn what_is_missing(objects: &[(ObjectName, u64)], report: &mut ScrubReport) {
    for name in [ObjectName::Header, ObjectName::DestinationMark] {
        if !objects.iter().any(|(there, _)| *there == name) {
            report.add(name, "it is missing", Severity::Damage);
        }
    }
    if !objects.iter().any(|(there, _)| *there == ObjectName::Reserve) {
        let what = "the space kept free for cleaning a full disk is gone";
        report.add(ObjectName::Reserve, what, Severity::Notice);
    }
    let has = |is_one: fn(&ObjectName) -> bool| objects.iter().any(|(name, _)| is_one(name));
    if !has(|name| matches!(name, ObjectName::Slot(_))) {
        report.add(ObjectKind::Keys.folder(), "there is no key slot in it", Severity::Damage);
    }
    if !has(|name| matches!(name, ObjectName::Ring(..))) {
        report.add(ObjectKind::Keys.folder(), "there is no key ring in it", Severity::Damage);
    }
    if !has(|name| matches!(name, ObjectName::Config(..))) {
        report.add(ObjectKind::Config.folder(), "there is nothing in it", Severity::Damage);
    }
}

fn read(folder: &RawFolder, name: &ObjectName, report: &mut ScrubReport) -> Result<(), Error> {
    match folder.read(name) {
        Ok(bytes) => {
            report.objects += 1;
            report.bytes_read += bytes.len() as u64;
            for what in object::faults(name, &bytes) {
                report.add(name, what, Severity::Damage);
            }
        }
        // Cleaning may have removed it since it was listed.
        Err(error) if error.kind == DestinationErrorKind::Absent => {}
        Err(error) if error.kind == DestinationErrorKind::Damaged => report.add(name, error.reason, Severity::Damage),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
