//! What is wrong with a `config.yaml` that cannot be read, in the words of `config set`: the key, the line, and what is
//! expected there. The value of a key that opens the repository is never in it.

use serde_json::Value;

use super::{Error, Settings, values};

/// What is wrong, and where.
pub(super) struct Broken {
    /// The dotted name; empty where it is not known.
    pub key: String,
    /// Counted from 1.
    pub line: Option<usize>,
    /// What is expected, as a sentence without a full stop.
    pub detail: String,
}

impl Broken {
    /// Of a text that is no configuration.
    pub fn of_text(text: &str, error: &serde_saphyr::Error, options: serde_saphyr::Options) -> Self {
        let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
        let not_understood = || Self {
            key: String::new(),
            line,
            detail: "it cannot be understood; look at the indentation, the quotes and the `: ` after each key"
                .to_owned(),
        };
        let Ok(value) = serde_saphyr::from_str_with_options::<Value>(text, options) else { return not_understood() };
        let refused = scalars(&value).into_iter().filter_map(|(key, value)| {
            let detail = refusal(&key, &value)?;
            Some(Self { line: line_of(text, &key), key, detail })
        });
        // That of the line that was complained of, if that is known.
        let (here, elsewhere): (Vec<Self>, Vec<Self>) = refused.partition(|broken| broken.line == line);
        let found = here.into_iter().next().or_else(|| elsewhere.into_iter().next().filter(|_| line.is_none()));
        found.unwrap_or_else(|| match line.and_then(|line| key_on(text, line)) {
            Some(key) => Self { key, line, detail: "it cannot have this value".to_owned() },
            None => not_understood(),
        })
    }

    /// Of a value that is of the right kind and cannot be.
    pub fn of_value(text: &str, error: Error) -> Self {
        match error {
            Error::Config { key, detail } => Self { line: line_of(text, &key), key, detail },
            other => Self { key: String::new(), line: None, detail: other.to_string() },
        }
    }
}

/// Every scalar with its dotted name, as it would be typed.
fn scalars(value: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), value)];
    while let Some((name, value)) = left.pop() {
        match value {
            Value::Object(map) => left.extend(map.iter().map(|(key, value)| {
                let dot = if name.is_empty() { "" } else { "." };
                (format!("{name}{dot}{key}"), value)
            })),
            Value::String(text) => found.push((name, text.clone())),
            Value::Number(_) | Value::Bool(_) => found.push((name, value.to_string())),
            Value::Null | Value::Array(_) => {}
        }
    }
    found
}

/// Why `config set` would refuse a value; none where it would not, or says nothing of what may stand in the file.
fn refusal(key: &str, value: &str) -> Option<String> {
    if let Some(name) = key.strip_prefix("limits.upload.") {
        return values::destination_name(name).and_then(|()| values::rate(value).map(drop)).err();
    }
    let is_told = key != "encryption.key" && key != "version" && key != "created_at";
    if !is_told || !Settings::key_names().any(|known| known == key) {
        return None;
    }
    match Settings::default().set(key, value) {
        Err(Error::Config { detail, .. }) => Some(detail),
        _ => None,
    }
}

/// The line on which a key stands, where each has a line of its own.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let mut names = key.split('.');
    let (mut name, mut above) = (names.next()?, None);
    for (at, line) in text.lines().enumerate() {
        let inner = line.trim_start();
        let indent = line.len() - inner.len();
        if inner.is_empty() || inner.starts_with('#') || above.is_none() && indent > 0 {
            continue;
        }
        // Here its section ends.
        if above.is_some_and(|above| indent <= above) {
            return None;
        }
        if inner.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(':')) {
            match names.next() {
                Some(next) => (name, above) = (next, Some(indent)),
                None => return Some(at + 1),
            }
        }
    }
    None
}

/// The name before the colon on a line.
fn key_on(text: &str, line: usize) -> Option<String> {
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let (name, _) = line.trim_start_matches([' ', '-']).split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines() {
        let text = "# of\nwatch:\n  enabled: true\n\nretention:\n    # keep_days: 1\n    keep_days: 2\nlimits:\n  upload:\n    usb: 1MB\n";
        for (key, line) in [
            ("watch.enabled", Some(3)),
            ("retention.keep_days", Some(7)),
            ("limits.upload.usb", Some(10)),
            ("limits", Some(8)),
            ("watch.keep_days", None),
            ("guard.enabled", None),
        ] {
            assert_eq!(line_of(text, key), line, "{key}");
        }
    }
}
