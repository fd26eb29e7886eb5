//! Who writes: a random id made in this state folder, bound to this machine, never in `config.yaml`.
//!
//! A copied state folder on another machine must not go on with the same numbers, so the file remembers which machine
//! made it; elsewhere a new writer begins, which names the last snapshot as what it goes on from.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::heads::{HeadStore, hashed};
use super::home::Home;
use crate::error::Error;
use crate::format::id::{SnapshotId, WriterId};
use crate::format::layout::ObjectName;
use crate::format::record::{Extra, Time, WriterRecord};
use crate::format::sealed::ObjectType;
use crate::seal::Keys;
use crate::seal::keys::random;

/// Where it is kept.
const FILE: &str = "writer.json";

/// How far this writer got. Written after each commit, before it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// Its id.
    pub id: WriterId,
    /// Which machine made it.
    fingerprint: String,
    /// The highest sequence number it gave.
    pub sequence: u64,
    /// Its last snapshot, or the one it goes on from.
    pub last_snapshot: Option<SnapshotId>,
    /// The highest version number it ever gave.
    pub version_ceiling: u32,
}

impl Writer {
    /// The writer of this state folder, if there is one.
    pub(super) fn load(home: &Home) -> Result<Option<Self>, Error> {
        // What cannot be read is as good as not there: a new writer goes on from the newest snapshot.
        Ok(home.read_state(FILE)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// The writer that may write here: the one that is known, if this machine made it and no copy of this state folder
    /// writes too, else a new one that goes on from the same snapshot; without any, one that goes on from `parent`.
    pub(super) fn ready(
        home: &Home,
        keys: &Keys,
        known: Option<Self>,
        is_copied: bool,
        parent: Option<SnapshotId>,
        now: Time,
    ) -> Result<Self, Error> {
        match known {
            Some(writer) if writer.fingerprint == fingerprint(home) && !is_copied => Ok(writer),
            Some(elsewhere) => {
                Self::make(home, keys, elsewhere.last_snapshot.or(parent), elsewhere.version_ceiling, now)
            }
            None => Self::make(home, keys, parent, 0, now),
        }
    }

    fn make(
        home: &Home,
        keys: &Keys,
        parent: Option<SnapshotId>,
        version_ceiling: u32,
        now: Time,
    ) -> Result<Self, Error> {
        let id = WriterId::from_bytes(random()?);
        let writer = Self { id, fingerprint: fingerprint(home), sequence: 0, last_snapshot: parent, version_ceiling };
        let record = WriterRecord {
            writer: id,
            created: now,
            machine: home.machine().name(),
            user: user_name(),
            parent,
            extra: Extra::new(),
        };
        let stored = keys.seal_record(
            ObjectType::Writer,
            &record.encode().map_err(|source| Error::Format { object: "writer".to_owned(), source })?,
        )?;
        HeadStore::new(home).put(&ObjectName::Writer(hashed(&stored)), &stored)?;
        writer.save(home)?;
        Ok(writer)
    }

    /// Remembers how far the writer got.
    pub(crate) fn save(&self, home: &Home) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::Usage(error.to_string()))?;
        home.write_state(FILE, &bytes)
    }
}

/// Tells this machine from others; a hash, since the parts are nobody's business.
fn fingerprint(home: &Home) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(home.machine().name().as_bytes()).update(&[0]);
    hasher.update(std::fs::read("/etc/machine-id").unwrap_or_default().as_slice());
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Name of the user. Asked for once: it is that of the process.
pub(crate) fn user_name() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        #[cfg(unix)]
        let name = uzers::get_current_username().map(|name| name.to_string_lossy().into_owned());
        #[cfg(not(unix))]
        let name = std::env::var("USERNAME").ok();
        name.unwrap_or_else(|| "unknown".to_owned())
    })
    .clone()
}
