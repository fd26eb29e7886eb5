//! T1 and T2: a crash after every operation, and a crash after every operation of what follows a crash.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::disk::crash::Policy;
use crate::recover::{Kept, Scene, caught};
use crate::rig::Rig;
use crate::source::Tree;
use crate::tally::{Tally, each, sample};
use crate::workload::{self, Workload};

/// What may be left after a crash at one point.
const OUTCOMES: [(Policy, u64); 8] = [
    (Policy::Kill, 0),
    (Policy::Nothing, 0),
    (Policy::Ordered, 1),
    (Policy::Ordered, 2),
    (Policy::Names, 3),
    (Policy::Hostile, 4),
    (Policy::Hostile, 5),
    (Policy::Hostile, 6),
];

fn scene<'w>(work: &'w Workload, tree: &'w Tree, source: &'w std::path::Path, case: Case) -> Scene<'w> {
    let (at, policy, salt) = case;
    Scene { source, ..Scene::after(work, tree, at, policy, salt ^ ((at as u64) << 8)) }
}

type Case = (usize, Policy, u64);

fn crash_after(work: &Workload, cases: &[Case], tally: &Tally) {
    let (tree, source) = (work.source.tree(), work.source.path());
    let what = |policy: Policy| if work.liar.is_some() { "Lying".to_owned() } else { format!("{policy:?}") };
    each(cases, |case| {
        let result = caught(|| scene(work, &tree, &source, *case).check());
        tally.add(&what(case.1), || format!("[{} {:?} {}]", work.describe(case.0), case.1, case.2), result);
    });
}

/// Every point with every outcome.
fn all_cases(work: &Workload) -> Vec<Case> {
    let points = work.points();
    points.iter().flat_map(|at| OUTCOMES.map(|(policy, seed)| (*at, policy, seed))).collect()
}

#[test]
fn what_was_promised_survives_a_crash_at_some_points() {
    let began = Instant::now();
    let work = workload::run(None);
    assert!(work.leaks.is_empty(), "plaintext on a destination: {:?}", work.leaks);
    let tally = Tally::default();
    let cases = sample(&all_cases(&work), 50, 1);
    crash_after(&work, &cases, &tally);
    tally.finish("T1, a slice", cases.len(), began);
}

/// A process that is killed leaves packs whose names no sync has reached, and a machine that runs on shows them to the
/// next run. It may rely on them only when it has synced them itself: then the power fails, and nothing unsynced is left.
#[test]
fn what_a_killed_run_put_is_durable_before_another_relies_on_it() {
    let began = Instant::now();
    let work = workload::run(None);
    let tally = Tally::default();
    let is_pack = |at: &usize| {
        let step = &work.steps[*at];
        step.verb == "rename" && step.path.starts_with("packs/")
    };
    let cases: Vec<Case> = (0..work.steps.len()).filter(is_pack).map(|at| (at, Policy::Kill, 0)).collect();
    crash_after(&work, &cases, &tally);
    tally.finish("names of packs after a kill", cases.len(), began);
}

/// All of it; with `CRYPTBACKUP_TEST_CASES` so many cases, spread evenly, and with `CRYPTBACKUP_TEST_ONLY` those whose
/// description has that text in it.
#[test]
#[ignore = "minutes"]
fn t01_what_was_promised_survives_a_crash_after_every_operation() {
    let began = Instant::now();
    let work = workload::run(None);
    assert!(work.leaks.is_empty(), "plaintext on a destination: {:?}", work.leaks);
    let tally = Tally::default();
    let points = work.points().len();
    println!("{} steps, {points} points", work.steps.len());
    for (phase, range) in &work.phases {
        let count = work.points().iter().filter(|at| range.contains(&(work.steps[**at].number - 1))).count();
        println!("  {phase}: {count} points");
    }
    let share = std::env::var("CRYPTBACKUP_TEST_CASES").ok().and_then(|count| count.parse().ok());
    let mut cases = all_cases(&work);
    if let Ok(only) = std::env::var("CRYPTBACKUP_TEST_ONLY") {
        cases.retain(|case| format!("{} {:?}", work.describe(case.0), case.1).contains(&only));
    }
    crash_after(&work, &sample(&cases, share.unwrap_or(usize::MAX), 9), &tally);
    for liar in crate::rig::PLACES {
        let work = workload::run(Some(liar));
        // Before a destination was added nothing can be asked of a machine whose first disk lies.
        let mut cases = all_cases(&work);
        cases.retain(|case| work.is_past("add", work.steps[case.0].number));
        crash_after(&work, &sample(&cases, 400, 2), &tally);
    }
    tally.finish("T1", points, began);
}

/// The recovery of some first crashes is recorded, and then cut off after every one of its operations.
fn crash_twice(work: &Workload, firsts: &[Case], seconds: usize, tally: &Tally) -> usize {
    let (tree, source) = (work.source.tree(), work.source.path());
    let points = AtomicUsize::new(0);
    each(firsts, |first| {
        let place = || format!("[{} {:?} {}]", work.describe(first.0), first.1, first.2);
        let result = caught(|| {
            let scene = scene(work, &tree, &source, *first);
            let rig = Rig::new(&source, Some(scene.image.clone()));
            rig.set_day(scene.day);
            rig.machine.record();
            scene.set_up(&rig)?;
            let is_set_up = rig.machine.now();
            let new = scene.back_up(&mut rig.open().map_err(|error| error.to_string())?)?;
            let end = rig.machine.now();
            let steps = rig.machine.0.state().steps.take().expect("recorded");
            let dull = |verb: &str| matches!(verb, "make_folder" | "sync_folder");
            let mut all: Vec<usize> = (0..steps.len())
                .filter(|at| !dull(steps[*at].verb) || *at == 0 || !dull(steps[*at - 1].verb) || at % 97 == 0)
                .collect();
            all = sample(&all, seconds, first.2 ^ first.0 as u64);
            for at in all {
                let step = &steps[at];
                let (policy, seed) = OUTCOMES[at % OUTCOMES.len()];
                let mut kept: Vec<Kept<'_>> = scene.kept.clone();
                kept.extend((step.number >= end).then(|| new.clone()));
                let image = step.image.crash(policy, seed ^ ((at as u64) << 8));
                let is_set_up = scene.is_set_up || step.number >= is_set_up;
                let is_kill = policy == Policy::Kill;
                let second =
                    Scene { image, kept, is_set_up, is_kill, source: &source, tree: &tree, ..scene_rest(&scene) };
                points.fetch_add(1, Ordering::Relaxed);
                let what = format!("then {} {} on disk {} {policy:?}", step.verb, step.path, step.volume);
                tally.add(&format!("{policy:?}"), || format!("{} {what}", place()), second.check());
            }
            Ok(())
        });
        if let Err(why) = result {
            tally.add("first", place, Err(why));
        }
    });
    points.into_inner()
}

fn scene_rest<'w>(scene: &Scene<'w>) -> Scene<'w> {
    Scene { image: scene.image.clone(), kept: Vec::new(), day: scene.day + 2, ..*scene }
}

#[test]
fn what_was_promised_survives_a_crash_while_recovering_from_one() {
    let began = Instant::now();
    let work = workload::run(None);
    let tally = Tally::default();
    let firsts = sample(&all_cases(&work), 5, 3);
    let points = crash_twice(&work, &firsts, 4, &tally);
    tally.finish("T2, a slice", points, began);
}

#[test]
#[ignore = "minutes"]
fn t02_what_was_promised_survives_a_crash_after_every_operation_of_a_recovery() {
    let began = Instant::now();
    let work = workload::run(None);
    let tally = Tally::default();
    let firsts = sample(&all_cases(&work), 200, 4);
    let points = crash_twice(&work, &firsts, usize::MAX, &tally);
    tally.finish("T2", points, began);
}
