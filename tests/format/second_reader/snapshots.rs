//! §11 and §18: snapshots and histories, and which one is the newest.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::bytes::Bytes;
use super::keys::{Keys, SNAPSHOT, objects};
use super::records::Node;

/// What this reader needs of a snapshot.
pub struct Snapshot {
    /// Its name.
    pub id: [u8; 32],
    /// Whether it is a history.
    pub is_history: bool,
    writer: [u8; 16],
    sequence: u64,
    finished: (i64, u32),
    pub roots: Vec<(Vec<u8>, Node)>,
}

/// Every snapshot and history of a destination that opens and is not forgotten.
pub fn list(destination: &Path, keys: &Keys, forgotten: &HashSet<[u8; 32]>) -> Result<Vec<Snapshot>, String> {
    let mut found = Vec::new();
    for byte in 0..=255u8 {
        for (_, stored) in objects(&destination.join(format!("snaps/{byte:02x}")))? {
            let record = keys.open_record(SNAPSHOT, &stored);
            let id = *blake3::hash(&stored).as_bytes();
            found.extend(record.and_then(|record| read(id, &record)).ok());
        }
    }
    found.retain(|snapshot| !forgotten.contains(&snapshot.id));
    Ok(found)
}

/// Of the last snapshot of each writer, the one that finished latest.
pub fn newest(snapshots: Vec<Snapshot>) -> Option<Snapshot> {
    let mut last: HashMap<[u8; 16], Snapshot> = HashMap::new();
    for snapshot in snapshots.into_iter().filter(|snapshot| !snapshot.is_history) {
        let order = |snapshot: &Snapshot| (snapshot.sequence, snapshot.finished);
        if last.get(&snapshot.writer).is_none_or(|known| order(known) < order(&snapshot)) {
            last.insert(snapshot.writer, snapshot);
        }
    }
    last.into_values().max_by_key(|snapshot| snapshot.finished)
}

fn read(id: [u8; 32], record: &[u8]) -> Result<Snapshot, String> {
    let mut bytes = Bytes(record);
    bytes.v1()?;
    let (writer, sequence) = (bytes.array()?, bytes.u64()?);
    bytes.optional(|bytes| bytes.take(32))?;
    let (_started, finished) = (bytes.time()?, bytes.time()?);
    let _zone_offset = bytes.i32()?;
    let _names = (bytes.text()?, bytes.text()?);
    let roots = bytes.list(|bytes| {
        let (path, node) = (bytes.byte_string()?, Node::read(bytes)?);
        bytes.optional(|bytes| bytes.take(32))?;
        bytes.time()?;
        for _ in 0..6 {
            bytes.u64()?;
        }
        Ok((path, node))
    })?;
    let flags = bytes.u32()?;
    bytes.list(Bytes::text)?;
    bytes.u32()?;
    bytes.take(32)?;
    bytes.u32()?;
    bytes.additions()?;
    bytes.end()?;
    if sequence == 0 || flags > 7 || roots.iter().any(|(_, node)| !node.name.is_empty()) {
        return Err("a snapshot that breaks a rule".into());
    }
    Ok(Snapshot { id, is_history: flags & 4 != 0, writer, sequence, finished, roots })
}
