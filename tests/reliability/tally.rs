//! Cases looked at side by side, and what was found.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::disk::chance::Chance;
use crate::recover::Violation;

/// How many cases are looked at at once: `CRYPTBACKUP_TEST_THREADS`, or two.
fn thread_count() -> usize {
    std::env::var("CRYPTBACKUP_TEST_THREADS").ok().and_then(|count| count.parse().ok()).unwrap_or(2)
}

/// Cases that were looked at, and what was wrong.
#[derive(Default)]
pub struct Tally {
    by_policy: Mutex<BTreeMap<String, usize>>,
    violations: Mutex<Vec<String>>,
}

impl Tally {
    pub fn add(&self, what: &str, where_: impl FnOnce() -> String, result: Result<(), Violation>) {
        *self.by_policy.lock().expect("counts").entry(what.to_owned()).or_default() += 1;
        let recoveries = self.recoveries();
        if recoveries.is_multiple_of(1000) {
            println!("  {recoveries} …, {} violations", self.violations.lock().expect("a list").len());
        }
        if let Err(why) = result {
            let violation = format!("{}: {why}", where_());
            println!("{violation}");
            self.violations.lock().expect("a list").push(violation);
        }
    }

    pub fn recoveries(&self) -> usize {
        self.by_policy.lock().expect("counts").values().sum()
    }

    /// Prints the counts, and fails where something was wrong.
    pub fn finish(self, name: &str, points: usize, began: Instant) {
        let recoveries = self.recoveries();
        let violations = self.violations.into_inner().expect("a list");
        let by_policy = self.by_policy.into_inner().expect("counts");
        println!(
            "{name}: {points} points, {recoveries} recoveries {by_policy:?}, {} violations, {:.0} s",
            violations.len(),
            began.elapsed().as_secs_f64()
        );
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        for violation in &violations {
            let kind: String = violation.rsplit("]: ").next().unwrap_or(violation).chars().take(90).collect();
            *kinds.entry(kind).or_default() += 1;
        }
        let few: Vec<&String> = violations.iter().take(12).collect();
        assert!(violations.is_empty(), "{} violations {kinds:#?}, among them {few:#?}", violations.len());
    }
}

/// Runs every case, on all cores.
pub fn each<T: Sync>(cases: &[T], act: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..thread_count() {
            threads.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    act(case);
                }
            });
        }
    });
}

/// So many of them, spread evenly over the work, with another outcome each time.
pub fn sample<T: Clone>(cases: &[T], count: usize, seed: u64) -> Vec<T> {
    let mut chance = Chance::new(seed);
    let count = count.min(cases.len());
    let strata = (0..count).map(|at| (at * cases.len() / count, (at + 1) * cases.len() / count));
    strata.map(|(from, to)| cases[from + chance.below((to - from) as u64) as usize].clone()).collect()
}
