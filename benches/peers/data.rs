//! Kinds of data: many small files, a database that is edited in place, what cannot be compressed, and a folder that is
//! given in two versions.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition};

use crate::support;

/// What is backed up.
pub enum Data {
    /// So many bytes of a kind.
    Made { kind: Kind, bytes: usize },
    /// A folder, and what it is like after a change; the same folder twice is changed like small files.
    Given { first: PathBuf, then: PathBuf },
}

impl Data {
    /// Makes it in a folder.
    pub fn make(&self, folder: &Path) {
        match self {
            Self::Made { kind, bytes } => kind.make(folder, *bytes),
            Self::Given { first, .. } => follow(first, folder),
        }
    }

    /// Changes it.
    pub fn change(&self, folder: &Path, round: usize) {
        match self {
            Self::Made { kind, .. } => kind.change(folder, round),
            Self::Given { first, then } if first == then => Kind::Small.change(folder, round),
            Self::Given { then, .. } => follow(then, folder),
        }
    }
}

/// A kind of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text files of 1 to 60 KiB, hundreds to a folder of folders.
    Small,
    /// A redb database of orders, in one file.
    Database,
    /// Files of several megabytes that look random.
    Media,
}

/// Orders by their number.
const ORDERS: TableDefinition<u64, &str> = TableDefinition::new("orders");
/// Bytes that an order takes in the database, about.
const ORDER_LEN: usize = 200;

impl Kind {
    pub const ALL: [Self; 3] = [Self::Small, Self::Database, Self::Media];

    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
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
            Self::Database => put_orders(folder, 0..(bytes / ORDER_LEN) as u64, 0),
            Self::Media => {
                for file in 0..(bytes >> 23).max(1) {
                    fs::write(folder.join(format!("{file}.mp4")), support::noise(8 << 20, file as u64))
                        .expect("a file");
                }
            }
        }
    }

    /// Changes some of it: a twentieth of the small files, one order in fifty, one new file.
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
                let count = count_orders(folder);
                // Neighbours: what was ordered lately is what changes.
                put_orders(folder, count - count / 50..count, seed);
            }
            Self::Media => {
                fs::write(folder.join(format!("new{round}.mp4")), support::noise(8 << 20, seed)).expect("a file");
            }
        }
    }
}

fn count_orders(folder: &Path) -> u64 {
    let database = Database::open(folder.join("orders.redb")).expect("a database");
    let view = database.begin_read().expect("a view");
    view.open_table(ORDERS).expect("a table").len().expect("a length")
}

/// Writes orders, in place of those that are there.
fn put_orders(folder: &Path, numbers: std::ops::Range<u64>, seed: u64) {
    let database = Database::create(folder.join("orders.redb")).expect("a database");
    let write = database.begin_write().expect("a transaction");
    {
        let mut table = write.open_table(ORDERS).expect("a table");
        for number in numbers {
            table.insert(number, order(number, seed).as_str()).expect("an order");
        }
    }
    write.commit().expect("committed");
}

/// One order: names and words that come again, prices, a reference that is random.
fn order(number: u64, seed: u64) -> String {
    let hash = blake3::hash(&[number.to_le_bytes(), seed.to_le_bytes()].concat());
    let pick = |at: usize, words: &[&'static str]| words[usize::from(hash.as_bytes()[at]) % words.len()];
    let state = pick(0, &["open", "paid", "sent", "returned", "cancelled"]);
    let name = pick(1, &["Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy"]);
    let town = pick(2, &["Paris", "Lyon", "Marseille", "Toulouse", "Nice", "Nantes", "Lille", "Rennes"]);
    let price = u16::from_le_bytes([hash.as_bytes()[3], hash.as_bytes()[4]]);
    let reference = &hash.to_hex()[..16];
    format!(
        "{{\"state\":\"{state}\",\"name\":\"{name}\",\"town\":\"{town}\",\"cents\":{price},\"items\":{},\
         \"reference\":\"{reference}\",\"note\":\"\"}}",
        number % 7
    )
}

/// Copies a folder, or makes a copy the same as another version of it: only what differs is written.
fn follow(version: &Path, copy: &Path) {
    for entry in walkdir::WalkDir::new(version).into_iter().filter_map(Result::ok) {
        let place = copy.join(entry.path().strip_prefix(version).expect("below it"));
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(&place).expect("a folder");
        } else if kind.is_symlink() {
            let _ = fs::remove_file(&place);
            std::os::unix::fs::symlink(fs::read_link(entry.path()).expect("a link"), &place).expect("a link");
        } else {
            let content = fs::read(entry.path()).expect("a file");
            if !fs::read(&place).is_ok_and(|old| old == content) {
                fs::write(&place, content).expect("written");
            }
        }
    }
    for entry in walkdir::WalkDir::new(copy).contents_first(true).into_iter().filter_map(Result::ok) {
        let original = version.join(entry.path().strip_prefix(copy).expect("below it"));
        if original.symlink_metadata().is_err() {
            let gone =
                if entry.file_type().is_dir() { fs::remove_dir(entry.path()) } else { fs::remove_file(entry.path()) };
            gone.expect("removed");
        }
    }
}
