//! §13: which snapshots are forgotten.

use std::collections::HashSet;
use std::path::Path;

use super::bytes::Bytes;
use super::keys::{Keys, MARK, objects};

/// What a mark changes of what is forgotten.
struct Mark {
    /// Sequence and writer.
    order: (u64, [u8; 16]),
    forgets: bool,
    snapshots: Vec<[u8; 32]>,
}

/// The snapshots that are forgotten once all marks of a destination took effect.
pub fn forgotten(destination: &Path, keys: &Keys) -> Result<HashSet<[u8; 32]>, String> {
    let mut marks = Vec::new();
    for byte in 0..=255u8 {
        for (_, stored) in objects(&destination.join(format!("marks/{byte:02x}")))? {
            marks.extend(keys.open_record(MARK, &stored).and_then(|record| read(&record)).ok());
        }
    }
    // Those of one sequence and writer stay in the order of their names.
    marks.sort_by_key(|mark| mark.order);
    let mut forgotten = HashSet::new();
    for mark in marks {
        for id in mark.snapshots {
            if mark.forgets {
                forgotten.insert(id);
            } else {
                forgotten.remove(&id);
            }
        }
    }
    Ok(forgotten)
}

fn read(record: &[u8]) -> Result<Mark, String> {
    let mut bytes = Bytes(record);
    bytes.v1()?;
    let (writer, sequence, made) = (bytes.array()?, bytes.u64()?, bytes.time()?);
    let mut texts = Vec::new();
    let mut mark = Mark { order: (sequence, writer), forgets: false, snapshots: Vec::new() };
    match bytes.byte()? {
        0 => {
            mark.forgets = true;
            if bytes.byte()? > 2 {
                return Err("an unknown reason".into());
            }
            mark.snapshots = bytes.list(|bytes| {
                let id = bytes.array()?;
                bytes.optional(|bytes| bytes.take(16))?;
                bytes.u64()?;
                bytes.optional(|bytes| bytes.take(32))?;
                Ok(id)
            })?;
        }
        1 => mark.snapshots = bytes.list(Bytes::array)?,
        2 => {
            bytes.take(32)?;
            texts = bytes.list(Bytes::text)?;
            texts.extend(bytes.list(Bytes::text)?);
        }
        3 => {
            bytes.take(32)?;
            texts.push(bytes.text()?);
        }
        4 => {
            bytes.take(32)?;
            bytes.truth()?;
        }
        5 => drop(bytes.take(32)?),
        _ => return Err("an unknown action".into()),
    }
    bytes.additions()?;
    bytes.end()?;
    if sequence == 0 || made.1 > 999_999_999 || texts.iter().any(|text| text.len() > 4096) {
        return Err("a mark that breaks a rule".into());
    }
    Ok(mark)
}
