//! `cryptbackup`: encrypted, deduplicating, incremental backups to several destinations at once.
//!
//! A repository is set up, backed up to and restored from in a few calls:
//!
//! ```
//! use cryptbackup::backup::{self, BackupRequest};
//! use cryptbackup::repo::settings::SourceSettings;
//! use cryptbackup::repo::{self, Access, Home, InitRequest, Repo};
//! use cryptbackup::report::Silent;
//! use cryptbackup::restore::{self, RestoreRequest, What};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let folder = tempfile::tempdir()?;
//!     let documents = folder.path().join("documents");
//!     let file = documents.join("report.txt");
//!     std::fs::create_dir(&documents)?;
//!     std::fs::write(&file, "first words")?;
//!
//!     // A new repository. Whatever opens it is in `config.yaml` in the state folder: a copy belongs somewhere else.
//!     let home = Home::at(folder.path().join("state"));
//!     repo::init(&home, InitRequest::default())?;
//!     home.edit_settings(|settings| {
//!         settings.put_source(SourceSettings::new(&documents));
//!         Ok(())
//!     })?;
//!
//!     // A destination is a folder: one that is made now, or one that is a destination of this repository already.
//!     let mut repo = Repo::open(&home, Access::Write, None, &Silent)?;
//!     repo.add_destination("primary", &folder.path().join("stick"), &Silent)?;
//!
//!     let report = backup::run(&mut repo, BackupRequest::default(), &Silent)?;
//!     assert_eq!((report.files_new, report.copies), (1, 1));
//!
//!     // What is lost comes back where it was.
//!     std::fs::remove_file(&file)?;
//!     let plan = restore::plan(&repo, RestoreRequest::new(What::File(file.clone())), &Silent)?;
//!     let report = restore::execute(&repo, plan, &Silent)?;
//!     assert!(report.problems.is_empty());
//!     assert_eq!(std::fs::read_to_string(&file)?, "first words");
//!     Ok(())
//! }
//! ```
//!
//! | what | where |
//! |---|---|
//! | set up, connect a new machine, settings | [`repo::init`], [`repo::connect`], [`repo::settings`] |
//! | destinations | [`Repo::add_destination`](repo::Repo::add_destination) |
//! | keys: listed, added, removed, rotated | [`Repo::key_slots`](repo::Repo::key_slots), [`repo`] |
//! | back up; the important first; what comes through a pipe | [`backup`], [`backup::smart`], [`backup::stream`] |
//! | restore a file, a folder, a snapshot; by date or version | [`restore`] |
//! | how things stand; snapshots, folders, versions of a file | [`Repo::status`](repo::Repo::status), [`repo`] |
//! | find, compare, list, dump, count what takes the space | [`explore`] |
//! | is everything there and sound; heal; look without a key | [`check`], [`check::heal()`], [`check::scrub`] |
//! | let go by rules, by hand, or one path out of everything | [`clean`], [`clean::hand`], [`clean::purge`] |
//! | bring destinations that were away up to date | [`sync`] |
//! | try whether restores work | [`drill`] |
//! | back up as things change | [`watch`] |
//! | progress, stopping, problems; what ends a run | [`report`], [`error`] |
//!
//! Each of these pages has an example, which works in what the program above leaves: the state folder `state`, the source
//! `documents` with `report.txt`, backed up once and changed since, and the destination `stick`.
//!
//! A verb takes a request and gives a report; where it makes sense to look first, there is a plan between the two.
//! Trouble with a single entry is a [`Problem`](report::Problem) in the report, what ends the whole run an
//! [`Error`](error::Error). The command line is one such program: it uses nothing but the modules in the table. All others
//! are what these are built of, and change with them.
//!
//! The modules stand in the order in which a byte meets them.

pub mod error;
pub mod memory;
pub mod paths;
pub mod report;

// What the bytes mean.
pub mod format;

// The way of a byte.
pub mod source;
pub mod chunk;
pub mod seal;
pub mod destination;
pub mod pack;
pub mod replicate;

// What is remembered.
pub mod spill;
pub mod index;
pub mod snapshot;
pub mod live;
pub mod repo;

// What can be asked for.
pub mod backup;
pub mod restore;
pub mod check;
pub mod clean;
pub mod sync;
pub mod explore;
pub mod drill;

// Who asks.
pub mod watch;
pub mod cli;
