//! Stands in for the engine until it is merged: the types of the API with bodies that refuse. Deleted then.

use crate::error::Error;

fn not_built<T>() -> Result<T, Error> {
    Err(Error::Usage("not built yet".to_owned()))
}

#[allow(missing_docs)]
pub mod source {
    #[derive(Debug, thiserror::Error)]
    pub enum SourceError {
        #[error("the exclude `{pattern}` is not a valid pattern: {detail}")]
        BadPattern { pattern: String, detail: String },
    }

    pub struct Excludes;

    impl Excludes {
        pub fn validate(patterns: &[String]) -> Result<(), SourceError> {
            match patterns.iter().find(|pattern| pattern.contains('\0')) {
                Some(bad) => Err(SourceError::BadPattern { pattern: bad.clone(), detail: "a NUL".to_owned() }),
                None => Ok(()),
            }
        }
    }

    pub fn split_list(list: &str) -> Vec<String> {
        list.split(',').map(|pattern| pattern.trim().to_owned()).filter(|pattern| !pattern.is_empty()).collect()
    }
}

#[allow(missing_docs)]
pub mod destination {
    pub mod place {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum PlaceKind {
            Local,
            Usb,
            ExternalDisk,
            Nas,
        }

        impl PlaceKind {
            pub const fn icon(self) -> &'static str {
                match self {
                    PlaceKind::Local => "🖥️",
                    PlaceKind::Usb => "🔌",
                    PlaceKind::ExternalDisk => "💽",
                    PlaceKind::Nas => "🌐",
                }
            }
        }
    }
}

#[allow(missing_docs)]
pub mod repo {
    use std::path::{Path, PathBuf};

    use zeroize::Zeroizing;

    use super::destination::place::PlaceKind;
    use super::not_built;
    use crate::error::Error;
    use crate::format::id::{RepoId, SnapshotId};
    use crate::format::record::Time;
    use crate::monitor::Monitor;
    use crate::repo::settings::Settings;

    #[derive(Debug, Clone)]
    pub struct Home(PathBuf);

    impl Home {
        pub fn locate() -> Result<Home, Error> {
            if let Some(path) = std::env::var_os("CRYPTBACKUP_HOME") {
                if path.is_empty() {
                    return Err(Error::Usage("CRYPTBACKUP_HOME is empty".to_owned()));
                }
                return Ok(Home(PathBuf::from(path)));
            }
            match std::env::home_dir() {
                Some(home) => Ok(Home(home.join(".mybackup"))),
                None => Err(Error::Usage("there is no home folder; set CRYPTBACKUP_HOME".to_owned())),
            }
        }

        pub fn at(path: impl Into<PathBuf>) -> Home {
            Home(path.into())
        }

        pub fn path(&self) -> &Path {
            &self.0
        }

        pub fn settings_path(&self) -> PathBuf {
            self.0.join("config.yaml")
        }

        pub fn exists(&self) -> bool {
            self.settings_path().exists()
        }

        /// Fails with what `Repo::open` would say of a state folder that is not ours or not set up.
        pub fn require(&self) -> Result<(), Error> {
            let database = self.0.join("backups.db");
            if std::fs::read(&database).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3")) {
                return Err(Error::ForeignState { path: database, what: "an SQLite database" });
            }
            if self.exists() { Ok(()) } else { Err(Error::NotInitialised { home: self.0.clone() }) }
        }
    }

    pub enum Secret {
        Inline(Zeroizing<String>),
        Passphrase(Zeroizing<String>),
        Words(Zeroizing<String>),
    }

    pub struct InitRequest {
        pub force: bool,
        pub passphrase: Option<Zeroizing<String>>,
        pub recovery: bool,
    }

    pub struct InitReport {
        pub repo: RepoId,
        pub recovery_words: Option<Zeroizing<String>>,
        pub moved_aside: Option<PathBuf>,
    }

    pub fn init(_: &Home, _: InitRequest) -> Result<InitReport, Error> {
        not_built()
    }

    pub struct ConnectReport {
        pub snapshots: usize,
        pub sources: Vec<PathBuf>,
        pub destination_name: String,
    }

    pub fn connect(
        _: &Home,
        _: &Path,
        _: Option<Secret>,
        _: Option<Settings>,
        _: &dyn Monitor,
    ) -> Result<ConnectReport, Error> {
        not_built()
    }

    pub struct RebuildReport {
        pub destinations: Vec<String>,
        pub packs: u64,
        pub chunks: u64,
        pub snapshots: usize,
        pub moved_aside: Option<PathBuf>,
    }

    pub fn rebuild_index(_: &Home, _: Option<Secret>, _: &dyn Monitor) -> Result<RebuildReport, Error> {
        not_built()
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Access {
        Read,
        Write,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Added {
        Created,
        TakenUp,
    }

    pub struct Repo(());

    impl Repo {
        pub fn open(home: &Home, _: Access, _: Option<Secret>, _: &dyn Monitor) -> Result<Repo, Error> {
            if !home.exists() {
                return Err(Error::NotInitialised { home: home.path().to_owned() });
            }
            not_built()
        }

        pub fn settings(&self) -> &Settings {
            unreachable!("a placeholder is never opened")
        }

        pub fn add_destination(&mut self, _: &str, _: &Path, _: &dyn Monitor) -> Result<Added, Error> {
            not_built()
        }

        pub fn forget_destination(&mut self, _: &str) -> Result<(), Error> {
            not_built()
        }

        pub fn accept_destination(&mut self, _: &str) -> Result<(), Error> {
            not_built()
        }

        pub fn status(&self) -> Result<StatusReport, Error> {
            not_built()
        }

        pub fn snapshots(&self) -> Result<Vec<SnapshotInfo>, Error> {
            not_built()
        }

        pub fn resolve_snapshot(&self, _: &str) -> Result<SnapshotInfo, Error> {
            not_built()
        }

        pub fn list_folder(
            &self,
            _: &SnapshotId,
            _: Option<&Path>,
            _: bool,
            _: &mut dyn FnMut(LsEntry),
        ) -> Result<(), Error> {
            not_built()
        }

        pub fn versions(&self, _: &Path) -> Result<Vec<VersionInfo>, Error> {
            not_built()
        }

        pub fn files(&self, _: Option<&str>, _: &mut dyn FnMut(FileInfo)) -> Result<(), Error> {
            not_built()
        }
    }

    #[derive(Debug, Clone)]
    pub struct SourceStatus {
        pub path: PathBuf,
        pub last_good: Option<Time>,
        pub files: u64,
        pub bytes: u64,
        pub problems: u64,
    }

    #[derive(Debug, Clone)]
    pub struct StatusReport {
        pub repo: RepoId,
        pub sources: Vec<SourceStatus>,
        pub destinations: Vec<DestinationStatus>,
        pub snapshots: usize,
        pub files: u64,
        pub bytes_source: u64,
        pub bytes_stored: u64,
        pub last_backup: Option<Time>,
        pub key_exported: bool,
        pub min_copies: usize,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum DestinationState {
        Online,
        Absent,
        WrongDevice,
        ReadOnly,
        Full,
        Weak,
        Damaged,
    }

    #[derive(Debug, Clone)]
    pub struct DestinationStatus {
        pub name: String,
        pub path: PathBuf,
        pub kind: PlaceKind,
        pub state: DestinationState,
        pub detail: Option<String>,
        pub free_bytes: Option<u64>,
        pub snapshots_behind: u64,
        pub last_snapshot: Option<Time>,
    }

    #[derive(Debug, Clone)]
    pub struct RootInfo {
        pub path: PathBuf,
        pub read: bool,
        pub files: u64,
        pub bytes: u64,
    }

    #[derive(Debug, Clone)]
    pub struct SnapshotInfo {
        pub id: SnapshotId,
        pub time: Time,
        pub zone_offset: i32,
        pub machine: String,
        pub user: String,
        pub roots: Vec<RootInfo>,
        pub tags: Vec<String>,
        pub destinations: Vec<String>,
    }

    #[derive(Debug, Clone)]
    pub struct LsEntry {
        pub path: Vec<u8>,
        pub kind: char,
        pub mode: u32,
        pub uid: u32,
        pub user: Option<String>,
        pub gid: u32,
        pub group: Option<String>,
        pub size: u64,
        pub mtime: Time,
        pub link_target: Option<Vec<u8>>,
        pub version: u32,
        pub flags: Vec<&'static str>,
    }

    #[derive(Debug, Clone)]
    pub struct VersionInfo {
        pub number: u32,
        pub first_seen: Time,
        pub last_seen: Time,
        pub snapshot: SnapshotId,
        pub size: u64,
        pub mtime: Time,
        pub deleted_after: bool,
        pub current: bool,
        pub machine: String,
    }

    #[derive(Debug, Clone)]
    pub struct FileInfo {
        pub path: Vec<u8>,
        pub size: u64,
        pub mtime: Time,
        pub version: u32,
        pub deleted: bool,
    }
}

#[allow(missing_docs)]
pub mod backup {
    use std::path::PathBuf;

    use super::destination::place::PlaceKind;
    use super::not_built;
    use super::repo::{DestinationState, Repo};
    use crate::error::Error;
    use crate::format::id::SnapshotId;
    use crate::format::record::Time;
    use crate::monitor::Monitor;
    use crate::report::Problem;

    pub struct BackupRequest {
        pub sources: Vec<PathBuf>,
        pub tags: Vec<String>,
        pub dry_run: bool,
        pub force: bool,
        pub no_sync: bool,
    }

    pub fn run(_: &mut Repo, _: BackupRequest, _: &dyn Monitor) -> Result<BackupReport, Error> {
        not_built()
    }

    #[derive(Debug, Clone)]
    pub struct BackupReport {
        pub snapshot_id: Option<SnapshotId>,
        pub files_new: u64,
        pub files_changed: u64,
        pub files_unmodified: u64,
        pub folders: u64,
        pub excluded: u64,
        pub bytes_read: u64,
        pub bytes_added: u64,
        pub bytes_stored: u64,
        pub problems: Vec<Problem>,
        pub destinations: Vec<DestinationOutcome>,
        pub copies: usize,
        pub duration_seconds: f64,
        pub started: Time,
        pub dry_run: bool,
    }

    #[derive(Debug, Clone)]
    pub struct DestinationOutcome {
        pub name: String,
        pub path: PathBuf,
        pub kind: PlaceKind,
        pub state: DestinationState,
        pub committed: bool,
        pub packs_written: u64,
        pub snapshots_behind: u64,
        pub detail: Option<String>,
    }
}

#[allow(missing_docs)]
pub mod restore {
    use std::path::PathBuf;

    use super::not_built;
    use super::repo::Repo;
    use crate::error::Error;
    use crate::monitor::Monitor;
    use crate::report::Problem;

    #[derive(Debug, Clone, PartialEq)]
    pub enum What {
        File(PathBuf),
        Directory(PathBuf),
        Snapshot(String),
    }

    #[derive(Debug, Clone, PartialEq)]
    pub enum When {
        Latest,
        Date(jiff::Timestamp),
        Version(u32),
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Overwrite {
        Always,
        IfChanged,
        IfNewer,
        Never,
    }

    #[derive(Debug, Clone, PartialEq)]
    pub struct RestoreRequest {
        pub what: What,
        pub when: When,
        pub destination: Option<PathBuf>,
        pub overwrite: Overwrite,
        pub delete: bool,
        pub verify: bool,
        pub from: Option<String>,
    }

    pub struct RestorePlan {
        pub description: String,
        pub files: u64,
        pub bytes: u64,
        pub target: PathBuf,
        pub notes: Vec<String>,
    }

    pub struct RestoreReport {
        pub files_restored: u64,
        pub files_skipped: u64,
        pub folders: u64,
        pub others: u64,
        pub bytes_written: u64,
        pub bytes_skipped: u64,
        pub deleted: u64,
        pub problems: Vec<Problem>,
        pub notes: Vec<String>,
        pub duration_seconds: f64,
    }

    pub fn plan(_: &Repo, _: RestoreRequest, _: &dyn Monitor) -> Result<RestorePlan, Error> {
        not_built()
    }

    pub fn execute(_: &Repo, _: RestorePlan, _: &dyn Monitor) -> Result<RestoreReport, Error> {
        not_built()
    }
}

#[allow(missing_docs)]
pub mod check {
    use super::not_built;
    use super::repo::Repo;
    use crate::error::Error;
    use crate::monitor::Monitor;

    pub struct CheckRequest {
        pub read_data: bool,
        pub subset_percent: Option<f64>,
        pub destination: Option<String>,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Severity {
        Damage,
        Notice,
    }

    #[derive(Debug, Clone)]
    pub struct Finding {
        pub destination: String,
        pub object: String,
        pub what: String,
        pub severity: Severity,
        pub affects: Vec<String>,
    }

    pub struct DestinationChecked {
        pub name: String,
        pub packs: u64,
        pub findings: u64,
    }

    pub struct CheckReport {
        pub snapshots: u64,
        pub trees: u64,
        pub packs: u64,
        pub bytes_read: u64,
        pub findings: Vec<Finding>,
        pub destinations: Vec<DestinationChecked>,
        pub duration_seconds: f64,
    }

    pub fn run(_: &Repo, _: CheckRequest, _: &dyn Monitor) -> Result<CheckReport, Error> {
        not_built()
    }
}

#[allow(missing_docs)]
pub mod sync {
    use super::not_built;
    use super::repo::{DestinationState, Repo};
    use crate::error::Error;
    use crate::monitor::Monitor;

    pub struct SyncRequest {
        pub destination: Option<String>,
    }

    pub struct DestinationSynced {
        pub name: String,
        pub state: DestinationState,
        pub snapshots_copied: u64,
        pub packs_copied: u64,
        pub bytes_copied: u64,
        pub snapshots_behind: u64,
        pub detail: Option<String>,
    }

    pub struct SyncReport {
        pub destinations: Vec<DestinationSynced>,
        pub duration_seconds: f64,
    }

    pub fn run(_: &mut Repo, _: SyncRequest, _: &dyn Monitor) -> Result<SyncReport, Error> {
        not_built()
    }
}
