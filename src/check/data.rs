//! Packs read and opened, several at a time.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use super::{CheckedDestination, Findings, Severity};
use crate::error::Error;
use crate::format::layout::ObjectName;
use crate::index::PackInfo;
use crate::monitor::{Monitor, Stage};
use crate::pack::PackReader;
use crate::replicate::OpenDestination;
use crate::repo::Repo;
use crate::seal::Keys;
use crate::seal::keys::random;

/// Packs in memory at once: one a thread.
fn threads() -> usize {
    rayon::current_num_threads().clamp(1, 4)
}

pub(super) fn check(
    repo: &Repo,
    destination: &OpenDestination,
    percent: f64,
    findings: &mut Findings<'_>,
    checked: &mut CheckedDestination,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let packs = choose(repo, destination, percent)?;
    let bytes: u64 = packs.iter().map(|pack| pack.len).sum();
    monitor.begin(Stage::Checking, Some(packs.len() as u64), Some(bytes));
    let queue = Mutex::new(packs.iter());
    let found = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while !monitor.should_stop() {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(pack) = next else { break };
                    let damage = check_pack(&repo.keys, destination, pack);
                    monitor.advance(1, pack.len);
                    if !damage.is_empty() {
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        found.extend(damage.into_iter().map(|what| (pack.id, what)));
                    }
                }
            });
        }
    });
    if monitor.should_stop() {
        return Err(Error::Interrupted);
    }
    checked.packs_read += packs.len() as u64;
    checked.bytes_read += bytes;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort();
    for (id, what) in found {
        findings.add(ObjectName::Pack(id).to_string(), what, Severity::Damage, None);
    }
    Ok(())
}

/// The packs to read: all, or a random share of them, another one every time.
fn choose(repo: &Repo, destination: &OpenDestination, percent: f64) -> Result<Vec<PackInfo>, Error> {
    let seed: [u8; 32] = random()?;
    let mut packs = Vec::new();
    repo.index.reader()?.each_pack(|_, info, presence| -> Result<(), Error> {
        if presence & destination.bit != 0 {
            let hash = blake3::keyed_hash(&seed, info.id.as_bytes());
            let [a, b, ..] = *hash.as_bytes();
            let draw = (f64::from(a) * 256.0 + f64::from(b)) / 65536.0;
            packs.push((draw, info));
        }
        Ok(())
    })?;
    packs.sort_by(|left, right| left.0.total_cmp(&right.0));
    let count = (packs.len() as f64 * percent / 100.0).ceil() as usize;
    packs.truncate(count);
    // In the order of their names, which is that of the folders.
    packs.sort_by_key(|(_, info)| info.id);
    Ok(packs.into_iter().map(|(_, info)| info).collect())
}

/// What is wrong with one pack.
fn check_pack(keys: &Keys, destination: &OpenDestination, pack: &PackInfo) -> Vec<String> {
    let name = ObjectName::Pack(pack.id);
    let bytes = match destination.place.get(&name, None) {
        Ok(bytes) => bytes,
        Err(error) => return vec![error.reason],
    };
    let mut damage = Vec::new();
    if !name.matches(&bytes) {
        damage.push("its bytes do not match its name".to_owned());
    }
    let reader = PackReader::new(keys);
    let opened = match reader.open_bytes(&bytes) {
        Ok(opened) => opened,
        Err(error) => {
            damage.push(format!("it cannot be opened: {error}"));
            return damage;
        }
    };
    for place in opened.blocks() {
        let range = place.offset as usize..(place.offset + u64::from(place.entry.sealed_len)) as usize;
        let sealed = bytes.get(range).map(<[u8]>::to_vec).unwrap_or_default();
        if let Err(error) = reader.open_block(&opened.seal, opened.directory.kind, &place, sealed) {
            damage.push(format!("block {}: {error}", place.number));
        }
    }
    damage
}
