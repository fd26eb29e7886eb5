//! How important a file is: when it was changed, how large it is, what it is, how often it changes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
use crate::format::record::Time;
use crate::format::tree::Node;
use crate::repo::settings::Priority;
use crate::source::{Entry, Excludes};

const DAY_SECONDS: i64 = 86_400;
/// Scores are told apart to a tenth.
const STEPS: f64 = 10.0;

/// What people write themselves, and what keeps what they do.
const IMPORTANT: &[&str] = &[
    "doc", "docx", "odt", "rtf", "tex", "pdf", "xls", "xlsx", "ods", "ppt", "pptx", "odp", "md", "rs", "py", "js",
    "ts", "tsx", "jsx", "c", "h", "cpp", "hpp", "cs", "java", "kt", "go", "rb", "php", "swift", "sh", "ps1", "sql",
    "ipynb", "html", "css", "vue", "conf", "cfg", "ini", "toml", "yaml", "yml", "json", "xml", "env", "db", "sqlite",
    "sqlite3", "mdb", "accdb", "kdbx", "key", "pem", "pst", "mbox", "eml", "vcf", "ics",
];
const TEXT: &[&str] = &["txt", "csv", "tsv", "log", "srt", "bib", "org", "rst", "diff", "patch"];
/// What is large, rarely changes, and can often be had again.
const UNIMPORTANT: &[&str] = &[
    "mp3", "flac", "wav", "ogg", "m4a", "mp4", "mkv", "avi", "mov", "webm", "jpg", "jpeg", "png", "gif", "webp",
    "heic", "tif", "tiff", "raw", "zip", "tar", "gz", "bz2", "xz", "zst", "7z", "rar", "iso", "img", "dmg", "tmp",
    "temp", "bak", "cache", "part",
];

/// What a file counts, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// For having been changed lately: 100 today, 50 within a week, 20 within a month, then less.
    pub recency: f64,
    /// For its size: from 0.1 below a KiB to 10 from 10 MiB on.
    pub size: f64,
    /// For what its name says it is: 100 for documents, sources, settings and databases, 50 for other text, 5 for media and
    /// archives, 25 for everything else.
    pub kind: f64,
    /// For its versions: 20 for each change that snapshots know of, 100 at most.
    pub changes: f64,
}

impl Score {
    /// All together.
    pub fn total(&self) -> f64 {
        self.recency + self.size + self.kind + self.changes
    }

    /// The total as a whole number of steps.
    pub(super) fn step(&self) -> u32 {
        // A float becomes the nearest number there is, whatever weights were given.
        (self.total() * STEPS) as u32
    }
}

/// Scores files by the settings.
#[derive(Debug)]
pub struct Scorer {
    now: Time,
    weights: [f64; 4],
    kinds: BTreeMap<&'static str, f64>,
    important: Excludes,
    unimportant: Excludes,
}

impl Scorer {
    /// Scores as of `now`.
    ///
    /// # Errors
    /// [`Error::Source`] for a pattern in the settings that is none.
    pub fn new(settings: &Priority, now: Time) -> Result<Self, Error> {
        let listed = |list: &[&'static str], score: f64| list.iter().map(|name| (*name, score)).collect::<Vec<_>>();
        let kinds = [listed(IMPORTANT, 100.0), listed(TEXT, 50.0), listed(UNIMPORTANT, 5.0)].concat();
        let patterns = |list: &[String]| Excludes::new(list, Path::new("/"));
        Ok(Self {
            now,
            weights: [settings.recency, settings.size, settings.kind, settings.changes],
            kinds: kinds.into_iter().collect(),
            important: patterns(&settings.important)?,
            unimportant: patterns(&settings.unimportant)?,
        })
    }

    /// What a file counts. `previous` is what the last snapshot has of it.
    pub fn score(&self, entry: &Entry, previous: Option<&Node>) -> Score {
        self.score_of(&entry.path, entry.stat.mtime, entry.stat.size, previous.map_or(0, |node| node.version))
    }

    /// The same of a file that was stored.
    pub fn score_stored(&self, path: &Path, node: &Node) -> Score {
        self.score_of(path, node.metadata.mtime, node.size(), node.version)
    }

    fn score_of(&self, path: &Path, mtime: Time, bytes: u64, version: u32) -> Score {
        let [recency, size, kind, changes] = self.weights;
        Score {
            recency: recency * self.recency(mtime),
            size: size * of_size(bytes),
            kind: kind * self.kind(path),
            changes: changes * of_changes(version),
        }
    }

    fn recency(&self, mtime: Time) -> f64 {
        match self.now.seconds.saturating_sub(mtime.seconds) / DAY_SECONDS {
            ..1 => 100.0,
            1..=7 => 50.0,
            8..=30 => 20.0,
            days => 10.0 / (days as f64 / 30.0),
        }
    }

    fn kind(&self, path: &Path) -> f64 {
        if self.important.matches(path) {
            return 100.0;
        }
        if self.unimportant.matches(path) {
            return 5.0;
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        extension.and_then(|extension| self.kinds.get(extension.as_str()).copied()).unwrap_or(25.0)
    }
}

fn of_size(bytes: u64) -> f64 {
    match bytes {
        0..1_024 => 0.1,
        1_024..10_485_760 => bytes as f64 / 1_024.0 * 0.001,
        _ => 10.0,
    }
}

fn of_changes(version: u32) -> f64 {
    (f64::from(version.saturating_sub(1)) * 20.0).min(100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{EntryKind, Stat};

    const NOW: Time = Time { seconds: 1_768_473_042, nanos: 0 };

    fn entry(name: &str, size: u64, days: i64) -> Entry {
        let mtime = Time { seconds: NOW.seconds - days * DAY_SECONDS, nanos: 0 };
        let stat = Stat {
            dev: 1,
            inode: 1,
            mode: 0o644,
            uid: 0,
            gid: 0,
            links: 1,
            size,
            blocks_bytes: size,
            mtime,
            ctime: mtime,
        };
        Entry { name: name.into(), path: format!("/home/ada/{name}").into(), kind: EntryKind::File, stat }
    }

    fn score(settings: &Priority, entry: &Entry, version: Option<u32>) -> Score {
        let node = version.map(|version| Node { version, ..crate::snapshot::tests::file(b"x", 1) });
        Scorer::new(settings, NOW).expect("patterns").score(entry, node.as_ref())
    }

    #[test]
    fn the_usual_weights_are_those_of_the_forerunner() {
        let usual = Priority::default();
        let of = |name, size, days, version| score(&usual, &entry(name, size, days), version);
        let shown = |score: Score| (score.recency, score.size, score.kind, score.changes);
        assert_eq!(shown(of("report.DOCX", 500, 0, None)), (100.0, 0.1, 100.0, 0.0));
        assert_eq!(shown(of("notes.txt", 2_048, 7, Some(1))), (50.0, 0.002, 50.0, 0.0));
        assert_eq!(shown(of("film.mkv", 1 << 30, 20, Some(3))), (20.0, 10.0, 5.0, 40.0));
        assert_eq!(shown(of("unknown", 10 << 20, 60, Some(99))), (5.0, 10.0, 25.0, 100.0));
        // A clock that was wrong is no reason to wait.
        assert_eq!(of("report.odt", 0, -400, None).recency, 100.0);
    }

    #[test]
    fn weights_and_lists_are_the_users() {
        let mut settings = Priority { recency: 0.0, kind: 2.0, ..Priority::default() };
        settings.important = vec!["*.mkv".to_owned()];
        settings.unimportant = vec!["old-*".to_owned()];
        let of = |name| score(&settings, &entry(name, 0, 0), None);
        assert_eq!((of("film.mkv").recency, of("film.mkv").kind), (0.0, 200.0));
        assert_eq!(of("old-report.docx").kind, 10.0);
        assert!(of("film.mkv").step() > of("old-report.docx").step());
    }
}
