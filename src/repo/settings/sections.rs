//! The sections of `config.yaml`, with the seed's defaults.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::text;

/// Keys that mean nothing to this program, with their values.
pub type Extra = BTreeMap<String, serde_json::Value>;

/// `encryption`. Its debug form does not show the key.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Encryption {
    /// Always AES-256-GCM-SIV; the forerunner's `AES-256-GCM` is read as that.
    #[serde(deserialize_with = "text::read_algorithm")]
    pub algorithm: String,
    /// Secret of the inline slot in base64; absent when only a passphrase opens the repository.
    #[serde(
        serialize_with = "text::write_secret",
        deserialize_with = "text::read_secret",
        skip_serializing_if = "Option::is_none"
    )]
    pub key: Option<Zeroizing<String>>,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The one algorithm data are sealed with.
pub const ALGORITHM: &str = "AES-256-GCM-SIV";

impl Default for Encryption {
    fn default() -> Self {
        Self { algorithm: ALGORITHM.to_owned(), key: None, extra: Extra::new() }
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryption")
            .field("algorithm", &self.algorithm)
            .field("key", &self.key.as_ref().map(|_| super::MASK))
            .field("extra", &self.extra)
            .finish()
    }
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Not at all.
    Off,
    /// A zstd level, 1 to 22.
    Zstd(i32),
}

/// `compression`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Compression {
    /// False stores blocks as they are, whatever the level.
    pub enabled: bool,
    /// Always `zstd`.
    #[serde(deserialize_with = "text::read_compressor")]
    pub algorithm: String,
    /// 1 (fast) to 22 (small), or off.
    #[serde(serialize_with = "text::write_level", deserialize_with = "text::read_level")]
    pub level: Level,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for Compression {
    fn default() -> Self {
        Self { enabled: true, algorithm: "zstd".to_owned(), level: Level::Zstd(3), extra: Extra::new() }
    }
}

/// One of `sources`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceSettings {
    /// The folder, absolute and without `..`.
    #[serde(serialize_with = "text::write_path", deserialize_with = "text::read_source")]
    pub path: PathBuf,
    /// Patterns of what to leave out.
    pub exclude: Vec<String>,
    /// When it was added, as written there.
    pub added_at: String,
    /// Leave out folders marked with a CACHEDIR.TAG.
    #[serde(skip_serializing_if = "is_false")]
    pub exclude_caches: bool,
    /// Leave out what `.gitignore` files say.
    #[serde(skip_serializing_if = "is_false")]
    pub git_ignore: bool,
    /// Leave out files of more bytes.
    #[serde(
        serialize_with = "text::write_optional_size",
        deserialize_with = "text::read_optional_size",
        skip_serializing_if = "Option::is_none"
    )]
    pub exclude_larger_than: Option<u64>,
    /// Do not enter other mounted file systems.
    #[serde(skip_serializing_if = "is_false")]
    pub one_file_system: bool,
    /// Do not take another inode number for a change (network file systems).
    #[serde(skip_serializing_if = "is_false")]
    pub ignore_inode: bool,
    /// Do not take another ctime for a change.
    #[serde(skip_serializing_if = "is_false")]
    pub ignore_ctime: bool,
    /// No folder: a file of this name that streams are stored as. A run that reads folders leaves it as it is.
    #[serde(skip_serializing_if = "is_false")]
    pub stdin: bool,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// `watch`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Watch {
    /// Whether `watch` does anything.
    pub enabled: bool,
    /// Seconds between two backups; at least 1.
    pub interval: u64,
    /// Whether to listen to the file system, not only to the clock.
    pub realtime: bool,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for Watch {
    fn default() -> Self {
        Self { enabled: true, interval: 300, realtime: true, extra: Extra::new() }
    }
}

/// `retention`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// Days for which every version is kept.
    pub keep_days: u32,
    /// Newest versions of each file that are kept whatever their age.
    pub keep_versions: u32,
    /// Days for which versions of deleted files are kept.
    pub keep_deleted_days: u32,
    /// Newest snapshots to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<u32>,
    /// Hours of which the newest snapshot is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_hourly: Option<u32>,
    /// Days of which the newest snapshot is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_daily: Option<u32>,
    /// Weeks of which the newest snapshot is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_weekly: Option<u32>,
    /// Months of which the newest snapshot is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_monthly: Option<u32>,
    /// Years of which the newest snapshot is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_yearly: Option<u32>,
    /// Days for which packs wait before they are deleted from a destination that other machines use too.
    pub grace_days: u32,
    /// Clean after every successful backup.
    pub auto_clean: bool,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep_days: 30,
            keep_versions: 10,
            keep_deleted_days: 365,
            keep_last: None,
            keep_hourly: None,
            keep_daily: None,
            keep_weekly: None,
            keep_monthly: None,
            keep_yearly: None,
            grace_days: 7,
            auto_clean: false,
            extra: Extra::new(),
        }
    }
}

/// `guard`: when a run looks suspect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Guard {
    /// Whether to look at all.
    pub suspect_changes: bool,
    /// The share of known files that have to be changed into what looks random, in percent.
    #[serde(deserialize_with = "text::read_percent")]
    pub changed_percent: u32,
    /// The share of known files that have to be gone, in percent.
    #[serde(deserialize_with = "text::read_percent")]
    pub vanished_percent: u32,
    /// Of a source with fewer files nothing is said.
    pub min_files: u64,
    /// Nor of one with fewer bytes.
    #[serde(serialize_with = "text::write_memory", deserialize_with = "text::read_bytes")]
    pub min_bytes: u64,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            suspect_changes: true,
            changed_percent: 20,
            vanished_percent: 50,
            min_files: 100,
            min_bytes: 10_000_000,
            extra: Extra::new(),
        }
    }
}

/// `priority`: what `backup --smart` takes for important.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Priority {
    /// Whether every backup goes by it, also without `--smart`.
    pub enabled: bool,
    /// Seconds after which what is done becomes a partial snapshot.
    pub partial_interval: u64,
    /// How much it counts when a file was changed, from 0 to 10 times as much as usual.
    pub recency: f64,
    /// How much its size counts.
    pub size: f64,
    /// How much it counts what its name says it is.
    pub kind: f64,
    /// How much it counts how often it changes.
    pub changes: f64,
    /// Patterns of files that are important, whatever their name says.
    pub important: Vec<String>,
    /// Patterns of files that are not.
    pub unimportant: Vec<String>,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for Priority {
    fn default() -> Self {
        Self {
            enabled: false,
            partial_interval: 180,
            recency: 1.0,
            size: 1.0,
            kind: 1.0,
            changes: 1.0,
            important: Vec::new(),
            unimportant: Vec::new(),
            extra: Extra::new(),
        }
    }
}

/// `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusSettings {
    /// Days without a whole backup after which a source is called overdue; 0 for never.
    pub warn_days: u32,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for StatusSettings {
    fn default() -> Self {
        Self { warn_days: 7, extra: Extra::new() }
    }
}

/// `limits`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Bytes of memory to stay under.
    #[serde(serialize_with = "text::write_memory", deserialize_with = "text::read_memory")]
    pub memory: u64,
    /// Number of worker threads; nothing means one per core.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "text::read_threads")]
    pub threads: Option<usize>,
    /// Bytes per second that may be written, by name of the destination.
    #[serde(
        serialize_with = "text::write_rates",
        deserialize_with = "text::read_rates",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub upload: BTreeMap<String, u64>,
    /// Unknown keys.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 96 << 20, threads: None, upload: BTreeMap::new(), extra: Extra::new() }
    }
}
