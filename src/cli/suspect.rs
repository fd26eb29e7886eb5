//! Runs that look suspect: in words and as parts of documents.

use serde_json::{Value, json};

use super::messages::text;
use super::names;
use super::output::Output;
use super::shapes::{self, with_path};
use crate::repo::{Suspect, SuspectSource};

/// Why a source looks suspect, as a sentence without a full stop.
pub fn reason(source: &SuspectSource) -> String {
    let changed = || text!("suspect-changed", changed = source.changed, opaque = source.opaque);
    let gone = || text!("suspect-gone", gone = source.gone);
    let path = names::escape(&source.path);
    let why = match (source.opaque, source.gone) {
        (0, 0) => return text!("suspect", path = path),
        (_, 0) => changed(),
        (0, _) => gone(),
        (_, _) => text!("suspect-changed-and-gone", changed = changed(), gone = gone()),
    };
    text!("suspect-why", path = path, files = source.files, why = why)
}

/// A source that looks suspect.
pub fn source(source: &SuspectSource) -> Value {
    let value = json!({
        "files": source.files,
        "files_changed": source.changed,
        "files_opaque": source.opaque,
        "files_gone": source.gone,
    });
    with_path(value, "path", &source.path)
}

/// A snapshot that looks suspect.
pub fn snapshot(suspect: &Suspect) -> Value {
    json!({
        "snapshot_id": suspect.id.to_string(),
        "time": shapes::moment(suspect.time),
        "sources": suspect.sources.iter().map(source).collect::<Value>(),
    })
}

/// Says on stderr that the run that just ended looks suspect.
pub fn warn(out: &Output, sources: &[SuspectSource]) {
    for source in sources {
        out.warn(&reason(source));
    }
    if !sources.is_empty() {
        out.hint(&text!("suspect-hint"));
    }
}

/// Says on stderr of which sources nothing goes, and why.
pub fn warn_of_suspended(out: &Output, suspects: &[Suspect]) {
    for suspect in suspects {
        for source in &suspect.sources {
            out.warn(&text!("suspect-nothing-goes", id = suspect.id.short(), why = reason(source)));
        }
    }
    if !suspects.is_empty() {
        out.hint(&text!("suspect-hint-forget"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_its_numbers() {
        let source = |opaque, gone| SuspectSource { path: b"/a".to_vec(), files: 1_200, changed: 1_100, opaque, gone };
        assert_eq!(
            reason(&source(1_000, 3)),
            "/a looks suspect: of 1,200 files 1,100 have another content, that of 1,000 looks random (encrypted?), and 3 \
             are gone"
        );
        assert_eq!(reason(&source(0, 700)), "/a looks suspect: of 1,200 files 700 are gone");
        assert_eq!(reason(&source(0, 0)), "/a looks suspect");
        assert_eq!(self::source(&source(5, 6))["files_opaque"], 5);
    }
}
