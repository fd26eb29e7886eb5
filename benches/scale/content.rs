//! What is in the made-up source: folders of folders of tiny files, told from their numbers alone.

use cryptbackup::format::record::{Extra, Time};
use cryptbackup::format::tree::{Flags, Metadata, Node, NodeKind};

/// The path of the source.
pub const SOURCE: &str = "/made/up";
/// Bytes of a chunk. Their number costs, not their length.
pub const CHUNK_LEN: usize = 32;
/// Five files have eight chunks: so many come before each of the five, and before the next.
const CHUNKS_BEFORE: [u64; 6] = [0, 1, 2, 4, 6, 8];
const FILES_PER_FOLDER: u64 = 250;
const FOLDERS_PER_UPPER: u64 = 200;
/// One of so many files is gone in the newest snapshot.
const GONE: u64 = 100;

/// A source of so many chunks.
#[derive(Debug, Clone, Copy)]
pub struct Content {
    pub chunks: u64,
}

impl Content {
    /// All files that ever were.
    pub fn files(self) -> u64 {
        self.chunks * 5 / 8
    }

    /// The folders with files in them.
    pub fn folders(self) -> u64 {
        self.files().div_ceil(FILES_PER_FOLDER)
    }

    /// The first folder that is gone in the newest snapshot.
    pub fn first_gone(self) -> u64 {
        self.folders() - self.folders() / GONE
    }

    /// The files of a folder.
    pub fn files_in(self, folder: u64) -> std::ops::Range<u64> {
        folder * FILES_PER_FOLDER..((folder + 1) * FILES_PER_FOLDER).min(self.files())
    }

    /// Path of a folder below the source: those that go lie in other folders than those that stay.
    pub fn folder_path(self, folder: u64) -> (String, String) {
        let letter = if folder < self.first_gone() { 'a' } else { 'z' };
        (format!("{letter}-{:05}", folder / FOLDERS_PER_UPPER), format!("folder-{folder:07}"))
    }

    /// Path of a file below the source.
    pub fn file_path(self, file: u64) -> String {
        let (upper, folder) = self.folder_path(file / FILES_PER_FOLDER);
        format!("{upper}/{folder}/{}", file_name(file))
    }
}

/// The chunks of a file.
pub fn chunks_of(file: u64) -> std::ops::Range<u64> {
    let (five, place) = (file / 5 * 8, (file % 5) as usize);
    five + CHUNKS_BEFORE[place]..five + CHUNKS_BEFORE[place + 1]
}

/// The bytes of a chunk.
pub fn chunk(number: u64) -> [u8; CHUNK_LEN] {
    let mut bytes = [b'\n'; CHUNK_LEN];
    bytes[..CHUNK_LEN - 1].copy_from_slice(format!("chunk {number:016} of files").as_bytes());
    bytes
}

/// The bytes of a file.
pub fn file(number: u64) -> Vec<u8> {
    chunks_of(number).flat_map(chunk).collect()
}

/// The name of a file.
pub fn file_name(file: u64) -> String {
    format!("file-{file:08}.txt")
}

/// A node whose metadata are as unlike those of others as real ones are.
pub fn node(name: &str, kind: NodeKind, number: u64) -> Node {
    let unlike = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let is_folder = matches!(kind, NodeKind::Folder(_));
    let time = Time { seconds: 1_780_000_000 + (unlike >> 44) as i64, nanos: (unlike % 1_000_000_000) as u32 };
    let metadata = Metadata {
        mode: if is_folder { 0o755 } else { 0o644 },
        uid: 1000,
        gid: 1000,
        user: Some("somebody".to_owned()),
        group: Some("somebody".to_owned()),
        mtime: time,
        ctime: time,
        inode: number + 2,
        links: 1,
        ..Metadata::default()
    };
    Node {
        name: name.as_bytes().to_vec(),
        kind,
        metadata,
        version: u32::from(!is_folder),
        flags: Flags::NONE,
        extra: Extra::new(),
    }
}
