//! Three kinds of data: many small files, large files that are edited in place, and what cannot be compressed.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::support;

/// A kind of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text files of 1 to 60 KiB, hundreds to a folder of folders.
    Small,
    /// Pages of rows in a few large files.
    Database,
    /// Files of several megabytes that look random.
    Media,
}

/// Pages of the database.
const PAGE: usize = 8 << 10;

impl Kind {
    pub const ALL: [Self; 3] = [Self::Small, Self::Database, Self::Media];

    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small files",
            Self::Database => "database",
            Self::Media => "media",
        }
    }

    /// Makes about so many bytes of it in a new folder.
    pub fn make(self, folder: &Path, bytes: usize) {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("a folder");
        match self {
            Self::Small => {
                let (mut made, mut number) = (0, 0);
                while made < bytes {
                    let content = support::code(1000 + number * 7919 % 32_000, number as u64);
                    let within = folder.join(format!("{}/{}", number / 1000, number / 40));
                    fs::create_dir_all(&within).expect("a folder");
                    fs::write(within.join(format!("file{number}.c")), &content).expect("a file");
                    (made, number) = (made + content.len(), number + 1);
                }
            }
            Self::Database => {
                for file in 0..4 {
                    let mut table = Vec::with_capacity(bytes / 4);
                    let mut page = 0u64;
                    while table.len() < bytes / 4 {
                        table.extend(row_page(file << 32 | page));
                        page += 1;
                    }
                    fs::write(folder.join(format!("table{file}")), table).expect("a file");
                }
            }
            Self::Media => {
                for file in 0..(bytes >> 23).max(1) {
                    fs::write(folder.join(format!("{file}.mp4")), support::noise(8 << 20, file as u64))
                        .expect("a file");
                }
            }
        }
    }

    /// Changes some of it: a twentieth of the small files, one page in fifty, one new file.
    pub fn change(self, folder: &Path, round: usize) {
        let seed = 1_000_000 * (1 + round as u64);
        match self {
            Self::Small => {
                let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
                let files = files.filter(|entry| entry.file_type().is_file()).step_by(20);
                for (number, entry) in files.enumerate() {
                    let mut file = File::options().append(true).open(entry.path()).expect("a file");
                    file.write_all(&support::code(500, seed + number as u64)).expect("written");
                }
            }
            Self::Database => {
                for table in 0..4 {
                    let mut file =
                        File::options().write(true).open(folder.join(format!("table{table}"))).expect("a file");
                    let pages = file.metadata().expect("its length").len() / PAGE as u64;
                    for page in (seed % 50..pages).step_by(50) {
                        file.seek(SeekFrom::Start(page * PAGE as u64)).expect("there");
                        file.write_all(&row_page(seed + page)).expect("written");
                    }
                }
            }
            Self::Media => {
                fs::write(folder.join(format!("new{round}.mp4")), support::noise(8 << 20, seed)).expect("a file");
            }
        }
    }
}

/// One page of rows: numbers that rise, a few words that come again, a hash each.
fn row_page(seed: u64) -> Vec<u8> {
    let mut page = Vec::with_capacity(PAGE);
    let mut row = 0u64;
    while page.len() + 96 <= PAGE {
        let hash = blake3::hash(&(seed << 8 | row).to_le_bytes());
        let words = ["open", "paid", "sent", "returned", "cancelled"];
        let word = words[hash.as_bytes()[0] as usize % words.len()];
        write!(page, "{:012};{:010};{word:<12};{};", seed << 8 | row, row * 37, &hash.to_hex()[..24]).expect("memory");
        row += 1;
    }
    page.resize(PAGE, 0);
    page
}
