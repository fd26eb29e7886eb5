//! Words for what the library names: kinds of places, states of destinations, lists of problems.

use std::path::Path;

use super::messages::{library, text};
use super::names;
use super::output::{Output, Style};
use super::units;
use crate::check::Severity;
use crate::repo::{DestinationState, DestinationStatus, PlaceKind, SlotKind};
use crate::report::{Problem, ProblemKind};

/// Problems that are listed; of the rest only the number is said.
const PROBLEMS_SHOWN: usize = 20;

/// Whether data can be written there.
pub fn is_usable(state: DestinationState) -> bool {
    matches!(state, DestinationState::Online | DestinationState::Weak)
}

/// Why a destination cannot be used, or cannot be trusted fully, with what else is known of it; nothing when all is well.
pub fn trouble(state: DestinationState, kind: PlaceKind, detail: Option<&str>) -> Option<String> {
    let detail = detail.map(|detail| names::escape(library::translated(detail).as_bytes()));
    let trouble = match (state, kind) {
        (DestinationState::Online, _) => return detail,
        (DestinationState::Absent, _) if detail.is_some() => text!("destination-out-of-reach"),
        (DestinationState::Absent, PlaceKind::Nas) => text!("destination-absent-nas"),
        (DestinationState::Absent, PlaceKind::Local) => text!("destination-absent-local"),
        (DestinationState::Absent, _) => text!("destination-absent"),
        (DestinationState::WrongDevice, _) => text!("destination-wrong-device"),
        (DestinationState::ReadOnly, _) => text!("destination-read-only"),
        (DestinationState::Full, _) => text!("destination-full"),
        (DestinationState::Weak, _) => text!("destination-weak"),
        (DestinationState::RolledBack, _) => text!("destination-rolled-back"),
        (DestinationState::Damaged, _) => text!("destination-damaged"),
    };
    Some(match detail {
        Some(detail) => text!("destination-trouble", trouble = trouble, detail = detail),
        None => trouble,
    })
}

/// `2 snapshots behind`; nothing for none.
pub fn behind(snapshots: u64) -> Option<String> {
    (snapshots > 0).then(|| text!("snapshots-behind", n = snapshots))
}

/// How grave a finding is.
pub fn severity(out: &Output, severity: Severity) -> String {
    match severity {
        Severity::Damage => out.paint(Style::Bad, &text!("finding-damage")),
        Severity::Notice => out.paint(Style::Attention, &text!("finding-notice")),
    }
}

/// What to do about a destination that lacks snapshots.
fn hint_of(state: DestinationState, name: &str, path: &Path) -> String {
    match state {
        DestinationState::Absent => text!("behind-hint-absent"),
        DestinationState::WrongDevice => text!("behind-hint-wrong-device", name = name, path = names::path(path)),
        DestinationState::Full => text!("behind-hint-full"),
        DestinationState::ReadOnly => text!("behind-hint-read-only"),
        DestinationState::RolledBack => text!("behind-hint-rolled-back", name = name),
        DestinationState::Damaged => text!("behind-hint-damaged"),
        DestinationState::Online | DestinationState::Weak => text!("behind-hint-sync"),
    }
}

/// Commands and what each is for, in two columns of which the first has at least this many letters.
pub fn steps(out: &Output, width: usize, steps: &[(String, String)]) {
    let width = steps.iter().map(|(command, _)| command.chars().count() + 2).max().unwrap_or_default().max(width);
    for (command, purpose) in steps {
        out.say(format!("  {command:<width$}{purpose}").trim_end());
    }
}

/// What kind of secret opens a slot.
pub fn slot_kind(kind: SlotKind) -> String {
    match kind {
        SlotKind::Inline => text!("slot-inline"),
        SlotKind::Passphrase => text!("slot-passphrase"),
        SlotKind::Recovery => text!("slot-recovery"),
        SlotKind::KeyFile => text!("slot-key-file"),
    }
}

/// What stands at the end of a destination's line in `status`.
pub fn destination(out: &Output, status: &DestinationStatus) -> String {
    let mut parts = Vec::new();
    if is_usable(status.state) {
        parts.push(match status.free_bytes {
            Some(free) => text!("destination-free", size = units::bytes(free)),
            None => out.paint(Style::Good, &text!("destination-online")),
        });
    }
    if let Some(trouble) = trouble(status.state, status.kind, status.detail.as_deref()) {
        let style = if is_usable(status.state) { Style::Attention } else { Style::Bad };
        parts.push(out.paint(style, &trouble));
    }
    parts.extend(behind(status.snapshots_behind).map(|behind| out.paint(Style::Attention, &behind)));
    parts.join(", ")
}

/// Says on stderr that a destination lacks snapshots, and what to do. Why is in the report, unless there is none.
pub fn warn_of_behind(
    out: &Output,
    name: &str,
    path: &Path,
    snapshots: u64,
    state: DestinationState,
    trouble: Option<String>,
) {
    let why = trouble.filter(|_| out.wishes.quiet).map(|why| text!("because", why = why)).unwrap_or_default();
    out.warn(&match snapshots {
        0 => text!("destination-is-behind", name = name, why = why),
        n => text!("destination-lacks", name = name, n = n, why = why),
    });
    out.hint(&hint_of(state, name, path));
}

/// Lists problems on stderr: the first few, how many more there are, and what to do.
pub fn list_problems(out: &Output, problems: &[Problem]) {
    if problems.is_empty() || out.wishes.json {
        return;
    }
    out.tell(&text!("problems-heading", n = problems.len()));
    let shown = if out.wishes.verbose > 0 { problems.len() } else { PROBLEMS_SHOWN };
    for problem in problems.iter().take(shown) {
        out.tell(&format!("  {}", problem_line(problem)));
    }
    if let Some(rest) = problems.len().checked_sub(shown).filter(|rest| *rest > 0) {
        out.tell(&format!("  {}", text!("problems-more", n = rest)));
    }
    let mut hints: Vec<String> = problems.iter().filter_map(|problem| hint_of_problem(problem.kind)).collect();
    hints.sort_unstable();
    hints.dedup();
    for hint in hints {
        out.hint(&hint);
    }
}

fn hint_of_problem(kind: ProblemKind) -> Option<String> {
    Some(match kind {
        ProblemKind::Unreadable => text!("problem-hint-unreadable"),
        ProblemKind::ChangedWhileRead => text!("problem-hint-changed"),
        ProblemKind::Vanished => return None,
        ProblemKind::SourceMissing => text!("problem-hint-source-missing"),
        ProblemKind::Rotten => text!("problem-hint-rotten"),
        ProblemKind::NeverBackedUp => text!("problem-hint-never-backed-up"),
        ProblemKind::NotRestored => text!("problem-hint-not-restored"),
        ProblemKind::MetadataNotRestored => text!("problem-hint-metadata"),
        ProblemKind::Damaged => text!("problem-hint-damaged"),
    })
}

/// A problem as one line.
pub fn problem_line(problem: &Problem) -> String {
    text!(
        "problem-line",
        path = names::path(&problem.path),
        detail = names::escape(library::translated(&problem.detail).as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::super::output::{Wishes, captured};
    use super::*;

    fn some(count: usize) -> Vec<Problem> {
        let problem =
            |n| Problem { path: format!("/f\n{n}").into(), kind: ProblemKind::Unreadable, detail: "denied".to_owned() };
        (0..count).map(problem).collect()
    }

    #[test]
    fn the_first_twenty_problems_and_the_count_of_the_rest() {
        let (out, stdout, stderr) = captured::output(Wishes { quiet: true, ..Wishes::default() });
        list_problems(&out, &some(23));
        let text = stderr.text();
        assert_eq!(text.lines().count(), 23);
        assert!(text.starts_with("23 problems:\n  /f\\n0: denied\n"), "{text}");
        assert!(text.contains("… and 3 more (`-v` lists all)\nhint: "), "{text}");
        // What adds to what is left out, and does not replace it.
        assert!(text.contains("`cryptbackup exclude PATTERNS`"), "{text}");
        assert_eq!(stdout.text(), "");

        let (out, _, stderr) = captured::output(Wishes::default());
        list_problems(&out, &some(20));
        assert_eq!(stderr.text().lines().count(), 22);
        let (out, _, stderr) = captured::output(Wishes { verbose: 1, ..Wishes::default() });
        list_problems(&out, &some(23));
        assert_eq!(stderr.text().lines().count(), 25);
        list_problems(&out, &[]);
        assert_eq!(stderr.text().lines().count(), 25);
    }

    #[test]
    fn the_end_of_a_destinations_line() {
        let (out, ..) = captured::output(Wishes::default());
        let status = |state, free_bytes, snapshots_behind| DestinationStatus {
            name: "secondary".to_owned(),
            path: "/media/usb".into(),
            kind: PlaceKind::Usb,
            state,
            detail: None,
            free_bytes,
            snapshots_behind,
            last_snapshot: None,
        };
        assert_eq!(destination(&out, &status(DestinationState::Online, Some(45_200_000_000), 0)), "Free: 45.2 GB");
        assert_eq!(
            destination(&out, &status(DestinationState::Absent, None, 2)),
            "Destination not found (device unplugged?), 2 snapshots behind"
        );
    }
}
