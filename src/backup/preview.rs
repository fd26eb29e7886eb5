//! What a backup would read, without reading or writing anything.

use super::pipeline::SourceRun;
use super::scan::Scan;
use super::step::Step;
use super::{BackupReport, BackupRequest, Phase};
use crate::error::Error;
use crate::format::record::Time;
use crate::index::DestinationBits;
use crate::replicate::Fetcher;
use crate::repo::Repo;
use crate::repo::settings::SourceSettings;
use crate::report::{Monitor, Problem, ProblemKind};

/// Scans every source and counts.
pub(super) fn run(
    repo: &Repo,
    sources: &[SourceSettings],
    request: &BackupRequest,
    phase: &Phase,
    started: Time,
    monitor: &dyn Monitor,
) -> Result<BackupReport, Error> {
    let mut report = BackupReport { dry_run: true, ..BackupReport::default() };
    report.excluded = each_step(repo, sources, request, phase, started, monitor, &mut |step| match step {
        Ok(step) => count(&mut report, step, monitor),
        Err(problem) => {
            monitor.problem(&problem);
            report.problems.push(problem);
        }
    })?;
    Ok(report)
}

/// Gives what a run would do, step by step, and the sources that it could not read; returns how many entries are left out.
pub(super) fn each_step(
    repo: &Repo,
    sources: &[SourceSettings],
    request: &BackupRequest,
    phase: &Phase,
    started: Time,
    monitor: &dyn Monitor,
    each: &mut dyn FnMut(Result<Step, Problem>),
) -> Result<u64, Error> {
    let view = repo.index.reader()?;
    let line = repo.lineage(&view)?;
    let fetcher = Fetcher::new(&repo.keys, &view, &repo.destinations, repo.budget);
    let mut excluded = 0;
    // Without a destination within reach the question is still what changed since the last snapshot.
    let reachable = repo.destinations.iter().map(|destination| destination.bit).fold(0, |a, b| a | b);
    for source in sources {
        let run = SourceRun { repo, source, request, phase, started, line: &line, fetcher: &fetcher, reachable };
        let mut context = run.scan_context();
        if reachable == 0
            && let Some(previous) = &mut context.previous
        {
            previous.coverage.whole = DestinationBits::MAX;
        }
        let mut walk = match run.begin(&context, None) {
            Ok(walk) => walk,
            Err(detail) => {
                each(Err(Problem { path: source.path.clone(), kind: ProblemKind::SourceMissing, detail }));
                continue;
            }
        };
        let outcome = Scan::run(&context, &mut walk, &mut |step| {
            each(Ok(step));
            !monitor.should_stop()
        })?;
        excluded += outcome.excluded;
    }
    if monitor.should_stop() { Err(Error::Interrupted) } else { Ok(excluded) }
}

fn count(report: &mut BackupReport, step: Step, monitor: &dyn Monitor) {
    match step {
        Step::Enter(_) => report.folders += 1,
        Step::Same(folder) => {
            report.folders += folder.folders;
            report.files_unmodified += folder.files;
        }
        Step::Keep { is_unmodified, .. } => report.files_unmodified += u64::from(is_unmodified),
        Step::Read(job) | Step::Link(job) => {
            report.bytes_read += if job.link.is_some() && job.entry.stat.links > 1 && job.previous.is_some() {
                0
            } else {
                job.entry.stat.size
            };
            match job.previous {
                Some(_) if job.is_recheck => {
                    (report.files_rechecked, report.files_unmodified) =
                        (report.files_rechecked + 1, report.files_unmodified + 1)
                }
                Some(_) => report.files_changed += 1,
                None => report.files_new += 1,
            }
            monitor.current(&job.entry.path.display().to_string());
        }
        Step::Problem(problem) => {
            monitor.problem(&problem);
            report.problems.push(problem);
        }
        Step::Leave(_) | Step::Retire(..) => {}
    }
}
