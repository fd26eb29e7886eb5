//! A map that does not fit into memory: a database in a file without a name, of which only a cache is in memory.

use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, TableDefinition, WriteTransaction};

use super::{SpillError, TemporaryFile};

const TABLE: TableDefinition<'_, u128, (u64, &[u8])> = TableDefinition::new("map");

/// A number and bytes by number.
pub struct SpilledMap {
    /// Never committed: nobody reads the file again.
    transaction: WriteTransaction,
    folder: PathBuf,
}

impl SpilledMap {
    /// An empty one, with its file in `folder`, which must be there, and `budget` bytes of cache.
    ///
    /// # Errors
    /// [`SpillError`].
    pub fn new(folder: &Path, budget: usize) -> Result<Self, SpillError> {
        let file = TemporaryFile::new(folder)?.into_file();
        let begin = || -> Result<WriteTransaction, redb::Error> {
            let file = FileBackend::new(file)?;
            Ok(Builder::new().set_cache_size(budget).create_with_backend(file)?.begin_write()?)
        };
        let transaction = begin().map_err(|error| failed(folder, error))?;
        Ok(Self { transaction, folder: folder.to_owned() })
    }

    /// Puts a value in the place of the one that may be there.
    ///
    /// # Errors
    /// [`SpillError`].
    pub fn insert(&mut self, key: u128, value: (u64, &[u8])) -> Result<(), SpillError> {
        let insert = || -> Result<(), redb::Error> {
            self.transaction.open_table(TABLE)?.insert(key, value)?;
            Ok(())
        };
        insert().map_err(|error| failed(&self.folder, error))
    }

    /// Takes a value out.
    ///
    /// # Errors
    /// [`SpillError`].
    pub fn remove(&mut self, key: u128) -> Result<Option<(u64, Vec<u8>)>, SpillError> {
        let remove = || -> Result<Option<(u64, Vec<u8>)>, redb::Error> {
            let mut table = self.transaction.open_table(TABLE)?;
            let value = table.remove(key)?;
            Ok(value.map(|value| {
                let (number, bytes) = value.value();
                (number, bytes.to_vec())
            }))
        };
        remove().map_err(|error| failed(&self.folder, error))
    }
}

fn failed(folder: &Path, error: redb::Error) -> SpillError {
    let source = match error {
        redb::Error::Io(error) => error,
        other => std::io::Error::other(other.to_string()),
    };
    SpillError::new("write", folder, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken_out_once_and_nothing_stays_in_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut map = SpilledMap::new(folder.path(), 1 << 20).expect("a map");
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
        let bytes = |number: u64| number.to_string().repeat(30).into_bytes();
        for number in 0..30_000 {
            map.insert(u128::from(number) << 64, (number, &bytes(number))).expect("put");
        }
        map.insert(7 << 64, (1, b"another")).expect("put");
        assert_eq!(map.remove(7 << 64).expect("read"), Some((1, b"another".to_vec())));
        assert_eq!(map.remove(7 << 64).expect("read"), None);
        for number in 8..30_000 {
            assert_eq!(map.remove(u128::from(number) << 64).expect("read"), Some((number, bytes(number))));
        }
    }
}
