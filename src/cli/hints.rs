//! From an error to what a person reads and a script sees: one match, so that sentence, hint and exit code agree.

use std::path::Path;

use super::exit::ExitStatus;
use super::messages::library::translated;
use super::messages::text;
use super::names;
use crate::error::{DestinationError, DestinationErrorKind, Error, FormatError, ReadError, SourceError};

/// An error, for people and scripts.
#[derive(Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The error's name in JSON; never changes.
    pub name: &'static str,
    /// What happened.
    pub sentence: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The exit code.
    pub status: ExitStatus,
}

/// Explains an error.
pub fn explain(error: &Error) -> Explanation {
    let (name, status, sentence, hint) = parts(error);
    let escaped = |said: String| names::escape(said.as_bytes());
    Explanation { name, sentence: escaped(sentence), hint: hint.map(escaped), status }
}

/// Name, exit code, sentence and hint.
type Parts = (&'static str, ExitStatus, String, Option<String>);

fn parts(error: &Error) -> Parts {
    use ExitStatus as Exit;
    match error {
        Error::NotInitialised { home, holds_state } => not_initialised(home, *holds_state),
        Error::ForeignState { path, what } => {
            let sentence = text!("error-foreign-state", path = show(path), what = translated(what));
            ("foreign-state", Exit::NotInitialised, sentence, Some(text!("hint-move-away")))
        }
        Error::AlreadyInitialised { home, lacks_settings } => already_initialised(home, *lacks_settings),
        Error::WrongKey { what } => {
            let sentence = text!("error-wrong-key", what = translated(what));
            ("wrong-key", Exit::WrongKey, sentence, Some(text!("hint-key")))
        }
        Error::NoDestination { tried } => no_destination(tried),
        Error::TooFewCopies { committed, wanted, reasons } => too_few_copies(*committed, *wanted, reasons),
        Error::NotADestination { path, why } => {
            let sentence = text!("error-not-a-destination", path = show(path), why = translated(why));
            ("no-destination", Exit::NoDestination, sentence, Some(text!("hint-connect")))
        }
        Error::Damaged { object, place, detail } => damaged(object, place, detail),
        Error::NotFound { what } => not_found(what, text!("hint-look")),
        Error::Unlisted { what, by } => not_found(what, text!("hint-listed", command = *by)),
        Error::BrokenSettings { path, line, key, detail } => broken_settings(path, *line, key, detail),
        Error::Config { key, detail } => {
            let sentence = text!("error-config", key = key.as_str(), detail = translated(detail));
            ("config", Exit::Usage, sentence, Some(text!("hint-show")))
        }
        Error::Usage(sentence) => ("usage", Exit::Usage, translated(sentence), None),
        Error::Locked { home, holder } => locked(home, *holder),
        Error::Unsure(why) => ("unsure", Exit::Failed, translated(why), Some(text!("hint-force-clean"))),
        Error::Overtaken => ("overtaken", Exit::Failed, text!("error-overtaken"), Some(text!("hint-again"))),
        Error::Interrupted => ("interrupted", Exit::Interrupted, text!("error-interrupted"), Some(text!("hint-go-on"))),
        Error::OpenToOthers { path } => {
            let sentence = text!("error-open-to-others", path = show(path));
            ("open-to-others", Exit::Failed, sentence, Some(text!("hint-chmod")))
        }
        Error::NothingToBackUp(why) => {
            let sentence = text!("error-nothing-to-back-up", why = translated(why));
            ("nothing-to-back-up", Exit::Failed, sentence, Some(text!("hint-add")))
        }
        Error::NothingCame { name } => {
            let sentence = text!("error-nothing-came", name = show(name));
            ("nothing-to-back-up", Exit::Failed, sentence, Some(text!("hint-nothing-came")))
        }
        Error::Io { what, path, source } => {
            let (what, reason) = (translated(what), translated(&source.to_string()));
            let path = translated(&show(path));
            ("io", Exit::Failed, text!("error-io", what = what, path = path, reason = reason), io_hint(source))
        }
        Error::NoThread(_) => ("no-thread", Exit::Failed, translated(&error.to_string()), Some(text!("hint-threads"))),
        Error::Format { object, source } => format(object, source),
        Error::Destination(error) => destination(error),
        Error::Source(error) => {
            let is_wrong = matches!(error, SourceError::BadPattern { .. });
            let status = if is_wrong { Exit::Usage } else { Exit::Failed };
            ("source", status, translated(&error.to_string()), Some(text!("hint-sources")))
        }
        Error::Read(error) => unreadable(error),
        Error::Seal(error) => ("seal", Exit::Failed, translated(&error.to_string()), Some(text!("hint-memory"))),
        Error::Index { detail, has_no_room } => {
            let sentence = text!("error-index", detail = translated(detail));
            let hint = if *has_no_room { text!("hint-room") } else { text!("hint-rebuild") };
            ("index", Exit::Failed, sentence, Some(hint))
        }
    }
}

fn not_initialised(home: &Path, holds_state: bool) -> Parts {
    let nothing = || (text!("error-not-initialised", home = show(home)), text!("hint-init"));
    let (sentence, hint) = if holds_state { settings_lost(home) } else { nothing() };
    ("not-initialised", ExitStatus::NotInitialised, sentence, Some(hint))
}

fn already_initialised(home: &Path, lacks_settings: bool) -> Parts {
    let whole = || (text!("error-already-initialised", home = show(home)), text!("hint-force"));
    let (sentence, hint) = if lacks_settings { settings_lost(home) } else { whole() };
    ("already-initialised", ExitStatus::Usage, sentence, Some(hint))
}

fn no_destination(tried: &[(String, String)]) -> Parts {
    let (sentence, hint) = match tried {
        [] => (text!("error-no-destination"), text!("hint-add-destination")),
        tried => (text!("error-unreachable", reasons = reasons(tried)), text!("hint-plug-in")),
    };
    ("no-destination", ExitStatus::NoDestination, sentence, Some(hint))
}

fn too_few_copies(committed: usize, wanted: usize, why: &[(String, String)]) -> Parts {
    let why = reasons(why);
    let (sentence, hint) = match committed {
        0 => (text!("error-stored-nowhere", reasons = why), text!("hint-no-copy")),
        number => {
            (text!("error-too-few-copies", number = number, wanted = wanted, reasons = why), text!("hint-more-copies"))
        }
    };
    ("too-few-copies", ExitStatus::TooFewCopies, sentence, Some(hint))
}

fn damaged(object: &str, place: &str, detail: &str) -> Parts {
    let (object, place, detail) = (translated(object), translated(place), translated(detail));
    let sentence = text!("error-damaged", object = object, place = place, detail = detail);
    ("damaged", ExitStatus::Damage, sentence, Some(text!("hint-check")))
}

fn locked(home: &Path, holder: Option<u32>) -> Parts {
    let sentence = match holder {
        Some(process) => text!("error-locked-by", home = show(home), process = process.to_string()),
        None => text!("error-locked", home = show(home)),
    };
    ("locked", ExitStatus::Failed, sentence, Some(text!("hint-wait")))
}

fn format(object: &str, source: &FormatError) -> Parts {
    let object = translated(object);
    if let FormatError::Unsupported { version, .. } = source {
        let sentence = text!("error-newer-program", object = object, version = version.to_string());
        return ("needs-newer-program", ExitStatus::Failed, sentence, Some(text!("hint-update")));
    }
    let sentence = text!("error-format", object = object, reason = translated(&source.to_string()));
    ("damaged", ExitStatus::Damage, sentence, Some(text!("hint-check")))
}

fn destination(error: &DestinationError) -> Parts {
    let is_damage = error.kind == DestinationErrorKind::Damaged;
    let status = if is_damage { ExitStatus::Damage } else { ExitStatus::Failed };
    let (what, place, reason) = (translated(&error.what), translated(&error.place), translated(&error.reason));
    let sentence = text!("error-destination", what = what, place = place, reason = reason);
    ("destination", status, sentence, Some(destination_hint(error.kind)))
}

fn unreadable(error: &ReadError) -> Parts {
    let (status, hint) = match error {
        ReadError::Cleaned => (ExitStatus::Failed, text!("hint-again")),
        ReadError::Index(_) => (ExitStatus::Failed, text!("hint-others")),
        _ => (ExitStatus::Damage, text!("hint-others")),
    };
    ("unreadable", status, translated(&error.to_string()), Some(hint))
}

/// The sentence and the hint where the state of a repository is and no `config.yaml`.
fn settings_lost(home: &Path) -> (String, String) {
    (text!("error-settings-lost", home = show(home)), text!("hint-settings-lost"))
}

fn not_found(what: &str, hint: String) -> Parts {
    ("not-found", ExitStatus::Failed, text!("error-not-found", what = translated(what)), Some(hint))
}

fn broken_settings(path: &Path, line: Option<usize>, key: &str, detail: &str) -> Parts {
    let detail = translated(detail);
    let what = if key.is_empty() { detail } else { text!("error-config", key = key, detail = detail) };
    let sentence = match line {
        Some(line) => text!("error-settings-line", path = show(path), line = line.to_string(), what = what),
        None => text!("error-settings", path = show(path), what = what),
    };
    ("config", ExitStatus::Usage, sentence, Some(text!("hint-settings-broken", path = show(path))))
}

fn destination_hint(kind: DestinationErrorKind) -> String {
    match kind {
        DestinationErrorKind::Full => text!("hint-room"),
        DestinationErrorKind::Denied | DestinationErrorKind::ReadOnly => text!("hint-permissions"),
        DestinationErrorKind::Damaged => text!("hint-check"),
        _ => text!("hint-plugged"),
    }
}

fn io_hint(source: &std::io::Error) -> Option<String> {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => Some(text!("hint-permissions")),
        std::io::ErrorKind::ReadOnlyFilesystem => Some(text!("hint-read-only")),
        std::io::ErrorKind::StorageFull => Some(text!("hint-room")),
        std::io::ErrorKind::AlreadyExists => Some(text!("hint-there")),
        _ => None,
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

/// ` : [usb] unplugged; [nas] away`, with its colon; nothing for none.
fn reasons(list: &[(String, String)]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let each = list.iter().map(|(name, why)| format!("[{name}] {}", translated(why)));
    text!("because", why = each.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::*;

    fn one_of_each() -> Vec<(Error, u8)> {
        let path = PathBuf::from("/p");
        let why = vec![("usb".to_owned(), "not there".to_owned())];
        let unsupported = FormatError::Unsupported { version: 9, features: 0 };
        let text = || "text".to_owned();
        vec![
            (Error::NotInitialised { home: path.clone(), holds_state: false }, 10),
            (Error::NotInitialised { home: path.clone(), holds_state: true }, 10),
            (Error::ForeignState { path: path.clone(), what: "a database" }, 10),
            (Error::AlreadyInitialised { home: path.clone(), lacks_settings: false }, 2),
            (Error::AlreadyInitialised { home: path.clone(), lacks_settings: true }, 2),
            (Error::WrongKey { what: text() }, 12),
            (Error::NoDestination { tried: Vec::new() }, 13),
            (Error::NoDestination { tried: why.clone() }, 13),
            (Error::TooFewCopies { committed: 1, wanted: 2, reasons: why }, 14),
            (Error::NotADestination { path: path.clone(), why: text() }, 13),
            (Error::Damaged { object: text(), place: text(), detail: text() }, 15),
            (Error::NotFound { what: text() }, 1),
            (Error::Config { key: text(), detail: text() }, 2),
            (Error::BrokenSettings { path: path.clone(), line: Some(3), key: text(), detail: text() }, 2),
            (Error::BrokenSettings { path: path.clone(), line: None, key: String::new(), detail: text() }, 2),
            (Error::Unlisted { what: text(), by: "key list" }, 1),
            (Error::NothingCame { name: path.clone() }, 1),
            (Error::Usage(text()), 2),
            (Error::Locked { home: path.clone(), holder: Some(1) }, 1),
            (Error::Unsure(text()), 1),
            (Error::Overtaken, 1),
            (Error::Interrupted, 130),
            (Error::OpenToOthers { path: path.clone() }, 1),
            (Error::NothingToBackUp(text()), 1),
            (Error::Io { what: text(), path, source: io::ErrorKind::PermissionDenied.into() }, 1),
            (Error::NoThread(io::ErrorKind::WouldBlock.into()), 1),
            (Error::Format { object: text(), source: unsupported }, 1),
            (Error::Format { object: text(), source: FormatError::Checksum }, 15),
            (Error::Index { detail: text(), has_no_room: false }, 1),
        ]
    }

    #[test]
    fn every_error_has_its_code_a_sentence_and_a_hint() {
        for (error, code) in one_of_each() {
            let explained = explain(&error);
            assert_eq!(explained.status.code(), code, "{error:?}");
            assert!(!explained.sentence.is_empty() && !explained.sentence.ends_with('.'), "{explained:?}");
            let needs_none = matches!(error, Error::Usage(_));
            assert_eq!(explained.hint.is_none(), needs_none, "{explained:?}");
            assert!(explained.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{explained:?}");
        }
    }

    #[test]
    fn reasons_of_every_destination_are_in_the_sentence() {
        let tried = vec![("usb".to_owned(), "unplugged".to_owned()), ("nas".to_owned(), "away".to_owned())];
        let sentence = explain(&Error::NoDestination { tried }).sentence;
        assert!(sentence.contains("[usb] unplugged; [nas] away"), "{sentence}");
    }

    #[test]
    fn fewer_copies_are_no_way_out_where_there_is_none() {
        let hint = |committed| explain(&Error::TooFewCopies { committed, wanted: 2, reasons: Vec::new() }).hint;
        assert!(hint(1).is_some_and(|hint| hint.contains("min_copies")));
        assert!(hint(0).is_some_and(|hint| !hint.contains("min_copies")));
    }

    #[test]
    fn a_folder_that_is_none_is_named_and_the_hint_needs_no_setup() {
        let error = Error::NotADestination { path: "/media/usb".into(), why: "/media/usb does not exist".to_owned() };
        let explained = explain(&error);
        assert_eq!(explained.sentence, "cannot connect to /media/usb: /media/usb does not exist");
        assert!(explained.hint.is_some_and(|hint| !hint.contains("status")));
    }

    #[test]
    fn a_name_in_an_error_cannot_steer_the_terminal() {
        let error = Error::NotFound { what: "a\u{1b}[2Jb".to_owned() };
        assert!(!explain(&error).sentence.contains('\u{1b}'));
    }
}
