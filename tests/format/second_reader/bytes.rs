//! §1 and §7: integers, checksums, and the types of records. Every read is checked.

/// Takes fields off the front of some bytes.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("the bytes end too early")?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    /// An unsigned little-endian integer of a fixed layout.
    pub fn fixed(&mut self, size: usize) -> Result<u64, String> {
        Ok(self.take(size)?.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    pub fn magic(&mut self, magic: &[u8]) -> Result<(), String> {
        if self.take(magic.len())? == magic { Ok(()) } else { Err("another type of object".into()) }
    }

    pub fn zeros(&mut self, count: usize) -> Result<(), String> {
        if self.take(count)?.iter().all(|byte| *byte == 0) { Ok(()) } else { Err("a reserved field".into()) }
    }

    pub fn end(&self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err("bytes after the end".into()) }
    }

    pub fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// A varint of a type with `bits` bits.
    fn varint(&mut self, bits: u32) -> Result<u64, String> {
        let mut value: u128 = 0;
        for place in 0..bits.div_ceil(7) {
            let byte = self.byte()?;
            value |= u128::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return if value >> bits == 0 { Ok(value as u64) } else { Err("a number is too large".into()) };
            }
        }
        Err("a number is too long".into())
    }

    pub fn u32(&mut self) -> Result<u32, String> {
        Ok(self.varint(32)? as u32)
    }

    pub fn u64(&mut self) -> Result<u64, String> {
        self.varint(64)
    }

    pub fn i32(&mut self) -> Result<i32, String> {
        let value = self.varint(32)?;
        Ok(unzigzag(value) as i32)
    }

    pub fn i64(&mut self) -> Result<i64, String> {
        Ok(unzigzag(self.varint(64)?))
    }

    pub fn byte_string(&mut self) -> Result<Vec<u8>, String> {
        let length = usize::try_from(self.u64()?).map_err(|_| "a length is too large")?;
        Ok(self.take(length)?.to_vec())
    }

    pub fn text(&mut self) -> Result<String, String> {
        String::from_utf8(self.byte_string()?).map_err(|_| "text that is not UTF-8".into())
    }

    pub fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<Option<T>, String> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err("neither there nor not there".into()),
        }
    }

    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let count = self.u64()?;
        // Not allocated in advance: each item needs at least one byte that has to be there.
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    /// The byte of a record's version.
    pub fn v1(&mut self) -> Result<(), String> {
        if self.byte()? == 0 { Ok(()) } else { Err("a record of a newer version".into()) }
    }

    pub fn additions(&mut self) -> Result<Vec<(u32, Vec<u8>)>, String> {
        self.list(|bytes| Ok((bytes.u32()?, bytes.byte_string()?)))
    }

    pub fn truth(&mut self) -> Result<bool, String> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err("neither true nor false".into()),
        }
    }

    pub fn time(&mut self) -> Result<(i64, u32), String> {
        Ok((self.i64()?, self.u32()?))
    }
}

fn unzigzag(value: u64) -> i64 {
    let half = (value / 2) as i64;
    if value.is_multiple_of(2) { half } else { -half - 1 }
}

/// A fixed layout without its checksum, which is right.
pub fn checked(layout: &[u8]) -> Result<Bytes<'_>, String> {
    let (body, crc) = layout.split_last_chunk::<4>().ok_or("the bytes end too early")?;
    if crc32fast::hash(body).to_le_bytes() != *crc {
        return Err("the checksum is wrong".into());
    }
    Ok(Bytes(body))
}
