//! Is everything there, and is it what was written?
//!
//! - **Structure**, always: on each destination for itself, every tree of every snapshot is read *from it*, and every
//!   chunk is in a pack that is there with the right size. Small objects are read and compared with their names.
//! - **Data**, on request, of all packs or a random share: each is read, compared with its name, every block is opened
//!   and every chunk compared with its id.
//!
//! Nothing is changed, but by [`heal`], which puts right what can be. [`scrub`] looks at a folder without any key.
//!
//! ```
//! use cryptbackup::check::{self, CheckRequest};
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let repo = Repo::open(&home, Access::Read, None, &Silent)?;
//! let request = CheckRequest { read_data: true, ..CheckRequest::default() };
//! let report = check::run(&repo, request.clone(), &Silent)?;
//! for finding in &report.findings {
//!     println!("[{}] {}: {}", finding.destination, finding.object, finding.what);
//! }
//! // The next backup stores again what it needs of packs that are damaged.
//! check::remember(repo, &report)?;
//! if report.has_damage() {
//!     let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//!     let report = check::heal(&mut repo, request, &Silent)?;
//!     println!("{} things healed, {} left", report.healed.len(), report.remaining.len());
//! }
//! assert!(report.packs_read > 0 && !report.has_damage());
//! # Ok(())
//! # }
//! ```

pub mod object;
pub mod scrub;

mod data;
mod heal;
mod meanwhile;
mod small;
mod sound;
mod structure;

use std::collections::BTreeSet;
use std::time::Instant;

use crate::error::Error;
use crate::format::layout::ObjectName;
use crate::replicate::OpenDestination;
use crate::repo::Repo;
use crate::report::{Monitor, Stage};

/// What is named where `dest.id`, the header or a folder is damaged, so that the rest could not be looked at.
const FOLDER: &str = "the folder";

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct CheckRequest {
    /// Read every pack.
    pub read_data: bool,
    /// Read this share of the packs, in percent.
    pub subset_percent: Option<f64>,
    /// Only this destination; all where there is none.
    pub destination: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Something stored is not what it was, or not there.
    Damage,
    /// To be known, and nothing is lost.
    Notice,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// On which destination.
    pub destination: String,
    /// Which object.
    pub object: String,
    /// What is wrong with it, as one sentence without a full stop.
    pub what: String,
    /// How bad it is.
    pub severity: Severity,
    /// The snapshots that need it, as far as that was looked at.
    pub affects: Vec<String>,
    /// The object, where it is one.
    #[serde(skip)]
    pub name: Option<ObjectName>,
}

/// What was looked at on one destination.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct DestinationChecked {
    /// Its name.
    pub name: String,
    /// Snapshots on it.
    pub snapshots: u64,
    /// Packs on it.
    pub packs: u64,
    /// Packs that were read.
    pub packs_read: u64,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Number of findings.
    pub findings: u64,
}

/// Something that was put right.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Healed {
    /// On which destination.
    pub destination: String,
    /// Which object.
    pub object: String,
    /// How, in a few words.
    pub how: String,
}

/// What was found.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct CheckReport {
    /// Snapshots, each counted on every destination it is on.
    pub snapshots: u64,
    /// Packs, each counted on every destination it is on.
    pub packs: u64,
    /// Packs that were read.
    pub packs_read: u64,
    /// Bytes of those.
    pub bytes_read: u64,
    /// What was looked at.
    pub destinations: Vec<DestinationChecked>,
    /// Configured destinations that were not, and why.
    pub unreachable: Vec<(String, String)>,
    /// Everything that was found.
    pub findings: Vec<Finding>,
    /// What was put right.
    pub healed: Vec<Healed>,
    /// What is still wrong after that; nothing where nothing was to be put right.
    pub remaining: Vec<Finding>,
    /// How long it took.
    pub duration_seconds: f64,
}

impl CheckReport {
    /// Whether something stored is damaged or missing.
    pub fn has_damage(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Damage)
    }

    /// Whether damage is left after healing.
    pub fn has_damage_left(&self) -> bool {
        self.remaining.iter().any(|finding| finding.severity == Severity::Damage)
    }
}

/// Collects what is found on one destination, each thing once.
struct Findings<'a> {
    destination: &'a OpenDestination,
    list: Vec<Finding>,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Findings<'a> {
    fn new(destination: &'a OpenDestination) -> Self {
        Self { destination, list: Vec::new(), seen: BTreeSet::new() }
    }

    fn add_object(&mut self, name: ObjectName, what: String, severity: Severity) {
        self.add(name.to_string(), what, severity, None);
    }

    fn add(&mut self, object: String, what: String, severity: Severity, snapshot: Option<String>) {
        if self.seen.insert((object.clone(), what.clone())) {
            let destination = self.destination.name.clone();
            let affects = snapshot.into_iter().collect();
            let name = ObjectName::parse(&object);
            self.list.push(Finding { destination, object, what, severity, affects, name });
            return;
        }
        let known = self.list.iter_mut().find(|known| known.object == object && known.what == what);
        if let (Some(known), Some(snapshot)) = (known, snapshot)
            && !known.affects.contains(&snapshot)
        {
            known.affects.push(snapshot);
        }
    }
}

pub use heal::{heal, remember};

/// Looks at every destination within reach.
///
/// # Errors
/// [`Error::NoDestination`], [`Error::Usage`], [`Error::Interrupted`]. Damage is not an error but a finding.
pub fn run(repo: &Repo, request: CheckRequest, monitor: &dyn Monitor) -> Result<CheckReport, Error> {
    let began = Instant::now();
    if let Some(percent) = request.subset_percent
        && !(percent > 0.0 && percent <= 100.0)
    {
        return Err(Error::Usage(format!("{percent} is not a share: give more than 0 and at most 100 percent")));
    }
    if let Some(name) = &request.destination
        && !repo.settings.destinations.contains_key(name)
    {
        return Err(Error::Usage(format!("there is no destination called `{name}`")));
    }
    let chosen = |name: &String| request.destination.as_ref().is_none_or(|wanted| wanted == name);
    let destinations: Vec<&OpenDestination> =
        repo.destinations.iter().filter(|destination| chosen(&destination.name)).collect();
    if destinations.is_empty()
        && !repo.unreachable.iter().any(|lost| lost.state == crate::repo::DestinationState::Damaged)
    {
        return Err(repo.no_destination());
    }
    monitor.begin(Stage::Checking, None, None);
    let mut report = CheckReport::default();
    for lost in repo.unreachable.iter().filter(|lost| chosen(&lost.name)) {
        if lost.state == crate::repo::DestinationState::Damaged {
            report.findings.push(Finding {
                destination: lost.name.clone(),
                object: FOLDER.to_owned(),
                what: lost.detail.clone(),
                severity: Severity::Damage,
                affects: Vec::new(),
                name: None,
            });
        } else {
            report.unreachable.push((lost.name.clone(), lost.detail.clone()));
        }
    }
    let mut failed = None;
    for destination in destinations {
        match one(repo, &request, destination, monitor) {
            Ok((checked, findings)) => {
                report.snapshots += checked.snapshots;
                report.packs += checked.packs;
                report.packs_read += checked.packs_read;
                report.bytes_read += checked.bytes_read;
                report.findings.extend(findings);
                report.destinations.push(checked);
            }
            // It went away meanwhile; the others are looked at all the same.
            Err(Error::Destination(error)) => {
                report.unreachable.push((destination.name.clone(), error.to_string()));
                failed = Some(error);
            }
            Err(other) => return Err(other),
        }
    }
    if let Some(error) = failed.filter(|_| report.destinations.is_empty()) {
        return Err(error.into());
    }
    report.duration_seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

/// Looks at one destination.
fn one(
    repo: &Repo,
    request: &CheckRequest,
    destination: &OpenDestination,
    monitor: &dyn Monitor,
) -> Result<(DestinationChecked, Vec<Finding>), Error> {
    monitor.current(&destination.name);
    let mut findings = Findings::new(destination);
    for (name, object, what) in &repo.findings {
        if *name == destination.name {
            findings.add(object.clone(), what.clone(), Severity::Damage, None);
        }
    }
    let mut checked = DestinationChecked { name: destination.name.clone(), ..DestinationChecked::default() };
    structure::check(repo, destination, &mut findings, &mut checked, monitor)?;
    let share = match (request.read_data, request.subset_percent) {
        (_, Some(percent)) => Some(percent),
        (true, None) => Some(100.0),
        (false, None) => None,
    };
    if let Some(percent) = share {
        data::check(repo, destination, percent, &mut findings, &mut checked, monitor)?;
    }
    let mut found = findings.list;
    meanwhile::judge(repo, destination, &mut found)?;
    checked.findings = found.len() as u64;
    Ok((checked, found))
}
