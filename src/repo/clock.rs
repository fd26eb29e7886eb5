//! What time it is: the system's clock, or one that a test sets.

use std::sync::Arc;

use crate::format::record::Time;

/// Tells the time. Rules of retention count in days, so tests have to be able to let them pass.
#[derive(Clone, Default)]
pub struct Clock(Option<Arc<dyn Fn() -> Time + Send + Sync>>);

impl Clock {
    /// A clock that tells what `time` says.
    pub fn of(time: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(time)))
    }

    /// The time.
    pub fn now(&self) -> Time {
        match &self.0 {
            Some(time) => time(),
            None => system_time(),
        }
    }
}

fn system_time() -> Time {
    time_of(jiff::Timestamp::now())
}

/// A moment as records have it.
pub fn time_of(moment: jiff::Timestamp) -> Time {
    let (seconds, nanos) = (moment.as_second(), moment.subsec_nanosecond());
    // Before 1970 jiff counts nanoseconds backwards; a stored time counts forwards from a rounded-down second.
    if nanos < 0 {
        return Time { seconds: seconds - 1, nanos: (nanos + 1_000_000_000) as u32 };
    }
    Time { seconds, nanos: nanos as u32 }
}
