//! What can be sorted on disk, and its bytes there. Temporary files are read by the process that wrote them only.

use std::io::{self, Read, Write};

use crate::format::id::ChunkId;

/// Something that is sorted.
pub trait Record: Ord + Sized {
    /// About how many bytes of memory it takes.
    fn memory(&self) -> usize;

    /// Writes it.
    fn write(&self, out: &mut impl Write) -> io::Result<()>;

    /// Reads what [`write`](Self::write) wrote.
    fn read(input: &mut impl Read) -> io::Result<Self>;
}

impl Record for ChunkId {
    fn memory(&self) -> usize {
        Self::LEN
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.as_bytes())
    }

    fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut bytes = [0; Self::LEN];
        input.read_exact(&mut bytes)?;
        Ok(Self::from_bytes(bytes))
    }
}

macro_rules! records_of_numbers {
    ($($number:ty),*) => {$(
        impl Record for $number {
            fn memory(&self) -> usize {
                size_of::<Self>()
            }

            fn write(&self, out: &mut impl Write) -> io::Result<()> {
                out.write_all(&self.to_be_bytes())
            }

            fn read(input: &mut impl Read) -> io::Result<Self> {
                let mut bytes = [0; size_of::<Self>()];
                input.read_exact(&mut bytes)?;
                Ok(Self::from_be_bytes(bytes))
            }
        }
    )*};
}

records_of_numbers!(u32, u64);

/// The first bytes of an id as a number that sorts like it.
pub fn prefix(id: &ChunkId) -> u64 {
    let (first, _) = id.as_bytes().split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_be_bytes(*first)
}

/// Encoded bytes of any kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Encoded(pub Box<[u8]>);

/// What a small allocation costs besides its bytes.
const ALLOCATION: usize = 32;

impl Record for Encoded {
    fn memory(&self) -> usize {
        self.0.len() + ALLOCATION
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let len = u32::try_from(self.0.len()).map_err(io::Error::other)?;
        out.write_all(&len.to_be_bytes())?;
        out.write_all(&self.0)
    }

    fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut len = [0; 4];
        input.read_exact(&mut len)?;
        let mut bytes = vec![0; u32::from_be_bytes(len) as usize].into_boxed_slice();
        input.read_exact(&mut bytes)?;
        Ok(Self(bytes))
    }
}
