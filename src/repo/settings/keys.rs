//! Dotted keys for `config get`, `set` and `unset`: one table of everything that can be asked for by name.

use zeroize::Zeroizing;

use super::sections::{Compression, Encryption, Guard, Limits, Priority, Retention, StatusSettings, Watch};
use super::values::{self, Refusal};
use super::{Error, PathBuf, Settings};
use crate::source::split_list;

/// One key: how to read it, set it from text, and set it back to its default.
struct Key {
    name: &'static str,
    get: fn(&Settings) -> Option<String>,
    set: fn(&mut Settings, &str) -> Result<(), Refusal>,
    unset: fn(&mut Settings) -> Result<(), Refusal>,
}

/// A key of a plain value: its field, its parser, and its default from the section's.
macro_rules! plain {
    ($name:literal, $section:ident . $field:ident : $default:ty, $parse:expr) => {
        Key {
            name: $name,
            get: |s| Some(s.$section.$field.to_string()),
            set: |s, text| {
                s.$section.$field = $parse(text)?;
                Ok(())
            },
            unset: |s| {
                s.$section.$field = <$default>::default().$field;
                Ok(())
            },
        }
    };
}

/// A key of a number that need not be there.
macro_rules! optional {
    ($name:literal, $section:ident . $field:ident, $least:literal) => {
        Key {
            name: $name,
            get: |s| s.$section.$field.map(|value| value.to_string()),
            set: |s, text| {
                s.$section.$field = Some(values::number(text, $least)?);
                Ok(())
            },
            unset: |s| {
                s.$section.$field = None;
                Ok(())
            },
        }
    };
}

/// A key of a list of patterns.
macro_rules! patterns {
    ($name:literal, $section:ident . $field:ident) => {
        Key {
            name: $name,
            get: |s| Some(s.$section.$field.join(",")),
            set: |s, text| {
                s.$section.$field = split_list(text);
                Ok(())
            },
            unset: |s| {
                s.$section.$field.clear();
                Ok(())
            },
        }
    };
}

const KEYS: &[Key] = &[
    Key { name: "version", get: |s| Some(s.version.clone()), set: |_, _| fixed(), unset: |_| fixed() },
    Key { name: "created_at", get: |s| Some(s.created_at.clone()), set: |_, _| fixed(), unset: |_| fixed() },
    plain!("encryption.algorithm", encryption.algorithm: Encryption, values::algorithm),
    Key {
        name: "encryption.key",
        get: |s| s.encryption.key.as_ref().map(|key| key.to_string()),
        set: |s, text| {
            values::secret(text)?;
            s.encryption.key = Some(Zeroizing::new(text.to_owned()));
            Ok(())
        },
        unset: |s| {
            s.encryption.key = None;
            Ok(())
        },
    },
    plain!("compression.enabled", compression.enabled: Compression, values::boolean),
    plain!("compression.algorithm", compression.algorithm: Compression, values::compressor),
    Key {
        name: "compression.level",
        get: |s| Some(values::level_text(s.compression.level)),
        set: |s, text| {
            s.compression.level = values::level(text)?;
            Ok(())
        },
        unset: |s| {
            s.compression.level = Compression::default().level;
            Ok(())
        },
    },
    plain!("watch.enabled", watch.enabled: Watch, values::boolean),
    plain!("watch.interval", watch.interval: Watch, |text| values::number(text, 1)),
    plain!("watch.realtime", watch.realtime: Watch, values::boolean),
    plain!("retention.keep_days", retention.keep_days: Retention, |text| values::number(text, 0)),
    plain!("retention.keep_versions", retention.keep_versions: Retention, |text| values::number(text, 1)),
    plain!("retention.keep_deleted_days", retention.keep_deleted_days: Retention, |text| values::number(text, 0)),
    optional!("retention.keep_last", retention.keep_last, 0),
    optional!("retention.keep_hourly", retention.keep_hourly, 0),
    optional!("retention.keep_daily", retention.keep_daily, 0),
    optional!("retention.keep_weekly", retention.keep_weekly, 0),
    optional!("retention.keep_monthly", retention.keep_monthly, 0),
    optional!("retention.keep_yearly", retention.keep_yearly, 0),
    plain!("retention.grace_days", retention.grace_days: Retention, |text| values::number(text, 1)),
    plain!("retention.auto_clean", retention.auto_clean: Retention, values::boolean),
    plain!("guard.suspect_changes", guard.suspect_changes: Guard, values::boolean),
    plain!("guard.changed_percent", guard.changed_percent: Guard, values::percent),
    plain!("guard.vanished_percent", guard.vanished_percent: Guard, values::percent),
    plain!("guard.min_files", guard.min_files: Guard, |text| values::number(text, 1)),
    Key {
        name: "guard.min_bytes",
        get: |s| Some(values::bytes_text(s.guard.min_bytes)),
        set: |s, text| {
            s.guard.min_bytes = values::bytes(text)?;
            Ok(())
        },
        unset: |s| {
            s.guard.min_bytes = Guard::default().min_bytes;
            Ok(())
        },
    },
    plain!("status.warn_days", status.warn_days: StatusSettings, |text| values::number(text, 0)),
    plain!("priority.enabled", priority.enabled: Priority, values::boolean),
    plain!("priority.partial_interval", priority.partial_interval: Priority, |text| values::number(text, 0)),
    plain!("priority.recency", priority.recency: Priority, values::weight),
    plain!("priority.size", priority.size: Priority, values::weight),
    plain!("priority.kind", priority.kind: Priority, values::weight),
    plain!("priority.changes", priority.changes: Priority, values::weight),
    patterns!("priority.important", priority.important),
    patterns!("priority.unimportant", priority.unimportant),
    Key {
        name: "min_copies",
        get: |s| Some(s.min_copies.to_string()),
        set: |s, text| {
            s.min_copies = values::number(text, 1)?;
            Ok(())
        },
        unset: |s| {
            s.min_copies = Settings::default().min_copies;
            Ok(())
        },
    },
    Key {
        name: "limits.memory",
        get: |s| Some(values::bytes_text(s.limits.memory)),
        set: |s, text| {
            s.limits.memory = values::memory(text)?;
            Ok(())
        },
        unset: |s| {
            s.limits.memory = Limits::default().memory;
            Ok(())
        },
    },
    optional!("limits.threads", limits.threads, 1),
];

/// Prefix of the keys of destinations.
pub const DESTINATION_PREFIX: &str = "destinations.";
const UPLOAD_PREFIX: &str = "limits.upload.";

fn fixed() -> Result<(), Refusal> {
    Err("is written by the program and cannot be changed".to_owned())
}

impl Settings {
    /// The value of a key as it would be typed; empty when the key is known and not set.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown key, also for a destination that is not configured.
    pub fn get(&self, key: &str) -> Result<String, Error> {
        if let Some(name) = key.strip_prefix(DESTINATION_PREFIX) {
            let path = self.destinations.get(name).ok_or_else(|| no_destination(key, name))?;
            return Ok(path.to_string_lossy().into_owned());
        }
        if let Some(name) = key.strip_prefix(UPLOAD_PREFIX) {
            self.destinations.get(name).ok_or_else(|| no_destination(key, name))?;
            return Ok(self.limits.upload.get(name).map(|rate| values::bytes_text(*rate)).unwrap_or_default());
        }
        Ok((find(key)?.get)(self).unwrap_or_default())
    }

    /// Sets a key from what was typed. Of destinations only the name and the folder are noted here; whoever calls this
    /// has to create and mark the folder.
    ///
    /// # Errors
    /// [`Error::Config`]; nothing is changed then.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.change(key, |next| {
            if let Some(name) = key.strip_prefix(DESTINATION_PREFIX) {
                values::destination_name(name).map_err(|detail| refused(key, detail))?;
                next.destinations.insert(name.to_owned(), PathBuf::from(value));
                return Ok(());
            }
            if let Some(name) = key.strip_prefix(UPLOAD_PREFIX) {
                next.destinations.get(name).ok_or_else(|| no_destination(key, name))?;
                let rate = values::rate(value).map_err(|detail| refused(key, detail))?;
                next.limits.upload.insert(name.to_owned(), rate);
                return Ok(());
            }
            (find(key)?.set)(next, value).map_err(|detail| refused(key, detail))
        })
    }

    /// Sets a key back to its default, or takes it out.
    ///
    /// # Errors
    /// [`Error::Config`]; nothing is changed then.
    pub fn unset(&mut self, key: &str) -> Result<(), Error> {
        self.change(key, |next| {
            if let Some(name) = key.strip_prefix(DESTINATION_PREFIX) {
                next.destinations.remove(name).ok_or_else(|| no_destination(key, name))?;
                next.limits.upload.remove(name);
                return Ok(());
            }
            if let Some(name) = key.strip_prefix(UPLOAD_PREFIX) {
                next.limits.upload.remove(name).ok_or_else(|| refused(key, "is not set".to_owned()))?;
                return Ok(());
            }
            (find(key)?.unset)(next).map_err(|detail| refused(key, detail))
        })
    }

    /// Every key with a fixed name; those of destinations and of `limits.upload` come to these.
    pub fn key_names() -> impl Iterator<Item = &'static str> {
        KEYS.iter().map(|key| key.name)
    }

    /// Changes a copy and takes it over only when it is valid as a whole.
    fn change(&mut self, key: &str, change: impl FnOnce(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        let mut next = self.clone();
        change(&mut next)?;
        next.validate().map_err(|error| match error {
            Error::Config { detail, .. } => refused(key, detail),
            other => other,
        })?;
        *self = next;
        Ok(())
    }
}

fn find(key: &str) -> Result<&'static Key, Error> {
    KEYS.iter().find(|known| known.name == key).ok_or_else(|| unknown(key))
}

fn refused(key: &str, detail: Refusal) -> Error {
    Error::Config { key: key.to_owned(), detail }
}

fn no_destination(key: &str, name: &str) -> Error {
    refused(key, format!("there is no destination `{name}`"))
}

/// Says what there is instead: the keys of the same section, or all sections.
fn unknown(key: &str) -> Error {
    let section = key.split('.').next().unwrap_or(key);
    if section == "sources" {
        return refused(key, "sources are changed with `add` and `remove`".to_owned());
    }
    if section.starts_with("pack") {
        let why = "the size of packs is chosen by `init --pack-size` and holds for the life of the repository";
        return refused(key, why.to_owned());
    }
    let prefix = format!("{section}.");
    let mut known: Vec<&str> = KEYS.iter().map(|key| key.name).filter(|name| name.starts_with(&prefix)).collect();
    if section == "limits" {
        known.push("limits.upload.NAME");
    }
    if known.is_empty() {
        known = vec![
            "encryption",
            "compression",
            "destinations",
            "watch",
            "retention",
            "guard",
            "priority",
            "status",
            "limits",
            "min_copies",
        ];
        return refused(key, format!("there is no such key; there are: {}", known.join(", ")));
    }
    refused(key, format!("there is no such key; in this section there are: {}", known.join(", ")))
}
