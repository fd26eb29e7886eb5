//! What histories add, marks, and what cleaners say, as the lines of the document: see `describe`.

use cryptbackup::format::cleaning::{Announcement, CleaningRecord};
use cryptbackup::format::history::{Merged, Seen};
use cryptbackup::format::mark::{Accepted, Action, ForgetReason, Forgotten, MarkRecord};
use cryptbackup::format::record::{RemovedSlots, Time};
use cryptbackup::format::snapshot::Suspicion;

use crate::describe::{extra, optional_id, record, time};
use crate::lines::Lines;

/// An addition: a record without a version.
pub fn seen(seen: &Seen) -> Lines {
    let mut out = Lines::default();
    time(&mut out, "first", seen.first);
    time(&mut out, "last", seen.last);
    out.string("machine", seen.machine.as_bytes());
    out.truth("is_deleted_after", seen.is_deleted_after);
    out
}

/// An addition of a node: a moment without a version.
pub fn since(since: &Time) -> Lines {
    let mut out = Lines::default();
    out.int("seconds", since.seconds);
    out.uint("nanos", since.nanos);
    out
}

/// An addition of a history's record: a record without a version.
pub fn merged(merged: &Merged) -> Lines {
    let mut out = Lines::default();
    out.count("histories", merged.histories.len());
    for history in &merged.histories {
        out.raw("id", history.as_bytes());
    }
    out
}

/// An addition of a mark: a record without a version.
pub fn accepted(accepted: &Accepted) -> Lines {
    let mut out = Lines::default();
    out.raw("destination", accepted.destination.as_bytes());
    out.count("snapshots", accepted.snapshots.len());
    accepted.snapshots.iter().for_each(|id| out.raw("id", id.as_bytes()));
    out.count("marks", accepted.marks.len());
    accepted.marks.iter().for_each(|hash| out.raw("hash", hash.as_bytes()));
    out.count("packs", accepted.packs.len());
    accepted.packs.iter().for_each(|start| out.raw("start", start));
    out.count("forks", accepted.forks.len());
    accepted.forks.iter().for_each(|id| out.raw("id", id.as_bytes()));
    out
}

/// An addition of a ring: a record without a version.
pub fn removed(removed: &RemovedSlots) -> Lines {
    let mut out = Lines::default();
    out.count("slots", removed.slots.len());
    removed.slots.iter().for_each(|hash| out.raw("hash", hash.as_bytes()));
    out
}

/// An addition of a snapshot: a record without a version.
pub fn suspicion(suspicion: &Suspicion) -> Lines {
    let mut out = Lines::default();
    out.count("sources", suspicion.sources.len());
    for source in &suspicion.sources {
        out.string("path", &source.path);
        out.uint("files", source.files);
        out.uint("changed", source.changed);
        out.uint("opaque", source.opaque);
        out.uint("gone", source.gone);
    }
    out
}

pub fn mark(mark: &MarkRecord) -> Lines {
    let mut out = record();
    out.raw("writer", mark.writer.as_bytes());
    out.uint("sequence", mark.sequence);
    time(&mut out, "made", mark.made);
    action(&mut out, &mark.action);
    extra(&mut out, &mark.extra);
    out
}

fn action(out: &mut Lines, action: &Action) {
    match action {
        Action::Forget { reason, snapshots } => {
            out.variant("action", 0, "Forget");
            match reason {
                ForgetReason::Hand => out.variant("reason", 0, "Hand"),
                ForgetReason::Rule => out.variant("reason", 1, "Rule"),
                ForgetReason::Replaced => out.variant("reason", 2, "Replaced"),
            }
            out.count("snapshots", snapshots.len());
            for snapshot in snapshots {
                forgotten(out, snapshot);
            }
        }
        Action::Unforget { snapshots } => {
            out.variant("action", 1, "Unforget");
            out.count("snapshots", snapshots.len());
            for snapshot in snapshots {
                out.raw("id", snapshot.as_bytes());
            }
        }
        Action::Tag { snapshot, add, remove } => {
            out.variant("action", 2, "Tag");
            out.raw("snapshot", snapshot.as_bytes());
            for (field, tags) in [("add", add), ("remove", remove)] {
                out.count(field, tags.len());
                for tag in tags {
                    out.string("tag", tag.as_bytes());
                }
            }
        }
        Action::Note { snapshot, text } => {
            out.variant("action", 3, "Note");
            out.raw("snapshot", snapshot.as_bytes());
            out.string("text", text.as_bytes());
        }
        Action::Pin { snapshot, is_pinned } => {
            out.variant("action", 4, "Pin");
            out.raw("snapshot", snapshot.as_bytes());
            out.truth("is_pinned", *is_pinned);
        }
        Action::Accept { snapshot } => {
            out.variant("action", 5, "Accept");
            out.raw("snapshot", snapshot.as_bytes());
        }
    }
}

fn forgotten(out: &mut Lines, forgotten: &Forgotten) {
    out.raw("id", forgotten.id.as_bytes());
    optional_id(out, "writer", forgotten.writer.as_ref().map(|id| id.as_bytes().as_slice()));
    out.uint("sequence", forgotten.sequence);
    optional_id(out, "previous", forgotten.previous.as_ref().map(|id| id.as_bytes().as_slice()));
}

pub fn cleaning(said: &CleaningRecord) -> Lines {
    let mut out = record();
    out.raw("writer", said.writer.as_bytes());
    out.uint("number", said.number);
    time(&mut out, "made", said.made);
    match &said.announcement {
        Announcement::Session => out.variant("announcement", 0, "Session"),
        Announcement::Condemned { packs, sessions } => {
            out.variant("announcement", 1, "Condemned");
            out.count("packs", packs.len());
            for pack in packs {
                out.raw("id", pack.as_bytes());
            }
            out.count("sessions", sessions.len());
            for session in sessions {
                out.raw("id", session.as_bytes());
            }
        }
    }
    extra(&mut out, &said.extra);
    out
}
