//! Trees of a history that is only thought of: what `--dry-run` needs to say how much space would come back.
//!
//! They go into a temporary file of the state folder, so that memory does not grow with them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::format::id::{ChunkId, ChunkKind};
use crate::seal::Keys;
use crate::snapshot::{ChunkSink, ChunkSource, ReadError};

/// Tree chunks in a file.
pub(super) struct Scratch {
    path: PathBuf,
    file: Mutex<File>,
    places: HashMap<ChunkId, (u64, u32)>,
    len: u64,
    keys: Arc<Keys>,
}

impl Scratch {
    pub(super) fn new(keys: &Arc<Keys>, folder: &Path) -> Result<Self, Error> {
        let path = folder.join(format!("trees-{}", std::process::id()));
        let io = |source| Error::Io { what: "write".to_owned(), path: path.clone(), source };
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).map_err(io)?;
        Ok(Self { file: Mutex::new(file), places: HashMap::new(), len: 0, keys: Arc::clone(keys), path })
    }

    fn read(&self, place: (u64, u32)) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; place.1 as usize];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place.0))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is overwritten by the next one of this process number.
        let _ = fs::remove_file(&self.path);
    }
}

impl ChunkSink for Scratch {
    type Error = Error;

    fn put_tree_chunk(&mut self, bytes: &[u8]) -> Result<ChunkId, Error> {
        let id = self.keys.chunk_id(ChunkKind::Tree, bytes);
        if !self.places.contains_key(&id) {
            let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
            let written = file.seek(SeekFrom::Start(self.len)).and_then(|_| file.write_all(bytes));
            written.map_err(|source| Error::Io { what: "write".to_owned(), path: self.path.clone(), source })?;
            self.places.insert(id, (self.len, bytes.len() as u32));
            self.len += bytes.len() as u64;
        }
        Ok(id)
    }
}

/// Chunks that are stored, and those that are only thought of.
pub(super) struct Overlay<'a> {
    /// What is stored.
    pub stored: &'a dyn ChunkSource,
    /// What is thought of.
    pub scratch: Option<&'a Scratch>,
}

impl ChunkSource for Overlay<'_> {
    fn chunk(&self, kind: ChunkKind, id: &ChunkId, len: u32) -> Result<Vec<u8>, ReadError> {
        let place = self.scratch.and_then(|scratch| Some((scratch, *scratch.places.get(id)?)));
        match place {
            // A file of our own that cannot be read has lost the chunk.
            Some((scratch, place)) => scratch.read(place).map_err(|_| ReadError::Missing { id: *id }),
            None => self.stored.chunk(kind, id, len),
        }
    }
}
