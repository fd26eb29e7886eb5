//! Does a run look as if somebody had gone over the files? What was met is counted on the way, and judged at the end.
//!
//! Two signs, each as a share of the files that the last snapshot of the source had:
//!
//! - *opaque*: the file was known, its content is another one, and a sample of the new content is as random as chance. So
//!   looks what was encrypted; pictures, films and archives do too, so it takes many at once.
//! - *gone*: the file is not there any more. One that was only moved (the same inode, size and time of change under
//!   another name) does not count.
//!
//! A sample is a few KiB at the beginning of a chunk, and only known files that have to be read anyway are looked at: it
//! costs some microseconds a file.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::outcome::RootTally;
use crate::format::record::Time;
use crate::format::snapshot::{RootCounts, SuspectSource};
use crate::format::tree::{Node, NodeKind};
use crate::repo::settings::Guard;
use crate::source::Entry;

/// Bytes of a chunk that are looked at, and the fewest that say anything.
const SAMPLE_BYTES: usize = 4 << 10;
const SAMPLE_BYTES_MIN: usize = 1 << 10;
/// Chunks of a file that are looked at.
const SAMPLES: u32 = 16;
/// Bits a byte by which a sample may fall short of what chance gives on average.
const SHORT_OF_CHANCE: f64 = 0.1;
/// Files that are remembered to tell whether they were moved. Of those beyond, none is taken for moved.
const MOVED_MAX: usize = 100_000;

/// Whether these bytes look random: whether the bytes they are made of are spread as evenly as chance spreads them.
fn is_opaque(bytes: &[u8]) -> bool {
    let sample = bytes.get(..SAMPLE_BYTES).unwrap_or(bytes);
    if sample.len() < SAMPLE_BYTES_MIN {
        return false;
    }
    let mut counts = [0u32; 256];
    for &byte in sample {
        counts[usize::from(byte)] += 1;
    }
    let total = sample.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    let entropy: f64 = -counts.iter().filter(|count| **count > 0).map(|it| share(it) * share(it).log2()).sum::<f64>();
    // So much less than eight bits a sample of this length has on average, where every byte is as likely as any other.
    let bias = 255.0 / (2.0 * total * std::f64::consts::LN_2);
    entropy >= 8.0 - bias - SHORT_OF_CHANCE
}

/// What was seen of one known file while it was read.
#[derive(Debug, Default)]
pub(super) struct FileSample {
    samples: u32,
    opaque: u32,
}

impl FileSample {
    /// Looks at a chunk, unless it is too short to say anything: the last of a file often is.
    pub fn chunk(&mut self, bytes: &[u8]) {
        if self.samples < SAMPLES && bytes.len() >= SAMPLE_BYTES_MIN {
            self.samples += 1;
            self.opaque += u32::from(is_opaque(bytes));
        }
    }

    /// Whether most of it looks random.
    pub fn is_opaque(&self) -> bool {
        self.opaque * 2 > self.samples
    }
}

/// Tells a file again under another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    /// Of a file of the previous snapshot; none for anything else.
    pub fn of_node(node: &Node) -> Option<Self> {
        matches!(node.kind, NodeKind::File(_)).then(|| Self::of(node.metadata.inode, node.size(), node.metadata.mtime))
    }

    /// Of a file that is there.
    pub fn of_entry(entry: &Entry) -> Self {
        Self::of(entry.stat.inode, entry.stat.size, entry.stat.mtime)
    }

    fn of(inode: u64, size: u64, mtime: Time) -> Self {
        let mut hasher = DefaultHasher::new();
        (inode, size, mtime.seconds, mtime.nanos).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Files that went, and files that came.
#[derive(Debug, Default)]
pub(super) struct Moves {
    gone: u64,
    went: HashSet<Fingerprint>,
    came: HashSet<Fingerprint>,
}

impl Moves {
    /// A file of the previous snapshot is not there any more.
    pub fn went(&mut self, file: Fingerprint) {
        self.gone += 1;
        if self.went.len() < MOVED_MAX {
            self.went.insert(file);
        }
    }

    /// A file is there that was not.
    pub fn came(&mut self, file: Fingerprint) {
        if self.came.len() < MOVED_MAX {
            self.came.insert(file);
        }
    }

    /// Files that are gone and were not moved.
    pub fn files_gone(&self) -> u64 {
        self.gone - self.went.intersection(&self.came).count() as u64
    }
}

/// What a run has changed of a source so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Changes {
    /// Known files with another content.
    pub changed: u64,
    /// Those of them whose content looks random.
    pub opaque: u64,
    /// Files that are gone, and were not moved.
    pub gone: u64,
}

impl Changes {
    /// What one part of a run counted, after those before it.
    pub fn after(self, tally: &RootTally) -> Self {
        Self {
            changed: self.changed + tally.files_changed,
            opaque: self.opaque + tally.files_opaque,
            gone: self.gone + tally.files_gone,
        }
    }
}

/// Judges what was changed of a source of which the last snapshot had so many files; none where nothing is unusual.
pub(super) fn judge(guard: &Guard, path: &[u8], before: &RootCounts, changes: &Changes) -> Option<SuspectSource> {
    if !guard.suspect_changes || before.files < guard.min_files || before.bytes < guard.min_bytes {
        return None;
    }
    let is_much = |files: u64, percent: u32| files > 0 && files * 100 >= u64::from(percent) * before.files;
    let is_suspect = is_much(changes.opaque, guard.changed_percent) || is_much(changes.gone, guard.vanished_percent);
    is_suspect.then(|| SuspectSource {
        path: path.to_vec(),
        files: before.files,
        changed: changes.changed,
        opaque: changes.opaque,
        gone: changes.gone,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize, seed: u8) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().update(&[seed]).finalize_xof().fill(&mut bytes);
        bytes
    }

    #[test]
    fn what_is_random_is_opaque_and_what_people_write_is_not() {
        for length in [1024, 1500, 2000, 3000, 4096, 100_000] {
            for seed in 0..200 {
                assert!(is_opaque(&noise(length, seed)), "{length} {seed}");
            }
        }
        let text = include_bytes!("../../docs/format.md");
        let hex: Vec<u8> = noise(4096, 1).iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect();
        let program = std::fs::read(std::env::current_exe().expect("this program")).expect("readable");
        for bytes in [text.as_slice(), &hex, &[0; 5000], &noise(1023, 1), b""] {
            assert!(!is_opaque(bytes));
        }
        let opaque = program.chunks(65_536).filter(|chunk| is_opaque(chunk)).count();
        assert!(opaque * 20 < program.len() / 65_536, "{opaque}");
    }

    #[test]
    fn a_file_is_opaque_by_most_of_its_samples() {
        let mut sample = FileSample::default();
        assert!(!sample.is_opaque());
        sample.chunk(&noise(5000, 1));
        assert!(sample.is_opaque());
        sample.chunk(b"a short end");
        assert!(sample.is_opaque(), "it says nothing");
        sample.chunk(&[b'a'; 5000]);
        assert!(!sample.is_opaque(), "half is not most");
        sample.chunk(&noise(5000, 2));
        assert!(sample.is_opaque());
    }

    #[test]
    fn what_was_moved_is_not_gone() {
        let file = |number| Fingerprint::of(number, 10, Time { seconds: 1, nanos: 0 });
        let mut moves = Moves::default();
        (0..5).for_each(|number| moves.went(file(number)));
        (3..9).for_each(|number| moves.came(file(number)));
        assert_eq!(moves.files_gone(), 3);
        assert_ne!(file(1), Fingerprint::of(1, 11, Time { seconds: 1, nanos: 0 }));
    }

    #[test]
    fn it_takes_a_share_of_enough_files() {
        let guard = Guard::default();
        let before = |files, bytes| RootCounts { files, bytes, ..RootCounts::default() };
        let judged = |before: RootCounts, opaque, gone| {
            judge(&guard, b"/a", &before, &Changes { opaque, gone, changed: opaque }).is_some()
        };
        let enough = before(200, 20_000_000);
        assert!(judged(enough, 40, 0) && !judged(enough, 39, 0));
        assert!(judged(enough, 0, 100) && !judged(enough, 0, 99));
        assert!(!judged(before(99, 20_000_000), 99, 0) && !judged(before(200, 9_999_999), 200, 200));
        let off = Guard { suspect_changes: false, ..Guard::default() };
        assert_eq!(judge(&off, b"/a", &enough, &Changes { opaque: 200, ..Changes::default() }), None);
    }
}
