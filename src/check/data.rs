//! Packs read and opened, several at a time.

use std::sync::{Mutex, PoisonError};

use super::{DestinationChecked, Findings, Severity, object, sound};
use crate::destination::{DestinationError, DestinationErrorKind};
use crate::error::Error;
use crate::format::id::PackId;
use crate::format::layout::ObjectName;
use crate::index::{PackInfo, PackNumber};
use crate::replicate::OpenDestination;
use crate::repo::Repo;
use crate::report::{Monitor, Stage};
use crate::seal::Keys;
use crate::seal::keys::random;

/// With more threads, the same disk is not read faster.
const THREADS_MAX: usize = 4;

pub(super) fn check(
    repo: &Repo,
    destination: &OpenDestination,
    percent: f64,
    findings: &mut Findings<'_>,
    checked: &mut DestinationChecked,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let packs = choose(repo, destination, percent)?;
    let bytes: u64 = packs.iter().map(|(_, pack)| pack.len).sum();
    monitor.begin(Stage::Checking, Some(packs.len() as u64), Some(bytes));
    let queue = Mutex::new(packs.iter());
    let (found, failed) = (Mutex::new(Vec::new()), Mutex::new(None));
    // The same threads for every destination: what the allocator keeps for each of them is kept once.
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(THREADS_MAX) {
            scope.spawn(|_| {
                while !monitor.should_stop() {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((_, pack)) = next else { break };
                    let damage = match check_pack(&repo.keys, destination, pack) {
                        Ok(damage) => damage,
                        Err(error) => {
                            failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                            break;
                        }
                    };
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
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error.into());
    }
    checked.packs_read += packs.len() as u64;
    checked.bytes_read += bytes;
    let mut found: Vec<(PackId, String)> = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort();
    let (whole, damaged): (Vec<_>, Vec<_>) =
        packs.iter().partition(|(_, pack)| found.binary_search_by_key(&pack.id, |(id, _)| *id).is_err());
    let number = |(number, _): &(PackNumber, PackInfo)| *number;
    // What was read was read, also where it cannot be remembered.
    let _ = repo.note_read(destination, whole.into_iter().map(number), damaged.into_iter().map(number));
    for (id, what) in found {
        findings.add_object(ObjectName::Pack(id), what, Severity::Damage);
    }
    Ok(())
}

/// The packs to read: all, or a random share of them, another one every time.
fn choose(repo: &Repo, destination: &OpenDestination, percent: f64) -> Result<Vec<(PackNumber, PackInfo)>, Error> {
    let seed: [u8; 32] = random()?;
    let mut packs = Vec::new();
    let view = repo.index.reader()?;
    view.each_pack(|number, info, presence| -> Result<(), Error> {
        // Also what is known to be damaged: it may have been put right.
        if (presence | view.damaged(number)?) & destination.bit != 0 {
            let hash = blake3::keyed_hash(&seed, info.id.as_bytes());
            let [a, b, ..] = *hash.as_bytes();
            let draw = (f64::from(a) * 256.0 + f64::from(b)) / 65536.0;
            packs.push((draw, number, info));
        }
        Ok(())
    })?;
    packs.sort_by(|left, right| left.0.total_cmp(&right.0));
    let count = (packs.len() as f64 * percent / 100.0).ceil() as usize;
    packs.truncate(count);
    // In the order of their names, which is that of the folders.
    packs.sort_by_key(|(_, _, info)| info.id);
    Ok(packs.into_iter().map(|(_, number, info)| (number, info)).collect())
}

/// What is wrong with one pack. Only one that is not as it should be is read as a whole, to say what that is. That the
/// destination does not answer says nothing about the pack.
fn check_pack(keys: &Keys, destination: &OpenDestination, pack: &PackInfo) -> Result<Vec<String>, DestinationError> {
    let name = ObjectName::Pack(pack.id);
    if sound::is_sound(keys, pack, |range| destination.place.get(&name, Some(range))) {
        return Ok(Vec::new());
    }
    match destination.place.get(&name, None) {
        Ok(bytes) => {
            let mut damage = object::faults(&name, &bytes);
            damage.extend(object::pack_faults(keys, &bytes));
            Ok(damage)
        }
        Err(error) if matches!(error.kind, DestinationErrorKind::Offline | DestinationErrorKind::Transient) => {
            Err(error)
        }
        Err(error) => Ok(vec![error.reason]),
    }
}
