//! When it is time: what changed has come to rest, or has waited for long enough.

use std::time::{Duration, Instant};

/// So long nothing must change before what changed is taken for finished.
const QUIET: Duration = Duration::from_millis(500);
/// Time after which everything is looked at.
const WHOLE_EVERY: Duration = Duration::from_secs(24 * 3600);
/// The shortest and the longest time until what failed is tried again.
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// What is waiting, and since when.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// The first and the last change that is not saved.
    first: Option<Instant>,
    last: Option<Instant>,
    /// When the last run began.
    began: Option<Instant>,
    /// When everything was looked at last.
    whole: Option<Instant>,
    /// What failed is not tried again before.
    not_before: Option<Instant>,
    /// When destinations are to catch up, if they are.
    catch_up: Option<Instant>,
}

impl Due {
    /// Something changed.
    pub fn change(&mut self) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// A destination may be behind.
    pub fn catch_up(&mut self) {
        self.catch_up = Some(Instant::now());
    }

    /// What failed may succeed now.
    pub fn try_now(&mut self) {
        self.not_before = None;
    }

    /// Whether anything has to wait.
    fn has_to_wait(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|not_before| now < not_before)
    }

    /// Whether it is time for everything to be looked at, as once a day.
    pub fn is_whole_due(&self) -> bool {
        self.whole.is_none_or(|whole| whole.elapsed() >= WHOLE_EVERY) && !self.has_to_wait(Instant::now())
    }

    /// Whether an interval has passed since the last run began.
    pub fn is_interval_over(&self, interval: Duration) -> bool {
        self.began.is_none_or(|began| began.elapsed() >= interval) && !self.has_to_wait(Instant::now())
    }

    /// Whether what changed is to be saved: at most once an interval, when it has come to rest or has waited as long.
    pub fn is_backup_due(&self, interval: Duration) -> bool {
        let (Some(first), Some(last)) = (self.first, self.last) else { return false };
        self.is_interval_over(interval) && (last.elapsed() >= QUIET || first.elapsed() >= interval)
    }

    /// How long until what changed is to be saved, if nothing else changes; at most `at_most`.
    pub fn time_left(&self, interval: Duration, at_most: Duration) -> Duration {
        let (Some(first), Some(last)) = (self.first, self.last) else { return at_most };
        let at_rest = (last + QUIET).min(first + interval);
        let time = self.began.map_or(at_rest, |began| at_rest.max(began + interval));
        let left = time.max(self.not_before.unwrap_or(time)).saturating_duration_since(Instant::now());
        // A little, where something else keeps it from being done.
        left.clamp(Duration::from_millis(10), at_most)
    }

    /// Whether destinations are to catch up.
    pub fn is_sync_due(&self) -> bool {
        self.catch_up.is_some_and(|time| time <= Instant::now())
    }

    /// A run begins: everything that changed until now is in it.
    pub fn begin(&mut self) -> Option<Instant> {
        self.began = Some(Instant::now());
        self.last = None;
        self.first.take()
    }

    /// It succeeded.
    pub fn succeed(&mut self, is_whole: bool) {
        if is_whole {
            self.whole = self.began;
        }
        self.not_before = None;
    }

    /// Destinations caught up, or that was tried.
    pub fn caught_up(&mut self) {
        self.catch_up = None;
    }

    /// It failed: what changed first before it still waits.
    pub fn fail(&mut self, first: Option<Instant>, interval: Duration) {
        let now = Instant::now();
        self.first = first.or(self.first);
        self.last = self.last.or(self.first);
        self.not_before = Some(now + interval.clamp(RETRY_MIN, RETRY_MAX));
    }

    /// A destination that is there could not be written: it is tried again after a while.
    pub fn catch_up_later(&mut self, interval: Duration) {
        let later = Instant::now() + interval.clamp(RETRY_MIN, RETRY_MAX);
        self.catch_up.get_or_insert(later);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(1500);

    fn sleep(millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }

    #[test]
    fn a_change_is_due_when_it_came_to_rest() {
        let mut due = Due::default();
        assert!(!due.is_backup_due(INTERVAL) && due.is_whole_due());
        due.change();
        assert!(!due.is_backup_due(INTERVAL));
        assert!(due.time_left(INTERVAL, INTERVAL) <= QUIET);
        sleep(520);
        assert!(due.is_backup_due(INTERVAL));
        assert!(due.begin().is_some());
        due.succeed(true);
        assert!(!due.is_backup_due(INTERVAL) && !due.is_whole_due());
        due.change();
        sleep(520);
        assert!(!due.is_backup_due(INTERVAL), "one in an interval");
        assert!(due.time_left(INTERVAL, INTERVAL) > Duration::from_millis(500));
    }

    #[test]
    fn what_never_comes_to_rest_is_due_after_an_interval() {
        let mut due = Due::default();
        let began = Instant::now();
        while !due.is_backup_due(INTERVAL) {
            due.change();
            assert!(began.elapsed() < Duration::from_secs(20));
            sleep(100);
        }
        assert!(began.elapsed() >= INTERVAL);
    }

    #[test]
    fn what_failed_waits_and_is_not_forgotten() {
        let mut due = Due::default();
        due.change();
        let first = due.begin();
        due.fail(first, INTERVAL);
        assert!(!due.is_backup_due(Duration::ZERO) && !due.is_whole_due());
        due.try_now();
        assert!(due.is_backup_due(Duration::ZERO));
    }

    #[test]
    fn catching_up_later_is_not_put_off_again_and_again() {
        let mut due = Due::default();
        due.catch_up_later(INTERVAL);
        let time = due.catch_up;
        sleep(5);
        due.catch_up_later(INTERVAL);
        assert!(due.catch_up == time && !due.is_sync_due());
        due.catch_up();
        assert!(due.is_sync_due());
        due.caught_up();
        assert!(!due.is_sync_due());
    }
}
