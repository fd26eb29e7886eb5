//! Text: names of objects, what people type or edit, and what they see.

use cryptbackup::cli::{dates, hints, names as shown, words};
use cryptbackup::error::Error;
use cryptbackup::format::layout::ObjectName;
use cryptbackup::paths;
use cryptbackup::repo::settings::Settings;
use cryptbackup::report::{Problem, ProblemKind};
use cryptbackup::seal::slots::Secret;
use cryptbackup::source::{Excludes, split_list};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Paths on a destination.
pub fn names(data: &[u8]) {
    let Ok(path) = str::from_utf8(data) else { return };
    if let Some(name) = ObjectName::parse(path) {
        assert_eq!(name.path(), path);
        assert!(path.len() <= 100 && !path.contains("..") && !path.starts_with('/'));
        assert_eq!(name.kind().is_some(), name.hash().is_some());
        assert!(name.kind().is_none_or(|kind| path.starts_with(kind.folder())));
    }
}

/// Patterns.
pub fn excludes(data: &[u8]) {
    // Longer lists only take longer.
    let Ok(text) = str::from_utf8(&data[..data.len().min(2000)]) else { return };
    let patterns = split_list(text);
    assert!(patterns.iter().all(|pattern| !pattern.is_empty()));
    let _ = Excludes::validate(&patterns);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let _ = Excludes::validate(&lines);
}

/// `config.yaml`, and `config set`: the first line is a key, the second a value, the rest the file.
pub fn settings(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, '\n');
    let (key, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for file in [text, parts.next().unwrap_or_default()] {
        let Ok(mut settings) = Settings::parse(file) else { continue };
        comes_back(&settings);
        assert!(settings.masked().encryption.key.is_none_or(|key| key.chars().all(|c| c == '*')));
        let before = settings.clone();
        if settings.set(key, value).is_ok() {
            comes_back(&settings);
            settings.get(key).expect("what was set can be read");
            let _ = settings.unset(key);
        } else {
            assert_eq!(settings, before, "what is refused changes nothing");
        }
    }
}

fn comes_back(settings: &Settings) {
    let yaml = settings.to_yaml().expect("what was read can be written");
    let again = Settings::parse(&yaml).unwrap_or_else(|error| panic!("{error} in:\n{}", *yaml));
    assert_eq!(again, *settings, "in:\n{}", *yaml);
}

/// `--date`.
pub fn dates(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone with summer time");
    let now = Timestamp::from_second(1_790_000_000).expect("a moment").to_zoned(zone);
    if let Ok(then) = dates::parse(text, &now) {
        let written = then.to_string();
        // Thousands of years ago is understood; a year before the first is not written with four digits.
        if written.starts_with('-') {
            return;
        }
        assert!(dates::parse(&written, &now).is_ok_and(|again| again >= then), "{text:?} gave {written}");
    }
}

/// Keys and recovery words.
pub fn secrets(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for parse in [Secret::from_base64, Secret::from_words] {
        if let Some(secret) = parse(text) {
            let written = secret.to_text().expect("these can be written down");
            let again = parse(&written).and_then(|secret| secret.to_text()).expect("what was written is read");
            assert_eq!(*again, *written);
        }
    }
    if let Ok(bytes) = <[u8; 32]>::try_from(data) {
        let words = Secret::Recovery(bytes.into()).to_text().expect("words");
        assert!(matches!(Secret::from_words(&words), Some(Secret::Recovery(again)) if *again == bytes));
    }
}

/// What can be done to a terminal: control characters, and what turns text around or is not seen.
fn steers(c: char) -> bool {
    let hidden = ['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}'];
    let ranges = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{fff9}'..='\u{fffb}'];
    c.is_control() || hidden.contains(&c) || ranges.iter().any(|range| range.contains(&c)) || u32::from(c) >> 12 == 0xE0
}

/// Names on a terminal, alone and in everything that is said about them.
pub fn shown(data: &[u8]) {
    let path = paths::from_bytes(data);
    let text = String::from_utf8_lossy(data).into_owned();
    let object = text.clone();
    let io = |source: &str| std::io::Error::other(source.to_owned());
    let problem = Problem { path: path.clone(), kind: ProblemKind::Damaged, detail: text.clone() };
    let errors = [
        Error::NotFound { what: text.clone() },
        Error::Usage(text.clone()),
        Error::WrongKey { what: text.clone() },
        Error::Config { key: text.clone(), detail: text.clone() },
        Error::NoDestination { tried: vec![(text.clone(), text.clone())] },
        Error::TooFewCopies { committed: 0, wanted: 1, reasons: vec![(text.clone(), text.clone())] },
        Error::Damaged { object, place: text.clone(), detail: text.clone() },
        Error::NotADestination { path: path.clone(), why: text.clone() },
        Error::NotInitialised { home: path.clone(), holds_state: true },
        Error::Unlisted { what: text.clone(), by: "status" },
        Error::BrokenSettings { path: path.clone(), line: Some(1), key: text.clone(), detail: text.clone() },
        Error::NothingCame { name: path.clone() },
        Error::Io { what: "read".into(), path: path.clone(), source: io(&text) },
    ];
    let mut lines = vec![shown::escape(data), shown::path(&path), words::problem_line(&problem)];
    for error in &errors {
        let explained = hints::explain(error);
        lines.push(explained.sentence);
        lines.extend(explained.hint);
    }
    for line in lines {
        assert!(!line.contains(steers), "{line:?}");
    }
}
