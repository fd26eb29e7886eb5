//! Words for what the library names: kinds of places, states of destinations, lists of problems.

use super::names;
use super::output::{Output, Style};
use super::units;
use crate::destination::place::PlaceKind;
use crate::format::id::SnapshotId;
use crate::repo::{DestinationState, DestinationStatus};
use crate::report::{Problem, ProblemKind};

/// Problems that are listed; of the rest only the number is said.
const PROBLEMS_SHOWN: usize = 20;

/// Whether data can be written there.
pub fn is_usable(state: DestinationState) -> bool {
    matches!(state, DestinationState::Online | DestinationState::Weak)
}

/// Why a destination cannot be used, or cannot be trusted fully, with what else is known of it; nothing when all is well.
pub fn trouble(state: DestinationState, kind: PlaceKind, detail: Option<&str>) -> Option<String> {
    let detail = detail.map(|detail| names::escape(detail.as_bytes()));
    let trouble = match (state, kind) {
        (DestinationState::Online, _) => return detail,
        (DestinationState::Absent, _) if detail.is_some() => "Out of reach",
        (DestinationState::Absent, PlaceKind::Nas) => "Destination not found (share not mounted?)",
        (DestinationState::Absent, PlaceKind::Local) => "Destination not found (folder moved or deleted?)",
        (DestinationState::Absent, _) => "Destination not found (device unplugged?)",
        (DestinationState::WrongDevice, _) => "Something else is at this place",
        (DestinationState::ReadOnly, _) => "It cannot be written",
        (DestinationState::Full, _) => "Full",
        (DestinationState::Weak, _) => "Names cannot be made durable there at once",
        (DestinationState::RolledBack, _) => "Rolled back, or something is hidden",
        (DestinationState::Damaged, _) => "Damaged",
    };
    Some(match detail {
        Some(detail) => format!("{trouble}: {detail}"),
        None => trouble.to_owned(),
    })
}

/// `2 snapshots behind`; nothing for none.
pub fn behind(snapshots: u64) -> Option<String> {
    (snapshots > 0).then(|| units::counted(snapshots, "snapshot behind", "snapshots behind"))
}

/// `Snapshot 3f2a9c01`, `Snapshots 3f2a9c01, 77d01be4`.
pub fn snapshots(ids: &[SnapshotId]) -> String {
    let short: Vec<String> = ids.iter().map(|id| id.short()).collect();
    format!("{} {}", if ids.len() == 1 { "Snapshot" } else { "Snapshots" }, short.join(", "))
}

/// What to do about a destination that lacks snapshots.
pub fn hint_of(state: DestinationState) -> &'static str {
    match state {
        DestinationState::Absent => "it is brought up to date by the next `backup` or `sync` when it is there again",
        DestinationState::WrongDevice => {
            "bring back what was there, or run `cryptbackup destination accept NAME` if it is its replacement"
        }
        DestinationState::Full => "make room on it, then run `cryptbackup sync`",
        DestinationState::ReadOnly => "make it writable, then run `cryptbackup sync`",
        DestinationState::RolledBack => {
            "`cryptbackup sync` brings back what other destinations have; `cryptbackup destination accept NAME` takes it as it is"
        }
        DestinationState::Damaged => "`cryptbackup check --read-data` lists what is damaged",
        DestinationState::Online | DestinationState::Weak => {
            "`cryptbackup sync` brings it up to date while a destination that has those snapshots is within reach"
        }
    }
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
    if let Some(trouble) = trouble(status.state, status.kind, status.detail.as_deref()) {
        let style = if is_usable(status.state) { Style::Attention } else { Style::Bad };
        parts.push(out.paint(style, &trouble));
    }
    parts.extend(behind(status.snapshots_behind).map(|behind| out.paint(Style::Attention, &behind)));
    parts.join(", ")
}

/// Says on stderr that a destination lacks snapshots, and what to do. Why is in the report, unless there is none.
pub fn warn_of_behind(out: &Output, name: &str, snapshots: u64, state: DestinationState, trouble: Option<String>) {
    let lacks = behind(snapshots).unwrap_or_else(|| "behind".to_owned());
    let why = trouble.filter(|_| out.wishes.quiet).map(|why| format!(": {why}")).unwrap_or_default();
    out.warn(&format!("[{name}] is {lacks}{why}"));
    out.tell(&format!("hint: {}", hint_of(state)));
}

/// Lists problems on stderr: the first few, how many more there are, and what to do.
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
    let mut hints: Vec<&str> = problems.iter().filter_map(|problem| hint_of_problem(problem.kind)).collect();
    hints.sort_unstable();
    hints.dedup();
    for hint in hints {
        out.tell(&format!("hint: {hint}"));
    }
}

fn hint_of_problem(kind: ProblemKind) -> Option<&'static str> {
    Some(match kind {
        ProblemKind::Unreadable => {
            "where there is a previous version, it stands in for what could not be read; check its permissions, or leave it out with \
             `cryptbackup add DIR --exclude PATTERNS`"
        }
        ProblemKind::ChangedWhileRead => {
            "what changed while it was read is stored as it was read, and read again next time"
        }
        ProblemKind::Vanished => return None,
        ProblemKind::SourceMissing => {
            "its last backup stands; `cryptbackup remove DIR` takes it out, `backup --force` accepts that it is empty"
        }
        ProblemKind::NeverBackedUp => {
            "what could not be read when it was backed up is in no snapshot; mend its permissions where it is, and back \
             up again"
        }
        ProblemKind::NotRestored => "mend that and restore again; what is right already is not written again",
        ProblemKind::MetadataNotRestored => "owners and some attributes can only be restored by root",
        ProblemKind::Damaged => {
            "plug in the other destinations and try again; `cryptbackup check --read-data` lists what is damaged where"
        }
    })
}

/// A problem as one line.
pub fn problem_line(problem: &Problem) -> String {
    format!("{}: {}", names::path(&problem.path), names::escape(problem.detail.as_bytes()))
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
