//! A destination that is written to no faster than the user allows (`limits.upload.NAME`).

use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Destination, DestinationError, Put, Settle};
use crate::format::layout::{ObjectKind, ObjectName};

/// Slows writing down to a rate; everything else passes through.
pub struct Throttle<D> {
    inner: D,
    bytes_per_second: u64,
    /// Until when what was written so far takes at that rate.
    busy_until: Mutex<Instant>,
}

impl<D: Destination> Throttle<D> {
    /// Writes to `inner` at `bytes_per_second` at most, measured over what was written since it began.
    pub fn new(inner: D, bytes_per_second: u64) -> Self {
        Self { inner, bytes_per_second: bytes_per_second.max(1), busy_until: Mutex::new(Instant::now()) }
    }

    /// How long `length` bytes take at a rate.
    fn duration(&self, length: usize) -> Duration {
        Duration::from_secs_f64(length as f64 / self.bytes_per_second as f64)
    }

    fn pay(&self, length: usize) {
        let until = {
            let mut busy_until = self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
            *busy_until = (*busy_until).max(Instant::now()) + self.duration(length);
            *busy_until
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}

impl<D: Destination> Destination for Throttle<D> {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn put(&self, name: &ObjectName, bytes: &[u8]) -> Result<Put, DestinationError> {
        let put = self.inner.put(name, bytes)?;
        if put == Put::Written {
            self.pay(bytes.len());
        }
        Ok(put)
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), DestinationError> {
        self.inner.replace(name, bytes)?;
        self.pay(bytes.len());
        Ok(())
    }

    fn get(&self, name: &ObjectName, range: Option<Range<u64>>) -> Result<Vec<u8>, DestinationError> {
        self.inner.get(name, range)
    }

    fn list(
        &self,
        kind: ObjectKind,
        prefix: Option<u8>,
        each: &mut dyn FnMut(ObjectName, u64),
    ) -> Result<(), DestinationError> {
        self.inner.list(kind, prefix, each)
    }

    fn delete(&self, name: &ObjectName) -> Result<(), DestinationError> {
        self.inner.delete(name)
    }

    fn discard_unfinished(&self) -> Result<u64, DestinationError> {
        self.inner.discard_unfinished()
    }

    fn settle(&self, scope: Settle) -> Result<(), DestinationError> {
        self.inner.settle(scope)
    }

    fn check_place(&self) -> Result<(), DestinationError> {
        self.inner.check_place()
    }

    fn free_bytes(&self) -> Result<Option<u64>, DestinationError> {
        self.inner.free_bytes()
    }

    fn check_writable(&self) -> Result<(), DestinationError> {
        self.inner.check_writable()
    }

    fn is_weak(&self) -> bool {
        self.inner.is_weak()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::{MemoryDestination, conformance};

    #[test]
    fn it_keeps_the_contract() {
        conformance::check(&|| Box::new(Throttle::new(MemoryDestination::new("memory"), 10 << 30)));
    }

    #[test]
    fn bytes_take_their_time() {
        let slow = Throttle::new(MemoryDestination::new("memory"), 1_000_000);
        assert_eq!(slow.duration(500_000), Duration::from_millis(500));
        let began = Instant::now();
        let bytes = vec![7; 100_000];
        slow.put(&ObjectName::Reserve, &bytes).expect("written");
        assert!(began.elapsed() >= Duration::from_millis(99), "{:?}", began.elapsed());
        let began = Instant::now();
        slow.put(&ObjectName::Reserve, &bytes).expect("there already");
        assert!(began.elapsed() < Duration::from_millis(90), "what is there costs nothing: {:?}", began.elapsed());
    }
}
