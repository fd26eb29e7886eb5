//! Monitors that do something to the world while a run is on its way, stop it, or keep what it says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cryptbackup::report::{Monitor, Stage};

type Act<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Acts once, on the thread that stores, after so many bytes were read. Readers are then no more than a few MiB ahead,
/// and the scan no more than ten groups of files (of 2 MiB or 512 entries).
pub struct Hook<'a> {
    after_bytes: u64,
    act: Mutex<Option<Act<'a>>>,
    bytes: AtomicU64,
}

impl<'a> Hook<'a> {
    pub fn after(bytes: u64, act: impl FnOnce() + Send + 'a) -> Self {
        Self { after_bytes: bytes, act: Mutex::new(Some(Box::new(act))), bytes: AtomicU64::new(0) }
    }

    /// Whether the time came.
    pub fn has_acted(&self) -> bool {
        self.act.lock().expect("the act").is_none()
    }
}

impl Monitor for Hook<'_> {
    fn advance(&self, _: u64, bytes: u64) {
        let total = self.bytes.fetch_add(bytes, Ordering::SeqCst) + bytes;
        if bytes > 0
            && total >= self.after_bytes
            && let Some(act) = self.act.lock().expect("the act").take()
        {
            act();
        }
    }
}

/// The same, and the run is asked to stop then.
pub struct Stop(Hook<'static>);

impl Stop {
    pub fn after(bytes: u64) -> Self {
        Self(Hook::after(bytes, || {}))
    }
}

impl Monitor for Stop {
    fn advance(&self, items: u64, bytes: u64) {
        self.0.advance(items, bytes);
    }
    fn should_stop(&self) -> bool {
        self.0.has_acted()
    }
}

/// Keeps what is said besides.
#[derive(Default)]
pub struct Notes(Mutex<Vec<String>>);

impl Monitor for Notes {
    fn note(&self, sentence: &str) {
        self.0.lock().expect("one thread").push(sentence.to_owned());
    }
}

impl Notes {
    /// What was said so far.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("one thread"))
    }
}

/// Acts once, when a stage begins.
pub struct AtStage<'a> {
    stage: Stage,
    act: Mutex<Option<Act<'a>>>,
}

impl<'a> AtStage<'a> {
    pub fn new(stage: Stage, act: impl FnOnce() + Send + 'a) -> Self {
        Self { stage, act: Mutex::new(Some(Box::new(act))) }
    }

    /// Whether it began.
    pub fn has_acted(&self) -> bool {
        self.act.lock().expect("the act").is_none()
    }
}

impl Monitor for AtStage<'_> {
    fn begin(&self, stage: Stage, _: Option<u64>, _: Option<u64>) {
        let act = if stage == self.stage { self.act.lock().expect("the act").take() } else { None };
        if let Some(act) = act {
            act();
        }
    }
}
