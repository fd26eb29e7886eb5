//! `config.yaml`: what the user decided, typed.
//!
//! The file holds a secret, so it is written 0600 and refused when others can read it. Keys this program does not know
//! are kept as they are (a newer program may have written them) and can be listed, so that a misspelt one is noticed.
//! Comments do not survive a change made by the program.
//!
//! ```
//! use cryptbackup::error::Error;
//! use cryptbackup::repo::Home;
//! use cryptbackup::repo::settings::SourceSettings;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/set_up.rs"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = set_up()?;
//! let home = Home::at(folder.path().join("state"));
//! let mut source = SourceSettings::new(folder.path().join("pictures"));
//! source.leave_out("*.tmp,Thumbs.db")?;
//! home.edit_settings(|settings| {
//!     settings.put_source(source);
//!     settings.retention.keep_days = 90;
//!     // The same by the name and in the words of the file.
//!     settings.set("compression.level", "5")
//! })?;
//! assert_eq!(home.settings()?.get("retention.keep_days")?, "90");
//!
//! // What is refused changes nothing.
//! let refused = home.edit_settings(|settings| settings.set("compression.level", "99"));
//! assert!(matches!(refused, Err(Error::Config { .. })));
//! assert_eq!(home.settings()?.get("compression.level")?, "5");
//! # Ok(())
//! # }
//! ```

mod broken;
mod destinations;
mod file;
mod keys;
mod sections;
mod text;
mod values;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::memory::Budget;
use crate::source::{Excludes, split_list};

use broken::Broken;
pub use destinations::Destinations;
pub(super) use file::read as read_private;
pub use file::{create_private, write_private};
pub use keys::DESTINATION_PREFIX;
pub use sections::{
    Compression, Encryption, Extra, Guard, Level, Limits, Priority, Retention, SourceSettings, StatusSettings, Watch,
};
pub(crate) use values::source_path;
pub use values::{bytes as size, pack_bytes};

/// Major number of the file's layout; a file with a higher one is refused.
const LAYOUT_MAJOR: u64 = 1;
/// What stands for a secret in [`Settings::masked`].
const MASK: &str = "********";

/// Everything in `config.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Layout of the file. The forerunner's `1.0.1` is the same layout.
    pub version: String,
    /// When the file was made, as written there.
    pub created_at: String,
    /// How data are sealed, and the secret of the inline slot.
    pub encryption: Encryption,
    /// How hard to compress.
    pub compression: Compression,
    /// The folders to protect.
    pub sources: Vec<SourceSettings>,
    /// Where copies are kept.
    pub destinations: Destinations,
    /// When to back up by itself.
    pub watch: Watch,
    /// What cleaning keeps.
    pub retention: Retention,
    /// When a run looks suspect.
    pub guard: Guard,
    /// What is important.
    pub priority: Priority,
    /// When to warn.
    pub status: StatusSettings,
    /// On how many destinations a snapshot must be for a backup to have succeeded; at least 1.
    pub min_copies: usize,
    /// What the program may use.
    pub limits: Limits,
    /// Keys this program does not know, kept as they are.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: "1.1".to_owned(),
            created_at: String::new(),
            encryption: Encryption::default(),
            compression: Compression::default(),
            sources: Vec::new(),
            destinations: Destinations::default(),
            watch: Watch::default(),
            retention: Retention::default(),
            guard: Guard::default(),
            priority: Priority::default(),
            status: StatusSettings::default(),
            min_copies: 1,
            limits: Limits::default(),
            extra: Extra::new(),
        }
    }
}

impl Settings {
    /// Settings with every default, no key, no source and no destination.
    pub fn new(created: &jiff::Zoned) -> Self {
        Self { created_at: written_time(created), ..Self::default() }
    }

    /// Reads a file. With `strict` one that others can read is refused; a copy on a stick without modes is not.
    ///
    /// # Errors
    /// [`Error::OpenToOthers`], [`Error::Io`], and [`Error::BrokenSettings`] naming the line and the key.
    pub fn load(path: &Path, strict: bool) -> Result<Self, Error> {
        Self::parse_file(path, &file::read(path, strict)?)
    }

    /// [`parse`](Self::parse), of what was read at a path.
    pub(super) fn parse_file(path: &Path, text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|Broken { key, line, detail }| {
            let path = path.to_owned();
            Error::BrokenSettings { path, line, key, detail }
        })
    }

    /// Reads the text of a file. The key of an [`Error::Config`] is empty when the text as a whole cannot be read.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|Broken { key, detail, .. }| Error::Config { key, detail })
    }

    fn read(text: &str) -> Result<Self, Broken> {
        // Without snippets: an error message must not quote the line with the key.
        let options = || serde_saphyr::options! { with_snippet: false };
        let settings: Self = serde_saphyr::from_str_with_options(text, options())
            .map_err(|error| Broken::of_text(text, &error, options()))?;
        settings.validate().map_err(|error| Broken::of_value(text, error))?;
        Ok(settings)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn to_yaml(&self) -> Result<Zeroizing<String>, Error> {
        yaml(self)
    }

    /// The text of a file with the key and nothing else: a configuration too, for `connect`.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn key_to_yaml(&self) -> Result<Zeroizing<String>, Error> {
        #[derive(Serialize)]
        struct KeyAlone {
            encryption: Encryption,
        }
        let text =
            yaml(&KeyAlone { encryption: Encryption { key: self.encryption.key.clone(), ..Default::default() } })?;
        // A person would find out on the worst day.
        if Self::parse(&text)?.encryption.key != self.encryption.key {
            return Err(Error::Config { key: "encryption.key".to_owned(), detail: "it cannot be written".to_owned() });
        }
        Ok(text)
    }

    /// Writes the file, atomically and for the owner's eyes only: whoever reads it sees the old or the new one, and
    /// the new one is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Config`].
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        self.validate()?;
        write_private(path, self.to_yaml()?.as_bytes())
    }

    /// Loads, changes and saves, while no other process does. Nothing is written when `change` fails or changes nothing.
    ///
    /// # Errors
    /// Those of [`Self::load`], [`Self::save`] and `change`.
    pub fn edit<T>(path: &Path, change: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        Self::edit_through(path, || Self::load(path, true), |after| after.save(path), change)
    }

    /// [`edit`](Self::edit), with other ways to load and save.
    pub(super) fn edit_through<T>(
        path: &Path,
        load: impl FnOnce() -> Result<Self, Error>,
        save: impl FnOnce(&Self) -> Result<(), Error>,
        change: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _guard = file::lock(path)?;
        let before = load()?;
        let mut after = before.clone();
        let outcome = change(&mut after)?;
        if after != before {
            save(&after)?;
        }
        Ok(outcome)
    }

    /// A copy without secrets, to be shown.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut copy = self.clone();
        if copy.encryption.key.is_some() {
            copy.encryption.key = Some(Zeroizing::new(MASK.to_owned()));
        }
        copy
    }

    /// Whether there is nothing in it but what opens the repository, as in a file of
    /// [`key_to_yaml`](Self::key_to_yaml).
    pub(super) fn is_key_alone(&self) -> bool {
        *self == Self { encryption: self.encryption.clone(), ..Self::default() }
    }

    /// The zstd level, or nothing when blocks are stored as they are.
    pub fn compression_level(&self) -> Option<i32> {
        match self.compression.level {
            Level::Zstd(level) if self.compression.enabled => Some(level),
            _ => None,
        }
    }

    /// What a command may take of this machine.
    pub fn budget(&self) -> Budget {
        Budget::new(self.limits.memory, self.limits.threads)
    }

    /// Raises `limits.memory` to what packs of this size need.
    pub(super) fn make_room_for_packs(&mut self, pack_bytes: u32) {
        self.limits.memory = self.limits.memory.max(Budget::bytes_for(pack_bytes));
    }

    /// The source with this path.
    pub fn source(&self, path: &Path) -> Option<&SourceSettings> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// The sources that are folders.
    pub fn folders(&self) -> impl Iterator<Item = &SourceSettings> {
        self.sources.iter().filter(|source| !source.stdin)
    }

    /// Adds a source, or replaces what was set for it. True when it is new.
    pub fn put_source(&mut self, source: SourceSettings) -> bool {
        match self.sources.iter_mut().find(|known| known.path == source.path) {
            Some(known) => {
                let (added_at, extra) = (std::mem::take(&mut known.added_at), std::mem::take(&mut known.extra));
                *known = SourceSettings { added_at, extra, ..source };
                false
            }
            None => {
                self.sources.push(source);
                true
            }
        }
    }

    /// Takes a source out. False when there is none with this path.
    pub fn remove_source(&mut self, path: &Path) -> bool {
        let before = self.sources.len();
        self.sources.retain(|source| source.path != path);
        self.sources.len() < before
    }

    /// Dotted names of the keys in the file that mean nothing to this program.
    pub fn unknown_keys(&self) -> Vec<String> {
        let sections: [(&str, &Extra); 9] = [
            ("", &self.extra),
            ("encryption.", &self.encryption.extra),
            ("compression.", &self.compression.extra),
            ("watch.", &self.watch.extra),
            ("retention.", &self.retention.extra),
            ("guard.", &self.guard.extra),
            ("priority.", &self.priority.extra),
            ("status.", &self.status.extra),
            ("limits.", &self.limits.extra),
        ];
        let mut keys: Vec<String> =
            sections.iter().flat_map(|(prefix, extra)| extra.keys().map(move |key| format!("{prefix}{key}"))).collect();
        for source in &self.sources {
            keys.extend(source.extra.keys().map(|key| format!("sources.{key}")));
        }
        keys.dedup();
        keys
    }

    /// Checks what a type alone cannot say.
    pub(super) fn validate(&self) -> Result<(), Error> {
        let bad = |key: &str, detail: String| Err(Error::Config { key: key.to_owned(), detail });
        let major = self.version.split('.').next().and_then(|major| major.parse::<u64>().ok());
        match major {
            None => return bad("version", format!("`{}` is not a version", self.version)),
            Some(major) if major > LAYOUT_MAJOR => {
                return bad("version", format!("layout {} needs a newer program", self.version));
            }
            Some(_) => {}
        }
        if self.min_copies == 0 {
            return bad("min_copies", "must be at least 1".to_owned());
        }
        if self.watch.interval == 0 {
            return bad("watch.interval", "must be at least 1 second".to_owned());
        }
        let Priority { recency, size, kind, changes, important, unimportant, .. } = &self.priority;
        for (key, weight) in [("recency", recency), ("size", size), ("kind", kind), ("changes", changes)] {
            values::is_weight(*weight).or_else(|detail| bad(&format!("priority.{key}"), detail))?;
        }
        for (key, patterns) in [("important", important), ("unimportant", unimportant)] {
            Excludes::validate(patterns).or_else(|error| bad(&format!("priority.{key}"), error.to_string()))?;
        }
        for (name, path) in &self.destinations {
            values::destination_name(name)
                .and_then(|()| values::not_empty(path))
                .or_else(|detail| bad(&format!("destinations.{name}"), detail))?;
        }
        for name in self.limits.upload.keys() {
            values::destination_name(name).or_else(|detail| bad(&format!("limits.upload.{name}"), detail))?;
        }
        for source in &self.sources {
            values::not_empty(&source.path).or_else(|detail| bad("sources.path", detail))?;
            values::source_path(&source.path).or_else(|detail| bad("sources", detail))?;
        }
        let paths = self.sources.iter().map(|source| source.path.as_path());
        values::different(paths).or_else(|detail| bad("sources", detail))
    }
}

fn yaml(value: &impl Serialize) -> Result<Zeroizing<String>, Error> {
    // Block scalars fold long lines; a path or a key on one line is easier to copy.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_string_with_options(value, options)
        .map(Zeroizing::new)
        .map_err(|error| Error::Config { key: "config.yaml".to_owned(), detail: error.to_string() })
}

/// A moment as `config.yaml` writes it: local time with its offset, to the second.
pub fn written_time(moment: &jiff::Zoned) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

impl SourceSettings {
    /// A source that is added now, with every option off. The path has to be absolute and without `..`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), added_at: written_time(&jiff::Zoned::now()), ..Self::default() }
    }

    /// Leaves out more: patterns as in `.gitignore`, separated by commas.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the one that is no pattern.
    pub fn leave_out(&mut self, list: &str) -> Result<(), Error> {
        self.leave_out_each(split_list(list))
    }

    /// Leaves out more: patterns as in `.gitignore`, one on each line; comments and empty lines are none.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the one that is no pattern.
    pub fn leave_out_lines(&mut self, text: &str) -> Result<(), Error> {
        let is_pattern = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
        self.leave_out_each(text.lines().filter(is_pattern).map(str::to_owned).collect())
    }

    fn leave_out_each(&mut self, patterns: Vec<String>) -> Result<(), Error> {
        Excludes::validate(&patterns).map_err(|error| Error::Usage(error.to_string()))?;
        self.exclude.extend(patterns);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
