//! Words for what the library names: kinds of places, states of destinations, lists of problems.

use super::names;
use super::output::{Output, Style};
use super::units;
use crate::destination::place::PlaceKind;
use crate::repo::{DestinationState, DestinationStatus};
use crate::report::Problem;

/// Problems that are listed; of the rest only the number is said.
const PROBLEMS_SHOWN: usize = 20;

/// The state of a destination in a word.
pub fn state(state: DestinationState) -> &'static str {
    match state {
        DestinationState::Online => "online",
        DestinationState::Absent => "absent",
        DestinationState::WrongDevice => "another device",
        DestinationState::ReadOnly => "read-only",
        DestinationState::Full => "full",
        DestinationState::Weak => "weak",
        DestinationState::Damaged => "damaged",
    }
}

/// Whether data can be written there.
pub fn is_usable(state: DestinationState) -> bool {
    matches!(state, DestinationState::Online | DestinationState::Weak)
}

/// Why a destination cannot be used, or cannot be trusted fully; nothing when all is well.
pub fn trouble(state: DestinationState, kind: PlaceKind) -> Option<&'static str> {
    Some(match (state, kind) {
        (DestinationState::Online, _) => return None,
        (DestinationState::Absent, PlaceKind::Nas) => "Destination not found (share not mounted?)",
        (DestinationState::Absent, PlaceKind::Local) => "Destination not found (folder moved or deleted?)",
        (DestinationState::Absent, _) => "Destination not found (device unplugged?)",
        (DestinationState::WrongDevice, _) => "Another device is at this place",
        (DestinationState::ReadOnly, _) => "Read-only",
        (DestinationState::Full, _) => "Full",
        (DestinationState::Weak, _) => "Names cannot be made durable there at once",
        (DestinationState::Damaged, _) => "Damaged",
    })
}

/// What stands at the end of a destination's line in `status`.
pub fn destination(out: &Output, status: &DestinationStatus) -> String {
    let mut parts = Vec::new();
    if is_usable(status.state) {
        parts.push(match status.free_bytes {
            Some(free) => format!("Free: {}", units::bytes(free)),
            None => out.paint(Style::Good, "Online"),
        });
    }
    if let Some(trouble) = trouble(status.state, status.kind) {
        let style = if is_usable(status.state) { Style::Attention } else { Style::Bad };
        parts.push(out.paint(style, trouble));
    }
    if let Some(detail) = &status.detail {
        parts.push(names::escape(detail.as_bytes()));
    }
    if status.snapshots_behind > 0 {
        let behind = units::counted(status.snapshots_behind, "snapshot behind", "snapshots behind");
        parts.push(out.paint(Style::Attention, &behind));
    }
    parts.join(", ")
}

/// Lists problems on stderr: the first few, then how many more there are.
pub fn list_problems(out: &Output, problems: &[Problem]) {
    if problems.is_empty() || out.wishes.json {
        return;
    }
    out.tell(&format!("{}:", units::counted(problems.len() as u64, "problem", "problems")));
    let shown = if out.wishes.verbose > 0 { problems.len() } else { PROBLEMS_SHOWN };
    for problem in problems.iter().take(shown) {
        out.tell(&format!("  {}", problem_line(problem)));
    }
    if let Some(rest) = problems.len().checked_sub(shown).filter(|rest| *rest > 0) {
        out.tell(&format!("  … and {} more (`-v` lists all)", units::count(rest as u64)));
    }
}

/// A problem as one line.
pub fn problem_line(problem: &Problem) -> String {
    format!("{}: {}", names::path(&problem.path), names::escape(problem.detail.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::output::{Wishes, captured};
    use super::*;
    use crate::report::ProblemKind;

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
        assert_eq!(text.lines().count(), 22);
        assert!(text.starts_with("23 problems:\n  /f\\n0: denied\n"), "{text}");
        assert!(text.ends_with("… and 3 more (`-v` lists all)\n"), "{text}");
        assert_eq!(stdout.text(), "");

        let (out, _, stderr) = captured::output(Wishes::default());
        list_problems(&out, &some(20));
        assert_eq!(stderr.text().lines().count(), 21);
        let (out, _, stderr) = captured::output(Wishes { verbose: 1, ..Wishes::default() });
        list_problems(&out, &some(23));
        assert_eq!(stderr.text().lines().count(), 24);
        list_problems(&out, &[]);
        assert_eq!(stderr.text().lines().count(), 24);
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
