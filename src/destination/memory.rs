//! A destination in memory, with switches for the troubles of real ones.
//!
//! For tests of whatever stands above destinations: it goes away after so many calls, is full, is slow, or loses with
//! [`cut_power`](MemoryDestination::cut_power) what nobody settled.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Destination, DestinationError, DestinationErrorKind, OBJECT_LEN_MAX, Put, Settle};
use crate::format::layout::{ObjectKind, ObjectName};

/// Objects in memory. Clones share them, like two programs that opened the same folder.
#[derive(Clone)]
pub struct MemoryDestination {
    place: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<ObjectName, Object>,
    /// Objects as they were at the last settle, for those that changed since; `None` for those that were absent.
    unsettled: BTreeMap<ObjectName, Option<Arc<[u8]>>>,
    calls: u64,
    calls_left: Option<u64>,
    offline: bool,
    away: Range<u64>,
    puts_fail_with: Option<DestinationErrorKind>,
    when_put: Option<(ObjectKind, Act)>,
    delay: Duration,
    weak: bool,
    bad: Option<(ObjectName, Range<u64>, DestinationErrorKind)>,
}

type Object = Arc<[u8]>;
/// What somebody else does.
type Act = Box<dyn FnOnce() + Send>;

impl MemoryDestination {
    /// An empty destination that is called `place`.
    pub fn new(place: &str) -> Self {
        Self { place: place.to_owned(), state: Arc::default() }
    }

    /// Lets this many more calls through; from then on everything is offline.
    pub fn go_offline_after(&self, calls: u64) {
        self.lock().calls_left = Some(calls);
    }

    /// Ends being offline, whether it was announced or has happened.
    pub fn come_back(&self) {
        let mut state = self.lock();
        state.calls_left = None;
        state.offline = false;
    }

    /// Is offline for some calls and back afterwards: those with these numbers, of which the next one has number 0.
    pub fn be_away_for(&self, calls: Range<u64>) {
        let mut state = self.lock();
        state.away = state.calls + 1 + calls.start..state.calls + 1 + calls.end;
    }

    /// Fails every `put` and `replace` with this kind, or with none again.
    pub fn fail_puts(&self, kind: Option<DestinationErrorKind>) {
        self.lock().puts_fail_with = kind;
    }

    /// Lets somebody else act once, right after the next object of a kind was put.
    pub fn when_put(&self, kind: ObjectKind, act: impl FnOnce() + Send + 'static) {
        self.lock().when_put = Some((kind, Box::new(act)));
    }

    /// Makes every call take at least this long, beside those of other threads.
    pub fn set_delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// Says from now on that names cannot be made durable.
    pub fn set_weak(&self, weak: bool) {
        self.lock().weak = weak;
    }

    /// Makes reads fail that touch these bytes of an object, until it is replaced: a medium that has gone bad there.
    pub fn go_bad(&self, name: ObjectName, bytes: Range<u64>) {
        self.fail_reads(name, bytes, DestinationErrorKind::Damaged);
    }

    /// The same with another kind of error.
    pub fn fail_reads(&self, name: ObjectName, bytes: Range<u64>, kind: DestinationErrorKind) {
        self.lock().bad = Some((name, bytes, kind));
    }

    /// Takes back every put, replace and delete since the last settle: the hardest thing a power cut may do.
    pub fn cut_power(&self) {
        let mut state = self.lock();
        for (name, before) in std::mem::take(&mut state.unsettled) {
            match before {
                Some(bytes) => state.objects.insert(name, bytes),
                None => state.objects.remove(&name),
            };
        }
    }

    /// How many calls were made so far, those that failed included.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call: counts it, takes its time, and finds out whether the destination is still there.
    fn call(&self, what: &str) -> Result<MutexGuard<'_, State>, DestinationError> {
        let delay = self.lock().delay;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        let mut state = self.lock();
        state.calls += 1;
        match &mut state.calls_left {
            Some(0) => state.offline = true,
            Some(left) => *left -= 1,
            None => {}
        }
        if state.offline || state.away.contains(&state.calls) {
            return Err(self.error(DestinationErrorKind::Offline, what, "it was switched off"));
        }
        Ok(state)
    }

    /// Begins a call that stores `bytes`.
    fn call_to_store(&self, what: &str, bytes: &[u8]) -> Result<MutexGuard<'_, State>, DestinationError> {
        let state = self.call(what)?;
        if let Some(kind) = state.puts_fail_with {
            return Err(self.error(kind, what, "it was told to fail"));
        }
        if bytes.len() as u64 > OBJECT_LEN_MAX {
            return Err(self.error(DestinationErrorKind::Other, what, "it would be larger than any object may be"));
        }
        Ok(state)
    }

    fn error(&self, kind: DestinationErrorKind, what: &str, reason: &str) -> DestinationError {
        DestinationError::new(kind, what, &self.place, reason)
    }
}

impl State {
    fn change(&mut self, name: &ObjectName, bytes: Option<Object>) {
        self.bad.take_if(|(bad, ..)| bad == name);
        let before = match bytes {
            Some(bytes) => self.objects.insert(*name, bytes),
            None => self.objects.remove(name),
        };
        self.unsettled.entry(*name).or_insert(before);
    }
}

impl Destination for MemoryDestination {
    fn describe(&self) -> String {
        self.place.clone()
    }

    fn put(&self, name: &ObjectName, bytes: &[u8]) -> Result<Put, DestinationError> {
        let what = format!("write {name}");
        let mut state = self.call_to_store(&what, bytes)?;
        match state.objects.get(name) {
            Some(there) if **there == *bytes => Ok(Put::Present),
            Some(_) => Err(self.error(DestinationErrorKind::Damaged, &what, "it is there with other bytes")),
            None => {
                state.change(name, Some(bytes.into()));
                let act = state.when_put.take_if(|(kind, _)| name.kind() == Some(*kind));
                drop(state);
                if let Some((_, act)) = act {
                    act();
                }
                Ok(Put::Written)
            }
        }
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), DestinationError> {
        self.call_to_store(&format!("replace {name}"), bytes)?.change(name, Some(bytes.into()));
        Ok(())
    }

    fn get(&self, name: &ObjectName, range: Option<Range<u64>>) -> Result<Vec<u8>, DestinationError> {
        let what = format!("read {name}");
        let state = self.call(&what)?;
        let bad = state.bad.clone().filter(|(bad, ..)| bad == name);
        let there = state.objects.get(name).cloned();
        drop(state);
        let Some(there) = there else {
            return Err(self.error(DestinationErrorKind::Absent, &what, "there is no such object"));
        };
        let Range { start, end } = range.unwrap_or(0..there.len() as u64);
        if let Some((_, bad, kind)) = bad
            && bad.start < end
            && start < bad.end
        {
            return Err(self.error(kind, &what, "the medium has gone bad there"));
        }
        if start > end {
            return Err(self.error(DestinationErrorKind::Other, &what, "the range ends before it starts"));
        }
        // Positions beyond what memory can hold are beyond the end, too.
        let (from, to) = (usize::try_from(start).unwrap_or(usize::MAX), usize::try_from(end).unwrap_or(usize::MAX));
        match there.get(from..to) {
            Some(part) => Ok(part.to_vec()),
            None => {
                let reason = format!("it ends after {} bytes, before byte {end}", there.len());
                Err(self.error(DestinationErrorKind::Damaged, &what, &reason))
            }
        }
    }

    fn list(
        &self,
        kind: ObjectKind,
        prefix: Option<u8>,
        each: &mut dyn FnMut(ObjectName, u64),
    ) -> Result<(), DestinationError> {
        let state = self.call(&format!("list {}", kind.folder()))?;
        let is_wanted = |name: &ObjectName| {
            name.kind() == Some(kind)
                && prefix.is_none_or(|first| name.hash().is_some_and(|hash| hash.as_bytes()[0] == first))
        };
        let objects = state.objects.iter().filter(|(name, _)| is_wanted(name));
        let found: Vec<_> = objects.map(|(name, bytes)| (*name, bytes.len() as u64)).collect();
        // `each` may call back.
        drop(state);
        found.into_iter().for_each(|(name, len)| each(name, len));
        Ok(())
    }

    fn delete(&self, name: &ObjectName) -> Result<(), DestinationError> {
        self.call(&format!("delete {name}"))?.change(name, None);
        Ok(())
    }

    fn discard_unfinished(&self) -> Result<u64, DestinationError> {
        self.call("look for what was cut off").map(|_| 0)
    }

    fn settle(&self, _: Settle) -> Result<(), DestinationError> {
        self.call("sync")?.unsettled.clear();
        Ok(())
    }

    fn check_place(&self) -> Result<(), DestinationError> {
        self.call("find the destination").map(|_| ())
    }

    fn free_bytes(&self) -> Result<Option<u64>, DestinationError> {
        let state = self.call("measure the free space")?;
        Ok((state.puts_fail_with == Some(DestinationErrorKind::Full)).then_some(0))
    }

    fn is_weak(&self) -> bool {
        self.lock().weak
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::conformance;
    use crate::format::id::PackId;

    fn pack(bytes: &[u8]) -> ObjectName {
        ObjectName::Pack(PackId::of(bytes))
    }

    #[test]
    fn keeps_the_contract() {
        conformance::check(&|| Box::new(MemoryDestination::new("memory")));
    }

    #[test]
    fn goes_away_after_so_many_calls_and_comes_back_with_its_objects() {
        let memory = MemoryDestination::new("memory");
        memory.go_offline_after(1);
        memory.put(&pack(b"a"), b"a").expect("one call is let through");
        let error = memory.put(&pack(b"b"), b"b").expect_err("the second is not");
        assert_eq!(error.kind, DestinationErrorKind::Offline);
        assert_eq!(memory.check_place().expect_err("it stays away").kind, DestinationErrorKind::Offline);
        memory.come_back();
        assert_eq!(memory.get(&pack(b"a"), None).expect("it is back"), b"a");
        assert_eq!(memory.get(&pack(b"b"), None).expect_err("was not put").kind, DestinationErrorKind::Absent);
        assert_eq!(memory.calls(), 5);
    }

    #[test]
    fn a_full_one_still_reads() {
        let memory = MemoryDestination::new("memory");
        memory.put(&pack(b"a"), b"a").expect("there is room");
        memory.fail_puts(Some(DestinationErrorKind::Full));
        assert_eq!(memory.put(&pack(b"b"), b"b").expect_err("no room").kind, DestinationErrorKind::Full);
        assert_eq!(memory.free_bytes().expect("can be asked"), Some(0));
        assert_eq!(memory.get(&pack(b"a"), None).expect("reads"), b"a");
    }

    #[test]
    fn a_power_cut_takes_back_what_was_not_settled() {
        let memory = MemoryDestination::new("memory");
        let (a, b) = (pack(b"a"), pack(b"b"));
        memory.put(&a, b"a").expect("put");
        memory.settle(Settle::Touched).expect("settle");
        memory.put(&b, b"b").expect("put");
        memory.replace(&a, b"other").expect("replace");
        memory.delete(&a).expect("delete");
        memory.cut_power();
        assert_eq!(memory.get(&a, None).expect("was settled"), b"a");
        assert_eq!(memory.get(&b, None).expect_err("was not").kind, DestinationErrorKind::Absent);
        memory.cut_power();
        assert_eq!(memory.get(&a, None).expect("a second cut takes nothing more"), b"a");
    }
}
