//! From an error to what a person reads and a script sees: one match, so that sentence, hint and exit code agree.

use std::path::Path;

use super::exit::ExitStatus;
use super::names;
use crate::destination::DestinationErrorKind;
use crate::error::Error;
use crate::format::FormatError;
use crate::snapshot::ReadError;
use crate::source::SourceError;

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
    let hint = hint.map(str::to_owned);
    Explanation { name, sentence: names::escape(sentence.as_bytes()), hint, status }
}

type Hint = Option<&'static str>;

const INIT: Hint = Some("run `cryptbackup init`, or `cryptbackup connect DIR` to take up existing backups");
const MOVE_AWAY: Hint = Some(
    "if it opens existing backups of this program, run `cryptbackup connect DIR`; else move it away or set \
     CRYPTBACKUP_HOME to another folder, then run `cryptbackup init`",
);
const FORCE: Hint = Some("it can be used as it is; `cryptbackup init --force` moves it aside and starts anew");
const KEY: Hint =
    Some("put back your copy of config.yaml, or give the passphrase or the recovery words that belong to it");
const ADD_DESTINATION: Hint = Some("run `cryptbackup config set destinations.primary DIR`");
const PLUG_IN: Hint =
    Some("plug in the disk or mount the share and try again; `cryptbackup status` shows every destination");
const NO_COPY: Hint = Some("make room, or connect what is missing, and run it again");
const MORE_COPIES: Hint = Some("make room, or connect what is missing, and run it again; or lower `min_copies`");
const CONNECT: Hint = Some(
    "plug in the disk or mount the share, and give the folder in which `cryptbackup.repo` lies; on a machine without \
     backups so far, run `cryptbackup quickstart` instead",
);
const SOURCES: Hint = Some("`cryptbackup config show` lists the sources and their excludes");
const OTHERS: Hint =
    Some("plug in the other destinations and try again; `cryptbackup check` says what is missing where");
const MEMORY: Hint =
    Some("what was to be stored did not come out of the memory as it went in; test this machine's memory");
const CHECK: Hint = Some(
    "`cryptbackup check --read-data` lists all damage and which snapshots it touches; with --heal it puts right what can be",
);
const LOOK: Hint = Some("`cryptbackup status`, `snapshots` and `restore --list` show what there is");
const SHOW: Hint = Some("`cryptbackup config show` prints the configuration, `config set --help` lists its keys");
const WAIT: Hint = Some("wait for it to end, then try again");
const GO_ON: Hint = Some("what was stored so far is found again by the next run");
const AGAIN: Hint = Some("run it again; nothing that was saved before is affected");
const FORCE_CLEAN: Hint =
    Some("if it is meant, add --force; `clean` and `purge` tell with --dry-run what they would do");
const CHMOD: Hint = Some("run `chmod 600` on it; if somebody may have read it, the key is no longer secret");
const ADD: Hint = Some("`cryptbackup add DIR` adds a source, `remove DIR` takes one out, `config show` lists them");
const UPDATE: Hint = Some("update cryptbackup; nothing is damaged");
const REBUILD: Hint = Some("run `cryptbackup rebuild-index`; it is made anew from the destinations");
const PERMISSIONS: Hint = Some("check the permissions of the file and of its folders");
const THERE: Hint = Some("nothing was overwritten; give another name, or move what is there away");
const ROOM: Hint = Some("make room on that disk");

fn parts(error: &Error) -> (&'static str, ExitStatus, String, Hint) {
    use ExitStatus as Exit;
    match error {
        Error::NotInitialised { home } => {
            let sentence = format!("CryptBackup is not initialised: there is no configuration in {}", show(home));
            ("not-initialised", Exit::NotInitialised, sentence, INIT)
        }
        Error::ForeignState { path, what } => {
            let sentence = format!("{} is {what}; it is not touched", show(path));
            ("foreign-state", Exit::NotInitialised, sentence, MOVE_AWAY)
        }
        Error::AlreadyInitialised { home } => {
            ("already-initialised", Exit::Usage, format!("{} holds a configuration already", show(home)), FORCE)
        }
        Error::WrongKey { what } => {
            ("wrong-key", Exit::WrongKey, format!("the key or passphrase does not fit: {what}"), KEY)
        }
        Error::NoDestination { tried } if tried.is_empty() => {
            ("no-destination", Exit::NoDestination, "no destination is configured".to_owned(), ADD_DESTINATION)
        }
        Error::NoDestination { tried } => {
            let sentence = format!("no destination can be reached{}", reasons(tried));
            ("no-destination", Exit::NoDestination, sentence, PLUG_IN)
        }
        Error::TooFewCopies { committed, wanted, reasons: why } => {
            let made = match committed {
                0 => "the backup could not be stored on any destination".to_owned(),
                number => format!("the backup is on {number} of the {wanted} destinations that `min_copies` asks for"),
            };
            let sentence = format!("{made}{}", reasons(why));
            ("too-few-copies", Exit::TooFewCopies, sentence, if *committed == 0 { NO_COPY } else { MORE_COPIES })
        }
        Error::NotADestination { .. } => ("no-destination", Exit::NoDestination, error.to_string(), CONNECT),
        Error::Damaged { object, place, detail } => {
            ("damaged", Exit::Damage, format!("{object} on {place} is damaged: {detail}"), CHECK)
        }
        Error::NotFound { what } => ("not-found", Exit::Failed, format!("not found: {what}"), LOOK),
        Error::Config { key, detail } => ("config", Exit::Usage, format!("{key}: {detail}"), SHOW),
        Error::Usage(sentence) => ("usage", Exit::Usage, sentence.clone(), None),
        Error::Locked { home, holder } => {
            let who = holder.map(|process| format!(" (process {process})")).unwrap_or_default();
            let sentence = format!("another command{who} is writing with the state folder {}", show(home));
            ("locked", Exit::Failed, sentence, WAIT)
        }
        Error::Unsure(why) => ("unsure", Exit::Failed, why.clone(), FORCE_CLEAN),
        Error::Overtaken => ("overtaken", Exit::Failed, error.to_string(), AGAIN),
        Error::Interrupted => ("interrupted", Exit::Interrupted, "interrupted".to_owned(), GO_ON),
        Error::OpenToOthers { path } => {
            let sentence = format!("{} holds the key and can be read by others", show(path));
            ("open-to-others", Exit::Failed, sentence, CHMOD)
        }
        Error::NothingToBackUp(why) => {
            ("nothing-to-back-up", Exit::Failed, format!("there is nothing to back up: {why}"), ADD)
        }
        Error::Io { what, path, source } => {
            ("io", Exit::Failed, format!("cannot {what} {}: {source}", show(path)), io_hint(source))
        }
        Error::Format { object, source: FormatError::Unsupported { version, .. } } => {
            let sentence = format!("{object} was written by a newer program (format version {version})");
            ("needs-newer-program", Exit::Failed, sentence, UPDATE)
        }
        Error::Format { object, source } => ("damaged", Exit::Damage, format!("{object} is damaged: {source}"), CHECK),
        Error::Destination(error) => {
            let is_damage = error.kind == DestinationErrorKind::Damaged;
            let status = if is_damage { Exit::Damage } else { Exit::Failed };
            ("destination", status, error.to_string(), destination_hint(error.kind))
        }
        Error::Source(error) => {
            let is_wrong = matches!(error, SourceError::BadPattern { .. });
            let status = if is_wrong { Exit::Usage } else { Exit::Failed };
            ("source", status, error.to_string(), SOURCES)
        }
        Error::Read(error) => {
            let status = if matches!(error, ReadError::Index(_)) { Exit::Failed } else { Exit::Damage };
            ("unreadable", status, error.to_string(), OTHERS)
        }
        Error::Seal(error) => ("seal", Exit::Failed, error.to_string(), MEMORY),
        Error::Index { detail } => {
            ("index", Exit::Failed, format!("the local index cannot be used: {detail}"), REBUILD)
        }
    }
}

fn destination_hint(kind: DestinationErrorKind) -> Hint {
    match kind {
        DestinationErrorKind::Full => ROOM,
        DestinationErrorKind::Denied | DestinationErrorKind::ReadOnly => PERMISSIONS,
        DestinationErrorKind::Damaged => CHECK,
        _ => Some("check that the disk is plugged in or the share mounted, and try again"),
    }
}

fn io_hint(source: &std::io::Error) -> Hint {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => PERMISSIONS,
        std::io::ErrorKind::StorageFull => ROOM,
        std::io::ErrorKind::AlreadyExists => THERE,
        _ => None,
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}

fn reasons(list: &[(String, String)]) -> String {
    let mut text = String::new();
    for (number, (name, why)) in list.iter().enumerate() {
        text.push_str(if number == 0 { ": " } else { "; " });
        text.push_str(&format!("[{name}] {why}"));
    }
    text
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
            (Error::NotInitialised { home: path.clone() }, 10),
            (Error::ForeignState { path: path.clone(), what: "a database" }, 10),
            (Error::AlreadyInitialised { home: path.clone() }, 2),
            (Error::WrongKey { what: text() }, 12),
            (Error::NoDestination { tried: Vec::new() }, 13),
            (Error::NoDestination { tried: why.clone() }, 13),
            (Error::TooFewCopies { committed: 1, wanted: 2, reasons: why }, 14),
            (Error::NotADestination { path: path.clone(), why: text() }, 13),
            (Error::Damaged { object: text(), place: text(), detail: text() }, 15),
            (Error::NotFound { what: text() }, 1),
            (Error::Config { key: text(), detail: text() }, 2),
            (Error::Usage(text()), 2),
            (Error::Locked { home: path.clone(), holder: Some(1) }, 1),
            (Error::Unsure(text()), 1),
            (Error::Overtaken, 1),
            (Error::Interrupted, 130),
            (Error::OpenToOthers { path: path.clone() }, 1),
            (Error::NothingToBackUp(text()), 1),
            (Error::Io { what: text(), path, source: io::ErrorKind::PermissionDenied.into() }, 1),
            (Error::Format { object: text(), source: unsupported }, 1),
            (Error::Format { object: text(), source: FormatError::Checksum }, 15),
            (Error::Index { detail: text() }, 1),
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
