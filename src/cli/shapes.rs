//! The parts JSON shapes are made of: paths, moments, problems, destinations. Fields may be added, never renamed.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::output::Output;
use crate::error::Error;
use crate::explore::EntryKind;
use crate::repo::{DestinationStatus, SlotKind, Time};
use crate::report::{Problem, ProblemKind};

/// `value` with a path under `key`; beside it `<key>_b64` with the exact bytes, when they are not UTF-8.
pub fn with_path(mut value: Value, key: &str, path: &[u8]) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(key.to_owned(), json!(String::from_utf8_lossy(path)));
        if str::from_utf8(path).is_err() {
            fields.insert(format!("{key}_b64"), json!(BASE64.encode(path)));
        }
    }
    value
}

/// `value` with a path under `key`, or null there.
pub fn with_optional_path(mut value: Value, key: &str, path: Option<&Path>) -> Value {
    if let Some(path) = path {
        return with_path(value, key, path_bytes(path));
    }
    if let Some(fields) = value.as_object_mut() {
        fields.insert(key.to_owned(), Value::Null);
    }
    value
}

/// The bytes of a path.
pub fn path_bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// A moment in RFC 3339, to the nanosecond.
pub fn moment(time: Time) -> String {
    super::units::timestamp(time).to_string()
}

/// A problem with one entry.
pub fn problem(problem: &Problem) -> Value {
    let value = json!({ "kind": problem_kind(problem.kind), "detail": problem.detail });
    with_path(value, "path", path_bytes(&problem.path))
}

/// Problems with entries.
pub fn problems(list: &[Problem]) -> Value {
    list.iter().map(problem).collect()
}

/// The name of a kind of problem.
pub fn problem_kind(kind: ProblemKind) -> Value {
    // A unit variant always has a name.
    serde_json::to_value(kind).unwrap_or(Value::Null)
}

/// The name of what an entry is.
pub fn entry_kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "file",
        EntryKind::Folder => "folder",
        EntryKind::Symlink => "symlink",
        EntryKind::Other => "other",
    }
}

/// The name of the kind of secret that opens a slot.
pub fn slot_kind(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Inline => "inline",
        SlotKind::Passphrase => "passphrase",
        SlotKind::Recovery => "recovery",
        SlotKind::KeyFile => "key-file",
    }
}

/// A destination as `status` and `destination list` show it.
pub fn destination(status: &DestinationStatus) -> Value {
    let value = json!({
        "name": status.name,
        "kind": status.kind,
        "state": status.state,
        "detail": status.detail,
        "free_bytes": status.free_bytes,
        "snapshots_behind": status.snapshots_behind,
        "last_snapshot": status.last_snapshot.map(moment),
    });
    with_path(value, "path", path_bytes(&status.path))
}

/// A listing too long to be held: one JSON array, written item by item.
pub struct Listing<'a> {
    out: &'a Output,
    is_empty: bool,
}

impl<'a> Listing<'a> {
    /// Nothing is written before the first item, so that an error can be the one document instead.
    pub fn new(out: &'a Output) -> Self {
        Self { out, is_empty: true }
    }

    /// Adds an item.
    pub fn item(&mut self, value: &Value) {
        self.out.part(if self.is_empty { b"[\n" } else { b",\n" });
        self.out.part(value.to_string().as_bytes());
        self.is_empty = false;
    }

    /// Ends the array, also one that an error cut short.
    ///
    /// # Errors
    /// The one given.
    pub fn end(self, result: Result<(), Error>) -> Result<(), Error> {
        match (self.is_empty, &result) {
            (false, _) => self.out.raw(b"\n]"),
            (true, Ok(())) => self.out.raw(b"[]"),
            (true, Err(_)) => {}
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::{Wishes, captured};
    use super::*;

    #[test]
    fn a_path_that_is_not_utf8_has_its_bytes_beside_it() {
        assert_eq!(with_path(json!({}), "path", "é".as_bytes()), json!({ "path": "é" }));
        assert_eq!(with_optional_path(json!({}), "file", None), json!({ "file": null }));
        let odd = with_path(json!({ "size": 1 }), "path", b"caf\xe9");
        assert_eq!(odd, json!({ "size": 1, "path": "caf\u{fffd}", "path_b64": "Y2Fm6Q==" }));
    }

    #[test]
    fn moments_are_rfc_3339() {
        let time = Time { seconds: 1_768_473_042, nanos: 500_000_000 };
        assert_eq!(moment(time), "2026-01-15T10:30:42.5Z");
    }

    #[test]
    fn a_problem_says_what_where_and_why() {
        let shown =
            problem(&Problem { path: "/a".into(), kind: ProblemKind::ChangedWhileRead, detail: "it grew".to_owned() });
        assert_eq!(shown, json!({ "path": "/a", "kind": "changed-while-read", "detail": "it grew" }));
    }

    #[test]
    fn a_listing_is_one_document() {
        for length in [0, 1, 3] {
            let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
            let mut listing = Listing::new(&out);
            for number in 0..length {
                listing.item(&json!({ "number": number }));
            }
            listing.end(Ok(())).expect("no error");
            let document: Value = serde_json::from_str(&stdout.text()).expect("one document");
            assert_eq!(document.as_array().map(Vec::len), Some(length));
        }
        let (out, stdout, _) = captured::output(Wishes { json: true, ..Wishes::default() });
        let failed = Listing::new(&out).end(Err(Error::Interrupted));
        assert!(failed.is_err() && stdout.text().is_empty(), "the error is the document");
    }
}
