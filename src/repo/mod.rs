//! Everything of one repository opened together: settings, keys, index, destinations, and who writes.
//!
//! ```text
//! ~/.mybackup/
//!   config.yaml        what the user decided, and the secret of the inline slot
//!   backups.db         the index; may be deleted at any time
//!   state/repo         copies of the repository's heads: header, key slots, ring, config, writer
//!   state/writer.json  who writes here, and how far it got
//!   state/destinations.json   which destination belongs to which name
//!   state/exported.json       inline keys of which a person has a copy
//!   state/seen-…       what each destination showed when it was last seen
//!   state/proofs-…     what was proven to be readable on each, and when
//!   state/growth.json  what their packs took on the days of the last month
//!   state/lock         held by the command that writes
//! ```
//!
//! [`Machine`] is the one door to whatever all of this lies on.
//!
//! What is stored, and what it was:
//!
//! ```
//! use cryptbackup::repo::{Access, Home, Repo};
//! use cryptbackup::report::Silent;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let repo = Repo::open(&home, Access::Read, None, &Silent)?;
//! for snapshot in repo.snapshots()? {
//!     println!("{} by {} on {}", snapshot.id.short(), snapshot.user, snapshot.machine);
//! }
//! let documents = folder.path().join("documents");
//! let latest = repo.resolve_snapshot("latest")?;
//! let mut sizes = Vec::new();
//! repo.list_folder(&latest.id, Some(&documents), true, &mut |entry| sizes.push((entry.kind, entry.size)))?;
//! assert_eq!(sizes, [('-', 11)]);
//!
//! let versions = repo.versions(&documents.join("report.txt"))?;
//! assert!(versions.len() == 1 && versions[0].current);
//! # Ok(())
//! # }
//! ```

pub mod settings;

mod clock;
mod connect;
mod destinations;
mod growth;
mod heads;
mod heal;
mod home;
mod init;
mod kept;
mod keys;
mod lineage;
mod machine;
mod marks;
mod numbers;
mod open;
mod order;
mod proofs;
mod query;
mod rebuild;
mod refresh;
mod rest;
mod said;
mod standing;
mod status;
pub(crate) mod store;
mod trust;
mod unlock;
mod versions;
mod work;
mod writer;

pub use clock::{Clock, time_of};
pub use connect::{ConnectReport, connect, require_destination};
pub use destinations::{Added, Unreachable};
pub use home::Home;
pub use init::{InitReport, InitRequest, Sizes, init};
pub use keys::{KeyChange, KeysReport, NewKey, SlotInfo, new_key_file, new_recovery_words};
pub use lineage::{KnownSnapshot, Lineage, Suspect};
pub use machine::{Machine, RealMachine};
pub(crate) use marks::require_tags;
pub use open::{Access, Repo, Secret};
pub use proofs::PROVEN_DAYS;
pub(crate) use proofs::{Age, Proofs};
pub(crate) use query::absolute;
pub use query::{LsEntry, RootInfo, SnapshotInfo};
pub use rebuild::{RebuildReport, rebuild_index};
pub(crate) use refresh::state_after;
pub use rest::Resting;
pub use standing::Standing;
pub use status::{DestinationStatus, SourceStatus, StatusReport};
pub use trust::RolledBack;
pub use versions::VersionInfo;
pub(crate) use versions::numbered;
pub(crate) use work::walk_options;
pub use writer::Writer;
pub(crate) use writer::user_name;

// What the values of the library are made of, and what is known of snapshots and destinations from below.
pub use crate::destination::place::PlaceKind;
pub use crate::format::FORMAT_VERSION;
pub use crate::format::id::{DestinationId, ObjectHash, RepoId, SnapshotId};
pub use crate::format::record::{ChunkerParameters, Time};
pub use crate::format::slot::SlotKind;
pub use crate::format::snapshot::SuspectSource;
pub use crate::replicate::DestinationState;
pub use crate::snapshot::{Decision, Marks};
