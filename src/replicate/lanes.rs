//! New packs to every destination at once.
//!
//! ```text
//! pipeline ─┬─ pack ──▶ thread of destination 1 ──▶ put, put, … settle
//!           └─ pack ──▶ thread of destination 2 ──▶ put, put, … settle
//! ```
//!
//! A destination that fails, or takes nothing for two minutes, is lost for the run. One that is merely slow leaves the
//! run when another has room, and gets its packs from there after that one's commit. The others go on at their speed.
//! No pack waits: while the threads write one, the next is being filled, and it is handed over when they are done. A
//! queue would save no time where a destination is as fast on average, and each place in it costs 16 MiB of memory.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use super::OpenDestination;
use crate::destination::{DestinationError, Put, Settle};
use crate::format::layout::ObjectName;
use crate::index::{DestinationBits, PackNumber};
use crate::pack::SealedPack;
use crate::report::Monitor;

/// Packs between two rounds of making folder entries durable.
const SETTLE_PACKS: usize = 32;
/// A destination that does not take a pack for so long, while another has nothing to do, leaves the run.
const SLOW: Duration = Duration::from_secs(10);
/// A destination that takes nothing for so long is lost.
const STUCK: Duration = Duration::from_secs(120);

/// How long a run that is to stop waits for packs that are being written: what is there need not be stored again.
const PARTING: Duration = Duration::from_secs(5);

/// What became of one destination.
pub struct LaneOutcome {
    /// Which.
    pub destination: OpenDestination,
    /// Packs that are durable on it.
    pub durable: Vec<PackNumber>,
    /// How many of them this run wrote; the others were there already.
    pub written: u64,
    /// Why it was lost, or left behind.
    pub trouble: Option<LaneTrouble>,
}

/// Why a destination does not have all packs of the run.
#[derive(Debug)]
pub enum LaneTrouble {
    /// It failed.
    Failed(DestinationError),
    /// It took nothing for two minutes.
    Stuck,
    /// It was too slow for the others.
    Slow,
}

impl std::fmt::Display for LaneTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LaneTrouble::Failed(error) => write!(f, "{error}"),
            LaneTrouble::Stuck => write!(f, "it accepted nothing for {} seconds", STUCK.as_secs()),
            LaneTrouble::Slow => f.write_str("it is slower than the others and catches up afterwards"),
        }
    }
}

type Numbered = (PackNumber, Arc<SealedPack>);

struct Lane {
    destination: OpenDestination,
    queue: Option<Sender<Numbered>>,
    /// Packs the thread was given.
    given: u64,
    /// Packs the thread has dealt with; a lane whose number stands still is stuck.
    progress: Arc<AtomicU64>,
    result: Receiver<Written>,
    trouble: Option<LaneTrouble>,
    /// How long it may take nothing: longer where the user limits its rate.
    patience: Duration,
}

struct Written {
    durable: Vec<PackNumber>,
    written: u64,
    error: Option<DestinationError>,
}

/// One thread for each destination. The threads are not waited for when they hang in a system
/// call: a dead network drive must not keep the program.
pub struct Lanes<'a> {
    lanes: Vec<Lane>,
    /// Whether a slow destination may leave the run.
    may_leave: bool,
    /// Asked whether to stop: a slow destination is not waited for then.
    monitor: &'a dyn Monitor,
}

impl<'a> Lanes<'a> {
    /// Starts a thread for each destination. Where none may leave, all go at the pace of the slowest.
    ///
    /// # Errors
    /// The system's, where it lets the program have no more threads.
    pub fn start(destinations: &[OpenDestination], may_leave: bool, monitor: &'a dyn Monitor) -> io::Result<Self> {
        let lanes = destinations.iter().map(|destination| {
            let (queue, packs) = bounded(0);
            let (done, result) = bounded(1);
            let progress = Arc::new(AtomicU64::new(0));
            let (target, counter) = (destination.clone(), Arc::clone(&progress));
            thread::Builder::new().spawn(move || {
                // Nobody listens any more when the lane was given up.
                let _ = done.send(write_packs(&target, &packs, &counter));
            })?;
            let patience = STUCK + destination.upload_limit.map_or(Duration::ZERO, pack_time);
            Ok(Lane {
                destination: destination.clone(),
                queue: Some(queue),
                given: 0,
                progress,
                result,
                trouble: None,
                patience,
            })
        });
        Ok(Self { lanes: lanes.collect::<io::Result<_>>()?, may_leave, monitor })
    }

    /// The destinations that have taken every pack so far.
    pub fn alive(&self) -> DestinationBits {
        self.lanes.iter().filter(|lane| lane.queue.is_some()).map(|lane| lane.destination.bit).fold(0, |a, b| a | b)
    }

    /// Gives the pack to every destination that is still with us; waits while they are busy.
    pub fn send(&mut self, number: PackNumber, pack: &Arc<SealedPack>) {
        for position in 0..self.lanes.len() {
            let began = Instant::now();
            let mut parcel = (number, Arc::clone(pack));
            while let Some(queue) = self.lanes.get(position).and_then(|lane| lane.queue.clone()) {
                match queue.send_timeout(parcel, Duration::from_secs(1)) {
                    Ok(()) => {
                        if let Some(lane) = self.lanes.get_mut(position) {
                            lane.given += 1;
                        }
                        break;
                    }
                    // The thread ended: its error tells why.
                    Err(SendTimeoutError::Disconnected(_)) => {
                        self.leave(position, None);
                        break;
                    }
                    Err(SendTimeoutError::Timeout(back)) => {
                        parcel = back;
                        let patience = self.lanes.get(position).map_or(STUCK, |lane| lane.patience);
                        if began.elapsed() >= patience || self.monitor.should_stop() {
                            self.leave(position, Some(LaneTrouble::Stuck));
                        } else if self.may_leave && began.elapsed() >= SLOW && self.another_idles(position) {
                            self.leave(position, Some(LaneTrouble::Slow));
                        }
                    }
                }
            }
        }
    }

    /// Waits until the destinations have written a pack that was given to them, so that it is not in memory any more when
    /// the next is sealed. One that hangs is not waited for; it is lost when the next is sent.
    pub fn wait_until_written(&self, pack: &Weak<SealedPack>) {
        let began = Instant::now();
        // Every lane lets go of the pack when it is done with it.
        while pack.strong_count() > 0 && began.elapsed() < STUCK && !self.monitor.should_stop() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn leave(&mut self, position: usize, trouble: Option<LaneTrouble>) {
        if let Some(lane) = self.lanes.get_mut(position) {
            lane.queue = None;
            lane.trouble = trouble;
        }
    }

    fn another_idles(&self, position: usize) -> bool {
        let mut others =
            self.lanes.iter().enumerate().filter(|(other, lane)| *other != position && lane.queue.is_some());
        others.any(|(_, lane)| lane.progress.load(Ordering::Relaxed) >= lane.given)
    }

    /// Waits until every destination has written what it was given and made it durable, or is stuck, or the run is to
    /// stop.
    pub fn finish(mut self) -> Vec<LaneOutcome> {
        for lane in &mut self.lanes {
            lane.queue = None;
        }
        let monitor = self.monitor;
        self.lanes.into_iter().map(|lane| lane.finish(monitor)).collect()
    }
}

impl Lane {
    fn finish(self, monitor: &dyn Monitor) -> LaneOutcome {
        let began = Instant::now();
        let mut seen = (self.progress.load(Ordering::Relaxed), began);
        let written = loop {
            match self.result.recv_timeout(Duration::from_millis(200)) {
                Ok(written) => break Some(written),
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) if monitor.should_stop() && began.elapsed() >= PARTING => break None,
                Err(RecvTimeoutError::Timeout) => {
                    let now = self.progress.load(Ordering::Relaxed);
                    if now != seen.0 {
                        seen = (now, Instant::now());
                    } else if seen.1.elapsed() >= self.patience {
                        break None;
                    }
                }
            }
        };
        let Some(written) = written else {
            let trouble = self.trouble.or(Some(LaneTrouble::Stuck));
            return LaneOutcome { destination: self.destination, durable: Vec::new(), written: 0, trouble };
        };
        LaneOutcome {
            destination: self.destination,
            durable: written.durable,
            written: written.written,
            trouble: written.error.map(LaneTrouble::Failed).or(self.trouble),
        }
    }
}

/// How long the largest pack takes at a rate in bytes a second.
fn pack_time(limit: u64) -> Duration {
    Duration::from_secs(crate::format::PACK_LEN_MAX / limit.max(1))
}

/// The thread of one destination. Ends with its queue, or at the first error: a destination that failed once does not
/// get another chance in the same run.
fn write_packs(destination: &OpenDestination, packs: &Receiver<Numbered>, progress: &AtomicU64) -> Written {
    let mut written = Written { durable: Vec::new(), written: 0, error: None };
    let mut pending = Vec::new();
    for (number, pack) in packs {
        match destination.place.put(&ObjectName::Pack(pack.id()), pack.bytes()) {
            Ok(put) => written.written += u64::from(put == Put::Written),
            Err(error) => {
                written.error = Some(error);
                break;
            }
        }
        drop(pack);
        progress.fetch_add(1, Ordering::Relaxed);
        pending.push(number);
        if pending.len() >= SETTLE_PACKS
            && let Err(error) = settle(destination, &mut pending, &mut written.durable)
        {
            written.error = Some(error);
            break;
        }
    }
    if written.error.is_none() {
        written.error = settle(destination, &mut pending, &mut written.durable).err();
    }
    written
}

fn settle(
    destination: &OpenDestination,
    pending: &mut Vec<PackNumber>,
    durable: &mut Vec<PackNumber>,
) -> Result<(), DestinationError> {
    if !pending.is_empty() {
        destination.place.settle(Settle::Touched)?;
        durable.append(pending);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::destination::{Destination, MemoryDestination};
    use crate::format::id::{ChunkKind, DestinationId, RepoId};
    use crate::pack::{Closing, PackDraft};
    use crate::replicate::Neighbours;
    use crate::report::Silent;
    use crate::seal::{BlockBuilder, Keys};

    fn packs() -> Vec<Arc<SealedPack>> {
        let keys = Keys::generate(RepoId::from_bytes([1; 16])).expect("random keys");
        let pack = |seed: u8| {
            let chunk = [seed; 300];
            let mut builder = BlockBuilder::new(1 << 20);
            builder.push(keys.chunk_id(ChunkKind::Data, &chunk), &chunk);
            let mut draft = PackDraft::new(ChunkKind::Data, 1 << 20);
            draft.push(builder.take().expect("a block").store());
            Arc::new(draft.finish(&keys, [seed; 32], Closing::Last { extra: 0 }).expect("sealed"))
        };
        vec![pack(1), pack(2), pack(3)]
    }

    /// Whatever call is the last that a destination answers: what it is said to hold survives a power cut.
    #[test]
    fn what_is_said_to_be_durable_is() {
        let packs = packs();
        for calls in 0..=4 {
            let place = MemoryDestination::new("a");
            place.go_offline_after(calls);
            let destination = OpenDestination {
                name: "a".to_owned(),
                path: PathBuf::new(),
                id: DestinationId::from_bytes([1; 16]),
                bit: 1,
                place: Arc::new(place.clone()),
                upload_limit: None,
                neighbours: Neighbours::default(),
            };
            let mut lanes = Lanes::start(&[destination], true, &Silent).expect("a thread");
            (0..).zip(&packs).for_each(|(number, pack)| lanes.send(number, pack));
            let outcome = lanes.finish().pop().expect("one lane");
            place.cut_power();
            place.come_back();
            assert_eq!(outcome.trouble.is_none(), calls == 4, "three packs are put, and their names synced");
            assert_eq!(outcome.durable.len(), if calls == 4 { 3 } else { 0 });
            for number in outcome.durable {
                place.get(&ObjectName::Pack(packs[number as usize].id()), None).expect("it is there");
            }
        }
    }
}
